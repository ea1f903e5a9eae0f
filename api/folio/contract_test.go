package folio

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/api/apitest"
)

// The statements of the contract, by its sections. [seed], [docs] and [ref]
// are its marks.

const anyone = "1f6a0b8e-0c0d-4a53-a9a5-6f6f4d1c2b77" // a UUID that nobody has

// §1 [ref]: a service point that nobody uses is no error.
func TestRefUnknownServicePointHasNoCalendars(t *testing.T) {
	p := newPlace(t)
	if got := p.all(anyone, "2031-01-01", "2031-01-03", "&includeClosed=false"); got.TotalRecords != 0 || got.Dates == nil {
		t.Errorf("%+v", got)
	}
	if got := p.all(anyone, "2031-01-01", "2031-01-03", "&includeClosed=true"); got.TotalRecords != 3 || got.Dates[2].Open {
		t.Errorf("%+v", got)
	}
	if got := read[CalendarCollection](p.get("/calendar/calendars?servicePointId=" + anyone).want(200)); got.TotalRecords != 0 || got.Calendars == nil {
		t.Errorf("%+v", got)
	}
}

// §1 [seed]: an end time is the last minute that is open; a whole day is 00:00
// to 23:59.
func TestSeedEndIsTheLastOpenMinute(t *testing.T) {
	p := newPlace(t)
	c := p.create(with(plain("2031-07-01", "2031-07-31", desk), "normalHours", weekly("TUESDAY 09:00 TUESDAY 11:59", "WEDNESDAY 00:00 WEDNESDAY 23:59")))
	if text := p.own()[c.ID+".ics"]; !strings.Contains(text, "20310701T120000") || !strings.Contains(text, "20310703T000000") {
		t.Error(text)
	}
	days := p.all(desk, "2031-07-01", "2031-07-02", "&includeClosed=false").Dates
	if days[0].AllDay || days[0].Openings[0].EndTime != "11:59:00" || !days[1].AllDay || !days[1].Open {
		t.Errorf("%+v", days)
	}
}

// §1 [ref]: no time zone appears anywhere: in every zone the same wall clocks,
// those that a clock change skips or repeats among them.
func TestRefNoZoneAppears(t *testing.T) {
	p := newPlace(t)
	var first string
	for _, token := range []string{editor, stranger} { // Berlin, UTC
		q := p.as(token)
		body := with(plain("2031-03-30", "2031-10-26", desk), "normalHours", weekly("SUNDAY 02:30 SUNDAY 02:45"))
		body["exceptions"] = []js{{"name": "x", "startDate": "2031-10-26", "endDate": "2031-10-26", "openings": []js{
			{"startDate": "2031-10-26", "startTime": "02:15", "endDate": "2031-10-26", "endTime": "02:59"},
		}}}
		got := q.all(desk, "2031-03-30", "2031-10-26", "&includeClosed=false")
		if got.TotalRecords != 0 {
			t.Errorf("%+v", got)
		}
		q.create(body)
		raw := q.get("/calendar/dates/" + desk + "/all-openings?startDate=2031-03-30&endDate=2031-10-26&includeClosed=false&limit=99").Raw
		if first == "" {
			first = raw
		}
		if raw != first || !strings.Contains(raw, `"02:30:00"`) || !strings.Contains(raw, `"02:15:00"`) {
			t.Error(raw)
		}
	}
}

// §2 [ref]: JSON always, unknown members ignored, absent members left out, 204
// without a body.
func TestRefTransport(t *testing.T) {
	p := newPlace(t).with("Accept", "text/html").with("x-okapi-url", "http://x").with("x-okapi-request-id", "1").with("Accept-Language", "de")
	body := with(summer(), "more", js{"a": 1})
	a := p.post(body).want(201)
	if a.Header.Get("Content-Type") != "application/json" || strings.Contains(a.Raw, "null") || strings.Contains(a.Raw, "more") {
		t.Error(a.Header, a.Raw)
	}
	for _, member := range []string{`"calendarId"`, `"exceptionId"`} {
		if strings.Contains(a.Raw, member) {
			t.Errorf("%s is left out: %s", member, a.Raw)
		}
	}
	if a.Header.Get("Location") != "" {
		t.Error("the reference has no Location")
	}
	if d := p.do("DELETE", path(a.calendar().ID), nil).want(204); d.Raw != "" || d.Header.Get("Content-Type") != "" {
		t.Error(d.Raw, d.Header)
	}
}

