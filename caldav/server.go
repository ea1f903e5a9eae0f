package caldav

import (
	"encoding/xml"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"daybook/caldav/dav"
	"daybook/ical"
	"daybook/store"
)

// Options says how a Server is made. Only Store is needed.
type Options struct {
	Store   *store.Store
	Log     *slog.Logger          // nil: discarded
	Metrics prometheus.Registerer // nil: none
	Prefix  string                // context path with both slashes; "" is /dav/
	Realm   string                // of Basic authentication; "" is Daybook. Clients file the password under it
	// TrustProxy believes X-Forwarded-Proto, -Host, -Prefix and -For: only
	// when a proxy of one's own sets them.
	TrustProxy bool
	XML        dav.Limits  // of request bodies
	Object     ical.Limits // of one calendar object resource; Bytes is max-resource-size
	// MaxAttendees bounds the attendees of one component of an object that is
	// put; 0 is 100.
	MaxAttendees int
	// MaxInstances bounds the recurrence set of an object that is put, if it
	// ends; 0 is ical.DefaultMaxInstances, which is also as many as an answer
	// expands.
	MaxInstances int
	Now          func() time.Time // nil: time.Now
	// Free gives the bytes that may still be stored, for
	// quota-available-bytes (RFC 4331); nil: the property is absent.
	Free func() (int64, bool)
}

// Server is the CalDAV server.
type Server struct {
	Options
	methods  map[string]*method
	byName   map[xml.Name]*property
	props    []*property // in the order of the modules
	reports  map[xml.Name]*report
	ordered  []*report
	features string // the DAV header
	metrics  metrics
}

// method is a row of the table of HTTP methods.
type method struct {
	name string
	on   kind
	run  func(*exchange) error
}

// module is what one RFC adds.
type module struct {
	features []string
	props    []property
	reports  []report
}

// New makes a server; it does nothing until it is asked.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Prefix == "" {
		o.Prefix = "/dav/"
	}
	if o.Realm == "" {
		o.Realm = "Daybook"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Object.Bytes <= 0 {
		o.Object.Bytes = ical.DefaultLimits.Bytes
	}
	if o.MaxAttendees <= 0 {
		o.MaxAttendees = 100
	}
	if o.MaxInstances <= 0 {
		o.MaxInstances = ical.DefaultMaxInstances
	}
	o.XML = o.XML.Filled()
	s := &Server{
		Options: o,
		methods: make(map[string]*method),
		byName:  make(map[xml.Name]*property),
		reports: make(map[xml.Name]*report),
		metrics: newMetrics(o.Metrics),
	}
	for _, m := range methodTable() {
		s.methods[m.name] = &m
	}
	features := []string{"1", "3"}
	for _, m := range []module{
		rfc4918(), rfc3253(), rfc3744(), rfc4331(), rfc4791(), rfc5397(), rfc5689(), rfc5842(), rfc5995(),
		rfc6578(), rfc6638(), rfc7809(), rfc7953(), calendarserver(), apple(),
	} {
		features = append(features, m.features...)
		for _, p := range m.props {
			s.byName[p.name] = &p
			s.props = append(s.props, &p)
		}
		for _, r := range m.reports {
			s.reports[r.name] = &r
			s.ordered = append(s.ordered, &r)
		}
	}
	s.features = strings.Join(features, ", ")
	return s
}

func methodTable() []method {
	return []method{
		{"OPTIONS", anywhere, (*exchange).options},
		{"GET", kindCalendar | kindObject, (*exchange).get},
		{"HEAD", kindCalendar | kindObject, (*exchange).get},
		{"PUT", anywhere, (*exchange).put},
		{"POST", kindCalendar, (*exchange).post},
		{"DELETE", anywhere, (*exchange).delete},
		{"COPY", anywhere, (*exchange).transfer},
		{"MOVE", anywhere, (*exchange).transfer},
		{"PROPFIND", anywhere, (*exchange).propfind},
		{"PROPPATCH", anywhere, (*exchange).proppatch},
		{"MKCALENDAR", anywhere, (*exchange).mkcalendar},
		{"MKCOL", anywhere, (*exchange).mkcol},
		{"REPORT", anywhere, (*exchange).report},
		{"ACL", kindHome | kindCalendar, (*exchange).acl},
	}
}

// allowed gives the Allow header for a kind of resource.
func (s *Server) allowed(k kind) string {
	var names []string
	for _, m := range methodTable() {
		if m.on&k != 0 && allowedOn(m.name, k) {
			names = append(names, m.name)
		}
	}
	return strings.Join(names, ", ")
}

