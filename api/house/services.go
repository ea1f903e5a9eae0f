package house

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/rest"
	"daybook/api/slots"
	"daybook/store"
)

func (s *service) serviceRoutes() []rest.Route {
	const list, one = base + "/services", base + "/services/{service}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "List services: what can be booked, and its rules", Op: rest.Endpoint(http.StatusOK, s.listServices)},
		{Pattern: "POST " + list, Summary: "Create a service", Op: rest.Endpoint(http.StatusCreated, s.createService).Guard(guard[serviceCreateIn](s, store.RightAdmin))},
		{Pattern: "GET " + one, Summary: "Get a service", Op: rest.Endpoint(http.StatusOK, s.getService)},
		{Pattern: "PATCH " + one, Summary: "Change a service", Op: rest.Endpoint(http.StatusOK, s.patchService).Guard(guard[servicePatchIn](s, store.RightAdmin))},
		{Pattern: "DELETE " + one, Summary: "Delete a service", Op: rest.Endpoint(http.StatusNoContent, s.deleteService)},
	}
}

// Service is a service as the house API shows it. A rule that is not there is
// null.
type Service struct {
	ID           uuid.UUID      `json:"id"`
	Name         string         `json:"name"`
	Alias        uint32         `json:"alias" doc:"Its integer id in the organisation."`
	Description  string         `json:"description"`
	Color        *string        `json:"color" doc:"As #RRGGBB."`
	Length       *rest.Duration `json:"length"`
	BufferBefore *rest.Duration `json:"buffer_before"`
	BufferAfter  *rest.Duration `json:"buffer_after"`
	MinNotice    *rest.Duration `json:"min_notice" doc:"From now to the earliest start."`
	MaxAhead     *rest.Duration `json:"max_ahead" doc:"From now to the latest start."`
	MaxPerDay    *int           `json:"max_per_day"`
	MaxPerWeek   *int           `json:"max_per_week"`
	MaxPerMonth  *int           `json:"max_per_month"`
	Capacity     *int           `json:"capacity" doc:"Bookings at once on one resource; null is one."`
	Step         *rest.Duration `json:"step" doc:"Between the starts that slots offer; null is PT15M."`
	Confirm      bool           `json:"confirm" doc:"Bookings begin as tentative."`
	Active       bool           `json:"active"`
	Resources    []Ref          `json:"resources" doc:"That offer it, of those that the asker may see; none: all."`
	Restricted   bool           `json:"restricted" doc:"Only certain resources offer it."`
	Created      time.Time      `json:"created_at"`
	Modified     time.Time      `json:"updated_at"`
}

func (d *desk) showService(x *store.Service) (Service, error) {
	out := Service{
		ID: x.UUID, Name: x.Name, Alias: x.Alias, Description: x.Description, Color: orNull(x.Color),
		Length: orUnset(x.Length), BufferBefore: orUnset(x.BufferBefore), BufferAfter: orUnset(x.BufferAfter),
		MinNotice: orUnset(x.MinNotice), MaxAhead: orUnset(x.MaxAhead),
		MaxPerDay: orNone(x.MaxPerDay), MaxPerWeek: orNone(x.MaxPerWeek), MaxPerMonth: orNone(x.MaxPerMonth),
		Capacity: orNone(x.Capacity), Step: orUnset(x.Step),
		Confirm: x.Confirm, Active: !x.Inactive, Resources: []Ref{}, Restricted: len(x.Resources) > 0,
		Created: x.Created.UTC(), Modified: x.Modified.UTC(),
	}
	for _, id := range x.Resources {
		p, err := d.PrincipalByUUID(id)
		switch {
		case errors.Is(err, store.ErrNotFound): // deleted since
		case err != nil:
			return out, err
		case d.sees(p):
			out.Resources = append(out.Resources, refTo(p))
		}
	}
	return out, nil
}

// orUnset gives null for a rule that is not there.
func orUnset(d time.Duration) *rest.Duration {
	if d == 0 {
		return nil
	}
	x := rest.Duration(d)
	return &x
}

