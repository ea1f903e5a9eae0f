package folio

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

// index is what the objects of an organisation's own calendar say about
// opening hours. It is not changed once made: the next state is made of it and
// of the changes since its token.
type index struct {
	token    store.Token
	zone     *ical.Zone
	objects  map[string]*object   // by the name of the member
	children map[string][]*object // exceptions by the UID of their calendar
	byUID    map[string]*calendar
	byID     map[uuid.UUID]*calendar
	order    []*calendar // by first day, then id
	points   map[uuid.UUID]*point
}

// object is one VAVAILABILITY, read.
type object struct {
	id        store.ObjectID
	name, uid string
	tag       store.ETag
	role      hours.Role
	parent    string         // of an exception
	calendar  hours.Calendar // of a calendar: without its exceptions
	exception hours.Exception
	place     int
}

// calendar is a calendar with its exceptions.
type calendar struct {
	hours.Calendar
	object     *object
	exceptions []*object // those of Exceptions
}

// point is a service point with its calendars by their first day.
type point struct {
	calendars []*calendar
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
	byOrg map[store.PrincipalID]*index
}

func (x *indexes) get(org store.PrincipalID) *index {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.byOrg[org]
}

// keep takes over an index, unless a newer one is there.
func (x *indexes) keep(org store.PrincipalID, fresh *index) {
	x.mu.Lock()
	defer x.mu.Unlock()
	old := x.byOrg[org]
	if old != nil && old.token.Epoch == fresh.token.Epoch && old.token.Collection == fresh.token.Collection && old.token.Seq > fresh.token.Seq {
		return
	}
	if x.byOrg == nil {
		x.byOrg = map[store.PrincipalID]*index{}
	}
	if old == nil && len(x.byOrg) >= maxIndexes {
		for other := range x.byOrg {
			delete(x.byOrg, other)
			break
		}
	}
	x.byOrg[org] = fresh
}

// view calls fn with the index of a snapshot.
func (s *service) view(ctx context.Context, fn func(*store.View, *index) error) error {
	who := callerOf(ctx)
	base := s.indexes.get(who.org) // before the snapshot, so it is never newer
	return s.store.View(ctx, func(v *store.View) error {
		x, err := indexAt(v, who, base)
		if err != nil {
			return err
		}
		if x != base {
			s.indexes.keep(who.org, x)
		}
		return fn(v, x)
	})
}

// update calls fn in a write transaction, with the index as it is there. That
// is not kept: the transaction may come to nothing.
func (s *service) update(ctx context.Context, fn func(*store.Tx, *index) error) error {
	who := callerOf(ctx)
	base := s.indexes.get(who.org)
	return s.store.Update(ctx, func(tx *store.Tx) error {
		x, err := indexAt(&tx.View, who, base)
		if err != nil {
			return err
		}
		return fn(tx, x)
	})
}

// indexAt gives the index of the snapshot: base, or base with the changes
// since then, or one made from the whole listing.
func indexAt(v *store.View, who *caller, base *index) (*index, error) {
	st, err := v.State(who.calendar)
	if err != nil {
		return nil, err
	}
	org, err := v.Principal(who.org)
	if err != nil {
		return nil, err
	}
	token, zone := v.Token(who.calendar, st), v.Zone(org)
	if base != nil && base.zone.Name() == zone.Name() && base.token.Epoch == token.Epoch && base.token.Collection == token.Collection {
		if base.token.Seq == token.Seq {
			return base, nil
		}
		changes, _, _, err := v.Changes(who.calendar, base.token.String(), 0)
		if err == nil {
			return base.with(v, who.org, token, changes)
		}
		if !errors.Is(err, store.ErrToken) {
			return nil, err
		}
	}
	var all []store.Change
	err = v.EachMember(who.calendar, "", func(m store.Member) bool {
		if m.Kind == "VAVAILABILITY" {
			all = append(all, store.Change{Member: m})
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	empty := &index{zone: zone}
	return empty.with(v, who.org, token, all)
}

// with gives the index after some changes.
func (x *index) with(v *store.View, org store.PrincipalID, token store.Token, changes []store.Change) (*index, error) {
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
	if o.role == hours.None {
		return nil, nil //nolint:nilnil // as above
	}
	return o, nil
}

func (o *object) read(parsed *ical.Object, zone *ical.Zone) {
	o.role, o.parent = hours.RoleOf(parsed)
	switch o.role {
	case hours.IsCalendar:
		o.calendar = hours.ReadCalendar(parsed, zone)
	case hours.IsException:
		o.exception, o.place = hours.ReadException(parsed, zone)
	case hours.None:
	}
}

func (x *index) add(o *object) {
	x.objects[o.name] = o
	if o.role == hours.IsException {
		x.children[o.parent] = append(slices.Clone(x.children[o.parent]), o)
	}
}

func (x *index) drop(o *object) {
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
func (x *index) assemble(v *store.View, org store.PrincipalID, stale map[string]struct{}) error {
	gone := map[*calendar]struct{}{}
	var fresh []*calendar
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
	return nil
}

// compose puts a calendar together with its exceptions, these in the order of
// their places, then of their days.
func compose(o *object, exceptions []*object) *calendar {
	c := &calendar{Calendar: o.calendar, object: o, exceptions: slices.Clone(exceptions)}
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

func byStart(a, b *calendar) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), slices.Compare(a.ID[:], b.ID[:]))
}

// merged gives a list, ordered by start, without those that are gone and with
// the fresh ones.
func merged(old []*calendar, gone map[*calendar]struct{}, fresh []*calendar) []*calendar {
	out := make([]*calendar, 0, len(old)+len(fresh))
	for _, c := range old {
		if _, ok := gone[c]; !ok {
			out = append(out, c)
		}
	}
	out = append(out, fresh...)
	slices.SortFunc(out, byStart)
	return out
}

// relist makes the service points of calendars that changed anew.
func (x *index) relist(gone map[*calendar]struct{}, fresh []*calendar) {
	added := map[uuid.UUID][]*calendar{}
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
		var old []*calendar
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
func (c *calendar) same(d *calendar) bool {
	return c.object.tag == d.object.tag && slices.EqualFunc(c.exceptions, d.exceptions, func(a, b *object) bool {
		return a.name == b.name && a.tag == b.tag
	})
}
