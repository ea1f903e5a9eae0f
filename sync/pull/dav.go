package pull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"daybook/sync/guard"
)

// peer is a CalDAV collection elsewhere.
type peer struct {
	j   *job
	url *url.URL // of the collection, with a slash at its end
}

const (
	// chunk is how many objects one multiget asks for.
	chunk = 50
	// maxPages bounds the parts in which a listing is given.
	maxPages = 10_000

	xmlHead = `<?xml version="1.0" encoding="utf-8"?>` + "\n"
)

// request sends a request to a member, or with "" to the collection itself.
func (p *peer) request(ctx context.Context, method, href, depth, body string, headers ...string) (*http.Response, error) {
	u := *p.url
	if href != "" {
		at, err := u.Parse(href)
		if err != nil || !guard.Origin(at, p.url) {
			return nil, &fault{kind: "answer", text: "the server names a member on another server"}
		}
		u = *at
	}
	return p.j.davRequest(ctx, &u, method, depth, body, headers...)
}

func (j *job) davRequest(ctx context.Context, u *url.URL, method, depth, body string, headers ...string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, &fault{kind: "refused", text: "the address cannot be read"}
	}
	if j.access.User != "" || j.access.Password != "" {
		r.SetBasicAuth(j.access.User, j.access.Password)
	}
	if depth != "" {
		r.Header.Set("Depth", depth)
	}
	if strings.HasPrefix(body, "<?xml") {
		r.Header.Set("Content-Type", "application/xml; charset=utf-8")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return j.opt.Fetch.Do(r)
}

// multi sends a request whose answer is a multistatus.
func (p *peer) multi(ctx context.Context, method, depth, body string) (*multistatus, error) {
	resp, err := p.request(ctx, method, "", depth, body)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusMultiStatus {
		return nil, p.j.status(resp, "a "+method)
	}
	return readMultistatus(resp.Body, p.url)
}

// marks asks for what tells whether anything is new.
func (p *peer) marks(ctx context.Context) (*davProp, error) {
	ms, err := p.multi(ctx, "PROPFIND", "0", xmlHead+`<D:propfind xmlns:D="DAV:" xmlns:S="http://calendarserver.org/ns/"><D:prop>`+
		`<D:resourcetype/><D:sync-token/><S:getctag/></D:prop></D:propfind>`)
	if err != nil {
		return nil, err
	}
	for _, r := range ms.responses {
		if sameCollection(r.href, cleanHref(p.url)) {
			if r.found.Type.Calendar == nil {
				break
			}
			return &r.found, nil
		}
	}
	return nil, &fault{kind: "no_calendar", text: "there is no calendar at the address any more"}
}

func sameCollection(a, b string) bool {
	return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}

// news is what a collection has to tell.
type news struct {
	nothing bool
	full    bool              // changed is all that is there
	changed map[string]string // href → ETag
	gone    map[string]bool   // href, where the server says so
	token   string
	ctag    string
}

// ask finds out what has changed: by sync-token (RFC 6578), or by ctag and a
// listing where the server has none or does not know ours any more.
func (p *peer) ask(ctx context.Context) (*news, error) {
	st := &p.j.state
	marks, err := p.marks(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case marks.Token != "" && marks.Token == st.SyncToken, marks.Token == "" && marks.CTag != "" && marks.CTag == st.CTag:
		return &news{nothing: true, token: marks.Token, ctag: marks.CTag}, nil
	case marks.Token == "":
		return p.list(ctx, marks)
	}
	n, err := p.changes(ctx, st.SyncToken)
	if f, ok := errors.AsType[*fault](err); ok && f.kind != "answer" && st.SyncToken != "" {
		n, err = p.changes(ctx, "") // the token is too old, or of before a restore
	}
	if f, ok := errors.AsType[*fault](err); ok && (f.kind == "status" || f.kind == "login") {
		return p.list(ctx, marks) // it has tokens, and no report for them
	}
	return n, err
}

