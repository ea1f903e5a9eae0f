package caldav

import (
	"errors"

	"daybook/caldav/dav"
	"daybook/store"
)

// batch is the number of members that one View lists.
const batch = 1024

// propfind answers PROPFIND (RFC 4918 §9.1) of depth 0 and 1.
func (x *exchange) propfind() error {
	depth, err := dav.ParseDepth(x.r.Header, dav.DepthInfinity)
	if err != nil {
		return err
	}
	root, err := x.readXML()
	if err != nil {
		return err
	}
	p := &plan{all: true}
	if root == nil {
		x.askAll(p, nil)
	} else {
		if err := rootIs(root, dav.D("propfind")); err != nil {
			return err
		}
		if p, err = x.plan(root); err != nil {
			return err
		}
	}
	a := x.newAnswer(dav.MultistatusStart)
	defer a.release()
	r, err := x.listFirst(a, p, depth)
	if err != nil {
		return err
	}
	if depth == dav.Depth1 && r.kind == kindCalendar {
		if err := x.listMembers(a, p, r); err != nil {
			return err
		}
	}
	return a.finish(dav.MultistatusEnd)
}

// listFirst answers for the target and, unless it is a calendar, for its
// members.
func (x *exchange) listFirst(a *answer, p *plan, depth dav.Depth) (r *resource, err error) {
	err = x.view(func(v *store.View) error {
		if r, err = x.resolve(v, x.target); err != nil {
			return err
		}
		if err = x.require(r, store.RightRead); err != nil {
			return err
		}
		if depth == dav.DepthInfinity && r.kind&(kindObject|kindPrincipal) == 0 {
			return errFiniteDepth
		}
		add := func(m *resource) (err error) {
			a.b, err = x.response(a.b, p, m)
			return err
		}
		if depth != dav.Depth1 || !x.prefer.NoRoot {
			if err := add(r); err != nil {
				return err
			}
		}
		if depth != dav.Depth1 {
			return nil
		}
		return x.eachMember(v, r, add)
	})
	if x.prefer.NoRoot && depth == dav.Depth1 {
		x.w.Header().Add("Preference-Applied", "depth-noroot")
	}
	return r, err
}

// listMembers answers for the members of a calendar, batch by batch, each from
// a View of its own, so that no client is waited for inside and a large
// calendar needs little memory.
func (x *exchange) listMembers(a *answer, p *plan, r *resource) error {
	m := r.newMember()
	for more := true; more; {
		n := 0
		err := x.view(func(v *store.View) error {
			var inner error
			err := v.EachMember(r.coll.ID, m.member.Name, func(row store.Member) bool {
				m.member = row
				a.b, inner = x.response(a.b, p, m)
				n++
				return inner == nil && n < batch
			})
			return errors.Join(err, inner)
		})
		if err != nil {
			return err
		}
		if more = n == batch; more {
			if err := a.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}
