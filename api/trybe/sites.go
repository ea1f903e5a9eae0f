package trybe

import (
	"context"

	"daybook/api/auth"
	"daybook/api/rest"
	"daybook/store"
)

// Site is an organisation as it is answered.
type Site struct {
	ID       string `json:"id" format:"uuid"`
	Name     string `json:"name"`
	Timezone string `json:"timezone" doc:"IANA name."`
}

type sitesOut struct {
	Data []Site `json:"data"`
}

type sitesIn struct{}

// sites answers the organisations that the actor may read.
func (s *service) sites(ctx context.Context, _ sitesIn) (sitesOut, error) {
	out := sitesOut{Data: []Site{}}
	err := s.store.View(ctx, func(v *store.View) error {
		actor := auth.Actor(ctx)
		all, err := v.Principals(0, store.KindOrganisation)
		if err != nil {
			return err
		}
		out.Data = out.Data[:0]
		for _, p := range all {
			if v.Rights(actor, p.ID).Has(store.RightRead) {
				out.Data = append(out.Data, Site{p.UUID.String(), title(p), v.Zone(p).Name()})
			}
		}
		return nil
	})
	return out, err
}

// Resource is a practitioner, a room or an area as it is answered.
type Resource struct {
	ID     string  `json:"id" format:"uuid"`
	SiteID string  `json:"site_id" format:"uuid"`
	Name   string  `json:"name"`
	Color  *string `json:"color" doc:"As configured."`
}

type resourcesOut struct {
	Data []Resource `json:"data"`
}

type resourcesIn struct {
	Site rest.Opt[siteID] `query:"site_id"`
}

// Validate checks that the site is named.
func (in *resourcesIn) Validate(f *rest.Faults) { need(f, "site_id", in.Site) }

// resources answers the site's resources of one kind, by name.
func (s *service) resources(k store.Kind) func(context.Context, resourcesIn) (resourcesOut, error) {
	return func(ctx context.Context, in resourcesIn) (resourcesOut, error) {
		id, _ := in.Site.Get()
		out := resourcesOut{}
		err := s.store.View(ctx, func(v *store.View) error {
			at, err := siteOf(v, auth.Actor(ctx), id.UUID, store.RightRead)
			if err != nil {
				return err
			}
			all, err := v.Principals(at.org.ID, k)
			if err != nil {
				return err
			}
			out.Data = make([]Resource, len(all))
			for i, p := range all {
				out.Data[i] = Resource{p.UUID.String(), at.org.UUID.String(), title(p), nullable(p.Color)}
			}
			return nil
		})
		return out, err
	}
}

func title(p *store.Principal) string {
	if p.DisplayName != "" {
		return p.DisplayName
	}
	return p.Name
}
