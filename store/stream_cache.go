package store

import (
	"bytes"
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/singleflight"

	"daybook/ical"
)

// Coding is how a stream's text is compressed (RFC 9110 §8.4.1).
type Coding uint8

// The codings.
const (
	CodingNone Coding = iota
	CodingGzip        // RFC 1952
	CodingZstd        // RFC 8878
)

// Content is a rendered text in one coding: parts that follow one another.
// They are shared: not to be changed.
type Content struct {
	Parts [][]byte
	Size  int64
}

func contentOf(parts ...[]byte) Content {
	c := Content{Parts: parts}
	for _, p := range parts {
		c.Size += int64(len(p))
	}
	return c
}

// Bytes joins the parts.
func (c Content) Bytes() []byte { return bytes.Join(c.Parts, nil) }

// Content gives the text. The collections may have moved on since Stream; ETag
// and Modified are then set to those of the text, so they are to be read after
// it. The codings of one text are representations of their own, whose entity
// tags must differ (RFC 9110 §8.8.3.3).
func (st *Stream) Content(ctx context.Context, c Coding) (Content, error) {
	e, err := st.render(ctx)
	if err != nil {
		return Content{}, err
	}
	return st.store.streams.coded(e, &e.text, c, e.parts)
}

// Derived gives another form of the text, such as JSON, which write makes of
// it; it is cached as the text itself is, by the name of the form.
func (st *Stream) Derived(ctx context.Context, form string, c Coding, write func(*StreamText) ([]byte, error)) (Content, error) {
	e, err := st.render(ctx)
	if err != nil {
		return Content{}, err
	}
	d := e.form(form)
	d.once.Do(func() {
		d.err = errDerived // stays after a panic
		d.body, d.err = write(&StreamText{e})
		if d.err == nil {
			st.store.streams.grown(e, int64(len(d.body)))
		}
	})
	if d.err != nil {
		e.forget(form) // the next may have more luck
		return Content{}, d.err
	}
	return st.store.streams.coded(e, &d.text, c, func() [][]byte { return [][]byte{d.body} })
}

var errDerived = errors.New("stream: another form could not be made")

// StreamText is a rendered text, object by object.
type StreamText struct{ e *streamEntry }

// Head gives the VCALENDAR of the stream without its objects: properties and
// time zones.
func (t *StreamText) Head() []byte {
	return append(bytes.Clone(t.e.head), ical.FeedTail...)
}

// Each calls fn with the components of each object, until it gives an error.
func (t *StreamText) Each(fn func(components []byte) error) error {
	for _, s := range t.e.segments {
		from := uint32(0)
		for i := range s.items {
			to := s.items[i].end
			if to > from {
				if err := fn(s.raw[from:to]); err != nil {
					return err
				}
			}
			from = to
		}
	}
	return nil
}

