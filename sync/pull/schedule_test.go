package pull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"daybook/store"
)

// elsewhere is a fetcher without a network: it takes some time for each answer.
type elsewhere struct {
	mu     sync.Mutex
	asked  map[string][]time.Time
	now    int // requests that are being answered
	most   int
	broken map[string]bool
	slow   map[string]time.Duration
}

func (e *elsewhere) Check(*url.URL) error { return nil }

func (e *elsewhere) Do(r *http.Request) (*http.Response, error) {
	host := r.URL.Host
	e.mu.Lock()
	e.asked[host] = append(e.asked[host], time.Now())
	e.now++
	e.most = max(e.most, e.now)
	broken, wait := e.broken[host], e.slow[host]
	e.mu.Unlock()
	select {
	case <-time.After(time.Second + wait):
	case <-r.Context().Done():
	}
	e.mu.Lock()
	e.now--
	e.mu.Unlock()
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	if broken {
		return nil, errors.New("broken")
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(stream("a=" + host)))}, nil
}

func (e *elsewhere) times(host string) []time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked[host]
}

// Half a day of the job: each remote at its own pace, a few at once, a slow one holds
// up nobody, a broken one is asked less and less.
func TestScheduleOfHalfADay(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		st, err := store.Open(ctx, store.Options{Path: filepath.Join(dir, "x.db"), Create: true})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		e := &elsewhere{asked: map[string][]time.Time{}, broken: map[string]bool{"broken": true}, slow: map[string]time.Duration{"slow": 10 * time.Minute}}
		p := New(Options{Store: st, Fetch: e, AtOnce: 3})
		org := &store.Principal{Kind: store.KindOrganisation, Name: "demo", Zone: "UTC"}
		ids := map[string]store.RemoteID{}
		err = st.Update(ctx, func(tx *store.Tx) error {
			if err := tx.CreatePrincipal(org); err != nil {
				return err
			}
			for i, host := range []string{"slow", "broken", "hourly", "daily", "often", "paused"} {
				room := &store.Principal{Kind: store.KindRoom, Org: org.ID, Name: fmt.Sprint("room", i)}
				if err := tx.CreatePrincipal(room); err != nil {
					return err
				}
				c, err := tx.Calendar(room.ID)
				if err != nil {
					return err
				}
				r := &store.Remote{Org: org.ID, Name: host, Kind: store.RemoteICS, Target: c.ID, Paused: host == "paused"}
				switch host {
				case "daily":
					r.Interval = 24 * time.Hour
				case "often":
					r.Interval = time.Minute // less than the floor
				}
				if err := tx.PutRemote(r, &store.RemoteAccess{URL: "https://" + host + "/x.ics"}); err != nil {
					return err
				}
				ids[host] = r.ID
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for begin := time.Now(); time.Since(begin) < 12*time.Hour; { // as cron runs it: each minute, never twice at once
			if err := p.Job()(ctx); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		for host, want := range map[string][2]int{"hourly": {10, 13}, "daily": {1, 1}, "often": {100, 145}, "broken": {5, 8}, "slow": {8, 12}, "paused": {0, 0}} {
			if n := len(e.times(host)); n < want[0] || n > want[1] {
				t.Errorf("%s was asked %d times", host, n)
			}
		}
		if e.most > 3 {
			t.Errorf("%d at once", e.most)
		}
		gap := time.Duration(0)
		asked := e.times("broken")
		for i := 1; i < min(len(asked), 5); i++ {
			next := asked[i].Sub(asked[i-1])
			if next < gap {
				t.Errorf("the waits of a broken remote: %s after %s", next, gap)
			}
			gap = next
		}
		// What is due is kept with the remote: a daemon that starts again waits as long.
		before := len(e.times("daily"))
		if err := New(Options{Store: st, Fetch: e}).Job()(ctx); err != nil || len(e.times("daily")) > before+1 {
			t.Error(err)
		}
		// A run that is ended leaves no pull half done, and is no failure of the remote.
		short, cancel := context.WithTimeout(ctx, time.Second/2)
		defer cancel()
		if _, err := p.Pull(short, ids["hourly"]); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		err = st.View(ctx, func(v *store.View) error {
			s, err := v.RemoteState(ids["hourly"])
			if s.Failures != 0 {
				t.Errorf("%+v", s)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
