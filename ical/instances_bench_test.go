package ical

import (
	"testing"
	"time"

	"github.com/teambition/rrule-go"

	"daybook/ical/span"
)

func eventText(lines string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//test//EN\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20260101T000000Z\r\n" +
		lines + "END:VEVENT\r\nEND:VCALENDAR\r\n"
}

func parseText(tb testing.TB, text string) *Object {
	tb.Helper()
	o, err := Parse([]byte(text), DefaultLimits)
	if err != nil {
		tb.Fatal(err)
	}
	return o
}

// BenchmarkPeerWeek expands one week of a daily rule that is 20 years old.
func BenchmarkPeerWeek(b *testing.B) {
	from := time.Date(2026, 7, 6, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 0, 7)
	b.Run("daybook", func(b *testing.B) {
		o := parseText(b, eventText("DTSTART;TZID=Europe/Berlin:20060101T090000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY\r\n"))
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			err := o.EachInstance(Expand{Window: span.Span{Start: from, End: to}}, func(*Instance) bool { n++; return true })
			if n != 7 || err != nil {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("rrule-go", func(b *testing.B) {
		r := peer(b, "FREQ=DAILY", time.Date(2006, 1, 1, 9, 0, 0, 0, berlin(b)))
		b.ReportAllocs()
		for b.Loop() {
			if n := len(r.Between(from, to, true)); n != 7 {
				b.Fatal(n)
			}
		}
	})
}

func berlin(tb testing.TB) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

func peer(tb testing.TB, rule string, start time.Time) *rrule.RRule {
	tb.Helper()
	opt, err := rrule.StrToROption(rule)
	if err != nil {
		tb.Fatal(err)
	}
	opt.Dtstart = start
	r, err := rrule.NewRRule(*opt)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// BenchmarkPeerSequential walks 5000 instances from DTSTART on; the metric is
// instances per second.
func BenchmarkPeerSequential(b *testing.B) {
	const n = 5000
	for _, rule := range []string{"FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,WE,FR", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=YEARLY", "FREQ=SECONDLY"} {
		b.Run("daybook/"+rule, func(b *testing.B) {
			o := parseText(b, eventText("DTSTART;TZID=Europe/Berlin:20060101T090000\r\nDURATION:PT1H\r\nRRULE:"+rule+"\r\n"))
			b.ReportAllocs()
			for b.Loop() {
				left := n
				_ = o.EachInstance(Expand{}, func(*Instance) bool { left--; return left > 0 })
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "instances/s")
		})
		b.Run("rrule-go/"+rule, func(b *testing.B) {
			r := peer(b, rule, time.Date(2006, 1, 1, 9, 0, 0, 0, berlin(b)))
			b.ReportAllocs()
			for b.Loop() {
				next := r.Iterator()
				for range n {
					next()
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "instances/s")
		})
	}
}

func BenchmarkZoneInstant(b *testing.B) {
	z := LookupZone("Europe/Berlin")
	wall := time.Date(2026, 7, 6, 9, 0, 0, 0, time.UTC)
	for b.Loop() {
		z.Instant(wall)
	}
}

// BenchmarkCompile is what the first question about an object costs.
func BenchmarkCompile(b *testing.B) {
	for name, lines := range map[string]string{
		"single": "DTSTART;TZID=Europe/Berlin:20060101T090000\r\nDURATION:PT1H\r\n",
		"count":  "DTSTART;TZID=Europe/Berlin:20060101T090000\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY;COUNT=10;BYDAY=MO,TH\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			o := parseText(b, eventText(lines))
			b.ReportAllocs()
			for b.Loop() {
				newSeries(o, o.main).place(UTCZone)
			}
		})
	}
}
