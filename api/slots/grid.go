package slots

import (
	"slices"
	"sort"
	"time"

	"daybook/ical"
)

const dayLength = 24 * 60 * 60 // seconds, where no clock changes

// grid gives the starts that are offered: each step of the wall clock, counted
// from midnight of the zone, so that they are the same on each day. One that a
// clock change skips is at the change; where clocks are put back, the hour that
// comes again has them again, as far as they are a step behind those before.
type grid struct {
	zone     *ical.Zone
	step     int64   // seconds
	from, to int64   // the day that was looked at last
	starts   []int64 // of it, if the clock changes on it
}

// next gives the first start that is not before a second, in seconds since 1970.
func (g *grid) next(t int64) int64 {
	if t < g.from || t >= g.to {
		g.look(t)
	}
	if g.starts != nil {
		if i, _ := slices.BinarySearch(g.starts, t); i < len(g.starts) {
			return g.starts[i]
		}
		return g.to
	}
	return min(g.from+(t-g.from+g.step-1)/g.step*g.step, g.to)
}

// look goes to the day of a second.
func (g *grid) look(t int64) {
	y, m, d := g.zone.Wall(time.Unix(t, 0)).Date()
	midnight := func(d int) int64 { return g.zone.Instant(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)).Unix() }
	g.from, g.to, g.starts = midnight(d), midnight(d+1), nil
	if t < g.from { // midnight comes twice, a day apart
		g.from = t
	}
	g.to = max(g.to, t+1)
	wall := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()
	if g.to-g.from != dayLength || g.offset(g.from) != wall-g.from {
		g.starts = g.changed(wall)
	}
}

// offset gives that of the zone, in seconds.
func (g *grid) offset(t int64) int64 { return int64(g.zone.Offset(time.Unix(t, 0)) / time.Second) }

// changed gives the starts of a day on which the clock changes; wall is its
// midnight, as if in UTC.
func (g *grid) changed(wall int64) []int64 {
	before, after := g.offset(g.from-1), g.offset(g.to-1)
	change := g.from + int64(sort.Search(int(g.to-g.from), func(i int) bool { return g.offset(g.from+int64(i)) == after }))
	onGrid := func(clock int64) int64 { return wall + (clock-wall+g.step-1)/g.step*g.step } // the first at or behind it
	out := []int64{}
	for t := onGrid(g.from+before) - before; t < change; t += g.step {
		out = append(out, t)
	}
	if before < after && onGrid(change+before) < change+after && onGrid(change+after) != change+after {
		out = append(out, change) // in the place of those that are skipped
	}
	for t := onGrid(change+after) - after; t < g.to; t += g.step {
		again := t+after < change+before
		if again && len(out) > 0 && t-out[len(out)-1] < g.step {
			continue
		}
		out = append(out, t)
	}
	return out
}
