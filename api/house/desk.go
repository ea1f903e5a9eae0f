package house

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"daybook/api/rest"
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
	return allow(d.Rights(d.actor, p), want, "principal "+strconv.FormatUint(uint64(p), 10))
}

// mayHere checks a right on the asker's organisation, for addresses that are
// the same for everybody: that they are there is no secret, so without any
// right it is store.ErrForbidden too.
func (d *desk) mayHere(want store.Rights) error {
	if err := d.may(d.actor.Org, want); err != nil {
		return fmt.Errorf("the organisation needs %s: %w", want, store.ErrForbidden)
	}
	return nil
}

func allow(have, want store.Rights, what string) error {
	switch {
	case have == 0:
		return fmt.Errorf("%s: %w", what, store.ErrNotFound)
	case !have.Has(want):
		return fmt.Errorf("%s needs %s: %w", what, want, store.ErrForbidden)
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

// manages reports whether the asker administers its organisation.
func (d *desk) manages() bool { return d.Rights(d.actor, d.actor.Org).Has(store.RightAdmin) }

// sees reports whether the asker may know of a principal: because of a right on
// it, of a group because of one on the organisation, of a user also as an
// administrator, who sees nothing of the user's home by that.
func (d *desk) sees(p *store.Principal) bool {
	switch {
	case p.Org != d.actor.Org:
		return false
	case p.Kind == store.KindGroup:
		return d.Rights(d.actor, p.Org) != 0
	case p.Kind == store.KindUser && d.manages():
		return true
	}
	return d.Rights(d.actor, p.ID) != 0
}

// known finds a principal that the asker may know of; see sees.
func (d *desk) known(ref string, kinds ...store.Kind) (*store.Principal, error) {
	p, err := d.lookup(ref)
	if err != nil || len(kinds) > 0 && !slices.Contains(kinds, p.Kind) || !d.sees(p) {
		return nil, fmt.Errorf("%q: %w", ref, store.ErrNotFound)
	}
	return p, nil
}

// everybody gives the principals of the kinds (none: of all) that the asker may
// know of.
func (d *desk) everybody(kinds ...store.Kind) ([]*store.Principal, error) {
	if d.Rights(d.actor, d.actor.Org) == 0 { // then it is few, whatever the organisation has
		all, err := d.Reachable(d.actor)
		return slices.DeleteFunc(all, func(p *store.Principal) bool { return len(kinds) > 0 && !slices.Contains(kinds, p.Kind) }), err
	}
	all, err := d.Principals(d.actor.Org, kinds...)
	return slices.DeleteFunc(all, func(p *store.Principal) bool { return !d.sees(p) }), err
}

// resource finds a resource by its uuid or name; see principal.
func (d *desk) resource(ref string, want store.Rights) (*store.Principal, error) {
	return d.principal(ref, want, store.KindStaff, store.KindRoom, store.KindArea, store.KindServicePoint, store.KindCalendar)
}

// uuids gives those of principals that a member of a body names, each once.
func (d *desk) uuids(member string, refs []string, find func(string) (*store.Principal, error)) ([]uuid.UUID, error) {
	ids := make([]uuid.UUID, 0, len(refs))
	seen := map[uuid.UUID]bool{}
	var faults rest.Faults
	for i, ref := range refs {
		p, err := find(ref)
		switch {
		case errors.Is(err, store.ErrNotFound):
			faults.Add(member+"."+strconv.Itoa(i), "is not known")
		case err != nil:
			return nil, err
		case !seen[p.UUID]:
			seen[p.UUID] = true
			ids = append(ids, p.UUID)
		}
	}
	return ids, faults.Err()
}

// calendar finds a calendar that the asker has the right on: by its uuid; by its
// owner's uuid or name, which means the owner's first; or by OWNER/NAME (in a
// path the slash is escaped). store.ErrNotFound, store.ErrForbidden.
func (d *desk) calendar(ref string, want store.Rights) (*store.Collection, error) {
	c, err := d.lookupCalendar(ref)
	if err != nil || c.Org != d.actor.Org {
		return nil, fmt.Errorf("calendar %q: %w", ref, store.ErrNotFound)
	}
	return c, d.mayUse(c, want)
}

func (d *desk) lookupCalendar(ref string) (*store.Collection, error) {
	if id, err := uuid.Parse(ref); err == nil {
		if c, err := d.CollectionByUUID(id); err == nil {
			return c, nil
		}
	}
	owner, name, named := strings.Cut(ref, "/")
	if !named {
		name = store.CalendarName
	}
	p, err := d.lookup(owner)
	if err != nil {
		return nil, err
	}
	return d.CollectionByName(p.ID, name)
}

// mayUse checks a right on a calendar, as may does on a principal.
func (d *desk) mayUse(c *store.Collection, want store.Rights) error {
	return allow(d.RightsOn(d.actor, c), want, "calendar "+c.UUID.String())
}

// inBody makes "not found" of something that a body or a query names a fault of
// its field.
func inBody(field string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return &rest.Problem{Detail: "the request is not valid", Faults: []rest.Fault{{Field: field, Message: "is not known"}}, Err: err}
	}
	return err
}

// guard checks a right on the organisation, see mayHere, before a body is looked at.
func guard[In any](s *service, want store.Rights) func(context.Context, In) error {
	return func(ctx context.Context, _ In) error {
		return s.view(ctx, func(d *desk) error { return d.mayHere(want) })
	}
}
