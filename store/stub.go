package store

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"daybook/ical"
	"daybook/ical/span"
)

// Options says how a store is opened.
type Options struct {
	Path       string // the database file
	Create     bool   // make it if it is missing; else ErrNotFound
	ReadOnly   bool
	Now        func() time.Time      // nil: time.Now
	Log        *slog.Logger          // nil: discarded
	Metrics    prometheus.Registerer // nil: none
	Horizon    time.Duration         // how far ahead instances are indexed; 0: 400 days
	Limits     ical.Limits           // of one object
	LoginBurst int                   // failed sign-ins for each account and address before throttling; 0: 10
}

// Store is the facts in one file.
type Store struct{}

// View is a consistent snapshot; see Store.View.
type View struct{}

// Tx is a View that can write; see Store.Update.
type Tx struct{ View }

// Open opens or creates the file, migrates it, and starts the writer. A foreign or damaged file is never written to.
func Open(ctx context.Context, o Options) (*Store, error) { panic("stub") }

// Close waits for the writes under way and closes the file.
func (s *Store) Close() error { panic("stub") }

// View calls fn with a snapshot. What the snapshot's methods return is the caller's; the snapshot itself must not be kept,
// and nothing slow (a client) may be waited for inside.
func (s *Store) View(ctx context.Context, fn func(*View) error) error { panic("stub") }

// Update calls fn in a transaction that is durable when Update returns nil. Many Updates share one commit. fn may be run
// again and must have no effect outside; when it returns an error nothing of it is kept.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error { panic("stub") }

// Prepare parses nothing: it takes a checked object and computes, outside of any transaction, all that the one door writes with it.
func (s *Store) Prepare(o *ical.Object) (*Prepared, error) { panic("stub") }

// Prepared is an object ready for the one door.
type Prepared struct{}

// Object gives the iCalendar object.
func (p *Prepared) Object() *ical.Object { panic("stub") }

// ETag gives the tag that the object has when stored.
func (p *Prepared) ETag() ETag { panic("stub") }

// Watch gives hints that collections changed, after the commit. Hints may be lost when the channel is full. cancel ends it.
func (s *Store) Watch(buffer int) (hints <-chan CollectionID, cancel func()) { panic("stub") }

// Backup writes a consistent copy of the file while the store is in use.
func (s *Store) Backup(w io.Writer) (int64, error) { panic("stub") }

// Writable reports nil while writes can be made; ErrFull after the disk was full until a write succeeds again.
func (s *Store) Writable() error { panic("stub") }

// Check verifies every derived index against the facts; each problem is reported by one call. With rebuild, the derived ones are made anew.
func (s *Store) Check(ctx context.Context, rebuild bool, report func(Problem)) (CheckStats, error) {
	panic("stub")
}

// Problem is one finding of Check.
type Problem struct {
	Kind    string // members, changes, uids, identities, instances, state, records, data
	Where   string // principal/collection/name, as far as known
	Message string
}

// CheckStats counts what Check looked at.
type CheckStats struct {
	Principals, Collections, Objects, Members, Changes, Rows, Problems int
}

// Stats describes the file; cheap enough for every scrape.
type Stats struct {
	FileBytes, FreePages, PendingPages, PageSize int64
	Objects, Rows                                uint64
	Horizon                                      time.Time
}

// Stats gives figures of the store.
func (s *Store) Stats() Stats { panic("stub") }

// --- sign-in ---

// Authenticate verifies a user name and a password or app password (Basic). from is the client's address, for throttling.
// ErrCredentials, ErrThrottled. A verified pair is cached for minutes and dropped when the credential changes.
func (s *Store) Authenticate(ctx context.Context, name, password, from string) (*Actor, error) {
	panic("stub")
}

// AuthenticateToken verifies "ID.SECRET" of a bearer credential.
func (s *Store) AuthenticateToken(ctx context.Context, token, from string) (*Actor, error) {
	panic("stub")
}

