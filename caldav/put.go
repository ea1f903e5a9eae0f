package caldav

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"daybook/caldav/dav"
	"daybook/ical"
	"daybook/store"
)

// put answers PUT (RFC 4791 §5.3.2).
func (x *exchange) put() error {
	if x.target.kind != kindObject {
		return x.putElsewhere()
	}
	return x.write(x.target, cond(x.r.Header))
}

// putElsewhere refuses a PUT to what is no object: clients try it to learn
// whether there is a file that they may write to. The conditions come first.
// Beside the calendars of a home nothing can be put.
func (x *exchange) putElsewhere() error {
	return x.update(func(tx *store.Tx) error {
		r, err := x.resolve(&tx.View, x.target)
		if x.target.kind == kindCalendar && (errors.Is(err, errNotFound) || errors.Is(err, store.ErrNotFound)) {
			if !holds(cond(x.r.Header), false, store.Member{}) {
				return errPrecondition
			}
			return errForbidden
		}
		if err != nil {
			return err
		}
		if err := x.preconditions(tx, r, cond(x.r.Header)); err != nil {
			return err
		}
		return errForbidden
	})
}

// post adds a member under a name of the server's choice (RFC 5995).
func (x *exchange) post() error {
	a := x.target
	a.kind, a.object = kindObject, uuid.NewString()+".ics"
	a.href += a.object
	return x.write(a, store.Cond{Missing: true})
}

// write stores the request's body at an address.
func (x *exchange) write(a address, c store.Cond) error {
	parent := a.parent()
	x.conflictBase = parent.href
	var r *resource
	err := x.view(func(v *store.View) (err error) {
		r, err = x.destination(v, a)
		if err != nil {
			return err
		}
		if !holds(c, r.member.Object != 0, r.member) {
			return errPrecondition
		}
		return nil
	})
	if err != nil {
		return x.current(r, err)
	}
	prepared, exact, err := x.readObject(r)
	if err != nil {
		return err
	}
	var res store.PutResult
	err = x.update(func(tx *store.Tx) error {
		if r, err = x.destination(&tx.View, a); err != nil {
			return err
		}
		if err := x.preconditions(tx, r, c); err != nil {
			return err
		}
		res, err = tx.PutObject(store.Put{Actor: x.actor, Collection: r.coll.ID, Name: a.object, Object: prepared, Cond: c})
		return err
	})
	if err != nil {
		return x.current(r, err)
	}
	r.member = res.Member
	return x.written(a, r, res.Created, exact, prepared.Object().Data())
}

// destination resolves the place of an object that may not be there yet, and
// checks that the actor may write it. A missing calendar is a conflict
// (RFC 4918 §9.7.1).
func (x *exchange) destination(v *store.View, a address) (*resource, error) {
	r, err := x.resolve(v, a)
	if errors.Is(err, store.ErrNotFound) && r != nil {
		r.member = store.Member{}
		err = nil
	}
	if errors.Is(err, errNotFound) || errors.Is(err, store.ErrNotFound) {
		return nil, errConflict
	}
	if err != nil {
		return nil, err
	}
	if !r.rights.Has(store.RightWrite) {
		privilege := "bind"
		if r.member.Object != 0 {
			privilege = "write-content"
		}
		return nil, x.needs(a.href, privilege)
	}
	return r, nil
}

// readObject reads and checks the body; exact tells that it is stored as it was
// sent.
func (x *exchange) readObject(r *resource) (prepared *store.Prepared, exact bool, err error) {
	h := x.r.Header
	jcal := false
	if ct := h.Get("Content-Type"); ct != "" {
		var ok bool
		if jcal, ok = mediaForm(ct); !ok {
			return nil, false, errSupportedData
		}
	}
	if enc := h.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return nil, false, errMediaType
	}
	if h.Get("Content-Range") != "" {
		return nil, false, errBadRequest // RFC 9110 §14.5
	}
	body, err := x.readBody(x.srv.Object.Bytes)
	if errors.Is(err, dav.ErrTooLarge) {
		x.refused(r, ical.MaxResourceSize, err)
		return nil, false, errResourceSize
	}
	if err != nil {
		return nil, false, err
	}
	o, err := x.checkObject(body, jcal, r.member.Object == 0)
	if err != nil {
		if e, ok := errors.AsType[*ical.InvalidError](err); ok {
			x.refused(r, e.Rule, err)
		}
		return nil, false, err
	}
	prepared, err = x.srv.Store.Prepare(o)
	return prepared, o.Exact() && !jcal, err
}

// checkObject reads an object and applies the rules of this protocol. A series
// that is there already may keep overrides of instances that it has no more:
// clients that change its times leave them behind.
func (x *exchange) checkObject(body []byte, jcal, created bool) (o *ical.Object, err error) {
	if jcal {
		if body, err = ical.FromJCal(body, x.srv.Object); err != nil {
			return nil, err
		}
	}
	if o, err = ical.ParseResource(body, x.srv.Object); err != nil {
		return nil, err
	}
	rules := []func() error{o.CheckEscapes, o.CheckZones, func() error { return x.checkAttendees(o) }, func() error { return o.CheckInstances(x.srv.MaxInstances) }}
	if created {
		rules = append(rules, o.CheckOverrides)
	}
	for _, rule := range rules {
		if err := rule(); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// checkAttendees holds each component to max-attendees-per-instance (RFC 4791
// §5.2.9).
func (x *exchange) checkAttendees(o *ical.Object) error {
	for _, c := range o.Main() {
		if len(c.All("ATTENDEE")) > x.srv.MaxAttendees {
			return &ical.InvalidError{Rule: ical.MaxAttendees, Reason: "a component has too many attendees", Ref: "RFC 4791 §5.2.9"}
		}
	}
	return nil
}

// refused logs what is not taken, by rule and line, never by content.

func (x *exchange) refused(r *resource, rule ical.Rule, err error) {
	x.srv.metrics.refused.WithLabelValues(string(rule)).Inc()
	x.srv.Log.Info("object refused", "collection", r.coll.ID, "rule", string(rule), "err", err, "request", x.requestID())
}

// current lets a failed condition carry what is there now, if the client
// wants it (RFC 8144 §3.2).
func (x *exchange) current(r *resource, err error) error {
	if !x.prefer.Representation || r == nil || r.member.Object == 0 || x.davError(err).Status != http.StatusPreconditionFailed {
		return err
	}
	readErr := x.view(func(v *store.View) (err error) {
		r.body, err = v.Data(r.member.Object)
		return err
	})
	if readErr != nil || !r.rights.Has(store.RightRead) {
		return err
	}
	x.represent(x.target.href)
	return x.sendObject(http.StatusPreconditionFailed, r.member, r.body)
}

// represent sets the headers of an answer that carries the object.
func (x *exchange) represent(href string) {
	h := x.w.Header()
	h.Set("Content-Location", href)
	h.Set("Preference-Applied", "return=representation")
	h.Set("Vary", "Brief, Prefer")
}

// written answers a successful write. The ETag is given only when the bytes
// stored are those that were sent (RFC 4791 §5.3.4).
func (x *exchange) written(a address, r *resource, created, exact bool, data []byte) error {
	h := x.w.Header()
	if x.r.Method == http.MethodPost {
		h.Set("Location", x.absolute(a.href))
	}
	if x.prefer.Representation {
		code := http.StatusOK
		if created {
			code = http.StatusCreated
		}
		x.represent(a.href)
		return x.sendObject(code, r.member, data)
	}
	if exact {
		x.describe(r.member, form{})
	}
	if created {
		return x.empty(http.StatusCreated)
	}
	return x.empty(http.StatusNoContent)
}
