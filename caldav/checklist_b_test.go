package caldav

import (
	"regexp"
	"strings"
	"testing"
)

var ctagPattern = regexp.MustCompile(`<CS:getctag>([^<]+)</CS:getctag>`)

func (w *world) ctag(t *testing.T, path string) string {
	t.Helper()
	m := ctagPattern.FindStringSubmatch(w.ann("PROPFIND", path, propfind("<CS:getctag/>"), "Depth: 0").in(t).is(207).body)
	if m == nil {
		t.Fatalf("%s has no getctag", path)
	}
	return m[1]
}

func TestChecklistPROPFIND(t *testing.T) {
	w := newWorld(t)
	w.put(cal+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z"))

	t.Run("10 what is not there is 404 as a whole", func(t *testing.T) {
		for _, path := range []string{home + "missing/", cal + "missing.ics", home + "missing/x.ics", "/dav/principals/nobody/", "/dav/nowhere/"} {
			for _, depth := range []string{"0", "1", "infinity"} {
				w.ann("PROPFIND", path, propfind("<D:getetag/>"), "Depth: "+depth).in(t).is(404).lacks("multistatus")
			}
		}
	})
	t.Run("11 12 13 bodies", func(t *testing.T) {
		for name, tt := range map[string]struct {
			body string
			code int
		}{
			"none of the three":    {`<D:propfind` + ns + `><D:unknown/></D:propfind>`, 400},
			"nothing in it":        {`<D:propfind` + ns + `/>`, 400},
			"allprop and propname": {`<D:propfind` + ns + `><D:allprop/><D:propname/></D:propfind>`, 400},
			"prop and allprop":     {`<D:propfind` + ns + `><D:prop/><D:allprop/></D:propfind>`, 400},
			"empty":                {``, 207},
			"malformed":            {`<D:propfind`, 400},
			"undeclared prefix":    {`<D:propfind><D:allprop/></D:propfind>`, 400},
			"another root":         {`<D:propertyupdate` + ns + `/>`, 400},
			"unknown beside":       {`<D:propfind` + ns + `><x xmlns="urn:x"/><D:allprop/></D:propfind>`, 207},
		} {
			r := w.ann("PROPFIND", cal+"a.ics", tt.body, "Depth: 0").in(t)
			if r.code != tt.code {
				t.Errorf("%s: %d, not %d", name, r.code, tt.code)
			}
			if name == "empty" {
				r.has("<D:getetag>", "<D:resourcetype/>")
			}
		}
		w.ann("PROPFIND", cal, "", "Depth: 2").in(t).is(400)
	})
	t.Run("14 unknown properties", func(t *testing.T) {
		w.ann("PROPFIND", cal, propfind(`<D:displayname/><x xmlns="urn:x"/>`), "Depth: 0").in(t).is(207).
			has("200 OK", `<X:x xmlns:X="urn:x"/></D:prop><D:status>HTTP/1.1 404 Not Found`)
		w.ann("PROPFIND", cal, propfind(`<x xmlns="urn:x"/>`), "Depth: 0").in(t).is(207).lacks("200 OK").has("404 Not Found")
	})
	t.Run("15 propname and allprop", func(t *testing.T) {
		w.ann("PROPFIND", cal, `<D:propfind`+ns+`><D:propname/></D:propfind>`, "Depth: 0").in(t).is(207).
			has("<D:displayname/>", "<C:supported-calendar-component-set/>", "<CS:getctag/>").lacks("404 Not Found", "<C:comp ")
		all := `<D:propfind` + ns + `><D:allprop/></D:propfind>`
		w.ann("PROPFIND", cal, all, "Depth: 0").in(t).is(207).
			has("<D:displayname>", "<D:resourcetype>").lacks("404 Not Found", "<C:supported-calendar-component-set", "<D:supported-report-set", "<D:acl")
		w.ann("PROPFIND", cal, strings.Replace(all, "<D:allprop/>", "<D:allprop/><D:include><C:supported-calendar-component-set/></D:include>", 1), "Depth: 0").in(t).
			has(`<C:comp name="VEVENT"/>`)
	})
	t.Run("16 17 length and type", func(t *testing.T) {
		w.ann("PROPFIND", cal, propfind("<D:getcontentlength/>"), "Depth: 0").in(t).has("<D:getcontentlength/>", "200 OK").lacks("404 Not Found")
		w.ann("PUT", cal+"typed.ics", event("typed", "20260301T100000Z", "20260301T110000Z"), `Content-Type: text/calendar; charset="utf-8"; component=vevent; method=x`).in(t).is(201)
		w.ann("PROPFIND", cal+"typed.ics", propfind("<D:getcontenttype/>"), "Depth: 0").in(t).has("<D:getcontenttype>text/calendar;charset=utf-8</D:getcontenttype>")
		if got := w.ann("GET", cal+"typed.ics", "").in(t).header.Get("Content-Type"); got != "text/calendar;charset=utf-8" {
			t.Errorf("the type is %s", got)
		}
	})
	t.Run("18 reports are named where they work", func(t *testing.T) {
		bodies := map[string]string{
			"calendar-query":                queryFor(""),
			"calendar-multiget":             `<C:calendar-multiget` + ns + `><D:prop><D:getetag/></D:prop><D:href>` + cal + `a.ics</D:href></C:calendar-multiget>`,
			"free-busy-query":               `<C:free-busy-query` + ns + `><C:time-range start="20260101T000000Z" end="20260201T000000Z"/></C:free-busy-query>`,
			"sync-collection":               syncFrom("", "<D:prop/>"),
			"expand-property":               `<D:expand-property` + ns + `><D:property name="owner"/></D:expand-property>`,
			"acl-principal-prop-set":        `<D:acl-principal-prop-set` + ns + `><D:prop><D:displayname/></D:prop></D:acl-principal-prop-set>`,
			"principal-match":               `<D:principal-match` + ns + `><D:self/></D:principal-match>`,
			"principal-property-search":     `<D:principal-property-search` + ns + `><D:prop/></D:principal-property-search>`,
			"principal-search-property-set": `<D:principal-search-property-set` + ns + `/>`,
		}
		for _, path := range []string{"/dav/", "/dav/principals/", "/dav/principals/ann/", "/dav/calendars/", home, cal, cal + "a.ics"} {
			listed := w.ann("PROPFIND", path, propfind("<D:supported-report-set/>"), "Depth: 0").in(t).is(207).body
			for name, body := range bodies {
				names := strings.Contains(listed, ":"+name+"/></D:report>")
				works := w.ann("REPORT", path, body, "Depth: 0").in(t).code < 300
				tolerated := path == cal+"a.ics" // query and multiget are taken there without a word
				if names != works && !tolerated {
					t.Errorf("%s at %s: named %v, works %v", name, path, names, works)
				}
			}
		}
	})
	t.Run("19 sync-token is where sync is", func(t *testing.T) {
		w.ann("PROPFIND", cal, propfind("<D:sync-token/>"), "Depth: 0").in(t).has("<D:sync-token>urn:daybook:sync:")
		w.ann("PROPFIND", home, propfind("<D:sync-token/>"), "Depth: 0").in(t).has("404 Not Found")
	})
	t.Run("20 getctag moves with every change and with nothing else", func(t *testing.T) {
		w.ann("MKCALENDAR", home+"other/", "").in(t).is(201)
		data := event("tag", "20260301T100000Z", "20260301T110000Z")
		last, other := w.ctag(t, cal), w.ctag(t, home+"other/")
		step := func(what string, both bool, do func()) {
			t.Helper()
			do()
			now, far := w.ctag(t, cal), w.ctag(t, home+"other/")
			if now == last {
				t.Errorf("%s: the tag stays", what)
			}
			if both != (far != other) {
				t.Errorf("%s: the other calendar's tag moved: %v", what, far != other)
			}
			last, other = now, far
		}
		step("PUT", false, func() { w.put(cal+"tag.ics", data) })
		step("PUT of the same bytes", false, func() { w.put(cal+"tag.ics", data) })
		step("MOVE", false, func() { w.ann("MOVE", cal+"tag.ics", "", "Destination: "+cal+"tag2.ics").is(201) })
		step("MOVE out", true, func() { w.ann("MOVE", cal+"tag2.ics", "", "Destination: "+home+"other/t.ics").is(201) })
		step("MOVE in", true, func() { w.ann("MOVE", home+"other/t.ics", "", "Destination: "+cal+"t.ics").is(201) })
		step("DELETE", false, func() { w.ann("DELETE", cal+"t.ics", "").is(204) })
		w.ann("COPY", cal+"a.ics", "", "Destination: "+home+"other/a.ics").in(t).is(201)
		if w.ctag(t, home+"other/") == other || w.ctag(t, cal) != last {
			t.Error("COPY moves the tag of the source, or not that of the target")
		}
		w.ann("GET", cal+"a.ics", "")
		w.ann("PUT", cal+"a.ics", data, "If-None-Match: *").in(t).is(412)
		if w.ctag(t, cal) != last {
			t.Error("the tag moves without a change")
		}
	})
}
