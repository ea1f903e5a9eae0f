package main

import (
	"strings"
	"testing"
	"time"
)

// nightsOfAClockChange: who closes at 07:45 does so in the nights in which the
// clock is put forward and back too, in every face.
func nightsOfAClockChange(t *testing.T, w *world) {
	w = w.on(t)
	made := w.rest("POST", "/calendar/calendars", jsonOf(t, map[string]any{
		"name": "Nights", "startDate": "2031-01-01", "endDate": "2031-12-31", "assignments": []any{facesDesk}, "exceptions": []any{},
		"normalHours": []any{map[string]any{"startDay": "SATURDAY", "startTime": "22:15", "endDay": "SUNDAY", "endTime": "07:44"}},
	})).want(201).json()
	for _, night := range []struct {
		sunday time.Time
		length time.Duration
	}{
		{time.Date(2031, 3, 23, 0, 0, 0, 0, berlinTime), 9*time.Hour + 30*time.Minute},
		{time.Date(2031, 3, 30, 0, 0, 0, 0, berlinTime), 8*time.Hour + 30*time.Minute},
		{time.Date(2031, 10, 26, 0, 0, 0, 0, berlinTime), 10*time.Hour + 30*time.Minute},
	} {
		date := night.sunday.Format(time.DateOnly)
		from, to := night.sunday.AddDate(0, 0, -1), night.sunday.AddDate(0, 0, 1)
		open := time.Date(from.Year(), from.Month(), from.Day(), 22, 15, 0, 0, berlinTime)
		same := func(face string, start, end time.Time) {
			t.Helper()
			if !start.Equal(open) || end.Sub(start) != night.length {
				t.Errorf("%s, %s: %s to %s", date, face, start.In(berlinTime), end.In(berlinTime))
			}
		}
		folio := w.get("/calendar/dates/" + facesDesk + "/all-openings?startDate=" + date + "&endDate=" + date + "&includeClosed=false")
		if got := dig(folio, "dates", 0, "openings", 0, "endTime"); got != "07:44:00" {
			t.Errorf("FOLIO, %s: %v", date, folio)
		}
		openings := list(dig(w.get("/v1/resources/desk/openings?from="+stamp8601(from)+"&to="+stamp8601(to)), "items"))
		if len(openings) != 1 {
			t.Fatal(date, openings)
		}
		same("openings", instantOf(t, dig(openings, 0, "start")), instantOf(t, dig(openings, 0, "end")))
		days := w.get("/v1/resources/desk/hours/days?from=" + date + "&to=" + date)
		if got := dig(days, "items", 0, "open", 0, "closes"); got != "07:45" {
			t.Errorf("days, %s: %v", date, days)
		}
		window := "?from=" + from.Format(time.DateOnly) + "&to=" + to.Format(time.DateOnly)
		if osm := w.rest("GET", "/v1/resources/desk/hours.osm"+window, "").want(200).body; !strings.Contains(osm, "07:45") || strings.Contains(osm, "08:45") || strings.Contains(osm, "06:45") {
			t.Errorf("%s: %s", date, osm)
		}
		ends := "\r\nDTEND;TZID=Europe/Berlin:" + night.sunday.Format("20060102") + "T074500\r\n"
		if feed := w.rest("GET", "/v1/resources/desk/hours.ics"+window, "").want(200).body; !strings.Contains(feed, ends) || strings.Count(feed, "BEGIN:VEVENT") != 1 {
			t.Errorf("%s: %s", date, feed)
		}
	}
	id, _ := dig(made, "id").(string)
	w.rest("DELETE", "/calendar/calendars/"+id, "").want(204)
	*w.dirty = false
}
