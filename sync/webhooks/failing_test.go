package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"daybook/store"
)

// always gives the same answer.
func always(status int) func(int) (*http.Response, error) {
	return func(int) (*http.Response, error) { return answered(status) }
}

// TestWhatIsChosenNoMoreFailsNoMore: the time of failing went on after the
// filter had taken away what failed, so that a failure days later disabled the
// webhook at once.
func TestWhatIsChosenNoMoreFailsNoMore(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.to.replies(always(http.StatusInternalServerError))
		w := h.start(Options{GiveUp: 48 * time.Hour})
		defer w.Stop(context.Background())
		h.note("a")
		time.Sleep(time.Second)
		h.hook.Filter.What = []string{"note.deleted"}
		h.update(func(tx *store.Tx) error { return tx.PutWebhook(h.hook, "") })
		time.Sleep(72 * time.Hour)
		if _, st, _, _ := h.state(); st.Attempts != 0 || !st.Failing.IsZero() || !st.Next.IsZero() {
			t.Errorf("it is still failing: %+v", st)
		}
		h.update(func(tx *store.Tx) error { return tx.PutNote(h.org.ID, "test", "a", nil) })
		time.Sleep(time.Second)
		if now, st, _, _ := h.state(); !now.Active() || st.Attempts != 1 {
			t.Errorf("%+v, %+v", now, st)
		}
	})
}

// TestAnotherAddressIsTriedAtOnce: a webhook whose address was mended waited
// for up to two hours.
func TestAnotherAddressIsTriedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.to.replies(always(http.StatusNotFound))
		w := h.start(Options{})
		defer w.Stop(context.Background())
		h.note("a")
		time.Sleep(3 * time.Hour)
		h.to.replies(nil)
		n := len(h.to.attempts())
		h.hook.URL = "https://example.com/mended"
		h.update(func(tx *store.Tx) error { return tx.PutWebhook(h.hook, "") })
		time.Sleep(time.Second)
		got := h.to.attempts()
		if _, st, _, _ := h.state(); len(got) != n+1 || got[n].id != got[0].id || !st.Failing.IsZero() {
			t.Errorf("%d attempts more, %+v", len(got)-n, st)
		}
	})
}

// TestReceiverThatIsGoneDisablesOnReplayToo: 410 Gone to a dead letter was like
// any other failure.
func TestReceiverThatIsGoneDisablesOnReplayToo(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.to.replies(always(http.StatusBadGateway))
		w := h.start(Options{Attempts: 1})
		defer w.Stop(context.Background())
		h.note("a")
		time.Sleep(time.Minute)
		h.to.replies(always(http.StatusGone))
		_, _, _, dead := h.state()
		dead[0].Result = store.DeliveryQueued
		h.update(func(tx *store.Tx) error { return tx.PutDeadLetter(h.hook, dead[0]) })
		w.Wake()
		time.Sleep(time.Minute)
		if now, _, _, dead := h.state(); now.Active() || !strings.Contains(now.Disabled, "410") || len(dead) != 1 || dead[0].Result != store.DeliveryDead {
			t.Errorf("%+v, %+v", now, dead)
		}
	})
}

// TestLetterThatTellsNothingIsNotPosted: after the filter had taken its events
// away, a dead letter was posted without any.
func TestLetterThatTellsNothingIsNotPosted(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.to.replies(always(http.StatusBadGateway))
		w := h.start(Options{Attempts: 1})
		defer w.Stop(context.Background())
		h.note("a")
		time.Sleep(time.Minute)
		n := len(h.to.attempts())
		h.hook.Filter.What = []string{"block"}
		_, _, _, dead := h.state()
		dead[0].Result = store.DeliveryQueued
		h.update(func(tx *store.Tx) error {
			if err := tx.PutWebhook(h.hook, ""); err != nil {
				return err
			}
			return tx.PutDeadLetter(h.hook, dead[0])
		})
		time.Sleep(time.Minute)
		if _, _, _, dead := h.state(); len(dead) != 0 || len(h.to.attempts()) != n {
			t.Errorf("%d attempts more, %+v", len(h.to.attempts())-n, dead)
		}
	})
}

// TestSecretThatCannotBeReadIsTold: after the daemon's key was lost, deliveries
// stopped without a word, and a test was answered as if the asker had no right.
func TestSecretThatCannotBeReadIsTold(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		if err := errors.Join(h.store.Close(), os.Remove(filepath.Join(h.dir, store.KeyFile))); err != nil {
			t.Fatal(err)
		}
		h.open()
		w := h.start(Options{})
		defer w.Stop(context.Background())
		h.note("a")
		time.Sleep(time.Second)
		if _, st, _, _ := h.state(); st.Attempts != 1 || !strings.Contains(st.LastError, "new one") {
			t.Errorf("%+v", st)
		}
		if d, err := w.Test(context.Background(), h.org.ID, h.hook.UUID); err != nil || d.Result != store.DeliveryFailed || d.Error == "" {
			t.Errorf("%+v, %v", d, err)
		}
		time.Sleep(3 * time.Hour)
		h.update(func(tx *store.Tx) error { return tx.PutWebhook(h.hook, secret) })
		time.Sleep(time.Second)
		if got := h.to.attempts(); len(got) != 1 || !got[0].secret || !slices.Equal(names(got...), []string{"a"}) {
			t.Errorf("%+v", got)
		}
	})
}

