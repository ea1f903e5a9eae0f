package store

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"time"

	"daybook/ical"
)

// Feeds: records under the hash of their secret. A feed that got another
// secret is found by the former one too, for as long as was asked for.

// Bounds of a feed's record.
const (
	maxFeedTitle   = 1000
	maxFeedText    = 4000
	maxFeedURL     = 2000
	maxFeedDays    = 36_500
	maxFeedSources = 100
	maxFeedRefresh = 366 * 24 * time.Hour
	// MaxFeedGrace is the longest time that a former secret is good for.
	MaxFeedGrace = 366 * 24 * time.Hour
)

func feedKey(secret string) key { return newKey(tableFeeds).bytes(hashSecret(secret)) }
func feedIDKey(org PrincipalID, id string) key {
	return newKey(tableFeedIDs).principal(org).text(id)
}

func fetchesKey(org PrincipalID, id string) key {
	return newKey(tableFetches).principal(org).text(id)
}

// formerSecret is a secret that a feed had.
type formerSecret struct {
	Org   PrincipalID `cbor:"1,keyasint"`
	ID    string      `cbor:"2,keyasint"`
	Until time.Time   `cbor:"3,keyasint"`
}

var credentialText = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func checkFeedSecret(secret string) error {
	if len(secret) < minSecret || len(secret) > 128 || !credentialText.MatchString(secret) {
		return fmt.Errorf("%w: a feed's secret has %d to 128 letters, digits, - and _", ErrInvalid, minSecret)
	}
	return nil
}

// PutFeed stores a feed under its secret (at least 12 bytes of URL-safe text),
// in place of one with the same secret. ID, Key, Modified and the facts of its
// use are set. ErrInvalid, ErrNotFound, ErrExists.
func (tx *Tx) PutFeed(f *Feed, secret string) error {
	if err := checkFeedSecret(secret); err != nil {
		return err
	}
	if err := tx.checkFeed(f); err != nil {
		return err
	}
	k := feedKey(secret)
	f.ID = hex.EncodeToString(k[1:7])
	if b := tx.get(k); b != nil {
		old := &Feed{}
		if err := decodeRecord(b, old); err != nil {
			return err
		}
		if old.Org != f.Org {
			return fmt.Errorf("feed: %w", ErrExists)
		}
		f.keep(old)
	} else if tx.get(newKey(tableFeedOld).bytes(k[1:])) != nil {
		return fmt.Errorf("feed: %w: a secret is not used again", ErrExists)
	}
	if f.Created.IsZero() {
		f.Created = tx.now
	}
	if len(f.Key) == 0 {
		f.Key = make([]byte, 32)
		_, _ = rand.Read(f.Key)
	}
	if other := tx.get(feedIDKey(f.Org, f.ID)); other != nil && !bytes.Equal(other, k[1:]) {
		return fmt.Errorf("feed %q: %w: take another secret", f.ID, ErrExists)
	}
	if record := encodeRecord(f); !bytes.Equal(record, tx.get(k)) {
		tx.noteFeed(createdUnless(tx.get(k) != nil), f, tx.feedOwner(f))
		f.Modified = tx.now
		tx.put(k, encodeRecord(f))
	}
	tx.put(feedIDKey(f.Org, f.ID), k[1:])
	return nil
}

// feedOwner is whose administrators hear of a feed: the owner of what it shows,
// or the organisation.
func (v *View) feedOwner(f *Feed) PrincipalID {
	if f.Source == FeedCalendars {
		if c, err := v.collection(f.Collection); err == nil {
			return c.Owner
		}
		return f.Org // the calendar is gone
	}
	if p, err := v.principal(f.Principal); err == nil && p.Kind != KindGroup {
		return p.ID
	}
	return f.Org
}

// keep takes over what a change of a feed leaves alone.
func (f *Feed) keep(old *Feed) {
	f.ID, f.Created, f.Modified, f.LastUsed, f.Key, f.Rotated = old.ID, old.Created, old.Modified, old.LastUsed, old.Key, old.Rotated
}

// UpdateFeed changes a feed, found by Org and ID, and leaves its secret alone.
// ErrInvalid, ErrNotFound.
func (tx *Tx) UpdateFeed(f *Feed) error {
	old, hash, err := tx.feed(f.Org, f.ID)
	if err != nil {
		return err
	}
	if err := tx.checkFeed(f); err != nil {
		return err
	}
	if f.keep(old); !bytes.Equal(encodeRecord(f), encodeRecord(old)) {
		tx.noteFeed(OpChanged, f, tx.feedOwner(f))
		f.Modified = tx.now
		tx.put(newKey(tableFeeds).bytes(hash), encodeRecord(f))
	}
	return nil
}