// changes asks by sync-token; "" for everything.
func (p *peer) changes(ctx context.Context, token string) (*news, error) {
	n := &news{full: token == "", changed: map[string]string{}, gone: map[string]bool{}, token: token}
	for range maxPages {
		ms, err := p.multi(ctx, "REPORT", "0", xmlHead+`<D:sync-collection xmlns:D="DAV:"><D:sync-token>`+xmlText(n.token)+
			`</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/><D:resourcetype/></D:prop></D:sync-collection>`)
		if err != nil {
			return nil, err
		}
		more := false
		for _, r := range ms.responses {
			switch {
			case sameCollection(r.href, cleanHref(p.url)):
				more = more || r.status == http.StatusInsufficientStorage // RFC 6578 §3.6
			case r.status == http.StatusNotFound || r.status == http.StatusGone:
				delete(n.changed, r.href)
				n.gone[r.href] = true
			case r.status != 0 && r.status != http.StatusOK:
				return nil, &fault{kind: "answer", text: fmt.Sprintf("the server cannot tell of a member: %d", r.status)}
			case r.found.Type.Collection == nil:
				delete(n.gone, r.href)
				n.changed[r.href] = r.found.ETag
			}
		}
		if ms.token == "" {
			return nil, &fault{kind: "answer", text: "the answer has no sync-token"}
		}
		if !more {
			n.token = ms.token
			return n, nil
		}
		if ms.token == n.token {
			break
		}
		n.token = ms.token
	}
	return nil, &fault{kind: "answer", text: "the listing of changes does not end"}
}

// list asks for the ETags of all members.
func (p *peer) list(ctx context.Context, marks *davProp) (*news, error) {
	ms, err := p.multi(ctx, "PROPFIND", "1", xmlHead+`<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/><D:resourcetype/></D:prop></D:propfind>`)
	if err != nil {
		return nil, err
	}
	n := &news{full: true, changed: map[string]string{}, ctag: marks.CTag}
	for _, r := range ms.responses {
		switch {
		case sameCollection(r.href, cleanHref(p.url)) || r.found.Type.Collection != nil || r.status == http.StatusNotFound:
		case r.status != 0 && r.status != http.StatusOK:
			return nil, &fault{kind: "answer", text: fmt.Sprintf("the server cannot tell of a member: %d", r.status)}
		default:
			n.changed[r.href] = r.found.ETag
		}
	}
	return n, nil
}

// member is an object as the other side has it.
type member struct {
	href, etag string
	data       []byte
}

// fetch reads members; those that are gone since, and those that the server
// leaves out, are not in the answer.
func (p *peer) fetch(ctx context.Context, hrefs []string) (map[string]*member, error) {
	out := make(map[string]*member, len(hrefs))
	for len(hrefs) > 0 {
		n := min(chunk, len(hrefs))
		var b strings.Builder
		b.WriteString(xmlHead + `<C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/><C:calendar-data/></D:prop>`)
		for _, h := range hrefs[:n] {
			b.WriteString("<D:href>" + xmlText(h) + "</D:href>")
		}
		b.WriteString("</C:calendar-multiget>")
		ms, err := p.multi(ctx, "REPORT", "1", b.String())
		if err != nil {
			return nil, err
		}
		for _, r := range ms.responses {
			if r.found.Data != "" {
				out[r.href] = &member{r.href, r.found.ETag, calendarText(r.found.Data)}
			}
		}
		hrefs = hrefs[n:]
	}
	return out, nil
}

// errChanged tells that a member is not as it was when it was last seen.
var errChanged = errors.New("changed since it was read")

// send writes a member and gives its new ETag, "" when the server does not say
// it or may have changed the data (RFC 4791 §5.3.4). etag is the one that it must
// have; "" for a new one. errChanged.
func (p *peer) send(ctx context.Context, href, etag string, data []byte) (string, error) {
	cond := []string{"If-None-Match", "*"}
	if etag != "" {
		cond = []string{"If-Match", etag}
	}
	resp, err := p.request(ctx, http.MethodPut, href, "", string(data), append(cond, "Content-Type", "text/calendar; charset=utf-8")...)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated, http.StatusNoContent:
		if tag := resp.Header.Get("Etag"); !strings.HasPrefix(tag, "W/") {
			return tag, nil
		}
		return "", nil
	case http.StatusPreconditionFailed:
		return "", errChanged
	}
	return "", p.j.status(resp, "a PUT")
}

// remove deletes a member that has the ETag. One that is gone already is fine.
func (p *peer) remove(ctx context.Context, href, etag string) error {
	var cond []string
	if etag != "" {
		cond = []string{"If-Match", etag}
	}
	resp, err := p.request(ctx, http.MethodDelete, href, "", "", cond...)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // as above
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent, http.StatusNotFound, http.StatusGone:
		return nil
	case http.StatusPreconditionFailed:
		return errChanged
	}
	return p.j.status(resp, "a DELETE")
}
