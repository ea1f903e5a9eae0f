package onlive

import (
	"errors"
	"slices"

	"github.com/google/uuid"

	"daybook/api/rest"
	"daybook/store"
)

// calendarFilter narrows a list of calendars to those that something names.
type calendarFilter struct {
	Group       rest.Opt[string] `query:"userGroupId" doc:"UUID of a group: its members."`
	Service     rest.Opt[string] `query:"serviceId" doc:"UUID of a service: the calendars that it names."`
	Appointment rest.Opt[string] `query:"appointmentId" doc:"Id of a block: the calendars that it is in."`
}

func (c *calendarFilter) check(f *rest.Faults) {
	for _, x := range []struct {
		name  string
		id    rest.Opt[string]
		valid func(string) error
	}{
		{"userGroupId", c.Group, validUUID},
		{"serviceId", c.Service, validUUID},
		{"appointmentId", c.Appointment, func(s string) error { _, err := parseID(s); return err }},
	} {
		if id, ok := x.id.Get(); ok && x.valid(id) != nil {
			f.Add(x.name, errUUID.Error())
		}
	}
}

func validUUID(s string) error { _, err := parseUUID(s); return err }

// passes tells which resources are named by all that is asked for. What is not
// there, or not to be seen, names none.
func (c *calendarFilter) passes(v *store.View, a *store.Actor, org *store.Principal) (func(*store.Principal) bool, error) {
	var lists [][]uuid.UUID
	for _, x := range []struct {
		id    rest.Opt[string]
		names func(*store.View, *store.Actor, *store.Principal, string) ([]uuid.UUID, error)
	}{{c.Group, namedByGroup}, {c.Service, namedByService}, {c.Appointment, namedByBlock}} {
		id, ok := x.id.Get()
		if !ok {
			continue
		}
		list, err := x.names(v, a, org, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, errSaid) {
			return nil, err
		}
		lists = append(lists, list)
	}
	return func(p *store.Principal) bool {
		return !slices.ContainsFunc(lists, func(list []uuid.UUID) bool { return !slices.Contains(list, p.UUID) })
	}, nil
}

func namedByGroup(v *store.View, _ *store.Actor, org *store.Principal, text string) ([]uuid.UUID, error) {
	id, err := parseUUID(text)
	if err != nil {
		return nil, err
	}
	p, err := v.PrincipalByUUID(id)
	if err != nil || p.Org != org.ID || p.Kind != store.KindGroup {
		return nil, err
	}
	return p.Members, nil
}

func namedByService(v *store.View, a *store.Actor, org *store.Principal, text string) ([]uuid.UUID, error) {
	id, err := parseUUID(text)
	if err != nil || !v.Rights(a, org.ID).Has(store.RightRead) {
		return nil, err
	}
	x, err := v.Service(org.ID, id)
	if err != nil {
		return nil, err
	}
	return x.Resources, nil
}

func namedByBlock(v *store.View, a *store.Actor, org *store.Principal, text string) (out []uuid.UUID, err error) {
	id, err := parseID(text)
	if err != nil {
		return nil, err
	}
	f, err := lookup(v, a, org, id.object)
	if err != nil {
		return nil, err
	}
	for _, text := range f.calendars {
		id, err := parseUUID(text)
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
}