// §2 [ref]: wire formats.
func TestRefWireFormats(t *testing.T) {
	p := newPlace(t)
	body := summer(strings.ToUpper(desk))
	body["normalHours"] = []js{{"startDay": "monday", "startTime": "07:30:45", "endDay": "Monday", "endTime": "08:00"}}
	c := p.create(body)
	want := []NormalHours{{"MONDAY", "07:30:00", "MONDAY", "08:00:00"}}
	if !reflect.DeepEqual(c.NormalHours, want) || c.Assignments[0] != desk || c.Metadata.CreatedDate != "2031-05-20T08:15:30.120Z" {
		t.Errorf("%+v", c)
	}
}

// §2 [ref]: x-okapi-tenant is required; nothing is shared between tenants.
func TestRefTenants(t *testing.T) {
	p := newPlace(t)
	c := p.create(summer(desk))
	for _, value := range []string{"", " "} {
		p.with("x-okapi-tenant", value).get("/calendar/calendars").errors(400, InvalidParameter)
	}
	for _, tenant := range []string{"other", "nobody", "desk", "DEMO"} {
		p.with("x-okapi-tenant", tenant).get("/calendar/calendars").errors(401, InvalidRequest)
	}
	s := p.as(stranger)
	s.get(path(c.ID)).errors(404, CalendarNotFound)
	s.do("PUT", path(c.ID), summer(desk)).errors(404, CalendarNotFound)
	s.do("DELETE", path(c.ID), nil).errors(404, CalendarNotFound)
	if got := read[CalendarCollection](s.get("/calendar/calendars")); got.TotalRecords != 0 {
		t.Errorf("%+v", got)
	}
	s.create(summer(desk)) // the same days of the same service point, of another tenant
	if got := s.around(desk, "2031-06-03"); !got[0].Open {
		t.Errorf("%+v", got)
	}
	s.with("x-okapi-tenant", "demo").get(path(c.ID)).errors(401, InvalidRequest)
}

// §2 [ref], "Endpoints and permissions": which operation needs what.
// [inferred]: without a gateway we check token and permissions ourselves.
func TestTokensAndPermissions(t *testing.T) {
	p := newPlace(t)
	c := p.create(summer(desk))
	for _, token := range []string{"", "editor", "editor.wrong", "nobody.editor" + apitest.SecretPart} {
		p.with("x-okapi-token", token).get("/calendar/calendars").errors(401, InvalidRequest)
	}
	dates := "/calendar/dates/" + desk
	ops := []struct {
		method, path string
		body         any
		may          string
	}{
		{"GET", "/calendar/calendars", nil, "reader editor"},
		{"GET", path(c.ID), nil, "reader editor"},
		{"GET", dates + "/surrounding-openings?date=2031-06-02", nil, "reader editor"},
		{"GET", dates + "/all-openings?startDate=2031-06-02&endDate=2031-06-02&includeClosed=true", nil, "reader editor"},
		{"POST", "/calendar/calendars", summer(), "editor"},
		{"PUT", path(c.ID), summer(desk), "editor"},
		{"DELETE", path(anyone), nil, "cleaner editor"},
		{"DELETE", "/calendar/calendars?id=" + anyone, nil, "cleaner editor"},
	}
	for _, op := range ops {
		for _, token := range []string{reader, editor, cleaner, nobody} {
			a := p.as(token).do(op.method, op.path, op.body)
			if allowed := strings.Contains(op.may, token); allowed == (a.Status == 403) {
				t.Errorf("%s %s as %s: %d", op.method, op.path, token, a.Status)
			}
			if a.Status == 403 {
				a.errors(403, InvalidRequest)
			}
		}
	}
	p.as(reader).do("POST", "/calendar/calendars", "not json").errors(403, InvalidRequest)
}

