package ical

import "daybook/ical/span"

// Filter is a comp-filter tree (RFC 4791 §9.7), checked by Check.
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
	TimeRange    *span.Span
	Text         *TextMatch
	Params       []ParamFilter
}

// ParamFilter is RFC 4791 §9.7.3.
type ParamFilter struct {
	Name         string
	IsNotDefined bool
	Text         *TextMatch
}

// TextMatch is RFC 4791 §9.7.5.
type TextMatch struct {
	Text      string
	Collation string // "" is i;ascii-casemap
	Negate    bool
}

// FilterError tells which precondition a filter breaks: valid-filter, supported-filter, supported-collation.
type FilterError struct{ Rule, Reason string }

func (e *FilterError) Error() string { return e.Rule + ": " + e.Reason }

// Check checks the tree (RFC 4791 §7.8.1, §9.7): top is VCALENDAR, time-range only where it means something, collations known.
func (f *Filter) Check() error { panic("stub") }

// Hint gives what an index can use: the component name asked for ("" any), and the window that every match must have an
// instance in (nil: none). A VALARM or property time-range gives no window.
func (f *Filter) Hint() (component string, window *span.Span) { panic("stub") }

// TimeOnly reports whether the filter is nothing but VCALENDAR > component (> time-range), so that an index with exact times decides alone.
func (f *Filter) TimeOnly() bool { panic("stub") }

// Match reports whether the object matches; zone places floating times (nil: UTC).
func (f *Filter) Match(o *Object, zone *Zone) (bool, error) { panic("stub") }

// Selection is what CALDAV:calendar-data asks for (RFC 4791 §9.6).
type Selection struct {
	Comp         *CompSelection // nil: everything
	Expand       *span.Span
	LimitSet     *span.Span // limit-recurrence-set
	LimitFree    *span.Span // limit-freebusy-set
	Zone         *Zone      // places floating times
	MaxInstances int
}

// CompSelection is CALDAV:comp (RFC 4791 §9.6.1); a comp without children means everything below it.
type CompSelection struct {
	Name     string
	AllProps bool
	AllComps bool
	Props    []PropSelection
	Comps    []CompSelection
}

// PropSelection is CALDAV:prop (RFC 4791 §9.6.4).
type PropSelection struct {
	Name    string
	NoValue bool
}

// Whole reports whether the selection changes nothing.
func (s *Selection) Whole() bool {
	return s == nil || s.Comp == nil && s.Expand == nil && s.LimitSet == nil && s.LimitFree == nil
}

// Select gives the bytes of the selected part.
func (o *Object) Select(s *Selection) ([]byte, error) { panic("stub") }
