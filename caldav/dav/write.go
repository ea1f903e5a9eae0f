package dav

import (
	"encoding/xml"
	"net/http"
	"strconv"
)

// Declaration begins every XML answer.
const Declaration = `<?xml version="1.0" encoding="utf-8"?>` + "\n"

// Namespaces declares the fixed prefixes; it goes into the root's start tag.
const Namespaces = ` xmlns:D="` + NS + `" xmlns:C="` + NSCalDAV + `" xmlns:CS="` + NSCalendarServer + `" xmlns:I="` + NSApple + `"`

// The frame of a multistatus (RFC 4918 §13) and of its responses.
const (
	MultistatusStart = Declaration + `<D:multistatus` + Namespaces + `>`
	MultistatusEnd   = "</D:multistatus>\n"
	ResponseStart    = "\n<D:response><D:href>"
	ResponseEnd      = "</D:response>"
	PropstatStart    = "<D:propstat><D:prop>"
	PropstatOK       = "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
)

// ContentType is the media type of XML answers.
const ContentType = "application/xml; charset=utf-8"

// special marks the bytes that AppendText cannot copy: markup, control
// characters, quotes, and the first byte of U+FFFE and U+FFFF.
var special = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['\n'], t['\t'] = false, false
	for _, c := range []byte{'<', '>', '&', '"', 0xef} {
		t[c] = true
	}
	return t
}()

// AppendText appends s as character data or attribute value. CR is written as
// a reference, because a parser would drop it; what XML cannot carry becomes
// U+FFFD.
func AppendText[T string | []byte](b []byte, s T) []byte {
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !special[c] {
			continue
		}
		var esc string
		skip := 1
		switch c {
		case '<':
			esc = "&lt;"
		case '>':
			esc = "&gt;"
		case '&':
			esc = "&amp;"
		case '"':
			esc = "&quot;"
		case '\r':
			esc = "&#13;"
		case 0xef:
			if i+2 >= len(s) || s[i+1] != 0xbf || s[i+2] < 0xbe {
				continue
			}
			esc, skip = "\ufffd", 3
		default:
			esc = "\ufffd"
		}
		b = append(append(b, s[from:i]...), esc...)
		i += skip - 1
		from = i + 1
	}
	return append(b, s[from:]...)
}

// Tags are the ways in which an element's name is written.
type Tags struct {
	Open  string // <D:prop>
	Close string // </D:prop>
	Empty string // <D:prop/>
}

// MakeTags writes the tags of a name: with the fixed prefix of its namespace,
// or with a declaration of its own.
func MakeTags(n xml.Name) Tags {
	q, decl := n.Local, ""
	switch n.Space {
	case NS:
		q = "D:" + q
	case NSCalDAV:
		q = "C:" + q
	case NSCalendarServer:
		q = "CS:" + q
	case NSApple:
		q = "I:" + q
	case "":
	default:
		q = "X:" + q
		decl = string(append(AppendText([]byte(` xmlns:X="`), n.Space), '"'))
	}
	return Tags{Open: "<" + q + decl + ">", Close: "</" + q + ">", Empty: "<" + q + decl + "/>"}
}

// AppendStatus appends a D:status with its reason phrase, which some parsers
// need.
func AppendStatus(b []byte, code int) []byte {
	b = append(b, "<D:status>HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(code), 10)
	b = append(append(b, ' '), reason(code)...)
	return append(b, "</D:status>"...)
}

func reason(code int) string {
	if t := http.StatusText(code); t != "" {
		return t
	}
	return "Status"
}

// AppendHref appends <D:href> with an address that is percent-encoded already.
func AppendHref(b []byte, href string) []byte {
	b = AppendText(append(b, "<D:href>"...), href)
	return append(b, "</D:href>"...)
}

// Error is a status with the precondition element that explains it (RFC 4918
// §16). Name is zero where there is none.
type Error struct {
	Status int
	Name   xml.Name
	Inner  string // content of the element: XML with the fixed prefixes
}

func (e *Error) Error() string {
	if e.Name.Local == "" {
		return strconv.Itoa(e.Status) + " " + reason(e.Status)
	}
	return strconv.Itoa(e.Status) + " " + e.Name.Local
}

// Precondition is an Error with status 403.
func Precondition(name xml.Name) *Error { return &Error{Status: http.StatusForbidden, Name: name} }

// With gives a copy with the content.
func (e *Error) With(inner string) *Error { return &Error{e.Status, e.Name, inner} }

// AppendElement appends <D:error> with the precondition and nothing else, and
// nothing at all if there is none.
func (e *Error) AppendElement(b []byte) []byte {
	if e.Name.Local == "" {
		return b
	}
	b = append(b, "<D:error>"...)
	b = e.appendName(b)
	return append(b, "</D:error>"...)
}

func (e *Error) appendName(b []byte) []byte {
	t := MakeTags(e.Name)
	if e.Inner == "" {
		return append(b, t.Empty...)
	}
	return append(append(append(b, t.Open...), e.Inner...), t.Close...)
}

// Body gives the whole document of the answer, nil if there is no
// precondition.
func (e *Error) Body() []byte {
	if e.Name.Local == "" {
		return nil
	}
	b := append(make([]byte, 0, 256), Declaration+"<D:error"+Namespaces+">"...)
	b = e.appendName(b)
	return append(b, "</D:error>\n"...)
}
