package store

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybook/ical"
)

// testNow is the time of every test store.
var testNow = time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)

func openTest(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{Path: path, Create: true, Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newTest(t testing.TB) *Store {
	t.Helper()
	s := openTest(t, filepath.Join(t.TempDir(), "test.db"))
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// testHouse is a small organisation.
type testHouse struct {
	org, user, ada, room                       *Principal
	orgCal, userCal, otherCal, adaCal, roomCal CollectionID
}

func newTestHouse(t testing.TB, s *Store) *testHouse {
	t.Helper()
	h := &testHouse{
		org:  &Principal{Kind: KindOrganisation, Name: "demo", Zone: "Europe/Berlin"},
		user: &Principal{Kind: KindUser, Name: "user01"},
		ada:  &Principal{Kind: KindStaff, Name: "ada"},
		room: &Principal{Kind: KindRoom, Name: "room-1"},
	}
	update(t, s, func(tx *Tx) error {
		for _, p := range []*Principal{h.org, h.user, h.ada, h.room} {
			p.Org = h.org.ID
			if err := tx.CreatePrincipal(p); err != nil {
				return err
			}
		}
		other := &Collection{Owner: h.user.ID, Name: "other"}
		if err := tx.CreateCollection(System(), other); err != nil {
			return err
		}
		h.otherCal = other.ID
		for p, id := range map[*Principal]*CollectionID{h.org: &h.orgCal, h.user: &h.userCal, h.ada: &h.adaCal, h.room: &h.roomCal} {
			c, err := tx.Calendar(p.ID)
			if err != nil {
				return err
			}
			*id = c.ID
		}
		return nil
	})
	return h
}

func update(t testing.TB, s *Store, fn func(*Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, s *Store, fn func(*View) error) {
	t.Helper()
	if err := s.View(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

// event writes an event; extra are more content lines of it.
func testEvent(uid, start string, extra ...string) string {
	lines := append([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", "UID:" + uid, "DTSTAMP:20270101T000000Z",
		"DTSTART" + start, "DURATION:PT1H",
	}, extra...)
	return strings.Join(append(lines, "END:VEVENT", "END:VCALENDAR", ""), "\r\n")
}

func prepare(t testing.TB, s *Store, text string) *Prepared {
	t.Helper()
	o, err := ical.ParseResource([]byte(text), ical.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Prepare(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func put(t testing.TB, s *Store, c CollectionID, name, text string) PutResult {
	t.Helper()
	p := prepare(t, s, text)
	var r PutResult
	update(t, s, func(tx *Tx) (err error) {
		r, err = tx.PutObject(Put{Actor: System(), Collection: c, Name: name, Object: p})
		return err
	})
	return r
}

func mustCheck(t testing.TB, s *Store) {
	t.Helper()
	_, err := s.Check(context.Background(), false, func(p Problem) { t.Errorf("check: %s %s: %s", p.Kind, p.Where, p.Message) })
	if err != nil {
		t.Fatal(err)
	}
}

func listing(t testing.TB, s *Store, c CollectionID) map[string]ETag {
	t.Helper()
	out := map[string]ETag{}
	view(t, s, func(v *View) error {
		return v.EachMember(c, "", func(m Member) bool {
			out[m.Name] = m.ETag
			return true
		})
	})
	return out
}

func rows(t testing.TB, s *Store, c CollectionID, from, to string, zone *ical.Zone) []string {
	t.Helper()
	var out []string
	view(t, s, func(v *View) error {
		rs, err := v.Instances(c, window(t, from, to), zone)
		for _, r := range rs {
			out = append(out, fmt.Sprintf("%s/%s", stamp(r.Start), stamp(r.End)))
		}
		return err
	})
	return out
}

func stamp(sec int64) string { return time.Unix(sec, 0).UTC().Format("0102T1504") }

// mustPrepare is prepare for those who have no testing.T.
func mustPrepare(s *Store, text string) *Prepared {
	o, err := ical.ParseResource([]byte(text), ical.DefaultLimits)
	if err != nil {
		panic(err)
	}
	p, err := s.Prepare(o)
	if err != nil {
		panic(err)
	}
	return p
}
