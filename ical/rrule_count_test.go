package ical

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCountEndsWhereWalkingEnds: however COUNT is counted, the last instance
// is the one that is reached by going from one to the next.
func TestCountEndsWhereWalkingEnds(t *testing.T) {
	n := uint64(120)
	if testing.Short() {
		n = 10
	}
	for seed := range n {
		rnd := rand.New(rand.NewPCG(seed, 17))
		text, start := randomRule(rnd)
		var parts []string
		for part := range strings.SplitSeq(text, ";") {
			if !strings.HasPrefix(part, "COUNT=") && !strings.HasPrefix(part, "UNTIL=") {
				parts = append(parts, part)
			}
		}
		text = strings.Join(parts, ";")
		all := civilUpTo(t, text, start, 1+rnd.IntN(20_000))
		if len(all) == 0 {
			continue
		}
		count := len(all)
		if all[0] != start.Unix() {
			count++ // DTSTART counts, on the rule or not
		}
		counted := fmt.Sprintf("%s;COUNT=%d", text, count)
		r, err := parseRule(counted)
		if err != nil {
			t.Fatal(err)
		}
		p := newPlan(r, start.Unix(), Floating, UTCZone)
		if p.unfinished {
			continue
		}
		// The end of a rule that has not so many instances is open.
		if last := all[len(all)-1]; p.end != last && p.end < maxCivil-366*daySeconds {
			t.Fatalf("seed %d: %s from %s ends at %s, want %s", seed, counted, start, civilTime(p.end), civilTime(last))
		}
	}
}

// civilUpTo gives the first most instances of a rule.
func civilUpTo(t *testing.T, text string, start time.Time, most int) []int64 {
	t.Helper()
	r, err := parseRule(text)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlan(r, start.Unix(), Floating, UTCZone)
	if p == nil {
		return nil
	}
	work := 2_000_000
	it := newWalker(p, &work)
	it.seek(start.Unix())
	var all []int64
	for len(all) < most {
		c, ok := it.next()
		if !ok {
			break
		}
		all = append(all, c)
	}
	if work < 0 {
		return nil
	}
	return all
}

func TestCountingIsKept(t *testing.T) {
	text := calendar(component("VEVENT", "DTSTART;TZID=Europe/Berlin:20060102T090000", "RRULE:FREQ=WEEKLY;COUNT=3",
		"RRULE:FREQ=HOURLY;INTERVAL=7;BYHOUR=9;BYDAY=MO;COUNT=20000", "EXRULE:FREQ=HOURLY;INTERVAL=5;BYHOUR=9;COUNT=5000"))
	o := parseText(t, text)
	kept := o.Counted()
	if len(kept) == 0 || len(kept) > 32 {
		t.Fatalf("kept %x", kept)
	}
	again := parseText(t, text)
	again.SetCounted(kept)
	if c := again.seriesOf().rules[1].counted.Load(); c == nil || *c != (countEnd{o.seriesOf().rules[1].counted.Load().end, false, keptWork}) {
		t.Errorf("taken %+v", c)
	}
	if !slices.Equal(again.Counted(), kept) {
		t.Error("what is kept changes")
	}
	for _, zone := range []string{"Europe/Berlin", "Asia/Tokyo"} {
		x := Expand{Zone: LookupZone(zone)}
		a, _ := o.Instances(x)
		b, _ := again.Instances(x)
		if got, want := shown(b), shown(a); got != want {
			t.Errorf("with what was kept %s, without %s", got, want)
		}
	}
	for _, broken := range [][]byte{{1}, {200, 1}, {1, 0xff}, {9, 2}, slices.Repeat([]byte{0xff}, 20), append([]byte{0}, kept...)} {
		parseText(t, text).SetCounted(broken)
	}
	if b := parseText(t, calendar(component("VEVENT", "DTSTART:20260105T090000Z", "RRULE:FREQ=WEEKLY;COUNT=10"))).Counted(); b != nil {
		t.Errorf("a short rule is kept: %x", b)
	}
}

func BenchmarkCount(b *testing.B) {
	for _, rule := range []string{
		"FREQ=WEEKLY;BYDAY=MO,TU;COUNT=10", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=2000", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=100000",
		"FREQ=MINUTELY;BYHOUR=9,10;COUNT=4000000", "FREQ=SECONDLY;BYDAY=MO;COUNT=1000000000", "FREQ=HOURLY;INTERVAL=7;BYHOUR=9;BYDAY=MO;COUNT=300000",
	} {
		b.Run(rule, func(b *testing.B) {
			text := eventText("DTSTART;TZID=Europe/Berlin:20060101T090000\r\nDURATION:PT1H\r\nRRULE:" + rule + "\r\n")
			kept := parseText(b, text).Counted()
			o := parseText(b, text)
			b.Run("counted", func(b *testing.B) {
				for b.Loop() {
					newSeries(o, o.main).place(UTCZone)
				}
			})
			b.Run("kept", func(b *testing.B) {
				for b.Loop() {
					o.times = timing{}
					o.SetCounted(kept)
					o.placedIn(nil)
				}
			})
		})
	}
}
