package house

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/rest"
	"daybook/api/slots"
	"daybook/ical/span"
	"daybook/store"
)

func (s *service) holdRoutes() []rest.Route {
	const list, one = base + "/holds", base + "/holds/{hold}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "List the holds that live", Op: rest.Endpoint(http.StatusOK, s.listHolds)},
		{Pattern: "POST " + list, Summary: "Hold a slot for some minutes; refused when anything stands against it", Op: rest.Endpoint(http.StatusCreated, s.createHold)},
		{Pattern: "GET " + one, Summary: "Get a hold", Op: rest.Endpoint(http.StatusOK, s.getHold)},
		{Pattern: "DELETE " + one, Summary: "Release a hold", Op: rest.Endpoint(http.StatusNoContent, s.deleteHold)},
		{Pattern: "POST " + one + "/confirm", Summary: "Make an event of a hold, in the calendar of each of its resources", Op: rest.Endpoint(http.StatusCreated, s.confirmHold).Guard(s.mayConfirm), Also: []int{http.StatusOK}},
	}
}

// Hold is a slot that is kept for some minutes. It takes time like an event.
type Hold struct {
	ID        uuid.UUID     `json:"id"`
	Resources []Ref         `json:"resources" doc:"Of those that the asker may see."`
	Start     time.Time     `json:"start"`
	End       time.Time     `json:"end"`
	Before    rest.Duration `json:"buffer_before"`
	After     rest.Duration `json:"buffer_after"`
	Service   *uuid.UUID    `json:"service"`
	Note      string        `json:"note"`
	Created   time.Time     `json:"created_at"`
	Expires   time.Time     `json:"expires_at"`
}

// showHold shows a hold to whoever may read one of its resources; ok is false
// for others.
func (d *desk) showHold(h *store.Hold) (out Hold, ok bool) {
	out = Hold{
		ID: h.UUID, Resources: []Ref{}, Start: h.Start.UTC(), End: h.End.UTC(), Before: rest.Duration(h.Before), After: rest.Duration(h.After),
		Note: h.Note, Created: h.Created.UTC(), Expires: h.Expires.UTC(),
	}
	if h.Service != uuid.Nil {
		out.Service = &h.Service
	}
	for _, id := range h.Resources {
		have := d.Rights(d.actor, id)
		ok = ok || have.Has(store.RightRead)
		if p, err := d.Principal(id); err == nil && have != 0 {
			out.Resources = append(out.Resources, refTo(p))
		}
	}
	return out, ok
}

type holdsIn struct{ rest.Page }

// Validate checks the page.
func (in *holdsIn) Validate(f *rest.Faults) {
	in.Check(f)
	if _, err := uuid.Parse(in.After()); err != nil && in.After() != "" {
		f.Add("cursor", "is not one that was given out")
	}
}

func (s *service) listHolds(ctx context.Context, in holdsIn) (out rest.List[Hold], err error) {
	return out, s.view(ctx, func(d *desk) error {
		out.Items = []Hold{}
		after, _ := uuid.Parse(in.After()) // was checked
		return d.EachHold(d.actor.Org, after, func(h *store.Hold) bool {
			x, ok := d.showHold(h)
			switch {
			case !ok:
			case len(out.Items) == in.Size():
				out.Next = rest.Cursor(out.Items[in.Size()-1].ID.String())
				return false
			default:
				out.Items = append(out.Items, x)
			}
			return true
		})
	})
}

type holdIn struct {
	ID string `path:"hold"`
}

// hold finds a hold that lives; the asker may read one of its resources.
func (d *desk) hold(ref string) (*store.Hold, error) {
	id, err := uuid.Parse(ref)
	if err != nil {
		return nil, fmt.Errorf("hold %q: %w", ref, store.ErrNotFound)
	}
	h, err := d.Hold(d.actor.Org, id)
	if err != nil {
		return nil, err
	}
	if _, ok := d.showHold(h); !ok {
		return nil, fmt.Errorf("hold %s: %w", id, store.ErrNotFound)
	}
	return h, nil
}

// holdToWrite finds a hold that the asker may release or confirm.
func (d *desk) holdToWrite(ref string) (*store.Hold, error) {
	h, err := d.hold(ref)
	if err != nil {
		return nil, err
	}
	for _, id := range h.Resources {
		if err := d.may(id, store.RightWrite); err != nil {
			return nil, fmt.Errorf("change a hold: %w", store.ErrForbidden)
		}
	}
	return h, nil
}

func (s *service) getHold(ctx context.Context, in holdIn) (out rest.Tagged[Hold], err error) {
	return out, s.view(ctx, func(d *desk) error {
		h, err := d.hold(in.ID)
		if err == nil {
			x, _ := d.showHold(h)
			out = rest.Tag(x)
		}
		return err
	})
}

type holdDeleteIn struct {
	holdIn
	rest.IfMatch
}

