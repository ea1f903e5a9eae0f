package store

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// State gives the collection's moving part: one small read.
func (v *View) State(c CollectionID) (State, error) {
	b := v.get(stateKey(c))
	if b == nil {
		return State{}, fmt.Errorf("collection %d: %w", c, ErrNotFound)
	}
	return unpackState(b)
}

// Token gives the sync-token of a state.
func (v *View) Token(c CollectionID, s State) Token {
	return Token{Epoch: *v.s.epoch.Load(), Collection: c, Seq: s.Seq}
}

// ParseToken reads a sync-token's text; ErrToken.
func ParseToken(text string) (Token, error) {
	t := Token{}
	rest, ok := strings.CutPrefix(text, tokenPrefix)
	parts := strings.Split(rest, "-")
	if !ok || len(parts) < 3 || len(parts) > 4 || len(parts[0]) != 16 {
		return t, fmt.Errorf("sync-token: %w", ErrToken)
	}
	_, err := hex.Decode(t.Epoch[:], []byte(parts[0]))
	var nums [3]uint64
	for i, p := range parts[1:] {
		n, e := strconv.ParseUint(p, 10, 64)
		if e != nil || strconv.FormatUint(n, 10) != p {
			err = ErrToken
		}
		nums[i] = n
	}
	if err != nil || nums[0] > 1<<32-1 {
		return t, fmt.Errorf("sync-token: %w", ErrToken)
	}
	t.Collection, t.Seq = CollectionID(nums[0]), nums[1]
	if len(parts) == 4 {
		t.First, t.begun = true, nums[2]
	}
	return t, nil
}

// Member gives the row of one member; ErrNotFound.
func (v *View) Member(c CollectionID, name string) (Member, error) {
	if name == "" || len(name) > maxNameLength || v.gone(c) {
		return Member{}, fmt.Errorf("member: %w", ErrNotFound)
	}
	return v.member(c, name)
}

// member is Member in any collection, also one that is gone.
func (v *View) member(c CollectionID, name string) (Member, error) {
	b := v.get(memberKey(c, name))
	if b == nil {
		return Member{}, fmt.Errorf("member: %w", ErrNotFound)
	}
	return unpackMember(name, b)
}

// MemberOf gives the row of the member that is the object; ErrNotFound. It
// reads of the object's facts no more than the name, so that a query that found
// the object in an index costs little for each hit.
func (v *View) MemberOf(c CollectionID, id ObjectID) (Member, error) {
	name := boundName(v.get(factsKey(id)), c)
	if name == nil {
		return Member{}, fmt.Errorf("object %d: %w", id, ErrNotFound)
	}
	return v.Member(c, string(name))
}

// boundName finds an object's name in a collection in its packed facts; nil if
// it is not there. See packFacts.
func boundName(b []byte, c CollectionID) []byte {
	u := unpacker{b: b}
	if u.byte() != packedV1 {
		return nil
	}
	u.take(1 + 1 + 16) // flags, kind, ETag
	u.uint()           // organisation
	u.int()            // created
	u.int()            // modified
	u.uint()           // size
	u.blob()           // UID
	for n := u.uint(); n > 0 && !u.bad; n-- {
		if at, name := CollectionID(u.uint()), u.blob(); at == c && !u.bad {
			return name
		}
	}
	return nil
}

// EachMember calls fn for the members after the given name ("" all) in order
// of name, until it returns false. No body is touched. A collection that does
// not exist has none.
func (v *View) EachMember(c CollectionID, after string, fn func(Member) bool) error {
	if v.gone(c) {
		return nil
	}
	prefix := newKey(tableMembers).collection(c)
	from := prefix
	if after != "" {
		from = append(memberKey(c, after), 0)
	}
	var err error
	v.r.Scan(from, prefix.after(), func(k, b []byte) bool {
		var m Member
		if m, err = unpackMember(string(k[5:]), b); err != nil {
			return false
		}
		return fn(m)
	})
	return err
}

// holder gives the object and the name under which a collection has a UID.
func (v *View) holder(org PrincipalID, uid uidHash, c CollectionID) (ObjectID, string, bool) {
	b := v.get(holderKey(org, uid, c))
	if len(b) < 8 {
		return 0, "", false
	}
	return ObjectID(u64(b)), string(b[8:]), true
}

// MemberByUID finds the member that holds the UID; ErrNotFound.
func (v *View) MemberByUID(c CollectionID, uid string) (Member, error) {
	col, err := v.collection(c)
	if err != nil {
		return Member{}, fmt.Errorf("collection %d: %w", c, err)
	}
	_, name, ok := v.holder(col.Org, hashUID(uid), c)
	if !ok {
		return Member{}, fmt.Errorf("UID: %w", ErrNotFound)
	}
	return v.Member(c, name)
}

// Holders gives the objects of an organisation that have the UID, each once (a
// block in several collections is one object).
func (v *View) Holders(org PrincipalID, uid string) ([]ObjectID, error) {
	h := hashUID(uid)
	from := newKey(tableHolders).principal(org).bytes(h[:])
	var out []ObjectID
	seen := map[ObjectID]bool{}
	v.r.Scan(from, from.after(), func(k, b []byte) bool {
		if v.gone(CollectionID(u32(k[len(from):]))) {
			return true
		}
		if o := ObjectID(u64(b)); !seen[o] {
			seen[o] = true
			out = append(out, o)
		}
		return true
	})
	return out, nil
}

