package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestServicesKeepTheirIdentity(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	massage := &Service{Org: h.org.ID, Name: "Massage", Length: time.Hour, Resources: []uuid.UUID{h.ada.UUID}}
	update(t, s, func(tx *Tx) error { return tx.PutService(massage) })
	renamed := &Service{Org: h.org.ID, UUID: massage.UUID, Name: "Long massage", Length: 90 * time.Minute}
	update(t, s, func(tx *Tx) error { return tx.PutService(renamed) })
	view(t, s, func(v *View) error {
		got, err := v.ServiceByAlias(h.org.ID, massage.Alias)
		if err != nil || got.Name != "Long massage" || got.UUID != massage.UUID || !got.Created.Equal(massage.Created) {
			t.Errorf("%+v, %v", got, err)
		}
		return nil
	})
	mustCheck(t, s)
	for name, bad := range map[string]*Service{
		"no name": {Org: h.org.ID}, "colour": {Org: h.org.ID, Name: "x", Color: "red"}, "time": {Org: h.org.ID, Name: "x", Length: -1},
	} {
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.PutService(bad) }); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	taken := &Service{Org: h.org.ID, UUID: h.ada.UUID, Name: "x"}
	if err := s.Update(t.Context(), func(tx *Tx) error { return tx.PutService(taken) }); !errors.Is(err, ErrExists) {
		t.Errorf("the id of a resource: %v", err)
	}
	update(t, s, func(tx *Tx) error { return tx.DeleteService(h.org.ID, massage.UUID) })
	next := &Service{Org: h.org.ID, Name: "Next"}
	update(t, s, func(tx *Tx) error { return tx.PutService(next) })
	if next.Alias == massage.Alias {
		t.Error("an alias was used again")
	}
	if _, err := s.Check(t.Context(), true, func(p Problem) { t.Error(p) }); err != nil {
		t.Error(err)
	}
}

func TestNotesStayInTheirOrganisationAndSpace(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.PutNote(h.org.ID, "a", "1", []byte("x")), tx.PutNote(h.org.ID, "a", "2", []byte("y")), tx.PutNote(h.org.ID, "ab", "1", []byte("z")))
	})
	view(t, s, func(v *View) error {
		var got string
		v.EachNote(h.org.ID, "a", func(name string, value []byte) bool { got += name + string(value); return true })
		if got != "1x2y" {
			t.Errorf("got %q", got)
		}
		if _, err := v.Note(h.org.ID+1, "a", "1"); !errors.Is(err, ErrNotFound) {
			t.Errorf("another organisation's note: %v", err)
		}
		return nil
	})
	update(t, s, func(tx *Tx) error { return tx.PutNote(h.org.ID, "a", "1", nil) })
	if err := s.Update(t.Context(), func(tx *Tx) error { return tx.PutNote(h.org.ID, "a", "\x00", []byte("x")) }); !errors.Is(err, ErrInvalid) {
		t.Errorf("a name with NUL: %v", err)
	}
}
