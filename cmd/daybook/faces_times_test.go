package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// timeForm is when an event is, as a client writes it and as the house API
// says it.
type timeForm struct {
	lines      []string
	start, end string
	zone       any // as the house says it
}

var timeForms = []timeForm{
	{[]string{"DTSTART;TZID=Europe/Berlin:20310114T090000", "DTEND;TZID=Europe/Berlin:20310114T103000"}, "2031-01-14T09:00:00+01:00", "2031-01-14T10:30:00+01:00", "Europe/Berlin"},
	{[]string{"DTSTART;TZID=America/New_York:20310714T090000", "DURATION:PT90M"}, "2031-07-14T09:00:00-04:00", "2031-07-14T10:30:00-04:00", "America/New_York"},
	{[]string{"DTSTART:20310114T090000Z", "DTEND:20310114T100000Z"}, "2031-01-14T09:00:00Z", "2031-01-14T10:00:00Z", "UTC"},
	{[]string{"DTSTART:20310714T090000", "DTEND:20310714T100000"}, "2031-07-14T09:00:00+02:00", "2031-07-14T10:00:00+02:00", nil},
	{[]string{"DTSTART;VALUE=DATE:20310114"}, "2031-01-14", "2031-01-15", nil},
	{[]string{"DTSTART;VALUE=DATE:20310330", "DTEND;VALUE=DATE:20310401"}, "2031-03-30", "2031-04-01", nil},
	{[]string{"DTSTART;VALUE=DATE:20311025", "DURATION:P2D"}, "2031-10-25", "2031-10-27", nil},
	// A day is a day by the wall clock, 24 hours are 24 hours (RFC 5545 §3.3.6).
	{[]string{"DTSTART;TZID=Europe/Berlin:20310329T120000", "DURATION:P1D"}, "2031-03-29T12:00:00+01:00", "2031-03-30T12:00:00+02:00", "Europe/Berlin"},
	{[]string{"DTSTART;TZID=Europe/Berlin:20310329T120000", "DURATION:PT24H"}, "2031-03-29T12:00:00+01:00", "2031-03-30T13:00:00+02:00", "Europe/Berlin"},
	{[]string{"DTSTART;TZID=Europe/Berlin:20311026T023000", "DURATION:PT1H"}, "2031-10-26T02:30:00+02:00", "2031-10-26T02:30:00+01:00", "Europe/Berlin"}, // twice that day
	{[]string{"DTSTART:20310114T090000Z"}, "2031-01-14T09:00:00Z", "2031-01-14T09:00:00Z", "UTC"},                                                        // no length: it takes no time
}

func (f *timeForm) allDay() bool { return len(f.start) == len(time.DateOnly) }

func (f *timeForm) members() map[string]any {
	return map[string]any{"start": f.start, "end": f.end, "zone": f.zone, "all_day": f.allDay()}
}

var lineNamesOfTimes = []string{"DTSTART", "DTEND", "DURATION"}

// timesGoRoundTheFaces moves events and blocks: a client from one form of
// time to another, and REST in whatever form the client has left.
func timesGoRoundTheFaces(t *testing.T, w *world) {
	for i := range timeForms {
		f := &timeForms[i]
		t.Run(strings.Join(f.lines, " "), func(t *testing.T) {
			cases(t, 1, func(rt *rapid.T) {
				w := w.on(rt)
				k := rapid.SampledFrom([]*kind{{true, blockRows()}, {false, eventRows()}}).Draw(rt, "kind")
				var x *edited
				if rapid.Bool().Draw(rt, "made by REST") {
					x = w.madeByREST(rt, k)
				} else {
					x = w.madeByClient(rt, k)
				}
				x.phone.put(x.href, withZones(rt, replaced(rt, x.text, lineNamesOfTimes, f.lines...), f.lines))
				want := maps.Clone(x.house)
				maps.Copy(want, f.members())
				x.again("moved by a client", want)
				x.moveByREST(f)
				x.end()
			})
		})
	}
}

