// Package guard is the one way in which the daemon fetches something from
// elsewhere: remote calendars, webhooks. Whoever may name an address must not
// reach by it what only the daemon can reach, nor make it work without bound.
//
// A Client checks scheme, host and port of an address, and the resolved
// address when it connects, on the first hop and on each redirect: a name that
// resolves to something else the second time gains nothing. It bounds header,
// body (as sent and decompressed), redirects and the whole time; takes no proxy
// from the environment; verifies TLS; and sends credentials to nobody but the
// host that they were meant for. What it says of a failure holds no path,
// query, credential or resolved address, so it may be shown to the one who
// named the address.
//
// It knows nothing of calendars.
package guard

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Options are the limits of a Client; a zero field is its default.
type Options struct {
	Allow        []netip.Prefix // networks that are reached although they are not public
	Ports        []Ports        // that may be named; none: 80, 443 and all from 1024
	Own          Own            // the daemon itself, which it never fetches from
	MaxHeader    int64          // bytes of an answer's header; 0: 64 KiB
	MaxBody      int64          // bytes of an answer's body, as sent and decompressed; 0: 16 MiB
	Timeout      time.Duration  // of a request with its redirects and the reading of its body; 0: 1 min
	MaxRedirects int            // 0: 5; negative: a redirect is an answer like any other
	UserAgent    string         // "": Daybook
	Roots        *x509.CertPool // nil: the system's
}

// Ports is a range of ports, both ends included.
type Ports struct{ From, To uint16 }

// Own says what the daemon's own addresses are.
type Own struct {
	Listen []netip.AddrPort // of its listeners; an unspecified address is every address of this machine
	URLs   []*url.URL       // as clients see it; scheme, host and port count
	Mark   string           // what its answers carry in MarkHeader, so that a circle through a proxy is noticed
}

// MarkHeader is the header by which a daemon knows its own answers.
const MarkHeader = "X-Daybook-Instance"

const (
	defaultHeader    = 64 << 10
	defaultBody      = 16 << 20
	defaultTimeout   = time.Minute
	defaultRedirects = 5
	// idleTime is how long an unused connection is kept; a pull makes its
	// requests close to each other.
	idleTime = 30 * time.Second
)

// Client makes requests. Several goroutines may use it.
type Client struct {
	opt       Options
	transport *http.Transport
}

// New makes a Client.
func New(o Options) *Client {
	if len(o.Ports) == 0 {
		o.Ports = []Ports{{80, 80}, {443, 443}, {1024, 65535}}
	}
	if o.MaxHeader <= 0 {
		o.MaxHeader = defaultHeader
	}
	if o.MaxBody <= 0 {
		o.MaxBody = defaultBody
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxRedirects == 0 {
		o.MaxRedirects = defaultRedirects
	}
	if o.UserAgent == "" {
		o.UserAgent = "Daybook"
	}
	c := &Client{opt: o}
	dialer := &net.Dialer{Timeout: 20 * time.Second, ControlContext: c.control}
	c.transport = &http.Transport{
		Proxy:                  nil, // one from the environment would connect to what is refused here
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    20 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: o.MaxHeader,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        idleTime,
		DisableCompression:     true, // done here, where the bytes as sent are bounded too
	}
	return c
}

// Unredirected gives a client with the same limits and connections but a time of
// its own, for which a redirect is an answer like any other.
func (c *Client) Unredirected(timeout time.Duration) *Client {
	d := *c
	d.opt.MaxRedirects, d.opt.Timeout = -1, timeout
	return &d
}

// Close closes the connections that are not in use.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// control is asked when a connection is made, with the address that the name
// was resolved to, and for each that is tried.
func (c *Client) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: it is none of IP", ErrAddress)
	}
	ip := ap.Addr().WithZone("").Unmap()
	if c.own(netip.AddrPortFrom(ip, ap.Port())) {
		return ErrOwn
	}
	if why := refused(ip, c.opt.Allow); why != "" {
		return fmt.Errorf("%w: it is in a %s network", ErrAddress, why)
	}
	return nil
}

// own reports whether it is a listener of the daemon.
func (c *Client) own(ap netip.AddrPort) bool {
	for _, l := range c.opt.Own.Listen {
		if l.Port() != ap.Port() {
			continue
		}
		if l.Addr().Unmap() == ap.Addr() || l.Addr().IsUnspecified() && local(ap.Addr()) {
			return true
		}
	}
	return false
}

// local reports whether it is an address of this machine.
func local(ip netip.Addr) bool {
	if ip.IsLoopback() || ip.IsUnspecified() {
		return true
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true // to be asked again is better than a circle
	}
	return slices.ContainsFunc(all, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().WithZone("").Unmap() == ip
	})
}

