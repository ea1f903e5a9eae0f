// Package jobs runs the daemon's cron table: each row has a name, a schedule,
// a timeout and a function. The runner gives every run a context that ends
// with the timeout or with the daemon, skips a run while the last one of the
// same job is going, recovers panics, keeps the outcome of the last run in the
// store, and makes up after a downtime for what was missed.
//
// It knows nothing of what the jobs do. They may run twice and may be killed,
// so they are idempotent and commit their work in small transactions.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/robfig/cron/v3"

	"daybook/store"
)

// Errors of RunNow.
var (
	ErrUnknown = errors.New("no such job")
	ErrRunning = errors.New("job is running already")
	ErrStopped = errors.New("job runner is stopped")
)

// Job is one row of the table.
type Job struct {
	// Name is the job's name in metrics, logs, the store and commands: lower-case letters, digits, hyphens.
	Name string
	// Schedule is a cron expression of five fields (minute, hour, day of month, month, day of week), @hourly, @daily, …,
	// or "@every 10m". Wall clocks are UTC, unless it begins with "CRON_TZ=Europe/Berlin ".
	Schedule string
	// Timeout ends the context of a run; it must be positive.
	Timeout time.Duration
	// Run does the work. It should return soon after ctx ends.
	Run func(ctx context.Context) error
}

// Options says how the table is run.
type Options struct {
	Store   *store.Store          // keeps the last runs; nil: they are forgotten with the process
	Log     *slog.Logger          // nil: discarded
	Metrics prometheus.Registerer // nil: none
	Now     func() time.Time      // nil: time.Now; for what is recorded, not for the timers
	// CatchUp is the time from Start to the first run that makes up for a missed one, and from that to the next;
	// 0 is 10 s.
	CatchUp time.Duration
}

const defaultCatchUp = 10 * time.Second

// Status is what is known of one job.
type Status struct {
	Name     string
	Schedule string
	Running  bool
	Next     time.Time // in UTC; the zero time when it is never due
	Last     store.JobRun
}

// Runner runs a table. Make it with New.
type Runner struct {
	opt   Options
	met   *metrics
	table []*entry
	cron  *cron.Cron

	base   context.Context // of every run; ends with Stop
	cancel context.CancelFunc

	mu      sync.Mutex
	started bool
	stopped bool
	runs    sync.WaitGroup // runs and the catch-up; Add only under mu while not stopped
}

