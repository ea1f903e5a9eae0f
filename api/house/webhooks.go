package house

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/rest"
	"daybook/store"
)

// Courier makes the deliveries of webhooks.
type Courier interface {
	// Check tells why an address must not be posted to.
	Check(address *url.URL) error
	// Test posts a test, whether the webhook is active or not.
	Test(ctx context.Context, org store.PrincipalID, id uuid.UUID) (store.Delivery, error)
	// Wake tells that something may be due.
	Wake()
}

func (s *service) webhookRoutes() []rest.Route {
	const all, one = base + "/webhooks", base + "/webhooks/{webhook}"
	const right = store.RightAdmin
	return []rest.Route{
		{Pattern: "GET " + all, Summary: "List webhooks", Op: rest.Endpoint(http.StatusOK, s.listWebhooks).Guard(guard[webhooksIn](s, right))},
		{Pattern: "POST " + all, Summary: "Create a webhook", Doc: wordsDoc(), Op: rest.Endpoint(http.StatusCreated, s.createWebhook).Guard(guard[webhookCreateIn](s, right))},
		{Pattern: "GET " + one, Summary: "Get a webhook", Op: rest.Endpoint(http.StatusOK, s.getWebhook).Guard(guard[webhookIn](s, right))},
		{Pattern: "PATCH " + one, Summary: "Change a webhook, or make one active again", Doc: wordsDoc(), Op: rest.Endpoint(http.StatusOK, s.patchWebhook).Guard(guard[webhookPatchIn](s, right))},
		{Pattern: "DELETE " + one, Summary: "Delete a webhook", Op: rest.Endpoint(http.StatusNoContent, s.deleteWebhook).Guard(guard[webhookDeleteIn](s, right))},
		{Pattern: "POST " + one + "/secret", Summary: "Give a webhook a new secret", Op: rest.Endpoint(http.StatusOK, s.newWebhookSecret).Guard(guard[webhookIn](s, right))},
		{Pattern: "POST " + one + "/test", Summary: "Post a test to a webhook", Op: rest.Endpoint(http.StatusOK, s.testWebhook).Guard(guard[webhookIn](s, right))},
		{Pattern: "GET " + one + "/status", Summary: "How far a webhook has come", Op: rest.Endpoint(http.StatusOK, s.webhookStatus).Guard(guard[webhookIn](s, right))},
		{Pattern: "GET " + one + "/deliveries", Summary: "The last attempts to deliver, the newest first", Op: rest.Endpoint(http.StatusOK, s.webhookDeliveries).Guard(guard[webhookIn](s, right))},
		{Pattern: "GET " + one + "/dead-letters", Summary: "Deliveries that were given up, the newest first", Op: rest.Endpoint(http.StatusOK, s.webhookDeadLetters).Guard(guard[webhookIn](s, right))},
		{Pattern: "POST " + one + "/replay", Summary: "Deliver dead letters, or all behind an event, once more", Op: rest.Endpoint(http.StatusOK, s.replayWebhook).Guard(guard[webhookReplayIn](s, right))},
	}
}

// webhookCalls describe what webhooks are told.
func webhookCalls() []rest.Call {
	return []rest.Call{{
		Name: "changes", Tag: "House: webhooks", Summary: "What a webhook is told",
		Doc: "Deliveries are made in order and at least once: an event that was seen already is known by its id. " +
			"The message reset says that changes are missing: read everything again.",
		Headers: []rest.CallHeader{
			{Name: "Webhook-Id", Doc: "Of the delivery, the same for each attempt at it."},
			{Name: "Webhook-Timestamp", Doc: "Of the attempt, in seconds since 1970."},
			{Name: "Webhook-Signature", Doc: "v1, and the base64 of the HMAC-SHA256 of id.timestamp.body, by the webhook's secret. " +
				"The key of a secret that begins with whsec_ is what the base64 behind it stands for."},
		},
		Body: reflect.TypeFor[store.Message](),
		Answers: map[string]string{
			"2XX": "It is taken.", "410": "It is not to be told anything any more: the webhook is disabled.",
			"429": "It is told again, not before the time of Retry-After.", "503": "As 429.",
			"4XX": "It is told again later, as after any other answer or none.", "5XX": "As 4XX.",
		},
	}}
}

