package caldav_test

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// mirror is a client that knows a calendar by its sync-tokens alone.
type mirror struct {
	calendar string
	token    string
	etags    map[string]string // by href
}

// sync asks for changes, at most limit at a time (0: all), until there are no
// more, or only once.
func (m *mirror) sync(w *world, limit int, once bool) {
	w.t.Helper()
	for range 1000 {
		body := syncCollection(m.token, "<D:getetag/>")
		if limit > 0 {
			body = strings.Replace(body, "<D:prop>", fmt.Sprintf("<D:limit><D:nresults>%d</D:nresults></D:limit><D:prop>", limit), 1)
		}
		answer := w.do("ada", "REPORT", m.calendar, body, "Depth: 0").multistatus()
		if answer.token == "" {
			w.t.Fatal("no token to go on with")
		}
		more := false
		for _, href := range answer.hrefs {
			r := answer.resources[href]
			switch {
			case href == m.calendar:
				if !strings.Contains(r.status, " 507 ") {
					w.t.Fatalf("the calendar itself is listed: %+v", r)
				}
				more = true
			case strings.Contains(r.status, " 404 "):
				delete(m.etags, href)
			default:
				m.etags[href] = r.text("getetag")
			}
		}
		if n := len(answer.hrefs); limit > 0 && n > limit+1 {
			w.t.Fatalf("%d answers, the limit is %d", n, limit)
		}
		if more && answer.token == m.token {
			w.t.Fatal("there is more, but the token did not move")
		}
		m.token = answer.token
		if !more || once {
			return
		}
	}
	w.t.Fatal("the changes do not end")
}

// listing gives the ETags by PROPFIND.
func (w *world) listing(calendar string) map[string]string {
	w.t.Helper()
	out := map[string]string{}
	m := w.do("ada", "PROPFIND", calendar, propfind("D:getetag"), "Depth: 1").multistatus()
	for _, href := range m.hrefs {
		if href != calendar {
			out[href] = m.resources[href].text("getetag")
		}
	}
	return out
}

// TestClientsThatOnlyFollowTokensEndWithTheListing makes random changes, some
// of them side by side, and lets two clients follow: one often and in small
// steps that it does not finish, one now and then.
func TestClientsThatOnlyFollowTokensEndWithTheListing(t *testing.T) {
	shared := newWorld(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := *shared
		w.t = rt
		round++
		calendars := [2]string{fmt.Sprintf("%sa%d/", adaHome, round), fmt.Sprintf("%sb%d/", adaHome, round)}
		for _, c := range calendars {
			w.do("ada", "MKCALENDAR", c, "").want(201)
			defer func() { w.do("ada", "DELETE", c, "").want(204) }() // a home has room for a thousand
		}
		often := &mirror{calendar: calendars[0], etags: map[string]string{}}
		seldom := &mirror{calendar: calendars[0], etags: map[string]string{}}
		for range rapid.IntRange(1, 12).Draw(rt, "rounds") {
			w.shake(rt, calendars)
			often.sync(&w, rapid.IntRange(0, 3).Draw(rt, "limit"), rapid.Bool().Draw(rt, "once"))
			if rapid.IntRange(0, 4).Draw(rt, "seldom") == 0 {
				seldom.sync(&w, 0, false)
			}
		}
		want := w.listing(calendars[0])
		for name, m := range map[string]*mirror{"often": often, "seldom": seldom} {
			m.sync(&w, rapid.IntRange(0, 2).Draw(rt, "limit"), false)
			if !maps.Equal(m.etags, want) {
				rt.Fatalf("the client that asks %s has %v, the calendar %v", name, m.etags, want)
			}
		}
		late := &mirror{calendar: calendars[0], etags: map[string]string{}}
		late.sync(&w, rapid.IntRange(0, 5).Draw(rt, "limit"), false)
		if !maps.Equal(late.etags, want) {
			rt.Fatalf("a new client has %v, the calendar %v", late.etags, want)
		}
	})
}

// shake makes some changes at the same time. Names and UIDs are few, so that
// they collide; a refusal is fine, a failure is not.
func (w *world) shake(rt *rapid.T, calendars [2]string) {
	type change struct{ method, path, body, destination string }
	slot := rapid.IntRange(0, 4)
	path := func() string {
		return fmt.Sprintf("%s%d.ics", calendars[rapid.IntRange(0, 3).Draw(rt, "calendar")/3], slot.Draw(rt, "name"))
	}
	var changes []change
	for range rapid.IntRange(1, 4).Draw(rt, "changes") {
		c := change{path: path()}
		switch rapid.IntRange(0, 9).Draw(rt, "kind") {
		case 0, 1:
			c.method = "DELETE"
		case 2, 3:
			c.method, c.destination = "MOVE", path()
		case 4:
			c.method, c.destination = "COPY", path()
		default:
			c.method = "PUT"
			c.body = event(fmt.Sprint("uid-", slot.Draw(rt, "uid")), "20260105T100000Z", fmt.Sprint(rapid.IntRange(0, 3).Draw(rt, "summary")))
		}
		changes = append(changes, c)
	}
	var all sync.WaitGroup
	for _, c := range changes {
		all.Go(func() {
			headers := []string{"Content-Type: text/calendar"}
			if c.destination != "" {
				headers = append(headers, "Destination: "+w.http.URL+c.destination)
			}
			if a := w.do("ada", c.method, c.path, c.body, headers...); a.code >= 500 {
				w.t.Errorf("%s %s: %d %s", c.method, c.path, a.code, a.body)
			}
		})
	}
	all.Wait()
}
