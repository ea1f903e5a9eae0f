package ical

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// prodID names the program in the objects that it makes (RFC 5545 §3.7.3).
const prodID = "-//Daybook//Daybook//EN"

// SplitItem is one resource of a Split.
type SplitItem struct {
	Object *Object // nil if Err is set
	UID    string
	// Generated tells that the text had no UID, and that UID was made from
	// the component's content, so that the same component gets the same one.
	Generated bool
	Line      int   // physical line of its first component in the stream
	Err       error // *InvalidError with the stream's line
}

// Split reads a whole calendar (many UIDs) and gives one resource for each
// UID, with the VTIMEZONEs that it names, in order of first appearance; used
// by import and pull. Several VCALENDARs in a row are read like one. Each
// item is parsed and checked by itself: Err is that item's error. METHOD and
// properties of the calendar other than VERSION, PRODID and CALSCALE are
// dropped. lim (usually StreamLimits) bounds the stream, DefaultLimits each
// item. The error is that of the stream, an *InvalidError.
func Split(data []byte, lim Limits) ([]SplitItem, error) {
	var items []SplitItem
	err := EachSplit(data, lim, func(item SplitItem) bool {
		items = append(items, item)
		return true
	})
	return items, err
}

// EachSplit is Split that holds one item at a time. The whole stream is
// looked over before the first yield; yield ends it by false.
func EachSplit(data []byte, lim Limits, yield func(SplitItem) bool) error {
	lim = lim.orDefault()
	if len(data) > lim.Bytes {
		return invalid(MaxResourceSize, 0, "RFC 4791 §5.2.5", "the text has more than %d octets", lim.Bytes)
	}
	s := splitter{data: data, byUID: make(map[string]int), generated: make(map[string]int)}
	if err := s.scan(lim); err != nil {
		return err
	}
	for i := range s.groups {
		if !yield(s.item(&s.groups[i])) {
			return nil
		}
	}
	return nil
}

type splitter struct {
	data      []byte
	calendars []splitCalendar
	groups    []splitGroup
	byUID     map[string]int // index in groups
	generated map[string]int // how often a generated UID was given
}

// splitCalendar is what one VCALENDAR of the stream gives all its items.
type splitCalendar struct {
	header  []byte            // VERSION, PRODID, CALSCALE
	version bool              // the header has a VERSION
	prodID  bool              // likewise
	zones   map[string]octets // by TZID; the first definition counts
}

type octets struct{ start, end, no int }

// splitGroup is the components of one UID.
type splitGroup struct {
	uid       string
	generated bool
	parts     []splitPart
}

type splitPart struct {
	octets
	calendar int
	tzids    []string
}

func (s *splitter) scan(lim Limits) error {
	in := newScanner(s.data, lim)
	for {
		p, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		for len(s.calendars) < p.calendar {
			s.calendars = append(s.calendars, splitCalendar{zones: make(map[string]octets)})
		}
		s.take(p)
	}
	if in.calendars == 0 {
		return invalid(ValidCalendarData, 0, "RFC 5545 §3.4", "there is no VCALENDAR")
	}
	return nil
}

func (s *splitter) take(p part) {
	cal := &s.calendars[p.calendar-1]
	at := octets{p.start, p.end, p.no}
	switch p.name {
	case "":
		name, _, _ := strings.Cut(string(p.text[:min(len(p.text), 16)]), ":")
		name, _, _ = strings.Cut(name, ";")
		switch strings.ToUpper(name) {
		case "PRODID":
			cal.prodID = true
			cal.header = append(cal.header, s.raw(at)...)
		case "VERSION":
			cal.version = true
			cal.header = append(cal.header, s.raw(at)...)
		case "CALSCALE":
			cal.header = append(cal.header, s.raw(at)...)
		}
	case "VTIMEZONE":
		if _, ok := cal.zones[p.tzid]; !ok {
			cal.zones[p.tzid] = at
		}
	default:
		uid, generated := p.uid, false
		if uid == "" {
			uid, generated = s.generate(at), true
		}
		i, ok := s.byUID[uid]
		if !ok {
			i = len(s.groups)
			s.byUID[uid] = i
			s.groups = append(s.groups, splitGroup{uid: uid, generated: generated})
		}
		s.groups[i].parts = append(s.groups[i].parts, splitPart{at, p.calendar - 1, p.tzids})
	}
}

