package ical

import (
	"io"
	"time"
)

// Split reads a whole calendar (many UIDs) and gives one resource for each UID, with the VTIMEZONEs that it names, in
// order of first appearance; used by import and pull. Each is parsed and checked by itself: err is that item's error.
func Split(data []byte, lim Limits) ([]SplitItem, error) { panic("stub") }

// SplitItem is one resource of a Split.
type SplitItem struct {
	Object *Object // nil if Err is set
	UID    string
	Line   int
	Err    error
}

// Show says how much of an object a feed tells.
type Show uint8

// The shows of a feed.
const (
	ShowFull   Show = iota
	ShowTitles      // summary, times, status, location; no description, attendees, alarms, attachments or X- properties
	ShowBusy        // times only, summary "Busy", class private and confidential never more than this; stable opaque UIDs
)

// FeedOptions describes a feed.
type FeedOptions struct {
	Name, Description, Color string // NAME, X-WR-CALNAME; DESCRIPTION, X-WR-CALDESC; COLOR (RFC 7986)
	Zone                     string // X-WR-TIMEZONE
	Refresh                  time.Duration
	Source                   string
	Show                     Show
	UIDKey                   []byte // keys the opaque UIDs of ShowBusy
	Now                      time.Time
}

// Merge writes many objects as one VCALENDAR (RFC 5545 §3.4, RFC 7986): each VTIMEZONE once, one written for every TZID that
// has none, objects that do not parse left out and counted. objects yields the stored bytes.
func Merge(w io.Writer, objects func(yield func(data []byte) bool), opt FeedOptions) (skipped int, err error) {
	panic("stub")
}
