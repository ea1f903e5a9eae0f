package house

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"

	"daybook/api/auth"
	"daybook/api/rest"
	"daybook/store"
)

// replays keeps answers in the store, for who asked.
type replays struct{ store *store.Store }

// Begin is that of rest.Replays.
func (r replays) Begin(ctx context.Context, key string, request [sha256.Size]byte) (*rest.Replay, error) {
	saved, err := r.store.BeginReplay(ctx, auth.Actor(ctx), key, request)
	switch {
	case errors.Is(err, store.ErrReplayOther):
		return nil, &rest.Problem{
			Status: http.StatusUnprocessableEntity, Err: err,
			Detail: "this Idempotency-Key was used for another request: take a new one",
		}
	case errors.Is(err, store.ErrReplayBusy):
		return nil, &rest.Problem{
			Status: http.StatusConflict, Err: err, Header: http.Header{"Retry-After": {"5"}},
			Detail: "the request with this Idempotency-Key has no answer: it is being answered, or was cut off; look what it did before you take a new key",
		}
	case err != nil || saved == nil:
		return nil, err
	}
	return &rest.Replay{Status: saved.Status, Header: saved.Header, Body: saved.Body}, nil
}

// Finish is that of rest.Replays.
func (r replays) Finish(ctx context.Context, key string, answer *rest.Replay) error {
	var kept *store.Replay
	if answer != nil {
		kept = &store.Replay{Status: answer.Status, Header: answer.Header, Body: answer.Body}
	}
	return r.store.FinishReplay(ctx, auth.Actor(ctx), key, kept)
}
