package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Recurrence: RRULE, RDATE, EXDATE and overrides, written by clients and by
// REST, over a change of clocks.

// occurrence is an instance as the model has it.
type occurrence struct {
	start, end time.Time
	title      string
}

// seriesForm is how a client writes the times of a series.
type seriesForm struct {
	name   string
	params string // of DTSTART, EXDATE, …
	layout string
	zone   *time.Location
}

var seriesForms = []seriesForm{
	{"zoned", ";TZID=Europe/Berlin", "20060102T150405", berlinTime},
	{"UTC", "", "20060102T150405Z", time.UTC},
	{"floating", "", "20060102T150405", berlinTime},
}

func (f *seriesForm) write(name string, at time.Time) string {
	return name + f.params + ":" + at.In(f.zone).Format(f.layout)
}

// recurring is a series in Ada's calendar, one of blocks in the room's, too.
type recurring struct {
	*phone
	rt     *rapid.T
	kind   *kind
	form   seriesForm
	inRoom bool // it is in the room's calendar, too
	id     string
	title  string
	all    map[time.Time]occurrence // by the instant of RECURRENCE-ID
	alone  map[string]occurrence    // that left the series, by id
	href   string
	text   string
}

func seriesGoRoundTheFaces(t *testing.T, w *world) {
	cases(t, 5, func(rt *rapid.T) {
		w := w.on(rt)
		s := &recurring{
			phone: w.phone("ada"), rt: rt, kind: rapid.SampledFrom([]*kind{{true, blockRows()}, {false, eventRows()}}).Draw(rt, "kind"), form: seriesForms[0],
			title: "Class", all: map[time.Time]occurrence{}, alone: map[string]occurrence{},
		}
		s.make()
		s.check("made")
		names := slices.Sorted(maps.Keys(seriesActions))
		for _, name := range rapid.Permutation(names).Draw(rt, "order")[:7] {
			if !s.kind.block && strings.Contains(name, byTrybe) || len(s.all) < 3 {
				continue
			}
			before := s.text
			may := seriesActions[name](s)
			s.check(name)
			s.kept(name, before, may)
		}
		s.end()
		*w.dirty = false
	})
}

// make makes a series of Tuesdays, six of them, from before a change of clocks.
func (s *recurring) make() {
	s.Helper()
	maker := byClient
	if rapid.Bool().Draw(s.rt, "made by REST") {
		maker = byHouse
		if s.kind.block {
			maker = rapid.SampledFrom([]string{byHouse, byTrybe}).Draw(s.rt, "made by")
		}
	}
	if maker == byClient {
		s.form = rapid.SampledFrom(seriesForms).Draw(s.rt, "form")
	}
	first := berlinDay("2031-03-11").Add(9 * time.Hour)
	for i := range 6 {
		at := first.In(s.form.zone).AddDate(0, 0, 7*i).UTC()
		s.all[at] = occurrence{at, at.Add(time.Hour), s.title}
	}
	switch maker {
	case byTrybe:
		s.rest("POST", "/shop/blocked-times?site_id="+demoSite, `{"start_time": "2031-03-11T09:00:00", "end_time": "2031-03-11T10:00:00", "type": "meeting", "label": "Class",
			"practitioner_ids": ["`+demoAda+`"], "room_ids": ["`+demoRoom+`"], "recurrence": {"weekdays": ["tuesday"], "date_from": "2031-03-11", "date_to": "2031-04-15"}}`).want(201)
	case byHouse:
		path := strings.TrimSuffix(s.kind.path(""), "/")
		body := map[string]any{"start": "2031-03-11T09:00:00+01:00", "end": "2031-03-11T10:00:00+01:00", "title": "Class", "recurrence": map[string]any{"rrule": "FREQ=WEEKLY;COUNT=6"}}
		if s.kind.block {
			path, body["resources"] = "/v1/calendars/ada/blocks", []string{"room-1"}
		}
		s.rest("POST", path, jsonOf(s.rt, body)).want(201)
	case byClient:
		s.putNew(first)
	}
	if maker != byClient {
		s.inRoom = s.kind.block
		s.href, s.text = s.learn("made by " + maker)
	}
	from, to := "2031-03-01", "2031-05-01"
	kind := "events"
	if s.kind.block {
		kind = "blocks"
	}
	items := list(dig(s.get("/v1/calendars/ada/"+kind+"?from="+from+"&to="+to), "items"))
	s.id, _ = dig(items, 0, "series_id").(string)
}

