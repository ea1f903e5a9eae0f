package vastal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"daybook/api/auth"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// Opening is a span in which an appointment can begin and end.
type Opening struct {
	StartTime string `json:"start_time" format:"date-time" doc:"UTC."`
	EndTime   string `json:"end_time" format:"date-time"`
}

type openingsOut struct {
	Openings []Opening `json:"openings"`
}

type openingsIn struct {
	Type rest.Opt[string] `query:"appointment_type_id"`
	From rest.Opt[moment] `query:"from"`
	To   rest.Opt[moment] `query:"to"`
}

// Bounds of a question for openings.
const (
	defaultSpan = 7 * wholeDay
	maxSpan     = 366 * wholeDay
)

// window gives the span that is asked for: a week from now unless it is said
// otherwise.
func (in *openingsIn) window(zone *ical.Zone, now time.Time) (span.Span, error) {
	w := span.Span{Start: now.UTC().Truncate(time.Second)}
	if m, ok := in.From.Get(); ok {
		w.Start = m.instant(zone)
	}
	w.End = w.Start.Add(defaultSpan)
	if m, ok := in.To.Get(); ok {
		if w.End = m.instant(zone); m.day {
			w.End = m.after(zone)
		}
	}
	if w.Empty() {
		return w, rest.Invalid("to", "must be later than from")
	}
	if w.End.Sub(w.Start) > maxSpan+wholeDay {
		return w, rest.Invalid("to", fmt.Sprintf("must be at most %d days after from", maxSpan/wholeDay))
	}
	return w, nil
}

// listOpenings answers the availability less busy time, cut by the rules of the
// appointment type.
func (s *service) listOpenings(ctx context.Context, in openingsIn) (out openingsOut, err error) {
	err = s.store.View(ctx, func(v *store.View) error {
		out.Openings = []Opening{}
		org, err := organisationOf(v, auth.Actor(ctx), store.RightRead)
		if err != nil {
			return err
		}
		q := &question{v: v, org: org, now: s.now(), only: in.Type.Or("")}
		if q.window, err = in.window(org.zone, q.now); err != nil {
			return err
		}
		if q.only != "" {
			if q.of, err = typeOf(v, org, q.only); err != nil {
				return err
			}
		}
		free, err := q.free()
		if err != nil {
			return err
		}
		for _, x := range free {
			out.Openings = append(out.Openings, Opening{formatInstant(x.Start), formatInstant(x.End)})
		}
		return nil
	})
	return out, err
}

// typeOf gives the service of an appointment type's id.
func typeOf(v *store.View, org organisation, text string) (*store.Service, error) {
	id, err := parseID(typePrefix, text)
	if err != nil {
		return nil, rest.Invalid("appointment_type_id", "is not known")
	}
	x, err := v.Service(org.ID, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, rest.Invalid("appointment_type_id", "is not known")
	}
	return x, err
}

// question is one question for openings.
type question struct {
	v      *store.View
	org    organisation
	now    time.Time
	window span.Span
	only   string         // id of the type; "": any
	of     *store.Service // nil: any
}

// free gives the openings.
func (q *question) free() (span.Set, error) {
	where, err := calendarFor(q.v, q.org, q.of)
	if err != nil {
		return nil, err
	}
	have, err := q.v.Openings(where.Owner, q.window)
	if err != nil {
		return nil, err
	}
	if q.of == nil {
		return have.Free, nil
	}
	if q.of.Inactive {
		return nil, nil
	}
	closed, err := q.otherTypes()
	if err != nil {
		return nil, err
	}
	near, err := q.besideBusy(where)
	if err != nil {
		return nil, err
	}
	full, err := q.fullDays(where)
	if err != nil {
		return nil, err
	}
	free := have.Free.Subtract(closed).Subtract(near).Subtract(full).Clip(q.bookable())
	var out span.Set
	for _, s := range free {
		if s.End.Sub(s.Start) >= q.of.Length {
			out = append(out, s)
		}
	}
	return out, nil
}

