package trybe

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"daybook/ical"
)

func FuzzParseMoment(f *testing.F) {
	for _, s := range []string{
		"2027-03-01T12:30:00", "2027-03-01 12:30", "2027-03-01t12:30:00.123z", "2027-03-01T12:30:00,5+02:00", "2027-03-01T12:30-0530",
		"2027-03-01T12:30:00+14", "2027-13-01T12:30:00", "9999-12-31T23:59:59-23:59", "2027-03-01T", "é2027-03-01T12:30",
	} {
		f.Add(s)
	}
	zone := ical.LookupZone("Europe/Berlin")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := parseMoment(s)
		if err != nil {
			return
		}
		at := m.instant(zone)
		if !sensible(at) || !sensible(zone.Wall(at)) {
			return // refused when the site is known
		}
		if at.Nanosecond() != 0 {
			t.Fatalf("%q is %v", s, at)
		}
		again, err := parseMoment(show(at, zone))
		if err != nil || !again.instant(zone).Equal(at) {
			t.Fatalf("%q is %v, shown as %q, read as %v (%v)", s, at, show(at, zone), again.instant(zone), err)
		}
	})
}

func FuzzDay(f *testing.F) {
	f.Add("2027-03-01")
	f.Add("2027-3-1")
	f.Fuzz(func(t *testing.T, s string) {
		var d day
		if d.UnmarshalText([]byte(s)) == nil && d.Format(time.DateOnly) != s {
			t.Fatalf("%q is %v", s, d)
		}
	})
}

func FuzzParseID(f *testing.F) {
	f.Add("0197f3c2-6d5e-7b7a-9f0e-2f3c1a4b5c6d")
	f.Add("0197f3c2-6d5e-7b7a-9f0e-2f3c1a4b5c6d_20270301T113000Z")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := parseID(s); err == nil && formatID(id.object, id.rid) != s && !id.rid.IsZero() {
			t.Fatalf("%q is %+v", s, id)
		}
	})
}

func FuzzWeekday(f *testing.F) {
	for _, s := range []string{"0", "7", `"mon"`, `"MONDAY"`, "null", `"mo`, "8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, ok := parseWeekday(s); ok && (d < 0 || d > 6) {
			t.Fatalf("%q is %v", s, d)
		}
	})
}

// FuzzBodies sends whatever it likes: never a 500, and always the API's shape.
func FuzzBodies(f *testing.F) {
	p := newPlace(f)
	id := p.series().ID
	for _, s := range []string{
		`{"start_time":"2027-03-01T12:30:00","end_time":"2027-03-01T13:15:00","type":"break","practitioner_ids":["` + ada + `"]}`,
		`{"recurrence":{"weekdays":[1,"mo"],"date_from":"2027-03-01","date_to":"2027-03-31"},"label":"\u0000","color":"#00ff00"}`,
		`{"old_room_id":"x","new_room_id":null,"room_ids":[]}`, `[]`, `{"notes":"` + strings.Repeat("é", 100) + `"}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p := &place{p.In(t)}
		for _, a := range []answer{
			p.do("POST", "/shop/blocked-times?site_id="+demo, body), p.do("PUT", "/shop/blocked-times/"+id, body),
		} {
			if a.Status >= 500 || !json.Valid([]byte(a.Raw)) {
				t.Fatalf("%q: %d %s", body, a.Status, a.Raw)
			}
		}
	})
}
