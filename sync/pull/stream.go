package pull

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"

	"daybook/ical"
	"daybook/store"
	"daybook/sync/guard"
)

// stream pulls one iCalendar stream.
func (j *job) stream(ctx context.Context) error {
	a, err := j.get(ctx)
	if err != nil || a.same {
		return err
	}
	sum := sha256.Sum256(a.body)
	hint := hintOf(a.body, a.header)
	if bytes.Equal(sum[:], j.state.Sum) && j.state.Refused == 0 {
		j.accept(a, sum[:], hint)
		return nil
	}
	text, err := decode(a.body, a.header.Get("Content-Type"))
	if err != nil {
		return err
	}
	items, err := ical.Split(text, ical.StreamLimits)
	if err != nil {
		return &fault{kind: "no_calendar", text: fmt.Sprintf("the answer is no whole calendar: %v", err)}
	}
	if err := j.keepStream(ctx, items); err != nil {
		return err
	}
	j.accept(a, sum[:], hint)
	return nil
}

// answer is what a request for the stream gave.
type answer struct {
	same   bool // as the last one; then there is no more
	header http.Header
	body   []byte
	moved  *url.URL // where the stream is from now on; nil: where it was
}

// accept notes what a good answer says of itself, for the next request.
func (j *job) accept(a *answer, sum []byte, hint time.Duration) {
	j.state.Sum, j.state.Hint = sum, hint
	j.state.ETag, j.state.Modified = a.header.Get("Etag"), a.header.Get("Last-Modified")
	if to := a.moved; to != nil {
		access := j.access
		if was, err := parse(j.access.URL); err != nil || !guard.Origin(was, to) {
			access.User, access.Password = "", "" // they were meant for the other host, and were not needed
		}
		access.URL = to.String()
		j.moved = &access
	}
}

// get asks for the stream, if it has changed.
func (j *job) get(ctx context.Context) (*answer, error) {
	u, err := parse(j.access.URL)
	if err != nil {
		return nil, err
	}
	resp, err := j.ask(ctx, u)
	if err != nil && guessed(j.access.URL) && (errors.Is(err, guard.ErrTLS) || errors.Is(err, guard.ErrConnect)) {
		u.Scheme = "http"
		resp, err = j.ask(ctx, u)
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && (j.state.ETag != "" || j.state.Modified != ""):
		return &answer{same: true}, nil
	case resp.StatusCode != http.StatusOK:
		return nil, j.status(resp, "the request")
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if page(body) {
		return nil, &fault{kind: "no_calendar", text: "the answer is a web page, not a calendar; a sign-in may be asked for, or have expired"}
	}
	return &answer{header: resp.Header, body: body, moved: guard.Moved(resp)}, nil
}

func (j *job) ask(ctx context.Context, u *url.URL) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, &fault{kind: "refused", text: "the address cannot be read"}
	}
	r.Header.Set("Accept", "text/calendar, text/plain;q=0.8, */*;q=0.5")
	if j.access.User != "" || j.access.Password != "" {
		r.SetBasicAuth(j.access.User, j.access.Password)
	}
	if j.state.Refused == 0 { // what was refused may go in now
		if j.state.ETag != "" {
			r.Header.Set("If-None-Match", j.state.ETag)
		}
		if j.state.Modified != "" {
			r.Header.Set("If-Modified-Since", j.state.Modified)
		}
	}
	return j.opt.Fetch.Do(r)
}

// parse reads a remote's address. webcal is https with a word in front, and so
// is webcals.
func parse(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return nil, &fault{kind: "refused", text: "the address cannot be read"}
	}
	switch strings.ToLower(u.Scheme) {
	case "webcal", "webcals":
		u.Scheme = "https"
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	return u, nil
}

// guessed reports whether it was our guess that the address has TLS.
func guessed(address string) bool {
	scheme, _, _ := strings.Cut(strings.TrimSpace(address), ":")
	return strings.EqualFold(scheme, "webcal")
}

// HostOf gives of a remote's address what is no secret: scheme and host.
func HostOf(address string) string {
	u, err := parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// page reports whether the bytes are HTML or XML.
func page(b []byte) bool {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(b) > 0 && b[0] == '<'
}

// decode gives the text in UTF-8. What is valid UTF-8 is taken for it whatever
// the server says: many say what they do not know. What is not, and is not said
// to be anything, is Windows' Latin 1.
func decode(b []byte, contentType string) ([]byte, error) {
	if utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 {
		return b, nil
	}
	_, params, _ := mime.ParseMediaType(contentType)
	charset := strings.ToLower(params["charset"])
	switch charset {
	case "utf-8", "utf8":
		return b, nil // the objects that are not are refused one by one
	case "", "us-ascii":
		charset = "windows-1252"
	}
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil, &fault{kind: "no_calendar", text: "the answer is in a character set that is not known"}
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return nil, &fault{kind: "no_calendar", text: "the answer is not in the character set that it is said to be in"}
	}
	return out, nil
}

