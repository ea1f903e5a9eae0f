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

// library is an opening-hours calendar of the desk.
type library struct {
	*phone
	rt   *rapid.T
	id   string
	want map[string]any
	href string
	text string
}

func folioCalendarsGoRoundTheFaces(t *testing.T, w *world) {
	cases(t, 4, func(rt *rapid.T) {
		w := w.on(rt)
		x := &library{phone: w.phone("demo"), rt: rt}
		hour := func(day, start, end string) any {
			return map[string]any{"startDay": day, "startTime": start + ":00", "endDay": day, "endTime": end + ":00"}
		}
		night := map[string]any{"startDay": "FRIDAY", "startTime": "20:00:00", "endDay": "SATURDAY", "endTime": "01:59:00"}
		closed := map[string]any{"name": "Roof works", "startDate": "2031-01-20", "endDate": "2031-01-21", "openings": []any{}}
		concert := map[string]any{"name": "Concert, night", "startDate": "2031-01-22", "endDate": "2031-01-23", "openings": []any{
			map[string]any{"startDate": "2031-01-22", "startTime": "18:00:00", "endDate": "2031-01-23", "endTime": "00:29:00"},
		}}
		x.want = map[string]any{
			"name": "Winter; 2031", "startDate": "2031-01-11", "endDate": "2031-02-28", "assignments": []any{facesDesk},
			"normalHours": []any{hour("MONDAY", "09:00", "11:59"), hour("WEDNESDAY", rapid.SampledFrom([]string{"08:00", "10:30"}).Draw(rt, "opens"), "16:59"), night},
			"exceptions":  rapid.SampledFrom([][]any{{}, {closed}, {concert, closed}}).Draw(rt, "exceptions"),
		}
		x.id, _ = dig(w.rest("POST", "/calendar/calendars", jsonOf(rt, x.want)).want(201).json(), "id").(string)
		x.sync()
		for href := range x.tags {
			if text := x.fetch(href); strings.Contains(text, "\r\nUID:"+x.id+"\r\n") {
				x.href, x.text = href, text
			}
		}
		x.check("made")
		for _, do := range rapid.Permutation([]func(){x.clientRenames, x.clientCloses, x.clientTakesExceptions, x.folioReplaces, x.houseReplaces, x.clientMovesTheEnd}).Draw(rt, "order") {
			do()
		}
		w.rest("DELETE", "/calendar/calendars/"+x.id, "").want(204)
		x.sync()
		if len(x.tags) != 0 {
			rt.Fatalf("deleted, but the client has %v", x.tags)
		}
		*w.dirty = false
	})
}

// foreignOpening is what no API has a word for: it stays.
const foreignOpening = "X-OTHER;X-P=\"a:b\":kept as\r\n  it is\r\nCOMMENT;LANGUAGE=en:x\r\n"

func (x *library) write(why, text string) {
	x.Helper()
	x.put(x.href, text)
	x.text = text
	x.check(why)
}

func (x *library) clientRenames() {
	x.Helper()
	x.want["name"] = "Renamed, here"
	text := lineReplaced(x.text, "SUMMARY", `SUMMARY:Renamed\, here`)
	if !strings.Contains(text, foreignOpening) {
		text = strings.Replace(text, "END:AVAILABLE", foreignOpening+"END:AVAILABLE", 1)
	}
	x.write("renamed by a client", text)
}

// clientCloses moves the end of the first opening: its last minute is the one
// before DTEND.
func (x *library) clientCloses() {
	x.Helper()
	first, _ := list(x.want["normalHours"])[0].(map[string]any)
	was := fmt.Sprintf("T%s00\r\n", strings.ReplaceAll(clockOf(minuteOf(x, first["endTime"])+1), ":", ""))
	part := parts(x.text)[0]
	first["endTime"] = "12:59:00"
	x.write("closed later by a client", strings.Replace(x.text, part, strings.Replace(part, was, "T130000\r\n", 1), 1))
}

