package house

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/hours"
	"daybook/api/hours/kept"
	"daybook/api/rest"
	"daybook/store"
)

// Hours of the organisation are its week, a VAVAILABILITY in its own calendar
// that Vastal's clients know too. Those of a resource are an opening-hours
// calendar of its own, without first and last day, which FOLIO's clients know
// too; a resource without any opens by the organisation's.

func (s *service) hoursRoutes() []rest.Route {
	const of, house = base + "/resources/{resource}/hours", base + "/organisations/{organisation}/hours"
	return []rest.Route{
		{Pattern: "GET " + of, Summary: "Get the weekly hours of a resource, with exceptions by date", Op: rest.Endpoint(http.StatusOK, getHours[resourceIn](s))},
		{Pattern: "PUT " + of, Summary: "Replace the weekly hours of a resource, with exceptions by date", Op: rest.Endpoint(http.StatusOK, changeHours[resourceHoursPut](s)).Guard(mayWriteHours[resourceHoursPut](s))},
		{Pattern: "PATCH " + of, Summary: "Change the weekly hours of a resource, or its exceptions", Op: rest.Endpoint(http.StatusOK, changeHours[resourceHoursPatch](s)).Guard(mayWriteHours[resourceHoursPatch](s))},
		{Pattern: "DELETE " + of, Summary: "Delete the weekly hours of a resource: it opens by the organisation's", Op: rest.Endpoint(http.StatusNoContent, deleteHours[resourceHoursDelete](s))},
		{Pattern: "GET " + house, Summary: "Get the weekly hours of the organisation, with exceptions by date", Op: rest.Endpoint(http.StatusOK, getHours[organisationIn](s))},
		{Pattern: "PUT " + house, Summary: "Replace the weekly hours of the organisation, with exceptions by date", Op: rest.Endpoint(http.StatusOK, changeHours[organisationHoursPut](s)).Guard(mayWriteHours[organisationHoursPut](s))},
		{Pattern: "PATCH " + house, Summary: "Change the weekly hours of the organisation, or their exceptions", Op: rest.Endpoint(http.StatusOK, changeHours[organisationHoursPatch](s)).Guard(mayWriteHours[organisationHoursPatch](s))},
		{Pattern: "DELETE " + house, Summary: "Delete the weekly hours of the organisation", Op: rest.Endpoint(http.StatusNoContent, deleteHours[organisationHoursDelete](s))},
	}
}

// owned is an In that names a resource or the organisation.
type owned interface {
	owner(d *desk, want store.Rights) (*store.Principal, error)
}

func (in resourceIn) owner(d *desk, want store.Rights) (*store.Principal, error) {
	return d.resource(in.Ref, want)
}

func (in organisationIn) owner(d *desk, want store.Rights) (*store.Principal, error) {
	return d.principal(in.Ref, want, store.KindOrganisation)
}

// Hours are the weekly hours of a resource or organisation.
type Hours struct {
	// Source is where they are from: own, organisation (those of a resource
	// that has none of its own), calendars (it has opening-hours calendars with
	// dates alone), or none.
	Source     string          `json:"source"`
	Zone       string          `json:"zone" doc:"IANA name: of all the times."`
	Calendar   *uuid.UUID      `json:"calendar" doc:"The opening-hours calendar that they are; null for the organisation's."`
	Weekly     []WeeklyOpening `json:"weekly" doc:"From Monday on."`
	Exceptions []DatedHours    `json:"exceptions"`
	Calendars  []uuid.UUID     `json:"calendars" doc:"Opening-hours calendars of the resource with dates."`
	Created    *time.Time      `json:"created_at"`
	Modified   *time.Time      `json:"updated_at"`
}

// WeeklyOpening is an opening of every week, by the wall clock. One that closes
// before it opens closes on the next day.
type WeeklyOpening struct {
	Day    string `json:"day"`
	Opens  string `json:"opens" doc:"HH:MM."`
	Closes string `json:"closes" doc:"HH:MM, up to 24:00."`
}

// DatedHours replace the weekly hours on their days.
type DatedHours struct {
	Name     string         `json:"name"`
	From     string         `json:"from"`
	To       string         `json:"to" doc:"The last day."`
	Openings []DatedOpening `json:"openings" doc:"None: closed."`
}

// DatedOpening is an opening that begins on a day.
type DatedOpening struct {
	Date   string `json:"date"`
	Opens  string `json:"opens"`
	Closes string `json:"closes"`
}

// standing is the hours of an owner as they are stored.
type standing struct {
	calendar *kept.Calendar // nil: none
	source   string
	dated    []uuid.UUID
}