func orNone(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// service finds a service by its uuid, its integer, or its name where no other
// has it. Whoever may see the organisation's free-busy sees its services.
func (d *desk) service(ref string, want store.Rights) (*store.Service, error) {
	if err := d.may(d.actor.Org, want); err != nil {
		return nil, err
	}
	if id, err := uuid.Parse(ref); err == nil {
		if x, err := d.Service(d.actor.Org, id); err == nil {
			return x, nil
		}
	}
	if n, err := strconv.ParseUint(ref, 10, 32); err == nil {
		if x, err := d.ServiceByAlias(d.actor.Org, uint32(n)); err == nil {
			return x, nil
		}
	}
	all, err := d.Services(d.actor.Org)
	if err != nil {
		return nil, err
	}
	var found []*store.Service
	for _, x := range all {
		if x.Name == ref {
			found = append(found, x)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("service %q: %w", ref, store.ErrNotFound)
	}
	return found[0], nil
}

type servicesIn struct {
	rest.Page
	Active   rest.Opt[bool]   `query:"active"`
	Resource rest.Opt[string] `query:"resource" doc:"That offers them."`
}

// Validate checks the page.
func (in *servicesIn) Validate(f *rest.Faults) { in.Check(f) }

func (s *service) listServices(ctx context.Context, in servicesIn) (out rest.List[Service], err error) {
	return out, s.view(ctx, func(d *desk) error {
		if err := d.mayHere(store.RightFreeBusy); err != nil {
			return err
		}
		var offers uuid.UUID
		if ref, ok := in.Resource.Get(); ok {
			p, err := d.resource(ref, store.RightFreeBusy)
			if err != nil {
				return inBody("resource", err)
			}
			offers = p.UUID
		}
		all, err := d.Services(d.actor.Org)
		if err != nil {
			return err
		}
		var found []Service
		for _, x := range all {
			if in.Active.Or(!x.Inactive) == x.Inactive || offers != uuid.Nil && !x.OfferedBy(offers) {
				continue
			}
			one, err := d.showService(x)
			if err != nil {
				return err
			}
			found = append(found, one)
		}
		out = rest.Paged(in.Page, found, func(x Service) string { return fmt.Sprintf("%08d", x.Alias) })
		return nil
	})
}

type serviceIn struct {
	Ref string `path:"service" doc:"UUID, alias or name."`
}

func (s *service) getService(ctx context.Context, in serviceIn) (out rest.Tagged[Service], err error) {
	return out, s.view(ctx, func(d *desk) error {
		x, err := d.service(in.Ref, store.RightFreeBusy)
		if err != nil {
			return err
		}
		out.Value, err = d.showService(x)
		return err
	})
}

type serviceCreateIn struct {
	Body serviceCreate `body:"json"`
}

type serviceCreate struct {
	ID    rest.Opt[uuid.UUID] `json:"id"`
	Alias rest.Opt[uint32]    `json:"alias"`
	serviceFields
}

// serviceFields are what can be changed later too.
type serviceFields struct {
	Name         rest.Opt[string]        `json:"name"`
	Description  rest.Opt[string]        `json:"description"`
	Color        rest.Opt[string]        `json:"color"`
	Length       rest.Opt[rest.Duration] `json:"length"`
	BufferBefore rest.Opt[rest.Duration] `json:"buffer_before"`
	BufferAfter  rest.Opt[rest.Duration] `json:"buffer_after"`
	MinNotice    rest.Opt[rest.Duration] `json:"min_notice"`
	MaxAhead     rest.Opt[rest.Duration] `json:"max_ahead"`
	MaxPerDay    rest.Opt[int]           `json:"max_per_day"`
	MaxPerWeek   rest.Opt[int]           `json:"max_per_week"`
	MaxPerMonth  rest.Opt[int]           `json:"max_per_month"`
	Capacity     rest.Opt[int]           `json:"capacity"`
	Step         rest.Opt[rest.Duration] `json:"step"`
	Confirm      rest.Opt[bool]          `json:"confirm"`
	Active       rest.Opt[bool]          `json:"active"`
	Resources    rest.Opt[[]string]      `json:"resources" doc:"UUIDs or names; all of them."`
}

// maxServiceLimit is the largest limit of bookings in a day, week or month, or
// at once.
const maxServiceLimit = 100_000

func (in *serviceFields) check(f *rest.Faults) {
	if in.Name.Present() && in.Name.Or("") == "" && !f.Has("name") {
		f.Add("name", "must not be empty")
	}
	if c, ok := in.Color.Get(); ok && !colorText.MatchString(c) {
		f.Add("color", wantColor)
	}
	for _, x := range in.lengths(&store.Service{}) {
		switch d := time.Duration(x.from.Or(0)); {
		case strings.HasPrefix(x.name, "buffer_") && d > store.MaxBuffer: // slots know no longer ones
			f.Add(x.name, "must be at most a day")
		case d > store.MaxServiceTime:
			f.Add(x.name, "must be at most ten years")
		}
	}
	if d, ok := in.Step.Get(); ok && (time.Duration(d) < slots.MinStep || time.Duration(d) > 24*time.Hour) && !f.Has("step") {
		f.Add("step", "must be between a minute and a day, or null")
	}
	for _, x := range in.limits(&store.Service{}) {
		if n, ok := x.from.Get(); ok && !f.Has(x.name) && (n < 1 || n > maxServiceLimit) {
			f.Add(x.name, fmt.Sprintf("must be between 1 and %d, or null", maxServiceLimit))
		}
	}
}

// field is a member of a body and its place in a record.
type field[T, U any] struct {
	name string
	from rest.Opt[T]
	to   *U
}

func (in *serviceFields) lengths(x *store.Service) []field[rest.Duration, time.Duration] {
	return []field[rest.Duration, time.Duration]{
		{"length", in.Length, &x.Length},
		{"buffer_before", in.BufferBefore, &x.BufferBefore},
		{"buffer_after", in.BufferAfter, &x.BufferAfter},
		{"min_notice", in.MinNotice, &x.MinNotice},
		{"max_ahead", in.MaxAhead, &x.MaxAhead},
		{"step", in.Step, &x.Step},
	}
}

func (in *serviceFields) limits(x *store.Service) []field[int, int] {
	return []field[int, int]{
		{"max_per_day", in.MaxPerDay, &x.MaxPerDay},
		{"max_per_week", in.MaxPerWeek, &x.MaxPerWeek},
		{"max_per_month", in.MaxPerMonth, &x.MaxPerMonth},
		{"capacity", in.Capacity, &x.Capacity},
	}
}

func (in *serviceFields) texts(x *store.Service) []field[string, string] {
	return []field[string, string]{
		{"name", in.Name, &x.Name},
		{"description", in.Description, &x.Description},
		{"color", in.Color, &x.Color},
	}
}

// apply puts what was sent into the record; null takes a value away.
func (in *serviceFields) apply(d *desk, x *store.Service) error {
	for _, f := range in.texts(x) {
		if f.from.Present() {
			*f.to = f.from.Or("")
		}
	}
	for _, f := range in.lengths(x) {
		if f.from.Present() {
			*f.to = time.Duration(f.from.Or(0))
		}
	}
	for _, f := range in.limits(x) {
		if f.from.Present() {
			*f.to = f.from.Or(0)
		}
	}
	if in.Confirm.Present() {
		x.Confirm = in.Confirm.Or(false)
	}
	if in.Active.Present() {
		x.Inactive = !in.Active.Or(true)
	}
	if x.MaxAhead != 0 && x.MinNotice > x.MaxAhead {
		return rest.Invalid("min_notice", "must not be longer than max_ahead")
	}
	if !in.Resources.Present() {
		return nil
	}
	ids, err := d.uuids("resources", in.Resources.Or(nil), func(ref string) (*store.Principal, error) {
		return d.resource(ref, store.RightFreeBusy)
	})
	x.Resources = ids
	return err
}

// Validate checks the fields.
func (in *serviceCreateIn) Validate(f *rest.Faults) {
	if !in.Body.Name.Present() {
		f.Add("name", "is required")
	}
	in.Body.check(f)
}

func (s *service) createService(ctx context.Context, in serviceCreateIn) (out rest.Tagged[Service], err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		x := &store.Service{Org: d.actor.Org, UUID: in.Body.ID.Or(uuid.Nil), Alias: in.Body.Alias.Or(0)}
		if err := in.Body.apply(d, x); err != nil {
			return err
		}
		if _, err := d.Service(x.Org, x.UUID); err == nil {
			return fmt.Errorf("service %s: %w", x.UUID, store.ErrExists)
		}
		if err := tx.PutService(x); err != nil {
			return err
		}
		out.Location = base + "/services/" + x.UUID.String()
		out.Value, err = d.showService(x)
		return err
	})
}

