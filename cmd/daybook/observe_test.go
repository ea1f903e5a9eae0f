package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func observe(t *testing.T, h http.HandlerFunc, proxies ...string) (*observer, http.Handler, *bytes.Buffer) {
	t.Helper()
	var nets []netip.Prefix
	for _, p := range proxies {
		nets = append(nets, netip.MustParsePrefix(p))
	}
	var log bytes.Buffer
	o := newObserver(prometheus.NewRegistry(), slog.New(slog.NewTextHandler(&log, nil)), true, 10, nets)
	return o, o.wrap(h), &log
}

func TestRequestIDs(t *testing.T) {
	_, h, _ := observe(t, func(http.ResponseWriter, *http.Request) {})
	seen := map[string]bool{}
	for _, sent := range []string{"", "good-1.x_Y", "bad id", strings.Repeat("x", 65), "new\nline", ""} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set(requestID, sent)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		got := w.Header().Get(requestID)
		if got == "" || seen[got] || saneID(sent) != (got == sent) {
			t.Errorf("%q became %q", sent, got)
		}
		seen[got] = true
	}
}

func TestLogsNeverHoldFeedSecrets(t *testing.T) {
	_, h, log := observe(t, func(http.ResponseWriter, *http.Request) {})
	for _, path := range []string{"/feeds/very-secret/ada.ics", "/feeds/very-secret", "/x/feeds/very-secret/a"} {
		r := httptest.NewRequest("GET", path, nil)
		r.SetBasicAuth("ada", "pass-word")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	if strings.Contains(log.String(), "very-secret") || strings.Contains(log.String(), "pass-word") || strings.Count(log.String(), "/feeds/***") != 3 {
		t.Error(log.String())
	}
}

func TestMetricLabelsAreBounded(t *testing.T) {
	o, h, _ := observe(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, method := range []string{"BREW", "X1", "X2", "X3"} {
		for _, path := range []string{"/a", "/b", "/dav/x"} {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, nil))
		}
	}
	if n := testutil.CollectAndCount(o.took); n != 2 {
		t.Errorf("%d series, want 2", n)
	}
	if n := testutil.ToFloat64(o.inFlight); n != 0 {
		t.Errorf("%v in flight", n)
	}
}

func TestPanicsAreAnsweredAndCounted(t *testing.T) {
	o, h, log := observe(t, func(http.ResponseWriter, *http.Request) { panic("mistake") })
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/dav/", nil))
	if w.Code != http.StatusInternalServerError || !strings.Contains(log.String(), "mistake") || testutil.CollectAndCount(o.took) != 1 {
		t.Errorf("%d %s", w.Code, log.String())
	}
}

func TestBodiesAreBounded(t *testing.T) {
	_, h, _ := observe(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	})
	for body, want := range map[string]int{"0123456789": 200, "0123456789a": 413} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("PUT", "/", strings.NewReader(body)))
		if w.Code != want {
			t.Errorf("%d bytes: %d", len(body), w.Code)
		}
	}
}

func TestOnlyTrustedProxiesAreBelieved(t *testing.T) {
	var from, proto string
	_, h, _ := observe(t, func(_ http.ResponseWriter, r *http.Request) {
		from, proto = r.RemoteAddr, r.Header.Get("X-Forwarded-Proto")
	}, "10.0.0.0/8", "::1/128")
	for _, x := range []struct{ peer, forwarded, want, proto string }{
		{"192.0.2.1:5", "198.51.100.7", "192.0.2.1:5", ""},
		{"10.1.2.3:5", "198.51.100.7", "198.51.100.7:0", "https"},
		{"10.1.2.3:5", "203.0.113.9, 198.51.100.7, 10.9.9.9", "198.51.100.7:0", "https"},
		{"10.1.2.3:5", "nonsense", "10.1.2.3:5", "https"},
		{"10.1.2.3:5", "", "10.1.2.3:5", "https"},
		{"[::1]:5", "2001:db8::1", "[2001:db8::1]:0", "https"},
		{"[::ffff:10.1.1.1]:5", "198.51.100.7", "198.51.100.7:0", "https"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = x.peer
		r.Header.Set("X-Forwarded-For", x.forwarded)
		r.Header.Set("X-Forwarded-Proto", "https")
		h.ServeHTTP(httptest.NewRecorder(), r)
		if from != x.want || proto != x.proto {
			t.Errorf("%+v: %s %s", x, from, proto)
		}
	}
}
