package house

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"daybook/api/rest"
	"daybook/api/slots"
	"daybook/ical/span"
	"daybook/store"
)

// maxSlotResources bounds how many resources one search is over.
const maxSlotResources = 50

// slotsAsk is a search, in a query or in a body. Of a service come the rules
// that are not given, and the resources.
type slotsAsk struct {
	Resources rest.Opt[[]string]      `query:"resource" json:"resources" required:"false" doc:"UUIDs or names; required without a service, of which the default is all that offer it."`
	Service   rest.Opt[string]        `query:"service" json:"service"`
	From      rest.Opt[time.Time]     `query:"from" json:"from" doc:"Default: now."`
	To        rest.Opt[time.Time]     `query:"to" json:"to" doc:"Default: a week later."`
	Length    rest.Opt[rest.Duration] `query:"length" json:"length" required:"false" doc:"Required without a service that has one."`
	Step      rest.Opt[rest.Duration] `query:"step" json:"step" doc:"Between starts, by the wall clock of the resource from midnight on; default PT15M."`
	Before    rest.Opt[rest.Duration] `query:"buffer_before" json:"buffer_before" doc:"Kept free of others' time, not of their buffers; it may lie outside of the hours."`
	After     rest.Opt[rest.Duration] `query:"buffer_after" json:"buffer_after"`
	Notice    rest.Opt[rest.Duration] `query:"min_notice" json:"min_notice" doc:"From now to the earliest start."`
	Ahead     rest.Opt[rest.Duration] `query:"max_ahead" json:"max_ahead" doc:"From now to the latest start."`
	PerDay    rest.Opt[int]           `query:"max_per_day" json:"max_per_day" doc:"Bookings of the service, that begin in a day of the resource's zone."`
	PerWeek   rest.Opt[int]           `query:"max_per_week" json:"max_per_week"`
	PerMonth  rest.Opt[int]           `query:"max_per_month" json:"max_per_month"`
	Capacity  rest.Opt[int]           `query:"capacity" json:"capacity" doc:"Bookings of the service at once, each with its buffers."`
	Group     rest.Opt[string]        `query:"group" json:"group" doc:"With the word resource: all slots of one after those of the other."`
}

type slotsIn struct {
	rest.Page
	slotsAsk
}

type slotsPostIn struct {
	Body slotsBody `body:"json"`
}

type slotsBody struct {
	slotsAsk
	Limit  rest.Opt[int]    `json:"limit"`
	Cursor rest.Opt[string] `json:"cursor"`
}

// page gives which part of the answer is asked for.
func (b *slotsBody) page() rest.Page { return rest.Page{Limit: b.Limit, Cursor: b.Cursor} }

// Validate checks the search.
func (in *slotsIn) Validate(f *rest.Faults) { in.check(f, in.Page, inQuery) }

// Validate checks the search.
func (in *slotsPostIn) Validate(f *rest.Faults) { in.Body.check(f, in.Body.page(), inPost) }

// The names of the list of resources, in a query and in a body.
const (
	inQuery = "resource"
	inPost  = "resources"
)

