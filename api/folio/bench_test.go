package folio

import (
	"fmt"
	"strings"
	"testing"

	"daybook/api/apitest"
	"daybook/ical"
	"daybook/store"
)

// busyPlace is a place with calendars calendars of as many service points, one
// with exceptions, and events of other kinds beside them.
func busyPlace(b *testing.B, calendars int) *place {
	p := newPlace(b)
	body := plain("2031-01-01", "2031-12-31", desk)
	var hours []string
	for _, d := range []string{"MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"} {
		hours = append(hours, d+" 09:00 "+d+" 12:29", d+" 13:30 "+d+" 17:59")
	}
	body["normalHours"] = weekly(append(hours, "SATURDAY 10:00 SUNDAY 01:59")...)
	body["exceptions"] = []js{exceptional("a", 1, 3), exceptional("b", 7, 9, "7 10:00 8 12:00")}
	first := p.create(body)
	texts := p.own()
	p.Update(func(tx *store.Tx) error {
		for i := 1; i < calendars; i++ {
			for name, text := range texts {
				text = strings.ReplaceAll(text, desk, fmt.Sprintf("c4c90014-c8c9-4ade-8f24-%012d", i))
				for _, uid := range []string{first.ID, strings.TrimSuffix(name, ".ics")} {
					text = strings.ReplaceAll(text, uid, fmt.Sprintf("%s%04d", uid[:len(uid)-4], i))
				}
				if err := putText(tx, p.Store, fmt.Sprintf("%d-%s", i, name), text); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return p
}

// putText puts an object into the organisation's calendar.
func putText(tx *store.Tx, s *store.Store, name, text string) error {
	o, err := ical.ParseResource([]byte(text), ical.Limits{})
	if err != nil {
		return err
	}
	prepared, err := s.Prepare(o)
	if err != nil {
		return err
	}
	c, err := apitest.CollectionOf(&tx.View, "demo")
	if err != nil {
		return err
	}
	_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: c, Name: name, Object: prepared})
	return err
}

// BenchmarkYear asks for the days of a year, closed ones too.
func BenchmarkYear(b *testing.B) {
	for _, n := range []int{1, 1000} {
		p := busyPlace(b, n)
		b.Run(fmt.Sprintf("calendars=%d", n), func(b *testing.B) {
			path := "/calendar/dates/" + desk + "/all-openings?startDate=2031-01-01&endDate=2031-12-31&includeClosed=true&limit=365"
			for b.Loop() {
				p.get(path).want(200)
			}
		})
	}
}

// BenchmarkYearAfterAChange asks for the same after a change of another kind
// in the same calendar.
func BenchmarkYearAfterAChange(b *testing.B) {
	p := busyPlace(b, 1000)
	path := "/calendar/dates/" + desk + "/all-openings?startDate=2031-01-01&endDate=2031-12-31&includeClosed=true&limit=365"
	event := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:e\r\nDTSTAMP:20310101T000000Z\r\nDTSTART:20310101T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	for b.Loop() {
		b.StopTimer()
		p.Update(func(tx *store.Tx) error { return putText(tx, p.Store, "e.ics", event) })
		b.StartTimer()
		p.get(path).want(200)
	}
}

// BenchmarkSurrounding asks for the days around one.
func BenchmarkSurrounding(b *testing.B) {
	p := busyPlace(b, 1000)
	for b.Loop() {
		p.get("/calendar/dates/" + desk + "/surrounding-openings?date=2031-07-02").want(200)
	}
}

// BenchmarkReplace replaces one calendar of a thousand again and again.
func BenchmarkReplace(b *testing.B) {
	p := busyPlace(b, 1000)
	id := p.create(summer(annex)).ID
	i := 0
	for b.Loop() {
		i++
		p.do("PUT", path(id), with(summer(annex), "name", fmt.Sprint("name ", i))).want(200)
	}
}
