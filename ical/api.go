// Package ical is the meaning of iCalendar: reading, checking, editing and
// writing objects, time zones, recurrence, filters, free-busy and feeds. It is
// pure: it knows no store and no HTTP, holds no mutable globals but caches of
// immutable time zones, and takes the current time as a parameter.
//
// The bytes are the fact. Parse keeps them; Edit changes the content lines
// that it names and leaves every other byte alone.
package ical

import (
	"fmt"
	"iter"
	"time"

	"daybook/ical/span"
)

// Limits bounds what Parse accepts. Zero fields take the value of
// DefaultLimits.
type Limits struct {
	Bytes      int // of the whole text
	Line       int // octets of one unfolded content line
	Lines      int // content lines
	Components int
	Depth      int // nesting of components
}

// DefaultLimits are the bounds of one calendar object resource.
var DefaultLimits = Limits{Bytes: 10 << 20, Line: 1 << 20, Lines: 200_000, Components: 20_000, Depth: 16}

// StreamLimits are the bounds of a whole calendar: an import or a remote feed.
var StreamLimits = Limits{Bytes: 512 << 20, Line: 1 << 20, Lines: 20_000_000, Components: 2_000_000, Depth: 16}

// A Rule names the precondition that an object breaks; the values are the
// local names of RFC 4791 §1.3, §5.3.2.1 and of RFC 7529 and RFC 7809, in the
// CalDAV namespace.
type Rule string

// The preconditions that an object can break by itself.
const (
	ValidCalendarData           Rule = "valid-calendar-data"
	ValidCalendarObjectResource Rule = "valid-calendar-object-resource"
	SupportedCalendarData       Rule = "supported-calendar-data"
	SupportedComponent          Rule = "supported-calendar-component"
	MaxResourceSize             Rule = "max-resource-size"
	MinDateTime                 Rule = "min-date-time"
	MaxDateTime                 Rule = "max-date-time"
	MaxInstances                Rule = "max-instances"
	MaxAttendees                Rule = "max-attendees-per-instance"
	ValidTimezone               Rule = "valid-timezone"
	SupportedRScale             Rule = "supported-rscale"
)

// InvalidError tells which rule an iCalendar text breaks, and where.
type InvalidError struct {
	Rule   Rule
	Line   int    // physical line, counted from 1; 0 when the whole text is meant
	Reason string // one sentence, without the text's own content beyond a name
	Ref    string // e.g. "RFC 5545 §3.3.10"
}

func (e *InvalidError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %s (%s)", e.Line, e.Reason, e.Ref)
	}
	return fmt.Sprintf("%s (%s)", e.Reason, e.Ref)
}

// Form is the kind of time that a DATE or DATE-TIME value is (RFC 5545
// §3.3.4, §3.3.5).
type Form uint8

// The four kinds of time.
const (
	UTC      Form = iota // ends in Z: an instant
	Zoned                // wall clock and TZID
	Floating             // wall clock alone; an instant only with a zone from outside
	Date                 // a day; likewise
)

// Instance is one member of a recurrence set.
type Instance struct {
	// Start and End are instants, in UTC. For floating and all-day instances
	// they were placed by the zone given to the expansion. End is not before
	// Start; a component without length has End equal to Start.
	Start, End time.Time
	// RecurrenceID is the original start, also for instances that were not
	// overridden; in UTC. It identifies the instance for good. The zero time
	// for an object that does not recur and has no RECURRENCE-ID.
	RecurrenceID time.Time
	// Component is the one that describes the instance: the master or an
	// override. It is not to be changed.
	Component *Component
	// Form is the kind of time of DTSTART (of DUE for a VTODO without it).
	Form Form
	// Wall and WallEnd are the wall clocks of Start and End, as if they were
	// UTC; those of floating and all-day instances do not depend on a zone.
	Wall, WallEnd time.Time
}

// Span gives the instance's time.
func (i Instance) Span() span.Span { return span.Span{Start: i.Start, End: i.End} }

// Expand says which instances are wanted.
type Expand struct {
	// Window selects the instances that overlap it by the rules of RFC 4791
	// §9.9 (one without length counts when Window.Start <= Start < Window.End).
	// A zero Start or End is open.
	Window span.Span
	// Zone places floating and all-day times; nil is UTC.
	Zone *Zone
	// Max is the largest number of instances given; 0 is DefaultMaxInstances.
	Max int
	// Work bounds the steps of the expansion, hits or not; 0 is DefaultWork.
	Work int
}

// Bounds of an expansion that names none.
const (
	DefaultMaxInstances = 100_000
	DefaultWork         = 2_000_000
)

// LimitError tells that an expansion was ended by Max or Work before it was
// complete. What was found before is returned beside it.
type LimitError struct{ What string }

func (e *LimitError) Error() string { return "expansion stopped: too many " + e.What }

// Extent bounds the recurrence set of an object without expanding it.
type Extent struct {
	// First is not after the start, Last not before the end of any instance,
	// wherever on earth floating times are placed (padded by a day).
	First, Last time.Time
	// Bounded is false for a set without end; Last is then the zero time.
	Bounded bool
	// Undated is true when the instances do not tell all the windows that some
	// component belongs to, so that it must be considered for every one: a VTODO
	// without DTSTART and DUE, a VAVAILABILITY without start or end, a VFREEBUSY
	// without start.
	Undated bool
}

// Seq is a sequence of instances in order of Start, then RecurrenceID.
type Seq = iter.Seq[Instance]
