package ical

import "math/bits"

// month is a month with the days that a plan allows.
type month struct {
	first, last int64  // day numbers
	days        uint32 // bit 1 is the first day
	carry       bool   // SKIP=FORWARD moves a day to the first of the next month
	back        bool   // SKIP=BACKWARD moves a day to the last of the month before
}

// monthAt fills m for the month of the day.
func (p *plan) monthAt(m *month, day int64) {
	y, mon, d := dateOf(day)
	p.fillMonth(m, y, mon, day-int64(d)+1)
}

// fillMonth fills m for a month whose first day number is known.
func (p *plan) fillMonth(m *month, y int64, mon int, first int64) {
	n := monthDays(y, mon)
	m.first, m.last, m.carry, m.back = first, first+int64(n)-1, false, false
	if p.months != 0 && p.months&(1<<mon) == 0 {
		m.days = 0
		return
	}
	m.days = 1<<(n+1) - 2
	if p.monthDays.set {
		p.limitMonthDays(m, n)
	}
	if p.yearDays.set {
		p.limitYearDays(m, y, mon, n)
	}
	if p.weeks.set {
		p.limitWeeks(m, n)
	}
	if p.byDay {
		p.limitWeekdays(m, y, n)
	}
}

// limitMonthDays applies BYMONTHDAY, and SKIP to days that the month lacks.
func (p *plan) limitMonthDays(m *month, n int) {
	fwd := uint32(p.monthDays.fwd[0])
	all := m.days
	m.days &= fwd | uint32(bits.Reverse64(p.monthDays.rev[0])>>(62-n))
	p.skipDays(m, n, fwd&^all&^1 != 0, p.monthDays.rev[0]>>(n+1) != 0)
}

// skipDays does with the days that do not exist what SKIP says: some after the
// last day of the month, some before the first, which are those that are
// counted from the end.
func (p *plan) skipDays(m *month, n int, after, before bool) {
	switch p.skip {
	case skipBackward:
		if after {
			m.days |= 1 << n
		}
		m.back = m.back || before
	case skipForward:
		if before {
			m.days |= 1 << 1
		}
		m.carry = m.carry || after
	case skipOmit:
	}
}

// limitYearDays applies BYYEARDAY, and SKIP to day 366 of a common year.
func (p *plan) limitYearDays(m *month, y int64, mon, n int) {
	before := int(m.first - daysOf(y, 1, 1))
	total := yearDays(y)
	for d := 1; d <= n; d++ {
		if !p.yearDays.has(before+d, total) {
			m.days &^= 1 << d
		}
	}
	if total < 366 {
		const at, bit = 366 / 64, 1 << (366 % 64)
		p.skipDays(m, n, mon == 12 && p.yearDays.fwd[at]&bit != 0, mon == 1 && p.yearDays.rev[at]&bit != 0)
	}
}

// limitWeeks applies BYWEEKNO. The days of the first and last week that are in
// the neighbour year count in the calendar year that they are in.
func (p *plan) limitWeeks(m *month, n int) {
	for d := 1; d <= n; d++ {
		week, total := weekOf(m.first+int64(d)-1, p.wkst)
		if !p.weeks.has(week, total) {
			m.days &^= 1 << d
		}
	}
}

// weekOf gives the number of the week of a day and the number of weeks of its
// year. The first week of a year is the one with at least four days in it (RFC
// 5545 §3.3.10), so that the fourth day of a week says whose week it is.
func weekOf(day int64, wkst int) (week, total int) {
	fourth := day - int64((weekdayOf(day)-wkst+7)%7) + 3
	y, _, _ := dateOf(fourth)
	at := int(fourth - daysOf(y, 1, 1))
	return at/7 + 1, (yearDays(y)-1-at%7)/7 + 1
}

// sameWeekday has the bits of days 1, 8, 15, 22 and 29.
const sameWeekday = 1<<1 | 1<<8 | 1<<15 | 1<<22 | 1<<29

// limitWeekdays applies BYDAY.
func (p *plan) limitWeekdays(m *month, y int64, n int) {
	first := weekdayOf(m.first)
	var days uint32
	for set := p.weekdays; set != 0; set &= set - 1 {
		days |= sameWeekday << ((bits.TrailingZeros8(set) - first + 7) % 7)
	}
	if len(p.ordinals) > 0 {
		from, length := 0, n // of the year's or the month's days, from 0
		if p.ordYear {
			jan1 := daysOf(y, 1, 1)
			from, length, first = int(m.first-jan1), yearDays(y), weekdayOf(jan1)
		}
		for _, o := range p.ordinals {
			if d := o.day(first, length) - from; d >= 1 && d <= n {
				days |= 1 << d
			}
		}
	}
	if m.carry && p.weekdays&(1<<weekdayOf(m.last+1)) == 0 {
		m.carry = false
	}
	if m.back && p.weekdays&(1<<weekdayOf(m.first-1)) == 0 {
		m.back = false
	}
	m.days &= days
}

// day gives the day, counted from 1, of a span of length days whose first day
// is the weekday given; 0 if there is none.
func (o ordinal) day(first, length int) int {
	at := (int(o.weekday) - first + 7) % 7
	if o.n > 0 {
		d := at + 7*int(o.n-1) + 1
		if d > length {
			return 0
		}
		return d
	}
	last := at + 7*((length-1-at)/7) + 1
	return max(0, last+7*int(o.n+1))
}
