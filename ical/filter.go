package ical

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"daybook/ical/span"
)

// Filter is a comp-filter tree (RFC 4791 §9.7.1), the child of CALDAV:filter.
// Names are compared without regard to case. Check it before Match.
type Filter struct {
	Name         string
	IsNotDefined bool
	TimeRange    *span.Span // zero times are open
	Props        []PropFilter
	Comps        []Filter
}

// PropFilter is RFC 4791 §9.7.2.
type PropFilter struct {
	Name         string
	IsNotDefined bool
	TimeRange    *span.Span // zero times are open
	Text         *TextMatch
	Params       []ParamFilter
}

// ParamFilter is RFC 4791 §9.7.3.
type ParamFilter struct {
	Name         string
	IsNotDefined bool
	Text         *TextMatch
}

// TextMatch is RFC 4791 §9.7.5: a substring match by a collation of RFC 4790.
type TextMatch struct {
	Text      string
	Collation string // "" is i;ascii-casemap
	Negate    bool
}

// FilterError tells which precondition of RFC 4791 §7.8 a filter breaks. Rule
// is valid-filter, supported-filter or supported-collation.
type FilterError struct{ Rule, Reason string }

func (e *FilterError) Error() string { return e.Rule + ": " + e.Reason }

// The rules that a filter can break, and the bounds of one filter: of its
// elements, and of those that expand a recurrence set.
const (
	ruleValidFilter        = "valid-filter"
	ruleSupportedFilter    = "supported-filter"
	ruleSupportedCollation = "supported-collation"

	maxFilterNodes = 500
	maxFilterTimes = 16
)

// componentParents names where each known component may stand (RFC 5545 §3.6,
// RFC 7953 §3.1). Components that are not in it may stand anywhere.
var componentParents = map[string][]string{
	"VCALENDAR":     {""},
	"VEVENT":        {"VCALENDAR"},
	"VTODO":         {"VCALENDAR"},
	"VJOURNAL":      {"VCALENDAR"},
	"VFREEBUSY":     {"VCALENDAR"},
	"VTIMEZONE":     {"VCALENDAR"},
	"VAVAILABILITY": {"VCALENDAR"},
	"VALARM":        {"VEVENT", "VTODO"},
	"STANDARD":      {"VTIMEZONE"},
	"DAYLIGHT":      {"VTIMEZONE"},
	"AVAILABLE":     {"VAVAILABILITY"},
}

// timedComponent reports whether RFC 4791 §9.9 or RFC 7953 §7.2 defines what a
// time-range means for the component.
func timedComponent(name string) bool {
	return isKind(name) || name == "VALARM"
}

// timedProperty reports whether a time-range means something for the property:
// those of RFC 4791 §9.9, and the other single dates of RFC 5545 and RFC 9074.
func timedProperty(name string) bool {
	switch name {
	case "COMPLETED", "CREATED", "DTEND", "DTSTAMP", "DTSTART", "DUE", "LAST-MODIFIED", "RECURRENCE-ID", "ACKNOWLEDGED":
		return true
	}
	return false
}

// Check checks the tree (RFC 4791 §7.8.1, §9.7): the top is VCALENDAR, known
// components stand where they can, is-not-defined stands alone, a time-range
// has a bound and means something where it is, collations are known. It gives a
// *FilterError.
func (f *Filter) Check() error {
	if !strings.EqualFold(f.Name, "VCALENDAR") {
		return invalidFilter("the top component of a filter is VCALENDAR")
	}
	c := filterCheck{}
	return c.comp(f, "")
}

// filterCheck counts what a filter asks for while it is walked.
type filterCheck struct{ nodes, times int }

func invalidFilter(format string, args ...any) error {
	return &FilterError{Rule: ruleValidFilter, Reason: fmt.Sprintf(format, args...)}
}

func (c *filterCheck) node(name string) error {
	if c.nodes++; c.nodes > maxFilterNodes {
		return &FilterError{Rule: ruleSupportedFilter, Reason: fmt.Sprintf("more than %d conditions", maxFilterNodes)}
	}
	if name == "" {
		return invalidFilter("a condition has no name")
	}
	return nil
}

