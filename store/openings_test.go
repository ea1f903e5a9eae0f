package store

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"daybook/ical"
	"daybook/ical/span"
)

// openMinutes is the definition of openings, one minute at a time: whether the
// minute that begins at t is spoken of by any availability, and whether it is
// open.
func openMinutes(t time.Time, hours []ical.Availability, busy []span.Span) (known, open bool) {
	inside := func(s span.Span) bool { return !t.Before(s.Start) && t.Before(s.End) }
	best := 10
	for _, a := range hours {
		covers := (a.Window.Start.IsZero() || !t.Before(a.Window.Start)) && (a.Window.End.IsZero() || t.Before(a.Window.End))
		rank := (9 + a.Priority) % 10 // 1 … 9, then 0
		if !covers || rank > best {
			continue
		}
		if rank < best {
			best, open = rank, false
		}
		open = open || slices.ContainsFunc(a.Free, inside)
	}
	return best < 10, open && !slices.ContainsFunc(busy, inside)
}

func TestOpeningsAgreeWithMinuteByMinuteModel(t *testing.T) {
	base := time.Date(2027, 3, 1, 20, 0, 0, 0, time.UTC) // past midnight
	const minutes = 600
	rapid.Check(t, func(t *rapid.T) {
		at := func(label string) time.Time {
			return base.Add(time.Duration(rapid.IntRange(0, minutes).Draw(t, label)) * time.Minute)
		}
		between := func(label string) span.Span {
			a, b := at(label), at(label)
			if b.Before(a) {
				a, b = b, a
			}
			return span.Span{Start: a, End: b}
		}
		hours := make([]ical.Availability, rapid.IntRange(0, 5).Draw(t, "availabilities"))
		for i := range hours {
			a := ical.Availability{Priority: rapid.SampledFrom([]int{0, 1, 5, 9}).Draw(t, "priority"), Busy: ical.BusyUnavailable, Window: between("window")}
			switch rapid.IntRange(0, 5).Draw(t, "open window") {
			case 0:
				a.Window = span.Span{}
			case 1:
				a.Window.Start = time.Time{}
			case 2:
				a.Window.End = time.Time{}
			}
			for range rapid.IntRange(0, 4).Draw(t, "free") {
				f := between("free")
				if !a.Window.Start.IsZero() && f.Start.Before(a.Window.Start) {
					f.Start = a.Window.Start
				}
				if !a.Window.End.IsZero() && f.End.After(a.Window.End) {
					f.End = a.Window.End
				}
				if !f.Empty() {
					a.Free = append(a.Free, f)
				}
			}
			hours[i] = a
		}
		busy := make([]span.Span, rapid.IntRange(0, 6).Draw(t, "busy"))
		for i := range busy {
			busy[i] = between("busy")
		}
		rec := openingsOf(span.Span{Start: base, End: base.Add(minutes * time.Minute)}, hours, busy)

		w := between("asked")
		var got Openings
		scope, packed := &openingsScope{}, map[int64][]byte{}
		rec.split(scope, dayOf(base.Unix()), dayOf(base.Unix()+minutes*60-1), packed)
		var covered, free span.Set
		for day := dayOf(base.Unix()); packed[day] != nil; day++ {
			d, err := unpackDay(day, packed[day])
			if err != nil {
				t.Fatalf("day %d: %v", day, err)
			}
			covered, free = appendSet(covered, d.covered), appendSet(free, d.free)
		}
		if !slices.Equal(free, rec.free) || !slices.Equal(covered, rec.covered) {
			t.Fatalf("stored %+v, read back %v, %v", rec, covered, free)
		}
		got.Known, got.Free = len(covered.Clip(w)) > 0, free.Clip(w)
		wantKnown := false
		for i := range minutes {
			m := base.Add(time.Duration(i) * time.Minute)
			known, open := openMinutes(m, hours, busy)
			asked := !m.Before(w.Start) && m.Before(w.End)
			wantKnown = wantKnown || asked && known
			is := slices.ContainsFunc(got.Free, func(s span.Span) bool { return !m.Before(s.Start) && m.Before(s.End) })
			if is != (open && asked) {
				t.Fatalf("minute %d: open is %v, the model says %v", i, is, open && asked)
			}
		}
		if got.Known != wantKnown {
			t.Fatalf("known is %v, the model says %v", got.Known, wantKnown)
		}
	})
}

