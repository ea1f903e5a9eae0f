package store

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// BenchmarkPut is the one door with one writer: parse, prepare, commit.
func BenchmarkPut(b *testing.B) {
	s := newTest(b)
	h := newTestHouse(b, s)
	for i := 0; b.Loop(); i++ {
		at := testNow.Add(time.Duration(i%5000) * time.Hour).Format(":20060102T150405Z")
		p := mustPrepare(s, testEvent(fmt.Sprint("uid-", i), at))
		if err := s.Update(context.Background(), func(tx *Tx) error {
			_, err := tx.PutObject(Put{Actor: System(), Collection: h.adaCal, Name: fmt.Sprintf("%d.ics", i), Object: p})
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
}
