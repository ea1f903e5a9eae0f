package onlive

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"daybook/api/apitest"
	"daybook/store"
)

// The statements of the contract that are marked [docs], each in a test of its
// own name. There are none marked [ref].

// [docs open-api/auth] The date is within 15 minutes of the server's clock, and
// the scheme has a secret key.
func TestDocsAuthDateAndSecret(t *testing.T) {
	p := newPlace(t)
	const path = "/api/v1/calendars"
	p.do("GET", path, "").want(200)
	for name, change := range map[string]func(map[string][]string){
		"no date":      func(h map[string][]string) { delete(h, "X-Onlive-Site-Date") },
		"another date": func(h map[string][]string) { h["X-Onlive-Site-Date"] = []string{"20270220T070001Z"} },
		"an old date":  func(h map[string][]string) { h["X-Onlive-Site-Date"] = []string{"20270220T064459Z"} },
		"another key": func(h map[string][]string) {
			h["Authorization"][0] = strings.Replace(h["Authorization"][0], manager, viewer, 1)
		},
		"an unknown key": func(h map[string][]string) {
			h["Authorization"][0] = strings.Replace(h["Authorization"][0], manager, "NOBODY", 1)
		},
		"no authorization": func(h map[string][]string) { delete(h, "Authorization") },
	} {
		r := p.Request("GET", path, "")
		change(r.Header)
		if a := p.send(r); a.Status != 401 || strings.TrimSpace(a.Raw) != `{"statusCode":401,"message":"Unauthorized"}` || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "ONLIVESITE") {
			t.Errorf("%s: %d %s", name, a.Status, a.Raw)
		}
	}
	p.Update(func(tx *store.Tx) error { return tx.DeleteCredential(manager) })
	p.do("GET", path, "").want(401)
}

// [docs appointments/get] A block is read back with start, end, state, blocked,
// calendarIds, extraFields, origin, organizationId.
func TestDocsGetAppointment(t *testing.T) {
	p := newPlace(t)
	id := p.block(fields{"title": "Boiler", "origin": "web", "extraFields": fields{"a": 1}}).id()
	p.do("GET", "/api/v1/appointments/"+id, "").says(200, `{"id":"`+id+`","createdAt":"2027-02-20T07:00:00.000Z","updatedAt":"2027-02-20T07:00:00.000Z",`+
		`"title":"Boiler","extraFields":{"a":1},"calendarIds":["`+ada+`"],"origin":"web","organizationId":"`+demo+`",`+
		`"start":"2027-03-01T10:00:00.000Z","end":"2027-03-01T11:00:00.000Z","state":"confirmed","blocked":true}`)
	p.do("GET", "/api/v1/appointments/"+strings.ToUpper(id), "").want(200)
	p.do("GET", "/api/v1/appointments/x", "").says(400,
		`{"statusCode":400,"message":"Invalid appointment ID format","errors":[{"field":"appointmentId","message":"Must be a valid UUID"}]}`)
	p.do("GET", "/api/v1/appointments/"+id+"_x", "").want(400)
	missing := `{"statusCode":404,"message":"Appointment not found"}`
	for _, other := range []string{unknown, ada, id + "_20270301T110000Z"} {
		p.do("GET", "/api/v1/appointments/"+other, "").says(404, missing)
	}
	p.as(viewer).do("GET", "/api/v1/appointments/"+id, "").want(200)
	p.as(porter).do("GET", "/api/v1/appointments/"+id, "").says(404, missing)
	p.as(rival).do("GET", "/api/v1/appointments/"+id, "").says(404, missing)
	p.Put(ada, "event.ics", apitest.Event(unknown, "DTSTART:20270501T100000Z", "DTEND:20270501T110000Z", "SUMMARY:no block"))
	p.do("GET", "/api/v1/appointments/"+unknown, "").says(404, missing)
}

// Somebody who may see one of the calendars learns of no other.
func TestCalendarsThatOneMayNotReadAreNotNamed(t *testing.T) {
	p := newPlace(t)
	id := p.block(fields{"calendarIds": []string{ada, room}}).id()
	if got := p.as(porter).get(id).CalendarIDs; len(got) != 1 || got[0] != room {
		t.Errorf("got %v", got)
	}
	p.as(porter).do("DELETE", "/api/v1/appointments/"+id, "").says(403, `{"statusCode":403,"message":"Insufficient permissions to delete this appointment"}`)
	p.get(id)
}

