package hours

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
)

// EditCalendar gives the object of a calendar changed to what is wanted; its
// exceptions are objects of their own. Only lines whose meaning differs are
// touched; AVAILABLE components without a word here stay. Created and
// CreatedBy stay as they are.
func EditCalendar(o *ical.Object, want *Calendar, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	c := master(o)
	if c == nil {
		return nil, fmt.Errorf("change opening hours: there is no %s", component)
	}
	have := ReadCalendar(o, zone)
	x := editor{reader: reader{o, zone}, e: o.Edit(), c: c, now: now}
	hours := x.hours(c, have.End)
	moved := x.setDays(have.Start, have.End, want.Start, want.End)
	if have.Name != want.Name {
		x.e.Set(c, "SUMMARY", ical.EscapeText(want.Name))
	}
	x.setPoints(have.ServicePoints, want.ServicePoints)
	kept, changed := settle(&x, hours, want.Hours, func(h Opening, place int) string {
		return weeklyText(h, place, want.Start, zone, now)
	})
	x.reach(kept, want.Start)
	if moved || changed {
		x.sequence()
	}
	x.e.Set(c, "DTSTAMP", stamp(now))
	x.e.Set(c, "LAST-MODIFIED", stamp(want.Updated), millis(want.Updated)...)
	if want.UpdatedBy.Valid {
		x.e.Set(c, propUpdatedBy, want.UpdatedBy.UUID.String(), atStamp(want.Updated))
	} else {
		x.e.Remove(c, propUpdatedBy)
	}
	return x.apply()
}

// EditWeek gives the object of an organisation's week changed to the wanted
// hours, in the same way; its exceptions are objects of their own. An opening
// that no component says as a whole is cut at midnight.
func EditWeek(o *ical.Object, want *Calendar, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	c := master(o)
	if c == nil {
		return nil, fmt.Errorf("change opening hours: there is no %s", component)
	}
	x := editor{reader: reader{o, zone}, e: o.Edit(), c: c, now: now, plain: true}
	have := x.hours(c, MaxDate)
	var parts []Opening
	for _, w := range want.Hours {
		if slices.ContainsFunc(have, func(e entry[Opening]) bool { return e.value == w }) {
			parts = append(parts, w)
			continue
		}
		for _, s := range w.Slices() {
			parts = append(parts, Opening{s.Day, s.Start, s.Day, s.End})
		}
	}
	_, changed := settle(&x, have, parts, func(h Opening, _ int) string { return weeklyText(h, 0, MinDate, zone, now) })
	if !changed {
		return o, nil
	}
	x.needZone(MinDate, MaxDate, false)
	x.sequence()
	x.e.Set(c, "DTSTAMP", stamp(now))
	x.e.Set(c, "LAST-MODIFIED", stamp(now))
	return x.apply()
}

// EditException gives the object of an exception changed to what is wanted, in
// the same way.
func EditException(o *ical.Object, want *Exception, parent Parent, place int, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	c := master(o)
	if c == nil {
		return nil, fmt.Errorf("change opening hours: there is no %s", component)
	}
	have, at := ReadException(o, zone)
	if have.Equal(want) && at == place {
		return o, nil
	}
	x := editor{reader: reader{o, zone}, e: o.Edit(), c: c, now: now}
	moved := x.setDays(have.Start, have.End, want.Start, want.End)
	if have.Name != want.Name {
		x.e.Set(c, "SUMMARY", ical.EscapeText(want.Name))
	}
	if at != place {
		x.e.Set(c, propPlace, strconv.Itoa(place))
	}
	if was, is := parent.priority(&have), parent.priority(want); was != is && strings.TrimSpace(c.Text("PRIORITY")) == was {
		x.e.Set(c, "PRIORITY", is)
	}
	_, changed := settle(&x, x.spans(c), want.Openings, func(s Span, place int) string { return spanText(s, place, zone, now) })
	if moved || changed {
		x.sequence()
	}
	x.e.Set(c, "DTSTAMP", stamp(now))
	x.e.Set(c, "LAST-MODIFIED", stamp(now))
	return x.apply()
}

// editor changes one object.
type editor struct {
	reader
	e     *ical.Edit
	c     *ical.Component
	now   time.Time
	plain bool // openings have no numbers
}

func (x *editor) apply() (*ical.Object, error) {
	o, err := x.e.Apply()
	if err != nil {
		return nil, fmt.Errorf("change opening hours: %w", err)
	}
	return o, nil
}

// sequence counts the changes of time (RFC 5545 §3.8.7.4).
func (x *editor) sequence() {
	n := number(x.c, "SEQUENCE")
	if n > 1<<30 {
		n = 0
	}
	x.e.Set(x.c, "SEQUENCE", strconv.Itoa(n+1))
}