// hintOf gives how often the source wants to be asked: REFRESH-INTERVAL (RFC
// 7986 §5.7), X-PUBLISHED-TTL, or how long the answer is fresh (RFC 9111 §4.2);
// 0 when it does not say.
func hintOf(body []byte, h http.Header) time.Duration {
	head := body[:min(len(body), 16<<10)]
	for _, end := range []string{"\nBEGIN:VEVENT", "\nBEGIN:VTODO", "\nBEGIN:VTIMEZONE"} {
		if i := bytes.Index(head, []byte(end)); i >= 0 {
			head = head[:i]
		}
	}
	for _, name := range []string{"REFRESH-INTERVAL", "X-PUBLISHED-TTL"} {
		for line := range strings.Lines(string(head)) {
			if len(line) <= len(name) || !strings.EqualFold(line[:len(name)], name) {
				continue
			}
			_, value, _ := strings.Cut(line, ":")
			if days, exact, err := ical.ParseDuration(strings.TrimSpace(value)); err == nil {
				if d := time.Duration(min(days, 365))*24*time.Hour + exact; d > 0 {
					return d
				}
			}
		}
	}
	for part := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if strings.EqualFold(name, "max-age") {
			if n, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				return time.Duration(n) * time.Second
			}
		}
	}
	return 0
}

// keepStream makes the target hold what the stream has.
func (j *job) keepStream(ctx context.Context, items []ical.SplitItem) error {
	bases, err := j.bases(ctx)
	if err != nil {
		return err
	}
	plan := j.match(items, bases)
	known, gone := len(bases), 0
	for _, b := range plan.gone {
		if !plan.unwanted[b.Href] {
			gone++
		}
	}
	if err := j.tooMany(known, gone, "from the stream"); err != nil {
		return err
	}
	if err := j.apply(ctx, plan.writes); err != nil {
		return err
	}
	removals := make([]write, len(plan.gone))
	for i, b := range plan.gone {
		removals[i] = write{base: b, remove: true}
	}
	if err := j.apply(ctx, removals); err != nil {
		return err
	}
	j.state.Items = len(bases) + j.added - j.removed
	return nil
}

// streamPlan is what a stream asks for.
type streamPlan struct {
	writes   []write
	gone     []*store.Base
	unwanted map[string]bool // by UID: they are there, and filtered out
}

// match finds for each object of the stream the one that it was before: by UID,
// or, where the source makes new UIDs, by what it says.
func (j *job) match(items []ical.SplitItem, bases map[string]*store.Base) *streamPlan {
	plan := &streamPlan{unwanted: map[string]bool{}}
	left := maps.Clone(bases)
	all := string(j.settings()) != string(j.state.Settings)
	var fresh []write
	for i := range items {
		it := &items[i]
		b := left[it.UID]
		switch err := it.Err; {
		case err != nil:
			j.refuse(it.UID, err)
			delete(left, it.UID) // its last good version stays
			continue
		case !j.wants(it.Object):
			plan.unwanted[it.UID] = true
			continue
		}
		sum := it.Object.Content()
		if b == nil {
			fresh = append(fresh, write{object: it.Object, sum: sum[:], href: it.UID})
			continue
		}
		delete(left, it.UID)
		if all || !bytes.Equal(b.Sum, sum[:]) {
			plan.writes = append(plan.writes, write{object: it.Object, sum: sum[:], href: it.UID, base: b})
		}
	}
	said := map[string][]string{}
	for uid, b := range left {
		said[string(b.Sum)] = append(said[string(b.Sum)], uid)
	}
	for _, w := range fresh {
		if same := said[string(w.sum)]; len(same) > 0 {
			said[string(w.sum)] = same[1:]
			if all {
				w.base, w.keepUID = left[same[0]], true
				plan.writes = append(plan.writes, w)
			}
			delete(left, same[0])
			continue
		}
		plan.writes = append(plan.writes, w)
	}
	for _, b := range left {
		plan.gone = append(plan.gone, b)
	}
	return plan
}

// wants reports whether an object passes the remote's filters.
func (j *job) wants(o *ical.Object) bool {
	r := j.remote
	if !contains(j.kinds(), o.Kind()) {
		return false
	}
	if len(r.Categories) > 0 && !categorised(o, r.Categories) {
		return false
	}
	if r.PastDays == 0 && r.FutureDays == 0 {
		return true
	}
	x := o.Extent()
	if x.Undated {
		return true
	}
	today := j.now.Truncate(24 * time.Hour)
	if r.PastDays > 0 && x.Bounded && x.Last.Before(today.AddDate(0, 0, -r.PastDays)) {
		return false
	}
	return r.FutureDays == 0 || x.First.Before(today.AddDate(0, 0, r.FutureDays+1))
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}

func categorised(o *ical.Object, want []string) bool {
	for _, c := range o.Main() {
		for _, l := range c.All("CATEGORIES") {
			for _, have := range l.List() {
				if contains(want, strings.TrimSpace(have)) {
					return true
				}
			}
		}
	}
	return false
}