// TestWaitingIsWhatTheWebhookIsToldOf: a webhook that others' changes are
// nothing to was shown as ever farther behind.
func TestWaitingIsWhatTheWebhookIsToldOf(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.note("a", "b")
		h.update(func(tx *store.Tx) error {
			return tx.CreatePrincipal(&store.Principal{Kind: store.KindRoom, Org: h.org.ID, Name: "room"})
		})
		w, st, _, _ := h.state()
		if err := h.store.View(context.Background(), func(v *store.View) error {
			if n := v.Waiting(w, st); n != 2 {
				t.Errorf("%d wait", n)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// plain is a client without a guard.
type plain struct{ *http.Client }

func (plain) Check(*url.URL) error { return nil }

// TestConnectionThatWasClosedMeanwhileIsNoFailure: a receiver that closes a kept
// connection as the next delivery is written to it had failed an attempt.
func TestConnectionThatWasClosedMeanwhileIsNoFailure(t *testing.T) {
	h := newHouse(t)
	var seen sync.Map // by the other end
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, again := seen.LoadOrStore(r.RemoteAddr, true); again {
			panic(http.ErrAbortHandler)
		}
		if len(r.Header.Values("Idempotency-Key")) > 0 {
			t.Error("the header was sent")
		}
	}))
	defer srv.Close()
	h.hook.URL = srv.URL
	h.update(func(tx *store.Tx) error { return tx.PutWebhook(h.hook, "") })
	w, err := New(Options{Store: h.store, Client: plain{srv.Client()}})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if d, err := w.Test(t.Context(), h.org.ID, h.hook.UUID); err != nil || d.Result != store.Delivered {
			t.Errorf("%+v, %v", d, err)
		}
	}
}

// TestResetIsNoDeadLetter: each attempt at a reset behind the last was counted
// and logged as given up, and made again.
func TestResetIsNoDeadLetter(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.update(func(tx *store.Tx) error {
			return tx.PutWebhookState(h.hook, store.WebhookState{}) // of another epoch
		})
		h.to.replies(always(http.StatusBadGateway))
		reg := prometheus.NewRegistry()
		w := h.start(Options{Attempts: 2, Metrics: reg})
		defer w.Stop(context.Background())
		time.Sleep(24 * time.Hour)
		tried := w.met.results.WithLabelValues("failed")
		if dead := w.met.results.WithLabelValues("dead"); testutil.ToFloat64(dead) != 0 || testutil.ToFloat64(tried) < 5 {
			t.Errorf("%v dead of %v", testutil.ToFloat64(dead), testutil.ToFloat64(tried))
		}
		h.to.replies(nil)
		time.Sleep(3 * time.Hour)
		if got := h.to.attempts(); got[len(got)-1].body.Type != kindReset {
			t.Errorf("%+v", got[len(got)-1])
		}
	})
}

// pacer is a receiver of many webhooks: who has "slow" in the address answers
// late or never.
type pacer struct{ heard chan *http.Request }

func (p *pacer) Check(*url.URL) error { return nil }

func (p *pacer) Do(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "slow") {
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}
	p.heard <- r
	return answered(http.StatusOK)
}

// TestSlowReceiversAreTheirOrganisationsOwn: eight that did not answer were
// enough to keep the deliveries of all others waiting.
func TestSlowReceiversAreTheirOrganisationsOwn(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		other := &store.Principal{Kind: store.KindOrganisation, Name: "other"}
		h.update(func(tx *store.Tx) error {
			if err := tx.CreatePrincipal(other); err != nil {
				return err
			}
			for i := range 60 {
				hook := &store.Webhook{Org: other.ID, URL: fmt.Sprintf("https://example.com/slow/%d", i)}
				if err := tx.PutWebhook(hook, secret); err != nil {
					return err
				}
			}
			return nil
		})
		to := &pacer{make(chan *http.Request, 10)}
		w, err := New(Options{Store: h.store, Client: to})
		if err != nil {
			t.Fatal(err)
		}
		w.Start()
		defer w.Stop(context.Background())
		h.update(func(tx *store.Tx) error { return tx.PutNote(other.ID, "test", "x", []byte("x")) })
		time.Sleep(time.Second)
		h.note("a")
		time.Sleep(time.Second)
		select {
		case r := <-to.heard:
			if got := r.Header.Get("Accept-Encoding"); got != "identity" {
				t.Errorf("Accept-Encoding is %q: an answer could be refused for how it is written", got)
			}
		default:
			t.Error("it waits for the others")
		}
		time.Sleep(5 * time.Minute) // each has had its turn
		var last string
		_ = h.store.View(context.Background(), func(v *store.View) error {
			all, err := v.Webhooks(other.ID)
			if err != nil {
				return err
			}
			st, err := v.WebhookState(all[0])
			last = st.LastError
			return err
		})
		if last != "the receiver did not answer within 15s" {
			t.Errorf("the error is %q", last)
		}
	})
}
