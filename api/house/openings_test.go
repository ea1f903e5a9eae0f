package house

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
	"daybook/store"
)

// object puts an object into somebody's calendar.
func (p *place) object(owner, uid, components string) {
	p.t.Helper()
	text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Daybook//test//EN\n" + components + "END:VCALENDAR\n"
	o, err := ical.ParseResource([]byte(strings.ReplaceAll(text, "\n", "\r\n")), ical.Limits{})
	if err != nil {
		p.t.Fatal(err)
	}
	x, err := p.store.Prepare(o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.update(func(tx *store.Tx) error {
		c, err := tx.Calendar(p.ids[owner])
		if err != nil {
			return err
		}
		_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: c.ID, Name: uid + ".ics", Object: x})
		return err
	})
}

const massage = "0197f3c2-0000-7000-8000-0000000000e1"

// openPlace is a place that is open on the Monday of the tests from 09:00 to
// 17:00 in Berlin. At 10:00 Ada has an event of an hour, and at 12:00 the house
// is closed for an hour.
func openPlace(t testing.TB) *place {
	t.Helper()
	p := newPlace(t)
	p.object("demo", "week", "BEGIN:VAVAILABILITY\nUID:week\nDTSTAMP:20270101T000000Z\nSUMMARY:Winter hours\nBEGIN:AVAILABLE\nUID:w1\nDTSTAMP:20270101T000000Z\n"+
		"DTSTART;TZID=Europe/Berlin:20270104T090000\nDTEND;TZID=Europe/Berlin:20270104T170000\nRRULE:FREQ=WEEKLY;BYDAY=MO\nEND:AVAILABLE\nEND:VAVAILABILITY\n")
	p.object("ada", "e", "BEGIN:VEVENT\nUID:e\nDTSTAMP:20270101T000000Z\nSUMMARY:Secret visit\nDTSTART:20270301T090000Z\nDURATION:PT1H\nEND:VEVENT\n")
	p.object("demo", "shut", "BEGIN:VEVENT\nUID:shut\nDTSTAMP:20270101T000000Z\nSUMMARY:Staff meeting\nDTSTART:20270301T110000Z\nDURATION:PT1H\nEND:VEVENT\n")
	p.update(func(tx *store.Tx) error {
		return tx.PutService(&store.Service{
			UUID: uuid.MustParse(massage), Org: p.ids["demo"], Name: "Massage", Length: time.Hour, BufferAfter: 15 * time.Minute, Step: time.Hour, MaxPerDay: 3,
		})
	})
	return p
}

func TestOpeningsAnswerWithTheirBasis(t *testing.T) {
	p := openPlace(t)
	path := "/v1/resources/ada/openings?from=2027-03-01T00:00:00Z&to=2027-03-02T00:00:00%2B01:00"
	var o Openings
	tag := p.as(busy).get(path).want(200).into(&o).Header().Get("ETag")
	if got := fmt.Sprint(o.Items); len(o.Items) != 3 || !o.Known || o.Zone != "Europe/Berlin" || tag != `"`+o.Basis+`"` {
		t.Errorf("%s of %+v, %s", got, o, tag)
	}
	p.with("If-None-Match", tag).get(path).want(304)
	p.object("bob", "b", "BEGIN:VEVENT\nUID:b\nDTSTAMP:20270101T000000Z\nDTSTART:20270301T090000Z\nDURATION:PT1H\nEND:VEVENT\n")
	p.with("If-None-Match", tag).get(path).want(304)
	p.object("ada", "f", "BEGIN:VEVENT\nUID:f\nDTSTAMP:20270101T000000Z\nDTSTART:20270301T130000Z\nDURATION:PT1H\nEND:VEVENT\n")
	p.with("If-None-Match", tag).get(path).want(200)
	if p.get("/v1/resources/demo/openings").want(200).into(&o); len(o.Items) != 2 {
		t.Errorf("of the organisation: %+v", o)
	}
	p.get("/v1/resources/eve/openings").want(404)
	p.as(rival).get("/v1/resources/ada/openings").want(404)
	p.get("/v1/resources/grace/openings").want(404)
	p.get("/v1/resources/ada/openings?from=2027-03-01T00:00:00Z&to=2027-03-01T00:00:00Z").want(422)
	p.get("/v1/resources/ada/openings?from=2027-03-01T00:00:00Z&to=2029-03-01T00:00:00Z").want(422)
	p.get("/v1/resources/ada/openings?from=yesterday").want(422)
}

