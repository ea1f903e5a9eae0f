package store

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
)

// PrincipalID numbers a principal in this file; 0 is none.
type PrincipalID uint32

// CollectionID numbers a calendar collection. Numbers are not used again, so
// a collection made anew at an old address has new sync-tokens.
type CollectionID uint32

// ObjectID numbers a calendar object resource (a body); not used again.
type ObjectID uint64

// Kind is what a principal is.
type Kind uint8

// The kinds of principals. All from KindStaff to KindCalendar are resources.
const (
	KindOrganisation Kind = iota + 1
	KindUser
	KindStaff
	KindRoom
	KindArea
	KindServicePoint
	KindCalendar
	KindGroup
)

var kindNames = [...]string{
	KindOrganisation: "organisation", KindUser: "user", KindStaff: "staff", KindRoom: "room", KindArea: "area",
	KindServicePoint: "service-point", KindCalendar: "calendar", KindGroup: "group",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) && k > 0 {
		return kindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// ParseKind reads a kind's name.
func ParseKind(s string) (Kind, bool) {
	for k, name := range kindNames {
		if name != "" && name == s {
			return Kind(k), true
		}
	}
	return 0, false
}

// Resource reports whether the kind is a resource: something with exactly one
// calendar collection.
func (k Kind) Resource() bool { return k >= KindStaff && k <= KindCalendar }

// Rights is a set of what a grant allows.
type Rights uint8

// The rights. RightRead includes RightFreeBusy, RightWrite includes RightRead
// and RightDelete, RightAdmin includes all.
const (
	RightFreeBusy Rights = 1 << iota
	RightRead
	RightDelete
	RightWrite
	RightAdmin
)

// Full closes the set under what each right includes.
func (r Rights) Full() Rights {
	if r&RightAdmin != 0 {
		r |= RightWrite
	}
	if r&RightWrite != 0 {
		r |= RightRead | RightDelete
	}
	if r&RightRead != 0 {
		r |= RightFreeBusy
	}
	return r
}

// Has reports whether all of want are in the set.
func (r Rights) Has(want Rights) bool { return r.Full()&want == want }

var rightNames = []struct {
	name string
	r    Rights
}{{"read-free-busy", RightFreeBusy}, {"read", RightRead}, {"delete", RightDelete}, {"write", RightWrite}, {"admin", RightAdmin}}

// ParseRights reads names: read-free-busy, read, delete, write, admin.
func ParseRights(names []string) (Rights, error) {
	var r Rights
next:
	for _, n := range names {
		for _, x := range rightNames {
			if x.name == n {
				r |= x.r
				continue next
			}
		}
		return 0, fmt.Errorf("unknown grant %q: read-free-busy, read, delete, write and admin are known", n)
	}
	return r, nil
}

// Names gives the names of the rights in the set, in rising order.
func (r Rights) Names() []string {
	var out []string
	for _, x := range rightNames {
		if r&x.r != 0 {
			out = append(out, x.name)
		}
	}
	return out
}

func (r Rights) String() string { return strings.Join(r.Names(), ",") }

// Principal is an organisation, a user, a resource or a group.
type Principal struct {
	ID          PrincipalID `cbor:"-"`
	UUID        uuid.UUID   `cbor:"1,keyasint"`
	Org         PrincipalID `cbor:"2,keyasint"` // itself for an organisation
	Kind        Kind        `cbor:"3,keyasint"`
	Name        string      `cbor:"4,keyasint"` // login and place in every address, unique in the file
	DisplayName string      `cbor:"5,keyasint,omitempty"`
	Email       string      `cbor:"6,keyasint,omitempty"`
	Color       string      `cbor:"7,keyasint,omitempty"`  // #RRGGBB
	Zone        string      `cbor:"8,keyasint,omitempty"`  // IANA name; "" is the organisation's
	Alias       uint32      `cbor:"9,keyasint,omitempty"`  // of resources and groups: integer id in the organisation
	Members     []uuid.UUID `cbor:"10,keyasint,omitempty"` // of a group
	Created     time.Time   `cbor:"11,keyasint"`
	Modified    time.Time   `cbor:"12,keyasint"`
	Dead        []DeadProp  `cbor:"13,keyasint,omitempty"` // of the principal's calendar home
}

// DeadProp is a WebDAV property that the server keeps without a meaning.
type DeadProp struct {
	Space string `cbor:"1,keyasint"`
	Local string `cbor:"2,keyasint"`
	XML   []byte `cbor:"3,keyasint"` // the whole element, namespaces declared in it
}

// Collection is a calendar collection (RFC 4791 §4.2).
type Collection struct {
	ID          CollectionID `cbor:"-"`
	UUID        uuid.UUID    `cbor:"1,keyasint"` // DAV:resource-id (RFC 5842)
	Owner       PrincipalID  `cbor:"2,keyasint"`
	Org         PrincipalID  `cbor:"3,keyasint"`
	Name        string       `cbor:"4,keyasint"` // URL segment, decoded
	DisplayName string       `cbor:"5,keyasint,omitempty"`
	Description string       `cbor:"6,keyasint,omitempty"`
	Components  []string     `cbor:"7,keyasint,omitempty"`  // supported-calendar-component-set; empty: all
	Timezone    string       `cbor:"8,keyasint,omitempty"`  // calendar-timezone: a VCALENDAR with one VTIMEZONE
	TimezoneID  string       `cbor:"9,keyasint,omitempty"`  // calendar-timezone-id
	Transparent bool         `cbor:"10,keyasint,omitempty"` // schedule-calendar-transp
	Dead        []DeadProp   `cbor:"11,keyasint,omitempty"` // dead properties, Apple's colour and order among them
	Created     time.Time    `cbor:"12,keyasint"`
	Modified    time.Time    `cbor:"13,keyasint"` // of the properties
}

// State is the moving part of a collection: one small record that polls read.
type State struct {
	Seq      uint64    // counts changes of members; the sync-token and the ctag
	Floor    uint64    // sync-tokens below it are no longer served
	Members  uint64    // number of members
	Bytes    uint64    // sum of the sizes of their data
	Modified time.Time // of the last change of a member
	Removed  time.Time // of the last removal whose object is kept for feeds; zero: none

	classes uint16 // length classes that may have rows, see index.go
}

// Token is the state of a collection as clients see it (RFC 6578 §3.4).
type Token struct {
	Epoch      [8]byte
	Collection CollectionID
	Seq        uint64
	// First is true in the middle of a first listing that is given in parts;
	// begun is the state at its beginning.
	First bool
	begun uint64
}

const tokenPrefix = "urn:daybook:sync:"

// String gives the URI form, urn:daybook:sync:EPOCH-COLLECTION-SEQ, and at its
// end -BEGUN in the middle of a first listing.
func (t Token) String() string {
	s := fmt.Sprintf("%s%x-%d-%d", tokenPrefix, t.Epoch, t.Collection, t.Seq)
	if t.First {
		s += "-" + strconv.FormatUint(t.begun, 10)
	}
	return s
}

// ETag is the strong entity tag of an object's data, without quotes: a digest,
// so that equal bytes have equal tags in every collection.
type ETag [16]byte

const etagLetters = "abcdefghijklmnopqrstuvwxyz234567"

// String gives 27 lower-case letters and digits, the first a letter: some
// clients turn a tag of digits into a number.
func (e ETag) String() string {
	var b [28]byte
	return string(e.Append(b[:0]))
}

// Append appends the text form to b.
func (e ETag) Append(b []byte) []byte {
	b = append(b, 'e')
	var acc uint32
	var bits uint
	for _, x := range e {
		acc = acc<<8 | uint32(x)
		bits += 8
		for bits >= 5 {
			bits -= 5
			b = append(b, etagLetters[acc>>bits&31])
		}
	}
	return append(b, etagLetters[acc<<(5-bits)&31])
}

// Member is a row of a collection's listing: what can be said of a member
// without touching its body.
type Member struct {
	Name     string // URL segment, decoded
	Object   ObjectID
	ETag     ETag
	Seq      uint64 // of its last change in the collection
	Size     uint32
	Kind     string // VEVENT, VTODO, …
	Modified time.Time
	Dead     bool // it has dead properties, see View.Dead
}

// Change is one entry of a collection's change log.
type Change struct {
	Member  // of a removed member only Name and Seq are set
	Removed bool
}

// Binding is the place of an object in a collection.
type Binding struct {
	Collection CollectionID
	Name       string
}

// Object is a calendar object resource: one body, in one collection, or, for a
// block, in several.
type Object struct {
	ID       ObjectID
	Org      PrincipalID
	UID      string
	Kind     string
	Block    bool
	ETag     ETag
	Data     []byte // as stored; yours
	Created  time.Time
	Modified time.Time
	Bindings []Binding // in the order in which they were made
	Origin             // the zero Origin: our own
}

// Identity is the lasting identity of a UID in an organisation: it survives
// deletion and comes back with the UID.
type Identity struct {
	Org   PrincipalID
	UID   string
	UUID  uuid.UUID
	Alias uint32
}

// Row is an entry of the instance index: an instance with what free-busy and
// time-range queries need.
type Row struct {
	Object ObjectID
	Flags  RowFlags
	// Start and End are seconds since 1970: UTC, or for a floating row the
	// wall clock as if it were UTC.
	Start, End int64
	// RecurrenceID is in seconds like Start; equal to Start for most.
	RecurrenceID int64
	// Before and After are the seconds that a booked event takes beside its
	// own (X-DAYBOOK-BUFFER-BEFORE, -AFTER); Service is what was booked.
	Before, After int64
	Service       ServiceMark
}

// RowFlags describe a row.
type RowFlags uint16

// The flags. Two bits hold the ical.BusyType.
const (
	RowFloating  RowFlags = 1 << iota // Start and End are wall clocks
	RowDate                           // all-day, and so floating
	RowBlock                          // of a block
	RowRecurs                         // of a recurring object
	RowOverride                       // described by an override
	rowBusyShift          = 5
	rowKindShift          = 7
	rowTimed     RowFlags = 1 << 10 // floating with a DURATION in hours: clock changes do not change its length
	// RowRest is no instance but the time behind the last one of a set that is
	// too dense to be counted.
	RowRest RowFlags = 1 << 12
	// RowRemote is of an object that a remote keeps: nobody else changes it.
	RowRemote RowFlags = 1 << 14
	// RowIgnored is of an object that counts for nothing but calendar clients.
	RowIgnored   RowFlags = 1 << 15
	rowOpenEnded RowFlags = 1 << 11 // takes time for ever, whatever End says
	rowBooked    RowFlags = 1 << 13 // has buffers or a service
)

// Busy gives the kind of time that the instance takes.
func (f RowFlags) Busy() ical.BusyType { return ical.BusyType(f >> rowBusyShift & 3) }

var rowKinds = [...]string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"}

// Kind gives the component's name.
func (f RowFlags) Kind() string {
	if k := int(f >> rowKindShift & 7); k < len(rowKinds) {
		return rowKinds[k]
	}
	return ""
}

// CredentialKind is how a credential is presented.
type CredentialKind string

// The kinds of credentials. CredentialPassword is the password of a user, one
// for each; the others are found by their ID.
const (
	CredentialPassword CredentialKind = "password"
	CredentialApp      CredentialKind = "app" // Basic: user name and "ID.SECRET"
	CredentialBearer   CredentialKind = "bearer"
	CredentialOnlive   CredentialKind = "onlive" // the secret is sealed, not hashed: HMAC needs it
)

// Grant gives rights on a target: an organisation (its own calendar and its
// resources' calendars), a resource, a user's home, or one calendar of it.
type Grant struct {
	Target     PrincipalID  `cbor:"1,keyasint"`
	Rights     Rights       `cbor:"2,keyasint"`
	Collection CollectionID `cbor:"3,keyasint,omitempty"` // of the target, a user: on this calendar alone; 0: on all
}

// Credential is a secret that lets somebody in. Secrets are never read back.
type Credential struct {
	ID        string         `cbor:"1,keyasint"`
	Kind      CredentialKind `cbor:"2,keyasint"`
	Org       PrincipalID    `cbor:"3,keyasint"`
	Principal PrincipalID    `cbor:"4,keyasint,omitempty"` // whose rights it carries; 0: only Grants
	Grants    []Grant        `cbor:"5,keyasint,omitempty"` // own rights of a token; with a Principal they limit its rights
	Label     string         `cbor:"6,keyasint,omitempty"`
	Created   time.Time      `cbor:"7,keyasint"`
	Expires   time.Time      `cbor:"8,keyasint"` // zero: never
	LastUsed  time.Time      `cbor:"9,keyasint"` // to the hour
	Hash      []byte         `cbor:"10,keyasint"`
}

// FeedSource is what a feed shows.
type FeedSource uint8

// The sources of feeds.
const (
	FeedCalendars FeedSource = iota // one or several collections
	FeedGroup                       // the calendars of a group's resources
	FeedBusy                        // the free-busy time of a principal: ical.ShowBusy of its calendars, and of a resource's organisation
	FeedHours                       // the opening hours of a resource or organisation
)

// Feed is calendars served as one iCalendar stream at a secret address.
type Feed struct {
	ID          string         `cbor:"1,keyasint"` // public handle: first 12 hex digits of its first secret's hash
	Org         PrincipalID    `cbor:"2,keyasint"`
	Collection  CollectionID   `cbor:"3,keyasint"` // of FeedCalendars, the first; else 0
	Name        string         `cbor:"4,keyasint"` // NAME in the address NAME.ics
	Title       string         `cbor:"5,keyasint,omitempty"`
	Show        ical.Show      `cbor:"6,keyasint"`
	Refresh     time.Duration  `cbor:"7,keyasint,omitempty"`
	Created     time.Time      `cbor:"8,keyasint"`
	Expires     time.Time      `cbor:"9,keyasint"`
	LastUsed    time.Time      `cbor:"10,keyasint"` // to the hour
	Key         []byte         `cbor:"11,keyasint"` // keys the opaque UIDs of a busy feed
	Modified    time.Time      `cbor:"12,keyasint"`
	Source      FeedSource     `cbor:"13,keyasint,omitempty"`
	More        []CollectionID `cbor:"14,keyasint,omitempty"` // of FeedCalendars, beside the first
	Principal   PrincipalID    `cbor:"15,keyasint,omitempty"` // of the other sources
	Window      *Window        `cbor:"16,keyasint,omitempty"` // nil: all time
	Zone        string         `cbor:"17,keyasint,omitempty"` // IANA name; "": that of what it shows
	Components  []string       `cbor:"18,keyasint,omitempty"` // empty: all
	Private     ical.Private   `cbor:"19,keyasint,omitempty"`
	Color       string         `cbor:"20,keyasint,omitempty"` // #RRGGBB; "": that of the first calendar's owner
	URL         string         `cbor:"21,keyasint,omitempty"` // of a page for people
	Description string         `cbor:"22,keyasint,omitempty"`
	Rotated     time.Time      `cbor:"23,keyasint"` // when it got its present secret, if not at first
}

// Fetch is what is remembered of the fetches of a feed by one client with one
// outcome.
type Fetch struct {
	First  time.Time `cbor:"1,keyasint"`
	Last   time.Time `cbor:"2,keyasint"`
	Client string    `cbor:"3,keyasint"` // family, such as google
	Agent  string    `cbor:"4,keyasint"` // User-Agent, cut
	Status int       `cbor:"5,keyasint"`
	Form   string    `cbor:"6,keyasint,omitempty"` // what was asked for: ics, json, …
	Bytes  int64     `cbor:"7,keyasint"`           // of the last answer's body
	Count  uint64    `cbor:"8,keyasint"`
}

// Actor is who asks: made by Authenticate, or System. The zero Actor may
// nothing.
type Actor struct {
	Principal  *Principal // nil for a token that stands for no principal
	Org        PrincipalID
	Credential string   // ID, for logs
	Grants     []Grant  // of the credential
	limited    bool     // Grants limit the principal's own rights
	remote     RemoteID // whose objects it may change; 0: none
	system     bool
	proof      []byte // the hash of what it signed in with; another one ends it, see Renew
}

// Full reports whether the actor has all the rights of its principal: it has
// signed in as that, with nothing that limits them.
func (a *Actor) Full() bool { return a != nil && a.Principal != nil && !a.limited }

// System is the operator and the daemon's own jobs: everything is allowed.
func System() *Actor { return &Actor{system: true} }

// IsSystem reports whether the actor is the operator.
func (a *Actor) IsSystem() bool { return a != nil && a.system }

// Errors of the store. They are wrapped with what was being done.
var (
	ErrNotFound     = errors.New("not found")
	ErrExists       = errors.New("exists already")
	ErrPrecondition = errors.New("precondition failed")     // an ETag condition
	ErrForbidden    = errors.New("not allowed")             // the actor lacks a right on what it may see
	ErrToken        = errors.New("sync-token not valid")    // foreign, of another epoch, or older than the log
	ErrComponent    = errors.New("component not supported") // by the collection's component set
	ErrReadOnly     = fmt.Errorf("object is kept by a remote: %w", ErrForbidden)
	ErrNotNow       = errors.New("not now")                  // a remote that is paused, was stopped or is being pulled
	ErrHomeFixed    = errors.New("collection is fixed")      // a resource's only calendar can neither be removed nor joined
	ErrCredentials  = errors.New("credentials not accepted") // unknown, wrong, expired or revoked alike
	ErrThrottled    = errors.New("too many failed sign-ins") // try again later
	ErrFull         = errors.New("no space left")
	ErrQuota        = errors.New("limit reached")
	ErrInvalid      = errors.New("invalid") // a record's value, with the reason in the text; see FieldError
	ErrClosed       = errors.New("store is closed")
)

// UIDConflictError says who holds the UID in the collection (RFC 4791
// §5.3.2.1 no-uid-conflict). Name is "" where the change of a member's UID was
// refused.
type UIDConflictError struct {
	Collection CollectionID
	Name       string
}

func (e *UIDConflictError) Error() string { return "UID is in use by " + strconv.Quote(e.Name) }

// FieldError is the ErrInvalid of one value of a record.
type FieldError struct {
	Field  string // as the house API names it
	Reason string
}

func (e *FieldError) Error() string { return ErrInvalid.Error() + ": " + e.Reason }

// Unwrap gives ErrInvalid.
func (e *FieldError) Unwrap() error { return ErrInvalid }

func badField(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}
