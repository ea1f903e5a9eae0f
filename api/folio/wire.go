package folio

import (
	"strconv"
	"strings"
	"time"

	"daybook/api/hours"
	"daybook/api/rest"
	"daybook/ical"
)

// Bounds of a calendar in a request.
const (
	maxAssignments = 10_000
	maxHours       = 2_000
	maxExceptions  = 2_000
	maxOpenings    = 2_000 // of one exception
)

// Calendar is a calendar as it is answered.
type Calendar struct {
	ID          string           `json:"id,omitempty" format:"uuid"`
	Name        string           `json:"name"`
	StartDate   string           `json:"startDate" format:"date"`
	EndDate     string           `json:"endDate" format:"date" doc:"The last day."`
	Assignments []string         `json:"assignments" format:"uuid"`
	NormalHours []NormalHours    `json:"normalHours"`
	Exceptions  []ExceptionRange `json:"exceptions"`
	Metadata    *Metadata        `json:"metadata,omitempty"`
}

// NormalHours is a weekly opening as it is answered.
type NormalHours struct {
	StartDay  string `json:"startDay" enum:"SUNDAY,MONDAY,TUESDAY,WEDNESDAY,THURSDAY,FRIDAY,SATURDAY"`
	StartTime string `json:"startTime" pattern:"^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$"`
	EndDay    string `json:"endDay" enum:"SUNDAY,MONDAY,TUESDAY,WEDNESDAY,THURSDAY,FRIDAY,SATURDAY"`
	EndTime   string `json:"endTime" pattern:"^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$" doc:"The last open minute."`
}

// ExceptionRange is an exception as it is answered.
type ExceptionRange struct {
	Name      string               `json:"name"`
	StartDate string               `json:"startDate" format:"date"`
	EndDate   string               `json:"endDate" format:"date"`
	Openings  []ExceptionalOpening `json:"openings"`
}

// ExceptionalOpening is an opening of an exception as it is answered.
type ExceptionalOpening struct {
	StartDate string `json:"startDate" format:"date"`
	StartTime string `json:"startTime" pattern:"^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$"`
	EndDate   string `json:"endDate" format:"date"`
	EndTime   string `json:"endTime" pattern:"^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$"`
}

// Metadata tells who wrote a calendar, and when.
type Metadata struct {
	CreatedDate     string `json:"createdDate,omitempty" format:"date-time"`
	CreatedByUserID string `json:"createdByUserId,omitempty" format:"uuid"`
	UpdatedDate     string `json:"updatedDate,omitempty" format:"date-time"`
	UpdatedByUserID string `json:"updatedByUserId,omitempty" format:"uuid"`
}

func calendarOut(c *hours.Calendar) Calendar {
	m := &Metadata{CreatedDate: instant(c.Created), UpdatedDate: instant(c.Updated)}
	if c.CreatedBy.Valid {
		m.CreatedByUserID = c.CreatedBy.UUID.String()
	}
	if c.UpdatedBy.Valid {
		m.UpdatedByUserID = c.UpdatedBy.UUID.String()
	}
	return Calendar{
		ID: c.ID.String(), Name: c.Name, StartDate: c.Start.String(), EndDate: c.End.String(),
		Assignments: texts(c.ServicePoints), NormalHours: hoursOut(c.Hours), Exceptions: exceptionsOut(c.Exceptions), Metadata: m,
	}
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return stampMillis(t)
}

func hoursOut(all []hours.Opening) []NormalHours {
	out := make([]NormalHours, len(all))
	for i, o := range all {
		out[i] = NormalHours{weekdayName(o.StartDay), o.Start.String(), weekdayName(o.EndDay), o.End.String()}
	}
	return out
}

func weekdayName(d time.Weekday) string { return strings.ToUpper(d.String()) }

func exceptionsOut(all []hours.Exception) []ExceptionRange {
	out := make([]ExceptionRange, len(all))
	for i := range all {
		out[i] = exceptionOut(&all[i])
	}
	return out
}

func exceptionOut(e *hours.Exception) ExceptionRange {
	out := ExceptionRange{e.Name, e.Start.String(), e.End.String(), make([]ExceptionalOpening, len(e.Openings))}
	for i, s := range e.Openings {
		out.Openings[i] = ExceptionalOpening{s.Start.Date.String(), s.Start.Clock.String(), s.End.Date.String(), s.End.Clock.String()}
	}
	return out
}

// calendarBody is a calendar as it is sent. Ids and metadata in it are
// ignored, like all members that are not known.
type calendarBody struct {
	Name        rest.Opt[string]          `json:"name"`
	StartDate   rest.Opt[day]             `json:"startDate"`
	EndDate     rest.Opt[day]             `json:"endDate"`
	Assignments rest.Opt[[]ident]         `json:"assignments"`
	NormalHours rest.Opt[[]hoursBody]     `json:"normalHours"`
	Exceptions  rest.Opt[[]exceptionBody] `json:"exceptions"`
}

type hoursBody struct {
	StartDay  rest.Opt[weekday] `json:"startDay"`
	StartTime rest.Opt[clock]   `json:"startTime"`
	EndDay    rest.Opt[weekday] `json:"endDay"`
	EndTime   rest.Opt[clock]   `json:"endTime"`
}

