package caldav

import (
	"slices"
	"strings"
	"testing"
)

func TestChecklistConditions(t *testing.T) {
	w := newWorld(t)
	data := event("a", "20260301T100000Z", "20260301T110000Z")
	etag := w.put(cal+"a.ics", data)
	other := event("a", "20260302T100000Z", "20260302T110000Z")

	t.Run("60 conditions of a PUT", func(t *testing.T) {
		for _, condition := range []string{"If-None-Match: *", `If-Match: "stale"`, "If-Match: nothing", "If-Match: ", "If-None-Match: " + etag, "If: (<urn:uuid:bogus>)", "If: (Not <DAV:no-lock> [\"stale\"])"} {
			r := w.ann("PUT", cal+"a.ics", other, condition).in(t).is(412)
			if r.body != "" {
				t.Errorf("%s: %s", condition, r.body)
			}
			w.ann("PUT", cal+"a.ics", other, condition, "Prefer: return=minimal").in(t).is(412)
			r = w.ann("PUT", cal+"a.ics", other, condition, "Prefer: return=representation").in(t).is(412)
			if r.body != data || r.header.Get("Content-Location") != cal+"a.ics" || r.header.Get("ETag") != etag || r.header.Get("Content-Type") != calendarType {
				t.Errorf("%s: %v %s", condition, r.header, r.body)
			}
		}
		w.ann("PUT", cal+"new.ics", event("new", "20260302T100000Z", "20260302T110000Z"), "If-Match: *").in(t).is(412)
		w.ann("PUT", cal+"new.ics", event("new", "20260302T100000Z", "20260302T110000Z"), "If-Match: "+etag).in(t).is(412)
		w.ann("GET", cal+"new.ics", "").in(t).is(404)
		if got := w.ann("GET", cal+"a.ics", "").in(t); got.body != data || got.header.Get("ETag") != etag {
			t.Error("something changed")
		}
		w.ann("PUT", cal+"a.ics", other, "If-Match: "+etag).in(t).is(204)
		w.ann("PUT", cal+"a.ics", data, "If-Match: *").in(t).is(204)
	})
	t.Run("61 62 DELETE", func(t *testing.T) {
		w.put(cal+"gone.ics", event("gone", "20260301T100000Z", "20260301T110000Z"))
		for _, condition := range []string{`If-Match: "stale"`, `If-Schedule-Tag-Match: "stale"`, "If-None-Match: *"} {
			w.ann("DELETE", cal+"gone.ics", "", condition).in(t).is(412)
		}
		w.ann("DELETE", cal+"gone.ics", "").in(t).is(204)
		w.ann("DELETE", cal+"gone.ics", "").in(t).is(404)
		w.ann("DELETE", home+"missing/", "").in(t).is(404)
		w.put(cal+"elsewhere.ics", event("gone", "20260301T100000Z", "20260301T110000Z"))
		w.ann("DELETE", cal+"elsewhere.ics", "").in(t).is(204)
	})
}

