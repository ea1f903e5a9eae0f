package kept

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/api/hours"
	"daybook/ical"
	"daybook/store"
)

type world struct {
	*testing.T
	s *store.Store
	k *Keeper
	w Writer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	now := time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "a.db"), Create: true, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	x := &world{T: t, s: s, k: New(s), w: Writer{Actor: store.System(), Now: now}}
	x.update(func(tx *store.Tx) error {
		org := &store.Principal{Kind: store.KindOrganisation, Name: "demo", Zone: "Europe/Berlin"}
		if err := tx.CreatePrincipal(org); err != nil {
			return err
		}
		c, err := tx.Calendar(org.ID)
		if err != nil {
			return err
		}
		x.w.Site = Site{org.ID, c.ID}
		return nil
	})
	return x
}

func (x *world) update(fn func(*store.Tx) error) {
	x.Helper()
	if err := x.s.Update(x.Context(), fn); err != nil {
		x.Fatal(err)
	}
}

func day(t *testing.T, s string) hours.Date {
	t.Helper()
	d, err := hours.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var desk = uuid.MustParse("0197f3c2-0000-7000-8000-0000000000d1")

// calendar is open on Mondays, with a closed week in March.
func (x *world) calendar(name string) *hours.Calendar {
	x.Helper()
	return &hours.Calendar{
		ID: uuid.New(), Name: name, Start: day(x.T, "2027-01-01"), End: day(x.T, "2027-12-31"), ServicePoints: []uuid.UUID{desk},
		Hours:      []hours.Opening{{StartDay: time.Monday, Start: 9 * 3600, EndDay: time.Monday, End: 11*3600 + 59*60}},
		Exceptions: []hours.Exception{{Name: "Stocktaking", Start: day(x.T, "2027-03-08"), End: day(x.T, "2027-03-14")}},
	}
}

// put writes a calendar over the one with its id, if there is one.
func (x *world) put(c *hours.Calendar, judge func(*Index, *hours.Calendar) error) error {
	_, err := x.k.Put(x.Context(), x.w, func(i *Index) (Wish, error) { return Wish{Was: i.Calendar(c.ID), Want: c}, nil }, judge)
	return err
}

// index gives the index that is kept, which must be as one made anew.
func (x *world) index() (out *Index) {
	x.Helper()
	see := func(k *Keeper) (got *Index) {
		if err := k.View(x.Context(), x.w.Site, func(_ *store.View, i *Index) error { got = i; return nil }); err != nil {
			x.Fatal(err)
		}
		return got
	}
	out = see(x.k)
	fresh := see(New(x.s))
	same := func(a, b *Calendar) bool {
		return a.ID == b.ID && a.Name == b.Name && a.Start == b.Start && a.End == b.End && slices.Equal(a.Hours, b.Hours) &&
			slices.EqualFunc(a.Exceptions, b.Exceptions, func(p, q hours.Exception) bool { return p.Equal(&q) })
	}
	if !slices.EqualFunc(out.Calendars(), fresh.Calendars(), same) || !slices.EqualFunc(out.Of(desk), fresh.Of(desk), same) || (out.Week() == nil) != (fresh.Week() == nil) {
		x.Errorf("the index that followed changes is not as one made anew:\n%+v\n%+v", out.Calendars(), fresh.Calendars())
	}
	return out
}

func (x *world) open(date string) bool {
	x.Helper()
	return x.index().Timeline(desk).Day(day(x.T, date)).Open
}

func TestKeeperFollowsWritesAndClients(t *testing.T) {
	x := newWorld(t)
	x.index() // from here on changes are followed
	c := x.calendar("Main")
	if err := x.put(c, nil); err != nil {
		t.Fatal(err)
	}
	if !x.open("2027-03-01") || x.open("2027-03-08") || x.open("2027-03-02") {
		t.Error("not the days of the calendar")
	}
	c.Name, c.Exceptions = "Hall", nil
	if err := x.put(c, nil); err != nil {
		t.Fatal(err)
	}
	if got := x.index().Calendar(c.ID); got.Name != "Hall" || len(got.Exceptions) != 0 || !x.open("2027-03-08") {
		t.Errorf("%+v", got)
	}

	// A calendar client renames it.
	x.update(func(tx *store.Tx) error {
		var name string
		var data []byte
		err := tx.EachMember(x.w.Calendar, "", func(m store.Member) bool {
			name = m.Name
			data, _ = tx.Data(m.Object)
			return true
		})
		if err != nil {
			return err
		}
		o, err := ical.ParseResource([]byte(strings.Replace(string(data), "SUMMARY:Hall", "SUMMARY:By a client", 1)), ical.Limits{})
		if err != nil {
			return err
		}
		p, err := x.s.Prepare(o)
		if err != nil {
			return err
		}
		_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: x.w.Calendar, Name: name, Object: p})
		return err
	})
	if got := x.index().Calendar(c.ID); got == nil || got.Name != "By a client" {
		t.Errorf("%+v", got)
	}

	err := x.k.Delete(t.Context(), x.w, func(i *Index) ([]*Calendar, error) { return i.Calendars(), nil })
	if err != nil || len(x.index().Calendars()) != 0 || x.open("2027-03-01") {
		t.Errorf("%v, %+v", err, x.index().Calendars())
	}
}

