package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"daybook/ical"
	"daybook/store/engine"
)

// Options says how a store is opened.
type Options struct {
	Path       string // the database file
	Create     bool   // make it if it is missing; else ErrNotFound
	ReadOnly   bool
	Lock       time.Duration         // how long to wait for another process that has the file open; 0: not at all
	Now        func() time.Time      // nil: time.Now
	Log        *slog.Logger          // nil: discarded
	Metrics    prometheus.Registerer // nil: none
	Horizon    time.Duration         // how far ahead instances are indexed; 0: 400 days
	MaxMembers uint64                // of one collection; 0: 1,000,000
	// KeepRemoved is how long feeds show removed objects as cancelled; 0: 7
	// days, negative: not at all.
	KeepRemoved time.Duration
	StreamCache int64 // bytes of rendered calendars that are kept; 0: 32 MiB
	LoginBurst  int   // failed sign-ins for each address before throttling; 0: 100
}

// Errors of opening a file, for messages that say what to do.
var (
	ErrLocked  = engine.ErrLocked
	ErrForeign = engine.ErrForeign
	ErrNewer   = errors.New("the database was written by a newer version")
	ErrOlder   = errors.New("the database was written by an older version")
	ErrDamaged = errors.New("pages of the database are damaged")
)

// Store is the facts in one file.
type Store struct {
	db        *engine.DB
	opt       Options
	now       func() time.Time
	log       *slog.Logger
	metrics   *metrics
	epoch     atomic.Pointer[[8]byte]
	full      atomic.Bool  // the last commit failed for want of space, and the log says so
	horizon   atomic.Int64 // seconds since 1970: every endless set has its rows up to here
	dir       directory
	auth      authenticator
	watch     watchers
	journal   journalWatch
	used      usage
	fetches   fetchLog
	feedGuard feedGuard
	sweeper   sweeper
	sealing   sealing
	parsed    parsedCache
	streams   streamCache
}

// View is a consistent snapshot; see Store.View.
type View struct {
	s   *Store
	r   engine.Reader
	dir *directoryState // lazily; what the snapshot's revision of the directory says

	writing bool
	marked  bool                      // marks were read
	marks   map[CollectionID]struct{} // collections that are gone, see sweep.go
}

// Tx is a View that can write; see Store.Update.
type Tx struct {
	View
	w       engine.Writer
	changed map[CollectionID]struct{}
	now     time.Time
	swept   int  // members taken away with their collections
	unswept bool // some are left

	noted []noted       // what the journal is to say
	told  []PrincipalID // whose journal got longer
	ended bool          // one of an organisation that is gone is left
}

// Open opens or creates the file, migrates it, and starts the writer. A
// foreign or damaged file is never written to: ErrForeign. ErrLocked when
// another process has it, ErrNewer when it is of a later version, ErrOlder when
// it would have to be migrated and is opened for reading only.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Horizon <= 0 {
		o.Horizon = 400 * 24 * time.Hour
	}
	if o.MaxMembers == 0 {
		o.MaxMembers = 1_000_000
	}
	if o.KeepRemoved == 0 {
		o.KeepRemoved = 7 * 24 * time.Hour
	}
	s := &Store{opt: o, now: o.Now, log: o.Log, metrics: newMetrics()}
	s.auth.init(o.LoginBurst)
	s.streams.init(o.StreamCache)
	db, err := engine.Open(o.Path, engine.Options{
		Tables: allTables, Appended: appendedTables, ReadOnly: o.ReadOnly, Create: o.Create, Lock: o.Lock,
		OnCommit: s.metrics.commit, OnWait: s.metrics.wait,
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open %s: %w", o.Path, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", o.Path, err)
	}
	s.db = db
	if err := s.begin(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", o.Path, errors.Join(err, db.Close()))
	}
	if o.Metrics != nil {
		if err := s.metrics.register(o.Metrics, s); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	s.used.start(s)
	s.sweeper.start(s)
	return s, nil
}

