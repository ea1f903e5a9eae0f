package caldav

import (
	"errors"
	"net/http"

	"daybook/caldav/dav"
	"daybook/store"
)

// rfc6578 is collection synchronization.
func rfc6578() module {
	return module{
		props:   []property{{name: dav.D("sync-token"), on: kindCalendar, get: getCTag}},
		reports: []report{{name: dav.D("sync-collection"), on: kindCalendar, run: (*exchange).syncCollection}},
	}
}

// syncRequest is a D:sync-collection (RFC 6578 §3.2).
type syncRequest struct {
	token string
	limit int
	plan  *plan
}

// readSync reads the request. The level may be missing where the depth says
// it, as in drafts of the RFC.
func (x *exchange) readSync(root *dav.Element) (*syncRequest, error) {
	depth, err := dav.ParseDepth(x.r.Header, dav.Depth0)
	if err != nil || depth == dav.DepthInfinity {
		return nil, errBadRequest
	}
	switch level := root.Child(dav.D("sync-level")); {
	case level == nil && depth == dav.Depth1:
	case level == nil:
		return nil, errBadRequest
	case level.Trimmed() != "1" && level.Trimmed() != "infinite":
		return nil, errBadRequest
	}
	s := &syncRequest{token: root.Child(dav.D("sync-token")).Trimmed()}
	if s.limit, err = readLimit(root); err != nil {
		return nil, err
	}
	if err := x.readDataRequest(root); err != nil {
		return nil, err
	}
	s.plan, err = x.prop(root)
	return s, err
}

// syncCollection answers D:sync-collection: the changes since the token, and
// the token to go on from. It costs what the changes cost.
func (x *exchange) syncCollection(root *dav.Element) error {
	s, err := x.readSync(root)
	if err != nil {
		return err
	}
	var r *resource
	var changes []store.Change
	var next store.Token
	var more bool
	a := x.newAnswer(dav.MultistatusStart)
	defer a.release()
	// The first batch is answered by the View that reads the changes, so that
	// most answers need one.
	err = x.view(func(v *store.View) (err error) {
		if r, err = x.readable(v); err != nil {
			return err
		}
		if changes, next, more, err = v.Changes(r.coll.ID, s.token, s.limit); err != nil {
			return err
		}
		changes, err = x.syncSome(v, a, s.plan, r, changes)
		return err
	})
	for err == nil && len(changes) > 0 {
		if err = a.flush(); err != nil {
			break
		}
		err = x.view(func(v *store.View) (err error) {
			changes, err = x.syncSome(v, a, s.plan, r, changes)
			return err
		})
	}
	if err != nil {
		return err
	}
	if more {
		a.statusOnly(x.target.href, http.StatusInsufficientStorage, errMatches)
	}
	a.b = append(a.b, "\n<D:sync-token>"...)
	a.b = append(append(a.b, next.String()...), "</D:sync-token>"...)
	return a.finish(dav.MultistatusEnd)
}

// syncSome answers for the first changes and gives the rest. Every member that
// is there has a propstat, and one that is not a status alone: that is how
// clients tell them apart.
func (x *exchange) syncSome(v *store.View, a *answer, p *plan, r *resource, changes []store.Change) ([]store.Change, error) {
	size := batch
	if p.body {
		size = bodies
	}
	n := min(len(changes), size)
	m := r.newMember()
	for i := range changes[:n] {
		c := &changes[i]
		m.member = c.Member
		if p.body {
			m.member.Object = 0 // read again, so that ETag and data are of one state
		}
		if c.Removed {
			a.b = append(a.b, dav.ResponseStart...)
			a.b = append(m.appendHref(a.b), "</D:href>"...)
			a.b = append(dav.AppendStatus(a.b, http.StatusNotFound), dav.ResponseEnd...)
			continue
		}
		var err error
		if p.body {
			err = x.loadMember(v, m, p, c.Name)
			if errors.Is(err, store.ErrNotFound) {
				continue // removed since the first batch: the next sync tells
			}
			if err != nil {
				return nil, err
			}
		}
		if a.b, err = x.response(a.b, p, m); err != nil {
			return nil, err
		}
	}
	return changes[n:], nil
}
