// Package slots finds the times at which a resource can be booked, and tells
// why a time cannot be: what the house API answers below slots, explain, holds
// and open-now. It reads a snapshot of the store and knows nothing of HTTP and
// of rights.
package slots

import (
	"fmt"
	"slices"
	"time"

	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// Bounds of a question.
const (
	MaxDays     = 31 // of one question
	MinStep     = time.Minute
	DefaultStep = 15 * time.Minute
)

// Rules are what slots are cut by. Zero values mean that the rule is not there.
type Rules struct {
	Length        time.Duration
	Step          time.Duration // between two starts, by the wall clock from midnight on; 0: DefaultStep
	Before, After time.Duration // kept free of other busy time; may lie outside of the hours
	Notice        time.Duration // from now to the earliest start
	Ahead         time.Duration // from now to the latest start
	PerDay        int           // bookings of the service that begin in a day, a week (from Monday), a month
	PerWeek       int
	PerMonth      int
	Capacity      int               // bookings of the service at once; 0 is one
	Service       store.ServiceMark // whose bookings are counted; 0: of none
}

// RulesOf gives the rules of a service.
func RulesOf(s *store.Service) Rules {
	return Rules{
		Length: s.Length, Step: s.Step, Before: min(s.BufferBefore, store.MaxBuffer), After: min(s.BufferAfter, store.MaxBuffer),
		Notice: s.MinNotice, Ahead: s.MaxAhead, PerDay: s.MaxPerDay, PerWeek: s.MaxPerWeek, PerMonth: s.MaxPerMonth,
		Capacity: s.Capacity, Service: store.MarkOf(s.UUID),
	}
}

func (r *Rules) shared() bool { return r.Capacity > 1 && r.Service != 0 }

// Slot is a time that can be booked.
type Slot struct {
	Start, End time.Time
	Left       int // how many can book it
}

// Found are the slots of one resource.
type Found struct {
	Slots []Slot // by start
	Known bool   // false: no hours say anything about the time asked for
	More  bool   // there are others behind the last
}

// Find gives the first slots of a resource, at most max, that begin in w and
// end in it. Errors as for store.View.Openings.
func Find(v *store.View, resource store.PrincipalID, w span.Span, r Rules, now time.Time, most int) (Found, error) {
	q, err := ask(v, resource, w, r, now)
	if err != nil {
		return Found{}, err
	}
	free, known, err := q.free()
	if err != nil {
		return Found{}, err
	}
	quotas, err := q.quotas()
	if err != nil {
		return Found{}, err
	}
	full := quotas.full()
	out := Found{Known: known}
	first, last := q.starts()
	length := int64(r.Length / time.Second)
	grid := &grid{zone: q.zone, step: q.step()}
	for _, s := range free {
		from, to := max(s.Start.Unix(), first), min(s.End.Unix()-length, last)
		for t := grid.next(from); t <= to; t = grid.next(t + 1) {
			if end := endOf(full, t); end > t {
				t = end - 1
				continue
			}
			if len(out.Slots) == most {
				out.More = true
				return out, nil
			}
			at := time.Unix(t, 0).UTC()
			x := Slot{Start: at, End: at.Add(r.Length), Left: 1}
			if r.shared() {
				x.Left = min(r.Capacity-q.crowd.most(t, t+length), quotas.left(q, at))
			}
			out.Slots = append(out.Slots, x)
		}
	}
	return out, nil
}

// endOf gives the end of the span that a second is in, 0 for none.
func endOf(set span.Set, t int64) int64 {
	i, _ := slices.BinarySearchFunc(set, t, func(s span.Span, t int64) int {
		if s.End.Unix() <= t {
			return -1
		}
		return 1
	})
	if i < len(set) && set[i].Start.Unix() <= t {
		return set[i].End.Unix()
	}
	return 0
}

// question is a question about one resource.
type question struct {
	v        *store.View
	resource store.PrincipalID
	w        span.Span
	r        Rules
	now      time.Time
	zone     *ical.Zone
	busy     []store.BusyTime // of the span and its buffers, when it was needed
	crowd    crowd            // bookings of the service, where several may be at once
}

func ask(v *store.View, resource store.PrincipalID, w span.Span, r Rules, now time.Time) (*question, error) {
	if r.Length < time.Minute || r.Length > MaxDays*24*time.Hour || r.Length%time.Second != 0 {
		return nil, fmt.Errorf("%w: a length is between a minute and %d days, in whole seconds", store.ErrInvalid, MaxDays)
	}
	if r.Step != 0 && (r.Step < MinStep || r.Step > 24*time.Hour || r.Step%time.Second != 0) {
		return nil, fmt.Errorf("%w: a step is between a minute and a day, in whole seconds", store.ErrInvalid)
	}
	if r.Before < 0 || r.After < 0 || r.Before > store.MaxBuffer || r.After > store.MaxBuffer || r.Notice < 0 || r.Ahead < 0 {
		return nil, fmt.Errorf("%w: a buffer is between nothing and a day, and no rule is negative", store.ErrInvalid)
	}
	if w.Empty() || w.End.Sub(w.Start) > (MaxDays+1)*24*time.Hour {
		return nil, fmt.Errorf("%w: a span is between one instant and %d days", store.ErrInvalid, MaxDays)
	}
	c, err := v.Calendar(resource)
	if err != nil {
		return nil, err
	}
	return &question{v: v, resource: resource, w: w, r: r, now: now, zone: v.CollectionZone(c)}, nil
}

func (q *question) step() int64 {
	if q.r.Step == 0 {
		return int64(DefaultStep / time.Second)
	}
	return int64(q.r.Step / time.Second)
}

// starts gives the first and the last second at which notice and window let a
// slot begin.
func (q *question) starts() (first, last int64) {
	earliest := q.now.Add(q.r.Notice)
	first, last = max(q.w.Start.Unix(), earliest.Add(time.Second-1).Unix()), q.w.End.Unix()
	if q.w.Start.Nanosecond() > 0 {
		first = max(first, q.w.Start.Unix()+1)
	}
	if q.r.Ahead > 0 {
		last = min(last, q.now.Add(q.r.Ahead).Unix())
	}
	return first, last
}

// free gives the time in which a slot can lie.
func (q *question) free() (free span.Set, known bool, err error) {
	if !q.r.shared() {
		o, err := q.v.Openings(q.resource, q.w)
		if err != nil || q.r.Before == 0 && q.r.After == 0 {
			return o.Free, o.Known, err
		}
		free, known = o.Free, o.Known
	} else {
		offered, covered, err := q.v.Offered(q.resource, q.w)
		if err != nil {
			return nil, false, err
		}
		free, known = offered, len(covered) > 0
	}
	if err := q.readBusy(); err != nil {
		return nil, false, err
	}
	taken := make([]span.Span, 0, 2*len(q.busy))
	for _, b := range q.busy {
		taken = append(taken, q.beside(&b))
		if q.r.shared() {
			taken = append(taken, span.Span{Start: b.Start.Add(-b.Before), End: b.End.Add(b.After)})
		}
	}
	return free.Subtract(span.Union(taken...)).Subtract(q.crowd.atLeast(q.r.Capacity)), known, nil
}

// beside gives the time in which no slot can lie because of the buffers that
// the rules ask for.
func (q *question) beside(b *store.BusyTime) span.Span {
	return span.Span{Start: b.Start.Add(-q.r.After), End: b.End.Add(q.r.Before)}
}

// readBusy reads the busy time that the span or its buffers touch. Bookings of
// a service that takes several at once are counted apart.
func (q *question) readBusy() error {
	all, err := q.v.BusyTimes(q.resource, span.Span{Start: q.w.Start.Add(-q.r.Before), End: q.w.End.Add(q.r.After)})
	if err != nil {
		return err
	}
	if !q.r.shared() {
		q.busy = all
		return nil
	}
	var ours []span.Span
	for _, b := range all {
		if b.Service == q.r.Service {
			ours = append(ours, q.r.Place(&b))
		} else {
			q.busy = append(q.busy, b)
		}
	}
	q.crowd = crowdOf(ours)
	return nil
}
