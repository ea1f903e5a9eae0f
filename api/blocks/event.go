package blocks

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// Event is an event or a block with all that the house API says of it: of an
// instance, or, for the master of a series, of the series. Empty texts are
// absent.
type Event struct {
	Block // what events share with blocks; an event has no Type and is not OpenEnded

	IsBlock      bool
	EventType    string // of an event: APPOINTMENT, CLASS, …
	Location     string
	URL          string
	Status       string // TENTATIVE, CONFIRMED or CANCELLED, as it is written
	SubStatus    string // the finer word beside it
	Class        string // PRIVATE or CONFIDENTIAL; "" is public
	Invoice      string
	Free         bool     // it takes no time
	Categories   []string // without those that mark a block
	BufferBefore time.Duration
	BufferAfter  time.Duration
	Attendees    []Attendee

	// What ReadEvent gives beside it. To change them see When and Recurrence.
	Form     ical.Form
	Zone     string // TZID of zoned times, UTC of those in UTC
	Rule     Recurrence
	Sequence int
}

// Attendee is somebody who takes part. Nobody is told of a change by this
// package.
type Attendee struct {
	Address string // a URI, mostly mailto:
	Name    string
	Status  string // PARTSTAT; "" is NEEDS-ACTION
}

// Recurrence is how a series recurs. The zero Recurrence is that of an object
// that does not.
type Recurrence struct {
	Rule   string      // of RRULE; "" for a series by dates alone
	Dates  []time.Time // RDATE, instants
	Except []time.Time // EXDATE, instants
}

// Recurs reports whether there is a rule or a date.
func (r Recurrence) Recurs() bool { return r.Rule != "" || len(r.Dates) > 0 }

// The properties of events beside those of blocks.
const (
	propEventType = "X-DAYBOOK-EVENT-TYPE"
	propSubStatus = "X-DAYBOOK-SUBSTATUS"
	propInvoice   = "X-DAYBOOK-INVOICE"
	propBefore    = "X-DAYBOOK-BUFFER-BEFORE"
	propAfter     = "X-DAYBOOK-BUFFER-AFTER"
)

// ReadEvent gives the event that an instance of the object is.
func ReadEvent(i ical.Instance) Event {
	c := i.Component
	e := Event{
		Block: Read(i), IsBlock: Is(c), EventType: c.Text(propEventType), Location: c.Text("LOCATION"), URL: c.Text("URL"),
		Status: wordOf(c, "STATUS"), SubStatus: c.Text(propSubStatus), Class: classOf(c), Invoice: wordOf(c, propInvoice),
		Free:         wordOf(c, "TRANSP") == "TRANSPARENT",
		BufferBefore: lengthOf(c, propBefore), BufferAfter: lengthOf(c, propAfter),
		Categories: plainCategories(c), Attendees: attendeesOf(c), Form: i.Form, Sequence: sequence(c),
	}
	if !e.IsBlock {
		e.Type, e.OpenEnded = "", false
	}
	switch l := c.Line("DTSTART"); {
	case l == nil:
	case i.Form == ical.UTC:
		e.Zone = "UTC"
	case i.Form == ical.Zoned:
		e.Zone = l.Param("TZID")
	}
	return e
}

// ReadSeries is ReadEvent for the whole of an object that recurs: what its
// master says. ok is false for an object without one, or without any time.
func ReadSeries(o *ical.Object, zone *ical.Zone) (e Event, ok bool) {
	m := o.Master()
	if m == nil {
		return Event{}, false
	}
	i, ok := instanceOf(o, m, zone)
	if !ok {
		return Event{}, false
	}
	e = ReadEvent(i)
	e.Rule = recurrenceOf(o, m, zone)
	e.RecurrenceID = time.Time{}
	return e, true
}

// instanceOf gives a component's own time as an instance.
func instanceOf(o *ical.Object, c *ical.Component, zone *ical.Zone) (i ical.Instance, ok bool) {
	l := c.Line("DTSTART")
	if l == nil {
		return i, false
	}
	t, err := o.Time(l)
	if err != nil {
		return i, false
	}
	i = ical.Instance{Component: c, Form: t.Form, Wall: t.Wall, Start: t.Instant(zone)}
	i.End, i.WallEnd = i.Start, i.Wall
	if l := c.Line("DTEND"); l != nil {
		end, err := o.Time(l)
		if err != nil {
			return i, false
		}
		i.End, i.WallEnd = end.Instant(zone), end.Wall
	} else if l := c.Line("DURATION"); l != nil {
		days, exact, err := ical.ParseDuration(l.Value)
		if err != nil {
			return i, false
		}
		i.End = placeOf(t, zone).Instant(t.Wall.AddDate(0, 0, days)).Add(exact)
		i.WallEnd = placeOf(t, zone).Wall(i.End)
	} else if t.Form == ical.Date {
		i.WallEnd = t.Wall.AddDate(0, 0, 1)
		i.End = zone.Instant(i.WallEnd)
	}
	return i, true
}

