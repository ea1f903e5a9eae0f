package pull

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"daybook/store"
)

const (
	defaultInterval = time.Hour
	maxHint         = 7 * 24 * time.Hour
	firstRetry      = 5 * time.Minute
	maxRetry        = 12 * time.Hour
	// lookAgain is how often a run that has something to do looks for remotes
	// that have become due, so that a slow one does not hold up the others.
	lookAgain = 15 * time.Second
)

// interval gives the time between two pulls: the operator's, else what the
// source asks for, never less than the floor.
func (j *job) interval() time.Duration {
	d := j.remote.Interval
	if d == 0 {
		d = min(j.state.Hint, maxHint)
	}
	if d == 0 {
		d = defaultInterval
	}
	return max(d, j.opt.Floor)
}

// delay gives the time until the next pull. After failures it doubles; some
// chance in it keeps many remotes of one server from coming all at once.
func (j *job) delay(failed error) time.Duration {
	if failed == nil {
		d := j.interval()
		return d + time.Duration(j.opt.Rand()*0.1*float64(d))
	}
	n := min(max(j.state.Failures-1, 0), 10)
	d := min(max(firstRetry, j.opt.Floor)<<n, max(maxRetry, j.interval()))
	d += time.Duration((j.opt.Rand()*0.4 - 0.2) * float64(d))
	if f, ok := errors.AsType[*fault](failed); ok {
		d = max(d, f.after)
	}
	return d
}

// settings stands for what of the record decides which objects go in, and how.
// A window of days moves each day.
func (j *job) settings() []byte {
	r := j.remote
	h := sha256.New()
	fmt.Fprintf(h, "%d %q %q %d %d %t", r.Counts, r.Components, r.Categories, r.PastDays, r.FutureDays, r.TwoWay)
	if r.PastDays > 0 || r.FutureDays > 0 {
		fmt.Fprint(h, j.now.Unix()/(24*60*60))
	}
	return h.Sum(nil)[:16]
}

// Job gives the job that pulls the remotes that are due, several at a time, and
// returns when none is left. Errors of remotes are theirs, not the job's.
func (p *Puller) Job() func(context.Context) error { return p.run }

func (p *Puller) run(ctx context.Context) error {
	done := make(chan store.RemoteID)
	busy := map[store.RemoteID]bool{}
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	var failed error
	for {
		due, err := p.due(ctx)
		if err != nil {
			failed = err
		}
		for _, id := range due {
			if failed == nil && ctx.Err() == nil && !busy[id] && len(busy) < p.opt.AtOnce {
				busy[id] = true
				go func() {
					p.quietly(ctx, id)
					done <- id
				}()
			}
		}
		if len(busy) == 0 {
			return errors.Join(failed, ctx.Err())
		}
		select {
		case id := <-done:
			delete(busy, id)
		case <-tick.C:
		}
	}
}

// quietly pulls one remote of a run. Its errors were logged and kept.
func (p *Puller) quietly(ctx context.Context, id store.RemoteID) {
	defer func() {
		if cause := recover(); cause != nil {
			p.met.pulls.WithLabelValues("", "panic").Inc()
			p.opt.Log.ErrorContext(ctx, "panic in a pull", "err", fmt.Sprint(cause))
			p.postpone(ctx, id)
		}
	}()
	_, _ = p.Pull(ctx, id)
}

// postpone keeps a remote whose pull ended in a mistake of ours from being tried
// at once again.
func (p *Puller) postpone(ctx context.Context, id store.RemoteID) {
	err := p.opt.Store.Update(ctx, func(tx *store.Tx) error {
		s, err := tx.RemoteState(id)
		if err != nil {
			return err
		}
		s.Failures++
		s.Result, s.Error, s.Tried = "store", "the pull failed by a mistake of this program, see its log", p.opt.Now()
		s.Next = s.Tried.Add(maxRetry)
		return tx.PutRemoteState(id, s)
	})
	if err != nil {
		p.opt.Log.ErrorContext(ctx, "remote cannot be postponed", "err", err)
	}
}

// due gives the remotes whose time has come, those that wait longest first.
func (p *Puller) due(ctx context.Context) ([]store.RemoteID, error) {
	now := p.opt.Now()
	type waiting struct {
		id   store.RemoteID
		next time.Time
	}
	var all []waiting
	var oldest time.Time
	counts := map[string]int{}
	err := p.opt.Store.View(ctx, func(v *store.View) error {
		all, oldest = all[:0], time.Time{}
		clear(counts)
		remotes, err := v.Remotes(0)
		if err != nil {
			return err
		}
		for _, r := range remotes {
			s, err := v.RemoteState(r.ID)
			if err != nil {
				return err
			}
			counts[s.Condition(r)]++
			if r.Ending || !r.Paused && s.Stopped == "" && !s.Next.After(now) {
				all = append(all, waiting{r.ID, s.Next})
			}
			if since := s.Success; !r.Paused && !since.IsZero() && (oldest.IsZero() || since.Before(oldest)) {
				oldest = since
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.met.conditions(counts, oldest)
	slices.SortStableFunc(all, func(a, b waiting) int { return a.next.Compare(b.next) })
	out := make([]store.RemoteID, len(all))
	for i, w := range all {
		out[i] = w.id
	}
	return out, nil
}
