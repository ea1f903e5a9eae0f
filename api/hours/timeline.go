package hours

import (
	"cmp"
	"slices"
	"sort"
)

// Interval is a part of a day that is open; the minutes of both ends are.
type Interval struct{ Start, End Clock }

// Day is the hours of one day.
type Day struct {
	Date        Date
	AllDay      bool // open the whole day, or closed the whole day
	Open        bool
	Exceptional bool       // an exception covers the day
	Exception   string     // its name
	Openings    []Interval // by start, not merged; not to be changed
}

// Timeline is the hours of one service point, day by day: of all its
// calendars, their exceptions cut out of them. It is not changed once made.
type Timeline struct{ runs []run }

// run is some days in a row that one rule gives the hours of.
type run struct {
	from, to Date
	week     *week      // nil in an exception and outside of calendars
	exc      *Exception // with its openings by start
	latest   []Date     // the last day of exc.Openings up to each
}

// NewTimeline makes the timeline of a service point. Where calendars share a
// day, or exceptions of one, the one that begins first counts; that happens by
// edits of calendar clients alone. The calendars are kept and not to be
// changed.
func NewTimeline(calendars []*Calendar) *Timeline {
	order := slices.Clone(calendars)
	slices.SortStableFunc(order, func(a, b *Calendar) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), slices.Compare(a.ID[:], b.ID[:]))
	})
	t := &Timeline{}
	free := MinDate // the first day that is not taken
	for _, c := range order {
		from := max(c.Start, free)
		if from > c.End {
			continue
		}
		t.runs = appendRuns(t.runs, c, from)
		free = c.End + 1
	}
	return t
}

// appendRuns appends the days of a calendar, cut at its exceptions.
func appendRuns(runs []run, c *Calendar, from Date) []run {
	week := weekOf(c.Hours)
	exceptions := make([]*Exception, len(c.Exceptions))
	for i := range c.Exceptions {
		exceptions[i] = &c.Exceptions[i]
	}
	slices.SortStableFunc(exceptions, func(a, b *Exception) int { return cmp.Compare(a.Start, b.Start) })
	for _, e := range exceptions {
		start, end := max(e.Start, from), min(e.End, c.End)
		if start > end {
			continue
		}
		if from < start {
			runs = append(runs, run{from: from, to: start - 1, week: week})
		}
		runs = append(runs, exceptionRun(e, start, end))
		from = end + 1
	}
	if from <= c.End {
		runs = append(runs, run{from: from, to: c.End, week: week})
	}
	return runs
}

func exceptionRun(e *Exception, from, to Date) run {
	sorted := &Exception{Name: e.Name, Start: e.Start, End: e.End}
	for _, s := range e.Openings {
		if !s.Backward() {
			sorted.Openings = append(sorted.Openings, s)
		}
	}
	slices.SortStableFunc(sorted.Openings, func(a, b Span) int { return a.Start.Compare(b.Start) })
	r := run{from: from, to: to, exc: sorted, latest: make([]Date, len(sorted.Openings))}
	latest := MinDate
	for i, s := range sorted.Openings {
		latest = max(latest, s.End.Date)
		r.latest[i] = latest
	}
	return r
}

// search gives the index of the first run that ends on the day or later.
func (t *Timeline) search(d Date) int {
	return sort.Search(len(t.runs), func(i int) bool { return t.runs[i].to >= d })
}

// Day gives the hours of one day.
func (t *Timeline) Day(d Date) Day {
	if i := t.search(d); i < len(t.runs) && t.runs[i].from <= d {
		return t.runs[i].day(d)
	}
	return closed(d)
}

func closed(d Date) Day { return Day{Date: d, AllDay: true} }

func (r *run) day(d Date) Day {
	out := closed(d)
	switch {
	case r.week != nil:
		day := r.week.on(d.Weekday())
		out.Openings, out.AllDay = day.slices, day.allDay
	case r.exc != nil:
		out.Exceptional, out.Exception = true, r.exc.Name
		out.Openings = r.slices(d)
		out.AllDay = fillsDay(out.Openings)
	}
	out.Open = len(out.Openings) > 0
	return out
}

