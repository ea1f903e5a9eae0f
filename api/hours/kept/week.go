package kept

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"daybook/ical"
	"daybook/store"
)

// WeekUID is the UID of the week that we write for an organisation: the same
// for ever, so that its identity survives.
func WeekUID(org uuid.UUID) string { return uuid.NewSHA1(org, []byte("weekly availability")).String() }

// FindWeek gives the member of an organisation's own calendar that holds its
// week: our own, else the first availability of a calendar client that holds
// for the whole organisation and for ever. store.ErrNotFound.
func FindWeek(v *store.View, org uuid.UUID, own store.CollectionID) (store.Member, error) {
	if m, err := v.MemberByUID(own, WeekUID(org)); err == nil && m.Kind == "VAVAILABILITY" {
		return m, nil
	}
	var found store.Member
	var failed error
	err := v.EachMember(own, "", func(m store.Member) bool {
		if m.Kind != "VAVAILABILITY" {
			return true
		}
		data, err := v.Data(m.Object)
		if err != nil {
			failed = err
			return false
		}
		if o, err := ical.Parse(data, ical.Limits{}); err == nil && IsWeek(o) {
			found = m
		}
		return found.Name == ""
	})
	if err = errors.Join(err, failed); err != nil {
		return store.Member{}, fmt.Errorf("find a week: %w", err)
	}
	if found.Name == "" {
		return store.Member{}, fmt.Errorf("week: %w", store.ErrNotFound)
	}
	return found, nil
}

// IsWeek reports whether an availability holds for the whole organisation and
// without dates: opening hours of service points and their exceptions do not.
func IsWeek(o *ical.Object) bool {
	c := o.Master()
	if c == nil || o.Kind() != "VAVAILABILITY" {
		return false
	}
	for _, name := range []string{"X-DAYBOOK-SERVICE-POINT", "RELATED-TO", "DTSTART", "DTEND", "DURATION"} {
		if c.Line(name) != nil {
			return false
		}
	}
	return true
}