func TestDamagedDayOfOpeningsIsNone(t *testing.T) {
	whole := packDay(0, &openingsDay{free: span.Set{{Start: time.Unix(10, 0), End: time.Unix(20, 0)}}})
	for n := range whole {
		if _, err := unpackDay(0, whole[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were read", n, len(whole))
		}
	}
}

func FuzzUnpackDay(f *testing.F) {
	f.Add(packDay(0, &openingsDay{free: span.Set{{Start: time.Unix(10, 0), End: time.Unix(20, 0)}}}))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = unpackDay(0, b) })
}

// house is an organisation in Berlin with a room, in a store of its own.
type house struct {
	t                testing.TB
	s                *Store
	org, room, other *Principal
}

// The week that the tests look at; clocks go forward on its Sunday.
var houseWeek = span.Span{
	Start: time.Date(2027, 3, 21, 23, 0, 0, 0, time.UTC), // Monday 22 March, 00:00 in Berlin
	End:   time.Date(2027, 3, 28, 22, 0, 0, 0, time.UTC),
}

func newHouse(t testing.TB) *house {
	t.Helper()
	return newHouseAt(t, func() time.Time { return time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC) })
}

func newHouseAt(t testing.TB, now func() time.Time) *house {
	t.Helper()
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "daybook.db"), Create: true, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{t: t, s: s, org: &Principal{Kind: KindOrganisation, Name: "demo", Zone: "Europe/Berlin"}}
	h.update(func(tx *Tx) error { return tx.CreatePrincipal(h.org) })
	h.room = h.add(&Principal{Kind: KindRoom, Name: "room", UUID: uuid.MustParse("0197f3c2-0000-7000-8000-0000000000b1")})
	h.other = h.add(&Principal{Kind: KindServicePoint, Name: "desk"})
	return h
}

func (h *house) update(fn func(*Tx) error) {
	h.t.Helper()
	if err := h.s.Update(h.t.Context(), fn); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) add(p *Principal) *Principal {
	h.t.Helper()
	p.Org = h.org.ID
	h.update(func(tx *Tx) error { return tx.CreatePrincipal(p) })
	return p
}

// put stores an object with these components in the principal's calendar.
func (h *house) put(p *Principal, uid, components string) {
	h.t.Helper()
	text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Daybook//test//EN\n" + components + "END:VCALENDAR\n"
	o, err := ical.ParseResource([]byte(strings.ReplaceAll(text, "\n", "\r\n")), ical.Limits{})
	if err != nil {
		h.t.Fatal(err)
	}
	prepared, err := h.s.Prepare(o)
	if err != nil {
		h.t.Fatal(err)
	}
	h.update(func(tx *Tx) error {
		c, err := tx.Calendar(p.ID)
		if err != nil {
			return err
		}
		_, err = tx.PutObject(Put{Actor: System(), Collection: c.ID, Name: uid + ".ics", Object: prepared})
		return err
	})
}

func (h *house) remove(p *Principal, uid string) {
	h.t.Helper()
	h.update(func(tx *Tx) error {
		c, err := tx.Calendar(p.ID)
		if err != nil {
			return err
		}
		return tx.DeleteObject(System(), c.ID, uid+".ics", Cond{})
	})
}

