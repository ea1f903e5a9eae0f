// Package timetap is TimeTap's calendar API: the events of some days, one
// event, and the lists that a client finds its integers in.
//
// An event is an instance of a VEVENT in the calendar of a staff member; what
// is in the organisation's own calendar (closures) is every staff member's. The
// package keeps nothing and writes nothing: ids are the aliases that the store
// gives to objects, and for an instance of a series the alias and the minute of
// its RECURRENCE-ID in one number, so that they survive whatever is rebuilt.
//
// Clients sign in with a bearer token, or as TimeTap's own clients do: with a
// key and a signature they get a session token, and send that.
package timetap

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
const Name = "timetap"

// service answers the requests.
type service struct {
	store *store.Store
	now   func() time.Time
	known *known.Objects[part]
}

// New gives the API; its Log, Panics and bounds are still to be set.
func New(o rest.Options) *rest.API {
	s := &service{store: o.Store, now: o.Clock(), known: known.New(partOf)}
	a := &rest.API{
		Name: Name,
		Prefixes: []string{
			"/calendar/range", "/calendar/range/", "/calendar/event", "/calendar/event/",
			sessionPath, "/staffIdList", "/staff", "/staff/", "/locations", "/locations/", "/services", "/services/", "/status",
		},
		Routes: s.routes(),
		Errors: errorWriter{},
		SignIn: s.signIn,
		Title:  "TimeTap: calendar of staff",
		Doc:    "The events of staff in some days, one event, and the lists that a client finds its integers in.",
		Security: append(auth.BearerWays(), []rest.Security{{
			Name: "timetapSession", Type: "apiKey", Header: "Authorization", Doc: "The token that /sessionToken gave, with or without Bearer before it.",
		}}),
	}
	for _, t := range eventTypes {
		a.Prefixes = append(a.Prefixes, "/calendar/"+string(t), "/calendar/"+string(t)+"/")
		a.Routes = append(a.Routes, rest.Route{
			Pattern: "GET /calendar/" + string(t) + "/{eventId}",
			Summary: "Get an event of the type " + string(t),
			Op:      rest.Endpoint(http.StatusOK, s.eventOf(t)),
		})
	}
	return a
}

func (s *service) routes() []rest.Route {
	return []rest.Route{
		{Pattern: "GET " + sessionPath, Summary: "Sign in with a key and a signature", Op: rest.Endpoint(http.StatusOK, s.session), Open: true, Errors: []int{http.StatusUnauthorized}},
		{Pattern: "GET /calendar/range/{staffIdList}", Summary: "List the events of some staff in some days", Op: rest.Endpoint(http.StatusOK, s.calendarRange)},
		{Pattern: "GET /calendar/event/{eventType}/{eventId}", Summary: "Get an event", Op: rest.Endpoint(http.StatusOK, s.event)},
		{Pattern: "GET /staffIdList", Summary: "List the ids of staff", Op: rest.Endpoint(http.StatusOK, s.staffIDs)},
		{Pattern: "GET /staff", Summary: "List staff", Op: rest.Endpoint(http.StatusOK, s.staff)},
		{Pattern: "GET /staff/{professionalId}", Summary: "Get a staff member", Op: rest.Endpoint(http.StatusOK, s.oneStaff)},
		{Pattern: "GET /locations", Summary: "List rooms, areas and service points with their groups", Op: rest.Endpoint(http.StatusOK, s.locations)},
		{Pattern: "GET /locations/{locationId}", Summary: "Get a location", Op: rest.Endpoint(http.StatusOK, s.oneLocation)},
		{Pattern: "GET /services", Summary: "List services", Op: rest.Endpoint(http.StatusOK, s.services)},
		{Pattern: "GET /services/{serviceId}", Summary: "Get a service", Op: rest.Endpoint(http.StatusOK, s.oneService)},
		{Pattern: "GET /status", Summary: "List the words of status and subStatus", Op: rest.Endpoint(http.StatusOK, s.status)},
	}
}

// errorWriter writes problem details (RFC 9457) of four members; the faults of
// a request are sentences of the detail.
type errorWriter struct{}

type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// WriteError writes application/problem+json.
func (errorWriter) WriteError(w http.ResponseWriter, _ *http.Request, p *rest.Problem) {
	detail := p.Detail
	if len(p.Faults) > 0 {
		parts := make([]string, len(p.Faults))
		for i, f := range p.Faults {
			parts[i] = f.Field + " " + f.Message
		}
		detail = strings.Join(parts, "; ")
	}
	rest.WriteJSON(w, "application/problem+json", p.Status, problem{"about:blank", http.StatusText(p.Status), p.Status, detail})
}
