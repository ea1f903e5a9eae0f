package ical

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// timing is what an Object keeps of its times once it was asked for them.
type timing struct {
	once   sync.Once
	series *series
	placed atomic.Pointer[placed] // the last one that was made

	mu     sync.Mutex
	custom map[string]*ownZone // the object's VTIMEZONEs; nil until one is asked for
	made   int                 // zones made of them
}

// seriesOf gives the compiled times of the object's main components.
func (o *Object) seriesOf() *series {
	o.times.once.Do(func() { o.times.series = newSeries(o, o.main) })
	return o.times.series
}

// placedIn gives the series with its floating times in the zone.
func (o *Object) placedIn(floating *Zone) *placed {
	s := o.seriesOf()
	if floating == nil || !s.floats {
		floating = UTCZone
	}
	if p := o.times.placed.Load(); p != nil && p.floating == floating {
		return p
	}
	p := s.place(floating)
	o.times.placed.Store(p)
	return p
}

// CheckTimes tells of the first time, length or rule of the main components
// that expansion has to pass over because it cannot be read; *InvalidError.
func (o *Object) CheckTimes() error { return o.seriesOf().err }

// series is the times of components with one UID, read but not yet placed.
// What cannot be read is left out; err tells of the first such value.
//
// Where RFC 5545 leaves a choice, or contradicts itself, this is how it is read:
//
//   - DTSTART is always the first instance and counts for COUNT, on the rule or
//     not; EXDATE can take it away.
//   - Rules step along the wall clock. A wall clock in a gap takes the offset
//     before the gap (§3.3.5, and not "ignored" by §3.3.10), the first one of an
//     hour that comes twice; instances at one instant are one, that of the wall
//     clock that is not skipped.
//   - DTEND and DUE give all instances the first one's exact length, and floating
//     ones its length on the wall clock; DURATION gives them its nominal days
//     and its exact rest.
//   - Several RRULEs are a union, each with its own COUNT. EXRULE is honoured.
//   - AVAILABLE is a time of the wall clock: its instances end at the hour at
//     which the first one ends, also where a clock changes in between. Who opens
//     at 22:00 and closes at 08:00 does so in every night.
//   - An override stands even where the set has no instance, and against EXDATE.
//   - THISANDFUTURE shifts the later instances by the distance of the wall
//     clocks, counted from the original ones; the last such override before an
//     instance counts for it.
//   - BYWEEKNO without BYDAY means the weekday of DTSTART.
type series struct {
	master  *entry  // nil if there is none
	others  []entry // overrides, and what else has no place
	rules   []*rule
	exrules []*rule
	rdates  []rdate
	exdates []Time
	hours   bool // of AVAILABLE: lengths are of the wall clock
	floats  bool // some time is floating or a date
	undated bool
	err     error
}

// entry is a component with its time.
type entry struct {
	comp   *Component
	start  Time
	len    length
	rid    *Time
	future bool // RANGE=THISANDFUTURE
	seq    int
	own    bool // DTSTART or DUE is there; else an override stands at its RECURRENCE-ID
}

// length is how long a component lasts: nominal days and then exact seconds,
// or until a time, which gives the exact length (RFC 5545 §3.8.5.3).
type length struct {
	known       bool
	days, exact int64
	until       *Time
}

type rdate struct {
	at  Time
	len length // of a PERIOD
}

func newSeries(o *Object, comps []*Component) *series {
	s := &series{}
	for _, c := range comps {
		s.hours = s.hours || c.Name == "AVAILABLE"
		e := s.entry(o, c)
		switch {
		case e.rid == nil && !e.own:
			s.undated = true
		case e.rid == nil && s.master == nil:
			s.master = &e
			s.recurrence(o, c)
		default:
			s.others = append(s.others, e)
		}
	}
	return s
}

func (s *series) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// time reads the first value of the named line.
func (s *series) time(o *Object, l *Line) *Time {
	if l == nil {
		return nil
	}
	t, err := o.Time(l)
	if err != nil {
		s.fail(err)
		return nil
	}
	if t.Form != Date && strings.EqualFold(l.Param("VALUE"), "DATE") {
		t = Time{Form: Date, Wall: civilTime(t.day() * daySeconds)}
	}
	s.floats = s.floats || t.Form >= Floating
	return &t
}

// entry reads the time of a component.
func (s *series) entry(o *Object, c *Component) entry {
	e := entry{comp: c}
	if l := c.Line("RECURRENCE-ID"); l != nil {
		if e.rid = s.time(o, l); e.rid != nil {
			e.future = strings.EqualFold(l.Param("RANGE"), "THISANDFUTURE")
			e.seq, _ = strconv.Atoi(c.Text("SEQUENCE")) // 0 if absent or broken
		}
	}
	start := s.time(o, c.Line("DTSTART"))
	end := s.time(o, c.Line("DTEND"))
	due := s.time(o, c.Line("DUE"))
	if c.Name == "VTODO" {
		end = due
		if start == nil && due != nil {
			e.own, e.start, e.len = true, *due, length{known: true}
			return e
		}
	}
	if start == nil {
		return e
	}
	e.own, e.start = true, *start
	switch l := c.Line("DURATION"); {
	case end != nil:
		e.len = length{known: true, until: end}
	case l != nil:
		e.len = s.duration(l)
	default:
		// RFC 5545 §3.6.1: an event on a date lasts the day.
		e.len.known = true
		if start.Form == Date && c.Name != "VTODO" {
			e.len.days = 1
		}
	}
	return e
}

