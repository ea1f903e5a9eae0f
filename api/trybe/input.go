package trybe

import (
	"encoding/json"
	"errors"
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
	maxLabel     = 255    // characters
	maxNotes     = 65_535 // characters
	maxTargets   = 500    // ids in one list
	maxListDays  = 1_096  // of a list
	maxFanOut    = 366    // days of a recurrence
	maxWeekdays  = 50     // entries, repeated or not
	blockingType = "must be one of cleaning, break, meeting, other"
)

const required = "is required"

// listIn asks for the blocked times of some days.
type listIn struct {
	Site rest.Opt[siteID] `query:"site_id"`
	From rest.Opt[day]    `query:"date_from"`
	To   rest.Opt[day]    `query:"date_to"`
}

// Validate checks that the range is there and not too long.
func (in *listIn) Validate(f *rest.Faults) {
	need(f, "site_id", in.Site)
	need(f, "date_from", in.From)
	need(f, "date_to", in.To)
	from, ok1 := in.From.Get()
	to, ok2 := in.To.Get()
	if !ok1 || !ok2 || f.Has("date_from") || f.Has("date_to") {
		return
	}
	switch n := from.days(to); {
	case n < 1:
		f.Add("date_to", "must not be before date_from")
	case n > maxListDays:
		f.Add("date_to", "must be at most 1096 days after date_from")
	}
}

// need notes a required value that is missing or null.
func need[T any](f *rest.Faults, field string, o rest.Opt[T]) {
	if _, ok := o.Get(); !ok && !f.Has(field) {
		f.Add(field, required)
	}
}

// siteID is the id of an organisation.
type siteID struct{ uuid.UUID }

// UnmarshalText reads a uuid of 36 characters.
func (s *siteID) UnmarshalText(b []byte) error {
	id, err := parseUUID(string(b))
	if err != nil {
		return err
	}
	s.UUID = id
	return nil
}

var errUUID = errors.New("must be a site's id")

func parseUUID(s string) (uuid.UUID, error) {
	id, ok := rest.ParseUUID(s)
	if !ok {
		return id, errUUID
	}
	return id, nil
}

// ids is a list of resources: order as given, duplicates collapsed.
type ids []string

// UnmarshalJSON reads an array of strings; what is wrong inside is a fault of
// the list.
func (l *ids) UnmarshalJSON(b []byte) error {
	var all []*string
	if json.Unmarshal(b, &all) != nil || slices.Contains(all, nil) {
		return errors.New("must be an array of ids")
	}
	if len(all) > maxTargets {
		return errors.New("must not have more than 500 ids")
	}
	*l = ids{}
	for _, id := range all {
		if !slices.Contains(*l, *id) {
			*l = append(*l, *id)
		}
	}
	return nil
}

// facts are the fields that create and update share.
type facts struct {
	Start         rest.Opt[moment] `json:"start_time"`
	End           rest.Opt[moment] `json:"end_time"`
	Type          rest.Opt[string] `json:"type" enum:"cleaning,break,meeting,other"`
	Label         rest.Opt[string] `json:"label" doc:"At most 255 characters."`
	Notes         rest.Opt[string] `json:"notes"`
	Color         rest.Opt[string] `json:"color" pattern:"^#[0-9a-f]{6}$"`
	Practitioners rest.Opt[ids]    `json:"practitioner_ids" required:"false" doc:"One of the three lists names somebody."`
	Rooms         rest.Opt[ids]    `json:"room_ids" required:"false"`
	Areas         rest.Opt[ids]    `json:"area_ids" required:"false"`
}

// check checks what needs no store, and makes the texts ready to be written.
func (b *facts) check(f *rest.Faults) {
	if t, ok := b.Type.Get(); ok && !blocks.Type(t).Valid() && !f.Has("type") {
		f.Add("type", blockingType)
	}
	checkText(f, "label", &b.Label, maxLabel, "must not be longer than 255 characters")
	checkText(f, "notes", &b.Notes, maxNotes, "must not be longer than 65535 characters")
	if c, ok := b.Color.Get(); ok && !blocks.ValidColor(c) && !f.Has("color") {
		f.Add("color", "must match #rrggbb in lower case")
	}
}

func checkText(f *rest.Faults, field string, o *rest.Opt[string], most int, tooLong string) {
	s, ok := o.Get()
	if !ok {
		return
	}
	clean, ok := blocks.CleanText(s)
	switch {
	case !ok:
		f.Add(field, "must not contain control characters")
	case utf8.RuneCountInString(clean) > most:
		f.Add(field, tooLong)
	}
	*o = rest.Some(clean)
}

// lists gives the three lists, with their names and kinds.
func (b *facts) lists() [3]*rest.Opt[ids] {
	return [3]*rest.Opt[ids]{&b.Practitioners, &b.Rooms, &b.Areas}
}

