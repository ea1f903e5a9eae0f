package hours

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
)

// The properties and values of the mapping; see the package comment.
const (
	propServicePoint = "X-DAYBOOK-SERVICE-POINT"
	propOpening      = "X-DAYBOOK-OPENING"
	propPlace        = "X-DAYBOOK-EXCEPTION" // place of an exception among those of its calendar, from 1
	propLast         = "X-DAYBOOK-LAST"      // end of an exception's opening, with seconds
	propCreatedBy    = "X-DAYBOOK-CREATED-BY"
	propUpdatedBy    = "X-DAYBOOK-UPDATED-BY"
	paramAt          = "X-AT" // LAST-MODIFIED as it was then
	paramMillis      = "X-MS" // milliseconds of a stamp: DATE-TIME has none

	component         = "VAVAILABILITY"
	priorityWeek      = "9"
	priorityCalendar  = "5"
	priorityException = "1"

	priorityWeekException = "8" // with openings; see Parent

	wallLayout  = "20060102T150405"
	stampLayout = "20060102T150405Z"
)

// Role is what an object says about opening hours.
type Role uint8

// The roles.
const (
	None        Role = iota
	IsCalendar       // names service points, or has the priority of calendars
	IsException      // RELATED-TO its calendar
)

// RoleOf tells what an object is, and for an exception the UID of its
// calendar.
func RoleOf(o *ical.Object) (role Role, parent string) {
	c := master(o)
	if c == nil {
		return None, ""
	}
	for _, l := range c.All("RELATED-TO") {
		if t := l.Param("RELTYPE"); t == "" || strings.EqualFold(t, "PARENT") {
			return IsException, l.Text()
		}
	}
	if c.Line(propServicePoint) != nil || strings.TrimSpace(c.Text("PRIORITY")) == priorityCalendar {
		return IsCalendar, ""
	}
	return None, ""
}

func master(o *ical.Object) *ical.Component {
	if o.Kind() != component {
		return nil
	}
	return o.Master()
}

// ReadCalendar gives the calendar of an object that is one, without its
// exceptions and ID. zone is the organisation's: it places what is written in
// another.
func ReadCalendar(o *ical.Object, zone *ical.Zone) Calendar {
	r := reader{o, zone}
	c := master(o)
	if c == nil {
		return Calendar{}
	}
	out := Calendar{Name: c.Text("SUMMARY"), ServicePoints: servicePoints(c)}
	out.Start, out.End = r.days(c)
	for _, e := range r.hours(c, out.End) {
		out.Hours = append(out.Hours, e.value)
	}
	out.Created, out.Updated = r.stamp(c, "CREATED"), r.stamp(c, "LAST-MODIFIED")
	out.CreatedBy = userOf(c.Line(propCreatedBy))
	if l := c.Line(propUpdatedBy); l != nil && l.Param(paramAt) == c.Text("LAST-MODIFIED") {
		out.UpdatedBy = userOf(l) // nobody else has changed it since
	}
	return out
}

// ReadException gives the exception of an object that is one, and its place
// among those of its calendar; 0 for one that has none.
func ReadException(o *ical.Object, zone *ical.Zone) (e Exception, place int) {
	r := reader{o, zone}
	c := master(o)
	if c == nil {
		return Exception{}, 0
	}
	e.Name = c.Text("SUMMARY")
	e.Start, e.End = r.days(c)
	for _, x := range r.spans(c) {
		e.Openings = append(e.Openings, x.value)
	}
	return e, number(c, propPlace)
}

