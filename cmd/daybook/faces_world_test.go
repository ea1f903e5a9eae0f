package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"daybook/api/auth"
)

// The tests of faces_*_test.go run one daemon, and look at the same facts
// through all its faces: as a calendar client does, over CalDAV; by the five
// contract APIs and the house's; and as a subscriber of a feed.

// TestRoundTripsBetweenFaces: REST → a calendar client's edit → REST, and a
// client's object → REST → the client, for every row of the mapping. After each
// step all faces say the same, and of the stored text nothing has changed but
// the lines that the step names. -rapid.checks=50 makes it thorough.
func TestRoundTripsBetweenFaces(t *testing.T) {
	w := openWorld(t)
	for _, x := range []struct {
		name string
		test func(*testing.T, *world)
	}{
		{"fields", everyFieldGoesRoundTheFaces},
		{"times", timesGoRoundTheFaces},
		{"blocks without end", blocksWithoutEndGoRoundTheFaces},
		{"language", languageGoesRoundTheFaces},
		{"identity", anObjectThatComesBackIsTheSame},
		{"series", seriesGoRoundTheFaces},
		{"membership", membershipGoesRoundTheFaces},
		{"the house's own calendar", theHousesOwnCalendarGoesRoundTheFaces},
		{"TimeTap's filters", timeTapsFiltersFollowAClient},
		{"Vastal's week", vastalsWeekGoesRoundTheFaces},
		{"FOLIO's calendars", folioCalendarsGoRoundTheFaces},
		{"nights of a clock change", nightsOfAClockChange},
	} {
		t.Run(x.name, func(t *testing.T) { x.test(t, w) })
	}
}

const facesFile = `organisations:
  - slug: demo
    id: 0197f3c2-0000-7000-8000-000000000001
    zone: Europe/Berlin
    users:
      - {name: user01, password: user01, grants: [admin]}
      - {name: user02, password: user02, grants: [write@ada, write@bob]}
    resources:
      - {id: 0197f3c2-0000-7000-8000-0000000000a1, kind: staff, name: ada, display_name: Ada, alias: 1, color: "#AA3355"}
      - {id: 0197f3c2-0000-7000-8000-0000000000a2, kind: staff, name: bob, alias: 2}
      - {id: 0197f3c2-0000-7000-8000-0000000000b1, kind: room, name: room-1, alias: 3}
      - {id: 0197f3c2-0000-7000-8000-0000000000c1, kind: area, name: pool, alias: 4}
      - {id: 0197f3c2-0000-7000-8000-0000000000d1, kind: service-point, name: desk, alias: 5}
    groups:
      - {name: floor, alias: 6, members: [room-1]}
    services:
      - {id: 0197f3c2-0000-7000-8000-0000000000e1, name: Massage, alias: 7, length: PT1H}
    tokens:
      - {id: demo-admin, secret: demo-admin-secret, kind: bearer, grants: [admin]}
      - {id: ONLIVEKEY1, secret: onlive-secret, kind: onlive, grants: [write]}
    feeds:
      - {secret: secret-of-ada-01, name: ada, calendar: ada, show: full, private: shown}
      - {secret: secret-of-demo-01, name: demo, calendar: demo, show: full}
      - {secret: secret-of-hours-01, name: hours, hours: demo}
`

// Ids of the file.
const (
	facesBob     = "0197f3c2-0000-7000-8000-0000000000a2"
	facesPool    = "0197f3c2-0000-7000-8000-0000000000c1"
	facesDesk    = "0197f3c2-0000-7000-8000-0000000000d1"
	facesMassage = "0197f3c2-0000-7000-8000-0000000000e1"
	facesFeed    = "/feeds/secret-of-ada-01/ada.ics"
)

// world is a daemon, and whoever asks it.
type world struct {
	rapid.TB
	url    string
	client *http.Client
	dirty  *bool // a case has left something
}

// openWorld starts a daemon with the demo data, whose organisation is always
// open.
func openWorld(t *testing.T) *world {
	t.Helper()
	data := t.TempDir()
	d := startDaemon(t, data)
	if r := commandIn(t, facesFile, data, "apply", "-"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 4}
	t.Cleanup(transport.CloseIdleConnections)
	return &world{t, d.URL, &http.Client{Transport: transport}, new(bool)}
}

