package rest

import (
	"errors"
	"strconv"
	"time"

	"daybook/ical"
)

// Duration is a length of time that is written as ISO 8601 and RFC 5545 §3.3.6
// do, such as PT30M or P1DT12H: a day has 24 hours here, a week seven days. It
// has no sign and no fractions of a second.
type Duration time.Duration

// UnmarshalText reads a duration. The error's text is for the client.
func (d *Duration) UnmarshalText(b []byte) error {
	days, exact, err := ical.ParseDuration(string(b))
	if err != nil || days < 0 || exact < 0 || len(b) > 100 {
		return errors.New("must be a duration such as PT30M or P1DT12H")
	}
	*d = Duration(time.Duration(days)*24*time.Hour + exact) // what was read fits
	return nil
}

// MarshalText writes days, hours, minutes and seconds.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Duration) String() string {
	rest := time.Duration(d)
	date, clock := "", ""
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "D"}, {time.Hour, "H"}, {time.Minute, "M"}, {time.Second, "S"}} {
		n := rest / u.unit
		rest %= u.unit
		switch {
		case n == 0:
		case u.name == "D":
			date = strconv.FormatInt(int64(n), 10) + u.name
		default:
			clock += strconv.FormatInt(int64(n), 10) + u.name
		}
	}
	if clock != "" || date == "" {
		clock = "T" + clock
	}
	if clock == "T" {
		clock = "T0S"
	}
	return "P" + date + clock
}
