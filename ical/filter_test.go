package ical

import (
	"errors"
	"strings"
	"testing"
	"time"

	"daybook/ical/span"
)

// fltObject parses a VCALENDAR of the given content lines.
func fltObject(t *testing.T, lines string) *Object {
	t.Helper()
	text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//daybook//test//EN\n" + strings.TrimSpace(lines) + "\nEND:VCALENDAR\n"
	o, err := Parse([]byte(strings.ReplaceAll(text, "\n", "\r\n")), Limits{})
	if err != nil {
		t.Fatalf("parse: %v\n%s", err, text)
	}
	return o
}

// fltRange reads "START/END" in the form of a time-range; either may be empty.
func fltRange(s string) *span.Span {
	from, to, _ := strings.Cut(s, "/")
	at := func(s string) time.Time {
		if s == "" {
			return time.Time{}
		}
		t, err := time.Parse(stampUTC, s)
		if err != nil {
			panic(err)
		}
		return t
	}
	return &span.Span{Start: at(from), End: at(to)}
}

func fltTop(comps ...Filter) *Filter { return &Filter{Name: "VCALENDAR", Comps: comps} }

func fltIn(name, window string) Filter { return Filter{Name: name, TimeRange: fltRange(window)} }

func fltProps(name string, props ...PropFilter) *Filter {
	return fltTop(Filter{Name: name, Props: props})
}

func fltText(name, text string) PropFilter {
	return PropFilter{Name: name, Text: &TextMatch{Text: text}}
}

func TestFilterCheckRefusesWhatMeansNothing(t *testing.T) {
	year := fltRange("20260101T000000Z/20270101T000000Z")
	nested := func(outer, inner string) *Filter {
		return fltTop(Filter{Name: outer, Comps: []Filter{{Name: inner}}})
	}
	many := make([]PropFilter, maxFilterNodes)
	for i := range many {
		many[i].Name = "SUMMARY"
	}
	ranges := make([]PropFilter, maxFilterTimes+1)
	for i := range ranges {
		ranges[i] = PropFilter{Name: "DTSTAMP", TimeRange: year}
	}
	tests := []struct {
		name, rule string
		f          *Filter
	}{
		{"top is not VCALENDAR", "valid-filter", &Filter{Name: "VEVENT"}},
		{"time-range on VCALENDAR", "valid-filter", &Filter{Name: "VCALENDAR", TimeRange: year}},
		{"time-range on VTIMEZONE", "valid-filter", fltTop(Filter{Name: "VTIMEZONE", TimeRange: year})},
		{"time-range on STANDARD", "valid-filter", fltTop(Filter{Name: "VTIMEZONE", Comps: []Filter{{Name: "STANDARD", TimeRange: year}}})},
		{"time-range on an unknown component", "valid-filter", fltTop(Filter{Name: "X-THING", TimeRange: year})},
		{"time-range on SUMMARY", "valid-filter", fltProps("VEVENT", PropFilter{Name: "SUMMARY", TimeRange: year})},
		{"VALARM in VCALENDAR", "valid-filter", fltTop(Filter{Name: "VALARM"})},
		{"STANDARD in VCALENDAR", "valid-filter", fltTop(Filter{Name: "STANDARD"})},
		{"VCALENDAR in VCALENDAR", "valid-filter", nested("VCALENDAR", "VEVENT")},
		{"VEVENT in VEVENT", "valid-filter", nested("VEVENT", "VEVENT")},
		{"VALARM in VJOURNAL", "valid-filter", nested("VJOURNAL", "VALARM")},
		{"VEVENT in VALARM", "valid-filter", fltTop(Filter{Name: "VEVENT", Comps: []Filter{{Name: "VALARM", Comps: []Filter{{Name: "VEVENT"}}}}})},
		{"component without name", "valid-filter", fltTop(Filter{})},
		{"property without name", "valid-filter", fltProps("VEVENT", PropFilter{})},
		{"parameter without name", "valid-filter", fltProps("VEVENT", PropFilter{Name: "ATTENDEE", Params: []ParamFilter{{}}})},
		{"no bound", "valid-filter", fltTop(Filter{Name: "VEVENT", TimeRange: &span.Span{}})},
		{"end before start", "valid-filter", fltTop(fltIn("VEVENT", "20260102T000000Z/20260101T000000Z"))},
		{"end equals start", "valid-filter", fltTop(fltIn("VEVENT", "20260101T000000Z/20260101T000000Z"))},
		{"absent component with conditions", "valid-filter", fltTop(Filter{Name: "VEVENT", IsNotDefined: true, TimeRange: year})},
		{"absent property with text", "valid-filter", fltProps("VEVENT", PropFilter{Name: "CLASS", IsNotDefined: true, Text: &TextMatch{}})},
		{"absent parameter with text", "valid-filter", fltProps("VEVENT", PropFilter{Name: "ATTENDEE", Params: []ParamFilter{{Name: "CN", IsNotDefined: true, Text: &TextMatch{}}}})},
		{"time-range and text", "valid-filter", fltProps("VEVENT", PropFilter{Name: "DTSTAMP", TimeRange: year, Text: &TextMatch{}})},
		{"unknown collation of a property", "supported-collation", fltProps("VEVENT", PropFilter{Name: "SUMMARY", Text: &TextMatch{Collation: "i;basic"}})},
		{"unknown collation of a parameter", "supported-collation", fltProps("VEVENT", PropFilter{Name: "SUMMARY", Params: []ParamFilter{{Name: "LANGUAGE", Text: &TextMatch{Collation: "*"}}}})},
		{"too many conditions", "supported-filter", fltProps("VEVENT", many...)},
		{"too many time-ranges", "supported-filter", fltProps("VEVENT", ranges...)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var broken *FilterError
			if err := tt.f.Check(); !errors.As(err, &broken) || broken.Rule != tt.rule {
				t.Errorf("got %v, want %s", err, tt.rule)
			}
		})
	}
}

