package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"daybook/store"
)

// Bounds of an API that names none.
const (
	DefaultBody    = 1 << 20 // bytes of a request's body
	DefaultTimeout = 30 * time.Second
)

// Route is one endpoint of an API.
type Route struct {
	Pattern string // of net/http.ServeMux, with a method: "GET /v1/things/{id}"
	Summary string // one line for a reader of the API's description
	Op      Operation

	// What a description of the API says beyond the types. All may be zero.
	Doc    string // sentences for a reader
	Tag    string // the group that the endpoint is listed in; "" is the API's
	ID     string // operationId behind the API's name; "" follows from the pattern
	Media  string // type of an answer that is not the API's
	Also   []int  // other statuses of success
	Errors []int  // statuses of errors beside those that all such endpoints have
	Open   bool   // answers anybody

	// Alone says that the path has the methods of such routes only, although
	// a route with a placeholder fits it too.
	Alone bool
}

// Call is a POST that an API makes to an address which a client gave it.
type Call struct {
	Name    string // of the kind of call, e.g. changes
	Summary string // one line for a reader
	Doc     string // sentences for a reader
	Tag     string // the group that it is listed in
	Headers []CallHeader
	Body    reflect.Type      // of its JSON
	Answers map[string]string // what an answer means, by status, e.g. 2XX
}

// CallHeader is a header of a Call.
type CallHeader struct{ Name, Doc string }

// API is a list of routes with one way to sign in and one shape of error.
type API struct {
	Name     string   // for logs and metrics
	Prefixes []string // the paths that are the API's, e.g. "/shop/": what no route takes there is its 404
	Routes   []Route
	Calls    []Call // that the API makes, for its description
	Errors   ErrorWriter
	Invalid  int // status of faults in a request; 0 is 400

	// SignIn says who asks: it gives the context for the request, or the
	// error. It may read the body and must then put it back. nil: anybody.
	SignIn func(*http.Request) (context.Context, error)

	// Replays keeps the answers to POSTs with an Idempotency-Key; nil takes no
	// notice of the header.
	Replays Replays

	Title    string       // for a reader; "" is the name
	Doc      string       // sentences about the API
	Security [][]Security // ways to sign in, each all that a request carries then

	ContentType  string // of answers; "" is application/json
	TypeRequired bool   // a body without Content-Type is refused
	Body         int64  // bytes of a request's body; 0 is DefaultBody
	Timeout      time.Duration

	Log    *slog.Logger           // nil: discarded
	Panics *prometheus.CounterVec // by API; nil counts nothing
}

func (a *API) contentType() string {
	if a.ContentType != "" {
		return a.ContentType
	}
	return "application/json"
}

// server is an API ready to serve.
type server struct {
	*API
	mux     *http.ServeMux
	methods []string
	alone   map[string]bool // paths of routes that are alone
}

type matched struct {
	route Route
	srv   *server
}

// Handler makes the API's handler. An error is a mistake in the list of
// routes. The API is not to be changed afterwards.
func (a *API) Handler() (http.Handler, error) {
	s := &server{API: a, mux: http.NewServeMux(), alone: map[string]bool{}}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	seen := map[string]bool{}
	for _, r := range a.Routes {
		method, path, ok := strings.Cut(r.Pattern, " ")
		if !ok || seen[r.Pattern] || r.Summary == "" || r.Op == nil {
			return nil, fmt.Errorf("api %s: route %q is incomplete or listed twice", a.Name, r.Pattern)
		}
		if !slices.ContainsFunc(a.Prefixes, func(p string) bool { return strings.HasPrefix(path, p) }) {
			return nil, fmt.Errorf("api %s: route %q is outside of the API's paths", a.Name, r.Pattern)
		}
		if err := r.Op.check(); err != nil {
			return nil, fmt.Errorf("api %s: route %q: %w", a.Name, r.Pattern, err)
		}
		seen[r.Pattern] = true
		s.methods = append(s.methods, method)
		if r.Alone {
			s.alone[path] = true
		}
		s.mux.Handle(r.Pattern, &matched{r, s})
	}
	if slices.Contains(s.methods, http.MethodGet) {
		s.methods = append(s.methods, http.MethodHead)
	}
	slices.Sort(s.methods)
	s.methods = slices.Compact(s.methods)
	return s, nil
}

