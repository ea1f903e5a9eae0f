package vastal

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
	"daybook/ical/span"
)

// productID is the PRODID of what we write (RFC 5545 §3.7.3).
const productID = "-//Daybook//Daybook//EN"

const (
	stampLayout = "20060102T150405Z"
	wallLayout  = "20060102T150405"
)

// anchor is the Sunday of the week in which slots begin: before anything that
// is booked, and constant, so that the same slots give the same text.
var anchor = time.Date(2001, 1, 7, 0, 0, 0, 0, time.UTC)

// writer writes slots as AVAILABLE components.
type writer struct {
	zone *ical.Zone
	now  time.Time
}

// newWeek writes an object with the slots (RFC 7953 §3.1).
func (w writer) newWeek(uid string, slots []slot) (*ical.Object, error) {
	var buf bytes.Buffer
	x := ical.NewWriter(&buf)
	x.Begin("VCALENDAR")
	x.Line("VERSION", "2.0")
	x.Line("PRODID", productID)
	if !isUTC(w.zone) {
		x.Raw([]byte(w.zone.VTimezone(span.Span{Start: anchor})))
	}
	x.Begin("VAVAILABILITY")
	x.Line("UID", ical.EscapeText(uid))
	for _, name := range []string{"DTSTAMP", "CREATED", "LAST-MODIFIED"} {
		x.Line(name, stamp(w.now))
	}
	x.Line("PRIORITY", "9")
	x.Line("BUSYTYPE", "BUSY-UNAVAILABLE")
	for _, s := range slots {
		x.Raw([]byte(w.available(s, nil)))
	}
	x.End("VAVAILABILITY")
	x.End("VCALENDAR")
	if err := x.Err(); err != nil {
		return nil, fmt.Errorf("write a week: %w", err)
	}
	o, err := ical.ParseResource(buf.Bytes(), ical.Limits{})
	if err != nil {
		return nil, fmt.Errorf("write a week: %w", err)
	}
	return o, nil
}

// rewritten are the lines that say what a slot says; the others of a part are
// its own.
var rewritten = []string{"UID", "DTSTART", "DTEND", "DURATION", "RRULE", propOnly}

// available writes the AVAILABLE of a slot, with the lines of like that the
// slot says nothing of (nil: none).
func (w writer) available(s slot, like *ical.Component) string {
	var buf bytes.Buffer
	x := ical.NewWriter(&buf)
	start, end, params := w.times(s)
	x.Begin("AVAILABLE")
	x.Line("UID", s.id.String())
	if like == nil || like.Line("DTSTAMP") == nil {
		x.Line("DTSTAMP", stamp(w.now))
	}
	if like == nil || like.Line("CREATED") == nil {
		x.Line("CREATED", stamp(s.created))
	}
	x.Line("DTSTART", start, params...)
	x.Line("DTEND", end, params...)
	x.Line("RRULE", rule(s))
	if s.only != "" {
		x.Line(propOnly, ical.EscapeText(s.only))
	}
	if like != nil {
		for _, l := range like.Lines {
			if !slices.Contains(rewritten, l.Name) {
				copyLine(x, &l)
			}
		}
	}
	x.End("AVAILABLE")
	return buf.String() // a bytes.Buffer takes everything
}

func copyLine(x *ical.Writer, l *ical.Line) {
	var params []ical.Param
	for name, value := range l.Params() {
		params = append(params, ical.Param{Name: name, Value: value})
	}
	x.Line(l.Name, l.Value, params...)
}

func rule(s slot) string { return "FREQ=WEEKLY;BYDAY=" + dayNames[s.day] }

// times writes DTSTART and DTEND of a slot in the anchor week. 24:00:00 is 00:00
// of the next day.
func (w writer) times(s slot) (start, end string, params []ical.Param) {
	day := anchor.AddDate(0, 0, int(s.day))
	layout := wallLayout
	if isUTC(w.zone) {
		layout = stampLayout
	} else {
		params = []ical.Param{{Name: "TZID", Value: w.zone.Name()}}
	}
	return day.Add(s.start).Format(layout), day.Add(s.end).Format(layout), params
}

// rewriteWeek gives the object with exactly these slots. Parts whose slots are all wanted
// as they are, and everything that is no slot, stay byte for byte. changed is
// false when nothing is to be done.
func (w writer) rewriteWeek(o *ical.Object, parts []part, want []slot) (out *ical.Object, changed bool, err error) {
	main, e := o.Master(), o.Edit()
	wanted := make(map[uuid.UUID]slot, len(want))
	for _, s := range want {
		wanted[s.id] = s
	}
	zoned := false
	for _, p := range parts {
		var kept []slot
		for _, s := range p.slots {
			if x, ok := wanted[s.id]; ok {
				kept = append(kept, x)
				delete(wanted, s.id)
			}
		}
		if len(kept) == len(p.slots) && slices.EqualFunc(kept, p.slots, slot.alike) {
			continue
		}
		changed = true
		if len(kept) == 1 && len(p.slots) == 1 {
			zoned = w.edit(e, p, kept[0]) || zoned
			continue
		}
		e.RemoveComponent(p.c)
		for _, s := range kept {
			zoned = true
			e.AddComponent(main, w.available(s, p.c))
		}
	}
	for _, s := range want {
		if _, missing := wanted[s.id]; missing {
			changed, zoned = true, true
			e.AddComponent(main, w.available(s, nil))
		}
	}
	if !changed {
		return o, false, nil
	}
	if zoned {
		w.needZone(o, e)
	}
	e.Set(main, "DTSTAMP", stamp(w.now))
	e.Set(main, "LAST-MODIFIED", stamp(w.now))
	if out, err = e.Apply(); err != nil {
		return nil, false, fmt.Errorf("rewrite a week: %w", err)
	}
	return out, true, nil
}

// edit changes the part of a single slot where it is; it tells whether times
// were written.
func (w writer) edit(e *ical.Edit, p part, s slot) bool {
	was := p.slots[0]
	moved := s.day != was.day || s.start != was.start || s.end != was.end
	if moved {
		start, end, params := w.times(s)
		e.Set(p.c, "DTSTART", start, params...)
		e.Set(p.c, "DTEND", end, params...)
		e.Remove(p.c, "DURATION")
		e.Set(p.c, "RRULE", rule(s))
	}
	if s.only == "" {
		e.Remove(p.c, propOnly)
	} else if s.only != was.only {
		e.Set(p.c, propOnly, ical.EscapeText(s.only))
	}
	return moved
}

// needZone adds the VTIMEZONE that new times name, if it is not there.
func (w writer) needZone(o *ical.Object, e *ical.Edit) {
	if isUTC(w.zone) {
		return
	}
	for _, c := range o.Root().Children {
		if c.Name == "VTIMEZONE" && c.Text("TZID") == w.zone.Name() {
			return
		}
	}
	e.AddComponent(o.Root(), w.zone.VTimezone(span.Span{Start: anchor}))
}

func stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

func isUTC(z *ical.Zone) bool {
	switch strings.ToUpper(z.Name()) {
	case "", "UTC", "ETC/UTC":
		return true
	}
	return false
}
