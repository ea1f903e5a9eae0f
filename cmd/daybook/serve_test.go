package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const propfind = `<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>`

func TestServeWithoutConfiguration(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	d := startDaemon(t, data)
	if d.User != "admin" || d.Password == "" {
		t.Fatalf("no administrator: %+v", d.welcome)
	}
	if status, h, _ := ask(t, "GET", d.Health, "", "", ""); status != 200 || h.Get(requestID) == "" {
		t.Errorf("readyz: %d %v", status, h)
	}
	if status, _, body := ask(t, "PROPFIND", d.CalDAV, d.User, d.Password, propfind); status != 207 || !strings.Contains(body, "/dav/principals/admin/") {
		t.Errorf("discovery: %d %s", status, body)
	}
	if status, _, _ := ask(t, "PROPFIND", d.URL+"/", d.User, d.Password, propfind); status != 207 {
		t.Errorf("discovery at the root: %d", status)
	}
	if status, h, _ := ask(t, "PROPFIND", d.URL+"/.well-known/caldav", "", "", ""); status/100 != 3 || !strings.HasSuffix(h.Get("Location"), "/dav/") {
		t.Errorf("well-known: %d %v", status, h)
	}
	if status, _, _ := ask(t, "PROPFIND", d.CalDAV, "", "", propfind); status != 401 {
		t.Errorf("anonymous: %d", status)
	}
	if status, _, body := ask(t, "GET", d.Metrics, "", "", ""); status != 200 ||
		!strings.Contains(body, `daybook_http_request_duration_seconds_count{api="caldav",code="207",method="PROPFIND"} 2`) ||
		!strings.Contains(body, "daybook_build_info") || !strings.Contains(body, "go_goroutines") {
		t.Errorf("metrics: %d\n%s", status, body)
	}
	for path, want := range map[string]fs.FileMode{data: 0o700, filepath.Join(data, databaseFile): 0o600, filepath.Join(data, socketFile): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %v", path, info.Mode(), err, want)
		}
	}
	if r := d.stop(); r.code != 0 || strings.Contains(r.errout, d.Password) {
		t.Errorf("stop: %+v", r)
	}
	for _, name := range []string{socketFile, lockFile} {
		if _, err := os.Stat(filepath.Join(data, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
	again := startDaemon(t, data)
	if again.User != "" || again.Password != "" {
		t.Errorf("a second start made an administrator: %+v", again.welcome)
	}
	if status, _, _ := ask(t, "PROPFIND", again.CalDAV, d.User, d.Password, propfind); status != 207 {
		t.Errorf("after a restart: %d", status)
	}
}

func TestSecondDaemonSaysWhoHoldsTheData(t *testing.T) {
	data := t.TempDir()
	d := startDaemon(t, data)
	r := command(t, data, "serve", "--listen", "127.0.0.1:0")
	if r.code != exitFailed || !strings.Contains(r.errout, "in use by daybook serve, pid ") ||
		!strings.Contains(r.errout, strings.TrimPrefix(d.URL, "http://")) {
		t.Errorf("%+v", r)
	}
	if status, _, _ := ask(t, "GET", d.Health, "", "", ""); status != 200 {
		t.Errorf("the first daemon was disturbed: %d", status)
	}
	if _, err := os.Stat(filepath.Join(data, socketFile)); err != nil {
		t.Errorf("its socket is gone: %v", err)
	}
}

func TestTakenAddressIsToldAndNothingIsLeft(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	data := t.TempDir()
	r := command(t, data, "serve", "--listen", l.Addr().String())
	if r.code != exitFailed || !strings.Contains(r.errout, "--listen") {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(filepath.Join(data, socketFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	d := startDaemon(t, data) // the file was let go
	if d.Password == "" {
		t.Error("the first start that works shows no password")
	}
}

func TestSocketOfAKilledDaemonIsReplaced(t *testing.T) {
	data := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(data, socketFile))
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	d := startDaemon(t, data)
	if r := command(t, data, "user", "list"); r.code != 0 || !strings.Contains(r.out, "admin") {
		t.Errorf("%+v %+v", r, d.welcome)
	}
}

func TestMetricsHaveAListenerOfTheirOwn(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, t.TempDir(), "--metrics-listen", "127.0.0.1:0")
	if status, _, body := ask(t, "GET", d.Metrics, "", "", ""); status != 200 || !strings.Contains(body, "daybook_") {
		t.Errorf("%d %s", status, body)
	}
	if status, _, _ := ask(t, "GET", strings.TrimSuffix(d.Metrics, "metrics")+"readyz", "", "", ""); status != 200 {
		t.Errorf("readyz beside the metrics: %d", status)
	}
	if status, _, _ := ask(t, "GET", d.URL+"/metrics", "", "", ""); status != 404 {
		t.Errorf("metrics on the main listener too: %d", status)
	}
	if r := command(t, t.TempDir(), "healthcheck", "--url", d.Health); r.code != 0 {
		t.Errorf("healthcheck: %+v", r)
	}
}

func TestHealthcheckFindsADaemonOnAFreePort(t *testing.T) {
	d := startDaemon(t, t.TempDir())
	if r := command(t, d.data, "healthcheck", "--listen", "127.0.0.1:0"); r.code != 0 {
		t.Errorf("%+v", r)
	}
}
