package store

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"daybook/ical"
)

// The directory (principals, collections, grants) is read by every request and
// changed seldom. What was decoded is kept for the directory's revision, a
// number that every change of it counts up in the same transaction; a snapshot
// of another revision just does not find it. So nothing is ever invalidated.

type directory struct {
	state atomic.Pointer[directoryState]
}

type directoryState struct {
	revision int64
	size     atomic.Int64
	entries  sync.Map // string(key) → *Principal, *Collection, Rights, *ical.Zone
}

// maxDirectoryBytes bounds the memory, counted as the stored size of what was
// decoded and a little for each; a full state is begun anew.
const (
	maxDirectoryBytes = 32 << 20
	directoryEntry    = 512
)

func (v *View) directory() *directoryState {
	if v.dir != nil {
		return v.dir
	}
	rev := metaInt(v.r, metaDirectory)
	cur := v.s.dir.state.Load()
	publish := !v.writing // a transaction sees revisions that may never be committed
	if cur == nil && !publish {
		cur = &directoryState{revision: -1}
	}
	if publish && (cur == nil || cur.revision < rev || cur.revision == rev && cur.size.Load() > maxDirectoryBytes) {
		fresh := &directoryState{revision: rev}
		v.s.dir.state.CompareAndSwap(cur, fresh)
		cur = fresh
	}
	if cur.revision != rev {
		cur = &directoryState{revision: rev} // an older snapshot: for it alone
	}
	v.dir = cur
	return cur
}

// lookup gives the decoded value of a key from the directory's cache.
func lookup[T any](v *View, k key, decode func([]byte) (T, error)) (T, error) {
	var zero T
	d := v.directory()
	if x, ok := d.entries.Load(string(k)); ok {
		return x.(T), nil
	}
	b := v.get(k)
	if b == nil {
		return zero, ErrNotFound
	}
	x, err := decode(b)
	if err != nil {
		return zero, err
	}
	d.entries.Store(string(k), x)
	d.size.Add(int64(directoryEntry + len(b)))
	return x, nil
}

// directoryChanged must follow every write to the directory.
func (tx *Tx) directoryChanged() {
	tx.next(metaDirectory)
	// What this transaction reads from here on is of no committed revision.
	tx.dir = &directoryState{revision: -1}
}

func (v *View) principal(id PrincipalID) (*Principal, error) {
	return lookup(v, principalKey(id), func(b []byte) (*Principal, error) {
		p := &Principal{ID: id}
		return p, decodeRecord(b, p)
	})
}

func (p *Principal) clone() *Principal {
	q := *p
	q.Members, q.Dead = slices.Clone(p.Members), slices.Clone(p.Dead)
	return &q
}

func (c *Collection) clone() *Collection {
	d := *c
	d.Components, d.Dead = slices.Clone(c.Components), slices.Clone(c.Dead)
	return &d
}

// Principal gives a principal; ErrNotFound.
func (v *View) Principal(id PrincipalID) (*Principal, error) {
	p, err := v.principal(id)
	if err != nil {
		return nil, fmt.Errorf("principal %d: %w", id, err)
	}
	return p.clone(), nil
}

func (v *View) principalNamed(name string) (PrincipalID, error) {
	if name == "" || len(name) > maxNameLength {
		return 0, ErrNotFound
	}
	return lookup(v, nameKey(name), func(b []byte) (PrincipalID, error) { return PrincipalID(u32(b)), nil })
}

// PrincipalByName finds a principal by the name that is its login and its
// place in addresses; ErrNotFound.
func (v *View) PrincipalByName(name string) (*Principal, error) {
	id, err := v.principalNamed(name)
	if err != nil {
		return nil, fmt.Errorf("principal %q: %w", name, err)
	}
	return v.Principal(id)
}

// PrincipalByUUID finds a principal by its UUID; ErrNotFound.
func (v *View) PrincipalByUUID(id uuid.UUID) (*Principal, error) {
	b := v.get(newKey(tableUUIDs).bytes(id[:]))
	if len(b) != 5 || b[0] != 'p' {
		return nil, fmt.Errorf("principal %s: %w", id, ErrNotFound)
	}
	return v.Principal(PrincipalID(u32(b[1:])))
}

// PrincipalByAlias finds a resource or group by its integer; ErrNotFound.
func (v *View) PrincipalByAlias(org PrincipalID, alias uint32) (*Principal, error) {
	b := v.get(newKey(tableAliases).principal(org).u32(alias))
	if len(b) != 5 || b[0] != 'p' {
		return nil, fmt.Errorf("alias %d: %w", alias, ErrNotFound)
	}
	return v.Principal(PrincipalID(u32(b[1:])))
}

