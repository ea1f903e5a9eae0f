package caldav

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// What a good CalDAV server must get right, item by item: the tests named
// TestChecklist follow the sections that public conformance suites have in
// common, each subtest one behaviour, numbered through. This file is discovery,
// OPTIONS and authentication.
func TestChecklistDiscovery(t *testing.T) {
	w := newWorld(t)
	w.put(cal+"there.ics", event("there", "20260301T100000Z", "20260301T110000Z"))

	t.Run("01 and 02 the well-known address leads to the root", func(t *testing.T) {
		for _, method := range []string{"GET", "PROPFIND"} {
			for _, path := range []string{WellKnown, WellKnown + "/"} {
				for _, user := range []string{"", "ann"} {
					r := w.as(user, method, path, "").in(t)
					if r.code != 301 && r.code != 302 && r.code != 307 && r.code != 308 {
						t.Errorf("%s %s as %q: %d", method, path, user, r.code)
					}
					if got := r.header.Get("Location"); got != "http://example.com/dav/" {
						t.Errorf("it leads to %s", got)
					}
				}
			}
		}
	})
	t.Run("03 OPTIONS tells what is offered", func(t *testing.T) {
		for _, path := range []string{home, cal, "/dav/principals/ann/"} {
			r := w.ann("OPTIONS", path, "").in(t).is(200)
			offered := strings.Split(r.header.Get("DAV"), ", ")
			for _, want := range []string{"1", "3", "access-control", "calendar-access", "extended-mkcol"} {
				if !slices.Contains(offered, want) {
					t.Errorf("%s does not offer %s", path, want)
				}
			}
			for _, absent := range []string{"2", "calendar-auto-schedule", "calendar-availability", "calendar-managed-attachments", "addressbook"} {
				if slices.Contains(offered, absent) {
					t.Errorf("%s offers %s", path, absent)
				}
			}
			if r.header.Get("Allow") == "" {
				t.Errorf("%s has no Allow", path)
			}
		}
	})
	t.Run("04 and 09 every address knows the current principal and names itself as it was asked", func(t *testing.T) {
		for _, path := range []string{"/", "/principals/", "/dav/", "/dav/principals/", "/dav/principals/ann/", "/dav/calendars/", home, cal, cal + "there.ics"} {
			w.ann("PROPFIND", path, propfind("<D:current-user-principal/>"), "Depth: 0").in(t).is(207).
				has("<D:href>"+path+"</D:href>", "<D:current-user-principal><D:href>/dav/principals/ann/</D:href></D:current-user-principal>")
		}
		// Collections that were asked for without their slash are answered with it.
		w.ann("PROPFIND", strings.TrimSuffix(cal, "/"), propfind("<D:resourcetype/>"), "Depth: 0").in(t).has("<D:href>" + cal + "</D:href>")
	})
	t.Run("05 and 06 who is not known is asked to sign in", func(t *testing.T) {
		w.as("bob", "OPTIONS", "/dav/", "").in(t).is(200) // known from here on: failures from an address slow down who is not
		for _, path := range []string{cal + "there.ics", cal + "missing.ics", "/dav/nowhere/"} {
			for _, user := range []string{"", "nobody", "demo"} {
				r := w.as(user, "PROPFIND", path, propfind("<D:current-user-principal/>"), "Depth: 0").in(t).is(401)
				if r.header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s as %q is not asked", path, user)
				}
			}
			for name, value := range map[string]string{
				"a bad password": "Basic YW5uOmJhZA==", "Digest": `Digest username="ann"`, "Bearer": "Bearer ann.secret", "broken": "Basic !",
			} {
				if w.as("", "PROPFIND", path, "", "Authorization: "+value).in(t).code != http.StatusUnauthorized {
					t.Errorf("%s is let in at %s", name, path)
				}
			}
		}
	})
	t.Run("07 another's home says the same for everything", func(t *testing.T) {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL", "ACL", "POST"} {
			var bodies []string
			for _, path := range []string{home, cal, cal + "there.ics", cal + "missing.ics", home + "missing/"} {
				body := ""
				if method == "PROPPATCH" {
					body = setProps("<D:displayname>x</D:displayname>")
				}
				bodies = append(bodies, w.as("bob", method, path, body).in(t).is(403).body)
			}
			if slices.ContainsFunc(bodies, func(b string) bool { return b != bodies[0] }) {
				t.Errorf("%s tells more of one than of another", method)
			}
		}
	})
	t.Run("08 each status begins with the protocol and has a reason", func(t *testing.T) {
		r := w.ann("PROPFIND", cal, propfind("<D:getetag/><D:nothing-such/>"), "Depth: 1").in(t)
		for part := range strings.SplitSeq(r.body, "<D:status>") {
			if !strings.HasPrefix(part, "HTTP/1.1 ") && !strings.HasPrefix(part, "<?xml") {
				t.Errorf("a status begins with %.20q", part)
			}
		}
		r.has("<D:status>HTTP/1.1 200 OK</D:status>", "<D:status>HTTP/1.1 404 Not Found</D:status>")
	})
	t.Run("09 addresses are encoded once", func(t *testing.T) {
		w.put(cal+"a%20b%2525.ics", event("odd", "20260301T100000Z", "20260301T110000Z"))
		w.ann("PROPFIND", cal, propfind("<D:getetag/>"), "Depth: 1").in(t).has("<D:href>" + cal + "a%20b%2525.ics</D:href>")
	})
}

// in lets a subtest judge the answer.
func (r *reply) in(t *testing.T) *reply {
	r.t = t
	return r
}
