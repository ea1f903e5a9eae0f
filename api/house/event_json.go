package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

// CalendarEvent is an event or a block as the house API shows it: a single one,
// an instance of a series, or a series.
type CalendarEvent struct {
	ID        string      `json:"id" doc:"UUID, and for an instance of a series its original start: UUID_20270301T113000Z."`
	UID       string      `json:"uid" doc:"That calendar clients know it by."`
	Kind      string      `json:"kind" enum:"event,block"`
	Resources []uuid.UUID `json:"resources"`

	Title    *string `json:"title"`
	Notes    *string `json:"notes"`
	Location *string `json:"location"`
	URL      *string `json:"url"`
	Lang     *string `json:"lang" doc:"Of title and notes (RFC 5646)."`

	Start    string  `json:"start" doc:"RFC 3339; of whole days YYYY-MM-DD."`
	End      *string `json:"end" doc:"The first that is free again; of whole days the day after the last; null: without end."`
	AllDay   bool    `json:"all_day" doc:"Whole days."`
	Zone     *string `json:"zone" doc:"IANA name, in which a series recurs; null for times without a zone of their own."`
	Original *string `json:"original_start"`
	Series   *string `json:"series_id"`

	Type         *string         `json:"type" doc:"Of a block cleaning, break, meeting or other; of an event a word such as APPOINTMENT."`
	Status       string          `json:"status" enum:"confirmed,tentative,cancelled"`
	SubStatus    *string         `json:"substatus"`
	Visibility   string          `json:"visibility" enum:"public,private,confidential"`
	Busy         bool            `json:"busy" doc:"It takes time, unless it is cancelled."`
	Color        *string         `json:"color" doc:"As #rrggbb."`
	Categories   []string        `json:"categories"`
	Attendees    []EventAttendee `json:"attendees"`
	BufferBefore *string         `json:"buffer_before" doc:"ISO 8601."`
	BufferAfter  *string         `json:"buffer_after"`
	Service      *string         `json:"service_id"`
	Origin       *string         `json:"origin"`
	External     *string         `json:"external_id"`
	Invoice      *string         `json:"invoice"`
	Extra        json.RawMessage `json:"extra" doc:"An object of the client's own, or null."`

	Recurrence *EventRecurrence `json:"recurrence" doc:"Of a series."`
	Sequence   int              `json:"sequence" doc:"Counts changes of time."`
	Created    time.Time        `json:"created_at"`
	Modified   time.Time        `json:"updated_at"`
}

// EventAttendee is somebody who takes part.
type EventAttendee struct {
	Email  string  `json:"email" doc:"Or another address, as a URI."`
	Name   *string `json:"name"`
	Status string  `json:"status" doc:"As iCalendar has it, such as needs-action or accepted, in lower case."`
}

// EventRecurrence is how a series recurs.
type EventRecurrence struct {
	Rule       *string  `json:"rrule" doc:"RFC 5545 §3.3.10; null for a series by dates alone."`
	Dates      []string `json:"dates" doc:"Further starts."`
	Exceptions []string `json:"exceptions" doc:"Starts that are left out."`
}

// shownEvent is what an answer is made of.
type shownEvent struct {
	id        uuid.UUID
	object    *store.Object
	event     blocks.Event
	resources []uuid.UUID
	zone      *ical.Zone // places days and times without a zone
	hidden    bool       // it is private, and the asker is nobody of those who may change it
}

// busyTitle stands for the title of what is private to others.
const busyTitle = "Busy"

