package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Remote is a calendar elsewhere that is pulled into one of ours: its record,
// as the operator wants it. How its pulls went is its RemoteState.
type Remote struct {
	ID          RemoteID      `cbor:"-"`
	UUID        uuid.UUID     `cbor:"1,keyasint"`
	Org         PrincipalID   `cbor:"2,keyasint"`
	Name        string        `cbor:"3,keyasint"` // unique in the organisation
	Kind        RemoteKind    `cbor:"4,keyasint"`
	Target      CollectionID  `cbor:"5,keyasint"`
	TwoWay      bool          `cbor:"6,keyasint,omitempty"` // our changes go there too
	Interval    time.Duration `cbor:"7,keyasint,omitempty"` // 0: as the source hints
	Counts      Counts        `cbor:"8,keyasint,omitempty"`
	Components  []string      `cbor:"9,keyasint,omitempty"`  // VEVENT, VTODO, VJOURNAL; none: events
	Categories  []string      `cbor:"10,keyasint,omitempty"` // only what has one of them; none: all
	PastDays    int           `cbor:"11,keyasint,omitempty"` // only what ends later than so many days ago; 0: all
	FutureDays  int           `cbor:"12,keyasint,omitempty"` // only what begins within so many days; 0: all
	Conflict    ConflictRule  `cbor:"13,keyasint,omitempty"`
	DeleteLimit int           `cbor:"14,keyasint,omitempty"` // largest share of deletions in one pull, in percent; 0: DefaultDeleteLimit
	Paused      bool          `cbor:"15,keyasint,omitempty"`
	Ending      bool          `cbor:"16,keyasint,omitempty"` // being removed with its objects
	Host        string        `cbor:"17,keyasint"`           // scheme and host of its address, which is no secret
	Sealed      []byte        `cbor:"18,keyasint"`           // RemoteAccess
	Created     time.Time     `cbor:"19,keyasint"`
	Modified    time.Time     `cbor:"20,keyasint"`
}

// RemoteAccess is what of a remote is secret: many an address is a password.
type RemoteAccess struct {
	URL      string `cbor:"1,keyasint"`
	User     string `cbor:"2,keyasint,omitempty"`
	Password string `cbor:"3,keyasint,omitempty"`
}

// RemoteKind is how a remote is asked.
type RemoteKind string

// The kinds.
const (
	RemoteICS    RemoteKind = "ics"    // one iCalendar stream
	RemoteCalDAV RemoteKind = "caldav" // a CalDAV collection, or a server that has one
)

// ConflictRule says what becomes of an object that was changed on both sides in
// ways that cannot be joined.
type ConflictRule string

// The rules; "" is ConflictRemote.
const (
	ConflictRemote ConflictRule = "remote" // theirs counts
	ConflictOurs   ConflictRule = "ours"   // ours counts
	ConflictBoth   ConflictRule = "both"   // theirs counts, and ours is kept beside it
)

// DefaultDeleteLimit is the share of deletions, in percent, above which a pull
// is stopped.
const DefaultDeleteLimit = 30

