package vastal

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// Appointment is an appointment as it is answered. Every member is always
// there.
type Appointment struct {
	ID                string           `json:"id"`
	OrgID             string           `json:"org_id"`
	AppointmentTypeID *string          `json:"appointment_type_id"`
	StartTime         string           `json:"start_time" format:"date-time" doc:"UTC."`
	EndTime           string           `json:"end_time" format:"date-time"`
	ClientName        string           `json:"client_name"`
	ClientEmail       *string          `json:"client_email"`
	ClientPhone       *string          `json:"client_phone"`
	ClientLanguage    string           `json:"client_language"`
	ClientNotes       *string          `json:"client_notes"`
	InternalNotes     *string          `json:"internal_notes"`
	Status            string           `json:"status"`
	ConfirmedAt       *string          `json:"confirmed_at" format:"date-time"`
	CancelledAt       *string          `json:"cancelled_at" format:"date-time"`
	Source            string           `json:"source"`
	AppointmentType   *AppointmentType `json:"appointment_type"`
	CreatedAt         string           `json:"created_at" format:"date-time"`
}

// AppointmentType is what an appointment tells of its type.
type AppointmentType struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	DurationMinutes int    `json:"duration_minutes"`
	Color           string `json:"color"`
}

type appointmentsOut struct {
	Appointments []Appointment `json:"appointments"`
}

type appointmentOut struct {
	Appointment Appointment `json:"appointment"`
}

// booked is a stored appointment: an object, or one instance of a recurring one.
type booked struct {
	visit
	id      uuid.UUID
	rid     time.Time // zero: it does not recur
	created time.Time
}

const defaultLanguage = "en"

// answer writes an appointment; of is its type, nil when there is none.
func (b booked) answer(org uuid.UUID, of *store.Service) Appointment {
	out := Appointment{
		ID: formatID(appointmentPrefix, b.id), OrgID: formatID(orgPrefix, org),
		StartTime: formatInstant(b.start), EndTime: formatInstant(b.end), ClientName: b.client,
		ClientEmail: nullable(b.email), ClientPhone: nullable(b.phone), ClientLanguage: cmp.Or(b.language, defaultLanguage),
		ClientNotes: nullable(b.notes), InternalNotes: nullable(b.internal), Status: string(b.status), Source: b.source,
		CreatedAt: formatInstant(b.created),
	}
	if !b.rid.IsZero() {
		out.ID += "_" + blocks.Stamp(b.rid)
	}
	if b.service != uuid.Nil {
		out.AppointmentTypeID = nullable(formatID(typePrefix, b.service))
	}
	if !b.confirmedAt.IsZero() {
		out.ConfirmedAt = nullable(formatInstant(b.confirmedAt))
	}
	if !b.cancelledAt.IsZero() {
		out.CancelledAt = nullable(formatInstant(b.cancelledAt))
	}
	if of != nil {
		out.AppointmentType = &AppointmentType{formatID(typePrefix, of.UUID), of.Name, minutes(of.Length), colorOf(of)}
	}
	return out
}

// servicesOf gives the services of an organisation by their ids.
func servicesOf(v *store.View, org organisation) (map[uuid.UUID]*store.Service, error) {
	all, err := v.Services(org.ID)
	if err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]*store.Service, len(all))
	for _, x := range all {
		out[x.UUID] = x
	}
	return out, nil
}

// calendarFor gives where appointments of a service are: the calendar of the
// one resource that offers it, else the organisation's own.
func calendarFor(v *store.View, org organisation, x *store.Service) (*store.Collection, error) {
	if x == nil || len(x.Resources) != 1 {
		return org.calendar, nil
	}
	p, err := v.PrincipalByUUID(x.Resources[0])
	if errors.Is(err, store.ErrNotFound) || err == nil && (p.Org != org.ID || !p.Kind.Resource()) {
		return org.calendar, nil
	}
	if err != nil {
		return nil, err
	}
	return v.Calendar(p.ID)
}

// calendars gives every calendar in which this API has appointments.
func calendars(v *store.View, org organisation, services map[uuid.UUID]*store.Service) ([]*store.Collection, error) {
	out := []*store.Collection{org.calendar}
	for _, x := range services {
		c, err := calendarFor(v, org, x)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(y *store.Collection) bool { return y.ID == c.ID }) {
			out = append(out, c)
		}
	}
	return out, nil
}

// finder finds appointments in one snapshot.
type finder struct {
	v      *store.View
	org    organisation
	parsed map[store.ObjectID]*ical.Object // nil: no appointment
}

