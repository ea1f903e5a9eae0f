// Package trybe is the REST API of Trybe's blocked times: the five operations
// on /shop/blocked-times, and the lists that a client finds ids in.
//
// A blocked time is a VEVENT ([daybook/api/blocks]); the three lists of ids
// are the collections that it is in. A recurring one is a single VEVENT with
// an RRULE; each of its instances is a blocked time with an id of its own,
// UUID_STAMP. A change of one instance detaches it. The package keeps nothing:
// what a calendar client has moved is moved here too.
package trybe

import (
	"net/http"
	"strings"
	"time"

	"daybook/api/auth"
	"daybook/api/known"
	"daybook/api/rest"
	"daybook/store"
)

// Name is the API's name in logs and metrics.
const Name = "trybe"

// service answers the requests.
type service struct {
	store *store.Store
	now   func() time.Time
	turns *turns
	known *known.Objects[*said]
}

// New gives the API; its Log, Panics and bounds are still to be set.
func New(o rest.Options) *rest.API {
	s := &service{store: o.Store, now: o.Clock(), turns: newTurns(), known: known.New(saidOf)}
	return &rest.API{
		Name:     Name,
		Prefixes: []string{"/shop/", "/sites", "/sites/"},
		Routes:   s.routes(),
		Errors:   errorWriter{},
		Invalid:  http.StatusUnprocessableEntity,
		SignIn:   auth.Bearer(o.Store),
		Title:    "Trybe: blocked times",
		Doc:      "Blocked times of practitioners, rooms and areas, and the lists that their ids are in.",
		Security: auth.BearerWays(),
	}
}

func (s *service) routes() []rest.Route {
	return []rest.Route{
		{Pattern: "GET /sites", Summary: "List the sites that the token may see", Op: rest.Endpoint(http.StatusOK, s.sites)},
		{Pattern: "GET /shop/practitioners", Summary: "List practitioners", Op: rest.Endpoint(http.StatusOK, s.resources(store.KindStaff))},
		{Pattern: "GET /shop/rooms", Summary: "List rooms", Op: rest.Endpoint(http.StatusOK, s.resources(store.KindRoom))},
		{Pattern: "GET /shop/areas", Summary: "List areas", Op: rest.Endpoint(http.StatusOK, s.resources(store.KindArea))},
		{Pattern: "GET /shop/blocked-times", Summary: "List blocked times of some days", Op: rest.Endpoint(http.StatusOK, s.list).Guard(s.mayList)},
		{Pattern: "POST /shop/blocked-times", Summary: "Create a blocked time, or one for each matching weekday", Op: rest.Endpoint(http.StatusCreated, s.create).Guard(s.mayCreate)},
		{Pattern: "GET /shop/blocked-times/{blockedTimeId}", Summary: "Get a blocked time", Op: rest.Endpoint(http.StatusOK, s.get)},
		{Pattern: "PUT /shop/blocked-times/{blockedTimeId}", Summary: "Change a blocked time", Op: rest.Endpoint(http.StatusOK, s.update).Guard(s.mayUpdate), Also: []int{http.StatusCreated}},
		{Pattern: "DELETE /shop/blocked-times/{blockedTimeId}", Summary: "Delete a blocked time", Op: rest.Endpoint(http.StatusNoContent, s.remove)},
	}
}

// errorWriter writes the error body of the API: a message, and for 422 the
// faults of each field.
type errorWriter struct{}

type errorBody struct {
	Message string `json:"message"`
}

type invalidBody struct {
	Message string              `json:"message"`
	Errors  map[string][]string `json:"errors"`
}

// WriteError writes {"message"}, and with 422 "errors".
func (errorWriter) WriteError(w http.ResponseWriter, _ *http.Request, p *rest.Problem) {
	const contentType = "application/json"
	if p.Status != http.StatusUnprocessableEntity {
		rest.WriteJSON(w, contentType, p.Status, errorBody{sentence(p.Detail)})
		return
	}
	body := invalidBody{"The request didn't pass validation.", map[string][]string{}}
	for _, f := range p.Faults {
		body.Errors[f.Field] = append(body.Errors[f.Field], "The "+f.Field+" field "+f.Message+".")
	}
	rest.WriteJSON(w, contentType, p.Status, body)
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