func TestOpenNow(t *testing.T) {
	p := openPlace(t)
	for _, x := range []struct {
		as, at, state, next, kind, title string
	}{
		{reader, "2027-03-01T07:30:00Z", "closed", "2027-03-01T08:00:00Z", "hours", "Winter hours"},
		{reader, "2027-03-01T09:30:00Z", "open", "2027-03-01T11:00:00Z", "hours", "Winter hours"},
		{reader, "2027-03-01T11:30:00Z", "closed", "2027-03-01T12:00:00Z", "closure", "Staff meeting"},
		{busy, "2027-03-01T11:30:00Z", "closed", "2027-03-01T12:00:00Z", "closure", ""},
	} {
		var o OpenState
		p.as(x.as).get("/v1/resources/ada/open-now?at=" + x.at).want(200).into(&o)
		title := ""
		if o.Reason.Title != nil {
			title = *o.Reason.Title
		}
		if o.State != x.state || o.Change == nil || o.Change.Format(time.RFC3339) != x.next || o.Reason.Kind != x.kind || title != x.title {
			t.Errorf("%s at %s: %+v", x.as, x.at, o)
		}
	}
	var o OpenState
	p.as(rival).get("/v1/resources/eve/open-now").want(200).into(&o)
	if o.State != "unknown" || o.Change != nil || o.Reason.Kind != "none" {
		t.Errorf("without hours: %+v", o)
	}
}

func TestSlotsArePagedAndGrouped(t *testing.T) {
	p := openPlace(t)
	query := "/v1/slots?service=Massage&resource=ada,bob&to=2027-03-02T00:00:00Z"
	list := func(query string, limit int) (out []string) {
		t.Helper()
		next := ""
		for range 30 {
			var l SlotList
			p.as(busy).get(fmt.Sprintf("%s&limit=%d&cursor=%s", query, limit, url.QueryEscape(next))).want(200).into(&l)
			for _, s := range l.Items {
				out = append(out, s.Start.Format("15")+" "+s.Resource.Name)
			}
			if next = l.Next; next == "" {
				return out
			}
		}
		t.Fatal("a list without end")
		return nil
	}
	// Ada's event takes 10:00 to 11:00 in Berlin, the house is closed from 12:00
	// to 13:00, and a quarter of an hour is kept free behind each slot.
	want := strings.Split("08 bob,09 bob,12 ada,12 bob,13 ada,13 bob,14 ada,14 bob,15 ada,15 bob", ",")
	whole := list(query, 100)
	for _, limit := range []int{1, 3, 100} {
		if got := list(query, limit); !slices.Equal(got, whole) {
			t.Errorf("in pages of %d: %q", limit, got)
		}
		grouped := list(query+"&group=resource", limit)
		slices.SortStableFunc(grouped, func(a, b string) int { return strings.Compare(a[:2], b[:2]) })
		if !slices.Equal(grouped, whole) {
			t.Errorf("grouped, in pages of %d: %q", limit, grouped)
		}
	}
	if !slices.Equal(whole, want) {
		t.Errorf("%q, want %q", whole, want)
	}
	var l SlotList
	p.do("POST", "/v1/slots", `{"resources": ["bob"], "length": "PT30M", "step": "PT2H", "limit": 2, "to": "2027-03-02T00:00:00Z"}`).want(200).into(&l)
	if len(l.Items) != 2 || l.Next == "" || l.Items[0].Left != 1 {
		t.Errorf("%+v", l)
	}
	p.as(rival).get("/v1/slots?resource=eve&length=PT1H").want(200).into(&l)
	if len(l.Unknown) != 1 || len(l.Items) != 0 {
		t.Errorf("without hours: %+v", l)
	}
	for _, bad := range []string{
		"?resource=ada", "?length=PT1H", "?resource=eve&length=PT1H", "?resource=ada&length=PT1S", "?resource=ada&length=PT1H&to=2028-01-01T00:00:00Z",
		"?resource=ada&length=PT1H&cursor=AAAA", "?resource=ada&length=PT1H&step=P2D", "?resource=ada&length=PT1H&group=day", "?service=nothing",
		"?resource=ada&length=PT1H&capacity=0", "?length=PT1H&resource=" + strings.Repeat("ada,", 51) + "ada",
	} {
		p.get("/v1/slots" + bad).want(422)
	}
}

