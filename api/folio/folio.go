// Package folio is the REST API of FOLIO's opening hours (interface calendar
// 5.0): calendars of service points with weekly hours and exceptions, and the
// days that they make.
//
// A calendar and each of its exceptions is a VAVAILABILITY object in the
// organisation's own calendar ([daybook/api/hours], [daybook/api/hours/kept]),
// so that calendar clients show and change them. Tenants are organisations.
//
// A day is what calendars and exceptions say, and nothing else: a closure of
// the organisation that is an event takes no day away here, for which this API
// has no word. Openings of the house API are without it.
package folio

import (
	"net/http"
	"time"

	"daybook/api/hours/kept"
	"daybook/api/rest"
	"daybook/store"
)

// Name is the API's name in logs and metrics.
const Name = "folio"

// service answers the requests.
type service struct {
	store *store.Store
	hours *kept.Keeper
	now   func() time.Time
}

// New gives the API; its Log, Panics and bounds are still to be set.
func New(o rest.Options) *rest.API {
	s := &service{store: o.Store, hours: kept.New(o.Store), now: o.Clock()}
	return &rest.API{
		Name:     Name,
		Prefixes: []string{"/calendar/"},
		Routes:   s.routes(),
		Errors:   errorWriter{s.now},
		Invalid:  http.StatusBadRequest,
		SignIn:   s.signIn,
		Title:    "FOLIO: opening hours",
		Doc:      "Calendars of service points with weekly hours and exceptions, and the days that they make. An end time is the last minute that is open.",
		Security: [][]rest.Security{{
			{Name: "okapiTenant", Type: "apiKey", Header: "x-okapi-tenant", Doc: "The organisation's name."},
			{Name: "okapiToken", Type: "apiKey", Header: "x-okapi-token", Doc: "A token, ID.SECRET."},
		}},
	}
}

func (s *service) routes() []rest.Route {
	return []rest.Route{
		{Pattern: "GET /calendar/calendars", Summary: "Search opening-hours calendars", Op: rest.Endpoint(http.StatusOK, s.search).Guard(may[searchIn](store.RightRead))},
		{Pattern: "POST /calendar/calendars", Summary: "Create a calendar", Op: rest.Endpoint(http.StatusCreated, s.create).Guard(may[createIn](store.RightWrite))},
		{Pattern: "DELETE /calendar/calendars", Summary: "Delete several calendars, all or none", Op: rest.Endpoint(http.StatusNoContent, s.removeMany).Guard(may[removeManyIn](store.RightDelete))},
		{Pattern: "GET /calendar/calendars/{calendarId}", Summary: "Get a calendar", Op: rest.Endpoint(http.StatusOK, s.get).Guard(may[oneIn](store.RightRead))},
		{Pattern: "PUT /calendar/calendars/{calendarId}", Summary: "Replace a calendar", Op: rest.Endpoint(http.StatusOK, s.put).Guard(may[updateIn](store.RightWrite))},
		{Pattern: "DELETE /calendar/calendars/{calendarId}", Summary: "Delete a calendar", Op: rest.Endpoint(http.StatusNoContent, s.remove).Guard(may[oneIn](store.RightDelete))},
		{Pattern: "GET /calendar/dates/{servicePointId}/surrounding-openings", Summary: "Get a day and the nearest open days around it", Op: rest.Endpoint(http.StatusOK, s.surrounding).Guard(may[surroundingIn](store.RightRead))},
		{Pattern: "GET /calendar/dates/{servicePointId}/all-openings", Summary: "List the days of a range with their openings", Op: rest.Endpoint(http.StatusOK, s.allOpenings).Guard(may[allOpeningsIn](store.RightRead))},
	}
}
