package store

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"daybook/ical"
)

// Problem is one finding of Check.
type Problem struct {
	Kind    string // pages, records, data, members, changes, holders, external ids, identities, instances, states, directory, journal, holds
	Where   string // principal/collection/name or object number, as far as known
	Message string
}

// CheckStats counts what Check looked at.
type CheckStats struct {
	Principals, Collections, Objects, Members, Changes, Rows, Problems int
}

// Check verifies every derived index against the facts and reports each
// problem. With rebuild it then makes the derived ones anew, in one
// transaction; where the history of changes was damaged, old sync-tokens of
// the collection end. Data that cannot be parsed is reported and left alone.
// ErrDamaged when pages of the file are damaged: then nothing is rebuilt, as
// writing could spread the damage.
func (s *Store) Check(ctx context.Context, rebuild bool, report func(Problem)) (stats CheckStats, err error) {
	note := func(p Problem) {
		stats.Problems++
		report(p)
	}
	if err := s.db.Verify(func(err error) { note(Problem{Kind: "pages", Message: err.Error()}) }); err != nil {
		return stats, err
	}
	pages := stats.Problems
	c := &checker{s: s, ctx: ctx, report: note, stats: &stats}
	if err := s.View(ctx, c.survive); err != nil {
		return stats, err
	}
	switch {
	case !rebuild || stats.Problems == 0:
		return stats, nil
	case pages > 0 || c.stopped:
		return stats, fmt.Errorf("nothing was rebuilt: %w: restore a backup, or export what can be read", ErrDamaged)
	}
	return stats, s.Update(ctx, func(tx *Tx) error { return tx.rebuild(c.damaged) })
}

// survive is run for files whose pages may be damaged: reading them can panic,
// and can leave the mapped memory.
func (c *checker) survive(v *View) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			c.stopped = true
			c.problem("pages", "", "the check had to stop here: %v", cause)
		}
	}()
	return c.run(v)
}

// checker computes what the derived tables should hold and compares.
type checker struct {
	s       *Store
	ctx     context.Context
	v       *View
	report  func(Problem)
	stats   *CheckStats
	want    map[string][]byte // derived key → value; nil: any value
	states  map[CollectionID]*State
	damaged map[CollectionID]bool // whose history cannot be trusted
	objects int64
	rows    int64
	stopped bool // at a damaged page
}

func (c *checker) problem(kind, where, format string, args ...any) {
	c.report(Problem{Kind: kind, Where: where, Message: fmt.Sprintf(format, args...)})
}

// checked are the derived tables that are compared key by key.
var checked = []struct {
	table byte
	kind  string
}{
	{tableNames, "directory"},
	{tableUUIDs, "identities"},
	{tableAliases, "identities"},
	{tableGrantsOn, "directory"},
	{tableHomes, "directory"},
	{tableHolders, "holders"},
	{tableExternal, "external ids"},
	{tableMembers, "members"},
	{tableRows, "instances"},
	{tableEndless, "instances"},
	{tableDense, "instances"},
	{tableHours, "instances"},
	{tableFeedIDs, "directory"},
	{tableHoldTimes, "holds"},
}

