package webhooks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/store"
)

// message is one delivery before it is made.
type message struct {
	hook   *store.Webhook
	state  store.WebhookState
	secret string
	letter uint64 // number of the dead letter that is tried again; 0: none
	lost   bool   // its entries are not in the journal any more
	fault  string // why it cannot be posted; "" it can

	kind   string
	from   uint64
	first  uint64 // the first entry that is told
	to     store.Position
	events []store.Event
	more   bool // entries are left behind it
	now    time.Time
}

// The kinds of messages.
const (
	kindChanges = "changes"
	kindReset   = "reset" // entries are missing: what the receiver has is to be read again
	kindTest    = "test"
)

// one makes the next delivery of a webhook; more tells whether to go on.
func (w *Worker) one(org store.PrincipalID, id uuid.UUID) (more bool, err error) {
	var m *message
	err = w.opt.Store.View(w.base, func(v *store.View) (err error) {
		m, err = w.next(v, org, id)
		return err
	})
	if err != nil || m == nil {
		return false, err
	}
	switch {
	case m.kind != kindChanges || len(m.events) > 0 || m.lost:
	case m.letter != 0:
		return true, w.dropLetter(m)
	default:
		return m.more, w.skip(m)
	}
	d := w.send(w.base, m)
	if w.base.Err() != nil {
		return false, nil //nolint:nilerr // cut off at the end: it is made again
	}
	ok, err := w.finish(m, d)
	return ok && (m.more || m.letter != 0), err
}

// next finds what is to be delivered, nil for nothing.
func (w *Worker) next(v *store.View, org store.PrincipalID, id uuid.UUID) (*message, error) {
	h, err := v.Webhook(org, id)
	if err != nil || !h.Active() {
		return nil, err
	}
	m := &message{hook: h, kind: kindChanges, now: w.opt.Now()}
	if m.state, err = v.WebhookState(h); err != nil || m.state.Next.After(m.now) {
		return nil, err
	}
	if err := m.open(v); err != nil {
		return nil, err
	}
	letters, err := queued(v, h)
	if err != nil {
		return nil, err
	}
	if len(letters) > 0 {
		d := letters[len(letters)-1] // the oldest
		m.letter, m.kind, m.from = d.Number, d.Kind, d.From
		if m.lost = v.Resume(org, store.Position{Epoch: d.Position.Epoch, Seq: d.From}) != nil; !m.lost {
			m.read(v, d.To)
		}
		return m, nil
	}
	if v.Resume(org, m.state.After) != nil {
		first, last := v.JournalSpan(org)
		m.kind, m.from, m.to = kindReset, m.state.After.Seq, v.Position(min(m.state.After.Seq, last))
		if first > 0 && m.to.Seq < first-1 {
			m.to = v.Position(first - 1)
		}
		m.more = true
		return m, nil
	}
	m.from = m.state.After.Seq
	if m.state.Until == 0 {
		m.from = w.past(id, m.state.After)
	}
	m.read(v, m.state.Until)
	return m, nil
}

// open reads the secret. One that cannot be read is a failure like any other:
// who looks after the webhook is to see it.
func (m *message) open(v *store.View) (err error) {
	m.secret, err = v.WebhookSecret(m.hook)
	if errors.Is(err, store.ErrCredentials) {
		m.fault, err = "the webhook's secret cannot be read: give it a new one", nil
	}
	return err
}

// read collects the events behind from, up to the entry until if that is not 0.
func (m *message) read(v *store.View, until uint64) {
	reader, n := m.hook.Reader(), 0
	m.to = v.Position(m.from)
	v.EachEntry(m.hook.Org, m.from, func(e *store.Entry) bool {
		if until != 0 && e.Seq > until || until == 0 && (len(m.events) == batch || n == scan) {
			m.more = true
			return false
		}
		n++
		m.to = v.Position(e.Seq)
		if m.hook.Filter.Match(e) && v.MayRead(reader, e) {
			if len(m.events) == 0 {
				m.first = e.Seq
			}
			m.events = append(m.events, v.Event(reader, e))
		}
		return true
	})
}

// skip passes by entries that hold nothing for the webhook. Only many of them
// are worth a write; after a restart they are looked at again.
func (w *Worker) skip(m *message) error {
	w.mu.Lock()
	w.seen[m.hook.UUID] = passed{m.state.After, m.to.Seq}
	w.mu.Unlock()
	if m.state.Until == 0 && m.to.Seq < m.state.After.Seq+1000 {
		return nil
	}
	return w.opt.Store.Update(w.base, func(tx *store.Tx) error {
		st, err := tx.WebhookState(m.hook)
		if err != nil || st.After != m.state.After {
			return err // it was set back meanwhile
		}
		st.After = m.to
		if st.Until != 0 { // what failed is not to be told any more, so nothing fails
			st.Until, st.Attempts, st.Next, st.Failing = 0, 0, time.Time{}, time.Time{}
		}
		return tx.PutWebhookState(m.hook, st)
	})
}

