package store

import (
	"math"
	"slices"

	"daybook/ical"
)

// Openings are stored by day of UTC: collection, day → the openings of the
// resource or organisation that owns the collection, and the state of its own
// collection and of its organisation's when they were computed.
//
// A write that changes what takes time takes away the days of its collection
// that it touches, in its own transaction; a change of hours takes away all. So
// a day that is there is true as far as its own collection goes. What the
// organisation's calendar takes away is not undone in a thousand resources: a
// resource's day counts only while the organisation's own day is there, and is
// not younger. Time zones are part of each row.

const daySeconds = 24 * 60 * 60

func openDayKey(c CollectionID, day int64) key {
	return newKey(tableOpenings).collection(c).u32(uint32(day - math.MinInt32))
}

func dayOfKey(k []byte) int64 { return int64(u32(k[5:])) + math.MinInt32 }

// dayOf gives the day that a second is in.
func dayOf(sec int64) int64 {
	d := sec / daySeconds
	if sec%daySeconds < 0 {
		d--
	}
	return min(max(d, math.MinInt32), math.MaxInt32)
}

// touched finds which stored days of a collection a write touches.
type touched struct {
	tx   *Tx
	c    CollectionID
	days []int64    // stored, rising
	zone *ical.Zone // of floating rows
}

// touching begins; days is empty where nothing is stored.
func (tx *Tx) touching(c CollectionID) *touched {
	t := &touched{tx: tx, c: c}
	from := newKey(tableOpenings).collection(c)
	tx.r.Scan(from, from.after(), func(k, _ []byte) bool {
		t.days = append(t.days, dayOfKey(k))
		return true
	})
	if len(t.days) > 0 {
		t.zone = ical.UTCZone
		if col, err := tx.collection(c); err == nil {
			t.zone = tx.CollectionZone(col)
		}
	}
	return t
}

func (t *touched) none() bool { return len(t.days) == 0 }

// row takes away the days in which an instance takes time.
func (t *touched) row(r Row) {
	if t.none() || !r.TakesTime() {
		return
	}
	r = placed(r, t.zone)
	last := dayOf(r.End + r.After - 1)
	if r.Flags&rowOpenEnded != 0 {
		last = math.MaxInt32
	}
	t.span(dayOf(r.Start-r.Before), last)
}

// packed takes away the days of a stored row; nil is none.
func (t *touched) packed(k key, b []byte) {
	if t.none() || b == nil {
		return
	}
	r, err := unpackRow(k, b)
	if err != nil {
		t.all() // damaged: whatever it stood for
		return
	}
	t.row(r)
}

// from takes away all days from the one of a second on.
func (t *touched) from(sec int64) { t.span(dayOf(sec), math.MaxInt32) }

// all takes away all days.
func (t *touched) all() { t.span(math.MinInt32, math.MaxInt32) }

func (t *touched) span(first, last int64) {
	i, _ := slices.BinarySearch(t.days, first)
	j := i
	for ; j < len(t.days) && t.days[j] <= last; j++ {
		t.tx.del(openDayKey(t.c, t.days[j]))
	}
	t.days = slices.Delete(t.days, i, j)
}
