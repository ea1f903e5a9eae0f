package caldav

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"daybook/caldav/dav"
	"daybook/store"
)

func queryFor(inner string) string {
	return `<C:calendar-query` + ns + `><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR">` + inner + `</C:comp-filter></C:filter></C:calendar-query>`
}

// hrefs gives the names of the members in a multistatus.
func (r *reply) hrefs() string {
	r.t.Helper()
	root, err := dav.Parse([]byte(r.body), dav.Limits{})
	if err != nil {
		r.t.Fatalf("%v\n%s", err, r.body)
	}
	var names []string
	for _, c := range root.Children {
		if c.Is(dav.D("response")) {
			h := c.Child(dav.D("href")).Text()
			name := h[strings.LastIndexByte(h, '/')+1:]
			if st := c.Child(dav.D("status")); st != nil {
				name += " " + strings.Fields(st.Text())[1]
			}
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

func (r *reply) lists(want string) *reply {
	r.t.Helper()
	if got := r.hrefs(); got != want {
		r.t.Errorf("lists %q, not %q", got, want)
	}
	return r
}

func TestQueryByTime(t *testing.T) {
	w := newWorld(t)
	w.fill(5)
	w.put(cal+"series.ics", event("series", "20200101T100000Z", "20200101T110000Z", "RRULE:FREQ=YEARLY\r\n"))
	w.put(cal+"day.ics", strings.NewReplacer("DTSTART:", "DTSTART;VALUE=DATE:", "DTEND:", "DTEND;VALUE=DATE:").Replace(event("day", "20260310", "20260311")))
	w.put(cal+"todo.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:todo\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:t\r\nEND:VTODO\r\nEND:VCALENDAR\r\n")
	ask := func(component, attrs string) *reply {
		return w.ann("REPORT", cal, queryFor(`<C:comp-filter name="`+component+`"><C:time-range `+attrs+`/></C:comp-filter>`), "Depth: 1").is(207)
	}
	ask("VEVENT", `start="20260302T000000Z" end="20260304T000000Z"`).lists("e0001.ics,e0002.ics")
	ask("VEVENT", `start="20450101T000000Z" end="20450102T000000Z"`).lists("series.ics")
	ask("VEVENT", `end="20200201T000000Z"`).lists("series.ics")
	ask("VEVENT", `start="20260310T230000Z" end="20260310T233000Z"`).lists("day.ics") // in UTC: the calendar names no zone
	ask("VEVENT", `start="20260309T230000Z" end="20260309T233000Z"`).lists("")
	ask("VTODO", `start="20260309T230000Z" end="20260309T233000Z"`).lists("todo.ics")
	w.ann("REPORT", cal, queryFor(`<C:comp-filter name="VTODO"/>`), "Depth: 1").lists("todo.ics")
	w.ann("REPORT", cal, queryFor(``), "Depth: 0").lists("")
	w.ann("REPORT", cal+"todo.ics", queryFor(`<C:comp-filter name="VTODO"/>`)).lists("todo.ics")
	w.ann("REPORT", cal, queryFor(`<C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY"><C:text-match>E000</C:text-match></C:prop-filter></C:comp-filter>`), "Depth: 1").
		lists("e0000.ics,e0001.ics,e0002.ics,e0003.ics,e0004.ics")
	w.ann("REPORT", home, queryFor(`<C:comp-filter name="VTODO"/>`), "Depth: infinity").lists("todo.ics")
	limited := strings.Replace(queryFor(`<C:comp-filter name="VEVENT"/>`), "</C:filter>", "</C:filter><D:limit><D:nresults>2</D:nresults></D:limit>", 1)
	w.ann("REPORT", cal, limited, "Depth: 1").has("507 Insufficient Storage", "number-of-matches-within-limits")
}

func TestQueryRefusesBadFilters(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ inner, rule string }{
		{`<C:time-range start="20260101T000000Z"/>`, "valid-filter"},
		{`<C:comp-filter name="VEVENT"><C:time-range/></C:comp-filter>`, "valid-filter"},
		{`<C:comp-filter name="VEVENT"><C:time-range start="20260101"/></C:comp-filter>`, "valid-filter"},
		{`<C:comp-filter name="VEVENT"><C:time-range start="20260101T000000"/></C:comp-filter>`, "valid-filter"},
		{`<C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY"><C:time-range start="20260101T000000Z"/></C:prop-filter></C:comp-filter>`, "valid-filter"},
		{`<C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY"><C:text-match collation="i;unknown">x</C:text-match></C:prop-filter></C:comp-filter>`, "supported-collation"},
		{`<C:comp-filter name="VALARM"/>`, "valid-filter"},
	} {
		w.ann("REPORT", cal, queryFor(c.inner), "Depth: 1").refuses(c.rule)
	}
	body := queryFor("")
	w.ann("REPORT", cal, strings.Replace(body, "</C:filter>", "</C:filter><C:timezone>x</C:timezone>", 1)).refuses("valid-calendar-data")
	w.ann("REPORT", cal, strings.Replace(body, "</C:filter>", "</C:filter><C:timezone-id>x</C:timezone-id>", 1)).refuses("valid-timezone")
	w.ann("REPORT", cal, strings.Replace(body, "<D:getetag/>", `<C:calendar-data content-type="text/vcard"/>`, 1)).refuses("supported-calendar-data")
	w.ann("REPORT", cal, `<C:unheard-of`+ns+`/>`).refuses("supported-report")
	w.ann("REPORT", cal, "").is(400)
}

func TestExpandGivesInstances(t *testing.T) {
	w := newWorld(t)
	w.put(cal+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z", "RRULE:FREQ=DAILY;COUNT=5\r\n"))
	body := strings.Replace(queryFor(`<C:comp-filter name="VEVENT"/>`), "<D:getetag/>", `<C:calendar-data><C:expand start="20260302T000000Z" end="20260304T000000Z"/></C:calendar-data>`, 1)
	r := w.ann("REPORT", cal, body, "Depth: 1").is(207).has("RECURRENCE-ID").lacks("RRULE")
	if n := strings.Count(r.body, "BEGIN:VEVENT"); n != 2 {
		t.Errorf("%d instances", n)
	}
}

func TestMultiget(t *testing.T) {
	w := newWorld(t)
	w.fill(100)
	w.put(home+"ada~shared/x.ics", event("x", "20260301T100000Z", "20260301T110000Z"))
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "<D:href>%se%04d.ics</D:href>", cal, i)
	}
	b.WriteString("<D:href>" + cal + "missing.ics</D:href><D:href>http://example.com" + home + "ada~shared/x.ics</D:href><D:href>/dav/calendars/bob/calendar/x.ics</D:href><D:href>mailto:x</D:href>")
	body := `<C:calendar-multiget` + ns + `><D:prop><D:getetag/><C:calendar-data/></D:prop>` + b.String() + `</C:calendar-multiget>`
	r := w.ann("REPORT", home, body).is(207).has("missing.ics</D:href><D:status>HTTP/1.1 404 Not Found", "<D:href>"+home+"ada~shared/x.ics</D:href>",
		"bob/calendar/x.ics</D:href><D:status>HTTP/1.1 403 Forbidden", "UID:e0099&#13;\n")
	if n := strings.Count(r.body, "<C:calendar-data>"); n != 101 {
		t.Errorf("%d have data", n)
	}
	w.ann("REPORT", cal+"e0000.ics", body).is(207)
	w.ann("REPORT", cal, `<C:calendar-multiget`+ns+`><D:prop/></C:calendar-multiget>`).is(400)
}

// token takes the sync-token of an answer.
func (r *reply) token() string {
	_, rest, _ := strings.Cut(r.body, "<D:sync-token>")
	token, _, _ := strings.Cut(rest, "<")
	return token
}

func syncFrom(token, more string) string {
	return `<D:sync-collection` + ns + `><D:sync-token>` + token + `</D:sync-token><D:sync-level>1</D:sync-level>` + more + `</D:sync-collection>`
}

func TestSyncFollowsChanges(t *testing.T) {
	w := newWorld(t)
	w.fill(3)
	etag := `<D:prop><D:getetag/></D:prop>`
	first := w.ann("REPORT", cal, syncFrom("", etag), "Depth: 1").is(207).lists("e0000.ics,e0001.ics,e0002.ics")
	idle := w.ann("REPORT", cal, syncFrom(first.token(), etag), "Depth: 0").is(207).lists("")
	if idle.token() != first.token() {
		t.Error("the token moved without a change")
	}
	w.ann("PROPFIND", cal, propfind("<D:sync-token/>"), "Depth: 0").has(first.token())
	w.ann("DELETE", cal+"e0001.ics", "").is(204)
	w.put(cal+"e0000.ics", event("e0000", "20260401T100000Z", "20260401T110000Z"))
	w.put(cal+"new.ics", event("new", "20260401T100000Z", "20260401T110000Z"))
	w.ann("DELETE", cal+"new.ics", "").is(204)
	w.ann("REPORT", cal, syncFrom(first.token(), etag)).lists("e0001.ics 404,e0000.ics,new.ics 404")
	w.ann("REPORT", cal, syncFrom("", `<D:prop/>`)).lists("e0002.ics,e0000.ics").has("<D:propstat><D:prop></D:prop><D:status>HTTP/1.1 200 OK").lacks("404 Not Found")
	part := w.ann("REPORT", cal, syncFrom("", `<D:limit><D:nresults>1</D:nresults></D:limit>`+etag)).lists("e0002.ics, 507")
	w.ann("REPORT", cal, syncFrom(part.token(), etag)).lists("e0000.ics")
	w.ann("REPORT", cal, syncFrom("urn:else:1", etag)).refuses("valid-sync-token")
	w.ann("REPORT", cal, strings.Replace(syncFrom("", etag), ">1<", ">7<", 1)).is(400)
	w.ann("REPORT", cal, strings.Replace(syncFrom("", etag), "<D:sync-level>1</D:sync-level>", "", 1)).is(400)
	w.ann("REPORT", cal, strings.Replace(syncFrom("", etag), "<D:sync-level>1</D:sync-level>", "", 1), "Depth: 1").is(207)
	w.ann("REPORT", home, syncFrom("", etag)).refuses("supported-report")
}

func grant(w *world, who, what string) func(*store.Tx) error {
	return func(tx *store.Tx) error { return tx.SetGrant(w.ids[who], w.ids[what], store.RightWrite) }
}

func TestFreeBusyNeedsOnlyItsRight(t *testing.T) {
	w := newWorld(t)
	err := w.store.Update(t.Context(), grant(w, "ann", "hall"))
	if err != nil {
		t.Fatal(err)
	}
	hall := "/dav/calendars/hall/calendar/"
	w.put(hall+"a.ics", event("a", "20260302T100000Z", "20260302T110000Z"))
	w.put(hall+"b.ics", event("b", "20260302T110000Z", "20260302T120000Z"))
	w.put(hall+"c.ics", event("c", "20260302T150000Z", "20260302T160000Z", "TRANSP:TRANSPARENT\r\n"))
	body := `<C:free-busy-query` + ns + `><C:time-range start="20260302T000000Z" end="20260303T000000Z"/></C:free-busy-query>`
	r := w.as("bob", "REPORT", hall, body, "Depth: 1").is(200).has("BEGIN:VFREEBUSY", "20260302T100000Z/").lacks("METHOD", "T150000Z")
	if r.header.Get("Content-Type") != calendarType || strings.Count(r.body, "FREEBUSY") != 3 {
		t.Errorf("%v\n%s", r.header, r.body)
	}
	w.as("bob", "GET", hall+"a.ics", "").refuses("need-privileges")
	w.as("bob", "PROPFIND", hall, propfind("<D:getetag/>"), "Depth: 1").refuses("need-privileges")
	w.as("bob", "REPORT", home, body).is(403)
	w.ann("REPORT", home, body).is(200).has("BEGIN:VFREEBUSY").lacks("FREEBUSY;", "FREEBUSY:2")
	w.ann("REPORT", cal, strings.Replace(body, "20260302T000000Z", "20260302", 1)).is(400)
	w.ann("REPORT", cal, `<C:free-busy-query`+ns+`><C:time-range/></C:free-busy-query>`).is(400)
}

func TestPropfindBodies(t *testing.T) {
	w := newWorld(t)
	w.put(cal+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z"))
	for _, body := range []string{
		`<D:propfind` + ns + `><D:other/></D:propfind>`, `<D:propfind` + ns + `><D:allprop/><D:propname/></D:propfind>`,
		`<D:propfind`, `<E:propfind/>`, `<D:other` + ns + `/>`,
	} {
		w.ann("PROPFIND", cal, body, "Depth: 0").is(400)
	}
	for _, path := range []string{cal + "missing.ics", home + "missing/", "/dav/nowhere", "/elsewhere/"} {
		r := w.ann("PROPFIND", path, propfind("<D:getetag/>"), "Depth: 1").is(404)
		if r.body != "" {
			t.Errorf("%s: %s", path, r.body)
		}
	}
	w.ann("PROPFIND", cal, propfind("<D:getetag/>")).refuses("propfind-finite-depth")
	w.ann("PROPFIND", cal+"a.ics", propfind("<D:getetag/>"), "Depth: infinity").is(207)
	w.ann("PROPFIND", cal, propfind("<D:getetag/>"), "Depth: 7").is(400)
	w.ann("PROPFIND", cal, "", "Depth: 0").is(207).has("<D:resourcetype>").lacks("calendar-timezone", "supported-calendar-component-set", "404 Not Found")
	w.ann("PROPFIND", cal, `<D:propfind`+ns+`><D:allprop/><D:include><C:supported-calendar-component-set/></D:include></D:propfind>`, "Depth: 0").
		has("<C:supported-calendar-component-set>")
	w.ann("PROPFIND", cal, `<D:propfind`+ns+`><D:propname/></D:propfind>`, "Depth: 0").has("<D:sync-token/>", "<CS:getctag/>").lacks("getetag", "404 Not Found")
	r := w.ann("PROPFIND", cal+"a.ics", propfind(`<D:getcontenttype/><x xmlns="urn:x"/><D:sync-token/>`), "Depth: 0")
	r.has("<D:getcontenttype>text/calendar;charset=utf-8</D:getcontenttype>", `<X:x xmlns:X="urn:x"/>`, "HTTP/1.1 404 Not Found", "<D:sync-token/>")
	w.ann("PROPFIND", cal, propfind("<D:getcontentlength/>"), "Depth: 0").has("<D:getcontentlength/>", "200 OK")
}

func TestPreferences(t *testing.T) {
	w := newWorld(t)
	w.fill(2)
	for _, h := range []string{"Prefer: return=minimal", "Brief: t"} {
		r := w.ann("PROPFIND", cal, propfind(`<D:sync-token/><x xmlns="urn:x"/>`), "Depth: 0", h).lacks("404 Not Found")
		if r.header.Get("Preference-Applied") != "return=minimal" || r.header.Get("Vary") == "" {
			t.Errorf("headers: %v", r.header)
		}
		w.ann("PROPFIND", cal, propfind(`<x xmlns="urn:x"/>`), "Depth: 0", h).has("<D:prop></D:prop><D:status>HTTP/1.1 200 OK").lacks("404 Not Found")
	}
	w.ann("PROPFIND", cal, propfind(`<D:getetag/>`), "Depth: 1", "Prefer: depth-noroot").lists("e0000.ics,e0001.ics")
	both := w.ann("PROPFIND", cal, propfind(`<D:getetag/>`), "Depth: 1", "Prefer: depth-noroot, return=minimal").header["Preference-Applied"]
	if len(both) != 2 {
		t.Errorf("applied: %q", both)
	}
	w.ann("PROPFIND", cal, propfind(`<D:sync-token/>`), "Depth: 0", "Prefer: depth-noroot").has("<D:href>" + cal)
}

func TestListingGoesOnBeyondABatch(t *testing.T) {
	w := newWorld(t)
	const n = 2*batch + 10
	w.fillFast(n)
	all := func(r *reply, others int) {
		t.Helper()
		names := strings.Split(r.is(207).hrefs(), ",")
		slices.Sort(names)
		if names = slices.Compact(names); len(names) != n+others {
			t.Errorf("%d members", len(names))
		}
	}
	all(w.ann("PROPFIND", cal, propfind("<D:getetag/>"), "Depth: 1"), 1) // and the calendar itself
	all(w.ann("REPORT", cal, syncFrom("", "<D:prop><D:getetag/></D:prop>")), 0)
	all(w.ann("REPORT", cal, syncFrom("", "<D:prop><C:calendar-data/></D:prop>")), 0)
	all(w.ann("REPORT", cal, queryFor(`<C:comp-filter name="VEVENT"/>`), "Depth: 1"), 0)
	body := strings.Replace(queryFor(`<C:comp-filter name="VEVENT"/>`), "<D:getetag/>", "<C:calendar-data/>", 1)
	if r := w.ann("REPORT", cal, body, "Depth: 1"); strings.Count(r.body, "BEGIN:VEVENT") != n {
		t.Errorf("%d have data", strings.Count(r.body, "BEGIN:VEVENT"))
	}
}

func TestLongAnswersAreCompressedForThoseWhoTakeIt(t *testing.T) {
	w := newWorld(t)
	w.fillFast(batch + 1)
	for _, n := range []string{"1", "2000"} {
		ask := syncFrom("", "<D:limit><D:nresults>"+n+"</D:nresults></D:limit><D:prop><D:getetag/><C:calendar-data/></D:prop>")
		plain := w.ann("REPORT", cal, ask, "Accept-Encoding: br, gzip;q=0").is(207)
		zipped := w.ann("REPORT", cal, ask, "Accept-Encoding: br, gzip").is(207)
		if got := zipped.header.Get("Content-Encoding"); (got == "gzip") != (n != "1") {
			t.Errorf("%s members have the encoding %q", n, got)
		}
		if n == "1" {
			continue
		}
		z, err := gzip.NewReader(strings.NewReader(zipped.body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil || string(text) != plain.body || len(zipped.body)*2 > len(text) {
			t.Errorf("%d bytes came back as %d: %v", len(plain.body), len(text), err)
		}
	}
}

func TestShortAnswersHaveALength(t *testing.T) {
	w := newWorld(t)
	w.fill(5)
	for _, r := range []*reply{
		w.ann("PROPFIND", cal, propfind("<D:getetag/>"), "Depth: 1"), w.ann("OPTIONS", cal, ""), w.ann("REPORT", cal, "<x/>"),
		w.ann("PUT", cal, ""), w.ann("GET", cal+"e0000.ics", ""),
	} {
		if r.header.Get("Content-Length") != strconv.Itoa(len(r.body)) {
			t.Errorf("Content-Length is %q of %d", r.header.Get("Content-Length"), len(r.body))
		}
	}
}

func TestPrincipalReports(t *testing.T) {
	w := newWorld(t)
	search := func(inner string) string {
		return `<D:principal-property-search` + ns + `>` + inner + `</D:principal-property-search>`
	}
	byName := `<D:property-search><D:prop><D:displayname/></D:prop><D:match>ann</D:match></D:property-search>`
	r := w.ann("REPORT", "/dav/", search(byName+`<D:prop/><C:calendar-home-set/><D:displayname/>`), "Depth: 0").is(207).has(home)
	if n := strings.Count(r.body, "<D:response>"); n != 1 {
		t.Errorf("%d hits", n)
	}
	w.ann("REPORT", "/dav/principals/", search(`<D:prop><D:displayname/></D:prop>`)).is(207).has("Ann", "Ada Noor").lacks("Bob")
	w.ann("REPORT", "/dav/principals/", search(byName)).is(400)
	w.ann("REPORT", "/dav/principals/", search(byName+`<D:prop/>`), "Depth: 1").is(400)
	w.ann("REPORT", "/dav/principals/", `<D:principal-search-property-set`+ns+`/>`).is(200).has("<D:displayname/>")
	w.ann("REPORT", "/dav/principals/", `<D:principal-match`+ns+`><D:self/><D:prop><D:displayname/></D:prop></D:principal-match>`).is(207).has(">Ann<")
	w.ann("REPORT", cal, `<D:acl-principal-prop-set`+ns+`><D:prop><D:displayname/></D:prop></D:acl-principal-prop-set>`).is(207).has(">Ann<")
	w.ann("REPORT", cal, search(byName+`<D:prop/>`)).refuses("supported-report")
	expand := `<D:expand-property` + ns + `><D:property name="owner"><D:property name="displayname"/><D:property name="x" namespace="urn:x"/></D:property><D:property name="nothing"/></D:expand-property>`
	w.ann("REPORT", cal, expand).is(http.StatusMultiStatus).
		has("<D:owner>\n<D:response><D:href>/dav/principals/ann/</D:href>", "<D:displayname>Ann</D:displayname>", `<X:x xmlns:X="urn:x"/>`, "<D:nothing/>", "404")
}

func TestACLIsForOwners(t *testing.T) {
	w := newWorld(t)
	w.ann("PROPFIND", cal, propfind("<D:acl/><D:supported-privilege-set/><D:acl-restrictions/><D:inherited-acl-set/>"), "Depth: 0").
		has("<D:protected/>", "<D:all/>").lacks("403 Forbidden", "404 Not Found")
	w.ann("PROPFIND", home+"ada~shared/", propfind("<D:acl/><D:owner/>"), "Depth: 0").has("403 Forbidden", "/dav/principals/ada/")
	w.ann("PROPFIND", home+"hall~shared/", propfind("<D:current-user-privilege-set/>"), "Depth: 0").
		has("<D:read/>", "<C:read-free-busy/>").lacks("write", "bind")
}

func TestSupportedReportsFollowTheTable(t *testing.T) {
	w := newWorld(t)
	ask := propfind("<D:supported-report-set/>")
	w.ann("PROPFIND", cal, ask, "Depth: 0").has("sync-collection", "calendar-query", "calendar-multiget", "free-busy-query", "expand-property")
	w.ann("PROPFIND", home, ask, "Depth: 0").has("calendar-query").lacks("sync-collection")
	w.ann("PROPFIND", "/dav/principals/ann/", ask, "Depth: 0").has("expand-property").lacks("calendar-query", "sync-collection")
}

func FuzzReport(f *testing.F) {
	f.Add(queryFor(`<C:comp-filter name="VEVENT"><C:time-range start="20260302T000000Z"/></C:comp-filter>`))
	f.Add(syncFrom("", "<D:prop/>"))
	f.Add(`<D:expand-property` + ns + `><D:property name="owner"/></D:expand-property>`)
	f.Add(`<C:free-busy-query` + ns + `><C:time-range end="20260302T000000Z"/></C:free-busy-query>`)
	f.Add(`<D:principal-match` + ns + `><D:self/></D:principal-match>`)
	var w *world
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, body string) {
		if w == nil {
			w = newWorldIn(t, dir)
			w.fill(3)
		}
		w.t = t
		w.ann("REPORT", cal, body, "Depth: 1")
		w.ann("REPORT", "/dav/principals/", body)
		w.ann("PROPFIND", cal, body, "Depth: 1")
		w.ann("PROPPATCH", cal, body)
		w.ann("MKCALENDAR", home+"x/", body)
		w.ann("MKCOL", home+"y/", body)
		w.ann("ACL", home, body)
	})
}

// FuzzFilter puts a filter and what a query may ask for beside it into an
// otherwise good request.
func FuzzFilter(f *testing.F) {
	f.Add(`<C:comp-filter name="VEVENT"><C:time-range start="20260302T000000Z"/></C:comp-filter>`, `<C:calendar-data><C:expand start="20260301T000000Z" end="20270301T000000Z"/></C:calendar-data>`, `<C:timezone-id>Europe/Berlin</C:timezone-id>`)
	f.Add(`<C:comp-filter name="VEVENT"><C:prop-filter name="CATEGORIES"><C:text-match collation="i;octet" negate-condition="yes">x</C:text-match></C:prop-filter></C:comp-filter>`, `<C:calendar-data content-type="application/calendar+json"/>`, `<D:limit><D:nresults>1</D:nresults></D:limit>`)
	f.Add(`<C:comp-filter name="VTODO"><C:comp-filter name="VALARM"><C:time-range end="20260302T000000Z"/></C:comp-filter></C:comp-filter>`, `<C:calendar-data><C:comp name="VCALENDAR"><C:allprop/><C:comp name="VEVENT"><C:prop name="UID" novalue="yes"/></C:comp></C:comp></C:calendar-data>`, ``)
	f.Add(`<C:comp-filter name="VEVENT"><C:prop-filter name="ATTENDEE"><C:param-filter name="CN"><C:is-not-defined/></C:param-filter></C:prop-filter></C:comp-filter>`, `<C:calendar-data><C:limit-recurrence-set start="20260301T000000Z" end="20270301T000000Z"/></C:calendar-data>`, ``)
	var w *world
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, filter, data, rest string) {
		if w == nil {
			w = newWorldIn(t, dir)
			w.fill(2)
			w.put(cal+"s.ics", event("s", "20260301T100000Z", "20260301T110000Z", "RRULE:FREQ=DAILY;COUNT=500\r\n", "ATTENDEE;CN=x:mailto:x@example.com\r\n"))
		}
		w.t = t
		body := strings.Replace(queryFor(filter), "<D:getetag/>", data, 1)
		w.ann("REPORT", cal, strings.Replace(body, "</C:filter>", "</C:filter>"+rest, 1), "Depth: 1")
	})
}

