package house

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"daybook/api/rest"
	"daybook/store"
)

// user gives the place for a user with a password.
func (p *place) user(name, password string) *place {
	r := httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth(name, password)
	return p.as("").with("Authorization", r.Header.Get("Authorization"))
}

// bearer gives the place for a token.
func (p *place) bearer(token string) *place { return p.as("").with("Authorization", "Bearer "+token) }

func (p *place) grace() *place { return p.user("grace", "grace's password") }

// No route tells another organisation's administrator whether something is
// there.
func TestOtherOrganisations(t *testing.T) {
	p := newPlace(t)
	p.do("POST", "/v1/groups", `{"name": "team"}`).want(201)
	p.do("POST", "/v1/services", `{"name": "massage"}`).want(201)
	names := map[string]string{
		"organisation": "demo", "principal": "ada", "user": "grace", "resource": "ada", "group": "team", "member": "ada",
		"calendar": "ada", "service": "massage", "subject": "grace", "target": "ada", "credential": "writer", "job": "",
	}
	rows := New(Options{Options: rest.Options{Store: p.store}}).Routes
	for _, r := range rows {
		method, path, _ := strings.Cut(r.Pattern, " ")
		there, missing := path, path
		for param, name := range names {
			if name != "" {
				there = strings.ReplaceAll(there, "{"+param+"}", name)
				missing = strings.ReplaceAll(missing, "{"+param+"}", "nothing")
			}
		}
		if there == path {
			continue
		}
		body := ""
		if method == "PATCH" || method == "PUT" {
			body = "{}"
		}
		a, b := p.as(rival).do(method, there, body), p.as(rival).do(method, missing, body)
		if a.Code != 404 || b.Code != 404 || a.Body.String() != b.Body.String() {
			t.Errorf("%s: %d %s, and %d %s for what is not there", r.Pattern, a.Code, a.Body, b.Code, b.Body)
		}
	}
}

// An address that is the same for everybody is no secret: who has no right on
// the organisation is not allowed there, and not told that there is nothing.
func TestFixedAddressesAreForbiddenAndNotMissing(t *testing.T) {
	p := newPlace(t)
	for _, path := range []string{"/v1/audit", "/v1/jobs", "/v1/opening-hours", "/v1/services", "/v1/webhooks"} {
		p.as(forAda).get(path).want(403)
	}
	for _, path := range []string{"/v1/groups", "/v1/holidays", "/v1/opening-hours", "/v1/resources", "/v1/services", "/v1/users", "/v1/webhooks"} {
		p.as(forAda).do("POST", path, `{}`).want(403)
	}
}

// What a credential can make reaches no further than itself.
func TestNoEscalation(t *testing.T) {
	p := newPlace(t)
	adminToken := `{"kind": "bearer", "grants": [{"rights": ["admin"]}]}`
	for _, who := range []string{writer, reader, busy, forAda} {
		p.as(who).do("POST", "/v1/credentials", adminToken).want(403)
		p.as(who).do("POST", "/v1/credentials", `{"kind": "bearer", "grants": [{"target": "ada", "rights": ["read"]}]}`).want(403)
		p.as(who).do("POST", "/v1/credentials", `{"kind": "app"}`).want(403)
		p.as(who).do("POST", "/v1/credentials/admin/rotate", "").want(404)
		p.as(who).do("PATCH", "/v1/credentials/"+who, `{"expires_at": null}`).want(404)
		if code := p.as(who).do("PUT", "/v1/grants/grace/ada", `{"rights": ["admin"]}`).Code; code != 403 {
			t.Errorf("%s: %d", who, code)
		}
		if code := p.as(who).do("POST", "/v1/users", `{"name": "mallory"}`).Code; code != 403 {
			t.Errorf("%s: %d", who, code)
		}
	}
	p.as(writer).do("PUT", "/v1/grants/grace/demo", `{"rights": ["admin"]}`).want(403)
	p.as(writer).do("PUT", "/v1/users/grace/password", `{"password": "a new password"}`).want(404)

	t.Run("a user who writes", func(t *testing.T) {
		grace := p.in(t).grace()
		grace.do("POST", "/v1/credentials", adminToken).want(403)
		grace.do("POST", "/v1/credentials", `{"kind": "bearer", "own": true, "grants": [{"rights": ["admin"]}]}`).want(403)
		grace.do("PUT", "/v1/grants/grace/demo", `{"rights": ["admin"]}`).want(403)
		var made NewCredential
		grace.do("POST", "/v1/credentials", `{"kind": "bearer", "own": true, "grants": [{"rights": ["read"]}]}`).want(201).into(&made)
		limited := p.in(t).bearer(*made.Token)
		limited.get("/v1/resources").want(200)
		limited.do("POST", "/v1/credentials", `{"kind": "bearer", "own": true}`).want(403)
		limited.do("POST", "/v1/credentials/"+made.ID+"/rotate", "").want(404)
		limited.do("PUT", "/v1/users/grace/password", `{"password": "a new password"}`).want(404) // it does not reach her home
		limited.do("DELETE", "/v1/credentials/"+made.ID, "").want(204)
		limited.get("/v1/me").want(401)
	})
	t.Run("an administrator's token that ends", func(t *testing.T) {
		p := p.in(t)
		var made NewCredential
		p.do("POST", "/v1/credentials", `{"kind": "bearer", "grants": [{"rights": ["admin"]}], "expires_at": "2027-03-02T00:00:00Z"}`).want(201).into(&made)
		q := p.bearer(*made.Token)
		q.do("POST", "/v1/credentials", adminToken).want(422)
		q.do("POST", "/v1/credentials", `{"kind": "bearer", "grants": [{"rights": ["read"]}], "expires_at": "2027-03-03T00:00:00Z"}`).want(422)
		q.do("POST", "/v1/credentials", `{"kind": "bearer", "grants": [{"rights": ["read"]}], "expires_at": "2027-03-01T12:00:00Z"}`).want(201)
		q.do("POST", "/v1/credentials/admin/rotate", "").want(422)
		q.do("PATCH", "/v1/credentials/"+made.ID, `{"expires_at": null}`).want(422)
		p.at(now.Add(24 * time.Hour))
		q.get("/v1/me").want(401)
	})
}