// standingOf finds the hours that hold without dates.
func standingOf(x *kept.Index, p *store.Principal) standing {
	if p.Kind == store.KindOrganisation {
		if w := x.Week(); w != nil {
			return standing{calendar: w, source: "own"}
		}
		return standing{source: "none"}
	}
	out := standing{source: "none"}
	for _, c := range x.Of(p.UUID) {
		if c.Start == hours.MinDate && c.End == hours.MaxDate {
			out.calendar, out.source = c, "own"
		} else {
			out.dated = append(out.dated, c.ID)
		}
	}
	switch {
	case out.calendar != nil:
	case out.dated != nil:
		out.source = "calendars"
	case x.Week() != nil:
		out.calendar, out.source = x.Week(), "organisation"
	}
	return out
}

// own gives the calendar if it is the owner's.
func (h standing) own() *kept.Calendar {
	if h.source == "own" {
		return h.calendar
	}
	return nil
}

func (h standing) show(x *kept.Index, p *store.Principal) Hours {
	out := Hours{Source: h.source, Zone: x.Zone().Name(), Weekly: []WeeklyOpening{}, Exceptions: []DatedHours{}, Calendars: h.dated}
	if out.Calendars == nil {
		out.Calendars = []uuid.UUID{}
	}
	if h.calendar == nil {
		return out
	}
	if h.source == "own" && p.Kind != store.KindOrganisation {
		out.Calendar = &h.calendar.ID
	}
	out.Weekly, out.Exceptions = showWeekly(h.calendar.Hours), showDated(h.calendar.Exceptions)
	out.Created, out.Modified = orNullTime(h.calendar.Created), orNullTime(h.calendar.Updated)
	return out
}

func orNullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// site gives the organisation whose own calendar has the hours.
func (d *desk) site() (kept.Site, error) {
	c, err := d.Calendar(d.actor.Org)
	if err != nil {
		return kept.Site{}, fmt.Errorf("hours: %w", err)
	}
	return kept.Site{Org: d.actor.Org, Calendar: c.ID}, nil
}

// hoursOwner finds whose hours are asked for, and where they are.
func (s *service) hoursOwner(ctx context.Context, in owned, want store.Rights) (p *store.Principal, at kept.Site, err error) {
	err = s.view(ctx, func(d *desk) error {
		if p, err = in.owner(d, store.RightFreeBusy); err != nil {
			return err
		}
		if want != store.RightFreeBusy {
			// They are in the organisation's calendar, whosever they are.
			if d.may(d.actor.Org, want) != nil {
				return store.ErrForbidden
			}
		}
		at, err = d.site()
		return err
	})
	return p, at, err
}

func getHours[In owned](s *service) func(context.Context, In) (rest.Tagged[Hours], error) {
	return func(ctx context.Context, in In) (out rest.Tagged[Hours], err error) {
		p, at, err := s.hoursOwner(ctx, in, store.RightFreeBusy)
		if err != nil {
			return out, err
		}
		return out, s.hours.View(ctx, at, func(_ *store.View, x *kept.Index) error {
			out = rest.Tag(standingOf(x, p).show(x, p))
			return nil
		})
	}
}

// hoursChange is an In that changes hours.
type hoursChange interface {
	owned
	condition() rest.IfMatch
	changes() bool // false: it names nothing
	apply(c *hours.Calendar)
}

// hoursPut is the In that replaces hours, whosever they are.
type hoursPut struct {
	rest.IfMatch
	Body hoursBody `body:"json"`
}

// hoursPatch is the In that changes parts of hours.
type hoursPatch struct {
	rest.IfMatch
	Body hoursFields `body:"json"`
}

type (
	resourceHoursPut struct {
		resourceIn
		hoursPut
	}
	resourceHoursPatch struct {
		resourceIn
		hoursPatch
	}
	resourceHoursDelete struct {
		resourceIn
		rest.IfMatch
	}
	organisationHoursPut struct {
		organisationIn
		hoursPut
	}
	organisationHoursPatch struct {
		organisationIn
		hoursPatch
	}
	organisationHoursDelete struct {
		organisationIn
		rest.IfMatch
	}
)

func (in hoursPut) condition() rest.IfMatch   { return in.IfMatch }
func (in hoursPatch) condition() rest.IfMatch { return in.IfMatch }

func (hoursPut) changes() bool      { return true }
func (in hoursPatch) changes() bool { return in.Body.Weekly.Present() || in.Body.Exceptions.Present() }

// Validate checks the hours.
func (in *hoursPut) Validate(f *rest.Faults) { in.Body.check(f) }

// Validate checks what is to be changed.
func (in *hoursPatch) Validate(f *rest.Faults) { in.Body.check(f) }

func (in hoursPut) apply(c *hours.Calendar) {
	c.Hours, c.Exceptions = weeklyOf(in.Body.Weekly), datedOf(in.Body.Exceptions)
}

func (in hoursPatch) apply(c *hours.Calendar) { in.Body.apply(c) }

func mayWriteHours[In owned](s *service) func(context.Context, In) error {
	return func(ctx context.Context, in In) error {
		_, _, err := s.hoursOwner(ctx, in, store.RightWrite)
		return err
	}
}

