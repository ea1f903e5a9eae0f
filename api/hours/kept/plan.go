package kept

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"daybook/api/hours"
	"daybook/ical"
	"daybook/store"
)

// maxTurns bounds how often a write begins anew because the calendar was
// changed meanwhile; each time another write has come to its end.
const maxTurns = 64

// ErrBusy tells that a calendar is being changed by so many at once that a
// write did not come to its turn.
var ErrBusy = errors.New("the calendar is being changed by many at once")

// Writer is who writes, where and when.
type Writer struct {
	Site
	Actor *store.Actor
	Now   time.Time
}

// Wish is what a calendar is to become.
type Wish struct {
	Was  *Calendar // nil: it is a new one
	Want *hours.Calendar
	Week bool // it is the organisation's week
}

// Put writes a calendar with its exceptions. wish says, of the index as it is,
// what is wanted; when the calendar is changed before that is written, it is
// asked again. judge is asked inside the write, of the index as it is there,
// whether the calendar may be written; nil: it may. The answer is the calendar
// as it is stored. The errors of wish and judge, ErrBusy, and those of the
// store.
func (k *Keeper) Put(ctx context.Context, w Writer, wish func(*Index) (Wish, error), judge func(*Index, *hours.Calendar) error) (*hours.Calendar, error) {
	for range maxTurns {
		p := &plan{keeper: k, Writer: w, judge: judge}
		err := p.prepare(ctx, wish)
		if err == nil {
			err = k.Update(ctx, w.Site, p.commit)
		}
		if err == nil {
			return &p.then, nil
		}
		if !errors.Is(err, errMoved) {
			return nil, err
		}
	}
	return nil, ErrBusy
}

// errMoved tells that a calendar is not as it was read.
var errMoved = errors.New("the calendar was changed meanwhile")

