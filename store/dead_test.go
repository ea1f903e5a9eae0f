package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// deadOf gives the dead properties of a member, as its row and its object say.
func deadOf(t *testing.T, s *Store, c CollectionID, name string) string {
	t.Helper()
	var out []string
	view(t, s, func(v *View) error {
		m, err := v.Member(c, name)
		if err != nil {
			return err
		}
		all, err := v.Dead(m.Object)
		if m.Dead != (len(all) > 0) {
			t.Errorf("the row of %s says %v, there are %d", name, m.Dead, len(all))
		}
		for _, d := range all {
			out = append(out, d.Local)
		}
		return err
	})
	return strings.Join(out, " ")
}

func TestDeadPropertiesFollowTheObject(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	put(t, s, h.userCal, "a.ics", testEvent("a", ":20270301T100000Z"))
	block := prepare(t, s, testEvent("b", ":20270301T100000Z", "CATEGORIES:BLOCK"))
	props := []DeadProp{{Space: "urn:x", Local: "one", XML: []byte("<one/>")}, {Local: "two", XML: []byte("<two/>")}}
	update(t, s, func(tx *Tx) error {
		if _, err := tx.PutBlock(PutBlock{Actor: System(), Org: h.org.ID, Object: block, Targets: []CollectionID{h.adaCal, h.roomCal}}); err != nil {
			return err
		}
		return errors.Join(tx.SetDead(System(), h.userCal, "a.ics", props), tx.SetDead(System(), h.adaCal, "b.ics", props[:1]))
	})
	is := func(c CollectionID, name, want string) {
		t.Helper()
		if got := deadOf(t, s, c, name); got != want {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	is(h.userCal, "a.ics", "one two")
	is(h.roomCal, "b.ics", "one") // one object in two calendars
	put(t, s, h.userCal, "a.ics", testEvent("a", ":20270302T100000Z"))
	is(h.userCal, "a.ics", "one two")
	mustCheck(t, s)
	update(t, s, func(tx *Tx) error {
		_, err := tx.CopyObject(Move{Actor: System(), From: h.userCal, To: h.otherCal, FromName: "a.ics", ToName: "copy.ics"})
		if err != nil {
			return err
		}
		_, err = tx.MoveObject(Move{Actor: System(), From: h.userCal, To: h.userCal, FromName: "a.ics", ToName: "moved.ics"})
		return errors.Join(err, tx.SetDead(System(), h.otherCal, "copy.ics", props[1:]))
	})
	is(h.userCal, "moved.ics", "one two")
	is(h.otherCal, "copy.ics", "two")
	// Without its marks the block becomes an event of its own in one place.
	update(t, s, func(tx *Tx) error {
		_, err := tx.PutObject(Put{Actor: System(), Collection: h.adaCal, Name: "b.ics", Object: mustPrepare(s, testEvent("b", ":20270301T100000Z"))})
		return errors.Join(err, tx.SetDead(System(), h.roomCal, "b.ics", nil))
	})
	is(h.adaCal, "b.ics", "one")
	is(h.roomCal, "b.ics", "")
	mustCheck(t, s)
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.DeleteObject(System(), h.userCal, "moved.ics", Cond{}), tx.DeleteObject(System(), h.adaCal, "b.ics", Cond{}),
			tx.DeleteCollection(System(), h.otherCal))
	})
	mustCheck(t, s)
	view(t, s, func(v *View) error {
		if keys := v.keys(newKey(tableDead)); len(keys) != 0 {
			t.Errorf("%d are left", len(keys))
		}
		return nil
	})
}

func TestDeadPropertiesNeitherMoveTokensNorGrowWithoutBound(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	put(t, s, h.adaCal, "a.ics", testEvent("a", ":20270301T100000Z"))
	state := func() (out string) {
		view(t, s, func(v *View) error {
			st, err := v.State(h.adaCal)
			m, err2 := v.Member(h.adaCal, "a.ics")
			out = fmt.Sprint(st.Seq, m.ETag, m.Modified)
			return errors.Join(err, err2)
		})
		return out
	}
	before := state()
	one := []DeadProp{{Local: "one", XML: []byte("<one/>")}}
	last := func() (n uint64) {
		view(t, s, func(v *View) error {
			_, n = v.JournalSpan(h.org.ID)
			return nil
		})
		return n
	}
	noted := last()
	update(t, s, func(tx *Tx) error { return tx.SetDead(System(), h.adaCal, "a.ics", one) })
	if n := last() - noted; n != 1 {
		t.Errorf("the journal has %d entries of it", n)
	}
	if after := state(); after != before {
		t.Errorf("%s, was %s", after, before)
	}
	for name, props := range map[string][]DeadProp{
		"many":  make([]DeadProp, maxObjectDead+1),
		"large": {{Local: "one", XML: make([]byte, maxObjectDeadBytes)}},
	} {
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.SetDead(System(), h.adaCal, "a.ics", props) }); !errors.Is(err, ErrQuota) {
			t.Errorf("%s: %v", name, err)
		}
	}
	update(t, s, func(tx *Tx) error { return tx.SetGrant(h.user.ID, h.ada.ID, RightRead) })
	for name, tt := range map[string]struct {
		who  *Actor
		want error
	}{
		"who may read":    {&Actor{Principal: h.user, Org: h.org.ID}, ErrForbidden},
		"who may nothing": {&Actor{Org: h.org.ID}, ErrNotFound},
	} {
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.SetDead(tt.who, h.adaCal, "a.ics", nil) }); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckMendsDeadProperties(t *testing.T) {
	for name, harm := range map[string]func(*Tx, ObjectID){
		"lost":     func(tx *Tx, id ObjectID) { tx.del(deadKey(id)) },
		"left":     func(tx *Tx, id ObjectID) { tx.put(deadKey(id+100), encodeRecord(deadRecord{})) },
		"unread":   func(tx *Tx, id ObjectID) { tx.put(deadKey(id), []byte{99}) },
		"unmarked": func(tx *Tx, id ObjectID) { tx.put(deadKey(id+1), encodeRecord(deadRecord{[]DeadProp{{Local: "two"}}})) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newTest(t)
			h := newTestHouse(t, s)
			put(t, s, h.adaCal, "a.ics", testEvent("a", ":20270301T100000Z"))
			put(t, s, h.adaCal, "b.ics", testEvent("b", ":20270301T100000Z"))
			update(t, s, func(tx *Tx) error {
				if err := tx.SetDead(System(), h.adaCal, "a.ics", []DeadProp{{Local: "one", XML: []byte("<one/>")}}); err != nil {
					return err
				}
				m, err := tx.Member(h.adaCal, "a.ics")
				harm(tx, m.Object)
				return err
			})
			found := 0
			if _, err := s.Check(t.Context(), true, func(Problem) { found++ }); err != nil || found == 0 {
				t.Fatal(found, err)
			}
			mustCheck(t, s)
			deadOf(t, s, h.adaCal, "a.ics")
			deadOf(t, s, h.adaCal, "b.ics")
		})
	}
}
