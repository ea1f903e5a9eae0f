package caldav

import (
	"strings"

	"daybook/caldav/dav"
	"daybook/store"
)

// rfc6638 is of scheduling what works without it: the addresses and the type
// of a principal, and whether a calendar counts as busy. The features of
// scheduling are not announced.
func rfc6638() module {
	return module{props: []property{
		{name: dav.C("calendar-user-address-set"), on: kindPrincipal, get: getAddresses},
		{name: dav.C("calendar-user-type"), on: kindPrincipal, get: getUserType},
		{name: dav.C("schedule-calendar-transp"), on: kindCalendar, get: getTransp, set: setTransp},
	}}
}

// addresses gives the calendar user addresses of a principal.
func (x *exchange) addresses(p *store.Principal) []string {
	var out []string
	if p.Email != "" {
		out = append(out, "mailto:"+p.Email)
	}
	return append(out, "urn:uuid:"+p.UUID.String(), x.principalHref(p.Name))
}

func getAddresses(x *exchange, r *resource, b []byte) ([]byte, error) {
	for i, a := range x.addresses(r.owner) {
		if i == 0 && strings.HasPrefix(a, "mailto:") {
			b = append(b, `<D:href preferred="1">`...)
			b = append(dav.AppendText(b, a), "</D:href>"...)
			continue
		}
		b = dav.AppendHref(b, a)
	}
	return b, nil
}

func getUserType(_ *exchange, r *resource, b []byte) ([]byte, error) {
	switch r.owner.Kind {
	case store.KindUser, store.KindStaff:
		return append(b, "INDIVIDUAL"...), nil
	case store.KindGroup, store.KindOrganisation:
		return append(b, "GROUP"...), nil
	case store.KindRoom, store.KindArea:
		return append(b, "ROOM"...), nil
	case store.KindServicePoint, store.KindCalendar:
	}
	return append(b, "RESOURCE"...), nil
}

func getTransp(_ *exchange, r *resource, b []byte) ([]byte, error) {
	if r.coll.Transparent {
		return append(b, "<C:transparent/>"...), nil
	}
	return append(b, "<C:opaque/>"...), nil
}

func setTransp(_ *exchange, d *draft, el *dav.Element) error {
	if d.coll == nil {
		return errProtected
	}
	switch {
	case el == nil || el.Child(dav.C("opaque")) != nil:
		d.coll.Transparent = false
	case el.Child(dav.C("transparent")) != nil:
		d.coll.Transparent = true
	default:
		return errConflict
	}
	return nil
}
