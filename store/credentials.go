package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"
)

// NewSecret gives 192 random bits as 32 URL-safe characters.
func NewSecret() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hashSecret is for random secrets, which need no slow hash.
func hashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte("daybook secret\x00" + secret))
	return sum[:]
}

// SetPassword sets a user's password hash, made by HashPassword; nil removes
// it. ErrNotFound, ErrInvalid for other kinds of principals.
func (tx *Tx) SetPassword(user PrincipalID, hash []byte) error {
	p, err := tx.Principal(user)
	if err != nil {
		return err
	}
	if p.Kind != KindUser {
		return fmt.Errorf("%w: a %s has no password", ErrInvalid, p.Kind)
	}
	k := newKey(tablePasswords).principal(user)
	old := tx.get(k)
	if hash == nil {
		if old != nil {
			tx.notePassword(OpDeleted, p)
		}
		tx.del(k)
		return nil
	}
	if _, err := parseHash(hash); err != nil {
		return err
	}
	if !bytes.Equal(old, hash) {
		tx.notePassword(createdUnless(old != nil), p)
	}
	tx.put(k, hash)
	return nil
}

var credentialID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func credentialKey(id string) key { return newKey(tableCredentials).text(id) }

// minSecret is the shortest secret of a token, in bytes.
const minSecret = 12

// Bounds of a credential: its grants, and the bytes of its label.
const (
	maxGrants = 1000
	maxLabel  = 1000
)

// PutCredential stores a credential (kinds app and bearer) with its secret, in
// place of one with the same ID in the same organisation. ErrInvalid for a bad
// ID or a short secret, ErrExists for an ID of another organisation.
func (tx *Tx) PutCredential(c *Credential, secret string) error {
	switch {
	case !credentialID.MatchString(c.ID):
		return fmt.Errorf("%w: a credential's id has 1 to 64 letters, digits, - and _", ErrInvalid)
	case len(secret) < minSecret || len(secret) > 1024:
		return fmt.Errorf("%w: a secret has %d to 1,024 bytes", ErrInvalid, minSecret)
	case c.Kind != CredentialApp && c.Kind != CredentialBearer && !c.Kind.sealed():
		return fmt.Errorf("%w: %q is no kind of credential", ErrInvalid, c.Kind)
	case c.Kind == CredentialApp && c.Principal == 0:
		return fmt.Errorf("%w: an app password belongs to a user", ErrInvalid)
	}
	switch {
	case len(c.Grants) > maxGrants:
		return badField("grants", "a credential has at most %d grants", maxGrants)
	case len(c.Label) > maxLabel:
		return badField("label", "a credential's label has at most %d bytes", maxLabel)
	}
	if p := c.Principal; p != 0 {
		owner, err := tx.Principal(p)
		if err != nil || owner.Org != c.Org {
			return fmt.Errorf("principal %d: %w", p, ErrNotFound)
		}
		if c.Kind == CredentialApp && owner.Kind != KindUser {
			return fmt.Errorf("%w: an app password belongs to a user", ErrInvalid)
		}
	}
	for _, g := range c.Grants {
		if err := tx.checkGrant(c.Org, g); err != nil {
			return err
		}
	}
	old, err := tx.Credential(c.ID)
	if err == nil && old.Org != c.Org {
		return fmt.Errorf("credential %q: %w", c.ID, ErrExists)
	} else if err == nil {
		c.Created, c.LastUsed = old.Created, old.LastUsed
	}
	exists := err == nil
	if c.Created.IsZero() {
		c.Created = tx.now
	}
	same := exists && tx.sameCredential(old, c, secret)
	if c.Kind.sealed() {
		sealed, err := tx.seal(c.ID, secret)
		if err != nil {
			return err
		}
		c.Hash = sealed
	} else {
		c.Hash = hashSecret(secret)
	}
	if !same {
		tx.noteCredential(createdUnless(exists), c)
	}
	tx.put(credentialKey(c.ID), encodeRecord(c))
	return nil
}

// sameCredential reports whether a credential with this secret is the old one.
func (v *View) sameCredential(old, c *Credential, secret string) bool {
	d := *c
	d.Hash = old.Hash
	is, err := v.SecretIs(c.ID, secret)
	return err == nil && is && bytes.Equal(encodeRecord(&d), encodeRecord(old))
}

// UpdateCredential changes the label and expiry of a credential. ErrNotFound,
// ErrInvalid.
func (tx *Tx) UpdateCredential(c *Credential) error {
	old, err := tx.Credential(c.ID)
	if err != nil {
		return err
	}
	if len(c.Label) > maxLabel {
		return badField("label", "a credential's label has at most %d bytes", maxLabel)
	}
	if old.Label != c.Label || !old.Expires.Equal(c.Expires) {
		tx.noteCredential(OpChanged, old)
	}
	old.Label, old.Expires = c.Label, c.Expires
	tx.put(credentialKey(c.ID), encodeRecord(old))
	return nil
}