// RotateFeed gives a feed another secret. The one that it had is good for the
// grace still; those before it as long as they were. ErrInvalid, ErrNotFound,
// ErrExists.
func (tx *Tx) RotateFeed(org PrincipalID, id, secret string, grace time.Duration) (*Feed, error) {
	f, hash, err := tx.feed(org, id)
	if err != nil {
		return nil, err
	}
	if err := checkFeedSecret(secret); err != nil {
		return nil, err
	}
	if grace < 0 || grace > MaxFeedGrace {
		return nil, fmt.Errorf("%w: a former secret is good for 0 to %d days", ErrInvalid, MaxFeedGrace/(24*time.Hour))
	}
	k := feedKey(secret)
	if tx.get(k) != nil || tx.get(newKey(tableFeedOld).bytes(k[1:])) != nil {
		return nil, fmt.Errorf("feed: %w: a secret is not used again", ErrExists)
	}
	tx.del(newKey(tableFeeds).bytes(hash))
	if grace > 0 {
		tx.put(newKey(tableFeedOld).bytes(hash), encodeRecord(formerSecret{org, id, tx.now.Add(grace)}))
	}
	f.Rotated = tx.now
	tx.noteFeed(OpChanged, f, tx.feedOwner(f))
	tx.put(k, encodeRecord(f))
	tx.put(feedIDKey(org, id), k[1:])
	return f, nil
}

// checkFeed checks the record, and that all that it shows is of its
// organisation.
func (tx *Tx) checkFeed(f *Feed) error {
	if err := errors.Join(checkName(f.Name), f.check()); err != nil {
		return err
	}
	if f.Source == FeedCalendars {
		for _, id := range f.collections() {
			if c, err := tx.collection(id); err != nil || c.Org != f.Org {
				return fmt.Errorf("collection %d: %w", id, ErrNotFound)
			}
		}
		return nil
	}
	p, err := tx.principal(f.Principal)
	if err != nil || p.Org != f.Org {
		return fmt.Errorf("principal %d: %w", f.Principal, ErrNotFound)
	}
	switch {
	case f.Source == FeedGroup && p.Kind != KindGroup:
		return badField("group", "%q is no group", p.Name)
	case f.Source == FeedHours && !p.Kind.Resource() && p.Kind != KindOrganisation:
		return badField("hours", "a %s has no opening hours", p.Kind)
	case f.Source == FeedBusy && p.Kind == KindGroup:
		return badField("free_busy", "a group has no time of its own: show the group itself")
	}
	return nil
}

func (f *Feed) check() error {
	switch {
	case f.Source > FeedHours || f.Show > ical.ShowBusy || f.Private > ical.PrivateHidden:
		return badField("show", "a feed with an unknown source or show")
	case len(f.Title) > maxFeedTitle:
		return badField("title", "a feed's title has at most %d bytes", maxFeedTitle)
	case len(f.Description) > maxFeedText:
		return badField("description", "a feed's description has at most %d bytes", maxFeedText)
	case len(f.More) >= maxFeedSources:
		return badField("calendars", "a feed shows at most %d calendars", maxFeedSources)
	case f.Source != FeedCalendars && (f.Collection != 0 || len(f.More) > 0), f.Source == FeedCalendars && f.Principal != 0:
		return badField("calendars", "a feed shows either calendars or a principal")
	case f.Window != nil && (f.Window.Past < 0 || f.Window.Future < 0 || max(f.Window.Past, f.Window.Future) > maxFeedDays):
		return badField("window", "the window of a feed has 0 to %d days to each side", maxFeedDays)
	case f.Refresh < 0 || f.Refresh > maxFeedRefresh:
		return badField("refresh", "a feed is refreshed after at most %d hours", maxFeedRefresh/time.Hour)
	case f.Zone != "" && ical.LookupZone(f.Zone) == nil:
		return badField("zone", "zone %q is not known", f.Zone)
	case f.Color != "" && !hexColor.MatchString(f.Color):
		return badField("color", "color %q is not of the form #RRGGBB", f.Color)
	}
	if u, err := url.Parse(f.URL); err != nil || f.URL != "" && (u.Scheme != "https" && u.Scheme != "http" || u.Host == "") || len(f.URL) > maxFeedURL {
		return badField("page_url", "the page of a feed is an address with http or https")
	}
	for _, k := range f.Components {
		if kindCode(k) == 0 {
			return badField("components", "component %q is not known", k)
		}
	}
	return nil
}

