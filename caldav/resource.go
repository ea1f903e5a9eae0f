package caldav

import (
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"daybook/caldav/dav"
	"daybook/store"
)

// sharedSuffix ends the names by which calendars of others appear in a home;
// see the package comment.
const sharedSuffix = "~shared"

// resource is what an address names, as far as it was looked up.
type resource struct {
	kind   kind
	href   string // percent-encoded; "" for a listed member, which has base and its name
	base   string // address of the collection of a listed member, escaped for XML
	owner  *store.Principal
	rights store.Rights // of the actor on the calendar, or on all of the home or principal
	coll   *store.Collection
	state  store.State
	member store.Member
	body   []byte // the object's data, when it was asked for
	shared bool   // a calendar of another, listed in the actor's home

	props   []store.DeadProp // of the object propsOf, see exchange.dead
	propsOf store.ObjectID
}

// appendHref appends the address, escaped for XML.
func (r *resource) appendHref(b []byte) []byte {
	if r.href != "" {
		return dav.AppendText(b, r.href)
	}
	return dav.AppendSegment(append(b, r.base...), r.member.Name)
}

// dead gives the dead properties kept with the resource. Those of an object are
// read only if its row says that it has some.
func (x *exchange) dead(r *resource) ([]store.DeadProp, error) {
	switch r.kind {
	case kindCalendar:
		return r.coll.Dead, nil
	case kindHome:
		return r.owner.Dead, nil
	case kindObject:
		if !r.member.Dead {
			return nil, nil
		}
		if r.propsOf != r.member.Object {
			var err error
			if r.props, err = x.v.Dead(r.member.Object); err != nil {
				return nil, err
			}
			r.propsOf = r.member.Object
		}
		return r.props, nil
	case kindRoot, kindPrincipals, kindHomes, kindPrincipal:
	}
	return nil, nil
}

// newMember makes the resource of a listed object; one is used for a whole
// listing.
func (r *resource) newMember() *resource {
	return &resource{
		kind: kindObject, base: string(dav.AppendText(nil, r.href)),
		owner: r.owner, rights: r.rights, coll: r.coll, state: r.state, shared: r.shared,
	}
}

// isSelf reports whether the principal is the actor's own.
func (x *exchange) isSelf(p *store.Principal) bool {
	return x.actor.Principal != nil && x.actor.Principal.ID == p.ID
}

// resolve finds what is at an address. What the actor may not see is
// errForbidden in a home, errNotFound among principals, whether it is there or
// not. With store.ErrNotFound for an object the resource of its collection's
// facts is given too.
func (x *exchange) resolve(v *store.View, a address) (*resource, error) {
	r := &resource{kind: a.kind, href: a.href}
	if a.kind&containers != 0 {
		return r, nil
	}
	var err error
	r.owner, err = v.PrincipalByName(a.owner)
	switch {
	case errors.Is(err, store.ErrNotFound):
		r.owner = nil
	case err != nil:
		return nil, err
	default:
		r.rights = v.Rights(x.actor, r.owner.ID).Full()
	}
	if a.kind == kindPrincipal {
		if r.owner == nil || !x.visible(v, r) {
			return nil, errNotFound
		}
		return r, nil
	}
	if r.owner == nil || r.owner.Kind == store.KindGroup {
		return nil, errForbidden
	}
	if r.rights == 0 && !x.reachesOne(v, r.owner, a) {
		return nil, errForbidden
	}
	if a.deeper {
		return nil, errNotFound
	}
	if a.kind == kindHome {
		return r, nil
	}
	if err := x.resolveCalendar(v, r, a.calendar); err != nil {
		return nil, err
	}
	r.rights = v.RightsOn(x.actor, r.coll).Full()
	if r.state, err = v.State(r.coll.ID); err != nil {
		return nil, err
	}
	if a.kind == kindObject {
		r.member, err = v.Member(r.coll.ID, a.object)
	}
	return r, err
}

