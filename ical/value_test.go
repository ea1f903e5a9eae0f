package ical

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]struct {
		days  int
		exact time.Duration
	}{
		"P1D": {1, 0}, "PT1H": {0, time.Hour}, "P2W": {14, 0}, "-PT15M": {0, -15 * time.Minute}, "+P1DT2H3M4S": {1, 2*time.Hour + 3*time.Minute + 4*time.Second},
		"-P1DT1H": {-1, -time.Hour}, "PT0S": {0, 0}, "p1dt1h": {1, time.Hour}, "P1W2D": {9, 0}, "PT90M": {0, 90 * time.Minute},
		"P1DT": {1, 0}, "PT9223372036S": {0, 9223372036 * time.Second}, "P106751D": {106751, 0},
	} {
		days, exact, err := ParseDuration(s)
		if err != nil || days != want.days || exact != want.exact {
			t.Errorf("%s: %d days and %s, %v", s, days, exact, err)
		}
	}
	for _, s := range []string{"", "P", "PT", "-P", "1H", "P1H", "PT1D", "PTT1H", "P1DTT", "P1", "P99999999999999W", "P999999999W", "PT9999999999999S", "PT99999999999H", "PT9223372037S", "P106752D", "P106751DT24H", "PT1H1H", "PT1M1H", "P1D1W", "P1.5D", "P-1D", "--P1D"} {
		if days, exact, err := ParseDuration(s); err == nil {
			t.Errorf("%s is accepted: %d days and %s", s, days, exact)
		}
	}
}

func TestTimeForms(t *testing.T) {
	o := parseText(t, calendar(outlookZone, component("VEVENT",
		"X-A:20260105T090000Z", "X-B;TZID=Europe/Berlin:20260105T090000", "X-C:20260105T090000", "X-D;VALUE=DATE:20260105", "X-E;TZID=Europe/Berlin:20260105T090000Z",
		"X-F;TZID=Corp Time:20260705T090000", "X-G;TZID=Nowhere:20260105T090000", "X-H:20261231T235960Z", "X-I;TZID=UTC:20260105T090000")))
	c := o.Main()[0]
	for name, want := range map[string]struct {
		form Form
		at   time.Time
	}{
		"X-A": {UTC, utc(2026, 1, 5, 9, 0)}, "X-B": {Zoned, utc(2026, 1, 5, 8, 0)}, "X-C": {Floating, utc(2026, 1, 5, 0, 0)}, "X-D": {Date, utc(2026, 1, 4, 15, 0)},
		"X-E": {UTC, utc(2026, 1, 5, 9, 0)}, "X-F": {Zoned, utc(2026, 7, 5, 7, 0)}, "X-G": {Floating, utc(2026, 1, 5, 0, 0)},
		"X-H": {UTC, utc(2026, 12, 31, 23, 59).Add(59 * time.Second)}, "X-I": {UTC, utc(2026, 1, 5, 9, 0)},
	} {
		got, err := o.Time(c.Line(name))
		if err != nil || got.Form != want.form || !got.Instant(LookupZone("Asia/Tokyo")).Equal(want.at) {
			t.Errorf("%s: form %d at %s, %v", name, got.Form, got.Instant(LookupZone("Asia/Tokyo")), err)
		}
	}
	for _, s := range []string{"", "2026", "20260230", "20261301", "00000101", "20260105T240000", "20260105T096000", "20260105T090000X", "2026-01-05", "20260105 090000", "2026010aT090000"} {
		if v, err := parseTime(s, nil); err == nil {
			t.Errorf("%q is accepted: %v", s, v)
		}
	}
}

