package hours

import (
	"cmp"
	"slices"
	"time"
)

// OverlappingHours gives the indices of the openings that share a minute of
// the week with another.
func OverlappingHours(all []Opening) []int {
	type part struct {
		Slice
		of int
	}
	var days [7][]part
	for i, o := range all {
		for _, s := range o.Slices() {
			days[s.Day] = append(days[s.Day], part{s, i})
		}
	}
	marks := make([]bool, len(all))
	for _, day := range days {
		slices.SortFunc(day, func(a, b part) int { return cmp.Compare(a.Start, b.Start) })
		sweep(len(day), func(i int) (start, end Clock) { return day[i].Start, day[i].End },
			cmp.Compare[Clock], func(i int) { marks[day[i].of] = true })
	}
	return marked(marks)
}

// OverlappingExceptions gives the indices of the exceptions that share a day
// with another. Those that end before they start share none.
func OverlappingExceptions(all []Exception) []int {
	order := indices(len(all), func(i int) bool { return all[i].Start <= all[i].End })
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(all[i].Start, all[j].Start) })
	marks := make([]bool, len(all))
	sweep(len(order), func(i int) (start, end Date) { return all[order[i]].Start, all[order[i]].End },
		cmp.Compare[Date], func(i int) { marks[order[i]] = true })
	return marked(marks)
}

// SpansOverlap reports whether two of the spans share a minute. Those that end
// before they start share none.
func SpansOverlap(all []Span) bool {
	order := indices(len(all), func(i int) bool { return !all[i].Backward() })
	slices.SortFunc(order, func(i, j int) int { return all[i].Start.Compare(all[j].Start) })
	found := false
	sweep(len(order), func(i int) (start, end Moment) {
		return all[order[i]].Start.Minute(), all[order[i]].End.Minute()
	}, Moment.Compare, func(int) { found = true })
	return found
}

// sweep calls mark for each of n closed intervals, ordered by their start,
// that meets another.
func sweep[T any](n int, at func(int) (start, end T), compare func(a, b T) int, mark func(int)) {
	var latest T // end of those before
	for i := range n {
		start, end := at(i)
		if i > 0 && compare(latest, start) >= 0 {
			mark(i)
		}
		if i == 0 || compare(end, latest) > 0 {
			latest = end
		}
		if i+1 < n {
			if next, _ := at(i + 1); compare(end, next) >= 0 {
				mark(i)
			}
		}
	}
}

func indices(n int, want func(int) bool) []int {
	var out []int
	for i := range n {
		if want(i) {
			out = append(out, i)
		}
	}
	return out
}

func marked(marks []bool) []int { return indices(len(marks), func(i int) bool { return marks[i] }) }

// week is the weekly hours of a calendar by day.
type week struct {
	days [7]dayHours
	open int // days with hours
}

type dayHours struct {
	slices []Interval
	allDay bool
}

func weekOf(all []Opening) *week {
	w := &week{}
	for _, o := range all {
		for _, s := range o.Slices() {
			d := &w.days[s.Day]
			d.slices = append(d.slices, Interval{s.Start, s.End})
		}
	}
	for i := range w.days {
		d := &w.days[i]
		sortIntervals(d.slices)
		d.allDay = fillsDay(d.slices)
		if len(d.slices) > 0 {
			w.open++
		}
	}
	return w
}

func (w *week) on(d time.Weekday) *dayHours { return &w.days[d] }

func sortIntervals(all []Interval) {
	slices.SortFunc(all, func(a, b Interval) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
}

// fillsDay reports whether a day has no closed minute, by its slices in order;
// without slices it is closed all day, which counts too.
func fillsDay(all []Interval) bool {
	if len(all) == 0 {
		return true
	}
	var open Clock // the first minute that is not known to be open
	for _, s := range all {
		if s.Start.Minute() > open {
			return false
		}
		open = max(open, s.End.Minute()+60)
	}
	return open > LastMinute
}