// A user's home is the user's alone: an administrator can neither grant himself
// into it nor make or learn a secret that opens it.
func TestHomesBelongToTheirUsers(t *testing.T) {
	p := newPlace(t)
	var own NewCredential
	p.grace().do("POST", "/v1/credentials", `{"kind": "app", "label": "phone"}`).want(201).into(&own)
	p.do("POST", "/v1/users", `{"name": "henry"}`).want(201)
	p.get("/v1/calendars/grace").want(404)
	p.get("/v1/calendars?owner=grace").want(422)
	p.do("PUT", "/v1/grants/henry/grace", `{"rights": ["read"]}`).want(404)
	p.do("PUT", "/v1/grants/henry/grace%2Fcalendar", `{"rights": ["read"]}`).want(404)
	p.do("POST", "/v1/calendars", `{"owner": "grace"}`).want(422)
	p.do("POST", "/v1/credentials", `{"kind": "bearer", "grants": [{"target": "grace", "rights": ["read"]}]}`).want(422)
	p.get("/v1/credentials/" + own.ID).want(200)
	p.do("POST", "/v1/credentials/"+own.ID+"/rotate", "").want(403)
	p.do("PATCH", "/v1/credentials/"+own.ID, `{"expires_at": null}`).want(403)

	// A token with a grant on her home, made by the operator, yields nothing to
	// an administrator either.
	p.update(func(tx *store.Tx) error {
		return tx.PutCredential(&store.Credential{
			ID: "pull", Org: p.ids["demo"], Kind: store.CredentialBearer,
			Grants: []store.Grant{{Target: p.ids["grace"], Rights: store.RightRead}},
		}, "pull-secret-0123456789")
	})
	p.do("POST", "/v1/credentials/pull/rotate", "").want(403)
	p.do("DELETE", "/v1/credentials/pull", "").want(204)
	p.do("DELETE", "/v1/credentials/"+own.ID, "").want(204)
}

