package rest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

type documentIn struct {
	ID   string    `path:"id"`
	Body thingBody `body:"json"`
	Text []byte    `body:"text/calendar"`
}

// A body of the other type is given as it is, and an answer need not be JSON.
func TestDocumentsThatAreNotJSON(t *testing.T) {
	var got documentIn
	h := newAPI(t, func(a *API) {
		a.Routes = append(a.Routes, Route{Pattern: "GET /things/{id}", Summary: "Get a thing", Op: Endpoint(200, func(_ context.Context, in struct {
			ID string `path:"id"`
		},
		) (Document, error) {
			return Document{Type: "text/plain; charset=utf-8", Body: []byte(in.ID), Name: "größe.txt"}, nil
		})})
	}, Endpoint(200, func(_ context.Context, in documentIn) (thingOut, error) {
		got = in
		return thingOut{status: 200}, nil
	}))
	for _, kind := range []string{"text/calendar", "text/calendar; charset=utf-8"} {
		if w := call(h, "PUT", "/things/1", "BEGIN:VCALENDAR", "Content-Type", kind); w.Code != 200 || string(got.Text) != "BEGIN:VCALENDAR" || got.Body.Name != "" {
			t.Error(w.Code, w.Body, got)
		}
	}
	if w := call(h, "PUT", "/things/1", `{"name": "x"}`, "Content-Type", "application/json"); w.Code != 200 || got.Text != nil || got.Body.Name != "x" {
		t.Error(w.Code, w.Body, got)
	}
	for _, kind := range []string{"text/plain", "text/calendar; charset=latin1"} {
		if w := call(h, "PUT", "/things/1", "BEGIN:VCALENDAR", "Content-Type", kind); w.Code != 415 || !strings.Contains(w.Body.String(), "application/json or text/calendar in UTF-8") {
			t.Error(kind, w.Code, w.Body)
		}
	}
	w := call(h, "GET", "/things/some", "")
	tag := w.Header().Get("ETag")
	if w.Body.String() != "some" || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || tag == "" ||
		w.Header().Get("Content-Disposition") != "inline; filename*=utf-8''gr%C3%B6%C3%9Fe.txt" {
		t.Error(w.Header(), w.Body)
	}
	if w := call(h, "GET", "/things/some", "", "If-None-Match", tag); w.Code != 304 || w.Body.Len() > 0 {
		t.Error(w.Code, w.Body)
	}
	if w := call(h, "GET", "/things/other", "", "If-None-Match", tag); w.Code != 200 {
		t.Error(w.Code)
	}
}

func TestABodyThatTakesNoBytesIsAMistake(t *testing.T) {
	a := &API{Name: "x", Prefixes: []string{"/"}, Errors: House{}, Routes: []Route{{Pattern: "POST /x", Summary: "x", Op: Endpoint(200,
		func(context.Context, struct {
			Text string `body:"text/plain"`
		},
		) (NoContent, error) {
			return NoContent{}, nil
		})}}}
	if _, err := a.Handler(); err == nil {
		t.Error("a text took a body")
	}
}

func TestAProblemHasMembersOfItsOwn(t *testing.T) {
	h := newAPI(t, nil, Endpoint(200, func(context.Context, struct{}) (NoContent, error) {
		return NoContent{}, &Problem{Status: 409, Detail: "taken", Members: map[string]any{"conflicts": []int{1}, "status": "not this"}}
	}))
	w := call(h, "PUT", "/things/1", "")
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got["status"] != 409.0 || got["title"] != "Conflict" || got["detail"] != "taken" || len(got["conflicts"].([]any)) != 1 {
		t.Error(w.Code, w.Body, err)
	}
}
