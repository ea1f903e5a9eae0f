package ical

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestJCalIsWrittenByTheRFC(t *testing.T) {
	const text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n" +
		"DTSTART;VALUE=DATE:20260105\r\nDTEND;TZID=Europe/Berlin:20260105T103000\r\nRRULE:FREQ=MONTHLY;BYDAY=-1SU,2MO;BYMONTH=10;COUNT=5;UNTIL=20270101T000000Z\r\n" +
		"CATEGORIES:a\\,b,c\r\nGEO:37.386013;-122.082932\r\nREQUEST-STATUS:2.0;Success\\;yes;\r\nSEQUENCE:3\r\nEXDATE:20260105T100000Z,20260106T100000Z\r\n" +
		"ATTENDEE;CN=\"Noor, Ada\";MEMBER=\"mailto:a@x\",\"mailto:b@x\":mailto:c@x\r\nX-OWN:as\\, it is\r\nX-TYPED;VALUE=BOOLEAN:TRUE\r\n" +
		"RDATE;VALUE=PERIOD:20260107T100000Z/PT1H\r\nDESCRIPTION:two\\nlines \"q\"\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\n" +
		"BEGIN:VTIMEZONE\r\nTZOFFSETFROM:-053000\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n"
	const want = `["vcalendar",[["version",{},"text","2.0"],["prodid",{},"text","-//x//EN"]],[["vevent",[["uid",{},"text","1"],` +
		`["dtstamp",{},"date-time","2026-01-01T00:00:00Z"],["dtstart",{},"date","2026-01-05"],["dtend",{"tzid":"Europe/Berlin"},"date-time","2026-01-05T10:30:00"],` +
		`["rrule",{},"recur",{"freq":"MONTHLY","byday":["-1SU","2MO"],"bymonth":10,"count":5,"until":"2027-01-01T00:00:00Z"}],` +
		`["categories",{},"text","a,b","c"],["geo",{},"float",[37.386013,-122.082932]],["request-status",{},"text",["2.0","Success;yes",""]],` +
		`["sequence",{},"integer",3],["exdate",{},"date-time","2026-01-05T10:00:00Z","2026-01-06T10:00:00Z"],` +
		`["attendee",{"cn":"Noor, Ada","member":["mailto:a@x","mailto:b@x"]},"cal-address","mailto:c@x"],["x-own",{},"unknown","as\\, it is"],` +
		`["x-typed",{},"boolean",true],["rdate",{},"period",["2026-01-07T10:00:00Z","PT1H"]],["description",{},"text","two\nlines \"q\""]],` +
		`[["valarm",[["trigger",{},"duration","-PT5M"]],[]]]],["vtimezone",[["tzoffsetfrom",{},"utc-offset","-05:30:00"]],[]]]]` + "\n"
	o, err := Parse([]byte(text), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(o.JCal()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	back, err := FromJCal([]byte(want), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	// Quotes that are not needed and the order of VALUE may change, no more.
	if got := strings.ReplaceAll(string(back), "\r\n ", ""); got != text {
		t.Errorf("came back as\n%s\nwas\n%s", got, text)
	}
}

func TestJCalRoundTripsTheCorpus(t *testing.T) {
	for _, file := range readCorpus(t) {
		data, err := os.ReadFile(filepath.Join("testdata", "ics", file.File))
		if err != nil {
			t.Fatal(err)
		}
		if o, err := Parse(data, Limits{}); err == nil {
			roundTrip(t, o)
		}
	}
}

// roundTrip checks that jCal is JSON and says the same after the way back.
func roundTrip(t *testing.T, o *Object) {
	t.Helper()
	first := o.JCal()
	if !json.Valid(first) {
		t.Fatalf("no JSON: %s", first)
	}
	text, err := FromJCal(first, Limits{})
	if err != nil {
		t.Fatalf("%v: %s", err, first)
	}
	again, err := Parse(text, Limits{})
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if second := again.JCal(); !bytes.Equal(first, second) {
		t.Fatalf("changed from\n%s\nto\n%s", first, second)
	}
}

func TestFromJCalRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          ``,
		"no array":         `{}`,
		"too short":        `["vcalendar"]`,
		"two documents":    `["vcalendar",[],[]] []`,
		"a bad name":       `["v calendar",[],[]]`,
		"a bad type":       `["vcalendar",[["version",{},3,"2.0"]],[]]`,
		"null":             `["vcalendar",[["version",{},"text",null]],[]]`,
		"a deep value":     `["vcalendar",[["version",{},"text",[[["x"]]]]],[]]`,
		"an object":        `["vcalendar",[["version",{},"text",{"a":"b"}]],[]]`,
		"too deep":         strings.Repeat(`["vcalendar",[],[`, 40),
		"parameter null":   `["vcalendar",[["version",{"x":null},"text","2.0"]],[]]`,
		"parameter object": `["vcalendar",[["version",{"x":{}},"text","2.0"]],[]]`,
		"cut":              `["vcalendar",[["version",{},"text","2.0"]],[`,
	} {
		_, err := FromJCal([]byte(text), Limits{})
		if e, ok := errors.AsType[*InvalidError](err); !ok || e.Rule != ValidCalendarData {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := FromJCal([]byte(`["vcalendar",[],[]]`), Limits{Bytes: 4})
	if e, ok := errors.AsType[*InvalidError](err); !ok || e.Rule != MaxResourceSize {
		t.Errorf("large: %v", err)
	}
}

// TestFromJCalWritesOneLineForEachProperty keeps values from becoming lines.
func TestFromJCalWritesOneLineForEachProperty(t *testing.T) {
	text, err := FromJCal([]byte(`["vcalendar",[["x-a",{"p":"1\r\nX-P:2"},"unknown","a\r\nX-B:b"],["summary",{},"text","a\r\nX-C:c"],["dtstart",{},"date-time","2026\r\nX-D:d"]],[]]`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\r\n"); n != 5 {
		t.Errorf("%d lines:\n%s", n, text)
	}
}

func FuzzJCal(f *testing.F) {
	for _, seed := range seedCorpus(f) {
		f.Add(seed)
		if o, err := Parse(seed, fuzzLimits); err == nil {
			f.Add(o.JCal())
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if o, err := Parse(data, fuzzLimits); err == nil {
			roundTrip(t, o)
			return
		}
		text, err := FromJCal(data, fuzzLimits)
		if err != nil {
			return
		}
		if o, err := Parse(text, fuzzLimits); err == nil {
			roundTrip(t, o)
		}
	})
}
