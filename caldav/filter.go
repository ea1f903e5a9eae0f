package caldav

import (
	"strings"

	"daybook/caldav/dav"
	"daybook/ical"
)

// Bounds of a filter: deeper than any component nests, and more conditions
// than any client sends, because each is looked at for every object.
const (
	maxFilterDepth    = 8
	maxFilterChildren = 32
)

// readFilter reads CALDAV:comp-filter (RFC 4791 §9.7.1).
func readFilter(el *dav.Element, depth int) (ical.Filter, error) {
	f := ical.Filter{Name: strings.ToUpper(el.Plain("name"))}
	if f.Name == "" || depth > maxFilterDepth || len(el.Children) > maxFilterChildren {
		return f, errFilter
	}
	for _, c := range el.Children {
		var err error
		switch c.Name {
		case dav.C("is-not-defined"):
			f.IsNotDefined = true
		case dav.C("time-range"):
			f.TimeRange, err = readRange(c, false)
		case dav.C("prop-filter"):
			var p ical.PropFilter
			p, err = readPropFilter(c)
			f.Props = append(f.Props, p)
		case dav.C("comp-filter"):
			var sub ical.Filter
			sub, err = readFilter(c, depth+1)
			f.Comps = append(f.Comps, sub)
		}
		if err != nil {
			return f, err
		}
	}
	if f.IsNotDefined && len(el.Children) > 1 {
		return f, errFilter
	}
	return f, nil
}

// readPropFilter reads CALDAV:prop-filter (§9.7.2).
func readPropFilter(el *dav.Element) (ical.PropFilter, error) {
	f := ical.PropFilter{Name: strings.ToUpper(el.Plain("name"))}
	if f.Name == "" || len(el.Children) > maxFilterChildren {
		return f, errFilter
	}
	for _, c := range el.Children {
		var err error
		switch c.Name {
		case dav.C("is-not-defined"):
			f.IsNotDefined = true
		case dav.C("time-range"):
			f.TimeRange, err = readRange(c, false)
		case dav.C("text-match"):
			f.Text, err = readTextMatch(c)
		case dav.C("param-filter"):
			var p ical.ParamFilter
			p, err = readParamFilter(c)
			f.Params = append(f.Params, p)
		}
		if err != nil {
			return f, err
		}
	}
	if f.IsNotDefined && len(el.Children) > 1 || f.TimeRange != nil && f.Text != nil {
		return f, errFilter
	}
	return f, nil
}

// readParamFilter reads CALDAV:param-filter (§9.7.3).
func readParamFilter(el *dav.Element) (ical.ParamFilter, error) {
	f := ical.ParamFilter{Name: strings.ToUpper(el.Plain("name"))}
	if f.Name == "" {
		return f, errFilter
	}
	for _, c := range el.Children {
		var err error
		switch c.Name {
		case dav.C("is-not-defined"):
			f.IsNotDefined = true
		case dav.C("text-match"):
			f.Text, err = readTextMatch(c)
		}
		if err != nil {
			return f, err
		}
	}
	if f.IsNotDefined && f.Text != nil {
		return f, errFilter
	}
	return f, nil
}

// readTextMatch reads CALDAV:text-match (§9.7.5).
func readTextMatch(el *dav.Element) (*ical.TextMatch, error) {
	m := &ical.TextMatch{Text: el.Text(), Collation: el.Plain("collation")}
	switch el.Plain("negate-condition") {
	case "", "no":
	case "yes":
		m.Negate = true
	default:
		return nil, errFilter
	}
	return m, nil
}
