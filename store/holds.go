package store

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"daybook/ical/span"
	"daybook/store/engine"
)

// Hold is a slot that is kept for somebody for some minutes. It takes time like
// an event while it lives, and ends by the clock: no job has to run.
//
// It is a record and no VEVENT: an event that comes and goes within minutes
// would move sync-tokens, wake every client twice and leave a tombstone.
type Hold struct {
	UUID      uuid.UUID     `cbor:"1,keyasint"`
	Org       PrincipalID   `cbor:"2,keyasint"`
	Resources []PrincipalID `cbor:"3,keyasint"` // whose time it takes
	Start     time.Time     `cbor:"4,keyasint"`
	End       time.Time     `cbor:"5,keyasint"`
	Before    time.Duration `cbor:"6,keyasint,omitempty"` // that it takes beside its own
	After     time.Duration `cbor:"7,keyasint,omitempty"`
	Service   uuid.UUID     `cbor:"8,keyasint"` // uuid.Nil: of none
	Expires   time.Time     `cbor:"9,keyasint"` // it lives until then
	Created   time.Time     `cbor:"10,keyasint"`
	Note      string        `cbor:"11,keyasint,omitempty"`
	Principal PrincipalID   `cbor:"12,keyasint,omitempty"` // who made it; 0: a token of the organisation
}

// Bounds of holds.
const (
	MaxHoldTime      = time.Hour // that a hold lives
	MaxHoldLength    = 31 * 24 * time.Hour
	MaxHoldResources = 50
	MaxHolds         = 1000 // of one resource, that live

	maxHoldNote = 1000 // bytes
	// holdTidy is how many holds that have ended a new one takes away.
	holdTidy = 20
)

func (h *Hold) check(now time.Time) error {
	switch {
	case len(h.Resources) == 0 || len(h.Resources) > MaxHoldResources:
		return fmt.Errorf("%w: a hold is on 1 to %d resources", ErrInvalid, MaxHoldResources)
	case !h.Start.Before(h.End) || h.End.Sub(h.Start) > MaxHoldLength:
		return fmt.Errorf("%w: a hold ends after its start and lasts at most %d days", ErrInvalid, MaxHoldLength/(24*time.Hour))
	case h.Start.Nanosecond() != 0 || h.End.Nanosecond() != 0:
		return fmt.Errorf("%w: a hold's times are whole seconds", ErrInvalid)
	case h.Before < 0 || h.After < 0 || h.Before > MaxBuffer || h.After > MaxBuffer:
		return fmt.Errorf("%w: a hold's buffers are between nothing and a day", ErrInvalid)
	case !h.Expires.After(now) || h.Expires.Sub(now) > MaxHoldTime:
		return fmt.Errorf("%w: a hold lives at most %s", ErrInvalid, MaxHoldTime)
	case len(h.Note) > maxHoldNote:
		return fmt.Errorf("%w: a hold's note has at most %d bytes", ErrInvalid, maxHoldNote)
	}
	return nil
}

func holdKey(org PrincipalID, id uuid.UUID) key {
	return newKey(tableHolds).principal(org).bytes(id[:])
}

// derived gives the rows of the index by resource and start.
func (h *Hold) derived() map[string][]byte {
	out := make(map[string][]byte, len(h.Resources))
	row := packer{packedV1}.uint(uint64(h.End.Sub(h.Start) / time.Second)).
		uint(uint64(h.Before / time.Second)).uint(uint64(h.After / time.Second)).
		time(h.Expires).raw(key(nil).u64(uint64(MarkOf(h.Service))))
	for _, r := range h.Resources {
		out[string(appendStart(newKey(tableHoldTimes).principal(r), h.Start.Unix()).bytes(h.UUID[:]))] = row
	}
	return out
}