// ServeHTTP answers in the API's own shape, whatever happens.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w = &once{ResponseWriter: w}
	defer s.recovered(w, r)
	if !s.matches(r) {
		s.fail(w, r, s.unmatched(r))
		return
	}
	s.mux.ServeHTTP(w, r)
}

// matches reports whether a route takes the request. What else the mux would
// answer by itself (405, redirects of unclean paths) is not in the API's shape.
func (s *server) matches(r *http.Request) bool {
	h, _ := s.mux.Handler(r)
	m, ok := h.(*matched)
	return ok && (m.route.Alone || !s.alone[r.URL.Path])
}

// unmatched tells 405, with the methods that the path knows, from 404.
func (s *server) unmatched(r *http.Request) error {
	var allow []string
	for _, m := range s.methods {
		probe := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if s.matches(probe) {
			allow = append(allow, m)
		}
	}
	if allow == nil {
		return Errorf(http.StatusNotFound, "there is nothing at this address")
	}
	p := Errorf(http.StatusMethodNotAllowed, "the method is not allowed here")
	p.Header = http.Header{"Allow": {strings.Join(allow, ", ")}}
	return p
}

// ServeHTTP answers a request that has matched a route.
func (m *matched) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := m.srv
	limit, timeout := s.Body, s.Timeout
	if limit == 0 {
		limit = DefaultBody
	}
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	outer := r.Context()
	ctx, cancel := context.WithTimeout(outer, timeout)
	defer cancel()
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	r = r.WithContext(store.By(ctx, nil, s.Name))
	if s.SignIn != nil {
		signed, err := s.SignIn(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		r = r.WithContext(signed)
	}
	answer := func(w http.ResponseWriter, r *http.Request) {
		out, err := m.route.Op.answer(s.API, w, r)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case out != nil:
			s.stream(outer, w, r, out)
		}
	}
	if s.Replays != nil && r.Method == http.MethodPost && r.Header.Get("Idempotency-Key") != "" {
		if err := s.replaying(w, r, answer); err != nil {
			s.fail(w, r, err)
		}
		return
	}
	answer(w, r)
}

// fail writes the error through the API's writer and logs what the server is
// to blame for.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := *AsProblem(err)
	if p.Status == 0 {
		p.Status = s.Invalid
	}
	if p.Status == 0 {
		p.Status = http.StatusBadRequest
	}
	if p.Detail == "" {
		p.Detail = http.StatusText(p.Status)
	}
	if p.Status >= 500 && !errors.Is(err, context.Canceled) {
		s.Log.ErrorContext(r.Context(), "request failed", "api", s.Name, "route", r.Pattern, "status", p.Status,
			"request", w.Header().Get("X-Request-Id"), "err", err)
	}
	maps.Copy(w.Header(), p.Header)
	s.Errors.WriteError(w, r, &p)
}

// recovered turns a panic into the API's own 500.
func (s *server) recovered(w http.ResponseWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause)
	}
	if s.Panics != nil {
		s.Panics.WithLabelValues(s.Name).Inc()
	}
	s.Log.ErrorContext(r.Context(), "panic", "api", s.Name, "route", r.Pattern,
		"request", w.Header().Get("X-Request-Id"), "err", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if o, ok := w.(*once); ok && o.wrote {
		panic(http.ErrAbortHandler) // an answer has begun: only closing the connection tells the client
	}
	p := Errorf(http.StatusInternalServerError, "the server failed")
	s.Errors.WriteError(w, r, p)
}

// once remembers whether an answer has begun.
type once struct {
	http.ResponseWriter
	wrote bool
}

func (o *once) WriteHeader(status int) {
	o.wrote = true
	o.ResponseWriter.WriteHeader(status)
}

func (o *once) Write(b []byte) (int, error) {
	o.wrote = true
	return o.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (o *once) Unwrap() http.ResponseWriter { return o.ResponseWriter }
