package house

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

func (s *service) calendarRoutes() []rest.Route {
	const list, one = base + "/calendars", base + "/calendars/{calendar}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "List calendars: the asker's own, and those of others that it may see", Op: rest.Endpoint(http.StatusOK, s.listCalendars)},
		{Pattern: "POST " + list, Summary: "Create a calendar in a user's home", Op: rest.Endpoint(http.StatusCreated, s.createCalendar)},
		{Pattern: "GET " + one, Summary: "Get a calendar", Op: rest.Endpoint(http.StatusOK, s.getCalendar)},
		{Pattern: "PATCH " + one, Summary: "Change a calendar's properties", Op: rest.Endpoint(http.StatusOK, s.patchCalendar).Guard(s.mayPatchCalendar)},
		{Pattern: "DELETE " + one, Summary: "Delete a calendar of a user with all that is in it", Op: rest.Endpoint(http.StatusNoContent, s.deleteCalendar)},
	}
}

// Calendar is a calendar collection as the house API shows it.
type Calendar struct {
	ID          uuid.UUID `json:"id"`
	Owner       Ref       `json:"owner"`
	Name        string    `json:"name" doc:"Its place in the owner's home."`
	Title       string    `json:"display_name"`
	Description string    `json:"description"`
	Components  []string  `json:"components" doc:"That it takes; empty: all."`
	Zone        *string   `json:"zone" doc:"That places floating times, if it names one itself."`
	Transparent bool      `json:"transparent"`
	Rights      []string  `json:"rights"`
	Created     time.Time `json:"created_at"`
	Modified    time.Time `json:"updated_at" doc:"Of the properties."`
}

// Ref names a principal.
type Ref struct {
	ID   uuid.UUID `json:"id"`
	Kind string    `json:"kind"`
	Name string    `json:"name"`
}

func refTo(p *store.Principal) Ref { return Ref{p.UUID, p.Kind.String(), p.Name} }

func (d *desk) showCalendar(c *store.Collection, owner *store.Principal) Calendar {
	return Calendar{
		ID: c.UUID, Owner: refTo(owner), Name: c.Name, Title: c.DisplayName, Description: c.Description,
		Components: orEmpty(c.Components), Zone: orNull(c.TimezoneID), Transparent: c.Transparent,
		Rights: d.rightsOn(c), Created: c.Created.UTC(), Modified: c.Modified.UTC(),
	}
}

// rightsOn names what the asker may do with a calendar.
func (d *desk) rightsOn(c *store.Collection) []string { return orEmpty(d.RightsOn(d.actor, c).Names()) }

// orEmpty gives a list that is never null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

type calendarsIn struct {
	rest.Page
	Owner rest.Opt[string] `query:"owner" doc:"UUID or name."`
}

// Validate checks the page.
func (in *calendarsIn) Validate(f *rest.Faults) { in.Check(f) }

func (s *service) listCalendars(ctx context.Context, in calendarsIn) (out rest.List[Calendar], err error) {
	return out, s.view(ctx, func(d *desk) error {
		owners, owner, err := d.owners(in.Owner)
		if err != nil {
			return inBody("owner", err)
		}
		all, err := d.Shared(d.actor, owner)
		if err != nil {
			return err
		}
		for _, p := range owners {
			own, err := d.Collections(p.ID)
			if err != nil {
				return err
			}
			all = append(all, own...)
		}
		seen := map[store.CollectionID]bool{}
		var found []Calendar
		for _, c := range all {
			p, err := d.Principal(c.Owner)
			if err != nil {
				return err
			}
			if !seen[c.ID] {
				seen[c.ID] = true
				found = append(found, d.showCalendar(c, p))
			}
		}
		out = rest.Paged(in.Page, found, func(c Calendar) string { return c.Owner.Name + "/" + c.Name })
		return nil
	})
}

// owners gives those whose calendars the asker reaches, all of them; only is who
// it asks for, 0 for everybody.
func (d *desk) owners(ref rest.Opt[string]) (all []*store.Principal, only store.PrincipalID, err error) {
	name, ok := ref.Get()
	if !ok {
		all, err = d.Reachable(d.actor)
		return all, 0, err
	}
	p, err := d.lookup(name)
	if err != nil || p.Org != d.actor.Org {
		return nil, 0, fmt.Errorf("owner %q: %w", name, store.ErrNotFound)
	}
	if d.Rights(d.actor, p.ID) != 0 {
		return []*store.Principal{p}, p.ID, nil
	}
	shared, err := d.Shared(d.actor, p.ID)
	if err == nil && len(shared) == 0 {
		return nil, 0, fmt.Errorf("owner %q: %w", name, store.ErrNotFound)
	}
	return nil, p.ID, err
}

type calendarIn struct {
	Ref string `path:"calendar" doc:"UUID, owner, or OWNER%2FNAME."`
}

func (s *service) getCalendar(ctx context.Context, in calendarIn) (out rest.Tagged[Calendar], err error) {
	return out, s.view(ctx, func(d *desk) error {
		c, err := d.calendar(in.Ref, store.RightFreeBusy)
		if err != nil {
			return err
		}
		out, err = d.tagCalendar(c)
		return err
	})
}

