package feeds

import (
	"testing"

	goical "github.com/emersion/go-ical"
)

// TestGoICalReadsFeeds: every component of every show is decoded, and each has
// what RFC 5545 requires, by the rules of another program.
func TestGoICalReadsFeeds(t *testing.T) {
	for _, path := range []string{
		full, "/feeds/" + titleSecret + "/ada.ics", "/feeds/" + busySecret + "/ada.ics", "/feeds/" + windowSecret + "/ada.ics",
		"/feeds/" + hoursSecret + "/open.ics", "/feeds/" + busySecret + "/ada.ifb",
	} {
		p := newPlace(t)
		p.many()
		cal, err := goical.NewDecoder(p.get("GET", path).Body).Decode()
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, e := range cal.Events() {
			if _, err := e.DateTimeStart(nil); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if uid, err := e.Props.Text(goical.PropUID); uid == "" || err != nil {
				t.Errorf("%s: an event without UID: %v", path, err)
			}
			if _, err := e.RecurrenceSet(nil); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}
