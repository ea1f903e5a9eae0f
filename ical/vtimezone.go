package ical

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"daybook/ical/span"
)

// VTimezone writes a VTIMEZONE for the zone, correct for the instants of s
// (zero times are open): BEGIN:VTIMEZONE … END:VTIMEZONE with CRLF. Changes
// that follow a rule for some years become one observance with RRULE (RFC 5545
// §3.6.5); only the past that s has is told.
func (z *Zone) VTimezone(s span.Span) string {
	var b strings.Builder
	w := NewWriter(&b)
	w.Begin("VTIMEZONE")
	w.Line("TZID", EscapeText(z.name))
	for _, o := range z.observances(s) {
		o.write(w)
	}
	w.End("VTIMEZONE")
	return b.String()
}

// zoneChange is one change of the offset.
type zoneChange struct {
	unix          int64
	before, after int64
	year          int64
	month, day    int
	weekday       int
	tod           int64 // seconds of the local day
	name          string
	daylight      bool
}

// like reports whether two changes can follow one rule.
func (c *zoneChange) like(d *zoneChange) bool {
	return c.before == d.before && c.after == d.after && c.month == d.month && c.weekday == d.weekday &&
		c.tod == d.tod && c.name == d.name && c.daylight == d.daylight
}

// observances groups the changes that concern s.
func (z *Zone) observances(s span.Span) []*observance {
	changes := z.changes(s)
	if len(changes) == 0 {
		return []*observance{z.constant(s)}
	}
	end := changes[len(changes)-1].unix
	if !s.End.IsZero() {
		end = s.End.Unix()
	}
	var all []*observance
	if s.Start.IsZero() || s.Start.Unix() < changes[0].unix {
		all = append(all, z.constant(s))
	}
	open := make([]*observance, 0, 2)
	for i := range changes {
		c := &changes[i]
		joined := false
		for _, o := range open {
			if joined = o.take(c, end); joined {
				break
			}
		}
		if joined || c.unix > end {
			continue
		}
		o := newObservance(c)
		open = append(open, o)
		all = append(all, o)
	}
	if s.End.IsZero() || s.End.Unix() >= tailCivil {
		// The list ends at the horizon; the rules do not.
		for _, o := range open {
			o.endless = o.endless || o.last.year >= tailEnd-1 && (o.nth || o.nthEnd)
		}
	}
	return all
}

// constant is an observance without a change: the offset at the start of s.
func (z *Zone) constant(s span.Span) *observance {
	at, year := int64(openFrom), int64(1601)
	if !s.Start.IsZero() {
		at, year = s.Start.Unix(), min(1970, int64(s.Start.UTC().Year())-1)
	}
	offset := z.offset(at)
	c := zoneChange{before: offset, after: offset, year: max(1, year), month: 1, day: 1}
	c.name, c.daylight = z.label(at, false)
	c.daylight = false
	return newObservance(&c)
}

// changes lists the changes from the one before the last one at the start of
// s, so that all rules have begun by then, to two years after its end.
func (z *Zone) changes(s span.Span) []zoneChange {
	from, to := 1, len(z.segs)
	if !s.Start.IsZero() {
		start := s.Start.Unix()
		from = max(1, z.index(min(start, tailCivil-2*daySeconds))-1)
	}
	if !s.End.IsZero() {
		end := s.End.Unix() + 2*366*daySeconds
		to = min(to, z.index(end)+1)
	}
	var all []zoneChange
	for i := from; i < to; i++ {
		seg, before := z.segs[i], z.segs[i-1].offset
		c := zoneChange{unix: seg.from, before: before, after: seg.offset}
		local := seg.from + before
		day := floorDiv(local, daySeconds)
		c.year, c.month, c.day = dateOf(day)
		c.weekday, c.tod = weekdayOf(day), local-day*daySeconds
		c.name, c.daylight = z.label(seg.from, seg.offset > before)
		all = append(all, c)
	}
	return all
}

