package jobs_test

import (
	"context"
	"errors"
	"testing"

	"daybook/sync/jobs"
)

func TestStepsEnd(t *testing.T) {
	broken := errors.New("broken")
	stopped, stop := context.WithCancel(t.Context())
	for _, x := range []struct {
		name  string
		ctx   context.Context
		step  func(n int) (int, bool, error)
		steps int
		want  func(error) bool
	}{
		{"when all is done", t.Context(), func(n int) (int, bool, error) { return n % 2, n == 250, nil }, 250, func(err error) bool { return err == nil }},
		{"with the error of a step", t.Context(), func(int) (int, bool, error) { return 1, false, broken }, 1, func(err error) bool { return errors.Is(err, broken) }},
		{"when nothing goes on", t.Context(), func(int) (int, bool, error) { return 0, false, nil }, 102, func(err error) bool { return err != nil }},
		{"when they are stopped", stopped, func(n int) (int, bool, error) {
			if n == 3 {
				stop()
			}
			return 1, false, nil
		}, 3, func(err error) bool { return errors.Is(err, context.Canceled) }},
	} {
		n := 0
		err := jobs.Steps(x.ctx, func(context.Context) (int, bool, error) {
			n++
			return x.step(n)
		})
		if n != x.steps || !x.want(err) {
			t.Errorf("%s: %d steps, %v", x.name, n, err)
		}
	}
	stop()
}
