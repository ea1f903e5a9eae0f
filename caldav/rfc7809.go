package caldav

import (
	"time"

	"daybook/caldav/dav"
	"daybook/ical"
	"daybook/ical/span"
)

// rfc7809 is time zones by reference: the calendar's own zone, in both of its
// forms, as data (RFC 4791 §5.2.2) and by name, each following the other; see
// form and ical.Object.CheckZones for the rest.
func rfc7809() module {
	return module{features: []string{"calendar-no-timezone"}, props: []property{
		{name: dav.C("calendar-timezone"), on: kindCalendar, get: getTimezone, set: setTimezone},
		{name: dav.C("calendar-timezone-id"), on: kindCalendar, get: getTimezoneID, set: setTimezoneID},
	}}
}

func getTimezone(x *exchange, r *resource, b []byte) ([]byte, error) {
	if r.coll.Timezone != "" {
		return dav.AppendText(b, r.coll.Timezone), nil
	}
	z := ical.LookupZone(r.coll.TimezoneID)
	if r.coll.TimezoneID == "" || z == nil {
		return b, errAbsent
	}
	now := x.srv.Now()
	around := span.Span{Start: now.Add(-10 * 365 * 24 * time.Hour), End: now.Add(10 * 365 * 24 * time.Hour)}
	return dav.AppendText(b, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Daybook//EN\r\n"+z.VTimezone(around)+"END:VCALENDAR\r\n"), nil
}

func setTimezone(_ *exchange, d *draft, el *dav.Element) error {
	if d.coll == nil {
		return errProtected
	}
	if el == nil {
		d.coll.Timezone, d.coll.TimezoneID = "", ""
		return nil
	}
	z, err := ical.ParseZone(el.Text())
	if err != nil {
		return errCalendarData
	}
	d.coll.Timezone, d.coll.TimezoneID = el.Text(), z.Name()
	return nil
}

func getTimezoneID(_ *exchange, r *resource, b []byte) ([]byte, error) {
	if r.coll.TimezoneID == "" {
		return b, errAbsent
	}
	return dav.AppendText(b, r.coll.TimezoneID), nil
}

func setTimezoneID(_ *exchange, d *draft, el *dav.Element) error {
	if d.coll == nil {
		return errProtected
	}
	if el == nil {
		d.coll.Timezone, d.coll.TimezoneID = "", ""
		return nil
	}
	z := ical.LookupZone(el.Trimmed())
	if z == nil || el.Trimmed() == "" {
		return errTimezone
	}
	d.coll.Timezone, d.coll.TimezoneID = "", z.Name()
	return nil
}
