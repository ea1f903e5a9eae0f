package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/ical"
)

const (
	feedSecret1 = "first-secret-0123456789"
	feedSecret2 = "second-secret-0123456789"
	feedSecret3 = "third-secret-0123456789"
)

func (s *feedStore) found(t testing.TB, secret string) bool {
	t.Helper()
	found := false
	view(t, s.Store, func(v *View) error {
		_, err := v.FeedBySecret(secret)
		found = err == nil
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		return nil
	})
	return found
}

func TestRotatedFeedIsFoundByBothSecretsForAWhile(t *testing.T) {
	s := newFeedStore(t)
	f := s.feed(t, feedSecret1, &Feed{Collection: s.house.adaCal})
	rotate := func(secret string, grace time.Duration) error {
		return s.Update(t.Context(), func(tx *Tx) error {
			_, err := tx.RotateFeed(f.Org, f.ID, secret, grace)
			return err
		})
	}
	if err := rotate(feedSecret2, 48*time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := rotate(feedSecret3, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{feedSecret1, feedSecret2, feedSecret3} {
		if !s.found(t, secret) {
			t.Error(secret)
		}
		if err := rotate(secret, 0); !errors.Is(err, ErrExists) {
			t.Error("a secret was used again", err)
		}
	}
	view(t, s.Store, func(v *View) error {
		got, err := v.FormerSecrets(f.Org, f.ID)
		if len(got) != 2 || !got[0].Equal(testNow.Add(24*time.Hour)) {
			t.Error(got)
		}
		return err
	})
	mustCheck(t, s.Store)
	s.later(25 * time.Hour)
	if !s.found(t, feedSecret1) || s.found(t, feedSecret2) || !s.found(t, feedSecret3) {
		t.Error("each former secret has its own time")
	}
	s.later(25 * time.Hour)
	if n, _, err := s.Prune(t.Context(), testNow); n != 2 || err != nil {
		t.Error(n, err)
	}
	if s.found(t, feedSecret1) || !s.found(t, feedSecret3) {
		t.Error("after the grace")
	}
	update(t, s.Store, func(tx *Tx) error { return tx.DeleteFeed(f.Org, f.ID) })
	if s.found(t, feedSecret3) {
		t.Error("revoked")
	}
}

func TestRevokedFeedIsNotFoundByAFormerSecret(t *testing.T) {
	s := newFeedStore(t)
	f := s.feed(t, feedSecret1, &Feed{Collection: s.house.adaCal})
	update(t, s.Store, func(tx *Tx) error {
		if _, err := tx.RotateFeed(f.Org, f.ID, feedSecret2, time.Hour); err != nil {
			return err
		}
		return tx.DeleteFeed(f.Org, f.ID)
	})
	if s.found(t, feedSecret1) || s.found(t, feedSecret2) {
		t.Error("found")
	}
	mustCheck(t, s.Store)
}

func TestFeedOfARemovedCalendarShowsTheOthers(t *testing.T) {
	s := newFeedStore(t)
	h := s.house
	s.feed(t, feedSecret1, &Feed{Collection: h.otherCal, More: []CollectionID{h.adaCal}})
	s.feed(t, feedSecret2, &Feed{Collection: h.otherCal})
	update(t, s.Store, func(tx *Tx) error { return tx.DeleteCollection(System(), h.otherCal) })
	if s.found(t, feedSecret2) || !s.found(t, feedSecret1) {
		t.Error("only the one without calendars goes")
	}
	view(t, s.Store, func(v *View) error {
		f, err := v.FeedBySecret(feedSecret1)
		if err == nil && (f.Collection != h.adaCal || len(f.More) != 0) {
			t.Error(f)
		}
		return err
	})
}

func TestFeedRecordsAreChecked(t *testing.T) {
	s := newFeedStore(t)
	h := s.house
	long := strings.Repeat("x", 5000)
	for name, f := range map[string]*Feed{
		"nothing":      {},
		"both":         {Collection: h.adaCal, Principal: h.ada.ID},
		"no group":     {Source: FeedGroup, Principal: h.ada.ID},
		"hours of one": {Source: FeedHours, Principal: h.user.ID},
		"calendars":    {Collection: h.adaCal, Source: FeedBusy, Principal: h.ada.ID},
		"title":        {Collection: h.adaCal, Title: long},
		"description":  {Collection: h.adaCal, Description: long},
		"window":       {Collection: h.adaCal, Window: &Window{Past: -1}},
		"far window":   {Collection: h.adaCal, Window: &Window{Future: 1e9}},
		"zone":         {Collection: h.adaCal, Zone: "Mars/Base"},
		"color":        {Collection: h.adaCal, Color: "red"},
		"page":         {Collection: h.adaCal, URL: "javascript:alert(1)"},
		"component":    {Collection: h.adaCal, Components: []string{"VALARM"}},
		"refresh":      {Collection: h.adaCal, Refresh: -time.Hour},
		"source":       {Collection: h.adaCal, Source: 9},
		"show":         {Collection: h.adaCal, Show: 9},
		"calendar":     {Collection: 4711},
		"too many":     {Collection: h.adaCal, More: make([]CollectionID, 1000)},
	} {
		f.Org, f.Name = h.org.ID, "f"
		err := s.Update(t.Context(), func(tx *Tx) error { return tx.PutFeed(f, feedSecret1) })
		if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := s.feed(t, feedSecret1, &Feed{Collection: h.adaCal})
	for _, secret := range []string{"short", "no spaces in a secret", strings.Repeat("x", 200)} {
		err := s.Update(t.Context(), func(tx *Tx) error {
			_, err := tx.RotateFeed(f.Org, f.ID, secret, 0)
			return err
		})
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

func TestUpdatedFeedKeepsItsSecretAndItsUse(t *testing.T) {
	s := newFeedStore(t)
	f := s.feed(t, feedSecret1, &Feed{Collection: s.house.adaCal})
	tag := s.stream(t, f).ETag
	s.later(time.Hour)
	update(t, s.Store, func(tx *Tx) error {
		return tx.UpdateFeed(&Feed{ID: f.ID, Org: f.Org, Name: "new", Collection: s.house.adaCal, Show: ical.ShowTitles})
	})
	view(t, s.Store, func(v *View) error {
		got, err := v.FeedBySecret(feedSecret1)
		if err == nil && (got.Name != "new" || !got.Created.Equal(f.Created) || len(got.Key) != 32 || !got.Modified.Equal(s.at())) {
			t.Errorf("%+v", got)
		}
		if err == nil {
			if st, err := v.FeedStream(got, "", ""); err != nil || st.ETag == tag || !st.Modified.Equal(s.at()) {
				t.Error("validators of the old record", err)
			}
		}
		return err
	})
	err := s.Update(t.Context(), func(tx *Tx) error { return tx.UpdateFeed(&Feed{ID: "0123", Org: f.Org}) })
	if !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestFetchesAreJoinedAndBounded(t *testing.T) {
	s := newFeedStore(t)
	f := s.feed(t, feedSecret1, &Feed{Collection: s.house.adaCal})
	fetched := func(agent string, status int, n int64) {
		s.Fetched(f, Fetch{Client: "other", Agent: agent, Status: status, Form: "ics", Bytes: n})
		s.later(time.Minute)
	}
	for range 3 {
		fetched("Google\x00-Calendar\n-Importer", 304, 0)
	}
	fetched("Google-Calendar-Importer", 200, 99)
	s.flushFetches()
	fetched("Google-Calendar-Importer", 304, 0)
	for i := range 40 {
		fetched(fmt.Sprintf("client %d %s", i, strings.Repeat("x", 500)), 200, 1)
	}
	fetched("Google-Calendar-Importer", 200, 100)
	s.stopFetches()
	s.Fetched(f, Fetch{}) // nobody writes it any more, and nobody waits
	view(t, s.Store, func(v *View) error {
		got, err := v.Fetches(f.Org, f.ID)
		if err != nil || len(got) != maxFetches {
			t.Fatal(len(got), err)
		}
		first := got[0]
		if first.Agent != "Google-Calendar-Importer" || first.Count != 2 || first.Bytes != 100 || first.Status != 200 || !first.First.Before(first.Last) {
			t.Errorf("%+v", first)
		}
		if slices.ContainsFunc(got, func(x Fetch) bool { return len(x.Agent) > maxFetchAgent }) {
			t.Error("an agent is too long")
		}
		f, err := v.Feed(f.Org, f.ID)
		if err == nil && !f.LastUsed.Equal(s.at().Truncate(time.Hour)) {
			t.Error(f.LastUsed, s.at())
		}
		return err
	})
}

func TestWrongSecretsAreSlowedDownByAddress(t *testing.T) {
	s := newFeedStore(t)
	const from, other = "192.0.2.1", "192.0.2.2"
	s.FeedTried(feedSecret1, from, true)
	for range feedGuesses {
		if s.FeedThrottled("wrong", from) {
			t.Fatal("too early")
		}
		s.FeedTried("wrong", from, false)
	}
	if !s.FeedThrottled("wrong", from) || !s.FeedThrottled(feedSecret2, from) || s.FeedThrottled("wrong", other) {
		t.Error("the address is slowed down, and no other")
	}
	if s.FeedThrottled(feedSecret1, from) {
		t.Error("a secret that was right is let through")
	}
	if s.auth.throttled(network(from), s.at()) {
		t.Error("sign-ins are none of it")
	}
	s.later(time.Hour)
	if s.FeedThrottled("wrong", from) {
		t.Error("for ever")
	}
}

func TestPrincipalsFreeBusyLeavesOutTransparentCalendars(t *testing.T) {
	s := newFeedStore(t)
	h := s.house
	put(t, s.Store, h.userCal, "a.ics", testEvent("a", ":20270302T100000Z", "SUMMARY:Secret plan", "LOCATION:Here"))
	put(t, s.Store, h.otherCal, "b.ics", testEvent("b", ":20270302T120000Z", "SUMMARY:Other"))
	update(t, s.Store, func(tx *Tx) error {
		c, err := tx.Collection(h.otherCal)
		if err != nil {
			return err
		}
		c.Transparent = true
		return tx.UpdateCollection(System(), c)
	})
	f := s.feed(t, feedSecret1, &Feed{Source: FeedBusy, Principal: h.user.ID})
	text := s.text(t, f)
	if count(text, "BEGIN:VEVENT") != 1 || count(text, "Secret") != 0 || count(text, "Here") != 0 || count(text, "UID:a\r\n") != 0 {
		t.Error(text)
	}
}

// Time that the organisation's own calendar takes is busy for all its resources,
// in feeds of their busy time as in their openings.
func TestResourcesFreeBusyHasClosures(t *testing.T) {
	s := newFeedStore(t)
	h := s.house
	f := s.feed(t, feedSecret1, &Feed{Source: FeedBusy, Principal: h.ada.ID})
	put(t, s.Store, h.adaCal, "a.ics", testEvent("a", ":20270302T100000Z", "SUMMARY:Secret plan"))
	if text := s.text(t, f); count(text, "BEGIN:VEVENT") != 1 {
		t.Error(text)
	}
	put(t, s.Store, h.orgCal, "c.ics", testEvent("c", ":20270303T100000Z", "SUMMARY:Shut"))
	if text := s.text(t, f); count(text, "BEGIN:VEVENT") != 2 || count(text, "Shut") != 0 {
		t.Error(text)
	}
}
