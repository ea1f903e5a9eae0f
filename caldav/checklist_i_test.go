package caldav

import (
	"strconv"
	"strings"
	"testing"
)

// acl makes the body of an ACL request.
func acl(aces ...string) string { return `<D:acl` + ns + `>` + strings.Join(aces, "") + `</D:acl>` }

// allow makes an entry that grants privileges to a user.
func allow(user string, privileges ...string) string {
	return `<D:ace><D:principal><D:href>/dav/principals/` + user + `/</D:href></D:principal><D:grant><D:privilege><` +
		strings.Join(privileges, `/></D:privilege><D:privilege><`) + `/></D:privilege></D:grant></D:ace>`
}

func TestACLGrantsWhatItSays(t *testing.T) {
	w := newWorld(t)
	w.put(cal+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z"))
	try := func(t *testing.T, see, read, write bool) {
		t.Helper()
		codes := func(ok bool, good int) int {
			if ok {
				return good
			}
			return 403
		}
		body := `<C:free-busy-query` + ns + `><C:time-range start="20260101T000000Z" end="20260401T000000Z"/></C:free-busy-query>`
		w.as("bob", "REPORT", cal, body).in(t).is(codes(see, 200))
		w.as("bob", "GET", cal+"a.ics", "").in(t).is(codes(read, 200))
		w.as("bob", "PUT", cal+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z")).in(t).is(codes(write, 204))
		listed := strings.Contains(w.as("bob", "PROPFIND", "/dav/calendars/bob/", propfind("<D:resourcetype/>"), "Depth: 1").body, "ann~calendar~shared")
		if listed != read {
			t.Errorf("in the home: %v", listed)
		}
	}
	try(t, false, false, false)
	for _, tt := range []struct {
		privileges       []string
		see, read, write bool
	}{
		{[]string{"C:read-free-busy"}, true, false, false},
		{[]string{"D:read"}, true, true, false},
		{[]string{"D:read", "D:read-current-user-privilege-set"}, true, true, false},
		{[]string{"D:read", "D:write"}, true, true, true},
		{[]string{"D:write", "D:write-content", "D:bind", "D:unbind", "D:write-properties"}, true, true, true},
		{[]string{"D:all"}, true, true, true},
	} {
		t.Run(strings.Join(tt.privileges, " "), func(t *testing.T) {
			w.ann("ACL", home, acl(allow("bob", tt.privileges...))).in(t).is(200)
			try(t, tt.see, tt.read, tt.write)
			list := w.ann("PROPFIND", home, propfind("<D:acl/>"), "Depth: 0").in(t).has("<D:href>/dav/principals/bob/</D:href>", "<D:protected/>")
			// What is read can be sent back.
			body := list.body[strings.Index(list.body, "<D:acl>"):strings.Index(list.body, "</D:acl>")]
			w.ann("ACL", home, `<D:acl`+ns+`>`+strings.TrimPrefix(body, "<D:acl>")+`</D:acl>`).in(t).is(200)
			try(t, tt.see, tt.read, tt.write)
		})
	}
	w.ann("ACL", home, acl()).is(200)
	try(t, false, false, false)
}

func TestACLRefusesWhatGrantsCannotSay(t *testing.T) {
	w := newWorld(t)
	ace := func(principal, rest string) string {
		return acl(`<D:ace><D:principal>` + principal + `</D:principal>` + rest + `</D:ace>`)
	}
	const read = `<D:grant><D:privilege><D:read/></D:privilege></D:grant>`
	bob := `<D:href>/dav/principals/bob/</D:href>`
	for name, tt := range map[string]struct{ body, precondition string }{
		"deny":                  {ace(bob, `<D:deny><D:privilege><D:read/></D:privilege></D:deny>`), "grant-only"},
		"invert":                {acl(`<D:ace><D:invert><D:principal>` + bob + `</D:principal></D:invert>` + read + `</D:ace>`), "no-invert"},
		"a part of a privilege": {acl(allow("bob", "D:read", "D:write-content")), "no-abstract"},
		"an unknown privilege":  {acl(allow("bob", "D:fly")), "not-supported-privilege"},
		"everybody":             {ace(`<D:all/>`, read), "allowed-principal"},
		"who signed in":         {ace(`<D:authenticated/>`, read), "allowed-principal"},
		"a room":                {acl(allow("hall", "D:read")), "allowed-principal"},
		"nobody":                {acl(allow("nobody", "D:read")), "recognized-principal"},
		"what is no principal":  {ace(`<D:href>`+cal+`</D:href>`, read), "recognized-principal"},
		"what is no address":    {ace(`<D:href>mailto:bob@example.com</D:href>`, read), "recognized-principal"},
		"more than can be kept": {acl(strings.Repeat(allow("bob", "D:read"), maxACEs+1)), "limited-number-of-aces"},
	} {
		t.Run(name, func(t *testing.T) { w.ann("ACL", home, tt.body).in(t).refuses(tt.precondition) })
	}
	for _, bad := range []string{``, `<D:propfind` + ns + `/>`, `<D:acl`, acl(`<D:ace/>`), ace(bob, ``), ace(``, read), acl(`<D:read/>`)} {
		w.ann("ACL", home, bad).is(400)
	}
	w.as("bob", "ACL", home, acl(allow("bob", "D:read"))).is(403)
	w.ann("ACL", home+"ada~shared/", acl(allow("bob", "D:read"))).refuses("need-privileges")
	w.ann("ACL", "/dav/principals/ann/", acl()).is(405)
	w.ann("ACL", home+"missing/", acl()).is(404)
	w.as("bob", "GET", cal+"a.ics", "").is(403)
}

func TestChecklistAccess(t *testing.T) {
	w := newWorld(t)
	w.put(cal+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z"))
	ask := func(t *testing.T, path, props string) *reply {
		return w.ann("PROPFIND", path, propfind(props), "Depth: 0").in(t).is(207)
	}

	t.Run("107 access is readable by the owner", func(t *testing.T) {
		for _, path := range []string{home, cal, cal + "a.ics"} {
			ask(t, path, "<D:current-user-privilege-set/><D:acl/><D:supported-privilege-set/><D:owner/><D:principal-collection-set/><D:acl-restrictions/><D:inherited-acl-set/>").
				lacks("404 Not Found", "403 Forbidden").
				has("<D:privilege><D:all/></D:privilege>", "<D:privilege><D:write-content/></D:privilege>", "<D:owner><D:href>/dav/principals/ann/</D:href></D:owner>",
					"<D:principal-collection-set><D:href>/dav/principals/</D:href></D:principal-collection-set>", "<D:grant-only/>", "<D:abstract/>", "<D:protected/>")
		}
		ask(t, cal, "<D:inherited-acl-set/>").has("<D:inherited-acl-set><D:href>" + home + "</D:href>")
		ask(t, home, "<D:inherited-acl-set/>").has("<D:inherited-acl-set/>")
		ask(t, home+"hall~shared/", "<D:acl/>").has("403 Forbidden", "need-privileges")
	})
	t.Run("108 a privilege on a calendar reaches its members", func(t *testing.T) {
		set := "<D:current-user-privilege-set/>"
		for path, want := range map[string]bool{home + "ada~shared/": true, home + "hall~shared/": false} {
			r := w.ann("PROPFIND", path, propfind(set), "Depth: 0").in(t)
			if got := strings.Contains(r.body, "write-content"); got != want {
				t.Errorf("%s may be written: %v", path, got)
			}
		}
		w.put(home+"ada~shared/m.ics", event("m", "20260301T100000Z", "20260301T110000Z"))
		ask(t, home+"ada~shared/m.ics", set).has("<D:write-content/>", "<D:read/>")
	})
	t.Run("109 principal reports", func(t *testing.T) {
		for name, tt := range map[string]struct {
			path, body string
		}{
			"principal-match":               {"/dav/principals/", `<D:principal-match` + ns + `><D:self/><D:prop><D:displayname/></D:prop></D:principal-match>`},
			"principal-property-search":     {"/dav/principals/", `<D:principal-property-search` + ns + `><D:property-search><D:prop><D:displayname/></D:prop><D:match>ann</D:match></D:property-search><D:prop><D:displayname/></D:prop></D:principal-property-search>`},
			"principal-search-property-set": {"/dav/principals/", `<D:principal-search-property-set` + ns + `/>`},
			"acl-principal-prop-set":        {cal, `<D:acl-principal-prop-set` + ns + `><D:prop><D:displayname/></D:prop></D:acl-principal-prop-set>`},
		} {
			for depth, code := range map[string]int{"0": 207, "1": 400, "infinity": 400} {
				if name == "principal-search-property-set" && code == 207 {
					code = 200
				}
				w.ann("REPORT", tt.path, tt.body, "Depth: "+depth).in(t).is(code)
			}
			w.ann("REPORT", tt.path, tt.body).in(t)
			doubled := strings.Replace(tt.body, "<D:prop><D:displayname/></D:prop></D:"+name, "<D:prop><D:displayname/></D:prop><D:prop><D:displayname/></D:prop></D:"+name, 1)
			if doubled != tt.body {
				w.ann("REPORT", tt.path, doubled).in(t).is(400)
			}
			missing := strings.Replace(tt.body, "<D:prop><D:displayname/></D:prop></D:"+name, "</D:"+name, 1)
			if name == "acl-principal-prop-set" || name == "principal-property-search" {
				w.ann("REPORT", tt.path, missing).in(t).is(400)
			}
		}
		search := `<D:principal-property-search` + ns + `><D:property-search><D:prop><D:displayname/></D:prop><D:match>ann</D:match></D:property-search><D:prop><D:displayname/></D:prop></D:principal-property-search>`
		w.ann("REPORT", cal, search).in(t).refuses("supported-report")
		w.ann("REPORT", cal+"a.ics", search).in(t).refuses("supported-report")
		w.ann("REPORT", cal+"a.ics", `<D:principal-search-property-set`+ns+`/>`).in(t).refuses("supported-report")
		w.ann("REPORT", cal+"a.ics", `<D:principal-match`+ns+`><D:self/></D:principal-match>`).in(t).refuses("supported-report")
		w.ann("REPORT", "/dav/principals/ann/", `<D:acl-principal-prop-set`+ns+`><D:prop/></D:acl-principal-prop-set>`).in(t).refuses("supported-report")
	})
	t.Run("109 what the reports find", func(t *testing.T) {
		const me = "<D:href>/dav/principals/ann/</D:href>"
		w.ann("REPORT", "/dav/principals/", `<D:principal-match`+ns+`><D:self/></D:principal-match>`).in(t).is(207).has(me).lacks("bob")
		w.ann("REPORT", home, `<D:principal-match`+ns+`><D:principal-property><D:owner/></D:principal-property></D:principal-match>`).in(t).is(207).has(cal).lacks("ada~shared")
		w.ann("REPORT", cal, `<D:principal-match`+ns+`><D:principal-property><D:owner/></D:principal-property><D:prop><D:getetag/></D:prop></D:principal-match>`).in(t).is(207).has(cal+"a.ics", "getetag")
		for _, bad := range []string{``, `<D:self/><D:principal-property><D:owner/></D:principal-property>`, `<D:principal-property/>`} {
			w.ann("REPORT", "/dav/principals/", `<D:principal-match`+ns+`>`+bad+`</D:principal-match>`).in(t).is(400)
		}
		// A widely used client puts the properties beside D:prop, and asks for
		// all principals without saying by what.
		w.ann("REPORT", "/dav/", `<D:principal-property-search`+ns+`><D:property-search><D:prop><D:displayname/></D:prop><D:match>Ann</D:match></D:property-search><D:prop/><C:calendar-home-set/><D:displayname/></D:principal-property-search>`).in(t).is(207).
			has(me, "<C:calendar-home-set><D:href>"+home, "<D:displayname>Ann</D:displayname>").lacks("Ada Noor")
		w.ann("REPORT", "/", `<D:principal-property-search`+ns+`><D:prop/><C:calendar-home-set/><D:displayname/></D:principal-property-search>`).in(t).is(207).has(me)
	})
	t.Run("110 expand-property", func(t *testing.T) {
		body := `<D:expand-property` + ns + `><D:property name="owner"><D:property name="displayname"/><D:property name="nothing" namespace="urn:x"/></D:property></D:expand-property>`
		w.ann("REPORT", cal, body).in(t).is(207).has("<D:displayname>Ann</D:displayname>", `<X:nothing xmlns:X="urn:x"/></D:prop><D:status>HTTP/1.1 404 Not Found`)
		groups := `<D:expand-property` + ns + `><D:property name="inherited-acl-set"><D:property name="displayname"/></D:property></D:expand-property>`
		w.ann("REPORT", home+"ada~shared/", groups).in(t).is(207).has("<D:href>/dav/calendars/demo/</D:href><D:status>HTTP/1.1 403 Forbidden</D:status>")
		w.ann("REPORT", cal, `<D:expand-property`+ns+`><D:property/></D:expand-property>`).in(t).is(400)
	})
	t.Run("111 properties of a principal", func(t *testing.T) {
		ask(t, "/dav/principals/ann/", "<D:principal-URL/><C:calendar-home-set/><C:calendar-user-address-set/><C:calendar-user-type/><D:group-membership/><D:alternate-URI-set/><D:resourcetype/>").
			lacks("404 Not Found").has("<D:principal-URL><D:href>/dav/principals/ann/</D:href>", "<D:href>"+home+"</D:href>", "mailto:ann@example.com", "INDIVIDUAL", "<D:principal/>")
	})
	t.Run("134 quota", func(t *testing.T) {
		used := func() string { return ask(t, home, "<D:quota-used-bytes/>").body }
		before := used()
		w.put(cal+"q.ics", event("q", "20260301T100000Z", "20260301T110000Z"))
		if used() == before {
			t.Error("a PUT does not show")
		}
		w.ann("DELETE", cal+"q.ics", "").in(t).is(204)
		if used() != before {
			t.Error("a DELETE does not show")
		}
	})
	t.Run("134 what the disk still takes", func(t *testing.T) {
		n, ok := DiskSpace(t.TempDir())()
		if ok && n <= 0 {
			t.Errorf("%d bytes are left", n)
		}
		full := newWorld(t, func(o *Options) { o.Free = func() (int64, bool) { return n, ok } })
		if r := full.ann("PROPFIND", home, propfind("<D:quota-available-bytes/>"), "Depth: 0").is(207); ok {
			r.has("<D:quota-available-bytes>" + strconv.FormatInt(n, 10) + "<")
		}
	})
	t.Run("139 resource-id", func(t *testing.T) {
		id := func(path string) string {
			r := ask(t, path, "<D:resource-id/>").has("<D:resource-id><D:href>urn:uuid:")
			i := strings.Index(r.body, "urn:uuid:")
			return r.body[i : i+45]
		}
		first := id(cal + "a.ics")
		w.put(cal+"a.ics", event("a", "20260302T100000Z", "20260302T110000Z"))
		w.ann("MKCALENDAR", home+"ids/", "").in(t).is(201)
		w.ann("COPY", cal+"a.ics", "", "Destination: "+home+"ids/copy.ics").in(t).is(201)
		w.ann("MOVE", cal+"a.ics", "", "Destination: "+cal+"moved.ics").in(t).is(201)
		if id(cal+"moved.ics") != first || id(home+"ids/copy.ics") == first {
			t.Error("the id follows the copy, or does not stay")
		}
	})
}