// render gives the cached text, or makes it. Many who ask for the same state at
// once wait for one of them; one who gives up does not stop the others.
func (st *Stream) render(ctx context.Context) (*streamEntry, error) {
	cache := &st.store.streams
	if st.content != nil {
		return st.content, nil
	}
	e := cache.get(st.key)
	if e == nil || e.etag != st.ETag {
		old := e
		ch := cache.flight.DoChan(st.ETag, func() (_ any, err error) {
			defer func() { // singleflight would end the process
				if cause := recover(); cause != nil {
					err = fmt.Errorf("render: panic: %v\n%s", cause, debug.Stack())
				}
			}()
			e, err := st.build(context.WithoutCancel(ctx), old)
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

// streamKey names a rendering: a newer state of the same one takes its place.
type streamKey struct {
	collection CollectionID
	options    [sha256.Size]byte
}

// streamEntry is a rendered stream.
type streamEntry struct {
	etag     string
	modified time.Time
	skipped  int
	head     []byte
	segments []*segment
	bytes    int64
	text     text

	mu    sync.Mutex
	forms map[string]*derived

	key  streamKey
	size int64 // as counted in the cache
	used time.Time
	at   *list.Element
}

// derived is another form of a stream.
type derived struct {
	once sync.Once
	body []byte
	err  error
	text text
}

// text has the codings of one text, each made when it is first asked for.
type text struct {
	once   [CodingZstd + 1]sync.Once
	coded  [CodingZstd + 1]Content
	failed [CodingZstd + 1]error
}

func (e *streamEntry) count(broken bool) {
	if broken {
		e.skipped++
	}
}

// finish closes a rendering.
func (e *streamEntry) finish(head []byte) {
	e.head = head
	e.bytes = int64(len(head) + len(ical.FeedTail))
	for _, s := range e.segments {
		e.bytes += int64(len(s.raw))
	}
}

// smallStream is up to where a text is one part: few writes for few bytes.
const smallStream = 64 << 10

// parts gives the pieces of the text.
func (e *streamEntry) parts() [][]byte {
	parts := make([][]byte, 0, len(e.segments)+2)
	parts = append(parts, e.head)
	for _, s := range e.segments {
		parts = append(parts, s.raw)
	}
	return append(parts, []byte(ical.FeedTail))
}

func (e *streamEntry) form(name string) *derived {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.forms == nil {
		e.forms = map[string]*derived{}
	}
	d := e.forms[name]
	if d == nil {
		d = &derived{}
		e.forms[name] = d
	}
	return d
}

func (e *streamEntry) forget(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.forms, name)
}

// weight is what an entry holds, with what its segments have compressed before.
func (e *streamEntry) weight() int64 {
	n := e.bytes
	for _, s := range e.segments {
		n += int64(len(s.items))*64 + s.deflated.size() + s.zstd.size()
	}
	return n
}

// packed is a compressed form that is made once.
type packed struct {
	once sync.Once
	b    atomic.Pointer[[]byte]
	err  error
}

func (p *packed) size() int64 {
	if b := p.b.Load(); b != nil {
		return int64(len(*b))
	}
	return 0
}

func (p *packed) get(pack func() ([]byte, error)) ([]byte, error) {
	p.once.Do(func() {
		var b []byte
		b, p.err = pack()
		p.b.Store(&b)
	})
	return *p.b.Load(), p.err
}

// coded gives a text in a coding.
func (c *streamCache) coded(e *streamEntry, t *text, coding Coding, parts func() [][]byte) (Content, error) {
	t.once[coding].Do(func() {
		raw := contentOf(parts()...)
		if raw.Size <= smallStream {
			raw = contentOf(raw.Bytes())
		}
		switch coding {
		case CodingGzip:
			t.coded[coding], t.failed[coding] = c.gzip(e, raw)
		case CodingZstd:
			t.coded[coding], t.failed[coding] = c.zstd(e, raw)
		case CodingNone:
			t.coded[coding] = raw
			return
		}
		c.grown(e, t.coded[coding].Size)
	})
	return t.coded[coding], t.failed[coding]
}

// Compress gives a text in a coding; nothing of it is kept.
func (s *Store) Compress(b []byte, c Coding) (Content, error) {
	var t text
	return s.streams.coded(&streamEntry{}, &t, c, func() [][]byte { return [][]byte{b} })
}

// gzipHead is the header of a member without name and time (RFC 1952 §2.3).
const gzipHead = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

// gzip writes one member. Each part is compressed by itself and ends at an
// octet's boundary, so that those of segments can be used again.
func (c *streamCache) gzip(e *streamEntry, raw Content) (Content, error) {
	out := make([][]byte, 0, len(raw.Parts)+2)
	out = append(out, []byte(gzipHead))
	sum := uint32(0)
	for i, part := range raw.Parts {
		sum = crc32.Update(sum, crc32.IEEETable, part)
		b, err := e.segmentOf(i, part, (*segment).flate).get(func() ([]byte, error) { return c.deflate(part) })
		if err != nil {
			return Content{}, err
		}
		out = append(out, b)
	}
	end := []byte{0x01, 0x00, 0x00, 0xff, 0xff} // an empty last block, stored (RFC 1951 §3.2.4)
	end = binary.LittleEndian.AppendUint32(end, sum)
	end = binary.LittleEndian.AppendUint32(end, uint32(raw.Size))
	return contentOf(append(out, end)...), nil
}

// zstd writes a frame for each part; a decoder joins them (RFC 8878 §3).
func (c *streamCache) zstd(e *streamEntry, raw Content) (Content, error) {
	enc, err := c.encoder()
	if err != nil {
		return Content{}, err
	}
	out := make([][]byte, 0, len(raw.Parts))
	for i, part := range raw.Parts {
		b, err := e.segmentOf(i, part, (*segment).frame).get(func() ([]byte, error) {
			return bytes.Clone(enc.EncodeAll(part, nil)), nil
		})
		if err != nil {
			return Content{}, err
		}
		out = append(out, b)
	}
	return contentOf(out...), nil
}

func (s *segment) flate() *packed { return &s.deflated }
func (s *segment) frame() *packed { return &s.zstd }

// segmentOf gives where the compressed form of a part is kept: with its
// segment, if it is one.
func (e *streamEntry) segmentOf(i int, part []byte, form func(*segment) *packed) *packed {
	if i >= 1 && i <= len(e.segments) {
		if s := e.segments[i-1]; len(s.raw) == len(part) && len(part) > 0 && &s.raw[0] == &part[0] {
			return form(s)
		}
	}
	return &packed{}
}

// deflate compresses a part, without an end to the whole.
func (c *streamCache) deflate(part []byte) ([]byte, error) {
	w, ok := c.writers.Get().(*flate.Writer)
	var b bytes.Buffer
	if ok {
		w.Reset(&b)
	} else {
		var err error
		if w, err = flate.NewWriter(&b, flate.BestSpeed+3); err != nil {
			return nil, fmt.Errorf("compress a stream: %w", err)
		}
	}
	_, err := w.Write(part)
	if err = errors.Join(err, w.Flush()); err != nil {
		return nil, fmt.Errorf("compress a stream: %w", err)
	}
	c.writers.Put(w)
	return bytes.Clone(b.Bytes()), nil
}

func (c *streamCache) encoder() (*zstd.Encoder, error) {
	c.zstdOnce.Do(func() {
		c.zstdEncoder, c.zstdErr = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true))
	})
	return c.zstdEncoder, c.zstdErr
}

const (
	streamCacheBytes = 32 << 20
	// streamIdle is after how long without use a rendering is let go: most
	// subscribers come once in some hours, and making it again takes no second.
	streamIdle = 10 * time.Minute
)

// streamCache keeps rendered streams, the least recently used going first. An
// entry is never invalidated: its tag just stops matching, and it serves to
// make the next.
type streamCache struct {
	flight  singleflight.Group
	limit   int64
	writers sync.Pool

	zstdOnce    sync.Once
	zstdEncoder *zstd.Encoder
	zstdErr     error

	mu    sync.Mutex
	byKey map[streamKey]*streamEntry
	order list.List // front: most recently used
	bytes int64
	timer *time.Timer // of the next sweep; nil: nothing to sweep
	done  bool
}

func (c *streamCache) init(limit int64) {
	c.limit = limit
	if limit <= 0 {
		c.limit = streamCacheBytes
	}
	c.byKey = map[streamKey]*streamEntry{}
}

// close lets everything go.
func (c *streamCache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done = true; c.timer != nil {
		c.timer.Stop()
	}
	clear(c.byKey)
	c.order.Init()
	c.bytes = 0
}

// held is what the cache holds, in bytes.
func (c *streamCache) held() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// get finds the last rendering, of whatever state.
func (c *streamCache) get(key streamKey) *streamEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e != nil {
		e.used = time.Now()
		c.order.MoveToFront(e.at)
	}
	return e
}