func TestChecklistCopyAndMove(t *testing.T) {
	w := newWorld(t)
	w.ann("MKCALENDAR", home+"second/", "").is(201)
	put := func(name string) string {
		return w.put(cal+name+".ics", event(name, "20260301T100000Z", "20260301T110000Z"))
	}
	to := func(path string) string { return "Destination: http://example.com" + path }

	t.Run("63 68 a new name in one calendar", func(t *testing.T) {
		put("a")
		r := w.ann("MOVE", cal+"a.ics", "", to(cal+"b.ics")).in(t).is(201)
		if got := r.header.Get("Location"); got != "http://example.com"+cal+"b.ics" {
			t.Errorf("Location is %s", got)
		}
		w.ann("GET", cal+"a.ics", "").in(t).is(404)
		w.ann("GET", cal+"b.ics", "").in(t).has("UID:a\r\n")
		r = w.ann("MOVE", cal+"b.ics", "", "Destination: http://example.com"+cal+"with space.ics").in(t).is(201)
		if got := r.header.Get("Location"); got != "http://example.com"+cal+"with%20space.ics" {
			t.Errorf("Location is %s", got)
		}
		w.ann("GET", cal+"with%20space.ics", "").in(t).is(200)
		w.ann("COPY", cal+"with%20space.ics", "", to(cal+"twin.ics")).in(t).refuses("no-uid-conflict")
	})
	t.Run("64 onto another", func(t *testing.T) {
		put("c")
		put("d")
		w.ann("MOVE", cal+"c.ics", "", to(cal+"d.ics"), "Overwrite: F").in(t).is(412)
		w.ann("MOVE", cal+"c.ics", "", to(cal+"d.ics"), "Overwrite: T").in(t).refuses("no-uid-conflict")
		w.ann("MOVE", cal+"c.ics", "", to(cal+"d.ics")).in(t).refuses("no-uid-conflict")
		w.ann("GET", cal+"d.ics", "").in(t).has("UID:d\r\n")
		w.ann("COPY", cal+"c.ics", "", to(home+"second/c.ics")).in(t).is(201)
		w.ann("COPY", cal+"c.ics", "", to(home+"second/c.ics"), "Overwrite: F").in(t).is(412)
		w.ann("COPY", cal+"c.ics", "", to(home+"second/c.ics")).in(t).is(204)
	})
	t.Run("65 to another calendar", func(t *testing.T) {
		etag := put("e")
		w.ann("MOVE", cal+"e.ics", "", to(home+"second/e.ics"), `If-Match: "stale"`).in(t).is(412)
		w.ann("MOVE", cal+"e.ics", "", to(home+"second/e.ics"), "If-Match: "+etag).in(t).is(201)
		w.ann("GET", cal+"e.ics", "").in(t).is(404)
		w.ann("MOVE", cal+"missing.ics", "", to(home+"second/m.ics")).in(t).is(404)
		w.ann("MOVE", home+"second/e.ics", "", to(home+"missing/e.ics")).in(t).is(409)
	})
	t.Run("66 67 calendars", func(t *testing.T) {
		w.ann("MOVE", home+"second/", "", to(home+"third/")).in(t).is(201)
		w.ann("PROPFIND", home+"third/", propfind("<D:resourcetype/>"), "Depth: 0").in(t).is(207).has("<D:collection/><C:calendar/>")
		w.ann("GET", home+"third/e.ics", "").in(t).is(200)
		w.ann("PROPFIND", home+"second/", "", "Depth: 0").in(t).is(404)
		for _, method := range []string{"COPY", "MOVE"} {
			w.ann(method, home+"third/", "", to(cal+"inner/")).in(t).refuses("calendar-collection-location-ok")
			w.ann(method, home+"third/", "", to(cal+"inner/deeper/")).in(t).refuses("calendar-collection-location-ok")
		}
	})
	t.Run("69 names", func(t *testing.T) {
		names := []string{"a%20b", "a%2520b", "a%25b", "%C3%BC", "a+b", "a@b", "a:b", "a%3Ab2", "no-ics", "a%26b", "a%3Cb", "%F0%9F%98%80.ics", "a;b", "a%22b"}
		for i, name := range names {
			data := event("name-"+string(rune('a'+i)), "20260301T100000Z", "20260301T110000Z")
			w.put(home+"third/"+name, data)
		}
		var hrefs []string
		listing := w.ann("PROPFIND", home+"third/", propfind("<D:getetag/>"), "Depth: 1").in(t).is(207)
		for part := range strings.SplitSeq(listing.body, "<D:href>") {
			if href, _, _ := strings.Cut(part, "</D:href>"); strings.HasPrefix(href, home+"third/") && href != home+"third/" {
				hrefs = append(hrefs, href)
			}
		}
		if len(hrefs) != len(names)+2 {
			t.Errorf("%d members: %q", len(hrefs), hrefs)
		}
		ask := `<C:calendar-multiget` + ns + `><D:prop><D:getetag/></D:prop><D:href>` + strings.Join(hrefs, "</D:href><D:href>") + `</D:href></C:calendar-multiget>`
		multi := w.ann("REPORT", home+"third/", ask).in(t).is(207).lacks("404 Not Found")
		query := w.ann("REPORT", home+"third/", queryFor(`<C:comp-filter name="VEVENT"/>`), "Depth: 1").in(t).is(207)
		sync := w.ann("REPORT", home+"third/", syncFrom("", "<D:prop><D:getetag/></D:prop>")).in(t).is(207)
		for _, href := range hrefs {
			for _, r := range []*reply{multi, query, sync} {
				if strings.Count(r.body, "<D:href>"+href+"</D:href>") != 1 {
					t.Errorf("%s is not there once", href)
				}
			}
			w.ann("GET", href, "").in(t).is(200)
		}
		for _, name := range names {
			w.ann("DELETE", home+"third/"+name, "").in(t).is(204)
		}
	})
	t.Run("odd UIDs", func(t *testing.T) {
		uids := []string{"a/b", "a b", "a%b", "ü", "%0A", `a\,b`, "a:b"}
		for i, uid := range uids {
			w.put(cal+"uid-"+string(rune('a'+i))+".ics", event(uid, "20260301T100000Z", "20260301T110000Z"))
			w.ann("PUT", cal+"twin.ics", event(uid, "20260301T100000Z", "20260301T110000Z")).in(t).refuses("no-uid-conflict")
		}
	})
	t.Run("70 multiget from anywhere", func(t *testing.T) {
		put("f")
		ask := `<C:calendar-multiget` + ns + `><D:prop><C:calendar-data/></D:prop><D:href>` + cal + `f.ics</D:href><D:href>` + home + `third/e.ics</D:href></C:calendar-multiget>`
		for _, path := range []string{cal + "f.ics", cal, home} {
			w.ann("REPORT", path, ask).in(t).is(207).has("UID:f", "UID:e").lacks("404 Not Found")
		}
	})
	t.Run("71 into another's calendar", func(t *testing.T) {
		put("g")
		var bodies []string
		for _, path := range []string{"/dav/calendars/bob/calendar/g.ics", "/dav/calendars/bob/missing/g.ics", "/dav/calendars/nobody/calendar/g.ics"} {
			for _, method := range []string{"COPY", "MOVE"} {
				bodies = append(bodies, w.ann(method, cal+"g.ics", "", to(path)).in(t).is(403).body)
			}
		}
		if slices.ContainsFunc(bodies, func(b string) bool { return b != bodies[0] }) {
			t.Errorf("the answers tell more of one than of another: %q", bodies)
		}
		w.ann("COPY", cal+"g.ics", "", to(home+"hall~shared/g.ics")).in(t).refuses("need-privileges")
		w.ann("GET", cal+"g.ics", "").in(t).is(200)
	})
}

