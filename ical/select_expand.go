package ical

import (
	"fmt"
	"strings"
	"time"

	"daybook/ical/span"
)

// expand writes the instances in the window, each as a component of its own
// (RFC 4791 §9.6.5). Components that have no instances are copied; VTIMEZONE
// is left out, as no time refers to one any more.
func (p *picker) expand(w span.Span) error {
	root := p.s.Comp
	for _, c := range p.o.root.Children {
		if c.Name == "VTIMEZONE" || hasInstances(c.Name) && !(c.Name == "VTODO" && undated(c)) {
			continue
		}
		if sel, wanted := root.comp(c.Name); wanted {
			p.component(c, sel)
		}
	}
	sel, wanted := root.comp(p.o.kind)
	if !wanted || !hasInstances(p.o.kind) {
		return nil
	}
	m := matcher{o: p.o, zone: p.zone}
	cond := m.overlap(p.o.kind, bounds(w))
	window, _ := cond.window(nil)
	limit := len(p.o.data) + maxSelected
	form := p.recurrenceForm()
	full := false
	err := p.o.EachInstance(Expand{Window: window, Zone: p.zone, Max: p.s.MaxInstances}, func(i *Instance) bool {
		if !cond.instance(i) {
			return true
		}
		p.instance(i, sel, form)
		full = len(p.out) > limit
		return !full
	})
	if err == nil && full {
		return &LimitError{What: "octets"}
	}
	return err
}

// hasInstances reports whether EachInstance gives such components.
func hasInstances(name string) bool {
	return name == "VEVENT" || name == "VTODO" || name == "VJOURNAL"
}

// recurrenceForm is the form of the object's recurrence identifiers: that of
// the master's DTSTART, or without a master of the first RECURRENCE-ID.
func (p *picker) recurrenceForm() Form {
	var l *Line
	if master := p.o.Master(); master != nil {
		if l = master.Line("DTSTART"); l == nil {
			l = master.Line("DUE")
		}
	} else if len(p.o.main) > 0 {
		l = p.o.main[0].Line("RECURRENCE-ID")
	}
	if l == nil {
		return UTC
	}
	t, err := p.o.Time(l)
	if err != nil {
		return UTC
	}
	return t.form()
}

// form is the Form, with a zone that nobody knows taken as no zone.
func (t Time) form() Form {
	if t.Form == Zoned && t.Zone == nil {
		return Floating
	}
	return t.Form
}

// instance writes one instance. A zoned time becomes UTC; a date stays a date,
// and a floating time floating, since neither refers to a zone.
func (p *picker) instance(i *Instance, sel *CompSelection, form Form) {
	c := i.Component
	p.line("BEGIN:" + c.Name)
	for n := range c.Lines {
		l := &c.Lines[n]
		wanted, noValue := sel.prop(l.Name)
		if !wanted {
			continue
		}
		switch l.Name {
		case "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID":
		case "DTSTART":
			p.time(l, i.Start, i.Wall, noValue)
		case "DTEND", "DUE":
			p.time(l, i.End, i.WallEnd, noValue)
		case "DURATION":
			p.duration(l, i, noValue)
		default:
			p.other(c, l, sel)
		}
	}
	p.ownLength(i, sel)
	if wanted, noValue := sel.prop("RECURRENCE-ID"); wanted && !i.RecurrenceID.IsZero() {
		p.stamp("RECURRENCE-ID", "", form, i.RecurrenceID, p.zone.Wall(i.RecurrenceID), noValue)
	}
	p.children(c, sel)
	p.end(c)
}

// other writes a line that is not about the instance's time. Where it refers
// to a time zone it is written in UTC.
func (p *picker) other(c *Component, l *Line, sel *CompSelection) {
	if _, zoned := l.LookupParam("TZID"); zoned {
		if t, err := p.o.Time(l); err == nil {
			at := t.Instant(p.zone)
			_, noValue := sel.prop(l.Name)
			p.stamp(l.Name, keptParams(l), t.form(), at, t.Wall, noValue)
			return
		}
	}
	p.prop(c, l, sel)
}