func (x *library) clientMovesTheEnd() {
	x.Helper()
	x.want["endDate"] = "2031-03-07"
	all := linesOf(x.text)
	for i, l := range all {
		if l.in == "VCALENDAR/VAVAILABILITY" && l.name == "DTEND" {
			all[i].raw = "DTEND;TZID=Europe/Berlin:20310308T000000\r\n"
		}
	}
	x.write("ended later by a client", textOf(all))
}

// clientTakesExceptions deletes the objects of the exceptions.
func (x *library) clientTakesExceptions() {
	x.Helper()
	for href := range x.tags {
		if href != x.href {
			x.remove(href)
		}
	}
	x.sync()
	x.want["exceptions"] = []any{}
	x.check("without exceptions")
}

// folioReplaces changes the last opening by FOLIO's PUT.
func (x *library) folioReplaces() {
	x.Helper()
	all := list(x.want["normalHours"])
	last, _ := all[len(all)-1].(map[string]any)
	last["startTime"] = "21:00:00"
	before := x.text
	x.rest("PUT", "/calendar/calendars/"+x.id, jsonOf(x.rt, x.want)).want(200, 204)
	x.sync()
	x.text = x.fetch(x.href)
	x.check("changed by FOLIO")
	x.kept(before, "DTSTART", "UID", "DTSTAMP")
}

// houseReplaces renames it in the house's words.
func (x *library) houseReplaces() {
	x.Helper()
	x.want["name"] = "By the house"
	before := x.text
	x.rest("PATCH", "/v1/opening-hours/"+x.id, `{"name": "By the house"}`).want(200)
	x.sync()
	x.text = x.fetch(x.href)
	x.check("renamed by the house")
	x.kept(before)
}

// kept expects that a change left all lines of the first parts as they were; of
// the last ones those with some names may differ.
func (x *library) kept(before string, names ...string) {
	x.Helper()
	a, b := parts(before), parts(x.text)
	if len(a) != len(b) {
		x.rt.Fatalf("was\n%s\nis\n%s", before, x.text)
	}
	for i := range a {
		if i >= len(a)-2 { // the night is cut in two
			a[i], b[i] = without(a[i], "AVAILABLE", names...), without(b[i], "AVAILABLE", names...)
		}
		if a[i] != b[i] {
			x.rt.Fatalf("was\n%s\nis\n%s", a[i], b[i])
		}
	}
	const in = "VCALENDAR/VAVAILABILITY"
	own := []string{"SUMMARY", "SEQUENCE", "DTSTAMP", "LAST-MODIFIED", "X-DAYBOOK-UPDATED-BY"}
	if outside(before, in, own) != outside(x.text, in, own) {
		x.rt.Fatalf("was\n%s\nis\n%s", before, x.text)
	}
}

func outside(text, in string, names []string) string {
	for _, p := range parts(text) {
		text = strings.Replace(text, p, "", 1)
	}
	return without(text, in, names...)
}