func TestStatesOfABlock(t *testing.T) {
	p := newPlace(t)
	for i, status := range []string{"CONFIRMED", "TENTATIVE", "CANCELLED"} {
		uid := fmt.Sprintf("0197f3c2-0000-7000-8000-00000000100%d", i)
		p.Put(ada, uid+".ics", apitest.Event(uid, "DTSTART:20270501T100000Z", "DTEND:20270501T110000Z", "CATEGORIES:BLOCK", "STATUS:"+status))
		if got := p.get(uid); got.State != []string{"confirmed", "pending", "cancelled"}[i] {
			t.Errorf("%s is %s", status, got.State)
		}
	}
}

// [docs appointments/get] The list is paginated (page, limit), has search and
// dates.
func TestDocsListAppointments(t *testing.T) {
	p := newPlace(t)
	var ids []string
	for i := range 25 {
		start := fmt.Sprintf("2027-03-%02dT10:00:00Z", i+1)
		ids = append(ids, p.block(fields{"start": start, "end": start[:11] + "11:00:00Z", "title": fmt.Sprintf("Block %d", i), "calendarIds": []string{ada, room}, "externalId": fmt.Sprint("Ext-", i)}).id())
	}
	all := p.list("")
	if all.Total != 25 || all.Page != 1 || all.Limit != 20 || len(all.Items) != 20 || all.Items[0].ID != ids[0] || all.Items[19].ID != ids[19] {
		t.Errorf("%+v", all)
	}
	if second := p.list("page=2"); len(second.Items) != 5 || second.Items[0].ID != ids[20] || second.Total != 25 {
		t.Errorf("%+v", second)
	}
	if beyond := p.list("page=9"); beyond.Items == nil || len(beyond.Items) != 0 || beyond.Total != 25 {
		t.Errorf("%+v", beyond)
	}
	for query, want := range map[string][]string{
		"page=3&limit=4": ids[8:12],
		"startDate=2027-03-03&endDate=2027-03-04":                  ids[2:4],
		"startDate=2027-03-03T10:59:59Z&endDate=2027-03-04T10:00Z": ids[2:3],
		"startDate=2027-03-24":                                     ids[23:],
		"endDate=2027-03-02":                                       ids[:2],
		"search=bLOCK+7":                                           ids[7:8],
		"search=ext-24":                                            ids[24:],
		"search=Block+1&limit=3":                                   {ids[1], ids[10], ids[11]},
		"calendarIds=" + bob:                                       {},
		"calendarIds=" + bob + "," + room + "&limit=1":             ids[:1],
	} {
		got := p.list(query)
		found := []string{}
		for _, x := range got.Items {
			found = append(found, x.ID)
		}
		if fmt.Sprint(found) != fmt.Sprint(want) {
			t.Errorf("%s: %d items %v, want %v", query, got.Total, found, want)
		}
	}
	for query, field := range map[string]string{
		"page=0": "page", "page=x": "page", "limit=0": "limit", "limit=101": "limit", "startDate=x": "startDate", "endDate=2027-13-01": "endDate",
		"startDate=2027-03-02&endDate=2027-03-01": "endDate", "startDate=2027-03-02&endDate=2047-03-01": "endDate", "calendarIds=x": "calendarIds",
		"page=1&page=2": "page",
	} {
		p.do("GET", "/api/v1/appointments?"+query, "").faults(field)
	}
	if none := p.as(rival).list(""); none.Total != 0 {
		t.Errorf("%+v", none)
	}
	if own := p.as(porter).list("limit=1"); own.Total != 25 || len(own.Items[0].CalendarIDs) != 1 {
		t.Errorf("%+v", own)
	}
}

// What takes no time by its length, or is no block, is not listed.
func TestListHasBlocksOnly(t *testing.T) {
	p := newPlace(t)
	p.Put(ada, "a.ics", apitest.Event("a", "DTSTART:20270301T100000Z", "DTEND:20270301T110000Z"))
	p.Put(ada, "b.ics", apitest.Event("b", "DTSTART:20270301T100000Z", "CATEGORIES:BLOCK"))
	p.Put(ada, "c.ics", apitest.Event("c", "DTSTART:20270301T100000Z", "DTEND:20270301T110000Z", "CATEGORIES:Break"))
	got := p.list("")
	if got.Total != 1 || got.Items[0].Title != "Break" {
		t.Errorf("%+v", got)
	}
}

