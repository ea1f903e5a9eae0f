package store

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// Opening hours as events, for calendars that know no VAVAILABILITY: the hours
// of a principal in the stream's window, exceptions, priorities and closures
// applied, as one weekly series for each weekday and time of day.
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
	exact  time.Duration // as time passes: the instances of a series are equally long (RFC 5545 §3.8.5.3)
	days   []time.Time   // midnights, wall clock, in order
}

// weekly sorts open time into series, in order of weekday (Monday first), time
// and length. What is open for more than a day is cut at midnights.
func weekly(free span.Set, zone *ical.Zone) []*weeklySeries {
	const day = 24 * time.Hour
	type at struct {
		day                  time.Weekday
		start, length, exact time.Duration
	}
	known := map[at]*weeklySeries{}
	var all []*weeklySeries
	add := func(from, to time.Time) {
		midnight := from.Truncate(day)
		k := at{from.Weekday(), from.Sub(midnight), to.Sub(from), zone.Instant(to).Sub(zone.Instant(from))}
		s := known[k]
		if s == nil {
			s = &weeklySeries{day: k.day, start: k.start, length: k.length, exact: k.exact}
			known[k] = s
			all = append(all, s)
		}
		s.days = append(s.days, midnight)
	}
	for _, f := range free {
		from, to := zone.Wall(f.Start), zone.Wall(f.End)
		if to.Sub(from) <= day {
			if from.Before(to) { // else it is the hour that a clock change repeats
				add(from, to)
			}
			continue
		}
		for from.Before(to) {
			end := from.Truncate(day).Add(day)
			if to.Before(end) {
				end = to
			}
			add(from, end)
			from = end
		}
	}
	slices.SortFunc(all, func(a, b *weeklySeries) int {
		if x, y := (a.day+6)%7, (b.day+6)%7; x != y {
			return int(x) - int(y)
		}
		if a.start != b.start {
			return int((a.start - b.start) / time.Second)
		}
		return int((a.exact - b.exact) / time.Second)
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
	first, last := s.days[0].Add(s.start), s.days[len(s.days)-1].Add(s.start)
	w.Begin("VCALENDAR")
	w.Line("VERSION", "2.0")
	w.Begin("VEVENT")
	clock := func(d time.Duration) string { return time.Time{}.Add(d).Format("1504") }
	w.Line("UID", fmt.Sprintf("hours-%s-%s-%s-%d", principal, strings.ToLower(s.day.String()[:2]), clock(s.start), s.exact/time.Minute))
	w.Line("DTSTAMP", now.UTC().Format(wallLayout)+"Z")
	w.Line("DTSTART", value(first), params...)
	w.Line("DTEND", value(first.Add(s.length)), params...)
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
