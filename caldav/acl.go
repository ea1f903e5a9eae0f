package caldav

import (
	"encoding/xml"
	"net/http"
	"slices"

	"daybook/caldav/dav"
	"daybook/store"
)

// Access control (RFC 3744). A grant is kept with a principal and reaches all of
// its calendars, or with one calendar of a user. So there is one access control
// list for each home, and one for each of a user's calendars, which inherits the
// home's; that of a resource's only calendar is the home's. Objects inherit their
// calendar's. What a list of grants to principals cannot say is refused with the
// precondition that tells so.

// maxACEs bounds an access control list.
const maxACEs = 1000

// grantable are the privileges that a grant can say, and those that are only
// parts of one, with the right that includes them.
var grantable = []struct {
	name     xml.Name
	right    store.Rights
	abstract bool
}{
	{dav.D("all"), store.RightAdmin, false},
	{dav.D("write"), store.RightWrite, false},
	{dav.D("read"), store.RightRead, false},
	{dav.D("unbind"), store.RightDelete, false},
	{dav.C("read-free-busy"), store.RightFreeBusy, false},
	{dav.D("read-current-user-privilege-set"), store.RightRead, true},
	{dav.D("write-properties"), store.RightWrite, true},
	{dav.D("write-content"), store.RightWrite, true},
	{dav.D("bind"), store.RightWrite, true},
	{dav.D("read-acl"), store.RightAdmin, true},
	{dav.D("write-acl"), store.RightAdmin, true},
}

// ace is one entry of an access control list.
type ace struct {
	who       *store.Principal
	rights    store.Rights
	protected bool
	inherited string // address that the entry is set at; "" here
}

// inheritsHome reports whether a resource inherits the list of its home.
func (r *resource) inheritsHome() bool {
	return r.kind == kindObject || r.kind == kindCalendar && !single(r.owner)
}

// ownList reports whether there is a list for the resource's calendar alone.
func (r *resource) ownList() bool {
	return r.kind&(kindCalendar|kindObject) != 0 && !single(r.owner)
}

func (x *exchange) calendarHref(r *resource) string {
	return x.homeHref(r.owner.Name) + dav.Segment(r.coll.Name) + "/"
}

// grants gives the grants that are set on the resource, and not inherited.
func (r *resource) grants(v *store.View) ([]store.GrantTo, error) {
	if r.ownList() {
		return v.GrantsOnCollection(r.coll)
	}
	return v.GrantsOn(r.owner.ID)
}

// aces gives who may do what: the owner, the grants on the calendar and on all of
// the owner's, and for a resource those on its organisation. Readable by the owner and administrators.
func (x *exchange) aces(r *resource) ([]ace, error) {
	if !r.rights.Has(store.RightAdmin) {
		return nil, store.ErrForbidden
	}
	home := ""
	if r.inheritsHome() {
		home = x.homeHref(r.owner.Name)
	}
	out := []ace{{who: r.owner, rights: store.RightAdmin, protected: true, inherited: home}}
	add := func(grants []store.GrantTo, err error, from string) error {
		for _, g := range grants {
			if who, err := x.v.Principal(g.Subject); err == nil {
				out = append(out, ace{who: who, rights: g.Rights, inherited: from})
			}
		}
		return err
	}
	if r.ownList() {
		from := ""
		if r.kind == kindObject {
			from = x.calendarHref(r)
		}
		grants, err := x.v.GrantsOnCollection(r.coll)
		if err := add(grants, err, from); err != nil {
			return nil, err
		}
	}
	grants, err := x.v.GrantsOn(r.owner.ID)
	if err := add(grants, err, home); err != nil || !r.owner.Kind.Resource() {
		return out, err
	}
	org, err := x.v.Principal(r.owner.Org)
	if err != nil {
		return nil, err
	}
	grants, err = x.v.GrantsOn(org.ID)
	return out, add(grants, err, x.homeHref(org.Name))
}

// getACL appends the list (RFC 3744 §5.5), in the privileges that ACL takes.
func getACL(x *exchange, r *resource, b []byte) ([]byte, error) {
	list, err := x.aces(r)
	if err != nil {
		return b, err
	}
	for _, e := range list {
		b = dav.AppendHref(append(b, "<D:ace><D:principal>"...), x.principalHref(e.who.Name))
		b = append(b, "</D:principal><D:grant>"...)
		left := e.rights.Full()
		for _, g := range grantable {
			if !g.abstract && left.Has(g.right) {
				left &^= g.right.Full()
				b = append(append(append(b, "<D:privilege>"...), dav.MakeTags(g.name).Empty...), "</D:privilege>"...)
			}
		}
		b = append(b, "</D:grant>"...)
		if e.protected {
			b = append(b, "<D:protected/>"...)
		}
		if e.inherited != "" {
			b = dav.AppendHref(append(b, "<D:inherited>"...), e.inherited)
			b = append(b, "</D:inherited>"...)
		}
		b = append(b, "</D:ace>"...)
	}
	return b, nil
}