// Check tells whether an address may be fetched from as far as it can be told
// without resolving it, for those who take it from somebody. The errors are
// those of Do.
func (c *Client) Check(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%w: it is neither http nor https", ErrScheme)
	}
	host := hostOf(u)
	if host == "" || u.Opaque != "" {
		return fmt.Errorf("%w: it has no host", ErrAddress)
	}
	port := portOf(u)
	if !slices.ContainsFunc(c.opt.Ports, func(p Ports) bool { return p.From <= port && port <= p.To }) {
		return fmt.Errorf("%w: %d", ErrPort, port)
	}
	for _, own := range c.opt.Own.URLs {
		if hostOf(own) == host && portOf(own) == port {
			return ErrOwn
		}
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return c.control(context.Background(), "", netip.AddrPortFrom(ip, port).String(), nil)
	}
	return nil
}

// hostOf gives an address's host in lower case, without a last dot.
func hostOf(u *url.URL) string { return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") }

// portOf gives an address's port; 0 when it is none.
func portOf(u *url.URL) uint16 {
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return 0
		}
		return uint16(n)
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}

// Origin reports whether two addresses have scheme, host and port in common:
// what is a secret between us and one is so with the other.
func Origin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && hostOf(a) == hostOf(b) && portOf(a) == portOf(b)
}

// Do makes the request and follows its redirects. The body of the answer must
// be closed; reading more of it than MaxBody, or longer than Timeout, fails
// with ErrTooLarge or ErrTimeout. A User-Agent is added, and Accept-Encoding,
// unless the request has one; then the body is decompressed.
//
// Redirects are followed for methods that change nothing, with the method kept
// (a PROPFIND stays one), and on the same origin also by 307 and 308 for the
// others; never from https to http. Elsewhere only headers that hold nothing
// secret are sent. Errors: ErrScheme, ErrAddress, ErrPort, ErrOwn, ErrRedirect,
// ErrTooLarge, ErrTimeout, ErrTLS, ErrConnect, the context's.
func (c *Client) Do(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(r.Context(), c.opt.Timeout, ErrTimeout)
	resp, err := c.follow(ctx, r)
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = &body{ReadCloser: resp.Body, ctx: ctx, cancel: cancel}
	return resp, nil
}

func (c *Client) follow(ctx context.Context, first *http.Request) (*http.Response, error) {
	trace := &hops{permanent: true}
	r := first.Clone(context.WithValue(ctx, hopsKey{}, trace))
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", c.opt.UserAgent)
	}
	inflate := r.Header.Get("Accept-Encoding") == "" && r.Method != http.MethodHead && r.Header.Get("Range") == ""
	if inflate {
		r.Header.Set("Accept-Encoding", "gzip")
	}
	for n := 0; ; n++ {
		resp, err := c.once(ctx, r)
		if err != nil {
			return nil, err
		}
		next, err := c.next(r, resp, trace)
		if err == nil && next == nil {
			return c.bound(resp, inflate)
		}
		// A little is read, so that the connection can be used again.
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
		_ = resp.Body.Close()
		if err == nil && n >= c.opt.MaxRedirects {
			err = fmt.Errorf("%w: more than %d in a row", ErrRedirect, c.opt.MaxRedirects)
		}
		if err != nil {
			return nil, err
		}
		r = next
	}
}

// once makes one request without following it.
func (c *Client) once(ctx context.Context, r *http.Request) (*http.Response, error) {
	if err := c.Check(r.URL); err != nil {
		return nil, err
	}
	if u := r.URL.User; u != nil && r.Header.Get("Authorization") == "" {
		password, _ := u.Password()
		r.SetBasicAuth(u.Username(), password)
	}
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		return nil, explain(ctx, r.URL, err)
	}
	if mark := c.opt.Own.Mark; mark != "" && resp.Header.Get(MarkHeader) == mark {
		_ = resp.Body.Close()
		return nil, ErrOwn
	}
	return resp, nil
}

// bound wraps the body in its limits, and opens its compression.
func (c *Client) bound(resp *http.Response, inflate bool) (*http.Response, error) {
	resp.Body = &limited{ReadCloser: resp.Body, left: c.opt.MaxBody, max: c.opt.MaxBody}
	switch encoding := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding"))); {
	case !inflate, encoding == "", encoding == "identity":
		return resp, nil
	case encoding != "gzip" && encoding != "x-gzip":
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%w: its body is encoded in a way that was not asked for", ErrAnswer)
	}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength, resp.Uncompressed = -1, true
	resp.Body = &limited{ReadCloser: &inflated{raw: resp.Body}, left: c.opt.MaxBody, max: c.opt.MaxBody}
	return resp, nil
}
