package store

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
)

// minuteEras are the changes of clocks that calendars lie around: the first
// behind a day, in a zone.
var minuteEras = []struct{ zone, day string }{
	{"Europe/Berlin", "2027-01-10"},
	{"Europe/Berlin", "2027-06-10"},
	{"America/New_York", "2027-01-10"},
	{"America/New_York", "2027-06-10"},
	{"Australia/Lord_Howe", "2027-01-10"}, // half an hour
	{"Australia/Lord_Howe", "2027-06-10"},
	{"Antarctica/Troll", "2027-01-10"}, // two hours
	{"Africa/Cairo", "2027-01-10"},     // at midnight
	{"America/Havana", "2027-06-10"},   // to 23:00 or 0:00
	{"America/Havana", "2027-01-10"},
	{"Africa/Casablanca", "2027-01-10"}, // for Ramadan
	{"Pacific/Apia", "2011-12-01"},      // a day is skipped
	{"Asia/Kathmandu", "2027-05-01"},    // none
}

// minuteZones are those that times are written in beside the calendar's own.
var minuteZones = []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"}

const (
	minuteRooms    = 7
	minuteAround   = 4 // days around a change that are compared
	minuteLookback = 80
)

// minuteWorld is an organisation with its rooms, as the store and as the model
// know them.
type minuteWorld struct {
	t      *testing.T
	s      *Store
	r      *rand.Rand
	seed   uint64
	clocks *minuteClocks

	era       string
	from, to  int64 // minutes that are compared
	zones     []*mClock
	org       *minutePrincipal
	rooms     []*minutePrincipal
	collected []Put // to be written
}

type minutePrincipal struct {
	*Principal
	mCalendar
	calendar CollectionID
	held     []mInstance
	n        int // of objects that were made
}

// minuteClocks makes each table once.
type minuteClocks struct{ made map[string]*mClock }

func (c *minuteClocks) get(t *testing.T, name string, change int64) *mClock {
	key := fmt.Sprint(name, change)
	if c.made[key] == nil {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		c.made[key] = newMinuteClock(name, change-minuteLookback*mDay, change+40*mDay, func(m int64) int64 {
			_, seconds := time.Unix(m*60, 0).In(loc).Zone()
			return int64(seconds / 60)
		})
	}
	return c.made[key]
}

// oddClock is a zone that only a VTIMEZONE tells: it is put forward and back
// again within the days that are compared.
func oddClock(r *rand.Rand, day int64) *mClock {
	base := int64(r.IntN(40)-20) * 15
	by := []int64{15, 30, 60, 180, -60}[r.IntN(5)]
	forth := day + int64(r.IntN(36*4))*15
	back := forth + int64(16+r.IntN(48*4))*15
	c := newMinuteClock("Odd/Zone", day-minuteLookback*mDay, day+40*mDay, func(m int64) int64 {
		if m >= forth && m < back {
			return base + by
		}
		return base
	})
	offset := func(m int64) string {
		sign := "+"
		if m < 0 {
			sign, m = "-", -m
		}
		return fmt.Sprintf("%s%02d%02d", sign, m/60, m%60)
	}
	onset := func(kind string, at, from, to int64) string {
		return "BEGIN:" + kind + "\nDTSTART:" + mText(at+from, "20060102T150405") + "\nTZOFFSETFROM:" + offset(from) + "\nTZOFFSETTO:" + offset(to) + "\nEND:" + kind + "\n"
	}
	c.timezone = "BEGIN:VTIMEZONE\nTZID:Odd/Zone\n" + onset("STANDARD", 0, base, base) + onset("DAYLIGHT", forth, base, base+by) +
		onset("STANDARD", back, base+by, base) + "END:VTIMEZONE\n"
	return c
}

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

// one is true once in n times.
func (w *minuteWorld) one(n int) bool { return w.r.IntN(n) == 0 }

// newMinuteWorld makes an organisation around a change of its clocks.
func newMinuteWorld(t *testing.T, s *Store, clocks *minuteClocks, seed uint64) *minuteWorld {
	w := &minuteWorld{t: t, s: s, r: rand.New(rand.NewPCG(seed, 7)), seed: seed, clocks: clocks}
	era := minuteEras[seed%uint64(len(minuteEras))]
	w.era = era.zone + " after " + era.day
	loc, err := time.LoadLocation(era.zone)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation(time.DateOnly, era.day, loc)
	if err != nil {
		t.Fatal(err)
	}
	if _, change := at.ZoneBounds(); !change.IsZero() {
		at = change
	}
	change := dayOf(at.Unix()) * mDay
	w.from, w.to = change-minuteAround*mDay, change+(minuteAround+1)*mDay
	own := clocks.get(t, era.zone, change)
	w.zones = []*mClock{own, own, own, oddClock(w.r, change)}
	for _, z := range minuteZones {
		w.zones = append(w.zones, clocks.get(t, z, change))
	}
	w.org = &minutePrincipal{
		Principal: &Principal{Kind: KindOrganisation, Name: fmt.Sprintf("org%d", seed), Zone: era.zone, UUID: uuid.UUID{1, byte(seed >> 8), byte(seed)}},
		mCalendar: mCalendar{clock: own, objects: map[string]*mObject{}},
	}
	for n := range minuteRooms {
		w.rooms = append(w.rooms, &minutePrincipal{
			Principal: &Principal{Kind: KindRoom, Name: fmt.Sprintf("room%d-%d", seed, n), UUID: uuid.UUID{2, byte(seed >> 8), byte(seed), byte(n)}},
			mCalendar: mCalendar{clock: own, objects: map[string]*mObject{}},
		})
	}
	w.create()
	return w
}