// AddHold stores a new hold. UUID, where it is zero, and Created are set, equal
// resources become one. It checks the record, not rights, nor whether the time
// is free: see Taken and BusyTimes, in the same transaction. ErrInvalid,
// ErrExists, ErrNotFound (a resource), ErrQuota.
func (tx *Tx) AddHold(h *Hold) error {
	slices.Sort(h.Resources)
	h.Resources = slices.Compact(h.Resources)
	if err := h.check(tx.now); err != nil {
		return err
	}
	for _, id := range h.Resources {
		p, err := tx.principal(id)
		if err != nil || p.Org != h.Org || !p.Kind.Resource() {
			return fmt.Errorf("resource %d: %w", id, ErrNotFound)
		}
		if err := tx.tidyHolds(id); err != nil {
			return err
		}
		if n := len(tx.holdsOn(id, span.Span{})); n >= MaxHolds {
			return fmt.Errorf("resource has %d holds: %w", n, ErrQuota)
		}
	}
	if h.UUID == uuid.Nil {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		h.UUID = id
	}
	if tx.get(holdKey(h.Org, h.UUID)) != nil {
		return fmt.Errorf("hold %s: %w", h.UUID, ErrExists)
	}
	h.Created = tx.now
	tx.put(holdKey(h.Org, h.UUID), encodeRecord(h))
	for k, b := range h.derived() {
		tx.put([]byte(k), b)
	}
	tx.noteHold(OpCreated, h)
	return nil
}

