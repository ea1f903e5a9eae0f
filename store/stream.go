package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// StreamOptions says how collections are rendered as one iCalendar stream.
type StreamOptions struct {
	Title       string        // NAME and X-WR-CALNAME; "": the first collection's display name, or its owner's name
	Description string        // "": that of the first collection
	Color       string        // COLOR (RFC 7986 §5.9), a CSS colour name; "": none
	Zone        string        // X-WR-TIMEZONE, and where days begin; "": that of the first collection
	Source, URL string        // SOURCE and URL (RFC 7986 §5.8, §5.5)
	Refresh     time.Duration // REFRESH-INTERVAL (RFC 7986 §5.7); 0: none
	Show        ical.Show     // how much is told
	Private     ical.Private  // how much of objects that are not public
	Key         []byte        // keys opaque UIDs
	Components  []string      // kinds of components; empty: all
	Window      *Window       // objects with an instance in these days; nil: all
	Removed     bool          // shows what was removed lately as cancelled
	Hours       PrincipalID   // shows the opening hours of this principal instead of the collections' members
	Modified    time.Time     // of the options themselves
}

// Window is the days around the present one, by the stream's zone.
type Window struct {
	Past   int `cbor:"1,keyasint"`
	Future int `cbor:"2,keyasint"`
}

// span gives the window's days around today, midnight to midnight; today's is
// the last of Past and the first of Future.
func (w Window) span(today time.Time, zone *ical.Zone) span.Span {
	return span.Span{
		Start: zone.Instant(today.AddDate(0, 0, -w.Past)),
		End:   zone.Instant(today.AddDate(0, 0, w.Future+1)),
	}
}

// Stream is collections as one iCalendar stream (a feed, or the answer to GET
// on a calendar collection). Making one reads a few small records; the text is
// rendered when it is asked for, and cached for as long as the sync-tokens and
// the options stay the same.
//
// A stream that has a window, or shows what was removed, is of a day: it
// changes at midnight, by its zone, and not before unless a token does.
type Stream struct {
	// ETag is the strong entity tag, without quotes. It is made of the
	// sync-tokens, the collections' properties, the options and the day, so it
	// lasts over a restart.
	ETag string
	// Modified is the time of the last change of a member, property, option or
	// day, in UTC.
	Modified time.Time
	// Today is midnight of the present day by Zone, as if it were UTC.
	Today time.Time
	Zone  *ical.Zone
	// Skipped is, once rendered, the number of members that did not parse and
	// are left out.
	Skipped int

	store   *Store
	ids     []CollectionID
	options StreamOptions
	key     streamKey
	content *streamEntry
}

// streamVersion is part of every ETag; it moves when the rendering changes.
const streamVersion = "3"

// MaxStreamCollections bounds how many collections one stream shows.
const MaxStreamCollections = 1000

// Stream gives the collection as a stream. It checks no right: whoever calls
// it has. ErrNotFound.
func (s *Store) Stream(ctx context.Context, c CollectionID, o StreamOptions) (*Stream, error) {
	var st *Stream
	err := s.View(ctx, func(v *View) (err error) {
		st, err = v.Stream([]CollectionID{c}, o)
		return err
	})
	return st, err
}

// Stream gives collections, at least one, as one stream; those after the first
// that are no more are left out. It may be used after the View. It checks no
// right. ErrNotFound.
func (v *View) Stream(ids []CollectionID, o StreamOptions) (*Stream, error) {
	p, err := v.streamPlan(ids, o)
	if err != nil {
		return nil, fmt.Errorf("stream: %w", err)
	}
	return &Stream{
		ETag: p.etag, Modified: p.modified, Today: p.today, Zone: p.zone,
		store: v.s, ids: slices.Clone(ids), options: o, key: p.key,
	}, nil
}

// streamPlan is what a stream is made of, in one snapshot.
type streamPlan struct {
	options     StreamOptions
	collections []*Collection
	states      []State
	key         streamKey
	etag        string
	modified    time.Time
	zone        *ical.Zone
	today       time.Time
	feed        ical.FeedOptions
}

