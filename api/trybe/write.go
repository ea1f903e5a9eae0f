package trybe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

func (s *service) mayCreate(ctx context.Context, in createIn) error {
	return s.mayUse(ctx, in.Site, store.RightWrite)
}

// create makes one block, in the calendar of each target; with a recurrence
// one that recurs. The answer is the earliest instance.
func (s *service) create(ctx context.Context, in createIn) (one, error) {
	id, _ := in.Site.Get()
	var at site
	var where spots
	var faults rest.Faults
	err := s.store.View(ctx, func(v *store.View) (err error) {
		if at, err = siteOf(v, auth.Actor(ctx), id.UUID, store.RightWrite); err != nil {
			return err
		}
		where, faults = nil, rest.Faults{}
		faults.AddAll(in.faults)
		for i, l := range in.Body.lists() {
			more, err := resolveList(v, at.org.ID, i, l.Or(nil), &faults)
			if err != nil {
				return err
			}
			where = append(where, more...)
		}
		return nil
	})
	if err != nil {
		return one{}, err
	}
	b := in.Body.block(at, &faults)
	weekly := in.Body.weekly(at, &faults)
	if err := faults.Err(); err != nil {
		return one{}, err
	}
	uid, err := uuid.NewV7()
	if err != nil {
		return one{}, fmt.Errorf("create a block: %w", err)
	}
	o, err := blocks.New(uid.String(), b, weekly, at.zone, s.now())
	if err != nil {
		return one{}, err
	}
	made, err := s.put(ctx, at, o, where, nil)
	if err != nil {
		return one{}, err
	}
	first, ok := blocks.First(o, at.zone)
	if !ok {
		return one{}, errors.New("create a block: it has no time")
	}
	created := &block{*made, o, first, blocks.Read(first)}
	return one{created.answer(), http.StatusCreated}, nil
}

// block gives the block that a create asks for, and adds what is wrong with its
// times at the site.
func (b *createBody) block(at site, f *rest.Faults) blocks.Block {
	start, _ := b.Start.Get()
	end, _ := b.End.Get()
	out := blocks.Block{
		Start: start.instant(at.zone), End: end.instant(at.zone),
		Type: blocks.Type(b.Type.Or("")), Label: b.Label.Or(""), Notes: b.Notes.Or(""), Color: b.Color.Or(""),
	}
	tellTimes(f, at.zone, out)
	return out
}

// tellTimes adds what is wrong with the times of a block, unless one of them
// has a fault already.
func tellTimes(f *rest.Faults, site *ical.Zone, b blocks.Block) {
	if f.Has("start_time") || f.Has("end_time") {
		return
	}
	for _, x := range []struct {
		field string
		at    time.Time
	}{{"start_time", b.Start}, {"end_time", b.End}} {
		if !sensible(x.at) || !sensible(site.Wall(x.at)) {
			f.Add(x.field, errMoment.Error())
		}
	}
	if !b.End.After(b.Start) {
		f.Add("end_time", "must be after start_time")
	}
}

// weekly gives the fan-out that a create asks for, nil for none; it adds what is
// wrong with its days.
func (b *createBody) weekly(at site, f *rest.Faults) *blocks.Weekly {
	r, _ := b.Recurrence.Get()
	if !r.wanted() {
		return nil
	}
	start, _ := b.Start.Get()
	wall := start.clock(at.zone)
	midnight := wall.Truncate(24 * time.Hour)
	from, given := r.From.Get()
	if !given {
		from = day{midnight}
	}
	to, _ := r.To.Get()
	w := &blocks.Weekly{Days: r.Weekdays.Or(nil), From: from.Time, To: to.Time, Clock: wall.Sub(midnight)}
	if f.Has("recurrence") || !given && f.Has("start_time") {
		return w // the days are not known
	}
	switch n := from.days(to); {
	case n < 1:
		f.Add("recurrence.date_to", "must not be before date_from")
	case n > maxFanOut:
		f.Add("recurrence.date_to", "must be at most 366 days after date_from, both counted")
	default:
		if _, ok := w.First(); !ok {
			f.Add("recurrence.weekdays", "must match a day between date_from and date_to")
		}
	}
	return w
}

// change is what a write does in one transaction, beside the condition that
// the block is still as it was read.
type change struct {
	was    *found          // nil: nothing is there yet
	put    *store.Prepared // in the place of what was; nil with remove
	where  spots           // of put
	split  *store.Prepared // a new block; nil: none
	beside spots           // of split
	remove bool            // what was goes everywhere
}

// commit writes a change and gives the identity and object of what the client
// then sees: the split-off block, or the one put. store.ErrPrecondition when it was changed
// meanwhile.
func (s *service) commit(ctx context.Context, at site, c change) (*found, error) {
	actor := auth.Actor(ctx)
	out := &found{site: at}
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		var cond store.Cond
		if c.was != nil {
			if err := unmoved(tx, c.was); err != nil {
				return err
			}
			cond.Match = []store.ETag{c.was.obj.ETag}
		}
		if c.remove {
			if err := tx.DeleteEverywhere(actor, c.was.obj.ID, cond); err != nil {
				return err
			}
		}
		if c.put != nil {
			if err := out.putBlock(tx, actor, c.put, c.where, cond); err != nil {
				return err
			}
		}
		if c.split != nil {
			return out.putBlock(tx, actor, c.split, c.beside, store.Cond{})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// unmoved checks that the block is in the same calendars as when it was read;
// the ETag speaks of the body alone.
func unmoved(tx *store.Tx, was *found) error {
	now, err := tx.ObjectFacts(was.obj.ID)
	if errors.Is(err, store.ErrNotFound) || err == nil && !slices.Equal(now.Bindings, was.obj.Bindings) {
		return store.ErrPrecondition
	}
	return err
}

// putBlock writes a block through the one door and reads back what it became.
func (f *found) putBlock(tx *store.Tx, a *store.Actor, p *store.Prepared, where spots, cond store.Cond) error {
	obj, err := tx.PutBlock(store.PutBlock{Actor: a, Org: f.site.org.ID, Object: p, Targets: where.collections(), Cond: cond})
	if err != nil {
		return err
	}
	id, err := tx.Identity(f.site.org.ID, obj.UID)
	if err != nil {
		return err
	}
	f.id, f.obj, f.spots = id, obj, where.as(obj.Bindings)
	return nil
}

// put writes one object in the place of what was, if anything was.
func (s *service) put(ctx context.Context, at site, o *ical.Object, where spots, was *found) (*found, error) {
	p, err := s.store.Prepare(o)
	if err != nil {
		return nil, err
	}
	return s.commit(ctx, at, change{was: was, put: p, where: where})
}
