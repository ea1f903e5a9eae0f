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
	"daybook/ical"
	"daybook/store"
)

func (s *service) feedRoutes() []rest.Route {
	const list, one = base + "/feeds", base + "/feeds/{feed}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "List feeds: those of all that the asker administers", Op: rest.Endpoint(http.StatusOK, s.listFeeds)},
		{Pattern: "POST " + list, Summary: "Create a feed; its path, which is its secret, is told this once", Op: rest.Endpoint(http.StatusCreated, s.createFeed)},
		{Pattern: "GET " + one, Summary: "Get a feed, without its secret", Op: rest.Endpoint(http.StatusOK, s.getFeed)},
		{Pattern: "PATCH " + one, Summary: "Change what a feed shows and how", Op: rest.Endpoint(http.StatusOK, s.patchFeed)},
		{Pattern: "DELETE " + one, Summary: "Revoke a feed", Op: rest.Endpoint(http.StatusNoContent, s.revokeFeed)},
		{Pattern: "POST " + one + "/rotate", Summary: "Give a feed another secret, told this once; the old one is good for a while", Op: rest.Endpoint(http.StatusOK, s.rotateFeed)},
		{Pattern: "GET " + one + "/fetches", Summary: "List who fetched a feed, when, and got what", Op: rest.Endpoint(http.StatusOK, s.listFetches)},
	}
}

// Feed is a feed as the house API shows it. Of calendars, group, free_busy and
// hours one says what it shows.
type Feed struct {
	ID          string         `json:"id"`
	Name        string         `json:"name" doc:"Of the file in its address."`
	Calendars   []FeedCalendar `json:"calendars"`
	Group       *Ref           `json:"group" doc:"The calendars of its resources."`
	FreeBusy    *Ref           `json:"free_busy" doc:"The time that it is busy."`
	Hours       *Ref           `json:"hours" doc:"Its opening hours."`
	Show        string         `json:"show" enum:"full,titles,busy"`
	Private     string         `json:"private" enum:"busy,shown,hidden" doc:"What becomes of events that are not public."`
	Window      *FeedWindow    `json:"window" doc:"Null: all time."`
	Components  []string       `json:"components"`
	Title       string         `json:"title"`
	Description string         `json:"description"`
	Zone        *string        `json:"zone"`
	Color       *string        `json:"color"`
	Page        *string        `json:"page_url"`
	Refresh     *rest.Duration `json:"refresh" doc:"How often subscribers are asked to look."`
	Created     time.Time      `json:"created_at"`
	Modified    time.Time      `json:"updated_at"`
	Expires     *time.Time     `json:"expires_at"`
	Rotated     *time.Time     `json:"rotated_at"`
	Former      []time.Time    `json:"former_secrets_until"`
	LastUsed    *time.Time     `json:"last_used_at" doc:"To the hour."`
}

// FeedCalendar names a calendar that a feed shows.
type FeedCalendar struct {
	ID    uuid.UUID `json:"id"`
	Owner Ref       `json:"owner"`
	Name  string    `json:"name"`
}

// FeedWindow is the days around today that a feed shows.
type FeedWindow struct {
	Past   int `json:"past_days"`
	Future int `json:"future_days"`
}

// NewFeed is a feed with its address, told once.
type NewFeed struct {
	Feed
	Path string `json:"path" required:"false" doc:"/feeds/SECRET/NAME.ics. Told once: a kept answer leaves it out."`
}

// Kept gives the feed without its use, which is no change of it.
func (f Feed) Kept() any {
	f.LastUsed, f.Former = nil, []time.Time{}
	return f
}

// Kept gives the feed without its secret.
func (f NewFeed) Kept() any { return f.Feed.Kept() }

