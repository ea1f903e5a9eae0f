package hours

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// The second implementation: a day is 1,440 minutes or a list of slices made
// with the plainest rules that §5 of the contract allows, and every search goes
// day by day.

// naiveDay makes a day as §5 "How a day is made" tells it.
func naiveDay(all []*Calendar, d Date) Day {
	for _, c := range all {
		if d < c.Start || d > c.End {
			continue
		}
		for _, e := range c.Exceptions {
			if e.Start <= d && d <= e.End {
				var list []Interval
				for _, s := range e.Openings {
					if s.Start.Date <= d && d <= s.End.Date {
						i := Interval{0, LastMinute}
						if d == s.Start.Date {
							i.Start = s.Start.Clock
						}
						if d == s.End.Date {
							i.End = s.End.Clock
						}
						list = append(list, i)
					}
				}
				out := naiveOf(d, list)
				out.Exceptional, out.Exception = true, e.Name
				return out
			}
		}
		var list []Interval
		for _, o := range c.Hours {
			list = append(list, naiveSlices(o, d.Weekday())...)
		}
		return naiveOf(d, list)
	}
	return naiveOf(d, nil)
}

// naiveSlices walks the minutes of an opening from its start to its end and
// keeps those of the weekday.
func naiveSlices(o Opening, w time.Weekday) []Interval {
	const week = 7 * minuteOfDay
	minute := int(o.StartDay)*minuteOfDay + int(o.Start/60)
	last := int(o.EndDay)*minuteOfDay + int(o.End/60)
	var out []Interval
	for {
		if day, at := minute/minuteOfDay, Clock(minute%minuteOfDay*60); time.Weekday(day) == w {
			if n := len(out); n > 0 && out[n-1].End+60 == at {
				out[n-1].End = at
			} else {
				out = append(out, Interval{at, at})
			}
		}
		if minute == last {
			return out
		}
		minute = (minute + 1) % week
	}
}

func naiveOf(d Date, list []Interval) Day {
	slices.SortFunc(list, func(a, b Interval) int {
		if a.Start != b.Start {
			return int(a.Start - b.Start)
		}
		return int(a.End - b.End)
	})
	var open [minuteOfDay]bool
	for _, i := range list {
		for m := i.Start / 60; m <= i.End/60; m++ {
			open[m] = true
		}
	}
	full := !slices.Contains(open[:], false)
	return Day{Date: d, Open: len(list) > 0, AllDay: full || len(list) == 0, Openings: list}
}

// pointCalendars draws calendars of one service point that share no day, with
// exceptions that share none either.
var pointCalendars = rapid.Custom(func(t *rapid.T) []*Calendar {
	var out []*Calendar
	from := around - 60
	for range rapid.IntRange(0, 4).Draw(t, "calendars") {
		from += dates(1, 40).Draw(t, "gap")
		c := &Calendar{ID: uuid.New(), Start: from, End: from + dates(0, 60).Draw(t, "length"), Hours: rapid.SliceOfN(openings, 0, 3).Draw(t, "hours")}
		day := c.Start
		for range rapid.IntRange(0, 3).Draw(t, "exceptions") {
			day += dates(0, 9).Draw(t, "until")
			end := day + dates(0, 5).Draw(t, "days")
			if end > c.End {
				break
			}
			c.Exceptions = append(c.Exceptions, Exception{names.Draw(t, "name"), day, end, rapid.SliceOfN(spans(day, end), 0, 3).Draw(t, "openings")})
			day = end + 1
		}
		out = append(out, c)
		from = c.End
	}
	return rapid.Permutation(out).Draw(t, "order")
})

func sameDay(a, b Day) bool {
	if len(a.Openings) == 0 && len(b.Openings) == 0 {
		a.Openings, b.Openings = nil, nil
	}
	return reflect.DeepEqual(a, b)
}

func sameDays(a, b []Day) bool { return slices.EqualFunc(a, b, sameDay) }

// Contract §5, all-openings: days, includeClosed and paging.
func TestDaysAgainstTheNaiveOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := pointCalendars.Draw(t, "calendars")
		from, to := dates(around-80, around+250).Draw(t, "from"), dates(around-80, around+250).Draw(t, "to")
		includeClosed := rapid.Bool().Draw(t, "includeClosed")
		offset, limit := rapid.IntRange(0, 60).Draw(t, "offset"), rapid.IntRange(0, 400).Draw(t, "limit")
		var want []Day
		for d := from; d <= to; d++ {
			if day := naiveDay(all, d); includeClosed || day.Open || day.Exceptional {
				want = append(want, day)
			}
		}
		total := len(want)
		want = want[min(offset, total):]
		want = want[:min(limit, len(want))]
		got, n := NewTimeline(all).Days(from, to, includeClosed, offset, limit)
		if n != total || !sameDays(got, want) {
			t.Fatalf("got %d\n%+v\nwant %d\n%+v", n, got, total, want)
		}
	})
}

