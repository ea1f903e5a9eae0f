package folio

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/api/apitest"
	"daybook/api/rest"
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

// now is the time of every test.
var now = time.Date(2031, 5, 20, 8, 15, 30, 120e6, time.UTC)

// place is a store with an organisation in Berlin, and the API over it.
type place struct {
	apitest.Place
	clock *apitest.Clock // of the API
}

func newPlace(t testing.TB) *place {
	t.Helper()
	p := &place{*apitest.Open(t, func() time.Time { return now }, sign, editor), apitest.NewClock(now)}
	p.Principals("",
		store.Principal{Kind: store.KindOrganisation, Name: "demo", Zone: "Europe/Berlin"},
		store.Principal{Kind: store.KindOrganisation, Name: "other"})
	p.Principals("demo", store.Principal{UUID: uuid.MustParse(desk), Kind: store.KindServicePoint, Name: "desk"})
	p.Tokens(
		apitest.Token{ID: editor, Org: "demo", On: "demo", Rights: store.RightWrite},
		apitest.Token{ID: reader, Org: "demo", On: "demo", Rights: store.RightRead},
		apitest.Token{ID: cleaner, Org: "demo", On: "demo", Rights: store.RightDelete},
		apitest.Token{ID: nobody, Org: "demo", On: "desk", Rights: store.RightWrite},
		apitest.Token{ID: stranger, Org: "other", On: "other", Rights: store.RightWrite})
	return p.again()
}

// again gives the same place behind another API, which knows nothing yet.
func (p *place) again() *place {
	p.T.Helper()
	q := *p
	q.Serve(New(rest.Options{Store: p.Store, Now: p.clock.Now}))
	return &q
}

// sign sends a token for its tenant.
func sign(who string) apitest.Sign {
	return func(r *http.Request, _ string) {
		tenant := "demo"
		if who == stranger {
			tenant = "other"
		}
		r.Header.Set("x-okapi-tenant", tenant)
		r.Header.Set("x-okapi-token", who+"."+who+apitest.SecretPart)
		r.Header.Set("x-okapi-user-id", user)
	}
}

// as gives the same place asked with another token, for its tenant.
func (p *place) as(token string) *place { return &place{p.As(token), p.clock} }

// with gives the same place asked with another header; "" leaves it out.
func (p *place) with(name, value string) *place {
	q := *p
	q.Sign = func(r *http.Request, body string) {
		p.Sign(r, body)
		if r.Header.Set(name, value); value == "" {
			r.Header.Del(name)
		}
	}
	return &q
}

// answer is what came back.
type answer struct{ apitest.Answer }

func (p *place) do(method, path string, body any) answer {
	p.T.Helper()
	text, ok := body.(string)
	if !ok && body != nil {
		text = apitest.JSON(p.T, body)
	}
	return answer{p.Do(method, path, text)}
}

func (p *place) get(path string) answer { p.T.Helper(); return p.do("GET", path, nil) }

// want checks the status.
func (a answer) want(status int) answer {
	a.T.Helper()
	a.Want(status)
	return a
}

func read[T any](a answer) T {
	a.T.Helper()
	return apitest.Read[T](a.Answer)
}

func (a answer) calendar() Calendar { a.T.Helper(); return read[Calendar](a) }

// errors checks for an error body of the status with exactly these codes.
func (a answer) errors(status int, codes ...Code) []Error {
	a.T.Helper()
	a.want(status)
	body := read[ErrorBody](a)
	var got []Code
	for _, e := range body.Errors {
		got = append(got, e.Code)
		if e.Message == "" || e.Parameters == nil {
			a.T.Errorf("incomplete error: %s", a.Raw)
		}
	}
	if !slices.Equal(got, codes) || body.Status != status || body.Timestamp != "2031-05-20T08:15:30.120Z" {
		a.T.Errorf("errors %v, want %v: %s", got, codes, a.Raw)
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

func (p *place) post(body any) answer { p.T.Helper(); return p.do("POST", "/calendar/calendars", body) }

func (p *place) create(body any) Calendar {
	p.T.Helper()
	return p.post(body).want(201).calendar()
}

func path(id string) string { return "/calendar/calendars/" + id }

func (p *place) all(point, from, to, more string) SingleDayOpeningCollection {
	p.T.Helper()
	return read[SingleDayOpeningCollection](p.get("/calendar/dates/" + point + "/all-openings?startDate=" + from + "&endDate=" + to + "&limit=2147483647" + more).want(200))
}

func (p *place) around(point, date string) [3]SingleDayOpening {
	p.T.Helper()
	return read[SurroundingOpenings](p.get("/calendar/dates/" + point + "/surrounding-openings?date=" + date).want(200)).Openings
}

// own gives the members of the organisation's calendar, by name.
func (p *place) own() map[string]string { p.T.Helper(); return p.Stored("demo") }

// caldav puts an object as a calendar client does; "" removes it.
func (p *place) caldav(name, ics string) { p.T.Helper(); p.Put("demo", name, ics) }

// edit changes the stored text of a member as a calendar client does.
func (p *place) edit(name, from, to string) {
	p.T.Helper()
	text := p.own()[name]
	if strings.Count(text, from) != 1 {
		p.T.Fatalf("%q is not once in %s", from, text)
	}
	p.caldav(name, strings.Replace(text, from, to, 1))
}