// FuzzRequestHeaders sends headers that no client would to methods that read
// them. The calendar stays whole: what is there can be read.
func FuzzRequestHeaders(f *testing.F) {
	f.Add("0", `(<urn:x>)`, "http://example.com"+cal+"b.ics", "return=minimal", `"x"`, "application/calendar+json;q=0.5")
	f.Add("infinity", `</a> (Not ["x"])`, cal+"a b.ics", "depth-noroot, return=representation", "*", "*/*;q=x")
	f.Add("2", `(`, "ftp://x", ";;,=", "W/", ",,;")
	var w *world
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, depth, condition, destination, prefer, match, accept string) {
		if w == nil {
			w = newWorldIn(t, dir)
		}
		w.t = t
		data := event("a", "20260301T100000Z", "20260301T110000Z")
		for _, method := range []string{"PUT", "GET", "PROPFIND", "COPY", "MOVE", "DELETE"} {
			r := httptest.NewRequest(method, cal+"a.ics", strings.NewReader(""))
			if method == "PUT" {
				r = httptest.NewRequest(method, cal+"a.ics", strings.NewReader(data))
			}
			r.SetBasicAuth("ann", "secret")
			for name, value := range map[string]string{
				"Depth": depth, "If": condition, "Destination": destination, "Prefer": prefer, "If-Match": match, "If-None-Match": match, "Accept": accept, "Overwrite": depth, "Range": match,
			} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			rec := httptest.NewRecorder()
			w.srv.ServeHTTP(rec, r)
			if rec.Code >= 500 && rec.Code != http.StatusBadGateway {
				t.Fatalf("%s is answered by %d", method, rec.Code)
			}
		}
		w.ann("PROPFIND", cal, propfind("<D:getetag/>"), "Depth: 1").is(207)
	})
}