// Webhook is a webhook as the house API shows it.
type Webhook struct {
	ID        uuid.UUID   `json:"id"`
	URL       string      `json:"url"`
	Label     string      `json:"label"`
	What      []string    `json:"what" doc:"Subjects, or subjects with what happened; none: all."`
	Resources []uuid.UUID `json:"resources" doc:"Whose changes; none: everybody's. One that is gone stays."`
	Active    bool        `json:"active"`
	Disabled  *string     `json:"disabled_reason" doc:"Why the daemon gave it up."`
	Created   time.Time   `json:"created_at"`
	Modified  time.Time   `json:"updated_at"`
}

func (d *desk) showWebhook(w *store.Webhook) Webhook {
	out := Webhook{
		ID: w.UUID, URL: w.URL, Label: w.Label, What: append([]string{}, w.Filter.What...), Resources: []uuid.UUID{},
		Active: w.Active(), Disabled: orNull(w.Disabled), Created: w.Created.UTC(), Modified: w.Modified.UTC(),
	}
	for _, id := range w.Filter.Owners {
		out.Resources = append(out.Resources, d.FormerUUID(w.Org, id))
	}
	return out
}

// webhookMade is an answer with the secret, which is shown this once.
type webhookMade struct {
	Webhook
	Secret string `json:"secret" required:"false" doc:"Told once: a kept answer leaves it out."`
	fresh  bool
}

// Kept gives the record without the secret, for an answer that is kept.
func (w webhookMade) Kept() any { return w.Webhook }

// SetHeader sets the ETag of the record that is shown later.
func (w webhookMade) SetHeader(h http.Header) {
	h.Set("ETag", rest.ETag(w.Webhook))
	if w.fresh {
		h.Set("Location", base+"/webhooks/"+w.ID.String())
	}
}

type webhooksIn struct{ rest.Page }

// Validate checks the page.
func (in *webhooksIn) Validate(f *rest.Faults) { in.Check(f) }

func (s *service) listWebhooks(ctx context.Context, in webhooksIn) (out rest.List[Webhook], err error) {
	return out, s.view(ctx, func(d *desk) error {
		all, err := d.Webhooks(d.actor.Org)
		if err != nil {
			return err
		}
		shown := make([]Webhook, len(all))
		for i, w := range all {
			shown[i] = d.showWebhook(w)
		}
		out = rest.Paged(in.Page, shown, func(w Webhook) string { return w.ID.String() })
		return nil
	})
}

type webhookFields struct {
	URL       rest.Opt[string]   `json:"url"`
	Label     rest.Opt[string]   `json:"label"`
	What      rest.Opt[[]string] `json:"what"`
	Resources rest.Opt[[]string] `json:"resources"`
	Active    rest.Opt[bool]     `json:"active"`
	Secret    rest.Opt[string]   `json:"secret" doc:"16 to 200 bytes, or whsec_ and the base64 of 16 or more; absent: one is made, or the old one stays."`
}

// checkSecret holds a secret that a client chose to the form that the libraries
// of its receiver read (Standard Webhooks, "Signature scheme").
func (in *webhookFields) checkSecret(f *rest.Faults) {
	if !in.Secret.Present() {
		return
	}
	secret := in.Secret.Or("")
	if n := len(secret); n < 16 || n > 200 {
		f.Add("secret", "must have 16 to 200 bytes")
	} else if text, ok := strings.CutPrefix(secret, secretPrefix); ok {
		if key, err := base64.StdEncoding.DecodeString(text); err != nil || len(key) < 16 {
			f.Add("secret", "must be base64 of 16 or more bytes behind "+secretPrefix)
		}
	}
}

func (in *webhookFields) check(s *service, f *rest.Faults) {
	checkWhat(f, in.What.Or(nil))
	checkMost(f, "what", in.What.Or(nil))
	checkMost(f, "resources", in.Resources.Or(nil))
	if text, ok := in.URL.Get(); ok && s.courier != nil {
		if u, err := url.Parse(text); err != nil {
			f.Add("url", "is not an address")
		} else if err := s.courier.Check(u); err != nil {
			f.Add("url", "is refused: "+err.Error())
		}
	}
}

// apply puts what was sent into the record; null takes a value away.
func (in *webhookFields) apply(d *desk, w *store.Webhook) error {
	if in.URL.Present() {
		w.URL = in.URL.Or("")
	}
	if in.Label.Present() {
		w.Label = in.Label.Or("")
	}
	if in.What.Present() {
		w.Filter.What = in.What.Or(nil)
	}
	if in.Resources.Present() {
		old := w.Filter.Owners
		w.Filter.Owners = nil
		for _, ref := range in.Resources.Or(nil) {
			id, ok := d.owner(ref, w.Org, old)
			if !ok {
				return rest.Invalid("resources", "has one that does not exist: "+strconv.Quote(ref))
			}
			w.Filter.Owners = append(w.Filter.Owners, id)
		}
	}
	if on, ok := in.Active.Get(); ok {
		if w.Inactive = !on; on {
			w.Disabled = ""
		}
	}
	return nil
}

