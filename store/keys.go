package store

import (
	"crypto/sha256"
	"encoding/binary"
)

// The tables: the first byte of every key. Facts are what cannot be computed
// from anything else; Check rebuilds the others.
const (
	tableMeta        = 'M' // name → value: schema, epoch, counters, horizon
	tablePrincipals  = 'P' // principal → record (fact)
	tableNames       = 'N' // name → principal
	tableUUIDs       = 'U' // uuid → 'p' principal | 'c' collection | 'i' organisation, UID hash
	tableAliases     = 'A' // organisation, alias → 'p' principal | 'i' UID hash
	tableGrants      = 'G' // subject, target[, collection] → rights (fact)
	tableGrantsOn    = 'g' // target[, collection], subject → rights
	tableCollections = 'C' // collection → record (fact)
	tableHomes       = 'H' // owner, name → collection
	tableGone        = 'X' // collection that was removed, until its members are swept → its state (fact)
	tableStates      = 'S' // collection → state: the one row that polls read
	tableMembers     = 'm' // collection, name → what a listing tells
	tableChanges     = 'l' // collection, seq → the change; one row for a member, its last
	tableTombstones  = 't' // collection, name of a removed member → seq
	tableFacts       = 'b' // object → all of it but the body (fact)
	tableData        = 'o' // object → iCalendar bytes, see packBody (fact)
	tableDead        = 'D' // object → its dead properties (fact)
	tableIdentities  = 'u' // organisation, UID hash → identity (fact)
	tableHolders     = 'q' // organisation, UID hash, collection → object, name
	tableExternal    = 'x' // organisation, hash of the external id, object → nothing
	tableRows        = 'i' // collection, class, start, object → instance
	tableEndless     = 'h' // collection, object → instant up to which it has rows
	tableDense       = 'd' // collection, object → why it has no rows
	tablePasswords   = 'W' // principal → hash (fact)
	tableCredentials = 'K' // id → record (fact)
	tableFeeds       = 'F' // hash of the secret → record (fact)
	tableFeedIDs     = 'f' // organisation, id → hash of the secret
	tableFeedOld     = 'p' // hash of a feed's former secret → organisation, id, until (fact)
	tableFetches     = 'y' // organisation, id of a feed → its last fetches (fact)
	tableRemoved     = 'R' // collection, seq of its removal → an object, kept for feeds for some days (fact)
	tableJobs        = 'J' // name → last run
	tableServices    = 's' // organisation, uuid → record (fact)
	tableNotes       = 'n' // organisation, space, name → bytes (fact)
	tableReplays     = 'r' // organisation, hash of caller and key → answer that is kept (fact)
	tableJournal     = 'j' // organisation, seq → what happened (fact)
	tableFormer      = 'z' // organisation, principal that is gone → its name (fact)
	tableRemotes     = 'e' // remote → record (fact)
	tableRemoteState = 'E' // remote → how its pulls went (fact)
	tableBases       = 'L' // remote, hash of the href → the last common version (fact)
	tableHours       = 'a' // collection, object → whom these hours hold for
	tableHolds       = 'V' // organisation, uuid → record of a hold (fact)
	tableHoldTimes   = 'T' // resource, start, uuid → when the hold takes time
	tableOpenings    = 'O' // collection, day → openings and what they were computed from
	tableWebhooks    = 'w' // organisation, uuid → record (fact)
	tableHookStates  = 'k' // organisation, uuid → how far it has come (fact)
	tableDeliveries  = 'v' // organisation, uuid, number → attempt to deliver (fact)
	tableDeadLetters = 'B' // organisation, uuid, number → what was given up (fact)
)