func servicePoints(c *ical.Component) []uuid.UUID {
	var out []uuid.UUID
	for _, l := range c.All(propServicePoint) {
		id, err := uuid.Parse(strings.TrimSpace(l.Text()))
		if err == nil && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func userOf(l *ical.Line) uuid.NullUUID {
	if l == nil {
		return uuid.NullUUID{}
	}
	id, err := uuid.Parse(l.Text())
	return uuid.NullUUID{UUID: id, Valid: err == nil}
}

// number reads a positive number; 0 stands for none.
func number(c *ical.Component, name string) int {
	n, err := strconv.Atoi(strings.TrimSpace(c.Text(name)))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// reader reads the components of one object.
type reader struct {
	o    *ical.Object
	zone *ical.Zone
}

// wall gives a time as wall clock of the zone.
func (r reader) wall(l *ical.Line) (wall time.Time, ok bool) {
	if l == nil {
		return time.Time{}, false
	}
	t, err := r.o.Time(l)
	if err != nil {
		return time.Time{}, false
	}
	if t.Form == ical.UTC || t.Form == ical.Zoned && t.Zone.Name() != r.zone.Name() {
		return r.zone.Wall(t.Instant(r.zone)), true
	}
	return t.Wall, true
}

func (r reader) stamp(c *ical.Component, name string) time.Time {
	l := c.Line(name)
	if l == nil {
		return time.Time{}
	}
	t, err := r.o.Time(l)
	if err != nil {
		return time.Time{}
	}
	at := t.Instant(r.zone)
	if ms, err := strconv.Atoi(l.Param(paramMillis)); err == nil && ms > 0 && ms < 1000 {
		at = at.Add(time.Duration(ms) * time.Millisecond)
	}
	return at
}

// bounds are the wall clocks of DTSTART and DTEND; the zero time is a day like
// others, so what is absent is told beside them.
type bounds struct {
	start, end time.Time
	from, to   bool
}

// bounds reads DTSTART and DTEND. DURATION is understood.
func (r reader) bounds(c *ical.Component) bounds {
	var b bounds
	b.start, b.from = r.wall(c.Line("DTSTART"))
	if l := c.Line("DTEND"); l != nil {
		b.end, b.to = r.wall(l)
		return b
	}
	if l := c.Line("DURATION"); l != nil && b.from {
		if days, exact, err := ical.ParseDuration(l.Value); err == nil && days >= 0 && exact >= 0 && days < int(MaxDate) {
			b.end, b.to = b.start.AddDate(0, 0, days).Add(exact), true
		}
	}
	return b
}

// forward reports whether both are there and some time is between them.
func (b bounds) forward() bool { return b.from && b.to && b.end.After(b.start) }

// days gives the first and last day of an availability's window.
func (r reader) days(c *ical.Component) (first, last Date) {
	b := r.bounds(c)
	first, last = MinDate, MaxDate
	if b.from {
		first = max(DateOf(b.start), MinDate)
	}
	if b.to {
		last = min(DateOf(b.end.Add(-time.Second)), MaxDate)
	}
	return first, last
}

// entry is an opening, with its place in the list and the AVAILABLE components
// that make it.
type entry[T comparable] struct {
	value T
	place int // 0: none
	of    []*ical.Component
	whole bool // no other entry has its components
}

// hours gives the weekly openings in their order. last is the last day of the
// calendar: what ends before it is not weekly.
func (r reader) hours(c *ical.Component, last Date) []entry[Opening] {
	var out []entry[Opening]
	for _, child := range c.Children {
		if child.Name != "AVAILABLE" {
			continue
		}
		weekly := r.weekly(child, last)
		place := number(child, propOpening)
		for _, o := range weekly {
			out = append(out, entry[Opening]{o, place, []*ical.Component{child}, len(weekly) == 1})
		}
	}
	sortPlaces(out)
	return joinSlices(out)
}

// sortPlaces orders entries by their numbers; those without come last, all
// else being as in the text.
func sortPlaces[T comparable](all []entry[T]) {
	slices.SortStableFunc(all, func(a, b entry[T]) int {
		if (a.place == 0) != (b.place == 0) {
			return cmp.Compare(b.place, a.place)
		}
		return cmp.Compare(a.place, b.place)
	})
}

// joinSlices puts openings together that were cut at midnight: those of one
// number that follow one another.
func joinSlices(all []entry[Opening]) []entry[Opening] {
	var out []entry[Opening]
	days := 0 // of the last
	for _, e := range all {
		n := len(e.value.Slices())
		if len(out) > 0 && e.place > 0 && days+n <= 8 {
			prev := &out[len(out)-1]
			if joined, ok := join(prev.value, e.value); ok && prev.place == e.place && prev.whole && e.whole {
				prev.value, prev.of = joined, append(prev.of, e.of...)
				days += n
				continue
			}
		}
		out, days = append(out, e), n
	}
	return out
}

// join puts b behind a where a ends at midnight and b begins there, and both
// together are no longer than a week.
func join(a, b Opening) (Opening, bool) {
	if a.End != LastMinute || b.Start != Midnight || b.StartDay != next(a.EndDay) {
		return a, false
	}
	joined := Opening{a.StartDay, a.Start, b.EndDay, b.End}
	return joined, len(joined.Slices()) == len(a.Slices())+len(b.Slices())
}

// weekly gives the openings that an AVAILABLE makes in every week: one for
// each of its days. None for one that recurs otherwise or not at all.
func (r reader) weekly(c *ical.Component, last Date) []Opening {
	b := r.bounds(c)
	if !b.forward() || b.end.Sub(b.start) > 7*24*time.Hour || c.Line("RECURRENCE-ID") != nil {
		return nil
	}
	days, ok := r.rule(c, b.start.Weekday(), last)
	if !ok {
		return nil
	}
	final := b.end.Add(-time.Second).Truncate(time.Minute)
	first := b.start.Truncate(time.Minute)
	shift := time.Weekday(DateOf(final) - DateOf(first))
	out := make([]Opening, 0, len(days))
	for _, d := range days {
		out = append(out, Opening{
			StartDay: d, Start: MomentOf(first).Clock,
			EndDay: (d + shift) % 7, End: MomentOf(final).Clock,
		})
	}
	return out
}

// rule gives the days of a rule that is the same in every week (RFC 5545
// §3.3.10): weekly or daily, each time, up to the calendar's end.
func (r reader) rule(c *ical.Component, start time.Weekday, last Date) ([]time.Weekday, bool) {
	rules := c.All("RRULE")
	if len(rules) != 1 {
		return nil, false
	}
	var days []time.Weekday
	daily, weekly := false, false
	for part := range strings.SplitSeq(strings.ToUpper(strings.TrimSpace(rules[0].Value)), ";") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "FREQ":
			daily, weekly = value == "DAILY", value == "WEEKLY"
		case "BYDAY":
			for s := range strings.SplitSeq(value, ",") {
				d, err := weekdayOf(s)
				if err != nil {
					return nil, false
				}
				days = append(days, d)
			}
		case "INTERVAL":
			if value != "1" {
				return nil, false
			}
		case "UNTIL":
			if !r.until(value, last) {
				return nil, false
			}
		case "WKST", "":
		default:
			return nil, false
		}
	}
	switch {
	case !daily && !weekly:
		return nil, false
	case len(days) == 0 && daily:
		for i := range 7 {
			days = append(days, (start+time.Weekday(i))%7)
		}
	case len(days) == 0:
		days = append(days, start)
	}
	slices.Sort(days)
	return slices.Compact(days), true
}

// until reports whether a rule that ends then has all its days: it ends in the
// last week of the calendar or later.
func (r reader) until(value string, last Date) bool {
	if len(value) < len("20060102") {
		return false
	}
	t, err := time.Parse("20060102", value[:8])
	return err == nil && DateOf(t) >= last
}

// spans gives the openings of an exception in their order.
func (r reader) spans(c *ical.Component) []entry[Span] {
	var out []entry[Span]
	for _, child := range c.Children {
		if child.Name != "AVAILABLE" {
			continue
		}
		if s, ok := r.span(child); ok {
			out = append(out, entry[Span]{s, number(child, propOpening), []*ical.Component{child}, true})
		}
	}
	sortPlaces(out)
	return out
}

func (r reader) span(c *ical.Component) (Span, bool) {
	for _, name := range []string{"RRULE", "RDATE", "RECURRENCE-ID"} {
		if c.Line(name) != nil {
			return Span{}, false
		}
	}
	b := r.bounds(c)
	if !b.forward() {
		return Span{}, false
	}
	s := Span{MomentOf(b.start), MomentOf(b.end.Add(-time.Second)).Minute()}
	// The seconds that were sent hold while the end is still in their minute.
	if t, err := time.Parse(wallLayout, c.Text(propLast)); err == nil && MomentOf(t).Minute() == s.End {
		s.End = MomentOf(t)
	}
	return s, true
}
