package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The table "Hours → VAVAILABILITY": weekly hours and opening-hours calendars,
// changed by their APIs and by a calendar client, and what is open by them.

// testWeek is a Monday some weeks ahead, in whose week no clock changes.
func testWeek() time.Time {
	now := time.Now().In(berlinTime)
	m := time.Date(now.Year(), now.Month(), now.Day()+15-int(now.Weekday()), 0, 0, 0, 0, berlinTime)
	for _, off := m.Zone(); ; m = m.AddDate(0, 0, 7) {
		if _, later := m.AddDate(0, 0, 8).Zone(); later == off {
			return m
		}
		_, off = m.AddDate(0, 0, 7).Zone()
	}
}

// openWeek is which minutes of a week, from Monday on, are open.
type openWeek [7 * 24 * 60]bool

func (o *openWeek) add(from, to int) {
	for m := from; m < to; m++ {
		o[m%len(o)] = true
	}
}

func (o *openWeek) String() string {
	var b strings.Builder
	for m := range o {
		if o[m] && (m == 0 || !o[m-1]) {
			fmt.Fprintf(&b, "%d-", m)
		}
		if o[m] && (m == len(o)-1 || !o[m+1]) {
			fmt.Fprintf(&b, "%d ", m+1)
		}
	}
	return b.String()
}

// addSpans adds the spans of a list that lie in the week of Monday.
func (o *openWeek) addSpans(t rapid.TB, items []any, monday time.Time, start, end string) *openWeek {
	for _, i := range items {
		from, to := instantOf(t, dig(i, start)), instantOf(t, dig(i, end))
		o.add(max(0, int(from.Sub(monday)/time.Minute)), min(len(o), int(to.Sub(monday)/time.Minute)))
	}
	return o
}

func clockOf(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

func minuteOf(t rapid.TB, v any) (minute int) {
	t.Helper()
	s, _ := v.(string)
	var h, m int
	if _, err := fmt.Sscanf(s, "%d:%d", &h, &m); err != nil {
		t.Fatal(s, err)
	}
	return 60*h + m
}

// weekSlot is a slot of Vastal's; times are minutes of the day.
type weekSlot struct {
	day        int // 0 is Sunday
	start, end int
	only       string
	active     bool
}

func (s weekSlot) body() map[string]any {
	out := map[string]any{"day_of_week": s.day, "start_time": clockOf(s.start) + ":00", "end_time": clockOf(s.end) + ":00", "is_active": s.active}
	if s.only != "" {
		out["appointment_type_id"] = s.only
	}
	return out
}

// monday counts days from Monday.
func (s weekSlot) monday() int { return (s.day + 6) % 7 * 24 * 60 }

// week is Vastal's week, as a client of it and a calendar client see it.
type week struct {
	*phone
	rt    *rapid.T
	slots []weekSlot
	ids   map[weekSlot]string
	extra *openWeek // what is open beside the slots
	href  string
	text  string
}

const vastalWeek = "/v1/calendar/availability"

func vastalsWeekGoesRoundTheFaces(t *testing.T, w *world) {
	cases(t, 4, func(rt *rapid.T) {
		w := w.on(rt)
		x := &week{phone: w.phone("demo"), rt: rt, extra: &openWeek{}}
		days := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6}).Draw(rt, "days")[:4]
		var bodies []any
		for i, day := range days[:3] {
			s := weekSlot{
				day: day, start: rapid.SampledFrom([]int{0, 9 * 60, 13*60 + 30}).Draw(rt, "start"), end: rapid.SampledFrom([]int{14 * 60, 17*60 + 15, 24 * 60}).Draw(rt, "end"),
				active: i == 0 || rapid.Bool().Draw(rt, "active"), only: rapid.SampledFrom([]string{"", "type_1"}).Draw(rt, "only"),
			}
			x.slots = append(x.slots, s)
			bodies = append(bodies, s.body())
		}
		w.rest("PUT", vastalWeek, jsonOf(rt, map[string]any{"schedules": bodies})).want(200)
		x.href, x.text = x.learn("PUT by Vastal")
		x.check("made")
		x.byClient()
		x.foreign()
		x.byVastal()
		x.byHouse(days[3])
		x.remove(x.href)
		*w.dirty = false
	})
}

// slotText is the AVAILABLE of a slot.
func (x *week) part(s weekSlot) string {
	x.Helper()
	names := []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}
	for _, p := range parts(x.text) {
		if strings.Contains(p, "BYDAY="+names[s.day]+"\r\n") && strings.Contains(p, fmt.Sprintf("T%02d%02d00\r\n", s.start/60, s.start%60)) {
			return p
		}
	}
	x.Fatalf("no part for %+v in\n%s", s, x.text)
	return ""
}

// parts gives the AVAILABLE components of a text.
func parts(text string) (out []string) {
	for part := range strings.SplitSeq(text, "BEGIN:AVAILABLE\r\n") {
		if lines, _, ok := strings.Cut(part, "END:AVAILABLE\r\n"); ok {
			out = append(out, "BEGIN:AVAILABLE\r\n"+lines+"END:AVAILABLE\r\n")
		}
	}
	return out
}

