package vastal

import (
	"encoding/json"
	"errors"
	"time"

	"daybook/ical"
)

// moment is a point in time in a request (ISO 8601): with an offset an instant,
// without one a wall clock of the organisation's zone, or a day of it.
type moment struct {
	at   time.Time // an instant, or a wall clock as if it were UTC
	wall bool
	day  bool
}

// The years that a moment can be in.
const firstYear, lastYear = 1900, 2200

// UnmarshalText reads a moment; the error's text goes on from the field's name.
func (m *moment) UnmarshalText(b []byte) error {
	for _, x := range []struct {
		layout    string
		wall, day bool
	}{
		{time.RFC3339, false, false},
		{"2006-01-02T15:04Z07:00", false, false},
		{"2006-01-02T15:04:05", true, false},
		{"2006-01-02T15:04", true, false},
		{time.DateOnly, true, true},
	} {
		t, err := time.Parse(x.layout, string(b))
		if err != nil {
			continue
		}
		if t.Year() < firstYear || t.Year() > lastYear {
			return errors.New("must be between the years 1900 and 2200")
		}
		*m = moment{t.UTC().Truncate(time.Second), x.wall, x.day}
		return nil
	}
	return errors.New("must be a date and time in ISO 8601")
}

// UnmarshalJSON reads a moment in a body.
func (m *moment) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return errors.New("must be a string")
	}
	return m.UnmarshalText([]byte(s))
}

// instant places the moment.
func (m moment) instant(zone *ical.Zone) time.Time {
	if m.wall {
		return zone.Instant(m.at)
	}
	return m.at
}

// after gives the instant from which on a time is later than the moment: a day
// counts as a whole.
func (m moment) after(zone *ical.Zone) time.Time {
	if m.day {
		return zone.Instant(m.at.AddDate(0, 0, 1))
	}
	return m.instant(zone).Add(time.Second)
}
