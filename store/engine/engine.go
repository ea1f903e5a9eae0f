// Package engine is the only code that knows bbolt. It offers ordered byte
// keys: snapshots to read and scan, and update transactions that are committed
// in groups. The first byte of a key is its table; scans stay in one table.
// It knows nothing of what is stored.
//
// Traps that this package keeps from the rest: bytes from bbolt live only as
// long as the transaction, so whoever keeps them copies them; a cursor is not
// used across writes, so scans must not write; a transaction that was rolled
// back takes back the writes of everybody in it, so each update keeps an undo
// log and one failing update leaves its companions alone.
package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Errors of the engine.
var (
	ErrLocked  = errors.New("the database file is in use by another process")
	ErrForeign = errors.New("not a database of this program, or a damaged one")
	ErrFull    = errors.New("no space left on the device")
	ErrClosed  = errors.New("database is closed")
	// ErrReadOnly is of a write to a file that was opened for reading only.
	ErrReadOnly = errors.New("database is open for reading only")
)

// Reader reads one consistent state. Bytes that it gives are valid until the
// function that got the Reader returns and must not be changed.
type Reader interface {
	// Get gives the value of a key, nil if there is none.
	Get(key []byte) []byte
	// Scan calls fn for the keys in [from, to) in order until fn returns
	// false. Both must be of one table; a nil to is the table's end. fn must
	// not write.
	Scan(from, to []byte, fn func(key, value []byte) bool)
	// ScanBack is Scan from the last key before to down to from.
	ScanBack(from, to []byte, fn func(key, value []byte) bool)
}

// Writer is a Reader that sees its own writes.
type Writer interface {
	Reader
	// Put sets a key. Keys have 1 to 1,024 bytes.
	Put(key, value []byte)
	// Delete removes a key, if it is there.
	Delete(key []byte)
}

// Options says how a file is opened.
type Options struct {
	Tables   []byte // the first bytes of keys in use
	Appended []byte // those of them whose keys are mostly written in rising order
	ReadOnly bool
	Create   bool
	Lock     time.Duration // how long to wait for another process; 0: not at all
	MaxGroup int           // updates in one commit; 0: 256
	OnCommit func(group int, took time.Duration)
	OnWait   func(time.Duration) // from asking to being run
}

// DB is an open file.
type DB struct {
	bolt *bolt.DB
	opt  Options

	pageSize int64

	queue chan *update
	gate  sync.RWMutex // held shared by those who may send to queue
	shut  bool
	done  chan struct{}
	full  atomic.Bool
}

type update struct {
	ctx   context.Context
	fn    func(Writer) error
	err   error
	done  chan struct{}
	asked time.Time
}

// Open opens or creates a file and starts the writer. An existing file that is
// no bbolt database is ErrForeign and is left as it is.
func Open(path string, o Options) (*DB, error) {
	err := look(path)
	if errors.Is(err, os.ErrNotExist) && o.Create && !o.ReadOnly {
		err = create(path)
	}
	if err != nil {
		return nil, err
	}
	lock := o.Lock
	if lock <= 0 {
		lock = time.Millisecond // bbolt takes zero for "for ever"
	}
	b, err := openBolt(path, &bolt.Options{
		Timeout:      lock,
		ReadOnly:     o.ReadOnly,
		FreelistType: bolt.FreelistMapType,
		// The map of the file grows in address space only; a generous first
		// size saves remapping, which waits for all readers.
		InitialMmapSize: min(4<<30, math.MaxInt/2),
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, ErrLocked
	case err != nil:
		return nil, asErr(err)
	}
	b.AllocSize = 1 << 20 // the file grows in steps of it; bbolt's 16 MiB are a lot for a small house
	if o.MaxGroup <= 0 {
		o.MaxGroup = 256
	}
	db := &DB{bolt: b, opt: o, pageSize: int64(b.Info().PageSize), queue: make(chan *update, 1024), done: make(chan struct{})}
	if err := db.tables(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	go db.write()
	return db, nil
}

// create makes an empty database appear whole or not at all, and to stay: a
// half-made file would be refused as a foreign one ever after. When somebody
// else was faster, theirs stays.
func create(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return asErr(err)
	}
	if err := f.Close(); err != nil {
		return asErr(err)
	}
	defer func() {
		if e := os.Remove(f.Name()); !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}()
	b, err := openBolt(f.Name(), &bolt.Options{FreelistType: bolt.FreelistMapType})
	if err != nil {
		return asErr(err)
	}
	if err := b.Close(); err != nil {
		return asErr(err)
	}
	if err := os.Link(f.Name(), path); errors.Is(err, os.ErrExist) {
		return nil
	} else if err != nil { // a file system without links
		if err := os.Rename(f.Name(), path); err != nil {
			return asErr(err)
		}
	}
	return SyncFolder(filepath.Dir(path))
}

// look refuses what bbolt would fail on late, or would turn into a database of
// its own: an empty or a foreign file, and one that was cut off, whose missing
// pages would end the process.
func look(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil {
		return err
	} else if !st.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is no regular file", ErrForeign, path)
	}
	first, err := readMeta(f, 0)
	if err != nil {
		return fmt.Errorf("%w: %s %w", ErrForeign, path, err)
	}
	pages, size := first.pages, int64(first.pageSize)
	if !first.valid {
		pages = 0
	}
	if second, err := readMeta(f, size); err == nil && second.valid && (!first.valid || second.txid > first.txid) {
		pages = second.pages
	}
	st, err := f.Stat() // after the meta pages: another process may let it grow
	if err != nil {
		return err
	}
	if have := st.Size(); pages > uint64(have/max(1, size)) {
		return fmt.Errorf("%w: %s is cut off: it has %d bytes of %d pages", ErrForeign, path, have, pages)
	}
	return nil
}

