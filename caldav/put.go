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
func (x *exchange) putElsewhere() error {
	return x.update(func(tx *store.Tx) error {
		r, err := x.resolve(&tx.View, x.target)
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
	prepared, err := x.readObject(r)
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
	return x.written(a, r, res.Created, prepared.Object())
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

// readObject reads and checks the body. What is refused is logged by rule and
// line, never by content.
func (x *exchange) readObject(r *resource) (*store.Prepared, error) {
	h := x.r.Header
	if ct := h.Get("Content-Type"); ct != "" && !isCalendarType(ct) {
		return nil, errSupportedData
	}
	if enc := h.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return nil, errMediaType
	}
	if h.Get("Content-Range") != "" {
		return nil, errBadRequest // RFC 9110 §14.5
	}
	body, err := x.readBody(x.srv.Object.Bytes)
	if errors.Is(err, dav.ErrTooLarge) {
		x.refused(r, ical.MaxResourceSize, err)
		return nil, errResourceSize
	}
	if err != nil {
		return nil, err
	}
	o, err := ical.ParseResource(body, x.srv.Object)
	if err != nil {
		if e, ok := errors.AsType[*ical.InvalidError](err); ok {
			x.refused(r, e.Rule, err)
		}
		return nil, err
	}
	return x.srv.Store.Prepare(o)
}

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
	x.represent(x.target.href, r)
	return x.send(http.StatusPreconditionFailed, calendarType, r.body)
}

// represent sets the headers of an answer that carries the object.
func (x *exchange) represent(href string, r *resource) {
	x.describe(r)
	h := x.w.Header()
	h.Set("Content-Location", href)
	h.Set("Preference-Applied", "return=representation")
	h.Set("Vary", "Brief, Prefer")
}

// written answers a successful write. The ETag is given only when the bytes
// stored are those that were sent (RFC 4791 §5.3.4).
func (x *exchange) written(a address, r *resource, created bool, o *ical.Object) error {
	h := x.w.Header()
	if x.r.Method == http.MethodPost {
		h.Set("Location", x.absolute(a.href))
	}
	if x.prefer.Representation {
		code := http.StatusOK
		if created {
			code = http.StatusCreated
		}
		x.represent(a.href, r)
		return x.send(code, calendarType, o.Data())
	}
	if o.Exact() {
		x.describe(r)
	}
	if created {
		return x.empty(http.StatusCreated)
	}
	return x.empty(http.StatusNoContent)
}