func (in *slotsAsk) check(f *rest.Faults, page rest.Page, list string) {
	page.Check(f)
	if _, _, ok := slotAfter(page); !ok && !f.Has("cursor") {
		f.Add("cursor", "is not one that was given out")
	}
	names, _ := in.Resources.Get()
	if len(names) > maxSlotResources {
		f.Add(list, "must name at most 50 resources")
	}
	_, length := in.Length.Get()
	_, service := in.Service.Get()
	if !length && !service && !f.Has("length") && !f.Has("service") {
		f.Add("length", "is required without a service")
	}
	if len(names) == 0 && !service && !f.Has(list) {
		f.Add(list, "is required without a service")
	}
	if g := in.Group.Or("resource"); g != "resource" {
		f.Add("group", "must be resource")
	}
	for _, x := range []struct {
		name      string
		d         rest.Opt[rest.Duration]
		low, high time.Duration
		want      string
	}{
		{"length", in.Length, time.Minute, slots.MaxDays * 24 * time.Hour, "must be between a minute and 31 days"},
		{"step", in.Step, slots.MinStep, 24 * time.Hour, "must be between a minute and a day"},
		{"buffer_before", in.Before, 0, store.MaxBuffer, "must be at most a day"},
		{"buffer_after", in.After, 0, store.MaxBuffer, "must be at most a day"},
		{"min_notice", in.Notice, 0, store.MaxServiceTime, "must be at most ten years"},
		{"max_ahead", in.Ahead, 0, store.MaxServiceTime, "must be at most ten years"},
	} {
		if d, ok := x.d.Get(); ok && !f.Has(x.name) && (time.Duration(d) < x.low || time.Duration(d) > x.high) {
			f.Add(x.name, x.want)
		}
	}
	for _, x := range []struct {
		name string
		n    rest.Opt[int]
	}{{"max_per_day", in.PerDay}, {"max_per_week", in.PerWeek}, {"max_per_month", in.PerMonth}, {"capacity", in.Capacity}} {
		if n, ok := x.n.Get(); ok && !f.Has(x.name) && (n < 1 || n > 10_000) {
			f.Add(x.name, "must be between 1 and 10000")
		}
	}
}

// slotAfter gives the slot behind which the page begins: its start, and the number
// of its resource among those that are searched; at the beginning the zero time.
func slotAfter(page rest.Page) (start time.Time, resource int, ok bool) {
	key := page.After()
	if key == "" {
		return time.Time{}, 0, true
	}
	a, b, found := strings.Cut(key, " ")
	sec, err := strconv.ParseInt(a, 10, 64)
	n, err2 := strconv.Atoi(b)
	return time.Unix(sec, 0).UTC(), n, found && err == nil && err2 == nil && n >= 0 && n < maxSlotResources
}

// rules gives the rules of the search.
func (in *slotsAsk) rules(x *store.Service) slots.Rules {
	var r slots.Rules
	if x != nil {
		r = slots.RulesOf(x)
	}
	for _, f := range []struct {
		from rest.Opt[rest.Duration]
		to   *time.Duration
	}{
		{in.Length, &r.Length},
		{in.Step, &r.Step},
		{in.Before, &r.Before},
		{in.After, &r.After},
		{in.Notice, &r.Notice},
		{in.Ahead, &r.Ahead},
	} {
		*f.to = time.Duration(f.from.Or(rest.Duration(*f.to)))
	}
	for _, f := range []struct {
		from rest.Opt[int]
		to   *int
	}{{in.PerDay, &r.PerDay}, {in.PerWeek, &r.PerWeek}, {in.PerMonth, &r.PerMonth}, {in.Capacity, &r.Capacity}} {
		*f.to = f.from.Or(*f.to)
	}
	return r
}

// SlotList is a page of slots: by start, and of one start in the order of the
// resources.
type SlotList struct {
	Items   []Slot `json:"items"`
	Next    string `json:"next,omitempty" doc:"The cursor that goes on; absent at the end."`
	Unknown []Ref  `json:"unknown_hours" doc:"Resources of whose hours nothing is known in the time."`
}

// Slot is a time that can be booked.
type Slot struct {
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Resource Ref       `json:"resource"`
	Left     int       `json:"left" doc:"How many can book it."`

	place int // of the resource among those that are searched
}

func (s *service) getSlots(ctx context.Context, in slotsIn) (SlotList, error) {
	return s.slots(ctx, &in.slotsAsk, in.Page, inQuery)
}

func (s *service) postSlots(ctx context.Context, in slotsPostIn) (SlotList, error) {
	return s.slots(ctx, &in.Body.slotsAsk, in.Body.page(), inPost)
}

func (s *service) slots(ctx context.Context, in *slotsAsk, page rest.Page, list string) (out SlotList, err error) {
	return out, s.view(ctx, func(d *desk) error {
		x, err := d.serviceIn(in.Service)
		if err != nil {
			return err
		}
		places, err := d.placesOf(list, in.Resources.Or(nil), x)
		if err != nil {
			return err
		}
		out, err = d.search(in, page, x, places)
		return err
	})
}

