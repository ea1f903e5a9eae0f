package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// JournalSpan gives the numbers of the oldest and the newest entry of an
// organisation; 0 and 0 if it never had one. All between them are there.
func (v *View) JournalSpan(org PrincipalID) (first, last uint64) {
	from := newKey(tableJournal).principal(org)
	v.r.Scan(from, from.after(), func(k, _ []byte) bool {
		first = u64(k[5:])
		return false
	})
	return first, v.lastEntry(org)
}

func (v *View) lastEntry(org PrincipalID) (last uint64) {
	from := newKey(tableJournal).principal(org)
	v.r.ScanBack(from, from.after(), func(k, _ []byte) bool {
		last = u64(k[5:])
		return false
	})
	return last
}

// EachEntry calls fn for the entries of an organisation that are newer than
// number after, the oldest first, until it returns false. What cannot be read
// is left to Check.
func (v *View) EachEntry(org PrincipalID, after uint64, fn func(*Entry) bool) {
	v.r.Scan(journalKey(org, after+1), newKey(tableJournal).principal(org).after(), eachEntry(org, fn))
}

// EachEntryBack is EachEntry with those older than number before (0: all), the
// newest first.
func (v *View) EachEntryBack(org PrincipalID, before uint64, fn func(*Entry) bool) {
	to := newKey(tableJournal).principal(org).after()
	if before != 0 {
		to = journalKey(org, before)
	}
	v.r.ScanBack(newKey(tableJournal).principal(org), to, eachEntry(org, fn))
}

func eachEntry(org PrincipalID, fn func(*Entry) bool) func(k, b []byte) bool {
	return func(k, b []byte) bool {
		e, err := unpackEntry(org, u64(k[5:]), b)
		return err != nil || fn(&e)
	}
}

// Position is a place in the journal as clients know it: behind the entry with
// this number. Numbers of another epoch are of a state that a restore undid.
type Position struct {
	Epoch [8]byte
	Seq   uint64
}

// Position gives the place behind an entry.
func (v *View) Position(seq uint64) Position { return Position{*v.s.epoch.Load(), seq} }

// String gives EPOCH-SEQ.
func (p Position) String() string { return fmt.Sprintf("%x-%d", p.Epoch, p.Seq) }

// ParsePosition reads the text of a position; ErrToken.
func ParsePosition(text string) (p Position, err error) {
	epoch, seq, ok := strings.Cut(text, "-")
	if !ok || len(epoch) != 2*len(p.Epoch) {
		return p, fmt.Errorf("event id: %w", ErrToken)
	}
	_, err = hex.Decode(p.Epoch[:], []byte(epoch))
	n, e := strconv.ParseUint(seq, 10, 64)
	if err != nil || e != nil || strconv.FormatUint(n, 10) != seq {
		return p, fmt.Errorf("event id: %w", ErrToken)
	}
	p.Seq = n
	return p, nil
}

// Resume checks that everything behind a position of an organisation's journal
// is still there. ErrToken: it is of another epoch, or older than the journal.
func (v *View) Resume(org PrincipalID, p Position) error {
	first, last := v.JournalSpan(org)
	if p.Epoch != *v.s.epoch.Load() || p.Seq > last || p.Seq+1 < first {
		return fmt.Errorf("event id %s: %w", p, ErrToken)
	}
	return nil
}

// MayRead reports whether the actor may read of an entry: who may read what it
// is about. Of what is gone that is who may read the organisation; of a home
// that is gone, nobody.
func (v *View) MayRead(a *Actor, e *Entry) bool {
	if a == nil || !a.system && a.Org != e.Org {
		return false
	}
	need, owner := RightAdmin, e.Owner
	if int(e.Subject) < len(subjects) {
		need = subjects[e.Subject].need
	}
	if _, err := v.principal(owner); err != nil {
		if v.former(e.Org, owner).Kind == KindUser {
			return a.system
		}
		owner = e.Org
	}
	return v.rights(a, owner, e.Collection).Has(need)
}