func TestExplainTellsWhatTheAskerMayKnow(t *testing.T) {
	p := openPlace(t)
	explain := func(as, more string) (x Explanation) {
		t.Helper()
		p.as(as).get("/v1/explain?resource=ada&start=2027-03-01T09:30:00Z&end=2027-03-01T11:30:00Z" + more).want(200).into(&x)
		return x
	}
	kinds := func(x Explanation) (out string) {
		for _, r := range x.Reasons {
			out += r.Kind
			if r.Event != nil {
				out += ":" + r.Event.Title
			}
			out += " "
		}
		return out
	}
	if got := kinds(explain(reader, "")); got != "event:Secret visit closure:Staff meeting " {
		t.Error(got)
	}
	if got := kinds(explain(busy, "")); got != "busy busy " {
		t.Error(got)
	}
	if got := kinds(explain(forAda, "")); got != "event:Secret visit busy " {
		t.Error(got)
	}
	if got := kinds(explain(reader, "&service="+massage)); got != "length event:Secret visit closure:Staff meeting " {
		t.Error(got)
	}
	var x Explanation
	body := p.as(busy).get("/v1/explain?resource=ada&start=2027-03-01T17:00:00Z&end=2027-03-01T18:00:00Z").want(200).into(&x).Body.String()
	if kinds(x) != "closed " || strings.Contains(body, "Winter") || x.Bookable {
		t.Error(body)
	}
	p.get("/v1/explain?resource=bob&start=2027-03-01T08:00:00Z&end=2027-03-01T09:00:00Z").want(200).into(&x)
	if !x.Bookable || len(x.Reasons) != 0 {
		t.Errorf("%+v", x)
	}
	p.get("/v1/explain?resource=eve&start=2027-03-01T17:00:00Z&end=2027-03-01T18:00:00Z").want(422)
	p.get("/v1/explain?resource=ada&start=2027-03-01T17:00:00Z&end=2027-03-01T17:00:00Z").want(422)
	p.get("/v1/explain?resource=ada").want(422)
}

func TestHoldsKeepASlot(t *testing.T) {
	p := openPlace(t)
	ask := `{"resources": ["bob", "room-1"], "service": "Massage", "start": "2027-03-01T08:00:00Z", "ttl": "PT5M", "note": "Ben"}`
	var h Hold
	location := p.as(writer).do("POST", "/v1/holds", ask).want(201).into(&h).Header().Get("Location")
	if len(h.Resources) != 2 || h.End.Sub(h.Start) != time.Hour || !h.Expires.Equal(now.Add(5*time.Minute)) || location != "/v1/holds/"+h.ID.String() {
		t.Fatalf("%+v at %s", h, location)
	}
	var problem struct {
		Reasons []Reason
	}
	p.as(writer).do("POST", "/v1/holds", ask).want(409).into(&problem)
	if len(problem.Reasons) != 2 || problem.Reasons[0].Kind != "hold" || *problem.Reasons[0].Hold != h.ID {
		t.Errorf("%+v", problem)
	}
	p.as(reader).do("POST", "/v1/holds", ask).want(403)
	p.as(busy).get(location).want(404)
	p.as(rival).get(location).want(404)
	p.as(reader).get(location).want(200)
	p.as(reader).do("DELETE", location, "").want(403)
	var list struct{ Items []Hold }
	if p.as(reader).get("/v1/holds").want(200).into(&list); len(list.Items) != 1 {
		t.Errorf("%+v", list)
	}
	if p.as(rival).get("/v1/holds").want(200).into(&list); len(list.Items) != 0 {
		t.Errorf("%+v", list)
	}
	p.as(writer).do("DELETE", location, "").want(204)
	p.get(location).want(404)
	p.as(writer).do("POST", "/v1/holds", ask).want(201)
	p.at(now.Add(6 * time.Minute)) // it has ended, and no job has run
	p.as(writer).do("POST", "/v1/holds", ask).want(201)

	p.do("POST", "/v1/holds", `{"resources": ["ada"], "start": "2027-03-01T20:00:00Z", "end": "2027-03-01T21:00:00Z"}`).want(409)
	p.do("POST", "/v1/holds", `{"resources": ["ada"], "start": "2027-03-01T20:00:00Z", "end": "2027-03-01T21:00:00Z", "ignore_hours": true}`).want(201)
	for _, bad := range []string{
		`{"resources": [], "start": "2027-03-01T13:00:00Z", "end": "2027-03-01T14:00:00Z"}`,
		`{"resources": ["eve"], "start": "2027-03-01T13:00:00Z", "end": "2027-03-01T14:00:00Z"}`,
		`{"resources": ["bob"], "start": "2027-03-01T13:00:00Z"}`,
		`{"resources": ["bob"], "start": "2027-03-01T13:00:00Z", "end": "2027-03-01T13:00:00Z"}`,
		`{"resources": ["bob"], "start": "2027-03-01T13:00:00Z", "end": "2027-03-01T14:00:00Z", "ttl": "PT2H"}`,
		`{"resources": ["bob"], "start": "2027-03-01T13:00:00Z", "end": "2027-03-01T14:00:00Z", "service": "none"}`,
	} {
		p.do("POST", "/v1/holds", bad).want(422)
	}
}

