package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	goical "github.com/emersion/go-ical"
	"github.com/emersion/go-webdav"
	davclient "github.com/emersion/go-webdav/caldav"

	"daybook/api/admin"
)

// Ids and secrets of testdata/demo.yaml.
const (
	demoSite  = "0197f3c2-0000-7000-8000-000000000001"
	demoAda   = "0197f3c2-0000-7000-8000-0000000000a1"
	demoRoom  = "0197f3c2-0000-7000-8000-0000000000b1"
	demoToken = "demo-admin.demo-admin-secret"
	demoFeed  = "/feeds/3q2-very-long-random/ada.ics"
)

// blockedTime is what the scenario looks at of Trybe's block.
type blockedTime struct {
	ID    string   `json:"id"`
	Start string   `json:"start_time"`
	End   string   `json:"end_time"`
	Label string   `json:"label"`
	Staff []string `json:"practitioner_ids"`
	Rooms []string `json:"room_ids"`
	Site  string   `json:"site_id"`
}

// trybe sends a request to Trybe's API and decodes the answer's data.
func trybe(t *testing.T, method, url, body string, want int, out any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+demoToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		t.Fatalf("%s %s: %d %v\n%s", method, url, resp.StatusCode, err, b)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(b, &struct{ Data any }{out}); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}

// calendarApp connects as a calendar app does, by discovery, and gives the
// client and the paths of the calendars that it shows, by name.
func calendarApp(t *testing.T, d running) (*davclient.Client, map[string]string) {
	t.Helper()
	web := webdav.HTTPClientWithBasicAuth(http.DefaultClient, "user01", "user01")
	c, err := davclient.NewClient(web, d.CalDAV)
	if err != nil {
		t.Fatal(err)
	}
	principal, err := c.FindCurrentUserPrincipal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	home, err := c.FindCalendarHomeSet(t.Context(), principal)
	if err != nil {
		t.Fatal(err)
	}
	calendars, err := c.FindCalendars(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for _, cal := range calendars {
		paths[cal.Name] = cal.Path
	}
	return c, paths
}

// events gives the events of a calendar in March 2027.
func events(t *testing.T, c *davclient.Client, path string) []davclient.CalendarObject {
	t.Helper()
	found, err := c.QueryCalendar(t.Context(), path, &davclient.CalendarQuery{
		CompRequest: davclient.CalendarCompRequest{Name: "VCALENDAR", AllProps: true, AllComps: true},
		CompFilter: davclient.CompFilter{Name: "VCALENDAR", Comps: []davclient.CompFilter{{
			Name: "VEVENT", Start: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC),
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestOneFactIsSeenEverywhere is what the daemon is for: a blocked time made
// over REST is an event in a calendar app and a line in a feed; moved in the
// app it is moved for REST; and a restart changes nothing.
func TestOneFactIsSeenEverywhere(t *testing.T) {
	data := t.TempDir()
	d := startDaemon(t, data)
	must[admin.Applied](t, data, "apply", "testdata/demo.yaml")

	var made blockedTime
	trybe(t, "POST", d.URL+"/shop/blocked-times?site_id="+demoSite, fmt.Sprintf(
		`{"start_time":"2027-03-01T12:30:00","end_time":"2027-03-01T13:15:00","type":"break","label":"Lunch","practitioner_ids":[%q],"room_ids":[%q]}`,
		demoAda, demoRoom), http.StatusCreated, &made)

	app, calendars := calendarApp(t, d)
	if calendars["Ada Noor"] == "" || calendars["Room 1"] == "" {
		t.Fatalf("the resources' calendars are not shown: %v", calendars)
	}
	seen := events(t, app, calendars["Ada Noor"])
	if len(seen) != 1 || len(events(t, app, calendars["Room 1"])) != 1 {
		t.Fatalf("events of ada: %v", seen)
	}
	event := seen[0].Data.Events()[0]
	if summary, err := event.Props.Text(goical.PropSummary); err != nil || summary != "Lunch" {
		t.Errorf("summary %q %v", summary, err)
	}
	if status, _, body := ask(t, "GET", d.URL+demoFeed, "", "", ""); status != 200 || !strings.Contains(body, "SUMMARY:Lunch") {
		t.Errorf("feed: %d %s", status, body)
	}

	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	event.Props.SetDateTime(goical.PropDateTimeStart, time.Date(2027, 3, 2, 9, 0, 0, 0, berlin))
	event.Props.SetDateTime(goical.PropDateTimeEnd, time.Date(2027, 3, 2, 10, 0, 0, 0, berlin))
	event.Props.Del(goical.PropDuration)
	if _, err := app.PutCalendarObject(t.Context(), seen[0].Path, seen[0].Data); err != nil {
		t.Fatal(err)
	}

	for _, when := range []string{"at once", "after a restart"} {
		if when != "at once" {
			d.stop()
			d = startDaemon(t, data)
			app, calendars = calendarApp(t, d)
		}
		var moved blockedTime
		trybe(t, "GET", d.URL+"/shop/blocked-times/"+made.ID, "", http.StatusOK, &moved)
		if moved.Start != "2027-03-02T09:00:00+01:00" || moved.End != "2027-03-02T10:00:00+01:00" || moved.Label != "Lunch" {
			t.Errorf("%s: %+v", when, moved)
		}
		if len(moved.Staff) != 1 || len(moved.Rooms) != 1 {
			t.Errorf("%s: targets %+v", when, moved)
		}
		room := events(t, app, calendars["Room 1"])
		if len(room) != 1 {
			t.Fatalf("%s: events of the room: %v", when, room)
		}
		if start, err := room[0].Data.Events()[0].DateTimeStart(berlin); err != nil || start.Day() != 2 {
			t.Errorf("%s: in the room's calendar it starts at %v %v", when, start, err)
		}
		if _, _, body := ask(t, "GET", d.URL+demoFeed, "", "", ""); !strings.Contains(body, "20270302T090000") {
			t.Errorf("%s: feed %s", when, body)
		}
	}

	trybe(t, "DELETE", d.URL+"/shop/blocked-times/"+made.ID, "", http.StatusNoContent, nil)
	if left := events(t, app, calendars["Ada Noor"]); len(left) != 0 {
		t.Errorf("deleted over REST, but ada has %v", left)
	}
	if res := must[admin.Checked](t, data, "check"); res.Problems != 0 {
		t.Errorf("%+v", res)
	}
}
