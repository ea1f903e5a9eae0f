package timetap

import (
	"cmp"
	"context"
	"slices"
	"time"

	"daybook/api/rest"
	"daybook/ical/span"
	"daybook/store"
)

// maxEvents bounds the events of one answer.
const maxEvents = 100_000

// calendarRange answers the events of the staff whose shown times intersect the
// days, by start, end and id.
func (s *service) calendarRange(ctx context.Context, in rangeIn) ([]*Event, error) {
	out := []*Event{}
	err := s.view(ctx, func(d *desk) error {
		w, err := d.window(&in)
		if err != nil {
			return err
		}
		all, err := d.staffCalendars(in.Staff)
		if err != nil || len(all) == 0 {
			return err
		}
		own, ok, err := d.calendarOf(d.org)
		if err != nil {
			return err
		}
		if ok { // first: what is in it as well as in a staff member's is a closure
			all = slices.Insert(all, 0, own)
		}
		f, err := d.filter(&in)
		if err != nil {
			return err
		}
		l := listing{desk: d, window: w, filter: f, show: shown{in.Buffer, in.Paid}, seen: map[int64]bool{}, out: out}
		for _, c := range all {
			if err := l.add(ctx, c); err != nil {
				return err
			}
		}
		out = l.out
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b *Event) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.over, b.over), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// window gives the days that are asked for, which are the organisation's.
func (d *desk) window(in *rangeIn) (span.Span, error) {
	end, _ := in.End.Get()
	start, given := in.Start.Get()
	if !given {
		start = day{d.zone.Wall(d.s.now()).Truncate(24 * time.Hour)}
		if end.Before(start.Time) {
			start = end
		}
		if days(start, end) > maxDays {
			return span.Span{}, rest.Invalid("endDate", tooLong)
		}
	}
	return span.Span{Start: d.zone.Instant(start.Time), End: d.zone.Instant(end.AddDate(0, 0, 1))}, nil
}

// listing collects the events of one answer.
type listing struct {
	*desk
	window span.Span
	filter *filter
	show   shown
	seen   map[int64]bool // ids
	out    []*Event
}

// add adds what is in a calendar and not yet in the answer.
func (l *listing) add(ctx context.Context, c calendar) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := l.window
	if l.show.buffer {
		w = span.Span{Start: w.Start.Add(-store.MaxBuffer), End: w.End.Add(store.MaxBuffer)}
	}
	rows, err := l.v.Instances(c.id, w, l.zone)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Flags.Kind() != "VEVENT" || r.Flags&store.RowBlock != 0 && r.Start == r.End {
			continue // a block without length takes no time, and is none
		}
		if err := l.addRow(c, r); err != nil {
			return err
		}
		if len(l.out) > maxEvents {
			return rest.Invalid("endDate", "asks for more events than one answer may have")
		}
	}
	return nil
}

func (l *listing) addRow(c calendar, r store.Row) error {
	o, err := l.s.known.Of(l.v, r.Object)
	if err != nil {
		return err
	}
	p := o.Part(r, l.zone)
	if p == nil {
		return nil // cannot be read: it must not take the others with it
	}
	e := instance{
		start: r.Start, end: r.End, rid: r.RecurrenceID,
		recurs: r.Flags&store.RowRecurs != 0, date: r.Flags&store.RowDate != 0,
		alias: o.Identity.Alias, block: o.Block, remote: r.Flags&store.RowRemote != 0, part: p, owner: c.owner,
	}
	if l.show.buffer {
		e.start, e.end = e.start-p.before, e.end+p.after
		if !intersects(e.start, e.end, l.window) {
			return nil
		}
	}
	id := idOf(e.alias, e.recurs, e.rid)
	if l.seen[id] {
		return nil
	}
	l.seen[id] = true
	if ok, err := l.filter.takes(l.v, &e, o.Object); err != nil || !ok {
		return err
	}
	shownEvent, err := l.render(&e, l.show)
	if err != nil {
		return err
	}
	l.out = append(l.out, &shownEvent)
	return nil
}

// intersects is half-open; what has no length counts when it lies inside.
func intersects(start, end int64, w span.Span) bool {
	from, to := w.Start.Unix(), w.End.Unix()
	if start == end {
		return from <= start && start < to
	}
	return start < to && end > from
}
