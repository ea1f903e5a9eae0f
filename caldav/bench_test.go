package caldav

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daybook/ical"
	"daybook/store"
)

// fillFast stores n events of a kilobyte in few transactions.
func (w *world) fillFast(n int) {
	w.t.Helper()
	pad := "DESCRIPTION:" + strings.Repeat("words of some length ", 3) + "\r\n"
	var prepared []*store.Prepared
	for i := range n {
		at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * 4 * time.Hour)
		text := event(fmt.Sprintf("e%05d", i), at.Format("20060102T150405Z"), at.Add(time.Hour).Format("20060102T150405Z"), strings.Repeat(pad, 10))
		o, err := ical.ParseResource([]byte(text), ical.Limits{})
		if err != nil {
			w.t.Fatal(err)
		}
		p, err := w.store.Prepare(o)
		if err != nil {
			w.t.Fatal(err)
		}
		prepared = append(prepared, p)
	}
	err := w.store.Update(context.Background(), func(tx *store.Tx) error {
		c, err := tx.Calendar(w.ids["ann"])
		if err != nil {
			return err
		}
		for i, p := range prepared {
			put := store.Put{Actor: store.System(), Collection: c.ID, Name: fmt.Sprintf("e%05d.ics", i), Object: p}
			if _, err := tx.PutObject(put); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// discard is a client that reads nothing.
type discard struct {
	h      http.Header
	code   int
	n      int // bytes
	writes int
}

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) WriteHeader(code int)        { d.code = code }
func (d *discard) Write(b []byte) (int, error) { d.n += len(b); d.writes++; return len(b), nil }

func benchmark(b *testing.B, n int, method, depth, body string) {
	w := newWorldIn(&testing.T{}, b.TempDir())
	defer w.store.Close()
	w.fillFast(n)
	for b.Loop() {
		r := httptest.NewRequest(method, cal, strings.NewReader(body))
		r.SetBasicAuth("ann", "secret")
		r.Header.Set("Depth", depth)
		d := &discard{h: http.Header{}}
		w.srv.ServeHTTP(d, r)
		if d.code >= 300 {
			b.Fatal(d.code)
		}
		b.SetBytes(int64(d.n))
	}
}

func BenchmarkList(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmark(b, n, "PROPFIND", "1", propfind("<D:getetag/>")) })
	}
}

func BenchmarkPoll(b *testing.B) {
	benchmark(b, 1000, "PROPFIND", "0", propfind("<CS:getctag/><D:sync-token/>"))
}

func BenchmarkSyncInitial(b *testing.B) {
	benchmark(b, 1000, "REPORT", "1", syncFrom("", "<D:prop><D:getetag/></D:prop>"))
}

func BenchmarkMultiget(b *testing.B) {
	var hrefs strings.Builder
	for i := range 50 {
		fmt.Fprintf(&hrefs, "<D:href>%se%05d.ics</D:href>", cal, i*7)
	}
	benchmark(b, 1000, "REPORT", "1", `<C:calendar-multiget`+ns+`><D:prop><D:getetag/><C:calendar-data/></D:prop>`+hrefs.String()+`</C:calendar-multiget>`)
}

func BenchmarkQueryWeek(b *testing.B) {
	body := strings.Replace(queryFor(`<C:comp-filter name="VEVENT"><C:time-range start="20260401T000000Z" end="20260408T000000Z"/></C:comp-filter>`), "<D:getetag/>", "<D:getetag/><C:calendar-data/>", 1)
	benchmark(b, 10_000, "REPORT", "1", body)
}

func BenchmarkFreeBusy(b *testing.B) {
	benchmark(b, 10_000, "REPORT", "1", `<C:free-busy-query`+ns+`><C:time-range start="20260401T000000Z" end="20260429T000000Z"/></C:free-busy-query>`)
}

func BenchmarkGet(b *testing.B) {
	w := newWorldIn(&testing.T{}, b.TempDir())
	defer w.store.Close()
	w.fillFast(1000)
	for b.Loop() {
		r := httptest.NewRequest("GET", cal+"e00100.ics", nil)
		r.SetBasicAuth("ann", "secret")
		w.srv.ServeHTTP(&discard{h: http.Header{}}, r)
	}
}

// TestListingAllocatesLittle holds listings to two allocations a member, and
// their answers to the writes that their length asks for.
func TestListingAllocatesLittle(t *testing.T) {
	w := newWorld(t)
	const n = 1000
	w.fillFast(n)
	const props = "<D:getetag/><D:getcontenttype/><D:getlastmodified/><D:resourcetype/>"
	for method, ask := range map[string]string{
		"PROPFIND": propfind(props),
		"REPORT":   syncFrom("", "<D:prop>"+props+"</D:prop>"),
	} {
		d := &discard{h: http.Header{}}
		got := testing.AllocsPerRun(5, func() {
			r := httptest.NewRequest(method, cal, strings.NewReader(ask))
			r.SetBasicAuth("ann", "secret")
			r.Header.Set("Depth", "1")
			d = &discard{h: http.Header{}}
			w.srv.ServeHTTP(d, r)
		})
		if got > 2*n {
			t.Errorf("%s: %.0f allocations for %d members", method, got, n)
		}
		if d.writes > 1+d.n/flushAt {
			t.Errorf("%s: %d bytes in %d writes", method, d.n, d.writes)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	w := newWorldIn(&testing.T{}, b.TempDir())
	defer w.store.Close()
	var n atomic.Int64
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Hour)
			text := event(fmt.Sprintf("p%05d", i), at.Format("20060102T150405Z"), at.Add(time.Hour).Format("20060102T150405Z"))
			r := httptest.NewRequest("PUT", fmt.Sprintf("%sp%05d.ics", cal, i), strings.NewReader(text))
			r.SetBasicAuth("ann", "secret")
			d := &discard{h: http.Header{}}
			w.srv.ServeHTTP(d, r)
			if d.code != http.StatusCreated {
				b.Error(d.code)
			}
		}
	})
}
