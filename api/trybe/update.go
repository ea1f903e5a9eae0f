package trybe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

// attempts is how often a read, edit and write is begun anew because somebody
// else wrote in between.
const attempts = 8

// retry repeats fn while it meets a block that changed meanwhile.
func retry(fn func() error) error {
	var err error
	for range attempts {
		if err = fn(); !errors.Is(err, store.ErrPrecondition) {
			return err
		}
	}
	return &rest.Problem{
		Status: http.StatusServiceUnavailable, Detail: "the blocked time is being changed by others, try again",
		Header: http.Header{"Retry-After": {"1"}}, Err: err,
	}
}

// mayUpdate checks the right before the body is looked at.
func (s *service) mayUpdate(ctx context.Context, in updateIn) error {
	_, err := s.load(ctx, in.ID, store.RightWrite)
	return err
}

// update changes the named fields of a blocked time. One of a series is
// detached from it and answered with 201.
func (s *service) update(ctx context.Context, in updateIn) (out one, err error) {
	id, err := parseID(in.ID)
	if err != nil {
		return one{}, err
	}
	done, err := s.turns.take(ctx, id.object)
	if err != nil {
		return one{}, err
	}
	defer done()
	err = retry(func() error {
		out, err = s.tryUpdate(ctx, id, &in)
		return err
	})
	return out, err
}

func (s *service) tryUpdate(ctx context.Context, id blockID, in *updateIn) (one, error) {
	var f *found
	var where spots
	var faults rest.Faults
	err := s.store.View(ctx, func(v *store.View) (err error) {
		if f, err = lookup(v, auth.Actor(ctx), id.object, store.RightWrite); err != nil {
			return err
		}
		faults = rest.Faults{}
		faults.AddAll(in.faults)
		where, err = in.Body.moved(v, f.site.org.ID, f.spots, &faults)
		return err
	})
	if err != nil {
		return one{}, err
	}
	b, err := f.pick(id.rid)
	if err != nil {
		return one{}, err
	}
	want := in.Body.merge(b, &faults)
	if err := faults.Err(); err != nil {
		return one{}, err
	}
	facts, recurs := !blocks.Same(b.now, want), !id.rid.IsZero()
	moved := !slices.Equal(where.collections(), b.spots.collections())
	if recurs {
		moved = !where.same(b.spots) // another order is no reason to leave the series
	}
	switch {
	case !facts && !moved:
		return one{b.answer(), http.StatusOK}, nil
	case recurs:
		return s.split(ctx, b, want, where)
	}
	return s.edit(ctx, b, want, where, facts)
}

// merge gives the block with the named fields changed, and checks the whole.
func (b *updateBody) merge(on *block, f *rest.Faults) blocks.Block {
	out, zone := on.now, on.site.zone
	start, from := b.Start.Get()
	end, to := b.End.Get()
	if from {
		out.Start = start.instant(zone)
	}
	if to {
		out.End = end.instant(zone)
		out.OpenEnded = out.OpenEnded && out.End.Equal(on.now.End)
	}
	if from && !to && out.OpenEnded {
		out.End = blocks.OpenEnd(out.Start) // without end it stays
	}
	if from || to {
		tellTimes(f, zone, out)
	}
	if t, ok := b.Type.Get(); ok {
		out.Type = blocks.Type(t)
	}
	for _, x := range []struct {
		sent rest.Opt[string]
		to   *string
	}{{b.Label, &out.Label}, {b.Notes, &out.Notes}, {b.Color, &out.Color}} {
		if x.sent.Present() {
			*x.to = x.sent.Or("")
		}
	}
	return out
}

// edit changes a block in its place.
func (s *service) edit(ctx context.Context, b *block, want blocks.Block, where spots, facts bool) (one, error) {
	var o *ical.Object
	var err error
	if facts {
		o, err = blocks.Update(b.parsed, b.instance, want, b.site.zone, s.now())
	} else {
		o, err = blocks.Touch(b.parsed, b.instance, s.now())
	}
	if err != nil {
		return one{}, err
	}
	f, err := s.put(ctx, b.site, o, where, &b.found)
	if err != nil {
		return one{}, err
	}
	return f.single(o, http.StatusOK)
}

// single answers an object with one instance.
func (f *found) single(o *ical.Object, status int) (one, error) {
	i, ok := blocks.First(o, f.site.zone)
	if !ok {
		return one{}, errors.New("answer a block: it has no time")
	}
	b := &block{*f, o, i, blocks.Read(i)}
	return one{b.answer(), status}, nil
}

// split takes one instance out of its series and makes it a block of its own.
func (s *service) split(ctx context.Context, b *block, want blocks.Block, where spots) (one, error) {
	uid, err := uuid.NewV7()
	if err != nil {
		return one{}, fmt.Errorf("split a block: %w", err)
	}
	now := s.now()
	alone, err := blocks.Detach(b.parsed, b.instance, uid.String(), want, b.site.zone, now)
	if err != nil {
		return one{}, err
	}
	c, err := s.without(b)
	if err != nil {
		return one{}, err
	}
	if c.split, err = s.store.Prepare(alone); err != nil {
		return one{}, err
	}
	c.beside = where
	f, err := s.commit(ctx, b.site, c)
	if err != nil {
		return one{}, err
	}
	return f.single(alone, http.StatusCreated)
}

// without is the change that takes an instance out of its series, and the
// series away with its last instance.
func (s *service) without(b *block) (change, error) {
	c := change{was: &b.found, where: b.spots}
	rest, err := blocks.Exclude(b.parsed, b.now.RecurrenceID, b.site.zone, s.now())
	if errors.Is(err, blocks.ErrLast) {
		c.remove = true
		return c, nil
	}
	if err != nil {
		return change{}, err
	}
	c.put, err = s.store.Prepare(rest)
	return c, err
}

// remove deletes a blocked time: the block from every calendar, or one
// instance from its series.
func (s *service) remove(ctx context.Context, in getIn) (rest.NoContent, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return rest.NoContent{}, err
	}
	done, err := s.turns.take(ctx, id.object)
	if err != nil {
		return rest.NoContent{}, err
	}
	defer done()
	err = retry(func() error {
		b, err := s.load(ctx, in.ID, store.RightWrite)
		if err != nil {
			return err
		}
		c := change{was: &b.found, remove: true}
		if !b.now.RecurrenceID.IsZero() {
			if c, err = s.without(b); err != nil {
				return err
			}
		}
		_, err = s.commit(ctx, b.site, c)
		return err
	})
	return rest.NoContent{}, err
}
