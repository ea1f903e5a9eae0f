package store

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkDeleteCollection deletes a calendar of 50,000 members while another
// writer goes on, and tells how long the longest of its writes took.
func BenchmarkDeleteCollection(b *testing.B) {
	const members = 50_000
	for b.Loop() {
		b.StopTimer()
		s := newTest(b)
		h := newTestHouse(b, s)
		for i := 0; i < members; {
			update(b, s, func(tx *Tx) error {
				for range 500 {
					at := testNow.Add(time.Duration(i%5000) * time.Hour).Format(":20060102T150405Z")
					p := mustPrepare(s, testEvent(fmt.Sprint("uid-", i), at))
					if _, err := tx.PutObject(Put{Actor: System(), Collection: h.otherCal, Name: fmt.Sprintf("%d.ics", i), Object: p}); err != nil {
						return err
					}
					i++
				}
				return nil
			})
		}
		begun, stop, longest := make(chan struct{}), make(chan struct{}), make(chan time.Duration)
		go func() {
			worst := time.Duration(0)
			for i := 0; ; i++ {
				select {
				case <-stop:
					longest <- worst
					return
				default:
				}
				p := mustPrepare(s, testEvent(fmt.Sprint("other-", i), ":20270301T100000Z"))
				start := time.Now()
				update(b, s, func(tx *Tx) error {
					_, err := tx.PutObject(Put{Actor: System(), Collection: h.adaCal, Name: fmt.Sprintf("%d.ics", i), Object: p})
					return err
				})
				if worst = max(worst, time.Since(start)); i == 9 {
					close(begun)
				}
			}
		}()
		<-begun
		b.StartTimer()
		start := time.Now()
		update(b, s, func(tx *Tx) error { return tx.DeleteCollection(System(), h.otherCal) })
		b.ReportMetric(time.Since(start).Seconds()*1000, "ms/delete")
		for done := false; !done; {
			var err error
			if _, done, err = s.Prune(b.Context(), testNow); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(time.Since(start).Seconds()*1000, "ms/swept")
		b.StopTimer()
		close(stop)
		b.ReportMetric((<-longest).Seconds()*1000, "ms/longest-other-write")
		b.StartTimer()
	}
}
