package caldav

import (
	"fmt"
	"strings"
	"testing"
)

// object makes a calendar of lines.
func object(lines ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCALENDAR\r\n"
}

// component makes a component with a UID.
func component(name, uid string, lines ...string) string {
	return "BEGIN:" + name + "\r\nUID:" + uid + "\r\nDTSTAMP:20260101T000000Z\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:" + name
}

func TestChecklistPUTRefuses(t *testing.T) {
	w := newWorld(t)
	vevent := func(lines ...string) string { return object(component("VEVENT", "bad", lines...)) }
	start := "DTSTART:20260301T100000Z"
	var many []string
	for i := range 101 {
		many = append(many, fmt.Sprintf("ATTENDEE:mailto:a%d@example.com", i))
	}
	latin := strings.Replace(vevent(start, "SUMMARY:x"), "SUMMARY:x", "SUMMARY:\xe4", 1)
	for name, tt := range map[string]struct{ data, precondition, contentType string }{
		"39 another media type":       {vevent(start), "supported-calendar-data", "text/plain"},
		"39 a vCard":                  {"BEGIN:VCARD\r\nEND:VCARD\r\n", "supported-calendar-data", "text/vcard"},
		"40 what does not parse":      {"garbage", "valid-calendar-data", ""},
		"40 nothing":                  {"", "valid-calendar-data", ""},
		"40 a component not closed":   {"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n", "valid-calendar-data", ""},
		"41 a bad rule":               {vevent(start, "RRULE:FREQ=DAILY;COUNT=x"), "valid-calendar-data", ""},
		"41 a rule without FREQ":      {vevent(start, "RRULE:COUNT=2"), "valid-calendar-data", ""},
		"41 a bad escape":             {vevent(start, `SUMMARY:\"x\"`), "valid-calendar-data", ""},
		"41 a control character":      {vevent(start, "SUMMARY:x\x08"), "valid-calendar-data", ""},
		"41 a bad date":               {vevent("DTSTART:20260231T100000Z"), "valid-calendar-data", ""},
		"41 a bad date-time":          {vevent("DTSTART:2026-03-01"), "valid-calendar-data", ""},
		"41 a bad SKIP":               {vevent(start, "RRULE:RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=OOPS"), "valid-calendar-data", ""},
		"42 DATE-TIME, DATE":          {vevent(start, "DTEND;VALUE=DATE:20260302"), "valid-calendar-data", ""},
		"42 DATE, DATE-TIME":          {vevent("DTSTART;VALUE=DATE:20260301", "DTEND:20260302T100000Z"), "valid-calendar-data", ""},
		"42 DATE, floating":           {vevent("DTSTART;VALUE=DATE:20260301", "DTEND:20260302T100000"), "valid-calendar-data", ""},
		"42 zoned, floating":          {vevent("DTSTART;TZID=Europe/Berlin:20260301T100000", "DTEND:20260301T110000"), "valid-calendar-data", ""},
		"42 floating, zoned":          {vevent("DTSTART:20260301T100000", "DTEND;TZID=Europe/Berlin:20260301T110000"), "valid-calendar-data", ""},
		"42 floating, UTC":            {vevent("DTSTART:20260301T100000", "DTEND:20260301T110000Z"), "valid-calendar-data", ""},
		"42 UTC, floating":            {vevent(start, "DTEND:20260301T110000"), "valid-calendar-data", ""},
		"43 a bad ACKNOWLEDGED":       {vevent(start, "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT5M", "ACKNOWLEDGED:yesterday", "END:VALARM"), "valid-calendar-data", ""},
		"44 VEVENT and VTODO":         {object(component("VEVENT", "bad", start), component("VTODO", "bad", "SUMMARY:x")), "valid-calendar-object-resource", ""},
		"45 METHOD":                   {strings.Replace(vevent(start), "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", 1), "valid-calendar-object-resource", ""},
		"46 two UIDs":                 {object(component("VEVENT", "bad", start), component("VEVENT", "worse", start, "RECURRENCE-ID:20260301T100000Z")), "valid-calendar-object-resource", ""},
		"47 an override of nothing":   {object(component("VEVENT", "bad", start, "RRULE:FREQ=DAILY;COUNT=3"), component("VEVENT", "bad", start, "RECURRENCE-ID:20260401T100000Z")), "valid-calendar-data", ""},
		"48 a zone that nobody knows": {vevent("DTSTART;TZID=Nowhere/Land:20260301T100000"), "valid-timezone", ""},
		"52 too many attendees":       {vevent(append(many, start, "ORGANIZER:mailto:o@example.com")...), "max-attendees-per-instance", ""},
		"52 too large":                {vevent(start, "DESCRIPTION:"+strings.Repeat("x", 11<<20)), "max-resource-size", ""},
		"55 not UTF-8":                {latin, "valid-calendar-data", "text/calendar"},
		"55 not UTF-8 but says so":    {latin, "valid-calendar-data", "text/calendar; charset=utf-8"},
		"55 another charset":          {latin, "valid-calendar-data", "text/calendar; charset=iso-8859-1"},
		"136 a scale nobody knows":    {vevent(start, "RRULE:RSCALE=MARTIAN;FREQ=YEARLY"), "supported-rscale", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.contentType == "" {
				tt.contentType = "text/calendar"
			}
			w.ann("PUT", cal+"bad.ics", tt.data, "Content-Type: "+tt.contentType).in(t).refuses(tt.precondition)
			w.ann("GET", cal+"bad.ics", "").in(t).is(404)
		})
	}
}

