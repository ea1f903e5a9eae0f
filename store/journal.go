package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The journal is one row for each change of a fact, in the order of the
// commits: who, what, when, through which API. It is written in the transaction
// of the change, by the functions that make it, so no API has to think of it;
// and read by the audit, by streams of changes and by webhooks. It never holds
// content or secrets.
//
// Each organisation has numbers of its own, without gaps: nobody can tell what
// happens in another. The next number is one more than that of the newest row,
// which pruning never takes.

// origin is who asks for a transaction, and through which API.
type origin struct {
	actor *Actor
	api   string
}

type originKey struct{}

// By gives a context in which writes are those of the actor, through the API of
// this name. A nil actor, or an API of "", leaves what the context says already.
func By(ctx context.Context, a *Actor, api string) context.Context {
	o := originIn(ctx)
	if a != nil {
		o.actor = a
	}
	if api != "" {
		o.api = api
	}
	return context.WithValue(ctx, originKey{}, o)
}

func originIn(ctx context.Context) origin {
	o, _ := ctx.Value(originKey{}).(origin)
	return o
}

// ActorIn gives who asks in the context, nil if nobody has signed in.
func ActorIn(ctx context.Context) *Actor { return originIn(ctx).actor }

// apiCodes number the names of APIs in rows; new ones go to the end. Others are
// written out.
var apiCodes = []string{"", "caldav", "folio", "onlive", "timetap", "trybe", "vastal", "house", "admin", "job", "pull", "webhooks"}

// Op is what happened.
type Op uint8

// What happens to something. A member that moves to another collection is
// deleted in the one and OpMoved in the other; one that gets another name is
// OpMoved.
const (
	OpCreated Op = iota + 1
	OpChanged
	OpDeleted
	OpMoved
)

var opNames = [...]string{OpCreated: "created", OpChanged: "changed", OpDeleted: "deleted", OpMoved: "moved"}

func (o Op) String() string { return opNames[o] }

// Subject is what something happened to.
type Subject uint8

// The subjects; new ones go to the end.
const (
	SubjectEvent Subject = iota + 1
	SubjectBlock
	SubjectTodo
	SubjectJournal
	SubjectFreeBusy
	SubjectHours    // VAVAILABILITY
	SubjectCalendar // a collection
	SubjectOrganisation
	SubjectUser
	SubjectResource
	SubjectGroup
	SubjectGrant
	SubjectPassword
	SubjectCredential
	SubjectFeed
	SubjectService
	SubjectNote
	SubjectWebhook
	SubjectRemote
	SubjectHold
)

// telling is how a subject is told of: its name, and the right on its owner that
// lets somebody read of it.
type telling struct {
	name string
	need Rights
}

var subjects = [...]telling{
	SubjectEvent:        {"event", RightRead},
	SubjectBlock:        {"block", RightRead},
	SubjectTodo:         {"todo", RightRead},
	SubjectJournal:      {"journal", RightRead},
	SubjectFreeBusy:     {"free_busy", RightRead},
	SubjectHours:        {"hours", RightRead},
	SubjectCalendar:     {"calendar", RightRead},
	SubjectOrganisation: {"organisation", RightAdmin},
	SubjectUser:         {"user", RightAdmin},
	SubjectResource:     {"resource", RightRead},
	SubjectGroup:        {"group", RightRead},
	SubjectGrant:        {"grant", RightAdmin},
	SubjectPassword:     {"password", RightAdmin},
	SubjectCredential:   {"credential", RightAdmin},
	SubjectFeed:         {"feed", RightAdmin},
	SubjectService:      {"service", RightRead},
	SubjectNote:         {"note", RightRead},
	SubjectWebhook:      {"webhook", RightAdmin},
	SubjectRemote:       {"remote", RightAdmin},
	SubjectHold:         {"hold", RightRead},
}

func (s Subject) String() string {
	if int(s) < len(subjects) && s > 0 {
		return subjects[s].name
	}
	return fmt.Sprintf("subject(%d)", s)
}

// subjectOf gives the subject of an object's entries.
func (f *facts) subject() Subject {
	switch f.Kind {
	case "VTODO":
		return SubjectTodo
	case "VJOURNAL":
		return SubjectJournal
	case "VFREEBUSY":
		return SubjectFreeBusy
	case "VAVAILABILITY":
		return SubjectHours
	}
	if f.Block {
		return SubjectBlock
	}
	return SubjectEvent
}

