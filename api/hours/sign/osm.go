package sign

import (
	"fmt"
	"slices"
	"strings"

	"daybook/api/hours"
)

// OSM gives the hours as the value of the tag opening_hours (version 0.7.2 of
// its specification), "unknown" where nothing is known. It has minutes and no
// seconds; see [Sign.Minutes].
//
// A rule replaces all that those before it say about a day, the end of the
// night before included. So nights are cut at midnight.
func (s *Sign) OSM() string {
	if !s.Known {
		return "unknown"
	}
	all := seasons(s.Minutes(), s.From)
	var rules, exceptions []string
	for _, x := range all {
		prefix := ""
		if len(all) > 1 {
			prefix = osmDays(x.from, x.to) + " "
		}
		for _, g := range groups(x.week, slices.Equal[[]Stretch]) {
			if len(g.value) > 0 {
				rules = append(rules, prefix+osmWeekdays(g.days)+osmTimes(g.value))
			}
		}
		for _, e := range x.except {
			exceptions = append(exceptions, osmDays(e.from, e.to)+" "+osmTimes(e.open))
		}
	}
	rules = append(rules, exceptions...)
	switch {
	case len(rules) == 0:
		return "off"
	case len(rules) == 1 && rules[0] == osmTimes(always):
		return "24/7"
	}
	return strings.Join(rules, "; ")
}

var always = []Stretch{{0, wholeDay}}

func osmDate(d hours.Date) string { return d.Time().Format("2006 Jan 02") }

func osmDays(from, to hours.Date) string {
	if from == to {
		return osmDate(from)
	}
	return osmDate(from) + "-" + osmDate(to)
}

// osmWeekdays writes the days of a week as ranges; all of them are left out.
func osmWeekdays(days []int) string {
	names := [...]string{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"}
	if len(days) == len(names) {
		return ""
	}
	var parts []string
	for i := 0; i < len(days); i++ {
		last := i
		for last+1 < len(days) && days[last+1] == days[last]+1 {
			last++
		}
		part := names[days[i]]
		if last > i {
			part += "-" + names[days[last]]
		}
		parts = append(parts, part)
		i = last
	}
	return strings.Join(parts, ",") + " "
}

func osmTimes(open []Stretch) string {
	if len(open) == 0 {
		return "off"
	}
	parts := make([]string, len(open))
	for i, x := range open {
		parts[i] = fmt.Sprintf("%02d:%02d-%02d:%02d", x.Start/3600, x.Start/60%60, x.End/3600, x.End/60%60)
	}
	return strings.Join(parts, ",")
}
