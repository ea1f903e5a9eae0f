package ical

import (
	"errors"
	"strings"
	"testing"
)

func object(t *testing.T, lines ...string) *Object {
	t.Helper()
	text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCALENDAR\r\n"
	o, err := ParseResource([]byte(text), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func anEvent(t *testing.T, lines ...string) *Object {
	t.Helper()
	all := append([]string{"BEGIN:VEVENT", "UID:a", "DTSTAMP:20270101T000000Z"}, lines...)
	return object(t, append(all, "END:VEVENT")...)
}

func TestContentIsWhatIsSaid(t *testing.T) {
	base := anEvent(t, "DTSTART:20270301T090000Z", "SUMMARY:x", "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT5M", "END:VALARM")
	same := object(t, "BEGIN:VEVENT", "BEGIN:VALARM", "TRIGGER:-PT5M", "ACTION:AUDIO", "END:VALARM", "SUMMARY:x", "SEQUENCE:9",
		"LAST-MODIFIED:20280101T000000Z", "DTSTART:20270301T0900\r\n 00Z", "UID:other", "DTSTAMP:20290101T000000Z", "END:VEVENT")
	if base.Content() != same.Content() {
		t.Error("an order, a fold, a UID or a stamp counts")
	}
	for _, other := range []*Object{
		anEvent(t, "DTSTART:20270301T090000Z", "SUMMARY:y", "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT5M", "END:VALARM"),
		anEvent(t, "DTSTART:20270301T090000Z", "SUMMARY:x", "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT6M", "END:VALARM"),
		anEvent(t, "DTSTART:20270301T090000Z", "SUMMARY:x"),
		anEvent(t, "DTSTART;TZID=Europe/Berlin:20270301T090000", "SUMMARY:x", "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT5M", "END:VALARM"),
	} {
		if base.Content() == other.Content() {
			t.Errorf("something else counts for the same: %s", other.Data())
		}
	}
}

func TestJoin(t *testing.T) {
	start, moved, again := "DTSTART:20270301T090000Z", "DTSTART:20270301T100000Z", "DTSTART:20270301T110000Z"
	over := func(day, summary string) []string {
		return []string{"END:VEVENT", "BEGIN:VEVENT", "UID:a", "DTSTAMP:20270101T000000Z", "RECURRENCE-ID:202703" + day + "T090000Z", "DTSTART:202703" + day + "T120000Z", "SUMMARY:" + summary}
	}
	with := func(lines []string, more ...string) []string { return append(append([]string{}, lines...), more...) }
	daily := []string{start, "RRULE:FREQ=DAILY", "SUMMARY:x"}
	for name, c := range map[string]struct {
		base, ours, theirs []string
		want               []string // nil: a conflict
	}{
		"different properties":        {[]string{start, "SUMMARY:x"}, []string{start, "SUMMARY:y"}, []string{moved, "SUMMARY:x"}, []string{moved, "SUMMARY:y"}},
		"a property added":            {[]string{start, "SUMMARY:x"}, []string{start, "SUMMARY:x", "LOCATION;LANGUAGE=de:Hier"}, []string{moved, "SUMMARY:x"}, []string{moved, "SUMMARY:x", "LOCATION;LANGUAGE=de:Hier"}},
		"a property removed":          {[]string{start, "SUMMARY:x"}, []string{start}, []string{moved, "SUMMARY:x"}, []string{moved}},
		"the same change":             {[]string{start, "SUMMARY:x"}, []string{start, "SUMMARY:y"}, []string{start, "SUMMARY:y"}, []string{start, "SUMMARY:y"}},
		"stamps alone":                {[]string{start, "SEQUENCE:1"}, []string{start, "SEQUENCE:2"}, []string{moved, "SEQUENCE:3"}, []string{moved, "SEQUENCE:3"}},
		"one property in two ways":    {[]string{start, "SUMMARY:x"}, []string{start, "SUMMARY:y"}, []string{start, "SUMMARY:z"}, nil},
		"two times":                   {[]string{start}, []string{moved}, []string{again}, nil},
		"start here, end there":       {[]string{start, "DURATION:PT1H"}, []string{moved, "DURATION:PT1H"}, []string{start, "DURATION:PT2H"}, nil},
		"an instance each":            {daily, with(daily, over("02", "o")...), with(daily, over("03", "t")...), nil},
		"an instance and a title":     {daily, with(daily, over("02", "o")...), []string{start, "RRULE:FREQ=DAILY", "SUMMARY:t"}, with([]string{start, "RRULE:FREQ=DAILY", "SUMMARY:t"}, over("02", "o")...)},
		"an instance removed":         {with(daily, over("02", "o")...), daily, with([]string{start, "RRULE:FREQ=DAILY", "SUMMARY:t"}, over("02", "o")...), []string{start, "RRULE:FREQ=DAILY", "SUMMARY:t"}},
		"removed here, changed there": {with(daily, over("02", "o")...), daily, with(daily, over("02", "t")...), nil},
		"an alarm and a title": {
			[]string{start, "SUMMARY:x"},
			[]string{start, "SUMMARY:x", "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT5M", "END:VALARM"},
			[]string{start, "SUMMARY:t"},
			[]string{start, "SUMMARY:t", "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT5M", "END:VALARM"},
		},
	} {
		got, err := Join(anEvent(t, c.base...), anEvent(t, c.ours...), anEvent(t, c.theirs...))
		switch {
		case c.want == nil:
			if !errors.Is(err, ErrConflict) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case got.Content() != anEvent(t, c.want...).Content():
			t.Errorf("%s:\n%s", name, got.Data())
		}
	}
}
