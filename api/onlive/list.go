package onlive

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"daybook/api/rest"
	"daybook/ical/span"
	"daybook/store"
)

// Bounds of lists.
const (
	defaultLimit = 20
	maxLimit     = 100
	maxPage      = 1_000_000
	maxFound     = 50_000 // blocks that are counted for one list
	yearsBack    = 1      // of a list without dates
	yearsAhead   = 10
	maxListDays  = (yearsBack + yearsAhead) * 366
)

// Page is one page of a list.
type Page[T any] struct {
	Items []T `json:"items"`
	Total int `json:"total" doc:"On all pages."`
	Page  int `json:"page" doc:"From 1."`
	Limit int `json:"limit"`
}

// paging is how every list is cut.
type paging struct {
	Page  rest.Opt[int] `query:"page"`
	Limit rest.Opt[int] `query:"limit"`
}

func (p *paging) check(f *rest.Faults) {
	if n, ok := p.Page.Get(); ok && !f.Has("page") && (n < 1 || n > maxPage) {
		f.Add("page", "must be a number from 1 on")
	}
	if n, ok := p.Limit.Get(); ok && !f.Has("limit") && (n < 1 || n > maxLimit) {
		f.Add("limit", "must be a number from 1 to 100")
	}
}

// pageOf cuts the page out of all, and makes an answer of what is on it.
func pageOf[A, T any](p paging, all []A, answer func(A) T) Page[T] {
	out := Page[T]{Items: []T{}, Total: len(all), Page: p.Page.Or(1), Limit: p.Limit.Or(defaultLimit)}
	from := min((out.Page-1)*out.Limit, len(all))
	for _, a := range all[from:min(from+out.Limit, len(all))] {
		out.Items = append(out.Items, answer(a))
	}
	return out
}

// bound is an instant, or a day of UTC.
type bound struct {
	instant
	day bool
}

// UnmarshalText reads YYYY-MM-DD or an instant.
func (b *bound) UnmarshalText(text []byte) error {
	if t, err := time.Parse(time.DateOnly, string(text)); err == nil && t.Year() >= 1900 && t.Year() <= maxYear {
		b.Time, b.day = t, true
		return nil
	}
	if b.instant.UnmarshalText(text) != nil {
		return errors.New("must be a date, or a time in UTC, in ISO 8601")
	}
	return nil
}

// listIn asks for blocks. Those that touch the dates are listed, days inclusive;
// without dates those of a year back and ten ahead.
type listIn struct {
	paging
	Search    rest.Opt[string]   `query:"search" doc:"In title, description and external id, in any case."`
	StartDate rest.Opt[bound]    `query:"startDate"`
	EndDate   rest.Opt[bound]    `query:"endDate"`
	Calendars rest.Opt[[]string] `query:"calendarIds"`
}

// Validate checks what needs no store.
func (in *listIn) Validate(f *rest.Faults) {
	in.check(f)
	checkText(f, "search", &in.Search, maxTitle)
	for _, id := range in.Calendars.Or(nil) {
		if _, err := parseUUID(id); err != nil {
			f.Add("calendarIds", "must hold valid UUIDs only")
		}
	}
	from, ok1 := in.StartDate.Get()
	to, ok2 := in.EndDate.Get()
	if !ok1 || !ok2 || f.Has("startDate") || f.Has("endDate") {
		return
	}
	switch length := to.end().Sub(from.Time); {
	case length <= 0:
		f.Add("endDate", "must be after startDate")
	case length > maxListDays*24*time.Hour:
		f.Add("endDate", "must be at most eleven years after startDate")
	}
}

// end gives the end of a range that ends with the bound.
func (b bound) end() time.Time {
	if b.day {
		return b.AddDate(0, 0, 1)
	}
	return b.Time
}

// window gives the dates that a list asks for.
func (in *listIn) window(now time.Time) span.Span {
	from, ok1 := in.StartDate.Get()
	to, ok2 := in.EndDate.Get()
	switch {
	case ok1 && ok2:
		return span.Span{Start: from.Time, End: to.end()}
	case ok1:
		return span.Span{Start: from.Time, End: from.AddDate(yearsBack+yearsAhead, 0, 0)}
	case ok2:
		return span.Span{Start: to.end().AddDate(-yearsBack-yearsAhead, 0, 0), End: to.end()}
	}
	return span.Span{Start: now.AddDate(-yearsBack, 0, 0), End: now.AddDate(yearsAhead, 0, 0)}
}

