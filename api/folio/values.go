package folio

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/hours"
	"daybook/api/rest"
)

// Values of requests: each reads itself from a parameter and from a member of
// a body.

var (
	errUUID    = errors.New("must be a UUID")
	errBool    = errors.New("must be true or false")
	errWeekday = errors.New("must be a day of the week, SUNDAY to SATURDAY")
	errString  = errors.New("must be a string")
)

func parseID(s string) (uuid.UUID, error) {
	id, ok := rest.ParseUUID(s)
	if !ok {
		return id, errUUID
	}
	return id, nil
}

// text reads a JSON string and gives it to read.
func text(raw []byte, read func([]byte) error) error {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return errString
	}
	return read([]byte(s))
}

// ident is a UUID, 8-4-4-4-12.
type ident struct{ uuid.UUID }

// UnmarshalText reads the form of 36 characters.
func (i *ident) UnmarshalText(b []byte) (err error) {
	i.UUID, err = parseID(string(b))
	return err
}

// UnmarshalJSON reads a string.
func (i *ident) UnmarshalJSON(b []byte) error { return text(b, i.UnmarshalText) }

// day is a date.
type day struct{ hours.Date }

// UnmarshalText reads YYYY-MM-DD.
func (d *day) UnmarshalText(b []byte) (err error) {
	d.Date, err = hours.ParseDate(string(b))
	return err
}

// UnmarshalJSON reads a string.
func (d *day) UnmarshalJSON(b []byte) error { return text(b, d.UnmarshalText) }

// clock is a time of day.
type clock struct{ hours.Clock }

// UnmarshalText reads HH:MM or HH:MM:SS.
func (c *clock) UnmarshalText(b []byte) (err error) {
	c.Clock, err = hours.ParseClock(string(b))
	return err
}

// UnmarshalJSON reads a string.
func (c *clock) UnmarshalJSON(b []byte) error { return text(b, c.UnmarshalText) }

// weekday is a day of the week by its English name.
type weekday struct{ time.Weekday }

// UnmarshalText reads SUNDAY to SATURDAY in any case.
func (w *weekday) UnmarshalText(b []byte) error {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(d.String(), string(b)) {
			w.Weekday = d
			return nil
		}
	}
	return errWeekday
}

// UnmarshalJSON reads a string.
func (w *weekday) UnmarshalJSON(b []byte) error { return text(b, w.UnmarshalText) }

// truth is a boolean of a query, in all the words that the reference takes.
type truth struct{ on bool }

// UnmarshalText reads true, yes, on, 1 and their opposites in any case.
func (f *truth) UnmarshalText(b []byte) error {
	switch strings.ToLower(string(b)) {
	case "true", "yes", "on", "1":
		f.on = true
	case "false", "no", "off", "0":
		f.on = false
	default:
		return errBool
	}
	return nil
}
