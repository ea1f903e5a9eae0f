package ical

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	zoneA = "BEGIN:VTIMEZONE|TZID:Zone A|BEGIN:STANDARD|DTSTART:19700101T000000|TZOFFSETFROM:+0100|TZOFFSETTO:+0100|END:STANDARD|END:VTIMEZONE"
	zoneB = "BEGIN:VTIMEZONE|TZID:Zone A|BEGIN:STANDARD|DTSTART:19700101T000000|TZOFFSETFROM:+0500|TZOFFSETTO:+0500|END:STANDARD|END:VTIMEZONE"
)

func split(t testing.TB, data []byte) []SplitItem {
	t.Helper()
	items, err := Split(data, StreamLimits)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func TestSplitGathersComponentsOfOneUID(t *testing.T) {
	items := split(t, calendarOf("METHOD:PUBLISH|X-WR-CALNAME:Team|CALSCALE:GREGORIAN|"+zoneA+"|"+
		"BEGIN:VEVENT|UID:a|DTSTART;TZID=Zone A:20260105T090000|RRULE:FREQ=DAILY|END:VEVENT|"+
		"BEGIN:VTODO|UID:b|SUMMARY:TZID=Zone A|END:VTODO|"+
		"BEGIN:VEVENT|UID:a|RECURRENCE-ID;TZID=\"Zone A\":20260106T090000|DTSTART:20260106T080000Z|END:VEVENT"))
	if len(items) != 2 {
		t.Fatalf("%d items", len(items))
	}
	head := "BEGIN:VCALENDAR|VERSION:2.0|PRODID:-//x//EN|CALSCALE:GREGORIAN|"
	for i, want := range []string{
		head + zoneA + "|BEGIN:VEVENT|UID:a|DTSTART;TZID=Zone A:20260105T090000|RRULE:FREQ=DAILY|END:VEVENT|" +
			"BEGIN:VEVENT|UID:a|RECURRENCE-ID;TZID=\"Zone A\":20260106T090000|DTSTART:20260106T080000Z|END:VEVENT|END:VCALENDAR|",
		head + "BEGIN:VTODO|UID:b|SUMMARY:TZID=Zone A|END:VTODO|END:VCALENDAR|",
	} {
		if items[i].Err != nil {
			t.Fatal(items[i].Err)
		}
		if got := strings.ReplaceAll(string(items[i].Object.Data()), "\r\n", "|"); got != want {
			t.Errorf("item %d is\n%s\nwant\n%s", i, got, want)
		}
	}
	if items[0].UID != "a" || items[1].UID != "b" || items[0].Line != 15 {
		t.Errorf("items %+v", items)
	}
}

func TestSplitTellsTheLineOfABadItem(t *testing.T) {
	items := split(t, calendarOf(zoneA+"|BEGIN:VEVENT|UID:ok|"+monday+"|END:VEVENT|"+
		"BEGIN:VEVENT|UID:bad|DTSTART;TZID=Zone A:20260105T090000|DURATION:never|END:VEVENT|"+
		"BEGIN:VTODO|UID:twice|END:VTODO|BEGIN:VTODO|UID:twice|END:VTODO|BEGIN:X-COMP|UID:x|END:X-COMP"))
	if len(items) != 4 || items[0].Err != nil {
		t.Fatalf("items %+v", items)
	}
	for i, want := range []struct {
		rule Rule
		line int
	}{{ValidCalendarData, 19}, {ValidCalendarObjectResource, 24}, {SupportedComponent, 27}} {
		if inv := wantInvalid(t, items[i+1].Err, want.rule); inv.Line != want.line {
			t.Errorf("item %d: line %d, want %d: %v", i+1, inv.Line, want.line, inv)
		}
		if items[i+1].Object != nil {
			t.Errorf("item %d has an object", i+1)
		}
	}
}

func TestSplitMakesTheSameUIDForTheSameComponent(t *testing.T) {
	text := func(stamp string) []byte {
		return calendarOf("BEGIN:VEVENT|DTSTAMP:" + stamp + "|" + monday + "|SUMMARY:a| b|END:VEVENT|" +
			"BEGIN:VEVENT|UID:|" + monday + "|SUMMARY:ab|END:VEVENT|" +
			"BEGIN:VEVENT|" + monday + "|SUMMARY:other|BEGIN:VALARM|UID:alarm|END:VALARM|END:VEVENT")
	}
	first, second := split(t, text("20260101T000000Z")), split(t, text("20260202T000000Z"))
	if len(first) != 3 || len(second) != 3 {
		t.Fatalf("%d and %d items", len(first), len(second))
	}
	for i := range first {
		if first[i].Err != nil || !first[i].Generated || first[i].UID != second[i].UID || first[i].Object.UID() != first[i].UID {
			t.Errorf("item %d: %+v and %+v", i, first[i], second[i])
		}
	}
	// The first two say the same, apart from stamps.
	if first[1].UID != first[0].UID+"-2" || first[2].UID == first[0].UID {
		t.Errorf("UIDs %q, %q, %q", first[0].UID, first[1].UID, first[2].UID)
	}
	if n := len(first[1].Object.Main()[0].All("UID")); n != 1 {
		t.Errorf("%d UIDs", n)
	}
}

func TestSplitReadsSeveralCalendars(t *testing.T) {
	a := calendarOf(zoneA + "|BEGIN:VEVENT|UID:a|DTSTART;TZID=Zone A:20260105T090000|END:VEVENT")
	b := calendarOf(zoneB + "|BEGIN:VEVENT|UID:b|DTSTART;TZID=Zone A:20260105T090000|END:VEVENT")
	items := split(t, bytes.ReplaceAll(append(a, b...), []byte("\r\n"), []byte("\n")))
	if len(items) != 2 || items[0].Err != nil || items[1].Err != nil {
		t.Fatalf("items %+v", items)
	}
	if !bytes.Contains(items[0].Object.Data(), []byte("+0100")) || !bytes.Contains(items[1].Object.Data(), []byte("+0500")) {
		t.Error("an item has the zone of another calendar")
	}
}

func TestSplitRefusesABrokenStream(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":      "",
		"a page":       "<html></html>",
		"not closed":   "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n",
		"END of other": "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
		"too deep":     "BEGIN:VCALENDAR\r\n" + strings.Repeat("BEGIN:A\r\n", 100),
		"tail":         string(calendarOf("X:y")) + "X:y\r\n",
	} {
		if _, err := Split([]byte(text), StreamLimits); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	_, err := Split(make([]byte, 11), Limits{Bytes: 10})
	wantInvalid(t, err, MaxResourceSize)
	if items := split(t, calendarOf("X-WR-CALNAME:empty")); len(items) != 0 {
		t.Errorf("an empty calendar gives %d items", len(items))
	}
}

// wholeCalendar has n masters, then an override of each, n being even.
func wholeCalendar(n int) []byte {
	var b bytes.Buffer
	event := strings.ReplaceAll(plainEvent, "\r\nRRULE:FREQ=WEEKLY", "\r\nRRULE:FREQ=DAILY")
	i, j := strings.Index(event, "BEGIN:VEVENT"), strings.Index(event, "END:VCALENDAR")
	b.WriteString(event[:i])
	for k := range n {
		b.WriteString(strings.Replace(event[i:j], "UID:", fmt.Sprintf("UID:%d-", k), 1))
	}
	for k := range n {
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%d-0f3b7c0e-6f0c-4a5f-9d5b-0d1f0a6b9c11\r\n"+
			"RECURRENCE-ID;TZID=Europe/Berlin:20260113T090000\r\nDTSTART;TZID=Europe/Berlin:20260113T110000\r\nEND:VEVENT\r\n", k)
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.Bytes()
}

func TestSplitIsLinear(t *testing.T) {
	took := func(n int) time.Duration {
		data := wholeCalendar(n)
		best := time.Hour
		for range 3 {
			start := time.Now()
			count := 0
			if err := EachSplit(data, StreamLimits, func(i SplitItem) bool {
				if i.Err != nil || len(i.Object.Main()) != 2 {
					t.Fatalf("item %+v", i)
				}
				count++
				return true
			}); err != nil || count != n {
				t.Fatalf("%d items: %v", count, err)
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	var small, large time.Duration
	for range 5 { // what is not linear is never; a busy machine is not always
		if small, large = took(300), took(3000); large <= 40*small {
			return
		}
	}
	t.Errorf("300 events took %v, 3000 took %v", small, large)
}

func BenchmarkSplit(b *testing.B) {
	data := wholeCalendar(5000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := EachSplit(data, StreamLimits, func(SplitItem) bool { return true }); err != nil {
			b.Fatal(err)
		}
	}
}
