package house

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/store"
)

// held makes a hold and gives its path.
func (p *place) held(body string) string {
	p.t.Helper()
	return p.as(writer).do("POST", "/v1/holds", body).want(201).Header().Get("Location")
}

const (
	bobAtTwo  = `{"resources": ["bob"], "start": "2027-03-01T13:00:00Z", "end": "2027-03-01T14:00:00Z"}`
	bobEvents = "/v1/calendars/bob/events"
)

func TestConfirmMakesAnEventOfAHold(t *testing.T) {
	p := openPlace(t)
	hold := p.held(`{"resources": ["room-1", "bob"], "service": "Massage", "start": "2027-03-01T13:00:00Z"}`)
	as := p.as(writer)
	made := as.do("POST", hold+"/confirm", `{"title": "Ben", "zone": "Europe/Berlin", "start": "2027-03-01T14:00:00+01:00", "resources": ["bob", "room-1"]}`).want(201)
	var e CalendarEvent
	location := made.into(&e).Header().Get("Location")
	if *e.Title != "Ben" || e.Start != "2027-03-01T14:00:00+01:00" || *e.End != "2027-03-01T15:00:00+01:00" || *e.Service != massage ||
		e.BufferBefore != nil || *e.BufferAfter != "PT15M" || e.Kind != "event" || e.Status != "confirmed" {
		t.Errorf("%+v", e)
	}
	if got := as.get(location).want(200); got.Body.String() != made.Body.String() || got.Header().Get("ETag") != made.Header().Get("ETag") {
		t.Errorf("was answered as %s, is %s", made.Body, got.Body)
	}
	for _, owner := range []string{"bob", "room-1"} {
		as.get("/v1/calendars/" + owner + "/events/" + e.ID).want(200)
		text := p.textOf(owner, e.UID)
		for _, line := range []string{"X-DAYBOOK-SERVICE-ID:" + massage, "X-DAYBOOK-BUFFER-AFTER:PT15M", "DTSTART;TZID=Europe/Berlin:20270301T140000", "SUMMARY:Ben"} {
			if !strings.Contains(text, "\n"+line+"\r\n") {
				t.Errorf("%s: no %s in\n%s", owner, line, text)
			}
		}
	}
	as.get(hold).want(404)
	as.do("POST", hold+"/confirm", `{}`).want(404)

	var o Openings
	as.get("/v1/resources/bob/openings?from=2027-03-01T12:00:00Z&to=2027-03-01T16:00:00Z").want(200).into(&o)
	if len(o.Items) != 2 || !o.Items[0].End.Equal(now.Add(6*time.Hour)) || !o.Items[1].Start.Equal(now.Add(7*time.Hour+15*time.Minute)) {
		t.Errorf("%+v", o.Items)
	}
	var audit struct{ Items []store.Event }
	p.get("/v1/audit?what=event.created&limit=2").want(200).into(&audit)
	if len(audit.Items) != 2 || audit.Items[0].API != Name || audit.Items[0].Actor.Credential != writer {
		t.Errorf("%+v", audit)
	}
}

func TestConfirmIsForThoseWhoMayWriteAllResources(t *testing.T) {
	p := openPlace(t)
	hold := p.held(bobAtTwo)
	p.as(reader).do("POST", hold+"/confirm", `{}`).want(403)
	p.as(busy).do("POST", hold+"/confirm", `{}`).want(404)
	p.as(rival).do("POST", hold+"/confirm", `{}`).want(404)
	p.as(writer).do("POST", "/v1/holds/nothing/confirm", `{}`).want(404)
	p.as(writer).get(hold).want(200)
}

func TestWhatIsConfirmedIsWhatWasHeld(t *testing.T) {
	p := openPlace(t)
	hold := p.held(`{"resources": ["bob"], "service": "Massage", "start": "2027-03-01T13:00:00Z"}`)
	for field, body := range map[string]string{
		"start":         `{"start": "2027-03-01T13:30:00Z"}`,
		"end":           `{"end": "2027-03-01T15:00:00Z"}`,
		"service_id":    `{"service_id": "another"}`,
		"buffer_before": `{"buffer_before": "PT5M"}`,
		"buffer_after":  `{"buffer_after": "PT5M"}`,
		"resources":     `{"resources": ["bob", "room-1"]}`,
		"resources.0":   `{"resources": ["eve"]}`,
		"conflict":      `{"conflict": "allow"}`,
		"recurrence":    `{"recurrence": {"rrule": "FREQ=DAILY;COUNT=2"}}`,
		"open_ended":    `{"open_ended": true}`,
		"color":         `{"color": "red"}`,
	} {
		got := p.as(writer).do("POST", hold+"/confirm", body).want(422)
		if !strings.Contains(got.Body.String(), `"field":"`+field+`"`) {
			t.Errorf("%s: %s", body, got.Body)
		}
	}
	if n := len(p.stored("bob")); n != 0 {
		t.Errorf("%d events were written", n)
	}
	p.as(writer).do("POST", hold+"/confirm?dry_run=true", `{}`).want(200)
	p.as(writer).get(hold).want(200)
	p.as(writer).do("POST", hold+"/confirm", `{"start": "2027-03-01T13:00:00Z", "end": "2027-03-01T15:00:00+01:00", "service_id": "`+massage+`", "buffer_after": "PT15M", "conflict": "refuse"}`).want(201)
}