func (d *desk) tagCalendar(c *store.Collection) (out rest.Tagged[Calendar], err error) {
	owner, err := d.Principal(c.Owner)
	if err != nil {
		return out, err
	}
	return rest.Tag(d.showCalendar(c, owner)), nil
}

type calendarCreateIn struct {
	Body calendarCreate `body:"json"`
}

type calendarCreate struct {
	Owner      rest.Opt[string] `json:"owner" doc:"A user; absent: the asker."`
	Name       rest.Opt[string] `json:"name" doc:"Absent: a new UUID."`
	Components []string         `json:"components"`
	calendarFields
}

// calendarFields are what can be changed later too.
type calendarFields struct {
	Title       rest.Opt[string] `json:"display_name"`
	Description rest.Opt[string] `json:"description"`
	Zone        rest.Opt[string] `json:"zone"`
	Transparent rest.Opt[bool]   `json:"transparent"`
}

func (in *calendarFields) check(f *rest.Faults) {
	if z, ok := in.Zone.Get(); ok && ical.LookupZone(z) == nil {
		f.Add("zone", wantZone)
	}
}

const wantZone = "must be the IANA name of a time zone"

// apply puts what was sent into the record; null takes a value away.
func (in *calendarFields) apply(c *store.Collection) {
	if in.Title.Present() {
		c.DisplayName = in.Title.Or("")
	}
	if in.Description.Present() {
		c.Description = in.Description.Or("")
	}
	if in.Zone.Present() {
		c.Timezone, c.TimezoneID = "", in.Zone.Or("")
	}
	if in.Transparent.Present() {
		c.Transparent = in.Transparent.Or(false)
	}
}

// componentKinds are what a calendar can be made to take.
func componentKinds() []string {
	return []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"}
}

// Validate checks the fields.
func (in *calendarCreateIn) Validate(f *rest.Faults) {
	if n, ok := in.Body.Name.Get(); ok && n == "" {
		f.Add("name", "must not be empty")
	}
	for _, kind := range in.Body.Components {
		if !slices.Contains(componentKinds(), kind) && !f.Has("components") {
			f.Add("components", "must be of VEVENT, VTODO, VJOURNAL, VFREEBUSY and VAVAILABILITY")
		}
	}
	in.Body.check(f)
}

func (s *service) createCalendar(ctx context.Context, in calendarCreateIn) (out rest.Tagged[Calendar], err error) {
	name := in.Body.Name.Or("")
	if name == "" {
		name = uuid.NewString()
	}
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		owner, err := d.home(in.Body.Owner)
		if err != nil {
			return err
		}
		c := &store.Collection{Owner: owner.ID, Name: name, Components: slices.Compact(slices.Sorted(slices.Values(in.Body.Components)))}
		in.Body.apply(c)
		if err := tx.CreateCollection(d.actor, c); err != nil {
			return err
		}
		out = rest.Tagged[Calendar]{Value: d.showCalendar(c, owner), Location: base + "/calendars/" + c.UUID.String()}
		return nil
	})
}

// home gives the user in whose home a calendar is made.
func (d *desk) home(ref rest.Opt[string]) (*store.Principal, error) {
	if name, ok := ref.Get(); ok {
		p, err := d.principal(name, store.RightWrite)
		if err != nil {
			return nil, inBody("owner", err)
		}
		return p, nil
	}
	if d.actor.Principal == nil {
		return nil, rest.Invalid("owner", "is required: the token is of no user")
	}
	return d.actor.Principal, nil
}

type calendarPatchIn struct {
	calendarIn
	rest.IfMatch
	Body calendarFields `body:"json"`
}

// Validate checks the fields.
func (in *calendarPatchIn) Validate(f *rest.Faults) { in.Body.check(f) }

func (s *service) mayPatchCalendar(ctx context.Context, in calendarPatchIn) error {
	return s.view(ctx, func(d *desk) error {
		_, err := d.calendar(in.Ref, store.RightWrite)
		return err
	})
}

func (s *service) patchCalendar(ctx context.Context, in calendarPatchIn) (out rest.Tagged[Calendar], err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		c, err := d.calendar(in.Ref, store.RightWrite)
		if err != nil {
			return err
		}
		now, err := d.tagCalendar(c)
		if err != nil {
			return err
		}
		if err := in.Check(now.Value); err != nil {
			return err
		}
		in.Body.apply(c)
		if err := tx.UpdateCollection(d.actor, c); err != nil {
			return err
		}
		out, err = d.tagCalendar(c)
		return err
	})
}

type calendarDeleteIn struct {
	calendarIn
	rest.IfMatch
}

func (s *service) deleteCalendar(ctx context.Context, in calendarDeleteIn) (rest.NoContent, error) {
	return rest.NoContent{}, s.update(ctx, func(d *desk, tx *store.Tx) error {
		c, err := d.calendar(in.Ref, store.RightWrite)
		if err != nil {
			return err
		}
		now, err := d.tagCalendar(c)
		if err != nil {
			return err
		}
		if err := in.Check(now.Value); err != nil {
			return err
		}
		return tx.DeleteCollection(d.actor, c.ID)
	})
}
