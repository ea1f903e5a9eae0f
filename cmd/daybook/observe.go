package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// observer is around every request: it gives it an id, counts, logs and bounds
// it, and finds out who asks when a proxy stands in between.
type observer struct {
	took     *prometheus.HistogramVec
	inFlight prometheus.Gauge
	log      *slog.Logger
	level    slog.Level // of the access log
	maxBody  int64
	proxies  []netip.Prefix
	start    string // begins the ids that are made here
	count    atomic.Uint64
}

func newObserver(reg prometheus.Registerer, log *slog.Logger, accessLog bool, maxBody int64, proxies []netip.Prefix) *observer {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	o := &observer{
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "daybook_http_request_duration_seconds",
			Help:    "Time from the header of a request to the end of the answer.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30},
		}, []string{"api", "method", "code"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "daybook_http_requests_in_flight", Help: "Requests that are being answered."}),
		log:      log, level: slog.LevelDebug, maxBody: maxBody, proxies: proxies, start: hex.EncodeToString(b[:]) + "-",
	}
	if accessLog {
		o.level = slog.LevelInfo
	}
	reg.MustRegister(o.took, o.inFlight)
	return o
}

// requestID is the header that carries a request's id, in and out.
const requestID = "X-Request-Id"

func (o *observer) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		o.inFlight.Inc()
		api := apiOf(r)
		rec := &recorder{ResponseWriter: w}
		w.Header().Set(requestID, o.id(r))
		if r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(w, r.Body, o.maxBody)
		}
		o.client(r)
		defer func() {
			o.inFlight.Dec()
			cause := recover()
			if cause != nil {
				o.panicked(rec, r, api, cause)
			}
			o.done(rec, r, api, time.Since(start))
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause) // closes the connection, as was meant
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// panicked keeps the daemon alive after a mistake in a handler.
func (o *observer) panicked(w *recorder, r *http.Request, api string, cause any) {
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return
	}
	o.log.ErrorContext(r.Context(), "panic", "api", api, "request", w.Header().Get(requestID), "err", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if w.status == 0 {
		http.Error(w, "the server failed", http.StatusInternalServerError)
	}
}

func (o *observer) done(w *recorder, r *http.Request, api string, took time.Duration) {
	status := w.status
	if status == 0 {
		status = http.StatusOK
	}
	o.took.WithLabelValues(api, methodLabel(r.Method), codeLabel(status)).Observe(took.Seconds())
	ctx := r.Context()
	if !o.log.Enabled(ctx, o.level) {
		return
	}
	o.log.LogAttrs(ctx, o.level, "request",
		slog.String("request", w.Header().Get(requestID)), slog.String("api", api), slog.String("method", r.Method),
		slog.String("path", maskPath(r.URL.Path)), slog.Int("status", status), slog.Int64("bytes", w.bytes),
		slog.Duration("took", took), slog.String("from", r.RemoteAddr), slog.String("agent", cut(r.UserAgent(), 200)))
}

// maskPath leaves the secret of a feed out.
func maskPath(p string) string {
	if before, _, ok := strings.Cut(p, "/feeds/"); ok {
		return cut(before, 500) + "/feeds/***"
	}
	return cut(p, 500)
}

func cut(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}

// id takes a sane id over, or makes one.
func (o *observer) id(r *http.Request) string {
	if id := r.Header.Get(requestID); saneID(id) {
		return id
	}
	return o.start + strconv.FormatUint(o.count.Add(1), 36)
}

func saneID(id string) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// forwardedHeaders are what a proxy says of a request. From anybody else they
// are removed, so that no handler can believe them by mistake.
var forwardedHeaders = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Forwarded"}

// client puts the address of the client into RemoteAddr: the last one of
// X-Forwarded-For that is not of a proxy of ours.
func (o *observer) client(r *http.Request) {
	if !o.trusted(r.RemoteAddr) {
		for _, h := range forwardedHeaders {
			delete(r.Header, h)
		}
		return
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		r.RemoteAddr = net.JoinHostPort(a.String(), "0")
		if !o.trusted(r.RemoteAddr) {
			break
		}
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil && len(hops[0]) > 0 {
		r.Header.Set("X-Forwarded-For", host)
	}
}

func (o *observer) trusted(addr string) bool {
	if len(o.proxies) == 0 {
		return false
	}
	a, err := netip.ParseAddrPort(addr)
	if err != nil {
		return false
	}
	for _, p := range o.proxies {
		if p.Contains(a.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// methodLabel bounds the label: anybody may send any word as a method.
func methodLabel(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "ACL":
		return m
	}
	return "other"
}

func codeLabel(status int) string {
	if status < 100 || status > 599 {
		return "other"
	}
	return strconv.Itoa(status)
}

// recorder notes the status and size of an answer.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// WriteString spares a copy where the server can.
func (w *recorder) WriteString(s string) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := io.WriteString(w.ResponseWriter, s)
	w.bytes += int64(n)
	return n, err
}

// Flush sends what was written so far.
func (w *recorder) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController find the connection's own writer.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
