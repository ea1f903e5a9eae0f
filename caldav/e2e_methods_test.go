package caldav_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

const icsType = "Content-Type: text/calendar; charset=utf-8"

func TestPUTRefusesWithTheRightPrecondition(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	w.do("ada", "MKCALENDAR", adaHome+"tasks/", `<C:mkcalendar `+namespaces+`><D:set><D:prop><C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>`).want(201)
	ok := event("new", "20260105T100000Z", "New")
	with := func(old, replacement string) string { return strings.Replace(ok, old, replacement, 1) }
	two := strings.Replace(ok, "END:VCALENDAR", "BEGIN:VEVENT\r\nUID:other\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260105T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR", 1)
	for name, tt := range map[string]struct {
		path, contentType, body, rule string
	}{
		"other media type":        {"x.ics", "text/plain", ok, "supported-calendar-data"},
		"no iCalendar":            {"x.ics", "text/calendar", "hello", "valid-calendar-data"},
		"nothing":                 {"x.ics", "text/calendar", "", "valid-calendar-data"},
		"not UTF-8":               {"x.ics", "text/calendar", with("New", "N\xe9w"), "valid-calendar-data"},
		"not UTF-8, with charset": {"x.ics", "text/calendar; charset=iso-8859-1", with("New", "N\xe9w"), "valid-calendar-data"},
		"control character":       {"x.ics", "text/calendar", with("New", "N\x01w"), "valid-calendar-data"},
		"bad rule":                {"x.ics", "text/calendar", with("DURATION:PT1H", "DURATION:PT1H\r\nRRULE:FREQ=SOMETIMES"), "valid-calendar-data"},
		"bad date":                {"x.ics", "text/calendar", with("20260105T100000Z", "20260230T100000Z"), "valid-calendar-data"},
		"date with date-time end": {"x.ics", "text/calendar", with("DTSTART:20260105T100000Z\r\nDURATION:PT1H", "DTSTART;VALUE=DATE:20260105\r\nDTEND:20260105T100000Z"), "valid-calendar-data"},
		"UTC with floating end":   {"x.ics", "text/calendar", with("DURATION:PT1H", "DTEND:20260105T110000"), "valid-calendar-data"},
		"event and task":          {"x.ics", "text/calendar", with("END:VCALENDAR", "BEGIN:VTODO\r\nUID:new\r\nDTSTAMP:20260101T000000Z\r\nEND:VTODO\r\nEND:VCALENDAR"), "valid-calendar-object-resource"},
		"METHOD":                  {"x.ics", "text/calendar", with("VERSION:2.0", "VERSION:2.0\r\nMETHOD:PUBLISH"), "valid-calendar-object-resource"},
		"two UIDs":                {"x.ics", "text/calendar", two, "valid-calendar-object-resource"},
		"UID of another member":   {"x.ics", "text/calendar", event("single", "20260105T100000Z", "Again"), "no-uid-conflict"},
		"another UID in a member": {"single.ics", "text/calendar", event("another", "20260105T100000Z", "Another"), "no-uid-conflict"},
		"event where tasks are":   {"../tasks/x.ics", "text/calendar", ok, "supported-calendar-component"},
		"larger than may be":      {"x.ics", "text/calendar", with("New", strings.Repeat("x", 1<<20)), "max-resource-size"},
	} {
		t.Run(name, func(t *testing.T) {
			path := adaCalendar + tt.path
			if rest, up := strings.CutPrefix(tt.path, "../"); up {
				path = adaHome + rest
			}
			before := w.listing(adaCalendar)
			a := w.do("ada", "PUT", path, tt.body, "Content-Type: "+tt.contentType)
			a.t = t
			if tt.rule == "no-uid-conflict" {
				if root := a.want(403, 409).xml(); root.find("no-uid-conflict", "href").text() != adaCalendar+"single.ics" {
					t.Errorf("the holder is not named:\n%s", a.body)
				}
			} else {
				a.precondition(403, nsCal, tt.rule)
			}
			if after := w.listing(adaCalendar); len(after) != len(before) {
				t.Errorf("something was stored: %v", after)
			}
		})
	}
}

