package ical

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"daybook/ical/span"
)

// feedZones finds the time zones of a feed. A TZID that LookupZone knows is
// written from the zone data, as all of the daemon reads it so. For others the
// object's own VTIMEZONE is written; when objects mean different zones by one
// TZID, those after the first get a new name.
type feedZones struct {
	now    time.Time
	known  map[string]*Zone    // by TZID; nil for one that LookupZone does not know
	custom map[string][][]byte // by TZID: the different VTIMEZONEs
	index  map[string]int      // by TZID, a zero octet and VTIMEZONE: where in custom
	used   map[string][]byte   // by TZID as written: the VTIMEZONE, nil for a known zone
	first  int                 // earliest year of a DTSTART, 0 if there is none
	last   int
}

func newFeedZones(now time.Time) feedZones {
	return feedZones{
		now:    now,
		known:  make(map[string]*Zone),
		custom: make(map[string][][]byte),
		index:  make(map[string]int),
		used:   make(map[string][]byte),
	}
}

// lookup is LookupZone, asked once for each TZID.
func (z *feedZones) lookup(tzid string) *Zone {
	zone, ok := z.known[tzid]
	if !ok {
		zone = LookupZone(tzid)
		z.known[strings.Clone(tzid)] = zone
	}
	return zone
}

// define takes a VTIMEZONE of an object. It gives the object's renamed TZIDs
// with this one among them, if it is another zone than one before.
func (z *feedZones) define(tzid string, body []byte, renamed map[string]string) map[string]string {
	if tzid == "" || z.lookup(tzid) != nil {
		return renamed
	}
	key := tzid + "\x00" + string(body)
	i, ok := z.index[key]
	if !ok {
		i = len(z.custom[tzid])
		z.index[key] = i
		z.custom[tzid] = append(z.custom[tzid], bytes.Clone(body))
	}
	if i == 0 {
		return renamed
	}
	if renamed == nil {
		renamed = make(map[string]string)
	}
	renamed[tzid] = fmt.Sprintf("%s (%d)", tzid, i+1)
	return renamed
}

// use notes that a component that is written names the TZID.
func (z *feedZones) use(tzid string, renamed map[string]string) {
	written, ok := renamed[tzid]
	if !ok {
		written = tzid
	}
	if _, ok := z.used[written]; ok {
		return
	}
	var body []byte
	if z.lookup(tzid) == nil {
		bodies := z.custom[tzid]
		if len(bodies) == 0 {
			return // floating; a later object may still define it
		}
		body = bodies[0]
		if ok {
			body = retitle(bodies[renamedIndex(tzid, written)], written)
		}
	}
	z.used[strings.Clone(written)] = body
}

// renamedIndex is the index in custom that define made the name from.
func renamedIndex(tzid, written string) int {
	n, _ := number(strings.TrimSuffix(strings.TrimPrefix(written, tzid+" ("), ")"))
	return n - 1
}

// reach widens the years that zones are written for.
func (z *feedZones) reach(year int) {
	if year > 0 && (z.first == 0 || year < z.first) {
		z.first = year
	}
	z.last = max(z.last, year)
}

// write writes the zones in order of TZID.
func (z *feedZones) write(w *Writer) {
	first, last := z.first, max(z.last+1, z.now.Year()+10)
	if first == 0 {
		first = z.now.Year()
	}
	s := span.Span{
		Start: time.Date(max(first, 1900)-1, time.January, 1, 0, 0, 0, 0, time.UTC),
		End:   time.Date(min(last, 9999), time.January, 1, 0, 0, 0, 0, time.UTC),
	}
	for _, tzid := range slices.Sorted(maps.Keys(z.used)) {
		body := z.used[tzid]
		if body == nil {
			body = retitle([]byte(z.lookup(tzid).VTimezone(s)), tzid)
		}
		w.Raw(body)
	}
}

// retitle gives a VTIMEZONE another TZID.
func retitle(vtimezone []byte, tzid string) []byte {
	s := newScanner(vtimezone, DefaultLimits)
	for {
		ok, err := s.line()
		if err != nil || !ok {
			return vtimezone
		}
		if !s.named("TZID") {
			continue
		}
		if s.property().Text() == tzid {
			return vtimezone
		}
		line, err := appendLine(nil, "TZID", EscapeText(tzid), nil)
		if err != nil {
			return vtimezone
		}
		return slices.Concat(vtimezone[:s.start], line, vtimezone[s.end:])
	}
}

// renameZones writes a component with other TZIDs.
func renameZones(component []byte, renamed map[string]string) []byte {
	out := make([]byte, 0, len(component)+64)
	s := newScanner(component, DefaultLimits)
	for {
		ok, err := s.line()
		if err != nil || !ok {
			return out
		}
		l := s.property()
		to, ok := renamed[l.Param("TZID")]
		if !ok {
			out = append(out, component[s.start:s.end]...)
			continue
		}
		line := []byte(l.Name)
		for rest := l.params; rest != ""; {
			var one string
			one, rest = cutUnquoted(rest, ';')
			line = append(line, ';')
			if name, _, _ := strings.Cut(one, "="); strings.EqualFold(name, "TZID") {
				line = appendParamValue(append(line, "TZID="...), to)
			} else {
				line = append(line, one...)
			}
		}
		line = append(append(line, ':'), l.Value...)
		out = appendFolded(out, string(line))
	}
}