// streamPlan reads what a stream's validators are made of: the collections'
// records and states, and the first's owner.
func (v *View) streamPlan(ids []CollectionID, o StreamOptions) (*streamPlan, error) {
	if len(ids) == 0 || len(ids) > MaxStreamCollections {
		return nil, fmt.Errorf("%w: a stream shows 1 to %d collections", ErrInvalid, MaxStreamCollections)
	}
	p := &streamPlan{options: o, modified: o.Modified}
	for i, id := range ids {
		c, err := v.Collection(id)
		if err != nil && i > 0 {
			continue
		}
		if err != nil {
			return nil, err
		}
		state, err := v.State(id)
		if err != nil {
			return nil, err
		}
		p.collections, p.states = append(p.collections, c), append(p.states, state)
		p.modified = latest(latest(p.modified, state.Modified), c.Modified)
	}
	owner, err := v.Principal(p.collections[0].Owner)
	if err != nil {
		return nil, err
	}
	p.describe(v, owner)
	p.validate(v)
	return p, nil
}

// describe fills in what the options leave to the first collection.
func (p *streamPlan) describe(v *View, owner *Principal) {
	first, o := p.collections[0], &p.options
	if o.Title == "" {
		o.Title = streamTitle(first, owner)
	}
	if o.Description == "" {
		o.Description = first.Description
	}
	if p.zone = ical.LookupZone(o.Zone); o.Zone == "" || p.zone == nil {
		p.zone = v.shownZone(first)
	}
	y, m, d := p.zone.Wall(v.s.now()).Date()
	p.today = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	p.feed = ical.FeedOptions{
		Name: o.Title, Description: o.Description, Color: o.Color, Zone: p.zone.Name(), Source: o.Source, URL: o.URL,
		Refresh: o.Refresh, Show: o.Show, Private: o.Private, UIDKey: o.Key,
	}
}

// validate makes the tag. The clock has no part in it but by its day, and that
// only where the text depends on the day: equal tags stand for equal bytes.
func (p *streamPlan) validate(v *View) {
	o := &p.options
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%d\x00%d\x00%d\x00%x\x00%q\x00%q\x00%q\x00%q\x00%q\x00%q\x00%q\x00%t\x00%d\x00%d", streamVersion,
		ical.TZDataVersion(), o.Show, o.Private, o.Refresh, o.Key, o.Title, o.Description, o.Color, p.zone.Name(), o.Source, o.URL,
		o.Components, o.Removed, o.Hours, len(p.collections))
	if w := o.Window; w != nil {
		fmt.Fprintf(h, "\x00%d\x00%d", w.Past, w.Future)
	}
	p.key.collection = p.collections[0].ID
	h.Sum(p.key.options[:0])
	b := append([]byte(nil), p.key.options[:]...)
	daily := o.Window != nil || o.Hours != 0
	for i, c := range p.collections {
		t := v.Token(c.ID, p.states[i])
		b = append(b, t.Epoch[:]...)
		b = binary.BigEndian.AppendUint32(b, uint32(t.Collection))
		b = binary.BigEndian.AppendUint64(b, t.Seq)
		b = binary.BigEndian.AppendUint64(b, uint64(c.Modified.UnixMicro()))
		if gone := p.states[i].Removed; o.Removed && !gone.IsZero() {
			daily = daily || !gone.Before(p.removedSince(v))
			// The midnight from which it is not shown any more was a change.
			if end := p.midnightAfter(gone.Add(v.s.opt.KeepRemoved)); !end.After(v.s.now()) {
				p.modified = latest(p.modified, end)
			}
		}
	}
	if daily {
		b = append(b, p.today.Format(time.DateOnly)...)
		p.modified = latest(p.modified, p.zone.Instant(p.today))
	}
	p.feed.Now = p.modified
	sum := sha256.Sum256(b)
	p.etag = ETag(sum[:16]).String()
}

func (p *streamPlan) midnightAfter(t time.Time) time.Time {
	y, m, d := p.zone.Wall(t).Date()
	return p.zone.Instant(time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC))
}

// removedSince is when an object must have been removed to be shown still.
func (p *streamPlan) removedSince(v *View) time.Time {
	return p.zone.Instant(p.today).Add(-v.s.opt.KeepRemoved)
}

func streamTitle(c *Collection, owner *Principal) string {
	switch {
	case c.DisplayName != "":
		return c.DisplayName
	case owner.DisplayName != "":
		return owner.DisplayName
	}
	return owner.Name
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		a = b
	}
	return a.UTC()
}
