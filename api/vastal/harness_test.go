package vastal

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
	demo  = "0197f3c2-0000-7000-8000-000000000001"
	other = "0197f3c2-0000-7000-8000-000000000002"
	ada   = "0197f3c2-0000-7000-8000-0000000000a1"
)

// The tokens: ID and what they may do.
const (
	manager = "vst_manager" // write on demo
	chief   = "vst_chief"   // admin on demo
	viewer  = "vst_viewer"  // read on demo
	cleaner = "vst_cleaner" // read and delete on demo
	nobody  = "vst_nobody"  // write on Ada only
	rival   = "vst_rival"   // write on the other organisation
	expired = "vst_expired" // write on demo, until yesterday
)

const secretPart = "-secret-0123456789"

// start is the time at which every test begins: 08:00 in Berlin, a Saturday.
var start = time.Date(2027, 2, 20, 7, 0, 0, 0, time.UTC)

// place is a store with an organisation in Berlin, and the API over it.
type place struct {
	t     testing.TB
	store *store.Store
	api   http.Handler
	token string
	now   *time.Time
}

func newPlace(t testing.TB) *place {
	t.Helper()
	now := start
	clock := func() time.Time { return now }
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
	p := &place{t: t, store: s, api: h, token: manager, now: &now}
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
	org := map[string]store.PrincipalID{}
	var staff store.PrincipalID
	for _, x := range []struct {
		org, id, name, zone string
		kind                store.Kind
	}{
		{demo, demo, "demo", "Europe/Berlin", store.KindOrganisation},
		{other, other, "other", "America/New_York", store.KindOrganisation},
		{demo, ada, "ada", "", store.KindStaff},
	} {
		n := &store.Principal{UUID: uuid.MustParse(x.id), Org: org[x.org], Kind: x.kind, Name: x.name, Zone: x.zone}
		if err := tx.CreatePrincipal(n); err != nil {
			return err
		}
		if x.kind == store.KindOrganisation {
			org[x.id] = n.ID
		} else {
			staff = n.ID
		}
	}
	for _, x := range []struct {
		id          string
		org, target store.PrincipalID
		rights      store.Rights
		expires     time.Time
	}{
		{manager, org[demo], org[demo], store.RightWrite, time.Time{}},
		{chief, org[demo], org[demo], store.RightAdmin, time.Time{}},
		{viewer, org[demo], org[demo], store.RightRead, time.Time{}},
		{cleaner, org[demo], org[demo], store.RightRead | store.RightDelete, time.Time{}},
		{nobody, org[demo], staff, store.RightWrite, time.Time{}},
		{rival, org[other], org[other], store.RightWrite, time.Time{}},
		{expired, org[demo], org[demo], store.RightWrite, start.Add(-24 * time.Hour)},
	} {
		c := &store.Credential{
			ID: x.id, Kind: store.CredentialBearer, Org: x.org, Expires: x.expires,
			Grants: []store.Grant{{Target: x.target, Rights: x.rights}},
		}
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

// in gives the same place for a part of a test.
func (p *place) in(t testing.TB) *place {
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

// fails checks for a status and an {"error"} that contains a text, and nothing
// beside it.
func (a answer) fails(status int, text string) {
	a.t.Helper()
	a.want(status)
	var body map[string]any
	if err := json.Unmarshal([]byte(a.raw), &body); err != nil {
		a.t.Fatalf("%v in %s", err, a.raw)
	}
	got, ok := body["error"].(string)
	if !ok || len(body) != 1 || got == "" || !strings.Contains(got, text) {
		a.t.Errorf("got %s, want an error with %q", a.raw, text)
	}
}

func read[T any](a answer) T {
	a.t.Helper()
	var out T
	if err := json.Unmarshal([]byte(a.want(http.StatusOK).raw), &out); err != nil {
		a.t.Fatalf("%v in %s", err, a.raw)
	}
	return out
}

// availability is the path that most tests ask.
const availability = "/v1/calendar/availability"

// put replaces the week by slots, written as "DAY START END" or "DAY START END
// TYPE"; a "!" before makes it inactive.
func (p *place) put(slots ...string) []Slot {
	p.t.Helper()
	return read[schedulesOut](p.do("PUT", availability, weekText(slots...))).Schedules
}

func weekText(slots ...string) string {
	list := make([]string, len(slots))
	for i, s := range slots {
		list[i] = slotText(s)
	}
	return `{"schedules": [` + strings.Join(list, ",") + `]}`
}

func slotText(s string) string {
	s, inactive := strings.CutPrefix(s, "!")
	f := append(strings.Fields(s), "")
	out := `{"day_of_week": ` + f[0] + `, "start_time": "` + f[1] + `", "end_time": "` + f[2] + `"`
	if f[3] != "" {
		out += `, "appointment_type_id": "` + f[3] + `"`
	}
	if inactive {
		out += `, "is_active": false`
	}
	return out + "}"
}

func (p *place) list() []Slot {
	p.t.Helper()
	return read[schedulesOut](p.do("GET", availability, "")).Schedules
}

// shown writes slots in the form that put takes.
func shown(slots []Slot) string {
	var out []string
	for _, s := range slots {
		text := string(rune('0'+s.DayOfWeek)) + " " + s.StartTime + " " + s.EndTime
		if s.AppointmentTypeID != nil {
			text += " " + *s.AppointmentTypeID
		}
		if !s.IsActive {
			text = "!" + text
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// calendar puts an object into the organisation's calendar as a calendar
// client does.
func (p *place) calendar(name, ics string) {
	p.t.Helper()
	o, err := ical.ParseResource([]byte(strings.ReplaceAll(strings.ReplaceAll(ics, "\r\n", "\n"), "\n", "\r\n")), ical.Limits{})
	if err != nil {
		p.t.Fatal(err)
	}
	prepared, err := p.store.Prepare(o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.update(func(tx *store.Tx) error {
		_, err := tx.PutObject(store.Put{Actor: store.System(), Collection: p.own(&tx.View), Name: name, Object: prepared})
		return err
	})
}

// own gives the organisation's calendar.
func (p *place) own(v *store.View) store.CollectionID {
	p.t.Helper()
	org, err := v.PrincipalByUUID(uuid.MustParse(demo))
	if err != nil {
		p.t.Fatal(err)
	}
	c, err := v.Calendar(org.ID)
	if err != nil {
		p.t.Fatal(err)
	}
	return c.ID
}

// stored gives the members of the organisation's calendar: name to data.
func (p *place) stored() map[string]string {
	p.t.Helper()
	out := map[string]string{}
	err := p.store.View(p.t.Context(), func(v *store.View) error {
		return v.EachMember(p.own(v), "", func(m store.Member) bool {
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

// only gives the one member of the organisation's calendar, with LF.
func (p *place) only() (name, data string) {
	p.t.Helper()
	all := p.stored()
	if len(all) != 1 {
		p.t.Fatalf("%d members: %v", len(all), all)
	}
	for name, data = range all {
	}
	return name, strings.ReplaceAll(data, "\r\n", "\n")
}

// seq gives the state of the organisation's calendar, which every write of an
// object moves.
func (p *place) seq() (n uint64) {
	p.t.Helper()
	err := p.store.View(p.t.Context(), func(v *store.View) error {
		st, err := v.State(p.own(v))
		n = st.Seq
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}
