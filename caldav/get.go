package caldav

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"daybook/caldav/dav"
	"daybook/ical"
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
	f := wanted(x.r.Header)
	err := x.view(func(v *store.View) (err error) {
		if r, err = x.resolve(v, x.target); err != nil {
			return err
		}
		if err = x.require(r, store.RightRead); err != nil {
			return err
		}
		if fresh, err = x.fresh(r, f); err != nil || fresh {
			return err
		}
		r.body, err = v.Data(r.member.Object)
		return err
	})
	if err != nil {
		return err
	}
	if fresh {
		x.describe(r.member, f)
		return x.empty(http.StatusNotModified)
	}
	return x.sendObject(http.StatusOK, r.member, r.body)
}

// fresh evaluates the conditions of a read (RFC 9110 §13.2.2): true asks for
// 304.
func (x *exchange) fresh(r *resource, f form) (bool, error) {
	h := x.r.Header
	if len(h["If-Match"]) > 0 {
		c := cond(http.Header{"If-Match": h["If-Match"]})
		if !holds(c, true, r.member) {
			return false, errPrecondition
		}
	}
	if none := dav.ParseETags(h["If-None-Match"]); none.Given {
		return none.Any || slices.Contains(none.Tags, r.member.ETag.String()+f.suffix()), nil
	}
	if s := h.Get("If-Modified-Since"); s != "" {
		t, err := http.ParseTime(s)
		return err == nil && !r.member.Modified.Truncate(time.Second).After(t), nil // a bad date is no condition
	}
	return false, nil
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
	st, err := x.srv.Store.Stream(x.ctx, r.coll.ID, store.StreamOptions{Private: ical.PrivateShown})
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
	coding := store.CodingNone
	if zip {
		coding = store.CodingGzip
	}
	text, err := st.Content(x.ctx, coding)
	if err != nil {
		return err
	}
	if zip {
		h.Set("Content-Encoding", "gzip")
	}
	x.describeStream(st, zip)
	return x.sendParts(http.StatusOK, calendarType, text.Size, text.Parts)
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
			return weightOf(q) > 0
		}
	}
	return false
}