// placeOf gives the zone that places a time's wall clock.
func placeOf(t ical.Time, floating *ical.Zone) *ical.Zone {
	switch t.Form {
	case ical.Zoned:
		return t.Zone
	case ical.UTC:
		return ical.UTCZone
	case ical.Floating, ical.Date:
	}
	return floating
}

func wordOf(c *ical.Component, name string) string {
	return strings.ToUpper(strings.TrimSpace(c.Text(name)))
}

func lengthOf(c *ical.Component, name string) time.Duration {
	l := c.Line(name)
	if l == nil {
		return 0
	}
	days, exact, err := ical.ParseDuration(l.Value)
	if err != nil || days < 0 || exact < 0 || days > 366 {
		return 0
	}
	return time.Duration(days)*24*time.Hour + exact
}

// plainCategories gives the categories that do not mark a block or its type.
func plainCategories(c *ical.Component) []string {
	all := categories(c)
	if !Is(c) {
		return all
	}
	return slices.DeleteFunc(all, marksBlock)
}

func marksBlock(s string) bool {
	t := Type(strings.ToLower(s))
	return strings.EqualFold(s, "BLOCK") || t.Valid() && t != Other
}

func attendeesOf(c *ical.Component) []Attendee {
	var out []Attendee
	for _, l := range c.All("ATTENDEE") {
		out = append(out, Attendee{Address: l.Value, Name: l.Param("CN"), Status: partStat(l)})
	}
	return out
}

// partStat gives the answer of an attendee; "" for NEEDS-ACTION, which is what
// saying nothing means (RFC 5545 §3.2.12).
func partStat(l *ical.Line) string {
	if s := strings.ToUpper(l.Param("PARTSTAT")); s != "NEEDS-ACTION" {
		return s
	}
	return ""
}

// classOf gives CLASS; "" for PUBLIC, which is what saying nothing means.
func classOf(c *ical.Component) string {
	if s := wordOf(c, "CLASS"); s != "PUBLIC" {
		return s
	}
	return ""
}

// recurrenceOf reads how a master recurs. Periods and other values of RDATE
// that are no times are left out.
func recurrenceOf(o *ical.Object, m *ical.Component, zone *ical.Zone) Recurrence {
	var r Recurrence
	if l := m.Line("RRULE"); l != nil {
		r.Rule = strings.TrimSpace(l.Value)
	}
	eachTime(o, m, "RDATE", func(t ical.Time) { r.Dates = append(r.Dates, t.Instant(zone)) })
	eachTime(o, m, "EXDATE", func(t ical.Time) { r.Except = append(r.Except, t.Instant(zone)) })
	return r
}

// eachTime calls fn for the times of a list such as EXDATE.
func eachTime(o *ical.Object, c *ical.Component, name string, fn func(ical.Time)) {
	for _, l := range c.All(name) {
		for _, t := range timesOf(o, l) {
			fn(t)
		}
	}
}

// timesOf gives the times of a line with a list of them.
func timesOf(o *ical.Object, l *ical.Line) []ical.Time {
	var out []ical.Time
	for part := range strings.SplitSeq(l.Value, ",") {
		one := *l
		one.Value = part
		if t, err := o.Time(&one); err == nil {
			out = append(out, t)
		}
	}
	return out
}

// When is the time that an event is to have.
type When struct {
	Start, End time.Time  // instants; of days, midnight as if it were UTC, End being the day after the last
	AllDay     bool       // days
	Zone       *ical.Zone // in which times are written; nil: as they were
}

