package auth

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"daybook/api/rest"
	"daybook/store"
)

type tokens map[string]*store.Actor

func (t tokens) AuthenticateToken(_ context.Context, token, from string) (*store.Actor, error) {
	if from != "192.0.2.7" {
		return nil, errors.New("asked for " + from)
	}
	if token == "slow.down" {
		return nil, store.ErrThrottled
	}
	if a := t[token]; a != nil {
		return a, nil
	}
	return nil, store.ErrCredentials
}

func TestBearer(t *testing.T) {
	ada := &store.Actor{Credential: "ada"}
	signIn := Bearer(tokens{"ada.secret": ada})
	const asked, told = `Bearer realm="Daybook"`, `Bearer realm="Daybook", error="invalid_token"`
	for _, c := range []struct {
		name, challenge string
		values          []string
		ok              bool
	}{
		{"none", asked, nil, false},
		{"good", "", []string{"Bearer ada.secret"}, true},
		{"scheme in any case", "", []string{"bEARER   ada.secret "}, true},
		{"wrong", told, []string{"Bearer ada.wrong"}, false},
		{"empty", asked, []string{"Bearer "}, false},
		{"other scheme", asked, []string{"Basic YTpi"}, false},
		{"two tokens", asked, []string{"Bearer ada.secret, Bearer x"}, false},
		{"two headers", asked, []string{"Bearer ada.secret", "Bearer ada.secret"}, false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "192.0.2.7:4711"
		for _, v := range c.values {
			r.Header.Add("Authorization", v)
		}
		ctx, err := signIn(r)
		if c.ok {
			if err != nil || Actor(ctx) != ada {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		p, ok := errors.AsType[*rest.Problem](err)
		if !ok || p.Status != 401 || p.Header.Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "192.0.2.7:4711"
	r.Header.Set("Authorization", "Bearer slow.down")
	if _, err := signIn(r); rest.AsProblem(err).Status != 429 {
		t.Error(err)
	}
}

func TestWithoutSignInTheActorMayNothing(t *testing.T) {
	if a := Actor(t.Context()); a == nil || a.IsSystem() || a.Grants != nil || a.Principal != nil {
		t.Errorf("%+v", a)
	}
}