// placesOf finds the resources of a search: those that are named, or those that
// offer the service, as far as the asker sees them.
func (d *desk) placesOf(list string, refs []string, x *store.Service) (out []*store.Principal, err error) {
	add := func(p *store.Principal) {
		if !slices.ContainsFunc(out, func(q *store.Principal) bool { return q.ID == p.ID }) && (x == nil || x.OfferedBy(p.UUID)) {
			out = append(out, p)
		}
	}
	for i, ref := range refs {
		p, err := d.resource(ref, store.RightFreeBusy)
		if err != nil {
			return nil, inBody(list+"."+strconv.Itoa(i), err)
		}
		add(p)
	}
	if len(refs) > 0 {
		return out, nil
	}
	all, err := d.Reachable(d.actor)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.Kind.Resource() {
			add(p)
		}
	}
	if len(out) > maxSlotResources {
		return nil, rest.Invalid(list, "is required: more than 50 resources offer the service")
	}
	return out, nil
}

// behind gives the part of the span in which the slots of a resource are that a
// page begins with or has behind that; empty when all were on pages before.
func behind(page rest.Page, w span.Span, place int, grouped bool) span.Span {
	start, last, _ := slotAfter(page)
	switch {
	case start.IsZero() || grouped && place > last:
		return w
	case grouped && place < last:
		return span.Span{}
	case place <= last:
		start = start.Add(time.Second)
	}
	if start.After(w.Start) {
		w.Start = start
	}
	return w
}

// search gives a page of slots.
func (d *desk) search(in *slotsAsk, page rest.Page, x *store.Service, places []*store.Principal) (out SlotList, err error) {
	out = SlotList{Items: []Slot{}, Unknown: []Ref{}}
	if x != nil && x.Inactive || len(places) == 0 {
		return out, nil
	}
	org, err := d.organisation()
	if err != nil {
		return out, err
	}
	from := rest.Some(in.From.Or(d.now.Truncate(time.Second)))
	w, err := window(from, in.To, d.Zone(org), d.now, 7, slots.MaxDays)
	if err != nil {
		return out, err
	}
	grouped := in.Group.Or("") != ""
	if w.Start.Year() < 2 { // weeks and months around it are looked at
		return out, rest.Invalid("from", "must be of the years 2 to 9999")
	}
	rules, size := in.rules(x), page.Size()
	switch {
	case rules.Length == 0:
		return out, rest.Invalid("length", "is required: the service has none")
	case rules.Length < time.Minute || rules.Length > slots.MaxDays*24*time.Hour:
		return out, rest.Invalid("length", "is required: that of the service is not between a minute and 31 days")
	}
	full := false // grouped, and the page needs no more
	for i, p := range places {
		known := false
		if part := behind(page, w, i, grouped); !full && !part.Empty() {
			found, err := slots.Find(d.View, p.ID, part, rules, d.now, size+1)
			if err != nil {
				return out, err
			}
			for _, s := range found.Slots {
				out.Items = append(out.Items, Slot{s.Start, s.End, refTo(p), s.Left, i})
			}
			known, full = found.Known, grouped && len(out.Items) > size
		}
		if !known { // in this part of the time that was asked for
			o, err := d.Openings(p.ID, w)
			if err != nil {
				return out, err
			}
			known = o.Known
		}
		if !known {
			out.Unknown = append(out.Unknown, refTo(p))
		}
	}
	if !grouped {
		slices.SortFunc(out.Items, func(a, b Slot) int { return cmp.Or(a.Start.Compare(b.Start), a.place-b.place) })
	}
	if len(out.Items) > size {
		out.Items = out.Items[:size]
		last := out.Items[size-1]
		out.Next = rest.Cursor(fmt.Sprintf("%d %d", last.Start.Unix(), last.place))
	}
	return out, nil
}
