package timetap

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"daybook/api/apitest"
	"daybook/store"
)

// The tests are named for the statement of the contract that they show, with
// its mark.

func TestRange(t *testing.T) {
	p := newPlace(t)
	t.Run("[seed] 200 and an array, maybe empty", func(t *testing.T) {
		if a := p.in(t).march("").want(200); a.Raw != "[]\n" || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %q", a.Header, a.Raw)
		}
	})
	t.Run("[seed] staffIdList is a list of integers; [inferred] else 400", func(t *testing.T) {
		for _, list := range []string{"x", "1,x", "1,,2", "1.5", "0x1", "1;2", "+", "--1"} {
			p.in(t).get("/calendar/range/" + list + "?endDate=2027-03-01").want(400)
		}
	})
	t.Run("[inferred] unknown staff match nothing", func(t *testing.T) {
		for _, list := range []string{"99", "0", "-1", "99999999999999999999999999", "11", "14", "21", "31"} {
			if got := p.in(t).get("/calendar/range/" + list + "?endDate=2027-03-01").events(); len(got) != 0 {
				t.Errorf("%s: %v", list, got)
			}
		}
	})
	t.Run("[seed] endDate is required, [inferred] and well-formed", func(t *testing.T) {
		for _, q := range []string{"", "?endDate=", "?endDate=2027-2-1", "?endDate=2027-02-30", "?endDate=tomorrow", "?endDate=2027-03-01T00:00:00", "?endDate=2027-03-01&endDate=2027-03-02"} {
			if a := p.in(t).get("/calendar/range/1" + q).want(400); !strings.Contains(a.Raw, "endDate") {
				t.Errorf("%s: %s", q, a.Raw)
			}
		}
	})
	t.Run("[inferred] startDate: 400 when malformed or after endDate, 1,096 days at most", func(t *testing.T) {
		for q, want := range map[string]int{
			"startDate=1.3.2027&endDate=2027-03-01": 400, "startDate=2027-03-02&endDate=2027-03-01": 400,
			"startDate=2027-03-01&endDate=2030-02-28": 200, "startDate=2027-03-01&endDate=2030-03-01": 400,
			"endDate=2031-01-01": 400, "startDate=&endDate=2027-03-01": 200,
		} {
			p.in(t).get("/calendar/range/1?" + q).want(want)
		}
	})
	t.Run("[inferred] booleans are true, false, 1 and 0, also the 0/1 parameters", func(t *testing.T) {
		for _, name := range []string{"showBuffer", "showTimeOff", "showPaid", "hideEmptyClasses"} {
			for value, want := range map[string]int{"true": 200, "FALSE": 200, "1": 200, "0": 200, "": 200, "yes": 400, "2": 400} {
				p.in(t).march("&" + name + "=" + value).want(want)
			}
		}
	})
	t.Run("[inferred] lists of integers: 400 for anything else", func(t *testing.T) {
		for _, name := range []string{"locationIdList", "locationGroupIdList", "serviceIdList"} {
			for value, want := range map[string]int{"1,2": 200, "": 200, "a": 400, "1,": 400} {
				p.in(t).march("&" + name + "=" + value).want(want)
			}
		}
	})
}

