package caldav

import (
	"net/http"

	"daybook/store"
)

// delete answers DELETE of an object or a calendar (RFC 4918 §9.6).
func (x *exchange) delete() error {
	c := cond(x.r.Header)
	err := x.update(func(tx *store.Tx) error {
		r, err := x.resolve(&tx.View, x.target)
		if err != nil {
			return err
		}
		if r.kind&(kindCalendar|kindObject) == 0 {
			return errForbidden
		}
		right := store.RightDelete
		if r.kind == kindCalendar {
			right = store.RightWrite
		}
		if err := x.require(r, right); err != nil {
			return err
		}
		if err := x.preconditions(tx, r, c); err != nil {
			return err
		}
		if r.kind == kindCalendar {
			if r.shared {
				return errForbidden // it is another's, and would come back
			}
			if !tx.Rights(x.actor, r.owner.ID).Has(store.RightWrite) {
				return x.needs(x.target.parent().href, "unbind") // one calendar is granted, not its place
			}
			return tx.DeleteCollection(x.actor, r.coll.ID)
		}
		return tx.DeleteObject(x.actor, r.coll.ID, r.member.Name, c)
	})
	if err != nil {
		return err
	}
	return x.empty(http.StatusNoContent)
}
