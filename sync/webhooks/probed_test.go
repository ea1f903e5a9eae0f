package webhooks

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
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
		h.to.answer = always(http.StatusInternalServerError)
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
		h.to.answer = always(http.StatusNotFound)
		w := h.start(Options{})
		defer w.Stop(context.Background())
		h.note("a")
		time.Sleep(3 * time.Hour)
		h.to.answer = nil
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
		h.to.answer = always(http.StatusBadGateway)
		w := h.start(Options{Attempts: 1})
		defer w.Stop(context.Background())
		h.note("a")
		time.Sleep(time.Minute)
		h.to.answer = always(http.StatusGone)
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
		h.to.answer = always(http.StatusBadGateway)
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

// TestResetIsNoDeadLetter: each attempt at a reset behind the last was counted
// and logged as given up, and made again.
func TestResetIsNoDeadLetter(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.update(func(tx *store.Tx) error {
			return tx.PutWebhookState(h.hook, store.WebhookState{}) // of another epoch
		})
		h.to.answer = always(http.StatusBadGateway)
		reg := prometheus.NewRegistry()
		w := h.start(Options{Attempts: 2, Metrics: reg})
		defer w.Stop(context.Background())
		time.Sleep(24 * time.Hour)
		tried := w.met.results.WithLabelValues("failed")
		if dead := w.met.results.WithLabelValues("dead"); testutil.ToFloat64(dead) != 0 || testutil.ToFloat64(tried) < 5 {
			t.Errorf("%v dead of %v", testutil.ToFloat64(dead), testutil.ToFloat64(tried))
		}
		h.to.answer = nil
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
		time.Sleep(time.Minute)
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