// setDays changes the range of days.
func (x *editor) setDays(haveStart, haveEnd, start, end Date) (changed bool) {
	if haveStart == start && haveEnd == end {
		x.needZone(start, end, false)
		return false
	}
	x.e.Remove(x.c, "DURATION")
	if start > MinDate {
		x.setWall(x.c, "DTSTART", start.Time())
	} else {
		x.e.Remove(x.c, "DTSTART")
	}
	if end < MaxDate {
		x.setWall(x.c, "DTEND", (end + 1).Time())
	} else {
		x.e.Remove(x.c, "DTEND")
	}
	x.needZone(start, end, start < haveStart || end > haveEnd)
	return true
}

func (x *editor) setWall(c *ical.Component, name string, wall time.Time) {
	value, params := wallText(x.zone, wall)
	x.e.Set(c, name, value, params...)
}

// needZone gives the object a VTIMEZONE of the zone if it has none, or, when
// the days have grown, one that reaches as far as they do.
func (x *editor) needZone(start, end Date, grown bool) {
	if isUTC(x.zone) {
		return
	}
	for _, c := range x.o.Root().Children {
		if c.Name != "VTIMEZONE" || c.Text("TZID") != x.zone.Name() {
			continue
		}
		if !grown {
			return
		}
		x.e.RemoveComponent(c)
	}
	x.e.AddComponent(x.o.Root(), timezone(x.zone, start, end))
}

// setPoints changes who the hours hold for, line by line where the order
// allows it.
func (x *editor) setPoints(have, want []uuid.UUID) {
	if slices.Equal(have, want) && x.c.Line(propServicePoint) != nil {
		return
	}
	wanted := make(map[uuid.UUID]struct{}, len(want))
	for _, id := range want {
		wanted[id] = struct{}{}
	}
	kept := slices.DeleteFunc(slices.Clone(have), func(id uuid.UUID) bool { _, ok := wanted[id]; return !ok })
	if len(kept) == 0 || len(kept) > len(want) || !slices.Equal(kept, want[:len(kept)]) {
		kept = nil
		x.e.Remove(x.c, propServicePoint)
	} else {
		for _, l := range x.c.All(propServicePoint) {
			if id, err := uuid.Parse(l.Text()); err == nil && !slices.Contains(kept, id) {
				x.e.RemoveLine(x.c, l)
			}
		}
	}
	rest := want[len(kept):]
	if len(kept) > 0 && len(rest) == 0 {
		return
	}
	for _, v := range pointValues(rest) {
		x.e.Add(x.c, propServicePoint, v)
	}
}

// settle makes the openings of a component what is wanted: those that are
// there already keep their components, with a new number where their place has
// changed; the others go, and what is missing is written.
func settle[T comparable](x *editor, have []entry[T], want []T, text func(value T, place int) string) (kept []*ical.Component, changed bool) {
	match := pair(have, want)
	place := map[int]int{} // of kept entries: index in have to place
	for i, j := range match {
		if j >= 0 {
			place[j] = i + 1
		}
	}
	gone := map[*ical.Component]bool{}
	for j, e := range have {
		for _, c := range e.of {
			n, keep := place[j]
			switch {
			case keep:
				kept = append(kept, c)
				if e.whole && e.place != n && !x.plain {
					x.e.Set(c, propOpening, strconv.Itoa(n))
				}
			case !gone[c]:
				gone[c], changed = true, true
				x.e.RemoveComponent(c)
			}
		}
	}
	for i, j := range match {
		if j < 0 {
			x.e.AddComponent(x.c, text(want[i], i+1))
			changed = true
		}
	}
	return kept, changed
}

// pair finds for each wanted value the entry that says the same, -1 for none.
// An entry that shares a component with one that is not wanted is not used.
func pair[T comparable](have []entry[T], want []T) []int {
	unusable := make([]bool, len(have))
	for {
		match, used := make([]int, len(want)), make([]bool, len(have))
		free := map[T][]int{}
		for j, e := range have {
			if !unusable[j] {
				free[e.value] = append(free[e.value], j)
			}
		}
		for i, v := range want {
			match[i] = -1
			if list := free[v]; len(list) > 0 {
				match[i], free[v] = list[0], list[1:]
				used[list[0]] = true
			}
		}
		again := false
		lost := map[*ical.Component]bool{}
		for j, e := range have {
			for _, c := range e.of {
				lost[c] = lost[c] || !used[j]
			}
		}
		for j, e := range have {
			if used[j] && slices.ContainsFunc(e.of, func(c *ical.Component) bool { return lost[c] }) {
				unusable[j], again = true, true
			}
		}
		if !again {
			return match
		}
	}
}

// reach moves weekly openings that begin later than in the calendar's first
// week back to it, by whole weeks.
func (x *editor) reach(kept []*ical.Component, start Date) {
	if start == MinDate {
		start = anchorDay
	}
	for _, c := range kept {
		b := x.bounds(c)
		if !b.from || DateOf(b.start) <= start+6 {
			continue
		}
		back := -7 * int((DateOf(b.start)-start)/7)
		x.setWall(c, "DTSTART", b.start.AddDate(0, 0, back))
		if c.Line("DTEND") != nil {
			x.setWall(c, "DTEND", b.end.AddDate(0, 0, back))
		}
	}
}
