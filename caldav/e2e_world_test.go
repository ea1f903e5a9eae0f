package caldav_test

import (
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/caldav"
	"daybook/ical"
	"daybook/store"
)

// world is a server over a store of its own, with the people of a small
// clinic:
//
//	ada     owns calendars; reads and writes the room
//	ben     may read ada's calendars, and the free-busy of the room
//	eve     of the same organisation, may nothing
//	room-1  a resource
type world struct {
	t     failer
	store *store.Store
	http  *httptest.Server
	// client follows no redirects.
	client *http.Client
}

// failer is what a test needs to fail; testing.TB and rapid.T have it.
type failer interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// nobody makes requests without credentials.
const nobody = ""

const secretOf = "-long-enough-secret"

// noon is when it always is in the tests.
var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

func newWorld(t testing.TB) *world {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{
		Path:   filepath.Join(t.TempDir(), "daybook.db"),
		Create: true,
		Now:    func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: s}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w.update(w.settle)
	w.http = httptest.NewServer(caldav.New(caldav.Options{
		Store:  s,
		Now:    func() time.Time { return noon },
		Object: ical.Limits{Bytes: 1 << 20},
	}))
	t.Cleanup(w.http.Close)
	w.client = &http.Client{Transport: &http.Transport{DisableCompression: true}}
	t.Cleanup(w.client.CloseIdleConnections)
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return w
}

