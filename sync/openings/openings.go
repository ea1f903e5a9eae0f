// Package openings is the job that keeps the openings of all resources and
// organisations computed for the days to come. Each day is stored by itself, and
// a change takes away the days that it touches, so the job computes these and
// the days that time has brought; readers never wait for it, they compute what
// it has not stored yet.
package openings

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"daybook/store"
)

// DefaultDays is how many days ahead openings are kept computed.
const DefaultDays = 60

// Options says what is kept computed.
type Options struct {
	Days int              // from today, in each resource's zone; 0: DefaultDays
	Now  func() time.Time // nil: time.Now
	Log  *slog.Logger     // nil: discarded
}

// Job gives the function that computes the openings whose basis is stale. A
// resource that fails does not hold up the others; all errors are given
// together. It ends early, with ctx's error, between two resources.
func Job(s *store.Store, o Options) func(context.Context) error {
	if o.Days <= 0 {
		o.Days = DefaultDays
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return func(ctx context.Context) error {
		owners, err := owners(ctx, s)
		if err != nil {
			return fmt.Errorf("list resources: %w", err)
		}
		var failed []error
		days := 0
		for _, p := range owners {
			if err := ctx.Err(); err != nil {
				return errors.Join(append(failed, err)...)
			}
			switch n, err := s.RefreshOpenings(ctx, p, o.Now(), o.Days); {
			case errors.Is(err, store.ErrNotFound): // removed since it was listed
			case err != nil:
				failed = append(failed, err)
			default:
				days += n
			}
		}
		o.Log.Debug("openings computed", "resources", len(owners), "days", days)
		return errors.Join(failed...)
	}
}

// owners gives all principals that have openings, of all organisations.
func owners(ctx context.Context, s *store.Store) ([]store.PrincipalID, error) {
	var out []store.PrincipalID
	err := s.View(ctx, func(v *store.View) error {
		out = out[:0]
		all, err := v.Principals(0)
		slices.SortStableFunc(all, func(a, b *store.Principal) int { // organisations first: the days of others stand on theirs
			return cmp.Compare(a.Kind, b.Kind)
		})
		for _, p := range all {
			if p.Kind.Resource() || p.Kind == store.KindOrganisation {
				out = append(out, p.ID)
			}
		}
		return err
	})
	return out, err
}
