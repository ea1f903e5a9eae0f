package ical

import (
	"errors"
	"strings"
	"testing"
	"time"

	"daybook/ical/span"
)

// TestFiltersAndSelectionsAgreeWithInstances asks the recurrence corpus in
// other words: each instance is found at its start, no gap between instances
// matches, and an expansion writes exactly the instances.
func TestFiltersAndSelectionsAgreeWithInstances(t *testing.T) {
	const enough = 25 // of one object
	for _, c := range readRecurCases(t) {
		o, err := Parse([]byte(c.ICS), DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		zone := LookupZone(c.FloatingZone)
		window := span.Span{Start: c.Window.Start, End: c.Window.End}
		all, err := o.Instances(Expand{Window: window, Zone: zone})
		if err != nil || o.Kind() != "VEVENT" {
			continue // bounded ones are tested where they are expanded
		}
		matches := func(from, to time.Time) bool {
			f := fltTop(Filter{Name: "VEVENT", TimeRange: &span.Span{Start: from, End: to}})
			got, err := f.Match(o, zone)
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			return got
		}
		end := window.Start
		for n, i := range all {
			if n == enough {
				break
			}
			if !matches(i.Start, i.Start.Add(time.Second)) {
				t.Errorf("%s: nothing at %v, where an instance starts", c.Name, i.Start)
			}
			if i.Start.After(end) && matches(end, i.Start) {
				t.Errorf("%s: something between %v and %v", c.Name, end, i.Start)
			}
			if i.End.After(end) {
				end = i.End
			}
			if i.Start.Equal(end) {
				end = end.Add(time.Second) // an instance without length
			}
		}
		text, err := o.Select(&Selection{Expand: &window, Zone: zone})
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		written, err := Parse(text, DefaultLimits)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if n := len(written.Main()); n != len(all) {
			t.Errorf("%s: %d components for %d instances", c.Name, n, len(all))
		}
		for n, w := range written.Main() {
			if n < len(all) {
				compareWritten(t, c.Name, written, w, &all[n], zone)
			}
		}
	}
}

// compareWritten reads an expanded component back.
func compareWritten(t *testing.T, name string, o *Object, c *Component, want *Instance, zone *Zone) {
	t.Helper()
	m := matcher{o: o, zone: zone}
	if m.zone == nil {
		m.zone = UTCZone
	}
	start, ok := m.instant(c, "DTSTART")
	if !ok || !start.Equal(want.Start) {
		t.Errorf("%s: start %v, want %v", name, start, want.Start)
	}
	if end := m.endOf(c, start); !end.Equal(want.End) && want.End.After(want.Start) {
		t.Errorf("%s: end %v, want %v", name, end, want.End)
	}
	if id, ok := m.instant(c, "RECURRENCE-ID"); ok == want.RecurrenceID.IsZero() || ok && !id.Equal(want.RecurrenceID) {
		t.Errorf("%s: RECURRENCE-ID %v, want %v", name, id, want.RecurrenceID)
	}
	for _, gone := range []string{"RRULE", "RDATE", "EXDATE", "EXRULE"} {
		if c.Line(gone) != nil {
			t.Errorf("%s: %s is left", name, gone)
		}
	}
}

// FuzzFilterAndSelect looks for panics, and for parts that cannot be read.
func FuzzFilterAndSelect(f *testing.F) {
	for _, seed := range []string{
		selSeries, fltMeeting, "BEGIN:VTODO\nUID:t\nDUE:20260105T120000Z\nEND:VTODO",
		"BEGIN:VFREEBUSY\nFREEBUSY:20260105T100000Z/PT1H\nEND:VFREEBUSY", "BEGIN:VAVAILABILITY\nDTSTART:20260105T100000Z\nDURATION:P1D\nEND:VAVAILABILITY",
	} {
		f.Add("BEGIN:VCALENDAR\r\n"+strings.ReplaceAll(strings.TrimSpace(seed), "\n", "\r\n")+"\r\nEND:VCALENDAR\r\n", "SUMMARY", "e")
	}
	week := fltRange("20260105T000000Z/20260112T000000Z")
	f.Fuzz(func(t *testing.T, data, name, text string) {
		o, err := Parse([]byte(data), Limits{Bytes: 1 << 14})
		if err != nil {
			return
		}
		for _, kind := range []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"} {
			filter := fltTop(Filter{
				Name: kind, TimeRange: week,
				Props: []PropFilter{
					{Name: name, Text: &TextMatch{Text: text, Collation: CollationUnicode}},
					{Name: "DTSTART", TimeRange: week},
				},
				Comps: []Filter{{Name: "VALARM", TimeRange: week}},
			})
			_, err := filter.Match(o, nil)
			if stopped := (*LimitError)(nil); err != nil && !errors.As(err, &stopped) {
				t.Fatal(err)
			}
		}
		for _, s := range []Selection{{Expand: week, MaxInstances: 100}, {LimitSet: week}, {LimitFree: week}} {
			part, err := o.Select(&s)
			if err != nil {
				continue
			}
			if _, err := Parse(part, Limits{Bytes: 1 << 24}); err != nil {
				t.Fatalf("%v\n%q", err, part)
			}
		}
	})
}
