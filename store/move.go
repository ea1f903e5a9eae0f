package store

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Move is a MOVE or COPY of a member (RFC 4918 §9.8, §9.9).
type Move struct {
	Actor            *Actor
	From, To         CollectionID
	FromName, ToName string
	Overwrite        bool
	Cond             Cond // on the source
}

// begin checks what MOVE and COPY have in common and gives the source.
func (tx *Tx) begin(m Move, onSource Rights) (*facts, *Collection, error) {
	if err := checkName(m.ToName); err != nil {
		return nil, nil, err
	}
	if _, err := tx.need(m.Actor, m.From, onSource); err != nil {
		return nil, nil, err
	}
	to, err := tx.need(m.Actor, m.To, RightWrite)
	if err != nil {
		return nil, nil, err
	}
	src, err := tx.Member(m.From, m.FromName)
	if err != nil {
		return nil, nil, err
	}
	if err := m.Cond.check(true, src.ETag); err != nil {
		return nil, nil, err
	}
	f, err := tx.facts(src.Object)
	if err != nil {
		return nil, nil, err
	}
	if f.Org != to.Org {
		return nil, nil, fmt.Errorf("collection %d: %w", m.To, ErrNotFound) // nothing crosses organisations
	}
	return f, to, to.takes(f.Kind)
}

// clearTarget makes the target's address free: it may be held by the same UID
// only, and only if that may be overwritten. It tells whether it was held.
func (tx *Tx) clearTarget(m Move, f *facts) (held bool, err error) {
	old, err := tx.Member(m.To, m.ToName)
	free := errors.Is(err, ErrNotFound)
	if err != nil && !free {
		return false, err
	}
	if !free && !m.Overwrite {
		return true, ErrPrecondition
	}
	if _, name, ok := tx.holder(f.Org, hashUID(f.UID), m.To); ok && name != m.ToName && !(m.From == m.To && name == m.FromName) {
		return !free, &UIDConflictError{m.To, name}
	}
	if free {
		return false, nil
	}
	if old.Object == f.ID {
		return true, nil
	}
	g, err := tx.facts(old.Object)
	if err != nil {
		return true, err
	}
	if g.UID != f.UID {
		return true, &UIDConflictError{m.To, m.ToName}
	}
	if err := m.Actor.mayChange(g); err != nil {
		return true, err
	}
	return true, tx.release(g, m.To, false)
}

// MoveObject moves a member; created tells whether the target was free. A block
// leaves one collection and joins the other. ErrNotFound, ErrForbidden,
// ErrPrecondition (also: the target is held and Overwrite is false),
// *UIDConflictError, ErrComponent.
func (tx *Tx) MoveObject(m Move) (created bool, err error) {
	// Who may only delete would read what was moved into an own calendar.
	f, to, err := tx.begin(m, RightDelete|RightRead)
	if err != nil {
		return false, err
	}
	if m.From == m.To && m.FromName == m.ToName {
		return false, fmt.Errorf("%w: source and target are the same", ErrForbidden)
	}
	if err := m.Actor.mayChange(f); err != nil {
		return false, err
	}
	held, err := tx.clearTarget(m, f)
	if err != nil {
		return false, err
	}
	p, err := tx.reprepare(f, f.Origin)
	if err != nil {
		return false, err
	}
	if err := tx.release(f, m.From, true); err != nil {
		return false, err
	}
	if f.in(m.To) {
		tx.put(factsKey(f.ID), packFacts(f)) // the block was there already
		return !held, nil
	}
	if err := tx.bind(f, to, m.ToName, p); err != nil {
		return false, err
	}
	tx.noteMove(f, m.To, m.From, m.FromName)
	return !held, nil
}

// CopyObject copies a member: an event becomes two independent ones, a block
// joins the other collection. Errors as MoveObject.
func (tx *Tx) CopyObject(m Move) (created bool, err error) {
	f, to, err := tx.begin(m, RightRead)
	if err != nil {
		return false, err
	}
	if m.From == m.To {
		if _, err := tx.Member(m.To, m.ToName); err == nil && !m.Overwrite {
			return false, ErrPrecondition
		}
		return false, &UIDConflictError{m.To, m.FromName}
	}
	held, err := tx.clearTarget(m, f)
	if err != nil {
		return false, err
	}
	p, err := tx.reprepare(f, Origin{}) // the copy is our own
	if err != nil {
		return false, err
	}
	if f.Remote != 0 && p.object != nil {
		p.block = IsBlock(p.object)
	}
	switch {
	case !f.Block && p.object == nil:
		return false, fmt.Errorf("copy of an object that cannot be read: %w", ErrForbidden)
	case !f.Block:
		return !held, tx.add(to, m.ToName, p, f)
	case f.in(m.To):
		return !held, nil
	}
	if err := tx.needAll(m.Actor, f, RightWrite); err != nil {
		return false, err
	}
	return !held, tx.bind(f, to, m.ToName, p)
}

// reprepare makes a stored object ready for the door again. One that cannot be
// parsed any more has no rows, and no object: it can be moved, not copied.
func (tx *Tx) reprepare(f *facts, from Origin) (*Prepared, error) {
	data, err := tx.Data(f.ID)
	if err != nil {
		return nil, err
	}
	p := &Prepared{etag: f.ETag, data: data, block: f.Block, external: f.external, origin: from}
	if p.object, err = tx.parsedObject(f.ID); err != nil {
		return p, nil //nolint:nilerr // Check's to report
	}
	p.index(max(tx.s.indexUntil(), metaInt(tx.r, metaHorizon)))
	return p, nil
}

