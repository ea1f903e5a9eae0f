package slots

import (
	"math"
	"time"

	"daybook/ical/span"
)

// Period is what a limit is counted for.
type Period string

// The periods. They are those of the resource's zone.
const (
	Day   Period = "day"
	Week  Period = "week" // from Monday
	Month Period = "month"
)

// limit is how many bookings of a service may begin in a period.
type limit struct {
	of   Period
	most int
}

func (q *question) limits() (out []limit) {
	if q.r.Service == 0 {
		return nil
	}
	for _, l := range []limit{{Day, q.r.PerDay}, {Week, q.r.PerWeek}, {Month, q.r.PerMonth}} {
		if l.most > 0 {
			out = append(out, l)
		}
	}
	return out
}

// around gives the period of the zone that an instant is in.
func (q *question) around(p Period, at time.Time) span.Span {
	y, m, d := q.zone.Wall(at).Date()
	from := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 0, 1)
	switch p {
	case Week:
		from = from.AddDate(0, 0, -(int(from.Weekday())+6)%7)
		to = from.AddDate(0, 0, 7)
	case Month:
		from = from.AddDate(0, 0, 1-from.Day())
		to = from.AddDate(0, 1, 0)
	case Day:
	}
	return span.Span{Start: q.zone.Instant(from), End: q.zone.Instant(to)}
}

// quota is a limit with the bookings that there are, by the starts of periods.
type quota struct {
	limit
	booked map[int64]int
	full   []span.Span // periods
}

type quotas []quota

// quotas counts the bookings of the service for its limits, in all periods of
// the span.
func (q *question) quotas() (quotas, error) {
	limits := q.limits()
	if len(limits) == 0 {
		return nil, nil
	}
	booked, err := q.booked(span.Span{Start: q.around(Month, q.w.Start).Start.AddDate(0, 0, -7), End: q.around(Month, q.w.End).End.AddDate(0, 0, 7)})
	if err != nil {
		return nil, err
	}
	var out quotas
	for _, l := range limits {
		x := quota{limit: l, booked: map[int64]int{}}
		for _, at := range booked {
			p := q.around(l.of, at)
			if x.booked[p.Start.Unix()]++; x.booked[p.Start.Unix()] == l.most {
				x.full = append(x.full, p)
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// full gives the periods in which no slot may begin any more.
func (all quotas) full() span.Set {
	var out []span.Span
	for _, x := range all {
		out = append(out, x.full...)
	}
	return span.Union(out...)
}

// left gives how many bookings may still begin in the periods around an instant.
func (all quotas) left(q *question, at time.Time) int {
	out := math.MaxInt
	for _, x := range all {
		out = min(out, x.most-x.booked[q.around(x.of, at).Start.Unix()])
	}
	return out
}

// booked gives when the bookings of the service begin, of those that begin in
// a span.
func (q *question) booked(w span.Span) (out []time.Time, err error) {
	all, err := q.v.BusyTimes(q.resource, w)
	for _, b := range all {
		if b.Service == q.r.Service && b.Owner == q.resource && !b.Start.Before(w.Start) && b.Start.Before(w.End) {
			out = append(out, b.Start)
		}
	}
	return out, err
}

// full gives the limits that a booking at an instant would break.
func (q *question) full(at time.Time) (out []Reason, err error) {
	for _, l := range q.limits() {
		p := q.around(l.of, at)
		booked, err := q.booked(p)
		if err != nil {
			return nil, err
		}
		if len(booked) >= l.most {
			out = append(out, Reason{Kind: Limit, Span: p, Period: l.of, Most: l.most})
		}
	}
	return out, nil
}
