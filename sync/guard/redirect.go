package guard

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// hops is what the redirects of a request came to.
type hops struct {
	permanent bool     // all until now were 301 or 308
	moved     *url.URL // where the last of those led; nil: nowhere
	away      bool     // another origin was visited
}

type hopsKey struct{}

// Moved gives the address that the request's own moved to for good: where the
// 301 and 308 at the begin of its redirects led (RFC 9110 §15.4.2, §15.4.9).
// nil when there were none.
func Moved(resp *http.Response) *url.URL {
	if resp.Request == nil {
		return nil
	}
	if h, ok := resp.Request.Context().Value(hopsKey{}).(*hops); ok {
		return h.moved
	}
	return nil
}

// harmless are the headers that another host may see.
var harmless = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Content-Language", "Content-Type", "Depth", "If-Modified-Since", "If-None-Match",
	"Prefer", "User-Agent",
}

// safe reports whether a method changes nothing and may be asked again
// elsewhere (RFC 9110 §9.2.1, RFC 4918 §9.1, RFC 3253 §3.6).
func safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "PROPFIND", "REPORT":
		return true
	}
	return false
}

// next gives the request that an answer leads to; nil when it leads nowhere.
func (c *Client) next(r *http.Request, resp *http.Response, h *hops) (*http.Request, error) {
	lasting := resp.StatusCode == http.StatusMovedPermanently || resp.StatusCode == http.StatusPermanentRedirect
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil //nolint:nilnil // an answer that leads nowhere is no failure
	}
	if c.opt.MaxRedirects < 0 {
		return nil, nil //nolint:nilnil // as above
	}
	u, err := r.URL.Parse(resp.Header.Get("Location"))
	if err != nil || resp.Header.Get("Location") == "" {
		return nil, fmt.Errorf("%w: it leads to no address", ErrRedirect)
	}
	u.Fragment, u.RawFragment = "", ""
	same := Origin(u, r.URL) || upgraded(r.URL, u)
	switch {
	case r.URL.Scheme == "https" && u.Scheme == "http":
		return nil, fmt.Errorf("%w: from https to http", ErrRedirect)
	case !safe(r.Method) && (!same || resp.StatusCode < http.StatusTemporaryRedirect):
		return nil, fmt.Errorf("%w: a %s is not followed", ErrRedirect, r.Method)
	}
	h.away = h.away || !same
	if h.permanent = h.permanent && lasting; h.permanent {
		moved := *u
		moved.User = nil
		h.moved = &moved
	}
	return again(r, u, resp.StatusCode, h.away)
}

// upgraded reports whether the second address is the first with TLS, both at
// the usual ports.
func upgraded(from, to *url.URL) bool {
	return from.Scheme == "http" && to.Scheme == "https" && hostOf(from) == hostOf(to) && portOf(from) == 80 && portOf(to) == 443
}

// again makes the request anew for another address.
func again(r *http.Request, u *url.URL, status int, away bool) (*http.Request, error) {
	next := r.Clone(r.Context())
	next.URL, next.Host = u, ""
	// Credentials in a Location are somebody else's, and the address that led
	// here can be a secret.
	u.User = nil
	next.Header.Del("Referer")
	if away {
		for name := range next.Header {
			if !slices.ContainsFunc(harmless, func(h string) bool { return strings.EqualFold(h, name) }) {
				delete(next.Header, name)
			}
		}
	}
	if status == http.StatusSeeOther && r.Method != http.MethodHead {
		next.Method, next.Body, next.GetBody, next.ContentLength = http.MethodGet, nil, nil, 0
		next.Header.Del("Content-Type")
		return next, nil
	}
	if r.Body == nil || r.Body == http.NoBody {
		return next, nil
	}
	if r.GetBody == nil {
		return nil, fmt.Errorf("%w: the body cannot be sent again", ErrRedirect)
	}
	var b io.ReadCloser
	var err error
	if b, err = r.GetBody(); err != nil {
		return nil, fmt.Errorf("%w: the body cannot be sent again", ErrRedirect)
	}
	next.Body = b
	return next, nil
}