// putNew writes the series as a client does: one day more by RDATE, one less by
// EXDATE, and an override from the beginning.
func (s *recurring) putNew(first time.Time) {
	s.Helper()
	var days []time.Time
	for at := range s.all {
		days = append(days, at)
	}
	slices.SortFunc(days, time.Time.Compare)
	extra := first.In(s.form.zone).AddDate(0, 0, 2).UTC()
	s.all[extra] = occurrence{extra, extra.Add(time.Hour), s.title}
	delete(s.all, days[4])
	lines := slices.Concat(foreign[:6], []string{"DTSTAMP:20270101T000000Z\r\n"}, []string{
		"UID:a-series\r\n", "SUMMARY;X-P=1:Class\r\n", "DURATION:PT1H\r\n", s.form.write("DTSTART", days[0]) + "\r\n", "RRULE:FREQ=WEEKLY;\r\n COUNT=6\r\n",
		s.form.write("RDATE", extra) + "\r\n", s.form.write("EXDATE", days[4]) + "\r\n",
	})
	if s.kind.block {
		lines = append(lines, "CATEGORIES:BLOCK\r\n")
	}
	zone := ""
	if s.form.params != "" {
		zone = zoneText(s.rt, "Europe/Berlin")
	}
	s.text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Other//EN\r\n" + zone + "BEGIN:VEVENT\r\n" + strings.Join(rapid.Permutation(lines).Draw(s.rt, "lines"), "") +
		foreignAlarm + "END:VEVENT\r\n" + s.override(days[2], "Moved", 2*time.Hour) + "END:VCALENDAR\r\n"
	s.href = s.path + "a-series.ics"
	s.put(s.href, s.text)
}

// override gives a component that moves an instance and names it, and notes it.
func (s *recurring) override(rid time.Time, title string, by time.Duration) string {
	s.all[rid] = occurrence{rid.Add(by), rid.Add(by + 90*time.Minute), title}
	mark := ""
	if s.kind.block {
		mark = "CATEGORIES:BLOCK\r\n"
	}
	uid := "a-series"
	if s.text != "" {
		uid = s.uid()
	}
	return "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20270101T000000Z\r\n" + s.form.write("RECURRENCE-ID", rid) + "\r\nX-OVER;X-P=\"a:b\":fol\r\n ded\r\n" +
		s.form.write("DTSTART", rid.Add(by)) + "\r\n" + mark + "SUMMARY:" + title + "\r\nDURATION:PT90M\r\nEND:VEVENT\r\n"
}

func (s *recurring) uid() string {
	for _, l := range linesOf(s.text) {
		if l.in == inEvent && l.name == "UID" {
			return unfold(l.raw)[len("UID:"):]
		}
	}
	return ""
}

// pick draws one of the instances.
func (s *recurring) pick(what string) time.Time {
	all := slices.Collect(maps.Keys(s.all))
	slices.SortFunc(all, time.Time.Compare)
	return rapid.SampledFrom(all).Draw(s.rt, what)
}

// overridden reports whether an instance has a component of its own.
func (s *recurring) overridden(rid time.Time) bool {
	return vevents(s.text)[s.form.write("RECURRENCE-ID", rid)] != ""
}

func (s *recurring) instance(rid time.Time) string { return s.id + "_" + stamp(rid) }

// may is what a change of the object may change: of each component the lines
// with some names. nil: nothing is compared, for it was the client's.
type may map[string][]string

const master = ""