type servicePatchIn struct {
	serviceIn
	rest.IfMatch
	Body serviceFields `body:"json"`
}

// Validate checks the fields.
func (in *servicePatchIn) Validate(f *rest.Faults) { in.Body.check(f) }

func (s *service) patchService(ctx context.Context, in servicePatchIn) (out rest.Tagged[Service], err error) {
	return out, s.updateService(ctx, in.serviceIn, in.IfMatch, func(d *desk, tx *store.Tx, x *store.Service) error {
		if err := in.Body.apply(d, x); err != nil {
			return err
		}
		if err := tx.PutService(x); err != nil {
			return err
		}
		out.Value, err = d.showService(x)
		return err
	})
}

// updateService runs fn on a service, in the state that the asker knows.
func (s *service) updateService(ctx context.Context, in serviceIn, m rest.IfMatch, fn func(*desk, *store.Tx, *store.Service) error) error {
	return s.update(ctx, func(d *desk, tx *store.Tx) error {
		x, err := d.service(in.Ref, store.RightAdmin)
		if err != nil {
			return err
		}
		now, err := d.showService(x)
		if err != nil {
			return err
		}
		if err := m.Check(now); err != nil {
			return err
		}
		return fn(d, tx, x)
	})
}

type serviceDeleteIn struct {
	serviceIn
	rest.IfMatch
}

func (s *service) deleteService(ctx context.Context, in serviceDeleteIn) (rest.NoContent, error) {
	return rest.NoContent{}, s.updateService(ctx, in.serviceIn, in.IfMatch, func(_ *desk, tx *store.Tx, x *store.Service) error {
		return tx.DeleteService(x.Org, x.UUID)
	})
}
