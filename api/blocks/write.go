package blocks

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// productID is the PRODID of what we write (RFC 5545 §3.7.3).
const productID = "-//Daybook//Daybook//EN"

// Weekly is the fan-out of a block over the days of a week. Wall-clock time
// stays the same over clock changes; the length is exact.
type Weekly struct {
	Days     []time.Weekday
	From, To time.Time     // first and last day, both inclusive; dates as midnight UTC
	Clock    time.Duration // wall clock of each start, since midnight
}

// First gives the first day that matches; ok is false if none does.
func (w Weekly) First() (day time.Time, ok bool) {
	for d := w.From; !d.After(w.To); d = d.AddDate(0, 0, 1) {
		for _, x := range w.Days {
			if d.Weekday() == x {
				return d, true
			}
		}
	}
	return time.Time{}, false
}

// ErrNoDay tells that a fan-out matches no day at all.
var ErrNoDay = errors.New("no day of the range matches the weekdays")

// New writes a block as a new iCalendar object. Times are written as wall clock
// of the zone, with its VTIMEZONE, or in UTC where the zone is UTC. weekly may
// be nil; with it Start says nothing, and End less Start is the length.
// ErrNoDay.
func New(uid string, b Block, weekly *Weekly, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	t := timesIn(b.Start, b.End, zone)
	var rule string
	covers := span.Span{Start: b.Start, End: b.End}
	if weekly != nil {
		day, ok := weekly.First()
		if !ok {
			return nil, ErrNoDay
		}
		t = weeklyTimes(day.Add(weekly.Clock), b.End.Sub(b.Start), zone)
		until := zone.Instant(weekly.To.Add(24*time.Hour - time.Second))
		rule = "FREQ=WEEKLY;BYDAY=" + byDay(weekly.Days) + ";UNTIL=" + Stamp(until)
		covers = span.Span{Start: zone.Instant(day), End: until.Add(b.End.Sub(b.Start))}
	}
	var buf bytes.Buffer
	w := ical.NewWriter(&buf)
	w.Begin("VCALENDAR")
	w.Line("VERSION", "2.0")
	w.Line("PRODID", productID)
	if t.form == ical.Zoned {
		w.Raw([]byte(zone.VTimezone(covers)))
	}
	w.Begin("VEVENT")
	w.Line("UID", ical.EscapeText(uid))
	for _, name := range []string{"DTSTAMP", "CREATED", "LAST-MODIFIED"} {
		w.Line(name, Stamp(now))
	}
	w.Line("SEQUENCE", "0")
	w.Line("DTSTART", t.start, t.params...)
	if t.length != "" {
		w.Line("DURATION", t.length)
	} else {
		w.Line("DTEND", t.end, t.params...)
	}
	if rule != "" {
		w.Line("RRULE", rule)
	}
	writeFacts(w, b)
	w.Line("TRANSP", "OPAQUE")
	w.End("VEVENT")
	w.End("VCALENDAR")
	if err := w.Err(); err != nil {
		return nil, fmt.Errorf("write a block: %w", err)
	}
	o, err := ical.ParseResource(buf.Bytes(), ical.Limits{})
	if err != nil {
		return nil, fmt.Errorf("write a block: %w", err)
	}
	return o, nil
}

// writeFacts writes what a new block says beside its times.
func writeFacts(w *ical.Writer, b Block) {
	t := b.Type
	if !t.Valid() {
		t = Other
	}
	if b.Label == "" {
		w.Line("SUMMARY", t.Title(), lang(b.Lang)...)
		w.Line(propUntitled, isTrue)
	} else {
		w.Line("SUMMARY", ical.EscapeText(b.Label), lang(b.Lang)...)
	}
	if b.Notes != "" {
		w.Line("DESCRIPTION", ical.EscapeText(b.Notes), lang(b.Lang)...)
	}
	w.Line("CATEGORIES", joinCategories(withType(nil, t)))
	w.Line(propType, string(t))
	if b.Color != "" {
		w.Line("COLOR", NearestName(b.Color))
		w.Line(propColor, b.Color)
	}
	if b.OpenEnded {
		w.Line(propOpen, isTrue)
	}
	for _, x := range []struct{ name, text string }{
		{propOrigin, b.Origin}, {propExternal, b.ExternalID}, {propService, b.ServiceID}, {propExtra, b.Extra},
	} {
		if x.text != "" {
			w.Line(x.name, ical.EscapeText(x.text))
		}
	}
}

