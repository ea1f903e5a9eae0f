package ical

import (
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
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

// add gives true always, as what takes the numbers of a list.
func (b *both) add(n int) bool {
	b.set = true
	if n > 0 {
		b.fwd[n/64] |= 1 << (n % 64)
	} else {
		b.rev[-n/64] |= 1 << (-n % 64)
	}
	return true
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
	months                  uint64 // bits 1 to 12, and noMonth
	weekdays                uint8  // without number; bit 0 is Sunday
	ordinals                []ordinal
	monthDays               both
	yearDays                both
	weeks                   both
	setpos                  []int

	skip skip

	counted atomic.Pointer[countEnd] // nil until COUNT was followed to its end

	seen  uint16 // by index in recurParts
	fault string // what RFC 5545 forbids and no reading suffers from
}

// maxInterval is longer than all years in seconds; with a greater INTERVAL a
// rule has DTSTART alone.
const maxInterval = 1 << 40

// noMonth stands for the months that a Gregorian year never has: leap months
// and a 13th one (RFC 7529 §4.2).
const noMonth = 13

// maxOrdinals bounds the numbers in BYDAY and BYSETPOS: more than these cannot
// be different.
const (
	maxOrdinals = 7 * 53 * 2
	maxSetPos   = 2 * 366
)

var (
	errRScale = errors.New("has an RSCALE other than GREGORIAN")
	errFreq   = errors.New("has no FREQ")
	errPart   = errors.New("has a part without value")
)

// recurParts are the parts of a rule, in no order that matters. Their errors
// become "has a wrong NAME".
var recurParts = [...]struct {
	name string
	read func(r *rule, value string) bool
}{
	{"FREQ", func(r *rule, v string) (ok bool) { r.freq, ok = freqs[v]; return ok }},
	{"INTERVAL", func(r *rule, v string) (ok bool) { r.interval, ok = positive(v, maxInterval); return ok }},
	{"COUNT", func(r *rule, v string) (ok bool) { r.count, ok = positive(v, 1<<62); return ok }},
	{"UNTIL", (*rule).readUntil},
	{"WKST", func(r *rule, v string) (ok bool) { r.wkst, ok = weekdayNumber(v); return ok }},
	{"BYSECOND", func(r *rule, v string) bool {
		return eachNumber(v, 0, 60, false, func(n int) bool { r.seconds |= 1 << min(n, 59); return true })
	}},
	{"BYMINUTE", func(r *rule, v string) bool { return readBits(&r.minutes, v, 59) }},
	{"BYHOUR", func(r *rule, v string) bool { return readBits(&r.hours, v, 23) }},
	{"BYDAY", (*rule).readByDay},
	{"BYMONTHDAY", func(r *rule, v string) bool { return eachNumber(v, 1, 31, true, r.monthDays.add) }},
	{"BYYEARDAY", func(r *rule, v string) bool { return eachNumber(v, 1, 366, true, r.yearDays.add) }},
	{"BYWEEKNO", func(r *rule, v string) bool { return eachNumber(v, 1, 53, true, r.weeks.add) }},
	{"BYMONTH", (*rule).readByMonth},
	{"BYSETPOS", (*rule).readSetPos},
	{"RSCALE", func(_ *rule, v string) bool { return isToken(v) }},
	{"SKIP", (*rule).readSkip},
}

// parseRule reads a RECUR value without regard to case, to spaces, to empty
// parts and to parts that it does not know, as RFC 2445 had such. It is the
// only reader of rules: what it cannot read is refused where objects come in
// and passed over in an expansion. What it can read but RFC 5545 forbids is
// told by the rule's fault. Of a part that is there twice the last one counts;
// of COUNT and UNTIL the earlier end.
func parseRule(s string) (*rule, error) {
	r := &rule{interval: 1, wkst: 1}
	otherScale := false
	for part := range strings.SplitSeq(strings.ToUpper(s), ";") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || !isToken(name) {
			return nil, errPart
		}
		if err := r.readPart(name, value); err != nil {
			return nil, err
		}
		otherScale = otherScale || name == "RSCALE" && value != "GREGORIAN"
	}
	switch {
	case !r.has("FREQ"):
		return nil, errFreq
	case otherScale:
		return nil, errRScale
	case r.has("SKIP") && !r.has("RSCALE"):
		r.fault = "has SKIP without RSCALE"
	}
	return r, nil
}