func TestCivilDaysMatchTheCalendar(t *testing.T) {
	at := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	for day := int64(minCivilDay); day <= maxCivilDay; day += 13 {
		y, m, d := dateOf(day)
		if time.Date(int(y), time.Month(m), d, 0, 0, 0, 0, time.UTC) != at || daysOf(y, m, d) != day || weekdayOf(day) != int(at.Weekday()) {
			t.Fatalf("day %d is %d-%d-%d, want %s", day, y, m, d, at)
		}
		if n := monthDays(y, m); n != at.AddDate(0, 1, 1-d).AddDate(0, 0, -1).Day() {
			t.Fatalf("%d-%d has %d days", y, m, n)
		}
		at = at.AddDate(0, 0, 13)
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	for _, s := range []string{
		"", "COUNT=3", "FREQ=", "FREQ=FORTNIGHTLY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=x",
		"FREQ=DAILY;UNTIL=2026", "FREQ=DAILY;BYDAY=XX", "FREQ=DAILY;BYDAY=0MO", "FREQ=YEARLY;BYDAY=54MO", "FREQ=DAILY;BYMONTH=14", "FREQ=DAILY;BYMONTH=L", "FREQ=DAILY;BYMONTH=0",
		"FREQ=DAILY;BYMONTHDAY=0", "FREQ=DAILY;BYMONTHDAY=-32", "FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;BYMINUTE=60", "FREQ=DAILY;BYSECOND=61", "FREQ=DAILY;BYHOUR=-1",
		"FREQ=YEARLY;BYYEARDAY=367", "FREQ=YEARLY;BYWEEKNO=54", "FREQ=DAILY;BYSETPOS=0", "FREQ=DAILY;WKST=X", "FREQ=DAILY;SKIP=X", "FREQ=DAILY;RSCALE=HEBREW", "FREQ",
	} {
		if _, err := parseRule(s); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}

// TestOneReaderOfRules: what the door lets in, the expansion can read.
func TestOneReaderOfRules(t *testing.T) {
	for s, want := range map[string]string{
		"FREQ=DAILY;COUNT=2;COUNT=3": "has more than one COUNT",
		"FREQ=MONTHLY;SKIP=FORWARD":  "has SKIP without RSCALE",
		"FREQ=DAILY;BYSETPOS=367":    "has a wrong BYSETPOS",
		"FREQ=DAILY;=1":              "has a part without value",
		"FREQ=DAILY;BYHOUR=+5":       "has a wrong BYHOUR",
		"FREQ=DA ILY":                "has a wrong FREQ",
		"COUNT=1":                    "has no FREQ",
		" freq = daily ; byday = mo , +1tu ; x-a = 1 ;; ":      "",
		"RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L;SKIP=FORWARD":    "",
		"RSCALE=GREGORIAN;FREQ=YEARLY;BYMONTH=5L,13,2;COUNT=3": "",
		"FREQ=DAILY;COUNT=99999999999999999999":                "",
	} {
		if got := brokenRecur(&Line{Name: "RRULE", Value: s}); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	if got := brokenRScale(&Line{Name: "RRULE", Value: "FREQ=YEARLY;RSCALE=hebrew"}); got == "" {
		t.Error("RSCALE=hebrew is accepted")
	}
}

func TestMonthsThatAGregorianYearHasNot(t *testing.T) {
	start := utc(2026, 1, 5, 9, 0)
	for _, rule := range []string{"FREQ=YEARLY;BYMONTH=5L", "FREQ=MONTHLY;BYMONTH=13", "FREQ=DAILY;BYMONTH=13", "FREQ=HOURLY;BYMONTH=13", "FREQ=WEEKLY;BYMONTH=5L"} {
		if got := civilInstances(rule, start, start, utc(2500, 1, 1, 0, 0)); len(got) != 0 {
			t.Errorf("%s: %s", rule, civilText(got))
		}
	}
	if got := civilText(civilInstances("FREQ=YEARLY;BYMONTH=5L,3;COUNT=3", start, start, utc(2500, 1, 1, 0, 0))); got != "(2) 20260305T090000 20270305T090000" {
		t.Error(got) // DTSTART counts
	}
}
