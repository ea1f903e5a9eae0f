package caldav

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"daybook/caldav/dav"
	"daybook/store"
)

// get answers GET and HEAD. Only the listing is read when the client has the
// object already.
func (x *exchange) get() error {
	if x.target.kind == kindCalendar {
		return x.getCalendar()
	}
	var r *resource
	fresh := false
	err := x.view(func(v *store.View) (err error) {
		if r, err = x.resolve(v, x.target); err != nil {
			return err
		}
		if err = x.require(r, store.RightRead); err != nil {
			return err
		}
		if fresh, err = x.fresh(r); err != nil || fresh {
			return err
		}
		r.body, err = v.Data(r.member.Object)
		return err
	})
	if err != nil {
		return err
	}
	x.describe(r)
	if fresh {
		return x.empty(http.StatusNotModified)
	}
	return x.send(http.StatusOK, calendarType, r.body)
}

// describe sets the headers of an object's state.
func (x *exchange) describe(r *resource) {
	h := x.w.Header()
	h.Set("ETag", quoted(r.member.ETag))
	h.Set("Last-Modified", r.member.Modified.UTC().Format(http.TimeFormat))
}

func quoted(e store.ETag) string { return string(appendETag(nil, e)) }

// fresh evaluates the conditions of a read (RFC 9110 §13.2.2): true asks for
// 304.
func (x *exchange) fresh(r *resource) (bool, error) {
	h := x.r.Header
	if len(h["If-Match"]) > 0 {
		c := cond(http.Header{"If-Match": h["If-Match"]})
		if !holds(c, true, r.member) {
			return false, errPrecondition
		}
	}
	if none := dav.ParseETags(h["If-None-Match"]); none.Given {
		return none.Any || slices.Contains(none.Tags, r.member.ETag.String()), nil
	}
	if s := h.Get("If-Modified-Since"); s != "" {
		t, err := http.ParseTime(s)
		return err == nil && !r.member.Modified.Truncate(time.Second).After(t), nil // a bad date is no condition
	}
	return false, nil
}

// isCalendarType reports whether a media type is iCalendar, whatever its
// parameters.
func isCalendarType(ct string) bool {
	ct, _, _ = strings.Cut(ct, ";")
	return strings.EqualFold(strings.TrimSpace(ct), "text/calendar")
}

// getCalendar answers with a whole calendar as one iCalendar stream, as feed
// readers that were given the calendar's address expect.
func (x *exchange) getCalendar() error {
	var r *resource
	err := x.view(func(v *store.View) (err error) {
		r, err = x.readable(v)
		return err
	})
	if err != nil {
		return err
	}
	st, err := x.srv.Store.Stream(x.ctx, r.coll.ID, store.StreamOptions{})
	if err != nil {
		return err
	}
	h := x.w.Header()
	h.Set("Vary", "Accept-Encoding")
	zip := acceptsGzip(x.r.Header)
	none := dav.ParseETags(x.r.Header["If-None-Match"])
	known := none.Any || slices.ContainsFunc(none.Tags, func(t string) bool { return strings.TrimSuffix(t, "-gzip") == st.ETag })
	if !none.Given {
		t, err := http.ParseTime(x.r.Header.Get("If-Modified-Since"))
		known = err == nil && !st.Modified.Truncate(time.Second).After(t)
	}
	if known {
		x.describeStream(st, zip)
		return x.empty(http.StatusNotModified)
	}
	body, err := st.Body(x.ctx)
	if zip && err == nil {
		h.Set("Content-Encoding", "gzip")
		body, err = st.Gzip(x.ctx)
	}
	if err != nil {
		h.Del("Content-Encoding")
		return err
	}
	x.describeStream(st, zip)
	return x.send(http.StatusOK, calendarType, body)
}

// describeStream sets the validators; the compressed form is another
// representation, with another tag.
func (x *exchange) describeStream(st *store.Stream, zip bool) {
	tag := st.ETag
	if zip {
		tag += "-gzip"
	}
	x.w.Header().Set("ETag", `"`+tag+`"`)
	x.w.Header().Set("Last-Modified", st.Modified.UTC().Format(http.TimeFormat))
}

// acceptsGzip reads Accept-Encoding (RFC 9110 §12.5.3).
func acceptsGzip(h http.Header) bool {
	for part := range strings.SplitSeq(strings.Join(h["Accept-Encoding"], ","), ",") {
		name, q, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			weight, isWeight := strings.CutPrefix(strings.TrimSpace(q), "q=")
			v, err := strconv.ParseFloat(weight, 64)
			return !isWeight || err == nil && v > 0
		}
	}
	return false
}
