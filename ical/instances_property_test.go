package ical

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/ical/span"
)

// randomObject writes an object with rules, dates and overrides.
func randomObject(rnd *rand.Rand) string {
	rule, start := randomRule(rnd)
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "Pacific/Apia", "America/Santiago"}
	tzid := zones[rnd.IntN(len(zones))]
	form := rnd.IntN(4)
	value := func(t time.Time) string {
		switch form {
		case 0:
			return ":" + t.Format("20060102T150405Z")
		case 1:
			return ":" + t.Format("20060102T150405")
		case 2:
			return ";VALUE=DATE:" + t.Format("20060102")
		}
		return ";TZID=" + tzid + ":" + t.Format("20060102T150405")
	}
	later := func() time.Time { return start.Add(time.Duration(rnd.IntN(400*24)) * time.Hour) }
	lines := []string{"DTSTART" + value(start), "RRULE:" + rule}
	if form == 2 {
		lines = append(lines, "DURATION:P"+fmt.Sprint(1+rnd.IntN(3))+"D")
	} else {
		lines = append(lines, []string{"DURATION:PT1H", "DURATION:P1D", "DURATION:P1DT5M", "DURATION:PT30H", "SUMMARY:x"}[rnd.IntN(5)])
	}
	for range rnd.IntN(3) {
		lines = append(lines, "RDATE"+value(later()))
	}
	for range rnd.IntN(3) {
		lines = append(lines, "EXDATE"+value(start.AddDate(0, 0, rnd.IntN(30))))
	}
	if form == 0 && rnd.IntN(2) == 0 {
		lines = append(lines, "RDATE;VALUE=PERIOD:"+later().Format(utcLayout)+"/P3DT1H")
	}
	parts := []string{component("VEVENT", lines...)}
	for range rnd.IntN(4) {
		rid := start.AddDate(0, 0, rnd.IntN(60))
		rng := ""
		if rnd.IntN(2) == 0 {
			rng = ";RANGE=THISANDFUTURE"
		}
		parts = append(parts, component("VEVENT", "RECURRENCE-ID"+rng+value(rid), "DTSTART"+value(rid.Add(time.Duration(rnd.IntN(200)-100)*time.Hour)), "DURATION:P1D"))
	}
	return calendar(parts...)
}

func instanceKey(i *Instance) string {
	return fmt.Sprint(i.Start.Unix(), i.End.Unix(), i.RecurrenceID.Unix(), i.Wall.Unix(), i.WallEnd.Unix(), i.Component.no)
}

func TestWindowsAreConsistent(t *testing.T) {
	n := uint64(400)
	if testing.Short() {
		n = 50
	}
	for seed := range n {
		rnd := rand.New(rand.NewPCG(seed, 11))
		text := randomObject(rnd)
		checkWindows(t, rnd, text)
		if t.Failed() {
			t.Fatalf("seed %d\n%s", seed, text)
		}
	}
}

