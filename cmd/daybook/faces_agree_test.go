package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"daybook/ical/span"
)

// What one fact is in every face, said of an event or a block in Ada's
// calendar, which has no other in those days.

// Who makes and changes it.
const (
	byHouse  = "house"
	byTrybe  = "Trybe"
	byOnlive = "Onlive"
	byClient = "client"
)

var berlinTime = mustZone("Europe/Berlin")

func mustZone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

func berlinDay(text string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, text, berlinTime)
	if err != nil {
		panic(err)
	}
	return t
}

func spanOf(from, to string) span.Span { return span.Span{Start: berlinDay(from), End: berlinDay(to)} }

// instantOf reads a time of the house API.
func instantOf(t rapid.TB, v any) time.Time {
	t.Helper()
	s, _ := v.(string)
	if len(s) == len(time.DateOnly) {
		return berlinDay(s)
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// sight is an event or a block as the house API and the calendar client see it.
type sight struct {
	*world
	phone      *phone
	href, id   string
	block      bool
	text       string
	house      map[string]any
	start, end time.Time
	in         []string // UUIDs of the calendars that a block is in
}

// same compares what a face says of a member.
func (s *sight) same(face string, got any, want map[string]any) {
	s.Helper()
	m, ok := got.(map[string]any)
	if !ok {
		s.Fatalf("%s says %v, want %v\nof\n%s", face, got, want, s.text)
	}
	for name, w := range want {
		if !reflect.DeepEqual(m[name], w) {
			s.Fatalf("%s: %s is %v, want %v\nof\n%s\nhouse: %v", face, name, m[name], w, s.text, s.house)
		}
	}
}

// days gives the days in Berlin around the start, for lists.
func (s *sight) days() (from, to string) {
	at := s.start.In(berlinTime)
	return at.AddDate(0, 0, -1).Format(time.DateOnly), at.AddDate(0, 0, 2).Format(time.DateOnly)
}

// look reads an event or block that does not recur through every face, and
// checks that all say the same.
func (w *world) look(p *phone, href, id string, block bool, in ...string) *sight {
	w.Helper()
	s := &sight{world: w, phone: p, href: href, id: id, block: block, in: in, text: p.fetch(href)}
	one := "/v1/calendars/ada/events/" + id
	if block {
		one = "/v1/blocks/" + id
	}
	s.house, _ = w.get(one).(map[string]any)
	s.start = instantOf(w, s.house["start"])
	s.end = s.start.AddDate(10, 0, 0)
	if s.house["end"] != nil {
		s.end = instantOf(w, s.house["end"])
	}
	s.inList()
	if block {
		s.inTrybe()
		s.inOnlive()
	}
	s.inTimeTap()
	s.inFeed()
	s.takesTime()
	return s
}

const inHouse = "the house's list"

// only gives the one that a list has; nil of a block without length, which for
// the contract APIs is none.
func (s *sight) only(face string, items []any) any {
	s.Helper()
	want := 1
	if s.block && s.end.Equal(s.start) && face != inHouse {
		want = 0
	}
	if len(items) != want {
		s.Fatalf("%s lists %v, want %d\nof\n%s", face, items, want, s.text)
	}
	if want == 0 {
		return nil
	}
	return items[0]
}

func (s *sight) inList() {
	s.Helper()
	from, to := s.days()
	kind := "events"
	if s.block {
		kind = "blocks"
	}
	items := list(dig(s.get("/v1/calendars/ada/"+kind+"?from="+from+"&to="+to), "items"))
	s.same(inHouse, s.only(inHouse, items), s.house)
}

func (s *sight) inTrybe() {
	s.Helper()
	show := func(t time.Time) string { return t.In(berlinTime).Format("2006-01-02T15:04:05-07:00") }
	ids := func(own ...string) []any {
		out := []any{}
		for _, id := range own {
			if slices.Contains(s.in, id) {
				out = append(out, id)
			}
		}
		return out
	}
	h := s.house
	want := map[string]any{
		"id": s.id, "site_id": demoSite, "start_time": show(s.start), "end_time": show(s.end), "type": h["type"], "label": h["title"],
		"notes": h["notes"], "color": h["color"], "recurrence_id": nil,
		"practitioner_ids": ids(demoAda, facesBob), "room_ids": ids(demoRoom), "area_ids": ids(facesPool),
	}
	s.same(byTrybe, dig(s.get("/shop/blocked-times/"+s.id), "data"), want)
	from, to := s.days()
	if one := s.only("Trybe's list", list(dig(s.get("/shop/blocked-times?site_id="+demoSite+"&date_from="+from+"&date_to="+to), "data"))); one != nil {
		s.same("Trybe's list", one, want)
	}
}

var defaultTitles = map[any]string{"break": "Break", "cleaning": "Cleaning", "meeting": "Meeting", "other": "Blocked"}

func (s *sight) inOnlive() {
	s.Helper()
	h := s.house
	show := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
	want := map[string]any{
		"id": s.id, "start": show(s.start), "end": show(s.end), "title": h["title"], "description": h["notes"], "lang": h["lang"],
		"serviceId": h["service_id"], "origin": h["origin"], "externalId": h["external_id"], "extraFields": h["extra"],
		"state": map[any]string{"confirmed": "confirmed", "tentative": "pending", "cancelled": "cancelled"}[h["status"]], "blocked": true,
		"organizationId": demoSite,
	}
	if h["title"] == nil {
		want["title"] = defaultTitles[h["type"]]
	}
	if h["end"] == nil {
		want["end"] = nil
	}
	got := s.onlive("GET", "/api/v1/appointments/"+s.id, "").want(200).json()
	s.same(byOnlive, got, want)
	calendars := list(dig(got, "calendarIds"))
	if len(calendars) != len(s.in) || slices.ContainsFunc(s.in, func(id string) bool { return !slices.Contains(calendars, any(id)) }) {
		s.Fatalf("Onlive: calendars %v, want %v", calendars, s.in)
	}
	from, to := s.days()
	all := s.onlive("GET", "/api/v1/appointments?calendarIds="+demoAda+"&startDate="+from+"&endDate="+to, "").want(200).json()
	if one := s.only("Onlive's list", list(dig(all, "items"))); one != nil {
		s.same("Onlive's list", one, want)
	}
}

// timetapDate is how a date is written there.
const timetapDate = "Mon Jan 02 2006 15:04:05 UTC-0700"

// timetapStatus is the contract's table, of ours: status and substatus.
func timetapStatus(status, word any) (main, sub any) {
	switch {
	case status == "cancelled":
		return "CANCELLED", "CANCELLED"
	case word == "COMPLETED", word == "NOSHOW":
		return word, word
	case word != nil:
		return "OPEN", word
	case status == "tentative":
		return "OPEN", "PENDING"
	}
	return "OPEN", "OPEN"
}

func (s *sight) inTimeTap() {
	s.Helper()
	h := s.house
	show := func(t time.Time) string { return t.UTC().Format(timetapDate) }
	want := map[string]any{
		"startDateTimeUTC": show(s.start), "endDateTimeUTC": show(s.end), "start": show(s.start), "end": show(s.end), "allDay": h["all_day"],
		"appointmentType": s.timetapType(), "title": h["title"], "color": "#AA3355", "recurringAppointmentId": nil, "readOnly": false,
		"paid": h["invoice"] == "CLOSED", "uninvoiced": h["invoice"] == "NONE", "attendees": nil,
	}
	want["status"], want["subStatus"] = timetapStatus(h["status"], h["substatus"])
	if color, ok := h["color"].(string); ok {
		want["color"] = strings.ToUpper(color)
	}
	if h["title"] == nil {
		want["title"] = "(no title)"
		if s.block && without(s.text, inEvent, "SUMMARY") != s.text {
			want["title"] = defaultTitles[h["type"]]
		}
	}
	if come := s.timetapAttendees(); h["title"] == nil && want["appointmentType"] == "APPOINTMENT" && h["service_id"] == facesMassage && len(come) > 0 {
		want["title"] = fmt.Sprint(come[0], " for Massage with Ada")
	}
	if want["appointmentType"] == "CLASS" {
		want["attendees"] = s.timetapAttendees()
	}
	if h["visibility"] != "public" {
		want["title"], want["attendees"] = "Busy", nil
	}
	from, to := s.days()
	path := "/calendar/range/1?startDate=" + from + "&endDate=" + to + "&showTimeOff=1&showPaid=1"
	one := s.only("TimeTap", list(s.get(path)))
	if one == nil {
		return
	}
	s.same("TimeTap", one, want)
	s.same("TimeTap's event", dig(s.get(fmt.Sprintf("/calendar/event/%s/%.0f?showPaid=1", want["appointmentType"], dig(one, "id"))), 0), want)

	length := func(member string) time.Duration {
		d, err := time.ParseDuration(strings.ToLower(strings.TrimPrefix(fmt.Sprint(orNone(h[member])), "PT")))
		if err != nil {
			s.Fatal(err)
		}
		return d
	}
	wide := maps.Clone(want)
	before, after := s.start.Add(-length("buffer_before")), s.end.Add(length("buffer_after"))
	wide["startDateTimeUTC"], wide["endDateTimeUTC"], wide["start"], wide["end"] = show(before), show(after), show(before), show(after)
	s.same("TimeTap with buffers", s.only("TimeTap with buffers", list(s.get(path+"&showBuffer=1"))), wide)
}

func orNone(v any) any {
	if v == nil {
		return "PT0S"
	}
	return v
}

// timetapType is what an event is: its own word, a category, or by where it is.
func (s *sight) timetapType() string {
	words := []string{"APPOINTMENT", "CLASS", "TIME_OFF", "VACATION"}
	if t, ok := s.house["type"].(string); ok && slices.Contains(words, t) {
		return t
	}
	for _, c := range list(s.house["categories"]) {
		if t, ok := c.(string); ok && slices.Contains(words, strings.ToUpper(t)) {
			return strings.ToUpper(t)
		}
	}
	if s.block {
		return "TIME_OFF"
	}
	return "APPOINTMENT"
}

// timetapAttendees are those who come, by name or address, in the order of the
// lines: nobody who organizes it or has declined, no rooms, no things.
func (s *sight) timetapAttendees() []any {
	out := []any{}
	organizer := ""
	for _, l := range linesOf(s.text) {
		if l.in == inEvent && l.name == "ORGANIZER" {
			_, organizer, _ = strings.Cut(unfold(l.raw), ":mailto:")
		}
	}
	for _, l := range linesOf(s.text) {
		line := unfold(l.raw)
		params, address, _ := strings.Cut(line, ":mailto:")
		if l.in != inEvent || l.name != "ATTENDEE" || address == organizer || strings.Contains(params, "CUTYPE=R") || strings.Contains(params, "DECLINED") {
			continue
		}
		if _, name, ok := strings.Cut(params, `CN="`); ok {
			address, _, _ = strings.Cut(name, `"`)
		}
		out = append(out, address)
	}
	return out
}

// feed expects the event in Ada's feed, as it is stored.
func (s *sight) inFeed() {
	s.Helper()
	body := s.send("GET", facesFeed, "", nil).want(200).body
	uid := s.house["uid"].(string)
	if got, want := eventOf(body, uid), eventOf(s.text, uid); got != want || got == "" {
		s.Fatalf("the feed says\n%s\nof\n%s", got, want)
	}
}

// eventOf gives the VEVENTs with a UID, without the folds that are no matter.
func eventOf(text, uid string) string {
	var out, one strings.Builder
	ours := false
	for _, l := range linesOf(text) {
		if !strings.HasPrefix(l.in, inEvent) {
			continue
		}
		line := unfold(l.raw)
		one.WriteString(line + "\n")
		ours = ours || l.in == inEvent && line == "UID:"+uid
		if l.in == inEvent && l.name == "END" {
			if ours {
				out.WriteString(one.String())
			}
			one.Reset()
			ours = false
		}
	}
	return out.String()
}

// takesTime asks who needs to know whether it takes time: the calendar client's
// query and free-busy, and why its first minute cannot be booked.
func (s *sight) takesTime() {
	s.Helper()
	minute := s.start.Add(time.Minute)
	if found := s.phone.query(s.start, minute); !slices.Contains(found, s.href) {
		s.Fatalf("a query for %s finds %v, not\n%s", s.start, found, s.text)
	}
	want := s.house["busy"] == true && s.house["status"] != "cancelled" && s.end.After(s.start)
	if got := s.phone.busy(s.start, minute); got != want {
		s.Fatalf("free-busy says %v, want %v of\n%s", got, want, s.text)
	}
	why := s.get("/v1/explain?resource=ada&start=" + stamp8601(s.start) + "&end=" + stamp8601(minute))
	found := slices.ContainsFunc(list(dig(why, "reasons")), func(r any) bool { return dig(r, "event", "id") == s.id })
	if found != want {
		s.Fatalf("explain says %v, want %v of\n%s", why, want, s.text)
	}
}

func stamp8601(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// gone expects that no face has it any more.
func (s *sight) gone() {
	s.Helper()
	s.phone.sync()
	if _, known := s.phone.tags[s.href]; known {
		s.Fatalf("the client still has %s", s.href)
	}
	s.phone.dav("GET", s.href, "", nil).want(404)
	one := "/v1/calendars/ada/events/" + s.id
	if s.block {
		one = "/v1/blocks/" + s.id
		s.rest("GET", "/shop/blocked-times/"+s.id, "").want(404)
		s.onlive("GET", "/api/v1/appointments/"+s.id, "").want(404)
	}
	s.rest("GET", one, "").want(404)
	from, to := s.days()
	for _, path := range []string{
		"/v1/calendars/ada/events?from=" + from + "&to=" + to, "/v1/calendars/ada/blocks?from=" + from + "&to=" + to,
		"/calendar/range/1?startDate=" + from + "&endDate=" + to + "&showTimeOff=1", "/shop/blocked-times?site_id=" + demoSite + "&date_from=" + from + "&date_to=" + to,
	} {
		got := s.get(path)
		for _, member := range []string{"items", "data"} {
			if m, ok := got.(map[string]any); ok && m[member] != nil {
				got = m[member]
			}
		}
		if len(list(got)) != 0 {
			s.Fatalf("%s still has %v", path, got)
		}
	}
	if text := eventOf(s.send("GET", facesFeed, "", nil).want(200).body, s.house["uid"].(string)); !strings.Contains(text, "STATUS:CANCELLED") {
		s.Fatalf("the feed does not say that it is gone:\n%s", text)
	}
	if minute := s.start.Add(time.Minute); s.phone.busy(s.start, minute) {
		s.Fatal("free-busy still has it")
	}
}
