package trybe

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
)

func mustUUID(s string) uuid.UUID { return uuid.MustParse(s) }

func TestUpdateChangesNamedFieldsOnly(t *testing.T) {
	p := newPlace(t)
	b := p.create(func(b map[string]any) { b["label"], b["notes"], b["color"] = "Lunch", "n", "#8ec5b5" }).want(201).one()
	got := p.put(b.ID, map[string]any{"type": "meeting"}).want(200).one()
	if got.Type != "meeting" || got.ID != b.ID || got.StartTime != b.StartTime || *got.Label != "Lunch" || *got.Notes != "n" || *got.Color != "#8ec5b5" {
		t.Errorf("%+v", got)
	}
	got = p.put(b.ID, map[string]any{"label": nil, "notes": nil, "color": nil}).want(200).one()
	if got.Label != nil || got.Notes != nil || got.Color != nil {
		t.Errorf("null clears: %+v", got)
	}
}

func TestEmptyUpdateChangesNothing(t *testing.T) {
	p := newPlace(t)
	b := p.create(nil).want(201).one()
	before := p.Listed(ada)
	if a := p.put(b.ID, map[string]any{}).want(200).one(); a.UpdatedAt != b.UpdatedAt {
		t.Error("updated_at moved")
	}
	if !slices.Equal(before, p.Listed(ada)) {
		t.Error("the object changed")
	}
}

func TestMergedResultIsValidated(t *testing.T) {
	p := newPlace(t)
	b := p.create(nil).want(201).one()
	p.put(b.ID, map[string]any{"start_time": "2027-03-01T13:15:00"}).faults("end_time")
	p.put(b.ID, map[string]any{"end_time": "2027-03-01T12:30:00"}).faults("end_time")
	got := p.put(b.ID, map[string]any{"start_time": "2027-03-01T13:00:00"}).want(200).one()
	if got.StartTime != "2027-03-01T13:00:00+01:00" || got.EndTime != b.EndTime {
		t.Errorf("%+v", got)
	}
}

func TestNullForRequiredFieldsIs422(t *testing.T) {
	p := newPlace(t)
	b := p.create(nil).want(201).one()
	for _, f := range []string{"start_time", "end_time", "type", "practitioner_ids", "room_ids", "area_ids"} {
		p.put(b.ID, map[string]any{f: nil}).faults(f)
	}
}

func TestListsAreReplaced(t *testing.T) {
	p := newPlace(t)
	b := p.create(func(b map[string]any) { b["room_ids"] = []any{room} }).want(201).one()
	got := p.put(b.ID, map[string]any{"practitioner_ids": []any{bob, ada}, "area_ids": []any{area}}).want(200).one()
	if !slices.Equal(got.Practitioners, []string{bob, ada}) || !slices.Equal(got.Rooms, []string{room}) || !slices.Equal(got.Areas, []string{area}) {
		t.Errorf("%+v", got)
	}
	if again := p.do("GET", "/shop/blocked-times/"+b.ID, "").want(200).one(); !slices.Equal(again.Practitioners, got.Practitioners) {
		t.Errorf("got %v, then %v", got.Practitioners, again.Practitioners)
	}
	p.put(b.ID, map[string]any{"practitioner_ids": []any{}}).want(200)
	if len(p.Listed(ada))+len(p.Listed(bob)) != 0 || len(p.Listed(room)) != 1 {
		t.Error("membership")
	}
	p.put(b.ID, map[string]any{"room_ids": []any{}, "area_ids": []any{}}).faults("room_ids", "area_ids")
	p.put(b.ID, map[string]any{"practitioner_ids": []any{foreign}}).faults("practitioner_ids")
}

