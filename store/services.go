package store

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
)

// Service is something that can be booked: how long it takes, what it needs
// and what rules its openings are cut by. Lengths of zero mean that the rule is
// not there.
type Service struct {
	UUID         uuid.UUID     `cbor:"1,keyasint"`
	Org          PrincipalID   `cbor:"2,keyasint"`
	Alias        uint32        `cbor:"3,keyasint"` // integer id in the organisation
	Name         string        `cbor:"4,keyasint"`
	Description  string        `cbor:"5,keyasint,omitempty"`
	Color        string        `cbor:"6,keyasint,omitempty"` // #RRGGBB
	Length       time.Duration `cbor:"7,keyasint,omitempty"`
	BufferBefore time.Duration `cbor:"8,keyasint,omitempty"`
	BufferAfter  time.Duration `cbor:"9,keyasint,omitempty"`
	MinNotice    time.Duration `cbor:"10,keyasint,omitempty"` // from now to the earliest start
	MaxAhead     time.Duration `cbor:"11,keyasint,omitempty"` // from now to the latest start
	MaxPerDay    int           `cbor:"12,keyasint,omitempty"`
	MaxPerWeek   int           `cbor:"13,keyasint,omitempty"`
	MaxPerMonth  int           `cbor:"14,keyasint,omitempty"`
	Confirm      bool          `cbor:"15,keyasint,omitempty"` // bookings begin as tentative
	Inactive     bool          `cbor:"16,keyasint,omitempty"`
	Resources    []uuid.UUID   `cbor:"17,keyasint,omitempty"` // that offer it; none: all of the organisation
	Extra        []byte        `cbor:"18,keyasint,omitempty"` // JSON that an API keeps beside it
	Created      time.Time     `cbor:"19,keyasint"`
	Modified     time.Time     `cbor:"20,keyasint"`
	Capacity     int           `cbor:"21,keyasint,omitempty"` // bookings at once on one resource; 0 is one
	Step         time.Duration `cbor:"22,keyasint,omitempty"` // between the starts that are offered; 0: every quarter of an hour
}

// Bounds of services.
const (
	maxServices     = 10_000 // of one organisation
	maxServiceBytes = 64 << 10
	// MaxServiceTime is the longest of a service's times.
	MaxServiceTime = 10 * 366 * 24 * time.Hour
	maxCapacity    = 100_000
)

func (s *Service) check() error {
	switch {
	case s.Name == "" || len(s.Name) > 1000:
		return badField("name", "a service needs a name of at most 1,000 bytes")
	case strings.ContainsFunc(s.Name, unicode.IsControl):
		return badField("name", "a service's name is without control characters")
	case len(s.Description)+len(s.Extra) > maxServiceBytes:
		return badField("description", "a service has at most %d bytes of text", maxServiceBytes)
	case len(s.Resources) > 10_000:
		return badField("resources", "a service has at most 10,000 resources")
	case s.Color != "" && !colorPattern.MatchString(s.Color):
		return badField("color", "colour %q is not of the form #RRGGBB", s.Color)
	case s.Capacity < 0 || s.Capacity > maxCapacity:
		return badField("capacity", "a service's capacity is at most %d", maxCapacity)
	case s.Step < 0 || s.Step > 24*time.Hour:
		return badField("step", "a service's step is at most a day")
	}
	for _, x := range []struct {
		field string
		d     time.Duration
	}{{"length", s.Length}, {"buffer_before", s.BufferBefore}, {"buffer_after", s.BufferAfter}, {"min_notice", s.MinNotice}, {"max_ahead", s.MaxAhead}} {
		if x.d < 0 || x.d > MaxServiceTime {
			return badField(x.field, "a service's times are between 0 and ten years")
		}
	}
	for _, x := range []struct {
		field string
		n     int
	}{{"max_per_day", s.MaxPerDay}, {"max_per_week", s.MaxPerWeek}, {"max_per_month", s.MaxPerMonth}} {
		if x.n < 0 {
			return badField(x.field, "a service's limits are not negative")
		}
	}
	return nil
}

// OfferedBy reports whether a resource of the organisation offers the service.
func (s *Service) OfferedBy(resource uuid.UUID) bool {
	return len(s.Resources) == 0 || slices.Contains(s.Resources, resource)
}

func serviceKey(org PrincipalID, id uuid.UUID) key {
	return newKey(tableServices).principal(org).bytes(id[:])
}

// derived gives the keys that follow from a service's record.
func (s *Service) derived() map[string][]byte {
	return map[string][]byte{
		string(newKey(tableUUIDs).bytes(s.UUID[:])):                newKey('s').principal(s.Org),
		string(newKey(tableAliases).principal(s.Org).u32(s.Alias)): newKey('s').bytes(s.UUID[:]),
	}
}

// PutService stores a service, in place of the one with its UUID in the
// organisation. UUID and Alias are set where they are zero, Created always, and
// Modified where something changes. It checks the record, not rights. ErrInvalid, ErrExists (the
// UUID or alias is something else's), ErrNotFound (the organisation), ErrQuota.
func (tx *Tx) PutService(s *Service) error {
	if err := s.check(); err != nil {
		return err
	}
	if org, err := tx.principal(s.Org); err != nil || org.Kind != KindOrganisation {
		return fmt.Errorf("organisation %d: %w", s.Org, ErrNotFound)
	}
	s.Modified = tx.now
	if s.UUID != uuid.Nil {
		if old, err := tx.Service(s.Org, s.UUID); err == nil {
			s.Alias, s.Created, s.Modified = old.Alias, old.Created, old.Modified
			if bytes.Equal(encodeRecord(s), encodeRecord(old)) {
				return nil
			}
			tx.noteService(OpChanged, s)
			s.Modified = tx.now
			tx.put(serviceKey(s.Org, s.UUID), encodeRecord(s))
			return nil
		}
	}
	if len(tx.keys(newKey(tableServices).principal(s.Org))) >= maxServices {
		return fmt.Errorf("organisation has %d services: %w", maxServices, ErrQuota)
	}
	return tx.addService(s)
}

