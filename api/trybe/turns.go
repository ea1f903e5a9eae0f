package trybe

import (
	"context"

	"github.com/google/uuid"
)

// turns lets one request at a time read, edit and write a block, so that
// requests do not make one another begin anew. It is no more than that: what
// keeps a write from going over another is its ETag, and calendar clients take
// no turn.
type turns [64]chan struct{}

func newTurns() *turns {
	var t turns
	for i := range t {
		t[i] = make(chan struct{}, 1)
	}
	return &t
}

// take waits for the turn on an object; done gives it back.
func (t *turns) take(ctx context.Context, object uuid.UUID) (done func(), err error) {
	c := t[object[15]%uint8(len(t))]
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
