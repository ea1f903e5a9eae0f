package vastal

import (
	"fmt"
	"strings"
	"testing"

	"daybook/api/apitest"
)

// openings asks for openings and writes them as START/END.
func (p *place) openings(query string) string {
	p.T.Helper()
	var out []string
	for _, o := range read[openingsOut](p.do("GET", "/v1/calendar/openings?"+query, "")).Openings {
		out = append(out, o.StartTime+"/"+o.EndTime)
	}
	return strings.Join(out, " ")
}

// kind makes an appointment type of an hour without notice; more are further
// members.
func (p *place) kind(more string) Type {
	p.T.Helper()
	return read[typeOut](p.do("POST", "/v1/calendar/appointment-types", `{"name": "Talk", "durationMinutes": 60, "minNoticeHours": 0`+more+`}`)).Type
}

// book makes an appointment of a type at an instant.
func (p *place) book(kind Type, at string) Appointment {
	p.T.Helper()
	return read[appointmentOut](p.do("POST", "/v1/calendar/appointments",
		fmt.Sprintf(`{"appointment_type_id": %q, "start_time": %q, "client_name": "Jane Doe"}`, kind.ID, at))).Appointment
}

const monday = "from=2027-03-01&to=2027-03-01" // 1 March 2027, UTC+1

// [inferred] openings are availability less busy time.
func TestOpeningsAreAvailabilityLessBusyTime(t *testing.T) {
	p := newPlace(t)
	p.put("1 09:00:00 12:00:00")
	if got := p.openings(monday); got != "2027-03-01T08:00:00Z/2027-03-01T11:00:00Z" {
		t.Error(got)
	}
	p.book(p.kind(""), "2027-03-01T09:00:00Z")
	if got := p.openings(monday); got != "2027-03-01T08:00:00Z/2027-03-01T09:00:00Z 2027-03-01T10:00:00Z/2027-03-01T11:00:00Z" {
		t.Error(got)
	}
}

// [inferred] … cut by the type's rules: slots of other types, length, buffers,
// notice, window, limits, is it bookable at all.
func TestOpeningsAreCutByTheTypesRules(t *testing.T) {
	const whole = "2027-03-01T08:00:00Z/2027-03-01T11:00:00Z"
	for name, x := range map[string]struct{ rules, book, query, want string }{
		"none":           {"", "", monday, whole},
		"not active":     {`, "isActive": false`, "", monday, ""},
		"too short":      {"", "2027-03-01T08:30:00Z", monday, "2027-03-01T09:30:00Z/2027-03-01T11:00:00Z"},
		"buffer before":  {`, "bufferBeforeMinutes": 15`, "2027-03-01T08:00:00Z", monday, "2027-03-01T09:15:00Z/2027-03-01T11:00:00Z"},
		"buffer after":   {`, "bufferAfterMinutes": 20`, "2027-03-01T10:00:00Z", monday, "2027-03-01T08:00:00Z/2027-03-01T09:40:00Z"},
		"a day is full":  {`, "maxPerDay": 1`, "2027-03-01T08:00:00Z", "from=2027-03-01&to=2027-03-08", "2027-03-08T08:00:00Z/2027-03-08T11:00:00Z"},
		"a week is full": {`, "maxPerWeek": 1`, "2027-03-07T22:59:59Z", "from=2027-03-01&to=2027-03-08", "2027-03-08T08:00:00Z/2027-03-08T11:00:00Z"},
		"the next week":  {`, "maxPerWeek": 1`, "2027-03-07T23:00:00Z", "from=2027-03-01&to=2027-03-08", whole},
		"a month":        {`, "maxPerMonth": 1`, "2027-03-31T21:59:59Z", "from=2027-03-01&to=2027-03-29", ""},
		"the next month": {`, "maxPerMonth": 1`, "2027-03-31T22:00:00Z", monday, whole},
		"far ahead":      {`, "maxDaysAhead": 8`, "", monday, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.put("1 09:00:00 12:00:00")
			kind := p.kind(x.rules)
			if x.book != "" {
				p.book(kind, x.book)
			}
			if got := p.openings("appointment_type_id=" + kind.ID + "&" + x.query); got != x.want {
				t.Errorf("got  %s\nwant %s", got, x.want)
			}
		})
	}
}

