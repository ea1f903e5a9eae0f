package ical

import (
	"cmp"
	"slices"
	"sort"
)

// cand is a member of the recurrence set before overrides.
type cand struct {
	unix, civil int64
	shape       *shape // nil is the master's
	same        int64  // wall clocks from civil to here (not included) have one offset; 0: not known
}

// before reports whether the candidate is the next of two. Of two at one instant
// the one whose wall clock is not skipped counts, which is the later one: its
// nominal length ends on the right day.
func (c *cand) before(o *cand) bool {
	return c.unix < o.unix || c.unix == o.unix && c.civil > o.civil && o.shape == nil
}

// source gives the instants of one rule in order. Wall clocks in a gap are
// placed behind later ones, so that around a gap they are sorted.
type source struct {
	it   walker
	cur  cursor
	plan *plan
	head cand
	ok   bool

	queue []cand // sorted; around a gap
	at    int
}

func (s *source) init(p *plan, zone *Zone, low, high int64, work *int) {
	s.plan, s.cur = p, newCursor(zone)
	s.it.p, s.it.work = p, work
	s.it.month.last = -1 << 62
	s.it.seekUntil(low, high-1)
	s.advance()
}

// advance puts the next instant into head.
func (s *source) advance() {
	for {
		if s.at < len(s.queue) {
			s.head, s.ok = s.queue[s.at], true
			s.at++
		} else {
			civil, ok := s.step()
			if !ok {
				s.ok = false
				return
			}
			unix, gap := s.cur.place(civil)
			if gap {
				s.sortGap(civil, unix)
				continue
			}
			s.head, s.ok = cand{unix: unix, civil: civil, same: s.cur.toW}, true
		}
		if !s.plan.untilInstant || s.head.unix <= s.plan.untilUnix {
			return
		}
	}
}

func (s *source) step() (int64, bool) {
	if *s.it.work--; *s.it.work < 0 {
		return 0, false
	}
	return s.it.next()
}

// sortGap queues what the rule gives from the wall clock in a gap on until the
// instants rise again.
func (s *source) sortGap(civil, unix int64) {
	s.queue, s.at = s.queue[:0], 0
	end := s.cur.zone.gapEnd(civil)
	for ok := true; ok; {
		s.queue = append(s.queue, cand{unix: unix, civil: civil})
		gap := false
		if civil, ok = s.step(); !ok {
			break
		}
		if unix, gap = s.cur.place(civil); !gap && unix >= end {
			s.queue = append(s.queue, cand{unix: unix, civil: civil})
			break
		}
	}
	slices.SortFunc(s.queue, func(a, b cand) int { return cmp.Or(cmp.Compare(a.unix, b.unix), cmp.Compare(b.civil, a.civil)) })
}

// gapEnd gives the instant from which on no wall clock of the gap is placed.
func (z *Zone) gapEnd(civil int64) int64 {
	shift := tailShift(civil)
	i := z.wallIndex(civil - shift)
	if i+1 == len(z.segs) {
		return civil - z.segs[i].offset
	}
	next := z.segs[i+1]
	return next.from + next.offset - z.segs[i].offset + shift
}

// stream gives the recurrence set without its overrides, in order of instants
// and each once: DTSTART, RDATEs and rules less EXDATEs and EXRULEs.
type stream struct {
	p       *placed
	sources []source
	one     [1]source
	item    int
	itemEnd int
	last    int64
	ex, ov  int // first of exUnix, overRID that is not before the last instant
	exIters []*walker
	work    *int
}

// init seeks the wall clocks (in the master's zone) from low to high, the
// latter not included. Instants beside them may come too.
func (s *stream) init(p *placed, low, high int64, work *int) {
	s.p, s.work, s.last = p, work, minCivil*4
	if p.series.master == nil {
		return
	}
	from, to := p.zone.unix(low)-2*daySeconds, p.zone.unix(high)+2*daySeconds
	s.item = sort.Search(len(p.items), func(i int) bool { return p.items[i].unix >= from })
	s.itemEnd = sort.Search(len(p.items), func(i int) bool { return p.items[i].unix > to })
	s.ex, _ = slices.BinarySearch(p.exUnix, from)
	s.ov, _ = slices.BinarySearch(p.overRID, from)
	s.sources = s.one[:0]
	if n := len(p.plans); n == 1 {
		s.sources = s.one[:1]
	} else if n > 1 {
		s.sources = make([]source, n)
	}
	for i, plan := range p.plans {
		s.sources[i].init(plan, p.zone, low, high, work)
	}
	for _, plan := range p.explans {
		s.exIters = append(s.exIters, newWalker(plan, work))
	}
}

// next gives the next member; false at the end or when the work is used up.
func (s *stream) next() (cand, bool) {
	for {
		c, ok := s.first()
		if !ok {
			return c, false
		}
		if c.unix == s.last || s.without(&c) {
			s.last = c.unix
			continue
		}
		s.last = c.unix
		return c, true
	}
}

// first takes the earliest of the items and sources.
func (s *stream) first() (cand, bool) {
	best := -1
	var c cand
	if s.item < s.itemEnd {
		it := &s.p.items[s.item]
		c, best = cand{unix: it.unix, civil: it.civil, shape: it.shape}, len(s.sources)
	}
	for i := range s.sources {
		if src := &s.sources[i]; src.ok && (best < 0 || src.head.before(&c)) {
			c, best = src.head, i
		}
	}
	switch {
	case best < 0:
		return c, false
	case best == len(s.sources):
		s.item++
		*s.work--
	default:
		s.sources[best].advance()
	}
	return c, *s.work >= 0
}

// without reports whether the member is excluded or overridden.
func (s *stream) without(c *cand) bool {
	p := s.p
	for s.ex < len(p.exUnix) && p.exUnix[s.ex] < c.unix {
		s.ex++
	}
	if s.ex < len(p.exUnix) && p.exUnix[s.ex] == c.unix {
		return true
	}
	for s.ov < len(p.overRID) && p.overRID[s.ov] < c.unix {
		s.ov++
	}
	if s.ov < len(p.overRID) && p.overRID[s.ov] == c.unix {
		return true
	}
	if len(p.exDays) > 0 {
		if _, found := slices.BinarySearch(p.exDays, floorDiv(c.civil, daySeconds)); found {
			return true
		}
	}
	for _, it := range s.exIters {
		it.seekUntil(c.civil, c.civil)
		if got, ok := it.next(); ok && got == c.civil && (!it.p.untilInstant || c.unix <= it.p.untilUnix) {
			return true
		}
	}
	return false
}

// unfinished reports whether a rule's COUNT was too much work to follow it to
// the wall clock.
func (p *placed) unfinished(civil int64) bool {
	return slices.ContainsFunc(p.plans, func(pl *plan) bool { return pl.unfinished && pl.end < civil })
}