// in reports whether the object is in the collection.
func (f *facts) in(c CollectionID) bool {
	return slices.ContainsFunc(f.Bindings, func(b Binding) bool { return b.Collection == c })
}

// PutBlock makes the object with this UID be in exactly these collections, with
// one body.
type PutBlock struct {
	Actor   *Actor
	Org     PrincipalID
	Object  *Prepared
	Targets []CollectionID // at least one; their order is kept
	Cond    Cond           // on the present body; Missing: there must be none
}

// PutBlock creates or changes a block. In new collections its name is made from
// its UID. The actor needs write on all collections, old and new. ErrNotFound,
// ErrForbidden, ErrPrecondition, ErrInvalid, *UIDConflictError.
func (tx *Tx) PutBlock(p PutBlock) (*Object, error) {
	if len(p.Targets) == 0 {
		return nil, fmt.Errorf("%w: a block needs a calendar", ErrInvalid)
	}
	if len(p.Targets) > 1 && !p.Object.block {
		return nil, fmt.Errorf("%w: only a block can be in several calendars", ErrInvalid)
	}
	targets := make([]*Collection, len(p.Targets))
	for i, id := range p.Targets {
		c, err := tx.need(p.Actor, id, RightWrite)
		if err != nil {
			return nil, err
		}
		if c.Org != p.Org {
			return nil, fmt.Errorf("collection %d: %w", id, ErrNotFound)
		}
		if err := c.takes(p.Object.object.Kind()); err != nil {
			return nil, err
		}
		targets[i] = c
	}
	f, err := tx.block(p)
	if err != nil {
		return nil, err
	}
	if f != nil {
		if err := tx.needAll(p.Actor, f, RightWrite); err != nil {
			return nil, err
		}
	}
	if err := p.Cond.check(f != nil, tagOrZero(f)); err != nil {
		return nil, err
	}
	return tx.settle(f, targets, p.Object)
}

func tagOrZero(f *facts) ETag {
	if f == nil {
		return ETag{}
	}
	return f.ETag
}

// block finds the object that a PutBlock changes: the one with its UID that is
// a block, or else the only one.
func (tx *Tx) block(p PutBlock) (*facts, error) {
	ids, err := tx.Holders(p.Org, p.Object.object.UID())
	if err != nil {
		return nil, err
	}
	var only *facts
	for _, id := range ids {
		f, err := tx.facts(id)
		if err != nil {
			return nil, err
		}
		if !tx.seesAny(p.Actor, f) {
			continue
		}
		if f.Block {
			return f, nil
		}
		only = f
	}
	return only, nil
}

// settle gives the block its body and its places.
func (tx *Tx) settle(f *facts, targets []*Collection, p *Prepared) (*Object, error) {
	uid := p.object.UID()
	if f == nil {
		name, err := tx.freeName(targets[0].ID, uid)
		if err != nil {
			return nil, err
		}
		if err := tx.add(targets[0], name, p, nil); err != nil {
			return nil, err
		}
		id, _, _ := tx.holder(targets[0].Org, hashUID(uid), targets[0].ID)
		if f, err = tx.facts(id); err != nil {
			return nil, err
		}
	} else if f.ETag != p.etag {
		if err := tx.rebody(f, p); err != nil {
			return nil, err
		}
	}
	for _, c := range targets {
		if f.in(c.ID) {
			continue
		}
		name, err := tx.freeName(c.ID, uid)
		if err != nil {
			return nil, err
		}
		if err := tx.bind(f, c, name, p); err != nil {
			return nil, err
		}
	}
	for _, b := range slices.Clone(f.Bindings) {
		if !slices.ContainsFunc(targets, func(c *Collection) bool { return c.ID == b.Collection }) {
			if err := tx.release(f, b.Collection, false); err != nil {
				return nil, err
			}
		}
	}
	tx.order(f, targets)
	return tx.Object(f.ID)
}

// order puts the places of a block into the order of the targets: lists of ids
// are answered as they were given.
func (tx *Tx) order(f *facts, targets []*Collection) {
	at := func(b Binding) int {
		return slices.IndexFunc(targets, func(c *Collection) bool { return c.ID == b.Collection })
	}
	byTarget := func(a, b Binding) int { return at(a) - at(b) }
	if !slices.IsSortedFunc(f.Bindings, byTarget) {
		slices.SortFunc(f.Bindings, byTarget)
		tx.put(factsKey(f.ID), packFacts(f))
	}
}

// freeName makes a name from a UID that is free in the collection.
func (tx *Tx) freeName(c CollectionID, uid string) (string, error) {
	col, err := tx.collection(c)
	if err != nil {
		return "", err
	}
	if _, name, ok := tx.holder(col.Org, hashUID(uid), c); ok {
		return "", &UIDConflictError{c, name}
	}
	base := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.', r == '@':
			return r
		}
		return '-'
	}, uid)
	base = strings.TrimLeft(base[:min(len(base), 200)], ".")
	for n := 0; ; n++ {
		name := base + ".ics"
		if n > 0 || base == "" {
			name = base + "-" + strconv.Itoa(n) + ".ics"
		}
		if tx.get(memberKey(c, name)) == nil {
			return name, nil
		}
	}
}

// FreeName gives a name made from a UID that no member of the collection has.
// *UIDConflictError if the UID itself is there.
func (tx *Tx) FreeName(c CollectionID, uid string) (string, error) { return tx.freeName(c, uid) }