func TestFilterCheckTakesWhatClientsSend(t *testing.T) {
	year := fltRange("20260101T000000Z/20270101T000000Z")
	for name, f := range map[string]*Filter{
		"all":             fltTop(),
		"component":       fltTop(Filter{Name: "vevent"}),
		"open end":        fltTop(fltIn("VEVENT", "20260101T000000Z/")),
		"open start":      fltTop(fltIn("VTODO", "/20260101T000000Z")),
		"alarm":           fltTop(Filter{Name: "VEVENT", Comps: []Filter{{Name: "VALARM", TimeRange: year}}}),
		"todo alarm":      fltTop(Filter{Name: "VTODO", Comps: []Filter{{Name: "VALARM"}}}),
		"created":         fltProps("VJOURNAL", PropFilter{Name: "Created", TimeRange: year}),
		"zone rules":      fltTop(Filter{Name: "VTIMEZONE", Comps: []Filter{{Name: "STANDARD"}}}),
		"availability":    fltTop(Filter{Name: "VAVAILABILITY", TimeRange: year, Comps: []Filter{{Name: "AVAILABLE"}}}),
		"unknown":         fltTop(Filter{Name: "VEVENT", Comps: []Filter{{Name: "PARTICIPANT"}}}),
		"calendar method": {Name: "VCALENDAR", Props: []PropFilter{{Name: "METHOD", IsNotDefined: true}}},
		"open todos": fltProps("VTODO", PropFilter{Name: "COMPLETED", IsNotDefined: true},
			PropFilter{Name: "STATUS", Text: &TextMatch{Text: "CANCELLED", Negate: true}}),
	} {
		if err := f.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFilterHint(t *testing.T) {
	const week = "20260105T000000Z/20260112T000000Z"
	tests := []struct {
		name      string
		f         *Filter
		component string
		window    *span.Span
		timeOnly  bool
	}{
		{"everything", fltTop(), "", nil, true},
		{"kind", fltTop(Filter{Name: "vevent"}), "VEVENT", nil, true},
		{"kind and time", fltTop(fltIn("VEVENT", week)), "VEVENT", fltRange(week), true},
		{"journal and time", fltTop(fltIn("VJOURNAL", week)), "VJOURNAL", fltRange(week), true},
		{"todo", fltTop(Filter{Name: "VTODO"}), "VTODO", nil, true},
		{"todo and time: touching counts", fltTop(fltIn("VTODO", week)), "VTODO", fltRange("20260104T235959Z/20260112T000001Z"), false},
		{"todo and open time", fltTop(fltIn("VTODO", "20260105T000000Z/")), "VTODO", fltRange("20260104T235959Z/"), false},
		{"free-busy has no instances", fltTop(fltIn("VFREEBUSY", week)), "VFREEBUSY", nil, false},
		{"absent kind", fltTop(Filter{Name: "VEVENT", IsNotDefined: true}), "", nil, false},
		{"zone", fltTop(Filter{Name: "VTIMEZONE"}), "", nil, false},
		{"two kinds", fltTop(Filter{Name: "VTIMEZONE"}, fltIn("VEVENT", week)), "VEVENT", fltRange(week), false},
		{"property", fltProps("VEVENT", fltText("UID", "x")), "VEVENT", nil, false},
		{"property time", fltProps("VEVENT", PropFilter{Name: "DTSTAMP", TimeRange: fltRange(week)}), "VEVENT", nil, false},
		{"alarm time", fltTop(Filter{Name: "VEVENT", Comps: []Filter{fltIn("VALARM", week)}}), "VEVENT", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			component, window := tt.f.Hint()
			if component != tt.component || (window == nil) != (tt.window == nil) || window != nil && *window != *tt.window {
				t.Errorf("hint %q %v, want %q %v", component, window, tt.component, tt.window)
			}
			if got := tt.f.TimeOnly(); got != tt.timeOnly {
				t.Errorf("time only: %v", got)
			}
		})
	}
}

const fltMeeting = `
BEGIN:VEVENT
UID:meeting
DTSTAMP:20260101T000000Z
DTSTART:20260105T100000Z
DTEND:20260105T110000Z
SUMMARY;LANGUAGE=de:Ärztekammer\, Sitzung
CATEGORIES:Work,Out\, of house
CATEGORIES:Travel
ATTENDEE;PARTSTAT=NEEDS-ACTION;CN="Noor, Ada":mailto:ada@example.com
ATTENDEE;PARTSTAT=ACCEPTED;MEMBER="mailto:a@example.com","mailto:b@example.com":mailto:ben@example.com
X-EMPTY;X-PARAM=:
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT15M
END:VALARM
END:VEVENT`

func TestFilterMatchesPropertiesAndParameters(t *testing.T) {
	o := fltObject(t, fltMeeting)
	attendee := func(text string, params ...ParamFilter) PropFilter {
		p := PropFilter{Name: "ATTENDEE", Params: params}
		if text != "" {
			p.Text = &TextMatch{Text: text}
		}
		return p
	}
	param := func(name, text string) ParamFilter { return ParamFilter{Name: name, Text: &TextMatch{Text: text}} }
	not := func(name, text string) PropFilter {
		return PropFilter{Name: name, Text: &TextMatch{Text: text, Negate: true}}
	}
	tests := []struct {
		name string
		p    PropFilter
		want bool
	}{
		{"defined", PropFilter{Name: "summary"}, true},
		{"not there", PropFilter{Name: "LOCATION"}, false},
		{"is-not-defined of a present one", PropFilter{Name: "SUMMARY", IsNotDefined: true}, false},
		{"is-not-defined of an absent one", PropFilter{Name: "CLASS", IsNotDefined: true}, true},
		{"substring, ASCII case", fltText("SUMMARY", "SITZ"), true},
		{"text is unescaped", fltText("SUMMARY", "kammer, Sitzung"), true},
		{"non-ASCII", fltText("SUMMARY", "Ärzte"), true},
		{"non-ASCII of other case by default", fltText("SUMMARY", "ärzte"), false},
		{"non-ASCII by unicode-casemap", PropFilter{Name: "SUMMARY", Text: &TextMatch{Text: "ÄRZTEKAMMER", Collation: CollationUnicode}}, true},
		{"octet", PropFilter{Name: "SUMMARY", Text: &TextMatch{Text: "sitzung", Collation: CollationOctet}}, false},
		{"negated, there", not("SUMMARY", "sitzung"), false},
		{"negated, not there", not("SUMMARY", "party"), true},
		{"negated, no property", not("LOCATION", "party"), false},
		{"category", fltText("CATEGORIES", "work"), true},
		{"category, substring", fltText("CATEGORIES", "wor"), true},
		{"category with a comma", fltText("CATEGORIES", "out, of"), true},
		{"category of the second line", fltText("CATEGORIES", "travel"), true},
		{"not across values", fltText("CATEGORIES", "work,out"), false},
		{"none of the values", not("CATEGORIES", "home"), true},
		{"none of the values, one has it", not("CATEGORIES", "travel"), false},
		{"any line", attendee("ben@"), true},
		{"parameter of the same line", attendee("ada@", param("PARTSTAT", "needs-action")), true},
		{"parameter of another line", attendee("ada@", param("PARTSTAT", "accepted")), false},
		{"two parameters", attendee("", param("PARTSTAT", "NEEDS"), param("CN", "noor, ada")), true},
		{"second value of a parameter", attendee("", param("MEMBER", "b@example")), true},
		{"parameter defined", attendee("", ParamFilter{Name: "cn"}), true},
		{"parameter not defined", attendee("ben@", ParamFilter{Name: "CN", IsNotDefined: true}), true},
		{"parameter not defined, it is", attendee("ada@", ParamFilter{Name: "CN", IsNotDefined: true}), false},
		{"parameter negated", attendee("ada@", ParamFilter{Name: "PARTSTAT", Text: &TextMatch{Text: "ACCEPTED", Negate: true}}), true},
		{"empty parameter is defined", PropFilter{Name: "X-EMPTY", Params: []ParamFilter{{Name: "X-PARAM"}}}, true},
		{"empty value", fltText("X-EMPTY", ""), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := fltProps("VEVENT", tt.p)
			if err := f.Check(); err != nil {
				t.Fatal(err)
			}
			got, err := f.Match(o, nil)
			if err != nil || got != tt.want {
				t.Errorf("match: %v, %v", got, err)
			}
		})
	}
}

