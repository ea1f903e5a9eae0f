// Package kept is where opening hours are: VAVAILABILITY objects in an
// organisation's own calendar ([daybook/api/hours] says of which form), read
// and written for every API that speaks of them.
//
// What an API answers from is an [Index], derived from these objects. It
// carries the sync-token that it was derived from: a request reads the changes
// since then and no more. A [Keeper] keeps the latest index of each
// organisation, and writes calendars with all their objects in one
// transaction.
package kept

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/google/uuid"

	"daybook/api/hours"
	"daybook/ical"
	"daybook/store"
)

// Index is what the objects of an organisation's own calendar say about
// opening hours. It is not changed once made: the next state is made of it and
// of the changes since its token.
type Index struct {
	token    store.Token
	zone     *ical.Zone
	org      uuid.UUID
	objects  map[string]*object   // by the name of the member
	children map[string][]*object // exceptions by the UID of their calendar
	byUID    map[string]*Calendar
	byID     map[uuid.UUID]*Calendar
	order    []*Calendar // by first day, then id
	points   map[uuid.UUID]*point
	week     *Calendar // of the organisation; nil for none
}

// Zone gives the organisation's zone, in which all wall clocks are.
func (x *Index) Zone() *ical.Zone { return x.zone }

// Calendar gives the calendar with an id, nil for none.
func (x *Index) Calendar(id uuid.UUID) *Calendar { return x.byID[id] }

// Calendars gives all calendars by their first day, then by id; not to be
// changed.
func (x *Index) Calendars() []*Calendar { return x.order }

// Of gives the calendars of a service point by their first day; not to be
// changed.
func (x *Index) Of(servicePoint uuid.UUID) []*Calendar {
	if p := x.points[servicePoint]; p != nil {
		return p.calendars
	}
	return nil
}

// Timeline gives the hours of a service point, day by day; those of one that
// no calendar names are closed.
func (x *Index) Timeline(servicePoint uuid.UUID) *hours.Timeline {
	return x.points[servicePoint].timeline()
}

// Week gives the hours of every week of the whole organisation, with their
// exceptions, as a calendar without service points; nil for none.
func (x *Index) Week() *Calendar { return x.week }

// Overlapping gives the other calendars that share a service point and a day
// with c, in the order of their days, and for each the service points.
func (x *Index) Overlapping(c *hours.Calendar) []Overlap {
	shared := map[*Calendar][]uuid.UUID{}
	for _, id := range c.ServicePoints {
		for _, other := range x.Of(id) {
			if other.ID != c.ID && other.Start <= c.End && c.Start <= other.End {
				shared[other] = append(shared[other], id)
			}
		}
	}
	if len(shared) == 0 {
		return nil
	}
	out := make([]Overlap, 0, len(shared))
	for _, other := range x.order {
		if ids, ok := shared[other]; ok {
			out = append(out, Overlap{other, ids})
		}
	}
	return out
}

// Overlap is a calendar, and the service points for which it collides with
// another.
type Overlap struct {
	*Calendar
	Shared []uuid.UUID
}

// object is one VAVAILABILITY, read.
type object struct {
	id        store.ObjectID
	name, uid string
	tag       store.ETag
	role      hours.Role
	week      bool           // it can be the organisation's week
	parent    string         // of an exception
	calendar  hours.Calendar // of a calendar: without its exceptions
	exception hours.Exception
	place     int
}

// Calendar is a calendar with its exceptions; not to be changed.
type Calendar struct {
	hours.Calendar
	object     *object
	exceptions []*object // those of Exceptions
}

// point is a service point with its calendars by their first day.
type point struct {
	calendars []*Calendar
	once      sync.Once
	made      *hours.Timeline
}

// timeline gives the hours of the service point; those of one that nobody
// uses are closed.
func (p *point) timeline() *hours.Timeline {
	if p == nil {
		return hours.NewTimeline(nil)
	}
	p.once.Do(func() {
		all := make([]*hours.Calendar, len(p.calendars))
		for i, c := range p.calendars {
			all[i] = &c.Calendar
		}
		p.made = hours.NewTimeline(all)
	})
	return p.made
}

// maxIndexes bounds the organisations whose index is kept.
const maxIndexes = 1000

// indexes keeps the latest committed index of each organisation.
type indexes struct {
	mu    sync.Mutex
	byOrg map[store.PrincipalID]*Index
}

func (x *indexes) get(org store.PrincipalID) *Index {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.byOrg[org]
}

// keep takes over an index, unless a newer one is there.
func (x *indexes) keep(org store.PrincipalID, fresh *Index) {
	x.mu.Lock()
	defer x.mu.Unlock()
	old := x.byOrg[org]
	if old != nil && old.token.Epoch == fresh.token.Epoch && old.token.Collection == fresh.token.Collection && old.token.Seq > fresh.token.Seq {
		return
	}
	if x.byOrg == nil {
		x.byOrg = map[store.PrincipalID]*Index{}
	}
	if old == nil && len(x.byOrg) >= maxIndexes {
		for other := range x.byOrg {
			delete(x.byOrg, other)
			break
		}
	}
	x.byOrg[org] = fresh
}

