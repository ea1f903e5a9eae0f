package horizon_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
	"daybook/sync/horizon"
)

const day = 24 * time.Hour

func TestJobMovesTheHorizonAndItsInstancesAreIndexed(t *testing.T) {
	now := time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	s, err := store.Open(t.Context(), store.Options{
		Path: filepath.Join(t.TempDir(), "daybook.db"), Create: true, Now: clock, Horizon: 100 * day,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	room := &store.Principal{Kind: store.KindOrganisation, Name: "demo"}
	if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.CreatePrincipal(room) }); err != nil {
		t.Fatal(err)
	}
	const objects = 100 // more than one step of the store
	put(t, s, room, objects)
	job := horizon.Job(s, 100*day, clock)
	if err := job(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := s.Stats()
	now = now.Add(60 * day)
	if err := job(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := s.Stats()
	if moved := after.Horizon.Sub(before.Horizon); moved != 60*day {
		t.Errorf("horizon moved by %v", moved)
	}
	if more := after.Rows - before.Rows; more < objects*59 {
		t.Errorf("%d more instances are indexed", more)
	}
	err = s.View(t.Context(), func(v *store.View) error {
		c, err := v.Calendar(room.ID)
		if err != nil {
			return err
		}
		rows, err := v.Instances(c.ID, span.Span{Start: now, End: now.Add(10 * day)}, nil)
		if len(rows) != 10*objects {
			t.Errorf("%d instances in ten days", len(rows))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := job(t.Context()); err != nil {
		t.Errorf("a second run: %v", err)
	}
}

// put stores n daily events without end in the principal's calendar.
func put(t *testing.T, s *store.Store, p *store.Principal, n int) {
	t.Helper()
	prepared := make([]*store.Prepared, n)
	for i := range prepared {
		text := strings.Join([]string{
			"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Daybook//test//EN", "BEGIN:VEVENT", fmt.Sprintf("UID:daily-%d", i),
			"DTSTAMP:20270101T000000Z", "DTSTART:20270301T120000Z", "DTEND:20270301T130000Z", "RRULE:FREQ=DAILY", "END:VEVENT",
			"END:VCALENDAR", "",
		}, "\r\n")
		o, err := ical.ParseResource([]byte(text), ical.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if prepared[i], err = s.Prepare(o); err != nil {
			t.Fatal(err)
		}
	}
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		c, err := tx.Calendar(p.ID)
		if err != nil {
			return err
		}
		for i, o := range prepared {
			name := fmt.Sprintf("daily-%d.ics", i)
			if _, err := tx.PutObject(store.Put{Actor: store.System(), Collection: c.ID, Name: name, Object: o}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
