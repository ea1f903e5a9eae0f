package house

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/rest"
	"daybook/store"
)

func (s *service) credentialRoutes() []rest.Route {
	const list, one = base + "/credentials", base + "/credentials/{credential}"
	return []rest.Route{
		{Pattern: "GET " + list, Summary: "List credentials: the asker's own; an administrator's are all of the organisation", Op: rest.Endpoint(http.StatusOK, s.listCredentials)},
		{Pattern: "POST " + list, Summary: "Create a token, an app password or a key; its secret is told this once", Op: rest.Endpoint(http.StatusCreated, s.createCredential).Guard(s.mayCreateCredential)},
		{Pattern: "GET " + one, Summary: "Get a credential, without its secret", Op: rest.Endpoint(http.StatusOK, s.getCredential)},
		{Pattern: "PATCH " + one, Summary: "Change a credential's label or expiry", Op: rest.Endpoint(http.StatusOK, s.patchCredential).Guard(s.mayPatchCredential)},
		{Pattern: "DELETE " + one, Summary: "Revoke a credential", Op: rest.Endpoint(http.StatusNoContent, s.revokeCredential)},
		{Pattern: "POST " + one + "/rotate", Summary: "Give a credential another secret, told this once; the old one ends", Op: rest.Endpoint(http.StatusOK, s.rotateCredential)},
	}
}

// Credential is a credential as the house API shows it: never its secret.
type Credential struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind" enum:"app,bearer,onlive,timetap"`
	Principal *Ref       `json:"principal" doc:"Whose rights it carries; null for a token with grants alone."`
	Grants    []MyGrant  `json:"grants" doc:"With a principal they limit its rights; none: all."`
	Label     string     `json:"label"`
	Created   time.Time  `json:"created_at"`
	Expires   *time.Time `json:"expires_at"`
	LastUsed  *time.Time `json:"last_used_at" doc:"To the hour."`
}

// NewCredential is a credential with its secret, told once.
type NewCredential struct {
	Credential
	Secret string `json:"secret" required:"false" doc:"Told once: a kept answer leaves it out."`
	// Token is what is presented: ID.SECRET, as a bearer token or as the
	// password of an app. Keys of other kinds sign with the secret.
	Token *string `json:"token" required:"false" doc:"What is presented, as a bearer token or as the password of an app. Told once: a kept answer leaves it out."`
}

// Kept gives the credential without its last use, which is no change of it.
func (c Credential) Kept() any {
	c.LastUsed = nil
	return c
}

// Kept gives the credential without its secret.
func (c NewCredential) Kept() any { return c.Credential.Kept() }

func (d *desk) showCredential(c *store.Credential) Credential {
	out := Credential{
		ID: c.ID, Kind: string(c.Kind), Grants: d.showGrants(c.Grants), Label: c.Label,
		Created: c.Created.UTC(), Expires: orNever(c.Expires), LastUsed: orNever(c.LastUsed),
	}
	if p, err := d.Principal(c.Principal); err == nil {
		ref := refTo(p)
		out.Principal = &ref
	}
	return out
}

func (d *desk) showNewCredential(c *store.Credential, secret string) NewCredential {
	out := NewCredential{Credential: d.showCredential(c), Secret: secret}
	if c.Kind == store.CredentialApp || c.Kind == store.CredentialBearer {
		token := c.ID + "." + secret
		out.Token = &token
	}
	return out
}

// isOwn reports whether a credential stands for the asker, who has signed in in
// full. A credential with limits cannot bring forth others.
func (d *desk) isOwn(c *store.Credential) bool {
	return d.actor.Full() && c.Principal == d.actor.Principal.ID
}

// credential finds one that the asker may know of: its own, or, as an
// administrator, any of the organisation.
func (d *desk) credential(id string) (*store.Credential, error) {
	c, err := d.Credential(id)
	if err != nil || c.Org != d.actor.Org || !d.isOwn(c) && !d.manages() {
		return nil, fmt.Errorf("credential %q: %w", id, store.ErrNotFound)
	}
	return c, nil
}

// yielding finds a credential whose secret the asker may learn: one that stands
// for the asker, or, as an administrator, one that stands for nobody and reaches
// nothing that the asker does not. Whoever learns the secret of a user's
// credential could look into that user's home.
func (d *desk) yielding(id string) (*store.Credential, error) {
	c, err := d.credential(id)
	switch {
	case err != nil:
		return nil, err
	case d.isOwn(c):
		return c, nil
	case c.Principal != 0 || d.exceeds(c.Grants):
		return nil, fmt.Errorf("credential %q: %w", id, store.ErrForbidden)
	}
	return c, nil
}

// exceeds reports whether the grants reach further than the asker.
func (d *desk) exceeds(grants []store.Grant) bool {
	for _, g := range grants {
		if !d.rightsOf(g).Has(g.Rights.Full()) {
			return true
		}
	}
	return false
}

