package house

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"daybook/api/hours"
	"daybook/api/hours/sign"
	"daybook/api/rest"
	"daybook/ical/span"
	"daybook/store"
)

// signRoutes are the hours as they come out, after exceptions, priorities and
// closures: by day, and in the forms that others read.
func (s *service) signRoutes() []rest.Route {
	var out []rest.Route
	for _, of := range []struct{ path, name string }{
		{base + "/resources/{resource}/hours", "a resource"},
		{base + "/organisations/{organisation}/hours", "the organisation"},
	} {
		out = append(out,
			rest.Route{Pattern: "GET " + of.path + "/days", Summary: "List the days of a range with the hours of " + of.name, Op: signOp(of.path, s.hoursDays)},
			rest.Route{Pattern: "GET " + of.path + ".jsonld", Summary: "Get the hours of " + of.name + " for search engines (schema.org)", Media: "application/ld+json", Op: signOp(of.path, s.hoursSchema)},
			rest.Route{Pattern: "GET " + of.path + ".osm", Summary: "Get the hours of " + of.name + " for maps (opening_hours of OpenStreetMap)", Media: "text/plain", Op: signOp(of.path, s.hoursOSM)},
			rest.Route{Pattern: "GET " + of.path + ".ics", Summary: "Get the hours of " + of.name + " as a calendar (iCalendar)", Media: "text/calendar", Op: signOp(of.path, s.hoursICS)},
		)
	}
	return out
}

// signIn is the In of all of them.
type signIn interface {
	owned
	days() *daysIn
}

type (
	resourceDaysIn struct {
		resourceIn
		daysIn
	}
	organisationDaysIn struct {
		organisationIn
		daysIn
	}
)

// signOp makes an operation of a function that takes both kinds of In.
func signOp[Out any](path string, fn func(context.Context, signIn) (Out, error)) rest.Operation {
	if path == base+"/resources/{resource}/hours" {
		return rest.Endpoint(http.StatusOK, func(ctx context.Context, in resourceDaysIn) (Out, error) { return fn(ctx, &in) })
	}
	return rest.Endpoint(http.StatusOK, func(ctx context.Context, in organisationDaysIn) (Out, error) { return fn(ctx, &in) })
}

// daysIn is a range of days; both are included.
type daysIn struct {
	From rest.Opt[day] `query:"from"`
	To   rest.Opt[day] `query:"to"`
}

func (in *daysIn) days() *daysIn { return in }

const maxHoursDays = store.MaxOpeningsDays - 2 // a sign looks a day further on both sides

// Validate checks the range.
func (in *daysIn) Validate(f *rest.Faults) {
	from, ok := in.From.Get()
	to, also := in.To.Get()
	switch {
	case !ok || !also || f.Has("from") || f.Has("to"):
	case to.Date < from.Date:
		f.Add("to", "must not be before from")
	case int(to.Date-from.Date) >= maxHoursDays:
		f.Add("to", fmt.Sprintf("must be less than %d days after from", maxHoursDays))
	}
	for name, d := range map[string]rest.Opt[day]{"from": in.From, "to": in.To} {
		if x, ok := d.Get(); ok && (x.Date < hours.MinDate+400 || x.Date > hours.MaxDate-400) && !f.Has(name) {
			f.Add(name, "is too far away")
		}
	}
}

// readSign gives the sign of the owner's hours, and the hours. first and last are
// the days where the range names none.
func (s *service) readSign(ctx context.Context, in signIn, defaults func(today hours.Date) (first, last hours.Date)) (out *sign.Sign, h store.Hours, err error) {
	return out, h, s.view(ctx, func(d *desk) error {
		p, err := in.owner(d, store.RightFreeBusy)
		if err != nil {
			return err
		}
		c, err := d.Calendar(p.ID)
		if err != nil {
			return err
		}
		zone := d.CollectionZone(c)
		from, to := in.days().choose(hours.DateOf(zone.Wall(d.now)), defaults)
		if h, err = d.Hours(p.ID, sign.Window(zone, from, to)); err != nil {
			return err
		}
		place := sign.Place{ID: p.UUID, Name: cmp.Or(p.DisplayName, p.Name), Zone: zone}
		out = sign.New(place, from, to, h.Open, h.Covered)
		return nil
	})
}