func (r *rule) readPart(name, value string) error {
	for i := range recurParts {
		if recurParts[i].name != name {
			continue
		}
		if r.seen&(1<<i) != 0 {
			r.fault = "has more than one " + name
		}
		r.seen |= 1 << i
		if !recurParts[i].read(r, value) {
			return errors.New("has a wrong " + name)
		}
		return nil
	}
	return nil
}

// has reports whether the part was there.
func (r *rule) has(name string) bool {
	for i := range recurParts {
		if recurParts[i].name == name {
			return r.seen&(1<<i) != 0
		}
	}
	return false
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

func (r *rule) readUntil(value string) bool {
	t, err := parseTime(value, nil)
	r.until = &t
	return err == nil
}

func (r *rule) readSkip(value string) bool {
	switch value {
	case "OMIT":
		r.skip = skipOmit
	case "BACKWARD":
		r.skip = skipBackward
	case "FORWARD":
		r.skip = skipForward
	default:
		return false
	}
	return true
}

// positive reads a number from 1; what is greater than limit becomes limit.
func positive(value string, limit int64) (int64, bool) {
	if value == "" || value[0] == '-' || value[0] == '+' {
		return 0, false
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return limit, true
	}
	return min(n, limit), err == nil && n >= 1
}

func (r *rule) readByDay(value string) bool {
	for s := range strings.SplitSeq(value, ",") {
		s = strings.TrimSpace(s)
		if len(s) < 2 {
			return false
		}
		day, ok := weekdayNumber(s[len(s)-2:])
		if !ok {
			return false
		}
		number := s[:len(s)-2]
		if number == "" {
			r.weekdays |= 1 << day
			continue
		}
		n, ok := signed(number)
		if !ok || n == 0 || n < -53 || n > 53 || len(r.ordinals) == maxOrdinals {
			return false
		}
		r.ordinals = append(r.ordinals, ordinal{int16(n), uint8(day)})
	}
	return true
}

func (r *rule) readByMonth(value string) bool {
	for s := range strings.SplitSeq(value, ",") {
		s, leap := strings.CutSuffix(strings.TrimSpace(s), "L")
		n, ok := number(s)
		if !ok || n < 1 || n > noMonth {
			return false
		}
		if leap {
			n = noMonth
		}
		r.months |= 1 << n
	}
	return true
}

// readSetPos takes numbers greater than the 366 of RFC 5545: sets of times of
// day can be longer.
func (r *rule) readSetPos(value string) bool {
	return eachNumber(value, 1, 366*daySeconds, true, func(n int) bool {
		if n > 366 || n < -366 {
			r.fault = "has a wrong BYSETPOS"
		}
		r.setpos = append(r.setpos, n)
		return len(r.setpos) <= maxSetPos
	})
}

func readBits(set *uint64, value string, high int) bool {
	return eachNumber(value, 0, high, false, func(n int) bool { *set |= 1 << n; return true })
}

// eachNumber reads a list of numbers from low to high, also negative ones if
// they may have a sign. It ends when add gives false.
func eachNumber(value string, low, high int, sign bool, add func(n int) bool) bool {
	read := number
	if sign {
		read = signed
	}
	for s := range strings.SplitSeq(value, ",") {
		n, ok := read(strings.TrimSpace(s))
		if abs := max(n, -n); !ok || abs < low || abs > high || !add(n) {
			return false
		}
	}
	return true
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

// readRule reads the RECUR value of a line; errors are *InvalidError.
func readRule(l *Line) (*rule, error) {
	r, err := parseRule(l.Value)
	switch {
	case errors.Is(err, errRScale):
		return nil, invalid(SupportedRScale, l.no, "RFC 7529 §4.2", "%s %s", l.Name, err)
	case err != nil:
		return nil, invalid(ValidCalendarData, l.no, "RFC 5545 §3.3.10", "%s %s", l.Name, err)
	}
	return r, nil
}

// brokenRecur refuses a rule that cannot be read or that RFC 5545 forbids.
func brokenRecur(l *Line) string {
	r, err := parseRule(l.Value)
	switch {
	case errors.Is(err, errRScale):
		return "" // brokenRScale tells
	case err != nil:
		return err.Error()
	}
	return r.fault
}

// brokenRScale refuses calendars that the expansion does not know.
func brokenRScale(l *Line) string {
	if _, err := parseRule(l.Value); errors.Is(err, errRScale) {
		return err.Error()
	}
	return ""
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
