package store

import (
	"path/filepath"
	"testing"

	"daybook/store/engine"
)

// A file from before collections were found by their UUIDs is brought up to
// date when it is opened.
func TestMigrationIndexesCollections(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	s, err := Open(t.Context(), Options{Path: path, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	h := newTestHouse(t, s)
	c, err := calendarOf(t, s, h.user.ID)
	if err != nil {
		t.Fatal(err)
	}
	err = s.db.Update(t.Context(), func(w engine.Writer) error {
		w.Delete(newKey(tableUUIDs).bytes(c.UUID[:]))
		w.Put(metaKey(metaSchema), key(nil).u32(4))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), Options{Path: path}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.View(t.Context(), func(v *View) error {
		got, err := v.CollectionByUUID(c.UUID)
		if err == nil && got.ID != c.ID {
			t.Errorf("%+v", got)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func calendarOf(t *testing.T, s *Store, p PrincipalID) (c *Collection, err error) {
	err = s.View(t.Context(), func(v *View) error {
		c, err = v.Calendar(p)
		return err
	})
	return c, err
}