// on gives the world for one case of a property: nothing is left of the last.
func (w *world) on(t rapid.TB) *world {
	out := *w
	out.TB = t
	before := *out.dirty
	if *out.dirty = true; !before {
		return &out
	}
	for _, owner := range []string{"ada", "bob", "room-1", "pool", "demo"} {
		p := out.phone(owner)
		for href := range p.tags {
			p.remove(href)
		}
	}
	return &out
}

// cases checks a property a few times; -rapid.checks asks for more.
func cases(t *testing.T, n int, prop func(*rapid.T)) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() == checks.DefValue {
		if testing.Short() {
			n *= 5 // rapid divides
		}
		before := checks.Value.String()
		_ = checks.Value.Set(strconv.Itoa(n)) // a number
		defer func() { _ = checks.Value.Set(before) }()
	}
	rapid.Check(t, prop)
}

// answered is the answer to a request.
type answered struct {
	*world
	asked  string
	status int
	header http.Header
	body   string
}

// send makes a request.
func (w *world) send(method, path, body string, header map[string]string) *answered {
	w.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return &answered{w, method + " " + path + " " + body, resp.StatusCode, resp.Header, string(b)}
}

// want checks the status.
func (a *answered) want(status ...int) *answered {
	a.Helper()
	if !slices.Contains(status, a.status) {
		a.Fatalf("%s: %d, want %v\n%s", a.asked, a.status, status, a.body)
	}
	return a
}

// json reads the body.
func (a *answered) json() any {
	a.Helper()
	var out any
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		a.Fatalf("%s: %v in %s", a.asked, err, a.body)
	}
	return out
}

// rest asks one of the APIs that take the token.
func (w *world) rest(method, path, body string) *answered {
	w.Helper()
	header := map[string]string{"Authorization": "Bearer " + demoToken, "X-Okapi-Tenant": "demo", "X-Okapi-Token": demoToken}
	if body != "" {
		header["Content-Type"] = "application/json"
	}
	return w.send(method, path, body, header)
}

// get asks one of them for what is there.
func (w *world) get(path string) any {
	w.Helper()
	return w.rest("GET", path, "").want(200).json()
}

// onlive asks Onlive's API.
func (w *world) onlive(method, path, body string) *answered {
	w.Helper()
	date := time.Now().UTC().Format("20060102T150405Z")
	bare, query, _ := strings.Cut(path, "?")
	signature, err := auth.Sign("onlive-secret", method, bare, query, date, []byte(body))
	if err != nil {
		w.Fatal(err)
	}
	return w.send(method, path, body, map[string]string{
		"Content-Type": "application/json", "X-Onlive-Site-Date": date,
		"Authorization": "ONLIVESITE Credential:ONLIVEKEY1, Signature=" + signature,
	})
}

// dig goes down into an answer: names of members, and numbers of lists.
func dig(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// list gives the members of a list.
func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// value reads JSON.
func value(t rapid.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err, text)
	}
	return v
}

