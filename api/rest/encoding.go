package rest

import (
	"strconv"
	"strings"
)

// AcceptsGzip reads Accept-Encoding (RFC 9110 §12.5.3).
func AcceptsGzip(values []string) bool {
	star := false
	for s := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, params, _ := strings.Cut(s, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "gzip" && name != "x-gzip" && name != "*" {
			continue
		}
		wanted := Weight(params) > 0
		if name != "*" {
			return wanted
		}
		star = wanted
	}
	return star
}

// Weight reads what follows a coding or media type: how much it is liked, from 0
// to 1 (RFC 9110 §12.4.2).
func Weight(params string) float64 {
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
