// Package horizon is the job that moves the instance index's horizon: it keeps
// the instances of endless recurrence sets indexed for a fixed time ahead, so
// that a query of the months to come reads rows and expands nothing.
package horizon

import (
	"context"
	"fmt"
	"time"

	"daybook/store"
	"daybook/sync/jobs"
)

// Job gives the function that indexes instances up to ahead from now (nil:
// time.Now). It works in transactions of bounded size and ends early, with
// ctx's error, between two of them; the next run goes on from there.
func Job(s *store.Store, ahead time.Duration, now func() time.Time) func(context.Context) error {
	if now == nil {
		now = time.Now
	}
	return func(ctx context.Context) error {
		to := now().Add(ahead)
		err := jobs.Steps(ctx, func(ctx context.Context) (int, bool, error) { return s.ExtendHorizon(ctx, to) })
		if err != nil {
			return fmt.Errorf("extend the horizon: %w", err)
		}
		return nil
	}
}
