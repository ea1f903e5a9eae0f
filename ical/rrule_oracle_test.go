package ical

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// oracle expands a rule by looking at every day and every period one after the
// other, with package time's calendar only.
type oracle struct {
	r     *rule
	start time.Time
}

func (o oracle) expand(to time.Time) []int64 {
	var all []int64
	left := o.r.count
	if left > 0 && !slices.Contains(o.period(o.start), o.start.Unix()) {
		left-- // DTSTART counts, on the rule or not
		if left == 0 {
			return nil
		}
	}
	for n := int64(0); ; n++ {
		at, ok := o.step(n)
		if !ok || at.After(to.AddDate(0, 0, 7)) {
			return before(all, to)
		}
		for _, c := range o.period(at) {
			if c < o.start.Unix() || c >= to.Unix() && o.r.count == 0 {
				continue
			}
			if o.r.until != nil && c > o.r.until.Wall.Unix() {
				return all
			}
			all = append(all, c)
			if o.r.count > 0 && int64(len(all)) == left {
				return before(all, to)
			}
		}
	}
}

func before(all []int64, to time.Time) []int64 {
	return slices.DeleteFunc(all, func(c int64) bool { return c >= to.Unix() })
}

// step gives a time in the n-th period of the rule.
func (o oracle) step(n int64) (time.Time, bool) {
	n *= o.r.interval
	y, m, d := o.start.Date()
	switch o.r.freq {
	case yearly:
		return time.Date(y+int(n), 1, 1, 0, 0, 0, 0, time.UTC), n < 10000
	case monthly:
		return time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC), n < 120000
	case weekly:
		return time.Date(y, m, d+7*int(n), 0, 0, 0, 0, time.UTC), n < 520000
	case daily:
		return time.Date(y, m, d+int(n), 0, 0, 0, 0, time.UTC), n < 3650000
	case hourly:
		return o.start.Truncate(time.Hour).Add(time.Duration(n) * time.Hour), true
	case minutely:
		return o.start.Truncate(time.Minute).Add(time.Duration(n) * time.Minute), true
	case secondly:
	}
	return o.start.Add(time.Duration(n) * time.Second), true
}

// period gives the instances of the period that at is in.
func (o oracle) period(at time.Time) []int64 {
	r := o.r
	var set []int64
	if r.freq < daily {
		set = o.short(at)
	} else {
		first, last := o.days(at)
		for d := first; !d.After(last); d = d.AddDate(0, 0, 1) {
			if o.day(d) {
				set = append(set, o.times(d)...)
			}
		}
	}
	if len(r.setpos) == 0 {
		return set
	}
	var picked []int64
	for i, c := range set {
		if slices.Contains(r.setpos, i+1) || slices.Contains(r.setpos, i-len(set)) {
			picked = append(picked, c)
		}
	}
	return picked
}

func (o oracle) days(at time.Time) (first, last time.Time) {
	y, m, d := at.Date()
	switch o.r.freq {
	case yearly:
		return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(y, 12, 31, 0, 0, 0, 0, time.UTC)
	case monthly:
		return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC), time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC)
	case weekly:
		first = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		for int(first.Weekday()) != o.r.wkst {
			first = first.AddDate(0, 0, -1)
		}
		return first, first.AddDate(0, 0, 6)
	case daily, hourly, minutely, secondly:
	}
	first = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	return first, first
}

func has(set uint64, n int) bool { return set&(1<<n) != 0 }

