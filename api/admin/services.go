package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"daybook/api/rest"
	"daybook/api/slots"
	"daybook/store"
)

// BookingRules are the fields of a service that can be said and left out. Nil is
// what is not said. Lengths are written as ISO 8601 (PT50M, P60D) or as 50m, 4h.
type BookingRules struct {
	Description  *string   `json:"description,omitempty" yaml:"description"`
	Color        *string   `json:"color,omitempty" yaml:"color"`
	Length       *string   `json:"length,omitempty" yaml:"length"`
	BufferBefore *string   `json:"buffer_before,omitempty" yaml:"buffer_before"`
	BufferAfter  *string   `json:"buffer_after,omitempty" yaml:"buffer_after"`
	MinNotice    *string   `json:"min_notice,omitempty" yaml:"min_notice"` // from now to the earliest start
	MaxAhead     *string   `json:"max_ahead,omitempty" yaml:"max_ahead"`   // from now to the latest start
	MaxPerDay    *int      `json:"max_per_day,omitempty" yaml:"max_per_day"`
	MaxPerWeek   *int      `json:"max_per_week,omitempty" yaml:"max_per_week"`
	MaxPerMonth  *int      `json:"max_per_month,omitempty" yaml:"max_per_month"`
	Capacity     *int      `json:"capacity,omitempty" yaml:"capacity"` // bookings at once
	Step         *string   `json:"step,omitempty" yaml:"step"`         // between two starts
	Confirm      *bool     `json:"confirm,omitempty" yaml:"confirm"`   // bookings begin as tentative
	Active       *bool     `json:"active,omitempty" yaml:"active"`
	Resources    *[]string `json:"resources,omitempty" yaml:"resources"` // names; none: all of the organisation
}

// faults tells all that is wrong with the values themselves.
func (r *BookingRules) faults() []error {
	var out []error
	note := func(what string, err error) {
		if err != nil {
			out = append(out, fmt.Errorf("%s: %w", what, err))
		}
	}
	note("color", checkColor(text(r.Color)))
	for _, l := range r.lengths(&store.Service{}) {
		_, err := parseLength(text(l.from))
		note(l.name, err)
	}
	if d, err := parseLength(text(r.Step)); err == nil && d != 0 && (d < slots.MinStep || d > 24*time.Hour) {
		note("step", fmt.Errorf("%w: %q is not between a minute and a day", store.ErrInvalid, *r.Step))
	}
	for _, l := range r.limits(&store.Service{}) {
		if l.from != nil && *l.from < 0 {
			note(l.name, fmt.Errorf("%w: %d is negative", store.ErrInvalid, *l.from))
		}
	}
	return out
}

type said[T, U any] struct {
	name string
	from *T
	to   *U
}

func (r *BookingRules) lengths(s *store.Service) []said[string, time.Duration] {
	return []said[string, time.Duration]{
		{"length", r.Length, &s.Length},
		{"buffer_before", r.BufferBefore, &s.BufferBefore},
		{"buffer_after", r.BufferAfter, &s.BufferAfter},
		{"min_notice", r.MinNotice, &s.MinNotice},
		{"max_ahead", r.MaxAhead, &s.MaxAhead},
		{"step", r.Step, &s.Step},
	}
}

func (r *BookingRules) limits(s *store.Service) []said[int, int] {
	return []said[int, int]{
		{"max_per_day", r.MaxPerDay, &s.MaxPerDay},
		{"max_per_week", r.MaxPerWeek, &s.MaxPerWeek},
		{"max_per_month", r.MaxPerMonth, &s.MaxPerMonth},
		{"capacity", r.Capacity, &s.Capacity},
	}
}

// set puts what is said into a service of an organisation.
func (r *BookingRules) set(v *store.View, s *store.Service) error {
	set(&s.Description, r.Description)
	set(&s.Color, r.Color)
	for _, l := range r.lengths(s) {
		if l.from == nil {
			continue
		}
		d, err := parseLength(*l.from)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		*l.to = d
	}
	for _, l := range r.limits(s) {
		if l.from != nil {
			*l.to = *l.from
		}
	}
	if r.Confirm != nil {
		s.Confirm = *r.Confirm
	}
	if r.Active != nil {
		s.Inactive = !*r.Active
	}
	if s.MaxAhead != 0 && s.MinNotice > s.MaxAhead {
		return fmt.Errorf("%w: min_notice is longer than max_ahead, and nothing could be booked", store.ErrInvalid)
	}
	if r.Resources == nil {
		return nil
	}
	ids, err := namedIDs(v, s.Org, *r.Resources, "resource", store.Kind.Resource)
	s.Resources = ids
	return err
}

