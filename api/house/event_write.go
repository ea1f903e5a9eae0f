package house

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

// operation is what a request does with an event.
type operation string

const (
	opCreate operation = "create"
	opUpdate operation = "update"
	opDelete operation = "delete"
)

// eventOp is one write.
type eventOp struct {
	op       operation
	calendar string // of an event, and of a new block; of a block that is there ""
	block    bool
	id       string
	scope    scope
	match    rest.IfMatch
	body     *eventBody // nil for opDelete
}

// eventPlan is a write that is ready: what was read, and what goes into the
// store.
type eventPlan struct {
	op      *eventOp
	was     *foundEvent // nil: a new one
	in      *store.Collection
	targets []store.CollectionID // of put and split, when they are blocks
	org     store.PrincipalID

	put    *store.Prepared // in the place of was, or new; nil: none
	split  *store.Prepared // beside it; nil: none
	remove bool            // was goes
	checks *conflictCheck  // nil: none
	show   shownID         // of the answer
}

// shownID is what the answer to a write shows: the object with a UID.
type shownID struct {
	uid string
	rid time.Time
}

const eventTurns = 8 // how often a write begins anew because another came between

// one does one write.
func (s *service) one(ctx context.Context, op *eventOp, dry bool) (out written, err error) {
	for range eventTurns {
		if out, err = s.try(ctx, op, dry); !errors.Is(err, errMoved) {
			return out, err
		}
	}
	return out, &rest.Problem{
		Status: http.StatusServiceUnavailable, Detail: "it is being changed by others, try again",
		Header: http.Header{"Retry-After": {"1"}}, Err: err,
	}
}

// errMoved tells that what was read is not what is stored any more.
var errMoved = errors.New("it was changed meanwhile")

// try does it once; errMoved.
func (s *service) try(ctx context.Context, op *eventOp, dry bool) (written, error) {
	var p *eventPlan
	plan := func(d *desk) (err error) {
		p, err = s.plan(d, op)
		return err
	}
	return s.planned(ctx, dry, plan, func(d *desk, tx *store.Tx) (written, error) { return p.commit(d, tx) })
}

// planned reads and edits in a snapshot, then writes; of a dry run nothing
// stays.
func (s *service) planned(ctx context.Context, dry bool, plan func(*desk) error, commit func(*desk, *store.Tx) (written, error)) (out written, err error) {
	if err := s.view(ctx, plan); err != nil {
		return out, err
	}
	err = s.update(ctx, func(d *desk, tx *store.Tx) error {
		if out, err = commit(d, tx); err != nil {
			return err
		}
		if dry {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		out.status, out.Location = http.StatusOK, ""
		err = nil
	}
	return out, err
}

// plan makes all that is written.
func (s *service) plan(d *desk, op *eventOp) (*eventPlan, error) {
	p := &eventPlan{op: op, org: d.actor.Org}
	var err error
	if op.calendar != "" {
		if p.in, err = d.calendar(op.calendar, store.RightRead); err != nil {
			return nil, err
		}
	}
	if op.op == opCreate {
		return p, s.planCreate(d, p)
	}
	id, err := parseEventID(op.id)
	if err != nil {
		return nil, err
	}
	if op.block {
		p.was, err = d.block(id)
	} else {
		p.was, err = d.event(p.in, id)
	}
	if err != nil {
		return nil, err
	}
	for _, b := range p.was.object.Bindings {
		p.targets = append(p.targets, b.Collection)
	}
	x, err := p.was.shown(id.rid)
	if err != nil {
		return nil, err
	}
	if err := op.match.Check(x.show()); err != nil {
		return nil, err
	}
	if !id.rid.IsZero() && x.event.RecurrenceID.IsZero() {
		return nil, fmt.Errorf("event %s does not recur: %w", id.object, store.ErrNotFound)
	}
	if op.scope == scopeAll {
		id.rid = time.Time{}
		if x, err = p.was.shown(id.rid); err != nil {
			return nil, err
		}
	}
	if op.op == opDelete {
		return p, s.planDelete(p, id, d.now)
	}
	return p, s.planUpdate(d, p, id, x)
}

func (s *service) planCreate(d *desk, p *eventPlan) error {
	b := p.op.body
	zone := d.CollectionZone(p.in)
	var f rest.Faults
	e := b.facts(blocks.Event{IsBlock: p.op.block})
	if p.op.block && e.Type == "" {
		e.Type = blocks.Other
	}
	w := b.when(nil, zone, &f)
	r := b.rule(w.AllDay, zone, &f)
	if r == nil {
		r = &blocks.Recurrence{}
	}
	if err := p.resolve(d, &f); err != nil {
		return err
	}
	if err := f.Err(); err != nil {
		return err
	}
	uid := b.UID.Or("")
	if uid == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("create an event: %w", err)
		}
		uid = id.String()
	}
	o, err := blocks.NewEvent(uid, e, w, *r, zone, d.now)
	if err != nil {
		return badEvent(err)
	}
	if p.put, err = s.store.Prepare(o); err != nil {
		return badEvent(err)
	}
	p.show = shownID{uid: uid}
	p.check(o, nil, zone)
	return nil
}

