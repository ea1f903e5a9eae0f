package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/ical/span"
)

// randomComponent is an event, or hours, of any kind that the index tells
// apart, near the house's week.
func randomComponent(r *rand.Rand, uid string) string {
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	day := houseWeek.Start.AddDate(0, 0, r.IntN(16)-4)
	at := day.Add(time.Duration(r.IntN(24*12)) * 5 * time.Minute)
	if r.IntN(6) == 0 {
		lines := fmt.Sprintf("PRIORITY:%d\n", r.IntN(4))
		if r.IntN(3) == 0 {
			lines += "DTSTART;TZID=Europe/Berlin:" + at.Format("20060102T150405") + "\nDURATION:P" + pick("1", "4") + "D\n"
		}
		lines += pick("", "", "X-DAYBOOK-SERVICE-POINT:\n", "X-DAYBOOK-SERVICE-POINT:0197f3c2-0000-7000-8000-0000000000b1\n", "RELATED-TO:o1\n")
		return hours(uid, lines, pick("", "MO,TU", "WE,SA,SU", "MO,TU,WE,TH,FR,SA,SU"), pick("0000", "0900"), pick("1200", "1700", "2359"))
	}
	start := pick(";TZID=Europe/Berlin:"+at.Format("20060102T150405"), ":"+at.Format("20060102T150405Z"), ":"+at.Format("20060102T150405"),
		";TZID=America/New_York:"+at.Format("20060102T150405"), ";VALUE=DATE:"+at.Format("20060102"))
	length := pick("PT30M", "PT30M", "PT30M", "PT2H", "PT2H", "PT26H", "P9D")
	if strings.HasPrefix(start, ";VALUE") {
		length = pick("P1D", "P3D")
	}
	lines := pick("", "", "", "", "", "RRULE:FREQ=DAILY;COUNT=2\n", "RRULE:FREQ=WEEKLY\n", "RRULE:FREQ=WEEKLY;UNTIL=20270401T000000Z\n", "RRULE:FREQ=DAILY;INTERVAL=2\n") +
		pick("", "", "", "TRANSP:TRANSPARENT\n", "STATUS:CANCELLED\n", "STATUS:TENTATIVE\n") +
		pick("", "", "X-DAYBOOK-BUFFER-BEFORE:PT20H\n", "X-DAYBOOK-BUFFER-AFTER:PT13H\n") +
		pick("", "", "CATEGORIES:BLOCK\n")
	if r.IntN(12) == 0 { // more rows than an object may have
		lines, length = "RRULE:FREQ=HOURLY;INTERVAL=5;COUNT=1500\n", "PT10M"
	}
	if r.IntN(15) == 0 && !strings.HasPrefix(start, ";VALUE") {
		return "BEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\nDTSTART:" + at.Format("20060102T150405Z") + "\nDTEND:" +
			at.AddDate(10, 0, 0).Format("20060102T150405Z") + "\nX-DAYBOOK-OPEN-ENDED:TRUE\nCATEGORIES:BLOCK\nEND:VEVENT\n"
	}
	return "BEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\nDTSTART" + start + "\nDURATION:" + length + "\n" + lines + "END:VEVENT\n"
}

// TestStoredOpeningsEqualFreshOnes edits, refreshes in part, loses derived
// rows, lets time pass and compares what is read with what the facts give.
func TestStoredOpeningsEqualFreshOnes(t *testing.T) {
	const rounds = 60
	seeds := uint64(8)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 1))
		h := newHouse(t)
		owners := []*Principal{h.org, h.room, h.other}
		from := houseWeek.Start
		used := 0
		for range rounds {
			owner := owners[r.IntN(3)]
			uid := fmt.Sprintf("%c%d", owner.Name[0], r.IntN(4))
			if owner == h.org {
				uid = fmt.Sprintf("o%d", r.IntN(3))
			}
			if r.IntN(2) == 0 {
				for _, p := range owners {
					h.refresh(p, from, 9)
				}
			}
			switch r.IntN(10) {
			case 0, 1, 2, 3, 4:
				h.put(owner, uid, randomComponent(r, uid))
			case 5:
				h.removeAny(r, owner)
			case 6:
				from = from.AddDate(0, 0, r.IntN(3))
				h.refresh(owner, from, 3+r.IntN(8))
			case 7:
				h.interrupted(r, owner, from)
			case 8:
				h.disturb(r)
			case 9:
				if _, _, err := h.s.ExtendHorizon(t.Context(), from.AddDate(1, r.IntN(3), 0)); err != nil {
					t.Fatal(err)
				}
			}
			used += h.compare(owners, seed)
		}
		if used == 0 {
			t.Errorf("seed %d: nothing was ever read as stored", seed)
		}
		if _, err := h.s.Check(t.Context(), false, func(p Problem) { t.Errorf("seed %d: %+v", seed, p) }); err != nil {
			t.Fatal(err)
		}
	}
}

func (h *house) refresh(p *Principal, from time.Time, days int) {
	h.t.Helper()
	if _, err := h.s.RefreshOpenings(h.t.Context(), p.ID, from, days); err != nil {
		h.t.Fatal(err)
	}
}

