package ical

import (
	"cmp"
	"slices"
)

// placed is a series whose floating times are placed by a zone: all instants
// are Unix seconds.
type placed struct {
	series   *series
	floating *Zone
	zone     *Zone // of the master
	form     Form
	start    int64 // DTSTART in civil seconds
	shape    shape // of the master's instances
	recurs   bool

	items   []item // DTSTART and RDATEs, by instant
	plans   []*plan
	explans []*plan
	exUnix  []int64 // excluded instants
	exDays  []int64 // excluded day numbers

	over    []override // by start
	overRID []int64    // the instances that they stand for
	ranges  []shifted  // by the instance from which on they count
	longest int64      // of the items, in seconds, at most
	overMax int64      // of the overrides, in seconds
}

// shape says how instances look: what describes them and how long they last.
type shape struct {
	comp           *Component
	form           Form
	zone           *Zone
	nominal, exact int64 // the length in seconds: of the wall clock, then of time
	wall           int64 // the same as a distance of wall clocks
}

// item is one start that was named.
type item struct {
	unix, civil int64
	shape       *shape // of a period; nil is the master's
}

// override is a component with RECURRENCE-ID, placed.
type override struct {
	start, end    int64
	wall, wallEnd int64
	rid           int64
	hasRID        bool
	entry         *entry
}

// shifted is what THISANDFUTURE makes of the instances after rid.
type shifted struct {
	rid   int64
	shift int64 // of the wall clock, in seconds
	shape shape
}

// place places the series.
func (s *series) place(floating *Zone) *placed {
	p := &placed{series: s, floating: floating, zone: UTCZone}
	if m := s.master; m != nil {
		p.placeMaster(m)
		p.placeExdates()
	}
	p.placeOverrides()
	return p
}

func (p *placed) shapeOf(e *entry) shape {
	sh := shape{comp: e.comp, form: e.start.Form, zone: e.start.zone(p.floating)}
	sh.setLength(p, e.len, e.start)
	return sh
}

// setLength gives the shape the length of what starts at start.
func (sh *shape) setLength(p *placed, l length, start Time) {
	if p.series.hours {
		sh.nominal = l.onClock(start, p.floating)
		sh.exact, sh.wall = 0, sh.nominal
		return
	}
	sh.nominal, sh.exact, sh.wall = l.resolve(start, p.floating)
}

