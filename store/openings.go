package store

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

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
	// Stored is true when all of the answer was computed before.
	Stored bool
	Basis  OpeningsBasis
}

// Bounds of openings.
const (
	// MaxOpeningsDays is the longest span that is computed or stored, in days.
	MaxOpeningsDays = 1096

	maxOffset = 48 * time.Hour // what clock changes and zones can add to a span of days

	// openingsRevision is part of every frame; count it up when the same facts
	// begin to give other openings.
	openingsRevision = 5
	openingsV2       = 2 // encoding of a stored day
)

// propServicePoint names whom an availability holds for.
const propServicePoint = "X-DAYBOOK-SERVICE-POINT"

// OpeningsBasis stands for all that openings were computed from: tokens and
// zones of the collections, the zone data, and this code's revision. While it
// is the same, so are the openings.
type OpeningsBasis [16]byte

// openingsFrame is the part of the basis that is not in the calendars: the
// zones, their data, and this code's revision.
type openingsFrame [8]byte

// openingsRecord is openings of a span.
type openingsRecord struct {
	span    span.Span
	covered span.Set // where some availability says something
	free    span.Set
}

// openingsDay is a stored day, with the states of the collections that it was
// computed from; see days.go.
type openingsDay struct {
	frame    openingsFrame
	own, org uint64
	covered  span.Set
	free     span.Set
}

// Openings gives the openings of a resource or organisation in w: those of the
// days that are stored and still true, the others computed anew (and not
// stored; see RefreshOpenings). Holds that live take time. ErrNotFound;
// ErrInvalid for a principal without calendar of its own, for an empty w, and
// one of more than MaxOpeningsDays.
func (v *View) Openings(resource PrincipalID, w span.Span) (Openings, error) {
	if w.Empty() || w.End.Sub(w.Start) > MaxOpeningsDays*24*time.Hour+maxOffset {
		return Openings{}, fmt.Errorf("openings: %w: a span is between one instant and %d days", ErrInvalid, MaxOpeningsDays)
	}
	scope, err := v.openingsScope(resource)
	if err != nil {
		return Openings{}, fmt.Errorf("openings of principal %d: %w", resource, err)
	}
	first, last := dayOf(w.Start.Unix()), dayOf(w.End.Add(time.Second-1).Unix()-1)
	stored := v.storedDays(scope, first, last)
	out := Openings{Resource: resource, Span: w, Basis: scope.basis, Stored: true}
	var covered, free span.Set
	for day := first; day <= last; day++ {
		if d := stored[day-first]; d != nil {
			covered, free = appendSet(covered, d.covered), appendSet(free, d.free)
			continue
		}
		from := day
		for day < last && stored[day+1-first] == nil {
			day++
		}
		rec, err := v.computeOpenings(scope, daysSpan(from, day).Clip(w))
		if err != nil {
			return Openings{}, fmt.Errorf("openings of principal %d: %w", resource, err)
		}
		out.Stored = false
		covered, free = appendSet(covered, rec.covered), appendSet(free, rec.free)
		v.s.metrics.openings.WithLabelValues("computed").Add(float64(day - from + 1))
	}
	v.s.metrics.openings.WithLabelValues("stored").Add(float64(countDays(stored)))
	out.Known, out.Free = len(covered.Clip(w)) > 0, free.Clip(w)
	return v.lessHolds(out), nil
}

func countDays(days []*openingsDay) (n int) {
	for _, d := range days {
		if d != nil {
			n++
		}
	}
	return n
}

// Offered gives the time that availability offers, busy or not, and the time
// that any availability says something about. Errors as for Openings.
func (v *View) Offered(resource PrincipalID, w span.Span) (offered, covered span.Set, err error) {
	if w.Empty() || w.End.Sub(w.Start) > MaxOpeningsDays*24*time.Hour+maxOffset {
		return nil, nil, fmt.Errorf("offered time: %w: a span is between one instant and %d days", ErrInvalid, MaxOpeningsDays)
	}
	scope, err := v.openingsScope(resource)
	if err != nil {
		return nil, nil, fmt.Errorf("offered time of principal %d: %w", resource, err)
	}
	var hours []ical.Availability
	for _, src := range scope.sources() {
		a, err := v.availabilities(scope, src, w)
		if err != nil {
			return nil, nil, fmt.Errorf("offered time of principal %d: %w", resource, err)
		}
		hours = append(hours, a...)
	}
	rec := openingsOf(w, hours, nil)
	return rec.free, rec.covered, nil
}

