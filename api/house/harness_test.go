package house

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daybook/api/apitest"
	"daybook/api/rest"
	"daybook/store"
)

// The tokens of the place: ID, and what they may do.
const (
	admin  = "admin"  // administers demo
	writer = "writer" // writes demo
	reader = "reader" // reads demo
	busy   = "busy"   // sees that time is taken
	forAda = "ada"    // reads Ada's calendar alone
	rival  = "rival"  // administers the other organisation
)

const secretPart = apitest.SecretPart

// now is the time of every test unless it moves the clock: a Monday, 08:00 in
// Berlin.
var now = time.Date(2027, 3, 1, 7, 0, 0, 0, time.UTC)

// place is a store with two organisations, and the API over it.
type place struct {
	*apitest.Place
	t      testing.TB
	store  *store.Store
	api    http.Handler
	of     *rest.API // as it is described
	header http.Header
	clock  *atomic.Pointer[time.Time] // the store's own goroutines read it too
	ids    map[string]store.PrincipalID

	stopping chan struct{} // closed, it ends streams
	courier  *courier
}

func newPlace(t testing.TB) *place {
	t.Helper()
	p := &place{t: t, clock: &atomic.Pointer[time.Time]{}, stopping: make(chan struct{}), courier: &courier{}}
	p.clock.Store(&now)
	clock := func() time.Time { return *p.clock.Load() }
	p.Place = apitest.Open(t, clock, apitest.Bearer, admin)
	p.store, p.ids = p.Store, p.IDs
	p.update(p.fill)
	o := Options{Options: rest.Options{Store: p.store, Now: clock}, Jobs: fakeJobs{}, Stopping: p.stopping, StreamsEach: 3, Courier: p.courier}
	p.of = New(o)
	p.Serve(p.of)
	p.api = p.API
	return p.as(admin)
}

// fakeJobs are two jobs: one has failed, and one is running.
type fakeJobs struct{}

func (fakeJobs) List(context.Context) ([]Job, error) {
	at, took, failure := now, rest.Duration(time.Second), "remote of other: timeout"
	return []Job{
		{Name: "prune", Schedule: "@daily", Next: &at, Started: &at, Took: &took, Error: &failure},
		{Name: "horizon", Schedule: "@hourly", Running: true},
	}, nil
}

func (fakeJobs) Begin(name string) error {
	if name == "horizon" {
		return ErrJobRunning
	}
	return nil
}

// at moves the clock.
func (p *place) at(t time.Time) { p.clock.Store(&t) }

func (p *place) update(fn func(*store.Tx) error) {
	p.t.Helper()
	if err := p.store.Update(p.t.Context(), fn); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) fill(tx *store.Tx) error {
	for _, x := range []store.Principal{
		{Name: "demo", DisplayName: "Demo Clinic", Kind: store.KindOrganisation, Zone: "Europe/Berlin"},
		{Name: "other", Kind: store.KindOrganisation, Zone: "America/New_York"},
		{Name: "ada", DisplayName: "Ada Noor", Kind: store.KindStaff, Color: "#aa0000"},
		{Name: "bob", Kind: store.KindStaff},
		{Name: "room-1", DisplayName: "Room 1", Kind: store.KindRoom},
		{Name: "desk", Kind: store.KindServicePoint},
		{Name: "front-desk", Kind: store.KindCalendar},
		{Name: "grace", Kind: store.KindUser},
		{Name: "eve", Kind: store.KindStaff},
	} {
		switch x.Name {
		case "eve":
			x.Org = p.ids["other"]
		case "demo", "other":
		default:
			x.Org = p.ids["demo"]
		}
		if err := tx.CreatePrincipal(&x); err != nil {
			return err
		}
		p.ids[x.Name] = x.ID
	}
	for _, c := range []struct {
		id, on string
		r      store.Rights
	}{
		{admin, "demo", store.RightAdmin},
		{writer, "demo", store.RightWrite},
		{reader, "demo", store.RightRead},
		{busy, "demo", store.RightFreeBusy},
		{forAda, "ada", store.RightRead},
		{rival, "other", store.RightAdmin},
	} {
		target := p.ids[c.on]
		owner, err := tx.Principal(target)
		if err != nil {
			return err
		}
		cred := &store.Credential{ID: c.id, Org: owner.Org, Kind: store.CredentialBearer, Grants: []store.Grant{{Target: target, Rights: c.r}}}
		if err := tx.PutCredential(cred, c.id+secretPart); err != nil {
			return err
		}
	}
	hash, err := store.HashPassword("grace's password")
	if err != nil {
		return err
	}
	if err := tx.SetPassword(p.ids["grace"], hash); err != nil {
		return err
	}
	return tx.SetGrant(p.ids["grace"], p.ids["demo"], store.RightWrite)
}

// as gives the place for another token; "" for none.
func (p *place) as(token string) *place {
	q := *p
	q.header = http.Header{}
	if token != "" {
		q.header.Set("Authorization", "Bearer "+token+"."+token+secretPart)
	}
	return &q
}

// with gives the place with one more header.
func (p *place) with(name, value string) *place {
	q := *p
	q.header = p.header.Clone()
	q.header.Set(name, value)
	return &q
}

// in gives the place for a subtest.
func (p *place) in(t testing.TB) *place {
	q := *p
	q.t = t
	return &q
}

// answer is what the API said.
type answer struct {
	t testing.TB
	*httptest.ResponseRecorder
	request string
}

// do makes a request; body is JSON text, "" for none.
func (p *place) do(method, target, body string) *answer {
	p.t.Helper()
	return p.send(method, target, body, "application/json")
}

// send makes a request with a body of some type; "" for none.
func (p *place) send(method, target, body, kind string) *answer {
	p.t.Helper()
	r := httptest.NewRequestWithContext(p.t.Context(), method, target, strings.NewReader(body))
	r.Header = p.header.Clone()
	if body != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	p.api.ServeHTTP(w, r)
	apitest.Conforms(p.t, p.of, r, w)
	return &answer{p.t, w, method + " " + target}
}

func (p *place) get(target string) *answer {
	p.t.Helper()
	return p.do(http.MethodGet, target, "")
}

// want checks the status.
func (a *answer) want(status int) *answer {
	a.t.Helper()
	if a.Code != status {
		a.t.Fatalf("%s: %d, want %d: %s", a.request, a.Code, status, a.Body)
	}
	return a
}

// into reads the body; nothing is left of what v was before.
func (a *answer) into(v any) *answer {
	a.t.Helper()
	reflect.ValueOf(v).Elem().SetZero()
	if err := json.Unmarshal(a.Body.Bytes(), v); err != nil {
		a.t.Fatalf("%s: %v in %s", a.request, err, a.Body)
	}
	return a
}
