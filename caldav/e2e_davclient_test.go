package caldav_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	goical "github.com/emersion/go-ical"
	"github.com/emersion/go-webdav"
	davclient "github.com/emersion/go-webdav/caldav"
)

// TestGoWebDAVsClientDrivesTheServer uses a client library that knows nothing
// of us, from the bare origin to the deletion of an event.
func TestGoWebDAVsClientDrivesTheServer(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	auth := webdav.HTTPClientWithBasicAuth(http.DefaultClient, "ada", "ada."+"ada"+secretOf)
	c, err := davclient.NewClient(auth, w.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	principal, err := c.FindCurrentUserPrincipal(ctx)
	if err != nil || principal != adaPrincipal {
		t.Fatalf("principal %q, %v", principal, err)
	}
	home, err := c.FindCalendarHomeSet(ctx, principal)
	if err != nil || home != adaHome {
		t.Fatalf("home %q, %v", home, err)
	}
	calendars, err := c.FindCalendars(ctx, home)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(calendars, func(c davclient.Calendar) bool { return c.Path == adaCalendar })
	if i < 0 || len(calendars) != 2 {
		t.Fatalf("calendars %+v", calendars)
	}
	if cal := calendars[i]; cal.MaxResourceSize != 1<<20 || !slices.Contains(cal.SupportedComponentSet, "VEVENT") {
		t.Errorf("calendar %+v", cal)
	}

	cal := goical.NewCalendar()
	cal.Props.SetText(goical.PropVersion, "2.0")
	cal.Props.SetText(goical.PropProductID, "-//daybook//test//EN")
	ev := goical.NewEvent()
	ev.Props.SetText(goical.PropUID, "go-1")
	ev.Props.SetDateTime(goical.PropDateTimeStamp, noon)
	ev.Props.SetDateTime(goical.PropDateTimeStart, noon.Add(24*time.Hour))
	ev.Props.SetDateTime(goical.PropDateTimeEnd, noon.Add(25*time.Hour))
	ev.Props.SetText(goical.PropSummary, "Über, all")
	cal.Children = append(cal.Children, ev.Component)
	put, err := c.PutCalendarObject(ctx, adaCalendar+"go-1.ics", cal)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.GetCalendarObject(ctx, adaCalendar+"go-1.ics")
	if err != nil {
		t.Fatal(err)
	}
	if s, _ := got.Data.Events()[0].Props.Text(goical.PropSummary); s != "Über, all" || got.ETag == "" || put.ETag != "" && put.ETag != got.ETag {
		t.Errorf("got %q, ETags %q and %q", s, put.ETag, got.ETag)
	}

	day := func(from, to int) *davclient.CalendarQuery {
		return &davclient.CalendarQuery{
			CompRequest: davclient.CalendarCompRequest{
				Name: "VCALENDAR", Props: []string{"VERSION", "PRODID"},
				Comps: []davclient.CalendarCompRequest{{Name: "VEVENT", Props: []string{"SUMMARY", "UID", "DTSTART", "DTSTAMP"}}},
			},
			CompFilter: davclient.CompFilter{Name: "VCALENDAR", Comps: []davclient.CompFilter{{
				Name: "VEVENT", Start: noon.AddDate(0, 0, from), End: noon.AddDate(0, 0, to),
				Props: []davclient.PropFilter{{Name: "SUMMARY", TextMatch: &davclient.TextMatch{Text: "ALL"}}},
			}}},
		}
	}
	hits, err := c.QueryCalendar(ctx, adaCalendar, day(0, 2))
	if err != nil || len(hits) != 1 {
		t.Fatalf("query: %+v, %v", hits, err)
	}
	if p := hits[0].Data.Events()[0].Props; p.Get(goical.PropDateTimeEnd) != nil || p.Get(goical.PropSummary) == nil {
		t.Errorf("not the part that was asked for: %+v", p)
	}
	if hits, err = c.QueryCalendar(ctx, adaCalendar, day(2, 3)); err != nil || len(hits) != 0 {
		t.Errorf("query of another day: %+v, %v", hits, err)
	}
	hits, err = c.MultiGetCalendar(ctx, adaCalendar, &davclient.CalendarMultiGet{
		Paths: []string{adaCalendar + "go-1.ics"}, CompRequest: davclient.CalendarCompRequest{Name: "VCALENDAR", AllProps: true, AllComps: true},
	})
	if err != nil || len(hits) != 1 || hits[0].ETag != got.ETag {
		t.Errorf("multiget: %+v, %v", hits, err)
	}

	if err := c.Move(ctx, adaCalendar+"go-1.ics", adaCalendar+"go-2.ics", nil); err != nil {
		t.Error(err)
	}
	if err := c.RemoveAll(ctx, adaCalendar+"go-2.ics"); err != nil {
		t.Error(err)
	}
	if _, err := c.GetCalendarObject(ctx, adaCalendar+"go-2.ics"); err == nil {
		t.Error("the event is still there")
	}
}