// JournalFilter chooses entries; the zero filter chooses all.
type JournalFilter struct {
	What      []string      `cbor:"1,keyasint,omitempty"` // see ParseWhat; one of them
	Owners    []PrincipalID `cbor:"2,keyasint,omitempty"` // whose calendar or record; one of them
	Principal PrincipalID   `cbor:"3,keyasint,omitempty"` // who did it
	API       string        `cbor:"4,keyasint,omitempty"`
	From, To  time.Time     `cbor:"-"` // From <= time < To, if not zero
}

// Match reports whether the filter chooses the entry.
func (f *JournalFilter) Match(e *Entry) bool {
	switch {
	case f.Principal != 0 && f.Principal != e.Principal,
		f.API != "" && f.API != e.API,
		!f.From.IsZero() && e.Time.Before(f.From),
		!f.To.IsZero() && !e.Time.Before(f.To),
		len(f.Owners) > 0 && !slices.Contains(f.Owners, e.Owner):
		return false
	case len(f.What) == 0:
		return true
	}
	name := e.Subject.String()
	return slices.ContainsFunc(f.What, func(w string) bool {
		rest, ok := strings.CutPrefix(w, name)
		return ok && (rest == "" || rest[0] == '.' && rest[1:] == e.Op.String())
	})
}

// Event is an entry as it is told to the outside.
type Event struct {
	ID       string       `json:"id"` // position behind it
	Type     string       `json:"type"`
	Time     time.Time    `json:"time"`
	API      string       `json:"api,omitempty"`
	Actor    EventActor   `json:"actor"`
	Resource *EventThing  `json:"resource,omitempty"` // whose
	Calendar *EventThing  `json:"calendar,omitempty"`
	Object   *EventThing  `json:"object,omitempty"` // what it happened to, where that is none of the two
	From     *EventOrigin `json:"from,omitempty"`
}

// EventActor is who did it. Only administrators are told more than the kind,
// and everybody of what they did themselves.
type EventActor struct {
	Kind       string     `json:"kind"` // user, token, system
	ID         *uuid.UUID `json:"id,omitempty"`
	Name       string     `json:"name,omitempty"`
	Credential string     `json:"credential,omitempty"`
}

// EventThing names something.
type EventThing struct {
	ID   *uuid.UUID `json:"id,omitempty"`
	Kind string     `json:"kind,omitempty"`
	Name string     `json:"name,omitempty"`
}

// EventOrigin is where something was before it moved.
type EventOrigin struct {
	Calendar *EventThing `json:"calendar,omitempty"` // if it was another one, and the reader may read that
	Name     string      `json:"name,omitempty"`
}

// Event tells an entry to a reader who may read it.
func (v *View) Event(a *Actor, e *Entry) Event {
	out := Event{ID: v.Position(e.Seq).String(), Type: e.What(), Time: e.Time, API: e.API, Actor: v.eventActor(a, e)}
	if e.Owner != e.Org || e.Collection != 0 {
		out.Resource = v.eventPrincipal(e.Org, e.Owner)
	}
	out.Calendar = v.eventCalendar(e.Collection)
	thing := &EventThing{Name: e.Name}
	if e.UUID != uuid.Nil {
		thing.ID = &e.UUID
	}
	switch e.Subject {
	case SubjectCalendar:
		out.Calendar = thing
	case SubjectOrganisation, SubjectResource:
		thing.Kind = v.eventPrincipal(e.Org, e.Owner).Kind
		out.Resource = thing
	default:
		out.Object = thing
	}
	if e.Op != OpMoved {
		return out
	}
	out.From = &EventOrigin{Name: e.FromName}
	if e.FromCollection != 0 {
		c, err := v.collection(e.FromCollection)
		if err != nil || !v.RightsOn(a, c).Has(RightRead) {
			out.From = nil
			return out
		}
		out.From.Calendar = v.eventCalendar(e.FromCollection)
	}
	return out
}

