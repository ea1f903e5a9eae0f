package hours

import (
	"slices"
	"time"
)

const minuteOfWeek = 7 * minuteOfDay

// Normal gives openings that are open at the same minutes of the week in the
// form that people write: without overlaps, nights as one opening, and what is
// open for a day or longer cut at midnight. In order of the week from Monday on.
func Normal(all []Opening) []Opening {
	var open [minuteOfWeek]bool // from Monday 00:00
	for _, o := range all {
		for _, s := range o.Slices() {
			day := (int(s.Day) + 6) % 7 * minuteOfDay
			for m := int(s.Start / 60); m <= int(s.End/60); m++ {
				open[day+m] = true
			}
		}
	}
	begin := max(slices.Index(open[:], false), 0) // what is always open is cut at midnight like all that is long
	var out []Opening
	for i := begin; i < begin+minuteOfWeek; {
		if !open[i%minuteOfWeek] {
			i++
			continue
		}
		end := i
		for end < begin+minuteOfWeek && open[end%minuteOfWeek] {
			end++
		}
		for end-i >= minuteOfDay {
			next := (i/minuteOfDay + 1) * minuteOfDay
			out = append(out, openingOf(i, next))
			i = next
		}
		if i < end {
			out = append(out, openingOf(i, end))
		}
		i = end
	}
	slices.SortFunc(out, func(a, b Opening) int { return minuteOf(a) - minuteOf(b) })
	return out
}

// minuteOf gives the minute of the week, from Monday on, at which an opening
// begins.
func minuteOf(o Opening) int { return (int(o.StartDay)+6)%7*minuteOfDay + int(o.Start/60) }

// openingOf makes an opening of minutes from Monday on; end is the first that
// is closed.
func openingOf(start, end int) Opening {
	at := func(m int) (time.Weekday, Clock) {
		m %= minuteOfWeek
		return time.Weekday((m/minuteOfDay + 1) % 7), Clock(m % minuteOfDay * 60)
	}
	var o Opening
	o.StartDay, o.Start = at(start)
	o.EndDay, o.End = at(end - 1)
	return o
}
