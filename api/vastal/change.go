package vastal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

type changeIn struct {
	Body struct {
		ID     rest.Opt[string] `json:"id"`
		Status rest.Opt[string] `json:"status"`
		Start  rest.Opt[moment] `json:"start_time"`
		clientBody
	} `body:"json"`
}

// Validate checks what is to be changed.
func (in *changeIn) Validate(f *rest.Faults) {
	b := &in.Body
	if b.ID.Or("") == "" && !f.Has("id") {
		f.Add("", idRequired)
		return
	}
	notNull(f, given{"status", b.Status.IsNull()}, given{"start_time", b.Start.IsNull()}, given{"client_name", b.Client.IsNull()})
	if s, ok := b.Status.Get(); ok && !f.Has("status") {
		checkStatus(f, s)
	}
	if start, ok := b.Start.Get(); ok {
		checkStart(f, start)
	}
	if name, ok := b.Client.Get(); ok && !f.Has("client_name") && strings.TrimSpace(name) == "" {
		f.Add("client_name", "must not be empty")
	}
	b.check(f)
}

// changeAppointment changes what was sent of an appointment, one that recurs in
// one instance. Whether the new time is free is not asked.
func (s *service) changeAppointment(ctx context.Context, in changeIn) (out appointmentOut, err error) {
	id, rid, err := parseAppointmentID(in.Body.ID.Or(""))
	if err != nil {
		return out, err
	}
	actor := auth.Actor(ctx)
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		org, err := organisationOf(&tx.View, actor, store.RightWrite)
		if err != nil {
			return err
		}
		services, err := servicesOf(&tx.View, org)
		if err != nil {
			return err
		}
		e, err := findEvent(&tx.View, org, services, id, rid)
		if err != nil {
			return err
		}
		have := readVisit(e.at)
		want := in.over(have, org.zone, s.now())
		if want != have {
			if err := e.change(have, want, org.zone, s.now()); err != nil {
				return err
			}
			if err := e.save(tx, s.store, actor); err != nil {
				return err
			}
		}
		made := booked{visit: readVisit(e.at), id: id, rid: e.at.RecurrenceID, created: stampOf(e.at.Component, "CREATED")}
		if made.created.IsZero() {
			made.created = e.object.Created
		}
		out.Appointment = made.answer(org.UUID, services[made.service])
		return nil
	})
	return out, err
}

// over gives the appointment with what was sent in the place of what was. It
// keeps its length when it is moved.
func (in *changeIn) over(v visit, zone *ical.Zone, now time.Time) visit {
	b := &in.Body
	b.over(&v)
	if start, ok := b.Start.Get(); ok && !start.instant(zone).Equal(v.start) {
		length := v.end.Sub(v.start)
		v.start = start.instant(zone)
		v.end = v.start.Add(length)
	}
	if s, ok := b.Status.Get(); ok && Status(s) != v.status {
		v.status, v.cancelledAt = Status(s), time.Time{}
		switch now = now.UTC().Truncate(time.Second); v.status {
		case Pending:
			v.confirmedAt = time.Time{}
		case Confirmed:
			v.confirmedAt = now
		case Cancelled:
			v.cancelledAt = now
		case Completed, NoShow:
		}
	}
	return v
}

// parseAppointmentID reads an id of the answers: of an object, or with a stamp
// of one instance of it; store.ErrNotFound.
func parseAppointmentID(text string) (id uuid.UUID, rid time.Time, err error) {
	digits, ok := strings.CutPrefix(text, appointmentPrefix)
	if !ok {
		return id, rid, store.ErrNotFound
	}
	digits, stamp, recurs := strings.Cut(digits, "_")
	if id, err = parseID(appointmentPrefix, appointmentPrefix+digits); err == nil && recurs {
		if rid, err = blocks.ParseStamp(stamp); err != nil {
			err = store.ErrNotFound
		}
	}
	return id, rid, err
}

// event is an appointment where it is stored.
type event struct {
	object *store.Object
	where  store.Binding
	o      *ical.Object
	at     ical.Instance
}

