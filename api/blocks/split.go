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

// ErrFirst tells that a series cannot be cut at an instance because none is
// before it: what follows is the whole.
var ErrFirst = errors.New("no instance is before this one")

// ErrRules tells that a series recurs by more than one rule, so that it cannot
// be told how many instances of a count come before one of them.
var ErrRules = errors.New("the series recurs by several rules")

// Until gives the object without the instance with this RECURRENCE-ID and all
// that follow. ErrFirst, ErrRange.
func Until(o *ical.Object, rid time.Time, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	s, err := newSeries(o, zone, now)
	if err != nil {
		return nil, err
	}
	if err := s.cuttable(rid); err != nil {
		return nil, err
	}
	m := s.master.c
	_, goesOn, err := s.nextByRule(rid)
	if err != nil {
		return nil, err
	}
	for _, l := range m.All("RRULE") {
		if !goesOn {
			break // it has ended before
		}
		rule := withoutParts(l.Value, "UNTIL", "COUNT") + ";UNTIL=" + s.until(rid)
		s.e.RemoveLine(m, l)
		s.e.Add(m, "RRULE", rule)
	}
	s.keepTimes(func(t time.Time) bool { return t.Before(rid) })
	for _, x := range s.overrides {
		if !x.rid.Before(rid) {
			s.e.RemoveComponent(x.c)
			delete(s.touched, x.c)
		}
	}
	s.sequence(s.master)
	return s.apply()
}

// cuttable checks that the series can be cut at an instance.
func (s *series) cuttable(rid time.Time) error {
	for _, x := range s.overrides {
		if x.line.Param("RANGE") != "" {
			return ErrRange
		}
	}
	if s.o.Master() == nil {
		return ErrFirst
	}
	first := false
	for _, x := range s.overrides {
		first = first || x.rid.Before(rid)
	}
	// Without a limit for the end: an override may have moved what came before.
	_ = s.o.EachInstance(ical.Expand{Window: span.Span{End: rid}, Zone: s.zone, Max: 1}, func(i *ical.Instance) bool {
		first = first || i.RecurrenceID.Before(rid)
		return !first
	})
	if !first {
		return ErrFirst
	}
	return nil
}

// until writes the UNTIL that ends a rule before an instance (RFC 5545
// §3.3.10: of the kind that DTSTART is; in UTC where that is no local time).
func (s *series) until(rid time.Time) string {
	switch s.form {
	case ical.Date:
		return s.zone.Wall(rid).AddDate(0, 0, -1).Format(dateLayout)
	case ical.Floating:
		return s.zone.Wall(rid).Add(-time.Second).Format(wallLayout)
	case ical.Zoned, ical.UTC:
	}
	return Stamp(rid.Add(-time.Second))
}

// withoutParts gives a rule without some of its parts.
func withoutParts(rule string, names ...string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(strings.TrimSpace(rule), ";"), func(p string) bool {
		name, _, _ := strings.Cut(p, "=")
		return p == "" || slices.Contains(names, strings.ToUpper(strings.TrimSpace(name)))
	}), ";")
}

// keepTimes leaves of RDATE and EXDATE the times that keep wants. Lines of
// which all stay keep their bytes.
func (s *series) keepTimes(keep func(time.Time) bool) {
	m := s.master.c
	for _, name := range []string{"RDATE", "EXDATE"} {
		for _, l := range m.All(name) {
			all := timesOf(s.o, l)
			kept := slices.DeleteFunc(slices.Clone(all), func(t ical.Time) bool { return !keep(t.Instant(s.zone)) })
			if len(kept) == len(all) {
				continue
			}
			s.e.RemoveLine(m, l)
			for _, t := range kept {
				value, params := formText(t.Wall, t.Instant(s.zone), t.Form, l.Param("TZID"))
				s.e.Add(m, name, value, params...)
			}
		}
	}
}

