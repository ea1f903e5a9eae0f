package onlive

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/api/apitest"
	"daybook/api/auth"
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

// now is the time of every test.
var now = time.Date(2027, 2, 20, 7, 0, 0, 500_000_000, time.UTC)

// place is a store with an organisation in Berlin, and the API over it.
type place struct{ apitest.Place }

func clock() time.Time { return now }

func newPlace(t testing.TB) *place {
	t.Helper()
	p := &place{*apitest.Open(t, clock, sign, manager)}
	p.Serve(New(rest.Options{Store: p.Store, Now: clock}))
	p.Principals("",
		store.Principal{UUID: uuid.MustParse(demo), Kind: store.KindOrganisation, Name: "demo", DisplayName: "Demo Clinic", Zone: "Europe/Berlin"},
		store.Principal{UUID: uuid.MustParse(other), Kind: store.KindOrganisation, Name: "other", DisplayName: "Other", Zone: "America/New_York"})
	p.Principals("demo",
		store.Principal{UUID: uuid.MustParse(ada), Kind: store.KindStaff, Name: "ada", DisplayName: "Ada Noor", Color: "#3B82F6", Email: "ada@example.com"},
		store.Principal{UUID: uuid.MustParse(bob), Kind: store.KindStaff, Name: "bob"},
		store.Principal{UUID: uuid.MustParse(room), Kind: store.KindRoom, Name: "room-1", DisplayName: "Room 1", Zone: "Europe/Lisbon"},
		store.Principal{UUID: uuid.MustParse(desk), Kind: store.KindCalendar, Name: "front-desk", DisplayName: "Front desk"},
		store.Principal{UUID: uuid.MustParse("0197f3c2-0000-7000-8000-0000000000f1"), Kind: store.KindUser, Name: "user01"})
	p.Principals("other", store.Principal{UUID: uuid.MustParse(foreign), Kind: store.KindStaff, Name: "eve", DisplayName: "Eve"})
	for _, x := range []apitest.Token{
		{ID: manager, Org: "demo", On: "demo", Rights: store.RightWrite},
		{ID: viewer, Org: "demo", On: "demo", Rights: store.RightRead},
		{ID: porter, Org: "demo", On: "room-1", Rights: store.RightWrite},
		{ID: cleaner, Org: "demo", On: "demo", Rights: store.RightRead | store.RightDelete},
		{ID: rival, Org: "other", On: "other", Rights: store.RightWrite},
	} {
		x.Kind = store.CredentialOnlive
		p.Tokens(x)
	}
	p.Services("demo",
		store.Service{UUID: uuid.MustParse(massage), Name: "Massage", Length: 45 * time.Minute, Resources: []uuid.UUID{uuid.MustParse(ada), uuid.MustParse(room)}},
		store.Service{UUID: uuid.MustParse(visit), Name: "Visit", Description: "Just a visit"})
	return p
}

// sign signs as the contract says.
func sign(key string) apitest.Sign {
	return func(r *http.Request, body string) {
		date := now.Format("20060102T150405Z")
		path, query, _ := strings.Cut(r.RequestURI, "?")
		signature, err := auth.Sign(key+apitest.SecretPart, r.Method, path, query, date, []byte(body))
		if err != nil {
			panic(err)
		}
		r.Header.Set("Authorization", "ONLIVESITE Credential:"+key+", Signature="+signature)
		r.Header.Set("x-onlive-site-date", date)
	}
}

// check verifies every index. The walk over the file's pages is left out: the
// last use of a credential may be written meanwhile.
func (p *place) check() {
	p.T.Helper()
	_, err := p.Store.Check(p.T.Context(), false, func(x store.Problem) {
		if x.Kind != "pages" {
			p.T.Error(x)
		}
	})
	if err != nil {
		p.T.Error(err)
	}
}

// as gives the same place asked with another credential.
func (p *place) as(key string) *place { return &place{p.As(key)} }

// answer is what came back.
type answer struct{ apitest.Answer }

func (p *place) send(r *http.Request) answer { p.T.Helper(); return answer{p.Send(r)} }

func (p *place) do(method, target, body string) answer {
	p.T.Helper()
	return answer{p.Do(method, target, body)}
}

const slotPath = "/api/v1/appointments/block-slot"

// fields are the members of a body. One that is absent is left out.
type fields map[string]any

const absent = "\x00absent"

// block asks for an hour of Ada's on 1 March 2027; change edits the body.
func (p *place) block(change fields) answer {
	p.T.Helper()
	body := fields{"start": "2027-03-01T10:00:00Z", "end": "2027-03-01T11:00:00Z", "calendarIds": []string{ada}}
	for k, v := range change {
		if body[k] = v; v == absent {
			delete(body, k)
		}
	}
	return p.do("POST", slotPath, apitest.JSON(p.T, body))
}

// want checks the status.
func (a answer) want(status int) answer {
	a.T.Helper()
	a.Want(status)
	return a
}

// says checks the status and the whole body.
func (a answer) says(status int, body string) {
	a.T.Helper()
	if a.want(status); strings.TrimSpace(a.Raw) != body {
		a.T.Errorf("got %s want %s", a.Raw, body)
	}
}

// busy checks for the contract's 409.
func (a answer) busy() {
	a.T.Helper()
	a.says(409, `{"statusCode":409,"message":"Failed: Appointment time slot busy"}`)
}

// forbidden checks for the contract's 403.
func (a answer) forbidden() {
	a.T.Helper()
	a.says(403, `{"statusCode":403,"message":"Insufficient permissions to block slot"}`)
}

// faults checks for 400 with faults of exactly these fields, in any order.
func (a answer) faults(fields ...string) {
	a.T.Helper()
	a.want(400)
	var body struct {
		StatusCode int          `json:"statusCode"`
		Message    string       `json:"message"`
		Errors     []fieldError `json:"errors"`
	}
	if a.Into(&body); body.StatusCode != 400 || body.Message != "Invalid input" || body.Errors == nil {
		a.T.Fatal(a.Raw)
	}
	count := map[string]int{}
	for _, f := range fields {
		count[f]++
	}
	for _, e := range body.Errors {
		count[e.Field]--
		if e.Message == "" {
			a.T.Errorf("no message: %s", a.Raw)
		}
	}
	for f, n := range count {
		if n != 0 {
			a.T.Errorf("%s: %d errors are missing: %s", f, n, a.Raw)
		}
	}
}

// id reads the id of an answer.
func (a answer) id() string {
	a.T.Helper()
	return decoded[struct{ ID string }](a.want(200)).ID
}

func decoded[T any](a answer) T {
	a.T.Helper()
	return apitest.Read[T](a.Answer)
}

func (p *place) get(id string) Appointment {
	p.T.Helper()
	return decoded[Appointment](p.do("GET", "/api/v1/appointments/"+id, "").want(200))
}

func (p *place) list(query string) Page[Appointment] {
	p.T.Helper()
	return decoded[Page[Appointment]](p.do("GET", "/api/v1/appointments?"+query, "").want(200))
}

// stored gives the data of the members of a calendar, unfolded, by name.
func (p *place) stored(owner string) map[string]string {
	p.T.Helper()
	out := p.Stored(owner)
	for name, data := range out {
		out[name] = strings.ReplaceAll(strings.ReplaceAll(data, "\r\n ", ""), "\r\n", "\n")
	}
	return out
}
