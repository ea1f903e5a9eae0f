package ical

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// Instances gives the instances in the window, ordered by Start and
// RecurrenceID. A *LimitError comes with what was found until then.
func (o *Object) Instances(x Expand) ([]Instance, error) {
	var all []Instance
	err := o.EachInstance(x, func(i *Instance) bool {
		all = append(all, *i)
		return true
	})
	return all, err
}

// EachInstance calls yield for each instance in the window, ordered by Start
// and RecurrenceID, until it returns false; the allocation-free form of
// Instances. The instance is valid until yield returns. Values that cannot be
// read are passed over. The error is a *LimitError.
func (o *Object) EachInstance(x Expand, yield func(*Instance) bool) error {
	return o.placedIn(x.Zone).each(x, yield)
}

// expander is one expansion.
type expander struct {
	p        *placed
	from, to int64 // window, in Unix seconds
	max      int
	work     int
	yield    func(*Instance) bool
	stopped  bool
	err      error
	inst     Instance
	ends     cursor // of the zone of the instances
	stream   stream
}

// An open window ends where no instance can be.
const (
	openFrom = minCivil - 400*daySeconds
	openTo   = maxCivil + 400*daySeconds
)

func (p *placed) each(x Expand, yield func(*Instance) bool) error {
	e := expander{p: p, from: openFrom, to: openTo, max: x.Max, work: x.Work, yield: yield}
	if !x.Window.Start.IsZero() {
		e.from = max(e.from, ceilUnix(x.Window.Start))
	}
	if !x.Window.End.IsZero() {
		e.to = min(e.to, ceilUnix(x.Window.End))
	}
	if e.max <= 0 {
		e.max = DefaultMaxInstances
	}
	if e.work <= 0 {
		e.work = DefaultWork
	}
	if e.to <= e.from {
		return nil
	}
	if len(p.ranges) > 0 {
		e.ranged()
	} else {
		e.plain()
	}
	return e.err
}