// §2, §3 [ref]: who wrote is in metadata; a caller that is not known is not.
func TestRefMetadata(t *testing.T) {
	p := newPlace(t)
	c := p.create(with(summer(desk), "metadata", js{"createdByUserId": user2, "createdDate": "2000-01-01T00:00:00Z"}))
	if want := (Metadata{"2031-05-20T08:15:30.120Z", user, "2031-05-20T08:15:30.120Z", user}); *c.Metadata != want {
		t.Errorf("%+v", c.Metadata)
	}
	p.clock.Add(time.Millisecond)
	if u := p.do("PUT", path(c.ID), summer(desk)).want(200).calendar(); u.Metadata.UpdatedDate != "2031-05-20T08:15:30.121Z" {
		t.Errorf("a change in the same second is told apart: %+v", u.Metadata)
	}
	p.clock.Add(time.Hour - time.Millisecond)
	u := p.with("x-okapi-user-id", user2).do("PUT", path(c.ID), summer(desk)).want(200).calendar()
	if want := (Metadata{"2031-05-20T08:15:30.120Z", user, "2031-05-20T09:15:30.120Z", user2}); *u.Metadata != want {
		t.Errorf("%+v", u.Metadata)
	}
	for _, id := range []string{"", "nobody"} {
		u = p.with("x-okapi-user-id", id).do("PUT", path(c.ID), summer(desk)).want(200).calendar()
		if u.Metadata.UpdatedByUserID != "" || u.Metadata.CreatedByUserID != user {
			t.Errorf("%+v", u.Metadata)
		}
		if n := p.with("x-okapi-user-id", id).create(summer()); n.Metadata.CreatedByUserID != "" {
			t.Errorf("%+v", n.Metadata)
		}
	}
	if got := p.get(path(c.ID)).calendar(); !reflect.DeepEqual(got, u) {
		t.Errorf("%+v", got)
	}
}

// §3 [ref]: lists are sets; repeats collapse before validation. [inferred]: the
// order of the request is kept.
func TestRefSetsCollapse(t *testing.T) {
	p := newPlace(t)
	body := summer(annex, desk, annex)
	hours := body["normalHours"].([]js)
	body["normalHours"] = append(hours, hours[0], js{"startDay": "SUNDAY", "startTime": "00:00", "endDay": "SUNDAY", "endTime": "23:59"})
	ex := body["exceptions"].([]js)
	body["exceptions"] = []js{ex[1], ex[0], ex[1]}
	c := p.create(body)
	if !slices.Equal(c.Assignments, []string{annex, desk}) || len(c.NormalHours) != 3 || len(c.Exceptions) != 2 || c.Exceptions[0].Name != "Concert night" {
		t.Errorf("%+v", c)
	}
	if got := p.get(path(c.ID)).calendar(); !reflect.DeepEqual(got, c) {
		t.Errorf("%+v", got)
	}
}

// §3 [ref]: exceptional openings keep their seconds.
func TestRefSecondsOfExceptionalOpenings(t *testing.T) {
	p := newPlace(t)
	opening := js{"startDate": "2031-07-19", "startTime": "18:00:30", "endDate": "2031-07-20", "endTime": "23:59:59"}
	c := p.create(with(summer(desk), "exceptions", []js{{"name": "x", "startDate": "2031-07-19", "endDate": "2031-07-20", "openings": []js{opening}}}))
	got := p.get(path(c.ID)).calendar().Exceptions[0].Openings
	if !reflect.DeepEqual(got, []ExceptionalOpening{{"2031-07-19", "18:00:30", "2031-07-20", "23:59:59"}}) {
		t.Errorf("%+v", got)
	}
	days := p.all(desk, "2031-07-19", "2031-07-20", "&includeClosed=false").Dates
	if days[0].AllDay || days[0].Openings[0].StartTime != "18:00:30" || !days[1].AllDay {
		t.Errorf("%+v", days) // minutes are compared, seconds ignored
	}
}

