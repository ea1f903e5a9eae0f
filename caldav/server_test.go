package caldav

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybook/caldav/dav"
	"daybook/store"
)

// world is a server over a store in a file: an organisation demo with the
// users ann and bob, the staff member ada whom ann may write and bob may not
// see, and the room hall of which ann may read and bob may read busy time.
type world struct {
	t     *testing.T
	srv   *Server
	store *store.Store
	ids   map[string]store.PrincipalID
}

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	w := newWorldIn(t, t.TempDir(), change...)
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// newWorldIn leaves the store open.
func newWorldIn(t *testing.T, dir string, change ...func(*Options)) *world {
	t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{Path: filepath.Join(dir, "daybook.db"), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: s, ids: make(map[string]store.PrincipalID)}
	hash, err := store.HashPassword("secret")
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(ctx, func(tx *store.Tx) error {
		org := &store.Principal{Kind: store.KindOrganisation, Name: "demo", DisplayName: "Demo", Zone: "Europe/Berlin"}
		if err := tx.CreatePrincipal(org); err != nil {
			return err
		}
		for _, p := range []*store.Principal{
			{Kind: store.KindUser, Name: "ann", DisplayName: "Ann", Email: "ann@example.com"},
			{Kind: store.KindUser, Name: "bob", DisplayName: "Bob", Email: "bob@example.com"},
			{Kind: store.KindStaff, Name: "ada", DisplayName: "Ada Noor", Color: "#3B82F6"},
			{Kind: store.KindRoom, Name: "hall", DisplayName: "Hall"},
		} {
			p.Org = org.ID
			if err := tx.CreatePrincipal(p); err != nil {
				return err
			}
			w.ids[p.Name] = p.ID
			if p.Kind == store.KindUser {
				if err := tx.SetPassword(p.ID, hash); err != nil {
					return err
				}
			}
		}
		for _, g := range []struct {
			who, what string
			r         store.Rights
		}{{"ann", "ada", store.RightWrite}, {"ann", "hall", store.RightRead}, {"bob", "hall", store.RightFreeBusy}} {
			if err := tx.SetGrant(w.ids[g.who], w.ids[g.what], g.r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Store: s, Now: func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) }}
	for _, c := range change {
		c(&o)
	}
	w.srv = New(o)
	return w
}

// reply is an answer, read.
type reply struct {
	t      *testing.T
	code   int
	header http.Header
	body   string
}

// as sends a request; headers are "Name: value".
func (w *world) as(user, method, path, body string, headers ...string) *reply {
	w.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if user != "" {
		r.SetBasicAuth(user, "secret")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	w.srv.ServeHTTP(rec, r)
	res := rec.Result()
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if res.StatusCode == http.StatusInternalServerError {
		w.t.Errorf("%s %s is a server error", method, path)
	}
	return &reply{w.t, res.StatusCode, res.Header, string(text)}
}

func (w *world) ann(method, path, body string, headers ...string) *reply {
	w.t.Helper()
	return w.as("ann", method, path, body, headers...)
}

func (r *reply) is(code int) *reply {
	r.t.Helper()
	if r.code != code {
		r.t.Errorf("status is %d, not %d\n%s", r.code, code, r.body)
	}
	return r
}

// has checks that the body holds all of the texts.
func (r *reply) has(texts ...string) *reply {
	r.t.Helper()
	for _, s := range texts {
		if !strings.Contains(r.body, s) {
			r.t.Errorf("answer %d lacks %q\n%s", r.code, s, r.body)
		}
	}
	return r
}

func (r *reply) lacks(texts ...string) *reply {
	r.t.Helper()
	for _, s := range texts {
		if strings.Contains(r.body, s) {
			r.t.Errorf("answer %d has %q\n%s", r.code, s, r.body)
		}
	}
	return r
}

// refuses checks for status 403 with exactly this precondition.
func (r *reply) refuses(name string) *reply {
	r.t.Helper()
	r.is(http.StatusForbidden)
	root, err := dav.Parse([]byte(r.body), dav.Limits{})
	if err != nil {
		r.t.Errorf("the body is no XML: %v\n%s", err, r.body)
		return r
	}
	if !root.Is(dav.D("error")) || len(root.Children) != 1 || root.Children[0].Name.Local != name {
		r.t.Errorf("the precondition is not %s\n%s", name, r.body)
	}
	return r
}

const ns = ` xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/" xmlns:I="http://apple.com/ns/ical/"`

func propfind(props string) string {
	return `<D:propfind` + ns + `><D:prop>` + props + `</D:prop></D:propfind>`
}

func event(uid, start, end string, more ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:" + uid +
		"\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:" + start + "\r\nDTEND:" + end + "\r\nSUMMARY:" + uid + "\r\n" +
		strings.Join(more, "") + "END:VEVENT\r\nEND:VCALENDAR\r\n"
}

const (
	home = "/dav/calendars/ann/"
	cal  = home + "calendar/"
)

func (w *world) put(path, data string) string {
	w.t.Helper()
	r := w.ann("PUT", path, data, "Content-Type: text/calendar; charset=utf-8")
	if r.code != http.StatusCreated && r.code != http.StatusNoContent {
		w.t.Errorf("PUT %s: %d\n%s", path, r.code, r.body)
	}
	return r.header.Get("ETag")
}

func (w *world) fill(n int) {
	w.t.Helper()
	for i := range n {
		day := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).AddDate(0, 0, i)
		w.put(fmt.Sprintf("%se%04d.ics", cal, i),
			event(fmt.Sprintf("e%04d", i), day.Format("20060102T150405Z"), day.Add(time.Hour).Format("20060102T150405Z")))
	}
}

func TestAnonymousIsAskedToSignInEverywhere(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/principals/", "/dav/", "/dav/principals/ann/", home, cal, cal + "missing.ics", "/dav/nowhere", "/dav/calendars/nobody/x/"} {
		for _, method := range []string{"OPTIONS", "PROPFIND", "GET", "PUT", "REPORT", "DELETE", "BREW"} {
			r := w.as("", method, path, "").is(http.StatusUnauthorized)
			if got := r.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, `Basic realm="Daybook"`) {
				t.Errorf("%s %s: %q", method, path, got)
			}
		}
	}
}

