package ical

import (
	"strings"
	"time"
)

// Rules beyond CheckResource, for those who want new objects to be by the
// book. What was stored before is read all the same.

// CheckEscapes refuses an escaped quote in the TEXT of a known property: it is
// none of the escapes of RFC 5545 §3.3.11, and programs disagree on what it
// means. Other unknown escapes are let through as the backslashes that they
// are. The error is an *InvalidError.
func (o *Object) CheckEscapes() error {
	var check func(c *Component) error
	check = func(c *Component) error {
		for i := range c.Lines {
			if l := &c.Lines[i]; jcalDefault(l.Name) == "text" && escapedQuote(l.Value) {
				return invalid(ValidCalendarData, l.no, "RFC 5545 §3.3.11", "%s escapes a quote", l.Name)
			}
		}
		for _, k := range c.Children {
			if err := check(k); err != nil {
				return err
			}
		}
		return nil
	}
	return check(o.root)
}

func escapedQuote(v string) bool {
	for i := strings.IndexByte(v, '\\'); i >= 0 && i+1 < len(v); {
		if v[i+1] == '"' {
			return true
		}
		next := strings.IndexByte(v[i+2:], '\\')
		if next < 0 {
			return false
		}
		i += 2 + next
	}
	return false
}

// overrideWork bounds what CheckOverrides spends on one object.
const overrideWork = 200_000

// CheckOverrides refuses an override that changes no instance of its master
// (RFC 5545 §3.8.4.4). One that replaces an excluded instance is let through,
// as is one whose RECURRENCE-ID is of another kind than DTSTART, and what
// takes too much work to tell. The error is an *InvalidError.
func (o *Object) CheckOverrides() error {
	s := o.seriesOf()
	if s.master == nil || len(s.rules)+len(s.rdates) == 0 {
		return nil
	}
	if s.err != nil {
		return nil //nolint:nilerr // what cannot be read cannot be told; CheckTimes reports it
	}
	p := o.placedIn(nil)
	work := overrideWork
	for i := range s.others {
		e := &s.others[i]
		if e.rid == nil || (e.rid.Form == Date) != (s.master.start.Form == Date) || (e.rid.Form == Floating) != (s.master.start.Form == Floating) {
			continue
		}
		if !p.has(e.rid.Instant(p.floating).Unix(), &work) && work >= 0 {
			return invalid(ValidCalendarData, e.comp.no, "RFC 5545 §3.8.4.4", "RECURRENCE-ID is that of no instance")
		}
	}
	return nil
}

// forEver is longer than any set lasts that is meant to end: some programs write
// a far UNTIL for none.
const forEver = 250 * 366 * 24 * time.Hour

// CheckInstances refuses a set that ends and has more than most instances
// (RFC 4791 §5.2.8). One without end is computed as far as it is asked for, and
// let through, as is what takes too much work to tell. The error is an
// *InvalidError with the rule MaxInstances.
func (o *Object) CheckInstances(most int) error {
	s := o.seriesOf()
	if s.master == nil || len(s.rules)+len(s.rdates) == 0 {
		return nil
	}
	if x := o.Extent(); !x.Bounded || x.Last.Sub(x.First) > forEver {
		return nil
	}
	n := 0
	_ = o.EachInstance(Expand{Max: most + 1}, func(*Instance) bool {
		n++
		return n <= most
	})
	if n <= most {
		return nil
	}
	return invalid(MaxInstances, s.master.comp.no, "RFC 4791 §5.2.8", "the recurrence set has more than %d instances", most)
}

// has reports whether the instant is one of the master's, excluded or not.
func (p *placed) has(unix int64, work *int) bool {
	var s stream
	low, high := p.zone.wallBounds(unix, unix+1)
	s.init(p, low, high, work)
	for {
		c, ok := s.first()
		if !ok || c.unix > unix {
			return false
		}
		if c.unix == unix {
			return true
		}
	}
}
