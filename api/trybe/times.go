package trybe

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"daybook/ical"
)

// moment is a date-time of a request: an instant, or a wall clock of the site
// that becomes one when the site is known.
type moment struct {
	wall   time.Time // as if it were UTC
	offset time.Duration
	fixed  bool // offset was given
}

var errMoment = errors.New("must be a date and time in ISO 8601, like 2027-03-01T12:30:00")

// momentLayouts are the forms without offset; fractions are cut before.
var momentLayouts = []string{"2006-01-02T15:04:05", "2006-01-02T15:04"}

var offsetLayouts = []string{"Z07:00", "Z0700", "Z07"}

// UnmarshalJSON reads ISO 8601: seconds may be left out, fractions are cut, an
// offset or Z makes it an instant.
func (m *moment) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		return errMoment
	}
	parsed, err := parseMoment(s)
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

func parseMoment(s string) (moment, error) {
	const dateLen = len("2006-01-02")
	if len(s) <= dateLen || len(s) > 64 {
		return moment{}, errMoment
	}
	switch s[dateLen] {
	case 't', ' ':
		s = s[:dateLen] + "T" + s[dateLen+1:]
	}
	clock, zone := s, ""
	if i := strings.IndexAny(s[dateLen:], "Zz+-"); i >= 0 {
		clock, zone = s[:dateLen+i], strings.ToUpper(s[dateLen+i:])
	}
	clock, ok := cutFraction(clock)
	if !ok {
		return moment{}, errMoment
	}
	var m moment
	if m.wall, ok = parseAny(clock, momentLayouts); !ok || !sensible(m.wall) {
		return moment{}, errMoment
	}
	if zone != "" {
		t, ok := parseAny(zone, offsetLayouts)
		if !ok {
			return moment{}, errMoment
		}
		_, seconds := t.Zone()
		m.offset, m.fixed = time.Duration(seconds)*time.Second, true
	}
	return m, nil
}

// cutFraction cuts the fraction of the seconds, written with point or comma.
func cutFraction(s string) (string, bool) {
	i := strings.IndexAny(s, ".,")
	if i < 0 {
		return s, true
	}
	digits := s[i+1:]
	if digits == "" || strings.Trim(digits, "0123456789") != "" || strings.Count(s[:i], ":") != 2 {
		return "", false
	}
	return s[:i], true
}

func parseAny(s string, layouts []string) (time.Time, bool) {
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// sensible bounds the years of times: those before have offsets with seconds,
// which ISO 8601 cannot write, and later ones five digits.
func sensible(t time.Time) bool { return t.Year() >= 1900 && t.Year() <= 9999 }

// instant gives the instant: a wall clock is the site's. One that a clock
// change skips moves forward by the gap, one that occurs twice is the first.
func (m moment) instant(site *ical.Zone) time.Time {
	if m.fixed {
		return m.wall.Add(-m.offset)
	}
	return site.Instant(m.wall)
}

// clock gives the site's wall clock, as written if it was written as such.
func (m moment) clock(site *ical.Zone) time.Time {
	if m.fixed {
		return site.Wall(m.instant(site))
	}
	return m.wall
}

// day is a calendar day, as midnight UTC.
type day struct{ time.Time }

var errDay = errors.New("must be a date of the form YYYY-MM-DD")

// UnmarshalText reads YYYY-MM-DD.
func (d *day) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil || t.Year() < 1 {
		return errDay
	}
	d.Time = t
	return nil
}

// UnmarshalJSON reads "YYYY-MM-DD".
func (d *day) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		return errDay
	}
	return d.UnmarshalText([]byte(s))
}

// days counts the days from d to e, both inclusive.
func (d day) days(e day) int { return int(e.Sub(d.Time)/(24*time.Hour)) + 1 }

// show writes an instant with the site's offset at it, also where that is
// nothing. Years have four digits: what ends with the year 9999 of UTC ends with
// the site's.
func show(t time.Time, site *ical.Zone) string {
	offset := int(site.Offset(t) / time.Second)
	zone := time.FixedZone("", offset)
	at := t.In(zone)
	if at.Year() > 9999 {
		at = time.Date(9999, time.December, 31, 23, 59, 59, 0, zone)
	}
	out := at.Format(time.RFC3339)
	if clock, utc := strings.CutSuffix(out, "Z"); utc {
		return clock + "+00:00"
	}
	return out
}
