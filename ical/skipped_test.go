package ical

import (
	"testing"
	"time"

	"daybook/ical/span"
)

// In Samoa there was no 30 December 2011: that day and the next began at one
// instant.
func TestDayAfterOneThatWasSkippedHasItsLength(t *testing.T) {
	apia := LookupZone("Pacific/Apia")
	for _, c := range []struct{ text, want string }{
		{
			component("VEVENT", "DTSTART;VALUE=DATE:20111229", "RRULE:FREQ=DAILY;COUNT=4"),
			"20111229T100000+24h0m0s 20111230T100000+24h0m0s 20111231T100000+24h0m0s",
		},
		{
			component("VEVENT", "DTSTART;VALUE=DATE:20111230", "RDATE;VALUE=DATE:20111231", "RRULE:FREQ=WEEKLY;BYDAY=SA;COUNT=1"),
			"20111230T100000+24h0m0s",
		},
		{
			component("VEVENT", "DTSTART;TZID=Pacific/Apia:20111230T090000", "DURATION:P1D", "RRULE:FREQ=DAILY;BYDAY=SA,SU;COUNT=3"),
			"20111230T190000+24h0m0s 20111231T190000+24h0m0s",
		},
	} {
		all, err := mustParse(t, []byte(calendar(c.text))).Instances(Expand{Zone: apia})
		for i := range all {
			all[i].RecurrenceID = time.Time{}
		}
		if got := shown(all); got != c.want || err != nil {
			t.Errorf("%s, want %s: %v\n%s", got, c.want, err, c.text)
		}
	}
}

// 28 March 2027 has no 02:30 in Berlin: an override of it says how far the
// later ones move, and that is counted from 02:30.
func TestThisAndFutureOfASkippedInstanceShiftsByWhatIsWritten(t *testing.T) {
	const berlin = "TZID=Europe/Berlin:"
	o := mustParse(t, []byte(calendar(
		component("VEVENT", "DTSTART;"+berlin+"20270321T023000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=3"),
		component("VEVENT", "RECURRENCE-ID;RANGE=THISANDFUTURE;"+berlin+"20270328T023000", "DTSTART;"+berlin+"20270328T103000", "DURATION:PT1H"),
	)))
	all, err := o.Instances(Expand{})
	if got, want := shown(all), "20270321T013000 20270328T083000<20270328T013000 20270404T083000<20270404T003000"; got != want || err != nil {
		t.Errorf("%s, want %s: %v", got, want, err)
	}
}

// The window's end is on the morning after a second change within a day: what
// was put on the clock before it is not missed.
func TestTwoChangesWithinADayHideNoInstance(t *testing.T) {
	zone := "BEGIN:VTIMEZONE\r\nTZID:odd\r\n" +
		"BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:-0315\r\nTZOFFSETTO:-0315\r\nEND:STANDARD\r\n" +
		"BEGIN:DAYLIGHT\r\nDTSTART:20271003T083000\r\nTZOFFSETFROM:-0315\r\nTZOFFSETTO:-0245\r\nEND:DAYLIGHT\r\n" +
		"BEGIN:STANDARD\r\nDTSTART:20271004T043000\r\nTZOFFSETFROM:-0245\r\nTZOFFSETTO:-0315\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
	o := mustParse(t, []byte(calendar(zone, component("VEVENT", "DTSTART;TZID=odd:20271002T234500", "DURATION:PT1H", "RRULE:FREQ=MINUTELY;INTERVAL=45;COUNT=100"))))
	w := span.Span{Start: utc(2027, 10, 4, 7, 20), End: utc(2027, 10, 4, 7, 27)}
	all, err := o.Instances(Expand{Window: w})
	if got, want := shown(all), "20271004T070000"; got != want || err != nil {
		t.Errorf("%s, want %s: %v", got, want, err)
	}
}