func TestRangeDays(t *testing.T) {
	p := newPlace(t)
	p.put("ada", "before", "SUMMARY:before", "DTSTART:20270228T220000Z", "DTEND:20270228T230000Z")
	p.put("ada", "across", "SUMMARY:across", "DTSTART:20270228T223000Z", "DTEND:20270228T233000Z")
	p.put("ada", "last", "SUMMARY:last", "DTSTART:20270301T225959Z", "DTEND:20270301T230000Z")
	p.put("ada", "after", "SUMMARY:after", "DTSTART:20270301T230000Z", "DTEND:20270302T000000Z")
	p.put("ada", "day", "SUMMARY:day", "DTSTART;VALUE=DATE:20270301", "DTEND;VALUE=DATE:20270302")
	t.Run("[inferred] days are the organisation's, both inclusive, half-open", func(t *testing.T) {
		wantTitles(t, p.in(t).get("/calendar/range/1?startDate=2027-03-01&endDate=2027-03-01").titles(), "across", "day", "last")
	})
	t.Run("[inferred] without startDate from today, or endDate if that is earlier", func(t *testing.T) {
		wantTitles(t, p.in(t).get("/calendar/range/1?endDate=2027-03-02").titles(), "before", "across", "day", "last", "after")
		p.in(t).put("ada", "old", "SUMMARY:old", "DTSTART:20270110T100000Z", "DTEND:20270110T110000Z")
		p.in(t).put("ada", "older", "SUMMARY:older", "DTSTART:20270109T100000Z", "DTEND:20270109T110000Z")
		wantTitles(t, p.in(t).get("/calendar/range/1?endDate=2027-01-10").titles(), "old")
	})
	t.Run("[inferred] an all-day event goes from midnight to midnight of the organisation, in UTC", func(t *testing.T) {
		p.in(t).put("bob", "spring", "DTSTART;VALUE=DATE:20270328")
		e := p.in(t).get("/calendar/range/2?startDate=2027-03-28&endDate=2027-03-28").one()
		if !e.AllDay || e.Start != "Sat Mar 27 2027 23:00:00 UTC+0000" || e.End != "Sun Mar 28 2027 22:00:00 UTC+0000" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("[inferred] floating times are the organisation's", func(t *testing.T) {
		p.in(t).put("cem", "floating", "DTSTART:20270301T090000", "DTEND:20270301T100000")
		if e := p.in(t).get("/calendar/range/3?startDate=2027-03-01&endDate=2027-03-01").one(); e.Start != "Mon Mar 01 2027 08:00:00 UTC+0000" {
			t.Errorf("%+v", e)
		}
	})
}

func TestRangeBuffers(t *testing.T) {
	p := newPlace(t)
	p.put("ada", "x", at(1, 9, "X-DAYBOOK-BUFFER-BEFORE:PT15M", "X-DAYBOOK-BUFFER-AFTER:PT1H30M")...)
	t.Run("[seed] showBuffer=false gives what the client sees", func(t *testing.T) {
		for _, q := range []string{"", "&showBuffer=false"} {
			if e := p.in(t).march(q).one(); e.Start != "Mon Mar 01 2027 09:00:00 UTC+0000" || e.End != "Mon Mar 01 2027 10:00:00 UTC+0000" {
				t.Errorf("%+v", e)
			}
		}
	})
	t.Run("[seed] showBuffer=true gives times with buffers, at both endpoints", func(t *testing.T) {
		e := p.in(t).march("&showBuffer=true").one()
		if e.Start != "Mon Mar 01 2027 08:45:00 UTC+0000" || e.End != "Mon Mar 01 2027 11:30:00 UTC+0000" || e.EndUTC != e.End {
			t.Errorf("%+v", e)
		}
		if one := p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d?showBuffer=1", e.ID)).one(); one.Start != e.Start || one.End != e.End {
			t.Errorf("%+v", one)
		}
	})
	t.Run("[inferred] an event is in when the shown span intersects", func(t *testing.T) {
		p.in(t).put("bob", "late", "DTSTART:20270301T220000Z", "DTEND:20270301T223000Z", "X-DAYBOOK-BUFFER-AFTER:PT2H")
		for q, want := range map[string]int{"": 0, "&showBuffer=true": 1} {
			if got := p.in(t).get("/calendar/range/2?startDate=2027-03-02&endDate=2027-03-02" + q).events(); len(got) != want {
				t.Errorf("%q: %v", q, got)
			}
		}
	})
	t.Run("nonsense and negative buffers count as none, long ones as a day", func(t *testing.T) {
		p.in(t).put("cem", "odd", at(10, 9, "X-DAYBOOK-BUFFER-BEFORE:-PT15M", "X-DAYBOOK-BUFFER-AFTER:P3D")...)
		e := p.in(t).get("/calendar/range/3?startDate=2027-03-01&endDate=2027-03-31&showBuffer=1").one()
		if e.Start != "Wed Mar 10 2027 09:00:00 UTC+0000" || e.End != "Thu Mar 11 2027 10:00:00 UTC+0000" {
			t.Errorf("%+v", e)
		}
	})
}

func TestRangeFilters(t *testing.T) {
	p := newPlace(t)
	p.put("ada", "a", at(1, 9, "SUMMARY:plain")...)
	p.put("ada", "b", at(2, 9, "SUMMARY:maybe", "STATUS:TENTATIVE")...)
	p.put("ada", "c", at(3, 9, "SUMMARY:off", "STATUS:CANCELLED")...)
	p.put("ada", "d", at(4, 9, "SUMMARY:class", "CATEGORIES:CLASS", "X-DAYBOOK-SUBSTATUS:CHECKEDIN")...)
	p.put("ada", "e", at(5, 9, "SUMMARY:full", "CATEGORIES:CLASS", "ATTENDEE:mailto:x@example.com")...)
	p.put("ada", "f", at(6, 9, "SUMMARY:break", "CATEGORIES:BREAK")...)
	p.put("demo", "g", at(7, 9, "SUMMARY:closed")...)
	p.put("ada", "h", at(8, 9, "SUMMARY:yoga", "X-DAYBOOK-SERVICE-ID:"+strings.ToUpper(yogaUUID))...)
	p.put("room-1", "h", at(8, 9, "SUMMARY:yoga")...)
	for name, x := range map[string]struct {
		query string
		want  string
	}{
		"[inferred] no filters": {"", "plain maybe off class full break closed yoga"},
		"[seed] showTimeOff=false leaves out TIME_OFF, [inferred] VACATION stays": {"&showTimeOff=false", "plain maybe off class full closed yoga"},
		"[inferred] showTimeOff is true unasked":                                  {"&showTimeOff=true", "plain maybe off class full break closed yoga"},
		"[inferred] hideEmptyClasses=1":                                           {"&hideEmptyClasses=1", "plain maybe off full break closed yoga"},
		"[inferred] hideEmptyClasses=0":                                           {"&hideEmptyClasses=0", "plain maybe off class full break closed yoga"},
		"[seed] statusList, of appointments and classes only":                     {"&statusList=OPEN", "plain full break closed yoga"},
		"[inferred] values of one name by OR":                                     {"&statusList=PENDING,CHECKEDIN", "maybe class break closed"},
		"[inferred] CANCEL = CANCELLED":                                           {"&statusList=CANCEL", "off break closed"},
		"[inferred] CANCELLED":                                                    {"&statusList=CANCELLED", "off break closed"},
		"[inferred] statusList is exact":                                          {"&statusList=open", "break closed"},
		"[seed] serviceIdList":                                                    {"&serviceIdList=31", "yoga"},
		"[inferred] a service unknown":                                            {"&serviceIdList=32,999", ""},
		"[seed] locationIdList":                                                   {"&locationIdList=12,11", "yoga"},
		"[seed] locationIdList, another place":                                    {"&locationIdList=12", ""},
		"[seed] locationGroupIdList":                                              {"&locationGroupIdList=21", "yoga"},
		"[inferred] a group is no location":                                       {"&locationIdList=21", ""},
		"[inferred] different names by AND":                                       {"&serviceIdList=31&statusList=PENDING", ""},
		"[inferred] both location filters by AND":                                 {"&locationIdList=12&locationGroupIdList=21", ""},
		"[inferred] all filters agree":                                            {"&serviceIdList=31&locationIdList=11&statusList=OPEN", "yoga"},
		"[inferred] an empty value is absent":                                     {"&statusList=&serviceIdList=&locationIdList=", "plain maybe off class full break closed yoga"},
	} {
		t.Run(name, func(t *testing.T) { wantTitles(t, p.in(t).march(x.query).titles(), strings.Fields(x.want)...) })
	}
}

func TestRangeSharedAndOrder(t *testing.T) {
	p := newPlace(t)
	t.Run("[inferred] an event that several share appears once", func(t *testing.T) {
		p.in(t).put("ada", "copy", at(1, 9, "SUMMARY:Ada's copy")...)
		p.in(t).put("bob", "copy", at(1, 9, "SUMMARY:Bob's copy")...)
		wantTitles(t, p.in(t).march("").titles(), "Ada's copy")
		wantTitles(t, p.in(t).get("/calendar/range/2,1,2?startDate=2027-03-01&endDate=2027-03-01").titles(), "Bob's copy")
	})
	t.Run("a block of several staff appears once", func(t *testing.T) {
		p.in(t).block("shared", []string{"ada", "bob"}, at(2, 9, "CATEGORIES:BLOCK")...)
		if e := p.in(t).get("/calendar/range/1,2?startDate=2027-03-02&endDate=2027-03-02").one(); e.Type != timeOff {
			t.Errorf("%+v", e)
		}
	})
	t.Run("[inferred] VACATION appears for every staff", func(t *testing.T) {
		p.in(t).put("demo", "closed", at(3, 9, "SUMMARY:closed")...)
		for _, list := range []string{"1", "2", "1,2,3"} {
			if e := p.in(t).get("/calendar/range/" + list + "?startDate=2027-03-03&endDate=2027-03-03").one(); e.Type != vacation {
				t.Errorf("%s: %+v", list, e)
			}
		}
	})
	t.Run("[inferred] by start, end, id", func(t *testing.T) {
		p.in(t).put("bob", "o1", at(4, 9, "SUMMARY:3")...)
		p.in(t).put("ada", "o2", at(4, 9, "SUMMARY:4")...)
		p.in(t).put("ada", "o3", "SUMMARY:2", "DTSTART:20270304T090000Z", "DTEND:20270304T093000Z")
		p.in(t).put("bob", "o4", at(4, 8, "SUMMARY:1")...)
		wantTitles(t, p.in(t).get("/calendar/range/1,2?startDate=2027-03-04&endDate=2027-03-04").titles(), "1", "2", "3", "4")
	})
	t.Run("[seed] no paging", func(t *testing.T) {
		for i := range 250 {
			p.in(t).put("cem", fmt.Sprint("n", i), at(5, 9)...)
		}
		if got := p.in(t).get("/calendar/range/3?startDate=2027-03-05&endDate=2027-03-05&limit=10&page=2").events(); len(got) != 250 {
			t.Errorf("%d events", len(got))
		}
	})
	t.Run("tasks, journals and blocks without length are no events", func(t *testing.T) {
		p.in(t).putText("cem", "todo", "BEGIN:VTODO\nUID:todo\nDTSTAMP:20270101T000000Z\nDTSTART:20270306T090000Z\nEND:VTODO\n")
		p.in(t).put("cem", "nothing", "DTSTART:20270306T090000Z", "CATEGORIES:BLOCK")
		p.in(t).put("cem", "moment", "DTSTART:20270306T110000Z", "SUMMARY:moment")
		wantTitles(t, p.in(t).get("/calendar/range/3?startDate=2027-03-06&endDate=2027-03-06").titles(), "moment")
	})
}

// block stores a block in the calendars of several.
func (p *place) block(uid string, owners []string, lines ...string) {
	p.T.Helper()
	p.put(owners[0], uid, lines...)
	for _, o := range owners[1:] {
		p.put(o, uid, lines...)
	}
}

func TestRangeInstances(t *testing.T) {
	p := newPlace(t)
	series := apitest.Component("weekly", "SUMMARY:weekly", "DTSTART;TZID=Europe/Berlin:20270301T103000", "DTEND;TZID=Europe/Berlin:20270301T113000",
		"RRULE:FREQ=WEEKLY", "EXDATE;TZID=Europe/Berlin:20270315T103000") +
		apitest.Component("weekly", "SUMMARY:moved", "RECURRENCE-ID;TZID=Europe/Berlin:20270308T103000", "DTSTART:20270309T140000Z", "DTEND:20270309T150000Z", "STATUS:CANCELLED")
	p.putText("ada", "weekly", series)
	all := p.march("").events()
	t.Run("[inferred] one element for each instance, exceptions applied", func(t *testing.T) {
		wantTitles(t, p.in(t).march("").titles(), "weekly", "moved", "weekly", "weekly")
		if all[1].Start != "Tue Mar 09 2027 14:00:00 UTC+0000" || all[1].Status != cancelled || all[3].Start != "Mon Mar 29 2027 08:30:00 UTC+0000" {
			t.Errorf("%+v", all)
		}
	})
	t.Run("[seed] id is unique and [inferred] below 2^53", func(t *testing.T) {
		seen := map[int64]bool{}
		for _, e := range all {
			if seen[e.ID] || e.ID <= 0 || e.ID >= 1<<53 {
				t.Errorf("id %d", e.ID)
			}
			seen[e.ID] = true
		}
	})
	t.Run("alias of an instance by arithmetic", func(t *testing.T) {
		rid := time.Date(2027, 3, 8, 9, 30, 0, 0, time.UTC).Unix() / 60
		if want := *all[1].Series<<27 + rid; all[1].ID != want {
			t.Errorf("id %d, want %d", all[1].ID, want)
		}
	})
	t.Run("[seed] recurringAppointmentId is the series, [inferred] the same for overrides too", func(t *testing.T) {
		for _, e := range all {
			if e.Series == nil || *e.Series != *all[0].Series || *e.Series >= 1<<26 {
				t.Errorf("%+v", e)
			}
		}
	})
	t.Run("[inferred] each instance is found by its own id, that of the series gives the first", func(t *testing.T) {
		for _, e := range all {
			if got := p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", e.ID)).one(); got.ID != e.ID || got.Start != e.Start || got.Title != e.Title {
				t.Errorf("%+v, want %+v", got, e)
			}
		}
		if got := p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", *all[0].Series)).one(); got.ID != all[0].ID {
			t.Errorf("%+v", got)
		}
	})
	t.Run("[inferred] an excluded instance and a minute between are unknown", func(t *testing.T) {
		for _, id := range []int64{all[0].ID + 14*24*60, all[0].ID + 1, all[0].ID - 7*24*60} {
			p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", id)).want(404)
		}
	})
	t.Run("THISANDFUTURE describes the later ones", func(t *testing.T) {
		p.in(t).putText("bob", "future", apitest.Component("future", "SUMMARY:old", "DTSTART:20270301T090000Z", "DTEND:20270301T100000Z", "RRULE:FREQ=DAILY;COUNT=4")+
			apitest.Component("future", "SUMMARY:new", "RECURRENCE-ID;RANGE=THISANDFUTURE:20270303T090000Z", "DTSTART:20270303T110000Z", "DTEND:20270303T120000Z"))
		a := p.in(t).get("/calendar/range/2?startDate=2027-03-01&endDate=2027-03-31")
		wantTitles(t, a.titles(), "old", "old", "new", "new")
		for _, e := range a.events() {
			if got := p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", e.ID)).one(); got.Start != e.Start || got.Title != e.Title {
				t.Errorf("%+v, want %+v", got, e)
			}
		}
	})
	t.Run("seconds are no part of an id, and instances before 1970 and after 2225 have one", func(t *testing.T) {
		for i, start := range []string{"20270401T090030Z", "19300401T090000Z", "24000401T090000Z"} {
			uid := fmt.Sprint("far", i)
			p.in(t).put("cem", uid, "DTSTART:"+start, "RRULE:FREQ=DAILY;COUNT=2")
			from := start[:4] + "-04-0"
			for _, e := range p.in(t).get("/calendar/range/3?startDate=" + from + "1&endDate=" + from + "2").events() {
				if got := p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", e.ID)).one(); got.Start != e.Start || e.ID >= 1<<53 {
					t.Errorf("%+v, want %+v", got, e)
				}
			}
		}
	})
	t.Run("an all-day series has instances by their day", func(t *testing.T) {
		p.in(t).put("cem", "days", "DTSTART;VALUE=DATE:20270501", "RRULE:FREQ=DAILY;COUNT=3", "X-DAYBOOK-EVENT-TYPE:TIME_OFF")
		for _, e := range p.in(t).get("/calendar/range/3?startDate=2027-05-01&endDate=2027-05-31").events() {
			if got := p.in(t).get(fmt.Sprintf("/calendar/TIME_OFF/%d", e.ID)).one(); got.Start != e.Start || !got.AllDay || *got.Series != *e.Series {
				t.Errorf("%+v, want %+v", got, e)
			}
		}
	})
}

func TestRangeSeesChanges(t *testing.T) {
	p := newPlace(t)
	for _, title := range []string{"one", "two"} {
		p.put("ada", "x", at(1, 9, "SUMMARY:"+title)...)
		wantTitles(t, p.march("").titles(), title)
	}
	before := p.march("").one().ID
	p.Update(func(tx *store.Tx) error {
		c, err := tx.Calendar(p.IDs["ada"])
		if err != nil {
			return err
		}
		return tx.DeleteObject(store.System(), c.ID, "x.ics", store.Cond{})
	})
	if got := p.march("").events(); len(got) != 0 {
		t.Errorf("%v", got)
	}
	p.get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", before)).want(404)
	p.put("ada", "x", at(1, 9)...)
	if e := p.march("").one(); e.ID != before {
		t.Errorf("id %d, was %d: an identity comes back with its UID", e.ID, before)
	}
}