// day applies all parts that speak of days, with those that DTSTART fills in.
func (o oracle) day(d time.Time) bool {
	r := o.r
	if r.months != 0 && !has(r.months, int(d.Month())) {
		return false
	}
	monthLen := time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	yearLen := time.Date(d.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay()
	if r.monthDays.set && !r.monthDays.has(d.Day(), monthLen) {
		return false
	}
	if r.yearDays.set && !r.yearDays.has(d.YearDay(), yearLen) {
		return false
	}
	if r.weeks.set {
		week, total := o.week(d)
		if !r.weeks.has(week, total) {
			return false
		}
	}
	byDay := r.weekdays != 0 || len(r.ordinals) > 0
	if byDay {
		return o.weekday(d)
	}
	if r.monthDays.set || r.yearDays.set || r.freq <= daily {
		return true
	}
	switch {
	case r.weeks.set || r.freq == weekly:
		return d.Weekday() == o.start.Weekday()
	case r.freq == yearly && r.months == 0:
		return d.Month() == o.start.Month() && d.Day() == o.start.Day()
	}
	return d.Day() == o.start.Day()
}

// week numbers the week of a day by counting weeks from the start of the year.
func (o oracle) week(d time.Time) (week, total int) {
	first := func(y int) time.Time {
		// The week with 4 January in it is the first.
		t := time.Date(y, 1, 4, 0, 0, 0, 0, time.UTC)
		for int(t.Weekday()) != o.r.wkst {
			t = t.AddDate(0, 0, -1)
		}
		return t
	}
	y := d.Year()
	if d.Before(first(y)) {
		y--
	} else if !d.Before(first(y + 1)) {
		y++
	}
	days := func(a, b time.Time) int { return int(b.Sub(a) / (24 * time.Hour)) }
	return days(first(y), d)/7 + 1, days(first(y), first(y+1)) / 7
}

func (o oracle) weekday(d time.Time) bool {
	r := o.r
	if r.weekdays&(1<<d.Weekday()) != 0 {
		return true
	}
	for _, ord := range r.ordinals {
		if int(ord.weekday) != int(d.Weekday()) {
			continue
		}
		if r.freq < monthly || r.weeks.set {
			return true
		}
		same := func(e time.Time) bool {
			return e.Year() == d.Year() && (r.freq == yearly && r.months == 0 || e.Month() == d.Month())
		}
		fwd, rev := 0, 0
		for e := d; same(e); e = e.AddDate(0, 0, -7) {
			fwd++
		}
		for e := d; same(e); e = e.AddDate(0, 0, 7) {
			rev--
		}
		if int(ord.n) == fwd || int(ord.n) == rev {
			return true
		}
	}
	return false
}

// times gives the times of day of a rule that is daily or rarer.
func (o oracle) times(d time.Time) []int64 {
	var all []int64
	r := o.r
	for h := range 24 {
		if r.hours != 0 && !has(r.hours, h) || r.hours == 0 && h != o.start.Hour() {
			continue
		}
		for m := range 60 {
			if r.minutes != 0 && !has(r.minutes, m) || r.minutes == 0 && m != o.start.Minute() {
				continue
			}
			for s := range 60 {
				if r.seconds != 0 && !has(r.seconds, s) || r.seconds == 0 && s != o.start.Second() {
					continue
				}
				all = append(all, d.Unix()+int64(h*3600+m*60+s))
			}
		}
	}
	return all
}

// short gives the instances of an hour, minute or second, by looking at each
// second of it.
func (o oracle) short(at time.Time) []int64 {
	r := o.r
	n := map[freq]int{hourly: 3600, minutely: 60, secondly: 1}[r.freq]
	if !o.day(at.Truncate(24*time.Hour)) || r.hours != 0 && !has(r.hours, at.Hour()) {
		return nil
	}
	if r.freq < hourly && r.minutes != 0 && !has(r.minutes, at.Minute()) {
		return nil
	}
	var all []int64
	for i := range n {
		t := at.Add(time.Duration(i) * time.Second)
		m, s := t.Minute(), t.Second()
		if r.freq == hourly && (r.minutes == 0 && m != o.start.Minute() || r.minutes != 0 && !has(r.minutes, m)) {
			continue
		}
		if r.freq >= minutely && r.seconds == 0 && s != o.start.Second() || r.seconds != 0 && !has(r.seconds, s) {
			continue
		}
		all = append(all, t.Unix())
	}
	return all
}

// randomRule writes a rule and its start.
func randomRule(rnd *rand.Rand) (string, time.Time) {
	names := []string{"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
	f := freq(rnd.IntN(len(names)))
	start := time.Date(1996+rnd.IntN(40), time.Month(1+rnd.IntN(12)), 1+rnd.IntN(28), rnd.IntN(24), rnd.IntN(60), rnd.IntN(60), 0, time.UTC)
	if rnd.IntN(5) == 0 {
		start = start.AddDate(0, 1, 1-start.Day()).AddDate(0, 0, -1-rnd.IntN(3)) // near the end of a month
	}
	parts := []string{"FREQ=" + names[f]}
	if rnd.IntN(2) == 0 {
		parts = append(parts, fmt.Sprintf("INTERVAL=%d", 1+rnd.IntN([]int{5000, 500, 60, 40, 10, 14, 5}[f])))
	}
	list := func(name string, low, high int, negative bool) {
		var v []string
		for range 1 + rnd.IntN(4) {
			n := low + rnd.IntN(high-low+1)
			if negative && rnd.IntN(2) == 0 {
				n = -n
			}
			v = append(v, fmt.Sprint(n))
		}
		parts = append(parts, name+"="+strings.Join(v, ","))
	}
	if rnd.IntN(3) == 0 {
		list("BYMONTH", 1, 12, false)
	}
	if f != weekly && rnd.IntN(4) == 0 {
		list("BYMONTHDAY", 1, 31, true)
	}
	if rnd.IntN(10) == 0 {
		list("BYYEARDAY", 1, 366, true)
	}
	if f == yearly && rnd.IntN(4) == 0 {
		list("BYWEEKNO", 1, 53, true)
	}
	if rnd.IntN(3) == 0 {
		parts = append(parts, "BYDAY="+randomWeekdays(rnd, f, parts))
	}
	if rnd.IntN(4) == 0 {
		list("BYHOUR", 0, 23, false)
	}
	if rnd.IntN(5) == 0 {
		list("BYMINUTE", 0, 59, false)
	}
	if rnd.IntN(8) == 0 {
		list("BYSECOND", 0, 59, false)
	}
	if rnd.IntN(5) == 0 {
		list("BYSETPOS", 1, 6, true)
	}
	if rnd.IntN(2) == 0 {
		parts = append(parts, "WKST="+weekdayNames[rnd.IntN(7)])
	}
	if rnd.IntN(3) == 0 {
		parts = append(parts, fmt.Sprintf("COUNT=%d", 1+rnd.IntN(60)))
	} else if rnd.IntN(3) == 0 {
		until := start.Add(time.Duration(rnd.IntN([]int{2, 8, 60, 500, 1500, 3000, 5000}[f])) * 24 * time.Hour)
		parts = append(parts, "UNTIL="+until.Format("20060102T150405"))
	}
	return strings.Join(parts, ";"), start
}

func randomWeekdays(rnd *rand.Rand, f freq, parts []string) string {
	var v []string
	for range 1 + rnd.IntN(3) {
		day := weekdayNames[rnd.IntN(7)]
		if f >= monthly && rnd.IntN(2) == 0 {
			n := 1 + rnd.IntN(5)
			if f == yearly && !slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, "BYMONTH=") }) {
				n = 1 + rnd.IntN(53)
			}
			if rnd.IntN(2) == 0 {
				n = -n
			}
			day = fmt.Sprint(n) + day
		}
		v = append(v, day)
	}
	return strings.Join(v, ",")
}

