package ical

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// freq is the FREQ of a rule, in rising order of the period's length.
type freq uint8

const (
	secondly freq = iota
	minutely
	hourly
	daily
	weekly
	monthly
	yearly
)

// skip says what becomes of dates that do not exist (RFC 7529 §4.1).
type skip uint8

const (
	skipOmit skip = iota
	skipBackward
	skipForward
)

// ordinal is a weekday with its number in the month or year, from the end if
// negative (RFC 5545 §3.3.10).
type ordinal struct {
	n       int16
	weekday uint8
}

// both is a set of numbers counted from the beginning and from the end.
type both struct {
	set      bool
	fwd, rev [6]uint64
}

func (b *both) add(n int) {
	b.set = true
	if n > 0 {
		b.fwd[n/64] |= 1 << (n % 64)
	} else {
		b.rev[-n/64] |= 1 << (-n % 64)
	}
}

// has reports whether n, counted from 1, of total is in the set.
func (b *both) has(n, total int) bool {
	m := total + 1 - n
	return b.fwd[n/64]&(1<<(n%64)) != 0 || b.rev[m/64]&(1<<(m%64)) != 0
}

// rule is a RECUR value (RFC 5545 §3.3.10) as it was written; parts that are
// absent are zero.
type rule struct {
	freq     freq
	interval int64 // at least 1
	count    int64 // 0: no COUNT
	until    *Time
	wkst     int

	seconds, minutes, hours uint64 // bit sets
	months                  uint64 // bits 1 to 12
	weekdays                uint8  // without number; bit 0 is Sunday
	ordinals                []ordinal
	monthDays               both
	yearDays                both
	weeks                   both
	setpos                  []int

	skip skip
}

// maxInterval is longer than all years in seconds; with a greater INTERVAL a
// rule has DTSTART alone.
const maxInterval = 1 << 40

// maxOrdinals bounds the numbers in BYDAY and BYSETPOS: more than these cannot
// be different.
const (
	maxOrdinals = 7 * 53 * 2
	maxSetPos   = 2 * 366
)

var errRScale = errors.New("only RSCALE=GREGORIAN is supported")

// parseRule reads a RECUR value. Spaces, an empty part and unknown parts are
// passed over. COUNT and UNTIL together are kept both: the earlier end wins.
func parseRule(s string) (*rule, error) {
	r := &rule{interval: 1, wkst: 1}
	s = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
	hasFreq := false
	for part := range strings.SplitSeq(s, ";") {
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok || value == "" {
			return nil, fmt.Errorf("the part %.20q has no value", name)
		}
		hasFreq = hasFreq || name == "FREQ"
		if err := r.part(name, value); err != nil {
			return nil, err
		}
	}
	if !hasFreq {
		return nil, errors.New("FREQ is missing")
	}
	return r, nil
}

var freqs = map[string]freq{
	"SECONDLY": secondly, "MINUTELY": minutely, "HOURLY": hourly,
	"DAILY": daily, "WEEKLY": weekly, "MONTHLY": monthly, "YEARLY": yearly,
}

var weekdayNames = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

func weekdayNumber(s string) (int, bool) {
	for i, name := range weekdayNames {
		if s == name {
			return i, true
		}
	}
	return 0, false
}

func (r *rule) part(name, value string) error {
	var err error
	switch name {
	case "FREQ":
		var ok bool
		if r.freq, ok = freqs[value]; !ok {
			return errors.New("FREQ is unknown")
		}
	case "INTERVAL":
		r.interval, err = positive(name, value, maxInterval)
	case "COUNT":
		r.count, err = positive(name, value, 1<<62)
	case "UNTIL":
		var t Time
		if t, err = parseTime(value, nil); err == nil {
			r.until = &t
		}
	case "WKST":
		var ok bool
		if r.wkst, ok = weekdayNumber(value); !ok {
			return errors.New("WKST is no weekday")
		}
	case "RSCALE":
		if value != "GREGORIAN" {
			return errRScale
		}
	case "SKIP":
		err = r.parseSkip(value)
	case "BYDAY":
		err = r.parseByDay(value)
	default:
		err = r.numbers(name, value)
	}
	return err
}

