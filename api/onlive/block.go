package onlive

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
	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// Blocked is the answer to a block slot: the id of the block, be it in however
// many calendars.
type Blocked struct {
	ID string `json:"id" doc:"Of the block."`
}

// request is a block slot with all that the store has to say about it.
type request struct {
	org     *store.Principal
	owners  []store.PrincipalID // whose time is taken
	targets []store.CollectionID
	block   blocks.Block
}

// blockSlot takes time away. 403 for calendars that are unknown or not to be
// written, 409 when the time is taken in any of them; then nothing is changed.
// The repeat of a request that was fulfilled is answered also after its start.
func (s *service) blockSlot(ctx context.Context, in blockSlotIn) (Blocked, error) {
	retry := in.mayRepeat()
	fault := in.check(s.now())
	if fault != nil && !retry {
		return Blocked{}, fault
	}
	var r *request
	var id string
	err := s.view(ctx, func(v *store.View, a *store.Actor, org *store.Principal) (err error) {
		if r, err = resolve(v, a, org, &in.Body); err != nil {
			return err
		}
		if fault != nil {
			id, err = r.repeated(v)
			return err
		}
		// Most refusals and repeats end here and need not wait for the writer.
		id, err = r.decide(v)
		return err
	})
	if fault != nil && id == "" {
		return Blocked{}, fault
	}
	if err != nil || id != "" {
		return Blocked{id}, err
	}
	uid, err := uuid.NewV7()
	if err != nil {
		return Blocked{}, fmt.Errorf("block a slot: %w", err)
	}
	o, err := blocks.New(uid.String(), r.block, nil, ical.UTCZone, s.now())
	if err != nil {
		return Blocked{}, err
	}
	p, err := s.store.Prepare(o)
	if err != nil {
		return Blocked{}, err
	}
	err = s.store.Update(ctx, func(tx *store.Tx) (err error) {
		if id, err = r.decide(&tx.View); err != nil || id != "" {
			return err
		}
		id, err = r.write(tx, auth.Actor(ctx), p)
		return err
	})
	return Blocked{id}, err
}

