package onlive

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"daybook/api/blocks"
	"daybook/api/rest"
)

// Bounds of the fields.
const (
	maxTitle       = 1_000  // characters; of origin, externalId and search too
	maxDescription = 65_535 // characters
	maxExtra       = 65_535 // bytes of JSON without spaces
	maxCalendars   = 500    // ids in one list
	maxYear        = 9000   // of start, so that a block without end has years to go; an end may say 9999 for never
)

const required = "is required"

// blockSlotIn asks to take time away.
type blockSlotIn struct {
	Body blockSlotBody `body:"json"`

	faults rest.Faults
}

// blockSlotBody is the body; null is absent for all but start.
type blockSlotBody struct {
	Start       rest.Opt[instant] `json:"start"`
	End         rest.Opt[instant] `json:"end"`
	Calendars   rest.Opt[idList]  `json:"calendarIds"`
	Title       rest.Opt[string]  `json:"title"`
	Description rest.Opt[string]  `json:"description"`
	Origin      rest.Opt[string]  `json:"origin"`
	ExternalID  rest.Opt[string]  `json:"externalId"`
	Extra       rest.Opt[object]  `json:"extraFields"`
	Lang        rest.Opt[string]  `json:"lang"`
	Service     rest.Opt[string]  `json:"serviceId"`
}

// Validate checks what needs neither the store nor the clock. It keeps the
// faults, so that check can tell them together with its own.
func (in *blockSlotIn) Validate(f *rest.Faults) {
	in.Body.validate(f)
	in.faults, *f = *f, rest.Faults{}
}

// fieldOrder is that in which the faults of a body are told.
var fieldOrder = [...]string{"start", "end", "calendarIds", "title", "description", "origin", "externalId", "extraFields", "lang", "serviceId"}

// mayRepeat reports whether the request can be the repeat of an earlier one: it
// has an external id, and nothing is wrong with it that does not depend on the
// clock. To be asked before check.
func (in *blockSlotIn) mayRepeat() bool {
	return in.Body.ExternalID.Or("") != "" && in.faults.Err() == nil
}

// check gives all that is wrong with the request at the time.
func (in *blockSlotIn) check(now time.Time) error {
	if start, ok := in.Body.Start.Get(); ok && !in.faults.Has("start") && !start.After(now) {
		in.faults.Add("start", "start time must be in the future")
	}
	err := in.faults.Err()
	if err == nil {
		return nil
	}
	p := rest.AsProblem(err)
	place := func(f rest.Fault) int { return slices.Index(fieldOrder[:], topLevel(f.Field)) }
	slices.SortStableFunc(p.Faults, func(a, b rest.Fault) int { return cmp.Compare(place(a), place(b)) })
	return p
}

// validate also makes the texts ready to be written.
func (b *blockSlotBody) validate(f *rest.Faults) {
	start, ok := b.Start.Get()
	switch {
	case f.Has("start"):
	case !ok:
		f.Add("start", required)
	case start.Year() > maxYear:
		f.Add("start", "must not be later than the year 9000")
	}
	if end, both := b.End.Get(); ok && both && !f.Has("start") && !f.Has("end") && !end.After(start.Time) {
		f.Add("end", "end time must be after start time")
	}
	for _, id := range b.Calendars.Or(nil) {
		if _, err := parseUUID(id); err != nil {
			f.Add("calendarIds", "must hold valid UUIDs only")
		}
	}
	if len(b.Calendars.Or(nil)) > maxCalendars {
		f.Add("calendarIds", "must not have more than 500 ids")
	}
	checkText(f, "title", &b.Title, maxTitle)
	checkText(f, "description", &b.Description, maxDescription)
	checkText(f, "origin", &b.Origin, maxTitle)
	checkText(f, "externalId", &b.ExternalID, maxTitle)
	if len(b.Extra.Or(nil)) > maxExtra {
		f.Add("extraFields", "must not be longer than 65535 bytes")
	}
	if tag, ok := b.Lang.Get(); ok && !f.Has("lang") && !languageTag.MatchString(tag) {
		f.Add("lang", "must be a language tag, like en or es-MX")
	}
	if id, ok := b.Service.Get(); ok && !f.Has("serviceId") {
		if _, err := parseUUID(id); err != nil {
			f.Add("serviceId", "must be a valid UUID")
		}
	}
}