// From gives the instance with this RECURRENCE-ID and all that follow as an
// object of its own, changed to what is wanted. It names the series that it was
// a part of as its parent. ErrFirst, ErrRange, ErrRules, and an
// *ical.LimitError for a count that is too much work.
func From(o *ical.Object, rid time.Time, uid string, c Change, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	s, err := newSeries(o, zone, now)
	if err != nil {
		return nil, err
	}
	if err := s.cuttable(rid); err != nil {
		return nil, err
	}
	m := s.master.c
	begin, goesOn, err := s.nextByRule(rid)
	if err != nil {
		return nil, err
	}
	if !goesOn {
		begin = rid // a date of RDATE
	}
	rules := m.All("RRULE")
	for _, l := range rules {
		if !goesOn {
			s.e.RemoveLine(m, l)
			continue
		}
		left, counted, err := s.leftOf(l.Value, rid, len(rules))
		if err != nil {
			return nil, err
		}
		if counted {
			s.e.RemoveLine(m, l)
			s.e.Add(m, "RRULE", withoutParts(l.Value, "COUNT")+";COUNT="+strconv.Itoa(left))
		}
	}
	s.keepTimes(func(t time.Time) bool { return !t.Before(rid) })
	length := s.own.End.Sub(s.own.Start)
	w := When{Start: begin, End: begin.Add(length)}
	if s.form == ical.Date {
		wall := zone.Wall(begin)
		w = When{Start: wall, End: wall.Add(s.own.WallEnd.Sub(s.own.Wall)), AllDay: true}
		if s.own.WallEnd.Equal(s.own.Wall) {
			w.End = wall.AddDate(0, 0, 1)
		}
	}
	s.master.setWritten(w.times(&s.master, zone))
	for _, x := range s.overrides {
		if x.rid.Before(rid) {
			s.e.RemoveComponent(x.c)
			continue
		}
		x.e.Set(x.c, "UID", ical.EscapeText(uid))
	}
	s.e.Set(m, "UID", ical.EscapeText(uid))
	s.e.Add(m, "RELATED-TO", ical.EscapeText(o.UID()), ical.Param{Name: "RELTYPE", Value: "PARENT"})
	s.e.Set(m, "SEQUENCE", "0")
	s.e.Set(m, "CREATED", Stamp(now))
	s.touched = map[*ical.Component]bool{m: true}
	rest, err := s.apply()
	if err != nil {
		return nil, err
	}
	return EditWhole(rest, c, zone, now)
}

// ruleAlone gives the object with its rules and nothing else that says when it
// is.
func (s *series) ruleAlone() (*ical.Object, error) {
	e := s.o.Edit()
	for _, x := range s.overrides {
		e.RemoveComponent(x.c)
	}
	for _, name := range []string{"RDATE", "EXDATE", "EXRULE"} {
		e.Remove(s.master.c, name)
	}
	alone, err := e.Apply()
	if err != nil {
		return nil, fmt.Errorf("cut a series: %w", err)
	}
	return alone, nil
}

// nextByRule gives the first start by rule at or after an instance; ok is false
// when the rules have ended by then, or there are none.
func (s *series) nextByRule(rid time.Time) (next time.Time, ok bool, err error) {
	if s.master.c.Line("RRULE") == nil {
		return time.Time{}, false, nil
	}
	alone, err := s.ruleAlone()
	if err != nil {
		return time.Time{}, false, err
	}
	err = alone.EachInstance(ical.Expand{Window: span.Span{Start: rid}, Zone: s.zone}, func(i *ical.Instance) bool {
		if !i.Start.Before(rid) { // it may only end after it
			next, ok = i.Start, true
		}
		return !ok
	})
	if err != nil && !ok {
		return time.Time{}, false, fmt.Errorf("cut a series: %w", err)
	}
	return next, ok, nil
}

// leftOf gives what is left of a rule's COUNT from an instance on; counted is
// false for a rule that has none.
func (s *series) leftOf(rule string, rid time.Time, rules int) (left int, counted bool, err error) {
	count := 0
	for part := range strings.SplitSeq(strings.ToUpper(rule), ";") {
		if name, value, _ := strings.Cut(part, "="); strings.TrimSpace(name) == "COUNT" {
			if count, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return 0, false, fmt.Errorf("cut a series: %w", err)
			}
		}
	}
	if count == 0 {
		return 0, false, nil
	}
	if rules > 1 {
		return 0, false, ErrRules
	}
	alone, err := s.ruleAlone()
	if err != nil {
		return 0, false, err
	}
	before := 0
	err = alone.EachInstance(ical.Expand{Zone: s.zone}, func(i *ical.Instance) bool {
		if !i.RecurrenceID.Before(rid) {
			return false
		}
		before++
		return true
	})
	if err != nil {
		return 0, false, fmt.Errorf("cut a series: %w", err)
	}
	return max(count-before, 1), true, nil
}