// RemoteState is how a remote's pulls went, and from where the next goes on.
type RemoteState struct {
	Next     time.Time     `cbor:"1,keyasint"` // when it is due; zero: at once
	Tried    time.Time     `cbor:"2,keyasint"` // the last pull
	Success  time.Time     `cbor:"3,keyasint"` // the last one without error
	Failures int           `cbor:"4,keyasint,omitempty"`
	Result   string        `cbor:"5,keyasint,omitempty"` // one word, as the metric counts it
	Error    string        `cbor:"6,keyasint,omitempty"` // a sentence without secrets
	Stopped  string        `cbor:"7,keyasint,omitempty"` // why an operator must resume it
	Allowed  bool          `cbor:"8,keyasint,omitempty"` // the operator let the deletions of the next pull pass
	Hint     time.Duration `cbor:"9,keyasint,omitempty"` // interval that the source asked for
	Took     time.Duration `cbor:"10,keyasint,omitempty"`

	ETag     string `cbor:"11,keyasint,omitempty"` // validators of the stream
	Modified string `cbor:"12,keyasint,omitempty"`
	Sum      []byte `cbor:"13,keyasint,omitempty"` // of its bytes
	Settings []byte `cbor:"14,keyasint,omitempty"` // of the record that the last pull went by

	Collection string `cbor:"15,keyasint,omitempty"` // address of the CalDAV collection, once it was found
	SyncToken  string `cbor:"16,keyasint,omitempty"`
	CTag       string `cbor:"17,keyasint,omitempty"`

	Items     int              `cbor:"19,keyasint,omitempty"` // objects that it keeps here
	Added     int              `cbor:"20,keyasint,omitempty"` // of the last pull that changed something
	Updated   int              `cbor:"21,keyasint,omitempty"`
	Removed   int              `cbor:"22,keyasint,omitempty"`
	Sent      int              `cbor:"23,keyasint,omitempty"`
	Changed   time.Time        `cbor:"24,keyasint"`
	Refused   int              `cbor:"25,keyasint,omitempty"` // objects that did not go in at the last look
	Refusals  []RemoteNote     `cbor:"26,keyasint,omitempty"` // the first of them
	Conflicts []RemoteConflict `cbor:"27,keyasint,omitempty"` // the last ones, newest last
}

// Condition says in a word how a remote is: ending, paused, stopped, failing,
// new, ok.
func (s *RemoteState) Condition(r *Remote) string {
	switch {
	case r.Ending:
		return "ending"
	case r.Paused:
		return "paused"
	case s.Stopped != "":
		return "stopped"
	case s.Failures > 0:
		return "failing"
	case s.Success.IsZero():
		return "new"
	}
	return "ok"
}

// RemoteNote is an object that did not go in, and why.
type RemoteNote struct {
	UID    string `cbor:"1,keyasint" json:"uid"`
	Reason string `cbor:"2,keyasint" json:"reason"`
}

// RemoteConflict is an object that was changed on both sides.
type RemoteConflict struct {
	At      time.Time `cbor:"1,keyasint" json:"at"`
	UID     string    `cbor:"2,keyasint" json:"uid"`
	Outcome string    `cbor:"3,keyasint" json:"outcome"`
}

// Base is an object as both sides last had it in common.
type Base struct {
	Href   string `cbor:"1,keyasint"`           // there: path of a CalDAV member, UID of a stream's
	Name   string `cbor:"2,keyasint"`           // here: member of the target
	Remote string `cbor:"3,keyasint,omitempty"` // its ETag there
	Local  ETag   `cbor:"4,keyasint"`           // its ETag here
	Sum    []byte `cbor:"5,keyasint,omitempty"` // of what the stream says of it
	Data   []byte `cbor:"6,keyasint,omitempty"` // its bytes, where both sides can change
}

// Bounds of remotes.
const (
	maxRemotes      = 1000 // of one organisation
	maxRemoteText   = 4096
	maxRemoteNotes  = 20
	maxRemoteDays   = 36_500
	minRemotePeriod = time.Minute
	maxRemotePeriod = 30 * 24 * time.Hour
)

func remoteKey(id RemoteID) key      { return newKey(tableRemotes).u32(uint32(id)) }
func remoteStateKey(id RemoteID) key { return newKey(tableRemoteState).u32(uint32(id)) }
func basesKey(id RemoteID) key       { return newKey(tableBases).u32(uint32(id)) }
func baseKey(id RemoteID, href string) key {
	h := hashUID(href)
	return basesKey(id).bytes(h[:])
}

// Actor gives who writes for the remote: it may change the remote's target, and
// nothing else.
func (r *Remote) Actor(owner PrincipalID) *Actor {
	return &Actor{Org: r.Org, Credential: r.UUID.String(), Grants: []Grant{{Target: owner, Collection: r.Target, Rights: RightWrite}}, remote: r.ID}
}

