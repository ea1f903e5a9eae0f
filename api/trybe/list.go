package trybe

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/blocks"
	"daybook/api/known"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// maxListed bounds the blocked times of one answer.
const maxListed = 50_000

type many struct {
	Data []rest.Written[BlockedTime] `json:"data"`
}

// AppendJSON is that of [rest.Appender].
func (m many) AppendJSON(to []byte) []byte {
	return append(rest.AppendArray(append(to, `{"data":`...), m.Data), '}')
}

func (s *service) mayList(ctx context.Context, in listIn) error {
	return s.mayUse(ctx, in.Site, store.RightRead)
}

// list answers the blocked times that intersect the days, both inclusive, in
// order of start, end and id.
func (s *service) list(ctx context.Context, in listIn) (many, error) {
	id, _ := in.Site.Get()
	from, _ := in.From.Get()
	to, _ := in.To.Get()
	l := listing{known: s.known}
	err := s.store.View(ctx, func(v *store.View) error {
		at, err := siteOf(v, auth.Actor(ctx), id.UUID, store.RightRead)
		if err != nil {
			return err
		}
		l.v, l.site = v, at
		return l.read(ctx, span.Span{Start: at.zone.Instant(from.Time), End: at.zone.Instant(to.AddDate(0, 0, 1))})
	})
	if err != nil {
		return many{}, err
	}
	return many{Data: l.answer()}, nil
}

// said is what is kept of a component: the block that it describes, without
// times, and how the only instance of its object was last written.
type said struct {
	blocks.Block
	shown atomic.Pointer[shown]
}

// shown is a blocked time as it is answered at a site in a zone.
type shown struct {
	zone       *ical.Zone
	start, end int64
	json       rest.Written[BlockedTime]
}

func saidOf(c *ical.Component) *said { return &said{Block: blocks.Read(ical.Instance{Component: c})} }

// listing collects the blocked times of one answer.
type listing struct {
	v     *store.View
	site  site
	known *known.Objects[*said]
	spots map[store.CollectionID]spot // that were looked up
	found []listed
}

// listed is one blocked time of a list, and what the list is ordered by.
type listed struct {
	row  store.Row
	id   uuid.UUID
	json rest.Written[BlockedTime]
}

// read finds the blocks of the site's own calendar and of its resources, each
// instance once, in however many calendars it is.
func (l *listing) read(ctx context.Context, w span.Span) error {
	rows, err := l.v.BlockInstances(l.site.org.ID, w, l.site.zone)
	if err != nil {
		return err
	}
	l.spots, l.found = map[store.CollectionID]spot{}, make([]listed, 0, len(rows))
	for _, r := range rows {
		if r.Start == r.End || r.Flags&store.RowRest != 0 {
			continue // without length it takes no time; what stands for uncounted instances is none
		}
		if err := l.add(r); err != nil {
			return err
		}
		if len(l.found) > maxListed {
			return rest.Invalid("date_to", "asks for more blocked times than one answer may have")
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (l *listing) add(r store.Row) error {
	o, err := l.known.Of(l.v, r.Object)
	if err != nil {
		return err
	}
	part := o.Part(r, l.site.zone)
	if part == nil {
		return nil // cannot be read: it must not take the others with it
	}
	recurs := r.Flags&store.RowRecurs != 0
	if s := (*part).shown.Load(); s != nil && !recurs && s.zone == l.site.zone && s.start == r.Start && s.end == r.End {
		l.found = append(l.found, listed{r, o.Identity.UUID, s.json})
		return nil
	}
	where, visible, err := whereIs(l.v, o.Object, l.spots)
	if err != nil || !visible {
		return err
	}
	b := block{found: found{l.site, o.Identity, o.Object, where}, now: (*part).Block}
	b.now.Start, b.now.End = time.Unix(r.Start, 0).UTC(), time.Unix(r.End, 0).UTC()
	if recurs {
		b.now.RecurrenceID = time.Unix(r.RecurrenceID, 0).UTC()
	}
	json, err := rest.Write(b.answer())
	if err != nil {
		return err
	}
	if !recurs {
		(*part).shown.Store(&shown{l.site.zone, r.Start, r.End, json})
	}
	l.found = append(l.found, listed{r, o.Identity.UUID, json})
	return nil
}

// answer puts what was found in order of start, end and id: the text of an id
// is ordered as its UUID and its RECURRENCE-ID are.
func (l *listing) answer() []rest.Written[BlockedTime] {
	slices.SortFunc(l.found, func(a, b listed) int {
		return cmp.Or(cmp.Compare(a.row.Start, b.row.Start), cmp.Compare(a.row.End, b.row.End),
			bytes.Compare(a.id[:], b.id[:]), cmp.Compare(a.row.RecurrenceID, b.row.RecurrenceID))
	})
	out := make([]rest.Written[BlockedTime], len(l.found))
	for i := range l.found {
		out[i] = l.found[i].json
	}
	return out
}
