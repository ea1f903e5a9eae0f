package caldav

import (
	"daybook/caldav/dav"
)

// calendarserver is the older sign of change that some clients know alone
// (calendarserver.org caldav-ctag). It is the sync-token, so both move with
// every write and neither without one.
func calendarserver() module {
	return module{props: []property{
		{name: dav.CS("getctag"), on: kindCalendar, get: getCTag},
		{name: dav.CS("email-address-set"), on: kindPrincipal, get: getEmails},
	}}
}

func getCTag(x *exchange, r *resource, b []byte) ([]byte, error) {
	return append(b, x.v.Token(r.coll.ID, r.state).String()...), nil
}

func getEmails(_ *exchange, r *resource, b []byte) ([]byte, error) {
	if r.owner.Email == "" {
		return b, errAbsent
	}
	b = append(b, "<CS:email-address>"...)
	return append(dav.AppendText(b, r.owner.Email), "</CS:email-address>"...), nil
}
