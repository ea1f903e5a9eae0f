package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func withPassword(t *testing.T, s *Store, p *Principal, password string) {
	t.Helper()
	hash, err := HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error { return tx.SetPassword(p.ID, hash) })
}

// TestGuessesMadeAtTheSameTimeAreThrottled: guesses that were under way together
// had all passed the throttle before the first had failed.
func TestGuessesMadeAtTheSameTimeAreThrottled(t *testing.T) {
	s := newTest(t)
	s.auth.init(3)
	h := newTestHouse(t, s)
	withPassword(t, s, h.user, "right")
	var tried atomic.Int32
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if _, err := s.Authenticate(t.Context(), "user01", fmt.Sprint("guess ", i), "192.0.2.1"); errors.Is(err, ErrCredentials) {
				tried.Add(1)
			}
		})
	}
	wg.Wait()
	if n := tried.Load(); n > 3+2 { // two are hashed at a time
		t.Errorf("%d guesses were tried, a burst is 3", n)
	}
}

func TestThrottleCountsIPv6ByNetwork(t *testing.T) {
	for from, want := range map[string]string{
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::1": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "somewhere": "somewhere", "": "",
	} {
		if got := network(from); got != want {
			t.Errorf("%q: %q, want %q", from, got, want)
		}
	}
}

// TestAppPasswordWorksBehindAThrottledAddress: a neighbour's failures refused
// every app password, which is never remembered.
func TestAppPasswordWorksBehindAThrottledAddress(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	update(t, s, func(tx *Tx) error {
		return tx.PutCredential(&Credential{ID: "app", Kind: CredentialApp, Org: h.org.ID, Principal: h.user.ID}, "a-long-secret-of-it")
	})
	for i := range 20 {
		_, _ = s.AuthenticateToken(t.Context(), fmt.Sprintf("x.%d", i), "192.0.2.1")
	}
	if _, err := s.Authenticate(t.Context(), "user01", "app.a-long-secret-of-it", "192.0.2.1"); err != nil {
		t.Error(err)
	}
}

// TestRememberedPasswordEndsWithTheName: for minutes the old name of a renamed
// user still let them in, even when it was somebody else's by then.
func TestRememberedPasswordEndsWithTheName(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	withPassword(t, s, h.user, "right")
	if _, err := s.Authenticate(t.Context(), "user01", "right", "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error {
		h.user.Name = "renamed"
		return errors.Join(tx.UpdatePrincipal(h.user), tx.CreatePrincipal(&Principal{Kind: KindUser, Name: "user01", Org: h.org.ID}))
	})
	if _, err := s.Authenticate(t.Context(), "user01", "right", "192.0.2.1"); !errors.Is(err, ErrCredentials) {
		t.Errorf("the old name: %v", err)
	}
	if a, err := s.Authenticate(t.Context(), "renamed", "right", "192.0.2.1"); err != nil || a.Principal.ID != h.user.ID {
		t.Errorf("the new name: %v", err)
	}
}

// TestComparingSecretsIsNoSignIn: apply compares passwords and tokens; that
// counted as sign-ins, and could be throttled.
func TestComparingSecretsIsNoSignIn(t *testing.T) {
	s := newTest(t)
	s.auth.init(1)
	h := newTestHouse(t, s)
	withPassword(t, s, h.user, "right")
	update(t, s, func(tx *Tx) error {
		return errors.Join(
			tx.PutCredential(&Credential{ID: "tok", Kind: CredentialBearer, Org: h.org.ID}, "a-long-secret-of-it"),
			tx.PutCredential(&Credential{ID: "old", Kind: CredentialApp, Org: h.org.ID, Principal: h.user.ID, Expires: testNow.Add(-1)}, "a-long-secret-of-it"),
			tx.PutCredential(&Credential{ID: "ol", Kind: CredentialOnlive, Org: h.org.ID}, "a-long-secret-of-it"))
	})
	for range 3 {
		if err := s.VerifyUser(t.Context(), "user01", "wrong"); !errors.Is(err, ErrCredentials) {
			t.Errorf("wrong: %v", err)
		}
	}
	for name, want := range map[string]error{"user01": nil, "nobody": ErrCredentials, "ada": ErrCredentials, "": ErrCredentials} {
		if err := s.VerifyUser(t.Context(), name, "right"); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
	}
	if err := s.VerifyUser(t.Context(), "user01", "old.a-long-secret-of-it"); !errors.Is(err, ErrCredentials) {
		t.Errorf("an app password: %v", err)
	}
	view(t, s, func(v *View) error {
		for _, id := range []string{"tok", "old", "ol"} {
			yes, err := v.SecretIs(id, "a-long-secret-of-it")
			no, err2 := v.SecretIs(id, "another-long-secret")
			if !yes || no || err != nil || err2 != nil {
				t.Errorf("%s: %v, %v, %v, %v", id, yes, no, err, err2)
			}
		}
		if _, err := v.SecretIs("none", "x"); !errors.Is(err, ErrNotFound) {
			t.Errorf("no such credential: %v", err)
		}
		if c, err := v.Credential("tok"); err != nil || !c.LastUsed.IsZero() {
			t.Errorf("comparing counted as use: %v, %v", c, err)
		}
		return nil
	})
	if s.auth.throttled("", testNow) || len(s.auth.failures) > 0 {
		t.Error("comparing counted for the throttle")
	}
}

// TestShortLivedStoresCloseWithoutHanging: the goroutine that notes last uses
// ranged over a field that stop had set to nil before it ran, and waited for
// ever.
func TestShortLivedStoresCloseWithoutHanging(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s := &Store{}
		for range 20_000 {
			s.used.start(s)
			s.used.stop()
		}
		s.used.stop() // twice does no harm
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("stop hangs")
	}
}

// TestSealingKeyIsWholeOrNotThere: a key cut short by a full disk made every
// later credential fail.
func TestSealingKeyIsWholeOrNotThere(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	update(t, s, func(tx *Tx) error {
		return tx.PutCredential(&Credential{ID: "ol", Kind: CredentialOnlive, Org: h.org.ID}, "a-long-secret-of-it")
	})
	dir := filepath.Dir(s.opt.Path)
	names, err := filepath.Glob(filepath.Join(dir, KeyFile+"*"))
	if err != nil || len(names) != 1 {
		t.Errorf("files: %v, %v", names, err)
	}
	st, err := os.Stat(filepath.Join(dir, KeyFile))
	if err != nil || st.Size() != 32 || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
	if err := writeKey(filepath.Join(dir, KeyFile), make([]byte, 32)); err == nil {
		t.Error("a key was written over")
	}
	view(t, s, func(v *View) error {
		_, secret, err := v.Secret("ol")
		if secret != "a-long-secret-of-it" {
			t.Errorf("secret %q", secret)
		}
		return err
	})
}

func TestWatchAfterCloseEnds(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "watch.db"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	hints, cancel := s.Watch(1)
	defer cancel()
	if _, open := <-hints; open {
		t.Error("a hint from a closed store")
	}
	if got := s.Stats(); got.PageSize == 0 {
		t.Error("figures of a closed store")
	}
}