// reachesOne reports whether the address is in a calendar that the actor reaches
// in a home that it does not reach as a whole.
func (x *exchange) reachesOne(v *store.View, owner *store.Principal, a address) bool {
	if a.kind == kindHome {
		return false
	}
	c, err := v.CollectionByName(owner.ID, a.calendar)
	return err == nil && v.RightsOn(x.actor, c) != 0
}

// visible reports whether the actor may know of a principal: of itself, of the
// organisation, and of whose calendars it reaches.
func (x *exchange) visible(v *store.View, r *resource) bool {
	if r.rights != 0 || x.isSelf(r.owner) || r.owner.ID == x.actor.Org {
		return true
	}
	shared, err := v.Shared(x.actor, r.owner.ID)
	return err == nil && len(shared) > 0
}

// resolveCalendar finds a calendar of the resource's owner, or one of another
// under its name in the owner's home.
func (x *exchange) resolveCalendar(v *store.View, r *resource, name string) error {
	var err error
	r.coll, err = v.CollectionByName(r.owner.ID, name)
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return err
	}
	short, ok := strings.CutSuffix(name, sharedSuffix)
	if !ok || !x.isSelf(r.owner) {
		return errNotFound
	}
	if id, byID := strings.CutPrefix(short, "~"); byID {
		return x.shareByID(v, r, id, name)
	}
	short, calendar, _ := strings.Cut(short, "~")
	owner, err := v.PrincipalByName(short)
	if err != nil || single(owner) != (calendar == "") {
		return errNotFound
	}
	return x.share(v, r, owner, calendar, name)
}

// sharedName gives the name of a calendar of another in the actor's home. It is
// made of names as long as these leave no doubt where one ends; else of the
// calendar's UUID.
func sharedName(owner *store.Principal, c *store.Collection) string {
	name := owner.Name
	if !single(owner) {
		name += "~" + c.Name
	}
	if strings.Contains(owner.Name, "~") || !single(owner) && strings.Contains(c.Name, "~") {
		name = "~" + c.UUID.String()
	}
	return name + sharedSuffix
}

// shareByID makes r the calendar of another whose name is made of its UUID.
func (x *exchange) shareByID(v *store.View, r *resource, short, name string) error {
	id, err := uuid.Parse(short)
	if err != nil {
		return errNotFound
	}
	c, err := v.CollectionByUUID(id)
	if err != nil {
		return errNotFound
	}
	owner, err := v.Principal(c.Owner)
	if err != nil {
		return err
	}
	return x.share(v, r, owner, c.Name, name)
}

// single reports whether a principal has exactly one calendar.
func single(p *store.Principal) bool {
	return p.Kind.Resource() || p.Kind == store.KindOrganisation
}

// share makes r a calendar of another, the named one or the only one, if its name
// in the home is the one that was asked for.
func (x *exchange) share(v *store.View, r *resource, owner *store.Principal, name, address string) error {
	if name == "" {
		name = store.CalendarName
	}
	c, err := v.CollectionByName(owner.ID, name)
	if err != nil || x.isSelf(owner) || !v.RightsOn(x.actor, c).Has(store.RightRead) || sharedName(owner, c) != address {
		return errNotFound
	}
	r.owner, r.coll, r.shared = owner, c, true
	return nil
}

// require checks a right on a resource below a home.
func (x *exchange) require(r *resource, right store.Rights) error {
	if r.kind&(containers|kindPrincipal) != 0 || r.rights.Has(right) {
		return nil
	}
	privilege := "write"
	switch right {
	case store.RightRead:
		privilege = "read"
	case store.RightFreeBusy:
		privilege = "read-free-busy"
	case store.RightDelete:
		privilege = "unbind"
	}
	return x.needs(x.target.href, privilege)
}

// eachMember calls fn for the members of a collection that is no calendar.
func (x *exchange) eachMember(v *store.View, r *resource, fn func(*resource) error) error {
	switch r.kind {
	case kindRoot:
		return x.eachOfRoot(r, fn)
	case kindPrincipals, kindHomes:
		return x.eachPrincipal(v, r, fn)
	case kindHome:
		return x.eachCalendar(v, r, fn)
	case kindPrincipal, kindCalendar, kindObject:
	}
	return nil
}