func (p *placed) placeMaster(m *entry) {
	s := p.series
	p.shape = p.shapeOf(m)
	p.zone, p.form, p.start = p.shape.zone, p.shape.form, m.start.Wall.Unix()
	p.recurs = len(s.rules)+len(s.rdates)+len(s.exdates)+len(s.others) > 0
	p.items = append(p.items, item{unix: p.zone.unix(p.start), civil: p.start})
	for i := range s.rdates {
		p.placeRDate(&s.rdates[i])
	}
	if len(p.items) > 1 {
		slices.SortStableFunc(p.items, func(a, b item) int {
			// A period tells more than a start alone, and a wall clock that is
			// not skipped, which is the later one, more than one that is.
			return cmp.Or(cmp.Compare(a.unix, b.unix), cmp.Compare(btoi(a.shape == nil), btoi(b.shape == nil)), cmp.Compare(b.civil, a.civil))
		})
	}
	p.longest = p.shape.wall + daySeconds
	for _, it := range p.items {
		if it.shape != nil {
			p.longest = max(p.longest, it.shape.wall+daySeconds)
		}
	}
	for _, r := range s.rules[:min(len(s.rules), maxRules)] {
		if plan := newPlan(r, p.start, p.form, p.zone); plan != nil {
			p.plans = append(p.plans, plan)
		}
	}
	for _, r := range s.exrules[:min(len(s.exrules), maxRules)] {
		if plan := newPlan(r, p.start, p.form, p.zone); plan != nil {
			p.explans = append(p.explans, plan)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// placeRDate adds a start. A date among date-times, or the reverse, has the
// wrong type and is left out (RFC 5545 §3.8.5.2).
func (p *placed) placeRDate(r *rdate) {
	if (r.at.Form == Date) != (p.form == Date) {
		return
	}
	it := item{unix: r.at.place(p.floating), civil: r.at.Wall.Unix()}
	if r.at.zone(p.floating) != p.zone {
		it.civil = p.zone.civil(it.unix)
	}
	if r.len.known {
		sh := p.shape
		sh.setLength(p, r.len, r.at)
		it.shape = &sh
	}
	p.items = append(p.items, it)
}

// placeExdates sorts what is excluded. A date excludes the instances of the
// master's local day; from all-day instances a date-time excludes its date.
func (p *placed) placeExdates() {
	s := p.series
	for i := range s.exdates {
		t := &s.exdates[i]
		if (t.Form == Date) != (p.form == Date) {
			p.exDays = append(p.exDays, t.day())
		} else {
			p.exUnix = append(p.exUnix, t.place(p.floating))
		}
	}
	p.exUnix = sortedUnique(p.exUnix)
	p.exDays = sortedUnique(p.exDays)
}

// ridUnix gives the instant that a RECURRENCE-ID names. One that is a date in
// a timed series, or the reverse, means the instance of that day.
func (p *placed) ridUnix(t *Time) int64 {
	if p.series.master == nil || (t.Form == Date) == (p.form == Date) {
		return t.place(p.floating)
	}
	return p.zone.unix(p.onDay(t))
}

// onDay gives the wall clock of the instance of a day.
func (p *placed) onDay(t *Time) int64 {
	return t.day()*daySeconds + p.start - floorDiv(p.start, daySeconds)*daySeconds
}

// ridCivil gives the wall clock of the instance that a RECURRENCE-ID names: as
// it is written where that is possible, as the clock may skip it.
func (p *placed) ridCivil(t *Time) int64 {
	switch {
	case (t.Form == Date) != (p.form == Date):
		return p.onDay(t)
	case t.Form == p.form && t.zone(p.floating) == p.zone:
		return t.Wall.Unix()
	}
	return p.zone.civil(t.place(p.floating))
}

// placeOverrides sorts the overrides. Of two for one instance the one with the
// greater SEQUENCE counts, then the later one.
func (p *placed) placeOverrides() {
	others := p.series.others
	if len(others) == 0 {
		return
	}
	byRID := make(map[int64]int, len(others))
	for i := range others {
		e := &others[i]
		ov := override{entry: e, hasRID: e.rid != nil}
		if ov.hasRID {
			ov.rid = p.ridUnix(e.rid)
		}
		p.placeOverride(&ov)
		if at, ok := byRID[ov.rid]; ok && ov.hasRID {
			if e.seq >= p.over[at].entry.seq {
				p.over[at] = ov
			}
			continue
		}
		if ov.hasRID {
			byRID[ov.rid] = len(p.over)
			p.overRID = append(p.overRID, ov.rid)
		}
		p.over = append(p.over, ov)
	}
	for i := range p.over {
		ov := &p.over[i]
		p.overMax = max(p.overMax, ov.end-ov.start)
		if ov.hasRID && ov.entry.future && p.series.master != nil {
			p.ranges = append(p.ranges, p.shiftOf(ov))
		}
	}
	slices.Sort(p.overRID)
	slices.SortFunc(p.ranges, func(a, b shifted) int { return cmp.Compare(a.rid, b.rid) })
	slices.SortStableFunc(p.over, func(a, b override) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.rid, b.rid))
	})
}

func (p *placed) placeOverride(ov *override) {
	sh, civil := p.overrideShape(ov)
	cur := newCursor(sh.zone)
	ov.start, _ = cur.place(civil)
	ov.end, ov.wall, ov.wallEnd = sh.end(&cur, ov.start, civil)
}

// overrideShape gives the look of an override and its start in civil seconds.
// One without DTSTART stands where the instance stood.
func (p *placed) overrideShape(ov *override) (shape, int64) {
	e := ov.entry
	if e.own {
		return p.shapeOf(e), e.start.Wall.Unix()
	}
	sh := p.shape
	if p.series.master == nil {
		sh = shape{form: e.rid.Form, zone: e.rid.zone(p.floating)}
	}
	sh.comp = e.comp
	return sh, sh.zone.civil(ov.rid)
}

// shiftOf gives what a THISANDFUTURE override makes of the instances after its
// own: its length, and the distance of its wall clock from the original one. An
// override in UTC says nothing of a zone, so the master's stays.
func (p *placed) shiftOf(ov *override) shifted {
	sh, civil := p.overrideShape(ov)
	if sh.form == UTC && p.form != UTC {
		civil = p.zone.civil(ov.start)
		sh.form, sh.zone = p.form, p.zone
	}
	return shifted{rid: ov.rid, shift: civil - p.ridCivil(ov.entry.rid), shape: sh}
}

// end gives the end of an instance and its wall clocks.
func (sh *shape) end(cur *cursor, unix, civil int64) (end, wall, wallEnd int64) {
	end = unix
	if sh.nominal != 0 {
		end, _ = cur.place(civil + sh.nominal)
	}
	end = max(unix, min(end+sh.exact, maxCivil))
	if sh.form >= Floating {
		return end, civil, civil + sh.wall
	}
	return end, cur.wall(unix), cur.wall(end)
}
