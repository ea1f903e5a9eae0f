package house

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/api/slots"
	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// Bounds of a check of conflicts: a series is looked at for as many instances
// and as long.
const (
	maxChecked     = 1000
	maxCheckedAge  = store.MaxOpeningsDays * 24 * time.Hour
	maxToldClashes = 50
)

// conflictCheck is the time that a write wants, to be looked at inside of it.
type conflictCheck struct {
	wants   []store.Want // by their start; a zero End of the last is for ever
	except  store.ObjectID
	service string // that is booked; "" for none
}

// check notes the time of an object, or of one of its instances, if the client
// wants no conflict.
func (p *eventPlan) check(o *ical.Object, id *eventID, zone *ical.Zone) {
	if p.op.body.Conflict.Or("allow") != "refuse" {
		return
	}
	c := &conflictCheck{}
	if p.was != nil {
		c.except = p.was.object.ID
	}
	var first time.Time
	take := func(i *ical.Instance) bool {
		e := blocks.ReadEvent(*i)
		if first.IsZero() {
			first = i.Start
		}
		if !e.Free && e.Status != "CANCELLED" && i.End.After(i.Start) {
			w := store.Want{Span: span.Span{Start: i.Start, End: i.End}, Before: e.BufferBefore, After: e.BufferAfter}
			if e.OpenEnded {
				w.End = time.Time{}
			}
			c.wants = append(c.wants, w)
			if !e.IsBlock { // which may name a service, and takes its time all the same
				c.service = e.ServiceID
			}
		}
		return len(c.wants) < maxChecked && i.Start.Sub(first) < maxCheckedAge
	}
	if id != nil && !id.rid.IsZero() {
		if i, ok := blocks.Find(o, id.rid, zone); ok {
			take(&i)
		}
	} else {
		// A rule that is too much work is looked at as far as it went.
		_ = o.EachInstance(ical.Expand{Zone: zone}, take)
	}
	slices.SortFunc(c.wants, func(a, b store.Want) int { return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End)) })
	p.checks = c
}

// Conflict is an instance that takes time which a request wants.
type Conflict struct {
	Resource uuid.UUID `json:"resource" doc:"Whose time it takes."`
	Calendar uuid.UUID `json:"in" doc:"The resource or organisation in whose calendar it is."`
	ID       *string   `json:"id" doc:"Null for one who may not read it."`
	Title    *string   `json:"title"`
	Start    string    `json:"start" doc:"UTC."`
	End      *string   `json:"end" doc:"Null: without end."`
}

// run looks whether the time is free. A *rest.Problem with what collides.
func (c *conflictCheck) run(d *desk, p *eventPlan) error {
	targets := p.targets
	if !p.op.block {
		targets = []store.CollectionID{p.in.ID}
	}
	var found []Conflict
	for _, t := range targets {
		at, err := d.Collection(t)
		if err != nil {
			return err
		}
		owner, err := d.Principal(at.Owner)
		if err != nil {
			return err
		}
		if owner.Kind == store.KindUser || owner.Kind == store.KindGroup {
			return rest.Invalid("conflict", "is for calendars of resources and of the organisation")
		}
		all, err := c.collisions(d, owner.ID)
		if err != nil {
			return err
		}
		for _, x := range all {
			told, err := d.tell(owner, x)
			if err != nil {
				return err
			}
			found = append(found, told)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return &rest.Problem{
		Status: http.StatusConflict, Detail: "the time is taken (" + strconv.Itoa(len(found)) + ")",
		Members: map[string]any{"conflicts": found[:min(len(found), maxToldClashes)]},
	}
}

// collisions gives what takes the time of a resource or organisation. Of a
// service that takes several bookings at once these take time only where they
// are as many.
func (c *conflictCheck) collisions(d *desk, owner store.PrincipalID) ([]store.Collision, error) {
	var x *store.Service
	if id, err := uuid.Parse(c.service); err == nil {
		switch found, err := d.Service(d.actor.Org, id); {
		case err == nil:
			x = found
		case !errors.Is(err, store.ErrNotFound):
			return nil, err
		}
	}
	if x == nil || x.Capacity < 2 {
		return d.Collisions(owner, c.wants, c.except, maxToldClashes)
	}
	all, err := d.Collisions(owner, c.wants, c.except, math.MaxInt)
	if err != nil {
		return nil, err
	}
	ours := func(b *store.Collision) bool {
		return b.Row.Service == store.MarkOf(x.UUID) && b.Row.Flags&store.RowBlock == 0
	}
	place := c.places()
	var taken, wanted []span.Span
	for i := range all {
		if ours(&all[i]) {
			taken = append(taken, place(&all[i]))
		}
	}
	for _, w := range c.wants {
		wanted = append(wanted, w.Span)
	}
	full := slots.Crowded(taken, x.Capacity).Intersect(span.Union(wanted...))
	all = slices.DeleteFunc(all, func(b store.Collision) bool {
		return ours(&b) && len(full.Clip(place(&b))) == 0
	})
	return all[:min(len(all), maxToldClashes)], nil
}

// places gives the time in which a booking takes one of the places of its
// service, beside what is wanted.
func (c *conflictCheck) places() func(*store.Collision) span.Span {
	var r slots.Rules
	for _, w := range c.wants {
		r.Before, r.After = max(r.Before, w.Before), max(r.After, w.After)
	}
	at := func(sec int64) time.Time { return time.Unix(sec, 0).UTC() }
	return func(b *store.Collision) span.Span {
		return r.Place(&store.BusyTime{
			Span:   span.Span{Start: at(b.Row.Start), End: at(b.Row.End)},
			Before: time.Duration(b.Row.Before) * time.Second, After: time.Duration(b.Row.After) * time.Second,
		})
	}
}

// tell says of a collision what the asker may know.
func (d *desk) tell(owner *store.Principal, x store.Collision) (Conflict, error) {
	in, err := d.Principal(x.Owner)
	if err != nil {
		return Conflict{}, err
	}
	at := func(sec int64) string { return time.Unix(sec, 0).UTC().Format(time.RFC3339) }
	out := Conflict{Resource: owner.UUID, Calendar: in.UUID, Start: at(x.Row.Start)}
	if !x.Row.Endless() {
		out.End = orNull(at(x.Row.End))
	}
	if x.Hold != uuid.Nil { // nobody's event yet
		return out, nil
	}
	c, err := d.Calendar(in.ID)
	if err != nil || !d.RightsOn(d.actor, c).Has(store.RightRead) {
		return out, err
	}
	e, err := d.rowEvent(c, x.Row, map[store.ObjectID]*foundEvent{})
	if err != nil || e == nil {
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		return out, err
	}
	shown := e.show()
	out.ID, out.Title = &shown.ID, shown.Title
	return out, nil
}
