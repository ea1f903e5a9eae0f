package trybe

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

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
	room2   = "0197f3c2-0000-7000-8000-0000000000b2"
	area    = "0197f3c2-0000-7000-8000-0000000000d1"
	desk    = "0197f3c2-0000-7000-8000-0000000000c1"
	foreign = "0197f3c2-0000-7000-8000-0000000000e1" // staff of the other organisation
)

// The tokens: ID and what they may do.
const (
	manager = "manager" // write on demo
	viewer  = "viewer"  // read on demo
	nobody  = "nobody"  // write on a room of demo only
	rival   = "rival"   // write on the other organisation
)

const secretPart = "-secret-0123456789"

// now is the time of every test: 08:00 in Berlin.
var now = time.Date(2027, 2, 20, 7, 0, 0, 0, time.UTC)

// place is a store with an organisation in Berlin, and the API over it.
type place struct {
	t     testing.TB
	store *store.Store
	api   http.Handler
	token string
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
	p := (&place{t: t, store: s, token: manager}).again()
	p.update(p.fill)
	return p
}

// again gives the same place behind another API.
func (p *place) again() *place {
	p.t.Helper()
	h, err := New(Options{Store: p.store, Now: func() time.Time { return now }}).Handler()
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

func (p *place) fill(tx *store.Tx) error {
	org := map[string]store.PrincipalID{}
	roomID := store.PrincipalID(0)
	for _, x := range []struct {
		org, id, name, display, zone string
		kind                         store.Kind
	}{
		{demo, demo, "demo", "Demo Clinic", "Europe/Berlin", store.KindOrganisation},
		{other, other, "other", "Other", "America/New_York", store.KindOrganisation},
		{demo, ada, "ada", "Ada Noor", "", store.KindStaff},
		{demo, bob, "bob", "", "", store.KindStaff},
		{demo, room, "room-1", "Room 1", "", store.KindRoom},
		{demo, room2, "room-2", "Room 2", "", store.KindRoom},
		{demo, area, "garden", "Garden", "", store.KindArea},
		{demo, desk, "front-desk", "Front desk", "", store.KindCalendar},
		{other, foreign, "eve", "Eve", "", store.KindStaff},
	} {
		n := &store.Principal{UUID: uuid.MustParse(x.id), Org: org[x.org], Kind: x.kind, Name: x.name, DisplayName: x.display, Zone: x.zone}
		if x.id == ada {
			n.Color = "#3B82F6"
		}
		if err := tx.CreatePrincipal(n); err != nil {
			return err
		}
		if x.kind == store.KindOrganisation {
			org[x.id] = n.ID
		}
		if x.id == room {
			roomID = n.ID
		}
	}
	for _, x := range []struct {
		id     string
		org    store.PrincipalID
		target store.PrincipalID
		rights store.Rights
	}{
		{manager, org[demo], org[demo], store.RightWrite},
		{viewer, org[demo], org[demo], store.RightRead},
		{nobody, org[demo], roomID, store.RightWrite},
		{rival, org[other], org[other], store.RightWrite},
	} {
		c := &store.Credential{ID: x.id, Kind: store.CredentialBearer, Org: x.org, Grants: []store.Grant{{Target: x.target, Rights: x.rights}}}
		if err := tx.PutCredential(c, x.id+secretPart); err != nil {
			return err
		}
	}
	return nil
}

// as gives the same place asked with another token.
func (p *place) as(token string) *place {
	q := *p
	q.token = token
	return &q
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	raw    string
}

func (p *place) do(method, path, body string) answer {
	p.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token+"."+p.token+secretPart)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	p.api.ServeHTTP(w, r)
	return answer{p.t, w.Code, w.Header(), w.Body.String()}
}

// want checks the status.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.raw)
	}
	return a
}

// one reads the blocked time of an answer.
func (a answer) one() BlockedTime {
	a.t.Helper()
	var out one
	if err := json.Unmarshal([]byte(a.raw), &out); err != nil {
		a.t.Fatalf("%v in %s", err, a.raw)
	}
	return out.Data
}

// list reads the blocked times of an answer.
func (a answer) list() []BlockedTime {
	a.t.Helper()
	var out many
	if err := json.Unmarshal([]byte(a.raw), &out); err != nil {
		a.t.Fatalf("%v in %s", err, a.raw)
	}
	return out.Data
}

// faults checks for 422 with exactly these fields.
func (a answer) faults(fields ...string) {
	a.t.Helper()
	a.want(http.StatusUnprocessableEntity)
	var body struct {
		Message *string             `json:"message"`
		Errors  map[string][]string `json:"errors"`
	}
	if err := json.Unmarshal([]byte(a.raw), &body); err != nil || body.Message == nil {
		a.t.Fatalf("%v in %s", err, a.raw)
	}
	for _, f := range fields {
		if len(body.Errors[f]) == 0 {
			a.t.Errorf("no error under %s: %s", f, a.raw)
		}
	}
	if len(body.Errors) != len(fields) {
		a.t.Errorf("want errors under %v: %s", fields, a.raw)
	}
}

// create makes a block of Ada's at noon on 1 March 2027; change edits the body.
func (p *place) create(change func(map[string]any)) answer {
	p.t.Helper()
	body := map[string]any{
		"start_time": "2027-03-01T12:30:00", "end_time": "2027-03-01T13:15:00", "type": "break", "practitioner_ids": []string{ada},
	}
	if change != nil {
		change(body)
	}
	for k, v := range body {
		if v == absent {
			delete(body, k)
		}
	}
	return p.do("POST", "/shop/blocked-times?site_id="+demo, text(p.t, body))
}

const absent = "\x00absent"

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// put sends an update.
func (p *place) put(id string, body map[string]any) answer {
	p.t.Helper()
	return p.do("PUT", "/shop/blocked-times/"+id, text(p.t, body))
}

// days lists the blocked times of some days.
func (p *place) days(from, to string) []BlockedTime {
	p.t.Helper()
	return p.do("GET", "/shop/blocked-times?site_id="+demo+"&date_from="+from+"&date_to="+to, "").want(200).list()
}

// series makes a block on every Monday and Wednesday of March 2027.
func (p *place) series() BlockedTime {
	p.t.Helper()
	return p.create(func(b map[string]any) {
		b["recurrence"] = map[string]any{"weekdays": []any{1, "wed"}, "date_from": "2027-03-01", "date_to": "2027-03-31"}
	}).want(201).one()
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
		c, err := calendarOf(&tx.View, owner)
		if err != nil {
			return err
		}
		_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: c, Name: name, Object: prepared})
		return err
	})
}

func calendarOf(v *store.View, owner string) (store.CollectionID, error) {
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

// stored gives the data of the members of a calendar.
func (p *place) stored(owner string) []string {
	p.t.Helper()
	var out []string
	err := p.store.View(p.t.Context(), func(v *store.View) error {
		c, err := calendarOf(v, owner)
		if err != nil {
			return err
		}
		return v.EachMember(c, "", func(m store.Member) bool {
			data, err := v.Data(m.Object)
			if err != nil {
				p.t.Error(err)
			}
			out = append(out, string(data))
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

func starts(list []BlockedTime) []string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = b.StartTime
	}
	return out
}