func TestSwap(t *testing.T) {
	p := newPlace(t)
	b := p.create(func(b map[string]any) { b["practitioner_ids"], b["room_ids"] = []any{ada}, []any{room} }).want(201).one()
	p.put(b.ID, map[string]any{"old_practitioner_id": ada}).faults("new_practitioner_id")
	p.put(b.ID, map[string]any{"new_room_id": room2}).faults("old_room_id")
	p.put(b.ID, map[string]any{"old_practitioner_id": bob, "new_practitioner_id": ada}).faults("old_practitioner_id")
	p.put(b.ID, map[string]any{"old_practitioner_id": ada, "new_practitioner_id": room}).faults("new_practitioner_id")
	p.put(b.ID, map[string]any{"old_practitioner_id": ada, "new_practitioner_id": foreign}).faults("new_practitioner_id")
	p.put(b.ID, map[string]any{"old_practitioner_id": ada, "new_practitioner_id": bob, "practitioner_ids": []any{bob}}).faults("practitioner_ids")
	got := p.put(b.ID, map[string]any{
		"old_practitioner_id": ada, "new_practitioner_id": bob, "old_room_id": room, "new_room_id": room2, "area_ids": []any{area},
	}).want(200).one()
	if !slices.Equal(got.Practitioners, []string{bob}) || !slices.Equal(got.Rooms, []string{room2}) || !slices.Equal(got.Areas, []string{area}) {
		t.Errorf("%+v", got)
	}
	if len(p.Listed(ada)) != 0 || len(p.Listed(bob)) != 1 {
		t.Error("membership")
	}
}

func TestSwapToAPresentTargetMerges(t *testing.T) {
	p := newPlace(t)
	b := p.create(func(b map[string]any) { b["practitioner_ids"] = []any{ada, bob} }).want(201).one()
	if got := p.put(b.ID, map[string]any{"old_practitioner_id": ada, "new_practitioner_id": bob}).want(200).one(); !slices.Equal(got.Practitioners, []string{bob}) {
		t.Errorf("%+v", got)
	}
	p.put(b.ID, map[string]any{"old_practitioner_id": bob, "new_practitioner_id": bob}).want(200)
}

func TestChangeOfOneOccurrenceDetachesIt(t *testing.T) {
	p := newPlace(t)
	first := p.series()
	list := p.days("2027-03-01", "2027-03-31")
	second := list[1]
	got := p.put(second.ID, map[string]any{"start_time": "2027-03-03T12:00:00", "practitioner_ids": []any{bob}}).want(201).one()
	if got.ID == second.ID || strings.Contains(got.ID, "_") || got.RecurrenceID != nil || got.StartTime != "2027-03-03T12:00:00+01:00" ||
		got.EndTime != second.EndTime || got.Type != "break" || !slices.Equal(got.Practitioners, []string{bob}) {
		t.Errorf("%+v", got)
	}
	p.do("GET", "/shop/blocked-times/"+second.ID, "").want(404)
	p.do("GET", "/shop/blocked-times/"+got.ID, "").want(200)
	after := p.days("2027-03-01", "2027-03-31")
	if len(after) != len(list) {
		t.Fatal(starts(after))
	}
	for i, b := range after {
		if i != 1 && b.ID != list[i].ID {
			t.Errorf("occurrence %d lost its id", i)
		}
	}
	if data := p.Listed(bob)[0]; !strings.Contains(data, "RELATED-TO;RELTYPE=PARENT:"+*first.RecurrenceID) || strings.Contains(data, "RRULE:FREQ=WEEKLY") {
		t.Error(data)
	}
	if data := p.Listed(ada)[0]; !strings.Contains(data, "EXDATE;TZID=Europe/Berlin:20270303T123000") {
		t.Error(data)
	}
}

func TestUpdateThatChangesNothingDoesNotSplit(t *testing.T) {
	p := newPlace(t)
	first := p.series()
	for _, body := range []map[string]any{
		{}, {"type": "break"}, {"start_time": "2027-03-01T11:30:00Z"}, {"label": nil}, {"practitioner_ids": []any{ada, ada}}, {"recurrence": 5},
	} {
		if got := p.put(first.ID, body).want(200).one(); got.ID != first.ID {
			t.Errorf("%v split", body)
		}
	}
}

func TestSplitOfTheLastOccurrenceRemovesTheSeries(t *testing.T) {
	p := newPlace(t)
	b := p.create(func(b map[string]any) {
		b["recurrence"] = map[string]any{"weekdays": []any{"mon"}, "date_to": "2027-03-01"}
	}).want(201).one()
	got := p.put(b.ID, map[string]any{"label": "Alone"}).want(201).one()
	if data := p.Listed(ada); len(data) != 1 || !strings.Contains(data[0], "UID:"+got.ID) {
		t.Error(data)
	}
	p.do("GET", "/shop/blocked-times/"+b.ID, "").want(404)
}

