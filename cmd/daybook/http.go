package main

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"daybook/api"
	"daybook/caldav"
	"daybook/caldav/dav"
	"daybook/configs"
	"daybook/sync/guard"
)

// newServer makes a server with every limit and timeout of the configuration.
func newServer(c *configs.Config, log *slog.Logger, h http.Handler) *http.Server {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(c.H2C)
	return &http.Server{
		Handler:           h,
		Protocols:         p,
		ReadHeaderTimeout: c.ReadHeaderTimeout,
		ReadTimeout:       c.ReadTimeout,
		WriteTimeout:      c.WriteTimeout,
		IdleTimeout:       c.IdleTimeout,
		MaxHeaderBytes:    int(c.MaxHeader),
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // scanners and bad handshakes
	}
}

// handler is everything on the main listener.
func (d *daybook) handler() (http.Handler, error) {
	c := d.config
	calendars := caldav.New(caldav.Options{
		Store: d.store, Log: d.log, Metrics: d.metrics, Realm: c.Realm, TrustProxy: c.TrustProxy != "",
		XML: dav.Limits{Depth: c.MaxXMLDepth, Elements: c.MaxXMLElements}, Object: objectLimits(c), Free: caldav.DiskSpace(c.Data), MaxInstances: c.MaxInstances,
	})
	o := api.Options{
		Store: d.store, Log: d.log, Metrics: d.metrics, Ready: d.ready, MaxBody: int64(c.MaxRESTBody), Timeout: c.RESTTimeout,
		Stopping: d.ending, Courier: d.hooks, MaxStreams: c.MaxStreams, MaxStreamsEach: c.MaxStreamsEach,
		Jobs: houseJobs{d.runner.Runner}, Remotes: remotePuller{d.puller}, Off: configs.List(c.DisableAPIs), PublicURL: c.PublicURL,
	}
	if d.metricsOnMain() {
		o.Gatherer = d.metrics
	}
	rest, err := api.New(o)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	rest = metricsToken(c.MetricsToken, rest)
	proxies, err := configs.Networks(c.TrustProxy)
	if err != nil {
		return nil, fmt.Errorf("trust_proxy %w", err)
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.UserAgent(), fetcherName) { // it may be this daemon that asks, through a proxy
			w.Header().Set(guard.MarkHeader, d.store.Epoch())
		}
		if apiOf(r) == apiCalDAV {
			calendars.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
	return newObserver(d.metrics, d.log, c.AccessLog, int64(c.MaxBody), proxies).wrap(h), nil
}

// The APIs that metrics and logs tell apart.
const (
	apiCalDAV  = "caldav"
	apiFeeds   = "feeds"
	apiFolio   = "folio"
	apiOnlive  = "onlive"
	apiTimeTap = "timetap"
	apiTrybe   = "trybe"
	apiVastal  = "vastal"
	apiHouse   = "house"
	apiProbes  = "probes"
	apiOther   = "other"
)

// mounts says which API a path belongs to; the first prefix that fits counts.
var mounts = []struct{ prefix, api string }{
	{"/dav", apiCalDAV},
	{caldav.WellKnown, apiCalDAV},
	{"/principals", apiCalDAV},
	{"/feeds", apiFeeds},
	{"/api/v1", apiOnlive},
	{"/api/v2", apiOnlive},
	{"/shop", apiTrybe},
	{"/sites", apiTrybe},
	{"/v1/calendar", apiVastal},
	{"/calendar/availability", apiVastal},
	{"/calendar/appointment-types", apiVastal},
	{"/calendar/appointments", apiVastal},
	{"/calendar/openings", apiVastal},
	{"/calendar/range", apiTimeTap},
	{"/calendar/event", apiTimeTap},
	{"/calendar/APPOINTMENT", apiTimeTap},
	{"/calendar/CLASS", apiTimeTap},
	{"/calendar/TIME_OFF", apiTimeTap},
	{"/calendar/VACATION", apiTimeTap},
	{"/calendar", apiFolio},
	{"/sessionToken", apiTimeTap},
	{"/staffIdList", apiTimeTap},
	{"/staff", apiTimeTap},
	{"/locations", apiTimeTap},
	{"/services", apiTimeTap},
	{"/status", apiTimeTap},
	{"/v1", apiHouse},
	{"/livez", apiProbes},
	{"/readyz", apiProbes},
	{"/metrics", apiProbes},
}

// apiOf tells who answers a request. At the root calendar clients look for the
// server (pains of Apple's set-up), and people for a page.
func apiOf(r *http.Request) string {
	path := r.URL.Path
	if path == "/" {
		switch r.Method {
		case http.MethodGet, http.MethodHead, http.MethodPost:
			return apiOther
		}
		return apiCalDAV
	}
	for _, m := range mounts {
		if rest, ok := strings.CutPrefix(path, m.prefix); ok && (rest == "" || rest[0] == '/') {
			return m.api
		}
	}
	return apiOther
}

// metricsOnMain tells whether /metrics is on the main listener: without being
// asked only where nobody but this machine can reach it, not even by a proxy.
func (d *daybook) metricsOnMain() bool {
	switch d.config.Metrics {
	case "main":
		return true
	case "off":
		return false
	}
	behindProxy := d.config.TrustProxy != "" || d.config.PublicURL != ""
	return d.extra == nil && !behindProxy && loopback(d.main.Addr().String())
}

// metricsToken asks for the token on /metrics, when there is one.
func metricsToken(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	want := []byte("Bearer " + token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="metrics"`)
			http.Error(w, "the metrics token is missing or wrong", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// probeHandler is what the listener for metrics serves.
func (d *daybook) probeHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := d.ready(); err != nil {
			writeText(w, http.StatusServiceUnavailable, err.Error()+"\n")
			return
		}
		writeText(w, http.StatusOK, "ok\n")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	return metricsToken(d.config.MetricsToken, mux)
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the client went away
}

// reachable makes of a listener's address one that can be opened on this
// machine.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
