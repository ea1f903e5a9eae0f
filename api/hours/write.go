package hours

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
	"daybook/ical/span"
)

// productID is the PRODID of what we write (RFC 5545 §3.7.3).
const productID = "-//Daybook//Daybook//EN"

// NewCalendar writes a calendar, without its exceptions, as a new object whose
// UID is its ID. Times are wall clocks of the zone, with its VTIMEZONE. now is
// the DTSTAMP.
func NewCalendar(c *Calendar, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	return object(zone, c.Start, c.End, func(w *ical.Writer) {
		w.Line("UID", c.ID.String())
		w.Line("DTSTAMP", stamp(now))
		w.Line("CREATED", stamp(c.Created), millis(c.Created)...)
		w.Line("LAST-MODIFIED", stamp(c.Updated), millis(c.Updated)...)
		w.Line("SEQUENCE", "0")
		w.Line("SUMMARY", ical.EscapeText(c.Name))
		w.Line("PRIORITY", priorityCalendar)
		w.Line("BUSYTYPE", "BUSY-UNAVAILABLE")
		writeDays(w, zone, c.Start, c.End)
		for _, id := range pointValues(c.ServicePoints) {
			w.Line(propServicePoint, id)
		}
		writeUser(w, propCreatedBy, c.CreatedBy)
		writeUser(w, propUpdatedBy, c.UpdatedBy, atStamp(c.Updated))
		for i, o := range c.Hours {
			w.Raw([]byte(weeklyText(o, i+1, c.Start, zone, now)))
		}
	})
}

// NewWeek writes the hours of every week of a whole organisation, without
// their exceptions, as a new object whose UID is c.ID. An opening is cut at
// midnight, and its parts are not numbered: APIs that know no nights show them
// as they are.
func NewWeek(c *Calendar, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	return object(zone, MinDate, MaxDate, func(w *ical.Writer) {
		w.Line("UID", c.ID.String())
		for _, name := range []string{"DTSTAMP", "CREATED", "LAST-MODIFIED"} {
			w.Line(name, stamp(now))
		}
		w.Line("SEQUENCE", "0")
		w.Line("PRIORITY", priorityWeek)
		w.Line("BUSYTYPE", "BUSY-UNAVAILABLE")
		for _, o := range c.Hours {
			w.Raw([]byte(weeklyText(o, 0, MinDate, zone, now)))
		}
	})
}

// Parent is the hours that an exception is one of.
type Parent struct {
	UID  string
	Week bool // those of an organisation's week
}

// ParentOf gives the object as a parent.
func ParentOf(o *ical.Object) Parent {
	c := master(o)
	return Parent{o.UID(), c != nil && strings.TrimSpace(c.Text("PRIORITY")) == priorityWeek}
}

// priority is that of an exception: higher than that of its hours. Where an
// organisation is closed, everybody is; but when it is open on one day leaves
// those alone that have hours of their own.
func (p Parent) priority(e *Exception) string {
	if p.Week && len(e.Openings) > 0 {
		return priorityWeekException
	}
	return priorityException
}

// NewException writes an exception of the parent as a new object. place is its
// place among the exceptions, from 1.
func NewException(e *Exception, uid string, parent Parent, place int, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	return object(zone, e.Start, e.End, func(w *ical.Writer) {
		w.Line("UID", ical.EscapeText(uid))
		for _, name := range []string{"DTSTAMP", "CREATED", "LAST-MODIFIED"} {
			w.Line(name, stamp(now))
		}
		w.Line("SEQUENCE", "0")
		w.Line("SUMMARY", ical.EscapeText(e.Name))
		w.Line("PRIORITY", parent.priority(e))
		w.Line("BUSYTYPE", "BUSY-UNAVAILABLE")
		w.Line("RELATED-TO", ical.EscapeText(parent.UID), ical.Param{Name: "RELTYPE", Value: "PARENT"})
		w.Line(propPlace, strconv.Itoa(place))
		writeDays(w, zone, e.Start, e.End)
		for i, s := range e.Openings {
			w.Raw([]byte(spanText(s, i+1, zone, now)))
		}
	})
}

// object writes a VCALENDAR around one VAVAILABILITY.
func object(zone *ical.Zone, start, end Date, body func(*ical.Writer)) (*ical.Object, error) {
	var b strings.Builder
	w := ical.NewWriter(&b)
	w.Begin("VCALENDAR")
	w.Line("VERSION", "2.0")
	w.Line("PRODID", productID)
	w.Raw([]byte(timezone(zone, start, end)))
	w.Begin(component)
	body(w)
	w.End(component)
	w.End("VCALENDAR")
	if err := w.Err(); err != nil {
		return nil, fmt.Errorf("write opening hours: %w", err)
	}
	o, err := ical.ParseResource([]byte(b.String()), ical.Limits{})
	if err != nil {
		return nil, fmt.Errorf("write opening hours: %w", err)
	}
	return o, nil
}

