package house

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/blocks"
	"daybook/api/hours"
	"daybook/api/hours/kept"
	"daybook/api/rest"
	"daybook/store"
)

func (s *service) openingHoursRoutes() []rest.Route {
	const list, one = base + "/opening-hours", base + "/opening-hours/{id}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "List opening-hours calendars: weekly hours between two dates, for some resources", Op: rest.Endpoint(http.StatusOK, s.listOpeningHours)},
		{Pattern: "POST " + list, Summary: "Create an opening-hours calendar", Op: rest.Endpoint(http.StatusCreated, s.createOpeningHours).Guard(guard[openingHoursCreateIn](s, store.RightWrite))},
		{Pattern: "GET " + one, Summary: "Get an opening-hours calendar", Op: rest.Endpoint(http.StatusOK, s.getOpeningHours)},
		{Pattern: "PATCH " + one, Summary: "Change an opening-hours calendar", Op: rest.Endpoint(http.StatusOK, s.patchOpeningHours).Guard(guard[openingHoursPatchIn](s, store.RightWrite))},
		{Pattern: "DELETE " + one, Summary: "Delete an opening-hours calendar with its exceptions", Op: rest.Endpoint(http.StatusNoContent, s.deleteOpeningHours)},
	}
}

// OpeningHours is an opening-hours calendar.
type OpeningHours struct {
	ID         uuid.UUID       `json:"id"`
	Name       string          `json:"name"`
	From       *string         `json:"from" doc:"First day; null: it has none."`
	To         *string         `json:"to" doc:"Last day."`
	Resources  []uuid.UUID     `json:"resources"`
	Weekly     []WeeklyOpening `json:"weekly"`
	Exceptions []DatedHours    `json:"exceptions"`
	Created    *time.Time      `json:"created_at"`
	Modified   *time.Time      `json:"updated_at"`
}

func showOpeningHours(c *hours.Calendar) OpeningHours {
	out := OpeningHours{
		ID: c.ID, Name: c.Name, Resources: c.ServicePoints, Weekly: showWeekly(c.Hours), Exceptions: showDated(c.Exceptions),
		Created: orNullTime(c.Created), Modified: orNullTime(c.Updated),
	}
	if out.Resources == nil {
		out.Resources = []uuid.UUID{}
	}
	if c.Start > hours.MinDate {
		out.From = orNull(c.Start.String())
	}
	if c.End < hours.MaxDate {
		out.To = orNull(c.End.String())
	}
	return out
}

// hoursSite finds where the hours are, for one who may see all of them.
func (s *service) hoursSite(ctx context.Context, want store.Rights) (at kept.Site, err error) {
	err = s.view(ctx, func(d *desk) error {
		if err := d.mayHere(want); err != nil {
			return err
		}
		at, err = d.site()
		return err
	})
	return at, err
}

type openingHoursListIn struct {
	rest.Page
	Resource rest.Opt[string] `query:"resource" doc:"UUID or name."`
}

// Validate checks the page.
func (in *openingHoursListIn) Validate(f *rest.Faults) { in.Check(f) }

func (s *service) listOpeningHours(ctx context.Context, in openingHoursListIn) (out rest.List[OpeningHours], err error) {
	at, err := s.hoursSite(ctx, store.RightRead)
	if err != nil {
		return out, err
	}
	var of *store.Principal
	if ref, ok := in.Resource.Get(); ok {
		err = s.view(ctx, func(d *desk) error {
			of, err = d.resource(ref, store.RightFreeBusy)
			return inBody("resource", err)
		})
		if err != nil {
			return out, err
		}
	}
	return out, s.hours.View(ctx, at, func(_ *store.View, x *kept.Index) error {
		all := x.Calendars()
		if of != nil {
			all = x.Of(of.UUID)
		}
		found := make([]OpeningHours, len(all))
		for i, c := range all {
			found[i] = showOpeningHours(&c.Calendar)
		}
		out = rest.Paged(in.Page, found, func(c OpeningHours) string {
			from := ""
			if c.From != nil {
				from = *c.From
			}
			return from + " " + c.ID.String()
		})
		return nil
	})
}

