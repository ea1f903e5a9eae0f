// Package auth is how the clients of the REST APIs sign in: it turns the
// Authorization header of a request into a [store.Actor] in the request's
// context. It decides nothing about rights and logs nothing.
package auth

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"daybook/api/rest"
	"daybook/store"
)

// realm is constant: clients file what they remember under it.
const realm = "Daybook"

// With gives a context that carries the actor, for handlers and for the journal.
func With(ctx context.Context, a *store.Actor) context.Context {
	return store.By(ctx, a, "")
}

// Actor gives who asks; without sign-in that is the zero Actor, which may
// nothing. It is never nil.
func Actor(ctx context.Context) *store.Actor {
	if a := store.ActorIn(ctx); a != nil {
		return a
	}
	return &store.Actor{}
}

// Tokens verifies the tokens of bearer credentials. *store.Store does.
type Tokens interface {
	AuthenticateToken(ctx context.Context, token, from string) (*store.Actor, error)
}

// Bearer signs in by "Authorization: Bearer ID.SECRET" (RFC 6750 §2.1). The
// error is a *rest.Problem: 401 with WWW-Authenticate, or 429.
func Bearer(tokens Tokens) func(*http.Request) (context.Context, error) {
	return func(r *http.Request) (context.Context, error) {
		token, ok := bearer(r.Header)
		if !ok {
			return nil, refused("", nil)
		}
		actor, err := tokens.AuthenticateToken(r.Context(), token, From(r))
		if errors.Is(err, store.ErrCredentials) {
			return nil, refused(`, error="invalid_token"`, err)
		}
		if err != nil {
			return nil, err
		}
		return With(r.Context(), actor), nil
	}
}

// bearer finds the token. Two Authorization headers are as good as none: which
// of them a proxy had looked at cannot be known.
func bearer(h http.Header) (string, bool) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(strings.TrimSpace(values[0]), " ")
	token = strings.TrimLeft(token, " ")
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != "" && !strings.ContainsAny(token, " \t,")
}

// refused is the 401 (RFC 6750 §3). A request without a token learns of no
// error code.
func refused(code string, err error) error {
	return &rest.Problem{
		Status: http.StatusUnauthorized,
		Detail: "the token is missing or not accepted",
		Header: http.Header{"Www-Authenticate": {`Bearer realm="` + realm + `"` + code}},
		Err:    err,
	}
}

// From gives the address of the client, without the port, for throttling. What
// a trusted proxy says was put into RemoteAddr before.
func From(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