// --- the directory ---

// Principal gives a principal; ErrNotFound.
func (v *View) Principal(id PrincipalID) (*Principal, error)                       { panic("stub") }
func (v *View) PrincipalByName(name string) (*Principal, error)                    { panic("stub") }
func (v *View) PrincipalByUUID(id uuid.UUID) (*Principal, error)                   { panic("stub") }
func (v *View) PrincipalByAlias(org PrincipalID, alias uint32) (*Principal, error) { panic("stub") }

// Principals gives those of an organisation (0: all) with one of the kinds (none: all), by name.
func (v *View) Principals(org PrincipalID, kinds ...Kind) ([]*Principal, error) { panic("stub") }

// Collection gives a calendar collection; ErrNotFound.
func (v *View) Collection(id CollectionID) (*Collection, error)                      { panic("stub") }
func (v *View) CollectionByName(owner PrincipalID, name string) (*Collection, error) { panic("stub") }
func (v *View) Collections(owner PrincipalID) ([]*Collection, error)                 { panic("stub") }

// Calendar gives the one collection of a resource or organisation, or a user's collection named "calendar".
func (v *View) Calendar(p PrincipalID) (*Collection, error) { panic("stub") }

// Zone gives the zone of a principal, or its organisation's; UTC at last.
func (v *View) Zone(p *Principal) *ical.Zone { panic("stub") }

// CollectionZone gives the zone that places floating times in a collection: its own, else its owner's.
func (v *View) CollectionZone(c *Collection) *ical.Zone { panic("stub") }

// Rights gives what the actor may do with the calendars of the owner; 0 means that for the actor it does not exist.
func (v *View) Rights(a *Actor, owner PrincipalID) Rights { panic("stub") }

// Reachable gives the principals whose calendars the actor may at least read free-busy of, its own first, others by name.
func (v *View) Reachable(a *Actor) ([]*Principal, error) { panic("stub") }

// GrantsOn gives who has which grants on a target.
func (v *View) GrantsOn(target PrincipalID) ([]GrantTo, error) { panic("stub") }

// GrantsOf gives the grants of a subject.
func (v *View) GrantsOf(subject PrincipalID) ([]Grant, error) { panic("stub") }

// GrantTo is a grant seen from its target.
type GrantTo struct {
	Subject PrincipalID
	Rights  Rights
}

// --- reading calendars ---

// State gives the collection's moving part; one small read.
func (v *View) State(c CollectionID) (State, error) { panic("stub") }

// Token gives the sync-token of a state.
func (v *View) Token(c CollectionID, s State) Token { panic("stub") }

// Member gives the row of one member; ErrNotFound.
func (v *View) Member(c CollectionID, name string) (Member, error) { panic("stub") }

// EachMember calls fn for the members after the given name ("" all) in order of name, until it returns false.
func (v *View) EachMember(c CollectionID, after string, fn func(Member) bool) error { panic("stub") }

// MemberByUID finds the member that holds the UID.
func (v *View) MemberByUID(c CollectionID, uid string) (Member, error) { panic("stub") }

// Changes gives the changes after the token (RFC 6578 §3), at most limit (0: all) in order of Seq, and the token to go on from;
// more is true when it was cut. An empty token text lists the members. ErrToken.
func (v *View) Changes(c CollectionID, token string, limit int) (changes []Change, next Token, more bool, err error) {
	panic("stub")
}

// Object gives an object with its data; ErrNotFound.
func (v *View) Object(id ObjectID) (*Object, error) { panic("stub") }

// ObjectFacts gives it without Data: nothing of the body is read.
func (v *View) ObjectFacts(id ObjectID) (*Object, error) { panic("stub") }

// Data gives the stored bytes alone.
func (v *View) Data(id ObjectID) ([]byte, error) { panic("stub") }

