package ical

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// countWork bounds the counting of a rule.
const countWork = 500_000

// countEnd is what counting a rule gave: the civil second of its last instance.
type countEnd struct {
	end        int64
	unfinished bool // the work was used up: what comes after end is not known
	work       int  // the steps that it took
}

// setCount turns COUNT into the end that it means, so that later every window
// is reached by arithmetic. Counting goes along the wall clock, so that its
// result is the same in all zones and is kept with the rule; UNTIL is not.
func (p *plan) setCount(r *rule) {
	known := r.counted.Load()
	if known == nil || r.until != nil {
		known = p.count(r.count)
		if r.until == nil {
			r.counted.Store(known)
		}
	}
	p.end, p.unfinished = min(p.end, known.end), known.unfinished
}

// count finds the end. DTSTART counts, on the rule or not.
func (p *plan) count(count int64) *countEnd {
	work := countWork
	it := newWalker(p, &work)
	it.seek(p.start)
	c, ok := it.next()
	if !ok || c != p.start {
		count--
	}
	switch {
	case count == 0:
		return &countEnd{end: p.start - 1}
	case ok && p.even():
		return &countEnd{end: it.nth(count - 1)}
	}
	if perDay := p.evenDays(); ok && perDay > 0 {
		c, count, ok = it.skipDays(c, count, perDay)
	}
	for ok && count > 1 {
		// The rest of a period is counted at once.
		if rest := it.n - it.i; rest > 0 && it.at(it.i) > it.last {
			n := min(rest, count-1)
			it.i += n
			c = it.at(it.i - 1)
			it.last = c
			count -= n
			continue
		}
		c, ok = it.next()
		count--
	}
	found := &countEnd{end: p.end, work: countWork - work}
	switch {
	case ok:
		found.end = c
	case work < 0:
		found.end, found.unfinished = it.last, true
	}
	return found
}

// even reports whether all periods have equally many instances.
func (p *plan) even() bool {
	const first28 = 1<<29 - 2
	days := p.months == 0 || p.freq == yearly
	switch p.freq {
	case yearly, monthly:
		days = days && p.monthDays.set && !p.byDay && !p.yearDays.set && !p.weeks.set &&
			p.monthDays.fwd[0]&^first28 == 0 && p.monthDays.rev == [6]uint64{}
	case weekly, daily, hourly, minutely, secondly:
		days = !p.dayLimits
	}
	return days && p.hourLimit|p.minLimit|p.secondLimit == 0
}

// evenDays gives how many instances every day has that the plan allows; 0 when
// they differ from day to day.
func (p *plan) evenDays() int64 {
	switch p.freq {
	case monthly, yearly:
		return 0
	case weekly:
		if p.interval != 1 || len(p.setpos) > 0 {
			return 0
		}
		return p.perDay
	case daily, hourly, minutely, secondly:
	}
	perDay := daySeconds / p.unit()
	if perDay%p.interval != 0 {
		return 0
	}
	// A day without limits of days shows what each one has.
	day := *p
	day.dayLimits, day.start, day.end = false, floorDiv(p.start, daySeconds)*daySeconds, maxCivil
	end := day.start + daySeconds - 1
	n, work := int64(0), daySeconds
	it := newWalker(&day, &work)
	it.seekUntil(day.start, end)
	for it.advance() {
		if it.at(0) > end {
			break
		}
		n += it.n
	}
	return n
}

// skipDays goes over whole days, and over whole months of them, as long as
// they have fewer instances than are left. c is the instance just given; the
// result is one that was reached and how many are left, it counted.
func (it *walker) skipDays(c, count, perDay int64) (at, left int64, ok bool) {
	// To the end of the day by walking.
	ok = true
	day := floorDiv(c, daySeconds)
	for ok && count > 1 && floorDiv(c, daySeconds) == day {
		c, ok = it.next()
		count--
	}
	if !ok || count <= perDay {
		return c, count, ok
	}
	// c is the first instance of its day.
	day = floorDiv(c, daySeconds)
	for day <= maxCivilDay && count > perDay {
		if *it.work--; *it.work < 0 {
			return c, count, false
		}
		if it.allowed(day) {
			rest := it.month.days >> (day - it.month.first + 1)
			if n := int64(bits.OnesCount32(rest)) * perDay; n < count {
				count -= n
				day = it.month.last + 1
				continue
			}
			count -= perDay
		}
		day = max(day+1, it.nextDay(day+1))
	}
	it.seek(day * daySeconds)
	c, ok = it.next()
	return c, count, ok
}

// keptWork is how many steps make the result of a counting worth being kept.
const keptWork = 1000

// countedRules gives the rules whose counting can be kept.
func (s *series) countedRules() []*rule {
	return append(slices.Clip(s.rules), s.exrules...)
}

// Counted gives what counting the rules with COUNT has found, where that took
// long, for an index to keep; nil if there is nothing. It counts if that was not
// done yet.
func (o *Object) Counted() []byte {
	o.placedIn(nil)
	var b []byte
	for i, r := range o.seriesOf().countedRules() {
		c := r.counted.Load()
		if c == nil || c.work < keptWork {
			continue
		}
		b = binary.AppendUvarint(b, uint64(i))
		b = binary.AppendVarint(b, c.end<<1|int64(btoi(c.unfinished)))
	}
	return b
}

// SetCounted takes what Counted gave for an object with the same bytes, so that
// nothing is counted again. What does not fit is passed over.
func (o *Object) SetCounted(b []byte) {
	if len(b) == 0 {
		return
	}
	rules := o.seriesOf().countedRules()
	for len(b) > 0 {
		i, n := binary.Uvarint(b)
		if n <= 0 || i >= uint64(len(rules)) {
			return
		}
		v, m := binary.Varint(b[n:])
		if m <= 0 || v>>1 > maxCivil || v>>1 < minCivil {
			return
		}
		b = b[n+m:]
		if r := rules[i]; r.count > 0 && r.until == nil {
			r.counted.CompareAndSwap(nil, &countEnd{end: v >> 1, unfinished: v&1 != 0, work: keptWork})
		}
	}
}
