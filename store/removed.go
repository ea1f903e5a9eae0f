package store

import (
	"fmt"
	"slices"
	"time"
)

// What was removed is kept for some days, so that feeds can show it as
// cancelled: a subscriber that merges by UID, or looks once a day, then learns
// that it is off. It is kept only in organisations that have feeds, of events
// and tasks of ordinary size, and of each collection for its last changes.

const (
	maxRemovedSize = 64 << 10 // of a body that is kept
	// maxRemovedAge is how many changes of its collection a removal is kept
	// for, however young it is: who removes a million events keeps few.
	maxRemovedAge = 5000
	// maxRemovedShown bounds what one stream shows of them.
	maxRemovedShown = 1000
)

// removedObject is a row of the table.
type removedObject struct {
	at   time.Time
	kind string
	uid  uidHash
	data []byte // good for the snapshot
}

func removedKey(c CollectionID, seq uint64) key {
	return newKey(tableRemoved).collection(c).u64(seq)
}

func packRemoved(r *removedObject) []byte {
	p := make(packer, 0, 32+len(r.data))
	return p.byte(packedV1).int(r.at.Unix()).byte(kindCode(r.kind)).raw(r.uid[:]).raw(r.data)
}

func unpackRemoved(b []byte) (r removedObject, err error) {
	u := unpacker{b: b}
	if v := u.byte(); v != packedV1 {
		return r, fmt.Errorf("%w: removed object of version %d", errCodec, v)
	}
	r.at, r.kind = time.Unix(u.int(), 0).UTC(), kindName(u.byte())
	copy(r.uid[:], u.take(len(r.uid)))
	r.data = u.b
	return r, u.err("removed object")
}

// keepRemoved keeps an object that is about to leave a collection; the state
// is that after it.
func (tx *Tx) keepRemoved(f *facts, c CollectionID, st *State) {
	if f.Kind != "VEVENT" && f.Kind != "VTODO" || f.size > maxRemovedSize || tx.s.opt.KeepRemoved < 0 || !tx.hasFeeds(f.Org) {
		return
	}
	data, err := tx.Data(f.ID)
	if err != nil {
		return
	}
	tx.put(removedKey(c, st.Seq), packRemoved(&removedObject{at: tx.now, kind: f.Kind, uid: hashUID(f.UID), data: data}))
	st.Removed = tx.now
	oldest := newKey(tableRemoved).collection(c)
	for _, k := range tx.someKeys(oldest, 2) { // two for one, so that a backlog shrinks
		if u64(k[len(oldest):])+maxRemovedAge < st.Seq {
			tx.del(k)
		}
	}
}

// removedItems adds what was removed lately to the items of a stream: the last
// removal of each UID that none of its collections has any more. A busy stream
// has none of them: it shows the time that is taken.
func (v *View) removedItems(p *streamPlan, items []streamItem) ([]streamItem, error) {
	since := p.removedSince(v)
	seen := map[uidHash]bool{}
	shown := 0
	for i, c := range p.collections {
		if p.states[i].Removed.Before(since) {
			continue
		}
		var rows []streamItem
		var failed error
		from := newKey(tableRemoved).collection(c.ID)
		var uids []uidHash
		v.r.Scan(from, from.after(), func(k, b []byte) bool {
			r, err := unpackRemoved(b)
			if err != nil {
				failed = err
				return false
			}
			if k := p.options.Components; r.at.Before(since) || len(k) > 0 && !slices.Contains(k, r.kind) {
				return true
			}
			rows = append(rows, streamItem{collection: c.ID, object: ObjectID(u64(k[len(from):])), removed: true, at: r.at.Unix()})
			uids = append(uids, r.uid)
			return true
		})
		if failed != nil {
			return nil, failed
		}
		kept := len(items)
		for j := len(rows) - 1; j >= 0 && shown < maxRemovedShown; j-- { // the last removal of a UID counts
			if !seen[uids[j]] && !v.heldIn(c.Org, uids[j], p.collections) {
				items = append(items, rows[j])
				shown++
			}
			seen[uids[j]] = true
		}
		slices.Reverse(items[kept:])
	}
	return items, nil
}

// heldIn reports whether one of the collections has the UID.
func (v *View) heldIn(org PrincipalID, uid uidHash, in []*Collection) bool {
	from := newKey(tableHolders).principal(org).bytes(uid[:])
	held := false
	v.r.Scan(from, from.after(), func(k, _ []byte) bool {
		id := CollectionID(u32(k[len(from):]))
		held = slices.ContainsFunc(in, func(c *Collection) bool { return c.ID == id })
		return !held
	})
	return held
}

// pruneRemoved forgets up to n removed objects that no feed shows any more.
func (tx *Tx) pruneRemoved(n int) (dropped int) {
	before := tx.now.Add(-max(tx.s.opt.KeepRemoved, 0)).AddDate(0, 0, -2)
	var old []key
	from := newKey(tableRemoved)
	tx.r.Scan(from, from.after(), func(k, b []byte) bool {
		if r, err := unpackRemoved(b); err != nil || r.at.Before(before) {
			old = append(old, slices.Clone(k))
		}
		return len(old) < n
	})
	for _, k := range old {
		tx.del(k)
	}
	return len(old)
}
