package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"daybook/ical/span"
)

// benchCorpus writes events spread over five years, of every thousand so many
// of each kind; the rest are single ones.
type benchCorpus struct {
	r                                *rand.Rand
	weekly, monthly, yearly, allDays int
}

func (c benchCorpus) event(i int) string {
	r := c.r
	day := testNow.AddDate(0, 0, r.IntN(5*365)-2*365)
	start := ";TZID=Europe/Berlin:" + day.Format("20060102") + fmt.Sprintf("T%02d%02d00", 8+r.IntN(10), 15*r.IntN(4))
	weekday := strings.ToUpper(day.Weekday().String()[:2])
	count := func(low, n int) string { return fmt.Sprintf(";COUNT=%d", low+r.IntN(n)) }
	extra := "X-SINGLE:1"
	switch p := r.IntN(1000); {
	case p < c.weekly:
		extra = "RRULE:FREQ=WEEKLY;BYDAY=" + weekday
		switch q := r.IntN(100); {
		case q < 45:
			extra += ";UNTIL=" + day.AddDate(0, 0, 7*(6+r.IntN(35))).Format("20060102T150405Z")
		case q < 90:
			extra += count(4, 27)
		}
	case p < c.weekly+c.monthly:
		extra = "RRULE:FREQ=MONTHLY;BYDAY=-1FR"
		if r.IntN(4) != 0 {
			extra += count(3, 21)
		}
	case p < c.weekly+c.monthly+c.yearly:
		extra = "RRULE:FREQ=YEARLY"
	case p < c.weekly+c.monthly+c.yearly+c.allDays:
		return strings.Replace(testEvent(fmt.Sprint("uid-", i), ";VALUE=DATE:"+day.Format("20060102")), "DURATION:PT1H", fmt.Sprintf("DURATION:P%dD", 1+r.IntN(3)), 1)
	}
	return testEvent(fmt.Sprint("uid-", i), start, extra)
}

func (c benchCorpus) fill(b *testing.B, s *Store, to CollectionID, n int) {
	b.Helper()
	for i := 0; i < n; {
		update(b, s, func(tx *Tx) error {
			for end := min(n, i+2000); i < end; i++ {
				p := mustPrepare(s, c.event(i))
				if _, err := tx.PutObject(Put{Actor: System(), Collection: to, Name: fmt.Sprintf("%d.ics", i), Object: p}); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// BenchmarkWeekQuery finds the objects of a week, in collections of which 8 %
// recur: the cost follows the hits, and without any it is that of the empty
// answer, whatever the collection holds.
func BenchmarkWeekQuery(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 50_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := newTest(b)
			h := newTestHouse(b, s)
			c := benchCorpus{r: rand.New(rand.NewPCG(1, 2)), weekly: 56, monthly: 16, yearly: 8, allDays: 50}
			c.fill(b, s, h.adaCal, n)
			b.Run("week", func(b *testing.B) {
				findWeeks(b, s, h.adaCal, func() time.Time { return testNow.AddDate(0, 0, c.r.IntN(800)-400) })
			})
			b.Run("empty", func(b *testing.B) {
				findWeeks(b, s, h.adaCal, func() time.Time { return testNow.AddDate(-20, 0, c.r.IntN(800)) })
			})
		})
	}
}

func findWeeks(b *testing.B, s *Store, c CollectionID, from func() time.Time) {
	b.ReportAllocs()
	hits := 0
	for b.Loop() {
		at := from()
		_ = s.View(context.Background(), func(v *View) error {
			found, _, err := v.Find(c, "VEVENT", span.Span{Start: at, End: at.AddDate(0, 0, 7)}, nil)
			hits += len(found)
			return err
		})
	}
	b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
	if hits > 0 {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(hits), "ns/hit")
	}
}

// BenchmarkIndexSize prints what the instance index takes for a corpus with the
// shares of a busy calendar: 14 % weekly, 4 % monthly, 2 % yearly, 5 % all-day.
func BenchmarkIndexSize(b *testing.B) {
	const n = 5000
	for b.Loop() {
		s := newTest(b)
		h := newTestHouse(b, s)
		benchCorpus{r: rand.New(rand.NewPCG(3, 4)), weekly: 140, monthly: 40, yearly: 20, allDays: 50}.fill(b, s, h.adaCal, n)
		rows, size := 0, 0
		view(b, s, func(v *View) error {
			prefix := newKey(tableRows)
			v.r.Scan(prefix, prefix.after(), func(k, data []byte) bool {
				rows, size = rows+1, size+len(k)+len(data)
				return true
			})
			return nil
		})
		b.ReportMetric(float64(rows)/n, "rows/object")
		b.ReportMetric(float64(size)/float64(rows), "bytes/row")
	}
}