// resolve finds the calendars that a block is to be in.
func (p *eventPlan) resolve(d *desk, f *rest.Faults) error {
	if !p.op.block {
		return nil
	}
	refs, named := p.op.body.Resources.Get()
	if !named && p.was != nil {
		return nil
	}
	p.targets = nil
	if p.in != nil {
		p.targets = append(p.targets, p.in.ID)
	}
	for i, ref := range refs {
		c, err := d.calendar(ref, store.RightFreeBusy)
		if errors.Is(err, store.ErrNotFound) {
			f.Add(fmt.Sprintf("resources.%d", i), "is not known")
			continue
		}
		if err != nil {
			return err
		}
		if !slices.Contains(p.targets, c.ID) {
			p.targets = append(p.targets, c.ID)
		}
	}
	if len(p.targets) == 0 {
		f.Add("resources", "must not be empty: delete the block instead")
	}
	return nil
}

// badEvent tells a client why its event is no valid iCalendar object, or
// cannot be cut as it asks.
func badEvent(err error) error {
	if inv, ok := errors.AsType[*ical.InvalidError](err); ok {
		field := "start"
		if strings.Contains(inv.Reason, "RRULE") || strings.Contains(inv.Reason, "rule") || inv.Rule == ical.MaxInstances {
			field = "recurrence.rrule"
		}
		return &rest.Problem{Detail: "the request is not valid", Faults: []rest.Fault{{Field: field, Message: "is refused: " + inv.Reason}}, Err: err}
	}
	var limit *ical.LimitError
	switch {
	case errors.Is(err, blocks.ErrRange), errors.Is(err, blocks.ErrRules):
		return &rest.Problem{Status: http.StatusConflict, Detail: "the series can only be changed as a whole: " + err.Error(), Err: err}
	case errors.As(err, &limit):
		return &rest.Problem{Status: http.StatusConflict, Detail: "the series is too long to be cut here", Err: err}
	}
	return err
}

// planUpdate makes the change of an event, a series, an instance, or an
// instance and all that follow.
func (s *service) planUpdate(d *desk, p *eventPlan, id eventID, x *shownEvent) error {
	b, zone := p.op.body, p.was.zone
	var f rest.Faults
	c := blocks.Change{Facts: b.facts}
	whole := id.rid.IsZero()
	following := !whole && p.op.scope == scopeFollowing
	if b.timed() {
		w := b.when(&x.event, zone, &f)
		c.When = &w
	}
	if b.Recurrence.Present() {
		allDay := x.event.Form == ical.Date
		if c.When != nil {
			allDay = c.When.AllDay
		}
		if c.Rule = b.rule(allDay, zone, &f); !whole && !following {
			f.Add("recurrence", "is that of a series: name the series, or scope=following")
		}
	}
	before := p.targets
	if err := p.resolve(d, &f); err != nil {
		return err
	}
	if err := f.Err(); err != nil {
		return err
	}
	moved := !slices.Equal(before, p.targets)
	if moved && !whole {
		return rest.Invalid("resources", "are those of a whole block: name the series, or scope=all")
	}
	if following {
		done, err := s.planFollowing(p, id, c, d.now)
		if done || err != nil {
			return err
		}
		whole, id.rid = true, time.Time{} // nothing comes before it
	}
	var o *ical.Object
	var err error
	if whole {
		o, err = blocks.EditWhole(p.was.parsed, c, zone, d.now)
	} else {
		i, _ := blocks.Find(p.was.parsed, id.rid, zone) // it was shown
		o, err = blocks.EditInstance(p.was.parsed, i, c, zone, d.now)
	}
	if err != nil {
		return badEvent(err)
	}
	if p.put, err = s.store.Prepare(o); err != nil {
		return badEvent(err)
	}
	p.show = shownID{p.was.object.UID, id.rid}
	if c.When != nil || c.Rule != nil || moved || b.Busy.Present() || b.Status.Present() || b.BufferBefore.Present() || b.BufferAfter.Present() {
		p.check(o, &id, zone)
	}
	return nil
}