// each calls fn for the appointments of the calendars that begin in the window,
// in order of their start, until it returns false.
func (f *finder) each(in []*store.Collection, w span.Span, fn func(booked) bool) error {
	var rows []store.Row
	for _, c := range in {
		got, err := f.v.Instances(c.ID, w, f.org.zone)
		if err != nil {
			return err
		}
		for _, r := range got {
			if r.Flags.Kind() == "VEVENT" && r.Flags&store.RowBlock == 0 && (w.Start.IsZero() || r.Start >= w.Start.Unix()) {
				rows = append(rows, r)
			}
		}
	}
	slices.SortFunc(rows, func(a, b store.Row) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Object, b.Object), cmp.Compare(a.RecurrenceID, b.RecurrenceID))
	})
	for _, r := range rows {
		b, ok, err := f.read(r)
		if err != nil {
			return err
		}
		if ok && !fn(b) {
			return nil
		}
	}
	return nil
}

// read gives the appointment that a row stands for; ok is false if it is none.
func (f *finder) read(r store.Row) (b booked, ok bool, err error) {
	o, known := f.parsed[r.Object]
	if !known {
		data, err := f.v.Data(r.Object)
		if err != nil {
			return b, false, err
		}
		if bytes.Contains(data, []byte("X-DAYBOOK-")) {
			o, _ = ical.Parse(data, ical.Limits{}) // what cannot be read is the store's to report
		}
		f.parsed[r.Object] = o
	}
	if o == nil {
		return b, false, nil
	}
	var i ical.Instance
	if r.Flags&store.RowRecurs != 0 {
		i, ok = blocks.Find(o, time.Unix(r.RecurrenceID, 0).UTC(), f.org.zone)
	} else {
		i, ok = blocks.First(o, f.org.zone)
	}
	if !ok || !isAppointment(i.Component) {
		return b, false, nil
	}
	id, err := f.v.Identity(f.org.ID, o.UID())
	if err != nil {
		return b, false, err
	}
	b = booked{visit: readVisit(i), id: id.UUID, rid: i.RecurrenceID, created: stampOf(i.Component, "CREATED")}
	if b.created.IsZero() {
		obj, err := f.v.ObjectFacts(r.Object)
		if err != nil {
			return b, false, err
		}
		b.created = obj.Created
	}
	return b, true, nil
}

type listIn struct {
	Status rest.Opt[string] `query:"status"`
	From   rest.Opt[moment] `query:"from"`
	To     rest.Opt[moment] `query:"to"`
	Limit  rest.Opt[int]    `query:"limit"`
}

// Bounds of a list.
const (
	defaultLimit = 50
	maxLimit     = 1000
	maxAhead     = 1096 * wholeDay // of a list without an end
)

// Validate checks the filters.
func (in *listIn) Validate(f *rest.Faults) {
	if s, ok := in.Status.Get(); ok {
		checkStatus(f, s)
	}
	if n, ok := in.Limit.Get(); ok && !f.Has("limit") && (n < 1 || n > maxLimit) {
		f.Add("limit", fmt.Sprintf("must be from 1 to %d", maxLimit))
	}
}

func checkStatus(f *rest.Faults, s string) {
	if !slices.Contains(statuses, Status(s)) {
		f.Add("status", "must be one of pending, confirmed, completed, cancelled, no_show")
	}
}

// window gives the starts that are asked for.
func (in *listIn) window(zone *ical.Zone, now time.Time) span.Span {
	w := span.Span{End: now.Add(maxAhead)}
	if m, ok := in.From.Get(); ok {
		w.Start = m.instant(zone)
		w.End = w.Start.Add(maxAhead)
	}
	if m, ok := in.To.Get(); ok {
		w.End = m.after(zone)
	}
	return w
}

// listAppointments answers appointments in order of their start.
func (s *service) listAppointments(ctx context.Context, in listIn) (out appointmentsOut, err error) {
	err = s.store.View(ctx, func(v *store.View) error {
		org, err := organisationOf(v, auth.Actor(ctx), store.RightRead)
		if err != nil {
			return err
		}
		services, err := servicesOf(v, org)
		if err != nil {
			return err
		}
		where, err := calendars(v, org, services)
		if err != nil {
			return err
		}
		out.Appointments = []Appointment{}
		w := in.window(org.zone, s.now())
		if !w.Start.IsZero() && w.Empty() {
			return nil
		}
		f := &finder{v, org, map[store.ObjectID]*ical.Object{}}
		want, filtered := in.Status.Get()
		return f.each(where, w, func(b booked) bool {
			if !filtered || b.status == Status(want) {
				out.Appointments = append(out.Appointments, b.answer(org.UUID, services[b.service]))
			}
			return len(out.Appointments) < in.Limit.Or(defaultLimit)
		})
	})
	return out, err
}

type appointmentBody struct {
	Type  rest.Opt[string] `json:"appointment_type_id"`
	Start rest.Opt[moment] `json:"start_time"`
	clientBody
}

