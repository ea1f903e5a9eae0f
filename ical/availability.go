package ical

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"daybook/ical/span"
)

// Availability is one VAVAILABILITY component, read for computing (RFC 7953).
type Availability struct {
	Priority int // 1 highest … 9, 0 lowest
	Busy     BusyType
	Window   span.Span // zero times are open
	Free     []span.Span
}

// Availabilities expands the VAVAILABILITY components of o in the window. A
// *LimitError comes with what was found until then.
func (o *Object) Availabilities(x Expand) ([]Availability, error) {
	var all []Availability
	for _, c := range o.root.Children {
		if c.Name != "VAVAILABILITY" {
			continue
		}
		a, err := o.availability(c, x)
		all = append(all, a)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// availability reads one VAVAILABILITY. Its AVAILABLE components recur like
// events: those with one UID are master and overrides (RFC 7953 §3.1). Their
// lengths are of the wall clock, unlike those of events (see series).
func (o *Object) availability(c *Component, x Expand) (Availability, error) {
	a := Availability{Busy: BusyUnavailable, Window: o.availabilityWindow(c, x.Zone)}
	if n, err := strconv.Atoi(strings.TrimSpace(c.Text("PRIORITY"))); err == nil && n >= 0 && n <= 9 {
		a.Priority = n
	}
	if l := c.Line("BUSYTYPE"); l != nil {
		a.Busy = ParseBusyType(l.Value)
	}
	groups := make(map[string][]*Component)
	var uids []string
	for i, child := range c.Children {
		if child.Name != "AVAILABLE" {
			continue
		}
		uid := child.Text("UID")
		if uid == "" {
			uid = "\n" + strconv.Itoa(i) // of no other
		}
		if groups[uid] == nil {
			uids = append(uids, uid)
		}
		groups[uid] = append(groups[uid], child)
	}
	var free []span.Span
	var failed error
	for _, uid := range uids {
		s := newSeries(o, groups[uid])
		zone := x.Zone
		if zone == nil {
			zone = UTCZone
		}
		failed = s.place(zone).each(x, func(i *Instance) bool {
			free = append(free, clipOpen(i.Span(), a.Window))
			return true
		})
		if failed != nil {
			break
		}
	}
	a.Free = span.Union(free...)
	return a, failed
}

// availabilityWindow gives DTSTART to DTEND (or DURATION), open where they are
// absent.
func (o *Object) availabilityWindow(c *Component, floating *Zone) span.Span {
	s := &series{}
	e := s.entry(o, c)
	var w span.Span
	switch {
	case e.own:
		w.Start = e.start.Instant(floating)
		if e.open() {
			return w
		}
		nominal, exact, _ := e.len.resolve(e.start, floating)
		zone := e.start.zone(floating)
		w.End = civilTime(zone.unix(e.start.Wall.Unix()+nominal) + exact)
	default:
		if t := s.time(o, c.Line("DTEND")); t != nil {
			w.End = t.Instant(floating)
		}
	}
	return w
}

// clipOpen is Span.Clip by a window whose zero times are open.
func clipOpen(s, window span.Span) span.Span {
	if window.Start.IsZero() {
		window.Start = s.Start
	}
	if window.End.IsZero() {
		window.End = s.End
	}
	return s.Clip(window)
}

// Available gives the time that is offered (RFC 7953 §4): at each instant the
// availability of highest priority that covers it decides; of several with
// that priority, what one of them offers is offered. ok is false when none
// covers any of the window (then nothing is said about it).
func Available(window span.Span, all []Availability) (free span.Set, ok bool) {
	var decided span.Set
	byRank(all, func(rank []Availability) {
		var covered, offered []span.Span
		for i := range rank {
			covered = append(covered, clipOpen(window, rank[i].Window))
			for _, s := range rank[i].Free {
				offered = append(offered, clipOpen(s, rank[i].Window).Clip(window))
			}
		}
		free = span.Union(append(span.Union(offered...).Subtract(decided), free...)...)
		decided = span.Union(append(covered, decided...)...)
	})
	return free, len(decided) > 0
}

// Unavailable gives the busy time of the window that follows from
// availabilities (RFC 7953 §4): what they cover and do not offer, with the
// busy type of the one that decides. Merge it with the busy time of events by
// MergeBusy.
func Unavailable(window span.Span, all []Availability) []Busy {
	var out []Busy
	var decided span.Set
	byRank(all, func(rank []Availability) {
		var offered, covered []span.Span
		for i := range rank {
			for _, s := range rank[i].Free {
				offered = append(offered, clipOpen(s, rank[i].Window))
			}
		}
		free := span.Union(offered...)
		for i := range rank {
			cover := clipOpen(window, rank[i].Window)
			covered = append(covered, cover)
			for _, s := range span.Union(cover).Subtract(free).Subtract(decided) {
				out = append(out, Busy{Span: s, Type: rank[i].Busy})
			}
		}
		decided = span.Union(append(covered, decided...)...)
	})
	return MergeBusy(out)
}

// byRank calls do with the availabilities of each priority, the highest first.
func byRank(all []Availability, do func(rank []Availability)) {
	rank := func(a Availability) int { return (a.Priority + 9) % 10 } // 0 comes last
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Availability) int { return cmp.Compare(rank(a), rank(b)) })
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n].Priority == sorted[0].Priority {
			n++
		}
		do(sorted[:n])
		sorted = sorted[n:]
	}
}
