package blocks

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// Change is what is to become of an event, of an instance, or of a series.
type Change struct {
	Facts func(Event) Event // gives the event changed; times and recurrence do not count. nil: as it is
	When  *When             // nil: as it was
	Rule  *Recurrence       // nil: as it was
}

// EditWhole gives the object changed in all its instances. Overrides follow in
// what they say as the master does; those that were moved keep their time. When
// the series moves, so do its exceptions, by the wall clock. zone places
// floating and all-day times. Only lines whose meaning differs are touched. An
// *ical.InvalidError when the change gives no valid object.
func EditWhole(o *ical.Object, c Change, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	s, err := newSeries(o, zone, now)
	if err != nil {
		return nil, err
	}
	want := s.have
	if c.Facts != nil {
		want = c.Facts(s.have)
	}
	s.facts(want)
	if c.When != nil {
		s.move(*c.When)
	}
	if c.Rule != nil {
		s.recur(*c.Rule)
	}
	if c.Rule == nil {
		return s.apply()
	}
	if !c.Rule.Recurs() {
		for _, x := range s.overrides {
			s.e.RemoveComponent(x.c)
		}
		return s.apply()
	}
	return s.applyWithout(func(base *ical.Object, rid time.Time) bool { return !base.HasInstance(rid, zone) })
}

// series is an object on its way to be changed as a whole.
type series struct {
	o         *ical.Object
	e         *ical.Edit
	zone      *ical.Zone
	now       time.Time
	master    editor
	own       ical.Instance // of the master
	have      Event         // of the master
	overrides []override
	touched   map[*ical.Component]bool

	// How DTSTART is written, and by which wall clock.
	form ical.Form
	by   *ical.Zone
	tz   string
}

type override struct {
	editor
	line *ical.Line // RECURRENCE-ID
	rid  time.Time  // instant
	as   ical.Instance
	ok   bool // as is known
}

// errTimeless tells that an object has no time, or none that can be read.
var errTimeless = errors.New("the object has no time")

func newSeries(o *ical.Object, zone *ical.Zone, now time.Time) (*series, error) {
	s := &series{o: o, e: o.Edit(), zone: zone, now: now, touched: map[*ical.Component]bool{}}
	m := o.Master()
	if m == nil && len(o.Main()) > 0 {
		m = o.Main()[0] // of an invitation to single instances
	}
	if m == nil {
		return nil, errTimeless
	}
	s.master = editor{o, s.e, m, zone}
	i, ok := instanceOf(o, m, zone)
	if !ok {
		return nil, errTimeless
	}
	s.have, s.form = ReadEvent(i), i.Form
	s.own = i
	s.have.Rule = recurrenceOf(o, m, zone)
	t, err := o.Time(m.Line("DTSTART"))
	if err != nil {
		return nil, errTimeless
	}
	s.by, s.tz = placeOf(t, zone), m.Line("DTSTART").Param("TZID")
	for _, c := range o.Main() {
		l := c.Line("RECURRENCE-ID")
		if c == m || l == nil {
			continue
		}
		t, err := o.Time(l)
		if err != nil {
			continue
		}
		x := override{editor: editor{o, s.e, c, zone}, line: l, rid: t.Instant(zone)}
		x.as, x.ok = instanceOf(o, c, zone)
		s.overrides = append(s.overrides, x)
	}
	return s, nil
}

// facts changes what the components say beside times.
func (s *series) facts(want Event) {
	if same := follow(s.have, want, s.have); !equalFacts(same, s.have) {
		s.master.changeEvent(s.have, want)
		s.touched[s.master.c] = true
	}
	for _, x := range s.overrides {
		if !x.ok {
			continue
		}
		have := ReadEvent(x.as)
		if next := follow(s.have, want, have); !equalFacts(next, have) {
			x.changeEvent(have, next)
			s.touched[x.c] = true
		}
	}
}

// equalFacts reports whether two events say the same beside times.
func equalFacts(a, b Event) bool {
	a.Start, a.End, a.RecurrenceID, a.Created, a.Modified = b.Start, b.End, b.RecurrenceID, b.Created, b.Modified
	return a.Block == b.Block && a.IsBlock == b.IsBlock && a.EventType == b.EventType && a.Location == b.Location && a.URL == b.URL &&
		a.Status == b.Status && a.SubStatus == b.SubStatus && a.Class == b.Class && a.Invoice == b.Invoice && a.Free == b.Free &&
		slices.Equal(a.Categories, b.Categories) && a.BufferBefore == b.BufferBefore && a.BufferAfter == b.BufferAfter &&
		slices.Equal(a.Attendees, b.Attendees)
}

