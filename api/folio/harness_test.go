package folio

import (
	"encoding/json"
	"maps"
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

// The ids that every test begins with. Nobody keeps a list of service points;
// desk is also a resource, to see its availability.
const (
	desk  = "c4c90014-c8c9-4ade-8f24-b5e313319f4b"
	annex = "7c5abc9f-f3d7-4856-b8d7-6712462ca007"
	third = "3a40852d-49fd-4df2-a1f9-6e2641a6e91f"
	user  = "9ad09b01-7429-455f-9f64-e3897027db61"
	user2 = "9ad09b01-7429-455f-9f64-e3897027db62"
)

// The tokens: ID and what they may do.
const (
	editor   = "editor"   // write on demo
	reader   = "reader"   // read on demo
	cleaner  = "cleaner"  // delete on demo
	nobody   = "nobody"   // write on a resource of demo alone
	stranger = "stranger" // write on the other organisation
)

const secretPart = "-secret-0123456789"

// now is the time of every test.
var now = time.Date(2031, 5, 20, 8, 15, 30, 120e6, time.UTC)

// place is a store with an organisation in Berlin, and the API over it.
type place struct {
	t      testing.TB
	store  *store.Store
	api    http.Handler
	header map[string]string
	clock  *time.Time
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
	clock := now
	p := (&place{t: t, store: s, clock: &clock}).as(editor).again()
	p.update(fill)
	return p
}

// again gives the same place behind another API, which knows nothing yet.
func (p *place) again() *place {
	p.t.Helper()
	h, err := New(Options{Store: p.store, Now: func() time.Time { return *p.clock }}).Handler()
	if err != nil {
		p.t.Fatal(err)
	}
	q := *p
	q.api = h
	return &q
}

func (p *place) update(fn func(*store.Tx) error) {
	p.t.Helper()
	if err := p.store.Update(p.t.Context(), fn); err != nil {
		p.t.Fatal(err)
	}
}

func fill(tx *store.Tx) error {
	ids := map[string]store.PrincipalID{}
	for _, x := range []struct {
		org, name, zone string
		kind            store.Kind
		id              uuid.UUID
	}{
		{"demo", "demo", "Europe/Berlin", store.KindOrganisation, uuid.New()},
		{"other", "other", "", store.KindOrganisation, uuid.New()},
		{"demo", "desk", "", store.KindServicePoint, uuid.MustParse(desk)},
	} {
		n := &store.Principal{UUID: x.id, Org: ids[x.org], Kind: x.kind, Name: x.name, Zone: x.zone}
		if err := tx.CreatePrincipal(n); err != nil {
			return err
		}
		ids[x.name] = n.ID
	}
	for _, x := range []struct {
		id, org, target string
		rights          store.Rights
	}{
		{editor, "demo", "demo", store.RightWrite},
		{reader, "demo", "demo", store.RightRead},
		{cleaner, "demo", "demo", store.RightDelete},
		{nobody, "demo", "desk", store.RightWrite},
		{stranger, "other", "other", store.RightWrite},
	} {
		c := &store.Credential{ID: x.id, Kind: store.CredentialBearer, Org: ids[x.org], Grants: []store.Grant{{Target: ids[x.target], Rights: x.rights}}}
		if err := tx.PutCredential(c, x.id+secretPart); err != nil {
			return err
		}
	}
	return nil
}

// as gives the same place asked with another token, for its tenant.
func (p *place) as(token string) *place {
	tenant := "demo"
	if token == stranger {
		tenant = "other"
	}
	q := *p
	q.header = map[string]string{"x-okapi-tenant": tenant, "x-okapi-token": token + "." + token + secretPart, "x-okapi-user-id": user}
	return &q
}

// with gives the same place asked with another header; "" leaves it out.
func (p *place) with(name, value string) *place {
	q := *p
	q.header = maps.Clone(p.header)
	q.header[name] = value
	return &q
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	raw    string
}

func (p *place) do(method, path string, body any) answer {
	p.t.Helper()
	text, ok := body.(string)
	if !ok && body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			p.t.Fatal(err)
		}
		text = string(b)
	}
	r := httptest.NewRequest(method, path, strings.NewReader(text))
	if text != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range p.header {
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	p.api.ServeHTTP(w, r)
	return answer{p.t, w.Code, w.Header(), w.Body.String()}
}

func (p *place) get(path string) answer { p.t.Helper(); return p.do("GET", path, nil) }

// want checks the status.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.raw)
	}
	return a
}

func read[T any](a answer) T {
	a.t.Helper()
	var out T
	if err := json.Unmarshal([]byte(a.raw), &out); err != nil {
		a.t.Fatalf("%v in %s", err, a.raw)
	}
	return out
}