// subjectOfKind gives the subject of a principal's entries.
func subjectOfKind(k Kind) Subject {
	switch k {
	case KindOrganisation:
		return SubjectOrganisation
	case KindUser:
		return SubjectUser
	case KindGroup:
		return SubjectGroup
	default:
		return SubjectResource
	}
}

// Entry is one row of the journal.
type Entry struct {
	Org  PrincipalID
	Seq  uint64
	Time time.Time // to the millisecond

	Principal  PrincipalID // who; 0: a token without one, or the system
	Credential string      // with which; "" for a password
	System     bool        // the operator, or a job
	API        string      // "" unknown

	Subject    Subject
	Op         Op
	Owner      PrincipalID  // whose: of the calendar, the target of a grant, the organisation
	Collection CollectionID // of calendar data and feeds, and of a grant on one calendar
	UUID       uuid.UUID    // of what has one; of a grant its subject's
	Name       string       // of a member, collection or principal; id of a credential or feed

	// Of OpMoved: where it was. FromCollection is 0 for the same one.
	FromCollection CollectionID
	FromName       string
}

// What gives subject and op in one word, e.g. "block.created".
func (e *Entry) What() string { return e.Subject.String() + "." + e.Op.String() }

// noted is an entry of a transaction that is under way.
type noted struct {
	Entry
	uid string // of an object, whose UUID is looked up at the end
}

// lookBack is how many entries of a transaction are looked at to make one of
// several. What is further apart stays several, which is as true.
const lookBack = 16

// note adds an entry to those that the transaction writes when it ends.
func (tx *Tx) note(e Entry) { tx.noted = append(tx.noted, noted{Entry: e}) }

// noteObject notes what happens to a member; several in one transaction become
// one.
func (tx *Tx) noteObject(op Op, f *facts, b Binding) error {
	owner, err := tx.ownerOf(b.Collection)
	if err != nil {
		return err
	}
	e := noted{uid: f.UID, Entry: Entry{Org: f.Org, Subject: f.subject(), Op: op, Owner: owner, Collection: b.Collection, Name: b.Name}}
	i := tx.notedOf(b.Collection, f.UID)
	if i < 0 {
		tx.noted = append(tx.noted, e)
		return nil
	}
	if joined, ok := join(&tx.noted[i], &e); ok {
		tx.noted[i] = joined
	} else {
		tx.noted = slices.Delete(tx.noted, i, i+1)
	}
	return nil
}

// notedOf finds the entry of this transaction for a member, -1 if there is none.
func (tx *Tx) notedOf(c CollectionID, uid string) int {
	for i := len(tx.noted) - 1; i >= max(0, len(tx.noted)-lookBack); i-- {
		if n := &tx.noted[i]; n.Collection == c && n.uid == uid && uid != "" {
			return i
		}
	}
	return -1
}

// join makes one entry of two that follow one another in a transaction; false
// if together they are nothing.
func join(old, e *noted) (noted, bool) {
	out := *e
	switch {
	case old.Op == OpCreated && e.Op == OpDeleted:
		return out, false
	case old.Op == OpCreated:
		out.Op = OpCreated
	case old.Op == OpDeleted && e.Op == OpCreated && e.Name == old.Name:
		out.Op = OpChanged
	case old.Op == OpDeleted && e.Op == OpCreated:
		out.Op, out.FromName = OpMoved, old.Name
	case old.Op == OpMoved && e.Op == OpDeleted:
		if old.FromCollection != 0 {
			return out, false // it came and went
		}
		out.Name = old.FromName
	case old.Op == OpMoved:
		out.Op, out.FromCollection, out.FromName = OpMoved, old.FromCollection, old.FromName
	}
	return out, true
}

// noteMove says of the entry of a member that came from another collection
// where from.
func (tx *Tx) noteMove(f *facts, to, from CollectionID, name string) {
	if i := tx.notedOf(to, f.UID); i >= 0 && to != from {
		n := &tx.noted[i]
		n.Op, n.FromCollection, n.FromName = OpMoved, from, name
	}
}

func (v *View) ownerOf(c CollectionID) (PrincipalID, error) {
	col, err := v.collection(c)
	if err != nil {
		return 0, fmt.Errorf("collection %d: %w", c, err)
	}
	return col.Owner, nil
}

