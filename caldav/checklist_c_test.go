package caldav

import (
	"strings"
	"testing"

	"daybook/caldav/dav"
)

func setProps(props string) string {
	return `<D:propertyupdate` + ns + `><D:set><D:prop>` + props + `</D:prop></D:set></D:propertyupdate>`
}

func removeProps(props string) string {
	return `<D:propertyupdate` + ns + `><D:remove><D:prop>` + props + `</D:prop></D:remove></D:propertyupdate>`
}

func mkcalendar(props string) string {
	return `<C:mkcalendar` + ns + `><D:set><D:prop>` + props + `</D:prop></D:set></C:mkcalendar>`
}

const berlinZone = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19961027T030000\r\n" +
	"RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:19810329T020000\r\n" +
	"RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n"

func TestChecklistPROPPATCH(t *testing.T) {
	w := newWorld(t)
	ask := func(t *testing.T, props string) *reply {
		return w.ann("PROPFIND", cal, propfind(props), "Depth: 0").in(t).is(207)
	}

	t.Run("21 dead properties of any namespace", func(t *testing.T) {
		w.ann("PROPPATCH", cal, setProps(`<x xmlns="urn:x">1</x><D:unknown>2</D:unknown><y xmlns="">3</y><C:default-alarm-vevent-date>4</C:default-alarm-vevent-date>`)).in(t).is(207).lacks("403", "424")
		ask(t, `<x xmlns="urn:x"/><D:unknown/><y xmlns=""/><C:default-alarm-vevent-date/>`).has(">1<", ">2<", ">3<", ">4<").lacks("404 Not Found")
		w.ann("PROPPATCH", home, setProps(`<C:default-alarm-vevent-date>BEGIN:VALARM</C:default-alarm-vevent-date>`)).in(t).is(207).has("200 OK")
	})
	t.Run("22 removing what is not there", func(t *testing.T) {
		w.ann("PROPPATCH", cal, removeProps(`<never xmlns="urn:x"/>`)).in(t).is(207).has("200 OK").lacks("404 Not Found", "403 Forbidden")
	})
	t.Run("23 protected properties stop all", func(t *testing.T) {
		for _, p := range []string{"resourcetype", "getetag", "sync-token", "supported-report-set", "current-user-principal", "owner"} {
			w.ann("PROPPATCH", cal, setProps(`<kept xmlns="urn:x">no</kept><D:`+p+`>x</D:`+p+`>`)).in(t).is(207).
				has("<D:"+p+"/></D:prop><D:status>HTTP/1.1 403 Forbidden</D:status><D:error><D:cannot-modify-protected-property/></D:error>", "424 Failed Dependency").lacks("200 OK")
		}
		ask(t, `<kept xmlns="urn:x"/>`).has("404 Not Found")
	})
	t.Run("24 25 values and attributes come back", func(t *testing.T) {
		w.ann("PROPPATCH", cal, setProps(`<m xmlns="urn:x" xml:lang="de" a="b&quot;">a &lt; b &amp; c ]]&gt; ü</m><D:displayname>x &lt;&amp;]]&gt; ü</D:displayname>`)).in(t).is(207).has("200 OK")
		r := ask(t, `<m xmlns="urn:x"/><D:displayname/>`)
		root, err := dav.Parse([]byte(r.body), dav.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		prop := root.Child(dav.D("response")).Child(dav.D("propstat")).Child(dav.D("prop"))
		m := prop.Children[0]
		if m.Text() != "a < b & c ]]> ü" || m.Plain("a") != `b"` || prop.Child(dav.D("displayname")).Text() != "x <&]]> ü" {
			t.Errorf("came back as %s", r.body)
		}
		r.has(`xml:lang="de"`)
	})
	t.Run("26 of what is not there", func(t *testing.T) {
		w.ann("PROPPATCH", home+"missing/", setProps("<D:displayname>x</D:displayname>")).in(t).is(404)
	})
	t.Run("27 28 29 the zone in two forms", func(t *testing.T) {
		twice := strings.Replace(berlinZone, "END:VCALENDAR", berlinZone[strings.Index(berlinZone, "BEGIN:VTIMEZONE"):strings.Index(berlinZone, "END:VCALENDAR")]+"END:VCALENDAR", 1)
		for _, bad := range []string{"garbage", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n", event("x", "20260101T000000Z", "20260101T010000Z"), twice} {
			w.ann("PROPPATCH", cal, setProps("<C:calendar-timezone>"+bad+"</C:calendar-timezone>")).in(t).is(207).has("403 Forbidden", "<C:valid-calendar-data/>")
		}
		w.ann("PROPPATCH", cal, setProps("<C:calendar-timezone-id>Nowhere/Land</C:calendar-timezone-id>")).in(t).is(207).has("403 Forbidden", "<C:valid-timezone/>")
		both := "<C:calendar-timezone/><C:calendar-timezone-id/>"
		w.ann("PROPPATCH", cal, setProps("<C:calendar-timezone>"+strings.ReplaceAll(berlinZone, "\r", "&#13;")+"</C:calendar-timezone>")).in(t).has("200 OK")
		ask(t, both).has("<C:calendar-timezone-id>Europe/Berlin<", "BEGIN:VTIMEZONE").lacks("404 Not Found")
		w.ann("PROPPATCH", cal, removeProps("<C:calendar-timezone/>")).in(t).has("200 OK")
		ask(t, both).has("404 Not Found").lacks("200 OK")
		w.ann("PROPPATCH", cal, setProps("<C:calendar-timezone-id>America/New_York</C:calendar-timezone-id>")).in(t).has("200 OK")
		ask(t, both).has("TZID:America/New_York", ">America/New_York<").lacks("404 Not Found")
		w.ann("PROPPATCH", cal, removeProps("<C:calendar-timezone-id/>")).in(t).has("200 OK")
		ask(t, both).has("404 Not Found").lacks("200 OK")
	})
}

func TestChecklistMKCALENDAR(t *testing.T) {
	w := newWorld(t)
	t.Run("30 without a body", func(t *testing.T) {
		r := w.ann("MKCALENDAR", home+"bare/", "").in(t).is(201)
		if r.body != "" || r.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%v %q", r.header, r.body)
		}
	})
	t.Run("31 with properties", func(t *testing.T) {
		props := `<D:displayname>ü &amp; &lt;x&gt;</D:displayname><C:calendar-description xml:lang="en">d</C:calendar-description><I:calendar-color symbolic-color="red">#FF0000FF</I:calendar-color>` +
			`<I:calendar-order>3</I:calendar-order><C:calendar-timezone>` + strings.ReplaceAll(berlinZone, "\r", "&#13;") + `</C:calendar-timezone>` +
			`<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp><dead xmlns="urn:x">y</dead>`
		if r := w.ann("MKCALENDAR", home+"full/", mkcalendar(props)).in(t).is(201); r.body != "" {
			t.Errorf("body %q", r.body)
		}
		w.ann("PROPFIND", home+"full/", propfind(`<D:displayname/><C:calendar-description/><I:calendar-color/><I:calendar-order/><C:calendar-timezone-id/><C:schedule-calendar-transp/><dead xmlns="urn:x"/>`), "Depth: 0").in(t).
			has("ü &amp; &lt;x&gt;", ">d</C:calendar-description>", "#FF0000FF", `symbolic-color="red"`, ">3<", "Europe/Berlin", "<C:transparent/>", ">y<").lacks("404 Not Found")
	})
	t.Run("32 where something is", func(t *testing.T) {
		for _, body := range []string{"", mkcalendar("<D:displayname>x</D:displayname>"), "garbage", "<unknown/>"} {
			w.ann("MKCALENDAR", cal, body).in(t).refuses("resource-must-be-null")
		}
	})
	t.Run("33 below a calendar", func(t *testing.T) {
		w.ann("MKCALENDAR", cal+"inner/", "").in(t).refuses("calendar-collection-location-ok")
		w.ann("MKCOL", cal+"inner/", `<D:mkcol`+ns+`><D:set><D:prop><D:resourcetype><D:collection/><C:calendar/></D:resourcetype></D:prop></D:set></D:mkcol>`).in(t).is(403)
		w.ann("MKCOL", cal+"inner/", "").in(t).is(403)
		w.ann("MKCALENDAR", cal+"inner/deeper/", "").in(t).is(403)
	})
	t.Run("34 with a protected property", func(t *testing.T) {
		w.ann("MKCALENDAR", home+"none/", mkcalendar("<D:displayname>x</D:displayname><D:getetag>x</D:getetag>")).in(t).is(207).
			has("<D:href>"+home+"none/</D:href>", "403 Forbidden", "cannot-modify-protected-property", "424 Failed Dependency")
		w.ann("GET", home+"none/", "").in(t).is(404)
		w.ann("PROPFIND", home+"none/", "", "Depth: 0").in(t).is(404)
	})
	t.Run("35 below what is not there", func(t *testing.T) {
		w.ann("MKCALENDAR", home+"missing/inner/", "").in(t).is(409)
		w.ann("MKCOL", home+"missing/inner/", "").in(t).is(409)
		w.ann("MKCALENDAR", home+"missing/inner/deeper/", "").in(t).is(409)
	})
	t.Run("36 the components that it was made for", func(t *testing.T) {
		w.ann("MKCALENDAR", home+"tasks/", mkcalendar(`<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>`)).in(t).is(201)
		w.ann("PUT", home+"tasks/e.ics", event("e", "20260301T100000Z", "20260301T110000Z")).in(t).refuses("supported-calendar-component")
		w.put(home+"tasks/t.ics", strings.NewReplacer("VEVENT", "VTODO", "DTEND", "DUE").Replace(event("t", "20260301T100000Z", "20260301T110000Z")))
		w.ann("COPY", cal+"x.ics", "", "Destination: "+home+"tasks/x.ics").in(t).is(404)
		w.put(cal+"x.ics", event("x", "20260301T100000Z", "20260301T110000Z"))
		w.ann("COPY", cal+"x.ics", "", "Destination: "+home+"tasks/x.ics").in(t).refuses("supported-calendar-component")
		w.ann("PROPFIND", home+"tasks/", propfind("<C:supported-calendar-component-set/>"), "Depth: 0").in(t).
			has(`<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>`)
	})
	t.Run("37 PUT where no object can be", func(t *testing.T) {
		for _, path := range []string{home, cal, "/dav/", "/dav/principals/ann/"} {
			w.ann("PUT", path, event("p", "20260301T100000Z", "20260301T110000Z"), "Content-Type: text/calendar").in(t).is(403)
		}
		w.ann("PUT", home+"missing/p.ics", event("p", "20260301T100000Z", "20260301T110000Z")).in(t).is(409)
		w.ann("PROPFIND", home+"missing/", "", "Depth: 0").in(t).is(404)
	})
	t.Run("38 the root stays", func(t *testing.T) {
		for _, method := range []string{"DELETE", "COPY", "MOVE"} {
			for _, path := range []string{"/", "/dav/", "/dav/principals/", "/dav/calendars/"} {
				w.ann(method, path, "", "Destination: http://example.com"+home+"x/").in(t).is(403)
			}
		}
	})
	t.Run("a calendar's address is free again after DELETE", func(t *testing.T) {
		before := w.ctag(t, home+"bare/")
		w.ann("DELETE", home+"bare/", "").in(t).is(204)
		w.ann("PROPFIND", home, propfind("<D:resourcetype/>"), "Depth: 1").in(t).lacks(home + "bare/")
		w.ann("PROPFIND", home+"bare/", "", "Depth: 0").in(t).is(404)
		w.ann("MKCALENDAR", home+"bare/", "").in(t).is(201)
		if w.ctag(t, home+"bare/") == before {
			t.Error("the new calendar has the tag of the old one")
		}
	})
}