// OpeningsBasis gives the basis of what Openings would give, at the cost of a
// few reads. Holds count too. Errors as for Openings.
func (v *View) OpeningsBasis(resource PrincipalID) (OpeningsBasis, error) {
	scope, err := v.openingsScope(resource)
	if err != nil {
		return OpeningsBasis{}, fmt.Errorf("openings of principal %d: %w", resource, err)
	}
	return scope.basis.with(v.holdsOn(resource, span.Span{})), nil
}

// daysSpan gives the time from one day of UTC to another, both included.
func daysSpan(first, last int64) span.Span {
	return span.Span{Start: time.Unix(first*daySeconds, 0).UTC(), End: time.Unix((last+1)*daySeconds, 0).UTC()}
}

// appendSet appends a set of later spans; one that goes on from the last is
// joined to it.
func appendSet(to, more span.Set) span.Set {
	if n := len(to); n > 0 && len(more) > 0 && to[n-1].End.Equal(more[0].Start) {
		to[n-1].End, more = more[0].End, more[1:]
	}
	return append(to, more...)
}

// storedDays gives the stored days that are still true, by their distance from
// the first; nil where there is none.
func (v *View) storedDays(scope *openingsScope, first, last int64) []*openingsDay {
	out := make([]*openingsDay, last-first+1)
	younger := func(*openingsDay, int64) bool { return false }
	if scope.org != nil {
		orgs := make([]uint64, len(out)) // 0: not there; a state is never 0 when anything was computed from it
		v.eachDay(scope.org.collection.ID, first, last, func(day int64, b []byte) {
			if d, err := peekDay(b); err == nil {
				orgs[day-first] = d.own + 1
			}
		})
		younger = func(d *openingsDay, i int64) bool { return orgs[i] == 0 || orgs[i]-1 > d.org }
	}
	v.eachDay(scope.own.collection.ID, first, last, func(day int64, b []byte) {
		d, err := unpackDay(day, b)
		if err != nil || d.frame != scope.frame || younger(d, day-first) {
			return // what cannot be read is as good as nothing: it is derived
		}
		out[day-first] = d
	})
	return out
}

func (v *View) eachDay(c CollectionID, first, last int64, fn func(day int64, b []byte)) {
	to := openDayKey(c, last+1)
	if last >= math.MaxInt32 {
		to = newKey(tableOpenings).collection(c).after()
	}
	v.r.Scan(openDayKey(c, first), to, func(k, b []byte) bool {
		fn(dayOfKey(k), b)
		return true
	})
}

