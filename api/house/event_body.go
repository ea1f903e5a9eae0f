package house

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
)

// Bounds of an event in a request.
const (
	maxEventText    = 64 << 10
	maxEventLine    = 1000
	maxEventList    = 200 // categories, attendees
	maxEventDates   = 1000
	maxEventTargets = 200
)

var typeWord = regexp.MustCompile(`^[A-Za-z][A-Za-z_-]{0,63}$`)

var (
	statusWords     = []string{"confirmed", "tentative", "cancelled"}
	visibilityWords = []string{"public", "private", "confidential"}
	attendeeWords   = []string{"needs-action", "accepted", "declined", "tentative", "delegated"}
)

// check tells what is wrong with an event or block; at is "" or the path to it.
func (b *eventBody) check(f *rest.Faults, at string, block bool) {
	in := func(name string) string {
		if at == "" {
			return name
		}
		return at + "." + name
	}
	for _, x := range []struct {
		name string
		text rest.Opt[string]
		most int
		line bool // without line breaks
	}{
		{"title", b.Title, maxEventLine, false},
		{"notes", b.Notes, maxEventText, false},
		{"location", b.Location, maxEventLine, false},
		{"substatus", b.SubStatus, 255, true},
		{"service_id", b.Service, 255, true},
		{"origin", b.Origin, 255, true},
		{"external_id", b.External, 255, true},
		{"invoice", b.Invoice, 255, true},
		{"lang", b.Lang, 35, true},
		{"uid", b.UID, 255, true},
	} {
		checkText(f, in(x.name), x.text, x.most, x.line)
	}
	if u, ok := b.UID.Get(); ok && strings.TrimSpace(u) == "" {
		f.Add(in("uid"), "must not be empty")
	}
	if b.Lang.Or("x") != "x" && !langWord.MatchString(b.Lang.Or("")) {
		f.Add(in("lang"), "must be a language tag, such as de or en-GB")
	}
	if u, ok := b.URL.Get(); ok {
		if p, err := url.Parse(u); err != nil || p.Scheme == "" || len(u) > 2000 || strings.ContainsFunc(u, notInURI) {
			f.Add(in("url"), "must be a URI with its scheme, of at most 2000 bytes")
		}
	}
	if c, ok := b.Color.Get(); ok && !colorText.MatchString(c) {
		f.Add(in("color"), "must be of the form #RRGGBB")
	}
	if z, ok := b.Zone.Get(); ok && ical.LookupZone(z) == nil {
		f.Add(in("zone"), "must be the IANA name of a time zone")
	}
	b.checkWords(f, in, block)
	b.checkLists(f, in, block)
	b.checkTimes(f, in, block)
	if len(b.Extra.Or("")) > maxEventText {
		f.Add(in("extra"), "must have at most "+strconv.Itoa(maxEventText)+" bytes")
	}
}

var langWord = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

func notInURI(r rune) bool {
	return r <= ' ' || r == 0x7f || r == '"' || r == '<' || r == '>' || r == '\\'
}

func checkText(f *rest.Faults, at string, o rest.Opt[string], most int, line bool) {
	text, ok := o.Get()
	if !ok {
		return
	}
	_, clean := blocks.CleanText(text)
	switch {
	case len(text) > most:
		f.Add(at, "must have at most "+strconv.Itoa(most)+" bytes")
	case !clean || line && strings.ContainsFunc(text, unicode.IsControl):
		f.Add(at, "must not have control characters")
	}
}

func (b *eventBody) checkWords(f *rest.Faults, in func(string) string, block bool) {
	one := func(name string, o rest.Opt[string], words []string) {
		if w, ok := o.Get(); ok && !slices.Contains(words, w) {
			f.Add(in(name), "must be one of "+strings.Join(words, ", "))
		}
	}
	one("status", b.Status, statusWords)
	one("visibility", b.Visibility, visibilityWords)
	one("conflict", b.Conflict, []string{"allow", "refuse"})
	switch t, ok := b.Type.Get(); {
	case !ok:
	case block && !blocks.Type(t).Valid():
		f.Add(in("type"), "must be cleaning, break, meeting or other")
	case !block && !typeWord.MatchString(t):
		f.Add(in("type"), "must be a word, such as APPOINTMENT, CLASS, TIME_OFF or VACATION")
	}
}