// Principals gives those of an organisation (0: all) with one of the kinds
// (none: all), by name.
func (v *View) Principals(org PrincipalID, kinds ...Kind) ([]*Principal, error) {
	var ids []PrincipalID
	from := newKey(tableNames)
	v.r.Scan(from, from.after(), func(_, b []byte) bool {
		ids = append(ids, PrincipalID(u32(b)))
		return true
	})
	var out []*Principal
	for _, id := range ids {
		p, err := v.principal(id)
		if err != nil {
			return nil, fmt.Errorf("principal %d: %w", id, err)
		}
		if (org == 0 || p.Org == org) && (len(kinds) == 0 || slices.Contains(kinds, p.Kind)) {
			out = append(out, p.clone())
		}
	}
	return out, nil
}

func (v *View) collection(id CollectionID) (*Collection, error) {
	return lookup(v, collectionKey(id), func(b []byte) (*Collection, error) {
		c := &Collection{ID: id}
		return c, decodeRecord(b, c)
	})
}

// Collection gives a calendar collection; ErrNotFound.
func (v *View) Collection(id CollectionID) (*Collection, error) {
	c, err := v.collection(id)
	if err != nil {
		return nil, fmt.Errorf("collection %d: %w", id, err)
	}
	return c.clone(), nil
}

// CollectionByName finds a collection in a home; ErrNotFound.
func (v *View) CollectionByName(owner PrincipalID, name string) (*Collection, error) {
	if name == "" || len(name) > maxNameLength {
		return nil, fmt.Errorf("collection %q: %w", name, ErrNotFound)
	}
	id, err := lookup(v, homeKey(owner, name), func(b []byte) (CollectionID, error) { return CollectionID(u32(b)), nil })
	if err != nil {
		return nil, fmt.Errorf("collection %q: %w", name, err)
	}
	return v.Collection(id)
}

// CollectionByUUID finds a collection by its UUID; ErrNotFound.
func (v *View) CollectionByUUID(id uuid.UUID) (*Collection, error) {
	b := v.get(newKey(tableUUIDs).bytes(id[:]))
	if len(b) != 5 || b[0] != 'c' {
		return nil, fmt.Errorf("collection %s: %w", id, ErrNotFound)
	}
	return v.Collection(CollectionID(u32(b[1:])))
}

