package timetap

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/rest"
	"daybook/store"
)

// Staff is a staff member as he is answered.
type Staff struct {
	ID        uint32  `json:"professionalId"`
	FirstName string  `json:"firstName"`
	LastName  string  `json:"lastName"`
	FullName  string  `json:"fullName"`
	Email     *string `json:"emailAddress"`
	Color     string  `json:"color" doc:"As #RRGGBB."`
	Status    string  `json:"status"`
}

// active is the status of what is there at all.
const active = "ACTIVE"

func staffOf(p *store.Principal) Staff {
	out := Staff{ID: p.Alias, FullName: nameOf(p), Color: defaultColor, Status: active}
	out.FirstName, out.LastName = out.FullName, ""
	if i := strings.LastIndexByte(out.FullName, ' '); i >= 0 {
		out.FirstName, out.LastName = strings.TrimSpace(out.FullName[:i]), out.FullName[i+1:]
	}
	if p.Email != "" {
		out.Email = &p.Email
	}
	if p.Color != "" {
		out.Color = strings.ToUpper(p.Color)
	}
	return out
}

type staffIn struct {
	Service  rest.Opt[ident] `query:"serviceId"`
	Location rest.Opt[ident] `query:"locationId"`
}

// visibleStaff gives the staff that the actor sees, by id; with a service those
// who offer it, and with a location those who offer one that is offered there.
func (d *desk) visibleStaff(in staffIn) ([]*store.Principal, error) {
	all, err := d.v.Principals(d.org.ID, store.KindStaff)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(p *store.Principal) bool { return !d.sees(p) })
	slices.SortFunc(all, func(a, b *store.Principal) int { return int(a.Alias) - int(b.Alias) })
	if n, ok := in.Service.Get(); ok {
		svc, err := d.v.ServiceByAlias(d.org.ID, n.alias())
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(p *store.Principal) bool { return !svc.OfferedBy(p.UUID) })
	}
	return d.atLocation(all, in.Location)
}

// atLocation keeps the staff of a location. Services tell who they are: where
// there are none, everybody is everywhere.
func (d *desk) atLocation(staff []*store.Principal, id rest.Opt[ident]) ([]*store.Principal, error) {
	n, given := id.Get()
	if !given {
		return staff, nil
	}
	place, ok, err := d.byAlias(n, isPlace)
	if err != nil || !ok || !d.reads(place) {
		return nil, err
	}
	services, err := d.v.Services(d.org.ID)
	if err != nil || len(services) == 0 {
		return staff, err
	}
	services = slices.DeleteFunc(services, func(s *store.Service) bool { return !s.OfferedBy(place.UUID) })
	return slices.DeleteFunc(staff, func(p *store.Principal) bool {
		return !slices.ContainsFunc(services, func(s *store.Service) bool { return s.OfferedBy(p.UUID) })
	}), nil
}

// staffIDs answers the integers for staffIdList.
func (s *service) staffIDs(ctx context.Context, in staffIn) ([]uint32, error) {
	var out []uint32
	err := s.view(ctx, func(d *desk) error {
		all, err := d.visibleStaff(in)
		out = make([]uint32, len(all))
		for i, p := range all {
			out[i] = p.Alias
		}
		return err
	})
	return out, err
}

// staff answers the staff that the actor sees.
func (s *service) staff(ctx context.Context, in staffIn) ([]Staff, error) {
	var out []Staff
	err := s.view(ctx, func(d *desk) error {
		all, err := d.visibleStaff(in)
		out = make([]Staff, len(all))
		for i, p := range all {
			out[i] = staffOf(p)
		}
		return err
	})
	return out, err
}

type oneStaffIn struct {
	ID ident `path:"professionalId"`
}

// oneStaff answers one staff member.
func (s *service) oneStaff(ctx context.Context, in oneStaffIn) (Staff, error) {
	var out Staff
	err := s.view(ctx, func(d *desk) error {
		p, ok, err := d.byAlias(in.ID, isStaff)
		switch {
		case err != nil:
			return err
		case !ok:
			return store.ErrNotFound
		case !d.sees(p):
			return store.ErrForbidden
		}
		out = staffOf(p)
		return nil
	})
	return out, err
}

// Location is a room, an area or a service point as it is answered.
type Location struct {
	ID       uint32          `json:"locationId"`
	Name     string          `json:"locationName"`
	Type     string          `json:"locationType" enum:"ROOM,AREA,SERVICE_POINT" doc:"What it is."`
	Timezone string          `json:"timeZone" doc:"IANA name."`
	Groups   []LocationGroup `json:"locationGroups"`
	Status   string          `json:"status"`
}

// LocationGroup is a group that a location is in.
type LocationGroup struct {
	ID   uint32 `json:"locationGroupId"`
	Name string `json:"locationGroupName"`
}

type none struct{}

// locations answers the places that the actor may read, by id.
func (s *service) locations(ctx context.Context, _ none) (out []Location, err error) {
	err = s.view(ctx, func(d *desk) error {
		out, err = d.locations()
		return err
	})
	return out, err
}

type oneLocationIn struct {
	ID ident `path:"locationId"`
}