// owner finds whose changes are meant; who is gone can stay in the filter.
func (d *desk) owner(ref string, org store.PrincipalID, old []store.PrincipalID) (store.PrincipalID, bool) {
	if p, err := d.principal(ref, store.RightAdmin); err == nil {
		return p.ID, true
	}
	i := slices.IndexFunc(old, func(id store.PrincipalID) bool { return d.FormerUUID(org, id).String() == ref })
	if i < 0 {
		return 0, false
	}
	return old[i], true
}

type webhookCreateIn struct {
	Body webhookFields `body:"json"`
}

// Validate checks the fields.
func (in *webhookCreateIn) Validate(f *rest.Faults) {
	if in.Body.URL.Or("") == "" && !f.Has("url") {
		f.Add("url", "is required")
	}
	in.Body.checkSecret(f)
}

// secretPrefix begins a secret whose key is written in base64.
const secretPrefix = "whsec_"

// newSecret makes one in the form of the Standard Webhooks specification.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(b[:])
}

// checked adds what the tags and Validate cannot know.
func (s *service) checked(in *webhookFields) error {
	var f rest.Faults
	in.check(s, &f)
	return f.Err()
}

func (s *service) createWebhook(ctx context.Context, in webhookCreateIn) (out webhookMade, err error) {
	if err := s.checked(&in.Body); err != nil {
		return out, err
	}
	secret := in.Body.Secret.Or(newSecret())
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		w := &store.Webhook{Org: d.actor.Org}
		if err := in.Body.apply(d, w); err != nil {
			return err
		}
		if err := tx.PutWebhook(w, secret); err != nil {
			return err
		}
		out = webhookMade{d.showWebhook(w), secret, true}
		return nil
	})
}

type webhookIn struct {
	ID string `path:"webhook"`
}

// webhook finds one; store.ErrNotFound.
func (d *desk) webhook(id string) (*store.Webhook, error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return nil, store.ErrNotFound
	}
	return d.Webhook(d.actor.Org, u)
}

func (s *service) getWebhook(ctx context.Context, in webhookIn) (out rest.Tagged[Webhook], err error) {
	return out, s.view(ctx, func(d *desk) error {
		w, err := d.webhook(in.ID)
		if err == nil {
			out = rest.Tag(d.showWebhook(w))
		}
		return err
	})
}

type webhookPatchIn struct {
	webhookIn
	rest.IfMatch
	Body webhookFields `body:"json"`
}

// Validate checks the fields.
func (in *webhookPatchIn) Validate(f *rest.Faults) { in.Body.checkSecret(f) }

func (s *service) patchWebhook(ctx context.Context, in webhookPatchIn) (out rest.Tagged[Webhook], err error) {
	if err := s.checked(&in.Body); err != nil {
		return out, err
	}
	err = s.update(ctx, func(d *desk, tx *store.Tx) error {
		w, err := d.webhook(in.ID)
		if err != nil {
			return err
		}
		if err := in.Check(d.showWebhook(w)); err != nil {
			return err
		}
		if err := in.Body.apply(d, w); err != nil {
			return err
		}
		if err := tx.PutWebhook(w, in.Body.Secret.Or("")); err != nil {
			return err
		}
		out = rest.Tag(d.showWebhook(w))
		return nil
	})
	s.wake(err)
	return out, err
}

func (s *service) wake(err error) {
	if err == nil && s.courier != nil {
		s.courier.Wake()
	}
}

type webhookDeleteIn struct {
	webhookIn
	rest.IfMatch
}

func (s *service) deleteWebhook(ctx context.Context, in webhookDeleteIn) (out rest.NoContent, err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		w, err := d.webhook(in.ID)
		if err != nil {
			return err
		}
		if err := in.Check(d.showWebhook(w)); err != nil {
			return err
		}
		return tx.DeleteWebhook(w.Org, w.UUID)
	})
}

func (s *service) newWebhookSecret(ctx context.Context, in webhookIn) (out webhookMade, err error) {
	secret := newSecret()
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		w, err := d.webhook(in.ID)
		if err != nil {
			return err
		}
		if err := tx.PutWebhook(w, secret); err != nil {
			return err
		}
		out = webhookMade{d.showWebhook(w), secret, false}
		return nil
	})
}
