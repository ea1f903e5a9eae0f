package folio

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"daybook/api/apitest"
	"daybook/api/rest"
)

// exceptional gives an exception of July 2031; openings are
// "DAY HH:MM DAY HH:MM".
func exceptional(name string, from, to int, openings ...string) js {
	list := []js{}
	for _, o := range openings {
		var a, b int
		var s, e string
		if _, err := fmt.Sscanf(o, "%d %s %d %s", &a, &s, &b, &e); err != nil {
			panic(err)
		}
		list = append(list, js{"startDate": july(a), "startTime": s, "endDate": july(b), "endTime": e})
	}
	return js{"name": name, "startDate": july(from), "endDate": july(to), "openings": list}
}

func july(d int) string { return fmt.Sprintf("2031-07-%02d", d) }

// month is a calendar of July 2031 with the exceptions.
func month(exceptions ...js) js {
	return with(plain("2031-07-01", "2031-07-31", desk), "exceptions", append([]js{}, exceptions...))
}

// weekly gives normal hours: "DAY HH:MM DAY HH:MM".
func weekly(openings ...string) []js {
	list := []js{}
	for _, o := range openings {
		f := strings.Fields(o)
		list = append(list, js{"startDay": f[0], "startTime": f[1], "endDay": f[2], "endTime": f[3]})
	}
	return list
}

// §6 [ref] 1: calendarNoName.
func TestRefNoName(t *testing.T) {
	p := newPlace(t)
	for _, name := range []string{"", " ", " \t\n", "\x01", "\r\n", "\u3000"} {
		e := p.post(with(month(), "name", name)).errors(400, NoName)
		if !reflect.DeepEqual(e[0].Parameters, Values{"name": name}) || e[0].Data != nil { // as it was sent
			t.Errorf("%+v", e)
		}
	}
}

// §6 [ref] 2: calendarInvalidDateRange; equal is fine.
func TestRefInvalidDateRange(t *testing.T) {
	p := newPlace(t)
	e := p.post(plain("2031-07-02", "2031-07-01", desk)).errors(400, InvalidDateRange)
	if !reflect.DeepEqual(e[0].Parameters, Values{"startDate": "2031-07-02", "endDate": "2031-07-01"}) || e[0].Data != nil {
		t.Errorf("%+v", e)
	}
	p.create(plain("2031-07-02", "2031-07-02", desk))
}

// §6 [ref] 3: calendarDateOverlap, one for each other calendar; bounds are
// inclusive.
func TestRefDateOverlap(t *testing.T) {
	p := newPlace(t)
	p.create(plain("2031-01-01", "2031-01-31", desk, third))
	p.create(plain("2031-01-01", "2031-01-31", annex))
	p.post(plain("2031-01-31", "2031-02-28", third)).errors(409, DateOverlap)
	p.create(plain("2031-02-01", "2031-02-28", third)) // from 1 February they do not
	p.create(plain("2031-01-15", "2031-01-20", anyone))
	e := p.post(plain("2030-12-01", "2031-01-01", annex, desk, third)).errors(409, DateOverlap, DateOverlap)
	shared := func(e Error) string { return fmt.Sprint(e.Data["conflictingServicePointIds"]) }
	got := []string{shared(e[0]), shared(e[1])}
	slices.Sort(got)
	if want := []string{"[" + annex + "]", "[" + desk + " " + third + "]"}; !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Error(got)
	}
	want := Values{"assignments": []any{annex, desk, third}, "startDate": "2030-12-01", "endDate": "2031-01-01"}
	if !reflect.DeepEqual(e[0].Parameters, want) {
		t.Errorf("%+v", e[0].Parameters)
	}
}

// §6 [ref] 4: calendarInvalidNormalOpenings.
func TestRefInvalidNormalOpenings(t *testing.T) {
	p := newPlace(t)
	for _, good := range [][]string{
		{"MONDAY 09:00 MONDAY 11:59", "MONDAY 12:00 MONDAY 13:00"},
		{"MONDAY 09:00 MONDAY 23:59", "TUESDAY 00:00 TUESDAY 01:00"}, // midnight is no seam
		{"MONDAY 23:00 MONDAY 04:00"},                                // round the week, not over itself
		{"MONDAY 23:00 MONDAY 04:00", "MONDAY 04:01 MONDAY 22:59"},
		{"FRIDAY 20:00 MONDAY 06:00", "MONDAY 06:01 FRIDAY 19:59"},
	} {
		p.create(with(plain("2031-07-01", "2031-07-31"), "normalHours", weekly(good...)))
	}
	for _, bad := range [][]string{
		{"MONDAY 09:00 MONDAY 12:00", "MONDAY 12:00 MONDAY 13:00"},
		{"FRIDAY 20:00 MONDAY 06:00", "MONDAY 06:00 MONDAY 07:00"}, // around the end of the week
		{"FRIDAY 20:00 MONDAY 06:00", "SUNDAY 10:00 SUNDAY 10:00"},
		{"MONDAY 23:00 MONDAY 04:00", "WEDNESDAY 01:00 WEDNESDAY 01:00"},
		{"MONDAY 23:00 MONDAY 04:00", "MONDAY 04:00 MONDAY 05:00"},
	} {
		all := weekly(append([]string{"THURSDAY 15:00 THURSDAY 15:00"}, bad...)...)
		wide := !strings.HasPrefix(bad[0], "MONDAY 09") && !strings.HasPrefix(bad[0], "FRIDAY")
		e := p.post(with(plain("2031-07-01", "2031-07-31"), "normalHours", all)).errors(400, InvalidNormalOpenings)
		conflicts, _ := e[0].Data["conflicts"].([]any)
		sent, _ := e[0].Parameters["normalHours"].([]any)
		if len(sent) != 3 || len(conflicts) != 2 && !wide {
			t.Errorf("%v: %+v", bad, e)
		}
	}
}

