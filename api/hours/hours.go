// Package hours is opening hours as libraries and other places publish them: a
// calendar with a range of days, weekly hours, and exceptions that replace
// them; and the form that these take as VAVAILABILITY objects (RFC 7953), so
// that a calendar client shows and changes the same hours.
//
// Days and times are wall clocks at the place; no zone appears in the types.
// Only reading and writing iCalendar takes one, that of the organisation.
// An end is the last minute that is open: 11:59 is written as DTEND 12:00.
//
// A calendar is one object:
//
//	BEGIN:VAVAILABILITY                      the calendar
//	PRIORITY:5
//	DTSTART, DTEND                           midnight of its first day, and after its last; absent where open
//	SUMMARY                                  its name
//	X-DAYBOOK-SERVICE-POINT:UUID             one for each service point; one that is empty for none
//	BEGIN:AVAILABLE … RRULE:FREQ=WEEKLY      a slice of an opening, cut at midnight
//	X-DAYBOOK-OPENING:1                      the slices of one opening have the same number
//
// and each exception another, with PRIORITY:1, RELATED-TO;RELTYPE=PARENT the
// calendar, and an AVAILABLE without RRULE for each opening. Those with openings
// of an organisation's week, which has PRIORITY:9, have PRIORITY:8. What a client has
// put there that has no word here is not shown, and kept by every edit.
//
// The package is pure: it knows no store, no HTTP and no JSON.
package hours

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Date is a day, counted from 1970-01-01.
type Date int32

// The days that iCalendar can name. A calendar that begins or ends with one of
// them is open to that side.
const (
	MinDate Date = -719162 // 0001-01-01
	MaxDate Date = 2932896 // 9999-12-31
)

const (
	daySeconds  = 24 * 60 * 60
	dateLayout  = "2006-01-02"
	minuteOfDay = 24 * 60
)

var (
	errDate  = errors.New("must be a date, YYYY-MM-DD")
	errClock = errors.New("must be a time, HH:MM or HH:MM:SS")
)

// DateOf gives the day of a wall clock.
func DateOf(wall time.Time) Date {
	s := wall.Unix()
	if s < 0 {
		s -= daySeconds - 1
	}
	return Date(s / daySeconds)
}

// ParseDate reads YYYY-MM-DD, a day from MinDate to MaxDate.
func ParseDate(s string) (Date, error) {
	if len(s) != len(dateLayout) {
		return 0, errDate
	}
	t, err := time.Parse(dateLayout, s)
	if err != nil || t.Year() < 1 {
		return 0, errDate
	}
	return DateOf(t), nil
}

// Time gives midnight of the day, as if it were UTC.
func (d Date) Time() time.Time { return time.Unix(int64(d)*daySeconds, 0).UTC() }

// Weekday gives the day of the week.
func (d Date) Weekday() time.Weekday { return time.Weekday(((int(d)+4)%7 + 7) % 7) }

// String gives YYYY-MM-DD. The day after the last of them has a plus before its
// five digits (ISO 8601-1 §4.3.2, and Java).
func (d Date) String() string {
	if d > MaxDate {
		return "+" + d.Time().Format(dateLayout)
	}
	return d.Time().Format(dateLayout)
}

// Clock is a time of day, in seconds since midnight.
type Clock int32

// The first and the last minute of a day.
const (
	Midnight   Clock = 0
	LastMinute Clock = (minuteOfDay - 1) * 60
)

// ParseClock reads HH:MM or HH:MM:SS, from 00:00 to 23:59:59.
func ParseClock(s string) (Clock, error) {
	layout := "15:04:05"
	if len(s) == 5 {
		layout = layout[:5]
	}
	t, err := time.Parse(layout, s)
	if err != nil || len(s) != len(layout) {
		return 0, errClock
	}
	return Clock(t.Hour()*3600 + t.Minute()*60 + t.Second()), nil
}

