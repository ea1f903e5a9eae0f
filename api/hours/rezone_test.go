package hours

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"daybook/ical"
)

// FOLIO contract, "nothing is converted": hours were shifted by the difference
// when an organisation's zone was changed.
func TestHoursInAnotherZoneHaveTheSameWallClocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := zones.Draw(t, "from"), zones.Draw(t, "to")
		c, e := calendars(around-400, around+400).Draw(t, "calendar"), exceptions(around-30, around+30).Draw(t, "exception")
		o, err := NewCalendar(c, from, now)
		if err != nil {
			t.Fatal(err)
		}
		moved, err := Rezone(o, from, to, now)
		if err != nil {
			t.Fatal(err)
		}
		sameCalendar(t, ReadCalendar(moved, to), c, moved)
		if from.Name() != "UTC" && from.Name() != to.Name() && bytes.Contains(moved.Data(), []byte(from.Name())) && !strings.Contains(c.Name, from.Name()) {
			t.Fatalf("the old zone is still named:\n%s", moved.Data())
		}
		if o, err = NewException(&e, "uid", Parent{UID: "parent"}, 1, from, now); err != nil {
			t.Fatal(err)
		}
		if moved, err = Rezone(o, from, to, now); err != nil {
			t.Fatal(err)
		}
		if got, _ := ReadException(moved, to); !got.Equal(&e) {
			t.Fatalf("got  %+v\nwant %+v\n%s", got, e, moved.Data())
		}
	})
}

func TestWhatIsInAnotherZoneStaysWhenHoursMove(t *testing.T) {
	const head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VAVAILABILITY\r\nUID:a\r\nDTSTAMP:20310101T000000Z\r\nLAST-MODIFIED:20300101T000000Z\r\nX-KEPT;P=1:yes\r\n"
	part := func(lines string) string {
		return "BEGIN:AVAILABLE\r\nUID:b\r\nDTSTAMP:20310101T000000Z\r\n" + lines + "\r\nEND:AVAILABLE\r\n"
	}
	const tail = "END:VAVAILABILITY\r\nEND:VCALENDAR\r\n"
	berlin, york := zone(t, "Europe/Berlin"), zone(t, "America/New_York")
	for _, x := range []string{
		"DTSTART;TZID=Asia/Kathmandu:20310602T090000\r\nDTEND;TZID=Asia/Kathmandu:20310602T120000\r\nRRULE:FREQ=WEEKLY",
		"DTSTART:20310602T090000\r\nDTEND:20310602T120000\r\nRRULE:FREQ=WEEKLY;UNTIL=20310701T090000",
		"DTSTART:20310602T090000Z\r\nDTEND:20310602T120000Z\r\nRRULE:FREQ=WEEKLY;UNTIL=20310701T090000Z",
		"DTSTART;VALUE=DATE:20310602\r\nDTEND;VALUE=DATE:20310603",
	} {
		o, err := ical.Parse([]byte(head+part(x)+tail), ical.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Rezone(o, berlin, york, now); err != nil || got != o {
			t.Errorf("%s: %v, %s", x, err, got.Data())
		}
	}
	o, err := ical.Parse([]byte(head+part("DTSTART;X-A=1;TZID=Europe/Berlin:20310602T090000\r\nDURATION:PT3H\r\nRRULE:FREQ=WEEKLY;UNTIL=20310701T070000Z\r\nEXDATE;TZID=Europe/Berlin:20310609T090000,20310616T090000")+tail), ical.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Rezone(o, berlin, york, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"DTSTART;X-A=1;TZID=America/New_York:20310602T090000", "DURATION:PT3H", "RRULE:FREQ=WEEKLY;UNTIL=20310701T130000Z",
		"EXDATE;TZID=America/New_York:20310609T090000,20310616T090000", "X-KEPT;P=1:yes", "LAST-MODIFIED:20300101T000000Z", "SEQUENCE:1",
		"TZID:America/New_York",
	} {
		if !bytes.Contains(got.Data(), []byte("\r\n"+line+"\r\n")) {
			t.Errorf("no line %s in\n%s", line, got.Data())
		}
	}
}
