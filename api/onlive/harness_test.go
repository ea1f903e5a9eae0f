package onlive

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/ical"
	"daybook/store"
)

// The ids of the place that every test begins with.
const (
	demo    = "0197f3c2-0000-7000-8000-000000000001"
	other   = "0197f3c2-0000-7000-8000-000000000002"
	ada     = "0197f3c2-0000-7000-8000-0000000000a1"
	bob     = "0197f3c2-0000-7000-8000-0000000000a2"
	room    = "0197f3c2-0000-7000-8000-0000000000b1"
	desk    = "0197f3c2-0000-7000-8000-0000000000c1"
	foreign = "0197f3c2-0000-7000-8000-0000000000e1" // staff of the other organisation
	unknown = "0197f3c2-0000-7000-8000-00000000ffff"

	massage = "0197f3c2-0000-7000-8000-000000000501" // 45 minutes, ada and the room
	visit   = "0197f3c2-0000-7000-8000-000000000502" // without length and resources
)

// The credentials: ID and what they may do.
const (
	manager = "MANAGER" // write on demo
	viewer  = "VIEWER"  // read on demo
	porter  = "PORTER"  // write on the room of demo only
	cleaner = "CLEANER" // delete and read on demo, no write
	rival   = "RIVAL"   // write on the other organisation
)

const secretPart = "-secret-0123456789"

// now is the time of every test.
var now = time.Date(2027, 2, 20, 7, 0, 0, 500_000_000, time.UTC)

// place is a store with an organisation in Berlin, and the API over it.
type place struct {
	t     testing.TB
	store *store.Store
	api   http.Handler
	key   string
}

func newPlace(t testing.TB) *place {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{
		Path: filepath.Join(t.TempDir(), "test.db"), Create: true, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	h, err := New(Options{Store: s, Now: func() time.Time { return now }}).Handler()
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, store: s, api: h, key: manager}
	p.update(p.fill)
	return p
}

func (p *place) update(fn func(*store.Tx) error) {
	p.t.Helper()
	if err := p.store.Update(p.t.Context(), fn); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) fill(tx *store.Tx) error {
	ids := map[string]store.PrincipalID{}
	for _, x := range []struct {
		org, id, name, display, zone string
		kind                         store.Kind
	}{
		{demo, demo, "demo", "Demo Clinic", "Europe/Berlin", store.KindOrganisation},
		{other, other, "other", "Other", "America/New_York", store.KindOrganisation},
		{demo, ada, "ada", "Ada Noor", "", store.KindStaff},
		{demo, bob, "bob", "", "", store.KindStaff},
		{demo, room, "room-1", "Room 1", "Europe/Lisbon", store.KindRoom},
		{demo, desk, "front-desk", "Front desk", "", store.KindCalendar},
		{demo, "0197f3c2-0000-7000-8000-0000000000f1", "user01", "", "", store.KindUser},
		{other, foreign, "eve", "Eve", "", store.KindStaff},
	} {
		n := &store.Principal{UUID: uuid.MustParse(x.id), Org: ids[x.org], Kind: x.kind, Name: x.name, DisplayName: x.display, Zone: x.zone}
		if x.id == ada {
			n.Color, n.Email = "#3B82F6", "ada@example.com"
		}
		if err := tx.CreatePrincipal(n); err != nil {
			return err
		}
		ids[x.id] = n.ID
	}
	for _, x := range []struct {
		id          string
		org, target string
		rights      store.Rights
	}{
		{manager, demo, demo, store.RightWrite},
		{viewer, demo, demo, store.RightRead},
		{porter, demo, room, store.RightWrite},
		{cleaner, demo, demo, store.RightRead | store.RightDelete},
		{rival, other, other, store.RightWrite},
	} {
		c := &store.Credential{ID: x.id, Kind: store.CredentialOnlive, Org: ids[x.org], Grants: []store.Grant{{Target: ids[x.target], Rights: x.rights}}}
		if err := tx.PutCredential(c, x.id+secretPart); err != nil {
			return err
		}
	}
	for _, s := range []*store.Service{
		{UUID: uuid.MustParse(massage), Name: "Massage", Length: 45 * time.Minute, Resources: []uuid.UUID{uuid.MustParse(ada), uuid.MustParse(room)}},
		{UUID: uuid.MustParse(visit), Name: "Visit", Description: "Just a visit"},
	} {
		s.Org = ids[demo]
		if err := tx.PutService(s); err != nil {
			return err
		}
	}
	return nil
}

// check verifies every index. The walk over the file's pages is left out: the
// last use of a credential may be written meanwhile.
func (p *place) check() {
	p.t.Helper()
	_, err := p.store.Check(p.t.Context(), false, func(x store.Problem) {
		if x.Kind != "pages" {
			p.t.Error(x)
		}
	})
	if err != nil {
		p.t.Error(err)
	}
}

// as gives the same place asked with another credential.
func (p *place) as(key string) *place {
	q := *p
	q.key = key
	return &q
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	raw    string
}

