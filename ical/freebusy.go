package ical

import (
	"bytes"
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"time"

	"daybook/ical/span"
)

// Busy is one period of a free-busy answer.
type Busy struct {
	span.Span
	Type BusyType
}

// BusyType is the FBTYPE (RFC 5545 §3.2.9), in rising order of weight.
type BusyType uint8

// The types of busy time; BusyFree is no busy time at all.
const (
	BusyFree BusyType = iota
	BusyTentative
	BusyBusy
	BusyUnavailable
)

// String gives the FBTYPE.
func (t BusyType) String() string {
	switch t {
	case BusyTentative:
		return "BUSY-TENTATIVE"
	case BusyBusy:
		return "BUSY"
	case BusyUnavailable:
		return "BUSY-UNAVAILABLE"
	case BusyFree:
	}
	return "FREE"
}

// ParseBusyType reads an FBTYPE or BUSYTYPE. What is unknown is BUSY (RFC 5545
// §3.2.9).
func ParseBusyType(s string) BusyType {
	switch strings.ToUpper(strings.TrimSpace(s)) {
	case "FREE":
		return BusyFree
	case "BUSY-TENTATIVE":
		return BusyTentative
	case "BUSY-UNAVAILABLE":
		return BusyUnavailable
	}
	return BusyBusy
}

// BusyType gives what kind of time the component takes (RFC 4791 §7.10): of
// events, TRANSPARENT and CANCELLED ones take none and TENTATIVE ones
// tentative time. Other components take none; those of a VFREEBUSY are in its
// periods.
func (c *Component) BusyType() BusyType {
	if c.Name != "VEVENT" {
		return BusyFree
	}
	if l := c.Line("TRANSP"); l != nil && strings.EqualFold(strings.TrimSpace(l.Value), "TRANSPARENT") {
		return BusyFree
	}
	if l := c.Line("STATUS"); l != nil {
		switch strings.ToUpper(strings.TrimSpace(l.Value)) {
		case "CANCELLED":
			return BusyFree
		case "TENTATIVE":
			return BusyTentative
		}
	}
	return BusyBusy
}

// MergeBusy sorts and merges periods (RFC 4791 §7.10): those of one type are
// merged when they overlap or touch, and where two types overlap the heavier
// one counts. Free and empty periods are dropped. The argument is not changed.
func MergeBusy(in []Busy) []Busy {
	list := make([]Busy, 0, len(in))
	for _, b := range in {
		if b.Type != BusyFree && !b.Empty() {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b Busy) int {
		return cmp.Or(a.Start.Compare(b.Start), -cmp.Compare(a.Type, b.Type), a.End.Compare(b.End))
	})
	m := busyMerger{out: make([]Busy, 0, len(list))}
	for i := 0; i < len(list); {
		at := list[i].Start
		m.until(at)
		for ; i < len(list) && list[i].Start.Equal(at); i++ {
			heap.Push(&m, list[i])
		}
	}
	m.until(time.Time{})
	return m.out
}

// busyMerger sweeps over periods in order of their starts. Its heap has those
// that have begun, the heaviest first.
type busyMerger struct {
	open []Busy
	now  time.Time
	out  []Busy
}

// until gives out the time up to an instant; the zero time is the end of all.
func (m *busyMerger) until(to time.Time) {
	for len(m.open) > 0 {
		top := m.open[0]
		if !top.End.After(m.now) {
			heap.Pop(m)
			continue
		}
		from := m.now
		if top.Start.After(from) {
			from = top.Start
		}
		end := top.End
		if !to.IsZero() && to.Before(end) {
			end = to
		}
		m.give(Busy{Span: span.Span{Start: from, End: end}, Type: top.Type})
		m.now = end
		if end.Equal(to) {
			return
		}
	}
	m.now = to
}

func (m *busyMerger) give(b Busy) {
	if b.Empty() {
		return
	}
	if n := len(m.out); n > 0 && m.out[n-1].Type == b.Type && m.out[n-1].End.Equal(b.Start) {
		m.out[n-1].End = b.End
		return
	}
	m.out = append(m.out, b)
}

// Len, Less, Swap, Push and Pop make it a heap.
func (m *busyMerger) Len() int { return len(m.open) }

// Less puts the heavier type first, and of one type the longer lasting.
func (m *busyMerger) Less(i, j int) bool {
	if a, b := m.open[i].Type, m.open[j].Type; a != b {
		return a > b
	}
	return m.open[i].End.After(m.open[j].End)
}

// Swap swaps two periods.
func (m *busyMerger) Swap(i, j int) { m.open[i], m.open[j] = m.open[j], m.open[i] }

// Push adds a period.
func (m *busyMerger) Push(x any) { m.open = append(m.open, x.(Busy)) }

// Pop takes the last period.
func (m *busyMerger) Pop() any {
	n := len(m.open) - 1
	b := m.open[n]
	m.open = m.open[:n]
	return b
}

// FreeBusy writes a VCALENDAR with one VFREEBUSY for the window (RFC 4791
// §7.10, no METHOD), with CRLF. busy is as MergeBusy gives it; parts outside
// the window are cut off.
func FreeBusy(window span.Span, busy []Busy, now time.Time) []byte {
	var b bytes.Buffer
	b.Grow(256 + 40*len(busy))
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:" + prodID + "\r\nBEGIN:VFREEBUSY\r\n")
	b.WriteString("DTSTAMP:" + utcText(now) + "\r\n")
	b.WriteString("DTSTART:" + utcText(window.Start) + "\r\n")
	b.WriteString("DTEND:" + utcText(window.End) + "\r\n")
	var text []byte
	for _, p := range busy {
		s := p.Clip(window)
		if s.Empty() || p.Type == BusyFree {
			continue
		}
		text = append(text[:0], "FREEBUSY"...)
		if p.Type != BusyBusy {
			text = append(append(text, ";FBTYPE="...), p.Type.String()...)
		}
		text = append(text, ':')
		text = s.Start.UTC().AppendFormat(text, utcLayout)
		text = append(text, '/')
		text = s.End.UTC().AppendFormat(text, utcLayout)
		b.Write(append(text, "\r\n"...))
	}
	b.WriteString("END:VFREEBUSY\r\nEND:VCALENDAR\r\n")
	return b.Bytes()
}

// utcLayout writes a UTC DATE-TIME (RFC 5545 §3.3.5).
const utcLayout = "20060102T150405Z"

func utcText(t time.Time) string { return t.UTC().Format(utcLayout) }