func (s *series) duration(l *Line) length {
	days, exact, err := ParseDuration(l.Value)
	if err != nil {
		s.fail(invalid(ValidCalendarData, l.no, "RFC 5545 §3.3.6", "%s is no duration", l.Name))
	}
	return lengthOf(days, exact)
}

// lengthOf never gives a negative length: such a component has none.
func lengthOf(days int, exact time.Duration) length {
	if days < 0 || exact < 0 {
		return length{known: true}
	}
	return length{known: true, days: int64(days), exact: int64(exact / time.Second)}
}

// recurrence reads the properties that make the master recur.
func (s *series) recurrence(o *Object, c *Component) {
	for i := range c.Lines {
		l := &c.Lines[i]
		switch l.Name {
		case "RRULE", "EXRULE":
			r, err := readRule(l)
			if err != nil {
				s.fail(err)
				continue
			}
			if l.Name == "RRULE" {
				s.rules = append(s.rules, r)
			} else {
				s.exrules = append(s.exrules, r)
			}
		case "RDATE":
			s.rdateLine(o, l)
		case "EXDATE":
			s.exdateLine(o, l)
		}
	}
}

// maxRules bounds the rules of one component; more are passed over.
const maxRules = 64

// lineTimes reads the values of a list. Empty ones are passed over.
func (s *series) lineTimes(o *Object, l *Line, take func(t Time, rest string)) {
	var zone *Zone
	if tzid := l.Param("TZID"); tzid != "" {
		zone = o.Zone(tzid)
	}
	date := strings.EqualFold(l.Param("VALUE"), "DATE")
	for v := range strings.SplitSeq(l.Value, ",") {
		v, rest, _ := strings.Cut(strings.TrimSpace(v), "/")
		if v == "" {
			continue
		}
		t, err := parseTime(v, zone)
		if err != nil {
			s.fail(invalid(ValidCalendarData, l.no, "RFC 5545 §3.3.5", "%s: %s", l.Name, err))
			continue
		}
		if date && t.Form != Date {
			t = Time{Form: Date, Wall: civilTime(t.day() * daySeconds)}
		}
		s.floats = s.floats || t.Form >= Floating
		take(t, rest)
	}
}

func (s *series) rdateLine(o *Object, l *Line) {
	s.lineTimes(o, l, func(t Time, rest string) {
		r := rdate{at: t}
		switch {
		case rest == "":
		case rest[0] == 'P' || rest[0] == 'p' || rest[0] == '+' || rest[0] == '-':
			days, exact, err := ParseDuration(rest)
			if err != nil {
				s.fail(invalid(ValidCalendarData, l.no, "RFC 5545 §3.3.9", "RDATE has a period without length"))
				return
			}
			r.len = lengthOf(days, exact)
		default:
			end, err := parseTime(rest, t.Zone)
			if err != nil {
				s.fail(invalid(ValidCalendarData, l.no, "RFC 5545 §3.3.9", "RDATE has a period without end"))
				return
			}
			r.len = length{known: true, until: &end}
		}
		s.rdates = append(s.rdates, r)
	})
}

func (s *series) exdateLine(o *Object, l *Line) {
	s.lineTimes(o, l, func(t Time, _ string) { s.exdates = append(s.exdates, t) })
}

// resolve gives the length as seconds of the wall clock, exact seconds after
// them, and the distance of the wall clocks, for a component that starts at
// start. Floating times from one to another are that far apart on the wall
// clock, wherever they are placed.
func (l length) resolve(start Time, floating *Zone) (nominal, exact, wall int64) {
	if l.until == nil {
		nominal = l.days * daySeconds
		return nominal, l.exact, nominal + l.exact
	}
	end := *l.until
	switch {
	case start.Form == Date:
		// A date-time as end of a date is rounded to its date.
		nominal = max(0, end.day()-start.day()) * daySeconds
		return nominal, 0, nominal
	case end.Form == Date:
		end = Time{Form: start.Form, Wall: end.Wall, Zone: start.Zone}
	}
	if start.Form == Floating && end.Form == Floating {
		nominal = max(0, end.Wall.Unix()-start.Wall.Unix())
		return nominal, 0, nominal
	}
	exact = max(0, end.place(floating)-start.place(floating))
	return 0, exact, exact
}

// onClock gives the length as seconds of the wall clock from start on, in the
// zone of start.
func (l length) onClock(start Time, floating *Zone) int64 {
	switch {
	case l.until == nil:
		return l.days*daySeconds + l.exact
	case start.Form == Date:
		return max(0, l.until.day()-start.day()) * daySeconds
	case l.until.Form == Date, l.until.Form == start.Form && l.until.Zone == start.Zone:
		return max(0, l.until.Wall.Unix()-start.Wall.Unix())
	}
	return max(0, start.zone(floating).civil(l.until.place(floating))-start.Wall.Unix())
}

// sortedUnique sorts and removes what is there twice.
func sortedUnique(a []int64) []int64 {
	slices.Sort(a)
	return slices.Compact(a)
}
