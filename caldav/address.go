package caldav

import (
	"strings"

	"daybook/caldav/dav"
)

// kind is what an address names; also a set of such.
type kind uint8

const (
	kindRoot       kind = 1 << iota // /dav/, and the bare origin
	kindPrincipals                  // the collection of principals
	kindHomes                       // the collection of calendar homes
	kindPrincipal
	kindHome
	kindCalendar
	kindObject
)

const (
	anywhere    = kindRoot | kindPrincipals | kindHomes | kindPrincipal | kindHome | kindCalendar | kindObject
	collections = anywhere &^ kindObject
	containers  = kindRoot | kindPrincipals | kindHomes
)

// address is a path taken apart.
type address struct {
	kind     kind
	owner    string // name of the principal
	calendar string
	object   string
	deeper   bool   // the path goes on below where anything could be
	href     string // percent-encoded as the client wrote it; collections end in a slash
}

// parse reads a percent-encoded path as the client sees it or as it came
// through a proxy. A path outside of the server gives errNotFound.
func (x *exchange) parse(escaped string) (address, error) {
	inner := escaped
	if x.outside != "" {
		if cut, ok := strings.CutPrefix(escaped, x.outside+"/"); ok {
			inner = "/" + cut
		}
	}
	segments, dir, err := dav.SplitPath(inner)
	if err != nil {
		return address{}, errNotFound
	}
	a := address{href: x.outside + inner}
	prefix := strings.Split(strings.Trim(x.srv.Prefix, "/"), "/")
	switch n := len(segments); {
	case n == 0:
		a.kind = kindRoot
	case n == 1 && segments[0] == "principals" && prefix[0] != "principals":
		a.kind = kindPrincipals
	case n < len(prefix):
		return a, errNotFound
	default:
		for i, p := range prefix {
			if segments[i] != p {
				return a, errNotFound
			}
		}
		if !a.below(segments[len(prefix):]) {
			return a, errNotFound
		}
	}
	if !dir && a.kind != kindObject {
		a.href += "/"
	}
	return a, nil
}

// below reads the segments after the prefix.
func (a *address) below(s []string) bool {
	if len(s) == 0 {
		a.kind = kindRoot
		return true
	}
	switch s[0] {
	case "principals":
		switch len(s) {
		case 1:
			a.kind = kindPrincipals
		case 2:
			a.kind, a.owner = kindPrincipal, s[1]
		default:
			return false
		}
		return true
	case "calendars":
		a.kind = kindHomes
		if len(s) > 1 {
			a.kind, a.owner = kindHome, s[1]
		}
		if len(s) > 2 {
			a.kind, a.calendar = kindCalendar, s[2]
		}
		if len(s) > 3 {
			a.kind, a.object = kindObject, s[3]
		}
		a.deeper = len(s) > 4
		return true
	}
	return false
}

// sibling takes the address of another object of the same calendar apart, which
// most addresses of one request are; false for any other.
func (a address) sibling(href string) (address, bool) {
	i := strings.LastIndexByte(href, '/')
	if a.kind != kindObject || a.deeper || i < 0 || i != strings.LastIndexByte(a.href, '/') || href[:i] != a.href[:i] {
		return a, false
	}
	if strings.ContainsAny(href[i:], "?# ") {
		return a, false
	}
	segments, dir, err := dav.SplitPath(href[i:])
	if err != nil || dir || len(segments) != 1 {
		return a, false
	}
	a.object, a.href = segments[0], href
	return a, true
}

// parent gives the address of the collection around an object or calendar.
func (a address) parent() address {
	cut := strings.TrimSuffix(a.href, "/")
	a.href = cut[:strings.LastIndexByte(cut, '/')+1]
	switch a.kind {
	case kindObject:
		a.kind, a.object = kindCalendar, ""
	case kindCalendar:
		a.kind, a.calendar = kindHome, ""
	case kindHome, kindPrincipal:
		a.kind, a.owner = kindRoot, ""
	case kindRoot, kindPrincipals, kindHomes:
	}
	return a
}

func (x *exchange) principalHref(name string) string {
	return x.base() + "principals/" + dav.Segment(name) + "/"
}

func (x *exchange) homeHref(name string) string {
	return x.base() + "calendars/" + dav.Segment(name) + "/"
}