func TestAHoldThatHasEndedIsNotConfirmed(t *testing.T) {
	p := openPlace(t)
	ended, released := p.held(bobAtTwo), p.held(`{"resources": ["room-1"], "start": "2027-03-01T13:00:00Z", "end": "2027-03-01T14:00:00Z"}`)
	p.as(writer).do("DELETE", released, "").want(204)
	p.as(writer).do("POST", released+"/confirm", `{}`).want(404)
	p.at(now.Add(defaultHold))
	p.as(writer).do("POST", ended+"/confirm", `{}`).want(404)
	if n := len(p.stored("bob")) + len(p.stored("room-1")); n != 0 {
		t.Errorf("%d events were written", n)
	}
}

// What came in spite of the hold refuses it: then the hold stays, and nothing
// is written in any of its calendars.
func TestConfirmIsRefusedWhereTimeWasTakenMeanwhile(t *testing.T) {
	p := openPlace(t)
	hold := p.held(`{"resources": ["bob", "room-1"], "start": "2027-03-01T13:00:00Z", "end": "2027-03-01T14:00:00Z"}`)
	p.object("room-1", "phone", "BEGIN:VEVENT\nUID:phone\nDTSTAMP:20270101T000000Z\nSUMMARY:From a phone\nDTSTART:20270301T133000Z\nDURATION:PT1H\nEND:VEVENT\n")
	var problem struct{ Reasons []Reason }
	p.as(writer).do("POST", hold+"/confirm", `{}`).want(409).into(&problem)
	if len(problem.Reasons) != 1 || problem.Reasons[0].Kind != "event" || problem.Reasons[0].Event.Title != "From a phone" || problem.Reasons[0].Resource.Name != "room-1" {
		t.Errorf("%+v", problem)
	}
	p.as(writer).get(hold).want(200)
	if n := len(p.stored("bob")); n != 0 {
		t.Errorf("%d events were written", n)
	}
	p.as(writer).do("POST", hold+"/confirm", `{"busy": false}`).want(201) // it takes no time

	// Another hold counts, too.
	first := p.held(`{"resources": ["ada"], "start": "2027-03-01T13:00:00Z", "end": "2027-03-01T14:00:00Z"}`)
	p.update(func(tx *store.Tx) error {
		return tx.AddHold(&store.Hold{
			Org: p.ids["demo"], Resources: []store.PrincipalID{p.ids["ada"]},
			Start: now.Add(6*time.Hour + 30*time.Minute), End: now.Add(8 * time.Hour), Expires: now.Add(time.Minute),
		})
	})
	p.as(writer).do("POST", first+"/confirm", `{}`).want(409).into(&problem)
	if len(problem.Reasons) != 1 || problem.Reasons[0].Kind != "hold" {
		t.Errorf("%+v", problem)
	}
}

// Several may be at once, as many as the service takes; and a hold that was
// given beside a neighbour's buffer can be confirmed.
func TestConfirmByTheRulesOfTheService(t *testing.T) {
	p := openPlace(t)
	class := &store.Service{Org: p.ids["demo"], UUID: uuid.MustParse("0197f3c2-0000-7000-8000-0000000000e2"), Name: "Class", Length: time.Hour, Capacity: 2, Confirm: true}
	p.update(func(tx *store.Tx) error { return tx.PutService(class) })
	const ask = `{"resources": ["bob"], "service": "Class", "start": "2027-03-01T13:00:00Z"}`
	first, second := p.held(ask), p.held(ask)
	p.as(writer).do("POST", "/v1/holds", ask).want(409)
	var e CalendarEvent
	if p.as(writer).do("POST", first+"/confirm", `{}`).want(201).into(&e); e.Status != "tentative" {
		t.Errorf("%+v", e)
	}
	if p.as(writer).do("POST", second+"/confirm", `{"status": "confirmed"}`).want(201).into(&e); e.Status != "confirmed" {
		t.Errorf("%+v", e)
	}
	p.as(writer).do("POST", "/v1/holds", ask).want(409)

	p.do("POST", "/v1/calendars/room-1/events", `{"start": "2027-03-01T14:15:00Z", "end": "2027-03-01T15:00:00Z", "buffer_before": "PT15M"}`).want(201)
	beside := p.held(`{"resources": ["room-1"], "service": "Massage", "start": "2027-03-01T13:00:00Z"}`) // both keep the same quarter free
	p.as(writer).do("POST", beside+"/confirm", `{}`).want(201)

	// The service is gone when the hold is confirmed: what was held counts.
	orphan := p.held(`{"resources": ["bob"], "service": "Class", "start": "2027-03-01T15:00:00Z"}`)
	p.do("DELETE", "/v1/services/Class", "").want(204)
	if p.as(writer).do("POST", orphan+"/confirm", `{}`).want(201).into(&e); *e.Service != class.UUID.String() {
		t.Errorf("%+v", e)
	}
}

