package trybe

import (
	"slices"
	"strings"
	"testing"

	"daybook/api/apitest"
	"daybook/store"
)

func (p *place) at(start, end string) string {
	p.T.Helper()
	return p.create(func(b map[string]any) { b["start_time"], b["end_time"] = start, end }).want(201).one().ID
}

func TestListReturnsWhatIntersectsTheDays(t *testing.T) {
	p := newPlace(t)
	p.at("2027-03-09T22:00:00", "2027-03-10T00:00:00") // ends as the range begins
	p.at("2027-03-12T00:00:00", "2027-03-12T01:00:00") // begins as it ends
	in := []string{
		p.at("2027-03-01T00:00:00", "2027-03-31T00:00:00"), // longer than the range: whole
		p.at("2027-03-09T23:00:00", "2027-03-10T00:00:01"),
		p.at("2027-03-10T00:00:00", "2027-03-10T01:00:00"),
		p.at("2027-03-11T23:59:59", "2027-03-12T01:00:00"),
	}
	list := p.days("2027-03-10", "2027-03-11")
	var got []string
	for _, b := range list {
		got = append(got, b.ID)
	}
	if !slices.Equal(got, in) {
		t.Error(starts(list))
	}
	if list[0].StartTime != "2027-03-01T00:00:00+01:00" || list[0].EndTime != "2027-03-31T00:00:00+02:00" {
		t.Errorf("cut: %+v", list[0])
	}
}

func TestListOrder(t *testing.T) {
	p := newPlace(t)
	late := p.at("2027-03-10T10:00:00", "2027-03-10T11:00:00")
	long := p.at("2027-03-10T09:00:00", "2027-03-10T12:00:00")
	a, b := p.at("2027-03-10T09:00:00", "2027-03-10T10:00:00"), p.at("2027-03-10T08:00:00Z", "2027-03-10T10:00:00")
	if a > b {
		a, b = b, a
	}
	var got []string
	for _, x := range p.days("2027-03-10", "2027-03-10") {
		got = append(got, x.ID)
	}
	if !slices.Equal(got, []string{a, b, long, late}) {
		t.Error(got)
	}
}

func TestListNeedsSiteAndDates(t *testing.T) {
	p := newPlace(t)
	p.do("GET", "/shop/blocked-times", "").faults("site_id", "date_from", "date_to")
	base := "/shop/blocked-times?site_id=" + demo
	p.do("GET", base+"&date_from=2027-3-1&date_to=x", "").faults("date_from", "date_to")
	p.do("GET", base+"&date_from=&date_to=2027-03-01", "").faults("date_from")
	p.do("GET", base+"&date_from=2027-02-30&date_to=2027-03-01", "").faults("date_from")
	p.do("GET", base+"&date_from=2027-03-02&date_to=2027-03-01", "").faults("date_to")
	p.do("GET", base+"&date_from=2027-01-01&date_to=2030-01-01", "").faults("date_to") // 1,097 days
	p.do("GET", base+"&date_from=2027-01-01&date_to=2029-12-31", "").want(200)         // 1,096
	p.do("GET", "/shop/blocked-times?site_id=x&date_from=2027-03-01&date_to=2027-03-01", "").faults("site_id")
}

func TestEmptyListIsAnArray(t *testing.T) {
	p := newPlace(t)
	if a := p.do("GET", "/shop/blocked-times?site_id="+demo+"&date_from=2027-03-01&date_to=2027-03-01&unknown=1", ""); a.want(200).Raw != "{\"data\":[]}\n" {
		t.Error(a.Raw)
	}
}

func TestBlocksOfCalendarClientsAreListed(t *testing.T) {
	p := newPlace(t)
	p.Put(desk, "a.ics", apitest.Event("plain@client", "DTSTART;VALUE=DATE:20270310", "SUMMARY:Closed", "CATEGORIES:Block,Private", "COLOR:Tomato"))
	p.Put(demo, "b.ics", apitest.Event("own@client", "DTSTART:20270310T120000", "DURATION:PT1H", "CATEGORIES:TIME_OFF", "TRANSP:TRANSPARENT", "STATUS:CANCELLED"))
	p.Put(ada, "c.ics", apitest.Event("lunch@client", "DTSTART:20270310T130000Z", "DTEND:20270310T140000Z", "CATEGORIES:BREAK", "SUMMARY:Break"))
	p.Put(ada, "d.ics", apitest.Event("event@client", "DTSTART:20270310T130000Z", "DTEND:20270310T140000Z", "CATEGORIES:MEETING", "SUMMARY:An ordinary event"))
	p.Put(ada, "e.ics", apitest.Event("point@client", "DTSTART:20270310T130000Z", "CATEGORIES:BLOCK", "SUMMARY:No length"))
	list := p.days("2027-03-10", "2027-03-10")
	if len(list) != 3 {
		t.Fatalf("%v", starts(list))
	}
	day, own, lunch := list[0], list[1], list[2]
	if day.StartTime != "2027-03-10T00:00:00+01:00" || day.EndTime != "2027-03-11T00:00:00+01:00" || day.Type != "other" || *day.Label != "Closed" ||
		*day.Color != "#ff6347" || len(day.Practitioners)+len(day.Rooms)+len(day.Areas) != 0 {
		t.Errorf("%+v", day)
	}
	if own.StartTime != "2027-03-10T12:00:00+01:00" || own.EndTime != "2027-03-10T13:00:00+01:00" || own.Label != nil {
		t.Errorf("%+v", own)
	}
	if lunch.Type != "break" || *lunch.Label != "Break" || lunch.RecurrenceID != nil {
		t.Errorf("a label of one's own stays: %+v", lunch)
	}
	for _, b := range list {
		p.do("GET", "/shop/blocked-times/"+b.ID, "").want(200)
	}
}

