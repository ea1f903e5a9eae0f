// Package vastal is the REST API of Vastal's calendar: the weekly hours of an
// organisation, its appointment types, its appointments, and the openings that
// follow from them.
//
// The week is one VAVAILABILITY object in the organisation's own calendar, an
// AVAILABLE for each slot; inactive slots, which iCalendar has no word for, are
// a record. Appointment types are the store's services, appointments are
// events. The package keeps nothing beside these: what a calendar client
// changes is changed here too.
//
// There is no zone in this API: the hours are wall clocks of the organisation's
// zone, appointments are instants.
package vastal

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"daybook/api/auth"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

// Name is the API's name in logs and metrics.
const Name = "vastal"

// service answers the requests.
type service struct {
	store *store.Store
	now   func() time.Time
}

// New gives the API; its Log, Panics and bounds are still to be set.
func New(o rest.Options) *rest.API {
	s := &service{store: o.Store, now: o.Clock()}
	a := &rest.API{
		Name:    Name,
		Errors:  errorWriter{},
		Invalid: http.StatusBadRequest,
		SignIn:  auth.Bearer(o.Store),

		Title:    "Vastal: weekly availability",
		Doc:      "The weekly hours of an organisation, its appointment types and appointments, and the openings that follow. Every path is also there without /v1.",
		Security: auth.BearerWays(),
	}
	for _, base := range []string{"/v1", ""} {
		for _, p := range []string{pathAvailability, pathTypes, pathAppointments, pathOpenings} {
			a.Prefixes = append(a.Prefixes, base+p, base+p+"/")
		}
		a.Routes = append(a.Routes, s.routes(base)...)
	}
	return a
}

const (
	pathAvailability = "/calendar/availability"
	pathTypes        = "/calendar/appointment-types"
	pathAppointments = "/calendar/appointments"
	pathOpenings     = "/calendar/openings"
)

func (s *service) routes(base string) []rest.Route {
	const ok = http.StatusOK
	slots, types, appointments := base+pathAvailability, base+pathTypes, base+pathAppointments
	return []rest.Route{
		{Pattern: "GET " + slots, Summary: "List the weekly slots", Op: rest.Endpoint(ok, s.listSlots)},
		{Pattern: "PUT " + slots, Summary: "Replace all weekly slots", Op: rest.Endpoint(ok, s.replaceSlots).Guard(guard[replaceIn](s, store.RightWrite))},
		{Pattern: "POST " + slots, Summary: "Add a weekly slot", Op: rest.Endpoint(ok, s.addSlot).Guard(guard[addIn](s, store.RightWrite))},
		{Pattern: "PATCH " + slots + "/{id}", Summary: "Change a weekly slot", Op: rest.Endpoint(ok, s.patchSlot).Guard(guard[patchIn](s, store.RightWrite))},
		{Pattern: "DELETE " + slots + "/{id}", Summary: "Delete a weekly slot", Op: rest.Endpoint(ok, s.deleteSlot)},
		{Pattern: "GET " + types, Summary: "List appointment types", Op: rest.Endpoint(ok, s.listTypes)},
		{Pattern: "POST " + types, Summary: "Create an appointment type", Op: rest.Endpoint(ok, s.createType).Guard(guard[typeIn](s, store.RightWrite))},
		{Pattern: "PUT " + types, Summary: "Change an appointment type", Op: rest.Endpoint(ok, s.changeType).Guard(guard[typeChangeIn](s, store.RightWrite))},
		{Pattern: "GET " + appointments, Summary: "List appointments", Op: rest.Endpoint(ok, s.listAppointments)},
		{Pattern: "POST " + appointments, Summary: "Create an appointment", Op: rest.Endpoint(ok, s.createAppointment).Guard(guard[appointmentIn](s, store.RightWrite))},
		{Pattern: "PATCH " + appointments, Summary: "Change an appointment", Op: rest.Endpoint(ok, s.changeAppointment).Guard(guard[changeIn](s, store.RightWrite))},
		{Pattern: "GET " + base + pathOpenings, Summary: "List openings", Op: rest.Endpoint(ok, s.listOpenings)},
	}
}

// none is the In of a request without parameters.
type none struct{}

// organisation is the one that a key belongs to.
type organisation struct {
	*store.Principal
	zone     *ical.Zone
	calendar *store.Collection // its own
}

// organisationOf gives the organisation of who asks, if the right is there;
// store.ErrForbidden.
func organisationOf(v *store.View, a *store.Actor, need store.Rights) (organisation, error) {
	if !v.Rights(a, a.Org).Has(need) {
		return organisation{}, store.ErrForbidden
	}
	p, err := v.Principal(a.Org)
	if err != nil {
		return organisation{}, fmt.Errorf("organisation of a key: %w", err)
	}
	c, err := v.Calendar(p.ID)
	if err != nil {
		return organisation{}, fmt.Errorf("calendar of an organisation: %w", err)
	}
	return organisation{p, v.Zone(p), c}, nil
}

// guard checks a right before the body is looked at.
func guard[In any](s *service, need store.Rights) func(context.Context, In) error {
	return func(ctx context.Context, _ In) error {
		return s.store.View(ctx, func(v *store.View) error {
			_, err := organisationOf(v, auth.Actor(ctx), need)
			return err
		})
	}
}

// errorWriter writes the error body of the API, {"error": "…"}.
type errorWriter struct{}

type errorBody struct {
	Error string `json:"error"`
}

// maxFaults is how many faults one error text tells.
const maxFaults = 10

// WriteError writes {"error"}: what is wrong with each field, else the problem.
func (errorWriter) WriteError(w http.ResponseWriter, _ *http.Request, p *rest.Problem) {
	text := p.Detail
	if n := len(p.Faults); n > 0 {
		var all []string
		faults := slices.Clone(p.Faults)
		slices.SortStableFunc(faults, func(a, b rest.Fault) int { return cmp.Compare(faultIndex(a), faultIndex(b)) })
		for _, f := range faults[:min(n, maxFaults)] {
			all = append(all, faultText(f))
		}
		text = strings.Join(all, "; ")
		if n > maxFaults {
			text = fmt.Sprintf("%s; and %d more", text, n-maxFaults)
		}
	}
	rest.WriteJSON(w, "application/json", p.Status, errorBody{text})
}

// faultIndex gives the place in its list of what a fault is in: what does not
// decode is found before what is missing, and told in its turn.
func faultIndex(f rest.Fault) int {
	_, after, _ := strings.Cut(f.Field, ".")
	index, _, _ := strings.Cut(after, ".")
	n, err := strconv.Atoi(index)
	if err != nil {
		return -1
	}
	return n
}

// faultText names a field as the API does: schedules[2]: start_time …
func faultText(f rest.Fault) string {
	list, after, ok := strings.Cut(f.Field, ".")
	if !ok {
		return strings.TrimLeft(f.Field+" "+f.Message, " ")
	}
	index, field, _ := strings.Cut(after, ".")
	return fmt.Sprintf("%s[%s]: %s", list, index, strings.TrimLeft(field+" "+f.Message, " "))
}