func TestChecklistPUTTakes(t *testing.T) {
	w := newWorld(t)
	vevent := func(lines ...string) string { return object(component("VEVENT", "ok", lines...)) }
	start := "DTSTART:20260301T100000Z"
	for name, data := range map[string]string{
		"42 UTC with TZID":              vevent("DTSTART;TZID=Europe/Berlin:20260301T100000", "DTEND:20260301T110000Z"),
		"42 two zones":                  vevent("DTSTART;TZID=Europe/Berlin:20260301T100000", "DTEND;TZID=America/New_York:20260301T110000"),
		"42 two dates":                  vevent("DTSTART;VALUE=DATE:20260301", "DTEND;VALUE=DATE:20260302"),
		"47 overrides of moved series":  object(component("VEVENT", "ok", start, "RRULE:FREQ=DAILY;COUNT=3"), component("VEVENT", "ok", start, "RECURRENCE-ID:20260302T100000Z")),
		"47 an override without master": object(component("VEVENT", "ok", start, "RECURRENCE-ID:20260302T100000Z")),
		"47 an override before":         object(component("VEVENT", "ok", start, "RECURRENCE-ID:20260302T100000Z"), component("VEVENT", "ok", start, "RRULE:FREQ=DAILY;COUNT=3")),
		"48 a known zone by name":       vevent("DTSTART;TZID=Europe/Zurich:20260301T100000"),
		"53 spaces in CREATED":          vevent(start, "CREATED: 20260101T000000Z"),
		"53 a line feed in quotes":      vevent(start, `ATTENDEE;CN="a\nb":mailto:a@example.com`),
		"53 a status without text":      vevent(start, "REQUEST-STATUS:2.0"),
		"53 P1DT":                       vevent(start, "DURATION:P1DT"),
		"54 VALUE other than TEXT":      vevent(start, "X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=a:geo:52.5,13.3", `X-RAW;VALUE=BINARY;ENCODING=BASE64:YQ==`, `X-TEXT:a\,b;c,d`),
		"56 UTF-8":                      vevent(start, "SUMMARY:ä€😀"),
		"no PRODID":                     strings.Replace(vevent(start), "PRODID:-//test//EN\r\n", "", 1),
		"empty values":                  vevent(start, "DESCRIPTION:", "LOCATION:"),
	} {
		t.Run(name, func(t *testing.T) {
			w.ann("DELETE", cal+"ok.ics", "")
			w.ann("PUT", cal+"ok.ics", data, `Content-Type: text/calendar; charset="utf-8"`).in(t).is(201)
			got := w.ann("GET", cal+"ok.ics", "").in(t).is(200)
			if !strings.HasPrefix(name, "53") && got.body != data {
				t.Errorf("came back as\n%s", got.body)
			}
		})
	}
	t.Run("49 50 UIDs are unique in a calendar", func(t *testing.T) {
		w.put(cal+"one.ics", event("one", "20260301T100000Z", "20260301T110000Z"))
		w.ann("PUT", cal+"two.ics", event("one", "20260301T100000Z", "20260301T110000Z")).in(t).refuses("no-uid-conflict").has("<D:href>" + cal + "one.ics</D:href>")
		w.ann("PUT", cal+"one.ics", event("another", "20260301T100000Z", "20260301T110000Z")).in(t).refuses("no-uid-conflict")
		w.ann("GET", cal+"one.ics", "").in(t).has("UID:one\r\n")
	})
	t.Run("51 the same UID in another calendar is another object", func(t *testing.T) {
		w.ann("MKCALENDAR", home+"second/", "").in(t).is(201)
		w.put(home+"second/one.ics", event("one", "20260302T100000Z", "20260302T110000Z"))
		w.ann("GET", cal+"one.ics", "").in(t).has("20260301T100000Z")
	})
	t.Run("56 a fold in a character", func(t *testing.T) {
		cut := strings.Replace(vevent(start, "SUMMARY:x\xc3\xa4y"), "\xc3\xa4", "\xc3\r\n \xa4", 1)
		w.ann("PUT", cal+"ok.ics", cut).in(t)
		w.ann("GET", cal+"ok.ics", "").in(t).has("SUMMARY:xäy")
	})
	t.Run("57 a zone of one year's rules", func(t *testing.T) {
		zone := "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:20251026T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE"
		w.put(cal+"zoned.ics", object(zone, component("VEVENT", "zoned", "DTSTART;TZID=Europe/Berlin:20260101T120000", "DURATION:PT1H", "RRULE:FREQ=MONTHLY")))
		busy := func(from, to string) *reply {
			return w.ann("REPORT", cal, `<C:free-busy-query`+ns+`><C:time-range start="`+from+`" end="`+to+`"/></C:free-busy-query>`).in(t).is(200)
		}
		busy("20260101T000000Z", "20260102T000000Z").has("20260101T110000Z/")
		busy("20260701T000000Z", "20260702T000000Z").has("20260701T100000Z/")
	})
	t.Run("58 what a PUT answers", func(t *testing.T) {
		data := event("answer", "20260301T100000Z", "20260301T110000Z")
		first := w.ann("PUT", cal+"answer.ics", data).in(t).is(201)
		again := w.ann("PUT", cal+"answer.ics", data).in(t).is(204)
		for _, r := range []*reply{first, again} {
			if e := r.header.Get("ETag"); r.body != "" || r.header.Get("Location") != "" || e == "" || strings.HasPrefix(e, "W/") {
				t.Errorf("%v %q", r.header, r.body)
			}
		}
		mended := w.ann("PUT", cal+"mended.ics", strings.ReplaceAll(event("mended", "20260301T100000Z", "20260301T110000Z"), "\r\n", "\n")).in(t).is(201)
		if mended.header.Get("ETag") != "" {
			t.Error("bytes that were mended have an ETag in the answer")
		}
	})
	t.Run("59 alarms are those that were put last", func(t *testing.T) {
		alarm := func(minutes string) string {
			return object(component("VEVENT", "alarm", start, "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT"+minutes+"M", "END:VALARM"))
		}
		w.put(cal+"alarm.ics", alarm("5"))
		w.put(cal+"alarm.ics", alarm("15"))
		if got := w.ann("GET", cal+"alarm.ics", "").in(t).body; got != alarm("15") {
			t.Errorf("got\n%s", got)
		}
	})
}

