package timetap

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/api/apitest"
	"daybook/ical"
	"daybook/ical/span"
)

// TestRangeAgainstExpansion compares ranges over random calendars with the
// plain expansion of every object, and asks for each event by its id: what a
// range says of it, the other endpoint says too.
func TestRangeAgainstExpansion(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 11))
	for round := range 6 {
		p := newPlace(t)
		var all []drawn
		for i := range 40 {
			d := draw(rnd, i)
			p.putText([]string{"ada", "bob", "demo"}[rnd.IntN(3)], d.uid, d.text)
			all = append(all, d)
		}
		for range 25 {
			from := time.Date(2027, 1, 1+rnd.IntN(365), 0, 0, 0, 0, time.UTC)
			to := from.AddDate(0, 0, rnd.IntN(40))
			buffer := rnd.IntN(2) == 0
			query := fmt.Sprintf("startDate=%s&endDate=%s&showBuffer=%t", from.Format(time.DateOnly), to.Format(time.DateOnly), buffer)
			events := p.get("/calendar/range/1,2?" + query).events()
			got := make([]string, len(events))
			for i, e := range events {
				got[i] = e.Start + "/" + e.End + "/" + e.Title
				if rnd.IntN(8) == 0 {
					if one := p.get(fmt.Sprintf("/calendar/%s/%d?showBuffer=%t", e.Type, e.ID, buffer)).one(); fmt.Sprint(plain(one)) != fmt.Sprint(plain(e)) {
						t.Errorf("round %d: one %+v\nrange %+v", round, one, e)
					}
				}
			}
			want := expected(t, all, from, to.AddDate(0, 0, 1), buffer)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("round %d, %s:\n%s\nwant\n%s", round, query, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
}

// plain is an event without pointers.
func plain(e Event) Event {
	if e.Series != nil {
		e.ID, e.Series = e.ID*31+*e.Series, nil
	}
	return e
}

// drawn is a random object and its buffers.
type drawn struct {
	uid, text     string
	before, after time.Duration
}

func draw(rnd *rand.Rand, i int) drawn {
	d := drawn{uid: fmt.Sprint("drawn", i), before: time.Duration(rnd.IntN(3)) * 20 * time.Minute, after: time.Duration(rnd.IntN(3)) * 8 * time.Hour}
	start := time.Date(2026, 11, 1, rnd.IntN(24), 15*rnd.IntN(4), 0, 0, time.UTC).AddDate(0, 0, rnd.IntN(420))
	forms := []struct{ prefix, layout string }{
		{":", "20060102T150405Z"},
		{";TZID=America/New_York:", "20060102T150405"},
		{";TZID=Europe/Berlin:", "20060102T150405"},
		{":", "20060102T150405"},
		{";VALUE=DATE:", "20060102"},
	}
	f := forms[rnd.IntN(len(forms))]
	write := func(name string, t time.Time) string { return name + f.prefix + t.Format(f.layout) }
	length := []time.Duration{0, 30 * time.Minute, 5 * time.Hour, 24 * time.Hour, 100 * time.Hour}[rnd.IntN(5)]
	lines := []string{"SUMMARY:" + d.uid, write("DTSTART", start)}
	if f.layout == "20060102" {
		length = length.Truncate(24*time.Hour) + 24*time.Hour
	}
	lines = append(lines, write("DTEND", start.Add(length)),
		fmt.Sprintf("X-DAYBOOK-BUFFER-BEFORE:PT%dM", int(d.before.Minutes())), fmt.Sprintf("X-DAYBOOK-BUFFER-AFTER:PT%dM", int(d.after.Minutes())))
	override := ""
	if rnd.IntN(2) == 0 {
		lines = append(lines, "RRULE:FREQ="+[]string{"DAILY;INTERVAL=3", "WEEKLY;COUNT=9", "MONTHLY"}[rnd.IntN(3)], write("EXDATE", start.AddDate(0, 0, 42)))
		if rnd.IntN(2) == 0 {
			override = apitest.Component(d.uid, "SUMMARY:"+d.uid+" moved", write("RECURRENCE-ID", start), write("DTSTART", start.AddDate(0, 0, rnd.IntN(30))),
				fmt.Sprintf("X-DAYBOOK-BUFFER-BEFORE:PT%dM", int(d.before.Minutes())), fmt.Sprintf("X-DAYBOOK-BUFFER-AFTER:PT%dM", int(d.after.Minutes())))
		}
	}
	d.text = apitest.Component(d.uid, lines...) + override
	return d
}

// expected expands every object around the days and keeps what intersects.
func expected(t *testing.T, all []drawn, from, to time.Time, buffer bool) []string {
	t.Helper()
	zone := ical.LookupZone("Europe/Berlin")
	begin, end := zone.Instant(from), zone.Instant(to)
	out := []string{}
	for _, d := range all {
		o, err := ical.Parse([]byte(strings.ReplaceAll("BEGIN:VCALENDAR\n"+d.text+"END:VCALENDAR\n", "\n", "\r\n")), ical.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		list, err := o.Instances(ical.Expand{Window: span.Span{Start: begin.AddDate(0, 0, -10), End: end.AddDate(0, 0, 10)}, Zone: zone})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range list {
			s, e := i.Start, i.End
			if buffer {
				s, e = s.Add(-d.before), e.Add(d.after)
			}
			inside := s.Before(end) && e.After(begin)
			if s.Equal(e) {
				inside = !s.Before(begin) && s.Before(end)
			}
			if inside {
				out = append(out, writeDate(s.Unix())+"/"+writeDate(e.Unix())+"/"+i.Component.Text("SUMMARY"))
			}
		}
	}
	slices.Sort(out)
	return out
}
