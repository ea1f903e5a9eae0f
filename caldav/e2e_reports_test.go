package caldav_test

import (
	"slices"
	"strings"
	"testing"
)

// rawQuery is a calendar-query with any filter.
func rawQuery(data, filter, rest string) string {
	return `<C:calendar-query ` + namespaces + `><D:prop><D:getetag/>` + data + `</D:prop><C:filter>` + filter + `</C:filter>` + rest + `</C:calendar-query>`
}

func inCalendar(inner string) string {
	return `<C:comp-filter name="VCALENDAR">` + inner + `</C:comp-filter>`
}

func component(name, inner string) string {
	return `<C:comp-filter name="` + name + `">` + inner + `</C:comp-filter>`
}

const (
	aDay   = `<C:time-range start="20260105T000000Z" end="20260106T000000Z"/>`
	events = `<C:comp-filter name="VEVENT"/>`
)

// found gives the names of the members in the answer, in order.
func found(m *multistatus) string {
	var names []string
	for _, h := range m.hrefs {
		names = append(names, strings.TrimSuffix(h[strings.LastIndexByte(h, '/')+1:], ".ics"))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestQueriesThatMeanNothingBreakAPrecondition(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	for name, tt := range map[string]struct {
		body string
		rule string
	}{
		"top is not VCALENDAR":       {rawQuery("", events, ""), "valid-filter"},
		"time-range on VCALENDAR":    {rawQuery("", inCalendar(aDay), ""), "valid-filter"},
		"time-range on VTIMEZONE":    {rawQuery("", inCalendar(component("VTIMEZONE", aDay)), ""), "valid-filter"},
		"time-range on unknown":      {rawQuery("", inCalendar(component("X-FOO", aDay)), ""), "valid-filter"},
		"time-range on SUMMARY":      {rawQuery("", inCalendar(component("VEVENT", `<C:prop-filter name="SUMMARY">`+aDay+`</C:prop-filter>`)), ""), "valid-filter"},
		"VALARM in VCALENDAR":        {rawQuery("", inCalendar(component("VALARM", "")), ""), "valid-filter"},
		"VEVENT in VEVENT":           {rawQuery("", inCalendar(component("VEVENT", events)), ""), "valid-filter"},
		"VEVENT in VALARM":           {rawQuery("", inCalendar(component("VEVENT", component("VALARM", events))), ""), "valid-filter"},
		"no bound":                   {rawQuery("", inCalendar(component("VEVENT", `<C:time-range/>`)), ""), "valid-filter"},
		"a date":                     {rawQuery("", inCalendar(component("VEVENT", `<C:time-range start="20260105"/>`)), ""), "valid-filter"},
		"floating":                   {rawQuery("", inCalendar(component("VEVENT", `<C:time-range start="20260105T000000"/>`)), ""), "valid-filter"},
		"end before start":           {rawQuery("", inCalendar(component("VEVENT", `<C:time-range start="20260106T000000Z" end="20260105T000000Z"/>`)), ""), "valid-filter"},
		"unknown collation":          {rawQuery("", inCalendar(component("VEVENT", `<C:prop-filter name="SUMMARY"><C:text-match collation="i;unknown">x</C:text-match></C:prop-filter>`)), ""), "supported-collation"},
		"other media type":           {rawQuery(`<C:calendar-data content-type="application/x-other"/>`, inCalendar(""), ""), "supported-calendar-data"},
		"other version":              {rawQuery(`<C:calendar-data content-type="text/calendar" version="3.0"/>`, inCalendar(""), ""), "supported-calendar-data"},
		"garbage as timezone":        {rawQuery("", inCalendar(events), `<C:timezone>garbage</C:timezone>`), "valid-calendar-data"},
		"unknown timezone-id":        {rawQuery("", inCalendar(events), `<C:timezone-id>Nowhere/Land</C:timezone-id>`), "valid-timezone"},
		"multiget, other media type": {multiget(`<C:calendar-data content-type="application/x-other"/>`, adaCalendar+"single.ics"), "supported-calendar-data"},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.do("ada", "REPORT", adaCalendar, tt.body, "Depth: 1")
			a.t = t
			a.precondition(403, nsCal, tt.rule)
		})
	}
	w.do("ada", "REPORT", adaCalendar, `<C:nothing-such `+namespaces+`/>`).precondition(403, nsDAV, "supported-report")
	for _, timeRange := range []string{"", `<C:time-range/>`, `<C:time-range start="20260105" end="20260106"/>`} {
		w.do("ada", "REPORT", adaCalendar, `<C:free-busy-query `+namespaces+`>`+timeRange+`</C:free-busy-query>`, "Depth: 1").want(400)
	}
}