// NewEvent writes an event or a block as a new iCalendar object. zone places
// days, and is that of times for which w names none.
func NewEvent(uid string, e Event, w When, r Recurrence, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	if w.Zone == nil && !w.AllDay {
		w.Zone = zone
	}
	t := w.times(nil, zone)
	var buf bytes.Buffer
	x := ical.NewWriter(&buf)
	x.Begin("VCALENDAR")
	x.Line("VERSION", "2.0")
	x.Line("PRODID", productID)
	if t.form == ical.Zoned {
		covers := span.Span{Start: w.Start, End: w.End}
		if r.Recurs() {
			covers.End = time.Time{}
		}
		x.Raw([]byte(w.Zone.VTimezone(covers)))
	}
	x.Begin("VEVENT")
	x.Line("UID", ical.EscapeText(uid))
	for _, name := range []string{"DTSTAMP", "CREATED", "LAST-MODIFIED"} {
		x.Line(name, Stamp(now))
	}
	x.Line("SEQUENCE", "0")
	x.Line("DTSTART", t.start, t.params...)
	x.Line("DTEND", t.end, t.params...)
	x.End("VEVENT")
	x.End("VCALENDAR")
	if err := x.Err(); err != nil {
		return nil, fmt.Errorf("write an event: %w", err)
	}
	o, err := ical.ParseResource(buf.Bytes(), ical.Limits{})
	if err != nil {
		return nil, fmt.Errorf("write an event: %w", err)
	}
	ed := editor{o, o.Edit(), o.Master(), zone}
	ed.changeEvent(Event{}, e)
	by := w.placedBy(zone)
	ed.setRecurrence(r, t.form, by, by.Name())
	out, err := ed.e.Apply()
	if err != nil {
		return nil, fmt.Errorf("write an event: %w", err)
	}
	return out, nil
}

// placedBy gives the zone of the wall clocks.
func (w When) placedBy(zone *ical.Zone) *ical.Zone {
	if w.Zone != nil && !w.AllDay {
		return w.Zone
	}
	return zone
}

// times gives DTSTART and DTEND. x is nil for a new event.
func (w When) times(x *editor, zone *ical.Zone) times {
	switch {
	case w.AllDay:
		return times{
			form: ical.Date, start: w.Start.Format(dateLayout), end: w.End.Format(dateLayout),
			params: []ical.Param{{Name: "VALUE", Value: "DATE"}},
		}
	case w.Zone != nil:
		return timesIn(w.Start, w.End, w.Zone)
	case x != nil:
		if l := x.c.Line("DTSTART"); l != nil {
			if t, err := x.o.Time(l); err == nil && t.Form != ical.Date {
				return x.times(w.Start, w.End)
			}
		}
	}
	return timesIn(w.Start, w.End, zone)
}

// changeEvent changes the lines whose meaning differs; times apart.
func (x editor) changeEvent(have, want Event) {
	switch {
	case want.IsBlock && !have.IsBlock:
		x.setType(want.Type)
		x.setLabel(want.Block)
		x.changeFacts(Block{Type: want.Type, Label: want.Label, Lang: want.Lang}, want.Block)
	case want.IsBlock:
		x.changeFacts(have.Block, want.Block)
	default:
		if want.Label != have.Label || want.Lang != have.Lang {
			x.setText("SUMMARY", want.Label, lang(want.Lang)...)
		}
		b := want.Block
		b.Label, b.Type, b.OpenEnded = have.Label, have.Type, have.OpenEnded
		h := have.Block
		h.Lang = b.Lang // the title has been seen to
		x.changeFacts(h, b)
		if want.Lang != have.Lang && want.Notes != "" && want.Notes == have.Notes {
			x.setText("DESCRIPTION", want.Notes, lang(want.Lang)...)
		}
	}
	for _, p := range []struct{ name, have, want string }{
		{propEventType, have.EventType, want.EventType},
		{"LOCATION", have.Location, want.Location},
		{propSubStatus, have.SubStatus, want.SubStatus},
		{propInvoice, have.Invoice, want.Invoice},
		{"STATUS", have.Status, want.Status},
		{"CLASS", have.Class, want.Class},
		{propBefore, Duration(have.BufferBefore), Duration(want.BufferBefore)},
		{propAfter, Duration(have.BufferAfter), Duration(want.BufferAfter)},
	} {
		if p.have != p.want {
			x.setText(p.name, p.want)
		}
	}
	if have.URL != want.URL {
		if want.URL == "" {
			x.e.Remove(x.c, "URL")
		} else {
			x.e.Set(x.c, "URL", want.URL) // a URI is not escaped
		}
	}
	if have.Free != want.Free || want.IsBlock && !have.IsBlock { // a new block always says it
		transp := "OPAQUE"
		if want.Free {
			transp = "TRANSPARENT"
		}
		x.e.Set(x.c, "TRANSP", transp)
	}
	if !slices.Equal(have.Categories, want.Categories) {
		x.setCategories(want)
	}
	if !slices.Equal(have.Attendees, want.Attendees) {
		x.setAttendees(want.Attendees)
	}
}

