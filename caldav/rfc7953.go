package caldav

import (
	"errors"
	"strings"

	"daybook/caldav/dav"
	"daybook/ical"
	"daybook/store"
)

// rfc7953 is availability: the hours that hold for a resource or organisation,
// as one iCalendar object. It is derived from the VAVAILABILITY objects in its
// own calendar and in its organisation's, which are what a client changes.
// There is no scheduling inbox for RFC 7953 §7.2 to put it on, so the calendar
// itself has it, and the feature is not announced.
func rfc7953() module {
	return module{props: []property{{name: dav.C("calendar-availability"), on: kindCalendar, get: getAvailability}}}
}

func getAvailability(x *exchange, r *resource, b []byte) ([]byte, error) {
	if !r.rights.Has(store.RightRead) || !r.owner.Kind.Resource() && r.owner.Kind != store.KindOrganisation {
		return b, errAbsent
	}
	found, err := x.v.HoursOf(r.owner.ID)
	if errors.Is(err, store.ErrNotFound) || err == nil && len(found) == 0 {
		return b, errAbsent
	}
	if err != nil {
		return b, err
	}
	var failed error
	var text strings.Builder
	_, err = ical.Merge(&text, func(yield func([]byte) bool) {
		for _, h := range found {
			data, err := x.v.Data(h.ID)
			if failed = err; err != nil || !yield(data) {
				return
			}
		}
	}, ical.FeedOptions{Now: x.srv.Now(), Private: ical.PrivateShown})
	if err = errors.Join(err, failed); err != nil {
		return b, err
	}
	return dav.AppendText(b, text.String()), nil
}