func (v *View) eventActor(a *Actor, e *Entry) EventActor {
	out := EventActor{Kind: "token"}
	switch {
	case e.System:
		out.Kind = "system"
	case e.Principal != 0:
		out.Kind = "user"
	case e.Credential == "":
		out.Kind = "unknown"
	}
	self := a.Principal != nil && a.Principal.ID == e.Principal || a.Credential != "" && a.Credential == e.Credential
	if !self && !v.Rights(a, e.Org).Has(RightAdmin) {
		return out
	}
	out.Credential = e.Credential
	if e.Principal != 0 {
		p := v.eventPrincipal(e.Org, e.Principal)
		out.ID, out.Name = p.ID, p.Name
	}
	return out
}

func (v *View) eventPrincipal(org, id PrincipalID) *EventThing {
	p, err := v.principal(id)
	if err != nil {
		p = v.former(org, id)
	}
	out := &EventThing{Name: p.Name}
	if p.UUID != uuid.Nil {
		out.ID, out.Kind = &p.UUID, p.Kind.String()
	}
	return out
}

// eventCalendar names a collection, nil for one that is gone.
func (v *View) eventCalendar(id CollectionID) *EventThing {
	c, err := v.collection(id)
	if id == 0 || err != nil {
		return nil
	}
	return &EventThing{ID: &c.UUID, Name: c.Name}
}

// --- principals that are gone ---

// A principal that is gone leaves its name behind, for as long as the journal
// may tell of it.

func formerKey(org, id PrincipalID) key { return newKey(tableFormer).principal(org).principal(id) }

func (tx *Tx) leaveName(p *Principal) {
	row := packer{packedV1}.byte(byte(p.Kind)).raw(p.UUID[:]).time(tx.now).raw([]byte(p.Name))
	tx.put(formerKey(p.Org, p.ID), row)
}

// former gives what is known of a principal that is gone; the zero Principal
// for one that is not known.
func (v *View) former(org, id PrincipalID) *Principal {
	p, _ := unpackFormer(v.get(formerKey(org, id)))
	p.ID, p.Org = id, org
	return p
}

// FormerUUID gives the UUID of a principal of an organisation, also of one that
// is gone; uuid.Nil when it is forgotten.
func (v *View) FormerUUID(org, id PrincipalID) uuid.UUID {
	if p, err := v.principal(id); err == nil && p.Org == org {
		return p.UUID
	}
	return v.former(org, id).UUID
}

// PrincipalOfJournal finds a principal of an organisation by its UUID or its
// name, one that is gone included. ErrNotFound.
func (v *View) PrincipalOfJournal(org PrincipalID, ref string) (found PrincipalID, err error) {
	id, _ := uuid.Parse(ref)
	p, err := v.PrincipalByUUID(id)
	if err != nil {
		p, err = v.PrincipalByName(ref)
	}
	if err == nil && p.Org == org {
		return p.ID, nil
	}
	from := newKey(tableFormer).principal(org)
	v.r.ScanBack(from, from.after(), func(k, b []byte) bool { // the newest of a name that several had
		if p, _ := unpackFormer(b); p.UUID == id && id != uuid.Nil || p.Name == ref {
			found = PrincipalID(u32(k[5:]))
		}
		return found == 0
	})
	if found == 0 {
		return 0, fmt.Errorf("principal %q: %w", ref, ErrNotFound)
	}
	return found, nil
}

// unpackFormer gives the principal and when it went.
func unpackFormer(b []byte) (*Principal, time.Time) {
	u := unpacker{b: b}
	p := &Principal{}
	if u.byte() != packedV1 {
		return p, time.Time{}
	}
	kind := Kind(u.byte())
	id := u.take(len(p.UUID))
	at := u.time()
	if !u.bad {
		p.Kind, p.UUID, p.Name = kind, uuid.UUID(id), string(u.b)
	}
	return p, at
}

// --- watching ---

// journalWatch tells that there is something new.
type journalWatch struct {
	mu      sync.Mutex
	waiting map[PrincipalID]chan struct{}
	closed  bool
}

