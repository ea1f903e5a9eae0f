package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
	"daybook/ical/span"
)

// Openings says when a resource or an organisation can be booked: the time
// that its availability of highest priority offers, less its busy time.
//
// The availability comes from the VAVAILABILITY objects (RFC 7953) in the
// resource's own calendar and in the organisation's; of the latter those that
// name service points hold for these alone. Busy are the instances, neither
// transparent nor cancelled, in the same two calendars, those of the
// resource's own widened by their buffers. CALDAV:schedule-calendar-transp
// does not count here: a switch on one phone must not open a room twice.
type Openings struct {
	Resource PrincipalID
	Span     span.Span // what was asked
	// Known is false when no availability says anything about the span; Free
	// is then empty, which does not mean closed.
	Known bool
	Free  span.Set // in UTC, inside Span
	// Stored is true when the answer was computed before.
	Stored bool
}

// Bounds of openings.
const (
	// MaxOpeningsDays is the longest span that is computed or stored, in days.
	MaxOpeningsDays = 1096

	maxOffset = 48 * time.Hour // what clock changes and zones can add to a span of days

	// openingsRevision is part of every basis; count it up when the same
	// facts begin to give other openings.
	openingsRevision = 2
	openingsV1       = 1 // encoding of the stored record
)

// propServicePoint names whom an availability holds for.
const propServicePoint = "X-DAYBOOK-SERVICE-POINT"

// openingsBasis stands for all that openings were computed from: tokens and
// zones of the collections, the zone data, and this code's revision. While it
// is the same, so are the openings.
type openingsBasis [16]byte

// openingsRecord is what is stored for a resource: openings of a span of days.
type openingsRecord struct {
	basis   openingsBasis
	span    span.Span
	covered span.Set // where some availability says something
	free    span.Set
}

func (r *openingsRecord) covers(w span.Span) bool {
	return !w.Start.Before(r.span.Start) && !w.End.After(r.span.End)
}

// answer cuts the openings of w out of the record.
func (r *openingsRecord) answer(resource PrincipalID, w span.Span, stored bool) Openings {
	return Openings{
		Resource: resource, Span: w, Stored: stored,
		Known: len(r.covered.Clip(w)) > 0, Free: r.free.Clip(w),
	}
}

// Openings gives the openings of a resource or organisation in w: the stored
// ones when nothing that they depend on has changed, else computed anew (and
// not stored; see RefreshOpenings). ErrNotFound; ErrInvalid for a principal
// without calendar of its own, for an empty w, and one of more than
// MaxOpeningsDays.
func (v *View) Openings(resource PrincipalID, w span.Span) (Openings, error) {
	if w.Empty() || w.End.Sub(w.Start) > MaxOpeningsDays*24*time.Hour+maxOffset {
		return Openings{}, fmt.Errorf("openings: %w: a span is between one instant and %d days", ErrInvalid, MaxOpeningsDays)
	}
	scope, err := v.openingsScope(resource)
	if err != nil {
		return Openings{}, fmt.Errorf("openings of principal %d: %w", resource, err)
	}
	if rec, ok := v.storedOpenings(scope); ok && rec.covers(w) {
		return rec.answer(resource, w, true), nil
	}
	rec, err := v.computeOpenings(scope, w)
	if err != nil {
		return Openings{}, fmt.Errorf("openings of principal %d: %w", resource, err)
	}
	return rec.answer(resource, w, false), nil
}

// RefreshOpenings stores the openings of the days, in the zone of the
// resource's calendar, that begin with the one of from. changed is false when
// what is stored covers them and is still true. Errors as for Openings.
func (s *Store) RefreshOpenings(ctx context.Context, resource PrincipalID, from time.Time, days int) (changed bool, err error) {
	if days < 1 || days > MaxOpeningsDays {
		return false, fmt.Errorf("openings: %w: between 1 and %d days", ErrInvalid, MaxOpeningsDays)
	}
	var value []byte
	err = s.View(ctx, func(v *View) error {
		scope, err := v.openingsScope(resource)
		if err != nil {
			return err
		}
		w := daySpan(scope.own.zone, from, days)
		if old, ok := v.storedOpenings(scope); ok && old.covers(w) {
			return nil
		}
		rec, err := v.computeOpenings(scope, w)
		value = packOpenings(rec)
		return err
	})
	if err == nil && value != nil {
		err = s.Update(ctx, func(tx *Tx) error {
			if tx.get(principalKey(resource)) == nil {
				return ErrNotFound // removed since
			}
			tx.put(openingsKey(resource), value)
			return nil
		})
	}
	if err != nil {
		return false, fmt.Errorf("refresh openings of principal %d: %w", resource, err)
	}
	return value != nil, nil
}