func TestPUTStoresWhatWasSent(t *testing.T) {
	w := newWorld(t)
	long := "DESCRIPTION:" + strings.Repeat("ä", 40)
	fold := long[:60] + "\r\n " + long[60:]
	for name, body := range map[string]string{
		"x-properties":   event("x1", "20260105T100000Z", "X", "X-FOO;VALUE=URI:geo:52.5,13.3", `X-BAR;X-P="a;b,c":raw\;text`),
		"folded":         event("x2", "20260105T100000Z", "X", fold),
		"unknown zone":   event("x3", "20260105T100000Z", "X", "X-T;TZID=Nowhere:20260105T100000"),
		"names in order": event("x4", "20260105T100000Z", "X", "RRULE:COUNT=2;FREQ=DAILY"),
		"no prodid":      strings.Replace(event("x5", "20260105T100000Z", "X"), "PRODID:-//daybook//test//EN\r\n", "", 1),
		"empty values":   event("x6", "20260105T100000Z", "X", "LOCATION:", "DESCRIPTION:"),
	} {
		t.Run(name, func(t *testing.T) {
			path := adaCalendar + strings.ReplaceAll(name, " ", "%20") + ".ics"
			put := w.do("ada", "PUT", path, body, icsType)
			put.t = t
			put.want(201)
			if put.body != "" || put.header.Get("Location") != "" {
				t.Errorf("answer with body %q, Location %q", put.body, put.header.Get("Location"))
			}
			get := w.do("ada", "GET", path, "")
			get.t = t
			get.want(200)
			if get.body != body {
				t.Errorf("got\n%q\nsent\n%q", get.body, body)
			}
			etag := get.header.Get("ETag")
			if put.header.Get("ETag") != etag || strings.HasPrefix(etag, "W/") || len(etag) < 3 {
				t.Errorf("ETag %q, of the PUT %q", etag, put.header.Get("ETag"))
			}
			if ct := get.header.Get("Content-Type"); ct != "text/calendar;charset=utf-8" {
				t.Errorf("Content-Type %q", ct)
			}
			w.do("ada", "GET", path, "", "If-None-Match: "+etag).want(304)
		})
	}
}

func TestMendedBytesHaveNoETagInTheAnswer(t *testing.T) {
	w := newWorld(t)
	body := strings.ReplaceAll(event("lf", "20260105T100000Z", "Bare LF"), "\r\n", "\n")
	put := w.do("ada", "PUT", adaCalendar+"lf.ics", body, icsType).want(201)
	if e := put.header.Get("ETag"); e != "" {
		t.Errorf("ETag %q of bytes that were not sent", e)
	}
	if get := w.do("ada", "GET", adaCalendar+"lf.ics", "").want(200); get.body != strings.ReplaceAll(body, "\n", "\r\n") {
		t.Errorf("got %q", get.body)
	}
}