func (c *filterCheck) comp(f *Filter, parent string) error {
	if err := c.node(f.Name); err != nil {
		return err
	}
	name := strings.ToUpper(f.Name)
	if parents, known := componentParents[name]; known && !slices.Contains(parents, parent) {
		return invalidFilter("%s does not stand in %s", name, parent)
	}
	if f.IsNotDefined && (f.TimeRange != nil || len(f.Props) > 0 || len(f.Comps) > 0) {
		return invalidFilter("is-not-defined of %s stands beside other conditions", name)
	}
	if f.TimeRange != nil {
		if !timedComponent(name) {
			return invalidFilter("a time-range means nothing for %s", name)
		}
		if err := c.timeRange(f.TimeRange); err != nil {
			return err
		}
	}
	for i := range f.Props {
		if err := c.prop(&f.Props[i]); err != nil {
			return err
		}
	}
	for i := range f.Comps {
		if err := c.comp(&f.Comps[i], name); err != nil {
			return err
		}
	}
	return nil
}

func (c *filterCheck) timeRange(r *span.Span) error {
	if c.times++; c.times > maxFilterTimes {
		return &FilterError{Rule: ruleSupportedFilter, Reason: fmt.Sprintf("more than %d time-ranges", maxFilterTimes)}
	}
	if r.Start.IsZero() && r.End.IsZero() {
		return invalidFilter("a time-range has neither start nor end")
	}
	if !r.Start.IsZero() && !r.End.IsZero() && !r.Start.Before(r.End) {
		return invalidFilter("a time-range ends before it starts")
	}
	return nil
}

func (c *filterCheck) prop(p *PropFilter) error {
	if err := c.node(p.Name); err != nil {
		return err
	}
	if p.IsNotDefined && (p.TimeRange != nil || p.Text != nil || len(p.Params) > 0) {
		return invalidFilter("is-not-defined of %s stands beside other conditions", p.Name)
	}
	if p.TimeRange != nil {
		if p.Text != nil {
			return invalidFilter("%s has a time-range and a text-match", p.Name)
		}
		if !timedProperty(strings.ToUpper(p.Name)) {
			return invalidFilter("a time-range means nothing for %s", p.Name)
		}
		if err := c.timeRange(p.TimeRange); err != nil {
			return err
		}
	}
	if err := p.Text.check(); err != nil {
		return err
	}
	for i := range p.Params {
		q := &p.Params[i]
		if err := c.node(q.Name); err != nil {
			return err
		}
		if q.IsNotDefined && q.Text != nil {
			return invalidFilter("is-not-defined of %s stands beside other conditions", q.Name)
		}
		if err := q.Text.check(); err != nil {
			return err
		}
	}
	return nil
}

func (t *TextMatch) check() error {
	if t == nil || knownCollation(t.Collation) {
		return nil
	}
	return &FilterError{Rule: ruleSupportedCollation, Reason: fmt.Sprintf("unknown collation %q", t.Collation)}
}

// Hint gives what an index can use: the component that every match has (""
// any), and the window in which every match has an instance or an undated
// component (nil: none). It may be wider than the time-range; a time-range of a
// VALARM or a property gives no window.
func (f *Filter) Hint() (component string, window *span.Span) {
	for i := range f.Comps {
		c := &f.Comps[i]
		name := strings.ToUpper(c.Name)
		if c.IsNotDefined || !isKind(name) {
			continue
		}
		switch {
		case c.TimeRange == nil, name == "VFREEBUSY", name == "VAVAILABILITY":
			// The times of these two are not those of instances.
			return name, nil
		case name == "VTODO":
			w := widen(*c.TimeRange)
			return name, &w
		}
		w := *c.TimeRange
		return name, &w
	}
	return "", nil
}

// widen makes a half-open window that holds what touches w, as the rules for
// VTODO and VFREEBUSY ask (RFC 4791 §9.9: <= where VEVENT has <).
func widen(w span.Span) span.Span {
	if !w.Start.IsZero() {
		w.Start = w.Start.Add(-time.Second)
	}
	if !w.End.IsZero() {
		w.End = w.End.Add(time.Second)
	}
	return w
}

// TimeOnly reports whether the filter is nothing but VCALENDAR > component
// (> time-range), so that an index with exact times decides alone. The rules
// for VTODO, VFREEBUSY and VAVAILABILITY look at more than an instance's time.
func (f *Filter) TimeOnly() bool {
	if f.IsNotDefined || len(f.Props) > 0 || len(f.Comps) > 1 {
		return false
	}
	if len(f.Comps) == 0 {
		return true
	}
	c := &f.Comps[0]
	name := strings.ToUpper(c.Name)
	if c.IsNotDefined || len(c.Props) > 0 || len(c.Comps) > 0 || !isKind(name) {
		return false
	}
	return c.TimeRange == nil || name == "VEVENT" || name == "VJOURNAL"
}
