package openings_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
	"daybook/sync/openings"
)

var now = time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC) // a Monday

func clock() time.Time { return now }

func openStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "daybook.db"), Create: true, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// organisation makes one with two rooms and a user, and gives the rooms.
func organisation(t *testing.T, s *store.Store, name string) (org *store.Principal, rooms []*store.Principal) {
	t.Helper()
	org = &store.Principal{Kind: store.KindOrganisation, Name: name, Zone: "Europe/Berlin"}
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		rooms = nil
		*org = store.Principal{Kind: store.KindOrganisation, Name: name, Zone: "Europe/Berlin"}
		if err := tx.CreatePrincipal(org); err != nil {
			return err
		}
		for _, room := range []string{"-a", "-b"} {
			p := &store.Principal{Kind: store.KindRoom, Name: name + room, Org: org.ID}
			if err := tx.CreatePrincipal(p); err != nil {
				return err
			}
			rooms = append(rooms, p)
		}
		return tx.CreatePrincipal(&store.Principal{Kind: store.KindUser, Name: name + "-user", Org: org.ID})
	})
	if err != nil {
		t.Fatal(err)
	}
	return org, rooms
}

func put(t *testing.T, s *store.Store, p *store.Principal, lines ...string) {
	t.Helper()
	text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//test//EN\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCALENDAR\r\n"
	o, err := ical.ParseResource([]byte(text), ical.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	prepared, err := s.Prepare(o)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(tx *store.Tx) error {
		c, err := tx.Calendar(p.ID)
		if err != nil {
			return err
		}
		_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: c.ID, Name: o.UID() + ".ics", Object: prepared})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s *store.Store, p *store.Principal, days int) store.Openings {
	t.Helper()
	var o store.Openings
	err := s.View(t.Context(), func(v *store.View) (err error) {
		o, err = v.Openings(p.ID, span.Span{Start: now, End: now.AddDate(0, 0, days)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestJobStoresOpeningsOfAllOrganisationsForTheDaysAhead(t *testing.T) {
	s := openStore(t)
	_, one := organisation(t, s, "one")
	two, _ := organisation(t, s, "two")
	put(t, s, one[0], "BEGIN:VAVAILABILITY", "UID:hours", "DTSTAMP:20270101T000000Z",
		"BEGIN:AVAILABLE", "UID:hours-1", "DTSTAMP:20270101T000000Z", "DTSTART:20270104T090000Z", "DTEND:20270104T170000Z",
		"RRULE:FREQ=WEEKLY;BYDAY=MO", "END:AVAILABLE", "END:VAVAILABILITY")
	job := openings.Job(s, openings.Options{Now: clock})
	if err := job(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range append(one, two) {
		if o := read(t, s, p, openings.DefaultDays-1); !o.Stored {
			t.Errorf("openings of %s are not stored", p.Name)
		}
	}
	if o := read(t, s, one[0], 8); !o.Known || len(o.Free) != 2 {
		t.Errorf("openings %+v", o)
	}
	if o := read(t, s, one[0], openings.DefaultDays+2); o.Stored {
		t.Error("more days than asked for are stored")
	}

	put(t, s, one[0], "BEGIN:VEVENT", "UID:busy", "DTSTAMP:20270101T000000Z",
		"DTSTART:20270301T100000Z", "DTEND:20270301T110000Z", "END:VEVENT")
	if o := read(t, s, one[0], 1); o.Stored || len(o.Free) != 2 {
		t.Errorf("after a change: %+v", o)
	}
	if err := job(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o := read(t, s, one[0], 1); !o.Stored || len(o.Free) != 2 {
		t.Errorf("after the next run: %+v", o)
	}
}

func TestJobEndsWithItsContext(t *testing.T) {
	s := openStore(t)
	organisation(t, s, "one")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := openings.Job(s, openings.Options{})(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
