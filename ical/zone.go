package ical

import (
	"sort"
	"time"
)

// Zone turns wall clocks into instants. A local time in a gap takes the offset
// before the gap, one that comes twice is the first (RFC 5545 §3.3.5); package
// time promises neither. A Zone is not changed once it is made and may be used
// by many goroutines.
type Zone struct {
	name string
	loc  *time.Location // nil for a custom zone
	segs []segment      // at least one; the first begins before all time
}

// segment is the time between two changes of the offset.
type segment struct {
	from   int64 // Unix seconds of the change
	wall   int64 // first wall clock, in civil seconds, that takes this offset
	offset int64 // seconds east of Greenwich
}

// UTCZone is UTC.
var UTCZone = &Zone{name: "UTC", loc: time.UTC, segs: []segment{{from: minCivil * 2, wall: minCivil * 2}}}

// The changes are listed up to a horizon; the years behind it look like those
// of the last decades before it, as all rules of zones are made of months and
// weekdays. It lies behind the last year that tzdata lists without a rule
// (Morocco's Ramadan, until 2087).
const (
	tailFirst = 2100
	tailEnd   = 2140 // not included
)

var (
	tailCivil  = daysOf(tailEnd, 1, 1) * daySeconds
	tailStarts = alikeYears()
)

// alikeYears gives the first civil second of a year from tailFirst on for each
// of the 14 kinds of years: by the weekday of 1 January, then the same for leap
// years.
func alikeYears() (starts [14]int64) {
	for y := int64(tailEnd - 1); y >= tailFirst; y-- {
		jan1 := daysOf(y, 1, 1)
		starts[yearKind(y, jan1)] = jan1 * daySeconds
	}
	return starts
}

func yearKind(y, jan1 int64) int {
	kind := weekdayOf(jan1)
	if isLeap(y) {
		kind += 7
	}
	return kind
}

// tailShift gives the seconds to take away from a time behind the horizon to
// come to a time before it that is like it.
func tailShift(sec int64) int64 {
	if sec < tailCivil {
		return 0
	}
	shift, _, _ := tailYear(sec)
	return shift
}

// tailYear is tailShift for a time behind the horizon, with the bounds of its
// year.
func tailYear(sec int64) (shift, from, to int64) {
	y, _, _ := dateOf(floorDiv(sec, daySeconds))
	jan1 := daysOf(y, 1, 1)
	from = jan1 * daySeconds
	return from - tailStarts[yearKind(y, jan1)], from, from + int64(yearDays(y))*daySeconds
}

// zoneBuilder makes a Zone out of its changes, in their order.
type zoneBuilder struct{ segs []segment }

func (b *zoneBuilder) add(from, offset int64) {
	n := len(b.segs)
	if n == 0 {
		b.segs = append(b.segs, segment{from: minCivil * 2, wall: minCivil * 2, offset: offset})
		return
	}
	last := b.segs[n-1]
	if last.offset == offset {
		return
	}
	// In a gap the old offset counts until the new one has come past it; of an
	// ambiguous hour the first turn counts. Either way the greater offset says
	// which wall clock is the first of the new segment.
	wall := from + max(last.offset, offset)
	b.segs = append(b.segs, segment{from: from, wall: max(wall, last.wall), offset: offset})
}

// newZone lists the changes of an IANA zone.
func newZone(name string, loc *time.Location) *Zone {
	var b zoneBuilder
	horizon := time.Unix(tailCivil+2*daySeconds, 0)
	for t := time.Unix(minCivil, 0).In(loc); ; {
		_, offset := t.Zone()
		b.add(t.Unix(), int64(offset))
		_, end := t.ZoneBounds()
		if end.IsZero() || end.After(horizon) {
			break
		}
		if !end.After(t) {
			// Behind its list package time bounds zones by years of 365 days
			// too, which does not go on from the last day of a leap year.
			end = t.Add(24 * time.Hour)
		}
		t = end
	}
	return &Zone{name: name, loc: loc, segs: b.segs}
}

// Name gives the IANA name, or the TZID of a custom zone.
func (z *Zone) Name() string { return z.name }

// Location gives the time.Location of an IANA zone, nil for a custom one.
func (z *Zone) Location() *time.Location { return z.loc }

// Instant gives the instant of a wall clock (a time.Time in UTC whose fields
// are the wall clock).
func (z *Zone) Instant(wall time.Time) time.Time { return civilTime(z.unix(wall.Unix())) }

// Wall gives the wall clock of an instant, as a time.Time in UTC.
func (z *Zone) Wall(t time.Time) time.Time { return civilTime(z.civil(t.Unix())) }

