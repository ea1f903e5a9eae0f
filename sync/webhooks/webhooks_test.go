package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"daybook/store"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// TestSignatureIsTheSpecifications compares with the example that the
// specification's libraries are tested with.
func TestSignatureIsTheSpecifications(t *testing.T) {
	got := Sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// attempt is a request that a receiver got.
type attempt struct {
	at     time.Time
	id     string
	body   store.Message
	secret bool // the signature is right
}

// receiver is the other side.
type receiver struct {
	mu     sync.Mutex
	got    []attempt
	answer func(n int) (*http.Response, error) // of the nth request, from 0
}

func answered(status int, header ...string) (*http.Response, error) {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader("thanks"))}, nil
}

func (r *receiver) Check(*url.URL) error { return nil }

func (r *receiver) Do(req *http.Request) (*http.Response, error) {
	content, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	a := attempt{at: time.Now(), id: req.Header.Get("Webhook-Id")}
	a.secret = Sign(secret, a.id, req.Header.Get("Webhook-Timestamp"), content) == req.Header.Get("Webhook-Signature")
	if err := json.Unmarshal(content, &a.body); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.got)
	r.got = append(r.got, a)
	if r.answer == nil {
		return answered(http.StatusNoContent)
	}
	return r.answer(n)
}

// replies changes the answers from now on.
func (r *receiver) replies(answer func(n int) (*http.Response, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) attempts() []attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// house is an organisation with one webhook that is told of notes.
type house struct {
	t     *testing.T
	dir   string
	store *store.Store
	org   *store.Principal
	hook  *store.Webhook
	to    *receiver
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir()}
	h.open()
	h.org, h.to = &store.Principal{Kind: store.KindOrganisation, Name: "demo"}, &receiver{}
	h.update(func(tx *store.Tx) error { return tx.CreatePrincipal(h.org) })
	h.hook = &store.Webhook{Org: h.org.ID, URL: "https://example.com/hook", Filter: store.JournalFilter{What: []string{"note"}}}
	h.update(func(tx *store.Tx) error { return tx.PutWebhook(h.hook, secret) })
	return h
}

// open opens the store, which is closed at the end of the test.
func (h *house) open() {
	h.t.Helper()
	s, err := store.Open(h.t.Context(), store.Options{Path: filepath.Join(h.dir, "test.db"), Create: true})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = s.Close() })
	h.store = s
}

func (h *house) update(fn func(*store.Tx) error) {
	h.t.Helper()
	if err := h.store.Update(context.Background(), fn); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) note(names ...string) {
	h.t.Helper()
	h.update(func(tx *store.Tx) error {
		for _, n := range names {
			if err := tx.PutNote(h.org.ID, "test", n, []byte("x")); err != nil {
				return err
			}
		}
		return nil
	})
}

func (h *house) start(o Options) *Worker {
	h.t.Helper()
	o.Store, o.Client = h.store, h.to
	w, err := New(o)
	if err != nil {
		h.t.Fatal(err)
	}
	w.Start()
	return w
}