// Delete removes calendars with their exceptions in one transaction. pick says
// which, of the index as it is; it is asked twice: first without bothering the
// writer.
func (k *Keeper) Delete(ctx context.Context, w Writer, pick func(*Index) ([]*Calendar, error)) error {
	err := k.View(ctx, w.Site, func(_ *store.View, x *Index) error {
		_, err := pick(x)
		return err
	})
	if err != nil {
		return err
	}
	return k.Update(ctx, w.Site, func(tx *store.Tx, x *Index) error {
		all, err := pick(x)
		if err != nil {
			return err
		}
		for _, c := range all {
			for _, o := range append([]*object{c.object}, c.exceptions...) {
				if err := tx.DeleteObject(w.Actor, w.Calendar, o.name, store.Cond{}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// plan is a calendar on its way into the store: what is written and removed,
// and what it looks like then.
type plan struct {
	keeper *Keeper
	Writer
	Wish
	zone  *ical.Zone
	judge func(*Index, *hours.Calendar) error

	puts  []store.Put
	drops []*object
	then  hours.Calendar // as stored
}

// prepare makes all that is written, outside of the write.
func (p *plan) prepare(ctx context.Context, wish func(*Index) (Wish, error)) error {
	old := map[*object][]byte{}
	err := p.keeper.View(ctx, p.Site, func(v *store.View, x *Index) (err error) {
		if p.Wish, err = wish(x); err != nil {
			return err
		}
		if p.zone = x.zone; p.Was == nil {
			return nil
		}
		for _, o := range append([]*object{p.Was.object}, p.Was.exceptions...) {
			if old[o], err = v.Data(o.id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if p.Was == nil {
		return p.write()
	}
	return p.edit(old)
}

// write plans a calendar that was not there.
func (p *plan) write() error {
	fresh := hours.NewCalendar
	if p.Week {
		fresh = hours.NewWeek
	}
	o, err := fresh(p.Want, p.zone, p.Now)
	if err != nil {
		return err
	}
	if err := p.put(o, nil); err != nil {
		return err
	}
	p.then = hours.ReadCalendar(o, p.zone)
	p.then.ID = p.Want.ID
	for i := range p.Want.Exceptions {
		if err := p.newException(hours.ParentOf(o), i); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) newException(parent hours.Parent, i int) error {
	uid, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("write an exception: %w", err)
	}
	o, err := hours.NewException(&p.Want.Exceptions[i], uid.String(), parent, i+1, p.zone, p.Now)
	if err != nil {
		return err
	}
	return p.exception(o, nil)
}

// exception plans the writing of an exception's object, the next in order.
func (p *plan) exception(o *ical.Object, old *object) error {
	e, _ := hours.ReadException(o, p.zone)
	p.then.Exceptions = append(p.then.Exceptions, e)
	return p.put(o, old)
}

// put plans the writing of an object, in the place of an old one or, for nil,
// as a new one.
func (p *plan) put(o *ical.Object, old *object) error {
	prepared, err := p.keeper.store.Prepare(o)
	if err != nil {
		return err
	}
	w := store.Put{Actor: p.Actor, Collection: p.Calendar, Object: prepared}
	if old != nil {
		w.Name, w.Cond.Match = old.name, []store.ETag{old.tag}
	} else {
		w.Name, w.Cond.Missing = o.UID()+".ics", true
	}
	p.puts = append(p.puts, w)
	return nil
}

// edit plans the change of a calendar that is there; old are the bytes of its
// objects.
func (p *plan) edit(old map[*object][]byte) error {
	parsed, err := ical.Parse(old[p.Was.object], ical.StreamLimits)
	if err != nil {
		return fmt.Errorf("read a calendar: %w", err)
	}
	change := hours.EditCalendar
	if p.Week {
		change = hours.EditWeek
	}
	o, err := change(parsed, p.Want, p.zone, p.Now)
	if err != nil {
		return err
	}
	if err := p.put(o, p.Was.object); err != nil {
		return err
	}
	p.then = hours.ReadCalendar(o, p.zone)
	p.then.ID = p.Was.ID
	match := p.pair()
	for i, from := range match {
		if from == nil {
			err = p.newException(hours.ParentOf(o), i)
		} else {
			err = p.editException(from, hours.ParentOf(o), i, old[from])
		}
		if err != nil {
			return err
		}
	}
	for _, e := range p.Was.exceptions {
		if !slices.Contains(match, e) {
			p.drops = append(p.drops, e)
		}
	}
	return nil
}

func (p *plan) editException(from *object, parent hours.Parent, i int, data []byte) error {
	want := &p.Want.Exceptions[i]
	if from.place == i+1 && from.exception.Equal(want) {
		p.then.Exceptions = append(p.then.Exceptions, from.exception)
		return nil
	}
	parsed, err := ical.Parse(data, ical.StreamLimits)
	if err != nil {
		return fmt.Errorf("read an exception: %w", err)
	}
	o, err := hours.EditException(parsed, want, parent, i+1, p.zone, p.Now)
	if err != nil {
		return err
	}
	return p.exception(o, from)
}

// pair finds for each wanted exception the object that it goes on from: one of
// the same name and days, else of the same name, else of the same days, else
// of the same first day; nil for none.
func (p *plan) pair() []*object {
	match := make([]*object, len(p.Want.Exceptions))
	used := make(map[*object]struct{}, len(p.Was.exceptions))
	type key struct {
		name       string
		start, end hours.Date
	}
	for _, keyOf := range []func(*hours.Exception) key{
		func(e *hours.Exception) key { return key{e.Name, e.Start, e.End} },
		func(e *hours.Exception) key { return key{name: e.Name} },
		func(e *hours.Exception) key { return key{start: e.Start, end: e.End} },
		func(e *hours.Exception) key { return key{start: e.Start} },
	} {
		free := map[key][]*object{}
		for _, o := range p.Was.exceptions {
			if _, ok := used[o]; !ok {
				k := keyOf(&o.exception)
				free[k] = append(free[k], o)
			}
		}
		for i := range match {
			k := keyOf(&p.Want.Exceptions[i])
			if list := free[k]; match[i] == nil && len(list) > 0 {
				match[i], free[k] = list[0], list[1:]
				used[list[0]] = struct{}{}
			}
		}
	}
	return match
}

// commit writes all of it, if the calendar is still as it was read and may be
// written.
func (p *plan) commit(tx *store.Tx, x *Index) error {
	now := x.byID[p.Want.ID]
	if p.Week {
		now = x.week
	}
	if (now == nil) != (p.Was == nil) || now != nil && !now.same(p.Was) {
		return errMoved
	}
	if p.judge != nil {
		if err := p.judge(x, p.Want); err != nil {
			return err
		}
	}
	for _, w := range p.puts {
		if _, err := tx.PutObject(w); err != nil {
			return err
		}
	}
	for _, o := range p.drops {
		if err := tx.DeleteObject(p.Actor, p.Calendar, o.name, store.Cond{Match: []store.ETag{o.tag}}); err != nil {
			return err
		}
	}
	return nil
}
