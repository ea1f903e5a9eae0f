package caldav

import (
	"fmt"
	"strings"
	"testing"
)

func compFilter(name string, inner ...string) string {
	return `<C:comp-filter name="` + name + `">` + strings.Join(inner, "") + `</C:comp-filter>`
}

func propFilter(name string, inner ...string) string {
	return `<C:prop-filter name="` + name + `">` + strings.Join(inner, "") + `</C:prop-filter>`
}

func timeRange(start, end string) string {
	s := "<C:time-range"
	if start != "" {
		s += ` start="` + start + `"`
	}
	if end != "" {
		s += ` end="` + end + `"`
	}
	return s + "/>"
}

func match(text string, attrs ...string) string {
	return "<C:text-match " + strings.Join(attrs, " ") + ">" + text + "</C:text-match>"
}

// query asks the calendar for what the filter inside of VCALENDAR matches.
func (w *world) query(t *testing.T, inner string) *reply {
	t.Helper()
	return w.ann("REPORT", cal, queryFor(inner), "Depth: 1").in(t)
}

// found checks which members match, named without .ics.
func (w *world) found(t *testing.T, inner, want string) {
	t.Helper()
	got := strings.ReplaceAll(w.query(t, inner).is(207).hrefs(), ".ics", "")
	if got != want {
		t.Errorf("found %q, not %q, by %s", got, want, inner)
	}
}

func TestChecklistQueryRefuses(t *testing.T) {
	w := newWorld(t)
	day := timeRange("20260301T000000Z", "20260302T000000Z")
	for name, tt := range map[string]struct{ inner, precondition string }{
		"74 a range on VCALENDAR":            {day, "valid-filter"},
		"74 a range on VTIMEZONE":            {compFilter("VTIMEZONE", day), "valid-filter"},
		"74 a range on STANDARD":             {compFilter("VTIMEZONE", compFilter("STANDARD", day)), "valid-filter"},
		"74 a range on what is unknown":      {compFilter("X-THING", day), "valid-filter"},
		"74 a range on SUMMARY":              {compFilter("VEVENT", propFilter("SUMMARY", day)), "valid-filter"},
		"74 VALARM directly below":           {compFilter("VALARM"), "valid-filter"},
		"74 VEVENT in VEVENT":                {compFilter("VEVENT", compFilter("VEVENT")), "valid-filter"},
		"74 VEVENT in VALARM":                {compFilter("VEVENT", compFilter("VALARM", compFilter("VEVENT"))), "valid-filter"},
		"75 neither start nor end":           {compFilter("VEVENT", timeRange("", "")), "valid-filter"},
		"75 dates":                           {compFilter("VEVENT", timeRange("20260301", "20260302")), "valid-filter"},
		"75 floating":                        {compFilter("VEVENT", timeRange("20260301T000000", "20260302T000000")), "valid-filter"},
		"75 an end before the start":         {compFilter("VEVENT", timeRange("20260302T000000Z", "20260301T000000Z")), "valid-filter"},
		"78 an unknown collation":            {compFilter("VEVENT", propFilter("SUMMARY", match("x", `collation="i;unknown"`))), "supported-collation"},
		"78 an unknown collation of a param": {compFilter("VEVENT", propFilter("ATTENDEE", `<C:param-filter name="CN">`+match("x", `collation="i;unknown"`)+`</C:param-filter>`)), "supported-collation"},
	} {
		t.Run(name, func(t *testing.T) { w.query(t, tt.inner).refuses(tt.precondition) })
	}
	whole := queryFor("")
	for name, tt := range map[string]struct{ body, precondition string }{
		"73 an unknown type":     {strings.Replace(whole, "<D:getetag/>", `<C:calendar-data content-type="text/vcard"/>`, 1), "supported-calendar-data"},
		"73 an unknown version":  {strings.Replace(whole, "<D:getetag/>", `<C:calendar-data content-type="text/calendar" version="1.0"/>`, 1), "supported-calendar-data"},
		"73 multiget":            {`<C:calendar-multiget` + ns + `><D:prop><C:calendar-data content-type="text/vcard"/></D:prop><D:href>` + cal + `x.ics</D:href></C:calendar-multiget>`, "supported-calendar-data"},
		"74 the top":             {strings.Replace(whole, `name="VCALENDAR"`, `name="VEVENT"`, 1), "valid-filter"},
		"74 no filter in it":     {strings.Replace(whole, `<C:comp-filter name="VCALENDAR"></C:comp-filter>`, "", 1), "valid-filter"},
		"88 garbage as timezone": {strings.Replace(whole, "</C:filter>", "</C:filter><C:timezone>x</C:timezone>", 1), "valid-calendar-data"},
		"88 an unknown zone":     {strings.Replace(whole, "</C:filter>", "</C:filter><C:timezone-id>Nowhere/Land</C:timezone-id>", 1), "valid-timezone"},
		"92 an unknown report":   {`<C:unheard-of` + ns + `/>`, "supported-report"},
	} {
		t.Run(name, func(t *testing.T) { w.ann("REPORT", cal, tt.body, "Depth: 1").in(t).refuses(tt.precondition) })
	}
}

