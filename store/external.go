package store

import (
	"bytes"
	"errors"
	"slices"

	"daybook/ical"
)

// External ids: what the programs of others call an object, as a property of
// its body. They need not be unique, so the index gives every object that has
// one. A row follows from the facts of its object, which follow from the body.

// ExternalIDProperty holds the external id (MAPPING, "Block → VEVENT → block").
const ExternalIDProperty = "X-DAYBOOK-EXTERNAL-ID"

func externalKey(org PrincipalID, hash []byte, o ObjectID) key {
	return newKey(tableExternal).principal(org).bytes(hash).object(o)
}

// externalOf gives the hash of an object's external id, nil without one: that
// of its master, or of its first override where there is no master.
func externalOf(o *ical.Object) []byte {
	c := principalComponent(o)
	if c == nil {
		return nil
	}
	id := c.Text(ExternalIDProperty)
	if id == "" {
		return nil
	}
	h := hashUID(id)
	return h[:]
}

// setExternal makes the index say what the body says; the caller stores f.
func (tx *Tx) setExternal(f *facts, hash []byte) {
	if f.external != nil && !bytes.Equal(f.external, hash) {
		tx.del(externalKey(f.Org, f.external, f.ID))
	}
	if hash != nil {
		tx.put(externalKey(f.Org, hash, f.ID), nil)
	}
	f.external = hash
}

// ObjectsByExternalID gives the objects of an organisation that carry the
// external id, in order of their making. The caller checks what the asker may
// see of them.
func (v *View) ObjectsByExternalID(org PrincipalID, id string) ([]ObjectID, error) {
	if id == "" {
		return nil, nil
	}
	h := hashUID(id)
	from := newKey(tableExternal).principal(org).bytes(h[:])
	var out []ObjectID
	v.r.Scan(from, from.after(), func(k, _ []byte) bool {
		out = append(out, ObjectID(u64(k[len(from):])))
		return true
	})
	return slices.DeleteFunc(out, func(id ObjectID) bool { // of a collection that is gone
		_, err := v.facts(id)
		return errors.Is(err, ErrNotFound)
	}), nil
}
