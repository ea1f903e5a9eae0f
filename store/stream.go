package store

import (
	"bytes"
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/singleflight"

	"daybook/ical"
)

// StreamOptions says how a collection is rendered as one iCalendar stream.
type StreamOptions struct {
	Title   string        // NAME and X-WR-CALNAME; "": the collection's display name, or its owner's name
	Color   string        // COLOR (RFC 7986 §5.9), a CSS colour name; "": none
	Show    ical.Show     // how much is told
	Refresh time.Duration // REFRESH-INTERVAL (RFC 7986 §5.7); 0: none
	Key     []byte        // keys the opaque UIDs of ical.ShowBusy
}

// Stream is a collection as one iCalendar stream (a feed, or the answer to GET
// on a calendar collection). Making one reads a few small records; the text is
// rendered when it is asked for, and cached for as long as the collection's
// sync-token and the options stay the same.
type Stream struct {
	// ETag is the strong entity tag, without quotes. It is made of the
	// sync-token, the collection's properties and the options, so it lasts
	// over a restart.
	ETag string
	// Modified is the time of the last change of a member or property, in UTC.
	Modified time.Time
	// Skipped is, once rendered, the number of members that did not parse and
	// are left out.
	Skipped int

	store   *Store
	coll    *Collection
	key     streamKey
	feed    ical.FeedOptions
	size    uint64
	content *streamEntry
}

// streamVersion is part of every ETag; it moves when the rendering changes.
const streamVersion = "1"

