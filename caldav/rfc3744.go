package caldav

import (
	"slices"
	"strings"

	"daybook/caldav/dav"
	"daybook/store"
)

// rfc3744 is access control: the properties of §4 and §5, and the reports of
// §9.
func rfc3744() module {
	below := kindPrincipal | kindHome | kindCalendar | kindObject
	return module{
		features: []string{"access-control"},
		props: []property{
			{name: dav.D("owner"), on: below, get: getOwner},
			{name: dav.D("principal-URL"), on: kindPrincipal, get: getPrincipalURL},
			{name: dav.D("alternate-URI-set"), on: kindPrincipal, get: constant("")},
			{name: dav.D("group-member-set"), on: kindPrincipal, get: getGroupMembers},
			{name: dav.D("group-membership"), on: kindPrincipal, get: getGroupMembership},
			{name: dav.D("principal-collection-set"), on: anywhere, get: getPrincipalCollections},
			{name: dav.D("current-user-privilege-set"), on: anywhere, get: getPrivileges},
			{name: dav.D("supported-privilege-set"), on: anywhere, get: constant(supportedPrivileges)},
			{name: dav.D("acl"), on: kindHome | kindCalendar | kindObject, get: getACL},
			{name: dav.D("acl-restrictions"), on: kindHome | kindCalendar | kindObject, get: constant("<D:grant-only/><D:no-invert/>")},
			{name: dav.D("inherited-acl-set"), on: kindHome | kindCalendar | kindObject, get: getInherited},
		},
		reports: []report{
			{name: dav.D("acl-principal-prop-set"), on: kindHome | kindCalendar | kindObject, run: (*exchange).aclPrincipals},
			{name: dav.D("principal-match"), on: collections, run: (*exchange).principalMatch},
			{name: dav.D("principal-property-search"), on: containers, run: (*exchange).principalSearch},
			{name: dav.D("principal-search-property-set"), on: containers, run: (*exchange).searchProperties},
		},
	}
}

// rfc5397 is current-user-principal.
func rfc5397() module {
	return module{props: []property{{name: dav.D("current-user-principal"), on: anywhere, get: getCurrentUser}}}
}

func getCurrentUser(x *exchange, _ *resource, b []byte) ([]byte, error) {
	if x.actor.Principal == nil {
		return append(b, "<D:unauthenticated/>"...), nil
	}
	return dav.AppendHref(b, x.principalHref(x.actor.Principal.Name)), nil
}

func getOwner(x *exchange, r *resource, b []byte) ([]byte, error) {
	return dav.AppendHref(b, x.principalHref(r.owner.Name)), nil
}

func getPrincipalURL(x *exchange, r *resource, b []byte) ([]byte, error) { return getOwner(x, r, b) }

func getPrincipalCollections(x *exchange, _ *resource, b []byte) ([]byte, error) {
	return dav.AppendHref(b, x.base()+"principals/"), nil
}

// getGroupMembers is empty for what is no group, and lists only members that
// the actor may see.
func getGroupMembers(x *exchange, r *resource, b []byte) ([]byte, error) {
	for _, id := range r.owner.Members {
		p, err := x.v.PrincipalByUUID(id)
		if err != nil {
			continue // a member that was removed is no member
		}
		if m := (&resource{owner: p, rights: x.v.Rights(x.actor, p.ID)}); x.visible(x.v, m) {
			b = dav.AppendHref(b, x.principalHref(p.Name))
		}
	}
	return b, nil
}

// groups gives the groups that a principal is in.
func (x *exchange) groups(p *store.Principal) ([]*store.Principal, error) {
	all, err := x.v.Principals(p.Org, store.KindGroup)
	if err != nil {
		return nil, err
	}
	var in []*store.Principal
	for _, g := range all {
		if slices.Contains(g.Members, p.UUID) {
			in = append(in, g)
		}
	}
	return in, nil
}

func getGroupMembership(x *exchange, r *resource, b []byte) ([]byte, error) {
	in, err := x.groups(r.owner)
	for _, g := range in {
		b = dav.AppendHref(b, x.principalHref(g.Name))
	}
	return b, err
}

// supportedPrivileges is the tree of privileges (RFC 3744 §5.3, RFC 4791
// §6.1.1). The abstract ones are not granted by themselves, only as parts of
// those around them; see grantable.
var supportedPrivileges = supported("D:all", "Any operation",
	supported("D:read", "Read",
		supported("C:read-free-busy", "Read busy time"),
		abstract("D:read-current-user-privilege-set", "Read own privileges")),
	supported("D:write", "Write",
		abstract("D:write-properties", "Write properties"),
		abstract("D:write-content", "Write content"),
		abstract("D:bind", "Add members"),
		supported("D:unbind", "Remove members")),
	abstract("D:read-acl", "Read access control"),
	abstract("D:write-acl", "Write access control"))

func supported(name, description string, parts ...string) string {
	return "<D:supported-privilege><D:privilege><" + name + `/></D:privilege><D:description xml:lang="en">` + description +
		"</D:description>" + strings.Join(parts, "") + "</D:supported-privilege>"
}

func abstract(name, description string) string {
	return strings.Replace(supported(name, description), "<D:description ", "<D:abstract/><D:description ", 1)
}

// privileges appends what a set of rights means, each in <D:privilege>. In the
// home of a resource no calendar can be added or removed.
func privileges(b []byte, r store.Rights, fixedHome bool) []byte {
	one := func(names ...string) {
		for _, n := range names {
			b = append(append(append(b, "<D:privilege><"...), n...), "/></D:privilege>"...)
		}
	}
	if r.Has(store.RightAdmin) && !fixedHome {
		one("D:all")
	}
	if r.Has(store.RightRead) {
		one("D:read", "D:read-current-user-privilege-set")
	}
	if r.Has(store.RightFreeBusy) {
		one("C:read-free-busy")
	}
	switch {
	case r.Has(store.RightWrite) && !fixedHome:
		one("D:write", "D:write-properties", "D:write-content", "D:bind", "D:unbind")
	case r.Has(store.RightWrite):
		one("D:write-properties")
	case r.Has(store.RightDelete) && !fixedHome:
		one("D:unbind")
	}
	if r.Has(store.RightAdmin) {
		one("D:read-acl", "D:write-acl")
	}
	return b
}

func getPrivileges(x *exchange, r *resource, b []byte) ([]byte, error) {
	if r.kind&containers != 0 || r.kind == kindPrincipal {
		return privileges(b, store.RightRead, true), nil
	}
	if r.kind == kindObject && x.v.Origin(r.member.Object).Remote != 0 && r.rights.Has(store.RightRead) {
		return privileges(b, store.RightRead, false), nil // a remote keeps it; see store.Origin
	}
	return privileges(b, r.rights, r.kind == kindHome && single(r.owner)), nil
}