// begin migrates the file and reads what the store keeps in memory.
func (s *Store) begin(ctx context.Context) error {
	if !s.opt.ReadOnly {
		if err := s.migrate(ctx); err != nil {
			return err
		}
	}
	return s.db.View(func(r engine.Reader) error {
		switch v := r.Get(metaKey(metaSchema)); {
		case len(v) != 4:
			return fmt.Errorf("%w: no schema version", ErrForeign)
		case u32(v) > schemaVersion:
			return fmt.Errorf("%w (schema %d, this is %d)", ErrNewer, u32(v), schemaVersion)
		case u32(v) < schemaVersion: // read-only
			return fmt.Errorf("%w (schema %d, this is %d): it is brought up to date when it is opened for writing", ErrOlder, u32(v), schemaVersion)
		}
		epoch := r.Get(metaKey(metaEpoch))
		if len(epoch) != 8 {
			return fmt.Errorf("%w: no epoch", ErrForeign)
		}
		s.epoch.Store((*[8]byte)(append([]byte(nil), epoch...)))
		s.horizon.Store(metaInt(r, metaHorizon))
		return nil
	})
}

// Close waits for the writes under way and closes the file.
func (s *Store) Close() error {
	s.used.stop()
	s.stopFetches()
	s.sweeper.stop()
	s.watch.close()
	s.journal.close()
	s.streams.close()
	return mapErr(s.db.Close())
}

// View calls fn with a snapshot. What the snapshot's methods return is the
// caller's; the snapshot itself must not be kept, and nothing slow (a client)
// may be waited for inside.
func (s *Store) View(ctx context.Context, fn func(*View) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return mapErr(s.db.View(func(r engine.Reader) error { return fn(&View{s: s, r: r}) }))
}

// Now gives the time of the transaction: that of all that it writes.
func (tx *Tx) Now() time.Time { return tx.now }

// Update calls fn in a transaction that is durable when Update returns nil.
// Many Updates share one commit. fn may be run again and must have no effect
// outside; when it returns an error nothing of it is kept. The journal says that
// it was done by whom the context names, see By. ErrFull when the disk is.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	var tx *Tx
	err := s.db.Update(ctx, func(w engine.Writer) error {
		tx = &Tx{View: View{s: s, r: w, writing: true}, w: w, now: s.now().UTC()}
		if err := fn(tx); err != nil {
			return err
		}
		return tx.writeJournal(originIn(ctx))
	})
	s.tellSpace()
	if err != nil {
		return mapErr(err)
	}
	for c := range tx.changed {
		s.watch.tell(c)
	}
	s.journal.tell(tx.told)
	if tx.ended {
		s.sweeper.journals.Store(true)
	}
	if tx.unswept || tx.ended {
		s.sweeper.wake()
	}
	return nil
}

// tellSpace logs, once for each time, that the disk is full and that it is no
// longer.
func (s *Store) tellSpace() {
	switch full := s.db.Full(); {
	case full == s.full.Swap(full):
	case full:
		s.log.Error("the disk is full: writes are refused, reads go on", "file", s.opt.Path)
	default:
		s.log.Info("the disk has space again: writes go on", "file", s.opt.Path)
	}
}

func mapErr(err error) error {
	switch {
	case errors.Is(err, engine.ErrFull):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, engine.ErrClosed):
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return err
}

// Writable reports nil while writes can be made; ErrFull after the disk was
// full until a write succeeds again.
func (s *Store) Writable() error {
	if s.db.Full() {
		return ErrFull
	}
	return nil
}

// Backup writes a consistent copy of the file while the store is in use. It
// holds back the reuse of pages for as long as w takes.
func (s *Store) Backup(w io.Writer) (int64, error) {
	n, err := s.db.Backup(w)
	return n, mapErr(err)
}

// Compact writes a copy without free pages to a new file.
func (s *Store) Compact(path string) error { return mapErr(s.db.Compact(path)) }

// NewEpoch makes every sync-token that was given out invalid: for a store that
// was restored from a copy, so that clients compare everything anew.
func (s *Store) NewEpoch(ctx context.Context) error {
	epoch := randomEpoch()
	err := s.Update(ctx, func(tx *Tx) error {
		tx.put(metaKey(metaEpoch), epoch[:])
		return nil
	})
	if err == nil {
		s.epoch.Store(&epoch)
	}
	return err
}

