package trybe

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/api/apitest"
	"daybook/api/rest"
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

// now is the time of every test: 08:00 in Berlin.
var now = time.Date(2027, 2, 20, 7, 0, 0, 0, time.UTC)

// place is a store with an organisation in Berlin, and the API over it.
type place struct{ apitest.Place }

func clock() time.Time { return now }

func newPlace(t testing.TB) *place {
	t.Helper()
	p := &place{*apitest.Open(t, clock, apitest.Bearer, manager)}
	p.fill()
	return p.again()
}

// again gives the same place behind another API.
func (p *place) again() *place {
	p.T.Helper()
	q := *p
	q.Serve(New(rest.Options{Store: p.Store, Now: clock}))
	return &q
}

func (p *place) fill() {
	p.Principals("",
		store.Principal{UUID: uuid.MustParse(demo), Kind: store.KindOrganisation, Name: "demo", DisplayName: "Demo Clinic", Zone: "Europe/Berlin"},
		store.Principal{UUID: uuid.MustParse(other), Kind: store.KindOrganisation, Name: "other", DisplayName: "Other", Zone: "America/New_York"})
	p.Principals("demo",
		store.Principal{UUID: uuid.MustParse(ada), Kind: store.KindStaff, Name: "ada", DisplayName: "Ada Noor", Color: "#3B82F6"},
		store.Principal{UUID: uuid.MustParse(bob), Kind: store.KindStaff, Name: "bob"},
		store.Principal{UUID: uuid.MustParse(room), Kind: store.KindRoom, Name: "room-1", DisplayName: "Room 1"},
		store.Principal{UUID: uuid.MustParse(room2), Kind: store.KindRoom, Name: "room-2", DisplayName: "Room 2"},
		store.Principal{UUID: uuid.MustParse(area), Kind: store.KindArea, Name: "garden", DisplayName: "Garden"},
		store.Principal{UUID: uuid.MustParse(desk), Kind: store.KindCalendar, Name: "front-desk", DisplayName: "Front desk"})
	p.Principals("other", store.Principal{UUID: uuid.MustParse(foreign), Kind: store.KindStaff, Name: "eve", DisplayName: "Eve"})
	p.Tokens(
		apitest.Token{ID: manager, Org: "demo", On: "demo", Rights: store.RightWrite},
		apitest.Token{ID: viewer, Org: "demo", On: "demo", Rights: store.RightRead},
		apitest.Token{ID: nobody, Org: "demo", On: "room-1", Rights: store.RightWrite},
		apitest.Token{ID: rival, Org: "other", On: "other", Rights: store.RightWrite})
}

// as gives the same place asked with another token.
func (p *place) as(token string) *place { return &place{p.As(token)} }

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

// one reads the blocked time of an answer.
func (a answer) one() BlockedTime {
	a.T.Helper()
	return apitest.Read[one](a.Answer).Data
}

// list reads the blocked times of an answer.
func (a answer) list() []BlockedTime {
	a.T.Helper()
	return apitest.Read[struct{ Data []BlockedTime }](a.Answer).Data
}

// faults checks for 422 with exactly these fields.
func (a answer) faults(fields ...string) {
	a.T.Helper()
	a.want(http.StatusUnprocessableEntity)
	var body struct {
		Message *string             `json:"message"`
		Errors  map[string][]string `json:"errors"`
	}
	if a.Into(&body); body.Message == nil {
		a.T.Fatalf("no message in %s", a.Raw)
	}
	for _, f := range fields {
		if len(body.Errors[f]) == 0 {
			a.T.Errorf("no error under %s: %s", f, a.Raw)
		}
	}
	if len(body.Errors) != len(fields) {
		a.T.Errorf("want errors under %v: %s", fields, a.Raw)
	}
}

// create makes a block of Ada's at noon on 1 March 2027; change edits the body.
func (p *place) create(change func(map[string]any)) answer {
	p.T.Helper()
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
	return p.do("POST", "/shop/blocked-times?site_id="+demo, apitest.JSON(p.T, body))
}

const absent = "\x00absent"

// put sends an update.
func (p *place) put(id string, body map[string]any) answer {
	p.T.Helper()
	return p.do("PUT", "/shop/blocked-times/"+id, apitest.JSON(p.T, body))
}

// days lists the blocked times of some days.
func (p *place) days(from, to string) []BlockedTime {
	p.T.Helper()
	return p.do("GET", "/shop/blocked-times?site_id="+demo+"&date_from="+from+"&date_to="+to, "").want(200).list()
}

// series makes a block on every Monday and Wednesday of March 2027.
func (p *place) series() BlockedTime {
	p.T.Helper()
	return p.create(func(b map[string]any) {
		b["recurrence"] = map[string]any{"weekdays": []any{1, "wed"}, "date_from": "2027-03-01", "date_to": "2027-03-31"}
	}).want(201).one()
}

func starts(list []BlockedTime) []string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = b.StartTime
	}
	return out
}
