package caldav_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"daybook/ical"
	"daybook/ical/span"
)

// TestQueriesAgreeWithTheFilter asks the server, which answers from its index
// where it can, and the filter itself, which reads each object.
func TestQueriesAgreeWithTheFilter(t *testing.T) {
	shared := newWorld(t)
	round := 0
	utc := ical.UTCZone // of a calendar that names none
	rapid.Check(t, func(rt *rapid.T) {
		w := *shared
		w.t = rt
		round++
		calendarHref := fmt.Sprintf("%sq%d/", adaHome, round)
		w.do("ada", "MKCALENDAR", calendarHref, "").want(201)
		defer func() { w.do("ada", "DELETE", calendarHref, "").want(204) }() // a home has room for a thousand
		objects := map[string]*ical.Object{}
		for i := range rapid.IntRange(1, 8).Draw(rt, "objects") {
			text := randomObject(rt, i)
			o, err := ical.ParseResource([]byte(text), ical.Limits{})
			if err != nil {
				rt.Fatalf("%v\n%s", err, text)
			}
			name := fmt.Sprintf("%d.ics", i)
			w.do("ada", "PUT", calendarHref+name, text, icsType).want(201)
			objects[calendarHref+name] = o
		}
		for range 6 {
			component := rapid.SampledFrom([]string{"VEVENT", "VTODO", "VJOURNAL"}).Draw(rt, "component")
			window, attrs := randomWindow(rt)
			f := &ical.Filter{Name: "VCALENDAR", Comps: []ical.Filter{{Name: component, TimeRange: window}}}
			m := w.do("ada", "REPORT", calendarHref, query("<D:getetag/>", component, "<C:time-range"+attrs+"/>"), "Depth: 1").multistatus()
			for href, o := range objects {
				want, err := f.Match(o, utc)
				if err != nil {
					rt.Fatal(err)
				}
				if got := slices.Contains(m.hrefs, href); got != want {
					rt.Fatalf("%s%s: found %v, the filter says %v\n%s", component, attrs, got, want, o.Data())
				}
			}
		}
	})
}

// near gives times that are close to each other and to changes of the clock.
func near(rt *rapid.T, label string) time.Time {
	day := rapid.SampledFrom([]time.Time{
		time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC), // the clocks change on the 29th
		time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC),
		time.Date(2031, 10, 25, 0, 0, 0, 0, time.UTC), // past the horizon of the index; they change on the 26th
		time.Date(1997, 6, 1, 0, 0, 0, 0, time.UTC),
	}).Draw(rt, label+" day")
	return day.Add(time.Duration(rapid.IntRange(0, 72).Draw(rt, label+" hour")) * time.Hour)
}

func randomWindow(rt *rapid.T) (w *span.Span, attrs string) {
	start := near(rt, "window")
	end := start.Add(rapid.SampledFrom([]time.Duration{time.Second, time.Hour, 24 * time.Hour, 31 * 24 * time.Hour}).Draw(rt, "length"))
	w = &span.Span{Start: start, End: end}
	switch rapid.IntRange(0, 5).Draw(rt, "open") {
	case 0:
		w.Start = time.Time{}
	case 1:
		w.End = time.Time{}
	}
	if !w.Start.IsZero() {
		attrs += ` start="` + start.Format("20060102T150405Z") + `"`
	}
	if !w.End.IsZero() {
		attrs += ` end="` + end.Format("20060102T150405Z") + `"`
	}
	return w, attrs
}

// stamp writes a time in one of the four forms.
func stamp(name string, form int, t time.Time) string {
	switch form {
	case 0:
		return name + ":" + t.Format("20060102T150405Z")
	case 1:
		return name + ";TZID=America/New_York:" + t.Format("20060102T150405")
	case 2:
		return name + ":" + t.Format("20060102T150405")
	}
	return name + ";VALUE=DATE:" + t.Format("20060102")
}

func randomObject(rt *rapid.T, n int) string {
	component := rapid.SampledFrom([]string{"VEVENT", "VEVENT", "VTODO", "VTODO", "VJOURNAL"}).Draw(rt, "kind")
	form := rapid.IntRange(0, 3).Draw(rt, "form")
	start := near(rt, "start")
	lines := []string{"BEGIN:" + component, fmt.Sprint("UID:", n), "DTSTAMP:20260101T000000Z"}
	has := func(label string) bool { return rapid.Bool().Draw(rt, label) }
	dated := component != "VTODO" || has("dtstart")
	if dated {
		lines = append(lines, stamp("DTSTART", form, start))
	}
	switch component {
	case "VEVENT":
		switch rapid.IntRange(0, 2).Draw(rt, "end") {
		case 0:
			lines = append(lines, stamp("DTEND", form, start.AddDate(0, 0, rapid.IntRange(1, 3).Draw(rt, "days"))))
		case 1:
			lines = append(lines, rapid.SampledFrom([]string{"DURATION:P1D", "DURATION:P1W"}).Draw(rt, "duration"))
		}
	case "VTODO":
		if has("due") {
			lines = append(lines, stamp("DUE", form, start.AddDate(0, 0, 1)))
		} else if dated && has("duration") {
			lines = append(lines, "DURATION:P1D")
		}
		if has("completed") {
			lines = append(lines, "COMPLETED:"+near(rt, "completed").Format("20060102T150405Z"))
		}
		if has("created") {
			lines = append(lines, "CREATED:"+near(rt, "created").Format("20060102T150405Z"))
		}
	}
	rule := ""
	if dated && has("recurs") {
		rule = rapid.SampledFrom([]string{"DAILY", "DAILY;COUNT=3", "WEEKLY;COUNT=5", "MONTHLY", "YEARLY"}).Draw(rt, "rule")
		lines = append(lines, "RRULE:FREQ="+rule)
	}
	lines = append(lines, "END:"+component)
	if component == "VEVENT" && strings.HasPrefix(rule, "DAILY") && has("override") {
		id := stamp("RECURRENCE-ID", form, start.AddDate(0, 0, 1))
		if has("future") {
			id = strings.Replace(id, "RECURRENCE-ID", "RECURRENCE-ID;RANGE=THISANDFUTURE", 1)
		}
		lines = append(lines, "BEGIN:VEVENT", fmt.Sprint("UID:", n), "DTSTAMP:20260101T000000Z", id, stamp("DTSTART", form, near(rt, "moved")), "END:VEVENT")
	}
	return calendar(strings.Join(lines, "\r\n"))
}