func (tx *Tx) notePrincipal(op Op, p *Principal) {
	e := Entry{Org: p.Org, Subject: subjectOfKind(p.Kind), Op: op, Owner: p.ID, UUID: p.UUID, Name: p.Name}
	if p.Kind == KindUser || p.Kind == KindGroup {
		e.Owner = p.Org // a home is its user's alone; that there is such a user is the organisation's
	}
	tx.note(e)
}

func (tx *Tx) noteCollection(op Op, c *Collection) {
	tx.note(Entry{Org: c.Org, Subject: SubjectCalendar, Op: op, Owner: c.Owner, Collection: c.ID, UUID: c.UUID, Name: c.Name})
}

func (tx *Tx) noteRename(c *Collection, name string) {
	tx.note(Entry{
		Org: c.Org, Subject: SubjectCalendar, Op: OpMoved, Owner: c.Owner, Collection: c.ID, UUID: c.UUID, Name: name, FromName: c.Name,
	})
}

func (tx *Tx) noteGrant(op Op, subject *Principal, g Grant) {
	tx.note(Entry{
		Org: subject.Org, Subject: SubjectGrant, Op: op, Owner: g.Target, Collection: g.Collection, UUID: subject.UUID, Name: subject.Name,
	})
}

func (tx *Tx) notePassword(op Op, p *Principal) {
	tx.note(Entry{Org: p.Org, Subject: SubjectPassword, Op: op, Owner: p.Org, UUID: p.UUID, Name: p.Name})
}

func (tx *Tx) noteCredential(op Op, c *Credential) {
	tx.note(Entry{Org: c.Org, Subject: SubjectCredential, Op: op, Owner: c.Org, Name: c.ID})
}

func (tx *Tx) noteFeed(op Op, f *Feed, owner PrincipalID) {
	tx.note(Entry{Org: f.Org, Subject: SubjectFeed, Op: op, Owner: owner, Collection: f.Collection, Name: f.ID})
}

func (tx *Tx) noteService(op Op, s *Service) {
	tx.note(Entry{Org: s.Org, Subject: SubjectService, Op: op, Owner: s.Org, UUID: s.UUID, Name: clip(s.Name, maxNameLength)})
}

func (tx *Tx) noteRemote(op Op, r *Remote) error {
	owner, err := tx.ownerOf(r.Target)
	if err == nil {
		tx.note(Entry{Org: r.Org, Subject: SubjectRemote, Op: op, Owner: owner, Collection: r.Target, UUID: r.UUID, Name: r.Name})
	}
	return err
}

// noteHold notes a hold for each resource whose time it takes.
func (tx *Tx) noteHold(op Op, h *Hold) {
	for _, r := range h.Resources {
		tx.note(Entry{Org: h.Org, Subject: SubjectHold, Op: op, Owner: r, UUID: h.UUID})
	}
}

// clip cuts a text to so many bytes.
func clip(s string, most int) string { return strings.ToValidUTF8(s[:min(len(s), most)], "") }

// createdUnless gives OpCreated, or OpChanged for what was there.
func createdUnless(exists bool) Op {
	if exists {
		return OpChanged
	}
	return OpCreated
}

func journalKey(org PrincipalID, seq uint64) key { return newKey(tableJournal).principal(org).u64(seq) }

// writeJournal writes what was noted, as the last step of a transaction.
func (tx *Tx) writeJournal(o origin) error {
	if len(tx.noted) == 0 {
		return nil
	}
	last := map[PrincipalID]uint64{}
	for i := range tx.noted {
		e := &tx.noted[i].Entry
		seq, ok := last[e.Org]
		if !ok {
			if tx.get(principalKey(e.Org)) == nil {
				continue // the organisation is gone, and its journal with it
			}
			seq = tx.lastEntry(e.Org)
		}
		if uid := tx.noted[i].uid; uid != "" {
			if b := tx.get(identityKey(e.Org, hashUID(uid))); len(b) > 16 {
				e.UUID = uuid.UUID(b[1:17])
			}
		}
		e.Seq, e.Time, e.API = seq+1, tx.now, o.api
		e.sign(o.actor)
		tx.put(journalKey(e.Org, e.Seq), packEntry(e))
		last[e.Org] = e.Seq
	}
	for org := range last {
		tx.told = append(tx.told, org)
	}
	return nil
}

