package vastal

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/rest"
	"daybook/store"
)

// Type is an appointment type as it is answered. Every member is always there.
type Type struct {
	ID                   string          `json:"id"`
	OrgID                string          `json:"orgId"`
	Name                 string          `json:"name"`
	Description          *string         `json:"description"`
	DurationMinutes      int             `json:"durationMinutes"`
	Color                string          `json:"color" doc:"As #rrggbb."`
	BufferBeforeMinutes  int             `json:"bufferBeforeMinutes"`
	BufferAfterMinutes   int             `json:"bufferAfterMinutes"`
	MaxPerDay            *int            `json:"maxPerDay" doc:"Null: no limit."`
	MaxPerWeek           *int            `json:"maxPerWeek"`
	MaxPerMonth          *int            `json:"maxPerMonth"`
	MinNoticeHours       int             `json:"minNoticeHours"`
	MaxDaysAhead         *int            `json:"maxDaysAhead" doc:"Null: no limit."`
	RequiresConfirmation bool            `json:"requiresConfirmation"`
	ConfirmWithinHours   *int            `json:"confirmWithinHours"`
	BookingQuestions     json.RawMessage `json:"bookingQuestions" doc:"An array, as it was given."`
	ScheduleID           *string         `json:"scheduleId" doc:"As it was given."`
	ScheduleName         *string         `json:"scheduleName"`
	IsActive             bool            `json:"isActive"`
	SortOrder            int             `json:"sortOrder" doc:"Place in the list, from 1."`
	CreatedAt            string          `json:"createdAt" format:"date-time" doc:"UTC."`
	UpdatedAt            string          `json:"updatedAt" format:"date-time"`
}

type typesOut struct {
	Types []Type `json:"appointmentTypes"`
}

type typeOut struct {
	Type Type `json:"appointmentType"`
}

// extra is what a service has no field for, under the API's name in
// store.Service.Extra.
type extra struct {
	ConfirmWithinHours *int            `json:"confirmWithinHours,omitempty"`
	BookingQuestions   json.RawMessage `json:"bookingQuestions,omitempty"`
	ScheduleID         string          `json:"scheduleId,omitempty"`
}

// What a type has when the request does not say it.
const (
	defaultColor        = "#3b82f6"
	defaultNoticeHours  = 24
	defaultMaxDaysAhead = 60
)

// typeAnswer writes a service as an appointment type; place is its place in the
// list, from 1.
func typeAnswer(x *store.Service, org uuid.UUID, place int) Type {
	var all struct {
		Vastal extra `json:"vastal"`
	}
	_ = json.Unmarshal(x.Extra, &all) // what another API keeps there is none of ours
	e := &all.Vastal
	out := Type{
		ID: formatID(typePrefix, x.UUID), OrgID: formatID(orgPrefix, org), Name: x.Name,
		Description: nullable(x.Description), DurationMinutes: minutes(x.Length), Color: colorOf(x),
		BufferBeforeMinutes: minutes(x.BufferBefore), BufferAfterMinutes: minutes(x.BufferAfter),
		MaxPerDay: limit(x.MaxPerDay), MaxPerWeek: limit(x.MaxPerWeek), MaxPerMonth: limit(x.MaxPerMonth),
		MinNoticeHours:       int((x.MinNotice + time.Hour - 1) / time.Hour), // never less than the rule
		MaxDaysAhead:         limit(int(x.MaxAhead / wholeDay)),
		RequiresConfirmation: x.Confirm, ConfirmWithinHours: e.ConfirmWithinHours,
		BookingQuestions: e.BookingQuestions, ScheduleID: nullable(e.ScheduleID),
		IsActive: !x.Inactive, SortOrder: place, CreatedAt: formatInstant(x.Created), UpdatedAt: formatInstant(x.Modified),
	}
	if out.BookingQuestions == nil {
		out.BookingQuestions = json.RawMessage("[]")
	}
	return out
}

func minutes(d time.Duration) int { return int(d / time.Minute) }

func colorOf(x *store.Service) string {
	if x.Color == "" {
		return defaultColor
	}
	return x.Color
}

