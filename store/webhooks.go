package store

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Webhook tells somebody elsewhere of the changes in an organisation. It is told
// what an administrator of the organisation may read.
type Webhook struct {
	UUID     uuid.UUID     `cbor:"1,keyasint"`
	Org      PrincipalID   `cbor:"2,keyasint"`
	URL      string        `cbor:"3,keyasint"`
	Label    string        `cbor:"4,keyasint,omitempty"`
	Filter   JournalFilter `cbor:"5,keyasint"`
	Inactive bool          `cbor:"6,keyasint,omitempty"`
	Disabled string        `cbor:"7,keyasint,omitempty"` // why the daemon gave it up; "" it did not
	Sealed   []byte        `cbor:"8,keyasint"`           // the secret
	Created  time.Time     `cbor:"9,keyasint"`
	Modified time.Time     `cbor:"10,keyasint"`
}

// Active reports whether deliveries are made.
func (w *Webhook) Active() bool { return !w.Inactive && w.Disabled == "" }

// Reader is for whom the entries are chosen.
func (w *Webhook) Reader() *Actor {
	return &Actor{Org: w.Org, Grants: []Grant{{Target: w.Org, Rights: RightAdmin}}}
}

// WebhookState is how far a webhook has come: bookkeeping that is in no journal.
type WebhookState struct {
	After       Position  `cbor:"1,keyasint"`           // all up to here is delivered, or a dead letter
	Until       uint64    `cbor:"2,keyasint,omitempty"` // the entry that the delivery under way ends with; 0: none was tried
	Attempts    int       `cbor:"3,keyasint,omitempty"` // of that delivery
	Next        time.Time `cbor:"4,keyasint"`           // not before
	Failing     time.Time `cbor:"5,keyasint"`           // since; zero: it is not
	LastSuccess time.Time `cbor:"6,keyasint"`
	LastError   string    `cbor:"7,keyasint,omitempty"`
	Number      uint64    `cbor:"8,keyasint,omitempty"` // of the last row of a list
}

// Delivery is an attempt to tell a webhook something, or a dead letter: what was
// given up.
type Delivery struct {
	Number   uint64         `cbor:"-"`
	Kind     string         `cbor:"1,keyasint"` // changes, reset, test
	From     uint64         `cbor:"2,keyasint"` // entries behind this one
	To       uint64         `cbor:"3,keyasint"` // up to this one
	Events   int            `cbor:"4,keyasint"`
	Attempt  int            `cbor:"5,keyasint"`
	Time     time.Time      `cbor:"6,keyasint"`
	Took     time.Duration  `cbor:"7,keyasint"`
	Status   int            `cbor:"8,keyasint,omitempty"` // of HTTP; 0: there was no answer
	Error    string         `cbor:"9,keyasint,omitempty"`
	Result   DeliveryResult `cbor:"10,keyasint"`
	Position Position       `cbor:"11,keyasint"` // of its end
}

// DeliveryResult is how an attempt ended, or what is to become of a dead letter.
type DeliveryResult string

// The results.
const (
	Delivered      DeliveryResult = "delivered"
	DeliveryFailed DeliveryResult = "failed"
	DeliveryDead   DeliveryResult = "dead"
	DeliveryQueued DeliveryResult = "queued" // a dead letter that is to be tried again
)

// Message is the body of a delivery.
type Message struct {
	Type      string      `json:"type" enum:"changes,reset,test"`
	Timestamp time.Time   `json:"timestamp" doc:"Of the last event that is told, else of the attempt."`
	Data      MessageData `json:"data"`
}

// MessageData is what a Message tells.
type MessageData struct {
	Events []Event `json:"events,omitempty" doc:"Of changes alone: up to a hundred, the oldest first."`
	Detail string  `json:"detail,omitempty" doc:"For a reader, where there are no events."`
}

// Bounds of webhooks.
const (
	maxWebhooks    = 100 // of one organisation
	maxDeliveries  = 100 // that are remembered of each
	maxDeadLetters = 500 // that are kept of each; older ones go
	maxURL         = 2048
	maxFilterWords = 100
)

func webhookKey(org PrincipalID, id uuid.UUID) key {
	return newKey(tableWebhooks).principal(org).bytes(id[:])
}

func webhookRows(table byte, w *Webhook) key {
	return newKey(table).principal(w.Org).bytes(w.UUID[:])
}