// listed answers blocks in order of start, end and id, in one of the spellings.
func listed[T any](s *service, spell func(*block) T) func(context.Context, listIn) (Page[T], error) {
	return func(ctx context.Context, in listIn) (out Page[T], err error) {
		err = s.view(ctx, func(v *store.View, a *store.Actor, org *store.Principal) error {
			rows, err := rowsOf(v, a, org, &in, in.window(s.now()))
			if err != nil {
				return err
			}
			l := &lister{v: v, a: a, org: org, search: strings.ToLower(in.Search.Or(""))}
			if l.search == "" { // only what is on the page is read
				page := pageOf(in.paging, rows, func(r store.Row) store.Row { return r })
				read, err := l.read(ctx, page.Items)
				out = pageOf(paging{}, nil, spell)
				for _, b := range read {
					out.Items = append(out.Items, spell(b))
				}
				out.Total, out.Page, out.Limit = page.Total, page.Page, page.Limit
				return err
			}
			read, err := l.read(ctx, rows)
			out = pageOf(in.paging, read, spell)
			return err
		})
		return out, err
	}
}

// rowsOf gives the instances of blocks in the window, in all calendars that the
// actor may read; each once, in however many it is.
func rowsOf(v *store.View, a *store.Actor, org *store.Principal, in *listIn, w span.Span) ([]store.Row, error) {
	owners, err := v.Principals(org.ID, store.KindOrganisation,
		store.KindStaff, store.KindRoom, store.KindArea, store.KindServicePoint, store.KindCalendar)
	if err != nil {
		return nil, err
	}
	type instance struct {
		object store.ObjectID
		rid    int64
	}
	seen := map[instance]bool{}
	var out []store.Row
	for _, p := range owners {
		if !in.wants(p) || !v.Rights(a, p.ID).Has(store.RightRead) {
			continue
		}
		c, err := v.Calendar(p.ID)
		if err != nil {
			return nil, err
		}
		rows, err := v.Instances(c.ID, w, v.Zone(org))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			at := instance{r.Object, r.RecurrenceID}
			if r.Flags&store.RowBlock == 0 || r.Flags.Kind() != "VEVENT" || r.Start >= r.End || seen[at] {
				continue
			}
			seen[at] = true
			if out = append(out, r); len(out) > maxFound {
				return nil, rest.Invalid("endDate", "asks for more blocks than one list may have")
			}
		}
	}
	slices.SortFunc(out, func(a, b store.Row) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.Object, b.Object))
	})
	return out, nil
}

// wants reports whether the list asks for a calendar.
func (in *listIn) wants(p *store.Principal) bool {
	ids, ok := in.Calendars.Get()
	return !ok || slices.ContainsFunc(ids, func(id string) bool { return strings.EqualFold(id, p.UUID.String()) })
}

// lister reads blocks that rows name; one of a series is looked up once.
type lister struct {
	v      *store.View
	a      *store.Actor
	org    *store.Principal
	search string
}

// read gives the blocks of the rows that match the search. One that does not
// parse is left out: it must not take the others with it.
func (l *lister) read(ctx context.Context, rows []store.Row) ([]*block, error) {
	known := map[store.ObjectID]*found{}
	var out []*block
	for _, r := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f := known[r.Object]
		if f == nil {
			var err error
			if f, err = l.find(r.Object); err != nil {
				return nil, err
			}
			known[r.Object] = f
		}
		var id appointmentID
		if r.Flags&store.RowRecurs != 0 {
			id.rid = time.Unix(r.RecurrenceID, 0).UTC()
		}
		b, err := f.read(l.v, id)
		if errors.Is(err, errSaid) {
			continue // there is no such block any more, or it cannot be read
		}
		if err != nil {
			return nil, err
		}
		if b.matches(l.search) {
			out = append(out, b)
		}
	}
	return out, nil
}

func (l *lister) find(id store.ObjectID) (*found, error) {
	obj, err := l.v.ObjectFacts(id)
	if err != nil {
		return nil, err
	}
	identity, err := l.v.Identity(l.org.ID, obj.UID)
	if err != nil {
		return nil, err
	}
	f := &found{org: l.org, zone: l.v.Zone(l.org), uuid: identity.UUID, obj: obj}
	_, err = f.locate(l.v, l.a)
	return f, err
}

func (b *block) matches(search string) bool {
	if search == "" {
		return true
	}
	return slices.ContainsFunc([]string{b.title(), b.says.Notes, b.says.ExternalID}, func(s string) bool {
		return strings.Contains(strings.ToLower(s), search)
	})
}
