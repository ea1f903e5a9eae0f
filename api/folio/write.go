package folio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"daybook/api/hours"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

// maxTurns bounds how often a PUT begins anew because the calendar was changed
// meanwhile; each time another write has come to its end.
const maxTurns = 64

type createIn struct {
	Body calendarBody `body:"json"`
}

// Validate checks that the body is a calendar.
func (in *createIn) Validate(f *rest.Faults) { in.Body.validate(f) }

// create stores a new calendar.
func (s *service) create(ctx context.Context, in createIn) (Calendar, error) {
	want := in.Body.calendar()
	id, err := uuid.NewV7()
	if err != nil {
		return Calendar{}, fmt.Errorf("create a calendar: %w", err)
	}
	who, now := callerOf(ctx), s.stamp()
	want.ID, want.Created, want.Updated, want.CreatedBy, want.UpdatedBy = id, now, now, who.user, who.user
	found, err := check(want)
	if err != nil {
		return Calendar{}, err
	}
	p := &plan{service: s, who: who, want: want, now: now}
	err = s.view(ctx, func(_ *store.View, x *index) error {
		p.zone = x.zone
		if len(found) == 0 {
			return nil // the write looks for overlaps
		}
		also, err := overlaps(x, want)
		if err != nil {
			return err
		}
		return judge(found, also)
	})
	if err == nil {
		err = p.write()
	}
	if err == nil {
		err = s.update(ctx, p.commit)
	}
	if err != nil {
		return Calendar{}, err
	}
	return p.answer(), nil
}

func (s *service) stamp() time.Time { return s.now().UTC().Truncate(time.Second) }

type updateIn struct {
	ID   rest.Opt[ident] `path:"calendarId"`
	Body calendarBody    `body:"json"`
}

// Validate checks the id, and that the body is a calendar.
func (in *updateIn) Validate(f *rest.Faults) {
	need(f, "calendarId", in.ID)
	in.Body.validate(f)
}

// put replaces a calendar. Its objects are edited, so that what calendar
// clients have put there stays.
func (s *service) put(ctx context.Context, in updateIn) (Calendar, error) {
	want := in.Body.calendar()
	want.ID = idOf(in.ID)
	found, err := check(want)
	if err != nil {
		return Calendar{}, err
	}
	for range maxTurns {
		p, err := s.replace(ctx, want, found)
		if err == nil {
			return p.answer(), nil
		}
		if !errors.Is(err, store.ErrPrecondition) {
			return Calendar{}, err
		}
	}
	return Calendar{}, rest.Errorf(http.StatusServiceUnavailable, "the calendar is being changed by many at once, try again")
}

