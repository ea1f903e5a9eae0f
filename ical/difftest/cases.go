package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// testCase is a rule with its start, which is on the rule: engines disagree
// about one that is not, and RFC 5545 §3.8.5.3 leaves it open.
type testCase struct {
	rule  string
	start time.Time
	date  bool
	end   time.Time // no instance is asked for from here on
}

// most is how many instances are compared.
const most = 40

const (
	stamp = "20060102T150405Z"
	day   = "20060102"
)

func (c testCase) startText() string {
	if c.date {
		return c.start.Format(day)
	}
	return c.start.Format(stamp)
}

// line is the case as engines read it.
func (c testCase) line() string {
	end := c.end.Format(stamp)
	if c.date {
		end = c.end.Format(day)
	}
	return fmt.Sprintf("%s %s %s %d\n", c.rule, c.startText(), end, most)
}

func (c testCase) ics() string {
	dtstart := "DTSTART:" + c.startText()
	if c.date {
		dtstart = "DTSTART;VALUE=DATE:" + c.startText()
	}
	return strings.Join([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//difftest//difftest//EN", "BEGIN:VEVENT", "UID:u", "DTSTAMP:20260101T000000Z",
		dtstart, "RRULE:" + c.rule, "END:VEVENT", "END:VCALENDAR", "",
	}, "\r\n")
}

// instances expands the case by package ical.
func (c testCase) instances() ([]ical.Instance, error) {
	o, err := ical.ParseResource([]byte(c.ics()), ical.DefaultLimits)
	if err != nil {
		return nil, err
	}
	var all []ical.Instance
	err = o.EachInstance(ical.Expand{Window: span.Span{End: c.end}}, func(i *ical.Instance) bool {
		all = append(all, *i)
		return len(all) < most
	})
	return all, err
}

// ours gives the starts that package ical finds.
func (c testCase) ours() ([]string, error) {
	list, err := c.instances()
	var all []string
	for _, i := range list {
		if c.date {
			all = append(all, i.Start.Format(day))
		} else {
			all = append(all, strings.TrimSuffix(i.Start.Format(stamp), "Z"))
		}
	}
	return all, err
}

// report is a case as testdata/differences.json has it, with the verdict to be
// written by whoever judges it.
type report struct {
	Name         string            `json:"name"`
	Class        string            `json:"class"`
	ICS          string            `json:"ics"`
	FloatingZone string            `json:"floating_zone"`
	Window       map[string]string `json:"window"`
	Expect       []reportInstance  `json:"expect"`
	Policy       string            `json:"policy"`
	Others       map[string]string `json:"others"`
}

type reportInstance struct {
	Start        string `json:"start"`
	End          string `json:"end"`
	RecurrenceID string `json:"recurrence_id"`
}

// shown is how many instances a printed case has.
const shown = 8

func (c testCase) report(ours []string, others map[string]string) report {
	list, _ := c.instances() // was expanded before
	end := c.end
	if len(list) > shown {
		end = list[shown].Start
		list = list[:shown]
	}
	r := report{
		Name: "differences/" + c.rule, Class: "differences", ICS: c.ics(), FloatingZone: "UTC", Policy: "VERDICT", Others: others,
		Window: map[string]string{"start": c.start.Format(time.RFC3339), "end": end.Format(time.RFC3339)},
	}
	for _, i := range list {
		rid := i.RecurrenceID.Format(stamp)
		if c.date {
			rid = i.RecurrenceID.Format(day)
		}
		r.Expect = append(r.Expect, reportInstance{i.Start.Format(time.RFC3339), i.End.Format(time.RFC3339), rid})
	}
	for name, answer := range others {
		starts := strings.Fields(answer)
		at := 0
		for at < min(len(starts), len(ours)) && starts[at] == ours[at] {
			at++
		}
		from, to := max(0, at-1), min(len(starts), at+4)
		others[name] = fmt.Sprintf("%d instances for %d, from the %d. on: %s", len(starts), len(ours), from+1, strings.Join(starts[from:to], " "))
	}
	return r
}

// oneCase reads a rule and its start.
func oneCase(rule, start string) (testCase, error) {
	c := testCase{rule: rule, date: len(start) == len(day)}
	layout := stamp
	if c.date {
		layout = day
	}
	var err error
	if c.start, err = time.Parse(layout, start); err != nil {
		return c, err
	}
	freq := partsOf(rule)["FREQ"]
	c.end = c.start.AddDate(0, 0, spans[max(0, slices.Index(frequencies, freq))])
	return c, nil
}

var (
	frequencies = []string{"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
	weekdays    = []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}
	// spans are the days looked at, by frequency.
	spans = []int{2, 8, 60, 900, 3000, 9000, 30000}
)

