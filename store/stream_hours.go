package store

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// Opening hours as events, for calendars that know no VAVAILABILITY: the hours
// of a principal in the stream's window, exceptions, priorities and closures
// applied, as one weekly series for each weekday and time of day. Programs differ
// in how long the instances of a series are over a clock change, and in what a
// time means that the clock skips or shows twice: such openings are events of
// their own.
// The events are transparent: an open shop takes nobody's time.

// hoursItems gives the objects of a stream of opening hours.
func (v *View) hoursItems(p *streamPlan) ([]streamItem, error) {
	owner, err := v.principal(p.options.Hours)
	if err != nil {
		return nil, err
	}
	zone := p.zone
	if ical.LookupZone(zone.Name()) == nil { // of a VTIMEZONE that a client wrote
		zone = v.Zone(owner)
	}
	h, err := v.Hours(owner.ID, p.hoursWindow().span(p.today, zone))
	if err != nil {
		return nil, err
	}
	var items []streamItem
	for i, s := range weekly(h.Open, zone) {
		items = append(items, streamItem{
			collection: p.key.collection, object: ObjectID(i + 1), at: p.modified.Unix(),
			data: s.event(owner.UUID.String(), zone, p.modified),
		})
	}
	return items, nil
}

// hoursWindow is the stream's, or a week and a year.
func (p *streamPlan) hoursWindow() Window {
	w := Window{Past: 7, Future: 370}
	if p.options.Window != nil {
		w = *p.options.Window
	}
	w.Past = min(w.Past, MaxOpeningsDays/2)
	w.Future = min(w.Future, MaxOpeningsDays/2-1)
	return w
}

// weeklySeries is an opening at the same time of the same weekday.
type weeklySeries struct {
	day    time.Weekday
	start  time.Duration // since midnight, wall clock
	length time.Duration // of the wall clock
	days   []time.Time   // midnights, wall clock, in order
	odd    span.Span     // the instants of one over a clock change; else empty
}

// weekly sorts open time into series, in order of weekday (Monday first), time
// and length. What is open for more than a day is cut at midnights.
func weekly(free span.Set, zone *ical.Zone) []*weeklySeries {
	const day = 24 * time.Hour
	type at struct {
		day           time.Weekday
		start, length time.Duration
	}
	known := map[at]*weeklySeries{}
	var all []*weeklySeries
	add := func(x span.Span) {
		from, to := zone.Wall(x.Start), zone.Wall(x.End)
		midnight := from.Truncate(day)
		k := at{from.Weekday(), from.Sub(midnight), to.Sub(from)}
		s := known[k]
		odd := !zone.Steady(x.Start, x.End)
		if s == nil || odd {
			s = &weeklySeries{day: k.day, start: k.start, length: k.length}
			all = append(all, s)
		}
		if odd {
			s.odd = x
		} else {
			known[k] = s
		}
		s.days = append(s.days, midnight)
	}
	for _, f := range free {
		for zone.Wall(f.End).Sub(zone.Wall(f.Start)) > day {
			midnight := zone.Instant(zone.Wall(f.Start).Truncate(day).Add(day))
			add(span.Span{Start: f.Start, End: midnight})
			f.Start = midnight
		}
		add(f)
	}
	slices.SortStableFunc(all, func(a, b *weeklySeries) int {
		return cmp.Or(cmp.Compare((a.day+6)%7, (b.day+6)%7), cmp.Compare(a.start, b.start), cmp.Compare(a.length, b.length))
	})
	return all
}

const wallLayout = "20060102T150405"

// event writes the series as an object. Its UID stays the same for as long as
// there is such an opening.
func (s *weeklySeries) event(principal string, zone *ical.Zone, now time.Time) []byte {
	var b bytes.Buffer
	w := ical.NewWriter(&b)
	utc := zone == ical.UTCZone || zone.Name() == "UTC"
	first, last := s.days[0].Add(s.start), s.days[len(s.days)-1].Add(s.start)
	end, uid := first.Add(s.length), s.uid()
	if !s.odd.Empty() {
		utc, first, last, end = true, s.odd.Start, s.odd.Start, s.odd.End
	}
	value := func(wall time.Time) string {
		if utc {
			return wall.Format(wallLayout) + "Z"
		}
		return wall.Format(wallLayout)
	}
	var params []ical.Param
	if !utc {
		params = []ical.Param{{Name: "TZID", Value: zone.Name()}}
	}
	w.Begin("VCALENDAR")
	w.Line("VERSION", "2.0")
	w.Begin("VEVENT")
	w.Line("UID", "hours-"+principal+"-"+uid)
	w.Line("DTSTAMP", now.UTC().Format(wallLayout)+"Z")
	w.Line("DTSTART", value(first), params...)
	w.Line("DTEND", value(end), params...)
	if len(s.days) > 1 {
		w.Line("RRULE", "FREQ=WEEKLY;UNTIL="+zone.Instant(last).Format(wallLayout)+"Z")
	}
	var missing []string
	at := 0
	for d := s.days[0]; d.Before(s.days[len(s.days)-1]); d = d.AddDate(0, 0, 7) {
		if s.days[at].Equal(d) {
			at++
		} else {
			missing = append(missing, value(d.Add(s.start)))
		}
	}
	if len(missing) > 0 {
		w.Line("EXDATE", strings.Join(missing, ","), params...)
	}
	w.Line("SUMMARY", "Open")
	w.Line("TRANSP", "TRANSPARENT")
	w.End("VEVENT")
	w.End("VCALENDAR")
	return b.Bytes()
}

// uid gives what tells the series from the others of its principal.
func (s *weeklySeries) uid() string {
	if !s.odd.Empty() {
		return fmt.Sprintf("%s-%d", s.odd.Start.Format(wallLayout), s.odd.End.Sub(s.odd.Start)/time.Second)
	}
	clock, length := "1504", int(s.length/time.Minute)
	if s.start%time.Minute != 0 || s.length%time.Minute != 0 {
		clock, length = "150405", int(s.length/time.Second)
	}
	return fmt.Sprintf("%s-%s-%d", strings.ToLower(s.day.String()[:2]), time.Time{}.Add(s.start).Format(clock), length)
}
