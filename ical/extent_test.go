package ical

import (
	"testing"
	"time"
)

func TestExtent(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       Extent
	}{
		{"single", component("VEVENT", "DTSTART:20260105T090000Z", "DURATION:PT1H"), Extent{First: utc(2026, 1, 5, 9, 0), Last: utc(2026, 1, 5, 10, 0), Bounded: true}},
		{"floating is padded", component("VEVENT", "DTSTART;VALUE=DATE:20260105"), Extent{First: utc(2026, 1, 3, 22, 0), Last: utc(2026, 1, 7, 2, 0), Bounded: true}},
		{"endless", component("VEVENT", "DTSTART:20260105T090000Z", "RRULE:FREQ=DAILY"), Extent{First: utc(2026, 1, 5, 9, 0)}},
		{"task without time", component("VTODO", "SUMMARY:x"), Extent{Bounded: true, Undated: true}},
		{"journal without time", component("VJOURNAL", "SUMMARY:x"), Extent{Bounded: true}},
		{"free-busy", component("VFREEBUSY", "DTSTART:20260105T090000Z", "DTEND:20260106T090000Z"), Extent{First: utc(2026, 1, 5, 9, 0), Last: utc(2026, 1, 7, 9, 0), Bounded: true}},
		{"free-busy by periods", component("VFREEBUSY", "FREEBUSY:20260105T090000Z/PT1H,20260106T090000Z/20260106T100000Z"), Extent{First: utc(2026, 1, 5, 9, 0), Last: utc(2026, 1, 6, 10, 0), Bounded: true, Undated: true}},
	} {
		if got := parseText(t, calendar(c.text)).Extent(); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestExtentOfFiniteRulesIsClose(t *testing.T) {
	for rule, last := range map[string]time.Time{
		"FREQ=DAILY;COUNT=10":                      utc(2026, 1, 14, 10, 0),
		"FREQ=DAILY;UNTIL=20260114T090000Z":        utc(2026, 1, 14, 10, 0),
		"FREQ=WEEKLY;BYDAY=MO,WE;COUNT=1000":       utc(2035, 8, 1, 10, 0),
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30":      utc(2026, 1, 5, 10, 0),
		"FREQ=MONTHLY;BYDAY=-1FR;COUNT=13":         utc(2026, 12, 25, 10, 0),
		"FREQ=SECONDLY;COUNT=1000000000":           utc(2057, 9, 13, 11, 46),
		"FREQ=HOURLY;INTERVAL=2;BYHOUR=10;COUNT=3": utc(2026, 1, 5, 10, 0),
	} {
		got := parseText(t, calendar(component("VEVENT", "DTSTART:20260105T090000Z", "DURATION:PT1H", "RRULE:"+rule))).Extent()
		if !got.Bounded || got.Last.Before(last) || got.Last.After(last.AddDate(0, 0, 8)) {
			t.Errorf("%s: last is %s (bounded: %v), want about %s", rule, got.Last, got.Bounded, last)
		}
	}
}

func TestOpenComponentsAreForEveryWindow(t *testing.T) {
	for text, want := range map[string]bool{
		component("VAVAILABILITY"):                                                       true,
		component("VAVAILABILITY", "DTEND:20260105T090000Z"):                             true,
		component("VAVAILABILITY", "DTSTART:20260105T090000Z"):                           true,
		component("VAVAILABILITY", "DTSTART:20260105T090000Z", "DTEND:20260205T090000Z"): false,
		component("VAVAILABILITY", "DTSTART:20260105T090000Z", "DURATION:P5D"):           false,
		component("VFREEBUSY", "FREEBUSY:20260105T090000Z/PT1H"):                         true,
		component("VFREEBUSY", "DTSTART:20260105T090000Z", "DTEND:20260205T090000Z"):     false,
		component("VTODO"):                                 true,
		component("VTODO", "DUE:20260105T090000Z"):         false,
		component("VJOURNAL"):                              false,
		component("VEVENT", "DTSTART;VALUE=DATE:20260105"): false,
	} {
		if got := parseText(t, calendar(text)).Extent().Undated; got != want {
			t.Errorf("undated is %t, want %t: %s", got, want, text)
		}
	}
}
