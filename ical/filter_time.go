package ical

import (
	"math"
	"strconv"
	"strings"
	"time"

	"daybook/ical/span"
)

// bounds is the time-range of a filter: a zero Start or End is open. Its
// methods are the comparisons of RFC 4791 §9.9.
type bounds span.Span

func (b bounds) startUpTo(t time.Time) bool   { return b.Start.IsZero() || !b.Start.After(t) } // start <= t
func (b bounds) startBefore(t time.Time) bool { return b.Start.IsZero() || b.Start.Before(t) } // start < t
func (b bounds) endFrom(t time.Time) bool     { return b.End.IsZero() || !b.End.Before(t) }    // end >= t
func (b bounds) endAfter(t time.Time) bool    { return b.End.IsZero() || b.End.After(t) }      // end > t
func (b bounds) holds(t time.Time) bool       { return b.startUpTo(t) && b.endAfter(t) }

// timedCond is a condition on time. A component meets it by itself (direct),
// or by an instance in the window that it describes (instance).
type timedCond struct {
	direct   func(*Component) bool
	instance func(*Instance) bool // nil: there is nothing to find by instances
	window   func([]*Component) (w span.Span, found bool)
}

// narrow keeps the components that meet the condition. With one set, the first
// found is enough. A *LimitError comes with what was found until then.
func (m *matcher) narrow(left []*Component, t timedCond, one bool) ([]*Component, error) {
	var hits []*Component
	wait := make(map[*Component]bool, len(left))
	for _, c := range left {
		if t.direct != nil && t.direct(c) {
			hits = append(hits, c)
			if one {
				return hits, nil
			}
			continue
		}
		wait[c] = true
	}
	if t.instance == nil || len(wait) == 0 {
		return hits, nil
	}
	w, found := t.window(left)
	if !found {
		return hits, nil
	}
	err := m.o.EachInstance(Expand{Window: w, Zone: m.zone, Max: math.MaxInt}, func(i *Instance) bool {
		if wait[i.Component] && t.instance(i) {
			hits = append(hits, i.Component)
			delete(wait, i.Component)
		}
		return len(wait) > 0 && (!one || len(hits) == 0)
	})
	return hits, err
}

// around is the window of instances that touch b.
func around(b bounds) func([]*Component) (span.Span, bool) {
	return func([]*Component) (span.Span, bool) { return widen(span.Span(b)), true }
}

// timed collects the conditions of f on the time of main components.
func (m *matcher) timed(f *Filter) []timedCond {
	var all []timedCond
	name := strings.ToUpper(f.Name)
	if f.TimeRange != nil {
		all = append(all, m.overlap(name, bounds(*f.TimeRange)))
	}
	for i := range f.Props {
		if p := &f.Props[i]; byInstance(p, name) {
			all = append(all, m.propTime(p))
		}
	}
	for i := range f.Comps {
		if g := &f.Comps[i]; g.TimeRange != nil {
			all = append(all, m.alarm(g))
		}
	}
	return all
}

// overlap is the time-range of a component (RFC 4791 §9.9, RFC 7953 §7.2.2).
func (m *matcher) overlap(name string, b bounds) timedCond {
	switch name {
	case "VTODO":
		return timedCond{
			direct:   func(c *Component) bool { return undated(c) && m.undatedTodo(c, b) },
			instance: func(i *Instance) bool { return todoOverlaps(i, b) },
			window:   around(b),
		}
	case "VFREEBUSY":
		return timedCond{direct: func(c *Component) bool { return m.freeBusyOverlaps(c, b) }}
	case "VAVAILABILITY":
		return timedCond{direct: func(c *Component) bool { return m.availabilityOverlaps(c, b) }}
	}
	return timedCond{
		instance: func(i *Instance) bool {
			return i.Component.Line("DTSTART") != nil || i.Component.Line("RECURRENCE-ID") != nil
		},
		window: func([]*Component) (span.Span, bool) { return span.Span(b), true },
	}
}