// Of many who ask for one slot at once, one gets it.
func TestOneOfManyGetsTheHold(t *testing.T) {
	p := openPlace(t)
	const askers = 50
	var all sync.WaitGroup
	status := make([]int, askers)
	for i := range askers {
		all.Go(func() {
			status[i] = p.do("POST", "/v1/holds", `{"resources": ["bob"], "start": "2027-03-01T13:00:00Z", "end": "2027-03-01T14:00:00Z"}`).Code
		})
	}
	all.Wait()
	slices.Sort(status)
	if status[0] != 201 || status[1] != 409 || status[askers-1] != 409 {
		t.Errorf("%v", status)
	}
}

// A span that ended in the year 10000 was a failure of the server: no answer
// can name that year.
func TestOpeningsOfTheLastYear(t *testing.T) {
	p := openPlace(t)
	const at = "/v1/resources/bob/openings?from=9999-12-31T"
	p.get(at + "23:59:59Z").want(422)
	p.get(at + "22:00:00Z&to=9999-12-31T23:00:00Z").want(200)
	p.get("/v1/resources/bob/openings?from=0001-01-01T00:00:00%2B01:00").want(422)
}

// The answer without a range is another one each day, though nothing changed; a
// client that knew yesterday's was told that it was not modified.
func TestOpeningsFromTodayAreOthersTomorrow(t *testing.T) {
	p := openPlace(t)
	const today, fixed = "/v1/resources/ada/openings", "/v1/resources/ada/openings?from=2027-03-01T00:00:00Z"
	tags := func() [2]string {
		return [2]string{p.get(today).Header().Get("ETag"), p.get(fixed).Header().Get("ETag")}
	}
	before := tags()
	later := now.Add(15 * time.Hour)
	if p.clock.Store(&later); tags() != before {
		t.Errorf("the same day: %q, then %q", before, tags())
	}
	tomorrow := now.Add(17 * time.Hour)
	if p.clock.Store(&tomorrow); tags()[0] == before[0] || tags()[1] != before[1] {
		t.Errorf("the next day: %q, then %q", before, tags())
	}
}

// A booking that reached into the year 10000, whose weeks and months no answer
// can name, was a failure of the server.
func TestBookingsOfTheFirstAndTheLastYear(t *testing.T) {
	p := openPlace(t)
	p.update(func(tx *store.Tx) error {
		return tx.PutService(&store.Service{UUID: uuid.MustParse(massage), Org: p.ids["demo"], Name: "Massage", Length: time.Hour, MaxPerMonth: 1, Capacity: 2})
	})
	for start, status := range map[string]int{"0001-01-01T00:00:00Z": 422, "9998-12-31T22:30:00Z": 201, "9998-12-31T23:30:00Z": 422, "9999-12-31T23:30:00Z": 422} {
		p.as(writer).do("POST", "/v1/holds", `{"resources": ["bob"], "service": "Massage", "ignore_hours": true, "start": "`+start+`"}`).want(status)
	}
	const explain = "/v1/explain?resource=bob&service=Massage"
	p.get(explain + "&start=9998-12-31T22:30:00Z&end=9998-12-31T23:30:00Z").want(200)
	p.get(explain + "&start=9999-12-31T22:30:00Z&end=9999-12-31T23:30:00Z").want(422)
	p.get("/v1/slots?service=Massage&from=0001-01-01T00:00:00Z&to=0001-01-02T00:00:00Z").want(422)
	const now = "/v1/resources/bob/open-now?at="
	p.get(now + "9999-12-31T23:59:59-12:00").want(422)
	p.get(now + "0001-01-01T00:00:00%2B01:00").want(422)
	p.get(now + "9999-12-31T23:59:59Z").want(200)
}

