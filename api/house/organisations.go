package house

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"daybook/api/hours/kept"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

func (s *service) organisationRoutes() []rest.Route {
	const list, one = base + "/organisations", base + "/organisations/{organisation}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "List organisations: the credential's own", Op: rest.Endpoint(http.StatusOK, s.listOrganisations)},
		{Pattern: "GET " + one, Summary: "Get an organisation", Op: rest.Endpoint(http.StatusOK, s.getOrganisation)},
		{Pattern: "PATCH " + one, Summary: "Change an organisation", Op: rest.Endpoint(http.StatusOK, s.patchOrganisation).Guard(s.mayPatchOrganisation)},
	}
}

// Organisation is an organisation as the holders of its credentials see it.
type Organisation struct {
	ID       uuid.UUID `json:"id"`
	Name     string    `json:"name" doc:"Its slug."`
	Title    string    `json:"display_name"`
	Zone     string    `json:"zone" doc:"IANA name."`
	Rights   []string  `json:"rights"`
	Created  time.Time `json:"created_at"`
	Modified time.Time `json:"updated_at"`
}

func (d *desk) showOrganisation(p *store.Principal) Organisation {
	return Organisation{p.UUID, p.Name, p.DisplayName, p.Zone, d.rights(p.ID), p.Created.UTC(), p.Modified.UTC()}
}

// rights names what the asker may do, all that follows included.
func (d *desk) rights(p store.PrincipalID) []string {
	if names := d.Rights(d.actor, p).Names(); names != nil {
		return names
	}
	return []string{}
}

type noneIn struct{}

func (s *service) listOrganisations(ctx context.Context, _ noneIn) (out rest.List[Organisation], err error) {
	return out, s.view(ctx, func(d *desk) error {
		p, err := d.organisation()
		if err == nil {
			out.Items = []Organisation{d.showOrganisation(p)}
		}
		return err
	})
}

// organisationIn names the credential's organisation: another one is not found.
type organisationIn struct {
	Ref string `path:"organisation"`
}

func (s *service) getOrganisation(ctx context.Context, in organisationIn) (out rest.Tagged[Organisation], err error) {
	return out, s.view(ctx, func(d *desk) error {
		p, err := d.principal(in.Ref, store.RightFreeBusy, store.KindOrganisation)
		if err == nil {
			out = rest.Tag(d.showOrganisation(p))
		}
		return err
	})
}

type organisationPatchIn struct {
	organisationIn
	rest.IfMatch
	Body organisationPatch `body:"json"`
}

type organisationPatch struct {
	Title rest.Opt[string] `json:"display_name"`
	Zone  rest.Opt[string] `json:"zone"`
}

// Validate checks the zone.
func (in *organisationPatchIn) Validate(f *rest.Faults) {
	if z, ok := in.Body.Zone.Get(); in.Body.Zone.Present() && (!ok || ical.LookupZone(z) == nil) && !f.Has("zone") {
		f.Add("zone", wantZone)
	}
}

func (s *service) mayPatchOrganisation(ctx context.Context, in organisationPatchIn) error {
	return s.view(ctx, func(d *desk) error {
		_, err := d.principal(in.Ref, store.RightAdmin, store.KindOrganisation)
		return err
	})
}

func (s *service) patchOrganisation(ctx context.Context, in organisationPatchIn) (out rest.Tagged[Organisation], err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		p, err := d.principal(in.Ref, store.RightAdmin, store.KindOrganisation)
		if err != nil {
			return err
		}
		if err := in.Check(d.showOrganisation(p)); err != nil {
			return err
		}
		if in.Body.Title.Present() {
			p.DisplayName = in.Body.Title.Or("")
		}
		from := d.Zone(p)
		p.Zone = in.Body.Zone.Or(p.Zone)
		if err := tx.UpdatePrincipal(p); err != nil {
			return err
		}
		if err := kept.Rezone(tx, s.store, d.actor, p.ID, from, d.Zone(p)); err != nil {
			return err
		}
		out = rest.Tag(d.showOrganisation(p))
		return nil
	})
}
