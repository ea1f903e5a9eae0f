package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// Keeping openings computed ahead.

const (
	// refreshStep is how many days one transaction stores.
	refreshStep = 128
	// refreshTries is how often a refresh begins anew when its calendars change
	// under it; then it is left to the next run.
	refreshTries = 3
)

// RefreshOpenings stores the openings of the days, in the zone of the
// resource's calendar, that begin with the one of from: those that are not
// stored or no longer true, some in each transaction. Other days are no longer
// stored then. computed is how many days it stored; 0 when all were there.
// Errors as for Openings.
func (s *Store) RefreshOpenings(ctx context.Context, resource PrincipalID, from time.Time, days int) (computed int, err error) {
	if days < 1 || days > MaxOpeningsDays {
		return 0, fmt.Errorf("openings: %w: between 1 and %d days", ErrInvalid, MaxOpeningsDays)
	}
	for tries := 0; tries < refreshTries; {
		step, err := s.refreshStep(ctx, resource, from, days)
		if err != nil {
			return computed, fmt.Errorf("refresh openings of principal %d: %w", resource, err)
		}
		computed += step.stored
		switch {
		case step.done:
			return computed, nil
		case step.stored == 0:
			tries++
		}
	}
	return computed, nil
}

// refreshing is what one step of a refresh did.
type refreshing struct {
	stored int
	done   bool
}

func (s *Store) refreshStep(ctx context.Context, resource PrincipalID, from time.Time, days int) (out refreshing, err error) {
	var scope *openingsScope
	var fresh map[int64][]byte
	var outside []key
	more := false
	err = s.View(ctx, func(v *View) (err error) {
		if scope, err = v.openingsScope(resource); err != nil {
			return err
		}
		first, last := scope.days(from, days)
		if fresh, more, err = v.freshDays(scope, first, last); err != nil {
			return err
		}
		outside = v.daysOutside(scope.own.collection.ID, first, last, refreshStep)
		return nil
	})
	if err == nil && scope.org != nil && len(fresh) > 0 {
		// A resource's days count only beside those of its organisation. They
		// are there unless something changed since the organisation's turn.
		_, err = s.RefreshOpenings(ctx, scope.principal.Org, from, days)
	}
	if err != nil || len(fresh)+len(outside) == 0 {
		return refreshing{done: true}, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		out = refreshing{}
		now, err := tx.openingsScope(resource)
		if err != nil || now.basis != scope.basis {
			return err
		}
		for _, k := range outside {
			tx.del(k)
		}
		for day, b := range fresh {
			tx.put(openDayKey(scope.own.collection.ID, day), b)
		}
		out = refreshing{stored: len(fresh), done: !more && len(outside) < refreshStep}
		return nil
	})
	if err == nil {
		s.metrics.openings.WithLabelValues("ahead").Add(float64(out.stored))
	}
	return out, err
}

// days gives the days of UTC that are kept for days of the calendar's zone. An
// organisation's are those of any zone.
func (s *openingsScope) days(from time.Time, days int) (first, last int64) {
	if s.org == nil {
		today := dayOf(from.Unix())
		return today - 1, today + int64(days) + 1
	}
	w := daySpan(s.own.zone, from, days)
	return dayOf(w.Start.Unix()), dayOf(w.End.Unix() - 1)
}

// daySpan gives the days from the one of the instant, midnight to midnight.
func daySpan(z *ical.Zone, from time.Time, days int) span.Span {
	y, m, d := z.Wall(from).Date()
	return span.Span{
		Start: z.Instant(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)),
		End:   z.Instant(time.Date(y, m, d+days, 0, 0, 0, 0, time.UTC)),
	}
}

// freshDays computes some of the days that are not stored or no longer true;
// more tells that there are others.
func (v *View) freshDays(scope *openingsScope, first, last int64) (fresh map[int64][]byte, more bool, err error) {
	stored := v.storedDays(scope, first, last)
	fresh = map[int64][]byte{}
	for day := first; day <= last; day++ {
		if stored[day-first] != nil {
			continue
		}
		if len(fresh) >= refreshStep {
			return fresh, true, nil
		}
		from := day
		for day < last && stored[day+1-first] == nil && len(fresh)+int(day-from)+1 < refreshStep {
			day++
		}
		rec, err := v.computeOpenings(scope, daysSpan(from, day))
		if err != nil {
			return nil, false, err
		}
		rec.split(scope, from, day, fresh)
	}
	return fresh, false, nil
}

// split packs the days of a record.
func (r *openingsRecord) split(scope *openingsScope, first, last int64, out map[int64][]byte) {
	d := openingsDay{frame: scope.frame, own: scope.own.token.Seq}
	if scope.org != nil {
		d.org = scope.org.token.Seq
	}
	covered, free := r.covered, r.free
	for day := first; day <= last; day++ {
		w := daysSpan(day, day)
		d.covered, covered = cutDay(covered, w)
		d.free, free = cutDay(free, w)
		out[day] = packDay(day, &d)
	}
}

// cutDay gives the part of a set inside a day, and the spans that reach behind
// it.
func cutDay(set span.Set, day span.Span) (in, rest span.Set) {
	for len(set) > 0 && set[0].Start.Before(day.End) {
		in = append(in, set[0].Clip(day))
		if set[0].End.After(day.End) {
			break
		}
		set = set[1:]
	}
	return in, set
}

// daysOutside gives up to limit keys of stored days that are not from first to
// last.
func (v *View) daysOutside(c CollectionID, first, last int64, limit int) []key {
	var out []key
	take := func(day int64, _ []byte) {
		if len(out) < limit {
			out = append(out, openDayKey(c, day))
		}
	}
	v.eachDay(c, math.MinInt32, first-1, take)
	v.eachDay(c, last+1, math.MaxInt32, take)
	return out
}