// §6 [ref] 5: calendarInvalidExceptionName, once however many.
func TestRefInvalidExceptionName(t *testing.T) {
	p := newPlace(t)
	e := p.post(month(exceptional(" ", 1, 2), exceptional("", 3, 4), exceptional("x", 5, 6))).errors(400, InvalidExceptionName)
	if list, _ := e[0].Parameters["exceptions"].([]any); len(list) != 3 || e[0].Data != nil {
		t.Errorf("the whole list: %+v", e)
	}
}

// §6 6 [inferred] and 7 [ref]: order and boundary, one for each exception.
func TestExceptionDates(t *testing.T) {
	p := newPlace(t)
	e := p.post(month(exceptional("a", 5, 4), exceptional("b", 5, 5), exceptional("c", 9, 7))).errors(400, InvalidExceptionOrder, InvalidExceptionOrder)
	if r, _ := e[1].Data["range"].(map[string]any); r["name"] != "c" || r["startDate"] != july(9) {
		t.Errorf("%+v", e)
	}
	outside := exceptional("out", 31, 31)
	outside["endDate"] = "2031-08-01"
	before := exceptional("before", 1, 1)
	before["startDate"] = "2031-06-30"
	e = p.post(month(before, exceptional("in", 2, 30), outside)).errors(400, InvalidExceptionBoundary, InvalidExceptionBoundary)
	if r, _ := e[0].Data["range"].(map[string]any); r["name"] != "before" {
		t.Errorf("%+v", e)
	}
	if list, _ := e[0].Parameters["exceptions"].([]any); len(list) != 3 {
		t.Errorf("%+v", e)
	}
	// A backward exception takes part in no other check than 5, 6 and 7.
	p.post(month(exceptional("a", 9, 4, "1 10:00 1 09:00"), exceptional("b", 4, 9))).errors(400, InvalidExceptionOrder)
}

// §6 [ref] 8: calendarInvalidExceptions, compared by date.
func TestRefInvalidExceptions(t *testing.T) {
	p := newPlace(t)
	e := p.post(month(exceptional("a", 3, 5), exceptional("b", 5, 7), exceptional("c", 8, 8))).errors(400, InvalidExceptions)
	if list, _ := e[0].Data["conflicts"].([]any); len(list) != 2 {
		t.Errorf("%+v", e)
	}
	p.create(month(exceptional("a", 3, 4), exceptional("b", 5, 7)))
}

// §6 [ref] 9 and 10: openings outside of their exception, openings that share
// a minute; one for each exception. [inferred]: one that ends before it starts.
func TestRefExceptionOpenings(t *testing.T) {
	p := newPlace(t)
	e := p.post(month(exceptional("a", 3, 4, "2 10:00 3 11:00", "4 10:00 5 11:00"), exceptional("b", 6, 6, "6 10:00 6 11:00"), exceptional("c", 8, 8, "8 10:00 9 11:00"))).
		errors(400, InvalidOpeningBoundary, InvalidOpeningBoundary)
	if e[0].Data != nil || len(e[0].Parameters["exceptions"].([]any)) != 3 {
		t.Errorf("%+v", e)
	}
	for _, bad := range []js{
		exceptional("a", 3, 4, "3 10:00 3 11:00", "3 11:00 3 12:00", "3 11:30 3 12:30"),
		exceptional("a", 3, 4, "3 20:00 4 01:59", "4 01:00 4 02:00"), // runs over midnight
		exceptional("a", 3, 4, "3 11:00 3 10:59"),
		exceptional("a", 3, 4, "4 11:00 3 12:00"),
	} {
		p.post(month(bad)).errors(400, InvalidExceptionOpenings)
	}
	p.create(month(exceptional("a", 3, 4, "3 10:00 3 10:59", "3 11:00 4 01:59", "4 02:00 4 02:00")))
}

