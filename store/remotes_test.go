package store

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"daybook/ical"
)

// newRemote makes a remote of ada's calendar.
func newRemote(t *testing.T, s *Store, h *testHouse, change func(*Remote)) *Remote {
	t.Helper()
	r := &Remote{Org: h.org.ID, Name: "holidays", Kind: RemoteICS, Target: h.adaCal, Host: "https://example.org"}
	if change != nil {
		change(r)
	}
	update(t, s, func(tx *Tx) error {
		return tx.PutRemote(r, &RemoteAccess{URL: "https://example.org/secret.ics", Password: "hush"})
	})
	return r
}

// pulled stores an event as the remote does.
func pulled(t *testing.T, s *Store, h *testHouse, r *Remote, name, text string) {
	t.Helper()
	o, err := ical.ParseResource([]byte(text), ical.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.PrepareFrom(o, r.Origin())
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error {
		_, err := tx.PutObject(Put{Actor: r.Actor(h.ada.ID), Collection: r.Target, Name: name, Object: p})
		return err
	})
}

func TestRemoteIsKeptWithItsSecretsSealed(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	r := newRemote(t, s, h, nil)
	view(t, s, func(v *View) error {
		if b := v.get(remoteKey(r.ID)); bytes.Contains(b, []byte("secret.ics")) || bytes.Contains(b, []byte("hush")) {
			t.Error("the record holds a secret")
		}
		got, err := v.Remote(r.ID)
		if err != nil {
			return err
		}
		a, err := v.RemoteAccess(got)
		if err != nil || a.Password != "hush" || a.URL != "https://example.org/secret.ics" {
			t.Errorf("%+v %v", a, err)
		}
		return nil
	})
	other := &Remote{Org: h.org.ID, Name: "holidays", Kind: RemoteICS, Target: h.adaCal}
	if err := s.Update(t.Context(), func(tx *Tx) error { return tx.PutRemote(other, &RemoteAccess{}) }); !errors.Is(err, ErrExists) {
		t.Errorf("the same name: %v", err)
	}
	changed := *r
	changed.Target = h.roomCal
	if err := s.Update(t.Context(), func(tx *Tx) error { return tx.PutRemote(&changed, nil) }); !errors.Is(err, ErrInvalid) {
		t.Errorf("another target: %v", err)
	}
	changed = *r
	changed.Sealed, changed.Name = nil, "feiertage"
	update(t, s, func(tx *Tx) error { return tx.PutRemote(&changed, nil) })
	view(t, s, func(v *View) error {
		a, err := v.RemoteAccess(&changed)
		if err != nil || a.Password != "hush" || !changed.Created.Equal(r.Created) {
			t.Errorf("%+v %v", a, err)
		}
		return nil
	})
	for name, bad := range map[string]func(*Remote){
		"kind": func(r *Remote) { r.Kind = "ftp" }, "two-way stream": func(r *Remote) { r.TwoWay = true },
		"interval": func(r *Remote) { r.Interval = time.Second }, "counts": func(r *Remote) { r.Counts = 9 },
		"rule": func(r *Remote) { r.Conflict = "dice" }, "limit": func(r *Remote) { r.DeleteLimit = 101 },
		"hours": func(r *Remote) { r.Components = []string{"VAVAILABILITY"} }, "days": func(r *Remote) { r.PastDays = -1 },
		"filter of two ways": func(r *Remote) { r.Kind, r.TwoWay, r.PastDays = RemoteCalDAV, true, 1 },
	} {
		x := &Remote{Org: h.org.ID, Name: "x", Kind: RemoteICS, Target: h.adaCal}
		bad(x)
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.PutRemote(x, nil) }); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever else tries to change what a remote keeps is refused, by every door.
func TestOnlyTheRemoteChangesWhatItKeeps(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	r := newRemote(t, s, h, nil)
	second := newRemote(t, s, h, func(r *Remote) { r.Name = "other" })
	// The marks of a block and an external id of ours mean nothing there.
	text := testEvent("far", ":20270301T090000Z", "CATEGORIES:BLOCK", ExternalIDProperty+":E1", OpenEndedProperty+":TRUE")
	pulled(t, s, h, r, "far.ics", text)
	put(t, s, h.roomCal, "far.ics", testEvent("far", ":20270301T090000Z", "CATEGORIES:BLOCK"))
	admin := System()
	door := map[string]func(tx *Tx) error{
		"put": func(tx *Tx) error {
			_, err := tx.PutObject(Put{Actor: admin, Collection: h.adaCal, Name: "far.ics", Object: mustPrepare(s, testEvent("far", ":20270302T090000Z"))})
			return err
		},
		"delete": func(tx *Tx) error { return tx.DeleteObject(admin, h.adaCal, "far.ics", Cond{}) },
		"move away": func(tx *Tx) error {
			_, err := tx.MoveObject(Move{Actor: admin, From: h.adaCal, To: h.orgCal, FromName: "far.ics", ToName: "a.ics"})
			return err
		},
		"move over it": func(tx *Tx) error {
			_, err := tx.MoveObject(Move{Actor: admin, From: h.roomCal, To: h.adaCal, FromName: "far.ics", ToName: "far.ics", Overwrite: true})
			return err
		},
		"copy over it": func(tx *Tx) error {
			_, err := tx.CopyObject(Move{Actor: admin, From: h.roomCal, To: h.adaCal, FromName: "far.ics", ToName: "far.ics", Overwrite: true})
			return err
		},
		"delete everywhere": func(tx *Tx) error {
			m, err := tx.Member(h.adaCal, "far.ics")
			if err != nil {
				return err
			}
			return tx.DeleteEverywhere(admin, m.Object, Cond{})
		},
		"another remote": func(tx *Tx) error { return tx.DeleteObject(second.Actor(h.ada.ID), h.adaCal, "far.ics", Cond{}) },
	}
	for name, fn := range door {
		if err := s.Update(t.Context(), fn); !errors.Is(err, ErrReadOnly) || !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	view(t, s, func(v *View) error {
		o, err := v.ObjectAt(h.adaCal, "far.ics")
		if err != nil || o.Block || o.Remote != r.ID || string(o.Data) != text {
			t.Errorf("%+v %v", o, err)
		}
		if ids, err := v.ObjectsByExternalID(h.org.ID, "E1"); err != nil || len(ids) != 0 {
			t.Errorf("an external id of somebody else is found: %v %v", ids, err)
		}
		return nil
	})
	// In turn it reaches nothing outside of its target, nor a block that is.
	if err := s.Update(t.Context(), func(tx *Tx) error { return tx.DeleteObject(r.Actor(h.ada.ID), h.roomCal, "far.ics", Cond{}) }); !errors.Is(err, ErrNotFound) {
		t.Errorf("outside of its target: %v", err)
	}
	// A copy is our own, and a block again.
	update(t, s, func(tx *Tx) error {
		_, err := tx.CopyObject(Move{Actor: admin, From: h.adaCal, To: h.orgCal, FromName: "far.ics", ToName: "far.ics"})
		return err
	})
	view(t, s, func(v *View) error {
		o, err := v.ObjectAt(h.orgCal, "far.ics")
		if err != nil || !o.Block || o.Remote != 0 {
			t.Errorf("%+v %v", o, err)
		}
		return nil
	})
	mustCheck(t, s)
	update(t, s, func(tx *Tx) error { return tx.DeleteObject(r.Actor(h.ada.ID), h.adaCal, "far.ics", Cond{}) })
	mustCheck(t, s)
}

func TestCountsSayWhatTheTimeIsTakenFor(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	const busy, tentative, free, none = "busy", "tentative", "free", "none"
	lines := map[string][]string{
		"opaque": nil, "transparent": {"TRANSP:TRANSPARENT"}, "tentative": {"STATUS:TENTATIVE"}, "cancelled": {"STATUS:CANCELLED"},
		"dense": {"RRULE:FREQ=HOURLY"},
	}
	want := map[Counts]map[string]string{
		CountsSource:    {"opaque": busy, "transparent": free, "tentative": tentative, "cancelled": free, "dense": busy},
		CountsBusy:      {"opaque": busy, "transparent": busy, "tentative": busy, "cancelled": free, "dense": busy},
		CountsTentative: {"opaque": tentative, "transparent": free, "tentative": tentative, "cancelled": free, "dense": tentative},
		CountsFree:      {"opaque": free, "transparent": free, "tentative": free, "cancelled": free, "dense": free},
		CountsIgnored:   {"opaque": none, "transparent": none, "tentative": none, "cancelled": none, "dense": none},
	}
	for counts, byLine := range want {
		for what, expected := range byLine {
			r := newRemote(t, s, h, func(r *Remote) { r.Counts = counts; r.Name = counts.String() + what })
			pulled(t, s, h, r, "x.ics", testEvent("x", ":20270301T090000Z", lines[what]...))
			w := window(t, "20270301T0900", "20270301T0930")
			got := none
			view(t, s, func(v *View) error {
				rows, err := v.Instances(h.adaCal, w, nil)
				for _, x := range rows {
					got = map[ical.BusyType]string{ical.BusyBusy: busy, ical.BusyTentative: tentative, ical.BusyFree: free}[x.Flags.Busy()]
					if x.Flags&RowRemote == 0 {
						t.Error("a row does not say that a remote keeps it")
					}
				}
				taken, err2 := v.Taken(h.ada.ID, w)
				if taken != (expected == busy || expected == tentative) {
					t.Errorf("%s %s: taken is %v", counts, what, taken)
				}
				hits, _, err3 := v.Find(h.adaCal, "VEVENT", w, nil)
				if len(hits) != 1 {
					t.Errorf("%s %s: calendar clients find %d", counts, what, len(hits))
				}
				return errors.Join(err, err2, err3)
			})
			if got != expected {
				t.Errorf("%s, %s: %s, want %s", counts, what, got, expected)
			}
			mustCheck(t, s)
			update(t, s, func(tx *Tx) error {
				return errors.Join(tx.DeleteObject(r.Actor(h.ada.ID), h.adaCal, "x.ics", Cond{}), tx.DeleteRemote(r.ID))
			})
		}
	}
}

func TestRemotesGoWithTheirCalendarAndLeaveNothing(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	r := newRemote(t, s, h, nil)
	kept := newRemote(t, s, h, func(r *Remote) { r.Name, r.Target = "kept", h.roomCal })
	pulled(t, s, h, r, "x.ics", testEvent("x", ":20270301T090000Z"))
	update(t, s, func(tx *Tx) error {
		for _, id := range []RemoteID{r.ID, kept.ID} {
			for _, href := range []string{"a", "b"} {
				tx.PutBase(id, &Base{Href: href, Name: "x.ics"})
			}
		}
		return tx.PutRemoteState(r.ID, RemoteState{Error: "x", Conflicts: make([]RemoteConflict, 100), Refusals: make([]RemoteNote, 100)})
	})
	view(t, s, func(v *View) error {
		st, err := v.RemoteState(r.ID)
		if len(st.Conflicts) != maxRemoteNotes || len(st.Refusals) != maxRemoteNotes {
			t.Error("the state is not bounded")
		}
		return err
	})
	update(t, s, func(tx *Tx) error { return tx.DeletePrincipal(h.ada.ID) })
	view(t, s, func(v *View) error {
		if _, err := v.Remote(r.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("it is still there: %v", err)
		}
		return nil
	})
	for done := false; !done; {
		var err error
		if _, done, err = s.Prune(t.Context(), time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	view(t, s, func(v *View) error {
		gone, err := v.Bases(r.ID)
		left, err2 := v.Bases(kept.ID)
		if len(gone) != 0 || len(left) != 2 {
			t.Errorf("%d bases of the removed remote, %d of the other", len(gone), len(left))
		}
		return errors.Join(err, err2)
	})
	mustCheck(t, s)
}

// A record that is lost leaves objects that nobody could change.
func TestRebuildGivesBackWhatALostRemoteKept(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	r := newRemote(t, s, h, func(r *Remote) { r.Counts = CountsFree })
	pulled(t, s, h, r, "x.ics", testEvent("x", ":20270301T090000Z"))
	update(t, s, func(tx *Tx) error {
		tx.del(remoteKey(r.ID))
		return nil
	})
	var found []string
	if _, err := s.Check(t.Context(), true, func(p Problem) { found = append(found, p.Message) }); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(found, "is kept by a remote that does not exist") {
		t.Errorf("found %q", found)
	}
	mustCheck(t, s)
	update(t, s, func(tx *Tx) error { return tx.DeleteObject(System(), h.adaCal, "x.ics", Cond{}) })
	mustCheck(t, s)
}

func TestEachTableHasALetterOfItsOwn(t *testing.T) {
	seen := map[byte]bool{}
	for _, table := range allTables {
		if seen[table] {
			t.Errorf("%q is the letter of two tables", table)
		}
		seen[table] = true
	}
}
