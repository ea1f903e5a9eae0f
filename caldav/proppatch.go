package caldav

import (
	"encoding/xml"
	"errors"
	"net/http"
	"slices"

	"daybook/caldav/dav"
	"daybook/store"
)

// Bounds of what is kept for clients without a meaning.
const (
	maxDead      = 100     // properties of one collection
	maxDeadBytes = 1 << 16 // of one property
)

// draft is a collection, home or object whose properties are being changed;
// nothing is stored unless every change is good.
type draft struct {
	kind     kind
	coll     *store.Collection // of a calendar
	home     *store.Principal  // of a home
	dead     *[]store.DeadProp
	birth    bool // the collection is being made
	calendar bool // at birth: the type asked for is a calendar
}

func draftCalendar(c *store.Collection) *draft {
	c.Dead = slices.Clone(c.Dead)
	return &draft{kind: kindCalendar, coll: c, dead: &c.Dead}
}

// change is one instruction with what came of it.
type change struct {
	name xml.Name
	el   *dav.Element // nil: remove
	err  *dav.Error
}

// changes reads the instructions in D:set and D:remove, in order (RFC 4918
// §9.2).
func changes(root *dav.Element) []*change {
	var out []*change
	for _, part := range root.Children {
		if !part.Is(dav.D("set")) && !part.Is(dav.D("remove")) {
			continue
		}
		for _, prop := range part.Children {
			if !prop.Is(dav.D("prop")) {
				continue
			}
			for _, el := range prop.Children {
				c := &change{name: el.Name, el: el}
				if part.Is(dav.D("remove")) {
					c.el = nil
				}
				out = append(out, c)
			}
		}
	}
	return out
}

// apply carries the instructions out on the draft and reports whether all
// succeeded.
func (x *exchange) apply(d *draft, list []*change) bool {
	good := true
	for _, c := range list {
		c.err = nil
		if err := x.applyOne(d, c); err != nil {
			c.err = x.davError(err)
			good = false
		}
	}
	return good
}

func (x *exchange) applyOne(d *draft, c *change) error {
	row := x.srv.byName[c.name]
	switch {
	case row == nil:
		return keepDead(x, d, c.elOrName())
	case d.kind == kindObject && row.on&kindObject == 0 && row.set != nil && !row.atBirth:
		return keepDead(x, d, c.elOrName()) // live on collections, and what one likes here
	case row.set == nil || row.atBirth && !d.birth:
		return errProtected
	case !row.dead && d.coll == nil && row.on&kindHome == 0:
		return errProtected // live elsewhere: what is kept here would never be answered
	case row.dead:
		return keepDead(x, d, c.elOrName())
	}
	return row.set(x, d, c.el)
}

// elOrName gives the element, or for a removal one that is marked as such by
// having no source.
func (c *change) elOrName() *dav.Element {
	if c.el != nil {
		return c.el
	}
	return &dav.Element{Name: c.name}
}

// keepDead stores, replaces or removes a property that the server gives no
// meaning to. Removing what is not there succeeds (RFC 4918 §14.23).
func keepDead(_ *exchange, d *draft, el *dav.Element) error {
	if d.dead == nil {
		return errForbidden
	}
	*d.dead = slices.DeleteFunc(*d.dead, func(p store.DeadProp) bool {
		return p.Space == el.Name.Space && p.Local == el.Name.Local
	})
	if !el.Sent() {
		return nil
	}
	raw := el.Raw()
	if len(raw) > maxDeadBytes || len(*d.dead) >= maxDead {
		return errQuota
	}
	*d.dead = append(*d.dead, store.DeadProp{Space: el.Name.Space, Local: el.Name.Local, XML: raw})
	return nil
}

