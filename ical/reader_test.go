package ical

import (
	"bytes"
	"errors"
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

func BenchmarkParse(b *testing.B) {
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
