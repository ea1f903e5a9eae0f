package timetap

import (
	"errors"
	"strings"

	"daybook/store"
)

// filter is what a range leaves out. A nil set filters nothing; an empty one
// lets nothing through.
type filter struct {
	noTimeOff, hideEmpty bool

	status   map[string]bool
	services map[string]bool // UUIDs in lower case
	places   []map[store.CollectionID]bool
}

// filter reads the filters of a request. Integers that are nothing the actor
// may read match nothing.
func (d *desk) filter(in *rangeIn) (*filter, error) {
	f := &filter{noTimeOff: !in.TimeOff.Or(true), hideEmpty: in.HideEmpty}
	if len(in.Status) > 0 {
		f.status = map[string]bool{}
		for _, s := range in.Status {
			f.status[sameStatus(strings.TrimSpace(s))] = true
		}
	}
	if len(in.Service) > 0 {
		f.services = map[string]bool{}
		for _, n := range in.Service {
			svc, err := d.v.ServiceByAlias(d.org.ID, n.alias())
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			f.services[svc.UUID.String()] = true
		}
	}
	if len(in.Location) > 0 {
		set := map[store.CollectionID]bool{}
		for _, n := range in.Location {
			p, ok, err := d.byAlias(n, isPlace)
			if err == nil && ok {
				err = d.addPlace(set, p)
			}
			if err != nil {
				return nil, err
			}
		}
		f.places = append(f.places, set)
	}
	if len(in.LocationIn) > 0 {
		set, err := d.groupPlaces(in.LocationIn)
		if err != nil {
			return nil, err
		}
		f.places = append(f.places, set)
	}
	return f, nil
}

// addPlace adds the calendar of a resource that the actor may read.
func (d *desk) addPlace(set map[store.CollectionID]bool, p *store.Principal) error {
	if !d.reads(p) {
		return nil
	}
	c, ok, err := d.calendarOf(p)
	if ok {
		set[c.id] = true
	}
	return err
}

// groupPlaces gives the calendars of all members of the groups.
func (d *desk) groupPlaces(ids []ident) (map[store.CollectionID]bool, error) {
	set := map[store.CollectionID]bool{}
	for _, n := range ids {
		g, ok, err := d.byAlias(n, isGroup)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		for _, id := range g.Members {
			p, err := d.v.PrincipalByUUID(id)
			if errors.Is(err, store.ErrNotFound) || err == nil && !p.Kind.Resource() {
				continue
			}
			if err == nil {
				err = d.addPlace(set, p)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return set, nil
}

// takes reports whether all filters let the event through.
func (f *filter) takes(v *store.View, e *instance, obj *store.Object) (bool, error) {
	kind := e.kind()
	if kind == timeOff && f.noTimeOff || kind == class && f.hideEmpty && len(e.part.attendees) == 0 {
		return false, nil
	}
	if f.status != nil && (kind == appointment || kind == class) && !f.status[sameStatus(e.part.sub)] {
		return false, nil
	}
	if f.services != nil && !f.services[e.part.service] {
		return false, nil
	}
	for _, set := range f.places {
		if ok, err := isAt(v, obj, set); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// isAt reports whether the object's UID is in one of the collections: the
// object itself, or another copy of the event.
func isAt(v *store.View, obj *store.Object, set map[store.CollectionID]bool) (bool, error) {
	for _, b := range obj.Bindings {
		if set[b.Collection] {
			return true, nil
		}
	}
	for c := range set {
		_, err := v.MemberByUID(c, obj.UID)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
	}
	return false, nil
}