// proppatch answers PROPPATCH (RFC 4918 §9.2): all or nothing, told property
// by property, also to those who may not write.
func (x *exchange) proppatch() error {
	root, err := x.readXML()
	if err != nil {
		return err
	}
	if err := rootIs(root, dav.D("propertyupdate")); err != nil {
		return err
	}
	list := changes(root)
	if len(list) == 0 {
		return errBadRequest
	}
	var good bool
	err = x.update(func(tx *store.Tx) error {
		good = false
		r, err := x.resolve(&tx.View, x.target)
		if err != nil {
			return err
		}
		if err := x.preconditions(tx, r, store.Cond{}); err != nil {
			return err
		}
		if err := x.patch(tx, r, list); err != nil {
			return err
		}
		good = true
		return nil
	})
	if err != nil && !errors.Is(err, errRefused) {
		return err
	}
	if good && x.prefer.Minimal {
		x.w.Header().Set("Preference-Applied", "return=minimal")
		x.w.Header().Set("Vary", "Brief, Prefer")
		return x.empty(http.StatusOK)
	}
	a := x.newAnswer(dav.MultistatusStart)
	a.b = append(a.b, dav.ResponseStart...)
	a.b = append(dav.AppendText(a.b, x.target.href), "</D:href>"...)
	a.b = append(appendChanges(a.b, list, good), dav.ResponseEnd...)
	return a.finish(dav.MultistatusEnd)
}

// errRefused ends a transaction whose changes are refused one by one.
var errRefused = errors.New("a property was refused")

// unfit tells of a value that the store does not take, such as one that is too
// long, property by property (RFC 4918 §9.2.1): clients take a bare status for
// the end of everything.
func unfit(list []*change, err error) error {
	switch {
	case errors.Is(err, store.ErrInvalid):
		return refuseAll(list, errConflict)
	case errors.Is(err, store.ErrQuota):
		return refuseAll(list, errQuota)
	}
	return err
}

func (x *exchange) patch(tx *store.Tx, r *resource, list []*change) error {
	if err := x.require(r, store.RightWrite); err != nil {
		return refuseAll(list, x.davError(err))
	}
	switch r.kind {
	case kindCalendar:
		before := slices.Clone(r.coll.Dead)
		c := *r.coll
		if !x.apply(draftCalendar(&c), list) {
			return errRefused
		}
		if deadEqual(before, c.Dead) && sameLive(r.coll, &c) {
			return nil
		}
		return unfit(list, tx.UpdateCollection(x.actor, &c))
	case kindHome:
		p := *r.owner
		p.Dead = slices.Clone(p.Dead)
		if !x.apply(&draft{kind: kindHome, home: &p, dead: &p.Dead}, list) {
			return errRefused
		}
		return unfit(list, tx.UpdatePrincipal(&p))
	case kindObject:
		before, err := x.dead(r)
		if err != nil {
			return err
		}
		after := slices.Clone(before)
		if !x.apply(&draft{kind: kindObject, dead: &after}, list) {
			return errRefused
		}
		if deadEqual(before, after) {
			return nil
		}
		return unfit(list, tx.SetDead(x.actor, r.coll.ID, r.member.Name, after))
	case kindRoot, kindPrincipals, kindHomes, kindPrincipal:
	}
	for _, c := range list {
		c.err = errForbidden
		if x.srv.byName[c.name] != nil {
			c.err = errProtected
		}
	}
	return errRefused
}

func refuseAll(list []*change, e *dav.Error) error {
	for _, c := range list {
		c.err = e
	}
	return errRefused
}

// sameLive compares the live properties that can be set.
func sameLive(a, b *store.Collection) bool {
	return a.DisplayName == b.DisplayName && a.Description == b.Description && a.Timezone == b.Timezone &&
		a.TimezoneID == b.TimezoneID && a.Transparent == b.Transparent
}

// appendChanges appends a propstat for each outcome: 200 for all, or what was
// refused and 424 for the others (RFC 4918 §9.2.1).
func appendChanges(b []byte, list []*change, good bool) []byte {
	var rest []*change
	seen := make(map[xml.Name]bool)
	for _, c := range list {
		if c.err == nil {
			rest = append(rest, c)
			continue
		}
		if seen[c.name] {
			continue
		}
		seen[c.name] = true
		b = append(append(b, dav.PropstatStart...), dav.MakeTags(c.name).Empty...)
		b = dav.AppendStatus(append(b, "</D:prop>"...), c.err.Status)
		b = append(c.err.AppendElement(b), "</D:propstat>"...)
	}
	start := len(b)
	b = append(b, dav.PropstatStart...)
	n := len(b)
	for _, c := range rest {
		if !seen[c.name] {
			seen[c.name] = true
			b = append(b, dav.MakeTags(c.name).Empty...)
		}
	}
	if len(b) == n {
		return b[:start]
	}
	code := http.StatusFailedDependency
	if good {
		code = http.StatusOK
	}
	b = dav.AppendStatus(append(b, "</D:prop>"...), code)
	return append(b, "</D:propstat>"...)
}
