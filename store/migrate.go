package store

import (
	"context"
	"fmt"
	"maps"

	"daybook/ical"
	"daybook/store/engine"
)

// schemaVersion is the version of the file that this program writes: one more
// than the last migration's index.
var schemaVersion = uint32(len(migrations))

// migrations take a file from the version of their index to the next one, each
// in one transaction. They are never changed once released. The first makes a
// new file.
var migrations = []func(engine.Writer) error{
	func(w engine.Writer) error {
		epoch := randomEpoch()
		w.Put(metaKey(metaEpoch), epoch[:])
		w.Put(metaKey(metaTZData), []byte(ical.TZDataVersion()))
		return nil
	},
	// Collections that are gone are marked; a version that does not know the
	// marks would take what is left of them for damage.
	func(engine.Writer) error { return nil },
	// Grants can be on one calendar, and objects have dead properties; a version
	// that does not know these would take the ones for grants on all calendars of
	// the owner, and leave the others behind.
	func(engine.Writer) error { return nil },
	// Every change is in the journal; a version that does not know it would
	// leave changes out, and who follows the journal would never hear of them.
	func(engine.Writer) error { return nil },
	// Collections are found by their UUIDs.
	indexCollections,
	// Feeds have windows and kinds of components; a version that does not know
	// them would show all of a calendar to who was given a part.
	func(engine.Writer) error { return nil },
	// Openings are kept by day, and each write takes away the days that it
	// touches; the index tells what was booked, and hours are listed.
	describeBookings,
	// Objects can be kept by a remote; a version that does not know the mark
	// would misread what is behind it.
	func(engine.Writer) error { return nil },
	// Bodies are compressed when they are written; a version that does not know
	// that would give them as they are. Older ones stay as they are.
	func(engine.Writer) error { return nil },
	// The blocks of an organisation are found without looking into each of its
	// calendars.
	viewBlocks,
}

func indexCollections(w engine.Writer) error {
	rows := map[string][]byte{}
	from := newKey(tableCollections)
	w.Scan(from, from.after(), func(k, b []byte) bool {
		c := &Collection{ID: CollectionID(u32(k[1:]))}
		if err := decodeRecord(b, c); err == nil { // what cannot be read is for Check
			maps.Copy(rows, c.derived())
		}
		return true
	})
	for k, b := range rows {
		w.Put([]byte(k), b)
	}
	return nil
}

func (s *Store) migrate(ctx context.Context) error {
	for {
		done := false
		err := s.db.Update(ctx, func(w engine.Writer) error {
			v := uint32(0)
			if b := w.Get(metaKey(metaSchema)); len(b) == 4 {
				v = u32(b)
			}
			if v > schemaVersion {
				return fmt.Errorf("%w (schema %d, this is %d): use that version, or restore a backup made by this one", ErrNewer, v, schemaVersion)
			}
			if done = v == schemaVersion; done {
				return nil
			}
			if err := migrations[v](w); err != nil {
				return fmt.Errorf("migrate from schema %d: %w", v, err)
			}
			w.Put(metaKey(metaSchema), key(nil).u32(v+1))
			return nil
		})
		if err != nil || done {
			return err
		}
	}
}
