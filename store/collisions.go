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
	Row   Row         // Start and End are instants, without buffers; a hold has these and its service alone
	Hold  uuid.UUID   // uuid.Nil: an instance
}

// Want is time that somebody wants to take: an event's own, and what is to be
// kept free beside it, of others' own time but not of what they keep free.
type Want struct {
	span.Span
	Before, After time.Duration
}

// wide gives the time with what is kept free.
func (w Want) wide() span.Span {
	s := span.Span{Start: w.Start.Add(-w.Before), End: w.End}
	if !s.End.IsZero() {
		s.End = s.End.Add(w.After)
	}
	return s
}

// Collisions gives the instances and holds that take time that is wanted from a
// resource or organisation, in order of their start, at most limit of them: those
// that Taken tells of, for what is wanted with nothing beside it. except is an
// object that does not count (0: all do), such as the one that is being moved.
// Wants are ordered by their start; a zero End of the last stands for ever.
// Inside of an Update it sees the writes before it. ErrNotFound; ErrInvalid for a
// principal without a calendar of its own and for a span without a beginning or a
// length.
func (v *View) Collisions(resource PrincipalID, wants []Want, except ObjectID, limit int) ([]Collision, error) {
	for _, s := range wants {
		if s.Start.IsZero() || !s.End.IsZero() && s.Empty() {
			return nil, fmt.Errorf("collisions: %w: a span without a beginning or a length", ErrInvalid)
		}
	}
	owners, err := v.timeOwners(resource)
	if err != nil || len(wants) == 0 {
		return nil, err
	}
	w, meets := around(wants), meeting(wants)
	var out []Collision
	for i, owner := range owners {
		found, err := v.collisionsIn(owner, w, meets, except, i == 0)
		if err != nil {
			return nil, fmt.Errorf("collisions of principal %d: %w", resource, err)
		}
		out = append(out, found...)
	}
	for _, t := range v.holdsOn(resource, w) {
		r := Row{Start: t.start, End: t.end, Before: t.before, After: t.after, Service: t.service}
		if meets(&r) {
			out = append(out, Collision{Owner: resource, Row: r, Hold: t.id})
		}
	}
	slices.SortFunc(out, func(a, b Collision) int {
		return cmp.Or(cmp.Compare(a.Row.Start, b.Row.Start), cmp.Compare(a.Row.Object, b.Row.Object), cmp.Compare(a.Row.RecurrenceID, b.Row.RecurrenceID))
	})
	return out[:min(len(out), limit)], nil
}

// around gives the time from the first to the last of what is wanted, with all
// that is to be kept free.
func around(wants []Want) span.Span {
	w := wants[0].wide()
	for _, s := range wants[1:] {
		s := s.wide()
		if s.Start.Before(w.Start) {
			w.Start = s.Start
		}
		if w.End = later(w.End, s.End); s.End.IsZero() {
			w.End = s.End
			break
		}
	}
	return w
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
func (v *View) collisionsIn(owner PrincipalID, w span.Span, meets func(*Row) bool, except ObjectID, buffers bool) ([]Collision, error) {
	c, err := v.Calendar(owner)
	if err != nil {
		return nil, err
	}
	rows, err := v.busyRows(c.ID, w, v.CollectionZone(c), buffers)
	if err != nil {
		return nil, err
	}
	var out []Collision
	for _, r := range rows {
		if r.Object == except {
			continue
		}
		if !buffers {
			r.Before, r.After = 0, 0
		}
		if meets(&r) {
			out = append(out, Collision{Owner: owner, Row: r})
		}
	}
	return out, nil
}

// meeting gives the test whether an instance meets what is wanted: its time with
// its buffers the span alone, or its time alone the span with what is kept free
// beside it. What two keep free may overlap.
func meeting(wants []Want) func(*Row) bool {
	own, wide := make([]span.Span, len(wants)), make([]span.Span, len(wants))
	for i, w := range wants {
		own[i], wide[i] = w.Span, w.wide()
	}
	slices.SortFunc(wide, func(a, b span.Span) int { return a.Start.Compare(b.Start) })
	meetsOwn, meetsWide := meetingAny(own), meetingAny(wide)
	return func(r *Row) bool { return meetsOwn(r.Start-r.Before, r.End+r.After) || meetsWide(r.Start, r.End) }
}

// meetingAny gives the test whether a time meets one of the spans, which are
// ordered by their start.
func meetingAny(spans []span.Span) func(start, end int64) bool {
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