// Limits and buffers are counted in the index: what is cancelled, is another
// type's, takes no time or is a block is no appointment of the type.
func TestWhatCountsForALimit(t *testing.T) {
	const whole = "2027-03-01T08:00:00Z/2027-03-01T11:00:00Z"
	for name, x := range map[string]struct {
		lines []string
		want  string
	}{
		"an appointment":  {nil, ""},
		"one of a series": {[]string{"RRULE:FREQ=WEEKLY"}, ""},
		"cancelled":       {[]string{"STATUS:CANCELLED"}, whole},
		"not shown":       {[]string{"X-DAYBOOK-SUBSTATUS:NOSHOW"}, ""},
		"transparent":     {[]string{"TRANSP:TRANSPARENT"}, whole},
		"a block":         {[]string{"CATEGORIES:BLOCK"}, whole},
		"another type's":  {[]string{"X-DAYBOOK-SERVICE-ID:" + ada}, whole},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.put("1 09:00:00 12:00:00")
			kind := p.kind(`, "maxPerDay": 1`)
			lines := append([]string{"DTSTART:20270301T180000Z", "DURATION:PT1H"}, x.lines...)
			if name != "another type's" {
				lines = append(lines, "X-DAYBOOK-SERVICE-ID:"+serviceID(t, kind.ID))
			}
			p.calendar("visit.ics", apitest.Event("visit", lines...))
			if got := p.openings("appointment_type_id=" + kind.ID + "&" + monday); got != x.want {
				t.Errorf("got  %s\nwant %s", got, x.want)
			}
		})
	}
}

// serviceID gives the UUID of an appointment type's id.
func serviceID(t *testing.T, kind string) string {
	t.Helper()
	id, err := parseID(typePrefix, kind)
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}

// The last start is as far ahead as the type allows, and has its whole length.
func TestTheLastOpening(t *testing.T) {
	p := newPlace(t)
	p.put("1 08:00:00 12:00:00")
	kind := p.kind(`, "maxDaysAhead": 9`)
	if got := p.openings(monday + "&appointment_type_id=" + kind.ID); got != "2027-03-01T07:00:00Z/2027-03-01T08:00:00Z" {
		t.Error(got)
	}
}

func TestNoticeCutsOpenings(t *testing.T) {
	p := newPlace(t)
	p.put("6 00:00:00 24:00:00") // today
	kind := read[typeOut](p.do("POST", "/v1/calendar/appointment-types", `{"name": "Talk", "durationMinutes": 60, "minNoticeHours": 2, "maxDaysAhead": 1}`)).Type
	if got := p.openings("from=2027-02-20&to=2027-02-28&appointment_type_id=" + kind.ID); got != "2027-02-20T09:00:00Z/2027-02-20T23:00:00Z" {
		t.Error(got)
	}
}

// [seed] appointment_type_id: a slot for one type is no opening of another.
func TestSlotsOfATypeAreItsOpeningsAlone(t *testing.T) {
	p := newPlace(t)
	one, two := p.kind(""), p.kind("")
	p.put("1 09:00:00 11:00:00", "1 10:00:00 12:00:00 "+one.ID, "1 14:00:00 15:00:00 "+two.ID, "1 16:00:00 17:00:00 type_unknown")
	for query, want := range map[string]string{
		"appointment_type_id=" + one.ID + "&": "2027-03-01T08:00:00Z/2027-03-01T11:00:00Z",
		"appointment_type_id=" + two.ID + "&": "2027-03-01T08:00:00Z/2027-03-01T10:00:00Z 2027-03-01T13:00:00Z/2027-03-01T14:00:00Z",
		"":                                    "2027-03-01T08:00:00Z/2027-03-01T11:00:00Z 2027-03-01T13:00:00Z/2027-03-01T14:00:00Z 2027-03-01T15:00:00Z/2027-03-01T16:00:00Z",
	} {
		if got := p.openings(query + monday); got != want {
			t.Errorf("%s: got  %s\nwant %s", query, got, want)
		}
	}
}

func TestOpeningsErrors(t *testing.T) {
	p := newPlace(t)
	for query, text := range map[string]string{
		"appointment_type_id=type_x":                          "appointment_type_id",
		"appointment_type_id=type_" + strings.Repeat("0", 32): "appointment_type_id",
		"from=x":                        "from",
		"to=2027-13-01":                 "to",
		"from=2027-03-01&to=2027-02-01": "to",
		"from=2027-03-01&to=2029-02-01": "366",
	} {
		p.do("GET", "/v1/calendar/openings?"+query, "").fails(400, text)
	}
	p.as(nobody).do("GET", "/v1/calendar/openings", "").fails(403, "")
}
