package timetap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"daybook/api/blocks"
	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// event answers a list of exactly one event.
func (s *service) event(ctx context.Context, in eventIn) ([]Event, error) {
	return s.find(ctx, in.Type, in.ID, shown{in.Buffer, in.Paid})
}

// eventOf is event for one type, which is in the address.
func (s *service) eventOf(t eventType) func(context.Context, typedIn) ([]Event, error) {
	return func(ctx context.Context, in typedIn) ([]Event, error) {
		return s.find(ctx, t, in.ID, shown{in.Buffer, in.Paid})
	}
}

// find gives the event with the id; for that of a series its first instance.
// store.ErrNotFound, also for one of another type.
func (s *service) find(ctx context.Context, t eventType, id ident, show shown) ([]Event, error) {
	var out []Event
	err := s.view(ctx, func(d *desk) error {
		alias, minute, single := splitID(int64(id))
		if alias == 0 || alias >= maxAlias {
			return store.ErrNotFound
		}
		copies, err := d.copies(alias)
		if err != nil {
			return err
		}
		for _, c := range copies {
			e, err := d.instanceIn(c, minute, single)
			if errors.Is(err, store.ErrNotFound) || err == nil && e.kind() != t {
				continue // another copy may have it
			}
			if err != nil {
				return err
			}
			e.alias = alias
			if show.buffer {
				e.start, e.end = e.start-e.part.before, e.end+e.part.after
			}
			shownEvent, err := d.render(e, show)
			out = []Event{shownEvent}
			return err
		}
		return store.ErrNotFound
	})
	return out, err
}

// held is a copy of an event, with the owner of the calendar that the actor
// sees it in.
type held struct {
	obj   *store.Object
	owner *store.Principal
}

// instanceIn gives the instance of a copy that is in the minute, else its first
// one. store.ErrNotFound when it has none, or cannot be read.
func (d *desk) instanceIn(c held, minute int64, single bool) (*instance, error) {
	data, err := d.v.Data(c.obj.ID)
	if err != nil {
		return nil, err
	}
	o, err := ical.Parse(data, ical.StreamLimits)
	if err != nil {
		return nil, fmt.Errorf("read a stored event: %w: %w", err, store.ErrNotFound)
	}
	var i ical.Instance
	var ok bool
	if single {
		i, ok = instanceAt(o, minute, d.zone)
	} else {
		i, ok = blocks.First(o, d.zone)
	}
	if !ok {
		return nil, store.ErrNotFound
	}
	p := partOf(i.Component)
	return &instance{
		start: i.Start.Unix(), end: i.End.Unix(), rid: i.RecurrenceID.Unix(), recurs: !i.RecurrenceID.IsZero(),
		date: i.Form == ical.Date, block: c.obj.Block, remote: c.obj.Remote != 0, part: &p, owner: c.owner,
	}, nil
}

// copies gives the objects that an alias means, in the order in which their
// calendars count. store.ErrNotFound when there is none, or only in the homes of
// users; store.ErrForbidden when it is others' staff that have them.
func (d *desk) copies(alias uint32) ([]held, error) {
	identity, err := d.v.IdentityByAlias(d.org.ID, alias)
	if err != nil {
		return nil, err
	}
	all, err := d.v.Copies(d.org.ID, identity.UID)
	if err != nil {
		return nil, err
	}
	missing := store.ErrNotFound
	var out []held
	for _, obj := range all {
		if obj.Kind != "VEVENT" {
			continue
		}
		owner, err := d.ownerOf(obj)
		switch {
		case errors.Is(err, store.ErrForbidden):
			missing = err
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return nil, err
		default:
			out = append(out, held{obj, owner})
		}
	}
	if out == nil {
		return nil, missing
	}
	slices.SortStableFunc(out, func(a, b held) int { return rank(b.owner) - rank(a.owner) })
	return out, nil
}

// rank orders whose copy of an event is shown.
func rank(p *store.Principal) int {
	if p.Kind == store.KindOrganisation {
		return 2
	}
	if p.Kind == store.KindStaff {
		return 1
	}
	return 0
}

// ownerOf picks the calendar that an object is shown in: the organisation's,
// else the first staff member's, else another resource's.
func (d *desk) ownerOf(obj *store.Object) (*store.Principal, error) {
	var place, staff *store.Principal
	others := false
	for _, b := range obj.Bindings {
		c, err := d.v.Collection(b.Collection)
		if err != nil {
			return nil, err
		}
		p, err := d.v.Principal(c.Owner)
		if err != nil {
			return nil, err
		}
		switch {
		case p.Kind == store.KindOrganisation: // everybody's time; render hides what is not to be read
			return p, nil
		case p.Kind == store.KindStaff && !d.sees(p):
			others = true
		case p.Kind == store.KindStaff && staff == nil:
			staff = p
		case p.Kind.Resource() && place == nil && d.reads(p):
			place = p
		}
	}
	switch {
	case staff != nil:
		return staff, nil
	case others:
		return nil, store.ErrForbidden
	case place != nil:
		return place, nil
	}
	return nil, store.ErrNotFound
}

// instanceAt gives the instance whose RECURRENCE-ID is in the minute (modulo
// 2^27), wherever an override has moved it.
func instanceAt(o *ical.Object, minute int64, zone *ical.Zone) (found ical.Instance, ok bool) {
	for _, era := range []int64{0, -1, 1} {
		from := time.Unix((minute+era<<minuteBits)*60, 0).UTC()
		if from.Year() < 1 || from.Year() > 9999 {
			continue
		}
		if o.HasInstance(from, zone) {
			return blocks.Find(o, from, zone)
		}
		within := func(t time.Time) bool { return !t.Before(from) && t.Before(from.Add(time.Minute)) }
		for _, c := range o.Main() { // seconds are no part of the id
			if l := c.Line("RECURRENCE-ID"); l != nil {
				if t, err := o.Time(l); err == nil && within(t.Instant(zone)) {
					return blocks.Find(o, t.Instant(zone), zone)
				}
			}
		}
		w := ical.Expand{Window: span.Span{Start: from, End: from.Add(time.Minute)}, Zone: zone}
		// What was found before a limit counts.
		_ = o.EachInstance(w, func(i *ical.Instance) bool {
			if within(i.RecurrenceID) {
				found, ok = *i, true
			}
			return !ok
		})
		if ok {
			return found, true
		}
	}
	return ical.Instance{}, false
}