// replace reads, edits and writes a calendar once; store.ErrPrecondition when
// it was changed meanwhile.
func (s *service) replace(ctx context.Context, want *hours.Calendar, found []Error) (*plan, error) {
	p := &plan{service: s, who: callerOf(ctx), now: s.stamp()}
	old := map[*object][]byte{}
	err := s.view(ctx, func(v *store.View, x *index) error {
		was := x.byID[want.ID]
		if was == nil {
			return notFound([]uuid.UUID{want.ID}, []uuid.UUID{want.ID})
		}
		if len(found) > 0 {
			also, err := overlaps(x, want)
			if err != nil {
				return err
			}
			return judge(found, also)
		}
		p.zone, p.was = x.zone, was
		for _, o := range append([]*object{was.object}, was.exceptions...) {
			data, err := v.Data(o.id)
			if err != nil {
				return err
			}
			old[o] = data
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	next := *want
	next.Created, next.CreatedBy, next.Updated, next.UpdatedBy = p.was.Created, p.was.CreatedBy, p.now, p.who.user
	p.want = &next
	if err := p.edit(old); err != nil {
		return nil, err
	}
	return p, s.update(ctx, p.commit)
}

type removeManyIn struct {
	IDs rest.Opt[[]ident] `query:"id"`
}

// Validate checks that there is an id.
func (in *removeManyIn) Validate(f *rest.Faults) { need(f, "id", in.IDs) }

// removeMany deletes all the calendars, or none when one of them is unknown.
func (s *service) removeMany(ctx context.Context, in removeManyIn) (rest.NoContent, error) {
	var ids []uuid.UUID
	for _, id := range distinct(in.IDs.Or(nil)) {
		ids = append(ids, id.UUID)
	}
	return rest.NoContent{}, s.delete(ctx, ids)
}

// remove deletes one calendar.
func (s *service) remove(ctx context.Context, in oneIn) (rest.NoContent, error) {
	return rest.NoContent{}, s.delete(ctx, []uuid.UUID{idOf(in.ID)})
}

// delete deletes calendars with their exceptions in one transaction. It looks
// first, so that what is not there does not bother the writer.
func (s *service) delete(ctx context.Context, ids []uuid.UUID) error {
	who := callerOf(ctx)
	if err := s.view(ctx, func(_ *store.View, x *index) error { return x.missing(ids) }); err != nil {
		return err
	}
	return s.update(ctx, func(tx *store.Tx, x *index) error {
		if err := x.missing(ids); err != nil {
			return err
		}
		for _, id := range ids {
			c := x.byID[id]
			for _, o := range append([]*object{c.object}, c.exceptions...) {
				if err := tx.DeleteObject(who.actor, who.calendar, o.name, store.Cond{}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// missing gives the error that names those of the ids that are not there.
func (x *index) missing(ids []uuid.UUID) error {
	var unknown []uuid.UUID
	for _, id := range ids {
		if x.byID[id] == nil {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return notFound(unknown, ids)
}

// plan is a calendar on its way into the store: what is written and removed,
// and what it looks like then.
type plan struct {
	*service
	who  *caller
	zone *ical.Zone
	now  time.Time
	want *hours.Calendar
	was  *calendar // nil for a new one

	puts  []store.Put
	drops []*object
	then  hours.Calendar // as stored
}

// write plans a calendar that was not there.
func (p *plan) write() error {
	o, err := hours.NewCalendar(p.want, p.zone, p.now)
	if err != nil {
		return err
	}
	if err := p.put(o, nil); err != nil {
		return err
	}
	p.then = hours.ReadCalendar(o, p.zone)
	p.then.ID = p.want.ID
	for i := range p.want.Exceptions {
		if err := p.newException(o.UID(), i); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) newException(parent string, i int) error {
	uid, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("write an exception: %w", err)
	}
	o, err := hours.NewException(&p.want.Exceptions[i], uid.String(), parent, i+1, p.zone, p.now)
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
	prepared, err := p.store.Prepare(o)
	if err != nil {
		return err
	}
	w := store.Put{Actor: p.who.actor, Collection: p.who.calendar, Object: prepared}
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
	parsed, err := ical.Parse(old[p.was.object], ical.StreamLimits)
	if err != nil {
		return fmt.Errorf("read a calendar: %w", err)
	}
	o, err := hours.EditCalendar(parsed, p.want, p.zone, p.now)
	if err != nil {
		return err
	}
	if err := p.put(o, p.was.object); err != nil {
		return err
	}
	p.then = hours.ReadCalendar(o, p.zone)
	p.then.ID = p.want.ID
	match := p.pair()
	for i, from := range match {
		if from == nil {
			err = p.newException(o.UID(), i)
		} else {
			err = p.editException(from, i, old[from])
		}
		if err != nil {
			return err
		}
	}
	for _, e := range p.was.exceptions {
		if !slices.Contains(match, e) {
			p.drops = append(p.drops, e)
		}
	}
	return nil
}

func (p *plan) editException(from *object, i int, data []byte) error {
	want := &p.want.Exceptions[i]
	if from.place == i+1 && from.exception.Equal(want) {
		p.then.Exceptions = append(p.then.Exceptions, from.exception)
		return nil
	}
	parsed, err := ical.Parse(data, ical.StreamLimits)
	if err != nil {
		return fmt.Errorf("read an exception: %w", err)
	}
	o, err := hours.EditException(parsed, want, i+1, p.zone, p.now)
	if err != nil {
		return err
	}
	return p.exception(o, from)
}

// pair finds for each wanted exception the object that it goes on from: one of
// the same name and days, else of the same name, else of the same days, else
// of the same first day; nil for none.
func (p *plan) pair() []*object {
	match := make([]*object, len(p.want.Exceptions))
	used := make(map[*object]struct{}, len(p.was.exceptions))
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
		for _, o := range p.was.exceptions {
			if _, ok := used[o]; !ok {
				k := keyOf(&o.exception)
				free[k] = append(free[k], o)
			}
		}
		for i := range match {
			k := keyOf(&p.want.Exceptions[i])
			if list := free[k]; match[i] == nil && len(list) > 0 {
				match[i], free[k] = list[0], list[1:]
				used[list[0]] = struct{}{}
			}
		}
	}
	return match
}

// commit writes all of it, if the calendar is still as it was read and no
// other has its days.
func (p *plan) commit(tx *store.Tx, x *index) error {
	if p.was != nil {
		now := x.byID[p.want.ID]
		if now == nil {
			return notFound([]uuid.UUID{p.want.ID}, []uuid.UUID{p.want.ID})
		}
		if !now.same(p.was) {
			return store.ErrPrecondition
		}
	}
	also, err := overlaps(x, p.want)
	if err != nil {
		return err
	}
	if err := judge(nil, also); err != nil {
		return err
	}
	for _, w := range p.puts {
		if _, err := tx.PutObject(w); err != nil {
			return err
		}
	}
	for _, o := range p.drops {
		if err := tx.DeleteObject(p.who.actor, p.who.calendar, o.name, store.Cond{Match: []store.ETag{o.tag}}); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) answer() Calendar { return calendarOut(&p.then) }