// moveByREST gives it other times, in the form that it has.
func (x *edited) moveByREST(f *timeForm) {
	x.Helper()
	faces := []string{byHouse}
	if x.kind.block {
		faces = append(faces, byTrybe)
	}
	face := rapid.SampledFrom(faces).Draw(x.rt, "moved by")
	days := face == byHouse && f.allDay() && rapid.Bool().Draw(x.rt, "days")
	to := rapid.SampledFrom([]struct{ start, end, first, last string }{
		{"2031-02-03T10:00:00+01:00", "2031-02-03T11:15:00+01:00", "2031-02-03", "2031-02-04"},
		{"2031-07-03T10:00:00+02:00", "2031-07-04T11:15:00+02:00", "2031-07-03", "2031-07-05"},
		{"2031-03-30T01:30:00+01:00", "2031-03-30T03:30:00+02:00", "2031-03-29", "2031-03-31"},
	}).Draw(x.rt, "to")
	before, want := x.text, maps.Clone(x.house)
	start, end := to.start, to.end
	if days {
		start, end = to.first, to.last
	}
	if face == byTrybe {
		x.rest("PUT", "/shop/blocked-times/"+x.id, jsonOf(x.rt, map[string]any{"start_time": start, "end_time": end})).want(200)
	} else {
		x.rest("PATCH", x.kind.path(x.id), jsonOf(x.rt, map[string]any{"start": start, "end": end})).want(200)
	}
	want["sequence"] = want["sequence"].(float64) + 1
	want["all_day"] = days
	if f.allDay() && !days {
		want["zone"] = "Europe/Berlin" // there was none, so it is that of the place
	}
	for _, member := range []string{"start", "end"} {
		delete(want, member)
	}
	x.phone.sync()
	x.again("moved by "+face, want)
	if from, until := instantOf(x, start), instantOf(x, end); !x.start.Equal(from) || !x.sight.end.Equal(until) {
		x.rt.Fatalf("moved by %s to %s - %s, is %v - %v", face, start, end, x.house["start"], x.house["end"])
	}
	if f.allDay() && !days { // it is told of the zone
		before, x.text = withoutZones(before), withoutZones(x.text)
	}
	x.kept(before, append(slices.Clone(lineNamesOfTimes), "SEQUENCE")...)
}

func withoutZones(text string) string {
	return textOf(slices.DeleteFunc(linesOf(text), func(l contentLine) bool { return strings.Contains(l.in, "VTIMEZONE") }))
}

// blocksWithoutEndGoRoundTheFaces: a block without end is that for all
// faces, until a client gives it one.
func blocksWithoutEndGoRoundTheFaces(t *testing.T, w *world) {
	cases(t, 2, func(rt *rapid.T) {
		w := w.on(rt)
		p := w.phone("ada")
		var id string
		if rapid.Bool().Draw(rt, "made by Onlive") {
			id, _ = dig(w.onlive("POST", "/api/v1/appointments/block-slot", `{"start": "2031-01-14T08:00:00Z", "calendarIds": ["`+demoAda+`"], "title": "Closed"}`).want(200).json(), "id").(string)
		} else {
			id, _ = dig(w.rest("POST", "/v1/calendars/ada/blocks", `{"start": "2031-01-14T09:00:00+01:00", "open_ended": true, "title": "Closed"}`).want(201).json(), "id").(string)
		}
		href, _ := p.learn("a block without end")
		x := &edited{&kind{true, blockRows()}, w.look(p, href, id, true, demoAda), rt}
		x.same("without end", x.house, map[string]any{"end": nil})
		endless := func() bool {
			return !slices.Contains([]int{200, 201}, w.onlive("POST", "/api/v1/appointments/block-slot", `{"start": "2060-01-14T08:00:00Z", "end": "2060-01-14T09:00:00Z", "calendarIds": ["`+demoAda+`"]}`).status)
		}
		if !endless() {
			rt.Fatalf("a time after it is free:\n%s", x.text)
		}
		x.editByClient(rowOf(x.kind.rows, "notes"))
		x.editByREST(rowOf(x.kind.rows, "color"))
		x.same("edited", x.house, map[string]any{"end": nil})

		x.phone.put(x.href, replaced(rt, x.text, lineNamesOfTimes, "DTSTART:20310114T080000Z", "DTEND:20310114T093000Z"))
		x.again("given an end by a client", map[string]any{"end": "2031-01-14T09:30:00Z", "title": "Closed"})
		if endless() {
			rt.Fatalf("a time after it is not free:\n%s", x.text)
		}
		x.phone.sync()
		before := x.text
		x.rest("PATCH", x.kind.path(id), `{"location": "Cellar"}`).want(200)
		x.phone.sync()
		x.again("and edited by REST", map[string]any{"end": "2031-01-14T09:30:00Z", "location": "Cellar"})
		x.kept(before, "LOCATION", "X-DAYBOOK-OPEN-ENDED")
	})
}

