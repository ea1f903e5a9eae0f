package rest

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"testing"
)

// kept keeps answers in memory.
type kept map[string]*Replay

func (k kept) Begin(_ context.Context, key string, _ [sha256.Size]byte) (*Replay, error) {
	a, begun := k[key]
	if begun && a == nil {
		return nil, Errorf(http.StatusConflict, "busy")
	}
	k[key] = a
	return a, nil
}

func (k kept) Finish(_ context.Context, key string, a *Replay) error {
	if k[key] = a; a == nil {
		delete(k, key)
	}
	return nil
}

type madeIn struct {
	Body struct {
		Name string `json:"name"`
	} `body:"json"`
}

type made struct {
	Number int `json:"number"`
}

// newMaker serves POST /things/, which makes one thing more each time it runs.
func newMaker(t *testing.T, k kept, n *int, fail *error) http.Handler {
	t.Helper()
	return newAPI(t, func(a *API) {
		a.Replays = k
		a.Routes = append(a.Routes, Route{Pattern: "POST /things/", Summary: "Make a thing", Op: Endpoint(201,
			func(context.Context, madeIn) (Tagged[made], error) {
				*n++
				return Tagged[made]{Value: made{*n}, Location: "/things/1"}, *fail
			})})
	}, echo(new(thingIn)))
}

func TestIdempotencyKeyHasOneEffectAndOneAnswer(t *testing.T) {
	n, fail := 0, error(nil)
	h := newMaker(t, kept{}, &n, &fail)
	first := call(h, "POST", "/things/", `{"name":"x"}`, "Idempotency-Key", "a")
	again := call(h, "POST", "/things/", `{"name":"x"}`, "Idempotency-Key", "a")
	if n != 1 || first.Code != 201 || again.Code != 201 || first.Body.String() != again.Body.String() {
		t.Fatalf("%d things; %d %s, then %d %s", n, first.Code, first.Body, again.Code, again.Body)
	}
	for _, name := range []string{"Content-Type", "Location", "ETag"} {
		if v := first.Header().Get(name); v == "" || v != again.Header().Get(name) {
			t.Errorf("%s: %q, then %q", name, v, again.Header().Get(name))
		}
	}
	if first.Header().Get("Idempotency-Replayed") != "" || again.Header().Get("Idempotency-Replayed") != "true" {
		t.Error("which answer is the replay is not told")
	}
	if call(h, "POST", "/things/", `{"name":"x"}`, "Idempotency-Key", "b"); n != 2 {
		t.Error("another key is another request")
	}
	if call(h, "POST", "/things/", `{"name":"x"}`); n != 3 {
		t.Error("without a key each request counts")
	}
}

func TestFailuresOfTheServerAreNotReplayed(t *testing.T) {
	n, fail := 0, errors.New("broken")
	k := kept{}
	h := newMaker(t, k, &n, &fail)
	if w := call(h, "POST", "/things/", `{"name":"x"}`, "Idempotency-Key", "a"); w.Code != 500 {
		t.Fatal(w.Code)
	}
	fail = nil
	if w := call(h, "POST", "/things/", `{"name":"x"}`, "Idempotency-Key", "a"); w.Code != 201 || n != 2 {
		t.Errorf("%d after %d runs", w.Code, n)
	}
	// What is wrong with the request stays wrong.
	if w := call(h, "POST", "/things/", `{"name":1}`, "Idempotency-Key", "c"); w.Code != 422 || k["c"] == nil {
		t.Error(w.Code, k["c"])
	}
	k["busy"] = nil
	if w := call(h, "POST", "/things/", `{"name":"x"}`, "Idempotency-Key", "busy"); w.Code != 409 || n != 2 {
		t.Error(w.Code, n)
	}
	if w := call(h, "PUT", "/things/1", `{"name":"n"}`, "Idempotency-Key", "a"); w.Code != 200 {
		t.Error("a PUT repeats itself", w.Code)
	}
}

func TestPagesMissNothingWhileItemsComeAndGo(t *testing.T) {
	items := []string{"e", "a", "c", "b", "d"}
	id := func(s string) string { return s }
	one := Paged(Page{Limit: Some(2)}, items, id)
	if len(one.Items) != 2 || one.Items[1] != "b" || one.Next == "" {
		t.Fatalf("%+v", one)
	}
	two := Paged(Page{Limit: Some(2), Cursor: Some(one.Next)}, []string{"a", "c", "d", "e", "aa"}, id) // b is gone
	if len(two.Items) != 2 || two.Items[0] != "c" {
		t.Fatalf("%+v", two)
	}
	three := Paged(Page{Cursor: Some(two.Next)}, items, id)
	if len(three.Items) != 1 || three.Items[0] != "e" || three.Next != "" {
		t.Fatalf("%+v", three)
	}
	var f Faults
	p := Page{Limit: Some(0), Cursor: Some("%")}
	if p.Check(&f); !f.Has("limit") || !f.Has("cursor") {
		t.Error(f)
	}
	if none := Paged(Page{}, nil, id); none.Items == nil {
		t.Error("an empty list is null")
	}
}