// openings gives those of the week as "Mon 09:00-17:00" in Berlin.
func (h *house) openings(p *Principal) (Openings, []string) {
	h.t.Helper()
	var o Openings
	err := h.s.View(h.t.Context(), func(v *View) (err error) {
		o, err = v.Openings(p.ID, houseWeek)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	zone := ical.LookupZone("Europe/Berlin")
	var out []string
	for _, s := range o.Free {
		out = append(out, zone.Wall(s.Start).Format("Mon 15:04")+"-"+zone.Wall(s.End).Format("15:04"))
	}
	return o, out
}

func (h *house) want(p *Principal, want ...string) {
	h.t.Helper()
	if _, got := h.openings(p); !slices.Equal(got, want) {
		h.t.Errorf("openings of %s: %q, want %q", p.Name, got, want)
	}
}

// hours is a VAVAILABILITY with more lines, open on the days of BYDAY.
func hours(uid, lines, byday, from, to string) string {
	available := ""
	if byday != "" {
		available = "BEGIN:AVAILABLE\nUID:" + uid + "-1\nDTSTAMP:20270101T000000Z\nDTSTART;TZID=Europe/Berlin:20270104T" + from + "00\n" +
			"DTEND;TZID=Europe/Berlin:20270104T" + to + "00\nRRULE:FREQ=WEEKLY;BYDAY=" + byday + "\nEND:AVAILABLE\n"
	}
	return "BEGIN:VAVAILABILITY\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\n" + lines + available + "END:VAVAILABILITY\n"
}

func event(uid, start, end, lines string) string {
	return "BEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20270101T000000Z\nDTSTART;TZID=Europe/Berlin:" + start +
		"\nDTEND;TZID=Europe/Berlin:" + end + "\n" + lines + "END:VEVENT\n"
}

func TestNoAvailabilityMeansThatNothingIsKnown(t *testing.T) {
	h := newHouse(t)
	h.put(h.room, "e", event("e", "20270322T100000", "20270322T110000", ""))
	if o, free := h.openings(h.room); o.Known || len(free) > 0 {
		t.Errorf("known %v, free %q", o.Known, free)
	}
}

func TestOpeningsAreHoursLessBusyTimeOfBothCalendars(t *testing.T) {
	h := newHouse(t)
	h.put(h.org, "week", hours("week", "PRIORITY:9\n", "MO,TU,SU", "0900", "1700"))
	h.want(h.room, "Mon 09:00-17:00", "Tue 09:00-17:00", "Sun 09:00-17:00")
	h.put(h.room, "busy", event("busy", "20270322T100000", "20270322T110000", ""))
	h.put(h.room, "free", event("free", "20270322T120000", "20270322T130000", "TRANSP:TRANSPARENT\n"))
	h.put(h.room, "off", event("off", "20270322T140000", "20270322T150000", "STATUS:CANCELLED\n"))
	h.put(h.other, "else", event("else", "20270322T150000", "20270322T160000", ""))
	h.put(h.org, "closed", "BEGIN:VEVENT\nUID:closed\nDTSTAMP:20270101T000000Z\nDTSTART;VALUE=DATE:20270323\nSUMMARY:Closed\nEND:VEVENT\n")
	h.want(h.room, "Mon 09:00-10:00", "Mon 11:00-17:00", "Sun 09:00-17:00")
	h.want(h.other, "Mon 09:00-15:00", "Mon 16:00-17:00", "Sun 09:00-17:00")
	h.want(h.org, "Mon 09:00-17:00", "Sun 09:00-17:00")
}

func TestBuffersOfEventsTakeTimeToo(t *testing.T) {
	h := newHouse(t)
	h.put(h.room, "week", hours("week", "", "MO", "0900", "1700"))
	h.put(h.room, "e", event("e", "20270322T100000", "20270322T110000", "X-DAYBOOK-BUFFER-BEFORE:PT15M\nX-DAYBOOK-BUFFER-AFTER:PT30M\n"))
	h.want(h.room, "Mon 09:00-09:45", "Mon 11:30-17:00")
	h.put(h.room, "after", event("after", "20270329T020000", "20270329T030000", "X-DAYBOOK-BUFFER-BEFORE:P1D\n"))
	h.put(h.room, "sunday", hours("sunday", "DTSTART;TZID=Europe/Berlin:20270328T000000\nPRIORITY:1\n", "SU", "0000", "0300"))
	h.want(h.room, "Mon 09:00-09:45", "Mon 11:30-17:00", "Sun 00:00-01:00")
}

func TestHigherPriorityReplacesTheLowerOneInItsWindow(t *testing.T) {
	h := newHouse(t)
	h.put(h.org, "week", hours("week", "PRIORITY:9\n", "MO,TU,WE", "0900", "1700"))
	h.put(h.room, "tuesday", hours("tuesday",
		"PRIORITY:1\nDTSTART;TZID=Europe/Berlin:20270323T000000\nDTEND;TZID=Europe/Berlin:20270324T000000\n", "TU", "1200", "1300"))
	h.want(h.room, "Mon 09:00-17:00", "Tue 12:00-13:00", "Wed 09:00-17:00")
	h.want(h.other, "Mon 09:00-17:00", "Tue 09:00-17:00", "Wed 09:00-17:00")
}

func TestHoursThatNameServicePointsHoldForTheseAlone(t *testing.T) {
	h := newHouse(t)
	h.put(h.org, "week", hours("week", "PRIORITY:9\n", "MO", "0900", "1700"))
	h.put(h.org, "spring", hours("spring", "PRIORITY:5\nX-DAYBOOK-SERVICE-POINT:"+h.other.UUID.String()+"\n", "MO,TU", "1000", "1200"))
	h.put(h.org, "nobody", hours("nobody", "PRIORITY:4\nX-DAYBOOK-SERVICE-POINT:\n", "WE", "1000", "1200"))
	h.put(h.org, "exception", hours("exception", "PRIORITY:1\nRELATED-TO;RELTYPE=PARENT:spring\n"+
		"DTSTART;TZID=Europe/Berlin:20270323T000000\nDTEND;TZID=Europe/Berlin:20270324T000000\n", "", "", ""))
	h.want(h.room, "Mon 09:00-17:00")
	h.want(h.other, "Mon 10:00-12:00")
	h.want(h.org, "Mon 09:00-17:00")
	h.remove(h.org, "spring") // its exception is without a calendar and holds nowhere
	h.want(h.other, "Mon 09:00-17:00")
}

// Neither the hours nor the event has rows in the index: their times stand on
// the zone that is asked for, or are too many.
func TestHoursThatBecameAnEventWithoutRowsAreForgotten(t *testing.T) {
	h := newHouse(t)
	h.put(h.org, "week", hours("week", "PRIORITY:9\n", "MO", "0900", "1700"))
	h.put(h.org, "x", hours("x", "PRIORITY:1\nDTSTART:20270322T000000\nDURATION:P1DT1M\n", "MO", "1000", "1100"))
	h.refresh(h.org, houseWeek.Start, 7)
	h.put(h.org, "x", event("x", "20270322T100000", "20270322T101000", "RRULE:FREQ=HOURLY;INTERVAL=5;COUNT=1500\nTRANSP:TRANSPARENT\n"))
	h.want(h.org, "Mon 09:00-17:00")
	h.want(h.room, "Mon 09:00-17:00")
	h.remove(h.org, "x")
	h.want(h.org, "Mon 09:00-17:00")
	if n := len(h.keys(tableHours)); n != 1 {
		t.Errorf("%d rows of hours", n)
	}
	h.update(func(tx *Tx) error { // as older versions could leave it behind
		c, err := tx.Calendar(h.org.ID)
		tx.put(hoursKey(c.ID, 999), packer{packedV1, 0, 0})
		return err
	})
	h.want(h.room, "Mon 09:00-17:00")
}

func TestAChangeCostsItsOwnDays(t *testing.T) {
	h := newHouse(t)
	h.put(h.room, "week", hours("week", "", "MO,TU,WE,TH,FR", "0900", "1700"))
	refresh := func(p *Principal, want int) {
		t.Helper()
		if n, err := h.s.RefreshOpenings(t.Context(), p.ID, houseWeek.Start, 7); err != nil || n != want {
			t.Errorf("refresh of %s: %d days, want %d: %v", p.Name, n, want, err)
		}
	}
	stored := func(want bool) {
		t.Helper()
		if o, _ := h.openings(h.room); o.Stored != want {
			t.Errorf("stored is %v, want %v", o.Stored, want)
		}
	}
	stored(false)
	refresh(h.room, 8) // a week in Berlin touches eight days of UTC
	refresh(h.room, 0)
	refresh(h.other, 8)
	stored(true)

	h.put(h.other, "else", event("else", "20270322T100000", "20270322T110000", ""))
	stored(true)
	h.put(h.room, "e", event("e", "20270322T100000", "20270322T110000", ""))
	stored(false)
	h.want(h.room, "Mon 09:00-10:00", "Mon 11:00-17:00", "Tue 09:00-17:00", "Wed 09:00-17:00", "Thu 09:00-17:00", "Fri 09:00-17:00")
	refresh(h.room, 1)
	stored(true)
	h.put(h.room, "e", event("e", "20270322T100000", "20270322T110000", "SUMMARY:Another\n"))
	stored(true)
	h.put(h.room, "e", event("e", "20270324T100000", "20270324T110000", "X-DAYBOOK-BUFFER-AFTER:PT15H\n"))
	refresh(h.room, 3) // the day it was on, its own, and that of its buffer
	h.put(h.room, "e", event("e", "20270324T100000", "20270324T110000", "X-DAYBOOK-BUFFER-BEFORE:PT15H\n"))
	refresh(h.room, 3) // those of both buffers
	h.put(h.room, "e", event("e", "20270324T100000", "20270324T110000", "TRANSP:TRANSPARENT\n"))
	refresh(h.room, 2)
	h.put(h.org, "closed", event("closed", "20270326T090000", "20270326T120000", ""))
	stored(false)
	refresh(h.room, 1)
	stored(true)
	refresh(h.other, 2)
	h.remove(h.room, "week")
	refresh(h.room, 8)
	h.update(func(tx *Tx) error {
		org, err := tx.Principal(h.org.ID)
		if err != nil {
			return err
		}
		org.Zone = "Europe/London"
		return tx.UpdatePrincipal(org)
	})
	stored(false)
	refresh(h.room, 7) // a week in London
	if n, err := h.s.RefreshOpenings(t.Context(), h.room.ID, houseWeek.Start, 14); err != nil || n != 7 {
		t.Errorf("more days: %d, %v", n, err)
	}
	refresh(h.room, 0)
	if keys := len(h.keys(tableOpenings)); keys != 7+8+17 {
		t.Errorf("%d days are stored", keys)
	}
}

// The job moves it each day; hours without end are among what it looks at. The
// basis stays too, so that no client reads the same openings again.
func TestMovingTheHorizonLeavesOpeningsAlone(t *testing.T) {
	h := newHouse(t)
	h.put(h.org, "week", hours("week", "PRIORITY:9\n", "MO", "0900", "1700"))
	h.put(h.room, "own", hours("own", "DTSTART;TZID=Europe/Berlin:20270101T000000\n", "TU", "0900", "1700"))
	h.put(h.room, "e", event("e", "20270322T100000", "20270322T110000", "RRULE:FREQ=WEEKLY\n"))
	for years := range 3 {
		for _, p := range []*Principal{h.org, h.room} {
			h.refresh(p, houseWeek.Start, 60)
		}
		before, _ := h.openings(h.room)
		moved := 0
		for done := false; !done; {
			var n int
			var err error
			if n, done, err = h.s.ExtendHorizon(t.Context(), houseWeek.Start.AddDate(1+years, 3, 0)); err != nil {
				t.Fatal(err)
			}
			moved += n
		}
		if moved != 3 {
			t.Errorf("%d objects were looked at", moved)
		}
		for _, p := range []*Principal{h.org, h.room} {
			if n, err := h.s.RefreshOpenings(t.Context(), p.ID, houseWeek.Start, 60); err != nil || n != 0 {
				t.Errorf("%s: %d days were lost, %v", p.Name, n, err)
			}
		}
		if after, _ := h.openings(h.room); after.Basis != before.Basis || !slices.Equal(after.Free, before.Free) {
			t.Errorf("the openings were %+v and are %+v", before, after)
		}
	}
	if _, err := h.s.Check(t.Context(), false, func(p Problem) { t.Errorf("%+v", p) }); err != nil {
		t.Fatal(err)
	}
}

func TestOpeningsRefuseWhatTheyCannotAnswer(t *testing.T) {
	h := newHouse(t)
	user := h.add(&Principal{Kind: KindUser, Name: "ada"})
	for _, x := range []struct {
		name string
		p    PrincipalID
		w    span.Span
		want error
	}{
		{"user", user.ID, houseWeek, ErrInvalid},
		{"unknown", 999, houseWeek, ErrNotFound},
		{"empty", h.room.ID, span.Span{Start: houseWeek.Start, End: houseWeek.Start}, ErrInvalid},
		{"endless", h.room.ID, span.Span{Start: houseWeek.Start, End: houseWeek.Start.AddDate(4, 0, 0)}, ErrInvalid},
	} {
		err := h.s.View(t.Context(), func(v *View) error {
			_, err := v.Openings(x.p, x.w)
			return err
		})
		if !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", x.name, err, x.want)
		}
	}
	for _, days := range []int{0, MaxOpeningsDays + 1} {
		if _, err := h.s.RefreshOpenings(t.Context(), h.room.ID, houseWeek.Start, days); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d days: %v", days, err)
		}
	}
}

