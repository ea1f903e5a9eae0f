package caldav

import (
	"errors"
	"net/http"

	"daybook/caldav/dav"
	"daybook/store"
)

// maxCopy bounds the members of a calendar that one COPY takes: it is one
// transaction.
const maxCopy = 10_000

// transfer answers COPY and MOVE (RFC 4918 §9.8, §9.9).
func (x *exchange) transfer() error {
	if x.r.Header.Get("Destination") == "" {
		return errBadRequest
	}
	path, err := dav.PathOf(x.r.Header.Get("Destination"))
	if err != nil {
		return err
	}
	overwrite, err := dav.ParseOverwrite(x.r.Header)
	if err != nil {
		return err
	}
	depth, err := dav.ParseDepth(x.r.Header, dav.DepthInfinity)
	if err != nil {
		return err
	}
	t := transfer{x: x, overwrite: overwrite, move: x.r.Method == "MOVE", shallow: depth == dav.Depth0, cond: cond(x.r.Header)}
	to, err := x.parse(path)
	if err != nil {
		// Outside of the server; what is asked for may still be refused first.
		if x.target.kind&(kindCalendar|kindObject) == 0 {
			return errForbidden
		}
		return &dav.Error{Status: http.StatusBadGateway}
	}
	t.to = to
	var created bool
	err = x.update(func(tx *store.Tx) error {
		created, err = t.run(tx)
		return err
	})
	if err != nil {
		return err
	}
	x.w.Header().Set("Location", x.absolute(to.href))
	if created {
		return x.empty(http.StatusCreated)
	}
	return x.empty(http.StatusNoContent)
}

// transfer is a COPY or MOVE under way.
type transfer struct {
	x                        *exchange
	to                       address
	overwrite, move, shallow bool
	cond                     store.Cond
}

func (t *transfer) run(tx *store.Tx) (created bool, err error) {
	from, err := t.x.resolve(&tx.View, t.x.target)
	if err != nil {
		return false, err
	}
	if from.kind&(kindCalendar|kindObject) == 0 {
		return false, errForbidden
	}
	if err := t.x.preconditions(tx, from, t.cond); err != nil {
		return false, err
	}
	if err := t.x.require(from, store.RightRead); err != nil {
		return false, err
	}
	if from.kind == kindCalendar {
		return t.calendar(tx, from)
	}
	return t.object(tx, from)
}

// object transfers one member.
func (t *transfer) object(tx *store.Tx, from *resource) (bool, error) {
	x := t.x
	if t.to.kind != kindObject {
		return false, errForbidden // the place of an object is below a calendar
	}
	x.conflictBase = t.to.parent().href
	to, err := x.destination(&tx.View, t.to)
	if err != nil {
		return false, err
	}
	if from.coll.ID == to.coll.ID && from.member.Name == t.to.object {
		return false, errForbidden // RFC 4918 §9.8.5
	}
	if t.move {
		if err := x.require(from, store.RightDelete); err != nil {
			return false, err
		}
	}
	m := store.Move{
		Actor: x.actor, From: from.coll.ID, To: to.coll.ID, FromName: from.member.Name, ToName: t.to.object,
		Overwrite: t.overwrite, Cond: t.cond,
	}
	if t.move {
		return tx.MoveObject(m)
	}
	return tx.CopyObject(m)
}

// calendar transfers a whole calendar to another name in the same home, or
// copies it to another home.
func (t *transfer) calendar(tx *store.Tx, from *resource) (bool, error) {
	x := t.x
	if t.to.kind == kindCalendar && t.to.calendar == x.target.calendar && t.to.owner == x.target.owner {
		return false, errForbidden
	}
	old, err := x.resolve(&tx.View, t.to)
	switch {
	case errors.Is(err, errForbidden):
		return false, err
	case err == nil && t.to.kind == kindCalendar:
		if !t.overwrite {
			return false, errPrecondition
		}
		if old.shared || old.coll.ID == from.coll.ID {
			return false, errForbidden
		}
	case err == nil && t.to.kind != kindObject:
		return false, errForbidden
	case err != nil && !errors.Is(err, errNotFound) && !errors.Is(err, store.ErrNotFound):
		return false, err
	}
	if err := x.location(&tx.View, t.to); err != nil {
		return false, err
	}
	home, err := x.resolve(&tx.View, t.to.parent())
	if err != nil {
		return false, err
	}
	exists := old != nil && old.kind == kindCalendar
	if exists {
		if err := tx.DeleteCollection(x.actor, old.coll.ID); err != nil {
			return false, err
		}
	}
	if !t.move {
		return !exists, t.copyCalendar(tx, from, home)
	}
	if from.shared || from.owner.ID != home.owner.ID {
		return false, errForbidden
	}
	return !exists, tx.RenameCollection(x.actor, from.coll.ID, t.to.calendar)
}

func (t *transfer) copyCalendar(tx *store.Tx, from, home *resource) error {
	src := from.coll
	c := &store.Collection{
		Owner: home.owner.ID, Org: home.owner.Org, Name: t.to.calendar, DisplayName: src.DisplayName,
		Description: src.Description, Components: src.Components, Timezone: src.Timezone, TimezoneID: src.TimezoneID,
		Transparent: src.Transparent, Dead: src.Dead,
	}
	if err := tx.CreateCollection(t.x.actor, c); err != nil {
		return err
	}
	if t.shallow {
		return nil
	}
	if from.state.Members > maxCopy {
		return errQuota
	}
	var names []string
	err := tx.EachMember(src.ID, "", func(m store.Member) bool {
		names = append(names, m.Name)
		return true
	})
	if err != nil {
		return err
	}
	for _, n := range names {
		m := store.Move{Actor: t.x.actor, From: src.ID, To: c.ID, FromName: n, ToName: n}
		if _, err := tx.CopyObject(m); err != nil {
			return err
		}
	}
	return nil
}
