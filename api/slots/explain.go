package slots

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// Kind is why a time cannot be booked.
type Kind string

// The kinds of reasons.
const (
	NoHours  Kind = "no-hours" // no hours say anything about it
	Closed   Kind = "closed"   // outside of the hours
	Event    Kind = "event"    // an event of the resource
	Block    Kind = "block"    // a block of the resource
	Closure  Kind = "closure"  // an event of the organisation
	Held     Kind = "hold"     // somebody else may be about to book it
	Buffer   Kind = "buffer"   // too near to one of those
	Full     Kind = "full"     // as many bookings of the service at once as there may be
	Notice   Kind = "notice"   // too soon, or past
	TooFar   Kind = "too-far"  // farther ahead than may be booked
	Limit    Kind = "limit"    // as many bookings in the period as there may be
	Length   Kind = "length"   // not as long as the service
	Inactive Kind = "inactive" // the service is not offered now
	NotHere  Kind = "not-here" // the resource does not offer the service
)

// Taken reports whether the reason is that something takes the time; the others
// are hours and rules.
func (k Kind) Taken() bool {
	return slices.Contains([]Kind{Event, Block, Closure, Held, Buffer, Full}, k)
}

// Reason is one reason why a time cannot be booked.
type Reason struct {
	Kind   Kind
	Span   span.Span          // what it takes, a zero End is for ever; for notice and too-far what it leaves
	Busy   *store.BusyTime    // what takes it; nil for other kinds
	Hours  *store.HoursObject // that close it; nil where none does
	Period Period             // of a limit
	Most   int                // of a limit or a capacity
}

// Explain gives all reasons why a span cannot be booked by the rules, none if
// it can; in order of their kinds, and each kind by start. r.Length is not
// looked at. Errors as for store.View.Openings.
func Explain(v *store.View, resource store.PrincipalID, w span.Span, r Rules, now time.Time) ([]Reason, error) {
	r.Length = w.End.Sub(w.Start)
	q, err := ask(v, resource, w, r, now)
	if err != nil {
		return nil, err
	}
	out, err := q.closed()
	if err != nil {
		return nil, err
	}
	if err := q.readBusy(); err != nil {
		return nil, err
	}
	for i := range q.busy {
		if x, ok := q.against(&q.busy[i]); ok {
			out = append(out, x)
		}
	}
	for _, s := range q.crowd.atLeast(max(r.Capacity, 1)).Clip(w) {
		out = append(out, Reason{Kind: Full, Span: s, Most: r.Capacity})
	}
	first, last := q.starts()
	if w.Start.Unix() < first {
		out = append(out, Reason{Kind: Notice, Span: span.Span{Start: time.Unix(first, 0).UTC()}})
	}
	if w.Start.Unix() > last {
		out = append(out, Reason{Kind: TooFar, Span: span.Span{End: time.Unix(last, 0).UTC()}})
	}
	full, err := q.full(w.Start)
	return append(out, full...), err
}

// against tells how busy time stands against the span.
func (q *question) against(b *store.BusyTime) (Reason, bool) {
	x := Reason{Span: b.Span, Busy: b}
	own := span.Span{Start: b.Start.Add(-b.Before), End: b.End.Add(b.After)}
	switch {
	case b.Overlaps(q.w):
		x.Kind = kindOf(b, q.resource)
	case own.Overlaps(q.w), q.beside(b).Overlaps(q.w):
		x.Kind, x.Span = Buffer, span.Union(own, q.beside(b))[0]
	default:
		return x, false
	}
	if b.Row.Endless() {
		x.Span.End = time.Time{}
	}
	return x, true
}

func kindOf(b *store.BusyTime, resource store.PrincipalID) Kind {
	switch {
	case b.Hold != [16]byte{}:
		return Held
	case b.Owner != resource:
		return Closure
	case b.Row.Flags&store.RowBlock != 0:
		return Block
	}
	return Event
}

// closed gives the parts of the span that the hours do not offer.
func (q *question) closed() ([]Reason, error) {
	offered, covered, err := q.v.Offered(q.resource, q.w)
	if err != nil {
		return nil, err
	}
	var out []Reason
	whole := span.Set{q.w}
	for _, s := range whole.Subtract(covered) {
		out = append(out, Reason{Kind: NoHours, Span: s})
	}
	shut := covered.Clip(q.w).Subtract(offered)
	if len(shut) == 0 {
		return out, nil
	}
	hours, err := q.v.HoursOf(q.resource)
	if err != nil {
		return nil, err
	}
	for _, s := range shut {
		out = append(out, Reason{Kind: Closed, Span: s, Hours: deciding(hours, s.Start)})
	}
	return out, nil
}

