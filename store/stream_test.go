package store_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"daybook/ical"
	"daybook/store"
)

// streamPlace is a store with one resource, and a clock that the test moves.
type streamPlace struct {
	testing.TB
	store *store.Store
	coll  store.CollectionID
	path  string
	clock *time.Time
}

func newStreamPlace(t testing.TB) *streamPlace {
	clock := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	p := &streamPlace{TB: t, path: filepath.Join(t.TempDir(), "s.db"), clock: &clock}
	p.open(true)
	t.Cleanup(func() { _ = p.store.Close() })
	p.update(func(tx *store.Tx) error {
		org := &store.Principal{Kind: store.KindOrganisation, Name: "demo", Zone: "Europe/Berlin"}
		if err := tx.CreatePrincipal(org); err != nil {
			return err
		}
		ada := &store.Principal{Kind: store.KindStaff, Name: "ada", DisplayName: "Ada", Org: org.ID}
		if err := tx.CreatePrincipal(ada); err != nil {
			return err
		}
		c, err := tx.Calendar(ada.ID)
		if err == nil {
			p.coll = c.ID
		}
		return err
	})
	return p
}

func (p *streamPlace) open(create bool) {
	p.Helper()
	s, err := store.Open(p.Context(), store.Options{Path: p.path, Create: create, Now: func() time.Time { return *p.clock }})
	if err != nil {
		p.Fatal(err)
	}
	p.store = s
}

func (p *streamPlace) update(fn func(*store.Tx) error) {
	p.Helper()
	if err := p.store.Update(p.Context(), fn); err != nil {
		p.Fatal(err)
	}
}

// put stores events with these numbers, in one transaction.
func (p *streamPlace) put(numbers ...int) {
	p.Helper()
	all := make([]*store.Prepared, len(numbers))
	for i, n := range numbers {
		text := fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//T//T//EN\r\nBEGIN:VEVENT\r\nUID:u%d\r\nDTSTAMP:20270101T000000Z\r\n"+
			"DTSTART:20270301T%02d%02d00Z\r\nDURATION:PT1H\r\nSUMMARY:Event %d of somebody\r\nDESCRIPTION:Some words that a feed may tell or not\r\n"+
			"END:VEVENT\r\nEND:VCALENDAR\r\n", n, n/60%24, n%60, n)
		o, err := ical.ParseResource([]byte(text), ical.Limits{})
		if err == nil {
			all[i], err = p.store.Prepare(o)
		}
		if err != nil {
			p.Fatal(err)
		}
	}
	p.update(func(tx *store.Tx) error {
		for i, n := range numbers {
			put := store.Put{Actor: store.System(), Collection: p.coll, Name: fmt.Sprintf("%d.ics", n), Object: all[i]}
			if _, err := tx.PutObject(put); err != nil {
				return err
			}
		}
		return nil
	})
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func (p *streamPlace) stream(o store.StreamOptions) *store.Stream {
	p.Helper()
	st, err := p.store.Stream(p.Context(), p.coll, o)
	if err != nil {
		p.Fatal(err)
	}
	return st
}

func (p *streamPlace) content(st *store.Stream) {
	p.Helper()
	if _, err := st.Content(p.Context(), store.CodingNone); err != nil {
		p.Fatal(err)
	}
}

func (p *streamPlace) body(st *store.Stream) []byte {
	p.Helper()
	c, err := st.Content(p.Context(), store.CodingNone)
	if err != nil {
		p.Fatal(err)
	}
	return c.Bytes()
}

func TestStreamHasAllMembersAndItsName(t *testing.T) {
	p := newStreamPlace(t)
	p.put(1)
	p.put(2)
	text := string(p.body(p.stream(store.StreamOptions{})))
	if strings.Count(text, "BEGIN:VEVENT") != 2 || !strings.Contains(text, "X-WR-CALNAME:Ada\r\n") {
		t.Error(text)
	}
	if !strings.Contains(string(p.body(p.stream(store.StreamOptions{Title: "Other"}))), "NAME:Other\r\n") {
		t.Error("the title is not used")
	}
}

func TestStreamTagMovesWithMembersPropertiesAndOptionsOnly(t *testing.T) {
	p := newStreamPlace(t)
	p.put(1)
	first := p.stream(store.StreamOptions{}).ETag
	*p.clock = p.clock.Add(time.Hour)
	if got := p.stream(store.StreamOptions{}).ETag; got != first {
		t.Error("moved with the clock")
	}
	seen := map[string]string{first: "first"}
	tag := func(what, etag string) {
		t.Helper()
		if seen[etag] != "" {
			t.Errorf("%s has the tag of %s", what, seen[etag])
		}
		seen[etag] = what
	}
	tag("busy", p.stream(store.StreamOptions{Show: ical.ShowBusy, Key: []byte("k")}).ETag)
	tag("title", p.stream(store.StreamOptions{Title: "x"}).ETag)
	p.put(2)
	tag("put", p.stream(store.StreamOptions{}).ETag)
	p.update(func(tx *store.Tx) error {
		c, err := tx.Collection(p.coll)
		if err != nil {
			return err
		}
		c.DisplayName = "New name"
		return tx.UpdateCollection(store.System(), c)
	})
	tag("name", p.stream(store.StreamOptions{}).ETag)
	p.update(func(tx *store.Tx) error { return tx.DeleteObject(store.System(), p.coll, "2.ics", store.Cond{}) })
	tag("delete", p.stream(store.StreamOptions{}).ETag)
}

