package house

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/api/rest"
	"daybook/store"
)

// stored gives the texts of the members of somebody's calendar.
func (p *place) stored(owner string) []string {
	p.t.Helper()
	var out []string
	err := p.store.View(p.t.Context(), func(v *store.View) error {
		c, err := v.Calendar(p.ids[owner])
		if err != nil {
			return err
		}
		return v.EachMember(c.ID, "", func(m store.Member) bool {
			data, err := v.Data(m.Object)
			if err != nil {
				p.t.Fatal(err)
			}
			out = append(out, string(data))
			return true
		})
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

const (
	adaEvents = "/v1/calendars/ada/events"
	adaBlocks = "/v1/calendars/ada/blocks"
	march     = "?from=2027-03-01&to=2027-03-31"
)

// textOf gives the object with a UID.
func (p *place) textOf(owner, uid string) string {
	p.t.Helper()
	for _, s := range p.stored(owner) {
		if strings.Contains(s, "\nUID:"+uid+"\r\n") {
			return s
		}
	}
	p.t.Fatal("no object", uid)
	return ""
}

// starts gives the starts and titles of a list.
func (p *place) starts(target string) []string {
	p.t.Helper()
	var list rest.List[CalendarEvent]
	p.get(target).want(200).into(&list)
	var out []string
	for _, e := range list.Items {
		title := "-"
		if e.Title != nil {
			title = *e.Title
		}
		out = append(out, e.Start[5:min(16, len(e.Start))]+" "+title)
	}
	return out
}

func TestOneEvent(t *testing.T) {
	p := newPlace(t)
	var one, again CalendarEvent
	made := p.do("POST", adaEvents, `{"title": "Visit", "start": "2027-03-02T09:00:00+01:00", "end": "2027-03-02T10:00:00+01:00", "location": "Here",
		"type": "appointment", "status": "tentative", "visibility": "private", "color": "#AABBCC", "categories": ["A, B", "C"], "busy": true,
		"attendees": [{"email": "x@example.com", "name": "X Y", "status": "accepted"}, {"email": "z@example.com"}],
		"buffer_before": "PT15M", "buffer_after": "PT1H", "service_id": "s", "origin": "o", "external_id": "e", "invoice": "closed", "extra": {"a": [1]},
		"url": "https://example.com/?a=b,c", "lang": "de", "notes": "one\ntwo, three; four", "substatus": "ARRIVED"}`).want(201).into(&one)
	if one.Kind != "event" || *one.Zone != "Europe/Berlin" || one.Start != "2027-03-02T09:00:00+01:00" || *one.End != "2027-03-02T10:00:00+01:00" ||
		one.AllDay || *one.Type != "APPOINTMENT" || one.Status != "tentative" || one.Visibility != "private" || *one.Color != "#aabbcc" ||
		!slices.Equal(one.Categories, []string{"A, B", "C"}) || len(one.Attendees) != 2 || *one.Attendees[0].Name != "X Y" || one.Attendees[1].Status != "needs-action" ||
		*one.BufferBefore != "PT15M" || *one.BufferAfter != "PT1H" || string(one.Extra) != `{"a":[1]}` || *one.Notes != "one\ntwo, three; four" || *one.URL != "https://example.com/?a=b,c" {
		t.Fatalf("%+v", one)
	}
	path := made.Header().Get("Location")
	tag := p.get(path).want(200).into(&again).Header().Get("ETag")
	if again.ID != one.ID || tag != made.Header().Get("ETag") {
		t.Errorf("%+v, tag %s", again, tag)
	}
	before := p.stored("ada")[0]
	p.at(now.Add(time.Hour))
	// A change of what is so already changes nothing at all.
	p.with("If-Match", tag).do("PATCH", path, `{"title": "Visit", "start": "2027-03-02T08:00:00Z", "status": "tentative", "visibility": "private", "attendees": [
		{"email": "x@example.com", "name": "X Y", "status": "accepted"}, {"email": "z@example.com"}], "categories": ["A, B", "C"]}`).want(200)
	if after := p.stored("ada")[0]; after != before {
		t.Errorf("was\n%s\nis\n%s", before, after)
	}
	p.with("If-Match", tag).do("PATCH", path, `{"start": "2027-03-02T11:00:00+01:00", "location": null}`).want(200).into(&again)
	if *again.End != "2027-03-02T12:00:00+01:00" || again.Location != nil || again.Sequence != 1 || *again.Title != "Visit" {
		t.Errorf("%+v", again)
	}
	p.with("If-Match", tag).do("PATCH", path, `{}`).want(412)
	p.with("If-Match", tag).do("DELETE", path, "").want(412)
	p.do("PATCH", path, `{"zone": "America/New_York"}`).want(200).into(&again)
	if again.Start != "2027-03-02T05:00:00-05:00" || *again.Zone != "America/New_York" {
		t.Errorf("%+v", again)
	}
	p.do("PATCH", path, `{"start": "2027-03-05"}`).want(200).into(&again)
	if again.Start != "2027-03-05" || *again.End != "2027-03-06" || !again.AllDay || again.Zone != nil {
		t.Errorf("%+v", again)
	}
	p.do("PATCH", path, `{"end": "2027-03-08"}`).want(200).into(&again)
	if again.Start != "2027-03-05" || *again.End != "2027-03-08" {
		t.Errorf("%+v", again)
	}
	p.do("PATCH", path, `{"start": "2027-03-05T00:00:00+01:00", "end": "2027-03-06T00:00:00+01:00"}`).want(200).into(&again)
	if again.AllDay || again.Start != "2027-03-05T00:00:00+01:00" {
		t.Errorf("%+v", again)
	}
	// Readers see that a private event is there, and no more.
	p.as(reader).get(path).want(200).into(&again)
	if *again.Title != "Busy" || again.Notes != nil || len(again.Attendees) != 0 {
		t.Errorf("%+v", again)
	}
	p.as(busy).get(path).want(403)
	p.as(forAda).get(path).want(200)
	p.as(rival).get(path).want(404)
	p.get("/v1/calendars/bob/events/" + one.ID).want(404)
	p.get("/v1/blocks/" + one.ID).want(404)
	p.get(path + "_20270302T080000Z").want(404)
	p.get(path + "x").want(404)
	p.as(reader).do("DELETE", path, "").want(403)
	p.as(reader).do("PATCH", path, `{"title": 1}`).want(403)
	p.do("DELETE", path+"?dry_run=true", "").want(204)
	p.do("DELETE", path, "").want(204)
	p.get(path).want(404)
}

const weekly = `{"title": "Yoga", "start": "2027-03-01T09:00:00+01:00", "end": "2027-03-01T10:00:00+01:00", "notes": "mat", "recurrence": {"rrule": "FREQ=WEEKLY;COUNT=5"}}`

func TestSeries(t *testing.T) {
	p := newPlace(t)
	var s, i CalendarEvent
	p.do("POST", adaEvents, weekly).want(201).into(&s)
	if s.Recurrence == nil || *s.Recurrence.Rule != "FREQ=WEEKLY;COUNT=5" || s.Series != nil {
		t.Fatalf("%+v", s)
	}
	want := func(want ...string) {
		t.Helper()
		if got := p.starts(adaEvents + "?from=2027-03-01&to=2027-05-31"); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	want("03-01T09:00 Yoga", "03-08T09:00 Yoga", "03-15T09:00 Yoga", "03-22T09:00 Yoga", "03-29T09:00 Yoga")
	path := adaEvents + "/" + s.ID
	second, third := path+"_20270308T080000Z", path+"_20270315T080000Z"

	t.Run("one instance", func(t *testing.T) {
		p := p.in(t)
		tag := p.get(second).want(200).into(&i).Header().Get("ETag")
		if i.Series == nil || *i.Series != s.ID || *i.Original != "2027-03-08T09:00:00+01:00" || i.Recurrence != nil {
			t.Errorf("%+v", i)
		}
		p.at(now.Add(time.Hour))
		p.with("If-Match", tag).do("PATCH", second, `{"start": "2027-03-09T11:00:00+01:00", "title": "Moved"}`).want(200).into(&i)
		if !strings.HasSuffix(second, i.ID) || *i.End != "2027-03-09T12:00:00+01:00" || *i.Notes != "mat" {
			t.Errorf("%+v", i)
		}
		p.with("If-Match", tag).do("PATCH", second, `{}`).want(412)
		p.do("PATCH", second, `{"recurrence": {"rrule": "FREQ=DAILY"}}`).want(422)
		p.do("PATCH", path+"_20270309T080000Z", `{}`).want(404)
	})
	want("03-01T09:00 Yoga", "03-09T11:00 Moved", "03-15T09:00 Yoga", "03-22T09:00 Yoga", "03-29T09:00 Yoga")

	// What the series says, instances say that said the same.
	p.do("PATCH", path, `{"title": "Pilates", "notes": "ball"}`).want(200)
	if p.get(second).want(200).into(&i); *i.Title != "Moved" || *i.Notes != "ball" {
		t.Errorf("%+v", i)
	}
	p.do("DELETE", third, "").want(204)
	p.do("DELETE", third, "").want(404)
	want("03-01T09:00 Pilates", "03-09T11:00 Moved", "03-22T09:00 Pilates", "03-29T09:00 Pilates")

	// A series that moves takes its exceptions with it.
	p.do("PATCH", path, `{"start": "2027-03-01T14:00:00+01:00"}`).want(200)
	want("03-01T14:00 Pilates", "03-09T11:00 Moved", "03-22T14:00 Pilates", "03-29T14:00 Pilates")
	fourth := path + "_20270322T130000Z"

	// This and following: the rest is a series of its own.
	p.do("PATCH", fourth+"?scope=following&dry_run=true", `{"title": "Dance"}`).want(200)
	rest := p.do("PATCH", fourth+"?scope=following", `{"title": "Dance", "start": "2027-03-22T16:00:00+01:00"}`).want(201).into(&i)
	if i.ID == s.ID || i.Recurrence == nil || *i.Recurrence.Rule != "FREQ=WEEKLY;COUNT=2" || rest.Header().Get("Location") == "" {
		t.Errorf("%+v", i)
	}
	want("03-01T14:00 Pilates", "03-09T11:00 Moved", "03-22T16:00 Dance", "03-29T16:00 Dance")
	p.do("PATCH", adaEvents+"/"+i.ID, `{"recurrence": {"rrule": "FREQ=WEEKLY;COUNT=3", "exceptions": ["2027-03-29T16:00:00+02:00"], "dates": ["2027-04-20T10:00:00+02:00"]}}`).want(200).into(&i)
	if len(i.Recurrence.Exceptions) != 1 || i.Recurrence.Exceptions[0] != "2027-03-29T16:00:00+02:00" {
		t.Errorf("%+v", i.Recurrence)
	}
	want("03-01T14:00 Pilates", "03-09T11:00 Moved", "03-22T16:00 Dance", "04-05T16:00 Dance", "04-20T10:00 Dance")
	p.do("DELETE", adaEvents+"/"+i.ID+"_20270405T140000Z?scope=following", "").want(204)
	want("03-01T14:00 Pilates", "03-09T11:00 Moved", "03-22T16:00 Dance")
	// Nothing is before the first: it is the whole.
	p.do("PATCH", path+"_20270301T130000Z?scope=following", `{"title": "All"}`).want(200).into(&i)
	if i.ID != s.ID {
		t.Errorf("%+v", i)
	}
	p.do("PATCH", path+"_20270301T130000Z?scope=all", `{"recurrence": null}`).want(200)
	want("03-01T14:00 All", "03-22T16:00 Dance")
	p.do("PATCH", path+"?scope=some", `{}`).want(422)
}

func TestLists(t *testing.T) {
	p := newPlace(t)
	p.do("POST", adaEvents, weekly).want(201)
	p.do("POST", adaEvents, `{"title": "Day", "start": "2027-03-15"}`).want(201)
	p.do("POST", adaBlocks, `{"start": "2027-03-15T12:00:00+01:00", "end": "2027-03-15T13:00:00+01:00"}`).want(201)
	var list rest.List[CalendarEvent]
	var all []string
	for next := ""; ; next = "&cursor=" + list.Next {
		p.get(adaEvents + march + "&limit=2" + next).want(200).into(&list)
		for _, e := range list.Items {
			all = append(all, e.Start)
		}
		if list.Next == "" {
			break
		}
	}
	if len(all) != 6 || all[2] != "2027-03-15" || !slices.IsSorted([]string{all[0], all[1], all[3]}) {
		t.Errorf("%q", all)
	}
	if got := p.starts(adaBlocks + march); len(got) != 1 || got[0] != "03-15T12:00 -" {
		t.Errorf("%q", got)
	}
	if got := p.starts("/v1/calendars/ada%2Fcalendar/events?from=2027-03-08T08:30:00Z&to=2027-03-08T08:31:00Z"); len(got) != 1 {
		t.Errorf("%q", got)
	}
	for _, q := range []string{"?from=2027-03-02&to=2027-03-01", "?from=2027-01-01&to=2031-01-01", "?from=yesterday", "?limit=0", "?cursor=x!"} {
		p.get(adaEvents + q).want(422)
	}
	p.get(adaEvents).want(200)
	p.as(busy).get(adaEvents).want(403)
	p.as(rival).get(adaEvents).want(404)
	p.get("/v1/calendars/nobody/events").want(404)
	p.get("/v1/calendars/eve/events").want(404)
}

func TestBlocksOfSeveralResources(t *testing.T) {
	p := newPlace(t)
	var b CalendarEvent
	made := p.do("POST", adaBlocks, `{"start": "2027-03-02T12:00:00+01:00", "end": "2027-03-02T13:00:00+01:00", "type": "cleaning", "resources": ["room-1", "ada", "bob"]}`).want(201).into(&b)
	if b.Kind != "block" || *b.Type != "cleaning" || b.Title != nil || len(b.Resources) != 3 || !b.Busy {
		t.Fatalf("%+v", b)
	}
	if x, y := p.stored("ada")[0], p.stored("room-1")[0]; x != y || !strings.Contains(x, "SUMMARY:Cleaning") {
		t.Errorf("%s\n%s", x, y)
	}
	path := made.Header().Get("Location")
	p.do("PATCH", path, `{"resources": ["room-1", "desk"], "title": "Deep"}`).want(200).into(&b)
	if len(b.Resources) != 2 || *b.Title != "Deep" || len(p.stored("ada")) != 0 || len(p.stored("desk")) != 1 {
		t.Errorf("%+v", b)
	}
	for body, field := range map[string]string{
		`{"resources": ["nobody"]}`: "resources.0", `{"resources": ["eve"]}`: "resources.0", `{"resources": []}`: "resources",
		`{"type": "holiday"}`: "type", `{"attendees": [{"email": "a@b"}]}`: "attendees", `{"open_ended": true, "end": "2027-03-02T13:00:00Z"}`: "end",
	} {
		if a := p.do("PATCH", path, body).want(422); !strings.Contains(a.Body.String(), `"field":"`+field+`"`) {
			t.Errorf("%s: %s", body, a.Body)
		}
	}
	p.do("PATCH", path, `{"open_ended": true}`).want(200).into(&b)
	if b.End != nil {
		t.Errorf("%+v", b)
	}
	p.do("PATCH", path, `{"start": "2027-03-03T12:00:00+01:00"}`).want(200).into(&b)
	if b.End != nil || b.Start != "2027-03-03T12:00:00+01:00" {
		t.Errorf("%+v", b)
	}
	p.do("PATCH", path, `{"open_ended": false}`).want(422)
	p.do("PATCH", path, `{"end": "2027-03-03T13:00:00+01:00"}`).want(200).into(&b)
	if b.End == nil {
		t.Errorf("%+v", b)
	}
	p.as(forAda).get(path).want(404)
	p.as(rival).get(path).want(404)
	p.as(reader).do("PATCH", path, `{}`).want(403)
	p.as(reader).do("DELETE", path, "").want(403)
	p.do("DELETE", path, "").want(204)
	if len(p.stored("room-1"))+len(p.stored("desk")) != 0 {
		t.Error("a block is left")
	}
}

func TestConflictsAreRefusedWhenAsked(t *testing.T) {
	p := newPlace(t)
	p.do("POST", adaEvents, `{"title": "Secret", "visibility": "private", "start": "2027-03-15T09:30:00+01:00", "end": "2027-03-15T10:30:00+01:00"}`).want(201)
	refuse := strings.Replace(weekly, `{"title"`, `{"conflict": "refuse", "title"`, 1)
	a := p.do("POST", adaEvents, refuse).want(409)
	var problem struct{ Conflicts []Conflict }
	a.into(&problem)
	if len(problem.Conflicts) != 1 || *problem.Conflicts[0].Title != "Secret" || problem.Conflicts[0].Start != "2027-03-15T08:30:00Z" {
		t.Errorf("%s", a.Body)
	}
	if got := p.starts(adaEvents + march); len(got) != 1 {
		t.Errorf("%q", got)
	}
	p.do("POST", adaEvents, weekly).want(201)
	p.do("POST", adaEvents, strings.Replace(refuse, `"title"`, `"busy": false, "title"`, 1)).want(201)
	// A closure of the house takes the time of all.
	p.do("POST", "/v1/holidays", `{"dates": [{"date": "2027-03-20"}]}`).want(200)
	p.do("POST", "/v1/calendars/room-1/blocks", `{"conflict": "refuse", "start": "2027-03-20T09:00:00+01:00", "end": "2027-03-20T10:00:00+01:00", "resources": ["desk"]}`).want(409)
	var one CalendarEvent
	p.do("POST", "/v1/calendars/room-1/blocks", `{"conflict": "refuse", "start": "2027-03-21T09:00:00+01:00", "end": "2027-03-21T10:00:00+01:00"}`).want(201).into(&one)
	// It is in nobody's way that moves a little by itself.
	p.do("PATCH", "/v1/blocks/"+one.ID, `{"conflict": "refuse", "start": "2027-03-21T09:30:00+01:00"}`).want(200)
	p.do("PATCH", "/v1/blocks/"+one.ID, `{"conflict": "refuse", "start": "2027-03-20T09:30:00+01:00"}`).want(409)
	p.do("PATCH", "/v1/blocks/"+one.ID, `{"conflict": "refuse", "title": "x"}`).want(200)
	p.do("POST", adaEvents, `{"conflict": "maybe", "start": "2027-03-20"}`).want(422)
}

func TestBatches(t *testing.T) {
	p := newPlace(t)
	event := func(day int) string {
		return fmt.Sprintf(`{"op": "create", "event": {"title": "E%d", "conflict": "refuse", "start": "2027-03-%02dT09:00:00+01:00", "end": "2027-03-%02dT10:00:00+01:00"}}`, day, day, day)
	}
	var out batchOut
	p.do("POST", adaEvents+":batch", `{"items": [`+event(1)+`, `+event(2)+`, `+event(1)+`]}`).want(207).into(&out)
	if out.Applied != 2 || out.Items[0].Status != 201 || out.Items[2].Status != 409 || out.Items[2].Error.Conflicts == nil || out.Items[1].ETag == "" {
		t.Fatalf("%+v", out)
	}
	a := p.do("POST", adaEvents+":batch", `{"atomic": true, "items": [`+event(3)+`, `+event(4)+`, `+event(3)+`]}`).want(409)
	if !strings.Contains(a.Body.String(), `"item":2`) {
		t.Error(a.Body)
	}
	if got := p.starts(adaEvents + march); len(got) != 2 {
		t.Errorf("%q", got)
	}
	first, second := out.Items[0].Event.ID, out.Items[1].Event.ID
	items := fmt.Sprintf(`[{"op": "update", "id": %q, "if_match": %q, "event": {"title": "One"}}, {"op": "delete", "id": %q}, {"op": "delete", "id": %q}]`,
		first, strings.Trim(out.Items[0].ETag, `"`), second, second)
	items = strings.Replace(items, `"if_match": "`, `"if_match": "\"`, 1)
	items = strings.Replace(items, `", "event"`, `\"", "event"`, 1)
	p.do("POST", adaEvents+":batch?dry_run=true", `{"items": `+items+`}`).want(207).into(&out)
	if out.Applied != 2 || !out.DryRun || out.Items[2].Status != 404 || len(p.starts(adaEvents+march)) != 2 {
		t.Errorf("%+v", out)
	}
	p.do("POST", adaEvents+":batch", `{"items": `+items+`}`).want(207).into(&out)
	if got := p.starts(adaEvents + march); out.Applied != 2 || len(got) != 1 || got[0] != "03-01T09:00 One" {
		t.Errorf("%+v %q", out, got)
	}
	// Two changes of one series in one transaction see one another.
	p.do("POST", adaBlocks+":batch", `{"atomic": true, "items": [{"op": "create", "event": {"uid": "mine", "start": "2027-03-08", "resources": ["bob"], "recurrence": {"rrule": "FREQ=DAILY;COUNT=3"}}}]}`).want(200).into(&out)
	id := out.Items[0].Event.ID
	p.do("POST", adaBlocks+":batch", fmt.Sprintf(`{"atomic": true, "items": [{"op": "delete", "id": "%s_20270307T230000Z"}, {"op": "update", "id": "%s_20270308T230000Z", "event": {"title": "X"}}]}`, id, id)).want(200)
	if got := p.starts("/v1/calendars/bob/blocks" + march); !slices.Equal(got, []string{"03-09 X", "03-10 -"}) {
		t.Errorf("%q", got)
	}
	for _, body := range []string{`{}`, `{"items": [{}]}`, `{"items": [{"op": "update"}]}`, `{"items": [{"op": "create"}]}`, `{"items": [{"op": "create", "event": {}}]}`} {
		p.do("POST", adaEvents+":batch", body).want(422)
	}
	p.do("POST", adaEvents+":batch", `{"items": [`+strings.Repeat(event(1)+",", maxBatch)+event(1)+`]}`).want(422)
	p.as(reader).do("POST", adaEvents+":batch", `{}`).want(403)
}

func TestWhatIsWrongWithAnEvent(t *testing.T) {
	p := newPlace(t)
	with := func(members string) string {
		return `{"start": "2027-03-01T09:00:00Z", "end": "2027-03-01T10:00:00Z", ` + members + `}`
	}
	for body, field := range map[string]string{
		`{}`:                                "start",
		`{"start": "2027-03-01T09:00:00"}`:  "start",
		`{"start": "2027-03-01T09:00:00Z"}`: "end",
		`{"start": "2027-03-01T09:00:00Z", "end": "2027-03-01T09:00:00Z"}`: "end",
		`{"start": "2027-03-01T09:00:00Z", "end": "2027-03-02"}`:           "end",
		`{"start": "2027-03-01", "end": "2027-03-01"}`:                     "end",
		with(`"zone": "Moon"`):                                 "zone",
		with(`"title": "\u0000"`):                              "title",
		with(`"url": "example"`):                               "url",
		with(`"color": "red"`):                                 "color",
		with(`"status": "maybe"`):                              "status",
		with(`"visibility": "x"`):                              "visibility",
		with(`"type": "a b"`):                                  "type",
		with(`"buffer_before": "P2D"`):                         "buffer_before",
		with(`"extra": [1]`):                                   "extra",
		with(`"categories": [""]`):                             "categories.0",
		with(`"attendees": [{"email": "nobody"}]`):             "attendees.0.email",
		with(`"lang": "x y"`):                                  "lang",
		with(`"uid": " "`):                                     "uid",
		with(`"resources": ["ada"]`):                           "resources",
		with(`"open_ended": true`):                             "open_ended",
		with(`"recurrence": {}`):                               "recurrence.rrule",
		with(`"recurrence": {"rrule": "FREQ=OFTEN"}`):          "recurrence.rrule",
		with(`"recurrence": {"rrule": "FREQ=DAILY\r\nX-A:1"}`): "recurrence.rrule",
		with(`"recurrence": {"rrule": "FREQ=DAILY", "exceptions": ["2027-03-01"]}`): "recurrence.exceptions.0",
	} {
		a := p.do("POST", adaEvents, body).want(422)
		if !strings.Contains(a.Body.String(), `"field":"`+field+`"`) {
			t.Errorf("%s: %s, want %s", body, a.Body, field)
		}
	}
	p.do("POST", adaEvents, with(`"uid": "x"`)).want(201)
	p.do("POST", adaEvents, with(`"uid": "x"`)).want(409)
	p.do("POST", adaBlocks, with(`"uid": "x"`)).want(409)
	p.as(reader).do("POST", adaEvents, `{"start": 1}`).want(403)
	p.as(rival).do("POST", adaEvents, `{}`).want(404)
}

// A new block without end began in the year 1, because only a time with an end
// was taken over.
func TestANewBlockWithoutEndBeginsWhenItSays(t *testing.T) {
	p := newPlace(t)
	var b CalendarEvent
	p.do("POST", adaBlocks, `{"start": "2027-03-02T12:00:00Z", "open_ended": true}`).want(201).into(&b)
	if b.Start != "2027-03-02T13:00:00+01:00" || b.End != nil {
		t.Errorf("%s, %v", b.Start, b.End)
	}
	p.do("POST", adaBlocks, `{"start": "2027-03-02T12:00:00Z"}`).want(422)
}