// TestOverwriteComesBeforeTheUID: who asks not to overwrite is told that there is
// something, whatever it is.
func TestOverwriteComesBeforeTheUID(t *testing.T) {
	w := newWorld(t)
	w.ann("MKCALENDAR", home+"other/", "").is(201)
	for _, name := range []string{cal + "a.ics", cal + "b.ics", home + "other/c.ics", home + "other/b.ics"} {
		uid := strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], ".ics")
		w.put(name, event(uid, "20260301T100000Z", "20260301T110000Z"))
	}
	for _, method := range []string{"COPY", "MOVE"} {
		for _, to := range []string{cal + "b.ics", home + "other/c.ics"} {
			w.ann(method, cal+"a.ics", "", "Destination: "+to, "Overwrite: F").is(412)
			w.ann(method, cal+"a.ics", "", "Destination: "+to).refuses("no-uid-conflict")
		}
		w.ann(method, cal+"b.ics", "", "Destination: "+home+"other/b.ics", "Overwrite: F").is(412)
	}
	w.ann("COPY", cal+"b.ics", "", "Destination: "+home+"other/b.ics").is(204)
	w.ann("COPY", cal+"a.ics", "", "Destination: "+cal+"new.ics", "Overwrite: F").refuses("no-uid-conflict")
}

func TestNothingIsPutBesideTheCalendars(t *testing.T) {
	w := newWorld(t)
	data := event("a", "20260301T100000Z", "20260301T110000Z")
	w.ann("PUT", home+"a.ics", data).is(403)
	w.ann("PUT", home+"a.ics", data, "If-Match: *").is(412)
	w.ann("PUT", home+"a.ics", data, "If-None-Match: *").is(403)
	w.ann("PUT", home+"none/a.ics", data).is(409)
	w.as("bob", "PUT", home+"a.ics", data).is(403)
	if r := w.ann("MKCOL", cal, "").is(405); !strings.Contains(r.header.Get("Allow"), "PROPFIND") {
		t.Errorf("Allow: %q", r.header.Get("Allow"))
	}
}