// allowedOn leaves out of Allow the methods that are routed everywhere only to
// be refused with the right precondition.
func allowedOn(name string, k kind) bool {
	switch name {
	case "PUT":
		return k == kindObject
	case "DELETE", "COPY", "MOVE":
		return k&(kindCalendar|kindObject) != 0
	case "PROPPATCH":
		return k&(kindHome|kindCalendar|kindObject|kindPrincipal) != 0
	case "MKCALENDAR", "MKCOL":
		return k&(kindHome|kindCalendar) != 0
	}
	return true
}

// WellKnown is the path of RFC 6764 §5.
const WellKnown = "/.well-known/caldav"

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{srv: s, w: w, r: r, ctx: r.Context()}
	defer s.recovered(x)
	if s.TrustProxy {
		x.outside = strings.TrimRight(forwarded(r, "X-Forwarded-Prefix"), "/")
		if !strings.HasPrefix(x.outside, "/") {
			x.outside = ""
		}
	}
	if p := strings.TrimSuffix(r.URL.Path, "/"); p == WellKnown {
		w.Header().Set("Location", x.absolute(x.base()))
		w.Header().Set("Cache-Control", "max-age=3600")
		// Not 301: libraries in wide use send the request to its new address without
		// the body then, and a PROPFIND without one does not ask for the principal.
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	if err := s.serve(x); err != nil {
		s.fail(x, err)
	}
}

func (s *Server) serve(x *exchange) error {
	name, password, ok := x.r.BasicAuth()
	if !ok {
		return store.ErrCredentials
	}
	actor, err := s.Store.Authenticate(x.ctx, name, password, s.client(x.r))
	if err != nil {
		return err
	}
	x.actor, x.ctx = actor, store.By(x.ctx, actor, "caldav")
	if strings.Contains(x.r.RequestURI, "#") {
		return errBadRequest // a fragment is never part of a request; what is meant is not its prefix
	}
	if x.target, err = x.parse(x.r.URL.EscapedPath()); err != nil {
		return err
	}
	m := s.methods[x.r.Method]
	if m == nil {
		return &dav.Error{Status: http.StatusNotImplemented}
	}
	if m.on&x.target.kind == 0 {
		return x.notAllowed()
	}
	x.prefer = dav.ParsePrefer(x.r.Header)
	return m.run(x)
}

// notAllowed gives 405, unless the actor may not see the target.
func (x *exchange) notAllowed() error {
	err := x.view(func(v *store.View) error {
		_, err := x.resolve(v, x.target)
		return err
	})
	if err != nil {
		return err
	}
	return &dav.Error{Status: http.StatusMethodNotAllowed}
}

func (s *Server) recovered(x *exchange) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	s.metrics.panics.Inc()
	s.Log.Error("request panicked", "err", v, "method", x.r.Method, "request", x.requestID(), "stack", string(debug.Stack()))
	if x.started {
		panic(http.ErrAbortHandler)
	}
	x.w.WriteHeader(http.StatusInternalServerError)
}

// client gives the address for throttling sign-ins.
func (s *Server) client(r *http.Request) string {
	if s.TrustProxy {
		if hops := strings.Split(r.Header.Get("X-Forwarded-For"), ","); hops[len(hops)-1] != "" {
			return strings.TrimSpace(hops[len(hops)-1])
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// forwarded gives the first value of a header that a proxy sets.
func forwarded(r *http.Request, name string) string {
	v, _, _ := strings.Cut(r.Header.Get(name), ",")
	return strings.TrimSpace(v)
}

// options answers OPTIONS (RFC 4918 §10.1, RFC 4791 §5.1).
func (x *exchange) options() error {
	err := x.view(func(v *store.View) error {
		_, err := x.resolve(v, x.target)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	h := x.w.Header()
	h.Set("DAV", x.srv.features)
	h.Set("Allow", x.srv.allowed(x.target.kind))
	h.Set("Content-Length", "0")
	x.status(http.StatusOK)
	return nil
}

type metrics struct {
	panics  prometheus.Counter
	refused *prometheus.CounterVec
	reports *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) metrics {
	m := metrics{
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "daybook_caldav_panics_total", Help: "Requests that ended in a panic.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daybook_caldav_refused_objects_total", Help: "Calendar objects that were refused, by precondition.",
		}, []string{"rule"}),
		reports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daybook_caldav_reports_total", Help: "REPORT requests, by report.",
		}, []string{"report"}),
	}
	if r != nil {
		r.MustRegister(m.panics, m.refused, m.reports)
	}
	return m
}

// reportsOn gives the reports that a kind of resource takes.
func (s *Server) reportsOn(k kind) []*report {
	return slices.DeleteFunc(slices.Clone(s.ordered), func(r *report) bool { return r.on&k == 0 })
}
