package caldav

import (
	"strings"
	"testing"
)

func TestChecklistSync(t *testing.T) {
	w := newWorld(t)
	w.fill(3)
	const etag = `<D:prop><D:getetag/></D:prop>`
	sync := func(t *testing.T, token, more string, headers ...string) *reply {
		return w.ann("REPORT", cal, syncFrom(token, more), headers...).in(t)
	}
	t.Run("93 the first listing", func(t *testing.T) {
		w.put(cal+"gone.ics", event("gone", "20260401T100000Z", "20260401T110000Z"))
		w.ann("DELETE", cal+"gone.ics", "").in(t).is(204)
		r := sync(t, "", etag, "Depth: 1").is(207).lists("e0000.ics,e0001.ics,e0002.ics").has("<D:sync-token>urn:")
		if strings.Contains(r.body, "<D:href>"+cal+"</D:href>") {
			t.Error("the calendar itself is listed")
		}
		for _, empty := range []string{"<D:prop/>", ""} {
			r := sync(t, "", empty).is(207)
			if strings.Count(r.body, "<D:status>HTTP/1.1 200 OK</D:status>") != 3 {
				t.Errorf("not every member has a propstat\n%s", r.body)
			}
		}
		sync(t, "", `<D:prop><D:nothing/></D:prop>`).is(207).has("<D:propstat>")
		sync(t, "", `<D:prop><D:nothing/></D:prop>`, "Prefer: return=minimal").is(207).has("200 OK")
	})
	t.Run("94 95 96 97 what changed", func(t *testing.T) {
		one := sync(t, "", etag).token()
		w.put(cal+"e0001.ics", event("e0001", "20260302T090000Z", "20260302T100000Z"))
		w.put(cal+"e0001.ics", event("e0001", "20260302T090000Z", "20260302T100000Z"))
		two := sync(t, one, etag).is(207).lists("e0001.ics").token()
		w.put(cal+"e0001.ics", event("e0001", "20260302T090000Z", "20260302T100000Z"))
		sync(t, two, etag).lists("e0001.ics") // the same bytes are a change
		w.put(cal+"short.ics", event("short", "20260302T090000Z", "20260302T100000Z"))
		w.ann("DELETE", cal+"short.ics", "").in(t).is(204)
		w.ann("DELETE", cal+"e0002.ics", "").in(t).is(204)
		r := sync(t, two, etag).lists("e0001.ics,short.ics 404,e0002.ics 404")
		if strings.Count(r.body, "<D:propstat>") != 1 {
			t.Errorf("a removed member has a propstat\n%s", r.body)
		}
		idle := sync(t, r.token(), etag).is(207).lists("")
		if idle.token() != r.token() {
			t.Error("the token moves without a change")
		}
		sync(t, one, etag).lists("e0001.ics,short.ics 404,e0002.ics 404")
		w.put(cal+"e0002.ics", event("e0002", "20260302T090000Z", "20260302T100000Z"))
		sync(t, one, etag).lists("e0001.ics,short.ics 404,e0002.ics")
		w.ann("PROPFIND", cal, propfind("<D:sync-token/><CS:getctag/>"), "Depth: 0").in(t).has(sync(t, one, etag).token())
	})
	t.Run("98 tokens of others", func(t *testing.T) {
		good := sync(t, "", etag).token()
		w.ann("MKCALENDAR", home+"other/", "").in(t).is(201)
		foreign := w.ann("REPORT", home+"other/", syncFrom("", etag)).in(t).is(207).token()
		for _, bad := range []string{"x", "urn:x", "http://example.com/1", foreign, good + "0", good + "x", strings.ToUpper(good), "data:,1"} {
			sync(t, bad, etag).refuses("valid-sync-token")
		}
	})
	t.Run("99 levels", func(t *testing.T) {
		level := func(s string) string {
			return strings.Replace(syncFrom("", etag), "<D:sync-level>1</D:sync-level>", s, 1)
		}
		for s, code := range map[string]int{"<D:sync-level>1</D:sync-level>": 207, "<D:sync-level>infinite</D:sync-level>": 207, "<D:sync-level>2</D:sync-level>": 400, "<D:sync-level/>": 400, "": 400} {
			w.ann("REPORT", cal, level(s), "Depth: 0").in(t).is(code)
		}
		w.ann("REPORT", cal, level(""), "Depth: 1").in(t).is(207)
		w.ann("REPORT", cal, level("<D:sync-level>1</D:sync-level>")).in(t).is(207)
		w.ann("REPORT", home, syncFrom("", etag)).in(t).refuses("supported-report")
		w.ann("REPORT", cal+"e0000.ics", syncFrom("", etag)).in(t).refuses("supported-report")
	})
	t.Run("100 limits", func(t *testing.T) {
		limit := `<D:limit><D:nresults>2</D:nresults></D:limit>`
		part := sync(t, "", limit+etag).is(207).has("<D:href>"+cal+"</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status>", "<D:error><D:number-of-matches-within-limits/></D:error>")
		rest := sync(t, part.token(), limit+etag).is(207).lacks("507 ")
		if n := strings.Count(part.body, ".ics</D:href>") + strings.Count(rest.body, ".ics</D:href>"); n != 3 {
			t.Errorf("%d members in two parts", n)
		}
		if rest.token() != sync(t, "", etag).token() {
			t.Error("the parts end in another state")
		}
		sync(t, "", `<D:limit><D:nresults>0</D:nresults></D:limit>`+etag).is(400)
	})
}

