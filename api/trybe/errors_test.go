package trybe

import (
	"net/http"
	"strings"
	"testing"

	"daybook/api/rest"
	"daybook/store"
)

func TestTokens(t *testing.T) {
	p := newPlace(t)
	id := p.create(nil).want(201).one().ID
	list := "/shop/blocked-times?site_id=" + demo + "&date_from=2027-03-01&date_to=2027-03-01"
	one := "/shop/blocked-times/" + id
	post := "/shop/blocked-times?site_id=" + demo
	for _, c := range []struct {
		token, method, path string
		status              int
	}{
		{"", "GET", list, 401},
		{"", "POST", post, 401},
		{"", "PUT", one, 401},
		{"", "DELETE", one, 401},
		{"wrong", "GET", one, 401},
		{viewer, "GET", list, 200},
		{viewer, "GET", one, 200},
		{viewer, "POST", post, 403},
		{viewer, "PUT", one, 403},
		{viewer, "DELETE", one, 403},
		{nobody, "GET", list, 403},
		{nobody, "GET", one, 404},
		{nobody, "POST", post, 403},
		{nobody, "PUT", one, 404},
		{nobody, "DELETE", one, 404},
		{rival, "GET", list, 403},
		{rival, "GET", one, 404},
		{rival, "POST", post, 403},
		{rival, "PUT", one, 404},
		{rival, "DELETE", one, 404},
		{manager, "GET", strings.Replace(list, demo, mustNotExist, 1), 403},
		{manager, "GET", strings.Replace(list, demo, ada, 1), 403},
		{manager, "POST", "/shop/blocked-times?site_id=" + mustNotExist, 403},
		{manager, "GET", "/shop/blocked-times/" + mustNotExist, 404},
		{manager, "GET", "/shop/blocked-times/x", 404},
		{manager, "GET", one + "_20270301T113000Z", 404},
		{manager, "GET", one + "_x", 404},
		{manager, "GET", "/shop/blocked-times/" + strings.ToUpper(id), 404},
		{manager, "PUT", "/shop/blocked-times/x", 404},
		{manager, "PATCH", one, 405},
		{manager, "PUT", "/shop/blocked-times", 405},
		{manager, "GET", "/shop/nope", 404},
	} {
		a := p.as(c.token).do(c.method, c.path, "")
		if a.Status != c.status {
			t.Errorf("%q %s %s: %d %s", c.token, c.method, c.path, a.Status, a.Raw)
		}
		if c.status >= 400 && (!strings.HasPrefix(a.Raw, `{"message":"`) || strings.Contains(a.Raw, "errors") || a.Header.Get("Content-Type") != "application/json") {
			t.Errorf("%s %s: %s", c.method, c.path, a.Raw)
		}
		if c.status == 401 && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer ") {
			t.Error("no challenge")
		}
		if c.status == 405 && a.Header.Get("Allow") == "" {
			t.Error("no Allow")
		}
	}
}

const mustNotExist = "0197f3c2-0000-7000-8000-00000000ffff"

func TestRevokedTokenIs401(t *testing.T) {
	p := newPlace(t)
	p.do("GET", "/sites", "").want(200)
	p.Update(func(tx *store.Tx) error { return tx.DeleteCredential(manager) })
	p.do("GET", "/sites", "").want(401)
}

func TestOrderOfChecks(t *testing.T) {
	p := newPlace(t)
	id := p.create(nil).want(201).one().ID
	for _, c := range []struct {
		token, method, path, body string
		status                    int
	}{
		{"", "POST", "/shop/blocked-times", "not json", 401},
		{viewer, "POST", "/shop/blocked-times?site_id=" + demo, "not json", 403},
		{viewer, "PUT", "/shop/blocked-times/" + id, "not json", 403},
		{manager, "PUT", "/shop/blocked-times/" + mustNotExist, "not json", 404},
		{manager, "POST", "/shop/blocked-times", "not json", 400}, // before 422 for site_id
		{manager, "POST", "/shop/blocked-times?site_id=" + demo, "[]", 400},
		{manager, "PUT", "/shop/blocked-times/" + id, "", 400},
		{manager, "PUT", "/shop/blocked-times/" + id, `"x"`, 400},
		{manager, "POST", "/shop/blocked-times", "{}", 422},
	} {
		if a := p.as(c.token).do(c.method, c.path, c.body); a.Status != c.status {
			t.Errorf("%s %s %q: %d %s", c.method, c.path, c.body, a.Status, a.Raw)
		}
	}
}

func TestSiblings(t *testing.T) {
	p := newPlace(t)
	want := map[string]string{
		"/sites": `{"data":[{"id":"` + demo + `","name":"Demo Clinic","timezone":"Europe/Berlin"}]}`,
		"/shop/practitioners?site_id=" + demo: `{"data":[{"id":"` + ada + `","site_id":"` + demo + `","name":"Ada Noor","color":"#3B82F6"},` +
			`{"id":"` + bob + `","site_id":"` + demo + `","name":"bob","color":null}]}`,
		"/shop/areas?site_id=" + demo: `{"data":[{"id":"` + area + `","site_id":"` + demo + `","name":"Garden","color":null}]}`,
	}
	for path, body := range want {
		if a := p.as(viewer).do("GET", path, "").want(200); strings.TrimSpace(a.Raw) != body {
			t.Errorf("%s: %s", path, a.Raw)
		}
	}
	p.do("GET", "/shop/rooms", "").faults("site_id")
	p.as(rival).do("GET", "/shop/rooms?site_id="+demo, "").want(403)
	if a := p.as(nobody).do("GET", "/sites", "").want(200); strings.TrimSpace(a.Raw) != `{"data":[]}` {
		t.Error(a.Raw)
	}
	p.as("").do("GET", "/sites", "").want(401)
}

func TestRouteTable(t *testing.T) {
	for _, r := range New(rest.Options{}).Routes {
		if d := r.Op.Describe(); d.Status < http.StatusOK || r.Summary == "" {
			t.Errorf("%s: %+v", r.Pattern, d)
		}
	}
}
