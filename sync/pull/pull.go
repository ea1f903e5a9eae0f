// Package pull keeps calendars that live elsewhere in step with ours: remotes.
// An iCalendar stream or a CalDAV collection is pulled into a calendar of ours;
// with a CalDAV one our changes can go there too.
//
// What a one-way remote brings is marked as its own (store.Origin) and enters by
// the one door like everything else, so it takes time, is listed and synchronised
// without anybody knowing of remotes; only the remote changes it. A two-way
// remote's objects are ordinary ones.
//
// A pull changes nothing here unless it read the whole answer. What went wrong is
// kept beside the remote's record, its last good data stays, and it is tried
// again later and later. Deletions are believed up to a share of what was there;
// above it the remote stops until an operator resumes it.
//
// The rows of tableBases are what both sides had in common: of a stream the hash
// of what each object says, so that sources that write new stamps and UIDs each
// time change nothing; of a collection the ETags of both sides, and for two ways
// the bytes, which make a three-way merge possible.
package pull

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"daybook/store"
)

// Fetcher makes the requests: a guard.Client.
type Fetcher interface {
	Do(r *http.Request) (*http.Response, error)
	Check(u *url.URL) error
}

// Options are what a Puller is made of.
type Options struct {
	Store     *store.Store
	Fetch     Fetcher
	Log       *slog.Logger          // nil: discarded
	Metrics   prometheus.Registerer // nil: none
	Now       func() time.Time      // nil: time.Now
	Rand      func() float64        // nil: math/rand; from 0 to 1, for jitter
	Floor     time.Duration         // least time between two pulls of a remote; 0: 5 min
	AtOnce    int                   // pulls at the same time; 0: 4
	MaxObject int                   // bytes of one object; 0: no limit of ours
}

// Puller pulls remotes.
type Puller struct {
	opt Options
	met *metrics

	mu      sync.Mutex
	running map[store.RemoteID]bool
}

// Errors of Pull.
var (
	ErrBusy    = fmt.Errorf("remote is being pulled already: %w", store.ErrNotNow)
	ErrPaused  = fmt.Errorf("remote is paused: %w", store.ErrNotNow)
	ErrStopped = fmt.Errorf("remote was stopped: %w", store.ErrNotNow)
)

// New makes a Puller.
func New(o Options) *Puller {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Floor <= 0 {
		o.Floor = 5 * time.Minute
	}
	if o.AtOnce <= 0 {
		o.AtOnce = 4
	}
	return &Puller{opt: o, met: newMetrics(o.Metrics), running: map[store.RemoteID]bool{}}
}

// Check gives scheme and host of an address that may be fetched from, for those
// who take it from somebody. store.ErrInvalid with the reason.
func (p *Puller) Check(address string) (host string, err error) {
	u, err := parse(address)
	if err == nil {
		err = p.opt.Fetch.Check(u)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	return HostOf(address), nil
}

// begin takes the remote, unless it is taken.
func (p *Puller) begin(id store.RemoteID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running[id] {
		return false
	}
	p.running[id] = true
	p.met.running.Set(float64(len(p.running)))
	return true
}

func (p *Puller) end(id store.RemoteID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, id)
	p.met.running.Set(float64(len(p.running)))
}

// job is one pull of a remote: what it goes by, and what comes of it.
type job struct {
	*Puller
	log    *slog.Logger
	remote *store.Remote
	access store.RemoteAccess
	owner  store.PrincipalID // of the target
	actor  *store.Actor
	state  store.RemoteState // becomes the new one
	now    time.Time
	moved  *store.RemoteAccess // where it moved to for good; nil: nowhere

	added, updated, removed, sent int
	refused                       int
	refusals                      []store.RemoteNote
}

// Pull pulls a remote now and gives its new state. An error of the remote is in
// the state and given too. ErrBusy, ErrPaused, ErrStopped, store.ErrNotFound.
func (p *Puller) Pull(ctx context.Context, id store.RemoteID) (store.RemoteState, error) {
	if !p.begin(id) {
		return store.RemoteState{}, ErrBusy
	}
	defer p.end(id)
	j, err := p.load(ctx, id)
	if err != nil {
		return store.RemoteState{}, err
	}
	ctx = store.By(ctx, j.actor, "pull")
	switch {
	case j.remote.Ending:
		return j.state, j.finish(ctx)
	case j.remote.Paused:
		return j.state, ErrPaused
	case j.state.Stopped != "":
		return j.state, fmt.Errorf("%w: %s", ErrStopped, j.state.Stopped)
	}
	if j.access, err = p.secrets(ctx, j.remote); err == nil {
		err = j.pull(ctx)
	}
	return j.state, j.save(ctx, err)
}

// load reads what a pull goes by.
func (p *Puller) load(ctx context.Context, id store.RemoteID) (*job, error) {
	j := &job{Puller: p, now: p.opt.Now()}
	err := p.opt.Store.View(ctx, func(v *store.View) (err error) {
		if j.remote, err = v.Remote(id); err != nil {
			return err
		}
		c, err := v.Collection(j.remote.Target)
		if err != nil {
			return err
		}
		j.owner, j.actor = c.Owner, j.remote.Actor(c.Owner)
		j.state, err = v.RemoteState(id)
		return err
	})
	if err != nil {
		return nil, err
	}
	j.log = p.opt.Log.With("remote", j.remote.UUID.String())
	return j, nil
}

