package store

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"

	"daybook/ical/span"
)

// Collision is an instance or a hold that takes time which somebody else wants
// too.
type Collision struct {
	Owner PrincipalID // of the calendar that it is in
	Row   Row         // Start and End are instants, without buffers; a hold has nothing else
	Hold  uuid.UUID   // uuid.Nil: an instance
}

// Collisions gives the instances and holds that take time of the spans from a resource or
// organisation, in order of their start, at most limit of them: those that
// Taken tells of. except is an object that does not count (0: all do), such as
// the one that is being moved. The spans are ordered by their start; a zero End
// of the last stands for ever. Inside of an Update it sees the writes before it.
// ErrNotFound; ErrInvalid for a principal without a calendar of its own and for
// a span without a beginning or a length.
func (v *View) Collisions(resource PrincipalID, spans []span.Span, except ObjectID, limit int) ([]Collision, error) {
	for _, s := range spans {
		if s.Start.IsZero() || !s.End.IsZero() && s.Empty() {
			return nil, fmt.Errorf("collisions: %w: a span without a beginning or a length", ErrInvalid)
		}
	}
	owners, err := v.timeOwners(resource)
	if err != nil || len(spans) == 0 {
		return nil, err
	}
	w := span.Span{Start: spans[0].Start}
	for _, s := range spans {
		if s.End.IsZero() {
			w.End = s.End
			break
		}
		w.End = later(w.End, s.End)
	}
	var out []Collision
	for i, owner := range owners {
		found, err := v.collisionsIn(owner, w, spans, except, i == 0)
		if err != nil {
			return nil, fmt.Errorf("collisions of principal %d: %w", resource, err)
		}
		out = append(out, found...)
	}
	meets := meeting(spans)
	for _, t := range v.holdsOn(resource, w) {
		if meets(t.start-t.before, t.end+t.after) {
			out = append(out, Collision{Owner: resource, Row: Row{Start: t.start, End: t.end}, Hold: t.id})
		}
	}
	slices.SortFunc(out, func(a, b Collision) int {
		return cmp.Or(cmp.Compare(a.Row.Start, b.Row.Start), cmp.Compare(a.Row.Object, b.Row.Object), cmp.Compare(a.Row.RecurrenceID, b.Row.RecurrenceID))
	})
	return out[:min(len(out), limit)], nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// timeOwners gives whose calendars take time from a resource: its own, and its
// organisation's.
func (v *View) timeOwners(resource PrincipalID) ([]PrincipalID, error) {
	p, err := v.principal(resource)
	if err != nil {
		return nil, fmt.Errorf("busy time of principal %d: %w", resource, err)
	}
	if !p.Kind.Resource() && p.Kind != KindOrganisation {
		return nil, fmt.Errorf("busy time: %w: a %s has none", ErrInvalid, p.Kind)
	}
	if p.Org != p.ID {
		return []PrincipalID{p.ID, p.Org}, nil
	}
	return []PrincipalID{p.ID}, nil
}

// collisionsIn looks at the calendar of one owner.
func (v *View) collisionsIn(owner PrincipalID, w span.Span, spans []span.Span, except ObjectID, buffers bool) ([]Collision, error) {
	c, err := v.Calendar(owner)
	if err != nil {
		return nil, err
	}
	rows, err := v.busyRows(c.ID, w, v.CollectionZone(c), buffers)
	if err != nil {
		return nil, err
	}
	meets := meeting(spans)
	var out []Collision
	for _, r := range rows {
		if r.Object == except {
			continue
		}
		start, end := r.Start, r.End
		if buffers {
			start, end = start-r.Before, end+r.After
		}
		if meets(start, end) {
			out = append(out, Collision{Owner: owner, Row: r})
		}
	}
	return out, nil
}

// meeting gives the test whether a time meets one of the spans, which are
// ordered by their start.
func meeting(spans []span.Span) func(start, end int64) bool {
	starts, latest := make([]int64, len(spans)), make([]int64, len(spans))
	for i, s := range spans {
		var end int64
		starts[i], end = windowSeconds(s)
		if latest[i] = end; i > 0 {
			latest[i] = max(latest[i-1], end)
		}
	}
	return func(start, end int64) bool {
		// Those that begin before the end, the last of them first: the latest
		// end of them decides.
		n := sort.Search(len(starts), func(i int) bool { return starts[i] >= end })
		return n > 0 && latest[n-1] > start
	}
}