func (b *eventBody) checkLists(f *rest.Faults, in func(string) string, block bool) {
	few := func(name string, n, most int) {
		if n > most {
			f.Add(in(name), "must have at most "+strconv.Itoa(most)+" members")
		}
	}
	few("categories", len(b.Categories.Or(nil)), maxEventList)
	few("attendees", len(b.Attendees.Or(nil)), maxEventList)
	few("resources", len(b.Resources.Or(nil)), maxEventTargets)
	for i, c := range b.Categories.Or(nil) {
		at := in("categories." + strconv.Itoa(i))
		checkText(f, at, rest.Some(c), 255, true)
		if strings.TrimSpace(c) != c || c == "" {
			f.Add(at, "must not be empty, or begin or end with a space")
		}
	}
	for i, a := range b.Attendees.Or(nil) {
		at := in("attendees." + strconv.Itoa(i))
		required(f, at+".email", a.Email)
		if e := a.Email.Or("x@y"); !strings.ContainsAny(e, "@:") || len(e) > 320 || strings.ContainsFunc(e, notInURI) {
			f.Add(at+".email", "must be an address")
		}
		checkText(f, at+".name", a.Name, 255, true)
		if strings.Contains(a.Name.Or(""), `"`) {
			f.Add(at+".name", "must not have quotes")
		}
		if w, ok := a.Status.Get(); ok && !slices.Contains(attendeeWords, w) {
			f.Add(at+".status", "must be one of "+strings.Join(attendeeWords, ", "))
		}
	}
	if block && len(b.Attendees.Or(nil)) > 0 {
		f.Add(in("attendees"), "must be empty: a block invites nobody")
	}
	if !block && b.Resources.Present() {
		f.Add(in("resources"), "is for blocks: an event is in the calendar that it is created in")
	}
}

func (b *eventBody) checkTimes(f *rest.Faults, in func(string) string, block bool) {
	start, has := b.Start.Get()
	end, also := b.End.Get()
	open := b.OpenEnded.Or(false)
	switch {
	case b.Start.IsNull():
		f.Add(in("start"), "must not be null")
	case b.End.IsNull() && !open:
		f.Add(in("end"), "must not be null")
	case open && !block:
		f.Add(in("open_ended"), "is for blocks")
	case open && also:
		f.Add(in("end"), "must be absent: the block has no end")
	case has && also && start.day != end.day:
		f.Add(in("end"), "must be a date if start is one, else a time")
	case has && also && !end.at.After(start.at):
		f.Add(in("end"), "must be after start")
	}
	r, ok := b.Recurrence.Get()
	if !ok {
		return
	}
	if open {
		f.Add(in("open_ended"), "must not recur")
	}
	checkText(f, in("recurrence.rrule"), r.Rule, maxEventLine, true)
	if rule, ok := r.Rule.Get(); ok && !strings.Contains(strings.ToUpper(rule), "FREQ=") {
		f.Add(in("recurrence.rrule"), "must be a rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO")
	}
	if _, ok := r.Rule.Get(); !ok && len(r.Dates) == 0 {
		f.Add(in("recurrence.rrule"), "is required, unless there are dates")
	}
	if len(r.Dates)+len(r.Exceptions) > maxEventDates {
		f.Add(in("recurrence"), "must have at most "+strconv.Itoa(maxEventDates)+" dates and exceptions")
	}
}

// facts gives an event with all that was sent, but times.
func (b *eventBody) facts(e blocks.Event) blocks.Event {
	was := e
	clean := func(s string) string {
		s, _ = blocks.CleanText(s)
		return s
	}
	for _, x := range []struct {
		sent rest.Opt[string]
		to   *string
		as   func(string) string
	}{
		{b.Title, &e.Label, clean},
		{b.Notes, &e.Notes, clean},
		{b.Location, &e.Location, clean},
		{b.URL, &e.URL, nil},
		{b.Lang, &e.Lang, nil},
		{b.Status, &e.Status, strings.ToUpper},
		{b.SubStatus, &e.SubStatus, nil},
		{b.Visibility, &e.Class, classOf},
		{b.Color, &e.Color, strings.ToLower},
		{b.Service, &e.ServiceID, nil},
		{b.Origin, &e.Origin, nil},
		{b.External, &e.ExternalID, nil},
		{b.Invoice, &e.Invoice, strings.ToUpper},
	} {
		if !x.sent.Present() {
			continue
		}
		if *x.to = x.sent.Or(""); x.as != nil {
			*x.to = x.as(*x.to)
		}
	}
	if e.Status == "CONFIRMED" && was.Status == "" {
		e.Status = "" // which means it
	}
	switch {
	case !b.Type.Present():
	case e.IsBlock:
		e.Type = blocks.Type(b.Type.Or(string(blocks.Other)))
	default:
		e.EventType = strings.ToUpper(b.Type.Or(""))
	}
	if b.Busy.Present() {
		e.Free = !b.Busy.Or(true)
	}
	if b.BufferBefore.Present() {
		e.BufferBefore = time.Duration(b.BufferBefore.Or(0))
	}
	if b.BufferAfter.Present() {
		e.BufferAfter = time.Duration(b.BufferAfter.Or(0))
	}
	if b.Extra.Present() {
		e.Extra = string(b.Extra.Or(""))
	}
	if b.OpenEnded.Present() || b.End.Present() {
		e.OpenEnded = b.OpenEnded.Or(false)
	}
	if b.Categories.Present() {
		e.Categories = b.Categories.Or(nil)
	}
	if b.Attendees.Present() {
		e.Attendees = nil
		for _, a := range b.Attendees.Or(nil) {
			e.Attendees = append(e.Attendees, a.attendee())
		}
	}
	return e
}

