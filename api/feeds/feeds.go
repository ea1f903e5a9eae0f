// Package feeds serves calendars at secret addresses, /feeds/SECRET/NAME.ics,
// to whatever fetches them: calendar programs, phones, Google, Outlook. The
// extension of the name says in which form: see the table in forms.go.
//
// The secret is the permission. A wrong secret, a wrong name, a form that there
// is not and an expired feed are the same 404. A fetch that finds nothing new
// costs a few small reads. Nothing here logs an address.
package feeds

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
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
	Now     func() time.Time      // nil: time.Now
	// PublicURL is the daemon's address as clients see it, which feeds name as
	// their source; "": none.
	PublicURL string
}

// The results of a fetch, as the metric counts them.
const (
	sent        = "sent"
	notModified = "not_modified"
	notFound    = "not_found"
	throttled   = "throttled"
	notAllowed  = "method_not_allowed"
	failed      = "failed"
)

type handler struct {
	store   *store.Store
	log     *slog.Logger
	fetches *prometheus.CounterVec
	bytes   *prometheus.CounterVec
	timeout time.Duration
	now     func() time.Time
	public  string
}

// New gives the handler of everything below /feeds/.
func New(o Options) (http.Handler, error) {
	h := &handler{store: o.Store, log: o.Log, timeout: o.Timeout, now: o.Now, public: strings.TrimRight(o.PublicURL, "/")}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.now == nil {
		h.now = time.Now
	}
	if h.timeout == 0 {
		h.timeout = 30 * time.Second
	}
	h.fetches = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "daybook_feed_fetches_total",
		Help: "Fetches of feeds, by result (sent, not_modified, not_found, throttled, method_not_allowed, failed) and family of client.",
	}, []string{"result", "client"})
	h.bytes = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "daybook_feed_sent_bytes_total",
		Help: "Bytes of feeds that were sent, by form and coding.",
	}, []string{"form", "coding"})
	if o.Metrics != nil {
		if err := errors.Join(o.Metrics.Register(h.fetches), o.Metrics.Register(h.bytes)); err != nil {
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
	secret, name, fm := address(r.URL.Path)
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		from = r.RemoteAddr
	}
	if h.store.FeedThrottled(secret, from) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Retry-After", "60")
		plain(w, http.StatusTooManyRequests, "too many wrong addresses; try again later")
		return throttled
	}
	x, err := h.find(r.Context(), secret, name, fm)
	h.store.FeedTried(secret, from, !errors.Is(err, store.ErrNotFound))
	switch {
	case errors.Is(err, store.ErrNotFound):
		w.Header().Set("Cache-Control", "no-store")
		plain(w, http.StatusNotFound, "there is no such feed")
		return notFound
	case err != nil:
		return h.fail(w, r, "", err)
	}
	return h.answer(w, r, x)
}

// address takes a path apart; the form is nil for an address that no feed has.
func address(path string) (secret, name string, fm *form) {
	secret, file, ok := strings.Cut(strings.TrimPrefix(path, "/feeds/"), "/")
	dot := strings.LastIndexByte(file, '.')
	if !ok || dot < 0 || secret == "" {
		return secret, "", nil
	}
	return secret, file[:dot], formOf(file[dot+1:])
}

// fetch is one fetch of a feed that was found.
type fetch struct {
	feed   *store.Feed
	stream *store.Stream
	form   *form
	now    time.Time
	color  string
	source string
	tag    string // entity tag of the uncompressed form
}

// find gives the feed of an address with its validators.
func (h *handler) find(ctx context.Context, secret, name string, fm *form) (*fetch, error) {
	if fm == nil {
		return nil, store.ErrNotFound
	}
	x := &fetch{form: fm, now: h.now()}
	return x, h.store.View(ctx, func(v *store.View) (err error) {
		if x.feed, err = v.FeedBySecret(secret); err != nil {
			return err
		}
		f := x.feed
		if subtle.ConstantTimeCompare([]byte(f.Name), []byte(name)) != 1 || !fm.suits(f) {
			return store.ErrNotFound
		}
		x.color, x.source = blocks.NearestName(color(v, f)), h.source(secret, name)
		if x.stream, err = v.FeedStream(f, x.color, x.source); err != nil {
			return err
		}
		x.tag = fm.tag(x.stream)
		return nil
	})
}

// source is the address of a feed for itself.
func (h *handler) source(secret, name string) string {
	if h.public == "" {
		return ""
	}
	return h.public + "/feeds/" + url.PathEscape(secret) + "/" + url.PathEscape(name) + ".ics"
}

// color gives the feed's colour: its own, or that of whom it shows.
func color(v *store.View, f *store.Feed) string {
	if f.Color != "" {
		return f.Color
	}
	owner := f.Principal
	if c, err := v.Collection(f.Collection); err == nil {
		owner = c.Owner
	}
	p, err := v.Principal(owner)
	if err != nil {
		return ""
	}
	return p.Color
}

func (h *handler) answer(w http.ResponseWriter, r *http.Request, x *fetch) string {
	head := w.Header()
	head.Set("Cache-Control", "private, no-cache")
	head.Set("Vary", "Accept-Encoding")
	coding := accepted(r.Header.Values("Accept-Encoding"))
	x.setValidators(head, coding)
	if x.fresh(r.Header) {
		w.WriteHeader(http.StatusNotModified)
		h.note(r, x, http.StatusNotModified, 0)
		return notModified
	}
	text, err := x.form.content(r.Context(), h.store, x, coding)
	if err != nil {
		h.note(r, x, http.StatusServiceUnavailable, 0)
		return h.fail(w, r, x.feed.ID, err)
	}
	x.tag = x.form.tag(x.stream)
	x.setValidators(head, coding) // those of what was rendered
	if x.stream.Skipped > 0 {
		h.log.DebugContext(r.Context(), "feed leaves out objects that do not parse", "feed", x.feed.ID, "objects", x.stream.Skipped)
	}
	if coding != store.CodingNone {
		head.Set("Content-Encoding", codings[coding].name)
	}
	head.Set("Content-Type", x.form.media)
	head.Set("Content-Disposition", `inline; filename="`+fileName(x.feed.Name)+"."+x.form.extension+`"`)
	head.Set("Content-Length", strconv.FormatInt(text.Size, 10))
	w.WriteHeader(http.StatusOK)
	n := 0
	if r.Method == http.MethodGet {
		for _, part := range text.Parts {
			m, err := w.Write(part)
			if n += m; err != nil {
				break // the client is gone; nobody is left to tell
			}
		}
	}
	h.bytes.WithLabelValues(x.form.extension, codings[coding].label).Add(float64(n))
	h.note(r, x, http.StatusOK, int64(n))
	return sent
}

func (h *handler) note(r *http.Request, x *fetch, status int, n int64) {
	h.store.Fetched(x.feed, store.Fetch{
		Client: family(r.UserAgent()), Agent: r.UserAgent(), Status: status, Form: x.form.extension, Bytes: n,
	})
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