// byClient moves an edge or the day of a slot, or says whom it is for.
func (x *week) byClient() {
	x.Helper()
	s := &x.slots[0] // it is active
	was := x.part(*s)
	id := x.ids[*s]
	now := was
	switch rapid.SampledFrom([]string{"end", "start", "only"}).Draw(x.rt, "a client's change") {
	case "end":
		next := rapid.SampledFrom([]int{15 * 60, 16*60 + 45}).Draw(x.rt, "new end")
		day := anchorOf(was)
		now = lineReplaced(was, "DTEND", "DTEND;TZID=Europe/Berlin:"+day+fmt.Sprintf("T%02d%02d00", next/60, next%60))
		s.end = next
	case "start":
		next := rapid.SampledFrom([]int{5 * 60, 13*60 + 45}).Draw(x.rt, "new start")
		now = lineReplaced(was, "DTSTART", "DTSTART;TZID=Europe/Berlin:"+anchorOf(was)+fmt.Sprintf("T%02d%02d00", next/60, next%60))
		s.start = next
	case "only":
		s.only = "type_2"
		now = strings.Replace(lineReplaced(was, "X-DAYBOOK-APPOINTMENT-TYPE", ""), "END:AVAILABLE", "X-DAYBOOK-APPOINTMENT-TYPE:type_2\r\nEND:AVAILABLE", 1)
	}
	x.text = strings.Replace(x.text, was, now, 1)
	x.put(x.href, x.text)
	x.check("changed by a client")
	if x.ids[*s] != id {
		x.rt.Fatalf("the slot was %s and is %s", id, x.ids[*s])
	}
}

// anchorOf gives the day that an AVAILABLE begins on.
func anchorOf(part string) string {
	_, rest, _ := strings.Cut(part, "DTSTART;TZID=Europe/Berlin:")
	return rest[:8]
}

// lineReplaced gives a component with another line of a name in itself; "" for none.
func lineReplaced(part, name, line string) string {
	all := linesOf(part)
	for i, l := range all {
		if l.name == name && l.in == all[0].in || l.name == name && l.in == "VCALENDAR/VAVAILABILITY" {
			if all[i].raw = line; line != "" {
				all[i].raw += "\r\n"
			}
		}
	}
	return textOf(all)
}

// foreign adds what no API has a word for: an open evening, lines of the client.
func (x *week) foreign() {
	x.Helper()
	sunday := testWeek().AddDate(0, 0, 6).Format("20060102")
	const odd = "X-OTHER;X-P=\"a:b\":kept as\r\n  it is\r\nCOMMENT:x\r\n"
	evening := "BEGIN:AVAILABLE\r\nUID:evening\r\nDTSTAMP:20270101T000000Z\r\nDTSTART;TZID=Europe/Berlin:" + sunday + "T010000\r\nDURATION:PT1H\r\n" + odd + "END:AVAILABLE\r\n"
	part := x.part(x.slots[0])
	x.text = strings.Replace(x.text, part, strings.Replace(part, "END:AVAILABLE", odd+"END:AVAILABLE", 1)+evening, 1)
	x.text = strings.Replace(x.text, "BEGIN:AVAILABLE", "X-MORE:1\r\nBEGIN:AVAILABLE", 1)
	x.put(x.href, x.text)
	x.extra.add(6*24*60+60, 6*24*60+120)
	x.check("with an evening more")
}

// byVastal changes one slot: all other parts stay as they are, and so do the
// lines of this one that a slot does not say.
func (x *week) byVastal() {
	x.Helper()
	s := &x.slots[0]
	before, was, id := x.text, x.part(*s), x.ids[*s]
	s.end = rapid.SampledFrom([]int{18 * 60, 24 * 60}).Draw(x.rt, "Vastal's end")
	x.rest("PATCH", vastalWeek+"/"+id, jsonOf(x.rt, map[string]any{"end_time": clockOf(s.end) + ":00"})).want(200)
	x.sync()
	x.text = x.fetch(x.href)
	x.check("changed by Vastal")
	if x.ids[*s] != id {
		x.rt.Fatalf("the slot was %s and is %s", id, x.ids[*s])
	}
	now := x.part(*s)
	if a, b := without(was, "AVAILABLE", lineNamesOfTimes...), without(now, "AVAILABLE", lineNamesOfTimes...); a != b {
		x.rt.Fatalf("the part was\n%s\nis\n%s", was, now)
	}
	x.kept(strings.Replace(before, was, now, 1))
}

func (x *week) kept(before string) {
	x.Helper()
	names := append([]string{"SEQUENCE"}, timesOfChange...)
	if a, b := without(before, "VCALENDAR/VAVAILABILITY", names...), without(x.text, "VCALENDAR/VAVAILABILITY", names...); a != b {
		x.rt.Fatalf("other lines changed: was\n%s\nis\n%s", a, b)
	}
}