// Minute gives the time without its seconds.
func (c Clock) Minute() Clock { return c - c%60 }

// String gives HH:MM:SS.
func (c Clock) String() string {
	b := [8]byte{2: ':', 5: ':'}
	for i, n := range [...]Clock{c / 3600, c / 60 % 60, c % 60} {
		b[3*i], b[3*i+1] = byte('0'+n/10), byte('0'+n%10)
	}
	return string(b[:])
}

// Opening is an opening of every week, from a minute to a minute, both
// included. It goes forward from StartDay to EndDay, around the end of the
// week where it must; on one day with End before Start it goes all the way
// round.
type Opening struct {
	StartDay time.Weekday
	Start    Clock // a whole minute
	EndDay   time.Weekday
	End      Clock // the last open minute
}

// Slice is the part of an opening that lies on one day.
type Slice struct {
	Day        time.Weekday
	Start, End Clock
}

// Slices cuts an opening at midnight: one slice for each day, eight for an
// opening that comes back to its first day.
func (o Opening) Slices() []Slice {
	if o.StartDay == o.EndDay && o.Start <= o.End {
		return []Slice{{o.StartDay, o.Start, o.End}}
	}
	out := []Slice{{o.StartDay, o.Start, LastMinute}}
	for d := next(o.StartDay); d != o.EndDay; d = next(d) {
		out = append(out, Slice{d, Midnight, LastMinute})
	}
	return append(out, Slice{o.EndDay, Midnight, o.End})
}

func next(d time.Weekday) time.Weekday { return (d + 1) % 7 }

// Moment is a wall clock on a day.
type Moment struct {
	Date  Date
	Clock Clock
}

// MomentOf gives the moment of a wall clock.
func MomentOf(wall time.Time) Moment {
	d := DateOf(wall)
	return Moment{d, Clock(wall.Unix() - int64(d)*daySeconds)}
}

// Minute gives the moment without its seconds.
func (m Moment) Minute() Moment { return Moment{m.Date, m.Clock.Minute()} }

// Wall gives the moment as a wall clock.
func (m Moment) Wall() time.Time {
	return time.Unix(int64(m.Date)*daySeconds+int64(m.Clock), 0).UTC()
}

// Compare orders moments.
func (m Moment) Compare(n Moment) int {
	if m.Date != n.Date {
		return int(m.Date) - int(n.Date)
	}
	return int(m.Clock) - int(n.Clock)
}

// Span is an opening from a moment to a moment; the minutes of both are open.
type Span struct{ Start, End Moment }

// Backward reports whether the span ends before it starts.
func (s Span) Backward() bool { return s.End.Compare(s.Start) < 0 }

// Exception replaces the weekly hours on its days, the first and the last
// included: without openings the place is closed.
type Exception struct {
	Name       string
	Start, End Date
	Openings   []Span
}

// Equal reports whether two exceptions say the same.
func (e *Exception) Equal(f *Exception) bool {
	return e.Name == f.Name && e.Start == f.Start && e.End == f.End && slices.Equal(e.Openings, f.Openings)
}

// Calendar is the hours of some service points over a range of days.
type Calendar struct {
	ID            uuid.UUID
	Name          string
	Start, End    Date // both included
	ServicePoints []uuid.UUID
	Hours         []Opening
	Exceptions    []Exception

	Created, Updated     time.Time // to the millisecond, UTC; zero: not known
	CreatedBy, UpdatedBy uuid.NullUUID
}

// Covers reports whether the day is in the calendar's range.
func (c *Calendar) Covers(d Date) bool { return c.Start <= d && d <= c.End }

// weekdays are the names of the days in iCalendar (RFC 5545 §3.3.10).
var weekdays = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

func weekdayOf(name string) (time.Weekday, error) {
	if i := slices.Index(weekdays[:], name); i >= 0 {
		return time.Weekday(i), nil
	}
	return 0, fmt.Errorf("%q is no day of the week", name)
}