// Origin gives the mark of the objects that the remote keeps: none where both
// sides may change them.
func (r *Remote) Origin() Origin {
	if r.TwoWay {
		return Origin{}
	}
	return Origin{r.ID, r.Counts}
}

func (r *Remote) check() error {
	if err := checkName(r.Name); err != nil {
		return err
	}
	switch {
	case r.Kind != RemoteICS && r.Kind != RemoteCalDAV:
		return badField("kind", "a remote is ics or caldav")
	case r.TwoWay && r.Kind != RemoteCalDAV:
		return badField("direction", "only a caldav remote takes our changes")
	case r.TwoWay && (r.Counts != CountsSource || len(r.Categories) > 0 || r.PastDays != 0 || r.FutureDays != 0):
		return badField("direction", "a remote in both directions has no filter of categories or days, and counts as its events say")
	case r.Interval != 0 && (r.Interval < minRemotePeriod || r.Interval > maxRemotePeriod):
		return badField("interval", "an interval is between a minute and 30 days")
	case int(r.Counts) >= len(countsNames):
		return badField("counts", "it counts as source, busy, tentative, free or ignored")
	case r.PastDays < 0 || r.PastDays > maxRemoteDays:
		return badField("past_days", "a window of days is between 0 and 36,500")
	case r.FutureDays < 0 || r.FutureDays > maxRemoteDays:
		return badField("future_days", "a window of days is between 0 and 36,500")
	case r.DeleteLimit < 0 || r.DeleteLimit > 100:
		return badField("delete_limit", "a delete limit is between 0 and 100 percent")
	case len(r.Categories) > 100 || len(strings.Join(r.Categories, "")) > maxRemoteText:
		return badField("categories", "there are too many categories")
	}
	switch r.Conflict {
	case "", ConflictRemote, ConflictOurs, ConflictBoth:
	default:
		return badField("conflict", "a conflict rule is remote, ours or both")
	}
	for _, c := range r.Components {
		if c != "VEVENT" && c != "VTODO" && c != "VJOURNAL" {
			return badField("components", "components are VEVENT, VTODO and VJOURNAL")
		}
	}
	return nil
}

// PutRemote stores a remote: a new one when its ID is 0, which then is set with
// UUID and Created. access may be nil for one that has it already. It checks the
// record, not rights and not the address. Another target needs a remote of its
// own. What changes nothing is no write. ErrInvalid, ErrExists (the name),
// ErrNotFound (target), ErrQuota.
func (tx *Tx) PutRemote(r *Remote, access *RemoteAccess) error {
	if err := r.check(); err != nil {
		return err
	}
	op := createdUnless(r.ID != 0)
	c, err := tx.Collection(r.Target)
	if err != nil || c.Org != r.Org {
		return fmt.Errorf("collection %d: %w", r.Target, ErrNotFound)
	}
	all, err := tx.Remotes(r.Org)
	if err != nil {
		return err
	}
	for _, o := range all {
		if o.ID != r.ID && o.Name == r.Name {
			return fmt.Errorf("remote %q: %w", r.Name, ErrExists)
		}
		if o.ID != r.ID && o.Target == r.Target && (o.TwoWay && r.TwoWay) {
			return fmt.Errorf("%w: the calendar has a remote in both directions already", ErrInvalid)
		}
	}
	if r.ID == 0 {
		if len(all) >= maxRemotes {
			return fmt.Errorf("organisation has %d remotes: %w", maxRemotes, ErrQuota)
		}
		if r.UUID == uuid.Nil {
			if r.UUID, err = uuid.NewV7(); err != nil {
				return err
			}
		}
		if _, err := tx.RemoteByUUID(r.UUID); err == nil {
			return fmt.Errorf("remote %s: %w", r.UUID, ErrExists)
		}
		r.ID, r.Created = RemoteID(tx.next(metaRemote)), tx.now
	} else {
		old, err := tx.keepRemote(r)
		if err != nil || tx.sameRemote(old, r, access) {
			return err
		}
		if r.Ending && !old.Ending {
			op = OpDeleted // what is left of it goes piece by piece
		}
	}
	if access != nil {
		if len(access.URL)+len(access.User)+len(access.Password) > 2*maxRemoteText {
			return fmt.Errorf("%w: address and credentials are too long", ErrInvalid)
		}
		if r.Sealed, err = tx.seal(r.UUID.String(), string(encodeRecord(access))); err != nil {
			return err
		}
	}
	r.Modified = tx.now
	tx.put(remoteKey(r.ID), encodeRecord(r))
	return tx.noteRemote(op, r)
}

