package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

func window(t testing.TB, from, to string) span.Span {
	t.Helper()
	at := func(s string) time.Time {
		if s == "" {
			return time.Time{}
		}
		x, err := time.Parse("20060102T1504", s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	return span.Span{Start: at(from), End: at(to)}
}

func TestFloatingInstancesArePlacedByTheAskedZone(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	put(t, s, h.adaCal, "floating.ics", testEvent("f", ":20270310T100000"))
	put(t, s, h.adaCal, "day.ics", testEvent("d", ";VALUE=DATE:20270312", "X-A:1"))
	for zone, want := range map[string]string{
		"UTC":                "[0310T1000/0310T1100 0312T0000/0312T0100]",
		"Pacific/Auckland":   "[0309T2100/0309T2200 0311T1100/0311T1200]",
		"Pacific/Kiritimati": "[0309T2000/0309T2100 0311T1000/0311T1100]",
	} {
		if got := fmt.Sprint(rows(t, s, h.adaCal, "20270301T0000", "20270401T0000", ical.LookupZone(zone))); got != want {
			t.Errorf("%s: %s, want %s", zone, got, want)
		}
	}
	if got := rows(t, s, h.adaCal, "20270309T2000", "20270309T2101", ical.LookupZone("Pacific/Auckland")); len(got) != 1 {
		t.Errorf("the edge of a window in the asked zone: %v", got)
	}
}

func TestWindowBeyondTheHorizonFindsEndlessSeries(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	put(t, s, h.adaCal, "weekly.ics", testEvent("w", ";TZID=Europe/Berlin:20200107T090000", "RRULE:FREQ=WEEKLY"))
	put(t, s, h.adaCal, "single.ics", testEvent("x", ":20451010T090000Z"))
	got := rows(t, s, h.adaCal, "20451002T0000", "20451016T0000", nil)
	if want := "[1003T0700/1003T0800 1010T0700/1010T0800 1010T0900/1010T1000]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestHorizonMovesWithoutChangingAnswersOrTokens(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	for i := range 150 {
		put(t, s, h.adaCal, fmt.Sprintf("%d.ics", i), testEvent(fmt.Sprintf("w%d", i), fmt.Sprintf(":202701%02dT090000Z", 1+i%28), "RRULE:FREQ=WEEKLY"))
	}
	before := rows(t, s, h.adaCal, "20300101T0000", "20300201T0000", nil)
	var token string
	view(t, s, func(v *View) error {
		st, err := v.State(h.adaCal)
		token = v.Token(h.adaCal, st).String()
		return err
	})
	indexed := s.Stats().Rows
	for done := false; !done; {
		var err error
		if _, done, err = s.ExtendHorizon(t.Context(), testNow.AddDate(4, 0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if s.Stats().Rows <= indexed {
		t.Errorf("%d rows before, %d after", indexed, s.Stats().Rows)
	}
	if after := rows(t, s, h.adaCal, "20300101T0000", "20300201T0000", nil); !slices.Equal(before, after) || len(after) == 0 {
		t.Errorf("%d instances before, %d after", len(before), len(after))
	}
	f := follower{c: h.adaCal, token: token, has: map[string]ETag{}}
	if err := f.sync(s, 0); err != nil || len(f.has) != 0 {
		t.Errorf("the token moved: %v, %d changes", err, len(f.has))
	}
	// An object that was prepared before the horizon moved is complete too.
	mustCheck(t, s)
}

func TestDenseSeriesAreFoundWithoutRows(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	put(t, s, h.adaCal, "minutely.ics", testEvent("m", ":20270301T000000Z", "RRULE:FREQ=MINUTELY;INTERVAL=10"))
	if n := s.Stats().Rows; n != 0 {
		t.Errorf("%d rows", n)
	}
	if got := rows(t, s, h.adaCal, "20330101T0000", "20330101T0020", nil); len(got) != 7 {
		t.Errorf("got %v, want 7 instances that overlap", got)
	}
	put(t, s, h.adaCal, "minutely.ics", testEvent("m", ":20270301T000000Z"))
	if got := rows(t, s, h.adaCal, "20330101T0000", "20330101T0020", nil); len(got) != 0 {
		t.Errorf("after it ended: %v", got)
	}
	mustCheck(t, s)
}

func TestCountingIsKeptWithDenseSeries(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	put(t, s, h.adaCal, "counted.ics", testEvent("c", ":20270301T000000Z", "RRULE:FREQ=MINUTELY;INTERVAL=7;BYHOUR=9;COUNT=50000"))
	view(t, s, func(v *View) error {
		n := 0
		v.listed(tableDense, h.adaCal, func(_ ObjectID, b []byte) { n += len(b) })
		if n < 3 || n > 16 {
			t.Errorf("%d bytes are kept", n)
		}
		return nil
	})
	if got := rows(t, s, h.adaCal, "20330101T0900", "20330101T0930", nil); len(got) < 4 {
		t.Errorf("got %v", got)
	}
	mustCheck(t, s)
}

// TestFloatingRowsAreExactOverChanges: placed rows are what the expansion
// gives, also in the nights in which the offset changes.
func TestFloatingRowsAreExactOverChanges(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	zone := ical.LookupZone("Europe/Berlin")
	for i, length := range []string{"DURATION:PT9H", "DURATION:P1DT3H", "DURATION:P1D", "DTEND:20270301T%s3000"} {
		for j, rule := range []string{"RRULE:FREQ=DAILY;COUNT=300", "RRULE:FREQ=MINUTELY;INTERVAL=10;COUNT=50000"} {
			for _, start := range []string{"22", "02"} {
				uid := fmt.Sprintf("%d-%d-%s", i, j, start)
				length := strings.Replace(length, "%s", map[string]string{"22": "23", "02": "09"}[start], 1)
				text := strings.Replace(testEvent(uid, ":20270301T"+start+"3000", rule), "DURATION:PT1H", length, 1)
				put(t, s, h.adaCal, uid+".ics", text)
				o, err := ical.ParseResource([]byte(text), ical.DefaultLimits)
				if err != nil {
					t.Fatal(err)
				}
				for _, day := range []time.Time{time.Date(2027, 3, 27, 0, 0, 0, 0, time.UTC), time.Date(2027, 10, 30, 0, 0, 0, 0, time.UTC)} {
					w := span.Span{Start: day, End: day.AddDate(0, 0, 3)}
					want := map[[3]int64]int{}
					err := o.EachInstance(ical.Expand{Window: w, Zone: zone}, func(i *ical.Instance) bool {
						want[[3]int64{i.Start.Unix(), i.End.Unix(), i.RecurrenceID.Unix()}]++
						return true
					})
					if err != nil || len(want) == 0 {
						t.Fatal(len(want), err)
					}
					view(t, s, func(v *View) error {
						rs, err := v.Instances(h.adaCal, w, zone)
						for _, r := range rs {
							if m, err := v.ObjectFacts(r.Object); err == nil && m.UID == uid {
								want[[3]int64{r.Start, r.End, r.RecurrenceID}]--
							}
						}
						return err
					})
					for k, n := range want {
						if n != 0 {
							t.Errorf("%s %s from %s: %s to %s: %d missing", length, rule, start, time.Unix(k[0], 0).UTC(), time.Unix(k[1], 0).UTC(), n)
						}
					}
				}
			}
		}
	}
	mustCheck(t, s)
}

func TestOpenAvailabilitiesAreFoundInEveryWindow(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	for i, times := range []string{"", "DTSTART:20270101T000000Z\r\n", "DTEND:20270601T000000Z\r\n", "DTSTART:20270101T000000Z\r\nDTEND:20270601T000000Z\r\n"} {
		uid := fmt.Sprintf("hours-%d", i)
		put(t, s, h.adaCal, uid+".ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//test//EN\r\nBEGIN:VAVAILABILITY\r\nUID:"+uid+
			"\r\nDTSTAMP:20270101T000000Z\r\n"+times+"END:VAVAILABILITY\r\nEND:VCALENDAR\r\n")
	}
	view(t, s, func(v *View) error {
		from := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
		hits, undated, err := v.Find(h.adaCal, "", span.Span{Start: from, End: from.AddDate(0, 0, 7)}, nil)
		if len(hits) != 1 || len(undated) != 3 {
			t.Errorf("%d hits, %d to look at, want 1 and 3", len(hits), len(undated))
		}
		return err
	})
	mustCheck(t, s)
}

// A set that is cut must not leave wrongly free time behind the cut.
func TestTimeBehindACutExpansionIsTaken(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	put(t, s, h.adaCal, "bomb.ics", testEvent("bomb", ":20270301T000000Z", "RRULE:FREQ=SECONDLY"))
	view(t, s, func(v *View) error {
		rs, err := v.Instances(h.adaCal, window(t, "20270301T0000", "20270401T0000"), nil)
		if err != nil || len(rs) == 0 {
			t.Fatal(err, len(rs))
		}
		last := rs[len(rs)-1]
		if last.Flags&RowRest == 0 || stamp(last.End) != "0401T0000" {
			t.Errorf("the last row ends %s, flags %b", stamp(last.End), last.Flags)
		}
		return nil
	})
}

func TestInstancesThatStartTogetherAreAllThere(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	text := testEvent("twin", ":20270301T090000Z", "RRULE:FREQ=DAILY;COUNT=3", "END:VEVENT", "BEGIN:VEVENT", "UID:twin",
		"DTSTAMP:20270101T000000Z", "RECURRENCE-ID:20270302T090000Z", "DTSTART:20270301T090000Z", "DTEND:20270301T100000Z")
	put(t, s, h.adaCal, "twin.ics", text)
	if got := rows(t, s, h.adaCal, "20270301T0000", "20270305T0000", nil); len(got) != 3 {
		t.Errorf("got %v, want three", got)
	}
	mustCheck(t, s)
	update(t, s, func(tx *Tx) error { return tx.DeleteObject(System(), h.adaCal, "twin.ics", Cond{}) })
	if n := s.Stats().Rows; n != 0 {
		t.Errorf("%d rows are left", n)
	}
	mustCheck(t, s)
}

// TestIndexAgreesWithFreshExpansion compares random windows over random events
// with an expansion of every object.
func TestIndexAgreesWithFreshExpansion(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	r := rand.New(rand.NewPCG(1, 2))
	rules := []string{
		"X-SINGLE:1", "RRULE:FREQ=WEEKLY;COUNT=20", "RRULE:FREQ=DAILY", "RRULE:FREQ=MONTHLY;BYDAY=-1FR", "RRULE:FREQ=YEARLY",
		"RRULE:FREQ=WEEKLY;UNTIL=20280101T000000Z\r\nEXDATE:20270308T090000Z", "RDATE:20270401T090000Z,20291224T090000Z", "RRULE:FREQ=HOURLY", "RRULE:FREQ=MINUTELY;INTERVAL=50",
		"RDATE:20270401T090000,20271224T090000",
	}
	starts := []string{":%s%02d0000Z", ";TZID=America/New_York:%s%02d0000", ":%s%02d0000", ";TZID=Pacific/Apia:%s%02d3000"}
	var objects []*ical.Object
	many, windows := 200, 200
	if testing.Short() {
		many, windows = 50, 20
	}
	for i := range many {
		day := testNow.AddDate(0, 0, r.IntN(800)-400).Format("20060102T")
		text := testEvent(fmt.Sprint(i), fmt.Sprintf(starts[r.IntN(len(starts))], day, r.IntN(24)), rules[r.IntN(len(rules))])
		text = strings.Replace(text, "DURATION:PT1H", []string{"DURATION:PT1H", "DURATION:PT9H", "DURATION:P1DT3H", "DURATION:P2D"}[r.IntN(4)], 1)
		if r.IntN(5) == 0 {
			text = testEvent(fmt.Sprint(i), ";VALUE=DATE:"+day[:8], rules[r.IntN(4)])
			text = strings.Replace(text, "DURATION:PT1H", fmt.Sprintf("DURATION:P%dD", 1+r.IntN(100)), 1)
		}
		o, err := ical.ParseResource([]byte(text), ical.DefaultLimits)
		if err != nil {
			t.Fatal(err, text)
		}
		if err := o.CheckTimes(); err != nil {
			t.Fatal(err, text)
		}
		objects = append(objects, o)
		put(t, s, h.adaCal, fmt.Sprintf("%d.ics", i), text)
	}
	zone := ical.LookupZone("Australia/Lord_Howe")
	for range windows {
		from := testNow.Add(time.Duration(r.IntN(3*365*24)-365*24) * time.Hour)
		w := span.Span{Start: from, End: from.Add(time.Duration(1+r.IntN(24*20)) * time.Hour)}
		var want []string
		for i, o := range objects {
			insts, err := o.Instances(ical.Expand{Window: w, Zone: zone})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range insts {
				rid := x.RecurrenceID
				if rid.IsZero() {
					rid = x.Start
				}
				want = append(want, fmt.Sprintf("%d %s %s %s", i, x.Start.UTC().Format(time.RFC3339), x.End.UTC().Format(time.RFC3339), rid.Format(time.RFC3339)))
			}
		}
		var got []string
		view(t, s, func(v *View) error {
			rs, err := v.Instances(h.adaCal, w, zone)
			if !slices.IsSortedFunc(rs, func(a, b Row) int { return int(a.Start - b.Start) }) {
				t.Error("not in order")
			}
			for _, x := range rs {
				m, err := v.ObjectFacts(x.Object)
				if err != nil {
					return err
				}
				got = append(got, fmt.Sprintf("%s %s %s %s", m.UID, time.Unix(x.Start, 0).UTC().Format(time.RFC3339),
					time.Unix(x.End, 0).UTC().Format(time.RFC3339), time.Unix(x.RecurrenceID, 0).UTC().Format(time.RFC3339)))
			}
			return err
		})
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			i := 0
			for i < min(len(got), len(want)) && got[i] == want[i] {
				i++
			}
			t.Fatalf("window %v: index gives %d, expansion %d; first difference %v, want %v", w, len(got), len(want), got[i:min(i+1, len(got))], want[i:min(i+1, len(want))])
		}
	}
	mustCheck(t, s)
}
