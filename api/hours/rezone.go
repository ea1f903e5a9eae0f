package hours

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// Rezone gives the hours of an object in another zone, with the same wall
// clocks: what says its times in from says them in to, and the end of a rule
// moves along. Times in any other zone, floating ones and days stay. The
// answer is o itself when nothing moves. LAST-MODIFIED stays: the hours are
// what they were.
func Rezone(o *ical.Object, from, to *ical.Zone, now time.Time) (*ical.Object, error) {
	if o.Kind() != component || from.Name() == to.Name() {
		return o, nil
	}
	x := rezoner{e: o.Edit(), from: from, to: to, first: anchorDay}
	for _, c := range o.Root().Children {
		if c.Name != component {
			continue
		}
		was := x.moved
		x.times(c)
		for _, a := range c.Children {
			x.times(a)
		}
		if x.moved > was {
			e := editor{e: x.e, c: c}
			e.sequence()
			x.e.Set(c, "DTSTAMP", stamp(now))
		}
	}
	if x.moved == 0 {
		return o, nil
	}
	x.zones(o.Root())
	out, err := x.e.Apply()
	if err != nil {
		return nil, fmt.Errorf("move hours to another zone: %w", err)
	}
	return out, nil
}

// rezoner moves the times of one object.
type rezoner struct {
	e        *ical.Edit
	from, to *ical.Zone
	moved    int // lines
	first    Date
}

// times moves the times of one component.
func (x *rezoner) times(c *ical.Component) {
	start := c.Line("DTSTART")
	rule := start != nil && x.says(start)
	for _, name := range []string{"DTSTART", "DTEND"} {
		if l := c.Line(name); l != nil && x.says(l) {
			value, params := x.move(l)
			x.e.Set(c, name, value, params...)
		}
	}
	for _, name := range []string{"RDATE", "EXDATE", "RECURRENCE-ID"} {
		for _, l := range c.All(name) {
			if x.says(l) {
				value, params := x.move(l)
				x.e.RemoveLine(c, l)
				x.e.Add(c, name, value, params...)
			}
		}
	}
	if l := c.Line("RRULE"); l != nil && rule {
		x.e.Set(c, "RRULE", x.until(l.Value))
	}
}

// says reports whether the times of a line are in the zone that is left.
// Periods, which no API writes, stay.
func (x *rezoner) says(l *ical.Line) bool {
	if strings.Contains(l.Value, "/") || l.Param("VALUE") == "DATE" {
		return false
	}
	if !isUTC(x.from) {
		return l.Param("TZID") == x.from.Name()
	}
	return !slices.ContainsFunc(strings.Split(l.Value, ","), func(v string) bool { return !strings.HasSuffix(v, "Z") })
}

// move gives a line's wall clocks in the new zone.
func (x *rezoner) move(l *ical.Line) (value string, params []ical.Param) {
	x.moved++
	for name, v := range l.Params() {
		if name != "TZID" {
			params = append(params, ical.Param{Name: name, Value: v})
		}
	}
	all := strings.Split(l.Value, ",")
	for i, v := range all {
		all[i] = strings.TrimSuffix(v, "Z")
		if at, err := time.Parse(wallLayout, all[i]); err == nil {
			x.first = min(x.first, DateOf(at))
		}
		if isUTC(x.to) {
			all[i] += "Z"
		}
	}
	if !isUTC(x.to) {
		params = append(params, ical.Param{Name: "TZID", Value: x.to.Name()})
	}
	return strings.Join(all, ","), params
}

// until moves the end of a rule, which is in UTC (RFC 5545 §3.3.10).
func (x *rezoner) until(rule string) string {
	parts := strings.Split(rule, ";")
	for i, p := range parts {
		name, value, _ := strings.Cut(p, "=")
		if at, err := time.Parse(stampLayout, value); err == nil && strings.EqualFold(name, "UNTIL") {
			parts[i] = name + "=" + stamp(x.to.Instant(x.from.Wall(at)))
		}
	}
	return strings.Join(parts, ";")
}

// zones gives the object the VTIMEZONE that is new, and takes the old one away
// when nothing names it any more.
func (x *rezoner) zones(root *ical.Component) {
	missing := !isUTC(x.to)
	for _, c := range root.Children {
		switch {
		case c.Name != "VTIMEZONE":
		case c.Text("TZID") == x.to.Name():
			missing = false
		case c.Text("TZID") == x.from.Name() && x.named(root) == x.moved:
			x.e.RemoveComponent(c)
		}
	}
	if missing {
		x.e.AddComponent(root, x.to.VTimezone(span.Span{Start: x.to.Instant((max(x.first, MinDate+7) - 7).Time())}))
	}
}

// named counts the lines that name the old zone.
func (x *rezoner) named(c *ical.Component) (n int) {
	for i := range c.Lines {
		if c.Lines[i].Param("TZID") == x.from.Name() {
			n++
		}
	}
	for _, child := range c.Children {
		n += x.named(child)
	}
	return n
}
