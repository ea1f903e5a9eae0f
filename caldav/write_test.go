package caldav

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestPutConditions(t *testing.T) {
	w := newWorld(t)
	a := event("a", "20260301T100000Z", "20260301T110000Z")
	b := event("a", "20260301T120000Z", "20260301T130000Z")
	path := cal + "a.ics"
	r := w.ann("PUT", path, a, "If-None-Match: *", "Content-Type: text/calendar").is(201)
	first := r.header.Get("ETag")
	if len(first) < 4 || first[0] != '"' || r.body != "" || r.header.Get("Location") != "" {
		t.Errorf("ETag %q, Location %q", first, r.header.Get("Location"))
	}
	w.ann("PUT", path, b, "If-None-Match: *").is(412)
	w.ann("PUT", path, b, `If-Match: "x"`).is(412)
	w.ann("PUT", path, "", "If-Match: nothing").is(412)
	w.ann("PUT", path, b, "If: (<urn:uuid:bogus>)").is(412)
	w.ann("PUT", path, b, "If-Schedule-Tag-Match: \"x\"").is(412)
	w.ann("PUT", path, b, "If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT").is(412)
	w.ann("PUT", path, b, "If-Match: W/"+first).is(412)
	w.ann("PUT", path, b, `If-Match: "x"`, "Prefer: return=representation").is(412).has(a)
	if got := w.ann("GET", path, ""); got.body != a || got.header.Get("ETag") != first {
		t.Errorf("a refused write changed something: %s", got.body)
	}
	second := w.ann("PUT", path, b, "If-Match: "+first).is(204).header.Get("ETag")
	w.ann("PUT", path, a, "If: (["+second+"])").is(204)
	w.ann("PUT", path, a, "If: (["+second+"]) (Not <DAV:no-lock>)").is(204)
	w.ann("DELETE", path, "", "If-Match: "+second).is(412)
	w.ann("DELETE", path, "", "If-Match: "+first).is(204)
	w.ann("DELETE", path, "").is(404)
	w.ann("PUT", cal+"again.ics", a, "If-Match: *").is(412)
	w.ann("PUT", cal+"again.ics", a).is(201)
}

func TestPutElsewhereIsRefused(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/dav/", "/dav/principals/", home, cal} {
		w.ann("PUT", path, "x").is(403)
		w.ann("PUT", path, "", "If-Match: nothing").is(412)
	}
	w.ann("PUT", home+"missing/x.ics", event("a", "20260301T100000Z", "20260301T110000Z")).is(409)
	w.ann("PROPFIND", home, propfind("<D:displayname/>"), "Depth: 1").lacks("missing")
}

func TestPutRefusesWithThePrecondition(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Object.Bytes = 4096 })
	good := event("a", "20260301T100000Z", "20260301T110000Z")
	w.put(cal+"a.ics", good)
	for _, c := range []struct{ name, data, header, rule string }{
		{"media type", good, "Content-Type: text/plain", "supported-calendar-data"},
		{"no calendar", "hello", "Content-Type: text/calendar", "valid-calendar-data"},
		{"not UTF-8", strings.Replace(good, "SUMMARY:a", "SUMMARY:\xff", 1), `Content-Type: text/calendar; charset="utf-8"`, "valid-calendar-data"},
		{"METHOD", strings.Replace(good, "VERSION", "METHOD:PUBLISH\r\nVERSION", 1), "Content-Type: text/calendar", "valid-calendar-object-resource"},
		{"too large", good + strings.Repeat(" ", 4096), "Content-Type: text/calendar", "max-resource-size"},
		{"UID of another", good, "Content-Type: text/calendar", "no-uid-conflict"},
	} {
		r := w.ann("PUT", cal+"b.ics", c.data, c.header)
		r.refuses(c.rule)
		if t.Failed() {
			t.Fatal(c.name)
		}
	}
	w.ann("PUT", cal+"b.ics", good).has("<D:href>" + cal + "a.ics</D:href>")
	w.ann("PUT", cal+"a.ics", event("other", "20260301T100000Z", "20260301T110000Z")).refuses("no-uid-conflict")
	w.ann("GET", cal+"b.ics", "").is(404)
}

