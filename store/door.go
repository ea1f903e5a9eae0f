package store

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The one door. All calendar data enters by PutObject or PutBlock and leaves by
// DeleteObject and its like; each does all of it or nothing: condition, rights,
// UID, body, facts, change log, state, identity, instance index.

// maxNameLength bounds names in addresses, in bytes.
const maxNameLength = 255

// maxBindings bounds in how many collections one block can be.
const maxBindings = 1000

func tagOf(data []byte) ETag {
	sum := sha256.Sum256(data)
	return ETag(sum[:16])
}

// Cond is the condition of a write (RFC 9110 §13.1); the zero Cond is none.
type Cond struct {
	Missing bool   // If-None-Match: *
	Exists  bool   // If-Match: *
	Match   []ETag // If-Match: one of these
	Never   bool   // If-Match with nothing that could ever match
	Not     []ETag // If-None-Match: none of these
}

func (c *Cond) check(exists bool, tag ETag) error {
	ok := !c.Never && !(c.Missing && exists) && !(c.Exists && !exists)
	if len(c.Match) > 0 {
		ok = ok && exists && slices.Contains(c.Match, tag)
	}
	if exists && slices.Contains(c.Not, tag) {
		ok = false
	}
	if !ok {
		return ErrPrecondition
	}
	return nil
}

// Put is one write of an object at an address.
type Put struct {
	Actor      *Actor
	Collection CollectionID
	Name       string // URL segment, decoded
	Object     *Prepared
	Cond       Cond
}

// PutResult tells what a write did.
type PutResult struct {
	Created bool // the address was free
	Member  Member
}

// checkName checks a name for an address: 1 to 255 bytes of UTF-8 without
// slash and control characters, and not a dot segment.
func checkName(name string) error {
	switch {
	case name == "" || len(name) > maxNameLength:
		return badField("name", "a name has 1 to %d bytes", maxNameLength)
	case name == "." || name == "..":
		return badField("name", "%q is no name", name)
	case !utf8.ValidString(name) || strings.ContainsRune(name, '/') || strings.ContainsFunc(name, unicode.IsControl):
		return badField("name", "a name is UTF-8 without slashes and control characters")
	}
	return nil
}

// need gives the collection if the actor has the right on it: ErrNotFound if
// for the actor it does not exist, else ErrForbidden.
func (v *View) need(a *Actor, id CollectionID, want Rights) (*Collection, error) {
	c, err := v.collection(id)
	if err != nil {
		return nil, fmt.Errorf("collection %d: %w", id, err)
	}
	switch have := v.RightsOn(a, c); {
	case have == 0:
		return nil, fmt.Errorf("collection %d: %w", id, ErrNotFound)
	case !have.Has(want):
		return nil, fmt.Errorf("collection %d needs %s: %w", id, want, ErrForbidden)
	}
	return c, nil
}

// needAll checks a right on every collection that a body is in: a change of it
// is seen in all.
func (v *View) needAll(a *Actor, f *facts, want Rights) error {
	if err := a.mayChange(f); err != nil {
		return err
	}
	for _, b := range f.Bindings {
		c, err := v.collection(b.Collection)
		if err != nil {
			return err
		}
		if !v.RightsOn(a, c).Has(want) {
			return fmt.Errorf("object is in a collection that needs %s: %w", want, ErrForbidden)
		}
	}
	return nil
}

func (c *Collection) takes(kind string) error {
	if len(c.Components) > 0 && !slices.Contains(c.Components, kind) {
		return fmt.Errorf("%s: %w", kind, ErrComponent)
	}
	return nil
}