func (p *Puller) secrets(ctx context.Context, r *store.Remote) (a store.RemoteAccess, err error) {
	err = p.opt.Store.View(ctx, func(v *store.View) error {
		a, err = v.RemoteAccess(r)
		return err
	})
	if err != nil {
		return a, &fault{kind: "credentials", text: "address and credentials cannot be opened with this daemon's key"}
	}
	return a, nil
}

// pull does the work of the remote's kind.
func (j *job) pull(ctx context.Context) error {
	settings := j.settings()
	if string(settings) != string(j.state.Settings) {
		j.forget() // everything is looked at again
	}
	var err error
	switch {
	case j.remote.Kind == store.RemoteICS:
		err = j.stream(ctx)
	case j.remote.TwoWay:
		err = j.bothWays(ctx)
	default:
		err = j.collection(ctx)
	}
	if err == nil {
		j.state.Settings = settings
	}
	return err
}

// forget drops all by which a pull would find that nothing is new.
func (j *job) forget() {
	j.state.ETag, j.state.Modified, j.state.Sum = "", "", nil
	j.state.SyncToken, j.state.CTag = "", ""
}

// save keeps how the pull went. The remote may have been changed by an operator
// in the meantime; of its record only the address is touched.
func (j *job) save(ctx context.Context, failed error) error {
	if ctx.Err() != nil {
		return ctx.Err() // the daemon is ending, or nobody waits any more: this was no pull
	}
	s := &j.state
	s.Tried, s.Took = j.now, j.opt.Now().Sub(j.now)
	s.Result = resultOf(failed)
	var stop *stopError
	switch {
	case failed == nil:
		s.Success, s.Failures, s.Error, s.Allowed = j.now, 0, "", false
		s.Refused, s.Refusals = j.refused, j.refusals
		if n := j.added + j.updated + j.removed + j.sent; n > 0 {
			s.Added, s.Updated, s.Removed, s.Sent, s.Changed = j.added, j.updated, j.removed, j.sent, j.now
		} else {
			s.Result = "unchanged"
		}
	case errors.As(failed, &stop):
		s.Stopped, s.Error, s.Allowed = stop.Error(), stop.Error(), false
	default:
		s.Failures++
		s.Error = failed.Error()
	}
	s.Next = j.now.Add(j.delay(failed))
	j.met.count(j.remote.Kind, s.Result, j)
	err := j.opt.Store.Update(ctx, func(tx *store.Tx) error {
		if j.moved != nil && failed == nil {
			r, err := tx.Remote(j.remote.ID)
			if err != nil {
				return err
			}
			r.Host = HostOf(j.moved.URL)
			if err := tx.PutRemote(r, j.moved); err != nil {
				return err
			}
		}
		return tx.PutRemoteState(j.remote.ID, *s)
	})
	if errors.Is(err, store.ErrNotFound) {
		return err // it was removed in the meantime
	}
	if failed != nil {
		j.log.WarnContext(ctx, "pull failed", "result", s.Result, "failures", s.Failures, "next", s.Next, "err", failed)
	} else {
		j.log.DebugContext(ctx, "pulled", "added", j.added, "updated", j.updated, "removed", j.removed, "sent", j.sent, "refused", j.refused)
	}
	return errors.Join(failed, err)
}

// refuse notes an object that does not go in.
func (j *job) refuse(uid string, err error) {
	j.refused++
	if len(j.refusals) < 20 {
		j.refusals = append(j.refusals, store.RemoteNote{UID: cut(uid), Reason: cut(err.Error())})
	}
}

func cut(s string) string { return s[:min(len(s), 300)] }

// Remove marks a remote to be removed with the objects that it keeps, and
// removes them. What a two-way remote brought stays: it is ours too.
func (p *Puller) Remove(ctx context.Context, id store.RemoteID) error {
	err := p.opt.Store.Update(ctx, func(tx *store.Tx) error {
		r, err := tx.Remote(id)
		if err != nil {
			return err
		}
		r.Ending = true
		return tx.PutRemote(r, nil)
	})
	if err != nil {
		return err
	}
	if !p.begin(id) {
		return nil // who pulls it, or the next run, goes on
	}
	defer p.end(id)
	j, err := p.load(ctx, id)
	if err != nil {
		return err
	}
	return j.finish(store.By(ctx, j.actor, "pull"))
}

// finish removes what the remote keeps, some at a time, and then the remote.
func (j *job) finish(ctx context.Context) error {
	for !j.remote.TwoWay {
		var names []string
		err := j.opt.Store.View(ctx, func(v *store.View) error {
			names = names[:0]
			return v.EachMember(j.remote.Target, "", func(m store.Member) bool {
				if v.Origin(m.Object).Remote == j.remote.ID {
					names = append(names, m.Name)
				}
				return len(names) < step
			})
		})
		if err != nil {
			return err
		}
		err = j.opt.Store.Update(ctx, func(tx *store.Tx) error {
			for _, name := range names {
				if err := tx.DeleteObject(j.actor, j.remote.Target, name, store.Cond{}); err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(names) < step {
			break
		}
	}
	return j.opt.Store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteRemote(j.remote.ID) })
}

// Resume lets a stopped remote go on: the deletions of its next pull pass.
// ErrBusy, store.ErrNotFound.
func (p *Puller) Resume(ctx context.Context, id store.RemoteID) error {
	if !p.begin(id) {
		return ErrBusy
	}
	defer p.end(id)
	return p.opt.Store.Update(ctx, func(tx *store.Tx) error { return tx.ResumeRemote(id) })
}
