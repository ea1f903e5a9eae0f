package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Who fetched a feed, when, and what they got: when a subscriber sees old
// events, it shows whether their client has come at all. Fetches are noted in
// memory and written in the background, some at a time.

const (
	maxFetches      = 24  // kept for each feed: the last of each client, outcome and form
	maxFetchAgent   = 160 // bytes of a User-Agent
	maxFetchPending = 2000
	fetchesEvery    = time.Minute // between two writes
)

// fetchKey names a feed.
type fetchKey struct {
	org PrincipalID
	id  string
}

// fetchLog holds what is not written yet.
type fetchLog struct {
	mu      sync.Mutex
	pending map[fetchKey][]Fetch
	timer   *time.Timer
	closed  bool
	busy    sync.WaitGroup
}

// Fetched notes a fetch of a feed. First, Last and Count are set. It never
// blocks; what is noted is on the disk within a minute or two.
func (s *Store) Fetched(f *Feed, x Fetch) {
	if s.opt.ReadOnly {
		return
	}
	x.First, x.Count = s.now().UTC(), 1
	x.Last = x.First
	x.Agent = cleanAgent(x.Agent)
	l := &s.fetches
	l.mu.Lock()
	defer l.mu.Unlock()
	k := fetchKey{f.Org, f.ID}
	if l.closed || l.pending[k] == nil && len(l.pending) >= maxFetchPending {
		return
	}
	if l.pending == nil {
		l.pending = map[fetchKey][]Fetch{}
	}
	l.pending[k] = addFetch(l.pending[k], x)
	if l.timer == nil {
		l.timer = time.AfterFunc(fetchesEvery, func() { s.flushFetches() })
	}
}

// cleanAgent bounds what a client says of itself.
func cleanAgent(agent string) string {
	agent = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(agent[:min(len(agent), maxFetchAgent)], ""))
	return strings.TrimSpace(agent)
}

// addFetch joins a fetch with those of the same client, outcome and form; the
// longest ago goes when there are too many.
func addFetch(all []Fetch, x Fetch) []Fetch {
	i := slices.IndexFunc(all, func(f Fetch) bool {
		return f.Client == x.Client && f.Agent == x.Agent && f.Status == x.Status && f.Form == x.Form
	})
	if i >= 0 {
		f := &all[i]
		f.Count += x.Count
		if f.Last = latest(f.Last, x.Last); f.Last.Equal(x.Last) {
			f.Bytes = x.Bytes
		}
		return all
	}
	all = append(all, x)
	slices.SortStableFunc(all, func(a, b Fetch) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Agent, b.Agent)) })
	return all[:min(len(all), maxFetches)]
}

// flushFetches writes what was noted.
func (s *Store) flushFetches() {
	l := &s.fetches
	l.mu.Lock()
	pending := l.pending
	l.pending, l.timer = nil, nil
	if len(pending) == 0 {
		l.mu.Unlock()
		return
	}
	l.busy.Add(1)
	l.mu.Unlock()
	defer l.busy.Done()
	err := s.Update(context.Background(), func(tx *Tx) error {
		for k, fetches := range pending {
			if err := tx.addFetches(k, fetches); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.log.Debug("fetches of feeds not noted", "err", err)
	}
}

func (tx *Tx) addFetches(k fetchKey, fetches []Fetch) error {
	f, hash, err := tx.feed(k.org, k.id)
	if err != nil {
		return nil //nolint:nilerr // revoked in the meantime
	}
	all, err := tx.Fetches(k.org, k.id)
	if err != nil {
		return err
	}
	for _, x := range fetches {
		all = addFetch(all, x)
		f.LastUsed = latest(f.LastUsed, x.Last.Truncate(time.Hour))
	}
	tx.put(fetchesKey(k.org, k.id), encodeRecord(all))
	tx.put(newKey(tableFeeds).bytes(hash), encodeRecord(f))
	return nil
}

// stop writes the rest.
func (s *Store) stopFetches() {
	l := &s.fetches
	l.mu.Lock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	s.flushFetches()
	l.busy.Wait()
}

// Fetches gives the last fetches of a feed that are written, the latest first.
func (v *View) Fetches(org PrincipalID, id string) ([]Fetch, error) {
	b := v.get(fetchesKey(org, id))
	if b == nil {
		return nil, nil
	}
	var out []Fetch
	if err := decodeRecord(b, &out); err != nil {
		return nil, err
	}
	slices.SortStableFunc(out, func(a, b Fetch) int { return b.Last.Compare(a.Last) })
	return out, nil
}
