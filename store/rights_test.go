package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestRightsReachWhatTheGrantNamesAndNothingElse(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	other := &Principal{Kind: KindOrganisation, Name: "other"}
	boss := &Principal{Kind: KindUser, Name: "boss", Org: h.org.ID}
	reader := &Principal{Kind: KindUser, Name: "reader", Org: h.org.ID}
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.CreatePrincipal(other), tx.CreatePrincipal(boss), tx.CreatePrincipal(reader),
			tx.SetGrant(boss.ID, h.org.ID, RightAdmin), tx.SetGrant(reader.ID, h.ada.ID, RightRead))
	})
	alien := &Principal{Kind: KindUser, Name: "alien", Org: other.ID}
	update(t, s, func(tx *Tx) error { return tx.CreatePrincipal(alien) })
	update(t, s, func(tx *Tx) error {
		if err := tx.SetGrant(alien.ID, h.ada.ID, RightRead); !errors.Is(err, ErrNotFound) {
			t.Errorf("a grant across organisations: %v", err)
		}
		return nil
	})
	actor := func(p *Principal) *Actor { return &Actor{Principal: p, Org: p.Org} }
	app := &Actor{Principal: boss, Org: boss.Org, Grants: []Grant{{Target: h.room.ID, Rights: RightRead}}, limited: true}
	token := &Actor{Org: h.org.ID, Grants: []Grant{{Target: h.org.ID, Rights: RightWrite}}}
	for _, c := range []struct {
		name   string
		who    *Actor
		target *Principal
		want   Rights
	}{
		{"own home", actor(h.user), h.user, RightAdmin.Full()},
		{"no grant", actor(h.user), h.ada, 0},
		{"organisation's admin on a resource", actor(boss), h.ada, RightAdmin.Full()},
		{"organisation's admin on its calendar", actor(boss), h.org, RightAdmin.Full()},
		{"organisation's admin on a user's home", actor(boss), h.user, 0},
		{"grant on one resource", actor(reader), h.ada, RightRead.Full()},
		{"grant on another resource", actor(reader), h.room, 0},
		{"another organisation", actor(alien), h.ada, 0},
		{"limited app password, inside", app, h.room, RightRead.Full()},
		{"limited app password, outside", app, h.ada, 0},
		{"limited app password, own home", app, boss, 0},
		{"token of the organisation", token, h.room, RightWrite.Full()},
		{"token of the organisation on a home", token, h.user, 0},
		{"nobody", nil, h.ada, 0},
	} {
		view(t, s, func(v *View) error {
			if got := v.Rights(c.who, c.target.ID); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
			return nil
		})
	}
	view(t, s, func(v *View) error {
		var names []string
		all, err := v.Reachable(actor(boss))
		for _, p := range all {
			names = append(names, p.Name)
		}
		if got := fmt.Sprint(names); got != "[boss ada demo room-1]" {
			t.Errorf("reachable: %s", got)
		}
		return err
	})
	// Revoked at once, cache or not.
	update(t, s, func(tx *Tx) error { return tx.SetGrant(boss.ID, h.org.ID, 0) })
	view(t, s, func(v *View) error {
		if got := v.Rights(actor(boss), h.ada.ID); got != 0 {
			t.Errorf("after the grant went: %q", got)
		}
		return nil
	})
	mustCheck(t, s)
}

func TestBlockChangesNeedWriteOnAllItsCalendars(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.SetGrant(h.user.ID, h.ada.ID, RightWrite), tx.SetGrant(h.user.ID, h.room.ID, RightRead))
	})
	who := &Actor{Principal: h.user, Org: h.org.ID}
	block := prepare(t, s, testEvent("b", ":20270301T100000Z", "CATEGORIES:BLOCK"))
	update(t, s, func(tx *Tx) error {
		_, err := tx.PutBlock(PutBlock{Actor: System(), Org: h.org.ID, Object: block, Targets: []CollectionID{h.adaCal, h.roomCal}})
		return err
	})
	moved := prepare(t, s, testEvent("b", ":20270301T110000Z", "CATEGORIES:BLOCK"))
	err := s.Update(t.Context(), func(tx *Tx) error {
		_, err := tx.PutObject(Put{Actor: who, Collection: h.adaCal, Name: "b.ics", Object: moved})
		return err
	})
	if !errors.Is(err, ErrForbidden) {
		t.Errorf("PUT of a block that is also in a read-only calendar: %v", err)
	}
	// Deleting it in the own calendar releases it there and nowhere else.
	update(t, s, func(tx *Tx) error { return tx.DeleteObject(who, h.adaCal, "b.ics", Cond{}) })
	if n := len(listing(t, s, h.adaCal)); n != 0 {
		t.Errorf("ada still has %d", n)
	}
	if n := len(listing(t, s, h.roomCal)); n != 1 {
		t.Errorf("the room has %d", n)
	}
	mustCheck(t, s)
}

