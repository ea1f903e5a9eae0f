package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

// Replay is the answer to a request that named a key, kept so that asking again
// has no second effect.
type Replay struct {
	Status int               `cbor:"1,keyasint"`
	Header map[string]string `cbor:"2,keyasint,omitempty"`
	Body   []byte            `cbor:"3,keyasint,omitempty"`
}

// replayRecord is a request that named a key. Without an answer it is being
// answered now, or the daemon ended while it was.
type replayRecord struct {
	Request [sha256.Size]byte `cbor:"1,keyasint"`
	Begun   time.Time         `cbor:"2,keyasint"`
	Answer  *Replay           `cbor:"3,keyasint,omitempty"`
}

// ReplayAge is how long an answer is kept.
const ReplayAge = 24 * time.Hour

// Errors of BeginReplay.
var (
	ErrReplayOther = errors.New("the key belongs to another request")
	ErrReplayBusy  = errors.New("the request with this key has no answer yet")
)

// replayKey names a key of an actor: keys of others cannot be met or guessed.
func replayKey(a *Actor, name string) key {
	h := sha256.New()
	p := PrincipalID(0)
	if a.Principal != nil {
		p = a.Principal.ID
	}
	_, _ = fmt.Fprintf(h, "%d\x00%s\x00%s", p, a.Credential, name) // a hash takes all
	return newKey(tableReplays).principal(a.Org).bytes(h.Sum(nil)[:24])
}

// BeginReplay notes that the actor's request with this key is being answered,
// and gives nil; or it gives the answer that the request had. ErrReplayOther
// when the key was used for another request, ErrReplayBusy when the request is
// being answered, or was when the daemon ended: what it did is not known.
func (s *Store) BeginReplay(ctx context.Context, a *Actor, name string, request [sha256.Size]byte) (*Replay, error) {
	var saved *Replay
	k := replayKey(a, name)
	err := s.Update(ctx, func(tx *Tx) error {
		saved = nil
		old := replayRecord{}
		if b := tx.get(k); b != nil {
			if err := decodeRecord(b, &old); err != nil {
				return err
			}
		}
		switch {
		case old.Begun.Before(tx.now.Add(-ReplayAge)): // none, or one whose time is over
			tx.put(k, encodeRecord(replayRecord{Request: request, Begun: tx.now}))
			return nil
		case old.Request != request:
			return ErrReplayOther
		case old.Answer == nil:
			return ErrReplayBusy
		}
		saved = old.Answer
		return nil
	})
	return saved, err
}

// FinishReplay keeps the answer to a request that BeginReplay noted; nil
// forgets the request.
func (s *Store) FinishReplay(ctx context.Context, a *Actor, name string, answer *Replay) error {
	k := replayKey(a, name)
	return s.Update(ctx, func(tx *Tx) error {
		b := tx.get(k)
		if b == nil || answer == nil {
			tx.del(k)
			return nil
		}
		r := replayRecord{}
		if err := decodeRecord(b, &r); err != nil {
			return err
		}
		r.Answer = answer
		tx.put(k, encodeRecord(r))
		return nil
	})
}

// pruneReplays drops answers whose time is over.
func (tx *Tx) pruneReplays(dropped *int) {
	var old []key
	tx.scan(tableReplays, func(k, b []byte) {
		r := replayRecord{}
		if decodeRecord(b, &r) != nil || r.Begun.Before(tx.now.Add(-ReplayAge)) {
			old = append(old, append(key(nil), k...))
		}
	})
	for _, k := range old {
		tx.del(k)
	}
	*dropped += len(old)
}
