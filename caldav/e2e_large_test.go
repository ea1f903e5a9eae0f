package caldav_test

import (
	"compress/gzip"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/ical"
	"daybook/store"
)

// fill puts n events into ada's calendar, one each hour from noon on, past the
// network.
func (w *world) fill(n int) {
	w.t.Helper()
	ready := make([]*store.Prepared, n)
	for i := range ready {
		start := noon.AddDate(0, 0, i/24).Add(time.Duration(i%24) * time.Hour)
		o, err := ical.ParseResource([]byte(event(fmt.Sprintf("f%05d", i), start.Format("20060102T150405Z"), fmt.Sprint("Event ", i))), ical.Limits{})
		if err != nil {
			w.t.Fatal(err)
		}
		if ready[i], err = w.store.Prepare(o); err != nil {
			w.t.Fatal(err)
		}
	}
	w.update(func(tx *store.Tx) error {
		ada, err := tx.PrincipalByName("ada")
		if err != nil {
			return err
		}
		c, err := tx.Calendar(ada.ID)
		if err != nil {
			return err
		}
		for i, p := range ready {
			if _, err := tx.PutObject(store.Put{Actor: store.System(), Collection: c.ID, Name: fmt.Sprintf("f%05d.ics", i), Object: p}); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestALargeCalendarIsGivenWhole has more members than one batch of a listing.
func TestALargeCalendarIsGivenWhole(t *testing.T) {
	const n = 2500
	w := newWorld(t)
	w.fill(n)
	list := w.listing(adaCalendar)
	if len(list) != n {
		t.Errorf("listing of %d", len(list))
	}
	for _, limit := range []int{0, 999, 1000, 1001} {
		m := &mirror{calendar: adaCalendar, etags: map[string]string{}}
		m.sync(w, limit, false)
		if !maps.Equal(m.etags, list) {
			t.Errorf("sync by %d: %d members", limit, len(m.etags))
		}
	}
	hrefs := slices.Sorted(maps.Keys(list))
	m := w.do("ada", "REPORT", adaCalendar, multiget("<D:getetag/><C:calendar-data/>", hrefs...)).multistatus()
	for href, etag := range list {
		if r := m.at(t, href); r.text("getetag") != etag || !strings.Contains(r.text("calendar-data"), "END:VCALENDAR") {
			t.Fatalf("multiget of %s: %+v", href, r)
		}
	}
	day := w.do("ada", "REPORT", adaCalendar, query("<D:getetag/>", "VEVENT", `<C:time-range start="20260110T120000Z" end="20260111T120000Z"/>`), "Depth: 1").multistatus()
	if len(day.hrefs) != 24 {
		t.Errorf("%d events of a day", len(day.hrefs))
	}
	all := w.do("ada", "REPORT", adaCalendar, query("<D:getetag/><C:calendar-data/>", "VEVENT", ""), "Depth: 1").multistatus()
	if len(all.hrefs) != n {
		t.Errorf("query of %d", len(all.hrefs))
	}
	if a := w.do("ada", "GET", adaCalendar, "").want(200); strings.Count(a.body, "BEGIN:VEVENT") != n {
		t.Errorf("%d events in the whole calendar", strings.Count(a.body, "BEGIN:VEVENT"))
	}
	if a := w.do("ada", "DELETE", adaCalendar, ""); a.code != 204 {
		t.Errorf("DELETE: %d", a.code)
	}
}

// TestWhatIsNamedIsAnswered asks each kind of resource for all that its
// propname tells.
func TestWhatIsNamedIsAnswered(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	names := func(path, body string) map[xml.Name]bool {
		t.Helper()
		out := map[xml.Name]bool{}
		root := w.do("ada", "PROPFIND", path, body, "Depth: 0").want(207).xml()
		for _, ps := range root.find("response").all("propstat") {
			if !strings.Contains(ps.find("status").text(), " 200 ") {
				t.Errorf("%s: %s", path, ps.find("status").text())
			}
			for i := range ps.find("prop").Nodes {
				name := ps.find("prop").Nodes[i].XMLName
				if out[name] {
					t.Errorf("%s: %v twice", path, name)
				}
				out[name] = true
			}
		}
		return out
	}
	for _, path := range []string{"/", "/dav/", "/dav/principals/", "/dav/calendars/", adaPrincipal, adaHome, adaCalendar, adaHome + "room-1~shared/", adaCalendar + "single.ics"} {
		named := names(path, `<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>`)
		for name := range names(path, "") {
			if !named[name] {
				t.Errorf("%s: allprop gives %v, which propname does not name", path, name)
			}
		}
		var ask strings.Builder
		for name := range named {
			fmt.Fprintf(&ask, `<%s xmlns=%q/>`, name.Local, name.Space)
		}
		if got := names(path, `<D:propfind xmlns:D="DAV:"><D:prop>`+ask.String()+`</D:prop></D:propfind>`); !maps.Equal(got, named) {
			t.Errorf("%s: named %v, answered %v", path, named, got)
		}
	}
}

// TestCompressedAnswersSayTheSame compares what clients get that take gzip.
func TestCompressedAnswersSayTheSame(t *testing.T) {
	w := newWorld(t)
	w.fill(1200)
	for name, ask := range map[string]func(headers ...string) *answer{
		"listing": func(h ...string) *answer {
			return w.do("ada", "PROPFIND", adaCalendar, propfind("D:getetag"), append(h, "Depth: 1")...)
		},
		"sync": func(h ...string) *answer {
			return w.do("ada", "REPORT", adaCalendar, syncCollection("", "<D:getetag/>"), append(h, "Depth: 1")...)
		},
		"query": func(h ...string) *answer {
			return w.do("ada", "REPORT", adaCalendar, query("<C:calendar-data/>", "VEVENT", ""), append(h, "Depth: 1")...)
		},
		"calendar": func(h ...string) *answer { return w.do("ada", "GET", adaCalendar, "", h...) },
		"poll": func(h ...string) *answer {
			return w.do("ada", "PROPFIND", adaCalendar, propfind("CS:getctag"), append(h, "Depth: 0")...)
		},
	} {
		plain := ask()
		zipped := ask("Accept-Encoding: gzip")
		if zipped.code != plain.code {
			t.Errorf("%s: %d, plain %d", name, zipped.code, plain.code)
		}
		body := zipped.body
		if zipped.header.Get("Content-Encoding") == "gzip" {
			r, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			body = string(text)
		}
		if body != plain.body {
			t.Errorf("%s: %d octets, plain %d", name, len(body), len(plain.body))
		}
		if refused := ask("Accept-Encoding: gzip;q=0, identity"); refused.header.Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed for a client that takes no gzip", name)
		}
	}
}
