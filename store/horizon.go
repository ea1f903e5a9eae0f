package store

import (
	"bytes"
	"context"
	"slices"
	"time"

	"daybook/ical"
)

// extendStep is how many objects one transaction indexes anew. They are parsed
// and expanded before it: the one writer does not wait for a parser.
const extendStep = 64

// ExtendHorizon gives some of the endless series the rows that they lack up to
// the instant (truncated to a day), in one transaction of bounded size. done is
// true when none is left and the horizon has moved: call it until then. Rows
// of an older version of the time zone data are made anew first.
func (s *Store) ExtendHorizon(ctx context.Context, to time.Time) (objects int, done bool, err error) {
	until := max(to.Truncate(day*time.Second).Unix(), s.horizon.Load())
	stale, err := s.staleObjects(ctx)
	if err != nil {
		return 0, false, err
	}
	if stale != nil {
		return len(stale.objects), false, s.reindexSome(ctx, stale)
	}
	var fresh []*reindexed
	err = s.View(ctx, func(v *View) error {
		fresh = v.reindexAll(v.endlessBefore(until, extendStep), until)
		return nil
	})
	if err != nil {
		return 0, false, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		for _, r := range fresh {
			if err := tx.reindex(r); err != nil {
				return err
			}
		}
		// Objects may have come in, or have changed, since they were listed.
		if done = len(fresh) < extendStep && len(tx.endlessBefore(until, 1)) == 0; done {
			tx.setMetaInt(metaHorizon, until)
		}
		return nil
	})
	if err == nil && done {
		s.horizon.Store(until)
	}
	return len(fresh), done && err == nil, err
}

// endlessBefore gives up to n objects whose rows end before the instant.
func (v *View) endlessBefore(until int64, n int) []ObjectID {
	var found []ObjectID
	from := newKey(tableEndless)
	v.r.Scan(from, from.after(), func(k, b []byte) bool {
		id := ObjectID(u64(k[5:]))
		if int64(u64(b)) < until && !v.gone(CollectionID(u32(k[1:]))) && !slices.Contains(found, id) {
			found = append(found, id)
		}
		return len(found) < n
	})
	return found
}

// reindexed is an object's index made anew, good for the body that has the tag.
type reindexed struct {
	id   ObjectID
	etag ETag
	*Prepared
}

// reindexAll makes the index of some objects anew, up to the instant. One that
// cannot be parsed any more has none: it is served as bytes and reported by
// check.
func (v *View) reindexAll(ids []ObjectID, until int64) []*reindexed {
	out := make([]*reindexed, 0, len(ids))
	for _, id := range ids {
		f, err := v.facts(id)
		if err != nil {
			continue // of a collection that is gone, or damaged
		}
		r := &reindexed{id, f.ETag, &Prepared{external: f.external, origin: f.Origin}}
		if o, err := v.parsedObject(id); err == nil {
			r.object = o
			r.index(until)
		} else {
			v.s.log.Warn("stored object cannot be indexed", "object", uint64(id), "err", err)
		}
		out = append(out, r)
	}
	return out
}

// reindex gives an object the rows that were made for it, if it is still the
// same. No token moves: what is derived is no change.
func (tx *Tx) reindex(r *reindexed) error {
	f, err := tx.facts(r.id)
	if err != nil || f.ETag != r.etag {
		return nil //nolint:nilerr // removed or changed since: that gave it rows
	}
	p := r.Prepared
	if r.object != nil {
		p = tx.upToDate(p).spread(len(f.Bindings))
	}
	other, err := tx.replaceRows(f, p)
	if err != nil {
		return err
	}
	if other {
		tx.next(metaRemade)
	}
	tx.put(factsKey(f.ID), packFacts(f))
	return nil
}

// replaceRows gives an object other rows in all its collections. other is false
// when those that it had stay: nobody finds anything else than before, as what
// endless series have beyond their rows is expanded when it is asked for.
func (tx *Tx) replaceRows(f *facts, p *Prepared) (other bool, err error) {
	old := *f
	f.rows, f.flags = p.packed, p.flags
	if f.Kind == "VAVAILABILITY" && old.flags == p.flags && bytes.Equal(old.rows, p.packed) {
		// Openings are not computed from the rows of hours: they stay.
		for _, c := range old.places() {
			tx.putEndless(c, f.ID, p)
		}
		return false, nil
	}
	// Mostly rows are added behind those that are there, which then stay.
	added := len(old.rows) > 0 && old.flags == p.flags && bytes.HasPrefix(p.packed, old.rows)
	had, err := countRows(f.ID, old.rows)
	if err != nil {
		return false, err
	}
	for _, c := range old.places() {
		if !added {
			if err := tx.unindexIn(c, &old); err != nil {
				return false, err
			}
		}
		if err := tx.reindexIn(c, f, p, added); err != nil {
			return false, err
		}
		if added {
			tx.count(metaRows, int64(len(p.rows)-had))
		}
	}
	return !added, nil
}

func (tx *Tx) reindexIn(c CollectionID, f *facts, p *Prepared, hasRows bool) error {
	if c.isView() {
		return tx.indexInView(f, p, hasRows)
	}
	st, err := tx.State(c)
	if err != nil {
		return err
	}
	if err := tx.indexIn(c, f.ID, p, hasRows, &st.classes); err != nil {
		return err
	}
	tx.put(stateKey(c), packState(&st))
	return nil
}

// countRows counts packed rows.
func countRows(o ObjectID, packed []byte) (n int, err error) {
	err = rowKeys(0, o, packed, func(int, byte, key) { n++ })
	return n, err
}

// metaReindexed is how far rows have been made anew for other time zone data:
// an object's number, and the version of the data.
const metaReindexed = "reindexed up to object"

// staleStep is a step of making rows anew for other time zone data.
type staleStep struct {
	objects []*reindexed
	end     ObjectID // the last that was looked at; 0 when there are no more
}

// staleObjects makes the index of the next objects anew if rows were made with
// other time zone data, from where the last step ended; nil if there are none
// such. Progress towards yet another version of the data counts for nothing.
func (s *Store) staleObjects(ctx context.Context) (step *staleStep, err error) {
	err = s.View(ctx, func(v *View) error {
		version := []byte(ical.TZDataVersion())
		if bytes.Equal(v.get(metaKey(metaTZData)), version) {
			return nil
		}
		step = &staleStep{}
		next := ObjectID(0)
		if b := v.get(metaKey(metaReindexed)); len(b) > 8 && bytes.Equal(b[8:], version) {
			next = ObjectID(u64(b)) + 1
		}
		var ids []ObjectID
		v.r.Scan(factsKey(next), newKey(tableFacts).after(), func(k, _ []byte) bool {
			step.end = ObjectID(u64(k[1:]))
			ids = append(ids, step.end)
			return len(ids) < extendStep
		})
		step.objects = v.reindexAll(ids, max(s.indexUntil(), metaInt(v.r, metaHorizon)))
		return nil
	})
	return step, err
}

// reindexSome stores what staleObjects made. Objects that came in since were
// made with the present data.
func (s *Store) reindexSome(ctx context.Context, step *staleStep) error {
	version := ical.TZDataVersion()
	return s.Update(ctx, func(tx *Tx) error {
		if step.end == 0 {
			tx.del(metaKey(metaReindexed))
			tx.put(metaKey(metaTZData), []byte(version))
			return nil
		}
		for _, r := range step.objects {
			if err := tx.reindex(r); err != nil {
				return err
			}
		}
		tx.put(metaKey(metaReindexed), key(nil).u64(uint64(step.end)).text(version))
		return nil
	})
}
