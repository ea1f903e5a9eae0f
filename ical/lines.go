package ical

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// foldAt is the longest physical line that is written, in octets without the
// line break (RFC 5545 §3.1).
const foldAt = 75

// textReader takes physical lines out of a text.
type textReader struct {
	data     []byte
	pos      int // of the next octet
	physical int // physical lines read
}

// lineReader takes content lines out of a text: it unfolds them and, from the
// first fault on, keeps a mended copy of the text.
type lineReader struct {
	textReader
	lineLimit int

	text   strings.Builder // the unfolded lines, one after the other
	mended bool
	out    []byte // the text as mended; only if mended

	// The current line.
	line       string // unfolded; a part of text
	lineNo     int    // its first physical line, from 1
	start, end int    // its octets in the mended text
}

// fault tells that the text cannot be kept as it is from the offset on.
func (r *lineReader) fault(at int) {
	if r.mended {
		return
	}
	r.mended = true
	r.out = make([]byte, 0, len(r.data)+len(r.data)/32+64)
	r.out = append(r.out, r.data[:at]...)
}

// physicalLine takes one line without its break. clean tells that the break
// is CRLF.
func (r *textReader) physicalLine() (line []byte, clean bool) {
	rest := r.data[r.pos:]
	r.physical++
	i := bytes.IndexByte(rest, '\n')
	if i < 0 {
		r.pos = len(r.data)
		return bytes.TrimRight(rest, "\r"), false
	}
	r.pos += i + 1
	if i == 0 || rest[i-1] != '\r' {
		return rest[:i], false
	}
	if line = rest[:i-1]; len(line) > 0 && line[len(line)-1] == '\r' {
		return bytes.TrimRight(line, "\r"), false
	}
	return line, true
}

// next reads one content line; it gives false at the end of the text.
func (r *lineReader) next() (bool, error) {
	var (
		from  int // where the line begins in data
		first []byte
		clean bool
	)
	for len(first) == 0 {
		if from = r.pos; from == len(r.data) {
			return false, nil
		}
		if first, clean = r.physicalLine(); len(first) == 0 {
			r.fault(from) // a blank line
		}
	}
	r.lineNo = r.physical
	if isFold(first[0]) {
		return false, invalid(ValidCalendarData, r.lineNo, "RFC 5545 §3.1", "a folded line continues nothing")
	}
	textStart := r.text.Len()
	r.text.Write(first)
	split := false // a fold splits a character
	for r.pos < len(r.data) && r.text.Len()-textStart <= r.lineLimit {
		more, good, ok := r.continuation()
		if !ok {
			break
		}
		clean = clean && good
		split = split || len(more) > 0 && !utf8.RuneStart(more[0])
		r.text.Write(more)
	}
	r.line = r.text.String()[textStart:]
	if len(r.line) > r.lineLimit {
		return false, invalid(ValidCalendarData, r.lineNo, "RFC 5545 §3.1", "the line has more than %d octets", r.lineLimit)
	}
	r.keep(from, r.pos, clean, split)
	return true, nil
}

func isFold(c byte) bool { return c == ' ' || c == '\t' }

// continuation reads one more physical line of a folded content line, without
// the white space that marks it (RFC 5545 §3.1). Blank lines before it are
// dropped as elsewhere. clean tells that nothing needs mending.
func (r *textReader) continuation() (more []byte, clean, ok bool) {
	pos, physical := r.pos, r.physical
	blank := false
	for r.pos < len(r.data) && !isFold(r.data[r.pos]) {
		line := []byte(nil)
		if c := r.data[r.pos]; c == '\n' || c == '\r' {
			line, _ = r.physicalLine()
			blank = true
			if len(line) == 0 {
				continue
			}
		}
		r.pos, r.physical = pos, physical // the next content line
		return nil, false, false
	}
	if r.pos == len(r.data) {
		r.pos, r.physical = pos, physical
		return nil, false, false
	}
	line, clean := r.physicalLine()
	return line[1:], clean && !blank, true
}

// keep finds the octets of the line in the mended text, mending them first.
func (r *lineReader) keep(from, to int, clean, split bool) {
	if clean && !split {
		r.start, r.end = from, to
		if r.mended {
			r.start = len(r.out)
			r.out = append(r.out, r.data[from:to]...)
			r.end = len(r.out)
		}
		return
	}
	r.fault(from)
	r.start = len(r.out)
	if split {
		r.out = appendFolded(r.out, r.line)
	} else {
		for raw := range bytes.Lines(r.data[from:to]) {
			if raw = bytes.TrimRight(raw, "\r\n"); len(raw) > 0 {
				r.out = append(append(r.out, raw...), '\r', '\n')
			}
		}
	}
	r.end = len(r.out)
}

// appendFolded appends a content line, folded at 75 octets between characters
// (RFC 5545 §3.1), with its line break.
func appendFolded(b []byte, line string) []byte {
	room := foldAt
	for len(line) > room {
		cut := room
		for cut > 0 && room-cut < utf8.UTFMax && !utf8.RuneStart(line[cut]) {
			cut--
		}
		b = append(b, line[:cut]...)
		b = append(b, '\r', '\n', ' ')
		line = line[cut:]
		room = foldAt - 1
	}
	b = append(b, line...)
	return append(b, '\r', '\n')
}

// unfoldLine gives one content line, as it is in a mended text, without folds
// and line break.
func unfoldLine(b []byte) string {
	var s strings.Builder
	s.Grow(len(b))
	for raw := range bytes.Lines(b) {
		if s.Len() > 0 {
			raw = raw[1:]
		}
		s.Write(bytes.TrimRight(raw, "\r\n"))
	}
	return s.String()
}