func TestChecklistJCal(t *testing.T) {
	w := newWorld(t)
	data := event("j", "20260301T100000Z", "20260301T110000Z", "CATEGORIES:a,b\r\n")
	w.put(cal+"j.ics", data)
	get := func(accept string) *reply { return w.ann("GET", cal+"j.ics", "", "Accept: "+accept).in(t).is(200) }
	t.Run("137 GET by Accept", func(t *testing.T) {
		for accept, jcal := range map[string]bool{
			"application/calendar+json": true, "application/calendar+json, text/calendar;q=0.5": true, "text/calendar;q=0.5, application/calendar+json;q=0.9": true,
			"application/calendar+json;q=0.2, text/calendar": false, "*/*": false, "text/calendar": false, "": false, "image/png": false,
			"application/*, text/calendar;q=0.1": true, "application/calendar+json;q=0, */*": false, "text/*;q=0.3, */*": true,
		} {
			r := get(accept)
			want := calendarType
			if jcal {
				want = jcalType
			}
			if got := r.header.Get("Content-Type"); got != want {
				t.Errorf("%q gives %s", accept, got)
			}
			if !strings.Contains(r.header.Get("Vary"), "Accept") {
				t.Errorf("Vary is %s", r.header.Get("Vary"))
			}
		}
		r := get(jcalType).has(`["vcalendar",`, `["categories",{},"text","a","b"]`)
		plain := get("text/calendar")
		if r.header.Get("ETag") == plain.header.Get("ETag") {
			t.Error("two representations have one strong tag")
		}
		w.ann("GET", cal+"j.ics", "", "Accept: "+jcalType, "If-None-Match: "+r.header.Get("ETag")).in(t).is(304)
		w.ann("GET", cal+"j.ics", "", "Accept: "+jcalType, "If-None-Match: "+plain.header.Get("ETag")).in(t).is(200)
		w.ann("PUT", cal+"j.ics", data, "If-Match: "+r.header.Get("ETag")).in(t).is(204)
	})
	t.Run("137 calendar-data", func(t *testing.T) {
		ask := `<C:calendar-multiget` + ns + `><D:prop><C:calendar-data content-type="application/calendar+json"/></D:prop><D:href>` + cal + `j.ics</D:href></C:calendar-multiget>`
		w.ann("REPORT", cal, ask).in(t).is(207).has("[&quot;vcalendar&quot;,")
		part := strings.Replace(ask, `json"/>`, `json"><C:comp name="VCALENDAR"><C:comp name="VEVENT"><C:prop name="UID"/></C:comp></C:comp></C:calendar-data>`, 1)
		w.ann("REPORT", cal, part).in(t).is(207).has("[&quot;uid&quot;,{},&quot;text&quot;,&quot;j&quot;]").lacks("categories")
		w.ann("PROPFIND", cal, propfind("<C:supported-calendar-data/>"), "Depth: 0").in(t).has(`content-type="application/calendar+json"`)
	})
	t.Run("137 PUT, and the way back", func(t *testing.T) {
		jcal := get(jcalType).body
		jcal = strings.ReplaceAll(jcal, `"j"`, `"put"`)
		r := w.ann("PUT", cal+"put.ics", jcal, "Content-Type: application/calendar+json; charset=utf-8").in(t).is(201)
		if r.header.Get("ETag") != "" {
			t.Error("the tag of other bytes")
		}
		if got := w.ann("GET", cal+"put.ics", "", "Accept: "+jcalType).in(t).body; got != jcal {
			t.Errorf("came back as\n%s\nwas\n%s", got, jcal)
		}
		w.ann("GET", cal+"put.ics", "").in(t).has("BEGIN:VEVENT\r\n", "CATEGORIES:a,b\r\n")
		w.ann("PUT", cal+"bad.ics", `["vcalendar"`, "Content-Type: application/calendar+json").in(t).refuses("valid-calendar-data")
		w.ann("PUT", cal+"bad.ics", data, "Content-Type: application/calendar+json").in(t).refuses("valid-calendar-data")
		w.ann("PUT", cal+"again.ics", jcal, "Content-Type: application/calendar+json").in(t).refuses("no-uid-conflict")
	})
}