// slices gives what the exception's openings leave of themselves on a day.
func (r *run) slices(d Date) []Interval {
	all := r.exc.Openings
	var out []Interval
	i := sort.Search(len(all), func(i int) bool { return all[i].Start.Date > d })
	for i--; i >= 0 && r.latest[i] >= d; i-- {
		s := all[i]
		if s.End.Date < d {
			continue
		}
		part := Interval{Midnight, LastMinute}
		if s.Start.Date == d {
			part.Start = s.Start.Clock
		}
		if s.End.Date == d {
			part.End = s.End.Clock
		}
		out = append(out, part)
	}
	sortIntervals(out)
	return out
}

// Days gives the days from the first to the last, both included: all of them
// with includeClosed, else those that are open or exceptional. Of these it
// leaves out the first offset and gives at most limit; total counts all. Its
// cost is that of the runs in the range and of the days that are given.
func (t *Timeline) Days(from, to Date, includeClosed bool, offset, limit int) (days []Day, total int) {
	t.pieces(from, to, func(r *run) bool {
		n := r.count(includeClosed)
		total += n
		if offset >= n {
			offset -= n
			return true
		}
		d := r.from
		if r.week != nil && !includeClosed {
			weeks := offset / r.week.open
			d += Date(7 * weeks)
			offset -= weeks * r.week.open
		} else {
			d += Date(offset)
			offset = 0
		}
		for ; d <= r.to && len(days) < limit; d++ {
			if !includeClosed && r.week != nil && len(r.week.on(d.Weekday()).slices) == 0 {
				continue
			}
			if offset > 0 {
				offset--
				continue
			}
			days = append(days, r.day(d))
		}
		return true
	})
	return days, total
}

// pieces calls fn for the runs of a range, cut to it, the days between
// calendars as runs without week and exception.
func (t *Timeline) pieces(from, to Date, fn func(*run) bool) {
	for i := t.search(from); from <= to; i++ {
		if i == len(t.runs) || t.runs[i].from > to {
			fn(&run{from: from, to: to})
			return
		}
		r := t.runs[i]
		if from < r.from && !fn(&run{from: from, to: r.from - 1}) {
			return
		}
		r.from, r.to = max(r.from, from), min(r.to, to)
		if !fn(&r) {
			return
		}
		from = r.to + 1
	}
}

// count gives how many days of the run are listed.
func (r *run) count(includeClosed bool) int {
	n := int(r.to-r.from) + 1
	switch {
	case includeClosed || r.exc != nil:
		return n
	case r.week == nil:
		return 0
	}
	open := n / 7 * r.week.open
	for d := r.from + Date(n/7*7); d <= r.to; d++ {
		if len(r.week.on(d.Weekday()).slices) > 0 {
			open++
		}
	}
	return open
}

// Surrounding gives the latest open day before the day, the day itself, and
// the earliest open day after it, however far they are. Where there is none,
// the neighbouring day stands for it, closed.
func (t *Timeline) Surrounding(d Date) [3]Day {
	out := [3]Day{closed(d - 1), t.Day(d), closed(d + 1)}
	at := t.search(d)
	for i := min(at, len(t.runs)-1); i >= 0; i-- {
		r := &t.runs[i]
		if day, ok := r.lastOpen(min(r.to, d-1)); ok {
			out[0] = r.day(day)
			break
		}
	}
	for i := at; i < len(t.runs); i++ {
		r := &t.runs[i]
		if day, ok := r.firstOpen(max(r.from, d+1)); ok {
			out[2] = r.day(day)
			break
		}
	}
	return out
}

// firstOpen gives the first open day of the run, from the given day of it on.
func (r *run) firstOpen(from Date) (first Date, ok bool) {
	if r.week != nil {
		for d := from; d <= min(r.to, from+6); d++ {
			if len(r.week.on(d.Weekday()).slices) > 0 {
				return d, true
			}
		}
		return 0, false
	}
	for _, s := range r.exc.Openings { // by start, so the first that reaches the day
		if d := max(s.Start.Date, from); d <= min(s.End.Date, r.to) {
			return d, true
		}
	}
	return 0, false
}

// lastOpen gives the last open day of the run, up to the given day of it.
func (r *run) lastOpen(to Date) (last Date, ok bool) {
	if r.week != nil {
		for d := to; d >= max(r.from, to-6); d-- {
			if len(r.week.on(d.Weekday()).slices) > 0 {
				return d, true
			}
		}
		return 0, false
	}
	for _, s := range r.exc.Openings {
		if d := min(s.End.Date, to); d >= max(s.Start.Date, r.from) && (!ok || d > last) {
			last, ok = d, true
		}
	}
	return last, ok
}
