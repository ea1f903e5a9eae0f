package folio

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/hours/kept"
	"daybook/api/rest"
	"daybook/store"
)

// The headers that the gateway sets.
const (
	headerTenant = "X-Okapi-Tenant"
	headerToken  = "X-Okapi-Token"
	headerUser   = "X-Okapi-User-Id"
)

// caller is who asks, and where.
type caller struct {
	actor  *store.Actor
	at     kept.Site     // the tenant, and its own calendar
	rights store.Rights  // on that calendar
	user   uuid.NullUUID // for metadata
}

func (c *caller) writer(now time.Time) kept.Writer {
	return kept.Writer{Site: c.at, Actor: c.actor, Now: now}
}

type callerKey struct{}

func callerOf(ctx context.Context) *caller {
	if c, ok := ctx.Value(callerKey{}).(*caller); ok {
		return c
	}
	return &caller{actor: auth.Actor(ctx)}
}

// signIn does the work of FOLIO's gateway too: the tenant is named (400), the
// token is one of that tenant's (401).
func (s *service) signIn(r *http.Request) (context.Context, error) {
	tenant := strings.TrimSpace(r.Header.Get(headerTenant))
	if tenant == "" || len(r.Header.Values(headerTenant)) > 1 {
		return nil, rest.Invalid(strings.ToLower(headerTenant), "is required, once")
	}
	tokens := r.Header.Values(headerToken)
	if len(tokens) != 1 || tokens[0] == "" {
		return nil, refused(nil)
	}
	actor, err := s.store.AuthenticateToken(r.Context(), tokens[0], auth.From(r))
	if errors.Is(err, store.ErrCredentials) {
		return nil, refused(err)
	}
	if err != nil {
		return nil, err
	}
	c := &caller{actor: actor}
	if id, err := parseID(r.Header.Get(headerUser)); err == nil {
		c.user = uuid.NullUUID{UUID: id, Valid: true}
	}
	if err := s.store.View(r.Context(), func(v *store.View) error { return c.enter(v, tenant) }); err != nil {
		return nil, err
	}
	return context.WithValue(auth.With(r.Context(), actor), callerKey{}, c), nil
}

// enter finds the tenant. One that is not the token's is as good as none.
func (c *caller) enter(v *store.View, tenant string) error {
	p, err := v.PrincipalByName(tenant)
	if errors.Is(err, store.ErrNotFound) || err == nil && (p.Kind != store.KindOrganisation || p.ID != c.actor.Org) {
		return refused(err)
	}
	if err != nil {
		return err
	}
	own, err := v.Calendar(p.ID)
	if err != nil {
		return err
	}
	c.at, c.rights = kept.Site{Org: p.ID, Calendar: own.ID}, v.Rights(c.actor, p.ID)
	return nil
}

func refused(err error) error {
	return &rest.Problem{Status: http.StatusUnauthorized, Detail: "the token is missing or not accepted for this tenant", Err: err}
}

// may makes the check of a permission.
func may[In any](want store.Rights) func(context.Context, In) error {
	return func(ctx context.Context, _ In) error {
		if !callerOf(ctx).rights.Has(want) {
			return rest.Errorf(http.StatusForbidden, "the token lacks the permission for this")
		}
		return nil
	}
}
