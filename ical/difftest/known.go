package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// difference is one that is understood: the engines depart from RFC 5545, or
// read otherwise what the RFC leaves open.
type difference struct {
	engines []string
	applies func(p parts) bool
	why     string
}

// parts are the parts of a rule by their names.
type parts map[string]string

func partsOf(rule string) parts {
	p := make(parts)
	for part := range strings.SplitSeq(rule, ";") {
		name, value, _ := strings.Cut(part, "=")
		p[name] = value
	}
	return p
}

func (p parts) has(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return p[n] != "" })
}

func (p parts) freq(names ...string) bool { return slices.Contains(names, p["FREQ"]) }

// unsorted reports whether a list of the rule is not in rising order.
func (p parts) unsorted(names ...string) bool {
	for _, name := range names {
		last := -1 << 31
		for s := range strings.SplitSeq(p[name], ",") {
			if n, err := strconv.Atoi(s); err == nil && n < last {
				return true
			} else if err == nil {
				last = n
			}
		}
	}
	return false
}

// doubled reports whether a list of the rule has a number twice.
func (p parts) doubled(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		list := strings.Split(p[name], ",")
		slices.Sort(list)
		return len(slices.Compact(list)) < strings.Count(p[name], ",")+1
	})
}

var (
	plainDay    = regexp.MustCompile(`(^|,)[A-Z]`)
	numberedDay = regexp.MustCompile(`\d[A-Z]`)
	times       = []string{"BYHOUR", "BYMINUTE", "BYSECOND"}
)

// differences are in no order that matters; the first that applies is named.
var differences = []difference{
	{
		[]string{"rrule-go", "rrule"},
		func(p parts) bool { return plainDay.MatchString(p["BYDAY"]) && numberedDay.MatchString(p["BYDAY"]) },
		"BYDAY with and without numbers must both match, instead of either",
	},
	{
		[]string{"rrule-go", "rrule"},
		func(p parts) bool { return p.has("BYWEEKNO") && !p.has("BYDAY", "BYMONTHDAY", "BYYEARDAY") },
		"BYWEEKNO alone means all days of the week, instead of DTSTART's weekday",
	},
	{
		[]string{"rrule"},
		func(p parts) bool { return p.unsorted(times...) },
		"times come in the order of the lists",
	},
	{
		[]string{"rrule-go", "rrule"},
		func(p parts) bool { return p.has("BYSETPOS") },
		"positions that meet give one instance several times, and the last one of a period can be lost",
	},
	{
		[]string{"ical.js", "libical"},
		func(p parts) bool { return p.has("BYSETPOS") },
		"BYSETPOS is ignored beside most parts",
	},
	{
		[]string{"ical.js", "libical"},
		func(p parts) bool { return p.unsorted(times...) },
		"times come in the order of the lists",
	},
	{
		[]string{"ical.js", "libical"},
		func(p parts) bool { return p.freq("YEARLY") && p.has("BYMONTHDAY") && !p.has("BYMONTH") },
		"BYMONTHDAY means DTSTART's month alone, instead of expanding to all (table of RFC 5545 §3.3.10)",
	},
	{
		[]string{"ical.js", "libical"},
		func(p parts) bool {
			return strings.Contains(p["BYMONTHDAY"]+p["BYYEARDAY"], "-") && !p.freq("YEARLY", "MONTHLY")
		},
		"days counted from the end are not found by rules of days and less",
	},
	{
		[]string{"ical.js", "libical"},
		func(p parts) bool { return p.has("BYWEEKNO") },
		"BYWEEKNO counts weeks from the end wrongly, and is not joined with other parts",
	},
	{
		[]string{"rrule", "libical", "ical.js"},
		func(p parts) bool { return p.freq("HOURLY", "MINUTELY", "SECONDLY") && p.has("INTERVAL") },
		"steps of INTERVAL are lost when hours or minutes are left out",
	},
	{
		[]string{"libical"},
		func(p parts) bool {
			return p.freq("HOURLY") && p.has("BYHOUR") || p.freq("MINUTELY") && p.has("BYMINUTE")
		},
		"the first instance comes twice",
	},
	{
		[]string{"rrule-go"},
		func(p parts) bool { return p.doubled(times...) },
		"a time that is twice in a list gives two instances",
	},
	{
		[]string{"rrule-go", "rrule"},
		func(p parts) bool { return strings.Contains(p["BYWEEKNO"], "-5") },
		"the days before January of a week counted from the end are lost",
	},
	{
		[]string{"ical.js"},
		func(p parts) bool { return p.freq("YEARLY") && p.has(times...) },
		"yearly rules do not expand times",
	},
	{
		[]string{"ical.js"},
		func(p parts) bool { return p.freq("MONTHLY") && p.has("BYMONTH", "BYMONTHDAY", "BYDAY") },
		"monthly rules lose INTERVAL and what does not fit the first month",
	},
	{
		[]string{"ical.js"},
		func(p parts) bool { return p.freq("YEARLY") && p.has("BYDAY", "BYMONTHDAY", "BYYEARDAY") },
		"yearly rules join days wrongly",
	},
	{
		[]string{"ical.js"},
		func(p parts) bool {
			return p.freq("HOURLY", "MINUTELY", "SECONDLY") && p.has("BYMONTH", "BYMONTHDAY", "BYDAY", "BYYEARDAY")
		},
		"rules of less than a day do not look at days",
	},
	{
		[]string{"libical"},
		func(p parts) bool { return p.freq("WEEKLY") && p.has("INTERVAL") && p.has("WKST") },
		"INTERVAL steps from the wrong week when DTSTART is after WKST's day",
	},
	{
		[]string{"libical"},
		func(p parts) bool { return p.freq("SECONDLY") && p.has("BYSECOND") },
		"the first instance comes twice",
	},
	{
		[]string{"libical"},
		func(p parts) bool { return p["SKIP"] == "FORWARD" && p.has("BYMONTH", "BYDAY") },
		"BYMONTH and BYDAY are applied after SKIP too, and days that a number in BYDAY does not find are skipped forward",
	},
	{
		[]string{"ical.js"},
		func(p parts) bool {
			return p.freq("MONTHLY") && p.has(times...) || p.freq("YEARLY", "MONTHLY") && p.has("BYMONTH", "INTERVAL")
		},
		"a 29th to 31st that a month lacks becomes the first of the next one",
	},
	{
		[]string{"ical.js"},
		func(p parts) bool { return p.freq("HOURLY", "MINUTELY", "SECONDLY") && p.has(times...) },
		"the first instance comes twice or is counted twice",
	},
}

// known tells why an engine may differ on a case; "" if that is not known.
func known(engine string, c testCase) string {
	p := partsOf(c.rule)
	for _, d := range differences {
		if slices.Contains(d.engines, engine) && d.applies(p) {
			return d.why
		}
	}
	return ""
}
