package caldav_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestSyncRules(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	report := func(body string, headers ...string) *answer {
		t.Helper()
		return w.do("ada", "REPORT", adaCalendar, body, headers...)
	}
	body := func(token, level, rest, props string) string {
		return `<D:sync-collection ` + namespaces + `><D:sync-token>` + token + `</D:sync-token>` + level + rest + `<D:prop>` + props + `</D:prop></D:sync-collection>`
	}
	const one = "<D:sync-level>1</D:sync-level>"

	// What is asked, and how.
	first := report(body("", one, "", "<D:getetag/>"), "Depth: 0").multistatus()
	for name, headers := range map[string][]string{"no Depth": nil, "Depth 1": {"Depth: 1"}} {
		if m := report(body("", one, "", "<D:getetag/>"), headers...).multistatus(); !slices.Equal(m.hrefs, first.hrefs) {
			t.Errorf("%s: %v", name, m.hrefs)
		}
	}
	report(body("", "<D:sync-level>infinite</D:sync-level>", "", "<D:getetag/>"), "Depth: 0").want(207)
	report(body("", "<D:sync-level>2</D:sync-level>", "", "<D:getetag/>"), "Depth: 0").want(400)
	report(body("", "", "", "<D:getetag/>"), "Depth: 1").want(207) // drafts of the RFC had no sync-level
	report(body("", "", "", "<D:getetag/>"), "Depth: 0").want(400)
	for _, token := range []string{"garbage", "urn:daybook:sync:0000000000000000-2-1", "http://example.com/1", first.token + "0", strings.TrimSuffix(first.token, "3") + "4"} {
		report(body(token, one, "", "<D:getetag/>"), "Depth: 0").precondition(403, nsDAV, "valid-sync-token")
	}
	other := w.do("ada", "REPORT", "/dav/calendars/room-1/calendar/", body("", one, "", ""), "Depth: 0").multistatus()
	report(body(other.token, one, "", ""), "Depth: 0").precondition(403, nsDAV, "valid-sync-token")

	// Members without the properties that are asked for are still members.
	for name, props := range map[string]string{"none": "", "unknown": "<D:nothing-such/>"} {
		m := report(body("", one, "", props), "Depth: 0").multistatus()
		if len(m.hrefs) != 3 {
			t.Errorf("%s: %v", name, m.hrefs)
		}
		for _, r := range m.resources {
			if r.status != "" {
				t.Errorf("%s: a member has the status %q", name, r.status)
			}
		}
	}

	// Nothing new; then new, changed, removed, made and removed.
	if m := report(body(first.token, one, "", "<D:getetag/>"), "Depth: 0").multistatus(); len(m.hrefs) != 0 || m.token != first.token {
		t.Errorf("nothing new: %v %s", m.hrefs, m.token)
	}
	w.put(adaCalendar+"new.ics", event("new", "20260105T100000Z", "New"))
	w.put(adaCalendar+"single.ics", event("single", "20260105T120000Z", "Changed"))
	w.put(adaCalendar+"single.ics", event("single", "20260105T130000Z", "Changed twice"))
	w.do("ada", "DELETE", adaCalendar+"todo.ics", "").want(204)
	w.put(adaCalendar+"brief.ics", event("brief", "20260105T100000Z", "Brief"))
	w.do("ada", "DELETE", adaCalendar+"brief.ics", "").want(204)
	for generation := range 2 { // the old token lives on
		m := report(body(first.token, one, "", "<D:getetag/>"), "Depth: 0").multistatus()
		if got := found(m); got != "brief new single todo" {
			t.Errorf("%d: changes %q", generation, got)
		}
		for _, gone := range []string{"brief", "todo"} {
			if r := m.at(t, adaCalendar+gone+".ics"); !strings.Contains(r.status, " 404 ") || len(r.props)+len(r.lacks) != 0 {
				t.Errorf("%s: %+v", gone, r)
			}
		}
	}

	// In steps.
	limit := func(n int) string { return fmt.Sprintf("<D:limit><D:nresults>%d</D:nresults></D:limit>", n) }
	cut := report(body(first.token, one, limit(2), "<D:getetag/>"), "Depth: 0").multistatus()
	if r := cut.at(t, adaCalendar); !strings.Contains(r.status, " 507 ") || len(cut.hrefs) != 3 || cut.token == first.token {
		t.Errorf("limited: %v, token %s", cut.hrefs, cut.token)
	}
	rest := report(body(cut.token, one, "", "<D:getetag/>"), "Depth: 0").multistatus()
	if len(rest.hrefs) != 2 || rest.resources[adaCalendar] != nil {
		t.Errorf("the rest: %v", rest.hrefs)
	}

	// A calendar made anew at an old address is another one.
	w.do("ada", "MKCALENDAR", adaHome+"again/", "").want(201)
	old := w.do("ada", "REPORT", adaHome+"again/", body("", one, "", ""), "Depth: 0").multistatus().token
	w.do("ada", "DELETE", adaHome+"again/", "").want(204)
	w.do("ada", "MKCALENDAR", adaHome+"again/", "").want(201)
	w.do("ada", "REPORT", adaHome+"again/", body(old, one, "", ""), "Depth: 0").precondition(403, nsDAV, "valid-sync-token")
}

func TestOneOfManyWritersAtANewNameWins(t *testing.T) {
	w := newWorld(t)
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		codes = map[int]int{}
	)
	for i := range 16 {
		all.Go(func() {
			a := w.do("ada", "PUT", adaCalendar+"race.ics", event("race", "20260105T100000Z", fmt.Sprint(i)), icsType, "If-None-Match: *")
			mu.Lock()
			codes[a.code]++
			mu.Unlock()
		})
	}
	all.Wait()
	if codes[201] != 1 || codes[412] != 15 {
		t.Errorf("answers %v", codes)
	}
	etag := w.do("ada", "GET", adaCalendar+"race.ics", "").want(200).header.Get("ETag")
	clear(codes)
	for i := range 16 {
		all.Go(func() {
			a := w.do("ada", "PUT", adaCalendar+"race.ics", event("race", "20260105T110000Z", fmt.Sprint("second ", i)), icsType, "If-Match: "+etag)
			mu.Lock()
			codes[a.code]++
			mu.Unlock()
		})
	}
	all.Wait()
	if codes[204] != 1 || codes[412] != 15 {
		t.Errorf("answers to changes %v", codes)
	}
}