// Contract §5, surrounding-openings.
func TestSurroundingAgainstTheNaiveOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := pointCalendars.Draw(t, "calendars")
		d := dates(around-80, around+250).Draw(t, "date")
		want := []Day{closed(d - 1), naiveDay(all, d), closed(d + 1)}
		for b := d - 1; b > around-200; b-- {
			if day := naiveDay(all, b); day.Open {
				want[0] = day
				break
			}
		}
		for a := d + 1; a < around+400; a++ {
			if day := naiveDay(all, a); day.Open {
				want[2] = day
				break
			}
		}
		if got := NewTimeline(all).Surrounding(d); !sameDays(got[:], want) {
			t.Fatalf("got\n%+v\nwant\n%+v", got, want)
		}
	})
}

func TestNoHorizonAndBoundedWork(t *testing.T) {
	monday := []Opening{{time.Monday, 0, time.Monday, LastMinute}}
	line := NewTimeline([]*Calendar{
		{Start: MinDate, End: MinDate + 6, Hours: monday},
		{Start: MaxDate - 6, End: MaxDate, Hours: monday},
	})
	got := line.Surrounding(around)
	if got[0].Date != MinDate || got[1].Open || got[2].Date.String() != "9999-12-27" {
		t.Errorf("%+v", got)
	}
	ever := NewTimeline([]*Calendar{{Start: MinDate, End: MaxDate, Hours: monday}})
	allocated := testing.AllocsPerRun(3, func() {
		days, total := ever.Days(MinDate, MaxDate, false, 500_000, 2)
		if total != 521_723 || len(days) != 2 || days[0].Date.Weekday() != time.Monday {
			t.Errorf("%d of %d", len(days), total)
		}
	})
	if allocated > 20 {
		t.Errorf("%v allocations", allocated)
	}
}

// By edits of calendar clients calendars can share days; each day still has
// one rule.
func TestCalendarsThatShareDaysCountByTheirStart(t *testing.T) {
	a := &Calendar{Start: around, End: around + 10, Hours: []Opening{{time.Monday, 0, time.Sunday, 60}}}
	b := &Calendar{Start: around + 5, End: around + 20}
	line := NewTimeline([]*Calendar{b, a})
	if !line.Day(around+10).Open || line.Day(around+11).Open || line.Day(around-1).Open {
		t.Error("the later calendar counts")
	}
}

func overlapIndices(n int, meets func(i, j int) bool) []int {
	var out []int
	for i := range n {
		for j := range n {
			if i != j && meets(i, j) {
				out = append(out, i)
				break
			}
		}
	}
	return out
}

// Contract §6, "Bounds are inclusive everywhere", against minutes counted one
// by one.
func TestOverlapsAgainstTheNaiveOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(openings, 0, 4).Draw(t, "hours")
		minutes := make([][7 * minuteOfDay]bool, len(all))
		for i, o := range all {
			for w := time.Sunday; w <= time.Saturday; w++ {
				for _, s := range naiveSlices(o, w) {
					for m := s.Start / 60; m <= s.End/60; m++ {
						minutes[i][int(w)*minuteOfDay+int(m)] = true
					}
				}
			}
		}
		want := overlapIndices(len(all), func(i, j int) bool {
			for m := range minutes[i] {
				if minutes[i][m] && minutes[j][m] {
					return true
				}
			}
			return false
		})
		if got := OverlappingHours(all); !slices.Equal(got, want) {
			t.Fatalf("got %v want %v", got, want)
		}
		ex := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Exception {
			return Exception{Start: dates(0, 30).Draw(t, "start"), End: dates(0, 30).Draw(t, "end")}
		}), 0, 6).Draw(t, "exceptions")
		want = overlapIndices(len(ex), func(i, j int) bool {
			for d := ex[i].Start; d <= ex[i].End; d++ {
				if ex[j].Start <= d && d <= ex[j].End {
					return true
				}
			}
			return false
		})
		if got := OverlappingExceptions(ex); !slices.Equal(got, want) {
			t.Fatalf("got %v want %v", got, want)
		}
		sp := rapid.SliceOfN(spans(0, 2), 0, 3).Draw(t, "spans")
		meets := len(overlapIndices(len(sp), func(i, j int) bool {
			return sp[i].Start.Minute().Compare(sp[j].End.Minute()) <= 0 && sp[j].Start.Minute().Compare(sp[i].End.Minute()) <= 0
		})) > 0
		if got := SpansOverlap(sp); got != meets {
			t.Fatalf("got %v want %v", got, meets)
		}
	})
}

func TestDatesAndClocks(t *testing.T) {
	for _, s := range []string{"0001-01-01", "1969-12-31", "1970-01-01", "2032-02-29", "9999-12-31"} {
		if d, err := ParseDate(s); err != nil || d.String() != s || d.Weekday() != d.Time().Weekday() {
			t.Error(s, d, err)
		}
	}
	for _, s := range []string{"", "0000-01-01", "2031-02-29", "2031-2-1", "31-02-01", "2031-01-01T00:00:00Z", "2031-01-0a"} {
		if d, err := ParseDate(s); err == nil {
			t.Error(s, d)
		}
	}
	for s, want := range map[string]string{"09:05": "09:05:00", "23:59:59": "23:59:59", "00:00": "00:00:00"} {
		if c, err := ParseClock(s); err != nil || c.String() != want {
			t.Error(s, c, err)
		}
	}
	for _, s := range []string{"", "24:00", "9:00", "09:60", "09:00:60", "09:00:00.5", "09:00Z", "0900"} {
		if c, err := ParseClock(s); err == nil {
			t.Error(s, c)
		}
	}
}