// openingsScope is what the openings of a principal are computed from.
type openingsScope struct {
	principal *Principal
	own       openingsSource
	org       *openingsSource // nil for the organisation itself
	frame     openingsFrame
	basis     OpeningsBasis
	remade    int64 // how often rows of the index were made anew without a change
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
	b = scope.own.zones(b)
	if p.Kind != KindOrganisation {
		org, err := v.openingsSource(p.Org)
		if err != nil {
			return nil, err
		}
		scope.org = &org
		b = org.zones(b)
	}
	sum := sha256.Sum256(b)
	scope.frame = openingsFrame(sum[:8])
	scope.remade = metaInt(v.r, metaRemade)
	b = append(b[:0], scope.frame[:]...).int(scope.remade)
	for _, src := range scope.sources() {
		b = b.raw(src.token.Epoch[:]).uint(uint64(src.token.Collection)).uint(src.token.Seq)
	}
	sum = sha256.Sum256(b)
	scope.basis = OpeningsBasis(sum[:16])
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

// zones adds the source's zone. The text of the collection's own VTIMEZONE is
// in it: two such zones can have the same name.
func (s *openingsSource) zones(b packer) packer {
	return b.uint(uint64(s.collection.ID)).text(s.zone.Name()).text(s.collection.Timezone)
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
	return openingsOf(w, hours, busy), nil
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
	found, err := v.hoursFor(scope, src)
	if err != nil {
		return nil, err
	}
	var out []ical.Availability
	for _, h := range found {
		// With an error come those that were understood, and the window of
		// the one that was not: it offers less, and still hides lower ones.
		a, _ := h.Object.Availabilities(ical.Expand{Window: w, Zone: src.zone})
		out = append(out, a...)
	}
	return out, nil
}

// hoursFor gives the hours of a collection that hold for the principal, without
// reading those of others. In a resource's own calendar all hold.
func (v *View) hoursFor(scope *openingsScope, src *openingsSource) ([]HoursObject, error) {
	organisations := src == scope.org || scope.org == nil
	var ids []ObjectID
	var failed error
	v.listed(tableHours, src.collection.ID, func(id ObjectID, b []byte) {
		if organisations {
			r, err := unpackHours(b)
			if err != nil {
				failed = err
				return
			}
			if !r.holds(scope.principal.UUID, v.parentHours(src.collection, r.parent)) {
				return
			}
		}
		ids = append(ids, id)
	})
	var out []HoursObject
	for _, id := range ids {
		o, err := v.readForOpenings(id)
		if err != nil {
			return nil, err
		}
		if o != nil {
			out = append(out, HoursObject{Object: o, ID: id, Owner: src.collection.Owner, Zone: src.zone})
		}
	}
	return out, failed
}

// HoursObject is a VAVAILABILITY object that holds for a resource or
// organisation.
type HoursObject struct {
	Object *ical.Object // not to be changed
	ID     ObjectID
	Owner  PrincipalID // whose calendar it is in
	Zone   *ical.Zone  // of its floating times
}

// HoursOf gives the hours that hold for a resource or organisation: of its own
// calendar and of its organisation's. Errors as for Openings.
func (v *View) HoursOf(resource PrincipalID) ([]HoursObject, error) {
	scope, err := v.openingsScope(resource)
	if err != nil {
		return nil, fmt.Errorf("hours of principal %d: %w", resource, err)
	}
	var out []HoursObject
	for _, src := range scope.sources() {
		found, err := v.hoursFor(scope, src)
		if err != nil {
			return nil, fmt.Errorf("hours of principal %d: %w", resource, err)
		}
		out = append(out, found...)
	}
	return out, nil
}

// parentHours gives the row of the hours with a UID; nil if they are not there.
func (v *View) parentHours(c *Collection, parent uidHash) *hoursRow {
	if parent == (uidHash{}) {
		return nil
	}
	id, _, ok := v.holder(c.Org, parent, c.ID)
	if !ok {
		return nil
	}
	r, err := unpackHours(bytes.Clone(v.get(hoursKey(c.ID, id))))
	if err != nil {
		return nil // no hours, or Check's to report
	}
	return &r
}

// readForOpenings gives the parsed form of a stored object, nil when it cannot be read or is
// not there, which is Check's to report: one bad row does not take all openings away.
func (v *View) readForOpenings(id ObjectID) (*ical.Object, error) {
	o, err := v.parsedObject(id)
	if _, broken := errors.AsType[*ical.InvalidError](err); broken || errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return o, err
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

// packDay: version, frame, states, covered, free; instants are whole seconds,
// each as the distance from the one before, the first from the day's start.
func packDay(day int64, d *openingsDay) []byte {
	p := make(packer, 0, 64+6*len(d.free)).byte(openingsV2).raw(d.frame[:]).uint(d.own).uint(d.org)
	from := time.Unix(day*daySeconds, 0)
	return packSet(packSet(p, from, d.covered), from, d.free)
}

// peekDay reads what a stored day was computed from.
func peekDay(b []byte) (d openingsDay, err error) {
	u := unpacker{b: b}
	d.head(&u)
	return d, u.err("openings")
}

func (d *openingsDay) head(u *unpacker) {
	if u.byte() != openingsV2 {
		u.bad = true
	}
	copy(d.frame[:], u.take(len(d.frame)))
	d.own, d.org = u.uint(), u.uint()
}

func unpackDay(day int64, b []byte) (*openingsDay, error) {
	u := unpacker{b: b}
	d := &openingsDay{}
	d.head(&u)
	from := time.Unix(day*daySeconds, 0)
	d.covered, d.free = unpackSet(&u, from), unpackSet(&u, from)
	return d, u.err("openings")
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
