package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// closing is what is in the organisation's own calendar on a day that is open
// from 9 to 17 o'clock: it closes the house.
type closing struct {
	*phone
	rt    *rapid.T
	maker string
	block bool
	id    string // of the house's
	href  string
	text  string
}

const byVastal = "Vastal"

// theHousesOwnCalendarGoesRoundTheFaces: what is in it is a VACATION of all
// staff for TimeTap, takes time from the openings of Vastal and of everybody,
// and of blocks there is one without resources for Trybe and Onlive.
func theHousesOwnCalendarGoesRoundTheFaces(t *testing.T, w *world) {
	cases(t, 4, func(rt *rapid.T) {
		w := w.on(rt)
		w.rest("PUT", vastalWeek, `{"schedules": [{"day_of_week": 2, "start_time": "09:00:00", "end_time": "17:00:00"}]}`).want(200)
		c := &closing{phone: w.phone("demo"), rt: rt, maker: rapid.SampledFrom([]string{byClient, byHouse, byOnlive, byVastal}).Draw(rt, "made by")}
		switch c.maker {
		case byClient:
			c.block = rapid.Bool().Draw(rt, "block")
			mark := ""
			if c.block {
				mark = "CATEGORIES:BREAK\r\n"
			}
			c.put(c.path+"closed.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Other//EN\r\nBEGIN:VEVENT\r\nUID:closed\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20310114T100000Z\r\nDTEND:20310114T110000Z\r\nSUMMARY:Closed\r\n"+mark+foreignAlarm+"END:VEVENT\r\nEND:VCALENDAR\r\n")
			c.sync()
			c.href = c.path + "closed.ics"
		case byHouse:
			w.rest("POST", "/v1/calendars/demo/events", `{"start": "2031-01-14T10:00:00Z", "end": "2031-01-14T11:00:00Z", "title": "Closed"}`).want(201)
			c.href, _ = c.learn("made")
		case byOnlive:
			c.block = true
			w.onlive("POST", "/api/v1/appointments/block-slot", `{"start": "2031-01-14T10:00:00Z", "end": "2031-01-14T11:00:00Z", "title": "Closed"}`).want(200)
			c.href, _ = c.learn("made")
		case byVastal:
			w.rest("POST", "/v1/calendar/appointments", `{"appointment_type_id": "type_`+strings.ReplaceAll(facesMassage, "-", "")+`", "start_time": "2031-01-14T10:00:00Z", "client_name": "Jane"}`).want(200)
			c.href, _ = c.learn("made")
		}
		c.text = c.fetch(c.href)
		kind := "events"
		if c.block {
			kind = "blocks"
		}
		c.id, _ = dig(w.get("/v1/calendars/demo/"+kind+"?from=2031-01-14&to=2031-01-14"), "items", 0, "id").(string)
		c.check("made", 10)

		c.put(c.href, withZones(rt, replaced(rt, c.text, lineNamesOfTimes, "DTSTART;TZID=Europe/Berlin:20310114T130000", "DURATION:PT1H"), []string{"DTSTART;TZID=Europe/Berlin:"}))
		c.check("moved by a client", 12)

		before := c.fetch(c.href)
		path := "/v1/calendars/demo/events/" + c.id
		if c.block {
			path = "/v1/blocks/" + c.id
		}
		w.rest("PATCH", path, `{"start": "2031-01-14T14:00:00Z"}`).want(200)
		c.sync()
		c.text = c.fetch(c.href)
		names := append([]string{"SEQUENCE"}, slices.Concat(lineNamesOfTimes, timesOfChange)...)
		if a, b := without(before, inEvent, names...), without(c.text, inEvent, names...); a != b {
			rt.Fatalf("was\n%s\nis\n%s", a, b)
		}
		c.check("moved by the house", 14)
		c.remove(c.href)
		c.openings("deleted", "08:00-16:00")
		for href := range c.tags {
			c.remove(href)
		}
		*w.dirty = false
	})
}

// openings compares those of Vastal and of Ada.
func (c *closing) openings(why, want string) {
	c.Helper()
	for face, x := range map[string]struct{ path, list, start, end string }{
		byVastal: {"/v1/calendar/openings?from=2031-01-14&to=2031-01-14", "openings", "start_time", "end_time"},
		byHouse:  {"/v1/resources/ada/openings?from=2031-01-14T00:00:00Z&to=2031-01-15T00:00:00Z", "items", "start", "end"},
	} {
		var got []string
		for _, o := range list(dig(c.get(x.path), x.list)) {
			got = append(got, instantOf(c, dig(o, x.start)).UTC().Format("15:04")+"-"+instantOf(c, dig(o, x.end)).UTC().Format("15:04"))
		}
		if text := strings.Join(got, " "); text != want {
			c.rt.Fatalf("%s: openings of %s are %s, want %s\nof\n%s", why, face, text, want, c.text)
		}
	}
}

