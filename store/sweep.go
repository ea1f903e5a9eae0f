package store

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"
)

// Removing a collection is done in two parts, so that a large one does not hold
// up every other writer for seconds. The first is one small transaction: the
// collection's records go, so that nobody finds it, its feeds or its members
// any more, and a mark with its state is left. The second takes the members
// away, some in each transaction; a small collection has none left for it.
//
// In between, the objects of the collection are as good as removed: whoever
// looks for the holders of a UID or at the places of a block is told of none
// that is gone, and whoever is about to change such a block takes it out first.
// The derived tables keep fitting the facts, so Check is clean at every step.

// sweepStep is how many members one transaction takes away.
const sweepStep = 100

func goneKey(c CollectionID) key { return newKey(tableGone).collection(c) }

// gone reports whether the collection is removed and has members left.
func (v *View) gone(c CollectionID) bool {
	_, ok := v.goneMarks()[c]
	return ok
}

// goneMarks gives all such collections. Hardly ever is there any, so the marks
// are read once for each snapshot.
func (v *View) goneMarks() map[CollectionID]struct{} {
	if !v.marked {
		v.marked = true
		v.marks = nil
		from := newKey(tableGone)
		v.r.Scan(from, from.after(), func(k, _ []byte) bool {
			if v.marks == nil {
				v.marks = map[CollectionID]struct{}{}
			}
			v.marks[CollectionID(u32(k[1:]))] = struct{}{}
			return true
		})
	}
	return v.marks
}

// goneState gives the state of a collection that is gone.
func (v *View) goneState(c CollectionID) (State, error) {
	b := v.get(goneKey(c))
	if b == nil {
		return State{}, ErrNotFound
	}
	return unpackState(b)
}

// dropCollection removes a collection: at once for everybody who looks, and
// bit by bit from the file.
func (tx *Tx) dropCollection(c *Collection) error {
	st, err := tx.State(c.ID)
	if err != nil {
		return err
	}
	if err := tx.dropFeeds(c); err != nil {
		return err
	}
	tx.noteCollection(OpDeleted, c)
	if err := tx.dropRemotes(c); err != nil {
		return err
	}
	tx.del(stateKey(c.ID))
	for k := range c.derived() {
		tx.del([]byte(k))
	}
	tx.del(collectionKey(c.ID))
	tx.directoryChanged()
	tx.touch(c.ID)
	tx.put(goneKey(c.ID), packState(&st))
	tx.marked = false
	n, done, err := tx.sweep(c.ID, sweepStep-tx.swept)
	tx.swept += n
	tx.unswept = tx.unswept || !done
	return err
}

// sweep takes up to limit members of a collection that is gone out of the file,
// and the mark with the last.
func (tx *Tx) sweep(c CollectionID, limit int) (swept int, done bool, err error) {
	st, err := tx.goneState(c)
	if err != nil || limit <= 0 {
		return 0, false, err
	}
	keys := tx.someKeys(newKey(tableMembers).collection(c), limit)
	for _, k := range keys {
		size, err := tx.sweepMember(c, k)
		if err != nil {
			return 0, false, err
		}
		st.Members--
		st.Bytes -= uint64(size)
	}
	swept = len(keys) + tx.forgetHistory(c, limit-len(keys))
	if done = swept < limit; done {
		tx.del(goneKey(c))
	} else {
		tx.put(goneKey(c), packState(&st))
	}
	tx.marked = false
	return swept, done, nil
}

func (tx *Tx) sweepMember(c CollectionID, k key) (size uint32, err error) {
	m, err := unpackMember(string(k[5:]), tx.get(k))
	if err != nil { // damaged
		tx.del(k)
		return 0, nil //nolint:nilerr // what cannot be read goes too
	}
	f, err := tx.allFacts(m.Object)
	if errors.Is(err, ErrNotFound) { // damaged too
		tx.forgetMember(c, m)
		return m.Size, nil
	}
	if err != nil {
		return 0, err
	}
	return m.Size, tx.forget(f, c)
}

// forget takes an object out of a collection that is gone, and out of the store
// with its last. It is release without anybody left to be told.
func (tx *Tx) forget(f *facts, c CollectionID) error {
	i := slices.IndexFunc(f.Bindings, func(b Binding) bool { return b.Collection == c })
	if i < 0 {
		return nil
	}
	if err := tx.unindexFrom(c, f); err != nil {
		return err
	}
	if m, err := tx.member(c, f.Bindings[i].Name); err == nil {
		tx.forgetMember(c, m)
	}
	tx.del(holderKey(f.Org, hashUID(f.UID), c))
	f.Bindings = slices.Delete(slices.Clone(f.Bindings), i, i+1)
	tx.putFacts(f)
	return nil
}

