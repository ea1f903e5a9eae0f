package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/api/admin"
)

// both runs a test of commands on the data folder alone, and again while a
// daemon has it.
func both(t *testing.T, fn func(t *testing.T, data string)) {
	t.Run("without daemon", func(t *testing.T) {
		data := t.TempDir()
		must[admin.SetUp](t, data, "init", "--zone", "Europe/Berlin")
		fn(t, data)
	})
	t.Run("with daemon", func(t *testing.T) { fn(t, startDaemon(t, t.TempDir(), "--zone", "Europe/Berlin").data) })
}

func TestDirectoryCommands(t *testing.T) {
	both(t, func(t *testing.T, data string) {
		made := must[admin.Password](t, data, "user", "create", "grace", "--email", "grace@example.com", "--grant", "write")
		if made.Password == "" {
			t.Error("no password was made")
		}
		if r := commandIn(t, "typed in\n", data, "user", "password", "grace", "--password-stdin"); r.code != 0 || strings.Contains(r.out, "typed in") {
			t.Errorf("%+v", r)
		}
		users := must[[]admin.User](t, data, "user", "list")
		if i := slices.IndexFunc(users, func(u admin.User) bool { return u.Name == "grace" }); i < 0 ||
			!slices.Contains(users[i].Rights, "write") || !slices.Equal(users[i].Calendars, []string{"calendar"}) {
			t.Errorf("%+v", users)
		}
		room := must[admin.Resource](t, data, "resource", "create", "room", "room-1", "--display-name", "Room 1")
		if room.Alias == 0 || room.Kind != "room" {
			t.Errorf("%+v", room)
		}
		if r := command(t, data, "resource", "create", "room", "room-1"); r.code != exitFailed || !strings.Contains(r.errout, "exists") {
			t.Errorf("%+v", r)
		}
		must[admin.Grant](t, data, "grant", "set", "grace", "room-1", "read", "delete")
		grants := must[[]admin.Grant](t, data, "grant", "list", "--target", "room-1")
		if len(grants) != 1 || grants[0].Subject != "grace" || !slices.Equal(grants[0].Rights, []string{"read", "delete"}) {
			t.Errorf("%+v", grants)
		}
		must[admin.Grant](t, data, "grant", "remove", "grace", "room-1")
		if grants := must[[]admin.Grant](t, data, "grant", "list", "--target", "room-1"); len(grants) != 0 {
			t.Errorf("%+v", grants)
		}
		must[admin.Grant](t, data, "grant", "set", "grace", "room-1/calendar", "read") // its only one
		if grants := must[[]admin.Grant](t, data, "grant", "list", "--target", "room-1"); len(grants) != 1 || grants[0].Target != "room-1" {
			t.Errorf("%+v", grants)
		}
		must[admin.Deleted](t, data, "resource", "delete", "room-1")
		if r := command(t, data, "resource", "delete", "grace"); r.code != exitFailed || !strings.Contains(r.errout, "is a user") {
			t.Errorf("%+v", r)
		}
		must[admin.Deleted](t, data, "user", "delete", "grace")
		if resources := must[[]admin.Resource](t, data, "resource", "list"); len(resources) != 0 {
			t.Errorf("%+v", resources)
		}
		must[admin.Organisation](t, data, "organisation", "create", "second", "--zone", "America/New_York")
		if r := command(t, data, "user", "create", "who"); r.code != exitFailed || !strings.Contains(r.errout, "daybook, second") {
			t.Errorf("with two organisations: %+v", r)
		}
	})
}

