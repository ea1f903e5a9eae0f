// Package blocks is the one mapping between a block, as the REST APIs speak of
// it, and the VEVENT that is its only home. It is pure: it knows iCalendar,
// and neither the store's files nor HTTP.
//
// A block is read from an instance of an object ([Read]) and written by
// changing the content lines that differ ([Update]): alarms, attendees and the
// X- properties of other programs stay as they are, byte for byte. Where the
// block is (its practitioners, rooms, calendars) is not in the body: it is
// membership, and the store's matter.
package blocks

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"daybook/ical"
)

// Type is what a block is for.
type Type string

// The types. Other is also what a block without a known type has.
const (
	Cleaning Type = "cleaning"
	Break    Type = "break"
	Meeting  Type = "meeting"
	Other    Type = "other"
)

// Types gives all types.
func Types() []Type { return []Type{Cleaning, Break, Meeting, Other} }

// Valid reports whether it is one of the types.
func (t Type) Valid() bool { return slices.Contains(Types(), t) }

// Title is the SUMMARY of a block that nobody gave a label.
func (t Type) Title() string {
	switch t {
	case Cleaning:
		return "Cleaning"
	case Break:
		return "Break"
	case Meeting:
		return "Meeting"
	case Other:
	}
	return "Blocked"
}

// Block is what the REST APIs know of one block or of one instance of a
// recurring one. Empty texts are absent (null).
type Block struct {
	Start, End time.Time // instants, UTC, whole seconds; half-open
	OpenEnded  bool      // without end; End is then OpenEnd(Start)
	Type       Type
	Label      string
	Notes      string
	Color      string // #rrggbb
	Lang       string // of Label and Notes (RFC 5646)
	Origin     string
	ExternalID string
	ServiceID  string
	Extra      string // a JSON object

	// What Read gives beside it; Update and New take no notice.
	RecurrenceID      time.Time // of an instance of a recurring object, else zero
	Created, Modified time.Time // zero: not said
}

// OpenEnd is the DTEND that stands for no end.
func OpenEnd(start time.Time) time.Time { return start.AddDate(10, 0, 0) }

// Ages gives when a block or an event was made and when it was last changed:
// what its lines say, else (where they are zero) what the store keeps. The
// lines of a client may tell one of the two, which is then older than the
// store's, and have no fractions of a second: nothing changes before it is made.
// When it was made stays the same for ever.
func Ages(saysCreated, saysModified, created, modified time.Time) (made, changed time.Time) {
	made, changed = saysCreated, saysModified
	if made.IsZero() {
		made = created
	}
	if changed.IsZero() {
		changed = modified
	}
	if changed.Before(made) {
		changed = made
	}
	return made, changed
}

// Properties of our own.
const (
	propType     = "X-DAYBOOK-BLOCK-TYPE"
	propUntitled = "X-DAYBOOK-UNTITLED"
	propColor    = "X-DAYBOOK-COLOR"
	propOpen     = "X-DAYBOOK-OPEN-ENDED"
	propOrigin   = "X-DAYBOOK-ORIGIN"
	propExternal = "X-DAYBOOK-EXTERNAL-ID"
	propService  = "X-DAYBOOK-SERVICE-ID"
	propExtra    = "X-DAYBOOK-EXTRA"
)

const isTrue = "TRUE"

// Read gives the block that an instance is.
func Read(i ical.Instance) Block {
	c := i.Component
	b := Block{
		Start: i.Start, End: i.End, RecurrenceID: i.RecurrenceID,
		Type:       typeOf(c),
		Label:      labelOf(c),
		Notes:      c.Text("DESCRIPTION"),
		Color:      colorOf(c),
		Origin:     c.Text(propOrigin),
		ExternalID: c.Text(propExternal),
		ServiceID:  c.Text(propService),
		Created:    utcOf(c, "CREATED"),
		Modified:   utcOf(c, "LAST-MODIFIED"),
	}
	b.Lang = langOf(c)
	b.OpenEnded = strings.EqualFold(c.Text(propOpen), isTrue) && b.End.Equal(OpenEnd(b.Start))
	if extra := c.Text(propExtra); json.Valid([]byte(extra)) {
		b.Extra = extra
	}
	return b
}

// Is reports whether a VEVENT is a block: it carries our property, or one of
// the categories that say so. MEETING alone does not: desktop clients offer it
// for ordinary events.
func Is(c *ical.Component) bool {
	if c.Line(propType) != nil {
		return true
	}
	return slices.ContainsFunc(categories(c), func(s string) bool {
		return slices.Contains([]string{"BLOCK", "BREAK", "CLEANING", "TIME_OFF"}, strings.ToUpper(s))
	})
}

func typeOf(c *ical.Component) Type {
	if t := Type(strings.ToLower(strings.TrimSpace(c.Text(propType)))); t.Valid() {
		return t
	}
	for _, s := range categories(c) {
		if t := Type(strings.ToLower(s)); t.Valid() && t != Other {
			return t
		}
	}
	return Other
}

func categories(c *ical.Component) []string {
	var out []string
	for _, l := range c.All("CATEGORIES") {
		for _, s := range l.List() {
			out = append(out, strings.TrimSpace(s))
		}
	}
	return out
}

// labelOf gives the SUMMARY that somebody wrote: not ours, for as long as it
// is the one of its type.
func labelOf(c *ical.Component) string {
	s := c.Text("SUMMARY")
	if untitled(c) && s == typeOf(c).Title() {
		return ""
	}
	return s
}

func untitled(c *ical.Component) bool { return strings.EqualFold(c.Text(propUntitled), isTrue) }

func langOf(c *ical.Component) string {
	for _, name := range []string{"SUMMARY", "DESCRIPTION"} {
		if l := c.Line(name); l != nil && l.Param("LANGUAGE") != "" {
			return l.Param("LANGUAGE")
		}
	}
	return ""
}

// colorOf gives our hex value while COLOR is what we wrote beside it; else the
// value of COLOR, because then a client has changed it. Without COLOR there is
// no colour.
func colorOf(c *ical.Component) string {
	name := strings.TrimSpace(c.Text("COLOR"))
	if name == "" {
		return ""
	}
	value, known := cssValue(name)
	if hex := c.Text(propColor); ValidColor(hex) {
		if near, _ := cssValue(NearestName(hex)); near == value {
			return hex
		}
	}
	if known {
		return value
	}
	if hex := strings.ToLower(name); ValidColor(hex) {
		return hex // not a name, but some clients write it
	}
	return ""
}

// utcOf reads a property that is always in UTC; the zero time if it is not.
func utcOf(c *ical.Component, name string) time.Time {
	l := c.Line(name)
	if l == nil {
		return time.Time{}
	}
	t, err := time.Parse(stampLayout, l.Value)
	if err != nil {
		return time.Time{}
	}
	return t
}

const (
	stampLayout = "20060102T150405Z"
	wallLayout  = "20060102T150405"
	dateLayout  = "20060102"
)

// Stamp writes an instant as iCalendar does, e.g. 20270301T113000Z.
func Stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

// CleanText makes a text ready for a TEXT value: line breaks become one line
// feed. ok is false for what iCalendar cannot hold: control characters, and
// bytes that are not UTF-8.
func CleanText(s string) (clean string, ok bool) {
	if !utf8.ValidString(s) {
		return "", false
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	bad := strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f })
	return s, bad < 0
}

// Compare orders blocks by start, then end.
func Compare(a, b Block) int {
	return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End))
}