// move gives the master its new time, and everything that is counted from it.
func (s *series) move(w When) {
	t := w.times(&s.master, s.zone)
	if s.keeps(t) {
		return
	}
	oldWall, oldForm, oldBy := s.own.Wall, s.form, s.by
	if oldForm == ical.UTC {
		oldWall = s.own.Start
	}
	s.master.setWritten(t)
	s.sequence(s.master)
	s.form = t.form
	switch t.form {
	case ical.UTC:
		s.by = ical.UTCZone
	case ical.Zoned:
		s.tz = t.params[0].Value
		if s.by = s.o.Zone(s.tz); w.Zone != nil && w.Zone.Name() == s.tz {
			s.by = w.Zone
		} else if s.by == nil {
			s.by = ical.LookupZone(s.tz)
		}
		if s.by == nil {
			s.by = s.zone
		}
	case ical.Floating, ical.Date:
		s.by = s.zone
	}
	newWall := s.by.Wall(w.Start)
	if t.form == ical.Date {
		newWall = w.Start
	}
	if !s.have.Rule.Recurs() {
		return
	}
	// Exceptions are moved by the wall clock, and written as DTSTART is.
	moved := func(at time.Time) (string, []ical.Param) {
		wall := oldBy.Wall(at).Add(newWall.Sub(oldWall))
		if t.form == ical.Date {
			wall = wall.Truncate(24 * time.Hour)
		}
		return formText(wall, s.by.Instant(wall), t.form, s.tz)
	}
	for _, name := range []string{"RDATE", "EXDATE"} {
		s.rewrite(name, moved)
	}
	for _, x := range s.overrides {
		value, params := moved(x.rid)
		if r := x.line.Param("RANGE"); r != "" {
			params = append(params, ical.Param{Name: "RANGE", Value: r})
		}
		x.e.Set(x.c, "RECURRENCE-ID", value, params...)
		if x.ok && x.as.Start.Equal(x.rid) && x.as.WallEnd.Sub(x.as.Wall) == s.own.WallEnd.Sub(s.own.Wall) {
			wall := oldBy.Wall(x.rid).Add(newWall.Sub(oldWall))
			start := s.by.Instant(wall)
			next := When{Start: start, End: start.Add(w.End.Sub(w.Start)), Zone: w.Zone}
			if t.form == ical.Date {
				wall = wall.Truncate(24 * time.Hour)
				next = When{Start: wall, End: wall.Add(w.End.Sub(w.Start)), AllDay: true}
			}
			x.setWritten(next.times(&x.editor, s.zone))
		}
		s.sequence(x.editor)
	}
}

// keeps reports whether the master has these times already.
func (s *series) keeps(t times) bool {
	l := s.master.c.Line("DTSTART")
	if l.Value != t.start || l.Param("TZID") != paramOf(t.params, "TZID") {
		return false
	}
	if end := s.master.c.Line("DTEND"); end != nil {
		return end.Value == t.end && end.Param("TZID") == paramOf(t.params, "TZID")
	}
	n := When{Start: s.own.Start, End: s.own.End, AllDay: s.form == ical.Date}
	if n.AllDay {
		n.Start, n.End = s.zone.Wall(n.Start), s.zone.Wall(n.End)
	}
	return n.times(&s.master, s.zone).end == t.end
}

// setWritten writes DTSTART and DTEND as they are given.
func (x editor) setWritten(t times) {
	if t.form == ical.Zoned {
		if at, err := time.Parse(wallLayout, t.start); err == nil {
			x.needZone(t.params[0].Value, span.Span{Start: at.AddDate(0, 0, -2)})
		}
	}
	x.setTime("DTSTART", t.start, t.params)
	x.setTime("DTEND", t.end, t.params)
	x.e.Remove(x.c, "DURATION")
}

// sequence counts a change of time (RFC 5545 §3.8.7.4).
func (s *series) sequence(x editor) {
	x.e.Set(x.c, "SEQUENCE", strconv.Itoa(sequence(x.c)+1))
	s.touched[x.c] = true
}

// rewrite writes the times of a list anew, each on a line of its own.
func (s *series) rewrite(name string, text func(time.Time) (string, []ical.Param)) {
	var all []time.Time
	eachTime(s.o, s.master.c, name, func(t ical.Time) { all = append(all, t.Instant(s.zone)) })
	if len(all) == 0 {
		return
	}
	s.e.Remove(s.master.c, name)
	for _, t := range all {
		value, params := text(t)
		s.e.Add(s.master.c, name, value, params...)
	}
}

// recur gives the master another recurrence.
func (s *series) recur(r Recurrence) {
	if sameRecurrence(r, s.have.Rule) {
		return
	}
	name := s.by.Name()
	if s.form == ical.Zoned {
		name = s.tz
	}
	s.master.setRecurrence(r, s.form, s.by, name)
	s.sequence(s.master)
}

func sameRecurrence(a, b Recurrence) bool {
	equal := func(x, y []time.Time) bool { return slices.EqualFunc(x, y, time.Time.Equal) }
	return a.Rule == b.Rule && equal(a.Dates, b.Dates) && equal(a.Except, b.Except)
}

// apply stamps what was touched and gives the object; the object itself when
// nothing was.
func (s *series) apply() (*ical.Object, error) {
	for c := range s.touched {
		editor{o: s.o, e: s.e, c: c}.stamp(s.now)
	}
	out, err := s.e.Apply()
	if err != nil {
		return nil, fmt.Errorf("change an event: %w", err)
	}
	return out, nil
}