// check expects that the house is closed for an hour of UTC.
func (c *closing) check(why string, hour int) {
	c.Helper()
	fail := func(face string, got any) {
		c.Helper()
		c.rt.Fatalf("%s: %s says %v, want %d:00 of\n%s", why, face, got, hour, c.text)
	}
	c.openings(why, fmt.Sprintf("08:00-%02d:00 %02d:00-16:00", hour, hour+1))
	start := time.Date(2031, 1, 14, hour, 0, 0, 0, time.UTC)
	for _, alias := range []string{"1", "2"} {
		got := list(c.get("/calendar/range/" + alias + "?startDate=2031-01-14&endDate=2031-01-14&showTimeOff=1"))
		kind := "VACATION"
		if c.maker == byVastal {
			kind = fmt.Sprint(dig(got, 0, "appointmentType")) // it says itself what it is
		}
		if len(got) != 1 || dig(got[0], "startDateTimeUTC") != start.Format(timetapDate) || dig(got[0], "appointmentType") != kind {
			fail("TimeTap", got)
		}
	}
	reasons := list(dig(c.get("/v1/explain?resource=bob&start="+stamp8601(start)+"&end="+stamp8601(start.Add(time.Hour))), "reasons"))
	if !slices.ContainsFunc(reasons, func(r any) bool { return dig(r, "kind") == "closure" && dig(r, "event", "id") == c.id }) {
		fail("explain", reasons)
	}
	if body := c.send("GET", "/feeds/secret-of-demo-01/demo.ics", "", nil).want(200).body; eventOf(body, c.uid()) != eventOf(c.fetch(c.href), c.uid()) {
		fail("the feed", body)
	}
	if c.maker == byVastal {
		if got := list(dig(c.get("/v1/calendar/appointments?from=2031-01-14&to=2031-01-14"), "appointments")); len(got) != 1 || !instantOf(c, dig(got[0], "start_time")).Equal(start) {
			fail("Vastal's appointments", got)
		}
	}
	trybe := list(dig(c.get("/shop/blocked-times?site_id="+demoSite+"&date_from=2031-01-14&date_to=2031-01-14"), "data"))
	if (len(trybe) == 1) != c.block || c.block && (!instantOf(c, dig(trybe[0], "start_time")).Equal(start) || len(list(dig(trybe[0], "practitioner_ids"))) != 0) {
		fail(byTrybe, trybe)
	}
	if c.block {
		if got := c.onlive("GET", "/api/v1/appointments/"+c.id, "").want(200).json(); !instantOf(c, dig(got, "start")).Equal(start) || len(list(dig(got, "calendarIds"))) != 0 {
			fail(byOnlive, got)
		}
	}
}

func (c *closing) uid() string {
	for _, l := range linesOf(c.text) {
		if l.in == inEvent && l.name == "UID" {
			return unfold(l.raw)[len("UID:"):]
		}
	}
	return ""
}

// timeTapsFiltersFollowAClient: the service is a line of the event, the
// location is the calendar that it is in, too, and so is the location's group.
func timeTapsFiltersFollowAClient(t *testing.T, w *world) {
	cases(t, 1, func(rt *rapid.T) {
		w := w.on(rt)
		ada, room := w.phone("ada"), w.phone("room-1")
		w.rest("POST", "/v1/calendars/ada/events", `{"start": "2031-01-14T10:00:00Z", "end": "2031-01-14T11:00:00Z", "title": "Class", "type": "CLASS"}`).want(201)
		href, text := ada.learn("made")
		shown := func(why string, want ...string) {
			var got []string
			for _, filter := range []string{"serviceIdList=7", "locationIdList=3", "locationGroupIdList=6", "hideEmptyClasses=1", "statusList=NOSHOW"} {
				if len(list(w.get("/calendar/range/1?startDate=2031-01-14&endDate=2031-01-14&"+filter))) == 1 {
					name, _, _ := strings.Cut(filter, "=")
					got = append(got, name)
				}
			}
			if !slices.Equal(got, want) {
				rt.Fatalf("%s: shown with %v, want %v of\n%s", why, got, want, text)
			}
		}
		edit := func(names []string, lines ...string) {
			text = replaced(rt, text, names, lines...)
			ada.put(href, text)
		}
		shown("made")
		edit(nil, "X-DAYBOOK-SERVICE-ID:"+strings.ToUpper(facesMassage))
		shown("for a service", "serviceIdList")
		edit(nil, "ATTENDEE;CN=Ben:mailto:ben@example.com", "X-DAYBOOK-SUBSTATUS:NOSHOW")
		shown("with somebody who did not come", "serviceIdList", "hideEmptyClasses", "statusList")
		edit([]string{"ATTENDEE", "X-DAYBOOK-SUBSTATUS", "X-DAYBOOK-SERVICE-ID"})
		ada.dav("COPY", href, "", map[string]string{"Destination": w.url + room.path + "copy.ics", "Overwrite": "F"}).want(201)
		shown("in the room, too", "locationIdList", "locationGroupIdList")
		room.sync()
		room.remove(room.path + "copy.ics")
		shown("not in the room any more")
		ada.remove(href)
		*w.dirty = false
	})
}
