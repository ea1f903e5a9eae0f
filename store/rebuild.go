package store

import (
	"bytes"
	"slices"

	"daybook/ical"
)

// rebuild makes the derived tables anew from the facts. The history of
// collections that are damaged begins anew, above every number it ever had.
func (tx *Tx) rebuild(damaged map[CollectionID]bool) error {
	for _, t := range checked {
		switch t.table {
		case tableMembers: // only where the history is damaged, see freshState
		case tableAliases:
			tx.dropAliases()
		default:
			tx.dropPrefix(newKey(t.table))
		}
	}
	tx.dropPrefix(newKey(tableOpenings)) // they are computed from what was wrong
	if err := tx.rebuildDirectory(); err != nil {
		return err
	}
	gone := tx.dropGone()
	states := map[CollectionID]*State{}
	for _, k := range tx.keys(newKey(tableStates)) {
		if tx.get(newKey(tableCollections).bytes(k[1:])) == nil {
			tx.del(k)
		}
	}
	for _, k := range tx.keys(newKey(tableCollections)) {
		id := CollectionID(u32(k[1:]))
		states[id] = tx.freshState(id, damaged[id])
	}
	tx.setMetaInt(metaObjects, 0)
	tx.setMetaInt(metaRows, 0)
	for _, k := range tx.keys(newKey(tableFacts)) {
		tx.count(metaObjects, 1)
		f, err := unpackFacts(ObjectID(u64(k[1:])), tx.get(k))
		if err != nil {
			continue // reported; kept for a later version
		}
		f.Bindings = slices.DeleteFunc(f.Bindings, func(b Binding) bool { return gone[b.Collection] })
		if len(f.Bindings) == 0 {
			tx.putFacts(f) // its collection was removed
			continue
		}
		if err := tx.rebuildObject(f, states, damaged); err != nil {
			return err
		}
	}
	for _, k := range tx.keys(newKey(tableDead)) {
		if tx.get(factsKey(ObjectID(u64(k[1:])))) == nil {
			tx.del(k)
		}
	}
	for _, n := range numbered {
		tx.setMetaInt(n.meta, max(metaInt(tx.r, n.meta), n.last(&tx.View)))
	}
	for id, st := range states {
		tx.put(stateKey(id), packState(st))
	}
	tx.mendJournal()
	tx.directoryChanged()
	return nil
}

// mendJournal puts a word of its own in the place of entries that cannot be
// read: numbers must neither be missing nor be used again.
func (tx *Tx) mendJournal() {
	for _, k := range tx.keys(newKey(tableJournal)) {
		org, seq := PrincipalID(u32(k[1:])), u64(k[5:])
		if _, err := unpackEntry(org, seq, tx.get(k)); err != nil {
			tx.put(k, packEntry(&Entry{Subject: SubjectOrganisation, Op: OpChanged, Owner: org, System: true, API: "admin", Time: tx.now}))
		}
	}
}

// dropGone takes collections that are gone out of the tables that are not made
// anew as a whole. Their objects go when all objects are looked at.
func (tx *Tx) dropGone() map[CollectionID]bool {
	gone := map[CollectionID]bool{}
	for _, k := range tx.keys(newKey(tableGone)) {
		id := CollectionID(u32(k[1:]))
		gone[id] = true
		for _, table := range []byte{tableMembers, tableChanges, tableTombstones} {
			tx.dropPrefix(newKey(table).collection(id))
		}
		tx.del(k)
	}
	tx.marked = false
	return gone
}

// dropAliases drops those that lead somewhere; those of principals that are gone
// are a fact: they are not to be used again.
func (tx *Tx) dropAliases() {
	for _, k := range tx.keys(newKey(tableAliases)) {
		if b := tx.get(k); len(b) != 5 || u32(b[1:]) != 0 {
			tx.del(k)
		}
	}
}

// freshState gives a state to count up from. A damaged history is dropped.
func (tx *Tx) freshState(id CollectionID, damaged bool) *State {
	st, err := tx.State(id)
	if err != nil {
		st, damaged = State{}, true
	}
	st.Members, st.Bytes, st.classes = 0, 0, 0
	if damaged {
		last := st.Seq
		tx.r.ScanBack(newKey(tableChanges).collection(id), newKey(tableChanges).collection(id).after(), func(k, _ []byte) bool {
			last = max(last, u64(k[5:]))
			return false
		})
		for _, table := range []byte{tableChanges, tableTombstones, tableMembers} {
			tx.dropPrefix(newKey(table).collection(id))
		}
		st.Seq, st.Floor, st.Modified = last+1, last+1, tx.now
	}
	return &st
}