// time writes DTSTART, DTEND or DUE of an instance in the form of the line.
func (p *picker) time(l *Line, at, wall time.Time, noValue bool) {
	form := UTC
	if t, err := p.o.Time(l); err == nil {
		form = t.form()
	}
	p.stamp(l.Name, keptParams(l), form, at, wall, noValue)
}

// stamp writes a time: a date, a floating time, or else UTC. params begin with
// a semicolon if there are any.
func (p *picker) stamp(name, params string, form Form, at, wall time.Time, noValue bool) {
	value := ""
	switch form {
	case Date:
		params += ";VALUE=DATE"
		value = wall.Format("20060102")
	case Floating:
		value = wall.Format("20060102T150405")
	case UTC, Zoned:
		value = at.UTC().Format(stampUTC)
	}
	if noValue {
		value = ""
	}
	p.line(name + params + ":" + value)
}

// keptParams gives the parameters but those that say how to read a time.
func keptParams(l *Line) string {
	var b strings.Builder
	for rest := l.params; rest != ""; {
		var one string
		one, rest = cutUnquoted(rest, ';')
		name, _, _ := strings.Cut(one, "=")
		if !strings.EqualFold(name, "TZID") && !strings.EqualFold(name, "VALUE") {
			b.WriteString(";" + one)
		}
	}
	return b.String()
}

// duration keeps DURATION where it says how long the instance is. It does not
// where clocks change, since in UTC a day has 24 hours, and for a period of an
// RDATE: then the exact length is written.
func (p *picker) duration(l *Line, i *Instance, noValue bool) {
	days, exact, err := ParseDuration(l.Value)
	length := instanceLength(i)
	switch {
	case noValue:
		p.bare(l)
	case err != nil || i.Form == Date || nominal(days, exact) == length:
		p.out = append(p.out, p.o.data[l.start:l.end]...)
	default:
		p.line(l.head() + ":" + formatDuration(length))
	}
}

// instanceLength is the length in the kind of time that the instance is
// written in.
func instanceLength(i *Instance) time.Duration {
	if i.Form == Floating {
		return i.WallEnd.Sub(i.Wall)
	}
	return i.End.Sub(i.Start)
}

// ownLength writes the length of an instance that has one although its
// component has none: a period of an RDATE.
func (p *picker) ownLength(i *Instance, sel *CompSelection) {
	wanted, noValue := sel.prop("DURATION")
	if !wanted || noValue || i.Form == Date || !i.End.After(i.Start) {
		return
	}
	for _, name := range [...]string{"DTEND", "DUE", "DURATION"} {
		if i.Component.Line(name) != nil {
			return
		}
	}
	p.line("DURATION:" + formatDuration(instanceLength(i)))
}

// formatDuration writes exact time as a DURATION (RFC 5545 §3.3.6).
func formatDuration(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	s := int64(d / time.Second)
	return fmt.Sprintf("%sPT%dH%dM%dS", sign, s/3600, s/60%60, s%60)
}

// endOf gives the end of an instance of c that starts at the instant.
func (m *matcher) endOf(c *Component, start time.Time) time.Time {
	if c == nil || c.Line("DTSTART") == nil {
		return start
	}
	from, err := m.o.Time(c.Line("DTSTART"))
	if err != nil {
		return start
	}
	for _, name := range [...]string{"DTEND", "DUE"} {
		l := c.Line(name)
		if l == nil {
			continue
		}
		to, err := m.o.Time(l)
		switch {
		case err != nil:
		case from.Form == Date && to.Form == Date:
			return m.midnight(start, max(0, int(to.Wall.Sub(from.Wall)/(24*time.Hour))))
		default:
			return start.Add(max(0, to.Instant(m.zone).Sub(from.Instant(m.zone))))
		}
	}
	if l := c.Line("DURATION"); l != nil {
		if days, exact, err := ParseDuration(l.Value); err == nil {
			return m.zoneOf(c).later(start, days, exact)
		}
	}
	if from.Form == Date && c.Name != "VTODO" {
		return m.midnight(start, 1)
	}
	return start
}

// midnight gives the begin of the day that many days after the one that begins
// at the instant; clocks that change at midnight may show a later hour there.
func (m *matcher) midnight(start time.Time, days int) time.Time {
	return m.zone.Instant(m.zone.Wall(start).Truncate(24*time.Hour).AddDate(0, 0, days))
}