// A series of blocks, which other faces make, is listed by its instances.
func TestInstancesOfASeries(t *testing.T) {
	p := newPlace(t)
	const uid = "0197f3c2-0000-7000-8000-000000002000"
	p.Put(ada, "s.ics", apitest.Event(uid, "DTSTART:20270301T100000Z", "DTEND:20270301T110000Z", "RRULE:FREQ=DAILY;COUNT=3", "CATEGORIES:BLOCK", "SUMMARY:Daily"))
	got := p.list("search=daily")
	if got.Total != 3 || got.Items[1].ID != uid+"_20270302T100000Z" || got.Items[1].Start != "2027-03-02T10:00:00.000Z" {
		t.Fatalf("%+v", got)
	}
	one := p.get(got.Items[1].ID)
	if one.Start != "2027-03-02T10:00:00.000Z" || one.ID != got.Items[1].ID {
		t.Errorf("%+v", one)
	}
	if whole := p.get(uid); whole.ID != uid || whole.Start != "2027-03-01T10:00:00.000Z" {
		t.Errorf("%+v", whole)
	}
	p.do("DELETE", "/api/v1/appointments/"+one.ID, "").want(200)
	p.do("GET", "/api/v1/appointments/"+one.ID, "").want(404)
	if left := p.list(""); left.Total != 2 {
		t.Errorf("%+v", left)
	}
	p.do("DELETE", "/api/v1/appointments/"+uid+"_20270301T100000Z", "").want(200)
	p.do("DELETE", "/api/v1/appointments/"+uid+"_20270303T100000Z", "").want(200)
	if len(p.stored(ada)) != 0 {
		t.Error("the series outlives its last instance")
	}
	p.check()
}

// [docs appointments/delete] DELETE answers id, status and deletedAt, and takes
// notify; then 404.
func TestDocsDeleteAppointment(t *testing.T) {
	p := newPlace(t)
	id := p.block(fields{"calendarIds": []string{ada, room}}).id()
	path := "/api/v1/appointments/" + id
	p.as(viewer).do("DELETE", path, "").says(403, `{"statusCode":403,"message":"Insufficient permissions to delete this appointment"}`)
	p.as(rival).do("DELETE", path, "").says(404, `{"statusCode":404,"message":"Appointment not found"}`)
	p.do("DELETE", path+"?notify=maybe", "").faults("notify")
	p.do("DELETE", "/api/v1/appointments/x", "").want(400)
	p.do("DELETE", path+"?notify=true", "").says(200, `{"id":"`+id+`","status":"deleted","deletedAt":"2027-02-20T07:00:00.500Z"}`)
	p.do("DELETE", path, "").says(404, `{"statusCode":404,"message":"Appointment not found"}`)
	if len(p.stored(ada))+len(p.stored(room)) != 0 {
		t.Error("something is left")
	}
	again := p.block(nil).id()
	p.as(cleaner).do("DELETE", "/api/v1/appointments/"+again, "").want(200)
	p.check()
}

