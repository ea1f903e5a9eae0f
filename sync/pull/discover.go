package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/emersion/go-webdav"
	davclient "github.com/emersion/go-webdav/caldav"

	"daybook/sync/guard"
)

// wellKnown is where a server says where its calendars are (RFC 6764 §5).
const wellKnown = "/.well-known/caldav"

// peer gives the collection of the remote, which is looked for the first time.
func (j *job) peer(ctx context.Context) (*peer, error) {
	address, err := parse(j.access.URL)
	if err != nil {
		return nil, err
	}
	if j.state.Collection != "" {
		u, err := url.Parse(j.state.Collection)
		if err == nil && guard.Origin(u, address) {
			return &peer{j, u}, nil
		}
	}
	u, err := j.discover(ctx, address)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(u.Path, "/") {
		u = u.JoinPath("/")
	}
	j.state.Collection = u.String()
	j.forget()
	return &peer{j, u}, nil
}

// discover finds the calendar that an address means: itself, or the only one
// that is found from it as RFC 6764 §6 says.
func (j *job) discover(ctx context.Context, address *url.URL) (*url.URL, error) {
	at, first := j.probe(ctx, address)
	if first == nil {
		return at, nil
	}
	if f, ok := errors.AsType[*fault](first); !ok || f.kind == "login" {
		return nil, first
	}
	tries := []*url.URL{at, address.ResolveReference(&url.URL{Path: wellKnown}), address.ResolveReference(&url.URL{Path: "/"})}
	for _, from := range tries {
		if from == nil {
			continue
		}
		if from.Path == wellKnown {
			moved, err := j.probe(ctx, from)
			if moved == nil {
				if f, ok := errors.AsType[*fault](err); ok && f.kind == "login" {
					return nil, err
				}
				continue
			}
			from = moved
		}
		found, err := j.calendars(ctx, from)
		if err != nil {
			if f, ok := errors.AsType[*fault](err); ok && f.kind == "login" {
				return nil, err
			}
			continue
		}
		return j.only(from, found)
	}
	return nil, &fault{kind: "no_calendar", text: fmt.Sprintf("no calendar was found from the address: %v", first)}
}

// probe asks an address for its type. It gives the address that answered, also
// with the error that it is no calendar; nil when nothing did.
func (j *job) probe(ctx context.Context, u *url.URL) (*url.URL, error) {
	resp, err := j.davRequest(ctx, u, "PROPFIND", "0", xmlHead+`<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/></D:prop></D:propfind>`)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	at := *resp.Request.URL
	at.User = nil
	if resp.StatusCode != http.StatusMultiStatus {
		return nil, j.status(resp, "a PROPFIND")
	}
	if !guard.Origin(&at, u) && !strings.EqualFold(at.Hostname(), u.Hostname()) {
		// Credentials are not taken along to another host.
		return nil, &fault{kind: "redirect", text: "the calendars are at " + at.Scheme + "://" + at.Host + ": give that address"}
	}
	ms, err := readMultistatus(resp.Body, &at)
	if err != nil {
		return nil, err
	}
	for _, r := range ms.responses {
		if sameCollection(r.href, cleanHref(&at)) && r.found.Type.Calendar != nil {
			return &at, nil
		}
	}
	return &at, &fault{kind: "no_calendar", text: "there is no calendar at the address"}
}

// calendars lists those of the principal that an address leads to.
func (j *job) calendars(ctx context.Context, from *url.URL) ([]davclient.Calendar, error) {
	endpoint := *from
	client := webdav.HTTPClientWithBasicAuth(asClient{j}, j.access.User, j.access.Password)
	if j.access.User == "" && j.access.Password == "" {
		client = asClient{j}
	}
	c, err := davclient.NewClient(client, endpoint.String())
	if err != nil {
		return nil, &fault{kind: "refused", text: "the address cannot be read"}
	}
	principal, err := c.FindCurrentUserPrincipal(ctx)
	if err != nil {
		return nil, j.told(err, "its principal")
	}
	home, err := c.FindCalendarHomeSet(ctx, principal)
	if err != nil {
		return nil, j.told(err, "the calendar home")
	}
	list, err := c.FindCalendars(ctx, home)
	if err != nil {
		return nil, j.told(err, "the calendars")
	}
	return list, nil
}

// asClient is the guarded client as the library wants it. It keeps what the
// guard said, which the library wraps in words of its own.
type asClient struct{ j *job }

func (c asClient) Do(r *http.Request) (*http.Response, error) { return c.j.opt.Fetch.Do(r) }

// told makes an error of the library one that may be shown: it can hold what the
// server wrote.
func (j *job) told(err error, what string) error {
	if k := guard.Kind(err); k != "" {
		return err
	}
	f := &fault{kind: "no_calendar", text: "the server does not tell " + what}
	if strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "403") {
		f.kind, f.text = "login", "the server does not accept the credentials"
	}
	return f
}

// only picks the calendar when there is no choice.
func (j *job) only(from *url.URL, list []davclient.Calendar) (*url.URL, error) {
	var fits []davclient.Calendar
	for _, c := range list {
		ok := len(c.SupportedComponentSet) == 0
		for _, k := range c.SupportedComponentSet {
			ok = ok || contains(j.kinds(), k)
		}
		if ok {
			fits = append(fits, c)
		}
	}
	switch len(fits) {
	case 0:
		return nil, &fault{kind: "no_calendar", text: "the server has no calendar for this user"}
	case 1:
		return from.ResolveReference(&url.URL{Path: fits[0].Path}), nil
	}
	var b strings.Builder
	for i, c := range fits[:min(len(fits), 10)] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s (%s)", (&url.URL{Path: c.Path}).EscapedPath(), cut(c.Name))
	}
	return nil, &fault{kind: "no_calendar", text: "the server has several calendars; give the address of one: " + b.String()}
}