// deciding gives the hours that decide about an instant: of highest priority of
// those that speak of it (RFC 7953 §4), the last of several; nil if none does.
func deciding(hours []store.HoursObject, at time.Time) *store.HoursObject {
	var best *store.HoursObject
	rank := 10
	w := span.Span{Start: at, End: at.Add(time.Second)}
	for i := range hours {
		h := &hours[i]
		all, _ := h.Object.Availabilities(ical.Expand{Window: w, Zone: h.Zone}) // what was understood of it
		for _, a := range all {
			if !a.Window.Start.IsZero() && at.Before(a.Window.Start) || !a.Window.End.IsZero() && !at.Before(a.Window.End) {
				continue
			}
			if n := (a.Priority + 9) % 10; n <= rank {
				best, rank = h, n
			}
		}
	}
	return best
}

// --- open now ---

// State is whether a place is open.
type State string

// The states.
const (
	IsOpen    State = "open"
	IsClosed  State = "closed"
	IsUnknown State = "unknown" // no hours say anything about it
)

// Now is what can be said about an instant.
type Now struct {
	State   State
	Change  time.Time          // when another state begins; zero: not within a year
	Next    State              // that begins then; "" without a change
	Hours   *store.HoursObject // that decide; nil where none does
	Closure *store.BusyTime    // of the organisation that closes it; nil for none
}

// OpenNow tells whether a resource or organisation is open: by its hours, less
// what the organisation's own calendar closes. Bookings do not close it. Errors
// as for store.View.Openings.
func OpenNow(v *store.View, resource store.PrincipalID, at time.Time) (out Now, err error) {
	at = at.UTC().Truncate(time.Second)
	p, err := v.Principal(resource)
	if err != nil {
		return out, err
	}
	from := at
	for _, days := range []int{8, 64, 366} { // what is near is found without reading what is far
		h, err := v.Hours(resource, span.Span{Start: from, End: at.AddDate(0, 0, days)})
		if err != nil {
			return out, err
		}
		states := states{h.Open, h.Covered}
		if from.Equal(at) {
			out.State = states.at(at)
		}
		if out.Change, out.Next = states.change(h.Span, out.State); out.Next != "" {
			break
		}
		from = h.Span.End
	}
	hours, err := v.HoursOf(resource)
	if err != nil {
		return out, err
	}
	if out.Hours = deciding(hours, at); out.State == IsClosed {
		out.Closure, err = closureAt(v, resource, p.Org, at)
	}
	return out, err
}

// closureAt gives what closes a place at an instant at which its hours are open;
// nil if they are not.
func closureAt(v *store.View, resource, org store.PrincipalID, at time.Time) (*store.BusyTime, error) {
	w := span.Span{Start: at, End: at.Add(time.Second)}
	offered, _, err := v.Offered(resource, w)
	if err != nil || len(offered) == 0 {
		return nil, err
	}
	busy, err := v.BusyTimes(org, w)
	if err != nil {
		return nil, err
	}
	var found *store.BusyTime
	for i := range busy {
		b := &busy[i]
		if b.Overlaps(w) && (found == nil || b.Row.Flags&store.RowBlock != 0) && b.Service == 0 {
			found = b
		}
	}
	return found, nil
}

// states are those of a span.
type states struct{ open, covered span.Set }

func (s *states) at(t time.Time) State {
	inside := func(x span.Span) bool { return !t.Before(x.Start) && t.Before(x.End) }
	switch {
	case slices.ContainsFunc(s.open, inside):
		return IsOpen
	case slices.ContainsFunc(s.covered, inside):
		return IsClosed
	}
	return IsUnknown
}

// change gives the first instant of the span at which the state is another.
func (s *states) change(w span.Span, from State) (time.Time, State) {
	edges := []time.Time{w.Start}
	for _, x := range slices.Concat(s.open, s.covered) {
		edges = append(edges, x.Start, x.End)
	}
	slices.SortFunc(edges, time.Time.Compare)
	for _, t := range edges {
		if t.Before(w.Start) || !t.Before(w.End) {
			continue
		}
		if next := s.at(t); next != from {
			return t, next
		}
	}
	return time.Time{}, ""
}

// Title gives the SUMMARY of hours, and whether they are an exception.
func Title(h *store.HoursObject) (title string, exception bool) {
	for _, c := range h.Object.Main() {
		title = cmp.Or(title, c.Text("SUMMARY"))
		for _, l := range c.All("RELATED-TO") {
			exception = exception || l.Param("RELTYPE") == "" || strings.EqualFold(l.Param("RELTYPE"), "PARENT")
		}
	}
	return title, exception
}
