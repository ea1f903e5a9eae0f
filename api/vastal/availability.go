package vastal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/hours/kept"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

type schedulesOut struct {
	Schedules []Slot `json:"schedules"`
}

type scheduleOut struct {
	Schedule Slot `json:"schedule"`
}

type successOut struct {
	Success bool `json:"success"`
}

func answers(org uuid.UUID, slots []slot) schedulesOut {
	out := schedulesOut{make([]Slot, len(slots))}
	for i, s := range slots {
		out.Schedules[i] = s.answer(org)
	}
	return out
}

// week is the stored week of an organisation.
type week struct {
	org      organisation
	name     string       // of the member in the organisation's calendar
	object   *ical.Object // nil: none is stored
	parts    []part
	inactive []slot
	broken   error // why the stored object cannot be read; it is then not written over
}

// slots gives all slots, sorted.
func (w *week) slots() []slot {
	out := slices.Clone(w.inactive)
	for _, p := range w.parts {
		out = append(out, p.slots...)
	}
	slices.SortFunc(out, compareSlots)
	return out
}

// readWeek reads the stored week. An object that cannot be read has no slots.
func readWeek(v *store.View, org organisation) (*week, error) {
	w := &week{org: org}
	m, err := kept.FindWeek(v, org.UUID, org.calendar.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		obj, err := v.Object(m.Object)
		if err != nil {
			return nil, fmt.Errorf("read a week: %w", err)
		}
		w.name = m.Name
		if w.object, w.broken = ical.Parse(obj.Data, ical.Limits{}); w.broken == nil {
			w.parts = readParts(w.object, org.UUID, org.zone, obj.Created.UTC().Truncate(time.Second))
		}
	}
	w.inactive, err = readInactive(v, org)
	return w, err
}

// save writes the week so that it has exactly these slots, in the transaction;
// what is so already is not written.
func (w *week) save(tx *store.Tx, s *store.Store, a *store.Actor, want []slot, now time.Time) error {
	if w.broken != nil {
		return &rest.Problem{Status: http.StatusInternalServerError, Detail: "the stored week cannot be read", Err: w.broken}
	}
	var active, inactive []slot
	for _, x := range want {
		if x.active {
			active = append(active, x)
		} else {
			inactive = append(inactive, x)
		}
	}
	if err := w.saveActive(tx, s, a, active, now); err != nil {
		return err
	}
	slices.SortFunc(inactive, compareSlots)
	if slices.Equal(inactive, w.inactive) {
		return nil
	}
	return writeInactive(tx, w.org, inactive)
}

func (w *week) saveActive(tx *store.Tx, s *store.Store, a *store.Actor, want []slot, now time.Time) (err error) {
	x := writer{w.org.zone, now}
	o, changed := w.object, true
	switch {
	case o != nil:
		o, changed, err = x.rewriteWeek(o, w.parts, want)
	case len(want) > 0:
		o, err = x.newWeek(kept.WeekUID(w.org.UUID), want)
	default:
		changed = false
	}
	if err != nil || !changed {
		return err
	}
	if w.name == "" {
		if w.name, err = tx.FreeName(w.org.calendar.ID, o.UID()); err != nil {
			return err
		}
	}
	p, err := s.Prepare(o)
	if err != nil {
		return err
	}
	_, err = tx.PutObject(store.Put{Actor: a, Collection: w.org.calendar.ID, Name: w.name, Object: p})
	return err
}

// listSlots answers all slots in order of day, start, end and id.
func (s *service) listSlots(ctx context.Context, _ none) (out schedulesOut, err error) {
	err = s.store.View(ctx, func(v *store.View) error {
		org, err := organisationOf(v, auth.Actor(ctx), store.RightRead)
		if err != nil {
			return err
		}
		w, err := readWeek(v, org)
		if err != nil {
			return err
		}
		out = answers(org.UUID, w.slots())
		return nil
	})
	return out, err
}

// change makes of the stored slots those that fn gives, in one transaction: all
// or nothing. fn can be called again. Hours change seldom, so they are read and
// written by the transaction itself, which then needs no second attempt.
func (s *service) change(ctx context.Context, a *store.Actor, fn func(have []slot) (want []slot, err error)) (org uuid.UUID, err error) {
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		at, err := organisationOf(&tx.View, a, store.RightWrite)
		if err != nil {
			return err
		}
		w, err := readWeek(&tx.View, at)
		if err != nil {
			return err
		}
		want, err := fn(w.slots())
		if err != nil {
			return err
		}
		org = at.UUID
		return w.save(tx, s.store, a, want, s.now())
	})
	return org, err
}

// fresh gives a slot its own id and time.
func (s *service) fresh(x *slot) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("new slot: %w", err)
	}
	x.id, x.created = id, s.now().UTC().Truncate(time.Second)
	return nil
}

type replaceIn struct {
	Body struct {
		Schedules rest.Opt[[]slotBody] `json:"schedules"`
	} `body:"json"`
}

// Validate checks every slot.
func (in *replaceIn) Validate(f *rest.Faults) {
	list, ok := in.Body.Schedules.Get()
	switch {
	case f.Has("schedules") && len(list) == 0:
	case !ok:
		f.Add("schedules", "is required and must be an array")
	case len(list) > maxSlots:
		f.Add("schedules", fmt.Sprintf("must have at most %d slots", maxSlots))
	default:
		for i := range list {
			list[i].whole(f, fmt.Sprintf("schedules.%d", i))
		}
	}
}

