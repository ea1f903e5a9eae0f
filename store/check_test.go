package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/store/engine"
)

// fill makes a store in which every table has something.
func fill(t *testing.T, s *Store) *testHouse {
	t.Helper()
	h := newTestHouse(t, s)
	put(t, s, h.adaCal, "weekly.ics", testEvent("w", ";TZID=Europe/Berlin:20270105T090000", "RRULE:FREQ=WEEKLY"))
	put(t, s, h.adaCal, "dense.ics", testEvent("m", ":20270301T000000Z", "RRULE:FREQ=MINUTELY"))
	put(t, s, h.userCal, "single.ics", testEvent("s", ":20270302T090000Z"))
	put(t, s, h.userCal, "gone.ics", testEvent("g", ":20270302T090000Z"))
	update(t, s, func(tx *Tx) error {
		block := mustPrepare(s, testEvent("b", ":20270301T100000Z", "CATEGORIES:BLOCK"))
		_, err := tx.PutBlock(PutBlock{Actor: System(), Org: h.org.ID, Object: block, Targets: []CollectionID{h.adaCal, h.roomCal}})
		return errors.Join(err, tx.DeleteObject(System(), h.userCal, "gone.ics", Cond{}),
			tx.SetGrant(h.user.ID, h.ada.ID, RightRead),
			tx.PutFeed(&Feed{Org: h.org.ID, Collection: h.adaCal, Name: "ada"}, "feed-secret-of-ada"))
	})
	return h
}

// TestCheckFindsAndRebuildMends damages every derived table, one key at a time
// (removed, changed, added), and lets the check find and mend it.
func TestCheckFindsAndRebuildMends(t *testing.T) {
	tables := []byte{
		tableNames, tableUUIDs, tableAliases, tableGrantsOn, tableHomes, tableStates, tableMembers, tableChanges, tableTombstones,
		tableHolders, tableRows, tableEndless, tableDense, tableFeedIDs,
	}
	for i, table := range tables {
		for j, damage := range []string{"removed", "changed", "added"} {
			if testing.Short() && i%3 != j {
				continue
			}
			t.Run(fmt.Sprintf("%c %s", table, damage), func(t *testing.T) {
				s := newTest(t)
				h := fill(t, s)
				before := answers(t, s, h)
				mustCheck(t, s)
				if err := s.db.Update(t.Context(), func(w engine.Writer) error { return harm(w, table, damage) }); err != nil {
					t.Fatal(err)
				}
				found := 0
				if _, err := s.Check(t.Context(), true, func(Problem) { found++ }); err != nil {
					t.Fatal(err)
				}
				if found == 0 {
					t.Fatal("not found")
				}
				mustCheck(t, s)
				if after := answers(t, s, h); !slices.Equal(before, after) {
					t.Errorf("answers changed:\n%v\n%v", before, after)
				}
			})
		}
	}
}

func harm(w engine.Writer, table byte, damage string) error {
	var k, b []byte
	w.Scan(newKey(table), newKey(table).after(), func(key, value []byte) bool {
		k, b = bytes.Clone(key), bytes.Clone(value)
		return false
	})
	if k == nil {
		return errors.New("the table is empty")
	}
	switch damage {
	case "removed":
		w.Delete(k)
	case "changed":
		at := len(b) * 3 / 4
		if table == tableStates {
			at = 3 // the number of members; nothing else says when the last change was
		}
		b[at] ^= 0x55
		w.Put(k, b)
	default:
		k[len(k)-1] ^= 0x55
		w.Put(k, b)
	}
	return nil
}

// answers is what clients see, without what may change in a repair (tokens).
func answers(t *testing.T, s *Store, h *testHouse) []string {
	t.Helper()
	var out []string
	for _, c := range []CollectionID{h.orgCal, h.userCal, h.otherCal, h.adaCal, h.roomCal} {
		for _, name := range slices.Sorted(maps.Keys(listing(t, s, c))) {
			out = append(out, fmt.Sprint(c, name))
		}
		out = append(out, rows(t, s, c, "20270301T0000", "20270308T0000", nil)[:0]...)
		out = append(out, fmt.Sprint(len(rows(t, s, c, "20270301T0000", "20270302T0000", nil))))
	}
	view(t, s, func(v *View) error {
		all, err := v.Principals(0)
		for _, p := range all {
			out = append(out, p.Name, p.UUID.String())
		}
		for _, uid := range []string{"w", "m", "s", "b", "g"} {
			i, err := v.Identity(h.org.ID, uid)
			if err != nil {
				return err
			}
			back, err := v.IdentityByAlias(h.org.ID, i.Alias)
			if err != nil || back != i {
				out = append(out, "alias of "+uid+" leads elsewhere")
			}
		}
		m, err2 := v.MemberByUID(h.adaCal, "b")
		out = append(out, m.Name)
		return errors.Join(err, err2)
	})
	return out
}

