package trybe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

// BlockedTime is a blocked time as it is answered. Every member is always
// there; those that may be null are pointers.
type BlockedTime struct {
	ID            string   `json:"id"`
	SiteID        string   `json:"site_id" format:"uuid"`
	StartTime     string   `json:"start_time" format:"date-time" doc:"ISO 8601 with the site's offset."`
	EndTime       string   `json:"end_time" format:"date-time"`
	Type          string   `json:"type" enum:"cleaning,break,meeting,other"`
	Label         *string  `json:"label"`
	Notes         *string  `json:"notes"`
	Color         *string  `json:"color" pattern:"^#[0-9a-f]{6}$" doc:"As #rrggbb."`
	Practitioners []string `json:"practitioner_ids"`
	Rooms         []string `json:"room_ids"`
	Areas         []string `json:"area_ids"`
	RecurrenceID  *string  `json:"recurrence_id" doc:"The same for all of one fan-out."`
	CreatedAt     string   `json:"created_at" format:"date-time"`
	UpdatedAt     string   `json:"updated_at" format:"date-time"`
}

// one is the envelope of a single blocked time.
type one struct {
	Data BlockedTime `json:"data"`

	status int
}

// StatusCode is 201 for what was created or split off.
func (o one) StatusCode() int { return o.status }

// site is an organisation and what its blocks are read with.
type site struct {
	org  *store.Principal
	zone *ical.Zone
}

// blockID is the id of a blocked time: the object's, and for one of a series
// its RECURRENCE-ID.
type blockID struct {
	object uuid.UUID
	rid    time.Time // zero: the object does not recur
}

// parseID reads UUID or UUID_STAMP. What is neither cannot exist:
// store.ErrNotFound.
func parseID(s string) (blockID, error) {
	text, stamp, recurs := strings.Cut(s, "_")
	id, err := parseUUID(text)
	if err != nil || id.String() != text {
		return blockID{}, store.ErrNotFound
	}
	out := blockID{object: id}
	if recurs {
		if out.rid, err = blocks.ParseStamp(stamp); err != nil {
			return blockID{}, store.ErrNotFound
		}
	}
	return out, nil
}

func formatID(object uuid.UUID, rid time.Time) string {
	if rid.IsZero() {
		return object.String()
	}
	return object.String() + "_" + blocks.Stamp(rid)
}

// found is a stored block, read in one snapshot.
type found struct {
	site  site
	id    store.Identity
	obj   *store.Object
	spots spots
}

// block is one blocked time: an instance of a stored block.
type block struct {
	found
	parsed   *ical.Object
	instance ical.Instance
	now      blocks.Block
}

// mayUse finds the site of a request and checks the right on it. An unknown
// site is as forbidden as one without rights: existence is not told.
func (s *service) mayUse(ctx context.Context, id rest.Opt[siteID], need store.Rights) error {
	want, ok := id.Get()
	if !ok {
		return nil // the fault is told together with the others
	}
	return s.store.View(ctx, func(v *store.View) error {
		_, err := siteOf(v, auth.Actor(ctx), want.UUID, need)
		return err
	})
}

