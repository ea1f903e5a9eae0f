package guard

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// get fetches an address and reads the whole answer.
func get(t *testing.T, c *Client, address string, change ...func(*http.Request)) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(r)
	}
	t.Cleanup(c.Close)
	resp, err := c.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, b, err
}

func TestAddressesThatAreNotPublic(t *testing.T) {
	for ip, want := range map[string]string{
		"0.0.0.0": "unspecified", "0.1.2.3": "unspecified", "10.1.2.3": "private", "100.64.0.1": "shared", "100.127.255.255": "shared",
		"127.0.0.1": "loopback", "127.9.9.9": "loopback", "169.254.169.254": "link-local", "172.16.0.1": "private",
		"172.31.255.255": "private", "192.168.1.1": "private", "192.0.0.8": "reserved", "192.0.2.1": "documentation",
		"198.18.0.1": "benchmark", "198.19.255.255": "benchmark", "198.51.100.9": "documentation", "203.0.113.9": "documentation",
		"224.0.0.1": "multicast", "239.255.255.255": "multicast", "240.0.0.1": "reserved", "255.255.255.255": "reserved",
		"::": "unspecified", "::1": "loopback", "::7f00:1": "reserved", "fc00::1": "private", "fdff::1": "private", "fe80::1": "link-local",
		"fec0::1": "private", "ff02::1": "multicast", "2001:db8::1": "documentation", "2001::1": "reserved", "2001:2::1": "reserved",
		"2002:7f00:1::": "reserved", "3fff::1": "documentation", "4000::1": "reserved", "100::1": "reserved",
		"::ffff:127.0.0.1": "loopback", "::ffff:10.0.0.1": "private", "64:ff9b::a00:1": "private", "64:ff9b::7f00:1": "loopback",
		"64:ff9b:1::1": "private", "5f00::1": "reserved",
		"1.1.1.1": "", "172.32.0.1": "", "100.128.0.1": "", "9.255.255.255": "", "193.0.0.1": "", "2606:4700::1": "", "2a00::1": "",
		"::ffff:1.1.1.1": "", "64:ff9b::101:101": "",
	} {
		if got := refused(netip.MustParseAddr(ip), nil); got != want {
			t.Errorf("refused(%s) = %q, want %q", ip, got, want)
		}
	}
	allow := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}
	for ip, want := range map[string]string{
		"10.1.2.3": "", "10.2.0.1": "private", "::ffff:10.1.0.1": "", "64:ff9b::a01:1": "", "fd00:1::2": "", "fd00:2::2": "private",
	} {
		if got := refused(netip.MustParseAddr(ip), allow); got != want {
			t.Errorf("with networks that are allowed: refused(%s) = %q, want %q", ip, got, want)
		}
	}
}

func TestRefusedBeforeAndWhenConnecting(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was reached") })
	port := s.URL[strings.LastIndexByte(s.URL, ':'):]
	c := New(Options{})
	for address, want := range map[string]error{
		s.URL:                           ErrAddress,
		"http://localhost" + port:       ErrAddress, // found out only when its name is resolved
		"http://[::ffff:7f00:1]" + port: ErrAddress,
		"http://[fe80::1%25lo]" + port:  ErrAddress,
		"ftp://example.org/":            ErrScheme,
		"file:///etc/passwd":            ErrScheme,
		"http:///x":                     ErrAddress,
		"http://192.0.1.1:22/":          ErrPort,
		"http://192.0.1.1:99999/":       ErrPort,
		"http://169.254.169.254/":       ErrAddress,
	} {
		u, err := url.Parse(address)
		if err == nil {
			_, _, err = get(t, c, u.String())
		}
		if !errors.Is(err, want) && !(strings.Contains(address, "99999") && err != nil) {
			t.Errorf("%s: %v, want %v", address, err, want)
		}
	}
	_, _, err := get(t, c, "http://localhost"+port+"/secret-path?key=secret-query", func(r *http.Request) { r.SetBasicAuth("u", "secret-word") })
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "::1") {
		t.Errorf("the error tells too much: %v", err)
	}
}

