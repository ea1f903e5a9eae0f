package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybook/api/admin"
)

const someEvent = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:slow\r\nDTSTAMP:20270101T000000Z\r\n" +
	"DTSTART:20270301T100000Z\r\nSUMMARY:Slow\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// TestStopLetsRequestsFinish stops the daemon in the middle of a PUT: nobody
// new is let in, and the write under way is acknowledged and kept.
func TestStopLetsRequestsFinish(t *testing.T) {
	data := t.TempDir()
	d := startDaemon(t, data)
	body, feed := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), "PUT", d.CalDAV+"calendars/admin/calendar/slow.ics", body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = int64(len(someEvent))
	req.Header.Set("Content-Type", "text/calendar")
	req.SetBasicAuth(d.User, d.Password)
	answered := make(chan error, 1)
	status := 0
	go func() {
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err == nil {
			status = resp.StatusCode
			err = resp.Body.Close()
		}
		answered <- err
	}()
	if _, err := io.WriteString(feed, someEvent[:10]); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the request to arrive", func() bool {
		_, _, metrics := ask(t, "GET", d.Metrics, "", "", "")
		return strings.Contains(metrics, "daybook_http_requests_in_flight 2") // and this one
	})
	stopped := make(chan result, 1)
	go func() { stopped <- d.stop() }()
	address := strings.TrimPrefix(d.URL, "http://")
	waitFor(t, "the listener to close", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	if _, err := io.WriteString(feed, someEvent[10:]); err != nil {
		t.Fatal(err)
	}
	_ = feed.Close()
	if err := <-answered; err != nil || status != http.StatusCreated {
		t.Errorf("the request under way: %d %v", status, err)
	}
	if r := <-stopped; r.code != 0 {
		t.Errorf("%+v", r)
	}
	if res := must[admin.Status](t, data, "status"); res.Objects != 1 {
		t.Errorf("%+v", res)
	}
}

// waitFor asks again and again until it is true; the tests' own time limit
// ends it.
func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !is() {
		if ctx.Err() != nil {
			t.Fatalf("waited too long for %s", what)
		}
	}
}

func TestStopCutsRequestsOffAfterItsTime(t *testing.T) {
	d := startDaemon(t, t.TempDir(), "--shutdown-timeout", "0s")
	c, err := net.Dial("tcp", strings.TrimPrefix(d.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, "PUT /dav/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if r := d.stop(); r.code > exitFailed {
		t.Errorf("%+v", r)
	}
}

// certificate makes a self-signed one for 127.0.0.1.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return cert, key, pool
}

func TestProtocols(t *testing.T) {
	cert, key, pool := certificate(t)
	plain := startDaemon(t, t.TempDir())
	secure := startDaemon(t, t.TempDir(), "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(secure.URL, "https://") {
		t.Fatalf("%+v", secure.welcome)
	}
	for _, x := range []struct {
		name, url string
		http1     bool
		want      int
	}{
		{"HTTP/1.1", plain.Health, true, 1},
		{"HTTP/2 without TLS", plain.Health, false, 2},
		{"HTTPS/1.1", secure.Health, true, 1},
		{"HTTPS/2", secure.Health, false, 2},
	} {
		p := new(http.Protocols)
		p.SetHTTP1(x.http1)
		p.SetHTTP2(!x.http1)
		p.SetUnencryptedHTTP2(!x.http1)
		c := http.Client{Transport: &http.Transport{Protocols: p, TLSClientConfig: &tls.Config{RootCAs: pool}}}
		req, err := http.NewRequestWithContext(t.Context(), "GET", x.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 200 || resp.ProtoMajor != x.want {
			t.Errorf("%s: %d, %s", x.name, resp.StatusCode, resp.Proto)
		}
		c.CloseIdleConnections()
	}
	if r := command(t, secure.data, "healthcheck", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key); r.code != exitUsage {
		t.Errorf("healthcheck takes no such flag: %+v", r)
	}
	r := command(t, t.TempDir(), "serve", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", cert)
	if r.code != exitFailed || !strings.Contains(r.errout, "tls_cert") {
		t.Errorf("a bad key: %+v", r)
	}
}

// TestStopEndsStreamsOfChanges: a reader of changes is told of what CalDAV did,
// and does not hold the daemon up.
func TestStopEndsStreamsOfChanges(t *testing.T) {
	d := startDaemon(t, t.TempDir(), "--shutdown-timeout=30s")
	req, err := http.NewRequestWithContext(t.Context(), "GET", d.URL+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(d.User, d.Password)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewScanner(resp.Body)
	if status, _, _ := ask(t, "PUT", d.CalDAV+"calendars/admin/calendar/slow.ics", d.User, d.Password, someEvent); status != http.StatusCreated {
		t.Fatal(status)
	}
	for in.Scan() && !strings.HasPrefix(in.Text(), "data: ") {
	}
	for _, part := range []string{`"type":"event.created"`, `"api":"caldav"`, `"name":"slow.ics"`, `"kind":"user"`} {
		if !strings.Contains(in.Text(), part) {
			t.Errorf("%s is not in %s", part, in.Text())
		}
	}
	stopped := make(chan result, 1)
	begun := time.Now()
	go func() { stopped <- d.stop() }()
	for in.Scan() {
	}
	if err := in.Err(); err != nil {
		t.Errorf("the stream was cut off: %v", err)
	}
	if r := <-stopped; r.code != 0 || time.Since(begun) > 20*time.Second {
		t.Errorf("code %d after %s: %s", r.code, time.Since(begun), r.errout)
	}
}
