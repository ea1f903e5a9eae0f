package ical

import (
	"io"
	"time"

	goical "github.com/emersion/go-ical"
)

// Line is one unfolded content line (RFC 5545 §3.1).
type Line struct {
	Name   string // upper case
	Value  string // as written, not unescaped
	params string // as written, without the leading semicolon
	start  int    // its bytes in the object's data, line break included
	end    int
	no     int // physical line, from 1
}

// Component is one BEGIN…END with its lines in order.
type Component struct {
	Name     string // upper case
	Lines    []Line
	Children []*Component
	start    int
	end      int
	no       int
}

// Object is a parsed VCALENDAR and the bytes it was parsed from.
type Object struct {
	data []byte
	root *Component
}

// Parse reads one iCalendar stream with one VCALENDAR. Syntax only; see CheckResource.
func Parse(data []byte, lim Limits) (*Object, error) { panic("stub") }

// ParseResource is Parse followed by CheckResource.
func ParseResource(data []byte, lim Limits) (*Object, error) { panic("stub") }

// CheckResource checks RFC 4791 §4.1 and the values that the server relies on; *InvalidError.
func (o *Object) CheckResource() error { panic("stub") }

// Data gives the bytes to store and serve: those that were sent, or (BOM, bare LF, blank lines, broken UTF-8 folds) mended ones.
func (o *Object) Data() []byte { return o.data }

// Exact reports whether Data equals what was given to Parse.
func (o *Object) Exact() bool { panic("stub") }

// Root gives the VCALENDAR.
func (o *Object) Root() *Component { return o.root }

// UID gives the UID of the object's components.
func (o *Object) UID() string { panic("stub") }

// Kind gives the name of the main components: VEVENT, VTODO, VJOURNAL, VFREEBUSY, VAVAILABILITY.
func (o *Object) Kind() string { panic("stub") }

// Main gives the components of that kind, in the order of the file.
func (o *Object) Main() []*Component { panic("stub") }

// Master gives the component without RECURRENCE-ID, nil if there is none.
func (o *Object) Master() *Component { panic("stub") }

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

// Line finds the first line of the name (upper case); nil if there is none.
func (c *Component) Line(name string) *Line { panic("stub") }

// All gives the lines of the name.
func (c *Component) All(name string) []*Line { panic("stub") }

// Text gives the unescaped value of the first line of the name, "" if there is none.
func (c *Component) Text(name string) string { panic("stub") }

// Param gives the first value of a parameter without quotes, RFC 6868 carets decoded; "" if absent.
func (l *Line) Param(name string) string { panic("stub") }

// Text unescapes a TEXT value (RFC 5545 §3.3.11).
func (l *Line) Text() string { panic("stub") }

// List splits the value at unescaped commas and unescapes each part (CATEGORIES).
func (l *Line) List() []string { panic("stub") }

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
