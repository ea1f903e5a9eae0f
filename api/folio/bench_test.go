package folio

import (
	"fmt"
	"testing"
	"time"

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
	p.create(body)
	for i := 1; i < calendars; i++ {
		body["assignments"] = []string{fmt.Sprintf("c4c90014-c8c9-4ade-8f24-%012d", i)}
		p.create(body)
	}
	return p
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
	for b.Loop() {
		b.StopTimer()
		p.put(b)
		b.StartTimer()
		p.get(path).want(200)
	}
}

func (p *place) put(b *testing.B) {
	b.Helper()
	at := now.Add(time.Hour).Format("20060102T150405Z")
	o, err := ical.ParseResource([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:e\r\nDTSTAMP:"+at+"\r\nDTSTART:"+at+"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"), ical.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	prepared, err := p.store.Prepare(o)
	if err != nil {
		b.Fatal(err)
	}
	p.update(func(tx *store.Tx) error {
		c, err := ownCalendar(&tx.View)
		if err != nil {
			return err
		}
		_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: c, Name: "e.ics", Object: prepared})
		return err
	})
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