// daySpan gives the days from the one of the instant, midnight to midnight.
func daySpan(z *ical.Zone, from time.Time, days int) span.Span {
	y, m, d := z.Wall(from).Date()
	return span.Span{
		Start: z.Instant(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)),
		End:   z.Instant(time.Date(y, m, d+days, 0, 0, 0, 0, time.UTC)),
	}
}

// openingsScope is what the openings of a principal are computed from.
type openingsScope struct {
	principal *Principal
	own       openingsSource
	org       *openingsSource // nil for the organisation itself
	basis     openingsBasis
}

// openingsSource is a collection with the zone of its floating times.
type openingsSource struct {
	collection *Collection
	zone       *ical.Zone
	token      Token
}

func (v *View) openingsScope(resource PrincipalID) (*openingsScope, error) {
	p, err := v.Principal(resource)
	if err != nil {
		return nil, err
	}
	if !p.Kind.Resource() && p.Kind != KindOrganisation {
		return nil, fmt.Errorf("%w: a %s has no openings", ErrInvalid, p.Kind)
	}
	scope := &openingsScope{principal: p}
	if scope.own, err = v.openingsSource(p.ID); err != nil {
		return nil, err
	}
	b := make(packer, 0, 256).uint(openingsRevision).text(ical.TZDataVersion())
	b = scope.own.basis(b)
	if p.Kind != KindOrganisation {
		org, err := v.openingsSource(p.Org)
		if err != nil {
			return nil, err
		}
		scope.org = &org
		b = org.basis(b)
	}
	sum := sha256.Sum256(b)
	scope.basis = openingsBasis(sum[:16])
	return scope, nil
}

func (v *View) openingsSource(p PrincipalID) (openingsSource, error) {
	c, err := v.Calendar(p)
	if err != nil {
		return openingsSource{}, err
	}
	state, err := v.State(c.ID)
	if err != nil {
		return openingsSource{}, err
	}
	return openingsSource{collection: c, zone: v.CollectionZone(c), token: v.Token(c.ID, state)}, nil
}

// basis adds the source. The text of the collection's own VTIMEZONE is in it:
// two such zones can have the same name.
func (s *openingsSource) basis(b packer) packer {
	return b.raw(s.token.Epoch[:]).uint(uint64(s.token.Collection)).uint(s.token.Seq).
		text(s.zone.Name()).text(s.collection.Timezone)
}

func (s *openingsScope) sources() []*openingsSource {
	if s.org == nil {
		return []*openingsSource{&s.own}
	}
	return []*openingsSource{&s.own, s.org}
}

func (v *View) computeOpenings(scope *openingsScope, w span.Span) (*openingsRecord, error) {
	var hours []ical.Availability
	var busy []span.Span
	for _, src := range scope.sources() {
		a, err := v.availabilities(scope, src, w)
		if err != nil {
			return nil, err
		}
		hours = append(hours, a...)
		b, err := v.busyTime(src, w, src == &scope.own)
		if err != nil {
			return nil, err
		}
		busy = append(busy, b...)
	}
	rec := openingsOf(w, hours, busy)
	rec.basis = scope.basis
	return rec, nil
}

// openingsOf is the arithmetic of openings, without a store.
func openingsOf(w span.Span, hours []ical.Availability, busy []span.Span) *openingsRecord {
	rec := &openingsRecord{span: w}
	windows := make([]span.Span, 0, len(hours))
	for _, a := range hours {
		windows = append(windows, openWindow(a.Window, w))
	}
	rec.covered = span.Union(windows...)
	if free, ok := ical.Available(w, hours); ok {
		rec.free = free.Clip(w).Subtract(span.Union(busy...))
	}
	return rec
}

// openWindow clips an availability's window, whose zero times are open, to w.
func openWindow(a, w span.Span) span.Span {
	if a.Start.IsZero() {
		a.Start = w.Start
	}
	if a.End.IsZero() {
		a.End = w.End
	}
	return a.Clip(w)
}

