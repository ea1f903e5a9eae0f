package house

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"daybook/store"
)

// courier delivers nothing, and remembers.
type courier struct{ woken, tested int }

func (c *courier) Check(u *url.URL) error {
	if u.Hostname() == "127.0.0.1" {
		return errors.New("address not allowed")
	}
	return nil
}

func (c *courier) Wake() { c.woken++ }

func (c *courier) Test(_ context.Context, org store.PrincipalID, _ uuid.UUID) (store.Delivery, error) {
	c.tested++
	return store.Delivery{Kind: "test", Result: store.Delivered, Status: 204, Number: uint64(org)}, nil
}

func TestWebhooks(t *testing.T) {
	p := newPlace(t)
	var made webhookMade
	a := p.do("POST", "/v1/webhooks", `{"url": "https://example.com/hook", "label": "Till", "what": ["block", "event.created"], "resources": ["ada"]}`).want(201).into(&made)
	at := a.Header().Get("Location")
	if at != "/v1/webhooks/"+made.ID.String() || !strings.HasPrefix(made.Secret, "whsec_") || !made.Active || len(made.Resources) != 1 {
		t.Fatalf("%s %+v", at, made)
	}
	shown := p.get(at).want(200)
	if strings.Contains(shown.Body.String(), "secret") || shown.Header().Get("ETag") != a.Header().Get("ETag") {
		t.Errorf("%s", shown.Body)
	}
	var list struct{ Items []Webhook }
	if p.get("/v1/webhooks").want(200).into(&list); len(list.Items) != 1 {
		t.Errorf("%+v", list)
	}

	p.with("If-Match", `"old"`).do("PATCH", at, `{"active": false}`).want(412)
	var w Webhook
	p.with("If-Match", a.Header().Get("ETag")).do("PATCH", at, `{"active": false, "what": null}`).want(200).into(&w)
	if w.Active || len(w.What) != 0 || w.Label != "Till" {
		t.Errorf("%+v", w)
	}
	var again webhookMade
	p.do("POST", at+"/secret", "").want(200).into(&again)
	if again.Secret == made.Secret || again.Secret == "" {
		t.Errorf("%+v", again)
	}
	renew := p.with("Idempotency-Key", "renew")
	renew.do("POST", at+"/secret", "").want(200).into(&again)
	if b := renew.do("POST", at+"/secret", "").want(200).Body.String(); again.Secret == "" || strings.Contains(b, "secret") {
		t.Errorf("a kept answer has the secret: %s", b)
	}
	// PATCH took no notice of a secret, so that who sent one signed with the old one.
	p.do("PATCH", at, `{"secret": "one of the client's own"}`).want(200)
	p.update(func(v *store.Tx) error {
		hook, err := v.Webhook(p.ids["demo"], made.ID)
		if err != nil {
			return err
		}
		if got, err := v.WebhookSecret(hook); err != nil || got != "one of the client's own" {
			t.Errorf("the secret is %q, %v", got, err)
		}
		return nil
	})
	var d Delivery
	p.do("POST", at+"/test", "").want(200).into(&d)
	if d.Kind != "test" || *d.Status != 204 || d.Last != nil || p.courier.tested != 1 {
		t.Errorf("%+v", d)
	}
	var st WebhookStatus
	p.get(at + "/status").want(200).into(&st)
	if st.Attempts != 0 || st.Behind != 0 || st.LastError != nil {
		t.Errorf("%+v", st)
	}
	p.get(at + "/deliveries").want(200)

	t.Run("what is not valid", func(t *testing.T) {
		p := p.in(t)
		for _, body := range []string{
			`{}`, `{"url": "ftp://example.com"}`, `{"url": "https://user:pass@example.com"}`, `{"url": "https://127.0.0.1/"}`, `{"url": "::"}`,
			`{"url": "https://example.com", "what": ["x"]}`, `{"url": "https://example.com", "resources": ["eve"]}`,
			`{"url": "https://example.com", "secret": "short"}`, `{"url": "https://example.com", "secret": "whsec_!!!no base64!!!"}`,
			`{"url": "https://example.com", "secret": "whsec_AAAAAAAAAAAA"}`,
		} {
			p.do("POST", "/v1/webhooks", body).want(422)
		}
		p.do("PATCH", at, `{"url": "https://127.0.0.1/"}`).want(422)
		p.do("PATCH", at, `{"secret": "short"}`).want(422)
	})
	t.Run("is for administrators of the organisation", func(t *testing.T) {
		p := p.in(t)
		for _, path := range []string{"", "/status", "/deliveries", "/dead-letters"} {
			p.as(writer).get(at + path).want(403)
			p.as(rival).get(at + path).want(404)
		}
		p.as(writer).do("POST", "/v1/webhooks", `{"url": "https://example.com"}`).want(403)
		p.as(rival).do("DELETE", at, "").want(404)
	})
	p.do("DELETE", at, "").want(204)
	p.get(at).want(404)
	p.get("/v1/webhooks/x").want(404)
}

