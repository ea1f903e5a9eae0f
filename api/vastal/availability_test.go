package vastal

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"daybook/api/apitest"
)

// Each test of this file names the statements of the contract that it shows;
// the mark says where a statement comes from.

// [seed] PUT /calendar/availability; [inferred] with and without /v1 it is one
// route.
func TestPathsWithAndWithoutV1AreTheSame(t *testing.T) {
	p := newPlace(t)
	p.put("1 09:00:00 12:00:00")
	a := p.do("GET", "/calendar/availability", "")
	b := p.do("GET", "/v1/calendar/availability", "")
	if a.want(200).Raw != b.want(200).Raw {
		t.Errorf("%s and %s", a.Raw, b.Raw)
	}
	read[schedulesOut](p.do("PUT", "/calendar/availability", weekText("2 09:00:00 12:00:00")))
	if got := shown(p.list()); got != "2 09:00:00 12:00:00" {
		t.Error(got)
	}
}

// [seed] PUT replaces all weekly slots; the answer has every field of the table:
// id avail_…, org_id org_… [docs], day_of_week, times, appointment_type_id always
// [inferred], is_active, created_at in UTC [docs].
func TestReplaceAnswersEveryFieldOfTheContract(t *testing.T) {
	p := newPlace(t)
	p.put("1 09:00:00 17:00:00", "3 09:00:00 17:00:00")
	a := p.do("PUT", availability, `{"schedules": [{"day_of_week": 2, "start_time": "08:30:00", "end_time": "12:00:00"}]}`)
	id := regexp.MustCompile(`avail_[0-9a-f]{32}`).FindString(a.want(200).Raw)
	want := `{"schedules":[{"id":"` + id + `","org_id":"org_0197f3c2000070008000000000000001","day_of_week":2,` +
		`"start_time":"08:30:00","end_time":"12:00:00","appointment_type_id":null,"is_active":true,"created_at":"2027-02-20T07:00:00Z"}]}`
	if id == "" || strings.TrimSpace(a.Raw) != want {
		t.Errorf("got  %s\nwant %s", a.Raw, want)
	}
	if got := a.Header.Get("Content-Type"); got != "application/json" {
		t.Error(got)
	}
	if got := shown(p.list()); got != "2 08:30:00 12:00:00" {
		t.Error("not replaced:", got)
	}
}