// Epoch gives a word for this store, which a restored copy does not share. It
// is no secret: every sync-token holds it.
func (s *Store) Epoch() string { return hex.EncodeToString(s.epoch.Load()[:]) }

func randomEpoch() (e [8]byte) {
	_, _ = rand.Read(e[:]) // never fails
	return e
}

func (v *View) get(k []byte) []byte { return v.r.Get(k) }

func (tx *Tx) put(k, value []byte) { tx.w.Put(k, value) }
func (tx *Tx) del(k []byte)        { tx.w.Delete(k) }

// The names in the meta table.
const (
	metaSchema     = "schema"
	metaEpoch      = "epoch"
	metaHorizon    = "horizon"
	metaTZData     = "tzdata"
	metaDirectory  = "directory" // revision of principals, collections and grants
	metaPrincipal  = "last principal"
	metaCollection = "last collection"
	metaObject     = "last object"
	metaRemote     = "last remote"
	metaObjects    = "objects"
	metaRows       = "rows"
	metaRemade     = "rows made anew" // how often, without a change
	metaAlias      = "last alias "    // and the organisation's number
)

func metaKey(name string) key { return newKey(tableMeta).text(name) }

func metaInt(r engine.Reader, name string) int64 {
	if v := r.Get(metaKey(name)); len(v) == 8 {
		return int64(u64(v))
	}
	return 0
}

func (tx *Tx) setMetaInt(name string, n int64) {
	tx.put(metaKey(name), key(nil).u64(uint64(n)))
}

// next counts a number up and gives it.
func (tx *Tx) next(name string) uint64 {
	n := metaInt(tx.r, name) + 1
	tx.setMetaInt(name, n)
	return uint64(n)
}

func (tx *Tx) count(name string, by int64) {
	if by != 0 {
		tx.setMetaInt(name, metaInt(tx.r, name)+by)
	}
}

// Stats describes the file; cheap enough for every scrape.
type Stats struct {
	FileBytes, FreePages, PendingPages, PageSize int64
	Objects, Rows                                uint64
	Horizon                                      time.Time
	Journal                                      uint64    // entries
	JournalOldest                                time.Time // zero: none
}

// Stats gives figures of the store.
func (s *Store) Stats() Stats {
	e := s.db.Stats()
	out := Stats{
		FileBytes: e.FileBytes, FreePages: e.FreePages, PendingPages: e.PendingPages, PageSize: e.PageSize,
		Horizon: time.Unix(s.horizon.Load(), 0).UTC(),
	}
	_ = s.db.View(func(r engine.Reader) error {
		out.Objects, out.Rows = uint64(metaInt(r, metaObjects)), uint64(metaInt(r, metaRows))
		out.Journal, out.JournalOldest = (&View{s: s, r: r}).journalStats()
		return nil
	})
	return out
}

// watchers tells those who asked that collections changed.
type watchers struct {
	mu     sync.Mutex
	subs   map[chan CollectionID]struct{}
	closed bool
}

// Watch gives hints that collections changed, after the commit. Hints are lost
// when the channel is full. cancel ends it; Close ends all.
func (s *Store) Watch(buffer int) (hints <-chan CollectionID, cancel func()) {
	ch := make(chan CollectionID, max(1, buffer))
	w := &s.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		close(ch)
		return ch, func() {}
	}
	if w.subs == nil {
		w.subs = map[chan CollectionID]struct{}{}
	}
	w.subs[ch] = struct{}{}
	return ch, func() { w.drop(ch) }
}

func (w *watchers) drop(ch chan CollectionID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.subs[ch]; ok {
		delete(w.subs, ch)
		close(ch)
	}
}

func (w *watchers) tell(c CollectionID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.subs {
		select {
		case ch <- c:
		default:
		}
	}
}

func (w *watchers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for ch := range w.subs {
		delete(w.subs, ch)
		close(ch)
	}
}

// utcOr gives a zone that is never nil.
func utcOr(z *ical.Zone) *ical.Zone {
	if z == nil {
		return ical.UTCZone
	}
	return z
}
