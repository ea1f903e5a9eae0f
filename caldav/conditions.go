package caldav

import (
	"encoding/base32"
	"net/http"
	"slices"
	"strings"
	"time"

	"daybook/caldav/dav"
	"daybook/store"
)

// etagDigits is the alphabet of store.ETag's text form.
var etagDigits = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// parseETag reads the text form of an ETag; that of another form of the object
// stands for the same state.
func parseETag(s string) (e store.ETag, ok bool) {
	if tag, suffix, other := strings.Cut(s, "-"); other && slices.Contains([]string{"json", "ref", "json-ref"}, suffix) {
		s = tag
	}
	if len(s) != 27 || s[0] != 'e' {
		return e, false
	}
	raw, err := etagDigits.DecodeString(s[1:])
	if err != nil || len(raw) != len(e) {
		return e, false
	}
	return store.ETag(raw), true
}

// cond reads If-Match and If-None-Match (RFC 9110 §13.1). A tag that is not
// ours matches nothing: "If-Match: nothing" can never hold.
func cond(h http.Header) store.Cond {
	var c store.Cond
	match, none := dav.ParseETags(h["If-Match"]), dav.ParseETags(h["If-None-Match"])
	if match.Given {
		c.Exists = match.Any
		for i, t := range match.Tags {
			if e, ok := parseETag(t); ok && !match.Weak[i] {
				c.Match = append(c.Match, e)
			}
		}
		c.Never = !c.Exists && len(c.Match) == 0
	}
	c.Missing = none.Any
	for _, t := range none.Tags {
		if e, ok := parseETag(t); ok {
			c.Not = append(c.Not, e)
		}
	}
	return c
}

// holds evaluates a condition on what is there now; member is the zero Member
// where nothing is.
func holds(c store.Cond, there bool, m store.Member) bool {
	switch {
	case c.Never, c.Missing && there, c.Exists && !there:
		return false
	case len(c.Match) > 0 && (!there || !slices.Contains(c.Match, m.ETag)):
		return false
	case there && slices.Contains(c.Not, m.ETag):
		return false
	}
	return true
}

// preconditions checks every conditional header of a writing request against
// the target in the transaction: c (of If-Match and If-None-Match),
// If-Unmodified-Since, and If (RFC 4918 §10.4). Nothing is ever locked, so no
// state token matches.
func (x *exchange) preconditions(tx *store.Tx, r *resource, c store.Cond) error {
	there := r.kind != kindObject || r.member.Object != 0
	if !holds(c, there, r.member) {
		return errPrecondition
	}
	if s := x.r.Header.Get("If-Unmodified-Since"); s != "" && x.r.Header.Get("If-Match") == "" && there {
		if t, err := http.ParseTime(s); err == nil && r.lastModified().Truncate(time.Second).After(t) {
			return errPrecondition
		}
	}
	if x.r.Header.Get("If-Schedule-Tag-Match") != "" {
		return errPrecondition // no object has a schedule tag (RFC 6638 §3.2.10)
	}
	lists, err := dav.ParseIf(x.r.Header)
	if err != nil {
		return err
	}
	ok := dav.EvalIf(lists, func(ref string, c dav.IfCondition) bool {
		m, there := r.member, there && r.kind == kindObject
		if ref != "" {
			m, there = x.tagged(&tx.View, ref)
		}
		if c.ETag == "" || c.Weak || !there {
			return false
		}
		e, ok := parseETag(c.ETag)
		return ok && e == m.ETag
	})
	if !ok {
		return errPrecondition
	}
	return nil
}

// tagged finds the object that a list of an If header is tagged with.
func (x *exchange) tagged(v *store.View, ref string) (store.Member, bool) {
	path, err := dav.PathOf(ref)
	if err != nil {
		return store.Member{}, false
	}
	a, err := x.parse(path)
	if err != nil || a.kind != kindObject {
		return store.Member{}, false
	}
	r, err := x.resolve(v, a)
	if err != nil {
		return store.Member{}, false
	}
	return r.member, true
}
