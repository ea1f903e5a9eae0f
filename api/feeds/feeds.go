// Package feeds serves calendar collections as iCalendar streams at secret
// addresses, /feeds/SECRET/NAME.ics, to whatever fetches them: calendar
// programs, phones, Google, Outlook.
//
// The secret is the permission. A wrong secret, a wrong name and an expired
// feed are the same 404. A fetch that finds nothing new costs a few small
// reads. Nothing here logs an address.
package feeds

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"daybook/api/blocks"
	"daybook/store"
)

// Options are what the handler is made of.
type Options struct {
	Store   *store.Store
	Log     *slog.Logger          // nil: discarded
	Metrics prometheus.Registerer // nil: none
	Timeout time.Duration         // of a rendering; 0: 30 s
}

// The results of a fetch, as the metric counts them.
const (
	sent        = "sent"
	notModified = "not_modified"
	notFound    = "not_found"
	notAllowed  = "method_not_allowed"
	failed      = "failed"
)

type handler struct {
	store   *store.Store
	log     *slog.Logger
	fetches *prometheus.CounterVec
	timeout time.Duration
}

// New gives the handler of everything below /feeds/.
func New(o Options) (http.Handler, error) {
	h := &handler{store: o.Store, log: o.Log, timeout: o.Timeout}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.timeout == 0 {
		h.timeout = 30 * time.Second
	}
	h.fetches = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "daybook_feed_fetches_total",
		Help: "Fetches of feeds, by result (sent, not_modified, not_found, method_not_allowed, failed) and family of client.",
	}, []string{"result", "client"})
	if o.Metrics != nil {
		if err := o.Metrics.Register(h.fetches); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// ServeHTTP answers GET and HEAD.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Referrer-Policy", "no-referrer") // the address is a secret
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Robots-Tag", "noindex")
	ctx, cancel := context.WithTimeout(r.Context(), h.timeout)
	defer cancel()
	h.fetches.WithLabelValues(h.serve(w, r.WithContext(ctx)), family(r.UserAgent())).Inc()
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		plain(w, http.StatusMethodNotAllowed, "only GET and HEAD are allowed here")
		return notAllowed
	}
	f, color, err := h.find(r.Context(), r.URL.Path)
	var st *store.Stream
	if err == nil {
		st, err = h.store.Stream(r.Context(), f.Collection, store.StreamOptions{
			Title: f.Title, Color: color, Show: f.Show, Refresh: f.Refresh, Key: f.Key,
		})
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		w.Header().Set("Cache-Control", "no-store")
		plain(w, http.StatusNotFound, "there is no such feed")
		return notFound
	case err != nil:
		return h.fail(w, r, "", err)
	}
	h.store.Used(store.FeedUse(f))
	return h.answer(w, r, f, st)
}

// find gives the feed of an address, and its colour.
func (h *handler) find(ctx context.Context, path string) (f *store.Feed, color string, err error) {
	secret, file, ok := strings.Cut(strings.TrimPrefix(path, "/feeds/"), "/")
	name, isICS := strings.CutSuffix(file, ".ics")
	if !ok || !isICS || secret == "" {
		return nil, "", store.ErrNotFound
	}
	err = h.store.View(ctx, func(v *store.View) error {
		if f, err = v.FeedBySecret(secret); err != nil {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(f.Name), []byte(name)) != 1 {
			return store.ErrNotFound
		}
		c, err := v.Collection(f.Collection)
		if err != nil {
			return err
		}
		p, err := v.Principal(c.Owner)
		if err != nil {
			return err
		}
		color = blocks.NearestName(p.Color)
		return nil
	})
	return f, color, err
}

func (h *handler) answer(w http.ResponseWriter, r *http.Request, f *store.Feed, st *store.Stream) string {
	head := w.Header()
	head.Set("Cache-Control", "private, no-cache")
	head.Set("Vary", "Accept-Encoding")
	zip := acceptsGzip(r.Header.Values("Accept-Encoding"))
	setValidators(head, st, zip)
	if fresh(r.Header, st) {
		w.WriteHeader(http.StatusNotModified)
		return notModified
	}
	render := st.Body
	if zip {
		render = st.Gzip
	}
	body, err := render(r.Context())
	if err != nil {
		return h.fail(w, r, f.ID, err)
	}
	setValidators(head, st, zip) // those of what was rendered
	if st.Skipped > 0 {
		h.log.DebugContext(r.Context(), "feed leaves out objects that do not parse", "feed", f.ID, "objects", st.Skipped)
	}
	if zip {
		head.Set("Content-Encoding", "gzip")
	}
	head.Set("Content-Type", "text/calendar; charset=utf-8")
	head.Set("Content-Disposition", `inline; filename="`+fileName(f.Name)+`.ics"`)
	head.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the client may be gone; nobody is left to tell
	}
	return sent
}

// fail answers an error of the server and logs it without the address.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, feed string, err error) string {
	if r.Context().Err() == nil || errors.Is(err, context.DeadlineExceeded) {
		h.log.ErrorContext(r.Context(), "feed failed", "feed", feed, "request", w.Header().Get("X-Request-Id"), "err", err)
	}
	head := w.Header()
	for _, name := range []string{"Etag", "Last-Modified"} {
		head.Del(name)
	}
	head.Set("Cache-Control", "no-store")
	head.Set("Retry-After", "60")
	plain(w, http.StatusServiceUnavailable, "the feed cannot be made now")
	return failed
}

func plain(w http.ResponseWriter, status int, text string) {
	text += "\n"
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // as above
}

// fileName keeps what needs no quoting in a header.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, s)
}
