package ical

import (
	"errors"
	"testing"
)

func fltMatch(t *testing.T, o *Object, f *Filter, zone *Zone) bool {
	t.Helper()
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	got, err := f.Match(o, zone)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// fltCase is a window that matches or does not.
type fltCase struct {
	window string
	want   bool
}

func TestTimeRangeOfEvents(t *testing.T) {
	berlin := LookupZone("Europe/Berlin")
	tests := []struct {
		name, lines string
		zone        *Zone
		cases       []fltCase
	}{
		{"with end", "DTSTART:20260105T100000Z\nDTEND:20260105T110000Z", nil, []fltCase{
			{"20260105T110000Z/20260105T120000Z", false},
			{"20260105T105959Z/20260105T120000Z", true},
			{"20260105T090000Z/20260105T100000Z", false},
			{"20260105T090000Z/20260105T100001Z", true},
			{"20260105T101500Z/20260105T102000Z", true},
			{"20260105T103000Z/", true},
			{"20260105T110000Z/", false},
			{"/20260105T100001Z", true},
			{"/20260105T100000Z", false},
		}},
		{"with duration", "DTSTART:20260105T100000Z\nDURATION:PT1H", nil, []fltCase{
			{"20260105T110000Z/", false}, {"20260105T105959Z/", true},
		}},
		{"without length", "DTSTART:20260105T100000Z", nil, []fltCase{
			{"20260105T100000Z/20260105T110000Z", true},
			{"20260105T100001Z/20260105T110000Z", false},
			{"20260105T090000Z/20260105T100000Z", false},
		}},
		{"all day without end", "DTSTART;VALUE=DATE:20260105", nil, []fltCase{
			{"20260105T230000Z/20260105T233000Z", true},
			{"20260106T000000Z/20260106T010000Z", false},
		}},
		{"all day in a zone", "DTSTART;VALUE=DATE:20260105", berlin, []fltCase{
			{"20260104T230000Z/20260104T233000Z", true},
			{"20260105T230000Z/20260105T233000Z", false},
		}},
		{"floating in a zone", "DTSTART:20260705T100000\nDTEND:20260705T110000", berlin, []fltCase{
			{"20260705T080000Z/20260705T083000Z", true},
			{"20260705T100000Z/20260705T103000Z", false},
		}},
		{"daily, far in the future", "DTSTART:19970105T100000Z\nDTEND:19970105T110000Z\nRRULE:FREQ=DAILY", nil, []fltCase{
			{"20450105T103000Z/20450105T104000Z", true},
			{"20450105T113000Z/20450105T114000Z", false},
			{"19970105T110000Z/", true},
		}},
		{"counted", "DTSTART:20260105T100000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20260112T100000Z", nil, []fltCase{
			{"20260112T000000Z/20260113T000000Z", false},
			{"20260119T000000Z/20260120T000000Z", true},
			{"20260120T000000Z/", false},
		}},
	}
	for _, tt := range tests {
		o := fltObject(t, "BEGIN:VEVENT\nUID:e\n"+tt.lines+"\nEND:VEVENT")
		for _, c := range tt.cases {
			if got := fltMatch(t, o, fltTop(fltIn("VEVENT", c.window)), tt.zone); got != c.want {
				t.Errorf("%s in %s: %v", tt.name, c.window, got)
			}
		}
	}
}

func TestTimeRangeUsesInstancesThatTheComponentDescribes(t *testing.T) {
	o := fltObject(t, `
BEGIN:VEVENT
UID:s
DTSTART:20260105T100000Z
DURATION:PT1H
RRULE:FREQ=DAILY;COUNT=10
SUMMARY:standup
END:VEVENT
BEGIN:VEVENT
UID:s
RECURRENCE-ID:20260106T100000Z
DTSTART:20260206T100000Z
DURATION:PT1H
SUMMARY:moved out
END:VEVENT
BEGIN:VEVENT
UID:s
RECURRENCE-ID;RANGE=THISANDFUTURE:20260112T100000Z
DTSTART:20260112T150000Z
DURATION:PT1H
SUMMARY:later from now on
END:VEVENT`)
	for _, tt := range []struct {
		window, summary string
		want            bool
	}{
		{"20260105T000000Z/20260106T000000Z", "", true},
		{"20260106T000000Z/20260107T000000Z", "", false},
		{"20260206T000000Z/20260207T000000Z", "", true},
		{"20260206T000000Z/20260207T000000Z", "standup", false},
		{"20260206T000000Z/20260207T000000Z", "moved", true},
		{"20260113T100000Z/20260113T110000Z", "", false},
		{"20260113T150000Z/20260113T160000Z", "later", true},
		{"20260113T150000Z/20260113T160000Z", "standup", false},
		{"20260115T000000Z/20260116T000000Z", "", false},
	} {
		f := fltIn("VEVENT", tt.window)
		if tt.summary != "" {
			f.Props = []PropFilter{fltText("SUMMARY", tt.summary)}
		}
		if got := fltMatch(t, o, fltTop(f), nil); got != tt.want {
			t.Errorf("%s %q: %v", tt.window, tt.summary, got)
		}
	}
}

// The rows are those of the table for VTODO in RFC 4791 §9.9; each is asked at
// its borders.
func TestTimeRangeOfTodos(t *testing.T) {
	const (
		start     = "DTSTART:20260105T100000Z\n"
		due       = "DUE:20260105T120000Z\n"
		length    = "DURATION:PT2H\n"
		completed = "COMPLETED:20260110T000000Z\n"
		created   = "CREATED:20260101T000000Z\n"
	)
	tests := []struct {
		name, lines string
		cases       []fltCase
	}{
		{"start and duration", start + length + completed + created, []fltCase{
			{"20260105T120000Z/20260106T000000Z", true}, // start <= end of it
			{"20260105T120001Z/20260106T000000Z", false},
			{"20260104T000000Z/20260105T100000Z", false},
			{"20260104T000000Z/20260105T100001Z", true},
			{"20260110T000000Z/20260111T000000Z", false}, // COMPLETED does not matter
		}},
		{"start and due", start + due, []fltCase{
			{"20260105T120000Z/20260106T000000Z", false},
			{"20260105T115959Z/20260106T000000Z", true},
			{"20260104T000000Z/20260105T100000Z", false},
			{"20260104T000000Z/20260105T100001Z", true},
		}},
		{"start and due are one", start + "DUE:20260105T100000Z", []fltCase{
			{"20260105T100000Z/20260106T000000Z", true},
			{"20260104T000000Z/20260105T100000Z", true}, // end >= DUE
			{"20260105T100001Z/20260106T000000Z", false},
		}},
		{"start", start + created, []fltCase{
			{"20260105T100000Z/20260105T100001Z", true},
			{"20260105T100001Z/", false},
			{"/20260105T100000Z", false},
		}},
		{"due", due, []fltCase{
			{"20260105T120000Z/20260106T000000Z", false},
			{"20260105T115959Z/20260106T000000Z", true},
			{"20260104T000000Z/20260105T120000Z", true},
			{"20260104T000000Z/20260105T115959Z", false},
		}},
		{"completed and created", completed + created, []fltCase{
			{"20260110T000000Z/20260111T000000Z", true},
			{"20260110T000001Z/20260111T000000Z", false},
			{"20251201T000000Z/20260101T000000Z", true},
			{"20251201T000000Z/20251231T000000Z", false},
			{"20260105T000000Z/20260106T000000Z", true},
		}},
		{"completed", completed, []fltCase{
			{"20260110T000000Z/20260111T000000Z", true},
			{"20260109T000000Z/20260110T000000Z", true},
			{"20260110T000001Z/", false},
			{"/20260109T235959Z", false},
		}},
		{"created", created, []fltCase{
			{"20270101T000000Z/20280101T000000Z", true},
			{"20251201T000000Z/20260101T000000Z", false},
			{"20251201T000000Z/20260101T000001Z", true},
		}},
		{"nothing", "SUMMARY:some day", []fltCase{
			{"20260101T000000Z/20260101T000001Z", true}, {"/19000101T000000Z", true}, {"29990101T000000Z/", true},
		}},
		{"recurring", start + due + "RRULE:FREQ=DAILY", []fltCase{
			{"20300105T110000Z/20300105T113000Z", true},
			{"20300105T130000Z/20300105T133000Z", false},
		}},
	}
	for _, tt := range tests {
		o := fltObject(t, "BEGIN:VTODO\nUID:t\n"+tt.lines+"\nEND:VTODO")
		for _, c := range tt.cases {
			if got := fltMatch(t, o, fltTop(fltIn("VTODO", c.window)), nil); got != c.want {
				t.Errorf("%s in %s: %v", tt.name, c.window, got)
			}
		}
	}
}

func TestTimeRangeOfOtherComponents(t *testing.T) {
	tests := []struct {
		name, component, lines string
		cases                  []fltCase
	}{
		{"journal at a time", "VJOURNAL", "DTSTART:20260105T100000Z", []fltCase{
			{"20260105T100000Z/20260105T100001Z", true}, {"20260105T100001Z/", false}, {"/20260105T100000Z", false},
		}},
		{"journal of a day", "VJOURNAL", "DTSTART;VALUE=DATE:20260105", []fltCase{
			{"20260105T120000Z/20260105T130000Z", true}, {"20260106T000000Z/", false},
		}},
		{"journal without time", "VJOURNAL", "SUMMARY:x", []fltCase{{"19000101T000000Z/", false}}},
		{"free-busy with bounds", "VFREEBUSY", "DTSTART:20260105T100000Z\nDTEND:20260105T120000Z\nFREEBUSY:20260301T000000Z/PT1H", []fltCase{
			{"20260105T120000Z/", true}, {"20260105T120001Z/", false}, {"/20260105T100000Z", false},
		}},
		{"free-busy with periods", "VFREEBUSY", "FREEBUSY:20260105T100000Z/PT1H,20260107T100000Z/20260107T110000Z", []fltCase{
			{"20260105T105959Z/20260106T000000Z", true},
			{"20260105T110000Z/20260107T100000Z", false},
			{"20260107T103000Z/", true},
		}},
		{"free-busy with a start alone", "VFREEBUSY", "DTSTART:20260105T100000Z\nFREEBUSY:20260105T100000Z/PT1H", []fltCase{{"19000101T000000Z/", false}}},
		{"free-busy with broken periods", "VFREEBUSY", "FREEBUSY:20260105T100000Z,x/PT1H,20260105T100000Z/soon", []fltCase{{"19000101T000000Z/", false}}},
		{"free-busy of nothing", "VFREEBUSY", "COMMENT:none", []fltCase{{"19000101T000000Z/", false}}},
		{"availability", "VAVAILABILITY", "DTSTART:20260105T000000Z\nDURATION:P1D", []fltCase{
			{"20260105T120000Z/20260105T130000Z", true}, {"20260106T000000Z/", false}, {"/20260105T000000Z", false},
		}},
		{"availability for ever", "VAVAILABILITY", "DTSTART:20260105T000000Z", []fltCase{
			{"20990105T000000Z/", true}, {"/20260105T000000Z", false},
		}},
		{"availability always", "VAVAILABILITY", "SUMMARY:x", []fltCase{{"19000101T000000Z/", true}}},
	}
	for _, tt := range tests {
		o := fltObject(t, "BEGIN:"+tt.component+"\nUID:o\n"+tt.lines+"\nEND:"+tt.component)
		for _, c := range tt.cases {
			if got := fltMatch(t, o, fltTop(fltIn(tt.component, c.window)), nil); got != c.want {
				t.Errorf("%s in %s: %v", tt.name, c.window, got)
			}
		}
	}
}

func TestTimeRangeOfAlarms(t *testing.T) {
	const event = "DTSTART:20260105T100000Z\nDTEND:20260105T120000Z\n"
	tests := []struct {
		name, component, lines, alarm string
		cases                         []fltCase
	}{
		{"before start", "VEVENT", event, "TRIGGER:-PT15M", []fltCase{
			{"20260105T094500Z/20260105T094501Z", true},
			{"20260105T094501Z/20260105T120000Z", false},
			{"20260105T090000Z/20260105T094500Z", false},
		}},
		{"before end", "VEVENT", event, "TRIGGER;RELATED=END:-PT15M", []fltCase{
			{"20260105T114500Z/20260105T114501Z", true}, {"20260105T090000Z/20260105T110000Z", false},
		}},
		{"after end", "VEVENT", event, "TRIGGER;RELATED=END:P2D", []fltCase{
			{"20260107T120000Z/20260107T120001Z", true}, {"20260105T000000Z/20260106T000000Z", false},
		}},
		{"absolute", "VEVENT", event, "TRIGGER;VALUE=DATE-TIME:20260101T080000Z", []fltCase{
			{"20260101T080000Z/20260101T080001Z", true}, {"20260105T000000Z/", false},
		}},
		{"repeated", "VEVENT", event, "TRIGGER:-PT1H\nREPEAT:4\nDURATION:PT10M", []fltCase{
			{"20260105T090000Z/20260105T090100Z", true},
			{"20260105T090100Z/20260105T091000Z", false},
			{"20260105T091000Z/20260105T091001Z", true},
			{"20260105T094000Z/20260105T094001Z", true},
			{"20260105T094001Z/", false},
			{"/20260105T090000Z", false},
		}},
		{"repeat without duration", "VEVENT", event, "TRIGGER:-PT1H\nREPEAT:4", []fltCase{
			{"20260105T091000Z/20260105T091001Z", false},
		}},
		{"repeated less than never", "VEVENT", event, "TRIGGER:-PT1H\nREPEAT:-4\nDURATION:PT10M", []fltCase{
			{"20260105T090000Z/20260105T090001Z", true}, {"20260105T091000Z/20260105T091001Z", false},
		}},
		{"repeated in no time", "VEVENT", event, "TRIGGER:-PT1H\nREPEAT:4\nDURATION:PT0S", []fltCase{
			{"20260105T090000Z/20260105T090001Z", true}, {"20260105T090001Z/", false},
		}},
		{"beyond any calendar", "VEVENT", event, "TRIGGER:P99999999D", []fltCase{{"20260101T000000Z/20270101T000000Z", false}}},
		{"repeated beyond reason", "VEVENT", event, "TRIGGER:PT0S\nREPEAT:2147483647\nDURATION:P1D", []fltCase{
			{"20360105T100000Z/20360105T100001Z", true}, {"20360105T100001Z/20360105T100002Z", false},
		}},
		{"of each instance", "VEVENT", event + "RRULE:FREQ=WEEKLY\nEXDATE:20260119T100000Z\n", "TRIGGER:-P1D", []fltCase{
			{"20260111T100000Z/20260111T100001Z", true},
			{"20260118T000000Z/20260119T000000Z", false},
			{"20300106T100000Z/20300106T100001Z", true},
			{"20260112T000000Z/20260113T000000Z", false},
		}},
		{"days are nominal", "VEVENT", "DTSTART;TZID=Europe/Berlin:20260329T100000\nDURATION:PT1H\n", "TRIGGER:-P1D", []fltCase{
			{"20260328T090000Z/20260328T090001Z", true}, {"20260328T080000Z/20260328T080001Z", false},
		}},
		{"of a todo, before due", "VTODO", "DUE:20260105T120000Z\n", "TRIGGER;RELATED=END:-PT1H", []fltCase{
			{"20260105T110000Z/20260105T110001Z", true}, {"20260105T120000Z/", false},
		}},
		{"of a todo without time", "VTODO", "SUMMARY:x\n", "TRIGGER:-PT1H", []fltCase{{"19000101T000000Z/", false}}},
		{"absolute, of a todo without time", "VTODO", "SUMMARY:x\n", "TRIGGER;VALUE=DATE-TIME:20260101T080000Z", []fltCase{
			{"20260101T000000Z/20260102T000000Z", true},
		}},
		{"unreadable", "VEVENT", event, "TRIGGER:soon", []fltCase{{"19000101T000000Z/", false}}},
		{"none", "VEVENT", event, "ACTION:AUDIO", []fltCase{{"19000101T000000Z/", false}}},
	}
	for _, tt := range tests {
		o := fltObject(t, "BEGIN:"+tt.component+"\nUID:a\n"+tt.lines+"BEGIN:VALARM\n"+tt.alarm+"\nEND:VALARM\nEND:"+tt.component)
		for _, c := range tt.cases {
			f := fltTop(Filter{Name: tt.component, Comps: []Filter{fltIn("VALARM", c.window)}})
			if got := fltMatch(t, o, f, nil); got != c.want {
				t.Errorf("%s in %s: %v", tt.name, c.window, got)
			}
		}
	}
}

func TestTimeRangeOfAnOverridesAlarm(t *testing.T) {
	o := fltObject(t, `
BEGIN:VEVENT
UID:s
DTSTART:20260105T100000Z
RRULE:FREQ=DAILY;COUNT=3
BEGIN:VALARM
TRIGGER:-PT10M
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:s
RECURRENCE-ID:20260106T100000Z
DTSTART:20260106T120000Z
BEGIN:VALARM
TRIGGER:-PT30M
END:VALARM
END:VEVENT`)
	for _, c := range []fltCase{
		{"20260105T095000Z/20260105T095001Z", true},
		{"20260106T095000Z/20260106T095001Z", false},
		{"20260106T113000Z/20260106T113001Z", true},
		{"20260106T115000Z/20260106T115001Z", false},
		{"20260107T095000Z/20260107T095001Z", true},
	} {
		f := fltTop(Filter{Name: "VEVENT", Comps: []Filter{fltIn("VALARM", c.window)}})
		if got := fltMatch(t, o, f, nil); got != c.want {
			t.Errorf("%s: %v", c.window, got)
		}
	}
}

func TestTimeRangeOfProperties(t *testing.T) {
	event := fltObject(t, `
BEGIN:VEVENT
UID:e
DTSTAMP:20260101T000000Z
CREATED:20251224T180000Z
LAST-MODIFIED:20251231T180000Z
DTSTART;X-P=1:20260105T100000Z
DURATION:PT1H
RRULE:FREQ=WEEKLY
END:VEVENT`)
	todo := fltObject(t, "BEGIN:VTODO\nUID:t\nCOMPLETED:20260103T000000Z\nDUE;VALUE=DATE:20260104\nEND:VTODO")
	span := fltObject(t, "BEGIN:VFREEBUSY\nUID:f\nDTSTART:20260105T100000Z\nDTEND:20260106T100000Z\nEND:VFREEBUSY")
	tests := []struct {
		name           string
		o              *Object
		component      string
		property       string
		cases          []fltCase
		wantsParameter string
	}{
		{"DTSTAMP", event, "VEVENT", "DTSTAMP", []fltCase{
			{"20260101T000000Z/20260102T000000Z", true}, {"20251231T000000Z/20260101T000000Z", false},
		}, ""},
		{"CREATED, open", event, "VEVENT", "created", []fltCase{{"20251201T000000Z/", true}, {"/20251201T000000Z", false}}, ""},
		{"LAST-MODIFIED", event, "VEVENT", "LAST-MODIFIED", []fltCase{{"20251231T180000Z/20251231T180001Z", true}}, ""},
		{"COMPLETED", todo, "VTODO", "COMPLETED", []fltCase{{"20260102T000000Z/20260104T000000Z", true}}, ""},
		{"COMPLETED of nothing completed", event, "VEVENT", "COMPLETED", []fltCase{{"19000101T000000Z/", false}}, ""},
		{"DUE", todo, "VTODO", "DUE", []fltCase{
			{"20260104T000000Z/20260105T000000Z", true}, {"20260105T000000Z/", false},
		}, ""},
		{"DTSTART of instances", event, "VEVENT", "DTSTART", []fltCase{
			{"20260112T100000Z/20260112T100001Z", true}, {"20260112T103000Z/20260112T110000Z", false},
		}, ""},
		{"DTSTART with its parameter", event, "VEVENT", "DTSTART", []fltCase{{"20260112T000000Z/20260113T000000Z", true}}, "X-P"},
		{"DTSTART with another parameter", event, "VEVENT", "DTSTART", []fltCase{{"20260112T000000Z/20260113T000000Z", false}}, "TZID"},
		{"effective DTEND", event, "VEVENT", "DTEND", []fltCase{
			{"20260112T110000Z/20260112T110001Z", true}, {"20260112T100000Z/20260112T110000Z", false},
		}, ""},
		{"DTEND without instances", span, "VFREEBUSY", "DTEND", []fltCase{
			{"20260106T100000Z/20260107T000000Z", true}, {"20260105T000000Z/20260106T000000Z", false},
		}, ""},
	}
	for _, tt := range tests {
		for _, c := range tt.cases {
			p := PropFilter{Name: tt.property, TimeRange: fltRange(c.window)}
			if tt.wantsParameter != "" {
				p.Params = []ParamFilter{{Name: tt.wantsParameter}}
			}
			if got := fltMatch(t, tt.o, fltProps(tt.component, p), nil); got != c.want {
				t.Errorf("%s in %s: %v", tt.name, c.window, got)
			}
		}
	}
}

func TestConditionsOnTimeAreAskedOneByOne(t *testing.T) {
	o := fltObject(t, `
BEGIN:VEVENT
UID:s
DTSTART:20260105T100000Z
DURATION:PT1H
RRULE:FREQ=DAILY;COUNT=5
BEGIN:VALARM
TRIGGER:-PT1H
END:VALARM
END:VEVENT`)
	both := fltIn("VEVENT", "20260105T000000Z/20260106T000000Z")
	both.Comps = []Filter{fltIn("VALARM", "20260107T000000Z/20260108T000000Z")}
	if !fltMatch(t, o, fltTop(both), nil) {
		t.Error("two instances do not meet one condition each")
	}
	both.Comps = []Filter{fltIn("VALARM", "20260207T000000Z/20260208T000000Z")}
	if fltMatch(t, o, fltTop(both), nil) {
		t.Error("an alarm out of range matches")
	}
}

func TestMatchEndsWithinBounds(t *testing.T) {
	o := fltObject(t, "BEGIN:VEVENT\nUID:b\nDTSTART:20260105T100000Z\nRRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30\nEND:VEVENT")
	got, err := fltTop(fltIn("VEVENT", "20260105T100001Z/")).Match(o, nil)
	var stopped *LimitError
	if got || err != nil && !errors.As(err, &stopped) {
		t.Errorf("match: %v, %v", got, err)
	}
}
