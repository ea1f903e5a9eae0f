package timetap

import (
	"errors"
	"strings"
	"time"

	"daybook/api/rest"
)

// Bounds of a question.
const (
	maxDays = 1096
	maxIDs  = 10_000 // in one list
)

// ident is an integer of a path or a list. One that no id can be (negative, or
// beyond 2^53) is 0, which is nobody's.
type ident int64

const maxIdent = 1 << 53

var errIdent = errors.New("must be an integer")

// UnmarshalText reads decimal digits, with or without a sign.
func (n *ident) UnmarshalText(b []byte) error {
	digits := strings.TrimLeft(string(b), "+-")
	if digits == "" || len(b)-len(digits) > 1 || strings.Trim(digits, "0123456789") != "" {
		return errIdent
	}
	*n = 0
	if b[0] == '-' {
		return nil
	}
	var v ident
	for _, c := range []byte(digits) {
		if v = v*10 + ident(c-'0'); v >= maxIdent {
			return nil
		}
	}
	*n = v
	return nil
}

// alias gives the integer as the alias of a record; 0 for one that is none.
func (n ident) alias() uint32 {
	if n >= maxAlias {
		return 0
	}
	return uint32(n)
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

// shown are the switches of both endpoints.
type shown struct {
	buffer bool // times with buffers
	paid   bool // paid is computed
}

type rangeIn struct {
	Staff      []ident        `path:"staffIdList"`
	End        rest.Opt[day]  `query:"endDate"`
	Start      rest.Opt[day]  `query:"startDate"`
	Buffer     bool           `query:"showBuffer"`
	TimeOff    rest.Opt[bool] `query:"showTimeOff"`
	Paid       bool           `query:"showPaid"`
	HideEmpty  bool           `query:"hideEmptyClasses"`
	Status     []string       `query:"statusList"`
	Location   []ident        `query:"locationIdList"`
	LocationIn []ident        `query:"locationGroupIdList"`
	Service    []ident        `query:"serviceIdList"`
}

// Validate checks what can be judged without the organisation's clock.
func (in *rangeIn) Validate(f *rest.Faults) {
	end, ok := in.End.Get()
	if !ok && !f.Has("endDate") {
		f.Add("endDate", "is required")
	}
	if start, given := in.Start.Get(); given && ok {
		if end.Before(start.Time) {
			f.Add("endDate", "must not be before startDate")
		} else if days(start, end) > maxDays {
			f.Add("endDate", tooLong)
		}
	}
	for _, l := range []struct {
		name string
		n    int
	}{
		{"staffIdList", len(in.Staff)},
		{"statusList", len(in.Status)},
		{"locationIdList", len(in.Location)},
		{"locationGroupIdList", len(in.LocationIn)},
		{"serviceIdList", len(in.Service)},
	} {
		if l.n > maxIDs {
			f.Add(l.name, "has more than 10000 parts")
		}
	}
}

const tooLong = "must be at most 1096 days from startDate, both included"

// days counts the days, both included.
func days(from, to day) int { return int(to.Sub(from.Time)/(24*time.Hour)) + 1 }

type eventIn struct {
	Type   eventType `path:"eventType"`
	ID     ident     `path:"eventId"`
	Buffer bool      `query:"showBuffer"`
	Paid   bool      `query:"showPaid"`
}

type typedIn struct {
	ID     ident `path:"eventId"`
	Buffer bool  `query:"showBuffer"`
	Paid   bool  `query:"showPaid"`
}