type openingHoursIn struct {
	ID string `path:"id"`
}

// find gives the calendar that is named; store.ErrNotFound.
func (in openingHoursIn) find(x *kept.Index) (*kept.Calendar, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, fmt.Errorf("opening hours %q: %w", in.ID, store.ErrNotFound)
	}
	if c := x.Calendar(id); c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("opening hours %s: %w", id, store.ErrNotFound)
}

func (s *service) getOpeningHours(ctx context.Context, in openingHoursIn) (out rest.Tagged[OpeningHours], err error) {
	at, err := s.hoursSite(ctx, store.RightRead)
	if err != nil {
		return out, err
	}
	return out, s.hours.View(ctx, at, func(_ *store.View, x *kept.Index) error {
		c, err := in.find(x)
		if err == nil {
			out = rest.Tag(showOpeningHours(&c.Calendar))
		}
		return err
	})
}

// openingHoursFields are what a client says of a calendar. null takes a date
// away: the calendar is open to that side.
type openingHoursFields struct {
	Name      rest.Opt[string]   `json:"name"`
	From      rest.Opt[day]      `json:"from"`
	To        rest.Opt[day]      `json:"to"`
	Resources rest.Opt[[]string] `json:"resources" doc:"UUIDs or names."`
	hoursFields
}

const maxResources = 10_000 // of one calendar

func (b *openingHoursFields) check(f *rest.Faults) {
	b.hoursFields.check(f)
	if n, ok := blocks.CleanText(b.Name.Or("")); !ok || len(n) > maxHoursName {
		f.Add("name", "must be a text of at most "+strconv.Itoa(maxHoursName)+" bytes")
	}
	if b.Name.Present() && strings.TrimSpace(b.Name.Or("")) == "" {
		f.Add("name", "must not be empty")
	}
	if len(b.Resources.Or(nil)) > maxResources {
		f.Add("resources", "must have at most "+strconv.Itoa(maxResources)+" members")
	}
}

// apply puts what was sent into the calendar, and checks the whole.
func (b *openingHoursFields) apply(c *hours.Calendar, resources []uuid.UUID) error {
	b.hoursFields.apply(c)
	c.Name, _ = blocks.CleanText(b.Name.Or(c.Name))
	if b.From.Present() {
		c.Start = b.From.Or(day{hours.MinDate}).Date
	}
	if b.To.Present() {
		c.End = b.To.Or(day{hours.MaxDate}).Date
	}
	if b.Resources.Present() {
		c.ServicePoints = resources
	}
	var f rest.Faults
	if c.Start > c.End {
		f.Add("to", "must not be before from")
	}
	for i, e := range c.Exceptions {
		if !c.Covers(e.Start) || !c.Covers(e.End) {
			f.Add("exceptions."+strconv.Itoa(i), "must be on days of the calendar")
		}
	}
	return f.Err()
}

type openingHoursCreateIn struct {
	Body openingHoursFields `body:"json"`
}

// Validate checks the fields.
func (in *openingHoursCreateIn) Validate(f *rest.Faults) {
	if !in.Body.Name.Present() {
		f.Add("name", "is required")
	}
	in.Body.check(f)
}

// named gives the uuids of the resources that a body names. had are those that
// the calendar has: one that is no resource, or no longer, may stay.
func (s *service) named(ctx context.Context, b *openingHoursFields, had []uuid.UUID) (ids []uuid.UUID, err error) {
	return ids, s.view(ctx, func(d *desk) error {
		ids, err = d.uuids("resources", b.Resources.Or(nil), func(ref string) (*store.Principal, error) {
			p, err := d.resource(ref, store.RightFreeBusy)
			if id, no := uuid.Parse(ref); errors.Is(err, store.ErrNotFound) && no == nil && slices.Contains(had, id) {
				return &store.Principal{UUID: id}, nil
			}
			return p, err
		})
		return err
	})
}