// DeleteCredential revokes a credential at once. ErrNotFound.
func (tx *Tx) DeleteCredential(id string) error {
	b := tx.get(credentialKey(id))
	if b == nil {
		return fmt.Errorf("credential %q: %w", id, ErrNotFound)
	}
	c := &Credential{ID: id}
	if err := decodeRecord(b, c); err == nil { // one that cannot be read is revoked all the same
		tx.noteCredential(OpDeleted, c)
	}
	tx.del(credentialKey(id))
	return nil
}

// Credential gives one by its ID; ErrNotFound. Hash is of use to the store only.
func (v *View) Credential(id string) (*Credential, error) {
	if !credentialID.MatchString(id) {
		return nil, fmt.Errorf("credential: %w", ErrNotFound)
	}
	b := v.get(credentialKey(id))
	if b == nil {
		return nil, fmt.Errorf("credential %q: %w", id, ErrNotFound)
	}
	c := &Credential{}
	return c, decodeRecord(b, c)
}

// Credentials gives those of an organisation (0: all), by ID.
func (v *View) Credentials(org PrincipalID) ([]*Credential, error) {
	var out []*Credential
	var err error
	from := newKey(tableCredentials)
	v.r.Scan(from, from.after(), func(_, b []byte) bool {
		c := &Credential{}
		if err = decodeRecord(b, c); err != nil {
			return false
		}
		if org == 0 || c.Org == org {
			out = append(out, c)
		}
		return true
	})
	return out, err
}

// dropCredentials removes what belongs to a principal, and grants that name it.
func (tx *Tx) dropCredentials(p *Principal) error {
	tx.del(newKey(tablePasswords).principal(p.ID))
	return tx.dropCredentialGrants(p.Org, func(g Grant) bool { return g.Target == p.ID },
		func(c *Credential) bool { return c.Principal == p.ID || c.Org == p.ID })
}

// dropCredentialGrants takes grants out of an organisation's credentials, and
// removes credentials: those that are left without any grant, which would limit
// nothing any more, and those that whole (nil: none) names.
func (tx *Tx) dropCredentialGrants(org PrincipalID, grant func(Grant) bool, whole func(*Credential) bool) error {
	all, err := tx.Credentials(org)
	if err != nil {
		return err
	}
	for _, c := range all {
		kept := slices.DeleteFunc(slices.Clone(c.Grants), grant)
		switch {
		case whole != nil && whole(c), len(c.Grants) > 0 && len(kept) == 0:
			tx.noteCredential(OpDeleted, c)
			tx.del(credentialKey(c.ID))
		case len(kept) < len(c.Grants):
			tx.noteCredential(OpChanged, c)
			c.Grants = kept
			tx.put(credentialKey(c.ID), encodeRecord(c))
		}
	}
	return nil
}

// --- last use ---

// usage notes when credentials were last used, to the hour, so that
// an operator can see which are dead. It writes behind, and never blocks.
type usage struct {
	mu      sync.Mutex
	noted   map[string]time.Time // id → hour that is stored or on its way
	pending chan string
	done    chan struct{}
}

// maxNoted bounds the memory of what was noted.
const maxNoted = 10_000

func (u *usage) start(s *Store) {
	pending := make(chan string, 64)
	u.noted, u.pending, u.done = map[string]time.Time{}, pending, make(chan struct{})
	go func() {
		defer close(u.done)
		for id := range pending {
			if err := s.noteUse(id); err != nil {
				s.log.Debug("last use not noted", "err", err)
			}
		}
	}()
}

func (u *usage) stop() {
	u.mu.Lock()
	pending := u.pending
	u.pending = nil
	u.mu.Unlock()
	if pending != nil {
		close(pending)
		<-u.done
	}
}

// Used notes that a credential was used. It writes at most once an hour for
// each, in the background.
func (s *Store) Used(id string) {
	hour := s.now().UTC().Truncate(time.Hour)
	u := &s.used
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pending == nil || id == "" || s.opt.ReadOnly || u.noted[id].Equal(hour) {
		return
	}
	if len(u.noted) >= maxNoted {
		clear(u.noted)
	}
	select {
	case u.pending <- id:
		u.noted[id] = hour
	default: // busy: the next use will do
	}
}

func (s *Store) noteUse(id string) error {
	return s.Update(context.Background(), func(tx *Tx) error {
		hour := tx.now.Truncate(time.Hour)
		c, err := tx.Credential(id)
		if err != nil || c.LastUsed.Equal(hour) {
			return nil //nolint:nilerr // revoked in the meantime
		}
		c.LastUsed = hour
		tx.put(credentialKey(id), encodeRecord(c))
		return nil
	})
}

// secretIs compares a secret with its hash in constant time.
func secretIs(hash []byte, secret string) bool {
	return subtle.ConstantTimeCompare(hash, hashSecret(secret)) == 1
}