// checkWindows compares an expansion with those of two halves of its window,
// and looks at the order, the extent and the membership of each instance.
func checkWindows(t *testing.T, rnd *rand.Rand, text string) {
	t.Helper()
	o, err := Parse([]byte(text), DefaultLimits)
	if err != nil {
		return
	}
	x := Expand{Max: 3000, Work: 300_000, Zone: LookupZone("America/New_York")}
	ext := o.Extent()
	a := ext.First
	if a.IsZero() || a.Year() > 9000 {
		return
	}
	a = a.Add(time.Duration(rnd.IntN(400*24)) * time.Hour)
	length := []time.Duration{time.Hour, 24 * time.Hour, 40 * 24 * time.Hour, 700 * 24 * time.Hour}[rnd.IntN(4)]
	b := a.Add(time.Duration(rnd.Int64N(int64(length)))).Truncate(time.Second)
	c := a.Add(length)
	expand := func(from, to time.Time) ([]Instance, bool) {
		x.Window = span.Span{Start: from, End: to}
		list, err := o.Instances(x)
		return list, err == nil
	}
	whole, ok0 := expand(a, c)
	left, ok1 := expand(a, b)
	right, ok2 := expand(b, c)
	for i := 1; i < len(whole); i++ {
		p, q := whole[i-1], whole[i]
		if d := p.Start.Compare(q.Start); d > 0 || d == 0 && p.RecurrenceID.Compare(q.RecurrenceID) >= 0 {
			t.Errorf("not in order: %s", shown(whole[i-1:i+1]))
		}
	}
	if ok0 && ok1 && ok2 {
		want := make(map[string]bool)
		for _, list := range [][]Instance{left, right} {
			for i := range list {
				want[instanceKey(&list[i])] = true
			}
		}
		for i := range whole {
			if !want[instanceKey(&whole[i])] {
				t.Errorf("%s of [%s, %s) is not in the halves cut at %s", shown(whole[i:i+1]), a, c, b)
			}
		}
		if len(whole) != len(want) {
			t.Errorf("%d instances in [%s, %s), %d in the halves cut at %s", len(whole), a, c, len(want), b)
		}
	}
	if walked, ok := expand(time.Time{}, c); ok && ok0 {
		// Jumping to the window gives what walking to it gives.
		walked = slices.DeleteFunc(walked, func(i Instance) bool { return !i.End.After(a) && (i.End.After(i.Start) || i.Start.Before(a)) })
		if got, want := shown(whole), shown(walked); got != want {
			t.Errorf("[%s, %s):\njumped %s\nwalked %s", a, c, got, want)
		}
	}
	for i := range whole[:min(len(whole), 50)] {
		in := &whole[i]
		if in.Start.Before(ext.First) || ext.Bounded && in.End.After(ext.Last) {
			t.Errorf("%s to %s is outside of the extent %+v", in.Start, in.End, ext)
		}
		if in.End.Before(in.Start) {
			t.Errorf("%s ends before it begins", shown(whole[i:i+1]))
		}
		if !in.RecurrenceID.IsZero() && !o.HasInstance(in.RecurrenceID, x.Zone) {
			t.Errorf("%s is not found by its RECURRENCE-ID", shown(whole[i:i+1]))
		}
		if o.HasInstance(in.RecurrenceID.Add(37*time.Second), x.Zone) && !slices.ContainsFunc(whole, func(j Instance) bool {
			return j.RecurrenceID.Equal(in.RecurrenceID.Add(37 * time.Second))
		}) && strings.Count(text, "SECOND") == 0 {
			t.Errorf("an instance 37 seconds after %s is found", in.RecurrenceID)
		}
	}
}

// expandSeed is an input of FuzzExpand: the parts of an object that make its
// times, so that what the fuzzer writes is mostly read.
type expandSeed struct{ start, rule, more string }

func (e expandSeed) text() string {
	lines := []string{"DTSTART" + e.start}
	if e.rule != "" {
		lines = append(lines, "RRULE:"+e.rule)
	}
	if e.more != "" {
		lines = append(lines, e.more)
	}
	return calendar(outlookZone, component("VEVENT", lines...))
}

func expandSeeds() []expandSeed {
	override := "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:u\r\nRECURRENCE-ID"
	all := []expandSeed{
		{";TZID=Europe/Berlin:20260105T090000", "FREQ=DAILY;BYDAY=MO,TU;BYSETPOS=1,-1", "EXDATE:20260107T080000Z"},
		{";VALUE=DATE:20260105", "FREQ=YEARLY;BYWEEKNO=-1,53;SKIP=FORWARD;RSCALE=GREGORIAN", "DTEND;VALUE=DATE:20260108"},
		{";TZID=Corp Time:20260105T090000", "", "RDATE;VALUE=PERIOD:20260105T090000Z/P1D\r\nEXRULE:FREQ=WEEKLY;BYDAY=TU"},
		{":20260105T090000", "FREQ=MINUTELY;INTERVAL=7;BYHOUR=1,2,3;COUNT=5000", "DURATION:P1DT5M"},
		{":20260131T013000", "FREQ=MONTHLY;BYMONTHDAY=-31,31;SKIP=BACKWARD;RSCALE=GREGORIAN", override + ";RANGE=THISANDFUTURE:20260331T013000\r\nDTSTART:20260402T013000"},
		{";TZID=America/New_York:20260308T023000", "FREQ=HOURLY;UNTIL=20260401T000000Z", override + ":20260308T093000Z\r\nDTSTART:20260308T100000Z"},
	}
	for seed := range uint64(20) {
		rule, start := randomRule(rand.New(rand.NewPCG(seed, 3)))
		all = append(all, expandSeed{";TZID=Europe/Berlin:" + start.Format("20060102T150405"), rule, "DURATION:PT1H"})
	}
	return all
}

func TestSeedsOfFuzzExpandAreRead(t *testing.T) {
	for _, e := range expandSeeds() {
		o, err := ParseResource([]byte(e.text()), DefaultLimits)
		if err != nil {
			t.Errorf("%v: %+v", err, e)
			continue
		}
		n := 0
		err = o.EachInstance(Expand{Max: 100}, func(*Instance) bool { n++; return true })
		var limit *LimitError
		if o.CheckTimes() != nil || n == 0 || err != nil && !errors.As(err, &limit) {
			t.Errorf("%d instances, %v, %v: %+v", n, o.CheckTimes(), err, e)
		}
	}
}

