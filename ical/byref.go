package ical

import "strings"

// Time zones by reference (RFC 7809): objects are exchanged without the
// VTIMEZONEs that everybody knows.

// CheckZones checks that each TZID names a zone: one that is known, or one
// that the object defines. Values that need no zone are passed over, and X-
// properties, whose parameters are their own. The error is an *InvalidError with the rule ValidTimezone (RFC 7809 §3.1.1).
func (o *Object) CheckZones() error {
	own := make(map[string]bool)
	for _, c := range o.root.Children {
		if l := c.Line("TZID"); c.Name == "VTIMEZONE" && l != nil {
			own[l.Value], own[l.Text()] = true, true
		}
	}
	var check func(c *Component) error
	check = func(c *Component) error {
		for i := range c.Lines {
			l := &c.Lines[i]
			if l.params == "" || strings.HasPrefix(l.Name, "X-") {
				continue
			}
			tzid, ok := l.LookupParam("TZID")
			if !ok || strings.HasSuffix(l.Value, "Z") || !strings.Contains(l.Value, "T") {
				continue
			}
			if !own[tzid] && LookupZone(tzid) == nil {
				return invalid(ValidTimezone, l.no, "RFC 7809 §3.1.1", "%s has a TZID that is neither known nor defined", l.Name)
			}
		}
		for _, k := range c.Children {
			if err := check(k); err != nil {
				return err
			}
		}
		return nil
	}
	for _, c := range o.main {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

// ByReference gives Data without the VTIMEZONEs of zones that are known by
// their names (RFC 7809 §3.1.3). When there is none it is Data itself.
func (o *Object) ByReference() []byte {
	var out []byte
	at := 0
	for _, c := range o.root.Children {
		if c.Name != "VTIMEZONE" || LookupZone(c.Text("TZID")) == nil {
			continue
		}
		out = append(out, o.data[at:c.start]...)
		at = c.end
	}
	if at == 0 {
		return o.data
	}
	return append(out, o.data[at:]...)
}