// rebuildDirectory makes what follows from records. Those that cannot be read
// were reported and are left alone.
func (tx *Tx) rebuildDirectory() error {
	for _, k := range tx.keys(newKey(tablePrincipals)) {
		p := &Principal{ID: PrincipalID(u32(k[1:]))}
		if err := decodeRecord(tx.get(k), p); err != nil {
			continue // reported
		}
		for k, b := range p.derived() {
			tx.put([]byte(k), b)
		}
	}
	for _, k := range tx.keys(newKey(tableGrants)) {
		b := bytes.Clone(tx.get(k))
		if !tx.leads(grantOf(k, b)) {
			tx.del(k)
			continue
		}
		tx.put(grantOnKey(k), b)
	}
	for _, k := range tx.keys(newKey(tableCollections)) {
		c := &Collection{ID: CollectionID(u32(k[1:]))}
		if err := decodeRecord(tx.get(k), c); err != nil {
			continue
		}
		for k, b := range c.derived() {
			tx.put([]byte(k), b)
		}
	}
	for _, k := range tx.keys(newKey(tableFeeds)) {
		f := &Feed{}
		if err := decodeRecord(tx.get(k), f); err != nil {
			continue
		}
		tx.put(newKey(tableFeedIDs).principal(f.Org).text(f.ID), k[1:])
	}
	for _, k := range tx.keys(newKey(tableServices)) {
		s := &Service{}
		if err := decodeRecord(tx.get(k), s); err != nil {
			continue
		}
		for k, b := range s.derived() {
			tx.put([]byte(k), b)
		}
	}
	for _, k := range tx.keys(newKey(tableHolds)) {
		h := &Hold{}
		if err := decodeRecord(tx.get(k), h); err != nil {
			continue
		}
		for k, b := range h.derived() {
			tx.put([]byte(k), b)
		}
	}
	for _, k := range tx.keys(newKey(tableIdentities)) {
		i, err := unpackIdentity(PrincipalID(u32(k[1:])), tx.get(k))
		if err != nil {
			continue
		}
		for k, b := range i.derived() {
			tx.put([]byte(k), b)
		}
	}
	return nil
}

// rebuildObject makes what follows from one object. It never removes data: an
// object whose body is lost stays listed, and one whose collection is lost
// stays in the file; both were reported.
func (tx *Tx) rebuildObject(f *facts, states map[CollectionID]*State, damaged map[CollectionID]bool) error {
	lost := func(b Binding) bool { return states[b.Collection] == nil }
	if !slices.ContainsFunc(f.Bindings, func(b Binding) bool { return !lost(b) }) {
		return nil
	}
	f.Bindings = slices.DeleteFunc(f.Bindings, lost)
	f.rows, f.flags, f.external = nil, 0, nil
	_, err := decodeDead(tx.get(deadKey(f.ID)))
	if f.dead = err == nil; err != nil {
		tx.del(deadKey(f.ID))
	}
	if tx.get(remoteKey(f.Remote)) == nil {
		f.Origin = Origin{} // its remote is lost, and with it who would change it
	}
	var p *Prepared
	if data, err := tx.Data(f.ID); err == nil {
		f.ETag, f.size = tagOf(data), uint32(len(data))
		if o, err := ical.Parse(data, ical.StreamLimits); err == nil {
			p = &Prepared{object: o, origin: f.Origin}
			p.index(max(tx.s.indexUntil(), metaInt(tx.r, metaHorizon)))
			p = p.spread(len(f.Bindings))
			f.rows, f.flags = p.packed, p.flags
		}
	}
	if err := tx.identify(f.Org, f.UID); err != nil {
		return err
	}
	if p != nil {
		tx.setExternal(f, p.external)
	}
	tx.put(factsKey(f.ID), packFacts(f))
	if p != nil {
		if err := tx.indexInView(f, p, false); err != nil {
			return err
		}
	}
	for _, b := range f.Bindings {
		st := states[b.Collection]
		st.Members++
		st.Bytes += uint64(f.size)
		tx.put(holderKey(f.Org, hashUID(f.UID), b.Collection), key(nil).object(f.ID).text(b.Name))
		if p != nil {
			if err := tx.indexIn(b.Collection, f.ID, p, false, &st.classes); err != nil {
				return err
			}
		}
		if damaged[b.Collection] {
			st.Seq++
			m := Member{Name: b.Name, Object: f.ID, ETag: f.ETag, Seq: st.Seq, Size: f.size, Kind: f.Kind, Modified: f.Modified, Dead: f.dead}
			tx.put(memberKey(b.Collection, b.Name), packMember(&m))
			tx.put(changeKey(b.Collection, st.Seq), packChange(&Change{Member: m}, tx.now))
		} else if m, err := tx.Member(b.Collection, b.Name); err == nil && m.Dead != f.dead {
			tx.markMember(b, m, f.dead)
		}
	}
	return nil
}
