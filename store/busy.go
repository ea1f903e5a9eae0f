package store

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// Busy time: what the instances of a calendar take. Openings are computed from
// it, and a block that must not overlap is checked against it.

const (
	maxBuffer = 24 * time.Hour // a longer X-DAYBOOK-BUFFER- counts as this

	propBufferPrefix = "X-DAYBOOK-BUFFER-"
	propBufferBefore = propBufferPrefix + "BEFORE"
	propBufferAfter  = propBufferPrefix + "AFTER"

	// maxTakenAhead is how far series without end are expanded to see whether
	// time is taken for ever.
	maxTakenAhead = 10 * 366 * day
)

// Taken reports whether any of the span is busy for a resource or organisation:
// by an instance, neither transparent nor cancelled, of its own calendar, widened
// by its buffers, or of its organisation's calendar. A zero End stands for ever;
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
	for _, r := range rows { // before any body is read for its buffers
		if r.Start < to && r.End > from {
			return true, nil
		}
	}
	for _, r := range rows {
		b, err := v.buffer(r.Object)
		if err != nil {
			return false, err
		}
		if r.Start-int64(b.before/time.Second) < to && r.End+int64(b.after/time.Second) > from {
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
	known := map[ObjectID]buffer{}
	out := make([]span.Span, 0, len(rows))
	for _, r := range rows {
		var b buffer
		if buffers {
			var ok bool
			if b, ok = known[r.Object]; !ok {
				if b, err = v.buffer(r.Object); err != nil {
					return nil, err
				}
				known[r.Object] = b
			}
		}
		out = append(out, span.Span{
			Start: time.Unix(r.Start, 0).UTC().Add(-b.before),
			End:   time.Unix(r.End, 0).UTC().Add(b.after),
		})
	}
	return out, nil
}

// busyRows gives the instances that take time of the window, in no promised
// order; with buffers also those whose buffers may. One without end reaches past
// the window.
func (v *View) busyRows(c CollectionID, w span.Span, zone *ical.Zone, buffers bool) ([]Row, error) {
	if buffers {
		w.Start = w.Start.Add(-maxBuffer)
		if !w.End.IsZero() {
			w.End = w.End.Add(maxBuffer)
		}
	}
	from, to := windowSeconds(w)
	var out []Row
	add := func(r Row) {
		if r.Flags.Kind() != "VEVENT" || r.Flags.Busy() == ical.BusyFree || r.Start >= r.End {
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

// buffer is the time that an event takes beside its own.
type buffer struct{ before, after time.Duration }

// buffer reads the buffers of an object: the longest of its components.
func (v *View) buffer(id ObjectID) (b buffer, err error) {
	data, err := v.Data(id)
	if err != nil || !bytes.Contains(data, []byte(propBufferPrefix)) {
		return b, err
	}
	o, err := ical.Parse(data, ical.Limits{})
	if err != nil {
		return b, nil //nolint:nilerr // Check's to report; the event's own time still counts
	}
	for _, c := range o.Main() {
		b.before = max(b.before, bufferLength(c, propBufferBefore))
		b.after = max(b.after, bufferLength(c, propBufferAfter))
	}
	return b, nil
}

// bufferLength reads a duration between nothing and maxBuffer.
func bufferLength(c *ical.Component, name string) time.Duration {
	l := c.Line(name)
	if l == nil {
		return 0
	}
	days, exact, err := ical.ParseDuration(l.Value)
	if err != nil || days < 0 || exact < 0 {
		return 0
	}
	return min(time.Duration(min(days, 1))*24*time.Hour+min(exact, maxBuffer), maxBuffer)
}
