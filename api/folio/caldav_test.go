package folio

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"daybook/ical/span"
	"daybook/store"
)

// One fact, seen everywhere: what calendar clients see and change.

// memberOf gives the member whose text has all the parts.
func (p *place) memberOf(parts ...string) string {
	p.T.Helper()
next:
	for name, text := range p.own() {
		for _, s := range parts {
			if !strings.Contains(text, s) {
				continue next
			}
		}
		return name
	}
	p.T.Fatalf("no member has %q", parts)
	return ""
}

// MAPPING "Hours → VAVAILABILITY": the lines of a calendar and an exception.
func TestMappingOfACalendar(t *testing.T) {
	p := newPlace(t)
	c := p.create(summer(desk, annex))
	text := p.own()[c.ID+".ics"]
	for _, line := range []string{
		"UID:" + c.ID, "PRIORITY:5", "SUMMARY:Music library\\, summer 2031", "BEGIN:VTIMEZONE",
		"DTSTART;TZID=Europe/Berlin:20310602T000000", "DTEND;TZID=Europe/Berlin:20310901T000000",
		"X-DAYBOOK-SERVICE-POINT:" + desk, "X-DAYBOOK-SERVICE-POINT:" + annex,
		"DTSTART;TZID=Europe/Berlin:20310606T200000\r\nDTEND;TZID=Europe/Berlin:20310607T000000\r\nRRULE:FREQ=WEEKLY;BYDAY=FR",
		"DTSTART;TZID=Europe/Berlin:20310607T000000\r\nDTEND;TZID=Europe/Berlin:20310607T020000\r\nRRULE:FREQ=WEEKLY;BYDAY=SA",
	} {
		if !strings.Contains(text, line+"\r\n") {
			t.Errorf("no %q in %s", line, text)
		}
	}
	if strings.Count(text, "X-DAYBOOK-OPENING:2\r\n") != 2 {
		t.Error("the slices of one opening have one number")
	}
	exception := p.own()[p.memberOf("SUMMARY:Concert night")]
	for _, line := range []string{
		"PRIORITY:1", "RELATED-TO;RELTYPE=PARENT:" + c.ID, "DTSTART;TZID=Europe/Berlin:20310719T180000", "DTEND;TZID=Europe/Berlin:20310720T003000",
	} {
		if !strings.Contains(exception, line+"\r\n") {
			t.Errorf("no %q in %s", line, exception)
		}
	}
	if closure := p.own()[p.memberOf("SUMMARY:Roof works")]; strings.Contains(closure, "BEGIN:AVAILABLE") {
		t.Error("no openings: closed")
	}
	if none := p.create(summer()); !strings.Contains(p.own()[none.ID+".ics"], "X-DAYBOOK-SERVICE-POINT:\r\n") {
		t.Error("without assignments the hours hold for nobody")
	}
}

// An edit by a calendar client is seen by FOLIO's clients.
func TestClientsEditsAreSeen(t *testing.T) {
	p := newPlace(t)
	c := p.create(summer(desk))
	name := c.ID + ".ics"
	p.edit(name, "20310602T170000", "20310602T180000")
	p.edit(name, "SUMMARY:Music library\\, summer 2031", "SUMMARY:Renamed")
	p.edit(name, "LAST-MODIFIED;X-MS=120:20310520T081530Z", "LAST-MODIFIED:20310520T100000Z")
	p.edit(name, "DTEND;TZID=Europe/Berlin:20310901T000000", "DTEND;TZID=Europe/Berlin:20310801T000000")
	p.edit(p.memberOf("SUMMARY:Roof works"), "20310712T000000", "20310711T000000")
	p.caldav(p.memberOf("SUMMARY:Concert night"), "")
	got := p.get(path(c.ID)).want(200).calendar()
	if got.Name != "Renamed" || got.NormalHours[0].EndTime != "17:59:00" || got.EndDate != "2031-07-31" || len(got.Exceptions) != 1 || got.Exceptions[0].EndDate != "2031-07-10" {
		t.Errorf("%+v", got)
	}
	if want := (Metadata{"2031-05-20T08:15:30.120Z", user, "2031-05-20T10:00:00.000Z", ""}); *got.Metadata != want {
		t.Errorf("who of FOLIO's users did not: %+v", got.Metadata)
	}
	days := p.all(desk, "2031-07-11", "2031-07-11", "&includeClosed=false").Dates
	if len(days) != 1 || days[0].Exceptional || days[0].Openings[0].StartTime != "20:00:00" {
		t.Errorf("%+v", days)
	}
	p.post(plain("2031-07-31", "2031-07-31", desk)).errors(409, DateOverlap)
	p.create(plain("2031-08-01", "2031-08-31", desk))
	p.caldav(name, "")
	p.get(path(c.ID)).errors(404, CalendarNotFound)
	if d := p.all(desk, "2031-07-07", "2031-07-07", "&includeClosed=true").Dates[0]; d.Exceptional {
		t.Errorf("an exception without its calendar: %+v", d)
	}
}