func (d *desk) showFeed(f *store.Feed) (Feed, error) {
	out := Feed{
		ID: f.ID, Name: f.Name, Calendars: []FeedCalendar{}, Show: f.Show.String(), Private: f.Private.String(),
		Components: orEmpty(f.Components), Title: f.Title, Description: f.Description, Zone: orNull(f.Zone), Color: orNull(f.Color),
		Page: orNull(f.URL), Created: f.Created.UTC(), Modified: f.Modified.UTC(), Expires: orNever(f.Expires),
		Rotated: orNever(f.Rotated), LastUsed: orNever(f.LastUsed),
	}
	if w := f.Window; w != nil {
		out.Window = &FeedWindow{w.Past, w.Future}
	}
	if f.Refresh > 0 {
		r := rest.Duration(f.Refresh)
		out.Refresh = &r
	}
	former, err := d.FormerSecrets(f.Org, f.ID)
	if err != nil {
		return out, err
	}
	out.Former = orEmpty(former)
	if f.Source == store.FeedCalendars {
		for _, id := range append([]store.CollectionID{f.Collection}, f.More...) {
			c, err := d.Collection(id)
			if err != nil {
				return out, err
			}
			owner, err := d.Principal(c.Owner)
			if err != nil {
				return out, err
			}
			out.Calendars = append(out.Calendars, FeedCalendar{c.UUID, refTo(owner), c.Name})
		}
		return out, nil
	}
	p, err := d.Principal(f.Principal)
	if err != nil {
		return out, err
	}
	ref := refTo(p)
	switch f.Source {
	case store.FeedCalendars:
	case store.FeedGroup:
		out.Group = &ref
	case store.FeedBusy:
		out.FreeBusy = &ref
	case store.FeedHours:
		out.Hours = &ref
	}
	return out, nil
}

// publishes checks that the asker administers all that a feed shows: a feed
// tells it to people who have no credential, for as long as it lasts.
func (d *desk) publishes(f *store.Feed) error {
	if f.Source != store.FeedCalendars {
		p, err := d.Principal(f.Principal)
		if err != nil {
			return err
		}
		if p.Kind == store.KindGroup {
			return d.may(p.Org, store.RightAdmin)
		}
		return d.may(p.ID, store.RightAdmin)
	}
	for _, id := range append([]store.CollectionID{f.Collection}, f.More...) {
		c, err := d.Collection(id)
		if err != nil {
			return err
		}
		if err := d.mayUse(c, store.RightAdmin); err != nil {
			return err
		}
	}
	return nil
}

// feed finds a feed that the asker may know of.
func (d *desk) feed(id string) (*store.Feed, error) {
	f, err := d.Feed(d.actor.Org, id)
	if err != nil || d.publishes(f) != nil {
		return nil, fmt.Errorf("feed %q: %w", id, store.ErrNotFound)
	}
	return f, nil
}

type feedsIn struct{ rest.Page }

// Validate checks the page.
func (in *feedsIn) Validate(f *rest.Faults) { in.Check(f) }

func (s *service) listFeeds(ctx context.Context, in feedsIn) (out rest.List[Feed], err error) {
	return out, s.view(ctx, func(d *desk) error {
		all, err := d.Feeds(d.actor.Org)
		if err != nil {
			return err
		}
		found := []Feed{}
		for _, f := range all {
			if d.publishes(f) != nil {
				continue
			}
			shown, err := d.showFeed(f)
			if err != nil {
				return err
			}
			found = append(found, shown)
		}
		out = rest.Paged(in.Page, found, func(f Feed) string { return f.ID })
		return nil
	})
}

type feedIn struct {
	ID string `path:"feed"`
}

func (s *service) getFeed(ctx context.Context, in feedIn) (out rest.Tagged[Feed], err error) {
	return out, s.view(ctx, func(d *desk) error {
		f, err := d.feed(in.ID)
		if err != nil {
			return err
		}
		shown, err := d.showFeed(f)
		out = rest.Tag(shown)
		return err
	})
}

// feedFields are what can be said of a feed. A change of what it shows names
// all of it anew.
type feedFields struct {
	Name        rest.Opt[string]        `json:"name"`
	Calendars   rest.Opt[[]string]      `json:"calendars" required:"false" doc:"By UUID, by owner, or OWNER/NAME."`
	Group       rest.Opt[string]        `json:"group" doc:"UUID or name."`
	FreeBusy    rest.Opt[string]        `json:"free_busy"`
	Hours       rest.Opt[string]        `json:"hours"`
	Show        rest.Opt[string]        `json:"show"`
	Private     rest.Opt[string]        `json:"private"`
	Window      rest.Opt[FeedWindow]    `json:"window"`
	Components  rest.Opt[[]string]      `json:"components"`
	Title       rest.Opt[string]        `json:"title"`
	Description rest.Opt[string]        `json:"description"`
	Zone        rest.Opt[string]        `json:"zone"`
	Color       rest.Opt[string]        `json:"color"`
	Page        rest.Opt[string]        `json:"page_url"`
	Refresh     rest.Opt[rest.Duration] `json:"refresh"`
	Expires     rest.Opt[time.Time]     `json:"expires_at"`
}