type exceptionBody struct {
	Name      rest.Opt[string]        `json:"name"`
	StartDate rest.Opt[day]           `json:"startDate"`
	EndDate   rest.Opt[day]           `json:"endDate"`
	Openings  rest.Opt[[]openingBody] `json:"openings"`
}

type openingBody struct {
	StartDate rest.Opt[day]   `json:"startDate"`
	StartTime rest.Opt[clock] `json:"startTime"`
	EndDate   rest.Opt[day]   `json:"endDate"`
	EndTime   rest.Opt[clock] `json:"endTime"`
}

// need notes that a required value is absent or null.
func need[T any](f *rest.Faults, field string, o rest.Opt[T]) {
	if _, ok := o.Get(); ok || f.Has(field) {
		return
	}
	if o.IsNull() {
		f.Add(field, "must not be null")
		return
	}
	f.Add(field, "is required")
}

// list checks a required list and gives it.
func list[T any](f *rest.Faults, field string, o rest.Opt[[]T], most int) []T {
	need(f, field, o)
	all := o.Or(nil)
	if len(all) > most {
		f.Add(field, "must have at most "+strconv.Itoa(most)+" members")
	}
	if len(all) > most || f.Full() {
		return nil
	}
	return all
}

func (b *calendarBody) validate(f *rest.Faults) {
	need(f, "name", b.Name)
	need(f, "startDate", b.StartDate)
	need(f, "endDate", b.EndDate)
	list(f, "assignments", b.Assignments, maxAssignments)
	for i, h := range list(f, "normalHours", b.NormalHours, maxHours) {
		at := "normalHours." + strconv.Itoa(i)
		if f.At(at) {
			continue
		}
		need(f, at+".startDay", h.StartDay)
		need(f, at+".startTime", h.StartTime)
		need(f, at+".endDay", h.EndDay)
		need(f, at+".endTime", h.EndTime)
	}
	for i, e := range list(f, "exceptions", b.Exceptions, maxExceptions) {
		at := "exceptions." + strconv.Itoa(i)
		if f.At(at) {
			continue
		}
		need(f, at+".name", e.Name)
		need(f, at+".startDate", e.StartDate)
		need(f, at+".endDate", e.EndDate)
		for j, o := range list(f, at+".openings", e.Openings, maxOpenings) {
			at := at + ".openings." + strconv.Itoa(j)
			if f.At(at) {
				continue
			}
			need(f, at+".startDate", o.StartDate)
			need(f, at+".startTime", o.StartTime)
			need(f, at+".endDate", o.EndDate)
			need(f, at+".endTime", o.EndTime)
		}
	}
}

// calendar gives the calendar of a body that was validated. Lists are sets:
// members that are equal collapse to the first. Weekly hours have no seconds.
func (b *calendarBody) calendar() *hours.Calendar {
	c := &hours.Calendar{Name: ical.CleanText(b.Name.Or("")), Start: date(b.StartDate), End: date(b.EndDate)}
	for _, id := range distinct(b.Assignments.Or(nil)) {
		c.ServicePoints = append(c.ServicePoints, id.UUID)
	}
	for _, h := range b.NormalHours.Or(nil) {
		c.Hours = append(c.Hours, hours.Opening{
			StartDay: h.StartDay.Or(weekday{}).Weekday, Start: timeOf(h.StartTime).Minute(),
			EndDay: h.EndDay.Or(weekday{}).Weekday, End: timeOf(h.EndTime).Minute(),
		})
	}
	c.Hours = distinct(c.Hours)
	for _, x := range b.Exceptions.Or(nil) {
		e := hours.Exception{Name: ical.CleanText(x.Name.Or("")), Start: date(x.StartDate), End: date(x.EndDate)}
		for _, o := range x.Openings.Or(nil) {
			e.Openings = append(e.Openings, hours.Span{
				Start: hours.Moment{Date: date(o.StartDate), Clock: timeOf(o.StartTime)},
				End:   hours.Moment{Date: date(o.EndDate), Clock: timeOf(o.EndTime)},
			})
		}
		e.Openings = distinct(e.Openings)
		c.Exceptions = append(c.Exceptions, e)
	}
	c.Exceptions = distinctExceptions(c.Exceptions)
	return c
}

func date(o rest.Opt[day]) hours.Date      { return o.Or(day{}).Date }
func timeOf(o rest.Opt[clock]) hours.Clock { return o.Or(clock{}).Clock }

// distinctExceptions drops exceptions that say what an earlier one says.
func distinctExceptions(all []hours.Exception) []hours.Exception {
	type head struct {
		name       string
		start, end hours.Date
	}
	seen := map[head][]*hours.Exception{}
	out := make([]hours.Exception, 0, len(all))
next:
	for i := range all {
		e := &all[i]
		h := head{e.Name, e.Start, e.End}
		for _, s := range seen[h] {
			if s.Equal(e) {
				continue next
			}
		}
		seen[h] = append(seen[h], e)
		out = append(out, *e)
	}
	return out
}