type credentialsIn struct {
	rest.Page
	Kind      rest.Opt[string] `query:"kind"`
	Principal rest.Opt[string] `query:"principal" doc:"Whose rights they carry."`
}

// Validate checks the page and the kind.
func (in *credentialsIn) Validate(f *rest.Faults) {
	in.Check(f)
	if k, ok := in.Kind.Get(); ok && !isCredentialKind(k) {
		f.Add("kind", wantCredentialKind)
	}
}

const wantCredentialKind = "must be app, bearer, onlive or timetap"

func isCredentialKind(k string) bool {
	switch store.CredentialKind(k) {
	case store.CredentialApp, store.CredentialBearer, store.CredentialOnlive, store.CredentialTimeTap:
		return true
	case store.CredentialPassword:
	}
	return false
}

func (s *service) listCredentials(ctx context.Context, in credentialsIn) (out rest.List[Credential], err error) {
	return out, s.view(ctx, func(d *desk) error {
		all, err := d.Credentials(d.actor.Org)
		if err != nil {
			return err
		}
		of := store.PrincipalID(0)
		if ref, ok := in.Principal.Get(); ok {
			p, err := d.known(ref)
			if err != nil {
				return inBody("principal", err)
			}
			of = p.ID
		}
		manages := d.manages()
		var found []Credential
		for _, c := range all {
			if (manages || d.isOwn(c)) && (of == 0 || c.Principal == of) && in.Kind.Or(string(c.Kind)) == string(c.Kind) {
				found = append(found, d.showCredential(c))
			}
		}
		out = rest.Paged(in.Page, found, func(c Credential) string { return c.ID })
		return nil
	})
}

type credentialIn struct {
	ID string `path:"credential"`
}

func (s *service) getCredential(ctx context.Context, in credentialIn) (out rest.Tagged[Credential], err error) {
	return out, s.view(ctx, func(d *desk) error {
		c, err := d.credential(in.ID)
		if err == nil {
			out = rest.Tag(d.showCredential(c))
		}
		return err
	})
}

type credentialCreateIn struct {
	Body credentialCreate `body:"json"`
}

type credentialCreate struct {
	Kind string `json:"kind"`
	// Own makes a credential that stands for the asker, else it carries the
	// grants alone. An app password is always one's own.
	Own    rest.Opt[bool] `json:"own"`
	Grants []grantWanted  `json:"grants"`
	credentialFields
}

type grantWanted struct {
	Target rest.Opt[string] `json:"target" doc:"Absent: the organisation."`
	Rights []string         `json:"rights"`
}

// credentialFields are what can be changed later too.
type credentialFields struct {
	Label   rest.Opt[string]    `json:"label"`
	Expires rest.Opt[time.Time] `json:"expires_at"`
}

// maxLabel is the longest label, in bytes.
const maxLabel = 1000

func (in *credentialFields) check(f *rest.Faults) {
	if len(in.Label.Or("")) > maxLabel {
		f.Add("label", fmt.Sprintf("must have at most %d bytes", maxLabel))
	}
}

func (in *credentialFields) apply(d *desk, c *store.Credential) error {
	if in.Label.Present() {
		c.Label = in.Label.Or("")
	}
	if !in.Expires.Present() {
		return d.outlives(c)
	}
	if c.Expires = in.Expires.Or(time.Time{}).UTC(); in.Expires.IsNull() {
		c.Expires = time.Time{}
	} else if !c.Expires.After(d.now) {
		return rest.Invalid("expires_at", "must be in the future")
	}
	return d.outlives(c)
}

// outlives refuses a credential that goes on when the one that made it has
// ended.
func (d *desk) outlives(c *store.Credential) error {
	own, err := d.Credential(d.actor.Credential)
	if errors.Is(err, store.ErrNotFound) || err == nil && own.Expires.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	if c.Expires.IsZero() || c.Expires.After(own.Expires) {
		return rest.Invalid("expires_at", "must not be later than that of the credential that asks")
	}
	return nil
}

// Validate checks the fields.
func (in *credentialCreateIn) Validate(f *rest.Faults) {
	if !isCredentialKind(in.Body.Kind) && !f.Has("kind") {
		f.Add("kind", wantCredentialKind)
	}
	if in.Body.Kind == string(store.CredentialApp) && in.Body.Own.Present() && !in.Body.Own.Or(false) {
		f.Add("own", "must be true for an app password")
	}
	if !in.own() && len(in.Body.Grants) == 0 && !f.Has("grants") {
		f.Add("grants", "is required unless the credential is one's own")
	}
	in.Body.check(f)
}

func (in *credentialCreateIn) own() bool {
	return in.Body.Kind == string(store.CredentialApp) || in.Body.Own.Or(false)
}

