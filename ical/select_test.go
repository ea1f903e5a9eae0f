package ical

import (
	"errors"
	"strings"
	"testing"
)

const selSeries = `
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19810329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:s
DTSTART;TZID=Europe/Berlin:20260105T100000
DURATION:PT1H
RRULE:FREQ=DAILY;COUNT=5
EXDATE;TZID=Europe/Berlin:20260107T100000
X-LONG;X-P="a;b":This is a line that is longer than seventy-five octets
  and so it is folded
SUMMARY:standup
BEGIN:VALARM
ACTION:AUDIO
TRIGGER:-PT5M
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:s
RECURRENCE-ID;TZID=Europe/Berlin:20260106T100000
DTSTART;TZID=Europe/Berlin:20260106T140000
DTEND;TZID=Europe/Berlin:20260106T150000
SUMMARY:standup\, later
END:VEVENT`

// selected gives the lines of the selection, without the frame of the calendar.
func selected(t *testing.T, o *Object, s *Selection) string {
	t.Helper()
	b, err := o.Select(s)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if strings.Count(text, "\n") != strings.Count(text, "\r\n") {
		t.Errorf("a line does not end in CRLF: %q", text)
	}
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > foldAt {
			t.Errorf("line of %d octets", len(line))
		}
	}
	if _, err := Parse(b, Limits{}); err != nil {
		t.Errorf("selection cannot be read: %v", err)
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(text,
		"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//daybook//test//EN\n"), "END:VCALENDAR\n"))
}

func selComp(name string, props []string, comps ...CompSelection) CompSelection {
	c := CompSelection{Name: name, Comps: comps}
	for _, p := range props {
		n, noValue := strings.CutSuffix(p, "-")
		c.Props = append(c.Props, PropSelection{Name: n, NoValue: noValue})
	}
	return c
}

