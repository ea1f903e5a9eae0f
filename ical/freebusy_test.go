package ical

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"daybook/ical/span"
)

func at(minute int) time.Time { return utc(2026, 1, 1, 0, 0).Add(time.Duration(minute) * time.Minute) }

func busy(from, to int, typ BusyType) Busy {
	return Busy{Span: span.Span{Start: at(from), End: at(to)}, Type: typ}
}

func busyText(list []Busy) string {
	var all []string
	for _, b := range list {
		all = append(all, fmt.Sprintf("%d-%d %s", int(b.Start.Sub(at(0)).Minutes()), int(b.End.Sub(at(0)).Minutes()), b.Type))
	}
	return strings.Join(all, ", ")
}

func TestMergeBusy(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []Busy
		want string
	}{
		{"nothing", nil, ""},
		{"touching", []Busy{busy(10, 20, BusyBusy), busy(0, 10, BusyBusy)}, "0-20 BUSY"},
		{"apart", []Busy{busy(0, 9, BusyBusy), busy(10, 20, BusyBusy)}, "0-9 BUSY, 10-20 BUSY"},
		{"touching of two types", []Busy{busy(0, 10, BusyBusy), busy(10, 20, BusyTentative)}, "0-10 BUSY, 10-20 BUSY-TENTATIVE"},
		{"heavier inside", []Busy{busy(0, 30, BusyTentative), busy(10, 20, BusyBusy)}, "0-10 BUSY-TENTATIVE, 10-20 BUSY, 20-30 BUSY-TENTATIVE"},
		{"lighter inside", []Busy{busy(0, 30, BusyUnavailable), busy(10, 40, BusyBusy)}, "0-30 BUSY-UNAVAILABLE, 30-40 BUSY"},
		{"free and empty", []Busy{busy(0, 30, BusyFree), busy(10, 10, BusyBusy)}, ""},
	} {
		if got := busyText(MergeBusy(c.in)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestMergeBusyMatchesAModelByMinutes(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var minutes [100]BusyType
		var in []Busy
		for range rnd.IntN(15) {
			from := rnd.IntN(95)
			to, typ := from+rnd.IntN(100-from), BusyType(rnd.IntN(4))
			in = append(in, busy(from, to, typ))
			for m := from; m < to; m++ {
				minutes[m] = max(minutes[m], typ)
			}
		}
		var want []Busy
		for m, typ := range minutes {
			if n := len(want); n > 0 && typ == want[n-1].Type && want[n-1].End.Equal(at(m)) {
				want[n-1].End = at(m + 1)
			} else if typ != BusyFree {
				want = append(want, busy(m, m+1, typ))
			}
		}
		if got := MergeBusy(in); busyText(got) != busyText(want) {
			t.Fatalf("seed %d: %s\n got %s\nwant %s", seed, busyText(in), busyText(got), busyText(want))
		}
	}
}

func TestFreeBusyText(t *testing.T) {
	got := string(FreeBusy(span.Span{Start: at(0), End: at(60)},
		MergeBusy([]Busy{busy(-10, 10, BusyBusy), busy(20, 30, BusyTentative), busy(50, 90, BusyUnavailable), busy(70, 80, BusyBusy)}), at(5)))
	want := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:`+prodID+`
BEGIN:VFREEBUSY
DTSTAMP:20260101T000500Z
DTSTART:20260101T000000Z
DTEND:20260101T010000Z
FREEBUSY:20260101T000000Z/20260101T001000Z
FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260101T002000Z/20260101T003000Z
FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260101T005000Z/20260101T010000Z
END:VFREEBUSY
END:VCALENDAR
`, "\n", "\r\n")
	if got != want {
		t.Errorf("got\n%s", got)
	}
	if _, err := Parse([]byte(got), DefaultLimits); err != nil {
		t.Error(err)
	}
}

func TestBusyTypeOfComponents(t *testing.T) {
	for text, want := range map[string]BusyType{
		component("VEVENT", "SUMMARY:x"):                              BusyBusy,
		component("VEVENT", "TRANSP:transparent"):                     BusyFree,
		component("VEVENT", "TRANSP:OPAQUE", "STATUS:CONFIRMED"):      BusyBusy,
		component("VEVENT", "STATUS:CANCELLED"):                       BusyFree,
		component("VEVENT", "STATUS:tentative"):                       BusyTentative,
		component("VEVENT", "STATUS:TENTATIVE", "TRANSP:TRANSPARENT"): BusyFree,
		component("VTODO", "SUMMARY:x"):                               BusyFree,
		component("VJOURNAL", "SUMMARY:x"):                            BusyFree,
	} {
		if got := parseText(t, calendar(text)).Main()[0].BusyType(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func hours(from, to int) span.Span {
	return span.Span{Start: at(from * 60), End: at(to * 60)}
}

func setText(s span.Set) string {
	var all []string
	for _, p := range s {
		all = append(all, fmt.Sprintf("%d-%d", int(p.Start.Sub(at(0)).Hours()), int(p.End.Sub(at(0)).Hours())))
	}
	return strings.Join(all, " ")
}

func TestAvailablePriorities(t *testing.T) {
	window := hours(0, 24)
	for _, c := range []struct {
		name string
		all  []Availability
		want string
		ok   bool
		busy string
	}{
		{"none", nil, "", false, ""},
		{"elsewhere", []Availability{{Window: hours(30, 40), Free: []span.Span{hours(31, 32)}}}, "", false, ""},
		{"open window", []Availability{{Busy: BusyUnavailable, Free: []span.Span{hours(9, 17)}}}, "9-17", true, "0-540 BUSY-UNAVAILABLE, 1020-1440 BUSY-UNAVAILABLE"},
		{"nothing offered", []Availability{{Busy: BusyBusy}}, "", true, "0-1440 BUSY"},
		{"higher one closes", []Availability{
			{Priority: 0, Busy: BusyUnavailable, Free: []span.Span{hours(9, 17)}},
			{Priority: 1, Busy: BusyTentative, Window: hours(12, 13)},
		}, "9-12 13-17", true, "0-540 BUSY-UNAVAILABLE, 720-780 BUSY-TENTATIVE, 1020-1440 BUSY-UNAVAILABLE"},
		{"higher one opens", []Availability{
			{Priority: 2, Busy: BusyUnavailable, Window: hours(18, 22), Free: []span.Span{hours(19, 23)}},
			{Priority: 9, Busy: BusyUnavailable, Free: []span.Span{hours(9, 17), hours(18, 19)}},
		}, "9-17 19-22", true, "0-540 BUSY-UNAVAILABLE, 1020-1140 BUSY-UNAVAILABLE, 1320-1440 BUSY-UNAVAILABLE"},
		{"9 is above 0", []Availability{
			{Priority: 0, Busy: BusyUnavailable, Free: []span.Span{hours(9, 17)}}, {Priority: 9, Busy: BusyUnavailable, Free: []span.Span{hours(10, 11)}},
		}, "10-11", true, "0-600 BUSY-UNAVAILABLE, 660-1440 BUSY-UNAVAILABLE"},
		{"same priority offers together", []Availability{
			{Priority: 3, Busy: BusyUnavailable, Free: []span.Span{hours(9, 12)}}, {Priority: 3, Busy: BusyUnavailable, Free: []span.Span{hours(11, 14)}},
		}, "9-14", true, "0-540 BUSY-UNAVAILABLE, 840-1440 BUSY-UNAVAILABLE"},
	} {
		free, ok := Available(window, c.all)
		if got := setText(free); got != c.want || ok != c.ok {
			t.Errorf("%s: got %s %v, want %s %v", c.name, got, ok, c.want, c.ok)
		}
		if got := busyText(Unavailable(window, c.all)); got != c.busy {
			t.Errorf("%s: unavailable %s, want %s", c.name, got, c.busy)
		}
	}
}

func TestAvailabilitiesAreExpanded(t *testing.T) {
	text := calendar("BEGIN:VAVAILABILITY\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\nPRIORITY:4\r\nBUSYTYPE:BUSY\r\n" +
		"DTSTART;TZID=Europe/Berlin:20260105T000000\r\nDTEND;TZID=Europe/Berlin:20260108T120000\r\n" +
		strings.ReplaceAll(component("AVAILABLE", "DTSTART;TZID=Europe/Berlin:20260101T090000", "DTEND;TZID=Europe/Berlin:20260101T170000", "RRULE:FREQ=DAILY")+
			component("AVAILABLE", "RECURRENCE-ID;TZID=Europe/Berlin:20260106T090000", "DTSTART;TZID=Europe/Berlin:20260106T100000", "DURATION:PT1H"), "UID:u", "UID:b") +
		"END:VAVAILABILITY\r\n" +
		"BEGIN:VAVAILABILITY\r\nUID:c\r\nDTSTAMP:20260101T000000Z\r\nEND:VAVAILABILITY\r\n")
	o := parseText(t, text)
	all, err := o.Availabilities(Expand{Window: span.Span{Start: utc(2026, 1, 1, 0, 0), End: utc(2026, 2, 1, 0, 0)}})
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	a := all[0]
	var free []string
	for _, s := range a.Free {
		free = append(free, s.Start.Format("02T15")+"-"+s.End.Format("02T15"))
	}
	if got, want := strings.Join(free, " "), "05T08-05T16 06T09-06T10 07T08-07T16 08T08-08T11"; got != want || a.Priority != 4 || a.Busy != BusyBusy {
		t.Errorf("got %s, priority %d, %s; want %s", got, a.Priority, a.Busy, want)
	}
	if b := all[1]; b.Busy != BusyUnavailable || !b.Window.Start.IsZero() || !b.Window.End.IsZero() || len(b.Free) > 0 {
		t.Errorf("%+v", b)
	}
	if ext := o.Extent(); ext.Bounded || !ext.First.IsZero() {
		t.Errorf("extent %+v", ext)
	}
}

// Hours in the night in which the clock is put forward were an hour longer, and
// in autumn an hour shorter, than what their calendar says.
func TestHoursOverAClockChangeEndWhereTheClockSaysSo(t *testing.T) {
	for _, c := range []struct{ name, length, want string }{
		{"until a time", "DTEND;TZID=Europe/Berlin:20260102T074500", "28T21:15-29T05:45 24T20:15-25T06:45"},
		{"for hours", "DURATION:PT9H30M", "28T21:15-29T05:45 24T20:15-25T06:45"},
		{"until a time elsewhere", "DTEND:20260102T064500Z", "28T21:15-29T05:45 24T20:15-25T06:45"},
		{"into the hour that is skipped or doubled", "DTEND;TZID=Europe/Berlin:20260102T023000", "28T21:15-29T01:30 24T20:15-25T00:30"},
	} {
		o := parseText(t, calendar("BEGIN:VAVAILABILITY\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\n"+
			component("AVAILABLE", "DTSTART;TZID=Europe/Berlin:20260101T221500", c.length, "RRULE:FREQ=DAILY")+"END:VAVAILABILITY\r\n"))
		var got []string
		for _, noon := range []time.Time{utc(2026, 3, 28, 12, 0), utc(2026, 10, 24, 12, 0)} {
			all, err := o.Availabilities(Expand{Window: span.Span{Start: noon, End: noon.AddDate(0, 0, 1)}})
			if err != nil || len(all) != 1 {
				t.Fatal(all, err)
			}
			for _, s := range all[0].Free {
				got = append(got, s.Start.Format("02T15:04")+"-"+s.End.Format("02T15:04"))
			}
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