// Collections gives the collections of a home, by name.
func (v *View) Collections(owner PrincipalID) ([]*Collection, error) {
	var ids []CollectionID
	from := newKey(tableHomes).principal(owner)
	v.r.Scan(from, from.after(), func(_, b []byte) bool {
		ids = append(ids, CollectionID(u32(b)))
		return true
	})
	out := make([]*Collection, 0, len(ids))
	for _, id := range ids {
		c, err := v.Collection(id)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// CalendarName is the name of the calendar that every principal starts with.
const CalendarName = "calendar"

// Calendar gives the one collection of a resource or organisation, or a user's
// collection named "calendar"; ErrNotFound.
func (v *View) Calendar(p PrincipalID) (*Collection, error) {
	return v.CollectionByName(p, CalendarName)
}

// Zone gives the zone of a principal, or its organisation's; UTC at last.
func (v *View) Zone(p *Principal) *ical.Zone {
	if z := ical.LookupZone(p.Zone); p.Zone != "" && z != nil {
		return z
	}
	if p.Org != p.ID {
		if org, err := v.principal(p.Org); err == nil {
			if z := ical.LookupZone(org.Zone); org.Zone != "" && z != nil {
				return z
			}
		}
	}
	return ical.UTCZone
}

// CollectionZone gives the zone that places floating times in a collection:
// its own (RFC 4791 §5.2.2, RFC 7809), else that of the resource or organisation
// it belongs to. A user's calendar that names none is in UTC, as clients expect.
func (v *View) CollectionZone(c *Collection) *ical.Zone {
	if z := c.zone(); z != nil {
		return z
	}
	p, err := v.principal(c.Owner)
	if err != nil || p.Kind == KindUser {
		return ical.UTCZone
	}
	return v.Zone(p)
}

// shownZone gives the zone that people look at a collection in: its own, else
// its owner's.
func (v *View) shownZone(c *Collection) *ical.Zone {
	if z := c.zone(); z != nil {
		return z
	}
	p, err := v.principal(c.Owner)
	if err != nil {
		return ical.UTCZone
	}
	return v.Zone(p)
}

// zone gives the zone that the collection itself names, nil if it names none.
func (c *Collection) zone() *ical.Zone {
	if c.TimezoneID != "" {
		if z := ical.LookupZone(c.TimezoneID); z != nil {
			return z
		}
	}
	if c.Timezone != "" {
		if z, err := ical.ParseZone(c.Timezone); err == nil {
			return z
		}
	}
	return nil
}

// --- grants and rights ---

// GrantsOn gives who has which grants on all calendars of a target.
func (v *View) GrantsOn(target PrincipalID) ([]GrantTo, error) {
	return v.grantsAt(newKey(tableGrantsOn).principal(target)), nil
}

// GrantsOnCollection gives who has which grants on one calendar alone.
func (v *View) GrantsOnCollection(c *Collection) ([]GrantTo, error) {
	return v.grantsAt(newKey(tableGrantsOn).principal(c.Owner).collection(c.ID)), nil
}

// grantsAt gives the grants whose keys are from and a subject.
func (v *View) grantsAt(from key) []GrantTo {
	var out []GrantTo
	v.r.Scan(from, from.after(), func(k, b []byte) bool {
		if len(k) == len(from)+4 {
			out = append(out, GrantTo{PrincipalID(u32(k[len(from):])), Rights(b[0])})
		}
		return true
	})
	return out
}

// GrantTo is a grant seen from its target.
type GrantTo struct {
	Subject PrincipalID
	Rights  Rights
}

// GrantsOf gives the grants of a subject.
func (v *View) GrantsOf(subject PrincipalID) ([]Grant, error) {
	return slices.Clone(v.grantsOf(subject)), nil
}

func (v *View) grantsOf(subject PrincipalID) []Grant {
	k := newKey(tableGrants).principal(subject)
	d := v.directory()
	if x, ok := d.entries.Load(string(k)); ok {
		return x.([]Grant)
	}
	var out []Grant
	v.r.Scan(k, k.after(), func(k, b []byte) bool {
		out = append(out, grantOf(k, b))
		return true
	})
	d.entries.Store(string(k), out)
	d.size.Add(int64(directoryEntry + 16*len(out)))
	return out
}

// over gives what the grants allow on a calendar of a principal, 0 for all its
// calendars: those on the principal, those on its organisation, which reach the
// organisation's own calendar and its resources', never a user's home, and those
// on the one calendar.
func over(grants []Grant, owner *Principal, c CollectionID) Rights {
	var r Rights
	for _, g := range grants {
		switch {
		case g.Collection != 0 && g.Collection != c:
		case g.Target == owner.ID || g.Target == owner.Org && owner.Kind != KindUser:
			r |= g.Rights
		}
	}
	return r.Full()
}

// Rights gives what the actor may do with all calendars of the owner; 0 means
// that for the actor its home does not exist.
func (v *View) Rights(a *Actor, owner PrincipalID) Rights { return v.rights(a, owner, 0) }

// RightsOn gives what the actor may do with a calendar: what it may do with all
// of the owner's, and what was granted on this one. 0 means that for the actor
// it does not exist.
func (v *View) RightsOn(a *Actor, c *Collection) Rights { return v.rights(a, c.Owner, c.ID) }

func (v *View) rights(a *Actor, owner PrincipalID, c CollectionID) Rights {
	switch {
	case a == nil:
		return 0
	case a.system:
		return RightAdmin.Full()
	}
	p, err := v.principal(owner)
	if err != nil || p.Org != a.Org {
		return 0 // nothing crosses organisations
	}
	own := over(a.Grants, p, c)
	if a.Principal == nil {
		return own
	}
	r := over(v.grantsOf(a.Principal.ID), p, c)
	if owner == a.Principal.ID {
		r = RightAdmin.Full()
	}
	if a.limited {
		r &= own
	}
	return r
}

// Shared gives the calendars that the actor reaches by grants on them alone, and
// not because it reaches all calendars of the owner (0: of any), in the order in
// which they were made.
func (v *View) Shared(a *Actor, owner PrincipalID) ([]*Collection, error) {
	if a == nil {
		return nil, nil
	}
	grants := a.Grants
	if a.Principal != nil {
		grants = v.grantsOf(a.Principal.ID)
	}
	var out []*Collection
	for _, g := range grants {
		if g.Collection == 0 || owner != 0 && g.Target != owner || v.Rights(a, g.Target).Has(g.Rights) {
			continue
		}
		c, err := v.Collection(g.Collection)
		if err != nil {
			return nil, err
		}
		if v.RightsOn(a, c) != 0 {
			out = append(out, c)
		}
	}
	return out, nil
}

// Reachable gives the principals of whose calendars the actor may at least read
// the free-busy, of all of them: its own first, others by name.
func (v *View) Reachable(a *Actor) ([]*Principal, error) {
	if a == nil {
		return nil, nil
	}
	grants := a.Grants
	if a.Principal != nil {
		grants = v.grantsOf(a.Principal.ID)
	}
	wide := a.system
	var out []*Principal
	for _, g := range grants {
		wide = wide || g.Target == a.Org
	}
	if wide {
		all, err := v.Principals(a.Org)
		if err != nil {
			return nil, err
		}
		out = all
	} else {
		for _, g := range grants {
			if p, err := v.Principal(g.Target); err == nil {
				out = append(out, p)
			}
		}
		if a.Principal != nil {
			if p, err := v.Principal(a.Principal.ID); err == nil {
				out = append(out, p)
			}
		}
	}
	own := PrincipalID(0)
	if a.Principal != nil {
		own = a.Principal.ID
	}
	out = slices.DeleteFunc(out, func(p *Principal) bool { return p.Kind == KindGroup || v.Rights(a, p.ID) == 0 })
	slices.SortFunc(out, func(x, y *Principal) int {
		if (x.ID == own) != (y.ID == own) {
			if x.ID == own {
				return -1
			}
			return 1
		}
		return strings.Compare(x.Name, y.Name)
	})
	return slices.CompactFunc(out, func(x, y *Principal) bool { return x.ID == y.ID }), nil
}