// §6 [ref]: all errors in one answer, in the order of the table; 409 if one of
// them is an overlap.
func TestRefAllErrorsTogether(t *testing.T) {
	p := newPlace(t)
	p.create(plain("2031-07-01", "2031-07-01", desk))
	body := month(exceptional("", 9, 8), exceptional("b", 3, 5, "6 10:00 6 09:00"), exceptional("c", 5, 5))
	body["exceptions"] = append(body["exceptions"].([]js), js{"name": "d", "startDate": "2031-09-01", "endDate": "2031-09-01", "openings": []js{}})
	body["name"] = ""
	body["normalHours"] = weekly("MONDAY 09:00 MONDAY 12:00", "MONDAY 12:00 MONDAY 13:00")
	rest := []Code{
		InvalidNormalOpenings, InvalidExceptionName, InvalidExceptionOrder, InvalidExceptionBoundary, InvalidExceptions,
		InvalidOpeningBoundary, InvalidExceptionOpenings,
	}
	p.post(body).errors(409, append([]Code{NoName, DateOverlap}, rest...)...)
	body["assignments"] = []string{annex}
	p.post(body).errors(400, append([]Code{NoName}, rest...)...)
	body["endDate"] = "2031-06-01"
	got := read[ErrorBody](p.post(body).want(400)).Errors
	if got[0].Code != NoName || got[1].Code != InvalidDateRange || got[2].Code != InvalidNormalOpenings {
		t.Errorf("%+v", got)
	}
}

// §7: bodies that do not fit.
func TestMalformedBodies(t *testing.T) {
	p := newPlace(t)
	for _, member := range []string{"name", "startDate", "endDate", "assignments", "normalHours", "exceptions"} {
		body := summer()
		delete(body, member)
		p.post(body).errors(400, InvalidParameter)
		p.post(with(body, member, nil)).errors(400, InvalidParameter)
	}
	for name, change := range map[string]func(js){
		"no list":        func(b js) { b["assignments"] = desk },
		"no UUID":        func(b js) { b["assignments"] = []string{"x"} },
		"no text":        func(b js) { b["name"] = 7 },
		"no date":        func(b js) { b["startDate"] = "2031-02-29" },
		"year 0":         func(b js) { b["startDate"] = "0000-02-29" },
		"no weekday":     func(b js) { b["normalHours"] = weekly("INVALID 09:00 MONDAY 10:00") },
		"no time":        func(b js) { b["normalHours"] = weekly("MONDAY 24:00 MONDAY 10:00") },
		"no start":       func(b js) { delete(b["normalHours"].([]js)[0], "startTime") },
		"null opening":   func(b js) { b["normalHours"] = []any{nil} },
		"no openings":    func(b js) { delete(b["exceptions"].([]js)[0], "openings") },
		"no end":         func(b js) { delete(b["exceptions"].([]js)[1]["openings"].([]js)[0], "endTime") },
		"too many":       func(b js) { b["assignments"] = make([]string, maxAssignments+1) },
		"nested wrongly": func(b js) { b["exceptions"] = []any{[]any{}} },
	} {
		body := summer()
		change(body)
		a := p.post(body).want(400)
		if e := read[ErrorBody](a).Errors; len(e) == 0 || len(e) > maxFaults || e[0].Code != InvalidParameter {
			t.Errorf("%s: %s", name, a.Raw)
		}
	}
	for _, body := range []string{"", " ", "{", "[]", "null", `"x"`, "{} x", `{"name":"a","name":"b"}`} {
		p.do("POST", "/calendar/calendars", body).errors(400, InvalidParameter)
	}
	p.with("Content-Type", "text/plain").post("{}").errors(400, InvalidParameter)
	p.with("Content-Type", "application/x-www-form-urlencoded").post(summer()).errors(400, InvalidParameter)
	if len(p.own()) != 0 {
		t.Error("something was stored")
	}
}

// What is no object at all gets one error, not one for each member too.
func TestAMemberOfAListThatIsNoObject(t *testing.T) {
	p := newPlace(t)
	for _, member := range []any{nil, 5, "x", []any{}} {
		for _, name := range []string{"normalHours", "exceptions"} {
			p.post(with(summer(), name, []any{member})).errors(400, InvalidParameter)
		}
		p.post(month(with(exceptional("x", 1, 2), "openings", []any{member}))).errors(400, InvalidParameter)
	}
}

