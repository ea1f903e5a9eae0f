package timetap

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/api/apitest"
	"daybook/api/rest"
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

// now is the time of every test: 08:00 in Berlin.
var now = time.Date(2027, 2, 20, 7, 0, 0, 0, time.UTC)

// place is a store with an organisation in Berlin, and the API over it.
type place struct {
	apitest.Place
	clock func() time.Time
}

func newPlace(t testing.TB) *place { return newPlaceAt(t, func() time.Time { return now }) }

func newPlaceAt(t testing.TB, clock func() time.Time) *place {
	t.Helper()
	p := &place{*apitest.Open(t, clock, apitest.Bearer, admin), clock}
	p.Serve(New(rest.Options{Store: p.Store, Now: clock}))
	p.fill()
	return p
}

func (p *place) fill() {
	p.Principals("",
		store.Principal{Name: "demo", DisplayName: "Demo Clinic", Kind: store.KindOrganisation, Zone: "Europe/Berlin"},
		store.Principal{Name: "other", Kind: store.KindOrganisation, Zone: "America/New_York"})
	p.Principals("demo",
		store.Principal{Name: "ada", DisplayName: "Ada Noor", Kind: store.KindStaff, Alias: adaID, Color: "#aa0000", Email: "ada@example.com"},
		store.Principal{Name: "bob", Kind: store.KindStaff, Alias: bobID},
		store.Principal{Name: "cem", Kind: store.KindStaff, Alias: cemID},
		store.Principal{Name: "room-1", DisplayName: "Room 1", Kind: store.KindRoom, Alias: roomID},
		store.Principal{Name: "garden", Kind: store.KindArea, Alias: areaID},
		store.Principal{Name: "desk", Kind: store.KindServicePoint, Alias: pointID},
		store.Principal{Name: "front-desk", Kind: store.KindCalendar, Alias: 14},
		store.Principal{Name: "grace", Kind: store.KindUser})
	p.Principals("other", store.Principal{Name: "eve", Kind: store.KindStaff, Alias: evesID})
	uuids := p.uuids("room-1", "ada")
	p.Principals("demo", store.Principal{Name: "inside", DisplayName: "Inside", Kind: store.KindGroup, Alias: groupID, Members: uuids[:1]})
	p.Services("demo",
		store.Service{UUID: uuid.MustParse(yogaUUID), Alias: yogaID, Name: "Yoga", Length: time.Hour, BufferAfter: 10 * time.Minute, Color: "#00aa00"},
		store.Service{Alias: massageID, Name: "Massage", Resources: uuids[1:], Inactive: true})
	p.Update(func(tx *store.Tx) error {
		if err := tx.SetGrant(p.IDs["grace"], p.IDs["demo"], store.RightRead); err != nil {
			return err
		}
		return tx.SetGrant(p.IDs["grace"], p.IDs["ada"], store.RightWrite)
	})
	p.Tokens(
		apitest.Token{ID: admin, Org: "demo", On: "demo", Rights: store.RightAdmin},
		apitest.Token{ID: viewer, Org: "demo", On: "demo", Rights: store.RightRead},
		apitest.Token{ID: forAda, Org: "demo", On: "ada", Rights: store.RightRead},
		apitest.Token{ID: grace, Org: "demo", As: "grace"},
		apitest.Token{ID: herself, Org: "demo", As: "ada"},
		apitest.Token{ID: nobody, Org: "demo", On: "demo", Rights: store.RightFreeBusy},
		apitest.Token{ID: rival, Org: "other", On: "other", Rights: store.RightAdmin},
		apitest.Token{ID: key, Org: "demo", On: "demo", Rights: store.RightRead, Kind: store.CredentialTimeTap})
}

func (p *place) uuids(names ...string) (out []uuid.UUID) {
	p.T.Helper()
	p.Update(func(tx *store.Tx) error {
		for _, name := range names {
			x, err := tx.Principal(p.IDs[name])
			if err != nil {
				return err
			}
			out = append(out, x.UUID)
		}
		return nil
	})
	return out
}

// as gives the same place asked with another token.
func (p *place) as(token string) *place { return &place{p.As(token), p.clock} }

// with gives the same place asked with this Authorization.
func (p *place) with(authorization string) *place {
	q := *p
	q.Sign = func(r *http.Request, _ string) {
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
	}
	return &q
}

// in gives the same place in a subtest.
func (p *place) in(t *testing.T) *place { return &place{p.In(t), p.clock} }

// answer is what came back.
type answer struct{ apitest.Answer }

func (p *place) do(method, path string) answer {
	p.T.Helper()
	return answer{p.Do(method, path, "")}
}

func (p *place) get(path string) answer {
	p.T.Helper()
	return p.do("GET", path)
}

// want checks the status, and the shape of an error.
func (a answer) want(status int) answer {
	a.T.Helper()
	if a.Want(status); status < 400 {
		return a
	}
	var body map[string]any
	a.Into(&body)
	if len(body) != 4 || body["status"] != float64(status) || body["type"] != "about:blank" || body["title"] != http.StatusText(status) ||
		body["detail"] == "" || a.Header.Get("Content-Type") != "application/problem+json" {
		a.T.Errorf("not a problem: %s %s", a.Header, a.Raw)
	}
	return a
}

// events reads the events of an answer.
func (a answer) events() []Event {
	a.T.Helper()
	var out []Event
	a.want(200).Into(&out)
	return out
}

// one reads the only event of an answer.
func (a answer) one() Event {
	a.T.Helper()
	all := a.events()
	if len(all) != 1 {
		a.T.Fatalf("%d events: %s", len(all), a.Raw)
	}
	return all[0]
}

// titles gives the titles of an answer, in its order.
func (a answer) titles() []string {
	a.T.Helper()
	var out []string
	for _, e := range a.events() {
		out = append(out, e.Title)
	}
	return out
}

// march asks for all of Ada's and Bob's March 2027; more goes on the query.
func (p *place) march(more string) answer {
	p.T.Helper()
	return p.get("/calendar/range/1,2?startDate=2027-03-01&endDate=2027-03-31" + more)
}

// put stores an object as a calendar client does.
func (p *place) put(owner, uid string, lines ...string) {
	p.T.Helper()
	p.putText(owner, uid, apitest.Component(uid, lines...))
}

func (p *place) putText(owner, uid, components string) {
	p.T.Helper()
	p.Put(owner, uid+".ics", apitest.Calendar(components))
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
