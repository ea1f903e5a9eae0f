package openapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/api/rest"
)

// tree contains itself.
type tree struct {
	Name     string     `json:"name" doc:"What it is called."`
	Children []tree     `json:"children"`
	Parent   *tree      `json:"parent,omitempty"`
	At       time.Time  `json:"at"`
	ID       *uuid.UUID `json:"id"`
	Inner    struct {
		Ratio float64  `json:"ratio"`
		Small int32    `json:"small" min:"1" max:"9"`
		Words []string `json:"words" enum:"a,b"`
	} `json:"inner"`
	Raw  json.RawMessage `json:"raw"`
	By   map[string]uint `json:"by"`
	Pair [2]bool         `json:"pair"`
	None []int           `json:"none" null:"true"`
	skip int
}

type changeIn struct {
	ID    string           `path:"id"`
	Limit rest.Opt[int]    `query:"limit"`
	Day   rest.Opt[string] `query:"day" format:"date"`
	Tags  []string         `query:"tags"`
	Match rest.Opt[string] `header:"If-Match"`
	Body  change           `body:"json"`
}

type change struct {
	Name string           `json:"name"`
	Note rest.Opt[string] `json:"note"`
	Must rest.Opt[int]    `json:"must"`
	List []struct {
		Key rest.Opt[string] `json:"key"`
	} `json:"list"`
}

// Validate wants a name, a day, a number that is not null, and keys.
func (in *changeIn) Validate(f *rest.Faults) {
	if in.Body.Name == "" {
		f.Add("name", "is required")
	}
	if _, ok := in.Day.Get(); !ok {
		f.Add("day", "is required")
	}
	if in.Body.Must.IsNull() {
		f.Add("must", "must not be null")
	}
	for i, x := range in.Body.List {
		if _, ok := x.Key.Get(); !ok {
			f.Add("list."+string(rune('0'+i))+".key", "is required")
		}
	}
}

func things() *rest.API {
	return &rest.API{
		Name: "things", Errors: rest.House{}, Invalid: 422, SignIn: func(*http.Request) (context.Context, error) { return nil, nil },
		Security: [][]rest.Security{{{Name: "bearer", Type: "http", Scheme: "bearer"}}},
		Routes: []rest.Route{
			{Pattern: "PUT /things/{id}", Summary: "Change", Op: rest.Endpoint(200, func(context.Context, changeIn) (tree, error) { return tree{skip: 1}, nil })},
			{Pattern: "GET /things", Summary: "List", Op: rest.Endpoint(200, func(context.Context, struct{}) (rest.List[tree], error) { return rest.List[tree]{}, nil })},
			{Pattern: "GET /text", Summary: "Text", Media: "text/plain", Open: true, Op: rest.Endpoint(200, func(context.Context, struct{}) (rest.Document, error) { return rest.Document{}, nil })},
		},
	}
}

func build(t *testing.T) *Document {
	t.Helper()
	d, err := Build(Info{Title: "Things", Version: "1"}, nil, []*rest.API{things()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSchemasOfTypes(t *testing.T) {
	got := build(t).Components.Schemas["ThingsTree"]
	want := map[string]string{
		"name":     `{"type":"string","description":"What it is called."}`,
		"children": `{"type":"array","items":{"$ref":"#/components/schemas/ThingsTree"}}`,
		"parent":   `{"anyOf":[{"$ref":"#/components/schemas/ThingsTree"},{"type":"null"}]}`,
		"at":       `{"type":"string","format":"date-time"}`,
		"id":       `{"type":["string","null"],"format":"uuid"}`,
		"inner": `{"type":"object","properties":{"ratio":{"type":"number"},"small":{"type":"integer","format":"int32","minimum":1,"maximum":9},` +
			`"words":{"type":"array","items":{"type":"string","enum":["a","b"]}}},"required":["ratio","small","words"]}`,
		"raw": `{}`, "by": `{"type":"object","additionalProperties":{"type":"integer","format":"int64","minimum":0}}`,
		"pair": `{"type":"array","minItems":2,"maxItems":2,"items":{"type":"boolean"}}`,
		"none": `{"type":["array","null"],"items":{"type":"integer","format":"int64"}}`,
	}
	for _, p := range got.Properties {
		if s := asJSON(t, p.Schema); s != want[p.Name] {
			t.Errorf("%s: %s want %s", p.Name, s, want[p.Name])
		}
		delete(want, p.Name)
	}
	if len(want) > 0 || strings.Join(got.Required, " ") != "name children at id inner raw by pair none" {
		t.Errorf("%v missing, %v required", want, got.Required)
	}
}

// What is required and what may be null is what Validate says.
func TestRequestsAreAskedOfValidate(t *testing.T) {
	d := build(t)
	body := d.Components.Schemas["ThingsChange"]
	want := `{"type":"object","properties":{"name":{"type":"string"},"note":{"type":["string","null"]},"must":{"type":"integer","format":"int64"},` +
		`"list":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"}},"required":["key"]}}},"required":["name"]}`
	if got := asJSON(t, body); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	o := d.Paths["/things/{id}"].Put
	for _, p := range o.Parameters {
		if p.Required != (p.Name == "id" || p.Name == "day") {
			t.Errorf("%+v", p)
		}
	}
	if o.ID != "thingsPutThingsById" || asJSON(t, o.Security) != `[{"bearer":[]}]` {
		t.Error(o.ID, o.Security)
	}
	for _, status := range []string{"200", "400", "401", "403", "404", "409", "412", "413", "415", "422", "429", "500", "503", "507"} {
		if o.Responses[status] == nil {
			t.Errorf("no %s", status)
		}
	}
}

func TestAnswersOfOtherTypes(t *testing.T) {
	d := build(t)
	if d.Components.Schemas["ThingsTreeList"] == nil {
		t.Error("a generic list has no readable name")
	}
	o := d.Paths["/text"].Get
	if asJSON(t, o.Responses["200"].Content) != `{"text/plain":{"schema":{"type":"string"}}}` || len(o.Security) != 0 || o.Responses["401"] != nil {
		t.Error(asJSON(t, o))
	}
}

func TestMistakesInTheLists(t *testing.T) {
	a := things()
	a.Routes = append(a.Routes, rest.Route{Pattern: "GET /thing-s", ID: "getThings", Summary: "s", Op: a.Routes[1].Op})
	if _, err := Build(Info{}, nil, []*rest.API{a}, nil); err == nil {
		t.Error("one operationId for two")
	}
	a.Routes = []rest.Route{{Pattern: "TRACE /things", Summary: "s", Op: a.Routes[1].Op}}
	if _, err := Build(Info{}, nil, []*rest.API{a}, nil); err == nil {
		t.Error("a method that has no place")
	}
}

func TestExamplesHaveWhatIsRequired(t *testing.T) {
	v := view{build(t)}
	got := v.curl(shown{"PUT", "/things/{id}", v.Paths["/things/{id}"].Put, false})
	want := "curl -X PUT \"$BASE\"'/things/text?day=2027-03-01' \\\n  -H 'Authorization: Bearer ID.SECRET' \\\n  -H 'Content-Type: application/json' \\\n  -d '{\"name\":\"text\"}'"
	if strings.ReplaceAll(got, ": \"text\"", ":\"text\"") != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
