package timetap

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
	"daybook/store"
)

// The place that every test begins with: names of principals, and the integers
// that they have.
const (
	adaID, bobID, cemID     = 1, 2, 3
	roomID, areaID, pointID = 11, 12, 13
	groupID                 = 21
	yogaID, massageID       = 31, 32
	evesID                  = 1 // in the other organisation

	yogaUUID = "0197f3c2-0000-7000-8000-0000000000f1"
)

// The tokens: ID and what they may do.
const (
	admin   = "admin"   // administers demo
	viewer  = "viewer"  // reads demo; stands for nobody
	forAda  = "for-ada" // reads Ada's calendar; stands for nobody
	grace   = "grace"   // a user who reads demo, and of her own has Ada
	herself = "herself" // Ada
	nobody  = "nobody"  // sees that time is taken, no more
	rival   = "rival"   // administers the other organisation
	key     = "key"     // signs in TimeTap's way
)

const secretPart = "-secret-0123456789"

// now is the time of every test: 08:00 in Berlin.
var now = time.Date(2027, 2, 20, 7, 0, 0, 0, time.UTC)

// place is a store with an organisation in Berlin, and the API over it.
type place struct {
	t     testing.TB
	store *store.Store
	api   http.Handler
	auth  string
	clock func() time.Time
	ids   map[string]store.PrincipalID
}

func newPlace(t testing.TB) *place { return newPlaceAt(t, func() time.Time { return now }) }

func newPlaceAt(t testing.TB, clock func() time.Time) *place {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "test.db"), Create: true, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	h, err := New(Options{Store: s, Now: clock}).Handler()
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, store: s, api: h, clock: clock, ids: map[string]store.PrincipalID{}}
	p.update(p.fill)
	return p.as(admin)
}

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
		{Name: "ada", DisplayName: "Ada Noor", Kind: store.KindStaff, Alias: adaID, Color: "#aa0000", Email: "ada@example.com"},
		{Name: "bob", Kind: store.KindStaff, Alias: bobID},
		{Name: "cem", Kind: store.KindStaff, Alias: cemID},
		{Name: "room-1", DisplayName: "Room 1", Kind: store.KindRoom, Alias: roomID},
		{Name: "garden", Kind: store.KindArea, Alias: areaID},
		{Name: "desk", Kind: store.KindServicePoint, Alias: pointID},
		{Name: "front-desk", Kind: store.KindCalendar, Alias: 14},
		{Name: "grace", Kind: store.KindUser},
	} {
		if err := p.create(tx, x, "demo"); err != nil {
			return err
		}
	}
	if err := p.create(tx, store.Principal{Name: "eve", Kind: store.KindStaff, Alias: evesID}, "other"); err != nil {
		return err
	}
	room, err := tx.Principal(p.ids["room-1"])
	if err != nil {
		return err
	}
	inside := store.Principal{Name: "inside", DisplayName: "Inside", Kind: store.KindGroup, Alias: groupID, Members: []uuid.UUID{room.UUID}}
	if err := p.create(tx, inside, "demo"); err != nil {
		return err
	}
	if err := p.fillServices(tx); err != nil {
		return err
	}
	return p.fillTokens(tx)
}

func (p *place) create(tx *store.Tx, x store.Principal, org string) error {
	x.Org = p.ids[org]
	if err := tx.CreatePrincipal(&x); err != nil {
		return fmt.Errorf("%s: %w", x.Name, err)
	}
	p.ids[x.Name] = x.ID
	return nil
}

func (p *place) fillServices(tx *store.Tx) error {
	ada, err := tx.Principal(p.ids["ada"])
	if err != nil {
		return err
	}
	for _, s := range []*store.Service{
		{UUID: uuid.MustParse(yogaUUID), Alias: yogaID, Name: "Yoga", Length: time.Hour, BufferAfter: 10 * time.Minute, Color: "#00aa00"},
		{Alias: massageID, Name: "Massage", Resources: []uuid.UUID{ada.UUID}, Inactive: true},
	} {
		s.Org = p.ids["demo"]
		if err := tx.PutService(s); err != nil {
			return err
		}
	}
	return nil
}

