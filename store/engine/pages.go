package engine

import (
	"encoding/binary"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
)

// The form of bbolt's pages, in the byte order of the machine: a header (id,
// flags, count, overflow), and in trees as many elements, each with the place of
// its key and value or the page below it.
const (
	pageHeader  = 16
	pageElement = 16

	branchPage = 0x01
	leafPage   = 0x02

	bucketElement = 0x01
	bucketHeader  = 16 // root and sequence; root 0: a page follows inside the value

	maxPageDepth  = 64 // a tree of four billion pages has ten
	maxPageFaults = 100
)

// pageWalk looks at all pages that the trees of a file reach, and believes
// nothing that they say. bbolt's own check does: damage can send it round in a
// circle, or out of its memory, which ends the process.
type pageWalk struct {
	file   *os.File
	size   int64
	high   uint64 // pages from here on are not in use
	seen   []uint64
	report func(error)
	faults int
}

// walkPages reports what makes the file's trees unfit to be walked, and whether
// that was anything. tx holds the pages where they are.
func (db *DB) walkPages(tx *bolt.Tx, report func(error)) (sound bool, err error) {
	f, err := os.Open(db.bolt.Path())
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // it was only read
	w := &pageWalk{file: f, size: db.pageSize, report: report}
	root, err := w.meta(uint64(tx.ID()))
	if err != nil {
		return false, err
	}
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if have := uint64(info.Size() / w.size); w.high > have {
		w.fault("the file has %d pages of %d", have, w.high)
		return false, nil
	}
	w.seen = make([]uint64, w.high/64+1)
	w.tree(root, 0)
	return w.faults == 0, nil
}

func (w *pageWalk) fault(format string, args ...any) {
	if w.faults++; w.faults <= maxPageFaults {
		w.report(fmt.Errorf(format, args...))
	}
}

// meta reads the newer of the two meta pages that is not of a later transaction,
// and gives the root of all.
func (w *pageWalk) meta(most uint64) (root uint64, err error) {
	best := uint64(0)
	for i := range int64(2) {
		b := make([]byte, pageHeader+64)
		if _, err := w.file.ReadAt(b, i*w.size); err != nil {
			return 0, fmt.Errorf("read meta page %d: %w", i, err)
		}
		m := b[pageHeader:]
		if id := binary.NativeEndian.Uint64(m[48:]); id >= best && id <= most {
			best, root, w.high = id, binary.NativeEndian.Uint64(m[16:]), binary.NativeEndian.Uint64(m[40:])
		}
	}
	return root, nil
}

// tree looks at a page and all below it.
func (w *pageWalk) tree(id uint64, depth int) {
	if w.faults > maxPageFaults {
		return
	}
	if depth > maxPageDepth {
		w.fault("page %d: is too deep in its tree", id)
		return
	}
	page, ok := w.read(id)
	if !ok {
		return
	}
	w.elements(page, fmt.Sprintf("page %d", id), depth)
}

// read gives a page with its overflow, once.
func (w *pageWalk) read(id uint64) ([]byte, bool) {
	if id < 2 || id >= w.high {
		w.fault("page %d: is not one of the %d in use", id, w.high)
		return nil, false
	}
	head := make([]byte, pageHeader)
	if _, err := w.file.ReadAt(head, int64(id)*w.size); err != nil {
		w.fault("page %d: %w", id, err)
		return nil, false
	}
	over := uint64(binary.NativeEndian.Uint32(head[12:]))
	switch {
	case binary.NativeEndian.Uint64(head) != id:
		w.fault("page %d: says that it is page %d", id, binary.NativeEndian.Uint64(head))
		return nil, false
	case id+over >= w.high:
		w.fault("page %d: goes on behind the last page", id)
		return nil, false
	}
	for i := id; i <= id+over; i++ {
		if w.seen[i/64]&(1<<(i%64)) != 0 {
			w.fault("page %d: is in the trees twice", i)
			return nil, false
		}
		w.seen[i/64] |= 1 << (i % 64)
	}
	page := make([]byte, int64(over+1)*w.size)
	if _, err := w.file.ReadAt(page, int64(id)*w.size); err != nil {
		w.fault("page %d: %w", id, err)
		return nil, false
	}
	return page, true
}

// elements looks at what a page, or one inside a value, has.
func (w *pageWalk) elements(page []byte, where string, depth int) {
	flags, count := binary.NativeEndian.Uint16(page[8:]), int(binary.NativeEndian.Uint16(page[10:]))
	if flags != branchPage && flags != leafPage {
		w.fault("%s: is of no kind that a tree has (%#x)", where, flags)
		return
	}
	if pageHeader+count*pageElement > len(page) {
		w.fault("%s: has no room for its %d elements", where, count)
		return
	}
	for i := range count {
		at := pageHeader + i*pageElement
		e := page[at : at+pageElement]
		u32 := func(n int) int { return int(binary.NativeEndian.Uint32(e[n:])) }
		if flags == branchPage {
			if at+u32(0)+u32(4) > len(page) {
				w.fault("%s: key %d is outside of it", where, i)
				return
			}
			w.tree(binary.NativeEndian.Uint64(e[8:]), depth+1)
			continue
		}
		begin := at + u32(4) + u32(8)
		if begin+u32(12) > len(page) {
			w.fault("%s: value %d is outside of it", where, i)
			return
		}
		if u32(0)&bucketElement != 0 {
			w.bucket(page[begin:begin+u32(12)], fmt.Sprintf("%s, bucket %d", where, i), depth+1)
		}
	}
}

func (w *pageWalk) bucket(value []byte, where string, depth int) {
	if len(value) < bucketHeader {
		w.fault("%s: is cut off", where)
		return
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		w.tree(root, depth)
		return
	}
	if len(value) < bucketHeader+pageHeader || depth > maxPageDepth {
		w.fault("%s: is cut off", where)
		return
	}
	w.elements(value[bucketHeader:], where, depth)
}
