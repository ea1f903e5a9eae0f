package caldav_test

import (
	"strings"
	"testing"
)

func TestPrincipalsAreFoundByName(t *testing.T) {
	w := newWorld(t)
	search := func(inner, props string) string {
		return `<D:principal-property-search ` + namespaces + `>` + inner + `<D:prop>` + props + `</D:prop></D:principal-property-search>`
	}
	byName := func(name string) string {
		return `<D:property-search><D:prop><D:displayname/></D:prop><D:match>` + name + `</D:match></D:property-search>`
	}
	for _, target := range []string{"/", "/dav/", "/dav/principals/"} {
		m := w.do("ada", "REPORT", target, search(byName("noor"), "<C:calendar-home-set/><D:displayname/>"), "Depth: 0").multistatus()
		if len(m.hrefs) != 1 || m.at(t, adaPrincipal).props["calendar-home-set"].find("href").text() != adaHome {
			t.Errorf("%s: %v", target, m.hrefs)
		}
	}
	if m := w.do("eve", "REPORT", "/dav/principals/", search(byName("noor"), "<D:displayname/>"), "Depth: 0").multistatus(); len(m.hrefs) != 0 {
		t.Errorf("a stranger finds %v", m.hrefs)
	}
	// What a client library in wide use sends: the properties beside an empty
	// prop, and to list all no search at all.
	odd := `<D:principal-property-search ` + namespaces + `><D:property-search><D:prop><D:displayname/></D:prop><D:match>Ada Noor</D:match></D:property-search>` +
		`<D:prop/><C:calendar-home-set/><D:displayname/></D:principal-property-search>`
	if m := w.do("ada", "REPORT", "/dav/", odd).multistatus(); len(m.hrefs) != 1 || m.at(t, adaPrincipal).text("displayname") != "Ada Noor" {
		t.Errorf("malformed search: %v", m.hrefs)
	}
	if m := w.do("ada", "REPORT", "/dav/", `<D:principal-property-search `+namespaces+`><D:prop/><C:calendar-home-set/><D:displayname/></D:principal-property-search>`).multistatus(); m.resources[adaPrincipal] == nil {
		t.Errorf("list of all: %v", m.hrefs)
	}
	w.do("ada", "REPORT", "/dav/principals/", search(byName("noor"), ""), "Depth: 1").want(400)
}

func TestPrincipalMatchGivesOneself(t *testing.T) {
	w := newWorld(t)
	body := `<D:principal-match ` + namespaces + `><D:self/><D:prop><D:displayname/></D:prop></D:principal-match>`
	if m := w.do("ada", "REPORT", "/dav/principals/", body, "Depth: 0").multistatus(); len(m.hrefs) != 1 || m.resources[adaPrincipal] == nil {
		t.Errorf("self: %v", m.hrefs)
	}
	w.do("ada", "REPORT", "/dav/principals/", body, "Depth: 1").want(400)
}

func TestPrincipalSearchPropertySet(t *testing.T) {
	w := newWorld(t)
	a := w.do("ada", "REPORT", "/dav/principals/", `<D:principal-search-property-set `+namespaces+`/>`, "Depth: 0").want(200)
	if root := a.xml(); root.XMLName.Local != "principal-search-property-set" || len(root.all("principal-search-property")) == 0 {
		t.Errorf("answer %s", a.body)
	}
}

func TestExpandPropertyFollowsAddresses(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	body := `<D:expand-property ` + namespaces + `><D:property name="owner"><D:property name="displayname"/><D:property name="nothing" namespace="urn:x"/>` +
		`</D:property><D:property name="nothing-either" namespace="urn:y"/></D:expand-property>`
	a := w.do("ada", "REPORT", adaCalendar, body, "Depth: 0")
	r := a.multistatus().at(t, adaCalendar)
	inner := r.props["owner"].find("response")
	if inner == nil || inner.find("href").text() != adaPrincipal || inner.find("propstat", "prop", "displayname").text() != "Ada Noor" {
		t.Fatalf("owner is not expanded: %s", a.body)
	}
	if !r.lacks["nothing-either"] || !strings.Contains(a.body, "urn:x") || !strings.Contains(a.body, "urn:y") {
		t.Errorf("unknown properties: %s", a.body)
	}
}

func TestPrivilegesAreShown(t *testing.T) {
	w := newWorld(t)
	names := []string{"D:current-user-privilege-set", "D:acl", "D:supported-privilege-set", "D:owner", "D:principal-collection-set", "D:acl-restrictions"}
	r := w.do("ada", "PROPFIND", adaCalendar, propfind(names...), "Depth: 0").multistatus().at(t, adaCalendar)
	for _, n := range names {
		if r.props[n[2:]] == nil {
			t.Errorf("%s is not readable by the owner", n)
		}
	}
	room := "/dav/calendars/room-1/calendar/"
	r = w.do("ada", "PROPFIND", room, propfind(names...), "Depth: 0").multistatus().at(t, room)
	needAll(t, "privileges on the room", r.privileges(), "read", "write-content", "bind", "unbind", "read-free-busy")
}

func TestResourceIDStaysOverAMove(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	id := func(path string) string {
		t.Helper()
		return w.do("ada", "PROPFIND", path, propfind("D:resource-id"), "Depth: 0").multistatus().at(t, path).props["resource-id"].find("href").text()
	}
	before := id(adaCalendar + "single.ics")
	if !strings.HasPrefix(before, "urn:uuid:") {
		t.Fatalf("resource-id %q", before)
	}
	w.put(adaCalendar+"single.ics", event("single", "20260105T120000Z", "Edited"))
	w.do("ada", "MKCALENDAR", adaHome+"other/", "").want(201)
	w.do("ada", "MOVE", adaCalendar+"single.ics", "", "Destination: "+w.http.URL+adaHome+"other/moved.ics").want(201)
	if after := id(adaHome + "other/moved.ics"); after != before {
		t.Errorf("after a move %q, before %q", after, before)
	}
	w.do("ada", "COPY", adaHome+"other/moved.ics", "", "Destination: "+w.http.URL+adaCalendar+"copy.ics").want(201)
	if copied := id(adaCalendar + "copy.ics"); copied == before {
		t.Error("a copy has the same resource-id")
	}
	if id(adaCalendar) == id(adaHome+"other/") {
		t.Error("two calendars have the same resource-id")
	}
}