func (tx *Tx) addService(s *Service) error {
	if s.UUID == uuid.Nil {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		s.UUID = id
	}
	if s.Alias == 0 {
		alias, err := tx.alias(s.Org)
		if err != nil {
			return err
		}
		s.Alias = alias
	} else if s.Alias >= maxAlias {
		return badField("alias", "alias %d is not below 2^26", s.Alias)
	}
	for k := range s.derived() {
		if tx.get([]byte(k)) != nil {
			return fmt.Errorf("service %s: its id or alias: %w", s.UUID, ErrExists)
		}
	}
	s.Created = tx.now
	for k, b := range s.derived() {
		tx.put([]byte(k), b)
	}
	tx.put(serviceKey(s.Org, s.UUID), encodeRecord(s))
	tx.noteService(OpCreated, s)
	return nil
}

// DeleteService removes a service; its alias is not used again. ErrNotFound.
func (tx *Tx) DeleteService(org PrincipalID, id uuid.UUID) error {
	s, err := tx.Service(org, id)
	if err != nil {
		return err
	}
	tx.del(newKey(tableUUIDs).bytes(id[:]))
	tx.put(newKey(tableAliases).principal(org).u32(s.Alias), newKey('p').principal(0))
	tx.del(serviceKey(org, id))
	tx.noteService(OpDeleted, s)
	return nil
}

// Service gives a service of an organisation; ErrNotFound.
func (v *View) Service(org PrincipalID, id uuid.UUID) (*Service, error) {
	b := v.get(serviceKey(org, id))
	if b == nil {
		return nil, fmt.Errorf("service %s: %w", id, ErrNotFound)
	}
	s := &Service{}
	return s, decodeRecord(b, s)
}

// ServiceByAlias finds a service by its integer; ErrNotFound.
func (v *View) ServiceByAlias(org PrincipalID, alias uint32) (*Service, error) {
	b := v.get(newKey(tableAliases).principal(org).u32(alias))
	if len(b) != 1+16 || b[0] != 's' {
		return nil, fmt.Errorf("service %d: %w", alias, ErrNotFound)
	}
	return v.Service(org, uuid.UUID(b[1:]))
}

// Services gives those of an organisation (0: all) in order of their making.
func (v *View) Services(org PrincipalID) ([]*Service, error) {
	from := newKey(tableServices)
	if org != 0 {
		from = from.principal(org)
	}
	var out []*Service
	var err error
	v.r.Scan(from, from.after(), func(_, b []byte) bool {
		s := &Service{}
		err = decodeRecord(b, s)
		out = append(out, s)
		return err == nil
	})
	slices.SortStableFunc(out, func(a, b *Service) int { return int(int64(a.Alias) - int64(b.Alias)) })
	return out, err
}

// --- notes ---

// A note is a small record that an API keeps for an organisation where
// iCalendar has no word for something: a namespace, a name and some bytes.

// Bounds of notes.
const (
	maxNotes     = 100_000 // of one organisation and space
	maxNoteBytes = 256 << 10
)

func noteKey(org PrincipalID, space, name string) key {
	return newKey(tableNotes).principal(org).text(space).text("\x00").text(name)
}

// PutNote stores a note; nil removes it. space and name are 1 to 100 bytes
// without NUL. ErrInvalid, ErrQuota.
func (tx *Tx) PutNote(org PrincipalID, space, name string, value []byte) error {
	for _, s := range []string{space, name} {
		if s == "" || len(s) > 100 || bytes.IndexByte([]byte(s), 0) >= 0 {
			return fmt.Errorf("%w: a note's name has 1 to 100 bytes", ErrInvalid)
		}
	}
	k := noteKey(org, space, name)
	old := tx.get(k)
	e := Entry{Org: org, Owner: org, Subject: SubjectNote, Op: createdUnless(old != nil), Name: space + "/" + name}
	if value == nil {
		if e.Op = OpDeleted; old != nil {
			tx.note(e)
		}
		tx.del(k)
		return nil
	}
	if len(value) > maxNoteBytes {
		return fmt.Errorf("note has %d bytes: %w", len(value), ErrQuota)
	}
	if old == nil && len(tx.keys(noteKey(org, space, ""))) >= maxNotes {
		return fmt.Errorf("%s has %d notes: %w", space, maxNotes, ErrQuota)
	}
	if old == nil || !bytes.Equal(old, value) {
		tx.note(e)
	}
	tx.put(k, value)
	return nil
}

// Note gives a note's bytes; ErrNotFound.
func (v *View) Note(org PrincipalID, space, name string) ([]byte, error) {
	b := v.get(noteKey(org, space, name))
	if b == nil {
		return nil, fmt.Errorf("note: %w", ErrNotFound)
	}
	return bytes.Clone(b), nil
}

// EachNote calls fn for the notes of a space in order of their names, until it
// returns false. The value is fn's own.
func (v *View) EachNote(org PrincipalID, space string, fn func(name string, value []byte) bool) {
	from := noteKey(org, space, "")
	v.r.Scan(from, from.after(), func(k, b []byte) bool {
		return fn(string(k[len(from):]), bytes.Clone(b))
	})
}
