// Package prune is the job that forgets what has had its time: entries of
// removed members in the change logs, old entries of the journal, expired
// credentials and feeds. A client whose sync-token, or whose place in the
// journal, is older than what is kept starts anew.
package prune

import (
	"context"
	"fmt"
	"time"

	"daybook/store"
	"daybook/sync/jobs"
)

// Keep says for how long what is kept.
type Keep struct {
	Tombstones time.Duration // of removed members
	Journal    time.Duration // entries of the journal
}

// Job gives the function that drops what is older than keep says, counted from
// now (nil: time.Now), and all that has expired. It works in transactions of
// bounded size and ends early, with ctx's error, between two of them.
func Job(s *store.Store, keep Keep, now func() time.Time) func(context.Context) error {
	if now == nil {
		now = time.Now
	}
	return func(ctx context.Context) error {
		at := now()
		if err := all(ctx, at.Add(-keep.Tombstones), s.Prune); err != nil {
			return err
		}
		return all(ctx, at.Add(-keep.Journal), s.PruneJournal)
	}
}

// all takes one step after the other until it is done.
func all(ctx context.Context, before time.Time, step func(context.Context, time.Time) (int, bool, error)) error {
	err := jobs.Steps(ctx, func(ctx context.Context) (int, bool, error) { return step(ctx, before) })
	if err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	return nil
}
