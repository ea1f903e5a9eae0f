package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"daybook/store"
)

type thingBody struct {
	Name  string          `json:"name"`
	Count Opt[int]        `json:"count"`
	Note  Opt[string]     `json:"note"`
	Tags  []string        `json:"tags"`
	Sub   Opt[thingSub]   `json:"sub"`
	Extra json.RawMessage `json:"extra"`
	By    map[string]int  `json:"by"`
	Ratio float64         `json:"ratio"`
	On    bool            `json:"on"`
}

type thingSub struct {
	Day *string `json:"day"`
}

type thingIn struct {
	ID    string      `path:"id"`
	Limit Opt[int]    `query:"limit"`
	IDs   []int       `query:"ids"`
	Deep  Opt[bool]   `query:"deep"`
	Match Opt[string] `header:"If-Match"`
	Body  thingBody   `body:"json"`
}

func (in *thingIn) Validate(f *Faults) {
	if in.Body.Name == "" && !f.Has("name") {
		f.Add("name", "is required")
	}
	if n, ok := in.Body.Count.Get(); ok && n == 0 { // also of what did not decode: told once
		f.Add("count", "must not be nothing")
	}
}

type thingOut struct {
	ID     string `json:"id"`
	Text   string `json:"text,omitempty"`
	status int
}

func (o thingOut) StatusCode() int { return o.status }

// newAPI makes an API with one route that calls fn.
func newAPI(t *testing.T, change func(*API), op Operation) http.Handler {
	t.Helper()
	a := &API{
		Name: "things", Prefixes: []string{"/things/"}, Errors: House{}, Invalid: 422,
		Routes: []Route{
			{Pattern: "PUT /things/{id}", Summary: "Change a thing", Op: op},
			{Pattern: "GET /things/{id}/quiet", Summary: "Nothing", Op: Endpoint(204, func(context.Context, struct{}) (NoContent, error) { return NoContent{}, nil })},
		},
	}
	if change != nil {
		change(a)
	}
	h, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func call(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func echo(got *thingIn) Operation {
	return Endpoint(200, func(_ context.Context, in thingIn) (thingOut, error) {
		*got = in
		return thingOut{ID: in.ID, Text: "<&>", status: 200}, nil
	})
}

func faultsOf(t *testing.T, w *httptest.ResponseRecorder) map[string]string {
	t.Helper()
	var p houseProblem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%v in %q", err, w.Body)
	}
	out := map[string]string{}
	for _, f := range p.Errors {
		out[f.Field] = f.Detail
	}
	return out
}

func TestEndpointDecodesPathQueryHeaderAndBody(t *testing.T) {
	var in thingIn
	h := newAPI(t, nil, echo(&in))
	w := call(h, "PUT", "/things/a%20b?limit=5&ids=1,2&ids=3&deep=TRUE&other=x",
		`{"name":"n","count":null,"note":"x","tags":["a"],"sub":{"day":null},"extra": {"a": [1, 2]} ,"by":{"k":1},"ratio":1e2,"on":true,"more":1}`,
		"If-Match", `"x"`)
	if w.Code != 200 || w.Body.String() != `{"id":"a b","text":"<&>"}`+"\n" {
		t.Fatal(w.Code, w.Body)
	}
	if in.Limit.Or(0) != 5 || !reflect.DeepEqual(in.IDs, []int{1, 2, 3}) || !in.Deep.Or(false) || in.Match.Or("") != `"x"` {
		t.Errorf("parameters: %+v", in)
	}
	b := in.Body
	if !b.Count.IsNull() || b.Note.Or("") != "x" || string(b.Extra) != `{"a": [1, 2]}` || b.By["k"] != 1 || b.Ratio != 100 || !b.On {
		t.Errorf("body: %+v", b)
	}
}

func TestOptTellsAbsentNullAndValueApart(t *testing.T) {
	var in thingIn
	h := newAPI(t, nil, echo(&in))
	for body, want := range map[string]Opt[string]{
		`{"name":"n"}`: {}, `{"name":"n","note":null}`: Null[string](), `{"name":"n","note":""}`: Some(""),
	} {
		in = thingIn{}
		call(h, "PUT", "/things/1", body)
		if in.Body.Note != want {
			t.Errorf("%s: %+v", body, in.Body.Note)
		}
	}
}

func TestFaultsOfAllFieldsAreToldAtOnce(t *testing.T) {
	h := newAPI(t, nil, echo(new(thingIn)))
	w := call(h, "PUT", "/things/1?limit=x&deep=maybe&ids=1,b", `{"count":1.5,"note":1,"tags":[1,null],"sub":{"day":7},"by":{"k":"v"},"on":"yes"}`)
	want := map[string]string{
		"limit": "must be an integer", "deep": "must be true or false", "ids": "must be an integer", "name": "is required",
		"count": "must be an integer", "note": "must be a string", "tags.0": "must be a string", "tags.1": "must not be null",
		"sub.day": "must be a string", "by.k": "must be an integer", "on": "must be true or false",
	}
	if got := faultsOf(t, w); w.Code != 422 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d %v", w.Code, got)
	}
}

