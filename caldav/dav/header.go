package dav

import (
	"errors"
	"net/http"
	"strings"
)

// Depth is the value of a Depth header (RFC 4918 §10.2).
type Depth uint8

// The depths.
const (
	Depth0 Depth = iota
	Depth1
	DepthInfinity
)

// ErrHeader tells that a header has a value outside of its grammar; status
// 400.
var ErrHeader = errors.New("bad header")

// ParseDepth reads Depth; missing is the value for a request without it.
func ParseDepth(h http.Header, missing Depth) (Depth, error) {
	switch v := strings.TrimSpace(h.Get("Depth")); {
	case v == "":
		return missing, nil
	case v == "0":
		return Depth0, nil
	case v == "1":
		return Depth1, nil
	case strings.EqualFold(v, "infinity"):
		return DepthInfinity, nil
	}
	return 0, ErrHeader
}

// ParseOverwrite reads Overwrite (RFC 4918 §10.6), true when it is missing.
func ParseOverwrite(h http.Header) (bool, error) {
	switch strings.TrimSpace(h.Get("Overwrite")) {
	case "", "T", "t":
		return true, nil
	case "F", "f":
		return false, nil
	}
	return false, ErrHeader
}

// Prefer is what a client asks for by Prefer (RFC 7240, RFC 8144) or Brief.
type Prefer struct {
	Minimal        bool // return=minimal, Brief: t
	Representation bool // return=representation
	NoRoot         bool // depth-noroot
}

// ParsePrefer reads the preferences; unknown ones are ignored, and of two
// contrary ones the first counts.
func ParsePrefer(h http.Header) Prefer {
	var p Prefer
	for _, line := range h["Prefer"] {
		for part := range strings.SplitSeq(line, ",") {
			part, _, _ = strings.Cut(part, ";")
			name, value, _ := strings.Cut(part, "=")
			value = strings.Trim(strings.TrimSpace(value), `"`)
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "depth-noroot":
				p.NoRoot = true
			case "return":
				p.Minimal = p.Minimal || !p.Representation && strings.EqualFold(value, "minimal")
				p.Representation = p.Representation || !p.Minimal && strings.EqualFold(value, "representation")
			}
		}
	}
	if b := h.Get("Brief"); !p.Representation && strings.EqualFold(strings.TrimSpace(b), "t") {
		p.Minimal = true
	}
	return p
}

// ETags is the value of If-Match or If-None-Match (RFC 9110 §13.1).
type ETags struct {
	Given bool     // the header is there
	Any   bool     // *
	Tags  []string // opaque parts without quotes
	Weak  []bool   // beside Tags
}

// ParseETags reads all lines of a header. What is no entity tag matches
// nothing: a header of only such things is Given with no Tags.
func ParseETags(lines []string) ETags {
	var e ETags
	for _, line := range lines {
		e.Given = true
		rest := strings.TrimSpace(line)
		for rest != "" {
			rest = strings.TrimLeft(rest, " \t,")
			if strings.HasPrefix(rest, "*") {
				e.Any, rest = true, rest[1:]
				continue
			}
			tag, weak, after, ok := cutETag(rest)
			if ok {
				e.Tags, e.Weak = append(e.Tags, tag), append(e.Weak, weak)
			} else if _, after, ok = strings.Cut(rest, ","); !ok {
				break
			}
			rest = after
		}
	}
	return e
}

// cutETag takes a quoted entity tag off the front of s.
func cutETag(s string) (tag string, weak bool, rest string, ok bool) {
	if weak = strings.HasPrefix(s, "W/"); weak {
		s = s[2:]
	}
	if !strings.HasPrefix(s, `"`) {
		return "", false, "", false
	}
	tag, rest, ok = strings.Cut(s[1:], `"`)
	return tag, weak, rest, ok
}

// IfList is one list of an If header (RFC 4918 §10.4): it holds when all of
// its conditions do.
type IfList struct {
	Resource   string // the tag before the list; "" is the target of the request
	Conditions []IfCondition
}

// IfCondition is one condition: a state token, or an entity tag.
type IfCondition struct {
	Not   bool
	Token string // URI of a state token
	ETag  string // opaque part without quotes; "" with a Token
	Weak  bool
}

// ParseIf reads an If header. No lists and no error: there is no header. At
// most 64 conditions are taken.
func ParseIf(h http.Header) ([]IfList, error) {
	rest := strings.TrimSpace(strings.Join(h["If"], " "))
	var lists []IfList
	var tag string
	total := 0
	for rest != "" {
		switch rest[0] {
		case '<':
			uri, after, ok := strings.Cut(rest[1:], ">")
			if !ok || uri == "" {
				return nil, ErrHeader
			}
			tag, rest = uri, after
		case '(':
			conds, after, err := ifList(rest[1:])
			if total += len(conds); err != nil || total > 64 {
				return nil, ErrHeader
			}
			lists, rest = append(lists, IfList{tag, conds}), after
		default:
			return nil, ErrHeader
		}
		rest = strings.TrimLeft(rest, " \t")
	}
	if len(lists) == 0 && tag != "" {
		return nil, ErrHeader
	}
	return lists, nil
}

// ifList reads the conditions of one list and what follows its parenthesis.
func ifList(s string) (conds []IfCondition, rest string, err error) {
	for {
		s = strings.TrimLeft(s, " \t")
		if strings.HasPrefix(s, ")") && len(conds) > 0 {
			return conds, s[1:], nil
		}
		var c IfCondition
		if len(s) > 3 && strings.EqualFold(s[:3], "not") {
			c.Not, s = true, strings.TrimLeft(s[3:], " \t")
		}
		ok := false
		switch {
		case strings.HasPrefix(s, "<"):
			c.Token, s, ok = strings.Cut(s[1:], ">")
		case strings.HasPrefix(s, "["):
			if c.ETag, c.Weak, s, ok = cutETag(s[1:]); ok {
				s, ok = strings.CutPrefix(s, "]")
			}
		}
		if !ok {
			return nil, "", ErrHeader
		}
		if conds = append(conds, c); len(conds) > 64 {
			return nil, "", ErrHeader
		}
	}
}

// EvalIf reports whether an If header lets the request through: whether one
// of its lists holds. match tells whether the resource (as in IfList) is in
// the state that the condition names, Not left aside.
func EvalIf(lists []IfList, match func(resource string, c IfCondition) bool) bool {
	if len(lists) == 0 {
		return true
	}
lists:
	for _, l := range lists {
		for _, c := range l.Conditions {
			if match(l.Resource, c) == c.Not {
				continue lists
			}
		}
		return true
	}
	return false
}
