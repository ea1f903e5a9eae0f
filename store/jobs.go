package store

import (
	"context"
	"fmt"
	"time"

	"daybook/ical"
)

// JobRun is the stored outcome of a job's last run.
type JobRun struct {
	Name    string        `cbor:"1,keyasint"`
	Started time.Time     `cbor:"2,keyasint"`
	Took    time.Duration `cbor:"3,keyasint"`
	Error   string        `cbor:"4,keyasint,omitempty"`
	Success time.Time     `cbor:"5,keyasint"` // of the last run without error
}

// JobRuns gives the last run of every job that ever ran, by name.
func (v *View) JobRuns() ([]JobRun, error) {
	var out []JobRun
	var err error
	from := newKey(tableJobs)
	v.r.Scan(from, from.after(), func(_, b []byte) bool {
		var r JobRun
		if err = decodeRecord(b, &r); err != nil {
			return false
		}
		out = append(out, r)
		return true
	})
	return out, err
}

// PutJobRun stores the outcome of a run.
func (tx *Tx) PutJobRun(r JobRun) error {
	if err := checkName(r.Name); err != nil {
		return err
	}
	tx.put(newKey(tableJobs).text(r.Name), encodeRecord(r))
	return nil
}

// Sizes of one step of the jobs: small, so that other writers wait little.
const (
	extendStep = 64
	pruneStep  = 2000
)

// ExtendHorizon gives some of the endless series the rows that they lack up to
// the instant (truncated to a day), in one transaction of bounded size. done is
// true when none is left and the horizon has moved: call it until then. Rows
// of an older version of the time zone data are made anew first.
func (s *Store) ExtendHorizon(ctx context.Context, to time.Time) (objects int, done bool, err error) {
	until := max(to.Truncate(day*time.Second).Unix(), s.horizon.Load())
	stale, err := s.zonesStale(ctx)
	if err != nil {
		return 0, false, err
	}
	if stale {
		return s.reindexSome(ctx)
	}
	var todo map[ObjectID]bool
	err = s.View(ctx, func(v *View) error {
		todo = v.endlessBefore(until, extendStep)
		return nil
	})
	if err != nil {
		return 0, false, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		for id := range todo {
			if err := tx.extend(id, until); err != nil {
				return fmt.Errorf("extend object %d: %w", id, err)
			}
		}
		// Objects may have come in since they were listed.
		if done = len(todo) < extendStep && len(tx.endlessBefore(until, 1)) == 0; done {
			tx.setMetaInt(metaHorizon, until)
		}
		return nil
	})
	if err == nil && done {
		s.horizon.Store(until)
	}
	return len(todo), done, err
}

// endlessBefore gives up to n objects whose rows end before the instant.
func (v *View) endlessBefore(until int64, n int) map[ObjectID]bool {
	found := map[ObjectID]bool{}
	from := newKey(tableEndless)
	v.r.Scan(from, from.after(), func(k, b []byte) bool {
		if int64(u64(b)) < until {
			found[ObjectID(u64(k[5:]))] = true
		}
		return len(found) < n
	})
	return found
}

// extend makes the rows of an object anew, up to the instant. No token moves:
// what is derived is no change.
func (tx *Tx) extend(id ObjectID, until int64) error {
	f, err := tx.facts(id)
	if err != nil {
		return nil //nolint:nilerr // removed since it was listed
	}
	o, err := tx.parsedObject(id)
	if err != nil {
		tx.s.log.Warn("stored object cannot be indexed", "object", uint64(id), "err", err)
		return nil // it is served as bytes and reported by check
	}
	p := &Prepared{object: o}
	p.index(until)
	old := *f
	f.rows, f.flags = p.packed, p.flags
	for _, b := range f.Bindings {
		if err := tx.unindexIn(b.Collection, &old); err != nil {
			return err
		}
		st, err := tx.State(b.Collection)
		if err != nil {
			return err
		}
		if err := tx.indexIn(b.Collection, id, p, false, &st.classes); err != nil {
			return err
		}
		tx.put(stateKey(b.Collection), packState(&st))
	}
	tx.put(factsKey(id), packFacts(f))
	return nil
}