// id names the delivery; it is the same for each attempt.
func (m *message) id() string {
	h := strings.ReplaceAll(m.hook.UUID.String(), "-", "")
	if m.kind == kindTest {
		return "msg_" + h + "_" + kindTest + "_" + strconv.FormatInt(m.now.UnixNano(), 36)
	}
	return fmt.Sprintf("msg_%s_%x_%s_%d_%d", h, m.to.Epoch, m.kind, m.first, m.to.Seq)
}

func (m *message) body() ([]byte, error) {
	out := store.Message{Type: m.kind, Timestamp: m.now.UTC()}
	switch m.kind {
	case kindReset:
		out.Data.Detail = "changes are missing between the last delivery and the next: read everything again"
	case kindTest:
		out.Data.Detail = "a test: nothing has changed"
	default:
		out.Data.Events = m.events
		if n := len(m.events); n > 0 {
			out.Timestamp = m.events[n-1].Time
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(out)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Sign gives the signature of a delivery (Standard Webhooks, "Signature
// scheme"): HMAC-SHA256 of id, time and body. The key of a secret that begins
// with whsec_ is what its base64 stands for, that of another one its bytes.
func Sign(secret, id, timestamp string, body []byte) string {
	key := []byte(secret)
	if text, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if b, err := base64.StdEncoding.DecodeString(text); err == nil {
			key = b
		}
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + timestamp + "."))
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// send makes the request and tells how it went.
func (w *Worker) send(ctx context.Context, m *message) store.Delivery {
	d := store.Delivery{
		Kind: m.kind, From: m.from, To: m.to.Seq, Position: m.to, Events: len(m.events), Attempt: m.state.Attempts + 1,
		Time: m.now.UTC(), Result: store.DeliveryFailed,
	}
	if m.lost {
		m.fault = "the changes are not in the journal any more"
	}
	if m.fault != "" {
		d.Error = m.fault
		return d
	}
	clock := time.Now()
	status, err := w.post(ctx, m)
	d.Took, d.Status = time.Since(clock), status
	switch {
	case err != nil:
		d.Error = err.Error()
	case status < 200 || status > 299:
		d.Error = fmt.Sprintf("the receiver answered %d %s", status, http.StatusText(status))
	default:
		d.Result = store.Delivered
	}
	if ctx.Err() == nil {
		w.met.took.Observe(d.Took.Seconds())
		w.met.results.WithLabelValues(string(d.Result)).Inc()
	}
	return d
}

// maxAnswer is how much of an answer is read, which is thrown away.
const maxAnswer = 16 << 10

func (w *Worker) post(ctx context.Context, m *message) (status int, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, w.opt.Timeout, fmt.Errorf("the receiver did not answer within %s", w.opt.Timeout))
	defer cancel()
	content, err := m.body()
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.hook.URL, bytes.NewReader(content))
	if err != nil {
		return 0, errors.New("the address cannot be used")
	}
	at := strconv.FormatInt(m.now.Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Daybook-Webhooks")
	r.Header.Set("Accept-Encoding", "identity") // of the answer the status alone counts, however its body is written
	// A delivery may be made twice, so the transport may make it again when a
	// connection that was kept turns out to be closed. It is not sent (package
	// http, type Transport).
	r.Header["Idempotency-Key"] = nil
	r.Header.Set("Webhook-Id", m.id())
	r.Header.Set("Webhook-Timestamp", at)
	r.Header.Set("Webhook-Signature", Sign(m.secret, m.id(), at, content))
	resp, err := w.opt.Client.Do(r)
	if err != nil {
		return 0, err
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
		m.state.Next = retryAfter(resp.Header.Get("Retry-After"), m.now)
	}
	return resp.StatusCode, nil
}

// retryAfter reads the header (RFC 9110 §10.2.3); the zero time without one.
func retryAfter(text string, now time.Time) time.Time {
	var at time.Time
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		at = now.Add(time.Duration(n) * time.Second)
	} else if t, err := http.ParseTime(text); err == nil {
		at = t
	}
	if at.After(now.Add(maxBackOff)) {
		return now.Add(maxBackOff)
	}
	return at
}

// Attempts are made after 5 s, 20 s, 80 s and so on, at most two hours apart,
// each up to a fifth earlier or later so that receivers are not asked all at once.
const (
	firstBackOff = 5 * time.Second
	maxBackOff   = 2 * time.Hour
)

func backOff(attempts int) time.Duration {
	d := firstBackOff
	for range attempts - 1 {
		if d *= 4; d >= maxBackOff {
			d = maxBackOff
			break
		}
	}
	return d - d/5 + rand.N(2*d/5)
}

// finish stores the outcome; ok tells that it was delivered.
func (w *Worker) finish(m *message, d store.Delivery) (ok bool, err error) {
	if m.letter != 0 {
		return w.finishLetter(m, d)
	}
	var dead, gone bool
	err = w.opt.Store.Update(w.base, func(tx *store.Tx) error {
		dead, gone = false, false
		st, err := tx.WebhookState(m.hook)
		if err != nil {
			return err
		}
		d := d
		back := st.After != m.state.After // set back meanwhile: it goes on from there
		switch d.Result {
		case store.Delivered:
			st.LastSuccess, st.LastError, st.Failing = d.Time, "", time.Time{}
			st.Attempts, st.Until, st.Next = 0, 0, time.Time{}
			if !back {
				st.After = m.to
			}
		default:
			gone = d.Status == http.StatusGone || w.failed(&st, m, d)
			if dead = st.Attempts >= w.opt.Attempts && !gone && m.kind == kindChanges && !back; dead {
				d.Result = store.DeliveryDead
				st.After, st.Attempts, st.Until = m.to, 0, 0
				st.Next = m.now.Add(backOff(1)) // what comes behind it may be taken
			}
		}
		tx.AddDelivery(m.hook, &st, d)
		if err := tx.PutWebhookState(m.hook, st); err != nil || !gone {
			return err
		}
		return disable(tx, m.hook, d)
	})
	if err != nil {
		return false, err
	}
	switch {
	case gone:
		w.opt.Log.Warn("webhook disabled", "webhook", m.hook.UUID, "err", d.Error)
	case dead:
		w.met.results.WithLabelValues(string(store.DeliveryDead)).Inc()
		w.opt.Log.Warn("webhook delivery given up", "webhook", m.hook.UUID, "err", d.Error)
	}
	return d.Result == store.Delivered, nil
}

// failed counts a failure; true when there were too many for too long.
func (w *Worker) failed(st *store.WebhookState, m *message, d store.Delivery) bool {
	st.Attempts++
	st.LastError = d.Error
	if st.Failing.IsZero() {
		st.Failing = d.Time
	}
	if m.kind == kindChanges {
		st.Until = m.to.Seq
	}
	st.Next = m.now.Add(backOff(st.Attempts))
	if m.state.Next.After(st.Next) {
		st.Next = m.state.Next // as the receiver asked
	}
	return m.now.Sub(st.Failing) >= w.opt.GiveUp
}

// disable gives a webhook up, with the reason.
func disable(tx *store.Tx, h *store.Webhook, d store.Delivery) error {
	now, err := tx.Webhook(h.Org, h.UUID)
	if err != nil {
		return err
	}
	now.Disabled = "it has failed for too long, at last because: " + d.Error
	if d.Status == http.StatusGone {
		now.Disabled = "the receiver answered 410 Gone"
	}
	return tx.PutWebhook(now, "")
}

// dropLetter removes a dead letter of which the webhook is to be told nothing
// any more.
func (w *Worker) dropLetter(m *message) error {
	return w.opt.Store.Update(w.base, func(tx *store.Tx) error {
		return tx.PutDeadLetter(m.hook, store.Delivery{Number: m.letter, Result: store.Delivered})
	})
}

// finishLetter stores the outcome of one more attempt at a dead letter.
func (w *Worker) finishLetter(m *message, d store.Delivery) (ok bool, err error) {
	gone := d.Status == http.StatusGone
	err = w.opt.Store.Update(w.base, func(tx *store.Tx) error {
		st, err := tx.WebhookState(m.hook)
		if err != nil {
			return err
		}
		letters, err := tx.DeadLetters(m.hook)
		if err != nil {
			return err
		}
		for _, old := range letters {
			if old.Number != m.letter {
				continue
			}
			d := d
			d.Number, d.Attempt = old.Number, old.Attempt+1
			if m.lost {
				d.To, d.Position, d.Events = old.To, old.Position, old.Events
			}
			if d.Result != store.Delivered {
				d.Result = store.DeliveryDead
			}
			if err := tx.PutDeadLetter(m.hook, d); err != nil {
				return err
			}
		}
		if d.Result == store.Delivered {
			st.LastSuccess, st.LastError, st.Failing = d.Time, "", time.Time{}
		}
		tx.AddDelivery(m.hook, &st, d)
		if err := tx.PutWebhookState(m.hook, st); err != nil || !gone {
			return err
		}
		return disable(tx, m.hook, d)
	})
	if gone && err == nil {
		w.opt.Log.Warn("webhook disabled", "webhook", m.hook.UUID, "err", d.Error)
	}
	return true, err // whatever came of it, the next has its turn
}

// Test tells a webhook that it is tested, at once, whether it is active or not.
// The attempt is remembered, and changes nothing of what is to be delivered.
// store.ErrNotFound.
func (w *Worker) Test(ctx context.Context, org store.PrincipalID, id uuid.UUID) (store.Delivery, error) {
	m := &message{kind: kindTest, now: w.opt.Now()}
	err := w.opt.Store.View(ctx, func(v *store.View) (err error) {
		if m.hook, err = v.Webhook(org, id); err != nil {
			return err
		}
		return m.open(v)
	})
	if err != nil {
		return store.Delivery{}, err
	}
	d := w.send(ctx, m)
	err = w.opt.Store.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		st, err := tx.WebhookState(m.hook)
		if err != nil {
			return err
		}
		tx.AddDelivery(m.hook, &st, d)
		d.Number = st.Number
		return tx.PutWebhookState(m.hook, st)
	})
	return d, err
}
