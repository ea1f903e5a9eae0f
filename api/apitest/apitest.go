// Package apitest is what the tests of the REST APIs share: a place (a store
// with some principals, services and tokens, and an API over it), requests to
// it, and the runner of golden files. Only tests import it.
//
// A package wraps [Place] and [Answer] in types of its own, with the helpers
// that only its API needs.
package apitest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daybook/api/rest"
	"daybook/store"
)

// Clock is the time of a test. The store's own goroutines read it too.
type Clock struct{ at atomic.Pointer[time.Time] }

// NewClock gives a clock that stands at t.
func NewClock(t time.Time) *Clock {
	c := &Clock{}
	c.Set(t)
	return c
}

// Now is what the store and the API are given.
func (c *Clock) Now() time.Time { return *c.at.Load() }

// Set moves the clock.
func (c *Clock) Set(t time.Time) { c.at.Store(&t) }

// Add moves the clock on.
func (c *Clock) Add(d time.Duration) { c.Set(c.Now().Add(d)) }

// Sign puts credentials into a request whose body is given.
type Sign func(r *http.Request, body string)

// Place is a store and an API over it, asked by somebody.
type Place struct {
	T     testing.TB
	Store *store.Store
	IDs   map[string]store.PrincipalID // by name
	API   http.Handler
	Sign  Sign // of requests; nil: anonymous

	signer func(who string) Sign
	of     *rest.API
}

// Open gives a place with an empty store and no API. signer says how somebody,
// named by a token, signs requests; the place is asked by who.
func Open(t testing.TB, now func() time.Time, signer func(who string) Sign, who string) *Place {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "test.db"), Create: true, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Place{T: t, Store: s, IDs: map[string]store.PrincipalID{}, Sign: signer(who), signer: signer}
}

// Serve puts an API over the store.
func (p *Place) Serve(a *rest.API) {
	p.T.Helper()
	h, err := a.Handler()
	if err != nil {
		p.T.Fatal(err)
	}
	p.API, p.of = h, a
}

// As gives the same place asked by somebody else; "" is nobody.
func (p Place) As(who string) Place {
	p.Sign = p.signer(who)
	return p
}

// In gives the same place for a part of a test.
func (p Place) In(t testing.TB) Place {
	p.T = t
	return p
}

// Update runs fn in a transaction that must succeed.
func (p *Place) Update(fn func(*store.Tx) error) {
	p.T.Helper()
	if err := p.Store.Update(p.T.Context(), fn); err != nil {
		p.T.Fatal(err)
	}
}

// Answer is what came back.
type Answer struct {
	T      testing.TB
	Status int
	Header http.Header
	Raw    string
}

// Request makes a signed request. A body that is not empty is sent as JSON.
func (p *Place) Request(method, target, body string) *http.Request {
	p.T.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.Sign != nil {
		p.Sign(r, body)
	}
	return r
}

// Send sends a request. The answer must be as the API is described.
func (p *Place) Send(r *http.Request) Answer {
	p.T.Helper()
	w := httptest.NewRecorder()
	asked := *r
	p.API.ServeHTTP(w, r)
	Conforms(p.T, p.of, &asked, w)
	return Answered(p.T, w)
}

// Answered gives what a handler has recorded.
func Answered(t testing.TB, w *httptest.ResponseRecorder) Answer {
	return Answer{t, w.Code, w.Header(), w.Body.String()}
}

// Do sends a signed request.
func (p *Place) Do(method, target, body string) Answer {
	p.T.Helper()
	return p.Send(p.Request(method, target, body))
}

// Want checks the status.
func (a Answer) Want(status int) {
	a.T.Helper()
	if a.Status != status {
		a.T.Fatalf("status %d, want %d: %s", a.Status, status, a.Raw)
	}
}

// Into reads the body of an answer.
func (a Answer) Into(v any) {
	a.T.Helper()
	if err := json.Unmarshal([]byte(a.Raw), v); err != nil {
		a.T.Fatalf("%v in %s", err, a.Raw)
	}
}

// Read gives the body of an answer.
func Read[T any](a Answer) (out T) {
	a.T.Helper()
	a.Into(&out)
	return out
}

// JSON writes a body.
func JSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