func (c *checker) run(v *View) error {
	c.v, c.want = v, map[string][]byte{}
	c.states, c.damaged = map[CollectionID]*State{}, map[CollectionID]bool{}
	for _, step := range []func() error{c.directory, c.identities, c.bodies, c.compare, c.history, c.counts, c.journal} {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// scan calls fn for all of a table.
func (v *View) scan(table byte, fn func(k, b []byte)) {
	from := newKey(table)
	v.r.Scan(from, from.after(), func(k, b []byte) bool {
		fn(k, b)
		return true
	})
}

func (c *checker) directory() error {
	c.v.scan(tablePrincipals, func(k, b []byte) {
		c.stats.Principals++
		p := &Principal{ID: PrincipalID(u32(k[1:]))}
		if err := decodeRecord(b, p); err != nil {
			c.problem("records", fmt.Sprintf("principal %d", p.ID), "%v", err)
			return
		}
		maps.Copy(c.want, p.derived())
	})
	c.v.scan(tableGrants, func(k, b []byte) {
		if g := grantOf(k, b); !c.v.leads(g) {
			c.problem("directory", fmt.Sprintf("grant of principal %d", u32(k[1:])), "is on collection %d, which does not exist", g.Collection)
		}
		c.want[string(grantOnKey(k))] = slices.Clone(b)
	})
	c.v.scan(tableCollections, func(k, b []byte) {
		c.stats.Collections++
		col := &Collection{ID: CollectionID(u32(k[1:]))}
		c.states[col.ID] = &State{}
		if err := decodeRecord(b, col); err != nil {
			c.problem("records", fmt.Sprintf("collection %d", col.ID), "%v", err)
			return
		}
		maps.Copy(c.want, col.derived())
	})
	c.v.scan(tableServices, func(_, b []byte) {
		s := &Service{}
		if err := decodeRecord(b, s); err != nil {
			c.problem("records", "service", "%v", err)
			return
		}
		maps.Copy(c.want, s.derived())
	})
	c.v.scan(tableWebhooks, func(_, b []byte) {
		if err := decodeRecord(b, &Webhook{}); err != nil {
			c.problem("records", "webhook", "%v", err)
		}
	})
	c.v.scan(tableHolds, func(_, b []byte) {
		h := &Hold{}
		if err := decodeRecord(b, h); err != nil {
			c.problem("records", "hold", "%v", err)
			return
		}
		maps.Copy(c.want, h.derived())
	})
	c.v.scan(tableRemotes, func(_, b []byte) {
		if err := decodeRecord(b, &Remote{}); err != nil {
			c.problem("records", "remote", "%v", err)
		}
	})
	c.v.scan(tableGone, func(k, _ []byte) {
		c.states[CollectionID(u32(k[1:]))] = &State{}
	})
	c.v.scan(tableFeeds, func(k, b []byte) {
		f := &Feed{}
		if err := decodeRecord(b, f); err != nil {
			c.problem("records", "feed", "%v", err)
			return
		}
		c.want[string(newKey(tableFeedIDs).principal(f.Org).text(f.ID))] = slices.Clone(k[1:])
	})
	return nil
}

// leads reports whether a grant on one calendar is on one that exists.
func (v *View) leads(g Grant) bool {
	return g.Collection == 0 || v.get(collectionKey(g.Collection)) != nil
}

// derived gives the keys that follow from a principal's record.
func (p *Principal) derived() map[string][]byte {
	out := map[string][]byte{
		string(nameKey(p.Name)):                     key(nil).principal(p.ID),
		string(newKey(tableUUIDs).bytes(p.UUID[:])): newKey('p').principal(p.ID),
	}
	if p.Alias != 0 {
		out[string(newKey(tableAliases).principal(p.Org).u32(p.Alias))] = newKey('p').principal(p.ID)
	}
	return out
}

// derived gives the keys that follow from a collection's record.
func (c *Collection) derived() map[string][]byte {
	return map[string][]byte{
		string(homeKey(c.Owner, c.Name)):            key(nil).collection(c.ID),
		string(newKey(tableUUIDs).bytes(c.UUID[:])): newKey('c').collection(c.ID),
	}
}

func (c *checker) identities() error {
	c.v.scan(tableIdentities, func(k, b []byte) {
		org, h := PrincipalID(u32(k[1:])), uidHash(k[5:21])
		i, err := unpackIdentity(org, b)
		if err != nil || hashUID(i.UID) != h {
			c.problem("records", "identity", "cannot be read, or is of another UID")
			return
		}
		maps.Copy(c.want, i.derived())
	})
	return nil
}

func (i *Identity) derived() map[string][]byte {
	h := hashUID(i.UID)
	return map[string][]byte{
		string(newKey(tableUUIDs).bytes(i.UUID[:])):                newKey('i').principal(i.Org).bytes(h[:]),
		string(newKey(tableAliases).principal(i.Org).u32(i.Alias)): newKey('i').bytes(h[:]),
	}
}

// bodies goes through all objects.
func (c *checker) bodies() error {
	c.v.scan(tableDead, func(k, b []byte) {
		id := ObjectID(u64(k[1:]))
		if _, err := decodeDead(b); err != nil || c.v.get(factsKey(id)) == nil {
			c.problem("records", fmt.Sprintf("object %d", id), "has dead properties that cannot be read, or is not there")
		}
	})
	var err error
	from := newKey(tableFacts)
	c.v.r.Scan(from, from.after(), func(k, b []byte) bool {
		c.stats.Objects++
		c.objects++
		id := ObjectID(u64(k[1:]))
		where := fmt.Sprintf("object %d", id)
		f, bad := unpackFacts(id, b)
		if bad != nil {
			c.problem("records", where, "%v", bad)
			return true
		}
		c.object(f, where)
		err = c.ctx.Err()
		return err == nil
	})
	return err
}

// object checks one object's body and notes what must be derived from it.
func (c *checker) object(f *facts, where string) {
	data, err := c.v.Data(f.ID)
	switch {
	case err != nil:
		c.problem("data", where, "the body is missing or damaged")
	case tagOf(data) != f.ETag || uint32(len(data)) != f.size:
		c.problem("data", where, "the body is not the one that was stored")
	}
	if len(f.Bindings) == 0 {
		c.problem("members", where, "is in no collection")
	}
	if c.v.get(identityKey(f.Org, hashUID(f.UID))) == nil {
		c.problem("identities", where, "has no identity")
	}
	if f.dead != (c.v.get(deadKey(f.ID)) != nil) {
		c.problem("records", where, "has dead properties, or has none, against its facts")
	}
	if f.Remote != 0 && c.v.get(remoteKey(f.Remote)) == nil {
		c.problem("records", where, "is kept by a remote that does not exist")
	}
	if f.external != nil {
		c.want[string(externalKey(f.Org, f.external, f.ID))] = []byte{}
	}
	var p *Prepared
	if err == nil {
		p = c.fresh(f, data, where)
	}
	for _, b := range f.Bindings {
		c.binding(f, b, p, where)
	}
	if f.Block && p != nil && len(f.Bindings) > 0 {
		c.index(blocksOf(f.Org), f, p)
	}
}

// fresh computes the object's index anew and compares the facts with it.
func (c *checker) fresh(f *facts, data []byte, where string) *Prepared {
	o, err := ical.Parse(data, ical.StreamLimits)
	if err != nil {
		c.problem("data", where, "cannot be read any more, it is served as it is: %v", err)
		return nil
	}
	p := &Prepared{object: o, origin: f.Origin}
	p.index(c.until(f))
	if f.flags&factDense != 0 { // it is, or was, in many places
		p = p.spread(maxBindings)
	}
	if o.UID() != f.UID || o.Kind() != f.Kind {
		c.problem("data", where, "UID or component is not the one in the facts")
	}
	if !bytes.Equal(p.packed, f.rows) || p.flags != f.flags {
		c.problem("instances", where, "the index is not what the object expands to")
	}
	if !bytes.Equal(p.external, f.external) {
		c.problem("external ids", where, "the external id is not the one in the body")
	}
	return p
}

// until gives up to where the object is indexed, as its first list says: that
// of a collection that is not gone, if there is one.
func (c *checker) until(f *facts) int64 {
	live := func(b Binding) int {
		if c.v.gone(b.Collection) {
			return 1
		}
		return 0
	}
	places := slices.SortedStableFunc(slices.Values(f.Bindings), func(a, b Binding) int { return live(a) - live(b) })
	for _, b := range places {
		v := c.v.get(newKey(tableEndless).collection(b.Collection).object(f.ID))
		if len(v) != 8 {
			continue
		}
		until := int64(u64(v))
		// A collection that is gone is not indexed any further.
		if until%day == 0 && (until >= metaInt(c.v.r, metaHorizon) || c.v.gone(b.Collection)) {
			return until
		}
		c.problem("instances", fmt.Sprintf("object %d", f.ID), "is said to be indexed up to %d, before the horizon or within a day", until)
	}
	return c.s.indexUntil()
}

func (c *checker) binding(f *facts, b Binding, p *Prepared, where string) {
	st := c.states[b.Collection]
	if st == nil {
		c.problem("members", where, "is in collection %d, which does not exist", b.Collection)
		return
	}
	st.Members++
	st.Bytes += uint64(f.size)
	c.want[string(holderKey(f.Org, hashUID(f.UID), b.Collection))] = key(nil).object(f.ID).text(b.Name)
	m, err := c.v.member(b.Collection, b.Name)
	if err != nil || m.Object != f.ID || m.ETag != f.ETag || m.Size != f.size || m.Kind != f.Kind || m.Dead != f.dead {
		c.problem("members", where, "its row in collection %d is missing or wrong", b.Collection)
		c.damaged[b.Collection] = true
	}
	c.want[string(memberKey(b.Collection, b.Name))] = nil
	if p != nil {
		st.classes |= c.index(b.Collection, f, p)
	}
}

// index notes what the index is to say of the object in one place.
func (c *checker) index(place CollectionID, f *facts, p *Prepared) (classes uint16) {
	_ = rowKeys(place, f.ID, p.packed, func(i int, class byte, k key) {
		c.want[string(k)] = packRow(&p.rows[i])
		classes |= 1 << class
		c.rows++
	})
	if p.flags&(factDense|factUndated) != 0 {
		c.want[string(newKey(tableDense).collection(place).object(f.ID))] = p.dense()
	}
	if p.hours != nil {
		c.want[string(hoursKey(place, f.ID))] = p.hours
	}
	if p.flags&factEndless != 0 {
		c.want[string(newKey(tableEndless).collection(place).object(f.ID))] = key(nil).u64(uint64(p.until))
	}
	return classes
}

// compare walks the derived tables.
func (c *checker) compare() error {
	for _, t := range checked {
		c.v.scan(t.table, func(k, b []byte) {
			switch t.table {
			case tableMembers:
				c.stats.Members++
			case tableRows:
				c.stats.Rows++
			}
			want, ok := c.want[string(k)]
			switch {
			case !ok && t.table == tableAliases && len(b) == 5 && u32(b[1:]) == 0:
				return // of a principal that is gone
			case !ok:
				c.problem(t.kind, fmt.Sprintf("%q", k), "stands for nothing")
				if t.table == tableMembers {
					c.damaged[CollectionID(u32(k[1:]))] = true
				}
			case want != nil && !bytes.Equal(want, b):
				c.problem(t.kind, fmt.Sprintf("%q", k), "says something else than the facts")
			}
			delete(c.want, string(k))
		})
	}
	for k := range c.want {
		c.problem("directory", fmt.Sprintf("%q", k), "an entry is missing")
	}
	return nil
}

// history checks the change log, the tombstones and the states.
func (c *checker) history() error {
	live := map[CollectionID]uint64{}
	dead := map[CollectionID]uint64{}
	c.v.scan(tableChanges, func(k, b []byte) {
		c.stats.Changes++
		id, seq := CollectionID(u32(k[1:])), u64(k[5:])
		ch, _, err := unpackChange(seq, b)
		ok := err == nil && c.states[id] != nil
		if ok && ch.Removed {
			dead[id]++
			t := c.v.get(tombstoneKey(id, ch.Name))
			ok = len(t) == 8 && u64(t) == seq
		} else if ok {
			live[id]++
			m, err := c.v.member(id, ch.Name)
			ok = err == nil && m == ch.Member
		}
		if !ok {
			c.problem("changes", fmt.Sprintf("collection %d, change %d", id, seq), "does not fit the members")
			c.damaged[id] = true
		}
	})
	tombs := map[CollectionID]uint64{}
	c.v.scan(tableTombstones, func(k, _ []byte) { tombs[CollectionID(u32(k[1:]))]++ })
	c.v.scan(tableStates, func(k, _ []byte) {
		if id := CollectionID(u32(k[1:])); c.states[id] == nil {
			c.problem("states", fmt.Sprintf("collection %d", id), "does not exist")
		}
	})
	for id, want := range c.states {
		where := fmt.Sprintf("collection %d", id)
		st, err := c.v.State(id)
		if c.v.gone(id) {
			st, err = c.v.goneState(id)
		}
		if err != nil || st.Members != want.Members || st.Bytes != want.Bytes || st.classes&want.classes != want.classes || st.Floor > st.Seq {
			c.problem("states", where, "the state is missing or wrong")
		}
		if live[id] != want.Members || dead[id] != tombs[id] {
			c.problem("changes", where, "the log has %d members of %d, %d removals of %d", live[id], want.Members, dead[id], tombs[id])
			c.damaged[id] = true
		}
	}
	return nil
}

// journal checks that every entry can be read.
func (c *checker) journal() error {
	c.v.scan(tableJournal, func(k, b []byte) {
		org, seq := PrincipalID(u32(k[1:])), u64(k[5:])
		if _, err := unpackEntry(org, seq, b); err != nil {
			c.problem("journal", fmt.Sprintf("entry %d of organisation %d", seq, org), "%v", err)
		}
	})
	return nil
}

func (c *checker) counts() error {
	if have := metaInt(c.v.r, metaObjects); have != c.objects {
		c.problem("states", "", "%d objects are counted, %d are there", have, c.objects)
	}
	if have := metaInt(c.v.r, metaRows); have != c.rows {
		c.problem("states", "", "%d instances are counted, %d are there", have, c.rows)
	}
	for _, n := range numbered {
		if last := n.last(c.v); last > metaInt(c.v.r, n.meta) {
			c.problem("states", "", "%s is said to be %d, and is %d", n.meta, metaInt(c.v.r, n.meta), last)
		}
	}
	return nil
}

// numbered are the tables whose keys are numbers that are not used again.
var numbered = []counter{{tablePrincipals, metaPrincipal, 4}, {tableCollections, metaCollection, 4}, {tableFacts, metaObject, 8}, {tableRemotes, metaRemote, 4}}

type counter struct {
	table byte
	meta  string
	width int
}

// last gives the highest number in use.
func (n counter) last(v *View) (last int64) {
	from := newKey(n.table)
	v.r.ScanBack(from, from.after(), func(k, _ []byte) bool {
		if n.width == 4 {
			last = int64(u32(k[1:]))
		} else {
			last = int64(u64(k[1:]))
		}
		return false
	})
	return last
}
