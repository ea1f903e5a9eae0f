package ical

import (
	"cmp"
	"slices"
	"strings"
)

// Zone resolves a TZID of the object: by LookupZone, so that a known name
// means the same everywhere whatever the object's VTIMEZONE says, else by the
// rules of the object's own VTIMEZONE. nil means that the time is floating.
func (o *Object) Zone(tzid string) *Zone {
	if z := LookupZone(tzid); z != nil {
		return z
	}
	t := &o.times
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.custom == nil {
		t.custom = o.ownZones()
	}
	own := t.custom[tzid]
	if own == nil {
		return nil
	}
	if !own.made && t.made < maxCustomZones {
		own.made = true
		t.made++
		// A VTIMEZONE that cannot be read says nothing.
		own.zone, _ = o.customZone(own.comp)
	}
	return own.zone
}

// ownZone is a VTIMEZONE of an object; its zone is made when it is asked for.
type ownZone struct {
	comp *Component
	zone *Zone
	made bool
}

// ownZones finds the object's VTIMEZONEs by their TZIDs, the first of each.
func (o *Object) ownZones() map[string]*ownZone {
	all := make(map[string]*ownZone)
	for _, c := range o.root.Children {
		l := c.Line("TZID")
		if c.Name != "VTIMEZONE" || l == nil {
			continue
		}
		own := &ownZone{comp: c}
		for _, tzid := range []string{l.Value, l.Text()} {
			if all[tzid] == nil {
				all[tzid] = own
			}
		}
	}
	return all
}

// ParseZone reads one VCALENDAR with exactly one VTIMEZONE
// (CALDAV:calendar-timezone, RFC 4791 §5.2.2). A known TZID gives the zone of
// tzdata. Errors are *InvalidError.
func ParseZone(text string) (*Zone, error) {
	o, err := Parse([]byte(text), DefaultLimits)
	if err != nil {
		return nil, err
	}
	if len(o.root.Children) != 1 || o.root.Children[0].Name != "VTIMEZONE" {
		return nil, invalid(ValidCalendarData, 0, "RFC 4791 §5.2.2", "the text is not one VCALENDAR with one VTIMEZONE")
	}
	c := o.root.Children[0]
	z, err := o.customZone(c)
	if err != nil {
		return nil, err
	}
	if known := LookupZone(z.name); known != nil {
		return known, nil
	}
	return z, nil
}

// Bounds of a VTIMEZONE: two changes in each of the years 1 to 2140, and the
// work of finding them; and how many zones of its own an object can use. Times
// in further ones are floating.
const (
	maxOnsets      = 5000
	maxZoneWork    = 100_000
	maxCustomZones = 32
)

// onset is the begin of an observance.
type onset struct{ unix, before, after int64 }

// customZone lists the changes of a VTIMEZONE (RFC 5545 §3.6.5). The first
// observance's TZOFFSETFROM counts for all time before it.
func (o *Object) customZone(c *Component) (*Zone, error) {
	tzid := c.Line("TZID")
	if tzid == nil || strings.TrimSpace(tzid.Value) == "" {
		return nil, invalid(ValidCalendarData, c.no, "RFC 5545 §3.6.5", "a VTIMEZONE has no TZID")
	}
	var all []onset
	work := maxZoneWork
	for _, child := range c.Children {
		if child.Name != "STANDARD" && child.Name != "DAYLIGHT" {
			continue
		}
		var err error
		if all, err = addObservance(all, child, &work); err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, invalid(ValidCalendarData, c.no, "RFC 5545 §3.6.5", "a VTIMEZONE has no STANDARD or DAYLIGHT")
	}
	slices.SortStableFunc(all, func(a, b onset) int { return cmp.Compare(a.unix, b.unix) })
	var b zoneBuilder
	b.add(0, all[0].before)
	for _, at := range all {
		b.add(at.unix, at.after)
	}
	return &Zone{name: tzid.Text(), segs: b.segs}, nil
}

// addObservance adds the onsets of a STANDARD or DAYLIGHT up to the horizon.
func addObservance(all []onset, c *Component, work *int) ([]onset, error) {
	before, ok1 := zoneOffset(c.Line("TZOFFSETFROM"))
	after, ok2 := zoneOffset(c.Line("TZOFFSETTO"))
	if !ok1 || !ok2 {
		return nil, invalid(ValidCalendarData, c.no, "RFC 5545 §3.6.5", "%s has no TZOFFSETFROM or TZOFFSETTO", c.Name)
	}
	l := c.Line("DTSTART")
	if l == nil {
		return nil, invalid(ValidCalendarData, c.no, "RFC 5545 §3.6.5", "%s has no DTSTART", c.Name)
	}
	start, err := parseTime(l.Value, nil)
	if err != nil {
		return nil, invalid(ValidCalendarData, l.no, "RFC 5545 §3.3.5", "DTSTART: %s", err)
	}
	fixed := &Zone{segs: []segment{{from: minCivil * 2, wall: minCivil * 2, offset: before}}}
	add := func(t Time) {
		if len(all) < maxOnsets {
			all = append(all, onset{t.place(fixed), before, after})
		}
	}
	add(start)
	for i := range c.Lines {
		switch l := &c.Lines[i]; l.Name {
		case "RDATE":
			for v := range strings.SplitSeq(l.Value, ",") {
				v, _, _ = strings.Cut(v, "/")
				if t, err := parseTime(strings.TrimSpace(v), nil); err == nil {
					add(t)
				}
			}
		case "RRULE":
			r, err := readRule(l)
			if err != nil {
				return nil, err
			}
			eachOnset(r, start, fixed, work, add)
		}
	}
	return all, nil
}

// eachOnset follows a rule up to the horizon.
func eachOnset(r *rule, start Time, fixed *Zone, work *int, add func(Time)) {
	p := newPlan(r, start.Wall.Unix(), Floating, fixed)
	if p == nil {
		return
	}
	it := newWalker(p, work)
	it.seekUntil(p.start+1, tailCivil+daySeconds)
	for range maxOnsets {
		c, ok := it.next()
		if !ok {
			return
		}
		t := Time{Form: Floating, Wall: civilTime(c)}
		if p.untilInstant && t.place(fixed) > p.untilUnix {
			return
		}
		add(t)
	}
}

// zoneOffset reads a UTC-OFFSET value (RFC 5545 §3.3.14) in seconds.
func zoneOffset(l *Line) (int64, bool) {
	if l == nil {
		return 0, false
	}
	s := strings.TrimSpace(l.Value)
	if len(s) != 5 && len(s) != 7 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	h, ok1 := digits(s[1:3])
	m, ok2 := digits(s[3:5])
	sec, ok3 := digits(s[5:])
	if !ok1 || !ok2 || !ok3 || h > 23 || m > 59 || sec > 59 {
		return 0, false
	}
	offset := int64(h*3600 + m*60 + sec)
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}
