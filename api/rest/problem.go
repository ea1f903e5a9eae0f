package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"

	"daybook/ical"
	"daybook/store"
)

// Problem is an error that a client is told of. Status and the texts are for
// the client; Err is for the log and never shown.
type Problem struct {
	Status int         // 0: that of the API's invalid input
	Detail string      // one sentence for the client; "" is the status text
	Faults []Fault     // of single fields, in the order in which they were found
	Header http.Header // added to the answer, e.g. WWW-Authenticate
	Err    error       // the cause; may be nil

	// Members are added to a problem of the house API by their names
	// (extension members, RFC 9457 §3.2); other shapes have no place for them.
	Members map[string]any
}

func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = http.StatusText(p.Status)
	}
	if p.Err != nil {
		return text + ": " + p.Err.Error()
	}
	return text
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Err }

// Errorf makes a Problem of a status and a sentence for the client.
func Errorf(status int, detail string) *Problem { return &Problem{Status: status, Detail: detail} }

// Fault is what is wrong with one field of a request.
type Fault struct {
	Field   string // name of the parameter, or dotted path in the body, e.g. "recurrence.date_to"
	Message string // goes on from the field's name, e.g. "is required"
}

// maxFaults bounds the faults of one request: who sends more of them is helped
// by no longer list.
const maxFaults = 1000

// Faults collects what is wrong with a request, so that a client learns all of
// it at once, up to a bound.
type Faults struct {
	list   []Fault
	at     map[string]bool // fields with a fault; false: only below them
	unread map[string]bool // of those, what did not decode
}

// Add notes a fault. Message goes on from the name: "is required". Of a field
// that did not decode nothing more is told.
func (f *Faults) Add(field, message string) {
	if f.Full() || f.unread[field] {
		return
	}
	f.list = append(f.list, Fault{field, message})
	if f.at == nil {
		f.at = map[string]bool{}
	}
	f.at[field] = true
	for range maxDepth { // a name that is not known may be of dots alone
		i := strings.LastIndexByte(field, '.')
		if i < 0 {
			return
		}
		if field = field[:i]; f.Has(field) {
			return // and so have those above it
		}
		f.at[field] = false
	}
}

// decoded tells that what follows is about values that were read.
func (f *Faults) decoded() { f.unread = maps.Clone(f.at) }

// Full reports whether no more faults are noted, so that a long list need not
// be looked at to its end.
func (f *Faults) Full() bool { return len(f.list) >= maxFaults }

// Has reports whether the field, or one below it, has a fault already: what
// did not decode needs no second complaint.
func (f *Faults) Has(field string) bool {
	_, known := f.at[field]
	return known
}

// At reports whether the field itself has a fault: nothing below it was read
// then.
func (f *Faults) At(field string) bool { return f.at[field] }

// Err gives a *Problem with the faults, nil if there are none.
func (f *Faults) Err() error {
	if len(f.list) == 0 {
		return nil
	}
	return &Problem{Detail: "the request is not valid", Faults: f.list}
}

// Take gives the faults that were found and leaves none. An In whose Validate
// takes them keeps them for its function, which finds more in the store and
// tells all of them at once.
func (f *Faults) Take() Faults {
	out := *f
	*f = Faults{}
	return out
}

// AddAll notes the faults of others too.
func (f *Faults) AddAll(others Faults) {
	for _, x := range others.list {
		f.Add(x.Field, x.Message)
	}
}

// Invalid makes the *Problem of a single fault.
func Invalid(field, message string) *Problem {
	return &Problem{Detail: "the request is not valid", Faults: []Fault{{field, message}}}
}

