package hours

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"daybook/ical"
)

// now is the time of every test.
var now = time.Date(2031, 5, 20, 8, 15, 30, 0, time.UTC)

func zone(t testing.TB, name string) *ical.Zone {
	t.Helper()
	z := ical.LookupZone(name)
	if z == nil {
		t.Fatal("no zone", name)
	}
	return z
}

var zones = rapid.Map(rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "Africa/Cairo"}), ical.LookupZone)

// clocks draws times of day, often those at the edges.
func clocks(seconds bool) *rapid.Generator[Clock] {
	return rapid.Custom(func(t *rapid.T) Clock {
		c := rapid.OneOf(
			rapid.SampledFrom([]Clock{Midnight, LastMinute, 12 * 3600, 12*3600 - 60}),
			rapid.Map(rapid.Int32Range(0, minuteOfDay-1), func(m int32) Clock { return Clock(m * 60) }),
		).Draw(t, "clock")
		if seconds {
			c += Clock(rapid.SampledFrom([]int32{0, 0, 30, 59}).Draw(t, "seconds"))
		}
		return c
	})
}

var weekdayGen = rapid.Map(rapid.IntRange(0, 6), func(i int) time.Weekday { return time.Weekday(i) })

var openings = rapid.Custom(func(t *rapid.T) Opening {
	return Opening{
		weekdayGen.Draw(t, "startDay"), clocks(false).Draw(t, "start"), weekdayGen.Draw(t, "endDay"), clocks(false).Draw(t, "end"),
	}
})

func dates(from, to Date) *rapid.Generator[Date] {
	return rapid.Map(rapid.Int32Range(int32(from), int32(to)), func(n int32) Date { return Date(n) })
}

func spans(from, to Date) *rapid.Generator[Span] {
	return rapid.Custom(func(t *rapid.T) Span {
		a := Moment{dates(from, to).Draw(t, "startDate"), clocks(true).Draw(t, "startTime")}
		b := Moment{dates(from, to).Draw(t, "endDate"), clocks(true).Draw(t, "endTime")}
		if b.Compare(a) < 0 {
			a, b = b, a
		}
		return Span{a, b}
	})
}

// around is where most days are drawn: over a change of the clocks.
const around = Date(22369) // 2031-03-31

func ranges(t *rapid.T, from, to Date) (start, end Date) {
	start, end = dates(from, to).Draw(t, "start"), dates(from, to).Draw(t, "end")
	return min(start, end), max(start, end)
}

func exceptions(from, to Date) *rapid.Generator[Exception] {
	return rapid.Custom(func(t *rapid.T) Exception {
		e := Exception{Name: names.Draw(t, "name")}
		e.Start, e.End = ranges(t, from, to)
		e.Openings = rapid.SliceOfN(spans(e.Start, e.End), 0, 3).Draw(t, "openings")
		if len(e.Openings) == 0 {
			e.Openings = nil
		}
		return e
	})
}

var names = rapid.OneOf(
	rapid.SampledFrom([]string{"Roof works", "Näh, ok; \\n", " two\nlines ", "a very long name that needs to be folded because it has more than seventy-five octets"}),
	rapid.Map(rapid.String(), ical.CleanText),
	rapid.StringMatching(`[ -~äöü€,;\\":]{1,40}`),
)

var uuids = rapid.Map(rapid.IntRange(1, 6), func(n int) uuid.UUID { return uuid.UUID{5: 1, 6: 0x70, 8: 0x80, 15: byte(n)} })

func calendars(from, to Date) *rapid.Generator[*Calendar] {
	return rapid.Custom(func(t *rapid.T) *Calendar {
		c := &Calendar{
			ID: uuid.UUID{6: 0x70, 8: 0x80, 15: byte(rapid.IntRange(1, 250).Draw(t, "id"))}, Name: names.Draw(t, "name"),
			ServicePoints: rapid.SliceOfNDistinct(uuids, 0, 4, rapid.ID).Draw(t, "points"),
			Hours:         rapid.SliceOfNDistinct(openings, 0, 6, rapid.ID).Draw(t, "hours"),
			Created:       now.Add(7 * time.Millisecond), Updated: now.Add(999 * time.Millisecond), CreatedBy: uuid.NullUUID{UUID: uuid.Max, Valid: true},
		}
		c.Start, c.End = ranges(t, from, to)
		switch rapid.IntRange(0, 9).Draw(t, "open") {
		case 0:
			c.Start = MinDate
		case 1:
			c.End = MaxDate
		}
		return c
	})
}
