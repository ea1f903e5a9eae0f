// Package sign writes opening hours the way that others read them: as
// schema.org's OpeningHoursSpecification for search engines, as the
// opening_hours text of OpenStreetMap for maps, and as an iCalendar feed for
// people's calendars.
//
// What is written is read off the time that a place is open ([New]), day by
// day, not off the rules that it comes from: whatever priorities, exceptions
// and closures have made of a day, the sign says what the door does. The days
// are then put in seasons, each with a week that most of its days keep and the
// days that differ.
//
// The package is pure, and knows no store and no HTTP.
package sign

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"daybook/api/hours"
	"daybook/ical"
	"daybook/ical/span"
)

const wholeDay = 24 * 60 * 60

// Stretch is a part of a day that is open, in seconds of the wall clock since
// its midnight; half-open. Where a night is told with the day that it begins
// on, End is up to 48 hours.
type Stretch struct{ Start, End int32 }

// Place is whose hours they are.
type Place struct {
	ID   uuid.UUID
	Name string
	Zone *ical.Zone
}

// Sign is the hours of a place over some days.
type Sign struct {
	Place
	From, To hours.Date // both included
	Known    bool       // false: nothing is known about any of the days

	days [][]Stretch // from the day before From to the one after To; cut at midnight
}

// Window gives the instants that the days need: a day more on both sides,
// because a night belongs to the day on which it begins.
func Window(zone *ical.Zone, from, to hours.Date) span.Span {
	return span.Span{Start: zone.Instant((from - 1).Time()), End: zone.Instant((to + 2).Time())}
}

// New makes a sign of the time in Window that the place is open, and of the
// time in it that is known of.
func New(p Place, from, to hours.Date, open, known span.Set) *Sign {
	s := &Sign{Place: p, From: from, To: to, days: make([][]Stretch, int(to-from)+3)}
	s.Known = len(known.Clip(span.Span{Start: p.Zone.Instant(from.Time()), End: p.Zone.Instant((to + 1).Time())})) > 0
	for _, o := range open {
		a, b := wallStart(p.Zone, o.Start), wallEnd(p.Zone, o.End)
		for d := hours.DateOf(a); d.Time().Before(b); d++ {
			i := int(d - (from - 1))
			if i < 0 || i >= len(s.days) {
				continue
			}
			midnight := d.Time()
			part := Stretch{
				Start: int32(max(a.Sub(midnight), 0) / time.Second),
				End:   int32(min(b.Sub(midnight), wholeDay*time.Second) / time.Second),
			}
			s.days[i] = append(s.days[i], part)
		}
	}
	for i, day := range s.days {
		s.days[i] = united(day)
	}
	return s
}

// wallStart gives the wall clock from which on it is open. A day that has no
// midnight, because clocks skip it, is open from 00:00 if it is from its first
// second on.
func wallStart(zone *ical.Zone, at time.Time) time.Time {
	wall := zone.Wall(at)
	if midnight := hours.DateOf(wall).Time(); zone.Instant(midnight).Equal(at) {
		return midnight
	}
	return wall
}

// wallEnd gives the wall clock up to which it is open: the one that follows the
// last open second, and not the one to which clocks are put then.
func wallEnd(zone *ical.Zone, at time.Time) time.Time {
	return zone.Wall(at.Add(-time.Second)).Add(time.Second)
}

// united puts together what overlaps: when clocks go back, an hour comes twice.
func united(day []Stretch) []Stretch {
	slices.SortFunc(day, func(a, b Stretch) int { return cmp.Compare(a.Start, b.Start) })
	var out []Stretch
	for _, x := range day {
		switch n := len(out); {
		case x.End <= x.Start:
		case n > 0 && x.Start <= out[n-1].End:
			out[n-1].End = max(out[n-1].End, x.End)
		default:
			out = append(out, x)
		}
	}
	return out
}

// Days gives what is open of each day from From on; not to be changed.
func (s *Sign) Days() [][]Stretch { return s.days[1 : len(s.days)-1] }

// Minutes gives what is open of each day from From on in whole minutes. One that
// is open in part counts, as 23:59:59 is meant to be the end of the day; less
// than a minute does not, as it is left by a closure that ends then.
func (s *Sign) Minutes() [][]Stretch {
	days := make([][]Stretch, len(s.Days()))
	for i, day := range s.Days() {
		var whole []Stretch
		for _, x := range day {
			if x.End-x.Start >= 60 {
				whole = append(whole, Stretch{x.Start / 60 * 60, (x.End + 59) / 60 * 60})
			}
		}
		days[i] = united(whole)
	}
	return days
}

// nights gives the days with their nights: a stretch that goes on after
// midnight, for less than a whole day in all, is told with the day on which it
// begins, and not with the next. eve is the day before From.
func (s *Sign) nights() (days [][]Stretch, eve []Stretch) {
	days = make([][]Stretch, len(s.days))
	for i := range s.days {
		days[i] = slices.Clone(s.days[i])
	}
	for i := range len(days) - 1 {
		n := len(days[i])
		if n == 0 || len(days[i+1]) == 0 {
			continue
		}
		last, first := &days[i][n-1], days[i+1][0]
		if last.End == wholeDay && first.Start == 0 && first.End < last.Start {
			last.End = wholeDay + first.End
			days[i+1] = days[i+1][1:]
		}
	}
	return days[1 : len(days)-1], days[0]
}

// night gives how much of the next day the night of a day takes.
func night(day []Stretch) int32 {
	if len(day) == 0 {
		return 0
	}
	return max(0, day[len(day)-1].End-wholeDay)
}
