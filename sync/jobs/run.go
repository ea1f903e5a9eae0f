package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"daybook/store"
)

// Bounds of what is kept of a run.
const (
	recordTimeout = 30 * time.Second // of the transaction that stores the outcome
	errorLength   = 1000             // bytes of a stored error
)

// panicError is a job's panic, made an error.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// scheduled is a run by schedule or catch-up: nobody waits for its error, so this is where it is handled.
func (r *Runner) scheduled(e *entry) {
	err := r.run(r.base, e)
	if errors.Is(err, ErrRunning) {
		r.met.runs.WithLabelValues(e.Name, "skipped").Inc()
		r.opt.Log.Warn("job skipped: its last run is still going", "job", e.Name)
		return
	}
	r.outcome(e, err)
}

// outcome logs the error of a run that nobody waits for.
func (r *Runner) outcome(e *entry, err error) {
	if err != nil && r.base.Err() == nil {
		attrs := []any{slog.String("job", e.Name), slog.Any("err", err)}
		if p, ok := errors.AsType[*panicError](err); ok {
			attrs = append(attrs, slog.String("stack", string(p.stack)))
		}
		r.opt.Log.Error("job failed", attrs...)
	}
}

// run is one run of one job, from the check for overlap to the stored outcome.
func (r *Runner) run(ctx context.Context, e *entry) error {
	if err := r.begin(e); err != nil {
		return fmt.Errorf("job %q: %w", e.Name, err)
	}
	defer r.end(e)
	return r.perform(ctx, e)
}

// perform is a run that has begun.
func (r *Runner) perform(ctx context.Context, e *entry) error {
	ctx, cancel := context.WithTimeout(store.By(ctx, store.System(), "job"), e.Timeout)
	defer cancel()
	defer context.AfterFunc(r.base, cancel)()

	started, clock := r.opt.Now(), time.Now()
	err := protect(ctx, e.Run)
	took := time.Since(clock)

	result := result(ctx, err)
	if result == "timeout" && took >= e.Timeout {
		err = fmt.Errorf("it took longer than %s: %w", e.Timeout, err)
	}
	r.met.observe(e.Name, result, took)
	r.opt.Log.Debug("job ended", "job", e.Name, "result", result, "took", took)
	if kept := r.record(ctx, e, store.JobRun{Name: e.Name, Started: started.UTC(), Took: took}, err); kept != nil {
		err = errors.Join(err, fmt.Errorf("store the outcome: %w", kept))
	}
	if err != nil {
		return fmt.Errorf("job %q: %w", e.Name, err)
	}
	return nil
}

// begin claims the job for one run.
func (r *Runner) begin(e *entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return ErrStopped
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running {
		return ErrRunning
	}
	e.running = true
	r.runs.Add(1)
	r.met.running.WithLabelValues(e.Name).Set(1)
	return nil
}

func (r *Runner) end(e *entry) {
	e.mu.Lock()
	e.running = false
	e.mu.Unlock()
	r.met.running.WithLabelValues(e.Name).Set(0)
	r.runs.Done()
}

// protect calls fn and makes a panic an error: one broken job must not take the daemon down.
func protect(ctx context.Context, fn func(context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return fn(ctx)
}

// result names the outcome for the metrics.
func result(ctx context.Context, err error) string {
	if err == nil {
		return "ok"
	}
	if _, ok := errors.AsType[*panicError](err); ok {
		return "panic"
	}
	// The context tells why it ended; what the job makes of that is its own.
	switch ctx.Err() {
	case context.DeadlineExceeded:
		return "timeout"
	case context.Canceled:
		return "cancelled"
	}
	return "error"
}

// record keeps the outcome. The run's context may have ended; its values stay, its end does not count here.
func (r *Runner) record(ctx context.Context, e *entry, run store.JobRun, err error) error {
	e.mu.Lock()
	run.Success = e.last.Success
	e.mu.Unlock()
	if err == nil {
		run.Success = run.Started
	} else {
		text := err.Error()
		run.Error = strings.ToValidUTF8(text[:min(len(text), errorLength)], "")
	}
	if r.opt.Store != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		defer cancel()
		if kept := r.opt.Store.Update(ctx, func(tx *store.Tx) error { return put(tx, &run) }); kept != nil {
			return kept
		}
	}
	e.mu.Lock()
	e.last = run
	e.mu.Unlock()
	r.met.succeeded(e.Name, run.Success)
	return nil
}

// put writes the run; one that failed keeps the last success that the store knows, also that of another process.
func put(tx *store.Tx, run *store.JobRun) error {
	if run.Error != "" {
		runs, err := tx.JobRuns()
		if err != nil {
			return err
		}
		for _, old := range runs {
			if old.Name == run.Name && old.Success.After(run.Success) {
				run.Success = old.Success
			}
		}
	}
	return tx.PutJobRun(*run)
}