func (a answer) calendar() Calendar { a.t.Helper(); return read[Calendar](a) }

// errors checks for an error body of the status with exactly these codes.
func (a answer) errors(status int, codes ...Code) []Error {
	a.t.Helper()
	a.want(status)
	body := read[ErrorBody](a)
	var got []Code
	for _, e := range body.Errors {
		got = append(got, e.Code)
		if e.Message == "" || e.Parameters == nil {
			a.t.Errorf("incomplete error: %s", a.raw)
		}
	}
	if !slices.Equal(got, codes) || body.Status != status || body.Timestamp != "2031-05-20T08:15:30.120Z" {
		a.t.Errorf("errors %v, want %v: %s", got, codes, a.raw)
	}
	return body.Errors
}

// js is JSON to be changed and sent.
type js = map[string]any

// summer is the calendar of the contract's example, for one service point.
func summer(points ...string) js {
	points = append([]string{}, points...)
	return js{
		"name": "Music library, summer 2031", "startDate": "2031-06-02", "endDate": "2031-08-31", "assignments": points,
		"normalHours": []js{
			{"startDay": "MONDAY", "startTime": "09:00:00", "endDay": "MONDAY", "endTime": "16:59:00"},
			{"startDay": "FRIDAY", "startTime": "20:00:00", "endDay": "SATURDAY", "endTime": "01:59:00"},
		},
		"exceptions": []js{
			{"name": "Roof works", "startDate": "2031-07-07", "endDate": "2031-07-11", "openings": []js{}},
			{"name": "Concert night", "startDate": "2031-07-19", "endDate": "2031-07-20", "openings": []js{
				{"startDate": "2031-07-19", "startTime": "18:00:00", "endDate": "2031-07-20", "endTime": "00:29:00"},
			}},
		},
	}
}

// plain is a calendar without hours.
func plain(from, to string, points ...string) js {
	points = append([]string{}, points...)
	return js{"name": "Plain", "startDate": from, "endDate": to, "assignments": points, "normalHours": []js{}, "exceptions": []js{}}
}

func with(o js, name string, value any) js { o[name] = value; return o }

func (p *place) post(body any) answer { p.t.Helper(); return p.do("POST", "/calendar/calendars", body) }

func (p *place) create(body any) Calendar {
	p.t.Helper()
	return p.post(body).want(201).calendar()
}

func path(id string) string { return "/calendar/calendars/" + id }

func (p *place) all(point, from, to, more string) SingleDayOpeningCollection {
	p.t.Helper()
	return read[SingleDayOpeningCollection](p.get("/calendar/dates/" + point + "/all-openings?startDate=" + from + "&endDate=" + to + "&limit=2147483647" + more).want(200))
}

func (p *place) around(point, date string) [3]SingleDayOpening {
	p.t.Helper()
	return read[SurroundingOpenings](p.get("/calendar/dates/" + point + "/surrounding-openings?date=" + date).want(200)).Openings
}

// own gives the members of the organisation's calendar, by name.
func (p *place) own() map[string]string {
	p.t.Helper()
	out := map[string]string{}
	err := p.store.View(p.t.Context(), func(v *store.View) error {
		c, err := ownCalendar(v)
		if err != nil {
			return err
		}
		return v.EachMember(c, "", func(m store.Member) bool {
			data, err := v.Data(m.Object)
			if err != nil {
				p.t.Error(err)
			}
			out[m.Name] = string(data)
			return true
		})
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func ownCalendar(v *store.View) (store.CollectionID, error) {
	org, err := v.PrincipalByName("demo")
	if err != nil {
		return 0, err
	}
	c, err := v.Calendar(org.ID)
	if err != nil {
		return 0, err
	}
	return c.ID, nil
}

// caldav puts an object as a calendar client does; "" removes it.
func (p *place) caldav(name, ics string) {
	p.t.Helper()
	var prepared *store.Prepared
	if ics != "" {
		o, err := ical.ParseResource([]byte(ics), ical.Limits{})
		if err == nil {
			prepared, err = p.store.Prepare(o)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	p.update(func(tx *store.Tx) error {
		c, err := ownCalendar(&tx.View)
		if err != nil {
			return err
		}
		if prepared == nil {
			return tx.DeleteObject(store.System(), c, name, store.Cond{})
		}
		_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: c, Name: name, Object: prepared})
		return err
	})
}

// edit changes the stored text of a member as a calendar client does.
func (p *place) edit(name, from, to string) {
	p.t.Helper()
	text := p.own()[name]
	if strings.Count(text, from) != 1 {
		p.t.Fatalf("%q is not once in %s", from, text)
	}
	p.caldav(name, strings.Replace(text, from, to, 1))
}