// namedIDs gives the ids of principals of an organisation, each once.
func namedIDs(v *store.View, org store.PrincipalID, names []string, what string, is func(store.Kind) bool) ([]uuid.UUID, error) {
	var out []uuid.UUID
	for _, name := range names {
		p, err := findKind(v, name, what, is)
		if err != nil {
			return nil, err
		}
		if p.Org != org {
			return nil, fmt.Errorf("%w: %q is of another organisation", store.ErrInvalid, name)
		}
		if !slices.Contains(out, p.UUID) {
			out = append(out, p.UUID)
		}
	}
	return out, nil
}

// parseLength reads PT50M, P60D, or 50m; "" is none. Days have 24 hours.
func parseLength(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	var d time.Duration
	var err error
	if s[0] == 'P' || s[0] == 'p' {
		err = (*rest.Duration)(&d).UnmarshalText([]byte(s))
	} else {
		d, err = time.ParseDuration(s)
	}
	if err != nil || d < 0 || d > store.MaxServiceTime || d%time.Second != 0 {
		return 0, fmt.Errorf("%w: %q is not a length such as PT50M, P60D or 50m, of up to ten years", store.ErrInvalid, s)
	}
	return d, nil
}

// lengthText writes a length; "" for none.
func lengthText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return rest.Duration(d).String()
}

// BookableService is a service as operators see it. Lengths are ISO 8601, "" and
// 0 are rules that are not there.
type BookableService struct {
	ID           uuid.UUID `json:"id"`
	Organisation string    `json:"organisation"`
	Name         string    `json:"name"`
	Alias        uint32    `json:"alias"`
	Description  string    `json:"description,omitempty"`
	Color        string    `json:"color,omitempty"`
	Length       string    `json:"length,omitempty"`
	BufferBefore string    `json:"buffer_before,omitempty"`
	BufferAfter  string    `json:"buffer_after,omitempty"`
	MinNotice    string    `json:"min_notice,omitempty"`
	MaxAhead     string    `json:"max_ahead,omitempty"`
	MaxPerDay    int       `json:"max_per_day,omitempty"`
	MaxPerWeek   int       `json:"max_per_week,omitempty"`
	MaxPerMonth  int       `json:"max_per_month,omitempty"`
	Capacity     int       `json:"capacity,omitempty"` // 0 is one
	Step         string    `json:"step,omitempty"`     // "" is a quarter of an hour
	Confirm      bool      `json:"confirm"`
	Active       bool      `json:"active"`
	Resources    []string  `json:"resources"` // names; none: all
}

func bookable(v *store.View, s *store.Service, org string) BookableService {
	return BookableService{
		ID: s.UUID, Organisation: org, Name: s.Name, Alias: s.Alias, Description: s.Description, Color: s.Color,
		Length: lengthText(s.Length), BufferBefore: lengthText(s.BufferBefore), BufferAfter: lengthText(s.BufferAfter),
		MinNotice: lengthText(s.MinNotice), MaxAhead: lengthText(s.MaxAhead),
		MaxPerDay: s.MaxPerDay, MaxPerWeek: s.MaxPerWeek, MaxPerMonth: s.MaxPerMonth, Capacity: s.Capacity, Step: lengthText(s.Step),
		Confirm: s.Confirm, Active: !s.Inactive, Resources: namesOf(v, s.Resources),
	}
}

// namesOf gives the names of principals; those that are gone are left out.
func namesOf(v *store.View, ids []uuid.UUID) []string {
	out := []string{}
	for _, id := range ids {
		if p, err := v.PrincipalByUUID(id); err == nil {
			out = append(out, p.Name)
		}
	}
	return out
}

// CreateService asks for a service.
type CreateService struct {
	Name         string    `json:"name"`
	ID           uuid.UUID `json:"id,omitzero"`
	Organisation string    `json:"organisation,omitempty"`
	Alias        uint32    `json:"alias,omitempty"` // 0: the next free one
	BookingRules
}

func createService(ctx context.Context, s *Service, req CreateService, _ *Stream) (BookableService, error) {
	var out BookableService
	if err := errors.Join(req.faults()...); err != nil {
		return out, err
	}
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		org, err := findOrganisation(&tx.View, req.Organisation)
		if err != nil {
			return err
		}
		x := &store.Service{Org: org.ID, UUID: req.ID, Alias: req.Alias, Name: req.Name}
		if err := req.set(&tx.View, x); err != nil {
			return err
		}
		if _, err := tx.Service(org.ID, x.UUID); err == nil {
			return fmt.Errorf("service %s: %w", x.UUID, store.ErrExists)
		}
		if err := tx.PutService(x); err != nil {
			return fmt.Errorf("service %q: %w", req.Name, err)
		}
		out = bookable(&tx.View, x, org.Name)
		return nil
	})
	return out, err
}

