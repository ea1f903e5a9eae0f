// Package span is interval arithmetic over instants. A Span is half-open; a
// Set is sorted, disjoint and non-touching. It knows nothing of calendars.
package span

import (
	"slices"
	"time"
)

// Span is the half-open interval [Start, End) of instants.
type Span struct{ Start, End time.Time }

// Empty reports whether no instant lies in the span.
func (s Span) Empty() bool { return !s.Start.Before(s.End) }

// Overlaps reports whether the two spans share an instant. An empty span
// overlaps nothing.
func (s Span) Overlaps(t Span) bool {
	return s.Start.Before(t.End) && t.Start.Before(s.End) && !s.Empty() && !t.Empty()
}

// Clip gives the part of s inside t; it is empty when there is none.
func (s Span) Clip(t Span) Span {
	if s.Start.Before(t.Start) {
		s.Start = t.Start
	}
	if s.End.After(t.End) {
		s.End = t.End
	}
	if s.Empty() {
		s.End = s.Start
	}
	return s
}

// Set is a sorted list of disjoint, non-touching, non-empty spans. The zero
// value is the empty set.
type Set []Span

// Union makes a Set of any spans: sorted, overlapping and touching ones
// merged, empty ones dropped. The argument is not changed.
func Union(spans ...Span) Set {
	in := make([]Span, 0, len(spans))
	for _, s := range spans {
		if !s.Empty() {
			in = append(in, s)
		}
	}
	byStart := func(a, b Span) int { return a.Start.Compare(b.Start) }
	if !slices.IsSortedFunc(in, byStart) {
		slices.SortFunc(in, byStart)
	}
	out := Set(in[:0]) // behind what is still to be read
	for _, s := range in {
		if n := len(out); n > 0 && !out[n-1].End.Before(s.Start) {
			if s.End.After(out[n-1].End) {
				out[n-1].End = s.End
			}
			continue
		}
		out = append(out, s)
	}
	return out.orNil()
}

// orNil gives the empty set as its zero value.
func (s Set) orNil() Set {
	if len(s) == 0 {
		return nil
	}
	return s
}

// Subtract gives the instants of s that are not in t.
func (s Set) Subtract(t Set) Set {
	if len(s) == 0 {
		return nil
	}
	out := make(Set, 0, len(s)+len(t)) // each of t cuts one in two at most
	i := 0
	for _, a := range s {
		for i < len(t) && !a.Start.Before(t[i].End) {
			i++
		}
		for k := i; k < len(t) && t[k].Start.Before(a.End); k++ {
			if a.Start.Before(t[k].Start) {
				out = append(out, Span{a.Start, t[k].Start})
			}
			a.Start = t[k].End
		}
		if !a.Empty() {
			out = append(out, a)
		}
	}
	return out.orNil()
}

// Clip gives the instants of s inside w.
func (s Set) Clip(w Span) Set {
	if w.Empty() {
		return nil
	}
	from, _ := slices.BinarySearchFunc(s, w.Start, func(a Span, t time.Time) int {
		if a.End.After(t) {
			return 1
		}
		return -1
	})
	to := from
	for to < len(s) && s[to].Start.Before(w.End) {
		to++
	}
	out := slices.Clone(s[from:to])
	for i := range out {
		out[i] = out[i].Clip(w)
	}
	return out.orNil()
}

// Intersect gives the instants that are in both sets.
func (s Set) Intersect(t Set) Set {
	var out Set
	i, j := 0, 0
	for i < len(s) && j < len(t) {
		if c := s[i].Clip(t[j]); !c.Empty() {
			out = append(out, c)
		}
		if s[i].End.Before(t[j].End) {
			i++
		} else {
			j++
		}
	}
	return out
}
