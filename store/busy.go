package store

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
	"daybook/ical/span"
)

// Busy time: what the instances of a calendar take. Openings are computed from
// it, and a block that must not overlap is checked against it.

const (
	// maxTakenAhead is how far series without end are expanded to see whether
	// time is taken for ever.
	maxTakenAhead = 10 * 366 * day
)

// Taken reports whether any of the span is busy for a resource or organisation:
// by an instance, neither transparent nor cancelled, of its own calendar, widened
// by its buffers, of its organisation's calendar, or by a hold. A zero End stands for ever;
// a block without end takes all time from its start. Inside of an Update it sees
// the writes before it. ErrNotFound; ErrInvalid for a principal without a
// calendar of its own and for an empty span.
func (v *View) Taken(resource PrincipalID, w span.Span) (bool, error) {
	if w.Start.IsZero() || !w.End.IsZero() && w.Empty() {
		return false, fmt.Errorf("busy time: %w: a span without a beginning or a length", ErrInvalid)
	}
	owners, err := v.timeOwners(resource)
	if err != nil {
		return false, err
	}
	if len(v.holdsOn(resource, w)) > 0 {
		return true, nil
	}
	for i, owner := range owners {
		c, err := v.Calendar(owner)
		if err != nil {
			return false, fmt.Errorf("busy time of principal %d: %w", resource, err)
		}
		taken, err := v.takenIn(c.ID, w, v.CollectionZone(c), i == 0)
		if taken || err != nil {
			return taken, err
		}
	}
	return false, nil
}

// takenIn looks at one collection. What lies ahead without end is looked at in
// growing steps: what is near is found without reading what is far.
func (v *View) takenIn(c CollectionID, w span.Span, zone *ical.Zone, buffers bool) (bool, error) {
	if !w.End.IsZero() {
		return v.takenSpan(c, w, zone, buffers)
	}
	for _, days := range []int{1, 8, 64, 512} {
		end := w.Start.AddDate(0, 0, days)
		taken, err := v.takenSpan(c, span.Span{Start: w.Start, End: end}, zone, buffers)
		if taken || err != nil {
			return taken, err
		}
		w.Start = end
	}
	return v.takenSpan(c, w, zone, buffers)
}

func (v *View) takenSpan(c CollectionID, w span.Span, zone *ical.Zone, buffers bool) (bool, error) {
	rows, err := v.busyRows(c, w, zone, buffers)
	if err != nil {
		return false, err
	}
	from, to := windowSeconds(w)
	for _, r := range rows {
		if !buffers {
			r.Before, r.After = 0, 0
		}
		if r.Start-r.Before < to && r.End+r.After > from {
			return true, nil
		}
	}
	return false, nil
}

// busyTime gives the time that the collection's instances take, each widened
// by the buffers of its object when buffers is set.
func (v *View) busyTime(src *openingsSource, w span.Span, buffers bool) ([]span.Span, error) {
	rows, err := v.busyRows(src.collection.ID, w, src.zone, buffers)
	if err != nil {
		return nil, err
	}
	out := make([]span.Span, 0, len(rows))
	for _, r := range rows {
		if !buffers {
			r.Before, r.After = 0, 0
		}
		out = append(out, span.Span{Start: time.Unix(r.Start-r.Before, 0).UTC(), End: time.Unix(r.End+r.After, 0).UTC()})
	}
	return out, nil
}

// BusyTime is time of a resource that is taken, and by what.
type BusyTime struct {
	span.Span                   // of the instance or hold itself
	Before, After time.Duration // what it takes beside
	Owner         PrincipalID   // whose calendar it is in: the resource or its organisation
	Hold          uuid.UUID     // uuid.Nil: an instance
	Row           Row           // of an instance
	Service       ServiceMark   // that was booked; a block books none
}