// [docs calendar/get] Calendars have name, timezone and type agent or asset; the
// list begins with page 1 and has 20 on a page.
func TestDocsCalendars(t *testing.T) {
	p := newPlace(t)
	list := func(query string) Page[Calendar] {
		return decoded[Page[Calendar]](p.do("GET", "/api/v1/calendars?"+query, "").want(200))
	}
	all := list("")
	if all.Total != 4 || all.Page != 1 || all.Limit != 20 {
		t.Errorf("%+v", all)
	}
	want := Calendar{ID: ada, Name: "Ada Noor", Timezone: "Europe/Berlin", Type: "agent", Email: "ada@example.com", Color: "#3B82F6", OrganizationID: demo, CreatedAt: all.Items[0].CreatedAt, UpdatedAt: all.Items[0].UpdatedAt}
	if all.Items[0] != want {
		t.Errorf("%+v", all.Items[0])
	}
	if got := list("type=asset"); got.Total != 2 || got.Items[1].ID != room || got.Items[1].Type != "asset" || got.Items[1].Timezone != "Europe/Lisbon" {
		t.Errorf("%+v", got)
	}
	if got := list("search=NOOR"); got.Total != 1 || got.Items[0].ID != ada {
		t.Errorf("%+v", got)
	}
	if got := list("limit=3&page=2"); got.Total != 4 || len(got.Items) != 1 {
		t.Errorf("%+v", got)
	}
	p.do("GET", "/api/v1/calendars?type=room&page=-1", "").faults("type", "page")
	if got := decoded[Calendar](p.do("GET", "/api/v1/calendars/"+ada, "").want(200)); got != want {
		t.Errorf("%+v", got)
	}
	p.do("GET", "/api/v1/calendars/x", "").says(400, `{"statusCode":400,"message":"Invalid calendar ID format","errors":[{"field":"id","message":"Must be a valid UUID"}]}`)
	for _, id := range []string{unknown, foreign, demo, massage} {
		p.do("GET", "/api/v1/calendars/"+id, "").says(404, `{"statusCode":404,"message":"Calendar not found"}`)
	}
	p.as(porter).do("GET", "/api/v1/calendars/"+ada, "").want(404)
	p.as(porter).do("GET", "/api/v1/calendars/"+room, "").want(200)
}

// [docs calendar/get] userGroupId narrows the list to a group's calendars; [docs
// iCalendar-v4] serviceId and appointmentId to those of a service and of an appointment.
func TestDocsCalendarFilters(t *testing.T) {
	p := newPlace(t)
	const group, hidden = "0197f3c2-0000-7000-8000-0000000000d1", "0197f3c2-0000-7000-8000-0000000000d2"
	p.Principals("demo", store.Principal{UUID: uuid.MustParse(group), Kind: store.KindGroup, Name: "upstairs", Members: []uuid.UUID{uuid.MustParse(bob), uuid.MustParse(room)}})
	p.Principals("other", store.Principal{UUID: uuid.MustParse(hidden), Kind: store.KindGroup, Name: "theirs", Members: []uuid.UUID{uuid.MustParse(foreign)}})
	block := p.block(fields{"calendarIds": []string{desk, ada}}).id()
	theirs := p.as(rival).block(fields{"calendarIds": []string{foreign}}).id()
	for query, want := range map[string][]string{
		"userGroupId=" + group:                             {bob, room},
		"userGroupId=" + strings.ToUpper(group):            {bob, room},
		"userGroupId=" + group + "&type=agent":             {bob},
		"userGroupId=" + group + "&serviceId=" + massage:   {room},
		"userGroupId=" + hidden:                            {},
		"userGroupId=" + ada:                               {},
		"userGroupId=" + unknown:                           {},
		"serviceId=" + massage:                             {ada, room},
		"serviceId=" + visit:                               {},
		"serviceId=" + unknown:                             {},
		"appointmentId=" + block:                           {ada, desk},
		"appointmentId=" + block + "_20270301T100000Z":     {ada, desk},
		"appointmentId=" + theirs:                          {},
		"appointmentId=" + unknown:                         {},
		"appointmentId=" + block + "&serviceId=" + massage: {ada},
	} {
		for _, version := range []string{"v1", "v2"} {
			got := []string{}
			page := decoded[Page[Calendar]](p.do("GET", "/api/"+version+"/calendars?"+query, "").want(200))
			for _, c := range page.Items {
				got = append(got, c.ID)
			}
			if !slices.Equal(got, want) || page.Total != len(want) {
				t.Errorf("%s: got %v, want %v", query, got, want)
			}
		}
	}
	p.do("GET", "/api/v1/calendars?userGroupId=x&serviceId=x&appointmentId=x_y", "").faults("userGroupId", "serviceId", "appointmentId")
	if got := decoded[Page[Calendar]](p.as(porter).do("GET", "/api/v1/calendars?serviceId="+massage, "").want(200)); got.Total != 0 {
		t.Errorf("what may not be read was used: %+v", got)
	}
}

