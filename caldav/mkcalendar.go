package caldav

import (
	"errors"
	"net/http"
	"strings"

	"daybook/caldav/dav"
	"daybook/store"
)

// rfc5689 is extended MKCOL.
func rfc5689() module { return module{features: []string{"extended-mkcol"}} }

// mkcalendar answers MKCALENDAR (RFC 4791 §5.3.1).
func (x *exchange) mkcalendar() error {
	if err := x.vacant(errNotNull); err != nil {
		return err
	}
	root, err := x.readXML()
	if err != nil {
		return err
	}
	if root != nil && !root.Is(dav.C("mkcalendar")) {
		return errBadRequest
	}
	return x.create(root, true)
}

// mkcol answers extended MKCOL (RFC 5689) for calendars, the only collections
// that can be made.
func (x *exchange) mkcol() error {
	if err := x.vacant(&dav.Error{Status: http.StatusMethodNotAllowed}); err != nil {
		return err
	}
	ct, _, _ := strings.Cut(x.r.Header.Get("Content-Type"), ";")
	ct = strings.ToLower(strings.TrimSpace(ct))
	if x.r.ContentLength != 0 && ct != "" && ct != "text/xml" && ct != "application/xml" {
		return errMediaType
	}
	root, err := x.readXML()
	if err != nil {
		return err
	}
	if root == nil {
		return errResourcetype
	}
	if !root.Is(dav.D("mkcol")) {
		return errMediaType
	}
	return x.create(root, false)
}

// vacant checks the place of a new calendar before the body is read: nothing
// may be there, its home must be, and it cannot be in a calendar.
func (x *exchange) vacant(taken *dav.Error) error {
	return x.view(func(v *store.View) error {
		r, err := x.resolve(v, x.target)
		switch {
		case err == nil && r.kind == kindObject:
			return taken
		case err == nil:
			if r.kind&(kindCalendar|kindHome|kindPrincipal|containers) != 0 {
				return taken
			}
		case errors.Is(err, errForbidden):
			return err
		case !errors.Is(err, errNotFound) && !errors.Is(err, store.ErrNotFound):
			return err
		}
		return x.location(v, x.target)
	})
}

// location checks that a calendar could be made at an address.
func (x *exchange) location(v *store.View, a address) error {
	if a.kind == kindObject {
		a.deeper = false // below an object is below its calendar
		if r, err := x.resolve(v, a); r != nil || err == nil {
			return errLocation
		}
		return errConflict
	}
	if a.kind != kindCalendar {
		return errLocation
	}
	home, err := x.resolve(v, a.parent())
	if err != nil {
		return err
	}
	if single(home.owner) || strings.HasSuffix(a.calendar, sharedSuffix) {
		return errLocation
	}
	if !home.rights.Has(store.RightWrite) {
		return x.needs(home.href, "bind")
	}
	return nil
}

// create makes the calendar with the properties of the request, or nothing.
func (x *exchange) create(root *dav.Element, calendar bool) error {
	c := &store.Collection{Name: x.target.calendar}
	d := draftCalendar(c)
	d.birth, d.calendar = true, calendar
	var list []*change
	if root != nil {
		list = changes(root)
	}
	good := x.apply(d, list)
	if good && !d.calendar {
		return errResourcetype
	}
	if !good {
		return x.notCreated(list, calendar)
	}
	err := x.update(func(tx *store.Tx) error {
		if err := x.location(&tx.View, x.target); err != nil {
			return err
		}
		home, err := x.resolve(&tx.View, x.target.parent())
		if err != nil {
			return err
		}
		fresh := *c
		fresh.Owner, fresh.Org = home.owner.ID, home.owner.Org
		return tx.CreateCollection(x.actor, &fresh)
	})
	if err != nil {
		return err
	}
	x.w.Header().Set("Cache-Control", "no-cache")
	if x.prefer.Minimal {
		x.w.Header().Set("Preference-Applied", "return=minimal")
	}
	return x.empty(http.StatusCreated)
}

// notCreated tells which properties were refused: as a multistatus after
// MKCALENDAR, as mkcol-response after MKCOL (RFC 5689 §3.2).
func (x *exchange) notCreated(list []*change, calendar bool) error {
	if calendar {
		a := x.newAnswer(dav.MultistatusStart)
		a.b = append(a.b, dav.ResponseStart...)
		a.b = append(dav.AppendText(a.b, x.target.href), "</D:href>"...)
		a.b = append(appendChanges(a.b, list, false), dav.ResponseEnd...)
		return a.finish(dav.MultistatusEnd)
	}
	b := []byte(dav.Declaration + "<D:mkcol-response" + dav.Namespaces + ">")
	b = append(appendChanges(b, list, false), "</D:mkcol-response>\n"...)
	return x.send(http.StatusFailedDependency, dav.ContentType, b)
}