// BusyTimes gives what Taken looks at, ordered by start: all that takes any of
// the span, with its buffers. The span has a start and an end. Errors as for
// Taken.
func (v *View) BusyTimes(resource PrincipalID, w span.Span) ([]BusyTime, error) {
	if w.Start.IsZero() || w.Empty() {
		return nil, fmt.Errorf("busy time: %w: a span without a beginning or an end", ErrInvalid)
	}
	scope, err := v.openingsScope(resource)
	if err != nil {
		return nil, fmt.Errorf("busy time of principal %d: %w", resource, err)
	}
	from, to := windowSeconds(w)
	var out []BusyTime
	for _, src := range scope.sources() {
		rows, err := v.busyRows(src.collection.ID, w, src.zone, src == &scope.own)
		if err != nil {
			return nil, fmt.Errorf("busy time of principal %d: %w", resource, err)
		}
		out = slices.Grow(out, len(rows))
		for _, r := range rows {
			if src != &scope.own {
				r.Before, r.After = 0, 0
			}
			if r.Start-r.Before < to && r.End+r.After > from {
				out = append(out, busyTimeOf(src.collection.Owner, r))
			}
		}
	}
	for _, t := range v.holdsOn(resource, w) {
		out = append(out, BusyTime{
			Span:   span.Span{Start: time.Unix(t.start, 0).UTC(), End: time.Unix(t.end, 0).UTC()},
			Before: time.Duration(t.before) * time.Second, After: time.Duration(t.after) * time.Second,
			Owner: resource, Hold: t.id, Service: t.service,
		})
	}
	slices.SortStableFunc(out, func(a, b BusyTime) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Row.Object, b.Row.Object), bytes.Compare(a.Hold[:], b.Hold[:]))
	})
	return out, nil
}

func busyTimeOf(owner PrincipalID, r Row) BusyTime {
	if r.Flags&RowBlock != 0 {
		r.Service = 0 // a block may name a service, and takes its time all the same
	}
	return BusyTime{
		Span:   span.Span{Start: time.Unix(r.Start, 0).UTC(), End: time.Unix(r.End, 0).UTC()},
		Before: time.Duration(r.Before) * time.Second, After: time.Duration(r.After) * time.Second,
		Owner: owner, Row: r, Service: r.Service,
	}
}

// busyRows gives the instances that take time of the window, in no promised
// order; with buffers also those whose buffers may. One without end reaches past
// the window.
func (v *View) busyRows(c CollectionID, w span.Span, zone *ical.Zone, buffers bool) ([]Row, error) {
	if buffers {
		w.Start = w.Start.Add(-MaxBuffer)
		if !w.End.IsZero() {
			w.End = w.End.Add(MaxBuffer)
		}
	}
	from, to := windowSeconds(w)
	var out []Row
	add := func(r Row) {
		if !r.TakesTime() {
			return
		}
		if r.Flags&rowOpenEnded != 0 {
			r.End = max(r.End, min(to, rowBias-1))
		}
		out = append(out, r)
	}
	if err := v.eachRow(c, from, to, zone, add); err != nil {
		return nil, err
	}
	if err := v.eachExpanded(c, from, min(to, from+maxTakenAhead), zone, add); err != nil {
		return nil, err
	}
	return out, v.eachEndlessBlock(c, from, zone, add)
}

// eachEndlessBlock calls fn for the instances without end that the index says to
// be over at the instant: their rows end after ten years.
func (v *View) eachEndlessBlock(c CollectionID, at int64, zone *ical.Zone, fn func(Row)) error {
	st, err := v.State(c)
	if err != nil {
		return err
	}
	const longest = byte(len(classLengths) - 1)
	for _, class := range []byte{longest, longest + classFloating} {
		if st.classes&(1<<class) == 0 {
			continue
		}
		prefix := append(newKey(tableRows).collection(c), class)
		v.r.Scan(prefix, appendStart(slices.Clip(prefix), at), func(k, b []byte) bool {
			var r Row
			if r, err = unpackRow(k, b); err != nil {
				return false
			}
			if r = placed(r, zone); r.Flags&rowOpenEnded != 0 && r.End <= at {
				fn(r)
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}
