package feeds

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/api/apitest"
	"daybook/store"
)

// TestGolden compares whole answers, as they are sent: for each of the shows,
// and for each form.
func TestGolden(t *testing.T) {
	for name, path := range map[string]string{
		"full": full, "titles": "/feeds/" + titleSecret + "/ada.ics", "busy": "/feeds/" + busySecret + "/ada.ics",
		"jcal": "/feeds/" + fullSecret + "/ada.jcal", "jscalendar": "/feeds/" + fullSecret + "/ada.jscal",
		"json": "/feeds/" + fullSecret + "/ada.json", "json_busy": "/feeds/" + busySecret + "/ada.json", "ifb": "/feeds/" + busySecret + "/ada.ifb",
		"hours": "/feeds/" + hoursSecret + "/open.ics", "hours_json": "/feeds/" + hoursSecret + "/open.json", "window": "/feeds/" + windowSecret + "/ada.ics",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.many()
			compare(t, "testdata/"+name+".txt", p.get("GET", path))
		})
	}
}

// many adds one object of each sort.
func (p *place) many() {
	p.put("c", "DTSTART;VALUE=DATE:20270305", "SUMMARY:Away", "CLASS:PRIVATE", "STATUS:CONFIRMED", "LOCATION:Home")
	p.put("series", "DTSTART;TZID=Europe/Berlin:20270302T140000", "DURATION:PT45M", "SUMMARY:Class, weekly", "RRULE:FREQ=WEEKLY;COUNT=6;BYDAY=TU",
		"EXDATE;TZID=Europe/Berlin:20270316T140000", "LOCATION:Room 1", "CATEGORIES:YOGA,SPRING", "SEQUENCE:3",
		"END:VEVENT", "BEGIN:VEVENT", "UID:series", "DTSTAMP:20270101T000000Z", "RECURRENCE-ID;TZID=Europe/Berlin:20270309T140000",
		"DTSTART;TZID=Europe/Berlin:20270309T150000", "DURATION:PT45M", "SUMMARY:Class, later", "LOCATION:Room 1")
	p.put("gone", "DTSTART:20270304T080000Z", "DTEND:20270304T090000Z", "SUMMARY:Meeting that is off", "ORGANIZER;CN=Ada:mailto:ada@example.com",
		"ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.com")
	p.put("talk", "DTSTART:20270303T080000Z", "DTEND:20270303T090000Z", "SUMMARY:Talk", "ORGANIZER;CN=Ada:mailto:ada@example.com",
		"ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:bob@example.com", "STATUS:TENTATIVE", "URL:https://example.com/talk",
		"BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Talk", "TRIGGER:-PT10M", "END:VALARM")
	p.put("far", "DTSTART:20280601T080000Z", "DTEND:20280601T090000Z", "SUMMARY:Next year")
	p.object("hours", "BEGIN:VAVAILABILITY\r\nUID:hours\r\nDTSTAMP:20270101T000000Z\r\nDTSTART;TZID=Europe/Berlin:20270101T000000\r\n"+
		"BEGIN:AVAILABLE\r\nUID:hours-1\r\nDTSTAMP:20270101T000000Z\r\nDTSTART;TZID=Europe/Berlin:20270104T090000\r\n"+
		"DTEND;TZID=Europe/Berlin:20270104T170000\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU\r\nEXDATE;TZID=Europe/Berlin:20270309T090000\r\nEND:AVAILABLE\r\n"+
		"END:VAVAILABILITY\r\n")
	p.later(time.Minute)
	p.remove("gone")
	p.later(time.Minute)
}

func (p *place) remove(uid string) {
	p.Helper()
	p.update(func(tx *store.Tx) error { return tx.DeleteObject(store.System(), p.coll, uid+".ics", store.Cond{}) })
}

func compare(t *testing.T, file string, w *httptest.ResponseRecorder) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintln(&b, w.Code)
	var names []string
	for name := range w.Header() {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := w.Header().Get(name)
		if name == "Etag" {
			value = "(masked)" // the store's epoch is random
		}
		fmt.Fprintf(&b, "%s: %s\n", name, value)
	}
	got := b.String() + "\n" + strings.ReplaceAll(w.Body.String(), "\r\n", "\n")
	apitest.Compare(t, file, got)
}