func (w *Webhook) check(tx *Tx, known []PrincipalID) error {
	u, err := url.Parse(w.URL)
	switch {
	case err != nil || len(w.URL) > maxURL || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "":
		return badField("url", "url must be an http or https address of at most %d bytes, without user and fragment", maxURL)
	case len(w.Label) > 1000:
		return badField("label", "a webhook's label has at most 1,000 bytes")
	case len(w.Filter.What) > maxFilterWords || len(w.Filter.Owners) > maxFilterWords:
		return fmt.Errorf("%w: a webhook's filter has at most %d words", ErrInvalid, maxFilterWords)
	}
	for _, word := range w.Filter.What {
		if _, _, err := ParseWhat(word); err != nil {
			return err
		}
	}
	for _, id := range w.Filter.Owners {
		if slices.Contains(known, id) {
			continue // it may be gone, and even forgotten
		}
		if p, err := tx.principal(id); err != nil && tx.former(w.Org, id).UUID == uuid.Nil || err == nil && p.Org != w.Org {
			return fmt.Errorf("principal %d: %w", id, ErrNotFound)
		}
	}
	return nil
}

// PutWebhook stores a webhook, in place of the one with its UUID in the
// organisation. A new one needs a secret, of 16 to 200 bytes; "" keeps that of an
// old one. UUID is set where it is zero, Sealed, Created and Modified always. A
// new one is told what happens from now on; one that becomes active again, or
// gets another address or a secret in place of one that cannot be read, goes on
// where it was, at once. ErrInvalid, ErrNotFound, ErrQuota.
func (tx *Tx) PutWebhook(w *Webhook, secret string) error {
	if org, err := tx.principal(w.Org); err != nil || org.Kind != KindOrganisation {
		return fmt.Errorf("organisation %d: %w", w.Org, ErrNotFound)
	}
	old, err := tx.Webhook(w.Org, w.UUID)
	exists := err == nil
	var known []PrincipalID
	if exists {
		known = old.Filter.Owners
	}
	if err := w.check(tx, known); err != nil {
		return err
	}
	if exists {
		w.Created, w.Modified, w.Sealed = old.Created, old.Modified, old.Sealed
		if secret == "" && string(encodeRecord(w)) == string(encodeRecord(old)) {
			return nil
		}
	} else {
		if len(tx.keys(newKey(tableWebhooks).principal(w.Org))) >= maxWebhooks {
			return fmt.Errorf("organisation has %d webhooks: %w", maxWebhooks, ErrQuota)
		}
		if w.UUID == uuid.Nil {
			if w.UUID, err = uuid.NewV7(); err != nil {
				return err
			}
		}
		w.Created = tx.now
	}
	mended := false // its secret could not be read
	if secret != "" || !exists {
		if exists {
			_, err = tx.WebhookSecret(old)
			mended = err != nil
		}
		if len(secret) < 16 || len(secret) > 200 {
			return fmt.Errorf("%w: a webhook's secret has 16 to 200 bytes", ErrInvalid)
		}
		if w.Sealed, err = tx.seal(w.sealName(), secret); err != nil {
			return err
		}
	}
	w.Modified = tx.now
	tx.put(webhookKey(w.Org, w.UUID), encodeRecord(w))
	tx.note(Entry{Org: w.Org, Owner: w.Org, Subject: SubjectWebhook, Op: createdUnless(exists), UUID: w.UUID, Name: clip(w.Label, maxNameLength)})
	st := WebhookState{}
	switch {
	case !exists:
		st.After = tx.Position(tx.lastEntry(w.Org))
	case !old.Active() && w.Active(), old.URL != w.URL, mended:
		if st, err = tx.WebhookState(w); err != nil {
			return err
		}
		st.Attempts, st.Next, st.Failing = 0, time.Time{}, time.Time{}
	default:
		return nil
	}
	tx.put(webhookRows(tableHookStates, w), encodeRecord(st))
	return nil
}

// sealName binds the sealed secret to the webhook.
func (w *Webhook) sealName() string { return "webhook " + w.UUID.String() }

// WebhookSecret gives the secret; ErrCredentials when it cannot be read.
func (v *View) WebhookSecret(w *Webhook) (string, error) {
	return v.open(w.sealName(), w.Sealed)
}

// mostWaiting is how many entries are looked at to count what waits.
const mostWaiting = 10_000

// Waiting counts the events that wait for a webhook. Entries behind the first
// ten thousand count whether it is told of them or not.
func (v *View) Waiting(w *Webhook, st WebhookState) (waiting uint64) {
	reader, seen, at := w.Reader(), 0, st.After.Seq
	v.EachEntry(w.Org, at, func(e *Entry) bool {
		if w.Filter.Match(e) && v.MayRead(reader, e) {
			waiting++
		}
		seen, at = seen+1, e.Seq
		return seen < mostWaiting
	})
	if last := v.lastEntry(w.Org); last > at {
		waiting += last - at
	}
	return waiting
}

