package slots

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// Monday 22 March 2027, 00:00 in Berlin; clocks go forward on its Sunday.
var monday = time.Date(2027, 3, 21, 23, 0, 0, 0, time.UTC)

const (
	massage = "0197f3c2-0000-7000-8000-0000000000e1"
	yoga    = "0197f3c2-0000-7000-8000-0000000000e2"
)

// place is an organisation in Berlin with a room.
type place struct {
	t         testing.TB
	s         *store.Store
	clock     atomic.Int64
	org, room store.PrincipalID
}

func newPlace(t testing.TB) *place {
	t.Helper()
	p := &place{t: t}
	p.clock.Store(monday.Unix())
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "test.db"), Create: true, Now: p.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	p.s = s
	p.update(func(tx *store.Tx) error {
		org := &store.Principal{Kind: store.KindOrganisation, Name: "demo", Zone: "Europe/Berlin"}
		if err := tx.CreatePrincipal(org); err != nil {
			return err
		}
		room := &store.Principal{Org: org.ID, Kind: store.KindRoom, Name: "room"}
		err := tx.CreatePrincipal(room)
		p.org, p.room = org.ID, room.ID
		return err
	})
	return p
}

func (p *place) now() time.Time { return time.Unix(p.clock.Load(), 0).UTC() }

func (p *place) update(fn func(*store.Tx) error) {
	p.t.Helper()
	if err := p.s.Update(p.t.Context(), fn); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) put(owner store.PrincipalID, uid, components string) {
	p.t.Helper()
	text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Daybook//test//EN\n" + components + "END:VCALENDAR\n"
	o, err := ical.ParseResource([]byte(strings.ReplaceAll(text, "\n", "\r\n")), ical.Limits{})
	if err != nil {
		p.t.Fatal(err)
	}
	x, err := p.s.Prepare(o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.update(func(tx *store.Tx) error {
		c, err := tx.Calendar(owner)
		if err != nil {
			return err
		}
		_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: c.ID, Name: uid + ".ics", Object: x})
		return err
	})
}

func hours(uid, lines, byday, from, to string) string {
	return "BEGIN:VAVAILABILITY\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\nSUMMARY:The " + uid + "\n" + lines +
		"BEGIN:AVAILABLE\nUID:" + uid + "-1\nDTSTAMP:20270101T000000Z\nDTSTART;TZID=Europe/Berlin:20270104T" + from + "00\n" +
		"DTEND;TZID=Europe/Berlin:20270104T" + to + "00\nRRULE:FREQ=WEEKLY;BYDAY=" + byday + "\nEND:AVAILABLE\nEND:VAVAILABILITY\n"
}

func event(uid string, start time.Time, length time.Duration, lines string) string {
	return "BEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\nSUMMARY:Secret " + uid + "\nDTSTART:" + start.UTC().Format("20060102T150405Z") +
		fmt.Sprintf("\nDURATION:PT%dM\n", length/time.Minute) + lines + "END:VEVENT\n"
}

