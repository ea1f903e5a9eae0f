package apitest

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"daybook/api/openapi"
	"daybook/api/rest"
)

// described is an API's part of the OpenAPI document, ready to judge answers.
type described struct {
	mux    *http.ServeMux // of the patterns, to find a request's operation
	ops    map[string]*openapi.Operation
	alone  map[string]bool // paths that no placeholder takes
	doc    *openapi.Document
	errors rest.Shaper

	compiler struct {
		sync.Mutex
		*jsonschema.Compiler
		known map[string]*jsonschema.Schema
	}
}

// The documents that schemas are compiled from: as it is for requests, and
// with every object closed for answers, so that a member that is not described
// is a fault.
const openDoc, closedDoc = "http://daybook.invalid/open.json", "http://daybook.invalid/closed.json"

// descriptions are those of the APIs by name, made when first needed: each test
// has an API of its own with the same routes.
var descriptions sync.Map

func describe(a *rest.API) (*described, error) {
	if d, ok := descriptions.Load(a.Name); ok {
		return d.(*described), nil
	}
	doc, err := openapi.Build(openapi.Info{Title: a.Name, Version: "1"}, nil, []*rest.API{a}, nil)
	if err != nil {
		return nil, err
	}
	d := &described{mux: http.NewServeMux(), alone: map[string]bool{}, ops: map[string]*openapi.Operation{}, doc: doc}
	shaper, ok := a.Errors.(rest.Shaper)
	if !ok {
		return nil, fmt.Errorf("the errors of %s are of no known shape", a.Name)
	}
	d.errors = shaper
	for _, r := range a.Routes {
		d.mux.Handle(r.Pattern, http.NotFoundHandler())
		d.ops[r.Pattern] = operationOf(doc, r.Pattern)
		if r.Alone {
			_, path, _ := strings.Cut(r.Pattern, " ")
			d.alone[path] = true
		}
	}
	data, err := doc.JSON()
	if err != nil {
		return nil, err
	}
	d.compiler.Compiler = jsonschema.NewCompiler()
	d.compiler.AssertFormat()
	d.compiler.known = map[string]*jsonschema.Schema{}
	for url, closed := range map[string]bool{openDoc: false, closedDoc: true} {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		if closed {
			closeObjects(v)
		}
		if err := d.compiler.AddResource(url, v); err != nil {
			return nil, err
		}
	}
	kept, _ := descriptions.LoadOrStore(a.Name, d)
	return kept.(*described), nil
}

// closeObjects lets no object have members that it does not name.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, named := v["properties"].(map[string]any); named && v["type"] != nil && v["additionalProperties"] == nil {
			v["additionalProperties"] = false
		}
		for _, x := range v {
			closeObjects(x)
		}
	case []any:
		for _, x := range v {
			closeObjects(x)
		}
	}
}

func operationOf(doc *openapi.Document, pattern string) *openapi.Operation {
	method, path, _ := strings.Cut(pattern, " ")
	p := doc.Paths[openapi.PathOf(path)]
	if p == nil {
		return nil
	}
	for _, o := range p.Operations() {
		if o.Method == method {
			return o.Operation
		}
	}
	return nil
}

// schema compiles a schema of the document, found by a JSON pointer.
func (d *described) schema(url, pointer string) (*jsonschema.Schema, error) {
	d.compiler.Lock()
	defer d.compiler.Unlock()
	key := url + "#" + pointer
	if s := d.compiler.known[key]; s != nil {
		return s, nil
	}
	s, err := d.compiler.Compile(key)
	if err == nil {
		d.compiler.known[key] = s
	}
	return s, err
}

// pointer writes a JSON pointer as the fragment of an address.
func pointer(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		p = strings.ReplaceAll(strings.ReplaceAll(p, "~", "~0"), "/", "~1")
		b.WriteString("/" + strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D", "+", "%2B").Replace(p))
	}
	return b.String()
}

// conforms reports what is wrong with an answer, by the API's description: its
// status, media type, and body must be described. What no route takes must be
// an error in the API's shape.
func (d *described) conforms(r *http.Request, w *httptest.ResponseRecorder) error {
	_, pattern := d.mux.Handler(r)
	o := d.ops[pattern]
	if _, path, _ := strings.Cut(pattern, " "); o == nil || d.alone[r.URL.Path] && path != r.URL.Path {
		return d.failure(w)
	}
	status := strconv.Itoa(w.Code)
	described := o.Responses[status]
	if described == nil {
		return fmt.Errorf("the description of %s has no status %d: name it in Also or Errors of its route", pattern, w.Code)
	}
	method, path, _ := strings.Cut(pattern, " ")
	at := []string{"paths", openapi.PathOf(path), strings.ToLower(method), "responses", status}
	if name, ok := strings.CutPrefix(described.Ref, "#/components/responses/"); ok {
		described = d.doc.Components.Responses[name]
		at = []string{"components", "responses", name}
	}
	for name := range described.Headers {
		if name == "Location" && w.Header().Get(name) == "" {
			return fmt.Errorf("%s has no %s", pattern, name)
		}
	}
	if r.Method == http.MethodHead {
		return nil
	}
	if len(described.Content) == 0 {
		if w.Body.Len() > 0 {
			return fmt.Errorf("the description of %s knows no body with %d", pattern, w.Code)
		}
		return nil
	}
	media, _, err := mime.ParseMediaType(w.Header().Get("Content-Type"))
	if described.Content["*/*"].Schema != nil {
		return nil
	}
	if _, ok := described.Content[media]; err != nil || !ok {
		return fmt.Errorf("the description of %s knows no %q with %d", pattern, w.Header().Get("Content-Type"), w.Code)
	}
	if media != "application/json" && !strings.HasSuffix(media, "+json") {
		return nil
	}
	return d.validate(closedDoc, pointer(append(at, "content", media, "schema")...), w.Body.Bytes())
}

// failure checks an answer of 404 or 405 to what is no route.
func (d *described) failure(w *httptest.ResponseRecorder) error {
	media, _ := d.errors.Shape(w.Code)
	if got := w.Header().Get("Content-Type"); got != media || w.Code != http.StatusNotFound && w.Code != http.StatusMethodNotAllowed {
		return fmt.Errorf("%d %s to what no route takes", w.Code, got)
	}
	return nil
}

// takes reports what the description says against the body of a request that
// was accepted: it must not promise to refuse what is taken.
func (d *described) takes(r *http.Request, body string) error {
	_, pattern := d.mux.Handler(r)
	o := d.ops[pattern]
	if o == nil || o.RequestBody == nil || body == "" || r.Header.Get("Content-Type") != "application/json" {
		return nil
	}
	method, path, _ := strings.Cut(pattern, " ")
	return d.validate(openDoc, pointer("paths", openapi.PathOf(path), strings.ToLower(method), "requestBody", "content", "application/json", "schema"), []byte(body))
}

func (d *described) validate(url, pointer string, body []byte) error {
	s, err := d.schema(url, pointer)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return s.Validate(v)
}

// Conforms checks an answer against the API's part of the OpenAPI document.
// [Place.Send] does so for every answer.
func Conforms(t testing.TB, a *rest.API, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	d, err := describe(a)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.conforms(r, w); err != nil {
		t.Errorf("%s %s: the answer is not as described: %v\n%s", r.Method, r.URL, err, w.Body)
	}
}

// keep reads the body of a request, and leaves it there.
func keep(r *http.Request) string {
	if r.Body == nil {
		return ""
	}
	b, _ := io.ReadAll(r.Body) // of a test: it does not fail
	r.Body = io.NopCloser(bytes.NewReader(b))
	return string(b)
}