// After 301 python-requests repeats a PROPFIND without its body, and no
// principal is found.
func TestWellKnownRedirectKeepsMethodAndBody(t *testing.T) {
	w := newWorld(t)
	for _, method := range []string{"GET", "PROPFIND", "OPTIONS"} {
		for _, path := range []string{WellKnown, WellKnown + "/"} {
			r := w.as("", method, path, "", "X-Forwarded-Proto: https").is(http.StatusTemporaryRedirect)
			if got := r.header.Get("Location"); got != "http://example.com/dav/" {
				t.Errorf("%s %s goes to %s", method, path, got)
			}
		}
	}
}

func TestAddressesFollowATrustedProxy(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.TrustProxy = true })
	proxy := []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: cal.example.org", "X-Forwarded-Prefix: /sub"}
	r := w.as("", "PROPFIND", WellKnown, "", proxy...)
	if got := r.header.Get("Location"); got != "https://cal.example.org/sub/dav/" {
		t.Errorf("goes to %s", got)
	}
	w.ann("PROPFIND", "/dav/", propfind("<D:current-user-principal/>"), append(proxy, "Depth: 0")...).is(207).
		has("<D:href>/sub/dav/</D:href>", "<D:href>/sub/dav/principals/ann/</D:href>")
	w.put(cal+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z"))
	w.ann("MOVE", cal+"a.ics", "", append(proxy, "Destination: https://cal.example.org/sub"+cal+"b.ics")...).is(201)
	w.ann("REPORT", cal, `<C:calendar-multiget`+ns+`><D:prop><D:getetag/></D:prop><D:href>/sub`+cal+`b.ics</D:href></C:calendar-multiget>`, proxy...).
		has("200 OK", "/sub"+cal+"b.ics").lacks("404 Not Found")
}

func TestDiscovery(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/principals/", "/dav/", "/dav/principals/", "/dav/principals/ann/", home, cal} {
		w.ann("PROPFIND", path, propfind("<D:current-user-principal/>"), "Depth: 0").is(207).
			has("<D:href>"+path+"</D:href>", "<D:current-user-principal><D:href>/dav/principals/ann/</D:href>")
		r := w.ann("OPTIONS", path, "").is(200)
		if got := r.header.Get("DAV"); got != "1, 3, access-control, calendar-access, extended-mkcol, calendar-no-timezone" {
			t.Errorf("%s offers %s", path, got)
		}
	}
	w.ann("PROPFIND", "/dav/principals/ann/", propfind("<C:calendar-home-set/><C:calendar-user-address-set/>"), "Depth: 0").
		has("<C:calendar-home-set><D:href>"+home+"</D:href>", ">mailto:ann@example.com<")
}