// A body that is wrong everywhere takes no longer than others: it was looked
// at once for each of its faults.
func TestABodyOfFaults(t *testing.T) {
	openings := `{"openings":[` + strings.TrimSuffix(strings.Repeat("{},", maxOpenings), ",") + "]},"
	body := `{"name":"x","startDate":"2031-01-01","endDate":"2031-12-31","assignments":[],"normalHours":[],"exceptions":[` +
		strings.TrimSuffix(strings.Repeat(openings, 20), ",") + "]}"
	if e := read[ErrorBody](newPlace(t).post(body).want(400)).Errors; len(e) != maxFaults {
		t.Errorf("%d errors", len(e))
	}
}

// §7 [ref]: no such path, no such method.
func TestRefUnknownPathsAndMethods(t *testing.T) {
	p := newPlace(t)
	for _, path := range []string{"/calendar/nope", "/calendar/", "/calendar/calendars/" + desk + "/x", "/calendar/dates/" + desk, "/calendar/calendars/"} {
		p.get(path).errors(404, InvalidRequest)
	}
	for _, m := range []string{"POST " + path(desk), "PUT /calendar/calendars", "PATCH " + path(desk), "DELETE /calendar/dates/" + desk + "/all-openings"} {
		method, path, _ := strings.Cut(m, " ")
		if a := p.do(method, path, nil); a.Header.Get("Allow") == "" {
			t.Error(m)
		} else {
			a.errors(405, InvalidRequest)
		}
	}
	p.get("/calendar/calendars?limit=%zz").errors(400, InvalidParameter)
	// A HEAD is a GET without its body (RFC 9110 §9.3.2); what is not known in a query is ignored.
	for _, path := range []string{
		"/calendar/calendars?more=1", path(p.create(summer()).ID) + "?more=1", "/calendar/dates/" + desk + "/surrounding-openings?date=2031-07-01&more=1",
	} {
		want := p.get(path).want(200)
		if got := p.do("HEAD", path, nil).want(200); got.Header.Get("Content-Length") != fmt.Sprint(len(want.Raw)) {
			t.Errorf("%s: %v", path, got.Header)
		}
	}
}

// §7: whatever fails has the same body.
func TestCodesOfEveryStatus(t *testing.T) {
	for status, want := range map[int]Code{
		400: InvalidParameter, 401: InvalidRequest, 403: InvalidRequest, 404: InvalidRequest, 405: InvalidRequest, 413: InvalidRequest,
		429: InvalidRequest, 500: ServerError, 503: ServerError, 507: ServerError,
	} {
		w := httptest.NewRecorder()
		e := errorWriter{func() time.Time { return now }}
		e.WriteError(w, httptest.NewRequest("GET", "/calendar/calendars", nil), &rest.Problem{Status: status, Err: errors.New("secret")})
		answer{apitest.Answered(t, w)}.errors(status, want)
		if strings.Contains(w.Body.String(), "secret") {
			t.Error(w.Body)
		}
	}
}

// A token that is tried out is throttled like any other.
func TestManyWrongTokensAre429(t *testing.T) {
	p := newPlace(t).with("x-okapi-token", "editor.wrong")
	var last answer
	for range 1100 {
		last = p.get("/calendar/calendars")
	}
	last.errors(429, InvalidRequest)
}

// What a client sends does not decide how much we answer.
func TestErrorsRepeatLongListsSeldom(t *testing.T) {
	p := newPlace(t)
	var list []js
	for i := range maxExceptions {
		list = append(list, js{"name": strings.Repeat("n", 300), "startDate": "2030-01-01", "endDate": fmt.Sprintf("20%02d-01-01", 30+i%60), "openings": []js{}})
	}
	a := p.post(month(list...)).want(400)
	if len(a.Raw) > 3*maxEcho {
		t.Errorf("%d bytes", len(a.Raw))
	}
}

// §6: the overlap is looked for inside the write. Of many that want the same
// days one gets them.
func TestOneOfManyGetsTheDays(t *testing.T) {
	p := newPlace(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	for range 20 {
		wg.Go(func() {
			a := p.post(summer(desk))
			mu.Lock()
			defer mu.Unlock()
			got[a.Status]++
		})
	}
	wg.Wait()
	if got[http.StatusCreated] != 1 || got[http.StatusConflict] != 19 {
		t.Error(got)
	}
}

// Many that replace one calendar at once all succeed; one of them is last.
func TestManyReplaceOneCalendar(t *testing.T) {
	p := newPlace(t)
	id := p.create(summer(desk)).ID
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			body := summer(desk)
			body["exceptions"] = body["exceptions"].([]js)[:i%3]
			p.do("PUT", path(id), with(body, "name", fmt.Sprint("name ", i))).want(200)
		})
	}
	wg.Wait()
	c := p.get(path(id)).want(200).calendar()
	var i int
	if _, err := fmt.Sscanf(c.Name, "name %d", &i); err != nil || len(c.Exceptions) != i%3 || len(p.own()) != 1+i%3 {
		t.Errorf("%+v", c)
	}
}
