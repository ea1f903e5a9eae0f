package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"daybook/api/openapi"
	"daybook/api/rest"
)

// The group of addresses that belong to no API.
const (
	tagFeeds  = "Feeds"
	tagServer = "Server"
)

// others describes what is mounted beside the APIs; a test compares it with
// the mux.
func others(o Options) []openapi.Other {
	text := &openapi.Schema{Type: openapi.Types{"string"}}
	feed := []openapi.Parameter{
		{Name: "secret", In: "path", Required: true, Schema: text, Description: "The secret of the feed."},
		{Name: "name", In: "path", Required: true, Schema: text, Description: "The feed's name."},
	}
	verbose := []openapi.Parameter{{Name: "verbose", In: "query", Schema: text, Description: "When it is there, each check is told."}}
	shown := reflect.TypeFor[probe]()
	out := []openapi.Other{
		{
			Pattern: "GET /feeds/{secret}/{name}", Tag: tagFeeds, Summary: "Get a calendar as a feed", Params: feed,
			Doc:       "The name ends in .ics. ETag and Last-Modified answer If-None-Match and If-Modified-Since with 304; gzip when the client takes it.",
			Responses: map[int]string{200: "text/calendar", 304: "", 404: "text/plain", 429: "text/plain", 500: "text/plain", 503: "text/plain"},
		},
		{Pattern: "GET /{$}", Tag: tagServer, Summary: "Get the web page", Responses: map[int]string{200: "text/html"}},
		{Pattern: "GET /robots.txt", Tag: tagServer, Summary: "Get the rules for robots", Responses: map[int]string{200: "text/plain"}},
		{Pattern: "GET /livez", Tag: tagServer, Summary: "Ask whether the process answers", Body: shown, Responses: map[int]string{200: "application/json"}},
		{
			Pattern: "GET /readyz", Tag: tagServer, Summary: "Ask whether the server should be asked", Body: shown, Params: verbose,
			Responses: map[int]string{200: "application/json", 503: "application/json"},
		},
		{
			Pattern: "GET /openapi.json", Tag: tagServer, Summary: "Get this document",
			Responses: map[int]string{200: "application/json", 304: ""},
		},
		{Pattern: "GET /docs", Tag: tagServer, Summary: "Get this document as a page", Responses: map[int]string{200: "text/html", 304: ""}},
	}
	if o.Gatherer != nil {
		out = append(out, openapi.Other{
			Pattern: "GET /metrics", Tag: tagServer, Summary: "Get the metrics in Prometheus' text format",
			Doc:       "A token may be wanted, as a bearer token.",
			Responses: map[int]string{200: "text/plain", 401: "text/plain"},
		})
	}
	return out
}

// document writes the description of everything that is mounted.
func document(o Options, mounted []*rest.API) (*openapi.Document, error) {
	return openapi.Build(openapi.Info{
		Title: "Daybook", Version: "1",
		Description: "A calendar daemon for places that are booked: the house API below /v1 and five contract APIs over the same facts.",
	}, []openapi.Tag{
		{Name: tagFeeds, Description: "Calendars as one iCalendar text at an address that is its own secret."},
		{Name: tagServer, Description: "Pages, probes and metrics."},
	}, mounted, others(o))
}

// describe mounts the document and its page. They are written when somebody
// asks for them first: a daemon that nobody asks starts sooner.
func describe(mux *patterns, o Options, mounted []*rest.API) {
	doc := sync.OnceValues(func() (*openapi.Document, error) { return document(o, mounted) })
	mux.Handle("GET /openapi.json", written(o.Log, func() (*fixed, error) {
		d, err := doc()
		if err != nil {
			return nil, err
		}
		text, err := d.JSON()
		if err != nil {
			return nil, err
		}
		return newFixed(text, http.Header{
			"Content-Type":                {"application/json"},
			"Access-Control-Allow-Origin": {"*"}, // it says nothing that is not everybody's
		})
	}))
	mux.Handle("GET /docs", written(o.Log, func() (*fixed, error) {
		d, err := doc()
		if err != nil {
			return nil, err
		}
		page, policy, err := openapi.Page(d)
		if err != nil {
			return nil, err
		}
		return newFixed(page, http.Header{
			"Content-Type": {"text/html; charset=utf-8"}, "Content-Security-Policy": {policy}, "Referrer-Policy": {"no-referrer"},
		})
	}))
}

// written serves what is made once.
func written(log *slog.Logger, fn func() (*fixed, error)) http.Handler {
	once := sync.OnceValues(fn)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := once()
		if err != nil { // a mistake in the lists of routes, which a test finds
			log.ErrorContext(r.Context(), "description failed", "err", err)
			http.Error(w, "the server failed", http.StatusInternalServerError)
			return
		}
		f.ServeHTTP(w, r)
	})
}

// fixed is a text that does not change while the process lives, plain and
// compressed.
type fixed struct {
	header      http.Header
	plain, zip  []byte
	tag, zipTag string
}

func newFixed(text []byte, header http.Header) (*fixed, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Vary", "Accept-Encoding")
	header.Set("Cache-Control", "no-cache") // kept, and asked about each time
	sum := sha256.Sum256(text)
	tag := base64.RawURLEncoding.EncodeToString(sum[:12])
	return &fixed{header, text, b.Bytes(), `"` + tag + `"`, `"` + tag + `-gzip"`}, nil
}

// ServeHTTP answers with the text, or 304 to who has it. Strong tags differ by
// encoding (RFC 9110 §8.8.3.3).
func (f *fixed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	maps.Copy(h, f.header)
	body, tag := f.plain, f.tag
	if rest.AcceptsGzip(r.Header.Values("Accept-Encoding")) {
		body, tag = f.zip, f.zipTag
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", tag)
	known := strings.Join(r.Header.Values("If-None-Match"), ",")
	if strings.TrimSpace(known) == "*" || strings.Contains(known, f.tag) || strings.Contains(known, f.zipTag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client may be gone
}