func TestOneCalendarIsGranted(t *testing.T) {
	both(t, func(t *testing.T, data string) {
		file := filepath.Join(t.TempDir(), "demo.yaml")
		text := "organisations: [{slug: demo, users: [{name: grace, grants: [read@henry/calendar, write]}, {name: henry}], tokens: [{id: t1, kind: bearer, secret: secret-of-the-token, grants: [write@henry/calendar]}]}]"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, outcome := range []string{admin.Created, admin.Unchanged} {
			if r := command(t, data, "apply", file); r.code != 0 || !strings.Contains(r.out+r.errout, outcome) {
				t.Fatalf("%+v", r)
			}
		}
		list := func() []admin.Grant { return must[[]admin.Grant](t, data, "grant", "list", "--target", "henry") }
		if g := list(); len(g) != 1 || g[0].Subject != "grace" || g[0].Target != "henry/calendar" || !slices.Equal(g[0].Rights, []string{"read"}) {
			t.Errorf("%+v", g)
		}
		tokens := must[[]admin.Token](t, data, "token", "list", "--organisation", "demo")
		if len(tokens) != 1 || !slices.Equal(tokens[0].Grants, []string{"write@henry/calendar"}) {
			t.Errorf("%+v", tokens)
		}
		must[admin.Grant](t, data, "grant", "set", "grace", "henry/calendar", "write")
		if g := list(); len(g) != 1 || !slices.Equal(g[0].Rights, []string{"write"}) {
			t.Errorf("%+v", g)
		}
		must[admin.Grant](t, data, "grant", "remove", "grace", "henry/calendar")
		if g := list(); len(g) != 0 {
			t.Errorf("%+v", g)
		}
		for _, target := range []string{"henry/none", "nobody/calendar", "henry/", "/calendar"} {
			if r := command(t, data, "grant", "set", "grace", target, "read"); r.code != exitFailed || !strings.Contains(r.errout, "not found") {
				t.Errorf("%s: %+v", target, r)
			}
		}
	})
}

func TestServiceAndGroupCommands(t *testing.T) {
	both(t, func(t *testing.T, data string) {
		must[admin.Resource](t, data, "resource", "create", "staff", "ada")
		s := must[admin.BookableService](t, data, "service", "create", "Massage", "--length", "50m", "--buffer-after", "PT10M",
			"--max-ahead", "P60D", "--max-per-day", "6", "--capacity", "4", "--step", "30m", "--resource", "ada", "--color", "#00ff00")
		if s.Length != "PT50M" || s.BufferAfter != "PT10M" || s.MaxPerDay != 6 || s.Capacity != 4 || s.Step != "PT30M" || !s.Active || !slices.Equal(s.Resources, []string{"ada"}) {
			t.Errorf("%+v", s)
		}
		must[admin.BookableService](t, data, "service", "create", "Massage", "--active=false")
		if r := command(t, data, "service", "list"); !strings.Contains(r.out, "4        PT30M") || !strings.Contains(r.out, "1        PT15M") {
			t.Errorf("%+v", r)
		}
		for _, args := range [][]string{
			{"service", "create", "Cut", "--length", "long", "--color", "red"},
			{"service", "create", "Cut", "--resource", "nobody"},
			{"service", "create", "Cut", "--step", "30s"},
			{"service", "create", "Cut", "--step", "P2D"},
			{"service", "create", "Cut", "--capacity", "-1"},
			{"service", "create", "Cut", "--capacity", "100001"},
			{"service", "create", "Cut", "--min-notice", "P2D", "--max-ahead", "P1D"},
			{"service", "create", "Cut", "--id", s.ID.String()},
			{"service", "delete", "Massage"}, // which of them?
			{"service", "delete", "Cut"},
			{"group", "create", "ada"},
			{"group", "create", "team", "--member", "nobody"},
			{"group", "delete", "ada"},
		} {
			if r := command(t, data, args...); r.code != exitFailed || r.errout == "" {
				t.Errorf("%v: %+v", args, r)
			}
		}
		must[admin.ByID](t, data, "service", "delete", s.ID.String())
		must[admin.ByID](t, data, "service", "delete", "Massage")
		if all := must[[]admin.BookableService](t, data, "service", "list"); len(all) != 0 {
			t.Errorf("%+v", all)
		}
		g := must[admin.Group](t, data, "group", "create", "team", "--member", "ada,admin", "--member", "ada", "--display-name", "The team")
		if !slices.Equal(g.Members, []string{"ada", "admin"}) || g.Alias == 0 {
			t.Errorf("%+v", g)
		}
		must[admin.Deleted](t, data, "resource", "delete", "ada")
		if all := must[[]admin.Group](t, data, "group", "list"); len(all) != 1 || !slices.Equal(all[0].Members, []string{"admin"}) {
			t.Errorf("%+v", all)
		}
		must[admin.ByID](t, data, "group", "delete", "team")
	})
}