// undated reports whether the component stands at no time.
func undated(c *Component) bool {
	return c.Line("DTSTART") == nil && c.Line("DUE") == nil && c.Line("RECURRENCE-ID") == nil
}

// undatedTodo is the lower half of the table for VTODO.
func (m *matcher) undatedTodo(c *Component, b bounds) bool {
	completed, hasCompleted := m.instant(c, "COMPLETED")
	created, hasCreated := m.instant(c, "CREATED")
	switch {
	case hasCompleted && hasCreated:
		return (b.startUpTo(created) || b.startUpTo(completed)) && (b.endFrom(created) || b.endFrom(completed))
	case hasCompleted:
		return b.startUpTo(completed) && b.endFrom(completed)
	case hasCreated:
		return b.endAfter(created)
	}
	return true
}

// todoOverlaps is the upper half of the table for VTODO: DTSTART with
// DURATION, with DUE, alone, and DUE alone.
func todoOverlaps(i *Instance, b bounds) bool {
	c := i.Component
	start, due := c.Line("DTSTART") != nil, c.Line("DUE") != nil
	switch {
	case start && due:
		return (b.startBefore(i.End) || b.startUpTo(i.Start)) && (b.endAfter(i.Start) || b.endFrom(i.End))
	case start && c.Line("DURATION") != nil:
		return b.startUpTo(i.End) && (b.endAfter(i.Start) || b.endFrom(i.End))
	case due:
		return b.startBefore(i.End) && b.endFrom(i.End)
	case undated(c):
		return false
	}
	return b.startUpTo(i.Start) && b.endAfter(i.Start)
}

// freeBusyOverlaps looks at DTSTART and DTEND, or without them at the periods.
func (m *matcher) freeBusyOverlaps(c *Component, b bounds) bool {
	start, hasStart := m.instant(c, "DTSTART")
	end, hasEnd := m.instant(c, "DTEND")
	if hasStart && hasEnd {
		return b.startUpTo(end) && b.endAfter(start)
	}
	if hasStart || hasEnd {
		return false
	}
	for i := range c.Lines {
		l := &c.Lines[i]
		if l.Name != "FREEBUSY" {
			continue
		}
		for value := range strings.SplitSeq(l.Value, ",") {
			if p, ok := parsePeriod(value); ok && b.startBefore(p.End) && b.endAfter(p.Start) {
				return true
			}
		}
	}
	return false
}

// availabilityOverlaps takes an absent end of a VAVAILABILITY as open.
func (m *matcher) availabilityOverlaps(c *Component, b bounds) bool {
	start, hasStart := m.instant(c, "DTSTART")
	if hasStart && !b.endAfter(start) {
		return false
	}
	end, hasEnd := m.instant(c, "DTEND")
	if l := c.Line("DURATION"); hasStart && !hasEnd && l != nil {
		if days, exact, err := ParseDuration(l.Value); err == nil {
			end, hasEnd = m.zoneOf(c).later(start, days, exact), true
		}
	}
	return !hasEnd || b.startBefore(end)
}

const stampUTC = "20060102T150405Z"

// parsePeriod reads a PERIOD in UTC (RFC 5545 §3.3.9).
func parsePeriod(s string) (span.Span, bool) {
	from, to, ok := strings.Cut(strings.TrimSpace(s), "/")
	if !ok {
		return span.Span{}, false
	}
	start, err := time.Parse(stampUTC, from)
	if err != nil {
		return span.Span{}, false
	}
	if end, err := time.Parse(stampUTC, to); err == nil {
		return span.Span{Start: start, End: end}, true
	}
	days, exact, err := ParseDuration(to)
	if err != nil {
		return span.Span{}, false
	}
	return span.Span{Start: start, End: start.AddDate(0, 0, days).Add(exact)}, true
}

