package ical

import (
	"errors"
	"math"
	"strings"
	"time"
)

// lineRule is a rule about the value of the lines that it names. broken gives
// the reason, "" if the rule is kept.
type lineRule struct {
	name   string
	rule   Rule
	ref    string
	of     []string // names of lines
	broken func(l *Line) string
}

var lineRules = []lineRule{
	{"time", ValidCalendarData, "RFC 5545 §3.3.5", []string{"DTSTART", "DTEND", "DUE", "RECURRENCE-ID"}, brokenTime},
	{"stamp", ValidCalendarData, "RFC 5545 §3.3.5", []string{"DTSTAMP", "CREATED", "LAST-MODIFIED", "COMPLETED"}, brokenStamp},
	{"time list", ValidCalendarData, "RFC 5545 §3.8.5", []string{"RDATE", "EXDATE"}, brokenTimes},
	{"least year", MinDateTime, "RFC 4791 §5.2.6", []string{"DTSTART", "DTEND", "DUE", "RECURRENCE-ID"}, brokenYear},
	{"duration", ValidCalendarData, "RFC 5545 §3.3.6", []string{"DURATION"}, brokenDuration},
	{"rule", ValidCalendarData, "RFC 5545 §3.3.10", []string{"RRULE", "EXRULE"}, brokenRecur},
	{"rscale", SupportedRScale, "RFC 7529 §4.2", []string{"RRULE", "EXRULE"}, brokenRScale},
	{"periods", ValidCalendarData, "RFC 5545 §3.3.9", []string{"FREEBUSY"}, brokenPeriods},
	{"acknowledged", ValidCalendarData, "RFC 9074 §6.1", []string{"ACKNOWLEDGED"}, brokenAcknowledged},
}

func brokenTime(l *Line) string {
	form, reason := dateForm(l.Value)
	if reason != "" {
		return reason
	}
	switch value := l.Param("VALUE"); {
	case value == "":
	case strings.EqualFold(value, "DATE") && form != Date:
		return "is a DATE-TIME, not a DATE"
	case strings.EqualFold(value, "DATE-TIME") && form == Date:
		return "is a DATE, not a DATE-TIME"
	case !strings.EqualFold(value, "DATE") && !strings.EqualFold(value, "DATE-TIME"):
		return "is neither a DATE nor a DATE-TIME"
	}
	return ""
}

// brokenStamp is milder: stamps with spaces, as dates and of the year 0 come
// from large programs and place nothing in time.
func brokenStamp(l *Line) string {
	_, reason := dateForm(strings.TrimSpace(l.Value))
	return reason
}

func brokenYear(l *Line) string {
	if strings.HasPrefix(l.Value, "0000") {
		return "is before the year 1"
	}
	return ""
}

// brokenTimes lets an empty list pass, which is seen in the wild.
func brokenTimes(l *Line) string {
	if strings.TrimSpace(l.Value) == "" {
		return ""
	}
	if l.Name == "RDATE" && strings.EqualFold(l.Param("VALUE"), "PERIOD") {
		return brokenPeriods(l)
	}
	for v := range strings.SplitSeq(l.Value, ",") {
		if _, reason := dateForm(strings.TrimSpace(v)); reason != "" {
			return reason
		}
	}
	return ""
}

func brokenPeriods(l *Line) string {
	for v := range strings.SplitSeq(l.Value, ",") {
		start, end, ok := strings.Cut(strings.TrimSpace(v), "/")
		if !ok {
			return "has a period without slash"
		}
		form, reason := dateForm(start)
		if reason != "" {
			return reason
		}
		if form == Date {
			return "has a period that begins with a date"
		}
		if strings.HasPrefix(end, "P") || strings.HasPrefix(end, "+P") {
			reason = durationFault(end)
		} else {
			_, reason = dateForm(end)
		}
		if reason != "" {
			return reason
		}
	}
	return ""
}

func brokenDuration(l *Line) string { return durationFault(strings.TrimSpace(l.Value)) }

func brokenAcknowledged(l *Line) string {
	form, reason := dateForm(l.Value)
	if reason == "" && form != UTC {
		reason = "is not in UTC"
	}
	return reason
}

// dateForm reads the syntax of a DATE or DATE-TIME value (RFC 5545 §3.3.4,
// §3.3.5): UTC, Floating (with or without TZID) or Date, or the reason why it
// is none. Second 60 is legal.
func dateForm(s string) (Form, string) {
	form := Date
	switch {
	case len(s) == 8:
	case len(s) == 15 && s[8] == 'T':
		form = Floating
	case len(s) == 16 && s[8] == 'T' && s[15] == 'Z':
		form = UTC
	default:
		return 0, "is no date or date with time"
	}
	year, ok1 := number(s[:4])
	month, ok2 := number(s[4:6])
	day, ok3 := number(s[6:8])
	if !ok1 || !ok2 || !ok3 {
		return 0, "is no date or date with time"
	}
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, "is a day that does not exist"
	}
	if form == Date {
		return Date, ""
	}
	hour, ok1 := number(s[9:11])
	minute, ok2 := number(s[11:13])
	second, ok3 := number(s[13:15])
	if !ok1 || !ok2 || !ok3 {
		return 0, "is no date or date with time"
	}
	if hour > 23 || minute > 59 || second > 60 {
		return 0, "is a time that does not exist"
	}
	return form, ""
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// number reads a number without sign; one that is too large is refused.
func number(s string) (n int, ok bool) {
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' || n > (math.MaxInt-9)/10 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, s != ""
}

// durationFault tells what is wrong with a DURATION value (RFC 5545 §3.3.6).
func durationFault(s string) string {
	switch _, _, err := ParseDuration(s); {
	case errors.Is(err, errLongDuration):
		return "is longer than 292 years"
	case err != nil:
		return "is no duration"
	}
	return ""
}