// availabilities gives those of a collection that hold for the principal. One
// that cannot be expanded to its end offers what was understood of it.
func (v *View) availabilities(scope *openingsScope, src *openingsSource, w span.Span) ([]ical.Availability, error) {
	var ids []ObjectID
	// The instance index has no rows of hours, which may be without any time;
	// the listing tells the kind of each member without touching its body.
	err := v.EachMember(src.collection.ID, "", func(m Member) bool {
		if m.Kind == "VAVAILABILITY" {
			ids = append(ids, m.Object)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	var out []ical.Availability
	for _, id := range ids {
		o, err := v.readForOpenings(id)
		if err != nil {
			return nil, err
		}
		organisations := src == scope.org || scope.org == nil
		if o == nil || organisations && !v.servesPoint(src.collection.ID, o, scope.principal.UUID) {
			continue
		}
		// With an error come those that were understood, and the window of
		// the one that was not: it offers less, and still hides lower ones.
		a, _ := o.Availabilities(ical.Expand{Window: w, Zone: src.zone})
		out = append(out, a...)
	}
	return out, nil
}

// readForOpenings gives the parsed form of a stored object, nil when it cannot be read, which is
// Check's to report.
func (v *View) readForOpenings(id ObjectID) (*ical.Object, error) {
	o, err := v.parsedObject(id)
	if _, broken := errors.AsType[*ical.InvalidError](err); broken {
		return nil, nil
	}
	return o, err
}

// servesPoint reports whether an availability in the organisation's calendar
// holds for the principal: it names it as a service point, or names none. One
// that names none and is an exception (RELATED-TO its calendar) holds where
// that calendar does; without its calendar it holds nowhere.
func (v *View) servesPoint(c CollectionID, o *ical.Object, id uuid.UUID) bool {
	named, holds := namesPoint(o, id)
	if named {
		return holds
	}
	parent := parentUID(o)
	if parent == "" {
		return true
	}
	m, err := v.MemberByUID(c, parent)
	if err != nil {
		return false
	}
	up, err := v.readForOpenings(m.Object)
	if err != nil || up == nil {
		return false
	}
	named, holds = namesPoint(up, id)
	return !named || holds
}

// namesPoint reports whether the object names any service point, be it by an
// empty value that stands for none, and whether it names this one.
func namesPoint(o *ical.Object, id uuid.UUID) (some, this bool) {
	for _, c := range o.Main() {
		for _, l := range c.All(propServicePoint) {
			some = true
			if u, err := uuid.Parse(strings.TrimSpace(l.Text())); err == nil && u == id {
				this = true
			}
		}
	}
	return some, this
}

// parentUID gives the UID of the object that this one is an exception of
// (RELATED-TO, whose RELTYPE is PARENT when absent, RFC 5545 §3.2.15).
func parentUID(o *ical.Object) string {
	for _, c := range o.Main() {
		for _, l := range c.All("RELATED-TO") {
			if t := l.Param("RELTYPE"); t == "" || strings.EqualFold(t, "PARENT") {
				return l.Text()
			}
		}
	}
	return ""
}

func openingsKey(p PrincipalID) key { return newKey(tableOpenings).principal(p) }

// storedOpenings gives the stored record when its basis is that of the scope.
// One that cannot be read is as good as none: it is derived.
func (v *View) storedOpenings(scope *openingsScope) (*openingsRecord, bool) {
	b := v.get(openingsKey(scope.principal.ID))
	if b == nil {
		return nil, false
	}
	rec, err := unpackOpenings(b)
	if err != nil || rec.basis != scope.basis {
		return nil, false
	}
	return rec, true
}

// packOpenings: version, basis, span, covered, free; instants are whole
// seconds, each as the distance from the one before.
func packOpenings(r *openingsRecord) []byte {
	p := make(packer, 0, 64+6*len(r.free)).byte(openingsV1).raw(r.basis[:])
	p = p.int(r.span.Start.Unix()).int(r.span.End.Unix())
	return packSet(packSet(p, r.span.Start, r.covered), r.span.Start, r.free)
}

func packSet(p packer, from time.Time, set span.Set) packer {
	p = p.uint(uint64(len(set)))
	at := from.Unix()
	for _, s := range set {
		p = p.int(s.Start.Unix() - at).int(s.End.Unix() - s.Start.Unix())
		at = s.End.Unix()
	}
	return p
}

func unpackOpenings(b []byte) (*openingsRecord, error) {
	u := unpacker{b: b}
	if u.byte() != openingsV1 {
		return nil, fmt.Errorf("%w: openings", errCodec)
	}
	var r openingsRecord
	copy(r.basis[:], u.take(len(r.basis)))
	r.span = span.Span{Start: time.Unix(u.int(), 0).UTC(), End: time.Unix(u.int(), 0).UTC()}
	r.covered = unpackSet(&u, r.span.Start)
	r.free = unpackSet(&u, r.span.Start)
	return &r, u.err("openings")
}

func unpackSet(u *unpacker, from time.Time) span.Set {
	n := u.len() // each span has two bytes at least, so this bounds the slice
	if n == 0 {
		return nil
	}
	set := make(span.Set, 0, n)
	at := from.Unix()
	for range n {
		start := at + u.int()
		at = start + u.int()
		set = append(set, span.Span{Start: time.Unix(start, 0).UTC(), End: time.Unix(at, 0).UTC()})
	}
	return set
}