// TestWebhookOfWhoIsGoneIsNotEverybodys: a filter whose only resource was
// deleted was shown as none, and whoever sent that back got everybody's changes.
func TestWebhookOfWhoIsGoneIsNotEverybodys(t *testing.T) {
	p := newPlace(t)
	p.do("POST", "/v1/resources", `{"kind": "staff", "name": "temp"}`).want(201)
	var w webhookMade
	p.do("POST", "/v1/webhooks", `{"url": "https://example.com/hook", "resources": ["temp"]}`).want(201).into(&w)
	at, id := "/v1/webhooks/"+w.ID.String(), w.Resources[0]
	p.do("DELETE", "/v1/resources/temp", "").want(204)
	var got Webhook
	if p.get(at).want(200).into(&got); len(got.Resources) != 1 || got.Resources[0] != id {
		t.Errorf("shown as %v", got.Resources)
	}
	p.do("PATCH", at, `{"resources": ["`+id.String()+`"], "label": "x"}`).want(200).into(&got)
	if len(got.Resources) != 1 || got.Resources[0] != id {
		t.Errorf("sent back as %v", got.Resources)
	}
	p.do("POST", "/v1/webhooks", `{"url": "https://example.com/hook", "resources": ["`+id.String()+`"]}`).want(422)
	// It can be changed when the name is forgotten too.
	for done := false; !done; {
		var err error
		if _, done, err = p.store.PruneJournal(t.Context(), p.clock.Load().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	p.do("PATCH", at, `{"active": false}`).want(200).into(&got)
	if len(got.Resources) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestReplayOfWebhooks(t *testing.T) {
	p := newPlace(t)
	var w webhookMade
	p.do("POST", "/v1/webhooks", `{"url": "https://example.com/hook"}`).want(201).into(&w)
	at := "/v1/webhooks/" + w.ID.String()
	var number uint64
	state := func(change func(*store.Tx, *store.Webhook, *store.WebhookState)) {
		t.Helper()
		p.update(func(tx *store.Tx) error {
			hook, err := tx.Webhook(p.ids["demo"], w.ID)
			if err != nil {
				return err
			}
			st, err := tx.WebhookState(hook)
			if err != nil {
				return err
			}
			change(tx, hook, &st)
			return tx.PutWebhookState(hook, st)
		})
	}
	state(func(tx *store.Tx, hook *store.Webhook, st *store.WebhookState) {
		tx.AddDelivery(hook, st, store.Delivery{Kind: "changes", To: 1, Events: 1, Attempt: 10, Result: store.DeliveryDead, Error: "no connection"})
		number = st.Number
	})
	var dead struct{ Items []Delivery }
	p.get(at + "/dead-letters").want(200).into(&dead)
	if len(dead.Items) != 1 || dead.Items[0].Number != number || dead.Items[0].Result != "dead" {
		t.Fatalf("%+v", dead)
	}
	p.do("POST", at+"/replay", `{"dead_letters": [99]}`).want(422)
	// What was asked for waited for the next attempt, for up to two hours.
	state(func(_ *store.Tx, _ *store.Webhook, st *store.WebhookState) { st.Next = p.clock.Load().Add(time.Hour) })
	p.do("POST", at+"/replay", `{"dead_letters": []}`).want(200)
	if p.get(at + "/dead-letters").want(200).into(&dead); dead.Items[0].Result != "queued" || p.courier.woken == 0 {
		t.Errorf("%+v", dead)
	}
	var st WebhookStatus
	p.get(at + "/status").want(200).into(&st)
	if st.Next != nil {
		t.Errorf("it waits: %+v", st)
	}
	epoch, _, _ := strings.Cut(st.After, "-")
	p.do("POST", at+"/replay", `{"last_event_id": "`+epoch+`-3"}`).want(200)
	if p.get(at + "/status").into(&st); st.After != epoch+"-3" {
		t.Errorf("%+v", st)
	}
	for _, body := range []string{`{}`, `{"dead_letters": [], "last_event_id": "x"}`, `{"last_event_id": "x"}`, `{"last_event_id": "` + epoch + `-9999"}`} {
		p.do("POST", at+"/replay", body).want(422)
	}
}
