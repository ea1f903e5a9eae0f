package jobs_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"daybook/store"
	"daybook/sync/jobs"
)

func nothing(context.Context) error { return nil }

// start runs the table until the end of the test.
func start(t *testing.T, o jobs.Options, table ...jobs.Job) *jobs.Runner {
	t.Helper()
	r, err := jobs.New(o, table...)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, r) })
	return r
}

func stop(t *testing.T, r *jobs.Runner) {
	t.Helper()
	if err := r.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func openStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "daybook.db"), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// count gives the counter of a job's result.
func count(t *testing.T, reg *prometheus.Registry, metric, job, result string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != metric {
			continue
		}
		for _, m := range f.GetMetric() {
			match := 0
			for _, l := range m.GetLabel() {
				if l.GetName() == "job" && l.GetValue() == job || l.GetName() == "result" && l.GetValue() == result {
					match++
				}
			}
			if match == len(m.GetLabel()) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("no series %s of job %s", metric, job)
	return 0
}

func TestDailyJobRunsOnceADayForAYear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it begins on 1 January 2000 at 00:00 UTC
		var at []time.Time
		start(t, jobs.Options{}, jobs.Job{
			Name: "daily", Schedule: "30 3 * * *", Timeout: time.Hour,
			Run: func(context.Context) error { at = append(at, time.Now()); return nil },
		})
		time.Sleep(366 * 24 * time.Hour)
		synctest.Wait()
		if len(at) != 366+1 { // the first makes up for never having run
			t.Fatalf("%d runs", len(at))
		}
		for _, when := range at[1:] {
			if h, m, _ := when.UTC().Clock(); h != 3 || m != 30 {
				t.Errorf("ran at %v", when)
			}
		}
	})
}

func TestScheduleWithZoneKeepsItsWallClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		hours := map[int]int{}
		start(t, jobs.Options{}, jobs.Job{
			Name: "zoned", Schedule: "CRON_TZ=Europe/Berlin 0 5 * * *", Timeout: time.Hour,
			Run: func(context.Context) error { hours[time.Now().In(berlin).Hour()]++; return nil },
		})
		time.Sleep(300 * 24 * time.Hour)
		synctest.Wait()
		if hours[5] != 300 {
			t.Errorf("hours of runs: %v", hours)
		}
	})
}

func TestOverlappingRunIsSkippedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		r := start(t, jobs.Options{Metrics: reg, CatchUp: time.Hour}, jobs.Job{
			Name: "slow", Schedule: "* * * * *", Timeout: time.Hour,
			Run: func(context.Context) error { time.Sleep(150 * time.Second); return nil },
		})
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if got := count(t, reg, "daybook_job_running", "slow", ""); got != 1 {
			t.Errorf("running is %v", got)
		}
		if err := r.RunNow(t.Context(), "slow"); !errors.Is(err, jobs.ErrRunning) {
			t.Errorf("second run: %v", err)
		}
		time.Sleep(9*time.Minute - 2*time.Second) // until just before minute 10
		synctest.Wait()
		// Runs begin at minutes 1, 4, 7; 2, 3, 5, 6, 8 and 9 are skipped.
		if ok, skipped := count(t, reg, "daybook_job_runs_total", "slow", "ok"),
			count(t, reg, "daybook_job_runs_total", "slow", "skipped"); ok != 3 || skipped != 6 {
			t.Errorf("ok %v, skipped %v", ok, skipped)
		}
	})
}

func TestPanicIsAnErrorAndTheJobRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		start(t, jobs.Options{Metrics: reg}, jobs.Job{
			Name: "broken", Schedule: "@hourly", Timeout: time.Minute,
			Run: func(context.Context) error { panic("broken") },
		})
		time.Sleep(3*time.Hour + time.Minute)
		synctest.Wait()
		if got := count(t, reg, "daybook_job_runs_total", "broken", "panic"); got != 4 {
			t.Errorf("%v panics", got)
		}
		if got := count(t, reg, "daybook_job_running", "broken", ""); got != 0 {
			t.Errorf("running is %v", got)
		}
	})
}

func TestRunEndsAtItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		r := start(t, jobs.Options{Metrics: reg, CatchUp: 24 * time.Hour}, jobs.Job{
			Name: "stuck", Schedule: "@daily", Timeout: time.Minute,
			Run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		})
		began := time.Now()
		if err := r.RunNow(t.Context(), "stuck"); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "longer than 1m0s") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("took %v", took)
		}
		if got := count(t, reg, "daybook_job_runs_total", "stuck", "timeout"); got != 1 {
			t.Errorf("%v timeouts", got)
		}
	})
}

func TestStopEndsRunsAndWaitsForThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cleaned bool
		r := start(t, jobs.Options{}, jobs.Job{
			Name: "long", Schedule: "@hourly", Timeout: time.Hour,
			Run: func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(3 * time.Second) // to end its transaction
				cleaned = true
				return ctx.Err()
			},
		})
		time.Sleep(time.Minute)
		began := time.Now()
		stop(t, r)
		if took := time.Since(began); !cleaned || took != 3*time.Second {
			t.Errorf("cleaned %v, took %v", cleaned, took)
		}
		if err := r.RunNow(t.Context(), "long"); !errors.Is(err, jobs.ErrStopped) {
			t.Errorf("run after Stop: %v", err)
		}
		if err := r.Start(t.Context()); !errors.Is(err, jobs.ErrStopped) {
			t.Errorf("Start after Stop: %v", err)
		}
	})
}

func TestStopGivesUpOnAJobThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, jobs.Options{}, jobs.Job{
			Name: "deaf", Schedule: "@hourly", Timeout: time.Second,
			Run: func(context.Context) error { time.Sleep(time.Hour); return nil },
		})
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := r.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop: %v", err)
		}
		time.Sleep(2 * time.Hour)
	})
}

func TestBegunRunGoesOnByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, ended := make(chan struct{}), 0
		r := start(t, jobs.Options{}, jobs.Job{Name: "slow", Schedule: "@yearly", Timeout: time.Hour, Run: func(ctx context.Context) error {
			select {
			case <-release:
				ended++
			case <-ctx.Done():
			}
			return ctx.Err()
		}})
		time.Sleep(time.Minute) // catches up
		close(release)
		synctest.Wait()
		release = make(chan struct{})
		if err := r.Begin("slow"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := r.Begin("slow"); !errors.Is(err, jobs.ErrRunning) {
			t.Error(err)
		}
		if err := r.Begin("none"); !errors.Is(err, jobs.ErrUnknown) {
			t.Error(err)
		}
		close(release)
		synctest.Wait()
		if ended != 2 {
			t.Errorf("%d runs ended", ended)
		}
		stop(t, r)
		if err := r.Begin("slow"); !errors.Is(err, jobs.ErrStopped) {
			t.Error(err)
		}
	})
}

func TestRunNowWorksWithoutStart(t *testing.T) {
	ran := 0
	r, err := jobs.New(jobs.Options{}, jobs.Job{
		Name: "once", Schedule: "@yearly", Timeout: time.Hour,
		Run: func(context.Context) error { ran++; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.RunNow(t.Context(), "once"); err != nil || ran != 1 {
		t.Errorf("ran %d times: %v", ran, err)
	}
	if err := r.RunNow(t.Context(), "other"); !errors.Is(err, jobs.ErrUnknown) {
		t.Errorf("unknown job: %v", err)
	}
	stop(t, r)
	stop(t, r)
}

func TestRunNowEndsWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, jobs.Options{CatchUp: 24 * time.Hour}, jobs.Job{
			Name: "long", Schedule: "@daily", Timeout: time.Hour,
			Run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := r.RunNow(ctx, "long"); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

func TestNewReportsAllFaultsOfTheTable(t *testing.T) {
	_, err := jobs.New(jobs.Options{},
		jobs.Job{Name: "Bad Name", Schedule: "@daily", Timeout: time.Second, Run: nothing},
		jobs.Job{Name: "no-timeout", Schedule: "@daily", Run: nothing},
		jobs.Job{Name: "no-run", Schedule: "@daily", Timeout: time.Second},
		jobs.Job{Name: "no-schedule", Schedule: "sometimes", Timeout: time.Second, Run: nothing},
		jobs.Job{Name: "never", Schedule: "0 0 30 2 *", Timeout: time.Second, Run: nothing},
		jobs.Job{Name: "good", Schedule: "@daily", Timeout: time.Second, Run: nothing},
		jobs.Job{Name: "good", Schedule: "@daily", Timeout: time.Second, Run: nothing},
	)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{`"Bad Name"`, `"no-timeout"`, `"no-run"`, `"no-schedule"`, `"never"`, "used twice"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %s in: %v", want, err)
		}
	}
}

func TestMetricsAreNamedWell(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	if _, err := jobs.New(jobs.Options{Metrics: reg},
		jobs.Job{Name: "any", Schedule: "@daily", Timeout: time.Second, Run: nothing}); err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}
