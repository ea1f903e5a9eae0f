package feeds

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"daybook/ical"
	"daybook/store"
)

const (
	fullSecret  = "full-secret-0123456789-0123456789"
	busySecret  = "busy-secret-0123456789-0123456789"
	titleSecret = "titles-secret-0123456789-012345678"
	oldSecret   = "expired-secret-0123456789-0123456"

	hoursSecret  = "hours-secret-0123456789-0123456789"
	windowSecret = "window-secret-0123456789-012345678"
)

type place struct {
	testing.TB
	store *store.Store
	h     *handler
	log   *bytes.Buffer
	coll  store.CollectionID
	clock atomic.Pointer[time.Time] // the store's own goroutines read it too
}

func (p *place) now() time.Time       { return *p.clock.Load() }
func (p *place) setClock(t time.Time) { p.clock.Store(&t) }

// later moves the clock on: within the second of a change no date is sent.
func (p *place) later(d time.Duration) { p.setClock(p.now().Add(d)) }

func newPlace(t testing.TB) *place {
	p := &place{TB: t, log: &bytes.Buffer{}}
	p.setClock(time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC))
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "f.db"), Create: true, Now: p.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	p.store = s
	h, err := New(Options{Store: s, Log: slog.New(slog.NewTextHandler(p.log, nil)), Metrics: prometheus.NewRegistry(), Now: p.now})
	if err != nil {
		t.Fatal(err)
	}
	p.h = h.(*handler)
	if err := s.Update(t.Context(), p.fill); err != nil {
		t.Fatal(err)
	}
	p.put("a", "DTSTART;TZID=Europe/Berlin:20270301T090000", "DTEND;TZID=Europe/Berlin:20270301T100000", "SUMMARY:Tea with Bob", "DESCRIPTION:private words", "X-SECRET:1")
	p.later(time.Minute)
	return p
}

func (p *place) fill(tx *store.Tx) error {
	org := &store.Principal{Kind: store.KindOrganisation, Name: "demo", Zone: "Europe/Berlin"}
	if err := tx.CreatePrincipal(org); err != nil {
		return err
	}
	ada := &store.Principal{Kind: store.KindStaff, Name: "ada", UUID: uuid.MustParse("0197f3c2-0000-7000-8000-0000000000a1"), DisplayName: "Ada Noor", Org: org.ID, Color: "#FF0000"}
	if err := tx.CreatePrincipal(ada); err != nil {
		return err
	}
	c, err := tx.Calendar(ada.ID)
	if err != nil {
		return err
	}
	p.coll = c.ID
	for secret, f := range map[string]*store.Feed{
		fullSecret: {Name: "ada", Show: ical.ShowFull, Refresh: 30 * time.Minute}, busySecret: {Name: "ada", Show: ical.ShowBusy},
		windowSecret: {Name: "ada", Window: &store.Window{Past: 1, Future: 30}}, titleSecret: {Name: "ada", Title: "Ada's titles", Show: ical.ShowTitles}, oldSecret: {Name: "ada", Expires: p.now().Add(-time.Hour)},
	} {
		f.Org, f.Collection, f.Key = org.ID, c.ID, []byte("the key of a test")
		if err := tx.PutFeed(f, secret); err != nil {
			return err
		}
	}
	return tx.PutFeed(&store.Feed{Org: org.ID, Name: "open", Source: store.FeedHours, Principal: ada.ID, Window: &store.Window{Past: 7, Future: 30}}, hoursSecret)
}

func (p *place) put(uid string, lines ...string) {
	p.Helper()
	p.object(uid, "BEGIN:VEVENT\r\nUID:"+uid+"\r\nDTSTAMP:20270101T000000Z\r\n"+strings.Join(lines, "\r\n")+"\r\nEND:VEVENT\r\n")
}

// object stores components under a UID.
func (p *place) object(uid, components string) {
	p.Helper()
	text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//T//T//EN\r\n" + components + "END:VCALENDAR\r\n"
	o, err := ical.ParseResource([]byte(text), ical.Limits{})
	if err != nil {
		p.Fatal(err)
	}
	prepared, err := p.store.Prepare(o)
	if err != nil {
		p.Fatal(err)
	}
	p.update(func(tx *store.Tx) error {
		_, err := tx.PutObject(store.Put{Actor: store.System(), Collection: p.coll, Name: uid + ".ics", Object: prepared})
		return err
	})
}