// PutObject is the door into the store. It checks rights, condition, component
// and UID; a block is changed in all collections that it is in, and a PUT of
// its UID in another collection joins it (MAPPING, "A block in several
// calendars"). ErrNotFound, ErrForbidden, ErrPrecondition, ErrComponent,
// ErrInvalid, ErrQuota, *UIDConflictError.
func (tx *Tx) PutObject(p Put) (PutResult, error) {
	if err := checkName(p.Name); err != nil {
		return PutResult{}, err
	}
	c, err := tx.need(p.Actor, p.Collection, RightWrite)
	if err != nil {
		return PutResult{}, err
	}
	old, err := tx.Member(c.ID, p.Name)
	exists := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) {
		return PutResult{}, err
	}
	if err := p.Cond.check(exists, old.ETag); err != nil {
		return PutResult{}, err
	}
	if err := c.takes(p.Object.object.Kind()); err != nil {
		return PutResult{}, err
	}
	uid := p.Object.object.UID()
	if _, name, ok := tx.holder(c.Org, hashUID(uid), c.ID); ok && name != p.Name {
		return PutResult{}, &UIDConflictError{c.ID, name}
	}
	if exists {
		err = tx.replace(p, c, old)
	} else {
		err = tx.create(p.Actor, c, p.Name, p.Object)
	}
	if err != nil {
		return PutResult{}, err
	}
	m, err := tx.Member(c.ID, p.Name)
	return PutResult{Created: !exists, Member: m}, err
}

// create binds an object to a free name: a new object, or for the UID of a
// block the block itself.
func (tx *Tx) create(a *Actor, c *Collection, name string, p *Prepared) error {
	f, err := tx.joinable(a, c, p)
	if err != nil {
		return err
	}
	if f == nil {
		return tx.add(c, name, p, nil)
	}
	if err := tx.rebody(f, p); err != nil {
		return err
	}
	return tx.bind(f, c, name, p)
}

// joinable gives the block with the object's UID that a write in c is to join;
// nil if there is none. A block that the actor sees nothing of is none: what
// one may not see does not exist.
func (tx *Tx) joinable(a *Actor, c *Collection, p *Prepared) (*facts, error) {
	if !p.block || a.remote != 0 {
		return nil, nil //nolint:nilnil // no block to join is an answer, not a failure
	}
	ids, err := tx.Holders(c.Org, p.object.UID())
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		f, err := tx.facts(id)
		if err != nil {
			return nil, err
		}
		if !f.Block || !tx.seesAny(a, f) {
			continue
		}
		return f, tx.needAll(a, f, RightWrite)
	}
	return nil, nil //nolint:nilnil // as above
}

func (v *View) seesAny(a *Actor, f *facts) bool {
	for _, b := range f.Bindings {
		if c, err := v.collection(b.Collection); err == nil && v.RightsOn(a, c) != 0 {
			return true
		}
	}
	return false
}

// replace writes over a member.
func (tx *Tx) replace(p Put, c *Collection, old Member) error {
	f, err := tx.facts(old.Object)
	if err != nil {
		return err
	}
	if err := p.Actor.mayChange(f); err != nil {
		return err
	}
	if f.UID != p.Object.object.UID() {
		return &UIDConflictError{c.ID, p.Name}
	}
	switch {
	case f.Block && !p.Object.block && len(f.Bindings) > 1:
		// Its marks were removed: here it becomes an ordinary event, the others
		// keep the block.
		if err := tx.release(f, c.ID, false); err != nil {
			return err
		}
		return tx.add(c, p.Name, p.Object, f)
	case !f.Block && p.Object.block:
		other, err := tx.joinable(p.Actor, c, p.Object)
		if err != nil {
			return err
		}
		if other != nil && other.ID != f.ID {
			if err := tx.release(f, c.ID, false); err != nil {
				return err
			}
			if err := tx.rebody(other, p.Object); err != nil {
				return err
			}
			return tx.bind(other, c, p.Name, p.Object)
		}
	}
	if err := tx.needAll(p.Actor, f, RightWrite); err != nil {
		return err
	}
	return tx.rebody(f, p.Object)
}

// add stores a new object in one collection, with the dead properties of another
// (nil: none) that it is made from.
func (tx *Tx) add(c *Collection, name string, p *Prepared, like *facts) error {
	f := &facts{}
	f.ID, f.Org, f.UID = ObjectID(tx.next(metaObject)), c.Org, p.object.UID()
	f.Created = tx.now
	if err := tx.identify(c.Org, f.UID); err != nil {
		return err
	}
	tx.count(metaObjects, 1)
	if like != nil && like.dead {
		if b := tx.get(deadKey(like.ID)); b != nil {
			f.dead = true
			tx.put(deadKey(f.ID), bytes.Clone(b))
		}
	}
	tx.setBody(f, p)
	tx.putBody(f.ID, p.data)
	return tx.bind(f, c, name, p)
}

