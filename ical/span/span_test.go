package span

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// size is the number of instants of the model's world.
const size = 60

func at(i int) time.Time { return time.Unix(int64(i), 0).UTC() }

func sp(from, to int) Span { return Span{Start: at(from), End: at(to)} }

// model is the set of instants that a list of spans covers.
type model [size]bool

func modelOf(spans []Span) (m model) {
	for _, s := range spans {
		for i := range m {
			m[i] = m[i] || !at(i).Before(s.Start) && at(i).Before(s.End)
		}
	}
	return m
}

func (m model) combine(o model, f func(a, b bool) bool) model {
	for i := range m {
		m[i] = f(m[i], o[i])
	}
	return m
}

// checkSet reports whether the set is sorted, disjoint, not touching, without
// empty spans, and covers what the model says.
func checkSet(t *testing.T, what string, s Set, want model) {
	t.Helper()
	for i, p := range s {
		if p.Empty() {
			t.Errorf("%s: %v is empty", what, p)
		}
		if i > 0 && !s[i-1].End.Before(p.Start) {
			t.Errorf("%s: %v and %v are not apart", what, s[i-1], p)
		}
	}
	if modelOf(s) != want {
		t.Errorf("%s: %v is wrong", what, s)
	}
}

func randomSpans(rnd *rand.Rand) []Span {
	list := make([]Span, rnd.IntN(8))
	for i := range list {
		from := rnd.IntN(size)
		list[i] = sp(from, from+rnd.IntN(12)-2) // some are empty or reversed
	}
	return list
}

func TestSetsMatchAModelByInstants(t *testing.T) {
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		x, y := randomSpans(rnd), randomSpans(rnd)
		before := slices.Clone(x)
		a, b := Union(x...), Union(y...)
		ma, mb := modelOf(x), modelOf(y)
		if !slices.Equal(x, before) {
			t.Fatal("Union changed its argument")
		}
		checkSet(t, "union", a, ma)
		checkSet(t, "union of both", Union(append(slices.Clone(x), y...)...), ma.combine(mb, func(p, q bool) bool { return p || q }))
		checkSet(t, "difference", a.Subtract(b), ma.combine(mb, func(p, q bool) bool { return p && !q }))
		checkSet(t, "intersection", a.Intersect(b), ma.combine(mb, func(p, q bool) bool { return p && q }))
		window := sp(rnd.IntN(size), rnd.IntN(size))
		mw := modelOf([]Span{window})
		checkSet(t, "clip", a.Clip(window), ma.combine(mw, func(p, q bool) bool { return p && q }))
		if t.Failed() {
			t.Fatalf("seed %d: %v and %v, window %v", seed, x, y, window)
		}
	}
}

func TestSpansOverlapWhenTheyShareAnInstant(t *testing.T) {
	for a := range 6 {
		for b := range 6 {
			for c := range 6 {
				for d := range 6 {
					x, y := sp(a, b), sp(c, d)
					mx, my := modelOf([]Span{x}), modelOf([]Span{y})
					both := mx.combine(my, func(p, q bool) bool { return p && q })
					if got, want := x.Overlaps(y), both != (model{}); got != want {
						t.Errorf("%v overlaps %v: %v", x, y, got)
					}
					if clip := x.Clip(y); modelOf([]Span{clip}) != both {
						t.Errorf("%v clipped by %v is %v", x, y, clip)
					}
					if x.Empty() != (mx == model{}) {
						t.Errorf("%v empty: %v", x, x.Empty())
					}
				}
			}
		}
	}
}

func TestNothingComesOfNothing(t *testing.T) {
	var none Set
	if Union() != nil || none.Subtract(Union(sp(1, 2))) != nil || none.Intersect(none) != nil || none.Clip(sp(1, 2)) != nil {
		t.Error("the empty set is not empty")
	}
}
