// Package prune is the job that forgets what has had its time: entries of
// removed members in the change logs, expired credentials and feeds. A client
// whose sync-token is older than what the log keeps starts anew.
package prune

import (
	"context"
	"errors"
	"fmt"
	"time"

	"daybook/store"
)

// errStalled tells that the store says neither that it is done nor what it did.
var errStalled = errors.New("no progress")

// maxIdle bounds the steps in a row that find nothing and are not done, as
// one is when another writer comes between.
const maxIdle = 100

// Job gives the function that drops tombstones older than keep, counted from
// now (nil: time.Now), and all that has expired. It works in transactions of
// bounded size and ends early, with ctx's error, between two of them.
func Job(s *store.Store, keep time.Duration, now func() time.Time) func(context.Context) error {
	if now == nil {
		now = time.Now
	}
	return func(ctx context.Context) error {
		before := now().Add(-keep)
		for idle := 0; ; idle++ {
			dropped, done, err := s.Prune(ctx, before)
			switch {
			case err != nil:
				return fmt.Errorf("prune: %w", err)
			case done:
				return nil
			case dropped > 0:
				idle = 0
			case idle > maxIdle:
				return fmt.Errorf("prune: %w", errStalled)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
}