// seriesActions are what is done to the series.
var seriesActions = map[string]func(*recurring) may{
	"a client's override": func(s *recurring) may {
		rid := s.pick("moved by a client")
		if s.overridden(rid) {
			return nil
		}
		s.put(s.href, strings.Replace(s.text, "END:VCALENDAR", s.override(rid, "Later", 3*time.Hour)+"END:VCALENDAR", 1))
		return nil
	},
	"a client's EXDATE": func(s *recurring) may {
		rid := s.pick("excluded by a client")
		if s.overridden(rid) {
			return nil
		}
		s.put(s.href, strings.Replace(s.text, "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\n"+s.form.write("EXDATE", rid)+"\r\n", 1))
		delete(s.all, rid)
		return nil
	},
	"a client's RDATE": func(s *recurring) may {
		at := berlinDay("2031-03-22").Add(11 * time.Hour).UTC()
		s.put(s.href, strings.Replace(s.text, "BEGIN:VEVENT\r\n", "BEGIN:VEVENT\r\n"+s.form.write("RDATE", at)+"\r\n", 1))
		s.all[at] = occurrence{at, at.Add(time.Hour), s.title}
		return nil
	},
	"a client's title": func(s *recurring) may {
		s.retitle("Workshop", func(string) bool { return true })
		s.put(s.href, strings.Replace(s.text, vevents(s.text)[master], lineReplaced(vevents(s.text)[master], "SUMMARY", "SUMMARY:Workshop"), 1))
		return nil
	},
	"Trybe changes an instance": func(s *recurring) may {
		rid := s.pick("split")
		got := s.rest("PUT", "/shop/blocked-times/"+s.instance(rid), `{"label": "Alone"}`).want(201).json()
		id, _ := dig(got, "data", "id").(string)
		o := s.all[rid]
		o.title = "Alone"
		s.alone[id] = o
		delete(s.all, rid)
		s.sync()
		if single := s.fetch(s.path + id + ".ics"); !has(single, "RELATED-TO;RELTYPE=PARENT:"+s.uid()) || without(single, inEvent, "RRULE", "RDATE", "EXDATE") != single {
			s.rt.Fatalf("what was split off is\n%s", single)
		}
		return may{master: {"EXDATE", "SEQUENCE"}, s.form.write("RECURRENCE-ID", rid): nil}
	},
	"Trybe deletes an instance": func(s *recurring) may {
		rid := s.pick("deleted by Trybe")
		s.rest("DELETE", "/shop/blocked-times/"+s.instance(rid), "").want(204)
		delete(s.all, rid)
		return may{master: {"EXDATE", "SEQUENCE"}, s.form.write("RECURRENCE-ID", rid): nil}
	},
	"the house deletes an instance": func(s *recurring) may {
		rid := s.pick("deleted by the house")
		s.rest("DELETE", s.kind.path(s.instance(rid)), "").want(204)
		delete(s.all, rid)
		return may{master: {"EXDATE", "SEQUENCE"}, s.form.write("RECURRENCE-ID", rid): nil}
	},
	"the house changes an instance": func(s *recurring) may {
		rid := s.pick("changed by the house")
		o := s.all[rid]
		o.title = "By itself"
		s.all[rid] = o
		s.rest("PATCH", s.kind.path(s.instance(rid)), `{"title": "By itself"}`).want(200)
		return may{s.form.write("RECURRENCE-ID", rid): {"SUMMARY"}}
	},
	"the house moves an instance": func(s *recurring) may {
		rid := s.pick("moved by the house")
		o := s.all[rid]
		o.start, o.end = rid.Add(30*time.Minute), rid.Add(75*time.Minute)
		s.all[rid] = o
		s.rest("PATCH", s.kind.path(s.instance(rid)), `{"start": "`+stamp8601(o.start)+`", "end": "`+stamp8601(o.end)+`"}`).want(200)
		return may{s.form.write("RECURRENCE-ID", rid): {"DTSTART", "DTEND", "DURATION", "SEQUENCE"}}
	},
	"the house changes a field of the series": func(s *recurring) may {
		rows := slices.DeleteFunc(slices.Clone(s.kind.rows), func(r row) bool {
			return slices.Contains([]string{"title", "type", "status", "busy", "visibility"}, r.member) // they are seen elsewhere, or change what is busy
		})
		r := rapid.SampledFrom(rows).Draw(s.rt, "field")
		v := value(s.rt, rapid.SampledFrom(r.values).Draw(s.rt, r.member).json)
		s.rest("PATCH", s.kind.path(s.id), jsonOf(s.rt, map[string]any{r.member: v})).want(200)
		if got := dig(s.get(s.kind.path(s.id)), r.member); !reflect.DeepEqual(got, v) {
			s.rt.Fatalf("%s of the series is %v, want %v", r.member, got, v)
		}
		out := may{master: r.lines}
		for rid := range s.all {
			out[s.form.write("RECURRENCE-ID", rid)] = r.lines
		}
		return out
	},
	"the house changes the series": func(s *recurring) may {
		was := s.title
		s.retitle("Renamed, all", func(title string) bool { return title != was }) // what is named as the series was follows
		s.rest("PATCH", s.kind.path(s.id), `{"title": "Renamed, all", "notes": "new"}`).want(200)
		out := may{master: {"SUMMARY", "DESCRIPTION"}}
		for rid := range s.all {
			out[s.form.write("RECURRENCE-ID", rid)] = []string{"SUMMARY", "DESCRIPTION"}
		}
		return out
	},
}