// timezone writes the VTIMEZONE that the days need, "" for UTC.
func timezone(zone *ical.Zone, start, end Date) string {
	if isUTC(zone) {
		return ""
	}
	var s span.Span
	if start <= MinDate+7 {
		start = anchorDay
	}
	s.Start = zone.Instant((start - 7).Time()) // weekly openings may begin in the week before
	if end < MaxDate-7 {
		s.End = zone.Instant((max(start, end) + 7).Time())
	}
	return zone.VTimezone(s)
}

func isUTC(z *ical.Zone) bool {
	switch strings.ToUpper(z.Name()) {
	case "", "UTC", "ETC/UTC":
		return true
	}
	return false
}

func stamp(t time.Time) string { return t.UTC().Format(stampLayout) }

// millis gives the parameter of a stamp that is not of a whole second.
func millis(t time.Time) []ical.Param {
	ms := t.Nanosecond() / int(time.Millisecond)
	if ms == 0 {
		return nil
	}
	return []ical.Param{{Name: paramMillis, Value: strconv.Itoa(ms)}}
}

// wallText writes a wall clock of the zone.
func wallText(zone *ical.Zone, wall time.Time) (value string, params []ical.Param) {
	if isUTC(zone) {
		return wall.Format(stampLayout), nil
	}
	return wall.Format(wallLayout), []ical.Param{{Name: "TZID", Value: zone.Name()}}
}

func writeWall(w *ical.Writer, name string, zone *ical.Zone, wall time.Time) {
	value, params := wallText(zone, wall)
	w.Line(name, value, params...)
}

// writeDays writes a range of days; a side that is open is left out.
func writeDays(w *ical.Writer, zone *ical.Zone, start, end Date) {
	if start > MinDate {
		writeWall(w, "DTSTART", zone, start.Time())
	}
	if end < MaxDate {
		writeWall(w, "DTEND", zone, (end + 1).Time())
	}
}

// pointValues gives the values that name service points; none is said by one
// that is empty, so that the hours hold for nobody and not for everybody.
func pointValues(all []uuid.UUID) []string {
	if len(all) == 0 {
		return []string{""}
	}
	out := make([]string, len(all))
	for i, id := range all {
		out[i] = id.String()
	}
	return out
}

func writeUser(w *ical.Writer, name string, id uuid.NullUUID, params ...ical.Param) {
	if id.Valid {
		w.Line(name, id.UUID.String(), params...)
	}
}

func atStamp(t time.Time) ical.Param { return ical.Param{Name: paramAt, Value: stamp(t)} }

// weeklyText writes the AVAILABLE components of a weekly opening: one for each
// day that it touches. from is the first day of the calendar.
func weeklyText(o Opening, place int, from Date, zone *ical.Zone, now time.Time) string {
	var b strings.Builder
	w := ical.NewWriter(&b)
	for _, s := range o.Slices() {
		day := anchor(from, s.Day)
		w.Begin("AVAILABLE")
		writeHead(w, place, now)
		writeWall(w, "DTSTART", zone, Moment{day, s.Start}.Wall())
		writeWall(w, "DTEND", zone, Moment{day, s.End}.Wall().Add(time.Minute))
		w.Line("RRULE", "FREQ=WEEKLY;BYDAY="+weekdays[s.Day])
		w.End("AVAILABLE")
	}
	return b.String()
}

// anchorDay is where weekly openings begin that have always been: a Monday
// before anything that is booked, and constant, so that the same hours give the
// same text.
const anchorDay Date = 11323 // 2001-01-01

// anchor gives the first such weekday from the day on; at the end of time the
// one before.
func anchor(from Date, day time.Weekday) Date {
	if from == MinDate {
		from = anchorDay
	}
	d := from + Date((day-from.Weekday()+7)%7)
	if d >= MaxDate {
		d -= 7
	}
	return d
}

// spanText writes the AVAILABLE of an exception's opening.
func spanText(s Span, place int, zone *ical.Zone, now time.Time) string {
	var b strings.Builder
	w := ical.NewWriter(&b)
	w.Begin("AVAILABLE")
	writeHead(w, place, now)
	writeWall(w, "DTSTART", zone, s.Start.Wall())
	if end := s.End.Minute().Wall().Add(time.Minute); DateOf(end) <= MaxDate {
		writeWall(w, "DTEND", zone, end)
	} else {
		w.Line("DURATION", fmt.Sprintf("PT%dS", int(end.Sub(s.Start.Wall())/time.Second)))
	}
	if s.End != s.End.Minute() {
		w.Line(propLast, s.End.Wall().Format(wallLayout))
	}
	w.End("AVAILABLE")
	return b.String()
}

// writeHead writes what every AVAILABLE begins with (RFC 7953 §3.1).
func writeHead(w *ical.Writer, place int, now time.Time) {
	w.Line("UID", uuid.NewString())
	w.Line("DTSTAMP", stamp(now))
	if place > 0 {
		w.Line(propOpening, strconv.Itoa(place))
	}
}
