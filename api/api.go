// Package api mounts everything that the daemon serves beside CalDAV: the REST
// APIs, feeds, probes, metrics, and a small web page. Each API is a package of
// its own below this one; none knows another.
package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"daybook/api/feeds"
	"daybook/api/folio"
	"daybook/api/house"
	"daybook/api/onlive"
	"daybook/api/remotes"
	"daybook/api/rest"
	"daybook/api/timetap"
	"daybook/api/trybe"
	"daybook/api/vastal"
	"daybook/store"
)

// Options are what the handler is made of.
type Options struct {
	Store    *store.Store
	Log      *slog.Logger          // nil: discarded
	Metrics  prometheus.Registerer // nil: none are kept
	Gatherer prometheus.Gatherer   // what /metrics shows; nil: no such page here
	Now      func() time.Time      // nil: time.Now

	// Ready tells why the daemon should not be asked now, nil when it should:
	// while it starts, and as soon as it goes down. nil: always ready.
	Ready func() error

	MaxBody int64         // bytes of a REST request's body; 0: rest.DefaultBody
	Timeout time.Duration // of one request; 0: rest.DefaultTimeout

	Jobs                       house.Jobs      // the daemon's cron table; nil: there is none
	Stopping                   <-chan struct{} // closed when the daemon goes down: what has no end of its own ends; nil: never
	Remotes                    remotes.Puller  // pulls remotes; nil: there are none
	Courier                    house.Courier   // makes the deliveries of webhooks; nil: there are none
	MaxStreams, MaxStreamsEach int             // of changes: in all, and of one credential; 0: the house API's defaults

	PublicURL string // address of the daemon as clients see it; "": not known

	Off []string // names of APIs that are not mounted, e.g. trybe.Name
}

// New gives the handler. It takes these paths and no others: /, /robots.txt,
// /feeds/, /livez, /readyz, /metrics, /openapi.json, /docs, and the prefixes of the APIs.
func New(o Options) (http.Handler, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	panics := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "daybook_api_panics_total",
		Help: "Requests that ended in a panic of the program, by API.",
	}, []string{"api"})
	if o.Metrics != nil {
		if err := o.Metrics.Register(panics); err != nil {
			return nil, fmt.Errorf("api: %w", err)
		}
	}
	mux := &patterns{ServeMux: http.NewServeMux()}
	all := apis(o)
	for _, a := range all {
		a.Log, a.Panics, a.Body, a.Timeout = o.Log, panics, o.MaxBody, o.Timeout
		if err := mux.mount(a); err != nil {
			return nil, err
		}
	}
	f, err := feeds.New(feeds.Options{
		Store: o.Store, Log: o.Log, Metrics: o.Metrics, Timeout: o.Timeout, Now: o.Now, PublicURL: o.PublicURL,
	})
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	guard := &guarded{name: "feeds", log: o.Log, panics: panics}
	mux.ServeMux.Handle("/feeds/", guard.wrap(f))
	mux.list = append(mux.list, "GET /feeds/{secret}/{name}") // it takes its path apart itself
	probes(mux, o)
	pages(mux)
	if o.Gatherer != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	}
	describe(mux, o, all)
	return mux, nil
}

// patterns is a mux that remembers what it was given beside the APIs, for the
// test that compares it with the description.
type patterns struct {
	*http.ServeMux
	list   []string
	mounts []mounted
}

// mounted is an API at one of its prefixes.
type mounted struct {
	prefix string
	http.Handler
}

// ServeHTTP is that of http.ServeMux, except for the paths of APIs that are
// not clean ("//", "/../") or are a prefix without its slash: there the mux
// answers with a redirect to a page, which is in nobody's shape, and the API
// with its own 404.
func (p *patterns) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := p.unredirected(r.URL.Path); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	p.ServeMux.ServeHTTP(w, r)
}

// unredirected gives the API that answers for a path which the mux would
// redirect, nil for all other paths.
func (p *patterns) unredirected(at string) http.Handler {
	var api mounted
	clean := isClean(at)
	for _, m := range p.mounts {
		switch {
		case clean && m.prefix == at:
			return nil
		case clean && m.prefix == at+"/":
			api = m
		case !clean && strings.HasPrefix(at, m.prefix) && strings.HasSuffix(m.prefix, "/") && len(m.prefix) > len(api.prefix):
			api = m
		}
	}
	return api.Handler
}

// isClean reports whether a path has no empty segments and none of dots.
func isClean(at string) bool {
	clean := path.Clean(at)
	return at == clean || at == clean+"/"
}

// Handle is that of http.ServeMux.
func (p *patterns) Handle(pattern string, h http.Handler) {
	p.list = append(p.list, pattern)
	p.ServeMux.Handle(pattern, h)
}

// HandleFunc is that of http.ServeMux.
func (p *patterns) HandleFunc(pattern string, h http.HandlerFunc) { p.Handle(pattern, h) }

// apis is the list of REST APIs: one row adds one.
func apis(o Options) []*rest.API {
	var out []*rest.API
	ro := rest.Options{Store: o.Store, Now: o.Now}
next:
	for _, a := range []*rest.API{
		folio.New(ro),
		onlive.New(ro),
		trybe.New(ro),
		timetap.New(ro),
		vastal.New(ro),
		house.New(house.Options{
			Options: ro, Jobs: o.Jobs, Stopping: o.Stopping, Streams: o.MaxStreams, StreamsEach: o.MaxStreamsEach, Courier: o.Courier, Metrics: o.Metrics, Remotes: o.Remotes,
		}),
	} {
		for _, name := range o.Off {
			if a.Name == name {
				continue next
			}
		}
		out = append(out, a)
	}
	return out
}

func (p *patterns) mount(a *rest.API) error {
	h, err := a.Handler()
	if err != nil {
		return err
	}
	for _, prefix := range a.Prefixes {
		p.ServeMux.Handle(prefix, h)
		p.mounts = append(p.mounts, mounted{prefix, h})
	}
	return nil
}