// sameRemote reports whether a record, with what is secret of it unless that is
// nil, says what the stored one says; it then becomes that.
func (tx *Tx) sameRemote(old, r *Remote, access *RemoteAccess) bool {
	if access != nil {
		if kept, err := tx.RemoteAccess(old); err != nil || kept != *access {
			return false
		}
	}
	x := *r
	x.Sealed, x.Modified = old.Sealed, old.Modified
	if !bytes.Equal(encodeRecord(&x), encodeRecord(old)) {
		return false
	}
	*r = x
	return true
}

// keepRemote takes over from the stored record, which it gives, what does not
// change.
func (tx *Tx) keepRemote(r *Remote) (*Remote, error) {
	old, err := tx.Remote(r.ID)
	if err != nil {
		return nil, err
	}
	if old.Target != r.Target || old.Kind != r.Kind || old.TwoWay != r.TwoWay {
		return nil, fmt.Errorf("%w: target, kind and direction of a remote stay; make another one", ErrInvalid)
	}
	r.UUID, r.Org, r.Created = old.UUID, old.Org, old.Created
	if r.Sealed == nil {
		r.Sealed, r.Host = old.Sealed, old.Host
	}
	return old, nil
}

// ResumeRemote lets a remote go on that is paused or was stopped, whose next
// pull may then delete what it likes. ErrNotFound.
func (tx *Tx) ResumeRemote(id RemoteID) error {
	r, err := tx.Remote(id)
	if err != nil {
		return err
	}
	s, err := tx.RemoteState(id)
	if err != nil {
		return err
	}
	switch {
	case r.Paused:
		r.Paused = false
		err = tx.PutRemote(r, nil)
	case s.Stopped != "":
		err = tx.noteRemote(OpChanged, r)
	}
	if err != nil {
		return err
	}
	s.Allowed, s.Stopped, s.Next = s.Stopped != "", "", time.Time{}
	return tx.PutRemoteState(id, s)
}

// DeleteRemote removes a remote's record and state. Its objects are removed
// before, by who pulls it; what it had in common with the other side goes when
// Prune comes by. ErrNotFound.
func (tx *Tx) DeleteRemote(id RemoteID) error {
	r, err := tx.Remote(id)
	if err != nil {
		return err
	}
	tx.del(remoteKey(id))
	tx.del(remoteStateKey(id))
	if r.Ending {
		return nil // the journal was told when it began to end
	}
	return tx.noteRemote(OpDeleted, r)
}

