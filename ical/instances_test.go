package ical

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"daybook/ical/span"
)

func utc(y, m, d, h, minute int) time.Time {
	return time.Date(y, time.Month(m), d, h, minute, 0, 0, time.UTC)
}

// shown writes instances as their start and, if it is another one, their
// RECURRENCE-ID.
func shown(list []Instance) string {
	var all []string
	for _, i := range list {
		s := i.Start.Format("20060102T150405")
		if i.End.Sub(i.Start) != time.Hour {
			s += "+" + i.End.Sub(i.Start).String()
		}
		if !i.RecurrenceID.IsZero() && !i.RecurrenceID.Equal(i.Start) {
			s += "<" + i.RecurrenceID.Format("20060102T150405")
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

func calendar(components ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//test//EN\r\n" + strings.Join(components, "") + "END:VCALENDAR\r\n"
}

// component writes a component out of lines separated by spaces or breaks.
func component(name string, lines ...string) string {
	return "BEGIN:" + name + "\r\nUID:u\r\nDTSTAMP:20260101T000000Z\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:" + name + "\r\n"
}

func TestInstances(t *testing.T) {
	berlin := "TZID=Europe/Berlin:"
	series := func(lines ...string) string {
		return component("VEVENT", append([]string{"DTSTART;" + berlin + "20260105T090000", "DURATION:PT1H"}, lines...)...)
	}
	for _, c := range []struct {
		name string
		text string
		want string
	}{
		{"single", series(), "20260105T080000"},
		{"end before start has no length", component("VEVENT", "DTSTART:20260105T090000Z", "DTEND:20260105T080000Z"), "20260105T090000+0s"},
		{"negative duration has no length", component("VEVENT", "DTSTART:20260105T090000Z", "DURATION:-PT1H"), "20260105T090000+0s"},
		{"end wins over duration", component("VEVENT", "DTSTART:20260105T090000Z", "DURATION:PT3H", "DTEND:20260105T100000Z"), "20260105T090000"},
		{"date with date-time end is rounded", component("VEVENT", "DTSTART;VALUE=DATE:20260105", "DTEND:20260107T090000Z"), "20260105T000000+48h0m0s"},
		{"value says date, text says date-time", component("VEVENT", "DTSTART;VALUE=DATE:20260105T090000"), "20260105T000000+24h0m0s"},
		{"count and until, the earlier one wins", series("RRULE:FREQ=DAILY;COUNT=3;UNTIL=20260106T080000Z"), "20260105T080000 20260106T080000"},
		{"spaces and unknown parts", series("RRULE:freq=daily; COUNT=2;X-A=1;"), "20260105T080000 20260106T080000"},
		{"broken rule leaves DTSTART", series("RRULE:FREQ=FORTNIGHTLY"), "20260105T080000"},
		{"number out of the month", series("RRULE:FREQ=MONTHLY;BYDAY=53MO"), "20260105T080000"},
		{"interval beyond all years", series("RRULE:FREQ=DAILY;INTERVAL=9223372036854775807"), "20260105T080000"},
		{"interval beyond all numbers", series("RRULE:FREQ=SECONDLY;INTERVAL=99999999999999999999"), "20260105T080000"},
		{"second 60 is 59", series("RRULE:FREQ=DAILY;BYSECOND=60;COUNT=2"), "20260105T080000 20260105T080059"},
		{"mixed types in RDATE", component("VEVENT", "DTSTART:20260105T090000Z", "DURATION:PT1H", "RDATE:20260110T090000Z,20260111"), "20260105T090000 20260110T090000"},
		{"empty EXDATE", series("RRULE:FREQ=DAILY;COUNT=2", "EXDATE:"), "20260105T080000 20260106T080000"},
		{"EXRULE", series("RRULE:FREQ=DAILY;COUNT=5", "EXRULE:FREQ=DAILY;INTERVAL=2"), "20260106T080000 20260108T080000"},
		{"EXRULE with COUNT", series("RRULE:FREQ=DAILY;COUNT=5", "EXRULE:FREQ=DAILY;INTERVAL=2;COUNT=2"), "20260106T080000 20260108T080000 20260109T080000"},
		{"unknown zone is floating", component("VEVENT", "DTSTART;TZID=Nowhere/City:20260105T090000", "DURATION:PT1H"), "20260105T090000"},
		{"Local is floating", component("VEVENT", "DTSTART;TZID=Local:20260105T090000", "DURATION:PT1H"), "20260105T090000"},
		{
			"of two overrides the greater SEQUENCE counts",
			series("RRULE:FREQ=DAILY;COUNT=2") +
				component("VEVENT", "RECURRENCE-ID;"+berlin+"20260106T090000", "SEQUENCE:3", "DTSTART;"+berlin+"20260106T120000", "DURATION:PT1H") +
				component("VEVENT", "RECURRENCE-ID:20260106T080000Z", "SEQUENCE:2", "DTSTART;"+berlin+"20260106T150000", "DURATION:PT1H"),
			"20260105T080000 20260106T110000<20260106T080000",
		},
		{
			"override before its master",
			component("VEVENT", "RECURRENCE-ID;"+berlin+"20260106T090000", "DTSTART;"+berlin+"20260106T120000", "DURATION:PT1H") +
				series("RRULE:FREQ=DAILY;COUNT=2"),
			"20260105T080000 20260106T110000<20260106T080000",
		},
		{
			"override without DTSTART stays",
			component("VTODO", "DTSTART;"+berlin+"20260105T090000", "DUE;"+berlin+"20260105T100000", "RRULE:FREQ=DAILY;COUNT=3") +
				component("VTODO", "RECURRENCE-ID;"+berlin+"20260106T090000", "STATUS:COMPLETED"),
			"20260105T080000 20260106T080000 20260107T080000",
		},
		{
			"date RECURRENCE-ID of a timed series means its day",
			series("RRULE:FREQ=DAILY;COUNT=2") +
				component("VEVENT", "RECURRENCE-ID;VALUE=DATE:20260106", "DTSTART;"+berlin+"20260106T120000", "DURATION:PT1H"),
			"20260105T080000 20260106T110000<20260106T080000",
		},
		{
			"range moves later instances before earlier ones",
			series("RRULE:FREQ=DAILY;COUNT=4") +
				component("VEVENT", "RECURRENCE-ID;RANGE=THISANDFUTURE;"+berlin+"20260107T090000", "DTSTART;"+berlin+"20260105T070000", "DURATION:PT1H"),
			"20260105T060000<20260107T080000 20260105T080000 20260106T060000<20260108T080000 20260106T080000",
		},
		{
			"range into another zone keeps the wall clock there",
			component("VEVENT", "DTSTART;"+berlin+"20260327T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4") +
				component("VEVENT", "RECURRENCE-ID;RANGE=THISANDFUTURE;"+berlin+"20260328T090000", "DTSTART;TZID=Asia/Tokyo:20260328T180000", "DURATION:PT1H"),
			"20260327T080000 20260328T090000<20260328T080000 20260329T090000<20260329T070000 20260330T090000<20260330T070000",
		},
		{
			"range in UTC keeps the wall clock of the series",
			component("VEVENT", "DTSTART;"+berlin+"20260327T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4") +
				component("VEVENT", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260328T080000Z", "DTSTART:20260328T090000Z", "DURATION:PT1H"),
			"20260327T080000 20260328T090000<20260328T080000 20260329T080000<20260329T070000 20260330T080000<20260330T070000",
		},
		{"task with DUE alone", component("VTODO", "DUE:20260105T090000Z"), "20260105T090000+0s"},
		{"recurring task with DUE alone", component("VTODO", "DUE:20260105T090000Z", "RRULE:FREQ=DAILY;COUNT=2"), "20260105T090000+0s 20260106T090000+0s"},
		{"task without time", component("VTODO", "SUMMARY:x"), ""},
		{"journal on a date", component("VJOURNAL", "DTSTART;VALUE=DATE:20260105"), "20260105T000000+24h0m0s"},
		{"journal without time", component("VJOURNAL", "SUMMARY:x"), ""},
		{"SKIP=BACKWARD twice on one day", series("RRULE:FREQ=MONTHLY;BYMONTHDAY=30,31;BYMONTH=2;RSCALE=GREGORIAN;SKIP=BACKWARD;COUNT=3"), "20260105T080000 20260228T080000 20270228T080000"},
		{
			"SKIP=FORWARD meets the next month's own day", series("RRULE:FREQ=MONTHLY;BYMONTHDAY=1,31;RSCALE=GREGORIAN;SKIP=FORWARD;COUNT=5"),
			"20260105T080000 20260131T080000 20260201T080000 20260301T080000 20260331T070000",
		},
		{"SKIP of day 366", series("RRULE:FREQ=YEARLY;BYYEARDAY=366;RSCALE=GREGORIAN;SKIP=BACKWARD;COUNT=3"), "20260105T080000 20261231T080000 20271231T080000"},
		{
			"minutes over a gap come in order of time",
			component("VEVENT", "DTSTART;"+berlin+"20260329T013000", "DURATION:PT1H", "RRULE:FREQ=MINUTELY;INTERVAL=30;COUNT=6"),
			"20260329T003000 20260329T010000 20260329T013000 20260329T020000",
		},
		{"last day of time", component("VEVENT", "DTSTART:99991230T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"), "99991230T090000 99991231T090000"},
		{"first day of time", component("VEVENT", "DTSTART:00010101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2"), "00010101T090000 00010102T090000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := parseText(t, calendar(c.text)).Instances(Expand{})
			if err != nil {
				t.Fatal(err)
			}
			if got := shown(list); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestWallClocksOfInstances(t *testing.T) {
	o := parseText(t, calendar(component("VEVENT", "DTSTART;VALUE=DATE:20260328", "DTEND;VALUE=DATE:20260330")))
	list, _ := o.Instances(Expand{Zone: LookupZone("Europe/Berlin")})
	i := list[0]
	if i.Form != Date || !i.Wall.Equal(utc(2026, 3, 28, 0, 0)) || !i.WallEnd.Equal(utc(2026, 3, 30, 0, 0)) || i.End.Sub(i.Start) != 47*time.Hour || !i.RecurrenceID.IsZero() {
		t.Errorf("all-day: %+v", i)
	}
	o = parseText(t, calendar(component("VEVENT", "DTSTART;TZID=Europe/Berlin:20260329T023000", "DURATION:PT1H")))
	list, _ = o.Instances(Expand{})
	i = list[0]
	if i.Form != Zoned || !i.Wall.Equal(utc(2026, 3, 29, 3, 30)) || !i.WallEnd.Equal(utc(2026, 3, 29, 4, 30)) {
		t.Errorf("in a gap: %+v", i)
	}
}

func TestBombsEndInTime(t *testing.T) {
	year := span.Span{Start: utc(2026, 1, 1, 0, 0), End: utc(2027, 1, 1, 0, 0)}
	far := span.Span{Start: utc(9000, 1, 1, 0, 0)}
	for _, c := range []struct {
		name, lines string
		window      span.Span
		limited     bool
		count       int // -1: any
	}{
		{"every second for ever", "RRULE:FREQ=SECONDLY", year, true, DefaultMaxInstances},
		{"every second for ever, far away", "RRULE:FREQ=SECONDLY", far, true, DefaultMaxInstances},
		{"30 February", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", span.Span{}, false, 1},
		{"30 February each second", "RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", span.Span{}, false, 1},
		{"30 February each day", "RRULE:FREQ=DAILY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=30", span.Span{}, false, 1},
		{"30 February counted", "RRULE:FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1000000000", span.Span{}, false, 1},
		{"never that weekday", "RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU", span.Span{}, false, 1},
		{"never that hour", "RRULE:FREQ=HOURLY;INTERVAL=2;BYHOUR=10", span.Span{}, false, 1},
		{"never that minute", "RRULE:FREQ=MINUTELY;INTERVAL=60;BYMINUTE=30", span.Span{}, false, 1},
		{"never that second", "RRULE:FREQ=SECONDLY;INTERVAL=60;BYSECOND=30", span.Span{}, false, 1},
		{"never that place in the set", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=5", span.Span{}, false, 1},
		{"never that week", "RRULE:FREQ=YEARLY;BYWEEKNO=20;BYMONTH=1;BYDAY=MO", span.Span{}, false, 1},
		{"a thousand million seconds", "RRULE:FREQ=SECONDLY;COUNT=1000000000", year, true, DefaultMaxInstances},
		{"a thousand million seconds, past", "RRULE:FREQ=SECONDLY;COUNT=1000000000", far, false, 0},
		{"a thousand million filtered", "RRULE:FREQ=SECONDLY;BYHOUR=9;COUNT=1000000000", far, false, 0},
		{"all numbers of seconds", "RRULE:FREQ=SECONDLY;INTERVAL=1000000;COUNT=9223372036854775807", far, false, -1},
		{"all days of all years", "RRULE:FREQ=DAILY;INTERVAL=1;COUNT=9223372036854775807", far, true, DefaultMaxInstances},
		{"the largest sets", "RRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU" + wholeDay() + ";BYSETPOS=-1", year, false, 1},
		{"the largest sets, all", "RRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU" + wholeDay(), year, true, DefaultMaxInstances},
		{"the largest sets, counted", "RRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU" + wholeDay() + ";COUNT=1000000000", far, false, 0},
		{"sparse and far", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;INTERVAL=7", far, false, -1},
		{"every second less every second", "RRULE:FREQ=SECONDLY\r\nEXRULE:FREQ=SECONDLY", year, true, 0},
		{"many rules", strings.Repeat("RRULE:FREQ=SECONDLY;BYHOUR=3;BYMONTH=2;BYMONTHDAY=30\r\n", 1000) + "RRULE:FREQ=YEARLY;COUNT=2", span.Span{}, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := parseText(t, calendar(component("VEVENT", "DTSTART;TZID=Europe/Berlin:20000103T090000", c.lines)))
			start := time.Now()
			o.Extent()
			o.HasInstance(utc(2026, 2, 2, 0, 0), nil)
			n := 0
			err := o.EachInstance(Expand{Window: c.window}, func(*Instance) bool { n++; return true })
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
			var limit *LimitError
			if errors.As(err, &limit) != c.limited {
				t.Errorf("error %v, limited %v is wanted", err, c.limited)
			}
			if c.count >= 0 && n != c.count {
				t.Errorf("%d instances, want %d", n, c.count)
			}
		})
	}
}

// wholeDay names all times of day.
func wholeDay() string {
	list := func(n int) string {
		v := make([]string, n)
		for i := range v {
			v[i] = fmt.Sprint(i)
		}
		return strings.Join(v, ",")
	}
	return ";BYHOUR=" + list(24) + ";BYMINUTE=" + list(60) + ";BYSECOND=" + list(60)
}

func TestLimitsGiveWhatWasFound(t *testing.T) {
	o := parseText(t, calendar(component("VEVENT", "DTSTART:20260101T090000Z", "RRULE:FREQ=DAILY")))
	list, err := o.Instances(Expand{Max: 5})
	var limit *LimitError
	if !errors.As(err, &limit) || limit.What != "instances" || len(list) != 5 {
		t.Errorf("Max: %d instances, %v", len(list), err)
	}
	list, err = o.Instances(Expand{Work: 1000})
	if !errors.As(err, &limit) || limit.What != "steps" || len(list) == 0 || len(list) > 1000 {
		t.Errorf("Work: %d instances, %v", len(list), err)
	}
	list, err = o.Instances(Expand{Max: math.MaxInt, Window: span.Span{End: utc(2026, 1, 4, 0, 0)}})
	if err != nil || len(list) != 3 {
		t.Errorf("no limit met: %d instances, %v", len(list), err)
	}
	list, err = o.Instances(Expand{Window: span.Span{Start: utc(2027, 1, 1, 0, 0), End: utc(2026, 1, 1, 0, 0)}})
	if err != nil || len(list) != 0 {
		t.Errorf("reversed window: %d instances, %v", len(list), err)
	}
}

func TestManyExdatesAreLinear(t *testing.T) {
	var b strings.Builder
	b.WriteString("RRULE:FREQ=HOURLY;COUNT=20001")
	at := utc(2026, 1, 1, 9, 0)
	for range 10_000 {
		at = at.Add(2 * time.Hour)
		b.WriteString("\r\nEXDATE:" + at.Format(utcLayout))
	}
	o := parseText(t, calendar(component("VEVENT", "DTSTART:20260101T090000Z", "DURATION:PT1H", b.String())))
	start := time.Now()
	list, err := o.Instances(Expand{})
	if err != nil || len(list) != 10_001 {
		t.Errorf("%d instances, %v", len(list), err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestObjectsAreSharedByGoroutines(t *testing.T) {
	o := parseText(t, calendar(outlookZone, component("VEVENT", "DTSTART;TZID=Corp Time:20260105T090000", "RRULE:FREQ=DAILY;COUNT=50", "RDATE:20260301T090000"), component("VTODO", "SUMMARY:x")))
	zones := []*Zone{nil, LookupZone("Asia/Tokyo"), LookupZone("Europe/Berlin")}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			for range 20 {
				list, err := o.Instances(Expand{Zone: zones[i%3]})
				if err != nil || len(list) != 51 {
					t.Errorf("%d instances, %v", len(list), err)
				}
				o.Extent()
			}
		})
	}
	wg.Wait()
}

func TestFirstQuestionsAllocateLittle(t *testing.T) {
	o := parseText(t, calendar(component("VEVENT", "DTSTART;TZID=Europe/Berlin:20060105T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY", "EXDATE:20260707T070000Z")))
	x := Expand{Window: span.Span{Start: utc(2026, 7, 6, 0, 0), End: utc(2026, 7, 13, 0, 0)}}
	if n := testing.AllocsPerRun(100, func() { _ = o.EachInstance(x, func(*Instance) bool { return true }) }); n > 4 {
		t.Errorf("%v allocations", n)
	}
}

func TestCheckTimesTellsWhatIsPassedOver(t *testing.T) {
	for lines, bad := range map[string]bool{
		"DTSTART:20260105T090000Z\r\nRRULE:FREQ=DAILY;COUNT=2\r\nEXDATE:\r\nRDATE;VALUE=PERIOD:20260105T090000Z/PT1H": false,
		"DTSTART:20260105T090000Z\r\nRRULE:FREQ=NEVER":                                                                true,
		"DTSTART:20260105T090000Z\r\nRRULE:FREQ=DAILY;RSCALE=HEBREW":                                                  true,
		"DTSTART:20260105T090000Z\r\nDURATION:1H":                                                                     true,
		"DTSTART:20260105T090000Z\r\nEXDATE:x":                                                                        true,
		"DTSTART:20260105T090000Z\r\nRDATE;VALUE=PERIOD:20260105T090000Z/x":                                           true,
		"DTSTART:20260105T090000Z\r\nRDATE;VALUE=PERIOD:20260105T090000Z/Px":                                          true,
		"DTSTART:20260230": true,
	} {
		o := parseText(t, calendar(component("VEVENT", lines)))
		if err := o.CheckTimes(); (err != nil) != bad {
			t.Errorf("%s: %v", lines, err)
		}
		if _, err := o.Instances(Expand{}); err != nil {
			t.Errorf("%s: %v", lines, err)
		}
	}
}

// Who has had enough is not called again, be it with the member of the set that
// comes after an override.
func TestNoInstanceAfterYieldHasHadEnough(t *testing.T) {
	o := mustParse(t, []byte(calendar(
		component("VEVENT", "DTSTART:20260105T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4"),
		component("VEVENT", "RECURRENCE-ID:20260107T090000Z", "DTSTART:20260105T060000Z", "DURATION:PT1H"),
		component("VEVENT", "RECURRENCE-ID:20260106T090000Z", "DTSTART:20260106T110000Z", "DURATION:PT1H"),
	)))
	all, err := o.Instances(Expand{})
	if err != nil || len(all) != 4 {
		t.Fatal(shown(all), err)
	}
	for most := 1; most <= len(all); most++ {
		var got []Instance
		err := o.EachInstance(Expand{}, func(i *Instance) bool {
			got = append(got, *i)
			return len(got) < most
		})
		if err != nil || shown(got) != shown(all[:most]) {
			t.Errorf("%d: %s (%v)", most, shown(got), err)
		}
	}
}