func BenchmarkOpeningsOfTwoMonthsAmongTenThousandEvents(b *testing.B) {
	h := newHouse(b)
	h.put(h.org, "week", hours("week", "PRIORITY:9\n", "MO,TU,WE,TH,FR", "0900", "1700"))
	const events = 10_000 // over four years
	prepared := make([]*Prepared, events)
	for i := range prepared {
		at := time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * 7 * time.Hour / 2)
		o, err := ical.ParseResource([]byte(strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Daybook//test//EN\n"+
			event("e"+strconv.Itoa(i), at.Format("20060102T150405"), at.Add(time.Hour).Format("20060102T150405"), "")+
			"END:VCALENDAR\n", "\n", "\r\n")), ical.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		if prepared[i], err = h.s.Prepare(o); err != nil {
			b.Fatal(err)
		}
	}
	h.update(func(tx *Tx) error {
		c, err := tx.Calendar(h.room.ID)
		if err != nil {
			return err
		}
		for i, p := range prepared {
			if _, err := tx.PutObject(Put{Actor: System(), Collection: c.ID, Name: strconv.Itoa(i) + ".ics", Object: p}); err != nil {
				return err
			}
		}
		return nil
	})
	ask := func(b *testing.B, stored bool) {
		for b.Loop() {
			err := h.s.View(b.Context(), func(v *View) error {
				o, err := v.Openings(h.room.ID, span.Span{Start: houseWeek.Start, End: houseWeek.Start.AddDate(0, 0, 60)})
				if len(o.Free) == 0 || o.Stored != stored {
					b.Fatalf("stored %v, %d openings", o.Stored, len(o.Free))
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("computed", func(b *testing.B) { ask(b, false) })
	if _, err := h.s.RefreshOpenings(b.Context(), h.room.ID, houseWeek.Start, 61); err != nil {
		b.Fatal(err)
	}
	b.Run("stored", func(b *testing.B) { ask(b, true) })
}

func (h *house) keys(table byte) (out []key) {
	h.t.Helper()
	err := h.s.View(h.t.Context(), func(v *View) error {
		out = v.keys(newKey(table))
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}