func TestConditionsOfWrites(t *testing.T) {
	w := newWorld(t)
	path := adaCalendar + "c.ics"
	first := event("c", "20260105T100000Z", "First")
	second := event("c", "20260105T100000Z", "Second")
	w.do("ada", "PUT", path, first, icsType, "If-Match: *").want(412)
	etag := w.do("ada", "PUT", path, first, icsType, "If-None-Match: *").want(201).header.Get("ETag")
	w.do("ada", "PUT", path, second, icsType, "If-None-Match: *").want(412)
	w.do("ada", "PUT", path, second, icsType, `If-Match: "nothing-like-it"`).want(412)
	w.do("ada", "PUT", path, second, icsType, "If-Match: W/"+etag).want(412) // strong comparison
	w.do("ada", "PUT", path, second, icsType, "If-None-Match: "+etag).want(412)
	w.do("ada", "DELETE", path, "", `If-Match: "nothing-like-it"`).want(412)
	if a := w.do("ada", "PUT", path, second, icsType, `If-Match: "x"`, "Prefer: return=representation").want(412); a.body != first || a.header.Get("Content-Location") == "" {
		t.Errorf("412 with representation: %v\n%s", a.header, a.body)
	}
	if a := w.do("ada", "GET", path, "").want(200); a.body != first {
		t.Error("a refused write changed the object")
	}
	now := w.do("ada", "PUT", path, second, icsType, `If-Match: "x", `+etag).want(204).header.Get("ETag")
	if now == etag {
		t.Error("the ETag did not change")
	}
	if a := w.do("ada", "PUT", path, first, icsType, "Prefer: return=representation").want(200); a.body != first || a.header.Get("ETag") == "" {
		t.Errorf("200 with representation: %v\n%s", a.header, a.body)
	}
	w.do("ada", "DELETE", path, "", "If-Match: *").want(204)
	w.do("ada", "DELETE", path, "").want(404)
	w.do("ada", "PUT", adaCalendar+"again.ics", first, icsType, "If-None-Match: *").want(201)
}

func TestIdenticalBytesAreAChange(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	state := func() (ctag, token string) {
		r := w.do("ada", "PROPFIND", adaCalendar, propfind("CS:getctag", "D:sync-token"), "Depth: 0").multistatus().at(t, adaCalendar)
		return r.text("getctag"), r.text("sync-token")
	}
	ctag, token := state()
	w.put(adaCalendar+"single.ics", event("single", "20260105T100000Z", "Single"))
	if c, s := state(); c == ctag || s == token {
		t.Errorf("ctag %q, token %q", c, s)
	}
	if got := found(w.do("ada", "REPORT", adaCalendar, syncCollection(token, "<D:getetag/>"), "Depth: 0").multistatus()); got != "single" {
		t.Errorf("changed: %q", got)
	}
}

func TestMoveAndCopy(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	w.do("ada", "MKCALENDAR", adaHome+"other/", "").want(201)
	send := func(method, from, to string, headers ...string) *answer {
		t.Helper()
		return w.do("ada", method, from, "", append(headers, "Destination: "+w.http.URL+to)...)
	}
	if a := send("MOVE", adaCalendar+"single.ics", adaCalendar+"renamed.ics").want(201); a.header.Get("Location") != w.http.URL+adaCalendar+"renamed.ics" {
		t.Errorf("Location %q", a.header.Get("Location"))
	}
	w.do("ada", "GET", adaCalendar+"single.ics", "").want(404)
	w.do("ada", "GET", adaCalendar+"renamed.ics", "").want(200)
	send("MOVE", adaCalendar+"renamed.ics", adaCalendar+"series.ics", "Overwrite: F").want(412)
	if a := send("MOVE", adaCalendar+"renamed.ics", adaCalendar+"series.ics").want(403, 409); a.xml().find("no-uid-conflict") == nil {
		t.Errorf("overwriting another UID: %s", a.body)
	}
	send("MOVE", adaCalendar+"renamed.ics", adaHome+"other/moved.ics", `If-Match: "stale"`).want(412)
	send("COPY", adaCalendar+"renamed.ics", adaHome+"other/copy.ics").want(201)
	send("COPY", adaCalendar+"renamed.ics", adaHome+"other/copy.ics").want(204)
	send("COPY", adaCalendar+"renamed.ics", adaHome+"other/second.ics").want(403, 409)
	send("COPY", adaCalendar+"renamed.ics", adaCalendar+"second.ics").want(403, 409)
	send("COPY", adaCalendar+"renamed.ics", adaHome+"missing/x.ics").want(409)
	send("COPY", adaCalendar, adaHome+"other/inside/").want(403)
	send("MOVE", adaHome+"other/", adaHome+"third/").want(201)
	if r := w.do("ada", "PROPFIND", adaHome+"third/", propfind("D:resourcetype"), "Depth: 0").multistatus().at(t, adaHome+"third/"); !r.is("calendar") {
		t.Error("a moved calendar is no calendar")
	}
	w.do("ada", "PROPFIND", adaHome+"other/", propfind("D:resourcetype"), "Depth: 0").want(404)
	for _, target := range []string{"/dav/calendars/eve/calendar/x.ics", "/dav/calendars/eve/none/x.ics"} {
		send("COPY", adaCalendar+"renamed.ics", target).want(403)
	}
}

func TestOddNames(t *testing.T) {
	w := newWorld(t)
	names := []string{"a%20b.ics", "a%2520b.ics", "a+b.ics", "a@b.ics", "a:b.ics", "%C3%BC.ics", "no-extension", "%23hash.ics", "%3Fquestion.ics"}
	for i, name := range names {
		w.put(adaCalendar+name, event(fmt.Sprint("odd-", i), "20260105T100000Z", name))
	}
	list := w.listing(adaCalendar)
	if len(list) != len(names) {
		t.Fatalf("%d members, want %d: %v", len(list), len(names), list)
	}
	for href, etag := range list {
		if a := w.do("ada", "GET", href, "").want(200); a.header.Get("ETag") != etag {
			t.Errorf("%s is another resource", href)
		}
		if m := w.do("ada", "REPORT", adaCalendar, multiget("<D:getetag/>", href)).multistatus(); m.at(t, href).text("getetag") != etag {
			t.Errorf("multiget of %s", href)
		}
		w.do("ada", "DELETE", href, "").want(204)
	}
	if a := w.do("ada", "DELETE", adaCalendar+"#x", ""); a.code < 400 {
		t.Errorf("DELETE with a fragment: %d", a.code)
	}
	w.do("ada", "PROPFIND", adaCalendar, propfind("D:resourcetype"), "Depth: 0").want(207)
}

func TestPROPFINDBodies(t *testing.T) {
	w := newWorld(t)
	for name, tt := range map[string]struct {
		body string
		code int
	}{
		"empty":                {"", 207},
		"unknown element":      {`<D:propfind xmlns:D="DAV:"><D:other/></D:propfind>`, 400},
		"allprop and propname": {`<D:propfind xmlns:D="DAV:"><D:allprop/><D:propname/></D:propfind>`, 400},
		"malformed":            {`<D:propfind xmlns:D="DAV:"><D:prop>`, 400},
		"undeclared prefix":    {`<D:propfind xmlns:D="DAV:"><D:prop><X:y/></D:prop></D:propfind>`, 400},
		"empty namespace":      {`<D:propfind xmlns:D="DAV:"><D:prop><x xmlns=""/></D:prop></D:propfind>`, 207},
		"document type":        {`<!DOCTYPE x [<!ENTITY e "y">]><D:propfind xmlns:D="DAV:"><D:prop><D:displayname/></D:prop></D:propfind>`, 400},
	} {
		if a := w.do("ada", "PROPFIND", adaCalendar, tt.body, "Depth: 0"); a.code != tt.code {
			t.Errorf("%s: %d, want %d\n%s", name, a.code, tt.code, a.body)
		}
	}
	w.do("ada", "PROPFIND", adaCalendar+"none.ics", "", "Depth: 0").want(404)
	w.do("ada", "PROPFIND", adaCalendar, "", "Depth: 7").want(400)
}

func TestDeadPropertiesComeBackAsTheyWere(t *testing.T) {
	w := newWorld(t)
	patch := func(body string) *resource {
		t.Helper()
		return w.do("ada", "PROPPATCH", adaCalendar, `<D:propertyupdate `+namespaces+` xmlns:X="urn:x">`+body+`</D:propertyupdate>`).multistatus().at(t, adaCalendar)
	}
	set := func(el string) string { return "<D:set><D:prop>" + el + "</D:prop></D:set>" }
	patch(set(`<X:markup>a &lt;b&gt; &amp; ]]&gt; ü 𝄞</X:markup>`) + set(`<X:tree xml:lang="de" attr="1"><X:in>x</X:in> and <X:in/></X:tree>`) +
		set(`<D:unheard-of>kept</D:unheard-of>`) + set(`<none xmlns="">n</none>`))
	a := w.do("ada", "PROPFIND", adaCalendar, `<D:propfind `+namespaces+` xmlns:X="urn:x"><D:prop><X:markup/><X:tree/><D:unheard-of/><none xmlns=""/></D:prop></D:propfind>`, "Depth: 0")
	r := a.multistatus().at(t, adaCalendar)
	if got := r.text("markup"); got != "a <b> & ]]> ü 𝄞" {
		t.Errorf("markup: %q", got)
	}
	if tree := r.props["tree"]; tree == nil || len(tree.all("in")) != 2 || tree.find("in").text() != "x" || !strings.Contains(a.body, `lang="de"`) || !strings.Contains(a.body, `attr="1"`) {
		t.Errorf("tree: %s", a.body)
	}
	if r.text("unheard-of") != "kept" || r.text("none") != "n" {
		t.Errorf("others: %+v", r.props)
	}

	// In order, and all or nothing.
	patch(set("<X:markup>1</X:markup>") + "<D:remove><D:prop><X:markup/></D:prop></D:remove>" + set("<X:markup>2</X:markup>"))
	r = patch(set("<X:markup>3</X:markup>") + set("<D:resourcetype/>"))
	if !r.lacks["markup"] || !r.lacks["resourcetype"] || len(r.props) != 0 {
		t.Errorf("a protected property: %+v", r)
	}
	r = w.do("ada", "PROPFIND", adaCalendar, `<D:propfind `+namespaces+` xmlns:X="urn:x"><D:prop><X:markup/></D:prop></D:propfind>`, "Depth: 0").multistatus().at(t, adaCalendar)
	if r.text("markup") != "2" {
		t.Errorf("after a refusal: %q", r.text("markup"))
	}
	if r = patch("<D:remove><D:prop><X:never-set/></D:prop></D:remove>"); r.props["never-set"] == nil {
		t.Errorf("removing what is not there: %+v", r)
	}
	if r = patch(set("<D:displayname>" + strings.Repeat("x", 100_000) + "</D:displayname>")); !r.lacks["displayname"] || len(r.props) != 0 {
		t.Errorf("a name that is too long: %+v", r)
	}
	w.do("ada", "PROPPATCH", adaHome+"none/", `<D:propertyupdate `+namespaces+`>`+set("<D:displayname>x</D:displayname>")+`</D:propertyupdate>`).want(404)
}

func TestMKCALENDARRefusesWithTheRightPrecondition(t *testing.T) {
	w := newWorld(t)
	w.do("ada", "MKCALENDAR", adaCalendar, "").precondition(403, nsDAV, "resource-must-be-null")
	w.do("ada", "MKCALENDAR", adaCalendar, "garbage").precondition(403, nsDAV, "resource-must-be-null")
	w.do("ada", "MKCALENDAR", adaCalendar+"inside/", "").precondition(403, nsCal, "calendar-collection-location-ok")
	w.do("ada", "MKCALENDAR", adaHome+"none/inside/", "").want(409)
	w.do("ada", "MKCOL", adaHome+"x/", "<garbage/>").want(415)
	w.do("ada", "MKCOL", adaCalendar, "").want(405)
	protected := `<C:mkcalendar ` + namespaces + `><D:set><D:prop><D:displayname>x</D:displayname><D:getetag>x</D:getetag></D:prop></D:set></C:mkcalendar>`
	w.do("ada", "MKCALENDAR", adaHome+"bad/", protected).want(207, 403)
	w.do("ada", "PROPFIND", adaHome+"bad/", "", "Depth: 0").want(404)
	a := w.do("ada", "MKCALENDAR", adaHome+"bare/", "").want(201)
	if a.body != "" || a.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("answer %v %q", a.header, a.body)
	}
	w.do("ada", "DELETE", adaHome+"bare/", "").want(204)
	w.do("ada", "MKCALENDAR", adaHome+"bare/", "").want(201)
	w.do("ada", "DELETE", "/dav/", "").want(403)
	w.do("eve", "MKCALENDAR", adaHome+"hers/", "").want(403)
	w.do("ben", "MKCALENDAR", adaHome+"his/", "").want(403)
}

func TestTimezonesOfACalendarMirrorEachOther(t *testing.T) {
	w := newWorld(t)
	patch := func(el string) *resource {
		t.Helper()
		return w.do("ada", "PROPPATCH", adaCalendar, `<D:propertyupdate `+namespaces+`>`+el+`</D:propertyupdate>`).multistatus().at(t, adaCalendar)
	}
	read := func() *resource {
		t.Helper()
		return w.do("ada", "PROPFIND", adaCalendar, propfind("C:calendar-timezone", "C:calendar-timezone-id"), "Depth: 0").multistatus().at(t, adaCalendar)
	}
	patch("<D:set><D:prop><C:calendar-timezone-id>Europe/Paris</C:calendar-timezone-id></D:prop></D:set>")
	if r := read(); !strings.Contains(r.text("calendar-timezone"), "TZID:Europe/Paris") || r.text("calendar-timezone-id") != "Europe/Paris" {
		t.Errorf("set by name: %+v", r.props)
	}
	patch("<D:remove><D:prop><C:calendar-timezone/></D:prop></D:remove>")
	if r := read(); r.props["calendar-timezone"] != nil || r.props["calendar-timezone-id"] != nil {
		t.Errorf("removed: %+v", r.props)
	}
	for _, bad := range []string{
		"<C:calendar-timezone>garbage</C:calendar-timezone>",
		"<C:calendar-timezone-id>Nowhere/Land</C:calendar-timezone-id>",
	} {
		if r := patch("<D:set><D:prop>" + bad + "</D:prop></D:set>"); len(r.props) != 0 {
			t.Errorf("%s: %+v", bad, r.props)
		}
	}
}

func TestPrefer(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	a := w.do("ada", "PROPFIND", adaCalendar, propfind("D:nothing"), "Depth: 0", "Prefer: return=minimal")
	if r := a.multistatus().at(t, adaCalendar); len(r.lacks) != 0 || a.header.Get("Preference-Applied") != "return=minimal" || !strings.Contains(a.body, "200 OK") {
		t.Errorf("minimal PROPFIND: %v\n%s", a.header, a.body)
	}
	a = w.do("ada", "PROPPATCH", adaCalendar, `<D:propertyupdate `+namespaces+`><D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set></D:propertyupdate>`, "Prefer: return=minimal").want(200)
	if a.body != "" {
		t.Errorf("minimal PROPPATCH: %s", a.body)
	}
	m := w.do("ada", "PROPFIND", adaCalendar, propfind("D:getetag"), "Depth: 1", "Prefer: depth-noroot").multistatus()
	if _, self := m.resources[adaCalendar]; self || len(m.hrefs) != 3 {
		t.Errorf("depth-noroot: %v", m.hrefs)
	}
	w.do("ada", "PROPFIND", adaCalendar, propfind("D:getetag"), "Depth: 0", "Prefer: depth-noroot").multistatus().at(t, adaCalendar)
	w.do("ada", "PROPFIND", adaCalendar, propfind("D:getetag"), "Depth: 0", "Prefer: something-else").multistatus()
}