func listServices(ctx context.Context, s *Service, req OfOrganisation, _ *Stream) ([]BookableService, error) {
	out := []BookableService{}
	err := s.Store.View(ctx, func(v *store.View) error {
		return eachOrganisation(v, req.Organisation, func(org *store.Principal) error {
			all, err := v.Services(org.ID)
			for _, x := range all {
				out = append(out, bookable(v, x, org.Name))
			}
			return err
		})
	})
	return out, err
}

// deleteService takes an id, or a name that one service alone has.
func deleteService(ctx context.Context, s *Service, req ByID, _ *Stream) (ByID, error) {
	return req, s.Store.Update(ctx, func(tx *store.Tx) error {
		all, err := tx.Services(0)
		if err != nil {
			return err
		}
		found := slices.DeleteFunc(all, func(x *store.Service) bool { return x.Name != req.ID && x.UUID.String() != req.ID })
		if len(found) > 1 {
			return fmt.Errorf("%w: %d services are named %q; give the id of one", store.ErrInvalid, len(found), req.ID)
		}
		if len(found) == 0 {
			return fmt.Errorf("service %q: %w", req.ID, store.ErrNotFound)
		}
		return tx.DeleteService(found[0].Org, found[0].UUID)
	})
}

// --- groups ---

// Group is a group as operators see it.
type Group struct {
	Name         string    `json:"name"`
	ID           uuid.UUID `json:"id"`
	Organisation string    `json:"organisation"`
	DisplayName  string    `json:"display_name,omitempty"`
	Email        string    `json:"email,omitempty"`
	Alias        uint32    `json:"alias"`
	Members      []string  `json:"members"` // names
}

func group(v *store.View, p *store.Principal, org string) Group {
	members := namesOf(v, p.Members)
	slices.SortFunc(members, cmp.Compare[string])
	return Group{Name: p.Name, ID: p.UUID, Organisation: org, DisplayName: p.DisplayName, Email: p.Email, Alias: p.Alias, Members: members}
}

// CreateGroup asks for a group.
type CreateGroup struct {
	Name         string    `json:"name"`
	ID           uuid.UUID `json:"id,omitzero"`
	Organisation string    `json:"organisation,omitempty"`
	DisplayName  string    `json:"display_name,omitempty"`
	Email        string    `json:"email,omitempty"`
	Alias        uint32    `json:"alias,omitempty"` // 0: the next free one
	Members      []string  `json:"members,omitempty"`
}

// isMember reports whether principals of a kind can be in groups.
func isMember(k store.Kind) bool { return k == store.KindUser || k.Resource() }

func createGroup(ctx context.Context, s *Service, req CreateGroup, _ *Stream) (Group, error) {
	var out Group
	return out, s.Store.Update(ctx, func(tx *store.Tx) error {
		org, err := findOrganisation(&tx.View, req.Organisation)
		if err != nil {
			return err
		}
		p := &store.Principal{
			UUID: req.ID, Org: org.ID, Kind: store.KindGroup, Name: req.Name, DisplayName: req.DisplayName, Email: req.Email,
			Alias: req.Alias, Created: s.now(), Modified: s.now(),
		}
		if p.Members, err = namedIDs(&tx.View, org.ID, req.Members, "user or resource", isMember); err != nil {
			return err
		}
		if err := tx.CreatePrincipal(p); err != nil {
			return fmt.Errorf("group %q: %w", req.Name, err)
		}
		out = group(&tx.View, p, org.Name)
		return nil
	})
}

func listGroups(ctx context.Context, s *Service, req OfOrganisation, _ *Stream) ([]Group, error) {
	out := []Group{}
	err := s.Store.View(ctx, func(v *store.View) error {
		return eachOrganisation(v, req.Organisation, func(org *store.Principal) error {
			found, err := v.Principals(org.ID, store.KindGroup)
			for _, p := range found {
				out = append(out, group(v, p, org.Name))
			}
			return err
		})
	})
	return out, err
}

func deleteGroup(ctx context.Context, s *Service, req ByID, _ *Stream) (ByID, error) {
	return req, s.Store.Update(ctx, func(tx *store.Tx) error {
		p, err := findKind(&tx.View, req.ID, "group", func(k store.Kind) bool { return k == store.KindGroup })
		if err != nil {
			return err
		}
		return tx.DeletePrincipal(p.ID)
	})
}