// raw gives octets that end in a line break.
func (s *splitter) raw(at octets) []byte {
	b := s.data[at.start:at.end]
	if len(b) > 0 && b[len(b)-1] == '\n' {
		return b
	}
	return append(slices.Clip(b), '\r', '\n')
}

// volatileLines differ between two exports of one component.
var volatileLines = []string{"DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "UID"}

// generate makes a UID from what a component says. Stamps are left out, for
// programs that write no UID tend to write the time of the export in them.
func (s *splitter) generate(at octets) string {
	h := sha256.New()
	in := newScanner(s.data[at.start:at.end], StreamLimits)
	for {
		ok, err := in.line()
		if err != nil || !ok {
			break
		}
		if !slices.ContainsFunc(volatileLines, in.named) {
			h.Write(in.text)
			h.Write([]byte{'\n'})
		}
	}
	uid := hex.EncodeToString(h.Sum(nil)[:16])
	s.generated[uid]++
	if n := s.generated[uid]; n > 1 {
		uid = fmt.Sprintf("%s-%d", uid, n)
	}
	return uid
}

// item puts the resource of one UID together and reads it.
func (s *splitter) item(g *splitGroup) SplitItem {
	b := builder{s: s}
	first := &s.calendars[g.parts[0].calendar]
	b.own("BEGIN:VCALENDAR\r\n")
	if !first.version {
		b.own("VERSION:2.0\r\n")
	}
	b.own(string(first.header))
	if !first.prodID {
		b.own("PRODID:" + prodID + "\r\n")
	}
	seen := make(map[string]bool)
	for i := range g.parts {
		p := &g.parts[i]
		for _, tzid := range p.tzids {
			at, ok := s.calendars[p.calendar].zones[tzid]
			if ok && !seen[tzid] {
				seen[tzid] = true
				b.copy(at)
			}
		}
	}
	for i := range g.parts {
		if g.generated {
			b.copyWithUID(g.parts[i].octets, g.uid)
		} else {
			b.copy(g.parts[i].octets)
		}
	}
	b.own("END:VCALENDAR\r\n")

	item := SplitItem{UID: g.uid, Generated: g.generated, Line: g.parts[0].no}
	item.Object, item.Err = ParseResource(b.text, DefaultLimits)
	if inv, ok := errors.AsType[*InvalidError](item.Err); ok {
		item.Object = nil
		inv.Line = b.streamLine(inv.Line, item.Line)
	}
	return item
}

// builder puts an item together, and remembers where its lines come from.
type builder struct {
	s       *splitter
	text    []byte
	lines   int
	origins []origin
}

// origin says that the lines of the item from line on are those of the stream
// from no on.
type origin struct{ line, no int }

func (b *builder) own(text string) {
	b.origins = append(b.origins, origin{b.lines + 1, 0})
	b.text = append(b.text, text...)
	b.lines += strings.Count(text, "\n")
}

func (b *builder) copy(at octets) {
	b.origins = append(b.origins, origin{b.lines + 1, at.no})
	raw := b.s.raw(at)
	b.text = append(b.text, raw...)
	b.lines += bytes.Count(raw, lineFeed)
}

// copyWithUID copies a component that has no UID and gives it one.
func (b *builder) copyWithUID(at octets, uid string) {
	in := newScanner(b.s.data[at.start:at.end], StreamLimits)
	in.physical = at.no - 1
	depth := 0
	for {
		ok, err := in.line()
		if err != nil || !ok {
			return
		}
		empty := depth == 1 && in.named("UID")
		if !empty {
			b.copy(octets{at.start + in.start, at.start + in.end, in.no})
		}
		switch {
		case in.isBegin():
			if depth++; depth == 1 {
				b.own("UID:" + uid + "\r\n")
			}
		case in.isEnd():
			depth--
		}
	}
}

// streamLine gives the line of the stream for one of the item; what is not
// from the stream is put on the item's first line.
func (b *builder) streamLine(line, first int) int {
	no := first
	for _, o := range b.origins {
		if o.line > line {
			break
		}
		if no = first; o.no > 0 {
			no = o.no + line - o.line
		}
	}
	return no
}
