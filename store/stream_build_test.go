package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"daybook/ical"
)

// feedStore is a store with a clock that the test moves; the store's own
// goroutines read it too.
type feedStore struct {
	*Store
	house *testHouse
	clock atomic.Int64 // seconds
}

func (s *feedStore) later(d time.Duration) { s.clock.Add(int64(d / time.Second)) }
func (s *feedStore) at() time.Time         { return time.Unix(s.clock.Load(), 0).UTC() }

func newFeedStore(t testing.TB) *feedStore {
	t.Helper()
	s := &feedStore{}
	s.clock.Store(testNow.Unix())
	var err error
	s.Store, err = Open(context.Background(), Options{Path: filepath.Join(t.TempDir(), "clock.db"), Create: true, Now: s.at})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	s.house = newTestHouse(t, s.Store)
	return s
}

func (s *feedStore) feed(t testing.TB, secret string, f *Feed) *Feed {
	t.Helper()
	f.Org = s.house.org.ID
	if f.Name == "" {
		f.Name = "feed"
	}
	update(t, s.Store, func(tx *Tx) error { return tx.PutFeed(f, secret) })
	return f
}

func (s *feedStore) stream(t testing.TB, f *Feed) *Stream {
	t.Helper()
	var st *Stream
	view(t, s.Store, func(v *View) (err error) {
		st, err = v.FeedStream(f, "", "")
		return err
	})
	return st
}

func (s *feedStore) text(t testing.TB, f *Feed) string {
	t.Helper()
	c, err := s.stream(t, f).Content(context.Background(), CodingNone)
	if err != nil {
		t.Fatal(err)
	}
	return string(c.Bytes())
}

func remove(t testing.TB, s *Store, c CollectionID, name string) {
	t.Helper()
	update(t, s, func(tx *Tx) error { return tx.DeleteObject(System(), c, name, Cond{}) })
}

func count(text, part string) int { return strings.Count(text, part) }