func limit(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

// listTypes answers all appointment types in order of their making.
func (s *service) listTypes(ctx context.Context, _ none) (out typesOut, err error) {
	err = s.store.View(ctx, func(v *store.View) error {
		org, err := organisationOf(v, auth.Actor(ctx), store.RightRead)
		if err != nil {
			return err
		}
		all, err := v.Services(org.ID)
		if err != nil {
			return err
		}
		out.Types = make([]Type, len(all))
		for i, x := range all {
			out.Types[i] = typeAnswer(x, org.UUID, i+1)
		}
		return nil
	})
	return out, err
}

type typeBody struct {
	Name          rest.Opt[string]          `json:"name"`
	Description   rest.Opt[string]          `json:"description"`
	Duration      rest.Opt[int]             `json:"durationMinutes"`
	Color         rest.Opt[string]          `json:"color"`
	BufferBefore  rest.Opt[int]             `json:"bufferBeforeMinutes"`
	BufferAfter   rest.Opt[int]             `json:"bufferAfterMinutes"`
	MaxPerDay     rest.Opt[int]             `json:"maxPerDay"`
	MaxPerWeek    rest.Opt[int]             `json:"maxPerWeek"`
	MaxPerMonth   rest.Opt[int]             `json:"maxPerMonth"`
	MinNotice     rest.Opt[int]             `json:"minNoticeHours"`
	MaxAhead      rest.Opt[int]             `json:"maxDaysAhead"`
	Confirm       rest.Opt[bool]            `json:"requiresConfirmation"`
	ConfirmWithin rest.Opt[int]             `json:"confirmWithinHours"`
	Questions     rest.Opt[json.RawMessage] `json:"bookingQuestions"`
	Schedule      rest.Opt[string]          `json:"scheduleId"`
	Active        rest.Opt[bool]            `json:"isActive"`
}

type typeIn struct {
	Body typeBody `body:"json"`
}

// Bounds of a type.
const (
	maxName        = 1000     // bytes
	maxText        = 16 << 10 // bytes
	maxTypeMinutes = 7 * 24 * 60
	maxBuffer      = 24 * 60 // minutes
	maxCount       = 100_000
	maxHours       = 366 * 24
	maxDays        = 3650
)

var colorPattern = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

// Validate checks the type.
func (in *typeIn) Validate(f *rest.Faults) {
	b := &in.Body
	_, hasName := b.Name.Get()
	if _, ok := b.Duration.Get(); !ok || !hasName && !f.Has("name") {
		f.Add("", "name and durationMinutes are required")
		return
	}
	b.check(f)
}

// check checks what is there.
func (b *typeBody) check(f *rest.Faults) {
	if name, ok := b.Name.Get(); ok && !f.Has("name") && (strings.TrimSpace(name) == "" || len(name) > maxName) {
		f.Add("name", fmt.Sprintf("must have 1 to %d bytes", maxName))
	}
	for _, x := range []struct {
		name     string
		value    rest.Opt[int]
		min, max int
	}{
		{"durationMinutes", b.Duration, 1, maxTypeMinutes},
		{"bufferBeforeMinutes", b.BufferBefore, 0, maxBuffer},
		{"bufferAfterMinutes", b.BufferAfter, 0, maxBuffer},
		{"maxPerDay", b.MaxPerDay, 1, maxCount},
		{"maxPerWeek", b.MaxPerWeek, 1, maxCount},
		{"maxPerMonth", b.MaxPerMonth, 1, maxCount},
		{"minNoticeHours", b.MinNotice, 0, maxHours},
		{"maxDaysAhead", b.MaxAhead, 1, maxDays},
		{"confirmWithinHours", b.ConfirmWithin, 1, maxHours},
	} {
		if n, ok := x.value.Get(); ok && !f.Has(x.name) && (n < x.min || n > x.max) {
			f.Add(x.name, fmt.Sprintf("must be from %d to %d", x.min, x.max))
		}
	}
	if c, ok := b.Color.Get(); ok && !f.Has("color") && !colorPattern.MatchString(c) {
		f.Add("color", "must be of the form #rrggbb")
	}
	if len(b.Description.Or("")) > maxText {
		f.Add("description", fmt.Sprintf("must have at most %d bytes", maxText))
	}
	if q, ok := b.Questions.Get(); ok && (q[0] != '[' || len(q) > maxText) {
		f.Add("bookingQuestions", fmt.Sprintf("must be an array of at most %d bytes", maxText))
	}
	if id, ok := b.Schedule.Get(); ok && !f.Has("scheduleId") {
		if reason := wrongReference(id); reason != "" {
			f.Add("scheduleId", reason)
		}
	}
}

// over changes a service to what was sent. Null is what a new type has. The body
// was validated.
func (b *typeBody) over(x *store.Service) error {
	put(&x.Name, b.Name, x.Name)
	put(&x.Description, b.Description, "")
	put(&x.Color, b.Color, defaultColor)
	putTime(&x.Length, b.Duration, 0, time.Minute)
	putTime(&x.BufferBefore, b.BufferBefore, 0, time.Minute)
	putTime(&x.BufferAfter, b.BufferAfter, 0, time.Minute)
	putTime(&x.MinNotice, b.MinNotice, defaultNoticeHours, time.Hour)
	putTime(&x.MaxAhead, b.MaxAhead, defaultMaxDaysAhead, wholeDay)
	put(&x.MaxPerDay, b.MaxPerDay, 0)
	put(&x.MaxPerWeek, b.MaxPerWeek, 0)
	put(&x.MaxPerMonth, b.MaxPerMonth, 0)
	put(&x.Confirm, b.Confirm, false)
	if b.Active.Present() {
		x.Inactive = !b.Active.Or(true)
	}
	return b.overExtra(x)
}

func put[T any](dst *T, o rest.Opt[T], def T) {
	if o.Present() {
		*dst = o.Or(def)
	}
}

func putTime(dst *time.Duration, o rest.Opt[int], def int, unit time.Duration) {
	if o.Present() {
		*dst = time.Duration(o.Or(def)) * unit
	}
}

// overExtra changes what a service has no field for; what another API keeps
// beside it stays.
func (b *typeBody) overExtra(x *store.Service) error {
	if !b.ConfirmWithin.Present() && !b.Questions.Present() && !b.Schedule.Present() {
		return nil
	}
	all := map[string]json.RawMessage{}
	_ = json.Unmarshal(x.Extra, &all) // there may be none
	var e extra
	_ = json.Unmarshal(all[Name], &e)
	if b.ConfirmWithin.Present() {
		e.ConfirmWithinHours = nil
		if n, ok := b.ConfirmWithin.Get(); ok {
			e.ConfirmWithinHours = &n
		}
	}
	put(&e.BookingQuestions, b.Questions, nil)
	put(&e.ScheduleID, b.Schedule, "")
	var err error
	if all[Name], err = json.Marshal(e); err == nil {
		x.Extra, err = json.Marshal(all)
	}
	if err != nil {
		return fmt.Errorf("appointment type: %w", err)
	}
	return nil
}

// createType makes an appointment type.
func (s *service) createType(ctx context.Context, in typeIn) (out typeOut, err error) {
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		org, err := organisationOf(&tx.View, auth.Actor(ctx), store.RightWrite)
		if err != nil {
			return err
		}
		x := &store.Service{Org: org.ID, Color: defaultColor, MinNotice: defaultNoticeHours * time.Hour, MaxAhead: defaultMaxDaysAhead * wholeDay}
		out.Type, err = in.Body.save(tx, org, x)
		return err
	})
	return out, err
}