// Copies gives what Holders names, without Data.
func (v *View) Copies(org PrincipalID, uid string) ([]*Object, error) {
	ids, err := v.Holders(org, uid)
	if err != nil {
		return nil, err
	}
	out := make([]*Object, len(ids))
	for i, id := range ids {
		if out[i], err = v.ObjectFacts(id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// facts gives what is kept of an object, with the places that are not gone.
func (v *View) facts(id ObjectID) (*facts, error) {
	f, err := v.allFacts(id)
	if err != nil {
		return nil, err
	}
	f.Bindings = slices.DeleteFunc(f.Bindings, func(b Binding) bool { return v.gone(b.Collection) })
	if len(f.Bindings) == 0 {
		return nil, errObject(id)
	}
	return f, nil
}

// allFacts is facts with the places that are gone.
func (v *View) allFacts(id ObjectID) (*facts, error) {
	b := v.get(factsKey(id))
	if b == nil {
		return nil, errObject(id)
	}
	return unpackFacts(id, b)
}

func errObject(id ObjectID) error { return fmt.Errorf("object %d: %w", id, ErrNotFound) }

// ObjectFacts gives an object without Data: nothing of the body is read.
func (v *View) ObjectFacts(id ObjectID) (*Object, error) {
	f, err := v.facts(id)
	if err != nil {
		return nil, err
	}
	return &f.Object, nil
}

// ObjectMark gives bytes that are the same for as long as ObjectFacts gives the
// same: who keeps something of an object compares them instead of asking. They
// are not to be used after the snapshot. nil: nothing can be said.
func (v *View) ObjectMark(id ObjectID) []byte {
	if len(v.goneMarks()) > 0 {
		return nil // places come and go without a change of the record
	}
	return v.get(factsKey(id))
}

// Object gives an object with its data; ErrNotFound.
func (v *View) Object(id ObjectID) (*Object, error) {
	f, err := v.facts(id)
	if err != nil {
		return nil, err
	}
	f.Data, err = v.Data(id)
	return &f.Object, err
}

// ObjectAt gives the object at an address; ErrNotFound.
func (v *View) ObjectAt(c CollectionID, name string) (*Object, error) {
	m, err := v.Member(c, name)
	if err != nil {
		return nil, err
	}
	return v.Object(m.Object)
}

// Identity gives the lasting identity of a UID; ErrNotFound.
func (v *View) Identity(org PrincipalID, uid string) (Identity, error) {
	return v.identity(org, hashUID(uid))
}

func (v *View) identity(org PrincipalID, h uidHash) (Identity, error) {
	b := v.get(identityKey(org, h))
	if b == nil {
		return Identity{}, fmt.Errorf("identity: %w", ErrNotFound)
	}
	return unpackIdentity(org, b)
}

// IdentityByUUID finds an identity by its UUID, in whatever organisation;
// ErrNotFound. The caller checks that the asker may know the organisation.
func (v *View) IdentityByUUID(id uuid.UUID) (Identity, error) {
	b := v.get(newKey(tableUUIDs).bytes(id[:]))
	if len(b) != 1+4+16 || b[0] != 'i' {
		return Identity{}, fmt.Errorf("identity %s: %w", id, ErrNotFound)
	}
	return v.identity(PrincipalID(u32(b[1:])), uidHash(b[5:]))
}

// IdentityByAlias finds an identity by its integer; ErrNotFound.
func (v *View) IdentityByAlias(org PrincipalID, alias uint32) (Identity, error) {
	b := v.get(newKey(tableAliases).principal(org).u32(alias))
	if len(b) != 1+16 || b[0] != 'i' {
		return Identity{}, fmt.Errorf("alias %d: %w", alias, ErrNotFound)
	}
	return v.identity(org, uidHash(b[1:]))
}

// Changes gives the changes after the token (RFC 6578 §3), at most limit (0:
// all) in order of Seq, and the token to go on from; more is true when it was
// cut. Without a token it lists the members; the token of a listing that was
// cut remembers that, so that the rest of it names no removed member that the
// client never saw. ErrToken for a token of another epoch or collection, from
// the future, or older than the log.
func (v *View) Changes(c CollectionID, token string, limit int) (changes []Change, next Token, more bool, err error) {
	st, err := v.State(c)
	if err != nil {
		return nil, next, false, err
	}
	from := Token{First: true, begun: st.Seq}
	if token != "" {
		if from, err = ParseToken(token); err != nil {
			return nil, next, false, err
		}
		known := max(from.Seq, from.begun) // a listing under way knows nothing older
		if from.Epoch != *v.s.epoch.Load() || from.Collection != c || known > st.Seq || known < st.Floor {
			return nil, next, false, fmt.Errorf("sync-token: %w", ErrToken)
		}
	}
	next = v.Token(c, st)
	if from.Seq == st.Seq {
		return nil, next, false, nil
	}
	prefix := newKey(tableChanges).collection(c)
	v.r.Scan(changeKey(c, from.Seq+1), prefix.after(), func(k, b []byte) bool {
		var ch Change
		if ch, _, err = unpackChange(u64(k[5:]), b); err != nil {
			return false
		}
		if ch.Removed && from.First && ch.Seq <= from.begun {
			return true
		}
		if more = limit > 0 && len(changes) == limit; more {
			return false
		}
		changes = append(changes, ch)
		return true
	})
	if more {
		next.Seq = changes[len(changes)-1].Seq
		next.First, next.begun = from.First && next.Seq < from.begun, from.begun
		if !next.First {
			next.begun = 0
		}
	}
	return changes, next, more, err
}