func TestPutGivesTheRepresentation(t *testing.T) {
	w := newWorld(t)
	a := event("a", "20260301T100000Z", "20260301T110000Z")
	r := w.ann("PUT", cal+"a.ics", a, "Prefer: return=representation").is(201).has(a)
	if r.header.Get("Content-Location") != cal+"a.ics" || r.header.Get("ETag") == "" {
		t.Errorf("headers: %v", r.header)
	}
	w.ann("PUT", cal+"a.ics", a, "Prefer: return=representation").is(200).has(a)
	mended := strings.ReplaceAll(a, "\r\n", "\n")
	if tag := w.put(cal+"a.ics", mended); tag != "" {
		t.Errorf("the stored bytes differ, and yet the tag is %s", tag)
	}
}

func TestPostAddsAMember(t *testing.T) {
	w := newWorld(t)
	r := w.ann("POST", cal, event("a", "20260301T100000Z", "20260301T110000Z"), "Content-Type: text/calendar").is(201)
	at, ok := strings.CutPrefix(r.header.Get("Location"), "http://example.com")
	if !ok || r.header.Get("ETag") == "" {
		t.Fatalf("headers: %v", r.header)
	}
	w.ann("GET", at, "").is(200)
	w.ann("POST", cal, "x", "Content-Type: text/calendar").refuses("valid-calendar-data")
}

func TestNamesOfAllSorts(t *testing.T) {
	w := newWorld(t)
	names := []string{"a%20b", "a%2520b", "a+b", "a@b", "a%3Ab", "%C3%BC.ics", "a;b", "a&b", strings.Repeat("n", 255)}
	for i, n := range names {
		w.put(cal+n, event(fmt.Sprintf("u%d", i), "20260301T100000Z", "20260301T110000Z"))
	}
	list := w.ann("PROPFIND", cal, propfind("<D:getetag/>"), "Depth: 1")
	if n := strings.Count(list.body, "<D:response>"); n != len(names)+1 {
		t.Errorf("%d are listed", n)
	}
	var hrefs []string
	for _, part := range strings.Split(list.body, "<D:href>")[2:] {
		href, _, _ := strings.Cut(part, "</D:href>")
		hrefs = append(hrefs, href)
		w.ann("GET", href, "").is(200)
		w.ann("PROPFIND", href, propfind("<D:getetag/>"), "Depth: 0").is(207).has("<D:href>" + href + "</D:href>")
	}
	got := w.ann("REPORT", cal, `<C:calendar-multiget`+ns+`><D:prop><D:getetag/></D:prop><D:href>`+strings.Join(hrefs, "</D:href><D:href>")+`</D:href></C:calendar-multiget>`)
	got.is(207).lacks("404 Not Found")
	for _, h := range hrefs {
		w.ann("DELETE", h, "").is(204)
	}
	w.ann("PUT", cal+"a%2Fb", event("s", "20260301T100000Z", "20260301T110000Z")).is(404)
	w.ann("PUT", cal+strings.Repeat("n", 256), event("s", "20260301T100000Z", "20260301T110000Z")).is(404)
}

func TestFragmentDeletesNothing(t *testing.T) {
	w := newWorld(t)
	r := w.ann("GET", cal, "")
	r.is(200)
	w.ann("MKCALENDAR", home+"frag/", "").is(201)
	req := w.ann("DELETE", home+"frag/%23ident", "")
	req.is(404)
	w.ann("PROPFIND", home+"frag/", propfind("<D:displayname/>"), "Depth: 0").is(207)
}