// mayCreateCredential lets those in who could make any.
func (s *service) mayCreateCredential(ctx context.Context, _ credentialCreateIn) error {
	return s.view(ctx, func(d *desk) error {
		if !d.actor.Full() && !d.manages() {
			return fmt.Errorf("credentials: %w", store.ErrForbidden)
		}
		return nil
	})
}

func (s *service) createCredential(ctx context.Context, in credentialCreateIn) (out rest.Tagged[NewCredential], err error) {
	id, secret := newCredentialID(), store.NewSecret()
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		c := &store.Credential{ID: id, Kind: store.CredentialKind(in.Body.Kind), Org: d.actor.Org}
		switch {
		case in.own() && !d.actor.Full():
			return rest.Errorf(http.StatusForbidden, "a credential of one's own needs a sign-in with all of one's rights")
		case in.own():
			c.Principal = d.actor.Principal.ID
		case !d.manages():
			return fmt.Errorf("credentials of the organisation: %w", store.ErrForbidden)
		}
		var err error
		if c.Grants, err = d.wanted(in.Body.Grants); err != nil {
			return err
		}
		if err := in.Body.apply(d, c); err != nil {
			return err
		}
		if _, err := d.Credential(id); err == nil {
			return fmt.Errorf("credential %q: %w", id, store.ErrExists)
		}
		if err := tx.PutCredential(c, secret); err != nil {
			return err
		}
		out = rest.Tagged[NewCredential]{Value: d.showNewCredential(c, secret), Location: base + "/credentials/" + c.ID}
		return nil
	})
}

// newCredentialID makes an id. Nobody chooses one over the network: ids are
// unique in the daemon, and a refusal would tell of another organisation's.
func newCredentialID() string { return strings.ReplaceAll(uuid.NewString(), "-", "")[:16] }

// wanted reads the grants of a new credential, which reach no further than the
// asker.
func (d *desk) wanted(list []grantWanted) ([]store.Grant, error) {
	var out []store.Grant
	var faults rest.Faults
	for i, w := range list {
		field := fmt.Sprintf("grants.%d", i)
		g, err := d.target(w.Target.Or(""))
		if errors.Is(err, store.ErrNotFound) {
			faults.Add(field+".target", "is not known")
			continue
		}
		if err != nil {
			return nil, err
		}
		if g.Rights, err = store.ParseRights(w.Rights); err != nil || g.Rights == 0 {
			faults.Add(field+".rights", wantRights)
			continue
		}
		if d.exceeds([]store.Grant{g}) {
			return nil, rest.Errorf(http.StatusForbidden, "the grants reach further than the asker's own rights")
		}
		out = append(out, g)
	}
	return out, faults.Err()
}

type credentialPatchIn struct {
	credentialIn
	rest.IfMatch
	Body credentialFields `body:"json"`
}

// Validate checks the fields.
func (in *credentialPatchIn) Validate(f *rest.Faults) { in.Body.check(f) }

func (s *service) mayPatchCredential(ctx context.Context, in credentialPatchIn) error {
	return s.view(ctx, func(d *desk) error {
		_, err := d.yielding(in.ID)
		return err
	})
}

func (s *service) patchCredential(ctx context.Context, in credentialPatchIn) (out rest.Tagged[Credential], err error) {
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		c, err := d.yielding(in.ID)
		if err != nil {
			return err
		}
		if err := in.Check(d.showCredential(c)); err != nil {
			return err
		}
		if err := in.Body.apply(d, c); err != nil {
			return err
		}
		if err := tx.UpdateCredential(c); err != nil {
			return err
		}
		out = rest.Tag(d.showCredential(c))
		return nil
	})
}

type credentialRevokeIn struct {
	credentialIn
	rest.IfMatch
}

// revokeCredential ends a credential at once; also the one that asks.
func (s *service) revokeCredential(ctx context.Context, in credentialRevokeIn) (rest.NoContent, error) {
	return rest.NoContent{}, s.update(ctx, func(d *desk, tx *store.Tx) error {
		c, err := d.credential(in.ID)
		if err != nil && in.ID == d.actor.Credential && in.ID != "" {
			c, err = d.Credential(in.ID)
		}
		if err != nil {
			return err
		}
		if err := in.Check(d.showCredential(c)); err != nil {
			return err
		}
		return tx.DeleteCredential(c.ID)
	})
}

func (s *service) rotateCredential(ctx context.Context, in credentialIn) (out rest.Tagged[NewCredential], err error) {
	secret := store.NewSecret()
	return out, s.update(ctx, func(d *desk, tx *store.Tx) error {
		c, err := d.yielding(in.ID)
		if err != nil {
			return err
		}
		if err := d.outlives(c); err != nil {
			return err
		}
		if err := tx.PutCredential(c, secret); err != nil {
			return err
		}
		out = rest.Tag(d.showNewCredential(c, secret))
		return nil
	})
}
