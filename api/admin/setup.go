package admin

import (
	"context"
	"fmt"

	"daybook/store"
)

// Setup asks for the first organisation and its administrator.
type Setup struct {
	Slug     string `json:"slug"`
	Name     string `json:"name,omitempty"`
	Zone     string `json:"zone,omitempty"` // IANA name, "" for UTC
	Admin    string `json:"admin"`
	Password string `json:"password,omitempty"` // "" for a random one
}

// SetUp tells what a store was set up with.
type SetUp struct {
	// Done is false when the store had an organisation already; nothing was
	// changed then, and the rest is empty.
	Done         bool   `json:"done"`
	Organisation string `json:"organisation,omitempty"`
	Zone         string `json:"zone,omitempty"`
	User         string `json:"user,omitempty"`
	Password     string `json:"password,omitempty"` // only when it was made here
}

// setup makes an empty store usable, in one transaction, so that a daemon that
// is killed while it starts for the first time leaves none without an
// administrator.
func setup(ctx context.Context, s *Service, req Setup, _ *Stream) (SetUp, error) {
	empty, err := s.empty(ctx)
	if err != nil || !empty {
		return SetUp{}, err
	}
	if req.Zone == "" {
		req.Zone = "UTC"
	}
	if err := checkZone(req.Zone); err != nil {
		return SetUp{}, err
	}
	out := SetUp{Done: true, Organisation: req.Slug, Zone: req.Zone, User: req.Admin}
	password := req.Password
	if password == "" {
		password = store.NewSecret()
		out.Password = password
	}
	hash, err := store.HashPassword(password)
	if err != nil {
		return SetUp{}, err
	}
	err = s.Store.Update(ctx, func(tx *store.Tx) error {
		org := &store.Principal{Kind: store.KindOrganisation, Name: req.Slug, DisplayName: req.Name, Zone: req.Zone}
		if err := tx.CreatePrincipal(org); err != nil {
			return fmt.Errorf("organisation %q: %w", req.Slug, err)
		}
		user := &store.Principal{Kind: store.KindUser, Org: org.ID, Name: req.Admin}
		if err := tx.CreatePrincipal(user); err != nil {
			return fmt.Errorf("user %q: %w", req.Admin, err)
		}
		if err := tx.SetPassword(user.ID, hash); err != nil {
			return err
		}
		return tx.SetGrant(user.ID, org.ID, store.RightAdmin)
	})
	if err != nil {
		return SetUp{}, err
	}
	return out, nil
}

func (s *Service) empty(ctx context.Context) (bool, error) {
	empty := false
	err := s.Store.View(ctx, func(v *store.View) error {
		all, err := v.Principals(0, store.KindOrganisation)
		empty = len(all) == 0
		return err
	})
	return empty, err
}
