package vastal

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/api/apitest"
	"daybook/store"
)

// patch changes an appointment; fields are further members of the body.
func (p *place) patch(id, fields string) answer {
	p.T.Helper()
	return p.do("PATCH", appointments, fmt.Sprintf(`{"id": %q%s}`, id, fields))
}

// [docs update-appointment] PATCH /calendar/appointments with the id in the body
// changes what was sent; a change of status sets its timestamp; 200
// {"appointment"}.
func TestPatchAnAppointment(t *testing.T) {
	p := newPlace(t)
	was := p.book(p.kind(""), "2027-03-01T09:00:00Z")
	p.clock.Set(start.Add(time.Hour))
	const later = "2027-02-20T08:00:00Z"
	for _, x := range []struct {
		fields string
		change func(*Appointment)
	}{
		{``, func(*Appointment) {}},
		{`, "internal_notes": "Great; follow-up\n, soon"`, func(a *Appointment) { a.InternalNotes = nullable("Great; follow-up\n, soon") }},
		{`, "client_email": "jane@example.com", "client_phone": "+1", "client_language": "de", "client_notes": "Late"`, func(a *Appointment) {
			a.ClientEmail, a.ClientPhone, a.ClientLanguage, a.ClientNotes = nullable("jane@example.com"), nullable("+1"), "de", nullable("Late")
		}},
		{`, "client_email": null, "client_phone": "", "client_language": null, "client_notes": null, "internal_notes": null`, func(a *Appointment) {
			a.ClientEmail, a.ClientPhone, a.ClientLanguage, a.ClientNotes, a.InternalNotes = nil, nil, "en", nil, nil
		}},
		{`, "client_name": "Jane Roe"`, func(a *Appointment) { a.ClientName = "Jane Roe" }},
		{`, "start_time": "2027-03-02T10:30:00+01:00"`, func(a *Appointment) {
			a.StartTime, a.EndTime = "2027-03-02T09:30:00Z", "2027-03-02T10:30:00Z"
		}},
		{`, "status": "completed"`, func(a *Appointment) { a.Status = "completed" }},
		{`, "status": "no_show"`, func(a *Appointment) { a.Status = "no_show" }},
		{`, "status": "cancelled"`, func(a *Appointment) { a.Status, a.CancelledAt = "cancelled", nullable(later) }},
		{`, "status": "pending"`, func(a *Appointment) { a.Status, a.CancelledAt, a.ConfirmedAt = "pending", nil, nil }},
		{`, "status": "confirmed", "appointment_type_id": "type_x", "more": 1`, func(a *Appointment) { a.Status, a.ConfirmedAt = "confirmed", nullable(later) }},
	} {
		x.change(&was)
		want := apitest.JSON(t, was)
		a := p.patch(was.ID, x.fields).want(200)
		if got := strings.TrimSpace(a.Raw); got != `{"appointment":`+want+`}` {
			t.Errorf("%s: got  %s\nwant %s", x.fields, got, want)
		}
		if got := strings.TrimSpace(p.do("GET", appointments, "").want(200).Raw); got != `{"appointments":[`+want+`]}` {
			t.Errorf("%s: listed  %s\nwant %s", x.fields, got, want)
		}
	}
	before := p.seq()
	p.patch(was.ID, `, "status": "confirmed", "client_name": "Jane Roe", "start_time": "2027-03-02T09:30:00Z"`).want(200)
	if p.seq() != before {
		t.Error("what is so already was written")
	}
}

// A change is one of the event that calendar clients have, and keeps their lines.
func TestPatchKeepsTheLinesOfTheEvent(t *testing.T) {
	p := newPlace(t)
	made := p.book(p.kind(""), "2027-03-01T09:00:00Z")
	name, data := p.only()
	p.calendar(name, strings.Replace(data, "END:VEVENT", "X-THEIRS:kept\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nDESCRIPTION:x\nEND:VALARM\nEND:VEVENT", 1))
	p.patch(made.ID, `, "status": "no_show", "client_name": "Jane Roe", "start_time": "2027-03-02T09:00:00Z"`).want(200)
	_, data = p.only()
	for _, line := range []string{
		"SUMMARY:Talk: Jane Roe", "STATUS:CONFIRMED", "X-DAYBOOK-SUBSTATUS:NOSHOW", "X-DAYBOOK-CLIENT-NAME:Jane Roe",
		"DTSTART;TZID=Europe/Berlin:20270302T100000", "DTEND;TZID=Europe/Berlin:20270302T110000", "X-THEIRS:kept", "TRIGGER:-PT5M",
	} {
		if !strings.Contains(data, "\n"+line+"\n") {
			t.Errorf("no %s in\n%s", line, data)
		}
	}
	p.calendar(name, strings.Replace(data, "SUMMARY:Talk: Jane Roe", "SUMMARY:Their title", 1))
	p.patch(made.ID, `, "client_name": "J", "status": "cancelled"`).want(200)
	if _, data = p.only(); !strings.Contains(data, "SUMMARY:Their title\n") || !strings.Contains(data, "STATUS:CANCELLED\n") || strings.Contains(data, "SUBSTATUS") {
		t.Error(data)
	}
}