func (p *place) find(w span.Span, r Rules, most int) (f Found) {
	p.t.Helper()
	err := p.s.View(p.t.Context(), func(v *store.View) (err error) {
		f, err = Find(v, p.room, w, r, p.now(), most)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return f
}

func (p *place) explain(w span.Span, r Rules) (out []Reason) {
	p.t.Helper()
	err := p.s.View(p.t.Context(), func(v *store.View) (err error) {
		out, err = Explain(v, p.room, w, r, p.now())
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func texts(f Found) (out []string) {
	zone := ical.LookupZone("Europe/Berlin")
	for _, s := range f.Slots {
		text := zone.Wall(s.Start).Format("Mon 15:04")
		if s.Left != 1 {
			text += fmt.Sprintf(" ×%d", s.Left)
		}
		out = append(out, text)
	}
	return out
}

func berlin(day, hour, minute int) time.Time {
	return ical.LookupZone("Europe/Berlin").Instant(time.Date(2027, 3, 22+day, hour, minute, 0, 0, time.UTC))
}

func wantSlots(t *testing.T, f Found, want ...string) {
	t.Helper()
	if got := texts(f); !slices.Equal(got, want) {
		t.Errorf("slots %q, want %q", got, want)
	}
}

var (
	week = span.Span{Start: monday, End: monday.AddDate(0, 0, 8)}
	hour = Rules{Length: time.Hour, Step: time.Hour}
)

func TestSlotsAreCutByTheRules(t *testing.T) {
	p := newPlace(t)
	if f := p.find(week, hour, 10); f.Known || len(f.Slots) != 0 {
		t.Errorf("without hours: %+v", f)
	}
	p.put(p.org, "week", hours("week", "", "MO", "0900", "1300"))
	p.put(p.room, "e", event("e", berlin(0, 10, 10), 20*time.Minute, "X-DAYBOOK-BUFFER-AFTER:PT5M\n"))
	today := span.Span{Start: monday, End: monday.AddDate(0, 0, 1)}
	wantSlots(t, p.find(today, hour, 10), "Mon 09:00", "Mon 11:00", "Mon 12:00")
	half := Rules{Length: 30 * time.Minute, Step: 30 * time.Minute}
	wantSlots(t, p.find(today, half, 10), "Mon 09:00", "Mon 09:30", "Mon 11:00", "Mon 11:30", "Mon 12:00", "Mon 12:30")
	half.Before, half.After = 40*time.Minute, 15*time.Minute
	wantSlots(t, p.find(today, half, 10), "Mon 09:00", "Mon 11:30", "Mon 12:00", "Mon 12:30")
	if f := p.find(today, half, 2); !f.More || len(f.Slots) != 2 {
		t.Errorf("two at most: %+v", f)
	}
	p.clock.Store(berlin(0, 9, 30).Unix())
	wantSlots(t, p.find(today, hour, 10), "Mon 11:00", "Mon 12:00")
	wantSlots(t, p.find(today, Rules{Length: time.Hour, Step: time.Hour, Notice: 2 * time.Hour}, 10), "Mon 12:00")
	wantSlots(t, p.find(today, Rules{Length: time.Hour, Step: time.Hour, Ahead: 2 * time.Hour}, 10), "Mon 11:00")

	bad := []Rules{{}, {Length: time.Second}, {Length: time.Hour, Step: time.Second}, {Length: time.Hour, Before: 25 * time.Hour}, {Length: 32 * 24 * time.Hour}}
	err := p.s.View(t.Context(), func(v *store.View) error {
		for _, r := range bad {
			if _, err := Find(v, p.room, today, r, p.now(), 1); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%+v: %v", r, err)
			}
		}
		_, err := Find(v, p.room, span.Span{Start: monday, End: monday.AddDate(0, 0, 33)}, hour, p.now(), 1)
		return err
	})
	if !errors.Is(err, store.ErrInvalid) {
		t.Errorf("33 days: %v", err)
	}
}

func TestLimitsAndCapacity(t *testing.T) {
	p := newPlace(t)
	p.put(p.org, "week", hours("week", "", "MO,TU,WE", "0900", "1200"))
	p.put(p.room, "a", event("a", berlin(0, 9, 0), time.Hour, "X-DAYBOOK-SERVICE-ID:"+massage+"\n"))
	p.put(p.room, "b", event("b", berlin(1, 9, 0), time.Hour, "X-DAYBOOK-SERVICE-ID:"+massage+"\n"))
	p.put(p.room, "c", event("c", berlin(1, 8, 0), time.Hour, "X-DAYBOOK-SERVICE-ID:"+massage+"\nSTATUS:CANCELLED\n"))
	r := hour
	r.Service = store.MarkOf(uuid.MustParse(massage))
	r.PerDay = 1
	wantSlots(t, p.find(week, r, 20), "Wed 09:00", "Wed 10:00", "Wed 11:00", "Mon 09:00", "Mon 10:00", "Mon 11:00")
	r.PerDay, r.PerWeek = 0, 2
	wantSlots(t, p.find(week, r, 20), "Mon 09:00", "Mon 10:00", "Mon 11:00")
	r.PerWeek, r.PerMonth = 3, 2
	wantSlots(t, p.find(week, r, 20))
	other := r
	other.Service = store.MarkOf(uuid.MustParse(yoga))
	if f := p.find(week, other, 20); len(f.Slots) != 10 {
		t.Errorf("another service: %q", texts(f))
	}
	r.PerMonth, r.PerWeek, r.Capacity = 0, 0, 3
	p.put(p.room, "d", event("d", berlin(0, 9, 30), time.Hour, "X-DAYBOOK-SERVICE-ID:"+massage+"\n"))
	p.put(p.room, "x", event("x", berlin(0, 11, 0), time.Hour, "X-DAYBOOK-SERVICE-ID:"+yoga+"\n"))
	f := p.find(span.Span{Start: monday, End: monday.AddDate(0, 0, 2)}, r, 20)
	wantSlots(t, f, "Mon 09:00", "Mon 10:00 ×2", "Tue 09:00 ×2", "Tue 10:00 ×3", "Tue 11:00 ×3")
	r.Capacity = 2
	f = p.find(span.Span{Start: monday, End: monday.AddDate(0, 0, 1)}, r, 20)
	wantSlots(t, f, "Mon 10:00")
	if x := p.explain(span.Span{Start: berlin(0, 9, 0), End: berlin(0, 10, 0)}, r); len(x) != 1 || x[0].Kind != Full || !x[0].Span.Start.Equal(berlin(0, 9, 30)) {
		t.Errorf("%+v", x)
	}
	// A block that names the service is no booking of it: it takes the time of all.
	p.put(p.room, "n", event("n", berlin(0, 10, 0), time.Hour, "CATEGORIES:BLOCK\nX-DAYBOOK-SERVICE-ID:"+massage+"\n"))
	wantSlots(t, p.find(span.Span{Start: monday, End: monday.AddDate(0, 0, 1)}, r, 20))
}

// Two share a room; each needs ten minutes of it afterwards.
func TestSharedPlacesAreKeptForTheirBuffers(t *testing.T) {
	p := newPlace(t)
	p.put(p.org, "week", hours("week", "", "MO", "0900", "1200"))
	r := Rules{Length: 50 * time.Minute, Step: 10 * time.Minute, After: 10 * time.Minute, Capacity: 2, Service: store.MarkOf(uuid.MustParse(yoga))}
	today := span.Span{Start: berlin(0, 9, 0), End: berlin(1, 0, 0)}
	for _, uid := range []string{"a", "b"} {
		p.put(p.room, uid, event(uid, berlin(0, 9, 0), r.Length, "X-DAYBOOK-BUFFER-AFTER:PT10M\nX-DAYBOOK-SERVICE-ID:"+yoga+"\n"))
	}
	wantSlots(t, p.find(today, r, 2), "Mon 10:00 ×2", "Mon 10:10 ×2")
	r.PerDay = 3 // one of the places cannot be booked any more
	wantSlots(t, p.find(today, r, 1), "Mon 10:00")
	r.PerDay = 0
	at := span.Span{Start: berlin(0, 9, 50), End: berlin(0, 10, 40)}
	if x := p.explain(at, r); len(x) != 1 || x[0].Kind != Full || !x[0].Span.End.Equal(berlin(0, 10, 0)) {
		t.Errorf("in the buffers of both: %+v", x)
	}
}

func TestExplainTellsAllReasons(t *testing.T) {
	p := newPlace(t)
	kinds := func(w span.Span, r Rules) (out []Kind) {
		for _, x := range p.explain(w, r) {
			out = append(out, x.Kind)
		}
		return out
	}
	at := span.Span{Start: berlin(0, 10, 0), End: berlin(0, 11, 0)}
	if got := kinds(at, Rules{}); !slices.Equal(got, []Kind{NoHours}) {
		t.Errorf("%v", got)
	}
	p.put(p.org, "week", hours("week", "PRIORITY:9\n", "MO", "0900", "1030"))
	p.put(p.org, "shut", event("shut", berlin(0, 10, 30), time.Hour, ""))
	p.put(p.room, "e", event("e", berlin(0, 10, 50), time.Hour, ""))
	p.put(p.room, "b", event("b", berlin(0, 9, 0), 50*time.Minute, "X-DAYBOOK-BUFFER-AFTER:PT15M\nCATEGORIES:BLOCK\n"))
	p.put(p.room, "c", event("c", berlin(0, 10, 0), 5*time.Minute, "CATEGORIES:BLOCK\nX-DAYBOOK-SERVICE-ID:"+massage+"\n")) // no booking of it
	p.put(p.room, "m", event("m", berlin(0, 20, 0), time.Hour, "X-DAYBOOK-SERVICE-ID:"+massage+"\n"))
	p.update(func(tx *store.Tx) error {
		return tx.AddHold(&store.Hold{Org: p.org, Resources: []store.PrincipalID{p.room}, Start: at.Start, End: at.End, Expires: p.now().Add(time.Minute)})
	})
	r := Rules{Notice: 11 * time.Hour, Ahead: 9 * time.Hour, PerDay: 1, Service: store.MarkOf(uuid.MustParse(massage))}
	if got, want := kinds(at, r), []Kind{Closed, Buffer, Held, Block, Closure, Event, Notice, TooFar, Limit}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	x := p.explain(at, r)[0]
	if title, exception := Title(x.Hours); title != "The week" || exception || !x.Span.Start.Equal(berlin(0, 10, 30)) {
		t.Errorf("closed by %q, %v", title, x.Span)
	}
}

// TestSlotsAgreeWithNaiveModel looks at each start of the grid and at each
// minute of the slot that begins there, and asks Explain about it.
func TestSlotsAgreeWithNaiveModel(t *testing.T) {
	cases := 0
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 3))
		p := newPlace(t)
		p.put(p.org, "week", hours("week", "", "MO,TU,SA,SU", "0900", "1800"))
		p.put(p.org, "night", hours("night", "", "SA", "2200", "2359"))
		for n := range 8 + r.IntN(8) {
			owner := []store.PrincipalID{p.org, p.room, p.room, p.room}[r.IntN(4)]
			uid := fmt.Sprintf("e%d", n)
			lines := []string{"", "X-DAYBOOK-SERVICE-ID:" + massage + "\n", "TRANSP:TRANSPARENT\n", "X-DAYBOOK-BUFFER-BEFORE:PT25M\n", "RRULE:FREQ=DAILY;COUNT=4\n"}[r.IntN(5)]
			p.put(owner, uid, event(uid, monday.Add(time.Duration(r.IntN(8*24*12))*5*time.Minute), time.Duration(5+5*r.IntN(20))*time.Minute, lines))
		}
		p.update(func(tx *store.Tx) error {
			start := monday.Add(time.Duration(9*60+r.IntN(400)) * time.Minute)
			return tx.AddHold(&store.Hold{
				Org: p.org, Resources: []store.PrincipalID{p.room}, Start: start, End: start.Add(time.Hour),
				Before: time.Duration(r.IntN(3)) * 10 * time.Minute, Expires: p.now().Add(time.Hour), Service: uuid.MustParse(massage),
			})
		})
		for range 6 {
			pick := func(n ...int) int { return n[r.IntN(len(n))] }
			minutes := func(n ...int) time.Duration { return time.Duration(pick(n...)) * time.Minute }
			x := Rules{
				Length: minutes(20, 30, 60, 90), Step: minutes(15, 30, 45, 60), Before: minutes(0, 0, 10, 45), After: minutes(0, 0, 20),
				Notice: minutes(0, 0, 600), Ahead: minutes(0, 0, 2*24*60), PerDay: pick(0, 0, 1), PerWeek: pick(0, 0, 2), PerMonth: pick(0, 0, 4),
				Capacity: pick(0, 1, 2, 3), Service: store.MarkOf(uuid.MustParse(massage)),
			}
			cases += p.compare(x, seed)
		}
	}
	if cases < 10_000 {
		t.Errorf("%d cases", cases)
	}
}

func (p *place) compare(r Rules, seed uint64) (cases int) {
	p.t.Helper()
	found := map[time.Time]Slot{}
	for _, s := range p.find(week, r, 5000).Slots {
		found[s.Start] = s
	}
	m := p.model(r)
	zone := ical.LookupZone("Europe/Berlin")
	for d := range 8 {
		begin := zone.Instant(time.Date(2027, 3, 22+d, 0, 0, 0, 0, time.UTC))
		next := zone.Instant(time.Date(2027, 3, 23+d, 0, 0, 0, 0, time.UTC))
		for _, at := range startsOf(zone, begin, next, r.Step) {
			if at.Add(r.Length).After(week.End) {
				continue
			}
			want := m.slot(at)
			have, ok := found[at]
			if ok != (want > 0) || ok && have.Left != want {
				p.t.Fatalf("seed %d, %+v: slot at %s is %+v, the model leaves %d", seed, r, at, have, want)
			}
			delete(found, at)
			if cases++; cases%7 == 0 {
				if why := p.explain(span.Span{Start: at, End: at.Add(r.Length)}, r); (len(why) == 0) != ok {
					p.t.Fatalf("seed %d, %+v: slot at %s is %v, explained by %+v", seed, r, at, ok, why)
				}
			}
		}
	}
	if len(found) > 0 {
		p.t.Fatalf("seed %d: slots off the grid: %v", seed, found)
	}
	return cases
}

// startsOf looks at each minute of a day: starts are where the wall clock is a
// number of steps behind midnight, and where it has just passed one by.
func startsOf(zone *ical.Zone, begin, next time.Time, step time.Duration) (out []time.Time) {
	clock := func(t time.Time) int { w := zone.Wall(t); return w.Hour()*60 + w.Minute() }
	seen := map[int]bool{}
	was := -1
	for at := begin; at.Before(next); at = at.Add(time.Minute) {
		now, n := clock(at), int(step/time.Minute)
		start := now%n == 0
		for skipped := was + 1; skipped < now; skipped++ {
			start = start || skipped%n == 0
		}
		if start && (!seen[now] || at.Sub(out[len(out)-1]) >= step) {
			out = append(out, at)
		}
		was, seen[now] = now, true
	}
	return out
}

// On the day of a clock change slots began an hour off all the day long, if
// they were further apart than that.
func TestSlotsKeepTheWallClockOverItsChanges(t *testing.T) {
	for _, x := range []struct {
		zone, day string
		step      time.Duration
		want      string // starts by the wall clock
	}{
		{"Europe/Berlin", "2027-03-27", 4 * time.Hour, "00:00 04:00 08:00 12:00 16:00 20:00"},
		{"Europe/Berlin", "2027-03-28", 4 * time.Hour, "00:00 04:00 08:00 12:00 16:00 20:00"},
		{"Europe/Berlin", "2027-03-28", 2 * time.Hour, "00:00 03:00 04:00 06:00 08:00 10:00 12:00 14:00 16:00 18:00 20:00 22:00"}, // 02:00 is skipped
		{"Europe/Berlin", "2027-10-31", 2 * time.Hour, "00:00 02:00 04:00 06:00 08:00 10:00 12:00 14:00 16:00 18:00 20:00 22:00"},
		{"Europe/Berlin", "2027-10-31", 7 * time.Hour, "00:00 07:00 14:00 21:00"},
		{"Australia/Lord_Howe", "2027-04-04", 6 * time.Hour, "00:00 06:00 12:00 18:00"},
		{"Australia/Lord_Howe", "2027-10-03", 6 * time.Hour, "00:00 06:00 12:00 18:00"},
		{"America/Santiago", "2027-09-05", 24 * time.Hour, "01:00"}, // there is no midnight
		{"America/Santiago", "2027-09-05", 5 * time.Hour, "01:00 05:00 10:00 15:00 20:00"},
		{"America/Santiago", "2027-04-03", 8 * time.Hour, "00:00 08:00 16:00"},
		{"America/Havana", "2027-11-07", 24 * time.Hour, "00:00"}, // the first of two
	} {
		zone := ical.LookupZone(x.zone)
		day, err := time.Parse(time.DateOnly, x.day)
		if err != nil {
			t.Fatal(err)
		}
		begin, end := zone.Instant(day), zone.Instant(day.AddDate(0, 0, 1))
		var got []string
		g := &grid{zone: zone, step: int64(x.step / time.Second)}
		for at := g.next(begin.Unix()); at < end.Unix(); at = g.next(at + 1) {
			got = append(got, zone.Wall(time.Unix(at, 0)).Format("15:04"))
		}
		if strings.Join(got, " ") != x.want {
			t.Errorf("%s, %s, %s: %q", x.zone, x.day, x.step, got)
		}
		for _, step := range []time.Duration{x.step, 45 * time.Minute, 20 * time.Minute, 7 * time.Minute, time.Hour} {
			g := &grid{zone: zone, step: int64(step / time.Second)}
			at := begin.Unix() - 1
			for _, want := range startsOf(zone, begin, end, step) {
				if at = g.next(at + 1); at != want.Unix() {
					t.Errorf("%s, %s, %s: %d, want %s", x.zone, x.day, step, at, want)
					break
				}
			}
			if at = g.next(at + 1); at != end.Unix() {
				t.Errorf("%s, %s, %s: %d behind the day", x.zone, x.day, step, at)
			}
		}
	}
}

// model is what a booking is checked against, minute by minute.
type model struct {
	r       Rules
	now     time.Time
	zone    *ical.Zone
	offered span.Set
	busy    []store.BusyTime
}

func (p *place) model(r Rules) *model {
	p.t.Helper()
	m := &model{r: r, now: p.now(), zone: ical.LookupZone("Europe/Berlin")}
	err := p.s.View(p.t.Context(), func(v *store.View) (err error) {
		if m.offered, _, err = v.Offered(p.room, week); err != nil {
			return err
		}
		m.busy, err = v.BusyTimes(p.room, span.Span{Start: week.Start.AddDate(0, -1, 0), End: week.End.AddDate(0, 1, 0)})
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

// slot gives how many can book the slot at an instant.
func (m *model) slot(at time.Time) (left int) {
	if at.Before(m.now.Add(m.r.Notice)) || m.r.Ahead > 0 && at.After(m.now.Add(m.r.Ahead)) {
		return 0
	}
	ours := func(b store.BusyTime) bool { return b.Service == m.r.Service }
	quota := max(1, m.r.Capacity)
	for _, l := range []struct {
		layout string
		most   int
	}{{"2006-01-02", m.r.PerDay}, {"week", m.r.PerWeek}, {"2006-01", m.r.PerMonth}} {
		name := func(t time.Time) string {
			if wall := m.zone.Wall(t); l.layout != "week" {
				return wall.Format(l.layout)
			}
			y, w := m.zone.Wall(t).ISOWeek()
			return fmt.Sprint(y, w)
		}
		n := 0
		for _, b := range m.busy {
			if ours(b) && b.Owner != 1 && name(b.Start) == name(at) {
				n++
			}
		}
		if l.most > 0 {
			quota = min(quota, l.most-n)
		}
	}
	left = quota
	inside := func(t, from, to time.Time) bool { return !t.Before(from) && t.Before(to) }
	for t := at; t.Before(at.Add(m.r.Length)); t = t.Add(time.Minute) {
		if !slices.ContainsFunc(m.offered, func(s span.Span) bool { return inside(t, s.Start, s.End) }) {
			return 0
		}
		n := 0
		for _, b := range m.busy {
			if m.r.Capacity > 1 && ours(b) {
				if inside(t, b.Start.Add(-max(b.Before, m.r.After)), b.End.Add(max(b.After, m.r.Before))) {
					n++
				}
			} else if inside(t, b.Start.Add(-b.Before), b.End.Add(b.After)) {
				return 0
			}
		}
		if left = min(left, max(1, m.r.Capacity)-n); left <= 0 {
			return 0
		}
	}
	for t := at.Add(-m.r.Before); t.Before(at.Add(m.r.Length + m.r.After)); t = t.Add(time.Minute) {
		for _, b := range m.busy {
			if (m.r.Capacity <= 1 || !ours(b)) && inside(t, b.Start, b.End) {
				return 0
			}
		}
	}
	return left
}

func TestOpenNow(t *testing.T) {
	p := newPlace(t)
	at := func(t0 time.Time) (n Now) {
		t.Helper()
		err := p.s.View(t.Context(), func(v *store.View) (err error) {
			n, err = OpenNow(v, p.room, t0)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := at(monday); n.State != IsUnknown || n.Next != "" {
		t.Errorf("%+v", n)
	}
	p.put(p.org, "week", hours("week", "DTSTART;TZID=Europe/Berlin:20270322T080000\n", "MO", "0900", "1700"))
	p.put(p.org, "shut", event("shut", berlin(0, 12, 0), time.Hour, ""))
	p.put(p.room, "busy", event("busy", berlin(0, 10, 0), time.Hour, ""))
	for _, x := range []struct {
		at     time.Time
		state  State
		change time.Time
		next   State
	}{
		{berlin(0, 7, 0), IsUnknown, berlin(0, 8, 0), IsClosed},
		{berlin(0, 8, 0), IsClosed, berlin(0, 9, 0), IsOpen},
		{berlin(0, 10, 30), IsOpen, berlin(0, 12, 0), IsClosed},
		{berlin(0, 12, 30), IsClosed, berlin(0, 13, 0), IsOpen},
		{berlin(0, 17, 0), IsClosed, berlin(7, 9, 0), IsOpen},
	} {
		n := at(x.at)
		if n.State != x.state || !n.Change.Equal(x.change) || n.Next != x.next || (n.Closure != nil) != x.at.Equal(berlin(0, 12, 30)) {
			t.Errorf("%s: %+v", x.at, n)
		}
	}
	p.put(p.org, "week", hours("week", "", "MO", "0900", "1700")[:0]+"BEGIN:VAVAILABILITY\nUID:week\nDTSTAMP:20270101T000000Z\nEND:VAVAILABILITY\n")
	if n := at(monday); n.State != IsClosed || n.Next != "" || n.Hours == nil {
		t.Errorf("%+v", n)
	}
}