func (r *rule) parseSkip(value string) error {
	switch value {
	case "OMIT":
		r.skip = skipOmit
	case "BACKWARD":
		r.skip = skipBackward
	case "FORWARD":
		r.skip = skipForward
	default:
		return errors.New("SKIP is unknown")
	}
	return nil
}

// positive reads a number from 1; what is greater than limit becomes limit.
func positive(name, value string, limit int64) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if errors.Is(err, strconv.ErrRange) && value[0] != '-' {
		return limit, nil
	}
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s is no positive number", name)
	}
	return min(n, limit), nil
}

func (r *rule) parseByDay(value string) error {
	for s := range strings.SplitSeq(value, ",") {
		if len(s) < 2 {
			return errors.New("BYDAY has a value that is no weekday")
		}
		day, ok := weekdayNumber(s[len(s)-2:])
		if !ok {
			return errors.New("BYDAY has a value that is no weekday")
		}
		number := s[:len(s)-2]
		if number == "" {
			r.weekdays |= 1 << day
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil || n == 0 || n < -53 || n > 53 {
			return errors.New("BYDAY has a number that is out of range")
		}
		if len(r.ordinals) == maxOrdinals {
			return errors.New("BYDAY has too many values")
		}
		r.ordinals = append(r.ordinals, ordinal{int16(n), uint8(day)})
	}
	return nil
}

// numbers reads the parts that are lists of numbers. Other names are unknown
// and mean nothing.
func (r *rule) numbers(name, value string) error {
	var add func(n int)
	low, high := 0, 0
	negative := false
	bits := func(set *uint64) func(int) { return func(n int) { *set |= 1 << n } }
	switch name {
	case "BYSECOND":
		high = 60
		add = func(n int) { r.seconds |= 1 << min(n, 59) }
	case "BYMINUTE":
		high, add = 59, bits(&r.minutes)
	case "BYHOUR":
		high, add = 23, bits(&r.hours)
	case "BYMONTH":
		low, high, add = 1, 12, bits(&r.months)
	case "BYMONTHDAY":
		low, high, negative, add = 1, 31, true, r.monthDays.add
	case "BYYEARDAY":
		low, high, negative, add = 1, 366, true, r.yearDays.add
	case "BYWEEKNO":
		low, high, negative, add = 1, 53, true, r.weeks.add
	case "BYSETPOS":
		// RFC 5545 bounds it by 366; sets of times of day are longer.
		low, high, negative = 1, 366*daySeconds, true
		add = func(n int) { r.setpos = append(r.setpos, n) }
	default:
		return nil
	}
	for s := range strings.SplitSeq(value, ",") {
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%s has a value that is no number", name)
		}
		abs := n
		if negative && n < 0 {
			abs = -n
		}
		if abs < low || abs > high || len(r.setpos) == maxSetPos {
			return fmt.Errorf("%s has a number that is out of range", name)
		}
		add(n)
	}
	return nil
}

// readRule reads the RECUR value of a line; errors are *InvalidError.
func readRule(l *Line) (*rule, error) {
	r, err := parseRule(l.Value)
	switch {
	case errors.Is(err, errRScale):
		return nil, invalid(SupportedRScale, l.no, "RFC 7529 §4.2", "%s", err)
	case err != nil:
		return nil, invalid(ValidCalendarData, l.no, "RFC 5545 §3.3.10", "%s: %s", l.Name, err)
	}
	return r, nil
}

// untilWall gives the last wall clock, in civil seconds, that UNTIL can mean
// and, if it is an instant, that instant in Unix seconds. A date is meant to
// its end; for all-day rules a date-time means its date.
func (r *rule) untilWall(form Form, zone *Zone) (civil int64, unix int64, instant bool) {
	u := r.until
	switch {
	case form == Date:
		return u.day() * daySeconds, 0, false
	case u.Form == Date:
		return u.day()*daySeconds + daySeconds - 1, 0, false
	case u.Form == UTC:
		unix = u.Wall.Unix()
		// Wall clocks of an hour that comes twice, and of a gap, are on both
		// sides of the one of the instant.
		_, civil = zone.wallBounds(unix, unix+1)
		return civil, unix, true
	default:
		return u.Wall.Unix(), 0, false
	}
}