// check compares all that tell of the desk's hours.
func (x *library) check(why string) {
	x.Helper()
	fail := func(face string, got, want any) {
		x.Helper()
		x.rt.Fatalf("%s: %s says %v, want %v of\n%s", why, face, got, want, x.text)
	}
	folio := dig(x.get("/calendar/calendars?servicePointId="+facesDesk), "calendars", 0)
	for member, want := range x.want {
		if got := dig(folio, member); jsonOf(x, got) != jsonOf(x, want) {
			fail("FOLIO's "+member, got, want)
		}
	}
	house := x.get("/v1/opening-hours/" + x.id)
	if dig(house, "name") != x.want["name"] || dig(house, "from") != x.want["startDate"] || dig(house, "to") != x.want["endDate"] ||
		len(list(dig(house, "exceptions"))) != len(list(x.want["exceptions"])) || len(list(dig(house, "weekly"))) != len(list(x.want["normalHours"])) {
		fail(byHouse, house, x.want)
	}
	// Two weeks, day by day, by FOLIO's dates and by the openings.
	monday := berlinDay("2031-01-13")
	want := x.openDays(monday, 14)
	var got []string
	dates := list(dig(x.get("/calendar/dates/"+facesDesk+"/all-openings?startDate=2031-01-13&endDate=2031-01-26&includeClosed=true&limit=100"), "dates"))
	for _, d := range dates {
		day := fmt.Sprint(dig(d, "date"))
		if dig(d, "open") == true {
			if dig(d, "allDay") == true {
				day += " 0-1440"
			}
			for _, o := range list(dig(d, "openings")) {
				day += fmt.Sprintf(" %d-%d", minuteOf(x, dig(o, "startTime")), minuteOf(x, dig(o, "endTime"))+1)
			}
		}
		got = append(got, day)
	}
	if !slices.Equal(got, want) {
		fail("FOLIO's dates", got, want)
	}
	open := make([]string, 14)
	for i := range open {
		open[i] = monday.AddDate(0, 0, i).Format(time.DateOnly)
	}
	for _, o := range list(dig(x.get("/v1/resources/desk/openings?from="+stamp8601(monday)+"&to="+stamp8601(monday.AddDate(0, 0, 14))), "items")) {
		from, to := int(instantOf(x, dig(o, "start")).Sub(monday)/time.Minute), int(instantOf(x, dig(o, "end")).Sub(monday)/time.Minute)
		for day := from / 1440; day*1440 < to; day++ {
			open[day] += fmt.Sprintf(" %d-%d", max(from-day*1440, 0), min(to-day*1440, 1440))
		}
	}
	if !slices.Equal(open, want) {
		fail("the openings of the desk", open, want)
	}
}

// openDays is when the desk is open by what is wanted, as FOLIO says it: an
// exception stands in the place of the weekly hours on its days.
func (x *library) openDays(monday time.Time, n int) (out []string) {
	x.Helper()
	first, last := fmt.Sprint(x.want["startDate"]), fmt.Sprint(x.want["endDate"])
	for i := range n {
		at := monday.AddDate(0, 0, i)
		date := at.Format(time.DateOnly)
		line := date
		var spans [][2]int
		exception := slices.IndexFunc(list(x.want["exceptions"]), func(e any) bool {
			return fmt.Sprint(dig(e, "startDate")) <= date && date <= fmt.Sprint(dig(e, "endDate"))
		})
		switch {
		case date < first || date > last:
		case exception >= 0:
			for _, o := range list(dig(x.want["exceptions"], exception, "openings")) {
				from, to := minuteOf(x, dig(o, "startTime")), minuteOf(x, dig(o, "endTime"))+1
				spans = append(spans, daySpans(dig(o, "startDate") == date, dig(o, "endDate") == date, from, to)...)
			}
		default:
			name := strings.ToUpper(at.Weekday().String())
			for _, o := range list(x.want["normalHours"]) {
				from, to := minuteOf(x, dig(o, "startTime")), minuteOf(x, dig(o, "endTime"))+1
				spans = append(spans, daySpans(dig(o, "startDay") == name, dig(o, "endDay") == name, from, to)...)
			}
		}
		slices.SortFunc(spans, func(a, b [2]int) int { return cmp.Compare(a[0], b[0]) })
		for _, s := range spans {
			line += fmt.Sprintf(" %d-%d", s[0], s[1])
		}
		out = append(out, line)
	}
	return out
}

// daySpans gives what of an opening of at most two days is in one of them.
func daySpans(begins, ends bool, from, to int) [][2]int {
	switch {
	case begins && ends:
		return [][2]int{{from, to}}
	case begins:
		return [][2]int{{from, 1440}}
	case ends:
		return [][2]int{{0, to}}
	}
	return nil
}
