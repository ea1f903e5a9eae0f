package store

import (
	"sync"
	"time"
)

// Wrong secrets of feeds are slowed down by address. One large subscriber
// fetches thousands of feeds from a few addresses, and goes on asking for those
// that were revoked; so a secret that was right lately is let through whatever
// the others of its address were.

const (
	feedGuesses = 100 // wrong secrets of an address before they are slowed down
	maxGoodFeed = 10_000
	goodFeedFor = 36 * time.Hour // subscribers come once a day at least
)

// feedGuard remembers secrets that were right, by their hashes.
type feedGuard struct {
	mu   sync.Mutex
	good map[[32]byte]time.Time
}

// FeedThrottled reports whether nothing is to be looked up for a secret: its
// address has tried too many wrong ones. It reads nothing of the file.
func (s *Store) FeedThrottled(secret, from string) bool {
	now := s.now()
	if !s.auth.throttled(feedFrom(from), now) {
		return false
	}
	g := &s.feedGuard
	g.mu.Lock()
	defer g.mu.Unlock()
	at, ok := g.good[[32]byte(hashSecret(secret))]
	return !ok || now.Sub(at) > goodFeedFor
}

// FeedTried notes what became of a secret.
func (s *Store) FeedTried(secret, from string, found bool) {
	now := s.now()
	if !found {
		s.auth.failed(feedFrom(from), now, feedGuesses)
		return
	}
	k := [32]byte(hashSecret(secret))
	g := &s.feedGuard
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.good == nil || len(g.good) >= maxGoodFeed {
		g.good = map[[32]byte]time.Time{}
	}
	g.good[k] = now
}

func feedFrom(from string) string { return "feed " + network(from) }
