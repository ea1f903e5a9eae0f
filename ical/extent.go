package ical

import "time"

// floatPad is how far the same wall clock can be from UTC on either side,
// with a change of the offset beside it.
const floatPad = 26 * 3600

// Extent bounds the recurrence set. It costs no expansion, but for rules with
// COUNT and for rules that may never match.
func (o *Object) Extent() Extent {
	switch o.kind {
	case "VFREEBUSY", "VAVAILABILITY":
		return o.openExtent()
	}
	p := o.placedIn(nil)
	b := extentBuilder{pad: 0}
	b.x.Undated = o.kind == "VTODO" && p.series.undated
	if p.series.floats {
		b.pad = floatPad
	}
	b.master(p)
	for i := range p.over {
		b.add(p.over[i].start, p.over[i].end)
	}
	for i := range p.ranges {
		b.shifted(&p.ranges[i])
	}
	return b.extent()
}

type extentBuilder struct {
	x           Extent
	any         bool
	endless     bool
	first, last int64
	pad         int64

	// Of the master's own set.
	setFirst, setLast int64
}

func (b *extentBuilder) add(first, last int64) {
	if !b.any {
		b.any, b.first, b.last = true, first, last
		return
	}
	b.first, b.last = min(b.first, first), max(b.last, last)
}

// master bounds DTSTART, RDATEs and rules.
func (b *extentBuilder) master(p *placed) {
	if p.series.master == nil {
		return
	}
	b.setFirst, b.setLast = p.items[0].unix, p.items[len(p.items)-1].unix
	for _, plan := range p.plans {
		end, bounded := plan.lastStart()
		if !bounded {
			b.endless = true
			break
		}
		if end >= plan.start {
			_, last := p.zone.wallBounds(p.zone.unix(end), p.zone.unix(end)+1)
			b.setLast = max(b.setLast, p.zone.unix(last)+daySeconds)
		}
	}
	b.add(b.setFirst, b.setLast+p.longest)
	if !p.recurs {
		// One instance: its end is known.
		cur := newCursor(p.zone)
		end, _, _ := p.shape.end(&cur, b.setFirst, p.start)
		b.last = end
	}
}

// shifted bounds what a THISANDFUTURE override makes of the set.
func (b *extentBuilder) shifted(r *shifted) {
	const slack = 2 * daySeconds // of two zones
	b.add(r.rid+r.shift-slack, b.setLast+r.shift+r.shape.wall+slack)
}

func (b *extentBuilder) extent() Extent {
	x := b.x
	x.Bounded = !b.endless
	if !b.any {
		return x
	}
	x.First = civilTime(b.first - b.pad)
	if x.Bounded {
		x.Last = civilTime(b.last + b.pad)
	}
	return x
}

// lastStart gives a wall clock, in civil seconds, that no instance of the rule
// comes after; false when the rule goes on to the end of time. A rule that
// could do so is tried once: 30 February never comes.
func (p *plan) lastStart() (int64, bool) {
	if p.unfinished {
		return 0, false
	}
	if p.end < maxCivil {
		return p.end, true
	}
	work := cycleDays
	it := newWalker(p, &work)
	it.seek(p.start + 1)
	if _, ok := it.next(); ok || work < 0 {
		return 0, false
	}
	return p.start, true
}

// openExtent bounds the components that have a window, which may be open, and
// no instances. One that is open, or has only periods, is for every window to
// look at: no instance stands for it.
func (o *Object) openExtent() Extent {
	b := extentBuilder{}
	openStart := false
	for _, c := range o.main {
		s := &series{}
		e := s.entry(o, c)
		if s.floats {
			b.pad = floatPad
		}
		b.x.Undated = b.x.Undated || !e.own || c.Name == "VAVAILABILITY" && e.open()
		start, end := o.freeBusyBounds(c)
		switch {
		case e.own:
			start = min(start, e.start.place(nil))
			nominal, exact, _ := e.len.resolve(e.start, nil)
			if end = max(end, start+daySeconds+nominal+exact); c.Name == "VAVAILABILITY" && e.open() {
				b.endless = true
			}
		case c.Name == "VAVAILABILITY":
			openStart = true
			if t := s.time(o, c.Line("DTEND")); t != nil {
				end = t.place(nil)
			} else {
				b.endless = true
			}
		}
		if end >= start {
			b.add(start, end)
		}
	}
	x := b.extent()
	if openStart {
		x.First = time.Time{}
	}
	return x
}

// open reports whether the component has a start and no end of its own.
func (e *entry) open() bool {
	return e.len.until == nil && e.comp.Line("DURATION") == nil
}

// freeBusyBounds gives the bounds of the FREEBUSY periods; end is before start
// when there are none.
func (o *Object) freeBusyBounds(c *Component) (start, end int64) {
	start, end = openTo, openFrom
	for i := range c.Lines {
		l := &c.Lines[i]
		if l.Name != "FREEBUSY" {
			continue
		}
		s := &series{}
		s.rdateLine(o, l)
		for i := range s.rdates {
			r := &s.rdates[i]
			at := r.at.place(nil)
			nominal, exact, _ := r.len.resolve(r.at, nil)
			start, end = min(start, at), max(end, at+nominal+exact)
		}
	}
	return start, end
}