func TestSelectPartsOfComponents(t *testing.T) {
	o := fltObject(t, selSeries)
	all := strings.TrimSpace(selSeries)
	frame := []string{"VERSION", "PRODID"}
	tests := []struct {
		name string
		comp CompSelection
		want string
	}{
		{"calendar without children is everything", CompSelection{Name: "VCALENDAR"}, all},
		{"allprop and allcomp", CompSelection{Name: "vcalendar", AllProps: true, AllComps: true}, all},
		{"allprop alone", CompSelection{Name: "VCALENDAR", AllProps: true}, ""},
		{"component without children is all of it", selComp("VCALENDAR", frame, CompSelection{Name: "VEVENT"}), all[strings.Index(all, "BEGIN:VEVENT"):]},
		{"properties", selComp("VCALENDAR", frame, selComp("VEVENT", []string{"summary", "DTSTART", "LOCATION"})), `BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:20260105T100000
SUMMARY:standup
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:20260106T140000
SUMMARY:standup\, later
END:VEVENT`},
		{"no value", selComp("VCALENDAR", frame, selComp("VEVENT", []string{"DTSTART-", "X-LONG-"})), `BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:
X-LONG;X-P="a;b":
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:
END:VEVENT`},
		{"folded lines stay", selComp("VCALENDAR", frame, selComp("VEVENT", []string{"X-LONG"})), `BEGIN:VEVENT
X-LONG;X-P="a;b":This is a line that is longer than seventy-five octets
  and so it is folded
END:VEVENT
BEGIN:VEVENT
END:VEVENT`},
		{"components inside", selComp("VCALENDAR", frame, selComp("VEVENT", []string{"UID"}, selComp("VALARM", []string{"TRIGGER"}))), `BEGIN:VEVENT
UID:s
BEGIN:VALARM
TRIGGER:-PT5M
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:s
END:VEVENT`},
		{"all components inside", CompSelection{Name: "VCALENDAR", AllProps: true, Comps: []CompSelection{{
			Name: "VEVENT", Props: []PropSelection{{Name: "UID"}}, AllComps: true,
		}}}, `BEGIN:VEVENT
UID:s
BEGIN:VALARM
ACTION:AUDIO
TRIGGER:-PT5M
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:s
END:VEVENT`},
		{"what is not there", selComp("VCALENDAR", frame, CompSelection{Name: "VTODO"}), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := selected(t, o, &Selection{Comp: &tt.comp}); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestSelectGivesStoredBytesForTheWhole(t *testing.T) {
	o := fltObject(t, selSeries)
	for _, s := range []*Selection{nil, {}, {Comp: &CompSelection{Name: "VCALENDAR"}}} {
		b, err := o.Select(s)
		if err != nil || string(b) != string(o.Data()) {
			t.Errorf("%+v: %v", s, err)
		}
		if !s.Whole() {
			t.Errorf("%+v is not whole", s)
		}
	}
}

func TestSelectRefusesAnotherTop(t *testing.T) {
	_, err := fltObject(t, selSeries).Select(&Selection{Comp: &CompSelection{Name: "VEVENT"}, Expand: fltRange("20260101T000000Z/20260201T000000Z")})
	if broken := (*FilterError)(nil); !errors.As(err, &broken) {
		t.Errorf("got %v", err)
	}
}

func TestExpandGivesInstances(t *testing.T) {
	berlin := LookupZone("Europe/Berlin")
	tests := []struct {
		name, lines, window string
		zone                *Zone
		want                string
	}{
		{"zoned series with override", selSeries, "20260105T120000Z/20260109T000000Z", nil, `BEGIN:VEVENT
UID:s
DTSTART:20260106T130000Z
DTEND:20260106T140000Z
SUMMARY:standup\, later
RECURRENCE-ID:20260106T090000Z
END:VEVENT
BEGIN:VEVENT
UID:s
DTSTART:20260108T090000Z
DURATION:PT1H
X-LONG;X-P="a;b":This is a line that is longer than seventy-five octets
  and so it is folded
SUMMARY:standup
RECURRENCE-ID:20260108T090000Z
BEGIN:VALARM
ACTION:AUDIO
TRIGGER:-PT5M
END:VALARM
END:VEVENT`},
		{"all-day", "BEGIN:VEVENT\nUID:d\nDTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260107\nRRULE:FREQ=WEEKLY;COUNT=2\nEND:VEVENT", "20260112T000000Z/20260113T000000Z", berlin, `BEGIN:VEVENT
UID:d
DTSTART;VALUE=DATE:20260112
DTEND;VALUE=DATE:20260114
RECURRENCE-ID;VALUE=DATE:20260112
END:VEVENT`},
		{"all-day series with a timed override", "BEGIN:VEVENT\nUID:d\nDTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY;COUNT=2\nEND:VEVENT\n" +
			"BEGIN:VEVENT\nUID:d\nRECURRENCE-ID;VALUE=DATE:20260112\nDTSTART;TZID=Europe/Berlin:20260112T100000\nEND:VEVENT", "20260112T000000Z/20260113T000000Z", berlin, `BEGIN:VEVENT
UID:d
DTSTART:20260112T090000Z
RECURRENCE-ID;VALUE=DATE:20260112
END:VEVENT`},
		{"floating stays floating", "BEGIN:VEVENT\nUID:f\nDTSTART:20260105T100000\nDTEND:20260105T110000\nRRULE:FREQ=DAILY;COUNT=2\nEND:VEVENT", "20260106T093000Z/20260107T000000Z", berlin, `BEGIN:VEVENT
UID:f
DTSTART:20260106T100000
DTEND:20260106T110000
RECURRENCE-ID:20260106T100000
END:VEVENT`},
		{"not recurring", "BEGIN:VEVENT\nUID:o\nDTSTART;TZID=Europe/Berlin:20260105T100000\nX-ALSO;TZID=Europe/Berlin;X-Q=1:20260105T120000\nEND:VEVENT", "20260105T000000Z/20260106T000000Z", nil, `BEGIN:VEVENT
UID:o
DTSTART:20260105T090000Z
X-ALSO;X-Q=1:20260105T110000Z
END:VEVENT`},
		{"out of the window", "BEGIN:VEVENT\nUID:o\nDTSTART:20260105T100000Z\nEND:VEVENT", "20270105T000000Z/20270106T000000Z", nil, ""},
		{"a day of 23 hours", "BEGIN:VEVENT\nUID:n\nDTSTART;TZID=Europe/Berlin:20260328T120000\nDURATION:P1D\nEND:VEVENT", "20260328T000000Z/20260329T000000Z", nil, `BEGIN:VEVENT
UID:n
DTSTART:20260328T110000Z
DURATION:PT23H0M0S
END:VEVENT`},
		{"first instance cancelled by override", "BEGIN:VEVENT\nUID:c\nDTSTART:20260105T100000Z\nRRULE:FREQ=DAILY;COUNT=2\nEND:VEVENT\n" +
			"BEGIN:VEVENT\nUID:c\nRECURRENCE-ID:20260105T100000Z\nDTSTART:20260105T100000Z\nSTATUS:CANCELLED\nEND:VEVENT", "20260105T000000Z/20260106T000000Z", nil, `BEGIN:VEVENT
UID:c
DTSTART:20260105T100000Z
STATUS:CANCELLED
RECURRENCE-ID:20260105T100000Z
END:VEVENT`},
		{"a period of an RDATE", "BEGIN:VEVENT\nUID:p\nDTSTART:20260105T100000Z\nRDATE;VALUE=PERIOD:20260106T100000Z/PT3H\nEND:VEVENT", "20260106T000000Z/20260107T000000Z", nil, `BEGIN:VEVENT
UID:p
DTSTART:20260106T100000Z
DURATION:PT3H0M0S
RECURRENCE-ID:20260106T100000Z
END:VEVENT`},
		{"a zone that nobody knows is no zone", "BEGIN:VEVENT\nUID:z\nDTSTART;TZID=Nowhere:20260105T100000\nDURATION:PT1H\nEND:VEVENT", "20260105T000000Z/20260106T000000Z", nil, `BEGIN:VEVENT
UID:z
DTSTART:20260105T100000
DURATION:PT1H
END:VEVENT`},
		{"journal", "BEGIN:VJOURNAL\nUID:j\nDTSTART;VALUE=DATE:20260105\nRRULE:FREQ=DAILY\nEND:VJOURNAL", "20260106T000000Z/20260107T000000Z", nil, `BEGIN:VJOURNAL
UID:j
DTSTART;VALUE=DATE:20260106
RECURRENCE-ID;VALUE=DATE:20260106
END:VJOURNAL`},
		{"free-busy is copied", "BEGIN:VFREEBUSY\nUID:f\nFREEBUSY:20260105T100000Z/PT1H\nEND:VFREEBUSY", "20300106T000000Z/20300107T000000Z", nil, "BEGIN:VFREEBUSY\nUID:f\nFREEBUSY:20260105T100000Z/PT1H\nEND:VFREEBUSY"},
		{"moved into the window", "BEGIN:VEVENT\nUID:m\nDTSTART:20260105T100000Z\nRRULE:FREQ=DAILY;COUNT=2\nEND:VEVENT\n" +
			"BEGIN:VEVENT\nUID:m\nRECURRENCE-ID:20260106T100000Z\nDTSTART:20260301T100000Z\nEND:VEVENT", "20260301T000000Z/20260302T000000Z", nil, `BEGIN:VEVENT
UID:m
DTSTART:20260301T100000Z
RECURRENCE-ID:20260106T100000Z
END:VEVENT`},
		{"todo", "BEGIN:VTODO\nUID:t\nDTSTART:20260105T100000Z\nDUE:20260105T120000Z\nRRULE:FREQ=DAILY\nEND:VTODO", "20260107T000000Z/20260108T000000Z", nil, `BEGIN:VTODO
UID:t
DTSTART:20260107T100000Z
DUE:20260107T120000Z
RECURRENCE-ID:20260107T100000Z
END:VTODO`},
		{"todo with due alone", "BEGIN:VTODO\nUID:t\nDUE;TZID=Europe/Berlin:20260105T120000\nEND:VTODO", "20260105T000000Z/20260106T000000Z", nil, `BEGIN:VTODO
UID:t
DUE:20260105T110000Z
END:VTODO`},
		{"todo without time", "BEGIN:VTODO\nUID:t\nSUMMARY:some day\nEND:VTODO", "20260107T000000Z/20260108T000000Z", nil, "BEGIN:VTODO\nUID:t\nSUMMARY:some day\nEND:VTODO"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := selected(t, fltObject(t, tt.lines), &Selection{Expand: fltRange(tt.window), Zone: tt.zone})
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestExpandTakesACompWithoutChildrenAsEverything(t *testing.T) {
	s := Selection{Comp: &CompSelection{Name: "VCALENDAR"}, Expand: fltRange("20260105T000000Z/20260106T000000Z")}
	if got := selected(t, fltObject(t, selSeries), &s); !strings.Contains(got, "BEGIN:VEVENT") || strings.Contains(got, "RRULE") {
		t.Errorf("got\n%s", got)
	}
}

func TestExpandGivesThePropertiesAskedFor(t *testing.T) {
	comp := selComp("VCALENDAR", []string{"VERSION", "PRODID"}, selComp("VEVENT", []string{"DTSTART", "RRULE", "RECURRENCE-ID-"}))
	got := selected(t, fltObject(t, selSeries), &Selection{Comp: &comp, Expand: fltRange("20260105T000000Z/20260106T000000Z")})
	if want := "BEGIN:VEVENT\nDTSTART:20260105T090000Z\nRECURRENCE-ID:\nEND:VEVENT"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestExpandIsBounded(t *testing.T) {
	o := fltObject(t, "BEGIN:VEVENT\nUID:b\nDTSTART:20260105T100000Z\nRRULE:FREQ=MINUTELY\nEND:VEVENT")
	for name, s := range map[string]Selection{
		"instances": {MaxInstances: 100, Expand: fltRange("20260105T000000Z/20260107T000000Z")},
		"default":   {Expand: fltRange("20260105T000000Z/20960105T000000Z")},
	} {
		_, err := o.Select(&s)
		if stopped := (*LimitError)(nil); !errors.As(err, &stopped) {
			t.Errorf("%s: %v", name, err)
		}
	}
	big := fltObject(t, "BEGIN:VEVENT\nUID:b\nDTSTART:20260105T100000Z\nRRULE:FREQ=MINUTELY\nDESCRIPTION:"+strings.Repeat("x", 100_000)+"\nEND:VEVENT")
	_, err := big.Select(&Selection{Expand: fltRange("20260105T000000Z/20260107T000000Z")})
	if stopped := (*LimitError)(nil); !errors.As(err, &stopped) || stopped.What != "octets" {
		t.Errorf("large text: %v", err)
	}
}

func TestLimitRecurrenceSetKeepsWhatTouchesTheRange(t *testing.T) {
	override := func(id, lines string) string {
		return "\nBEGIN:VEVENT\nUID:s\nSUMMARY:" + id + "\n" + lines + "\nEND:VEVENT"
	}
	o := fltObject(t, `
BEGIN:VEVENT
UID:s
DTSTART:20260105T100000Z
DURATION:PT1H
RRULE:FREQ=DAILY;COUNT=30
SUMMARY:master
END:VEVENT`+
		override("in", "RECURRENCE-ID:20260106T100000Z\nDTSTART:20260106T120000Z\nDURATION:PT1H")+
		override("moved-out", "RECURRENCE-ID:20260107T100000Z\nDTSTART:20260207T120000Z\nDURATION:PT1H")+
		override("moved-in", "RECURRENCE-ID:20260120T100000Z\nDTSTART:20260106T150000Z\nDURATION:PT1H")+
		override("elsewhere", "RECURRENCE-ID:20260121T100000Z\nDTSTART:20260121T150000Z\nDURATION:PT1H")+
		override("future", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260115T100000Z\nDTSTART:20260115T150000Z\nDURATION:PT1H"))
	for _, tt := range []struct{ window, want string }{
		{"20260106T000000Z/20260108T000000Z", "master in moved-out moved-in"},
		{"20260206T000000Z/20260208T000000Z", "master moved-out"},
		{"20260118T000000Z/20260119T000000Z", "master future"},
		{"20260106T105959Z/20260106T110000Z", "master in"}, // by its original time
		{"20260106T110000Z/20260106T120000Z", "master"},
		{"20250101T000000Z/20250102T000000Z", "master"},
	} {
		got := selected(t, o, &Selection{LimitSet: fltRange(tt.window)})
		var names []string
		for line := range strings.SplitSeq(got, "\n") {
			if name, ok := strings.CutPrefix(line, "SUMMARY:"); ok {
				names = append(names, name)
			}
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.window, got, tt.want)
		}
	}
}

func TestLimitFreeBusySetKeepsPeriodsInTheRange(t *testing.T) {
	o := fltObject(t, `
BEGIN:VFREEBUSY
UID:f
DTSTART:20260101T000000Z
DTEND:20260201T000000Z
FREEBUSY;FBTYPE=BUSY:20260105T100000Z/PT1H,20260106T100000Z/20260106T110000Z,20260107T100000Z/PT1H
FREEBUSY:20260120T100000Z/PT1H
END:VFREEBUSY`)
	got := selected(t, o, &Selection{LimitFree: fltRange("20260106T000000Z/20260107T100001Z")})
	want := `BEGIN:VFREEBUSY
UID:f
DTSTART:20260101T000000Z
DTEND:20260201T000000Z
FREEBUSY;FBTYPE=BUSY:20260106T100000Z/20260106T110000Z,20260107T100000Z/PT1
 H
END:VFREEBUSY`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
