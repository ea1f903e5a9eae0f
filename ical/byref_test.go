package ical

import (
	"errors"
	"strings"
	"testing"
)

const refZone = "BEGIN:VTIMEZONE\r\nTZID:%\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"

func refObject(t *testing.T, zones, line string) *Object {
	t.Helper()
	o, err := Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"+zones+"BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"+line+"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestCheckZones(t *testing.T) {
	own := strings.ReplaceAll(refZone, "%", "My Zone")
	for line, good := range map[string]bool{
		"DTSTART;TZID=Europe/Berlin:20260105T090000":                     true,
		"DTSTART;TZID=W. Europe Standard Time:20260105T090000":           true,
		"DTSTART;TZID=UTC:20260105T090000":                               true,
		"DTSTART;TZID=My Zone:20260105T090000":                           true,
		"DTSTART;TZID=Nowhere/Land:20260105T090000":                      false,
		"DTSTART;TZID=Nowhere/Land:20260105T090000Z":                     true,
		"DTSTART;VALUE=DATE;TZID=Nowhere/Land:20260105":                  true,
		"BEGIN:VALARM\r\nTRIGGER;TZID=Nowhere:1T1\r\nEND:VALARM":         false,
		"DTSTART:20260105T090000\r\nEXDATE;TZID=Nowhere:20260105T090000": false,
	} {
		err := refObject(t, own, line).CheckZones()
		if e, ok := errors.AsType[*InvalidError](err); (err == nil) != good || ok && e.Rule != ValidTimezone {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestByReferenceLeavesOutKnownZones(t *testing.T) {
	berlin, own := strings.ReplaceAll(refZone, "%", "Europe/Berlin"), strings.ReplaceAll(refZone, "%", "My Zone")
	o := refObject(t, berlin+own, "DTSTART;TZID=My Zone:20260105T090000")
	if got, want := string(o.ByReference()), strings.Replace(string(o.Data()), berlin, "", 1); got != want {
		t.Errorf("got\n%s", got)
	}
	if o = refObject(t, own, "SUMMARY:x"); string(o.ByReference()) != string(o.Data()) {
		t.Error("an object without known zones is changed")
	}
}
