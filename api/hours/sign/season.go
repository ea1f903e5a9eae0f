package sign

import (
	"slices"

	"daybook/api/hours"
)

// season is some days in a row that keep one week, but for some of them.
type season struct {
	from, to hours.Date
	week     [7][]Stretch // by weekday
	except   []special
}

// special is some days in a row with the same hours, which are not those of
// the week.
type special struct {
	from, to hours.Date
	open     []Stretch // none: closed
}

// seasonCost is how many days that differ are told rather than another season
// begun.
const seasonCost = 7

// seasons puts the days, which begin at from, into the seasons that need the
// fewest words: each costs as much as some days that differ.
func seasons(days [][]Stretch, from hours.Date) []season {
	ids, kinds := kindsOf(days)
	n := len(days)
	best, begin := make([]int, n+1), make([]int, n+1)
	for i := range best[1:] {
		best[i+1] = n*seasonCost + 1
	}
	counts := make([][7]int, kinds)
	for i := range n { // a season from day i to before day j+1
		clear(counts)
		var most, all [7]int
		differ := 0
		for j := i; j < n; j++ {
			d := (from + hours.Date(j)).Weekday()
			c := &counts[ids[j]][d]
			differ -= all[d] - most[d]
			*c++
			all[d]++
			most[d] = max(most[d], *c)
			differ += all[d] - most[d]
			if cost := best[i] + seasonCost + differ; cost < best[j+1] {
				best[j+1], begin[j+1] = cost, i
			}
		}
	}
	var out []season
	for end := n; end > 0; end = begin[end] {
		out = append(out, seasonOf(days, ids, from, begin[end], end))
	}
	slices.Reverse(out)
	return out
}

// kindsOf numbers the days: those with the same hours have the same number.
func kindsOf(days [][]Stretch) (ids []int, kinds int) {
	known := map[string]int{}
	ids = make([]int, len(days))
	for i, day := range days {
		key := make([]byte, 0, 6*len(day))
		for _, x := range day {
			for _, v := range [...]int32{x.Start, x.End} {
				key = append(key, byte(v>>16), byte(v>>8), byte(v))
			}
		}
		id, ok := known[string(key)]
		if !ok {
			id = len(known)
			known[string(key)] = id
		}
		ids[i] = id
	}
	return ids, len(known)
}

// seasonOf tells the days i to before end as a season.
func seasonOf(days [][]Stretch, ids []int, from hours.Date, i, end int) season {
	s := season{from: from + hours.Date(i), to: from + hours.Date(end-1)}
	var usual [7]int // a day with the hours of the weekday, -1 for none
	for d := range usual {
		usual[d] = -1
		count := map[int]int{}
		for j := i; j < end; j++ {
			if int((from + hours.Date(j)).Weekday()) != d {
				continue
			}
			if count[ids[j]]++; usual[d] < 0 || count[ids[j]] > count[ids[usual[d]]] {
				usual[d] = j
			}
		}
		if usual[d] >= 0 {
			s.week[d] = days[usual[d]]
		}
	}
	differs := func(j int) bool { return ids[j] != ids[usual[(from+hours.Date(j)).Weekday()]] }
	for j := i; j < end; j++ {
		if !differs(j) {
			continue
		}
		last := j
		for k := j + 1; k < end && ids[k] == ids[j]; k++ {
			if differs(k) {
				last = k
			}
		}
		s.except = append(s.except, special{from + hours.Date(j), from + hours.Date(last), days[j]})
		j = last
	}
	return s
}

// group is the weekdays that have the same value, in the order of Monday to
// Sunday.
type group[T any] struct {
	days  []int // 0 is Monday
	value T
}

// groups puts weekdays with equal values together.
func groups[T any](week [7]T, equal func(a, b T) bool) []group[T] {
	var out []group[T]
	for d := range 7 {
		v := week[(d+1)%7]
		i := slices.IndexFunc(out, func(g group[T]) bool { return equal(g.value, v) })
		if i < 0 {
			out = append(out, group[T]{value: v})
			i = len(out) - 1
		}
		out[i].days = append(out[i].days, d)
	}
	return out
}
