package trybe

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCreateAnswers201WithAllFields(t *testing.T) {
	p := newPlace(t)
	a := p.create(func(b map[string]any) { b["label"], b["color"] = "Lunch", "#8ec5b5" }).want(201)
	var fields struct{ Data map[string]any }
	if err := json.Unmarshal([]byte(a.Raw), &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"id", "site_id", "start_time", "end_time", "type", "label", "notes", "color", "practitioner_ids", "room_ids", "area_ids",
		"recurrence_id", "created_at", "updated_at",
	} {
		if _, ok := fields.Data[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	b := a.one()
	if b.StartTime != "2027-03-01T12:30:00+01:00" || b.EndTime != "2027-03-01T13:15:00+01:00" || *b.Label != "Lunch" || b.Notes != nil ||
		*b.Color != "#8ec5b5" || b.RecurrenceID != nil || b.CreatedAt != "2027-02-20T08:00:00+01:00" || b.SiteID != demo {
		t.Errorf("%s", a.Raw)
	}
	if got := p.do("GET", "/shop/blocked-times/"+b.ID, "").want(200); got.Raw != a.Raw {
		t.Errorf("get: %s\ncreate: %s", got.Raw, a.Raw)
	}
}

func TestCreateRequiresStartEndAndType(t *testing.T) {
	p := newPlace(t)
	for _, field := range []string{"start_time", "end_time", "type"} {
		p.create(func(b map[string]any) { b[field] = absent }).faults(field)
		p.create(func(b map[string]any) { b[field] = nil }).faults(field)
		p.create(func(b map[string]any) { b[field] = 5 }).faults(field)
		p.create(func(b map[string]any) { b[field] = "nonsense" }).faults(field)
	}
	p.do("POST", "/shop/blocked-times?site_id="+demo, "{}").faults("start_time", "end_time", "type", "practitioner_ids", "room_ids", "area_ids")
}

func TestEndMustBeStrictlyAfterStart(t *testing.T) {
	p := newPlace(t)
	for _, end := range []string{"2027-03-01T12:30:00", "2027-03-01T12:29:59", "2027-03-01T11:30:00Z"} {
		p.create(func(b map[string]any) { b["end_time"] = end }).faults("end_time")
	}
}

func TestTypesAreExact(t *testing.T) {
	p := newPlace(t)
	for _, ok := range []string{"cleaning", "break", "meeting", "other"} {
		if b := p.create(func(b map[string]any) { b["type"] = ok }).want(201).one(); b.Type != ok {
			t.Errorf("%s became %s", ok, b.Type)
		}
	}
	p.create(func(b map[string]any) { b["type"] = "Break" }).faults("type")
}

func TestLabelHasAtMost255Characters(t *testing.T) {
	p := newPlace(t)
	label := strings.Repeat("ü", 255)
	if b := p.create(func(b map[string]any) { b["label"] = label }).want(201).one(); *b.Label != label {
		t.Error("label changed")
	}
	p.create(func(b map[string]any) { b["label"] = label + "x" }).faults("label")
}

func TestEmptyLabelIsStoredAsNull(t *testing.T) {
	p := newPlace(t)
	if b := p.create(func(b map[string]any) { b["label"] = "" }).want(201).one(); b.Label != nil {
		t.Error(*b.Label)
	}
}

func TestNotesKeepNewlines(t *testing.T) {
	p := newPlace(t)
	const notes = "first; second, \\third\n\n  last: \"x\""
	if b := p.create(func(b map[string]any) { b["notes"] = notes }).want(201).one(); *b.Notes != notes {
		t.Errorf("%q", *b.Notes)
	}
	p.create(func(b map[string]any) { b["notes"] = "a\x01b" }).faults("notes")
}

func TestColorIsLowerCaseHex(t *testing.T) {
	p := newPlace(t)
	for _, bad := range []string{"#8EC5B5", "8ec5b5", "#8ec5b", "red", "", "#8ec5bg"} {
		p.create(func(b map[string]any) { b["color"] = bad }).faults("color")
	}
}

func TestOneListMustNotBeEmpty(t *testing.T) {
	p := newPlace(t)
	for _, empty := range []any{absent, nil, []string{}} {
		p.create(func(b map[string]any) { b["practitioner_ids"], b["room_ids"] = empty, empty }).faults("practitioner_ids", "room_ids", "area_ids")
	}
	b := p.create(func(b map[string]any) { b["practitioner_ids"], b["area_ids"] = nil, []string{area} }).want(201).one()
	if len(b.Practitioners) != 0 || !slices.Equal(b.Areas, []string{area}) {
		t.Errorf("%+v", b)
	}
}

func TestUnknownOrForeignIdsAreFaultsOfTheirList(t *testing.T) {
	p := newPlace(t)
	for list, bad := range map[string]any{
		"practitioner_ids": []any{ada, foreign}, "room_ids": []any{ada}, "area_ids": []any{"nope"},
	} {
		p.create(func(b map[string]any) { b[list] = bad }).faults(list)
	}
	p.create(func(b map[string]any) { b["practitioner_ids"] = []any{ada, desk} }).faults("practitioner_ids")
	for _, bad := range []any{"x", map[string]any{}, []any{5}, []any{nil}} {
		p.create(func(b map[string]any) { b["room_ids"] = bad }).faults("room_ids")
	}
}

func TestOneRequestWithSeveralResourcesIsOneBlock(t *testing.T) {
	p := newPlace(t)
	b := p.create(func(b map[string]any) {
		b["practitioner_ids"], b["room_ids"], b["area_ids"] = []string{bob, ada, bob}, []string{room2, room}, []string{area}
	}).want(201).one()
	if !slices.Equal(b.Practitioners, []string{bob, ada}) || !slices.Equal(b.Rooms, []string{room2, room}) {
		t.Errorf("order as given, duplicates collapsed: %+v", b)
	}
	list := p.days("2027-03-01", "2027-03-01")
	if len(list) != 1 || list[0].ID != b.ID || !slices.Equal(list[0].Practitioners, b.Practitioners) {
		t.Errorf("%+v", list)
	}
	for _, owner := range []string{ada, bob, room, room2, area} {
		if data := p.Listed(owner); len(data) != 1 || !strings.Contains(data[0], "UID:"+b.ID) {
			t.Errorf("%s: %v", owner, data)
		}
	}
}

func TestCreateIsNotIdempotentAndMayOverlap(t *testing.T) {
	p := newPlace(t)
	a, b := p.create(nil).want(201).one(), p.create(nil).want(201).one()
	if a.ID == b.ID || len(p.days("2027-03-01", "2027-03-01")) != 2 {
		t.Error("want two blocks")
	}
}

func TestUnknownFieldsAreIgnored(t *testing.T) {
	p := newPlace(t)
	b := p.create(func(b map[string]any) { b["id"], b["site_id"], b["x"] = "mine", other, []any{1} }).want(201).one()
	if b.ID == "mine" || b.SiteID != demo {
		t.Errorf("%+v", b)
	}
}

func TestTimesIn(t *testing.T) {
	p := newPlace(t)
	for in, want := range map[string]string{
		"2027-07-01T09:00:00":            "2027-07-01T09:00:00+02:00", // the site's wall clock
		"2027-07-01T09:00":               "2027-07-01T09:00:00+02:00", // seconds may be left out
		"2027-07-01T09:00:00.999":        "2027-07-01T09:00:00+02:00", // fractions are cut
		"2027-07-01T09:00:00Z":           "2027-07-01T11:00:00+02:00",
		"2027-07-01T09:00:00-05:30":      "2027-07-01T16:30:00+02:00",
		"2027-07-01T09:00:00.5+0200":     "2027-07-01T09:00:00+02:00",
		"2027-03-28T02:30:00":            "2027-03-28T03:30:00+02:00", // skipped: forward by the gap
		"2026-10-25T02:30:00":            "2026-10-25T02:30:00+02:00", // twice: the first
		"2026-10-25T02:30:00+01:00":      "2026-10-25T02:30:00+01:00", // the second, by its offset
		"2026-10-25T01:30:00Z":           "2026-10-25T02:30:00+01:00",
		"1999-12-31T23:59:59":            "1999-12-31T23:59:59+01:00", // the past is allowed
		"2027-07-01T09:00:00.123456789Z": "2027-07-01T11:00:00+02:00",
	} {
		b := p.create(func(b map[string]any) { b["start_time"], b["end_time"] = in, "2028-01-01T00:00:00" }).want(201).one()
		if b.StartTime != want {
			t.Errorf("%s became %s", in, b.StartTime)
		}
		if got := p.do("GET", "/shop/blocked-times/"+b.ID, "").want(200).one(); got.StartTime != want {
			t.Errorf("%s is read back as %s", in, got.StartTime)
		}
	}
	for _, bad := range []string{
		"", "2027-07-01", "2027-02-30T09:00:00", "2027-07-01T25:00:00", "09:00", "2027-07-01T09:00:00+2:00", "2027-07-01T09:00:00Zx",
		"20270701T090000Z", "2027-07-01T09:00:00.Z", "2027-07-01T09:00.5", "0000-01-01T00:00:00", "next monday",
	} {
		p.create(func(b map[string]any) { b["start_time"] = bad }).faults("start_time")
	}
}

func TestRecurrenceOfNullOrNoWeekdaysIsNone(t *testing.T) {
	p := newPlace(t)
	for _, r := range []any{nil, map[string]any{}, map[string]any{"weekdays": nil}, map[string]any{"weekdays": []any{}, "date_to": "2027-03-31"}} {
		if b := p.create(func(b map[string]any) { b["recurrence"] = r }).want(201).one(); b.RecurrenceID != nil || strings.Contains(b.ID, "_") {
			t.Errorf("%v: %+v", r, b)
		}
	}
}

func TestRecurrenceMakesOneForEachMatchingWeekday(t *testing.T) {
	p := newPlace(t)
	first := p.series()
	if first.StartTime != "2027-03-01T12:30:00+01:00" || first.RecurrenceID == nil {
		t.Errorf("the answer is the earliest: %+v", first)
	}
	list := p.days("2027-01-01", "2027-12-31")
	if len(list) != 10 || list[0].ID != first.ID || list[9].StartTime != "2027-03-31T12:30:00+02:00" {
		t.Fatalf("%d: %v", len(list), starts(list))
	}
	seen := map[string]bool{}
	for _, b := range list {
		seen[b.ID] = true
		if *b.RecurrenceID != *first.RecurrenceID {
			t.Error("recurrence_id differs")
		}
		if got := p.do("GET", "/shop/blocked-times/"+b.ID, "").want(200).one(); got.StartTime != b.StartTime || got.EndTime != b.EndTime {
			t.Errorf("%+v", got)
		}
	}
	if len(seen) != 10 {
		t.Error("ids are not unique")
	}
	if data := p.Listed(ada); len(data) != 1 || strings.Count(data[0], "BEGIN:VEVENT") != 1 || !strings.Contains(data[0], "RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=") {
		t.Errorf("one VEVENT with an RRULE: %s", data)
	}
	p.do("GET", "/shop/blocked-times/"+*first.RecurrenceID, "").want(404)
}

func TestDateOfStartCountsOnlyIfItMatches(t *testing.T) {
	p := newPlace(t)
	b := p.create(func(b map[string]any) { // a Monday; the first Friday is the 5th
		b["recurrence"] = map[string]any{"weekdays": []any{"FR"}, "date_to": "2027-03-12"}
	}).want(201).one()
	if b.StartTime != "2027-03-05T12:30:00+01:00" || b.EndTime != "2027-03-05T13:15:00+01:00" {
		t.Errorf("%+v", b)
	}
	if list := p.days("2027-03-01", "2027-04-30"); len(list) != 2 {
		t.Error(starts(list))
	}
}

func TestWallClockStaysOverClockChanges(t *testing.T) {
	p := newPlace(t)
	p.create(func(b map[string]any) {
		b["start_time"], b["end_time"] = "2027-03-26T02:30:00", "2027-03-26T03:00:00"
		b["recurrence"] = map[string]any{"weekdays": []any{0, 1, 2, 3, 4, 5, 6}, "date_to": "2027-03-30"}
	}).want(201)
	want := []string{
		"2027-03-26T02:30:00+01:00", "2027-03-27T02:30:00+01:00", "2027-03-28T03:30:00+02:00", "2027-03-29T02:30:00+02:00", "2027-03-30T02:30:00+02:00",
	}
	list := p.days("2027-03-01", "2027-04-30")
	if got := starts(list); !slices.Equal(got, want) {
		t.Error(got)
	}
	for _, b := range list {
		if got := lengthOf(t, b); got != 30*time.Minute {
			t.Errorf("%s is %v long", b.StartTime, got)
		}
	}
}

func TestLengthIsExactOverClockChanges(t *testing.T) {
	p := newPlace(t)
	for _, end := range []string{"2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"} { // one wall clock, an hour apart
		b := p.create(func(b map[string]any) {
			b["start_time"], b["end_time"] = "2026-10-25T01:00:00", end
			b["recurrence"] = map[string]any{"weekdays": []any{0}, "date_to": "2026-11-08"}
		}).want(201).one()
		want := lengthOf(t, b)
		for _, x := range p.days("2026-10-25", "2026-11-08") {
			if *x.RecurrenceID == *b.RecurrenceID && lengthOf(t, x) != want {
				t.Errorf("%s is %v long, want %v", x.StartTime, lengthOf(t, x), want)
			}
		}
		if b.EndTime != end {
			t.Errorf("ends at %s, want %s", b.EndTime, end)
		}
	}
}

func lengthOf(t *testing.T, b BlockedTime) time.Duration {
	t.Helper()
	start, err := time.Parse(time.RFC3339, b.StartTime)
	if err != nil {
		t.Fatal(err)
	}
	end, err := time.Parse(time.RFC3339, b.EndTime)
	if err != nil {
		t.Fatal(err)
	}
	return end.Sub(start)
}

// weekly is a recurrence on the Mondays of some days.
func weekly(from, to string) map[string]any {
	return map[string]any{"weekdays": []any{1}, "date_from": from, "date_to": to}
}

func TestWeekdayForms(t *testing.T) {
	p := newPlace(t)
	for _, ok := range []any{0, 7, "sunday", "Sun", "SU", "su"} {
		b := p.create(func(b map[string]any) {
			b["recurrence"] = map[string]any{"weekdays": []any{ok, ok}, "date_to": "2027-03-10"}
		}).want(201).one()
		if b.StartTime != "2027-03-07T12:30:00+01:00" {
			t.Errorf("%v: %s", ok, b.StartTime)
		}
	}
	for _, bad := range []any{8, -1, 1.5, "funday", "1", nil, "s", true, []any{1}} {
		p.create(func(b map[string]any) {
			b["recurrence"] = map[string]any{"weekdays": []any{1, bad}, "date_to": "2027-03-10"}
		}).faults("recurrence.weekdays")
	}
}

func TestRecurrenceRange(t *testing.T) {
	p := newPlace(t)
	with := func(r map[string]any) answer {
		if _, ok := r["weekdays"]; !ok {
			r["weekdays"] = []any{1}
		}
		return p.create(func(b map[string]any) { b["recurrence"] = r })
	}
	with(map[string]any{}).faults("recurrence.date_to")
	with(map[string]any{"date_to": "2027-02-30"}).faults("recurrence.date_to")
	with(map[string]any{"date_to": "2027-02-28"}).faults("recurrence.date_to")
	with(map[string]any{"date_from": "2028-01-01", "date_to": "2028-12-31"}).want(201) // 366 days, both ends counted
	with(map[string]any{"date_from": "2027-01-01", "date_to": "2028-01-02"}).faults("recurrence.date_to")
	with(map[string]any{"date_from": "2027-03-02", "date_to": "2027-03-07"}).faults("recurrence.weekdays")
	p.create(func(b map[string]any) { b["recurrence"] = "weekly" }).faults("recurrence")
}

// What needs the site or the store is told together with what does not.
func TestFaultsOfAllFieldsComeTogether(t *testing.T) {
	p := newPlace(t)
	for _, c := range []struct {
		change map[string]any
		want   []string
	}{
		{map[string]any{"label": 5, "end_time": "2027-03-01T12:00"}, []string{"label", "end_time"}},
		{map[string]any{"type": "x", "practitioner_ids": []string{foreign}}, []string{"type", "practitioner_ids"}},
		{map[string]any{"type": absent, "recurrence": weekly("2027-03-02", "2027-03-01")}, []string{"type", "recurrence.date_to"}},
		{map[string]any{"room_ids": []string{ada}, "recurrence": weekly("2027-03-02", "2027-03-03")}, []string{"room_ids", "recurrence.weekdays"}},
		{map[string]any{"start_time": "x", "recurrence": weekly("2027-03-02", "2027-03-03")}, []string{"start_time", "recurrence.weekdays"}},
		{map[string]any{"start_time": "x", "recurrence": map[string]any{"weekdays": []any{1}, "date_to": "2027-03-01"}}, []string{"start_time"}},
		{map[string]any{"start_time": "2027-03-01T14:00", "color": "red", "notes": 1}, []string{"end_time", "color", "notes"}},
		{map[string]any{"end_time": "9999-12-31T23:59:59-01:00", "label": 1}, []string{"end_time", "label"}}, // a year of five digits
	} {
		p.create(func(b map[string]any) { maps.Copy(b, c.change) }).faults(c.want...)
	}
	p.do("POST", "/shop/blocked-times", `{"start_time":"x","type":"y","label":5,"color":"red","practitioner_ids":{}}`).
		faults("site_id", "start_time", "end_time", "type", "label", "color", "practitioner_ids")
}
