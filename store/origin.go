package store

import (
	"fmt"
	"strings"

	"daybook/ical"
)

// RemoteID numbers a remote in this file; 0 is none. Numbers are not used again.
type RemoteID uint32

// Origin says that an object is kept by a remote, one that is pulled in only:
// it is changed by nobody else, it is never a block, and its time counts as the
// remote's record says. It stands in the facts of the object, so that a listing,
// a query or a write needs to know nothing of remotes.
type Origin struct {
	Remote RemoteID // 0: our own
	Counts Counts
}

// Counts says what the time of a remote's events is taken for.
type Counts uint8

// The ways to count.
const (
	CountsSource    Counts = iota // as the events say themselves
	CountsBusy                    // all that is not cancelled is busy, also what the source calls transparent
	CountsTentative               // what takes time takes it tentatively
	CountsFree                    // shown, and takes no time
	CountsIgnored                 // as CountsFree; only calendar clients see it
)

var countsNames = []string{"source", "busy", "tentative", "free", "ignored"}

func (c Counts) String() string {
	if int(c) < len(countsNames) {
		return countsNames[c]
	}
	return fmt.Sprintf("counts(%d)", uint8(c))
}

// ParseCounts reads source, busy, tentative, free or ignored; "" is source.
func ParseCounts(s string) (Counts, error) {
	if s == "" {
		return CountsSource, nil
	}
	for i, name := range countsNames {
		if name == s {
			return Counts(i), nil
		}
	}
	return 0, badField("counts", "%q is none of %s", s, strings.Join(countsNames, ", "))
}

// flags gives the flags of a row as the origin lets it count.
func (o Origin) flags(r RowFlags, c *ical.Component) RowFlags {
	r |= RowRemote
	busy := r.Busy()
	switch o.Counts {
	case CountsBusy:
		if c != nil && c.Name == "VEVENT" && !strings.EqualFold(strings.TrimSpace(c.Text("STATUS")), "CANCELLED") {
			busy = ical.BusyBusy
		}
	case CountsTentative:
		busy = min(busy, ical.BusyTentative)
	case CountsIgnored:
		r |= RowIgnored
		busy = ical.BusyFree
	case CountsFree:
		busy = ical.BusyFree
	case CountsSource:
	}
	return r&^(3<<rowBusyShift) | RowFlags(busy)<<rowBusyShift
}

// bookingFrom is bookingOf for an object that may be a remote's: buffers and
// services that others name are not ours.
func bookingFrom(o *ical.Object, from Origin) booking {
	if from.Remote != 0 {
		return booking{}
	}
	return bookingOf(o)
}

// originOf reads the origin of an object out of its packed facts. Most have
// none, which their second byte tells.
func originOf(b []byte) Origin {
	if len(b) < 2 || b[0] != packedV1 || b[1]&factRemote == 0 {
		return Origin{}
	}
	f, err := unpackFacts(0, b)
	if err != nil {
		return Origin{}
	}
	return f.Origin
}

// Origin tells who keeps an object; our own, also for one that is not there.
func (v *View) Origin(id ObjectID) Origin { return originOf(v.get(factsKey(id))) }

// mayChange refuses changes of what a remote keeps to everybody else, the
// operator included: the next pull would undo them. A remote in turn changes
// nothing that is elsewhere too.
func (a *Actor) mayChange(f *facts) error {
	switch {
	case a == nil:
		return ErrForbidden
	case f.Remote != 0 && f.Remote != a.remote:
		return ErrReadOnly
	case a.remote != 0 && len(f.Bindings) > 1:
		return fmt.Errorf("a remote changes no block of several calendars: %w", ErrForbidden)
	}
	return nil
}