// TestStreamMadeOfAnOlderOneIsAsOneMadeAnew: after random edits the text, its
// compressed forms and its tag are those of a rendering from nothing.
func TestStreamMadeOfAnOlderOneIsAsOneMadeAnew(t *testing.T) {
	s := newFeedStore(t)
	h := s.house
	feeds := []*Feed{
		s.feed(t, "secret-of-the-full-one", &Feed{Collection: h.adaCal, Key: []byte("k"), Private: ical.PrivateShown}),
		s.feed(t, "secret-of-the-titles", &Feed{Collection: h.adaCal, More: []CollectionID{h.roomCal}, Show: ical.ShowTitles, Key: []byte("k")}),
		s.feed(t, "secret-of-the-busy-1", &Feed{Collection: h.adaCal, More: []CollectionID{h.roomCal}, Show: ical.ShowBusy, Window: &Window{Past: 3, Future: 20}, Key: []byte("k")}),
	}
	var texts []string
	for i := range 300 {
		texts = append(texts, fmt.Sprint(i))
	}
	update(t, s.Store, func(tx *Tx) error {
		for i, c := range []CollectionID{h.adaCal, h.roomCal} {
			for _, n := range texts {
				p := mustPrepare(s.Store, testEvent(fmt.Sprintf("u%s-%d", n, i), ":20270302T100000Z", "SUMMARY:"+n))
				if _, err := tx.PutObject(Put{Actor: System(), Collection: c, Name: n + ".ics", Object: p}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	rapid.Check(t, func(r *rapid.T) {
		for range rapid.IntRange(1, 6).Draw(r, "edits") {
			s.edit(t, r)
		}
		for i, f := range feeds {
			st := s.stream(t, f)
			content, err := st.Content(context.Background(), CodingNone)
			if err != nil {
				r.Fatal(err)
			}
			fresh, err := s.stream(t, f).build(context.Background(), nil)
			if err != nil {
				r.Fatal(err)
			}
			if got, want := content.Bytes(), bytes.Join(fresh.parts(), nil); !bytes.Equal(got, want) || st.ETag != fresh.etag {
				r.Fatalf("feed %d: %s %s got\n%s\nwant\n%s", i, st.ETag, fresh.etag, got, want)
			}
			a, err := st.Content(context.Background(), CodingGzip)
			if err != nil {
				r.Fatal(err)
			}
			b, err := s.streams.coded(fresh, &fresh.text, CodingGzip, fresh.parts)
			if err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
				r.Fatalf("feed %d: compressed forms differ: %v", i, err)
			}
			z, err := gzip.NewReader(bytes.NewReader(a.Bytes()))
			if err != nil {
				r.Fatal(err)
			}
			if plain, err := io.ReadAll(z); err != nil || !bytes.Equal(plain, content.Bytes()) {
				r.Fatalf("feed %d: %v", i, err)
			}
		}
	})
}

// edit makes a random change.
func (s *feedStore) edit(t *testing.T, r *rapid.T) {
	c := rapid.SampledFrom([]CollectionID{s.house.adaCal, s.house.roomCal}).Draw(r, "collection")
	name := fmt.Sprintf("%d.ics", rapid.IntRange(0, 310).Draw(r, "name"))
	switch rapid.IntRange(0, 4).Draw(r, "kind") {
	case 0:
		_ = s.Update(context.Background(), func(tx *Tx) error { return tx.DeleteObject(System(), c, name, Cond{}) })
	case 1:
		s.later(time.Duration(rapid.IntRange(0, 40).Draw(r, "hours")) * time.Hour)
	default:
		uid := rapid.SampledFrom([]string{"shared-1", "shared-2", "own-" + name}).Draw(r, "uid")
		start := rapid.SampledFrom([]string{":20270303T100000Z", ";TZID=Europe/Berlin:20270401T100000", ";TZID=America/New_York:20270310T100000", ";VALUE=DATE:20260101"}).Draw(r, "start")
		text := testEvent(uid, start, "SUMMARY:"+rapid.StringMatching(`[a-z]{1,9}`).Draw(r, "title"), rapid.SampledFrom([]string{"CLASS:PUBLIC", "CLASS:PRIVATE", "COMMENT:x"}).Draw(r, "class"))
		if strings.Contains(start, "DATE") {
			text = strings.ReplaceAll(text, "DURATION:PT1H", "DURATION:P1D")
		}
		p := prepare(t, s.Store, text)
		// A UID that another member has is refused; that is an edit of nothing.
		_ = s.Update(context.Background(), func(tx *Tx) error {
			_, err := tx.PutObject(Put{Actor: System(), Collection: c, Name: name, Object: p})
			return err
		})
	}
}

func TestOneUIDInTwoCalendarsOfAFeedBecomesTwo(t *testing.T) {
	s := newFeedStore(t)
	h := s.house
	put(t, s.Store, h.adaCal, "a.ics", testEvent("same", ":20270302T100000Z", "SUMMARY:A"))
	put(t, s.Store, h.roomCal, "b.ics", testEvent("same", ":20270303T100000Z", "SUMMARY:B"))
	for _, show := range []ical.Show{ical.ShowFull, ical.ShowTitles, ical.ShowBusy} {
		f := s.feed(t, fmt.Sprintf("a-secret-of-show-%d", show), &Feed{Collection: h.adaCal, More: []CollectionID{h.roomCal}, Show: show})
		text := s.text(t, f)
		uids := map[string]bool{}
		for line := range strings.SplitSeq(text, "\r\n") {
			if u, ok := strings.CutPrefix(line, "UID:"); ok {
				uids[u] = true
			}
		}
		if len(uids) != 2 || show != ical.ShowBusy && !uids["same"] || s.text(t, f) != text {
			t.Error(show, uids)
		}
	}
}

func TestBlockInSeveralCalendarsOfAFeedIsShownOnce(t *testing.T) {
	s := newFeedStore(t)
	h := s.house
	p := prepare(t, s.Store, testEvent("block", ":20270302T100000Z", "CATEGORIES:BLOCK", "TRANSP:OPAQUE"))
	update(t, s.Store, func(tx *Tx) error {
		for _, c := range []CollectionID{h.adaCal, h.roomCal} {
			if _, err := tx.PutObject(Put{Actor: System(), Collection: c, Name: "block.ics", Object: p}); err != nil {
				return err
			}
		}
		return nil
	})
	f := s.feed(t, "a-secret-of-blocks", &Feed{Collection: h.adaCal, More: []CollectionID{h.roomCal}})
	if n := count(s.text(t, f), "BEGIN:VEVENT"); n != 1 {
		t.Error(n)
	}
	remove(t, s.Store, h.adaCal, "block.ics") // it is in the room's still
	if text := s.text(t, f); count(text, "BEGIN:VEVENT") != 1 || count(text, "CANCELLED") != 0 {
		t.Error(text)
	}
}

func TestRemovedEventStaysCancelledForAWeek(t *testing.T) {
	s := newFeedStore(t)
	h := s.house
	f := s.feed(t, "a-secret-of-the-removed", &Feed{Collection: h.adaCal})
	put(t, s.Store, h.adaCal, "a.ics", testEvent("a", ":20270302T100000Z", "SUMMARY:A", "DESCRIPTION:long", "SEQUENCE:4", "STATUS:CONFIRMED"))
	put(t, s.Store, h.adaCal, "b.ics", testEvent("b", ":20270302T100000Z", "SUMMARY:B"))
	put(t, s.Store, h.adaCal, "j.ics", strings.ReplaceAll(strings.Replace(testEvent("j", ":20270302T100000Z"), "DURATION:PT1H\r\n", "", 1), "VEVENT", "VJOURNAL"))
	s.later(time.Hour)
	for _, name := range []string{"a.ics", "b.ics", "j.ics"} {
		remove(t, s.Store, h.adaCal, name)
	}
	text := s.text(t, f)
	if count(text, "STATUS:CANCELLED\r\nSEQUENCE:5\r\nLAST-MODIFIED:20270301T100000Z\r\n") != 1 || count(text, "CANCELLED") != 2 || count(text, "long") != 0 || count(text, "CONFIRMED") != 0 {
		t.Error(text)
	}
	put(t, s.Store, h.adaCal, "again.ics", testEvent("b", ":20270303T100000Z", "SUMMARY:B"))
	if text := s.text(t, f); count(text, "CANCELLED") != 1 || count(text, "UID:b\r\n") != 1 {
		t.Error(text)
	}
	busy := s.feed(t, "a-secret-of-a-busy-one", &Feed{Collection: h.adaCal, Show: ical.ShowBusy})
	if text := s.text(t, busy); count(text, "CANCELLED") != 0 {
		t.Error(text)
	}
	tag := s.stream(t, f).ETag
	s.later(8 * 24 * time.Hour)
	if text := s.text(t, f); count(text, "CANCELLED") != 0 || s.stream(t, f).ETag == tag {
		t.Error(text)
	}
	tag = s.stream(t, f).ETag
	s.later(3 * 24 * time.Hour)
	if s.stream(t, f).ETag != tag {
		t.Error("the tag moves with the day, though nothing that is shown does")
	}
	if n, done, err := s.Prune(t.Context(), testNow); n != 2 || !done || err != nil {
		t.Error(n, done, err)
	}
	mustCheck(t, s.Store)
}

func TestNothingRemovedIsKeptWithoutFeeds(t *testing.T) {
	s := newFeedStore(t)
	put(t, s.Store, s.house.adaCal, "a.ics", testEvent("a", ":20270302T100000Z"))
	remove(t, s.Store, s.house.adaCal, "a.ics")
	view(t, s.Store, func(v *View) error {
		if keys := v.someKeys(newKey(tableRemoved), 1); len(keys) > 0 {
			t.Error(keys)
		}
		return nil
	})
}

func TestRemovedObjectsOfACollectionAreBounded(t *testing.T) {
	s := newFeedStore(t)
	h := s.house
	s.feed(t, "a-secret-of-the-removed", &Feed{Collection: h.adaCal})
	put(t, s.Store, h.adaCal, "a.ics", testEvent("a", ":20270302T100000Z"))
	update(t, s.Store, func(tx *Tx) error {
		for seq := range uint64(3) {
			tx.put(removedKey(h.adaCal, seq), packRemoved(&removedObject{at: testNow, kind: "VEVENT"}))
		}
		st, err := tx.State(h.adaCal)
		st.Seq = 2 * maxRemovedAge
		tx.setState(h.adaCal, &st)
		return err
	})
	remove(t, s.Store, h.adaCal, "a.ics")
	view(t, s.Store, func(v *View) error {
		if keys := v.someKeys(newKey(tableRemoved), 9); len(keys) != 2 {
			t.Errorf("%d are kept", len(keys))
		}
		return nil
	})
}

func TestWindowMovesOnceADay(t *testing.T) {
	s := newFeedStore(t)
	h := s.house
	put(t, s.Store, h.adaCal, "old.ics", testEvent("old", ":20270225T100000Z"))
	put(t, s.Store, h.adaCal, "now.ics", testEvent("now", ":20270301T100000Z"))
	put(t, s.Store, h.adaCal, "next.ics", testEvent("next", ":20270304T100000Z"))
	put(t, s.Store, h.adaCal, "ever.ics", testEvent("ever", ":20200304T100000Z", "RRULE:FREQ=DAILY"))
	f := s.feed(t, "a-secret-of-a-window", &Feed{Collection: h.adaCal, Window: &Window{Past: 1, Future: 2}})
	shown := func() (uids []string) {
		for line := range strings.SplitSeq(s.text(t, f), "\r\n") {
			if u, ok := strings.CutPrefix(line, "UID:"); ok {
				uids = append(uids, u)
			}
		}
		return uids
	}
	if got := shown(); !slices.Equal(got, []string{"ever", "now"}) {
		t.Error(got)
	}
	seen := map[string]time.Time{}
	for range 48 {
		st := s.stream(t, f)
		if st.Modified.After(s.at()) {
			t.Errorf("modified at %v, and it is %v", st.Modified, s.at())
		}
		if m, ok := seen[st.ETag]; ok && !m.Equal(st.Modified) {
			t.Error("one tag with two dates")
		}
		seen[st.ETag] = st.Modified
		s.later(time.Hour)
	}
	if len(seen) != 3 { // from 10:00 in Berlin, over two midnights
		t.Errorf("%d tags in two days", len(seen))
	}
	if got := shown(); !slices.Equal(got, []string{"ever", "next"}) {
		t.Error(got)
	}
}

func TestFeedShowsTheKindsThatItSays(t *testing.T) {
	s := newFeedStore(t)
	put(t, s.Store, s.house.adaCal, "a.ics", testEvent("a", ":20270302T100000Z"))
	put(t, s.Store, s.house.adaCal, "t.ics", strings.ReplaceAll(testEvent("t", ":20270302T100000Z"), "VEVENT", "VTODO"))
	f := s.feed(t, "a-secret-of-the-tasks", &Feed{Collection: s.house.adaCal, Components: []string{"VTODO"}})
	if text := s.text(t, f); count(text, "BEGIN:VTODO") != 1 || count(text, "BEGIN:VEVENT") != 0 {
		t.Error(text)
	}
}

func TestFeedOfAGroupFollowsItsMembers(t *testing.T) {
	s := newFeedStore(t)
	h := s.house
	group := &Principal{Kind: KindGroup, Name: "rooms", DisplayName: "All rooms", Org: h.org.ID}
	update(t, s.Store, func(tx *Tx) error {
		if err := tx.CreatePrincipal(group); err != nil {
			return err
		}
		room, err := tx.Principal(h.room.ID)
		if err != nil {
			return err
		}
		group.Members = append(group.Members, room.UUID)
		return tx.UpdatePrincipal(group)
	})
	put(t, s.Store, h.roomCal, "a.ics", testEvent("in-room", ":20270302T100000Z"))
	put(t, s.Store, h.adaCal, "b.ics", testEvent("of-ada", ":20270302T100000Z"))
	f := s.feed(t, "a-secret-of-a-group", &Feed{Source: FeedGroup, Principal: group.ID})
	text, tag := s.text(t, f), s.stream(t, f).ETag
	if count(text, "BEGIN:VEVENT") != 1 || count(text, "NAME:All rooms") != 2 {
		t.Error(text)
	}
	update(t, s.Store, func(tx *Tx) error {
		ada, err := tx.Principal(h.ada.ID)
		if err != nil {
			return err
		}
		group.Members = append(group.Members, ada.UUID)
		return tx.UpdatePrincipal(group)
	})
	if text := s.text(t, f); count(text, "BEGIN:VEVENT") != 2 || s.stream(t, f).ETag == tag {
		t.Error(text)
	}
	update(t, s.Store, func(tx *Tx) error { return tx.DeletePrincipal(group.ID) })
	view(t, s.Store, func(v *View) error {
		if _, err := v.FeedBySecret("a-secret-of-a-group"); err == nil {
			t.Error("the feed outlives what it shows")
		}
		return nil
	})
}

func TestStreamCacheIsBoundedAndLetsGo(t *testing.T) {
	var c streamCache
	c.init(1000)
	entry := func(n int) *streamEntry { return &streamEntry{bytes: int64(n)} }
	key := func(n int) streamKey { return streamKey{collection: CollectionID(n)} }
	c.put(key(1), entry(400))
	c.put(key(2), entry(400))
	c.get(key(1))
	c.put(key(3), entry(400))
	if c.get(key(2)) != nil || c.get(key(1)) == nil || c.held() != 800 {
		t.Error("the least recently used should have gone", c.held())
	}
	if c.put(key(4), entry(2000)); c.get(key(4)) != nil {
		t.Error("too large to be kept")
	}
	for _, e := range c.byKey {
		e.used = e.used.Add(-2 * streamIdle)
	}
	if c.sweep(); c.held() != 0 || len(c.byKey) != 0 {
		t.Error(c.held())
	}
	c.close()
	if c.put(key(1), entry(1)); c.held() != 0 {
		t.Error("kept after the end")
	}
}
