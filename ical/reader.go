package ical

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Parse reads one iCalendar stream with one VCALENDAR (RFC 5545 §3.4). It
// checks syntax only; see CheckResource. The object keeps data, which the
// caller must not change afterwards. Errors are *InvalidError.
//
// Read with tolerance: a BOM, bare LF, blank lines, a missing last line
// break, lines of any length, names in lower case, folds anywhere (in names,
// in the middle of a character). What Data gives is then mended. Refused: a
// bare CR, control characters, invalid UTF-8, an open quote, a component that
// is not closed, anything beside the one VCALENDAR, and what is beyond lim.
func Parse(data []byte, lim Limits) (*Object, error) {
	lim = lim.orDefault()
	if len(data) > lim.Bytes {
		return nil, invalid(MaxResourceSize, 0, "RFC 4791 §5.2.5", "the text has more than %d octets", lim.Bytes)
	}
	r := newReader(data, lim)
	for {
		ok, err := r.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if err := r.take(); err != nil {
			return nil, err
		}
	}
	return r.finish()
}

// ParseResource is Parse followed by CheckResource.
func ParseResource(data []byte, lim Limits) (*Object, error) {
	o, err := Parse(data, lim)
	if err != nil {
		return nil, err
	}
	if err := o.CheckResource(); err != nil {
		return nil, err
	}
	return o, nil
}

func (lim Limits) orDefault() Limits {
	fill := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	fill(&lim.Bytes, DefaultLimits.Bytes)
	fill(&lim.Line, DefaultLimits.Line)
	fill(&lim.Lines, DefaultLimits.Lines)
	fill(&lim.Components, DefaultLimits.Components)
	fill(&lim.Depth, DefaultLimits.Depth)
	return lim
}

func invalid(rule Rule, line int, ref, format string, args ...any) *InvalidError {
	return &InvalidError{Rule: rule, Line: line, Reason: fmt.Sprintf(format, args...), Ref: ref}
}

// reader reads content lines and builds the tree in one pass. It never calls
// itself, so depth costs no stack.
type reader struct {
	lineReader
	lim   Limits
	stack []open
	lines []Line       // all lines of the tree share this array where they can
	comps []Component  // likewise; a new one is begun when it is full
	kids  []*Component // closed components that wait for their parent to close
	links []*Component // the arrays of all Children, one after the other
	root  *Component
	ncomp int

	stackBuf [4]open // for what stack and kids hold of common objects
	kidsBuf  [8]*Component
}

// open is a component whose END was not read yet.
type open struct {
	c    *Component
	run  int // index in reader.lines of its lines since the last child
	kids int // index in reader.kids of its children
}

func newReader(data []byte, lim Limits) *reader {
	r := &reader{lim: lim}
	r.lineReader = lineReader{textReader: textReader{data: data}, lineLimit: lim.Line}
	if bytes.HasPrefix(data, utf8BOM) {
		r.pos = len(utf8BOM)
		r.fault(0)
	}
	r.text.Grow(len(data))
	// Lines shorter than 16 octets on average make the array grow later.
	r.lines = make([]Line, 0, min(bytes.Count(data, lineFeed)+1, len(data)/16+8))
	r.stack, r.kids = r.stackBuf[:0], r.kidsBuf[:0]
	return r
}

var (
	utf8BOM  = []byte("\xef\xbb\xbf")
	lineFeed = []byte("\n")
)

// take puts the current line into the tree.
func (r *reader) take() error {
	r.lines = append(r.lines, Line{no: r.lineNo, start: r.start, end: r.end})
	l := &r.lines[len(r.lines)-1]
	if err := l.parse(r.line); err != nil {
		return err
	}
	switch {
	case l.Name == "BEGIN" || l.Name == "END":
		delimiter := *l
		r.lines = r.lines[:len(r.lines)-1]
		if delimiter.Name == "BEGIN" {
			return r.begin(&delimiter)
		}
		return r.finishComponent(&delimiter)
	case len(r.stack) == 0:
		return r.outside(l)
	case len(r.lines) > r.lim.Lines:
		return invalid(ValidCalendarData, l.no, "RFC 4791 §5.3.2.1", "there are more than %d lines", r.lim.Lines)
	}
	return nil
}