func (p *place) update(fn func(*store.Tx) error) {
	p.Helper()
	if err := p.store.Update(p.Context(), fn); err != nil {
		p.Fatal(err)
	}
}

func (p *place) get(method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	p.h.ServeHTTP(w, r)
	return w
}

const full = "/feeds/" + fullSecret + "/ada.ics"

func TestFeedIsTheWholeCollection(t *testing.T) {
	p := newPlace(t)
	w := p.get("GET", full)
	for name, want := range map[string]string{
		"Content-Type": "text/calendar; charset=utf-8", "Vary": "Accept-Encoding", "Referrer-Policy": "no-referrer",
		"Cache-Control": "private, no-cache", "Last-Modified": "Mon, 01 Mar 2027 12:00:00 GMT", "Content-Encoding": "",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	text := w.Body.String()
	for _, line := range []string{
		"NAME:Ada Noor", "X-WR-CALNAME:Ada Noor", "COLOR:red", "REFRESH-INTERVAL;VALUE=DURATION:PT30M", "BEGIN:VTIMEZONE", "TZID:Europe/Berlin",
		"SUMMARY:Tea with Bob", "DESCRIPTION:private words", "X-SECRET:1",
	} {
		if !strings.Contains(text, "\r\n"+line+"\r\n") {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
	if strings.Contains(text, "METHOD") || w.Code != 200 || !strings.HasPrefix(w.Header().Get("ETag"), `"`) {
		t.Error(w.Code, w.Header(), text)
	}
}

func TestFeedShowsAsMuchAsItMay(t *testing.T) {
	p := newPlace(t)
	titles := p.get("GET", "/feeds/"+titleSecret+"/ada.ics").Body.String()
	if !strings.Contains(titles, "Tea with Bob") || strings.Contains(titles, "private words") || strings.Contains(titles, "X-SECRET") || !strings.Contains(titles, "NAME:Ada's titles") {
		t.Error(titles)
	}
	busy := p.get("GET", "/feeds/"+busySecret+"/ada.ics").Body.String()
	if !strings.Contains(busy, "SUMMARY:Busy") || strings.Contains(busy, "Tea") || strings.Contains(busy, "UID:a\r\n") {
		t.Error(busy)
	}
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	p := newPlace(t)
	get, head := p.get("GET", full), p.get("HEAD", full)
	if head.Code != 200 || head.Body.Len() != 0 {
		t.Error(head.Code, head.Body.Len())
	}
	for _, name := range []string{"Etag", "Last-Modified", "Content-Type", "Content-Length"} {
		if get.Header().Get(name) != head.Header().Get(name) || head.Header().Get(name) == "" {
			t.Error(name, head.Header())
		}
	}
}

func TestUnchangedFeedIs304(t *testing.T) {
	p := newPlace(t)
	first := p.get("GET", full)
	tag, modified := first.Header().Get("ETag"), first.Header().Get("Last-Modified")
	packed := p.get("GET", full, "Accept-Encoding", "gzip").Header().Get("ETag")
	if packed == tag {
		t.Error("the compressed form needs a tag of its own")
	}
	for _, c := range []struct {
		header []string
		want   int
	}{
		{[]string{"If-None-Match", tag}, 304},
		{[]string{"If-None-Match", "W/" + tag}, 304},
		{[]string{"If-None-Match", `"x", ` + tag}, 304},
		{[]string{"If-None-Match", "*"}, 304},
		{[]string{"If-None-Match", packed}, 304},
		{[]string{"If-None-Match", `"x"`}, 200},
		{[]string{"If-Modified-Since", modified}, 304},
		{[]string{"If-Modified-Since", "Mon, 01 Mar 2027 11:59:59 GMT"}, 200},
		{[]string{"If-Modified-Since", "nonsense"}, 200},
		{[]string{"If-None-Match", `"x"`, "If-Modified-Since", modified}, 200}, // If-None-Match counts
		{[]string{"If-None-Match", tag, "If-Modified-Since", "Mon, 01 Mar 2027 11:59:59 GMT"}, 304},
	} {
		w := p.get("GET", full, c.header...)
		if w.Code != c.want {
			t.Errorf("%v: %d", c.header, w.Code)
		}
		if w.Code == 304 && (w.Body.Len() != 0 || w.Header().Get("ETag") != tag || w.Header().Get("Vary") == "") {
			t.Errorf("%v: %v", c.header, w.Header())
		}
	}
	p.setClock(p.now().Add(time.Minute))
	p.put("b", "DTSTART:20270302T090000Z", "SUMMARY:New")
	if w := p.get("GET", full, "If-None-Match", tag); w.Code != 200 || !strings.Contains(w.Body.String(), "New") {
		t.Error(w.Code)
	}
	if w := p.get("GET", full, "If-Modified-Since", modified); w.Code != 200 {
		t.Error(w.Code)
	}
}

func TestGzip(t *testing.T) {
	p := newPlace(t)
	plain := p.get("GET", full).Body.Bytes()
	for accept, want := range map[string]bool{
		"gzip": true, "deflate, gzip;q=0.5": true, "*": true, "x-gzip": true, "gzip;q=0": false, "gzip; q=0.0": false, "*;q=0": false,
		"*, gzip;q=0": false, "br": false, "": false,
	} {
		w := p.get("GET", full, "Accept-Encoding", accept)
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("%q: %v", accept, got)
			continue
		}
		body := w.Body.Bytes()
		if want {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			if body, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(body, plain) {
			t.Errorf("%q: another text", accept)
		}
	}
}

func TestWrongSecretAndWrongNameLookTheSame(t *testing.T) {
	p := newPlace(t)
	want := p.get("GET", "/feeds/wrong/ada.ics")
	if want.Code != 404 {
		t.Fatal(want.Code)
	}
	for _, path := range []string{
		"/feeds/" + fullSecret + "/bob.ics", "/feeds/" + fullSecret + "/ada", "/feeds/" + fullSecret + "/", "/feeds/" + fullSecret,
		"/feeds/" + fullSecret + "/x/ada.ics", "/feeds//ada.ics", "/feeds/", "/feeds/" + oldSecret + "/ada.ics",
	} {
		w := p.get("GET", path)
		if w.Code != 404 || w.Body.String() != want.Body.String() || len(w.Header()) != len(want.Header()) {
			t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
	}
}

func TestOtherMethodsAre405(t *testing.T) {
	p := newPlace(t)
	for _, m := range []string{"POST", "PUT", "DELETE", "PROPFIND", "OPTIONS"} {
		if w := p.get(m, full); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
			t.Error(m, w.Code)
		}
	}
}

func TestFamilyOfClient(t *testing.T) {
	for agent, want := range map[string]string{
		"Google-Calendar-Importer": "google", "iOS/18.5 (22F76) dataaccessd/1.0": "apple", "Microsoft.Exchange/15.20": "microsoft",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0": "thunderbird", "ICSx5/2.4 (ical4j/3 okhttp/5 Android/15)": "icsx5",
		"Evolution/3.46.4": "evolution", "Mozilla/5.0 (X11)": "browser", "": "other", "x": "other",
	} {
		if got := family(agent); got != want {
			t.Errorf("%q: %s", agent, got)
		}
	}
}

func TestFetchesAreCountedAndAddressesNotLogged(t *testing.T) {
	p := newPlace(t)
	tag := p.get("GET", full).Header().Get("ETag")
	p.get("GET", full, "If-None-Match", tag)
	p.get("GET", "/feeds/wrong/ada.ics")
	p.get("POST", full)
	_ = p.store.Close()
	if w := p.get("GET", full); w.Code != http.StatusServiceUnavailable || w.Header().Get("ETag") != "" {
		t.Error(w.Code, w.Header())
	}
	for _, r := range []string{sent, notModified, notFound, notAllowed, failed} {
		if n := testutil.ToFloat64(p.h.fetches.WithLabelValues(r, "other")); n != 1 {
			t.Errorf("%s: %v", r, n)
		}
	}
	if p.log.Len() == 0 || strings.Contains(p.log.String(), fullSecret) {
		t.Error(p.log.String())
	}
}

// BenchmarkFeed fetches a feed of a thousand events.
func BenchmarkFeed(b *testing.B) {
	p := newPlace(b)
	for i := range 1000 {
		p.put(fmt.Sprintf("e%d", i), fmt.Sprintf("DTSTART:202703%02dT090000Z", i%28+1), "DURATION:PT1H", "SUMMARY:An event with a name")
	}
	tag := p.get("GET", full).Header().Get("ETag")
	for name, header := range map[string][]string{"304": {"If-None-Match", tag}, "plain": nil, "gzip": {"Accept-Encoding", "gzip"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p.get("GET", full, header...)
			}
		})
	}
}