// choose gives the days that are asked for. Of a range that names one side
// alone the other is as far away as by default.
func (in *daysIn) choose(today hours.Date, defaults func(hours.Date) (first, last hours.Date)) (from, to hours.Date) {
	first, last := defaults(today)
	switch a, b := in.From.Or(day{first}).Date, in.To.Or(day{last}).Date; {
	case a <= b && int(b-a) < maxHoursDays:
		return a, b
	case in.From.Present():
		return a, a + (last - first)
	default:
		return b - (last - first), b
	}
}

// aWeek is seven days from today on.
func aWeek(today hours.Date) (first, last hours.Date) { return today, today + 6 }

// aYear is the month of today and the twelve after it. It does not move from
// day to day, and so neither does what is told of it.
func aYear(today hours.Date) (first, last hours.Date) {
	y, m, _ := today.Time().Date()
	return hours.DateOf(time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)), hours.DateOf(time.Date(y, m+13, 0, 0, 0, 0, 0, time.UTC))
}

// HoursDay is the hours of one day.
type HoursDay struct {
	Date  string     `json:"date"`
	Known bool       `json:"known" doc:"False: nothing says whether it is open."`
	Open  []OpenPart `json:"open"`
}

// OpenPart is a part of a day that is open.
type OpenPart struct {
	Opens  string `json:"opens"`
	Closes string `json:"closes" doc:"Up to 24:00."`
}

type hoursDaysOut struct {
	Zone  string     `json:"zone"`
	Items []HoursDay `json:"items"`
}

func (s *service) hoursDays(ctx context.Context, in signIn) (out rest.Tagged[hoursDaysOut], err error) {
	x, h, err := s.readSign(ctx, in, aWeek)
	if err != nil {
		return out, err
	}
	out.Value = hoursDaysOut{Zone: h.Zone.Name(), Items: []HoursDay{}}
	for i, open := range x.Minutes() {
		d := x.From + hours.Date(i)
		known := h.Covered.Clip(span.Span{Start: h.Zone.Instant(d.Time()), End: h.Zone.Instant((d + 1).Time())})
		one := HoursDay{Date: d.String(), Known: len(known) > 0, Open: []OpenPart{}}
		for _, o := range open {
			one.Open = append(one.Open, OpenPart{showMinute(int(o.Start / 60)), showMinute(int(o.End / 60))})
		}
		out.Value.Items = append(out.Value.Items, one)
	}
	return out, nil
}

func (s *service) hoursSchema(ctx context.Context, in signIn) (rest.Document, error) {
	x, _, err := s.readSign(ctx, in, aYear)
	if err != nil {
		return rest.Document{}, err
	}
	body, err := json.Marshal(x.Schema())
	if err != nil {
		return rest.Document{}, fmt.Errorf("write hours: %w", err)
	}
	return rest.Document{Type: "application/ld+json", Body: append(body, '\n')}, nil
}

func (s *service) hoursOSM(ctx context.Context, in signIn) (rest.Document, error) {
	x, _, err := s.readSign(ctx, in, aYear)
	if err != nil {
		return rest.Document{}, err
	}
	return rest.Document{Type: "text/plain; charset=utf-8", Body: []byte(x.OSM() + "\n")}, nil
}

func (s *service) hoursICS(ctx context.Context, in signIn) (rest.Document, error) {
	x, _, err := s.readSign(ctx, in, aYear)
	if err != nil {
		return rest.Document{}, err
	}
	body, err := x.ICS()
	return rest.Document{Type: "text/calendar; charset=utf-8", Body: body, Name: "hours.ics"}, err
}
