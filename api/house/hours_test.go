package house

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/api/rest"
	"daybook/ical/span"
	"daybook/store"
)

// openIn gives what store.Openings says of a week, as "Mon 09:00-17:00" in
// Berlin.
func (p *place) openIn(name string, from time.Time) []string {
	p.t.Helper()
	var out []string
	err := p.store.View(p.t.Context(), func(v *store.View) error {
		o, err := v.Openings(p.ids[name], span.Span{Start: from, End: from.AddDate(0, 0, 7)})
		berlin := time.FixedZone("", 3600)
		for _, s := range o.Free {
			out = append(out, s.Start.In(berlin).Format("Mon 15:04")+"-"+s.End.In(berlin).Format("15:04"))
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// monday is midnight of the day of all tests, in Berlin.
var monday = time.Date(2027, 2, 28, 23, 0, 0, 0, time.UTC)

const (
	weekAndExceptions = `{"weekly": [{"day": "monday", "opens": "09:00", "closes": "17:00"}, {"day": "Friday", "opens": "18:00", "closes": "02:00"}],
		"exceptions": [{"from": "2027-03-08", "name": "Inventory"}, {"from": "2027-03-15", "to": "2027-03-16", "openings": [
			{"date": "2027-03-15", "opens": "20:00", "closes": "01:00"}, {"date": "2027-03-16", "opens": "10:00", "closes": "24:00"}]}]}`
	paths = "/v1/organisations/demo/hours /v1/resources/room-1/hours"
)

// Hours are what was put, for the organisation and for a resource alike.
func TestHoursComeBackAsTheyWerePut(t *testing.T) {
	p := newPlace(t)
	for path := range strings.SplitSeq(paths, " ") {
		var got Hours
		if p.get(path).want(200).into(&got); got.Source == "own" || got.Calendar != nil {
			t.Fatalf("%+v", got)
		}
		tag := p.do("PUT", path, weekAndExceptions).want(200).into(&got).Header().Get("ETag")
		if got.Source != "own" || got.Zone != "Europe/Berlin" ||
			!slices.Equal(got.Weekly, []WeeklyOpening{{"monday", "09:00", "17:00"}, {"friday", "18:00", "02:00"}}) || len(got.Exceptions) != 2 ||
			got.Exceptions[0].Name != "Inventory" || got.Exceptions[0].To != "2027-03-08" || len(got.Exceptions[0].Openings) != 0 ||
			!slices.Equal(got.Exceptions[1].Openings, []DatedOpening{{"2027-03-15", "20:00", "01:00"}, {"2027-03-16", "10:00", "24:00"}}) {
			t.Fatalf("%s: %+v", path, got)
		}
		if (got.Calendar == nil) != strings.Contains(path, "organisations") {
			t.Errorf("%s: calendar %v", path, got.Calendar)
		}
		p.with("If-None-Match", tag).get(path).want(304)
		p.with("If-Match", `"old"`).do("PATCH", path, `{"weekly": []}`).want(412)
		p.at(now.Add(time.Hour))
		again := p.with("If-Match", tag).do("PATCH", path, `{"exceptions": [{"from": "2027-03-08"}]}`).want(200).into(&got)
		if len(got.Exceptions) != 1 || got.Exceptions[0].Name != "Closed" || len(got.Weekly) != 2 || again.Header().Get("ETag") == tag {
			t.Errorf("%s: %+v", path, got)
		}
		p.with("If-Match", tag).do("DELETE", path, "").want(412)
		p.at(now)
	}
	if got := p.openIn("room-1", monday); !slices.Equal(got, []string{"Mon 09:00-17:00", "Fri 18:00-02:00"}) {
		t.Errorf("%q", got)
	}
	if got := p.openIn("desk", monday.AddDate(0, 0, 7)); !slices.Equal(got, []string{"Fri 18:00-02:00"}) {
		t.Errorf("%q", got)
	}
	for path := range strings.SplitSeq(paths, " ") {
		p.do("DELETE", path, "").want(204)
		p.do("DELETE", path, "").want(404)
	}
	if got := p.openIn("room-1", monday); got != nil {
		t.Errorf("%q", got)
	}
}

func TestAResourceWithoutHoursOpensByTheHouse(t *testing.T) {
	p := newPlace(t)
	p.do("PUT", "/v1/organisations/demo/hours", weekAndExceptions).want(200)
	var got Hours
	if p.get("/v1/resources/ada/hours").want(200).into(&got); got.Source != "organisation" || len(got.Weekly) != 2 || len(got.Exceptions) != 2 {
		t.Errorf("%+v", got)
	}
	// The tag of what is inherited guards the first hours of its own.
	tag := p.get("/v1/resources/ada/hours").Header().Get("ETag")
	p.with("If-Match", tag).do("PATCH", "/v1/resources/ada/hours", `{"weekly": [{"day": "tuesday", "opens": "10:00", "closes": "12:00"}]}`).want(200).into(&got)
	if got.Source != "own" || len(got.Exceptions) != 2 || !slices.Equal(p.openIn("ada", monday), []string{"Tue 10:00-12:00"}) {
		t.Errorf("%+v, %q", got, p.openIn("ada", monday))
	}
	p.with("If-Match", tag).do("PATCH", "/v1/resources/ada/hours", `{}`).want(412)
}

// 09:00 became 03:00 when a house moved from Berlin to New York.
func TestAChangeOfTheZoneKeepsTheWallClocksOfHours(t *testing.T) {
	p := newPlace(t)
	p.do("PUT", "/v1/organisations/demo/hours", weekAndExceptions).want(200)
	p.do("PUT", "/v1/resources/ada/hours", `{"weekly": [{"day": "tuesday", "opens": "10:00", "closes": "12:00"}]}`).want(200)
	paths := []string{"/v1/organisations/demo/hours", "/v1/resources/ada/hours"}
	var want []Hours
	for _, path := range paths {
		var h Hours
		p.get(path).want(200).into(&h)
		want = append(want, h)
	}
	for _, zone := range []string{"America/New_York", "UTC", "Europe/Berlin"} {
		tag := p.get("/v1/organisations/demo").Header().Get("ETag")
		p.with("If-Match", tag).do("PATCH", "/v1/organisations/demo", `{"zone": "`+zone+`"}`).want(200)
		for i, path := range paths {
			var got Hours
			p.get(path).want(200).into(&got)
			if want[i].Zone = zone; !reflect.DeepEqual(got, want[i]) {
				t.Errorf("%s in %s:\ngot  %+v\nwant %+v", path, zone, got, want[i])
			}
		}
	}
	if got := p.openIn("ada", monday); !slices.Equal(got, []string{"Tue 10:00-12:00"}) {
		t.Errorf("%q", got)
	}
}

// The first exception of a resource that opened by the house closed it for ever.
func TestAChangeOfInheritedHoursKeepsTheRestOfThem(t *testing.T) {
	p := newPlace(t)
	p.do("PUT", "/v1/organisations/demo/hours", weekAndExceptions).want(200)
	var got Hours
	p.do("PATCH", "/v1/resources/ada/hours", `{}`).want(200).into(&got)
	if got.Source != "organisation" {
		t.Errorf("nothing was named: %+v", got)
	}
	p.do("PATCH", "/v1/resources/ada/hours", `{"exceptions": [{"from": "2027-03-01"}]}`).want(200).into(&got)
	if got.Source != "own" || len(got.Weekly) != 2 || len(got.Exceptions) != 1 || !slices.Equal(p.openIn("ada", monday), []string{"Fri 18:00-02:00"}) {
		t.Errorf("%+v, %q", got, p.openIn("ada", monday))
	}
	p.do("PUT", "/v1/resources/room-1/hours", `{"exceptions": []}`).want(200).into(&got)
	if got.Source != "own" || len(got.Weekly) != 0 || len(got.Exceptions) != 0 {
		t.Errorf("PUT replaces all: %+v", got)
	}
}

// What a calendar names can be a service point of FOLIO's alone, or a resource
// that is no more: a client sends it back as it was told.
func TestResourcesOfACalendarThatAreNotKnownCanStay(t *testing.T) {
	p := newPlace(t)
	var one OpeningHours
	path := p.do("POST", "/v1/opening-hours", `{"name": "Spring", "from": "2027-03-01", "resources": ["desk", "room-1"]}`).want(201).into(&one).Header().Get("Location")
	p.do("DELETE", "/v1/resources/room-1", "").want(204)
	all, _ := json.Marshal(map[string]any{"resources": one.Resources})
	if p.do("PATCH", path, string(all)).want(200).into(&one); len(one.Resources) != 2 {
		t.Errorf("%+v", one)
	}
	if p.do("PATCH", path, `{"resources": ["desk"]}`).want(200).into(&one); len(one.Resources) != 1 {
		t.Errorf("%+v", one)
	}
	p.do("PATCH", path, string(all)).want(422)
}

func TestWhatIsWrongWithHours(t *testing.T) {
	p := newPlace(t)
	for body, field := range map[string]string{
		`{"weekly": [{"day": "monday"}]}`:                                         "weekly.0.opens",
		`{"weekly": [{"opens": "09:00", "closes": "10:00"}]}`:                     "weekly.0.day",
		`{"weekly": [{"day": "mo", "opens": "09:00", "closes": "10:00"}]}`:        "weekly.0.day",
		`{"weekly": [{"day": "monday", "opens": "9:00", "closes": "10:00"}]}`:     "weekly.0.opens",
		`{"weekly": [{"day": "monday", "opens": "24:00", "closes": "10:00"}]}`:    "weekly.0.opens",
		`{"weekly": [{"day": "monday", "opens": "09:00", "closes": "09:00"}]}`:    "weekly.0.closes",
		`{"weekly": [{"day": "monday", "opens": "09:00:00", "closes": "10:00"}]}`: "weekly.0.opens",
		`{"exceptions": [{}]}`:                                                                                                                 "exceptions.0.from",
		`{"exceptions": [{"from": "2027-02-30"}]}`:                                                                                             "exceptions.0.from",
		`{"exceptions": [{"from": "2027-03-02", "to": "2027-03-01"}]}`:                                                                         "exceptions.0.to",
		`{"exceptions": [{"from": "2027-03-02", "to": "2027-03-03"}, {"from": "2027-03-03"}]}`:                                                 "exceptions.1",
		`{"exceptions": [{"from": "2027-03-02", "openings": [{"opens": "20:00", "closes": "01:00"}]}]}`:                                        "exceptions.0.openings.0",
		`{"exceptions": [{"from": "2027-03-02", "to": "2027-03-03", "openings": [{"opens": "08:00", "closes": "09:00"}]}]}`:                    "exceptions.0.openings.0.date",
		`{"exceptions": [{"from": "2027-03-02", "openings": [{"opens": "08:00", "closes": "10:00"}, {"opens": "09:00", "closes": "11:00"}]}]}`: "exceptions.0.openings",
	} {
		for _, method := range []string{"PUT", "PATCH"} {
			a := p.do(method, "/v1/resources/ada/hours", body).want(422)
			if !strings.Contains(a.Body.String(), `"field":"`+field+`"`) {
				t.Errorf("%s: %s, want %s", body, a.Body, field)
			}
		}
	}
	p.as(reader).do("PUT", "/v1/resources/ada/hours", `{"weekly": 1}`).want(403)
	p.as(forAda).do("PUT", "/v1/resources/ada/hours", `{}`).want(403)
	p.as(forAda).get("/v1/resources/ada/hours").want(200)
	p.as(forAda).get("/v1/resources/bob/hours").want(404)
	p.as(rival).get("/v1/resources/ada/hours").want(404)
	p.as(rival).do("PUT", "/v1/organisations/demo/hours", `{}`).want(404)
	p.get("/v1/resources/grace/hours").want(404)
	p.do("PUT", "/v1/resources/ada/hours", `{"weekly": null}`).want(422)
	p.do("PATCH", "/v1/resources/ada/hours", `{"weekly": null}`).want(200)
}

func TestOpeningHoursCalendars(t *testing.T) {
	p := newPlace(t)
	const spring = `{"name": "Spring", "from": "2027-03-01", "to": "2027-05-31", "resources": ["desk", "room-1"],
		"weekly": [{"day": "monday", "opens": "08:00", "closes": "12:00"}], "exceptions": [{"from": "2027-03-29"}]}`
	var one, again OpeningHours
	made := p.do("POST", "/v1/opening-hours", spring).want(201).into(&one)
	if p.get(made.Header().Get("Location")).want(200).into(&again); again.Name != "Spring" || *again.From != "2027-03-01" || len(again.Resources) != 2 || len(again.Exceptions) != 1 {
		t.Fatalf("%+v", again)
	}
	path := "/v1/opening-hours/" + one.ID.String()
	var h Hours
	if p.get("/v1/resources/desk/hours").want(200).into(&h); h.Source != "calendars" || len(h.Calendars) != 1 || h.Calendars[0] != one.ID {
		t.Errorf("%+v", h)
	}
	if got := p.openIn("desk", monday); !slices.Equal(got, []string{"Mon 08:00-12:00"}) {
		t.Errorf("%q", got)
	}
	// Two calendars of one resource do not share a day.
	a := p.do("POST", "/v1/opening-hours", `{"name": "Other", "from": "2027-05-31", "resources": ["room-1"]}`).want(409)
	if !strings.Contains(a.Body.String(), one.ID.String()) {
		t.Error(a.Body)
	}
	p.do("PUT", "/v1/resources/desk/hours", `{}`).want(409)
	p.do("POST", "/v1/opening-hours", `{"name": "Summer", "from": "2027-06-01", "resources": ["room-1"]}`).want(201)
	var list rest.List[OpeningHours]
	if p.get("/v1/opening-hours?limit=1").want(200).into(&list); len(list.Items) != 1 || list.Next == "" {
		t.Errorf("%+v", list)
	}
	if p.get("/v1/opening-hours?resource=desk").want(200).into(&list); len(list.Items) != 1 || list.Items[0].Name != "Spring" {
		t.Errorf("%+v", list)
	}
	tag := made.Header().Get("ETag")
	p.at(now.Add(time.Minute))
	p.with("If-Match", tag).do("PATCH", path, `{"to": "2027-05-30", "resources": ["desk"]}`).want(200).into(&again)
	if *again.To != "2027-05-30" || len(again.Resources) != 1 || len(again.Weekly) != 1 || len(again.Exceptions) != 1 {
		t.Errorf("%+v", again)
	}
	p.with("If-Match", tag).do("PATCH", path, `{}`).want(412)
	p.do("PATCH", path, `{"from": null, "to": null}`).want(200)
	if p.get("/v1/resources/desk/hours").want(200).into(&h); h.Source != "own" || h.Calendar == nil || *h.Calendar != one.ID {
		t.Errorf("%+v", h)
	}
	p.do("PATCH", path, `{"resources": ["desk", "bob"]}`).want(200)
	p.do("PUT", "/v1/resources/desk/hours", `{}`).want(409)
	p.do("DELETE", "/v1/resources/desk/hours", "").want(409)
	for body, field := range map[string]string{
		`{"name": " "}`: "name", `{"from": "2027-05-31", "to": "2027-05-30"}`: "to", `{"resources": ["nobody"]}`: "resources.0", `{"resources": ["eve"]}`: "resources.0",
		`{"from": "2027-04-01", "to": "2027-04-30"}`: "exceptions.0",
	} {
		if a := p.do("PATCH", path, body).want(422); !strings.Contains(a.Body.String(), `"field":"`+field+`"`) {
			t.Errorf("%s: %s", body, a.Body)
		}
	}
	p.do("POST", "/v1/opening-hours", `{}`).want(422)
	p.as(reader).do("POST", "/v1/opening-hours", `{}`).want(403)
	p.as(busy).get("/v1/opening-hours").want(403)
	p.as(rival).get(path).want(404)
	p.get("/v1/opening-hours/x").want(404)
	p.do("DELETE", path, "").want(204)
	p.get(path).want(404)
}

// What the door does is told in all forms, closures of the house included.
func TestSigns(t *testing.T) {
	p := newPlace(t)
	p.do("PUT", "/v1/resources/room-1/hours", `{"weekly": [{"day": "monday", "opens": "09:00", "closes": "17:00"}, {"day": "friday", "opens": "18:00", "closes": "02:00"}]}`).want(200)
	p.do("POST", "/v1/holidays", `{"dates": [{"date": "2027-03-08", "name": "Holiday"}]}`).want(200)
	path := "/v1/resources/room-1/hours"
	osm := p.get(path + ".osm?from=2027-03-01&to=2027-04-30").want(200)
	if got := osm.Body.String(); got != "Mo 09:00-17:00; Fr 18:00-24:00; Sa 00:00-02:00; 2027 Mar 08 off\n" || osm.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%q %v", got, osm.Header())
	}
	p.with("If-None-Match", osm.Header().Get("ETag")).get(path + ".osm?from=2027-03-01&to=2027-04-30").want(304)
	// Bookings and the passing of days are not told.
	tag := p.get(path + ".ics").want(200).Header().Get("ETag")
	p.at(now.AddDate(0, 0, 20))
	p.with("If-None-Match", tag).get(path + ".ics").want(304)
	p.at(now)
	jsonld := p.get(path + ".jsonld").want(200)
	var schema struct {
		Weekly  []struct{ Opens, Closes string } `json:"openingHoursSpecification"`
		Special []struct {
			Opens, Closes string
			From          string `json:"validFrom"`
		} `json:"specialOpeningHoursSpecification"`
	}
	if err := json.Unmarshal(jsonld.Body.Bytes(), &schema); err != nil || jsonld.Header().Get("Content-Type") != "application/ld+json" ||
		len(schema.Weekly) != 3 || len(schema.Special) != 1 || schema.Special[0].From != "2027-03-08" || schema.Special[0].Closes != "00:00" {
		t.Errorf("%s: %v", jsonld.Body, err)
	}
	var days hoursDaysOut
	p.get(path + "/days").want(200).into(&days)
	if len(days.Items) != 7 || days.Items[0].Date != "2027-03-01" || !slices.Equal(days.Items[4].Open, []OpenPart{{"18:00", "24:00"}}) ||
		!slices.Equal(days.Items[5].Open, []OpenPart{{"00:00", "02:00"}}) || !days.Items[6].Known {
		t.Errorf("%+v", days)
	}
	if p.get("/v1/organisations/demo/hours/days?from=2027-03-08&to=2027-03-08").want(200).into(&days); len(days.Items) != 1 || days.Items[0].Known {
		t.Errorf("%+v", days)
	}
	if got := p.get("/v1/organisations/demo/hours.osm").want(200).Body.String(); got != "unknown\n" {
		t.Errorf("%q", got)
	}
	for _, q := range []string{"?from=2027-03-02&to=2027-03-01", "?from=2027-01-01&to=2030-01-01", "?from=x", "?to=9999-12-31", "?from=0001-01-01"} {
		p.get(path + ".osm" + q).want(422)
	}
	p.get(path + "/days?to=2027-03-01").want(200)
	p.as(busy).get(path + ".osm").want(200)
	p.as(rival).get(path + ".ics").want(404)
	p.as("").get(path + ".ics").want(401)
}

func TestHolidays(t *testing.T) {
	p := newPlace(t)
	p.do("PUT", "/v1/organisations/demo/hours", `{"weekly": [{"day": "monday", "opens": "09:00", "closes": "17:00"}]}`).want(200)
	const list = `{"dates": [{"date": "2027-03-01", "name": "One"}, {"date": "2027-12-24", "to": "2027-12-26", "name": "Christmas", "uid": "xmas"}, {"date": "2027-03-01", "name": "One"}]}`
	var got Holidays
	p.do("POST", "/v1/holidays?dry_run=true", list).want(200).into(&got)
	if got.Created != 2 || got.Refused != 1 || !got.DryRun || len(p.openIn("ada", monday)) != 1 {
		t.Fatalf("%+v", got)
	}
	p.do("POST", "/v1/holidays", list).want(200).into(&got)
	if got.Created != 2 || got.Refused != 1 || got.Items[2].Result != "refused" || len(p.openIn("ada", monday)) != 0 {
		t.Fatalf("%+v", got)
	}
	p.at(now.Add(time.Hour))
	if p.do("POST", "/v1/holidays", list).want(200).into(&got); got.Unchanged != 2 || got.Created != 0 {
		t.Errorf("%+v", got)
	}

	ics := func(extra string) string {
		return strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n"+
			"BEGIN:VEVENT\nUID:xmas\nDTSTAMP:20270101T000000Z\nDTSTART;VALUE=DATE:20271224\nSUMMARY:Xmas\nTRANSP:TRANSPARENT\nX-OTHER:kept\n"+
			"BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:PT0S\nEND:VALARM\nEND:VEVENT\n"+extra+"END:VCALENDAR\n", "\n", "\r\n")
	}
	p = p.with("Content-Type", "text/calendar")
	send := func(text string) *answer { return p.send("POST", "/v1/holidays", text, "text/calendar") }
	if send(ics("BEGIN:VEVENT\nUID:bad\nDTSTART:x\nEND:VEVENT\nBEGIN:VTODO\nUID:todo\nDTSTAMP:20270101T000000Z\nEND:VTODO\n")).want(200).into(&got); got.Changed != 1 || got.Refused != 2 {
		t.Errorf("%+v", got)
	}
	for _, r := range got.Items {
		if r.Result == "refused" && (r.Reason == "" || r.Line == 0) {
			t.Errorf("%+v", r)
		}
	}
	if send(strings.Replace(ics(""), "DTSTAMP:20270101", "DTSTAMP:20270202", 1)).want(200).into(&got); got.Unchanged != 1 {
		t.Errorf("%+v", got)
	}
	send("hello").want(400)
	send(ics(strings.Repeat("BEGIN:VEVENT\nDTSTAMP:20270101T000000Z\nDTSTART;VALUE=DATE:20271224\nSUMMARY:Xmas\nEND:VEVENT\n", maxHolidays+1))).want(413)
	p.send("POST", "/v1/holidays", "x", "text/plain").want(415)
	p = p.as(admin)
	p.do("POST", "/v1/holidays", `{"dates": [{"date": "2027-03-02", "to": "2027-03-01"}]}`).want(422)
	p.do("POST", "/v1/holidays", `{}`).want(422)
	p.as(reader).do("POST", "/v1/holidays", list).want(403)
}

// A holiday whose end is its last day was imported, and closed nothing.
func TestAHolidayThatEndsOnItsDayIsADay(t *testing.T) {
	p := newPlace(t)
	p.do("PUT", "/v1/resources/room-1/hours", `{"weekly": [{"day": "monday", "opens": "09:00", "closes": "17:00"}, {"day": "tuesday", "opens": "09:00", "closes": "17:00"}]}`).want(200)
	p.send("POST", "/v1/holidays", "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:one\nDTSTAMP:20270101T000000Z\n"+
		"DTSTART;VALUE=DATE:20270301\nDTEND;VALUE=DATE:20270301\nSUMMARY:Monday\nEND:VEVENT\nEND:VCALENDAR\n", "text/calendar").want(200)
	if got := p.openIn("room-1", monday); !slices.Equal(got, []string{"Tue 09:00-17:00"}) {
		t.Errorf("%q", got)
	}
}

// The same seconds were rounded up by one form of hours and down by another.
func TestHoursWithSecondsAreTheSameMinutesEverywhere(t *testing.T) {
	p := newPlace(t)
	available := func(uid, from, to string) string {
		return "BEGIN:AVAILABLE\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\nDTSTART;TZID=Europe/Berlin:" + from + "\nDTEND;TZID=Europe/Berlin:" + to +
			"\nRRULE:FREQ=WEEKLY\nEND:AVAILABLE\n"
	}
	p.object("demo", "week", "BEGIN:VAVAILABILITY\nUID:week\nDTSTAMP:20270101T000000Z\nPRIORITY:9\n"+
		available("mo", "20270104T090030", "20270104T120030")+available("tu", "20270105T000000", "20270105T235959")+"END:VAVAILABILITY\n")
	var got Hours
	if p.get("/v1/organisations/demo/hours").want(200).into(&got); !slices.Equal(got.Weekly, []WeeklyOpening{{"monday", "09:00", "12:01"}, {"tuesday", "00:00", "24:00"}}) {
		t.Errorf("%+v", got.Weekly)
	}
	days := func(want string) {
		t.Helper()
		var got hoursDaysOut
		p.get("/v1/organisations/demo/hours/days?from=2027-03-01&to=2027-03-02").want(200).into(&got)
		osm := strings.TrimSpace(p.get("/v1/organisations/demo/hours.osm?from=2027-03-01&to=2027-03-02").want(200).Body.String())
		if s := fmt.Sprint(got.Items[0].Open, got.Items[1].Open, " ", osm); s != want {
			t.Errorf("%s, want %s", s, want)
		}
	}
	days("[{09:00 12:01}] [{00:00 24:00}] Mo 09:00-12:01; Tu 00:00-24:00")
	p.send("POST", "/v1/holidays", "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:one\nDTSTAMP:20270101T000000Z\n"+
		"DTSTART:20270302T120000\nDTEND:20270302T235958\nEND:VEVENT\nEND:VCALENDAR\n", "text/calendar").want(200)
	days("[{09:00 12:01}] [{00:00 12:00}] Mo 09:00-12:01; Tu 00:00-12:00")
}

// An exception of the house with hours replaced the hours of those that have their
// own, and opened them on days on which they never are. One that closes it closes
// everybody, and what an exception becomes counts.
func TestAnExceptionOfTheHouseLeavesHoursOfTheirOwnAlone(t *testing.T) {
	p := newPlace(t)
	p.do("PUT", "/v1/organisations/demo/hours", `{"weekly": [{"day": "monday", "opens": "09:00", "closes": "17:00"}], "exceptions": [
		{"from": "2027-03-02", "name": "Closed"}, {"from": "2027-03-07", "name": "Open Sunday", "openings": [{"opens": "10:00", "closes": "12:00"}]}]}`).want(200)
	p.do("PUT", "/v1/resources/ada/hours", `{"weekly": [{"day": "monday", "opens": "13:00", "closes": "15:00"}], "exceptions": [{"from": "2027-03-02", "openings": [{"opens": "08:00", "closes": "09:00"}]}]}`).want(200)
	p.do("POST", "/v1/opening-hours", `{"name": "Spring", "from": "2027-03-01", "to": "2027-03-14", "resources": ["desk"], "weekly": [{"day": "monday", "opens": "08:00", "closes": "12:00"}]}`).want(201)
	open := func(why string, want map[string][]string) {
		t.Helper()
		for name, want := range want {
			if got := p.openIn(name, monday); !slices.Equal(got, want) {
				t.Errorf("%s, %s: %q, want %q", why, name, got, want)
			}
		}
	}
	open("made", map[string][]string{"room-1": {"Mon 09:00-17:00", "Sun 10:00-12:00"}, "ada": {"Mon 13:00-15:00", "Tue 08:00-09:00"}, "desk": {"Mon 08:00-12:00"}})
	p.do("PATCH", "/v1/organisations/demo/hours", `{"exceptions": [
		{"from": "2027-03-02", "name": "Closed", "openings": [{"opens": "10:00", "closes": "11:00"}]}, {"from": "2027-03-01", "name": "Open Sunday"}]}`).want(200)
	open("changed", map[string][]string{"room-1": {"Tue 10:00-11:00"}, "ada": {"Tue 08:00-09:00"}, "desk": nil})
}