// One instance of an appointment that a client made recurring is changed alone.
func TestPatchAnInstance(t *testing.T) {
	p := newPlace(t)
	made := p.book(p.kind(""), "2027-03-01T12:00:00Z")
	name, data := p.only()
	p.calendar(name, strings.Replace(data, "STATUS:CONFIRMED", "RRULE:FREQ=DAILY;COUNT=3\nSTATUS:CONFIRMED", 1))
	id := made.ID + "_20270302T120000Z"
	for range 2 { // the second time there is an override
		got := read[appointmentOut](p.patch(id, `, "status": "cancelled", "start_time": "2027-03-02T15:00:00Z"`)).Appointment
		if got.ID != id || got.Status != "cancelled" || got.StartTime != "2027-03-02T15:00:00Z" || got.EndTime != "2027-03-02T16:00:00Z" {
			t.Errorf("%+v", got)
		}
	}
	var all []string
	for _, x := range read[appointmentsOut](p.do("GET", appointments, "")).Appointments {
		all = append(all, x.StartTime+" "+x.Status)
	}
	if got := strings.Join(all, ", "); got != "2027-03-01T12:00:00Z confirmed, 2027-03-02T15:00:00Z cancelled, 2027-03-03T12:00:00Z confirmed" {
		t.Error(got)
	}
	p.patch(made.ID, `, "status": "cancelled"`).fails(404, "")
	p.patch(made.ID+"_20270305T120000Z", `, "status": "cancelled"`).fails(404, "")
}

// [docs update-appointment] 400 "id is required".
func TestPatchAppointmentErrors(t *testing.T) {
	p := newPlace(t)
	made := p.book(p.kind(""), "2027-03-01T09:00:00Z")
	before := p.seq()
	for _, body := range []string{`{}`, `{"id": null}`, `{"id": ""}`, `{"status": "x"}`} {
		if a := p.do("PATCH", appointments, body); a.Status != 400 || strings.TrimSpace(a.Raw) != `{"error":"id is required"}` {
			t.Error(body, a.Status, a.Raw)
		}
	}
	for fields, text := range map[string]string{
		`, "status": "open"`:             "status must be one of",
		`, "status": null`:               "status must not be null",
		`, "status": 5`:                  "status must be a string",
		`, "start_time": null`:           "start_time must not be null",
		`, "start_time": "2027-03-01"`:   "start_time must have a time",
		`, "start_time": "tomorrow"`:     "start_time must be a date",
		`, "client_name": null`:          "client_name must not be null",
		`, "client_name": " "`:           "client_name must not be empty",
		`, "client_name": "a\nb"`:        "client_name must not have control",
		`, "client_email": 5`:            "client_email must be a string",
		`, "internal_notes": "a\u0000b"`: "internal_notes must not have control",
	} {
		p.patch(made.ID, fields).fails(400, text)
	}
	p.do("PATCH", appointments, `{"id": 5}`).fails(400, "id must be a string")
	p.do("PATCH", appointments, `{`).fails(400, "")
	p.calendar("block.ics", apitest.Event("block", "DTSTART:20270301T180000Z", "DURATION:PT1H", "CATEGORIES:BLOCK"))
	p.calendar("plain.ics", apitest.Event("plain", "DTSTART:20270301T180000Z", "DURATION:PT1H"))
	after := p.seq()
	ids := []string{"x", "apt_", "apt_" + strings.Repeat("0", 32), strings.ToUpper(made.ID), made.ID + "_x", made.ID + "_20270301T090000Z", strings.Replace(made.ID, "apt_", "type_", 1)}
	for _, uid := range []string{"block", "plain"} {
		ids = append(ids, formatID(appointmentPrefix, p.identity(uid)))
	}
	for _, id := range ids {
		p.patch(id, `, "status": "cancelled"`).fails(404, "")
	}
	p.as(rival).patch(made.ID, `, "status": "cancelled"`).fails(404, "")
	p.as(viewer).do("PATCH", appointments, `{`).fails(403, "")
	if p.seq() != after || after != before+2 {
		t.Error("something was written")
	}
}

func (p *place) identity(uid string) (id uuid.UUID) {
	p.T.Helper()
	err := p.Store.View(p.T.Context(), func(v *store.View) error {
		x, err := v.Identity(p.IDs["demo"], uid)
		id = x.UUID
		return err
	})
	if err != nil {
		p.T.Fatal(err)
	}
	return id
}