func TestTimeZonesByReference(t *testing.T) {
	w := newWorld(t)
	zone := berlinZone[strings.Index(berlinZone, "BEGIN:VTIMEZONE"):strings.Index(berlinZone, "\r\nEND:VCALENDAR")]
	w.put(cal+"z.ics", object(zone, component("VEVENT", "z", "DTSTART;TZID=Europe/Berlin:20260301T100000")))
	w.ann("GET", cal+"z.ics", "").has("BEGIN:VTIMEZONE")
	w.ann("GET", cal+"z.ics", "", "CalDAV-Timezones: T").has("BEGIN:VTIMEZONE")
	w.ann("GET", cal+"z.ics", "", "CalDAV-Timezones: F").lacks("VTIMEZONE").has("TZID=Europe/Berlin")
	ask := `<C:calendar-multiget` + ns + `><D:prop><C:calendar-data/></D:prop><D:href>` + cal + `z.ics</D:href></C:calendar-multiget>`
	w.ann("REPORT", cal, ask).has("BEGIN:VTIMEZONE")
	w.ann("REPORT", cal, ask, "CalDAV-Timezones: F").lacks("VTIMEZONE").has("TZID=Europe/Berlin")
	own := strings.ReplaceAll(zone, "Europe/Berlin", "My Zone")
	w.put(cal+"own.ics", object(own, component("VEVENT", "own", "DTSTART;TZID=My Zone:20260301T100000")))
	w.ann("GET", cal+"own.ics", "", "CalDAV-Timezones: F").has("BEGIN:VTIMEZONE")
}

func TestInstancesAreBoundedAsAnnounced(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.MaxInstances = 10 })
	w.ann("PROPFIND", cal, propfind("<C:max-instances/>"), "Depth: 0").is(207).has("<C:max-instances>10</C:max-instances>")
	newWorld(t).ann("PROPFIND", cal, propfind("<C:max-instances/>"), "Depth: 0").is(207).has("<C:max-instances>100000</C:max-instances>")
	put := func(rule string) *reply {
		return w.ann("PUT", cal+"a.ics", event("a", "20260301T100000Z", "20260301T110000Z", rule+"\r\n"))
	}
	put("RRULE:FREQ=DAILY;COUNT=10").is(201)
	put("RRULE:FREQ=DAILY;COUNT=11").refuses("max-instances")
	w.ann("GET", cal+"a.ics", "").is(200).has("COUNT=10")
	put("RRULE:FREQ=DAILY;UNTIL=20270301T000000Z").refuses("max-instances")
	put("RRULE:FREQ=DAILY").is(204)
}