func (x *exchange) eachOfRoot(r *resource, fn func(*resource) error) error {
	if r.href != x.base() {
		return fn(&resource{kind: kindRoot, href: x.base()})
	}
	if err := fn(&resource{kind: kindPrincipals, href: x.base() + "principals/"}); err != nil {
		return err
	}
	return fn(&resource{kind: kindHomes, href: x.base() + "calendars/"})
}

// withSharers adds to the principals those who share single calendars with the
// actor.
func (x *exchange) withSharers(v *store.View, all []*store.Principal) ([]*store.Principal, error) {
	shared, err := v.Shared(x.actor, 0)
	if err != nil {
		return nil, err
	}
	for _, c := range shared {
		if slices.ContainsFunc(all, func(p *store.Principal) bool { return p.ID == c.Owner }) {
			continue
		}
		p, err := v.Principal(c.Owner)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// eachPrincipal lists the principals that the actor may see, or their homes.
func (x *exchange) eachPrincipal(v *store.View, r *resource, fn func(*resource) error) error {
	all, err := v.Reachable(x.actor)
	if err != nil {
		return err
	}
	member := kindHome
	if r.kind == kindPrincipals {
		member = kindPrincipal
		if all, err = x.withSharers(v, all); err != nil {
			return err
		}
	}
	for _, p := range all {
		m := &resource{
			kind: member, href: x.homeHref(p.Name), owner: p,
			rights: v.Rights(x.actor, p.ID).Full(),
		}
		if member == kindPrincipal {
			m.href = x.principalHref(p.Name)
		}
		if err := fn(m); err != nil {
			return err
		}
	}
	return nil
}

// eachCalendar lists a home: its own calendars and, in the actor's home, those
// of others that the actor may read.
func (x *exchange) eachCalendar(v *store.View, r *resource, fn func(*resource) error) error {
	if err := x.eachOwned(v, r, r.owner, fn); err != nil || !x.isSelf(r.owner) {
		return err
	}
	return x.eachOfOthers(v, r, fn)
}

// eachOfOthers lists the calendars of others in the actor's home: of those all of
// whose calendars it may read, and those that it may read alone.
func (x *exchange) eachOfOthers(v *store.View, home *resource, fn func(*resource) error) error {
	all, err := v.Reachable(x.actor)
	if err != nil {
		return err
	}
	for _, p := range all {
		if x.isSelf(p) || !v.Rights(x.actor, p.ID).Has(store.RightRead) {
			continue
		}
		if err := x.eachOwned(v, home, p, fn); err != nil {
			return err
		}
	}
	shared, err := v.Shared(x.actor, 0)
	if err != nil {
		return err
	}
	for _, c := range shared {
		owner, err := v.Principal(c.Owner)
		if err != nil {
			return err
		}
		if x.isSelf(owner) || v.Rights(x.actor, c.Owner).Has(store.RightRead) || !v.RightsOn(x.actor, c).Has(store.RightRead) {
			continue
		}
		if err := x.one(v, home, owner, c, fn); err != nil {
			return err
		}
	}
	return nil
}

// eachOwned lists the calendars of one owner as members of the home.
func (x *exchange) eachOwned(v *store.View, home *resource, owner *store.Principal, fn func(*resource) error) error {
	all, err := v.Collections(owner.ID)
	if err != nil {
		return err
	}
	for _, c := range all {
		if err := x.one(v, home, owner, c, fn); err != nil {
			return err
		}
	}
	return nil
}

// one calls fn for a calendar as a member of the home.
func (x *exchange) one(v *store.View, home *resource, owner *store.Principal, c *store.Collection, fn func(*resource) error) error {
	state, err := v.State(c.ID)
	if err != nil {
		return err
	}
	m := &resource{
		kind: kindCalendar, owner: owner, rights: v.RightsOn(x.actor, c).Full(), coll: c, state: state,
		shared: owner.ID != home.owner.ID,
	}
	name := c.Name
	if m.shared {
		name = sharedName(owner, c)
	}
	m.href = home.href + dav.Segment(name) + "/"
	return fn(m)
}
