package ical

import (
	"time"

	"daybook/ical/span"
)

// Zone turns wall clocks into instants: a local time in a gap takes the offset before the gap, an ambiguous one is the first (RFC 5545 §3.3.5).
type Zone struct{}

// UTCZone is UTC.
var UTCZone = &Zone{}

// LookupZone finds a zone by IANA name (case-insensitive), the IANA tail of a vendor prefix, or a Windows name (CLDR); nil if unknown.
func LookupZone(tzid string) *Zone { panic("stub") }

// Name gives the IANA name, or the TZID of a custom zone.
func (z *Zone) Name() string { panic("stub") }

// Instant gives the instant of a wall clock (a time.Time in UTC whose fields are the wall clock).
func (z *Zone) Instant(wall time.Time) time.Time { panic("stub") }

// Wall gives the wall clock of an instant, as a time.Time in UTC.
func (z *Zone) Wall(t time.Time) time.Time { panic("stub") }

// Offset gives the zone's offset at the instant.
func (z *Zone) Offset(t time.Time) time.Duration { panic("stub") }

// Location gives the time.Location of an IANA zone, nil for a custom one.
func (z *Zone) Location() *time.Location { panic("stub") }

// TZDataVersion names the zone data in use, e.g. "2026a".
func TZDataVersion() string { panic("stub") }

// Zone resolves a TZID of the object: LookupZone, else the object's own VTIMEZONE by its rules; nil is floating.
func (o *Object) Zone(tzid string) *Zone { panic("stub") }

// ParseZone reads one VCALENDAR with exactly one VTIMEZONE (CALDAV:calendar-timezone).
func ParseZone(text string) (*Zone, error) { panic("stub") }

// VTimezone writes a VTIMEZONE for the zone, correct for the instants of s: BEGIN:VTIMEZONE … END, CRLF.
func (z *Zone) VTimezone(s span.Span) string { panic("stub") }

// Time is a DATE or DATE-TIME value as written.
type Time struct {
	Form Form
	Wall time.Time // its fields as if they were UTC
	Zone *Zone     // of a Zoned value
}

// Instant places the time; floating and dates by the zone given (nil: UTC).
func (t Time) Instant(floating *Zone) time.Time { panic("stub") }

// Time reads a DATE or DATE-TIME property (DTSTART, DTEND, DUE, RECURRENCE-ID …) of a component of o.
func (o *Object) Time(l *Line) (Time, error) { panic("stub") }

// ParseDuration reads a DURATION value (RFC 5545 §3.3.6): nominal days (weeks are 7) and exact time.
func ParseDuration(s string) (days int, exact time.Duration, err error) { panic("stub") }

// Instances gives the instances in the window, ordered by Start and RecurrenceID. A *LimitError comes with what was found until then.
func (o *Object) Instances(x Expand) ([]Instance, error) { panic("stub") }

// EachInstance calls yield for each instance in the window in order until it returns false; the allocation-free form of Instances.
func (o *Object) EachInstance(x Expand, yield func(*Instance) bool) error { panic("stub") }

// Extent bounds the recurrence set.
func (o *Object) Extent() Extent { panic("stub") }

// HasInstance reports whether rid (an instant) is in the recurrence set, overridden or not.
func (o *Object) HasInstance(rid time.Time, floating *Zone) bool { panic("stub") }

// Busy is one period of a free-busy answer.
type Busy struct {
	span.Span
	Type BusyType
}

// BusyType is the FBTYPE (RFC 5545 §3.2.9), in rising order of weight.
type BusyType uint8

// The types of busy time; BusyFree is no busy time at all.
const (
	BusyFree BusyType = iota
	BusyTentative
	BusyBusy
	BusyUnavailable
)

// BusyType gives what kind of time the component takes (RFC 4791 §7.10): TRANSPARENT and CANCELLED none, TENTATIVE tentative.
func (c *Component) BusyType() BusyType { panic("stub") }

// MergeBusy sorts and merges periods (RFC 4791 §7.10): same type merged when overlapping or touching, a heavier type wins where two overlap.
func MergeBusy(in []Busy) []Busy { panic("stub") }

// FreeBusy writes a VCALENDAR with one VFREEBUSY for the window (no METHOD), CRLF.
func FreeBusy(window span.Span, busy []Busy, now time.Time) []byte { panic("stub") }

// Availability is one VAVAILABILITY component, read for computing (RFC 7953).
type Availability struct {
	Priority int // 1 highest … 9, 0 lowest
	Busy     BusyType
	Window   span.Span // zero times are open
	Free     []span.Span
}

// Availabilities expands the VAVAILABILITY components of o in the window.
func (o *Object) Availabilities(x Expand) ([]Availability, error) { panic("stub") }

// Available gives the time that is offered (RFC 7953 §4): at each instant the availability of highest priority that covers it decides.
// ok is false when none covers any of the window (then nothing is said about it).
func Available(window span.Span, all []Availability) (free span.Set, ok bool) { panic("stub") }
