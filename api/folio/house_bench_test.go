package folio

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"daybook/api/apitest"
	"daybook/api/rest"
	"daybook/store"
	"daybook/store/storetest"
)

const (
	houseYear        = "/calendar/dates/" + desk + "/all-openings?startDate=2027-01-01&endDate=2027-12-31&includeClosed=true&limit=365"
	houseSurrounding = "/calendar/dates/" + desk + "/surrounding-openings?date=2027-07-15" // in a closure
)

// BenchmarkHouseYear asks for all days of a year of a service point, beside a
// hundred others with calendars of their own, and prints the median beside the
// mean. The calendars are in the organisation's own calendar: the events of
// its resources must cost nothing.
func BenchmarkHouseYear(b *testing.B) { benchmarkHouse(b, houseYear, nil) }

// BenchmarkHouseSurrounding asks for a day and the open days around it.
func BenchmarkHouseSurrounding(b *testing.B) { benchmarkHouse(b, houseSurrounding, nil) }

// BenchmarkHouseYearAfterAChange asks for the year where each time another
// closure has been put into the same calendar.
func BenchmarkHouseYearAfterAChange(b *testing.B) {
	benchmarkHouse(b, houseYear, func(s *store.Store, i int) error {
		return s.Update(b.Context(), func(tx *store.Tx) error {
			return putText(tx, s, "closure.ics", fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:closure\r\n"+
				"DTSTAMP:20270101T000000Z\r\nDTSTART;VALUE=DATE:20270301\r\nSUMMARY:Closed %d\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", i))
		})
	})
}

// benchmarkHouse asks for a path again and again, in houses of all sizes.
// change, if any, runs before each request, untimed.
func benchmarkHouse(b *testing.B, path string, change func(s *store.Store, i int) error) {
	for _, events := range storetest.Sizes() {
		b.Run(fmt.Sprintf("events=%d", events), func(b *testing.B) {
			h := storetest.Load(b, events)
			api, err := New(rest.Options{Store: h.Store, Now: func() time.Time { return storetest.Start }}).Handler()
			if err != nil {
				b.Fatal(err)
			}
			token := h.Token(b)
			request := func(method, path, body string) *http.Request {
				r := httptest.NewRequest(method, path, strings.NewReader(body))
				r.Header.Set("x-okapi-tenant", "demo")
				r.Header.Set("x-okapi-token", token)
				return r
			}
			var filled, took apitest.Timings
			for i := range 101 {
				point := desk
				if i > 0 {
					point = fmt.Sprintf("c4c90014-c8c9-4ade-8f24-%012d", i)
				}
				filled.Ask(b, api, request(http.MethodPost, "/calendar/calendars", apitest.JSON(b, houseCalendar(point))), http.StatusCreated)
			}
			for i := 0; b.Loop(); i++ {
				if change != nil {
					b.StopTimer()
					if err := change(h.Store, i); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
				took.Ask(b, api, request(http.MethodGet, path, ""), http.StatusOK)
			}
			took.Report(b)
		})
	}
}

// houseCalendar is a year of a library, with two openings on most days, a
// night, and a dozen exceptions.
func houseCalendar(point string) js {
	c := plain("2027-01-01", "2027-12-31", point)
	var hours []string
	for _, d := range []string{"MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"} {
		hours = append(hours, d+" 09:00 "+d+" 12:29", d+" 13:30 "+d+" 17:59")
	}
	c["normalHours"] = weekly(append(hours, "SATURDAY 10:00 SUNDAY 01:59")...)
	exceptions := make([]js, 12)
	for i := range exceptions {
		first, last := fmt.Sprintf("2027-%02d-10", i+1), fmt.Sprintf("2027-%02d-20", i+1)
		exceptions[i] = js{"name": fmt.Sprint("exception ", i), "startDate": first, "endDate": last, "openings": []js{}}
		if i%2 == 1 {
			exceptions[i]["openings"] = []js{{"startDate": first, "startTime": "10:00", "endDate": last, "endTime": "12:00"}}
		}
	}
	c["exceptions"] = exceptions
	return c
}
