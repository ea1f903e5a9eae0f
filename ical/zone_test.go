package ical

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/ical/internal/tzdata"
	"daybook/ical/span"
)

func TestLookupZoneNames(t *testing.T) {
	for tzid, want := range map[string]string{
		"Europe/Berlin":                                                "Europe/Berlin",
		"europe/BERLIN":                                                "Europe/Berlin",
		"/mozilla.org/20070129_1/Europe/Berlin":                        "Europe/Berlin",
		"/freeassociation.sourceforge.net/Europe/Paris":                "Europe/Paris",
		"/citadel.org/20210210_1/America/Argentina/Ushuaia":            "America/Argentina/Ushuaia",
		"W. Europe Standard Time":                                      "Europe/Berlin",
		"pacific standard time":                                        "America/Los_Angeles",
		"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna": "Europe/Berlin",
		"(GMT-05:00) Eastern Time (US & Canada)":                       "America/New_York",
		"UTC":                                                          "UTC",
		"Etc/UTC":                                                      "UTC",
		"/example.org/UTC":                                             "UTC",
		"\"Asia/Tokyo\"":                                               "Asia/Tokyo",
		"Coordinated Universal Time":                                   "UTC",
	} {
		z := LookupZone(tzid)
		if z == nil {
			t.Errorf("%s is unknown", tzid)
		} else if z.Name() != want {
			t.Errorf("%s is %s, want %s", tzid, z.Name(), want)
		}
	}
	for _, tzid := range []string{
		"", "Local", "local", ".", "..", "../../etc/passwd", "/etc/localtime", "../Europe/Berlin/..", "Europe", "Europe/", "/",
		"Corp/UTC", "posix/Europe\x00/Berlin", strings.Repeat("a/", 5000) + "x", "(UTC+01:00) Nowhere",
	} {
		if z := LookupZone(tzid); z != nil {
			t.Errorf("%.40q is %s, want none", tzid, z.Name())
		}
	}
}

func TestAllZoneNamesLoad(t *testing.T) {
	for name := range zones().exact {
		if LookupZone(name) == nil {
			t.Errorf("%s does not load", name)
		}
	}
	for _, table := range []string{tzdata.Windows, windowsCities} {
		for line := range strings.SplitSeq(table, "\n") {
			name, _, _ := strings.Cut(line, "|")
			if LookupZone(name) == nil {
				t.Errorf("%s does not load", name)
			}
		}
	}
	if v := TZDataVersion(); len(v) < 5 {
		t.Errorf("zone data version is %q", v)
	}
}

// zoneList gives every zone once, in the order of the names.
func zoneList(tb testing.TB) []*Zone {
	tb.Helper()
	var all []*Zone
	for _, name := range slices.Sorted(maps.Keys(zones().exact)) {
		if z := LookupZone(name); z.loc != nil && z.name == name {
			all = append(all, z)
		}
	}
	if len(all) < 500 {
		tb.Fatalf("%d zones", len(all))
	}
	return all
}

// naiveInstant looks for the instant of a wall clock among those around it:
// the first that shows it; in a gap, by the offset before it.
func naiveInstant(loc *time.Location, wall time.Time) time.Time {
	show := func(u time.Time) time.Time {
		_, offset := u.In(loc).Zone()
		return u.Add(time.Duration(offset) * time.Second)
	}
	_, early := wall.Add(-26 * time.Hour).In(loc).Zone()
	_, late := wall.Add(26 * time.Hour).In(loc).Zone()
	a := wall.Add(-time.Duration(early) * time.Second)
	b := wall.Add(-time.Duration(late) * time.Second)
	if b.Before(a) && show(b).Equal(wall) {
		a, b = b, a
	}
	if show(a).Equal(wall) {
		return a
	}
	if show(b).Equal(wall) {
		return b
	}
	return wall.Add(-time.Duration(early) * time.Second)
}

func TestWallClocksAroundEveryChangeOfEveryZone(t *testing.T) {
	from, to := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2041, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, z := range zoneList(t) {
		if testing.Short() && i%10 != 0 {
			continue
		}
		cur := newCursor(z)
		for _, seg := range z.segs[1:] {
			if seg.from < from.Unix() || seg.from > to.Unix() {
				continue
			}
			for m := -25 * 60; m <= 25*60; m += 15 {
				wall := civilTime(seg.from + seg.offset).Add(time.Duration(m) * time.Minute)
				want := naiveInstant(z.loc, wall)
				if got := z.Instant(wall); !got.Equal(want) {
					t.Fatalf("%s: %s is %s, want %s", z.name, wall, got, want)
				}
				if got, _ := cur.place(wall.Unix()); got != want.Unix() {
					t.Fatalf("%s: cursor: %s is %s, want %s", z.name, wall, civilTime(got), want)
				}
				if got, w := cur.wall(want.Unix()), z.Wall(want).Unix(); got != w {
					t.Fatalf("%s: cursor: wall of %s is %s, want %s", z.name, want, civilTime(got), civilTime(w))
				}
				if _, offset := want.In(z.loc).Zone(); z.Offset(want) != time.Duration(offset)*time.Second {
					t.Fatalf("%s: offset at %s is %s, want %d s", z.name, want, z.Offset(want), offset)
				}
			}
		}
	}
}

