package ical

import (
	"slices"
	"strings"
)

// maxUID is the longest UID that is taken, in octets. RFC 5545 knows no
// limit; what real programs write has less than 300.
const maxUID = 8 << 10

// CheckResource checks that the object can be a calendar object resource (RFC
// 4791 §4.1) and that the values which the server computes with are
// readable. Errors are *InvalidError.
//
// What harms nobody is let through: a missing VERSION, DTSTAMP or PRODID, an
// end before the start, text with wrong escapes, an unknown TZID, an alarm
// that never fires.
func (o *Object) CheckResource() error {
	for i := range objectRules {
		r := &objectRules[i]
		if line, reason := r.broken(o); reason != "" {
			return &InvalidError{Rule: r.rule, Line: line, Reason: reason, Ref: r.ref}
		}
	}
	for _, c := range o.root.Children {
		if err := c.check(); err != nil {
			return err
		}
		for _, k := range c.Children {
			if err := k.check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// check applies the rules of one component and of its lines.
func (c *Component) check() error {
	for i := range componentRules {
		r := &componentRules[i]
		if !slices.Contains(r.in, c.Name) {
			continue
		}
		if line, reason := r.broken(c); reason != "" {
			return &InvalidError{Rule: r.rule, Line: line, Reason: reason, Ref: r.ref}
		}
	}
	if !isKind(c.Name) && !slices.Contains(checkedChildren, c.Name) {
		return nil
	}
	for i := range c.Lines {
		l := &c.Lines[i]
		for j := range lineRules {
			r := &lineRules[j]
			if !slices.Contains(r.of, l.Name) {
				continue
			}
			if reason := r.broken(l); reason != "" {
				return &InvalidError{Rule: r.rule, Line: l.no, Reason: l.Name + " " + reason, Ref: r.ref}
			}
		}
	}
	return nil
}

// checkedChildren are the components below the main ones whose lines are
// checked. What is in others nobody computes with.
var checkedChildren = []string{"AVAILABLE", "VALARM"}

// objectRule is a rule about the whole object. broken gives the line and the
// reason, "" if the rule is kept.
type objectRule struct {
	name   string
	rule   Rule
	ref    string
	broken func(o *Object) (line int, reason string)
}

var objectRules = []objectRule{
	{"version", SupportedCalendarData, "RFC 5545 §3.7.4", brokenVersion},
	{"calscale", SupportedCalendarData, "RFC 5545 §3.7.1", brokenCalscale},
	{"method", ValidCalendarObjectResource, "RFC 4791 §4.1", brokenMethod},
	{"no component", ValidCalendarObjectResource, "RFC 4791 §4.1", brokenEmpty},
	{"unknown component", SupportedComponent, "RFC 4791 §5.3.2.1", brokenUnknown},
	{"one kind", ValidCalendarObjectResource, "RFC 4791 §4.1", brokenKinds},
	{"has UID", ValidCalendarObjectResource, "RFC 4791 §4.1", brokenNoUID},
	{"one UID", ValidCalendarObjectResource, "RFC 4791 §4.1", brokenUIDs},
	{"short UID", ValidCalendarData, "RFC 5545 §3.8.4.7", brokenLongUID},
	{"one master", ValidCalendarObjectResource, "RFC 4791 §4.1", brokenMasters},
}

func brokenVersion(o *Object) (int, string) {
	l := o.root.Line("VERSION")
	// "1.0;2.0" names the least and the largest version.
	if l == nil || slices.Contains(strings.Split(strings.TrimSpace(l.Value), ";"), "2.0") {
		return 0, ""
	}
	return l.no, "VERSION is not 2.0"
}

func brokenCalscale(o *Object) (int, string) {
	l := o.root.Line("CALSCALE")
	if l == nil || strings.EqualFold(strings.TrimSpace(l.Value), "GREGORIAN") {
		return 0, ""
	}
	return l.no, "CALSCALE is not GREGORIAN"
}

func brokenMethod(o *Object) (int, string) {
	if l := o.root.Line("METHOD"); l != nil {
		return l.no, "a stored object has no METHOD"
	}
	return 0, ""
}

func brokenEmpty(o *Object) (int, string) {
	for _, c := range o.root.Children {
		if c.Name != "VTIMEZONE" {
			return 0, ""
		}
	}
	return 0, "there is no component beside time zones"
}

func brokenUnknown(o *Object) (int, string) {
	if o.kind != "" {
		return 0, ""
	}
	return o.root.Children[0].no, "there is no VEVENT, VTODO, VJOURNAL, VFREEBUSY or VAVAILABILITY"
}

func brokenKinds(o *Object) (int, string) {
	for _, c := range o.root.Children {
		if isKind(c.Name) && c.Name != o.kind {
			return c.no, c.Name + " stands beside " + o.kind
		}
	}
	return 0, ""
}

func brokenNoUID(o *Object) (int, string) {
	for _, c := range o.main {
		if strings.TrimSpace(c.Text("UID")) == "" {
			return c.no, c.Name + " has no UID"
		}
	}
	return 0, ""
}

func brokenUIDs(o *Object) (int, string) {
	for _, c := range o.main {
		for i := range c.Lines {
			if l := &c.Lines[i]; l.Name == "UID" && l.Text() != o.uid {
				return l.no, "there is more than one UID"
			}
		}
	}
	return 0, ""
}

func brokenLongUID(o *Object) (int, string) {
	if len(o.uid) <= maxUID {
		return 0, ""
	}
	return o.main[0].Line("UID").no, "UID is longer than 8 KiB"
}

func brokenMasters(o *Object) (int, string) {
	masters := 0
	for _, c := range o.main {
		if c.Line("RECURRENCE-ID") != nil {
			continue
		}
		if masters++; masters > 1 {
			return c.no, "there is more than one " + c.Name + " without RECURRENCE-ID"
		}
	}
	return 0, ""
}

// componentRule is a rule about the components that it names.
type componentRule struct {
	name   string
	rule   Rule
	ref    string
	in     []string
	broken func(c *Component) (line int, reason string)
}

var (
	timed = []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY", "AVAILABLE"}

	componentRules = []componentRule{
		{"has DTSTART", ValidCalendarData, "RFC 5545 §3.6.1", []string{"VEVENT", "AVAILABLE"}, brokenNoStart},
		{"time once", ValidCalendarData, "RFC 5545 §3.6", timed, brokenRepeated},
		{"start and end agree", ValidCalendarData, "RFC 5545 §3.8.2.2", timed, brokenForms},
		{"zone has TZID", ValidCalendarData, "RFC 5545 §3.6.5", []string{"VTIMEZONE"}, brokenNoTZID},
	}
)

func brokenNoStart(c *Component) (int, string) {
	if c.Line("DTSTART") != nil {
		return 0, ""
	}
	return c.no, c.Name + " has no DTSTART"
}

func brokenNoTZID(c *Component) (int, string) {
	if c.Text("TZID") != "" {
		return 0, ""
	}
	return c.no, "VTIMEZONE has no TZID"
}

func brokenRepeated(c *Component) (int, string) {
	var seen [5]bool
	for i := range c.Lines {
		l := &c.Lines[i]
		j := slices.Index([]string{"DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID"}, l.Name)
		if j < 0 {
			continue
		}
		if seen[j] {
			return l.no, "there is more than one " + l.Name
		}
		seen[j] = true
	}
	return 0, ""
}

// brokenForms refuses the ends whose form does not fit that of DTSTART: both
// are dates, both floating, or both instants (UTC or with TZID).
func brokenForms(c *Component) (int, string) {
	start := c.Line("DTSTART")
	if start == nil {
		return 0, ""
	}
	for _, name := range []string{"DTEND", "DUE"} {
		if end := c.Line(name); end != nil && sharedForm(start) != sharedForm(end) {
			return end.no, name + " is another kind of time than DTSTART"
		}
	}
	return 0, ""
}

// sharedForm is the form of a time as far as DTSTART and DTEND must share it:
// UTC stands for Zoned too.
func sharedForm(l *Line) Form {
	switch v := strings.TrimSpace(l.Value); {
	case len(v) == len("20060102"):
		return Date
	case strings.HasSuffix(v, "Z") || l.Param("TZID") != "":
		return UTC
	}
	return Floating
}
