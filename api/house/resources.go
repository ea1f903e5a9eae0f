package house

import (
	"context"
	"net/http"
	"regexp"
	"time"

	"github.com/google/uuid"

	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

func (s *service) resourceRoutes() []rest.Route {
	const list, one = base + "/resources", base + "/resources/{resource}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "List resources: staff, rooms, areas, service points, plain calendars", Op: rest.Endpoint(http.StatusOK, s.listResources)},
		{Pattern: "POST " + list, Summary: "Create a resource with its calendar", Op: rest.Endpoint(http.StatusCreated, s.createResource).Guard(guard[resourceCreateIn](s, store.RightAdmin))},
		{Pattern: "GET " + one, Summary: "Get a resource", Op: rest.Endpoint(http.StatusOK, s.getResource)},
		{Pattern: "PATCH " + one, Summary: "Change a resource", Op: rest.Endpoint(http.StatusOK, s.patchResource).Guard(s.mayPatchResource)},
		{Pattern: "DELETE " + one, Summary: "Delete a resource with its calendar", Op: rest.Endpoint(http.StatusNoContent, s.deleteResource)},
	}
}

// Resource is a resource as the house API shows it.
type Resource struct {
	ID       uuid.UUID `json:"id"`
	Kind     string    `json:"kind"`
	Name     string    `json:"name"`
	Title    string    `json:"display_name"`
	Email    *string   `json:"email"`
	Color    *string   `json:"color" doc:"As #RRGGBB."`
	Zone     string    `json:"zone" doc:"IANA name; the organisation's where it has none of its own."`
	Alias    uint32    `json:"alias" doc:"Its integer id in the organisation."`
	Rights   []string  `json:"rights"`
	Created  time.Time `json:"created_at"`
	Modified time.Time `json:"updated_at"`
}

func (d *desk) showResource(p *store.Principal) Resource {
	return Resource{
		ID: p.UUID, Kind: p.Kind.String(), Name: p.Name, Title: p.DisplayName, Email: orNull(p.Email), Color: orNull(p.Color),
		Zone: d.Zone(p).Name(), Alias: p.Alias, Rights: d.rights(p.ID), Created: p.Created.UTC(), Modified: p.Modified.UTC(),
	}
}

// orNull gives null for an empty text.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

type resourcesIn struct {
	rest.Page
	Kind rest.Opt[string] `query:"kind"`
}

// Validate checks the page and the kind.
func (in *resourcesIn) Validate(f *rest.Faults) {
	in.Check(f)
	if k, ok := in.Kind.Get(); ok && !isResourceKind(k) {
		f.Add("kind", wantKind)
	}
}

const wantKind = "must be staff, room, area, service-point or calendar"

func isResourceKind(name string) bool {
	k, ok := store.ParseKind(name)
	return ok && k.Resource()
}

func (s *service) listResources(ctx context.Context, in resourcesIn) (out rest.List[Resource], err error) {
	return out, s.view(ctx, func(d *desk) error {
		all, err := d.Reachable(d.actor)
		if err != nil {
			return err
		}
		var found []Resource
		for _, p := range all {
			if p.Kind.Resource() && p.Kind.String() == in.Kind.Or(p.Kind.String()) {
				found = append(found, d.showResource(p))
			}
		}
		out = rest.Paged(in.Page, found, func(r Resource) string { return r.Name })
		return nil
	})
}

type resourceIn struct {
	Ref string `path:"resource"`
}

func (s *service) getResource(ctx context.Context, in resourceIn) (out rest.Tagged[Resource], err error) {
	return out, s.view(ctx, func(d *desk) error {
		p, err := d.resource(in.Ref, store.RightFreeBusy)
		if err == nil {
			out = rest.Tag(d.showResource(p))
		}
		return err
	})
}

type resourceCreateIn struct {
	Body resourceCreate `body:"json"`
}

