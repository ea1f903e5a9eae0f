package house

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"daybook/api/rest"
	"daybook/api/slots"
	"daybook/ical/span"
	"daybook/store"
)

// A hold becomes a booking: an event in the calendar of each of its resources,
// written in the transaction that takes the hold away. An event is a copy of its
// own in each calendar, as iCalendar has it: the UID is the same.

type holdConfirmIn struct {
	holdIn
	DryRun rest.Opt[bool] `query:"dry_run"`
	Body   eventBody      `body:"json"`
}

// Validate checks the event; whether it agrees with the hold is seen later.
func (in *holdConfirmIn) Validate(f *rest.Faults) {
	b := in.Body
	if n := len(b.Resources.Or(nil)); n > store.MaxHoldResources {
		f.Add("resources", "must have at most "+strconv.Itoa(store.MaxHoldResources)+" members")
	}
	b.Resources = rest.Opt[[]string]{}
	b.check(f, "", false)
	if _, recurs := b.Recurrence.Get(); recurs {
		f.Add("recurrence", "must be absent: a hold is of one time")
	}
	if b.Conflict.Or("refuse") == "allow" {
		f.Add("conflict", "must be refuse, or absent")
	}
}

func (s *service) mayConfirm(ctx context.Context, in holdConfirmIn) error {
	return s.view(ctx, func(d *desk) error {
		_, err := d.holdToWrite(in.ID)
		return err
	})
}

// confirmHold makes an event of a hold: of several who ask at once one gets
// 201, and for the others the hold is not there any more.
func (s *service) confirmHold(ctx context.Context, in holdConfirmIn) (written, error) {
	var p *confirmPlan
	plan := func(d *desk) (err error) {
		p, err = s.planConfirm(d, &in)
		return err
	}
	return s.planned(ctx, in.DryRun.Or(false), plan, func(d *desk, tx *store.Tx) (written, error) { return p.confirm(d, tx) })
}

// confirmPlan is the write of an event in several calendars.
type confirmPlan struct {
	eventPlan
	hold      string
	calendars []*store.Collection
	rules     slots.Rules
	takes     bool // time
}

func (s *service) planConfirm(d *desk, in *holdConfirmIn) (*confirmPlan, error) {
	h, err := d.holdToWrite(in.ID)
	if err != nil {
		return nil, err
	}
	body, err := d.ofHold(h, in.Body)
	if err != nil {
		return nil, err
	}
	p := &confirmPlan{hold: in.ID, takes: body.Busy.Or(true) && body.Status.Or("") != "cancelled"}
	p.rules.Before, p.rules.After = time.Duration(body.BufferBefore.Or(0)), time.Duration(body.BufferAfter.Or(0))
	switch x, err := d.Service(h.Org, h.Service); {
	case err == nil:
		p.rules.Capacity, p.rules.Service = x.Capacity, store.MarkOf(x.UUID)
		if x.Confirm && !body.Status.Present() {
			body.Status = rest.Some("tentative")
		}
	case !errors.Is(err, store.ErrNotFound): // of none, or it was deleted since
		return nil, err
	}
	for _, id := range h.Resources {
		c, err := d.Calendar(id)
		if err != nil {
			return nil, err
		}
		p.calendars = append(p.calendars, c)
	}
	p.eventPlan = eventPlan{op: &eventOp{op: opCreate, body: &body}, in: p.calendars[0], org: h.Org}
	return p, s.planCreate(d, &p.eventPlan)
}

// ofHold gives the event that a hold becomes: what is sent, with all that the
// hold says, which what is sent must not contradict.
func (d *desk) ofHold(h *store.Hold, b eventBody) (eventBody, error) {
	var f rest.Faults
	agree(&f, "start", &b.Start, moment{at: h.Start.UTC()})
	agree(&f, "end", &b.End, moment{at: h.End.UTC()})
	if h.Service != uuid.Nil {
		agree(&f, "service_id", &b.Service, h.Service.String())
		agree(&f, "buffer_before", &b.BufferBefore, length(h.Before))
		agree(&f, "buffer_after", &b.BufferAfter, length(h.After))
	}
	if refs, ok := b.Resources.Get(); ok {
		var ids []store.PrincipalID
		_, err := d.uuids("resources", refs, func(ref string) (*store.Principal, error) {
			p, err := d.resource(ref, store.RightWrite)
			if err == nil {
				ids = append(ids, p.ID)
			}
			return p, err
		})
		if err != nil {
			return b, err
		}
		slices.Sort(ids)
		if !slices.Equal(slices.Compact(ids), h.Resources) {
			f.Add("resources", "must be those of the hold, or absent")
		}
	}
	b.Resources, b.Conflict = rest.Opt[[]string]{}, rest.Opt[string]{} // both are seen to here
	return b, f.Err()
}

// agree notes a fault if something else was sent than what the hold says, which
// then counts.
func agree[T comparable](f *rest.Faults, field string, sent *rest.Opt[T], held T) {
	if v, ok := sent.Get(); ok && v != held {
		f.Add(field, "must be that of the hold, or absent")
	}
	*sent = rest.Some(held)
}

// confirm takes the hold away, looks whether anything else takes the time, and
// writes the event.
func (p *confirmPlan) confirm(d *desk, tx *store.Tx) (out written, err error) {
	h, err := d.holdToWrite(p.hold) // another may have been faster
	if err != nil {
		return out, err
	}
	if err := tx.DeleteHold(h.Org, h.UUID); err != nil {
		return out, err
	}
	if p.takes {
		if err := p.refuse(d, h); err != nil {
			return out, err
		}
	}
	for _, c := range slices.Backward(p.calendars) { // the answer is the event of the first
		p.in = c
		if err := p.write(d, tx, p.put, true); err != nil {
			return out, err
		}
	}
	return p.answer(d)
}

// refuse gives the problem that tells what takes the time by now: what could
// come in spite of the hold, such as a closure or a calendar client's event.
// Hours and rules were looked at when the time was held.
func (p *confirmPlan) refuse(d *desk, h *store.Hold) error {
	var reasons []Reason
	for _, id := range h.Resources {
		of, err := d.Principal(id)
		if err != nil {
			return err
		}
		found, err := slots.Explain(d.View, id, span.Span{Start: h.Start, End: h.End}, p.rules, d.now)
		if err != nil {
			return err
		}
		for i := range found {
			if found[i].Kind.Taken() && len(reasons) < maxReasons {
				reasons = append(reasons, d.showReason(of, &found[i]))
			}
		}
	}
	if len(reasons) == 0 {
		return nil
	}
	return &rest.Problem{Status: http.StatusConflict, Detail: "the time is taken", Members: map[string]any{"reasons": reasons}}
}
