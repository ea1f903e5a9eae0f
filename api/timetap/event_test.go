package timetap

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"daybook/ical"
	"daybook/store"
)

// id stores an object and gives its id.
func (p *place) id(uid, owner string, lines ...string) int64 {
	p.T.Helper()
	p.put(owner, uid, lines...)
	var id int64
	err := p.Store.View(p.T.Context(), func(v *store.View) error {
		i, err := v.Identity(p.IDs["demo"], uid)
		id = int64(i.Alias)
		return err
	})
	if err != nil {
		p.T.Fatal(err)
	}
	return id
}

func TestEventFields(t *testing.T) {
	p := newPlace(t)
	first := func(t *testing.T, lines ...string) Event {
		t.Helper()
		p.in(t).put("ada", "x", at(1, 9, lines...)...)
		return p.in(t).get("/calendar/range/1?startDate=2027-03-01&endDate=2027-03-01&showPaid=1").one()
	}
	t.Run("[inferred] all fields are always present", func(t *testing.T) {
		first(t)
		var all []map[string]any
		p.in(t).march("").want(200).Into(&all)
		want := []string{
			"allDay", "appointmentType", "attendees", "color", "end", "endDateTimeUTC", "id", "paid", "readOnly",
			"recurringAppointmentId", "start", "startDateTimeUTC", "status", "subStatus", "title", "uninvoiced",
		}
		var got []string
		for name := range all[0] {
			got = append(got, name)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%v", got)
		}
		if all[0]["attendees"] != nil || all[0]["recurringAppointmentId"] != nil || all[0]["allDay"] != false || all[0]["readOnly"] != false {
			t.Errorf("%v", all[0])
		}
	})
	t.Run("[seed] js-date, and the UTC fields have the same text", func(t *testing.T) {
		e := first(t)
		if e.Start != "Mon Mar 01 2027 09:00:00 UTC+0000" || e.StartUTC != e.Start || e.End != "Mon Mar 01 2027 10:00:00 UTC+0000" || e.EndUTC != e.End {
			t.Errorf("%+v", e)
		}
	})
	t.Run("[seed] appointmentType", func(t *testing.T) {
		for lines, want := range map[string]eventType{
			"CATEGORIES:WORK":                                 appointment,
			"CATEGORIES:work,class":                           class,
			"CATEGORIES:Time Off":                             timeOff,
			"CATEGORIES:TIME-OFF":                             timeOff,
			"CATEGORIES:x\nCATEGORIES:vacation":               vacation,
			"CATEGORIES:BLOCK":                                timeOff,
			"CATEGORIES:MEETING":                              appointment,
			"X-DAYBOOK-BLOCK-TYPE:cleaning":                   timeOff,
			"X-DAYBOOK-EVENT-TYPE:class":                      class,
			"X-DAYBOOK-EVENT-TYPE:PARTY":                      appointment,
			"CATEGORIES:BLOCK,APPOINTMENT":                    appointment,
			"X-DAYBOOK-EVENT-TYPE:CLASS\nCATEGORIES:VACATION": class,
		} {
			if e := first(t, strings.Split("SUMMARY:x\n"+lines, "\n")...); e.Type != want {
				t.Errorf("%q: %s", lines, e.Type)
			}
		}
	})
	t.Run("[seed] attendees are names, for classes only", func(t *testing.T) {
		people := []string{
			"ORGANIZER:mailto:boss@example.com", "ATTENDEE;CN=Boss:mailto:BOSS@example.com", "ATTENDEE;CN=\"Noor, Ada\":mailto:ada@example.com",
			"ATTENDEE:mailto:ben@example.com", "ATTENDEE;CUTYPE=ROOM;CN=Room 1:mailto:room@example.com", "ATTENDEE;CUTYPE=RESOURCE;CN=Mat:urn:mat",
			"ATTENDEE;PARTSTAT=DECLINED;CN=No:mailto:no@example.com",
		}
		if e := first(t, append(people, "CATEGORIES:CLASS")...); !slices.Equal(e.Attendees, []string{"Noor, Ada", "ben@example.com"}) {
			t.Errorf("%q", e.Attendees)
		}
		if e := first(t, people...); e.Attendees != nil {
			t.Errorf("%q", e.Attendees)
		}
	})
	t.Run("[seed] [] for a class without attendees", func(t *testing.T) {
		if e := first(t, "CATEGORIES:CLASS"); e.Attendees == nil || len(e.Attendees) != 0 {
			t.Errorf("%q", e.Attendees)
		}
	})
	t.Run("[seed] color is #RRGGBB in upper case; [inferred] event's, else resource's, else default", func(t *testing.T) {
		for lines, want := range map[string]string{
			"SUMMARY:x":    "#AA0000",
			"COLOR:tomato": "#FF6347",
			"COLOR:steelblue\nX-DAYBOOK-COLOR:#4682b5": "#4682B5",
			"COLOR:nonsense": "#AA0000",
		} {
			if e := first(t, strings.Split(lines, "\n")...); e.Color != want {
				t.Errorf("%q: %s", lines, e.Color)
			}
		}
		p.in(t).put("bob", "plain", at(2, 9)...)
		if e := p.in(t).get("/calendar/range/2?startDate=2027-03-01&endDate=2027-03-31").one(); e.Color != "#3B82F6" {
			t.Errorf("%s", e.Color)
		}
	})
	t.Run("[seed] paid and uninvoiced, [inferred] paid only with showPaid=1", func(t *testing.T) {
		for lines, want := range map[string][2]bool{
			"SUMMARY:x": {false, false}, "X-DAYBOOK-INVOICE:CLOSED": {true, false}, "X-DAYBOOK-INVOICE:NONE": {false, true}, "X-DAYBOOK-INVOICE:OPEN": {false, false},
		} {
			if e := first(t, lines); e.Paid != want[0] || e.Uninvoiced != want[1] {
				t.Errorf("%q: %+v", lines, e)
			}
		}
		e := first(t, "X-DAYBOOK-INVOICE:CLOSED")
		for _, q := range []string{"", "&showPaid=0", "&showPaid=false"} {
			if p.in(t).get("/calendar/range/1?startDate=2027-03-01&endDate=2027-03-01" + q).one().Paid {
				t.Errorf("%q: paid", q)
			}
		}
		path := fmt.Sprintf("/calendar/event/APPOINTMENT/%d", e.ID)
		if p.in(t).get(path).one().Paid || !p.in(t).get(path+"?showPaid=1").one().Paid {
			t.Error("one event: paid goes by showPaid")
		}
	})
	t.Run("[inferred] status and subStatus", func(t *testing.T) {
		for lines, want := range map[string]string{
			"SUMMARY:x": "OPEN OPEN", "STATUS:CONFIRMED": "OPEN OPEN", "STATUS:TENTATIVE": "OPEN PENDING", "STATUS:CANCELLED": "CANCELLED CANCELLED",
			"X-DAYBOOK-SUBSTATUS:OPEN": "OPEN OPEN", "X-DAYBOOK-SUBSTATUS:PENDING": "OPEN PENDING", "X-DAYBOOK-SUBSTATUS:CONFIRMED": "OPEN CONFIRMED",
			"X-DAYBOOK-SUBSTATUS:CHECKEDIN": "OPEN CHECKEDIN", "X-DAYBOOK-SUBSTATUS:INPROGRESS": "OPEN INPROGRESS",
			"X-DAYBOOK-SUBSTATUS:Running late": "OPEN Running late", "X-DAYBOOK-SUBSTATUS:COMPLETED": "COMPLETED COMPLETED",
			"X-DAYBOOK-SUBSTATUS:NOSHOW": "NOSHOW NOSHOW", "STATUS:CANCELLED\nX-DAYBOOK-SUBSTATUS:COMPLETED": "CANCELLED CANCELLED",
			"STATUS:TENTATIVE\nX-DAYBOOK-SUBSTATUS:CHECKEDIN": "OPEN CHECKEDIN",
		} {
			if e := first(t, strings.Split(lines, "\n")...); e.Status+" "+e.SubStatus != want {
				t.Errorf("%q: %s %s", lines, e.Status, e.SubStatus)
			}
		}
	})
	t.Run("[seed] title is SUMMARY, by default client for service with staff", func(t *testing.T) {
		for lines, want := range map[string]string{
			"SUMMARY:Cut\\, blow-dry": "Cut, blow-dry", "STATUS:CONFIRMED": "(no title)", "SUMMARY:": "(no title)",
			"ATTENDEE;CN=Ida:mailto:ida@example.com\nX-DAYBOOK-SERVICE-ID:" + yogaUUID: "Ida for Yoga with Ada Noor",
			"ATTENDEE;CN=Ida:mailto:ida@example.com\nX-DAYBOOK-SERVICE-ID:unknown":     "(no title)",
			"X-DAYBOOK-SERVICE-ID:" + yogaUUID:                                         "(no title)",
		} {
			if e := first(t, strings.Split(lines, "\n")...); e.Title != want {
				t.Errorf("%q: %q", lines, e.Title)
			}
		}
	})
	t.Run("a private event is hidden from all but the calendar's owner", func(t *testing.T) {
		for _, word := range []string{"PRIVATE", "CONFIDENTIAL", "X-SECRET"} {
			e := first(t, "SUMMARY:secret", "CLASS:"+word, "CATEGORIES:CLASS", "ATTENDEE;CN=Ida:mailto:ida@example.com")
			if e.Title != "Busy" || e.Attendees != nil {
				t.Errorf("%s: %+v", word, e)
			}
		}
		if e := p.in(t).as(herself).get("/calendar/range/1?startDate=2027-03-01&endDate=2027-03-01").one(); e.Title != "secret" || len(e.Attendees) != 1 {
			t.Errorf("%+v", e)
		}
		if e := first(t, "SUMMARY:known", "CLASS:PUBLIC"); e.Title != "known" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("what is in the organisation's own calendar is VACATION, blocks too", func(t *testing.T) {
		p.in(t).put("demo", "b", at(20, 9, "SUMMARY:block", "CATEGORIES:BLOCK")...)
		p.in(t).put("demo", "c", at(20, 10, "SUMMARY:class", "CATEGORIES:CLASS")...)
		got := p.in(t).get("/calendar/range/3?startDate=2027-03-20&endDate=2027-03-20").events()
		if len(got) != 2 || got[0].Type != vacation || got[1].Type != class {
			t.Errorf("%+v", got)
		}
	})
}

func TestOneEvent(t *testing.T) {
	p := newPlace(t)
	id := p.id("x", "ada", at(1, 9, "SUMMARY:x")...)
	t.Run("[seed] 200 and an array with exactly one event", func(t *testing.T) {
		for _, path := range []string{"/calendar/event/APPOINTMENT/%d", "/calendar/APPOINTMENT/%d"} { // the second [inferred]
			if e := p.in(t).get(fmt.Sprintf(path, id)).one(); e.ID != id || e.Title != "x" {
				t.Errorf("%+v", e)
			}
		}
	})
	t.Run("[seed] eventType is one of the four, exact case; [inferred] else 400", func(t *testing.T) {
		for _, word := range []string{"appointment", "Class", "EVENT", "TIME-OFF", "*"} {
			p.in(t).get(fmt.Sprintf("/calendar/event/%s/%d", word, id)).want(400)
		}
		p.in(t).get(fmt.Sprintf("/calendar/appointment/%d", id)).want(404) // not a path of ours
	})
	t.Run("[inferred] eventId that is not a number: 400", func(t *testing.T) {
		for _, text := range []string{"x", "1x", "1.0", "1,2"} {
			p.in(t).get("/calendar/event/CLASS/" + text).want(400)
			p.in(t).get("/calendar/CLASS/" + text).want(400)
		}
	})
	t.Run("[inferred] unknown, or of another type: 404", func(t *testing.T) {
		p.in(t).get(fmt.Sprintf("/calendar/event/CLASS/%d", id)).want(404)
		p.in(t).get(fmt.Sprintf("/calendar/VACATION/%d", id)).want(404)
		for _, n := range []string{"0", "-1", "1", "31", "999999", "67108864", "134217728", "9007199254740993", "99999999999999999999999999"} {
			p.in(t).get("/calendar/event/APPOINTMENT/" + n).want(404)
		}
		p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", id<<27|30000000)).want(404) // it has no instances
	})
	t.Run("[inferred] events outside any range, and cancelled ones", func(t *testing.T) {
		old := p.in(t).id("old", "ada", "DTSTART:19010101T090000Z", "DTEND:19010101T100000Z", "STATUS:CANCELLED")
		if e := p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", old)).one(); e.Status != cancelled || e.Start != "Tue Jan 01 1901 09:00:00 UTC+0000" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("an event in a room only, and one in nothing but a user's home", func(t *testing.T) {
		in := p.in(t).id("in", "room-1", at(3, 9, "SUMMARY:in the room")...)
		p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", in)).one()
		home := p.in(t).id("home", "grace", at(3, 9, "SUMMARY:at home")...)
		p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", home)).want(404)
	})
	t.Run("of copies the organisation's counts, then staff's, as in a range", func(t *testing.T) {
		p.in(t).put("room-1", "copies", at(9, 9, "SUMMARY:room")...)
		p.in(t).put("bob", "copies", at(9, 9, "SUMMARY:bob")...)
		closed := p.in(t).id("copies", "demo", at(9, 9, "SUMMARY:all")...)
		if e := p.in(t).get(fmt.Sprintf("/calendar/event/VACATION/%d", closed)).one(); e.Title != "all" {
			t.Errorf("%+v", e)
		}
		wantTitles(t, p.in(t).get("/calendar/range/2?startDate=2027-03-09&endDate=2027-03-09").titles(), "all")
	})
	t.Run("what one copy has not, another may have: every event of a range is found", func(t *testing.T) {
		p.in(t).put("ada", "declined", at(11, 9, "RRULE:FREQ=DAILY;COUNT=2", "EXDATE:20270312T090000Z")...)
		p.in(t).put("bob", "declined", at(11, 9, "RRULE:FREQ=DAILY;COUNT=2", "CATEGORIES:CLASS")...)
		got := p.in(t).get("/calendar/range/2?startDate=2027-03-11&endDate=2027-03-12").events()
		if len(got) != 2 {
			t.Fatalf("%+v", got)
		}
		for _, e := range got {
			if one := p.in(t).get(fmt.Sprintf("/calendar/event/CLASS/%d", e.ID)).one(); one.Start != e.Start {
				t.Errorf("%+v, want %+v", one, e)
			}
		}
		p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", got[0].ID)).want(200) // Ada's copy
		p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", got[1].ID)).want(404)
	})
	t.Run("a series whose instances are all excluded is unknown", func(t *testing.T) {
		none := p.in(t).id("none", "ada", at(3, 9, "RRULE:FREQ=DAILY;COUNT=1", "EXDATE:20270303T090000Z")...)
		p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", none)).want(404)
	})
	t.Run("[inferred] HEAD works, other methods 405", func(t *testing.T) {
		for _, path := range []string{"/calendar/range/1?endDate=2027-03-01", fmt.Sprintf("/calendar/event/APPOINTMENT/%d", id), "/staff", "/status"} {
			p.in(t).do("HEAD", path).want(200)
			for _, m := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
				if a := p.in(t).do(m, path).want(405); a.Header.Get("Allow") != "GET, HEAD" {
					t.Errorf("%s %s: Allow %q", m, path, a.Header.Get("Allow"))
				}
			}
		}
	})
}

func TestIDs(t *testing.T) {
	back := func(alias uint32, rid int64) bool {
		alias = alias%(maxAlias-1) + 1
		rid %= 1 << 37
		id := idOf(alias, true, rid)
		a, minute, instance := splitID(id)
		return id > 0 && id < 1<<53 && a == alias && instance && minute == (rid-floorMod(rid, 60))/60&minuteMask && idOf(alias, false, rid) == int64(alias)
	}
	if err := quick.Check(back, nil); err != nil {
		t.Error(err)
	}
}

// FuzzFacts reads whatever is stored: an event is always written with all that
// a client relies on.
func FuzzFacts(f *testing.F) {
	f.Add("SUMMARY:x\r\nCOLOR:red\r\nX-DAYBOOK-BUFFER-AFTER:PT5M\r\nATTENDEE;CN=\"a\":mailto:b")
	f.Add("RECURRENCE-ID:20270101T000000Z\r\nCATEGORIES:,class\\,\r\nATTENDEE:mailto:\r\nORGANIZER:")
	f.Fuzz(func(t *testing.T, lines string) {
		o, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\nDTSTART:20270101T000000Z\r\n"+lines+"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"), ical.StreamLimits)
		if err != nil {
			return
		}
		for _, c := range o.Main() {
			p := partOf(c)
			e := instance{part: &p, owner: &store.Principal{Kind: store.KindStaff}}
			if p.before < 0 || p.after < 0 || p.before > 24*60*60 || p.main == "" || p.sub == "" || !slices.Contains(eventTypes, e.kind()) || len(colorOf(&e)) != 7 {
				t.Errorf("%+v of %q", p, lines)
			}
			if _, err := json.Marshal(p.attendees); err != nil {
				t.Error(err)
			}
		}
	})
}