// DeleteWebhook removes a webhook with all that is known of its deliveries.
// ErrNotFound.
func (tx *Tx) DeleteWebhook(org PrincipalID, id uuid.UUID) error {
	w, err := tx.Webhook(org, id)
	if err != nil {
		return err
	}
	tx.del(webhookKey(org, id))
	for _, table := range []byte{tableHookStates, tableDeliveries, tableDeadLetters} {
		tx.dropPrefix(webhookRows(table, w))
	}
	tx.note(Entry{Org: org, Owner: org, Subject: SubjectWebhook, Op: OpDeleted, UUID: id, Name: clip(w.Label, maxNameLength)})
	return nil
}

// Webhook gives a webhook of an organisation; ErrNotFound.
func (v *View) Webhook(org PrincipalID, id uuid.UUID) (*Webhook, error) {
	b := v.get(webhookKey(org, id))
	if b == nil {
		return nil, fmt.Errorf("webhook %s: %w", id, ErrNotFound)
	}
	w := &Webhook{}
	return w, decodeRecord(b, w)
}

// Webhooks gives those of an organisation (0: all), in order of their making.
func (v *View) Webhooks(org PrincipalID) ([]*Webhook, error) {
	from := newKey(tableWebhooks)
	if org != 0 {
		from = from.principal(org)
	}
	var out []*Webhook
	var err error
	v.r.Scan(from, from.after(), func(_, b []byte) bool {
		w := &Webhook{}
		err = decodeRecord(b, w)
		out = append(out, w)
		return err == nil
	})
	return out, err
}

// WebhookState gives how far a webhook has come; ErrNotFound.
func (v *View) WebhookState(w *Webhook) (st WebhookState, err error) {
	b := v.get(webhookRows(tableHookStates, w))
	if b == nil {
		return st, fmt.Errorf("webhook %s: %w", w.UUID, ErrNotFound)
	}
	return st, decodeRecord(b, &st)
}

// PutWebhookState stores how far a webhook has come; ErrNotFound when it is
// gone.
func (tx *Tx) PutWebhookState(w *Webhook, st WebhookState) error {
	if tx.get(webhookKey(w.Org, w.UUID)) == nil {
		return fmt.Errorf("webhook %s: %w", w.UUID, ErrNotFound)
	}
	st.LastError = clip(st.LastError, maxJobError)
	tx.put(webhookRows(tableHookStates, w), encodeRecord(st))
	return nil
}

// AddDelivery remembers an attempt, and a result of DeliveryDead as a dead letter
// too. It counts st.Number up; the caller stores st.
func (tx *Tx) AddDelivery(w *Webhook, st *WebhookState, d Delivery) {
	st.Number++
	d.Error = clip(d.Error, maxJobError)
	tx.addRow(tableDeliveries, w, st.Number, maxDeliveries, d)
	if d.Result == DeliveryDead {
		tx.addRow(tableDeadLetters, w, st.Number, maxDeadLetters, d)
	}
}

func (tx *Tx) addRow(table byte, w *Webhook, number uint64, most int, d Delivery) {
	all := tx.keys(webhookRows(table, w))
	for _, k := range all[:max(0, len(all)-most+1)] {
		tx.del(k)
	}
	tx.put(webhookRows(table, w).u64(number), encodeRecord(d))
}

// Deliveries gives the last attempts, the newest first.
func (v *View) Deliveries(w *Webhook) ([]Delivery, error) { return v.deliveries(tableDeliveries, w) }

// DeadLetters gives what was given up, the newest first.
func (v *View) DeadLetters(w *Webhook) ([]Delivery, error) {
	return v.deliveries(tableDeadLetters, w)
}

func (v *View) deliveries(table byte, w *Webhook) (out []Delivery, err error) {
	from := webhookRows(table, w)
	v.r.ScanBack(from, from.after(), func(k, b []byte) bool {
		d := Delivery{Number: u64(k[len(from):])}
		err = decodeRecord(b, &d)
		out = append(out, d)
		return err == nil
	})
	return out, err
}

// PutDeadLetter changes a dead letter: what is to become of it, and why it failed
// once more. One that was Delivered is none any more. ErrNotFound.
func (tx *Tx) PutDeadLetter(w *Webhook, d Delivery) error {
	k := webhookRows(tableDeadLetters, w).u64(d.Number)
	if tx.get(k) == nil {
		return fmt.Errorf("dead letter %d: %w", d.Number, ErrNotFound)
	}
	if d.Result == Delivered {
		tx.del(k)
		return nil
	}
	d.Error = clip(d.Error, maxJobError)
	tx.put(k, encodeRecord(d))
	return nil
}