// state gives what the store knows of the webhook.
func (h *house) state() (w *store.Webhook, st store.WebhookState, tries, dead []store.Delivery) {
	h.t.Helper()
	err := h.store.View(context.Background(), func(v *store.View) (err error) {
		if w, err = v.Webhook(h.org.ID, h.hook.UUID); err != nil {
			return err
		}
		if st, err = v.WebhookState(w); err != nil {
			return err
		}
		if tries, err = v.Deliveries(w); err != nil {
			return err
		}
		dead, err = v.DeadLetters(w)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return w, st, tries, dead
}

func names(all ...attempt) (out []string) {
	for _, a := range all {
		for _, e := range a.body.Data.Events {
			out = append(out, strings.TrimPrefix(e.Object.Name, "test/"))
		}
	}
	return out
}

// bubble runs a test in a bubble of time.
func bubble(t *testing.T, fn func(*testing.T, *house)) {
	synctest.Test(t, func(t *testing.T) { fn(t, newHouse(t)) })
}

// TestReceiverHearsEverythingInOrder lets the receiver fail, answers get lost,
// and the worker be cut off and begin again, all at random. Every change
// arrives, and nothing before what came before it.
func TestReceiverHearsEverythingInOrder(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		accepted := []string{}
		h.to.answer = func(n int) (*http.Response, error) {
			time.Sleep(time.Duration(rand.IntN(2000)) * time.Millisecond)
			switch rand.IntN(4) {
			case 0:
				return answered(http.StatusBadGateway)
			case 1:
				accepted = append(accepted, names(h.to.got[n])...)
				return nil, errors.New("the answer is lost")
			}
			accepted = append(accepted, names(h.to.got[n])...)
			return answered(http.StatusOK)
		}
		w := h.start(Options{Attempts: 1000})
		var want []string
		for i := range 200 {
			want = append(want, fmt.Sprintf("%03d", i))
			h.note(want[i])
			time.Sleep(time.Duration(rand.IntN(3000)) * time.Millisecond)
			if rand.IntN(10) == 0 {
				ended, cut := context.WithCancel(context.Background())
				cut()
				w.Stop(ended)
				w = h.start(Options{Attempts: 1000})
			}
		}
		time.Sleep(10 * 24 * time.Hour)
		w.Stop(context.Background())
		seen := map[string]bool{}
		var first []string
		for _, n := range accepted {
			if !seen[n] {
				first = append(first, n)
			}
			seen[n] = true
		}
		if !slices.Equal(first, want) {
			t.Errorf("heard of %d of %d changes, in the order %q", len(first), len(want), first)
		}
		for _, a := range h.to.attempts() {
			if !a.secret || a.body.Type != kindChanges || len(a.body.Data.Events) > batch {
				t.Fatalf("%+v", a)
			}
		}
		if _, st, tries, _ := h.state(); !st.Failing.IsZero() || len(tries) == 0 || len(tries) > 100 {
			t.Errorf("%+v, %d attempts are remembered", st, len(tries))
		}
	})
}

func TestAttemptsBackOffAndEndAsDeadLetters(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.to.answer = func(n int) (*http.Response, error) {
			if n < 5 {
				return answered(http.StatusInternalServerError)
			}
			return answered(http.StatusOK)
		}
		w := h.start(Options{Attempts: 5})
		defer w.Stop(context.Background())
		h.note("a", "b")
		time.Sleep(time.Minute)
		h.note("c") // it waits for its turn
		time.Sleep(24 * time.Hour)
		got := h.to.attempts()
		if len(got) < 6 {
			t.Fatalf("%d attempts", len(got))
		}
		for i, want := range []time.Duration{5 * time.Second, 20 * time.Second, 80 * time.Second, 320 * time.Second} {
			if gap := got[i+1].at.Sub(got[i].at); gap < want*8/10-time.Second || gap > want*12/10+time.Second {
				t.Errorf("attempt %d came after %s, want about %s", i+2, gap, want)
			}
			if got[i+1].id != got[0].id {
				t.Errorf("attempt %d has the id %s, the first %s", i+2, got[i+1].id, got[0].id)
			}
		}
		if !slices.Equal(names(got...), []string{"a", "b", "a", "b", "a", "b", "a", "b", "a", "b", "c"}) {
			t.Errorf("%q", names(got...))
		}
		_, st, tries, dead := h.state()
		if len(dead) != 1 || dead[0].Events != 2 || dead[0].Attempt != 5 || dead[0].Status != 500 || len(tries) != 6 || !st.Failing.IsZero() {
			t.Errorf("%+v\n%+v", st, dead)
		}

		// The dead letter is asked for once more.
		dead[0].Result = store.DeliveryQueued
		h.update(func(tx *store.Tx) error { return tx.PutDeadLetter(h.hook, dead[0]) })
		w.Wake()
		time.Sleep(time.Minute)
		if got := h.to.attempts(); !slices.Equal(names(got[len(got)-1]), []string{"a", "b"}) || got[len(got)-1].id != got[0].id {
			t.Errorf("%+v", got[len(got)-1])
		}
		if _, _, _, dead := h.state(); len(dead) != 0 {
			t.Errorf("left: %+v", dead)
		}
	})
}

