package store

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"daybook/ical/span"
	"daybook/store/engine"
)

// checkBlockView compares the view of an organisation's blocks with what its
// calendars hold.
func checkBlockView(t *testing.T, s *Store, org PrincipalID, cols []CollectionID) {
	t.Helper()
	w := span.Span{Start: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2027, 3, 4, 0, 0, 0, 0, time.UTC)}
	view(t, s, func(v *View) error {
		var want []Row
		for _, c := range cols {
			rows, err := v.Instances(c, w, nil)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if r.Flags&RowBlock != 0 && !slices.Contains(want, r) {
					want = append(want, r)
				}
			}
		}
		got, err := v.BlockInstances(org, w, nil)
		if err != nil {
			return err
		}
		if !slices.IsSortedFunc(got, func(a, b Row) int { return int(a.Start - b.Start) }) {
			t.Error("not in order")
		}
		for _, r := range got {
			i := slices.Index(want, r)
			if i < 0 {
				t.Errorf("the view has %+v, which is in no calendar, or has it twice", r)
				continue
			}
			want = slices.Delete(want, i, i+1)
		}
		if len(want) > 0 {
			t.Errorf("the view lacks %+v", want)
		}
		return nil
	})
}

func viewRows(t *testing.T, s *Store, org PrincipalID, w span.Span) (out []Row) {
	t.Helper()
	view(t, s, func(v *View) (err error) {
		out, err = v.BlockInstances(org, w, nil)
		return err
	})
	return out
}

// A file of before there was a view gets one when it is opened: rows, and what
// has none.
func TestMigrationGivesBlocksTheirView(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	s, err := Open(t.Context(), Options{Path: path, Create: true, Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	h := fill(t, s)
	put(t, s, h.adaCal, "endless.ics", testEvent("e", ":20270301T100000Z", "CATEGORIES:BLOCK", "RRULE:FREQ=WEEKLY"))
	put(t, s, h.roomCal, "busy.ics", testEvent("d", ":20270301T100000Z", "CATEGORIES:BLOCK", "RRULE:FREQ=HOURLY"))
	mustCheck(t, s)
	err = s.db.Update(t.Context(), func(w engine.Writer) error {
		rows := metaInt(w, metaRows)
		for _, table := range []byte{tableRows, tableEndless, tableDense} {
			from := newKey(table).collection(viewMark)
			var keys [][]byte
			w.Scan(from, newKey(table).after(), func(k, _ []byte) bool {
				keys = append(keys, slices.Clone(k))
				return true
			})
			if len(keys) == 0 {
				t.Errorf("table %c has nothing of the view", table)
			}
			for _, k := range keys {
				w.Delete(k)
				if table == tableRows {
					rows--
				}
			}
		}
		w.Put(metaKey(metaRows), key(nil).u64(uint64(rows)))
		w.Put(metaKey(metaSchema), key(nil).u32(9))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), Options{Path: path, Now: func() time.Time { return testNow }}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mustCheck(t, s)
	checkBlockView(t, s, h.org.ID, []CollectionID{h.adaCal, h.roomCal, h.userCal})
}

// What check finds and mends in calendars it finds and mends in the view.
func TestCheckMendsTheViewOfBlocks(t *testing.T) {
	for name, harm := range map[string]func(w engine.Writer, k, b []byte){
		"removed": func(w engine.Writer, k, _ []byte) { w.Delete(k) },
		"changed": func(w engine.Writer, k, b []byte) { w.Put(k, append(slices.Clone(b), 1)) },
		"added":   func(w engine.Writer, k, b []byte) { w.Put(append(slices.Clone(k), 9), slices.Clone(b)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newTest(t)
			h := fill(t, s)
			err := s.db.Update(t.Context(), func(w engine.Writer) error {
				var k, b []byte
				w.Scan(newKey(tableRows).collection(blocksOf(h.org.ID)), newKey(tableRows).after(), func(key, value []byte) bool {
					k, b = slices.Clone(key), slices.Clone(value)
					return false
				})
				harm(w, k, b)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			if _, err := s.Check(t.Context(), true, func(Problem) { found++ }); err != nil || found == 0 {
				t.Fatalf("%d problems, %v", found, err)
			}
			mustCheck(t, s)
			checkBlockView(t, s, h.org.ID, []CollectionID{h.adaCal, h.roomCal, h.userCal})
		})
	}
}

// A block whose last calendar is removed is not found any more, while its rows
// wait to be swept.
func TestBlockOfRemovedCalendarIsNotInTheView(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	put(t, s, h.otherCal, "b.ics", testEvent("b", ":20270301T100000Z", "CATEGORIES:BLOCK"))
	if got := viewRows(t, s, h.org.ID, span.Span{}); len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	update(t, s, func(tx *Tx) error {
		tx.swept = sweepStep // nothing is swept at once
		return tx.DeleteCollection(System(), h.otherCal)
	})
	view(t, s, func(v *View) error {
		got, err := v.BlockInstances(h.org.ID, span.Span{}, nil)
		if len(got) != 0 {
			t.Errorf("%+v", got)
		}
		return err
	})
	s.sweepAll(t.Context())
	if got := viewRows(t, s, h.org.ID, span.Span{}); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	mustCheck(t, s)
}