var hexColor = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

func (f *Feed) collections() []CollectionID {
	return append([]CollectionID{f.Collection}, f.More...)
}

// feed finds a feed and the hash that it is under.
func (v *View) feed(org PrincipalID, id string) (*Feed, []byte, error) {
	hash := bytes.Clone(v.get(feedIDKey(org, id)))
	b := v.get(newKey(tableFeeds).bytes(hash))
	if hash == nil || b == nil || id == "" {
		return nil, nil, fmt.Errorf("feed %q: %w", id, ErrNotFound)
	}
	f := &Feed{}
	return f, hash, decodeRecord(b, f)
}

// Feed finds a feed by its public handle, also one that has expired;
// ErrNotFound.
func (v *View) Feed(org PrincipalID, id string) (*Feed, error) {
	f, _, err := v.feed(org, id)
	return f, err
}

// DeleteFeed revokes a feed, with its former secrets. ErrNotFound.
func (tx *Tx) DeleteFeed(org PrincipalID, id string) error {
	f, hash, err := tx.feed(org, id)
	if f == nil {
		return err
	}
	if err == nil { // one that cannot be read is revoked all the same
		tx.noteFeed(OpDeleted, f, tx.feedOwner(f))
	}
	tx.del(newKey(tableFeeds).bytes(hash))
	tx.del(feedIDKey(org, id))
	tx.del(fetchesKey(org, id))
	return tx.eachFormer(func(k key, s *formerSecret) {
		if s.Org == org && s.ID == id {
			tx.del(k)
		}
	})
}

// eachFormer calls fn for each former secret, that is, for few.
func (tx *Tx) eachFormer(fn func(key, *formerSecret)) error {
	for _, k := range tx.keys(newKey(tableFeedOld)) {
		s := &formerSecret{}
		if err := decodeRecord(tx.get(k), s); err != nil {
			return err
		}
		fn(k, s)
	}
	return nil
}

// dropFeeds takes a collection that goes out of the feeds, and those that
// showed nothing else with it.
func (tx *Tx) dropFeeds(c *Collection) error {
	return tx.eachFeed(c.Org, func(f *Feed) error {
		if f.Source != FeedCalendars || !slices.Contains(f.collections(), c.ID) {
			return nil
		}
		left := slices.DeleteFunc(f.collections(), func(id CollectionID) bool { return id == c.ID })
		if len(left) == 0 {
			return tx.DeleteFeed(c.Org, f.ID)
		}
		f.Collection, f.More, f.Modified = left[0], left[1:], tx.now
		tx.noteFeed(OpChanged, f, tx.feedOwner(f))
		tx.put(newKey(tableFeeds).bytes(bytes.Clone(tx.get(feedIDKey(f.Org, f.ID)))), encodeRecord(f))
		return nil
	})
}

// dropFeedsOf revokes the feeds that show a principal that goes.
func (tx *Tx) dropFeedsOf(p *Principal) error {
	return tx.eachFeed(p.Org, func(f *Feed) error {
		if f.Source == FeedCalendars || f.Principal != p.ID {
			return nil
		}
		return tx.DeleteFeed(p.Org, f.ID)
	})
}

func (tx *Tx) eachFeed(org PrincipalID, fn func(*Feed) error) error {
	feeds, err := tx.Feeds(org)
	if err != nil {
		return err
	}
	for _, f := range feeds {
		if err := fn(f); err != nil {
			return err
		}
	}
	return nil
}