// resolve finds the calendars and the end that a body means.
func resolve(v *store.View, a *store.Actor, org *store.Principal, b *blockSlotBody) (*request, error) {
	r := &request{org: org, block: b.block()}
	known, err := serviceOf(v, org, b)
	if err != nil {
		return nil, err
	}
	ids, own := calendarsOf(b, known)
	if own {
		err = r.add(v, a, org)
	}
	for _, id := range ids {
		if err == nil {
			err = r.addResource(v, a, id, b.Calendars.Or(nil) == nil)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(r.targets) == 0 { // a service all of whose resources are gone
		return nil, say(http.StatusForbidden, mayNotBlock)
	}
	end, ok := b.End.Get()
	switch {
	case ok:
		r.block.End = end.Time
	case known != nil && known.Length >= time.Second:
		r.block.End = r.block.Start.Add(known.Length.Truncate(time.Second))
	default:
		r.block.End, r.block.OpenEnded = blocks.OpenEnd(r.block.Start), true
	}
	return r, nil
}

// serviceOf gives the service that the body names, nil for none and for one that
// is not known.
func serviceOf(v *store.View, org *store.Principal, b *blockSlotBody) (*store.Service, error) {
	id, ok := b.Service.Get()
	if !ok {
		return nil, nil //nolint:nilnil // no service is an answer, not a failure
	}
	uid, err := parseUUID(id)
	if err != nil {
		return nil, err
	}
	known, err := v.Service(org.ID, uid)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil //nolint:nilnil // as above
	}
	return known, err
}

// calendarsOf gives the resources that a body means, or that it means the
// organisation's own calendar. A service without resources is offered by all.
func calendarsOf(b *blockSlotBody, known *store.Service) (ids []uuid.UUID, own bool) {
	for _, text := range b.Calendars.Or(nil) {
		if id, err := parseUUID(text); err == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if ids == nil && known != nil {
		ids = known.Resources
	}
	return ids, len(ids) == 0
}

// addResource adds a resource of the organisation. One that is unknown, or of
// another organisation, is as forbidden as one that may not be written; missing
// passes over one that is gone.
func (r *request) addResource(v *store.View, a *store.Actor, id uuid.UUID, missing bool) error {
	p, err := v.PrincipalByUUID(id)
	gone := errors.Is(err, store.ErrNotFound)
	switch {
	case gone && missing:
		return nil
	case gone:
		return say(http.StatusForbidden, mayNotBlock)
	case err != nil:
		return err
	case p.Org != r.org.ID || !p.Kind.Resource():
		return say(http.StatusForbidden, mayNotBlock)
	}
	return r.add(v, a, p)
}

func (r *request) add(v *store.View, a *store.Actor, owner *store.Principal) error {
	if !v.Rights(a, owner.ID).Has(store.RightWrite) {
		return say(http.StatusForbidden, mayNotBlock)
	}
	c, err := v.Calendar(owner.ID)
	if err != nil {
		return err
	}
	if !slices.Contains(r.targets, c.ID) {
		r.owners, r.targets = append(r.owners, owner.ID), append(r.targets, c.ID)
	}
	return nil
}

// decide gives the id of the block that this request made before, or 409 when
// the time is taken in any of the calendars, or neither.
func (r *request) decide(v *store.View) (id string, err error) {
	if id, err = r.repeated(v); err != nil || id != "" {
		return id, err
	}
	w := span.Span{Start: r.block.Start, End: r.block.End}
	if r.block.OpenEnded {
		w.End = time.Time{}
	}
	for _, owner := range r.owners {
		switch taken, err := v.Taken(owner, w); {
		case err != nil:
			return "", err
		case taken:
			return "", say(http.StatusConflict, slotBusy)
		}
	}
	return "", nil
}

// repeated finds the block with the external id of the request that is at the
// same time in the same calendars.
func (r *request) repeated(v *store.View) (string, error) {
	ids, err := v.ObjectsByExternalID(r.org.ID, r.block.ExternalID)
	if err != nil {
		return "", err
	}
	for _, id := range ids {
		obj, err := v.ObjectFacts(id)
		if err != nil {
			return "", err
		}
		same, err := r.sameCalendars(v, obj)
		if err != nil {
			return "", err
		}
		if !same || !obj.Block {
			continue
		}
		if obj.Data, err = v.Data(id); err != nil {
			return "", err
		}
		if !r.sameTime(v, obj) {
			continue
		}
		identity, err := v.Identity(r.org.ID, obj.UID)
		return identity.UUID.String(), err
	}
	return "", nil
}

// sameCalendars reports whether the object is in exactly the calendars that are
// asked for. That a user has it in an own calendar too does not count.
func (r *request) sameCalendars(v *store.View, obj *store.Object) (bool, error) {
	found := 0
	for _, b := range obj.Bindings {
		if slices.Contains(r.targets, b.Collection) {
			found++
			continue
		}
		owner, err := ownerOf(v, b)
		if err != nil {
			return false, err
		}
		if owner.Kind != store.KindUser {
			return false, nil
		}
	}
	return found == len(r.targets), nil
}

func (r *request) sameTime(v *store.View, obj *store.Object) bool {
	o, err := ical.Parse(obj.Data, ical.Limits{})
	if err != nil {
		return false // Check's to report
	}
	first, ok := blocks.First(o, v.Zone(r.org))
	if !ok || !first.RecurrenceID.IsZero() {
		return false
	}
	b := blocks.Read(first)
	return b.Start.Equal(r.block.Start) && b.OpenEnded == r.block.OpenEnded && b.End.Equal(r.block.End)
}

// write puts the block through the one door and gives its id.
func (r *request) write(tx *store.Tx, a *store.Actor, p *store.Prepared) (string, error) {
	obj, err := tx.PutBlock(store.PutBlock{Actor: a, Org: r.org.ID, Object: p, Targets: r.targets, Cond: store.Cond{Missing: true}})
	switch {
	case errors.Is(err, store.ErrForbidden), errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrComponent):
		// It was allowed a moment ago, or the calendar takes no events.
		return "", say(http.StatusForbidden, mayNotBlock)
	case err != nil:
		return "", err
	}
	identity, err := tx.Identity(r.org.ID, obj.UID)
	return identity.UUID.String(), err
}

// ownerOf gives whose collection a binding is in.
func ownerOf(v *store.View, b store.Binding) (*store.Principal, error) {
	c, err := v.Collection(b.Collection)
	if err != nil {
		return nil, err
	}
	return v.Principal(c.Owner)
}
