// Package onlive is the REST API of Onlive's block slots: one operation that
// takes time away in one or more calendars, and beside it the operations that a
// client needs to read a block back, to list and remove blocks, and to find the
// ids of calendars and services.
//
// A block is a VEVENT ([daybook/api/blocks]); its calendarIds are the
// collections that it is in. Whether the time is free is asked and the block is
// written in one transaction. The package keeps nothing: what a calendar client
// has moved is moved here too, and what takes time there is in the way here.
package onlive

import (
	"context"
	"errors"
	"net/http"
	"time"

	"daybook/api/auth"
	"daybook/api/rest"
	"daybook/store"
)

// Name is the API's name in logs and metrics.
const Name = "onlive"

// service answers the requests.
type service struct {
	store *store.Store
	now   func() time.Time
}

// New gives the API; its Log, Panics and bounds are still to be set.
func New(o rest.Options) *rest.API {
	s := &service{store: o.Store, now: o.Clock()}
	return &rest.API{
		Name:         Name,
		Prefixes:     []string{"/api/v1/", "/api/v2/"},
		Routes:       s.routes(),
		Errors:       errorWriter{},
		Invalid:      http.StatusBadRequest,
		SignIn:       auth.Signature(o.Store, s.now),
		TypeRequired: true,
		Title:        "Onlive: block slots",
		Doc:          "Time that is taken away in calendars. Times are UTC.",
		Security:     auth.SignatureWays(),
	}
}

func (s *service) routes() []rest.Route {
	return []rest.Route{
		{Pattern: "POST /api/v1/appointments/block-slot", Summary: "Take time away in calendars", Alone: true, Op: rest.Endpoint(http.StatusOK, s.blockSlot)},
		{Pattern: "GET /api/v1/appointments", Summary: "List blocks", Op: rest.Endpoint(http.StatusOK, listed(s, v1))},
		{Pattern: "GET /api/v1/appointments/{id}", Summary: "Get a block", Op: rest.Endpoint(http.StatusOK, got(s, v1))},
		{Pattern: "DELETE /api/v1/appointments/{id}", Summary: "Remove a block from all its calendars", Op: rest.Endpoint(http.StatusOK, s.remove)},
		{Pattern: "GET /api/v1/calendars", Summary: "List the calendars that can be blocked", Op: rest.Endpoint(http.StatusOK, s.calendars)},
		{Pattern: "GET /api/v1/calendars/{id}", Summary: "Get a calendar", Op: rest.Endpoint(http.StatusOK, s.calendar)},
		{Pattern: "GET /api/v1/services", Summary: "List services", Op: rest.Endpoint(http.StatusOK, s.services)},
		{Pattern: "GET /api/v1/services/{id}", Summary: "Get a service", Op: rest.Endpoint(http.StatusOK, s.service)},
		{Pattern: "GET /api/v2/appointments", Summary: "List blocks, in the newer spelling", Op: rest.Endpoint(http.StatusOK, listed(s, v2))},
		{Pattern: "GET /api/v2/appointments/{id}", Summary: "Get a block, in the newer spelling", Op: rest.Endpoint(http.StatusOK, got(s, v2))},
		{Pattern: "DELETE /api/v2/appointments/{id}", Summary: "Remove a block; the answer is the block", Op: rest.Endpoint(http.StatusOK, s.remove2)},
		{Pattern: "GET /api/v2/calendars", Summary: "List the calendars that can be blocked", Op: rest.Endpoint(http.StatusOK, s.calendars)},
		{Pattern: "GET /api/v2/calendars/{id}", Summary: "Get a calendar", Op: rest.Endpoint(http.StatusOK, s.calendar)},
	}
}

// The messages of the contract that name what was asked for.
const (
	mayNotBlock   = "Insufficient permissions to block slot"
	slotBusy      = "Failed: Appointment time slot busy"
	mayNotDelete  = "Insufficient permissions to delete this appointment"
	cannotDelete  = "Cannot delete appointment in current state"
	noAppointment = "Appointment not found"
	noCalendar    = "Calendar not found"
	noService     = "Service not found"
)

// errSaid marks a Problem whose Detail is the message of the answer.
var errSaid = errors.New("as the contract says")

func say(status int, message string) *rest.Problem {
	return &rest.Problem{Status: status, Detail: message, Err: errSaid}
}

// errorWriter writes the error body of the API: status and message, and for 400
// the faults of each field.
type errorWriter struct{}

type errorBody struct {
	StatusCode int    `json:"statusCode"`
	Message    string `json:"message"`
}

type invalidBody struct {
	errorBody
	Errors []fieldError `json:"errors"`
}

type fieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// WriteError writes {"statusCode", "message"}, and with 400 "errors".
func (errorWriter) WriteError(w http.ResponseWriter, _ *http.Request, p *rest.Problem) {
	const contentType = "application/json"
	body := errorBody{p.Status, http.StatusText(p.Status)}
	if errors.Is(p.Err, errSaid) {
		body.Message = p.Detail
	}
	if p.Status != http.StatusBadRequest {
		rest.WriteJSON(w, contentType, p.Status, body)
		return
	}
	if !errors.Is(p.Err, errSaid) {
		body.Message = "Invalid input"
	}
	out := invalidBody{body, []fieldError{}}
	for _, f := range p.Faults {
		out.Errors = append(out.Errors, fieldError{topLevel(f.Field), f.Message})
	}
	rest.WriteJSON(w, contentType, p.Status, out)
}

// view runs fn in a snapshot with the actor and its organisation.
func (s *service) view(ctx context.Context, fn func(*store.View, *store.Actor, *store.Principal) error) error {
	actor := auth.Actor(ctx)
	return s.store.View(ctx, func(v *store.View) error {
		org, err := v.Principal(actor.Org)
		if err != nil {
			return err
		}
		return fn(v, actor, org)
	})
}
