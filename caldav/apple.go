package caldav

import (
	"daybook/caldav/dav"
)

// apple is what Apple's clients brought and everybody uses. The colour is kept
// as it was sent, attributes and all; until one is set it is the principal's.
// The order, the default alarms and their friends are dead properties like any
// other.
func apple() module {
	return module{props: []property{
		{name: dav.Apple("calendar-color"), on: kindCalendar, dead: true, get: getColor, set: keepDead},
	}}
}

func getColor(_ *exchange, r *resource, b []byte) ([]byte, error) {
	if !single(r.owner) || r.owner.Color == "" {
		return b, errAbsent
	}
	b = dav.AppendText(b, r.owner.Color)
	if len(r.owner.Color) == len("#RRGGBB") {
		b = append(b, "FF"...)
	}
	return b, nil
}
