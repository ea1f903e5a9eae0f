package caldav

import (
	"fmt"
	"strings"
	"testing"
)

func propset(set string) string {
	return `<D:propertyupdate` + ns + ` xmlns:X="urn:x"><D:set><D:prop>` + set + `</D:prop></D:set></D:propertyupdate>`
}

func propremove(names string) string {
	return `<D:propertyupdate` + ns + ` xmlns:X="urn:x"><D:remove><D:prop>` + names + `</D:prop></D:remove></D:propertyupdate>`
}

// TestObjectsKeepDeadProperties: over a PUT and a MOVE, in a COPY, in every way
// of asking, until they are removed.
func TestObjectsKeepDeadProperties(t *testing.T) {
	w := newWorld(t)
	path := cal + "a.ics"
	w.put(path, event("a", "20260301T100000Z", "20260301T110000Z"))
	w.put(cal+"plain.ics", event("plain", "20260301T100000Z", "20260301T110000Z"))
	state := func() string {
		return w.ann("PROPFIND", cal, propfind("<CS:getctag/>"), "Depth: 0").body + w.ann("PROPFIND", path, propfind("<D:getetag/><D:getlastmodified/>"), "Depth: 0").body
	}
	before := state()
	w.ann("PROPPATCH", path, propset(`<X:note xml:lang="de" a="b">ü &amp; &lt;b/&gt; ]]&gt;</X:note><D:displayname>Named</D:displayname><plain xmlns="">none</plain>`)).is(207).
		has("200 OK", "<X:note", "<D:displayname/>").lacks("403")
	if state() != before {
		t.Error("a dead property moves a tag")
	}
	const value = `ü &amp; &lt;b/&gt;`
	shown := func(path string, yes bool) {
		t.Helper()
		for how, r := range map[string]*reply{
			"prop":     w.ann("PROPFIND", path, `<D:propfind`+ns+` xmlns:X="urn:x"><D:prop><X:note/><D:displayname/><plain xmlns=""/></D:prop></D:propfind>`, "Depth: 0"),
			"allprop":  w.ann("PROPFIND", path, `<D:propfind`+ns+`><D:allprop/></D:propfind>`, "Depth: 0"),
			"multiget": w.ann("REPORT", cal, `<C:calendar-multiget`+ns+` xmlns:X="urn:x"><D:prop><X:note/></D:prop><D:href>`+path+`</D:href></C:calendar-multiget>`),
			"query":    w.ann("REPORT", path, `<C:calendar-query`+ns+` xmlns:X="urn:x"><D:prop><X:note/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`),
		} {
			if strings.Contains(r.body, value) != yes {
				t.Errorf("%s by %s: %v is wanted\n%s", path, how, yes, r.body)
			}
		}
		names := w.ann("PROPFIND", path, `<D:propfind`+ns+`><D:propname/></D:propfind>`, "Depth: 0").body
		if strings.Contains(names, "note") != yes || strings.Contains(names, value) {
			t.Errorf("names of %s: %s", path, names)
		}
	}
	shown(path, true)
	shown(cal+"plain.ics", false)
	list := w.ann("PROPFIND", cal, `<D:propfind`+ns+` xmlns:X="urn:x"><D:prop><X:note/></D:prop></D:propfind>`, "Depth: 1").is(207)
	if strings.Count(list.body, value) != 1 {
		t.Error(list.body)
	}
	w.ann("REPORT", cal, `<D:sync-collection`+ns+` xmlns:X="urn:x"><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><X:note/></D:prop></D:sync-collection>`).is(207).has(value)
	w.put(path, event("a", "20260302T100000Z", "20260302T110000Z"))
	shown(path, true)
	w.ann("MOVE", path, "", "Destination: "+cal+"b.ics").is(201)
	shown(cal+"b.ics", true)
	w.put(path, event("other", "20260302T100000Z", "20260302T110000Z"))
	shown(path, false)
	w.ann("MKCALENDAR", work, "").is(201)
	w.ann("COPY", cal+"b.ics", "", "Destination: "+work+"copy.ics").is(201)
	shown(work+"copy.ics", true)
	w.ann("PROPPATCH", cal+"b.ics", propremove(`<X:note/><X:absent/>`)).is(207).lacks("403", "404")
	shown(cal+"b.ics", false)
	shown(work+"copy.ics", true)
	w.ann("COPY", work, "", "Destination: "+home+"whole/").is(201)
	shown(home+"whole/copy.ics", true)
	w.ann("DELETE", home+"whole/copy.ics", "").is(204)
	w.put(home+"whole/copy.ics", event("a", "20260302T100000Z", "20260302T110000Z"))
	shown(home+"whole/copy.ics", false)
}

// TestPropertiesOfObjectsAreAllOrNothing and bounded, and need the right to
// write.
func TestPropertiesOfObjectsAreAllOrNothing(t *testing.T) {
	w := newWorld(t)
	path := cal + "a.ics"
	w.put(path, event("a", "20260301T100000Z", "20260301T110000Z"))
	w.ann("PROPPATCH", path, propset(`<X:note>x</X:note><D:getetag>x</D:getetag>`)).is(207).has("403 Forbidden", "cannot-modify-protected-property", "424 Failed Dependency")
	w.ann("PROPPATCH", path, propset(`<X:note>x</X:note><C:calendar-data>x</C:calendar-data>`)).is(207).has("cannot-modify-protected-property")
	w.ann("PROPFIND", path, "", "Depth: 0").is(207).lacks("note")
	w.ann("PROPPATCH", cal+"none.ics", propset(`<X:note>x</X:note>`)).is(404)
	w.ann("PROPPATCH", path, propset(`<X:note>x</X:note>`), `If: (["etag-of-another"])`).is(412)
	w.as("bob", "PROPPATCH", path, propset(`<X:note>x</X:note>`)).is(403)
	large := strings.Repeat("x", 30<<10)
	w.ann("PROPPATCH", path, propset(`<X:a>`+large+`</X:a><X:b>`+large+`</X:b>`)).is(207).has("200 OK")
	w.ann("PROPPATCH", path, propset(`<X:c>`+large+`</X:c>`)).is(207).has("507 Insufficient Storage", "quota-not-exceeded")
	var many strings.Builder
	for i := range 101 {
		fmt.Fprintf(&many, "<X:p%d/>", i)
	}
	w.ann("PROPPATCH", path, propset(many.String())).is(207).has("507 Insufficient Storage")
	w.put(home+"ada~shared/m.ics", event("m", "20260301T100000Z", "20260301T110000Z"))
	w.ann("PROPPATCH", home+"ada~shared/m.ics", propset(`<X:note>x</X:note>`)).is(207).has("200 OK")
	w.ann("PROPPATCH", home+"hall~shared/", propset(`<X:note>x</X:note>`)).is(207).has("need-privileges")
}