// meta is what matters of bbolt's meta page.
type meta struct {
	valid    bool // the checksum fits
	pageSize uint32
	pages    uint64 // that the file has at least
	txid     uint64
}

var errBegin = errors.New("does not begin like one")

// readMeta reads a meta page: 16 bytes of page header, then magic number,
// version, page size, flags (4 bytes each), root, its sequence, free list,
// pages, transaction, checksum (8 bytes each), in the machine's order.
func readMeta(f io.ReaderAt, at int64) (m meta, err error) {
	var b [16 + 64]byte
	if n, err := f.ReadAt(b[:], at); err != nil {
		return m, fmt.Errorf("has %d bytes only", at+int64(n))
	}
	p := b[16:]
	if binary.NativeEndian.Uint32(p) != 0xED0CDAED {
		return m, errBegin
	}
	sum := fnv.New64a()
	_, _ = sum.Write(p[:56])
	m.valid = sum.Sum64() == binary.NativeEndian.Uint64(p[56:])
	m.pageSize = binary.NativeEndian.Uint32(p[8:])
	m.pages, m.txid = binary.NativeEndian.Uint64(p[40:]), binary.NativeEndian.Uint64(p[48:])
	return m, nil
}

// openBolt turns the panics that bbolt has for damaged pages into errors.
func openBolt(path string, o *bolt.Options) (b *bolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			b, err = nil, fmt.Errorf("%w: %v", ErrForeign, p)
		}
	}()
	return bolt.Open(path, 0o600, o)
}

// SyncFolder makes a folder's entries durable: without it a file that was just
// made can be gone after a loss of power, whatever was synced in it. Where
// folders cannot be synced (Windows) it does nothing.
func SyncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil && runtime.GOOS != "windows" {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// tables makes the tables that are not there. In a damaged file looking for them
// can panic, and leave the mapped memory.
func (db *DB) tables() (err error) {
	if db.opt.ReadOnly {
		return nil
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrForeign, p)
		}
	}()
	missing := false
	err = db.bolt.View(func(tx *bolt.Tx) error {
		for _, t := range db.opt.Tables {
			missing = missing || tx.Bucket([]byte{t}) == nil
		}
		return nil
	})
	if err != nil || !missing {
		return asErr(err)
	}
	return asErr(db.bolt.Update(func(tx *bolt.Tx) error {
		for _, t := range db.opt.Tables {
			if _, err := tx.CreateBucketIfNotExists([]byte{t}); err != nil {
				return err
			}
		}
		return nil
	}))
}

func asErr(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		return ErrClosed
	case errors.Is(err, berrors.ErrDatabaseReadOnly):
		return ErrReadOnly
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	return err
}

// Close runs what is queued, stops the writer and closes the file. It waits
// for open snapshots.
func (db *DB) Close() error {
	db.gate.Lock()
	shut := db.shut
	db.shut = true
	db.gate.Unlock()
	if !shut {
		close(db.queue)
	}
	<-db.done
	return db.bolt.Close()
}

// View calls fn with a snapshot.
func (db *DB) View(fn func(Reader) error) error {
	return asErr(db.bolt.View(func(tx *bolt.Tx) error { return fn(&reader{tx: tx}) }))
}

