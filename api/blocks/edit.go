package blocks

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// Update gives the object with the instance's component changed to what is
// wanted; only lines whose meaning differs are touched. It is for objects that
// do not recur: to change one instance of a series, see Detach. zone places
// floating and all-day times.
func Update(o *ical.Object, i ical.Instance, want Block, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	e := o.Edit()
	editor{o, e, i.Component, zone}.change(Read(i), want, now)
	out, err := e.Apply()
	if err != nil {
		return nil, fmt.Errorf("change a block: %w", err)
	}
	return out, nil
}

// Touch gives the object with a new time of change and nothing else; for a
// change of membership alone.
func Touch(o *ical.Object, i ical.Instance, now time.Time) (*ical.Object, error) {
	e := o.Edit()
	editor{o: o, e: e, c: i.Component}.stamp(now)
	out, err := e.Apply()
	if err != nil {
		return nil, fmt.Errorf("touch a block: %w", err)
	}
	return out, nil
}

// editor changes one component.
type editor struct {
	o    *ical.Object
	e    *ical.Edit
	c    *ical.Component
	zone *ical.Zone
}

// Same reports whether two blocks say the same; times of change do not count.
func Same(a, b Block) bool {
	a.RecurrenceID, a.Created, a.Modified = b.RecurrenceID, b.Created, b.Modified
	if !a.Start.Equal(b.Start) || !a.End.Equal(b.End) {
		return false
	}
	a.Start, a.End = b.Start, b.End
	return a == b
}

func (x editor) change(have, want Block, now time.Time) {
	if Same(have, want) {
		return
	}
	if !want.Start.Equal(have.Start) || !want.End.Equal(have.End) {
		x.setTimes(want.Start, want.End)
		x.e.Set(x.c, "SEQUENCE", strconv.Itoa(sequence(x.c)+1))
	}
	x.changeFacts(have, want)
	x.stamp(now)
}

// changeFacts changes all but times.
func (x editor) changeFacts(have, want Block) {
	if want.Type != have.Type {
		x.setType(want.Type)
	}
	switch {
	case want.Label != have.Label || want.Label == "" && untitled(x.c) && want.Type != have.Type || want.Lang != have.Lang:
		x.setLabel(want)
	case want.Label == want.Type.Title():
		x.e.Remove(x.c, propUntitled) // it was the name of another type, so it is a label of its own
	}
	if want.Notes != have.Notes || want.Lang != have.Lang {
		x.setText("DESCRIPTION", want.Notes, lang(want.Lang)...)
	}
	if want.Color != have.Color {
		x.setColor(want.Color)
	}
	if want.OpenEnded {
		x.setText(propOpen, isTrue)
	} else {
		x.e.Remove(x.c, propOpen)
	}
	for _, p := range []struct{ name, have, want string }{
		{propOrigin, have.Origin, want.Origin},
		{propExternal, have.ExternalID, want.ExternalID},
		{propService, have.ServiceID, want.ServiceID},
		{propExtra, have.Extra, want.Extra},
	} {
		if p.have != p.want {
			x.setText(p.name, p.want)
		}
	}
}

// stamp notes the time of a change (RFC 5545 §3.8.7.2, §3.8.7.3).
func (x editor) stamp(now time.Time) {
	x.e.Set(x.c, "DTSTAMP", Stamp(now))
	x.e.Set(x.c, "LAST-MODIFIED", Stamp(now))
}

// setText sets or removes a property.
func (x editor) setText(name, text string, params ...ical.Param) {
	if text == "" {
		x.e.Remove(x.c, name)
		return
	}
	x.e.Set(x.c, name, ical.EscapeText(text), params...)
}

func (x editor) setType(t Type) {
	var params []ical.Param
	if l := x.c.Line("CATEGORIES"); l != nil {
		params = lang(l.Param("LANGUAGE"))
	}
	x.e.Set(x.c, "CATEGORIES", joinCategories(withType(categories(x.c), t)), params...)
	x.e.Set(x.c, propType, string(t))
}

func (x editor) setLabel(want Block) {
	if want.Label == "" {
		x.e.Set(x.c, "SUMMARY", want.Type.Title(), lang(want.Lang)...)
		x.e.Set(x.c, propUntitled, isTrue)
		return
	}
	x.setText("SUMMARY", want.Label, lang(want.Lang)...)
	x.e.Remove(x.c, propUntitled)
}

func (x editor) setColor(hex string) {
	x.setText("COLOR", NearestName(hex))
	x.setText(propColor, hex)
}