// Stream gives the collection as a stream. It checks no right: whoever calls
// it has. ErrNotFound.
func (s *Store) Stream(ctx context.Context, c CollectionID, o StreamOptions) (*Stream, error) {
	var st *Stream
	err := s.View(ctx, func(v *View) (err error) {
		st, err = v.stream(c, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("stream: %w", err)
	}
	st.store = s
	return st, nil
}

// stream reads what a stream's validators are made of: the collection's
// record, its owner's, and the state.
func (v *View) stream(c CollectionID, o StreamOptions) (*Stream, error) {
	coll, err := v.Collection(c)
	if err != nil {
		return nil, err
	}
	owner, err := v.Principal(coll.Owner)
	if err != nil {
		return nil, err
	}
	state, err := v.State(c)
	if err != nil {
		return nil, err
	}
	title := o.Title
	if title == "" {
		title = streamTitle(coll, owner)
	}
	st := &Stream{Modified: latest(state.Modified, coll.Modified), coll: coll, size: state.Bytes}
	st.feed = ical.FeedOptions{
		Name: title, Description: coll.Description, Color: o.Color, Zone: v.shownZone(coll).Name(),
		Refresh: o.Refresh, Show: o.Show, UIDKey: o.Key,
		Now: st.Modified, // equal ETags stand for equal bytes, so the clock has no part in them
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%d\x00%d\x00%x\x00%q\x00%q\x00%q\x00%q", streamVersion, ical.TZDataVersion(),
		o.Show, o.Refresh, o.Key, title, coll.Description, o.Color, st.feed.Zone)
	st.key.collection = c
	h.Sum(st.key.options[:0])
	st.ETag = streamTag(v.Token(c, state), st.key.options)
	return st, nil
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

// streamTag digests the token and the options; the form is that of ETag.
func streamTag(t Token, options [sha256.Size]byte) string {
	b := append([]byte(nil), t.Epoch[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(t.Collection))
	b = binary.BigEndian.AppendUint64(b, t.Seq)
	b = append(b, options[:]...)
	sum := sha256.Sum256(b)
	return ETag(sum[:16]).String()
}

// Body gives the text. It is shared: not to be changed. The collection may
// have moved on since Stream; ETag and Modified are then set to those of the
// text, so they are to be read after Body.
func (st *Stream) Body(ctx context.Context) ([]byte, error) {
	e, err := st.render(ctx)
	if err != nil {
		return nil, err
	}
	return e.body, nil
}

// Gzip gives the text compressed (RFC 1952); otherwise like Body. It is
// another representation, so its entity tag must differ from ETag.
func (st *Stream) Gzip(ctx context.Context) ([]byte, error) {
	e, err := st.render(ctx)
	if err != nil {
		return nil, err
	}
	e.zip.Do(func() {
		e.gz, e.zipErr = compress(e.body)
		if e.zipErr == nil {
			st.store.streams.grown(e, len(e.gz))
		}
	})
	return e.gz, e.zipErr
}

func compress(text []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed+3)
	if err != nil {
		return nil, fmt.Errorf("compress a stream: %w", err)
	}
	_, err = z.Write(text)
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compress a stream: %w", err)
	}
	return bytes.Clone(b.Bytes()), nil
}

// render gives the cached text, or makes it. Many who ask for the same state at once
// wait for one of them; one who gives up does not stop the others.
func (st *Stream) render(ctx context.Context) (*streamEntry, error) {
	cache := &st.store.streams
	if st.content != nil {
		return st.content, nil
	}
	e := cache.get(st.key, st.ETag)
	if e == nil {
		ch := cache.flight.DoChan(st.ETag, func() (_ any, err error) {
			defer func() { // singleflight would end the process
				if cause := recover(); cause != nil {
					err = fmt.Errorf("render: panic: %v\n%s", cause, debug.Stack())
				}
			}()
			e, err := st.build(context.WithoutCancel(ctx))
			if err == nil {
				cache.put(st.key, e)
			}
			return e, err
		})
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("stream: %w", ctx.Err())
		case r := <-ch:
			if r.Err != nil {
				return nil, fmt.Errorf("stream: %w", r.Err)
			}
			e = r.Val.(*streamEntry)
		}
	}
	st.content, st.ETag, st.Modified, st.Skipped = e, e.etag, e.modified, e.skipped
	return e, nil
}

// build renders the collection as it is now, in one snapshot with the
// validators that the text gets.
func (st *Stream) build(ctx context.Context) (*streamEntry, error) {
	e := &streamEntry{}
	var b bytes.Buffer
	b.Grow(int(min(st.size+st.size/8, maxStreamGrow)))
	err := st.store.View(ctx, func(v *View) error {
		state, err := v.State(st.coll.ID)
		if err != nil {
			return err
		}
		e.etag = streamTag(v.Token(st.coll.ID, state), st.key.options)
		e.modified = latest(state.Modified, st.coll.Modified)
		feed := st.feed
		feed.Now = e.modified
		var failed error
		e.skipped, err = ical.Merge(&b, func(yield func([]byte) bool) {
			failed = v.eachData(st.coll.ID, yield)
		}, feed)
		if failed != nil {
			return failed
		}
		return err
	})
	e.body = b.Bytes()
	return e, err
}

const maxStreamGrow = 64 << 20 // what a wrong counter can make us set aside at most

// eachData yields the stored bytes of every member, in order of name. They are
// good until the next.
func (v *View) eachData(c CollectionID, yield func([]byte) bool) error {
	var failed error
	var data []byte
	err := v.EachMember(c, "", func(m Member) bool {
		data, failed = v.AppendData(data[:0], m.Object)
		return failed == nil && yield(data)
	})
	if err != nil {
		return err
	}
	return failed
}

// streamCacheBytes bounds what the cache of rendered streams holds.
const streamCacheBytes = 32 << 20

// streamKey names a rendering: a newer state of the same one takes its place.
type streamKey struct {
	collection CollectionID
	options    [sha256.Size]byte
}

// streamEntry is a rendered stream. body is set once; gz is made at the first
// wish, by zip.
type streamEntry struct {
	etag     string
	modified time.Time
	skipped  int
	body     []byte

	zip    sync.Once
	gz     []byte
	zipErr error

	key  streamKey
	size int // as counted in the cache
	at   *list.Element
}

// streamCache keeps rendered streams, the least recently used going first. The
// zero value is ready. An entry is never invalidated: its tag just stops
// matching.
type streamCache struct {
	flight singleflight.Group

	mu    sync.Mutex
	byKey map[streamKey]*streamEntry
	order list.List // front: most recently used
	bytes int
}

// get finds the rendering of exactly this state.
func (c *streamCache) get(key streamKey, etag string) *streamEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil || e.etag != etag {
		return nil
	}
	c.order.MoveToFront(e.at)
	return e
}

// put keeps a rendering in place of an older one.
func (c *streamCache) put(key streamKey, e *streamEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.byKey[key]; old != nil {
		c.drop(old)
	}
	e.key, e.size = key, len(e.body)
	if e.size > streamCacheBytes {
		return
	}
	if c.byKey == nil {
		c.byKey = map[streamKey]*streamEntry{}
	}
	c.byKey[key] = e
	e.at = c.order.PushFront(e)
	c.bytes += e.size
	c.trim()
}

// grown counts the compressed form of an entry that may be in the cache.
func (c *streamCache) grown(e *streamEntry, by int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[e.key] != e {
		return
	}
	e.size += by
	c.bytes += by
	c.trim()
}

func (c *streamCache) trim() {
	for c.bytes > streamCacheBytes {
		c.drop(c.order.Back().Value.(*streamEntry))
	}
}

func (c *streamCache) drop(e *streamEntry) {
	c.order.Remove(e.at)
	delete(c.byKey, e.key)
	c.bytes -= e.size
}