func TestFarYearsFollowTheRules(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca", "Asia/Tokyo", "Pacific/Auckland"} {
		z := LookupZone(name)
		for _, y := range []int{2085, 2099, 2139, 2140, 2141, 2200, 2304, 3000, 9998} {
			for at := time.Date(y, 1, 1, 0, 30, 0, 0, time.UTC); at.Year() == y; at = at.Add(37 * time.Hour) {
				if _, offset := at.In(z.loc).Zone(); z.Offset(at) != time.Duration(offset)*time.Second {
					t.Fatalf("%s: offset at %s is %s, want %d s", name, at, z.Offset(at), offset)
				}
			}
		}
	}
}

func TestOldYearsHaveLocalMeanTime(t *testing.T) {
	z := LookupZone("Europe/Berlin")
	want := time.Date(1880, 1, 1, 11, 6, 32, 0, time.UTC)
	if got := z.Instant(time.Date(1880, 1, 1, 12, 0, 0, 0, time.UTC)); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// readBack makes a zone of a written VTIMEZONE, by its rules alone.
func readBack(tb testing.TB, text string) *Zone {
	tb.Helper()
	o := parseText(tb, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"+text+"END:VCALENDAR\r\n")
	z, err := o.customZone(o.root.Children[0])
	if err != nil {
		tb.Fatal(err)
	}
	return z
}

func TestVTimezoneIsCorrectInItsSpan(t *testing.T) {
	date := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	spans := []span.Span{
		{Start: date(2000), End: date(2041)}, {Start: date(2026), End: date(2027)}, {Start: date(2015), End: date(2031)},
	}
	for _, z := range zoneList(t) {
		for _, s := range spans {
			text := z.VTimezone(s)
			back := readBack(t, text)
			for _, seg := range z.segs {
				for _, at := range []int64{seg.from - 1, seg.from, seg.from + 1} {
					if at >= s.Start.Unix() && at < s.End.Unix() && z.offset(at) != back.offset(at) {
						t.Fatalf("%s: offset at %s is %d, want %d\n%s", z.name, civilTime(at), back.offset(at), z.offset(at), text)
					}
				}
			}
			for at := s.Start.Unix(); at < s.End.Unix(); at += 5*daySeconds + 1234 {
				if z.offset(at) != back.offset(at) {
					t.Fatalf("%s: offset at %s is %d, want %d\n%s", z.name, civilTime(at), back.offset(at), z.offset(at), text)
				}
			}
		}
	}
}

func TestVTimezoneIsShort(t *testing.T) {
	s := span.Span{Start: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	want := strings.ReplaceAll(`BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:20251026T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20260329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
`, "\n", "\r\n")
	if got := LookupZone("Europe/Berlin").VTimezone(s); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := UTCZone.VTimezone(span.Span{}); !strings.Contains(got, "TZOFFSETTO:+0000\r\n") || strings.Contains(got, "RRULE") {
		t.Errorf("UTC is\n%s", got)
	}
}

func TestOpenVTimezoneGoesOn(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Asia/Tokyo", "Europe/Dublin"} {
		z := LookupZone(name)
		back := readBack(t, z.VTimezone(span.Span{}))
		for y := 1900; y < 2600; y += 7 {
			for m := range 12 {
				at := time.Date(y, time.Month(m+1), 14, 0, 0, 0, 0, time.UTC).Unix()
				if z.offset(at) != back.offset(at) {
					t.Fatalf("%s: offset at %s is %d, want %d", name, civilTime(at), back.offset(at), z.offset(at))
				}
			}
		}
	}
}

const outlookZone = "BEGIN:VTIMEZONE\r\nTZID:Corp Time\r\n" +
	"BEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n" +
	"RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n" +
	"BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n" +
	"RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"

func TestCustomZoneFollowsItsRules(t *testing.T) {
	z := readBack(t, outlookZone)
	b := LookupZone("Europe/Berlin")
	for at := time.Date(1996, 12, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2300; at = at.Add(1000 * time.Hour) {
		if z.Offset(at) != b.Offset(at) {
			t.Fatalf("offset at %s is %s, want %s", at, z.Offset(at), b.Offset(at))
		}
	}
	if z.Location() != nil || z.Name() != "Corp Time" {
		t.Errorf("name %q, location %v", z.Name(), z.Location())
	}
}

func TestHostileVTimezoneIsBounded(t *testing.T) {
	text := "BEGIN:VTIMEZONE\r\nTZID:X\r\n"
	for range 50 {
		text += "BEGIN:STANDARD\r\nDTSTART:00010101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:-0100\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\n" +
			"BEGIN:DAYLIGHT\r\nDTSTART:00010101T000000\r\nTZOFFSETFROM:-0100\r\nTZOFFSETTO:+2359\r\nRRULE:FREQ=MINUTELY;BYMONTHDAY=30;BYMONTH=2\r\nEND:DAYLIGHT\r\n"
	}
	start := time.Now()
	z := readBack(t, text+"END:VTIMEZONE\r\n")
	if len(z.segs) > maxOnsets+1 {
		t.Errorf("%d segments", len(z.segs))
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("took %s", d)
	}
	z.Instant(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
}

func TestObjectZonePrefersTZData(t *testing.T) {
	o := parseText(t, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"+
		strings.ReplaceAll(outlookZone, "Corp Time", "Asia/Tokyo")+outlookZone+"END:VCALENDAR\r\n")
	if z := o.Zone("Asia/Tokyo"); z != LookupZone("Asia/Tokyo") {
		t.Error("the object's VTIMEZONE changes a known zone")
	}
	if z := o.Zone("Corp Time"); z == nil || z != o.Zone("Corp Time") {
		t.Error("the object's own zone is unknown or made twice")
	}
	if z := o.Zone("Elsewhere"); z != nil {
		t.Error("an undefined zone is known")
	}
}

func TestParseZone(t *testing.T) {
	wrap := func(s string) string {
		return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + s + "END:VCALENDAR\r\n"
	}
	if z, err := ParseZone(wrap(outlookZone)); err != nil || z.Name() != "Corp Time" {
		t.Errorf("%v, %v", z, err)
	}
	if z, err := ParseZone(wrap(LookupZone("Asia/Tokyo").VTimezone(span.Span{}))); err != nil || z != LookupZone("Asia/Tokyo") {
		t.Errorf("%v, %v", z, err)
	}
	for _, text := range []string{
		"", "x", wrap(""), wrap(outlookZone + outlookZone),
		wrap("BEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE\r\n"),
		wrap("BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n"),
		wrap(strings.Replace(outlookZone, "+0200", "+9999", 1)),
	} {
		if _, err := ParseZone(text); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}

func TestZonesOfOneObjectAreBounded(t *testing.T) {
	var parts []string
	for i := range 200 {
		parts = append(parts, strings.ReplaceAll(outlookZone, "Corp Time", "Corp "+fmt.Sprint(i)))
	}
	o := parseText(t, calendar(parts...))
	made := 0
	for i := range 200 {
		if o.Zone("Corp "+fmt.Sprint(i)) != nil {
			made++
		}
	}
	if made != maxCustomZones {
		t.Errorf("%d zones", made)
	}
	if o.Zone("Corp 0") == nil {
		t.Error("the first zone is forgotten")
	}
}

func TestClocksThatArePutBackShowSomeTimesTwice(t *testing.T) {
	for _, c := range []struct{ zone, from, first, last string }{ // from: some hours before the change; the instants that are shown twice
		{"Europe/Berlin", "2027-10-30T20:00:00Z", "2027-10-31T00:00:00Z", "2027-10-31T01:59:59Z"},
		{"Australia/Lord_Howe", "2027-04-03T10:00:00Z", "2027-04-03T14:30:00Z", "2027-04-03T15:29:59Z"},
		{"Asia/Beirut", "2027-10-30T18:00:00Z", "2027-10-30T20:00:00Z", "2027-10-30T21:59:59Z"},
		{"Europe/Berlin", "2027-03-27T20:00:00Z", "", ""},
		{"UTC", "2027-03-27T20:00:00Z", "", ""},
	} {
		z := LookupZone(c.zone)
		at, _ := time.Parse(time.RFC3339, c.from)
		var twice []time.Time
		for end := at.Add(10 * time.Hour); at.Before(end); at = at.Add(time.Second) {
			if z.Twice(at) {
				twice = append(twice, at)
			}
		}
		var first, last string
		if n := len(twice); n > 0 {
			first, last = twice[0].Format(time.RFC3339), twice[n-1].Format(time.RFC3339)
			if n != int(twice[n-1].Sub(twice[0])/time.Second)+1 {
				t.Error(c.zone, "has gaps")
			}
		}
		if first != c.first || last != c.last {
			t.Errorf("%s: %s to %s, want %s to %s", c.zone, first, last, c.first, c.last)
		}
	}
}
