package ical

import (
	"errors"
	"strings"
	"testing"
)

// calendarOf puts lines into a VCALENDAR; "|" separates them.
func calendarOf(lines string) []byte {
	text := "BEGIN:VCALENDAR|VERSION:2.0|PRODID:-//x//EN|" + lines + "|END:VCALENDAR|"
	return []byte(strings.ReplaceAll(text, "|", "\r\n"))
}

// event puts lines into a VEVENT that is otherwise valid.
func event(lines string) []byte {
	return calendarOf("BEGIN:VEVENT|UID:a|DTSTAMP:20260101T000000Z|" + lines + "|END:VEVENT")
}

const monday = "DTSTART:20260105T090000Z"

// ruleCases has objects that break each rule, and objects that keep it though
// they look close to breaking it.
var ruleCases = map[string]struct{ broken, kept [][]byte }{
	"version": {
		broken: [][]byte{[]byte("BEGIN:VCALENDAR\nVERSION:1.0\nBEGIN:VEVENT\nUID:a\nDTSTART:20260105\nEND:VEVENT\nEND:VCALENDAR\n")},
		kept: [][]byte{
			[]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART:20260105\nEND:VEVENT\nEND:VCALENDAR\n"),
			[]byte("BEGIN:VCALENDAR\nVERSION:1.0;2.0\nBEGIN:VEVENT\nUID:a\nDTSTART:20260105\nEND:VEVENT\nEND:VCALENDAR\n"),
		},
	},
	"calscale": {
		broken: [][]byte{calendarOf("CALSCALE:JULIAN|BEGIN:VEVENT|UID:a|" + monday + "|END:VEVENT")},
		kept:   [][]byte{calendarOf("CALSCALE:gregorian|BEGIN:VEVENT|UID:a|" + monday + "|END:VEVENT")},
	},
	"method":       {broken: [][]byte{calendarOf("METHOD:PUBLISH|BEGIN:VEVENT|UID:a|" + monday + "|END:VEVENT")}},
	"no component": {broken: [][]byte{calendarOf("X-A:b"), calendarOf("BEGIN:VTIMEZONE|TZID:x|END:VTIMEZONE")}},
	"unknown component": {
		broken: [][]byte{calendarOf("BEGIN:X-A|UID:a|END:X-A")},
		kept:   [][]byte{calendarOf("BEGIN:X-A|END:X-A|BEGIN:VTODO|UID:a|END:VTODO")},
	},
	"one kind": {broken: [][]byte{calendarOf("BEGIN:VTODO|UID:a|END:VTODO|BEGIN:VJOURNAL|UID:a|END:VJOURNAL")}},
	"has UID": {broken: [][]byte{
		calendarOf("BEGIN:VTODO|SUMMARY:a|END:VTODO"),
		calendarOf("BEGIN:VTODO|UID: |END:VTODO"),
		calendarOf("BEGIN:VTODO|UID:a|END:VTODO|BEGIN:VTODO|RECURRENCE-ID:20260101|END:VTODO"),
	}},
	"one UID": {broken: [][]byte{
		calendarOf("BEGIN:VTODO|UID:a|END:VTODO|BEGIN:VTODO|UID:b|RECURRENCE-ID:20260101|END:VTODO"),
		calendarOf("BEGIN:VTODO|UID:a|UID:b|END:VTODO"),
	}},
	"short UID": {
		broken: [][]byte{calendarOf("BEGIN:VTODO|UID:" + strings.Repeat("a", maxUID+1) + "|END:VTODO")},
		kept:   [][]byte{calendarOf("BEGIN:VTODO|UID:" + strings.Repeat("a", maxUID) + "|END:VTODO")},
	},
	"one master": {
		broken: [][]byte{calendarOf("BEGIN:VTODO|UID:a|END:VTODO|BEGIN:VTODO|UID:a|END:VTODO")},
		kept: [][]byte{
			calendarOf("BEGIN:VTODO|UID:a|RECURRENCE-ID:20260102|END:VTODO|BEGIN:VTODO|UID:a|END:VTODO"),
			calendarOf("BEGIN:VTODO|UID:a|RECURRENCE-ID:20260102|END:VTODO"),
		},
	},
	"has DTSTART": {
		broken: [][]byte{
			event("SUMMARY:x"),
			calendarOf("BEGIN:VAVAILABILITY|UID:a|BEGIN:AVAILABLE|UID:b|END:AVAILABLE|END:VAVAILABILITY"),
		},
		kept: [][]byte{
			calendarOf("BEGIN:VTODO|UID:a|END:VTODO"),
			calendarOf("BEGIN:VAVAILABILITY|UID:a|END:VAVAILABILITY"),
		},
	},
	"time once": {
		broken: [][]byte{
			event(monday + "|" + monday),
			event(monday + "|DURATION:PT1H|DURATION:PT1H"),
			event(monday + "|RECURRENCE-ID:20260105T090000Z|RECURRENCE-ID:20260106T090000Z"),
		},
		kept: [][]byte{event(monday + "|DTEND:20260105T100000Z|DURATION:PT1H")},
	},
	"start and end agree": {
		broken: [][]byte{
			event("DTSTART;VALUE=DATE:20260105|DTEND:20260105T100000Z"),
			event("DTSTART;VALUE=DATE:20260105|DTEND:20260105T100000"),
			event("DTSTART;VALUE=DATE:20260105|DTEND;TZID=Europe/Berlin:20260105T100000"),
			event(monday + "|DTEND;VALUE=DATE:20260106"),
			event(monday + "|DTEND:20260105T100000"),
			event("DTSTART:20260105T090000|DTEND:20260105T100000Z"),
			event("DTSTART:20260105T090000|DTEND;TZID=Europe/Berlin:20260105T100000"),
			event("DTSTART;TZID=Europe/Berlin:20260105T090000|DTEND:20260105T100000"),
			calendarOf("BEGIN:VTODO|UID:a|" + monday + "|DUE:20260105|END:VTODO"),
		},
		kept: [][]byte{
			event(monday + "|DTEND;TZID=Europe/Berlin:20260105T100000"),
			event("DTSTART;TZID=Asia/Tokyo:20260105T090000|DTEND;TZID=Europe/Berlin:20260105T100000"),
			event("DTSTART;TZID=Europe/Berlin:20260105T090000|DTEND:20260105T090000Z"),
			event("DTSTART:20260105|DTEND;VALUE=DATE:20260106"),
			event(monday + "|DTEND:20260104T090000Z"),
			calendarOf("BEGIN:VTODO|UID:a|DUE:20260105|END:VTODO"),
		},
	},
	"zone has TZID": {broken: [][]byte{calendarOf("BEGIN:VTIMEZONE|END:VTIMEZONE|BEGIN:VTODO|UID:a|END:VTODO")}},
	"time": {
		broken: [][]byte{
			event("DTSTART:"),
			event("DTSTART:2026010"),
			event("DTSTART:20260229"),
			event("DTSTART:20261301"),
			event("DTSTART:20260100"),
			event("DTSTART:20260105T240000"),
			event("DTSTART:20260105T096000"),
			event("DTSTART:20260105T090061"),
			event("DTSTART:20260105T090000+0100"),
			event("DTSTART:20260105T0900"),
			event("DTSTART:20260105 090000"),
			event("DTSTART:2026-01-05"),
			event("DTSTART:2026010é"),
			event("DTSTART;VALUE=DATE:20260105T090000Z"),
			event("DTSTART;VALUE=DATE-TIME:20260105"),
			event("DTSTART;VALUE=PERIOD:20260105"),
			event(monday + "|RECURRENCE-ID:tomorrow"),
		},
		kept: [][]byte{
			event("DTSTART:20240229"),
			event("DTSTART:20260105T235960Z"),
			event("DTSTART;value=date:20260105"),
			event("DTSTART;VALUE=DATE-TIME:20260105T090000"),
			event("DTSTART;TZID=Not/There:20260105T090000"),
			event(monday + "|RRULE:FREQ=DAILY|RECURRENCE-ID;RANGE=THISANDFUTURE:20260106T090000Z"),
		},
	},
	"stamp": {
		broken: [][]byte{event(monday + "|CREATED:yesterday"), event(monday + "|LAST-MODIFIED:20260230T000000Z")},
		kept:   [][]byte{event(monday + "|CREATED:  20260101T000000Z"), event(monday + "|CREATED:00001231T000000Z")},
	},
	"time list": {
		broken: [][]byte{event(monday + "|EXDATE:20260106T090000Z,20260230T090000Z"), event(monday + "|RDATE:x")},
		kept:   [][]byte{event(monday + "|EXDATE:"), event(monday + "|EXDATE;VALUE=DATE:20260106,20260107")},
	},
	"least year": {broken: [][]byte{event("DTSTART:00000105T090000Z")}},
	"duration": {
		broken: [][]byte{
			event(monday + "|DURATION:"),
			event(monday + "|DURATION:P"),
			event(monday + "|DURATION:PT"),
			event(monday + "|DURATION:1H"),
			event(monday + "|DURATION:PT1"),
			event(monday + "|DURATION:P1H"),
			event(monday + "|DURATION:PT1D"),
			event(monday + "|DURATION:PT1S1H"),
			event(monday + "|DURATION:PT1.5H"),
			event(monday + "|DURATION:P15251W"),
			event(monday + "|DURATION:PT99999999999999999999S"),
		},
		kept: [][]byte{
			event(monday + "|DURATION:P1DT2H3M4S"),
			event(monday + "|DURATION:-PT1H"),
			event(monday + "|DURATION:+P2W"),
		},
	},
	"rule": {
		broken: [][]byte{
			event(monday + "|RRULE:"),
			event(monday + "|RRULE:INTERVAL=1"),
			event(monday + "|RRULE:FREQ=FORTNIGHTLY"),
			event(monday + "|RRULE:FREQ"),
			event(monday + "|RRULE:FREQ=DAILY;FREQ=DAILY"),
			event(monday + "|RRULE:FREQ=DAILY;INTERVAL=0"),
			event(monday + "|RRULE:FREQ=DAILY;INTERVAL=-1"),
			event(monday + "|RRULE:FREQ=DAILY;INTERVAL=x"),
			event(monday + "|RRULE:FREQ=DAILY;COUNT=0"),
			event(monday + "|RRULE:FREQ=DAILY;UNTIL=tomorrow"),
			event(monday + "|RRULE:FREQ=DAILY;BYSECOND=61"),
			event(monday + "|RRULE:FREQ=DAILY;BYMINUTE=60"),
			event(monday + "|RRULE:FREQ=DAILY;BYHOUR=24"),
			event(monday + "|RRULE:FREQ=DAILY;BYHOUR="),
			event(monday + "|RRULE:FREQ=DAILY;BYDAY=XX"),
			event(monday + "|RRULE:FREQ=MONTHLY;BYDAY=0MO"),
			event(monday + "|RRULE:FREQ=MONTHLY;BYDAY=54MO"),
			event(monday + "|RRULE:FREQ=MONTHLY;BYMONTHDAY=32"),
			event(monday + "|RRULE:FREQ=MONTHLY;BYMONTHDAY=0"),
			event(monday + "|RRULE:FREQ=YEARLY;BYYEARDAY=-367"),
			event(monday + "|RRULE:FREQ=YEARLY;BYWEEKNO=54"),
			event(monday + "|RRULE:FREQ=YEARLY;BYMONTH=0"),
			event(monday + "|RRULE:FREQ=YEARLY;BYMONTH=14"),
			event(monday + "|RRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0"),
			event(monday + "|RRULE:FREQ=WEEKLY;WKST=1MO"),
			event(monday + "|RRULE:FREQ=MONTHLY;SKIP=FORWARD"),
			event(monday + "|RRULE:RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=SIDEWAYS"),
			event(monday + "|EXRULE:FREQ=NEVER"),
		},
		kept: [][]byte{
			event(monday + "|RRULE:FREQ=MONTHLY;BYDAY=-1FR,+2MO;BYSETPOS=-1;WKST=SU;COUNT=5"),
			event(monday + "|RRULE:freq=daily;until=20261231t000000z"),
			event(monday + "|RRULE:RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD;BYMONTHDAY=31"),
			event(monday + "|RRULE:FREQ=DAILY;X-A=1;"),
			event(monday + "|RRULE:FREQ=DAILY;COUNT=3;UNTIL=20261231"),
		},
	},
	"rscale": {broken: [][]byte{event(monday + "|RRULE:RSCALE=CHINESE;FREQ=YEARLY")}},
	"periods": {
		broken: [][]byte{
			calendarOf("BEGIN:VFREEBUSY|UID:a|FREEBUSY:20260105T090000Z|END:VFREEBUSY"),
			calendarOf("BEGIN:VFREEBUSY|UID:a|FREEBUSY:20260105/PT1H|END:VFREEBUSY"),
			calendarOf("BEGIN:VFREEBUSY|UID:a|FREEBUSY:20260105T090000Z/x|END:VFREEBUSY"),
			calendarOf("BEGIN:VFREEBUSY|UID:a|FREEBUSY:20260105T090000Z/PX|END:VFREEBUSY"),
		},
		kept: [][]byte{
			calendarOf("BEGIN:VFREEBUSY|UID:a|FREEBUSY:20260105T090000Z/PT1H,20260105T120000Z/20260105T130000Z|END:VFREEBUSY"),
			event(monday + "|RDATE;VALUE=PERIOD:20260106T090000Z/PT1H"),
		},
	},
	"acknowledged": {
		broken: [][]byte{
			event(monday + "|BEGIN:VALARM|ACKNOWLEDGED:20260105T090000|END:VALARM"),
			event(monday + "|BEGIN:VALARM|ACKNOWLEDGED:yes|END:VALARM"),
		},
		kept: [][]byte{event(monday + "|BEGIN:VALARM|ACKNOWLEDGED:20260105T090000Z|TRIGGER:soon|END:VALARM")},
	},
}

