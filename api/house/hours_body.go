package house

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"daybook/api/blocks"
	"daybook/api/hours"
	"daybook/api/rest"
)

// Bounds of hours in a request.
const (
	maxWeekly     = 500
	maxExceptions = 1000
	maxOpenings   = 100 // of one exception
	maxHoursName  = 1000
)

// day is a date, YYYY-MM-DD, of a request.
type day struct{ hours.Date }

// UnmarshalText reads a date; the error's text goes on from the field's name.
func (d *day) UnmarshalText(b []byte) (err error) {
	d.Date, err = hours.ParseDate(string(b))
	return err
}

// UnmarshalJSON reads a string.
func (d *day) UnmarshalJSON(b []byte) error { return fromString(b, d.UnmarshalText) }

// fromString reads a JSON string and gives it to read.
func fromString(raw []byte, read func([]byte) error) error {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return errors.New("must be a string")
	}
	return read([]byte(s))
}

// clock is a wall clock in whole minutes, 00:00 to 24:00.
type clock int32

// UnmarshalJSON reads HH:MM.
func (c *clock) UnmarshalJSON(b []byte) error {
	return fromString(b, func(b []byte) error {
		if string(b) == "24:00" {
			*c = 24 * 60
			return nil
		}
		t, err := hours.ParseClock(string(b))
		if err != nil || len(b) != 5 {
			return errors.New("must be a time, HH:MM, up to 24:00")
		}
		*c = clock(t / 60)
		return nil
	})
}

// weekday is the English name of a day.
type weekday time.Weekday

// UnmarshalJSON reads a name in any case.
func (d *weekday) UnmarshalJSON(b []byte) error {
	return fromString(b, func(b []byte) error {
		for i := range time.Saturday + 1 {
			if strings.EqualFold(i.String(), string(b)) {
				*d = weekday(i)
				return nil
			}
		}
		return errors.New("must be a day of the week, monday to sunday")
	})
}

// hoursBody is hours that replace others.
type hoursBody struct {
	Weekly     []weeklyBody `json:"weekly"`
	Exceptions []datedBody  `json:"exceptions"`
}

// hoursFields are the parts of hours that can be changed by themselves.
type hoursFields struct {
	Weekly     rest.Opt[[]weeklyBody] `json:"weekly"`
	Exceptions rest.Opt[[]datedBody]  `json:"exceptions"`
}

type weeklyBody struct {
	Day    rest.Opt[weekday] `json:"day"`
	Opens  rest.Opt[clock]   `json:"opens"`
	Closes rest.Opt[clock]   `json:"closes"`
}

type datedBody struct {
	Name     rest.Opt[string] `json:"name"`
	From     rest.Opt[day]    `json:"from"`
	To       rest.Opt[day]    `json:"to" doc:"Absent: as from."`
	Openings []datedOpening   `json:"openings"`
}

type datedOpening struct {
	Date   rest.Opt[day]   `json:"date" doc:"Absent: the only day of the exception."`
	Opens  rest.Opt[clock] `json:"opens"`
	Closes rest.Opt[clock] `json:"closes"`
}

func (b *hoursBody) check(f *rest.Faults) {
	checkWeekly(f, b.Weekly)
	checkDated(f, b.Exceptions)
}

func (b *hoursFields) check(f *rest.Faults) {
	checkWeekly(f, b.Weekly.Or(nil))
	checkDated(f, b.Exceptions.Or(nil))
}

// apply puts what was sent in the place of what was; null takes all away.
func (b *hoursFields) apply(c *hours.Calendar) {
	if b.Weekly.Present() {
		c.Hours = weeklyOf(b.Weekly.Or(nil))
	}
	if b.Exceptions.Present() {
		c.Exceptions = datedOf(b.Exceptions.Or(nil))
	}
}

func checkWeekly(f *rest.Faults, all []weeklyBody) {
	if len(all) > maxWeekly {
		f.Add("weekly", "must have at most "+strconv.Itoa(maxWeekly)+" members")
		return
	}
	for i, w := range all {
		at := "weekly." + strconv.Itoa(i)
		required(f, at+".day", w.Day)
		checkTimes(f, at, w.Opens, w.Closes)
	}
}

// required notes that a value is absent or null.
func required[T any](f *rest.Faults, field string, o rest.Opt[T]) {
	if _, ok := o.Get(); !ok && !f.Has(field) {
		f.Add(field, "is required")
	}
}

func checkTimes(f *rest.Faults, at string, opens, closes rest.Opt[clock]) {
	required(f, at+".opens", opens)
	required(f, at+".closes", closes)
	if f.Has(at+".opens") || f.Has(at+".closes") {
		return
	}
	switch opens.Or(0) {
	case 24 * 60:
		f.Add(at+".opens", "must be before 24:00")
	case closes.Or(0):
		f.Add(at+".closes", "must not be when it opens; 24:00 is the end of the day")
	}
}

func checkDated(f *rest.Faults, all []datedBody) {
	if len(all) > maxExceptions {
		f.Add("exceptions", "must have at most "+strconv.Itoa(maxExceptions)+" members")
		return
	}
	whole := true
	for i := range all {
		whole = all[i].check(f, "exceptions."+strconv.Itoa(i)) && whole
	}
	if !whole {
		return
	}
	for _, i := range hours.OverlappingExceptions(datedOf(all)) {
		f.Add("exceptions."+strconv.Itoa(i), "shares a day with another")
	}
}