// classOf writes CLASS; what is public need not be said.
func classOf(word string) string {
	if word == "public" {
		return ""
	}
	return strings.ToUpper(word)
}

func (a *attendeeBody) attendee() blocks.Attendee {
	out := blocks.Attendee{Address: a.Email.Or(""), Name: a.Name.Or(""), Status: strings.ToUpper(a.Status.Or(""))}
	if !strings.Contains(out.Address, ":") {
		out.Address = "mailto:" + out.Address
	}
	if out.Status == "NEEDS-ACTION" {
		out.Status = "" // the default
	}
	return out
}

// timed reports whether the body says anything about times.
func (b *eventBody) timed() bool {
	return b.Start.Present() || b.End.Present() || b.Zone.Present() || b.OpenEnded.Present()
}

// when gives the times that are wanted of an event that has those of have (nil:
// a new one). zone is the calendar's.
func (b *eventBody) when(have *blocks.Event, zone *ical.Zone, f *rest.Faults) blocks.When {
	var w blocks.When
	if z, ok := b.Zone.Get(); ok {
		w.Zone = ical.LookupZone(z)
	}
	start, from := b.Start.Get()
	end, to := b.End.Get()
	if have != nil {
		w.AllDay = have.Form == ical.Date
		w.Start, w.End = have.Start, have.End
		if w.AllDay {
			w.Start, w.End = zone.Wall(have.Start), zone.Wall(have.End)
		}
	}
	length := w.End.Sub(w.Start)
	switch {
	case from && to:
		w.Start, w.End, w.AllDay = start.at, end.at, start.day
	case from && have != nil && start.day == w.AllDay:
		w.Start, w.End = start.at, start.at.Add(length)
	case from && start.day:
		w.Start, w.End, w.AllDay = start.at, start.at.AddDate(0, 0, 1), true
	case from && have == nil:
		w.Start = start.at // and maybe no end
	case from:
		f.Add("end", "is required: the event was of whole days")
	case to && end.day != w.AllDay:
		f.Add("end", "must be a date if start is one, else a time")
	case to:
		w.End = end.at
	}
	open := b.OpenEnded.Or(have != nil && have.OpenEnded && !b.OpenEnded.Present() && !to)
	switch {
	case open && w.AllDay:
		f.Add("open_ended", "must begin at a time")
	case open:
		w.End = blocks.OpenEnd(w.Start)
	case have == nil && from && !to && !start.day, have != nil && have.OpenEnded && !to:
		f.Add("end", "is required")
	case !w.End.After(w.Start):
		f.Add("end", "must be after start")
	}
	if w.AllDay {
		w.Zone = nil
	}
	return w
}

// rule gives the recurrence that is wanted; nil for as it was.
func (b *eventBody) rule(allDay bool, zone *ical.Zone, f *rest.Faults) *blocks.Recurrence {
	if !b.Recurrence.Present() {
		return nil
	}
	r, _ := b.Recurrence.Get()
	out := &blocks.Recurrence{Rule: strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(r.Rule.Or(""))), "RRULE:")}
	for _, list := range []struct {
		name string
		from []moment
		to   *[]time.Time
	}{{"dates", r.Dates, &out.Dates}, {"exceptions", r.Exceptions, &out.Except}} {
		for i, m := range list.from {
			if m.day != allDay {
				f.Add("recurrence."+list.name+"."+strconv.Itoa(i), "must be a date if start is one, else a time")
			}
			*list.to = append(*list.to, m.instant(zone))
		}
	}
	return out
}