// Site is an organisation, and its own calendar.
type Site struct {
	Org      store.PrincipalID
	Calendar store.CollectionID
}

// Keeper reads and writes the hours of organisations.
type Keeper struct {
	store   *store.Store
	indexes indexes
}

// New makes a keeper.
func New(s *store.Store) *Keeper { return &Keeper{store: s} }

// View calls fn with the index of a snapshot.
func (k *Keeper) View(ctx context.Context, at Site, fn func(*store.View, *Index) error) error {
	base := k.indexes.get(at.Org) // before the snapshot, so it is never newer
	return k.store.View(ctx, func(v *store.View) error {
		x, err := indexAt(v, at, base)
		if err != nil {
			return err
		}
		if x != base {
			k.indexes.keep(at.Org, x)
		}
		return fn(v, x)
	})
}

// Update calls fn in a write transaction, with the index as it is there. That
// is not kept: the transaction may come to nothing.
func (k *Keeper) Update(ctx context.Context, at Site, fn func(*store.Tx, *Index) error) error {
	base := k.indexes.get(at.Org)
	return k.store.Update(ctx, func(tx *store.Tx) error {
		x, err := indexAt(&tx.View, at, base)
		if err != nil {
			return err
		}
		return fn(tx, x)
	})
}

// indexAt gives the index of the snapshot: base, or base with the changes
// since then, or one made from the whole listing.
func indexAt(v *store.View, at Site, base *Index) (*Index, error) {
	st, err := v.State(at.Calendar)
	if err != nil {
		return nil, err
	}
	org, err := v.Principal(at.Org)
	if err != nil {
		return nil, err
	}
	token, zone := v.Token(at.Calendar, st), v.Zone(org)
	if base != nil && base.zone.Name() == zone.Name() && base.token.Epoch == token.Epoch && base.token.Collection == token.Collection {
		if base.token.Seq == token.Seq {
			return base, nil
		}
		changes, _, _, err := v.Changes(at.Calendar, base.token.String(), 0)
		if err == nil {
			return base.with(v, at.Org, token, changes)
		}
		if !errors.Is(err, store.ErrToken) {
			return nil, err
		}
	}
	var all []store.Change
	err = v.EachMember(at.Calendar, "", func(m store.Member) bool {
		if m.Kind == "VAVAILABILITY" {
			all = append(all, store.Change{Member: m})
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	empty := &Index{zone: zone, org: org.UUID}
	return empty.with(v, at.Org, token, all)
}

// with gives the index after some changes.
func (x *Index) with(v *store.View, org store.PrincipalID, token store.Token, changes []store.Change) (*Index, error) {
	changes = slices.DeleteFunc(changes, func(c store.Change) bool {
		return (c.Removed || c.Kind != "VAVAILABILITY") && x.objects[c.Name] == nil
	})
	next := *x
	next.token = token
	if len(changes) == 0 {
		return &next, nil
	}
	next.objects, next.children = cloned(x.objects), cloned(x.children)
	next.byUID, next.byID, next.points = cloned(x.byUID), cloned(x.byID), cloned(x.points)
	stale := map[string]struct{}{} // UIDs of calendars
	for _, c := range changes {
		if old := next.objects[c.Name]; old != nil {
			next.drop(old)
			stale[old.family()] = struct{}{}
		}
		if c.Removed || c.Kind != "VAVAILABILITY" {
			continue
		}
		o, err := readObject(v, c.Member, next.zone)
		if err != nil {
			return nil, err
		}
		if o != nil {
			next.add(o)
			stale[o.family()] = struct{}{}
		}
	}
	return &next, next.assemble(v, org, stale)
}

func cloned[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}

// family gives the UID of the calendar that the object is a part of.
func (o *object) family() string {
	if o.role == hours.IsException {
		return o.parent
	}
	return o.uid
}

// readObject reads a member; nil for one that says nothing about opening
// hours, or that cannot be read, which is for a check of the store to report.
func readObject(v *store.View, m store.Member, zone *ical.Zone) (*object, error) {
	data, err := v.Data(m.Object)
	if err != nil {
		return nil, err
	}
	parsed, err := ical.Parse(data, ical.StreamLimits)
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // as above
	}
	o := &object{id: m.Object, name: m.Name, uid: parsed.UID(), tag: m.ETag}
	o.read(parsed, zone)
	if o.role == hours.None && !o.week {
		return nil, nil //nolint:nilnil // as above
	}
	return o, nil
}

func (o *object) read(parsed *ical.Object, zone *ical.Zone) {
	o.role, o.parent = hours.RoleOf(parsed)
	o.week = IsWeek(parsed)
	if o.week {
		o.calendar = hours.ReadCalendar(parsed, zone)
	}
	switch o.role {
	case hours.IsCalendar:
		o.calendar = hours.ReadCalendar(parsed, zone)
	case hours.IsException:
		o.exception, o.place = hours.ReadException(parsed, zone)
	case hours.None:
	}
}

func (x *Index) add(o *object) {
	x.objects[o.name] = o
	if o.role == hours.IsException {
		x.children[o.parent] = append(slices.Clone(x.children[o.parent]), o)
	}
}

func (x *Index) drop(o *object) {
	delete(x.objects, o.name)
	if o.role != hours.IsException {
		return
	}
	rest := slices.DeleteFunc(slices.Clone(x.children[o.parent]), func(c *object) bool { return c == o })
	if x.children[o.parent] = rest; len(rest) == 0 {
		delete(x.children, o.parent)
	}
}

// assemble makes the calendars of the UIDs anew, and the lists that they are in.
func (x *Index) assemble(v *store.View, org store.PrincipalID, stale map[string]struct{}) error {
	gone := map[*Calendar]struct{}{}
	var fresh []*Calendar
	for uid := range stale {
		if old := x.byUID[uid]; old != nil {
			gone[old] = struct{}{}
			delete(x.byUID, uid)
			delete(x.byID, old.ID)
		}
	}
	for _, o := range x.objects {
		if _, ok := stale[o.uid]; !ok || o.role != hours.IsCalendar {
			continue
		}
		id, err := v.Identity(org, o.uid)
		if err != nil {
			return err
		}
		c := compose(o, x.children[o.uid])
		c.ID = id.UUID
		x.byUID[o.uid], x.byID[c.ID] = c, c
		fresh = append(fresh, c)
	}
	x.order = merged(x.order, gone, fresh)
	x.relist(gone, fresh)
	return x.chooseWeek(v, org)
}

// chooseWeek makes the organisation's week anew: of the object that we have
// written, or the first that a calendar client has.
func (x *Index) chooseWeek(v *store.View, org store.PrincipalID) error {
	own := WeekUID(x.org)
	var found *object
	for _, o := range x.objects {
		if o.week && (found == nil || o.uid == own || found.uid != own && o.name < found.name) {
			found = o
		}
	}
	if x.week = nil; found == nil {
		return nil
	}
	id, err := v.Identity(org, found.uid)
	if err != nil {
		return err
	}
	x.week = compose(found, x.children[found.uid])
	x.week.ID = id.UUID
	return nil
}

// compose puts a calendar together with its exceptions, these in the order of
// their places, then of their days.
func compose(o *object, exceptions []*object) *Calendar {
	c := &Calendar{Calendar: o.calendar, object: o, exceptions: slices.Clone(exceptions)}
	slices.SortFunc(c.exceptions, func(a, b *object) int {
		if (a.place == 0) != (b.place == 0) {
			return cmp.Compare(b.place, a.place)
		}
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.exception.Start, b.exception.Start), cmp.Compare(a.uid, b.uid))
	})
	for _, e := range c.exceptions {
		c.Exceptions = append(c.Exceptions, e.exception)
	}
	return c
}

