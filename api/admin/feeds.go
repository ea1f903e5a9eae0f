package admin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"daybook/ical"
	"daybook/store"
)

// FeedShape is what a feed shows and how, in words. Of calendars, group,
// free_busy and hours one is set.
type FeedShape struct {
	Calendars   []string `json:"calendars,omitempty" yaml:"calendars"` // PRINCIPAL or PRINCIPAL/CALENDAR
	Group       string   `json:"group,omitempty" yaml:"group"`         // a group: the calendars of its resources
	FreeBusy    string   `json:"free_busy,omitempty" yaml:"free_busy"` // a principal: the time that it is busy
	Hours       string   `json:"hours,omitempty" yaml:"hours"`         // a resource or organisation: its opening hours
	Show        string   `json:"show,omitempty" yaml:"show"`           // full, titles, busy; "" is full
	Private     string   `json:"private,omitempty" yaml:"private"`     // busy, shown, hidden; "" is busy
	Past        *int     `json:"past_days,omitempty" yaml:"past_days"` // nil with Future: all time
	Future      *int     `json:"future_days,omitempty" yaml:"future_days"`
	Components  []string `json:"components,omitempty" yaml:"components"` // VEVENT, VTODO, …; none: all
	Title       string   `json:"title,omitempty" yaml:"title"`
	Description string   `json:"description,omitempty" yaml:"description"`
	Zone        string   `json:"zone,omitempty" yaml:"zone"`
	Color       string   `json:"color,omitempty" yaml:"color"`
	URL         string   `json:"url,omitempty" yaml:"url"`
}

// check finds what can be found without a store.
func (s *FeedShape) check() error {
	set := 0
	for _, has := range []bool{len(s.Calendars) > 0, s.Group != "", s.FreeBusy != "", s.Hours != ""} {
		if has {
			set++
		}
	}
	if set != 1 {
		return fmt.Errorf("%w: a feed shows one of calendars, group, free_busy and hours", store.ErrInvalid)
	}
	if _, ok := ical.ParseShow(s.Show); s.Show != "" && !ok {
		return fmt.Errorf("%w: show %q; known are full, titles, busy", store.ErrInvalid, s.Show)
	}
	if _, ok := ical.ParsePrivate(s.Private); s.Private != "" && !ok {
		return fmt.Errorf("%w: private %q; known are busy, shown, hidden", store.ErrInvalid, s.Private)
	}
	return nil
}

// record finds what the shape names. name is that of whom it shows first.
func (s *FeedShape) record(v *store.View) (f *store.Feed, name string, err error) {
	if err := s.check(); err != nil {
		return nil, "", err
	}
	f = &store.Feed{Title: s.Title, Description: s.Description, Zone: s.Zone, Color: s.Color, URL: s.URL}
	f.Show, _ = ical.ParseShow(s.Show)
	f.Private, _ = ical.ParsePrivate(s.Private)
	for _, c := range s.Components {
		f.Components = append(f.Components, strings.ToUpper(c))
	}
	if s.Past != nil || s.Future != nil {
		f.Window = &store.Window{Past: orZero(s.Past), Future: orZero(s.Future)}
	}
	for i, c := range s.Calendars {
		found, p, err := findCalendar(v, c)
		if err != nil {
			return nil, "", err
		}
		if i == 0 {
			f.Org, f.Collection, name = found.Org, found.ID, p.Name
			continue
		}
		f.More = append(f.More, found.ID)
	}
	for _, x := range []struct {
		name   string
		source store.FeedSource
	}{{s.Group, store.FeedGroup}, {s.FreeBusy, store.FeedBusy}, {s.Hours, store.FeedHours}} {
		if x.name == "" {
			continue
		}
		p, err := findPrincipal(v, x.name)
		if err != nil {
			return nil, "", err
		}
		f.Org, f.Source, f.Principal, name = p.Org, x.source, p.ID, p.Name
	}
	return f, name, nil
}

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// shapeOf describes a feed.
func shapeOf(v *store.View, f *store.Feed) FeedShape {
	s := FeedShape{
		Show: f.Show.String(), Private: f.Private.String(), Components: f.Components, Title: f.Title, Description: f.Description,
		Zone: f.Zone, Color: f.Color, URL: f.URL,
	}
	if w := f.Window; w != nil {
		s.Past, s.Future = &w.Past, &w.Future
	}
	switch f.Source {
	case store.FeedCalendars:
		for _, id := range append([]store.CollectionID{f.Collection}, f.More...) {
			name := "?"
			if c, err := v.Collection(id); err == nil {
				name = nameOf(v, c.Owner) + "/" + c.Name
			}
			s.Calendars = append(s.Calendars, name)
		}
	case store.FeedGroup:
		s.Group = nameOf(v, f.Principal)
	case store.FeedBusy:
		s.FreeBusy = nameOf(v, f.Principal)
	case store.FeedHours:
		s.Hours = nameOf(v, f.Principal)
	}
	return s
}

// Shows tells in a few words what the feed shows.
func (s *FeedShape) Shows() string {
	switch {
	case s.Group != "":
		return "group " + s.Group
	case s.FreeBusy != "":
		return "busy time of " + s.FreeBusy
	case s.Hours != "":
		return "hours of " + s.Hours
	}
	return strings.Join(s.Calendars, ", ")
}