func (s *service) createOpeningHours(ctx context.Context, in openingHoursCreateIn) (out rest.Tagged[OpeningHours], err error) {
	ids, err := s.named(ctx, &in.Body, nil)
	if err != nil {
		return out, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return out, fmt.Errorf("create opening hours: %w", err)
	}
	now := s.now().UTC().Truncate(time.Second)
	want := hours.Calendar{ID: id, Start: hours.MinDate, End: hours.MaxDate, Created: now, Updated: now}
	if err := in.Body.apply(&want, ids); err != nil {
		return out, err
	}
	made, err := s.putOpeningHours(ctx, func(*kept.Index) (kept.Wish, error) { return kept.Wish{Want: &want}, nil })
	if err != nil {
		return out, err
	}
	return rest.Tagged[OpeningHours]{Value: showOpeningHours(made), Location: base + "/opening-hours/" + id.String()}, nil
}

func (s *service) putOpeningHours(ctx context.Context, wish func(*kept.Index) (kept.Wish, error)) (*hours.Calendar, error) {
	at, err := s.hoursSite(ctx, store.RightWrite)
	if err != nil {
		return nil, err
	}
	w := kept.Writer{Site: at, Actor: auth.Actor(ctx), Now: s.now().UTC().Truncate(time.Second)}
	made, err := s.hours.Put(ctx, w, wish, noOverlap)
	return made, busyHours(err)
}

type openingHoursPatchIn struct {
	openingHoursIn
	rest.IfMatch
	Body openingHoursFields `body:"json"`
}

// Validate checks what is to be changed.
func (in *openingHoursPatchIn) Validate(f *rest.Faults) { in.Body.check(f) }

func (s *service) patchOpeningHours(ctx context.Context, in openingHoursPatchIn) (out rest.Tagged[OpeningHours], err error) {
	at, err := s.hoursSite(ctx, store.RightWrite)
	if err != nil {
		return out, err
	}
	var had []uuid.UUID
	err = s.hours.View(ctx, at, func(_ *store.View, x *kept.Index) error {
		c, err := in.find(x)
		if err == nil {
			had = c.ServicePoints
		}
		return err
	})
	if err != nil {
		return out, err
	}
	ids, err := s.named(ctx, &in.Body, had)
	if err != nil {
		return out, err
	}
	made, err := s.putOpeningHours(ctx, func(x *kept.Index) (kept.Wish, error) {
		was, err := in.find(x)
		if err != nil {
			return kept.Wish{}, err
		}
		if err := in.Check(showOpeningHours(&was.Calendar)); err != nil {
			return kept.Wish{}, err
		}
		want := was.Calendar
		if err := in.Body.apply(&want, ids); err != nil {
			return kept.Wish{}, err
		}
		if sameWeek(was.Hours, want.Hours) {
			want.Hours = was.Hours // as they are written
		}
		want.Updated, want.UpdatedBy = s.now().UTC().Truncate(time.Second), uuid.NullUUID{}
		return kept.Wish{Was: was, Want: &want}, nil
	})
	if err != nil {
		return out, err
	}
	return rest.Tag(showOpeningHours(made)), nil
}

type openingHoursDeleteIn struct {
	openingHoursIn
	rest.IfMatch
}

func (s *service) deleteOpeningHours(ctx context.Context, in openingHoursDeleteIn) (rest.NoContent, error) {
	at, err := s.hoursSite(ctx, store.RightWrite)
	if err != nil {
		return rest.NoContent{}, err
	}
	w := kept.Writer{Site: at, Actor: auth.Actor(ctx), Now: s.now()}
	return rest.NoContent{}, s.hours.Delete(ctx, w, func(x *kept.Index) ([]*kept.Calendar, error) {
		c, err := in.find(x)
		if err != nil {
			return nil, err
		}
		return []*kept.Calendar{c}, in.Check(showOpeningHours(&c.Calendar))
	})
}
