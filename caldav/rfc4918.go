package caldav

import (
	"net/http"
	"strconv"
	"time"

	"daybook/caldav/dav"
	"daybook/store"
)

// rfc4918 is WebDAV: the properties of §15.
func rfc4918() module {
	return module{props: []property{
		{name: dav.D("resourcetype"), on: anywhere, allprop: true, atBirth: true, get: getResourcetype, set: setResourcetype},
		{name: dav.D("displayname"), on: collections, allprop: true, get: getDisplayname, set: setDisplayname},
		{name: dav.D("creationdate"), on: kindPrincipal | kindHome | kindCalendar | kindObject, allprop: true, get: getCreationdate},
		{name: dav.D("getlastmodified"), on: kindCalendar | kindObject, allprop: true, get: getLastmodified},
		{name: dav.D("getetag"), on: kindObject, allprop: true, get: getETag},
		{name: dav.D("getcontenttype"), on: kindObject, allprop: true, get: constant(calendarType)},
		{name: dav.D("getcontentlength"), on: kindCalendar | kindHome | kindObject, allprop: true, get: getLength},
	}}
}

func getResourcetype(_ *exchange, r *resource, b []byte) ([]byte, error) {
	switch r.kind {
	case kindCalendar:
		return append(b, "<D:collection/><C:calendar/>"...), nil
	case kindPrincipal:
		return append(b, "<D:collection/><D:principal/>"...), nil
	case kindRoot, kindPrincipals, kindHomes, kindHome:
		return append(b, "<D:collection/>"...), nil
	case kindObject:
	}
	return b, nil
}

// displayName gives the name that people see.
func displayName(r *resource) string {
	switch {
	case r.kind == kindCalendar && r.coll.DisplayName != "":
		return r.coll.DisplayName
	case r.kind == kindCalendar && !single(r.owner):
		return r.coll.Name
	case r.owner == nil:
		return ""
	case r.owner.DisplayName != "":
		return r.owner.DisplayName
	}
	return r.owner.Name
}

func getDisplayname(_ *exchange, r *resource, b []byte) ([]byte, error) {
	name := displayName(r)
	if name == "" {
		return b, errAbsent
	}
	return dav.AppendText(b, name), nil
}

func setDisplayname(_ *exchange, d *draft, el *dav.Element) error {
	if d.coll == nil {
		return errProtected
	}
	d.coll.DisplayName = el.Trimmed()
	return nil
}

func getCreationdate(x *exchange, r *resource, b []byte) ([]byte, error) {
	when := r.member.Modified
	switch r.kind {
	case kindObject:
		facts, err := x.v.ObjectFacts(r.member.Object)
		if err != nil {
			return b, err
		}
		when = facts.Created
	case kindCalendar:
		when = r.coll.Created
	case kindPrincipal, kindHome:
		when = r.owner.Created
	case kindRoot, kindPrincipals, kindHomes:
	}
	if when.IsZero() {
		return b, errAbsent
	}
	return when.UTC().AppendFormat(b, "2006-01-02T15:04:05Z"), nil
}

// lastModified gives the last change of an object, or of a calendar's members
// or properties.
func (r *resource) lastModified() time.Time {
	switch {
	case r.kind == kindObject:
		return r.member.Modified
	case r.coll == nil:
		return time.Time{}
	case r.state.Modified.After(r.coll.Modified):
		return r.state.Modified
	}
	return r.coll.Modified
}

func getLastmodified(_ *exchange, r *resource, b []byte) ([]byte, error) {
	t := r.lastModified()
	if t.IsZero() {
		return b, errAbsent
	}
	return t.UTC().AppendFormat(b, http.TimeFormat), nil
}

func getETag(_ *exchange, r *resource, b []byte) ([]byte, error) {
	return appendETag(b, r.member.ETag), nil
}

func appendETag(b []byte, e store.ETag) []byte {
	return append(e.Append(append(b, '"')), '"')
}

// getLength is empty on collections: they have the property, but no body of a
// size that is known.
func getLength(_ *exchange, r *resource, b []byte) ([]byte, error) {
	if r.kind != kindObject {
		return b, nil
	}
	return strconv.AppendUint(b, uint64(r.member.Size), 10), nil
}
