package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"daybook/store"
)

func newHandler(t *testing.T, change func(*Options)) http.Handler {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "a.db"), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	reg := prometheus.NewRegistry()
	o := Options{Store: s, Metrics: reg, Gatherer: reg}
	if change != nil {
		change(&o)
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

// What is no path of an API is the API's own 404, not a redirect to a page.
func TestPathsThatAreNotCleanAreTheAPIs(t *testing.T) {
	h := newHandler(t, nil)
	for path, shape := range map[string]string{
		"/calendar//calendars": `{"timestamp"`, "/calendar/calendars/../calendars": `{"timestamp"`, "/calendar/range//1/1/week": `{"type"`,
		"/shop//blocked-times": `{"message"`, "/api/v1//calendars": `{"statusCode"`, "/v1//calendars": `{"type"`,
		"/shop": `{"message"`, "/api/v1": `{"statusCode"`, "/calendar": `{"timestamp"`, "/v1": `{"type"`,
	} {
		if w := get(h, path); w.Code != 404 || !strings.HasPrefix(w.Body.String(), shape) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := get(h, "//docs"); w.Code/100 != 3 {
		t.Error(w.Code)
	}
}

func TestEverythingIsMounted(t *testing.T) {
	h := newHandler(t, nil)
	for path, want := range map[string]int{
		"/": 200, "/robots.txt": 200, "/livez": 200, "/readyz": 200, "/metrics": 200, "/sites": 401, "/shop/blocked-times": 401,
		"/v1/calendar/availability": 401, "/calendar/openings": 401,
		"/shop/nope": 404, "/feeds/x/y.ics": 404, "/nope": 404,
	} {
		if w := get(h, path); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := get(h, "/shop/nope"); w.Header().Get("Content-Type") != "application/json" || !strings.HasPrefix(w.Body.String(), `{"message"`) {
		t.Error(w.Body)
	}
	if !strings.Contains(get(h, "/metrics").Body.String(), `daybook_feed_fetches_total{client="other",result="not_found"} 1`) {
		t.Error("feeds are not counted")
	}
}

func TestAnAPICanBeSwitchedOff(t *testing.T) {
	h := newHandler(t, func(o *Options) { o.Off = []string{"trybe"} })
	if w := get(h, "/shop/blocked-times"); w.Code != 404 {
		t.Error(w.Code)
	}
}

func TestReadyzTellsTheReasonOnlyWhenAsked(t *testing.T) {
	h := newHandler(t, func(o *Options) { o.Ready = func() error { return errors.New("going down") } })
	w := get(h, "/readyz")
	if w.Code != 503 || strings.TrimSpace(w.Body.String()) != `{"status":"unavailable"}` {
		t.Error(w.Code, w.Body)
	}
	var p probe
	if err := json.Unmarshal(get(h, "/readyz?verbose").Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Checks) != 2 || p.Checks[0].OK || p.Checks[0].Reason != "going down" || !p.Checks[1].OK {
		t.Errorf("%+v", p)
	}
	if get(h, "/livez").Code != 200 {
		t.Error("alive all the same")
	}
}

func TestPageLoadsNothingFromElsewhere(t *testing.T) {
	w := get(newHandler(t, nil), "/")
	page := w.Body.String()
	for _, bad := range []string{"http://", "https://", "src=", "<link", "@import", "url("} {
		if strings.Contains(page, bad) {
			t.Errorf("%s in the page", bad)
		}
	}
	if p := w.Header().Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Count(p, "'sha256-") != 2 {
		t.Error(p)
	}
}

func TestRobotsLetEverybodyFetch(t *testing.T) {
	w := get(newHandler(t, nil), "/robots.txt")
	if w.Body.String() != "User-agent: *\nDisallow:\n" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Error(w.Body)
	}
}

func TestPanicInAFeedIsA500WithoutItsAddressInTheLog(t *testing.T) {
	var log bytes.Buffer
	panics := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p", Help: "p"}, []string{"api"})
	g := &guarded{"feeds", slog.New(slog.NewTextHandler(&log, nil)), panics}
	w := get(g.wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", "r1")
		panic("boom")
	})), "/feeds/secret/x.ics")
	if w.Code != 500 || strings.Contains(w.Body.String(), "boom") || strings.Contains(log.String(), "/feeds/secret") || !strings.Contains(log.String(), "request=r1") {
		t.Error(w.Code, log.String())
	}
}

func TestAPIsAreWellFormed(t *testing.T) {
	names, prefixes := map[string]bool{}, map[string]bool{}
	for _, a := range apis(Options{}) {
		if names[a.Name] || a.Errors == nil || a.SignIn == nil {
			t.Errorf("%s is incomplete or listed twice", a.Name)
		}
		names[a.Name] = true
		for _, p := range a.Prefixes {
			if prefixes[p] {
				t.Errorf("%s belongs to two", p)
			}
			prefixes[p] = true
		}
		if _, err := a.Handler(); err != nil {
			t.Error(err)
		}
		for _, r := range a.Routes {
			if d := r.Op.Describe(); d.In == nil || d.Out == nil {
				t.Errorf("%s has no types", r.Pattern)
			}
		}
	}
}
