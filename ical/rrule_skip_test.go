package ical

import (
	"strings"
	"testing"
)

// TestSkip: days that do not exist, also those before the first of a month
// (RFC 7529 §4.1).
func TestSkip(t *testing.T) {
	for _, c := range []struct{ rule, start, want string }{
		{"MONTHLY;BYMONTHDAY=31;SKIP=OMIT;COUNT=4", "20260131", "0131 0331 0531 0731"},
		{"MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD;COUNT=4", "20260131", "0131 0228 0331 0430"},
		{"MONTHLY;BYMONTHDAY=31;SKIP=FORWARD;COUNT=5", "20260131", "0131 0301 0331 0501 0531"},
		{"MONTHLY;BYMONTHDAY=30,31;SKIP=FORWARD;COUNT=7", "20260130", "0130 0131 0301 0330 0331 0430 0501"},
		{"MONTHLY;BYMONTHDAY=-31;SKIP=OMIT;COUNT=4", "20260101", "0101 0301 0501 0701"},
		{"MONTHLY;BYMONTHDAY=-31;SKIP=FORWARD;COUNT=5", "20260101", "0101 0201 0301 0401 0501"},
		{"MONTHLY;BYMONTHDAY=-31;SKIP=BACKWARD;COUNT=8", "20260101", "0101 0131 0301 0331 0501 0531 0701 0801"},
		{"MONTHLY;BYMONTHDAY=-30;SKIP=BACKWARD;COUNT=4", "20260102", "0102 0131 0302 0401"},
		{"MONTHLY;INTERVAL=2;BYMONTHDAY=-31;SKIP=BACKWARD;COUNT=4", "20260131", "0131 0301 0501 0701"},
		{"MONTHLY;BYMONTHDAY=-31,-1;SKIP=BACKWARD;COUNT=6", "20260101", "0101 0131 0228 0301 0331 0430"},
		{"MONTHLY;BYMONTHDAY=-31;BYDAY=SA,TU;SKIP=BACKWARD;COUNT=4", "20260131", "0131 0331 0801 1031"},
		{"MONTHLY;BYMONTHDAY=31;BYDAY=FR;SKIP=FORWARD;COUNT=3", "20260501", "0501 0731 1001"},
		{"YEARLY;BYMONTH=2;BYMONTHDAY=-29;SKIP=BACKWARD;COUNT=4", "20240201", "0201 0131 0131 0131"},
		{"YEARLY;BYYEARDAY=366;SKIP=BACKWARD;COUNT=3", "20241231", "1231 1231 1231"},
		{"YEARLY;BYYEARDAY=366;SKIP=FORWARD;COUNT=3", "20241231", "1231 0101 0101"},
		{"YEARLY;BYYEARDAY=-366;SKIP=FORWARD;COUNT=3", "20240101", "0101 0101 0101"},
		{"YEARLY;BYYEARDAY=-366;SKIP=BACKWARD;COUNT=6", "20240101", "0101 1231 1231 1231 0101 1231"},
		{"DAILY;BYMONTHDAY=31;SKIP=BACKWARD;COUNT=3", "20260331", "0331 0531 0731"}, // limits make no days
	} {
		text := calendar(component("VEVENT", "DTSTART:"+c.start+"T090000Z", "RRULE:RSCALE=GREGORIAN;FREQ="+c.rule))
		list, err := parseText(t, text).Instances(Expand{})
		var got []string
		for i := range list {
			got = append(got, list[i].Start.Format("0102"))
		}
		if got := strings.Join(got, " "); err != nil || got != c.want {
			t.Errorf("%s: got %s, want %s (%v)", c.rule, got, c.want, err)
		}
		// Each of them is also found when the window begins at it.
		for i := range list {
			if !parseText(t, text).HasInstance(list[i].Start, nil) {
				t.Errorf("%s: %s is not found", c.rule, list[i].Start)
			}
		}
	}
}

// TestWeeksOfYearsWithInterval: the year that INTERVAL steps by is that of the
// calendar, also for the days of a week that belongs to the neighbour year.
func TestWeeksOfYearsWithInterval(t *testing.T) {
	start := utc(2024, 12, 30, 9, 0)
	got := civilText(civilInstances("FREQ=YEARLY;INTERVAL=2;BYWEEKNO=1;BYDAY=MO,TU,TH", start, start, utc(2031, 1, 1, 0, 0)))
	want := "(10) 20241230T090000 20241231T090000 20260101T090000 20280103T090000 20280104T090000 20280106T090000 20300101T090000 20300103T090000 20301230T090000"
	if !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestRulesOfLessThanADayOnADate: they have no meaning (RFC 5545 §3.3.10); what
// is left is DTSTART. Times of day are ignored.
func TestRulesOfLessThanADayOnADate(t *testing.T) {
	for rule, want := range map[string]int{"FREQ=HOURLY": 1, "FREQ=SECONDLY;COUNT=5": 1, "FREQ=DAILY;BYHOUR=9,10;BYMINUTE=3;COUNT=4": 4} {
		list, err := parseText(t, calendar(component("VEVENT", "DTSTART;VALUE=DATE:20260105", "RRULE:"+rule))).Instances(Expand{})
		if err != nil || len(list) != want {
			t.Errorf("%s: %d instances, want %d (%v)", rule, len(list), want, err)
		}
	}
}