// randomCase makes a rule that RFC 5545 §3.3.10 allows, and a start on it.
func randomCase(rnd *rand.Rand) testCase {
	for {
		f := []int{0, 1, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6}[rnd.IntN(16)]
		c := testCase{date: f >= 3 && rnd.IntN(4) == 0}
		c.start = time.Date(1996+rnd.IntN(40), time.Month(1+rnd.IntN(12)), 1+rnd.IntN(31), rnd.IntN(24), rnd.IntN(60), rnd.IntN(60), 0, time.UTC)
		if c.date {
			c.start = c.start.Truncate(24 * time.Hour)
		}
		c.end = c.start.AddDate(0, 0, spans[f])
		parts := ruleParts(rnd, f, c.date)
		c.rule = strings.Join(parts, ";")
		if !c.toRule() {
			continue
		}
		switch rnd.IntN(6) {
		case 0, 1:
			c.rule += fmt.Sprintf(";COUNT=%d", 1+rnd.IntN(most))
		case 2:
			until := c.start.AddDate(0, 0, 1+rnd.IntN(spans[f]))
			if c.date {
				c.rule += ";UNTIL=" + until.Format(day)
			} else {
				c.rule += ";UNTIL=" + until.Format(stamp)
			}
		}
		return c
	}
}

// toRule moves the start to the second instance, which is on the rule, as the
// first one need not be; false when there are too few, or when the start is
// not on the rule seen from there.
func (c *testCase) toRule() bool {
	list, err := c.instances()
	if err != nil || len(list) < 2 {
		return false
	}
	c.start = list[1].Start
	list, err = c.instances()
	if err != nil || len(list) < 2 {
		return false
	}
	// DTSTART counts whether it is on the rule or not; EXRULE does not.
	text := strings.Replace(c.ics(), "RRULE:", "EXRULE:", 1)
	o, err := ical.ParseResource([]byte(text), ical.DefaultLimits)
	if err != nil {
		return false
	}
	left, err := o.Instances(ical.Expand{})
	return err == nil && len(left) == 0
}

func ruleParts(rnd *rand.Rand, f int, date bool) []string {
	parts := []string{"FREQ=" + frequencies[f]}
	one := func(n int) bool { return rnd.IntN(n) == 0 }
	list := func(name string, low, high int, negative bool) {
		var v []int
		for range 1 + rnd.IntN(4) {
			n := low + rnd.IntN(high-low+1)
			if negative && one(2) {
				n = -n
			}
			v = append(v, n)
		}
		if !one(10) {
			slices.Sort(v) // some engines give what they are given, in that order
		}
		text := fmt.Sprint(slices.Compact(v))
		parts = append(parts, name+"="+strings.ReplaceAll(strings.Trim(text, "[]"), " ", ","))
	}
	if one(2) {
		parts = append(parts, fmt.Sprintf("INTERVAL=%d", 1+rnd.IntN([]int{5000, 500, 60, 40, 10, 14, 5}[f])))
	}
	if one(3) {
		list("BYMONTH", 1, 12, false)
	}
	if f != 4 && one(4) {
		list("BYMONTHDAY", 1, 31, true)
	}
	if (f == 6 || f < 3) && one(8) {
		list("BYYEARDAY", 1, 366, true)
	}
	weeks := f == 6 && one(5)
	if weeks {
		list("BYWEEKNO", 1, 53, true)
	}
	if one(3) {
		parts = append(parts, "BYDAY="+randomWeekdays(rnd, f, weeks, parts))
	}
	if !date {
		if one(4) {
			list("BYHOUR", 0, 23, false)
		}
		if one(5) {
			list("BYMINUTE", 0, 59, false)
		}
		if one(8) {
			list("BYSECOND", 0, 59, false)
		}
	}
	if one(5) && slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, "BY") }) {
		list("BYSETPOS", 1, 6, true)
	}
	if one(3) {
		parts = append(parts, "WKST="+weekdays[rnd.IntN(7)])
	}
	if f >= 5 && one(12) {
		parts = append([]string{"RSCALE=GREGORIAN"}, append(parts, "SKIP="+[]string{"OMIT", "BACKWARD", "FORWARD"}[rnd.IntN(3)])...)
	}
	return parts
}

func randomWeekdays(rnd *rand.Rand, f int, weeks bool, parts []string) string {
	months := slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, "BYMONTH=") })
	var v []string
	for range 1 + rnd.IntN(3) {
		s := weekdays[rnd.IntN(7)]
		if f >= 5 && !weeks && rnd.IntN(2) == 0 {
			n := 1 + rnd.IntN(5)
			if f == 6 && !months {
				n = 1 + rnd.IntN(53)
			}
			if rnd.IntN(2) == 0 {
				n = -n
			}
			s = fmt.Sprint(n) + s
		}
		if !slices.Contains(v, s) {
			v = append(v, s)
		}
	}
	return strings.Join(v, ",")
}