// zonesStale reports whether rows were made with other time zone data. Where
// the reindexing got to is kept beside the version.
func (s *Store) zonesStale(ctx context.Context) (stale bool, err error) {
	err = s.View(ctx, func(v *View) error {
		stale = string(v.get(metaKey(metaTZData))) != ical.TZDataVersion()
		return nil
	})
	return stale, err
}

const metaReindexed = "reindexed up to object"

// reindexSome makes the rows of the next objects anew.
func (s *Store) reindexSome(ctx context.Context) (objects int, done bool, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		next := ObjectID(metaInt(tx.r, metaReindexed)) + 1
		var ids []ObjectID
		from := newKey(tableFacts)
		tx.r.Scan(factsKey(next), from.after(), func(k, _ []byte) bool {
			ids = append(ids, ObjectID(u64(k[1:])))
			return len(ids) < extendStep
		})
		for _, id := range ids {
			if err := tx.extend(id, max(tx.s.indexUntil(), metaInt(tx.r, metaHorizon))); err != nil {
				return err
			}
		}
		objects = len(ids)
		if len(ids) < extendStep {
			tx.del(metaKey(metaReindexed))
			tx.put(metaKey(metaTZData), []byte(ical.TZDataVersion()))
			return nil
		}
		tx.setMetaInt(metaReindexed, int64(ids[len(ids)-1]))
		return nil
	})
	return objects, false, err
}

// Prune drops tombstones older than the instant, and expired credentials and
// feeds, some at a time: call it until done. A collection that lost tombstones
// refuses tokens from before them.
func (s *Store) Prune(ctx context.Context, tombstones time.Time) (dropped int, done bool, err error) {
	type tomb struct {
		c    CollectionID
		name string
		seq  uint64
	}
	var old []tomb
	err = s.View(ctx, func(v *View) error {
		var bad error
		from := newKey(tableTombstones)
		v.r.Scan(from, from.after(), func(k, b []byte) bool {
			t := tomb{CollectionID(u32(k[1:])), string(k[5:]), u64(b)}
			change := v.get(changeKey(t.c, t.seq))
			if _, at, err := unpackChange(t.seq, change); change != nil && err != nil {
				bad = err
			} else if change == nil || at.Before(tombstones) {
				old = append(old, t)
			}
			return bad == nil && len(old) < pruneStep
		})
		return bad
	})
	if err != nil {
		return 0, false, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		for _, t := range old {
			if b := tx.get(tombstoneKey(t.c, t.name)); len(b) != 8 || u64(b) != t.seq {
				continue // came back in the meantime
			}
			st, err := tx.State(t.c)
			if err != nil {
				return err
			}
			st.Floor = max(st.Floor, t.seq)
			tx.put(stateKey(t.c), packState(&st))
			tx.del(tombstoneKey(t.c, t.name))
			tx.del(changeKey(t.c, t.seq))
			dropped++
		}
		if done = len(old) < pruneStep; done {
			return tx.pruneExpired(&dropped)
		}
		return nil
	})
	return dropped, done, err
}

func (tx *Tx) pruneExpired(dropped *int) error {
	creds, err := tx.Credentials(0)
	if err != nil {
		return err
	}
	for _, c := range creds {
		if c.expired(tx.now) {
			tx.del(credentialKey(c.ID))
			*dropped++
		}
	}
	feeds, err := tx.Feeds(0)
	if err != nil {
		return err
	}
	for _, f := range feeds {
		if !f.Expires.IsZero() && !f.Expires.After(tx.now) {
			if err := tx.DeleteFeed(f.Org, f.ID); err != nil {
				return err
			}
			*dropped++
		}
	}
	return nil
}