// Users share what is theirs, one calendar or all.
func TestSharing(t *testing.T) {
	p := newPlace(t)
	p.do("POST", "/v1/users", `{"name": "henry"}`).want(201)
	p.do("PUT", "/v1/users/henry/password", `{"password": "henry's password"}`).want(204)
	grace, henry := p.grace(), p.user("henry", "henry's password")
	var work Calendar
	grace.do("POST", "/v1/calendars", `{"name": "work", "display_name": "Work", "components": ["VEVENT"]}`).want(201).into(&work)
	grace.do("POST", "/v1/calendars", `{"name": "work"}`).want(409)
	grace.do("POST", "/v1/calendars", `{}`).want(201)
	henry.get("/v1/calendars/" + work.ID.String()).want(404)

	grace.do("PUT", "/v1/grants/henry/"+work.ID.String(), `{"rights": ["read"]}`).want(200)
	var list rest.List[Calendar]
	if henry.get("/v1/calendars").want(200).into(&list); len(list.Items) != 2 || list.Items[0].Name != "work" {
		t.Errorf("%+v", list)
	}
	if henry.get("/v1/calendars?owner=grace").want(200).into(&list); len(list.Items) != 1 {
		t.Errorf("%+v", list)
	}
	henry.get("/v1/calendars/grace%2Fwork").want(200)
	henry.get("/v1/calendars/grace").want(404)
	henry.do("PATCH", "/v1/calendars/grace%2Fwork", `{}`).want(403)
	henry.do("DELETE", "/v1/calendars/grace%2Fwork", "").want(403)
	henry.do("PUT", "/v1/grants/henry/grace%2Fwork", `{"rights": ["admin"]}`).want(403)
	var grants rest.List[Grant]
	if henry.get("/v1/grants").want(200).into(&grants); len(grants.Items) != 1 || grants.Items[0].Target.Calendar.Name != "work" {
		t.Errorf("%+v", grants)
	}
	if p.get("/v1/grants?subject=henry").want(200).into(&grants); len(grants.Items) != 0 {
		t.Errorf("an administrator sees what is shared: %+v", grants)
	}
	henry.do("DELETE", "/v1/grants/henry/grace%2Fwork", "").want(204)
	henry.get("/v1/calendars/grace%2Fwork").want(404)

	grace.do("PUT", "/v1/grants/henry/grace", `{"rights": ["write"]}`).want(200)
	henry.do("PATCH", "/v1/calendars/grace%2Fwork", `{"display_name": "Her work"}`).want(200)
	henry.do("POST", "/v1/calendars", `{"owner": "grace", "name": "third"}`).want(201)
	grace.do("DELETE", "/v1/calendars/third", "").want(404)
	grace.do("DELETE", "/v1/calendars/grace%2Fthird", "").want(204)
	grace.do("DELETE", "/v1/grants/henry/grace", "").want(204)
	henry.get("/v1/calendars/grace").want(404)
}

func TestOwnAccount(t *testing.T) {
	p := newPlace(t)
	grace := p.grace()
	var u User
	grace.do("PATCH", "/v1/users/grace", `{"display_name": "Grace", "zone": "Europe/Rome"}`).want(200).into(&u)
	if u.Title != "Grace" || u.Zone != "Europe/Rome" {
		t.Errorf("%+v", u)
	}
	grace.do("PATCH", "/v1/users/grace", `{"email": "boss@example.com"}`).want(403)
	grace.do("DELETE", "/v1/users/grace", "").want(403)
	var app NewCredential
	grace.do("POST", "/v1/credentials", `{"kind": "app", "label": "phone"}`).want(201).into(&app)
	phone := p.user("grace", *app.Token)
	var me Me
	if phone.get("/v1/me").want(200).into(&me); me.Principal.Name != "grace" || *me.Credential != app.ID || me.Limited {
		t.Errorf("%+v", me)
	}
	phone.do("PUT", "/v1/users/grace/password", `{"password": "a new password"}`).want(403)
	phone.do("DELETE", "/v1/users/grace/password", "").want(403)
	var list rest.List[Credential]
	if grace.get("/v1/credentials").want(200).into(&list); len(list.Items) != 1 || list.Items[0].ID != app.ID {
		t.Errorf("%+v", list)
	}
	var again NewCredential
	grace.do("POST", "/v1/credentials/"+app.ID+"/rotate", "").want(200).into(&again)
	phone.get("/v1/me").want(401)
	p.user("grace", *again.Token).get("/v1/me").want(200)

	grace.do("PUT", "/v1/users/grace/password", `{"password": "a new password"}`).want(204)
	grace.get("/v1/me").want(401)
	p.user("grace", "a new password").get("/v1/me").want(200)
	p.do("DELETE", "/v1/users/grace/password", "").want(204)
	p.user("grace", "a new password").get("/v1/me").want(401)
	p.do("DELETE", "/v1/users/grace", "").want(204)
}

// Where the daemon has one organisation, its administrators read why a job
// failed.
func TestJobErrorsOfOneOrganisation(t *testing.T) {
	p := newPlace(t)
	p.update(func(tx *store.Tx) error {
		if err := tx.DeletePrincipal(p.ids["eve"]); err != nil {
			return err
		}
		return tx.DeletePrincipal(p.ids["other"])
	})
	var j Job
	if p.get("/v1/jobs/prune").want(200).into(&j); j.Error == nil || !strings.Contains(*j.Error, "timeout") {
		t.Errorf("%+v", j)
	}
}
