package onlive

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"daybook/api/apitest"
	"daybook/store"
)

func TestInferredTitleIsBlockedByDefault(t *testing.T) {
	p := newPlace(t)
	id := p.block(fields{"title": ""}).id()
	if got := p.get(id); got.Title != "Blocked" {
		t.Errorf("%+v", got)
	}
	ics := p.stored(ada)[id+".ics"]
	for _, line := range []string{"SUMMARY:Blocked", "X-DAYBOOK-UNTITLED:TRUE", "CATEGORIES:BLOCK", "TRANSP:OPAQUE", "DTSTART:20270301T100000Z", "DTEND:20270301T110000Z", "UID:" + id} {
		if !strings.Contains(ics, "\n"+line+"\n") {
			t.Errorf("no %s in %s", line, ics)
		}
	}
}

func TestInferredNullIsAbsentAndUnknownFieldsAreIgnored(t *testing.T) {
	p := newPlace(t)
	p.do("POST", slotPath, `{"start": "2027-03-01T10:00:00Z", "end": null, "calendarIds": null, "title": null, "description": null, "origin": null,
		"externalId": null, "extraFields": null, "lang": null, "serviceId": null, "guests": [{"email": 5}], "Start": 7}`).want(200)
}

func TestInferredLang(t *testing.T) {
	p := newPlace(t)
	good := []string{"en", "es-MX", "zh-Hant-TW", "sr-Latn-RS", "de-CH-1901", "sl-rozaj-biske", "es-419", "en-US-u-islamcal", "de-CH-x-phonebk", "x-whatever", "EN-us", "qaa-Qaaa-QM", "i-klingon", "en-GB-oed"}
	for i, tag := range good {
		id := p.block(fields{"lang": tag, "start": fmt.Sprintf("2027-03-%02dT10:00:00Z", i+1), "end": fmt.Sprintf("2027-03-%02dT11:00:00Z", i+1)}).id()
		if got := p.get(id).Lang; got != tag {
			t.Errorf("%s became %s", tag, got)
		}
	}
	for _, tag := range []any{"", "e", "es_MX", "en-", "-en", "english language", "en-x", "en--US", "en-US-", "a-DE", "de-419-DE", "en\n", 5, fields{}} {
		p.block(fields{"lang": tag}).faults("lang")
	}
}

func TestInferredServiceID(t *testing.T) {
	p := newPlace(t)
	for _, bad := range []any{"x", "", 5, []string{massage}, strings.ReplaceAll(massage, "-", "")} {
		p.block(fields{"serviceId": bad}).faults("serviceId")
	}
	id := p.block(fields{"serviceId": strings.ToUpper(unknown)}).id()
	if got := p.get(id).ServiceID; got != strings.ToUpper(unknown) {
		t.Errorf("kept as %s", got)
	}
}

func TestInferredExtraFieldsAreAnyObject(t *testing.T) {
	p := newPlace(t)
	for _, bad := range []any{[]int{1}, "x", 5, true} {
		p.block(fields{"extraFields": bad}).faults("extraFields")
	}
	p.block(fields{"extraFields": fields{"x": strings.Repeat("x", maxExtra)}}).faults("extraFields")
	for i, good := range []string{`{}`, `{"a":{"b":[null,true,1.50,"\u0000\n\u007f,;\\ ü"]}}`} {
		raw := fmt.Sprintf(`{"start":"2027-03-0%dT10:00:00Z","end":"2027-03-0%dT11:00:00Z","extraFields": %s}`, i+1, i+1, good)
		id := p.do("POST", slotPath, raw).id()
		if got := p.get(id).ExtraFields; string(got) != good {
			t.Errorf("%s became %s", good, got)
		}
	}
	id := p.do("POST", slotPath, "{\"start\":\"2027-04-01T10:00:00Z\",\"extraFields\":{ \"a\" : \"\x7f\" } }").id()
	if got := p.get(id).ExtraFields; string(got) != `{"a":"\u007f"}` {
		t.Errorf("%s", got)
	}
}