// request makes a signed request.
func (p *place) request(method, target, body string) *http.Request {
	p.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	path, query, _ := strings.Cut(target, "?")
	date := now.Format("20060102T150405Z")
	signature, err := auth.Sign(p.key+secretPart, method, path, query, date, []byte(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "ONLIVESITE Credential:"+p.key+", Signature="+signature)
	r.Header.Set("x-onlive-site-date", date)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func (p *place) send(r *http.Request) answer {
	p.t.Helper()
	w := httptest.NewRecorder()
	p.api.ServeHTTP(w, r)
	return answer{p.t, w.Code, w.Header(), w.Body.String()}
}

func (p *place) do(method, target, body string) answer {
	p.t.Helper()
	return p.send(p.request(method, target, body))
}

const slotPath = "/api/v1/appointments/block-slot"

// fields are the members of a body. One that is absent is left out.
type fields map[string]any

const absent = "\x00absent"

// block asks for an hour of Ada's on 1 March 2027; change edits the body.
func (p *place) block(change fields) answer {
	p.t.Helper()
	body := fields{"start": "2027-03-01T10:00:00Z", "end": "2027-03-01T11:00:00Z", "calendarIds": []string{ada}}
	for k, v := range change {
		if body[k] = v; v == absent {
			delete(body, k)
		}
	}
	return p.do("POST", slotPath, text(p.t, body))
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// want checks the status.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.raw)
	}
	return a
}

// says checks the status and the whole body.
func (a answer) says(status int, body string) {
	a.t.Helper()
	if a.want(status); strings.TrimSpace(a.raw) != body {
		a.t.Errorf("got %s want %s", a.raw, body)
	}
}

// busy checks for the contract's 409.
func (a answer) busy() {
	a.t.Helper()
	a.says(409, `{"statusCode":409,"message":"Failed: Appointment time slot busy"}`)
}

// forbidden checks for the contract's 403.
func (a answer) forbidden() {
	a.t.Helper()
	a.says(403, `{"statusCode":403,"message":"Insufficient permissions to block slot"}`)
}

// faults checks for 400 with faults of exactly these fields, in any order.
func (a answer) faults(fields ...string) {
	a.t.Helper()
	a.want(400)
	var body struct {
		StatusCode int          `json:"statusCode"`
		Message    string       `json:"message"`
		Errors     []fieldError `json:"errors"`
	}
	if err := json.Unmarshal([]byte(a.raw), &body); err != nil || body.StatusCode != 400 || body.Message != "Invalid input" || body.Errors == nil {
		a.t.Fatalf("%v in %s", err, a.raw)
	}
	count := map[string]int{}
	for _, f := range fields {
		count[f]++
	}
	for _, e := range body.Errors {
		count[e.Field]--
		if e.Message == "" {
			a.t.Errorf("no message: %s", a.raw)
		}
	}
	for f, n := range count {
		if n != 0 {
			a.t.Errorf("%s: %d errors are missing: %s", f, n, a.raw)
		}
	}
}

// id reads the id of an answer.
func (a answer) id() string {
	a.t.Helper()
	return decoded[struct{ ID string }](a.want(200)).ID
}

func decoded[T any](a answer) (out T) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.raw), &out); err != nil {
		a.t.Fatalf("%v in %s", err, a.raw)
	}
	return out
}

func (p *place) get(id string) Appointment {
	p.t.Helper()
	return decoded[Appointment](p.do("GET", "/api/v1/appointments/"+id, "").want(200))
}

func (p *place) list(query string) Page[Appointment] {
	p.t.Helper()
	return decoded[Page[Appointment]](p.do("GET", "/api/v1/appointments?"+query, "").want(200))
}

// calendar puts an object as a calendar client does.
func (p *place) calendar(owner, name, ics string) {
	p.t.Helper()
	o, err := ical.ParseResource([]byte(strings.ReplaceAll(ics, "\n", "\r\n")), ical.Limits{})
	if err != nil {
		p.t.Fatal(err)
	}
	prepared, err := p.store.Prepare(o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.update(func(tx *store.Tx) error {
		c, err := collectionOf(&tx.View, owner)
		if err != nil {
			return err
		}
		_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: c, Name: name, Object: prepared})
		return err
	})
}

func collectionOf(v *store.View, owner string) (store.CollectionID, error) {
	p, err := v.PrincipalByUUID(uuid.MustParse(owner))
	if err != nil {
		return 0, err
	}
	c, err := v.Calendar(p.ID)
	if err != nil {
		return 0, err
	}
	return c.ID, nil
}

// stored gives the data of the members of a calendar, unfolded, by name.
func (p *place) stored(owner string) map[string]string {
	p.t.Helper()
	out := map[string]string{}
	err := p.store.View(p.t.Context(), func(v *store.View) error {
		c, err := collectionOf(v, owner)
		if err != nil {
			return err
		}
		return v.EachMember(c, "", func(m store.Member) bool {
			data, err := v.Data(m.Object)
			if err != nil {
				p.t.Error(err)
			}
			out[m.Name] = strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n ", ""), "\r\n", "\n")
			return true
		})
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func event(uid string, lines ...string) string {
	return "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//T//T//EN\nBEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\n" +
		strings.Join(lines, "\n") + "\nEND:VEVENT\nEND:VCALENDAR\n"
}
