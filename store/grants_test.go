package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// grantModel is what the grants should say: who, on whom, on which of the
// calendars (0: all).
type grantModel map[[2]PrincipalID]map[CollectionID]Rights

func (m grantModel) set(who, target PrincipalID, c CollectionID, r Rights) {
	k := [2]PrincipalID{who, target}
	if m[k] == nil {
		m[k] = map[CollectionID]Rights{}
	}
	m[k][c] = r
}

// TestGrantsOnCalendarsFollowAModel sets and removes grants on homes and on
// single calendars, and makes, renames and removes calendars, at random.
func TestGrantsOnCalendarsFollowAModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newTest(t)
		defer s.Close()
		h := newTestHouse(t, s)
		users := []*Principal{h.user, {Kind: KindUser, Name: "ben", Org: h.org.ID}, {Kind: KindUser, Name: "cy", Org: h.org.ID}}
		update(t, s, func(tx *Tx) error { return errors.Join(tx.CreatePrincipal(users[1]), tx.CreatePrincipal(users[2])) })
		var cols []*Collection
		view(t, s, func(v *View) error {
			for _, u := range users {
				mine, err := v.Collections(u.ID)
				if cols = append(cols, mine...); err != nil {
					return err
				}
			}
			return nil
		})
		model := grantModel{}
		made := 0
		step := func(tx *Tx) error {
			who := rapid.SampledFrom(users).Draw(rt, "who")
			right := rapid.SampledFrom([]Rights{0, RightFreeBusy, RightRead, RightDelete, RightWrite, RightAdmin}).Draw(rt, "right")
			i := rapid.IntRange(0, len(cols)-1).Draw(rt, "calendar")
			c := cols[i]
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0:
				model.set(who.ID, c.Owner, 0, right)
				return tx.SetGrant(who.ID, c.Owner, right)
			case 1:
				if c.Name == CalendarName {
					return nil
				}
				cols = slices.Delete(cols, i, i+1)
				for k := range model {
					delete(model[k], c.ID)
				}
				return tx.DeleteCollection(System(), c.ID)
			case 2:
				made++
				fresh := &Collection{Owner: who.ID, Name: fmt.Sprint("made-", made)}
				cols = append(cols, fresh)
				return tx.CreateCollection(System(), fresh)
			case 3:
				made++
				return tx.RenameCollection(System(), c.ID, fmt.Sprint("renamed-", made))
			default:
				model.set(who.ID, c.Owner, c.ID, right)
				return tx.SetGrantOn(who.ID, c.ID, right)
			}
		}
		// In one transaction, as commits take most of the time.
		update(t, s, func(tx *Tx) error {
			for range rapid.IntRange(1, 25).Draw(rt, "steps") {
				if err := errors.Join(step(tx), model.compare(&tx.View, users, cols)); err != nil {
					return err
				}
			}
			return nil
		})
		view(t, s, func(v *View) error { return model.compare(v, users, cols) })
		mustCheck(t, s)
	})
}

func (m grantModel) compare(v *View, users []*Principal, cols []*Collection) error {
	for _, u := range users {
		actor := &Actor{Principal: u, Org: u.Org}
		var alone []CollectionID
		for _, c := range cols {
			grants := m[[2]PrincipalID{u.ID, c.Owner}]
			home, one := grants[0].Full(), grants[c.ID].Full()
			if c.Owner == u.ID {
				home = RightAdmin.Full()
			}
			if got := v.RightsOn(actor, c); got != home|one {
				return fmt.Errorf("%s on %s: %q, want %q", u.Name, c.Name, got, home|one)
			}
			if got := v.Rights(actor, c.Owner); got != home {
				return fmt.Errorf("%s on the home of %d: %q, want %q", u.Name, c.Owner, got, home)
			}
			if one&^home != 0 {
				alone = append(alone, c.ID)
			}
			on, err := v.GrantsOnCollection(c)
			if err != nil || slices.ContainsFunc(on, func(g GrantTo) bool { return g.Subject == u.ID }) != (one != 0) {
				return fmt.Errorf("grants on %s: %v, %w", c.Name, on, err)
			}
		}
		shared, err := v.Shared(actor, 0)
		if err != nil {
			return err
		}
		var got []CollectionID
		for _, c := range shared {
			got = append(got, c.ID)
		}
		slices.Sort(got)
		slices.Sort(alone)
		if !slices.Equal(got, alone) {
			return fmt.Errorf("%s is shared %v, want %v", u.Name, got, alone)
		}
	}
	return nil
}

