package store

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// Reading the instance index; index.go says how it is made.

// overlaps is the test of RFC 4791 §9.9: an instance without length counts
// when it lies in the window.
func overlaps(start, end, from, to int64) bool {
	if start == end {
		return from <= start && start < to
	}
	return start < to && end > from
}

func windowSeconds(w span.Span) (from, to int64) {
	from, to = -rowBias, int64(rowBias)
	if !w.Start.IsZero() {
		from = w.Start.Unix()
	}
	if !w.End.IsZero() {
		to = w.End.Unix()
		if w.End.Nanosecond() > 0 {
			to++
		}
	}
	return from, to
}

// placed gives the row with instants instead of wall clocks.
func placed(r Row, zone *ical.Zone) Row {
	if r.Flags&RowFloating == 0 {
		return r
	}
	at := func(sec int64) int64 { return zone.Instant(time.Unix(sec, 0).UTC()).Unix() }
	same, length := r.RecurrenceID == r.Start, r.End-r.Start
	if r.Start, r.End = at(r.Start), at(r.End); r.Flags&rowTimed != 0 {
		r.End = r.Start + length
	}
	if r.RecurrenceID = at(r.RecurrenceID); same {
		r.RecurrenceID = r.Start
	}
	return r
}

// eachRow calls fn for the rows of the index in the window, placed, in no
// promised order.
func (v *View) eachRow(c CollectionID, from, to int64, zone *ical.Zone, fn func(Row)) error {
	classes, err := v.classesOf(c)
	if err != nil {
		return err
	}
	for class := range byte(16) {
		if classes&(1<<class) == 0 {
			continue
		}
		lo, hi := from, to
		floating := class&classFloating != 0
		if floating {
			lo, hi = lo-floatPad, hi+floatPad
		}
		if length := classLengths[class&^classFloating]; lo > -rowBias+length {
			lo -= length
		} else {
			lo = -rowBias
		}
		prefix := append(newKey(tableRows).collection(c), class)
		end := appendStart(slices.Clip(prefix), hi)
		if hi >= rowBias {
			end = prefix.after()
		}
		v.r.Scan(appendStart(slices.Clip(prefix), lo), end, func(k, b []byte) bool {
			var r Row
			if r, err = unpackRow(k, b); err != nil {
				return false
			}
			if r = placed(r, zone); overlaps(r.Start, r.End, from, to) {
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

// listed gives the objects of one of the collection's short lists.
func (v *View) listed(table byte, c CollectionID, fn func(o ObjectID, value []byte)) {
	from := newKey(table).collection(c)
	v.r.Scan(from, from.after(), func(k, b []byte) bool {
		fn(ObjectID(u64(k[5:])), b)
		return true
	})
}

// eachExpanded calls fn for the instances that the index has no rows for.
func (v *View) eachExpanded(c CollectionID, from, to int64, zone *ical.Zone, fn func(Row)) error {
	type job struct {
		o       ObjectID
		since   int64  // instances before have rows
		counted []byte // of its rules, as the index keeps it
	}
	var jobs []job
	v.listed(tableDense, c, func(o ObjectID, b []byte) {
		if b[0]&factDense != 0 {
			jobs = append(jobs, job{o, -rowBias, slices.Clone(b[1:])})
		}
	})
	dense := len(jobs)
	// The snapshot's horizon: the store's may have moved on since.
	if to > metaInt(v.r, metaHorizon)-floatPad {
		v.listed(tableEndless, c, func(o ObjectID, b []byte) {
			if until := int64(u64(b)); to > until-floatPad {
				jobs = append(jobs, job{o, until, nil})
			}
		})
	}
	v.s.metrics.fallback.WithLabelValues("dense").Add(float64(dense))
	v.s.metrics.fallback.WithLabelValues("horizon").Add(float64(len(jobs) - dense))
	left := maxExpanded
	give := func(r Row) {
		left--
		fn(r)
	}
	for _, j := range jobs {
		most := max(1, min(left, maxExpandedEach))
		if err := v.expand(j.o, j.since, j.counted, from, to, most, zone, give); err != nil {
			return err
		}
	}
	return nil
}

// Bounds of what one question expands: in all, of one object, and the steps of
// one object.
const (
	maxExpanded     = 200_000
	maxExpandedEach = 50_000
	expandWork      = 500_000
)

// expand gives an object's instances from since on; counted is what the index
// keeps of its rules, most bounds the instances.
func (v *View) expand(id ObjectID, since int64, counted []byte, from, to int64, most int, zone *ical.Zone, fn func(Row)) error {
	o, err := v.parsedObject(id)
	if err != nil {
		v.s.log.Warn("stored object cannot be expanded", "object", uint64(id), "err", err)
		return nil // it is served as bytes and reported by check
	}
	o.SetCounted(counted)
	origin := v.Origin(id)
	booked := bookingFrom(o, origin)
	var last Row
	ask := ical.Expand{Window: span.Span{Start: unixOrZero(max(from, since-2*floatPad)), End: unixOrZero(to)}, Zone: zone, Max: most, Work: expandWork}
	err = o.EachInstance(ask, func(i *ical.Instance) bool {
		r := rowOf(o, i, origin, booked)
		if r.Start < since {
			return true
		}
		r.Object = id
		// The expansion has placed them already.
		r.Start, r.End, r.RecurrenceID = i.Start.Unix(), i.End.Unix(), i.Start.Unix()
		if !i.RecurrenceID.IsZero() {
			r.RecurrenceID = i.RecurrenceID.Unix()
		}
		if overlaps(r.Start, r.End, from, to) {
			fn(r)
			last = r
		}
		return true
	})
	if _, cut := errors.AsType[*ical.LimitError](err); cut {
		v.s.log.Warn("expansion was cut", "object", uint64(id), "err", err)
		if rest, ok := restOf(o, last, to); ok {
			fn(rest)
		}
		return nil
	}
	return err
}

// restOf gives the time behind the last instance of an expansion that was cut,
// as one row: a set that is too dense to be counted is taken to go on, because
// time that is wrongly free would be booked.
func restOf(o *ical.Object, last Row, to int64) (Row, bool) {
	end := to
	if x := o.Extent(); x.Bounded {
		end = min(end, x.Last.Unix())
	}
	if last.Object == 0 || end <= last.End {
		return Row{}, false
	}
	last.Start, last.End, last.RecurrenceID = last.End, end, last.End
	last.Flags |= RowRest
	return last, true
}

func unixOrZero(sec int64) time.Time {
	if sec <= -rowBias || sec >= rowBias {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}

// Instances gives the instances in the window, exact and ordered by Start,
// then object and RECURRENCE-ID; floating ones are placed by the zone (nil:
// UTC), so that Start and End are UTC in all. Objects with undated components
// are not in it, nor what counts for nothing but calendar clients. A zero Start or End of the window is open.
func (v *View) Instances(c CollectionID, w span.Span, zone *ical.Zone) ([]Row, error) {
	zone = utcOr(zone)
	from, to := windowSeconds(w)
	var out []Row
	add := func(r Row) {
		if r.Flags&RowIgnored == 0 {
			out = append(out, r)
		}
	}
	if err := v.eachRow(c, from, to, zone, add); err != nil {
		return nil, err
	}
	if err := v.eachExpanded(c, from, to, zone, add); err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Object, b.Object), cmp.Compare(a.RecurrenceID, b.RecurrenceID))
	})
	return out, nil
}

// BusyTime gives the time that instances in the window take in the collections,
// clipped to it, by RFC 4791 §7.10. It is to be merged (ical.MergeBusy).
func (v *View) BusyTime(ids []CollectionID, w span.Span) ([]ical.Busy, error) {
	var out []ical.Busy
	for _, id := range ids {
		c, err := v.Collection(id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		rows, err := v.Instances(id, w, v.CollectionZone(c))
		if err != nil {
			return nil, err
		}
		for i := range rows {
			r := &rows[i]
			if kind := r.Flags.Kind(); r.Flags.Busy() == ical.BusyFree || kind != "VEVENT" && kind != "VFREEBUSY" {
				continue
			}
			s := span.Span{Start: time.Unix(r.Start, 0).UTC(), End: time.Unix(r.End, 0).UTC()}.Clip(w)
			if !s.Empty() {
				out = append(out, ical.Busy{Span: s, Type: r.Flags.Busy()})
			}
		}
	}
	return out, nil
}

// Find gives the objects of a kind ("" any) that have an instance in the
// window, in order of their numbers, and in undated those that must be looked
// at for every window.
func (v *View) Find(c CollectionID, kind string, w span.Span, zone *ical.Zone) (hits, undated []ObjectID, err error) {
	zone = utcOr(zone)
	from, to := windowSeconds(w)
	add := func(r Row) {
		if kind == "" || r.Flags.Kind() == kind {
			hits = append(hits, r.Object)
		}
	}
	if err := v.eachRow(c, from, to, zone, add); err != nil {
		return nil, nil, err
	}
	if err := v.eachExpanded(c, from, to, zone, add); err != nil {
		return nil, nil, err
	}
	slices.Sort(hits)
	hits = slices.Compact(hits)
	v.listed(tableDense, c, func(o ObjectID, b []byte) {
		if _, hit := slices.BinarySearch(hits, o); b[0]&factUndated != 0 && !hit {
			undated = append(undated, o)
		}
	})
	return hits, undated, nil
}