// sources counts how many of those that say what a feed shows were sent.
func (in *feedFields) sources() (n int) {
	if list, ok := in.Calendars.Get(); ok && len(list) > 0 {
		n++
	}
	for _, x := range []rest.Opt[string]{in.Group, in.FreeBusy, in.Hours} {
		if s, ok := x.Get(); ok && s != "" {
			n++
		}
	}
	return n
}

const wantSource = "say one of calendars, group, free_busy and hours"

func (in *feedFields) check(f *rest.Faults) {
	if in.sources() > 1 {
		f.Add("calendars", wantSource)
	}
	if s, ok := in.Show.Get(); ok {
		if _, known := ical.ParseShow(s); !known {
			f.Add("show", "must be full, titles or busy")
		}
	}
	if s, ok := in.Private.Get(); ok {
		if _, known := ical.ParsePrivate(s); !known {
			f.Add("private", "must be busy, shown or hidden")
		}
	}
	if z, ok := in.Zone.Get(); ok && ical.LookupZone(z) == nil {
		f.Add("zone", "must be the IANA name of a time zone")
	}
	if c, ok := in.Color.Get(); ok && !colorText.MatchString(c) {
		f.Add("color", "must be of the form #RRGGBB")
	}
	if s, ok := in.Name.Get(); ok && (s == "" || s != fileName(s) || len(s) > 100) {
		f.Add("name", "has 1 to 100 letters, digits, - and _")
	}
}

// fileName makes a name fit for the end of an address.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, s)
}

// apply puts what was sent into the record; null takes a value away.
func (in *feedFields) apply(d *desk, f *store.Feed) error {
	if in.sources() > 0 {
		if err := in.source(d, f); err != nil {
			return err
		}
	}
	for _, x := range []field[string, string]{
		{"name", in.Name, &f.Name},
		{"title", in.Title, &f.Title},
		{"description", in.Description, &f.Description},
		{"zone", in.Zone, &f.Zone},
		{"color", in.Color, &f.Color},
		{"page_url", in.Page, &f.URL},
	} {
		if x.from.Present() {
			*x.to = x.from.Or("")
		}
	}
	if in.Show.Present() {
		f.Show, _ = ical.ParseShow(in.Show.Or("full"))
	}
	if in.Private.Present() {
		f.Private, _ = ical.ParsePrivate(in.Private.Or("busy"))
	}
	if w, ok := in.Window.Get(); ok {
		f.Window = &store.Window{Past: w.Past, Future: w.Future}
	} else if in.Window.Present() {
		f.Window = nil
	}
	if in.Components.Present() {
		f.Components = in.Components.Or(nil)
	}
	if in.Refresh.Present() {
		f.Refresh = time.Duration(in.Refresh.Or(0))
	}
	if in.Expires.Present() {
		f.Expires = in.Expires.Or(time.Time{})
	}
	return nil
}

// source finds what the feed is to show, which the asker must administer.
func (in *feedFields) source(d *desk, f *store.Feed) error {
	f.Source, f.Collection, f.More, f.Principal = store.FeedCalendars, 0, nil, 0
	for i, ref := range in.Calendars.Or(nil) {
		c, err := d.calendar(ref, store.RightAdmin)
		if err != nil {
			return inBody("calendars."+strconv.Itoa(i), err)
		}
		if i == 0 {
			f.Collection = c.ID
			continue
		}
		f.More = append(f.More, c.ID)
	}
	for _, x := range []struct {
		name   string
		ref    rest.Opt[string]
		source store.FeedSource
	}{{"group", in.Group, store.FeedGroup}, {"free_busy", in.FreeBusy, store.FeedBusy}, {"hours", in.Hours, store.FeedHours}} {
		ref, ok := x.ref.Get()
		if !ok || ref == "" {
			continue
		}
		p, err := d.principal(ref, store.RightAdmin)
		if err != nil {
			return inBody(x.name, err)
		}
		f.Source, f.Principal = x.source, p.ID
	}
	return nil
}

type feedCreateIn struct {
	Body feedFields `body:"json"`
}

// Validate checks the fields.
func (in *feedCreateIn) Validate(f *rest.Faults) {
	in.Body.check(f)
	if in.Body.sources() == 0 {
		f.Add("calendars", wantSource)
	}
}

func (s *service) createFeed(ctx context.Context, in feedCreateIn) (out rest.Tagged[NewFeed], err error) {
	secret := store.NewSecret()
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		f := &store.Feed{Org: d.actor.Org}
		if err := in.Body.apply(d, f); err != nil {
			return err
		}
		if f.Name == "" {
			f.Name = d.nameOf(f)
		}
		if err := tx.PutFeed(f, secret); err != nil {
			return err
		}
		out, err = d.tagNewFeed(f, secret)
		return err
	})
}