// Update calls fn in a transaction and returns when it is on disk. fn may run
// more than once. Other updates may share the commit; an error of fn undoes
// its own writes only. A cancelled ctx is noticed until fn is run.
func (db *DB) Update(ctx context.Context, fn func(Writer) error) error {
	u := &update{ctx: ctx, fn: fn, done: make(chan struct{}), asked: time.Now()}
	db.gate.RLock()
	if db.shut {
		db.gate.RUnlock()
		return ErrClosed
	}
	select {
	case db.queue <- u:
		db.gate.RUnlock()
	case <-ctx.Done():
		db.gate.RUnlock()
		return ctx.Err()
	}
	<-u.done
	return u.err
}

// write is the writer: it takes whatever waits and commits it together.
func (db *DB) write() {
	defer close(db.done)
	group := make([]*update, 0, db.opt.MaxGroup)
	for first := range db.queue {
		group = append(group[:0], first)
	more:
		for len(group) < db.opt.MaxGroup {
			select {
			case u, ok := <-db.queue:
				if !ok {
					break more
				}
				group = append(group, u)
			default:
				break more
			}
		}
		db.commit(group)
		for i, u := range group {
			close(u.done)
			group[i] = nil
		}
	}
}

func (db *DB) commit(group []*update) {
	start := time.Now()
	wrote := false
	err := db.update(func(tx *bolt.Tx) error {
		wrote = false
		w := &writer{reader: reader{tx: tx}, appended: db.opt.Appended}
		for _, u := range group {
			if db.opt.OnWait != nil {
				db.opt.OnWait(start.Sub(u.asked))
			}
			if u.err = u.ctx.Err(); u.err != nil {
				continue
			}
			if u.err = w.run(u.fn); u.err == nil {
				wrote = wrote || len(w.undo) > 0
			}
			if w.broken != nil {
				return w.broken // what was not undone must not be committed
			}
		}
		if !wrote {
			return errNothing // nothing to make durable
		}
		return nil
	})
	if errors.Is(err, errNothing) {
		return
	}
	if err = asErr(err); err != nil {
		db.full.Store(errors.Is(err, ErrFull))
		for _, u := range group {
			if u.err == nil {
				u.err = err
			}
		}
		return
	}
	db.full.Store(false)
	if db.opt.OnCommit != nil {
		db.opt.OnCommit(len(group), time.Since(start))
	}
}

// update is bbolt's, which panics when it meets a damaged page: the writer goes
// on, and whoever asked is told.
func (db *DB) update(fn func(*bolt.Tx) error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("commit panicked: %v\n%s", cause, debug.Stack())
		}
	}()
	return db.bolt.Update(fn)
}

var errNothing = errors.New("nothing written")

// Full reports whether the last commit failed for want of space.
func (db *DB) Full() bool { return db.full.Load() }

// Backup writes a consistent copy of the file.
func (db *DB) Backup(w io.Writer) (n int64, err error) {
	err = db.bolt.View(func(tx *bolt.Tx) error {
		n, err = tx.WriteTo(w)
		return err
	})
	return n, asErr(err)
}

// Verify walks the file's pages and reports what is wrong with them.
// It waits for the writer and holds it: bbolt compares the pages of a
// transaction with the list of free pages as it is now, so a commit meanwhile
// would look like damage.
func (db *DB) Verify(report func(error)) error {
	tx, err := db.bolt.Begin(!db.opt.ReadOnly)
	if err != nil {
		return asErr(err)
	}
	sound, err := db.walkPages(tx, report)
	if sound {
		for err := range tx.Check() {
			report(err)
		}
	}
	return errors.Join(asErr(err), asErr(tx.Rollback()))
}

// Stats describes the file.
type Stats struct {
	PageSize, FreePages, PendingPages int64
	FileBytes                         int64
	OpenReaders                       int
}

// Stats gives figures that cost next to nothing.
func (db *DB) Stats() Stats {
	s := db.bolt.Stats()
	out := Stats{
		PageSize: db.pageSize, FreePages: int64(s.FreePageN), PendingPages: int64(s.PendingPageN),
		OpenReaders: s.OpenTxN,
	}
	_ = db.bolt.View(func(tx *bolt.Tx) error { out.FileBytes = tx.Size(); return nil })
	return out
}

// Compact writes a copy without free pages to a new file.
func (db *DB) Compact(path string) error {
	dst, err := bolt.Open(path, 0o600, &bolt.Options{NoFreelistSync: false, FreelistType: bolt.FreelistMapType, Timeout: time.Millisecond})
	if err != nil {
		return asErr(err)
	}
	dst.AllocSize = int(db.pageSize) // else the file ends in 16 MiB that nothing needs
	if err := bolt.Compact(dst, db.bolt, 16<<20); err != nil {
		return errors.Join(asErr(err), dst.Close())
	}
	if err := errors.Join(dst.Sync(), dst.Close()); err != nil {
		return asErr(err)
	}
	return SyncFolder(filepath.Dir(path))
}