func TestAccessCommands(t *testing.T) {
	both(t, func(t *testing.T, data string) {
		token := must[admin.Secret](t, data, "token", "create", "t1", "--grant", "write", "--expires", "30d")
		if token.Token != "t1."+token.Secret {
			t.Errorf("%+v", token)
		}
		if r := command(t, data, "token", "create", "t1", "--grant", "write"); r.code != exitFailed {
			t.Errorf("the same id: %+v", r)
		}
		if r := command(t, data, "token", "create"); r.code != exitFailed || !strings.Contains(r.errout, "--grant") {
			t.Errorf("a token for nothing: %+v", r)
		}
		must[admin.Secret](t, data, "token", "create", "phone", "--kind", "app", "--user", "admin")
		list := command(t, data, "token", "list")
		if list.code != 0 || !strings.Contains(list.out, "phone") || strings.Contains(list.out, token.Secret) {
			t.Errorf("%+v", list)
		}
		must[admin.ByID](t, data, "token", "revoke", "t1")
		if tokens := must[[]admin.Token](t, data, "token", "list"); len(tokens) != 1 {
			t.Errorf("%+v", tokens)
		}
		feed := must[admin.Feed](t, data, "feed", "create", "admin", "--show", "busy")
		if !strings.HasPrefix(feed.Path, "/feeds/") || feed.Shows() != "admin/calendar" {
			t.Errorf("%+v", feed)
		}
		if feeds := must[[]admin.Feed](t, data, "feed", "list"); len(feeds) != 1 || feeds[0].Path != "" || feeds[0].Show != "busy" {
			t.Errorf("%+v", feeds)
		}
		again := must[admin.Feed](t, data, "feed", "rotate", feed.ID, "--grace", "2d")
		if again.ID != feed.ID || again.Path == feed.Path || len(again.Former) != 1 {
			t.Errorf("%+v", again)
		}
		shown := must[admin.Feed](t, data, "feed", "show", feed.ID)
		if shown.Path != "" || len(shown.Former) != 1 || shown.Rotated.IsZero() || shown.Private != "busy" {
			t.Errorf("%+v", shown)
		}
		if r := command(t, data, "feed", "show", feed.ID); r.code != 0 || !strings.Contains(r.out, "admin/calendar") || !strings.Contains(r.out, "Former link") {
			t.Errorf("%+v", r)
		}
		must[admin.ByID](t, data, "feed", "revoke", feed.ID)
		if r := command(t, data, "feed", "revoke", feed.ID); r.code != exitFailed {
			t.Errorf("revoked twice: %+v", r)
		}
	})
}

func TestApplyIsIdempotent(t *testing.T) {
	both(t, func(t *testing.T, data string) {
		first := must[admin.Applied](t, data, "apply", "testdata/demo.yaml")
		if first.Created != 13 || first.Changed != 0 {
			t.Errorf("first: %+v", first)
		}
		second := must[admin.Applied](t, data, "apply", "testdata/demo.yaml")
		if second.Created != 0 || second.Changed != 0 || second.Unchanged != 13 {
			t.Errorf("second: %+v", second)
		}
		text, err := os.ReadFile("testdata/demo.yaml")
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.NewReplacer("Ada Noor", "Ada N.", "password: user01", "password: another", "[write]", "[read]",
			"onlive-secret", "onlive-secret-2", "show: full", "show: busy",
			"capacity: 3", "capacity: 5", "[ada, grace]", "[ada]", "length: 20m", "length: PT30M", "write@room-1", "read@ada").Replace(string(text))
		r := commandIn(t, changed, data, "apply", "-")
		if r.code != 0 || !strings.Contains(r.out, "0 created, 7 changed, 6 unchanged") {
			t.Errorf("changed: %+v", r)
		}
		// A list of grants is all of them.
		if g := must[[]admin.Grant](t, data, "grant", "list", "--target", "room-1"); len(g) != 0 {
			t.Errorf("%+v", g)
		}
		all := must[[]admin.BookableService](t, data, "service", "list", "--organisation", "demo")
		if len(all) != 2 || all[1].Alias != 7 || all[1].Length != "PT50M" || all[1].MaxAhead != "P60D" || all[1].BufferAfter != "PT10M" ||
			!slices.Equal(all[1].Resources, []string{"ada", "room-1"}) || all[1].Step != "PT30M" || all[0].Length != "PT30M" || all[0].Capacity != 5 || !all[0].Confirm || !all[0].Active {
			t.Errorf("%+v", all)
		}
	})
}

