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
