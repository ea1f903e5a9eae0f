package caldav

import (
	"encoding/xml"
	"errors"
	"net/http"
	"slices"
	"strings"

	"daybook/caldav/dav"
	"daybook/store"
)

// searchable are the properties by which principals are found.
var searchable = []struct{ name, text string }{
	{"<D:displayname/>", "Name"},
	{"<C:calendar-user-address-set/>", "Calendar address"},
	{"<CS:email-address-set/>", "Email address"},
}

// maxMatches bounds the members of a calendar in one principal-match.
const maxMatches = 10_000

// depthZero refuses a depth other than 0 (RFC 3744 §9).
func (x *exchange) depthZero() error {
	if d, err := dav.ParseDepth(x.r.Header, dav.Depth0); err != nil || d != dav.Depth0 {
		return errBadRequest
	}
	return nil
}

// principalsAnswer writes the responses that fn gives in one View.
func (x *exchange) principalsAnswer(fn func(v *store.View, r *resource, add func(*plan, *resource) error) error) error {
	a := x.newAnswer(dav.MultistatusStart)
	defer a.release()
	err := x.view(func(v *store.View) error {
		r, err := x.readable(v)
		if err != nil {
			return err
		}
		return fn(v, r, func(p *plan, m *resource) (err error) {
			a.b, err = x.response(a.b, p, m)
			return err
		})
	})
	if err != nil {
		return err
	}
	return a.finish(dav.MultistatusEnd)
}

// oneProp reads the only D:prop of a report.
func (x *exchange) oneProp(root *dav.Element) (*plan, error) {
	if err := x.depthZero(); err != nil {
		return nil, err
	}
	if root.Count(dav.D("prop")) != 1 {
		return nil, errBadRequest
	}
	return x.plan(root)
}

// searchProperties answers D:principal-search-property-set (RFC 3744 §9.5).
func (x *exchange) searchProperties(root *dav.Element) error {
	if err := x.depthZero(); err != nil {
		return err
	}
	if len(root.Children) > 0 {
		return errBadRequest
	}
	b := []byte(dav.Declaration + "<D:principal-search-property-set" + dav.Namespaces + ">")
	for _, s := range searchable {
		b = append(append(append(b, "<D:principal-search-property><D:prop>"...), s.name...), "</D:prop>"...)
		b = append(append(append(b, `<D:description xml:lang="en">`...), s.text...), "</D:description></D:principal-search-property>"...)
	}
	return x.send(http.StatusOK, dav.ContentType, append(b, "</D:principal-search-property-set>\n"...))
}

// criterion is one D:property-search.
type criterion struct {
	names []xml.Name
	match string
	how   string // contains, equals, starts-with, ends-with
}

func (c *criterion) holds(value string) bool {
	value = strings.ToLower(value)
	switch c.how {
	case "equals":
		return value == c.match
	case "starts-with":
		return strings.HasPrefix(value, c.match)
	case "ends-with":
		return strings.HasSuffix(value, c.match)
	}
	return strings.Contains(value, c.match)
}

// principalSearch answers D:principal-property-search (RFC 3744 §9.4). Without
// a D:property-search it lists all that the actor may see, and where D:prop is
// empty it gives the name and the home: a widely used client asks so.
func (x *exchange) principalSearch(root *dav.Element) error {
	p, err := x.oneProp(root)
	if err != nil {
		return err
	}
	if len(p.asks) == 0 {
		x.ask(p, dav.D("displayname"))
		x.ask(p, dav.C("calendar-home-set"))
	}
	var list []criterion
	for _, el := range root.Children {
		if !el.Is(dav.D("property-search")) {
			continue
		}
		c, err := readCriterion(el)
		if err != nil {
			return err
		}
		if list = append(list, c); len(list) > maxFilterChildren {
			return errBadRequest
		}
	}
	limit, err := readLimit(root)
	if err != nil {
		return err
	}
	all := root.Plain("test") != "anyof"
	return x.principalsAnswer(func(v *store.View, _ *resource, add func(*plan, *resource) error) error {
		given := 0
		return x.eachPrincipal(v, &resource{kind: kindPrincipals}, func(m *resource) error {
			if limit > 0 && given >= limit || !x.found(m, list, all) {
				return nil
			}
			given++
			return add(p, m)
		})
	})
}