func TestApplyMakesEverySortOfFeed(t *testing.T) {
	both(t, func(t *testing.T, data string) {
		const file = `organisations:
  - slug: demo
    resources:
      - {kind: room, name: r1}
      - {kind: room, name: r2}
    feeds:
      - {secret: secret-of-both-rooms, name: rooms, calendar: r1, calendars: [r2], show: titles, private: hidden, past_days: 7, future_days: 60,
         components: [vevent], title: Rooms, description: Both, zone: Europe/Vienna, color: "#112233", url: "https://example.com/", refresh: 2h}
      - {secret: secret-of-busy-time, name: busy, free_busy: r1}
      - {secret: secret-of-the-hours, name: hours, hours: demo, expires: 2999-01-01}
`
		if r := commandIn(t, file, data, "apply", "-"); r.code != 0 {
			t.Fatalf("%+v", r)
		}
		again := commandIn(t, file, data, "apply", "-", "--json")
		if again.code != 0 || !strings.Contains(again.out, `"changed":0`) && !strings.Contains(again.out, `"changed": 0`) {
			t.Errorf("%+v", again)
		}
		for _, f := range must[[]admin.Feed](t, data, "feed", "list") {
			switch f.Name {
			case "rooms":
				if f.Shows() != "r1/calendar, r2/calendar" || f.Show != "titles" || f.Private != "hidden" || *f.Past != 7 || *f.Future != 60 ||
					f.Components[0] != "VEVENT" || f.Zone != "Europe/Vienna" || f.Refresh != 2*time.Hour {
					t.Errorf("%+v", f)
				}
			case "busy":
				if f.FreeBusy != "r1" {
					t.Errorf("%+v", f)
				}
			case "hours":
				if f.Hours != "demo" {
					t.Errorf("%+v", f)
				}
			}
		}
		bad := commandIn(t, strings.ReplaceAll(file, "hours: demo", "hours: demo, group: r1"), data, "apply", "-")
		if bad.code == 0 || !strings.Contains(bad.out+bad.errout, "shows one of") {
			t.Errorf("%+v", bad)
		}
	})
}

func TestApplyTellsEveryFaultAndChangesNothing(t *testing.T) {
	both(t, func(t *testing.T, data string) {
		r := commandIn(t, `organisations:
  - slug: demo
    zone: Mars/Base
    colour: red
    users:
      - {name: ada, password: x, grants: [own]}
      - {name: ada, id: nonsense}
    services: [{name: cut, length: an hour, max_per_day: -1, capacity: -1, step: 30s, confirm: perhaps}, {name: cut}]
    groups: [{name: ada, alias: 0}]
`, data, "apply", "-")
		for _, want := range []string{
			"line 2: zone", "line 4: unknown key", `line 6: grants`, "line 7: name \"ada\" is used twice, first at line 6", "line 7: id",
			`line 8: service "cut": length`, `line 8: service "cut": max_per_day`, `line 8: service "cut": capacity`, `line 8: service "cut": step`, "line 8: confirm", `line 8: service without id in demo "cut" is used twice`,
			`line 9: name "ada" is used twice`, "line 9: alias 0",
		} {
			if !strings.Contains(r.errout, want) {
				t.Errorf("missing %q in %s", want, r.errout)
			}
		}
		r2 := commandIn(t, "organisations:\n  - slug: demo\n    resources:\n      - {kind: room, name: r}\n    feeds:\n      - {secret: long-enough-secret, name: f, calendar: nobody}\n      - {secret: short, name: f, calendar: r}\n    services: [{name: cut, resources: [nobody]}]\n    groups: [{name: g, members: [demo]}]\n", data, "apply", "-")
		if r.code != exitFailed || r2.code != exitFailed || !strings.Contains(r2.errout, "line 6") || !strings.Contains(r2.errout, "line 7") ||
			!strings.Contains(r2.errout, "line 8") || !strings.Contains(r2.errout, "line 9") {
			t.Errorf("%+v %+v", r, r2)
		}
		if all := must[[]admin.Organisation](t, data, "organisation", "list"); len(all) != 1 {
			t.Errorf("something was made: %+v", all)
		}
	})
}

