package store

import (
	"context"
	"errors"
	"strings"
	"time"
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

// maxJobError bounds what is kept of a job's error, in bytes.
const maxJobError = 4096

// PutJobRun stores the outcome of a run.
func (tx *Tx) PutJobRun(r JobRun) error {
	if err := checkName(r.Name); err != nil {
		return err
	}
	r.Error = strings.ToValidUTF8(r.Error[:min(len(r.Error), maxJobError)], "")
	tx.put(newKey(tableJobs).text(r.Name), encodeRecord(r))
	return nil
}

// pruneStep is how many tombstones one step of Prune drops: few, so that other
// writers wait little.
const pruneStep = 2000

// Prune drops tombstones older than the instant, expired credentials, feeds and
// kept answers, removed objects that no feed shows any more, and what is left of
// collections that were removed, some at a time:
// call it until done. A collection that lost tombstones refuses tokens from
// before them.
func (s *Store) Prune(ctx context.Context, tombstones time.Time) (dropped int, done bool, err error) {
	if dropped, done, err = s.sweepSome(ctx); err != nil || !done {
		return dropped, false, err
	}
	var old []tombstone
	err = s.View(ctx, func(v *View) error {
		old = v.tombstonesBefore(tombstones, pruneStep)
		return nil
	})
	if err != nil {
		return 0, false, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		dropped = 0
		for _, t := range old {
			if b := tx.get(tombstoneKey(t.c, t.name)); len(b) != 8 || u64(b) != t.seq {
				continue // came back in the meantime
			}
			st, err := tx.State(t.c)
			if errors.Is(err, ErrNotFound) {
				continue // the collection was removed in the meantime
			}
			if err != nil {
				return err
			}
			st.Floor = max(st.Floor, t.seq)
			tx.put(stateKey(t.c), packState(&st))
			tx.del(tombstoneKey(t.c, t.name))
			tx.del(changeKey(t.c, t.seq))
			dropped++
		}
		n, held, err := tx.pruneHolds(pruneStep)
		if err != nil {
			return err
		}
		dropped += n
		removed := tx.pruneRemoved(pruneStep)
		bases := tx.pruneBases(pruneStep)
		dropped += removed + bases
		if done = len(old) < pruneStep && held && removed < pruneStep && bases < pruneStep; done {
			return tx.pruneExpired(&dropped)
		}
		return nil
	})
	return dropped, done, err
}

// tombstone is a removed member in the log of its collection.
type tombstone struct {
	c    CollectionID
	name string
	seq  uint64
}

// tombstonesBefore gives up to n of those that are older than the instant. One
// that cannot be read, or whose collection is lost, is left to Check.
func (v *View) tombstonesBefore(at time.Time, n int) (old []tombstone) {
	from := newKey(tableTombstones)
	v.r.Scan(from, from.after(), func(k, b []byte) bool {
		if len(b) != 8 {
			return true
		}
		t := tombstone{CollectionID(u32(k[1:])), string(k[5:]), u64(b)}
		change := v.get(changeKey(t.c, t.seq))
		if _, removed, err := unpackChange(t.seq, change); err == nil && removed.Before(at) && v.get(stateKey(t.c)) != nil {
			old = append(old, t)
		}
		return len(old) < n
	})
	return old
}

func (tx *Tx) pruneExpired(dropped *int) error {
	tx.pruneReplays(dropped)
	creds, err := tx.Credentials(0)
	if err != nil {
		return err
	}
	for _, c := range creds {
		if c.expired(tx.now) {
			tx.noteCredential(OpDeleted, c)
			tx.del(credentialKey(c.ID))
			*dropped++
		}
	}
	return tx.pruneFeeds(dropped)
}