// Journalled gives a channel that is closed when the journal of an organisation
// (0: of any) gets longer, and with the store. Take it before reading.
func (s *Store) Journalled(org PrincipalID) <-chan struct{} {
	w := &s.journal
	w.mu.Lock()
	defer w.mu.Unlock()
	ch := w.waiting[org]
	if ch == nil {
		ch = make(chan struct{})
		if w.closed {
			close(ch)
			return ch
		}
		if w.waiting == nil {
			w.waiting = map[PrincipalID]chan struct{}{}
		}
		w.waiting[org] = ch
	}
	return ch
}

func (w *journalWatch) tell(orgs []PrincipalID) {
	if len(orgs) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, org := range append(orgs, 0) {
		if ch := w.waiting[org]; ch != nil {
			close(ch)
			delete(w.waiting, org)
		}
	}
}

func (w *journalWatch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for org, ch := range w.waiting {
		close(ch)
		delete(w.waiting, org)
	}
}

// --- forgetting ---

// eachJournal calls fn for each organisation that has entries.
func (v *View) eachJournal(fn func(org PrincipalID, first uint64, row []byte)) {
	for from := newKey(tableJournal); from != nil; {
		var org PrincipalID
		v.r.Scan(from, newKey(tableJournal).after(), func(k, b []byte) bool {
			org = PrincipalID(u32(k[1:]))
			fn(org, u64(k[5:]), b)
			return false
		})
		if org == 0 {
			return
		}
		from = newKey(tableJournal).principal(org).after()
	}
}

// oldEntries gives up to limit keys of entries that are older than the instant,
// or of organisations that are gone. The newest entry of an organisation stays.
func (v *View) oldEntries(before time.Time, limit int) (keys []key) {
	var orgs []PrincipalID
	v.eachJournal(func(org PrincipalID, _ uint64, _ []byte) { orgs = append(orgs, org) })
	for _, org := range orgs {
		_, err := v.principal(org)
		last := v.lastEntry(org)
		from := newKey(tableJournal).principal(org)
		v.r.Scan(from, from.after(), func(k, b []byte) bool {
			e, bad := unpackEntry(org, u64(k[5:]), b)
			if len(keys) >= limit || err == nil && (u64(k[5:]) == last || bad == nil && !e.Time.Before(before)) {
				return false
			}
			keys = append(keys, slices.Clone(k))
			return true
		})
	}
	return keys
}

// PruneJournal drops entries older than the instant, and those of organisations
// that are gone, some at a time: call it until done.
func (s *Store) PruneJournal(ctx context.Context, before time.Time) (dropped int, done bool, err error) {
	var keys, names []key
	if err := s.View(ctx, func(v *View) error {
		keys = v.oldEntries(before, pruneStep)
		v.scan(tableFormer, func(k, b []byte) {
			if _, at := unpackFormer(b); at.Before(before) && len(names) < pruneStep {
				names = append(names, slices.Clone(k))
			}
		})
		return nil
	}); err != nil || len(keys)+len(names) == 0 {
		return 0, err == nil, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		for _, k := range slices.Concat(keys, names) {
			tx.del(k)
		}
		return nil
	})
	dropped = len(keys) + len(names)
	return dropped, len(keys) < pruneStep && len(names) < pruneStep && err == nil, err
}

// journalStats gives the number of entries, and the time of the oldest.
func (v *View) journalStats() (entries uint64, oldest time.Time) {
	type begin struct {
		org   PrincipalID
		first uint64
	}
	var all []begin
	v.eachJournal(func(org PrincipalID, first uint64, row []byte) {
		all = append(all, begin{org, first})
		if e, err := unpackEntry(org, first, row); err == nil && (oldest.IsZero() || e.Time.Before(oldest)) {
			oldest = e.Time
		}
	})
	for _, b := range all {
		entries += v.lastEntry(b.org) - b.first + 1
	}
	return entries, oldest
}
