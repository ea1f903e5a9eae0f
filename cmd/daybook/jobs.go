package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"daybook/api/admin"
	"daybook/api/house"
	"daybook/api/rest"
	"daybook/configs"
	"daybook/store"
	"daybook/sync/horizon"
	"daybook/sync/jobs"
	"daybook/sync/openings"
	"daybook/sync/prune"
	"daybook/sync/pull"
)

// jobTable is every job of the daemon.
func jobTable(c *configs.Config, st *store.Store, log *slog.Logger, p *pull.Puller) []jobs.Job {
	days := max(1, int(c.OpeningsAhead/(24*time.Hour)))
	return []jobs.Job{
		{Name: "horizon", Schedule: c.JobHorizon, Timeout: c.JobTimeout, Run: horizon.Job(st, c.Horizon, nil)},
		{Name: "openings", Schedule: c.JobOpenings, Timeout: c.JobTimeout, Run: openings.Job(st, openings.Options{Days: days, Log: log})},
		{Name: "pull", Schedule: c.JobPull, Timeout: c.JobTimeout, Run: p.Job()},
		{Name: "prune", Schedule: c.JobPrune, Timeout: c.JobTimeout, Run: prune.Job(st, prune.Keep{Tombstones: c.TombstoneAge, Journal: c.JournalAge}, nil)},
	}
}

// runner is the job table as operators see it.
type runner struct{ *jobs.Runner }

func newRunner(c *configs.Config, st *store.Store, log *slog.Logger, metrics prometheus.Registerer, p *pull.Puller) (runner, error) {
	r, err := jobs.New(jobs.Options{Store: st, Log: log, Metrics: metrics}, jobTable(c, st, log, p)...)
	return runner{r}, err
}

// RunJob runs one job now.
func (r runner) RunJob(ctx context.Context, name string) error { return r.RunNow(ctx, name) }

// houseJobs is the job table as administrators see it over the house API.
type houseJobs struct{ *jobs.Runner }

// List gives the state of each job.
func (h houseJobs) List(ctx context.Context) ([]house.Job, error) {
	all, err := h.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]house.Job, 0, len(all))
	for _, s := range all {
		j := house.Job{Name: s.Name, Schedule: s.Schedule, Running: s.Running, Next: orNil(s.Next), Started: orNil(s.Last.Started), Success: orNil(s.Last.Success)}
		if j.Started != nil {
			took := rest.Duration((s.Last.Took + time.Second - 1).Truncate(time.Second))
			j.Took = &took
		}
		if s.Last.Error != "" {
			j.Error = &s.Last.Error
		}
		out = append(out, j)
	}
	return out, nil
}

// Begin starts a run.
func (h houseJobs) Begin(name string) error {
	err := h.Runner.Begin(name)
	for _, x := range []struct{ is, as error }{{jobs.ErrUnknown, store.ErrNotFound}, {jobs.ErrRunning, house.ErrJobRunning}, {jobs.ErrStopped, store.ErrClosed}} {
		if errors.Is(err, x.is) {
			return fmt.Errorf("%w: %w", x.as, err)
		}
	}
	return err
}

// orNil gives nil for the zero time.
func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// ListJobs gives the state of each job.
func (r runner) ListJobs(ctx context.Context) ([]admin.JobStatus, error) {
	all, err := r.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]admin.JobStatus, 0, len(all))
	for _, s := range all {
		j := admin.JobStatus{
			Name: s.Name, Schedule: s.Schedule, Running: s.Running, Next: s.Next,
			Started: s.Last.Started, Error: s.Last.Error, Success: s.Last.Success,
		}
		if !s.Last.Started.IsZero() {
			j.Took = s.Last.Took.Round(time.Millisecond).String()
		}
		out = append(out, j)
	}
	return out, nil
}
