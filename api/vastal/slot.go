package vastal

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"daybook/api/rest"
)

// Bounds of a week.
const (
	maxSlots     = 500
	maxReference = 255 // bytes of an appointment_type_id
)

const wholeDay = 24 * time.Hour

// slot is a weekly slot: wall clocks of the organisation's zone.
type slot struct {
	id         uuid.UUID
	day        time.Weekday
	start, end time.Duration // since midnight; start < end <= 24h, whole seconds
	only       string        // the appointment type that it is for; "": all
	active     bool
	created    time.Time // UTC, whole seconds
}

// says is what a client can send of a slot.
type says struct {
	day        time.Weekday
	start, end time.Duration
	only       string
	active     bool
}

// says gives everything that a client can send: slots with equal says are
// duplicates.
func (s slot) says() says { return says{s.day, s.start, s.end, s.only, s.active} }

// key is what a slot keeps its id by: day, start, end and type.
func (s slot) key() says { return says{day: s.day, start: s.start, end: s.end, only: s.only} }

// alike reports whether two slots have one key.
func (s slot) alike(t slot) bool { return s.key() == t.key() }

func compareSlots(a, b slot) int {
	return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end),
		strings.Compare(string(a.id[:]), string(b.id[:])))
}

// Slot is a weekly slot as it is answered. Every member is always there.
type Slot struct {
	ID                string  `json:"id"`
	OrgID             string  `json:"org_id"`
	DayOfWeek         int     `json:"day_of_week" min:"0" max:"6" doc:"0 is Sunday."`
	StartTime         string  `json:"start_time" pattern:"^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]$" doc:"HH:MM:SS."`
	EndTime           string  `json:"end_time" pattern:"^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]$" doc:"HH:MM:SS, up to 24:00:00."`
	AppointmentTypeID *string `json:"appointment_type_id"`
	IsActive          bool    `json:"is_active"`
	CreatedAt         string  `json:"created_at" format:"date-time" doc:"UTC."`
}

func (s slot) answer(org uuid.UUID) Slot {
	return Slot{
		ID: formatID(slotPrefix, s.id), OrgID: formatID(orgPrefix, org), DayOfWeek: int(s.day),
		StartTime: formatClock(s.start), EndTime: formatClock(s.end),
		AppointmentTypeID: nullable(s.only), IsActive: s.active, CreatedAt: formatInstant(s.created),
	}
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// clock is a wall clock in a request, exactly HH:MM:SS.
type clock time.Duration

// UnmarshalJSON reads "00:00:00" to "24:00:00"; the error's text goes on from
// the field's name.
func (c *clock) UnmarshalJSON(b []byte) error {
	bad := errors.New("must be a time of the form HH:MM:SS")
	var s string
	if json.Unmarshal(b, &s) != nil {
		return bad
	}
	if s == "24:00:00" {
		*c = clock(wholeDay)
		return nil
	}
	t, err := time.Parse(time.TimeOnly, s)
	if err != nil || len(s) != len(time.TimeOnly) {
		return bad
	}
	*c = clock(t.Sub(t.Truncate(wholeDay)))
	return nil
}

func formatClock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d:%02d", d/time.Hour, d/time.Minute%60, d/time.Second%60)
}

// slotBody is a slot in a request.
type slotBody struct {
	Day    rest.Opt[int]    `json:"day_of_week" min:"0" max:"6" doc:"0 is Sunday."`
	Start  rest.Opt[clock]  `json:"start_time"`
	End    rest.Opt[clock]  `json:"end_time"`
	Only   rest.Opt[string] `json:"appointment_type_id"`
	Active rest.Opt[bool]   `json:"is_active"`
}

// slotRequired is told when one of the three is missing.
const slotRequired = "day_of_week, start_time, and end_time are required"

// whole checks a slot that is sent as a whole; path is "" or that of the list's
// element.
func (b *slotBody) whole(f *rest.Faults, path string) {
	_, day := b.Day.Get()
	_, start := b.Start.Get()
	_, end := b.End.Get()
	if !day || !start || !end {
		if path == "" || !f.At(path) { // an element that is no object has its own fault
			f.Add(path, slotRequired)
		}
		return
	}
	b.values(f, path)
}

// values checks what is there.
func (b *slotBody) values(f *rest.Faults, path string) {
	at := func(name string) string {
		if path == "" {
			return name
		}
		return path + "." + name
	}
	if d, ok := b.Day.Get(); ok && !f.Has(at("day_of_week")) && (d < 0 || d > 6) {
		f.Add(at("day_of_week"), "must be an integer from 0 (Sunday) to 6 (Saturday)")
	}
	start, hasStart := b.Start.Get()
	end, hasEnd := b.End.Get()
	bad := f.Has(at("start_time")) || f.Has(at("end_time"))
	switch {
	case bad:
	case hasStart && start == clock(wholeDay):
		f.Add(at("start_time"), "must be from 00:00:00 to 23:59:59")
	case hasStart && hasEnd && start >= end:
		f.Add(at("end_time"), endAfterStart)
	}
	if s, ok := b.Only.Get(); ok && !f.Has(at("appointment_type_id")) {
		if reason := wrongReference(s); reason != "" {
			f.Add(at("appointment_type_id"), reason)
		}
	}
}

const endAfterStart = "must be later than start_time"

// wrongReference tells what is wrong with an id that is kept as it is given.
func wrongReference(s string) string {
	switch {
	case s == "":
		return "must not be empty"
	case len(s) > maxReference:
		return fmt.Sprintf("must have at most %d bytes", maxReference)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return "must not have control characters"
	}
	return ""
}

// over gives the slot with what was sent in the place of what was.
func (b *slotBody) over(s slot) slot {
	s.day = time.Weekday(b.Day.Or(int(s.day)))
	s.start = time.Duration(b.Start.Or(clock(s.start)))
	s.end = time.Duration(b.End.Or(clock(s.end)))
	if b.Only.Present() {
		s.only = b.Only.Or("")
	}
	s.active = b.Active.Or(s.active)
	return s
}