func (s *service) deleteHold(ctx context.Context, in holdDeleteIn) (out rest.NoContent, err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		h, err := d.holdToWrite(in.ID)
		if err != nil {
			return err
		}
		shown, _ := d.showHold(h)
		if err := in.Check(shown); err != nil {
			return err
		}
		return tx.DeleteHold(h.Org, h.UUID)
	})
}

type holdCreateIn struct {
	Body holdCreate `body:"json"`
}

// holdCreate is a hold that is asked for.
type holdCreate struct {
	Resources   []string                `json:"resources" doc:"UUIDs or names; it takes the time of all."`
	Service     rest.Opt[string]        `json:"service" doc:"Whose rules hold; its length is the default."`
	Start       rest.Opt[time.Time]     `json:"start"`
	End         rest.Opt[time.Time]     `json:"end" required:"false" doc:"Required without a service that has a length."`
	TTL         rest.Opt[rest.Duration] `json:"ttl" doc:"How long it lives; default PT10M, at most PT1H."`
	Note        rest.Opt[string]        `json:"note"`
	IgnoreHours rest.Opt[bool]          `json:"ignore_hours" doc:"Also outside of the hours."`
}

const defaultHold = 10 * time.Minute

// Validate checks what can be checked without the store.
func (in *holdCreateIn) Validate(f *rest.Faults) {
	b := &in.Body
	if n := len(b.Resources); (n < 1 || n > store.MaxHoldResources) && !f.Has("resources") {
		f.Add("resources", fmt.Sprintf("must name between 1 and %d resources", store.MaxHoldResources))
	}
	required(f, "start", b.Start)
	end, given := b.End.Get()
	if _, service := b.Service.Get(); !given && !service && !f.Has("end") && !f.Has("service") {
		f.Add("end", "is required without a service")
	}
	if start, ok := b.Start.Get(); ok && given && !f.Has("start") && !f.Has("end") {
		checkSpan(f, start, end)
	}
	if d, ok := b.TTL.Get(); ok && !f.Has("ttl") && (time.Duration(d) < time.Second || time.Duration(d) > store.MaxHoldTime) {
		f.Add("ttl", "must be between a second and an hour")
	}
	if len(b.Note.Or("")) > 1000 {
		f.Add("note", "must have at most 1000 bytes")
	}
}

// createHold looks whether anything stands against the hold, and writes it, in
// one transaction: of several for the same time one wins. Most refusals are told
// from a snapshot before, so that they need not wait for the writer.
func (s *service) createHold(ctx context.Context, in holdCreateIn) (out rest.Tagged[Hold], err error) {
	if err := s.view(ctx, func(d *desk) error { _, err := d.holdable(&in.Body); return err }); err != nil {
		return out, err
	}
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		h, err := d.holdable(&in.Body)
		if err != nil {
			return err
		}
		if a := auth.Actor(ctx); a.Principal != nil {
			h.Principal = a.Principal.ID
		}
		if err := tx.AddHold(h); err != nil {
			return err
		}
		out.Location = base + "/holds/" + h.UUID.String()
		out.Value, _ = d.showHold(h)
		return nil
	})
}

// holdable gives the hold that is asked for, or the problem that tells all that
// stands against it.
func (d *desk) holdable(in *holdCreate) (*store.Hold, error) {
	x, err := d.serviceIn(in.Service)
	if err != nil {
		return nil, err
	}
	h := &store.Hold{Org: d.actor.Org, Start: in.Start.Or(time.Time{}).UTC(), Note: strings.TrimSpace(in.Note.Or(""))}
	h.Expires = d.now.UTC().Add(time.Duration(in.TTL.Or(rest.Duration(defaultHold))))
	if x != nil {
		h.Service, h.Before, h.After = x.UUID, min(x.BufferBefore, store.MaxBuffer), min(x.BufferAfter, store.MaxBuffer)
		h.End = h.Start.Add(x.Length)
	}
	if h.End = in.End.Or(h.End).UTC(); x != nil && x.Length == 0 && h.End.Equal(h.Start) {
		return nil, rest.Invalid("end", "is required: the service has no length")
	}
	var faults rest.Faults
	if checkSpan(&faults, h.Start, h.End); faults.Err() != nil {
		return nil, faults.Err()
	}
	var reasons []Reason
	for i, ref := range in.Resources {
		p, err := d.resource(ref, store.RightWrite)
		if err != nil {
			return nil, inBody(fmt.Sprintf("resources.%d", i), err)
		}
		h.Resources = append(h.Resources, p.ID)
		found, err := d.against(p, span.Span{Start: h.Start, End: h.End}, x)
		if err != nil {
			return nil, err
		}
		for k := range found {
			if hours := found[k].Kind == slots.Closed || found[k].Kind == slots.NoHours; hours && in.IgnoreHours.Or(false) || len(reasons) == maxReasons {
				continue
			}
			reasons = append(reasons, d.showReason(p, &found[k]))
		}
	}
	if len(reasons) > 0 {
		return nil, &rest.Problem{Status: http.StatusConflict, Detail: "the time cannot be held", Members: map[string]any{"reasons": reasons}}
	}
	return h, nil
}
