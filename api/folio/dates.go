package folio

import (
	"context"

	"daybook/api/hours"
	"daybook/api/hours/kept"
	"daybook/api/rest"
	"daybook/store"
)

// maxDays bounds the days of one answer: a larger limit gives that many, and
// the rest is on the next pages.
const maxDays = 100_000

// SingleDayOpening is the hours of one day.
type SingleDayOpening struct {
	Date          string       `json:"date" pattern:"^(\\+1)?[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"YYYY-MM-DD; the day after 9999-12-31 is +10000-01-01."`
	AllDay        bool         `json:"allDay" doc:"Open, or closed, the whole day."`
	Open          bool         `json:"open"`
	Exceptional   bool         `json:"exceptional"`
	ExceptionName *string      `json:"exceptionName,omitempty" doc:"With Exceptional."`
	Openings      []DayOpening `json:"openings"`
}

// DayOpening is a part of a day that is open.
type DayOpening struct {
	StartTime string `json:"startTime" pattern:"^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$"`
	EndTime   string `json:"endTime" pattern:"^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$"`
}

func dayOut(d *hours.Day) SingleDayOpening {
	out := SingleDayOpening{
		Date: d.Date.String(), AllDay: d.AllDay, Open: d.Open, Exceptional: d.Exceptional, Openings: make([]DayOpening, len(d.Openings)),
	}
	if d.Exceptional {
		out.ExceptionName = &d.Exception
	}
	for i, o := range d.Openings {
		out.Openings[i] = DayOpening{o.Start.String(), o.End.String()}
	}
	return out
}

type allOpeningsIn struct {
	ServicePoint  rest.Opt[ident] `path:"servicePointId"`
	StartDate     rest.Opt[day]   `query:"startDate"`
	EndDate       rest.Opt[day]   `query:"endDate"`
	IncludeClosed rest.Opt[truth] `query:"includeClosed"`
	Offset        rest.Opt[int32] `query:"offset"`
	Limit         rest.Opt[int32] `query:"limit"`
}

// Validate checks that the range is whole, and the page.
func (in *allOpeningsIn) Validate(f *rest.Faults) {
	need(f, "servicePointId", in.ServicePoint)
	need(f, "startDate", in.StartDate)
	need(f, "endDate", in.EndDate)
	need(f, "includeClosed", in.IncludeClosed)
	checkPage(f, in.Offset, in.Limit)
}

// SingleDayOpeningCollection is a page of days.
type SingleDayOpeningCollection struct {
	Dates        []SingleDayOpening `json:"dates"`
	TotalRecords int                `json:"totalRecords" doc:"Of all pages."`
}

// allOpenings answers the days of a range.
func (s *service) allOpenings(ctx context.Context, in allOpeningsIn) (out SingleDayOpeningCollection, err error) {
	t, err := s.timeline(ctx, in.ServicePoint)
	if err != nil {
		return out, err
	}
	p := pageOf(in.Offset, in.Limit)
	days, total := t.Days(date(in.StartDate), date(in.EndDate), in.IncludeClosed.Or(truth{}).on, p.offset, min(p.limit, maxDays))
	out = SingleDayOpeningCollection{Dates: make([]SingleDayOpening, len(days)), TotalRecords: total}
	for i := range days {
		out.Dates[i] = dayOut(&days[i])
	}
	return out, nil
}

// timeline gives the hours of a service point. Nobody keeps a list of service
// points here: one that no calendar names is closed, not unknown.
func (s *service) timeline(ctx context.Context, id rest.Opt[ident]) (t *hours.Timeline, err error) {
	err = s.hours.View(ctx, callerOf(ctx).at, func(_ *store.View, x *kept.Index) error {
		t = x.Timeline(idOf(id))
		return nil
	})
	return t, err
}

type surroundingIn struct {
	ServicePoint rest.Opt[ident] `path:"servicePointId"`
	Date         rest.Opt[day]   `query:"date"`
}

// Validate checks that both are there.
func (in *surroundingIn) Validate(f *rest.Faults) {
	need(f, "servicePointId", in.ServicePoint)
	need(f, "date", in.Date)
}

// SurroundingOpenings is a day between the nearest open days.
type SurroundingOpenings struct {
	Openings [3]SingleDayOpening `json:"openings"`
}

// surrounding answers the latest open day before a date, the date itself, and
// the earliest open day after it.
func (s *service) surrounding(ctx context.Context, in surroundingIn) (out SurroundingOpenings, err error) {
	t, err := s.timeline(ctx, in.ServicePoint)
	if err != nil {
		return out, err
	}
	for i, d := range t.Surrounding(date(in.Date)) {
		out.Openings[i] = dayOut(&d)
	}
	return out, nil
}
