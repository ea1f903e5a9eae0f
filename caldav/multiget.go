package caldav

import (
	"errors"
	"net/http"
	"strings"

	"daybook/caldav/dav"
	"daybook/store"
)

// bodies is the number of objects that one View loads for an answer.
const bodies = 64

// calendarMultiget answers CALDAV:calendar-multiget (RFC 4791 §7.9): the
// objects at the addresses given, in their order, wherever they are in the
// server. Depth is ignored.
func (x *exchange) calendarMultiget(root *dav.Element) error {
	if err := x.readDataRequest(root); err != nil {
		return err
	}
	p, err := x.prop(root)
	if err != nil {
		return err
	}
	var hrefs []string
	seen := make(map[string]bool) // a multistatus names no address twice (RFC 4918 §13)
	for _, c := range root.Children {
		if !c.Is(dav.D("href")) {
			continue
		}
		if href := c.Trimmed(); !seen[href] {
			seen[href] = true
			hrefs = append(hrefs, href)
		}
	}
	if len(hrefs) == 0 {
		return errBadRequest
	}
	a := x.newAnswer(dav.MultistatusStart)
	defer a.release()
	for len(hrefs) > 0 {
		n := min(len(hrefs), bodies)
		err := x.view(func(v *store.View) error { return x.multigetSome(v, a, p, hrefs[:n]) })
		if err != nil {
			return err
		}
		if hrefs = hrefs[n:]; len(hrefs) > 0 {
			if err := a.flush(); err != nil {
				return err
			}
		}
	}
	return a.finish(dav.MultistatusEnd)
}

// multigetSome answers for some addresses from one snapshot. Addresses in one
// calendar are resolved once.
func (x *exchange) multigetSome(v *store.View, a *answer, p *plan, hrefs []string) error {
	var last address
	var m *resource
	for _, href := range hrefs {
		at, near := last.sibling(href)
		var err error
		if !near {
			at, err = x.hrefAddress(href)
		}
		switch {
		case err != nil:
		case m == nil || at.deeper || at.owner != last.owner || at.calendar != last.calendar:
			m, err = x.memberOf(v, at)
			last = at
		}
		if err == nil {
			err = x.loadMember(v, m, p, at.object)
		}
		if err != nil {
			code := x.davError(err).Status
			if code >= http.StatusInternalServerError {
				return err
			}
			a.statusOnly(href, code, nil)
			continue
		}
		m.href = at.href
		if a.b, err = x.response(a.b, p, m); err != nil {
			return err
		}
	}
	return nil
}

// hrefAddress takes the address of an object apart. The answer carries the
// address as the client wrote it, without scheme and host.
func (x *exchange) hrefAddress(href string) (address, error) {
	path, err := dav.PathOf(href)
	if err != nil {
		return address{}, errNotFound
	}
	if !strings.HasPrefix(path, "/") {
		return address{}, errNotFound
	}
	return x.parse(path)
}

// memberOf gives a resource to load members of the address's calendar into;
// nil with an error when there is none to read.
func (x *exchange) memberOf(v *store.View, at address) (*resource, error) {
	if at.kind != kindObject {
		return nil, errNotFound
	}
	r, err := x.resolve(v, at)
	if r == nil || err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if !r.rights.Has(store.RightRead) {
		return nil, errForbidden
	}
	return r, nil
}

// loadMember fills m with the member of that name, and its data if the plan
// needs it.
func (x *exchange) loadMember(v *store.View, m *resource, p *plan, name string) (err error) {
	if m == nil {
		return errNotFound
	}
	if m.member.Name != name || m.member.Object == 0 {
		if m.member, err = v.Member(m.coll.ID, name); err != nil {
			return err
		}
	}
	return m.load(v, p.body)
}

// load reads the object's data into the buffer of the object before, or
// empties it.
func (r *resource) load(v *store.View, wanted bool) (err error) {
	r.body = r.body[:0]
	if wanted {
		r.body, err = v.AppendData(r.body, r.member.Object)
	}
	return err
}