// CreateFeed asks for a feed.
type CreateFeed struct {
	FeedShape
	Name    string        `json:"name,omitempty"` // of the file in the address; "" for the principal's
	Refresh time.Duration `json:"refresh,omitempty"`
	Expires time.Time     `json:"expires,omitzero"`
	Secret  string        `json:"secret,omitempty"` // "" for a random one
}

// Feed is a feed; Path only when its secret is new.
type Feed struct {
	ID           string        `json:"id"`
	Organisation string        `json:"organisation,omitempty"`
	Name         string        `json:"name"`
	Refresh      time.Duration `json:"refresh,omitempty"`
	Created      time.Time     `json:"created"`
	Expires      time.Time     `json:"expires,omitzero"`
	LastUsed     time.Time     `json:"last_used,omitzero"`
	Rotated      time.Time     `json:"rotated,omitzero"`
	Path         string        `json:"path,omitempty"` // /feeds/SECRET/NAME.ics
	FeedShape
	Former  []time.Time `json:"former_secrets_until,omitempty"` // of feed.show
	Fetches []FeedFetch `json:"fetches,omitempty"`              // of feed.show
}

// FeedFetch sums up what one client fetched with one outcome.
type FeedFetch struct {
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	Client string    `json:"client"`
	Agent  string    `json:"agent"`
	Status int       `json:"status"`
	Form   string    `json:"form"`
	Bytes  int64     `json:"bytes"`
	Count  uint64    `json:"count"`
}

func createFeed(ctx context.Context, s *Service, req CreateFeed, _ *Stream) (Feed, error) {
	var out Feed
	if req.Secret == "" {
		req.Secret = store.NewSecret()
	}
	return out, s.Store.Update(ctx, func(tx *store.Tx) error {
		f, name, err := req.record(&tx.View)
		if err != nil {
			return err
		}
		f.Name, f.Refresh, f.Created, f.Expires = req.Name, req.Refresh, s.now(), req.Expires
		if f.Name == "" {
			f.Name = feedName(name)
		}
		if err := tx.PutFeed(f, req.Secret); err != nil {
			return err
		}
		out = feed(&tx.View, f)
		out.Path = feedPath(f, req.Secret)
		return nil
	})
}

func feedPath(f *store.Feed, secret string) string {
	return "/feeds/" + secret + "/" + f.Name + ".ics"
}

// feedName makes a principal's name fit for the end of an address.
func feedName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, s)
}

func feed(v *store.View, f *store.Feed) Feed {
	return Feed{
		ID: f.ID, Organisation: nameOf(v, f.Org), Name: f.Name, Refresh: f.Refresh, Created: f.Created, Expires: f.Expires,
		LastUsed: f.LastUsed, Rotated: f.Rotated, FeedShape: shapeOf(v, f),
	}
}

func listFeeds(ctx context.Context, s *Service, req OfOrganisation, _ *Stream) ([]Feed, error) {
	out := []Feed{}
	err := s.Store.View(ctx, func(v *store.View) error {
		return eachOrganisation(v, req.Organisation, func(org *store.Principal) error {
			all, err := v.Feeds(org.ID)
			for _, f := range all {
				out = append(out, feed(v, f))
			}
			return err
		})
	})
	return out, err
}

// findFeed finds a feed of whatever organisation by its id.
func findFeed(v *store.View, id string) (*store.Feed, error) {
	var found *store.Feed
	err := eachOrganisation(v, "", func(org *store.Principal) error {
		if f, err := v.Feed(org.ID, id); err == nil {
			found = f
		}
		return nil
	})
	if err == nil && found == nil {
		err = fmt.Errorf("feed %q: %w", id, store.ErrNotFound)
	}
	return found, err
}

func showFeed(ctx context.Context, s *Service, req ByID, _ *Stream) (Feed, error) {
	var out Feed
	return out, s.Store.View(ctx, func(v *store.View) error {
		f, err := findFeed(v, req.ID)
		if err != nil {
			return err
		}
		out = feed(v, f)
		if out.Former, err = v.FormerSecrets(f.Org, f.ID); err != nil {
			return err
		}
		fetches, err := v.Fetches(f.Org, f.ID)
		for _, x := range fetches {
			out.Fetches = append(out.Fetches, FeedFetch(x))
		}
		return err
	})
}

// RotateFeed asks for another secret of a feed.
type RotateFeed struct {
	ID     string        `json:"id"`
	Grace  time.Duration `json:"grace,omitempty"`  // that the present one is good for still
	Secret string        `json:"secret,omitempty"` // "" for a random one
}

func rotateFeed(ctx context.Context, s *Service, req RotateFeed, _ *Stream) (Feed, error) {
	var out Feed
	if req.Secret == "" {
		req.Secret = store.NewSecret()
	}
	return out, s.Store.Update(ctx, func(tx *store.Tx) error {
		f, err := findFeed(&tx.View, req.ID)
		if err != nil {
			return err
		}
		if f, err = tx.RotateFeed(f.Org, f.ID, req.Secret, req.Grace); err != nil {
			return err
		}
		out = feed(&tx.View, f)
		out.Path = feedPath(f, req.Secret)
		out.Former, err = tx.FormerSecrets(f.Org, f.ID)
		return err
	})
}

func revokeFeed(ctx context.Context, s *Service, req ByID, _ *Stream) (ByID, error) {
	return req, s.Store.Update(ctx, func(tx *store.Tx) error {
		f, err := findFeed(&tx.View, req.ID)
		if err != nil {
			return err
		}
		return tx.DeleteFeed(f.Org, f.ID)
	})
}
