package house

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"daybook/api/rest"
	"daybook/api/slots"
	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

func (s *service) openingRoutes() []rest.Route {
	const one = base + "/resources/{resource}"
	return []rest.Route{
		{Pattern: "GET " + one + "/openings", Summary: "List the openings of a resource: its hours less what is taken", Op: rest.Endpoint(http.StatusOK, s.listOpenings)},
		{Pattern: "GET " + one + "/open-now", Summary: "Tell whether a resource is open, and until when", Op: rest.Endpoint(http.StatusOK, s.openNow)},
		{Pattern: "GET " + base + "/slots", Summary: "Search the slots of resources for a service or a length", Op: rest.Endpoint(http.StatusOK, s.getSlots)},
		{Pattern: "POST " + base + "/slots", Summary: "Search the slots of resources, asked for in a body", Op: rest.Endpoint(http.StatusOK, s.postSlots)},
		{Pattern: "GET " + base + "/explain", Summary: "Tell why a time cannot be booked", Op: rest.Endpoint(http.StatusOK, s.explain)},
	}
}

// place finds a resource, or the organisation itself.
func (d *desk) place(ref string, want store.Rights) (*store.Principal, error) {
	return d.principal(ref, want, store.KindStaff, store.KindRoom, store.KindArea, store.KindServicePoint, store.KindCalendar, store.KindOrganisation)
}

// Span is a time that begins and ends, in UTC.
type Span struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

func spansOf(set span.Set) []Span {
	out := make([]Span, len(set))
	for i, s := range set {
		out[i] = Span{s.Start, s.End}
	}
	return out
}

// Openings are the times at which a resource can be booked.
type Openings struct {
	Resource Ref       `json:"resource"`
	Zone     string    `json:"zone" doc:"Of its calendar."`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Known    bool      `json:"known" doc:"False: no hours say anything about the time; it is not closed then."`
	Basis    string    `json:"basis" doc:"The same while nothing changed that the openings follow from; without from another each day."`
	Items    []Span    `json:"items"`
}

// SetHeader makes the basis the entity tag.
func (o Openings) SetHeader(h http.Header) { h.Set("ETag", `"`+o.Basis+`"`) }

type openingsIn struct {
	Ref  string              `path:"resource"`
	From rest.Opt[time.Time] `query:"from" doc:"Default: midnight of today, in the zone of the calendar."`
	To   rest.Opt[time.Time] `query:"to" doc:"Default: a week later; at most 366 days."`
}

// maxOpeningDays is the longest span that is answered, in days.
const maxOpeningDays = 366

// window gives the span that is asked for, in whole seconds: by default from
// today's midnight in the zone and so many days.
func window(from, to rest.Opt[time.Time], zone *ical.Zone, now time.Time, days, most int) (span.Span, error) {
	y, m, d := zone.Wall(now).Date()
	w := span.Span{Start: from.Or(zone.Instant(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))).UTC().Truncate(time.Second)}
	w.End = to.Or(w.Start.AddDate(0, 0, days)).UTC().Truncate(time.Second)
	if w.Start.Year() < 1 || w.End.Year() > 9999 { // RFC 3339 has four digits
		return w, rest.Invalid("from", "must be of the years 1 to 9999, as all of the span")
	}
	if !w.Start.Before(w.End) {
		return w, rest.Invalid("to", "must be later than from")
	}
	if w.End.Sub(w.Start) > time.Duration(most)*24*time.Hour+time.Hour {
		return w, rest.Invalid("to", "must be at most "+dayCount(most)+" after from")
	}
	return w, nil
}

func (s *service) listOpenings(ctx context.Context, in openingsIn) (out Openings, err error) {
	return out, s.view(ctx, func(d *desk) error {
		p, err := d.place(in.Ref, store.RightFreeBusy)
		if err != nil {
			return err
		}
		zone, err := d.zoneOf(p)
		if err != nil {
			return err
		}
		w, err := window(in.From, in.To, zone, d.now, 7, maxOpeningDays)
		if err != nil {
			return err
		}
		o, err := d.Openings(p.ID, w)
		if _, fixed := in.From.Get(); !fixed { // tomorrow's answer is another
			sum := sha256.Sum256(append(o.Basis[:], w.Start.Format(time.RFC3339)...))
			o.Basis = store.OpeningsBasis(sum[:len(o.Basis)])
		}
		out = Openings{
			Resource: refTo(p), Zone: zone.Name(), From: w.Start, To: w.End, Known: o.Known,
			Basis: hex.EncodeToString(o.Basis[:]), Items: spansOf(o.Free),
		}
		return err
	})
}

// zoneOf gives the zone of a resource's calendar.
func (d *desk) zoneOf(p *store.Principal) (*ical.Zone, error) {
	c, err := d.Calendar(p.ID)
	if err != nil {
		return nil, err
	}
	return d.CollectionZone(c), nil
}

// OpenState tells whether a resource is open.
type OpenState struct {
	Resource Ref        `json:"resource"`
	At       time.Time  `json:"at"`
	State    string     `json:"state" enum:"open,closed,unknown"`
	Change   *time.Time `json:"next_change" doc:"Null: not within a year."`
	Next     *string    `json:"next_state"`
	Reason   OpenReason `json:"reason"`
}

// OpenReason is what decides about the state.
type OpenReason struct {
	Kind  string     `json:"kind" enum:"hours,exception,closure,none" doc:"None where no hours are known."`
	Title *string    `json:"title" doc:"Of the hours or the closure, for those who may read it."`
	Until *time.Time `json:"until" doc:"End of the closure; null without end."`
}

type openNowIn struct {
	Ref string              `path:"resource"`
	At  rest.Opt[time.Time] `query:"at"`
}

// Validate checks the instant: no answer can name another year.
func (in *openNowIn) Validate(f *rest.Faults) {
	if at, ok := in.At.Get(); ok && (at.UTC().Year() < 1 || at.UTC().Year() > 9999) {
		f.Add("at", "must be of the years 1 to 9999")
	}
}

func (s *service) openNow(ctx context.Context, in openNowIn) (out OpenState, err error) {
	return out, s.view(ctx, func(d *desk) error {
		p, err := d.place(in.Ref, store.RightFreeBusy)
		if err != nil {
			return err
		}
		at := in.At.Or(d.now).UTC().Truncate(time.Second)
		n, err := slots.OpenNow(d.View, p.ID, at)
		if err != nil {
			return err
		}
		out = OpenState{Resource: refTo(p), At: at, State: string(n.State), Reason: OpenReason{Kind: "none"}}
		if n.Next != "" {
			next := string(n.Next)
			out.Change, out.Next = &n.Change, &next
		}
		switch {
		case n.Closure != nil:
			if out.Reason.Kind = "closure"; !n.Closure.Row.Endless() {
				out.Reason.Until = &n.Closure.End
			}
			if e := d.eventRef(n.Closure); e != nil {
				out.Reason.Title = &e.Title
			}
		case n.Hours != nil:
			h := d.hours(n.Hours)
			if out.Reason.Kind = "hours"; h.Exception {
				out.Reason.Kind = "exception"
			}
			out.Reason.Title = h.Title
		}
		return nil
	})
}
