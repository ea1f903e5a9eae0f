package folio

import (
	"net/url"
	"testing"
)

// FuzzBody sends anything as a calendar: it is stored and answered alike, or
// refused in the API's shape, and never breaks what is there.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{"name":"n","startDate":"2031-01-01","endDate":"9999-12-31","assignments":["` + desk + `"],"normalHours":[{"startDay":"FRIDAY","startTime":"20:00","endDay":"MONDAY","endTime":"06:00"}],"exceptions":[]}`,
		`{"name":"\u0001","startDate":"0001-01-01","endDate":"0001-01-01","assignments":[],"normalHours":[{"startDay":"monday","startTime":"00:00","endDay":"MONDAY","endTime":"23:59"}],"exceptions":[{"name":"x","startDate":"0001-01-01","endDate":"0001-01-01","openings":[{"startDate":"0001-01-01","startTime":"00:00:00","endDate":"0001-01-01","endTime":"23:59:59"}]}]}`,
		`{"name":"e","startDate":"9999-12-31","endDate":"9999-12-31","assignments":[],"normalHours":[{"startDay":"FRIDAY","startTime":"23:00","endDay":"FRIDAY","endTime":"04:00"}],"exceptions":[{"name":"x","startDate":"9999-12-31","endDate":"9999-12-31","openings":[{"startDate":"9999-12-31","startTime":"00:00","endDate":"9999-12-31","endTime":"23:59"}]}]}`,
		`{"name":null}`, `[`, ``,
	} {
		f.Add(s)
	}
	p := newPlace(f)
	f.Fuzz(func(t *testing.T, body string) {
		p := *p
		p.T = t
		a := p.post(body)
		switch a.Status {
		case 201:
		case 400, 409, 413:
			if len(read[ErrorBody](a).Errors) == 0 {
				t.Fatal(a.Raw)
			}
			return
		default:
			t.Fatalf("%d %s", a.Status, a.Raw)
		}
		c := a.calendar()
		if got := p.get(path(c.ID)).want(200).Raw; got != a.Raw {
			t.Fatalf("got %s want %s", got, a.Raw)
		}
		u := p.do("PUT", path(c.ID), c).want(200).calendar()
		if u.Metadata = c.Metadata; len(u.NormalHours) != len(c.NormalHours) || len(u.Exceptions) != len(c.Exceptions) {
			t.Fatalf("got %+v want %+v", u, c)
		}
		p.do("DELETE", path(c.ID), nil).want(204)
	})
}

// FuzzQuery asks with anything.
func FuzzQuery(f *testing.F) {
	f.Add(desk, "2031-01-01", "2031-12-31", "true", "0", "10")
	f.Add("x", "0001-01-01", "9999-12-31", "on", "2147483647", "2147483647")
	f.Add(desk, "9999-12-31", "0001-01-01", "", "-1", "1e3")
	p := newPlace(f)
	p.create(summer(desk))
	shared := p
	f.Fuzz(func(t *testing.T, point, from, to, closed, offset, limit string) {
		p := *shared
		p.T = t
		if limit == "2147483647" && closed != "" {
			limit = "1000" // the answer is as long as is asked for
		}
		q := url.Values{"startDate": {from}, "endDate": {to}, "includeClosed": {closed}, "offset": {offset}, "limit": {limit}, "date": {from}, "id": {point}}.Encode()
		for _, path := range []string{"/calendar/calendars?", "/calendar/dates/" + url.PathEscape(point) + "/all-openings?", "/calendar/dates/" + url.PathEscape(point) + "/surrounding-openings?"} {
			if a := p.get(path + q); a.Status >= 500 {
				t.Fatalf("%s: %d %s", path+q, a.Status, a.Raw)
			}
		}
	})
}