// ObjectAt gives the object at an address; ErrNotFound.
func (v *View) ObjectAt(c CollectionID, name string) (*Object, error) { panic("stub") }

// Identity gives the lasting identity; ErrNotFound.
func (v *View) Identity(org PrincipalID, uid string) (Identity, error)          { panic("stub") }
func (v *View) IdentityByUUID(id uuid.UUID) (Identity, error)                   { panic("stub") }
func (v *View) IdentityByAlias(org PrincipalID, alias uint32) (Identity, error) { panic("stub") }

// Holders gives the objects of an organisation that have the UID (a block is one object).
func (v *View) Holders(org PrincipalID, uid string) ([]ObjectID, error) { panic("stub") }

// Instances gives the instances in the window, exact and ordered by start; floating ones placed by zone (nil: UTC), so that
// Start and End are UTC in all. Objects with undated components are not in it.
func (v *View) Instances(c CollectionID, w span.Span, zone *ical.Zone) ([]Row, error) { panic("stub") }

// Find gives the objects that have an instance in the window, and in undated those that must be looked at for every window.
func (v *View) Find(c CollectionID, kind string, w span.Span, zone *ical.Zone) (hits, undated []ObjectID, err error) {
	panic("stub")
}

// --- the one door ---

// Cond is the condition of a write (RFC 9110 §13.1); the zero Cond is none.
type Cond struct {
	Missing bool   // If-None-Match: *
	Exists  bool   // If-Match: *
	Match   []ETag // If-Match: one of these
	Never   bool   // If-Match with nothing that could ever match
	Not     []ETag // If-None-Match: none of these
}

// Put is one write of an object at an address.
type Put struct {
	Actor      *Actor
	Collection CollectionID
	Name       string
	Object     *Prepared
	Cond       Cond
}

// PutResult tells what a write did.
type PutResult struct {
	Created bool
	Member  Member
}

// PutObject is the door into the store. It checks right, condition, component, UID, limits; a block is joined or changed in
// all its collections (MAPPING "A block in several calendars"). ErrForbidden, ErrPrecondition, ErrComponent, *UIDConflictError, ErrQuota.
func (tx *Tx) PutObject(p Put) (PutResult, error) { panic("stub") }

// DeleteObject removes a member. A block is released here and stays in its other collections. ErrNotFound, ErrForbidden, ErrPrecondition.
func (tx *Tx) DeleteObject(a *Actor, c CollectionID, name string, cond Cond) error { panic("stub") }

// Move is a MOVE or COPY of a member (RFC 4918 §9.8, §9.9).
type Move struct {
	Actor            *Actor
	From, To         CollectionID
	FromName, ToName string
	Overwrite        bool
	Cond             Cond // on the source
}

// MoveObject moves a member, CopyObject copies it; created tells whether the target was free.
// ErrNotFound, ErrForbidden, ErrPrecondition (also: the target exists and Overwrite is false), *UIDConflictError, ErrComponent.
func (tx *Tx) MoveObject(m Move) (created bool, err error) { panic("stub") }
func (tx *Tx) CopyObject(m Move) (created bool, err error) { panic("stub") }

// PutBlock makes the object with this UID be in exactly these collections, with one body. name in new ones is UID-based.
// Match, when set, is the ETag that the present body must have.
type PutBlock struct {
	Actor   *Actor
	Org     PrincipalID
	Object  *Prepared
	Targets []CollectionID
	Cond    Cond
}

func (tx *Tx) PutBlock(p PutBlock) (*Object, error) { panic("stub") }

// DeleteEverywhere removes the object from all its collections.
func (tx *Tx) DeleteEverywhere(a *Actor, id ObjectID, cond Cond) error { panic("stub") }

// --- changing the directory; these check records, not rights ---