// instant gives the time of the first line of the name.
func (m *matcher) instant(c *Component, name string) (time.Time, bool) {
	l := c.Line(name)
	if l == nil {
		return time.Time{}, false
	}
	t, err := m.o.Time(l)
	if err != nil {
		return time.Time{}, false
	}
	return t.Instant(m.zone), true
}

// byInstance reports whether the property has a value of its own in each
// instance of the component, so that a time-range on it looks at instances.
func byInstance(p *PropFilter, component string) bool {
	if p.TimeRange == nil || component != "VEVENT" && component != "VTODO" && component != "VJOURNAL" {
		return false
	}
	switch strings.ToUpper(p.Name) {
	case "DTSTART", "DTEND", "DUE":
		return true
	}
	return false
}

// propTime is a time-range on DTSTART, DTEND or DUE. DTEND and DUE have an
// effective value where DURATION stands for them (RFC 4791 §9.9).
func (m *matcher) propTime(p *PropFilter) timedCond {
	b := bounds(*p.TimeRange)
	name := strings.ToUpper(p.Name)
	return timedCond{
		window: around(b),
		instance: func(i *Instance) bool {
			l := i.Component.Line(name)
			switch {
			case l != nil && !m.params(p.Params, l):
				return false
			case l == nil && (len(p.Params) > 0 || name == "DTSTART" || i.Component.Line("DURATION") == nil):
				return false
			case name == "DTSTART":
				return b.holds(i.Start)
			}
			return b.holds(i.End)
		},
	}
}

// lineTime is a time-range on a property's value as it is written.
func (m *matcher) lineTime(p *PropFilter, l *Line) bool {
	t, err := m.o.Time(l)
	return err == nil && bounds(*p.TimeRange).holds(t.Instant(m.zone))
}

// alarmTrigger is a TRIGGER relative to the instances of a component.
type alarmTrigger struct {
	days   int
	exact  time.Duration
	end    bool // RELATED=END
	zone   *Zone
	repeat alarmRepeat
}

// alarmRepeat says how often the alarm goes off after the first time.
type alarmRepeat struct {
	count int64
	every time.Duration
}

// alarm is the time-range of a VALARM in a main component: one of its triggers
// is in the range, for any instance.
func (m *matcher) alarm(g *Filter) timedCond {
	b := bounds(*g.TimeRange)
	relative := map[*Component][]alarmTrigger{}
	return timedCond{
		direct: func(c *Component) bool {
			for _, a := range c.Children {
				if !strings.EqualFold(a.Name, g.Name) || !m.plain(g, a) {
					continue
				}
				trigger, at, ok := m.trigger(c, a)
				switch {
				case !ok:
				case !at.IsZero():
					if trigger.repeat.hits(at, b) {
						return true
					}
				case !undated(c):
					relative[c] = append(relative[c], trigger)
				}
			}
			return false
		},
		instance: func(i *Instance) bool {
			for _, t := range relative[i.Component] {
				if t.repeat.hits(t.first(i), b) {
					return true
				}
			}
			return false
		},
		window: func(left []*Component) (span.Span, bool) {
			return alarmWindow(b, left, relative)
		},
	}
}

// trigger reads the TRIGGER of alarm a in component c: an instant, or else a
// time relative to the instances.
func (m *matcher) trigger(c, a *Component) (rel alarmTrigger, at time.Time, ok bool) {
	l := a.Line("TRIGGER")
	if l == nil {
		return rel, at, false
	}
	rel.repeat = readRepeat(a)
	if strings.EqualFold(l.Param("VALUE"), "DATE-TIME") {
		t, err := m.o.Time(l)
		return rel, t.Instant(m.zone), err == nil
	}
	var err error
	if rel.days, rel.exact, err = ParseDuration(l.Value); err != nil {
		return rel, at, false
	}
	rel.end = strings.EqualFold(l.Param("RELATED"), "END")
	rel.zone = m.zoneOf(c)
	return rel, at, true
}

