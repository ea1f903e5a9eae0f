package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"daybook/ical"
)

// A rendered stream is a head and segments: runs of some hundred members, one
// behind the other. Where a segment begins depends on nothing but the member
// there, so after a change all segments but one are those of the rendering
// before, with their compressed forms; of that one, the members that have not
// changed are copied. So an edit costs what a segment costs, and equal states
// have equal bytes, compressed or not, however they were come to.

// segmentMembers is how many members a segment has on average.
const segmentMembers = 128

// streamItem is one object that a stream is to show.
type streamItem struct {
	collection CollectionID
	object     ObjectID // of a removed one its change's number
	etag       ETag
	at         int64 // seconds: last change, or removal
	removed    bool
	name       string // for the order
	data       []byte // of what is stored nowhere
}

// begins reports whether a segment begins with the item.
func (i *streamItem) begins() bool {
	h := uint64(i.object) * 0x9e3779b97f4a7c15 // Fibonacci hashing: numbers in a row are spread
	return h>>32%segmentMembers == 0
}

// segmentItem is an object as it is in a segment.
type segmentItem struct {
	object     ObjectID
	etag       ETag
	collection CollectionID
	uid        uint64 // of its hash; 0 in a stream of one collection
	end        uint32 // of its text in raw
	at         int64
	facts      *ical.FeedFacts // nil for one that does not parse
	removed    bool
	twin       bool // its UID was changed, because another object has it
	broken     bool // it does not parse
}

func (i *segmentItem) is(w *streamItem) bool {
	return i.object == w.object && i.etag == w.etag && i.collection == w.collection && i.removed == w.removed && i.at == w.at
}

// segment is rendered once and not changed; its compressed forms are made when
// they are first asked for.
type segment struct {
	items  []segmentItem
	raw    []byte
	facts  []*ical.FeedFacts
	custom bool // it depends on other segments, so it is always rendered anew

	deflated, zstd packed
}

// streamBuilder renders one stream in one snapshot.
type streamBuilder struct {
	v       *View
	plan    *streamPlan
	feed    *ical.FeedBuilder
	old     map[segmentStart]*segment
	uids    map[uint64]ObjectID // of a stream of several collections: who has a UID
	scratch []byte
	entry   *streamEntry
}

// segmentStart names a segment by its first member.
type segmentStart struct {
	collection CollectionID
	object     ObjectID
	removed    bool
}

// build renders the stream as it is now, in one snapshot with the validators
// that the text gets, out of what is left of an older rendering.
func (st *Stream) build(ctx context.Context, old *streamEntry) (*streamEntry, error) {
	var e *streamEntry
	err := st.store.View(ctx, func(v *View) error {
		p, err := v.streamPlan(st.ids, st.options)
		if err != nil {
			return err
		}
		items, err := v.streamItems(p)
		if err != nil {
			return err
		}
		b := streamBuilder{v: v, plan: p, entry: &streamEntry{etag: p.etag, modified: p.modified}, old: map[segmentStart]*segment{}}
		if b.feed, err = ical.NewFeedBuilder(p.feed); err != nil {
			return err
		}
		if old != nil && p.options.Hours == 0 { // hours have no tags of their own
			for _, s := range old.segments {
				first := &s.items[0]
				b.old[segmentStart{first.collection, first.object, first.removed}] = s
			}
		}
		if len(p.collections) > 1 && p.options.Hours == 0 {
			b.uids = make(map[uint64]ObjectID, len(items))
		}
		if err := b.all(ctx, items); err != nil {
			return err
		}
		b.entry.finish(b.feed.Head())
		e = b.entry
		return nil
	})
	return e, err
}

func (b *streamBuilder) all(ctx context.Context, items []streamItem) error {
	for len(items) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := 1
		for n < len(items) && !items[n].begins() {
			n++
		}
		s, err := b.segment(items[:n])
		if err != nil {
			return err
		}
		b.entry.segments = append(b.entry.segments, s)
		items = items[n:]
	}
	return nil
}

// segment gives the old segment when nothing in it has changed, or makes one.
func (b *streamBuilder) segment(items []streamItem) (*segment, error) {
	first := &items[0]
	old := b.old[segmentStart{first.collection, first.object, first.removed}]
	if old != nil && b.holds(old, items) {
		for _, f := range old.facts {
			b.feed.Keep(f)
		}
		for i := range old.items {
			b.entry.count(old.items[i].broken)
		}
		return old, nil
	}
	return b.render(items, old)
}

func (b *streamBuilder) holds(old *segment, items []streamItem) bool {
	if old.custom || len(old.items) != len(items) {
		return false
	}
	for i := range items {
		o := &old.items[i]
		if !o.is(&items[i]) || !o.removed && b.twin(o.uid, o.object) != o.twin {
			return false
		}
	}
	return true
}

// twin reports whether another object of the stream, before this one, has the
// UID.
func (b *streamBuilder) twin(uid uint64, o ObjectID) bool {
	if b.uids == nil {
		return false
	}
	if has, ok := b.uids[uid]; ok {
		return has != o
	}
	b.uids[uid] = o
	return false
}