// [inferred] the answer is in the order of the request; [docs] GET lists all
// fields, [inferred] in order of day, start, end, id.
func TestReplaceKeepsTheOrderOfTheRequestAndListSorts(t *testing.T) {
	p := newPlace(t)
	sent := []string{"5 14:00:00 18:00:00", "0 10:00:00 11:00:00", "5 09:00:00 12:00:00", "!3 09:00:00 10:00:00", "5 09:00:00 10:00:00"}
	if got := shown(p.put(sent...)); got != strings.Join(sent, ", ") {
		t.Error(got)
	}
	want := "0 10:00:00 11:00:00, !3 09:00:00 10:00:00, 5 09:00:00 10:00:00, 5 09:00:00 12:00:00, 5 14:00:00 18:00:00"
	if got := shown(p.list()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// [inferred] the same PUT twice has the same answer: a slot equal in day, start,
// end and type keeps its id and created_at, and nothing is written.
func TestReplaceIsIdempotent(t *testing.T) {
	p := newPlace(t)
	sent := []string{"1 09:00:00 12:00:00", "1 09:00:00 12:00:00 type_x", "!1 09:00:00 12:00:00", "2 00:00:00 24:00:00"}
	first := p.put(sent...)
	before := p.seq()
	p.clock.Set(start.Add(time.Hour))
	if again := p.put(sent...); !reflect.DeepEqual(first, again) {
		t.Errorf("got  %+v\nwant %+v", again, first)
	}
	if p.seq() != before {
		t.Error("the same set was written again")
	}
	mixed := p.put("4 09:00:00 12:00:00", sent[0], sent[3])
	if mixed[1] != first[0] && mixed[1].ID != first[0].ID || mixed[2].ID != first[3].ID || mixed[2].CreatedAt != first[3].CreatedAt {
		t.Errorf("kept slots changed: %+v", mixed)
	}
	if mixed[0].CreatedAt != "2027-02-20T08:00:00Z" {
		t.Error("a new slot has the time of its making:", mixed[0].CreatedAt)
	}
}

// [inferred] identity does not depend on is_active.
func TestASlotKeepsItsIdWhenItIsSwitchedOffAndOn(t *testing.T) {
	p := newPlace(t)
	on := p.put("1 09:00:00 12:00:00")[0]
	p.clock.Set(start.Add(time.Hour))
	off := p.put("!1 09:00:00 12:00:00")[0]
	back := p.put("1 09:00:00 12:00:00")[0]
	if off.ID != on.ID || off.CreatedAt != on.CreatedAt || off.IsActive || back.ID != on.ID || !back.IsActive {
		t.Errorf("%+v, %+v, %+v", on, off, back)
	}
}

// [inferred] exact duplicates collapse to one; [inferred] touching and
// overlapping slots are kept as they were sent.
func TestDuplicatesCollapseAndOverlapsStay(t *testing.T) {
	p := newPlace(t)
	got := shown(p.put("1 09:00:00 12:00:00", "1 12:00:00 13:00:00", "1 09:00:00 12:00:00", "1 11:00:00 12:30:00"))
	if got != "1 09:00:00 12:00:00, 1 12:00:00 13:00:00, 1 11:00:00 12:30:00" {
		t.Error(got)
	}
}

// [inferred] [] removes all.
func TestAnEmptySetRemovesAll(t *testing.T) {
	p := newPlace(t)
	p.put()
	if len(p.stored()) != 0 {
		t.Error("nothing was there, and nothing is to be made")
	}
	p.put("1 09:00:00 12:00:00", "!2 09:00:00 12:00:00")
	if got := p.put(); len(got) != 0 || got == nil {
		t.Error(got)
	}
	if a := p.do("GET", availability, "").want(200); strings.TrimSpace(a.Raw) != `{"schedules":[]}` {
		t.Error(a.Raw)
	}
}

// [seed] 0 = Sunday … 6 = Saturday, HH:MM:SS of 24 hours; [inferred] 24:00:00 is
// the end of the day.
func TestEveryDayAndTheEdgesOfTheDay(t *testing.T) {
	p := newPlace(t)
	var sent []string
	for d := range 7 {
		sent = append(sent, fmt.Sprintf("%d 00:00:00 24:00:00", d), fmt.Sprintf("%d 23:59:59 24:00:00", d), fmt.Sprintf("%d 00:00:00 00:00:01", d))
	}
	if got := shown(p.put(sent...)); got != strings.Join(sent, ", ") {
		t.Error(got)
	}
	_, data := p.only()
	for _, line := range []string{
		"DTSTART;TZID=Europe/Berlin:20010107T000000\nDTEND;TZID=Europe/Berlin:20010108T000000\nRRULE:FREQ=WEEKLY;BYDAY=SU\n",
		"DTSTART;TZID=Europe/Berlin:20010113T235959\nDTEND;TZID=Europe/Berlin:20010114T000000\nRRULE:FREQ=WEEKLY;BYDAY=SA\n",
	} {
		if !strings.Contains(data, line) {
			t.Errorf("no %s in %s", line, data)
		}
	}
}

// Each rule of the request's table: [seed] required, [inferred] the exact forms.
// [inferred] the text names the slot, and nothing is changed.
func TestEachRuleOfTheRequestIs400AndChangesNothing(t *testing.T) {
	p := newPlace(t)
	p.put("1 09:00:00 12:00:00", "!2 09:00:00 12:00:00")
	before, seq := p.list(), p.seq()
	good := slotText("1 10:00:00 11:00:00")
	bad := func(change string) string {
		return `{"schedules": [` + good + `,` + good + `,` + change + `]}`
	}
	slot := func(day, from, to, more string) string {
		return bad(`{"day_of_week": ` + day + `, "start_time": ` + from + `, "end_time": ` + to + more + `}`)
	}
	const from, to = `"09:00:00"`, `"10:00:00"`
	tooMany := strings.TrimSuffix(strings.Repeat(good+",", 501), ",")
	for name, x := range map[string]struct{ body, text string }{
		"no JSON":           {`{"schedules": [`, ""},
		"no body":           {``, ""},
		"an array":          {`[]`, ""},
		"missing":           {`{}`, "schedules"},
		"null":              {`{"schedules": null}`, "schedules"},
		"no array":          {`{"schedules": {}}`, "schedules"},
		"text":              {`{"schedules": "x"}`, "schedules"},
		"501 slots":         {`{"schedules": [` + tooMany + `]}`, "at most 500"},
		"slot null":         {bad(`null`), "schedules[2]: "},
		"slot a number":     {bad(`7`), "schedules[2]: "},
		"empty slot":        {bad(`{}`), "schedules[2]: day_of_week, start_time, and end_time are required"},
		"no day":            {bad(`{"start_time": "09:00:00", "end_time": "10:00:00"}`), "schedules[2]: day_of_week, start_time, and end_time are required"},
		"no start":          {bad(`{"day_of_week": 1, "end_time": "10:00:00"}`), "schedules[2]: day_of_week, start_time, and end_time are required"},
		"no end":            {bad(`{"day_of_week": 1, "start_time": "10:00:00"}`), "schedules[2]: day_of_week, start_time, and end_time are required"},
		"day null":          {slot(`null`, from, to, ``), "schedules[2]: "},
		"day text":          {slot(`"1"`, from, to, ``), "schedules[2]: day_of_week"},
		"day fraction":      {slot(`1.5`, from, to, ``), "schedules[2]: day_of_week"},
		"day 7":             {slot(`7`, from, to, ``), "schedules[2]: day_of_week"},
		"day -1":            {slot(`-1`, from, to, ``), "schedules[2]: day_of_week"},
		"start 9:00:00":     {slot(`1`, `"9:00:00"`, to, ``), "schedules[2]: start_time"},
		"start 09:00":       {slot(`1`, `"09:00"`, to, ``), "schedules[2]: start_time"},
		"start 24:00:00":    {slot(`1`, `"24:00:00"`, `"24:00:00"`, ``), "schedules[2]: start_time"},
		"start 23:60:00":    {slot(`1`, `"23:60:00"`, `"24:00:00"`, ``), "schedules[2]: start_time"},
		"start with space":  {slot(`1`, `" 09:00:00"`, to, ``), "schedules[2]: start_time"},
		"start a fraction":  {slot(`1`, `"09:00:00.5"`, to, ``), "schedules[2]: start_time"},
		"start a number":    {slot(`1`, `9`, to, ``), "schedules[2]: start_time"},
		"end 24:00:01":      {slot(`1`, from, `"24:00:01"`, ``), "schedules[2]: end_time"},
		"end 25:00:00":      {slot(`1`, from, `"25:00:00"`, ``), "schedules[2]: end_time"},
		"end with zone":     {slot(`1`, from, `"10:00:00Z"`, ``), "schedules[2]: end_time"},
		"end equals start":  {slot(`1`, from, from, ``), "schedules[2]: end_time"},
		"over midnight":     {slot(`1`, `"22:00:00"`, `"02:00:00"`, ``), "schedules[2]: end_time"},
		"type empty":        {slot(`1`, from, to, `, "appointment_type_id": ""`), "schedules[2]: appointment_type_id"},
		"type a number":     {slot(`1`, from, to, `, "appointment_type_id": 5`), "schedules[2]: appointment_type_id"},
		"active text":       {slot(`1`, from, to, `, "is_active": "yes"`), "schedules[2]: is_active"},
		"a name twice":      {`{"schedules": [], "schedules": []}`, ""},
		"something behind":  {`{"schedules": []} x`, ""},
		"wrong and missing": {bad(`{"day_of_week": "1", "is_active": 1}`), "schedules[2]: day_of_week must be an integer; schedules[2]: is_active must be true or false; schedules[2]: day_of_week, start_time, and end_time are required"},
		"in order of slots": {`{"schedules": [{}, {"day_of_week": "1", "start_time": "09:00:00", "end_time": "10:00:00"}]}`, "schedules[0]: day_of_week, start_time, and end_time are required; schedules[1]: day_of_week must be an integer"},
		"two slots at once": {`{"schedules": [{}, ` + good + `, {}]}`, "are required; schedules[2]: "},
	} {
		t.Run(name, func(t *testing.T) { p.in(t).do("PUT", availability, x.body).fails(400, x.text) })
	}
	if after := p.list(); !reflect.DeepEqual(before, after) || p.seq() != seq {
		t.Errorf("changed: %+v", after)
	}
}

// [inferred] 500 slots are allowed, unknown fields are ignored, null is the
// absence of appointment_type_id and of is_active; [docs] is_active is true by
// default.
func TestWhatIsAllowed(t *testing.T) {
	p := newPlace(t)
	var many []string
	for i := range 500 {
		many = append(many, fmt.Sprintf("%d %02d:%02d:00 23:00:00", i%7, i%20, i%60))
	}
	p.put(many...)
	got := read[schedulesOut](p.do("PUT", availability, `{"more": 1, "schedules": [{"day_of_week": 1, "start_time": "09:00:00", "end_time": "10:00:00",
		"id": "avail_mine", "appointment_type_id": null, "is_active": null, "zone": {"x": []}}]}`)).Schedules
	if len(got) != 1 || got[0].ID == "avail_mine" || got[0].AppointmentTypeID != nil || !got[0].IsActive {
		t.Errorf("%+v", got)
	}
}

// [inferred] appointment_type_id is kept as it is given, whatever it names.
func TestTheTypeOfASlotIsKeptAsGiven(t *testing.T) {
	p := newPlace(t)
	for _, id := range []string{"type_abc123", "x", "Ä, b; c\\n d", strings.Repeat("é", 120)} {
		body := fmt.Sprintf(`{"schedules": [{"day_of_week": 1, "start_time": "09:00:00", "end_time": "10:00:00", "appointment_type_id": %q}]}`, id)
		read[schedulesOut](p.do("PUT", availability, body))
		if got := p.list()[0].AppointmentTypeID; got == nil || *got != id {
			t.Errorf("%q became %v", id, got)
		}
	}
}

// [seed] Authorization: Bearer; [inferred] 401 without or with a wrong key;
// [docs] keys may expire.
func TestNoOrWrongKeyIs401(t *testing.T) {
	p := newPlace(t)
	for _, token := range []string{"", "vst_unknown", expired} {
		for _, method := range []string{"GET", "PUT", "POST"} {
			a := p.as(token).do(method, availability, "")
			a.fails(401, "")
			if a.Header.Get("WWW-Authenticate") == "" {
				t.Error("no WWW-Authenticate")
			}
		}
	}
}

// [inferred] PUT needs write or admin, 403 without; [docs] the scopes are read,
// write, delete and admin.
func TestScopes(t *testing.T) {
	p := newPlace(t)
	id := p.put("1 09:00:00 12:00:00")[0].ID
	body := weekText("1 09:00:00 12:00:00")
	for _, x := range []struct {
		token, method, path, body string
		want                      int
	}{
		{viewer, "GET", availability, "", 200},
		{viewer, "PUT", availability, body, 403},
		{viewer, "PUT", availability, "{", 403},
		{viewer, "POST", availability, slotText("2 09:00:00 12:00:00"), 403},
		{viewer, "PATCH", availability + "/" + id, `{}`, 403},
		{viewer, "DELETE", availability + "/" + id, "", 403},
		{viewer, "POST", "/v1/calendar/appointment-types", `{}`, 403},
		{viewer, "POST", "/v1/calendar/appointments", `{}`, 403},
		{viewer, "GET", "/v1/calendar/appointments", "", 200},
		{nobody, "GET", availability, "", 403},
		{nobody, "PUT", availability, body, 403},
		{cleaner, "PUT", availability, body, 403},
		{chief, "PUT", availability, body, 200},
		{cleaner, "DELETE", availability + "/" + id, "", 200},
		{chief, "GET", availability, "", 200},
	} {
		a := p.as(x.token).do(x.method, x.path, x.body)
		if x.want == 403 {
			a.fails(403, "")
		} else {
			a.want(x.want)
		}
	}
	if len(p.list()) != 0 {
		t.Error("the key with the scope delete deletes")
	}
}

// [docs list-availability] the set belongs to the organisation: another one's key
// neither sees nor changes it.
func TestTheSetBelongsToTheOrganisation(t *testing.T) {
	p := newPlace(t)
	id := p.put("1 09:00:00 12:00:00")[0].ID
	theirs := p.as(rival)
	if got := theirs.list(); len(got) != 0 {
		t.Error(got)
	}
	theirs.do("PATCH", availability+"/"+id, `{"is_active": false}`).fails(404, "")
	theirs.do("DELETE", availability+"/"+id, "").fails(404, "")
	if got := theirs.put("2 10:00:00 11:00:00")[0].OrgID; got != "org_0197f3c2000070008000000000000002" {
		t.Error(got)
	}
	if got := shown(p.list()); got != "1 09:00:00 12:00:00" {
		t.Error(got)
	}
}

// [inferred] 405 for other methods, with Allow; 404 in the API's shape.
func TestOtherMethodsAndPaths(t *testing.T) {
	p := newPlace(t)
	for path, allow := range map[string]string{
		availability:                     "GET, HEAD, POST, PUT",
		"/calendar/availability":         "GET, HEAD, POST, PUT",
		availability + "/avail_x":        "DELETE, PATCH",
		"/v1/calendar/appointment-types": "GET, HEAD, POST, PUT",
		"/v1/calendar/appointments":      "GET, HEAD, PATCH, POST",
		"/v1/calendar/openings":          "GET, HEAD",
	} {
		a := p.do("TRACE", path, "")
		a.fails(405, "")
		if got := a.Header.Get("Allow"); got != allow {
			t.Errorf("%s allows %s", path, got)
		}
	}
	p.do("GET", availability+"/x/y", "").fails(404, "")
	p.do("PUT", availability, "<xml/>").fails(400, "")
}

// [docs authentication] X-RateLimit-Limit, -Remaining and -Reset come with every
// answer; [inferred] ours only when a limit is configured, and there is none.
func TestNoRateLimitHeadersWithoutALimit(t *testing.T) {
	a := newPlace(t).do("GET", availability, "").want(200)
	for name := range a.Header {
		if strings.HasPrefix(strings.ToLower(name), "x-ratelimit") {
			t.Error(name)
		}
	}
}

// [docs create-availability] POST adds one slot and answers 200, not 201, with
// {"schedule"}; 400 with its text when something is missing.
func TestAddASlot(t *testing.T) {
	p := newPlace(t)
	p.put("1 13:00:00 17:00:00")
	a := p.do("POST", availability, slotText("1 09:00:00 12:00:00"))
	made := read[scheduleOut](a).Schedule
	if !strings.HasPrefix(a.Raw, `{"schedule":{"id":"avail_`) || made.OrgID == "" || !made.IsActive || made.AppointmentTypeID != nil {
		t.Error(a.Raw)
	}
	if got := shown(p.list()); got != "1 09:00:00 12:00:00, 1 13:00:00 17:00:00" {
		t.Error(got)
	}
	for _, body := range []string{`{}`, `{"day_of_week": 1}`, `{"day_of_week": null, "start_time": "09:00:00", "end_time": "10:00:00"}`} {
		a := p.do("POST", availability, body)
		if a.Status != 400 || strings.TrimSpace(a.Raw) != `{"error":"day_of_week, start_time, and end_time are required"}` {
			t.Error(a.Status, a.Raw)
		}
	}
	p.do("POST", availability, slotText("8 09:00:00 12:00:00")).fails(400, "day_of_week must be")
	p.do("POST", availability, slotText("1 12:00:00 12:00:00")).fails(400, "end_time must be later")
	off := read[scheduleOut](p.do("POST", availability, slotText("!2 09:00:00 12:00:00 type_x"))).Schedule
	if off.IsActive || *off.AppointmentTypeID != "type_x" {
		t.Errorf("%+v", off)
	}
}

// [inferred] an exact duplicate is the slot that is there; the 501st is refused.
func TestAddedDuplicatesAndTooMany(t *testing.T) {
	p := newPlace(t)
	first := p.put("1 09:00:00 12:00:00")[0]
	if again := read[scheduleOut](p.do("POST", availability, slotText("1 09:00:00 12:00:00"))).Schedule; again != first {
		t.Errorf("%+v", again)
	}
	var many []string
	for i := range 500 {
		many = append(many, fmt.Sprintf("%d %02d:%02d:00 23:00:00", i%7, i%20, i%60))
	}
	if n := len(p.put(many...)); n != 420 {
		t.Fatal(n)
	}
	for i := range 80 {
		read[scheduleOut](p.do("POST", availability, slotText(fmt.Sprintf("1 08:00:00 22:%02d:%02d", i%60, i/60))))
	}
	p.do("POST", availability, slotText("1 05:00:00 05:30:00")).fails(400, "500")
}

// [inferred] PATCH changes one slot and answers {"schedule"}; its id stays.
func TestPatchChangesWhatIsSent(t *testing.T) {
	p := newPlace(t)
	slots := p.put("1 09:00:00 12:00:00", "2 09:00:00 12:00:00 type_x")
	patch := func(id, body string) Slot {
		t.Helper()
		return read[scheduleOut](p.do("PATCH", availability+"/"+id, body)).Schedule
	}
	for _, x := range []struct{ body, want string }{
		{`{}`, "2 09:00:00 12:00:00 type_x"},
		{`{"end_time": "13:30:00"}`, "2 09:00:00 13:30:00 type_x"},
		{`{"day_of_week": 0, "start_time": "00:00:00", "end_time": "24:00:00"}`, "0 00:00:00 24:00:00 type_x"},
		{`{"is_active": false}`, "!0 00:00:00 24:00:00 type_x"},
		{`{"appointment_type_id": null}`, "!0 00:00:00 24:00:00"},
		{`{"is_active": true, "appointment_type_id": "type_y"}`, "0 00:00:00 24:00:00 type_y"},
		{`{"appointment_type_id": null}`, "0 00:00:00 24:00:00"},
	} {
		got := patch(slots[1].ID, x.body)
		if shown([]Slot{got}) != x.want || got.ID != slots[1].ID || got.CreatedAt != slots[1].CreatedAt {
			t.Errorf("%s: %+v", x.body, got)
		}
		if all := shown(p.list()); !strings.Contains(all, x.want) || !strings.Contains(all, "1 09:00:00 12:00:00") {
			t.Errorf("%s: %s", x.body, all)
		}
	}
}

// [inferred] PATCH and DELETE: 404 {"error"} for what is not there, 400 for what
// breaks a rule.
func TestPatchAndDeleteErrors(t *testing.T) {
	p := newPlace(t)
	id := p.put("1 09:00:00 12:00:00")[0].ID
	for _, unknown := range []string{"avail_x", "avail_" + strings.Repeat("0", 32), strings.ToUpper(id), id[6:], "x"} {
		p.do("PATCH", availability+"/"+unknown, `{"is_active": false}`).fails(404, "")
		p.do("DELETE", availability+"/"+unknown, "").fails(404, "")
	}
	for body, text := range map[string]string{
		`{"start_time": "12:00:00"}`:  "end_time must be later",
		`{"day_of_week": null}`:       "day_of_week",
		`{"day_of_week": 9}`:          "day_of_week",
		`{"start_time": "9"}`:         "start_time",
		`{"is_active": null}`:         "is_active",
		`{"appointment_type_id": ""}`: "appointment_type_id",
		`{"start_time": "24:00:00"}`:  "start_time",
		`[]`:                          "",
	} {
		p.do("PATCH", availability+"/"+id, body).fails(400, text)
	}
	if got := shown(p.list()); got != "1 09:00:00 12:00:00" {
		t.Error(got)
	}
}

// [inferred] DELETE removes one slot and answers 200 {"success": true}.
func TestDeleteASlot(t *testing.T) {
	p := newPlace(t)
	slots := p.put("1 09:00:00 12:00:00", "2 09:00:00 12:00:00", "!3 09:00:00 12:00:00")
	for i, s := range slots {
		a := p.do("DELETE", availability+"/"+s.ID, "").want(http.StatusOK)
		if strings.TrimSpace(a.Raw) != `{"success":true}` {
			t.Error(a.Raw)
		}
		if n := len(p.list()); n != 2-i {
			t.Error(n)
		}
		p.do("DELETE", availability+"/"+s.ID, "").fails(404, "")
	}
}

// MAPPING "Errors": 413 and 415 have the API's shape too.
func TestOtherBodiesAreRefusedInTheSameShape(t *testing.T) {
	p := newPlace(t)
	p.do("PUT", availability, `{"schedules": [`+strings.Repeat(" ", 2<<20)+`]}`).fails(413, "")
	r := httptest.NewRequest("PUT", availability, strings.NewReader("schedules=1"))
	r.Header.Set("Authorization", "Bearer "+manager+"."+manager+apitest.SecretPart)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer{p.Send(r)}.fails(415, "application/json")
}
