package trybe

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"daybook/api/rest"
	"daybook/store"
)

// field names the fields of one kind of resources.
type field struct {
	kind           store.Kind
	list, old, new string
}

// places are the three kinds of resources that a blocked time is on.
var places = [3]field{
	{store.KindStaff, "practitioner_ids", "old_practitioner_id", "new_practitioner_id"},
	{store.KindRoom, "room_ids", "old_room_id", "new_room_id"},
	{store.KindArea, "area_ids", "old_area_id", "new_area_id"},
}

// spot is a collection that a block is in, or is to be in.
type spot struct {
	collection store.CollectionID
	owner      *store.Principal
}

// spots is a block's membership, in order.
type spots []spot

// ids gives the ids of one kind.
func (s spots) ids(k store.Kind) []string {
	out := []string{}
	for _, x := range s {
		if x.owner.Kind == k {
			out = append(out, x.owner.UUID.String())
		}
	}
	return out
}

func (s spots) collections() []store.CollectionID {
	out := make([]store.CollectionID, len(s))
	for i, x := range s {
		out[i] = x.collection
	}
	return out
}

// has reports whether one of the three lists has an entry.
func (s spots) has() bool {
	return slices.ContainsFunc(s, func(x spot) bool {
		for _, p := range places {
			if x.owner.Kind == p.kind {
				return true
			}
		}
		return false
	})
}

// as gives them in the order that was stored.
func (s spots) as(stored []store.Binding) spots {
	at := func(x spot) int {
		return slices.IndexFunc(stored, func(b store.Binding) bool { return b.Collection == x.collection })
	}
	out := slices.Clone(s)
	slices.SortStableFunc(out, func(a, b spot) int { return cmp.Compare(at(a), at(b)) })
	return out
}

// index finds a resource by its id.
func (s spots) index(k store.Kind, id string) int {
	return slices.IndexFunc(s, func(x spot) bool { return x.owner.Kind == k && strings.EqualFold(x.owner.UUID.String(), id) })
}

// same reports whether two memberships are the same set.
func (s spots) same(t spots) bool {
	if len(s) != len(t) {
		return false
	}
	a, b := s.collections(), t.collections()
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// resolve finds the resource of a kind at the site. store.ErrNotFound when
// there is none, or it is somebody else's.
func resolve(v *store.View, org store.PrincipalID, k store.Kind, id string) (spot, error) {
	uid, err := parseUUID(id)
	if err != nil {
		return spot{}, store.ErrNotFound
	}
	p, err := v.PrincipalByUUID(uid)
	if err != nil {
		return spot{}, err
	}
	if p.Org != org || p.Kind != k {
		return spot{}, store.ErrNotFound
	}
	c, err := v.Calendar(p.ID)
	if err != nil {
		return spot{}, err
	}
	return spot{c.ID, p}, nil
}

// resolveList finds the resources of a list; unknown ones are one fault of it.
func resolveList(v *store.View, org store.PrincipalID, i int, list ids, f *rest.Faults) (spots, error) {
	var out spots
	for _, id := range list {
		x, err := resolve(v, org, places[i].kind, id)
		if errors.Is(err, store.ErrNotFound) {
			f.Add(places[i].list, "names something that does not exist at the site")
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out.collections(), x.collection) {
			out = append(out, x)
		}
	}
	return out, nil
}

// moved gives the membership that an update asks for. Lists that it does not
// name, and calendars that have no list here, stay; so do those whose fields
// have a fault already.
func (b *updateBody) moved(v *store.View, org store.PrincipalID, have spots, f *rest.Faults) (spots, error) {
	out := slices.Clone(have)
	touched := false
	lists, swaps := b.lists(), b.swaps()
	for i, p := range places {
		if list, ok := lists[i].Get(); ok && !f.Has(p.list) {
			touched = true
			want, err := resolveList(v, org, i, list, f)
			if err != nil {
				return nil, err
			}
			out = slices.DeleteFunc(out, func(x spot) bool { return x.owner.Kind == p.kind })
			out = append(out, want...)
		}
		if swaps[i].present() && !f.Has(p.list) {
			touched = true
			var err error
			if out, err = swaps[i].apply(v, org, i, out, f); err != nil {
				return nil, err
			}
		}
	}
	if touched && !out.has() && !slices.ContainsFunc(places[:], func(p field) bool { return f.Has(p.list) || f.Has(p.old) || f.Has(p.new) }) {
		for i, p := range places {
			if lists[i].Present() {
				f.Add(p.list, "must leave at least one practitioner, room or area")
			}
		}
	}
	return out, nil
}

// apply puts new in the place of old; if it was there already, the two merge.
func (s swap) apply(v *store.View, org store.PrincipalID, i int, in spots, f *rest.Faults) (spots, error) {
	p := places[i]
	from := in.index(p.kind, s.old.Or(""))
	if from < 0 && !f.Has(p.old) {
		f.Add(p.old, "is not one of the block's")
	}
	to, err := resolve(v, org, p.kind, s.new.Or(""))
	if errors.Is(err, store.ErrNotFound) {
		if !f.Has(p.new) {
			f.Add(p.new, "does not exist at the site")
		}
		return in, nil
	}
	if err != nil || from < 0 {
		return in, err
	}
	out := slices.Clone(in)
	out[from] = to
	seen := map[store.CollectionID]bool{}
	return slices.DeleteFunc(out, func(x spot) bool {
		again := seen[x.collection]
		seen[x.collection] = true
		return again
	}), nil
}
