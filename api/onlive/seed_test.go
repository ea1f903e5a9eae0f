package onlive

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The statements of the contract that are marked [seed], each in a test of its
// own name; the [inferred] ones stand in block_test.go and, of the signature, in
// api/auth, the [docs] ones in siblings_test.go.

func TestSeedAuthorizationNeedsTheCredentialAndItsSignature(t *testing.T) {
	p := newPlace(t)
	r := p.Request("POST", slotPath, `{"start":"2027-03-01T10:00:00Z"}`)
	if !regexp.MustCompile(`^ONLIVESITE Credential:MANAGER, Signature=[0-9a-f]{64}$`).MatchString(r.Header.Get("Authorization")) {
		t.Fatal(r.Header)
	}
	p.send(r).want(200)
	r = p.Request("POST", slotPath, "{}")
	r.Header.Del("Authorization")
	p.send(r).says(401, `{"statusCode":401,"message":"Unauthorized"}`)
}

func TestSeedContentTypeIsJSON(t *testing.T) {
	p := newPlace(t)
	for kind, status := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 409, "text/plain": 415, "application/x-www-form-urlencoded": 415, "": 415,
	} {
		r := p.Request("POST", slotPath, `{"start":"2027-03-01T10:00:00Z"}`)
		r.Header.Set("Content-Type", kind)
		if a := p.send(r); a.Status != status && (status == 415 || a.Status != 200 && a.Status != 409) {
			t.Errorf("%q: %d %s", kind, a.Status, a.Raw)
		} else if status == 415 {
			a.says(415, `{"statusCode":415,"message":"Unsupported Media Type"}`)
		}
	}
}

func TestSeedOrganisationComesFromTheCredential(t *testing.T) {
	p := newPlace(t)
	id := p.block(fields{"organizationId": other}).id()
	if got := p.get(id).OrganizationID; got != demo {
		t.Errorf("organisation %s", got)
	}
	p.as(rival).do("GET", "/api/v1/appointments/"+id, "").want(404)
	p.as(rival).block(fields{"organizationId": demo, "calendarIds": []string{ada}}).forbidden()
	p.as(rival).block(fields{"calendarIds": []string{foreign}}).want(200)
}

func TestSeedStartIsRequiredAndUTCAndInTheFuture(t *testing.T) {
	p := newPlace(t)
	for name, start := range map[string]any{
		"absent": absent, "null": nil, "number": 1, "empty": "", "words": "tomorrow", "date": "2027-03-01", "no zone": "2027-03-01T10:00:00",
		"other offset": "2027-03-01T10:00:00+01:00", "other zero": "2027-03-01T10:00:00-00:00", "basic": "20270301T100000Z",
		"short hour": "2027-03-01T9:00:00Z", "no such day": "2027-02-30T10:00:00Z", "no such hour": "2027-03-01T25:00:00Z",
		"empty fraction": "2027-03-01T10:00:00.Z", "far": "9500-01-01T00:00:00Z", "zone twice": "2027-03-01T10:00:00Z+00:00",
		"past": "2027-02-20T06:59:59Z", "now, fraction cut": "2027-02-20T07:00:00.900Z",
	} {
		t.Run(name, func(t *testing.T) {
			q := *p
			q.T = t
			q.block(fields{"start": start, "end": absent}).faults("start")
		})
	}
	for start, end := range map[string]string{
		"2027-03-01T10:00:00Z":        "2027-03-01T10:30:00Z",
		"2027-03-02T10:00:00+00:00":   "2027-03-02T10:30:00+00:00",
		"2027-03-03T10:00Z":           "2027-03-03T10:30Z",
		"2027-03-04T10:00:00.123456Z": "2027-03-04T10:30:00.999Z",
		"2027-03-05T10:00:00,5Z":      "2027-03-05T10:30:00,5Z",
	} {
		id := p.block(fields{"start": start, "end": end}).id()
		if got := p.get(id); got.Start != start[:16]+":00.000Z" || got.End != end[:16]+":00.000Z" {
			t.Errorf("%s became %s, %s became %s", start, got.Start, end, got.End)
		}
	}
}