// check tells what is wrong with an exception; false if anything is.
func (b *datedBody) check(f *rest.Faults, at string) bool {
	if n, ok := blocks.CleanText(b.Name.Or("")); !ok || len(n) > maxHoursName {
		f.Add(at+".name", "must be a text of at most "+strconv.Itoa(maxHoursName)+" bytes")
	}
	required(f, at+".from", b.From)
	if f.Has(at) {
		return false
	}
	from, _ := b.From.Get()
	to := b.To.Or(from)
	switch {
	case to.Date < from.Date:
		f.Add(at+".to", "must not be before from")
	case len(b.Openings) > maxOpenings:
		f.Add(at+".openings", "must have at most "+strconv.Itoa(maxOpenings)+" members")
	}
	for i, o := range b.Openings {
		at := at + ".openings." + strconv.Itoa(i)
		if _, ok := o.Date.Get(); !ok && from != to {
			required(f, at+".date", o.Date)
		}
		checkTimes(f, at, o.Opens, o.Closes)
	}
	if f.Has(at) {
		return false
	}
	e := b.exception()
	for i, s := range e.Openings {
		if s.Start.Date < e.Start || s.End.Date > e.End {
			f.Add(at+".openings."+strconv.Itoa(i), "must begin and end on days of the exception")
		}
	}
	if !f.Has(at) && hours.SpansOverlap(e.Openings) {
		f.Add(at+".openings", "must not overlap")
	}
	return !f.Has(at)
}

// weeklyOf gives the openings of a checked list, in their normal form.
func weeklyOf(all []weeklyBody) []hours.Opening {
	var out []hours.Opening
	for _, w := range all {
		d, _ := w.Day.Get()
		opens, closes := w.Opens.Or(0), w.Closes.Or(0)
		o := hours.Opening{StartDay: time.Weekday(d), Start: hours.Clock(opens) * 60, EndDay: time.Weekday(d), End: hours.Clock(closes-1) * 60}
		switch {
		case closes == 0:
			o.End = hours.LastMinute
		case closes < opens:
			o.EndDay = (o.EndDay + 1) % 7
		}
		out = append(out, o)
	}
	return hours.Normal(out)
}

func datedOf(all []datedBody) []hours.Exception {
	var out []hours.Exception
	for i := range all {
		out = append(out, all[i].exception())
	}
	return out
}

func (b *datedBody) exception() hours.Exception {
	from, _ := b.From.Get()
	e := hours.Exception{Start: from.Date, End: b.To.Or(from).Date}
	for _, o := range b.Openings {
		d, opens, closes := o.Date.Or(from).Date, o.Opens.Or(0), o.Closes.Or(0)
		last := d
		if closes <= opens && closes > 0 {
			last++
		}
		if closes == 0 {
			closes = 24 * 60
		}
		e.Openings = append(e.Openings, hours.Span{
			Start: hours.Moment{Date: d, Clock: hours.Clock(opens) * 60},
			End:   hours.Moment{Date: last, Clock: hours.Clock(closes-1) * 60},
		})
	}
	e.Name, _ = blocks.CleanText(b.Name.Or(""))
	if strings.TrimSpace(e.Name) == "" {
		if e.Name = "Closed"; len(e.Openings) > 0 {
			e.Name = "Special hours"
		}
	}
	return e
}

func showWeekly(all []hours.Opening) []WeeklyOpening {
	out := []WeeklyOpening{}
	for _, o := range hours.Normal(all) {
		out = append(out, WeeklyOpening{strings.ToLower(o.StartDay.String()), showMinute(int(o.Start / 60)), showMinute(int(o.End/60) + 1)})
	}
	return out
}

func showMinute(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

func showDated(all []hours.Exception) []DatedHours {
	out := []DatedHours{}
	for _, e := range all {
		x := DatedHours{Name: e.Name, From: e.Start.String(), To: e.End.String(), Openings: []DatedOpening{}}
		for _, s := range e.Openings {
			x.Openings = append(x.Openings, showSpan(s)...)
		}
		out = append(out, x)
	}
	return out
}

// showSpan gives the openings of a span: one, or, of a day or longer, one for
// each of its days.
func showSpan(s hours.Span) []DatedOpening {
	const minutes = 24 * 60
	start := int(s.Start.Date)*minutes + int(s.Start.Clock/60)
	end := int(s.End.Date)*minutes + int(s.End.Clock/60) + 1
	var out []DatedOpening
	add := func(from, to int) {
		d := hours.Date(from / minutes)
		if from < 0 {
			d = hours.Date((from+1)/minutes - 1)
		}
		closes := to - int(d)*minutes
		if closes > minutes {
			closes -= minutes
		}
		out = append(out, DatedOpening{d.String(), showMinute(from - int(d)*minutes), showMinute(closes)})
	}
	for end-start >= minutes {
		next := start + minutes - ((start%minutes)+minutes)%minutes
		add(start, next)
		start = next
	}
	if start < end {
		add(start, end)
	}
	return out
}