func TestImportReportsEveryObject(t *testing.T) {
	both(t, func(t *testing.T, data string) {
		r := command(t, data, "import", "testdata/mixed.ics", "--calendar", "admin/calendar")
		for _, want := range []string{
			"line 4: created: good-1@example.com", "line 11: refused: bad-1@example.com: ", "line 17: created: series/with slash",
			"admin/calendar: 3 objects: 2 created, 0 updated, 0 unchanged, 1 refused",
		} {
			if !strings.Contains(r.out, want) {
				t.Errorf("missing %q in\n%s", want, r.out)
			}
		}
		if r.code != exitFailed || !strings.Contains(r.errout, "imported 3 of 3") || !strings.Contains(r.errout, "1 of 3 objects were refused") {
			t.Errorf("%+v", r)
		}
		r = command(t, data, "import", "testdata/mixed.ics", "--calendar", "admin")
		if !strings.Contains(r.out, "0 created, 0 updated, 2 unchanged, 1 refused") {
			t.Errorf("a second run: %+v", r)
		}
		text, err := os.ReadFile("testdata/mixed.ics")
		if err != nil {
			t.Fatal(err)
		}
		r = commandIn(t, strings.Replace(string(text), "SUMMARY:First", "SUMMARY:Changed", 1), data, "import", "-", "--calendar", "admin", "--quiet")
		if !strings.Contains(r.out, "0 created, 1 updated, 1 unchanged, 1 refused") || strings.Contains(r.out, "good-1") {
			t.Errorf("a changed file: %+v", r)
		}
		r = command(t, data, "export", "--calendar", "admin/calendar")
		if r.code != 0 || strings.Count(r.out, "BEGIN:VEVENT") != 3 || !strings.Contains(r.out, "SUMMARY:Changed") {
			t.Errorf("export: %+v", r)
		}
		if r := command(t, data, "import", "testdata/mixed.ics", "--calendar", "admin/other"); r.code != exitFailed || !strings.Contains(r.errout, "admin/calendar") {
			t.Errorf("no such calendar: %+v", r)
		}
		if r := commandIn(t, "hello", data, "import", "-", "--calendar", "admin"); r.code != exitFailed {
			t.Errorf("not a calendar: %+v", r)
		}
		if r := command(t, data, "user", "delete", "admin"); r.code != exitFailed || !strings.Contains(r.errout, "--yes") {
			t.Errorf("a user with objects: %+v", r)
		}
	})
}