// create stores the principals, some of whose calendars have a zone of their own.
func (w *minuteWorld) create() {
	zones := make([]Collection, len(w.rooms))
	for i, room := range w.rooms {
		switch room.clock = pick(w.r, w.zones...); {
		case room.clock == w.org.clock:
		case room.clock.timezone != "":
			zones[i].Timezone = minuteText(room.clock.timezone)
		case w.one(2):
			zones[i].TimezoneID = room.clock.name
		default:
			room.Zone = room.clock.name
		}
	}
	w.update(func(tx *Tx) error {
		w.org.ID = 0
		if err := tx.CreatePrincipal(w.org.Principal); err != nil {
			return err
		}
		for i, p := range w.everybody() {
			if p != w.org {
				p.ID, p.Org = 0, w.org.ID
				if err := tx.CreatePrincipal(p.Principal); err != nil {
					return err
				}
			}
			c, err := tx.Calendar(p.ID)
			if err != nil {
				return err
			}
			p.calendar = c.ID
			if i > 0 && (zones[i-1].Timezone != "" || zones[i-1].TimezoneID != "") {
				c.Timezone, c.TimezoneID = zones[i-1].Timezone, zones[i-1].TimezoneID
				if err := tx.UpdateCollection(System(), c); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (w *minuteWorld) everybody() []*minutePrincipal {
	return append([]*minutePrincipal{w.org}, w.rooms...)
}

func (w *minuteWorld) update(fn func(*Tx) error) {
	w.t.Helper()
	if err := w.s.Update(w.t.Context(), fn); err != nil {
		w.t.Fatalf("world %d: %v", w.seed, err)
	}
}

func minuteText(components string) string {
	return strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Daybook//test//EN\n"+components+"END:VCALENDAR\n", "\n", "\r\n")
}

// text is the object as it is stored.
func (w *minuteWorld) text(o *mObject) string {
	var text string
	if o.hours != nil {
		text = o.hours.text()
	} else {
		text = o.event.text("VEVENT")
	}
	if odd := w.zones[3]; strings.Contains(text, "TZID="+odd.name) {
		text = odd.timezone + text
	}
	return minuteText(text)
}

// collect makes an object, new or in the place of another, and keeps it to be
// written.
func (w *minuteWorld) collect(p *minutePrincipal) {
	n := p.n
	if n > 2 && w.one(2) {
		n = w.r.IntN(n)
	} else {
		p.n++
	}
	uid := fmt.Sprintf("%s-%d", p.Name, n)
	x := &mObject{}
	if n < 2 || w.one(5) {
		x.hours = w.hours(uid, p)
	} else {
		x.event = w.event(uid)
	}
	o, err := ical.ParseResource([]byte(w.text(x)), ical.Limits{})
	if err != nil {
		w.t.Fatalf("world %d: %v\n%s", w.seed, err, w.text(x))
	}
	prepared, err := w.s.Prepare(o)
	if err != nil {
		w.t.Fatalf("world %d: %v\n%s", w.seed, err, w.text(x))
	}
	p.objects[uid] = x
	w.collected = append(w.collected, Put{Actor: System(), Collection: p.calendar, Name: uid + ".ics", Object: prepared})
}

// write stores what was collected, and takes some objects away.
func (w *minuteWorld) write(remove int) {
	type gone struct {
		c    CollectionID
		name string
	}
	var removed []gone
	for range remove {
		p := pick(w.r, w.everybody()...)
		uids := slices.Sorted(maps.Keys(p.objects))
		if len(uids) > 0 {
			uid := pick(w.r, uids...)
			delete(p.objects, uid)
			removed = append(removed, gone{p.calendar, uid + ".ics"})
		}
	}
	w.update(func(tx *Tx) error {
		for _, put := range w.collected {
			if _, err := tx.PutObject(put); err != nil {
				return fmt.Errorf("%w\n%s", err, put.Object.Object().Data())
			}
		}
		for _, g := range removed {
			if err := tx.DeleteObject(System(), g.c, g.name, Cond{}); err != nil {
				return err
			}
		}
		return nil
	})
	w.collected = nil
}

// hold keeps time of rooms, some for a while only.
func (w *minuteWorld) hold() {
	w.update(func(tx *Tx) error {
		for _, p := range w.rooms {
			p.held = nil
		}
		for range 3 {
			at := w.from + w.r.Int64N(w.to-w.from)
			x := mInstance{start: at, end: at + 5 + w.r.Int64N(300)}
			before, after := pick(w.r, 0, 0, 45, 1440), pick(w.r, 0, 0, 20, 1440)
			rooms := []*minutePrincipal{pick(w.r, w.rooms...), pick(w.r, w.rooms...)}
			short := w.one(3)
			h := &Hold{
				Org: w.org.ID, Resources: []PrincipalID{rooms[0].ID, rooms[1].ID}, Start: time.Unix(x.start*60, 0).UTC(), End: time.Unix(x.end*60, 0).UTC(),
				Before: time.Duration(before) * time.Minute, After: time.Duration(after) * time.Minute, Expires: tx.now.Add(30 * time.Minute),
			}
			if short {
				h.Expires = tx.now.Add(time.Minute)
			}
			if err := tx.AddHold(h); err != nil {
				return err
			}
			for _, room := range rooms {
				if !short {
					room.held = append(room.held, mInstance{start: x.start - int64(before), end: x.end + int64(after)})
				}
			}
		}
		return nil
	})
}