// clientBody is what is said of who comes.
type clientBody struct {
	Client   rest.Opt[string] `json:"client_name"`
	Email    rest.Opt[string] `json:"client_email"`
	Phone    rest.Opt[string] `json:"client_phone"`
	Language rest.Opt[string] `json:"client_language"`
	Notes    rest.Opt[string] `json:"client_notes"`
	Internal rest.Opt[string] `json:"internal_notes"`
}

type appointmentIn struct {
	Body appointmentBody `body:"json"`
}

// Validate checks the appointment.
func (in *appointmentIn) Validate(f *rest.Faults) {
	b := &in.Body
	_, hasType := b.Type.Get()
	start, hasStart := b.Start.Get()
	name, hasName := b.Client.Get()
	if !hasType || !hasStart || !hasName || !f.Has("client_name") && strings.TrimSpace(name) == "" {
		f.Add("", "appointment_type_id, start_time, and client_name are required")
		return
	}
	checkStart(f, start)
	b.check(f)
}

func checkStart(f *rest.Faults, start moment) {
	if start.day && !f.Has("start_time") {
		f.Add("start_time", "must have a time")
	}
}

// check checks the texts.
func (b *clientBody) check(f *rest.Faults) {
	for _, x := range []struct {
		name string
		text rest.Opt[string]
		max  int
		line bool // without line breaks
	}{
		{"client_name", b.Client, maxName, true},
		{"client_email", b.Email, 320, true},
		{"client_phone", b.Phone, 100, true},
		{"client_language", b.Language, 35, true},
		{"client_notes", b.Notes, maxText, false},
		{"internal_notes", b.Internal, maxText, false},
	} {
		s := x.text.Or("")
		_, clean := blocks.CleanText(s)
		switch {
		case len(s) > x.max:
			f.Add(x.name, fmt.Sprintf("must have at most %d bytes", x.max))
		case !clean || x.line && strings.ContainsFunc(s, unicode.IsControl):
			f.Add(x.name, "must not have control characters")
		}
	}
}

// visit gives the appointment that is asked for. The body was validated.
func (b *appointmentBody) visit(of *store.Service, zone *ical.Zone, now time.Time) visit {
	start, _ := b.Start.Get()
	v := visit{start: start.instant(zone), service: of.UUID, status: Confirmed, confirmedAt: now.UTC().Truncate(time.Second), source: "manual"}
	b.over(&v)
	v.language = cmp.Or(v.language, defaultLanguage)
	if of.Confirm {
		v.status, v.confirmedAt = Pending, time.Time{}
	}
	v.end = v.start.Add(of.Length)
	return v
}

// over changes the texts of an appointment to what was sent; null is absent.
func (b *clientBody) over(v *visit) {
	for _, x := range []struct {
		text *string
		sent rest.Opt[string]
	}{
		{&v.client, b.Client},
		{&v.email, b.Email},
		{&v.phone, b.Phone},
		{&v.language, b.Language},
		{&v.notes, b.Notes},
		{&v.internal, b.Internal},
	} {
		if x.sent.Present() {
			*x.text, _ = blocks.CleanText(x.sent.Or(""))
		}
	}
}

// createAppointment books by hand: whether the time is free is not asked.
func (s *service) createAppointment(ctx context.Context, in appointmentIn) (out appointmentOut, err error) {
	unknown := rest.Invalid("appointment_type_id", "is not known")
	text, _ := in.Body.Type.Get()
	id, err := parseID(typePrefix, text)
	if err != nil {
		return out, unknown
	}
	uid, err := uuid.NewV7()
	if err != nil {
		return out, fmt.Errorf("create an appointment: %w", err)
	}
	actor := auth.Actor(ctx)
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		org, err := organisationOf(&tx.View, actor, store.RightWrite)
		if err != nil {
			return err
		}
		of, err := tx.Service(org.ID, id)
		if errors.Is(err, store.ErrNotFound) {
			return unknown
		}
		if err != nil {
			return err
		}
		where, err := calendarFor(&tx.View, org, of)
		if err != nil {
			return err
		}
		now := s.now()
		v := in.Body.visit(of, org.zone, now)
		o, err := newEvent(uid.String(), v, of, org.zone, now)
		if err != nil {
			return err
		}
		p, err := s.store.Prepare(o)
		if err != nil {
			return err
		}
		if _, err := tx.PutObject(store.Put{Actor: actor, Collection: where.ID, Name: uid.String() + ".ics", Object: p}); err != nil {
			return err
		}
		made := booked{visit: v, id: uid, created: now}
		out.Appointment = made.answer(org.UUID, of)
		return nil
	})
	return out, err
}