// setBody takes over what the prepared object says.
func (tx *Tx) setBody(f *facts, p *Prepared) {
	f.Kind, f.Block, f.ETag, f.Modified = p.object.Kind(), p.block, p.etag, tx.now
	f.size, f.rows, f.flags, f.Origin = uint32(len(p.data)), p.packed, p.flags, p.origin
	tx.setExternal(f, p.external)
}

// rebody gives an object new data, in all its collections. Equal bytes count as
// a change too: clients expect every PUT to move the sync-token.
func (tx *Tx) rebody(f *facts, p *Prepared) error {
	p = tx.upToDate(p).spread(len(f.Bindings))
	old := *f
	// Else rows are overwritten where they are. Hours have a list beside them.
	moved := !bytes.Equal(old.rows, p.packed) || old.flags != p.flags || old.Kind != p.object.Kind()
	for _, c := range old.places() {
		if !moved && (p.block || !c.isView()) {
			continue
		}
		if err := tx.unindexIn(c, &old); err != nil {
			return err
		}
	}
	if moved {
		old.rows, old.flags = nil, 0
	}
	tx.setBody(f, p)
	tx.putBody(f.ID, p.data)
	for _, b := range f.Bindings {
		if err := tx.setMember(f, b, int64(f.size)-int64(old.size), len(old.rows) > 0, p); err != nil {
			return err
		}
	}
	if err := tx.indexInView(f, p, old.Block && len(old.rows) > 0); err != nil {
		return err
	}
	tx.put(factsKey(f.ID), packFacts(f))
	if f.ETag == old.ETag {
		return nil // clients see a change, but nothing has happened
	}
	for _, b := range f.Bindings {
		if err := tx.noteObject(OpChanged, f, b); err != nil {
			return err
		}
	}
	return nil
}

// upToDate makes the rows anew if the horizon moved on while the object waited
// for the writer.
func (tx *Tx) upToDate(p *Prepared) *Prepared {
	if horizon := metaInt(tx.r, metaHorizon); p.flags&factEndless != 0 && p.until < horizon {
		q := *p
		q.index(horizon)
		return &q
	}
	return p
}

// bind makes the object a member of one more collection.
func (tx *Tx) bind(f *facts, c *Collection, name string, p *Prepared) error {
	if len(f.Bindings) >= maxBindings {
		return fmt.Errorf("a block can be in %d collections: %w", maxBindings, ErrQuota)
	}
	p = tx.upToDate(p).spread(len(f.Bindings) + 1)
	if f.flags != p.flags || !bytes.Equal(f.rows, p.packed) {
		// The horizon, or the zones' data, moved on since it was indexed, or it
		// is in too many places now: its rows are the same everywhere.
		if _, err := tx.replaceRows(f, p); err != nil {
			return err
		}
	}
	b := Binding{c.ID, name}
	f.Bindings = append(f.Bindings, b)
	tx.put(factsKey(f.ID), packFacts(f))
	tx.put(holderKey(f.Org, hashUID(f.UID), c.ID), key(nil).object(f.ID).text(name))
	if len(f.Bindings) == 1 {
		if err := tx.indexInView(f, p, false); err != nil {
			return err
		}
	}
	if err := tx.noteObject(OpCreated, f, b); err != nil {
		return err
	}
	return tx.setMember(f, b, int64(f.size), false, p)
}

// setMember writes the member's row, its change, the collection's state and the
// rows of the index; hasRows tells that rows with the same keys are there.
func (tx *Tx) setMember(f *facts, b Binding, grown int64, hasRows bool, p *Prepared) error {
	st, err := tx.State(b.Collection)
	if err != nil {
		return err
	}
	st.Seq++
	switch old, err := tx.Member(b.Collection, b.Name); {
	case err == nil:
		tx.del(changeKey(b.Collection, old.Seq))
	case !errors.Is(err, ErrNotFound):
		return err
	default:
		if st.Members >= tx.s.opt.MaxMembers {
			return fmt.Errorf("collection has %d members: %w", st.Members, ErrQuota)
		}
		st.Members++
		if t := tx.get(tombstoneKey(b.Collection, b.Name)); len(t) == 8 {
			tx.del(changeKey(b.Collection, u64(t)))
			tx.del(tombstoneKey(b.Collection, b.Name))
		}
	}
	m := Member{Name: b.Name, Object: f.ID, ETag: f.ETag, Seq: st.Seq, Size: f.size, Kind: f.Kind, Modified: tx.now.Truncate(time.Second), Dead: f.dead}
	tx.put(memberKey(b.Collection, b.Name), packMember(&m))
	tx.put(changeKey(b.Collection, st.Seq), packChange(&Change{Member: m}, tx.now))
	if err := tx.indexIn(b.Collection, f.ID, p, hasRows, &st.classes); err != nil {
		return err
	}
	st.Bytes = uint64(int64(st.Bytes) + grown)
	tx.setState(b.Collection, &st)
	return nil
}

