package house

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"daybook/api/blocks"
	"daybook/api/rest"
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
	spans  []span.Span // by their start; a zero End of the last is for ever
	except store.ObjectID
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
			w := span.Span{Start: i.Start.Add(-e.BufferBefore), End: i.End.Add(e.BufferAfter)}
			if e.OpenEnded {
				w.End = time.Time{}
			}
			c.spans = append(c.spans, w)
		}
		return len(c.spans) < maxChecked && i.Start.Sub(first) < maxCheckedAge
	}
	if id != nil && !id.rid.IsZero() {
		if i, ok := blocks.Find(o, id.rid, zone); ok {
			take(&i)
		}
	} else {
		// A rule that is too much work is looked at as far as it went.
		_ = o.EachInstance(ical.Expand{Zone: zone}, take)
	}
	slices.SortFunc(c.spans, func(a, b span.Span) int { return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End)) })
	p.checks = c
}

// Conflict is an instance that takes time which a request wants.
type Conflict struct {
	Resource uuid.UUID `json:"resource" doc:"Whose time it takes."`
	Calendar uuid.UUID `json:"in" doc:"The resource or organisation in whose calendar it is."`
	ID       *string   `json:"id" doc:"Null for one who may not read it."`
	Title    *string   `json:"title"`
	Start    string    `json:"start" doc:"UTC."`
	End      string    `json:"end"`
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
		all, err := d.Collisions(owner.ID, c.spans, c.except, maxToldClashes)
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

// tell says of a collision what the asker may know.
func (d *desk) tell(owner *store.Principal, x store.Collision) (Conflict, error) {
	in, err := d.Principal(x.Owner)
	if err != nil {
		return Conflict{}, err
	}
	at := func(sec int64) string { return time.Unix(sec, 0).UTC().Format(time.RFC3339) }
	out := Conflict{Resource: owner.UUID, Calendar: in.UUID, Start: at(x.Row.Start), End: at(x.Row.End)}
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