func lang(tag string) []ical.Param {
	if tag == "" {
		return nil
	}
	return []ical.Param{{Name: "LANGUAGE", Value: tag}}
}

// withType gives the categories of a block of the type: the others stay as
// they are.
func withType(old []string, t Type) []string {
	out := make([]string, 0, len(old)+2)
	marked := false
	for _, s := range old {
		if x := Type(strings.ToLower(s)); x.Valid() && x != Other {
			continue
		}
		marked = marked || strings.EqualFold(s, "BLOCK")
		out = append(out, s)
	}
	if !marked {
		out = append([]string{"BLOCK"}, out...)
	}
	if t != Other {
		out = append(out, strings.ToUpper(string(t)))
	}
	return out
}

func joinCategories(list []string) string {
	escaped := make([]string, len(list))
	for i, s := range list {
		escaped[i] = ical.EscapeText(s)
	}
	return strings.Join(escaped, ",")
}

// byDay writes the days as BYDAY wants them (RFC 5545 §3.3.10), from Monday
// on, each once.
func byDay(days []time.Weekday) string {
	names := [...]string{time.Sunday: "SU", time.Monday: "MO", time.Tuesday: "TU", time.Wednesday: "WE", time.Thursday: "TH", time.Friday: "FR", time.Saturday: "SA"}
	var wanted [7]bool
	for _, d := range days {
		wanted[d%7] = true
	}
	var out []string
	for i := range 7 {
		if d := (i + 1) % 7; wanted[d] {
			out = append(out, names[d])
		}
	}
	return strings.Join(out, ",")
}

// times are DTSTART and DTEND ready to be written, of one form.
type times struct {
	form       ical.Form
	start, end string
	params     []ical.Param
	length     string // a DURATION to be written in the place of DTEND; "": none
}

// timesIn writes instants as wall clock of the zone. Where that would lose
// which of two equal wall clocks is meant, or the zone is UTC, they are
// written in UTC.
func timesIn(start, end time.Time, zone *ical.Zone) times {
	a, b := zone.Wall(start), zone.Wall(end)
	if isUTC(zone) || !zone.Instant(a).Equal(start) || !zone.Instant(b).Equal(end) {
		return times{form: ical.UTC, start: Stamp(start), end: Stamp(end)}
	}
	return zoned(a, b, zone.Name())
}

func zoned(start, end time.Time, name string) times {
	return times{form: ical.Zoned, start: start.Format(wallLayout), end: end.Format(wallLayout), params: tzid(name)}
}

// weeklyTimes writes the first of a fan-out by its wall clock, also when a
// clock change skips it: the other days have it.
func weeklyTimes(wall time.Time, length time.Duration, zone *ical.Zone) times {
	start := zone.Instant(wall)
	end := start.Add(length)
	if isUTC(zone) {
		return times{form: ical.UTC, start: Stamp(start), end: Stamp(end)}
	}
	t := zoned(wall, zone.Wall(end), zone.Name())
	if !zone.Instant(zone.Wall(end)).Equal(end) {
		t.length = fmt.Sprintf("PT%dS", length/time.Second) // the first ends in an hour that comes twice
	}
	return t
}

func isUTC(z *ical.Zone) bool {
	switch strings.ToUpper(z.Name()) {
	case "", "UTC", "ETC/UTC":
		return true
	}
	return false
}

func tzid(name string) []ical.Param { return []ical.Param{{Name: "TZID", Value: name}} }

// Sequence gives the SEQUENCE of a component (RFC 5545 §3.8.7.4), 0 without.
func sequence(c *ical.Component) int {
	l := c.Line("SEQUENCE")
	if l == nil {
		return 0
	}
	n, err := strconv.Atoi(l.Value)
	if err != nil || n < 0 || n > 1<<30 {
		return 0
	}
	return n
}
