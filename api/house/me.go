package house

import (
	"context"
	"errors"
	"net/http"
	"time"

	"daybook/api/rest"
	"daybook/store"
)

func (s *service) meRoutes() []rest.Route {
	return []rest.Route{
		{Pattern: "GET " + base + "/me", Summary: "Who asks: principal, organisation, rights, credential", Op: rest.Endpoint(http.StatusOK, s.me)},
	}
}

// Me is who asks, and what it may do.
type Me struct {
	Principal    *Ref       `json:"principal" doc:"Null for a token that stands for nobody."`
	Organisation Ref        `json:"organisation"`
	Rights       []string   `json:"rights" doc:"On the organisation."`
	Limited      bool       `json:"limited" doc:"The credential's grants limit the principal's rights."`
	Grants       []MyGrant  `json:"grants" doc:"Of the credential."`
	Credential   *string    `json:"credential" doc:"Its id; null for a password."`
	Expires      *time.Time `json:"expires_at" doc:"Of the credential."`
}

// MyGrant is a right that a credential carries.
type MyGrant struct {
	Target Target   `json:"target"`
	Rights []string `json:"rights"`
}

func (s *service) me(ctx context.Context, _ noneIn) (out Me, err error) {
	return out, s.view(ctx, func(d *desk) error {
		org, err := d.organisation()
		if err != nil {
			return err
		}
		out = Me{
			Organisation: refTo(org), Rights: d.rights(org.ID), Limited: d.actor.Principal != nil && !d.actor.Full(),
			Grants: d.showGrants(d.actor.Grants), Credential: orNull(d.actor.Credential),
		}
		if p := d.actor.Principal; p != nil {
			ref := refTo(p)
			out.Principal = &ref
		}
		if d.actor.Credential == "" {
			return nil
		}
		c, err := d.Credential(d.actor.Credential)
		if errors.Is(err, store.ErrNotFound) {
			return nil // revoked while it asked
		}
		if err == nil {
			out.Expires = orNever(c.Expires)
		}
		return err
	})
}

// orNever gives null for the zero time.
func orNever(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
