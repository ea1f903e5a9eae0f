package timetap

import (
	"fmt"
	"testing"

	"daybook/api/apitest"
	"daybook/store"
)

// Statements of the contract with a source that no other test names.

func TestContract(t *testing.T) {
	p := newPlace(t)
	t.Run("[seed] startDate is optional, endDate is required", func(t *testing.T) {
		p.in(t).get("/calendar/range/1?endDate=2027-03-01").want(200)
		p.in(t).get("/calendar/range/1?startDate=2027-03-01").want(400)
	})
	t.Run("[seed] dates are YYYY-MM-DD, from the first year to the last", func(t *testing.T) {
		for q, want := range map[string]int{
			"startDate=0001-01-01&endDate=0001-01-02": 200, "startDate=9999-12-30&endDate=9999-12-31": 200,
			"startDate=0000-01-01&endDate=0000-01-02": 400, "startDate=2027-03-01&endDate=10000-01-01": 400, "endDate=20270301": 400,
		} {
			p.in(t).get("/calendar/range/1?" + q).want(want)
		}
	})
	t.Run("[seed] allDay", func(t *testing.T) {
		p.in(t).put("ada", "day", "DTSTART;VALUE=DATE:20270401", "DTEND;VALUE=DATE:20270403")
		p.in(t).put("ada", "hour", "DTSTART:20270402T000000", "DTEND:20270403T000000") // a day by the clock
		got := p.in(t).get("/calendar/range/1?startDate=2027-04-02&endDate=2027-04-02").events()
		if len(got) != 2 || !got[0].AllDay || got[1].AllDay || got[0].Start != "Wed Mar 31 2027 22:00:00 UTC+0000" || got[0].End != got[1].End {
			t.Errorf("%+v", got)
		}
	})
	t.Run("[seed] readOnly is true for what came from elsewhere", func(t *testing.T) {
		p.in(t).pull("cem", "theirs", "DTSTART:20270405T090000Z", "DTEND:20270405T100000Z", "RRULE:FREQ=DAILY;COUNT=2", "SUMMARY:theirs")
		p.in(t).put("cem", "ours", "DTSTART:20270405T110000Z", "DTEND:20270405T120000Z", "SUMMARY:ours")
		got := p.in(t).get("/calendar/range/3?startDate=2027-04-05&endDate=2027-04-06").events()
		if len(got) != 3 || !got[0].ReadOnly || got[1].ReadOnly || !got[2].ReadOnly {
			t.Fatalf("%+v", got)
		}
		for _, e := range got {
			if one := p.in(t).get(fmt.Sprintf("/calendar/event/APPOINTMENT/%d", e.ID)).one(); one.ReadOnly != e.ReadOnly || one.Title != e.Title {
				t.Errorf("%+v", one)
			}
		}
	})
	t.Run("[docs Vacation] a closure of the whole place, for every staff member", func(t *testing.T) {
		p.in(t).put("demo", "closed", "DTSTART;VALUE=DATE:20270410", "SUMMARY:closed")
		for _, staff := range []string{"1", "2", "3", "1,2,3"} {
			if e := p.in(t).get("/calendar/range/" + staff + "?startDate=2027-04-10&endDate=2027-04-10").one(); e.Type != vacation || e.Title != "closed" {
				t.Errorf("%+v", e)
			}
		}
	})
	t.Run("[docs 491727, 2455142401, 491712] confirmed, in progress and checked in are below open; others may be added", func(t *testing.T) {
		for word, main := range map[string]string{
			"CONFIRMED": open, "INPROGRESS": open, "CHECKEDIN": open, "PENDING": open, "Room ready": open,
			"COMPLETED": completed, "NOSHOW": noShow, "CANCELLED": cancelled, "CANCEL": cancelled,
		} {
			p.in(t).put("bob", "status", at(20, 9, "X-DAYBOOK-SUBSTATUS:"+word)...)
			if e := p.in(t).get("/calendar/range/2?startDate=2027-03-20&endDate=2027-03-20").one(); e.Status != main || e.SubStatus != word {
				t.Errorf("%s: %+v", word, e)
			}
		}
	})
	t.Run("[seed] statusList takes the words of the Status API", func(t *testing.T) {
		var words []Status
		p.in(t).get("/status").want(200).Into(&words)
		for _, w := range words {
			p.in(t).put("bob", "status", at(20, 9, "X-DAYBOOK-SUBSTATUS:"+w.SubStatus)...)
			if e := p.in(t).get("/calendar/range/2?startDate=2027-03-20&endDate=2027-03-20&statusList=" + w.SubStatus).one(); e.Status != w.Status {
				t.Errorf("%v: %+v", w, e)
			}
		}
	})
	t.Run("[docs Introduction, Staff] the siblings that integers are found by, and what is below them", func(t *testing.T) {
		for path, want := range map[string]int{
			"/staffIdList": 200, "/staff": 200, "/staff/1": 200, "/locations": 200, "/services": 200, "/status": 200,
			"/locations/": 404, "/services/": 404, "/staff/": 404, "/calendar/CLASS": 404,
		} {
			p.in(t).get(path).want(want)
		}
	})
}

// pull stores an object as a remote does.
func (p *place) pull(owner, uid string, lines ...string) {
	p.T.Helper()
	o := p.Prepare(apitest.Event(uid, lines...)).Object()
	p.Update(func(tx *store.Tx) error {
		c, err := tx.Calendar(p.IDs[owner])
		if err != nil {
			return err
		}
		r := &store.Remote{Org: p.IDs["demo"], Name: "theirs", Kind: store.RemoteICS, Target: c.ID, Host: "https://example.org"}
		if err := tx.PutRemote(r, &store.RemoteAccess{URL: "https://example.org/theirs.ics"}); err != nil {
			return err
		}
		prepared, err := p.Store.PrepareFrom(o, r.Origin())
		if err != nil {
			return err
		}
		_, err = tx.PutObject(store.Put{Actor: r.Actor(p.IDs[owner]), Collection: c.ID, Name: uid + ".ics", Object: prepared})
		return err
	})
}