// sign says who it was.
func (e *Entry) sign(a *Actor) {
	if a == nil || a.system {
		e.System = a != nil
		return
	}
	e.Credential = a.Credential
	if a.Principal != nil {
		e.Principal = a.Principal.ID
	}
}

// The flags of a row.
const (
	entrySystem     = 1 << iota // by the operator or a job
	entryCredential             // a credential's id follows
	entryUUID                   // a UUID follows
	entryNamed                  // the name is the UUID with .ics, and not written
	entryFrom                   // where it was follows
)

// The entry's row: version, subject, op, flags, API, time, who, whose,
// collection, and what the flags say.
func packEntry(e *Entry) []byte {
	var flags byte
	for _, f := range []struct {
		flag byte
		set  bool
	}{
		{entrySystem, e.System},
		{entryCredential, e.Credential != ""},
		{entryUUID, e.UUID != uuid.Nil},
		{entryNamed, e.UUID != uuid.Nil && e.Name == e.UUID.String()+".ics"},
		{entryFrom, e.FromCollection != 0 || e.FromName != ""},
	} {
		if f.set {
			flags |= f.flag
		}
	}
	p := make(packer, 0, 64+len(e.Name)).byte(packedV1).byte(byte(e.Subject)).byte(byte(e.Op)).byte(flags)
	if i := slices.Index(apiCodes, e.API); i >= 0 {
		p = p.uint(uint64(i) + 1)
	} else {
		p = p.uint(0).text(e.API[:min(len(e.API), 64)])
	}
	p = p.uint(uint64(max(0, e.Time.UnixMilli()))).uint(uint64(e.Principal)).uint(uint64(e.Owner)).uint(uint64(e.Collection))
	if flags&entryCredential != 0 {
		p = p.text(e.Credential)
	}
	if flags&entryUUID != 0 {
		p = p.raw(e.UUID[:])
	}
	if flags&entryFrom != 0 {
		p = p.uint(uint64(e.FromCollection)).text(e.FromName)
	}
	if flags&entryNamed != 0 {
		return p
	}
	return p.raw([]byte(e.Name))
}

func unpackEntry(org PrincipalID, seq uint64, b []byte) (Entry, error) {
	u := unpacker{b: b}
	if v := u.byte(); v != packedV1 {
		return Entry{}, fmt.Errorf("%w: journal entry of version %d", errCodec, v)
	}
	e := Entry{Org: org, Seq: seq, Subject: Subject(u.byte()), Op: Op(u.byte())}
	flags := u.byte()
	switch code := u.uint(); {
	case code == 0:
		e.API = u.text()
	case code <= uint64(len(apiCodes)):
		e.API = apiCodes[code-1]
	}
	e.Time = time.UnixMilli(int64(u.uint())).UTC()
	e.Principal, e.Owner, e.Collection = PrincipalID(u.uint()), PrincipalID(u.uint()), CollectionID(u.uint())
	e.System = flags&entrySystem != 0
	if flags&entryCredential != 0 {
		e.Credential = u.text()
	}
	if flags&entryUUID != 0 {
		copy(e.UUID[:], u.take(len(e.UUID)))
	}
	if flags&entryFrom != 0 {
		e.FromCollection, e.FromName = CollectionID(u.uint()), u.text()
	}
	if e.Name = string(u.b); flags&entryNamed != 0 {
		e.Name = e.UUID.String() + ".ics"
	}
	if e.Op < OpCreated || e.Op > OpMoved {
		u.bad = true
	}
	return e, u.err("journal entry")
}

// Words gives the words of filters: all subjects, and all that can happen.
func Words() (names, ops []string) {
	for _, s := range subjects[1:] {
		names = append(names, s.name)
	}
	return names, slices.Clone(opNames[1:])
}

// ParseWhat reads a word of a filter: a subject ("block"), or one with what
// happened to it ("block.created"). The op is 0 for any. ErrInvalid.
func ParseWhat(word string) (Subject, Op, error) {
	name, op, some := strings.Cut(word, ".")
	s := slices.IndexFunc(subjects[:], func(t telling) bool { return t.name == name && name != "" })
	o := slices.Index(opNames[:], op)
	if s < 1 || some && o < 1 {
		return 0, 0, fmt.Errorf("%w: %q is nothing that the journal tells of", ErrInvalid, word)
	}
	if !some {
		o = 0
	}
	return Subject(s), Op(o), nil
}