func TestStreamIsTheSameAfterARestart(t *testing.T) {
	p := newStreamPlace(t)
	p.put(1)
	a := p.stream(store.StreamOptions{})
	before := p.body(a)
	if err := p.store.Close(); err != nil {
		t.Fatal(err)
	}
	*p.clock = p.clock.Add(48 * time.Hour)
	p.open(false)
	b := p.stream(store.StreamOptions{})
	if a.ETag != b.ETag || !a.Modified.Equal(b.Modified) || !bytes.Equal(before, p.body(b)) {
		t.Error("tag, time or text differ")
	}
}

func TestStreamTakesTheTagOfWhatWasRendered(t *testing.T) {
	p := newStreamPlace(t)
	p.put(1)
	st := p.stream(store.StreamOptions{})
	*p.clock = p.clock.Add(time.Hour)
	p.put(2) // between Stream and Body
	text := p.body(st)
	now := p.stream(store.StreamOptions{})
	if strings.Count(string(text), "BEGIN:VEVENT") != 2 || st.ETag != now.ETag || !st.Modified.Equal(now.Modified) {
		t.Error("tag and text do not belong together")
	}
}

func TestStreamCodingsAreTheBody(t *testing.T) {
	p := newStreamPlace(t)
	p.put(upTo(1000)...)
	st := p.stream(store.StreamOptions{})
	want := p.body(st)
	for _, coding := range []store.Coding{store.CodingGzip, store.CodingZstd} {
		packed, err := st.Content(t.Context(), coding)
		if err != nil {
			t.Fatal(err)
		}
		plain := unpack(t, packed.Bytes(), coding)
		if !bytes.Equal(plain, want) || packed.Size > int64(len(plain)/3) || packed.Size != int64(len(packed.Bytes())) {
			t.Error(coding, packed.Size, len(plain))
		}
		again, err := p.stream(store.StreamOptions{}).Content(t.Context(), coding)
		if err != nil || &again.Parts[0][0] != &packed.Parts[0][0] {
			t.Error("not cached", err)
		}
	}
}

func unpack(t *testing.T, b []byte, coding store.Coding) []byte {
	t.Helper()
	var r io.Reader
	var err error
	if coding == store.CodingGzip {
		r, err = gzip.NewReader(bytes.NewReader(b))
	} else {
		r, err = zstd.NewReader(bytes.NewReader(b))
	}
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestStreamIsRenderedOnceForManyReaders(t *testing.T) {
	p := newStreamPlace(t)
	p.put(upTo(20)...)
	var wg sync.WaitGroup
	bodies := make([][]byte, 16)
	for i := range bodies {
		wg.Go(func() {
			st, err := p.store.Stream(context.Background(), p.coll, store.StreamOptions{})
			if err == nil {
				var c store.Content
				c, err = st.Content(context.Background(), store.CodingNone)
				bodies[i] = c.Bytes()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	st := p.stream(store.StreamOptions{})
	want := p.body(st)
	for _, b := range bodies {
		if !bytes.Equal(b, want) {
			t.Error("a reader got something else")
		}
	}
}

func TestStreamOfABusyCalendarTellsTimesOnly(t *testing.T) {
	p := newStreamPlace(t)
	p.put(1)
	text := string(p.body(p.stream(store.StreamOptions{Show: ical.ShowBusy, Key: []byte("key")})))
	if strings.Contains(text, "somebody") || strings.Contains(text, "UID:u1") || !strings.Contains(text, "SUMMARY:Busy") {
		t.Error(text)
	}
}

func TestStreamOfNothingIsNotFound(t *testing.T) {
	p := newStreamPlace(t)
	if _, err := p.store.Stream(t.Context(), 4711, store.StreamOptions{}); err == nil {
		t.Error("want an error")
	}
}

func BenchmarkStream(b *testing.B) {
	p := newStreamPlace(b)
	const members = 10_000
	p.put(upTo(members)...)
	b.Run("validators", func(b *testing.B) {
		for b.Loop() {
			p.stream(store.StreamOptions{})
		}
	})
	b.Run("cached", func(b *testing.B) {
		p.body(p.stream(store.StreamOptions{}))
		for b.Loop() {
			p.content(p.stream(store.StreamOptions{}))
		}
	})
	b.Run("changed", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			p.put(i * 7 % members)
			b.StartTimer()
			p.content(p.stream(store.StreamOptions{}))
		}
	})
	b.Run("build", func(b *testing.B) {
		i := 0
		for b.Loop() {
			i++
			p.content(p.stream(store.StreamOptions{Title: fmt.Sprint(i)}))
		}
	})
}