// retitle gives the series another title, which an override of some title
// keeps for itself.
func (s *recurring) retitle(title string, keeps func(string) bool) {
	for rid, o := range s.all {
		if !s.overridden(rid) || !keeps(o.title) {
			o.title = title
			s.all[rid] = o
		}
	}
	s.title = title
}

// vevents gives the VEVENTs of a text by their RECURRENCE-ID lines.
func vevents(text string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(text, "BEGIN:VEVENT\r\n") {
		lines, _, ok := strings.Cut(part, "END:VEVENT\r\n")
		if !ok {
			continue
		}
		one := "BEGIN:VEVENT\r\n" + lines + "END:VEVENT\r\n"
		key := master
		for _, l := range linesOf(one) {
			if l.name == "RECURRENCE-ID" {
				key = unfold(l.raw)
			}
		}
		out[key] = one
	}
	return out
}

// kept compares the components that were there before.
func (s *recurring) kept(why, before string, names may) {
	s.Helper()
	if names == nil {
		return
	}
	was, is := vevents(before), vevents(s.text)
	for key, a := range was {
		b, there := is[key]
		allowed, named := names[key]
		if !there && named && allowed == nil {
			continue // it went with its instance
		}
		if named {
			allowed = append(slices.Clone(allowed), timesOfChange...)
		}
		if x, y := without(a, "VEVENT", allowed...), without(b, "VEVENT", allowed...); x != y {
			s.rt.Fatalf("%s: %q was\n%s\nis\n%s", why, key, x, y)
		}
	}
	for key := range is {
		if _, named := names[key]; was[key] == "" && !named {
			s.rt.Fatalf("%s: %q is new in\n%s", why, key, s.text)
		}
	}
}

// told is one line for each instance: id, times and title.
type told []string

func (s *recurring) want(withSeries bool) (out told) {
	for rid, o := range s.all {
		id := s.instance(rid)
		if !withSeries {
			id = ""
		}
		out = append(out, tell(id, o.start, o.end, o.title))
	}
	for id, o := range s.alone {
		if !withSeries {
			id = ""
		}
		out = append(out, tell(id, o.start, o.end, o.title))
	}
	slices.Sort(out)
	return out
}

func tell(id string, start, end time.Time, title any) string {
	return fmt.Sprint(id, " ", stamp8601(start), " ", stamp8601(end), " ", title)
}

// check compares what every face lists.
func (s *recurring) check(why string) {
	s.Helper()
	s.sync()
	s.text = s.fetch(s.href)
	const from, to = "2031-03-01", "2031-05-01"
	got := map[string]told{}
	add := func(face string, items []any, id, start, end, title string) {
		got[face] = told{}
		for _, i := range items {
			text, _ := dig(i, id).(string)
			got[face] = append(got[face], tell(text, instantOf(s, dig(i, start)), instantOf(s, dig(i, end)), dig(i, title)))
		}
		slices.Sort(got[face])
	}
	if s.kind.block {
		add("the house", list(dig(s.get("/v1/calendars/ada/blocks?from="+from+"&to="+to), "items")), "id", "start", "end", "title")
		if s.inRoom {
			add("the house, of the room", list(dig(s.get("/v1/calendars/room-1/blocks?from="+from+"&to="+to), "items")), "id", "start", "end", "title")
		}
		add(byTrybe, list(dig(s.get("/shop/blocked-times?site_id="+demoSite+"&date_from="+from+"&date_to="+to), "data")), "id", "start_time", "end_time", "label")
		add(byOnlive, list(dig(s.onlive("GET", "/api/v1/appointments?limit=100&startDate="+from+"&endDate="+to, "").want(200).json(), "items")), "id", "start", "end", "title")
	} else {
		add("the house", list(dig(s.get("/v1/calendars/ada/events?from="+from+"&to="+to), "items")), "id", "start", "end", "title")
	}
	want := s.want(true)
	for face, told := range got {
		if !slices.Equal(told, want) {
			s.rt.Fatalf("after %s %s lists\n%s\nwant\n%s\nof\n%s", why, face, strings.Join(told, "\n"), strings.Join(want, "\n"), s.text)
		}
	}
	s.timetap(why, from, to)
	if feed := eventOf(s.send("GET", facesFeed, "", nil).want(200).body, s.uid()); feed != eventOf(s.text, s.uid()) {
		s.rt.Fatalf("after %s the feed has\n%s\nof\n%s", why, feed, s.text)
	}
	s.freeBusy(why)
}