func TestQueriesFindWhatTheyMean(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	w.put(adaCalendar+"day.ics", calendar("BEGIN:VEVENT", "UID:day", "DTSTAMP:20260101T000000Z", "DTSTART;VALUE=DATE:20260110", "SUMMARY:Tag der offenen Tür", "CATEGORIES:Work,Public", "END:VEVENT"))
	w.put(adaCalendar+"floating.ics", event("floating", "20260112T233000", "Floating"))
	w.put(adaCalendar+"alarm.ics", event("alarm", "20260120T100000Z", "With alarm", "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT15M", "END:VALARM"))
	w.put(adaCalendar+"forever.ics", event("forever", "19970105T060000Z", "For ever", "RRULE:FREQ=WEEKLY", "CLASS:PRIVATE"))
	prop := func(name, inner string) string {
		return `<C:prop-filter name="` + name + `">` + inner + `</C:prop-filter>`
	}
	timeRange := func(start, end string) string { return `<C:time-range start="` + start + `" end="` + end + `"/>` }
	for _, tt := range []struct{ name, filter, rest, want string }{
		{"everything", inCalendar(""), "", "alarm day floating forever series single todo"},
		{"events", inCalendar(events), "", "alarm day floating forever series single"},
		{"tasks", inCalendar(component("VTODO", "")), "", "todo"},
		{"events and tasks at once", inCalendar(events + component("VTODO", "")), "", ""},
		{"a day", inCalendar(component("VEVENT", aDay)), "", "series single"},
		{"an override moved here", inCalendar(component("VEVENT", timeRange("20260107T120000Z", "20260107T140000Z"))), "", "series"},
		{"where it was moved from", inCalendar(component("VEVENT", timeRange("20260107T080000Z", "20260107T083000Z"))), "", ""},
		{"far in the future", inCalendar(component("VEVENT", timeRange("20450101T000000Z", "20450108T000000Z"))), "", "forever"},
		{"open end", inCalendar(component("VEVENT", `<C:time-range start="20260115T000000Z"/>`)), "", "alarm forever"},
		{"open start", inCalendar(component("VEVENT", `<C:time-range end="20000101T000000Z"/>`)), "", "forever"},
		{"a task", inCalendar(component("VTODO", timeRange("20260106T000000Z", "20260107T000000Z"))), "", "todo"},
		{"an alarm", inCalendar(component("VEVENT", component("VALARM", timeRange("20260120T094500Z", "20260120T094501Z")))), "", "alarm"},
		{"no alarm then", inCalendar(component("VEVENT", component("VALARM", timeRange("20260120T100000Z", "20260120T110000Z")))), "", ""},
		{"without alarm", inCalendar(component("VEVENT", component("VALARM", `<C:is-not-defined/>`)+aDay)), "", "series single"},
		{"by UID", inCalendar(component("VEVENT", prop("UID", `<C:text-match collation="i;octet">single</C:text-match>`))), "", "single"},
		{"case does not matter", inCalendar(component("VEVENT", prop("SUMMARY", `<C:text-match>TAG</C:text-match>`))), "", "day"},
		{"by unicode-casemap", inCalendar(component("VEVENT", prop("SUMMARY", `<C:text-match collation="i;unicode-casemap">TÜR</C:text-match>`))), "", "day"},
		{"a category", inCalendar(component("VEVENT", prop("CATEGORIES", `<C:text-match>publ</C:text-match>`))), "", "day"},
		{"negated", inCalendar(component("VEVENT", prop("CATEGORIES", `<C:text-match negate-condition="yes">home</C:text-match>`))), "", "day"},
		{"without a class", inCalendar(component("VEVENT", prop("CLASS", `<C:is-not-defined/>`)+aDay)), "", "series single"},
		{"with a class", inCalendar(component("VEVENT", prop("CLASS", ""))), "", "forever"},
		{"stamped", inCalendar(component("VEVENT", prop("DTSTAMP", timeRange("20260101T000000Z", "20260101T000001Z"))+aDay)), "", "series single"},
		{"all-day in UTC, where the calendar names no zone", inCalendar(component("VEVENT", timeRange("20260109T230000Z", "20260109T233000Z"))), "", ""},
		{"all-day in Berlin when asked for", inCalendar(component("VEVENT", timeRange("20260109T230000Z", "20260109T233000Z"))), `<C:timezone-id>Europe/Berlin</C:timezone-id>`, "day"},
		{"all-day in the zone asked for", inCalendar(component("VEVENT", timeRange("20260109T230000Z", "20260109T233000Z"))), `<C:timezone-id>America/New_York</C:timezone-id>`, ""},
		{"floating in the zone asked for", inCalendar(component("VEVENT", timeRange("20260113T043000Z", "20260113T044000Z"))), `<C:timezone-id>America/New_York</C:timezone-id>`, "floating"},
		{"floating in UTC, where the calendar names no zone", inCalendar(component("VEVENT", timeRange("20260112T223000Z", "20260112T224000Z"))), "", ""},
		{"floating in Berlin when asked for", inCalendar(component("VEVENT", timeRange("20260112T223000Z", "20260112T224000Z"))), `<C:timezone-id>Europe/Berlin</C:timezone-id>`, "floating"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := w.do("ada", "REPORT", adaCalendar, rawQuery("", tt.filter, tt.rest), "Depth: 1")
			a.t = t
			if got := found(a.multistatus()); got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAQueryWithoutDepthLooksAtTheTargetAlone(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	body := rawQuery("", inCalendar(""), "")
	if got := found(w.do("ada", "REPORT", adaCalendar, body).multistatus()); got != "" {
		t.Errorf("calendar: %q", got)
	}
	if got := found(w.do("ada", "REPORT", adaCalendar+"single.ics", body).multistatus()); got != "single" {
		t.Errorf("object: %q", got)
	}
}

func TestMultigetWorksFromWhereverItIsSent(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	w.put(adaCalendar+"a%20b%25.ics", event("odd", "20260105T100000Z", "Odd name"))
	hrefs := []string{adaCalendar + "single.ics", adaCalendar + "a%20b%25.ics", adaCalendar + "none.ics", "/dav/calendars/zoe/calendar/x.ics"}
	for _, target := range []string{adaHome, adaCalendar, adaCalendar + "single.ics"} {
		m := w.do("ada", "REPORT", target, multiget("<D:getetag/><C:calendar-data/>", hrefs...)).multistatus()
		if len(m.hrefs) != len(hrefs) {
			t.Errorf("%s: %v", target, m.hrefs)
		}
		for _, there := range hrefs[:2] {
			if m.at(t, there).text("calendar-data") == "" {
				t.Errorf("%s: no data of %s", target, there)
			}
		}
		if m := w.do("ada", "REPORT", target, multiget("<D:getetag/>", hrefs[0], hrefs[0])).multistatus(); len(m.hrefs) != 1 {
			t.Errorf("%s: asked twice: %v", target, m.hrefs)
		}
		if r := m.at(t, hrefs[2]); !strings.Contains(r.status, " 404 ") {
			t.Errorf("%s: missing member %q", target, r.status)
		}
		if r := m.at(t, hrefs[3]); !strings.Contains(r.status, " 404 ") && !strings.Contains(r.status, " 403 ") {
			t.Errorf("%s: unseen member %q", target, r.status)
		}
	}
}

func TestExpandGivesEachInstance(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	const expand = `<C:expand start="20260106T000000Z" end="20260108T000000Z"/>`
	for name, data := range map[string]string{
		"all":                `<C:calendar-data>` + expand + `</C:calendar-data>`,
		"comp has no inside": `<C:calendar-data><C:comp name="VCALENDAR"/>` + expand + `</C:calendar-data>`,
	} {
		m := w.do("ada", "REPORT", adaCalendar, rawQuery(data, inCalendar(component("VEVENT", `<C:time-range start="20260106T000000Z" end="20260108T000000Z"/>`)), ""), "Depth: 1").multistatus()
		got := m.at(t, adaCalendar+"series.ics").text("calendar-data")
		for _, want := range []string{
			"DTSTART:20260106T080000Z\r\n", "RECURRENCE-ID:20260106T080000Z\r\n",
			"DTSTART:20260107T130000Z\r\n", "RECURRENCE-ID:20260107T080000Z\r\n", "DURATION:PT30M\r\n", "SUMMARY:Moved\r\n",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is missing in\n%s", name, want, got)
			}
		}
		if strings.Count(got, "BEGIN:VEVENT") != 2 || strings.Contains(got, "RRULE") || strings.Contains(got, "TZID") {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

func TestFreeBusyTellsWhenNotWhat(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	w.put(adaCalendar+"tentative.ics", event("tentative", "20260106T100000Z", "Maybe", "STATUS:TENTATIVE"))
	w.put(adaCalendar+"free.ics", event("free", "20260106T150000Z", "Free", "TRANSP:TRANSPARENT"))
	w.put(adaCalendar+"off.ics", event("off", "20260106T160000Z", "Off", "STATUS:CANCELLED"))
	w.put(adaCalendar+"after.ics", event("after", "20260105T110000Z", "Right after"))
	const body = `<C:free-busy-query ` + namespaces + `><C:time-range start="20260105T000000Z" end="20260107T000000Z"/></C:free-busy-query>`
	for _, user := range []string{"ada", "ben"} {
		a := w.do(user, "REPORT", adaCalendar, body, "Depth: 1").want(200)
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/calendar") || strings.Count(a.body, "BEGIN:VFREEBUSY") != 1 || strings.Contains(a.body, "METHOD") {
			t.Errorf("answer %q\n%s", a.header.Get("Content-Type"), a.body)
		}
		text := strings.ReplaceAll(a.body, "\r\n ", "")
		for _, want := range []string{"20260105T080000Z", "20260105T100000Z/", "20260106T080000Z", "BUSY-TENTATIVE", "20260106T100000Z"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s is missing in\n%s", want, text)
			}
		}
		for _, not := range []string{"20260105T110000Z/", "20260106T150000Z", "20260106T160000Z", "Single", "series"} {
			if strings.Contains(text, not) {
				t.Errorf("%s is in\n%s", not, text)
			}
		}
	}
	w.do("eve", "REPORT", adaCalendar, body, "Depth: 1").want(403, 404)
	w.do("ben", "REPORT", "/dav/calendars/room-1/calendar/", body, "Depth: 1").want(200)
	w.do("ben", "PROPFIND", "/dav/calendars/room-1/calendar/", propfind("D:getetag"), "Depth: 1").want(403)
}

func TestAnObjectWithTooManyInstancesDoesNotSpoilTheOthers(t *testing.T) {
	w := newWorld(t)
	w.put(adaCalendar+"good.ics", event("good", "20260105T100000Z", "Good"))
	w.put(adaCalendar+"endless.ics", event("endless", "20260105T100000Z", "Endless", "RRULE:FREQ=SECONDLY"))
	data := `<C:calendar-data><C:expand start="20260101T000000Z" end="20260115T000000Z"/></C:calendar-data>`
	a := w.do("ada", "REPORT", adaCalendar, multiget("<D:getetag/>"+data, adaCalendar+"good.ics", adaCalendar+"endless.ics"))
	m := a.multistatus()
	if r := m.at(t, adaCalendar+"good.ics"); !strings.Contains(r.text("calendar-data"), "SUMMARY:Good") {
		t.Errorf("the good event: %+v", r)
	}
	if r := m.at(t, adaCalendar+"endless.ics"); !r.lacks["calendar-data"] || r.text("getetag") == "" || !strings.Contains(a.body, "number-of-matches-within-limits") {
		t.Errorf("the endless event: %s", a.body)
	}
}

func TestQueriesByParameter(t *testing.T) {
	w := newWorld(t)
	w.put(adaCalendar+"asked.ics", event("asked", "20260105T100000Z", "Asked", "ORGANIZER:mailto:ada@example.com",
		`ATTENDEE;PARTSTAT=NEEDS-ACTION;CN="Okri, Ben":mailto:ben@example.com`, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:eve@example.com"))
	w.put(adaCalendar+"done.ics", event("done", "20260106T100000Z", "Done", "ORGANIZER:mailto:ada@example.com", "ATTENDEE;PARTSTAT=ACCEPTED;CN=Ben:mailto:ben@example.com"))
	attendee := func(inner string) string {
		return inCalendar(component("VEVENT", `<C:prop-filter name="ATTENDEE">`+inner+`</C:prop-filter>`))
	}
	const ben = `<C:text-match>ben@example</C:text-match>`
	param := func(name, inner string) string {
		return `<C:param-filter name="` + name + `">` + inner + `</C:param-filter>`
	}
	for _, tt := range []struct{ name, filter, want string }{
		{"value", attendee(ben), "asked done"},
		{"value and parameter of one line", attendee(ben + param("PARTSTAT", `<C:text-match>accepted</C:text-match>`)), "done"},
		{"parameter alone", attendee(param("partstat", `<C:text-match>NEEDS-ACTION</C:text-match>`)), "asked"},
		{"negated", attendee(ben + param("PARTSTAT", `<C:text-match negate-condition="yes">ACCEPTED</C:text-match>`)), "asked"},
		{"quoted value", attendee(param("CN", `<C:text-match>okri, b</C:text-match>`)), "asked"},
		{"defined", attendee(param("CN", "")), "asked done"},
		{"not defined", attendee(param("CN", "<C:is-not-defined/>")), "asked"},
		{"nowhere", attendee(param("ROLE", "")), ""},
	} {
		if got := found(w.do("ada", "REPORT", adaCalendar, rawQuery("", tt.filter, ""), "Depth: 1").multistatus()); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	for name, filter := range map[string]string{
		"no name":          attendee("<C:param-filter/>"),
		"two conditions":   attendee(param("CN", "<C:is-not-defined/><C:text-match>x</C:text-match>")),
		"unknown negation": attendee(`<C:text-match negate-condition="perhaps">x</C:text-match>`),
	} {
		a := w.do("ada", "REPORT", adaCalendar, rawQuery("", filter, ""), "Depth: 1")
		a.request = name
		a.precondition(403, nsCal, "valid-filter")
	}
}
