package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"daybook/store/engine"
)

// extend moves the horizon, in a bounded number of steps.
func extend(t *testing.T, s *Store, to time.Time) {
	t.Helper()
	for range 100 {
		_, done, err := s.ExtendHorizon(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
	}
	t.Fatal("the horizon is never done")
}

// clockStore is a store whose clock the test turns.
func clockStore(t *testing.T) (s *Store, now *time.Time) {
	t.Helper()
	at := testNow
	s, err := Open(context.Background(), Options{Path: filepath.Join(t.TempDir(), "clock.db"), Create: true, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, &at
}

// TestBlockThatJoinsLaterHasTheSameRowsEverywhere: an endless block that joined
// another calendar days after it was made was indexed further there, and the
// rows of its first calendar were not what its facts said.
func TestBlockThatJoinsLaterHasTheSameRowsEverywhere(t *testing.T) {
	for _, how := range []string{"copy", "move", "again"} {
		t.Run(how, func(t *testing.T) {
			s, now := clockStore(t)
			h := newTestHouse(t, s)
			text := testEvent("b", ":20270301T100000Z", "CATEGORIES:BLOCK", "RRULE:FREQ=DAILY")
			block := func(targets ...CollectionID) {
				p := prepare(t, s, text)
				update(t, s, func(tx *Tx) error {
					_, err := tx.PutBlock(PutBlock{Actor: System(), Org: h.org.ID, Object: p, Targets: targets})
					return err
				})
			}
			block(h.adaCal, h.userCal)
			*now = now.AddDate(0, 0, 20)
			m := Move{Actor: System(), From: h.userCal, To: h.roomCal, FromName: "b.ics", ToName: "b.ics"}
			switch how {
			case "copy":
				update(t, s, func(tx *Tx) error { _, err := tx.CopyObject(m); return err })
			case "move":
				update(t, s, func(tx *Tx) error { _, err := tx.MoveObject(m); return err })
			default:
				block(h.adaCal, h.roomCal)
			}
			mustCheck(t, s)
			update(t, s, func(tx *Tx) error {
				x, err := tx.MemberByUID(h.adaCal, "b")
				return errors.Join(err, tx.DeleteEverywhere(System(), x.Object, Cond{}))
			})
			mustCheck(t, s)
		})
	}
}

// TestHorizonMovesPastUnreadableObjects: an endless series that cannot be parsed
// any more held up the horizon for ever.
func TestHorizonMovesPastUnreadableObjects(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	bad := put(t, s, h.adaCal, "bad.ics", testEvent("bad", ":20270301T100000Z", "RRULE:FREQ=WEEKLY"))
	put(t, s, h.adaCal, "good.ics", testEvent("good", ":20270301T120000Z", "RRULE:FREQ=WEEKLY"))
	spoil(t, s, bad.Member.Object)
	extend(t, s, testNow.AddDate(3, 0, 0))
	if got := rows(t, s, h.adaCal, "20290101T0000", "20290108T0000", nil); len(got) != 1 {
		t.Errorf("got %v, want the readable one", got)
	}
	view(t, s, func(v *View) error {
		o, err := v.ObjectAt(h.adaCal, "bad.ics")
		if err == nil && !bytes.HasPrefix(o.Data, []byte("spoilt")) {
			t.Errorf("served %q", o.Data)
		}
		return err
	})
	update(t, s, func(tx *Tx) error { // and it can be moved and removed
		m := Move{Actor: System(), From: h.adaCal, To: h.roomCal, FromName: "bad.ics", ToName: "bad.ics"}
		_, err := tx.MoveObject(m)
		return errors.Join(err, tx.DeleteObject(System(), h.roomCal, "bad.ics", Cond{}))
	})
	mustCheck(t, s)
}

// spoil makes a stored body unreadable, as a later, stricter parser would.
func spoil(t *testing.T, s *Store, id ObjectID) {
	t.Helper()
	if err := s.db.Update(t.Context(), func(w engine.Writer) error {
		f, err := unpackFacts(id, w.Get(factsKey(id)))
		if err != nil {
			return err
		}
		data := bytes.Repeat([]byte("spoilt"), int(f.size))[:f.size]
		f.ETag = tagOf(data)
		w.Put(dataKey(id), data)
		w.Put(factsKey(id), packFacts(f))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestOtherZoneDataReindexesAll: rows are made anew for other time zone data, in
// steps; the progress of an earlier version of the data counts for nothing.
func TestOtherZoneDataReindexesAll(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	many(t, s, h.adaCal, 2*extendStep+1)
	update(t, s, func(tx *Tx) error {
		tx.put(metaKey(metaTZData), []byte("1999z"))
		tx.put(metaKey(metaReindexed), key(nil).u64(1<<40).text("2001a")) // far ahead, for another one
		f, err := tx.facts(1)
		if err != nil {
			return err
		}
		wrong := *f
		wrong.rows = nil // not what it expands to
		tx.put(factsKey(1), packFacts(&wrong))
		return nil
	})
	extend(t, s, testNow)
	_, _ = s.Check(t.Context(), false, func(p Problem) {
		if p.Kind == "instances" && p.Where == "object 1" {
			t.Errorf("not made anew: %s", p.Message)
		}
	})
	stale, err := s.staleObjects(t.Context())
	if stale != nil || err != nil {
		t.Errorf("still stale: %v, %v", stale, err)
	}
}

// TestOlderSnapshotIsNotToldOfAHorizonItDoesNotReach: a query in a snapshot from
// before the horizon moved trusted the new one and missed instances.
func TestOlderSnapshotIsNotToldOfAHorizonItDoesNotReach(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	put(t, s, h.adaCal, "w.ics", testEvent("w", ":20270301T100000Z", "RRULE:FREQ=WEEKLY"))
	view(t, s, func(v *View) error {
		extend(t, s, testNow.AddDate(5, 0, 0))
		found, err := v.Instances(h.adaCal, window(t, "20310101T0000", "20310108T0000"), nil)
		if len(found) != 1 {
			t.Errorf("%d instances, want 1", len(found))
		}
		return err
	})
}

// TestManyOverridesAtOneInstantAllHaveRows: the number that tells rows of one
// instant apart was a byte, and the 257th took the place of the first.
func TestManyOverridesAtOneInstantAllHaveRows(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	const n = 300
	lines := []string{fmt.Sprintf("RRULE:FREQ=DAILY;COUNT=%d", n)}
	for i := range n {
		at := testNow.AddDate(0, 0, i).Format("20060102T150405Z")
		lines = append(lines, "END:VEVENT", "BEGIN:VEVENT", "UID:x", "DTSTAMP:20270101T000000Z", "RECURRENCE-ID:"+at,
			"DTSTART:20280101T100000Z", "DURATION:PT30M")
	}
	put(t, s, h.adaCal, "x.ics", testEvent("x", testNow.Format(":20060102T150405Z"), lines...))
	if got := rows(t, s, h.adaCal, "20280101T0000", "20280102T0000", nil); len(got) != n {
		t.Errorf("%d instances, want %d", len(got), n)
	}
	mustCheck(t, s)
	update(t, s, func(tx *Tx) error { return tx.DeleteObject(System(), h.adaCal, "x.ics", Cond{}) })
	mustCheck(t, s)
}

// TestBlockInVeryManyCalendarsHasNoRows: rows times places had no bound; a daily
// block in a thousand calendars held the writer for many seconds.
func TestBlockInVeryManyCalendarsHasNoRows(t *testing.T) {
	if testing.Short() {
		t.Skip("very many calendars are checked again and again")
	}
	s := newTest(t)
	h := newTestHouse(t, s)
	cols := []CollectionID{h.adaCal}
	update(t, s, func(tx *Tx) error {
		for i := range maxSpread/900 + 1 {
			c := &Collection{Owner: h.user.ID, Name: fmt.Sprint("c", i)}
			if err := tx.CreateCollection(System(), c); err != nil {
				return err
			}
			cols = append(cols, c.ID)
		}
		return nil
	})
	block := func(hour int, targets []CollectionID) {
		p := prepare(t, s, testEvent("b", fmt.Sprintf(":20270301T%02d0000Z", hour), "CATEGORIES:BLOCK", "RRULE:FREQ=DAILY;COUNT=900"))
		update(t, s, func(tx *Tx) error {
			_, err := tx.PutBlock(PutBlock{Actor: System(), Org: h.org.ID, Object: p, Targets: targets})
			return err
		})
		mustCheck(t, s)
		if got := rows(t, s, h.adaCal, "20280101T0000", "20280104T0000", nil); len(got) != 3 {
			t.Errorf("in %d calendars: %v, want 3 instances", len(targets), got)
		}
	}
	block(10, cols[:3])
	if n := s.Stats().Rows; n != 3600 {
		t.Errorf("%d rows in three calendars and the view", n)
	}
	block(10, cols)
	if n := s.Stats().Rows; n != 0 {
		t.Errorf("%d rows in %d calendars", n, len(cols))
	}
	block(11, cols)
	if _, err := s.Check(t.Context(), true, func(Problem) {}); err != nil {
		t.Fatal(err)
	}
	block(11, cols[:2])
	extend(t, s, testNow.AddDate(2, 0, 0))
	block(12, cols[:2])
	if n := s.Stats().Rows; n != 2700 {
		t.Errorf("%d rows after it left most", n)
	}
}
