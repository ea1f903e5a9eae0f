package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
)

// many puts n events in one transaction.
func many(t testing.TB, s *Store, c CollectionID, n int) {
	t.Helper()
	update(t, s, func(tx *Tx) error {
		for i := range n {
			p := mustPrepare(s, testEvent(fmt.Sprint("many-", i), ":20270301T100000Z", "RRULE:FREQ=WEEKLY"))
			if _, err := tx.PutObject(Put{Actor: System(), Collection: c, Name: fmt.Sprintf("%d.ics", i), Object: p}); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestRemovedCalendarIsGoneAtOnceAndSweptInSteps: a large calendar takes more
// than one transaction to leave the file; nobody may see it in between, its
// blocks are free, and the check is clean after every step.
func TestRemovedCalendarIsGoneAtOnceAndSweptInSteps(t *testing.T) {
	s := newTest(t)
	s.sweeper.stop() // by hand
	h := newTestHouse(t, s)
	many(t, s, h.otherCal, 3*sweepStep)
	put(t, s, h.otherCal, "removed.ics", testEvent("removed", ":20270301T100000Z"))
	update(t, s, func(tx *Tx) error { return tx.DeleteObject(System(), h.otherCal, "removed.ics", Cond{}) })
	shared := prepare(t, s, testEvent("shared", ":20270301T100000Z", "CATEGORIES:BLOCK", BlockTypeProperty+":zz"))
	alone := prepare(t, s, testEvent("zz-alone", ":20270301T100000Z", "CATEGORIES:BLOCK", ExternalIDProperty+":theirs"))
	update(t, s, func(tx *Tx) error {
		_, err := tx.PutBlock(PutBlock{Actor: System(), Org: h.org.ID, Object: shared, Targets: []CollectionID{h.otherCal, h.adaCal}})
		_, err2 := tx.PutBlock(PutBlock{Actor: System(), Org: h.org.ID, Object: alone, Targets: []CollectionID{h.otherCal}})
		return errors.Join(err, err2, tx.PutFeed(&Feed{Org: h.org.ID, Collection: h.otherCal, Name: "x"}, "feed-secret-of-it"))
	})
	mustCheck(t, s)
	var sharedID, aloneID ObjectID
	view(t, s, func(v *View) error {
		m, err := v.MemberByUID(h.otherCal, "shared")
		n, err2 := v.MemberByUID(h.otherCal, "zz-alone")
		sharedID, aloneID = m.Object, n.Object
		return errors.Join(err, err2)
	})
	update(t, s, func(tx *Tx) error { return tx.DeleteCollection(System(), h.otherCal) })
	steps := 0
	for done := false; !done; steps++ {
		mustCheck(t, s)
		nothingLeft(t, s, h, sharedID, aloneID)
		if steps == 1 { // the block lives on elsewhere, and its UID is free again
			put(t, s, h.adaCal, "shared.ics", testEvent("shared", ":20270301T120000Z", "CATEGORIES:BLOCK"))
			put(t, s, h.roomCal, "alone.ics", testEvent("zz-alone", ":20270301T120000Z", "CATEGORIES:BLOCK"))
			mustCheck(t, s)
		}
		var err error
		if _, done, err = s.sweepSome(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if steps < 3 {
		t.Errorf("swept in %d steps: the test shows nothing", steps)
	}
	mustCheck(t, s)
	if n := s.Stats().Objects; n != 2 {
		t.Errorf("%d objects are left, want the two blocks", n)
	}
}

func nothingLeft(t *testing.T, s *Store, h *testHouse, shared, alone ObjectID) {
	t.Helper()
	view(t, s, func(v *View) error {
		_, collection := v.Collection(h.otherCal)
		_, named := v.CollectionByName(h.user.ID, "other")
		_, state := v.State(h.otherCal)
		_, member := v.Member(h.otherCal, "1.ics")
		_, byUID := v.MemberByUID(h.otherCal, "many-1")
		_, _, _, changes := v.Changes(h.otherCal, "", 0)
		_, instances := v.Instances(h.otherCal, window(t, "20270301T0000", "20270302T0000"), nil)
		_, feed := v.FeedBySecret("feed-secret-of-it")
		_, object := v.Object(alone)
		for what, err := range map[string]error{
			"collection": collection, "name": named, "state": state, "member": member, "UID": byUID,
			"changes": changes, "instances": instances, "feed": feed, "object": object,
		} {
			if what == "object" && err == nil || what != "object" && !errors.Is(err, ErrNotFound) {
				if what != "object" || !reborn(v, h) {
					t.Errorf("%s of a removed collection: %v", what, err)
				}
			}
		}
		if n := len(listing(t, s, h.otherCal)); n != 0 {
			t.Errorf("%d members are listed", n)
		}
		if ids, _ := v.Holders(h.org.ID, "many-1"); len(ids) != 0 {
			t.Errorf("holders of a UID: %v", ids)
		}
		if ids, _ := v.ObjectsByExternalID(h.org.ID, "theirs"); len(ids) != 0 {
			t.Errorf("objects of an external id: %v", ids)
		}
		o, err := v.ObjectFacts(shared)
		if err == nil && (len(o.Bindings) != 1 || o.Bindings[0].Collection != h.adaCal) {
			t.Errorf("the block is in %v", o.Bindings)
		}
		return err
	})
}

// reborn reports whether the lone block was put anew.
func reborn(v *View, h *testHouse) bool {
	_, err := v.MemberByUID(h.roomCal, "zz-alone")
	return err == nil
}

// TestSweepGoesOnAfterRestart: what was not swept when the store closed is
// swept by itself when it is opened again.
func TestSweepGoesOnAfterRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sweep.db")
	s := openTest(t, path)
	h := newTestHouse(t, s)
	s.sweeper.stop()
	many(t, s, h.otherCal, 3*sweepStep)
	update(t, s, func(tx *Tx) error { return tx.DeleteCollection(System(), h.otherCal) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, path)
	for done := false; !done; { // beside the sweeper
		var err error
		if _, done, err = s.Prune(t.Context(), testNow); err != nil {
			t.Fatal(err)
		}
	}
	mustCheck(t, s)
	if st := s.Stats(); st.Objects != 0 || st.Rows != 0 {
		t.Errorf("%d objects and %d rows are left", st.Objects, st.Rows)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRebuildFinishesARemoval: a rebuild in the middle of a sweep leaves nothing
// of the collection and harms no other.
func TestRebuildFinishesARemoval(t *testing.T) {
	s := newTest(t)
	s.sweeper.stop()
	h := fill(t, s)
	many(t, s, h.otherCal, 2*sweepStep)
	update(t, s, func(tx *Tx) error { return tx.DeleteCollection(System(), h.otherCal) })
	update(t, s, func(tx *Tx) error {
		tx.setMetaInt(metaRows, 1) // damage
		return nil
	})
	if _, err := s.Check(t.Context(), true, func(Problem) {}); err != nil {
		t.Fatal(err)
	}
	mustCheck(t, s)
	if n := s.Stats().Objects; n != 4 {
		t.Errorf("%d objects, want 4", n)
	}
}

// TestHorizonMovesPastRemovedCalendars: series of a calendar that is being swept
// must not hold up the horizon, which would never be done.
func TestHorizonMovesPastRemovedCalendars(t *testing.T) {
	s := newTest(t)
	s.sweeper.stop()
	h := newTestHouse(t, s)
	many(t, s, h.otherCal, 2*sweepStep)
	update(t, s, func(tx *Tx) error { return tx.DeleteCollection(System(), h.otherCal) })
	extend(t, s, testNow.AddDate(2, 0, 0))
	mustCheck(t, s)
}