// zoneOf gives the zone in which the days of c's durations are counted.
func (m *matcher) zoneOf(c *Component) *Zone {
	l := c.Line("DTSTART")
	if l == nil {
		l = c.Line("DUE")
	}
	if l == nil {
		return m.zone
	}
	t, err := m.o.Time(l)
	switch {
	case err != nil:
		return m.zone
	case t.Form == UTC:
		return UTCZone
	case t.Form == Zoned && t.Zone != nil:
		return t.Zone
	}
	return m.zone
}

// later adds nominal days and exact time to an instant (RFC 5545 §3.3.6).
func (z *Zone) later(t time.Time, days int, exact time.Duration) time.Time {
	if days != 0 {
		t = z.Instant(z.Wall(t).AddDate(0, 0, days))
	}
	return t.Add(exact)
}

func (t alarmTrigger) first(i *Instance) time.Time {
	anchor := i.Start
	if t.end {
		anchor = i.End
	}
	return t.zone.later(anchor, t.days, t.exact)
}

// readRepeat reads REPEAT and DURATION, which mean something only together
// (RFC 5545 §3.6.6).
func readRepeat(a *Component) alarmRepeat {
	n, d := a.Line("REPEAT"), a.Line("DURATION")
	if n == nil || d == nil {
		return alarmRepeat{}
	}
	count, err := strconv.ParseInt(n.Value, 10, 32)
	if err != nil || count <= 0 {
		return alarmRepeat{}
	}
	days, exact, err := ParseDuration(d.Value)
	every := nominal(days, exact)
	if err != nil || every <= 0 {
		return alarmRepeat{}
	}
	return alarmRepeat{count: count, every: every}
}

// maxAlarmReach bounds how far from its instance an alarm is looked for.
const maxAlarmReach = 100 * 366 * 24 * time.Hour

// nominal takes days for 24 hours and cuts at maxAlarmReach.
func nominal(days int, exact time.Duration) time.Duration {
	limit := int(maxAlarmReach / (24 * time.Hour))
	d := time.Duration(max(-limit, min(days, limit))) * 24 * time.Hour
	return max(-maxAlarmReach, min(d+max(-maxAlarmReach, min(exact, maxAlarmReach)), maxAlarmReach))
}

// reach is the time from the first to the last repetition.
func (r alarmRepeat) reach() time.Duration {
	if r.count > 0 && r.every > maxAlarmReach/time.Duration(r.count) {
		return maxAlarmReach
	}
	return time.Duration(r.count) * r.every
}

// hits reports whether the alarm goes off in b when it does first at the
// instant. It counts no repetitions one by one.
func (r alarmRepeat) hits(at time.Time, b bounds) bool {
	if b.startUpTo(at) {
		return b.endAfter(at)
	}
	if r.count == 0 {
		return false
	}
	missing := b.Start.Sub(at)
	k := int64((missing + r.every - 1) / r.every)
	if k > r.count || k < 0 {
		return false
	}
	return b.endAfter(at.Add(time.Duration(k) * r.every))
}

// alarmWindow is where the instances are whose alarms can be in b: b moved by
// the triggers, with a day more on each side for days of other than 24 hours.
func alarmWindow(b bounds, left []*Component, relative map[*Component][]alarmTrigger) (w span.Span, found bool) {
	const pad = 25 * time.Hour
	var early, late time.Duration
	for _, c := range left {
		for _, t := range relative[c] {
			from := nominal(t.days, t.exact)
			to := min(from+t.repeat.reach(), maxAlarmReach)
			if !found {
				early, late, found = from, to, true
			}
			early, late = min(early, from), max(late, to)
		}
	}
	w = span.Span(b)
	if !w.Start.IsZero() {
		w.Start = w.Start.Add(-late - pad)
	}
	if !w.End.IsZero() {
		w.End = w.End.Add(-early + pad)
	}
	return w, found
}
