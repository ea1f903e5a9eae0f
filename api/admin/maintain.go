package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"daybook/store"
)

// errNoJobs tells that the service was made without a job table.
var errNoJobs = errors.New("there are no jobs here")

// Status has figures of the store.
type Status struct {
	FileBytes     int64     `json:"file_bytes"`
	FreeBytes     int64     `json:"free_bytes"` // pages in the file that hold nothing
	Objects       uint64    `json:"objects"`
	Instances     uint64    `json:"instances"` // in the index
	Horizon       time.Time `json:"horizon"`   // how far instances are indexed
	Organisations int       `json:"organisations"`
	Users         int       `json:"users"`
	Resources     int       `json:"resources"`
}

func status(ctx context.Context, s *Service, _ None, _ *Stream) (Status, error) {
	st := s.Store.Stats()
	out := Status{
		FileBytes: st.FileBytes, FreeBytes: (st.FreePages + st.PendingPages) * st.PageSize,
		Objects: st.Objects, Instances: st.Rows, Horizon: st.Horizon,
	}
	return out, s.Store.View(ctx, func(v *store.View) error {
		all, err := v.Principals(0)
		for _, p := range all {
			switch {
			case p.Kind == store.KindOrganisation:
				out.Organisations++
			case p.Kind == store.KindUser:
				out.Users++
			case p.Kind.Resource():
				out.Resources++
			}
		}
		return err
	})
}

// BackedUp sums a backup up.
type BackedUp struct {
	Bytes int64 `json:"bytes"`
}

func backup(_ context.Context, s *Service, _ None, st *Stream) (BackedUp, error) {
	n, err := s.Store.Backup(st.Out)
	return BackedUp{n}, err
}

// CheckStore asks for a check, with Rebuild for new indexes too.
type CheckStore struct {
	Rebuild bool `json:"rebuild,omitempty"`
}

// Problem is one finding of a check.
type Problem struct {
	Kind    string `json:"kind"`
	Where   string `json:"where"`
	Message string `json:"message"`
}

// Checked sums a check up.
type Checked struct {
	Principals  int  `json:"principals"`
	Collections int  `json:"collections"`
	Objects     int  `json:"objects"`
	Members     int  `json:"members"`
	Changes     int  `json:"changes"`
	Instances   int  `json:"instances"`
	Problems    int  `json:"problems"`
	Rebuilt     bool `json:"rebuilt"`
}

func check(ctx context.Context, s *Service, req CheckStore, st *Stream) (Checked, error) {
	var failed error
	stats, err := s.Store.Check(ctx, req.Rebuild, func(p store.Problem) {
		if failed == nil {
			failed = st.item(Problem{p.Kind, p.Where, p.Message})
		}
	})
	return Checked{
		Principals: stats.Principals, Collections: stats.Collections, Objects: stats.Objects, Members: stats.Members,
		Changes: stats.Changes, Instances: stats.Rows, Problems: stats.Problems, Rebuilt: req.Rebuild && err == nil,
	}, errors.Join(err, failed)
}

// RunJob names a job.
type RunJob struct {
	Name string `json:"name"`
}

// JobRan tells how long a job took.
type JobRan struct {
	Name string `json:"name"`
	Took string `json:"took"`
}

func runJob(ctx context.Context, s *Service, req RunJob, _ *Stream) (JobRan, error) {
	if s.Jobs == nil {
		return JobRan{}, errNoJobs
	}
	start := time.Now()
	if err := s.Jobs.RunJob(ctx, req.Name); err != nil {
		return JobRan{}, fmt.Errorf("run job %q: %w", req.Name, err)
	}
	return JobRan{req.Name, time.Since(start).Round(time.Millisecond).String()}, nil
}

func listJobs(ctx context.Context, s *Service, _ None, _ *Stream) ([]JobStatus, error) {
	if s.Jobs == nil {
		return nil, errNoJobs
	}
	return s.Jobs.ListJobs(ctx)
}
