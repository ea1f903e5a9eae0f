package ical

import "math/bits"

// plan is a rule bound to its DTSTART and ready to be expanded: all parts that
// the rule leaves out are filled in. It works on civil seconds, and on numbers
// of periods: years, months since year 0, weeks, days, hours, minutes or
// seconds since 1970, by the FREQ.
type plan struct {
	freq     freq
	interval int64
	start    int64 // DTSTART in civil seconds; nothing is before it
	end      int64 // the last civil second that UNTIL, COUNT and the year 9999 leave
	anchor   int64 // period of start
	barren   int64 // after so many periods without an instance there is none any more

	// untilUnix is the last instant, if untilInstant.
	untilUnix    int64
	untilInstant bool
	// unfinished tells that COUNT was too much work to find the end: what
	// comes after end is not known.
	unfinished bool

	// The days.
	months    uint64
	monthDays both
	yearDays  both
	weeks     both
	byDay     bool
	weekdays  uint8
	ordinals  []ordinal
	ordYear   bool // ordinals count in the year, not in the month
	wkst      int
	skip      skip
	dayLimits bool   // some days of a week or less are left out
	weekRun   []int8 // days of a week, counted from its start

	// The times of day, as product of three lists of seconds. Of rules that
	// come more often than once a day, the lists are the time in the period
	// and the sets limit the periods.
	lists                            [3][]int64
	perDay                           int64 // length of the product
	hourLimit, minLimit, secondLimit uint64

	setpos []int
}

// newPlan binds a rule to its start. A rule that can give nothing beside the
// start has no plan.
func newPlan(r *rule, start int64, form Form, zone *Zone) *plan {
	p := &plan{
		freq: r.freq, interval: r.interval, start: start, end: maxCivil,
		months: r.months, monthDays: r.monthDays, yearDays: r.yearDays, weeks: r.weeks,
		byDay: r.weekdays != 0 || len(r.ordinals) > 0, weekdays: r.weekdays, ordinals: r.ordinals,
		wkst: r.wkst, skip: r.skip, setpos: r.setpos,
	}
	if form == Date && p.freq < daily {
		return nil // RFC 5545 §3.3.10 forbids it
	}
	if p.freq < monthly {
		p.skip = skipOmit // days are left out, but none is made that does not exist
	}
	p.setDays()
	p.setTimes(r, form)
	p.anchor = p.periodOf(start)
	p.setBarren()
	if r.until != nil {
		p.end, p.untilUnix, p.untilInstant = r.untilWall(form, zone)
		p.end = min(p.end, maxCivil)
	}
	if !p.reachable() {
		return nil
	}
	if r.count > 0 {
		p.setCount(r)
	}
	return p
}

// setDays fills in the days that follow from DTSTART (RFC 5545 §3.3.10).
func (p *plan) setDays() {
	_, m, d := dateOf(floorDiv(p.start, daySeconds))
	weekday := uint8(1) << weekdayOf(floorDiv(p.start, daySeconds))
	if p.freq < monthly || p.weeks.set {
		// A number has no meaning here.
		for _, o := range p.ordinals {
			p.weekdays |= 1 << o.weekday
		}
		p.ordinals = nil
	}
	named := p.byDay || p.monthDays.set || p.yearDays.set
	switch {
	case named:
	case p.freq == yearly && p.weeks.set, p.freq == weekly:
		p.byDay, p.weekdays = true, weekday
	case p.freq == yearly:
		if p.months == 0 {
			p.months = 1 << m
		}
		p.monthDays.add(d)
	case p.freq == monthly && !p.weeks.set:
		p.monthDays.add(d)
	}
	p.ordYear = p.freq == yearly && p.months == 0
	p.dayLimits = p.months != 0 || p.monthDays.set || p.yearDays.set || p.weeks.set || p.byDay
	if p.freq == weekly {
		p.dayLimits = p.months != 0 || p.monthDays.set || p.yearDays.set || p.weeks.set
		for i := range 7 {
			if !p.byDay || p.weekdays&(1<<((p.wkst+i)%7)) != 0 {
				p.weekRun = append(p.weekRun, int8(i))
			}
		}
	}
}

