package folio

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"daybook/api/hours/kept"
	"daybook/api/rest"
	"daybook/store"
)

// page is the part of a list that is asked for.
type page struct {
	offset, limit int
}

const defaultLimit = 10

// checkPage checks offset and limit.
func checkPage(f *rest.Faults, offset, limit rest.Opt[int32]) {
	const message = "must not be negative"
	if offset.Or(0) < 0 {
		f.Add("offset", message)
	}
	if limit.Or(0) < 0 {
		f.Add("limit", message)
	}
}

func pageOf(offset, limit rest.Opt[int32]) page {
	return page{int(offset.Or(0)), int(limit.Or(defaultLimit))}
}

// cut gives the page of a list.
func cut[T any](p page, all []T) []T {
	all = all[min(p.offset, len(all)):]
	return all[:min(p.limit, len(all))]
}

type oneIn struct {
	ID rest.Opt[ident] `path:"calendarId"`
}

// Validate checks that the id can be one.
func (in *oneIn) Validate(f *rest.Faults) { need(f, "calendarId", in.ID) }

func idOf(o rest.Opt[ident]) uuid.UUID { return o.Or(ident{}).UUID }

// get answers one calendar.
func (s *service) get(ctx context.Context, in oneIn) (out Calendar, err error) {
	err = s.hours.View(ctx, callerOf(ctx).at, func(_ *store.View, x *kept.Index) error {
		id := idOf(in.ID)
		c := x.Calendar(id)
		if c == nil {
			return notFound([]uuid.UUID{id}, []uuid.UUID{id})
		}
		out = calendarOut(&c.Calendar)
		return nil
	})
	return out, err
}

type searchIn struct {
	IDs           []ident         `query:"id"`
	ServicePoints []ident         `query:"servicePointId"`
	StartDate     rest.Opt[day]   `query:"startDate"`
	EndDate       rest.Opt[day]   `query:"endDate"`
	Offset        rest.Opt[int32] `query:"offset"`
	Limit         rest.Opt[int32] `query:"limit"`
}

// Validate checks the page.
func (in *searchIn) Validate(f *rest.Faults) { checkPage(f, in.Offset, in.Limit) }

// CalendarCollection is a page of calendars.
type CalendarCollection struct {
	Calendars    []Calendar `json:"calendars"`
	TotalRecords int        `json:"totalRecords" doc:"Of all pages."`
}

// search answers the calendars for which all criteria hold, by their first
// day, then by id.
func (s *service) search(ctx context.Context, in searchIn) (out CalendarCollection, err error) {
	err = s.hours.View(ctx, callerOf(ctx).at, func(_ *store.View, x *kept.Index) error {
		found := candidates(x, in.IDs, in.ServicePoints)
		if d, ok := in.StartDate.Get(); ok {
			found = slices.DeleteFunc(found, func(c *kept.Calendar) bool { return c.End < d.Date })
		}
		if d, ok := in.EndDate.Get(); ok {
			found = slices.DeleteFunc(found, func(c *kept.Calendar) bool { return c.Start > d.Date })
		}
		out = CalendarCollection{Calendars: []Calendar{}, TotalRecords: len(found)}
		for _, c := range cut(pageOf(in.Offset, in.Limit), found) {
			out.Calendars = append(out.Calendars, calendarOut(&c.Calendar))
		}
		return nil
	})
	return out, err
}

// candidates gives the calendars with one of the ids and one of the service
// points, in their order; an empty list stands for all.
func candidates(x *kept.Index, ids, points []ident) []*kept.Calendar {
	var found []*kept.Calendar
	switch {
	case len(ids) > 0:
		for _, id := range distinct(ids) {
			if c := x.Calendar(id.UUID); c != nil {
				found = append(found, c)
			}
		}
	case len(points) > 0:
		seen := map[*kept.Calendar]struct{}{}
		for _, id := range distinct(points) {
			for _, c := range x.Of(id.UUID) {
				if _, again := seen[c]; !again {
					seen[c] = struct{}{}
					found = append(found, c)
				}
			}
		}
	default:
		return slices.Clone(x.Calendars())
	}
	if len(ids) > 0 && len(points) > 0 {
		wanted := map[uuid.UUID]struct{}{}
		for _, id := range points {
			wanted[id.UUID] = struct{}{}
		}
		found = slices.DeleteFunc(found, func(c *kept.Calendar) bool {
			return !slices.ContainsFunc(c.ServicePoints, func(id uuid.UUID) bool { _, ok := wanted[id]; return ok })
		})
	}
	slices.SortFunc(found, kept.ByStart)
	return found
}
