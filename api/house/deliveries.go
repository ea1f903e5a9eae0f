package house

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/rest"
	"daybook/store"
)

// Delivery is an attempt to tell a webhook something, or a dead letter.
type Delivery struct {
	Number  uint64    `json:"number"`
	Kind    string    `json:"kind" enum:"changes,reset,test"`
	Result  string    `json:"result"`
	Events  int       `json:"events"`
	Last    *string   `json:"last_event_id" doc:"Of its events; null: a test has none."`
	Attempt int       `json:"attempt"`
	Time    time.Time `json:"time"`
	TookMS  int64     `json:"took_ms"`
	Status  *int      `json:"status" doc:"Of HTTP; null: there was no answer."`
	Error   *string   `json:"error"`
}

func showDelivery(d store.Delivery) Delivery {
	out := Delivery{
		Number: d.Number, Kind: d.Kind, Result: string(d.Result), Events: d.Events, Attempt: d.Attempt,
		Time: d.Time.UTC(), TookMS: d.Took.Milliseconds(), Error: orNull(d.Error),
	}
	if d.Status != 0 {
		out.Status = &d.Status
	}
	if d.Position != (store.Position{}) {
		last := d.Position.String()
		out.Last = &last
	}
	return out
}

func (s *service) testWebhook(ctx context.Context, in webhookIn) (out Delivery, err error) {
	if s.courier == nil {
		return out, rest.Errorf(http.StatusServiceUnavailable, "no webhooks are served here")
	}
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return out, store.ErrNotFound
	}
	d, err := s.courier.Test(ctx, auth.Actor(ctx).Org, id)
	return showDelivery(d), err
}

func (s *service) webhookDeliveries(ctx context.Context, in webhookIn) (rest.List[Delivery], error) {
	return s.deliveries(ctx, in, (*store.View).Deliveries)
}

func (s *service) webhookDeadLetters(ctx context.Context, in webhookIn) (rest.List[Delivery], error) {
	return s.deliveries(ctx, in, (*store.View).DeadLetters)
}

// deliveries gives a list whole: it is bounded.
func (s *service) deliveries(ctx context.Context, in webhookIn, of func(*store.View, *store.Webhook) ([]store.Delivery, error)) (out rest.List[Delivery], err error) {
	out.Items = []Delivery{}
	return out, s.view(ctx, func(d *desk) error {
		w, err := d.webhook(in.ID)
		if err != nil {
			return err
		}
		all, err := of(d.View, w)
		for _, x := range all {
			out.Items = append(out.Items, showDelivery(x))
		}
		return err
	})
}

// WebhookStatus is how far a webhook has come.
type WebhookStatus struct {
	After       string     `json:"last_event_id" doc:"All up to here is delivered, or a dead letter."`
	Behind      uint64     `json:"behind" doc:"Changes that wait for it. Behind ten thousand entries of the journal all are counted."`
	Attempts    int        `json:"attempts" doc:"Of the next delivery."`
	Next        *time.Time `json:"next_attempt"`
	Failing     *time.Time `json:"failing_since"`
	LastSuccess *time.Time `json:"last_success"`
	LastError   *string    `json:"last_error"`
	DeadLetters int        `json:"dead_letters"`
}

func (s *service) webhookStatus(ctx context.Context, in webhookIn) (out WebhookStatus, err error) {
	return out, s.view(ctx, func(d *desk) error {
		w, err := d.webhook(in.ID)
		if err != nil {
			return err
		}
		st, err := d.WebhookState(w)
		if err != nil {
			return err
		}
		letters, err := d.DeadLetters(w)
		if err != nil {
			return err
		}
		out = WebhookStatus{
			After: st.After.String(), Attempts: st.Attempts, Next: timeOrNull(st.Next), Failing: timeOrNull(st.Failing),
			LastSuccess: timeOrNull(st.LastSuccess), LastError: orNull(st.LastError), DeadLetters: len(letters),
			Behind: d.Waiting(w, st),
		}
		return nil
	})
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

type webhookReplayIn struct {
	webhookIn
	Body webhookReplay `body:"json"`
}

// webhookReplay names what is to be delivered once more: one of the two.
type webhookReplay struct {
	Letters rest.Opt[[]uint64] `json:"dead_letters" doc:"Their numbers; none: all."`
	After   rest.Opt[string]   `json:"last_event_id" doc:"All behind this event, in order."`
}

func (s *service) replayWebhook(ctx context.Context, in webhookReplayIn) (out rest.Tagged[Webhook], err error) {
	_, letters := in.Body.Letters.Get()
	_, after := in.Body.After.Get()
	if letters == after { // here, so that the description requires neither
		return out, rest.Invalid("dead_letters", "or last_event_id is required, and not both")
	}
	err = s.update(ctx, func(d *desk, tx *store.Tx) error {
		w, err := d.webhook(in.ID)
		if err != nil {
			return err
		}
		out = rest.Tag(d.showWebhook(w))
		if numbers, ok := in.Body.Letters.Get(); ok {
			if err := queueLetters(tx, w, numbers); err != nil {
				return err
			}
			return tryNow(tx, w)
		}
		p, err := store.ParsePosition(in.Body.After.Or(""))
		if err == nil {
			err = d.Resume(w.Org, p)
		}
		if err != nil {
			return rest.Invalid("last_event_id", "is not in the journal any more")
		}
		st, err := tx.WebhookState(w)
		if err != nil {
			return err
		}
		st.After, st.Until, st.Attempts, st.Next = p, 0, 0, time.Time{}
		return tx.PutWebhookState(w, st)
	})
	s.wake(err)
	return out, err
}

// tryNow ends the waiting of a webhook that is failing: who asks for a delivery
// believes that the receiver is there again.
func tryNow(tx *store.Tx, w *store.Webhook) error {
	st, err := tx.WebhookState(w)
	if err != nil {
		return err
	}
	st.Next = time.Time{}
	return tx.PutWebhookState(w, st)
}

// queueLetters asks for one more attempt at dead letters.
func queueLetters(tx *store.Tx, w *store.Webhook, numbers []uint64) error {
	letters, err := tx.DeadLetters(w)
	if err != nil {
		return err
	}
	wanted := map[uint64]bool{}
	for _, n := range numbers {
		wanted[n] = true
	}
	for _, d := range letters {
		if len(numbers) > 0 && !wanted[d.Number] {
			continue
		}
		delete(wanted, d.Number)
		d.Result = store.DeliveryQueued
		if err := tx.PutDeadLetter(w, d); err != nil {
			return err
		}
	}
	if len(wanted) > 0 {
		return rest.Invalid("dead_letters", "has a number that is none of a dead letter")
	}
	return nil
}
