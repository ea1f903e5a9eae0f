package onlive

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/rest"
	"daybook/store"
)

// Calendar is a resource, whose id calendarIds takes.
type Calendar struct {
	ID             string `json:"id" format:"uuid"`
	Name           string `json:"name"`
	Timezone       string `json:"timezone" doc:"IANA name."`
	Type           string `json:"type" enum:"agent,asset" doc:"Agent for staff, asset for all others."`
	Email          string `json:"email,omitempty"`
	Color          string `json:"color,omitempty"`
	OrganizationID string `json:"organizationId" format:"uuid"`
	CreatedAt      string `json:"createdAt" format:"date-time"`
	UpdatedAt      string `json:"updatedAt" format:"date-time"`
}

const (
	typeAgent = "agent"
	typeAsset = "asset"
)

func typeOf(k store.Kind) string {
	if k == store.KindStaff {
		return typeAgent
	}
	return typeAsset
}

// calendarsIn asks for calendars.
type calendarsIn struct {
	paging
	calendarFilter
	Type   rest.Opt[string] `query:"type"`
	Search rest.Opt[string] `query:"search" doc:"In the name, in any case."`
}

// Validate checks what needs no store.
func (in *calendarsIn) Validate(f *rest.Faults) {
	in.paging.check(f)
	in.calendarFilter.check(f)
	if t, ok := in.Type.Get(); ok && t != typeAgent && t != typeAsset {
		f.Add("type", "must be agent or asset")
	}
	checkText(f, "search", &in.Search, maxTitle)
}

// calendars answers the resources that the actor may see, by the name in their
// address.
func (s *service) calendars(ctx context.Context, in calendarsIn) (out Page[Calendar], err error) {
	err = s.view(ctx, func(v *store.View, a *store.Actor, org *store.Principal) error {
		all, err := v.Principals(org.ID, store.KindStaff, store.KindRoom, store.KindArea, store.KindServicePoint, store.KindCalendar)
		if err != nil {
			return err
		}
		passes, err := in.passes(v, a, org)
		if err != nil {
			return err
		}
		var shown []*store.Principal
		search := strings.ToLower(in.Search.Or(""))
		for _, p := range all {
			if v.Rights(a, p.ID) != 0 && passes(p) && in.Type.Or(typeOf(p.Kind)) == typeOf(p.Kind) && strings.Contains(strings.ToLower(nameOf(p)), search) {
				shown = append(shown, p)
			}
		}
		out = pageOf(in.paging, shown, func(p *store.Principal) Calendar { return calendarOf(v, org, p) })
		return nil
	})
	return out, err
}

// calendar answers one resource.
func (s *service) calendar(ctx context.Context, in getIn) (out Calendar, err error) {
	id, err := parsePath(in.ID, "calendar")
	if err != nil {
		return out, err
	}
	err = s.view(ctx, func(v *store.View, a *store.Actor, org *store.Principal) error {
		p, err := v.PrincipalByUUID(id)
		if errors.Is(err, store.ErrNotFound) || err == nil && (p.Org != org.ID || !p.Kind.Resource() || v.Rights(a, p.ID) == 0) {
			return say(http.StatusNotFound, noCalendar)
		}
		if err != nil {
			return err
		}
		out = calendarOf(v, org, p)
		return nil
	})
	return out, err
}

func calendarOf(v *store.View, org, p *store.Principal) Calendar {
	return Calendar{
		ID: p.UUID.String(), Name: nameOf(p), Timezone: v.Zone(p).Name(), Type: typeOf(p.Kind), Email: p.Email, Color: p.Color,
		OrganizationID: org.UUID.String(), CreatedAt: show(p.Created), UpdatedAt: show(p.Modified),
	}
}

func nameOf(p *store.Principal) string {
	if p.DisplayName != "" {
		return p.DisplayName
	}
	return p.Name
}

// parsePath reads the id of a calendar or a service.
func parsePath(text, what string) (uuid.UUID, error) {
	id, err := parseUUID(text)
	if err != nil {
		p := say(http.StatusBadRequest, "Invalid "+what+" ID format")
		p.Faults = []rest.Fault{{Field: "id", Message: "Must be a valid UUID"}}
		return id, p
	}
	return id, nil
}

// Service is what a serviceId means for a block.
type Service struct {
	ID             string   `json:"id" format:"uuid"`
	Name           string   `json:"name"`
	Description    string   `json:"description,omitempty"`
	Duration       int      `json:"duration,omitempty" doc:"Minutes; none: a block of it has no end."`
	CalendarIDs    []string `json:"calendarIds" format:"uuid" doc:"None: the organisation's own calendar."`
	OrganizationID string   `json:"organizationId" format:"uuid"`
	CreatedAt      string   `json:"createdAt" format:"date-time"`
	UpdatedAt      string   `json:"updatedAt" format:"date-time"`
}

// servicesIn asks for services.
type servicesIn struct {
	paging
	Search rest.Opt[string] `query:"search" doc:"In the name, in any case."`
}

// Validate checks what needs no store.
func (in *servicesIn) Validate(f *rest.Faults) {
	in.check(f)
	checkText(f, "search", &in.Search, maxTitle)
}

// services answers the services in order of their making. Who may not read the
// organisation sees none.
func (s *service) services(ctx context.Context, in servicesIn) (out Page[Service], err error) {
	err = s.view(ctx, func(v *store.View, a *store.Actor, org *store.Principal) error {
		var shown []*store.Service
		if v.Rights(a, org.ID).Has(store.RightRead) {
			all, err := v.Services(org.ID)
			if err != nil {
				return err
			}
			search := strings.ToLower(in.Search.Or(""))
			for _, x := range all {
				if strings.Contains(strings.ToLower(x.Name), search) {
					shown = append(shown, x)
				}
			}
		}
		out = pageOf(in.paging, shown, func(x *store.Service) Service { return serviceAnswer(org, x) })
		return nil
	})
	return out, err
}

// service answers one service.
func (s *service) service(ctx context.Context, in getIn) (out Service, err error) {
	id, err := parsePath(in.ID, "service")
	if err != nil {
		return out, err
	}
	err = s.view(ctx, func(v *store.View, a *store.Actor, org *store.Principal) error {
		x, err := v.Service(org.ID, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && !v.Rights(a, org.ID).Has(store.RightRead) {
			return say(http.StatusNotFound, noService)
		}
		if err != nil {
			return err
		}
		out = serviceAnswer(org, x)
		return nil
	})
	return out, err
}

func serviceAnswer(org *store.Principal, x *store.Service) Service {
	out := Service{
		ID: x.UUID.String(), Name: x.Name, Description: x.Description, Duration: int(x.Length / time.Minute), CalendarIDs: []string{},
		OrganizationID: org.UUID.String(), CreatedAt: show(x.Created), UpdatedAt: show(x.Modified),
	}
	for _, id := range x.Resources {
		out.CalendarIDs = append(out.CalendarIDs, id.String())
	}
	return out
}