func TestMakeCalendar(t *testing.T) {
	w := newWorld(t)
	body := `<C:mkcalendar` + ns + `><D:set><D:prop>
<D:resourcetype><D:collection/><C:calendar/></D:resourcetype><D:displayname>ü &amp; &lt;x&gt;</D:displayname>
<I:calendar-color symbolic-color="red">#FF0000FF</I:calendar-color><I:calendar-order>7</I:calendar-order>
<C:calendar-description xml:lang="en">words</C:calendar-description>
<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>`
	r := w.ann("MKCALENDAR", home+"new/", body).is(201)
	if r.body != "" || r.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%q, %v", r.body, r.header)
	}
	w.ann("PROPFIND", home+"new/", propfind("<D:displayname/><I:calendar-color/><I:calendar-order/><C:supported-calendar-component-set/><C:calendar-description/>"), "Depth: 0").
		has("ü &amp; &lt;x&gt;", `symbolic-color="red"`, "#FF0000FF", `<C:comp name="VTODO"/>`, ">7<", ">words<").lacks("404 Not Found")
	w.ann("PUT", home+"new/a.ics", event("a", "20260301T100000Z", "20260301T110000Z")).refuses("supported-calendar-component")
	w.ann("MKCALENDAR", home+"new/", "<bad").refuses("resource-must-be-null")
	w.ann("MKCALENDAR", home+"new/sub/", "").refuses("calendar-collection-location-ok")
	w.ann("MKCOL", home+"new/sub/", "").refuses("calendar-collection-location-ok")
	w.ann("MKCALENDAR", "/dav/calendars/ada/second/", "").refuses("calendar-collection-location-ok")
	w.ann("MKCALENDAR", home+"missing/sub/", "").is(409)
	w.ann("MKCOL", home+"col/", "").refuses("valid-resourcetype")
	w.ann("MKCOL", home+"col/", "x", "Content-Type: text/plain").is(415)
	mkcol := strings.ReplaceAll(body, "C:mkcalendar", "D:mkcol")
	w.ann("MKCOL", home+"col/", mkcol, "Content-Type: text/xml").is(201)
	w.ann("MKCOL", home+"col/", mkcol, "Content-Type: text/xml").is(405)
	w.ann("DELETE", home+"col/", "").is(204)
	w.ann("GET", home+"col/", "").is(404)
	w.ann("MKCALENDAR", home+"col/", "").is(201)
}

func TestMakeCalendarWithAProtectedPropertyMakesNothing(t *testing.T) {
	w := newWorld(t)
	set := `<D:set><D:prop><D:displayname>x</D:displayname><D:getetag>y</D:getetag></D:prop></D:set>`
	w.ann("MKCALENDAR", home+"new/", `<C:mkcalendar`+ns+`>`+set+`</C:mkcalendar>`).is(207).
		has("HTTP/1.1 403 Forbidden", "cannot-modify-protected-property", "HTTP/1.1 424 Failed Dependency")
	w.ann("MKCOL", home+"new/", `<D:mkcol`+ns+`>`+set+`</D:mkcol>`, "Content-Type: text/xml").is(424).has("<D:mkcol-response")
	w.ann("GET", home+"new/", "").is(404)
}

func TestProppatch(t *testing.T) {
	w := newWorld(t)
	update := func(s string) string {
		return `<D:propertyupdate` + ns + ` xmlns:x="urn:x">` + s + `</D:propertyupdate>`
	}
	for _, path := range []string{cal, home} {
		w.ann("PROPPATCH", path, update(`<D:set><D:prop xml:lang="de"><x:one>a &lt; ]]&gt; <x:in/></x:one><D:unheard-of>1</D:unheard-of></D:prop></D:set><D:remove><D:prop><x:none/></D:prop></D:remove>`)).
			is(207).has("200 OK").lacks("403", "424")
		w.ann("PROPFIND", path, propfind(`<one xmlns="urn:x"/><D:unheard-of/>`), "Depth: 0").
			has(`xml:lang="de"`, "a &lt; ]]&gt; <x:in/>").lacks("404 Not Found")
		w.ann("PROPFIND", path, "", "Depth: 0").has("<x:one")
		w.ann("PROPFIND", path, `<D:propfind`+ns+`><D:propname/></D:propfind>`, "Depth: 0").has(`<X:one xmlns:X="urn:x"/>`)
		w.ann("PROPPATCH", path, update(`<D:set><D:prop><x:one>b</x:one><D:getetag/><D:resourcetype/></D:prop></D:set>`)).
			is(207).has("cannot-modify-protected-property", "424 Failed Dependency")
		w.ann("PROPFIND", path, propfind(`<one xmlns="urn:x"/>`), "Depth: 0").has("a &lt; ]]&gt;")
		w.ann("PROPPATCH", path, update(`<D:set><D:prop><x:one>b</x:one></D:prop></D:set><D:remove><D:prop><x:one/></D:prop></D:remove>`), "Prefer: return=minimal").is(200)
		w.ann("PROPFIND", path, propfind(`<one xmlns="urn:x"/>`), "Depth: 0").has("404 Not Found")
	}
	w.ann("PROPPATCH", home+"missing/", update(`<D:set><D:prop><x:one>b</x:one></D:prop></D:set>`)).is(404)
	w.ann("PROPPATCH", home+"hall~shared/", update(`<D:set><D:prop><D:displayname>b</D:displayname></D:prop></D:set>`)).
		is(207).has("403 Forbidden", "need-privileges")
}