func TestOwnAddressesAreACircle(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set(MarkHeader, "me") })
	u, _ := url.Parse(s.URL)
	ap := netip.MustParseAddrPort(u.Host)
	for name, own := range map[string]Own{
		"listener":               {Listen: []netip.AddrPort{ap}},
		"listener on everything": {Listen: []netip.AddrPort{netip.AddrPortFrom(netip.IPv6Unspecified(), ap.Port())}},
		"public address":         {URLs: []*url.URL{u}},
		"mark":                   {Mark: "me"},
	} {
		if _, _, err := get(t, New(Options{Allow: loopback(), Own: own}), s.URL+"/feeds/x"); !errors.Is(err, ErrOwn) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := Own{Mark: "you", Listen: []netip.AddrPort{netip.AddrPortFrom(ap.Addr(), ap.Port()+1)}}
	if _, _, err := get(t, New(Options{Allow: loopback(), Own: other}), s.URL); err != nil {
		t.Error(err)
	}
}

func TestRedirects(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]http.Header{}
	methods := map[string]string{}
	bodies := map[string]string{}
	note := func(r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		seen[r.URL.Path], methods[r.URL.Path], bodies[r.URL.Path] = r.Header, r.Method, string(b)
	}
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) { note(r) })
	target := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		note(r)
		var code int
		var to string
		switch r.URL.Path {
		case "/permanent":
			code, to = 301, "/permanent2"
		case "/permanent2":
			code, to = 308, "/temporary"
		case "/temporary":
			code, to = 302, "/end"
		case "/away":
			code, to = 307, strings.Replace(target, "//", "//evil:evil@", 1)+"/other"
		case "/loop":
			code, to = 302, "/loop"
		case "/nowhere":
			code, to = 302, ""
		case "/inside":
			code, to = 302, "http://10.0.0.1/"
		case "/scheme":
			code, to = 302, "gopher://x/"
		default:
			return
		}
		w.Header().Set("Location", to)
		w.WriteHeader(code)
	})
	c := New(Options{Allow: []netip.Prefix{loopback()[0], loopback()[1]}})
	secret := func(r *http.Request) {
		r.SetBasicAuth("u", "p")
		r.Header.Set("X-Signature", "s")
		r.Header.Set("Depth", "1")
		r.Header.Set("Referer", "http://x/secret")
	}
	resp, _, err := get(t, c, s.URL+"/permanent", secret)
	if err != nil || resp.Request.URL.Path != "/end" {
		t.Fatal(resp, err)
	}
	if m := Moved(resp); m == nil || m.Path != "/temporary" {
		t.Errorf("moved to %v", m)
	}
	if h := seen["/end"]; h.Get("Authorization") == "" || h.Get("X-Signature") == "" {
		t.Errorf("on the same origin: %v", h)
	}
	if resp, _, err = get(t, c, s.URL+"/end"); err != nil || Moved(resp) != nil {
		t.Error(resp, err)
	}
	if _, _, err = get(t, c, s.URL+"/away", secret); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Authorization", "X-Signature", "Referer"} {
		if seen["/other"].Get(name) != "" {
			t.Errorf("%s was sent to another origin", name)
		}
	}
	if seen["/other"].Get("Depth") != "1" {
		t.Error("Depth was not sent")
	}
	for path, want := range map[string]error{"/loop": ErrRedirect, "/nowhere": ErrRedirect, "/inside": ErrAddress, "/scheme": ErrScheme} {
		if _, _, err := get(t, c, s.URL+path); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	method := func(m string) func(*http.Request) {
		return func(r *http.Request) {
			r.Method, r.Body = m, io.NopCloser(strings.NewReader("body"))
			r.ContentLength = 4
			r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("body")), nil }
		}
	}
	if _, _, err = get(t, c, s.URL+"/temporary", method("PROPFIND")); err != nil || methods["/end"] != "PROPFIND" || bodies["/end"] != "body" {
		t.Error(err, methods["/end"], bodies["/end"])
	}
	for path, m := range map[string]string{"/temporary": "PUT", "/away": "PUT"} {
		if _, _, err := get(t, c, s.URL+path, method(m)); !errors.Is(err, ErrRedirect) {
			t.Errorf("%s %s: %v", m, path, err)
		}
	}
	if _, _, err := get(t, c, s.URL+"/permanent2", method("PUT")); !errors.Is(err, ErrRedirect) {
		t.Error("a PUT followed a 302 behind a 308", err)
	}
	none := New(Options{Allow: loopback(), MaxRedirects: -1})
	if resp, _, err := get(t, none, s.URL+"/loop"); err != nil || resp.StatusCode != 302 {
		t.Error(resp, err)
	}
}