// ByStart orders calendars by their first day, then by id.
func ByStart(a, b *Calendar) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), slices.Compare(a.ID[:], b.ID[:]))
}

// merged gives a list, ordered by start, without those that are gone and with
// the fresh ones.
func merged(old []*Calendar, gone map[*Calendar]struct{}, fresh []*Calendar) []*Calendar {
	out := make([]*Calendar, 0, len(old)+len(fresh))
	for _, c := range old {
		if _, ok := gone[c]; !ok {
			out = append(out, c)
		}
	}
	out = append(out, fresh...)
	slices.SortFunc(out, ByStart)
	return out
}

// relist makes the service points of calendars that changed anew.
func (x *Index) relist(gone map[*Calendar]struct{}, fresh []*Calendar) {
	added := map[uuid.UUID][]*Calendar{}
	for c := range gone {
		for _, id := range c.ServicePoints {
			added[id] = nil
		}
	}
	for _, c := range fresh {
		for _, id := range c.ServicePoints {
			added[id] = append(added[id], c)
		}
	}
	for id, list := range added {
		var old []*Calendar
		if p := x.points[id]; p != nil {
			old = p.calendars
		}
		if all := merged(old, gone, list); len(all) > 0 {
			x.points[id] = &point{calendars: all}
		} else {
			delete(x.points, id)
		}
	}
}

// same reports whether two states of a calendar are of the same bytes.
func (c *Calendar) same(d *Calendar) bool {
	return c.object.tag == d.object.tag && slices.EqualFunc(c.exceptions, d.exceptions, func(a, b *object) bool {
		return a.name == b.name && a.tag == b.tag
	})
}
