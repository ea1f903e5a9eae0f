// Package horizon is the job that moves the instance index's horizon: it keeps
// the instances of endless recurrence sets indexed for a fixed time ahead, so
// that a query of the months to come reads rows and expands nothing.
package horizon

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

// Job gives the function that indexes instances up to ahead from now (nil:
// time.Now). It works in transactions of bounded size and ends early, with
// ctx's error, between two of them; the next run goes on from there.
func Job(s *store.Store, ahead time.Duration, now func() time.Time) func(context.Context) error {
	if now == nil {
		now = time.Now
	}
	return func(ctx context.Context) error {
		to := now().Add(ahead)
		for idle := 0; ; idle++ {
			objects, done, err := s.ExtendHorizon(ctx, to)
			switch {
			case err != nil:
				return fmt.Errorf("extend the horizon: %w", err)
			case done:
				return nil
			case objects > 0:
				idle = 0
			case idle > maxIdle:
				return fmt.Errorf("extend the horizon: %w", errStalled)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
}
