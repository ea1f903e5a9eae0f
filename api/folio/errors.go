package folio

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/rest"
)

// Code is what went wrong, as clients tell it apart.
type Code string

// The codes, those of validation in the order in which they are answered.
const (
	InvalidParameter Code = "invalidParameter"
	InvalidRequest   Code = "invalidRequest"
	ServerError      Code = "internalServerError"
	CalendarNotFound Code = "calendarNotFound"

	NoName                   Code = "calendarNoName"
	InvalidDateRange         Code = "calendarInvalidDateRange"
	DateOverlap              Code = "calendarDateOverlap"
	InvalidNormalOpenings    Code = "calendarInvalidNormalOpenings"
	InvalidExceptionName     Code = "calendarInvalidExceptionName"
	InvalidExceptionOrder    Code = "calendarInvalidExceptionDateOrder"
	InvalidExceptionBoundary Code = "calendarInvalidExceptionDateBoundary"
	InvalidExceptions        Code = "calendarInvalidExceptions"
	InvalidOpeningBoundary   Code = "calendarInvalidExceptionOpeningBoundary"
	InvalidExceptionOpenings Code = "calendarInvalidExceptionOpenings"
)

// Values are the members of an error's parameters and data.
type Values map[string]any

// Error is one error of an answer.
type Error struct {
	Code       Code   `json:"code"`
	Message    string `json:"message"`
	Data       Values `json:"data,omitempty"`
	Parameters Values `json:"_parameters"`
}

// ErrorBody is the answer of everything that fails.
type ErrorBody struct {
	Timestamp string  `json:"timestamp" format:"date-time"`
	Status    int     `json:"status"`
	Errors    []Error `json:"errors"`
}

// failure is an error that knows its answer.
type failure struct {
	status int
	errors []Error
}

func (f *failure) Error() string { return fmt.Sprintf("%s (%d)", f.errors[0].Code, len(f.errors)) }

// asProblem gives the failure the form in which it passes through rest.
func (f *failure) asProblem() error { return &rest.Problem{Status: f.status, Err: f} }

// notFound is the answer for calendars that are not there.
func notFound(unknown, asked []uuid.UUID) error {
	message := "There is no such calendar."
	if len(unknown) > 1 {
		message = fmt.Sprintf("%d of the calendars do not exist.", len(unknown))
	}
	f := &failure{http.StatusNotFound, []Error{{
		Code: CalendarNotFound, Message: message,
		Data: Values{"notFound": texts(unknown)}, Parameters: Values{"query": texts(asked)},
	}}}
	return f.asProblem()
}

// Bounds of an error's answer.
const (
	maxFaults    = 50      // faults that are told
	maxEcho      = 4 << 20 // bytes of lists of the request, repeated in errors
	maxEchoValue = 200     // bytes of a parameter
)

// echo is a list of the request that errors repeat as a whole. It is written
// once, and left out of errors after so many that an answer would be larger
// than maxEcho: what a client sent is no measure for what we send.
type echo struct {
	text json.RawMessage
	left int
}

func newEcho(list any) (*echo, error) {
	text, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("repeat a list: %w", err)
	}
	return &echo{text, max(1, maxEcho/(len(text)+1))}, nil
}

// with gives the parameters of one more error.
func (e *echo) with(name string, more Values) Values {
	out := Values{}
	if e.left > 0 {
		e.left--
		out[name] = e.text
	}
	maps.Copy(out, more)
	return out
}

// errorWriter writes the error body of the API.
type errorWriter struct{ now func() time.Time }

// WriteError writes ErrorBody. A content type that is not understood is a
// parameter like others here: 400.
func (e errorWriter) WriteError(w http.ResponseWriter, r *http.Request, p *rest.Problem) {
	status := p.Status
	var list []Error
	f, ok := errors.AsType[*failure](p.Err)
	switch {
	case ok:
		status, list = f.status, f.errors
	case status == http.StatusUnsupportedMediaType:
		status = http.StatusBadRequest
		list = []Error{{Code: InvalidParameter, Message: sentence(p.Detail), Parameters: Values{}}}
	case len(p.Faults) > 0:
		list = faultErrors(r, p.Faults)
	default:
		list = []Error{{Code: codeOf(status), Message: sentence(p.Detail), Parameters: Values{}}}
	}
	rest.WriteJSON(w, "application/json", status, ErrorBody{stampMillis(e.now()), status, list})
}

// codeOf gives the code of errors that are not about a field. A body that is
// not JSON is an invalid parameter, as in the reference.
func codeOf(status int) Code {
	switch {
	case status == http.StatusBadRequest:
		return InvalidParameter
	case status < http.StatusInternalServerError:
		return InvalidRequest
	}
	return ServerError
}

func faultErrors(r *http.Request, faults []rest.Fault) []Error {
	out := make([]Error, 0, min(len(faults), maxFaults))
	for _, f := range faults[:min(len(faults), maxFaults)] {
		e := Error{Code: InvalidParameter, Message: quoted(f.Field) + " " + f.Message + ".", Parameters: Values{}}
		if v, ok := parameter(r, f.Field); ok {
			e.Parameters[f.Field] = v
		}
		out = append(out, e)
	}
	return out
}

// parameter gives what the request says for a parameter of path or query.
func parameter(r *http.Request, name string) (string, bool) {
	if v := r.PathValue(name); v != "" {
		return clip(v), true
	}
	if values, ok := r.URL.Query()[name]; ok {
		return clip(strings.Join(values, ",")), true
	}
	return "", false
}

func clip(s string) string {
	if len(s) > maxEchoValue {
		s = s[:maxEchoValue]
	}
	return strings.ToValidUTF8(s, "�")
}

func sentence(s string) string {
	if s == "" {
		return "The request failed."
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

func stampMillis(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func texts(ids []uuid.UUID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}

// distinct gives the ids without repeats, in their order.
func distinct[T comparable](all []T) []T {
	seen := make(map[T]struct{}, len(all))
	return slices.DeleteFunc(slices.Clone(all), func(x T) bool {
		_, again := seen[x]
		seen[x] = struct{}{}
		return again
	})
}