func TestTextsThatCannotBeStoredAreRefused(t *testing.T) {
	p := newPlace(t)
	for _, field := range []string{"title", "description", "origin", "externalId"} {
		p.block(fields{field: "a\x00b"}).faults(field)
		p.block(fields{field: strings.Repeat("ü", maxDescription+1)}).faults(field)
		p.block(fields{field: []string{"a"}}).faults(field)
	}
	many := make([]string, maxCalendars+1)
	for i := range many {
		many[i] = fmt.Sprintf("0197f3c2-0000-7000-8000-%012d", i)
	}
	p.block(fields{"calendarIds": many}).faults("calendarIds")
}

func TestInferredAllFaultsAreToldAtOnce(t *testing.T) {
	p := newPlace(t)
	p.block(fields{"start": "2020-01-01T00:00:00Z", "end": "2019-01-01T00:00:00Z", "lang": "?", "title": 5, "calendarIds": []any{"x", "y"}}).
		faults("start", "end", "lang", "title", "calendarIds", "calendarIds")
	// They are told in the order of the contract's table, whoever found them.
	a := p.block(fields{"start": "2020-01-01T00:00:00Z", "end": "2019-01-01T00:00:00Z", "serviceId": "x", "title": 5, "calendarIds": "x"})
	if got := strings.Join(regexp.MustCompile(`"field":"\w+"`).FindAllString(a.Raw, -1), " "); got !=
		`"field":"start" "field":"end" "field":"calendarIds" "field":"title" "field":"serviceId"` {
		t.Error(got)
	}
}

func TestInferredMalformedJSONHasNoErrors(t *testing.T) {
	p := newPlace(t)
	for _, body := range []string{`{`, `[]`, `"x"`, `null`, `5`, `{"start":}`, `{} {}`, "\xff", `{"start":"a","start":"b"}`, strings.Repeat("[", 100)} {
		p.do("POST", slotPath, body).says(400, `{"statusCode":400,"message":"Invalid input","errors":[]}`)
	}
	r := p.Request("POST", slotPath, "")
	r.Header.Set("Content-Type", "application/json")
	p.send(r).says(400, `{"statusCode":400,"message":"Invalid input","errors":[]}`)
}

func TestInferredCalendarIsAnyResource(t *testing.T) {
	p := newPlace(t)
	ids := []string{room, ada, desk, ada, room}
	id := p.block(fields{"calendarIds": ids}).id()
	if got := p.get(id).CalendarIDs; !slices.Equal(got, []string{room, ada, desk}) {
		t.Errorf("got %v", got)
	}
	for _, owner := range []string{room, ada, desk} {
		if got := p.stored(owner); len(got) != 1 || got[id+".ics"] == "" {
			t.Errorf("%s has %v", owner, got)
		}
	}
	p.check()
}

func TestInferredUnknownCalendarLooksLikeAForeignOne(t *testing.T) {
	p := newPlace(t)
	for _, id := range []string{unknown, foreign, demo, other, "0197f3c2-0000-7000-8000-0000000000f1", massage} {
		p.block(fields{"calendarIds": []string{ada, id}}).forbidden()
	}
	if got := p.stored(ada); len(got) != 0 {
		t.Errorf("something was written: %v", got)
	}
	p.as(porter).block(nil).forbidden()
	p.as(porter).block(fields{"calendarIds": absent}).forbidden()
	p.as(porter).block(fields{"calendarIds": []string{room}}).want(200)
}

