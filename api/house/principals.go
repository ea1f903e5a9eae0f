package house

import (
	"context"
	"net/http"
	"strings"

	"daybook/api/rest"
	"daybook/store"
)

func (s *service) principalRoutes() []rest.Route {
	const list, one = base + "/principals", base + "/principals/{principal}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "Find principals by kind and by a part of name, display name or address", Op: rest.Endpoint(http.StatusOK, s.listPrincipals)},
		{Pattern: "GET " + one, Summary: "Get a principal of any kind", Op: rest.Endpoint(http.StatusOK, s.getPrincipal)},
	}
}

// Principal is what organisations, users, resources and groups have in common.
type Principal struct {
	Ref
	Title  string   `json:"display_name"`
	Email  *string  `json:"email"`
	Color  *string  `json:"color" doc:"As #RRGGBB."`
	Rights []string `json:"rights" doc:"Of the asker, on its calendars."`
}

func (d *desk) showPrincipal(p *store.Principal) Principal {
	return Principal{refTo(p), p.DisplayName, orNull(p.Email), orNull(p.Color), d.rights(p.ID)}
}

type principalsIn struct {
	rest.Page
	Kind  rest.Opt[string] `query:"kind"`
	Query rest.Opt[string] `query:"q" doc:"In any case."`
}

// Validate checks the page and the kind.
func (in *principalsIn) Validate(f *rest.Faults) {
	in.Check(f)
	if k, ok := in.Kind.Get(); ok {
		if _, known := store.ParseKind(k); !known {
			f.Add("kind", "must be organisation, user, group, staff, room, area, service-point or calendar")
		}
	}
	if len(in.Query.Or("")) > 200 {
		f.Add("q", "must have at most 200 bytes")
	}
}

func (s *service) listPrincipals(ctx context.Context, in principalsIn) (out rest.List[Principal], err error) {
	return out, s.view(ctx, func(d *desk) error {
		var kinds []store.Kind
		if kind, ok := store.ParseKind(in.Kind.Or("")); ok {
			kinds = append(kinds, kind)
		}
		all, err := d.everybody(kinds...)
		if err != nil {
			return err
		}
		part := strings.ToLower(in.Query.Or(""))
		var found []Principal
		for _, p := range all {
			for _, text := range []string{p.Name, p.DisplayName, p.Email} {
				if strings.Contains(strings.ToLower(text), part) {
					found = append(found, d.showPrincipal(p))
					break
				}
			}
		}
		out = rest.Paged(in.Page, found, func(p Principal) string { return p.Name })
		return nil
	})
}

type principalIn struct {
	Ref string `path:"principal" doc:"UUID or name."`
}

func (s *service) getPrincipal(ctx context.Context, in principalIn) (out rest.Tagged[Principal], err error) {
	return out, s.view(ctx, func(d *desk) error {
		p, err := d.known(in.Ref)
		if err == nil {
			out = rest.Tag(d.showPrincipal(p))
		}
		return err
	})
}
