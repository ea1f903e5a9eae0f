package admin

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/google/uuid"

	"daybook/api/hours/kept"
	"daybook/store"
)

// maxSpec bounds the file of apply.
const maxSpec = 16 << 20

// Applied sums an apply up: records that were created, changed, and that were
// already so.
type Applied struct {
	Created   int `json:"created"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
}

// AppliedItem is one record that apply created or changed.
type AppliedItem struct {
	Kind    string `json:"kind"` // organisation, user, resource, group, service, token, feed
	Name    string `json:"name"`
	Outcome string `json:"outcome"` // created or changed
}

// apply makes the store look like the file, in one transaction. What the file
// does not mention is left alone.
func apply(ctx context.Context, s *Service, _ None, st *Stream) (Applied, error) {
	data, err := st.read(maxSpec)
	if err != nil {
		return Applied{}, err
	}
	sp, err := parseSpec(data)
	if err != nil {
		return Applied{}, err
	}
	secrets, err := s.compareSecrets(ctx, sp)
	if err != nil {
		return Applied{}, err
	}
	var a *applier
	err = s.Store.Update(ctx, func(tx *store.Tx) error {
		a = &applier{s: s, tx: tx, secrets: secrets}
		for i := range sp.Organisations {
			a.organisation(&sp.Organisations[i])
		}
		if len(a.faults) > 0 {
			return a.faults.sorted()
		}
		return a.broken
	})
	if err != nil {
		return Applied{}, err
	}
	for _, it := range a.items {
		if err := st.item(it); err != nil {
			return a.sum, err
		}
	}
	return a.sum, nil
}

// secrets says which passwords and tokens of a file are new. It is found
// before the transaction, which should not wait for slow hashes.
type secrets struct {
	hashes map[string][]byte // user → hash of the password to set
	tokens map[string]bool   // id → the secret is already so
}

func (s *Service) compareSecrets(ctx context.Context, sp *spec) (secrets, error) {
	out := secrets{hashes: map[string][]byte{}, tokens: map[string]bool{}}
	users, tokens, err := s.known(ctx, sp)
	if err != nil {
		return out, err
	}
	for _, o := range sp.Organisations {
		for _, u := range o.Users {
			if u.Password == nil {
				continue
			}
			if err := ctx.Err(); err != nil {
				return out, err
			}
			if users[u.Name] {
				switch err := s.Store.VerifyUser(ctx, u.Name, *u.Password); {
				case err == nil:
					continue
				case !errors.Is(err, store.ErrCredentials):
					return out, err
				}
			}
			hash, err := store.HashPassword(*u.Password)
			if err != nil {
				return out, fmt.Errorf("line %d: password of %q: %w", u.Line, u.Name, err)
			}
			out.hashes[u.Name] = hash
		}
		for _, t := range o.Tokens {
			out.tokens[t.ID] = tokens[t.ID] && s.sameSecret(ctx, t)
		}
	}
	return out, nil
}

// known tells which users and tokens of the file exist, so that no secret is
// tried in vain.
func (s *Service) known(ctx context.Context, sp *spec) (users, tokens map[string]bool, err error) {
	users, tokens = map[string]bool{}, map[string]bool{}
	err = s.Store.View(ctx, func(v *store.View) error {
		for _, o := range sp.Organisations {
			for _, u := range o.Users {
				_, err := v.PrincipalByName(u.Name)
				users[u.Name] = err == nil
			}
			for _, t := range o.Tokens {
				_, err := v.Credential(t.ID)
				tokens[t.ID] = err == nil
			}
		}
		return nil
	})
	return users, tokens, err
}

// sameSecret tells whether a token's secret is as the file says.
func (s *Service) sameSecret(ctx context.Context, t tokenSpec) bool {
	same := false
	err := s.Store.View(ctx, func(v *store.View) (err error) {
		same, err = v.SecretIs(t.ID, t.Secret)
		return err
	})
	return err == nil && same
}

// applier does the file in one transaction. It goes on after a fault, so that
// all are told, and the transaction is then given up.
type applier struct {
	s       *Service
	tx      *store.Tx
	secrets secrets
	org     *store.Principal
	faults  Faults
	broken  error // of the store, not of the file
	sum     Applied
	items   []AppliedItem
}

func (a *applier) done(kind, name, outcome string) {
	switch outcome {
	case Created:
		a.sum.Created++
	case "changed":
		a.sum.Changed++
	default:
		a.sum.Unchanged++
		return
	}
	a.items = append(a.items, AppliedItem{kind, name, outcome})
}

// failed sorts an error: of the file, or of the store itself.
func (a *applier) failed(line int, what, name string, err error) {
	if errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrClosed) {
		a.broken = err
		return
	}
	a.faults.add(line, "%s %q: %v", what, name, err)
}

func (a *applier) organisation(o *organisationSpec) {
	want := &store.Principal{Kind: store.KindOrganisation, Name: o.Slug, UUID: id(o.ID), Zone: text(o.Zone), DisplayName: text(o.Name)}
	if want.Zone == "" {
		want.Zone = "UTC"
	}
	p, outcome, err := a.principal(want, func(p *store.Principal) {
		set(&p.DisplayName, o.Name)
		set(&p.Zone, o.Zone)
	})
	if err != nil {
		a.failed(o.Line, "organisation", o.Slug, err)
		return
	}
	a.done("organisation", o.Slug, outcome)
	a.org = p
	for i := range o.Resources {
		a.resource(&o.Resources[i])
	}
	a.users(o.Users)
	for i := range o.Groups {
		a.group(&o.Groups[i])
	}
	for i := range o.Services {
		a.service(&o.Services[i])
	}
	for i := range o.Tokens {
		a.token(&o.Tokens[i])
	}
	for i := range o.Feeds {
		a.feed(&o.Feeds[i])
	}
	for i := range o.Remotes {
		a.remote(&o.Remotes[i])
	}
}

// principal creates or changes one, and tells which.
func (a *applier) principal(want *store.Principal, change func(*store.Principal)) (*store.Principal, string, error) {
	have, err := a.tx.PrincipalByName(want.Name)
	if errors.Is(err, store.ErrNotFound) {
		change(want)
		return want, Created, a.tx.CreatePrincipal(want)
	}
	switch {
	case err != nil:
		return nil, "", err
	case have.Kind != want.Kind:
		return nil, "", fmt.Errorf("there is a %s of this name, and a kind cannot be changed", have.Kind)
	case want.Org != 0 && have.Org != want.Org:
		return nil, "", errors.New("there is one of this name in another organisation; names are unique in the whole daemon")
	case want.UUID != uuid.Nil && have.UUID != want.UUID:
		return nil, "", fmt.Errorf("it has the id %s, and an id cannot be changed", have.UUID)
	case want.Alias != 0 && have.Alias != want.Alias:
		return nil, "", fmt.Errorf("it has the alias %d, and an alias cannot be changed", have.Alias)
	}
	old := *have
	change(have)
	if have.DisplayName == old.DisplayName && have.Email == old.Email && have.Color == old.Color && have.Zone == old.Zone &&
		slices.Equal(have.Members, old.Members) {
		return have, Unchanged, nil
	}
	have.Modified = a.s.now()
	err = a.tx.UpdatePrincipal(have)
	if err == nil && have.Kind == store.KindOrganisation {
		err = kept.Rezone(a.tx, a.s.Store, store.System(), have.ID, a.tx.Zone(&old), a.tx.Zone(have))
	}
	return have, "changed", err
}

func set(field, value *string) {
	if value != nil {
		*field = *value
	}
}

func (a *applier) resource(r *resourceSpec) {
	kind, _ := store.ParseKind(r.Kind)
	want := &store.Principal{Kind: kind, Org: a.org.ID, Name: r.Name, UUID: id(r.ID), Alias: aliasOf(r.Alias)}
	_, outcome, err := a.principal(want, func(p *store.Principal) {
		set(&p.DisplayName, r.DisplayName)
		set(&p.Email, r.Email)
		set(&p.Color, r.Color)
		set(&p.Zone, r.Zone)
	})
	if err != nil {
		a.failed(r.Line, "resource", r.Name, err)
		return
	}
	a.done("resource", r.Name, outcome)
}

// users applies all users before the grants of any: these may name a user that
// comes later.
func (a *applier) users(all []userSpec) {
	type made struct {
		p       *store.Principal
		outcome string
		err     error
	}
	done := make([]made, len(all))
	for i := range all {
		p, outcome, err := a.user(&all[i])
		done[i] = made{p, outcome, err}
	}
	for i, m := range done {
		u := &all[i]
		if m.err == nil && u.Grants != nil {
			var changed bool
			if changed, m.err = a.grants(m.p, *u.Grants); changed {
				m.outcome = orChanged(m.outcome)
			}
		}
		if m.err != nil {
			a.failed(u.Line, "user", u.Name, m.err)
			continue
		}
		a.done("user", u.Name, m.outcome)
	}
}

func (a *applier) user(u *userSpec) (*store.Principal, string, error) {
	want := &store.Principal{Kind: store.KindUser, Org: a.org.ID, Name: u.Name, UUID: id(u.ID)}
	p, outcome, err := a.principal(want, func(p *store.Principal) {
		set(&p.DisplayName, u.DisplayName)
		set(&p.Email, u.Email)
		set(&p.Color, u.Color)
		set(&p.Zone, u.Zone)
	})
	if err == nil {
		if hash := a.secrets.hashes[u.Name]; hash != nil {
			err = a.tx.SetPassword(p.ID, hash)
			outcome = orChanged(outcome)
		}
	}
	return p, outcome, err
}

func orChanged(outcome string) string {
	if outcome == Created {
		return Created
	}
	return "changed"
}

// grants makes the file's list all that the user may do with the organisation
// and its resources. What other users share of theirs is changed where the file
// names it, and else left alone.
func (a *applier) grants(p *store.Principal, words []string) (changed bool, err error) {
	want, err := tokenGrants(&a.tx.View, a.org.ID, words)
	if err != nil {
		return false, err
	}
	have, err := a.tx.GrantsOf(p.ID)
	if err != nil {
		return false, err
	}
	for _, h := range have {
		target, err := a.tx.Principal(h.Target)
		if err != nil {
			return false, err
		}
		if target.Kind != store.KindUser && !slices.ContainsFunc(want, func(g store.Grant) bool { return g.Target == h.Target }) {
			want = append(want, store.Grant{Target: h.Target})
		}
	}
	for _, g := range want {
		var now store.Rights
		for _, h := range have {
			if h.Target == g.Target && h.Collection == g.Collection {
				now = h.Rights
			}
		}
		if now.Full() == g.Rights.Full() {
			continue
		}
		changed = true
		if err := putGrant(a.tx, p.ID, g); err != nil {
			return changed, err
		}
	}
	return changed, nil
}

func (a *applier) token(t *tokenSpec) {
	outcome, err := a.putToken(t)
	if err != nil {
		a.failed(t.Line, "token", t.ID, err)
		return
	}
	a.done("token", t.ID, outcome)
}

func (a *applier) putToken(t *tokenSpec) (string, error) {
	want := &store.Credential{ID: t.ID, Kind: store.CredentialKind(t.Kind), Org: a.org.ID, Label: text(t.Label), Created: a.s.now()}
	want.Expires, _ = parseInstant(t.Expires) // checked before
	if a.expired(want.Expires) {
		return Unchanged, nil
	}
	if t.User != nil {
		p, err := findKind(&a.tx.View, *t.User, "user", func(k store.Kind) bool { return k == store.KindUser })
		if err != nil {
			return "", err
		}
		want.Principal = p.ID
	}
	var err error
	if want.Grants, err = tokenGrants(&a.tx.View, a.org.ID, t.Grants); err != nil {
		return "", err
	}
	have, err := a.tx.Credential(t.ID)
	if errors.Is(err, store.ErrNotFound) {
		return Created, a.tx.PutCredential(want, t.Secret)
	}
	if err != nil {
		return "", err
	}
	if have.Org != want.Org {
		return "", errors.New("there is one of this id in another organisation")
	}
	same := have.Kind == want.Kind && have.Principal == want.Principal && have.Label == want.Label &&
		have.Expires.Equal(want.Expires) && sameGrants(have.Grants, want.Grants)
	if same && a.secrets.tokens[t.ID] {
		return Unchanged, nil
	}
	return "changed", a.tx.PutCredential(want, t.Secret)
}

// expired tells what is not stored any more: the job prune would remove it,
// and the next apply would bring it back.
func (a *applier) expired(t time.Time) bool { return !t.IsZero() && !t.After(a.s.now()) }

func sameGrants(a, b []store.Grant) bool {
	full := func(in []store.Grant) map[store.Grant]store.Rights { // target → rights
		m := make(map[store.Grant]store.Rights, len(in))
		for _, g := range in {
			r := g.Rights.Full()
			g.Rights = 0
			m[g] |= r
		}
		return m
	}
	x, y := full(a), full(b)
	if len(x) != len(y) {
		return false
	}
	for t, r := range x {
		if y[t] != r {
			return false
		}
	}
	return true
}

func (a *applier) feed(d *feedSpec) {
	outcome, err := a.putFeed(d)
	if err != nil {
		a.failed(d.Line, "feed", d.Name, err)
		return
	}
	a.done("feed", d.Name, outcome)
}

func (a *applier) putFeed(d *feedSpec) (string, error) {
	want, _, err := d.shape().record(&a.tx.View)
	if err != nil {
		return "", err
	}
	if want.Org != a.org.ID {
		return "", errors.New("what it shows is of another organisation")
	}
	want.Name, want.Created = d.Name, a.s.now()
	want.Refresh, _ = parseRefresh(d.Refresh) // checked before
	want.Expires, _ = parseInstant(d.Expires)
	if a.expired(want.Expires) {
		return Unchanged, nil
	}
	have, err := a.tx.FeedBySecret(d.Secret)
	if errors.Is(err, store.ErrNotFound) {
		return Created, a.tx.PutFeed(want, d.Secret)
	}
	if err != nil {
		return "", err
	}
	if have.Org != want.Org {
		return "", fmt.Errorf("feed: %w", store.ErrExists)
	}
	if sameFeed(have, want) {
		return Unchanged, nil
	}
	want.ID = have.ID // its secret may be another by now
	return "changed", a.tx.UpdateFeed(want)
}

// sameFeed compares what a file can say.
func sameFeed(have, want *store.Feed) bool {
	x, y := *have, *want
	for _, f := range []*store.Feed{&x, &y} {
		f.ID, f.Key, f.Created, f.Modified, f.LastUsed, f.Rotated = "", nil, time.Time{}, time.Time{}, time.Time{}, time.Time{}
		f.Expires = f.Expires.UTC()
		if len(f.More) == 0 {
			f.More = nil
		}
		if len(f.Components) == 0 {
			f.Components = nil
		}
	}
	return reflect.DeepEqual(x, y)
}