func TestSeedEndIsOptionalAndUTCAndAfterStart(t *testing.T) {
	p := newPlace(t)
	order := `{"statusCode":400,"message":"Invalid input","errors":[{"field":"end","message":"end time must be after start time"}]}`
	p.block(fields{"end": "2027-03-01T09:00:00Z"}).says(400, order)
	p.block(fields{"end": "2027-03-01T10:00:00Z"}).says(400, order)
	p.block(fields{"end": "2027-03-01T10:00:00.9Z"}).says(400, order)
	for _, end := range []any{"2027-03-01T12:00:00", "2027-03-01T12:00:00+01:00", 5, "later", true, []string{}} {
		p.block(fields{"end": end}).faults("end")
	}
	p.block(fields{"end": "2027-03-01T10:00:01Z"}).want(200)
	p.block(fields{"start": "2027-03-02T10:00:00Z", "end": absent}).want(200)
	p.block(fields{"start": "2027-03-03T10:00:00Z", "end": nil, "calendarIds": []string{bob}}).want(200)
}

func TestSeedEachCalendarIDIsAValidUUID(t *testing.T) {
	p := newPlace(t)
	for _, bad := range []any{
		"ada", ada, 5, true, fields{}, []any{"x"}, []any{ada, ""}, []any{nil}, []any{ada + "0"}, []any{"{" + ada + "}"}, []any{strings.ReplaceAll(ada, "-", "")}, []any{1},
	} {
		p.block(fields{"calendarIds": bad}).faults("calendarIds")
	}
	p.block(fields{"calendarIds": []any{"x", ada, "y"}}).faults("calendarIds", "calendarIds")
	p.block(fields{"calendarIds": []any{strings.ToUpper(ada)}}).want(200)
}

func TestSeedCalendarIDsAreOptional(t *testing.T) {
	p := newPlace(t)
	for i, none := range []any{absent, nil, []string{}} {
		start := time.Date(2027, 4, 1+i, 10, 0, 0, 0, time.UTC)
		id := p.block(fields{"calendarIds": none, "start": start, "end": start.Add(time.Hour)}).id()
		if p.stored(demo)[id+".ics"] == "" {
			t.Errorf("%v: not in the organisation's own calendar", none)
		}
	}
}

func TestSeedTextsAndOriginAreOptional(t *testing.T) {
	p := newPlace(t)
	id := p.block(fields{
		"title": "Maintenance", "description": "Two\nlines; with, marks\\", "origin": "web", "externalId": "EXT-1",
		"extraFields": fields{"reason": "boiler", "n": fields{"a": []int{1, 2}}}, "lang": "es-MX", "serviceId": massage,
	}).id()
	got := p.get(id)
	if got.Title != "Maintenance" || got.Description != "Two\nlines; with, marks\\" || got.Origin != "web" || got.ExternalID != "EXT-1" ||
		string(got.ExtraFields) != `{"n":{"a":[1,2]},"reason":"boiler"}` || got.Lang != "es-MX" || got.ServiceID != massage {
		t.Errorf("%+v", got)
	}
}

func TestSeedAnswerIsTheID(t *testing.T) {
	p := newPlace(t)
	a := p.block(fields{"calendarIds": []string{ada, bob, room}}).want(200)
	if !regexp.MustCompile(`^\{"id":"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"\}\n$`).MatchString(a.Raw) {
		t.Error(a.Raw)
	}
	if ct := a.Header.Get("Content-Type"); ct != "application/json" {
		t.Error(ct)
	}
}

func TestSeedConflictIs409(t *testing.T) {
	p := newPlace(t)
	p.block(nil).want(200)
	p.block(nil).busy()
}

func TestSeedInvalidInputNamesTheFields(t *testing.T) {
	p := newPlace(t)
	p.do("POST", slotPath, `{"start": 1, "end": 2, "calendarIds": 3, "title": 4, "description": 5, "origin": 6, "externalId": 7,
		"extraFields": 8, "lang": 9, "serviceId": 10}`).
		faults("start", "end", "calendarIds", "title", "description", "origin", "externalId", "extraFields", "lang", "serviceId")
	p.do("POST", slotPath, `{}`).says(400, `{"statusCode":400,"message":"Invalid input","errors":[{"field":"start","message":"is required"}]}`)
}

func TestSeedInsufficientPermissions(t *testing.T) {
	p := newPlace(t)
	p.as(viewer).block(nil).forbidden()
	p.as(cleaner).block(nil).forbidden()
}

func TestSeedOnlyPOSTBlocks(t *testing.T) {
	p := newPlace(t)
	for _, method := range []string{"PUT", "PATCH"} {
		w := httptest.NewRecorder()
		p.API.ServeHTTP(w, httptest.NewRequest(method, slotPath, nil))
		if w.Code != 405 || w.Header().Get("Allow") == "" || strings.TrimSpace(w.Body.String()) != `{"statusCode":405,"message":"Method Not Allowed"}` {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
}