func TestInferredWithoutCalendarsTheServiceSaysWhich(t *testing.T) {
	p := newPlace(t)
	id := p.block(fields{"calendarIds": absent, "serviceId": massage}).id()
	if got := p.get(id).CalendarIDs; !slices.Equal(got, []string{ada, room}) {
		t.Errorf("got %v", got)
	}
	// A service that all resources offer means the organisation's own calendar,
	// and there nothing is in the way.
	id = p.block(fields{"calendarIds": []string{}, "serviceId": visit}).id()
	if got := p.get(id).CalendarIDs; len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestInferredOwnCalendarTakesTheTimeOfAllResources(t *testing.T) {
	p := newPlace(t)
	id := p.block(fields{"calendarIds": absent, "serviceId": unknown}).id()
	if got := p.get(id); len(got.CalendarIDs) != 0 || got.CalendarIDs == nil {
		t.Errorf("%+v", got)
	}
	for _, owner := range []string{ada, bob, room, desk} {
		p.block(fields{"calendarIds": []string{owner}}).busy()
	}
	p.as(rival).block(fields{"calendarIds": absent}).want(200)
}

func TestInferredWithoutEndTheServiceSaysHowLong(t *testing.T) {
	p := newPlace(t)
	id := p.block(fields{"end": absent, "serviceId": massage}).id()
	if got := p.get(id); got.End != "2027-03-01T10:45:00.000Z" {
		t.Errorf("%+v", got)
	}
	p.block(fields{"start": "2027-03-01T10:45:00Z", "end": "2027-03-01T11:00:00Z"}).want(200)
}

func TestInferredWithoutEndItIsEndless(t *testing.T) {
	p := newPlace(t)
	id := p.block(fields{"end": absent, "serviceId": visit}).id()
	a := p.do("GET", "/api/v1/appointments/"+id, "").want(200)
	if strings.Contains(a.Raw, `"end"`) {
		t.Error(a.Raw)
	}
	ics := p.stored(ada)[id+".ics"]
	if !strings.Contains(ics, "\nDTEND:20370301T100000Z\n") || !strings.Contains(ics, "\nX-DAYBOOK-OPEN-ENDED:TRUE\n") {
		t.Error(ics)
	}
	for _, start := range []string{"2027-03-01T10:00:00Z", "2030-01-01T00:00:00Z", "2045-06-01T00:00:00Z", "2999-01-01T00:00:00Z"} {
		p.block(fields{"start": start, "end": start[:11] + "23:59:00Z"}).busy()
	}
	p.block(fields{"start": "2060-01-01T00:00:00Z", "end": absent}).busy()
	p.block(fields{"start": "2027-03-01T09:00:00Z", "end": "2027-03-01T10:00:00Z"}).want(200)
	p.block(fields{"start": "2027-03-01T08:00:00Z", "end": absent}).busy()
	p.do("DELETE", "/api/v1/appointments/"+id, "").want(200)
	p.block(fields{"start": "2045-06-01T00:00:00Z", "end": "2045-06-01T01:00:00Z"}).want(200)
	p.block(fields{"start": "2045-06-01T01:00:00Z", "end": absent}).want(200)
	p.check()
}

// A client that gives an endless block an end ends it.
func TestClientEndsAnEndlessBlock(t *testing.T) {
	p := newPlace(t)
	id := p.block(fields{"end": absent}).id()
	ics := strings.Replace(p.stored(ada)[id+".ics"], "DTEND:20370301T100000Z", "DTEND:20270301T120000Z", 1)
	p.Put(ada, id+".ics", ics)
	if got := p.get(id); got.End != "2027-03-01T12:00:00.000Z" {
		t.Errorf("%+v", got)
	}
	p.block(fields{"start": "2027-03-01T12:00:00Z", "end": "2045-03-01T13:00:00Z"}).want(200)
}

func TestInferredConflictWithWhatTakesTime(t *testing.T) {
	p := newPlace(t)
	for i, c := range []struct {
		name, owner string
		lines       []string
		busy        bool
	}{
		{"an event", ada, []string{"DTSTART:20270301T103000Z", "DURATION:PT5M"}, true},
		{"a zoned event", ada, []string{"DTSTART;TZID=Europe/Berlin:20270301T113000", "DURATION:PT5M"}, true},
		{"a floating event", ada, []string{"DTSTART:20270301T113000", "DURATION:PT5M"}, true},
		{"a whole day", ada, []string{"DTSTART;VALUE=DATE:20270301"}, true},
		{"an instance", ada, []string{"DTSTART:20270201T103000Z", "DURATION:PT5M", "RRULE:FREQ=WEEKLY"}, true},
		{"an instance that is out", ada, []string{"DTSTART:20270201T103000Z", "DURATION:PT5M", "RRULE:FREQ=WEEKLY", "EXDATE:20270301T103000Z"}, false},
		{"a closure", demo, []string{"DTSTART:20270301T103000Z", "DURATION:PT5M"}, true},
		{"transparent", ada, []string{"DTSTART:20270301T103000Z", "DURATION:PT5M", "TRANSP:TRANSPARENT"}, false},
		{"cancelled", ada, []string{"DTSTART:20270301T103000Z", "DURATION:PT5M", "STATUS:CANCELLED"}, false},
		{"tentative", ada, []string{"DTSTART:20270301T103000Z", "DURATION:PT5M", "STATUS:TENTATIVE"}, true},
		{"somebody else's", bob, []string{"DTSTART:20270301T103000Z", "DURATION:PT5M"}, false},
		{"ends when it begins", ada, []string{"DTSTART:20270301T090000Z", "DURATION:PT1H"}, false},
		{"begins when it ends", ada, []string{"DTSTART:20270301T110000Z", "DURATION:PT1H"}, false},
		{"its buffer", ada, []string{"DTSTART:20270301T110000Z", "DURATION:PT1H", "X-DAYBOOK-BUFFER-BEFORE:PT1M"}, true},
		{"no length", ada, []string{"DTSTART:20270301T103000Z"}, false},
		{"around it", ada, []string{"DTSTART:20270101T000000Z", "DTEND:20280101T000000Z"}, true},
	} {
		uid := fmt.Sprint("event-", i)
		p.Put(c.owner, uid+".ics", apitest.Event(uid, c.lines...))
		switch a := p.block(nil); {
		case c.busy && a.Status != 409, !c.busy && a.Status != 200:
			t.Errorf("%s: %d %s", c.name, a.Status, a.Raw)
		case !c.busy:
			p.do("DELETE", "/api/v1/appointments/"+a.id(), "").want(200)
		}
		p.Update(func(tx *store.Tx) error {
			col, err := apitest.CollectionOf(&tx.View, c.owner)
			if err != nil {
				return err
			}
			return tx.DeleteObject(store.System(), col, uid+".ics", store.Cond{})
		})
	}
	p.check()
}

func TestInferredAllOrNothing(t *testing.T) {
	p := newPlace(t)
	p.block(fields{"calendarIds": []string{room}}).want(200)
	p.block(fields{"calendarIds": []string{ada, bob, room}}).busy()
	if len(p.stored(ada))+len(p.stored(bob)) != 0 {
		t.Error("a part was written")
	}
}

func TestInferredBlocksMayTouch(t *testing.T) {
	p := newPlace(t)
	p.block(nil).want(200)
	p.block(fields{"start": "2027-03-01T11:00:00Z", "end": "2027-03-01T12:00:00Z"}).want(200)
	p.block(fields{"start": "2027-03-01T09:00:00Z", "end": "2027-03-01T10:00:00Z"}).want(200)
	p.block(fields{"start": "2027-03-01T08:00:00Z", "end": "2027-03-01T09:00:01Z"}).busy()
}

// [inferred] Time outside working hours can be blocked.
func TestInferredHoursAreNotLookedAt(t *testing.T) {
	p := newPlace(t)
	p.Put(ada, "hours.ics", "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//T//T//EN\nBEGIN:VAVAILABILITY\nUID:hours\nDTSTAMP:20270101T000000Z\n"+
		"BEGIN:AVAILABLE\nUID:a\nDTSTAMP:20270101T000000Z\nDTSTART:20270101T080000Z\nDTEND:20270101T090000Z\nRRULE:FREQ=DAILY\nEND:AVAILABLE\nEND:VAVAILABILITY\nEND:VCALENDAR\n")
	p.block(nil).want(200)
}

func TestOfFiftyEqualRequestsAtOnceOneIsAnswered200(t *testing.T) {
	p := newPlace(t)
	for name, body := range map[string]fields{
		"in two calendars":         {"calendarIds": []string{ada, room}},
		"in the own calendar":      {"calendarIds": absent, "start": "2027-03-02T10:00:00Z", "end": "2027-03-02T11:00:00Z"},
		"endless":                  {"calendarIds": []string{bob}, "start": "2027-03-03T10:00:00Z", "end": absent},
		"different external ids":   {"calendarIds": []string{desk}, "externalId": "one for each"},
		"one external id, all 200": {"calendarIds": []string{ada}, "start": "2027-03-04T10:00:00Z", "end": "2027-03-04T11:00:00Z", "externalId": "the same"},
	} {
		const n = 50
		answers := make([]answer, n)
		requests := make([]string, n)
		for i := range requests {
			full := fields{"start": "2027-03-01T10:00:00Z", "end": "2027-03-01T11:00:00Z"}
			maps.Copy(full, body)
			if full["externalId"] == "one for each" {
				full["externalId"] = fmt.Sprint("external ", i)
			}
			maps.DeleteFunc(full, func(_ string, v any) bool { return v == absent })
			requests[i] = apitest.JSON(t, full)
		}
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range n {
			wg.Go(func() {
				<-start
				answers[i] = p.do("POST", slotPath, requests[i])
			})
		}
		close(start)
		wg.Wait()
		made, ids := 0, map[string]bool{}
		for _, a := range answers {
			if a.Status == 200 {
				made++
				ids[a.id()] = true
				continue
			}
			a.busy()
		}
		want := 1
		if strings.HasSuffix(name, "all 200") {
			want = n
		}
		if made != want || len(ids) != 1 {
			t.Errorf("%s: %d times 200, %d blocks", name, made, len(ids))
		}
	}
	p.check()
}

func TestIdempotencyByExternalID(t *testing.T) {
	p := newPlace(t)
	two := fields{"externalId": "EXT-1", "calendarIds": []string{ada, room}}
	id := p.block(two).id()
	before := p.stored(ada)[id+".ics"]
	state := p.state(ada)
	if again := p.block(two).id(); again != id {
		t.Errorf("another id: %s", again)
	}
	if again := p.block(fields{"externalId": "EXT-1", "calendarIds": []string{room, ada, room}, "title": "another title"}).id(); again != id {
		t.Errorf("another id: %s", again)
	}
	if p.stored(ada)[id+".ics"] != before || p.state(ada) != state {
		t.Error("a repeat wrote something")
	}
	p.block(fields{"externalId": "EXT-1"}).busy()                                                                         // other calendars
	p.block(fields{"externalId": "EXT-1", "calendarIds": []string{ada, room}, "end": absent}).busy()                      // another end
	p.block(fields{"externalId": "EXT-2", "calendarIds": []string{ada, room}}).busy()                                     // another id
	p.block(fields{"calendarIds": []string{ada, room}}).busy()                                                            // none
	p.as(rival).block(fields{"externalId": "EXT-1", "calendarIds": []string{foreign}}).want(200)                          // another organisation
	second := p.block(fields{"externalId": "EXT-1", "start": "2027-03-02T10:00:00Z", "end": "2027-03-02T11:00:00Z"}).id() // a new request
	if second == id {
		t.Error("a different body got the same id")
	}
	if again := p.block(fields{"externalId": "EXT-1", "start": "2027-03-02T10:00:00.7Z", "end": "2027-03-02T11:00:00+00:00"}).id(); again != second {
		t.Error("the second is repeated too")
	}
	p.as(viewer).block(two).forbidden()
	p.do("DELETE", "/api/v1/appointments/"+id, "").want(200)
	if again := p.block(two).id(); again == id {
		t.Error("what was removed is no answer")
	}
	p.check()
}

func TestIdempotencyOfBlocksWithoutEnd(t *testing.T) {
	p := newPlace(t)
	endless := fields{"externalId": "E", "end": absent}
	id := p.block(endless).id()
	if again := p.block(endless).id(); again != id {
		t.Error(again)
	}
	p.block(fields{"externalId": "E", "end": "2037-03-01T10:00:00Z"}).busy()
	own := fields{"externalId": "own", "calendarIds": absent, "serviceId": visit, "start": "2027-02-21T00:00:00Z", "end": "2027-02-22T00:00:00Z"}
	if id := p.block(own).id(); id != p.block(own).id() {
		t.Error("in the own calendar")
	}
}

// clientMoves moves a block of ada's from one date to another, as a calendar
// client does.
func (p *place) clientMoves(id, from, to string) {
	p.Put(ada, id+".ics", strings.ReplaceAll(p.stored(ada)[id+".ics"], from+"T1", to+"T1"))
}

// What a calendar client has moved is not what was asked for.
func TestIdempotencyEndsWhenTheBlockIsMoved(t *testing.T) {
	p := newPlace(t)
	body := fields{"externalId": "EXT-1"}
	id := p.block(body).id()
	p.clientMoves(id, "20270301", "20270305")
	if got := p.get(id); got.Start != "2027-03-05T10:00:00.000Z" || got.ExternalID != "EXT-1" {
		t.Errorf("%+v", got)
	}
	if again := p.block(body).id(); again == id {
		t.Error("the moved block was taken for a repeat")
	}
	p.check()
}

func (p *place) state(owner string) (out store.State) {
	p.T.Helper()
	err := p.Store.View(p.T.Context(), func(v *store.View) error {
		c, err := apitest.CollectionOf(v, owner)
		if err != nil {
			return err
		}
		out, err = v.State(c)
		return err
	})
	if err != nil {
		p.T.Fatal(err)
	}
	return out
}

// [inferred] Order of checks: 401, 415, 400, 403, 409.
func TestInferredOrderOfChecks(t *testing.T) {
	p := newPlace(t)
	p.block(nil).want(200)
	bad := `{"start": "x", "calendarIds": ["` + unknown + `"]}`
	r := p.Request("POST", slotPath, bad)
	r.Header.Set("Content-Type", "text/plain")
	r.Header.Set("x-onlive-site-date", "x")
	p.send(r).want(401)
	r = p.Request("POST", slotPath, bad)
	r.Header.Set("Content-Type", "text/plain")
	p.send(r).want(415)
	p.as(viewer).do("POST", slotPath, bad).want(400)
	p.block(fields{"calendarIds": []string{ada, unknown}}).want(403)
	p.as(viewer).block(nil).want(403)
	p.block(nil).want(409)
}

func TestStartIsComparedWithTheClockToTheInstant(t *testing.T) {
	p := newPlace(t)
	p.block(fields{"start": now.Format(time.RFC3339)}).faults("start")
	p.block(fields{"start": now.Add(time.Second).Format(time.RFC3339)}).want(200)
}

// The answer to a request may be lost, and its start be past when it is sent
// again.
func TestIdempotencyOutlastsTheStart(t *testing.T) {
	p := newPlace(t)
	body := fields{"externalId": "EXT-1"}
	id := p.block(body).id()
	p.clientMoves(id, "20270301", "20270201")
	body["start"], body["end"] = "2027-02-01T10:00:00Z", "2027-02-01T11:00:00Z"
	if again := p.block(body).id(); again != id {
		t.Errorf("%s, not %s", again, id)
	}
	for name, change := range map[string]fields{
		"other end": {"end": "2027-02-01T11:30:00Z"}, "other id": {"externalId": "EXT-2"}, "no id": {"externalId": absent},
		"other calendar": {"calendarIds": []string{bob}}, "unknown calendar": {"calendarIds": []string{unknown}},
	} {
		for k, v := range body {
			if _, ok := change[k]; !ok {
				change[k] = v
			}
		}
		q := *p
		t.Run(name, func(t *testing.T) { q.T = t; q.block(change).faults("start") })
	}
	body["lang"] = 1
	p.block(body).faults("start", "lang")
}

func TestBlockSlotHasNoMethodsOfAppointments(t *testing.T) {
	p := newPlace(t)
	for _, method := range []string{"GET", "HEAD", "DELETE", "PUT"} {
		if a := p.do(method, slotPath, "").want(405); a.Header.Get("Allow") != "POST" {
			t.Error(method, a.Header)
		}
	}
}

// 9999 is what programs write for never.
func TestEndInTheLastYear(t *testing.T) {
	p := newPlace(t)
	id := p.block(fields{"end": "9999-12-31T23:59:59Z"}).id()
	if got := p.get(id); got.End != "9999-12-31T23:59:59.000Z" {
		t.Errorf("%+v", got)
	}
	p.block(fields{"start": "8999-03-01T10:00:00Z", "end": absent}).busy()
	p.do("DELETE", "/api/v1/appointments/"+id, "").want(200)
	p.check()
}
