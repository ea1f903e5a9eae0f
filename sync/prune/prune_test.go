package prune_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"daybook/ical"
	"daybook/store"
	"daybook/sync/prune"
)

const day = 24 * time.Hour

const event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//test//EN\r\nBEGIN:VEVENT\r\nUID:e\r\nDTSTAMP:20270101T000000Z\r\n" +
	"DTSTART:20270301T120000Z\r\nDTEND:20270301T130000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

func TestOldDeletionsAreForgottenAndOldTokensRefused(t *testing.T) {
	now := time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "daybook.db"), Create: true, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	org := &store.Principal{Kind: store.KindOrganisation, Name: "demo"}
	update(t, s, func(tx *store.Tx) error { return tx.CreatePrincipal(org) })
	var c store.CollectionID
	token := func() (text string) {
		t.Helper()
		err := s.View(t.Context(), func(v *store.View) error {
			collection, err := v.Calendar(org.ID)
			if err != nil {
				return err
			}
			c = collection.ID
			state, err := v.State(c)
			text = v.Token(c, state).String()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	changes := func(token string) error {
		return s.View(t.Context(), func(v *store.View) error {
			_, _, _, err := v.Changes(c, token, 0)
			return err
		})
	}

	empty := token()
	o, err := ical.ParseResource([]byte(event), ical.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	prepared, err := s.Prepare(o)
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *store.Tx) error {
		_, err := tx.PutObject(store.Put{Actor: store.System(), Collection: c, Name: "e.ics", Object: prepared})
		return err
	})
	update(t, s, func(tx *store.Tx) error { return tx.DeleteObject(store.System(), c, "e.ics", store.Cond{}) })

	job := prune.Job(s, prune.Keep{Tombstones: 180 * day, Journal: 180 * day}, clock)
	now = now.Add(179 * day)
	if err := job(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := changes(empty); err != nil {
		t.Errorf("a token that is young enough: %v", err)
	}
	now = now.Add(2 * day)
	if err := job(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := changes(empty); !errors.Is(err, store.ErrToken) {
		t.Errorf("a token older than the log: %v", err)
	}
	if err := changes(token()); err != nil {
		t.Errorf("the present token: %v", err)
	}
}

func TestExpiredCredentialsAndFeedsAreRemoved(t *testing.T) {
	now := time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "daybook.db"), Create: true, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	org := &store.Principal{Kind: store.KindOrganisation, Name: "demo"}
	update(t, s, func(tx *store.Tx) error {
		if err := tx.CreatePrincipal(org); err != nil {
			return err
		}
		calendar, err := tx.Calendar(org.ID)
		if err != nil {
			return err
		}
		for name, expires := range map[string]time.Time{"short": now.Add(day), "long": now.Add(30 * day), "forever": {}} {
			err := errors.Join(
				tx.PutCredential(&store.Credential{
					ID: name, Kind: store.CredentialBearer, Org: org.ID, Created: now, Expires: expires,
					Grants: []store.Grant{{Target: org.ID, Rights: store.RightRead}},
				}, "a-secret-of-sufficient-length-"+name),
				tx.PutFeed(&store.Feed{
					Org: org.ID, Collection: calendar.ID, Name: name, Created: now, Expires: expires,
				}, "another-secret-of-sufficient-length-"+name))
			if err != nil {
				return err
			}
		}
		return nil
	})
	now = now.Add(2 * day)
	if err := prune.Job(s, prune.Keep{Tombstones: 180 * day, Journal: 180 * day}, clock)(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = s.View(t.Context(), func(v *store.View) error {
		credentials, err := v.Credentials(org.ID)
		if err != nil {
			return err
		}
		feeds, err := v.Feeds(org.ID)
		if len(credentials) != 2 || len(feeds) != 2 {
			t.Errorf("%d credentials and %d feeds are left, want 2 and 2", len(credentials), len(feeds))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func update(t *testing.T, s *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}
