package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"daybook/api/admin"
	"daybook/configs"
	"daybook/store"
	"daybook/sync/horizon"
	"daybook/sync/jobs"
	"daybook/sync/openings"
	"daybook/sync/prune"
)

// jobTable is every job of the daemon.
func jobTable(c *configs.Config, st *store.Store, log *slog.Logger) []jobs.Job {
	days := max(1, int(c.OpeningsAhead/(24*time.Hour)))
	return []jobs.Job{
		{Name: "horizon", Schedule: c.JobHorizon, Timeout: c.JobTimeout, Run: horizon.Job(st, c.Horizon, nil)},
		{Name: "openings", Schedule: c.JobOpenings, Timeout: c.JobTimeout, Run: openings.Job(st, openings.Options{Days: days, Log: log})},
		{Name: "prune", Schedule: c.JobPrune, Timeout: c.JobTimeout, Run: prune.Job(st, prune.Keep{Tombstones: c.TombstoneAge, Journal: c.JournalAge}, nil)},
	}
}

// runner is the job table as operators see it.
type runner struct{ *jobs.Runner }

func newRunner(c *configs.Config, st *store.Store, log *slog.Logger, metrics prometheus.Registerer) (runner, error) {
	r, err := jobs.New(jobs.Options{Store: st, Log: log, Metrics: metrics}, jobTable(c, st, log)...)
	return runner{r}, err
}

// RunJob runs one job now.
func (r runner) RunJob(ctx context.Context, name string) error { return r.RunNow(ctx, name) }

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
