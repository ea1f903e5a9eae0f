package apitest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"daybook/api/rest"
)

type thing struct {
	Name string  `json:"name"`
	Day  string  `json:"day" format:"date"`
	Note *string `json:"note,omitempty"`
}

type thingIn struct {
	Body struct {
		Name rest.Opt[string] `json:"name"`
	} `body:"json"`
}

// Validate wants a name.
func (in *thingIn) Validate(f *rest.Faults) {
	if !in.Body.Name.Present() {
		f.Add("name", "is required")
	}
}

func TestWhatIsNotDescribedIsFound(t *testing.T) {
	d, err := describe(&rest.API{
		Name: "apitest", Errors: rest.House{},
		Routes: []rest.Route{{Pattern: "PUT /thing", Summary: "s", Op: rest.Endpoint(200, func(context.Context, thingIn) (thing, error) { return thing{}, nil })}},
	})
	if err != nil {
		t.Fatal(err)
	}
	problem := `{"type":"about:blank","title":"t","status":404,"detail":"d"}`
	for name, c := range map[string]struct {
		path   string
		status int
		media  string
		body   string
		good   bool
	}{
		"as described":      {"/thing", 200, "application/json", `{"name":"n","day":"2027-03-01","note":null}`, true},
		"without optional":  {"/thing", 200, "application/json", `{"name":"n","day":"2027-03-01"}`, true},
		"another member":    {"/thing", 200, "application/json", `{"name":"n","day":"2027-03-01","more":1}`, false},
		"no member":         {"/thing", 200, "application/json", `{"name":"n"}`, false},
		"another type":      {"/thing", 200, "application/json", `{"name":1,"day":"2027-03-01"}`, false},
		"another format":    {"/thing", 200, "application/json", `{"name":"n","day":"1 March"}`, false},
		"another status":    {"/thing", 202, "application/json", `{"name":"n","day":"2027-03-01"}`, false},
		"another media":     {"/thing", 200, "text/plain", `{"name":"n","day":"2027-03-01"}`, false},
		"an error":          {"/thing", 404, "application/problem+json", problem, true},
		"its extensions":    {"/thing", 409, "application/problem+json", `{"type":"about:blank","title":"t","status":409,"conflicts":[]}`, true},
		"an incomplete one": {"/thing", 404, "application/problem+json", `{"title":"t"}`, false},
		"no route":          {"/nothing", 404, "application/problem+json", problem, true},
		"a foreign shape":   {"/nothing", 404, "text/plain", "404 page not found", false},
	} {
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", c.media)
		w.WriteHeader(c.status)
		_, _ = w.WriteString(c.body) // a recorder takes all
		if err := d.conforms(httptest.NewRequest("PUT", c.path, nil), w); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := httptest.NewRequest("PUT", "/thing", http.NoBody)
	r.Header.Set("Content-Type", "application/json")
	if err := d.takes(r, `{"name":"n","more":1}`); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{`{}`, `{"name":2}`} {
		if d.takes(r, bad) == nil {
			t.Errorf("%s is as described", bad)
		}
	}
}

func TestMasksHideAndShow(t *testing.T) {
	m := ByPattern(`id_([0-9a-f]{4})`)
	if got := m.Hide("", "id_00ff id_00aa id_00ff"); got != "id_$1 id_$2 id_$1" || m.Show("x/id_$2") != "x/id_00aa" {
		t.Error(got)
	}
	e := ByExchange(func(raw string) string { return raw })
	for _, id := range []string{"a1", "", "b2"} {
		e.Hide(id, "")
	}
	if got := e.Hide("c3", "a1 b2 c3"); got != "$1 $3 $4" || e.Show("$3$1") != "b2a1" {
		t.Error(got)
	}
}
