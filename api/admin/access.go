package admin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/store"
)

// Grant is a right of somebody on something, by names.
type Grant struct {
	Subject string   `json:"subject"`
	Target  string   `json:"target"` // PRINCIPAL, or USER/CALENDAR
	Rights  []string `json:"rights"` // empty: none
}

func setGrant(ctx context.Context, s *Service, req Grant, _ *Stream) (Grant, error) {
	rights, err := parseRights(req.Rights)
	if err != nil {
		return req, err
	}
	return req, s.Store.Update(ctx, func(tx *store.Tx) error {
		subject, err := findPrincipal(&tx.View, req.Subject)
		if err != nil {
			return err
		}
		g, err := grantOn(&tx.View, subject.Org, req.Target)
		if err != nil {
			return err
		}
		g.Rights = rights
		return putGrant(tx, subject.ID, g)
	})
}

// grantOn reads what a grant is on: a principal, or USER/CALENDAR.
func grantOn(v *store.View, org store.PrincipalID, target string) (store.Grant, error) {
	name, calendar, one := strings.Cut(target, "/")
	p, err := findPrincipal(v, name)
	if err != nil {
		return store.Grant{}, err
	}
	g := store.Grant{Target: p.ID}
	if p.Org != org {
		return g, fmt.Errorf("%w: %q is of another organisation", store.ErrInvalid, name)
	}
	if one && p.Kind != store.KindUser && calendar == store.CalendarName {
		return g, nil // its only one
	}
	if one {
		c, err := v.CollectionByName(p.ID, calendar)
		if err != nil {
			return g, fmt.Errorf("calendar %q of %q: %w", calendar, name, store.ErrNotFound)
		}
		g.Collection = c.ID
	}
	return g, nil
}

func putGrant(tx *store.Tx, subject store.PrincipalID, g store.Grant) error {
	if g.Collection != 0 {
		return tx.SetGrantOn(subject, g.Collection, g.Rights)
	}
	return tx.SetGrant(subject, g.Target, g.Rights)
}

// grantTarget names what a grant is on.
func grantTarget(v *store.View, g store.Grant) string {
	name := nameOf(v, g.Target)
	if g.Collection == 0 {
		return name
	}
	c, err := v.Collection(g.Collection)
	if err != nil {
		return name + "/?"
	}
	return name + "/" + c.Name
}

// ListGrants asks for the grants on a target and its calendars; "" is every
// target.
type ListGrants struct {
	Target string `json:"target,omitempty"`
}

func listGrants(ctx context.Context, s *Service, req ListGrants, _ *Stream) ([]Grant, error) {
	out := []Grant{}
	err := s.Store.View(ctx, func(v *store.View) error {
		targets, err := v.Principals(0)
		if req.Target != "" {
			var p *store.Principal
			p, err = findPrincipal(v, req.Target)
			targets = []*store.Principal{p}
		}
		if err != nil {
			return err
		}
		for _, t := range targets {
			given, err := v.GrantsOn(t.ID)
			if err != nil {
				return err
			}
			out = appendGrants(out, v, t.Name, given)
			if t.Kind != store.KindUser {
				continue
			}
			calendars, err := v.Collections(t.ID)
			if err != nil {
				return err
			}
			for _, c := range calendars {
				if given, err = v.GrantsOnCollection(c); err != nil {
					return err
				}
				out = appendGrants(out, v, t.Name+"/"+c.Name, given)
			}
		}
		return nil
	})
	return out, err
}

func appendGrants(out []Grant, v *store.View, target string, given []store.GrantTo) []Grant {
	for _, g := range given {
		out = append(out, Grant{Subject: nameOf(v, g.Subject), Target: target, Rights: g.Rights.Names()})
	}
	return out
}

// CreateToken asks for a token, an app password or a key.
type CreateToken struct {
	ID           string    `json:"id,omitempty"` // "" for a random one
	Organisation string    `json:"organisation,omitempty"`
	Kind         string    `json:"kind"`           // bearer, app, onlive, timetap
	User         string    `json:"user,omitempty"` // whose rights it carries; needed for app
	Grants       []string  `json:"grants"`         // RIGHT on the organisation, or RIGHT@TARGET, RIGHT@USER/CALENDAR
	Label        string    `json:"label,omitempty"`
	Expires      time.Time `json:"expires,omitzero"`
	Secret       string    `json:"secret,omitempty"` // "" for a random one
}

// Secret is a new token, told once.
type Secret struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	User   string `json:"user,omitempty"`
	Secret string `json:"secret"`
	Token  string `json:"token"` // ID.SECRET: what bearer and app credentials present
}