func TestPasswordsAndTokens(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	hash := func(p string) []byte {
		b, err := HashPassword(p)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first, second := hash("first"), hash("second")
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.SetPassword(h.user.ID, first),
			tx.PutCredential(&Credential{ID: "tok", Kind: CredentialBearer, Org: h.org.ID, Grants: []Grant{{Target: h.org.ID, Rights: RightRead}}}, "a-long-secret-of-it"),
			tx.PutCredential(&Credential{ID: "old", Kind: CredentialBearer, Org: h.org.ID, Expires: testNow.Add(-time.Second)}, "a-long-secret-of-it"),
			tx.PutCredential(&Credential{ID: "app", Kind: CredentialApp, Org: h.org.ID, Principal: h.user.ID}, "a-long-secret-of-it"))
	})
	basic := func(name, password string) error {
		_, err := s.Authenticate(t.Context(), name, password, "192.0.2.1")
		return err
	}
	for _, c := range []struct {
		name, user, password string
		want                 error
	}{
		{"right", "user01", "first", nil},
		{"right again, remembered", "user01", "first", nil},
		{"wrong", "user01", "second", ErrCredentials},
		{"unknown user", "nobody", "first", ErrCredentials},
		{"empty password", "user01", "", ErrCredentials},
		{"a resource", "ada", "first", ErrCredentials},
		{"app password", "user01", "app.a-long-secret-of-it", nil},
		{"somebody else's app password", "ada", "app.a-long-secret-of-it", ErrCredentials},
		{"a bearer token as password", "user01", "tok.a-long-secret-of-it", ErrCredentials},
	} {
		if err := basic(c.user, c.password); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	update(t, s, func(tx *Tx) error { return tx.SetPassword(h.user.ID, second) })
	if err := basic("user01", "first"); !errors.Is(err, ErrCredentials) {
		t.Errorf("the old password after a change: %v", err)
	}
	if err := basic("user01", "second"); err != nil {
		t.Errorf("the new password: %v", err)
	}
	for token, want := range map[string]error{
		"tok.a-long-secret-of-it": nil, "tok.another": ErrCredentials, "nix.a-long-secret-of-it": ErrCredentials,
		"old.a-long-secret-of-it": ErrCredentials, "app.a-long-secret-of-it": ErrCredentials, "": ErrCredentials, "tok": ErrCredentials,
	} {
		if _, err := s.AuthenticateToken(t.Context(), token, "192.0.2.2"); !errors.Is(err, want) {
			t.Errorf("token %q: %v, want %v", token, err, want)
		}
	}
	update(t, s, func(tx *Tx) error { return tx.DeleteCredential("tok") })
	if _, err := s.AuthenticateToken(t.Context(), "tok.a-long-secret-of-it", "192.0.2.3"); !errors.Is(err, ErrCredentials) {
		t.Errorf("revoked token: %v", err)
	}
}

func TestFailedSignInsSlowDownTheirAddressOnly(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	hash, err := HashPassword("right")
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error { return tx.SetPassword(h.user.ID, hash) })
	if _, err := s.Authenticate(t.Context(), "user01", "right", "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	throttled := false
	for i := range 1100 {
		_, err := s.AuthenticateToken(t.Context(), fmt.Sprintf("x.%d", i), "192.0.2.1")
		throttled = throttled || errors.Is(err, ErrThrottled)
	}
	if !throttled {
		t.Error("eleven hundred tokens in an instant and never throttled")
	}
	for range 100 {
		s.auth.failed("192.0.2.1", testNow, s.auth.burst) // as if it had guessed passwords, which takes long
	}
	if _, err := s.Authenticate(t.Context(), "user01", "wrong", "192.0.2.1"); !errors.Is(err, ErrThrottled) {
		t.Errorf("a new guess from that address: %v", err)
	}
	if _, err := s.Authenticate(t.Context(), "user01", "right", "192.0.2.1"); err != nil {
		t.Errorf("a client that was verified before: %v", err)
	}
	if _, err := s.Authenticate(t.Context(), "user01", "wrong", "192.0.2.9"); !errors.Is(err, ErrCredentials) {
		t.Errorf("another address: %v", err)
	}
}

// TestWhoMayOnlyDeleteCannotMoveToRead: a member moved into an own calendar can
// be read there.
func TestWhoMayOnlyDeleteCannotMoveToRead(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	update(t, s, func(tx *Tx) error { return tx.SetGrant(h.user.ID, h.ada.ID, RightDelete) })
	put(t, s, h.adaCal, "a.ics", testEvent("a", ":20270301T100000Z"))
	who := &Actor{Principal: h.user, Org: h.org.ID}
	m := Move{Actor: who, From: h.adaCal, To: h.userCal, FromName: "a.ics", ToName: "a.ics"}
	err := s.Update(t.Context(), func(tx *Tx) error { _, err := tx.MoveObject(m); return err })
	if !errors.Is(err, ErrForbidden) {
		t.Errorf("got %v", err)
	}
	update(t, s, func(tx *Tx) error { return tx.DeleteObject(who, h.adaCal, "a.ics", Cond{}) })
	mustCheck(t, s)
}

