package ical

import (
	"bytes"
	"io"
	"strings"
)

// scanner walks over iCalendar streams without building them: it gives the
// lines of each VCALENDAR and its components as ranges of octets. Feeds and
// imports use it, because they pass most octets on as they are. It agrees
// with Parse on where lines and components begin and end.
type scanner struct {
	textReader
	lim     Limits
	scratch []byte

	calendars int      // VCALENDARs begun
	stack     []string // names of open components
	clean     bool     // every line so far has a colon and ends in CRLF, none is blank
	lines     int
	comps     int

	// The current content line.
	text       []byte // unfolded; valid until the next one
	start, end int
	no         int
}

// part is what a scanner gives: a line of a VCALENDAR or a component in it.
type part struct {
	calendar   int    // which VCALENDAR, from 1
	name       string // of the component, upper case; "" for a line
	text       []byte // the unfolded line; valid until the next part
	start, end int    // its octets
	no         int    // its physical line, from 1
	uid        string // of a component, unescaped
	tzid       string // that a VTIMEZONE defines
	tzids      []string
	year       int  // the earliest DTSTART; 0 if there is none
	private    bool // it has a CLASS other than PUBLIC
}

func newScanner(data []byte, lim Limits) *scanner {
	s := &scanner{textReader: textReader{data: data}, lim: lim.orDefault(), clean: true}
	if bytes.HasPrefix(data, utf8BOM) {
		s.pos, s.clean = len(utf8BOM), false
	}
	return s
}

// next gives the next part, io.EOF after the last, or an *InvalidError.
func (s *scanner) next() (part, error) {
	for {
		ok, err := s.line()
		switch {
		case err != nil:
			return part{}, err
		case !ok && len(s.stack) > 0:
			return part{}, s.broken("RFC 5545 §3.6", "a component is not closed")
		case !ok:
			return part{}, io.EOF
		}
		switch depth := len(s.stack); {
		case depth == 0:
			if !s.isBegin() || s.value() != "VCALENDAR" {
				return part{}, s.broken("RFC 5545 §3.4", "there is text outside of VCALENDAR")
			}
			s.calendars++
			s.stack = append(s.stack, "VCALENDAR")
		case s.isBegin():
			return s.component()
		case s.isEnd():
			if s.value() != s.stack[0] {
				return part{}, s.broken("RFC 5545 §3.6", "END does not match BEGIN")
			}
			s.stack = s.stack[:0]
		default:
			return part{calendar: s.calendars, text: s.text, start: s.start, end: s.end, no: s.no}, nil
		}
	}
}

// component reads to the END of the component whose BEGIN is current.
func (s *scanner) component() (part, error) {
	p := part{calendar: s.calendars, name: s.value(), start: s.start, no: s.no}
	s.stack = append(s.stack, p.name)
	s.comps++
	for {
		ok, err := s.line()
		if err != nil {
			return part{}, err
		}
		switch {
		case !ok:
			return part{}, s.broken("RFC 5545 §3.6", "a component is not closed")
		case s.isBegin():
			if s.comps++; s.comps > s.lim.Components {
				return part{}, s.broken("RFC 5545 §3.6", "there are too many components")
			}
			if len(s.stack) >= s.lim.Depth {
				return part{}, s.broken("RFC 5545 §3.6", "components are nested too deep")
			}
			s.stack = append(s.stack, s.value())
		case s.isEnd():
			top := len(s.stack) - 1
			if s.value() != s.stack[top] {
				return part{}, s.broken("RFC 5545 §3.6", "END does not match BEGIN")
			}
			if s.stack = s.stack[:top]; top == 1 {
				p.end = s.end
				return p, nil
			}
		default:
			s.note(&p)
		}
	}
}