func (p *place) fillTokens(tx *store.Tx) error {
	if err := tx.SetGrant(p.ids["grace"], p.ids["demo"], store.RightRead); err != nil {
		return err
	}
	if err := tx.SetGrant(p.ids["grace"], p.ids["ada"], store.RightWrite); err != nil {
		return err
	}
	for _, x := range []struct {
		id, as, on string
		rights     store.Rights
		kind       store.CredentialKind
	}{
		{admin, "", "demo", store.RightAdmin, store.CredentialBearer},
		{viewer, "", "demo", store.RightRead, store.CredentialBearer},
		{forAda, "", "ada", store.RightRead, store.CredentialBearer},
		{grace, "grace", "", 0, store.CredentialBearer},
		{herself, "ada", "", 0, store.CredentialBearer},
		{nobody, "", "demo", store.RightFreeBusy, store.CredentialBearer},
		{rival, "", "other", store.RightAdmin, store.CredentialBearer},
		{key, "", "demo", store.RightRead, store.CredentialTimeTap},
	} {
		c := &store.Credential{ID: x.id, Kind: x.kind, Org: p.ids["demo"], Principal: p.ids[x.as]}
		if x.on == "other" {
			c.Org = p.ids["other"]
		}
		if x.on != "" {
			c.Grants = []store.Grant{{Target: p.ids[x.on], Rights: x.rights}}
		}
		if err := tx.PutCredential(c, x.id+secretPart); err != nil {
			return fmt.Errorf("%s: %w", x.id, err)
		}
	}
	return nil
}

// as gives the same place asked with another token.
func (p *place) as(token string) *place { return p.with("Bearer " + token + "." + token + secretPart) }

// with gives the same place asked with this Authorization.
func (p *place) with(authorization string) *place {
	q := *p
	q.auth = authorization
	return &q
}

// in gives the same place in a subtest.
func (p *place) in(t *testing.T) *place {
	q := *p
	q.t = t
	return &q
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	raw    string
}

func (p *place) do(method, path string) answer {
	p.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	if p.auth != "" {
		r.Header.Set("Authorization", p.auth)
	}
	w := httptest.NewRecorder()
	p.api.ServeHTTP(w, r)
	return answer{p.t, w.Code, w.Header(), w.Body.String()}
}

func (p *place) get(path string) answer {
	p.t.Helper()
	return p.do("GET", path)
}

// want checks the status, and the shape of an error.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.raw)
	}
	if status < 400 {
		return a
	}
	var body map[string]any
	a.into(&body)
	if len(body) != 4 || body["status"] != float64(status) || body["type"] != "about:blank" || body["title"] != http.StatusText(status) ||
		body["detail"] == "" || a.header.Get("Content-Type") != "application/problem+json" {
		a.t.Errorf("not a problem: %s %s", a.header, a.raw)
	}
	return a
}

func (a answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.raw), v); err != nil {
		a.t.Fatalf("%v in %s", err, a.raw)
	}
}

// events reads the events of an answer.
func (a answer) events() []Event {
	a.t.Helper()
	var out []Event
	a.want(200).into(&out)
	return out
}

// one reads the only event of an answer.
func (a answer) one() Event {
	a.t.Helper()
	all := a.events()
	if len(all) != 1 {
		a.t.Fatalf("%d events: %s", len(all), a.raw)
	}
	return all[0]
}

// titles gives the titles of an answer, in its order.
func (a answer) titles() []string {
	a.t.Helper()
	var out []string
	for _, e := range a.events() {
		out = append(out, e.Title)
	}
	return out
}

// march asks for all of Ada's and Bob's March 2027; more goes on the query.
func (p *place) march(more string) answer {
	p.t.Helper()
	return p.get("/calendar/range/1,2?startDate=2027-03-01&endDate=2027-03-31" + more)
}

// put stores an object as a calendar client does.
func (p *place) put(owner, uid string, lines ...string) {
	p.t.Helper()
	p.putText(owner, uid, event(uid, lines...))
}

func event(uid string, lines ...string) string {
	return "BEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\n"
}

func (p *place) putText(owner, uid, components string) {
	p.t.Helper()
	prepared := p.prepare("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//T//T//EN\n" + components + "END:VCALENDAR\n")
	p.update(func(tx *store.Tx) error {
		c, err := tx.Calendar(p.ids[owner])
		if err != nil {
			return err
		}
		_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: c.ID, Name: uid + ".ics", Object: prepared})
		return err
	})
}

func (p *place) prepare(ics string) *store.Prepared {
	p.t.Helper()
	o, err := ical.ParseResource([]byte(strings.ReplaceAll(ics, "\n", "\r\n")), ical.Limits{})
	if err != nil {
		p.t.Fatal(err)
	}
	prepared, err := p.store.Prepare(o)
	if err != nil {
		p.t.Fatal(err)
	}
	return prepared
}

// at gives the lines of an hour's event in March 2027, in UTC.
func at(day, hour int, more ...string) []string {
	return append([]string{
		fmt.Sprintf("DTSTART:202703%02dT%02d0000Z", day, hour), fmt.Sprintf("DTEND:202703%02dT%02d0000Z", day, hour+1),
	}, more...)
}

// wantTitles compares, in order.
func wantTitles(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
