package vastal

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"daybook/api/apitest"
	"daybook/store"
)

const (
	types        = "/v1/calendar/appointment-types"
	appointments = "/v1/calendar/appointments"
)

// [docs appointment-types] camelCase, the defaults, 200 for a creation.
func TestATypeHasEveryFieldAndDefault(t *testing.T) {
	p := newPlace(t)
	a := p.do("POST", types, `{"name": "Strategy Call", "durationMinutes": 30}`)
	id := regexp.MustCompile(`type_[0-9a-f]{32}`).FindString(a.want(200).Raw)
	want := `{"appointmentType":{"id":"` + id + `","orgId":"org_0197f3c2000070008000000000000001","name":"Strategy Call","description":null,` +
		`"durationMinutes":30,"color":"#3b82f6","bufferBeforeMinutes":0,"bufferAfterMinutes":0,"maxPerDay":null,"maxPerWeek":null,` +
		`"maxPerMonth":null,"minNoticeHours":24,"maxDaysAhead":60,"requiresConfirmation":false,"confirmWithinHours":null,` +
		`"bookingQuestions":[],"scheduleId":null,"scheduleName":null,"isActive":true,"sortOrder":1,` +
		`"createdAt":"2027-02-20T07:00:00Z","updatedAt":"2027-02-20T07:00:00Z"}}`
	if strings.TrimSpace(a.Raw) != want {
		t.Errorf("got  %s\nwant %s", a.Raw, want)
	}
	if list := read[typesOut](p.do("GET", types, "")).Types; len(list) != 1 || list[0].ID != id {
		t.Errorf("%+v", list)
	}
	if raw := p.as(rival).do("GET", types, "").want(200).Raw; strings.TrimSpace(raw) != `{"appointmentTypes":[]}` {
		t.Error(raw)
	}
}