func (tx *Tx) forgetMember(c CollectionID, m Member) {
	tx.del(memberKey(c, m.Name))
	tx.del(changeKey(c, m.Seq))
}

// forgetHistory takes up to limit removals out of the log of a collection that
// is gone and, behind the last, whatever else begins with its number.
func (tx *Tx) forgetHistory(c CollectionID, limit int) (n int) {
	for _, k := range tx.someKeys(newKey(tableTombstones).collection(c), limit) {
		if b := tx.get(k); len(b) == 8 {
			tx.del(changeKey(c, u64(b)))
		}
		tx.del(k)
		n++
	}
	for _, table := range []byte{tableChanges, tableRows, tableEndless, tableDense, tableRemoved, tableHours, tableOpenings} {
		for _, k := range tx.someKeys(newKey(table).collection(c), limit-n) {
			tx.del(k)
			n++
		}
	}
	return n
}

// someKeys gives up to limit keys that begin with k.
func (v *View) someKeys(k key, limit int) []key {
	if limit <= 0 {
		return nil
	}
	var out []key
	v.r.Scan(k, k.after(), func(k, _ []byte) bool {
		out = append(out, slices.Clone(k))
		return len(out) < limit
	})
	return out
}

// facts gives an object to be changed. Collections that are gone are none of
// its places any more.
func (tx *Tx) facts(id ObjectID) (*facts, error) {
	f, err := tx.allFacts(id)
	if err != nil {
		return nil, err
	}
	for _, b := range slices.Clone(f.Bindings) {
		if !tx.gone(b.Collection) {
			continue
		}
		st, err := tx.goneState(b.Collection)
		if err != nil {
			return nil, err
		}
		if err := tx.forget(f, b.Collection); err != nil {
			return nil, err
		}
		st.Members--
		st.Bytes -= uint64(f.size)
		tx.put(goneKey(b.Collection), packState(&st))
	}
	if len(f.Bindings) == 0 {
		return nil, errObject(id)
	}
	return f, nil
}

// sweepSome takes away some of what is left of one collection that is gone;
// done is true when nothing is left of any.
func (s *Store) sweepSome(ctx context.Context) (swept int, done bool, err error) {
	// Mostly there is nothing, which is no reason to write.
	if err := s.View(ctx, func(v *View) error {
		done = len(v.someKeys(newKey(tableGone), 1)) == 0
		return nil
	}); err != nil || done {
		return 0, done, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		marks := tx.someKeys(newKey(tableGone), 2)
		if done = len(marks) == 0; done {
			return nil
		}
		n, last, err := tx.sweep(CollectionID(u32(marks[0][1:])), sweepStep)
		swept, done = n, last && len(marks) == 1
		return err
	})
	return swept, done && err == nil, err
}

// sweeper finishes in the background what removals of collections began.
type sweeper struct {
	kick     chan struct{}
	cancel   context.CancelFunc
	done     chan struct{}
	journals atomic.Bool // organisations went; what was left of their journals at the start is Prune's
}

// start begins with what was left when the store was last closed.
func (w *sweeper) start(s *Store) {
	if s.opt.ReadOnly {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.kick, w.cancel, w.done = make(chan struct{}, 1), cancel, make(chan struct{})
	w.wake()
	go func() {
		defer close(w.done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-w.kick:
				s.sweepAll(ctx)
			}
		}
	}()
}

// wake tells it that there is something to do.
func (w *sweeper) wake() {
	select {
	case w.kick <- struct{}{}:
	default: // it knows
	}
}

func (w *sweeper) stop() {
	if w.cancel != nil {
		w.cancel()
		<-w.done
	}
}

func (s *Store) sweepAll(ctx context.Context) {
	for ctx.Err() == nil {
		_, done, err := s.sweepSome(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("removed calendars are not swept yet", "err", err) // Prune tries again
		}
		if err != nil {
			return
		}
		if done {
			break
		}
	}
	if s.sweeper.journals.CompareAndSwap(true, false) {
		s.sweepJournals(ctx)
	}
}

// sweepJournals takes away the journals of organisations that are gone.
func (s *Store) sweepJournals(ctx context.Context) {
	for done := false; !done && ctx.Err() == nil; {
		var err error
		if _, done, err = s.PruneJournal(ctx, time.Time{}); err != nil {
			if ctx.Err() == nil {
				s.log.Warn("the journal of a removed organisation is not swept yet", "err", err) // Prune tries again
			}
			return
		}
	}
}
