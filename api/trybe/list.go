package trybe

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"daybook/api/auth"
	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// maxListed bounds the blocked times of one answer.
const maxListed = 50_000

type many struct {
	Data []BlockedTime `json:"data"`
}

func (s *service) mayList(ctx context.Context, in listIn) error {
	return s.mayUse(ctx, in.Site, store.RightRead)
}

// list answers the blocked times that intersect the days, both inclusive.
func (s *service) list(ctx context.Context, in listIn) (many, error) {
	id, _ := in.Site.Get()
	from, _ := in.From.Get()
	to, _ := in.To.Get()
	var all []*found
	var w span.Span
	err := s.store.View(ctx, func(v *store.View) error {
		at, err := siteOf(v, auth.Actor(ctx), id.UUID, store.RightRead)
		if err != nil {
			return err
		}
		w = span.Span{Start: at.zone.Instant(from.Time), End: at.zone.Instant(to.AddDate(0, 0, 1))}
		all, err = blocksIn(v, at, w)
		return err
	})
	if err != nil {
		return many{}, err
	}
	list, err := expand(ctx, all, w)
	if err != nil {
		return many{}, err
	}
	out := many{Data: make([]BlockedTime, len(list))}
	for i, b := range list {
		out.Data[i] = b.answer()
	}
	return out, nil
}

// blocksIn gives the stored blocks that have an instance in the window, in the
// site's own calendar or those of its resources; each once, in however many it is.
func blocksIn(v *store.View, at site, w span.Span) ([]*found, error) {
	owners, err := v.Principals(at.org.ID, store.KindOrganisation,
		store.KindStaff, store.KindRoom, store.KindArea, store.KindServicePoint, store.KindCalendar)
	if err != nil {
		return nil, err
	}
	seen := map[store.ObjectID]bool{}
	var out []*found
	for _, p := range owners {
		c, err := v.Calendar(p.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		rows, err := v.Instances(c.ID, w, at.zone)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if r.Flags&store.RowBlock == 0 || r.Flags.Kind() != "VEVENT" || seen[r.Object] {
				continue
			}
			seen[r.Object] = true
			f, err := read(v, at, r.Object)
			if err != nil {
				return nil, err
			}
			out = append(out, f)
		}
	}
	return out, nil
}

// read reads a block that an index row names.
func read(v *store.View, at site, id store.ObjectID) (*found, error) {
	obj, err := v.Object(id)
	if err != nil {
		return nil, err
	}
	identity, err := v.Identity(at.org.ID, obj.UID)
	if err != nil {
		return nil, err
	}
	where, _, err := whereIs(v, obj)
	if err != nil {
		return nil, err
	}
	return &found{at, identity, obj, where}, nil
}

// expand gives the instances of the blocks that intersect the window, in order
// of start, end and id. A block that does not parse is left out: it must not
// take the others with it.
func expand(ctx context.Context, all []*found, w span.Span) ([]*block, error) {
	var out []*block
	for _, f := range all {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		o, err := ical.Parse(f.obj.Data, ical.Limits{})
		if err != nil {
			continue
		}
		full := false
		// A rule that is too much work gives what was found until then.
		_ = o.EachInstance(ical.Expand{Window: w, Zone: f.site.zone, Max: maxListed + 1}, func(i *ical.Instance) bool {
			if !i.Span().Overlaps(w) {
				return true // without length: it takes no time
			}
			out = append(out, &block{*f, o, *i, blocks.Read(*i)})
			full = len(out) > maxListed
			return !full
		})
		if full {
			return nil, rest.Invalid("date_to", "asks for more blocked times than one answer may have")
		}
	}
	ids := make(map[*block]string, len(out))
	for _, b := range out {
		ids[b] = formatID(b.id.UUID, b.now.RecurrenceID)
	}
	slices.SortFunc(out, func(a, b *block) int {
		return cmp.Or(blocks.Compare(a.now, b.now), cmp.Compare(ids[a], ids[b]))
	})
	return out, nil
}
