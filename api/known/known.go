// Package known keeps what an API makes of the bodies of stored objects, so that
// a list of thousands of events does not parse each of them for every question.
// What is kept counts while the object's record is the same; nothing has to be
// told of changes.
package known

import (
	"bytes"
	"sync"

	"daybook/ical"
	"daybook/store"
)

// Objects keeps the objects that were asked for lately, each with what a
// function makes of its components. It may be used by several goroutines. It
// holds two generations: what the younger one has no room for any more ages,
// and what is not asked for while it is old is forgotten.
type Objects[T any] struct {
	read       func(*ical.Component) T
	mu         sync.Mutex
	young, old map[store.ObjectID]*Object[T]
}

// maxKept is how many objects a generation holds: some ten megabytes.
const maxKept = 16 << 10

// New gives an empty memory for what read makes of a component.
func New[T any](read func(*ical.Component) T) *Objects[T] {
	return &Objects[T]{read: read}
}

// Object is what is known of an object. It is not to be changed.
type Object[T any] struct {
	*store.Object // without Data
	Identity      store.Identity
	parts         []part[T]
	mark          []byte
}

// part is a component: the master or an override.
type part[T any] struct {
	value    T
	rid      ical.Time // of an override
	override bool
	ranged   bool // it describes later instances too
}

// Of gives an object with what is known of it, and reads the body if that is
// nothing yet. Of one that cannot be parsed any more nothing is known: no row
// has a part. Errors as for store.View.Object.
func (k *Objects[T]) Of(v *store.View, id store.ObjectID) (*Object[T], error) {
	mark := v.ObjectMark(id)
	if o := k.get(id, mark); o != nil {
		return o, nil
	}
	obj, err := v.Object(id)
	if err != nil {
		return nil, err
	}
	o := &Object[T]{Object: obj, parts: k.partsOf(obj.Data), mark: bytes.Clone(mark)}
	if o.Identity, err = v.Identity(obj.Org, obj.UID); err != nil {
		return nil, err
	}
	obj.Data = nil
	if mark != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.keep(id, o)
	}
	return o, nil
}

func (k *Objects[T]) get(id store.ObjectID, mark []byte) *Object[T] {
	k.mu.Lock()
	defer k.mu.Unlock()
	o, young := k.young[id]
	if !young {
		o = k.old[id]
	}
	if o == nil || mark == nil || !bytes.Equal(o.mark, mark) {
		return nil
	}
	if !young {
		k.keep(id, o)
	}
	return o
}

func (k *Objects[T]) keep(id store.ObjectID, o *Object[T]) {
	if k.young == nil || len(k.young) >= maxKept {
		k.young, k.old = map[store.ObjectID]*Object[T]{}, k.young
	}
	k.young[id] = o
}

func (k *Objects[T]) partsOf(data []byte) []part[T] {
	o, err := ical.Parse(data, ical.StreamLimits)
	if err != nil {
		return nil // it must not take the others of a list with it
	}
	out := make([]part[T], 0, len(o.Main()))
	for _, c := range o.Main() {
		p := part[T]{value: k.read(c)}
		if l := c.Line("RECURRENCE-ID"); l != nil {
			t, err := o.Time(l)
			p.rid, p.override, p.ranged = t, err == nil, l.Param("RANGE") != ""
		}
		out = append(out, p)
	}
	return out
}

// Part gives what was made of the component that describes a row of the index;
// nil if there is none. The zone is that of floating times.
func (o *Object[T]) Part(r store.Row, zone *ical.Zone) *T {
	var best *part[T]
	var at int64
	for i := range o.parts {
		p := &o.parts[i]
		if r.Flags&store.RowOverride == 0 {
			if !p.override {
				return &p.value
			}
			continue
		}
		if !p.override {
			continue
		}
		rid := p.rid.Instant(zone).Unix()
		if rid == r.RecurrenceID {
			return &p.value
		}
		// RANGE=THISANDFUTURE describes later instances too (RFC 5545 §3.2.13).
		if p.ranged && rid < r.RecurrenceID && (best == nil || rid > at) {
			best, at = p, rid
		}
	}
	if best == nil {
		return nil
	}
	return &best.value
}
