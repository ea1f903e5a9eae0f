package house

import (
	"net/http"
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
