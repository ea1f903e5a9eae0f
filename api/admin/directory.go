package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/store"
)

// None is the request of an operation that needs nothing said.
type None struct{}

// Organisation is an organisation as operators see it.
type Organisation struct {
	Slug    string    `json:"slug"`
	ID      uuid.UUID `json:"id"`
	Name    string    `json:"name"`
	Zone    string    `json:"zone"` // IANA name
	Created time.Time `json:"created"`
}

// User is a user as operators see it.
type User struct {
	Name         string    `json:"name"`
	ID           uuid.UUID `json:"id"`
	Organisation string    `json:"organisation"`
	DisplayName  string    `json:"display_name,omitempty"`
	Email        string    `json:"email,omitempty"`
	Rights       []string  `json:"rights"` // on the organisation
	Calendars    []string  `json:"calendars"`
	Created      time.Time `json:"created"`
}

// Resource is a resource as operators see it.
type Resource struct {
	Name         string    `json:"name"`
	ID           uuid.UUID `json:"id"`
	Organisation string    `json:"organisation"`
	Kind         string    `json:"kind"`
	DisplayName  string    `json:"display_name,omitempty"`
	Email        string    `json:"email,omitempty"`
	Alias        uint32    `json:"alias"`
	Color        string    `json:"color,omitempty"`
	Zone         string    `json:"zone,omitempty"`
	Created      time.Time `json:"created"`
}

// CreateOrganisation asks for an organisation.
type CreateOrganisation struct {
	Slug string    `json:"slug"`
	ID   uuid.UUID `json:"id,omitzero"` // zero: a new one
	Name string    `json:"name,omitempty"`
	Zone string    `json:"zone,omitempty"` // IANA name, "" for UTC
}

func createOrganisation(ctx context.Context, s *Service, req CreateOrganisation, _ *Stream) (Organisation, error) {
	var out Organisation
	if req.Zone == "" {
		req.Zone = "UTC"
	}
	if err := checkZone(req.Zone); err != nil {
		return out, err
	}
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		p := &store.Principal{
			UUID: req.ID, Kind: store.KindOrganisation, Name: req.Slug, DisplayName: req.Name, Zone: req.Zone,
			Created: s.now(), Modified: s.now(),
		}
		if err := tx.CreatePrincipal(p); err != nil {
			return fmt.Errorf("organisation %q: %w", req.Slug, err)
		}
		out = organisation(p)
		return nil
	})
	return out, err
}

func organisation(p *store.Principal) Organisation {
	return Organisation{Slug: p.Name, ID: p.UUID, Name: p.DisplayName, Zone: p.Zone, Created: p.Created}
}

func listOrganisations(ctx context.Context, s *Service, _ None, _ *Stream) ([]Organisation, error) {
	out := []Organisation{}
	err := s.Store.View(ctx, func(v *store.View) error {
		found, err := v.Principals(0, store.KindOrganisation)
		for _, p := range found {
			out = append(out, organisation(p))
		}
		return err
	})
	return out, err
}

// CreateUser asks for a user.
type CreateUser struct {
	Name         string    `json:"name"`
	ID           uuid.UUID `json:"id,omitzero"`
	Organisation string    `json:"organisation,omitempty"` // "" when there is just one
	DisplayName  string    `json:"display_name,omitempty"`
	Email        string    `json:"email,omitempty"`
	Password     string    `json:"password,omitempty"` // "" for a random one
	Rights       []string  `json:"rights,omitempty"`   // on the organisation
}

// Password is a password that is told once.
type Password struct {
	User     string `json:"user"`
	Password string `json:"password,omitempty"` // only when it was made here
}

func createUser(ctx context.Context, s *Service, req CreateUser, _ *Stream) (Password, error) {
	out := Password{User: req.Name}
	rights, err := parseRights(req.Rights)
	if err != nil {
		return out, err
	}
	if req.Password == "" {
		req.Password = store.NewSecret()
		out.Password = req.Password
	}
	hash, err := store.HashPassword(req.Password)
	if err != nil {
		return out, err
	}
	return out, s.Store.Update(ctx, func(tx *store.Tx) error {
		org, err := findOrganisation(&tx.View, req.Organisation)
		if err != nil {
			return err
		}
		p := &store.Principal{
			UUID: req.ID, Org: org.ID, Kind: store.KindUser, Name: req.Name, DisplayName: req.DisplayName, Email: req.Email,
			Created: s.now(), Modified: s.now(),
		}
		if err := tx.CreatePrincipal(p); err != nil {
			return fmt.Errorf("user %q: %w", req.Name, err)
		}
		if err := tx.SetPassword(p.ID, hash); err != nil {
			return err
		}
		if rights == 0 {
			return nil
		}
		return tx.SetGrant(p.ID, org.ID, rights)
	})
}

// OfOrganisation asks for what belongs to an organisation; "" is all.
type OfOrganisation struct {
	Organisation string `json:"organisation,omitempty"`
}

func listUsers(ctx context.Context, s *Service, req OfOrganisation, _ *Stream) ([]User, error) {
	out := []User{}
	err := s.Store.View(ctx, func(v *store.View) error {
		names, org, err := organisationNames(v, req.Organisation)
		if err != nil {
			return err
		}
		found, err := v.Principals(org, store.KindUser)
		if err != nil {
			return err
		}
		for _, p := range found {
			u := User{
				Name: p.Name, ID: p.UUID, Organisation: names[p.Org], DisplayName: p.DisplayName, Email: p.Email,
				Rights: []string{}, Calendars: []string{}, Created: p.Created,
			}
			grants, err := v.GrantsOf(p.ID)
			if err != nil {
				return err
			}
			for _, g := range grants {
				if g.Target == p.Org {
					u.Rights = g.Rights.Names()
				}
			}
			calendars, err := v.Collections(p.ID)
			if err != nil {
				return err
			}
			for _, c := range calendars {
				u.Calendars = append(u.Calendars, c.Name)
			}
			out = append(out, u)
		}
		return nil
	})
	return out, err
}

// SetPassword asks for another password.
type SetPassword struct {
	User     string `json:"user"`
	Password string `json:"password,omitempty"` // "" for a random one
}

func setPassword(ctx context.Context, s *Service, req SetPassword, _ *Stream) (Password, error) {
	out := Password{User: req.User}
	if req.Password == "" {
		req.Password = store.NewSecret()
		out.Password = req.Password
	}
	hash, err := store.HashPassword(req.Password)
	if err != nil {
		return out, err
	}
	return out, s.Store.Update(ctx, func(tx *store.Tx) error {
		p, err := findKind(&tx.View, req.User, "user", func(k store.Kind) bool { return k == store.KindUser })
		if err != nil {
			return err
		}
		return tx.SetPassword(p.ID, hash)
	})
}

// CreateResource asks for a resource.
type CreateResource struct {
	Name         string    `json:"name"`
	ID           uuid.UUID `json:"id,omitzero"`
	Organisation string    `json:"organisation,omitempty"`
	Kind         string    `json:"kind"`
	DisplayName  string    `json:"display_name,omitempty"`
	Email        string    `json:"email,omitempty"`
	Alias        uint32    `json:"alias,omitempty"` // 0: the next free one
	Color        string    `json:"color,omitempty"`
	Zone         string    `json:"zone,omitempty"`
}

func createResource(ctx context.Context, s *Service, req CreateResource, _ *Stream) (Resource, error) {
	var out Resource
	kind, err := resourceKind(req.Kind)
	if err != nil {
		return out, err
	}
	if err := errors.Join(checkColor(req.Color), checkZone(req.Zone)); err != nil {
		return out, err
	}
	return out, s.Store.Update(ctx, func(tx *store.Tx) error {
		org, err := findOrganisation(&tx.View, req.Organisation)
		if err != nil {
			return err
		}
		p := &store.Principal{
			UUID: req.ID, Org: org.ID, Kind: kind, Name: req.Name, DisplayName: req.DisplayName, Email: req.Email,
			Alias: req.Alias, Color: req.Color, Zone: req.Zone, Created: s.now(), Modified: s.now(),
		}
		if err := tx.CreatePrincipal(p); err != nil {
			return fmt.Errorf("resource %q: %w", req.Name, err)
		}
		out = resource(p, org.Name)
		return nil
	})
}

func resource(p *store.Principal, org string) Resource {
	return Resource{
		Name: p.Name, ID: p.UUID, Organisation: org, Kind: p.Kind.String(), DisplayName: p.DisplayName, Email: p.Email,
		Alias: p.Alias, Color: p.Color, Zone: p.Zone, Created: p.Created,
	}
}

var resourceKinds = []store.Kind{store.KindStaff, store.KindRoom, store.KindArea, store.KindServicePoint, store.KindCalendar}

func listResources(ctx context.Context, s *Service, req OfOrganisation, _ *Stream) ([]Resource, error) {
	out := []Resource{}
	err := s.Store.View(ctx, func(v *store.View) error {
		names, org, err := organisationNames(v, req.Organisation)
		if err != nil {
			return err
		}
		found, err := v.Principals(org, resourceKinds...)
		for _, p := range found {
			out = append(out, resource(p, names[p.Org]))
		}
		return err
	})
	return out, err
}

// Delete asks for the end of a principal with everything it has.
type Delete struct {
	Name string `json:"name"`
	// Sure must be true when calendars with objects would be deleted too.
	Sure bool `json:"sure,omitempty"`
}

// Deleted tells what is gone.
type Deleted struct {
	Name      string `json:"name"`
	Calendars int    `json:"calendars"`
	Objects   uint64 `json:"objects"`
}

func deleteUser(ctx context.Context, s *Service, req Delete, _ *Stream) (Deleted, error) {
	return s.delete(ctx, req, "user", func(k store.Kind) bool { return k == store.KindUser })
}

func deleteResource(ctx context.Context, s *Service, req Delete, _ *Stream) (Deleted, error) {
	return s.delete(ctx, req, "resource", store.Kind.Resource)
}

func (s *Service) delete(ctx context.Context, req Delete, what string, is func(store.Kind) bool) (Deleted, error) {
	var out Deleted
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		out = Deleted{Name: req.Name}
		p, err := findKind(&tx.View, req.Name, what, is)
		if err != nil {
			return err
		}
		calendars, err := tx.Collections(p.ID)
		if err != nil {
			return err
		}
		for _, c := range calendars {
			st, err := tx.State(c.ID)
			if err != nil {
				return err
			}
			out.Calendars++
			out.Objects += st.Members
		}
		if out.Objects > 0 && !req.Sure {
			return fmt.Errorf("%w: %s %q has %d objects in %d calendars, and they would be deleted too: say --yes if that is meant",
				store.ErrForbidden, what, req.Name, out.Objects, out.Calendars)
		}
		return tx.DeletePrincipal(p.ID)
	})
	return out, err
}

// --- finding things by what operators call them ---

// findOrganisation finds by slug; "" is the only one there is.
func findOrganisation(v *store.View, slug string) (*store.Principal, error) {
	if slug != "" {
		return findKind(v, slug, "organisation", func(k store.Kind) bool { return k == store.KindOrganisation })
	}
	all, err := v.Principals(0, store.KindOrganisation)
	if err != nil {
		return nil, err
	}
	switch len(all) {
	case 1:
		return all[0], nil
	case 0:
		return nil, fmt.Errorf("organisation: %w; make one with: daybook init", store.ErrNotFound)
	}
	var slugs []string
	for _, p := range all {
		slugs = append(slugs, p.Name)
	}
	return nil, fmt.Errorf("%w: there are several organisations, name one with --organisation: %s", store.ErrInvalid, strings.Join(slugs, ", "))
}

func organisationNames(v *store.View, slug string) (map[store.PrincipalID]string, store.PrincipalID, error) {
	all, err := v.Principals(0, store.KindOrganisation)
	if err != nil {
		return nil, 0, err
	}
	names := make(map[store.PrincipalID]string, len(all))
	for _, p := range all {
		names[p.ID] = p.Name
	}
	if slug == "" {
		return names, 0, nil
	}
	org, err := findOrganisation(v, slug)
	if err != nil {
		return nil, 0, err
	}
	return names, org.ID, nil
}

func findPrincipal(v *store.View, name string) (*store.Principal, error) {
	p, err := v.PrincipalByName(name)
	if err != nil {
		return nil, err // names it
	}
	return p, nil
}

func findKind(v *store.View, name, what string, is func(store.Kind) bool) (*store.Principal, error) {
	p, err := v.PrincipalByName(name)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%s %q: %w", what, name, store.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	if !is(p.Kind) {
		return nil, fmt.Errorf("%w: %q is a %s, not a %s", store.ErrInvalid, name, p.Kind, what)
	}
	return p, nil
}

// findCalendar finds PRINCIPAL/CALENDAR, or PRINCIPAL for its own calendar.
func findCalendar(v *store.View, path string) (*store.Collection, *store.Principal, error) {
	owner, name, named := strings.Cut(path, "/")
	p, err := findPrincipal(v, owner)
	if err != nil {
		return nil, nil, fmt.Errorf("calendar %q: %w", path, err)
	}
	if !named {
		c, err := v.Calendar(p.ID)
		if err != nil {
			return nil, nil, fmt.Errorf("calendar of %q: %w", owner, err)
		}
		return c, p, nil
	}
	c, err := v.CollectionByName(p.ID, name)
	if err == nil {
		return c, p, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, nil, err
	}
	all, listErr := v.Collections(p.ID)
	if listErr != nil {
		return nil, nil, listErr
	}
	var have []string
	for _, c := range all {
		have = append(have, owner+"/"+c.Name)
	}
	return nil, nil, fmt.Errorf("calendar %q: %w; %s has: %s", path, err, owner, strings.Join(have, ", "))
}

func parseRights(names []string) (store.Rights, error) {
	r, err := store.ParseRights(names)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	return r, nil
}

func resourceKind(name string) (store.Kind, error) {
	k, ok := store.ParseKind(name)
	if !ok || !k.Resource() {
		return 0, fmt.Errorf("%w: kind %q; known are staff, room, area, service-point, calendar", store.ErrInvalid, name)
	}
	return k, nil
}

func checkZone(name string) error {
	if name == "" {
		return nil
	}
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		return fmt.Errorf("%w: time zone %q is not known; an IANA name such as Europe/Berlin is", store.ErrInvalid, name)
	}
	return nil
}

func checkColor(c string) error {
	if c == "" {
		return nil
	}
	if len(c) != 7 || c[0] != '#' || strings.Trim(c[1:], "0123456789abcdefABCDEF") != "" {
		return fmt.Errorf("%w: colour %q is not of the form #RRGGBB", store.ErrInvalid, c)
	}
	return nil
}
