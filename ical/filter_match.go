package ical

import (
	"errors"
	"strings"
)

// Match reports whether the object matches the filter (RFC 4791 §9.7): every
// condition of a comp-filter is met by one and the same component of its name.
// Conditions on time are met by any instance that this component describes.
// zone places floating times and dates (nil: UTC). The error is a *LimitError
// when no match was found in the work that an object may cost.
func (f *Filter) Match(o *Object, zone *Zone) (bool, error) {
	if f.IsNotDefined || !strings.EqualFold(f.Name, o.root.Name) {
		return false, nil
	}
	m := matcher{o: o, zone: zone}
	if m.zone == nil {
		m.zone = UTCZone
	}
	for i := range f.Props {
		if !m.prop(&f.Props[i], o.root) {
			return false, nil
		}
	}
	for i := range f.Comps {
		ok, err := m.main(&f.Comps[i])
		if !ok {
			return false, err
		}
	}
	return true, nil
}

// matcher matches one object.
type matcher struct {
	o    *Object
	zone *Zone // not nil
}

// main matches a component directly in VCALENDAR. Conditions that look at one
// component alone come first; those on time narrow down what is left.
func (m *matcher) main(f *Filter) (bool, error) {
	var left []*Component
	for _, c := range m.o.root.Children {
		if !strings.EqualFold(c.Name, f.Name) {
			continue
		}
		if f.IsNotDefined {
			return false, nil
		}
		if m.plain(f, c) {
			left = append(left, c)
		}
	}
	if f.IsNotDefined {
		return true, nil
	}
	timed := m.timed(f)
	var limit error
	for i, t := range timed {
		if len(left) == 0 {
			break
		}
		var err error
		if left, err = m.narrow(left, t, i == len(timed)-1); err != nil {
			if stopped := (*LimitError)(nil); !errors.As(err, &stopped) {
				return false, err
			}
			limit = err
		}
	}
	if len(left) > 0 {
		return true, nil
	}
	return false, limit
}

// plain checks the conditions of f on c that need no instances.
func (m *matcher) plain(f *Filter, c *Component) bool {
	for i := range f.Props {
		p := &f.Props[i]
		if !byInstance(p, c.Name) && !m.prop(p, c) {
			return false
		}
	}
	for i := range f.Comps {
		if f.Comps[i].TimeRange == nil && !m.child(&f.Comps[i], c) {
			return false
		}
	}
	return true
}

// child matches a component inside c, without its time-range.
func (m *matcher) child(f *Filter, c *Component) bool {
	for _, d := range c.Children {
		if !strings.EqualFold(d.Name, f.Name) {
			continue
		}
		if f.IsNotDefined {
			return false
		}
		if m.plain(f, d) {
			return true
		}
	}
	return f.IsNotDefined
}

// prop matches the lines of one name (RFC 4791 §9.7.2). Values of a list
// (CATEGORIES) are matched one by one, and many lines of it are one list, so
// that a negated match means that none of them has the text.
func (m *matcher) prop(p *PropFilter, c *Component) bool {
	name := strings.ToUpper(p.Name)
	list := name == "CATEGORIES" || name == "RESOURCES"
	seen, hit := false, false
	for i := range c.Lines {
		l := &c.Lines[i]
		if l.Name != name {
			continue
		}
		if p.IsNotDefined {
			return false
		}
		if !m.params(p.Params, l) || p.TimeRange != nil && !m.lineTime(p, l) {
			continue
		}
		if p.Text == nil {
			return true
		}
		seen = true
		has := p.Text.in(l, list)
		if !list && has != p.Text.Negate {
			return true
		}
		hit = hit || has
	}
	if p.IsNotDefined {
		return true
	}
	return list && seen && hit != p.Text.Negate
}

// in reports whether the text is in the line's value, before negation.
func (t *TextMatch) in(l *Line, list bool) bool {
	if !list {
		return contains(t.Collation, l.Text(), t.Text)
	}
	for _, v := range l.List() {
		if contains(t.Collation, v, t.Text) {
			return true
		}
	}
	return false
}

// params matches all param-filters on one line (RFC 4791 §9.7.3). A negated
// match means that none of the parameter's values has the text.
func (m *matcher) params(filters []ParamFilter, l *Line) bool {
	for i := range filters {
		if !filters[i].match(l) {
			return false
		}
	}
	return true
}

func (q *ParamFilter) match(l *Line) bool {
	found, hit := false, false
	for name, value := range l.Params() {
		if !strings.EqualFold(name, q.Name) {
			continue
		}
		found = true
		hit = hit || q.Text != nil && contains(q.Text.Collation, value, q.Text.Text)
	}
	switch {
	case q.IsNotDefined || !found:
		return q.IsNotDefined != found
	case q.Text == nil:
		return true
	}
	return hit != q.Text.Negate
}
