package rest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"daybook/api/rest"
)

// ticks is a stream that takes longer than anything else may.
type ticks struct{ ended chan error }

func (ticks) MediaType() string { return "text/plain" }

func (s ticks) Stream(ctx context.Context, to *rest.Sink) {
	defer func() { s.ended <- ctx.Err() }()
	t := time.NewTicker(40 * time.Millisecond)
	defer t.Stop()
	for range 10 {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if to.Send([]byte("tick\n")) != nil {
			return
		}
	}
}

func TestStreamOutlivesTimeouts(t *testing.T) {
	ended := make(chan error, 1)
	api := &rest.API{
		Name: "test", Prefixes: []string{"/"}, Errors: rest.House{}, Timeout: 50 * time.Millisecond,
		Routes: []rest.Route{{Pattern: "GET /ticks", Summary: "Ticks", Op: rest.Endpoint(http.StatusOK, func(context.Context, struct{}) (ticks, error) {
			return ticks{ended}, nil
		})}},
	}
	h, err := api.Handler()
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	srv.Start()
	defer srv.Close()
	get := func(method string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, srv.URL+"/ticks", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	resp := get(http.MethodGet)
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || len(body) != 50 || resp.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("%q, %v", body, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	_ = get(http.MethodHead).Body.Close()
	if err := <-ended; err == nil {
		t.Error("the answer to HEAD was streamed")
	}
	resp = get(http.MethodGet)
	_ = resp.Body.Close() // the client goes
	if err := <-ended; err == nil {
		t.Error("the stream went on without a client")
	}
}