// CreatePrincipal stores a new principal with its first calendar "calendar" (groups have none). ID and, where zero, UUID, Alias, Created are set.
// An organisation is its own Org. ErrExists, ErrInvalid.
func (tx *Tx) CreatePrincipal(p *Principal) error { panic("stub") }
func (tx *Tx) UpdatePrincipal(p *Principal) error { panic("stub") }

// DeletePrincipal removes it with its collections, grants, credentials and feeds. ErrInvalid for an organisation that has others.
func (tx *Tx) DeletePrincipal(id PrincipalID) error { panic("stub") }

// SetGrant gives subject exactly these rights on target; 0 takes all away.
func (tx *Tx) SetGrant(subject, target PrincipalID, r Rights) error { panic("stub") }

// CreateCollection stores a new collection; the actor needs write on the home. ErrExists, ErrForbidden, ErrHomeFixed.
func (tx *Tx) CreateCollection(a *Actor, c *Collection) error { panic("stub") }
func (tx *Tx) UpdateCollection(a *Actor, c *Collection) error { panic("stub") }

// DeleteCollection removes it with its members (blocks are released). ErrHomeFixed for a resource's or organisation's calendar.
func (tx *Tx) DeleteCollection(a *Actor, id CollectionID) error { panic("stub") }

// RenameCollection moves it to another name in the same home.
func (tx *Tx) RenameCollection(a *Actor, id CollectionID, name string) error { panic("stub") }

// --- credentials and feeds ---

// HashPassword hashes (argon2id) outside of a transaction, for SetPassword.
func HashPassword(password string) ([]byte, error) { panic("stub") }

// SetPassword sets a user's password hash.
func (tx *Tx) SetPassword(user PrincipalID, hash []byte) error { panic("stub") }

// PutCredential stores a credential (kinds app, bearer, onlive) with its secret. ErrInvalid for a short secret.
func (tx *Tx) PutCredential(c *Credential, secret string) error    { panic("stub") }
func (tx *Tx) DeleteCredential(id string) error                    { panic("stub") }
func (v *View) Credentials(org PrincipalID) ([]*Credential, error) { panic("stub") }
func (v *View) Credential(id string) (*Credential, error)          { panic("stub") }

// NewSecret gives 192 random bits as 32 URL-safe characters.
func NewSecret() string { panic("stub") }

// PutFeed stores a feed under its secret.
func (tx *Tx) PutFeed(f *Feed, secret string) error        { panic("stub") }
func (tx *Tx) DeleteFeed(org PrincipalID, id string) error { panic("stub") }
func (v *View) Feeds(org PrincipalID) ([]*Feed, error)     { panic("stub") }

// FeedBySecret finds an unexpired feed; ErrNotFound.
func (v *View) FeedBySecret(secret string) (*Feed, error) { panic("stub") }

// Used notes that a credential or feed was used, to the hour; it writes at most once an hour for each, in the background.
func (s *Store) Used(id string) { panic("stub") }

// --- jobs ---

// JobRun is the stored outcome of a job's last run.
type JobRun struct {
	Name    string        `cbor:"1,keyasint"`
	Started time.Time     `cbor:"2,keyasint"`
	Took    time.Duration `cbor:"3,keyasint"`
	Error   string        `cbor:"4,keyasint,omitempty"`
	Success time.Time     `cbor:"5,keyasint"` // of the last run without error
}

func (v *View) JobRuns() ([]JobRun, error) { panic("stub") }
func (tx *Tx) PutJobRun(r JobRun) error    { panic("stub") }

// ExtendHorizon indexes instances up to the instant for some of the objects that need it, in one transaction of bounded size;
// done is true when none is left and the horizon has moved. Called again until done.
func (s *Store) ExtendHorizon(ctx context.Context, to time.Time) (objects int, done bool, err error) {
	panic("stub")
}

// Prune drops tombstones older than the instant, expired credentials and feeds, some at a time.
func (s *Store) Prune(ctx context.Context, tombstones time.Time) (dropped int, done bool, err error) {
	panic("stub")
}
