package house

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/rest"
	"daybook/store"
)

func (s *service) groupRoutes() []rest.Route {
	const list, one = base + "/groups", base + "/groups/{group}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "List groups", Op: rest.Endpoint(http.StatusOK, s.listGroups)},
		{Pattern: "POST " + list, Summary: "Create a group", Op: rest.Endpoint(http.StatusCreated, s.createGroup).Guard(guard[groupCreateIn](s, store.RightAdmin))},
		{Pattern: "GET " + one, Summary: "Get a group with its members", Op: rest.Endpoint(http.StatusOK, s.getGroup)},
		{Pattern: "PATCH " + one, Summary: "Change a group", Op: rest.Endpoint(http.StatusOK, s.patchGroup).Guard(s.mayPatchGroup)},
		{Pattern: "DELETE " + one, Summary: "Delete a group", Op: rest.Endpoint(http.StatusNoContent, s.deleteGroup)},
		{Pattern: "PUT " + one + "/members/{member}", Summary: "Add a member to a group", Op: rest.Endpoint(http.StatusNoContent, s.addMember)},
		{Pattern: "DELETE " + one + "/members/{member}", Summary: "Take a member out of a group", Op: rest.Endpoint(http.StatusNoContent, s.removeMember)},
	}
}

// Group is a group as the house API shows it.
type Group struct {
	ID       uuid.UUID `json:"id"`
	Name     string    `json:"name"`
	Title    string    `json:"display_name"`
	Email    *string   `json:"email"`
	Alias    uint32    `json:"alias" doc:"Its integer id in the organisation."`
	Count    int       `json:"member_count"`
	Created  time.Time `json:"created_at"`
	Modified time.Time `json:"updated_at"`
}

// GroupWithMembers is a group with those of its members that the asker may know
// of.
type GroupWithMembers struct {
	Group
	Members []Ref `json:"members" doc:"By name."`
}

func showGroup(p *store.Principal) Group {
	return Group{
		ID: p.UUID, Name: p.Name, Title: p.DisplayName, Email: orNull(p.Email), Alias: p.Alias, Count: len(p.Members),
		Created: p.Created.UTC(), Modified: p.Modified.UTC(),
	}
}

func (d *desk) showGroupWithMembers(p *store.Principal) (GroupWithMembers, error) {
	out := GroupWithMembers{showGroup(p), []Ref{}}
	for _, id := range p.Members {
		m, err := d.PrincipalByUUID(id)
		if errors.Is(err, store.ErrNotFound) {
			out.Count-- // deleted since
			continue
		}
		if err != nil {
			return out, err
		}
		if d.sees(m) {
			out.Members = append(out.Members, refTo(m))
		}
	}
	slices.SortFunc(out.Members, func(a, b Ref) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

type groupsIn struct{ rest.Page }

// Validate checks the page.
func (in *groupsIn) Validate(f *rest.Faults) { in.Check(f) }

func (s *service) listGroups(ctx context.Context, in groupsIn) (out rest.List[Group], err error) {
	return out, s.view(ctx, func(d *desk) error {
		all, err := d.everybody(store.KindGroup)
		if err != nil {
			return err
		}
		var found []Group
		for _, p := range all {
			found = append(found, showGroup(p))
		}
		out = rest.Paged(in.Page, found, func(g Group) string { return g.Name })
		return nil
	})
}

type groupIn struct {
	Ref string `path:"group" doc:"UUID or name."`
}

func (s *service) getGroup(ctx context.Context, in groupIn) (out rest.Tagged[GroupWithMembers], err error) {
	return out, s.view(ctx, func(d *desk) error {
		p, err := d.known(in.Ref, store.KindGroup)
		if err != nil {
			return err
		}
		out.Value, err = d.showGroupWithMembers(p)
		return err
	})
}

type groupCreateIn struct {
	Body groupCreate `body:"json"`
}

type groupCreate struct {
	ID    rest.Opt[uuid.UUID] `json:"id"`
	Name  string              `json:"name"`
	Alias rest.Opt[uint32]    `json:"alias"`
	groupFields
}

// groupFields are what can be changed later too.
type groupFields struct {
	Title   rest.Opt[string]   `json:"display_name"`
	Email   rest.Opt[string]   `json:"email"`
	Members rest.Opt[[]string] `json:"members" doc:"UUIDs or names; all of them."`
}

// apply puts what was sent into the record; null takes a value away.
func (in *groupFields) apply(d *desk, p *store.Principal) error {
	if in.Title.Present() {
		p.DisplayName = in.Title.Or("")
	}
	if in.Email.Present() {
		p.Email = in.Email.Or("")
	}
	if !in.Members.Present() {
		return nil
	}
	ids, err := d.uuids("members", in.Members.Or(nil), d.member)
	p.Members = ids
	return err
}

// member finds somebody who can be in a group: groups hold no groups.
func (d *desk) member(ref string) (*store.Principal, error) {
	p, err := d.known(ref)
	if err == nil && (p.Kind == store.KindGroup || p.Kind == store.KindOrganisation) {
		return nil, fmt.Errorf("%q: %w", ref, store.ErrNotFound)
	}
	return p, err
}

// Validate checks the fields.
func (in *groupCreateIn) Validate(f *rest.Faults) {
	if in.Body.Name == "" && !f.Has("name") {
		f.Add("name", "is required")
	}
}

func (s *service) createGroup(ctx context.Context, in groupCreateIn) (out rest.Tagged[GroupWithMembers], err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		p := &store.Principal{Org: d.actor.Org, Kind: store.KindGroup, Name: in.Body.Name, UUID: in.Body.ID.Or(uuid.Nil), Alias: in.Body.Alias.Or(0)}
		if err := in.Body.apply(d, p); err != nil {
			return err
		}
		if err := tx.CreatePrincipal(p); err != nil {
			return err
		}
		out.Location = base + "/groups/" + p.UUID.String()
		out.Value, err = d.showGroupWithMembers(p)
		return err
	})
}