func TestWebhookThatFailsForDaysIsDisabledAndSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.to.replies(func(int) (*http.Response, error) { return nil, errors.New("no connection") })
		w := h.start(Options{GiveUp: 48 * time.Hour})
		defer w.Stop(context.Background())
		h.note("a")
		time.Sleep(47 * time.Hour)
		h.note("b")
		if now, _, _, _ := h.state(); !now.Active() {
			t.Fatal("given up too soon")
		}
		time.Sleep(24 * time.Hour)
		now, _, _, _ := h.state()
		if now.Active() || !strings.Contains(now.Disabled, "no connection") {
			t.Fatalf("%+v", now)
		}
		n := len(h.to.attempts())
		h.note("c")
		time.Sleep(24 * time.Hour)
		if len(h.to.attempts()) != n {
			t.Error("it was asked again")
		}
		var last store.Entry
		_ = h.store.View(context.Background(), func(v *store.View) error {
			v.EachEntryBack(h.org.ID, 0, func(e *store.Entry) bool {
				last = *e
				return e.Subject != store.SubjectWebhook
			})
			return nil
		})
		if last.What() != "webhook.changed" || last.API != "webhooks" || !last.System {
			t.Errorf("the journal says %+v", last)
		}

		// It is made active again, and goes on where it was.
		h.to.replies(nil)
		h.update(func(tx *store.Tx) error {
			now.Disabled = ""
			return tx.PutWebhook(now, "")
		})
		time.Sleep(time.Minute)
		if got := names(h.to.attempts()[n:]...); !slices.Contains(got, "c") {
			t.Errorf("%q", got)
		}
	})
}

func TestReceiverMaySayWhenAndNeverMore(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.to.answer = func(n int) (*http.Response, error) {
			if n == 0 {
				return answered(http.StatusTooManyRequests, "Retry-After", "600")
			}
			return answered(http.StatusGone)
		}
		w := h.start(Options{})
		defer w.Stop(context.Background())
		h.note("a")
		time.Sleep(time.Hour)
		got := h.to.attempts()
		if len(got) != 2 || got[1].at.Sub(got[0].at) < 600*time.Second {
			t.Fatalf("%+v", got)
		}
		if now, _, _, _ := h.state(); now.Active() || !strings.Contains(now.Disabled, "410") {
			t.Errorf("%+v", now)
		}
	})
}

func TestRedirectIsNoSuccess(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.to.answer = func(int) (*http.Response, error) {
			return answered(http.StatusTemporaryRedirect, "Location", "http://127.0.0.1/")
		}
		w := h.start(Options{})
		defer w.Stop(context.Background())
		h.note("a")
		time.Sleep(time.Second)
		if _, st, _, _ := h.state(); st.Attempts != 1 || !strings.Contains(st.LastError, "307") {
			t.Errorf("%+v", st)
		}
	})
}

func TestGapInTheJournalIsTold(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.update(func(tx *store.Tx) error {
			h.hook.Inactive = true
			return tx.PutWebhook(h.hook, "")
		})
		h.note("a", "b", "c")
		for done := false; !done; {
			var err error
			if _, done, err = h.store.PruneJournal(context.Background(), time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		h.update(func(tx *store.Tx) error {
			h.hook.Inactive = false
			return tx.PutWebhook(h.hook, "")
		})
		h.note("d") // before the start: else it may come to a delivery of its own
		w := h.start(Options{})
		defer w.Stop(context.Background())
		time.Sleep(time.Minute)
		got := h.to.attempts()
		if len(got) != 2 || got[0].body.Type != kindReset || !slices.Equal(names(got[1]), []string{"c", "d"}) {
			t.Errorf("%+v", got)
		}
	})
}

// TestReplayFromAnEvent sets a webhook back that had passed by entries that
// are nothing to it.
func TestReplayFromAnEvent(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		w := h.start(Options{})
		defer w.Stop(context.Background())
		_, before, _, _ := h.state()
		h.note("a", "b")
		time.Sleep(time.Minute)
		h.update(func(tx *store.Tx) error {
			return tx.CreatePrincipal(&store.Principal{Kind: store.KindRoom, Org: h.org.ID, Name: "room"})
		})
		time.Sleep(time.Minute)
		h.update(func(tx *store.Tx) error {
			_, st := h.hook, before
			return tx.PutWebhookState(h.hook, st)
		})
		w.Wake()
		time.Sleep(time.Minute)
		if got := h.to.attempts(); len(got) != 2 || !slices.Equal(names(got[1]), []string{"a", "b"}) {
			t.Errorf("%+v", got)
		}
	})
}

func TestTestIsDeliveredOutOfOrder(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		w := h.start(Options{})
		defer w.Stop(context.Background())
		d, err := w.Test(context.Background(), h.org.ID, h.hook.UUID)
		if err != nil || d.Result != store.Delivered || d.Kind != kindTest {
			t.Errorf("%+v, %v", d, err)
		}
		if got := h.to.attempts(); len(got) != 1 || got[0].body.Type != kindTest || !got[0].secret {
			t.Errorf("%+v", got)
		}
		if _, err := w.Test(context.Background(), h.org.ID+1, h.hook.UUID); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	})
}
