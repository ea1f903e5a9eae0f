package caldav

import (
	"daybook/caldav/dav"
)

// rfc5995 is POST to add a member: the address that takes it is the calendar's
// own.
func rfc5995() module {
	return module{props: []property{{name: dav.D("add-member"), on: kindCalendar, get: getAddMember}}}
}

func getAddMember(_ *exchange, r *resource, b []byte) ([]byte, error) {
	return dav.AppendHref(b, r.href), nil
}