// save writes a service changed to what was sent, and answers it.
func (b *typeBody) save(tx *store.Tx, org organisation, x *store.Service) (out Type, err error) {
	if err := b.over(x); err != nil {
		return out, err
	}
	if err := tx.PutService(x); err != nil {
		return out, err
	}
	all, err := tx.Services(org.ID)
	if err != nil {
		return out, err
	}
	place := slices.IndexFunc(all, func(y *store.Service) bool { return y.UUID == x.UUID })
	return typeAnswer(x, org.UUID, place+1), nil
}

type typeChangeIn struct {
	Body struct {
		ID rest.Opt[string] `json:"id"`
		typeBody
	} `body:"json"`
}

// given is a member of a body, and whether it was sent as null.
type given struct {
	name string
	null bool
}

// notNull refuses null for what a change may leave out but not take away.
func notNull(f *rest.Faults, members ...given) {
	for _, m := range members {
		if m.null {
			f.Add(m.name, "must not be null")
		}
	}
}

// idRequired is told when a change does not say of what.
const idRequired = "id is required"

// Validate checks what is to be changed.
func (in *typeChangeIn) Validate(f *rest.Faults) {
	b := &in.Body
	if b.ID.Or("") == "" && !f.Has("id") {
		f.Add("", idRequired)
		return
	}
	notNull(f, given{"name", b.Name.IsNull()}, given{"durationMinutes", b.Duration.IsNull()})
	b.check(f)
}

// changeType changes what was sent of an appointment type.
func (s *service) changeType(ctx context.Context, in typeChangeIn) (out typeOut, err error) {
	id, err := parseID(typePrefix, in.Body.ID.Or(""))
	if err != nil {
		return out, err
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		org, err := organisationOf(&tx.View, auth.Actor(ctx), store.RightWrite)
		if err != nil {
			return err
		}
		x, err := tx.Service(org.ID, id)
		if err != nil {
			return err
		}
		out.Type, err = in.Body.save(tx, org, x)
		return err
	})
	return out, err
}