// setCategories writes the categories, with those that mark a block.
func (x editor) setCategories(want Event) {
	list := slices.Clone(want.Categories)
	if want.IsBlock {
		list = withType(list, want.Type)
	}
	if len(list) == 0 {
		x.e.Remove(x.c, "CATEGORIES")
		return
	}
	var params []ical.Param
	if l := x.c.Line("CATEGORIES"); l != nil {
		params = lang(l.Param("LANGUAGE"))
	}
	x.e.Set(x.c, "CATEGORIES", joinCategories(list), params...)
}

// setAttendees makes the attendees what is wanted; the lines of those who stay
// as they are keep their other parameters.
func (x editor) setAttendees(want []Attendee) {
	var missing []Attendee
	lines := x.c.All("ATTENDEE")
	kept := map[*ical.Line]bool{}
	for _, a := range want {
		i := slices.IndexFunc(lines, func(l *ical.Line) bool {
			return !kept[l] && strings.EqualFold(l.Value, a.Address) && l.Param("CN") == a.Name && partStat(l) == a.Status
		})
		if i < 0 {
			missing = append(missing, a)
		} else {
			kept[lines[i]] = true
		}
	}
	for _, l := range lines {
		if !kept[l] {
			x.e.RemoveLine(x.c, l)
		}
	}
	for _, a := range missing {
		var params []ical.Param
		if a.Name != "" {
			params = append(params, ical.Param{Name: "CN", Value: a.Name})
		}
		if a.Status != "" {
			params = append(params, ical.Param{Name: "PARTSTAT", Value: a.Status})
		}
		x.e.Add(x.c, "ATTENDEE", a.Address, params...)
	}
}

// Duration writes a length as RFC 5545 §3.3.6 does; "" for none.
func Duration(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	for _, u := range []struct {
		unit time.Duration
		text string
	}{{time.Hour, "H"}, {time.Minute, "M"}} {
		if d%u.unit == 0 {
			return "PT" + strconv.FormatInt(int64(d/u.unit), 10) + u.text
		}
	}
	return "PT" + strconv.FormatInt(int64(d/time.Second), 10) + "S"
}

// setRecurrence replaces all that says how a master recurs. Times are written
// in the form of DTSTART, as RFC 5545 §3.8.5.1 and §3.8.5.2 ask.
func (x editor) setRecurrence(r Recurrence, form ical.Form, zone *ical.Zone, tz string) {
	for _, name := range []string{"EXRULE", "RRULE", "RDATE", "EXDATE"} {
		x.e.Remove(x.c, name)
	}
	if !r.Recurs() {
		return
	}
	if r.Rule != "" {
		x.e.Add(x.c, "RRULE", r.Rule)
	}
	for _, list := range []struct {
		name  string
		times []time.Time
	}{{"RDATE", r.Dates}, {"EXDATE", r.Except}} {
		for _, t := range list.times {
			value, params := formText(zone.Wall(t), t, form, tz)
			x.e.Add(x.c, list.name, value, params...)
		}
	}
}

// formText writes a time in a form: its wall clock in the zone, or the instant.
func formText(wall, at time.Time, form ical.Form, tz string) (value string, params []ical.Param) {
	switch form {
	case ical.Date:
		return wall.Format(dateLayout), []ical.Param{{Name: "VALUE", Value: "DATE"}}
	case ical.Floating:
		return wall.Format(wallLayout), nil
	case ical.Zoned:
		return wall.Format(wallLayout), tzid(tz)
	case ical.UTC:
	}
	return Stamp(at), nil
}

// follow gives other with the fields that change from have to want, where
// other said what have says: an override that says something of its own keeps
// it.
func follow(have, want, other Event) Event {
	out := other
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Event]()) {
		if f.Anonymous || slices.Contains([]string{"Start", "End", "RecurrenceID", "Created", "Modified", "Form", "Zone", "Rule", "Sequence"}, f.Name) {
			continue
		}
		at := func(e *Event) reflect.Value { return reflect.ValueOf(e).Elem().FieldByIndex(f.Index) }
		h, w, o := at(&have), at(&want), at(&out)
		if !reflect.DeepEqual(h.Interface(), w.Interface()) && reflect.DeepEqual(h.Interface(), o.Interface()) {
			o.Set(w)
		}
	}
	return out
}

// ErrRange tells that an object has overrides that stand for all that follow
// (RANGE=THISANDFUTURE), which only their own program can change in part.
var ErrRange = errors.New("the series has overrides of a range")