func jsonOf(t rapid.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// --- the calendar client ---

// phone is a calendar client that keeps one calendar in sync.
type phone struct {
	*world
	path  string            // of the calendar
	token string            // of the last sync
	tags  map[string]string // href → ETag
}

// phone signs in to somebody's calendar.
func (w *world) phone(owner string) *phone {
	w.Helper()
	p := &phone{world: w, path: "/dav/calendars/" + owner + "/calendar/", tags: map[string]string{}}
	p.sync()
	return p
}

func (p *phone) dav(method, path, body string, header map[string]string) *answered {
	p.Helper()
	all := map[string]string{"Authorization": "Basic " + basic("user01", "user01")}
	maps.Copy(all, header)
	return p.send(method, path, body, all)
}

// multistatus is what of an answer to a REPORT the client reads.
type multistatus struct {
	Token     string `xml:"DAV: sync-token"`
	Responses []struct {
		Href   string `xml:"DAV: href"`
		Status string `xml:"DAV: status"`
		Tag    string `xml:"DAV: propstat>prop>getetag"`
		Data   string `xml:"propstat>prop>calendar-data"`
	} `xml:"DAV: response"`
}

func (p *phone) report(body, depth string) (out multistatus) {
	p.Helper()
	a := p.dav("REPORT", p.path, body, map[string]string{"Content-Type": "application/xml", "Depth": depth}).want(207)
	if err := xml.Unmarshal([]byte(a.body), &out); err != nil {
		p.Fatalf("%v in %s", err, a.body)
	}
	return out
}

// sync tells what has changed and what is gone since the last time, in order.
func (p *phone) sync() (changed, gone []string) {
	p.Helper()
	got := p.report(`<D:sync-collection xmlns:D="DAV:"><D:sync-token>`+p.token+`</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>`, "0")
	for _, r := range got.Responses {
		if strings.Contains(r.Status, "404") {
			gone = append(gone, r.Href)
			delete(p.tags, r.Href)
			continue
		}
		if p.tags[r.Href] != r.Tag {
			changed = append(changed, r.Href)
		}
		p.tags[r.Href] = r.Tag
	}
	p.token = got.Token
	slices.Sort(changed)
	slices.Sort(gone)
	return changed, gone
}

// learn syncs, expecting that one object has changed, and fetches it.
func (p *phone) learn(why string) (href, text string) {
	p.Helper()
	changed, gone := p.sync()
	if len(changed) != 1 || len(gone) != 0 {
		p.Fatalf("%s: the client is told of %v, and that %v are gone", why, changed, gone)
	}
	return changed[0], p.fetch(changed[0])
}

// fetch reads an object by GET and by REPORT, which must say the same.
func (p *phone) fetch(href string) string {
	p.Helper()
	a := p.dav("GET", href, "", nil).want(200)
	if tag := a.header.Get("ETag"); tag != p.tags[href] {
		p.Fatalf("%s has the ETag %s, the sync said %s", href, tag, p.tags[href])
	}
	got := p.report(`<C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/><C:calendar-data/></D:prop><D:href>`+href+`</D:href></C:calendar-multiget>`, "1")
	if len(got.Responses) != 1 || got.Responses[0].Tag != p.tags[href] || lf(got.Responses[0].Data) != lf(a.body) {
		p.Fatalf("multiget says %+v, GET %s", got, a.body)
	}
	return a.body
}

// lf makes line ends what XML makes of them.
func lf(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// put writes an object as the client has it in mind: under the ETag that it
// knows, or, when it knows none, as a new one. What is stored is what was sent.
func (p *phone) put(href, text string) {
	p.Helper()
	header := map[string]string{"Content-Type": "text/calendar; charset=utf-8", "If-None-Match": "*"}
	want := 201
	if tag, known := p.tags[href]; known {
		delete(header, "If-None-Match")
		header["If-Match"], want = tag, 204
	}
	a := p.dav("PUT", href, text, header).want(want)
	p.tags[href] = a.header.Get("ETag")
	if got := p.fetch(href); got != text {
		p.Fatalf("was sent\n%s\nis\n%s", text, got)
	}
	if changed, gone := p.sync(); len(changed)+len(gone) != 0 {
		p.Fatalf("after its own PUT the client is told of %v, %v", changed, gone)
	}
}

// remove deletes an object that the client knows.
func (p *phone) remove(href string) {
	p.Helper()
	p.dav("DELETE", href, "", map[string]string{"If-Match": p.tags[href]}).want(204)
	delete(p.tags, href)
}

// query gives the hrefs of the events in a span.
func (p *phone) query(from, to time.Time) (hrefs []string) {
	p.Helper()
	got := p.report(`<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">`+
		`<C:time-range start="`+stamp(from)+`" end="`+stamp(to)+`"/></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`, "1")
	for _, r := range got.Responses {
		hrefs = append(hrefs, r.Href)
	}
	return hrefs
}

// busy tells whether free-busy has any busy time in a span.
func (p *phone) busy(from, to time.Time) bool {
	p.Helper()
	a := p.dav("REPORT", p.path, `<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav"><C:time-range start="`+stamp(from)+`" end="`+stamp(to)+`"/></C:free-busy-query>`,
		map[string]string{"Content-Type": "application/xml", "Depth": "1"}).want(200)
	return strings.Contains(a.body, "\nFREEBUSY")
}

func stamp(t time.Time) string { return t.UTC().Format("20060102T150405Z") }
