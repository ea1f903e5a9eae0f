package ical

import (
	"io"
	"time"

	goical "github.com/emersion/go-ical"
)

// CheckResource checks RFC 4791 §4.1 and the values that the server relies on; *InvalidError.
func (o *Object) CheckResource() error { panic("stub") }

// GoICal gives a copy as go-ical's types.
func (o *Object) GoICal() *goical.Calendar { panic("stub") }

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

// Edit collects changes to content lines.
type Edit struct{}

// Edit begins a change of the object.
func (o *Object) Edit() *Edit { panic("stub") }

// Param is one parameter of a new line; Value is written quoted where it must be.
type Param struct{ Name, Value string }

// Set replaces the first line of the name in c and removes its repetitions, or adds one before the first child or END. Value is raw (see EscapeText).
func (e *Edit) Set(c *Component, name, value string, params ...Param) *Edit { panic("stub") }

// Add adds one line.
func (e *Edit) Add(c *Component, name, value string, params ...Param) *Edit { panic("stub") }

// Remove removes all lines of the name.
func (e *Edit) Remove(c *Component, name string) *Edit { panic("stub") }

// RemoveLine removes one line.
func (e *Edit) RemoveLine(c *Component, l *Line) *Edit { panic("stub") }

// AddComponent adds a component's text (content lines from BEGIN to END) at the end of c.
func (e *Edit) AddComponent(c *Component, text string) *Edit { panic("stub") }

// RemoveComponent removes a child.
func (e *Edit) RemoveComponent(child *Component) *Edit { panic("stub") }

// Apply gives the changed object; every byte that no call named is as before. The result is parsed anew and checked.
func (e *Edit) Apply() (*Object, error) { panic("stub") }

// EscapeText escapes a TEXT value.
func EscapeText(s string) string { panic("stub") }

// Writer writes content lines, folded at 75 octets at character boundaries, CRLF.
type Writer struct{}

// NewWriter writes to w; errors are kept and given by Err.
func NewWriter(w io.Writer) *Writer { panic("stub") }

// Line writes one content line; value is raw.
func (w *Writer) Line(name, value string, params ...Param) { panic("stub") }

// Begin and End write the component's delimiters.
func (w *Writer) Begin(name string) { panic("stub") }

// End writes END:name.
func (w *Writer) End(name string) { panic("stub") }

// Raw writes bytes as they are.
func (w *Writer) Raw(b []byte) { panic("stub") }

// Err gives the first error.
func (w *Writer) Err() error { panic("stub") }

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