func TestTimezoneHasTwoForms(t *testing.T) {
	w := newWorld(t)
	set := func(s string) *reply {
		return w.ann("PROPPATCH", cal, `<D:propertyupdate`+ns+`>`+s+`</D:propertyupdate>`).is(207)
	}
	both := propfind("<C:calendar-timezone/><C:calendar-timezone-id/>")
	set(`<D:set><D:prop><C:calendar-timezone-id>Europe/Rome</C:calendar-timezone-id></D:prop></D:set>`).has("200 OK")
	w.ann("PROPFIND", cal, both, "Depth: 0").has("BEGIN:VTIMEZONE", "TZID:Europe/Rome", ">Europe/Rome<")
	set(`<D:set><D:prop><C:calendar-timezone-id>Nowhere/Land</C:calendar-timezone-id></D:prop></D:set>`).has("valid-timezone")
	set(`<D:set><D:prop><C:calendar-timezone>garbage</C:calendar-timezone></D:prop></D:set>`).has("valid-calendar-data")
	set(`<D:remove><D:prop><C:calendar-timezone/></D:prop></D:remove>`).has("200 OK")
	w.ann("PROPFIND", cal, both, "Depth: 0").has("404 Not Found").lacks("VTIMEZONE", "200 OK")
}

func TestCopyAndMove(t *testing.T) {
	w := newWorld(t)
	a, b := event("a", "20260301T100000Z", "20260301T110000Z"), event("b", "20260301T100000Z", "20260301T110000Z")
	tag := w.put(cal+"a.ics", a)
	w.put(cal+"b.ics", b)
	w.ann("MKCALENDAR", home+"two/", "").is(201)
	to := func(path string) string { return "Destination: http://example.com" + path }
	r := w.ann("MOVE", cal+"a.ics", "", to(cal+"a b.ics")).is(201)
	if r.header.Get("Location") != "http://example.com"+cal+"a%20b.ics" {
		t.Errorf("Location is %s", r.header.Get("Location"))
	}
	w.ann("MOVE", cal+"a%20b.ics", "", to(cal+"b.ics"), "Overwrite: F").is(412)
	w.ann("MOVE", cal+"a%20b.ics", "", to(home+"two/a.ics"), `If-Match: "x"`).is(412)
	w.ann("MOVE", cal+"a%20b.ics", "", to(home+"two/a.ics"), "If-Match: "+tag).is(201)
	w.ann("COPY", home+"two/a.ics", "", to(cal+"a.ics")).is(201)
	w.ann("COPY", home+"two/a.ics", "", to(cal+"c.ics")).refuses("no-uid-conflict")
	w.ann("COPY", home+"two/a.ics", "", to(cal+"a.ics")).is(204)
	w.ann("COPY", home+"two/a.ics", "", to("/dav/calendars/bob/calendar/a.ics")).is(403)
	w.ann("COPY", home+"two/a.ics", "", to("/dav/calendars/hidden/calendar/a.ics")).is(403)
	w.ann("COPY", home+"two/a.ics", "", to(home+"missing/a.ics")).is(409)
	w.ann("COPY", home+"two/a.ics", "").is(400)
	w.ann("MOVE", home+"two/", "", to(cal+"two/")).refuses("calendar-collection-location-ok")
	w.ann("COPY", home+"two/", "", to(home+"four/")).is(201)
	w.ann("MOVE", home+"two/", "", to(home+"three/")).is(201)
	w.ann("PROPFIND", home+"three/", propfind("<D:resourcetype/>"), "Depth: 0").has("<C:calendar/>")
	w.ann("GET", home+"three/a.ics", "").is(200)
	w.ann("GET", home+"four/a.ics", "").is(200)
	w.ann("PROPFIND", home+"two/", propfind("<D:resourcetype/>"), "Depth: 0").is(404)
	for _, method := range []string{"DELETE", "COPY", "MOVE"} {
		w.ann(method, "/dav/", "", to(home+"x/")).is(403)
	}
}