func TestChecklistQueryFinds(t *testing.T) {
	w := newWorld(t)
	store := func(name string, components ...string) { w.put(cal+name+".ics", object(components...)) }
	alarm := "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT2H\r\nEND:VALARM"
	store("plain", component("VEVENT", "plain", "DTSTART:20260301T100000Z", "DTEND:20260301T110000Z", "SUMMARY:Straße Ünder", "CATEGORIES:red,dark blue", "CLASS:PUBLIC", "CREATED:20250101T120000Z"))
	store("series", component("VEVENT", "series", "DTSTART:20260401T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=5", "EXDATE:20260402T100000Z", "SUMMARY:Series", `ATTENDEE;CN="Ada";PARTSTAT=ACCEPTED:mailto:ada@example.com`),
		component("VEVENT", "series", "RECURRENCE-ID:20260403T100000Z", "DTSTART:20260501T100000Z", "DURATION:PT1H", "SUMMARY:Moved", alarm),
		component("VEVENT", "series", "RECURRENCE-ID:20260404T100000Z", "DTSTART:20260404T100000Z", "DURATION:PT1H", "STATUS:CANCELLED"))
	store("future", component("VEVENT", "future", "DTSTART:20260601T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4"),
		component("VEVENT", "future", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260603T100000Z", "DTSTART:20260603T200000Z", "DURATION:PT1H"))
	store("endless", component("VEVENT", "endless", "DTSTART;VALUE=DATE:20260701", "RRULE:FREQ=YEARLY"))
	store("alarmed", component("VEVENT", "alarmed", "DTSTART:20260801T100000Z", "DURATION:PT1H", "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT5H", "REPEAT:2", "DURATION:PT1H", "END:VALARM"))

	t.Run("76 open ranges", func(t *testing.T) {
		w.found(t, compFilter("VEVENT", timeRange("20260702T000000Z", "")), "endless,alarmed")
		w.found(t, compFilter("VEVENT", timeRange("", "20260302T000000Z")), "plain")
	})
	t.Run("77 what is not there", func(t *testing.T) {
		w.found(t, `<C:comp-filter name="VEVENT"><C:is-not-defined/></C:comp-filter>`, "")
		w.found(t, `<C:comp-filter name="VTODO"><C:is-not-defined/></C:comp-filter>`, "alarmed,endless,future,plain,series")
		w.found(t, compFilter("VEVENT", propFilter("CATEGORIES", "<C:is-not-defined/>")), "alarmed,endless,future,series")
		w.found(t, compFilter("VEVENT", propFilter("ATTENDEE", `<C:param-filter name="ROLE"><C:is-not-defined/></C:param-filter>`)), "series")
		w.found(t, compFilter("VEVENT", propFilter("ATTENDEE", `<C:param-filter name="CN"><C:is-not-defined/></C:param-filter>`)), "")
		w.found(t, compFilter("VEVENT", propFilter("STATUS", match("CANCELLED"))), "series") // any component of the name
	})
	t.Run("78 texts", func(t *testing.T) {
		w.found(t, compFilter("VEVENT", propFilter("SUMMARY", match("STRAßE"))), "plain")
		w.found(t, compFilter("VEVENT", propFilter("SUMMARY", match("STRAßE", `collation="i;octet"`))), "")
		w.found(t, compFilter("VEVENT", propFilter("SUMMARY", match("ünder", `collation="i;unicode-casemap"`))), "plain")
		w.found(t, compFilter("VEVENT", propFilter("SUMMARY", match("straße", `negate-condition="yes"`))), "series")
		w.found(t, compFilter("VEVENT", propFilter("CATEGORIES", match("BLUE"))), "plain")
		w.found(t, compFilter("VEVENT", propFilter("CATEGORIES", match("dark blue"))), "plain")
		w.found(t, compFilter("VEVENT", propFilter("ATTENDEE", `<C:param-filter name="PARTSTAT">`+match("accepted")+`</C:param-filter>`)), "series")
		w.found(t, compFilter("VEVENT", propFilter("UID", match("plain", `collation="i;octet"`))), "plain")
	})
	t.Run("79 instances", func(t *testing.T) {
		at := func(day string) string { return compFilter("VEVENT", timeRange(day+"T000000Z", day+"T235959Z")) }
		w.found(t, at("20260401"), "series")
		w.found(t, at("20260402"), "") // EXDATE
		w.found(t, at("20260403"), "") // moved out
		w.found(t, at("20260501"), "series")
		w.found(t, at("20260405"), "series")
		w.found(t, at("20260406"), "")
		w.found(t, compFilter("VEVENT", timeRange("20260604T090000Z", "20260604T120000Z")), "") // moved by THISANDFUTURE
		w.found(t, compFilter("VEVENT", timeRange("20260604T190000Z", "20260604T210000Z")), "future")
		w.found(t, at("20750701"), "endless")
		w.found(t, at("20750702"), "")
	})
	t.Run("81 alarms", func(t *testing.T) {
		at := func(start, end string) string {
			return compFilter("VEVENT", compFilter("VALARM", timeRange(start, end)))
		}
		w.found(t, at("20260801T045900Z", "20260801T050100Z"), "alarmed")
		w.found(t, at("20260801T065900Z", "20260801T070100Z"), "alarmed") // repeated
		w.found(t, at("20260801T075900Z", "20260801T080100Z"), "")
		w.found(t, at("20260501T075900Z", "20260501T080100Z"), "series") // of an override
		w.found(t, at("20260401T075900Z", "20260401T080100Z"), "")
		w.found(t, compFilter("VEVENT", compFilter("VALARM")), "alarmed,series")
		w.found(t, compFilter("VEVENT", `<C:comp-filter name="VALARM"><C:is-not-defined/></C:comp-filter>`), "endless,future,plain,series")
	})
	t.Run("82 times of properties", func(t *testing.T) {
		w.found(t, compFilter("VEVENT", propFilter("CREATED", timeRange("20250101T000000Z", "20250102T000000Z"))), "plain")
		w.found(t, compFilter("VEVENT", propFilter("CREATED", timeRange("20250102T000000Z", ""))), "")
		w.found(t, compFilter("VEVENT", propFilter("DTSTAMP", timeRange("", "20250101T000000Z"))), "")
	})
	t.Run("83 side by side means both", func(t *testing.T) {
		w.found(t, compFilter("VEVENT")+compFilter("VTODO"), "")
	})
	t.Run("91 Depth", func(t *testing.T) {
		w.ann("REPORT", cal, queryFor(compFilter("VEVENT"))).in(t).is(207).lists("")
		w.ann("REPORT", cal+"plain.ics", queryFor(compFilter("VEVENT"))).in(t).is(207).lists("plain.ics")
		w.ann("REPORT", cal, queryFor(compFilter("VEVENT")), "Depth: 2").in(t).is(400)
		ask := `<C:calendar-multiget` + ns + `><D:prop><D:getetag/></D:prop><D:href>` + cal + `plain.ics</D:href><D:href>` + cal + `missing.ics</D:href></C:calendar-multiget>`
		for _, depth := range []string{"0", "1", "infinity"} {
			w.ann("REPORT", cal, ask, "Depth: "+depth).in(t).is(207).lists("plain.ics,missing.ics 404") // 72 as well
		}
	})
}

// TestChecklistTasks is the table of RFC 4791 §9.9 for VTODO: each row of
// properties is asked for by windows before, around and after.
func TestChecklistTasks(t *testing.T) {
	w := newWorld(t)
	for name, lines := range map[string]string{
		"1-start-duration":    "DTSTART:20260310T100000Z\r\nDURATION:PT2H",
		"2-start-due":         "DTSTART:20260310T100000Z\r\nDUE:20260310T120000Z",
		"3-start":             "DTSTART:20260310T100000Z",
		"4-due":               "DUE:20260310T120000Z",
		"5-completed-created": "COMPLETED:20260310T120000Z\r\nCREATED:20260310T100000Z",
		"6-completed":         "COMPLETED:20260310T120000Z",
		"7-created":           "CREATED:20260310T100000Z",
		"8-nothing":           "SUMMARY:x",
	} {
		w.put(cal+name+".ics", object(component("VTODO", name, lines)))
	}
	for _, tt := range []struct{ start, end, want string }{
		{"20260309T000000Z", "20260309T010000Z", "7- no,8"},
		{"20260310T093000Z", "20260310T103000Z", "1,2,3,4 no,5,7,8"},
		{"20260310T110000Z", "20260310T113000Z", "1,2,5,7,8"},
		{"20260310T113000Z", "20260310T123000Z", "1,2,4,5,6,7,8"},
		{"20260311T000000Z", "20260311T010000Z", "7,8"},
		{"20260301T000000Z", "20260331T000000Z", "1,2,3,4,5,6,7,8"},
	} {
		got := w.query(t, compFilter("VTODO", timeRange(tt.start, tt.end))).is(207).hrefs()
		for n := range 8 {
			digit := fmt.Sprint(n + 1)
			want := strings.Contains(","+tt.want+",", ","+digit+",")
			if strings.Contains(got, digit+"-") != want {
				t.Errorf("%s to %s: row %s is found: %v", tt.start, tt.end, digit, !want)
			}
		}
	}
	w.put(cal+"alarmed.ics", object(component("VTODO", "alarmed", "DUE:20260501T100000Z", "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER;RELATED=END:-PT1H", "END:VALARM")))
	w.found(t, compFilter("VTODO", compFilter("VALARM", timeRange("20260501T083000Z", "20260501T093000Z"))), "alarmed")
	w.put(cal+"series.ics", object(component("VTODO", "series", "DTSTART:20260601T100000Z", "DUE:20260601T110000Z", "RRULE:FREQ=WEEKLY")))
	w.found(t, compFilter("VTODO", propFilter("RRULE"), timeRange("20260608T000000Z", "20260609T000000Z")), "series")
	w.put(cal+"journal.ics", object(component("VJOURNAL", "journal", "DTSTART;VALUE=DATE:20260601")))
	w.found(t, compFilter("VJOURNAL", timeRange("20260531T230000Z", "20260602T000000Z")), "journal")
}

func TestChecklistCalendarData(t *testing.T) {
	w := newWorld(t)
	zone := berlinZone[strings.Index(berlinZone, "BEGIN:VTIMEZONE"):strings.Index(berlinZone, "\r\nEND:VCALENDAR")]
	w.put(cal+"s.ics", object(zone, component("VEVENT", "s", "DTSTART;TZID=Europe/Berlin:20260401T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=5", "SUMMARY:S", "LOCATION:L"),
		component("VEVENT", "s", "RECURRENCE-ID;TZID=Europe/Berlin:20260402T100000", "DTSTART;TZID=Europe/Berlin:20260402T150000", "DURATION:PT1H", "SUMMARY:Moved"),
		component("VEVENT", "s", "RECURRENCE-ID;TZID=Europe/Berlin:20260405T100000", "DTSTART;TZID=Europe/Berlin:20260410T150000", "DURATION:PT1H", "SUMMARY:Far")))
	w.put(cal+"d.ics", object(component("VEVENT", "d", "DTSTART;VALUE=DATE:20260401", "RRULE:FREQ=DAILY;COUNT=3", "SUMMARY:D")))
	get := func(t *testing.T, name, data string) *reply {
		return w.ann("REPORT", cal, `<C:calendar-multiget`+ns+`><D:prop>`+data+`</D:prop><D:href>`+cal+name+`</D:href></C:calendar-multiget>`).in(t).is(207)
	}
	const window = ` start="20260401T000000Z" end="20260403T000000Z"/>`
	t.Run("84 a comp without children is everything", func(t *testing.T) {
		get(t, "s.ics", `<C:calendar-data><C:comp name="VCALENDAR"/></C:calendar-data>`).has("BEGIN:VEVENT", "SUMMARY:S", "RRULE")
		r := get(t, "s.ics", `<C:calendar-data><C:comp name="VCALENDAR"/><C:expand`+window+`</C:calendar-data>`).has("BEGIN:VEVENT", "RECURRENCE-ID")
		if n := strings.Count(r.body, "BEGIN:VEVENT"); n != 2 {
			t.Errorf("%d instances", n)
		}
		get(t, "s.ics", `<C:calendar-data><C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT"><C:prop name="SUMMARY"/><C:prop name="UID" novalue="yes"/></C:comp></C:comp></C:calendar-data>`).
			has("VERSION:2.0", "SUMMARY:S", "UID:&#13;").lacks("LOCATION", "VTIMEZONE", "PRODID", "UID:s")
	})
	t.Run("85 expand", func(t *testing.T) {
		r := get(t, "s.ics", `<C:calendar-data><C:expand`+window+`</C:calendar-data>`).
			has("DTSTART:20260401T080000Z", "RECURRENCE-ID:20260401T080000Z", "DTSTART:20260402T130000Z", "RECURRENCE-ID:20260402T080000Z", "DURATION:PT1H", "SUMMARY:Moved").
			lacks("RRULE", "VTIMEZONE", "TZID", "Far")
		if n := strings.Count(r.body, "BEGIN:VEVENT"); n != 2 {
			t.Errorf("%d instances", n)
		}
		get(t, "s.ics", `<C:calendar-data><C:expand start="20260410T000000Z" end="20260411T000000Z"/></C:calendar-data>`).has("RECURRENCE-ID:20260405T080000Z", "SUMMARY:Far")
		get(t, "d.ics", `<C:calendar-data><C:expand`+window+`</C:calendar-data>`).has("DTSTART;VALUE=DATE:20260402", "RECURRENCE-ID;VALUE=DATE:20260402").lacks("RRULE")
	})
	t.Run("86 limits", func(t *testing.T) {
		get(t, "s.ics", `<C:calendar-data><C:limit-recurrence-set`+window+`</C:calendar-data>`).has("RRULE", "SUMMARY:S", "SUMMARY:Moved", "VTIMEZONE").lacks("Far")
		w.put(cal+"fb.ics", object(component("VFREEBUSY", "fb", "DTSTART:20260401T000000Z", "DTEND:20260501T000000Z", "FREEBUSY:20260401T100000Z/PT1H,20260420T100000Z/PT1H")))
		get(t, "fb.ics", `<C:calendar-data><C:limit-freebusy-set`+window+`</C:calendar-data>`).has("20260401T100000Z/PT1H").lacks("20260420")
	})
}

func TestChecklistZonesOfQueries(t *testing.T) {
	w := newWorld(t)
	w.put(cal+"floating.ics", object(component("VEVENT", "floating", "DTSTART:20260701T100000", "DURATION:PT1H")))
	w.put(cal+"day.ics", object(component("VEVENT", "day", "DTSTART;VALUE=DATE:20260701")))
	// 14:00 UTC is 10:00 in New York; 04:00 UTC its midnight.
	york := "<C:timezone-id>America/New_York</C:timezone-id>"
	text := strings.ReplaceAll(strings.ReplaceAll(berlinZone, "Europe/Berlin", "America/New_York"), "\r", "&#13;")
	ask := func(t *testing.T, zone, start, end, want string) {
		t.Helper()
		body := strings.Replace(queryFor(compFilter("VEVENT", timeRange(start, end))), "</C:filter>", "</C:filter>"+zone, 1)
		w.ann("REPORT", cal, body, "Depth: 1").in(t).is(207).lists(want)
	}
	busy := func(t *testing.T) *reply {
		return w.ann("REPORT", cal, `<C:free-busy-query`+ns+`>`+timeRange("20260630T000000Z", "20260703T000000Z")+`</C:free-busy-query>`).in(t).is(200)
	}
	t.Run("87 the zone of the request", func(t *testing.T) {
		ask(t, york, "20260701T140000Z", "20260701T143000Z", "floating.ics,day.ics")
		ask(t, york, "20260702T033000Z", "20260702T035900Z", "day.ics")
		ask(t, york, "20260701T030000Z", "20260701T035900Z", "")
		ask(t, "<C:timezone>"+text+"</C:timezone>", "20260702T033000Z", "20260702T035900Z", "day.ics")
		body := strings.Replace(queryFor(compFilter("VEVENT", timeRange("20260630T000000Z", "20260703T000000Z"))), "</C:filter>", "</C:filter>"+york, 1)
		body = strings.Replace(body, "<D:getetag/>", `<C:calendar-data><C:expand start="20260630T000000Z" end="20260703T000000Z"/></C:calendar-data>`, 1)
		w.ann("REPORT", cal, body, "Depth: 1").in(t).is(207).has("DTSTART:20260701T100000&#13;", "DTSTART;VALUE=DATE:20260701") // floating times stay so (§9.6.5), but are in the window
	})
	t.Run("87 the zone of the calendar", func(t *testing.T) {
		w.ann("PROPPATCH", cal, setProps("<C:calendar-timezone-id>Asia/Tokyo</C:calendar-timezone-id>")).in(t).is(207)
		ask(t, "", "20260701T010000Z", "20260701T013000Z", "floating.ics,day.ics")
		ask(t, "", "20260630T150000Z", "20260630T153000Z", "day.ics")
		busy(t).has("20260630T150000Z/", "20260701T150000Z")
		ask(t, york, "20260630T150000Z", "20260630T153000Z", "")
	})
}

func TestChecklistFreeBusy(t *testing.T) {
	w := newWorld(t)
	put := func(name, start, end string, more ...string) {
		w.put(cal+name+".ics", event(name, start, end, more...))
	}
	put("a", "20260302T100000Z", "20260302T110000Z")
	put("b", "20260302T103000Z", "20260302T113000Z") // overlaps a
	put("c", "20260302T113000Z", "20260302T120000Z") // touches b
	put("t", "20260302T140000Z", "20260302T150000Z", "STATUS:TENTATIVE\r\n")
	put("x", "20260302T160000Z", "20260302T170000Z", "STATUS:CANCELLED\r\n")
	put("f", "20260302T180000Z", "20260302T190000Z", "TRANSP:TRANSPARENT\r\n")
	put("r", "20260301T200000Z", "20260301T210000Z", "RRULE:FREQ=DAILY;COUNT=3\r\n")
	ask := func(path, start, end string) *reply {
		return w.ann("REPORT", path, `<C:free-busy-query`+ns+`>`+timeRange(start, end)+`</C:free-busy-query>`, "Depth: 1").in(t)
	}
	r := ask(cal, "20260302T000000Z", "20260303T000000Z").is(200).
		has("BEGIN:VFREEBUSY\r\n", "DTSTART:20260302T000000Z\r\n", "DTEND:20260303T000000Z\r\n", "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260302T140000Z/").lacks("METHOD", "T160000Z", "T180000Z", "SUMMARY")
	if r.header.Get("Content-Type") != calendarType || strings.Count(r.body, "BEGIN:VFREEBUSY") != 1 {
		t.Errorf("%v", r.header)
	}
	text := strings.ReplaceAll(r.body, "\r\n ", "")
	for _, period := range []string{"20260302T100000Z/20260302T120000Z", "20260302T100000Z/PT2H"} {
		if strings.Contains(text, period) {
			text += "merged"
		}
	}
	if !strings.Contains(text, "merged") || !strings.Contains(text, "20260302T200000Z/") {
		t.Errorf("periods:\n%s", r.body)
	}
	for _, bad := range [][2]string{{"", ""}, {"20260302", "20260303"}, {"20260302T000000", "20260303T000000"}, {"20260303T000000Z", "20260302T000000Z"}} {
		ask(cal, bad[0], bad[1]).is(400)
	}
	ask(cal, "20270101T000000Z", "20270201T000000Z").is(200).has("BEGIN:VFREEBUSY").lacks("FREEBUSY:2", "FREEBUSY;")
	ask("/dav/calendars/bob/calendar/", "20260302T000000Z", "20260303T000000Z").is(403)
	w.ann("PROPPATCH", cal, setProps("<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>")).is(207)
	ask(home, "20260302T000000Z", "20260303T000000Z").is(200).lacks("FREEBUSY:2", "FREEBUSY;") // left out of the home's busy time
}