// tidyHolds takes away some of a resource's holds that have ended.
func (tx *Tx) tidyHolds(resource PrincipalID) error {
	var ended []uuid.UUID
	err := tx.eachHold(resource, span.Span{}, func(t *heldTime) {
		if !t.expires.After(tx.now) && len(ended) < holdTidy {
			ended = append(ended, t.id)
		}
	})
	if err != nil {
		return err
	}
	p, err := tx.principal(resource)
	if err != nil {
		return err
	}
	for _, id := range ended {
		if err := tx.dropHold(p.Org, id); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) dropHold(org PrincipalID, id uuid.UUID) error {
	h, err := tx.readHold(org, id)
	if err != nil {
		return err
	}
	for k := range h.derived() {
		tx.del([]byte(k))
	}
	tx.del(holdKey(org, id))
	return nil
}

func (v *View) readHold(org PrincipalID, id uuid.UUID) (*Hold, error) {
	b := v.get(holdKey(org, id))
	if b == nil {
		return nil, fmt.Errorf("hold %s: %w", id, ErrNotFound)
	}
	h := &Hold{}
	return h, decodeRecord(b, h)
}

// Hold gives a hold that lives; ErrNotFound, also for one that has ended.
func (v *View) Hold(org PrincipalID, id uuid.UUID) (*Hold, error) {
	h, err := v.readHold(org, id)
	if err == nil && !h.Expires.After(v.s.now()) {
		return nil, fmt.Errorf("hold %s has ended: %w", id, ErrNotFound)
	}
	return h, err
}

// EachHold calls fn for the holds of an organisation that live, in order of
// their making, from behind the one with the id, until it returns false.
func (v *View) EachHold(org PrincipalID, after uuid.UUID, fn func(*Hold) bool) error {
	from := newKey(tableHolds).principal(org)
	to := from.after()
	if after != uuid.Nil {
		from = holdKey(org, after).after()
	}
	now := v.s.now()
	var failed error
	v.r.Scan(from, to, func(_, b []byte) bool {
		h := &Hold{}
		if failed = decodeRecord(b, h); failed != nil {
			return false
		}
		return !h.Expires.After(now) || fn(h)
	})
	return failed
}

// DeleteHold releases a hold. ErrNotFound, also for one that has ended. The
// journal tells of this, and not of an end by the clock, which it told of
// before: nobody does it.
func (tx *Tx) DeleteHold(org PrincipalID, id uuid.UUID) error {
	h, err := tx.Hold(org, id)
	if err != nil {
		return err
	}
	tx.noteHold(OpDeleted, h)
	return tx.dropHold(org, id)
}

// dropHoldsOf takes away the holds on a resource that goes.
func (tx *Tx) dropHoldsOf(p *Principal) error {
	var all []uuid.UUID
	err := tx.eachHold(p.ID, span.Span{}, func(t *heldTime) { all = append(all, t.id) })
	if err != nil {
		return err
	}
	for _, id := range all {
		if err := tx.dropHold(p.Org, id); err != nil {
			return err
		}
	}
	return nil
}

// pruneHolds takes away some of the holds that have ended; done is true when
// none is left.
func (tx *Tx) pruneHolds(limit int) (n int, done bool, err error) {
	var ended []*Hold
	from := newKey(tableHolds)
	tx.r.Scan(from, from.after(), func(_, b []byte) bool {
		h := &Hold{}
		if decodeRecord(b, h) == nil && !h.Expires.After(tx.now) { // what cannot be read is Check's to report
			ended = append(ended, h)
		}
		return len(ended) < limit
	})
	for _, h := range ended {
		if err := tx.dropHold(h.Org, h.UUID); err != nil {
			return 0, false, err
		}
	}
	return len(ended), len(ended) < limit, nil
}

// countHolds counts the holds that live, once for each resource.
func (s *Store) countHolds() (n float64) {
	now := s.now()
	_ = s.db.View(func(r engine.Reader) error {
		(&View{s: s, r: r}).scan(tableHoldTimes, func(k, b []byte) {
			if t, err := unpackHeld(k, b); err == nil && t.expires.After(now) {
				n++
			}
		})
		return nil
	})
	return n
}

// heldTime is a row of the index by resource and start.
type heldTime struct {
	id            uuid.UUID
	start, end    int64 // of the hold itself, in seconds since 1970
	before, after int64
	expires       time.Time
	service       ServiceMark
}

func unpackHeld(k, b []byte) (t heldTime, err error) {
	const prefix = 1 + 4
	if len(k) != prefix+5+16 {
		return t, fmt.Errorf("%w: hold", errCodec)
	}
	u := unpacker{b: b}
	if u.byte() != packedV1 {
		u.bad = true
	}
	t.start = startOf(k[prefix:])
	copy(t.id[:], k[prefix+5:])
	t.end = t.start + int64(u.uint())
	t.before, t.after = int64(u.uint()), int64(u.uint())
	t.expires = u.time()
	if m := u.take(8); m != nil {
		t.service = ServiceMark(u64(m))
	}
	return t, u.err("hold")
}

// eachHold calls fn for the holds on a resource, dead or alive, that take time
// of the window.
func (v *View) eachHold(resource PrincipalID, w span.Span, fn func(*heldTime)) (err error) {
	from, to := windowSeconds(w)
	prefix := newKey(tableHoldTimes).principal(resource)
	low, high := prefix, prefix.after()
	if from > -rowBias {
		low = appendStart(slices.Clip(prefix), from-int64((MaxHoldLength+MaxBuffer)/time.Second))
	}
	if to < rowBias {
		high = appendStart(slices.Clip(prefix), to+int64(MaxBuffer/time.Second))
	}
	v.r.Scan(low, high, func(k, b []byte) bool {
		var t heldTime
		if t, err = unpackHeld(k, b); err != nil {
			return false
		}
		if t.start-t.before < to && t.end+t.after > from {
			fn(&t)
		}
		return true
	})
	return err
}

// holdsOn gives the holds on a resource that live and take time of the window.
// A row that cannot be read is Check's to report, and holds nothing.
func (v *View) holdsOn(resource PrincipalID, w span.Span) (out []heldTime) {
	now := v.s.now()
	_ = v.eachHold(resource, w, func(t *heldTime) {
		if t.expires.After(now) {
			out = append(out, *t)
		}
	})
	return out
}

// span gives the time that the hold takes, its buffers included.
func (t *heldTime) span() span.Span {
	return span.Span{Start: time.Unix(t.start-t.before, 0).UTC(), End: time.Unix(t.end+t.after, 0).UTC()}
}

// lessHolds takes the holds that live out of openings.
func (v *View) lessHolds(o Openings) Openings {
	holds := v.holdsOn(o.Resource, span.Span{})
	if len(holds) == 0 {
		return o
	}
	spans := make([]span.Span, len(holds))
	for i := range holds {
		spans[i] = holds[i].span()
	}
	o.Free = o.Free.Subtract(span.Union(spans...))
	o.Basis = o.Basis.with(holds)
	return o
}

// with adds the holds that live to a basis.
func (b OpeningsBasis) with(holds []heldTime) OpeningsBasis {
	if len(holds) == 0 {
		return b
	}
	var all bytes.Buffer
	all.Write(b[:])
	for _, t := range holds {
		all.Write(t.id[:])
	}
	sum := sha256.Sum256(all.Bytes())
	return OpeningsBasis(sum[:16])
}