// FuzzExpand: an expansion of [a,c) is those of [a,b) and [b,c), ordered, within
// its budget and in time.
func FuzzExpand(f *testing.F) {
	for i, e := range expandSeeds() {
		f.Add(uint64(i), e.start, e.rule, e.more)
	}
	f.Fuzz(func(t *testing.T, seed uint64, start, rule, more string) {
		text := expandSeed{start, rule, more}.text()
		if len(text) > 4096 {
			return
		}
		began := time.Now()
		checkWindows(t, rand.New(rand.NewPCG(seed, 5)), text)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
		o, err := Parse([]byte(text), DefaultLimits)
		if err != nil {
			return
		}
		n := 0
		err = o.EachInstance(Expand{Max: 10, Work: 1000}, func(*Instance) bool { n++; return true })
		var limit *LimitError
		if n > 10 || err != nil && !errors.As(err, &limit) {
			t.Errorf("%d instances, %v", n, err)
		}
	})
}

func TestDailyAndHourlyRulesOverTheChangesOfEveryZone(t *testing.T) {
	every := 1
	if testing.Short() {
		every = 20
	}
	n := 0
	for _, z := range zoneList(t) {
		for _, seg := range z.segs[1:] {
			if seg.from < utc(2000, 1, 1, 0, 0).Unix() || seg.from > utc(2041, 1, 1, 0, 0).Unix() {
				continue
			}
			if n++; n%every != 0 {
				continue
			}
			// A start that meets the gap or the hour that comes twice.
			around := civilTime(seg.from + seg.offset).Add(time.Duration(n%5-2) * 17 * time.Minute)
			compareNaive(t, z, around.AddDate(0, 0, -3), "DAILY", 24*time.Hour, 6)
			compareNaive(t, z, around.Add(-30*time.Hour), "HOURLY", time.Hour, 60)
			compareNaive(t, z, around.Add(-5*time.Hour), "MINUTELY;INTERVAL=20", 20*time.Minute, 30)
		}
	}
}

// compareNaive compares a rule with its wall clocks placed one by one.
func compareNaive(t *testing.T, z *Zone, start time.Time, rule string, step time.Duration, count int) {
	t.Helper()
	var want []int64
	for i := range count {
		want = append(want, naiveInstant(z.loc, start.Add(time.Duration(i)*step)).Unix())
	}
	want = sortedUnique(want)
	o := parseText(t, calendar(component("VEVENT", "DTSTART;TZID="+z.name+":"+start.Format("20060102T150405"), fmt.Sprintf("RRULE:FREQ=%s;COUNT=%d", rule, count))))
	var got []int64
	if err := o.EachInstance(Expand{}, func(i *Instance) bool { got = append(got, i.Start.Unix()); return true }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s from %s in %s:\n got %s\nwant %s", rule, start, z.name, civilText(got), civilText(want))
	}
}

func TestUntilIsExactOverChanges(t *testing.T) {
	for _, c := range []struct {
		tzid  string
		start time.Time
	}{
		{"Europe/Berlin", utc(2026, 3, 28, 20, 15)},
		{"Europe/Berlin", utc(2026, 10, 24, 20, 15)},
		{"Australia/Lord_Howe", utc(2026, 4, 4, 20, 15)},
		{"Pacific/Apia", utc(2011, 12, 29, 15, 15)},
		{"America/Santiago", utc(2025, 9, 6, 15, 15)},
	} {
		z := LookupZone(c.tzid)
		first := naiveInstant(z.loc, c.start)
		for until := first; until.Before(first.Add(40 * time.Hour)); until = until.Add(25 * time.Minute) {
			var want []int64
			for i := range 140 {
				if at := naiveInstant(z.loc, c.start.Add(time.Duration(i)*30*time.Minute)); !at.After(until) {
					want = append(want, at.Unix())
				}
			}
			want = sortedUnique(want)
			o := parseText(t, calendar(component("VEVENT", "DTSTART;TZID="+c.tzid+":"+c.start.Format("20060102T150405"),
				"RRULE:FREQ=MINUTELY;INTERVAL=30;UNTIL="+until.Format(utcLayout))))
			var got []int64
			_ = o.EachInstance(Expand{}, func(i *Instance) bool { got = append(got, i.Start.Unix()); return true })
			if !slices.Equal(got, want) {
				t.Fatalf("%s until %s:\n got %s\nwant %s", c.tzid, until, civilText(got), civilText(want))
			}
		}
	}
}