// timetap expects ids that are counted from alias and minute, and the series'
// alias beside them.
func (s *recurring) timetap(why, from, to string) {
	s.Helper()
	var got told
	aliases := map[any]bool{}
	for _, i := range list(s.get("/calendar/range/1?startDate=" + from + "&endDate=" + to + "&showTimeOff=1")) {
		at := func(member string) time.Time {
			t, err := time.Parse(timetapDate, fmt.Sprint(dig(i, member)))
			if err != nil {
				s.Fatal(err)
			}
			return t
		}
		got = append(got, tell("", at("startDateTimeUTC"), at("endDateTimeUTC"), dig(i, "title")))
		id, _ := dig(i, "id").(float64)
		series, recurs := dig(i, "recurringAppointmentId").(float64)
		if minute := time.Unix((int64(id)-int64(series)<<27)*60, 0).UTC(); recurs {
			aliases[series] = true
			if _, ok := s.all[minute]; !ok {
				s.rt.Fatalf("after %s TimeTap's id %.0f is of no instance: %s", why, id, minute)
			}
		}
	}
	slices.Sort(got)
	if want := s.want(false); !slices.Equal(got, want) || len(aliases) > 1 {
		s.rt.Fatalf("after %s TimeTap lists\n%s\nwant\n%s\nof\n%s", why, strings.Join(got, "\n"), strings.Join(want, "\n"), s.text)
	}
}

// freeBusy compares the busy time of Ada, minute by minute.
func (s *recurring) freeBusy(why string) {
	s.Helper()
	a := s.dav("REPORT", s.path, `<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav"><C:time-range start="20310301T000000Z" end="20310501T000000Z"/></C:free-busy-query>`,
		map[string]string{"Content-Type": "application/xml", "Depth": "1"}).want(200)
	got, want := map[int64]bool{}, map[int64]bool{}
	add := func(to map[int64]bool, from, until time.Time) {
		for m := from.Unix() / 60; m < until.Unix()/60; m++ {
			to[m] = true
		}
	}
	for _, l := range linesOf(a.body) {
		if l.name != "FREEBUSY" {
			continue
		}
		_, value, _ := strings.Cut(unfold(l.raw), ":")
		for period := range strings.SplitSeq(value, ",") {
			from, until, _ := strings.Cut(period, "/")
			start, err1 := time.Parse("20060102T150405Z", from)
			end, err2 := time.Parse("20060102T150405Z", until)
			if err1 != nil || err2 != nil {
				s.Fatal(period, err1, err2)
			}
			add(got, start, end)
		}
	}
	for _, all := range []func(func(occurrence) bool){maps.Values(s.all), maps.Values(s.alone)} {
		for o := range all {
			add(want, o.start, o.end)
		}
	}
	if !maps.Equal(got, want) {
		s.rt.Fatalf("after %s free-busy is not of %v:\n%s\nof\n%s", why, s.want(true), a.body, s.text)
	}
}

// end deletes the series and what left it.
func (s *recurring) end() {
	s.Helper()
	for id := range s.alone {
		s.rest("DELETE", s.kind.path(id), "").want(204)
	}
	s.rest("DELETE", s.kind.path(s.id), "").want(204)
	s.sync()
	if len(s.tags) != 0 {
		s.rt.Fatalf("deleted, but the client has %v", s.tags)
	}
}
