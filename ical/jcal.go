package ical

import (
	"encoding/json"
	"strconv"
	"strings"
)

// jCal is iCalendar as JSON (RFC 7265). Names are in lower case, VALUE becomes
// the type that stands before the values, and values lose their escapes. What
// cannot be read as its type is carried as the string that it is, so that the
// way to jCal and back loses nothing.

// jcalUnknown is the type of a property without VALUE that no RFC defines
// (RFC 7265 §5); its value is carried as it is written.
const jcalUnknown = "unknown"

// jcalTypes are the types that the values of properties have without VALUE
// (RFC 5545 §3.8, RFC 7953, RFC 7986, RFC 9074).
var jcalTypes = func() map[string]string {
	types := make(map[string]string)
	for kind, names := range map[string]string{
		"date-time": "DTSTART DTEND DUE DTSTAMP COMPLETED CREATED LAST-MODIFIED RECURRENCE-ID EXDATE RDATE ACKNOWLEDGED TZUNTIL",
		"text": "CALSCALE METHOD PRODID VERSION CATEGORIES CLASS COMMENT DESCRIPTION LOCATION RESOURCES STATUS SUMMARY TRANSP TZID TZNAME " +
			"CONTACT RELATED-TO UID ACTION REQUEST-STATUS NAME COLOR BUSYTYPE PROXIMITY LOCATION-TYPE PARTICIPANT-TYPE RESOURCE-TYPE",
		"duration":    "DURATION TRIGGER REFRESH-INTERVAL",
		"integer":     "PERCENT-COMPLETE PRIORITY REPEAT SEQUENCE",
		"uri":         "ATTACH URL TZURL SOURCE IMAGE CONFERENCE TZID-ALIAS-OF",
		"cal-address": "ATTENDEE ORGANIZER CALENDAR-ADDRESS",
		"recur":       "RRULE EXRULE",
		"utc-offset":  "TZOFFSETFROM TZOFFSETTO",
		"period":      "FREEBUSY",
		"float":       "GEO",
	} {
		for name := range strings.FieldsSeq(names) {
			types[name] = kind
		}
	}
	return types
}()

func jcalDefault(name string) string {
	if kind, ok := jcalTypes[name]; ok {
		return kind
	}
	return jcalUnknown
}

// jcalLists reports whether a property takes several values (RFC 5545 §3.8).
func jcalLists(name string) bool {
	switch name {
	case "CATEGORIES", "RESOURCES", "EXDATE", "RDATE", "FREEBUSY":
		return true
	}
	return false
}

// JCal gives the object as jCal (RFC 7265), media type
// application/calendar+json.
func (o *Object) JCal() []byte {
	return append(appendJCal(make([]byte, 0, 2*len(o.data)), o.root), '\n')
}

// AppendJCal appends the component as jCal, without a line break.
func (c *Component) AppendJCal(b []byte) []byte { return appendJCal(b, c) }

func appendJCal(b []byte, c *Component) []byte {
	b = append(appendJSON(append(b, '['), strings.ToLower(c.Name)), ",["...)
	for i := range c.Lines {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJCalLine(b, &c.Lines[i])
	}
	b = append(b, "],["...)
	for i, k := range c.Children {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJCal(b, k)
	}
	return append(b, "]]"...)
}

// appendJCalLine appends [name, parameters, type, value…] (RFC 7265 §3.4).
func appendJCalLine(b []byte, l *Line) []byte {
	kind := strings.ToLower(l.Param("VALUE"))
	if kind == "" || kind == jcalUnknown {
		kind = jcalDefault(l.Name)
	}
	b = append(appendJSON(append(b, '['), strings.ToLower(l.Name)), ',')
	b = append(appendJCalParams(b, l), ',')
	b = appendJSON(b, kind)
	if !jcalLists(l.Name) || kind == jcalUnknown {
		b = appendJCalValue(append(b, ','), l, kind, l.Value)
	} else {
		for part := range eachPart(l.Value, ',') {
			b = appendJCalValue(append(b, ','), l, kind, part)
		}
	}
	return append(b, ']')
}

// appendJCalParams appends the parameters but VALUE; several values of one are
// an array (RFC 7265 §3.5).
func appendJCalParams(b []byte, l *Line) []byte {
	type param struct {
		name   string
		values []string
	}
	var all []param
next:
	for name, value := range l.Params() {
		if name == "VALUE" {
			continue
		}
		for i := range all {
			if all[i].name == name {
				all[i].values = append(all[i].values, value)
				continue next
			}
		}
		all = append(all, param{name, []string{value}})
	}
	b = append(b, '{')
	for i, p := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSON(b, strings.ToLower(p.name)), ':')
		b = appendJSONList(b, p.values)
	}
	return append(b, '}')
}

// eachPart yields what is between separators that are not escaped.
func eachPart(s string, sep byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		from := 0
		for i := 0; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case sep:
				if !yield(s[from:i]) {
					return
				}
				from = i + 1
			}
		}
		yield(s[from:])
	}
}

