package main

import (
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"daybook/configs"
	"daybook/store"
	"daybook/sync/guard"
)

// A daemon that is asked to fetch its own feed, also through a proxy of which
// it knows nothing, notices.
func TestTheDaemonKnowsItself(t *testing.T) {
	d := startDaemon(t, t.TempDir())
	for agent, want := range map[string]bool{fetcherName + "1": true, "curl": false} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.URL+"/feeds/x/x.ics", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("User-Agent", agent)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := resp.Header.Get(guard.MarkHeader) != ""; got != want {
			t.Errorf("%s sees the mark: %v", agent, got)
		}
	}
}

func TestFetcherFollowsTheConfiguration(t *testing.T) {
	st, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "x.db"), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	load := func(values map[string]string) *guard.Client {
		var env []string
		for k, v := range values {
			env = append(env, configs.EnvPrefix+k+"="+v)
		}
		c, err := configs.Load(configs.Sources{Environ: env})
		if err != nil {
			t.Fatal(err)
		}
		f, err := newFetcher(&c.Config, st, l, nil)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for address, want := range map[string]error{
		"http://10.0.0.1/": guard.ErrAddress, "http://1.1.1.1:22/": guard.ErrPort, "http://1.1.1.1/": nil, "http://" + l.Addr().String(): guard.ErrOwn,
	} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
		if err := load(nil).Check(r.URL); !errors.Is(err, want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	f := load(map[string]string{"FETCH_ALLOW": "10.0.0.0/8", "FETCH_PORTS": "22", "PUBLIC_URL": "https://calendar.example.com"})
	for address, want := range map[string]error{
		"http://10.0.0.1:22/": nil, "http://10.0.0.1/": guard.ErrPort, "https://calendar.example.com:22/": nil,
	} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
		if err := f.Check(r.URL); !errors.Is(err, want) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