var (
	allTables = []byte{
		tableMeta, tablePrincipals, tableNames, tableUUIDs, tableAliases, tableGrants, tableGrantsOn,
		tableCollections, tableHomes, tableGone, tableStates, tableMembers, tableChanges, tableTombstones, tableFacts, tableData, tableDead,
		tableIdentities, tableHolders, tableExternal, tableRows, tableEndless, tableDense, tableHours, tablePasswords, tableCredentials, tableFeeds,
		tableFeedIDs, tableFeedOld, tableFetches, tableRemoved, tableJobs, tableServices, tableNotes, tableHolds, tableHoldTimes, tableReplays, tableOpenings,
		tableJournal, tableFormer, tableWebhooks, tableHookStates, tableDeliveries, tableDeadLetters,
		tableRemotes, tableRemoteState, tableBases,
	}
	// Objects, changes and aliases are numbered in order of creation, and new
	// UUIDs (v7) begin with the time, so these tables grow at their end.
	appendedTables = []byte{tableFacts, tableData, tableChanges, tableAliases, tableUUIDs, tableJournal}
)

// key joins a table and the fixed-width parts of a key.
type key []byte

func newKey(table byte) key               { return append(make(key, 0, 48), table) }
func (k key) principal(p PrincipalID) key { return binary.BigEndian.AppendUint32(k, uint32(p)) }
func (k key) collection(c CollectionID) key {
	return binary.BigEndian.AppendUint32(k, uint32(c))
}
func (k key) object(o ObjectID) key { return binary.BigEndian.AppendUint64(k, uint64(o)) }
func (k key) u64(n uint64) key      { return binary.BigEndian.AppendUint64(k, n) }
func (k key) u32(n uint32) key      { return binary.BigEndian.AppendUint32(k, n) }
func (k key) text(s string) key     { return append(k, s...) }
func (k key) bytes(b []byte) key    { return append(k, b...) }

// after gives the first key behind all that begin with k, nil if there is none.
func (k key) after() key {
	out := append(key(nil), k...)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i]++; out[i] != 0 {
			return out[:i+1]
		}
	}
	return nil
}

func principalKey(p PrincipalID) key         { return newKey(tablePrincipals).principal(p) }
func nameKey(name string) key                { return newKey(tableNames).text(name) }
func collectionKey(c CollectionID) key       { return newKey(tableCollections).collection(c) }
func homeKey(p PrincipalID, name string) key { return newKey(tableHomes).principal(p).text(name) }
func stateKey(c CollectionID) key            { return newKey(tableStates).collection(c) }
func memberKey(c CollectionID, name string) key {
	return newKey(tableMembers).collection(c).text(name)
}

func changeKey(c CollectionID, seq uint64) key { return newKey(tableChanges).collection(c).u64(seq) }

func tombstoneKey(c CollectionID, name string) key {
	return newKey(tableTombstones).collection(c).text(name)
}
func factsKey(o ObjectID) key { return newKey(tableFacts).object(o) }
func dataKey(o ObjectID) key  { return newKey(tableData).object(o) }
func deadKey(o ObjectID) key  { return newKey(tableDead).object(o) }
func holderKey(org PrincipalID, uid uidHash, c CollectionID) key {
	return newKey(tableHolders).principal(org).bytes(uid[:]).collection(c)
}

func identityKey(org PrincipalID, uid uidHash) key {
	return newKey(tableIdentities).principal(org).bytes(uid[:])
}

// grantKey is the place of a grant; collection 0 is that of one on all of the
// target's calendars.
func grantKey(subject PrincipalID, g Grant) key {
	k := newKey(tableGrants).principal(subject).principal(g.Target)
	if g.Collection != 0 {
		k = k.collection(g.Collection)
	}
	return k
}

// grantOf reads the place of a grant: k begins with the subject, and the
// table before it.
func grantOf(k, b []byte) Grant {
	g := Grant{Target: PrincipalID(u32(k[5:])), Rights: Rights(b[0])}
	if len(k) > 9 {
		g.Collection = CollectionID(u32(k[9:]))
	}
	return g
}

// grantOnKey is the other way to the grant at k, and grantBackKey the way back.
func grantOnKey(k key) key { return newKey(tableGrantsOn).bytes(k[5:]).bytes(k[1:5]) }

func grantBackKey(k key) key {
	subject := len(k) - 4
	return newKey(tableGrants).bytes(k[subject:]).bytes(k[1:subject])
}

// uidHash stands for a UID in keys: UIDs may be longer than a key can be.
type uidHash [16]byte

func hashUID(uid string) uidHash {
	sum := sha256.Sum256([]byte(uid))
	return uidHash(sum[:16])
}

func u32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
func u64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }
