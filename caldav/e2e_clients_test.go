package caldav_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// The tests in this file send what calendar clients send, in their order and
// with their headers, and ask of each answer what the client needs to go on.

const (
	adaHome      = "/dav/calendars/ada/"
	adaCalendar  = "/dav/calendars/ada/calendar/"
	adaPrincipal = "/dav/principals/ada/"
)

// privileges gives the names in current-user-privilege-set.
func (r *resource) privileges() []string {
	var out []string
	for _, p := range r.props["current-user-privilege-set"].all("privilege") {
		for i := range p.Nodes {
			out = append(out, p.Nodes[i].XMLName.Local)
		}
	}
	return out
}

// reports gives the names in supported-report-set.
func (r *resource) reports() []string {
	var out []string
	for _, s := range r.props["supported-report-set"].all("supported-report") {
		if n := s.find("report"); n != nil && len(n.Nodes) == 1 {
			out = append(out, n.Nodes[0].XMLName.Local)
		}
	}
	return out
}

// is reports whether the resourcetype has all of the names.
func (r *resource) is(names ...string) bool {
	for _, n := range names {
		if r.props["resourcetype"].find(n) == nil {
			return false
		}
	}
	return true
}

// components gives the supported-calendar-component-set.
func (r *resource) components() []string {
	var out []string
	for _, c := range r.props["supported-calendar-component-set"].all("comp") {
		for _, a := range c.Attrs {
			if a.Name.Local == "name" {
				out = append(out, a.Value)
			}
		}
	}
	return out
}

func needAll(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%s: %v lacks %s", what, got, w)
		}
	}
}

func multiget(props string, hrefs ...string) string {
	var b strings.Builder
	b.WriteString(`<C:calendar-multiget ` + namespaces + `><D:prop>` + props + `</D:prop>`)
	for _, h := range hrefs {
		b.WriteString("<D:href>" + h + "</D:href>")
	}
	return b.String() + "</C:calendar-multiget>"
}

func query(props, component, timeRange string) string {
	return `<C:calendar-query ` + namespaces + `><D:prop>` + props + `</D:prop><C:filter><C:comp-filter name="VCALENDAR">` +
		`<C:comp-filter name="` + component + `">` + timeRange + `</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`
}

func syncCollection(token, props string) string {
	return `<D:sync-collection ` + namespaces + `><D:sync-token>` + token + `</D:sync-token><D:sync-level>1</D:sync-level>` +
		`<D:prop>` + props + `</D:prop></D:sync-collection>`
}

func TestDAVx5SetsUpAndSyncs(t *testing.T) {
	w := newWorld(t)
	const xmlType = "Content-Type: application/xml; charset=UTF-8"
	dav := func(method, path, depth, body string) *answer {
		t.Helper()
		headers := []string{xmlType, "Accept: application/xml, text/xml", "User-Agent: DAVx5/4.5 (at.bitfire.davdroid)"}
		if depth != "" {
			headers = append(headers, "Depth: "+depth)
		}
		return w.do("ada", method, path, body, headers...)
	}

	// Set-up: the typed address is the bare origin.
	at := dav("PROPFIND", "/", "0", propfind("D:resourcetype", "D:displayname", "D:current-user-principal", "D:current-user-privilege-set",
		"C:calendar-home-set", "C:supported-calendar-component-set", "A:calendar-color", "C:calendar-description", "C:calendar-timezone")).multistatus()
	principal := at.at(t, "/").props["current-user-principal"].find("href").text()
	if principal != adaPrincipal {
		t.Fatalf("principal %q", principal)
	}
	if a := dav("PROPFIND", "/.well-known/caldav", "0", propfind("D:current-user-principal")).want(301, 302, 307, 308); !strings.HasSuffix(a.header.Get("Location"), "/dav/") {
		t.Errorf("location %q", a.header.Get("Location"))
	}
	options := dav("OPTIONS", principal, "", "").want(200, 204)
	if d := options.header.Get("DAV"); !strings.Contains(d, "calendar-access") || strings.Contains(d, "addressbook") {
		t.Errorf("DAV: %s", d)
	}
	p := dav("PROPFIND", principal, "0", propfind("C:calendar-user-address-set")).multistatus().at(t, principal)
	if !strings.Contains(p.props["calendar-user-address-set"].find("href").text(), "mailto:ada@example.com") {
		t.Errorf("no mailto address: %+v", p.props["calendar-user-address-set"])
	}

	// The calendars.
	p = dav("PROPFIND", principal, "0", propfind("D:displayname", "D:group-membership", "D:resourcetype", "C:calendar-home-set",
		"CS:calendar-proxy-read-for", "CS:calendar-proxy-write-for")).multistatus().at(t, principal)
	home := p.props["calendar-home-set"].find("href").text()
	if home != adaHome {
		t.Fatalf("home %q", home)
	}
	list := func() *multistatus {
		t.Helper()
		return dav("PROPFIND", home, "1", propfind("D:current-user-privilege-set", "D:displayname", "D:owner", "D:resourcetype", "A:calendar-color",
			"C:calendar-description", "C:calendar-timezone", "C:calendar-timezone-id", "C:supported-calendar-component-set", "CS:source")).multistatus()
	}
	all := list()
	if all.at(t, home).is("calendar") {
		t.Error("the home is a calendar")
	}
	c := all.at(t, adaCalendar)
	if !c.is("collection", "calendar") {
		t.Error("the first calendar is no calendar")
	}
	needAll(t, "privileges", c.privileges(), "write-content", "bind", "unbind")
	needAll(t, "components", c.components(), "VEVENT", "VTODO")
	dav("PROPFIND", c.props["owner"].find("href").text(), "0", propfind("D:displayname", "D:resourcetype")).multistatus()

	// A calendar is made in the app, with a body in the app's order.
	created := home + "6b1f3f1e-50a3-4b0a-8f77-0d3b6f0b7c11/"
	dav("MKCALENDAR", created, "", `<?xml version='1.0' encoding='UTF-8' ?><C:mkcalendar `+namespaces+`><D:set><D:prop>`+
		`<D:resourcetype><D:collection/><C:calendar/></D:resourcetype><D:displayname>Work &amp; play</D:displayname>`+
		`<C:calendar-description>ü</C:calendar-description><A:calendar-color>#3B82F6FF</A:calendar-color>`+
		`<C:calendar-timezone-id>Europe/Vienna</C:calendar-timezone-id>`+
		`<C:supported-calendar-component-set><C:comp name="VEVENT"/><C:comp name="VTODO"/></C:supported-calendar-component-set>`+
		`</D:prop></D:set></C:mkcalendar>`).want(201)
	c = list().at(t, created)
	for name, want := range map[string]string{"displayname": "Work & play", "calendar-description": "ü", "calendar-color": "#3B82F6FF", "calendar-timezone-id": "Europe/Vienna"} {
		if got := c.text(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}

	// Upload, then the two ways to look for changes.
	const ics = "Content-Type: text/calendar;charset=utf-8"
	href := created + "uid-1.ics"
	put := w.do("ada", "PUT", href, event("uid-1", "20260105T100000Z", "From the phone"), ics, "If-None-Match: *").want(201)
	w.do("ada", "PUT", href, event("uid-1", "20260105T100000Z", "Again"), ics, "If-None-Match: *").want(412)
	state := func() (token, ctag string) {
		t.Helper()
		r := dav("PROPFIND", created, "0", propfind("D:supported-report-set", "D:sync-token", "CS:getctag", "C:max-resource-size")).multistatus().at(t, created)
		needAll(t, "reports", r.reports(), "calendar-query", "calendar-multiget", "sync-collection")
		return r.text("sync-token"), r.text("getctag")
	}
	token, ctag := state()
	if token == "" || ctag == "" {
		t.Fatal("no state of the calendar")
	}
	q := dav("REPORT", created, "1", query("<D:getetag/>", "VEVENT", `<C:time-range start="20251007T000000Z"/>`)).multistatus()
	if got := q.at(t, href).text("getetag"); got != put.header.Get("ETag") {
		t.Errorf("ETag of the query %q, of the PUT %q", got, put.header.Get("ETag"))
	}
	if n := len(dav("REPORT", created, "1", query("<D:getetag/>", "VTODO", `<C:time-range start="20251007T000000Z"/>`)).multistatus().hrefs); n != 0 {
		t.Errorf("%d tasks", n)
	}
	if tok := dav("REPORT", created, "0", syncCollection("", "<D:getetag/><D:resourcetype/>")).multistatus(); tok.token != token || len(tok.hrefs) != 1 {
		t.Errorf("first sync: token %q, want %q; %v", tok.token, token, tok.hrefs)
	}
	got := dav("REPORT", created, "", multiget("<D:getcontenttype/><D:getetag/><C:schedule-tag/><C:calendar-data/>", href, created+"gone.ics")).multistatus()
	if r := got.at(t, href); !strings.Contains(r.text("calendar-data"), "SUMMARY:From the phone") || !strings.HasPrefix(r.text("getcontenttype"), "text/calendar") {
		t.Errorf("download: %+v", r.props)
	}
	if r := got.at(t, created+"gone.ics"); !strings.Contains(r.status, " 404 ") {
		t.Errorf("missing member: %q", r.status)
	}

	// Change, delete, and an old ETag.
	w.do("ada", "PUT", href, event("uid-1", "20260105T110000Z", "Changed"), ics, `If-Match: "other"`).want(412)
	changed := w.do("ada", "PUT", href, event("uid-1", "20260105T110000Z", "Changed"), ics, "If-Match: "+put.header.Get("ETag")).want(200, 204)
	if now, _ := state(); now == token {
		t.Error("the token did not move")
	}
	w.do("ada", "DELETE", href, "", "If-Match: "+put.header.Get("ETag")).want(412)
	w.do("ada", "DELETE", href, "", "If-Match: "+changed.header.Get("ETag")).want(200, 204)
	w.do("ada", "DELETE", href, "").want(404, 410, 412)
	if m := dav("REPORT", created, "0", syncCollection(token, "<D:getetag/>")).multistatus(); !strings.Contains(m.at(t, href).status, " 404 ") {
		t.Errorf("removed member: %+v", m.resources[href])
	}
	dav("REPORT", created, "0", syncCollection("urn:something:else", "<D:getetag/>")).precondition(403, nsDAV, "valid-sync-token")
	dav("DELETE", created, "", "").want(200, 204)
	dav("DELETE", created, "", "").want(404, 410)
}

func TestAppleCalendarSetsUpAndSyncs(t *testing.T) {
	w := newWorld(t)
	headers := func(depth string) []string {
		h := []string{"Content-Type: text/xml", "Brief: t", "Prefer: return=minimal", "Accept: */*", "User-Agent: iOS/18.5 (22F76) dataaccessd/1.0"}
		if depth != "" {
			h = append(h, "Depth: "+depth)
		}
		return h
	}
	dav := func(method, path, depth, body string) *answer {
		t.Helper()
		return w.do("ada", method, path, body, headers(depth)...)
	}
	find := `<A:propfind xmlns:A="DAV:"><A:prop><A:current-user-principal/><A:principal-URL/><A:resourcetype/></A:prop></A:propfind>`
	w.do(nobody, "PROPFIND", "/.well-known/caldav", find, headers("0")...).want(301, 302, 307, 308, 401)
	if a := w.do(nobody, "PROPFIND", "/dav/", find, headers("0")...).want(401); !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("challenge %q", a.header.Get("WWW-Authenticate"))
	}
	for _, at := range []string{"/dav/", "/", "/principals/"} {
		if r := dav("PROPFIND", at, "0", find).multistatus().at(t, at); r.props["current-user-principal"].find("href").text() != adaPrincipal {
			t.Errorf("%s leads to no principal", at)
		}
	}
	if a := dav("OPTIONS", adaPrincipal, "", "").want(200); !strings.Contains(a.header.Get("DAV"), "calendar-access") {
		t.Errorf("DAV: %s", a.header.Get("DAV"))
	}
	p := dav("PROPFIND", adaPrincipal, "0", propfind("C:calendar-home-set", "C:calendar-user-address-set", "D:current-user-principal", "D:displayname",
		"CS:dropbox-home-URL", "CS:email-address-set", "CS:notification-URL", "D:principal-collection-set", "D:principal-URL", "D:resource-id",
		"C:schedule-inbox-URL", "C:schedule-outbox-URL", "D:supported-report-set")).multistatus().at(t, adaPrincipal)
	if homes := p.props["calendar-home-set"].all("href"); len(homes) != 1 || homes[0].Text != adaHome {
		t.Fatalf("calendar-home-set %+v", homes)
	}
	list := dav("PROPFIND", adaHome, "1", propfind("D:add-member", "D:current-user-privilege-set", "D:displayname", "D:owner", "D:quota-available-bytes",
		"D:quota-used-bytes", "D:resource-id", "D:resourcetype", "D:supported-report-set", "D:sync-token", "A:calendar-color", "A:calendar-order",
		"C:calendar-description", "C:calendar-free-busy-set", "C:calendar-timezone", "C:default-alarm-vevent-date", "C:max-attendees-per-instance",
		"C:schedule-calendar-transp", "C:supported-calendar-component-set", "CS:getctag", "CS:source", "CS:pushkey", "CS:publish-url", "CS:invite")).multistatus()
	if !list.at(t, adaHome).is("collection") || list.at(t, adaHome).is("calendar") {
		t.Error("the home is not a plain collection")
	}
	for _, href := range list.hrefs {
		if !strings.HasPrefix(href, adaHome) {
			t.Errorf("%s is not below the home", href)
		}
	}
	needAll(t, "privileges", list.at(t, adaCalendar).privileges(), "write", "write-content")
	if r := list.at(t, adaHome+"room-1~shared/"); !r.is("calendar") || r.text("displayname") == "" {
		t.Errorf("the room's calendar: %+v", r.props)
	}

	// A default alarm of the home, one property a request.
	alarm := `<D:propertyupdate ` + namespaces + `><D:set><D:prop><C:default-alarm-vevent-date>BEGIN:VALARM&#13;
X-WR-ALARMUID:1&#13;
TRIGGER:-PT15H&#13;
ACTION:NONE&#13;
END:VALARM&#13;
</C:default-alarm-vevent-date></D:prop></D:set></D:propertyupdate>`
	dav("PROPPATCH", adaHome, "", alarm).want(200, 207)
	if r := dav("PROPFIND", adaHome, "0", propfind("C:default-alarm-vevent-date")).multistatus().at(t, adaHome); !strings.Contains(r.text("default-alarm-vevent-date"), "TRIGGER:-PT15H\r\n") {
		t.Errorf("default alarm: %q", r.text("default-alarm-vevent-date"))
	}

	// A calendar, and changes of it.
	created := adaHome + "9A2C4B1E-5D40-4A52-8F0B-4F5C0E9B2A77/"
	zone := strings.ReplaceAll(calendar("BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "BEGIN:STANDARD", "DTSTART:19961027T030000",
		"TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE"), "\r\n", "&#13;\n")
	dav("MKCALENDAR", created, "", `<B:mkcalendar xmlns:B="urn:ietf:params:xml:ns:caldav"><A:set xmlns:A="DAV:"><A:prop>`+
		`<D:calendar-order xmlns:D="http://apple.com/ns/ical/">7</D:calendar-order>`+
		`<B:supported-calendar-component-set><B:comp name="VEVENT"/></B:supported-calendar-component-set>`+
		`<D:calendar-color xmlns:D="http://apple.com/ns/ical/" symbolic-color="custom">#FF2968FF</D:calendar-color>`+
		`<B:calendar-timezone>`+zone+`</B:calendar-timezone><A:displayname>Privat</A:displayname>`+
		`<B:calendar-free-busy-set><YES/></B:calendar-free-busy-set><B:schedule-calendar-transp><B:opaque/></B:schedule-calendar-transp>`+
		`</A:prop></A:set></B:mkcalendar>`).want(201)
	for _, change := range []string{
		`<A:calendar-order>2</A:calendar-order>`,
		`<A:calendar-color symbolic-color="red">#FF3B30FF</A:calendar-color>`,
		`<D:displayname>Privates</D:displayname>`,
		`<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>`,
		`<C:calendar-description>d</C:calendar-description>`,
	} {
		dav("PROPPATCH", created, "", `<D:propertyupdate `+namespaces+`><D:set><D:prop>`+change+`</D:prop></D:set></D:propertyupdate>`).want(200, 207)
	}
	r := dav("PROPFIND", created, "0", propfind("A:calendar-order", "A:calendar-color", "D:displayname", "C:schedule-calendar-transp", "C:calendar-timezone")).multistatus().at(t, created)
	if r.text("calendar-order") != "2" || r.text("calendar-color") != "#FF3B30FF" || r.text("displayname") != "Privates" ||
		r.props["schedule-calendar-transp"].find("transparent") == nil || !strings.Contains(r.text("calendar-timezone"), "TZID:Europe/Berlin\r\n") {
		t.Errorf("changes read back: %+v", r.props)
	}
	if a := r.props["calendar-color"].Attrs; !slices.ContainsFunc(a, func(a xml.Attr) bool { return a.Name.Local == "symbolic-color" && a.Value == "red" }) {
		t.Errorf("symbolic-color is lost: %+v", a)
	}

	// Poll, put, sync with Depth 1.
	state := func() string {
		t.Helper()
		r := dav("PROPFIND", created, "0", propfind("CS:getctag", "D:sync-token")).multistatus().at(t, created)
		return r.text("getctag") + " " + r.text("sync-token")
	}
	before := state()
	first := dav("REPORT", created, "1", syncCollection("", "<D:getcontenttype/><D:getetag/>")).multistatus()
	href := created + "7D0B3C0F-0C5C-4E54-9A43-0C2F8E0B6B55.ics"
	body := event("7D0B3C0F-0C5C-4E54-9A43-0C2F8E0B6B55", "20260106T100000Z", "Zahnarzt",
		"X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=Praxis:geo:52.5,13.3")
	put := w.do("ada", "PUT", href, body, "Content-Type: text/calendar", "If-None-Match: *").want(201)
	if state() == before {
		t.Error("neither ctag nor token moved")
	}
	changes := dav("REPORT", created, "1", syncCollection(first.token, "<D:getcontenttype/><D:getetag/>")).multistatus()
	if len(changes.hrefs) != 1 || changes.at(t, href).text("getetag") != put.header.Get("ETag") {
		t.Errorf("changes %v", changes.hrefs)
	}
	got := dav("REPORT", created, "1", multiget("<D:getetag/><C:calendar-data/><C:schedule-tag/><CS:created-by/><CS:updated-by/>", href)).multistatus()
	if got.at(t, href).text("calendar-data") != body {
		t.Errorf("the bytes differ:\n%s", got.at(t, href).text("calendar-data"))
	}
	w.do("ada", "PUT", href, event("7D0B3C0F-0C5C-4E54-9A43-0C2F8E0B6B55", "20260106T120000Z", "Zahnarzt"), "Content-Type: text/calendar", "If-Match: "+put.header.Get("ETag")).want(204)
	w.do("ada", "DELETE", href, "").want(204)
	if m := dav("REPORT", created, "1", syncCollection(changes.token, "<D:getetag/>")).multistatus(); !strings.Contains(m.at(t, href).status, " 404 ") {
		t.Errorf("removed member: %+v", m.resources[href])
	}
}

func TestThunderbirdFindsAndSyncs(t *testing.T) {
	w := newWorld(t)
	w.put(adaCalendar+"a.ics", event("a", "20260105T100000Z", "A"))
	ask := []string{"Content-Type: text/xml; charset=utf-8", "Depth: 0"}
	detect := propfind("D:resourcetype", "D:owner", "D:displayname", "D:current-user-principal", "D:current-user-privilege-set", "A:calendar-color", "C:calendar-home-set")

	// Three probes side by side; one of them a PUT that must harm nothing.
	for _, path := range []string{"/.well-known/caldav", adaCalendar, "/"} {
		w.do(nobody, "PROPFIND", path, detect, ask...).want(401, 301, 302, 307, 308)
	}
	before := w.do("ada", "PROPFIND", adaCalendar, propfind("CS:getctag"), ask...).multistatus().at(t, adaCalendar).text("getctag")
	for _, path := range []string{"/", adaHome, adaCalendar, adaCalendar + "a.ics"} {
		if a := w.do("ada", "PUT", path, "", "If-Match: nothing"); a.code < 400 || a.code >= 500 {
			t.Errorf("probe of %s: %d", path, a.code)
		}
	}
	w.do("ada", "HEAD", adaCalendar, "", "Accept: text/calendar, application/ics, text/plain;q=0.9")
	if now := w.do("ada", "PROPFIND", adaCalendar, propfind("CS:getctag"), ask...).multistatus().at(t, adaCalendar).text("getctag"); now != before {
		t.Error("a probe changed the calendar")
	}

	for _, path := range []string{adaCalendar, adaHome, "/"} {
		r := w.do("ada", "PROPFIND", path, detect, ask...).multistatus().at(t, path)
		if r.props["current-user-principal"].find("href").text() != adaPrincipal {
			t.Errorf("%s leads to no principal", path)
		}
	}
	list := w.do("ada", "PROPFIND", adaHome, propfind("D:resourcetype", "D:displayname", "D:current-user-privilege-set", "A:calendar-color"), "Depth: 1").multistatus()
	needAll(t, "privileges", list.at(t, adaCalendar).privileges(), "write", "read")

	// The calendar is opened.
	r := w.do("ada", "PROPFIND", adaCalendar, propfind("D:resourcetype", "D:owner", "D:current-user-principal", "D:current-user-privilege-set",
		"D:supported-report-set", "C:supported-calendar-component-set", "CS:getctag"), ask...).multistatus().at(t, adaCalendar)
	needAll(t, "reports", r.reports(), "sync-collection", "calendar-multiget")
	w.do("ada", "OPTIONS", adaHome, "").want(200)
	first := w.do("ada", "REPORT", adaCalendar, syncCollection("", "<D:getcontenttype/><D:getetag/>"), "Depth: 1").multistatus()
	if _, self := first.resources[adaCalendar]; self || len(first.hrefs) != 1 {
		t.Errorf("first sync: %v", first.hrefs)
	}
	tag := w.do("ada", "PUT", adaCalendar+"b.ics", event("b", "20260105T120000Z", "B"), "Content-Type: text/calendar; charset=utf-8", "If-None-Match: *").want(201).header.Get("ETag")
	got := w.do("ada", "REPORT", adaCalendar, multiget("<D:getetag/><C:calendar-data/>", adaCalendar+"b.ics"), "Depth: 1").multistatus()
	if got.at(t, adaCalendar+"b.ics").text("getetag") != tag {
		t.Error("the ETag of the PUT is not that of the multiget")
	}
	w.do("ada", "PUT", adaCalendar+"b.ics", event("b", "20260105T130000Z", "B"), `If-Match: "stale"`).want(412)
	w.do("ada", "DELETE", adaCalendar+"b.ics", "", "If-Match: "+tag).want(204)
}

func TestEvolutionFindsAndSyncsByCtag(t *testing.T) {
	w := newWorld(t)
	const xmlType = `Content-Type: application/xml; charset="utf-8"`
	a := w.do(nobody, "PROPFIND", "/", propfind("D:resourcetype"), xmlType, "Depth: 0").want(401)
	if a.header.Get("WWW-Authenticate") == "" {
		t.Error("no challenge")
	}
	r := w.do("ada", "PROPFIND", "/", propfind("D:resourcetype", "D:current-user-principal", "D:principal-URL", "C:calendar-home-set", "C:calendar-user-address-set"), xmlType, "Depth: 0").multistatus().at(t, "/")
	principal := r.props["current-user-principal"].find("href").text()
	home := w.do("ada", "PROPFIND", principal, propfind("C:calendar-home-set"), xmlType, "Depth: 0").multistatus().at(t, principal).props["calendar-home-set"].find("href").text()
	list := w.do("ada", "PROPFIND", home, propfind("D:resourcetype", "CS:source", "C:supported-calendar-component-set", "D:displayname", "D:getetag", "CS:getctag",
		"D:getcontenttype", "A:calendar-color", "A:calendar-order"), xmlType, "Depth: 1").multistatus()
	needAll(t, "components", list.at(t, adaCalendar).components(), "VEVENT", "VTODO", "VJOURNAL")

	if a := w.do(nobody, "OPTIONS", adaCalendar, "").want(200, 401); a.code == 200 && !strings.Contains(a.header.Get("DAV"), "calendar-access") {
		t.Errorf("DAV: %s", a.header.Get("DAV"))
	}
	if a := w.do("ada", "OPTIONS", adaCalendar, "").want(200); !strings.Contains(a.header.Get("DAV"), "calendar-access") {
		t.Errorf("DAV: %s", a.header.Get("DAV"))
	}
	ctag := func() string {
		return w.do("ada", "PROPFIND", adaCalendar, propfind("CS:getctag"), xmlType, "Depth: 0").multistatus().at(t, adaCalendar).text("getctag")
	}
	before := ctag()
	const ics = `Content-Type: text/calendar; charset="utf-8"`
	put := w.do("ada", "PUT", adaCalendar+"eds.ics", event("eds", "20260105T100000Z", "EDS"), ics, "Prefer: return=minimal", "If-None-Match: *").want(201)
	if put.header.Get("ETag") == "" {
		t.Error("without an ETag the client says that the write failed")
	}
	moved := ctag()
	if moved == before {
		t.Error("the ctag did not move")
	}
	for _, timeRange := range []string{`<C:time-range start="20251201T000000Z" end="20260209T000000Z"/>`, ""} {
		if q := w.do("ada", "REPORT", adaCalendar, query("<D:getetag/>", "VEVENT", timeRange), xmlType, "Depth: 1").multistatus(); len(q.hrefs) != 1 {
			t.Errorf("query %q: %v", timeRange, q.hrefs)
		}
	}
	if got := w.do("ada", "REPORT", adaCalendar, multiget("<D:getetag/><C:calendar-data/>", adaCalendar+"eds.ics"), xmlType).multistatus(); got.at(t, adaCalendar+"eds.ics").text("calendar-data") == "" {
		t.Error("no data")
	}
	w.do("ada", "PUT", adaCalendar+"eds.ics", event("eds", "20260105T110000Z", "EDS"), ics).want(204)
	w.do("ada", "DELETE", adaCalendar+"eds.ics", "").want(204)
	if ctag() == moved {
		t.Error("the ctag did not move")
	}
}

func TestKDEListsAndWrites(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", adaPrincipal, adaHome, adaCalendar, adaCalendar + "none.ics", "/dav/calendars/zoe/none/"} {
		w.do(nobody, "PROPFIND", path, propfind("D:resourcetype"), "Depth: 0").want(401)
	}
	if r := w.do("ada", "PROPFIND", "/", propfind("C:calendar-home-set", "D:current-user-principal", "D:principal-URL"), "Depth: 0").multistatus().at(t, "/"); r.props["current-user-principal"] == nil {
		t.Error("no principal")
	}
	list := w.do("ada", "PROPFIND", adaHome, propfind("D:displayname", "D:resourcetype", "A:calendar-color", "C:supported-calendar-component-set",
		"D:current-user-privilege-set", "CS:getctag"), "Depth: 1").multistatus()
	if list.at(t, adaCalendar).text("getctag") == "" {
		t.Error("no ctag")
	}
	name := adaCalendar + "1767612345.R117.ics" // not the UID
	w.do("ada", "PUT", name, event("kde", "20260105T100000Z", "KDE"), "Content-Type: text/calendar", "If-None-Match: *").want(201)
	if a := w.do("ada", "GET", name, "").want(200); a.body != event("kde", "20260105T100000Z", "KDE") || a.header.Get("ETag") == "" {
		t.Errorf("GET: %q", a.body)
	}
	for component, want := range map[string]int{"VEVENT": 1, "VTODO": 0, "VJOURNAL": 0} {
		q := w.do("ada", "REPORT", adaCalendar, query("<D:getetag/><D:resourcetype/>", component, `<C:time-range start="20251007T000000Z"/>`), "Depth: 1").multistatus()
		if len(q.hrefs) != want {
			t.Errorf("%s: %v", component, q.hrefs)
		}
	}
}