// [docs service] Services have length and calendars.
func TestDocsServices(t *testing.T) {
	p := newPlace(t)
	all := decoded[Page[Service]](p.do("GET", "/api/v1/services", "").want(200))
	if all.Total != 2 || all.Items[0].ID != massage || all.Items[0].Duration != 45 || fmt.Sprint(all.Items[0].CalendarIDs) != fmt.Sprint([]string{ada, room}) || all.Items[1].CalendarIDs == nil {
		t.Errorf("%+v", all)
	}
	if got := decoded[Page[Service]](p.do("GET", "/api/v1/services?search=visit", "").want(200)); got.Total != 1 || got.Items[0].Description != "Just a visit" {
		t.Errorf("%+v", got)
	}
	if got := decoded[Service](p.do("GET", "/api/v1/services/"+massage, "").want(200)); got.Name != "Massage" {
		t.Errorf("%+v", got)
	}
	p.do("GET", "/api/v1/services/"+unknown, "").says(404, `{"statusCode":404,"message":"Service not found"}`)
	p.do("GET", "/api/v1/services/x", "").want(400)
	p.as(porter).do("GET", "/api/v1/services/"+massage, "").want(404)
	if got := decoded[Page[Service]](p.as(rival).do("GET", "/api/v1/services", "").want(200)); got.Total != 0 {
		t.Errorf("%+v", got)
	}
}

// [docs iCalendar-v4] The newer spelling has startAt, endAt and status, and no
// blocked.
func TestDocsNewerSpelling(t *testing.T) {
	p := newPlace(t)
	id := p.block(nil).id()
	path := "/api/v2/appointments/" + id
	a := p.do("GET", path, "").want(200)
	got := decoded[Appointment2](a)
	if got.StartAt != "2027-03-01T10:00:00.000Z" || got.EndAt != "2027-03-01T11:00:00.000Z" || got.Status != "confirmed" || strings.Contains(a.Raw, "blocked") || strings.Contains(a.Raw, `"start"`) {
		t.Error(a.Raw)
	}
	list := decoded[Page[Appointment2]](p.do("GET", "/api/v2/appointments?search=blocked", "").want(200))
	if list.Total != 1 || list.Items[0].StartAt != got.StartAt {
		t.Errorf("%+v", list)
	}
	p.do("GET", "/api/v2/calendars/"+ada, "").want(200)
	p.do("GET", "/api/v2/calendars", "").want(200)
	if gone := decoded[Appointment2](p.do("DELETE", path, "").want(200)); gone.ID != id || gone.DeletedAt != "2027-02-20T07:00:00.500Z" {
		t.Errorf("%+v", gone)
	}
	p.do("DELETE", path, "").want(404)
}

func TestErrorsOutsideOfTheRoutesHaveTheShapeToo(t *testing.T) {
	p := newPlace(t)
	p.do("GET", "/api/v1/nope", "").says(404, `{"statusCode":404,"message":"Not Found"}`)
	p.do("POST", "/api/v1/calendars", "{}").says(405, `{"statusCode":405,"message":"Method Not Allowed"}`)
	p.do("POST", slotPath, `{"title":"`+strings.Repeat("x", 1<<20)+`"}`).says(413, `{"statusCode":413,"message":"Request Entity Too Large"}`)
	p.do("GET", "/api/v1/appointments?page=1;2", "").want(400)
	if err := p.Store.Close(); err != nil {
		t.Fatal(err)
	}
	if a := p.do("GET", "/api/v1/calendars", ""); a.Status != 503 || !strings.HasPrefix(a.Raw, `{"statusCode":503,"message":"`) {
		t.Errorf("%d %s", a.Status, a.Raw)
	}
}

// A client's lines may tell when it changed the block, but not when it made it.
func TestNothingIsUpdatedBeforeItIsCreated(t *testing.T) {
	p := newPlace(t)
	p.Put(ada, "a.ics", apitest.Event("a@client", "DTSTART:20270310T130000Z", "DTEND:20270310T140000Z", "CATEGORIES:BLOCK", "LAST-MODIFIED:20270110T130000Z"))
	got := p.list("startDate=2027-03-10&endDate=2027-03-10").Items
	if len(got) != 1 || got[0].CreatedAt != show(now) || got[0].UpdatedAt != got[0].CreatedAt {
		t.Errorf("%+v", got)
	}
}
