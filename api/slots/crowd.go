package slots

import (
	"cmp"
	"slices"
	"time"

	"daybook/ical/span"
	"daybook/store"
)

// Place gives the time in which a booking takes one of the places that the
// capacity of the service gives: its own, and beside it the longer of its buffer
// and the one that the rules ask for.
func (r *Rules) Place(b *store.BusyTime) span.Span {
	return span.Span{Start: b.Start.Add(-max(b.Before, r.After)), End: b.End.Add(max(b.After, r.Before))}
}

// Crowded gives the time that at least so many of the spans share.
func Crowded(spans []span.Span, most int) span.Set { return crowdOf(spans).atLeast(most) }

// crowd is how many of some spans there are at once: from each of its steps to
// the next.
type crowd []crowdStep

type crowdStep struct {
	at int64 // seconds since 1970
	n  int
}

func crowdOf(spans []span.Span) crowd {
	edges := make(crowd, 0, 2*len(spans))
	for _, s := range spans {
		edges = append(edges, crowdStep{s.Start.Unix(), 1}, crowdStep{s.End.Unix(), -1})
	}
	slices.SortFunc(edges, func(a, b crowdStep) int { return cmp.Compare(a.at, b.at) })
	var out crowd
	n := 0
	for _, e := range edges {
		n += e.n
		if last := len(out) - 1; last >= 0 && out[last].at == e.at {
			out[last].n = n
		} else {
			out = append(out, crowdStep{e.at, n})
		}
	}
	return out
}

// atLeast gives the time in which there are so many, of one or more.
func (c crowd) atLeast(most int) span.Set {
	var out []span.Span
	for i, s := range c {
		if s.n >= most && i+1 < len(c) {
			out = append(out, span.Span{Start: time.Unix(s.at, 0).UTC(), End: time.Unix(c[i+1].at, 0).UTC()})
		}
	}
	return span.Union(out...)
}

// most gives how many there are at once, at most, between two seconds.
func (c crowd) most(from, to int64) (most int) {
	first, _ := slices.BinarySearchFunc(c, from, func(s crowdStep, t int64) int { return cmp.Compare(s.at, t+1) })
	for _, s := range c[max(first-1, 0):] { // the step before begins at from, or earlier
		if s.at >= to {
			break
		}
		most = max(most, s.n)
	}
	return most
}
