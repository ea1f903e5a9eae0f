package folio

import (
	"reflect"
	"slices"
	"testing"

	"daybook/store"
)

// §3, the example: three days around a concert.
func TestRefExampleOfDays(t *testing.T) {
	p := newPlace(t)
	p.create(summer(desk))
	name := "Concert night"
	want := SingleDayOpeningCollection{[]SingleDayOpening{
		{"2031-07-18", false, true, false, nil, []DayOpening{{"20:00:00", "23:59:00"}}},
		{"2031-07-19", false, true, true, &name, []DayOpening{{"18:00:00", "23:59:00"}}},
		{"2031-07-20", false, true, true, &name, []DayOpening{{"00:00:00", "00:29:00"}}},
	}, 3}
	if got := p.all(desk, "2031-07-18", "2031-07-20", "&includeClosed=false"); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// §5 [ref]: how a day is made.
func TestRefHowADayIsMade(t *testing.T) {
	p := newPlace(t)
	day := func(date string) SingleDayOpening {
		t.Helper()
		return p.all(desk, date, date, "&includeClosed=true").Dates[0]
	}
	id := p.create(with(summer(desk), "endDate", "2031-08-29")).ID // a Friday
	if d := day("2031-07-12"); !d.Open || d.Exceptional {
		t.Errorf("slices belong to weekdays, not to runs of dates: %+v", d)
	}
	if d := day("2031-08-30"); d.Open || d.Exceptional || !d.AllDay || d.Openings == nil {
		t.Errorf("a calendar that ends on Friday does not reach into Saturday: %+v", d)
	}
	if d := day("2031-07-07"); d.Open || !d.Exceptional || !d.AllDay || *d.ExceptionName != "Roof works" {
		t.Errorf("closed by an exception although a Monday: %+v", d)
	}
	if d := day("2031-07-19"); len(d.Openings) != 1 || d.Openings[0].StartTime != "18:00:00" {
		t.Errorf("normal hours are not consulted, not even the tail of the night before: %+v", d)
	}
	body := with(plain("2031-06-07", "2031-06-30", desk), "normalHours", []js{
		{"startDay": "FRIDAY", "startTime": "20:00", "endDay": "MONDAY", "endTime": "06:00"},
		{"startDay": "MONDAY", "startTime": "13:00", "endDay": "MONDAY", "endTime": "14:00"},
	})
	p.do("PUT", path(id), body).want(200)
	for date, want := range map[string][]DayOpening{
		"2031-06-07": {{"00:00:00", "23:59:00"}}, // begins on a Saturday, and is open that morning
		"2031-06-09": {{"00:00:00", "06:00:00"}, {"13:00:00", "14:00:00"}},
		"2031-06-13": {{"20:00:00", "23:59:00"}},
		"2031-06-10": {},
	} {
		if d := day(date); !reflect.DeepEqual(d.Openings, want) || d.AllDay != (date == "2031-06-07" || date == "2031-06-10") {
			t.Errorf("%s: %+v", date, d)
		}
	}
	// All the way round; several slices that meet make a whole day.
	body["normalHours"] = []js{{"startDay": "MONDAY", "startTime": "23:00", "endDay": "MONDAY", "endTime": "04:00"}}
	p.do("PUT", path(id), body).want(200)
	if d := day("2031-06-09"); !reflect.DeepEqual(d.Openings, []DayOpening{{"00:00:00", "04:00:00"}, {"23:00:00", "23:59:00"}}) || d.AllDay {
		t.Errorf("%+v", d)
	}
	if d := day("2031-06-11"); !d.AllDay || !d.Open {
		t.Errorf("%+v", d)
	}
	body["normalHours"] = []js{{"startDay": "TUESDAY", "startTime": "12:00", "endDay": "TUESDAY", "endTime": "23:59"}, {"startDay": "TUESDAY", "startTime": "00:00", "endDay": "TUESDAY", "endTime": "11:59"}}
	p.do("PUT", path(id), body).want(200)
	if d := day("2031-06-10"); !d.AllDay || len(d.Openings) != 2 || d.Openings[0].StartTime != "00:00:00" {
		t.Errorf("not merged, by startTime, and the whole day: %+v", d)
	}
}

// §5 [ref]: slices of exceptional openings, in a zone where no midnight begins
// the day of a clock change (Africa/Cairo, 25 April 2031).
func TestRefDaysOfAnException(t *testing.T) {
	p := newPlace(t)
	p.Update(func(tx *store.Tx) error {
		org, err := tx.PrincipalByName("demo")
		if err != nil {
			return err
		}
		org.Zone = "Africa/Cairo"
		return tx.UpdatePrincipal(org)
	})
	body := with(plain("2031-04-21", "2031-04-30", desk), "normalHours", weekly("SATURDAY 22:00 SATURDAY 05:59"))
	body["exceptions"] = []js{
		{"name": "Night", "startDate": "2031-04-24", "endDate": "2031-04-28", "openings": []js{
			{"startDate": "2031-04-26", "startTime": "18:00", "endDate": "2031-04-26", "endTime": "19:59"},
			{"startDate": "2031-04-24", "startTime": "10:30", "endDate": "2031-04-26", "endTime": "00:29"},
		}},
		{"name": "One day", "startDate": "2031-04-29", "endDate": "2031-04-29", "openings": []js{
			{"startDate": "2031-04-29", "startTime": "00:00:30", "endDate": "2031-04-29", "endTime": "23:59:10"},
		}},
	}
	if c := p.create(body); c.StartDate != "2031-04-21" || c.Exceptions[0].Openings[0].StartTime != "18:00:00" {
		t.Errorf("%+v", c)
	}
	night, one := "Night", "One day"
	open := func(date string, allDay bool, name *string, openings ...DayOpening) SingleDayOpening {
		return SingleDayOpening{date, allDay, true, name != nil, name, openings}
	}
	want := []SingleDayOpening{
		open("2031-04-21", true, nil, DayOpening{"00:00:00", "23:59:00"}), // all the way round the week
		open("2031-04-22", true, nil, DayOpening{"00:00:00", "23:59:00"}),
		open("2031-04-23", true, nil, DayOpening{"00:00:00", "23:59:00"}),
		open("2031-04-24", false, &night, DayOpening{"10:30:00", "23:59:00"}),
		open("2031-04-25", true, &night, DayOpening{"00:00:00", "23:59:00"}),                                      // between first and last day
		open("2031-04-26", false, &night, DayOpening{"00:00:00", "00:29:00"}, DayOpening{"18:00:00", "19:59:00"}), // by startTime
		{"2031-04-27", true, false, true, &night, []DayOpening{}},                                                 // no slice: closed, and listed always
		{"2031-04-28", true, false, true, &night, []DayOpening{}},
		open("2031-04-29", true, &one, DayOpening{"00:00:30", "23:59:10"}), // minutes are compared
		open("2031-04-30", true, nil, DayOpening{"00:00:00", "23:59:00"}),
	}
	if got := p.all(desk, "2031-04-20", "2031-05-01", "&includeClosed=false"); !reflect.DeepEqual(got, SingleDayOpeningCollection{want, 10}) {
		t.Errorf("%+v", got)
	}
	if got := p.around(desk, "2031-04-27"); !reflect.DeepEqual(got, [3]SingleDayOpening{want[5], want[6], want[8]}) {
		t.Errorf("%+v", got)
	}
}

// §5 [seed], [ref]: all-openings.
func TestRefAllOpenings(t *testing.T) {
	p := newPlace(t)
	p.create(summer(desk))
	at := func(query string) SingleDayOpeningCollection {
		t.Helper()
		return read[SingleDayOpeningCollection](p.get("/calendar/dates/" + desk + "/all-openings?" + query).want(200))
	}
	closures := at("startDate=2031-07-06&endDate=2031-07-13&includeClosed=false")
	if closures.TotalRecords != 6 || closures.Dates[0].Date != "2031-07-07" || closures.Dates[5].Date != "2031-07-12" {
		t.Errorf("exceptional closures, always [seed]: %+v", closures)
	}
	if got := at("startDate=2031-07-06&endDate=2031-07-13&includeClosed=true"); got.TotalRecords != 8 || len(got.Dates) != 8 {
		t.Errorf("every date of the range: %+v", got)
	}
	if got := at("startDate=2031-01-01&endDate=2031-12-31&includeClosed=true"); got.TotalRecords != 365 || len(got.Dates) != 10 {
		t.Errorf("the default limit is 10: %+v", got)
	}
	if got := at("startDate=2031-01-01&endDate=2031-12-31&includeClosed=true&offset=364&limit=5"); len(got.Dates) != 1 || got.Dates[0].Date != "2031-12-31" {
		t.Errorf("%+v", got)
	}
	for _, q := range []string{"startDate=2031-07-06&endDate=2031-07-13&includeClosed=false&offset=6", "startDate=2031-07-06&endDate=2031-07-13&includeClosed=false&limit=0"} {
		if got := at(q); got.TotalRecords != 6 || got.Dates == nil || len(got.Dates) != 0 {
			t.Errorf("%s: %+v", q, got)
		}
	}
	if got := at("startDate=2031-07-13&endDate=2031-07-06&includeClosed=true"); got.TotalRecords != 0 || got.Dates == nil {
		t.Errorf("a reversed range is empty [ref]: %+v", got)
	}
	for _, word := range []string{"true", "TRUE", "yes", "on", "1"} {
		if got := at("startDate=2031-07-06&endDate=2031-07-06&includeClosed=" + word); got.TotalRecords != 1 {
			t.Errorf("%s: %+v", word, got)
		}
	}
	for _, word := range []string{"false", "no", "off", "0"} {
		if got := at("startDate=2031-07-06&endDate=2031-07-06&includeClosed=" + word); got.TotalRecords != 0 {
			t.Errorf("%s: %+v", word, got)
		}
	}
	base := "/calendar/dates/" + desk + "/all-openings?"
	for _, q := range []string{
		"endDate=2031-07-13&includeClosed=true", "startDate=2031-07-06&includeClosed=true", "startDate=2031-07-06&endDate=2031-07-13",
		"startDate=2031-07-06&endDate=2031-07-13&includeClosed=maybe", "startDate=2031-7-6&endDate=2031-07-13&includeClosed=true",
		"startDate=2031-07-06&endDate=2031-07-13&includeClosed=true&limit=-1", "startDate=2031-07-06&endDate=2031-07-13&includeClosed=true&offset=-1",
	} {
		p.get(base+q).errors(400, InvalidParameter)
	}
	p.get("/calendar/dates/x/all-openings?startDate=2031-07-06&endDate=2031-07-13&includeClosed=true").errors(400, InvalidParameter)
	p.get(base).errors(400, InvalidParameter, InvalidParameter, InvalidParameter)
}

// §5 [ref]: surrounding openings.
func TestRefSurroundingOpenings(t *testing.T) {
	p := newPlace(t)
	p.create(summer(desk))
	dates := func(date string) (out []string) {
		t.Helper()
		for _, d := range p.around(desk, date) {
			s := d.Date
			if !d.Open {
				s += " closed"
			}
			if d.Exceptional {
				s += " " + *d.ExceptionName
			}
			out = append(out, s)
		}
		return out
	}
	for date, want := range map[string][]string{
		"2031-07-09": {"2031-07-05", "2031-07-09 closed Roof works", "2031-07-12"}, // the example
		"2031-07-18": {"2031-07-14", "2031-07-18", "2031-07-19 Concert night"},     // exceptional openings count
		"2031-06-02": {"2031-06-01 closed", "2031-06-02", "2031-06-06"},            // the stand-in is the day before
		"2001-01-01": {"2000-12-31 closed", "2001-01-01 closed", "2031-06-02"},     // no horizon
		"2071-01-01": {"2031-08-30", "2071-01-01 closed", "2071-01-02 closed"},
	} {
		if got := dates(date); !slices.Equal(got, want) {
			t.Errorf("%s: %v", date, got)
		}
	}
	p.create(plain("2032-01-01", "2032-12-31", desk)) // empty calendars and gaps are passed over
	next := summer(desk)
	next["startDate"], next["endDate"], next["exceptions"] = "2041-01-01", "2041-12-31", []js{}
	p.create(next)
	if got := dates("2036-01-01"); got[0] != "2031-08-30" || got[2] != "2041-01-04" {
		t.Error(got)
	}
	for _, q := range []string{"", "?date=", "?date=x"} {
		p.get("/calendar/dates/"+desk+"/surrounding-openings"+q).errors(400, InvalidParameter)
	}
	p.get("/calendar/dates/x/surrounding-openings?date=2031-01-01").errors(400, InvalidParameter)
}

// The neighbour of the last date is written as Java writes it.
func TestTheDayAfterTheLastDate(t *testing.T) {
	p := newPlace(t)
	around := p.around(annex, "9999-12-31")
	if around[1].Date != "9999-12-31" || around[2].Date != "+10000-01-01" {
		t.Errorf("%+v", around)
	}
}
