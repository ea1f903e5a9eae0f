package house

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/api/rest"
)

// Times with more digits than a record kept made the tag of an answer stale at
// once: the next PATCH by it was refused.
func TestTagOfAWriteIsThatOfTheNextRead(t *testing.T) {
	p := newPlace(t)
	p.at(now.Add(369974203 * time.Nanosecond))
	for _, x := range []struct{ path, body, patch string }{
		{"/v1/resources", `{"kind":"room","name":"r"}`, `{"display_name":"x"}`},
		{"/v1/services", `{"name":"s"}`, `{"description":"x"}`},
		{"/v1/groups", `{"name":"g"}`, `{"display_name":"x"}`},
		{"/v1/users", `{"name":"u"}`, `{"display_name":"x"}`},
		{"/v1/credentials", `{"kind":"bearer","grants":[{"rights":["read"]}],"expires_at":"2027-04-01T00:00:00.123456789Z"}`, `{"label":"x","expires_at":"2027-04-02T00:00:00.123456789Z"}`},
		{"/v1/feeds", `{"name":"f","calendars":["ada"],"expires_at":"2027-04-01T00:00:00.123456789Z"}`, `{"title":"x"}`},
		{"/v1/webhooks", `{"url":"https://example.com/"}`, `{"label":"x"}`},
		{"/v1/holds", `{"resources":["ada"],"start":"2027-03-01T12:00:00Z","end":"2027-03-01T13:00:00Z","ignore_hours":true}`, ""},
		{"/v1/calendars/ada/events", `{"title":"e","start":"2027-03-02T12:00:00Z","end":"2027-03-02T13:00:00Z"}`, `{"title":"x"}`},
	} {
		t.Run(x.path, func(t *testing.T) {
			p := p.in(t)
			w := p.do(http.MethodPost, x.path, x.body).want(http.StatusCreated)
			at, tag := w.Header().Get("Location"), w.Header().Get("ETag")
			if got := p.get(at).want(http.StatusOK).Header().Get("ETag"); got != tag {
				t.Errorf("GET has the tag %s, POST had %s", got, tag)
			}
			for range 2 {
				if x.patch == "" {
					break
				}
				w := p.with("If-Match", tag).do(http.MethodPatch, at, x.patch).want(http.StatusOK)
				tag = w.Header().Get("ETag")
			}
		})
	}
}

// The handler's clock was read after the transaction's, so that the longest
// hold was always a little too long.
func TestHoldOfAnHourIsNotTooLong(t *testing.T) {
	p := newPlace(t)
	p.of = New(Options{Options: rest.Options{Store: p.store, Now: func() time.Time { return now.Add(time.Millisecond) }}})
	p.Serve(p.of)
	p.api = p.API
	p.do(http.MethodPost, "/v1/holds", `{"resources":["ada"],"start":"2027-03-01T12:00:00Z","end":"2027-03-01T13:00:00Z","ignore_hours":true,"ttl":"PT1H"}`).want(http.StatusCreated)
}

// What the store refused named no field, or one that the request does not have.
func TestRefusedValueNamesItsField(t *testing.T) {
	p := newPlace(t)
	for _, x := range []struct{ path, body, field string }{
		{"/v1/resources", `{"kind":"room","name":"a/b"}`, "name"},
		{"/v1/resources", `{"kind":"room","name":"r","email":"none"}`, "email"},
		{"/v1/groups", `{"name":"g","email":"none"}`, "email"},
		{"/v1/users", `{"name":"a:b"}`, "name"},
		{"/v1/feeds", `{"name":"f","group":"ada"}`, "group"},
		{"/v1/feeds", `{"name":"f","calendars":["ada"],"page_url":"ftp://x"}`, "page_url"},
		{"/v1/feeds", `{"name":"f","calendars":["ada"],"title":"` + strings.Repeat("x", 1001) + `"}`, "title"},
		{"/v1/services", `{"name":"a\u0000b"}`, "name"},
		{"/v1/slots", `{"length":"PT1H"}`, "resources"},
		{"/v1/slots", `{"length":"PT1H","resources":["ada","nobody"]}`, "resources.1"},
	} {
		var out struct{ Errors []struct{ Field string } }
		p.do(http.MethodPost, x.path, x.body).want(http.StatusUnprocessableEntity).into(&out)
		if len(out.Errors) != 1 || out.Errors[0].Field != x.field {
			t.Errorf("POST %s %s: faults %v, want %s", x.path, x.body, out.Errors, x.field)
		}
	}
}

