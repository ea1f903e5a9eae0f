package ical

import (
	"errors"
	"testing"
)

func TestCheckEscapes(t *testing.T) {
	for line, good := range map[string]bool{
		`SUMMARY:a \"b\"`:           false,
		`SUMMARY:a \\"b"`:           true,
		`SUMMARY:a \\\"b`:           false,
		`DESCRIPTION:C:\path\q`:     true,
		`SUMMARY:at the end \`:      true,
		`X-OWN:a \"b\"`:             true,
		`URL:http://example.com/\"`: true,
		`SUMMARY:a\, b\; c\n d "e"`: true,
		`BEGIN:VALARM` + "\r\n" + `DESCRIPTION:\"` + "\r\nEND:VALARM": false,
	} {
		err := refObject(t, "", line).CheckEscapes()
		if e, ok := errors.AsType[*InvalidError](err); (err == nil) != good || ok && e.Rule != ValidCalendarData {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestCheckOverrides(t *testing.T) {
	for _, tt := range []struct {
		name, master, id string
		good             bool
	}{
		{"an instance", "DTSTART:20260301T100000Z\r\nRRULE:FREQ=DAILY", "RECURRENCE-ID:20310301T100000Z", true},
		{"none", "DTSTART:20260301T100000Z\r\nRRULE:FREQ=DAILY", "RECURRENCE-ID:20310301T100001Z", false},
		{"after the last", "DTSTART:20260301T100000Z\r\nRRULE:FREQ=DAILY;COUNT=3", "RECURRENCE-ID:20260304T100000Z", false},
		{"before the first", "DTSTART:20260301T100000Z\r\nRRULE:FREQ=DAILY;COUNT=3", "RECURRENCE-ID:20260228T100000Z", false},
		{"the first, off the rule", "DTSTART:20260301T100000Z\r\nRRULE:FREQ=WEEKLY;BYDAY=MO", "RECURRENCE-ID:20260301T100000Z", true},
		{"excluded", "DTSTART:20260301T100000Z\r\nRRULE:FREQ=DAILY\r\nEXDATE:20260302T100000Z", "RECURRENCE-ID:20260302T100000Z", true},
		{"an RDATE", "DTSTART:20260301T100000Z\r\nRDATE:20260402T100000Z", "RECURRENCE-ID:20260402T100000Z", true},
		{"no RDATE", "DTSTART:20260301T100000Z\r\nRDATE:20260402T100000Z", "RECURRENCE-ID:20260403T100000Z", false},
		{"in UTC of a zoned one", "DTSTART;TZID=Europe/Berlin:20260301T100000\r\nRRULE:FREQ=MONTHLY", "RECURRENCE-ID:20260701T080000Z", true},
		{"in another zone", "DTSTART;TZID=Europe/Berlin:20260301T100000\r\nRRULE:FREQ=MONTHLY", "RECURRENCE-ID;TZID=Europe/London:20260701T090000", true},
		{"a day", "DTSTART;VALUE=DATE:20260301\r\nRRULE:FREQ=DAILY", "RECURRENCE-ID;VALUE=DATE:20260401", true},
		{"no day", "DTSTART;VALUE=DATE:20260301\r\nRRULE:FREQ=WEEKLY", "RECURRENCE-ID;VALUE=DATE:20260302", false},
		{"another kind", "DTSTART;VALUE=DATE:20260301\r\nRRULE:FREQ=WEEKLY", "RECURRENCE-ID:20260302T100000Z", true},
		{"floating of floating", "DTSTART:20260301T100000\r\nRRULE:FREQ=WEEKLY", "RECURRENCE-ID:20260308T100000", true},
		{"no series", "DTSTART:20260301T100000Z", "RECURRENCE-ID:20260302T100000Z", true},
		{"far and dense", "DTSTART:19700101T000000Z\r\nRRULE:FREQ=SECONDLY", "RECURRENCE-ID:20260302T100000Z", true},
	} {
		text := tt.master + "\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260301T120000Z\r\n" + tt.id
		err := refObject(t, "", text).CheckOverrides()
		if e, ok := errors.AsType[*InvalidError](err); (err == nil) != tt.good || ok && e.Rule != ValidCalendarData {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestCheckInstances(t *testing.T) {
	for name, tt := range map[string]struct {
		lines string
		want  bool
	}{
		"no series":              {"", true},
		"as many as may be":      {"RRULE:FREQ=DAILY;COUNT=10\r\n", true},
		"one more":               {"RRULE:FREQ=DAILY;COUNT=11\r\n", false},
		"ended by a date":        {"RRULE:FREQ=SECONDLY;UNTIL=20270102T000000Z\r\n", false},
		"with dates beside it":   {"RRULE:FREQ=DAILY;COUNT=10\r\nRDATE:20300101T000000Z\r\n", false},
		"less excluded ones":     {"RRULE:FREQ=DAILY;COUNT=11\r\nEXDATE:20270102T100000Z\r\n", true},
		"without end":            {"RRULE:FREQ=SECONDLY\r\n", true},
		"an end that means none": {"RRULE:FREQ=DAILY;UNTIL=99991231T000000Z\r\n", true},
		"only dates":             {"RDATE:20270102T100000Z,20270103T100000Z\r\n", true},
		"never":                  {"RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30;COUNT=20\r\n", true},
	} {
		text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270101T100000Z\r\n" +
			tt.lines + "END:VEVENT\r\nEND:VCALENDAR\r\n"
		o, err := Parse([]byte(text), DefaultLimits)
		if err != nil {
			t.Fatal(name, err)
		}
		err = o.CheckInstances(10)
		var bad *InvalidError
		if (err == nil) != tt.want || err != nil && (!errors.As(err, &bad) || bad.Rule != MaxInstances) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