// findEvent finds an appointment in the calendars in which this API has some;
// store.ErrNotFound. The id of a series without an instance is that of none.
func findEvent(v *store.View, org organisation, services map[uuid.UUID]*store.Service, id uuid.UUID, rid time.Time) (*event, error) {
	identity, err := v.IdentityByUUID(id)
	if err != nil {
		return nil, err
	}
	if identity.Org != org.ID {
		return nil, store.ErrNotFound
	}
	in, err := calendars(v, org, services)
	if err != nil {
		return nil, err
	}
	copies, err := v.Copies(org.ID, identity.UID)
	if err != nil {
		return nil, err
	}
	for _, obj := range copies {
		at := slices.IndexFunc(obj.Bindings, func(b store.Binding) bool {
			return slices.ContainsFunc(in, func(c *store.Collection) bool { return c.ID == b.Collection })
		})
		if at < 0 || obj.Block || obj.Kind != "VEVENT" {
			continue
		}
		e := &event{object: obj, where: obj.Bindings[at]}
		data, err := v.Data(obj.ID)
		if err != nil {
			return nil, err
		}
		if e.o, err = ical.Parse(data, ical.Limits{}); err != nil {
			return nil, store.ErrNotFound // Check's to report; the list leaves it out too
		}
		if e.look(rid, org.zone) && isAppointment(e.at.Component) {
			return e, nil
		}
	}
	return nil, store.ErrNotFound
}

// look notes the instance that is meant.
func (e *event) look(rid time.Time, zone *ical.Zone) (ok bool) {
	if rid.IsZero() {
		e.at, ok = blocks.First(e.o, zone)
		return ok && e.at.RecurrenceID.IsZero()
	}
	e.at, ok = blocks.Find(e.o, rid, zone)
	return ok && !e.at.RecurrenceID.IsZero()
}

// change makes of the event what is wanted; lines that it does not name stay.
func (e *event) change(have, want visit, zone *ical.Zone, now time.Time) (err error) {
	c := blocks.Change{Facts: func(x blocks.Event) blocks.Event {
		x.Notes = want.notes
		if want.status != have.status {
			x.Status, x.SubStatus = want.status.words()
		}
		if before, named := strings.CutSuffix(x.Label, have.client); named && (before == "" || strings.HasSuffix(before, ": ")) {
			x.Label = before + want.client
		}
		return x
	}}
	if !want.start.Equal(have.start) {
		c.When = &blocks.When{Start: want.start, End: want.end}
	}
	rid := e.at.RecurrenceID
	if e.o, err = blocks.EditInstance(e.o, e.at, c, zone, now); errors.Is(err, blocks.ErrRange) {
		return &rest.Problem{Detail: "a calendar program changed this instance and all that follow in one, which cannot be changed here", Err: err}
	} else if err != nil {
		return err
	}
	if !e.look(rid, zone) {
		return store.ErrNotFound
	}
	edit := e.o.Edit()
	for _, x := range []struct{ name, have, want string }{
		{propClientName, have.client, want.client},
		{propClientEmail, have.email, want.email},
		{propClientPhone, have.phone, want.phone},
		{propClientLang, have.language, want.language},
		{propInternal, have.internal, want.internal},
		{propConfirmedAt, momentText(have.confirmedAt), momentText(want.confirmedAt)},
		{propCancelledAt, momentText(have.cancelledAt), momentText(want.cancelledAt)},
	} {
		switch {
		case x.have == x.want:
		case x.want == "":
			edit.Remove(e.at.Component, x.name)
		default:
			edit.Set(e.at.Component, x.name, ical.EscapeText(x.want))
		}
	}
	edit.Set(e.at.Component, "DTSTAMP", stamp(now))
	edit.Set(e.at.Component, "LAST-MODIFIED", stamp(now))
	if e.o, err = edit.Apply(); err != nil {
		return fmt.Errorf("change an appointment: %w", err)
	}
	if !e.look(rid, zone) {
		return store.ErrNotFound
	}
	return nil
}

// momentText writes a time that may not be there.
func momentText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return stamp(t)
}

// save writes the event through the one door.
func (e *event) save(tx *store.Tx, s *store.Store, a *store.Actor) error {
	p, err := s.Prepare(e.o)
	if err != nil {
		return err
	}
	_, err = tx.PutObject(store.Put{Actor: a, Collection: e.where.Collection, Name: e.where.Name, Object: p})
	return err
}
