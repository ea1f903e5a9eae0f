package store

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// Hours says when a resource or an organisation is open, whatever is booked
// in it: the time that its availability of highest priority offers, less the
// closures of the organisation. [Openings] is what is left of it by bookings.
//
// A closure is an event in the organisation's own calendar that takes time and
// is nobody's appointment: a block, or one that neither says to be of another
// type (X-DAYBOOK-EVENT-TYPE) nor names a service.
type Hours struct {
	Resource PrincipalID
	Span     span.Span  // what was asked
	Zone     *ical.Zone // of the resource's calendar: its days and wall clocks
	Covered  span.Set   // where some availability says something; elsewhere nothing is known
	Open     span.Set   // in UTC, inside Covered
}

// Hours gives the hours of a resource or organisation in w. ErrNotFound;
// ErrInvalid for a principal without calendar of its own, for an empty w, and
// one of more than MaxOpeningsDays.
func (v *View) Hours(resource PrincipalID, w span.Span) (Hours, error) {
	if w.Empty() || w.End.Sub(w.Start) > MaxOpeningsDays*24*time.Hour+maxOffset {
		return Hours{}, fmt.Errorf("hours: %w: a span is between one instant and %d days", ErrInvalid, MaxOpeningsDays)
	}
	h, err := v.hours(resource, w)
	if err != nil {
		return Hours{}, fmt.Errorf("hours of principal %d: %w", resource, err)
	}
	return h, nil
}

func (v *View) hours(resource PrincipalID, w span.Span) (Hours, error) {
	scope, err := v.openingsScope(resource)
	if err != nil {
		return Hours{}, err
	}
	var offered []ical.Availability
	for _, src := range scope.sources() {
		a, err := v.availabilities(scope, src, w)
		if err != nil {
			return Hours{}, err
		}
		offered = append(offered, a...)
	}
	sources := scope.sources()
	closed, err := v.closures(sources[len(sources)-1], w)
	if err != nil {
		return Hours{}, err
	}
	rec := openingsOf(w, offered, closed)
	return Hours{Resource: resource, Span: w, Zone: scope.own.zone, Covered: rec.covered, Open: rec.free}, nil
}

// closures gives the time that an organisation's own calendar takes from all.
func (v *View) closures(src *openingsSource, w span.Span) ([]span.Span, error) {
	rows, err := v.busyRows(src.collection.ID, w, src.zone, false)
	if err != nil {
		return nil, err
	}
	known := map[ObjectID]bool{}
	var out []span.Span
	for _, r := range rows {
		closes, ok := known[r.Object]
		if !ok {
			if closes = r.Flags&RowBlock != 0; !closes {
				data, err := v.Data(r.Object)
				if err != nil {
					return nil, err
				}
				closes = isClosure(data)
			}
			known[r.Object] = closes
		}
		if closes {
			out = append(out, span.Span{Start: time.Unix(r.Start, 0).UTC(), End: time.Unix(r.End, 0).UTC()})
		}
	}
	return out, nil
}

// isClosure reads off the text of an event in an organisation's own calendar
// whether it closes the house. It looks at lines, without parsing: such a
// calendar can hold every appointment of a small house.
func isClosure(data []byte) bool {
	typed, service := false, false
	for l := range bytes.SplitSeq(data, []byte("\n")) {
		if value, ok := lineValue(l, "X-DAYBOOK-EVENT-TYPE"); ok {
			if slices.Contains([]string{"VACATION", "TIME_OFF"}, string(bytes.ToUpper(value))) {
				return true
			}
			typed = true
		}
		if _, ok := lineValue(l, "X-DAYBOOK-SERVICE-ID"); ok {
			service = true
		}
	}
	return !typed && !service
}

// lineValue gives the value of a content line of the name.
func lineValue(line []byte, name string) (value []byte, ok bool) {
	if len(line) <= len(name) || !bytes.EqualFold(line[:len(name)], []byte(name)) || line[len(name)] != ':' && line[len(name)] != ';' {
		return nil, false
	}
	_, value, ok = bytes.Cut(line, []byte(":"))
	return bytes.TrimSpace(value), ok
}