func siteOf(v *store.View, a *store.Actor, id uuid.UUID, need store.Rights) (site, error) {
	p, err := v.PrincipalByUUID(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && p.Kind != store.KindOrganisation {
		return site{}, store.ErrForbidden
	}
	if err != nil {
		return site{}, err
	}
	if !v.Rights(a, p.ID).Has(need) {
		return site{}, store.ErrForbidden
	}
	return site{p, v.Zone(p)}, nil
}

// lookup finds the stored block of an id. store.ErrNotFound when there is none
// at a site that the actor may see, store.ErrForbidden when the right is missing.
func lookup(v *store.View, a *store.Actor, id uuid.UUID, need store.Rights) (*found, error) {
	identity, err := v.IdentityByUUID(id)
	if err != nil {
		return nil, err
	}
	org, err := v.Principal(identity.Org)
	if err != nil {
		return nil, err
	}
	rights := v.Rights(a, org.ID)
	if !rights.Has(store.RightRead) {
		return nil, store.ErrNotFound
	}
	copies, err := v.Copies(org.ID, identity.UID)
	if err != nil {
		return nil, err
	}
	for _, obj := range copies {
		if !obj.Block || obj.Kind != "VEVENT" {
			continue
		}
		spots, shown, err := whereIs(v, obj, map[store.CollectionID]spot{})
		if err != nil {
			return nil, err
		}
		if !shown {
			continue
		}
		if !rights.Has(need) {
			return nil, store.ErrForbidden
		}
		obj.Data, err = v.Data(obj.ID)
		return &found{site{org, v.Zone(org)}, identity, obj, spots}, err
	}
	return nil, store.ErrNotFound
}

// whereIs gives the collections of a block; those that were looked up before are
// in read. shown is false for one that is in nothing but the homes of users:
// those are theirs alone.
func whereIs(v *store.View, obj *store.Object, read map[store.CollectionID]spot) (out spots, shown bool, err error) {
	out = make(spots, 0, len(obj.Bindings))
	for _, b := range obj.Bindings {
		s, ok := read[b.Collection]
		if !ok {
			c, err := v.Collection(b.Collection)
			if err != nil {
				return nil, false, err
			}
			p, err := v.Principal(c.Owner)
			if err != nil {
				return nil, false, err
			}
			s = spot{c.ID, p}
			read[c.ID] = s
		}
		out = append(out, s)
		shown = shown || s.owner.Kind.Resource() || s.owner.Kind == store.KindOrganisation
	}
	return out, shown, nil
}

// pick gives the instance that an id means.
func (f *found) pick(rid time.Time) (*block, error) {
	o, err := ical.Parse(f.obj.Data, ical.Limits{})
	if err != nil {
		return nil, fmt.Errorf("read a stored block: %w: %w", err, store.ErrNotFound)
	}
	var i ical.Instance
	var ok bool
	if rid.IsZero() {
		i, ok = blocks.First(o, f.site.zone)
		ok = ok && i.RecurrenceID.IsZero() // a series is not a blocked time, only its instances are
	} else {
		i, ok = blocks.Find(o, rid, f.site.zone)
	}
	if !ok {
		return nil, store.ErrNotFound
	}
	return &block{*f, o, i, blocks.Read(i)}, nil
}

// load is lookup and pick in a snapshot of its own.
func (s *service) load(ctx context.Context, id string, need store.Rights) (*block, error) {
	want, err := parseID(id)
	if err != nil {
		return nil, err
	}
	var f *found
	err = s.store.View(ctx, func(v *store.View) (err error) {
		f, err = lookup(v, auth.Actor(ctx), want.object, need)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f.pick(want.rid)
}

type getIn struct {
	ID string `path:"blockedTimeId"`
}

// get answers one blocked time.
func (s *service) get(ctx context.Context, in getIn) (one, error) {
	b, err := s.load(ctx, in.ID, store.RightRead)
	if err != nil {
		return one{}, err
	}
	return one{b.answer(), 200}, nil
}

// answer writes a blocked time.
func (b *block) answer() BlockedTime {
	z := b.site.zone
	created, updated := blocks.Ages(b.now.Created, b.now.Modified, b.obj.Created, b.obj.Modified)
	out := BlockedTime{
		ID: formatID(b.id.UUID, b.now.RecurrenceID), SiteID: b.site.org.UUID.String(),
		StartTime: show(b.now.Start, z), EndTime: show(b.now.End, z),
		Type: string(b.now.Type), Label: nullable(b.now.Label), Notes: nullable(b.now.Notes), Color: nullable(b.now.Color),
		Practitioners: b.spots.ids(store.KindStaff),
		Rooms:         b.spots.ids(store.KindRoom),
		Areas:         b.spots.ids(store.KindArea),
		CreatedAt:     show(created, z),
		UpdatedAt:     show(updated, z),
	}
	if !b.now.RecurrenceID.IsZero() {
		out.RecurrenceID = nullable(b.id.UUID.String())
	}
	return out
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