// entry is a job with what the runner knows of it.
type entry struct {
	Job
	sched cron.Schedule

	mu      sync.Mutex
	running bool
	last    store.JobRun
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// New checks the table: names well formed and unique, schedules readable and ever due, timeouts positive. All faults are
// reported at once. Nothing runs before Start, but RunNow works.
func New(o Options, table ...Job) (*Runner, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CatchUp <= 0 {
		o.CatchUp = defaultCatchUp
	}
	r := &Runner{opt: o, cron: cron.New(cron.WithLocation(time.UTC), cron.WithLogger(cron.DiscardLogger))}
	seen := make(map[string]bool, len(table))
	var faults []error
	for _, j := range table {
		e, err := newEntry(j, o.Now())
		if err == nil && seen[j.Name] {
			err = errors.New("name is used twice")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("job %q: %w", j.Name, err))
			continue
		}
		seen[j.Name] = true
		r.table = append(r.table, e)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	r.met = newMetrics(o.Metrics, r.table)
	r.base, r.cancel = context.WithCancel(context.Background())
	return r, nil
}

func newEntry(j Job, now time.Time) (*entry, error) {
	switch {
	case !nameForm.MatchString(j.Name):
		return nil, errors.New("a name is lower-case letters, digits and hyphens")
	case j.Timeout <= 0:
		return nil, errors.New("timeout must be positive")
	case j.Run == nil:
		return nil, errors.New("nothing to run")
	}
	sched, err := cron.ParseStandard(j.Schedule)
	if err != nil {
		return nil, fmt.Errorf("schedule %q: %w", j.Schedule, err)
	}
	// ParseStandard places a schedule without a zone by the machine's zone.
	if s, ok := sched.(*cron.SpecSchedule); ok && s.Location == time.Local {
		s.Location = time.UTC
	}
	if sched.Next(now).IsZero() {
		return nil, fmt.Errorf("schedule %q is never due", j.Schedule)
	}
	return &entry{Job: j, sched: sched, last: store.JobRun{Name: j.Name}}, nil
}

// Start reads the last runs, starts the schedule, and runs, one after the other, soon and apart from each other, the jobs
// that were due since their last success. ctx bounds only the reading. A Runner is started once.
func (r *Runner) Start(ctx context.Context) error {
	if err := r.load(ctx); err != nil {
		return fmt.Errorf("read last job runs: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return ErrStopped
	}
	if r.started {
		return errors.New("job runner is started already")
	}
	r.started = true
	for _, e := range r.table {
		r.cron.Schedule(e.sched, cron.FuncJob(func() { r.scheduled(e) }))
	}
	missed := r.missed()
	r.cron.Start()
	if len(missed) > 0 {
		r.runs.Go(func() { r.catchUp(missed) })
	}
	return nil
}

// load takes the stored outcomes over.
func (r *Runner) load(ctx context.Context) error {
	if r.opt.Store == nil {
		return nil
	}
	var stored []store.JobRun
	err := r.opt.Store.View(ctx, func(v *store.View) (err error) {
		stored, err = v.JobRuns()
		return err
	})
	if err != nil {
		return err
	}
	for _, run := range stored {
		if e := r.entry(run.Name); e != nil {
			e.mu.Lock()
			e.last = run
			e.mu.Unlock()
			r.met.succeeded(run.Name, run.Success)
		}
	}
	return nil
}

// missed gives the jobs that were due between their last success and now; one that never succeeded is due.
func (r *Runner) missed() []*entry {
	now := r.opt.Now()
	var out []*entry
	for _, e := range r.table {
		e.mu.Lock()
		success := e.last.Success
		e.mu.Unlock()
		// A success in the future is from a clock that was wrong; waiting for it could take years.
		if success.IsZero() || success.After(now) || !e.sched.Next(success).After(now) {
			out = append(out, e)
		}
	}
	return out
}

func (r *Runner) catchUp(missed []*entry) {
	t := time.NewTicker(r.opt.CatchUp)
	defer t.Stop()
	for _, e := range missed {
		select {
		case <-r.base.Done():
			return
		case <-t.C:
			r.scheduled(e)
		}
	}
}

// RunNow runs the job now, whatever its schedule says, and gives its error. The run ends when ctx ends, as it does at its
// timeout and with Stop. ErrUnknown, ErrRunning, ErrStopped.
func (r *Runner) RunNow(ctx context.Context, name string) error {
	e := r.entry(name)
	if e == nil {
		return fmt.Errorf("job %q: %w", name, ErrUnknown)
	}
	return r.run(ctx, e)
}

// Begin starts a run of the job that goes on by itself, like one by schedule. ErrUnknown, ErrRunning, ErrStopped.
func (r *Runner) Begin(name string) error {
	e := r.entry(name)
	if e == nil {
		return fmt.Errorf("job %q: %w", name, ErrUnknown)
	}
	if err := r.begin(e); err != nil {
		return fmt.Errorf("job %q: %w", name, err)
	}
	go func() {
		defer r.end(e)
		r.outcome(e, r.perform(r.base, e))
	}()
	return nil
}

// Jobs gives the state of each job, in the order of the table.
func (r *Runner) Jobs(ctx context.Context) ([]Status, error) {
	r.mu.Lock()
	fresh := !r.started
	r.mu.Unlock()
	if fresh {
		if err := r.load(ctx); err != nil {
			return nil, fmt.Errorf("read last job runs: %w", err)
		}
	}
	now := r.opt.Now()
	out := make([]Status, 0, len(r.table))
	for _, e := range r.table {
		e.mu.Lock()
		s := Status{Name: e.Name, Schedule: e.Schedule, Running: e.running, Last: e.last}
		e.mu.Unlock()
		s.Next = e.sched.Next(now).UTC()
		out = append(out, s)
	}
	return out, nil
}

// Stop ends the schedule and the contexts of the running jobs, and waits for these, but not longer than ctx allows; then it
// gives ctx's error. It may be called again, and without Start.
func (r *Runner) Stop(ctx context.Context) error {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.cron.Stop()
	r.cancel()
	done := make(chan struct{})
	go func() {
		r.runs.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("jobs are still running: %w", ctx.Err())
	}
}

func (r *Runner) entry(name string) *entry {
	for _, e := range r.table {
		if e.Name == name {
			return e
		}
	}
	return nil
}