func (x *shownEvent) show() CalendarEvent {
	e := &x.event
	created, modified := blocks.Ages(e.Created, e.Modified, x.object.Created, x.object.Modified)
	out := CalendarEvent{
		ID: x.id.String(), UID: x.object.UID, Kind: "event", Resources: x.resources,
		Title: orNull(e.Label), Notes: orNull(e.Notes), Location: orNull(e.Location), URL: orNull(e.URL), Lang: orNull(e.Lang),
		AllDay: e.Form == ical.Date, Zone: orNull(e.Zone),
		Type: orNull(e.EventType), Status: wordOr(e.Status, "confirmed"), SubStatus: orNull(e.SubStatus),
		Visibility: wordOr(e.Class, "public"), Busy: !e.Free, Color: orNull(e.Color),
		Categories: e.Categories, Attendees: []EventAttendee{}, BufferBefore: showLength(e.BufferBefore), BufferAfter: showLength(e.BufferAfter),
		Service: orNull(e.ServiceID), Origin: orNull(e.Origin), External: orNull(e.ExternalID), Invoice: orNull(e.Invoice),
		Sequence: e.Sequence, Created: created.UTC(), Modified: modified.UTC(),
	}
	if e.IsBlock {
		out.Kind, out.Type = "block", orNull(string(e.Type))
	}
	by := x.placed()
	out.Start = x.time(by, e.Start)
	if !e.OpenEnded {
		out.End = orNull(x.time(by, e.End))
	}
	if !e.RecurrenceID.IsZero() {
		out.Original, out.Series = orNull(x.time(by, e.RecurrenceID)), orNull(x.id.String())
		out.ID += "_" + blocks.Stamp(e.RecurrenceID)
	}
	if e.Extra != "" {
		out.Extra = json.RawMessage(e.Extra)
	}
	for _, a := range e.Attendees {
		out.Attendees = append(out.Attendees, EventAttendee{strings.TrimPrefix(a.Address, "mailto:"), orNull(a.Name), wordOr(a.Status, "needs-action")})
	}
	if e.Rule.Recurs() {
		out.Recurrence = &EventRecurrence{Rule: orNull(e.Rule.Rule), Dates: x.times(by, e.Rule.Dates), Exceptions: x.times(by, e.Rule.Except)}
	}
	if out.Categories == nil {
		out.Categories = []string{}
	}
	if x.hidden {
		out.hide()
	}
	return out
}

// hide takes all away that a private event tells nobody but those who may
// change it.
func (e *CalendarEvent) hide() {
	title := busyTitle
	e.Title, e.Notes, e.Location, e.URL, e.Lang, e.Type, e.SubStatus = &title, nil, nil, nil, nil, nil, nil
	e.Color, e.Categories, e.Attendees, e.Service, e.Origin, e.External, e.Invoice, e.Extra = nil, []string{}, []EventAttendee{}, nil, nil, nil, nil, nil
}

// placed gives the zone in which times are shown.
func (x *shownEvent) placed() *ical.Zone {
	switch x.event.Form {
	case ical.UTC:
		return ical.UTCZone
	case ical.Zoned:
		if z := ical.LookupZone(x.event.Zone); z != nil {
			return z
		}
	case ical.Floating, ical.Date:
	}
	return x.zone
}

func (x *shownEvent) time(by *ical.Zone, t time.Time) string {
	if x.event.Form == ical.Date {
		return x.zone.Wall(t).Format(time.DateOnly)
	}
	return rfc3339(by, t)
}

func (x *shownEvent) times(by *ical.Zone, all []time.Time) []string {
	out := make([]string, len(all))
	for i, t := range all {
		out[i] = x.time(by, t)
	}
	return out
}

// rfc3339 writes an instant with the offset that the zone has then.
func rfc3339(z *ical.Zone, t time.Time) string {
	return t.In(time.FixedZone("", int(z.Offset(t)/time.Second))).Format(time.RFC3339)
}

func wordOr(word, otherwise string) string {
	if word == "" {
		return otherwise
	}
	return strings.ToLower(word)
}

// showLength writes a duration, null for none.
func showLength(d time.Duration) *string { return orNull(blocks.Duration(d)) }

// moment is a time in a request: an instant, or a day.
type moment struct {
	at  time.Time // of a day, its midnight as if it were UTC
	day bool
}