// §4 [seed], [ref]: search.
func TestRefSearch(t *testing.T) {
	p := newPlace(t)
	a := p.create(plain("2031-02-01", "2031-02-28", desk, annex))
	b := p.create(plain("2031-01-01", "2031-01-31", desk))
	c := p.create(plain("2031-02-01", "2031-12-31"))
	d := p.create(plain("2031-03-01", "2031-03-31", annex))
	for query, want := range map[string][]Calendar{
		"":                           {b, a, c, d}, // by startDate, then id; unassigned ones too
		"id=" + d.ID + "&id=" + b.ID: {b, d},
		"id=" + d.ID + "," + b.ID:    {b, d},
		"id=" + d.ID + "&id=" + d.ID + "&id=" + anyone:            {d}, // unknown or repeated ids are no error
		"servicePointId=" + desk:                                  {b, a},
		"servicePointId=" + desk + "&servicePointId=" + annex:     {b, a, d}, // any of these; listed once
		"servicePointId=" + annex + "&id=" + a.ID + "&id=" + b.ID: {a},       // all criteria must hold
		"startDate=2031-02-28":                                    {a, c, d},
		"startDate=2031-03-01":                                    {c, d},
		"endDate=2031-01-31":                                      {b},
		"endDate=2031-02-01":                                      {b, a, c},
		"startDate=2031-01-31&endDate=2031-02-01":                 {b, a, c},
		"startDate=2032-01-01":                                    {},
		"startDate=":                                              {b, a, c, d},
	} {
		got := read[CalendarCollection](p.get("/calendar/calendars?" + query).want(200))
		if got.TotalRecords != len(want) || len(got.Calendars) != len(want) || len(want) > 0 && !reflect.DeepEqual(got.Calendars, want) {
			t.Errorf("%s: %d %+v", query, got.TotalRecords, got.Calendars)
		}
	}
	for query, want := range map[string][]Calendar{
		"limit=0": {}, "limit=2": {b, a}, "offset=1&limit=2": {a, c}, "offset=3": {d}, "offset=9": {}, "limit=2147483647": {b, a, c, d},
		"offset=2147483647&limit=2147483647": {},
	} {
		got := read[CalendarCollection](p.get("/calendar/calendars?" + query).want(200))
		if got.TotalRecords != 4 || len(got.Calendars) != len(want) || len(want) > 0 && got.Calendars[0].ID != want[0].ID {
			t.Errorf("%s: %+v", query, got)
		}
	}
	for query, field := range map[string]string{
		"id=x": "id", "id=" + a.ID + ",": "id", "servicePointId={" + desk + "}": "servicePointId", "startDate=2031-02-30": "startDate",
		"endDate=tomorrow": "endDate", "offset=-1": "offset", "limit=-1": "limit", "limit=x": "limit", "limit=2147483648": "limit", "offset=1.5": "offset",
	} {
		e := p.get("/calendar/calendars?"+query).errors(400, InvalidParameter)
		if _, ok := e[0].Parameters[field]; !ok {
			t.Errorf("%s: %+v", query, e)
		}
	}
	p.get("/calendar/calendars?offset=-1&limit=x").errors(400, InvalidParameter, InvalidParameter)
	for range 9 {
		p.create(plain("2031-02-01", "2031-02-28"))
	}
	if got := read[CalendarCollection](p.get("/calendar/calendars")); len(got.Calendars) != 10 || got.TotalRecords != 13 {
		t.Errorf("the default limit is 10: %d of %d", len(got.Calendars), got.TotalRecords)
	}
}

// §4 [seed], [ref]: create.
func TestRefCreate(t *testing.T) {
	p := newPlace(t)
	body := with(summer(desk), "id", anyone)
	body["normalHours"].([]js)[0]["calendarId"] = anyone
	body["exceptions"].([]js)[0]["calendarId"] = "whatever"
	c := p.create(body)
	if c.ID == anyone || len(c.ID) != 36 {
		t.Error(c.ID)
	}
	if got := p.get(path(c.ID)).want(200).calendar(); !reflect.DeepEqual(got, c) {
		t.Errorf("%+v", got)
	}
	before := len(p.own())
	p.post(summer(desk)).errors(409, DateOverlap)
	p.post(with(summer(annex), "name", "")).errors(400, NoName)
	if len(p.own()) != before {
		t.Error("when it fails nothing is stored")
	}
	// No assignments: valid, and conflicts with nothing.
	if a := p.create(summer()); len(a.Assignments) != 0 {
		t.Errorf("%+v", a)
	}
	p.create(summer())
}