// dropRemotes removes those of a collection that is removed.
func (tx *Tx) dropRemotes(c *Collection) error {
	all, err := tx.Remotes(c.Org)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Target == c.ID {
			if err := tx.DeleteRemote(r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// Remote gives a remote; ErrNotFound.
func (v *View) Remote(id RemoteID) (*Remote, error) {
	b := v.get(remoteKey(id))
	if b == nil {
		return nil, fmt.Errorf("remote %d: %w", id, ErrNotFound)
	}
	r := &Remote{ID: id}
	return r, decodeRecord(b, r)
}

// RemoteByUUID finds a remote, in whatever organisation; ErrNotFound. The
// caller checks that the asker may know the organisation.
func (v *View) RemoteByUUID(id uuid.UUID) (*Remote, error) {
	all, err := v.Remotes(0)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(r *Remote) bool { return r.UUID == id }); i >= 0 {
		return all[i], nil
	}
	return nil, fmt.Errorf("remote %s: %w", id, ErrNotFound)
}

// Remotes gives those of an organisation (0: all) in order of their making.
func (v *View) Remotes(org PrincipalID) ([]*Remote, error) {
	var out []*Remote
	var err error
	v.scan(tableRemotes, func(k, b []byte) {
		r := &Remote{ID: RemoteID(u32(k[1:]))}
		if bad := decodeRecord(b, r); bad != nil {
			err = errors.Join(err, bad)
			return
		}
		if org == 0 || r.Org == org {
			out = append(out, r)
		}
	})
	return out, err
}

// RemoteAccess opens what of a remote is sealed. ErrCredentials when it was
// sealed with another key.
func (v *View) RemoteAccess(r *Remote) (RemoteAccess, error) {
	var a RemoteAccess
	text, err := v.open(r.UUID.String(), r.Sealed)
	if err != nil {
		return a, fmt.Errorf("remote %q: %w", r.Name, err)
	}
	return a, decodeRecord([]byte(text), &a)
}

// RemoteState gives how a remote's pulls went; the zero state of one that was
// never pulled.
func (v *View) RemoteState(id RemoteID) (RemoteState, error) {
	var s RemoteState
	b := v.get(remoteStateKey(id))
	if b == nil {
		return s, nil
	}
	return s, decodeRecord(b, &s)
}

// PutRemoteState stores it. ErrNotFound when the remote was removed.
func (tx *Tx) PutRemoteState(id RemoteID, s RemoteState) error {
	if tx.get(remoteKey(id)) == nil {
		return fmt.Errorf("remote %d: %w", id, ErrNotFound)
	}
	cut := func(t string) string { return strings.ToValidUTF8(t[:min(len(t), maxRemoteText)], "") }
	s.Error, s.Stopped, s.ETag, s.Modified = cut(s.Error), cut(s.Stopped), cut(s.ETag), cut(s.Modified)
	s.Refusals = s.Refusals[:min(len(s.Refusals), maxRemoteNotes)]
	for i := range s.Refusals {
		s.Refusals[i].UID, s.Refusals[i].Reason = cut(s.Refusals[i].UID), cut(s.Refusals[i].Reason)
	}
	s.Conflicts = s.Conflicts[max(0, len(s.Conflicts)-maxRemoteNotes):]
	tx.put(remoteStateKey(id), encodeRecord(&s))
	return nil
}

// Bases gives all that a remote has in common with us, by Href.
func (v *View) Bases(id RemoteID) (map[string]*Base, error) {
	out := map[string]*Base{}
	var err error
	from := basesKey(id)
	v.r.Scan(from, from.after(), func(_, b []byte) bool {
		x := &Base{}
		if err = decodeRecord(b, x); err != nil {
			return false
		}
		out[x.Href] = x
		return true
	})
	return out, err
}

// PutBase stores what an object was when both sides had it in common.
func (tx *Tx) PutBase(id RemoteID, b *Base) { tx.put(baseKey(id, b.Href), encodeRecord(b)) }

// DeleteBase forgets it.
func (tx *Tx) DeleteBase(id RemoteID, href string) { tx.del(baseKey(id, href)) }

// pruneBases drops some of what remotes left that are not there any more.
func (tx *Tx) pruneBases(limit int) (dropped int) {
	from := newKey(tableBases)
	end := from.after()
	var old []key
	for len(old) < limit {
		var found key
		tx.r.Scan(from, end, func(k, _ []byte) bool {
			found = slices.Clone(k)
			return false
		})
		if found == nil {
			break
		}
		id := RemoteID(u32(found[1:]))
		from = basesKey(id).after()
		if tx.get(remoteKey(id)) == nil {
			old = append(old, tx.someKeys(basesKey(id), limit-len(old))...)
		}
	}
	for _, k := range old {
		tx.del(k)
	}
	return len(old)
}