// What the types of others say of a value is for the programmer, not for the client.
func TestFaultsOfTimesAndIDsAreInPlainWords(t *testing.T) {
	type in struct {
		From time.Time      `query:"from"`
		Of   Opt[uuid.UUID] `query:"of"`
		Body struct {
			At Opt[time.Time] `json:"at"`
			ID uuid.UUID      `json:"id"`
		} `body:"json"`
	}
	h := newAPI(t, nil, Endpoint(200, func(context.Context, in) (thingOut, error) { return thingOut{status: 200}, nil }))
	const when, id = "must be a date and time with its offset, like 2027-03-01T12:30:00Z", "must be a UUID"
	for _, at := range []string{`"2027-03-01"`, `5`, `{}`} {
		w := call(h, "PUT", "/things/1?from=2027-03-01&of=x", `{"at": `+at+`, "id": "x"}`)
		if got := faultsOf(t, w); !reflect.DeepEqual(got, map[string]string{"from": when, "of": id, "at": when, "id": id}) {
			t.Errorf("%s: %v", at, got)
		}
	}
}

// A request that is wrong everywhere took time by the square of its length.
func TestFaultsAreBoundedAndFoundAtOnce(t *testing.T) {
	var f Faults
	for i := range 100_000 {
		f.Add(fmt.Sprintf("list.%d.name", i), "is required")
		f.Has("other")
	}
	f.Add(strings.Repeat("a.", 1<<19), "is not known")
	if n := len(f.list); n != maxFaults || !f.Full() {
		t.Error(n)
	}
	for field, want := range map[string][2]bool{ // Has, At
		"list": {true, false}, "list.7": {true, false}, "list.7.name": {true, true}, "list.7.name.x": {false, false},
		"lis": {false, false}, "list.99999.name": {false, false}, "": {false, false},
	} {
		if got := [2]bool{f.Has(field), f.At(field)}; got != want {
			t.Errorf("%q: %v", field, got)
		}
	}
	f = Faults{}
	f.Add(strings.Repeat("a.", 1<<19), "is not known")
	if len(f.at) > maxDepth+1 {
		t.Error(len(f.at))
	}
}

func TestStrictEndpointRefusesUnknownNames(t *testing.T) {
	op := Endpoint(200, func(context.Context, thingIn) (thingOut, error) { return thingOut{status: 200}, nil }).Strict()
	w := call(newAPI(t, nil, op), "PUT", "/things/1?nope=1", `{"name":"n","Name":"n"}`)
	if got := faultsOf(t, w); w.Code != 422 || got["nope"] == "" || got["Name"] == "" {
		t.Error(w.Code, got)
	}
}