func TestHomeListsOwnAndReadableCalendars(t *testing.T) {
	w := newWorld(t)
	r := w.ann("PROPFIND", home, propfind("<D:resourcetype/><D:displayname/><D:current-user-privilege-set/><I:calendar-color/>"), "Depth: 1").is(207).
		has("<D:href>"+cal+"</D:href>", "<D:href>"+home+"ada~shared/</D:href>", "<D:href>"+home+"hall~shared/</D:href>", "Ada Noor", "#3B82F6FF")
	if n := strings.Count(r.body, "<C:calendar/>"); n != 3 {
		t.Errorf("%d calendars are listed", n)
	}
	w.as("bob", "PROPFIND", "/dav/calendars/bob/", propfind("<D:resourcetype/>"), "Depth: 1").lacks("ada", "hall")
}

func TestSharedAddressIsTheSameCalendar(t *testing.T) {
	w := newWorld(t)
	w.put(home+"ada~shared/x.ics", event("x", "20260301T100000Z", "20260301T110000Z"))
	ask := propfind("<D:getetag/><D:sync-token/><D:resource-id/>")
	a := w.ann("PROPFIND", home+"ada~shared/", ask, "Depth: 1").is(207)
	b := w.ann("PROPFIND", "/dav/calendars/ada/calendar/", ask, "Depth: 1").is(207)
	if strings.ReplaceAll(a.body, home+"ada~shared/", "/dav/calendars/ada/calendar/") != b.body {
		t.Errorf("%s\n%s", a.body, b.body)
	}
	w.ann("PUT", home+"hall~shared/x.ics", event("x", "20260301T100000Z", "20260301T110000Z")).refuses("need-privileges")
	w.ann("DELETE", home+"ada~shared/", "").is(403)
	w.ann("MKCALENDAR", home+"new~shared/", "").refuses("calendar-collection-location-ok")
}

func TestNothingTellsWhatIsHidden(t *testing.T) {
	w := newWorld(t)
	w.put(cal+"there.ics", event("there", "20260301T100000Z", "20260301T110000Z"))
	for _, method := range []string{"OPTIONS", "GET", "PUT", "DELETE", "PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "COPY", "MOVE", "POST"} {
		var first *reply
		for _, path := range []string{"/dav/calendars/nobody/calendar/", home, cal, cal + "there.ics", cal + "missing.ics", home + "missing/", "/dav/calendars/ada/calendar/x.ics", home + "a/b/c/d"} {
			if (method == "COPY" || method == "MOVE") && !strings.HasSuffix(path, ".ics") {
				continue
			}
			body := ""
			switch method {
			case "PROPFIND":
				body = propfind("<D:getetag/>")
			case "PROPPATCH":
				body = `<D:propertyupdate` + ns + `><D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set></D:propertyupdate>`
			case "REPORT":
				body = `<D:sync-collection` + ns + `><D:sync-level>1</D:sync-level><D:sync-token/></D:sync-collection>`
			}
			r := w.as("bob", method, path, body, "Depth: 0", "Destination: /dav/calendars/bob/calendar/x.ics").is(403)
			if first == nil {
				first = r
			}
			if r.body != first.body || r.header.Get("Allow") != first.header.Get("Allow") {
				t.Errorf("%s %s differs: %s", method, path, r.body)
			}
		}
	}
	for _, path := range []string{"/dav/principals/nobody/", "/dav/principals/ann/"} {
		w.as("bob", "PROPFIND", path, propfind("<D:displayname/>"), "Depth: 0").is(404)
	}
}

func TestTablesHaveEachNameOnce(t *testing.T) {
	s := New(Options{})
	if len(s.byName) != len(s.props) {
		t.Errorf("%d names for %d properties", len(s.byName), len(s.props))
	}
	if len(s.reports) != len(s.ordered) {
		t.Errorf("%d names for %d reports", len(s.reports), len(s.ordered))
	}
	for _, p := range s.props {
		if p.on == 0 || p.get == nil {
			t.Errorf("%v is on nothing", p.name)
		}
	}
}

func TestPanicIsAnswered(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Free = func() (int64, bool) { panic("free") } })
	r := httptest.NewRequest("PROPFIND", home, strings.NewReader(propfind("<D:quota-available-bytes/>")))
	r.SetBasicAuth("ann", "secret")
	r.Header.Set("Depth", "0")
	rec := httptest.NewRecorder()
	w.srv.ServeHTTP(rec, r)
	if rec.Code != http.StatusInternalServerError {
		t.Errorf("status is %d", rec.Code)
	}
	w.ann("OPTIONS", home, "").is(200)
}