func TestRepairedHistoryEndsOldTokens(t *testing.T) {
	s := newTest(t)
	h := fill(t, s)
	f := follower{c: h.userCal, has: map[string]ETag{}}
	if err := f.sync(s, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.db.Update(t.Context(), func(w engine.Writer) error { return harm(w, tableChanges, "removed") }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Check(t.Context(), true, func(Problem) {}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []CollectionID{h.userCal, h.adaCal} {
		f := follower{c: c, token: f.token, has: f.has}
		if err := f.sync(s, 0); err != nil || !maps.Equal(f.has, listing(t, s, c)) && c == h.userCal {
			t.Errorf("a client that goes on after the repair: %v, has %v", err, f.has)
		}
	}
}

func TestTokensOfAnotherEpochOrTheFutureAreRefused(t *testing.T) {
	s := newTest(t)
	h := fill(t, s)
	var token Token
	view(t, s, func(v *View) error {
		st, err := v.State(h.adaCal)
		token = v.Token(h.adaCal, st)
		return err
	})
	ask := func(text string) error {
		return s.View(t.Context(), func(v *View) error {
			_, _, _, err := v.Changes(h.adaCal, text, 0)
			return err
		})
	}
	future, foreign := token, token
	future.Seq++
	foreign.Collection = h.roomCal
	for _, text := range []string{future.String(), foreign.String(), "x", "urn:daybook:sync:", token.String() + "-", token.String() + "x", "-1"} {
		if err := ask(text); !errors.Is(err, ErrToken) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := ask(token.String()); err != nil {
		t.Error(err)
	}
	if err := s.NewEpoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := ask(token.String()); !errors.Is(err, ErrToken) {
		t.Errorf("after a new epoch: %v", err)
	}
}

func TestPruneEndsTokensThatMissDeletions(t *testing.T) {
	s := newTest(t)
	h := fill(t, s)
	var old, now Token
	view(t, s, func(v *View) error {
		st, err := v.State(h.userCal)
		now, old = v.Token(h.userCal, st), v.Token(h.userCal, State{Seq: 1})
		return err
	})
	if n, done, err := s.Prune(t.Context(), testNow.AddDate(0, 0, -1)); n != 0 || !done || err != nil {
		t.Errorf("nothing is old enough: %d, %v, %v", n, done, err)
	}
	if n, done, err := s.Prune(t.Context(), testNow.AddDate(0, 0, 1)); n != 1 || !done || err != nil {
		t.Errorf("one tombstone: %d, %v, %v", n, done, err)
	}
	view(t, s, func(v *View) error {
		if _, _, _, err := v.Changes(h.userCal, old.String(), 0); !errors.Is(err, ErrToken) {
			t.Errorf("a token from before the deletion: %v", err)
		}
		_, _, _, err := v.Changes(h.userCal, now.String(), 0)
		return err
	})
	mustCheck(t, s)
}

func TestNewerFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.db")
	s := openTest(t, path)
	if err := s.db.Update(t.Context(), func(w engine.Writer) error {
		w.Put(metaKey(metaSchema), key(nil).u32(schemaVersion+1))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), Options{Path: path}); !errors.Is(err, ErrNewer) {
		t.Errorf("got %v, want ErrNewer", err)
	}
}

func TestMissingFileIsNotMade(t *testing.T) {
	if _, err := Open(context.Background(), Options{Path: filepath.Join(t.TempDir(), "none.db")}); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestIdentityComesBackWithItsUID(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	identity := func() (i Identity) {
		view(t, s, func(v *View) (err error) {
			i, err = v.Identity(h.org.ID, "x")
			return err
		})
		return i
	}
	put(t, s, h.adaCal, "x.ics", testEvent("x", ":20270301T100000Z"))
	first := identity()
	update(t, s, func(tx *Tx) error { return tx.DeleteObject(System(), h.adaCal, "x.ics", Cond{}) })
	put(t, s, h.roomCal, "y.ics", testEvent("x", ":20270301T100000Z"))
	if again := identity(); again != first {
		t.Errorf("%+v became %+v", first, again)
	}
	const id = "0197f3c2-6d5e-7b7a-9f0e-2f3c1a4b5c6d"
	put(t, s, h.adaCal, "rest.ics", testEvent(id, ":20270301T100000Z"))
	view(t, s, func(v *View) error {
		i, err := v.Identity(h.org.ID, id)
		if i.UUID.String() != id {
			t.Errorf("the uuid of an object made by REST is %s", i.UUID)
		}
		return err
	})
}

// TestCheckOfDamagedPagesReportsAndRebuildsNothing: pages overwritten in the
// middle of the file must neither end the process nor be written around.
func TestCheckOfDamagedPagesReportsAndRebuildsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pages.db")
	s := openTest(t, path)
	h := newTestHouse(t, s)
	many(t, s, h.adaCal, 200)
	pages := s.Stats().FileBytes / s.Stats().PageSize
	size := s.Stats().PageSize
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for page := int64(2); page < pages; page += max(1, pages/25) {
		b := bytes.Clone(whole)
		for i := page * size; i < min((page+1)*size, int64(len(b))); i++ {
			b[i] ^= 0xa5
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), Options{Path: path, Now: func() time.Time { return testNow }})
		if err != nil {
			continue // refused, and that is told
		}
		found := 0
		stats, err := s.Check(t.Context(), true, func(Problem) { found++ })
		if found != stats.Problems || err != nil && found == 0 {
			t.Errorf("page %d: %d reported, %d counted, %v", page, found, stats.Problems, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("page %d: %v", page, err)
		}
	}
}

// TestRebuildKeepsWhatItCannotUnderstand: damaged records are reported and left
// alone; a rebuild gave up at the first, and removed objects whose collection
// was lost.
func TestRebuildKeepsWhatItCannotUnderstand(t *testing.T) {
	s := newTest(t)
	h := fill(t, s)
	if err := s.db.Update(t.Context(), func(w engine.Writer) error {
		w.Put(principalKey(h.room.ID), []byte{9, 9})
		w.Put(collectionKey(h.otherCal), []byte{9})
		w.Delete(collectionKey(h.userCal))
		w.Put(identityKey(h.org.ID, hashUID("w")), []byte{9})
		w.Delete(dataKey(1))
		w.Put(factsKey(99), []byte{9})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	check := func(rebuild bool) (kinds []string) {
		t.Helper()
		if _, err := s.Check(t.Context(), rebuild, func(p Problem) { kinds = append(kinds, p.Kind+" "+p.Where+" "+p.Message) }); err != nil {
			t.Fatal(err)
		}
		return kinds
	}
	if found := check(true); len(found) < 6 {
		t.Errorf("found %q", found)
	}
	for _, left := range check(false) {
		ok := false
		for _, known := range []string{"records ", "data object 1 ", "members ", "directory ", "collection 2"} {
			ok = ok || strings.HasPrefix(left, known) || strings.Contains(left, known)
		}
		if !ok {
			t.Errorf("after the rebuild: %s", left)
		}
	}
	view(t, s, func(v *View) error {
		if v.get(dataKey(3)) == nil || v.get(factsKey(99)) == nil {
			t.Error("a rebuild removed facts")
		}
		_, err := v.Member(h.adaCal, "weekly.ics") // its body is lost, it is not
		return err
	})
}

func TestOlderFileIsMigratedOrRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	s := openTest(t, path)
	if err := s.db.Update(t.Context(), func(w engine.Writer) error {
		w.Put(metaKey(metaSchema), key(nil).u32(1))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Path: path, ReadOnly: true}); !errors.Is(err, ErrOlder) {
		t.Errorf("for reading only: %v, want ErrOlder", err)
	}
	s = openTest(t, path)
	mustCheck(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), Options{Path: path, ReadOnly: true}); err != nil {
		t.Error(err)
	} else if err := s.Close(); err != nil {
		t.Error(err)
	}
}