// administered finds a group that the asker may change.
func (d *desk) administered(ref string) (*store.Principal, error) {
	return d.principal(ref, store.RightAdmin, store.KindGroup)
}

type groupPatchIn struct {
	groupIn
	rest.IfMatch
	Body groupFields `body:"json"`
}

func (s *service) mayPatchGroup(ctx context.Context, in groupPatchIn) error {
	return s.view(ctx, func(d *desk) error {
		_, err := d.administered(in.Ref)
		return err
	})
}

func (s *service) patchGroup(ctx context.Context, in groupPatchIn) (out rest.Tagged[GroupWithMembers], err error) {
	return out, s.updateGroup(ctx, in.groupIn, in.IfMatch, func(d *desk, tx *store.Tx, p *store.Principal) error {
		if err := in.Body.apply(d, p); err != nil {
			return err
		}
		if err := tx.UpdatePrincipal(p); err != nil {
			return err
		}
		out.Value, err = d.showGroupWithMembers(p)
		return err
	})
}

// updateGroup runs fn on a group that the asker may change, in the state that
// it knows.
func (s *service) updateGroup(ctx context.Context, in groupIn, m rest.IfMatch, fn func(*desk, *store.Tx, *store.Principal) error) error {
	return s.update(ctx, func(d *desk, tx *store.Tx) error {
		p, err := d.administered(in.Ref)
		if err != nil {
			return err
		}
		now, err := d.showGroupWithMembers(p)
		if err != nil {
			return err
		}
		if err := m.Check(now); err != nil {
			return err
		}
		return fn(d, tx, p)
	})
}

type groupDeleteIn struct {
	groupIn
	rest.IfMatch
}

func (s *service) deleteGroup(ctx context.Context, in groupDeleteIn) (rest.NoContent, error) {
	return rest.NoContent{}, s.updateGroup(ctx, in.groupIn, in.IfMatch, func(_ *desk, tx *store.Tx, p *store.Principal) error {
		return tx.DeletePrincipal(p.ID)
	})
}

type memberIn struct {
	groupIn
	rest.IfMatch
	Member string `path:"member" doc:"UUID or name."`
}

// addMember does nothing where it is one already.
func (s *service) addMember(ctx context.Context, in memberIn) (rest.NoContent, error) {
	return rest.NoContent{}, s.updateGroup(ctx, in.groupIn, in.IfMatch, func(d *desk, tx *store.Tx, p *store.Principal) error {
		m, err := d.member(in.Member)
		if err != nil || slices.Contains(p.Members, m.UUID) {
			return err
		}
		p.Members = append(p.Members, m.UUID)
		return tx.UpdatePrincipal(p)
	})
}

func (s *service) removeMember(ctx context.Context, in memberIn) (rest.NoContent, error) {
	return rest.NoContent{}, s.updateGroup(ctx, in.groupIn, in.IfMatch, func(d *desk, tx *store.Tx, p *store.Principal) error {
		m, err := d.member(in.Member)
		if err != nil {
			return err
		}
		i := slices.Index(p.Members, m.UUID)
		if i < 0 {
			return fmt.Errorf("member %q: %w", in.Member, store.ErrNotFound)
		}
		p.Members = slices.Delete(p.Members, i, i+1)
		return tx.UpdatePrincipal(p)
	})
}