// appendJCalValue appends one value (RFC 7265 §3.6).
func appendJCalValue(b []byte, l *Line, kind, v string) []byte {
	switch kind {
	case "text":
		if l.Name == "REQUEST-STATUS" {
			var parts []string
			for part := range eachPart(v, ';') {
				parts = append(parts, unescapeText(part))
			}
			return appendJSONList(b, parts)
		}
		return appendJSON(b, unescapeText(v))
	case "date", "date-time", "time", "utc-offset":
		return appendJSON(b, extended(v))
	case "period":
		start, end, ok := strings.Cut(v, "/")
		if !ok {
			return appendJSON(b, v)
		}
		return appendJSONList(b, []string{extended(start), extended(end)})
	case "boolean":
		if strings.EqualFold(v, "TRUE") || strings.EqualFold(v, "FALSE") {
			return append(b, strings.ToLower(v)...)
		}
	case "integer":
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return strconv.AppendInt(b, n, 10)
		}
	case "float":
		return appendJCalFloats(b, v)
	case "recur":
		return appendJCalRule(b, v)
	}
	return appendJSON(b, v)
}

// extended writes a basic ISO 8601 value in the extended form (RFC 7265
// §3.6.3 to §3.6.5, §3.6.11); what is none stays as it is.
func extended(v string) string {
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	clock := func(s string) (string, bool) {
		hms, utc := strings.CutSuffix(s, "Z")
		if len(hms) != 6 || !digits(hms) {
			return s, false
		}
		s = hms[:2] + ":" + hms[2:4] + ":" + hms[4:]
		if utc {
			s += "Z"
		}
		return s, true
	}
	switch {
	case len(v) == 8 && digits(v):
		return v[:4] + "-" + v[4:6] + "-" + v[6:]
	case len(v) > 9 && v[8] == 'T' && digits(v[:8]):
		if c, ok := clock(v[9:]); ok {
			return v[:4] + "-" + v[4:6] + "-" + v[6:8] + "T" + c
		}
	case len(v) >= 5 && (v[0] == '+' || v[0] == '-') && digits(v[1:]):
		switch len(v) {
		case 5:
			return v[:3] + ":" + v[3:]
		case 7:
			return v[:3] + ":" + v[3:5] + ":" + v[5:]
		}
	default:
		if c, ok := clock(v); ok {
			return c
		}
	}
	return v
}

// appendJCalFloats appends a number, or those of GEO in an array (RFC 7265
// §3.4.1.2).
func appendJCalFloats(b []byte, v string) []byte {
	var numbers []string
	for part := range strings.SplitSeq(v, ";") {
		if !json.Valid([]byte(part)) || strings.Trim(part, "-+.0123456789eE") != "" {
			f, err := strconv.ParseFloat(part, 64)
			if err != nil || strings.Trim(part, "-+.0123456789") != "" {
				return appendJSON(b, v)
			}
			part = strconv.FormatFloat(f, 'f', -1, 64)
		}
		numbers = append(numbers, part)
	}
	if len(numbers) == 1 {
		return append(b, numbers[0]...)
	}
	b = append(append(b, '['), strings.Join(numbers, ",")...)
	return append(b, ']')
}

// appendJCalRule appends a recurrence rule as an object (RFC 7265 §3.6.10).
func appendJCalRule(b []byte, v string) []byte {
	start := len(b)
	seen := make(map[string]bool)
	b = append(b, '{')
	for part := range strings.SplitSeq(v, ";") {
		name, value, ok := strings.Cut(part, "=")
		if name = strings.ToLower(name); !ok || !isToken(name) || seen[name] {
			return appendJSON(b[:start], v) // no rule; it is kept all the same
		}
		if len(seen) > 0 {
			b = append(b, ',')
		}
		seen[name] = true
		b = append(appendJSON(b, name), ':')
		values := strings.Split(value, ",")
		if len(values) > 1 {
			b = append(b, '[')
		}
		for i, one := range values {
			if i > 0 {
				b = append(b, ',')
			}
			n, err := strconv.ParseInt(one, 10, 64)
			switch {
			case name == "until":
				b = appendJSON(b, extended(one))
			case err == nil && strconv.FormatInt(n, 10) == one:
				b = append(b, one...)
			default:
				b = appendJSON(b, one)
			}
		}
		if len(values) > 1 {
			b = append(b, ']')
		}
	}
	return append(b, '}')
}

// appendJSONList appends one string, or several as an array.
func appendJSONList(b []byte, values []string) []byte {
	if len(values) == 1 {
		return appendJSON(b, values[0])
	}
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, v)
	}
	return append(b, ']')
}

// appendJSON appends a string of valid UTF-8 (RFC 8259 §7).
func appendJSON(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		default:
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		from = i + 1
	}
	return append(append(b, s[from:]...), '"')
}
