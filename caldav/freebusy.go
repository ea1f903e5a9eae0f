package caldav

import (
	"errors"
	"net/http"
	"time"

	"daybook/caldav/dav"
	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// longestBusy is the longest window of a free-busy answer; a request that is
// open at one end gets as much.
const longestBusy = 5 * 366 * 24 * time.Hour

// freeBusyQuery answers CALDAV:free-busy-query (RFC 4791 §7.10) for a calendar,
// or for all own calendars of a home that are not transparent. The right to
// read busy time is enough.
func (x *exchange) freeBusyQuery(root *dav.Element) error {
	el := root.Child(dav.C("time-range"))
	if el == nil || root.Count(dav.C("time-range")) != 1 {
		return errBadRequest
	}
	w, err := readRange(el, false)
	if errors.Is(err, errFilter) {
		return errBadRequest
	}
	if err != nil {
		return err
	}
	window := closed(*w)
	if window.End.Sub(window.Start) > longestBusy {
		return errMatches
	}
	var busy []ical.Busy
	err = x.view(func(v *store.View) error {
		r, err := x.resolve(v, x.target)
		if err != nil {
			return err
		}
		if err := x.require(r, store.RightFreeBusy); err != nil {
			return err
		}
		busy, err = busyOf(v, r, window)
		return err
	})
	if err != nil {
		return err
	}
	return x.send(http.StatusOK, calendarType, ical.FreeBusy(window, ical.MergeBusy(busy), x.srv.Now()))
}

// closed gives an open window an end.
func closed(w span.Span) span.Span {
	switch {
	case w.Start.IsZero():
		w.Start = w.End.Add(-longestBusy)
	case w.End.IsZero():
		w.End = w.Start.Add(longestBusy)
	}
	return w
}

// busyOf collects the busy time of a calendar or home from the instance index.
func busyOf(v *store.View, r *resource, window span.Span) ([]ical.Busy, error) {
	list := []*store.Collection{r.coll}
	if r.kind == kindHome {
		var err error
		if list, err = v.Collections(r.owner.ID); err != nil {
			return nil, err
		}
	}
	var busy []ical.Busy
	for _, c := range list {
		if r.kind == kindHome && c.Transparent {
			continue
		}
		rows, err := v.Instances(c.ID, window, v.CollectionZone(c))
		if err != nil {
			return nil, err
		}
		for i := range rows {
			row := &rows[i]
			kind := row.Flags.Kind()
			if row.Flags.Busy() == ical.BusyFree || kind != "VEVENT" && kind != "VFREEBUSY" {
				continue
			}
			s := span.Span{Start: time.Unix(row.Start, 0).UTC(), End: time.Unix(row.End, 0).UTC()}.Clip(window)
			if !s.Empty() {
				busy = append(busy, ical.Busy{Span: s, Type: row.Flags.Busy()})
			}
		}
	}
	return busy, nil
}