func TestHTTPSDoesNotLeadToHTTP(t *testing.T) {
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	s := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer s.Close()
	s.Config.ErrorLog = nil
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	if _, _, err := get(t, New(Options{Allow: loopback(), Roots: roots}), s.URL); !errors.Is(err, ErrRedirect) {
		t.Error(err)
	}
	if _, _, err := get(t, New(Options{Allow: loopback()}), s.URL); !errors.Is(err, ErrTLS) {
		t.Error("a certificate of nobody's is trusted:", err)
	}
	if _, _, err := get(t, New(Options{Allow: loopback()}), strings.Replace(plain.URL, "http:", "https:", 1)); !errors.Is(err, ErrTLS) && !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
}

func TestNoProxyFromTheEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("direct")) })
	if _, b, err := get(t, New(Options{Allow: loopback()}), s.URL); err != nil || string(b) != "direct" {
		t.Error(string(b), err)
	}
}

func zipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, _ = w.Write(b)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestSizes(t *testing.T) {
	bomb := zipped(t, make([]byte, 1<<20))
	empty := bytes.Repeat(zipped(t, nil), 10_000) // much to read, nothing in it
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/exact":
			_, _ = w.Write(make([]byte, 10_000))
		case "/more":
			_, _ = w.Write(make([]byte, 10_001))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb)
		case "/empty":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(empty)
		case "/good":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped(t, []byte("good")))
		case "/cut":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb[:len(bomb)-10])
		case "/br":
			w.Header().Set("Content-Encoding", "br")
		case "/header":
			for range 1000 {
				w.Header().Add("X-Large", strings.Repeat("x", 1000))
			}
		case "/short":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("short"))
		}
	})
	c := New(Options{Allow: loopback(), MaxBody: 10_000})
	for path, want := range map[string]error{
		"/exact": nil, "/more": ErrTooLarge, "/bomb": ErrTooLarge, "/empty": ErrTooLarge, "/good": nil, "/br": ErrAnswer, "/header": ErrTooLarge,
		"/short": ErrAnswer,
	} {
		_, b, err := get(t, c, s.URL+path)
		if !errors.Is(err, want) || len(b) > 10_000 {
			t.Errorf("%s: %d bytes, %v, want %v", path, len(b), err, want)
		}
		if path == "/good" && string(b) != "good" {
			t.Errorf("%q", b)
		}
	}
	if _, _, err := get(t, New(Options{Allow: loopback()}), s.URL+"/cut"); !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
}

func TestTimeHoldsForHeaderAndBody(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write([]byte("drip"))
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	})
	for _, path := range []string{"/header", "/body"} {
		_, _, err := get(t, New(Options{Allow: loopback(), Timeout: 50 * time.Millisecond}), s.URL+path)
		if !errors.Is(err, ErrTimeout) || Kind(err) != "timeout" {
			t.Errorf("%s: %v", path, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, http.NoBody)
	resp, err := New(Options{Allow: loopback()}).Do(r)
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrTimeout) {
		t.Error(err)
	}
}

func TestConnectionsThatFail(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("SSH-2.0-secret\r\n\r\n"))
			_ = conn.Close()
		}
	}()
	address := "http://" + l.Addr().String()
	_, _, err = get(t, New(Options{Allow: loopback()}), address)
	if k := Kind(err); k != "answer" && k != "connect" || strings.Contains(err.Error(), "secret") {
		t.Errorf("%q: %v", k, err)
	}
	_ = l.Close()
	if _, _, err = get(t, New(Options{Allow: loopback()}), address); !errors.Is(err, ErrConnect) || Kind(err) != "connect" {
		t.Error(err)
	}
	if Kind(errors.New("else")) != "" || Kind(nil) != "" {
		t.Error("an error of somebody else has no kind")
	}
}