// applyWithout is apply that drops the overrides that the condition finds, of
// the object without any.
func (s *series) applyWithout(drop func(base *ical.Object, rid time.Time) bool) (*ical.Object, error) {
	out, err := s.apply()
	if err != nil || len(s.overrides) == 0 {
		return out, err
	}
	e := out.Edit()
	var rest []*ical.Component
	for _, c := range out.Main() {
		if c.Line("RECURRENCE-ID") != nil {
			e.RemoveComponent(c)
			rest = append(rest, c)
		}
	}
	base, err := e.Apply()
	if err != nil {
		return nil, fmt.Errorf("change an event: %w", err)
	}
	e = out.Edit()
	dropped := false
	for _, c := range rest {
		t, err := out.Time(c.Line("RECURRENCE-ID"))
		if err != nil || drop(base, t.Instant(s.zone)) {
			e.RemoveComponent(c)
			dropped = true
		}
	}
	if !dropped {
		return out, nil
	}
	if out, err = e.Apply(); err != nil {
		return nil, fmt.Errorf("change an event: %w", err)
	}
	return out, nil
}

// EditInstance gives the object with one instance changed: its override, or a
// new one that begins with all the lines of the component that described it. For
// an object that does not recur it is EditWhole. ErrRange.
func EditInstance(o *ical.Object, i ical.Instance, c Change, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	if i.RecurrenceID.IsZero() {
		return EditWhole(o, c, zone, now)
	}
	l := i.Component.Line("RECURRENCE-ID")
	if l == nil || !at(o, l, i.RecurrenceID, zone) {
		var err error
		if o, err = withOverride(o, i, zone); err != nil {
			return nil, err
		}
		var ok bool
		if i, ok = Find(o, i.RecurrenceID, zone); !ok {
			return nil, errTimeless
		}
	} else if l.Param("RANGE") != "" {
		return nil, ErrRange
	}
	x := editor{o, o.Edit(), i.Component, zone}
	changed := false
	have := ReadEvent(i)
	if c.Facts != nil {
		if want := c.Facts(have); !equalFacts(want, have) {
			x.changeEvent(have, want)
			changed = true
		}
	}
	if c.When != nil {
		t := c.When.times(&x, zone)
		if l := i.Component.Line("DTSTART"); l == nil || l.Value != t.start || l.Param("TZID") != paramOf(t.params, "TZID") || !i.End.Equal(c.When.end(zone)) {
			x.setWritten(t)
			x.e.Set(x.c, "SEQUENCE", strconv.Itoa(sequence(x.c)+1))
			changed = true
		}
	}
	if changed {
		x.stamp(now)
	}
	out, err := x.e.Apply()
	if err != nil {
		return nil, fmt.Errorf("change an instance: %w", err)
	}
	return out, nil
}

// end gives the instant at which it ends.
func (w When) end(zone *ical.Zone) time.Time {
	if w.AllDay {
		return zone.Instant(w.End)
	}
	return w.End
}

// recurring are the lines of a master that an override has not.
var recurring = []string{"RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION"}

// withOverride gives the object with an override that says of the instance what
// it is.
func withOverride(o *ical.Object, i ical.Instance, zone *ical.Zone) (*ical.Object, error) {
	m := o.Master()
	if m == nil {
		return nil, errTimeless
	}
	rid, params, err := excluded(o, m, i.RecurrenceID, zone)
	if err != nil {
		return nil, err
	}
	l := i.Component.Line("DTSTART")
	if l == nil {
		return nil, errTimeless
	}
	t, err := o.Time(l)
	if err != nil {
		return nil, fmt.Errorf("change an instance: %w", err)
	}
	by := placeOf(t, zone)
	var b strings.Builder
	w := ical.NewWriter(&b)
	w.Begin("VEVENT")
	for n := range i.Component.Lines {
		if l := &i.Component.Lines[n]; !slices.Contains(recurring, l.Name) {
			copyLine(w, l)
		}
	}
	w.Line("RECURRENCE-ID", rid, params...)
	for _, x := range []struct {
		name string
		at   time.Time
	}{{"DTSTART", i.Start}, {"DTEND", i.End}} {
		value, params := formText(by.Wall(x.at), x.at, t.Form, l.Param("TZID"))
		w.Line(x.name, value, params...)
	}
	for _, child := range i.Component.Children {
		copyComponent(w, child)
	}
	w.End("VEVENT")
	if err := w.Err(); err != nil {
		return nil, fmt.Errorf("change an instance: %w", err)
	}
	e := o.Edit()
	e.AddComponent(o.Root(), b.String())
	out, err := e.Apply()
	if err != nil {
		return nil, fmt.Errorf("change an instance: %w", err)
	}
	return out, nil
}

func copyLine(w *ical.Writer, l *ical.Line) {
	var params []ical.Param
	for name, value := range l.Params() {
		params = append(params, ical.Param{Name: name, Value: value})
	}
	w.Line(l.Name, l.Value, params...)
}

func copyComponent(w *ical.Writer, c *ical.Component) {
	w.Begin(c.Name)
	for n := range c.Lines {
		copyLine(w, &c.Lines[n])
	}
	for _, child := range c.Children {
		copyComponent(w, child)
	}
	w.End(c.Name)
}