func (r *reader) outside(l *Line) error {
	if r.root != nil {
		return invalid(ValidCalendarData, l.no, "RFC 5545 §3.4", "there is text after END:VCALENDAR")
	}
	return invalid(ValidCalendarData, l.no, "RFC 5545 §3.4", "the text does not begin with BEGIN:VCALENDAR")
}

func (r *reader) begin(l *Line) error {
	name := strings.ToUpper(strings.TrimSpace(l.Value))
	switch {
	case !isToken(name):
		return invalid(ValidCalendarData, l.no, "RFC 5545 §3.6", "BEGIN has no component name")
	case len(r.stack) == 0 && name != "VCALENDAR":
		return r.outside(l)
	case len(r.stack) == 0 && r.root != nil:
		return invalid(ValidCalendarObjectResource, l.no, "RFC 4791 §4.1", "there is more than one VCALENDAR")
	case len(r.stack) >= r.lim.Depth:
		return invalid(ValidCalendarData, l.no, "RFC 5545 §3.6", "components are nested deeper than %d", r.lim.Depth)
	case r.ncomp >= r.lim.Components:
		return invalid(ValidCalendarData, l.no, "RFC 5545 §3.6", "there are more than %d components", r.lim.Components)
	}
	if len(r.stack) > 0 {
		r.flush()
	}
	r.ncomp++
	if len(r.comps) == cap(r.comps) {
		// Components are pointed to: a full array stays where it is.
		r.comps = make([]Component, 0, min(8+cap(r.comps), 1024))
	}
	r.comps = append(r.comps, Component{Name: name, start: l.start, no: l.no})
	c := &r.comps[len(r.comps)-1]
	r.stack = append(r.stack, open{c: c, run: len(r.lines), kids: len(r.kids)})
	return nil
}

func (r *reader) finishComponent(l *Line) error {
	if len(r.stack) == 0 {
		return r.outside(l)
	}
	top := r.stack[len(r.stack)-1]
	if !strings.EqualFold(strings.TrimSpace(l.Value), top.c.Name) {
		return invalid(ValidCalendarData, l.no, "RFC 5545 §3.6", "END does not match BEGIN:%s of line %d", top.c.Name, top.c.no)
	}
	r.flush()
	top.c.endLine, top.c.end = l.start, l.end
	if kids := r.kids[top.kids:]; len(kids) > 0 {
		top.c.Children = r.link(kids)
	}
	r.kids = r.kids[:top.kids]
	r.stack = r.stack[:len(r.stack)-1]
	if len(r.stack) == 0 {
		r.root = top.c
		return nil
	}
	r.kids = append(r.kids, top.c)
	r.stack[len(r.stack)-1].run = len(r.lines)
	return nil
}

// link gives a copy of the list that stays.
func (r *reader) link(kids []*Component) []*Component {
	if len(kids) > cap(r.links)-len(r.links) {
		r.links = make([]*Component, 0, max(len(kids), min(8+cap(r.links), 1024)))
	}
	from := len(r.links)
	r.links = append(r.links, kids...)
	return r.links[from:len(r.links):len(r.links)]
}

// flush gives the innermost component the lines read since its last child.
// Usually these are all of its lines, and they stay where they are.
func (r *reader) flush() {
	top := &r.stack[len(r.stack)-1]
	run := r.lines[top.run:len(r.lines):len(r.lines)]
	switch {
	case len(run) == 0:
	case top.c.Lines == nil:
		top.c.Lines = run
	default:
		top.c.Lines = append(top.c.Lines, run...)
	}
	top.run = len(r.lines)
}

func (r *reader) finish() (*Object, error) {
	if n := len(r.stack); n > 0 {
		c := r.stack[n-1].c
		return nil, invalid(ValidCalendarData, c.no, "RFC 5545 §3.6", "%s is not closed", c.Name)
	}
	if r.root == nil {
		return nil, invalid(ValidCalendarData, 0, "RFC 5545 §3.4", "there is no VCALENDAR")
	}
	o := &Object{data: r.data, exact: !r.mended, root: r.root}
	if r.mended {
		o.data = r.out
	}
	o.index()
	return o, nil
}

