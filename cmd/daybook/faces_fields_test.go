package main

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// kind is blocks or events: both have rows, and are edited in the same ways.
type kind struct {
	block bool
	rows  []row
}

func (k *kind) path(id string) string {
	if k.block {
		return "/v1/blocks/" + id
	}
	return "/v1/calendars/ada/events/" + id
}

// foreign are lines that no face has a word for: odd folds, parameters, alarms.
var foreign = []string{
	"X-OTHER;X-P=\"a:b\":kept as\r\n  it is\r\n\t folded\r\n", "GEO:1.0;2.0\r\n", "PRIORITY:5\r\n", "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC\r\n",
	"ATTACH:https://example.com/a\r\n", "COMMENT;LANGUAGE=de:Hallo\r\n", "DTSTAMP:20270101T000000Z\r\n", "CREATED:20270101T000000Z\r\n", "SEQUENCE:3\r\n",
}

const foreignAlarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nSUMMARY:Alarm\r\nTRIGGER:-PT5M\r\nX-WR-ALARMUID:1\r\nEND:VALARM\r\n"

// made by REST or by a client, an object is now edited by both.
type edited struct {
	kind *kind
	*sight
	rt *rapid.T
}

// everyFieldGoesRoundTheFaces walks the rows: each is changed by a calendar
// client in an object that REST made, and by REST in one that a client made.
// Each time all faces show the change and nothing else, and every line that it
// does not name is as it was, byte by byte.
func everyFieldGoesRoundTheFaces(t *testing.T, w *world) {
	for name, k := range map[string]*kind{"block": {true, blockRows()}, "event": {false, eventRows()}} {
		for rows := range slices.Chunk(k.rows, 6) { // of one object
			t.Run(name+"/"+rows[0].member+" to "+rows[len(rows)-1].member, func(t *testing.T) {
				cases(t, 1, func(rt *rapid.T) {
					w := w.on(rt)
					x := w.madeByREST(rt, k)
					for _, r := range rows {
						x.editByClient(r)
					}
					x.editByREST(rapid.SampledFrom(rows).Draw(rt, "back"))
					x.end()
				})
				cases(t, 1, func(rt *rapid.T) {
					w := w.on(rt)
					x := w.madeByClient(rt, k)
					for _, r := range rows {
						x.editByREST(r)
					}
					x.editByClient(rapid.SampledFrom(rows).Draw(rt, "back"))
					x.end()
				})
			})
		}
	}
}

// madeByREST makes an object in one of the APIs, with values of its own.
func (w *world) madeByREST(rt *rapid.T, k *kind) *edited {
	faces := []string{byHouse}
	if k.block {
		faces = []string{byHouse, byTrybe, byOnlive}
	}
	face := rapid.SampledFrom(faces).Draw(rt, "made by")
	body, want := map[string]any{}, map[string]any{}
	for i := range k.rows {
		r := &k.rows[i]
		v := value(rt, rapid.SampledFrom(r.values).Draw(rt, r.member).json)
		switch member := map[string]string{byHouse: r.member, byTrybe: r.trybe, byOnlive: r.onlive}[face]; {
		case member == "":
		case v == nil && face == byOnlive: // nothing is ever null there
			want[r.member] = nil
		default:
			body[member], want[r.member] = v, v
		}
	}
	p := w.phone("ada")
	in := []string{demoAda}
	var id any
	switch face {
	case byHouse:
		body["start"], body["end"] = "2031-01-14T09:00:00+01:00", "2031-01-14T10:00:00+01:00"
		path := "/v1/calendars/ada/events"
		if k.block {
			path = "/v1/calendars/ada/blocks"
		}
		id = dig(w.rest("POST", path, jsonOf(rt, body)).want(201).json(), "id")
	case byTrybe:
		body["start_time"], body["end_time"] = "2031-01-14T09:00:00", "2031-01-14T10:00:00"
		body["practitioner_ids"], body["room_ids"] = []string{demoAda}, []string{demoRoom}
		in = append(in, demoRoom)
		id = dig(w.rest("POST", "/shop/blocked-times?site_id="+demoSite, jsonOf(rt, body)).want(201).json(), "data", "id")
	case byOnlive:
		body["start"], body["end"], body["calendarIds"] = "2031-01-14T08:00:00Z", "2031-01-14T09:00:00Z", []string{demoAda}
		id = dig(w.onlive("POST", "/api/v1/appointments/block-slot", jsonOf(rt, body)).want(200).json(), "id")
	}
	href, _ := p.learn("made by " + face)
	x := &edited{k, w.look(p, href, id.(string), k.block, in...), rt}
	x.same("as "+face+" made it", x.house, want)
	return x
}

// madeByClient makes an object over CalDAV: its lines in some order, folded
// somehow, among foreign ones.
func (w *world) madeByClient(rt *rapid.T, k *kind) *edited {
	lines := slices.Clone(foreign)
	add := func(together ...string) {
		raw := ""
		for _, l := range together {
			raw += folded(rt, l)
		}
		lines = append(lines, raw)
	}
	add("UID:from-a-client")
	form := rapid.SampledFrom(timeForms).Draw(rt, "times")
	for _, l := range form.lines {
		add(l)
	}
	want := form.members()
	said := map[string]bool{}
	for i := range k.rows {
		r := &k.rows[i]
		v := rapid.SampledFrom(r.values).Draw(rt, r.member)
		if k.block && r.member == "categories" { // they mark it, too, if the type has not
			if said["CATEGORIES"] {
				continue
			}
		}
		add(v.lines...)
		for _, name := range v.drops {
			said[name] = true
		}
		want[r.member] = value(rt, v.json)
		maps.Copy(want, v.also)
	}
	lines = rapid.Permutation(lines).Draw(rt, "order")
	text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Other//EN\r\nX-WR-CALNAME:x\r\nBEGIN:VEVENT\r\n" + strings.Join(lines, "") + foreignAlarm + "END:VEVENT\r\nEND:VCALENDAR\r\n"
	p := w.phone("ada")
	href := p.path + "from-a-client.ics"
	p.put(href, withZones(rt, text, form.lines))
	x := &edited{k, w.look(p, href, w.idOf(k.block), k.block, demoAda), rt}
	x.same("as the client made it", x.house, want)
	return x
}