// allRules names every rule with what its error says.
func allRules() map[string]*InvalidError {
	all := make(map[string]*InvalidError)
	for _, r := range objectRules {
		all[r.name] = &InvalidError{Rule: r.rule, Ref: r.ref}
	}
	for _, r := range componentRules {
		all[r.name] = &InvalidError{Rule: r.rule, Ref: r.ref}
	}
	for _, r := range lineRules {
		all[r.name] = &InvalidError{Rule: r.rule, Ref: r.ref}
	}
	return all
}

func TestEveryRuleIsBrokenByItsCases(t *testing.T) {
	rules := allRules()
	if n := len(objectRules) + len(componentRules) + len(lineRules); n != len(rules) {
		t.Errorf("%d rules have %d names", n, len(rules))
	}
	for name := range ruleCases {
		if rules[name] == nil {
			t.Errorf("cases for %q, which is no rule", name)
		}
	}
	for name, want := range rules {
		t.Run(name, func(t *testing.T) {
			if len(ruleCases[name].broken) == 0 {
				t.Error("no case breaks the rule")
			}
			for _, data := range ruleCases[name].broken {
				_, err := ParseResource(data, Limits{})
				var inv *InvalidError
				if !errors.As(err, &inv) || inv.Rule != want.Rule || inv.Ref != want.Ref {
					t.Errorf("%s\ngives %v, want %s (%s)", data, err, want.Rule, want.Ref)
				}
			}
			for _, data := range ruleCases[name].kept {
				if _, err := ParseResource(data, Limits{}); err != nil {
					t.Errorf("%s\ngives %v", data, err)
				}
			}
		})
	}
}

func TestInvalidErrorTellsWhere(t *testing.T) {
	_, err := ParseResource(event("SUMMARY:a|  b|DTSTART:20260230"), Limits{})
	if inv := wantInvalid(t, err, ValidCalendarData); inv.Line != 9 {
		t.Errorf("line %d, want 9", inv.Line)
	}
	if got, want := err.Error(), "line 9: DTSTART is a day that does not exist (RFC 5545 §3.3.5)"; got != want {
		t.Errorf("error is %q, want %q", got, want)
	}
}
