package api

import (
	"encoding/json"
	"fmt"
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

// faces is a store with an organisation in Berlin, and all APIs over it.
type faces struct {
	t   *testing.T
	s   *store.Store
	api http.Handler
	ids map[string]*store.Principal
}

func newFaces(t *testing.T) *faces {
	t.Helper()
	h := &faces{t: t, ids: map[string]*store.Principal{}}
	now := func() time.Time { return time.Date(2027, 3, 1, 7, 0, 0, 0, time.UTC) }
	var err error
	if h.s, err = store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "a.db"), Create: true, Now: now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.s.Close() })
	err = h.s.Update(t.Context(), func(tx *store.Tx) error {
		for _, p := range []*store.Principal{
			{Name: "demo", Kind: store.KindOrganisation, Zone: "Europe/Berlin"}, {Name: "ada", Kind: store.KindStaff}, {Name: "desk", Kind: store.KindServicePoint},
		} {
			if org := h.ids["demo"]; org != nil {
				p.Org = org.ID
			}
			if err := tx.CreatePrincipal(p); err != nil {
				return err
			}
			h.ids[p.Name] = p
		}
		org := h.ids["demo"].ID
		c := &store.Credential{ID: "demo-admin", Org: org, Kind: store.CredentialBearer, Grants: []store.Grant{{Target: org, Rights: store.RightAdmin}}}
		return tx.PutCredential(c, "demo-admin-secret")
	})
	if err != nil {
		t.Fatal(err)
	}
	if h.api, err = New(Options{Store: h.s, Now: now}); err != nil {
		t.Fatal(err)
	}
	return h
}

// ask makes a request that must succeed, and gives what it was answered.
func (h *faces) ask(method, target, body string) any {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer demo-admin.demo-admin-secret")
	r.Header.Set("X-Okapi-Tenant", "demo")
	r.Header.Set("X-Okapi-Token", "demo-admin.demo-admin-secret")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	h.api.ServeHTTP(w, r)
	if w.Code >= 300 {
		h.t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
	}
	var out any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			h.t.Fatalf("%s %s: %v in %s", method, target, err, w.Body)
		}
	}
	return out
}

// at goes down into an answer: names of members, and numbers of lists.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// edit changes the stored text of an object as a calendar client does.
func (h *faces) edit(owner, name string, change func(string) string) {
	h.t.Helper()
	err := h.s.Update(h.t.Context(), func(tx *store.Tx) error {
		c, err := tx.Calendar(h.ids[owner].ID)
		if err != nil {
			return err
		}
		o, err := tx.ObjectAt(c.ID, name)
		if err != nil {
			return err
		}
		next, err := ical.ParseResource([]byte(change(string(o.Data))), ical.Limits{})
		if err != nil {
			return err
		}
		p, err := h.s.Prepare(next)
		if err != nil {
			return err
		}
		_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: c.ID, Name: name, Object: p})
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// Hours are the same in the house API, Vastal's, FOLIO's and the openings.
func TestAllFacesShowOneWeek(t *testing.T) {
	h := newFaces(t)
	desk := h.ids["desk"].UUID.String()
	const week = `{"weekly": [{"day": "tuesday", "opens": "09:00", "closes": "17:00"}, {"day": "friday", "opens": "18:00", "closes": "24:00"}]}`
	h.ask("PUT", "/v1/organisations/demo/hours", week)
	h.ask("PUT", "/v1/resources/desk/hours", week)
	want := func(face string, got ...any) {
		t.Helper()
		if text := fmt.Sprint(got...); text != "tuesday09:0017:00" && text != "209:00:0017:00:00" && text != "TUESDAY09:00:0016:59:00" && text != "2027-03-02T08:00:00Z 2027-03-02T16:00:00Z" {
			t.Errorf("%s says %s", face, text)
		}
	}
	vastal := h.ask("GET", "/v1/calendar/availability", "")
	want("Vastal", fmt.Sprint(at(vastal, "schedules", 0, "day_of_week"))+at(vastal, "schedules", 0, "start_time").(string)+at(vastal, "schedules", 0, "end_time").(string))
	if at(vastal, "schedules", 1, "end_time") != "24:00:00" {
		t.Error(vastal)
	}
	folio := at(h.ask("GET", "/calendar/calendars?servicePointId="+desk, ""), "calendars", 0, "normalHours", 0)
	want("FOLIO", at(folio, "startDay").(string)+at(folio, "startTime").(string)+at(folio, "endTime").(string))
	open := h.ask("GET", "/v1/calendar/openings?from=2027-03-02&to=2027-03-03", "")
	want("openings", at(open, "openings", 0, "start_time").(string)+" "+at(open, "openings", 0, "end_time").(string))

	// What Vastal's and FOLIO's clients write is what the house shows.
	h.ask("PUT", "/v1/calendar/availability", `{"schedules": [{"day_of_week": 3, "start_time": "10:00:00", "end_time": "24:00:00"}, {"day_of_week": 4, "start_time": "00:00:00", "end_time": "02:00:00"}]}`)
	ours := at(h.ask("GET", "/v1/organisations/demo/hours", ""), "weekly")
	if fmt.Sprint(ours) != "[map[closes:02:00 day:wednesday opens:10:00]]" {
		t.Error(ours)
	}
	id, err := uuid.Parse(at(h.ask("GET", "/v1/resources/desk/hours", ""), "calendar").(string))
	if err != nil {
		t.Fatal(err)
	}
	h.edit("demo", id.String()+".ics", func(s string) string { return strings.Replace(s, "T170000", "T180000", 1) })
	ours = at(h.ask("GET", "/v1/resources/desk/hours", ""), "weekly", 0)
	if fmt.Sprint(ours) != "map[closes:18:00 day:tuesday opens:09:00]" {
		t.Error(ours)
	}
	day := h.ask("GET", "/calendar/dates/"+desk+"/all-openings?startDate=2027-03-02&endDate=2027-03-02&includeClosed=true", "")
	if at(day, "dates", 0, "openings", 0, "endTime") != "17:59:00" {
		t.Error(day)
	}
}
