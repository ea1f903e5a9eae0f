package house

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"daybook/store"
)

// organisation gives the asker's; store.ErrForbidden without one.
func (d *desk) organisation() (*store.Principal, error) {
	p, err := d.Principal(d.actor.Org)
	if err != nil {
		return nil, fmt.Errorf("a credential without an organisation: %w", store.ErrForbidden)
	}
	return p, nil
}

// may checks a right on a principal: nil, store.ErrNotFound if for the asker it
// does not exist, else store.ErrForbidden.
func (d *desk) may(p store.PrincipalID, want store.Rights) error {
	switch have := d.Rights(d.actor, p); {
	case have == 0:
		return fmt.Errorf("principal %d: %w", p, store.ErrNotFound)
	case !have.Has(want):
		return fmt.Errorf("principal %d needs %s: %w", p, want, store.ErrForbidden)
	}
	return nil
}

// principal finds one of the asker's organisation by its uuid or its name, of
// one of the kinds (none: of any), if the asker has the right on it.
// store.ErrNotFound also for what the asker may not see, store.ErrForbidden.
// Groups have no rights of their own: whoever may read the organisation sees
// them, and its administrators change them.
func (d *desk) principal(ref string, want store.Rights, kinds ...store.Kind) (*store.Principal, error) {
	p, err := d.lookup(ref)
	if err != nil {
		return nil, err
	}
	on := p.ID
	if p.Kind == store.KindGroup {
		on = p.Org
	}
	if p.Org != d.actor.Org || len(kinds) > 0 && !slices.Contains(kinds, p.Kind) {
		return nil, fmt.Errorf("%q: %w", ref, store.ErrNotFound)
	}
	return p, d.may(on, want)
}

func (d *desk) lookup(ref string) (*store.Principal, error) {
	if id, err := uuid.Parse(ref); err == nil {
		if p, err := d.PrincipalByUUID(id); err == nil {
			return p, nil
		}
	}
	return d.PrincipalByName(ref)
}

// resource finds a resource by its uuid or name; see principal.
func (d *desk) resource(ref string, want store.Rights) (*store.Principal, error) {
	return d.principal(ref, want, store.KindStaff, store.KindRoom, store.KindArea, store.KindServicePoint, store.KindCalendar)
}

// guard checks a right on the organisation before a body is looked at.
func guard[In any](s *service, want store.Rights) func(context.Context, In) error {
	return func(ctx context.Context, _ In) error {
		return s.view(ctx, func(d *desk) error { return d.may(d.actor.Org, want) })
	}
}
