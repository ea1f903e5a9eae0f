package caldav

import (
	"strings"
	"testing"

	"daybook/store"
)

const work = home + "work/"

// shareWorld is a world in which ann has a calendar work with one object,
// beside her first.
func shareWorld(t *testing.T) *world {
	w := newWorld(t)
	w.ann("MKCALENDAR", work, `<C:mkcalendar`+ns+`><D:set><D:prop><D:displayname>Work</D:displayname></D:prop></D:set></C:mkcalendar>`).is(201)
	w.put(work+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z"))
	w.put(cal+"private.ics", event("private", "20260301T100000Z", "20260301T110000Z"))
	return w
}

// TestOneCalendarIsShared: by ACL on it, in each of the rights, at both of its
// addresses, and nothing else of the owner's is seen.
func TestOneCalendarIsShared(t *testing.T) {
	w := shareWorld(t)
	const there = "/dav/calendars/bob/ann~work~shared/"
	for _, tt := range []struct {
		privilege               string
		busy, read, write, gone int
	}{
		{"", 403, 403, 403, 403},
		{"C:read-free-busy", 200, 403, 403, 403},
		{"D:read", 200, 200, 403, 403},
		{"D:unbind", 403, 403, 403, 204},
		{"D:write", 200, 200, 204, 204},
		{"D:all", 200, 200, 204, 204},
	} {
		t.Run("may "+tt.privilege, func(t *testing.T) {
			w.put(work+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z"))
			body := acl()
			if tt.privilege != "" {
				body = acl(allow("bob", tt.privilege))
			}
			w.ann("ACL", work, body).in(t).is(200)
			w.as("bob", "REPORT", work, `<C:free-busy-query`+ns+`><C:time-range start="20260101T000000Z" end="20260401T000000Z"/></C:free-busy-query>`).in(t).is(tt.busy)
			w.as("bob", "GET", work+"a.ics", "").in(t).is(tt.read)
			w.as("bob", "PUT", work+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z")).in(t).is(tt.write)
			list := w.as("bob", "PROPFIND", "/dav/calendars/bob/", propfind("<D:displayname/><D:current-user-privilege-set/><D:owner/><D:quota-used-bytes/>"), "Depth: 1").in(t).is(207)
			list.lacks("ann~calendar")
			found := w.as("bob", "PROPFIND", "/dav/principals/ann/", propfind("<D:displayname/>"), "Depth: 0").in(t)
			if tt.privilege == "" {
				found.is(404)
			} else {
				found.is(207)
			}
			if tt.read == 200 {
				list.has(there, "<D:displayname>Work</D:displayname>", "<D:owner><D:href>/dav/principals/ann/")
				w.as("bob", "GET", there+"a.ics", "").in(t).is(200)
				w.as("bob", "PUT", there+"b.ics", event("b", "20260301T100000Z", "20260301T110000Z")).in(t).is(map[int]int{204: 201, 403: 403}[tt.write])
				w.as("bob", "DELETE", there+"b.ics", "").in(t)
			} else {
				list.lacks("ann~")
				w.as("bob", "GET", there+"a.ics", "").in(t).is(404)
			}
			if tt.privilege == "D:read" {
				w.as("bob", "PUT", work+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z")).in(t).refuses("need-privileges")
				w.as("bob", "DELETE", there+"a.ics", "").in(t).refuses("need-privileges")
				w.as("bob", "PROPFIND", there, propfind("<D:current-user-privilege-set/>"), "Depth: 0").in(t).has("<D:read/>").lacks("<D:write", "<D:bind/>", "<D:unbind/>")
			}
			// Another calendar of hers, and one that is not, are the same.
			for _, path := range []string{cal, home + "missing/", cal + "private.ics", home + "missing/private.ics", home} {
				for _, method := range []string{"PROPFIND", "GET", "DELETE", "PUT", "OPTIONS"} {
					r := w.as("bob", method, path, "", "Depth: 0").in(t).is(403)
					if strings.Contains(r.body, "need-privileges") {
						t.Errorf("%s %s tells what is there: %s", method, path, r.body)
					}
				}
			}
			w.as("bob", "DELETE", work+"a.ics", "").in(t).is(tt.gone)
		})
	}
}

// TestSharedCalendarKeepsItsPlace: what is granted is one calendar, not its place
// in the owner's home.
func TestSharedCalendarKeepsItsPlace(t *testing.T) {
	w := shareWorld(t)
	const there = "/dav/calendars/bob/ann~work~shared/"
	w.ann("ACL", work, acl(allow("bob", "D:all"))).is(200)
	w.as("bob", "DELETE", work, "").refuses("need-privileges").has("<D:href>"+home+"</D:href>", "<D:unbind/>")
	w.as("bob", "DELETE", there, "").is(403)
	w.as("bob", "MOVE", work, "", "Destination: "+home+"stolen/").is(403)
	w.as("bob", "MOVE", there, "", "Destination: /dav/calendars/bob/stolen/").is(403)
	w.as("bob", "MKCALENDAR", home+"new/", "").is(403)
	w.as("bob", "COPY", there, "", "Destination: /dav/calendars/bob/kept/").is(201)
	w.as("bob", "GET", "/dav/calendars/bob/kept/a.ics", "").is(200)
	w.as("bob", "MOVE", there+"a.ics", "", "Destination: /dav/calendars/bob/calendar/a.ics").is(201)
	w.as("bob", "MOVE", "/dav/calendars/bob/calendar/a.ics", "", "Destination: "+there+"a.ics").is(201)
	// Bytes of her other calendars do not show.
	used := w.as("bob", "PROPFIND", there, propfind("<D:quota-used-bytes/>"), "Depth: 0").is(207).body
	w.put(cal+"more.ics", event("more", "20260301T100000Z", "20260301T110000Z"))
	if again := w.as("bob", "PROPFIND", there, propfind("<D:quota-used-bytes/>"), "Depth: 0").body; again != used {
		t.Errorf("a PUT elsewhere shows:\n%s", again)
	}
	// Renamed by its owner it is the same calendar with the same token.
	token := func(path string) string {
		r := w.as("bob", "PROPFIND", path, propfind("<D:sync-token/>"), "Depth: 0").is(207)
		return r.body[strings.Index(r.body, "urn:daybook:sync:"):strings.Index(r.body, "</D:sync-token>")]
	}
	before := token(there)
	w.ann("MOVE", work, "", "Destination: "+home+"studio/").is(201)
	w.as("bob", "PROPFIND", there, "", "Depth: 0").is(404)
	if token("/dav/calendars/bob/ann~studio~shared/") != before {
		t.Error("the token changed with the name")
	}
	// A new calendar at the old address is another one.
	w.ann("MKCALENDAR", work, "").is(201)
	w.as("bob", "PROPFIND", there, "", "Depth: 0").is(404)
	w.as("bob", "PROPFIND", work, "", "Depth: 0").is(403)
	w.ann("DELETE", home+"studio/", "").is(204)
	w.as("bob", "PROPFIND", "/dav/calendars/bob/", propfind("<D:resourcetype/>"), "Depth: 1").is(207).lacks("shared/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/><C:calendar/>", "studio")
	w.as("bob", "PROPFIND", "/dav/principals/ann/", "", "Depth: 0").is(404)
}

// TestListOfASharedCalendar is DAV:acl and its friends on it.
func TestListOfASharedCalendar(t *testing.T) {
	w := shareWorld(t)
	const bob = "<D:ace><D:principal><D:href>/dav/principals/bob/</D:href></D:principal><D:grant><D:privilege><D:read/></D:privilege></D:grant>"
	w.ann("ACL", work, acl(allow("bob", "D:read"))).is(200)
	w.ann("PROPFIND", work, propfind("<D:acl/><D:inherited-acl-set/>"), "Depth: 0").is(207).
		has(bob+"</D:ace>", "<D:protected/><D:inherited><D:href>"+home+"</D:href></D:inherited>", "<D:inherited-acl-set><D:href>"+home+"</D:href></D:inherited-acl-set>")
	w.ann("PROPFIND", work+"a.ics", propfind("<D:acl/><D:inherited-acl-set/>"), "Depth: 0").is(207).
		has(bob+"<D:inherited><D:href>"+work+"</D:href></D:inherited></D:ace>", "<D:inherited-acl-set><D:href>"+home+"</D:href><D:href>"+work+"</D:href></D:inherited-acl-set>")
	w.ann("PROPFIND", home, propfind("<D:acl/>"), "Depth: 0").is(207).lacks("bob")
	w.ann("PROPFIND", cal, propfind("<D:acl/>"), "Depth: 0").is(207).lacks("bob")
	w.ann("REPORT", work, `<D:acl-principal-prop-set`+ns+`><D:prop><D:displayname/></D:prop></D:acl-principal-prop-set>`).is(207).has("<D:displayname>Bob</D:displayname>")
	// The list of the home is inherited, and stays what it was when the list
	// that was read is sent back.
	w.ann("ACL", home, acl(allow("bob", "C:read-free-busy"))).is(200)
	list := w.ann("PROPFIND", work, propfind("<D:acl/>"), "Depth: 0").is(207).body
	aces := list[strings.Index(list, "<D:acl>")+len("<D:acl>") : strings.Index(list, "</D:acl>")]
	if n := strings.Count(aces, "principals/bob/"); n != 2 {
		t.Errorf("bob has %d entries: %s", n, aces)
	}
	w.ann("ACL", work, acl(aces)).is(200)
	if again := w.ann("PROPFIND", work, propfind("<D:acl/>"), "Depth: 0").is(207).body; again != list {
		t.Errorf("sent back it is\n%s\nand was\n%s", again, list)
	}
	w.as("bob", "GET", work+"a.ics", "").is(200)
	w.as("bob", "GET", cal+"private.ics", "").refuses("need-privileges") // he may see that there is something
	w.ann("ACL", work, acl()).is(200)
	w.as("bob", "GET", work+"a.ics", "").refuses("need-privileges")
	w.ann("ACL", home, acl()).is(200)
	w.as("bob", "GET", work+"a.ics", "").is(403).lacks("need-privileges")
	// Who may do everything with it may also share it.
	w.ann("ACL", work, acl(allow("bob", "D:all"))).is(200)
	w.as("bob", "ACL", "/dav/calendars/bob/ann~work~shared/", acl(allow("bob", "D:read"))).is(200)
	w.as("bob", "ACL", work, acl(allow("bob", "D:all"))).refuses("need-privileges")
	w.ann("ACL", work, acl(`<D:ace><D:principal><D:href>/dav/principals/bob/</D:href></D:principal><D:deny><D:privilege><D:read/></D:privilege></D:deny></D:ace>`)).refuses("grant-only")
}

// TestSharedNamesAreOfOneCalendarEach: names with a tilde could be read in two
// ways.
func TestSharedNamesAreOfOneCalendarEach(t *testing.T) {
	w := newWorld(t)
	if err := w.store.Update(t.Context(), func(tx *store.Tx) error {
		ann, err := tx.PrincipalByName("ann")
		if err != nil {
			return err
		}
		for _, p := range []*store.Principal{
			{Kind: store.KindUser, Name: "ann~x"}, {Kind: store.KindUser, Name: "~"}, {Kind: store.KindRoom, Name: "ann~work"}, {Kind: store.KindRoom, Name: "~hall"},
		} {
			p.Org = ann.Org
			if err := tx.CreatePrincipal(p); err != nil {
				return err
			}
			if err := tx.SetGrant(w.ids["bob"], p.ID, store.RightRead); err != nil {
				return err
			}
			if p.Kind != store.KindUser {
				continue
			}
			for _, name := range []string{"y", "x~y", "~y"} {
				if err := tx.CreateCollection(store.System(), &store.Collection{Owner: p.ID, Name: name, DisplayName: p.Name + " / " + name}); err != nil {
					return err
				}
			}
		}
		for _, name := range []string{"work", "x~y", "x", "ä b"} {
			if err := tx.CreateCollection(store.System(), &store.Collection{Owner: ann.ID, Name: name, DisplayName: "ann / " + name}); err != nil {
				return err
			}
		}
		return tx.SetGrant(w.ids["bob"], ann.ID, store.RightRead)
	}); err != nil {
		t.Fatal(err)
	}
	list := w.as("bob", "PROPFIND", "/dav/calendars/bob/", propfind("<D:displayname/><D:resource-id/>"), "Depth: 1").is(207)
	seen := map[string]bool{}
	shared := 0
	for response := range strings.SplitSeq(list.body, "<D:response>") {
		_, href, ok := strings.Cut(response, "<D:href>")
		href, props, _ := strings.Cut(href, "</D:href>")
		if !ok || !strings.Contains(href, "shared/") {
			continue
		}
		shared++
		if seen[href] {
			t.Errorf("%s is there twice", href)
		}
		seen[href] = true
		one := w.as("bob", "PROPFIND", href, propfind("<D:displayname/><D:resource-id/>"), "Depth: 0").is(207)
		if !strings.Contains(one.body, props[:strings.Index(props, "</D:prop>")]) {
			t.Errorf("%s is another calendar:\n%s\n%s", href, props, one.body)
		}
	}
	if shared != 5+2*4+2 {
		t.Errorf("%d calendars of others", shared)
	}
	for _, path := range []string{"ann~x~y~shared/", "~~y~shared/", "ann~work~calendar~shared/", "~shared/", "~~shared/", "hall~calendar~shared/", "bob~calendar~shared/", "~00000000-0000-0000-0000-000000000000~shared/"} {
		w.as("bob", "PROPFIND", "/dav/calendars/bob/"+path, "", "Depth: 0").is(404)
	}
}
