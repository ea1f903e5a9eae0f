package timetap

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"daybook/api/auth"
	"daybook/ical"
	"daybook/store"
)

// desk is a request's view of the store: who asks, and what he may see.
type desk struct {
	s     *service
	v     *store.View
	actor *store.Actor
	org   *store.Principal
	zone  *ical.Zone // the organisation's: days, all-day and floating times are its

	admin bool
	own   map[store.PrincipalID]bool // that a grant of the person's names; nil for a key
}

// view runs fn in a snapshot. store.ErrForbidden for one who may read nothing.
func (s *service) view(ctx context.Context, fn func(*desk) error) error {
	return s.store.View(ctx, func(v *store.View) error {
		d, err := s.newDesk(v, auth.Actor(ctx))
		if err != nil {
			return err
		}
		return fn(d)
	})
}

func (s *service) newDesk(v *store.View, a *store.Actor) (*desk, error) {
	org, err := v.Principal(a.Org)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("no organisation: %w", store.ErrForbidden)
	}
	if err != nil {
		return nil, err
	}
	d := &desk{s: s, v: v, actor: a, org: org, zone: v.Zone(org), admin: v.Rights(a, org.ID).Has(store.RightAdmin)}
	if a.Principal != nil && !d.admin {
		grants, err := v.GrantsOf(a.Principal.ID)
		if err != nil {
			return nil, err
		}
		d.own = map[store.PrincipalID]bool{a.Principal.ID: true}
		for _, g := range grants {
			d.own[g.Target] = true
		}
	}
	if d.reads(org) {
		return d, nil
	}
	reachable, err := v.Reachable(a)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(reachable, d.reads) {
		return d, nil
	}
	return nil, fmt.Errorf("nothing to read: %w", store.ErrForbidden)
}

// reads reports whether the actor may read the principal's calendar at all.
func (d *desk) reads(p *store.Principal) bool { return d.v.Rights(d.actor, p.ID).Has(store.RightRead) }

// sees reports whether the actor may see the staff member. A person who is no
// admin sees his own staff: himself, and whom a grant of his names; what the
// organisation as a whole grants does not count. A key stands for no person: it
// sees whom it may read.
func (d *desk) sees(staff *store.Principal) bool {
	return d.reads(staff) && (d.own == nil || d.own[staff.ID])
}

// calendar is a collection with its owner.
type calendar struct {
	id    store.CollectionID
	owner *store.Principal
}

// calendarOf gives the calendar of a principal; ok is false for one without.
func (d *desk) calendarOf(p *store.Principal) (c calendar, ok bool, err error) {
	col, err := d.v.Calendar(p.ID)
	if errors.Is(err, store.ErrNotFound) {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	return calendar{col.ID, p}, true, nil
}

// byAlias finds a principal of one of the kinds; ok is false when the integer
// is none's.
func (d *desk) byAlias(n ident, is func(store.Kind) bool) (p *store.Principal, ok bool, err error) {
	a := n.alias()
	if a == 0 {
		return nil, false, nil
	}
	p, err = d.v.PrincipalByAlias(d.org.ID, a)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return p, is(p.Kind), nil
}

func isStaff(k store.Kind) bool { return k == store.KindStaff }

func isGroup(k store.Kind) bool { return k == store.KindGroup }

// isPlace tells the resources that are TimeTap's locations.
func isPlace(k store.Kind) bool {
	return k == store.KindRoom || k == store.KindArea || k == store.KindServicePoint
}

// staffCalendars gives the calendars of the staff with these ids, in their
// order, each once. Unknown ids match nothing; store.ErrForbidden for staff that
// the actor may not see.
func (d *desk) staffCalendars(ids []ident) ([]calendar, error) {
	seen := map[ident]bool{}
	var out []calendar
	for _, n := range ids {
		if seen[n] {
			continue
		}
		seen[n] = true
		p, ok, err := d.byAlias(n, isStaff)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if !d.sees(p) {
			return nil, fmt.Errorf("staff %d: %w", n, store.ErrForbidden)
		}
		c, ok, err := d.calendarOf(p)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, c)
		}
	}
	return out, nil
}
