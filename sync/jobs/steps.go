package jobs

import (
	"context"
	"errors"
)

// errStalled tells that a step says neither that it is done nor what it did.
var errStalled = errors.New("no progress")

// maxIdle bounds the steps in a row that find nothing and are not done, as
// one is when another writer comes between.
const maxIdle = 100

// Steps takes one step after the other, each a transaction of bounded size that
// tells how much it did, until one says that all is done. It ends early, with
// ctx's error, between two of them.
func Steps(ctx context.Context, step func(context.Context) (did int, done bool, err error)) error {
	for idle := 0; ; idle++ {
		did, done, err := step(ctx)
		switch {
		case err != nil:
			return err
		case done:
			return nil
		case did > 0:
			idle = 0
		case idle > maxIdle:
			return errStalled
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