func TestWhatABookingLacksIsNamed(t *testing.T) {
	p := openPlace(t)
	p.update(func(tx *store.Tx) error {
		for name, length := range map[string]time.Duration{"Whatever": 0, "Blink": time.Second, "Season": 90 * 24 * time.Hour} {
			if err := tx.PutService(&store.Service{UUID: uuid.New(), Org: p.ids["demo"], Name: name, Length: length}); err != nil {
				return err
			}
		}
		return nil
	})
	for _, x := range []struct{ method, target, body, want string }{
		{"GET", "/v1/explain", "", "resource,start,end"},
		{"GET", "/v1/explain?resource=bob&start=x&end=2027-03-01T10:00:00Z", "", "start"},
		{"POST", "/v1/holds", `{}`, "resources,start,end"},
		{"POST", "/v1/holds", `{"resources": ["bob"], "service": "Massage"}`, "start"},
		{"POST", "/v1/holds", `{"resources": ["bob"], "service": "Whatever", "start": "2027-03-01T10:00:00Z"}`, "end"},
		{"POST", "/v1/holds", `{"resources": ["bob"], "start": "x", "end": "2027-03-01T10:00:00Z", "ttl": "P1M"}`, "start,ttl"},
		{"GET", "/v1/slots?resource=bob&length=x&capacity=x", "", "length,capacity"},
		{"GET", "/v1/slots?resource=bob&service=Whatever", "", "length"},
		{"GET", "/v1/slots?resource=bob&service=Blink", "", "length"},
		{"GET", "/v1/slots?resource=bob&service=Season", "", "length"},
		{"POST", "/v1/services", `{"name": "x", "capacity": "2"}`, "capacity"},
		{"POST", "/v1/services", `{"name": "x", "buffer_before": "P2D", "buffer_after": "PT24H1S"}`, "buffer_before,buffer_after"},
	} {
		var problem struct{ Errors []struct{ Field string } }
		p.do(x.method, x.target, x.body).want(422).into(&problem)
		var fields []string
		for _, e := range problem.Errors {
			fields = append(fields, e.Field)
		}
		if got := strings.Join(fields, ","); got != x.want {
			t.Errorf("%s %s %s: %s, want %s", x.method, x.target, x.body, got, x.want)
		}
	}
}

// Unknown hours are those of the whole time that was asked for, on every page.
func TestEachPageOfSlotsTellsTheSameUnknownHours(t *testing.T) {
	p := newPlace(t)
	p.object("ada", "june", "BEGIN:VAVAILABILITY\nUID:june\nDTSTAMP:20270101T000000Z\nDTSTART:20270301T080000Z\nDTEND:20270301T120000Z\n"+
		"BEGIN:AVAILABLE\nUID:a1\nDTSTAMP:20270101T000000Z\nDTSTART:20270301T080000Z\nDTEND:20270301T120000Z\nEND:AVAILABLE\nEND:VAVAILABILITY\n")
	for _, group := range []string{"", "&group=resource"} {
		next, pages := "", 0
		for pages < 20 {
			var l SlotList
			p.get("/v1/slots?resource=room-1,ada,bob&length=PT1H&limit=2&step=PT1H&from=2027-03-01T08:00:00Z&to=2027-03-05T00:00:00Z" + group + "&cursor=" + url.QueryEscape(next)).want(200).into(&l)
			var names []string
			for _, r := range l.Unknown {
				names = append(names, r.Name)
			}
			if got := strings.Join(names, ","); got != "room-1,bob" {
				t.Errorf("%q, page %d: %q", group, pages, got)
			}
			pages++
			if next = l.Next; next == "" {
				break
			}
		}
		if pages != 2 {
			t.Errorf("%q: %d pages", group, pages)
		}
	}
}

// What takes time for ever was told to end: ten years later, or a day after what
// was asked.
func TestWhatTakesTimeForEverHasNoEnd(t *testing.T) {
	p := openPlace(t)
	p.do("POST", "/v1/calendars/bob/blocks", `{"title": "Gone", "start": "2027-03-01T14:00:00+01:00", "open_ended": true}`).want(201)
	for _, day := range []string{"2027-03-01", "2090-03-06"} {
		var e Explanation
		p.get("/v1/explain?resource=bob&start=" + day + "T13:00:00Z&end=" + day + "T14:00:00Z").want(200).into(&e)
		if len(e.Reasons) != 1 || e.Reasons[0].Kind != "block" || e.Reasons[0].End != nil || e.Reasons[0].Start == nil {
			t.Errorf("%+v", e)
		}
		var problem struct{ Conflicts []Conflict }
		p.do("POST", "/v1/calendars/bob/events", `{"conflict": "refuse", "start": "`+day+`T13:00:00Z", "end": "`+day+`T14:00:00Z"}`).want(409).into(&problem)
		if len(problem.Conflicts) != 1 || problem.Conflicts[0].End != nil {
			t.Errorf("%+v", problem)
		}
	}
	p.do("POST", "/v1/calendars/demo/blocks", `{"title": "Gone too", "start": "2027-03-01T15:00:00+01:00", "open_ended": true}`).want(201)
	var o OpenState
	p.get("/v1/resources/ada/open-now?at=2027-03-01T14:30:00Z").want(200).into(&o)
	if o.State != "closed" || o.Reason.Kind != "closure" || o.Reason.Until != nil || o.Change != nil {
		t.Errorf("%+v", o)
	}
}