// planFollowing cuts a series at an instance: what follows becomes an object of
// its own. done is false when nothing comes before the instance.
func (s *service) planFollowing(p *eventPlan, id eventID, c blocks.Change, now time.Time) (done bool, err error) {
	zone := p.was.zone
	until, err := blocks.Until(p.was.parsed, id.rid, zone, now)
	if errors.Is(err, blocks.ErrFirst) {
		return false, nil
	}
	if err != nil {
		return false, badEvent(err)
	}
	uid, err := uuid.NewV7()
	if err != nil {
		return false, fmt.Errorf("cut a series: %w", err)
	}
	rest, err := blocks.From(p.was.parsed, id.rid, uid.String(), c, zone, now)
	if err != nil {
		return false, badEvent(err)
	}
	if p.put, err = s.store.Prepare(until); err != nil {
		return false, badEvent(err)
	}
	if p.split, err = s.store.Prepare(rest); err != nil {
		return false, badEvent(err)
	}
	p.show = shownID{uid: uid.String()}
	p.check(rest, nil, zone)
	return true, nil
}

// planDelete takes away an object, an instance, or an instance and all that
// follow.
func (s *service) planDelete(p *eventPlan, id eventID, now time.Time) error {
	var o *ical.Object
	var err error
	switch {
	case id.rid.IsZero():
		p.remove = true
		return nil
	case p.op.scope == scopeFollowing:
		o, err = blocks.Until(p.was.parsed, id.rid, p.was.zone, now)
	default:
		o, err = blocks.Exclude(p.was.parsed, id.rid, p.was.zone, now)
	}
	if errors.Is(err, blocks.ErrFirst) || errors.Is(err, blocks.ErrLast) {
		p.remove = true
		return nil
	}
	if err != nil {
		return badEvent(err)
	}
	p.put, err = s.store.Prepare(o)
	return err
}

// commit writes the plan, if what was read is still what is stored.
func (p *eventPlan) commit(d *desk, tx *store.Tx) (out written, err error) {
	if p.was != nil {
		now, err := tx.ObjectFacts(p.was.object.ID)
		if errors.Is(err, store.ErrNotFound) || err == nil && (now.ETag != p.was.object.ETag || !slices.Equal(now.Bindings, p.was.object.Bindings)) {
			return out, errMoved
		}
		if err != nil {
			return out, err
		}
	}
	if p.checks != nil {
		if err := p.checks.run(d, p); err != nil {
			return out, err
		}
	}
	switch {
	case p.remove && p.op.block:
		return out, tx.DeleteEverywhere(d.actor, p.was.object.ID, store.Cond{})
	case p.remove:
		return out, tx.DeleteObject(d.actor, p.in.ID, p.name(), store.Cond{})
	}
	if err := p.write(d, tx, p.put, p.was == nil); err != nil {
		return out, err
	}
	if p.split != nil {
		if err := p.write(d, tx, p.split, true); err != nil {
			return out, err
		}
	}
	if p.op.op == opDelete {
		return out, nil
	}
	return p.answer(d)
}

// name gives the event's place in its calendar.
func (p *eventPlan) name() string {
	for _, b := range p.was.object.Bindings {
		if b.Collection == p.in.ID {
			return b.Name
		}
	}
	return ""
}

// write puts one object through the door.
func (p *eventPlan) write(d *desk, tx *store.Tx, o *store.Prepared, fresh bool) error {
	if p.op.block {
		_, err := tx.PutBlock(store.PutBlock{Actor: d.actor, Org: p.org, Object: o, Targets: p.targets, Cond: store.Cond{Missing: fresh}})
		if errors.Is(err, store.ErrPrecondition) {
			return store.ErrExists // a new one whose UID is there
		}
		return err
	}
	put := store.Put{Actor: d.actor, Collection: p.in.ID, Object: o, Cond: store.Cond{Missing: fresh}}
	var err error
	if !fresh {
		put.Name = p.name()
	} else if put.Name, err = tx.FreeName(p.in.ID, o.Object().UID()); err != nil {
		return err
	}
	_, err = tx.PutObject(put)
	return err
}

// answer shows what was written, as it is in the transaction.
func (p *eventPlan) answer(d *desk) (out written, err error) {
	identity, err := d.Identity(p.org, p.show.uid)
	if err != nil {
		return out, err
	}
	id := eventID{object: identity.UUID}
	var f *foundEvent
	if p.op.block {
		f, err = d.block(id)
	} else {
		f, err = d.event(p.in, id)
	}
	if err != nil {
		return out, err
	}
	if out.Tagged, err = f.tagged(p.show.rid); err != nil {
		return out, err
	}
	out.status = http.StatusOK
	if p.was == nil || p.split != nil {
		out.status = http.StatusCreated
		out.Location = base + "/blocks/" + identity.UUID.String()
		if !p.op.block {
			out.Location = base + "/calendars/" + p.in.UUID.String() + "/events/" + identity.UUID.String()
		}
	}
	return out, nil
}
