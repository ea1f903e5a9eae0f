package store

import (
	"fmt"
)

// Dead properties of calendar object resources (RFC 4918 §4). They belong to
// the object: they stay with it when it is moved or written over, are copied
// with it, and go with it; a block has them in all its calendars. A member's row
// says whether there are any, so that a listing reads nothing more for those
// that have none. Neither ETag nor sync-token change with them.

// Bounds of what is kept for one object.
const (
	maxObjectDead      = 100
	maxObjectDeadBytes = 64 << 10
)

// deadRecord is the stored form.
type deadRecord struct {
	Props []DeadProp `cbor:"1,keyasint"`
}

func decodeDead(b []byte) ([]DeadProp, error) {
	var r deadRecord
	err := decodeRecord(b, &r)
	return r.Props, err
}

// Dead gives the dead properties of an object; none is no error.
func (v *View) Dead(id ObjectID) ([]DeadProp, error) {
	b := v.get(deadKey(id))
	if b == nil {
		return nil, nil
	}
	return decodeDead(b)
}

// SetDead gives a member exactly these dead properties. The actor needs write on
// all collections that the object is in. ErrNotFound, ErrForbidden, ErrQuota.
func (tx *Tx) SetDead(a *Actor, c CollectionID, name string, props []DeadProp) error {
	if _, err := tx.need(a, c, RightWrite); err != nil {
		return err
	}
	m, err := tx.Member(c, name)
	if err != nil {
		return err
	}
	f, err := tx.facts(m.Object)
	if err != nil {
		return err
	}
	if err := tx.needAll(a, f, RightWrite); err != nil {
		return err
	}
	n := 0
	for _, d := range props {
		n += len(d.Space) + len(d.Local) + len(d.XML)
	}
	if len(props) > maxObjectDead || n > maxObjectDeadBytes {
		return fmt.Errorf("%w: an object has at most %d properties of %d bytes in all", ErrQuota, maxObjectDead, maxObjectDeadBytes)
	}
	if len(props) > 0 {
		tx.put(deadKey(f.ID), encodeRecord(deadRecord{props}))
	} else {
		tx.del(deadKey(f.ID))
	}
	if has := len(props) > 0; has != f.dead {
		if err := tx.markDead(f, has); err != nil {
			return err
		}
	}
	for _, b := range f.Bindings {
		if err := tx.noteObject(OpChanged, f, b); err != nil {
			return err
		}
	}
	return nil
}

// markDead notes in the object's rows whether it has dead properties.
func (tx *Tx) markDead(f *facts, has bool) error {
	f.dead = has
	tx.put(factsKey(f.ID), packFacts(f))
	for _, b := range f.Bindings {
		m, err := tx.Member(b.Collection, b.Name)
		if err != nil {
			return err
		}
		tx.markMember(b, m, has)
	}
	return nil
}

func (tx *Tx) markMember(b Binding, m Member, has bool) {
	m.Dead = has
	tx.put(memberKey(b.Collection, b.Name), packMember(&m))
	tx.put(changeKey(b.Collection, m.Seq), packChange(&Change{Member: m}, tx.now))
}
