package ical

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

var feedNow = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// merge merges objects; the feed is read again and given with its text.
func merge(t testing.TB, opt FeedOptions, objects ...[]byte) (*Object, string, int) {
	t.Helper()
	opt.Now = feedNow
	var b bytes.Buffer
	skipped, err := Merge(&b, slices.Values(objects), opt)
	if err != nil {
		t.Fatal(err)
	}
	o, err := Parse(b.Bytes(), StreamLimits)
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	if !o.Exact() {
		t.Errorf("the feed needs mending\n%q", b.String())
	}
	return o, b.String(), skipped
}

func children(o *Object, name string) []*Component {
	var found []*Component
	for _, c := range o.Root().Children {
		if c.Name == name {
			found = append(found, c)
		}
	}
	return found
}

func TestMergeDescribesTheFeed(t *testing.T) {
	o, text, _ := merge(t, FeedOptions{
		Name: "Team, A", Description: "All; of it", Color: "teal", Zone: "Europe/Berlin",
		Refresh: 90 * time.Minute, Source: "https://example.org/feeds/a,b.ics",
	})
	for name, want := range map[string]string{
		"VERSION": "2.0", "PRODID": prodID, "CALSCALE": "GREGORIAN", "NAME": "Team, A", "X-WR-CALNAME": "Team, A",
		"DESCRIPTION": "All; of it", "X-WR-CALDESC": "All; of it", "COLOR": "teal", "X-WR-TIMEZONE": "Europe/Berlin",
		"REFRESH-INTERVAL": "PT1H30M", "X-PUBLISHED-TTL": "PT1H30M", "SOURCE": "https://example.org/feeds/a,b.ics",
	} {
		if got := o.Root().Text(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(text, "\r\nREFRESH-INTERVAL;VALUE=DURATION:") || !strings.Contains(text, "\r\nSOURCE;VALUE=URI:https") {
		t.Errorf("value types are missing in\n%s", text)
	}
	_, text, _ = merge(t, FeedOptions{Color: "#3B82F6"})
	if !strings.Contains(text, "X-APPLE-CALENDAR-COLOR:#3B82F6") || strings.Contains(text, "NAME") {
		t.Errorf("feed is\n%s", text)
	}
}

func TestMergeCopiesComponentsAndWritesEachZoneOnce(t *testing.T) {
	event := func(uid, zone string) []byte {
		return calendarOf("BEGIN:VEVENT|UID:" + uid + "|dtstart;TZID=" + zone + ":20260105T090000|SUMMARY:odd| ly folded|" +
			"BEGIN:VALARM|X-A;B=\"c\":d|END:VALARM|END:VEVENT")
	}
	bare := bytes.ReplaceAll(event("c", "Europe/Berlin"), []byte("\r\n"), []byte("\n"))
	o, text, skipped := merge(t, FeedOptions{}, []byte(plainEvent), event("b", `"W. Europe Standard Time"`), bare, event("d", "No/Where"))
	if skipped != 0 || len(children(o, "VEVENT")) != 4 {
		t.Errorf("skipped %d of\n%s", skipped, text)
	}
	i, j := strings.Index(plainEvent, "BEGIN:VEVENT"), strings.Index(plainEvent, "END:VCALENDAR")
	if !strings.Contains(text, plainEvent[i:j]) {
		t.Errorf("the event is not as it was in\n%s", text)
	}
	var zones []string
	for _, z := range children(o, "VTIMEZONE") {
		zones = append(zones, z.Text("TZID"))
	}
	if !slices.Equal(zones, []string{"Europe/Berlin", "W. Europe Standard Time"}) {
		t.Errorf("zones %q", zones)
	}
}

func TestMergeKeepsDifferentZonesOfOneNameApart(t *testing.T) {
	event := func(uid, zone string) []byte {
		return calendarOf(zone + "|BEGIN:VEVENT|UID:" + uid + "|DTSTART;TZID=Zone A;X-B=\"c\":20260105T090000|END:VEVENT")
	}
	for _, show := range []Show{ShowFull, ShowTitles, ShowBusy} {
		o, text, _ := merge(t, FeedOptions{Show: show, UIDKey: []byte("key")}, event("1", zoneA), event("2", zoneB), event("3", zoneA), event("4", zoneB))
		offsets := make(map[string]string)
		for _, z := range children(o, "VTIMEZONE") {
			offsets[z.Text("TZID")] = z.Children[0].Text("TZOFFSETTO")
		}
		var got []string
		for _, e := range children(o, "VEVENT") {
			got = append(got, offsets[e.Line("DTSTART").Param("TZID")])
		}
		if len(offsets) != 2 || !slices.Equal(got, []string{"+0100", "+0500", "+0100", "+0500"}) {
			t.Errorf("offsets %q in\n%s", got, text)
		}
	}
}

func TestMergeCountsWhatDoesNotParse(t *testing.T) {
	for _, show := range []Show{ShowFull, ShowTitles, ShowBusy} {
		o, text, skipped := merge(t, FeedOptions{Show: show, UIDKey: []byte("key")},
			[]byte("junk"), []byte(plainEvent), event("no colon"), []byte(plainEvent[:900]),
			append(event(monday), event(monday)...))
		if skipped != 4 || len(children(o, "VEVENT")) != 1 {
			t.Errorf("show %d: skipped %d of\n%s", show, skipped, text)
		}
	}
}

const secretive = "SUMMARY;ALTREP=\"cid:secret\";LANGUAGE=de:Title|DESCRIPTION:secret|LOCATION;X-S=secret:Room 3|" +
	"ATTENDEE:mailto:secret@example.org|ATTACH:https://example.org/secret|COMMENT:secret|X-SECRET:secret|STATUS:CONFIRMED|" +
	"RRULE:FREQ=DAILY|EXDATE:20260107T090000Z|" + monday + "|DTEND:20260105T100000Z|BEGIN:VALARM|DESCRIPTION:secret|END:VALARM"

func TestTitlesTellNothingElse(t *testing.T) {
	o, text, _ := merge(t, FeedOptions{Show: ShowTitles, UIDKey: []byte("key")},
		calendarOf("BEGIN:VEVENT|UID:a|"+secretive+"|END:VEVENT"), calendarOf("BEGIN:VTODO|UID:b|SUMMARY:Task|END:VTODO"),
		calendarOf("BEGIN:VAVAILABILITY|UID:c|END:VAVAILABILITY"))
	if strings.Contains(strings.ToLower(text), "secret") || strings.Contains(text, "VALARM") {
		t.Errorf("feed tells too much:\n%s", text)
	}
	e := children(o, "VEVENT")[0]
	for name, want := range map[string]string{
		"UID": "a", "SUMMARY": "Title", "LOCATION": "Room 3", "STATUS": "CONFIRMED", "RRULE": "FREQ=DAILY",
		"DTSTART": "20260105T090000Z", "DTEND": "20260105T100000Z", "DTSTAMP": "20260301T000000Z",
	} {
		if got := e.Text(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if e.Line("SUMMARY").Param("LANGUAGE") != "de" || len(children(o, "VTODO")) != 1 || len(children(o, "VAVAILABILITY")) != 0 {
		t.Errorf("feed is\n%s", text)
	}
}

func TestTitlesShowPrivateObjectsAsBusy(t *testing.T) {
	var objects [][]byte
	for _, class := range []string{"PRIVATE", "confidential", "X-OWN"} {
		objects = append(objects, calendarOf("BEGIN:VEVENT|UID:secret-1|SUMMARY:secret|"+monday+"|RRULE:FREQ=DAILY|END:VEVENT|"+
			"BEGIN:VEVENT|UID:secret-1|SUMMARY:secret|CLASS:"+class+"|"+monday+"|RECURRENCE-ID:20260106T090000Z|END:VEVENT"))
	}
	objects = append(objects, calendarOf("BEGIN:VTODO|UID:secret-2|CLASS:PRIVATE|END:VTODO"))
	o, text, _ := merge(t, FeedOptions{Show: ShowTitles, UIDKey: []byte("key")}, objects...)
	if strings.Contains(text, "secret") || len(children(o, "VEVENT")) != 6 || len(children(o, "VTODO")) != 0 {
		t.Errorf("feed is\n%s", text)
	}
	if _, text, _ = merge(t, FeedOptions{Show: ShowTitles}, objects...); strings.Contains(text, "VEVENT") {
		t.Errorf("without key the feed is\n%s", text)
	}
}

func TestBusyTellsTimesOnly(t *testing.T) {
	data := calendarOf("BEGIN:VEVENT|UID:secret|" + secretive + "|CLASS:PUBLIC|END:VEVENT")
	o, text, _ := merge(t, FeedOptions{Show: ShowBusy, UIDKey: []byte("key")}, data,
		event(monday+"|TRANSP:TRANSPARENT"), event(monday+"|STATUS:cancelled"), calendarOf("BEGIN:VJOURNAL|UID:j|END:VJOURNAL"))
	if strings.Contains(text, "secret") || strings.Contains(text, "Title") || strings.Contains(text, "Room") || len(o.Root().Children) != 1 {
		t.Errorf("feed is\n%s", text)
	}
	e := o.Root().Children[0]
	if e.Text("SUMMARY") != "Busy" || e.Text("RRULE") != "FREQ=DAILY" || e.Text("EXDATE") != "20260107T090000Z" {
		t.Errorf("event is\n%s", text)
	}
	uid := e.Text("UID")
	if _, text, _ = merge(t, FeedOptions{Show: ShowBusy, UIDKey: []byte("key")}, data); !strings.Contains(text, "UID:"+uid) {
		t.Error("the UID is not stable")
	}
	if _, text, _ = merge(t, FeedOptions{Show: ShowBusy, UIDKey: []byte("other")}, data); strings.Contains(text, "UID:"+uid) {
		t.Error("the UID does not depend on the key")
	}
	if _, err := Merge(io.Discard, slices.Values([][]byte{data}), FeedOptions{Show: ShowBusy}); !errors.Is(err, errUIDKey) {
		t.Errorf("without key: %v", err)
	}
}

func TestBusyLeavesNoInstanceWhereOneWasCancelled(t *testing.T) {
	o, text, _ := merge(t, FeedOptions{Show: ShowBusy, UIDKey: []byte("key")}, calendarOf(
		"BEGIN:VEVENT|UID:a|DTSTART;TZID=Europe/Berlin:20260105T090000|RRULE:FREQ=DAILY|END:VEVENT|"+
			"BEGIN:VEVENT|UID:a|RECURRENCE-ID;TZID=Europe/Berlin;X-A=b:20260106T090000|DTSTART:20260106T090000Z|STATUS:CANCELLED|END:VEVENT|"+
			"BEGIN:VEVENT|UID:a|RECURRENCE-ID:20260107T080000Z|DTSTART:20260107T100000Z|END:VEVENT|"+
			"BEGIN:VEVENT|UID:a|RECURRENCE-ID;RANGE=THISANDFUTURE:20260108T080000Z|DTSTART:20260108T080000Z|TRANSP:TRANSPARENT|END:VEVENT"))
	events := children(o, "VEVENT")
	if len(events) != 3 {
		t.Fatalf("feed is\n%s", text)
	}
	x := events[0].Line("EXDATE")
	if x == nil || x.Value != "20260106T090000" || x.RawParams() != "TZID=Europe/Berlin" {
		t.Errorf("EXDATE is %+v", x)
	}
	if events[1].Line("STATUS") != nil || events[2].Text("STATUS") != "CANCELLED" {
		t.Errorf("feed is\n%s", text)
	}
}

type brokenWriter struct{ left int }

func (w *brokenWriter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

func TestMergeGivesTheWritersError(t *testing.T) {
	for _, left := range []int{0, 300, 1000} {
		_, err := Merge(&brokenWriter{left}, slices.Values([][]byte{[]byte(plainEvent)}), FeedOptions{Now: feedNow})
		if !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("after %d octets: %v", left, err)
		}
	}
}

func BenchmarkMerge(b *testing.B) {
	objects := make([][]byte, 10_000)
	size := 0
	for i := range objects {
		objects[i] = []byte(strings.Replace(plainEvent, "UID:", fmt.Sprintf("UID:%d-", i), 1))
		size += len(objects[i])
	}
	for name, show := range map[string]Show{"full": ShowFull, "titles": ShowTitles, "busy": ShowBusy} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				opt := FeedOptions{Show: show, UIDKey: []byte("key"), Now: feedNow}
				if _, err := Merge(io.Discard, slices.Values(objects), opt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