func TestChecklistPrefer(t *testing.T) {
	w := newWorld(t)
	w.fill(2)
	minimal := "Prefer: return=minimal"
	t.Run("101 minimal answers", func(t *testing.T) {
		for _, h := range []string{minimal, "Brief: t", "Prefer: respond-async, return=minimal"} {
			r := w.ann("PROPFIND", cal, propfind("<D:displayname/><D:nothing/>"), "Depth: 1", h).in(t).is(207).lacks("404 Not Found").has("<D:displayname>")
			if r.header.Get("Preference-Applied") != "return=minimal" || !strings.Contains(r.header.Get("Vary"), "Prefer") {
				t.Errorf("%v", r.header)
			}
			w.ann("PROPFIND", cal, propfind("<D:nothing/>"), "Depth: 0", h).in(t).has("<D:propstat><D:prop></D:prop><D:status>HTTP/1.1 200 OK")
			query := strings.Replace(queryFor(`<C:comp-filter name="VEVENT"/>`), "<D:getetag/>", "<D:getetag/><D:nothing/>", 1)
			w.ann("REPORT", cal, query, "Depth: 1", h).in(t).is(207).lacks("404 Not Found").has("<D:getetag>")
		}
		w.ann("PROPFIND", cal, propfind("<D:nothing/>"), "Depth: 0").in(t).has("404 Not Found").lacks("200 OK")
	})
	t.Run("102 minimal success", func(t *testing.T) {
		r := w.ann("PROPPATCH", cal, setProps("<D:displayname>x</D:displayname>"), minimal).in(t).is(200)
		if r.body != "" || r.header.Get("Preference-Applied") != "return=minimal" {
			t.Errorf("%v %s", r.header, r.body)
		}
		w.ann("PROPPATCH", cal, setProps("<D:getetag>x</D:getetag>"), minimal).in(t).is(207).has("403 Forbidden")
		if r := w.ann("MKCALENDAR", home+"m/", mkcalendar("<D:displayname>x</D:displayname>"), minimal).in(t).is(201); r.body != "" {
			t.Error(r.body)
		}
	})
	t.Run("103 depth-noroot", func(t *testing.T) {
		const self = "<D:href>" + cal + "</D:href>"
		w.ann("PROPFIND", cal, propfind("<D:getetag/>"), "Depth: 1").in(t).has(self)
		r := w.ann("PROPFIND", cal, propfind("<D:getetag/>"), "Depth: 1", "Prefer: depth-noroot, return=minimal").in(t).lacks(self).has("e0000.ics")
		if got := strings.Join(r.header["Preference-Applied"], ", "); !strings.Contains(got, "depth-noroot") || !strings.Contains(got, "return=minimal") {
			t.Errorf("applied: %s", got)
		}
		w.ann("PROPFIND", cal, propfind("<D:displayname/>"), "Depth: 0", "Prefer: depth-noroot").in(t).has(self)
		w.ann("PROPFIND", home, propfind("<D:displayname/>"), "Depth: 1", "Prefer: depth-noroot").in(t).lacks("<D:href>" + home + "</D:href>").has(self)
	})
	t.Run("104 the object in the answer", func(t *testing.T) {
		data := event("rep", "20260301T100000Z", "20260301T110000Z")
		for _, code := range []int{201, 200} {
			r := w.ann("PUT", cal+"rep.ics", data, "Prefer: return=representation").in(t).is(code)
			if r.body != data || r.header.Get("Content-Location") != cal+"rep.ics" || r.header.Get("ETag") == "" || r.header.Get("Content-Type") != calendarType ||
				r.header.Get("Preference-Applied") != "return=representation" {
				t.Errorf("%v %s", r.header, r.body)
			}
		}
		if r := w.ann("PUT", cal+"rep.ics", data).in(t).is(204); r.body != "" {
			t.Error(r.body)
		}
	})
	t.Run("105 what nobody knows", func(t *testing.T) {
		r := w.ann("PROPFIND", cal, propfind("<D:nothing/>"), "Depth: 0", "Prefer: wait=10, x-unknown; a=b, handling=lenient").in(t).is(207).has("404 Not Found")
		if r.header.Get("Preference-Applied") != "" {
			t.Errorf("applied: %s", r.header.Get("Preference-Applied"))
		}
	})
	t.Run("106 POST to add a member", func(t *testing.T) {
		w.ann("PROPFIND", cal, propfind("<D:add-member/>"), "Depth: 0").in(t).has("<D:add-member><D:href>" + cal + "</D:href>")
		data := event("post", "20260301T100000Z", "20260301T110000Z")
		r := w.ann("POST", cal, data, "Content-Type: text/calendar").in(t).is(201)
		at := strings.TrimPrefix(r.header.Get("Location"), "http://example.com")
		if !strings.HasPrefix(at, cal) || r.header.Get("ETag") == "" {
			t.Errorf("%v", r.header)
		}
		if got := w.ann("GET", at, "").in(t).is(200); got.body != data || got.header.Get("ETag") != r.header.Get("ETag") {
			t.Errorf("%v %s", got.header, got.body)
		}
		w.ann("POST", cal, data, "Content-Type: text/calendar").in(t).refuses("no-uid-conflict")
		w.ann("POST", cal, data, "Content-Type: text/plain").in(t).refuses("supported-calendar-data")
		w.ann("POST", cal, "garbage", "Content-Type: text/calendar").in(t).refuses("valid-calendar-data")
		whole := w.ann("POST", cal, strings.ReplaceAll(data, "post", "post2"), "Prefer: return=representation").in(t).is(201)
		if !strings.Contains(whole.body, "UID:post2") || whole.header.Get("Content-Location") == "" {
			t.Errorf("%v %s", whole.header, whole.body)
		}
	})
}