// ceilUnix gives the Unix seconds of an instant, a broken second counted full:
// all instances are at full seconds.
func ceilUnix(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// plain gives the instances in one pass over set and overrides.
func (e *expander) plain() {
	p := e.p
	over := e.overrides()
	if p.series.master != nil {
		low, high := p.shape.bounds(e.from, e.to)
		if p.longest > p.shape.wall+daySeconds {
			low = min(low, e.from-p.longest-2*daySeconds)
		}
		e.ends = newCursor(p.zone)
		e.stream.init(p, low, high, &e.work)
		for !e.stopped {
			c, ok := e.stream.next()
			if !ok || c.unix >= e.to {
				break
			}
			for ; over < len(p.over) && p.over[over].before(&c) && !e.stopped; over++ {
				e.emitOverride(&p.over[over])
			}
			if e.stopped { // yield has had enough with an override
				break
			}
			sh := &p.shape
			if c.shape != nil {
				sh = c.shape
			}
			e.emit(sh, &c, c.unix)
		}
		e.checkWork(high)
	}
	for ; over < len(p.over) && !e.stopped; over++ {
		e.emitOverride(&p.over[over])
	}
}

// bounds gives the wall clocks, in civil seconds, that an instance of the
// shape in the window can have: from low to high, the latter not included.
func (sh *shape) bounds(from, to int64) (low, high int64) {
	low, high = sh.zone.wallBounds(from-sh.exact, to)
	return low - sh.nominal, high
}

// checkWork ends the expansion when the work was used up before it was
// complete.
func (e *expander) checkWork(high int64) {
	if !e.stopped && (e.work < 0 || e.p.unfinished(high)) {
		e.stopped, e.err = true, &LimitError{What: "steps"}
	}
}

// overrides gives the first override that may be in the window.
func (e *expander) overrides() int {
	return sort.Search(len(e.p.over), func(i int) bool { return e.p.over[i].start >= e.from-e.p.overMax })
}

// before reports whether the override comes before the member of the set.
func (ov *override) before(c *cand) bool {
	return ov.start < c.unix || ov.start == c.unix && ov.rid < c.unix
}

// selects reports whether the window has the instance (RFC 4791 §9.9).
func (e *expander) selects(start, end int64) bool {
	if start == end {
		return e.from <= start && start < e.to
	}
	return start < e.to && end > e.from
}

// emit gives an instance of the set to yield if the window has it.
func (e *expander) emit(sh *shape, c *cand, rid int64) {
	unix := c.unix
	length := sh.nominal + sh.exact
	end, wall, wallEnd := unix+length, c.civil, c.civil+sh.wall
	if c.same == 0 || c.civil+length >= c.same || end > maxCivil {
		// The offset may change before the end.
		end, wall, wallEnd = sh.end(&e.ends, unix, c.civil)
	}
	if !e.selects(unix, end) {
		return
	}
	i := &e.inst
	i.Start, i.End = civilTime(unix), civilTime(end)
	i.Wall, i.WallEnd = civilTime(wall), civilTime(wallEnd)
	i.Component, i.Form = sh.comp, sh.form
	i.RecurrenceID = time.Time{}
	if e.p.recurs {
		i.RecurrenceID = civilTime(rid)
	}
	e.give()
}

func (e *expander) emitOverride(ov *override) {
	if e.work--; e.work < 0 {
		e.stopped, e.err = true, &LimitError{What: "steps"}
		return
	}
	if !e.selects(ov.start, ov.end) {
		return
	}
	i := &e.inst
	i.Start, i.End = civilTime(ov.start), civilTime(ov.end)
	i.Wall, i.WallEnd = civilTime(ov.wall), civilTime(ov.wallEnd)
	i.Component, i.Form = ov.entry.comp, ov.entry.start.Form
	if !ov.entry.own {
		i.Form = ov.entry.rid.Form
	}
	i.RecurrenceID = time.Time{}
	if ov.hasRID {
		i.RecurrenceID = civilTime(ov.rid)
	}
	e.give()
}

func (e *expander) give() {
	if e.max--; e.max < 0 {
		e.stopped, e.err = true, &LimitError{What: "instances"}
		return
	}
	if !e.yield(&e.inst) {
		e.stopped = true
	}
}

// ranged gives the instances of a series with THISANDFUTURE overrides. Their
// shifts change the order, so all are collected and sorted.
func (e *expander) ranged() {
	p := e.p
	var all []Instance
	yield := e.yield
	e.yield = func(i *Instance) bool {
		all = append(all, *i)
		return true
	}
	e.segment(p.shape, 0, openFrom, p.ranges[0].rid)
	for i := range p.ranges {
		r := &p.ranges[i]
		to := int64(openTo)
		if i+1 < len(p.ranges) {
			to = p.ranges[i+1].rid
		}
		e.segment(r.shape, r.shift, r.rid+1, to)
	}
	for i := e.overrides(); i < len(p.over) && !e.stopped; i++ {
		e.emitOverride(&p.over[i])
	}
	slices.SortStableFunc(all, func(a, b Instance) int {
		return cmp.Or(a.Start.Compare(b.Start), a.RecurrenceID.Compare(b.RecurrenceID))
	})
	for i := range all {
		if !yield(&all[i]) {
			return
		}
	}
}

// segment gives the instances whose original instants are from one instant to
// another, shifted by seconds of the wall clock.
func (e *expander) segment(sh shape, shift, ridFrom, ridTo int64) {
	if e.stopped || ridFrom >= ridTo {
		return
	}
	p := e.p
	low, high := sh.bounds(e.from, e.to)
	if shift == 0 && p.longest > p.shape.wall+daySeconds {
		low = min(low, e.from-p.longest-2*daySeconds)
	}
	lowRID, highRID := p.zone.wallBounds(ridFrom, ridTo)
	// A wall clock that is skipped is not seen as such without the one, up to a
	// day later, that stands for the same instant.
	low, high = max(low-shift, lowRID), min(high-shift+daySeconds, highRID)
	if low >= high {
		return
	}
	e.ends = newCursor(sh.zone)
	starts := newCursor(sh.zone)
	e.stream = stream{}
	e.stream.init(p, low, high, &e.work)
	for !e.stopped {
		c, ok := e.stream.next()
		if !ok || c.unix >= ridTo {
			break
		}
		if c.unix < ridFrom {
			continue
		}
		as := sh
		if c.shape != nil && shift == 0 && sh.comp == p.shape.comp {
			as = *c.shape
		}
		unix, _ := starts.place(c.civil + shift)
		e.emit(&as, &cand{unix: unix, civil: c.civil + shift}, c.unix)
	}
	e.checkWork(high)
}

// HasInstance reports whether rid (an instant) is in the recurrence set,
// overridden or not. floating places floating and all-day times.
func (o *Object) HasInstance(rid time.Time, floating *Zone) bool {
	p := o.placedIn(floating)
	unix := rid.Unix()
	if _, found := slices.BinarySearch(p.overRID, unix); found {
		return true
	}
	if p.series.master == nil {
		return false
	}
	work := DefaultWork
	var s stream
	low, high := p.zone.wallBounds(unix, unix+1)
	s.init(p, low, high, &work)
	for {
		c, ok := s.next()
		if !ok || c.unix > unix {
			return false
		}
		if c.unix == unix {
			return true
		}
	}
}
