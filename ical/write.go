package ical

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Param is one parameter of a new line. Name is a token; Value is any text,
// which is written in quotes and with RFC 6868 carets where it must be.
type Param struct{ Name, Value string }

// errName is what a name that is no iana-token (RFC 5545 §3.1) gives.
var errName = errors.New("not a name of a property, parameter or component")

// Writer writes content lines, folded at 75 octets between characters, with
// CRLF (RFC 5545 §3.1). The first error is kept, and nothing written after it.
type Writer struct {
	w   io.Writer
	buf []byte
	err error
}

// NewWriter writes to w, once for each line; errors are kept and given by Err.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Line writes one content line; value is raw (see EscapeText). Line breaks in
// value are written as \n, other control characters are left out.
func (w *Writer) Line(name, value string, params ...Param) {
	if w.err != nil {
		return
	}
	w.buf, w.err = appendLine(w.buf[:0], name, value, params)
	if w.err == nil {
		_, w.err = w.w.Write(w.buf)
	}
}

// Begin writes BEGIN:name.
func (w *Writer) Begin(name string) { w.Line("BEGIN", name) }

// End writes END:name.
func (w *Writer) End(name string) { w.Line("END", name) }

// Raw writes bytes as they are: whole content lines, with their line breaks.
func (w *Writer) Raw(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
	}
}

// Err gives the first error.
func (w *Writer) Err() error { return w.err }

// appendLine appends a folded content line with its line break.
func appendLine(b []byte, name, value string, params []Param) ([]byte, error) {
	if !isToken(name) {
		return b, fmt.Errorf("%q: %w", name, errName)
	}
	from := len(b)
	b = append(b, name...)
	for _, p := range params {
		if !isToken(p.Name) {
			return b[:from], fmt.Errorf("%q: %w", p.Name, errName)
		}
		b = append(b, ';')
		b = append(b, p.Name...)
		b = append(b, '=')
		b = appendParamValue(b, p.Value)
	}
	b = append(b, ':')
	b = append(b, cleanValue(value)...)
	if len(b)-from <= foldAt {
		return append(b, '\r', '\n'), nil
	}
	return appendFolded(b[:from], string(b[from:])), nil
}

// appendParamValue quotes a parameter value if it has a separator, and writes
// line breaks, quotes and carets by RFC 6868 §3.
func appendParamValue(b []byte, v string) []byte {
	v = CleanText(v)
	quote := strings.ContainsAny(v, ":;,") || v != strings.TrimSpace(v)
	if quote {
		b = append(b, '"')
	}
	for i := range len(v) {
		switch v[i] {
		case '\n':
			b = append(b, '^', 'n')
		case '^':
			b = append(b, '^', '^')
		case '"':
			b = append(b, '^', '\'')
		default:
			b = append(b, v[i])
		}
	}
	if quote {
		b = append(b, '"')
	}
	return b
}

// cleanValue makes a raw value fit for one line.
func cleanValue(v string) string {
	if isClean(v) {
		return v
	}
	return strings.ReplaceAll(CleanText(v), "\n", `\n`)
}

// isClean reports whether checkChars would take the value.
func isClean(s string) bool {
	for i := range len(s) {
		if charClass[s[i]]&classControl != 0 || s[i] >= utf8.RuneSelf {
			return checkChars(s, 0) == nil
		}
	}
	return true
}

// CleanText gives text without what iCalendar cannot carry: any line break
// becomes a line feed, other control characters go, broken UTF-8 becomes
// U+FFFD.
func CleanText(s string) string {
	if isClean(s) {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r == 0x7f:
			return -1
		case r == '\ufffe' || r == '\uffff':
			return utf8.RuneError
		}
		return r
	}, s)
}

// EscapeText escapes a TEXT value (RFC 5545 §3.3.11). Any line break becomes
// \n; characters that iCalendar cannot carry are left out.
func EscapeText(s string) string {
	s = CleanText(s)
	if !strings.ContainsAny(s, "\\;,\n") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	for i := range len(s) {
		switch c := s[i]; c {
		case '\\', ';', ',':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString(`\n`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