// bookable is the time between the shortest notice and the longest.
func (q *question) bookable() span.Span {
	now := q.now.UTC()
	w := span.Span{Start: now.Add(q.of.MinNotice + time.Second - 1).Truncate(time.Second), End: q.window.End}
	if q.of.MaxAhead > 0 {
		// A start at the last moment is allowed, and has its whole length.
		w.End = now.Add(q.of.MaxAhead + q.of.Length).Truncate(time.Second)
	}
	return w
}

// otherTypes is the time that is offered for other types alone.
func (q *question) otherTypes() (span.Set, error) {
	w, err := readWeek(q.v, q.org)
	if err != nil {
		return nil, err
	}
	var ours, others []span.Span
	first := q.org.zone.Wall(q.window.Start).Truncate(wholeDay).AddDate(0, 0, -1)
	last := q.org.zone.Wall(q.window.End)
	slots := w.slots()
	for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
		for _, s := range slots {
			if !s.active || s.day != day.Weekday() {
				continue
			}
			x := span.Span{Start: q.org.zone.Instant(day.Add(s.start)), End: q.org.zone.Instant(day.Add(s.end))}
			if s.only == "" || s.only == q.only {
				ours = append(ours, x)
			} else {
				others = append(others, x)
			}
		}
	}
	return span.Union(others...).Subtract(span.Union(ours...)), nil
}

// besideBusy is the time that the buffers of the type keep free of what is
// booked: an appointment has its buffer before and after it, so busy time
// reaches further by them.
func (q *question) besideBusy(where *store.Collection) (span.Set, error) {
	before, after := q.of.BufferBefore, q.of.BufferAfter
	if before == 0 && after == 0 {
		return nil, nil
	}
	all, err := q.v.BusyTimes(where.Owner, span.Span{Start: q.window.Start.Add(-before), End: q.window.End.Add(after)})
	if err != nil {
		return nil, err
	}
	busy := make([]span.Span, len(all))
	for i, t := range all {
		busy[i] = span.Span{Start: t.Start.Add(-after), End: t.End.Add(before)}
	}
	return span.Union(busy...), nil
}

// period is one of the periods for which a type can have a limit.
type period struct {
	max   int
	begin func(day time.Time) time.Time // of the period that the day is in
	next  func(begin time.Time) time.Time
}

func (q *question) periods() []period {
	days := func(n int) func(time.Time) time.Time {
		return func(t time.Time) time.Time { return t.AddDate(0, 0, n) }
	}
	return []period{
		{q.of.MaxPerDay, days(0), days(1)},
		{q.of.MaxPerWeek, func(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }, days(7)},
		{q.of.MaxPerMonth, func(t time.Time) time.Time { return t.AddDate(0, 0, 1-t.Day()) }, func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	}
}

// fullDays is the time of the days, weeks (from Monday) and months of the
// organisation's zone that have as many appointments of the type as there may
// be.
func (q *question) fullDays(where *store.Collection) (span.Set, error) {
	var full []span.Span
	starts, err := q.starts(where)
	if err != nil {
		return nil, err
	}
	for _, p := range q.periods() {
		if p.max == 0 {
			continue
		}
		count := map[time.Time]int{}
		for _, t := range starts {
			begin := p.begin(t.Truncate(wholeDay))
			if count[begin]++; count[begin] == p.max {
				full = append(full, span.Span{Start: q.org.zone.Instant(begin), End: q.org.zone.Instant(p.next(begin))})
			}
		}
	}
	return span.Union(full...), nil
}

// starts gives the wall clocks at which appointments of the type begin that take
// time, and those at which time is held for one, in all periods that the window
// touches.
func (q *question) starts(where *store.Collection) ([]time.Time, error) {
	if q.of.MaxPerDay == 0 && q.of.MaxPerWeek == 0 && q.of.MaxPerMonth == 0 {
		return nil, nil
	}
	const month = 32 * wholeDay
	all, err := q.v.BusyTimes(where.Owner, span.Span{Start: q.window.Start.Add(-month), End: q.window.End.Add(month)})
	if err != nil {
		return nil, err
	}
	var out []time.Time
	for _, t := range all {
		if t.Service == store.MarkOf(q.of.UUID) && t.Owner == where.Owner {
			out = append(out, q.org.zone.Wall(t.Start))
		}
	}
	return out, nil
}