func (tx *Tx) setState(c CollectionID, st *State) {
	st.Modified = tx.now
	tx.put(stateKey(c), packState(st))
	tx.touch(c)
}

// touch notes that watchers are to hear of the collection.
func (tx *Tx) touch(c CollectionID) {
	if tx.changed == nil {
		tx.changed = map[CollectionID]struct{}{}
	}
	tx.changed[c] = struct{}{}
}

// release takes an object out of one collection, and out of the store with the
// last. keepFacts is for callers that go on to bind it elsewhere.
func (tx *Tx) release(f *facts, c CollectionID, keepFacts bool) error {
	i := slices.IndexFunc(f.Bindings, func(b Binding) bool { return b.Collection == c })
	if i < 0 {
		return fmt.Errorf("object %d in collection %d: %w", f.ID, c, ErrNotFound)
	}
	b := f.Bindings[i]
	st, err := tx.State(c)
	if err != nil {
		return err
	}
	old, err := tx.Member(c, b.Name)
	if err != nil {
		return err
	}
	if err := tx.unindexFrom(c, f); err != nil {
		return err
	}
	st.Seq++
	st.Members--
	st.Bytes -= uint64(f.size)
	tx.del(memberKey(c, b.Name))
	tx.del(changeKey(c, old.Seq))
	tx.put(changeKey(c, st.Seq), packChange(&Change{Member: Member{Name: b.Name}, Removed: true}, tx.now))
	tx.put(tombstoneKey(c, b.Name), key(nil).u64(st.Seq))
	tx.del(holderKey(f.Org, hashUID(f.UID), c))
	tx.keepRemoved(f, c, &st)
	tx.setState(c, &st)
	f.Bindings = slices.Delete(slices.Clone(f.Bindings), i, i+1)
	if !keepFacts {
		tx.putFacts(f)
	}
	return tx.noteObject(OpDeleted, f, b)
}

// putFacts stores what is kept of an object, or removes it with its last place.
func (tx *Tx) putFacts(f *facts) {
	if len(f.Bindings) > 0 {
		tx.put(factsKey(f.ID), packFacts(f))
		return
	}
	tx.setExternal(f, nil)
	tx.del(factsKey(f.ID))
	tx.del(dataKey(f.ID))
	if f.dead {
		tx.del(deadKey(f.ID))
	}
	tx.count(metaObjects, -1)
}

// DeleteObject removes a member. A block is released here and stays in its
// other collections. ErrNotFound, ErrForbidden, ErrPrecondition.
func (tx *Tx) DeleteObject(a *Actor, c CollectionID, name string, cond Cond) error {
	if _, err := tx.need(a, c, RightDelete); err != nil {
		return err
	}
	m, err := tx.Member(c, name)
	if err != nil {
		return err
	}
	if err := cond.check(true, m.ETag); err != nil {
		return err
	}
	f, err := tx.facts(m.Object)
	if err != nil {
		return err
	}
	if err := a.mayChange(f); err != nil {
		return err
	}
	return tx.release(f, c, false)
}

// DeleteEverywhere removes the object from all its collections; the actor needs
// delete on all of them.
func (tx *Tx) DeleteEverywhere(a *Actor, id ObjectID, cond Cond) error {
	f, err := tx.facts(id)
	if err != nil {
		return err
	}
	if !tx.seesAny(a, f) {
		return fmt.Errorf("object %d: %w", id, ErrNotFound)
	}
	if err := tx.needAll(a, f, RightDelete); err != nil {
		return err
	}
	if err := cond.check(true, f.ETag); err != nil {
		return err
	}
	for len(f.Bindings) > 0 {
		if err := tx.release(f, f.Bindings[0].Collection, false); err != nil {
			return err
		}
	}
	return nil
}