// setTimes fills in the times of day.
func (p *plan) setTimes(r *rule, form Form) {
	tod := p.start - floorDiv(p.start, daySeconds)*daySeconds
	hours, minutes, seconds := r.hours, r.minutes, r.seconds
	if form == Date {
		hours, minutes, seconds = 0, 0, 0
	}
	if p.freq < daily {
		p.hourLimit, hours = hours, 1
	}
	if p.freq < hourly {
		p.minLimit, minutes = minutes, 1
	}
	if p.freq < minutely {
		p.secondLimit, seconds = seconds, 1
	}
	p.lists[0] = timeList(hours, tod/3600, 3600)
	p.lists[1] = timeList(minutes, tod/60%60, 60)
	p.lists[2] = timeList(seconds, tod%60, 1)
	p.perDay = int64(len(p.lists[0]) * len(p.lists[1]) * len(p.lists[2]))
}

func timeList(set uint64, deflt, unit int64) []int64 {
	if set == 0 {
		return []int64{deflt * unit}
	}
	list := make([]int64, 0, bits.OnesCount64(set))
	for ; set != 0; set &= set - 1 {
		list = append(list, int64(bits.TrailingZeros64(set))*unit)
	}
	return list
}

// unit gives the seconds of a period of fixed length.
func (p *plan) unit() int64 {
	switch p.freq {
	case secondly:
		return 1
	case minutely:
		return 60
	case hourly:
		return 3600
	case daily, weekly, monthly, yearly:
	}
	return daySeconds
}

// periodOf gives the period of civil seconds.
func (p *plan) periodOf(civil int64) int64 {
	switch p.freq {
	case yearly:
		y, _, _ := dateOf(floorDiv(civil, daySeconds))
		return y
	case monthly:
		return monthOf(floorDiv(civil, daySeconds))
	case weekly:
		return floorDiv(floorDiv(civil, daySeconds)+4-int64(p.wkst), 7)
	case daily, hourly, minutely, secondly:
	}
	return floorDiv(civil, p.unit())
}

// weekStart gives the first day of a week.
func (p *plan) weekStart(week int64) int64 { return week*7 - 4 + int64(p.wkst) }

// setBarren bounds the search of rules that never match: days repeat after 400
// years, and steps of the interval meet all that they ever meet within the
// least common multiple.
func (p *plan) setBarren() {
	cycle := int64(cycleDays)
	switch p.freq {
	case yearly:
		cycle = cycleYears
	case monthly:
		cycle = cycleMonths
	case weekly:
		cycle = cycleWeeks
	case daily, hourly, minutely, secondly:
		cycle *= daySeconds / p.unit()
	}
	p.barren = p.interval / gcd(p.interval, cycle) * cycle
	if p.interval > cycle*8 {
		p.barren = maxCivil * 2
	}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// reachable reports whether steps of the interval ever meet a time of day that
// the rule allows: HOURLY;INTERVAL=2 from 9 o'clock never comes to 10.
func (p *plan) reachable() bool {
	if p.freq >= daily || p.hourLimit|p.minLimit|p.secondLimit == 0 {
		return true
	}
	unit := p.unit()
	g := gcd(p.interval, daySeconds/unit)
	rest := p.anchor % g
	if rest < 0 {
		rest += g
	}
	minutes, seconds := int64(60), int64(60)
	if p.freq == hourly {
		minutes = 1
	}
	if p.freq != secondly {
		seconds = 1
	}
	for h := range int64(24) {
		for m := range minutes {
			if !inLimit(p.hourLimit, h) || !inLimit(p.minLimit, m) {
				continue
			}
			for s := range seconds {
				if (h*3600+m*60+s)/unit%g == rest && inLimit(p.secondLimit, s) {
					return true
				}
			}
		}
	}
	return false
}

// inLimit reports whether n is in the set; the empty set limits nothing.
func inLimit(set uint64, n int64) bool { return set == 0 || set&(1<<n) != 0 }