func TestBlockWithoutTargetsHereCanBeChangedAndDeleted(t *testing.T) {
	p := newPlace(t)
	p.Put(desk, "a.ics", apitest.Event("plain@client", "DTSTART:20270310T130000Z", "DTEND:20270310T140000Z", "CATEGORIES:BLOCK", "X-FOREIGN;X=1:kept"))
	b := p.days("2027-03-10", "2027-03-10")[0]
	if got := p.put(b.ID, map[string]any{"label": "New"}).want(200).one(); got.ID != b.ID || *got.Label != "New" {
		t.Errorf("%+v", got)
	}
	if data := p.Listed(desk); !strings.Contains(data[0], "X-FOREIGN;X=1:kept\r\n") || !strings.Contains(data[0], "SUMMARY:New\r\n") {
		t.Error(data)
	}
	p.put(b.ID, map[string]any{"room_ids": []any{}}).faults("room_ids") // the rule applies to a request that touches the lists
	got := p.put(b.ID, map[string]any{"room_ids": []any{room}}).want(200).one()
	if !slices.Equal(got.Rooms, []string{room}) || len(p.Listed(desk)) != 1 {
		t.Errorf("the plain calendar stays: %+v", got)
	}
	p.do("DELETE", "/shop/blocked-times/"+b.ID, "").want(204)
	if len(p.Listed(desk)) != 0 || len(p.Listed(room)) != 0 {
		t.Error("not deleted everywhere")
	}
}

func TestBlockInAUsersHomeIsNobodyElses(t *testing.T) {
	p := newPlace(t)
	const user = "0197f3c2-0000-7000-8000-0000000000f1"
	p.Update(func(tx *store.Tx) error {
		org, err := tx.PrincipalByName("demo")
		if err != nil {
			return err
		}
		return tx.CreatePrincipal(&store.Principal{UUID: mustUUID(user), Org: org.ID, Kind: store.KindUser, Name: "user01"})
	})
	p.Put(user, "a.ics", apitest.Event("0197f3c2-0000-7000-8000-00000000f001", "DTSTART:20270310T130000Z", "DTEND:20270310T140000Z", "CATEGORIES:BLOCK"))
	if list := p.days("2027-03-10", "2027-03-10"); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	p.do("GET", "/shop/blocked-times/0197f3c2-0000-7000-8000-00000000f001", "").want(404)
}

func TestMovedInACalendarAppIsMovedHere(t *testing.T) {
	p := newPlace(t)
	id := p.create(nil).want(201).one().ID
	data := p.Listed(ada)[0]
	moved := strings.NewReplacer("T123000", "T150000", "T131500", "T160000", "\r\n", "\n").Replace(data)
	p.Put(ada, id+".ics", moved)
	got := p.do("GET", "/shop/blocked-times/"+id, "").want(200).one()
	if got.StartTime != "2027-03-01T15:00:00+01:00" || got.EndTime != "2027-03-01T16:00:00+01:00" || got.Type != "break" {
		t.Errorf("%+v", got)
	}
}

func TestOverrideKeepsTheInstancesID(t *testing.T) {
	p := newPlace(t)
	first := p.series()
	data := strings.ReplaceAll(p.Listed(ada)[0], "\r\n", "\n")
	override := "BEGIN:VEVENT\nUID:" + *first.RecurrenceID + "\nDTSTAMP:20270101T000000Z\nRECURRENCE-ID;TZID=Europe/Berlin:20270303T123000\n" +
		"DTSTART;TZID=Europe/Berlin:20270304T080000\nDTEND;TZID=Europe/Berlin:20270304T090000\nCATEGORIES:BLOCK\nSUMMARY:Moved\nEND:VEVENT\nEND:VCALENDAR"
	p.Put(ada, *first.RecurrenceID+".ics", strings.Replace(data, "END:VCALENDAR", override, 1))
	list := p.days("2027-03-04", "2027-03-04")
	if len(list) != 1 || list[0].ID != *first.RecurrenceID+"_20270303T113000Z" || *list[0].Label != "Moved" {
		t.Fatalf("%+v", list)
	}
	if got := p.do("GET", "/shop/blocked-times/"+list[0].ID, "").want(200).one(); got.StartTime != "2027-03-04T08:00:00+01:00" {
		t.Errorf("%+v", got)
	}
	p.do("DELETE", "/shop/blocked-times/"+list[0].ID, "").want(204)
	if list := p.days("2027-03-03", "2027-03-04"); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	if data := p.Listed(ada)[0]; strings.Contains(data, "Moved") || !strings.Contains(data, "EXDATE;TZID=Europe/Berlin:20270303T123000") {
		t.Error(data)
	}
}

// Years have four digits, also where the site's clock is ahead of UTC.
func TestEndInTheLastYear(t *testing.T) {
	p := newPlace(t)
	p.Put(desk, "a.ics", apitest.Event("far@client", "DTSTART:20270310T130000Z", "DTEND:99991231T235959Z", "CATEGORIES:BLOCK"))
	if got := p.days("2027-03-10", "2027-03-10"); len(got) != 1 || got[0].EndTime != "9999-12-31T23:59:59+01:00" {
		t.Errorf("%+v", got)
	}
}
