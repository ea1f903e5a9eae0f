package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"daybook/api/admin"
	"daybook/caldav"
	"daybook/ical"
	"daybook/store"
	"daybook/sync/guard"
	"daybook/sync/pull"
)

// side is a Daybook with one user and one calendar.
type side struct {
	st  *store.Store
	url string
	cal store.CollectionID
}

type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// newSide opens one; hash is of its user's password.
func newSide(t fataler, dir string, hash []byte) (*side, func()) {
	t.Helper()
	ctx := context.Background()
	st, err := store.Open(ctx, store.Options{Path: filepath.Join(dir, "x.db"), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	s := &side{st: st}
	err = st.Update(ctx, func(tx *store.Tx) error {
		org := &store.Principal{Kind: store.KindOrganisation, Name: "demo", Zone: "UTC"}
		if err := tx.CreatePrincipal(org); err != nil {
			return err
		}
		user := &store.Principal{Kind: store.KindUser, Name: "ann", Org: org.ID}
		if err := tx.CreatePrincipal(user); err != nil {
			return err
		}
		c, err := tx.Calendar(user.ID)
		s.cal = c.ID
		return errors.Join(err, tx.SetPassword(user.ID, hash))
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(caldav.New(caldav.Options{Store: st}))
	s.url = srv.URL + "/dav/calendars/ann/calendar/"
	return s, func() { srv.Close(); _ = st.Close() }
}

func twoWay(t fataler, a *side, rule store.ConflictRule, address string) (*pull.Puller, *store.Remote, func()) {
	t.Helper()
	fetch := guard.New(guard.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	p := pull.New(pull.Options{Store: a.st, Fetch: fetch})
	r := &store.Remote{Name: "b", Kind: store.RemoteCalDAV, Target: a.cal, TwoWay: true, Conflict: rule, DeleteLimit: 100}
	err := a.st.Update(context.Background(), func(tx *store.Tx) error {
		c, err := tx.Collection(a.cal)
		if err != nil {
			return err
		}
		r.Org = c.Org
		return tx.PutRemote(r, &store.RemoteAccess{URL: address, User: "ann", Password: "pw"})
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, r, fetch.Close
}

// put writes the event UID with a title and a place.
func (s *side) put(t fataler, uid, title, place string) {
	t.Helper()
	text := strings.Join([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:" + uid, "DTSTAMP:20270101T000000Z", "DTSTART:20270301T090000Z",
		"SUMMARY:" + title, "LOCATION:" + place, "END:VEVENT", "END:VCALENDAR", "",
	}, "\r\n")
	o, err := ical.ParseResource([]byte(text), ical.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.st.Prepare(o)
	if err != nil {
		t.Fatal(err)
	}
	err = s.st.Update(context.Background(), func(tx *store.Tx) error {
		name := uid + ".ics"
		if m, err := tx.MemberByUID(s.cal, uid); err == nil {
			name = m.Name
		}
		_, err := tx.PutObject(store.Put{Actor: store.System(), Collection: s.cal, Name: name, Object: p})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *side) remove(t fataler, uid string) {
	t.Helper()
	err := s.st.Update(context.Background(), func(tx *store.Tx) error {
		m, err := tx.MemberByUID(s.cal, uid)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return errors.Join(err, tx.DeleteObject(store.System(), s.cal, m.Name, store.Cond{}))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// content gives title and place by UID.
func (s *side) content(t fataler) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := s.st.View(context.Background(), func(v *store.View) error {
		clear(out)
		return v.EachMember(s.cal, "", func(m store.Member) bool {
			data, err := v.Data(m.Object)
			if err != nil {
				t.Fatal(err)
			}
			o, err := ical.Parse(data, ical.DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			out[o.UID()] = o.Main()[0].Text("SUMMARY") + "@" + o.Main()[0].Text("LOCATION")
			return true
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s *side) check(t fataler) {
	t.Helper()
	if _, err := s.st.Check(context.Background(), false, func(p store.Problem) { t.Fatalf("check: %s %s %s", p.Kind, p.Where, p.Message) }); err != nil {
		t.Fatal(err)
	}
}

// pullOnce pulls, and lets deletions pass that stopped it.
func pullOnce(t fataler, p *pull.Puller, id store.RemoteID) store.RemoteState {
	t.Helper()
	ctx := context.Background()
	s, err := p.Pull(ctx, id)
	if s.Stopped != "" {
		if err := p.Resume(ctx, id); err != nil {
			t.Fatal(err)
		}
		s, err = p.Pull(ctx, id)
	}
	if err != nil {
		t.Fatalf("%v %+v", err, s)
	}
	return s
}

// Two Daybooks under random edits on both sides: after some pulls both hold the
// same, and no edit that its own side did not take back is lost.
func TestTwoDaybooksConverge(t *testing.T) {
	hash, err := store.HashPassword("pw")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	round := 0
	checks := flag.Lookup("rapid.checks").Value
	before := checks.String()
	if err := checks.Set("12"); err != nil { // each opens two stores
		t.Fatal(err)
	}
	defer func() { _ = checks.Set(before) }()
	rapid.Check(t, func(rt *rapid.T) {
		round++
		a, endA := newSide(rt, mkdir(t, dir, fmt.Sprint("a", round)), hash)
		defer endA()
		b, endB := newSide(rt, mkdir(t, dir, fmt.Sprint("b", round)), hash)
		defer endB()
		p, r, end := twoWay(rt, a, store.ConflictBoth, b.url)
		defer end()
		written := map[*side]map[string]string{a: {}, b: {}} // since the last pull, by UID
		stamp := 0
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			if rapid.IntRange(0, 3).Draw(rt, "kind") == 0 {
				pullOnce(rt, p, r.ID)
				held := slices.Collect(maps.Values(a.content(rt)))
				for _, w := range written {
					for uid, title := range w {
						if !slices.Contains(held, title) {
							rt.Fatalf("the edit of %s to %s is lost: %v", uid, title, held)
						}
					}
					clear(w)
				}
				continue
			}
			s := rapid.SampledFrom([]*side{a, b}).Draw(rt, "side")
			uid := rapid.SampledFrom([]string{"u1", "u2", "u3"}).Draw(rt, "uid")
			if rapid.IntRange(0, 3).Draw(rt, "what") == 0 {
				s.remove(rt, uid)
				delete(written[s], uid)
				continue
			}
			stamp++
			title := fmt.Sprintf("t%d@here", stamp)
			s.put(rt, uid, fmt.Sprint("t", stamp), "here")
			written[s][uid] = title
		}
		for range 4 {
			pullOnce(rt, p, r.ID)
		}
		if x, y := a.content(rt), b.content(rt); !maps.Equal(x, y) {
			rt.Fatalf("they differ:\n%v\n%v", x, y)
		}
		if s := pullOnce(rt, p, r.ID); s.Result != "unchanged" {
			rt.Fatalf("it does not come to rest: %+v", s)
		}
		a.check(rt)
		b.check(rt)
	})
}

func mkdir(t *testing.T, parts ...string) string {
	t.Helper()
	dir := filepath.Join(parts...)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestConflictsFollowTheRule(t *testing.T) {
	hash, err := store.HashPassword("pw")
	if err != nil {
		t.Fatal(err)
	}
	for rule, want := range map[store.ConflictRule]string{store.ConflictRemote: "B@x", store.ConflictOurs: "A@x", store.ConflictBoth: "B@x"} {
		a, endA := newSide(t, t.TempDir(), hash)
		b, endB := newSide(t, t.TempDir(), hash)
		p, r, end := twoWay(t, a, rule, b.url)
		a.put(t, "u", "old", "x")
		a.put(t, "v", "old", "x")
		pullOnce(t, p, r.ID)
		a.put(t, "u", "A", "x")
		b.put(t, "u", "B", "x")
		a.put(t, "v", "new", "x") // what does not touch each other is joined
		b.put(t, "v", "old", "y")
		s := pullOnce(t, p, r.ID)
		pullOnce(t, p, r.ID)
		got := a.content(t)
		if !maps.Equal(got, b.content(t)) || got["u"] != want || got["v"] != "new@y" || len(s.Conflicts) != 1 {
			t.Errorf("%s: %v %v %+v", rule, got, b.content(t), s.Conflicts)
		}
		if n := len(got); n != 2 && rule != store.ConflictBoth || n != 3 && rule == store.ConflictBoth {
			t.Errorf("%s: %v", rule, got)
		}
		end()
		endA()
		endB()
	}
}

// A calendar is found from the server's address, and from the user's home.
func TestDiscoveryFromAnAddress(t *testing.T) {
	hash, err := store.HashPassword("pw")
	if err != nil {
		t.Fatal(err)
	}
	a, endA := newSide(t, t.TempDir(), hash)
	defer endA()
	b, endB := newSide(t, t.TempDir(), hash)
	defer endB()
	b.put(t, "u", "B", "x")
	root := strings.TrimSuffix(b.url, "dav/calendars/ann/calendar/")
	for _, address := range []string{root, root + "dav/", root + "dav/calendars/ann/", root + "dav/principals/ann/", strings.TrimSuffix(b.url, "/")} {
		p, r, end := twoWay(t, a, "", address)
		if s := pullOnce(t, p, r.ID); s.Collection != b.url || a.content(t)["u"] != "B@x" {
			t.Errorf("%s: %+v", address, s)
		}
		end()
		if err := p.Remove(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
		if len(a.content(t)) != 1 {
			t.Error("what both sides have went with the remote")
		}
		a.remove(t, "u")
	}
}

func TestWrongPasswordAndDeletionsStop(t *testing.T) {
	hash, err := store.HashPassword("pw")
	if err != nil {
		t.Fatal(err)
	}
	a, endA := newSide(t, t.TempDir(), hash)
	defer endA()
	b, endB := newSide(t, t.TempDir(), hash)
	defer endB()
	p, r, end := twoWay(t, a, "", b.url)
	defer end()
	for i := range 5 {
		b.put(t, fmt.Sprint("u", i), "B", "x")
	}
	pullOnce(t, p, r.ID)
	change := func(password string, limit int) {
		t.Helper()
		err := a.st.Update(t.Context(), func(tx *store.Tx) error {
			r.DeleteLimit = limit
			return tx.PutRemote(r, &store.RemoteAccess{URL: b.url, User: "ann", Password: password})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	change("wrong", 30)
	if s, err := p.Pull(t.Context(), r.ID); err == nil || s.Result != "login" || len(a.content(t)) != 5 {
		t.Errorf("%v %+v", err, s)
	}
	change("pw", 30)
	for i := range 3 {
		b.remove(t, fmt.Sprint("u", i))
	}
	if s, err := p.Pull(t.Context(), r.ID); err == nil || s.Result != "stopped" || len(a.content(t)) != 5 {
		t.Errorf("deletions there: %v %+v", err, s)
	}
	for i := range 3 {
		b.put(t, fmt.Sprint("u", i), "B", "x")
		a.remove(t, fmt.Sprint("u", i))
	}
	if err := a.st.Update(t.Context(), func(tx *store.Tx) error { return tx.PutRemoteState(r.ID, store.RemoteState{}) }); err != nil {
		t.Fatal(err)
	}
	if s, err := p.Pull(t.Context(), r.ID); err != nil && s.Result != "stopped" || len(b.content(t)) != 5 {
		t.Errorf("deletions here: %v %+v", err, s)
	}
}

const farEvent = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:far\r\nDTSTAMP:20270101T000000Z\r\n" +
	"DTSTART:20270302T090000Z\r\nDURATION:PT1H\r\nSUMMARY:Far\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// What a remote brings is seen by every API, and changed by none.
func TestRemoteThroughTheDaemon(t *testing.T) {
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(farEvent)) }))
	defer source.Close()
	d := startDaemon(t, t.TempDir(), "--fetch-allow", "127.0.0.0/8")
	must[map[string]any](t, d.data, "apply", "testdata/demo.yaml")
	if r := command(t, d.data, "remote", "create", "own", d.URL+demoFeed, "--calendar", "ada"); r.code == 0 || !strings.Contains(r.errout, "own") {
		t.Errorf("the daemon's own feed: %d %s", r.code, r.errout)
	}
	if r := command(t, d.data, "remote", "create", "inside", "http://10.0.0.1/x.ics", "--calendar", "ada"); r.code == 0 || !strings.Contains(r.errout, "private") {
		t.Errorf("a private address: %d %s", r.code, r.errout)
	}
	made := must[admin.RemoteRow](t, d.data, "remote", "create", "far", source.URL+"/secret.ics", "--calendar", "ada")
	if made.Server != source.URL || made.Calendar != "ada/calendar" {
		t.Errorf("%+v", made)
	}
	if s := must[admin.RemoteRow](t, d.data, "remote", "pull", "far").State; s.Result != "ok" || s.Items != 1 {
		t.Fatalf("%+v", s)
	}
	object := d.URL + "/dav/calendars/ada/calendar/far.ics"
	if code, _, body := ask(t, "GET", object, "user01", "user01", ""); code != 200 || body != farEvent {
		t.Errorf("%d %s", code, body)
	}
	for _, method := range []string{"PUT", "DELETE"} {
		code, _, body := ask(t, method, object, "user01", "user01", farEvent)
		if code != 403 || !strings.Contains(body, "need-privileges") {
			t.Errorf("%s: %d %s", method, code, body)
		}
	}
	_, _, body := ask(t, "PROPFIND", object, "user01", "user01", `<propfind xmlns="DAV:"><prop><current-user-privilege-set/></prop></propfind>`)
	if !strings.Contains(body, "<D:read/>") || strings.Contains(body, "write-content") {
		t.Errorf("privileges: %s", body)
	}
	status, events := bearer(t, "GET", d.URL+"/calendar/range/1?startDate=2027-03-02&endDate=2027-03-02", "")
	if status != 200 || !strings.Contains(events, `"readOnly":true`) || !strings.Contains(events, `"title":"Far"`) {
		t.Errorf("TimeTap: %d %s", status, events)
	}
	status, shown := bearer(t, "GET", d.URL+"/v1/remotes/far", "")
	if status != 200 || strings.Contains(shown, "secret") || !strings.Contains(shown, source.URL) {
		t.Errorf("house: %d %s", status, shown)
	}
	if status, shown = bearer(t, "POST", d.URL+"/v1/remotes/far/pull", ""); status != 200 || !strings.Contains(shown, `"result":"unchanged"`) {
		t.Errorf("pull: %d %s", status, shown)
	}
	must[admin.RemoteRow](t, d.data, "remote", "pause", "far")
	if status, _ = bearer(t, "POST", d.URL+"/v1/remotes/far/pull", ""); status != 409 {
		t.Errorf("paused: %d", status)
	}
	must[admin.RemoteRow](t, d.data, "remote", "resume", "far")
	if rows := must[[]admin.RemoteRow](t, d.data, "remote", "list"); len(rows) != 1 || rows[0].State.Condition != "ok" {
		t.Errorf("%+v", rows)
	}
	file := filepath.Join(t.TempDir(), "remotes.yaml")
	text := "organisations:\n  - slug: demo\n    remotes:\n      - {name: far, calendar: ada, url: \"" + source.URL + "/secret.ics\", counts: free, components: [VEVENT], past_days: 30, paused: false}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"changed", "unchanged"} {
		if r := command(t, d.data, "apply", file, "--json"); r.code != 0 || !strings.Contains(r.out, `"`+want+`"`) || strings.Contains(r.out, "secret") {
			t.Errorf("apply: %+v", r)
		}
	}
	if row := must[admin.RemoteRow](t, d.data, "remote", "show", "far"); row.Counts != "free" || row.PastDays != 30 {
		t.Errorf("%+v", row)
	}
	must[admin.RemoteRow](t, d.data, "remote", "delete", "far")
	if code, _, _ := ask(t, "GET", object, "user01", "user01", ""); code != 404 {
		t.Errorf("after the remote: %d", code)
	}
}

// bearer sends a request with the token of the demo data.
func bearer(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+demoToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}
