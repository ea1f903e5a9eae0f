package timetap

import (
	"errors"
	"slices"
	"time"
)

// Event is an event as it is answered. Every member is always there.
type Event struct {
	AllDay      bool      `json:"allDay"`
	Type        eventType `json:"appointmentType"`
	Attendees   []string  `json:"attendees" null:"true" doc:"Of a class; null for all others."`
	Color       string    `json:"color" doc:"As #RRGGBB."`
	End         string    `json:"end" doc:"A date as JavaScript writes it, in UTC."`
	EndUTC      string    `json:"endDateTimeUTC"`
	ID          int64     `json:"id" doc:"Below 2^53."`
	Paid        bool      `json:"paid"`
	ReadOnly    bool      `json:"readOnly"`
	Series      *int64    `json:"recurringAppointmentId"`
	Start       string    `json:"start"`
	StartUTC    string    `json:"startDateTimeUTC"`
	Status      string    `json:"status"`
	SubStatus   string    `json:"subStatus"`
	Title       string    `json:"title"`
	Uninvoiced  bool      `json:"uninvoiced"`
	begin, over int64     // seconds since 1970
}

// jsDate is the form of all times of an event.
const jsDate = "Mon Jan 02 2006 15:04:05 UTC-0700"

func writeDate(sec int64) string { return time.Unix(sec, 0).UTC().Format(jsDate) }

// eventType is what an event is.
type eventType string

const (
	appointment eventType = "APPOINTMENT"
	class       eventType = "CLASS"
	timeOff     eventType = "TIME_OFF"
	vacation    eventType = "VACATION"
)

var eventTypes = []eventType{appointment, class, timeOff, vacation}

var errType = errors.New("must be APPOINTMENT, CLASS, TIME_OFF or VACATION")

// UnmarshalText takes the four words in upper case, and no others.
func (t *eventType) UnmarshalText(b []byte) error {
	if !slices.Contains(eventTypes, eventType(b)) {
		return errType
	}
	*t = eventType(b)
	return nil
}

// The id of an instance of a series is alias · 2^27 + minute, the minute being
// that of its RECURRENCE-ID, counted from 1970, modulo 2^27 (255 years). What is
// below 2^27 is the alias of an object. Of a series with several instances in a
// minute, which no calendar of people has, only the first of the minute is told.
const (
	minuteBits = 27
	minuteMask = 1<<minuteBits - 1
	maxAlias   = 1 << 26
)

// idOf gives the id of an instance; rid is its RECURRENCE-ID in seconds.
func idOf(alias uint32, recurs bool, rid int64) int64 {
	if !recurs {
		return int64(alias)
	}
	return int64(alias)<<minuteBits | (rid-floorMod(rid, 60))/60&minuteMask
}

// splitID takes an id apart; minute is that of an instance.
func splitID(id int64) (alias uint32, minute int64, instance bool) {
	if id>>minuteBits == 0 {
		return uint32(id), 0, false
	}
	return uint32(id >> minuteBits), id & minuteMask, true
}

func floorMod(a, b int64) int64 { return (a%b + b) % b }

// The main words of status.
const (
	open      = "OPEN"
	completed = "COMPLETED"
	cancelled = "CANCELLED"
	cancel    = "CANCEL" // TimeTap's other spelling
	noShow    = "NOSHOW"
	pending   = "PENDING"
)

// statusOf gives status and subStatus of STATUS and our own property.
func statusOf(status, word string) (main, sub string) {
	switch {
	case status == cancelled:
		return cancelled, cancelled
	case word == cancelled, word == cancel:
		return cancelled, word
	case word == completed, word == noShow:
		return word, word
	case word != "":
		return open, word
	case status == "TENTATIVE":
		return open, pending
	}
	return open, open
}

// sameStatus folds the two spellings.
func sameStatus(s string) string {
	if s == cancel {
		return cancelled
	}
	return s
}