// Offset gives the zone's offset at the instant.
func (z *Zone) Offset(t time.Time) time.Duration {
	return time.Duration(z.offset(t.Unix())) * time.Second
}

// Twice reports whether clocks that are put back show the same at another
// instant too. Such a wall clock means the first of the two (RFC 5545 §3.3.5),
// which not all programs know.
func (z *Zone) Twice(t time.Time) bool {
	unix := t.Unix()
	wall := z.civil(unix)
	for _, near := range [...]int64{unix - daySeconds, unix + daySeconds} {
		if other := wall - z.offset(near); other != unix && z.civil(other) == wall {
			return true
		}
	}
	return false
}

// Steady reports whether a time is the same for who counts hours and for who
// looks at the clock on the wall: no clock changes in between, and neither of
// its ends is shown twice.
func (z *Zone) Steady(start, end time.Time) bool {
	return z.Wall(end).Sub(z.Wall(start)) == end.Sub(start) && !z.Twice(start) && !z.Twice(end)
}

// unix gives the Unix seconds of civil seconds.
func (z *Zone) unix(civil int64) int64 {
	if len(z.segs) == 1 {
		return civil - z.segs[0].offset
	}
	return civil - z.segs[z.wallIndex(civil-tailShift(civil))].offset
}

// civil gives the civil seconds of Unix seconds.
func (z *Zone) civil(unix int64) int64 { return unix + z.offset(unix) }

func (z *Zone) offset(unix int64) int64 {
	if len(z.segs) == 1 {
		return z.segs[0].offset
	}
	return z.segs[z.index(unix-tailShift(unix))].offset
}

// index finds the segment of an instant before the horizon.
func (z *Zone) index(unix int64) int {
	lo, hi := 0, len(z.segs)
	for hi-lo > 1 {
		if mid := int(uint(lo+hi) >> 1); z.segs[mid].from <= unix {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// wallIndex finds the segment of civil seconds before the horizon.
func (z *Zone) wallIndex(civil int64) int {
	return sort.Search(len(z.segs)-1, func(i int) bool { return z.segs[i+1].wall > civil })
}

// wallBounds bounds the wall clocks, in civil seconds, that are placed at
// from or later and before to: none below low, none at high or above it.
// Changes of the offset shortly before make the bounds wider.
func (z *Zone) wallBounds(from, to int64) (low, high int64) {
	least, _ := z.offsetsBefore(from)
	_, most := z.offsetsBefore(to)
	return from + least, to + most
}

// offsetsBefore gives the least and the greatest offset at an instant and in
// the two days before it: no change moves a wall clock farther.
func (z *Zone) offsetsBefore(unix int64) (least, most int64) {
	unix -= tailShift(unix)
	i := z.index(unix)
	least, most = z.segs[i].offset, z.segs[i].offset
	for ; i > 0 && z.segs[i].from > unix-2*daySeconds; i-- {
		least, most = min(least, z.segs[i-1].offset), max(most, z.segs[i-1].offset)
	}
	return least, most
}

// cursor places many wall clocks of one zone that follow one another, faster
// than Zone does.
type cursor struct {
	zone   *Zone
	fromW  int64 // wall clocks from here
	toW    int64 // to here (not included) are in one segment and in no gap
	offset int64 // of that segment
}

func newCursor(z *Zone) cursor { return cursor{zone: z} }

// place gives the Unix seconds of civil seconds and whether they are in a gap.
func (c *cursor) place(civil int64) (unix int64, gap bool) {
	if c.fromW <= civil && civil < c.toW {
		return civil - c.offset, false
	}
	return c.seek(civil)
}

func (c *cursor) seek(civil int64) (unix int64, gap bool) {
	z := c.zone
	var shift, yearFrom, yearTo int64
	if civil >= tailCivil && len(z.segs) > 1 {
		shift, yearFrom, yearTo = tailYear(civil)
	}
	i := z.wallIndex(civil - shift)
	seg := z.segs[i]
	from, to := seg.wall, int64(maxCivil*2)
	if i+1 < len(z.segs) {
		to = z.segs[i+1].from + seg.offset
		if civil-shift >= to {
			return civil - seg.offset, true
		}
	}
	if len(z.segs) > 1 {
		// Behind the horizon each year is like another one.
		if shift != 0 {
			from, to = max(from+shift, yearFrom), min(to+shift, yearTo)
		} else {
			to = min(to, tailCivil)
		}
	}
	c.fromW, c.toW, c.offset = from, to, seg.offset
	return civil - seg.offset, false
}

// wall gives the civil seconds of Unix seconds.
func (c *cursor) wall(unix int64) int64 {
	if civil := unix + c.offset; c.fromW <= civil && civil < c.toW {
		return civil
	}
	return c.zone.civil(unix)
}