// label gives the abbreviation of the zone's time at the instant, and whether
// it is daylight saving time.
func (z *Zone) label(unix int64, daylight bool) (string, bool) {
	if z.loc == nil {
		return "", daylight
	}
	t := time.Unix(unix, 0).In(z.loc)
	name, _ := t.Zone()
	return name, t.IsDST()
}

// observance is a change with those of later years that are like it.
type observance struct {
	first, last zoneChange
	years       int
	low, high   int  // days of the month
	nth, nthEnd bool // the weekday's number in the month is the same, from the start or the end
	endless     bool // the rule goes on after the span
	closed      bool
}

func newObservance(c *zoneChange) *observance {
	return &observance{first: *c, last: *c, years: 1, low: c.day, high: c.day, nth: true, nthEnd: true}
}

// number gives which one of its weekdays in the month a change is, from the
// start and from the end.
func (c *zoneChange) number() (fwd, rev int) {
	return (c.day-1)/7 + 1, -((monthDays(c.year, c.month)-c.day)/7 + 1)
}

// take adds the change of the next year. A change behind the end of the span
// only tells that the rule goes on.
func (o *observance) take(c *zoneChange, end int64) bool {
	if o.closed || c.year != o.last.year+1 || !o.last.like(c) {
		return false
	}
	low, high := min(o.low, c.day), max(o.high, c.day)
	if high-low > 6 {
		o.closed = true
		return false
	}
	f1, r1 := o.first.number()
	f2, r2 := c.number()
	nth, nthEnd := o.nth && f1 == f2, o.nthEnd && r1 == r2
	if c.unix > end {
		o.closed = true
		// Days that make no simple rule cannot be trusted to go on.
		o.endless = nth || nthEnd
		return true
	}
	o.low, o.high, o.nth, o.nthEnd = low, high, nth, nthEnd
	o.last = *c
	o.years++
	return true
}

func (o *observance) write(w *Writer) {
	name := "STANDARD"
	if o.first.daylight {
		name = "DAYLIGHT"
	}
	w.Begin(name)
	c := &o.first
	w.Line("DTSTART", fmt.Sprintf("%04d%02d%02dT%02d%02d%02d", c.year, c.month, c.day, c.tod/3600, c.tod/60%60, c.tod%60))
	if rule := o.rule(); rule != "" {
		w.Line("RRULE", rule)
	}
	if c.name != "" {
		w.Line("TZNAME", EscapeText(c.name))
	}
	w.Line("TZOFFSETFROM", offsetText(c.before))
	w.Line("TZOFFSETTO", offsetText(c.after))
	w.End(name)
}

// rule gives the RRULE, "" for a single change.
func (o *observance) rule() string {
	if o.years == 1 && !o.endless {
		return ""
	}
	var b strings.Builder
	b.WriteString("FREQ=YEARLY")
	if !o.endless {
		b.WriteString(";UNTIL=" + utcText(civilTime(o.last.unix)))
	}
	b.WriteString(";BYMONTH=" + strconv.Itoa(o.first.month))
	weekday := weekdayNames[o.first.weekday]
	fwd, rev := o.first.number()
	switch {
	case o.nthEnd && (rev == -1 || !o.nth):
		b.WriteString(";BYDAY=" + strconv.Itoa(rev) + weekday)
	case o.nth:
		b.WriteString(";BYDAY=" + strconv.Itoa(fwd) + weekday)
	default:
		// One such weekday is in any seven days.
		low := max(1, o.high-6)
		days := make([]string, 0, 7)
		for d := low; d < low+7; d++ {
			days = append(days, strconv.Itoa(d))
		}
		b.WriteString(";BYDAY=" + weekday + ";BYMONTHDAY=" + strings.Join(days, ","))
	}
	return b.String()
}

// offsetText writes a UTC-OFFSET (RFC 5545 §3.3.14).
func offsetText(offset int64) string {
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	s := fmt.Sprintf("%c%02d%02d", sign, offset/3600, offset/60%60)
	if offset%60 != 0 {
		s += fmt.Sprintf("%02d", offset%60)
	}
	return s
}