// idOf finds the one object of Ada's in the days of the tests.
func (w *world) idOf(block bool) string {
	w.Helper()
	path := "/v1/calendars/ada/events?from=2031-01-01&to=2031-12-31"
	if block {
		path = strings.Replace(path, "events", "blocks", 1)
	}
	items := list(dig(w.get(path), "items"))
	if len(items) != 1 {
		w.Fatalf("%v", items)
	}
	id, _ := dig(items[0], "id").(string)
	return id
}

// timesOfChange are the lines that every change moves.
var timesOfChange = []string{"DTSTAMP", "LAST-MODIFIED"}

// editByClient changes one row as a calendar client does.
func (x *edited) editByClient(r row) {
	x.Helper()
	v := rapid.SampledFrom(r.values).Draw(x.rt, "a client's "+r.member)
	want := maps.Clone(x.house)
	want[r.member] = value(x.rt, v.json)
	maps.Copy(want, v.also)
	text := replaced(x.rt, x.text, r.dropped(v), v.lines...)
	if x.kind.block {
		if r.member == "categories" && without(text, inEvent, "X-DAYBOOK-BLOCK-TYPE") == text {
			want["type"] = "other" // they said it
		}
		want["title"] = x.titleOf(text, want["type"])
	}
	x.phone.put(x.href, text)
	x.again("after a client's "+strings.Join(v.lines, " "), want)
}

// titleOf is the title that a block's SUMMARY is: none while it is the default
// of an untitled one.
func (x *edited) titleOf(text string, kind any) any {
	for _, l := range linesOf(text) {
		line := unfold(l.raw)
		if l.in != inEvent || l.name != "SUMMARY" {
			continue
		}
		title := strings.NewReplacer(`\\`, `\`, `\,`, ",", `\;`, ";", `\n`, "\n").Replace(line[strings.Index(line, ":")+1:])
		if has(text, "X-DAYBOOK-UNTITLED:TRUE") && title == defaultTitles[kind] {
			return nil
		}
		return title
	}
	return nil
}

// editByREST changes one row in one of the APIs that can.
func (x *edited) editByREST(r row) {
	x.Helper()
	v := value(x.rt, rapid.SampledFrom(r.values).Draw(x.rt, "new "+r.member).json)
	face := byHouse
	if r.trybe != "" && x.kind.block {
		face = rapid.SampledFrom([]string{byHouse, byTrybe}).Draw(x.rt, "changed by")
	}
	before, want := x.text, maps.Clone(x.house)
	want[r.member] = v
	if face == byTrybe {
		x.rest("PUT", "/shop/blocked-times/"+x.id, jsonOf(x.rt, map[string]any{r.trybe: v})).want(200)
	} else {
		x.rest("PATCH", x.kind.path(x.id), jsonOf(x.rt, map[string]any{r.member: v})).want(200)
	}
	x.phone.sync()
	x.again("after "+face+" said "+r.member+" "+jsonOf(x.rt, v), want)
	x.kept(before, r.lines...)
}

// kept expects that all lines are as they were but for those that a change
// names.
func (x *edited) kept(before string, names ...string) {
	x.Helper()
	names = append(slices.Clone(names), timesOfChange...)
	if a, b := without(before, inEvent, names...), without(x.text, inEvent, names...); a != b {
		x.rt.Fatalf("a change of %v changed other lines: was\n%s\nis\n%s", names, a, b)
	}
}

// again looks at it once more, and compares with what is expected.
func (x *edited) again(why string, want map[string]any) {
	x.Helper()
	x.sight = x.look(x.phone, x.href, x.id, x.kind.block, x.in...)
	for name, w := range want {
		if name != "updated_at" && name != "sequence" && !reflect.DeepEqual(x.house[name], w) {
			x.rt.Fatalf("%s: %s is %v, want %v\nof\n%s", why, name, x.house[name], w, x.text)
		}
	}
}

// end deletes it, in one of the faces.
func (x *edited) end() {
	x.Helper()
	faces := []string{byHouse, byClient}
	if x.kind.block {
		faces = append(faces, byTrybe, byOnlive)
	}
	if len(x.in) > 1 { // a client releases its own calendar alone
		faces = slices.DeleteFunc(faces, func(s string) bool { return s == byClient })
	}
	switch rapid.SampledFrom(faces).Draw(x.rt, "deleted by") {
	case byHouse:
		x.rest("DELETE", x.kind.path(x.id), "").want(204)
	case byTrybe:
		x.rest("DELETE", "/shop/blocked-times/"+x.id, "").want(204)
	case byOnlive:
		x.onlive("DELETE", "/api/v1/appointments/"+x.id, "").want(200)
	case byClient:
		x.phone.remove(x.href)
	}
	x.gone()
	*x.dirty = false
}
