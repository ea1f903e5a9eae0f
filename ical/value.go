package ical

import (
	"errors"
	"math"
	"strings"
	"time"
)

// Time is a DATE or DATE-TIME value as written.
type Time struct {
	Form Form
	Wall time.Time // its fields as if they were UTC
	Zone *Zone     // of a Zoned value
}

// Instant places the time; floating times and dates by the zone given (nil:
// UTC).
func (t Time) Instant(floating *Zone) time.Time {
	return civilTime(t.place(floating))
}

// place is Instant in Unix seconds.
func (t Time) place(floating *Zone) int64 {
	return t.zone(floating).unix(t.Wall.Unix())
}

// zone gives the zone that places the time.
func (t Time) zone(floating *Zone) *Zone {
	switch t.Form {
	case UTC:
		return UTCZone
	case Zoned:
		return t.Zone
	case Floating, Date:
	}
	if floating == nil {
		return UTCZone
	}
	return floating
}

// day gives the day number of the wall clock.
func (t Time) day() int64 { return floorDiv(t.Wall.Unix(), daySeconds) }

// Time reads a DATE or DATE-TIME property (DTSTART, DTEND, DUE, RECURRENCE-ID
// …) of a component of o; of a list it reads the first value. A TZID that
// cannot be resolved makes the time floating. Errors are *InvalidError (RFC
// 5545 §3.3.4, §3.3.5).
func (o *Object) Time(l *Line) (Time, error) {
	value, _, _ := strings.Cut(l.Value, ",")
	value, _, _ = strings.Cut(value, "/")
	return o.timeValue(l, value)
}

// timeValue reads one value of the line.
func (o *Object) timeValue(l *Line, value string) (Time, error) {
	var zone *Zone
	if len(value) > 8 && !strings.HasSuffix(value, "Z") && !strings.HasSuffix(value, "z") && l.params != "" {
		if tzid := l.Param("TZID"); tzid != "" {
			zone = o.Zone(tzid)
		}
	}
	t, err := parseTime(strings.TrimSpace(value), zone)
	if err != nil {
		return Time{}, invalid(ValidCalendarData, l.no, "RFC 5545 §3.3.5", "%s: %s", l.Name, err)
	}
	return t, nil
}

var (
	errTimeForm  = errors.New("not a DATE or DATE-TIME")
	errTimeRange = errors.New("no such date or time of day")
)

// parseTime reads YYYYMMDD or YYYYMMDDThhmmss with or without Z. The leap
// second 60 becomes 59 (RFC 5545 §3.3.12).
func parseTime(s string, zone *Zone) (Time, error) {
	if len(s) != 8 && len(s) != 15 && len(s) != 16 {
		return Time{}, errTimeForm
	}
	y, ok1 := digits(s[:4])
	m, ok2 := digits(s[4:6])
	d, ok3 := digits(s[6:8])
	if !ok1 || !ok2 || !ok3 {
		return Time{}, errTimeForm
	}
	if y < 1 || m < 1 || m > 12 || d < 1 || d > monthDays(int64(y), m) {
		return Time{}, errTimeRange
	}
	day := daysOf(int64(y), m, d) * daySeconds
	if len(s) == 8 {
		return Time{Form: Date, Wall: civilTime(day)}, nil
	}
	if s[8] != 'T' && s[8] != 't' {
		return Time{}, errTimeForm
	}
	hh, ok1 := digits(s[9:11])
	mm, ok2 := digits(s[11:13])
	ss, ok3 := digits(s[13:15])
	if !ok1 || !ok2 || !ok3 {
		return Time{}, errTimeForm
	}
	if hh > 23 || mm > 59 || ss > 60 {
		return Time{}, errTimeRange
	}
	t := Time{Form: Floating, Wall: civilTime(day + int64(hh*3600+mm*60+min(ss, 59)))}
	switch {
	case len(s) == 16:
		if s[15] != 'Z' && s[15] != 'z' {
			return Time{}, errTimeForm
		}
		t.Form = UTC
	case zone == UTCZone:
		t.Form = UTC
	case zone != nil:
		t.Form, t.Zone = Zoned, zone
	}
	return t, nil
}

// digits reads a number of decimal digits only.
func digits(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int(c)
	}
	return n, true
}

var (
	errDuration     = errors.New("not a duration (RFC 5545 §3.3.6)")
	errLongDuration = errors.New("a duration longer than 292 years")
)

// ParseDuration reads a DURATION value (RFC 5545 §3.3.6): nominal days (weeks
// are 7 of them), which follow the wall clock, and exact time, which does not.
// Both have the sign of the value. Weeks beside other parts are accepted, and
// a T without time after it (P1DT), which is seen in the wild; a length that a
// time.Duration cannot hold is not.
func ParseDuration(s string) (days int, exact time.Duration, err error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	sign := 1
	switch {
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	case strings.HasPrefix(s, "-"):
		s, sign = s[1:], -1
	}
	if len(s) < 2 || s[0] != 'P' {
		return 0, 0, errDuration
	}
	p := durationParser{rest: s[1:], units: "WD"}
	for p.rest != "" {
		if !p.part() {
			return 0, 0, errDuration
		}
	}
	switch {
	case p.parts == 0:
		return 0, 0, errDuration
	case p.long || p.days*daySeconds+p.seconds > maxDuration:
		return 0, 0, errLongDuration
	}
	return sign * int(p.days), time.Duration(int64(sign)*p.seconds) * time.Second, nil
}

// maxDuration is the longest time.Duration, in seconds.
const maxDuration = math.MaxInt64 / int64(time.Second)

type durationParser struct {
	rest          string
	units         string // that may come, in their order
	clock         bool   // past the T
	parts         int
	days, seconds int64
	long          bool
}

// part reads a T, or a number and its unit.
func (p *durationParser) part() bool {
	if p.rest[0] == 'T' && !p.clock {
		p.clock, p.units, p.rest = true, "HMS", p.rest[1:]
		return true
	}
	i := 0
	for i < len(p.rest) && p.rest[i]-'0' <= 9 {
		i++
	}
	if i == 0 || i == len(p.rest) {
		return false
	}
	n, ok := number(p.rest[:i])
	if !ok || int64(n) > maxDuration {
		n, p.long = 0, true
	}
	unit := p.rest[i]
	at := strings.IndexByte(p.units, unit)
	if at < 0 {
		return false
	}
	p.units, p.rest = p.units[at+1:], p.rest[i+1:]
	p.parts++
	p.add(unit, int64(n))
	return true
}

// add adds n units; more of one than a duration can have is too long in any
// case.
func (p *durationParser) add(unit byte, n int64) {
	switch unit {
	case 'W':
		p.days += 7 * min(n, maxDays)
	case 'D':
		p.days += min(n, maxDays)
	case 'H':
		p.seconds += 3600 * min(n, maxDuration/3600+1)
	case 'M':
		p.seconds += 60 * min(n, maxDuration/60+1)
	case 'S':
		p.seconds += n
	}
}

// maxDays is more days than a duration can have.
const maxDays = maxDuration/daySeconds + 1
