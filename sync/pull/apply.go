package pull

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"daybook/ical"
	"daybook/store"
)

// step is how many objects one transaction writes: few, so that others wait
// little.
const step = 64

// write is one change here of what a one-way remote keeps.
type write struct {
	href   string
	remote string // ETag there
	sum    []byte
	object *ical.Object
	base   *store.Base // what was; nil: nothing
	remove bool
	same   bool // it says what it said before: only its ETag there is new
	// keepUID tells that the object is one that is here already, under another
	// UID: only how it counts is new.
	keepUID bool
}

// bases reads what both sides had in common.
func (j *job) bases(ctx context.Context) (out map[string]*store.Base, err error) {
	err = j.opt.Store.View(ctx, func(v *store.View) error {
		out, err = v.Bases(j.remote.ID)
		return err
	})
	return out, err
}

// apply makes the changes, some in each transaction. An object that does not go
// in is noted, and takes nothing with it. It may run twice.
func (j *job) apply(ctx context.Context, writes []write) error {
	for len(writes) > 0 {
		n := min(step, len(writes))
		if err := j.applySome(ctx, writes[:n]); err != nil {
			return err
		}
		writes = writes[n:]
	}
	return nil
}

// ready is a change whose object was computed outside of the transaction.
type ready struct {
	*write
	prepared *store.Prepared
}

func (j *job) applySome(ctx context.Context, writes []write) error {
	var list []ready
	for i := range writes {
		w := &writes[i]
		if w.remove || w.same {
			list = append(list, ready{w, nil})
			continue
		}
		p, err := j.prepare(ctx, w)
		switch {
		case err == nil:
			list = append(list, ready{w, p})
		case refusal(err):
			j.refuse(w.object.UID(), errors.New(reason(err)))
		default:
			return err
		}
	}
	for {
		bad := -1
		var added, updated, removed int
		err := j.opt.Store.Update(ctx, func(tx *store.Tx) error {
			bad, added, updated, removed = -1, 0, 0, 0
			for i, w := range list {
				if err := j.change(tx, w); err != nil {
					bad = i
					return err
				}
				switch {
				case w.same:
				case w.remove:
					removed++
				case w.base != nil:
					updated++
				default:
					added++
				}
			}
			return nil
		})
		switch {
		case err == nil:
			j.added, j.updated, j.removed = j.added+added, j.updated+updated, j.removed+removed
			return nil
		case bad >= 0 && !list[bad].remove && refusal(err):
			// Nothing of this transaction was kept; again without this one.
			j.refuse(list[bad].object.UID(), errors.New(reason(err)))
			list = slices.Delete(list, bad, bad+1)
		default:
			return fmt.Errorf("store what was pulled: %w", err)
		}
	}
}

// change makes one change.
func (j *job) change(tx *store.Tx, w ready) error {
	if w.same {
		b := *w.base
		b.Remote = w.remote
		tx.PutBase(j.remote.ID, &b)
		return nil
	}
	if !w.remove {
		return j.put(tx, w.write, w.prepared)
	}
	tx.DeleteBase(j.remote.ID, w.base.Href)
	err := tx.DeleteObject(j.actor, j.remote.Target, w.base.Name, store.Cond{})
	if errors.Is(err, store.ErrNotFound) {
		return nil // it is gone already
	}
	return err
}

// reason says why an object does not go in, for people.
func reason(err error) string {
	var uid *store.UIDConflictError
	switch {
	case errors.As(err, &uid):
		return "the calendar has another object with this UID"
	case errors.Is(err, store.ErrReadOnly):
		return "another remote keeps this object"
	}
	return err.Error()
}

// prepare gets an object ready for the door.
func (j *job) prepare(ctx context.Context, w *write) (*store.Prepared, error) {
	o := w.object
	if w.base == nil { // told here, it costs no transaction
		err := j.opt.Store.View(ctx, func(v *store.View) error {
			m, err := v.MemberByUID(j.remote.Target, o.UID())
			if err == nil {
				return &store.UIDConflictError{Collection: j.remote.Target, Name: m.Name}
			}
			if errors.Is(err, store.ErrNotFound) {
				return nil
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if most := j.opt.MaxObject; most > 0 && len(o.Data()) > most {
		return nil, fmt.Errorf("%w: the object has %d bytes, %d are accepted", store.ErrQuota, len(o.Data()), most)
	}
	if w.keepUID {
		var stored *ical.Object
		err := j.opt.Store.View(ctx, func(v *store.View) error {
			m, err := v.ObjectAt(j.remote.Target, w.base.Name)
			if err != nil {
				return err
			}
			stored, err = ical.ParseResource(m.Data, ical.DefaultLimits)
			return err
		})
		if err != nil {
			return nil, err
		}
		o = stored
	}
	return j.opt.Store.PrepareFrom(o, j.remote.Origin())
}

// put writes an object and notes it as common.
func (j *job) put(tx *store.Tx, w *write, p *store.Prepared) error {
	name := ""
	if w.base != nil {
		name = w.base.Name
	} else {
		var err error
		if name, err = tx.FreeName(j.remote.Target, p.Object().UID()); err != nil {
			return err
		}
	}
	res, err := tx.PutObject(store.Put{Actor: j.actor, Collection: j.remote.Target, Name: name, Object: p})
	if err != nil {
		return err
	}
	href := w.href
	if w.keepUID {
		href = w.base.Href
	}
	tx.PutBase(j.remote.ID, &store.Base{Href: href, Name: name, Remote: w.remote, Local: res.Member.ETag, Sum: w.sum})
	return nil
}
