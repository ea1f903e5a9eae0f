package vastal

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"daybook/ical"
)

// A body is answered with 200 or 400, and what was taken is listed as it was
// answered.
func FuzzReplace(f *testing.F) {
	for _, s := range []string{
		`{"schedules": []}`, `{"schedules": [{"day_of_week": 1, "start_time": "09:00:00", "end_time": "24:00:00"}]}`,
		`{"schedules": [{"day_of_week": 0, "start_time": "00:00:00", "end_time": "00:00:01", "appointment_type_id": "\u2028,;\\n", "is_active": false}]}`,
		`{"schedules": null}`, `{"schedules": [null, {}]}`, `[`,
	} {
		f.Add(s)
	}
	p := newPlace(f)
	f.Fuzz(func(t *testing.T, body string) {
		p := p.in(t)
		a := p.do("PUT", availability, body)
		switch a.Status {
		case 400:
			a.fails(400, "")
		case 200:
			var sent schedulesOut
			if err := json.Unmarshal([]byte(a.Raw), &sent); err != nil {
				t.Fatal(err)
			}
			listed := map[Slot]bool{}
			for _, s := range p.list() {
				s.AppointmentTypeID, s.ID = nil, s.ID+"/"+deref(s.AppointmentTypeID)
				listed[s] = true
			}
			for _, s := range sent.Schedules {
				s.AppointmentTypeID, s.ID = nil, s.ID+"/"+deref(s.AppointmentTypeID)
				if !listed[s] {
					t.Errorf("%+v is not listed", s)
				}
			}
			if len(listed) != len(sent.Schedules) {
				t.Errorf("%d listed, %d sent", len(listed), len(sent.Schedules))
			}
		default:
			t.Errorf("%d: %s", a.Status, a.Raw)
		}
	})
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return "=" + *s
}

// Any AVAILABLE that the server takes can be read, gives slots inside a day, and
// is left alone by a replacement with what was read.
func FuzzReadParts(f *testing.F) {
	for _, s := range []string{
		"DTSTART:20270301T090000\nDTEND:20270301T120000\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU",
		"DTSTART;VALUE=DATE:20270301\nRRULE:FREQ=WEEKLY",
		"DTSTART;TZID=America/New_York:20270301T220000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY;BYDAY=SU",
		"DTSTART:20270301T090000Z\nDURATION:P1D\nRRULE:FREQ=WEEKLY\nCREATED:20270101T000000Z",
	} {
		f.Add("a", s)
	}
	zone := ical.LookupZone("Europe/Berlin")
	org := uuid.MustParse(demo)
	f.Fuzz(func(t *testing.T, uid, lines string) {
		o, err := ical.ParseResource([]byte(strings.ReplaceAll(hours("h", available(ical.EscapeText(uid), lines)+available("b", lines)), "\n", "\r\n")), ical.Limits{})
		if err != nil {
			return
		}
		parts := readParts(o, org, zone, start)
		var all []slot
		seen := map[uuid.UUID]bool{}
		for _, p := range parts {
			for _, s := range p.slots {
				if s.start < 0 || s.start >= s.end || s.end > wholeDay || s.day < 0 || s.day > 6 || seen[s.id] {
					t.Errorf("%+v", s)
				}
				seen[s.id] = true
				all = append(all, s)
			}
		}
		w := writer{zone, start}
		if _, changed, err := w.rewriteWeek(o, parts, all); changed || err != nil {
			t.Error(changed, err)
		}
		if len(all) == 0 {
			return
		}
		out, _, err := w.rewriteWeek(o, parts, all[1:])
		if err != nil {
			t.Fatal(err)
		}
		left := 0
		for _, p := range readParts(out, org, zone, start) {
			left += len(p.slots)
		}
		if left != len(all)-1 {
			t.Errorf("%d slots of %d are left", left, len(all))
		}
	})
}
