package folio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"daybook/api/hours"
	"daybook/api/hours/kept"
	"daybook/api/rest"
)

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
	user, now := callerOf(ctx).user, s.stamp()
	want.ID, want.Created, want.Updated, want.CreatedBy, want.UpdatedBy = id, now, now, user, user
	found, err := check(want, in.Body.Name.Or(""))
	if err != nil {
		return Calendar{}, err
	}
	return s.write(ctx, func(x *kept.Index) (kept.Wish, error) {
		return kept.Wish{Want: want}, judgeAll(x, want, found)
	})
}

func (s *service) stamp() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// judgeAll judges a calendar in which something was found already; of another
// only the write looks whether it overlaps.
func judgeAll(x *kept.Index, want *hours.Calendar, found []Error) error {
	if len(found) == 0 {
		return nil
	}
	also, err := overlaps(x, want)
	if err != nil {
		return err
	}
	return judge(found, also)
}

// write stores what is wished, if it overlaps with no other.
func (s *service) write(ctx context.Context, wish func(*kept.Index) (kept.Wish, error)) (Calendar, error) {
	then, err := s.hours.Put(ctx, callerOf(ctx).writer(s.stamp()), wish, func(x *kept.Index, want *hours.Calendar) error {
		also, err := overlaps(x, want)
		if err != nil {
			return err
		}
		return judge(nil, also)
	})
	if errors.Is(err, kept.ErrBusy) {
		return Calendar{}, rest.Errorf(http.StatusServiceUnavailable, "the calendar is being changed by many at once, try again")
	}
	if err != nil {
		return Calendar{}, err
	}
	return calendarOut(then), nil
}

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
	found, err := check(want, in.Body.Name.Or(""))
	if err != nil {
		return Calendar{}, err
	}
	user := callerOf(ctx).user
	return s.write(ctx, func(x *kept.Index) (kept.Wish, error) {
		was := x.Calendar(want.ID)
		if was == nil {
			return kept.Wish{}, notFound([]uuid.UUID{want.ID}, []uuid.UUID{want.ID})
		}
		next := *want
		next.Created, next.CreatedBy, next.Updated, next.UpdatedBy = was.Created, was.CreatedBy, s.stamp(), user
		return kept.Wish{Was: was, Want: &next}, judgeAll(x, want, found)
	})
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

// delete deletes calendars with their exceptions, all or, when one is not
// there, none.
func (s *service) delete(ctx context.Context, ids []uuid.UUID) error {
	return s.hours.Delete(ctx, callerOf(ctx).writer(s.stamp()), func(x *kept.Index) (all []*kept.Calendar, err error) {
		var unknown []uuid.UUID
		for _, id := range ids {
			if c := x.Calendar(id); c != nil {
				all = append(all, c)
			} else {
				unknown = append(unknown, id)
			}
		}
		if unknown != nil {
			err = notFound(unknown, ids)
		}
		return all, err
	})
}
