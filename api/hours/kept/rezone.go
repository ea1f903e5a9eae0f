package kept

import (
	"fmt"
	"time"

	"daybook/api/hours"
	"daybook/ical"
	"daybook/store"
)

// Rezone moves all the hours of an organisation, its own and its resources',
// from one zone to another in which they have the same wall clocks. It belongs
// into the transaction that changes the organisation's zone: every API speaks
// of hours as wall clocks there, and 09:00 is to stay 09:00. Objects are parsed
// inside the write, which is rare and an administrator's. store errors.
func Rezone(tx *store.Tx, st *store.Store, actor *store.Actor, org store.PrincipalID, from, to *ical.Zone) error {
	if from.Name() == to.Name() {
		return nil
	}
	all, err := tx.Principals(org)
	if err != nil {
		return fmt.Errorf("move hours to another zone: %w", err)
	}
	for _, p := range all {
		if p.Kind != store.KindOrganisation && !p.Kind.Resource() {
			continue
		}
		c, err := tx.Calendar(p.ID)
		if err != nil {
			return fmt.Errorf("move hours to another zone: %w", err)
		}
		r := rezoner{tx, st, actor, c.ID, from, to, tx.Now()}
		if err := r.calendar(); err != nil {
			return fmt.Errorf("move hours of %s to another zone: %w", p.Name, err)
		}
	}
	return nil
}

// rezoner moves the hours in one calendar.
type rezoner struct {
	*store.Tx
	store    *store.Store
	actor    *store.Actor
	id       store.CollectionID
	from, to *ical.Zone
	now      time.Time
}

func (r *rezoner) calendar() error {
	var all []store.Member
	err := r.EachMember(r.id, "", func(m store.Member) bool {
		if m.Kind == "VAVAILABILITY" {
			all = append(all, m)
		}
		return true
	})
	for _, m := range all {
		if err == nil {
			err = r.member(m)
		}
	}
	return err
}

// member moves one object; one that cannot be read is for a check of the store
// to report.
func (r *rezoner) member(m store.Member) error {
	data, err := r.Data(m.Object)
	if err != nil {
		return err
	}
	o, err := ical.Parse(data, ical.StreamLimits)
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	next, err := hours.Rezone(o, r.from, r.to, r.now)
	if err != nil || next == o {
		return err
	}
	p, err := r.store.Prepare(next)
	if err != nil {
		return err
	}
	_, err = r.PutObject(store.Put{Actor: r.actor, Collection: r.id, Name: m.Name, Object: p, Cond: store.Cond{Match: []store.ETag{m.ETag}}})
	return err
}