// interrupted stores days as a job does that ends in the middle.
func (h *house) interrupted(r *rand.Rand, p *Principal, from time.Time) {
	ctx, cancel := context.WithCancel(h.t.Context())
	if r.IntN(2) == 0 {
		cancel()
	}
	defer cancel()
	_, _ = h.s.refreshStep(ctx, p.ID, from, 20)
}

// disturb changes what is not an event: a zone, or derived rows are lost.
func (h *house) disturb(r *rand.Rand) {
	h.update(func(tx *Tx) error {
		switch r.IntN(4) {
		case 0:
			tx.dropPrefix(newKey(tableOpenings))
		case 1:
			for _, k := range tx.keys(newKey(tableOpenings)) {
				if r.IntN(3) == 0 {
					tx.del(k)
				}
			}
		case 2:
			org, err := tx.Principal(h.org.ID)
			if err != nil {
				return err
			}
			org.Zone = []string{"Europe/Berlin", "America/New_York", "Pacific/Auckland"}[r.IntN(3)]
			return tx.UpdatePrincipal(org)
		case 3: // as when the time zone data has changed
			keys := tx.keys(newKey(tableFacts))
			if len(keys) == 0 {
				return nil
			}
			id := ObjectID(u64(keys[r.IntN(len(keys))][1:]))
			for _, x := range tx.reindexAll([]ObjectID{id}, tx.s.indexUntil()) {
				if err := tx.reindex(x); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (h *house) removeAny(r *rand.Rand, p *Principal) {
	h.t.Helper()
	h.update(func(tx *Tx) error {
		c, err := tx.Calendar(p.ID)
		if err != nil {
			return err
		}
		var names []string
		err = tx.EachMember(c.ID, "", func(m Member) bool {
			names = append(names, m.Name)
			return true
		})
		if err != nil || len(names) == 0 {
			return err
		}
		return tx.DeleteObject(System(), c.ID, names[r.IntN(len(names))], Cond{})
	})
}

// compare compares Openings with what the facts give, and counts the answers
// that were stored.
func (h *house) compare(owners []*Principal, seed uint64) (stored int) {
	h.t.Helper()
	err := h.s.View(h.t.Context(), func(v *View) error {
		for _, p := range owners {
			w := span.Span{Start: houseWeek.Start.Add(-30 * time.Hour), End: houseWeek.End.Add(50 * time.Hour)}
			have, err := v.Openings(p.ID, w)
			if err != nil {
				return err
			}
			scope, err := v.openingsScope(p.ID)
			if err != nil {
				return err
			}
			want, err := v.computeOpenings(scope, w)
			if err != nil {
				return err
			}
			if !slices.Equal(have.Free, want.free) || have.Known != (len(want.covered) > 0) {
				h.t.Fatalf("seed %d, %s: openings %v, the facts give %v", seed, p.Name, have.Free, want.free)
			}
			for _, d := range v.storedDays(scope, dayOf(w.Start.Unix()), dayOf(w.End.Unix())) {
				if d != nil {
					stored++
				}
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return stored
}

// TestOlderFilesLearnWhatWasBooked takes a file back to the version before the
// index told it.
func TestOlderFilesLearnWhatWasBooked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "daybook.db")
	open := func() *Store {
		s, err := Open(t.Context(), Options{Path: path, Create: true, Now: func() time.Time { return houseWeek.Start }})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	h := &house{t: t, s: open(), org: &Principal{Kind: KindOrganisation, Name: "demo", Zone: "Europe/Berlin"}}
	h.update(func(tx *Tx) error { return tx.CreatePrincipal(h.org) })
	h.room = h.add(&Principal{Kind: KindRoom, Name: "room"})
	h.put(h.org, "week", hours("week", "", "MO", "0900", "1700"))
	h.put(h.room, "e", event("e", "20270322T100000", "20270322T110000", "X-DAYBOOK-BUFFER-AFTER:PT1H\nX-DAYBOOK-SERVICE-ID:0197f3c2-0000-7000-8000-0000000000e1\nRRULE:FREQ=DAILY;COUNT=3\n"))
	h.put(h.room, "plain", event("plain", "20270322T150000", "20270322T160000", ""))
	h.want(h.room, "Mon 09:00-10:00", "Mon 12:00-15:00", "Mon 16:00-17:00")
	h.update(func(tx *Tx) error {
		tx.put(metaKey(metaSchema), key(nil).u32(2))
		tx.dropPrefix(newKey(tableHours))
		for _, k := range tx.keys(newKey(tableRows)) {
			r, err := unpackRow(k, tx.get(k))
			if err != nil {
				return err
			}
			r.Flags &^= rowBooked
			tx.put(k, packRow(&r))
		}
		tx.put(newKey(tableOpenings).principal(h.room.ID), []byte{1, 2, 3})
		return nil
	})
	if err := h.s.Close(); err != nil {
		t.Fatal(err)
	}
	h.s = open()
	defer func() {
		if err := h.s.Close(); err != nil {
			t.Error(err)
		}
	}()
	h.want(h.room, "Mon 09:00-10:00", "Mon 12:00-15:00", "Mon 16:00-17:00")
	if _, err := h.s.Check(t.Context(), false, func(p Problem) { t.Errorf("%+v", p) }); err != nil {
		t.Fatal(err)
	}
	if n := len(h.keys(tableOpenings)); n != 0 {
		t.Errorf("%d old rows of openings are left", n)
	}
}
