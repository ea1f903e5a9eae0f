package house

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"daybook/api/remotes"
	"daybook/api/rest"
	"daybook/store"
)

// fakePuller takes every address but those of inside, and pulls nothing.
type fakePuller struct{ st *store.Store }

func (fakePuller) Check(address string) (string, error) {
	rest, ok := strings.CutPrefix(address, "https://")
	host, _, _ := strings.Cut(rest, "/")
	if !ok || host == "inside" {
		return "", fmt.Errorf("%w: address not allowed", store.ErrInvalid)
	}
	return "https://" + host, nil
}

func (f fakePuller) Pull(ctx context.Context, id store.RemoteID) error {
	return f.st.Update(ctx, func(tx *store.Tx) error {
		r, err := tx.Remote(id)
		if err != nil {
			return err
		}
		if r.Paused {
			return store.ErrNotNow
		}
		return tx.PutRemoteState(id, store.RemoteState{Tried: now, Success: now, Result: "ok", Items: 3})
	})
}

func (fakePuller) Resume(context.Context, store.RemoteID) error { return nil }

func (f fakePuller) Remove(ctx context.Context, id store.RemoteID) error {
	return f.st.Update(ctx, func(tx *store.Tx) error { return tx.DeleteRemote(id) })
}

func TestRemotes(t *testing.T) {
	p := newPlace(t)
	const body = `{"name": "far", "calendar": "ada", "url": "https://far/secret.ics", "user": "me", "password": "hush", "interval": "PT2H", "counts": "busy"}`
	p.do("POST", "/v1/remotes", body).want(409) // this place pulls nothing
	api, err := New(Options{Options: rest.Options{Store: p.store}, Remotes: fakePuller{p.store}}).Handler()
	if err != nil {
		t.Fatal(err)
	}
	p.api = api
	p = p.as(admin)
	var one remotes.Remote
	made := p.do("POST", "/v1/remotes", body).want(201).into(&one)
	if one.Server != "https://far" || one.Calendar != "ada/calendar" || one.Interval != "PT2H" || one.Condition != "new" || one.Kind != "ics" {
		t.Errorf("%+v", one)
	}
	path := made.Header().Get("Location")
	for _, where := range []string{path, "/v1/remotes/far", "/v1/remotes", path + "/state"} {
		if shown := p.get(where).want(200).Body.String(); strings.Contains(shown, "secret") || strings.Contains(shown, "hush") {
			t.Errorf("%s shows a secret: %s", where, shown)
		}
	}
	p.do("POST", "/v1/remotes", body).want(409)
	for name, wrong := range map[string]string{
		"nothing":   `{}`,
		"inside":    strings.Replace(body, "https://far", "https://inside", 1),
		"calendar":  strings.Replace(body, `"ada"`, `"nobody"`, 1),
		"foreign":   strings.Replace(body, `"ada"`, `"eve"`, 1),
		"counts":    strings.Replace(body, `"busy"`, `"much"`, 1),
		"interval":  strings.Replace(body, "PT2H", "soon", 1),
		"direction": strings.Replace(body, `"name"`, `"direction": "both", "name"`, 1),
	} {
		if got := p.do("POST", "/v1/remotes", wrong); got.Code != 422 {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	// Who does not administer the calendar does not manage its remotes.
	p.as(writer).do("POST", "/v1/remotes", strings.Replace(body, "far", "other", 1)).want(403)
	for _, who := range []string{writer, reader, forAda, rival} {
		p.as(who).get(path).want(404)
		p.as(who).do("POST", path+"/pull", "").want(404)
		p.as(who).do("DELETE", path, "").want(404)
	}
	var state remotes.State
	p.do("POST", path+"/pull", "").want(200).into(&state)
	if state.Result != "ok" || state.Items != 3 || state.Condition != "ok" {
		t.Errorf("%+v", state)
	}
	tag := p.get(path).Header().Get("ETag")
	p.with("If-Match", tag).do("PATCH", path, `{"paused": true, "interval": null, "past_days": 7, "categories": ["work"]}`).want(200).into(&one)
	if !one.Paused || one.Interval != "" || one.PastDays != 7 || len(one.Categories) != 1 || one.Counts != "busy" {
		t.Errorf("%+v", one)
	}
	p.with("If-Match", tag).do("PATCH", path, `{}`).want(412)
	p.do("POST", path+"/pull", "").want(409)
	p.do("POST", path+"/resume", "").want(200)
	p.do("PATCH", path, `{"url": "https://inside/x"}`).want(422)
	p.do("PATCH", path, `{"url": "https://near/x"}`).want(200).into(&one)
	if one.Server != "https://near" {
		t.Errorf("%+v", one)
	}
	err = p.store.View(t.Context(), func(v *store.View) error {
		r, err := v.RemoteByUUID(one.ID)
		if err != nil {
			return err
		}
		a, err := v.RemoteAccess(r)
		if a.Password != "" || a.User != "" {
			t.Error("credentials go along to another host")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	p.do("DELETE", path, "").want(204)
	p.get(path).want(404)
}