// parseLine reads an unfolded content line.
func parseLine(s string, no int) (Line, error) {
	l := Line{no: no}
	err := l.parse(s)
	return l, err
}

// parse splits an unfolded content line (RFC 5545 §3.1) and checks it.
func (l *Line) parse(s string) error {
	i := 0
	var classes byte
	for i < len(s) && charClass[s[i]]&className != 0 {
		classes |= charClass[s[i]]
		i++
	}
	switch {
	case i == len(s):
		return invalid(ValidCalendarData, l.no, "RFC 5545 §3.1", "the line has no colon")
	case s[i] != ':' && s[i] != ';':
		return invalid(ValidCalendarData, l.no, "RFC 5545 §3.1", "the name of the line has an illegal character")
	case i == 0:
		return invalid(ValidCalendarData, l.no, "RFC 5545 §3.1", "the line has no name")
	}
	l.Name = s[:i]
	if classes&classLower != 0 {
		l.Name = strings.ToUpper(l.Name)
	}
	if s[i] == ';' {
		n, err := scanParams(s[i+1:], l.no)
		if err != nil {
			return err
		}
		l.params = s[i+1 : i+1+n]
		i += 1 + n
	}
	l.Value = s[i+1:]
	return checkChars(l.Value, l.no)
}

// scanParams gives the length of the parameters up to the colon. It works
// once through the text, however many parameters there are.
func scanParams(s string, no int) (int, error) {
	quoted, inName, nameLen := false, true, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' && !inName:
			quoted = !quoted
		case quoted:
		case inName && charClass[c]&className != 0:
			nameLen++
		case inName && (nameLen == 0 || c != '=' && c != ';' && c != ':'):
			return 0, invalid(ValidCalendarData, no, "RFC 5545 §3.1", "the name of a parameter has an illegal character")
		case c == '=':
			inName = false
		case c == ';':
			inName, nameLen = true, 0
		case c == ':':
			return i, checkChars(s[:i], no)
		}
	}
	if quoted {
		return 0, invalid(ValidCalendarData, no, "RFC 5545 §3.1", "a quote is not closed")
	}
	return 0, invalid(ValidCalendarData, no, "RFC 5545 §3.1", "the line has no colon")
}

const (
	className    = 1 << iota // may be in a name: RFC 5545 iana-token, and _ . / of the wild
	classLower               // is a lower-case letter
	classControl             // must not be anywhere
	classWide                // is part of a character beyond ASCII
)

var charClass = func() (t [256]uint8) {
	for c := range 256 {
		switch {
		case c >= 'a' && c <= 'z':
			t[c] = className | classLower
		case c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == '/':
			t[c] = className
		case c < ' ' && c != '\t', c == 0x7f:
			t[c] = classControl
		case c >= utf8.RuneSelf:
			t[c] = classWide
		}
	}
	return t
}()

func isToken(s string) bool {
	for i := range len(s) {
		if charClass[s[i]]&className == 0 {
			return false
		}
	}
	return s != ""
}

// checkChars refuses what iCalendar or the XML of a report cannot carry:
// control characters (RFC 5545 §3.1), invalid UTF-8, U+FFFE and U+FFFF.
func checkChars(s string, no int) error {
	var classes byte
	for i := range len(s) {
		classes |= charClass[s[i]]
	}
	if classes&classControl != 0 {
		return invalid(ValidCalendarData, no, "RFC 5545 §3.1", "the line has a control character")
	}
	if classes&classWide == 0 {
		return nil
	}
	if !utf8.ValidString(s) {
		return invalid(ValidCalendarData, no, "RFC 5545 §3.1.4", "the line is not UTF-8")
	}
	if strings.Contains(s, "\ufffe") || strings.Contains(s, "\uffff") {
		return invalid(ValidCalendarData, no, "XML 1.0 §2.2", "the line has a character that XML cannot carry")
	}
	return nil
}