// settle makes the principals and what they may.
func (w *world) settle(tx *store.Tx) error {
	org := &store.Principal{Kind: store.KindOrganisation, Name: "demo", DisplayName: "Demo Clinic", Zone: "Europe/Berlin"}
	if err := tx.CreatePrincipal(org); err != nil {
		return err
	}
	made := map[string]store.PrincipalID{}
	for _, p := range []*store.Principal{
		{Kind: store.KindUser, Name: "ada", DisplayName: "Ada Noor", Email: "ada@example.com"},
		{Kind: store.KindUser, Name: "ben", DisplayName: "Ben Okri", Email: "ben@example.com"},
		{Kind: store.KindUser, Name: "eve", DisplayName: "Eve Lund"},
		{Kind: store.KindRoom, Name: "room-1", DisplayName: "Room 1", Color: "#3B82F6"},
	} {
		p.Org = org.ID
		if err := tx.CreatePrincipal(p); err != nil {
			return err
		}
		made[p.Name] = p.ID
		if p.Kind != store.KindUser {
			continue
		}
		c := &store.Credential{ID: p.Name, Kind: store.CredentialApp, Org: org.ID, Principal: p.ID}
		if err := tx.PutCredential(c, p.Name+secretOf); err != nil {
			return err
		}
	}
	for _, g := range []struct {
		who, target string
		rights      store.Rights
	}{
		{"ben", "ada", store.RightRead},
		{"ada", "room-1", store.RightWrite},
		{"ben", "room-1", store.RightFreeBusy},
	} {
		if err := tx.SetGrant(made[g.who], made[g.target], g.rights); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) update(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// answer is a response with its body read.
type answer struct {
	t       failer
	request string
	code    int
	header  http.Header
	body    string
}

// do sends a request as a user; headers are "Name: value".
func (w *world) do(user, method, path, body string, headers ...string) *answer {
	w.t.Helper()
	req, err := http.NewRequest(method, w.http.URL, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	// As it is: what a client writes is not to be cleaned on its way.
	req.URL.Opaque = "//" + req.URL.Host + path
	if user != nobody {
		req.SetBasicAuth(user, user+"."+user+secretOf)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return &answer{t: w.t, request: method + " " + path, code: resp.StatusCode, header: resp.Header, body: string(text)}
}

// put stores an object as ada and gives its ETag.
func (w *world) put(path, text string) string {
	w.t.Helper()
	return w.do("ada", "PUT", path, text, "Content-Type: text/calendar; charset=utf-8").want(201, 204).header.Get("ETag")
}

// want fails unless the status is one of these.
func (a *answer) want(codes ...int) *answer {
	a.t.Helper()
	if !slices.Contains(codes, a.code) {
		a.t.Fatalf("%s: %d, want %v\n%s", a.request, a.code, codes, a.body)
	}
	return a
}

// precondition fails unless the answer is an error of exactly this element.
func (a *answer) precondition(code int, space, local string) {
	a.t.Helper()
	a.want(code)
	root := a.xml()
	if root.XMLName != (xml.Name{Space: nsDAV, Local: "error"}) || len(root.Nodes) != 1 || root.Nodes[0].XMLName != (xml.Name{Space: space, Local: local}) {
		a.t.Errorf("%s: not D:error with %s alone:\n%s", a.request, local, a.body)
	}
}

const (
	nsDAV   = "DAV:"
	nsCal   = "urn:ietf:params:xml:ns:caldav"
	nsCS    = "http://calendarserver.org/ns/"
	nsApple = "http://apple.com/ns/ical/"
)

// node is any XML element.
type node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Nodes   []node     `xml:",any"`
}

// find goes down by local names; nil if there is no such element.
func (n *node) find(path ...string) *node {
	for _, name := range path {
		if n == nil {
			return nil
		}
		var next *node
		for i := range n.Nodes {
			if n.Nodes[i].XMLName.Local == name {
				next = &n.Nodes[i]
				break
			}
		}
		n = next
	}
	return n
}

// all gives the children of the local name.
func (n *node) all(name string) []*node {
	if n == nil {
		return nil
	}
	var out []*node
	for i := range n.Nodes {
		if n.Nodes[i].XMLName.Local == name {
			out = append(out, &n.Nodes[i])
		}
	}
	return out
}

// text gives the character data of an element, "" of none.
func (n *node) text() string {
	if n == nil {
		return ""
	}
	return n.Text
}

func (a *answer) xml() *node {
	a.t.Helper()
	var root node
	if err := xml.Unmarshal([]byte(a.body), &root); err != nil {
		a.t.Fatalf("%s: %v\n%s", a.request, err, a.body)
	}
	return &root
}

// resource is one D:response.
type resource struct {
	status string           // of the response itself, "" with propstats
	props  map[string]*node // what was found, by local name
	lacks  map[string]bool  // what was not
}

// multistatus is a 207 by href.
type multistatus struct {
	hrefs     []string
	resources map[string]*resource
	token     string
}

func (a *answer) multistatus() *multistatus {
	a.t.Helper()
	root := a.want(207).xml()
	if root.XMLName != (xml.Name{Space: nsDAV, Local: "multistatus"}) {
		a.t.Fatalf("%s: no multistatus\n%s", a.request, a.body)
	}
	m := &multistatus{resources: map[string]*resource{}, token: root.find("sync-token").text()}
	for _, r := range root.all("response") {
		href := r.find("href").text()
		if m.resources[href] != nil {
			a.t.Errorf("%s: %s is answered twice", a.request, href)
		}
		m.hrefs = append(m.hrefs, href)
		m.resources[href] = a.resource(r)
	}
	return m
}

func (a *answer) resource(r *node) *resource {
	a.t.Helper()
	out := &resource{status: r.find("status").text(), props: map[string]*node{}, lacks: map[string]bool{}}
	if out.status != "" && !strings.HasPrefix(out.status, "HTTP/1.1 ") {
		a.t.Errorf("%s: status %q", a.request, out.status)
	}
	for _, ps := range r.all("propstat") {
		status := ps.find("status").text()
		if !strings.HasPrefix(status, "HTTP/1.1 ") || len(strings.Fields(status)) < 3 {
			a.t.Errorf("%s: status %q", a.request, status)
		}
		props := ps.find("prop")
		if props == nil {
			a.t.Fatalf("%s: propstat without prop", a.request)
		}
		for i := range props.Nodes {
			n := &props.Nodes[i]
			if strings.Contains(status, " 200 ") {
				out.props[n.XMLName.Local] = n
			} else {
				out.lacks[n.XMLName.Local] = true
			}
		}
	}
	return out
}

// at gives the resource of an href, which must be there.
func (m *multistatus) at(t failer, href string) *resource {
	t.Helper()
	if r := m.resources[href]; r != nil {
		return r
	}
	t.Fatalf("%s is not in the answer, only %v", href, m.hrefs)
	return nil
}

// text gives the text of a property that was found.
func (r *resource) text(name string) string { return r.props[name].text() }

// event makes an event of an hour.
func event(uid, start, summary string, more ...string) string {
	return calendar("BEGIN:VEVENT", "UID:"+uid, "DTSTAMP:20260101T000000Z", "DTSTART:"+start, "DURATION:PT1H", "SUMMARY:"+summary,
		strings.Join(append(more, "END:VEVENT"), "\r\n"))
}

func calendar(lines ...string) string {
	all := append([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//daybook//test//EN"}, lines...)
	return strings.Join(append(all, "END:VCALENDAR", ""), "\r\n")
}

// propfind makes a PROPFIND body; names are prefixed D:, C:, CS: or A:.
func propfind(names ...string) string {
	return `<?xml version="1.0" encoding="utf-8"?><D:propfind ` + namespaces + `><D:prop>` + elements(names) + `</D:prop></D:propfind>`
}

const namespaces = `xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/" xmlns:A="http://apple.com/ns/ical/"`

func elements(names []string) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteString("<" + n + "/>")
	}
	return b.String()
}
