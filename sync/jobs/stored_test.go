package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"daybook/store"
	"daybook/sync/jobs"
)

// runs gives the stored outcomes by name.
func runs(t *testing.T, s *store.Store) map[string]store.JobRun {
	t.Helper()
	out := map[string]store.JobRun{}
	err := s.View(t.Context(), func(v *store.View) error {
		all, err := v.JobRuns()
		for _, r := range all {
			out[r.Name] = r
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMissedRunsAreMadeUpForAfterDowntime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t)
		now := time.Now()
		for name, ago := range map[string]time.Duration{"late": 50 * time.Hour, "later": 26 * time.Hour, "fresh": time.Hour} {
			if err := s.Update(t.Context(), func(tx *store.Tx) error {
				return tx.PutJobRun(store.JobRun{Name: name, Started: now.Add(-ago), Success: now.Add(-ago)})
			}); err != nil {
				t.Fatal(err)
			}
		}
		at := map[string][]time.Duration{}
		row := func(name string) jobs.Job {
			return jobs.Job{
				Name: name, Schedule: "@every 24h", Timeout: time.Minute,
				Run: func(context.Context) error { at[name] = append(at[name], time.Since(now)); return nil },
			}
		}
		start(t, jobs.Options{Store: s, CatchUp: 10 * time.Second}, row("late"), row("fresh"), row("later"), row("new"))
		time.Sleep(time.Hour)
		synctest.Wait()
		for name, want := range map[string]time.Duration{"late": 10 * time.Second, "later": 20 * time.Second, "new": 30 * time.Second} {
			if got := at[name]; len(got) != 1 || got[0] != want {
				t.Errorf("%s ran at %v, want %v", name, got, want)
			}
		}
		if got := at["fresh"]; len(got) != 0 {
			t.Errorf("fresh ran at %v", got)
		}
	})
}

func TestOutcomeIsStoredAndAFailureKeepsTheLastSuccess(t *testing.T) {
	s := openStore(t)
	now := time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)
	var fail error
	r, err := jobs.New(jobs.Options{Store: s, Now: func() time.Time { return now }}, jobs.Job{
		Name: "job", Schedule: "@daily", Timeout: time.Minute,
		Run: func(context.Context) error { return fail },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.RunNow(t.Context(), "job"); err != nil {
		t.Fatal(err)
	}
	first := now
	if got := runs(t, s)["job"]; !got.Success.Equal(first) || got.Error != "" {
		t.Errorf("stored %+v", got)
	}
	now = now.Add(time.Hour)
	fail = errors.New("broken \xff " + strings.Repeat("x", 5000))
	if err := r.RunNow(t.Context(), "job"); !errors.Is(err, fail) {
		t.Errorf("error %v", err)
	}
	got := runs(t, s)["job"]
	if !got.Started.Equal(now) || !got.Success.Equal(first) || !strings.HasPrefix(got.Error, "broken ") || len(got.Error) > 1000 {
		t.Errorf("stored %+v", got)
	}
	status, err := r.Jobs(t.Context())
	if err != nil || len(status) != 1 || !status[0].Last.Success.Equal(first) ||
		!status[0].Next.Equal(time.Date(2027, 3, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("status %+v, %v", status, err)
	}
}