// table maps the sentinels of the store to what a client is told. The first
// row that matches counts.
var table = []struct {
	err    error
	status int
	field  string // of the request that is usually at fault; "" none
	detail string
}{
	{store.ErrNotFound, http.StatusNotFound, "", "not found"},
	{store.ErrCredentials, http.StatusUnauthorized, "", "the credentials are missing or not accepted"},
	{store.ErrThrottled, http.StatusTooManyRequests, "", "too many failed sign-ins, try again later"},
	{store.ErrForbidden, http.StatusForbidden, "", "not allowed"},
	{store.ErrExists, http.StatusConflict, "", "it exists already"},
	{store.ErrNotNow, http.StatusConflict, "", "the remote is paused, was stopped, or is being pulled"},
	{store.ErrHomeFixed, http.StatusConflict, "", "a resource or organisation has exactly one calendar, which stays"},
	{store.ErrPrecondition, http.StatusPreconditionFailed, "", "it has changed meanwhile"},
	{store.ErrToken, http.StatusBadRequest, "token", "the token is not valid any more"},
	{store.ErrComponent, http.StatusConflict, "", "the calendar does not take this kind of object"},
	{store.ErrQuota, http.StatusInsufficientStorage, "", "a limit of the server is reached"},
	{store.ErrFull, http.StatusInsufficientStorage, "", "the server has no space left"},
	{store.ErrClosed, http.StatusServiceUnavailable, "", "the server is going down"},
	{store.ErrInvalid, 0, "", "the request is not valid"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "", "the request took too long"},
	{context.Canceled, http.StatusServiceUnavailable, "", "the request was given up"},
}

// AsProblem gives what the client is told of an error: the *Problem in its
// chain, or the row of the table, or a bare 500.
func AsProblem(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	for _, row := range table {
		if !errors.Is(err, row.err) {
			continue
		}
		p := &Problem{Status: row.status, Detail: row.detail, Err: err}
		if row.field != "" {
			p.Faults = []Fault{{row.field, row.detail}}
		}
		if row.status == http.StatusServiceUnavailable || row.status == http.StatusTooManyRequests {
			p.Header = http.Header{"Retry-After": {"30"}}
		}
		return p
	}
	if _, ok := errors.AsType[*store.UIDConflictError](err); ok {
		return &Problem{Status: http.StatusConflict, Detail: "the identifier is in use", Err: err}
	}
	if _, ok := errors.AsType[*ical.InvalidError](err); ok {
		return &Problem{Detail: "the request gives no valid iCalendar object", Err: err}
	}
	return &Problem{Status: http.StatusInternalServerError, Detail: "the server failed", Err: err}
}

// ErrorWriter writes an error in the shape of one API. The headers and the
// status of the problem are settled when it is called; it sets Content-Type
// and writes status and body.
type ErrorWriter interface {
	WriteError(w http.ResponseWriter, r *http.Request, p *Problem)
}

// House is the ErrorWriter of the daemon's own API: problem details
// (RFC 9457), with the faults of fields in the extension member "errors".
type House struct{}

type houseProblem struct {
	_      struct{}     `open:"true"` // extension members, see Problem.Members
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail,omitempty"`
	Errors []houseFault `json:"errors,omitempty"`
}

type houseFault struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// WriteError writes application/problem+json.
func (House) WriteError(w http.ResponseWriter, _ *http.Request, p *Problem) {
	out := houseProblem{Type: "about:blank", Title: http.StatusText(p.Status), Status: p.Status, Detail: p.Detail}
	for _, f := range p.Faults {
		out.Errors = append(out.Errors, houseFault{f.Field, f.Message})
	}
	if p.Members == nil {
		WriteJSON(w, "application/problem+json", p.Status, out)
		return
	}
	all := map[string]any{"type": out.Type, "title": out.Title, "status": out.Status, "detail": out.Detail}
	if out.Errors != nil {
		all["errors"] = out.Errors
	}
	for name, v := range p.Members {
		if _, taken := all[name]; !taken {
			all[name] = v
		}
	}
	WriteJSON(w, "application/problem+json", p.Status, all)
}

// WriteJSON writes a JSON document with its length. v must be a value that
// encoding/json can write; what it cannot is a fault of the program and gives
// an empty body.
func WriteJSON(w http.ResponseWriter, contentType string, status int, v any) {
	body, err := encode(v)
	if err != nil {
		status = http.StatusInternalServerError
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	writeBody(w, status, body)
}

// encode writes v as JSON, with < > & as they are and a final line break.
func encode(v any) ([]byte, error) {
	if a, ok := v.(Appender); ok {
		return append(a.AppendJSON(nil), '\n'), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