func TestBrokenBodiesAre400(t *testing.T) {
	h := newAPI(t, nil, echo(new(thingIn)))
	for _, body := range []string{
		"", "{", `{"name":"n"} {}`, `{"name":"n"}x`, `[]`, `"x"`, `null`, `{"name":"n","name":"m"}`, `{"sub":{"a":1,"a":2}}`,
		"{\"name\":\"\xff\"}", `{"extra":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, `{'name':'n'}`, `{"name":"n",}`,
	} {
		if w := call(h, "PUT", "/things/1", body); w.Code != 400 || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestMalformedQueryIs400(t *testing.T) {
	if w := call(newAPI(t, nil, echo(new(thingIn))), "PUT", "/things/1?limit=%zz", `{"name":"n"}`); w.Code != 400 {
		t.Error(w.Code)
	}
}

func TestByteOrderMarkIsTolerated(t *testing.T) {
	if w := call(newAPI(t, nil, echo(new(thingIn))), "PUT", "/things/1", "\xef\xbb\xbf{\"name\":\"n\"}"); w.Code != 200 {
		t.Error(w.Code, w.Body)
	}
}

func TestContentTypeDecides415(t *testing.T) {
	h := newAPI(t, nil, echo(new(thingIn)))
	strict := newAPI(t, func(a *API) { a.TypeRequired = true }, echo(new(thingIn)))
	for _, c := range []struct {
		h      http.Handler
		header []string
		want   int
	}{
		{h, nil, 200},
		{strict, nil, 415},
		{h, []string{"Content-Type", "application/json"}, 200},
		{h, []string{"Content-Type", `application/json; charset="UTF-8"`}, 200},
		{h, []string{"Content-Type", "application/merge-patch+json"}, 200},
		{h, []string{"Content-Type", "application/json; charset=latin1"}, 415},
		{h, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{h, []string{"Content-Type", "nonsense/"}, 415},
		{h, []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 415},
	} {
		if w := call(c.h, "PUT", "/things/1", `{"name":"n"}`, c.header...); w.Code != c.want {
			t.Errorf("%v: %d", c.header, w.Code)
		}
	}
}

func TestBodyBeyondTheLimitIs413(t *testing.T) {
	h := newAPI(t, func(a *API) { a.Body = 20 }, echo(new(thingIn)))
	if w := call(h, "PUT", "/things/1", `{"name":"`+strings.Repeat("n", 30)+`"}`); w.Code != 413 {
		t.Error(w.Code)
	}
}

func TestUnknownPathsAndMethodsGetTheAPIsShape(t *testing.T) {
	h := newAPI(t, nil, echo(new(thingIn)))
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/things/1/nope", 404, ""},
		{"GET", "/things//1", 404, ""},
		{"PATCH", "/things/1", 405, "PUT"},
		{"POST", "/things/1/quiet", 405, "GET, HEAD"},
		{"OPTIONS", "/things/1", 405, "PUT"},
	} {
		w := call(h, c.method, c.path, "")
		if w.Code != c.status || w.Header().Get("Allow") != c.allow || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %d %v", c.method, c.path, w.Code, w.Header())
		}
	}
	if w := call(h, "GET", "/things/1/quiet", ""); w.Code != 204 || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "" {
		t.Error(w.Code, w.Header())
	}
}

func TestPathsThatAreAloneHaveNoMethodsOfAPlaceholder(t *testing.T) {
	h := newAPI(t, func(a *API) {
		all := Endpoint(204, func(context.Context, struct{}) (NoContent, error) { return NoContent{}, nil })
		a.Routes = append(a.Routes, Route{Pattern: "DELETE /things/all", Summary: "Remove all", Alone: true, Op: all})
	}, echo(new(thingIn)))
	w := call(h, "PUT", "/things/all", "{}")
	if w.Code != 405 || w.Header().Get("Allow") != "DELETE" {
		t.Error(w.Code, w.Header())
	}
	if w := call(h, "DELETE", "/things/1", ""); w.Code != 405 || w.Header().Get("Allow") != "PUT" {
		t.Error(w.Code, w.Header())
	}
}

func TestGuardComesBeforeTheBody(t *testing.T) {
	op := Endpoint(200, func(context.Context, thingIn) (thingOut, error) { return thingOut{}, nil }).
		Guard(func(_ context.Context, in thingIn) error {
			if in.ID != "1" {
				t.Errorf("guard sees %q", in.ID)
			}
			return store.ErrForbidden
		})
	if w := call(newAPI(t, nil, op), "PUT", "/things/1", "not json"); w.Code != 403 {
		t.Error(w.Code)
	}
}

func TestPanicIsTheAPIsOwn500AndCounted(t *testing.T) {
	var log bytes.Buffer
	panics := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p", Help: "p"}, []string{"api"})
	op := Endpoint(200, func(context.Context, thingIn) (thingOut, error) { panic("boom") })
	h := newAPI(t, func(a *API) { a.Log, a.Panics = slog.New(slog.NewTextHandler(&log, nil)), panics }, op)
	withID := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "req-1")
		h.ServeHTTP(w, r)
	})
	w := call(withID, "PUT", "/things/1", `{"name":"n"}`)
	if w.Code != 500 || w.Header().Get("Content-Type") != "application/problem+json" || strings.Contains(w.Body.String(), "boom") {
		t.Error(w.Code, w.Body)
	}
	if testutil.ToFloat64(panics.WithLabelValues("things")) != 1 || !strings.Contains(log.String(), "request=req-1") {
		t.Error(log.String())
	}
}

func TestTimeoutIs503InTheAPIsShape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := Endpoint(200, func(ctx context.Context, _ thingIn) (thingOut, error) {
			<-ctx.Done()
			return thingOut{}, ctx.Err()
		})
		w := call(newAPI(t, func(a *API) { a.Timeout = time.Minute }, op), "PUT", "/things/1", `{"name":"n"}`)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Error(w.Code, w.Header())
		}
	})
}

func TestSentinelsAreMappedOnce(t *testing.T) {
	for err, want := range map[error]int{
		store.ErrNotFound: 404, store.ErrForbidden: 403, store.ErrPrecondition: 412, store.ErrExists: 409, store.ErrFull: 507,
		store.ErrThrottled: 429, store.ErrCredentials: 401, store.ErrClosed: 503, store.ErrInvalid: 422,
		&store.UIDConflictError{}: 409, errors.New("x"): 500, Errorf(418, "x"): 418,
	} {
		op := Endpoint(200, func(context.Context, thingIn) (thingOut, error) {
			return thingOut{}, errors.Join(errors.New("secret detail"), err)
		})
		w := call(newAPI(t, nil, op), "PUT", "/things/1", `{"name":"n"}`)
		if w.Code != want || strings.Contains(w.Body.String(), "secret detail") {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
	}
	seen := map[error]bool{}
	for _, row := range table {
		if seen[row.err] {
			t.Errorf("%v is listed twice", row.err)
		}
		seen[row.err] = true
	}
}

func TestSignInErrorIsAnsweredBeforeAnythingElse(t *testing.T) {
	h := newAPI(t, func(a *API) {
		a.SignIn = func(*http.Request) (context.Context, error) {
			return nil, &Problem{Status: 401, Header: http.Header{"Www-Authenticate": {"Bearer"}}}
		}
	}, echo(new(thingIn)))
	w := call(h, "PUT", "/things/1?limit=x", "not json")
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") != "Bearer" {
		t.Error(w.Code, w.Header())
	}
}

func TestStatusOfAnAnswerCanDiffer(t *testing.T) {
	op := Endpoint(200, func(context.Context, thingIn) (thingOut, error) { return thingOut{status: 201}, nil })
	if w := call(newAPI(t, nil, op), "PUT", "/things/1", `{"name":"n"}`); w.Code != 201 {
		t.Error(w.Code)
	}
}

func TestMistakesInTheRouteListAreErrors(t *testing.T) {
	ok := Endpoint(200, func(context.Context, struct{}) (NoContent, error) { return NoContent{}, nil })
	bad := Endpoint(200, func(context.Context, struct {
		C chan int `query:"c"`
	},
	) (NoContent, error) {
		return NoContent{}, nil
	})
	for name, routes := range map[string][]Route{
		"no method": {{Pattern: "/x/a", Summary: "s", Op: ok}}, "twice": {{Pattern: "GET /x/a", Summary: "s", Op: ok}, {Pattern: "GET /x/a", Summary: "s", Op: ok}}, "no summary": {{Pattern: "GET /x/a", Summary: "", Op: ok}},
		"outside": {{Pattern: "GET /y", Summary: "s", Op: ok}}, "field": {{Pattern: "GET /x/a", Summary: "s", Op: bad}},
	} {
		if _, err := (&API{Name: "x", Prefixes: []string{"/x/"}, Routes: routes, Errors: House{}}).Handler(); err == nil {
			t.Error(name)
		}
	}
}

func TestDescriptionNamesParametersAndTypes(t *testing.T) {
	d := echo(new(thingIn)).Describe()
	if d.Status != 200 || len(d.Params) != 5 || d.Body != reflect.TypeFor[thingBody]() || d.Out != reflect.TypeFor[thingOut]() {
		t.Errorf("%+v", d)
	}
	if p := d.Params[2]; p.In != "query" || p.Name != "ids" || !p.List {
		t.Errorf("%+v", p)
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"name":"n","count":1,"tags":["a",null],"sub":{"day":"x"},"extra":[1,{"a":2}]}`, `{"a":1,"a":2}`, `[[[[`, `{"":""}`, "\xef\xbb\xbf{}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := parseJSON(data)
		if err != nil {
			return
		}
		if !json.Valid(n.raw) {
			t.Fatalf("accepted %q as %q", data, n.raw)
		}
		var faults Faults
		var b thingBody
		(&assigner{&faults, true}).assign("", n, reflect.ValueOf(&b).Elem())
		if len(b.Extra) > 0 && !json.Valid(b.Extra) {
			t.Fatalf("raw member %q of %q", b.Extra, data)
		}
	})
}
