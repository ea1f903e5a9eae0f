package feeds

import (
	"net/http"
	"strings"
	"time"

	"daybook/api/rest"
	"daybook/store"
)

// codings are the content codings by number. The mark tells an entity tag from
// that of the plain text: strong tags must differ between representations (RFC
// 9110 §8.8.3.3).
var codings = [...]struct{ name, mark, label string }{
	store.CodingNone: {"", "", "identity"},
	store.CodingGzip: {"gzip", "-gzip", "gzip"},
	store.CodingZstd: {"zstd", "-zstd", "zstd"},
}

func (x *fetch) setValidators(h http.Header, coding store.Coding) {
	h.Set("Etag", `"`+x.tag+codings[coding].mark+`"`)
	h.Del("Last-Modified")
	// Within the second of a change there can be another one with the same
	// date (RFC 9110 §8.8.2.2): a client is given a date when that is over.
	if m := x.modified(); x.now.Sub(m) > time.Second {
		h.Set("Last-Modified", m.UTC().Format(http.TimeFormat))
	}
}

// modified is the stream's, or for a form that is of a day its midnight.
func (x *fetch) modified() time.Time {
	m := x.stream.Modified
	if midnight := x.stream.Zone.Instant(x.stream.Today); x.form.daily && midnight.After(m) {
		m = midnight
	}
	return m
}

// fresh reports whether the client has the form already. If-Modified-Since
// counts only without If-None-Match (RFC 9110 §13.1.3).
func (x *fetch) fresh(h http.Header) bool {
	if tags := h.Values("If-None-Match"); len(tags) > 0 {
		return matches(strings.Join(tags, ","), x.tag)
	}
	since, err := http.ParseTime(h.Get("If-Modified-Since"))
	m := x.modified()
	return err == nil && x.now.Sub(m) > time.Second && !m.Truncate(time.Second).After(since)
}

// matches compares weakly (RFC 9110 §13.1.2). The tag of any coding will do:
// who has the one does not need the others. Our tags hold no comma.
func matches(list, tag string) bool {
	for s := range strings.SplitSeq(list, ",") {
		s = strings.TrimSpace(s)
		if s == "*" {
			return true
		}
		s = strings.Trim(strings.TrimPrefix(s, "W/"), `"`)
		for _, c := range codings {
			if s == tag+c.mark {
				return true
			}
		}
	}
	return false
}

// accepted reads Accept-Encoding (RFC 9110 §12.5.3): the coding that the client
// likes best, of equals the one that packs best.
func accepted(values []string) store.Coding {
	best, star := 0.0, -1.0
	out := store.CodingNone
	weights := map[store.Coding]float64{}
	for s := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, params, _ := strings.Cut(s, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			weights[store.CodingGzip] = rest.Weight(params)
		case "zstd":
			weights[store.CodingZstd] = rest.Weight(params)
		case "*":
			star = rest.Weight(params)
		}
	}
	if _, named := weights[store.CodingGzip]; !named && star > 0 {
		weights[store.CodingGzip] = star
	}
	for _, c := range []store.Coding{store.CodingZstd, store.CodingGzip} {
		if w := weights[c]; w > best {
			best, out = w, c
		}
	}
	return out
}
