package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"daybook/ical/span"
)

// Collisions tell of exactly what Taken tells of.
func TestCollisionsAreWhatTakesTime(t *testing.T) {
	h := newHouse(t)
	monday := houseWeek.Start
	h.put(h.room, "one", event("one", "20270322T100000", "20270322T110000", "X-DAYBOOK-BUFFER-AFTER:PT30M\n"))
	h.put(h.room, "weekly", event("weekly", "20270323T100000", "20270323T110000", "RRULE:FREQ=WEEKLY\n"))
	h.put(h.room, "free", event("free", "20270322T140000", "20270322T150000", "TRANSP:TRANSPARENT\n"))
	h.put(h.other, "else", event("else", "20270322T080000", "20270322T190000", ""))
	h.put(h.org, "closed", event("closed", "20270324T080000", "20270324T190000", ""))
	h.put(h.room, "forever", event("forever", "20270501T000000", "20370501T000000", "CATEGORIES:BLOCK\nX-DAYBOOK-OPEN-ENDED:TRUE\n"))
	at := func(hours float64) time.Time { return monday.Add(time.Duration(hours * float64(time.Hour))) }
	collide := func(spans ...span.Span) []string {
		t.Helper()
		var out []string
		err := h.s.View(t.Context(), func(v *View) error {
			all, err := v.Collisions(h.room.ID, wants(spans), 0, 10)
			for _, c := range all {
				o, err := v.ObjectFacts(c.Row.Object)
				if err != nil {
					return err
				}
				out = append(out, o.UID)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, x := range []struct {
		spans []span.Span
		want  []string
	}{
		{nil, nil},
		{[]span.Span{{Start: at(9), End: at(10)}}, nil},
		{[]span.Span{{Start: at(9), End: at(10.5)}}, []string{"one"}},
		{[]span.Span{{Start: at(11.25), End: at(12)}}, []string{"one"}},
		{[]span.Span{{Start: at(11.5), End: at(20)}}, nil},
		{[]span.Span{{Start: at(0), End: at(1)}, {Start: at(10), End: at(72)}}, []string{"one", "weekly", "closed"}},
		{[]span.Span{{Start: at(90 * 24), End: at(90*24 + 1)}}, []string{"forever"}},
		{[]span.Span{{Start: at(45 * 24)}}, []string{"forever", "weekly", "weekly", "weekly", "weekly", "weekly", "weekly", "weekly", "weekly", "weekly"}},
	} {
		got := collide(x.spans...)
		slices.Sort(got)
		slices.Sort(x.want)
		if !slices.Equal(got, x.want) {
			t.Errorf("%v: %q, want %q", x.spans, got, x.want)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		var spans []span.Span
		start := 0
		for range rapid.IntRange(1, 4).Draw(rt, "spans") {
			start += rapid.IntRange(0, 60).Draw(rt, "start")
			s := span.Span{Start: at(float64(start) / 2), End: at(float64(start+rapid.IntRange(1, 60).Draw(rt, "length")) / 2)}
			spans = append(spans, s)
		}
		err := h.s.View(t.Context(), func(v *View) error {
			got, err := v.Collisions(h.room.ID, wants(spans), 0, 1000)
			if err != nil {
				return err
			}
			want := false
			for _, s := range spans {
				taken, err := v.Taken(h.room.ID, s)
				if err != nil {
					return err
				}
				want = want || taken
			}
			if (len(got) > 0) != want {
				return fmt.Errorf("%v collide with %v, taken is %v", spans, got, want)
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}

func wants(spans []span.Span) (out []Want) {
	for _, s := range spans {
		out = append(out, Want{Span: s})
	}
	return out
}

// What two keep free beside themselves may overlap; neither may be in the
// other's own time.
func TestCollisionsOfBuffers(t *testing.T) {
	h := newHouse(t)
	h.put(h.room, "one", event("one", "20270322T100000", "20270322T110000", "X-DAYBOOK-BUFFER-BEFORE:PT20M\nX-DAYBOOK-BUFFER-AFTER:PT20M\n"))
	h.put(h.org, "shut", event("shut", "20270322T150000", "20270322T160000", "X-DAYBOOK-BUFFER-AFTER:PT20M\n"))
	at := func(minutes int) time.Time { return houseWeek.Start.Add(time.Duration(minutes) * time.Minute) }
	for _, x := range []struct {
		start, end    int // minutes of the day
		before, after time.Duration
		want          int
	}{
		{11*60 + 20, 12 * 60, 10 * time.Minute, 0, 0},
		{11*60 + 20, 12 * 60, 20 * time.Minute, 0, 0},
		{11*60 + 20, 12 * 60, 21 * time.Minute, 0, 1},
		{11*60 + 19, 12 * 60, 0, 0, 1},
		{9 * 60, 9*60 + 40, 0, 20 * time.Minute, 0},
		{9 * 60, 9*60 + 40, 0, 21 * time.Minute, 1},
		{9 * 60, 9*60 + 41, 0, 0, 1},
		{16 * 60, 17 * 60, 0, 0, 0},
		{16 * 60, 17 * 60, time.Minute, 0, 1},
	} {
		w := Want{Span: span.Span{Start: at(x.start), End: at(x.end)}, Before: x.before, After: x.after}
		first := Want{Span: span.Span{Start: at(0), End: at(1)}}
		err := h.s.View(t.Context(), func(v *View) error {
			got, err := v.Collisions(h.room.ID, []Want{first, w}, 0, 10)
			if len(got) != x.want {
				t.Errorf("%v: %d collide, want %d", w, len(got), x.want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestCollisionsLeaveAnObjectOut(t *testing.T) {
	h := newHouse(t)
	user := h.add(&Principal{Kind: KindUser, Name: "grace"})
	h.put(h.room, "one", event("one", "20270322T100000", "20270322T110000", ""))
	err := h.s.View(t.Context(), func(v *View) error {
		c, err := v.Calendar(h.room.ID)
		if err != nil {
			return err
		}
		m, err := v.MemberByUID(c.ID, "one")
		if err != nil {
			return err
		}
		if got, err := v.Collisions(h.room.ID, []Want{{Span: houseWeek}}, m.Object, 10); err != nil || len(got) > 0 {
			t.Error(got, err)
		}
		if got, err := v.Collisions(h.room.ID, []Want{{Span: houseWeek}}, 0, 10); err != nil || len(got) != 1 || got[0].Owner != h.room.ID {
			t.Error(got, err)
		}
		if _, err := v.Collisions(user.ID, []Want{{Span: houseWeek}}, 0, 10); !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
		if _, err := v.Collisions(h.room.ID, []Want{{Span: span.Span{Start: houseWeek.End, End: houseWeek.Start}}}, 0, 10); !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
		if _, err := v.Collisions(9999, nil, 0, 10); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