// getInherited appends where entries are inherited from (RFC 3744 §5.7).
func getInherited(x *exchange, r *resource, b []byte) ([]byte, error) {
	if r.inheritsHome() {
		b = dav.AppendHref(b, x.homeHref(r.owner.Name))
	}
	if r.kind == kindObject && r.ownList() {
		b = dav.AppendHref(b, x.calendarHref(r))
	}
	if !r.owner.Kind.Resource() {
		return b, nil
	}
	org, err := x.v.Principal(r.owner.Org)
	if err != nil {
		return b, err
	}
	return dav.AppendHref(b, x.homeHref(org.Name)), nil
}

// acl answers ACL (RFC 3744 §8.1): the grants on the target become exactly those
// of the request. Entries that are protected or inherited stay as they are, so
// a list that was read can be sent back.
func (x *exchange) acl() error {
	root, err := x.readXML()
	if err != nil {
		return err
	}
	err = x.update(func(tx *store.Tx) error {
		r, err := x.resolve(&tx.View, x.target)
		if err != nil {
			return err
		}
		if !r.rights.Has(store.RightAdmin) {
			return x.needs(x.target.href, "write-acl")
		}
		if err := x.preconditions(tx, r, cond(x.r.Header)); err != nil {
			return err
		}
		if err := rootIs(root, dav.D("acl")); err != nil {
			return err
		}
		wanted, err := x.readACL(&tx.View, r, root)
		if err != nil {
			return err
		}
		return x.grant(tx, r, wanted)
	})
	if err != nil {
		return err
	}
	return x.empty(http.StatusOK)
}

// grant makes the grants that are set on the resource those that are wanted.
func (x *exchange) grant(tx *store.Tx, r *resource, wanted map[store.PrincipalID]store.Rights) error {
	have, err := r.grants(&tx.View)
	if err != nil {
		return err
	}
	for _, g := range have {
		switch rights, kept := wanted[g.Subject]; {
		case !kept:
			wanted[g.Subject] = 0
		case rights.Full() == g.Rights.Full():
			delete(wanted, g.Subject)
		}
	}
	for who, rights := range wanted {
		if r.ownList() {
			err = tx.SetGrantOn(who, r.coll.ID, rights)
		} else {
			err = tx.SetGrant(who, r.owner.ID, rights)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readACL reads the entries of the request that say something new.
func (x *exchange) readACL(v *store.View, r *resource, root *dav.Element) (map[store.PrincipalID]store.Rights, error) {
	if len(root.Children) > maxACEs {
		return nil, errManyACEs
	}
	wanted := make(map[store.PrincipalID]store.Rights)
	for _, el := range root.Children {
		if !el.Is(dav.D("ace")) {
			return nil, errBadRequest
		}
		switch {
		case el.Child(dav.D("protected")) != nil:
			continue
		case el.Child(dav.D("inherited")) != nil:
			continue
		case el.Child(dav.D("deny")) != nil:
			return nil, errGrantOnly
		case el.Child(dav.D("invert")) != nil:
			return nil, errInvert
		}
		rights, err := readPrivileges(el.Child(dav.D("grant")))
		if err != nil {
			return nil, err
		}
		who, err := x.readSubject(v, r, el.Child(dav.D("principal")))
		if err != nil {
			return nil, err
		}
		if who.ID != r.owner.ID { // the owner has all rights, whatever is granted
			wanted[who.ID] |= rights
		}
	}
	return wanted, nil
}

// readSubject finds whom an entry is about: a user of the organisation, or
// whoever has a grant already.
func (x *exchange) readSubject(v *store.View, r *resource, el *dav.Element) (*store.Principal, error) {
	if el == nil || len(el.Children) != 1 {
		return nil, errBadRequest
	}
	c := el.Children[0]
	if !c.Is(dav.D("href")) {
		return nil, errNotAllowed // all, authenticated, self, a property: a grant has one name
	}
	path, err := dav.PathOf(c.Trimmed())
	if err != nil {
		return nil, errNotRecognize
	}
	a, err := x.parse(path)
	if err != nil || a.kind != kindPrincipal {
		return nil, errNotRecognize
	}
	p, err := v.PrincipalByName(a.owner)
	if err != nil || p.Org != x.actor.Org {
		return nil, errNotRecognize
	}
	if p.Kind == store.KindUser || p.ID == r.owner.ID {
		return p, nil
	}
	grants, err := r.grants(v)
	if err == nil && !slices.ContainsFunc(grants, func(g store.GrantTo) bool { return g.Subject == p.ID }) {
		err = errNotAllowed
	}
	return p, err
}

// readPrivileges gives the rights that stand for a set of privileges.
func readPrivileges(grant *dav.Element) (store.Rights, error) {
	if grant == nil || len(grant.Children) == 0 {
		return 0, errBadRequest
	}
	var rights, parts store.Rights
	for _, p := range grant.Children {
		if !p.Is(dav.D("privilege")) || len(p.Children) != 1 {
			return 0, errBadRequest
		}
		known := false
		for _, g := range grantable {
			if g.name != p.Children[0].Name {
				continue
			}
			if known = true; g.abstract {
				parts |= g.right
			} else {
				rights |= g.right
			}
		}
		if !known {
			return 0, errNoPrivilege
		}
	}
	if !rights.Has(parts) {
		return 0, errAbstract
	}
	return rights, nil
}