// put keeps a rendering in place of an older one.
func (c *streamCache) put(key streamKey, e *streamEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.byKey[key]; old != nil {
		c.drop(old)
	}
	e.key, e.size, e.used = key, e.weight(), time.Now()
	if e.size > c.limit || c.done {
		return
	}
	c.byKey[key] = e
	e.at = c.order.PushFront(e)
	c.bytes += e.size
	c.trim()
	if c.timer == nil {
		c.timer = time.AfterFunc(streamIdle, c.sweep)
	}
}

// grown counts another form of an entry that may be in the cache.
func (c *streamCache) grown(e *streamEntry, by int64) {
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
	for c.bytes > c.limit {
		c.drop(c.order.Back().Value.(*streamEntry))
	}
}

// sweep lets go what was not used for a while.
func (c *streamCache) sweep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = nil
	if c.done {
		return
	}
	now := time.Now()
	for c.order.Len() > 0 {
		e := c.order.Back().Value.(*streamEntry)
		if now.Sub(e.used) < streamIdle {
			c.timer = time.AfterFunc(streamIdle-now.Sub(e.used), c.sweep)
			return
		}
		c.drop(e)
	}
}

func (c *streamCache) drop(e *streamEntry) {
	c.order.Remove(e.at)
	delete(c.byKey, e.key)
	c.bytes -= e.size
}