// [docs appointment-types] everything that is sent comes back.
func TestATypeKeepsWhatIsSent(t *testing.T) {
	p := newPlace(t)
	sent := `{"name": "Tax", "durationMinutes": 45, "description": "Tax <planning> & more", "color": "#10B981", "bufferBeforeMinutes": 5,
		"bufferAfterMinutes": 10, "maxPerDay": 4, "maxPerWeek": 10, "maxPerMonth": 30, "minNoticeHours": 0, "maxDaysAhead": 14,
		"requiresConfirmation": true, "confirmWithinHours": 12, "scheduleId": "sched_def456", "isActive": false,
		"bookingQuestions": [{"id": "q1", "type": "textarea", "label": "What?", "required": true, "n": 1.50}]}`
	made := p.do("POST", "/calendar/appointment-types", sent).want(200).Raw
	var want, got map[string]any
	var wrapped struct {
		Type json.RawMessage `json:"appointmentType"`
	}
	for _, err := range []error{json.Unmarshal([]byte(sent), &want), json.Unmarshal([]byte(made), &wrapped), json.Unmarshal(wrapped.Type, &got)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for k, v := range want {
		if !reflect.DeepEqual(got[k], v) {
			t.Errorf("%s: %v, want %v", k, got[k], v)
		}
	}
	if list := read[typesOut](p.do("GET", types, "")).Types; list[0].ID != read[typeOut](answer{apitest.Answer{T: t, Status: 200, Raw: made}}).Type.ID || *list[0].ScheduleID != "sched_def456" {
		t.Errorf("%+v", list)
	}
}

func TestTypeErrors(t *testing.T) {
	p := newPlace(t)
	for body, text := range map[string]string{
		`{}`:                                                                "name and durationMinutes are required",
		`{"name": "x"}`:                                                     "name and durationMinutes are required",
		`{"durationMinutes": 5}`:                                            "name and durationMinutes are required",
		`{"name": " ", "durationMinutes": 5}`:                               "name",
		`{"name": 7, "durationMinutes": 5}`:                                 "name",
		`{"name": "x", "durationMinutes": 0}`:                               "durationMinutes",
		`{"name": "x", "durationMinutes": "30"}`:                            "durationMinutes",
		`{"name": "x", "durationMinutes": 5, "color": "blue"}`:              "color",
		`{"name": "x", "durationMinutes": 5, "maxPerDay": 0}`:               "maxPerDay",
		`{"name": "x", "durationMinutes": 5, "bufferAfterMinutes": -1}`:     "bufferAfterMinutes",
		`{"name": "x", "durationMinutes": 5, "minNoticeHours": 1.5}`:        "minNoticeHours",
		`{"name": "x", "durationMinutes": 5, "bookingQuestions": {}}`:       "bookingQuestions",
		`{"name": "x", "durationMinutes": 5, "scheduleId": ""}`:             "scheduleId",
		`{"name": "x", "durationMinutes": 5, "requiresConfirmation": "no"}`: "requiresConfirmation",
		`{`: "",
	} {
		p.do("POST", types, body).fails(400, text)
	}
	if list := read[typesOut](p.do("GET", types, "")).Types; len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

// [docs appointments] snake_case, start_time in UTC, end from the type's length,
// client_*, status, confirmed_at, source manual, the type beside it; 200.
func TestAnAppointmentHasEveryField(t *testing.T) {
	p := newPlace(t)
	kind := p.kind(`, "bufferAfterMinutes": 15`)
	a := p.do("POST", appointments, `{"appointment_type_id": "`+kind.ID+`", "start_time": "2027-03-01T15:00:00+01:00", "client_name": "Jane Doe",
		"client_email": "jane@example.com", "client_phone": "+1234567890", "client_notes": "First time\nclient", "internal_notes": "VIP"}`)
	id := regexp.MustCompile(`apt_[0-9a-f]{32}`).FindString(a.want(200).Raw)
	want := `{"id":"` + id + `","org_id":"org_0197f3c2000070008000000000000001","appointment_type_id":"` + kind.ID + `",` +
		`"start_time":"2027-03-01T14:00:00Z","end_time":"2027-03-01T15:00:00Z","client_name":"Jane Doe","client_email":"jane@example.com",` +
		`"client_phone":"+1234567890","client_language":"en","client_notes":"First time\nclient","internal_notes":"VIP","status":"confirmed",` +
		`"confirmed_at":"2027-02-20T07:00:00Z","cancelled_at":null,"source":"manual","appointment_type":{"id":"` + kind.ID + `","name":"Talk","duration_minutes":60,` +
		`"color":"#3b82f6"},"created_at":"2027-02-20T07:00:00Z"}`
	if strings.TrimSpace(a.Raw) != `{"appointment":`+want+`}` {
		t.Errorf("got  %s\nwant %s", a.Raw, want)
	}
	if list := p.do("GET", appointments, "").want(200).Raw; strings.TrimSpace(list) != `{"appointments":[`+want+`]}` {
		t.Errorf("got  %s\nwant %s", list, want)
	}
	_, data := p.only()
	for _, line := range []string{
		"DTSTART;TZID=Europe/Berlin:20270301T150000\n", "SUMMARY:Talk: Jane Doe\n", "STATUS:CONFIRMED\n", "X-DAYBOOK-EVENT-TYPE:APPOINTMENT\n",
		"X-DAYBOOK-BUFFER-AFTER:PT15M\n", "DESCRIPTION:First time\\nclient\n", "TRANSP:OPAQUE\n",
	} {
		if !strings.Contains(data, line) {
			t.Errorf("no %s in\n%s", line, data)
		}
	}
}

// [docs appointment-types] requiresConfirmation: the appointment is pending.
func TestATypeThatNeedsConfirmationGivesPendingAppointments(t *testing.T) {
	p := newPlace(t)
	got := p.book(p.kind(`, "requiresConfirmation": true`), "2027-03-01T09:00:00")
	if got.Status != "pending" || got.ConfirmedAt != nil || got.StartTime != "2027-03-01T08:00:00Z" {
		t.Errorf("%+v", got)
	}
	if _, data := p.only(); !strings.Contains(data, "STATUS:TENTATIVE\n") {
		t.Error(data)
	}
}

// [docs appointments] list: status, from, to, limit 50.
func TestListFilters(t *testing.T) {
	p := newPlace(t)
	kind := p.kind("")
	for day := 1; day <= 3; day++ {
		p.book(kind, fmt.Sprintf("2027-03-%02dT12:00:00Z", 4-day))
	}
	list := func(query string) string {
		var out []string
		for _, x := range read[appointmentsOut](p.do("GET", appointments+"?"+query, "")).Appointments {
			out = append(out, x.StartTime[8:10])
		}
		return strings.Join(out, " ")
	}
	for query, want := range map[string]string{
		"": "01 02 03", "limit=2": "01 02", "from=2027-03-02": "02 03", "to=2027-03-02": "01 02", "from=2027-03-02&to=2027-03-02": "02",
		"from=2027-03-02T12:00:00Z": "02 03", "from=2027-03-02T12:00:01Z": "03", "to=2027-03-02T12:00:00Z": "01 02", "to=2027-03-02T11:59:59Z": "01",
		"from=2027-03-02T13:00:00%2B01:00": "02 03", "from=2027-03-02T13:00:00": "02 03", "status=confirmed": "01 02 03", "status=cancelled": "",
		"from=2027-03-03&to=2027-03-01": "", "status=": "01 02 03",
	} {
		if got := list(query); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	for query, text := range map[string]string{
		"status=open": "status", "limit=0": "limit", "limit=-1": "limit", "limit=x": "limit", "limit=1001": "limit", "from=yesterday": "from", "to=2027": "to",
	} {
		p.do("GET", appointments+"?"+query, "").fails(400, text)
	}
	for range 60 {
		p.book(kind, "2027-04-01T12:00:00Z")
	}
	if n := len(strings.Fields(list(""))); n != 50 {
		t.Error("limit is 50 by default:", n)
	}
}

func TestAppointmentErrors(t *testing.T) {
	p := newPlace(t)
	kind := p.kind("").ID
	body := func(typ, at, name string) string {
		return fmt.Sprintf(`{"appointment_type_id": %s, "start_time": %s, "client_name": %s}`, typ, at, name)
	}
	const at, jane = `"2027-03-01T12:00:00Z"`, `"Jane"`
	q := `"` + kind + `"`
	const required = "appointment_type_id, start_time, and client_name are required"
	for body, text := range map[string]string{
		`{}`:                                    required,
		body("null", at, jane):                  required,
		body(q, "null", jane):                   required,
		body(q, at, `" "`):                      required,
		body(`"type_x"`, at, jane):              "appointment_type_id is not known",
		body(q, `"2027-03-01"`, jane):           "start_time",
		body(q, `"tomorrow"`, jane):             "start_time",
		body(q, `1772366400`, jane):             "start_time",
		body(q, `"0001-01-01T00:00:00Z"`, jane): "start_time",
		body(q, at, `"a\u0000b"`):               "client_name",
		body(q, at, `"a\nb"`):                   "client_name",
		body(q, at, `7`):                        "client_name",
		`[`:                                     "",
	} {
		p.do("POST", appointments, body).fails(400, text)
	}
	p.as(rival).do("POST", appointments, body(q, at, jane)).fails(400, "appointment_type_id is not known")
	if len(p.stored()) != 0 {
		t.Error("something was written")
	}
}

// What a calendar client changes of an appointment is changed here.
func TestAClientsEditIsSeen(t *testing.T) {
	p := newPlace(t)
	made := p.book(p.kind(""), "2027-03-01T12:00:00Z")
	name, data := p.only()
	for _, x := range []struct{ from, to, status string }{
		{"STATUS:CONFIRMED", "STATUS:TENTATIVE", "pending"},
		{"STATUS:CONFIRMED", "STATUS:CANCELLED", "cancelled"},
		{"STATUS:CONFIRMED", "STATUS:CONFIRMED\nX-DAYBOOK-SUBSTATUS:COMPLETED", "completed"},
		{"STATUS:CONFIRMED", "STATUS:CONFIRMED\nX-DAYBOOK-SUBSTATUS:NOSHOW", "no_show"},
		{"STATUS:CONFIRMED", "STATUS:CANCELLED\nX-DAYBOOK-SUBSTATUS:NOSHOW", "cancelled"},
		{"STATUS:CONFIRMED\n", "", "confirmed"},
	} {
		p.calendar(name, strings.Replace(data, x.from, x.to, 1))
		got := read[appointmentsOut](p.do("GET", appointments+"?status="+x.status, "")).Appointments
		if len(got) != 1 || got[0].ID != made.ID || got[0].Status != x.status {
			t.Errorf("%s: %+v", x.status, got)
		}
	}
	moved := strings.NewReplacer("20270301T130000", "20270302T100000", "20270301T140000", "20270302T103000", "Talk: Jane Doe", "Chat").Replace(data)
	p.calendar(name, moved)
	got := read[appointmentsOut](p.do("GET", appointments, "")).Appointments[0]
	if got.StartTime != "2027-03-02T09:00:00Z" || got.EndTime != "2027-03-02T09:30:00Z" || got.ClientName != "Jane Doe" || got.ID != made.ID {
		t.Errorf("%+v", got)
	}
}

// An appointment that a client makes recurring is one for each instance; other
// events and blocks are none.
func TestOtherEventsInTheCalendar(t *testing.T) {
	p := newPlace(t)
	p.book(p.kind(""), "2027-03-01T12:00:00Z")
	name, data := p.only()
	p.calendar(name, strings.Replace(data, "STATUS:CONFIRMED", "RRULE:FREQ=DAILY;COUNT=3\nSTATUS:CONFIRMED", 1))
	event := func(uid, more string) {
		p.calendar(uid+".ics", "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:"+uid+"\nDTSTAMP:20270101T000000Z\nDTSTART:20270301T080000Z\nDTEND:20270301T090000Z\n"+more+"END:VEVENT\nEND:VCALENDAR\n")
	}
	event("plain", "SUMMARY:Holiday\n")
	event("block", "SUMMARY:B\nCATEGORIES:BLOCK\nX-DAYBOOK-SERVICE-ID:x\n")
	event("class", "SUMMARY:C\nX-DAYBOOK-EVENT-TYPE:CLASS\nX-DAYBOOK-SERVICE-ID:x\n")
	event("theirs", "SUMMARY:John Smith\nX-DAYBOOK-EVENT-TYPE:APPOINTMENT\n")
	got := read[appointmentsOut](p.do("GET", appointments, "")).Appointments
	var names []string
	for _, x := range got {
		names = append(names, x.ClientName+" "+x.StartTime)
	}
	want := "John Smith 2027-03-01T08:00:00Z, Jane Doe 2027-03-01T12:00:00Z, Jane Doe 2027-03-02T12:00:00Z, Jane Doe 2027-03-03T12:00:00Z"
	if s := strings.Join(names, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if got[0].AppointmentType != nil || got[0].AppointmentTypeID != nil || got[1].ID == got[2].ID || !strings.HasSuffix(got[1].ID, "_20270301T120000Z") {
		t.Errorf("%+v", got)
	}
}

// A type that one resource offers is booked in that resource's calendar.
func TestATypeOfOneResourceIsBookedThere(t *testing.T) {
	p := newPlace(t)
	p.put("1 09:00:00 12:00:00")
	kind := p.kind("")
	p.Update(func(tx *store.Tx) error {
		org, err := tx.PrincipalByUUID(uuid.MustParse(demo))
		if err != nil {
			return err
		}
		id, err := parseID(typePrefix, kind.ID)
		if err != nil {
			return err
		}
		x, err := tx.Service(org.ID, id)
		if err != nil {
			return err
		}
		x.Resources = []uuid.UUID{uuid.MustParse(ada)}
		return tx.PutService(x)
	})
	made := p.book(kind, "2027-03-01T08:00:00Z")
	if len(p.stored()) != 1 {
		t.Error("only the week is in the organisation's calendar")
	}
	if got := read[appointmentsOut](p.do("GET", appointments, "")).Appointments; len(got) != 1 || got[0] != made && got[0].ID != made.ID {
		t.Errorf("%+v", got)
	}
	if got := p.openings(monday + "&appointment_type_id=" + kind.ID); got != "2027-03-01T09:00:00Z/2027-03-01T11:00:00Z" {
		t.Error(got)
	}
	if got := p.openings(monday); got != "2027-03-01T08:00:00Z/2027-03-01T11:00:00Z" {
		t.Error("the others are free:", got)
	}
}

// A wall clock that comes twice is kept as the instant that was meant.
func TestAnAppointmentInTheHourThatComesTwice(t *testing.T) {
	p := newPlace(t)
	kind := p.kind("")
	for _, at := range []string{"2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"} {
		if got := p.book(kind, at); got.StartTime != at {
			t.Error(got.StartTime)
		}
	}
	got := read[appointmentsOut](p.do("GET", appointments, "")).Appointments
	if len(got) != 2 || got[1].StartTime != "2027-10-31T01:30:00Z" || got[1].EndTime != "2027-10-31T02:30:00Z" {
		t.Errorf("%+v", got)
	}
}