// setTimes writes DTSTART and DTEND in the form that DTSTART has, as far as
// that can say the new times; else as wall clock of the zone.
func (x editor) setTimes(start, end time.Time) {
	t := x.times(start, end)
	if t.form == ical.Zoned {
		x.needZone(t.params[0].Value, span.Span{Start: start, End: end})
	}
	x.setTime("DTSTART", t.start, t.params)
	x.setTime("DTEND", t.end, t.params)
	x.e.Remove(x.c, "DURATION")
}

// setTime leaves a line that says the same already as it is.
func (x editor) setTime(name, value string, params []ical.Param) {
	if l := x.c.Line(name); l != nil && l.Value == value && len(x.c.All(name)) == 1 {
		same := true
		for _, p := range []string{"TZID", "VALUE"} {
			same = same && l.Param(p) == paramOf(params, p)
		}
		if same {
			return
		}
	}
	x.e.Set(x.c, name, value, params...)
}

func paramOf(params []ical.Param, name string) string {
	for _, p := range params {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

func (x editor) times(start, end time.Time) times {
	l := x.c.Line("DTSTART")
	if l == nil {
		return timesIn(start, end, x.zone)
	}
	have, err := x.o.Time(l)
	if err != nil {
		return timesIn(start, end, x.zone)
	}
	a, b := x.zone.Wall(start), x.zone.Wall(end)
	exact := x.zone.Instant(a).Equal(start) && x.zone.Instant(b).Equal(end)
	switch have.Form {
	case ical.UTC:
		return times{form: ical.UTC, start: Stamp(start), end: Stamp(end)}
	case ical.Date:
		if exact && midnight(a) && midnight(b) && b.After(a) {
			return times{form: ical.Date, start: a.Format(dateLayout), end: b.Format(dateLayout), params: []ical.Param{{Name: "VALUE", Value: "DATE"}}}
		}
	case ical.Floating:
		if exact && l.Param("TZID") == "" {
			return times{form: ical.Floating, start: a.Format(wallLayout), end: b.Format(wallLayout)}
		}
	case ical.Zoned:
		a, b = have.Zone.Wall(start), have.Zone.Wall(end)
		if have.Zone.Instant(a).Equal(start) && have.Zone.Instant(b).Equal(end) {
			return zoned(a, b, l.Param("TZID"))
		}
	}
	return timesIn(start, end, x.zone)
}

func midnight(wall time.Time) bool { return wall.Equal(wall.Truncate(24 * time.Hour)) }

// needZone adds the VTIMEZONE of a TZID that the object has none for.
func (x editor) needZone(name string, s span.Span) {
	for _, c := range x.o.Root().Children {
		if c.Name == "VTIMEZONE" && c.Text("TZID") == name {
			return
		}
	}
	if z := ical.LookupZone(name); z != nil && z.Name() == name {
		x.e.AddComponent(x.o.Root(), z.VTimezone(s))
	}
}

// Find gives the instance with this RECURRENCE-ID, wherever an override has
// moved it. ok is false if there is none. zone places floating times.
func Find(o *ical.Object, rid time.Time, zone *ical.Zone) (found ical.Instance, ok bool) {
	const near = 400 * 24 * time.Hour
	for _, w := range []span.Span{
		{Start: rid, End: rid.Add(time.Second)},
		{Start: rid.Add(-near), End: rid.Add(near)},
		{},
	} {
		// What was found before a limit counts, and the limit itself only
		// says that there is more.
		_ = o.EachInstance(ical.Expand{Window: w, Zone: zone}, func(i *ical.Instance) bool {
			if i.RecurrenceID.Equal(rid) {
				found, ok = *i, true
			}
			return !ok
		})
		if ok {
			return found, true
		}
	}
	return ical.Instance{}, false
}

// First gives the earliest instance; ok is false if there is none.
func First(o *ical.Object, zone *ical.Zone) (first ical.Instance, ok bool) {
	_ = o.EachInstance(ical.Expand{Zone: zone}, func(i *ical.Instance) bool {
		first, ok = *i, true
		return false
	})
	return first, ok
}

// Detach gives one instance of a series as an object of its own, changed to
// what is wanted. It keeps all other lines of the component that described the
// instance, and names the series as its parent.
func Detach(o *ical.Object, i ical.Instance, uid string, want Block, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	e := o.Edit()
	for _, c := range o.Main() {
		if c != i.Component {
			e.RemoveComponent(c)
		}
	}
	x := editor{o, e, i.Component, zone}
	x.setTimes(i.Start, i.End)
	for _, name := range []string{"RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"} {
		e.Remove(i.Component, name)
	}
	e.Set(i.Component, "UID", ical.EscapeText(uid))
	e.Add(i.Component, "RELATED-TO", ical.EscapeText(o.UID()), ical.Param{Name: "RELTYPE", Value: "PARENT"})
	e.Set(i.Component, "SEQUENCE", "0")
	e.Set(i.Component, "CREATED", Stamp(now))
	x.stamp(now)
	single, err := e.Apply()
	if err != nil {
		return nil, fmt.Errorf("detach an instance: %w", err)
	}
	alone, ok := First(single, zone)
	if !ok {
		return nil, errors.New("detach an instance: it has no time")
	}
	return Update(single, alone, want, zone, now)
}

// ErrLast tells that an instance cannot be taken out because the object has no
// other.
var ErrLast = errors.New("no instance is left")

// Exclude gives the object without one of its instances: EXDATE in the master,
// its override removed. ErrLast when no instance is left: then the object is
// to be removed.
func Exclude(o *ical.Object, rid time.Time, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	e := o.Edit()
	left := 0
	for _, c := range o.Main() {
		l := c.Line("RECURRENCE-ID")
		if l != nil && at(o, l, rid, zone) && !(editor{o, e, c, zone}).beginLater(l, rid) {
			e.RemoveComponent(c)
			continue
		}
		left++
	}
	if left == 0 {
		return nil, ErrLast
	}
	if m := o.Master(); m != nil {
		value, params, err := excluded(o, m, rid, zone)
		if err != nil {
			return nil, err
		}
		e.Add(m, "EXDATE", value, params...)
		e.Set(m, "SEQUENCE", strconv.Itoa(sequence(m)+1))
		editor{o: o, e: e, c: m}.stamp(now)
	}
	out, err := e.Apply()
	if err != nil {
		return nil, fmt.Errorf("exclude an instance: %w", err)
	}
	if _, ok := First(out, zone); !ok {
		return nil, ErrLast
	}
	return out, nil
}

// beginLater makes an override that stands for its instance and all that follow
// (RANGE=THISANDFUTURE, RFC 5545 §3.2.13) begin with the one after rid. false if it is
// no such override, or no instance follows.
func (x editor) beginLater(l *ical.Line, rid time.Time) bool {
	master := x.o.Master()
	if l.Param("RANGE") == "" || master == nil {
		return false
	}
	this, ok := Find(x.o, rid, x.zone)
	if !ok {
		return false
	}
	var next ical.Instance
	_ = x.o.EachInstance(ical.Expand{Window: span.Span{Start: this.Start}, Zone: x.zone}, func(i *ical.Instance) bool {
		if i.Component == x.c && i.RecurrenceID.After(rid) {
			next = *i
		}
		return next.Component == nil
	})
	if next.Component == nil {
		return false
	}
	value, params, err := excluded(x.o, master, next.RecurrenceID, x.zone)
	if err != nil {
		return false
	}
	x.e.Set(x.c, "RECURRENCE-ID", value, append(params, ical.Param{Name: "RANGE", Value: l.Param("RANGE")})...)
	x.setTimes(next.Start, next.End)
	return true
}

func at(o *ical.Object, l *ical.Line, rid time.Time, zone *ical.Zone) bool {
	t, err := o.Time(l)
	return err == nil && t.Instant(zone).Equal(rid)
}

// excluded writes the EXDATE or RECURRENCE-ID of an instance in the form of
// DTSTART, as RFC 5545 §3.8.5.1 and §3.8.4.4 ask.
func excluded(o *ical.Object, master *ical.Component, rid time.Time, zone *ical.Zone) (string, []ical.Param, error) {
	l := master.Line("DTSTART")
	if l == nil {
		return "", nil, errors.New("exclude an instance: the series has no DTSTART")
	}
	t, err := o.Time(l)
	if err != nil {
		return "", nil, fmt.Errorf("exclude an instance: %w", err)
	}
	switch t.Form {
	case ical.Date:
		return zone.Wall(rid).Format(dateLayout), []ical.Param{{Name: "VALUE", Value: "DATE"}}, nil
	case ical.Floating:
		return zone.Wall(rid).Format(wallLayout), nil, nil
	case ical.Zoned:
		return t.Zone.Wall(rid).Format(wallLayout), tzid(l.Param("TZID")), nil
	case ical.UTC:
	}
	return Stamp(rid), nil, nil
}

// ParseStamp reads what Stamp wrote, and nothing else.
func ParseStamp(s string) (time.Time, error) {
	t, err := time.Parse(stampLayout, s)
	if err != nil || s != Stamp(t) {
		return time.Time{}, errors.New("not a time of the form 20060102T150405Z")
	}
	return t, nil
}
