package engine

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// reader is a Reader over a bbolt transaction. The table byte chooses a bucket
// and stays out of the stored key.
type reader struct {
	tx      *bolt.Tx
	buckets [256]*bolt.Bucket
	keyBuf  []byte
}

func (r *reader) bucket(t byte) *bolt.Bucket {
	if r.buckets[t] == nil {
		r.buckets[t] = r.tx.Bucket([]byte{t})
	}
	return r.buckets[t]
}

func (r *reader) Get(key []byte) []byte {
	b := r.bucket(key[0])
	if b == nil {
		return nil
	}
	return b.Get(key[1:])
}

func (r *reader) Scan(from, to []byte, fn func(key, value []byte) bool) {
	b := r.bucket(from[0])
	if b == nil {
		return
	}
	end := endOf(from, to)
	c := b.Cursor()
	for k, v := c.Seek(from[1:]); k != nil; k, v = c.Next() {
		if end != nil && bytes.Compare(k, end) >= 0 || !fn(r.full(from[0], k), v) {
			return
		}
	}
}

func (r *reader) ScanBack(from, to []byte, fn func(key, value []byte) bool) {
	b := r.bucket(from[0])
	if b == nil {
		return
	}
	c := b.Cursor()
	var k, v []byte
	if end := endOf(from, to); end == nil {
		k, v = c.Last()
	} else if k, _ = c.Seek(end); k == nil {
		k, v = c.Last()
	} else {
		k, v = c.Prev()
	}
	for ; k != nil && bytes.Compare(k, from[1:]) >= 0; k, v = c.Prev() {
		if !fn(r.full(from[0], k), v) {
			return
		}
	}
}

// endOf gives the end of a scan inside the bucket, nil for the bucket's end.
func endOf(from, to []byte) []byte {
	switch {
	case to == nil || to[0] > from[0]:
		return nil
	case to[0] < from[0]:
		return []byte{}
	}
	return to[1:]
}

// full gives the key with its table byte, in a buffer that the next call uses
// again.
func (r *reader) full(table byte, k []byte) []byte {
	r.keyBuf = append(append(r.keyBuf[:0], table), k...)
	return r.keyBuf
}

// writer is a Writer that can take its writes back.
type writer struct {
	reader
	undo     []before
	failed   error // of bbolt: it ends the update
	broken   error // of taking writes back: it ends the whole group
	appended []byte
}

type before struct {
	key, value []byte
	had        bool
}

func (w *writer) remember(key []byte) {
	b := before{key: bytes.Clone(key)}
	if v := w.Get(key); v != nil {
		b.value, b.had = bytes.Clone(v), true
	}
	w.undo = append(w.undo, b)
}

func (w *writer) Put(key, value []byte) {
	w.remember(key)
	w.set(key, bytes.Clone(value))
}

// set needs a value that nobody changes until the commit: bbolt does not copy
// it. A nil value is stored as an empty one.
func (w *writer) set(key, value []byte) {
	if value == nil {
		value = []byte{}
	}
	b := w.bucket(key[0])
	if b == nil {
		w.fail(fmt.Errorf("no table %q", key[0]))
		return
	}
	if bytes.IndexByte(w.appended, key[0]) >= 0 {
		b.FillPercent = 0.95 // for the rest of the transaction
	}
	if err := b.Put(key[1:], value); err != nil {
		w.fail(err)
	}
}

func (w *writer) Delete(key []byte) {
	if w.Get(key) == nil {
		return
	}
	w.remember(key)
	w.unset(key)
}

func (w *writer) unset(key []byte) {
	if err := w.bucket(key[0]).Delete(key[1:]); err != nil {
		w.fail(err)
	}
}

func (w *writer) fail(err error) {
	if w.failed == nil {
		w.failed = err
	}
}

// run runs one update and takes back its writes if it fails or panics.
func (w *writer) run(fn func(Writer) error) (err error) {
	w.undo, w.failed = w.undo[:0], nil
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("update panicked: %v\n%s", p, debug.Stack())
		}
		if err == nil {
			err = w.failed
		}
		if err != nil {
			w.rollback()
		}
	}()
	return fn(w)
}

func (w *writer) rollback() {
	w.failed = nil
	for _, b := range slices.Backward(w.undo) {
		if b.had {
			w.set(b.key, b.value)
		} else if w.Get(b.key) != nil {
			w.unset(b.key)
		}
	}
	w.undo = w.undo[:0]
	w.broken = w.failed
}
