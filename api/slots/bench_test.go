package slots

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
	"daybook/store/storetest"
)

// BenchmarkHouse prints what openings cost in a house of a thousand resources:
// recompute is the refresh of openings that are kept for two months after one
// block has come in, compute the part of it before its commit; slots are those
// of fifty resources and thirty days, from openings that are kept and from none;
// explain is one question. The cost is that of the answer, not of the house.
func BenchmarkHouse(b *testing.B) {
	for _, events := range storetest.Sizes() {
		b.Run(fmt.Sprintf("events=%d", events), func(b *testing.B) {
			h := storetest.Load(b, events)
			b.Run("slots/computed", func(b *testing.B) { benchSlots(b, h, false) })
			for _, r := range h.Resources[:50] {
				if _, err := h.Store.RefreshOpenings(b.Context(), r.ID, storetest.Start, 61); err != nil {
					b.Fatal(err)
				}
			}
			b.Run("slots/kept", func(b *testing.B) { benchSlots(b, h, true) })
			b.Run("explain", func(b *testing.B) { benchExplain(b, h) })
			b.Run("recompute", func(b *testing.B) { benchRecompute(b, h) })
		})
	}
}

func benchSlots(b *testing.B, h *storetest.House, stored bool) {
	w := span.Span{Start: storetest.Start, End: storetest.Start.AddDate(0, 0, 30)}
	r := Rules{Length: time.Hour, Step: 30 * time.Minute, Before: 5 * time.Minute, After: 10 * time.Minute}
	found := 0
	for b.Loop() {
		found = 0
		err := h.Store.View(b.Context(), func(v *store.View) error {
			for _, p := range h.Resources[:50] {
				f, err := Find(v, p.ID, w, r, storetest.Start, 10_000)
				if err != nil {
					return err
				}
				found += len(f.Slots)
			}
			o, err := v.Openings(h.Resources[0].ID, w)
			if o.Stored != stored {
				b.Fatalf("stored is %v", o.Stored)
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(found), "slots")
}

func benchExplain(b *testing.B, h *storetest.House) {
	w := span.Span{Start: storetest.Start, End: storetest.Start.Add(time.Hour)}
	for i := 0; b.Loop(); i++ {
		err := h.Store.View(b.Context(), func(v *store.View) error {
			found, err := Explain(v, h.Resources[i%50].ID, w, Rules{}, storetest.Start)
			if len(found) == 0 {
				b.Fatal("it can be booked")
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// benchRecompute puts a block at another time of the same day again and again.
func benchRecompute(b *testing.B, h *storetest.House) {
	r, c := h.Resources[7], h.Calendars[7]
	took := time.Duration(0)
	for i := 0; b.Loop(); i++ {
		start := storetest.Start.AddDate(0, 0, 3).Add(time.Duration(i%300) * time.Minute)
		text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Daybook//benchmark//EN\nBEGIN:VEVENT\nUID:moved\nDTSTAMP:20270101T000000Z\nCATEGORIES:BLOCK\nDTSTART:" +
			start.Format("20060102T150405Z") + "\nDURATION:PT30M\nEND:VEVENT\nEND:VCALENDAR\n"
		o, err := ical.ParseResource([]byte(strings.ReplaceAll(text, "\n", "\r\n")), ical.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		p, err := h.Store.Prepare(o)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		err = h.Store.Update(b.Context(), func(tx *store.Tx) error {
			_, err := tx.PutObject(store.Put{Actor: store.System(), Collection: c, Name: "moved.ics", Object: p})
			return err
		})
		b.StartTimer()
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		err = h.Store.View(b.Context(), func(v *store.View) error {
			_, err := v.Openings(r.ID, span.Span{Start: storetest.Start, End: storetest.Start.AddDate(0, 0, 60)})
			return err
		})
		took += time.Since(began)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := h.Store.RefreshOpenings(b.Context(), r.ID, storetest.Start, 61); err != nil || n != 1 {
			b.Fatalf("%d days: %v", n, err)
		}
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "compute-ns/op")
}