func TestStrangersLearnNothing(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	there := []string{adaHome, adaCalendar, adaCalendar + "single.ics"}
	missing := []string{"/dav/calendars/zoe/", adaHome + "none/", adaCalendar + "none.ics"}
	for _, method := range []string{"GET", "PROPFIND", "PROPPATCH", "PUT", "DELETE", "REPORT", "MKCALENDAR", "OPTIONS"} {
		for i := range there {
			a, b := w.do("eve", method, there[i], ""), w.do("eve", method, missing[i], "")
			if a.code != b.code || a.code < 400 || strings.ReplaceAll(a.body, there[i], "") != strings.ReplaceAll(b.body, missing[i], "") {
				t.Errorf("%s %s: %d %s; %s: %d %s", method, there[i], a.code, a.body, missing[i], b.code, b.body)
			}
			w.do(nobody, method, there[i], "").want(401)
			w.do(nobody, method, missing[i], "").want(401)
		}
	}
	for _, user := range []string{"zoe", "ada"} {
		req := w.do(nobody, "PROPFIND", "/dav/", "", "Authorization: Basic "+basic(user, "wrong"))
		req.want(401)
	}
	w.do(nobody, "PROPFIND", "/dav/", "", "Authorization: Bearer ada."+"ada"+secretOf).want(401)
}

func TestReadersWriteNothing(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	w.do("ben", "GET", adaCalendar+"single.ics", "").want(200)
	w.do("ben", "PUT", adaCalendar+"single.ics", event("single", "20260105T100000Z", "His"), icsType).precondition(403, nsDAV, "need-privileges")
	w.do("ben", "PUT", adaCalendar+"new.ics", event("new", "20260105T100000Z", "His"), icsType).precondition(403, nsDAV, "need-privileges")
	w.do("ben", "DELETE", adaCalendar+"single.ics", "").want(403)
	w.do("ben", "PROPPATCH", adaCalendar, `<D:propertyupdate `+namespaces+`><D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set></D:propertyupdate>`).want(403, 207)
	w.do("ben", "MOVE", adaCalendar+"single.ics", "", "Destination: "+w.http.URL+"/dav/calendars/ben/calendar/stolen.ics").want(403)
	w.do("ben", "GET", "/dav/calendars/ben/calendar/stolen.ics", "").want(404)
	w.do("ben", "COPY", adaCalendar+"single.ics", "", "Destination: "+w.http.URL+"/dav/calendars/ben/calendar/copy.ics").want(201)
	r := w.do("ben", "PROPFIND", adaCalendar, propfind("D:current-user-privilege-set"), "Depth: 0").multistatus().at(t, adaCalendar)
	for _, p := range r.privileges() {
		if strings.HasPrefix(p, "write") || p == "bind" || p == "unbind" {
			t.Errorf("a reader has %s", p)
		}
	}
	shared := "/dav/calendars/ben/ada~calendar~shared/"
	list := w.do("ben", "PROPFIND", "/dav/calendars/ben/", propfind("D:resourcetype"), "Depth: 1").multistatus()
	if list.resources[shared] == nil {
		t.Fatalf("ada's calendar is not in ben's home: %v", list.hrefs)
	}
	m := w.do("ben", "REPORT", shared, syncCollection("", "<D:getetag/>"), "Depth: 1").multistatus()
	if len(m.hrefs) != 3 || m.resources[shared+"single.ics"] == nil {
		t.Errorf("sync at the second address: %v", m.hrefs)
	}
}

func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

