package house

import (
	"context"
	"errors"
	"net/http"
	"time"

	"daybook/api/rest"
	"daybook/store"
)

// Jobs is the daemon's cron table, as far as the house API shows it.
type Jobs interface {
	// List gives the state of each job.
	List(ctx context.Context) ([]Job, error)
	// Begin starts a run of the job, which goes on after the request.
	// store.ErrNotFound, ErrJobRunning, store.ErrClosed.
	Begin(name string) error
}

// ErrJobRunning is of Jobs.Begin.
var ErrJobRunning = errors.New("the job is running already")

func (s *service) jobRoutes() []rest.Route {
	const list, one = base + "/jobs", base + "/jobs/{job}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "List cron jobs with schedule, last run and next", Op: rest.Endpoint(http.StatusOK, s.listJobs)},
		{Pattern: "GET " + one, Summary: "Get a cron job", Op: rest.Endpoint(http.StatusOK, s.getJob)},
		{Pattern: "POST " + one + "/run", Summary: "Run a cron job now", Op: rest.Endpoint(http.StatusAccepted, s.runJob)},
	}
}

// Job is a cron job of the daemon.
type Job struct {
	Name     string         `json:"name"`
	Schedule string         `json:"schedule"`
	Running  bool           `json:"running"`
	Next     *time.Time     `json:"next_at"`
	Started  *time.Time     `json:"last_started_at"`
	Took     *rest.Duration `json:"last_duration" doc:"In whole seconds, rounded up."`
	Error    *string        `json:"last_error"`
	Success  *time.Time     `json:"last_success_at"`
}

// jobs gives the table, for administrators. Jobs work for every organisation of
// the daemon, and their errors name what they met: where there are several, an
// error is told without its text, which is the operator's to read.
func (s *service) jobsOf(ctx context.Context) ([]Job, error) {
	several := false
	err := s.view(ctx, func(d *desk) error {
		if err := d.mayHere(store.RightAdmin); err != nil {
			return err
		}
		all, err := d.Principals(0, store.KindOrganisation)
		several = len(all) > 1
		return err
	})
	if err != nil || s.jobs == nil {
		return nil, err
	}
	all, err := s.jobs.List(ctx)
	for i := range all {
		if all[i].Error != nil && several {
			text := "it failed; the daemon's operator can read why"
			all[i].Error = &text
		}
	}
	return all, err
}

type jobsIn struct{ rest.Page }

// Validate checks the page.
func (in *jobsIn) Validate(f *rest.Faults) { in.Check(f) }

func (s *service) listJobs(ctx context.Context, in jobsIn) (out rest.List[Job], err error) {
	all, err := s.jobsOf(ctx)
	if err != nil {
		return out, err
	}
	return rest.Paged(in.Page, all, func(j Job) string { return j.Name }), nil
}

type jobIn struct {
	Name string `path:"job"`
}

func (s *service) getJob(ctx context.Context, in jobIn) (out Job, err error) {
	all, err := s.jobsOf(ctx)
	if err != nil {
		return out, err
	}
	for _, j := range all {
		if j.Name == in.Name {
			return j, nil
		}
	}
	return out, store.ErrNotFound
}

// runJob starts the job and does not wait: what it takes is in the list. A job
// that is running is not started again, so asking often costs nothing.
func (s *service) runJob(ctx context.Context, in jobIn) (Job, error) {
	if _, err := s.getJob(ctx, in); err != nil {
		return Job{}, err
	}
	switch err := s.jobs.Begin(in.Name); {
	case errors.Is(err, ErrJobRunning):
		return Job{}, &rest.Problem{Status: http.StatusConflict, Detail: "the job is running already", Err: err}
	case err != nil:
		return Job{}, err
	}
	return s.getJob(ctx, in)
}