func TestGrantOnOneCalendarIsRefusedWhereItSaysNothing(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	group := &Principal{Kind: KindGroup, Name: "group", Org: h.org.ID}
	other := &Principal{Kind: KindOrganisation, Name: "other"}
	update(t, s, func(tx *Tx) error { return errors.Join(tx.CreatePrincipal(group), tx.CreatePrincipal(other)) })
	alien := &Principal{Kind: KindUser, Name: "alien", Org: other.ID}
	update(t, s, func(tx *Tx) error { return tx.CreatePrincipal(alien) })
	for name, tt := range map[string]struct {
		who  PrincipalID
		on   CollectionID
		want error
	}{
		"a resource's calendar":    {h.user.ID, h.adaCal, ErrInvalid},
		"the organisation's":       {h.user.ID, h.orgCal, ErrInvalid},
		"to a group":               {group.ID, h.userCal, ErrInvalid},
		"to another organisation":  {alien.ID, h.userCal, ErrNotFound},
		"a calendar that is not":   {h.ada.ID, 9999, ErrNotFound},
		"to somebody who is not":   {9999, h.userCal, ErrNotFound},
		"to a resource, which may": {h.ada.ID, h.userCal, nil},
	} {
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.SetGrantOn(tt.who, tt.on, RightRead) }); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	mustCheck(t, s)
}

// TestGrantsOfACalendarGoWithIt: those of credentials too, and a credential
// that is left without any must not be without limits.
func TestGrantsOfACalendarGoWithIt(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	ben := &Principal{Kind: KindUser, Name: "ben", Org: h.org.ID}
	update(t, s, func(tx *Tx) error { return tx.CreatePrincipal(ben) })
	on := Grant{Target: h.user.ID, Collection: h.otherCal, Rights: RightWrite}
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.SetGrantOn(ben.ID, h.otherCal, RightRead),
			tx.PutCredential(&Credential{ID: "one", Kind: CredentialBearer, Org: h.org.ID, Grants: []Grant{on}}, "a-long-secret"),
			tx.PutCredential(&Credential{ID: "two", Kind: CredentialApp, Org: h.org.ID, Principal: ben.ID, Grants: []Grant{on, {Target: ben.ID, Rights: RightRead}}}, "a-long-secret"))
	})
	err := s.Update(t.Context(), func(tx *Tx) error {
		bad := Grant{Target: ben.ID, Collection: h.otherCal, Rights: RightRead} // not a calendar of ben's
		return tx.PutCredential(&Credential{ID: "bad", Kind: CredentialBearer, Org: h.org.ID, Grants: []Grant{bad}}, "a-long-secret")
	})
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("a grant on a calendar of somebody else's: %v", err)
	}
	view(t, s, func(v *View) error {
		other, err := v.Collection(h.otherCal)
		if err != nil {
			return err
		}
		first, err := v.Collection(h.userCal)
		if err != nil {
			return err
		}
		c, err := v.Credential("one")
		if err != nil {
			return err
		}
		token, err := v.ActorOf(c)
		if err != nil {
			return err
		}
		if a, b := v.RightsOn(token, other), v.RightsOn(token, first); a != RightWrite.Full() || b != 0 {
			t.Errorf("the token has %q and %q", a, b)
		}
		// The app password may write there, its user only read.
		if c, err = v.Credential("two"); err != nil {
			return err
		}
		app, err := v.ActorOf(c)
		if err != nil {
			return err
		}
		if a, b := v.RightsOn(app, other), v.RightsOn(app, first); a != RightRead.Full() || b != 0 {
			t.Errorf("the app password has %q and %q", a, b)
		}
		return nil
	})
	update(t, s, func(tx *Tx) error { return tx.DeleteCollection(System(), h.otherCal) })
	view(t, s, func(v *View) error {
		if _, err := v.Credential("one"); !errors.Is(err, ErrNotFound) {
			t.Errorf("the token: %v", err)
		}
		c, err := v.Credential("two")
		if err != nil || len(c.Grants) != 1 || c.Grants[0].Target != ben.ID {
			t.Errorf("the app password: %v, %v", c, err)
		}
		grants, err := v.GrantsOf(ben.ID)
		if err != nil || len(grants) != 0 {
			t.Errorf("grants: %v, %v", grants, err)
		}
		return nil
	})
	mustCheck(t, s)
}

func TestCheckKnowsGrantsThatLeadNowhere(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	ben := &Principal{Kind: KindUser, Name: "ben", Org: h.org.ID}
	update(t, s, func(tx *Tx) error { return tx.CreatePrincipal(ben) })
	update(t, s, func(tx *Tx) error {
		k := grantKey(ben.ID, Grant{Target: h.user.ID, Collection: 77})
		tx.put(k, []byte{byte(RightRead)})
		return tx.SetGrantOn(ben.ID, h.otherCal, RightRead)
	})
	var found []Problem
	if _, err := s.Check(t.Context(), true, func(p Problem) { found = append(found, p) }); err != nil || len(found) != 2 {
		t.Fatalf("%v, %v", found, err)
	}
	mustCheck(t, s)
	view(t, s, func(v *View) error {
		grants, err := v.GrantsOf(ben.ID)
		if err != nil || len(grants) != 1 || grants[0].Collection != h.otherCal {
			t.Errorf("%v, %v", grants, err)
		}
		return nil
	})
}