// Feeds gives those of an organisation (0: all), by ID.
func (v *View) Feeds(org PrincipalID) ([]*Feed, error) {
	from := newKey(tableFeedIDs)
	if org != 0 {
		from = from.principal(org)
	}
	var hashes [][]byte
	v.r.Scan(from, from.after(), func(_, hash []byte) bool {
		hashes = append(hashes, bytes.Clone(hash))
		return true
	})
	out := make([]*Feed, 0, len(hashes))
	for _, hash := range hashes {
		f := &Feed{}
		if err := decodeRecord(v.get(newKey(tableFeeds).bytes(hash)), f); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// hasFeeds reports whether an organisation has any.
func (v *View) hasFeeds(org PrincipalID) bool {
	return len(v.someKeys(newKey(tableFeedIDs).principal(org), 1)) > 0
}

// FeedBySecret finds an unexpired feed by its secret or one that it had before
// and that is good still; ErrNotFound.
func (v *View) FeedBySecret(secret string) (*Feed, error) {
	missing := fmt.Errorf("feed: %w", ErrNotFound)
	f := &Feed{}
	k := feedKey(secret)
	if b := v.get(k); b != nil {
		if err := decodeRecord(b, f); err != nil {
			return nil, err
		}
	} else {
		b := v.get(newKey(tableFeedOld).bytes(k[1:]))
		if b == nil {
			return nil, missing
		}
		var s formerSecret
		if err := decodeRecord(b, &s); err != nil {
			return nil, err
		}
		var err error
		if f, err = v.Feed(s.Org, s.ID); err != nil || !s.Until.After(v.s.now()) {
			return nil, missing
		}
	}
	if !f.Expires.IsZero() && !f.Expires.After(v.s.now()) {
		return nil, missing
	}
	return f, nil
}

// FormerSecrets gives until when the former secrets of a feed are good.
func (v *View) FormerSecrets(org PrincipalID, id string) ([]time.Time, error) {
	var out []time.Time
	var failed error
	v.scan(tableFeedOld, func(_, b []byte) {
		var s formerSecret
		if err := decodeRecord(b, &s); err != nil {
			failed = err
		}
		if s.Org == org && s.ID == id && s.Until.After(v.s.now()) {
			out = append(out, s.Until)
		}
	})
	slices.SortFunc(out, time.Time.Compare)
	return out, failed
}

// FeedCollections gives the collections that a feed shows, or for FeedHours
// those that it is computed from; ErrNotFound when nothing is left to show.
func (v *View) FeedCollections(f *Feed) ([]CollectionID, error) {
	if f.Source == FeedCalendars {
		return f.collections(), nil
	}
	p, err := v.principal(f.Principal)
	if err != nil {
		return nil, fmt.Errorf("feed %q: %w", f.ID, err)
	}
	var out []CollectionID
	own := func(id PrincipalID) {
		if c, err := v.Calendar(id); err == nil {
			out = append(out, c.ID)
		}
	}
	switch {
	case f.Source == FeedGroup:
		for _, id := range p.Members {
			if m, err := v.PrincipalByUUID(id); err == nil && m.Org == f.Org && m.Kind.Resource() {
				own(m.ID)
			}
		}
	case p.Kind == KindUser:
		all, err := v.Collections(p.ID)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			if !c.Transparent {
				out = append(out, c.ID)
			}
		}
	default:
		own(p.ID)
		if p.Org != p.ID { // whose calendar takes time from all its resources, and closes them
			own(p.Org)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("feed %q shows nothing: %w", f.ID, ErrNotFound)
	}
	return out[:min(len(out), MaxStreamCollections)], nil
}

// FeedStream gives the stream that a feed serves; color is a CSS name and
// source its address, each "" for none. ErrNotFound.
func (v *View) FeedStream(f *Feed, color, source string) (*Stream, error) {
	ids, err := v.FeedCollections(f)
	if err != nil {
		return nil, err
	}
	o := StreamOptions{
		Title: f.Title, Description: f.Description, Color: color, Zone: f.Zone, Source: source, URL: f.URL, Refresh: f.Refresh,
		Show: f.Show, Private: f.Private, Key: f.Key, Components: f.Components, Window: f.Window, Modified: f.Modified,
		Removed: f.Show != ical.ShowBusy && f.Source != FeedBusy,
	}
	switch f.Source {
	case FeedCalendars:
	case FeedBusy:
		o.Show = ical.ShowBusy
	case FeedHours:
		o.Hours, o.Removed, o.Show, o.Private = f.Principal, false, ical.ShowFull, ical.PrivateShown
	case FeedGroup:
	}
	if o.Title == "" && (len(ids) > 1 || f.Source != FeedCalendars) {
		o.Title = f.Name
		if p, err := v.principal(f.Principal); err == nil && f.Source != FeedCalendars {
			o.Title = cmp.Or(p.DisplayName, p.Name)
		}
	}
	return v.Stream(ids, o)
}

// pruneFeeds removes what has expired.
func (tx *Tx) pruneFeeds(dropped *int) error {
	err := tx.eachFeed(0, func(f *Feed) error {
		if f.Expires.IsZero() || f.Expires.After(tx.now) {
			return nil
		}
		*dropped++
		return tx.DeleteFeed(f.Org, f.ID)
	})
	if err != nil {
		return err
	}
	return tx.eachFormer(func(k key, s *formerSecret) {
		if !s.Until.After(tx.now) {
			tx.del(k)
			*dropped++
		}
	})
}
