package caldav

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"daybook/caldav/dav"
	"daybook/store"
)

// exchange is one request with its answer.
type exchange struct {
	srv     *Server
	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context
	actor   *store.Actor
	target  address
	prefer  dav.Prefer
	outside string // path before the prefix as clients see it, set by a proxy
	started bool   // the status is sent
	// conflictBase is the address of the collection that a write goes to.
	conflictBase string

	v    *store.View // inside of view and update
	data *dataRequest
	// scratch of response
	missing, denied, endless []int // endless: more instances than are written out
}

// base gives the context path as clients see it.
func (x *exchange) base() string { return x.outside + x.srv.Prefix }

// absolute makes a URL of a path as clients see it.
func (x *exchange) absolute(path string) string {
	scheme, host := "http", x.r.Host
	if x.r.TLS != nil {
		scheme = "https"
	}
	if x.srv.TrustProxy {
		if p := strings.ToLower(forwarded(x.r, "X-Forwarded-Proto")); p == "http" || p == "https" {
			scheme = p
		}
		if h := forwarded(x.r, "X-Forwarded-Host"); h != "" && !strings.ContainsAny(h, "/?#@ \\") {
			host = h
		}
	}
	return scheme + "://" + host + path
}

func (x *exchange) requestID() string { return x.w.Header().Get("X-Request-Id") }

// view runs fn with a snapshot, which getters find in x.v.
func (x *exchange) view(fn func(*store.View) error) error {
	return x.srv.Store.View(x.ctx, func(v *store.View) error {
		x.v = v
		defer func() { x.v = nil }()
		return fn(v)
	})
}

// update is view for a write. fn may run again.
func (x *exchange) update(fn func(*store.Tx) error) error {
	return x.srv.Store.Update(x.ctx, func(tx *store.Tx) error {
		x.v = &tx.View
		defer func() { x.v = nil }()
		return fn(tx)
	})
}

// status sends the status line and the headers.
func (x *exchange) status(code int) {
	x.started = true
	x.w.WriteHeader(code)
}

// empty answers without a body.
func (x *exchange) empty(code int) error {
	if code != http.StatusNoContent && code != http.StatusNotModified {
		x.w.Header().Set("Content-Length", "0")
	}
	x.status(code)
	return nil
}

// send answers with a whole body in one write. An error of the write is the
// client's: it has gone.
func (x *exchange) send(code int, contentType string, body []byte) error {
	return x.sendParts(code, contentType, int64(len(body)), [][]byte{body})
}

// sendParts answers with a body that comes in parts, of this size together.
func (x *exchange) sendParts(code int, contentType string, size int64, parts [][]byte) error {
	h := x.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	x.status(code)
	if x.r.Method != http.MethodHead {
		for _, b := range parts {
			if _, err := x.w.Write(b); err != nil {
				return nil //nolint:nilerr // the client is gone; nobody is left to tell
			}
		}
	}
	return nil
}

// readBody reads at most limit bytes of the request.
func (x *exchange) readBody(limit int) ([]byte, error) {
	n := x.r.ContentLength
	if n > int64(limit) {
		return nil, dav.ErrTooLarge
	}
	if n >= 0 {
		body := make([]byte, n)
		if _, err := io.ReadFull(x.r.Body, body); err != nil {
			return nil, errBadRequest
		}
		return body, nil
	}
	body, err := io.ReadAll(io.LimitReader(x.r.Body, int64(limit)+1))
	if err != nil {
		return nil, errBadRequest
	}
	if len(body) > limit {
		return nil, dav.ErrTooLarge
	}
	return body, nil
}

// readXML reads the body's root element; nil if there is no body.
func (x *exchange) readXML() (*dav.Element, error) {
	body, err := x.readBody(x.srv.XML.Bytes)
	if err != nil {
		return nil, err
	}
	root, err := dav.Parse(body, x.srv.XML)
	if errors.Is(err, dav.ErrEmpty) {
		return nil, nil // most methods take a request without a body
	}
	return root, err
}

// fail answers with what the error table says.
func (s *Server) fail(x *exchange, err error) {
	if x.started {
		s.Log.Error("answer broken off", "err", err, "request", x.requestID())
		panic(http.ErrAbortHandler)
	}
	e := x.davError(err)
	h := x.w.Header()
	switch {
	case e.Status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Basic realm="`+s.Realm+`", charset="UTF-8"`)
	case e.Status == http.StatusMethodNotAllowed:
		h.Set("Allow", s.allowed(x.target.kind)) // RFC 9110 §15.5.6
	case e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable:
		h.Set("Retry-After", "30")
	case e.Status >= http.StatusInternalServerError && e.Status != http.StatusInsufficientStorage && e.Status != http.StatusNotImplemented:
		s.Log.Error("request failed", "err", err, "method", x.r.Method, "request", x.requestID())
	}
	body := e.Body()
	if body == nil {
		_ = x.empty(e.Status)
		return
	}
	_ = x.send(e.Status, dav.ContentType, body)
}

// rootIs checks the root element's name; status 400.
func rootIs(root *dav.Element, name xml.Name) error {
	if !root.Is(name) {
		return errBadRequest
	}
	return nil
}