// An event that must not conflict is written wherever slots offer the time: of a
// service for several as many as there may be, and beside another with which it
// shares nothing but what both keep free.
func TestEventsThatRefuseConflictsFollowTheService(t *testing.T) {
	p := openPlace(t)
	class := &store.Service{Org: p.ids["demo"], UUID: uuid.MustParse("0197f3c2-0000-7000-8000-0000000000e2"), Name: "Class", Length: time.Hour, Capacity: 2, BufferBefore: 10 * time.Minute, BufferAfter: 10 * time.Minute}
	p.update(func(tx *store.Tx) error { return tx.PutService(class) })
	write := func(start, end, more string) *answer {
		return p.do("POST", "/v1/calendars/bob/events", `{"conflict": "refuse", "start": "2027-03-02T`+start+`:00Z", "end": "2027-03-02T`+end+`:00Z"`+more+`}`)
	}
	booked := `, "service_id": "` + class.UUID.String() + `", "buffer_before": "PT10M", "buffer_after": "PT10M"`
	write("10:00", "11:00", booked).want(201)
	write("11:10", "12:00", booked).want(201)
	write("10:00", "11:00", "").want(409)
	write("10:00", "11:00", booked).want(201)
	var problem struct{ Conflicts []Conflict }
	if write("10:30", "11:30", booked).want(409).into(&problem); len(problem.Conflicts) != 3 {
		t.Errorf("%+v", problem)
	}
	write("12:15", "13:00", `, "buffer_before": "PT15M"`).want(201) // until 12:10 the class keeps it free
	p.do("POST", "/v1/calendars/bob/blocks", `{"start": "2027-03-02T15:00:00Z", "end": "2027-03-02T16:00:00Z", "service_id": "`+class.UUID.String()+`"}`).want(201)
	write("15:00", "16:00", booked).want(409)
	p.held(`{"resources": ["bob"], "service": "Class", "start": "2027-03-02T08:30:00Z", "ignore_hours": true}`)
	write("08:30", "09:30", booked).want(201)
	write("08:30", "09:30", booked).want(409)
	var e CalendarEvent // one that is moved is not in its own way
	write("17:00", "18:00", booked).want(201).into(&e)
	write("17:00", "18:00", booked).want(201)
	p.do("PATCH", "/v1/calendars/bob/events/"+e.ID, `{"conflict": "refuse", "title": "x", "end": "2027-03-02T18:30:00Z"}`).want(200)
}

// Of many who confirm one hold at once, one gets the event.
func TestOneOfManyConfirmsTheHold(t *testing.T) {
	p := openPlace(t)
	hold := p.held(bobAtTwo)
	const askers = 50
	var all sync.WaitGroup
	status := make([]int, askers)
	for i := range askers {
		all.Go(func() { status[i] = p.as(writer).do("POST", hold+"/confirm", `{"title": "Ben"}`).Code })
	}
	all.Wait()
	slices.Sort(status)
	if status[0] != 201 || status[1] != 404 || status[askers-1] != 404 || len(p.stored("bob")) != 1 {
		t.Errorf("%v", status)
	}
}

func TestConfirmOnceForAKey(t *testing.T) {
	p := openPlace(t)
	hold := p.held(bobAtTwo)
	as := p.as(writer).with("Idempotency-Key", "k1")
	first := as.do("POST", hold+"/confirm", `{}`).want(201)
	again := as.do("POST", hold+"/confirm", `{}`).want(201)
	if first.Body.String() != again.Body.String() || again.Header().Get("Idempotency-Replayed") != "true" || again.Header().Get("Location") != first.Header().Get("Location") {
		t.Errorf("%s, then %s", first.Body, again.Body)
	}
	if n := len(p.starts(bobEvents + "?from=2027-03-01&to=2027-03-01")); n != 1 {
		t.Errorf("%d events", n)
	}
}
