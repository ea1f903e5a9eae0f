package vastal

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/api/apitest"
	"daybook/api/rest"
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

// start is the time at which every test begins: 08:00 in Berlin, a Saturday.
var start = time.Date(2027, 2, 20, 7, 0, 0, 0, time.UTC)

// place is a store with an organisation in Berlin, and the API over it.
type place struct {
	apitest.Place
	clock *apitest.Clock
}

func newPlace(t testing.TB) *place {
	t.Helper()
	clock := apitest.NewClock(start)
	p := &place{*apitest.Open(t, clock.Now, apitest.Bearer, manager), clock}
	p.Serve(New(rest.Options{Store: p.Store, Now: clock.Now}))
	p.Principals("",
		store.Principal{UUID: uuid.MustParse(demo), Kind: store.KindOrganisation, Name: "demo", Zone: "Europe/Berlin"},
		store.Principal{UUID: uuid.MustParse(other), Kind: store.KindOrganisation, Name: "other", Zone: "America/New_York"})
	p.Principals("demo", store.Principal{UUID: uuid.MustParse(ada), Kind: store.KindStaff, Name: "ada"})
	p.Tokens(
		apitest.Token{ID: manager, Org: "demo", On: "demo", Rights: store.RightWrite},
		apitest.Token{ID: chief, Org: "demo", On: "demo", Rights: store.RightAdmin},
		apitest.Token{ID: viewer, Org: "demo", On: "demo", Rights: store.RightRead},
		apitest.Token{ID: cleaner, Org: "demo", On: "demo", Rights: store.RightRead | store.RightDelete},
		apitest.Token{ID: nobody, Org: "demo", On: "ada", Rights: store.RightWrite},
		apitest.Token{ID: rival, Org: "other", On: "other", Rights: store.RightWrite},
		apitest.Token{ID: expired, Org: "demo", On: "demo", Rights: store.RightWrite, Expires: start.Add(-24 * time.Hour)})
	return p
}

// as gives the same place asked with another token.
func (p *place) as(token string) *place { return &place{p.As(token), p.clock} }

// in gives the same place for a part of a test.
func (p *place) in(t testing.TB) *place { return &place{p.In(t), p.clock} }

// answer is what came back.
type answer struct{ apitest.Answer }

func (p *place) do(method, path, body string) answer {
	p.T.Helper()
	return answer{p.Do(method, path, body)}
}

// want checks the status.
func (a answer) want(status int) answer {
	a.T.Helper()
	a.Want(status)
	return a
}

// fails checks for a status and an {"error"} that contains a text, and nothing
// beside it.
func (a answer) fails(status int, text string) {
	a.T.Helper()
	a.want(status)
	var body map[string]any
	a.Into(&body)
	got, ok := body["error"].(string)
	if !ok || len(body) != 1 || got == "" || !strings.Contains(got, text) {
		a.T.Errorf("got %s, want an error with %q", a.Raw, text)
	}
}

func read[T any](a answer) T {
	a.T.Helper()
	return apitest.Read[T](a.want(http.StatusOK).Answer)
}

// availability is the path that most tests ask.
const availability = "/v1/calendar/availability"

// put replaces the week by slots, written as "DAY START END" or "DAY START END
// TYPE"; a "!" before makes it inactive.
func (p *place) put(slots ...string) []Slot {
	p.T.Helper()
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
	p.T.Helper()
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
func (p *place) calendar(name, ics string) { p.T.Helper(); p.Put("demo", name, ics) }

// own gives the organisation's calendar.
func (p *place) own(v *store.View) store.CollectionID {
	p.T.Helper()
	c, err := apitest.CollectionOf(v, "demo")
	if err != nil {
		p.T.Fatal(err)
	}
	return c
}

// stored gives the members of the organisation's calendar: name to data.
func (p *place) stored() map[string]string { p.T.Helper(); return p.Stored("demo") }

// only gives the one member of the organisation's calendar, with LF.
func (p *place) only() (name, data string) {
	p.T.Helper()
	all := p.stored()
	if len(all) != 1 {
		p.T.Fatalf("%d members: %v", len(all), all)
	}
	for name, data = range all {
	}
	return name, strings.ReplaceAll(data, "\r\n", "\n")
}

// seq gives the state of the organisation's calendar, which every write of an
// object moves.
func (p *place) seq() (n uint64) {
	p.T.Helper()
	err := p.Store.View(p.T.Context(), func(v *store.View) error {
		st, err := v.State(p.own(v))
		n = st.Seq
		return err
	})
	if err != nil {
		p.T.Fatal(err)
	}
	return n
}