// §4 [ref]: replace.
func TestRefReplace(t *testing.T) {
	p := newPlace(t)
	c := p.create(summer(desk, annex))
	p.create(plain("2031-01-01", "2031-06-01", desk))
	// The order of the checks: body, existence, validation.
	p.do("PUT", path(anyone), "{").errors(400, InvalidParameter)
	p.do("PUT", "/calendar/calendars/x", summer()).errors(400, InvalidParameter)
	p.do("PUT", path(anyone), with(summer(), "name", "")).errors(404, CalendarNotFound)
	before := p.own()
	p.do("PUT", path(c.ID), with(summer(desk), "name", " ")).errors(400, NoName)
	p.do("PUT", path(c.ID), with(summer(desk), "startDate", "2031-06-01")).errors(409, DateOverlap)
	if !reflect.DeepEqual(p.own(), before) {
		t.Error("when it fails the old calendar stays untouched")
	}
	// Its own dates never conflict; whole replacement; the id in the path is kept.
	body := with(plain("2031-06-02", "2031-07-31", annex), "id", anyone)
	got := p.do("PUT", path(c.ID), body).want(200).calendar()
	if got.ID != c.ID || got.Name != "Plain" || len(got.NormalHours)+len(got.Exceptions) != 0 || !slices.Equal(got.Assignments, []string{annex}) {
		t.Errorf("%+v", got)
	}
	if now := p.get(path(c.ID)).calendar(); !reflect.DeepEqual(now, got) {
		t.Errorf("%+v", now)
	}
	if len(p.own()) != 2 {
		t.Error("exceptions that are not in the body are gone")
	}
	back := p.do("PUT", path(c.ID), summer(desk)).want(200).calendar()
	if len(back.Exceptions) != 2 || len(back.NormalHours) != 2 {
		t.Errorf("%+v", back)
	}
}

// §4 [seed], [ref]: delete one and delete several, all or none.
func TestRefDelete(t *testing.T) {
	p := newPlace(t)
	var ids []string
	for range 4 {
		ids = append(ids, p.create(summer()).ID)
	}
	p.do("DELETE", path(ids[0]), nil).want(204)
	p.get(path(ids[0])).errors(404, CalendarNotFound)
	if len(p.own()) != 9 {
		t.Error("its hours and exceptions go with it")
	}
	many := "/calendar/calendars?id="
	e := p.do("DELETE", many+ids[1]+"&id="+anyone+"&id="+ids[0]+"&id="+anyone, nil).errors(404, CalendarNotFound)
	if got := e[0].Data["notFound"]; !reflect.DeepEqual(got, []any{anyone, ids[0]}) {
		t.Error("every unknown id, in one error:", got)
	}
	if got := e[0].Parameters["query"]; !reflect.DeepEqual(got, []any{ids[1], anyone, ids[0]}) {
		t.Error("all that were asked for:", got)
	}
	p.get(path(ids[1])).want(200) // nothing is deleted
	p.do("DELETE", many+ids[1]+"&id="+ids[2]+"&id="+ids[1], nil).want(204)
	p.do("DELETE", many+ids[3], nil).want(204)
	if len(p.own()) != 0 {
		t.Error(p.own())
	}
	for _, q := range []string{"", "?id=", "?id=x", "?id=" + anyone + ",x"} {
		p.do("DELETE", "/calendar/calendars"+q, nil).errors(400, InvalidParameter)
	}
	e = p.do("DELETE", path(anyone), nil).errors(404, CalendarNotFound)
	if !reflect.DeepEqual(e[0].Data["notFound"], []any{anyone}) || !reflect.DeepEqual(e[0].Parameters["query"], []any{anyone}) {
		t.Errorf("%+v", e)
	}
}
