package ical

import (
	"math/bits"
	"slices"
	"sort"
)

// walker gives the civil seconds of a plan in rising order, from any place on.
// It must not be copied once it is in use.
type walker struct {
	p      *plan
	limit  int64 // the last civil second that is wanted
	until  int64 // its period
	work   *int  // steps left
	period int64 // the next one
	fruit  int64 // the last period that had an instance, or where the search began
	last   int64 // the last instance given; the next ones are greater
	month  month // the month of the last day looked at

	// The set of the current period: n instances, i of them given.
	n, i  int64
	base  int64   // start of a period shorter than a day
	days  []int64 // day numbers
	picks []int64 // members of the set that BYSETPOS leaves
	few   [8]int64
}

func newWalker(p *plan, work *int) *walker {
	it := &walker{p: p, work: work}
	it.month.last = -1 << 62
	return it
}

// seek goes to the first instance at civil or after it.
func (it *walker) seek(civil int64) { it.seekUntil(civil, maxCivil) }

// seekUntil is seek, with the last civil second that is of interest.
func (it *walker) seekUntil(civil, limit int64) {
	p := it.p
	civil = max(civil, p.start)
	it.limit = min(limit, p.end)
	it.until = p.periodOf(it.limit)
	if p.skip == skipBackward {
		it.until++ // whose first day can be moved into this period
	}
	it.last = civil - 1
	it.n, it.i = 0, 0
	k := (p.periodOf(min(civil, maxCivil)) - p.anchor) / p.interval
	if k > 0 && p.skip == skipForward {
		k-- // whose last day can be moved into this period
	}
	it.period = p.anchor + k*p.interval
	it.fruit = it.period
}

// next gives the next instance; false when there is none up to the limit or
// the work is used up (then *work is negative).
func (it *walker) next() (int64, bool) {
	for {
		for it.i < it.n {
			c := it.at(it.i)
			it.i++
			if c > it.last {
				if c > it.limit {
					it.n = 0
					return 0, false
				}
				it.last = c
				return c, true
			}
		}
		if !it.advance() {
			return 0, false
		}
	}
}

// at gives a member of the current set.
func (it *walker) at(i int64) int64 {
	p := it.p
	if len(p.setpos) > 0 {
		i = it.picks[i]
	}
	if p.freq < daily {
		return it.base + p.timeAt(i)
	}
	if p.perDay == 1 {
		return it.days[i]*daySeconds + p.timeAt(0)
	}
	return it.days[i/p.perDay]*daySeconds + p.timeAt(i%p.perDay)
}

// timeAt gives a member of the product of the times.
func (p *plan) timeAt(i int64) int64 {
	if p.perDay == 1 {
		return p.lists[0][0] + p.lists[1][0] + p.lists[2][0]
	}
	ns, nm := int64(len(p.lists[2])), int64(len(p.lists[1]))
	return p.lists[0][i/ns/nm] + p.lists[1][i/ns%nm] + p.lists[2][i%ns]
}

// nth gives the n-th instance, from 0, of an even plan whose first one was just
// given.
func (it *walker) nth(n int64) int64 {
	p := it.p
	n += it.i - 1
	k := n / it.n
	if k > maxInterval/p.interval {
		return maxCivil
	}
	n -= k * it.n
	it.period, it.until = it.fruit+k*p.interval, p.periodOf(maxCivil)
	if !it.advance() {
		return maxCivil
	}
	return it.at(n)
}

// advance goes to the next period that has instances.
func (it *walker) advance() bool {
	p := it.p
	it.n, it.i = 0, 0
	for {
		if it.period-it.fruit > p.barren || it.period > it.until {
			return false
		}
		if *it.work--; *it.work < 0 {
			return false
		}
		it.days = it.few[:0]
		now := it.period
		if !it.fill() {
			continue
		}
		it.fruit = now
		it.period += p.interval
		if len(p.setpos) > 0 {
			it.pick()
		}
		if it.n > 0 {
			if it.n > 8 && it.at(0) <= it.last {
				it.i = int64(sort.Search(int(it.n), func(i int) bool { return it.at(int64(i)) > it.last }))
			}
			return true
		}
	}
}