func changeHours[In hoursChange](s *service) func(context.Context, In) (rest.Tagged[Hours], error) {
	return func(ctx context.Context, in In) (out rest.Tagged[Hours], err error) {
		p, at, err := s.hoursOwner(ctx, in, store.RightWrite)
		if err != nil {
			return out, err
		}
		if in.changes() {
			if err := s.putHours(ctx, at, p, in); err != nil {
				return out, err
			}
		}
		return out, s.hours.View(ctx, at, func(_ *store.View, x *kept.Index) error {
			h := standingOf(x, p).show(x, p)
			out = rest.Tag(h)
			if !in.changes() {
				return in.condition().Check(h)
			}
			return nil
		})
	}
}

func (s *service) putHours(ctx context.Context, at kept.Site, p *store.Principal, in hoursChange) error {
	now := s.now().UTC().Truncate(time.Second)
	wish := func(x *kept.Index) (kept.Wish, error) {
		h := standingOf(x, p)
		if err := in.condition().Check(h.show(x, p)); err != nil {
			return kept.Wish{}, err
		}
		was := h.own()
		if was != nil && len(was.ServicePoints) > 1 {
			return kept.Wish{}, shared(was)
		}
		want := hours.Calendar{Start: hours.MinDate, End: hours.MaxDate, Created: now}
		week := p.Kind == store.KindOrganisation
		switch {
		case was != nil:
			want = was.Calendar
		case week:
			want.ID = uuid.MustParse(kept.WeekUID(p.UUID))
		default:
			want.ID, want.Name, want.ServicePoints = uuid.NewSHA1(p.UUID, []byte("standing hours")), "Hours", []uuid.UUID{p.UUID}
			if h.calendar != nil { // what is not changed stays as it was shown
				want.Hours, want.Exceptions = h.calendar.Hours, h.calendar.Exceptions
			}
		}
		in.apply(&want)
		want.Updated, want.UpdatedBy = now, uuid.NullUUID{}
		if was != nil && sameWeek(was.Hours, want.Hours) {
			want.Hours = was.Hours // as they are written
		}
		return kept.Wish{Was: was, Want: &want, Week: week}, nil
	}
	_, err := s.hours.Put(ctx, kept.Writer{Site: at, Actor: auth.Actor(ctx), Now: now}, wish, noOverlap)
	return busyHours(err)
}

func sameWeek(a, b []hours.Opening) bool { return slices.Equal(hours.Normal(a), hours.Normal(b)) }

func shared(c *kept.Calendar) error {
	return &rest.Problem{
		Status:  http.StatusConflict,
		Detail:  "these hours are an opening-hours calendar that other resources have too: change that",
		Members: map[string]any{"calendar": c.ID, "resources": c.ServicePoints},
	}
}

// noOverlap refuses a calendar that shares a day with another of one of its
// resources: which of the two counts would be anybody's guess.
func noOverlap(x *kept.Index, want *hours.Calendar) error {
	all := x.Overlapping(want)
	if len(all) == 0 {
		return nil
	}
	type overlap struct {
		Calendar  uuid.UUID   `json:"calendar"`
		Resources []uuid.UUID `json:"resources"`
	}
	var out []overlap
	for _, o := range all {
		out = append(out, overlap{o.ID, o.Shared})
	}
	return &rest.Problem{
		Status: http.StatusConflict, Detail: "another opening-hours calendar of the resource has some of these days",
		Members: map[string]any{"overlaps": out},
	}
}

// busyHours tells a client to ask again.
func busyHours(err error) error {
	if !errors.Is(err, kept.ErrBusy) {
		return err
	}
	return &rest.Problem{
		Status: http.StatusServiceUnavailable, Detail: "the hours are being changed by many at once, try again",
		Header: http.Header{"Retry-After": {"1"}}, Err: err,
	}
}

// hoursDeletion is an In that deletes hours.
type hoursDeletion interface {
	owned
	Check(current any) error
}

func deleteHours[In hoursDeletion](s *service) func(context.Context, In) (rest.NoContent, error) {
	return func(ctx context.Context, in In) (rest.NoContent, error) {
		p, at, err := s.hoursOwner(ctx, in, store.RightWrite)
		if err != nil {
			return rest.NoContent{}, err
		}
		w := kept.Writer{Site: at, Actor: auth.Actor(ctx), Now: s.now()}
		return rest.NoContent{}, s.hours.Delete(ctx, w, func(x *kept.Index) ([]*kept.Calendar, error) {
			h := standingOf(x, p)
			was := h.own()
			if was == nil {
				return nil, store.ErrNotFound
			}
			if len(was.ServicePoints) > 1 {
				return nil, shared(was)
			}
			return []*kept.Calendar{was}, in.Check(h.show(x, p))
		})
	}
}
