package feeds

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"daybook/store"
)

// gzipMark tells the compressed form from the plain one: strong entity tags
// must differ between representations (RFC 9110 §8.8.3.3).
const gzipMark = "-gzip"

func setValidators(h http.Header, st *store.Stream, zip bool) {
	tag := st.ETag
	if zip {
		tag += gzipMark
	}
	h.Set("Etag", `"`+tag+`"`)
	h.Set("Last-Modified", st.Modified.UTC().Format(http.TimeFormat))
}

// fresh reports whether the client has the stream already. If-Modified-Since
// counts only without If-None-Match (RFC 9110 §13.1.3).
func fresh(h http.Header, st *store.Stream) bool {
	if tags := h.Values("If-None-Match"); len(tags) > 0 {
		return matches(strings.Join(tags, ","), st.ETag)
	}
	since, err := http.ParseTime(h.Get("If-Modified-Since"))
	return err == nil && !st.Modified.Truncate(time.Second).After(since)
}

// matches compares weakly (RFC 9110 §13.1.2). The tag of either form will do:
// who has the one does not need the other. Our tags hold no comma.
func matches(list, tag string) bool {
	for s := range strings.SplitSeq(list, ",") {
		s = strings.TrimSpace(s)
		if s == "*" {
			return true
		}
		s = strings.Trim(strings.TrimPrefix(s, "W/"), `"`)
		if strings.TrimSuffix(s, gzipMark) == tag {
			return true
		}
	}
	return false
}

// acceptsGzip reads Accept-Encoding (RFC 9110 §12.5.3).
func acceptsGzip(values []string) bool {
	star := false
	for s := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, params, _ := strings.Cut(s, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "gzip" && name != "x-gzip" && name != "*" {
			continue
		}
		wanted := weight(params) > 0
		if name != "*" {
			return wanted
		}
		star = wanted
	}
	return star
}

func weight(params string) float64 {
	q, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q=")
	if !ok {
		return 1
	}
	w, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
	if err != nil {
		return 0
	}
	return w
}
