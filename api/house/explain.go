package house

import (
	"context"
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

// Explanation tells whether a time can be booked, and why not.
type Explanation struct {
	Resource Ref       `json:"resource"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Bookable bool      `json:"bookable"`
	Reasons  []Reason  `json:"reasons"`
}

// Reason is one reason why a time cannot be booked, as far as the asker may
// know of it.
type Reason struct {
	Resource Ref         `json:"resource"`
	Kind     string      `json:"kind" doc:"What stands against the time; busy where the asker may not know by what."`
	Start    *time.Time  `json:"start" doc:"Of what it takes; of a notice the first start that is allowed."`
	End      *time.Time  `json:"end" doc:"Null without end; of too-far the last start that is allowed."`
	Event    *EventRef   `json:"event" doc:"For those who may read it."`
	Hours    *HoursRef   `json:"hours" doc:"That close the time."`
	Hold     *uuid.UUID  `json:"hold" doc:"For those who may write the resource."`
	Limit    *LimitReach `json:"limit"`
}

// EventRef names an event.
type EventRef struct {
	ID    uuid.UUID `json:"id"`
	UID   string    `json:"uid"`
	Title string    `json:"title"`
	Owner Ref       `json:"owner" doc:"Of the calendar."`
}

// HoursRef names hours.
type HoursRef struct {
	Title     *string `json:"title" doc:"For those who may read it."`
	Exception bool    `json:"exception"`
}

// LimitReach is a limit that is reached.
type LimitReach struct {
	Period *string `json:"period" enum:"day,week,month" doc:"Null: at once."`
	Max    int     `json:"max"`
}

// maxReasons bounds the reasons of one resource that are answered.
const maxReasons = 100

type explainIn struct {
	Resource rest.Opt[string]    `query:"resource"`
	Start    rest.Opt[time.Time] `query:"start"`
	End      rest.Opt[time.Time] `query:"end"`
	Service  rest.Opt[string]    `query:"service"`
}

// Validate checks the span.
func (in *explainIn) Validate(f *rest.Faults) {
	required(f, "resource", in.Resource)
	required(f, "start", in.Start)
	required(f, "end", in.End)
	if !f.Has("start") && !f.Has("end") {
		checkSpan(f, in.Start.Or(time.Time{}), in.End.Or(time.Time{}))
	}
}

// checkSpan tells what is wrong with a time that is to be booked. A year is left
// on both sides, because reasons name days, weeks and months around it.
func checkSpan(f *rest.Faults, start, end time.Time) {
	if start.UTC().Year() < 2 || end.UTC().Year() > 9998 {
		f.Add("start", "must be of the years 2 to 9998, as end")
		return
	}
	switch length := end.Sub(start); {
	case length < time.Minute:
		f.Add("end", "must be at least a minute after start")
	case length > slots.MaxDays*24*time.Hour:
		f.Add("end", "must be at most "+dayCount(slots.MaxDays)+" after start")
	}
	if start.Nanosecond() != 0 || end.Nanosecond() != 0 {
		f.Add("start", "and end must be whole seconds")
	}
}

func dayCount(n int) string { return strconv.Itoa(n) + " days" }

func (s *service) explain(ctx context.Context, in explainIn) (out Explanation, err error) {
	return out, s.view(ctx, func(d *desk) error {
		p, err := d.resource(in.Resource.Or(""), store.RightFreeBusy)
		if err != nil {
			return inBody("resource", err)
		}
		x, err := d.serviceIn(in.Service)
		if err != nil {
			return err
		}
		w := span.Span{Start: in.Start.Or(time.Time{}).UTC(), End: in.End.Or(time.Time{}).UTC()}
		found, err := d.against(p, w, x)
		out = Explanation{Resource: refTo(p), Start: w.Start, End: w.End, Bookable: len(found) == 0, Reasons: []Reason{}}
		for i := range found[:min(len(found), maxReasons)] {
			out.Reasons = append(out.Reasons, d.showReason(p, &found[i]))
		}
		return err
	})
}

// serviceIn finds the service that a parameter names; nil for none.
func (d *desk) serviceIn(ref rest.Opt[string]) (*store.Service, error) {
	name, ok := ref.Get()
	if !ok {
		return nil, nil //nolint:nilnil // no service is an answer, not a failure
	}
	x, err := d.service(name, store.RightFreeBusy)
	if err != nil {
		return nil, inBody("service", err)
	}
	return x, nil
}

// against gives all that stands against a booking; x may be nil.
func (d *desk) against(p *store.Principal, w span.Span, x *store.Service) ([]slots.Reason, error) {
	var rules slots.Rules
	var out []slots.Reason
	if x != nil {
		rules = slots.RulesOf(x)
		if x.Inactive {
			out = append(out, slots.Reason{Kind: slots.Inactive})
		}
		if !x.OfferedBy(p.UUID) {
			out = append(out, slots.Reason{Kind: slots.NotHere})
		}
		if x.Length != 0 && w.End.Sub(w.Start) != x.Length {
			out = append(out, slots.Reason{Kind: slots.Length})
		}
	}
	more, err := slots.Explain(d.View, p.ID, w, rules, d.now)
	return append(out, more...), err
}

// showReason shows what the asker may know.
func (d *desk) showReason(p *store.Principal, r *slots.Reason) Reason {
	out := Reason{Resource: refTo(p), Kind: string(r.Kind)}
	if !r.Span.Start.IsZero() {
		out.Start = &r.Span.Start
	}
	if !r.Span.End.IsZero() {
		out.End = &r.Span.End
	}
	switch {
	case r.Kind == slots.Limit:
		period := string(r.Period)
		out.Limit = &LimitReach{Period: &period, Max: r.Most}
	case r.Kind == slots.Full:
		out.Limit = &LimitReach{Max: r.Most}
	case r.Hours != nil:
		h := d.hours(r.Hours)
		out.Hours = &h
	case r.Busy != nil && r.Busy.Hold != uuid.Nil:
		if d.Rights(d.actor, p.ID).Has(store.RightWrite) {
			out.Hold = &r.Busy.Hold
		}
	case r.Busy != nil:
		if out.Event = d.eventRef(r.Busy); out.Event == nil && r.Kind != slots.Buffer {
			out.Kind = "busy"
		}
	}
	return out
}

// hours names hours; the title is for those who may read the calendar that they
// are in.
func (d *desk) hours(h *store.HoursObject) (out HoursRef) {
	title, exception := slots.Title(h)
	out.Exception = exception
	if title != "" && d.Rights(d.actor, h.Owner).Has(store.RightRead) {
		out.Title = &title
	}
	return out
}

// eventRef names an event for those who may read the calendar that it is in; nil
// for others, and for one that cannot be read.
func (d *desk) eventRef(b *store.BusyTime) *EventRef {
	if b.Row.Object == 0 || !d.Rights(d.actor, b.Owner).Has(store.RightRead) {
		return nil
	}
	owner, err := d.Principal(b.Owner)
	if err != nil {
		return nil
	}
	x, err := d.Object(b.Row.Object)
	if err != nil {
		return nil
	}
	id, err := d.Identity(x.Org, x.UID)
	if err != nil {
		return nil
	}
	out := &EventRef{ID: id.UUID, UID: x.UID, Owner: refTo(owner)}
	if o, err := ical.Parse(x.Data, ical.Limits{}); err == nil {
		i, ok := blocks.Find(o, time.Unix(b.Row.RecurrenceID, 0).UTC(), d.Zone(owner))
		if !ok {
			i, ok = blocks.First(o, d.Zone(owner))
		}
		if ok {
			out.Title = i.Component.Text("SUMMARY")
		}
	}
	return out
}
