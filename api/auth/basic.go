package auth

import (
	"context"
	"errors"
	"net/http"

	"daybook/api/rest"
	"daybook/store"
)

// Users verifies the names and passwords of users. *store.Store does.
type Users interface {
	Tokens
	Authenticate(ctx context.Context, name, password, from string) (*store.Actor, error)
}

// BearerOrBasic signs in as Bearer does, or a user by name and password (RFC
// 7617). A browser sends the latter by itself, so what changes something is
// then refused when another site's page asks for it: 403.
func BearerOrBasic(users Users) func(*http.Request) (context.Context, error) {
	token, origin := Bearer(users), http.NewCrossOriginProtection()
	return func(r *http.Request) (context.Context, error) {
		name, password, ok := r.BasicAuth()
		if !ok || len(r.Header.Values("Authorization")) != 1 {
			ctx, err := token(r)
			return ctx, alsoBasic(err)
		}
		if err := origin.Check(r); err != nil {
			return nil, &rest.Problem{Status: http.StatusForbidden, Detail: "another site's page may not ask for this", Err: err}
		}
		actor, err := users.Authenticate(r.Context(), name, password, From(r))
		if errors.Is(err, store.ErrCredentials) {
			return nil, alsoBasic(refused("", err))
		}
		if err != nil {
			return nil, err
		}
		return With(r.Context(), actor), nil
	}
}

// alsoBasic tells in a 401 of Bearer that Basic would do too.
func alsoBasic(err error) error {
	if p, ok := errors.AsType[*rest.Problem](err); ok && p.Status == http.StatusUnauthorized {
		p.Header.Add("Www-Authenticate", `Basic realm="`+realm+`", charset="UTF-8"`)
	}
	return err
}