// civilInstances gives what the engine makes of a rule from a time on. DTSTART
// is there only if it is on the rule.
func civilInstances(text string, start, from, to time.Time) []int64 {
	r, err := parseRule(text)
	if err != nil {
		panic(err)
	}
	p := newPlan(r, start.Unix(), Floating, UTCZone)
	if p == nil {
		return nil
	}
	work := 50_000_000
	it := newWalker(p, &work)
	it.seekUntil(from.Unix(), to.Unix()-1)
	var all []int64
	for {
		c, ok := it.next()
		if !ok {
			return all
		}
		all = append(all, c)
	}
}

func TestRandomRulesMatchTheOracle(t *testing.T) {
	n := 500
	if testing.Short() {
		n = 40
	}
	for seed := range uint64(n) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		text, start := randomRule(rnd)
		r, err := parseRule(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		length := map[freq]time.Duration{secondly: 2, minutely: 8, hourly: 60, daily: 500, weekly: 1500, monthly: 3000, yearly: 5000}[r.freq]
		to := start.Add(length * 24 * time.Hour)
		want := oracle{r, start}.expand(to)
		from := start
		if rnd.IntN(2) == 0 {
			from = start.Add(time.Duration(rnd.Int64N(int64(length))) * 24 * time.Hour)
			want = slices.DeleteFunc(want, func(c int64) bool { return c < from.Unix() })
		}
		if got := civilInstances(text, start, from, to); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %s from %s, asked from %s to %s:\n got %s\nwant %s", seed, text, start, from, to, civilText(got), civilText(want))
		}
	}
}

func civilText(list []int64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "(%d)", len(list))
	for _, c := range list[:min(len(list), 12)] {
		b.WriteString(civilTime(c).Format(" 20060102T150405"))
	}
	return b.String()
}
