package caldav

import (
	"strconv"

	"daybook/caldav/dav"
)

// rfc4331 is quota: what a home holds, and what the disk still takes.
func rfc4331() module {
	return module{props: []property{
		{name: dav.D("quota-used-bytes"), on: kindHome | kindCalendar, get: getUsed},
		{name: dav.D("quota-available-bytes"), on: kindHome | kindCalendar, get: getAvailable},
	}}
}

func getUsed(x *exchange, r *resource, b []byte) ([]byte, error) {
	if x.v.Rights(x.actor, r.owner.ID) == 0 {
		return strconv.AppendUint(b, r.state.Bytes, 10), nil // the others are not to be seen
	}
	all, err := x.v.Collections(r.owner.ID)
	if err != nil {
		return b, err
	}
	var sum uint64
	for _, c := range all {
		s, err := x.v.State(c.ID)
		if err != nil {
			return b, err
		}
		sum += s.Bytes
	}
	return strconv.AppendUint(b, sum, 10), nil
}

func getAvailable(x *exchange, _ *resource, b []byte) ([]byte, error) {
	if x.srv.Free == nil {
		return b, errAbsent
	}
	n, ok := x.srv.Free()
	if !ok {
		return b, errAbsent
	}
	return strconv.AppendInt(b, n, 10), nil
}