// languageGoesRoundTheFaces: the language is a parameter of title and notes.
func languageGoesRoundTheFaces(t *testing.T, w *world) {
	cases(t, 3, func(rt *rapid.T) {
		w := w.on(rt)
		k := rapid.SampledFrom([]*kind{{true, blockRows()}, {false, eventRows()}}).Draw(rt, "kind")
		p := w.phone("ada")
		tags := rapid.SampledFrom([]any{"de", "es-MX", nil})
		var id any
		first := tags.Draw(rt, "first")
		if k.block && rapid.Bool().Draw(rt, "made by Onlive") {
			body := map[string]any{"start": "2031-01-14T08:00:00Z", "end": "2031-01-14T09:00:00Z", "title": "Hola, tú", "description": "y ella", "calendarIds": []string{demoAda}, "lang": first}
			id = dig(w.onlive("POST", "/api/v1/appointments/block-slot", jsonOf(rt, body)).want(200).json(), "id")
		} else {
			body := map[string]any{"start": "2031-01-14T09:00:00+01:00", "end": "2031-01-14T10:00:00+01:00", "title": "Hola, tú", "notes": "y ella", "lang": first}
			path := strings.TrimSuffix(k.path(""), "/")
			if k.block {
				path = "/v1/calendars/ada/blocks"
			}
			id = dig(w.rest("POST", path, jsonOf(rt, body)).want(201).json(), "id")
		}
		href, _ := p.learn("made")
		x := &edited{k, w.look(p, href, id.(string), k.block, demoAda), rt}
		x.same("made", x.house, map[string]any{"lang": first, "title": "Hola, tú", "notes": "y ella"})

		second, param := tags.Draw(rt, "a client's"), ""
		if second != nil {
			param = ";LANGUAGE=" + second.(string)
		}
		x.phone.put(x.href, replaced(rt, x.text, []string{"SUMMARY", "DESCRIPTION"}, "SUMMARY"+param+`;X-P=1:Hola\, tú`, "DESCRIPTION"+param+":y ella"))
		want := maps.Clone(x.house)
		want["lang"] = second
		x.again("in another language", want)

		want["lang"] = tags.Draw(rt, "by REST")
		before := x.text
		x.rest("PATCH", k.path(x.id), jsonOf(rt, map[string]any{"lang": want["lang"]})).want(200)
		x.phone.sync()
		x.again("in another language by REST", want)
		x.kept(before, "SUMMARY", "DESCRIPTION")
		x.end()
	})
}

// anObjectThatComesBackIsTheSame: a UID keeps its ids in all APIs, also when
// a client deletes the object and puts it again, under another name.
func anObjectThatComesBackIsTheSame(t *testing.T, w *world) {
	cases(t, 2, func(rt *rapid.T) {
		w := w.on(rt)
		k := rapid.SampledFrom([]*kind{{true, blockRows()}, {false, eventRows()}}).Draw(rt, "kind")
		x := w.madeByClient(rt, k)
		alias := func() any {
			from, to := x.days()
			return dig(w.get("/calendar/range/1?startDate="+from+"&endDate="+to+"&showTimeOff=1"), 0, "id")
		}
		id, number, text := x.id, alias(), x.text
		x.end()
		href := x.phone.path + "another-name.ics"
		x.phone.put(href, text)
		x.phone.sync()
		x.sight = w.look(x.phone, href, w.idOf(k.block), k.block, demoAda)
		if now := alias(); x.id != id || now != number || number == nil && x.sight.end.After(x.start) {
			rt.Fatalf("was %s, %v; is %s, %v", id, number, x.id, now)
		}
		x.end()
	})
}
