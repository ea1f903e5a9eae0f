package rest

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
)

// Validator is an In that can judge itself. Validate is called after the
// fields were decoded and adds to the faults found by then.
type Validator interface{ Validate(f *Faults) }

// StatusCoder is an Out that may change the status of success, such as a 201
// beside the usual 200.
type StatusCoder interface{ StatusCode() int }

// Headerer is an Out that sets headers of the answer.
type Headerer interface{ SetHeader(h http.Header) }

// Keeper is an Out with something that is told only once, such as a new secret,
// or that changes by itself. What is kept for an Idempotency-Key, and what its
// entity tag is of, is the value that Kept gives.
type Keeper interface{ Kept() any }

// NoContent is the Out of an answer without a body.
type NoContent struct{}

// Document is an Out that is not JSON: bytes of a type of its own, under a
// strong ETag.
type Document struct {
	Type string // Content-Type
	Body []byte
	Name string // of the file that a browser saves it as; "" for none
}

// SetHeader sets the ETag, and the name of the file.
func (d Document) SetHeader(h http.Header) {
	sum := sha256.Sum256(d.Body)
	h.Set("ETag", tagText(sum[:]))
	h.Set("Cache-Control", "private, no-cache") // kept, and asked about each time
	if d.Name != "" {
		h.Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": d.Name}))
	}
}

// Operation is what answers a route; made by Endpoint.
type Operation interface {
	// Describe gives the types and parameters.
	Describe() Description
	// Needs gives what a request must have.
	Needs() Needs
	check() error
	// answer gives what is still to be streamed, nil when all is written.
	answer(a *API, w http.ResponseWriter, r *http.Request) (Streamer, error)
}

// Op is an Operation with its types.
type Op[In, Out any] struct {
	status   int
	fn       func(context.Context, In) (Out, error)
	guard    func(context.Context, In) error
	strict   bool
	params   []Param
	body     []int
	other    otherBody
	mistaken error
}

// Endpoint makes an operation of a typed function. status is that of success.
// See the package comment for the tags of In.
func Endpoint[In, Out any](status int, fn func(context.Context, In) (Out, error)) *Op[In, Out] {
	o := &Op[In, Out]{status: status, fn: fn}
	o.params, o.body, o.other, o.mistaken = describe(reflect.TypeFor[In]())
	return o
}

// Guard adds a check of rights that runs before the body is looked at: path,
// query and headers of In are set, as far as they could be decoded.
func (o *Op[In, Out]) Guard(check func(context.Context, In) error) *Op[In, Out] {
	o.guard = check
	return o
}

// Strict makes unknown query parameters and body members faults.
func (o *Op[In, Out]) Strict() *Op[In, Out] {
	o.strict = true
	return o
}

// Describe gives the types and parameters.
func (o *Op[In, Out]) Describe() Description {
	d := Description{Status: o.status, In: reflect.TypeFor[In](), Out: reflect.TypeFor[Out](), Params: o.params, OtherBody: o.other.mediaType}
	if o.body != nil {
		d.Body = d.In.FieldByIndex(o.body).Type
	}
	return d
}

func (o *Op[In, Out]) check() error { return o.mistaken }

func (o *Op[In, Out]) answer(a *API, w http.ResponseWriter, r *http.Request) (Streamer, error) {
	in, err := o.read(a, r)
	if err != nil {
		return nil, err
	}
	out, err := o.fn(r.Context(), in)
	if err != nil {
		return nil, err
	}
	if s, ok := any(out).(Streamer); ok {
		return s, nil
	}
	return nil, o.write(a, w, r, out)
}

// read decodes and checks a request.
func (o *Op[In, Out]) read(a *API, r *http.Request) (in In, err error) {
	var faults Faults
	v := reflect.ValueOf(&in).Elem()
	if err := readParams(r, o.params, o.strict, v, &faults); err != nil {
		return in, err
	}
	if o.guard != nil {
		if err := o.guard(r.Context(), in); err != nil {
			return in, err
		}
	}
	switch {
	case o.other.is(r):
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return in, bodyError(err)
		}
		v.FieldByIndex(o.other.index).SetBytes(data)
	case o.body != nil:
		n, err := a.readBody(r, o.other.mediaType)
		if err != nil {
			return in, err
		}
		(&assigner{&faults, o.strict}).assign("", n, v.FieldByIndex(o.body))
	}
	if j, ok := any(&in).(Validator); ok {
		faults.decoded()
		j.Validate(&faults)
	}
	return in, faults.Err()
}

func (o *Op[In, Out]) write(a *API, w http.ResponseWriter, r *http.Request, out Out) error {
	status := o.status
	if s, ok := any(out).(StatusCoder); ok {
		status = s.StatusCode()
	}
	if _, ok := any(out).(NoContent); ok {
		w.WriteHeader(status)
		return nil
	}
	kind, body := a.contentType(), []byte(nil)
	if d, ok := any(out).(Document); ok {
		kind, body = d.Type, d.Body
	} else {
		var err error
		if body, err = encode(out); err != nil {
			return err
		}
	}
	if rec, ok := w.(*recorder); ok {
		kept, err := keptBody(out)
		if err != nil {
			return err
		}
		rec.kept = kept
	}
	if h, ok := any(out).(Headerer); ok {
		h.SetHeader(w.Header())
	}
	if unchanged(r, w.Header()) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	w.Header().Set("Content-Type", kind)
	writeBody(w, status, body)
	return nil
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone; nobody is left to tell
}

// readBody reads the JSON object of a request that may have a body of the other
// type too; "" for none.
func (a *API) readBody(r *http.Request, other string) (*node, error) {
	if err := a.checkType(r, other); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bodyError(err)
	}
	n, err := parseJSON(data)
	if err != nil {
		return nil, Errorf(http.StatusBadRequest, err.Error())
	}
	if n.kind != '{' {
		return nil, Errorf(http.StatusBadRequest, "the body is not a JSON object")
	}
	return n, nil
}

// bodyError tells a body that is too large from one that broke off.
func bodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &Problem{Status: http.StatusRequestEntityTooLarge, Detail: "the body is too large", Err: err}
	}
	return &Problem{Status: http.StatusBadRequest, Detail: "the body could not be read", Err: err}
}

// checkType accepts JSON in UTF-8, and, unless the API wants a Content-Type, a
// body that does not say what it is (RFC 9110 §8.3).
func (a *API) checkType(r *http.Request, other string) error {
	kinds := "application/json"
	if other != "" {
		kinds += " or " + other
	}
	unsupported := Errorf(http.StatusUnsupportedMediaType, "the body must be "+kinds+" in UTF-8")
	if encoded(r) {
		return unsupported
	}
	ct := r.Header.Get("Content-Type")
	if ct == "" && !a.TypeRequired {
		return nil
	}
	kind, params, err := mime.ParseMediaType(ct)
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return unsupported
	}
	if !isUTF8(params) {
		return unsupported
	}
	return nil
}

func encoded(r *http.Request) bool {
	c := r.Header.Get("Content-Encoding")
	return c != "" && !strings.EqualFold(c, "identity")
}

func isUTF8(params map[string]string) bool {
	c := params["charset"]
	return c == "" || strings.EqualFold(c, "utf-8")
}

// otherBody is the field that takes a body of another type than JSON, as it
// was sent.
type otherBody struct {
	mediaType string // "": there is none
	index     []int
}

// is reports whether the request has such a body.
func (o otherBody) is(r *http.Request) bool {
	if o.mediaType == "" || encoded(r) {
		return false
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == o.mediaType && isUTF8(params)
}