// oneLocation answers one place. One that the actor may not read does not exist.
func (s *service) oneLocation(ctx context.Context, in oneLocationIn) (out Location, err error) {
	err = s.view(ctx, func(d *desk) error {
		all, err := d.locations()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(l Location) bool { return l.ID == in.ID.alias() })
		if i < 0 {
			return store.ErrNotFound
		}
		out = all[i]
		return nil
	})
	return out, err
}

func (d *desk) locations() ([]Location, error) {
	all, err := d.v.Principals(d.org.ID, store.KindRoom, store.KindArea, store.KindServicePoint, store.KindGroup)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b *store.Principal) int { return int(a.Alias) - int(b.Alias) })
	in := map[uuid.UUID][]LocationGroup{}
	for _, p := range all {
		for _, m := range p.Members {
			in[m] = append(in[m], LocationGroup{p.Alias, nameOf(p)})
		}
	}
	out := []Location{}
	for _, p := range all {
		if !isPlace(p.Kind) || !d.reads(p) {
			continue
		}
		kind := strings.ToUpper(strings.ReplaceAll(p.Kind.String(), "-", "_"))
		out = append(out, Location{p.Alias, nameOf(p), kind, d.v.Zone(p).Name(), append([]LocationGroup{}, in[p.UUID]...), active})
	}
	return out, nil
}

// Service is a service as it is answered.
type Service struct {
	ID           uint32   `json:"serviceId"`
	ReasonID     uint32   `json:"reasonId" doc:"The same: TimeTap has both words."`
	Name         string   `json:"serviceName"`
	Description  string   `json:"serviceDescription"`
	Color        *string  `json:"color" doc:"As #RRGGBB."`
	Duration     int64    `json:"duration" doc:"Minutes."`
	BufferBefore int64    `json:"bufferBefore" doc:"Minutes."`
	BufferAfter  int64    `json:"bufferAfter" doc:"Minutes."`
	Staff        []uint32 `json:"staffIdList" doc:"Who offer it and are seen."`
	Active       bool     `json:"active"`
}

type servicesIn struct {
	Staff    rest.Opt[ident] `query:"staffId"`
	Location rest.Opt[ident] `query:"locationId"`
}

// services answers the services, by id; those that a staff member and a
// location offer, if they are named.
func (s *service) services(ctx context.Context, in servicesIn) ([]Service, error) {
	var out []Service
	err := s.view(ctx, func(d *desk) error {
		all, err := d.v.Services(d.org.ID)
		if err != nil {
			return err
		}
		for _, by := range []struct {
			id rest.Opt[ident]
			is func(store.Kind) bool
		}{{in.Staff, isStaff}, {in.Location, isPlace}} {
			if all, err = d.offered(all, by.id, by.is); err != nil {
				return err
			}
		}
		staff, err := d.visibleStaff(staffIn{})
		if err != nil {
			return err
		}
		out = make([]Service, len(all))
		for i, svc := range all {
			out[i] = serviceOf(svc, staff)
		}
		return nil
	})
	return out, err
}

type oneServiceIn struct {
	ID ident `path:"serviceId"`
}

// oneService answers one service.
func (s *service) oneService(ctx context.Context, in oneServiceIn) (out Service, err error) {
	err = s.view(ctx, func(d *desk) error {
		svc, err := d.v.ServiceByAlias(d.org.ID, in.ID.alias())
		if err != nil {
			return err
		}
		staff, err := d.visibleStaff(staffIn{})
		out = serviceOf(svc, staff)
		return err
	})
	return out, err
}

// offered keeps the services that the resource offers.
func (d *desk) offered(all []*store.Service, id rest.Opt[ident], is func(store.Kind) bool) ([]*store.Service, error) {
	n, given := id.Get()
	if !given {
		return all, nil
	}
	p, ok, err := d.byAlias(n, is)
	if err != nil || !ok {
		return nil, err
	}
	return slices.DeleteFunc(all, func(s *store.Service) bool { return !s.OfferedBy(p.UUID) }), nil
}

func serviceOf(s *store.Service, staff []*store.Principal) Service {
	minutes := func(d time.Duration) int64 { return int64(d / time.Minute) }
	out := Service{
		ID: s.Alias, ReasonID: s.Alias, Name: s.Name, Description: s.Description, Duration: minutes(s.Length),
		BufferBefore: minutes(s.BufferBefore), BufferAfter: minutes(s.BufferAfter), Staff: []uint32{}, Active: !s.Inactive,
	}
	if s.Color != "" {
		color := strings.ToUpper(s.Color)
		out.Color = &color
	}
	for _, p := range staff {
		if s.OfferedBy(p.UUID) {
			out.Staff = append(out.Staff, p.Alias)
		}
	}
	return out
}

// Status is a pair of words that an event may have.
type Status struct {
	Status    string `json:"status"`
	SubStatus string `json:"subStatus"`
}

// status answers the words that statusList is made of. A subStatus may be any
// other word too; its status is then OPEN.
func (s *service) status(ctx context.Context, _ none) ([]Status, error) {
	out := []Status{
		{open, open},
		{open, pending},
		{open, "CONFIRMED"},
		{open, "CHECKEDIN"},
		{open, "INPROGRESS"},
		{completed, completed},
		{cancelled, cancelled},
		{noShow, noShow},
	}
	return out, s.view(ctx, func(*desk) error { return nil })
}
