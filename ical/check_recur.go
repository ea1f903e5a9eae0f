package ical

import (
	"slices"
	"strings"
)

// recurPart says what one part of a recurrence rule holds (RFC 5545 §3.3.10,
// RFC 7529 §4.1).
type recurPart struct {
	name     string
	min, max int      // of a number or of each number in a list
	list     bool     // numbers separated by commas
	signed   bool     // may be negative; 0 is not allowed then
	words    []string // instead of numbers
	broken   func(value string) bool
}

var (
	frequencies = []string{"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
	weekdays    = []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}

	recurParts = []recurPart{
		{name: "FREQ", words: frequencies},
		{name: "INTERVAL", min: 1, max: 1<<63 - 1},
		{name: "COUNT", min: 1, max: 1<<63 - 1},
		{name: "UNTIL", broken: func(v string) bool { _, reason := dateForm(v); return reason != "" }},
		{name: "BYSECOND", max: 60, list: true},
		{name: "BYMINUTE", max: 59, list: true},
		{name: "BYHOUR", max: 23, list: true},
		{name: "BYDAY", list: true, broken: brokenWeekday},
		{name: "BYMONTHDAY", max: 31, list: true, signed: true},
		{name: "BYYEARDAY", max: 366, list: true, signed: true},
		{name: "BYWEEKNO", max: 53, list: true, signed: true},
		{name: "BYMONTH", list: true, broken: brokenMonth},
		{name: "BYSETPOS", max: 366, list: true, signed: true},
		{name: "WKST", words: weekdays},
		{name: "RSCALE", broken: func(v string) bool { return !isToken(v) }},
		{name: "SKIP", words: []string{"OMIT", "BACKWARD", "FORWARD"}},
	}
)

// brokenRecur reads a rule without regard to case, to spaces, to a semicolon
// at the end and to parts that it does not know, as RFC 2445 had such.
func brokenRecur(l *Line) string {
	var seen [16]bool // by index in recurParts
	freq, rscale, skip := false, false, false
	for part := range strings.SplitSeq(l.Value, ";") {
		part = strings.ToUpper(strings.TrimSpace(part))
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || !isToken(name) {
			return "has a part without value"
		}
		i := slices.IndexFunc(recurParts, func(p recurPart) bool { return p.name == name })
		if i < 0 {
			continue
		}
		if seen[i] {
			return "has more than one " + name
		}
		seen[i] = true
		if recurParts[i].refuses(value) {
			return "has a wrong " + name
		}
		freq, rscale, skip = freq || name == "FREQ", rscale || name == "RSCALE", skip || name == "SKIP"
	}
	switch {
	case !freq:
		return "has no FREQ"
	case skip && !rscale:
		return "has SKIP without RSCALE"
	}
	return ""
}

// refuses reports whether the value, in upper case, is wrong.
func (p *recurPart) refuses(value string) bool {
	if !p.list {
		return p.refusesOne(value)
	}
	for v := range strings.SplitSeq(value, ",") {
		if p.refusesOne(strings.TrimSpace(v)) {
			return true
		}
	}
	return false
}

func (p *recurPart) refusesOne(v string) bool {
	switch {
	case p.broken != nil:
		return p.broken(v)
	case p.words != nil:
		return !slices.Contains(p.words, v)
	case p.signed:
		n, ok := signed(v)
		return !ok || n == 0 || n > p.max || n < -p.max
	}
	n, ok := number(v)
	return !ok || n < p.min || n > p.max
}

// signed reads a number that may have a sign.
func signed(s string) (int, bool) {
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	n, ok := number(s)
	if negative {
		n = -n
	}
	return n, ok
}

// brokenWeekday refuses what is no weekday with or without ordinal.
func brokenWeekday(v string) bool {
	if len(v) < 2 || !slices.Contains(weekdays, v[len(v)-2:]) {
		return true
	}
	ordinal := v[:len(v)-2]
	if ordinal == "" {
		return false
	}
	n, ok := signed(ordinal)
	return !ok || n == 0 || n > 53 || n < -53
}

// brokenMonth lets leap months pass, which are for RSCALE (RFC 7529 §4.2) as
// is a 13th month; in a Gregorian rule they never come.
func brokenMonth(v string) bool {
	n, ok := number(strings.TrimSuffix(v, "L"))
	return !ok || n < 1 || n > 13
}

// brokenRScale refuses calendars that the expansion does not know.
func brokenRScale(l *Line) string {
	for part := range strings.SplitSeq(l.Value, ";") {
		name, value, _ := strings.Cut(part, "=")
		if strings.EqualFold(strings.TrimSpace(name), "RSCALE") && !strings.EqualFold(strings.TrimSpace(value), "GREGORIAN") {
			return "has an RSCALE other than GREGORIAN"
		}
	}
	return ""
}