// createIn makes a blocked time.
type createIn struct {
	Site rest.Opt[siteID] `query:"site_id"`
	Body createBody       `body:"json"`

	faults rest.Faults // that Validate found, told together with those of the store
}

type createBody struct {
	facts
	Recurrence rest.Opt[recurrence] `json:"recurrence"`
}

// Validate checks what needs no store.
func (in *createIn) Validate(f *rest.Faults) {
	b := &in.Body
	need(f, "site_id", in.Site)
	need(f, "start_time", b.Start)
	need(f, "end_time", b.End)
	need(f, "type", b.Type)
	b.check(f)
	named := false
	for i, l := range b.lists() {
		named = named || len(l.Or(nil)) > 0 || f.Has(places[i].list)
	}
	if !named {
		for _, p := range places {
			f.Add(p.list, "is required when there are no other ids")
		}
	}
	if r, ok := b.Recurrence.Get(); ok {
		r.check(f)
	}
	if !f.Has("site_id") { // without a site there is nothing more to find
		in.faults = f.Take()
	}
}

// recurrence asks for copies on the matching weekdays of some days.
type recurrence struct {
	Weekdays rest.Opt[weekdays] `json:"weekdays"`
	From     rest.Opt[day]      `json:"date_from"`
	To       rest.Opt[day]      `json:"date_to"`
}

// wanted reports whether there is a recurrence at all.
func (r recurrence) wanted() bool { return len(r.Weekdays.Or(nil)) > 0 }

func (r recurrence) check(f *rest.Faults) {
	if r.wanted() {
		need(f, "recurrence.date_to", r.To)
	}
}

// weekdays is a list of days, each as a number from 0 to 7 (0 and 7 are
// Sunday) or as an English name, whole or its first three or two letters.
type weekdays []time.Weekday

var errWeekdays = errors.New("must be an array of weekdays: numbers from 0 (Sunday) to 7 (Sunday), or names like monday, mon, MO")

// UnmarshalJSON reads the array; what is wrong inside is a fault of the list.
func (w *weekdays) UnmarshalJSON(b []byte) error {
	var all []json.RawMessage
	if json.Unmarshal(b, &all) != nil || len(all) > maxWeekdays {
		return errWeekdays
	}
	*w = nil
	for _, raw := range all {
		d, ok := parseWeekday(string(raw))
		if !ok {
			return errWeekdays
		}
		*w = append(*w, d)
	}
	return nil
}

func parseWeekday(raw string) (time.Weekday, bool) {
	if len(raw) == 1 && raw[0] >= '0' && raw[0] <= '7' {
		return time.Weekday((raw[0] - '0') % 7), true
	}
	var name string
	if json.Unmarshal([]byte(raw), &name) != nil || raw == "null" {
		return 0, false
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		for _, form := range []string{d.String(), d.String()[:3], d.String()[:2]} {
			if strings.EqualFold(form, name) {
				return d, true
			}
		}
	}
	return 0, false
}

// updateIn changes the fields that it names.
type updateIn struct {
	ID   string     `path:"blockedTimeId"`
	Body updateBody `body:"json"`

	faults rest.Faults // that Validate found, told together with those of the store
}

type updateBody struct {
	facts
	OldPractitioner rest.Opt[string] `json:"old_practitioner_id"`
	NewPractitioner rest.Opt[string] `json:"new_practitioner_id"`
	OldRoom         rest.Opt[string] `json:"old_room_id"`
	NewRoom         rest.Opt[string] `json:"new_room_id"`
	OldArea         rest.Opt[string] `json:"old_area_id"`
	NewArea         rest.Opt[string] `json:"new_area_id"`
}

// swap is a pair of old_* and new_*.
type swap struct{ old, new rest.Opt[string] }

func (s swap) present() bool {
	_, a := s.old.Get()
	_, b := s.new.Get()
	return a || b
}

func (b *updateBody) swaps() [3]swap {
	return [3]swap{{b.OldPractitioner, b.NewPractitioner}, {b.OldRoom, b.NewRoom}, {b.OldArea, b.NewArea}}
}

// Validate checks what needs no store.
func (in *updateIn) Validate(f *rest.Faults) {
	b := &in.Body
	notNull(f, "start_time", b.Start)
	notNull(f, "end_time", b.End)
	notNull(f, "type", b.Type)
	lists, swaps := b.lists(), b.swaps()
	for i, p := range places {
		notNull(f, p.list, *lists[i])
		if !swaps[i].present() {
			continue
		}
		need(f, p.old, swaps[i].old)
		need(f, p.new, swaps[i].new)
		if lists[i].Present() {
			f.Add(p.list, "must not be given together with "+p.old)
		}
	}
	b.check(f)
	in.faults = f.Take()
}

func notNull[T any](f *rest.Faults, field string, o rest.Opt[T]) {
	if o.IsNull() && !f.Has(field) {
		f.Add(field, "must not be null")
	}
}