// TestRecordsAreBounded: what one record may hold had holes.
func TestRecordsAreBounded(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	long := strings.Repeat("x", 1<<20)
	for what, try := range map[string]func(tx *Tx) error{
		"time zone of a calendar": func(tx *Tx) error {
			return tx.CreateCollection(System(), &Collection{Owner: h.user.ID, Name: "a", TimezoneID: long})
		},
		"component of a calendar": func(tx *Tx) error {
			return tx.CreateCollection(System(), &Collection{Owner: h.user.ID, Name: "a", Components: []string{long}})
		},
		"properties of a home": func(tx *Tx) error {
			p, err := tx.Principal(h.user.ID)
			if err != nil {
				return err
			}
			p.Dead = []DeadProp{{XML: []byte(long)}}
			return tx.UpdatePrincipal(p)
		},
		"number of properties": func(tx *Tx) error {
			return tx.CreateCollection(System(), &Collection{Owner: h.user.ID, Name: "a", Dead: make([]DeadProp, maxDeadProps+1)})
		},
		"grants of a credential": func(tx *Tx) error {
			c := &Credential{ID: "x", Kind: CredentialBearer, Org: h.org.ID}
			for range maxGrants + 1 {
				c.Grants = append(c.Grants, Grant{Target: h.org.ID, Rights: RightRead})
			}
			return tx.PutCredential(c, "a-long-secret-of-it")
		},
		"app password of a room": func(tx *Tx) error {
			return tx.PutCredential(&Credential{ID: "x", Kind: CredentialApp, Org: h.org.ID, Principal: h.room.ID}, "a-long-secret-of-it")
		},
		"title of a feed": func(tx *Tx) error {
			return tx.PutFeed(&Feed{Org: h.org.ID, Collection: h.adaCal, Name: "a", Title: long}, "feed-secret-of-it")
		},
		"members of a user": func(tx *Tx) error {
			return tx.CreatePrincipal(&Principal{Kind: KindUser, Name: "m", Org: h.org.ID, Members: make([]uuid.UUID, 1)})
		},
		"colon in a login": func(tx *Tx) error {
			return tx.CreatePrincipal(&Principal{Kind: KindUser, Name: "a:b", Org: h.org.ID})
		},
		"event in two calendars": func(tx *Tx) error {
			p := mustPrepare(s, testEvent("e", ":20270301T100000Z"))
			_, err := tx.PutBlock(PutBlock{Actor: System(), Org: h.org.ID, Object: p, Targets: []CollectionID{h.adaCal, h.roomCal}})
			return err
		},
	} {
		if err := s.Update(t.Context(), try); !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrQuota) {
			t.Errorf("%s: %v", what, err)
		}
	}
	mustCheck(t, s)
}

// TestHighChosenAliasLeavesRoom: a resource with the highest alias set the
// counter to its end, and nothing more could be stored.
func TestHighChosenAliasLeavesRoom(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.CreatePrincipal(&Principal{Kind: KindRoom, Name: "last", Org: h.org.ID, Alias: maxAlias - 1}),
			tx.CreatePrincipal(&Principal{Kind: KindRoom, Name: "third", Org: h.org.ID, Alias: 4}))
	})
	put(t, s, h.adaCal, "a.ics", testEvent("a", ":20270301T100000Z")) // 3
	put(t, s, h.adaCal, "b.ics", testEvent("b", ":20270301T100000Z")) // 4 is taken
	view(t, s, func(v *View) error {
		i, err := v.Identity(h.org.ID, "b")
		if i.Alias != 5 {
			t.Errorf("alias %d, want 5", i.Alias)
		}
		return err
	})
	update(t, s, func(tx *Tx) error {
		tx.setMetaInt(metaAlias+string(key(nil).principal(h.org.ID)), maxAlias-1)
		return nil
	})
	err := s.Update(t.Context(), func(tx *Tx) error {
		_, err := tx.PutObject(Put{Actor: System(), Collection: h.adaCal, Name: "c.ics", Object: mustPrepare(s, testEvent("c", ":20270301T100000Z"))})
		return err
	})
	if !errors.Is(err, ErrQuota) {
		t.Errorf("after the last alias: %v", err)
	}
	mustCheck(t, s)
}

// TestGrantsOfGroupsAreRefused: they were stored and reached nobody.
func TestGrantsOfGroupsAreRefused(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	group := &Principal{Kind: KindGroup, Name: "group", Org: h.org.ID, Members: []uuid.UUID{h.user.UUID}}
	update(t, s, func(tx *Tx) error { return tx.CreatePrincipal(group) })
	for _, pair := range [][2]PrincipalID{{group.ID, h.ada.ID}, {h.user.ID, group.ID}} {
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.SetGrant(pair[0], pair[1], RightRead) }); !errors.Is(err, ErrInvalid) {
			t.Errorf("%v: %v", pair, err)
		}
	}
}
