package vastal

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
)

// propOnly names the appointment type that an AVAILABLE is for.
const propOnly = "X-DAYBOOK-APPOINTMENT-TYPE"

// dayNames are the weekdays as BYDAY writes them (RFC 5545 §3.3.10).
var dayNames = [...]string{
	time.Sunday: "SU", time.Monday: "MO", time.Tuesday: "TU", time.Wednesday: "WE",
	time.Thursday: "TH", time.Friday: "FR", time.Saturday: "SA",
}

// part is an AVAILABLE that this API has a word for: one slot for each of its
// days.
type part struct {
	c     *ical.Component
	slots []slot
}

// reader reads the AVAILABLE parts of an object as slots.
type reader struct {
	o       *ical.Object
	org     uuid.UUID
	zone    *ical.Zone
	created time.Time // of a part that does not say it
	seen    map[uuid.UUID]bool
}

// readParts gives the parts of a VAVAILABILITY that are weekly without end. What
// else is in it (dates, overrides, other rules) has no word in this API.
func readParts(o *ical.Object, org uuid.UUID, zone *ical.Zone, created time.Time) []part {
	main := o.Master()
	if main == nil {
		return nil
	}
	r := &reader{o, org, zone, created, map[uuid.UUID]bool{}}
	var out []part
	for _, c := range main.Children {
		if c.Name != "AVAILABLE" {
			continue
		}
		if slots := r.slots(c); len(slots) > 0 {
			out = append(out, part{c, slots})
		}
	}
	return out
}

// slots gives the slots of an AVAILABLE, none if it is not one of ours.
func (r *reader) slots(c *ical.Component) []slot {
	days, ok := weekly(c)
	if !ok {
		return nil
	}
	first, start, length, shift, ok := r.times(c)
	if !ok || length <= 0 || start+length > wholeDay {
		return nil
	}
	if days == nil {
		days, shift = []time.Weekday{first}, 0
	}
	base := slot{start: start, end: start + length, only: c.Text(propOnly), active: true, created: r.createdOf(c)}
	var out []slot
	for _, d := range days {
		s := base
		s.day = (d + time.Weekday(shift) + 7) % 7
		s.id = r.identity(c.Text("UID"), s.day, len(days) == 1 || s.day == first)
		out = append(out, s)
	}
	return out
}

// weekly reads the rule of an AVAILABLE. ok is false if it is anything but each
// week without end; no days stand for that of DTSTART.
func weekly(c *ical.Component) (days []time.Weekday, ok bool) {
	rules := c.All("RRULE")
	if len(rules) != 1 || c.Line("RECURRENCE-ID") != nil || c.Line("EXRULE") != nil {
		return nil, false
	}
	freq := ""
	for p := range strings.SplitSeq(strings.ToUpper(strings.TrimSpace(rules[0].Value)), ";") {
		name, value, _ := strings.Cut(p, "=")
		switch name {
		case "FREQ":
			freq = value
		case "INTERVAL":
			if strings.TrimLeft(value, "0") != "1" {
				return nil, false
			}
		case "BYDAY":
			for d := range strings.SplitSeq(value, ",") {
				i := slices.Index(dayNames[:], strings.TrimSpace(d))
				if i < 0 {
					return nil, false
				}
				if !slices.Contains(days, time.Weekday(i)) {
					days = append(days, time.Weekday(i))
				}
			}
		case "WKST", "":
		default:
			return nil, false
		}
	}
	return days, freq == "WEEKLY"
}

// times gives the weekday and wall clock of the first start in the
// organisation's zone, the length, and how many days that weekday is after the
// one that is written. A time of another zone is placed by its first instance.
func (r *reader) times(c *ical.Component) (day time.Weekday, start, length time.Duration, shift int, ok bool) {
	line := c.Line("DTSTART")
	if line == nil {
		return 0, 0, 0, 0, false
	}
	t, err := r.o.Time(line)
	if err != nil {
		return 0, 0, 0, 0, false
	}
	wall := r.wall(t)
	midnight := wall.Truncate(wholeDay)
	shift = int(midnight.Sub(t.Wall.Truncate(wholeDay)) / wholeDay)
	length, ok = r.length(c, t)
	return wall.Weekday(), wall.Sub(midnight), length, shift, ok
}

// wall gives a time as wall clock of the organisation's zone.
func (r *reader) wall(t ical.Time) time.Time {
	if t.Form == ical.Floating || t.Form == ical.Date || t.Form == ical.Zoned && t.Zone.Name() == r.zone.Name() {
		return t.Wall
	}
	return r.zone.Wall(t.Instant(r.zone))
}

func (r *reader) length(c *ical.Component, start ical.Time) (time.Duration, bool) {
	if l := c.Line("DTEND"); l != nil {
		end, err := r.o.Time(l)
		if err != nil {
			return 0, false
		}
		return r.wall(end).Sub(r.wall(start)), true
	}
	if l := c.Line("DURATION"); l != nil {
		days, exact, err := ical.ParseDuration(l.Value)
		if err != nil || days < 0 || days > 1 {
			return 0, false
		}
		return time.Duration(days)*wholeDay + exact, exact%time.Second == 0
	}
	return wholeDay, start.Form == ical.Date // RFC 5545 §3.6.1: a DATE alone is that day
}

func (r *reader) createdOf(c *ical.Component) time.Time {
	if l := c.Line("CREATED"); l != nil {
		if t, err := r.o.Time(l); err == nil && t.Form == ical.UTC {
			return t.Wall
		}
	}
	return r.created
}

// identity gives a slot's id: the UID of its AVAILABLE where that is a uuid and
// the slot its own, else one that is derived from UID and weekday, so that it
// stays the same without being kept anywhere.
func (r *reader) identity(uid string, day time.Weekday, own bool) uuid.UUID {
	id, err := uuid.Parse(uid)
	if err != nil || id.String() != uid || !own {
		id = uuid.NewSHA1(uuid.NewSHA1(r.org, []byte(uid)), []byte(dayNames[day]))
	}
	for r.seen[id] { // two parts with one UID
		id = uuid.NewSHA1(id, []byte(dayNames[day]))
	}
	r.seen[id] = true
	return id
}