// A calendar that a client made is one of FOLIO's, with the id of its identity.
func TestClientsCalendarsAreSeen(t *testing.T) {
	p := newPlace(t)
	p.caldav("mine.ics", strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//T//T//EN
BEGIN:VAVAILABILITY
UID:not-a-uuid
DTSTAMP:20310101T000000Z
SUMMARY:By hand
DTSTART;VALUE=DATE:20310701
DTEND;VALUE=DATE:20310801
X-DAYBOOK-SERVICE-POINT:`+desk+`
BEGIN:AVAILABLE
UID:a
DTSTAMP:20310101T000000Z
DTSTART:20310701T090000
DTEND:20310701T170000
RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR
END:AVAILABLE
END:VAVAILABILITY
END:VCALENDAR
`, "\n", "\r\n"))
	list := read[CalendarCollection](p.get("/calendar/calendars?servicePointId=" + desk).want(200)).Calendars
	if len(list) != 1 || len(list[0].ID) != 36 || list[0].Name != "By hand" || len(list[0].NormalHours) != 5 || list[0].EndDate != "2031-07-31" {
		t.Fatalf("%+v", list)
	}
	body := plain("2031-07-01", "2031-07-31", desk)
	body["normalHours"] = weekly("MONDAY 09:00 MONDAY 16:59", "SATURDAY 10:00 SATURDAY 10:59")
	body["exceptions"] = []js{exceptional("x", 3, 3)}
	got := p.do("PUT", path(list[0].ID), body).want(200).calendar()
	if got.ID != list[0].ID || len(got.NormalHours) != 2 || len(got.Exceptions) != 1 {
		t.Errorf("%+v", got)
	}
	if now := p.get(path(got.ID)).calendar(); !reflect.DeepEqual(now, got) {
		t.Errorf("%+v", now)
	}
	p.do("DELETE", path(got.ID), nil).want(204)
	if len(p.own()) != 0 {
		t.Error(p.own())
	}
}

// A PUT keeps, byte by byte, what it does not name; exceptions that stay are
// not written at all.
func TestReplaceKeepsForeignLines(t *testing.T) {
	p := newPlace(t)
	c := p.create(summer(desk))
	const foreign = "X-FOREIGN;P=1:folded \r\n and kept\r\n"
	p.edit(c.ID+".ics", "PRIORITY:5\r\n", foreign+"PRIORITY:5\r\n")
	concert := p.memberOf("SUMMARY:Concert night")
	p.edit(concert, "PRIORITY:1\r\n", foreign+"PRIORITY:1\r\n")
	before := p.own()
	body := summer(desk, annex)
	body["exceptions"].([]js)[0]["name"] = "Roof works, longer"
	body["exceptions"].([]js)[0]["endDate"] = "2031-07-12"
	p.do("PUT", path(c.ID), body).want(200)
	after := p.own()
	if before[concert] != after[concert] || len(after) != len(before) {
		t.Error("the exception that stays was written")
	}
	roof := p.memberOf("SUMMARY:Roof works\\, longer")
	if before[roof] == "" || !strings.Contains(after[roof], "SEQUENCE:1") {
		t.Error("an exception of the same days or name goes on as the same object")
	}
	want := strings.Replace(before[c.ID+".ics"], "BEGIN:AVAILABLE", "X-DAYBOOK-SERVICE-POINT:"+annex+"\r\nBEGIN:AVAILABLE", 1)
	if after[c.ID+".ics"] != want {
		t.Errorf("got\n%s\nwant\n%s", after[c.ID+".ics"], want)
	}
}

// The service point's availability, which CALDAV:calendar-availability and the
// openings are made of, are these hours.
func TestServicePointOpensByItsCalendar(t *testing.T) {
	p := newPlace(t)
	p.create(summer(desk))
	p.create(with(summer(), "name", "nobody's"))
	free := func(from, to string) string {
		t.Helper()
		w := span.Span{Start: berlin(t, from), End: berlin(t, to)}
		var out []string
		err := p.Store.View(t.Context(), func(v *store.View) error {
			r, err := v.PrincipalByName("desk")
			if err != nil {
				return err
			}
			o, err := v.Openings(r.ID, w)
			for _, s := range o.Free {
				out = append(out, s.Start.Format("02T15:04")+"/"+s.End.Format("02T15:04"))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(out, " ")
	}
	for day, want := range map[string]string{
		"2031-06-02": "02T07:00/02T15:00",
		"2031-07-07": "",
		"2031-07-19": "19T16:00/19T22:00", // not the tail of Friday night
	} {
		d, err := time.Parse("2006-01-02", day)
		if err != nil {
			t.Fatal(err)
		}
		if got := free(day, d.AddDate(0, 0, 1).Format("2006-01-02")); got != want {
			t.Errorf("%s: %q", day, got)
		}
	}
}

func berlin(t *testing.T, day string) time.Time {
	t.Helper()
	l, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	d, err := time.ParseInLocation("2006-01-02", day, l)
	if err != nil {
		t.Fatal(err)
	}
	return d.UTC()
}

// Other objects in the calendar, broken ones too, are nobody's hours.
func TestOtherObjectsAreNoCalendars(t *testing.T) {
	p := newPlace(t)
	p.caldav("e.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:e\r\nDTSTAMP:20310101T000000Z\r\nDTSTART:20310101T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	p.caldav("w.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VAVAILABILITY\r\nUID:w\r\nDTSTAMP:20310101T000000Z\r\nPRIORITY:9\r\nEND:VAVAILABILITY\r\nEND:VCALENDAR\r\n")
	if got := read[CalendarCollection](p.get("/calendar/calendars").want(200)); got.TotalRecords != 0 {
		t.Errorf("%+v", got)
	}
}

// MAPPING "closure of the whole organisation": FOLIO has no word for it, so its
// days are what its calendars say.
func TestClosuresThatAreEventsTakeNoDay(t *testing.T) {
	p := newPlace(t)
	p.create(summer(desk))
	before := p.all(desk, "2031-06-01", "2031-06-30", "&includeClosed=true")
	p.caldav("e.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:e\r\nDTSTAMP:20310101T000000Z\r\n"+
		"DTSTART;VALUE=DATE:20310602\r\nDTEND;VALUE=DATE:20310630\r\nSUMMARY:Closed\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	if got := p.all(desk, "2031-06-01", "2031-06-30", "&includeClosed=true"); !reflect.DeepEqual(got, before) {
		t.Errorf("%+v", got)
	}
}

// The index that grows with the changes says what one made from scratch says,
// after any writes by the API and by calendar clients.
func TestIndexFollowsEveryChange(t *testing.T) {
	p := newPlace(t)
	rapid.Check(t, func(rt *rapid.T) {
		for name := range p.own() {
			p.caldav(name, "")
		}
		points := []string{desk, annex, third}
		body := func() js {
			from := rapid.IntRange(1, 25).Draw(rt, "from")
			b := plain(july(from), july(from+rapid.IntRange(0, 4).Draw(rt, "days")), rapid.SliceOfNDistinct(rapid.SampledFrom(points), 0, 2, rapid.ID).Draw(rt, "points")...)
			b["normalHours"] = weekly("MONDAY 09:00 MONDAY 16:59", "FRIDAY 20:00 SUNDAY 01:59")[:rapid.IntRange(0, 2).Draw(rt, "hours")]
			if rapid.Bool().Draw(rt, "exception") {
				b["exceptions"] = []js{exceptional("x", from, from, fmt.Sprintf("%d 10:00 %d 11:00", from, from))}
			}
			return b
		}
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			ids := ids(p)
			switch op := rapid.IntRange(0, 4).Draw(rt, "op"); {
			case op == 0 || len(ids) == 0:
				if s := p.post(body()).Status; s != http.StatusCreated && s != http.StatusConflict {
					rt.Fatal(s)
				}
			case op == 1:
				p.do("PUT", path(rapid.SampledFrom(ids).Draw(rt, "id")), body())
			case op == 2:
				p.do("DELETE", path(rapid.SampledFrom(ids).Draw(rt, "id")), nil).want(204)
			default:
				names := make([]string, 0, 8)
				for name := range p.own() {
					names = append(names, name)
				}
				slices.Sort(names)
				name := rapid.SampledFrom(names).Draw(rt, "member")
				if op == 3 {
					p.caldav(name, "")
				} else {
					text := strings.Replace(p.own()[name], "SUMMARY:", "SUMMARY:y", 1)
					p.caldav(name, strings.Replace(text, desk, annex, 1))
				}
			}
			fresh := p.again()
			for _, q := range []string{
				"/calendar/calendars?limit=100", "/calendar/calendars?servicePointId=" + annex,
				"/calendar/dates/" + desk + "/surrounding-openings?date=2031-07-15",
				"/calendar/dates/" + annex + "/all-openings?startDate=2031-07-01&endDate=2031-07-31&includeClosed=false&limit=40",
			} {
				if got, want := p.get(q).Raw, fresh.get(q).Raw; got != want {
					rt.Fatalf("%s: got\n%s\nwant\n%s", q, got, want)
				}
			}
		}
	})
}

func ids(p *place) []string {
	var out []string
	for _, c := range read[CalendarCollection](p.get("/calendar/calendars?limit=100")).Calendars {
		out = append(out, c.ID)
	}
	slices.Sort(out)
	return out
}
