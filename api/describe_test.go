package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"daybook/api/openapi"
	"daybook/store"
)

func ask(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// The schema beside this test is the part of OpenAPI 3.1 that the document
// uses, and nothing else; schemas in the document are judged by the compiler, by
// the vocabulary of draft 2020-12.
func TestTheDocumentIsOpenAPI31(t *testing.T) {
	read := func(data []byte) any {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	rules, err := os.ReadFile("testdata/openapi31.json")
	if err != nil {
		t.Fatal(err)
	}
	doc := read(get(newHandler(t, nil), "/openapi.json").Body.Bytes())
	c := jsonschema.NewCompiler()
	for url, v := range map[string]any{"http://daybook.invalid/rules.json": read(rules), "http://daybook.invalid/doc.json": doc} {
		if err := c.AddResource(url, v); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("http://daybook.invalid/rules.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Error(err)
	}
	var schemas int
	walk(doc, "", func(at string, v map[string]any) {
		if ref, ok := v["$ref"].(string); ok && resolve(doc, ref) == nil {
			t.Errorf("%s refers to nothing: %s", at, ref)
		}
		if strings.HasSuffix(at, "/schema") || strings.HasPrefix(at, "/components/schemas/") && strings.Count(at, "/") == 3 {
			schemas++
			if _, err := c.Compile("http://daybook.invalid/doc.json#" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(at)); err != nil {
				t.Errorf("%s: %v", at, err)
			}
		}
	})
	if schemas < 200 {
		t.Errorf("%d schemas", schemas)
	}
}

// walk visits all objects of a JSON value with their JSON pointers.
func walk(v any, at string, visit func(string, map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(at, v)
		for name, x := range v {
			walk(x, at+"/"+strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1"), visit)
		}
	case []any:
		for i, x := range v {
			walk(x, at+"/"+strconv.Itoa(i), visit)
		}
	}
}

func resolve(doc any, ref string) any {
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		m, ok := doc.(map[string]any)
		if !ok {
			return nil
		}
		doc = m[part]
	}
	return doc
}

// What serves and what is described are the same.
func TestTheDocumentIsWhatIsMounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	o := Options{Gatherer: reg}
	doc, err := document(o, apis(o))
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, p := range doc.Paths {
		for _, x := range p.Operations() {
			described[x.Method+" "+path] = true
		}
	}
	mux := &patterns{ServeMux: http.NewServeMux()}
	probes(mux, o)
	pages(mux)
	describe(mux, o, nil)
	served := append(mux.list, "GET /feeds/{secret}/{name}", "GET /metrics") // New mounts these by hand
	for _, a := range apis(o) {
		for _, r := range a.Routes {
			served = append(served, r.Pattern)
		}
	}
	for _, pattern := range served {
		method, path, _ := strings.Cut(pattern, " ")
		key := method + " " + openapi.PathOf(path)
		if !described[key] {
			t.Errorf("%s is served and not described", key)
		}
		delete(described, key)
	}
	for key := range described {
		t.Errorf("%s is described and not served", key)
	}
}

// Each path of the document finds a handler that is not the answer to nothing:
// the mux itself is asked.
func TestEveryDescribedPathIsServed(t *testing.T) {
	h := newHandler(t, nil)
	var doc struct {
		Paths map[string]map[string]struct{ Security []any }
	}
	if err := json.Unmarshal(get(h, "/openapi.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Paths) < 40 {
		t.Errorf("%d paths", len(doc.Paths))
	}
	for path, ops := range doc.Paths {
		for method, o := range ops {
			if len(o.Security) == 0 {
				continue
			}
			target := strings.NewReplacer("{", "", "}", "").Replace(path)
			if w := ask(h, strings.ToUpper(method), target); w.Code != 401 && w.Code != 400 {
				t.Errorf("%s %s without credentials: %d", method, path, w.Code)
			}
		}
	}
}

// What a webhook is posted has a schema: the document knew of webhooks only how
// to make them.
func TestMessagesToWebhooksAreDescribed(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(get(newHandler(t, nil), "/openapi.json").Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("http://daybook.invalid/doc.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("http://daybook.invalid/doc.json#/webhooks/changes/post/requestBody/content/application~1json/schema")
	if err != nil {
		t.Fatal(err)
	}
	id := uuid.Must(uuid.NewV7())
	thing := &store.EventThing{ID: &id, Kind: "staff", Name: "ada"}
	full := store.Event{
		ID: "1f-1", Type: "block.moved", Time: time.Now(), API: "house", Actor: store.EventActor{Kind: "user", ID: &id, Name: "x"},
		Resource: thing, Calendar: thing, Object: thing, From: &store.EventOrigin{Calendar: thing, Name: "y"},
	}
	for _, m := range []store.Message{
		{Type: "changes", Timestamp: time.Now(), Data: store.MessageData{Events: []store.Event{full, {ID: "1f-2", Type: "note.created", Actor: store.EventActor{Kind: "system"}}}}},
		{Type: "reset", Timestamp: time.Now(), Data: store.MessageData{Detail: "read everything again"}},
	} {
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	bad, _ := jsonschema.UnmarshalJSON(strings.NewReader(`{"type": "other", "timestamp": "2026-01-01T00:00:00Z", "data": {}}`))
	if s.Validate(bad) == nil {
		t.Error("the schema takes any message")
	}
	replay, err := c.Compile("http://daybook.invalid/doc.json#/paths/~1v1~1webhooks~1%7Bwebhook%7D~1replay/post/requestBody/content/application~1json/schema")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`{"last_event_id": "1f-1"}`, `{"dead_letters": []}`} {
		v, _ := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err := replay.Validate(v); err != nil {
			t.Errorf("a replay of %s is against the document: %v", text, err)
		}
	}
}

func TestOperationsAreComplete(t *testing.T) {
	o := Options{}
	doc, err := document(o, apis(o))
	if err != nil {
		t.Fatal(err)
	}
	for path, p := range doc.Paths {
		for _, x := range p.Operations() {
			if len(x.Tags) != 1 || x.Tags[0] == "" || x.Summary == "" || len(x.Responses) == 0 {
				t.Errorf("%s %s: %+v", x.Method, path, x.Operation)
			}
			if !slices.ContainsFunc(slices.Collect(maps.Keys(x.Responses)), func(s string) bool { return s < "400" }) {
				t.Errorf("%s %s never succeeds", x.Method, path)
			}
		}
	}
}

func TestTheDocumentIsTheSameEachTime(t *testing.T) {
	a, b := get(newHandler(t, nil), "/openapi.json"), get(newHandler(t, nil), "/openapi.json")
	if !bytes.Equal(a.Body.Bytes(), b.Body.Bytes()) || a.Header().Get("ETag") != b.Header().Get("ETag") || a.Header().Get("ETag") == "" {
		t.Error("two documents of the same routes differ")
	}
}

func TestTheDocumentIsCompressedAndKept(t *testing.T) {
	h := newHandler(t, nil)
	for _, path := range []string{"/openapi.json", "/docs"} {
		plain, zip := ask(h, "GET", path), ask(h, "GET", path, "Accept-Encoding", "gzip")
		r, err := gzip.NewReader(zip.Body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, plain.Body.Bytes()) || zip.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %v", path, err)
		}
		if plain.Header().Get("ETag") == zip.Header().Get("ETag") {
			t.Error("one strong tag for two encodings")
		}
		for _, w := range []*httptest.ResponseRecorder{plain, zip} {
			if again := ask(h, "GET", path, "If-None-Match", w.Header().Get("ETag")); again.Code != 304 || again.Body.Len() != 0 {
				t.Errorf("%s: %d", path, again.Code)
			}
		}
	}
}

// The page works without the network, and without a script.
func TestThePageOfTheDocumentLoadsNothing(t *testing.T) {
	w := get(newHandler(t, nil), "/docs")
	page := w.Body.String()
	for _, bad := range []string{"http://", "https://", "src=", "<link", "@import", "url(", "<script", "ZgotmplZ", " style="} {
		if strings.Contains(page, bad) {
			t.Errorf("%s in the page", bad)
		}
	}
	if p := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none'") || strings.Count(p, "'sha256-") != 1 {
		t.Error(p)
	}
	for _, want := range []string{"/shop/blocked-times", "/v1/resources", "x-okapi-tenant", "curl -X POST", "TrybeBlockedTime"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in the page", want)
		}
	}
}
