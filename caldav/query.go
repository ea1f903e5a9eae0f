package caldav

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"daybook/caldav/dav"
	"daybook/ical"
	"daybook/store"
)

// query is a CALDAV:calendar-query under way (RFC 4791 §7.8).
type query struct {
	x      *exchange
	plan   *plan
	filter *ical.Filter
	zone   *ical.Zone // of the request; nil: the calendar's
	limit  int        // 0: none
	given  int
	answer *answer
}

// calendarQuery answers CALDAV:calendar-query.
func (x *exchange) calendarQuery(root *dav.Element) error {
	depth, err := dav.ParseDepth(x.r.Header, dav.Depth0)
	if err != nil {
		return err
	}
	q, err := x.readQuery(root)
	if err != nil {
		return err
	}
	q.answer = x.newAnswer(dav.MultistatusStart)
	defer q.answer.release()
	targets, err := x.queryTargets(depth)
	if err != nil {
		return err
	}
	for _, r := range targets {
		if err := q.collection(r); err != nil {
			return err
		}
	}
	return q.answer.finish(dav.MultistatusEnd)
}

// readQuery reads the request.
func (x *exchange) readQuery(root *dav.Element) (*query, error) {
	if err := x.readDataRequest(root); err != nil {
		return nil, err
	}
	p, err := x.prop(root)
	if err != nil {
		return nil, err
	}
	q := &query{x: x, plan: p}
	if q.zone, err = readZone(root); err != nil {
		return nil, err
	}
	if x.data != nil {
		x.data.selection.Zone = q.zone
	}
	if q.limit, err = readLimit(root); err != nil {
		return nil, err
	}
	filter := root.Child(dav.C("filter"))
	if filter == nil || filter.Count(dav.C("comp-filter")) != 1 {
		return nil, errFilter
	}
	f, err := readFilter(filter.Child(dav.C("comp-filter")), 0)
	if err != nil {
		return nil, err
	}
	q.filter = &f
	return q, q.filter.Check()
}

// readZone reads CALDAV:timezone or timezone-id (RFC 4791 §9.8, RFC 7809 §5.2);
// nil if neither is there.
func readZone(root *dav.Element) (*ical.Zone, error) {
	if el := root.Child(dav.C("timezone")); el != nil {
		z, err := ical.ParseZone(el.Text())
		if err != nil {
			return nil, errCalendarData
		}
		return z, nil
	}
	el := root.Child(dav.C("timezone-id"))
	if el == nil {
		return nil, nil // the calendar's zone is meant
	}
	z := ical.LookupZone(el.Trimmed())
	if z == nil || el.Trimmed() == "" {
		return nil, errTimezone
	}
	return z, nil
}

// readLimit reads D:limit/D:nresults (RFC 5323 §5.17); 0 if it is not there.
func readLimit(root *dav.Element) (int, error) {
	el := root.Child(dav.D("limit"))
	if el == nil {
		el = root.Child(dav.C("limit"))
	}
	if el == nil {
		return 0, nil
	}
	n := el.Child(dav.D("nresults"))
	if n == nil {
		n = el.Child(dav.C("nresults"))
	}
	v, err := strconv.Atoi(n.Trimmed())
	if err != nil || v <= 0 {
		return 0, errBadRequest
	}
	return v, nil
}

// queryTargets gives the calendars that a query looks into, or the one object.
func (x *exchange) queryTargets(depth dav.Depth) (out []*resource, err error) {
	err = x.view(func(v *store.View) error {
		r, err := x.readable(v)
		if err != nil {
			return err
		}
		switch {
		case r.kind == kindObject, r.kind == kindCalendar && depth != dav.Depth0:
			out = append(out, r)
		case r.kind == kindHome && depth == dav.DepthInfinity:
			return x.eachCalendar(v, r, func(m *resource) error {
				out = append(out, m)
				return nil
			})
		}
		return nil
	})
	return out, err
}

// candidate is an object that may match: its place, and whether it does
// without a look at it.
type candidate struct {
	id   store.ObjectID
	name string // "" when only the number is known
	sure bool
}

// collection answers for one calendar: candidates from the indexes first, then
// what has to be looked at, some for each View.
func (q *query) collection(r *resource) error {
	x := q.x
	var list []candidate
	m := r
	if r.kind == kindObject {
		list = []candidate{{id: r.member.Object, name: r.member.Name}}
	} else {
		m = r.newMember()
		err := x.view(func(v *store.View) (err error) {
			list, err = q.candidates(v, r)
			return err
		})
		if err != nil {
			return err
		}
	}
	for len(list) > 0 {
		n := min(len(list), bodies)
		full := false
		err := x.view(func(v *store.View) error {
			for _, c := range list[:n] {
				if err := q.one(v, m, c); errors.Is(err, errLimit) {
					full = true
					return nil
				} else if err != nil && !errors.Is(err, store.ErrNotFound) {
					return err // not found: removed since the candidates were listed
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if full {
			q.answer.statusOnly(x.target.href, http.StatusInsufficientStorage, errMatches)
			return nil
		}
		if list = list[n:]; len(list) > 0 {
			if err := q.answer.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// errLimit ends a query that has given as much as was asked for.
var errLimit = errors.New("limit of the query")

// candidates asks the indexes. A filter of a component and a time alone is
// decided by them.
func (q *query) candidates(v *store.View, r *resource) ([]candidate, error) {
	component, window := q.filter.Hint()
	exact := q.filter.TimeOnly()
	var list []candidate
	if window == nil {
		err := v.EachMember(r.coll.ID, "", func(m store.Member) bool {
			if component == "" || m.Kind == component {
				list = append(list, candidate{m.Object, m.Name, exact})
			}
			return true
		})
		return list, err
	}
	zone := q.zone
	if zone == nil {
		zone = v.CollectionZone(r.coll)
	}
	hits, undated, err := v.Find(r.coll.ID, component, *window, zone)
	if err != nil {
		return nil, err
	}
	list = make([]candidate, 0, len(hits)+len(undated))
	for _, id := range hits {
		list = append(list, candidate{id: id, sure: exact})
	}
	for _, id := range undated {
		if !slices.Contains(hits, id) {
			list = append(list, candidate{id: id})
		}
	}
	return list, nil
}

// one answers for one candidate if it matches.
func (q *query) one(v *store.View, m *resource, c candidate) error {
	if err := q.load(v, m, c); err != nil {
		return err
	}
	if !c.sure {
		o, err := ical.Parse(m.body, q.x.srv.Object)
		if err != nil {
			return nil //nolint:nilerr // what cannot be read matches nothing, and is reported by check
		}
		zone := q.zone
		if zone == nil {
			zone = v.CollectionZone(m.coll)
		}
		if ok, err := q.filter.Match(o, zone); err != nil || !ok {
			return err
		}
	}
	if q.limit > 0 && q.given == q.limit {
		return errLimit
	}
	q.given++
	var err error
	q.answer.b, err = q.x.response(q.answer.b, q.plan, m)
	return err
}

// load fills m with what the candidate's answer needs: the body only when it
// has to be looked at or is asked for.
func (q *query) load(v *store.View, m *resource, c candidate) (err error) {
	if c.name == "" {
		m.member, err = v.MemberOf(m.coll.ID, c.id)
	} else {
		m.member, err = v.Member(m.coll.ID, c.name)
	}
	if err != nil {
		return err
	}
	return m.load(v, q.plan.body || !c.sure)
}