// Deletes of holds and webhooks and writes of passwords took no notice of the
// condition of who sent one.
func TestEveryChangeTakesAPrecondition(t *testing.T) {
	p := newPlace(t)
	for _, r := range New(Options{Options: rest.Options{Store: p.store}}).Routes {
		method, _, _ := strings.Cut(r.Pattern, " ")
		if method == http.MethodGet || method == http.MethodPost {
			continue
		}
		for _, name := range []string{"If-Match", "If-None-Match"} {
			if !slices.ContainsFunc(r.Op.Describe().Params, func(x rest.Param) bool { return x.Name == name }) {
				t.Errorf("%s takes no %s", r.Pattern, name)
			}
		}
	}
	hold := `{"resources":["ada"],"start":"2027-03-01T12:00:00Z","end":"2027-03-01T13:00:00Z","ignore_hours":true}`
	for _, at := range []string{
		p.do(http.MethodPost, "/v1/holds", hold).want(http.StatusCreated).Header().Get("Location"),
		p.do(http.MethodPost, "/v1/webhooks", `{"url":"https://example.com/"}`).want(http.StatusCreated).Header().Get("Location"),
	} {
		tag := p.get(at).Header().Get("ETag")
		p.with("If-Match", `"old"`).do(http.MethodDelete, at, "").want(http.StatusPreconditionFailed)
		p.with("If-Match", tag).do(http.MethodDelete, at, "").want(http.StatusNoContent)
	}
	p.with("If-Match", `"old"`).do(http.MethodPut, "/v1/users/grace/password", `{"password": "another one"}`).want(http.StatusPreconditionFailed)
	p.with("If-Match", `"old"`).do(http.MethodDelete, "/v1/users/grace/password", "").want(http.StatusPreconditionFailed)
}

// An empty If-Match was taken for none, two lines of it were refused, and
// If-None-Match was not looked at (RFC 9110 §5.3, §13.1).
func TestPreconditionsOfAWrite(t *testing.T) {
	p := newPlace(t)
	const path, grant = "/v1/resources/ada", "/v1/grants/grace/bob"
	tag := func() string { return p.get(path).Header().Get("ETag") }
	for _, x := range []struct {
		name   string
		values []string
		status int
	}{
		{"If-Match", []string{""}, 412},
		{"If-Match", []string{" "}, 412},
		{"If-Match", []string{"W/TAG"}, 412},
		{"If-Match", []string{`"a"`, `"b"`}, 412},
		{"If-Match", []string{`"a"`, "TAG"}, 200},
		{"If-Match", []string{"*"}, 200},
		{"If-None-Match", []string{"*"}, 412},
		{"If-None-Match", []string{"TAG"}, 412},
		{"If-None-Match", []string{`"a"`, "W/TAG"}, 412},
		{"If-None-Match", []string{`"a"`}, 200},
	} {
		q := p.as(admin)
		q.header = q.header.Clone()
		for _, v := range x.values {
			q.header.Add(x.name, strings.ReplaceAll(v, "TAG", tag()))
		}
		if w := q.do(http.MethodPatch, path, `{"color": "#112233"}`); w.Code != x.status {
			t.Errorf("%s %q: %d %s", x.name, x.values, w.Code, w.Body)
		}
	}
	p.with("If-Match", "*").do(http.MethodPut, grant, `{"rights": ["read"]}`).want(http.StatusPreconditionFailed) // there is none
	p.with("If-None-Match", "*").do(http.MethodPut, grant, `{"rights": ["read"]}`).want(http.StatusOK)
	p.with("If-None-Match", "*").do(http.MethodPut, grant, `{"rights": ["write"]}`).want(http.StatusPreconditionFailed)
}

// The kept answer had null where a feed has a list.
func TestKeptAnswerOfAFeedHasItsShape(t *testing.T) {
	p := newPlace(t).with("Idempotency-Key", "k")
	for range 2 {
		var out map[string]any
		p.do(http.MethodPost, "/v1/feeds", `{"name":"f","calendars":["ada"]}`).want(http.StatusCreated).into(&out)
		if list, ok := out["former_secrets_until"].([]any); !ok || len(list) != 0 {
			t.Errorf("former_secrets_until is %v", out["former_secrets_until"])
		}
	}
}

// A PATCH that changed nothing moved updated_at and the tag of these, without an
// entry in the journal: who had read the record before was refused for nothing.
func TestWhatChangesNothingKeepsItsTag(t *testing.T) {
	p := newPlace(t)
	for path, patch := range map[string]string{
		"/v1/resources/ada": `{"color":"#112233"}`, "/v1/users/grace": `{"display_name":"x"}`, "/v1/organisations/demo": `{"display_name":"x"}`,
		"/v1/groups/team": `{"display_name":"x"}`, "/v1/services/massage": `{"description":"x"}`, "/v1/calendars/ada": `{"description":"x"}`,
	} {
		if area, name, _ := strings.Cut(strings.TrimPrefix(path, "/v1/"), "/"); area == "groups" || area == "services" {
			p.do(http.MethodPost, "/v1/"+area, `{"name":"`+name+`"}`).want(http.StatusCreated)
		}
		tag := p.do(http.MethodPatch, path, patch).want(http.StatusOK).Header().Get("ETag")
		p.at(p.clock.Load().Add(time.Minute))
		for _, same := range []string{patch, `{}`} {
			p.with("If-Match", tag).do(http.MethodPatch, path, same).want(http.StatusOK)
		}
		if got := p.get(path).Header().Get("ETag"); got != tag {
			t.Errorf("%s: %s, was %s", path, got, tag)
		}
	}
}