func TestOutlookSynchronizerMakesCalendarsByMKCOL(t *testing.T) {
	w := newWorld(t)
	created := adaHome + "outlook/"
	w.do("ada", "MKCOL", created, `<D:mkcol `+namespaces+`><D:set><D:prop><D:resourcetype><D:collection/><C:calendar/></D:resourcetype></D:prop></D:set></D:mkcol>`).want(201)
	change := func(el string) {
		t.Helper()
		r := w.do("ada", "PROPPATCH", created, `<D:propertyupdate `+namespaces+`><D:set><D:prop>`+el+`</D:prop></D:set></D:propertyupdate>`).multistatus().at(t, created)
		if len(r.props) != 1 || len(r.lacks) != 0 {
			t.Errorf("%s: %+v", el, r)
		}
	}
	change("<D:displayname>Outlook</D:displayname>")
	change("<A:calendar-color>#112233</A:calendar-color>")
	if a := w.do("ada", "OPTIONS", created, "").want(200); !strings.Contains(a.header.Get("DAV"), "calendar-access") {
		t.Errorf("DAV: %s", a.header.Get("DAV"))
	}
	for _, one := range []string{"D:resourcetype", "D:supported-report-set", "D:current-user-privilege-set", "D:owner"} {
		if r := w.do("ada", "PROPFIND", created, propfind(one), "Depth: 0").multistatus().at(t, created); len(r.props) != 1 {
			t.Errorf("%s: %+v", one, r)
		}
	}
	for i := range 3 {
		w.do("ada", "PUT", fmt.Sprintf("%s%d.ics", created, i), event(fmt.Sprint("o", i), "20260105T100000Z", "O"), "Content-Type: text/calendar; charset=utf-8", "If-None-Match: *").want(201)
	}
	q := w.do("ada", "REPORT", created, query("<D:getetag/>", "VEVENT", `<C:time-range start="20260101T000000Z" end="20260201T000000Z"/>`), "Depth: 1").multistatus()
	got := w.do("ada", "REPORT", created, multiget("<D:getetag/><D:displayname/><C:calendar-data/>", q.hrefs...), "Depth: 1").multistatus()
	if len(q.hrefs) != 3 || len(got.hrefs) != 3 {
		t.Errorf("query %v, multiget %v", q.hrefs, got.hrefs)
	}
	w.do("ada", "REPORT", created, syncCollection("http://example.com/ns/sync/1", "<D:getetag/>"), "Depth: 0").precondition(http.StatusForbidden, nsDAV, "valid-sync-token")
}