// wanted gives the slots that were sent, exact duplicates once.
func (in *replaceIn) wanted() []slot {
	list, _ := in.Body.Schedules.Get()
	out := make([]slot, 0, len(list))
	seen := make(map[says]bool, len(list))
	for _, b := range list {
		x := b.over(slot{active: true})
		if !seen[x.says()] {
			seen[x.says()] = true
			out = append(out, x)
		}
	}
	return out
}

// replaceSlots makes the week what was sent, and answers it in that order. A
// slot equal in day, start, end and type keeps its id and its time of creation.
func (s *service) replaceSlots(ctx context.Context, in replaceIn) (schedulesOut, error) {
	sent := in.wanted()
	var want []slot
	org, err := s.change(ctx, auth.Actor(ctx), func(have []slot) ([]slot, error) {
		want = slices.Clone(sent)
		have = adopt(want, have, slot.says)
		adopt(want, have, slot.key)
		for i := range want {
			if want[i].id == uuid.Nil {
				if err := s.fresh(&want[i]); err != nil {
					return nil, err
				}
			}
		}
		return want, nil
	})
	if err != nil {
		return schedulesOut{}, err
	}
	return answers(org, want), nil
}

// adopt gives wanted slots that have no id yet those of stored ones that are
// equal by a key, each to one. It gives the stored ones that are left.
func adopt(want, have []slot, by func(slot) says) (left []slot) {
	stored := make(map[says][]slot, len(have))
	for _, x := range have {
		stored[by(x)] = append(stored[by(x)], x)
	}
	for i, x := range want {
		same := stored[by(x)]
		if x.id != uuid.Nil || len(same) == 0 {
			continue
		}
		want[i].id, want[i].created = same[0].id, same[0].created
		stored[by(x)] = same[1:]
	}
	for _, x := range have {
		if slices.ContainsFunc(stored[by(x)], func(y slot) bool { return y.id == x.id }) {
			left = append(left, x)
		}
	}
	return left
}

type addIn struct {
	Body slotBody `body:"json"`
}

// Validate checks the slot.
func (in *addIn) Validate(f *rest.Faults) { in.Body.whole(f, "") }

// addSlot adds one slot; an exact duplicate is the one that is there.
func (s *service) addSlot(ctx context.Context, in addIn) (scheduleOut, error) {
	var made slot
	org, err := s.change(ctx, auth.Actor(ctx), func(have []slot) ([]slot, error) {
		made = in.Body.over(slot{active: true})
		if i := slices.IndexFunc(have, func(x slot) bool { return x.says() == made.says() }); i >= 0 {
			made = have[i]
			return have, nil
		}
		if len(have) >= maxSlots {
			return nil, rest.Invalid("", fmt.Sprintf("there are %d slots, which is the most", maxSlots))
		}
		if err := s.fresh(&made); err != nil {
			return nil, err
		}
		return append(have, made), nil
	})
	if err != nil {
		return scheduleOut{}, err
	}
	return scheduleOut{made.answer(org)}, nil
}

type patchIn struct {
	ID   string   `path:"id"`
	Body slotBody `body:"json"`
}

// Validate checks what is to be changed.
func (in *patchIn) Validate(f *rest.Faults) {
	for _, x := range []struct {
		name string
		null bool
	}{
		{"day_of_week", in.Body.Day.IsNull()},
		{"start_time", in.Body.Start.IsNull()},
		{"end_time", in.Body.End.IsNull()},
		{"is_active", in.Body.Active.IsNull()},
	} {
		if x.null {
			f.Add(x.name, "must not be null")
		}
	}
	in.Body.values(f, "")
}

// patchSlot changes what was sent of one slot; its id stays.
func (s *service) patchSlot(ctx context.Context, in patchIn) (scheduleOut, error) {
	id, err := parseID(slotPrefix, in.ID)
	if err != nil {
		return scheduleOut{}, err
	}
	var made slot
	org, err := s.change(ctx, auth.Actor(ctx), func(have []slot) ([]slot, error) {
		i := indexOf(have, id)
		if i < 0 {
			return nil, store.ErrNotFound
		}
		made = in.Body.over(have[i])
		if made.start >= made.end {
			return nil, rest.Invalid("end_time", endAfterStart)
		}
		have[i] = made
		return have, nil
	})
	if err != nil {
		return scheduleOut{}, err
	}
	return scheduleOut{made.answer(org)}, nil
}

func indexOf(slots []slot, id uuid.UUID) int {
	return slices.IndexFunc(slots, func(s slot) bool { return s.id == id })
}

type slotIn struct {
	ID string `path:"id"`
}

// deleteSlot removes one slot.
func (s *service) deleteSlot(ctx context.Context, in slotIn) (successOut, error) {
	actor, err := s.mayDelete(ctx)
	if err != nil {
		return successOut{}, err
	}
	id, err := parseID(slotPrefix, in.ID)
	if err != nil {
		return successOut{}, err
	}
	_, err = s.change(ctx, actor, func(have []slot) ([]slot, error) {
		i := indexOf(have, id)
		if i < 0 {
			return nil, store.ErrNotFound
		}
		return slices.Delete(have, i, i+1), nil
	})
	return successOut{err == nil}, err
}

// mayDelete gives the actor for the removal of a slot. The key needs the scope
// delete; to the store the removal is a change of the week, so the actor gets
// the right to write for this one request.
func (s *service) mayDelete(ctx context.Context) (*store.Actor, error) {
	actor := *auth.Actor(ctx)
	err := s.store.View(ctx, func(v *store.View) error {
		_, err := organisationOf(v, &actor, store.RightDelete)
		return err
	})
	if err != nil {
		return nil, err
	}
	actor.Grants = append(slices.Clone(actor.Grants), store.Grant{Target: actor.Org, Rights: store.RightWrite})
	return &actor, nil
}