// byHouse opens one more day in the house's words.
func (x *week) byHouse(day int) {
	x.Helper()
	before := x.text
	weekly := list(dig(x.get("/v1/organisations/demo/hours"), "weekly"))
	name := strings.ToLower(time.Weekday(day).String())
	weekly = append(weekly, map[string]any{"day": name, "opens": "10:00", "closes": "12:00"})
	x.rest("PATCH", "/v1/organisations/demo/hours", jsonOf(x.rt, map[string]any{"weekly": weekly})).want(200)
	s := weekSlot{day: day, start: 600, end: 720, active: true}
	x.slots = append(x.slots, s)
	x.sync()
	x.text = x.fetch(x.href)
	x.check("opened a day more by the house")
	x.text = strings.Replace(x.text, x.part(s), "", 1)
	x.kept(before)
}

// check compares all that tell of the week.
func (x *week) check(why string) {
	x.Helper()
	fail := func(face string, got, want any) {
		x.Helper()
		x.rt.Fatalf("%s: %s says %v, want %v of\n%s", why, face, got, want, x.text)
	}
	var got []weekSlot
	x.ids = map[weekSlot]string{}
	for _, s := range list(dig(x.get(vastalWeek), "schedules")) {
		only, _ := dig(s, "appointment_type_id").(string)
		active, _ := dig(s, "is_active").(bool)
		day, _ := dig(s, "day_of_week").(float64)
		one := weekSlot{int(day), minuteOf(x, dig(s, "start_time")), minuteOf(x, dig(s, "end_time")), only, active}
		got = append(got, one)
		x.ids[one], _ = dig(s, "id").(string)
	}
	want := slices.Clone(x.slots)
	byDay := func(a, b weekSlot) int { return cmp.Compare(a.day, b.day) }
	slices.SortFunc(got, byDay)
	slices.SortFunc(want, byDay)
	if !slices.Equal(got, want) {
		fail("Vastal", got, want)
	}
	weekly, untyped := &openWeek{}, *x.extra
	for _, s := range want {
		if s.active {
			weekly.add(s.monday()+s.start, s.monday()+s.end)
			if s.only == "" {
				untyped.add(s.monday()+s.start, s.monday()+s.end)
			}
		}
	}
	open := *weekly
	for m, is := range x.extra {
		open[m] = open[m] || is
	}
	house := &openWeek{}
	for _, o := range list(dig(x.get("/v1/organisations/demo/hours"), "weekly")) {
		day, _ := dig(o, "day").(string)
		at := slices.Index([]string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}, day) * 24 * 60
		from, to := minuteOf(x, dig(o, "opens")), minuteOf(x, dig(o, "closes"))
		if to <= from {
			to += 24 * 60
		}
		house.add(at+from, at+to)
	}
	if *house != *weekly {
		fail(byHouse, house, weekly)
	}
	monday := testWeek()
	from, to := monday.Format(time.DateOnly), monday.AddDate(0, 0, 6).Format(time.DateOnly)
	window := "?from=" + stamp8601(monday) + "&to=" + stamp8601(monday.AddDate(0, 0, 7))
	vastal := (&openWeek{}).addSpans(x, list(dig(x.get("/v1/calendar/openings?from="+from+"&to="+to), "openings")), monday, "start_time", "end_time")
	if *vastal != open && *vastal != untyped {
		fail("Vastal's openings", vastal, &open)
	}
	for _, of := range []string{"ada", "demo"} {
		if o := (&openWeek{}).addSpans(x, list(dig(x.get("/v1/resources/"+of+"/openings"+window), "items")), monday, "start", "end"); *o != open {
			fail("openings of "+of, o, &open)
		}
	}
	feed := x.send("GET", "/feeds/secret-of-hours-01/hours.json", "", nil).want(200).json()
	var in []any
	for _, i := range list(dig(feed, "items")) {
		if at := instantOf(x, dig(i, "start")); !at.Before(monday.AddDate(0, 0, -1)) && at.Before(monday.AddDate(0, 0, 7)) && dig(i, "status") != "cancelled" {
			in = append(in, i)
		}
	}
	if f := (&openWeek{}).addSpans(x, in, monday, "start", "end"); *f != open {
		fail("the feed of the hours", f, &open)
	}
	property := x.dav("PROPFIND", x.path, `<D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><C:calendar-availability/></D:prop></D:propfind>`, map[string]string{"Content-Type": "application/xml", "Depth": "0"}).want(207)
	for _, p := range parts(x.text) {
		if !strings.Contains(lf(unescapeXML(property.body)), lf(p)) {
			fail("calendar-availability", property.body, p)
		}
	}
}

func unescapeXML(s string) string {
	return strings.NewReplacer("&#34;", `"`, "&quot;", `"`, "&#39;", "'", "&#xD;", "", "&#13;", "", "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}
