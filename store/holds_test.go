package store

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/ical/span"
)

// heldHouse is a house whose clock can be moved.
func heldHouse(t *testing.T) (h *house, clock *atomic.Int64) {
	clock = &atomic.Int64{}
	clock.Store(houseWeek.Start.Unix())
	h = newHouseAt(t, func() time.Time { return time.Unix(clock.Load(), 0) })
	h.put(h.org, "week", hours("week", "", "MO", "0900", "1700"))
	return h, clock
}

func (h *house) hold(x Hold) (Hold, error) {
	x.Org = h.org.ID
	err := h.s.Update(h.t.Context(), func(tx *Tx) error { return tx.AddHold(&x) })
	return x, err
}

func mondayAt(hour int) time.Time { return houseWeek.Start.Add(time.Duration(hour) * time.Hour) }

func TestHoldsTakeTimeWhileTheyLive(t *testing.T) {
	h, clock := heldHouse(t)
	h.refresh(h.room, houseWeek.Start, 7)
	before, _ := h.openings(h.room)
	x, err := h.hold(Hold{
		Resources: []PrincipalID{h.room.ID}, Start: mondayAt(10), End: mondayAt(11), After: 30 * time.Minute,
		Expires: h.s.now().Add(10 * time.Minute), Service: uuid.MustParse("0197f3c2-0000-7000-8000-0000000000e1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.want(h.room, "Mon 09:00-10:00", "Mon 11:30-17:00")
	h.want(h.other, "Mon 09:00-17:00")
	held, _ := h.openings(h.room)
	if !held.Stored || held.Basis == before.Basis {
		t.Errorf("stored %v; the basis is %x as before", held.Stored, held.Basis)
	}
	busy := func() (taken bool, times []BusyTime, basis OpeningsBasis) {
		t.Helper()
		err := h.s.View(t.Context(), func(v *View) (err error) {
			w := span.Span{Start: mondayAt(11), End: mondayAt(12)}
			if taken, err = v.Taken(h.room.ID, w); err != nil {
				return err
			}
			if times, err = v.BusyTimes(h.room.ID, w); err != nil {
				return err
			}
			basis, err = v.OpeningsBasis(h.room.ID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return taken, times, basis
	}
	taken, times, basis := busy()
	if !taken || len(times) != 1 || times[0].Hold != x.UUID || times[0].After != 30*time.Minute || times[0].Service != MarkOf(x.Service) || basis != held.Basis {
		t.Errorf("taken %v by %+v", taken, times)
	}
	clock.Add(600) // no job has run
	if taken, times, basis = busy(); taken || len(times) != 0 || basis != before.Basis {
		t.Errorf("a hold that has ended takes time: %+v", times)
	}
	h.want(h.room, "Mon 09:00-17:00")
	for what, fn := range map[string]func(*Tx) error{
		"Hold":       func(tx *Tx) error { _, err := tx.Hold(h.org.ID, x.UUID); return err },
		"DeleteHold": func(tx *Tx) error { return tx.DeleteHold(h.org.ID, x.UUID) },
	} {
		if err := h.s.Update(t.Context(), fn); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s of one that has ended: %v", what, err)
		}
	}
	if n := h.s.countHolds(); n != 0 || len(h.keys(tableHolds)) != 1 {
		t.Errorf("%v live, %d records", n, len(h.keys(tableHolds)))
	}
	if n, done, err := h.s.Prune(t.Context(), time.Time{}); n != 1 || !done || err != nil {
		t.Errorf("pruned %d, %v, %v", n, done, err)
	}
	if n := len(h.keys(tableHolds)) + len(h.keys(tableHoldTimes)); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

func TestHoldsAreListedReleasedAndGoWithTheirResource(t *testing.T) {
	h, _ := heldHouse(t)
	var ids []uuid.UUID
	for i := range 5 {
		on := []PrincipalID{h.room.ID, h.other.ID, h.room.ID}[i%2:]
		x, err := h.hold(Hold{Resources: on, Start: mondayAt(9 + i), End: mondayAt(10 + i), Expires: h.s.now().Add(time.Hour)})
		if err != nil || len(x.Resources) != 2 {
			t.Fatalf("%+v, %v", x, err)
		}
		ids = append(ids, x.UUID)
	}
	h.want(h.room, "Mon 14:00-17:00")
	h.update(func(tx *Tx) error { return tx.DeleteHold(h.org.ID, ids[2]) })
	h.want(h.room, "Mon 11:00-12:00", "Mon 14:00-17:00")
	var found []uuid.UUID
	err := h.s.View(t.Context(), func(v *View) error {
		return v.EachHold(h.org.ID, ids[0], func(x *Hold) bool {
			found = append(found, x.UUID)
			return len(found) < 2
		})
	})
	if err != nil || !slices.Equal(found, []uuid.UUID{ids[1], ids[3]}) {
		t.Errorf("found %v of %v: %v", found, ids, err)
	}
	h.update(func(tx *Tx) error {
		for _, k := range tx.keys(newKey(tableHoldTimes))[:2] {
			tx.del(k)
		}
		return nil
	})
	problems := 0
	if _, err := h.s.Check(t.Context(), true, func(Problem) { problems++ }); err != nil || problems != 2 {
		t.Errorf("%d problems, %v", problems, err)
	}
	h.want(h.room, "Mon 11:00-12:00", "Mon 14:00-17:00")
	h.update(func(tx *Tx) error { return tx.DeletePrincipal(h.room.ID) })
	h.want(h.other, "Mon 09:00-17:00")
	if _, err := h.s.Check(t.Context(), false, func(p Problem) { t.Errorf("%+v", p) }); err != nil {
		t.Error(err)
	}
}

func TestHoldsHaveBounds(t *testing.T) {
	h, clock := heldHouse(t)
	good := Hold{Resources: []PrincipalID{h.room.ID}, Start: mondayAt(10), End: mondayAt(11), Expires: h.s.now().Add(time.Minute)}
	for name, x := range map[string]struct {
		change func(*Hold)
		want   error
	}{
		"nothing held":   {func(x *Hold) { x.Resources = nil }, ErrInvalid},
		"no length":      {func(x *Hold) { x.End = x.Start }, ErrInvalid},
		"a whole season": {func(x *Hold) { x.End = x.Start.AddDate(0, 3, 0) }, ErrInvalid},
		"half a second":  {func(x *Hold) { x.End = x.End.Add(time.Millisecond) }, ErrInvalid},
		"buffer":         {func(x *Hold) { x.Before = 25 * time.Hour }, ErrInvalid},
		"ended":          {func(x *Hold) { x.Expires = h.s.now() }, ErrInvalid},
		"too long":       {func(x *Hold) { x.Expires = h.s.now().Add(MaxHoldTime + time.Second) }, ErrInvalid},
		"note":           {func(x *Hold) { x.Note = string(make([]byte, maxHoldNote+1)) }, ErrInvalid},
		"unknown":        {func(x *Hold) { x.Resources = []PrincipalID{999} }, ErrNotFound},
		"organisation":   {func(x *Hold) { x.Resources = []PrincipalID{h.org.ID} }, ErrNotFound},
	} {
		bad := good
		x.change(&bad)
		if _, err := h.hold(bad); !errors.Is(err, x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.update(func(tx *Tx) error {
		for i := range MaxHolds {
			x := good
			x.Org, x.Resources = h.org.ID, []PrincipalID{h.room.ID}
			x.Start = mondayAt(0).Add(time.Duration(i) * time.Second)
			if err := tx.AddHold(&x); err != nil {
				return err
			}
		}
		return nil
	})
	if _, err := h.hold(good); !errors.Is(err, ErrQuota) {
		t.Errorf("one too many: %v", err)
	}
	clock.Add(61)
	good.Expires = h.s.now().Add(time.Minute)
	if _, err := h.hold(good); err != nil {
		t.Error(err)
	}
	if n := len(h.keys(tableHolds)); n != MaxHolds+1-holdTidy {
		t.Errorf("%d holds are left", n)
	}
}
