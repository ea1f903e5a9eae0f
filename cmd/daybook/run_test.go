package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// result is what a command left behind.
type result struct {
	code        int
	out, errout string
}

// command runs daybook on a data folder.
func command(t *testing.T, data string, args ...string) result {
	t.Helper()
	return commandIn(t, "", data, args...)
}

func commandIn(t *testing.T, stdin, data string, args ...string) result {
	t.Helper()
	var out, errout bytes.Buffer
	code := run(t.Context(), append(slices.Clone(args), "--data="+data), strings.NewReader(stdin), &out, &errout, nil)
	return result{code, out.String(), errout.String()}
}

// must runs a command that has to succeed, and decodes what it says.
func must[T any](t *testing.T, data string, args ...string) T {
	t.Helper()
	var v T
	r := command(t, data, append(args, "--json")...)
	if r.code != 0 {
		t.Fatalf("daybook %s: code %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.errout)
	}
	if err := json.Unmarshal([]byte(r.out), &v); err != nil {
		t.Fatalf("daybook %s: %v\n%s", strings.Join(args, " "), err, r.out)
	}
	return v
}

// running is a daemon in this process.
type running struct {
	welcome
	data string
	stop func() result
}

// startDaemon starts one on a free port and waits until it serves; stop ends it,
// and the test does at its end.
func startDaemon(t *testing.T, data string, args ...string) running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	var errout syncBuffer
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, append([]string{"serve", "--json", "--data", data, "--listen", "127.0.0.1:0"}, args...), strings.NewReader(""), w, &errout, nil)
		_ = w.Close()
		ended <- code
	}()
	d := running{data: data}
	d.stop = sync.OnceValue(func() result {
		cancel()
		return result{code: <-ended, errout: errout.String()}
	})
	t.Cleanup(func() { d.stop() })
	if err := json.NewDecoder(r).Decode(&d.welcome); err != nil {
		t.Fatalf("the daemon did not start: %v\n%s", err, errout.String())
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	return d
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// ask sends a request and gives status, header and body.
func ask(t *testing.T, method, url, user, password, body string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	switch method {
	case "PUT":
		req.Header.Set("Content-Type", "text/calendar")
	case "PROPFIND":
		req.Header.Set("Depth", "0")
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

func TestUsageErrorsExitWithTwo(t *testing.T) {
	data := t.TempDir()
	for _, args := range [][]string{
		{"nonsense"},
		{"serve", "--bogus"},
		{"user"},
		{"user", "nonsense"},
		{"user", "create"},
		{"import", "x.ics"},
		{"feed", "create", "ada", "--expires", "yesterday"},
		{"resource", "create", "room", "r", "--id", "x"},
	} {
		if r := command(t, data, args...); r.code != exitUsage || !strings.Contains(r.errout, "--help") {
			t.Errorf("%v: %+v", args, r)
		}
	}
	if entries, err := os.ReadDir(data); err != nil || len(entries) > 0 {
		t.Errorf("a usage error left %v", entries)
	}
}

func TestCommandsWithoutAStoreSayWhatToDo(t *testing.T) {
	data := filepath.Join(t.TempDir(), "none")
	for _, args := range [][]string{{"user", "list"}, {"check"}, {"backup", filepath.Join(t.TempDir(), "b")}, {"compact"}} {
		r := command(t, data, args...)
		if r.code != exitFailed || !strings.Contains(r.errout, "daybook init") {
			t.Errorf("%v: %+v", args, r)
		}
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("a command that reads made the data folder")
	}
}

func TestForeignFileIsRefusedAndLeftAlone(t *testing.T) {
	data := t.TempDir()
	path := filepath.Join(data, databaseFile)
	want := bytes.Repeat([]byte("not a database\n"), 1000)
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"init"}, {"user", "list"}} {
		if r := command(t, data, args...); r.code != exitFailed || !strings.Contains(r.errout, "daybook restore FILE") {
			t.Errorf("%v: %+v", args, r)
		}
	}
	if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, want) {
		t.Error("the file was changed")
	}
}

func TestToolsThatNeedNoStore(t *testing.T) {
	data := t.TempDir()
	man := filepath.Join(data, "man")
	for _, args := range [][]string{
		{"version"},
		{"version", "--json"},
		{"config", "check"},
		{"config", "print"},
		{"config", "print", "--json"},
		{"config", "example"},
		{"config", "reference"},
		{"completion", "bash"},
		{"man", man},
		{"--help"},
	} {
		if r := command(t, data, args...); r.code != 0 {
			t.Errorf("%v: %+v", args, r)
		}
	}
	if _, err := os.Stat(filepath.Join(man, "daybook-serve.1")); err != nil {
		t.Error(err)
	}
	bad := filepath.Join(data, "bad.yaml")
	if err := os.WriteFile(bad, []byte("listn: x\nhorizon: soon\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := command(t, data, "config", "check", "--config", bad)
	if r.code != exitFailed || !strings.Contains(r.errout, bad+":1") || !strings.Contains(r.errout, bad+":2") {
		t.Errorf("%+v", r)
	}
	r = command(t, data, "config", "check", "--json", "--config", bad)
	if r.code != exitFailed || !strings.Contains(r.out, `"line": 2`) {
		t.Errorf("%+v", r)
	}
	if r := command(t, data, "healthcheck", "--listen", "127.0.0.1:1", "--timeout", "2s"); r.code != exitFailed {
		t.Errorf("healthcheck of nobody: %+v", r)
	}
}

func TestSystemZone(t *testing.T) {
	if z := systemZone([]string{"TZ=:Europe/Berlin"}); z != "Europe/Berlin" {
		t.Error(z)
	}
	if z := systemZone([]string{"TZ=Nowhere/Else"}); z == "Nowhere/Else" || z == "" {
		t.Error(z)
	}
	if _, err := time.LoadLocation(systemZone(nil)); err != nil {
		t.Error(err)
	}
}
