package store

import (
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// Random calendars, whose openings are compared with those of the model in
// minutemodel_test.go: a case is one calendar and one span of up to three days.

var (
	minuteWorlds = flag.Int("minute-worlds", 26, "organisations whose openings are compared with the model; each is some 400 cases")
	minuteSeed   = flag.Int("minute-seed", 0, "the first of them")
)

// compare asks for openings of random spans.
func (w *minuteWorld) compare(spans int) (cases int) {
	w.t.Helper()
	for _, p := range w.everybody() {
		f := newMinuteFacts(w.from, w.to, p.UUID.String(), &p.mCalendar, &w.org.mCalendar)
		for _, h := range p.held {
			f.mark(f.busy, h.start, h.end)
		}
		err := w.s.View(w.t.Context(), func(v *View) error {
			for range spans {
				a := w.from + w.r.Int64N(w.to-w.from-1)
				b := min(w.to, a+1+w.r.Int64N(3*mDay))
				if err := w.spanAgrees(v, p, f, a, b); err != nil {
					return err
				}
				cases++
			}
			return nil
		})
		if err != nil {
			w.t.Fatalf("world %d (%s), %s: %v", w.seed, w.era, p.Name, err)
		}
	}
	return cases
}

// spans gives the minutes of a span for which is is true, as spans.
func (f *mFacts) spans(a, b int64, is func(i int64) bool) (out span.Set) {
	for m := a; m < b; m++ {
		if !is(m - f.from) {
			continue
		}
		end := m + 1
		for end < b && is(end-f.from) {
			end++
		}
		out = append(out, span.Span{Start: time.Unix(m*60, 0).UTC(), End: time.Unix(end*60, 0).UTC()})
		m = end
	}
	return out
}

// spanAgrees is one case: all that the store says of a span.
func (w *minuteWorld) spanAgrees(v *View, p *minutePrincipal, f *mFacts, a, b int64) error {
	asked := span.Span{Start: time.Unix(a*60, 0).UTC(), End: time.Unix(b*60, 0).UTC()}
	covered := f.spans(a, b, func(i int64) bool { return f.covered[i] })
	offered := f.spans(a, b, func(i int64) bool { return f.offered[i] })
	busy := f.spans(a, b, func(i int64) bool { return f.busy[i] })
	free := f.spans(a, b, func(i int64) bool { return f.offered[i] && !f.busy[i] })

	gotOffered, gotCovered, err := v.Offered(p.ID, asked)
	if err != nil {
		return err
	}
	w.same(p, asked, "covered", gotCovered, covered)
	w.same(p, asked, "offered", gotOffered, offered)
	times, err := v.BusyTimes(p.ID, asked)
	if err != nil {
		return err
	}
	var taken []span.Span
	for _, x := range times {
		taken = append(taken, span.Span{Start: x.Start.Add(-x.Before), End: x.End.Add(x.After)})
	}
	w.same(p, asked, "busy", span.Union(taken...).Clip(asked), busy)
	is, err := v.Taken(p.ID, asked)
	if err != nil {
		return err
	}
	if is != (len(busy) > 0) {
		w.fail(p, asked, fmt.Sprintf("taken is %v, the model says %v", is, busy))
	}
	o, err := v.Openings(p.ID, asked)
	if err != nil {
		return err
	}
	w.same(p, asked, fmt.Sprintf("open (stored: %v)", o.Stored), o.Free, free)
	if o.Known != (len(covered) > 0) {
		w.fail(p, asked, fmt.Sprintf("known is %v, the model says %v", o.Known, covered))
	}
	return nil
}

func (w *minuteWorld) same(p *minutePrincipal, asked span.Span, what string, have, want span.Set) {
	w.t.Helper()
	if !slices.Equal(have, want) {
		w.fail(p, asked, fmt.Sprintf("%s:\n  store %v\n  model %v", what, have, want))
	}
}

// fail prints the objects of which package ical says what the model does not,
// or all where there are none.
func (w *minuteWorld) fail(p *minutePrincipal, asked span.Span, text string) {
	w.t.Helper()
	var all, wrong string
	for _, owner := range slices.Compact([]*minutePrincipal{w.org, p}) {
		for _, uid := range slices.Sorted(maps.Keys(owner.objects)) {
			o := w.text(owner.objects[uid])
			all += owner.Name + " in " + owner.clock.name + "\n" + o
			if diff := w.alone(owner, owner.objects[uid], asked); diff != "" {
				wrong += diff + "\n" + owner.Name + " in " + owner.clock.name + "\n" + o
			}
		}
	}
	if wrong != "" {
		all = wrong
	}
	w.t.Fatalf("world %d (%s), %s, %v: %s\n%sheld: %v", w.seed, w.era, p.Name, asked, text, all, p.held)
}

// alone compares one object with what package ical says of it.
func (w *minuteWorld) alone(p *minutePrincipal, x *mObject, asked span.Span) string {
	o, err := ical.Parse([]byte(w.text(x)), ical.Limits{})
	if err != nil {
		return err.Error()
	}
	zone := ical.LookupZone(p.clock.name)
	if p.clock.timezone != "" {
		zone, err = ical.ParseZone(minuteText(p.clock.timezone))
	}
	if err != nil {
		return err.Error()
	}
	c := &mCalendar{clock: p.clock, objects: map[string]*mObject{"": x}}
	f := newMinuteFacts(w.from, w.to, "", c, c)
	within := ical.Expand{Window: asked, Zone: zone}
	if x.hours != nil {
		hours, err := o.Availabilities(within)
		rec := openingsOf(asked, hours, nil)
		want := f.spans(asked.Start.Unix()/60, asked.End.Unix()/60, func(i int64) bool { return f.offered[i] })
		if x.hours.points == nil && x.hours.parent == "" && !slices.Equal(rec.free, want) {
			return fmt.Sprintf("offered: %v, the model: %v (%v)", rec.free, want, err)
		}
		return ""
	}
	if x.event.endless {
		return ""
	}
	var busy []span.Span
	err = o.EachInstance(within, func(i *ical.Instance) bool {
		if i.Component.BusyType() != ical.BusyFree {
			busy = append(busy, i.Span().Clip(asked))
		}
		return true
	})
	f.busy = make([]bool, len(f.busy))
	f.take(x.event, p.clock, false)
	want := f.spans(asked.Start.Unix()/60, asked.End.Unix()/60, func(i int64) bool { return f.busy[i] })
	if have := span.Union(busy...); !slices.Equal(have, want) {
		return fmt.Sprintf("busy: %v, the model: %v (%v)", have, want, err)
	}
	return ""
}

// refresh stores days of some.
func (w *minuteWorld) refresh() {
	for range 2 {
		p := pick(w.r, w.everybody()...)
		from := time.Unix((w.from+w.r.Int64N(3*mDay))*60, 0)
		if _, err := w.s.RefreshOpenings(w.t.Context(), p.ID, from, 1+w.r.IntN(8)); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestOpeningsOfRandomCalendarsAgreeWithMinutes(t *testing.T) {
	worlds := *minuteWorlds
	if testing.Short() {
		worlds = min(worlds, 2)
	}
	var clock atomic.Int64
	clock.Store(time.Date(2027, 3, 20, 9, 0, 0, 0, time.UTC).Unix())
	s, err := Open(t.Context(), Options{
		Path: filepath.Join(t.TempDir(), "daybook.db"), Create: true,
		Now: func() time.Time { return time.Unix(clock.Load(), 0).UTC() },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	clocks := &minuteClocks{made: map[string]*mClock{}}
	cases := 0
	for n := range worlds {
		w := newMinuteWorld(t, s, clocks, uint64(*minuteSeed+n))
		for _, p := range w.everybody() {
			for range 3 + w.r.IntN(8) {
				w.collect(p)
			}
		}
		w.write(0)
		cases += w.compare(17)
		w.hold()
		clock.Add(120) // some of the holds end
		for range 2 {
			w.refresh()
			for range 8 {
				w.collect(pick(w.r, w.everybody()...))
			}
			w.write(2)
			cases += w.compare(18)
		}
	}
	if _, err := s.Check(t.Context(), false, func(p Problem) { t.Errorf("%+v", p) }); err != nil {
		t.Fatal(err)
	}
	if cases < 10_000 && worlds >= 26 {
		t.Errorf("%d cases", cases)
	}
}