func (b *streamBuilder) render(items []streamItem, old *segment) (*segment, error) {
	s := &segment{items: make([]segmentItem, 0, len(items))}
	b.scratch = b.scratch[:0]
	at := 0 // in old
	for i := range items {
		w := &items[i]
		it := segmentItem{object: w.object, etag: w.etag, collection: w.collection, removed: w.removed, at: w.at}
		var have []byte
		var known *segmentItem
		if old != nil && !old.custom {
			known, have, at = old.find(w, at)
		}
		if known != nil {
			it.uid = known.uid
		} else if b.uids != nil && !w.removed && w.data == nil {
			f, err := b.v.allFacts(w.object)
			if err != nil {
				return nil, err
			}
			h := hashUID(f.UID)
			it.uid = u64(h[:])
		}
		if !w.removed && w.data == nil {
			it.twin = b.twin(it.uid, w.object)
		}
		if known != nil && known.twin == it.twin {
			if it.facts, it.broken = known.facts, known.broken; it.facts != nil {
				b.feed.Keep(it.facts)
				s.note(it.facts)
			}
			b.scratch = append(b.scratch, have...)
		} else if err := b.object(s, w, &it); err != nil {
			return nil, err
		}
		it.end = uint32(len(b.scratch))
		b.entry.count(it.broken)
		s.items = append(s.items, it)
	}
	s.raw = bytes.Clone(b.scratch)
	return s, nil
}

// find looks for an item in the segment, from a place on: both are in the same
// order.
func (s *segment) find(w *streamItem, at int) (it *segmentItem, text []byte, next int) {
	for i := at; i < len(s.items); i++ {
		if !s.items[i].is(w) {
			continue
		}
		from := uint32(0)
		if i > 0 {
			from = s.items[i-1].end
		}
		return &s.items[i], s.raw[from:s.items[i].end], i + 1
	}
	return nil, nil, at
}

// object renders one object at the end of the scratch.
func (b *streamBuilder) object(s *segment, w *streamItem, it *segmentItem) error {
	data, err := b.data(w)
	if err != nil {
		return err
	}
	item := ical.FeedItem{Data: data, Stamp: time.Unix(w.at, 0).UTC(), Cancelled: w.removed}
	if it.twin {
		item.Twin = b.plan.twinMark(w.collection)
	}
	f, err := b.feed.Render(item)
	if err != nil {
		it.broken = true
		return nil //nolint:nilerr // counted, and Check's to report
	}
	it.facts = f.Facts
	s.note(f.Facts)
	b.scratch = append(b.scratch, f.Text...)
	return nil
}

func (s *segment) note(f *ical.FeedFacts) {
	s.custom = s.custom || f.Custom
	if !slices.Contains(s.facts, f) {
		s.facts = append(s.facts, f)
	}
}

// data gives the stored bytes, good for the snapshot.
func (b *streamBuilder) data(w *streamItem) ([]byte, error) {
	switch {
	case w.data != nil:
		return w.data, nil
	case w.removed:
		r, err := unpackRemoved(b.v.get(removedKey(w.collection, uint64(w.object))))
		return r.data, err
	}
	return b.v.Data(w.object)
}

// twinMark is what tells the UIDs of one collection from equal ones of others.
func (p *streamPlan) twinMark(id CollectionID) string {
	for _, c := range p.collections {
		if c.ID == id {
			return "~" + c.UUID.String()[24:]
		}
	}
	return "~"
}

// streamItems lists what the stream shows: in order of collection and name,
// each object once, and then what was removed.
func (v *View) streamItems(p *streamPlan) ([]streamItem, error) {
	if p.options.Hours != 0 {
		return v.hoursItems(p)
	}
	n := uint64(0)
	for i := range p.states {
		n += p.states[i].Members
	}
	items := make([]streamItem, 0, min(n, 1<<20))
	for _, c := range p.collections {
		from := len(items)
		err := v.eachShown(p, c, func(m Member) {
			if k := p.options.Components; len(k) == 0 || slices.Contains(k, m.Kind) {
				items = append(items, streamItem{
					collection: c.ID, object: m.Object, etag: m.ETag, at: m.Modified.Unix(), name: m.Name,
				})
			}
		})
		if err != nil {
			return nil, err
		}
		if p.options.Window != nil {
			slices.SortFunc(items[from:], func(a, b streamItem) int { return cmp.Compare(a.name, b.name) })
		}
	}
	if len(p.collections) > 1 {
		items = onceEach(items)
	}
	if p.options.Removed {
		return v.removedItems(p, items)
	}
	return items, nil
}

// eachShown calls fn for the members that the window lets through.
func (v *View) eachShown(p *streamPlan, c *Collection, fn func(Member)) error {
	if p.options.Window == nil {
		return v.EachMember(c.ID, "", func(m Member) bool {
			fn(m)
			return true
		})
	}
	hits, undated, err := v.Find(c.ID, "", p.options.Window.span(p.today, p.zone), v.CollectionZone(c))
	if err != nil {
		return err
	}
	for _, id := range append(hits, undated...) {
		m, err := v.MemberOf(c.ID, id)
		if err != nil {
			return err
		}
		fn(m)
	}
	return nil
}

// onceEach drops the further places of objects that are in several collections.
func onceEach(items []streamItem) []streamItem {
	seen := make(map[ObjectID]struct{}, len(items))
	return slices.DeleteFunc(items, func(i streamItem) bool {
		_, again := seen[i.object]
		seen[i.object] = struct{}{}
		return again
	})
}