func createToken(ctx context.Context, s *Service, req CreateToken, _ *Stream) (Secret, error) {
	kind, err := tokenKind(req.Kind)
	if err != nil {
		return Secret{}, err
	}
	if kind == store.CredentialApp && req.User == "" {
		return Secret{}, fmt.Errorf("%w: an app password is of a user: name one with --user", store.ErrInvalid)
	}
	if req.ID == "" {
		req.ID = strings.ReplaceAll(uuid.NewString(), "-", "")[:12]
	}
	if err := checkTokenID(req.ID); err != nil {
		return Secret{}, err
	}
	if req.Secret == "" {
		req.Secret = store.NewSecret()
	}
	out := Secret{ID: req.ID, Kind: string(kind), User: req.User, Secret: req.Secret, Token: req.ID + "." + req.Secret}
	return out, s.Store.Update(ctx, func(tx *store.Tx) error {
		org, err := findOrganisation(&tx.View, req.Organisation)
		if err != nil {
			return err
		}
		c := &store.Credential{ID: req.ID, Kind: kind, Org: org.ID, Label: req.Label, Created: s.now(), Expires: req.Expires}
		if req.User != "" {
			p, err := findKind(&tx.View, req.User, "user", func(k store.Kind) bool { return k == store.KindUser })
			if err != nil {
				return err
			}
			c.Principal, c.Org = p.ID, p.Org
		}
		if c.Grants, err = tokenGrants(&tx.View, c.Org, req.Grants); err != nil {
			return err
		}
		if c.Principal == 0 && len(c.Grants) == 0 {
			return fmt.Errorf("%w: a token without user and without grants could do nothing: say --grant or --user", store.ErrInvalid)
		}
		if _, err := tx.Credential(req.ID); err == nil {
			return fmt.Errorf("token %q: %w", req.ID, store.ErrExists)
		}
		return tx.PutCredential(c, req.Secret)
	})
}

func tokenKind(s string) (store.CredentialKind, error) {
	switch k := store.CredentialKind(s); k {
	case store.CredentialApp, store.CredentialBearer, store.CredentialOnlive, store.CredentialTimeTap:
		return k, nil
	case store.CredentialPassword:
	}
	return "", fmt.Errorf("%w: kind %q of a token; known are bearer, app, onlive, timetap", store.ErrInvalid, s)
}

// checkTokenID allows what cannot be mistaken for anything else in ID.SECRET
// and in a header.
func checkTokenID(id string) error {
	if len(id) == 0 || len(id) > 64 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		return fmt.Errorf("%w: id %q of a token; up to 64 letters, digits, - and _ are accepted", store.ErrInvalid, id)
	}
	return nil
}

// tokenGrants reads RIGHT, RIGHT@TARGET and RIGHT@USER/CALENDAR.
func tokenGrants(v *store.View, org store.PrincipalID, words []string) ([]store.Grant, error) {
	var out []store.Grant
	index := make(map[store.Grant]int)
	for _, w := range words {
		right, name, targeted := strings.Cut(w, "@")
		r, err := parseRights([]string{right})
		if err != nil {
			return nil, err
		}
		g := store.Grant{Target: org}
		if targeted {
			if g, err = grantOn(v, org, name); err != nil {
				return nil, err
			}
		}
		i, ok := index[g]
		if !ok {
			i = len(out)
			index[g] = i
			out = append(out, g)
		}
		out[i].Rights |= r
	}
	return out, nil
}

// Token is a credential without its secret.
type Token struct {
	ID           string    `json:"id"`
	Organisation string    `json:"organisation"`
	Kind         string    `json:"kind"`
	User         string    `json:"user,omitempty"`
	Grants       []string  `json:"grants"`
	Label        string    `json:"label,omitempty"`
	Created      time.Time `json:"created"`
	Expires      time.Time `json:"expires,omitzero"`
	LastUsed     time.Time `json:"last_used,omitzero"` // to the hour
}

func listTokens(ctx context.Context, s *Service, req OfOrganisation, _ *Stream) ([]Token, error) {
	out := []Token{}
	err := s.Store.View(ctx, func(v *store.View) error {
		return eachOrganisation(v, req.Organisation, func(org *store.Principal) error {
			all, err := v.Credentials(org.ID)
			if err != nil {
				return err
			}
			for _, c := range all {
				if c.Kind == store.CredentialPassword {
					continue
				}
				t := Token{
					ID: c.ID, Organisation: org.Name, Kind: string(c.Kind), User: nameOf(v, c.Principal), Grants: []string{},
					Label: c.Label, Created: c.Created, Expires: c.Expires, LastUsed: c.LastUsed,
				}
				for _, g := range c.Grants {
					for _, r := range g.Rights.Names() {
						if g.Target != org.ID {
							r += "@" + grantTarget(v, g)
						}
						t.Grants = append(t.Grants, r)
					}
				}
				out = append(out, t)
			}
			return nil
		})
	})
	return out, err
}

// nameOf gives a principal's name, "" for none.
func nameOf(v *store.View, id store.PrincipalID) string {
	if id == 0 {
		return ""
	}
	p, err := v.Principal(id)
	if err != nil {
		return "?"
	}
	return p.Name
}

func eachOrganisation(v *store.View, slug string, fn func(*store.Principal) error) error {
	if slug != "" {
		org, err := findOrganisation(v, slug)
		if err != nil {
			return err
		}
		return fn(org)
	}
	all, err := v.Principals(0, store.KindOrganisation)
	if err != nil {
		return err
	}
	for _, org := range all {
		if err := fn(org); err != nil {
			return err
		}
	}
	return nil
}

// ByID names a token or a feed.
type ByID struct {
	ID string `json:"id"`
}

func revokeToken(ctx context.Context, s *Service, req ByID, _ *Stream) (ByID, error) {
	return req, s.Store.Update(ctx, func(tx *store.Tx) error {
		c, err := tx.Credential(req.ID)
		if err != nil {
			return err // names it
		}
		if c.Kind == store.CredentialPassword {
			return fmt.Errorf("%w: %q is a password; set another with: daybook user password", store.ErrInvalid, req.ID)
		}
		return tx.DeleteCredential(req.ID)
	})
}