type resourceCreate struct {
	ID    rest.Opt[uuid.UUID] `json:"id"`
	Kind  string              `json:"kind"`
	Name  string              `json:"name"`
	Alias rest.Opt[uint32]    `json:"alias"`
	resourceFields
}

// resourceFields are what can be changed later too.
type resourceFields struct {
	Title rest.Opt[string] `json:"display_name"`
	Email rest.Opt[string] `json:"email"`
	Color rest.Opt[string] `json:"color"`
	Zone  rest.Opt[string] `json:"zone"`
}

const wantColor = "must be of the form #RRGGBB"

var colorText = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

func (in *resourceFields) check(f *rest.Faults) {
	if c, ok := in.Color.Get(); ok && !colorText.MatchString(c) {
		f.Add("color", wantColor)
	}
	if z, ok := in.Zone.Get(); ok && ical.LookupZone(z) == nil {
		f.Add("zone", wantZone)
	}
}

// apply puts what was sent into the record; null takes a value away.
func (in *resourceFields) apply(p *store.Principal) {
	for _, x := range []struct {
		from rest.Opt[string]
		to   *string
	}{{in.Title, &p.DisplayName}, {in.Email, &p.Email}, {in.Color, &p.Color}, {in.Zone, &p.Zone}} {
		if x.from.Present() {
			*x.to = x.from.Or("")
		}
	}
}

// Validate checks the fields.
func (in *resourceCreateIn) Validate(f *rest.Faults) {
	if !isResourceKind(in.Body.Kind) && !f.Has("kind") {
		f.Add("kind", wantKind)
	}
	if in.Body.Name == "" && !f.Has("name") {
		f.Add("name", "is required")
	}
	in.Body.check(f)
}

func (s *service) createResource(ctx context.Context, in resourceCreateIn) (out rest.Tagged[Resource], err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		kind, _ := store.ParseKind(in.Body.Kind)
		p := &store.Principal{Org: d.actor.Org, Kind: kind, Name: in.Body.Name, UUID: in.Body.ID.Or(uuid.Nil), Alias: in.Body.Alias.Or(0)}
		in.Body.apply(p)
		if err := tx.CreatePrincipal(p); err != nil {
			return err
		}
		out = rest.Tagged[Resource]{Value: d.showResource(p), Location: base + "/resources/" + p.UUID.String()}
		return nil
	})
}

type resourcePatchIn struct {
	resourceIn
	rest.IfMatch
	Body resourceFields `body:"json"`
}

// Validate checks the fields.
func (in *resourcePatchIn) Validate(f *rest.Faults) { in.Body.check(f) }

func (s *service) mayPatchResource(ctx context.Context, in resourcePatchIn) error {
	return s.view(ctx, func(d *desk) error {
		_, err := d.resource(in.Ref, store.RightAdmin)
		return err
	})
}

func (s *service) patchResource(ctx context.Context, in resourcePatchIn) (out rest.Tagged[Resource], err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		p, err := d.resource(in.Ref, store.RightAdmin)
		if err != nil {
			return err
		}
		if err := in.Check(d.showResource(p)); err != nil {
			return err
		}
		in.Body.apply(p)
		if err := tx.UpdatePrincipal(p); err != nil {
			return err
		}
		out = rest.Tag(d.showResource(p))
		return nil
	})
}

type resourceDeleteIn struct {
	resourceIn
	rest.IfMatch
}

// deleteResource wants an administrator of the organisation: the name and what
// the calendar held are gone for all.
func (s *service) deleteResource(ctx context.Context, in resourceDeleteIn) (rest.NoContent, error) {
	return rest.NoContent{}, s.update(ctx, func(d *desk, tx *store.Tx) error {
		p, err := d.resource(in.Ref, store.RightFreeBusy)
		if err != nil {
			return err
		}
		if err := d.may(p.Org, store.RightAdmin); err != nil {
			return store.ErrForbidden
		}
		if err := in.Check(d.showResource(p)); err != nil {
			return err
		}
		return tx.DeletePrincipal(p.ID)
	})
}