// fill finds the days of the current period. When there are none, it goes to
// the next period that may have some and gives false.
func (it *walker) fill() bool {
	p := it.p
	switch p.freq {
	case yearly:
		it.fillYear(it.period)
	case monthly:
		y := floorDiv(it.period, 12)
		m := int(it.period-y*12) + 1
		p.fillMonth(&it.month, y, m, daysOf(y, m, 1))
		it.addMonth()
	case weekly:
		start := p.weekStart(it.period)
		for _, d := range p.weekRun {
			if day := start + int64(d); !p.dayLimits || it.allowed(day) {
				it.days = append(it.days, day)
			}
		}
	case daily:
		if p.dayLimits && !it.allowed(it.period) {
			it.jump(it.nextDay(it.period))
			return false
		}
		it.days = append(it.days, it.period)
	case hourly, minutely, secondly:
		return it.fillShort()
	}
	if len(it.days) == 0 {
		it.period += p.interval
		return false
	}
	it.n = int64(len(it.days)) * p.perDay
	return true
}

func (it *walker) fillYear(y int64) {
	const every = 1<<13 - 2
	months := it.p.months & every
	if it.p.months == 0 {
		months = every
	}
	for ; months != 0; months &= months - 1 {
		m := bits.TrailingZeros64(months)
		it.p.fillMonth(&it.month, y, m, daysOf(y, m, 1))
		it.addMonth()
	}
}

// addMonth adds the days of it.month to the set.
func (it *walker) addMonth() {
	if n := len(it.days); it.month.back && (n == 0 || it.days[n-1] < it.month.first-1) {
		it.days = append(it.days, it.month.first-1)
	}
	for set := it.month.days; set != 0; set &= set - 1 {
		day := it.month.first + int64(bits.TrailingZeros32(set)) - 1
		if n := len(it.days); n == 0 || it.days[n-1] < day {
			it.days = append(it.days, day)
		}
	}
	if it.month.carry {
		it.days = append(it.days, it.month.last+1)
	}
}

// allowed reports whether the plan's limits leave the day.
func (it *walker) allowed(day int64) bool {
	if day < it.month.first || day > it.month.last {
		it.p.monthAt(&it.month, day)
	}
	return it.month.days&(1<<(day-it.month.first+1)) != 0
}

// nextDay gives the next allowed day after the one given, or the first of a
// month not searched yet.
func (it *walker) nextDay(day int64) int64 {
	if rest := it.month.days >> (day - it.month.first + 1); rest != 0 {
		return day + int64(bits.TrailingZeros32(rest))
	}
	return it.month.last + 1
}

// jump goes to the first period of the rule at the period given or after it.
func (it *walker) jump(period int64) {
	p := it.p
	steps := max(1, (period-it.period+p.interval-1)/p.interval)
	it.period += steps * p.interval
}

// fillShort is fill for periods shorter than a day.
func (it *walker) fillShort() bool {
	p := it.p
	unit := p.unit()
	base := it.period * unit
	day := floorDiv(base, daySeconds)
	if p.dayLimits && !it.allowed(day) {
		it.jump(it.nextDay(day) * daySeconds / unit)
		return false
	}
	if p.hourLimit|p.minLimit|p.secondLimit != 0 {
		tod := base - day*daySeconds
		if next := p.nextTime(tod); next != tod {
			it.jump((day*daySeconds + next + unit - 1) / unit)
			return false
		}
	}
	it.base, it.n = base, p.perDay
	return true
}

// nextTime gives the first time of day at tod or later that may be within the
// limits: tod itself if it is.
func (p *plan) nextTime(tod int64) int64 {
	h, m, s := tod/3600, tod/60%60, tod%60
	if !inLimit(p.hourLimit, h) {
		return after(p.hourLimit, h, 24) * 3600
	}
	if p.freq < hourly && !inLimit(p.minLimit, m) {
		return h*3600 + after(p.minLimit, m, 60)*60
	}
	if p.freq < minutely && !inLimit(p.secondLimit, s) {
		return h*3600 + m*60 + after(p.secondLimit, s, 60)
	}
	return tod
}

// after gives the next member of the set after n, end if there is none.
func after(set uint64, n, end int64) int64 {
	if rest := set >> n; rest != 0 {
		return n + int64(bits.TrailingZeros64(rest))
	}
	return end
}

// pick applies BYSETPOS to the current set.
func (it *walker) pick() {
	it.picks = it.picks[:0]
	for _, pos := range it.p.setpos {
		i := int64(pos) - 1
		if pos < 0 {
			i = it.n + int64(pos)
		}
		if i >= 0 && i < it.n {
			it.picks = append(it.picks, i)
		}
	}
	if len(it.picks) > 1 {
		slices.Sort(it.picks)
		it.picks = slices.Compact(it.picks)
	}
	it.n = int64(len(it.picks))
}
