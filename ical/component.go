package ical

import (
	"iter"
	"slices"
	"strings"
)

// Line is one unfolded content line (RFC 5545 §3.1).
type Line struct {
	Name   string // upper case
	Value  string // as written, not unescaped
	params string // as written, without the leading semicolon
	start  int    // its bytes in the object's data, line break included
	end    int
	no     int // physical line of the text that was parsed, from 1
}

// Component is one BEGIN…END with its lines in order. BEGIN and END
// themselves are not among the lines.
type Component struct {
	Name     string // upper case
	Lines    []Line
	Children []*Component
	start    int // offset of BEGIN in the object's data
	endLine  int // offset of END
	end      int // offset past the line break of END
	no       int // physical line of BEGIN, from 1
}

// Object is a parsed VCALENDAR and the bytes that it was parsed from. It is
// not changed after Parse and may be read by many goroutines.
type Object struct {
	data  []byte
	exact bool
	root  *Component
	main  []*Component
	kind  string
	uid   string
	times timing // compiled when first asked for
}

// Data gives the bytes to store and serve: those that were sent, or mended
// ones (CRLF for bare LF, no BOM, no blank lines, a last line break, no fold
// inside a character). They are not to be changed.
func (o *Object) Data() []byte { return o.data }

// Exact reports whether Data equals what was given to Parse; only then may a
// PUT answer with a strong ETag (RFC 4791 §5.3.4).
func (o *Object) Exact() bool { return o.exact }

// Root gives the VCALENDAR.
func (o *Object) Root() *Component { return o.root }

// Source gives the octets of a component of the object; not to be changed.
func (o *Object) Source(c *Component) []byte { return o.data[c.start:c.end] }

// UID gives the unescaped UID of the first main component, "" if it has none.
func (o *Object) UID() string { return o.uid }

// Kind gives the name of the main components: VEVENT, VTODO, VJOURNAL,
// VFREEBUSY or VAVAILABILITY; "" if there is none of them.
func (o *Object) Kind() string { return o.kind }

// Main gives the components of that kind, in the order of the text. The slice
// is not to be changed.
func (o *Object) Main() []*Component { return o.main }

// Master gives the first main component without RECURRENCE-ID, nil if there
// is none (an invitation to single instances, RFC 4791 §4.1).
func (o *Object) Master() *Component {
	for _, c := range o.main {
		if c.Line("RECURRENCE-ID") == nil {
			return c
		}
	}
	return nil
}

// isKind reports whether components of the name can be the main ones of a
// calendar object resource (RFC 4791 §4.1, RFC 7953 §3).
func isKind(name string) bool {
	switch name {
	case "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY":
		return true
	}
	return false
}

// index finds the main components once, so that reading needs no lock.
func (o *Object) index() {
	children := o.root.Children
	first := slices.IndexFunc(children, func(c *Component) bool { return isKind(c.Name) })
	if first < 0 {
		return
	}
	o.kind = children[first].Name
	o.uid = children[first].Text("UID")
	run := first
	for run < len(children) && children[run].Name == o.kind {
		run++
	}
	o.main = children[first:run:run]
	for _, c := range children[run:] {
		if c.Name == o.kind {
			o.main = append(o.main, c)
		}
	}
}

// Line finds the first line of the name (upper case); nil if there is none.
func (c *Component) Line(name string) *Line {
	for i := range c.Lines {
		if c.Lines[i].Name == name {
			return &c.Lines[i]
		}
	}
	return nil
}

// All gives the lines of the name (upper case) in the order of the text.
func (c *Component) All(name string) []*Line {
	var all []*Line
	for i := range c.Lines {
		if c.Lines[i].Name == name {
			all = append(all, &c.Lines[i])
		}
	}
	return all
}

// Text gives the unescaped value of the first line of the name (upper case),
// "" if there is none.
func (c *Component) Text(name string) string {
	if l := c.Line(name); l != nil {
		return l.Text()
	}
	return ""
}

// Params yields the parameters in order: the name in upper case and each
// value by itself, without quotes and with RFC 6868 carets decoded. A
// parameter without equals sign has one empty value.
func (l *Line) Params() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for rest := l.params; rest != ""; {
			var one string
			one, rest = cutUnquoted(rest, ';')
			name, values, _ := strings.Cut(one, "=")
			name = strings.ToUpper(name)
			for more := true; more; {
				var value string
				comma := len(values)
				value, values = cutUnquoted(values, ',')
				more = len(value) < comma
				if !yield(name, paramText(value)) {
					return
				}
			}
		}
	}
}

// Param gives the first value of the parameter (name in upper case) without
// quotes, RFC 6868 carets decoded; "" if it is absent.
func (l *Line) Param(name string) string {
	v, _ := l.LookupParam(name)
	return v
}

// LookupParam is Param that tells an absent parameter from an empty one.
func (l *Line) LookupParam(name string) (value string, ok bool) {
	for rest := l.params; rest != ""; {
		var one string
		one, rest = cutUnquoted(rest, ';')
		n, values, _ := strings.Cut(one, "=")
		if strings.EqualFold(n, name) {
			value, _ = cutUnquoted(values, ',')
			return paramText(value), true
		}
	}
	return "", false
}

// RawParams gives the parameters as they are written, without the leading
// semicolon.
func (l *Line) RawParams() string { return l.params }

// cutUnquoted cuts s at the first sep outside double quotes.
func cutUnquoted(s string, sep byte) (before, after string) {
	quoted := false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == sep && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// paramText removes the quotes of a parameter value and decodes its carets
// (RFC 6868 §3). Unknown carets stay as they are.
func paramText(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	return unescape(s, '^', caretChar)
}

func caretChar(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case '^':
		return '^'
	case '\'':
		return '"'
	}
	return 0
}

// Text unescapes a TEXT value (RFC 5545 §3.3.11). A backslash before another
// character than those of the RFC is kept, as clients write Windows paths.
func (l *Line) Text() string { return unescapeText(l.Value) }

// List splits the value at unescaped commas and unescapes each part
// (CATEGORIES, RESOURCES).
func (l *Line) List() []string {
	s := l.Value
	parts := make([]string, 0, 1+strings.Count(s, ","))
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ',':
			parts = append(parts, unescapeText(s[from:i]))
			from = i + 1
		}
	}
	return append(parts, unescapeText(s[from:]))
}

func unescapeText(s string) string { return unescape(s, '\\', escapedChar) }

// unescape puts characters in the place of pairs that begin with escape; char
// gives that of the second one, 0 for a pair that stays.
func unescape(s string, escape byte, char func(second byte) byte) string {
	i := strings.IndexByte(s, escape)
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:i])
	for ; i < len(s); i++ {
		if s[i] == escape && i+1 < len(s) {
			if c := char(s[i+1]); c != 0 {
				b.WriteByte(c)
				i++
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// escapedChar gives what the character after a backslash stands for, 0 when
// it is none of RFC 5545 §3.3.11. An escaped quote is not of the RFC, but
// many programs write it and none means the backslash.
func escapedChar(c byte) byte {
	switch c {
	case 'n', 'N':
		return '\n'
	case '\\', ';', ',', '"':
		return c
	}
	return 0
}
