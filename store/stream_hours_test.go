package store

import (
	"strings"
	"testing"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// Programs read a series that begins over a clock change, or ends at a time that
// the clock shows twice, in different ways: its later instances were an hour off.
func TestHoursFeedHasOpeningsOverClockChangesAsEventsOfTheirOwn(t *testing.T) {
	for _, c := range []struct{ name, zone, first, opens, closes, want string }{
		{"a whole day", "Europe/Berlin", "2027-10-31", "00:00", "24:00", "20271030T220000Z-20271031T230000Z; 20271107T000000-20271108T000000 FREQ=WEEKLY;UNTIL=20271113T230000Z"},
		{"until an hour that comes twice", "Asia/Beirut", "2027-10-30", "09:00", "23:30", "20271030T060000Z-20271030T203000Z; 20271106T090000-20271106T233000 FREQ=WEEKLY;UNTIL=20271113T070000Z"},
		{"until a midnight that there is not", "Asia/Beirut", "2027-03-27", "17:00", "24:00", "20270403T170000-20270404T000000 FREQ=WEEKLY;UNTIL=20270410T140000Z; 20270327T150000Z-20270327T220000Z"},
		{"no change", "Asia/Kathmandu", "2027-03-27", "17:00", "24:00", "20270327T170000-20270328T000000 FREQ=WEEKLY;UNTIL=20270410T111500Z"},
	} {
		zone := ical.LookupZone(c.zone)
		var open []span.Span
		day, _ := time.Parse(time.DateOnly, c.first)
		for range 3 {
			at := func(clock string) time.Time {
				d, _ := time.ParseDuration(strings.Replace(clock, ":", "h", 1) + "m")
				return zone.Instant(day.Add(d))
			}
			open = append(open, span.Span{Start: at(c.opens), End: at(c.closes)})
			day = day.AddDate(0, 0, 7)
		}
		var got []string
		uids := map[string]bool{}
		for _, s := range weekly(open, zone) {
			o, err := ical.ParseResource(s.event("p", zone, day), ical.Limits{})
			if err != nil {
				t.Fatal(c.name, err)
			}
			e := o.Master()
			one := e.Text("DTSTART") + "-" + e.Text("DTEND")
			if e.Line("RRULE") != nil {
				one += " " + e.Text("RRULE")
			}
			got, uids[o.UID()] = append(got, one), true
		}
		if s := strings.Join(got, "; "); s != c.want || len(uids) != len(got) {
			t.Errorf("%s:\n%s\nwant\n%s\n%v", c.name, s, c.want, uids)
		}
	}
}
