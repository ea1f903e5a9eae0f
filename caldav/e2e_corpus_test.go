package caldav_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// verdict is what a server has to do with a file of the corpus.
type verdict struct {
	File, Verdict, Precondition, Why string
}

func readCorpus(t *testing.T) []verdict {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "ical", "testdata", "ics", "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index struct{ Files []verdict }
	if err := json.Unmarshal(raw, &index); err != nil {
		t.Fatal(err)
	}
	if len(index.Files) == 0 {
		t.Fatal("the corpus is empty")
	}
	return index.Files
}

// TestHostileObjectsHarmNothing puts every file of the corpus, each into a
// calendar of its own for the verdict, and all that is taken into one calendar,
// which has to be as good as any other.
func TestHostileObjectsHarmNothing(t *testing.T) {
	w := newWorld(t)
	crowd := adaHome + "crowd/"
	w.do("ada", "MKCALENDAR", crowd, "").want(201)
	w.do("ada", "PUT", crowd+"good.ics", event("good", "20260105T100000Z", "Good"), icsType).want(201)
	taken := 1
	for i, v := range readCorpus(t) {
		data, err := os.ReadFile(filepath.Join("..", "ical", "testdata", "ics", v.File))
		if err != nil {
			t.Fatal(err)
		}
		own := fmt.Sprintf("%sown%d/", adaHome, i)
		w.do("ada", "MKCALENDAR", own, "").want(201)
		a := w.do("ada", "PUT", own+"x.ics", string(data), icsType)
		stored := a.code == 201
		switch {
		case strings.HasPrefix(v.File, "state-") || v.Verdict == "either":
			if a.code >= 500 {
				t.Errorf("%s: %d", v.File, a.code)
			}
		case v.Verdict == "accept" && !stored:
			t.Errorf("%s is refused (%s): %d %s", v.File, v.Why, a.code, a.body)
		case v.Verdict == "reject" && (a.code != 403 && a.code != 409 || !strings.Contains(a.body, strings.TrimPrefix(v.Precondition, "CALDAV:"))):
			t.Errorf("%s: %d %s, want %s (%s)", v.File, a.code, a.body, v.Precondition, v.Why)
		}
		if get := w.do("ada", "GET", own+"x.ics", ""); (get.code == 200) != stored {
			t.Errorf("%s: GET %d after PUT %d", v.File, get.code, a.code)
		}
		if stored && w.do("ada", "PUT", crowd+fmt.Sprintf("m%d.ics", i), string(data), icsType).code == 201 {
			taken++
		}
	}

	began := time.Now()
	if n := len(w.listing(crowd)); n != taken {
		t.Errorf("%d members, want %d", n, taken)
	}
	data := `<C:calendar-data><C:expand start="20260101T000000Z" end="20260115T000000Z"/></C:calendar-data>`
	for name, body := range map[string]string{
		"all":       rawQuery("<C:calendar-data/>", inCalendar(""), ""),
		"fortnight": rawQuery("", inCalendar(component("VEVENT", `<C:time-range start="20260101T000000Z" end="20260115T000000Z"/>`)), ""),
		"far":       rawQuery("", inCalendar(component("VEVENT", `<C:time-range start="22000101T000000Z" end="22000201T000000Z"/>`)), ""),
		"open":      rawQuery("", inCalendar(component("VEVENT", `<C:time-range start="20260101T000000Z"/>`)), ""),
		"alarms":    rawQuery("", inCalendar(component("VEVENT", component("VALARM", `<C:time-range start="20260101T000000Z" end="20260115T000000Z"/>`))), ""),
		"text":      rawQuery("", inCalendar(component("VEVENT", `<C:prop-filter name="SUMMARY"><C:text-match>good</C:text-match></C:prop-filter>`)), ""),
	} {
		if m := w.do("ada", "REPORT", crowd, body, "Depth: 1").multistatus(); name != "far" && m.resources[crowd+"good.ics"] == nil && name != "alarms" {
			t.Errorf("%s: the good event is not found among %d", name, len(m.hrefs))
		}
	}
	for href := range w.listing(crowd) {
		if a := w.do("ada", "REPORT", crowd, multiget("<D:getetag/>"+data, href)); a.code >= 500 {
			t.Errorf("expand %s: %d %s", href, a.code, a.body)
		}
	}
	w.do("ada", "REPORT", crowd, syncCollection("", "<D:getetag/>"), "Depth: 0").want(207)
	w.do("ada", "REPORT", crowd, `<C:free-busy-query `+namespaces+`><C:time-range start="20260101T000000Z" end="20260115T000000Z"/></C:free-busy-query>`, "Depth: 1").want(200)
	w.do("ada", "GET", crowd, "").want(200)
	if took := time.Since(began); took > time.Minute {
		t.Errorf("the calendar is slow: %v", took)
	}
}
