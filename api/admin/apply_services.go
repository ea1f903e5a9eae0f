package admin

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"daybook/store"
)

type serviceSpec struct {
	Line         int     `yaml:"-"`
	ID           *string `yaml:"id"`
	Name         string  `yaml:"name"`
	Alias        *int    `yaml:"alias"`
	BookingRules `yaml:",inline"`
}

type groupSpec struct {
	Line        int       `yaml:"-"`
	ID          *string   `yaml:"id"`
	Name        string    `yaml:"name"`
	DisplayName *string   `yaml:"display_name"`
	Email       *string   `yaml:"email"`
	Alias       *int      `yaml:"alias"`
	Members     *[]string `yaml:"members"` // names of users and resources; all of them
}

func (s *serviceSpec) check(f *Faults, seen uniques, org string) {
	if s.Name == "" {
		f.add(s.Line, "a service needs a name")
	}
	if s.ID == nil {
		seen.check(f, s.Line, "service without id in "+org, s.Name)
	}
	checkID(f, seen, s.Line, s.ID)
	checkAlias(f, seen, s.Line, s.Alias, org)
	for _, err := range s.faults() {
		f.err(s.Line, "service "+strconv.Quote(s.Name), err)
	}
}

func (g *groupSpec) check(f *Faults, seen uniques, org string) {
	if g.Name == "" {
		f.add(g.Line, "a group needs a name")
	}
	seen.check(f, g.Line, "name", g.Name)
	checkID(f, seen, g.Line, g.ID)
	checkAlias(f, seen, g.Line, g.Alias, org)
}

func (a *applier) service(x *serviceSpec) {
	outcome, err := a.putService(x)
	if err != nil {
		a.failed(x.Line, "service", x.Name, err)
		return
	}
	a.done("service", x.Name, outcome)
}

func (a *applier) putService(x *serviceSpec) (string, error) {
	have, err := a.findService(x)
	outcome := "changed"
	switch alias := aliasOf(x.Alias); {
	case errors.Is(err, store.ErrNotFound):
		have, outcome = &store.Service{Org: a.org.ID, UUID: id(x.ID), Alias: alias}, Created
	case err != nil:
		return "", err
	case alias != 0 && alias != have.Alias:
		return "", fmt.Errorf("it has the alias %d, and an alias cannot be changed", have.Alias)
	}
	want := *have
	want.Name = x.Name
	if err := x.set(&a.tx.View, &want); err != nil {
		return "", err
	}
	if outcome != Created && reflect.DeepEqual(*have, want) {
		return Unchanged, nil
	}
	return outcome, a.tx.PutService(&want)
}

// findService finds the service that is meant: by its id, or, where the file
// says none, the only one of its name. store.ErrNotFound.
func (a *applier) findService(x *serviceSpec) (*store.Service, error) {
	if want := id(x.ID); want != uuid.Nil {
		return a.tx.Service(a.org.ID, want)
	}
	all, err := a.tx.Services(a.org.ID)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s *store.Service) bool { return s.Name != x.Name })
	switch len(all) {
	case 0:
		return nil, store.ErrNotFound
	case 1:
		return all[0], nil
	}
	return nil, fmt.Errorf("there are %d services of this name: say the id of the one that is meant", len(all))
}

func (a *applier) group(g *groupSpec) {
	want := &store.Principal{Kind: store.KindGroup, Org: a.org.ID, Name: g.Name, UUID: id(g.ID), Alias: aliasOf(g.Alias)}
	var members []uuid.UUID
	var err error
	if g.Members != nil {
		members, err = namedIDs(&a.tx.View, a.org.ID, *g.Members, "user or resource", isMember)
	}
	if err == nil {
		var outcome string
		_, outcome, err = a.principal(want, func(p *store.Principal) {
			set(&p.DisplayName, g.DisplayName)
			set(&p.Email, g.Email)
			if g.Members != nil && !sameMembers(p.Members, members) {
				p.Members = members
			}
		})
		if err == nil {
			a.done("group", g.Name, outcome)
			return
		}
	}
	a.failed(g.Line, "group", g.Name, err)
}

// sameMembers compares without order.
func sameMembers(a, b []uuid.UUID) bool {
	if len(a) != len(b) {
		return false
	}
	have := make(map[uuid.UUID]bool, len(a))
	for _, id := range a {
		have[id] = true
	}
	return !slices.ContainsFunc(b, func(id uuid.UUID) bool { return !have[id] })
}

// aliasOf gives the alias that a spec names; 0 for none. It was checked before.
func aliasOf(n *int) uint32 {
	if n == nil {
		return 0
	}
	return uint32(*n)
}