func TestRecurrenceInUpdateIsIgnored(t *testing.T) {
	p := newPlace(t)
	b := p.create(nil).want(201).one()
	got := p.put(b.ID, map[string]any{"label": "x", "recurrence": map[string]any{"weekdays": []any{1}, "date_to": "2027-12-31"}}).want(200).one()
	if got.RecurrenceID != nil || len(p.days("2027-01-01", "2027-12-31")) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestUpdateLeavesForeignLinesAlone(t *testing.T) {
	p := newPlace(t)
	id := p.create(func(b map[string]any) { b["room_ids"] = []any{room} }).want(201).one().ID
	data := strings.ReplaceAll(p.Listed(ada)[0], "\r\n", "\n")
	const (
		line  = "X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=\"a, b\":geo:52.5,13.3\n"
		alarm = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nDESCRIPTION:x\nEND:VALARM\n"
	)
	p.Put(ada, id+".ics", strings.Replace(data, "END:VEVENT\n", line+alarm+"END:VEVENT\n", 1))
	p.put(id, map[string]any{"start_time": "2027-03-01T12:00:00", "label": "L", "color": "#123456", "type": "other"}).want(200)
	now := p.Listed(room)[0]
	for _, kept := range []string{line, alarm} {
		if !strings.Contains(now, strings.ReplaceAll(kept, "\n", "\r\n")) {
			t.Error(now)
		}
	}
}

func TestParallelUpdatesAllCount(t *testing.T) {
	p := newPlace(t)
	b := p.create(nil).want(201).one()
	bodies := []map[string]any{
		{"label": "L"}, {"notes": "N"}, {"color": "#102030"}, {"type": "other"}, {"room_ids": []any{room}},
	}
	var wg sync.WaitGroup
	for _, body := range bodies {
		q := p.again() // takes no turns with the others: only the ETag keeps them apart
		wg.Go(func() {
			if a := q.put(b.ID, body); a.Status != 200 {
				t.Errorf("%v: %d %s", body, a.Status, a.Raw)
			}
		})
	}
	wg.Wait()
	got := p.do("GET", "/shop/blocked-times/"+b.ID, "").want(200).one()
	if *got.Label != "L" || *got.Notes != "N" || *got.Color != "#102030" || got.Type != "other" || !slices.Equal(got.Rooms, []string{room}) {
		t.Errorf("%+v", got)
	}
}

func TestParallelDeletesOfOneSeriesAllCount(t *testing.T) {
	p := newPlace(t)
	p.series()
	p.create(func(b map[string]any) { b["label"] = "stays" }).want(201)
	list := p.days("2027-03-01", "2027-03-31")
	var wg sync.WaitGroup
	for _, b := range list {
		if b.RecurrenceID == nil {
			continue
		}
		wg.Go(func() {
			if a := p.do("DELETE", "/shop/blocked-times/"+b.ID, ""); a.Status != 204 {
				t.Errorf("%d %s", a.Status, a.Raw)
			}
		})
	}
	wg.Wait()
	if left := p.days("2027-03-01", "2027-03-31"); len(left) != 1 || *left[0].Label != "stays" {
		t.Errorf("%+v", left)
	}
}

func TestDelete(t *testing.T) {
	p := newPlace(t)
	b := p.create(func(b map[string]any) { b["room_ids"] = []any{room} }).want(201).one()
	if a := p.do("DELETE", "/shop/blocked-times/"+b.ID, "").want(204); a.Raw != "" {
		t.Error(a.Raw)
	}
	if len(p.Listed(ada))+len(p.Listed(room)) != 0 {
		t.Error("it leaves every resource")
	}
	p.do("DELETE", "/shop/blocked-times/"+b.ID, "").want(404)
	p.put(b.ID, map[string]any{}).want(404)
}

func TestDeleteOfAnOccurrence(t *testing.T) {
	p := newPlace(t)
	p.series()
	list := p.days("2027-03-01", "2027-03-31")
	for i, b := range list {
		p.do("DELETE", "/shop/blocked-times/"+b.ID, "").want(204)
		p.do("DELETE", "/shop/blocked-times/"+b.ID, "").want(404)
		if left := len(p.days("2027-03-01", "2027-03-31")); left != len(list)-i-1 {
			t.Fatalf("%d left after %d", left, i+1)
		}
	}
	if data := p.Listed(ada); len(data) != 0 {
		t.Errorf("removed with the last instance: %s", data)
	}
}