// [docs update-appointment-type] PUT /calendar/appointment-types with the id in
// the body changes what was sent; 200 {"appointmentType"}.
func TestPutAnAppointmentType(t *testing.T) {
	p := newPlace(t)
	p.kind("")
	was := p.kind(`, "confirmWithinHours": 5, "maxPerDay": 3`)
	p.clock.Set(start.Add(time.Hour))
	for _, x := range []struct {
		fields string
		change func(*Type)
	}{
		{`, "durationMinutes": 45, "maxPerDay": 6, "isActive": false`, func(x *Type) {
			n := 6
			x.DurationMinutes, x.MaxPerDay, x.IsActive = 45, &n, false
		}},
		{`, "name": "Chat", "description": "d", "color": "#112233", "bufferBeforeMinutes": 1, "bufferAfterMinutes": 2, "minNoticeHours": 3, "requiresConfirmation": true,
			"scheduleId": "sched_x", "bookingQuestions": [{"id":"q"}], "orgId": "x"`, func(x *Type) {
			x.Name, x.Description, x.Color, x.BufferBeforeMinutes, x.BufferAfterMinutes, x.MinNoticeHours = "Chat", nullable("d"), "#112233", 1, 2, 3
			x.RequiresConfirmation, x.ScheduleID, x.BookingQuestions = true, nullable("sched_x"), []byte(`[{"id":"q"}]`)
		}},
		{`, "confirmWithinHours": null, "maxPerDay": null, "description": null, "color": null, "scheduleId": null, "minNoticeHours": null, "isActive": null`, func(x *Type) {
			x.ConfirmWithinHours, x.MaxPerDay, x.Description, x.Color, x.ScheduleID, x.MinNoticeHours, x.IsActive = nil, nil, nil, defaultColor, nil, 24, true
		}},
	} {
		x.change(&was)
		was.UpdatedAt = "2027-02-20T08:00:00Z"
		want := apitest.JSON(t, was)
		if got := strings.TrimSpace(p.do("PUT", types, `{"id": "`+was.ID+`"`+x.fields+`}`).want(200).Raw); got != `{"appointmentType":`+want+`}` {
			t.Errorf("%s: got  %s\nwant %s", x.fields, got, want)
		}
		if got := p.do("GET", types, "").want(200).Raw; !strings.HasSuffix(strings.TrimSpace(got), want+`]}`) {
			t.Errorf("listed %s, want %s", got, want)
		}
	}
	for body, text := range map[string]string{
		`{}`: "id is required", `{"id": null, "name": 5}`: "id is required", `{"id": ""}`: "id is required", `{"id": 5}`: "id must be a string", `{`: "",
	} {
		p.do("PUT", types, body).fails(400, text)
	}
	for fields, text := range map[string]string{
		`"name": null`: "name must not be null", `"name": " "`: "name must have", `"durationMinutes": null`: "durationMinutes must not be null",
		`"durationMinutes": 0`: "durationMinutes must be from", `"color": "red"`: "color", `"bookingQuestions": {}`: "bookingQuestions",
	} {
		p.do("PUT", types, `{"id": "`+was.ID+`", `+fields+`}`).fails(400, text)
	}
	for _, id := range []string{"x", "type_" + strings.Repeat("0", 32), strings.ToUpper(was.ID)} {
		p.do("PUT", types, `{"id": "`+id+`", "name": "x"}`).fails(404, "")
	}
	p.as(rival).do("PUT", types, `{"id": "`+was.ID+`", "name": "x"}`).fails(404, "")
	p.as(viewer).do("PUT", types, `{`).fails(403, "")
}

// What another API keeps beside a service, and what this one has no word for,
// stays as it is.
func TestPutATypeKeepsWhatHasNoWord(t *testing.T) {
	p := newPlace(t)
	kind := p.kind("")
	id := uuid.MustParse(serviceID(t, kind.ID))
	p.Update(func(tx *store.Tx) error {
		x, err := tx.Service(p.IDs["demo"], id)
		if err != nil {
			return err
		}
		x.Extra, x.Capacity, x.Resources = []byte(`{"other":{"a":1},"vastal":{"scheduleId":"s"}}`), 3, []uuid.UUID{uuid.MustParse(ada)}
		return tx.PutService(x)
	})
	p.do("PUT", types, `{"id": "`+kind.ID+`", "confirmWithinHours": 4}`).want(200)
	err := p.Store.View(t.Context(), func(v *store.View) error {
		x, err := v.Service(p.IDs["demo"], id)
		if err == nil && (string(x.Extra) != `{"other":{"a":1},"vastal":{"confirmWithinHours":4,"scheduleId":"s"}}` || x.Capacity != 3 || len(x.Resources) != 1) {
			t.Errorf("%s %+v", x.Extra, x)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