func TestMaintenanceCommands(t *testing.T) {
	both(t, func(t *testing.T, data string) {
		command(t, data, "import", "testdata/mixed.ics", "--calendar", "admin")
		if res := must[admin.Checked](t, data, "check"); res.Problems != 0 || res.Objects != 2 {
			t.Errorf("%+v", res)
		}
		if res := must[admin.Checked](t, data, "check", "--rebuild"); res.Problems != 0 || !res.Rebuilt {
			t.Errorf("%+v", res)
		}
		if res := must[admin.Status](t, data, "status"); res.Objects != 2 || res.Users != 1 {
			t.Errorf("%+v", res)
		}
		copied := filepath.Join(t.TempDir(), "copy.db")
		if res := must[admin.BackedUp](t, data, "backup", copied); res.Bytes == 0 {
			t.Errorf("%+v", res)
		}
		if r := command(t, data, "backup", copied); r.code != exitFailed || !strings.Contains(r.errout, "--force") {
			t.Errorf("over another file: %+v", r)
		}
		for _, name := range []string{"horizon", "openings", "pull", "prune"} {
			must[admin.JobRan](t, data, "job", "run", name)
		}
		jobs := must[[]admin.JobStatus](t, data, "job", "list")
		if len(jobs) != 4 || jobs[0].Success.IsZero() {
			t.Errorf("%+v", jobs)
		}
		if r := command(t, data, "job", "run", "nonsense"); r.code != exitFailed {
			t.Errorf("%+v", r)
		}
		other := t.TempDir()
		if r := command(t, other, "restore", copied); r.code != 0 {
			t.Fatalf("%+v", r)
		}
		if res := must[admin.Status](t, other, "status"); res.Objects != 2 {
			t.Errorf("restored: %+v", res)
		}
	})
}

func TestRestoreAndCompactNeedTheFile(t *testing.T) {
	d := startDaemon(t, t.TempDir())
	copied := filepath.Join(t.TempDir(), "copy.db")
	must[admin.BackedUp](t, d.data, "backup", copied)
	r := command(t, d.data, "restore", copied)
	if r.code != exitFailed || !strings.Contains(r.errout, "in use by daybook serve") {
		t.Errorf("restore: %+v", r)
	}
	d.stop()
	must[admin.Password](t, d.data, "user", "create", "later")
	if r := command(t, d.data, "restore", copied); r.code != 0 || !strings.Contains(r.out, "before-restore") {
		t.Fatalf("%+v", r)
	}
	if users := must[[]admin.User](t, d.data, "user", "list"); len(users) != 1 {
		t.Errorf("%+v", users)
	}
	if r := command(t, d.data, "compact"); r.code != 0 {
		t.Errorf("%+v", r)
	}
	if r := command(t, d.data, "restore", "testdata/mixed.ics"); r.code != exitFailed {
		t.Errorf("restore of a calendar: %+v", r)
	}
	if users := must[[]admin.User](t, d.data, "user", "list"); len(users) != 1 {
		t.Errorf("a bad restore changed the store: %+v", users)
	}
}

func TestRestoreBeginsANewEpoch(t *testing.T) {
	data := t.TempDir()
	token := func() string {
		d := startDaemon(t, data)
		defer d.stop()
		made := must[admin.Password](t, data, "user", "password", "admin")
		_, _, body := ask(t, "PROPFIND", d.CalDAV+"calendars/admin/calendar/", "admin", made.Password,
			`<propfind xmlns="DAV:"><prop><sync-token/></prop></propfind>`)
		_, after, ok := strings.Cut(body, "urn:daybook:sync:")
		if !ok {
			t.Fatalf("no token in %s", body)
		}
		return after[:16]
	}
	before := token()
	copied := filepath.Join(t.TempDir(), "copy.db")
	must[admin.BackedUp](t, data, "backup", copied)
	if r := command(t, data, "restore", copied); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	if after := token(); after == before {
		t.Errorf("the epoch is still %s", after)
	}
}

func TestCheckTellsOfDamagedPages(t *testing.T) {
	data := t.TempDir()
	must[admin.SetUp](t, data, "init")
	path := filepath.Join(data, databaseFile)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 2 * 4096; at+12 < len(file); at += 4096 {
		if file[at+8] == 2 { // leaves, not the list of free pages, without which nothing opens
			file[at+13] = 0xff // how far the page goes on
		}
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check"}, {"check", "--rebuild"}} {
		if r := command(t, data, args...); r.code != exitFailed || !strings.Contains(r.out+r.errout, "restore a backup") {
			t.Errorf("%v: %+v", args, r)
		}
	}
}