func TestResourceIDStaysOverMoveAndDiffersAfterCopy(t *testing.T) {
	w := newWorld(t)
	w.put(cal+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z"))
	w.ann("MKCALENDAR", home+"two/", "").is(201)
	id := func(path string) string {
		_, rest, _ := strings.Cut(w.ann("PROPFIND", path, propfind("<D:resource-id/>"), "Depth: 0").is(207).body, "urn:uuid:")
		return rest[:36]
	}
	before := id(cal + "a.ics")
	w.put(cal+"a.ics", event("a", "20260301T120000Z", "20260301T130000Z"))
	w.ann("MOVE", cal+"a.ics", "", "Destination: "+cal+"b.ics").is(201)
	if id(cal+"b.ics") != before {
		t.Error("it changed")
	}
	w.ann("COPY", cal+"b.ics", "", "Destination: "+home+"two/b.ics").is(201)
	if id(home+"two/b.ics") == before {
		t.Error("a copy has it too")
	}
}

func TestGetConditions(t *testing.T) {
	w := newWorld(t)
	tag := w.put(cal+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z"))
	r := w.ann("GET", cal+"a.ics", "").is(200)
	if r.header.Get("Content-Type") != calendarType || r.header.Get("ETag") != tag {
		t.Errorf("headers: %v", r.header)
	}
	for _, h := range []string{"If-None-Match: " + tag, "If-None-Match: W/" + tag, "If-None-Match: *", "If-Modified-Since: " + r.header.Get("Last-Modified")} {
		if got := w.ann("GET", cal+"a.ics", "", h).is(http.StatusNotModified); got.body != "" {
			t.Errorf("%s: %q", h, got.body)
		}
	}
	w.ann("GET", cal+"a.ics", "", `If-Match: "x"`).is(412)
	w.ann("GET", cal+"a.ics", "", `If-None-Match: "x"`).is(200)
	if got := w.ann("HEAD", cal+"a.ics", "").is(200); got.body != "" {
		t.Errorf("HEAD has a body: %q", got.body)
	}
	w.ann("GET", cal+"b.ics", "").is(404)
	w.ann("GET", home, "").is(405)
	w.ann("BREW", cal, "").is(501)
}

func TestWholeCalendarIsOneStream(t *testing.T) {
	w := newWorld(t)
	w.fill(3)
	r := w.ann("GET", cal, "").is(200).has("UID:e0000", "UID:e0002")
	if strings.Count(r.body, "BEGIN:VCALENDAR") != 1 {
		t.Error(r.body)
	}
	w.ann("GET", cal, "", "If-None-Match: "+r.header.Get("ETag")).is(304)
	z := w.ann("GET", cal, "", "Accept-Encoding: gzip").is(200)
	if z.header.Get("Content-Encoding") != "gzip" || z.header.Get("ETag") == r.header.Get("ETag") {
		t.Errorf("headers: %v", z.header)
	}
	w.ann("GET", cal, "", "If-None-Match: "+z.header.Get("ETag")).is(304)
}
