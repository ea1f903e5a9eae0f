package caldav

import (
	"encoding/binary"

	"github.com/google/uuid"

	"daybook/caldav/dav"
)

// rfc5842 is of the binding extensions the resource-id (§3.1): it stays over
// edits and MOVE, and differs after COPY.
func rfc5842() module {
	return module{props: []property{
		{name: dav.D("resource-id"), on: kindPrincipal | kindHome | kindCalendar | kindObject, get: getResourceID},
	}}
}

func getResourceID(x *exchange, r *resource, b []byte) ([]byte, error) {
	var id uuid.UUID
	switch r.kind {
	case kindPrincipal:
		id = r.owner.UUID
	case kindHome:
		id = uuid.NewSHA1(r.owner.UUID, []byte("home"))
	case kindCalendar:
		id = r.coll.UUID
	case kindObject:
		// Objects are numbered in the whole file, so the organisation's UUID
		// makes the number unique in the world.
		org, err := x.v.Principal(r.coll.Org)
		if err != nil {
			return b, err
		}
		id = uuid.NewSHA1(org.UUID, binary.BigEndian.AppendUint64([]byte("object"), uint64(r.member.Object)))
	case kindRoot, kindPrincipals, kindHomes:
		return b, errAbsent
	}
	return dav.AppendHref(b, "urn:uuid:"+id.String()), nil
}