func TestIfHeaderIsACondition(t *testing.T) {
	w := newWorld(t)
	path := adaCalendar + "if.ics"
	etag := w.put(path, event("if", "20260105T100000Z", "1"))
	text := event("if", "20260105T100000Z", "2")
	for _, refused := range []string{`(["nothing"])`, `(<opaquelocktoken:none>)`, `(Not [` + etag + `])`, `([` + etag + `] <opaquelocktoken:none>)`} {
		w.do("ada", "PUT", path, text, icsType, "If: "+refused).want(412)
	}
	w.do("ada", "PUT", path, text, icsType, "If: garbage").want(400, 412)
	w.do("ada", "PUT", path, text, icsType, `If: (["nothing"]) ([`+etag+`])`).want(204)
	w.do("ada", "PUT", path, text, icsType, "If: (Not <DAV:no-lock>)").want(204)
	w.do("ada", "DELETE", path, "", "If: <"+w.http.URL+path+`> (["nothing"])`).want(412)
	w.do("ada", "GET", path, "").want(200)
}

func TestCopyOfACalendarIsAnotherCalendar(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	send := func(method, from, to string, headers ...string) *answer {
		t.Helper()
		return w.do("ada", method, from, "", append(headers, "Destination: "+w.http.URL+to)...)
	}
	w.do("ada", "PROPPATCH", adaCalendar, `<D:propertyupdate `+namespaces+`><D:set><D:prop><A:calendar-color>#102030</A:calendar-color></D:prop></D:set></D:propertyupdate>`).want(207)
	send("COPY", adaCalendar, adaHome+"copy/").want(201)
	copied, original := w.listing(adaHome+"copy/"), w.listing(adaCalendar)
	if len(copied) != len(original) || copied[adaHome+"copy/single.ics"] != original[adaCalendar+"single.ics"] {
		t.Errorf("copied %v, original %v", copied, original)
	}
	if r := w.do("ada", "PROPFIND", adaHome+"copy/", propfind("A:calendar-color", "D:resourcetype"), "Depth: 0").multistatus().at(t, adaHome+"copy/"); r.text("calendar-color") != "#102030" || !r.is("calendar") {
		t.Errorf("properties of the copy: %+v", r.props)
	}
	w.do("ada", "DELETE", adaHome+"copy/single.ics", "").want(204)
	w.do("ada", "GET", adaCalendar+"single.ics", "").want(200)
	send("COPY", adaCalendar, adaHome+"empty/", "Depth: 0").want(201)
	if n := len(w.listing(adaHome + "empty/")); n != 0 {
		t.Errorf("a copy of depth 0 has %d members", n)
	}
	send("COPY", adaCalendar, adaHome+"empty/", "Overwrite: F").want(412)
	send("COPY", adaCalendar, adaHome+"empty/").want(204)
	if n := len(w.listing(adaHome + "empty/")); n != len(original) {
		t.Errorf("an overwritten calendar has %d members", n)
	}
	send("COPY", adaCalendar, adaHome+"none/inside/").want(403, 409)
	send("MOVE", adaCalendar, "/dav/calendars/eve/taken/").want(403)
	send("MOVE", adaHome+"room-1~shared/", adaHome+"mine/").want(403)
	if n := len(w.listing(adaCalendar)); n != len(original) {
		t.Errorf("the original has %d members", n)
	}
}

func TestBodiesOfUnknownLength(t *testing.T) {
	w := newWorld(t)
	send := func(method, path, body string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, w.http.URL+path, io.MultiReader(strings.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("ada", "ada.ada"+secretOf)
		req.Header.Set("Content-Type", "text/calendar")
		resp, err := w.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if code := send("PUT", adaCalendar+"chunked.ics", event("chunked", "20260105T100000Z", "Chunked")); code != 201 {
		t.Errorf("chunked PUT: %d", code)
	}
	if code := send("PUT", adaCalendar+"large.ics", event("large", "20260105T100000Z", strings.Repeat("x", 2<<20))); code != 403 {
		t.Errorf("chunked PUT that is too large: %d", code)
	}
	if code := send("PROPFIND", adaCalendar, propfind("D:displayname")+strings.Repeat(" ", 32<<20)); code != 413 {
		t.Errorf("chunked PROPFIND that is too large: %d", code)
	}
}
