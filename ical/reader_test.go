package ical

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	goical "github.com/emersion/go-ical"
)

// plainEvent is an event of common size, with its zone.
var plainEvent = strings.ReplaceAll(`BEGIN:VCALENDAR
PRODID:-//Example Corp.//Calendar 1.0//EN
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
DTSTART:19810329T020000
TZNAME:CEST
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
DTSTART:19961027T030000
TZNAME:CET
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:0f3b7c0e-6f0c-4a5f-9d5b-0d1f0a6b9c11
DTSTAMP:20260105T101112Z
CREATED:20260105T101112Z
LAST-MODIFIED:20260105T101112Z
SEQUENCE:2
DTSTART;TZID=Europe/Berlin:20260112T090000
DTEND;TZID=Europe/Berlin:20260112T100000
RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261231T225959Z
SUMMARY:Planning\, weekly
DESCRIPTION:Agenda and notes are kept in the shared folder\; please read the
 m before the meeting.\nThank you!
LOCATION:Room 3
ORGANIZER;CN="Ada Noor":mailto:ada@example.org
ATTENDEE;CN="Grace H.";PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:grace@example.org
ATTENDEE;CN=Linus;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:linus@example.org
X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=Room 3:geo:52.5,13.3
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT15M
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")

// BenchmarkPeerParse and the other benchmarks with Peer in their names stand
// beside go-ical or rrule-go: go test ./ical -run "^$" -bench Peer
func BenchmarkPeerParse(b *testing.B) {
	data := []byte(plainEvent)
	b.Run("daybook", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(data, Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("go-ical", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := goical.NewDecoder(bytes.NewReader(data)).Decode(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestParseKeepsGoodBytesAndOffsets(t *testing.T) {
	o, err := Parse([]byte(plainEvent), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !o.Exact() || string(o.Data()) != plainEvent {
		t.Error("good bytes were changed")
	}
	if o.Kind() != "VEVENT" || o.UID() != "0f3b7c0e-6f0c-4a5f-9d5b-0d1f0a6b9c11" || len(o.Main()) != 1 {
		t.Errorf("kind %q, uid %q, %d main", o.Kind(), o.UID(), len(o.Main()))
	}
	checkOffsets(t, o)
}

// checkOffsets parses each line again from its own octets.
func checkOffsets(t *testing.T, o *Object) {
	t.Helper()
	at := 0
	var walk func(c *Component)
	walk = func(c *Component) {
		if c.start < at || c.endLine < c.start || c.end < c.endLine {
			t.Errorf("%s has octets %d, %d, %d after %d", c.Name, c.start, c.endLine, c.end, at)
			return
		}
		if !strings.HasPrefix(strings.ToUpper(unfold(o.data[c.endLine:c.end])), "END:") {
			t.Errorf("%s ends with %q", c.Name, o.data[c.endLine:c.end])
		}
		for i := range c.Lines {
			l := &c.Lines[i]
			got, err := parseLine(unfold(o.data[l.start:l.end]), l.no)
			if err != nil || got.Name != l.Name || got.Value != l.Value || got.params != l.params {
				t.Errorf("octets of line %d %s are %q: %v", l.no, l.Name, o.data[l.start:l.end], err)
			}
		}
		for _, k := range c.Children {
			walk(k)
		}
	}
	walk(o.root)
}

func unfold(b []byte) string {
	s := strings.ReplaceAll(strings.ReplaceAll(string(b), "\r\n ", ""), "\r\n\t", "")
	return strings.TrimSuffix(s, "\r\n")
}

func wantInvalid(t *testing.T, err error, rule Rule) *InvalidError {
	t.Helper()
	var inv *InvalidError
	if !errors.As(err, &inv) {
		t.Fatalf("error is %v, want %s", err, rule)
	}
	if inv.Rule != rule {
		t.Errorf("rule is %s, want %s: %v", inv.Rule, rule, err)
	}
	return inv
}

func TestParseMendsWhatIsMild(t *testing.T) {
	want := string(calendarOf("BEGIN:VTODO|UID:a|SUMMARY:b| c|END:VTODO"))
	for name, text := range map[string]string{
		"bare LF":              strings.ReplaceAll(want, "\r\n", "\n"),
		"CR CR LF":             strings.ReplaceAll(want, "\r\n", "\r\r\n"),
		"BOM":                  "\xef\xbb\xbf" + want,
		"blank lines":          "\r\n\n" + strings.ReplaceAll(want, "\r\n", "\r\n\r\n") + "\n",
		"no last line break":   strings.TrimSuffix(want, "\r\n"),
		"CR at the end":        strings.TrimSuffix(want, "\n"),
		"one LF in the middle": strings.Replace(want, "UID:a\r\n", "UID:a\n", 1),
	} {
		o, err := Parse([]byte(text), Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if string(o.Data()) != want || o.Exact() {
			t.Errorf("%s: exact %t, stored\n%q", name, o.Exact(), o.Data())
		}
		checkOffsets(t, o)
	}
}

func TestParseRefusesBrokenText(t *testing.T) {
	const todo = "BEGIN:VTODO|UID:a|END:VTODO"
	for name, c := range map[string]struct {
		text string
		line int
	}{
		"nothing":                  {"", 0},
		"only blank lines":         {"\r\n\n", 0},
		"fold at the beginning":    {" BEGIN:VCALENDAR\r\n", 1},
		"text before":              {"X:y\r\n" + string(calendarOf(todo)), 1},
		"text after":               {string(calendarOf(todo)) + "X:y", 8},
		"END after":                {string(calendarOf(todo)) + "END:VCALENDAR", 8},
		"component after":          {string(calendarOf(todo)) + "BEGIN:VEVENT", 8},
		"CR in a value":            {string(calendarOf("X-A:b\rc")), 4},
		"DEL":                      {string(calendarOf("X-A:\x7f")), 4},
		"control in a parameter":   {string(calendarOf("X-A;B=\x01:c")), 4},
		"no character of XML":      {string(calendarOf("X-A:\uffff")), 4},
		"surrogate":                {string(calendarOf("X-A:\xed\xa0\x80")), 4},
		"cut character":            {string(calendarOf("X-A:\xc3")), 4},
		"Latin-1 in a parameter":   {string(calendarOf("X-A;B=\xfc:c")), 4},
		"space in a name":          {string(calendarOf("X A:b")), 4},
		"not ASCII in a name":      {string(calendarOf("Xä:b")), 4},
		"empty parameter":          {string(calendarOf("X-A;:b")), 4},
		"quote in a name":          {string(calendarOf("X-A;\"B\"=c:d")), 4},
		"open quote before a fold": {string(calendarOf("X-A;B=\"c:d| e")), 4},
		"BEGIN without name":       {string(calendarOf("BEGIN:")), 4},
		"END of another":           {string(calendarOf("BEGIN:VTODO|END:VEVENT")), 5},
	} {
		_, err := Parse([]byte(c.text), Limits{})
		if inv := wantInvalid(t, err, ValidCalendarData); inv.Line != c.line {
			t.Errorf("%s: line %d, want %d: %v", name, inv.Line, c.line, err)
		}
	}
}

func TestParseKeepsLimits(t *testing.T) {
	data := calendarOf("BEGIN:VTODO|UID:a|X-LONG:0123456789|BEGIN:VALARM|END:VALARM|END:VTODO")
	exact := Limits{Bytes: len(data), Line: 17, Lines: 4, Components: 3, Depth: 3}
	if _, err := Parse(data, exact); err != nil {
		t.Errorf("at the limits: %v", err)
	}
	for name, c := range map[string]struct {
		rule   Rule
		shrink func(*Limits)
	}{
		"bytes":      {MaxResourceSize, func(l *Limits) { l.Bytes-- }},
		"line":       {ValidCalendarData, func(l *Limits) { l.Line-- }},
		"lines":      {ValidCalendarData, func(l *Limits) { l.Lines-- }},
		"components": {ValidCalendarData, func(l *Limits) { l.Components-- }},
		"depth":      {ValidCalendarData, func(l *Limits) { l.Depth-- }},
	} {
		t.Run(name, func(t *testing.T) {
			lim := exact
			c.shrink(&lim)
			_, err := Parse(data, lim)
			wantInvalid(t, err, c.rule)
		})
	}
}

func TestLinesAfterChildrenStayWithTheirComponent(t *testing.T) {
	o := mustParse(t, calendarOf("BEGIN:VTODO|A:1|BEGIN:VALARM|B:2|END:VALARM|C:3|BEGIN:VALARM|D:4|END:VALARM|E:5|END:VTODO|F:6"))
	names := func(c *Component) (s string) {
		for _, l := range c.Lines {
			s += l.Name
		}
		return s
	}
	todo := o.Root().Children[0]
	got := []string{names(o.Root()), names(todo), names(todo.Children[0]), names(todo.Children[1])}
	if want := []string{"VERSIONPRODIDF", "ACE", "B", "D"}; !slices.Equal(got, want) {
		t.Errorf("lines %q, want %q", got, want)
	}
	checkOffsets(t, o)
}
