package house

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"daybook/store"
)

func TestSignIn(t *testing.T) {
	p := newPlace(t)
	p.as("").get("/v1/organisations").want(401)
	p.as("").with("Authorization", "Bearer admin.wrong-secret").get("/v1/organisations").want(401)
	basic := func(password string) *place {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth("grace", password)
		return p.as("").with("Authorization", r.Header.Get("Authorization"))
	}
	basic("wrong").get("/v1/organisations").want(401)
	user := basic("grace's password")
	user.get("/v1/organisations").want(200)
	if got := p.as("").get("/v1/organisations").Header().Values("Www-Authenticate"); len(got) != 2 {
		t.Errorf("a 401 tells of %q", got)
	}
	// A browser that knows the password sends it whoever asks.
	user.with("Sec-Fetch-Site", "cross-site").do("PATCH", "/v1/organisations/demo", `{"display_name": "Other"}`).want(403)
	user.with("Sec-Fetch-Site", "same-origin").do("PATCH", "/v1/organisations/demo", `{}`).want(403) // writes, and is no administrator
}

func TestOrganisation(t *testing.T) {
	p := newPlace(t)
	var one Organisation
	tag := p.get("/v1/organisations/demo").want(200).into(&one).Header().Get("ETag")
	if one.Name != "demo" || one.Zone != "Europe/Berlin" || !slices.Contains(one.Rights, "admin") {
		t.Fatalf("%+v", one)
	}
	p.get("/v1/organisations/" + one.ID.String()).want(200)
	for _, other := range []string{"other", "nobody", "ada"} {
		a := p.get("/v1/organisations/" + other).want(404)
		if b := p.get("/v1/organisations/never").want(404); a.Body.String() != b.Body.String() {
			t.Errorf("%s is told from what is not there: %s", other, a.Body)
		}
	}
	p.with("If-None-Match", tag).get("/v1/organisations/demo").want(304)

	t.Run("a change with the tag of another state is refused", func(t *testing.T) {
		p := p.in(t)
		p.with("If-Match", `"old"`).do("PATCH", "/v1/organisations/demo", `{"display_name": "New"}`).want(412)
		p.at(now.Add(time.Minute))
		next := p.with("If-Match", tag).do("PATCH", "/v1/organisations/demo", `{"display_name": "New", "zone": "Europe/Paris"}`).want(200).into(&one)
		if one.Title != "New" || one.Zone != "Europe/Paris" || next.Header().Get("ETag") == tag {
			t.Errorf("%+v", one)
		}
		p.with("If-Match", tag).do("PATCH", "/v1/organisations/demo", `{"display_name": "Newer"}`).want(412)
		p.with("If-Match", "*").do("PATCH", "/v1/organisations/demo", `{"display_name": null}`).want(200).into(&one)
		if one.Title != "" {
			t.Errorf("%+v", one)
		}
	})
	t.Run("what is wrong", func(t *testing.T) {
		p := p.in(t)
		p.do("PATCH", "/v1/organisations/demo", `{"zone": "Moon/Base"}`).want(422)
		p.do("PATCH", "/v1/organisations/demo", `{"zone": null}`).want(422)
		p.do("PATCH", "/v1/organisations/demo", `[]`).want(400)
		p.do("PATCH", "/v1/organisations/other", `{}`).want(404)
		p.as(writer).do("PATCH", "/v1/organisations/demo", `{}`).want(403)
		p.as(forAda).get("/v1/organisations/demo").want(404)
		p.do("PUT", "/v1/organisations/demo", `{}`).want(405)
		p.get("/v1/nothing").want(404)
	})
}

// A request with an Idempotency-Key has one effect, and one answer.
func TestReplays(t *testing.T) {
	p := newPlace(t)
	r := replays{p.store}
	ctx, a := t.Context(), &store.Actor{Org: p.ids["demo"], Credential: "x"}
	begin := func(a *store.Actor, key string, sum byte) (*store.Replay, error) {
		return p.store.BeginReplay(ctx, a, key, [32]byte{sum})
	}
	if saved, err := begin(a, "k", 1); saved != nil || err != nil {
		t.Fatal(saved, err)
	}
	if _, err := begin(a, "k", 1); err != store.ErrReplayBusy { //nolint:errorlint // exactly this
		t.Error(err)
	}
	if err := p.store.FinishReplay(ctx, a, "k", &store.Replay{Status: 201, Body: []byte("made")}); err != nil {
		t.Fatal(err)
	}
	if saved, err := begin(a, "k", 1); err != nil || saved.Status != 201 || string(saved.Body) != "made" {
		t.Error(saved, err)
	}
	if _, err := begin(a, "k", 2); err != store.ErrReplayOther { //nolint:errorlint // exactly this
		t.Error(err)
	}
	if saved, err := begin(&store.Actor{Org: p.ids["demo"], Credential: "y"}, "k", 1); saved != nil || err != nil {
		t.Error("another credential meets the key", saved, err)
	}
	later := now.Add(store.ReplayAge + time.Second)
	p.at(later)
	if saved, err := begin(a, "k", 2); saved != nil || err != nil {
		t.Error("a key whose time is over", saved, err)
	}
	if _, err := r.Begin(ctx, "k", [32]byte{}); err != nil {
		t.Error(err)
	}
}