func TestFilterMatchesAnyComponentOfTheName(t *testing.T) {
	series := fltObject(t, `
BEGIN:VEVENT
UID:s
DTSTART:20260105T100000Z
RRULE:FREQ=DAILY;COUNT=5
SUMMARY:master
END:VEVENT
BEGIN:VEVENT
UID:s
RECURRENCE-ID:20260106T100000Z
DTSTART:20260106T120000Z
SUMMARY:override
LOCATION:Room 2
BEGIN:VALARM
ACTION:AUDIO
TRIGGER:-PT5M
END:VALARM
END:VEVENT`)
	withAlarm := func(g Filter, props ...PropFilter) *Filter {
		return fltTop(Filter{Name: "VEVENT", Props: props, Comps: []Filter{g}})
	}
	tests := []struct {
		name string
		f    *Filter
		want bool
	}{
		{"text of the master", fltProps("VEVENT", fltText("SUMMARY", "master")), true},
		{"text of an override", fltProps("VEVENT", fltText("SUMMARY", "override")), true},
		{"all conditions on one component", fltProps("VEVENT", fltText("SUMMARY", "master"), PropFilter{Name: "LOCATION"}), false},
		{"absent in one of them", fltProps("VEVENT", PropFilter{Name: "LOCATION", IsNotDefined: true}), true},
		{"alarm of one", withAlarm(Filter{Name: "VALARM"}), true},
		{"no alarm in one", withAlarm(Filter{Name: "VALARM", IsNotDefined: true}), true},
		{"alarm and text of another", withAlarm(Filter{Name: "VALARM"}, fltText("SUMMARY", "master")), false},
		{"alarm's property", withAlarm(Filter{Name: "VALARM", Props: []PropFilter{fltText("ACTION", "audio")}}), true},
		{"alarm's property differs", withAlarm(Filter{Name: "VALARM", Props: []PropFilter{fltText("ACTION", "display")}}), false},
		{"no such component", fltTop(Filter{Name: "VTODO"}), false},
		{"is-not-defined", fltTop(Filter{Name: "VTODO", IsNotDefined: true}), true},
		{"is-not-defined of what is there", fltTop(Filter{Name: "VEVENT", IsNotDefined: true}), false},
		{"all of the comp-filters", fltTop(Filter{Name: "VEVENT"}, Filter{Name: "VTODO"}), false},
		{"property of the calendar", &Filter{Name: "VCALENDAR", Props: []PropFilter{fltText("VERSION", "2.0")}}, true},
		{"absent property of the calendar", &Filter{Name: "VCALENDAR", Props: []PropFilter{{Name: "METHOD"}}}, false},
		{"no calendar", &Filter{Name: "VCALENDAR", IsNotDefined: true}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.f.Check(); err != nil {
				t.Fatal(err)
			}
			got, err := tt.f.Match(series, nil)
			if err != nil || got != tt.want {
				t.Errorf("match: %v, %v", got, err)
			}
		})
	}
}
