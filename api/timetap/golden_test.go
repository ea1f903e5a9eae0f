package timetap

import (
	"testing"

	"daybook/api/apitest"
)

// TestGolden compares whole answers about a small week; see [apitest.Golden].
func TestGolden(t *testing.T) {
	apitest.Golden(t, func(t testing.TB) (*apitest.Place, apitest.Mask) {
		p := newPlace(t)
		p.week()
		return &p.Place, nil
	})
}

// week is a class, an appointment in a room, a break, a closure and a series.
func (p *place) week() {
	p.put("ada", "class", at(1, 9, "SUMMARY:Morning yoga", "CATEGORIES:CLASS", "COLOR:cornflowerblue", "X-DAYBOOK-SERVICE-ID:"+yogaUUID,
		"ATTENDEE;CN=Ada Noor:mailto:ada.noor@example.com", "ATTENDEE;CN=Ben Ilić:mailto:ben@example.com")...)
	p.put("bob", "visit", at(1, 12, "SUMMARY:Ida", "STATUS:TENTATIVE", "X-DAYBOOK-INVOICE:CLOSED", "X-DAYBOOK-BUFFER-AFTER:PT10M")...)
	p.put("room-1", "visit", at(1, 12, "SUMMARY:Ida")...)
	p.put("ada", "lunch", at(1, 11, "SUMMARY:Lunch", "CATEGORIES:BLOCK,BREAK")...)
	p.put("demo", "holiday", "SUMMARY:Holiday", "DTSTART;VALUE=DATE:20270303", "DTEND;VALUE=DATE:20270304")
	p.put("bob", "weekly", at(4, 9, "SUMMARY:Team", "RRULE:FREQ=DAILY;COUNT=2")...)
}