// nameOf gives a feed the name of whom it shows first.
func (d *desk) nameOf(f *store.Feed) string {
	owner := f.Principal
	if c, err := d.Collection(f.Collection); err == nil {
		owner = c.Owner
	}
	p, err := d.Principal(owner)
	if err != nil {
		return store.CalendarName
	}
	return fileName(p.Name)
}

func (d *desk) tagNewFeed(f *store.Feed, secret string) (out rest.Tagged[NewFeed], err error) {
	shown, err := d.showFeed(f)
	if err != nil {
		return out, err
	}
	out = rest.Tag(NewFeed{shown, "/feeds/" + secret + "/" + f.Name + ".ics"})
	out.Location = base + "/feeds/" + f.ID
	return out, nil
}

type feedPatchIn struct {
	feedIn
	rest.IfMatch
	Body feedFields `body:"json"`
}

// Validate checks the fields.
func (in *feedPatchIn) Validate(f *rest.Faults) { in.Body.check(f) }

func (s *service) patchFeed(ctx context.Context, in feedPatchIn) (out rest.Tagged[Feed], err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		f, err := d.feed(in.ID)
		if err != nil {
			return err
		}
		shown, err := d.showFeed(f)
		if err := errors.Join(err, in.Check(shown)); err != nil {
			return err
		}
		if err := in.Body.apply(d, f); err != nil {
			return err
		}
		if err := tx.UpdateFeed(f); err != nil {
			return err
		}
		shown, err = d.showFeed(f)
		out = rest.Tag(shown)
		return err
	})
}

type feedDeleteIn struct {
	feedIn
	rest.IfMatch
}

func (s *service) revokeFeed(ctx context.Context, in feedDeleteIn) (rest.NoContent, error) {
	return rest.NoContent{}, s.update(ctx, func(d *desk, tx *store.Tx) error {
		f, err := d.feed(in.ID)
		if err != nil {
			return err
		}
		shown, err := d.showFeed(f)
		if err := errors.Join(err, in.Check(shown)); err != nil {
			return err
		}
		return tx.DeleteFeed(f.Org, f.ID)
	})
}

type feedRotateIn struct {
	feedIn
	Body feedRotate `body:"json"`
}

type feedRotate struct {
	Grace rest.Opt[rest.Duration] `json:"grace" doc:"That the present secret is good for still; absent: a week."`
}

const defaultGrace = 7 * 24 * time.Hour

// Validate checks the grace.
func (in *feedRotateIn) Validate(f *rest.Faults) {
	if g, ok := in.Body.Grace.Get(); ok && time.Duration(g) > store.MaxFeedGrace {
		f.Add("grace", "must be 366 days at most")
	}
}

func (s *service) rotateFeed(ctx context.Context, in feedRotateIn) (out rest.Tagged[NewFeed], err error) {
	secret := store.NewSecret()
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		f, err := d.feed(in.ID)
		if err != nil {
			return err
		}
		if f, err = tx.RotateFeed(f.Org, f.ID, secret, time.Duration(in.Body.Grace.Or(rest.Duration(defaultGrace)))); err != nil {
			return err
		}
		out, err = d.tagNewFeed(f, secret)
		out.Location = ""
		return err
	})
}

// Fetch sums up what one client fetched with one outcome.
type Fetch struct {
	First  time.Time `json:"first_at"`
	Last   time.Time `json:"last_at"`
	Client string    `json:"client" doc:"Its family, such as google, apple or microsoft."`
	Agent  string    `json:"agent"`
	Status int       `json:"status"`
	Form   string    `json:"form" doc:"How it was asked for, such as ics or json."`
	Bytes  int64     `json:"bytes" doc:"Of the last answer."`
	Count  uint64    `json:"count"`
}

// listFetches gives the latest first; they are few. What happened in the last
// minute or two may not be in it.
func (s *service) listFetches(ctx context.Context, in feedIn) (out rest.List[Fetch], err error) {
	return out, s.view(ctx, func(d *desk) error {
		f, err := d.feed(in.ID)
		if err != nil {
			return err
		}
		all, err := d.Fetches(f.Org, f.ID)
		out.Items = []Fetch{}
		for _, x := range all {
			x.First, x.Last = x.First.UTC(), x.Last.UTC()
			out.Items = append(out.Items, Fetch(x))
		}
		return err
	})
}