// note keeps what Split and Merge want to know of a line in a component.
func (s *scanner) note(p *part) {
	end := bytes.IndexByte(s.text, ':')
	if end < 1 {
		s.clean = false // Parse will say what is wrong
		return
	}
	own := len(s.stack) == 2 // a line of the component itself
	switch s.text[0] | 0x20 {
	case 'c':
		if own && s.named("CLASS") {
			l := s.property()
			p.private = p.private || !isPublic(l.Value)
		}
	case 'u':
		if own && p.uid == "" && s.named("UID") {
			p.uid = strings.TrimSpace(s.property().Text())
		}
	case 't':
		if own && p.tzid == "" && p.name == "VTIMEZONE" && s.named("TZID") {
			p.tzid = s.property().Text()
		}
	case 'd':
		if s.named("DTSTART") {
			year, ok := number(string(s.text[end+1 : min(end+5, len(s.text))]))
			if ok && (p.year == 0 || year < p.year) {
				p.year = year
			}
		}
	}
	semicolon := bytes.IndexByte(s.text[:end], ';')
	if semicolon < 0 || p.name == "VTIMEZONE" || !hasTZID(s.text[semicolon:]) {
		return
	}
	tzid := s.property().Param("TZID")
	if tzid != "" && (len(p.tzids) == 0 || p.tzids[len(p.tzids)-1] != tzid) {
		p.tzids = append(p.tzids, tzid)
	}
}

// hasTZID tells at a glance whether parameters can hold a TZID. They may end
// later than the first colon, so the value is looked at too.
func hasTZID(params []byte) bool {
	for {
		i := bytes.IndexByte(params, '=')
		if i < 0 {
			return false
		}
		if i >= 4 && params[i-1]|0x20 == 'd' && params[i-2]|0x20 == 'i' && params[i-3]|0x20 == 'z' && params[i-4]|0x20 == 't' {
			return true
		}
		params = params[i+1:]
	}
}

// property reads the current line as far as it can be read.
func (s *scanner) property() *Line {
	l, err := parseLine(string(s.text), s.no)
	if err != nil {
		return &Line{}
	}
	return &l
}

// named reports whether the current line has the name.
func (s *scanner) named(name string) bool {
	return len(s.text) > len(name) && (s.text[len(name)] == ':' || s.text[len(name)] == ';') &&
		strings.EqualFold(string(s.text[:len(name)]), name)
}

func (s *scanner) isBegin() bool { return s.text[0]|0x20 == 'b' && s.named("BEGIN") }

func (s *scanner) isEnd() bool { return s.text[0]|0x20 == 'e' && s.named("END") }

// value gives the component's name of a BEGIN or END line.
func (s *scanner) value() string {
	_, value, _ := bytes.Cut(s.text, colon)
	value = bytes.TrimSpace(value)
	for _, name := range commonComponents {
		if string(value) == name {
			return name // without a copy
		}
	}
	return strings.ToUpper(string(value))
}

var (
	colon            = []byte(":")
	commonComponents = []string{"VEVENT", "VALARM", "VTODO", "VTIMEZONE", "STANDARD", "DAYLIGHT", "VCALENDAR", "VJOURNAL"}
)

func (s *scanner) broken(ref, reason string) error {
	return &InvalidError{Rule: ValidCalendarData, Line: s.no, Reason: reason, Ref: ref}
}

// line reads one content line; false at the end of the text.
func (s *scanner) line() (bool, error) {
	for {
		if s.start = s.pos; s.start == len(s.data) {
			return false, nil
		}
		text, clean := s.physicalLine()
		s.clean = s.clean && clean && len(text) > 0
		if len(text) > 0 {
			s.text = text
			break
		}
	}
	s.no = s.physical
	if s.lines++; s.lines > s.lim.Lines+2*s.lim.Components { // with BEGIN and END
		return false, s.broken("RFC 4791 §5.3.2.1", "there are too many lines")
	}
	if isFold(s.text[0]) {
		return false, s.broken("RFC 5545 §3.1", "a folded line continues nothing")
	}
	folded := false
	for s.pos < len(s.data) && !s.plainNext() && len(s.text) <= s.lim.Line {
		more, clean, ok := s.continuation()
		if !ok {
			break
		}
		if !folded {
			s.scratch, folded = append(s.scratch[:0], s.text...), true
		}
		s.scratch = append(s.scratch, more...)
		s.text = s.scratch
		s.clean = s.clean && clean
	}
	if len(s.text) > s.lim.Line {
		return false, s.broken("RFC 5545 §3.1", "the line is too long")
	}
	s.end = s.pos
	return true, nil
}

// plainNext reports at a glance that the next octet begins a content line.
func (s *scanner) plainNext() bool { return s.data[s.pos] > ' ' }