// UnmarshalText reads RFC 3339 with an offset, or YYYY-MM-DD.
func (m *moment) UnmarshalText(b []byte) error {
	if len(b) == len(time.DateOnly) {
		var d day
		if err := d.UnmarshalText(b); err != nil {
			return err
		}
		*m = moment{d.Time(), true}
		return nil
	}
	t, err := time.Parse(time.RFC3339, strings.ToUpper(string(b)))
	if err != nil || t.Year() < 1 || t.Year() > 9998 {
		return errors.New("must be a time with an offset, such as 2027-03-01T09:00:00+01:00, or a date")
	}
	*m = moment{at: t.UTC().Truncate(time.Second)}
	return nil
}

// UnmarshalJSON reads a string.
func (m *moment) UnmarshalJSON(b []byte) error { return fromString(b, m.UnmarshalText) }

// instant places a day by the zone.
func (m moment) instant(z *ical.Zone) time.Time {
	if m.day {
		return z.Instant(m.at)
	}
	return m.at
}

// length is a duration in a request.
type length time.Duration

// UnmarshalJSON reads a duration of ISO 8601 that has no sign.
func (l *length) UnmarshalJSON(b []byte) error {
	return fromString(b, func(b []byte) error {
		days, exact, err := ical.ParseDuration(string(b))
		d := time.Duration(days)*24*time.Hour + exact
		if err != nil || days < 0 || days > 1 || exact < 0 || d > 24*time.Hour {
			return errors.New("must be a duration of at most a day, such as PT15M")
		}
		*l = length(d)
		return nil
	})
}

// object is a JSON object of a client's own.
type object string

// UnmarshalJSON keeps the text of an object.
func (o *object) UnmarshalJSON(b []byte) error {
	var buf bytes.Buffer
	if len(b) == 0 || b[0] != '{' || json.Compact(&buf, b) != nil {
		return errors.New("must be an object")
	}
	*o = object(buf.String())
	return nil
}

// eventBody is an event or a block in a request. Of a change, what is absent
// stays as it is, and null takes a value away.
type eventBody struct {
	UID       rest.Opt[string]   `json:"uid" doc:"Of a new one."`
	Resources rest.Opt[[]string] `json:"resources" doc:"Of a block: in whose calendars it is."`

	Title    rest.Opt[string] `json:"title"`
	Notes    rest.Opt[string] `json:"notes"`
	Location rest.Opt[string] `json:"location"`
	URL      rest.Opt[string] `json:"url"`
	Lang     rest.Opt[string] `json:"lang"`

	Start     rest.Opt[moment] `json:"start"`
	End       rest.Opt[moment] `json:"end"`
	OpenEnded rest.Opt[bool]   `json:"open_ended" doc:"Of a block: it has no end."`
	Zone      rest.Opt[string] `json:"zone"`

	Type         rest.Opt[string]         `json:"type"`
	Status       rest.Opt[string]         `json:"status"`
	SubStatus    rest.Opt[string]         `json:"substatus"`
	Visibility   rest.Opt[string]         `json:"visibility"`
	Busy         rest.Opt[bool]           `json:"busy"`
	Color        rest.Opt[string]         `json:"color"`
	Categories   rest.Opt[[]string]       `json:"categories"`
	Attendees    rest.Opt[[]attendeeBody] `json:"attendees"`
	BufferBefore rest.Opt[length]         `json:"buffer_before"`
	BufferAfter  rest.Opt[length]         `json:"buffer_after"`
	Service      rest.Opt[string]         `json:"service_id"`
	Origin       rest.Opt[string]         `json:"origin"`
	External     rest.Opt[string]         `json:"external_id"`
	Invoice      rest.Opt[string]         `json:"invoice"`
	Extra        rest.Opt[object]         `json:"extra"`

	Recurrence rest.Opt[recurrenceBody] `json:"recurrence"`

	// Conflict says what to do when the time is taken: allow (the default), or
	// refuse.
	Conflict rest.Opt[string] `json:"conflict"`
}

type attendeeBody struct {
	Email  rest.Opt[string] `json:"email"`
	Name   rest.Opt[string] `json:"name"`
	Status rest.Opt[string] `json:"status"`
}

type recurrenceBody struct {
	Rule       rest.Opt[string] `json:"rrule"`
	Dates      []moment         `json:"dates"`
	Exceptions []moment         `json:"exceptions"`
}