// What a judge refuses is not written, in none of its objects.
func TestRefusedCalendarLeavesNothing(t *testing.T) {
	x := newWorld(t)
	first, second := x.calendar("First"), x.calendar("Second")
	if err := x.put(first, nil); err != nil {
		t.Fatal(err)
	}
	taken := errors.New("taken")
	err := x.put(second, func(i *Index, c *hours.Calendar) error {
		found := i.Overlapping(c)
		if len(found) != 1 || found[0].ID != first.ID || !slices.Equal(found[0].Shared, []uuid.UUID{desk}) {
			t.Errorf("%+v", found)
		}
		return taken
	})
	if got := x.index(); !errors.Is(err, taken) || len(got.Calendars()) != 1 || len(got.objects) != 2 {
		t.Errorf("%v: %d calendars of %d objects", err, len(got.Calendars()), len(got.objects))
	}
	if len(x.index().Overlapping(first)) != 0 {
		t.Error("a calendar collides with itself")
	}
}

// A write that lost a race begins anew: it never writes over what it has not
// seen.
func TestWriteBeginsAnewWhereItWasOvertaken(t *testing.T) {
	x := newWorld(t)
	c := x.calendar("Main")
	if err := x.put(c, nil); err != nil {
		t.Fatal(err)
	}
	asked := 0
	_, err := x.k.Put(t.Context(), x.w, func(i *Index) (Wish, error) {
		was := i.Calendar(c.ID)
		if asked++; asked == 1 {
			other := *c
			other.Name = "Overtaken"
			if err := x.put(&other, nil); err != nil {
				return Wish{}, err
			}
		}
		want := was.Calendar
		want.End = day(t, "2027-06-30")
		return Wish{Was: was, Want: &want}, nil
	}, nil)
	got := x.index().Calendar(c.ID)
	if err != nil || asked != 2 || got.Name != "Overtaken" || got.End != day(t, "2027-06-30") {
		t.Errorf("%v after %d turns: %+v", err, asked, got)
	}
}

// The week of the organisation is our own, else one that a client wrote for
// everybody and for ever.
func TestWeekIsOurOwnElseAClients(t *testing.T) {
	x := newWorld(t)
	week := func() string {
		var name string
		err := x.s.View(t.Context(), func(v *store.View) error {
			org, err := v.Principal(x.w.Org)
			if err != nil {
				return err
			}
			m, err := FindWeek(v, org.UUID, x.w.Calendar)
			if errors.Is(err, store.ErrNotFound) {
				return nil
			}
			name = m.Name
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	put := func(name, uid, more string) {
		text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\nBEGIN:VAVAILABILITY\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\n" + more +
			"BEGIN:AVAILABLE\nUID:" + uid + "-1\nDTSTAMP:20270101T000000Z\nDTSTART:20270104T090000\nDTEND:20270104T120000\nRRULE:FREQ=WEEKLY\nEND:AVAILABLE\nEND:VAVAILABILITY\nEND:VCALENDAR\n"
		o, err := ical.ParseResource([]byte(strings.ReplaceAll(text, "\n", "\r\n")), ical.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := x.s.Prepare(o)
		if err != nil {
			t.Fatal(err)
		}
		x.update(func(tx *store.Tx) error {
			_, err := tx.PutObject(store.Put{Actor: store.System(), Collection: x.w.Calendar, Name: name, Object: p})
			return err
		})
	}
	put("dated.ics", "dated", "DTSTART:20270101T000000Z\n")
	put("point.ics", "point", "X-DAYBOOK-SERVICE-POINT:"+desk.String()+"\n")
	if got := week(); got != "" || x.index().Week() != nil {
		t.Errorf("%s is the week", got)
	}
	put("client.ics", "client", "")
	if got := week(); got != "client.ics" || x.index().Week() == nil {
		t.Errorf("%q is the week", got)
	}
	var org uuid.UUID
	x.update(func(tx *store.Tx) error {
		p, err := tx.Principal(x.w.Org)
		org = p.UUID
		return err
	})
	put("own.ics", WeekUID(org), "")
	if got := week(); got != "own.ics" {
		t.Errorf("%q is the week", got)
	}
}