func readCriterion(el *dav.Element) (criterion, error) {
	prop, match := el.Child(dav.D("prop")), el.Child(dav.D("match"))
	if prop == nil || match == nil || len(prop.Children) == 0 || len(prop.Children) > maxFilterChildren || el.Count(dav.D("prop")) > 1 || el.Count(dav.D("match")) > 1 {
		return criterion{}, errBadRequest
	}
	c := criterion{match: strings.ToLower(match.Trimmed()), how: match.Plain("match-type")}
	for _, p := range prop.Children {
		c.names = append(c.names, p.Name)
	}
	return c, nil
}

// found reports whether a principal meets the criteria: all of them, or one.
func (x *exchange) found(m *resource, list []criterion, all bool) bool {
	for i := range list {
		ok := true
		for _, name := range list[i].names {
			ok = ok && slices.ContainsFunc(x.searchValues(m.owner, name), list[i].holds)
		}
		if ok != all {
			return ok
		}
	}
	return all || len(list) == 0
}

func (x *exchange) searchValues(p *store.Principal, name xml.Name) []string {
	switch name {
	case dav.D("displayname"):
		return []string{displayName(&resource{kind: kindPrincipal, owner: p})}
	case dav.C("calendar-user-address-set"):
		return x.addresses(p)
	case dav.CS("email-address-set"):
		if p.Email != "" {
			return []string{p.Email}
		}
	}
	return nil
}

// principalMatch answers D:principal-match (RFC 3744 §9.3): with D:self the
// actor's principal and groups, with D:principal-property the calendars or
// objects whose property names the actor.
func (x *exchange) principalMatch(root *dav.Element) error {
	if err := x.depthZero(); err != nil {
		return err
	}
	self, by := root.Child(dav.D("self")), root.Child(dav.D("principal-property"))
	if (self == nil) == (by == nil) || root.Count(dav.D("prop")) > 1 {
		return errBadRequest
	}
	if by != nil && len(by.Children) != 1 {
		return errBadRequest
	}
	p, err := x.prop(root)
	if err != nil {
		return err
	}
	return x.principalsAnswer(func(v *store.View, r *resource, add func(*plan, *resource) error) error {
		me := x.actor.Principal
		if me == nil {
			return nil
		}
		if self != nil {
			return x.matchSelf(r, me, p, add)
		}
		if !by.Children[0].Is(dav.D("owner")) {
			return nil
		}
		if r.kind == kindCalendar {
			return x.matchOwned(v, r, me, p, add)
		}
		return x.eachMember(v, r, func(m *resource) error {
			if m.owner == nil || m.owner.ID != me.ID {
				return nil
			}
			if err := add(p, m); err != nil || m.kind != kindCalendar {
				return err
			}
			return x.matchOwned(v, m, me, p, add)
		})
	})
}

// matchOwned gives the members of a calendar that is one's own; all of them,
// or none when they are too many for one answer.
func (x *exchange) matchOwned(v *store.View, r *resource, me *store.Principal, p *plan, add func(*plan, *resource) error) error {
	if r.owner.ID != me.ID {
		return nil
	}
	if r.state.Members > maxMatches {
		return errMatches
	}
	m := r.newMember()
	var inner error
	err := v.EachMember(r.coll.ID, "", func(row store.Member) bool {
		m.member = row
		inner = add(p, m)
		return inner == nil
	})
	return errors.Join(err, inner)
}

func (x *exchange) matchSelf(r *resource, me *store.Principal, p *plan, add func(*plan, *resource) error) error {
	if r.kind&(kindRoot|kindPrincipals) == 0 && (r.kind != kindPrincipal || r.owner.ID != me.ID) {
		return nil
	}
	if err := add(p, x.principalResource(me)); err != nil {
		return err
	}
	in, err := x.groups(me)
	if err != nil {
		return err
	}
	for _, g := range in {
		if m := x.principalResource(g); x.visible(x.v, m) {
			if err := add(p, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *exchange) principalResource(p *store.Principal) *resource {
	return &resource{
		kind: kindPrincipal, href: x.principalHref(p.Name), owner: p,
		rights: x.v.Rights(x.actor, p.ID).Full(),
	}
}

// aclPrincipals answers D:acl-principal-prop-set (RFC 3744 §9.2).
func (x *exchange) aclPrincipals(root *dav.Element) error {
	p, err := x.oneProp(root)
	if err != nil {
		return err
	}
	return x.principalsAnswer(func(_ *store.View, r *resource, add func(*plan, *resource) error) error {
		list, err := x.aces(r)
		if err != nil {
			return err
		}
		var seen []store.PrincipalID
		for _, e := range list {
			if slices.Contains(seen, e.who.ID) {
				continue
			}
			seen = append(seen, e.who.ID)
			if err := add(p, x.principalResource(e.who)); err != nil {
				return err
			}
		}
		return nil
	})
}