// checkText cleans a text, or notes why it cannot be stored.
func checkText(f *rest.Faults, field string, o *rest.Opt[string], most int) {
	s, ok := o.Get()
	if !ok || f.Has(field) {
		return
	}
	clean, ok := blocks.CleanText(s)
	switch {
	case !ok:
		f.Add(field, "must not contain control characters")
	case utf8.RuneCountInString(clean) > most:
		f.Add(field, "is too long")
	}
	*o = rest.Some(clean)
}

// block gives the block that the body asks for, but for its end.
func (b *blockSlotBody) block() blocks.Block {
	start, _ := b.Start.Get()
	return blocks.Block{
		Start: start.Time, Type: blocks.Other,
		Label: b.Title.Or(""), Notes: b.Description.Or(""), Lang: b.Lang.Or(""), Origin: b.Origin.Or(""),
		ExternalID: b.ExternalID.Or(""), ServiceID: b.Service.Or(""), Extra: string(b.Extra.Or(nil)),
	}
}

// languageTag is a well-formed tag of RFC 5646 §2.1, the grandfathered ones that
// are not made like the others among them. Whether its parts are registered is
// not looked at.
var languageTag = regexp.MustCompile(`(?i)^(?:(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?` +
	`(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?|x(?:-[a-z0-9]{1,8})+|` +
	`en-gb-oed|sgn-be-fr|sgn-be-nl|sgn-ch-de|i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu))$`)

// instant is a time in UTC, whole seconds.
type instant struct{ time.Time }

var errInstant = errors.New("must be a time in UTC in ISO 8601, like 2027-03-01T12:30:00Z")

// instantLayouts are the forms without zone; fractions are cut before.
var instantLayouts = []string{"2006-01-02T15:04:05", "2006-01-02T15:04"}

// UnmarshalText reads ISO 8601 that ends in Z or +00:00. Seconds may be left
// out, fractions are cut.
func (t *instant) UnmarshalText(b []byte) error {
	s, ok := strings.CutSuffix(string(b), "Z")
	if !ok {
		if s, ok = strings.CutSuffix(s, "+00:00"); !ok {
			return errInstant
		}
	}
	if i := strings.IndexAny(s, ".,"); i >= 0 {
		if digits := s[i+1:]; digits == "" || len(digits) > 32 || strings.Trim(digits, "0123456789") != "" || strings.Count(s[:i], ":") != 2 {
			return errInstant
		}
		s = s[:i]
	}
	for _, layout := range instantLayouts {
		// The layouts take an hour of one digit; ISO 8601 does not.
		if at, err := time.Parse(layout, s); err == nil && len(s) == len(layout) && at.Year() >= 1900 {
			t.Time = at
			return nil
		}
	}
	return errInstant
}

// UnmarshalJSON reads a string.
func (t *instant) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		return errInstant
	}
	return t.UnmarshalText([]byte(s))
}

// idList is a list of ids as sent.
type idList []string

// UnmarshalJSON reads an array of strings.
func (l *idList) UnmarshalJSON(b []byte) error {
	var all []*string
	if json.Unmarshal(b, &all) != nil {
		return errors.New("must be an array of UUIDs")
	}
	*l = make(idList, len(all))
	for i, s := range all {
		if s != nil { // null is no UUID, no more than ""
			(*l)[i] = *s
		}
	}
	return nil
}

// object is a JSON object, without spaces.
type object []byte

// UnmarshalJSON takes an object and nothing else.
func (o *object) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '{' {
		return errors.New("must be an object")
	}
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		return errors.New("must be an object")
	}
	// DEL may stand in a JSON string, but not in a TEXT of iCalendar.
	*o = bytes.ReplaceAll(out.Bytes(), []byte{0x7f}, []byte(`\u007f`))
	return nil
}

var errUUID = errors.New("must be a valid UUID")

// parseUUID reads the form of 36 characters, in any case.
func parseUUID(s string) (uuid.UUID, error) {
	id, ok := rest.ParseUUID(s)
	if !ok {
		return id, errUUID
	}
	return id, nil
}

// topLevel gives the name of the member of the body that a fault is in.
func topLevel(field string) string {
	name, _, _ := strings.Cut(field, ".")
	return name
}
