package store

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

// The cost of a password hash: 19 MiB and two passes, the least that OWASP's
// cheat sheet names for argon2id. It is paid once for each client and pair of
// name and password; then the pair is remembered for verifiedFor.
const (
	argonTime   = 2
	argonMemory = 19 << 10 // KiB
	argonLanes  = 1
	verifiedFor = 10 * time.Minute
	// MaxPassword is the longest password, in bytes.
	MaxPassword = 1024
)

type passwordHash struct {
	time, memory uint32
	lanes        uint8
	salt, sum    []byte
}

// HashPassword hashes with argon2id (RFC 9106), outside of a transaction, for
// SetPassword. ErrInvalid for an empty password or one over 1,024 bytes.
func HashPassword(password string) ([]byte, error) {
	if password == "" || len(password) > MaxPassword {
		return nil, fmt.Errorf("%w: a password has 1 to %d bytes", ErrInvalid, MaxPassword)
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	sum := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, 32)
	b64 := base64.RawStdEncoding
	return fmt.Appendf(nil, "$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", argonMemory, argonTime, argonLanes,
		b64.EncodeToString(salt), b64.EncodeToString(sum)), nil
}

// HashPassword is the function of that name, for requests: only a few hashes
// are computed at the same time, and others wait.
func (s *Store) HashPassword(ctx context.Context, password string) ([]byte, error) {
	if err := s.auth.hashing.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer s.auth.hashing.Release(1)
	return HashPassword(password)
}

func parseHash(hash []byte) (passwordHash, error) {
	var h passwordHash
	parts := strings.Split(string(hash), "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != "v=19" {
		return h, fmt.Errorf("%w: password hash", ErrInvalid)
	}
	_, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.lanes)
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	sum, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err := errors.Join(err, err1, err2); err != nil {
		return h, fmt.Errorf("%w: password hash: %w", ErrInvalid, err)
	}
	if h.memory > 1<<20 || h.time == 0 || h.time > 100 || h.lanes == 0 || len(sum) < 16 {
		return h, fmt.Errorf("%w: password hash", ErrInvalid)
	}
	h.salt, h.sum = salt, sum
	return h, nil
}

// VerifyPassword reports whether a password belongs to a hash. It is slow on
// purpose.
func VerifyPassword(hash []byte, password string) bool {
	h, err := parseHash(hash)
	if err != nil {
		return false
	}
	sum := argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.lanes, uint32(len(h.sum)))
	return subtle.ConstantTimeCompare(sum, h.sum) == 1
}

// authenticator remembers verified pairs and throttles failures.
type authenticator struct {
	key     [32]byte // keys the memory of verified pairs; made at start
	hashing *semaphore.Weighted
	flight  singleflight.Group
	burst   int
	decoy   func() []byte // a hash to verify against where there is no user

	mu       sync.Mutex
	verified map[[32]byte]verified
	failures map[string]*failing
}

type verified struct {
	principal PrincipalID
	hash      []byte // of the password then; another one ends it
	until     time.Time
}

type failing struct {
	limit *rate.Limiter
	last  time.Time
}

const (
	maxVerified = 10_000
	maxFailing  = 10_000
	// failEvery is how often one more failed sign-in is let through.
	failEvery = 3 * time.Second
	// tokenFactor is how many more failures of tokens are let through: their
	// secrets are random and cannot be guessed, the throttle only spares work.
	tokenFactor = 10
)

func (a *authenticator) init(burst int) {
	if burst <= 0 {
		burst = 100
	}
	_, _ = rand.Read(a.key[:])
	a.burst = burst
	a.hashing = semaphore.NewWeighted(2) // bounds memory: 19 MiB each
	a.decoy = sync.OnceValue(func() []byte {
		h, _ := HashPassword(NewSecret())
		return h
	})
	a.verified, a.failures = map[[32]byte]verified{}, map[string]*failing{}
}

func (a *authenticator) pair(name, password string) (k [32]byte) {
	m := hmac.New(sha256.New, a.key[:])
	m.Write([]byte(name))
	m.Write([]byte{0})
	m.Write([]byte(password))
	m.Sum(k[:0])
	return k
}

func (a *authenticator) recall(k [32]byte, now time.Time) (verified, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v, ok := a.verified[k]
	return v, ok && now.Before(v.until)
}

func (a *authenticator) remember(k [32]byte, v verified) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.verified) >= maxVerified {
		clear(a.verified)
	}
	a.verified[k] = v
}

// network gives what is throttled for an address: of IPv6 the /64 that a single
// customer has at the least, who could else take another address for each
// guess.
func network(from string) string {
	a, err := netip.ParseAddr(from)
	if err != nil {
		return from
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return from
	}
	return p.String()
}

// throttled reports whether an address has failed too often. A network, not an
// account, is what is slowed down, so nobody can lock another one out.
func (a *authenticator) throttled(from string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.failures[from]
	return f != nil && f.limit.TokensAt(now) < 1
}

func (a *authenticator) failed(from string, now time.Time, burst int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.failures) >= maxFailing {
		for k, f := range a.failures {
			if now.Sub(f.last) > time.Duration(f.limit.Burst())*failEvery {
				delete(a.failures, k)
			}
		}
		if len(a.failures) >= maxFailing {
			clear(a.failures)
		}
	}
	f := a.failures[from]
	if f == nil {
		f = &failing{limit: rate.NewLimiter(rate.Every(failEvery), burst)}
		a.failures[from] = f
	}
	f.last = now
	f.limit.AllowN(now, 1)
}

// Authenticate verifies a user name and a password, or an app password written
// ID.SECRET (Basic, RFC 7617). from is the client's address, for throttling. A
// verified pair is remembered for minutes, and forgotten when the password
// changes. ErrCredentials, ErrThrottled.
func (s *Store) Authenticate(ctx context.Context, name, password, from string) (*Actor, error) {
	actor, err := s.authenticate(ctx, name, password, from)
	s.countLogin("basic", err)
	return actor, err
}

func (s *Store) countLogin(kind string, err error) {
	result := "ok"
	switch {
	case errors.Is(err, ErrThrottled):
		result = "throttled"
	case errors.Is(err, ErrCredentials):
		result = "failed"
	case err != nil:
		result = "error"
	}
	s.metrics.logins.WithLabelValues(kind, result).Inc()
}

func (s *Store) authenticate(ctx context.Context, name, password, from string) (*Actor, error) {
	if name == "" || password == "" || len(name) > maxNameLength || len(password) > MaxPassword {
		return nil, ErrCredentials
	}
	now := s.now()
	k := s.auth.pair(name, password)
	if v, ok := s.auth.recall(k, now); ok {
		if a, err := s.recalled(ctx, name, v); err == nil {
			return a, nil
		}
	}
	// An app password is as random as a token, and like a right token never
	// refused for what its neighbours do.
	if a, err := s.app(ctx, name, password); err == nil || !errors.Is(err, ErrCredentials) {
		return a, err
	}
	return s.verify(ctx, k, name, password, network(from))
}

// recalled makes the actor of a remembered pair, if name and password are still
// the same.
func (s *Store) recalled(ctx context.Context, name string, v verified) (*Actor, error) {
	var a *Actor
	err := s.View(ctx, func(view *View) error {
		if !bytes.Equal(view.get(newKey(tablePasswords).principal(v.principal)), v.hash) {
			return ErrCredentials
		}
		p, err := view.principal(v.principal)
		if err != nil || p.Name != name {
			return ErrCredentials
		}
		a = &Actor{Principal: p, Org: p.Org, proof: v.hash}
		return nil
	})
	return a, err
}

// verify takes the long way. Many connections of one client that begin at the
// same time share one hash, and one failure.
func (s *Store) verify(ctx context.Context, k [32]byte, name, password, from string) (*Actor, error) {
	if s.auth.throttled(from, s.now()) {
		return nil, ErrThrottled
	}
	x, err, _ := s.auth.flight.Do(string(k[:]), func() (any, error) {
		ctx := context.WithoutCancel(ctx)
		id, hash, err := s.passwordOf(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := s.auth.hashing.Acquire(ctx, 1); err != nil {
			return nil, err
		}
		defer s.auth.hashing.Release(1)
		// Once more: of many guesses made at the same time those that waited
		// here are refused like those that come later.
		if s.auth.throttled(from, s.now()) {
			return nil, ErrThrottled
		}
		if !s.auth.matches(hash, password) {
			s.auth.failed(from, s.now(), s.auth.burst)
			return nil, ErrCredentials
		}
		v := verified{principal: id, hash: hash, until: s.now().Add(verifiedFor)}
		s.auth.remember(k, v)
		return v, nil
	})
	if err != nil {
		return nil, err
	}
	return s.recalled(ctx, name, x.(verified))
}

// passwordOf gives the hash of a user's password, nil if there is none.
func (s *Store) passwordOf(ctx context.Context, name string) (id PrincipalID, hash []byte, err error) {
	err = s.View(ctx, func(v *View) error {
		p, err := v.principalNamed(name)
		if err == nil {
			id, hash = p, bytes.Clone(v.get(newKey(tablePasswords).principal(p)))
		}
		if errors.Is(err, ErrNotFound) {
			return nil // an unknown name takes as long as a known one
		}
		return err
	})
	return id, hash, err
}

// matches compares a password with a hash; without one it takes as long.
func (a *authenticator) matches(hash []byte, password string) bool {
	if hash == nil {
		VerifyPassword(a.decoy(), password)
		return false
	}
	return VerifyPassword(hash, password)
}

// VerifyUser tells whether the password is the user's, for those who compare
// and sign nobody in: it counts as no sign-in and for no throttle, and app
// passwords are none of its business. It is slow on purpose. ErrCredentials.
func (s *Store) VerifyUser(ctx context.Context, name, password string) error {
	if name == "" || password == "" || len(name) > maxNameLength || len(password) > MaxPassword {
		return ErrCredentials
	}
	_, hash, err := s.passwordOf(ctx, name)
	if err != nil {
		return err
	}
	if err := s.auth.hashing.Acquire(ctx, 1); err != nil {
		return err
	}
	defer s.auth.hashing.Release(1)
	if !s.auth.matches(hash, password) {
		return ErrCredentials
	}
	return nil
}

// SecretIs tells whether a credential of any kind, expired or not, has this
// secret. Like VerifyUser it is for comparing. ErrNotFound.
func (v *View) SecretIs(id, secret string) (bool, error) {
	c, err := v.Credential(id)
	if err != nil {
		return false, err
	}
	if !c.Kind.sealed() {
		return secretIs(c.Hash, secret), nil
	}
	have, err := v.unseal(c)
	if errors.Is(err, ErrCredentials) {
		return false, nil // sealed with a key that is lost
	}
	return err == nil && subtle.ConstantTimeCompare([]byte(have), []byte(secret)) == 1, err
}

// app verifies an app password, ID.SECRET; it needs no slow hash.
func (s *Store) app(ctx context.Context, name, password string) (*Actor, error) {
	a, c, err := s.token(ctx, password, CredentialApp)
	if err != nil {
		return nil, err
	}
	if a.Principal == nil || a.Principal.Name != name {
		return nil, ErrCredentials
	}
	s.Used(c.ID)
	return a, nil
}

// AuthenticateToken verifies "ID.SECRET" of a bearer credential. from is the
// client's address. ErrCredentials, ErrThrottled.
func (s *Store) AuthenticateToken(ctx context.Context, token, from string) (*Actor, error) {
	a, c, err := s.token(ctx, token, CredentialBearer)
	if errors.Is(err, ErrCredentials) {
		now, from := s.now(), "token "+network(from)
		if s.auth.throttled(from, now) {
			err = ErrThrottled
		}
		s.auth.failed(from, now, tokenFactor*s.auth.burst)
	}
	s.countLogin("token", err)
	if err != nil {
		return nil, err
	}
	s.Used(c.ID)
	return a, nil
}

// AuthenticateSigned lets the holder of an Onlive credential in. verify is told
// the secret, outside of any transaction, and checks the signature with it; its
// error is given back. Failures are not throttled: a signature cannot be
// guessed, and one that is right is never to be refused. ErrCredentials when
// there is no such credential.
func (s *Store) AuthenticateSigned(ctx context.Context, id string, verify func(secret string) error) (*Actor, error) {
	a, err := s.signed(ctx, id, verify)
	s.countLogin("signature", err)
	if err != nil {
		return nil, err
	}
	s.Used(id)
	return a, nil
}

func (s *Store) signed(ctx context.Context, id string, verify func(secret string) error) (a *Actor, err error) {
	var secret string
	err = s.View(ctx, func(v *View) error {
		c, text, err := v.Secret(id)
		if errors.Is(err, ErrNotFound) {
			return ErrCredentials
		}
		if err != nil {
			return err
		}
		secret = text
		a, err = v.ActorOf(c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, verify(secret)
}

func (c *Credential) expired(now time.Time) bool { return !c.Expires.IsZero() && !c.Expires.After(now) }

// token finds and checks a credential of a kind by its text.
func (s *Store) token(ctx context.Context, token string, kind CredentialKind) (a *Actor, c *Credential, err error) {
	id, secret, ok := strings.Cut(token, ".")
	if !ok || !credentialID.MatchString(id) || len(secret) > MaxPassword {
		return nil, nil, ErrCredentials
	}
	err = s.View(ctx, func(v *View) error {
		c, err = v.Credential(id)
		if errors.Is(err, ErrNotFound) || err == nil && (c.Kind != kind || !secretIs(c.Hash, secret) || c.expired(s.now())) {
			return ErrCredentials
		}
		if err != nil {
			return err
		}
		a, err = v.ActorOf(c)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return a, c, nil
}

// ActorOf gives the actor that a verified credential makes.
func (v *View) ActorOf(c *Credential) (*Actor, error) {
	a := &Actor{Org: c.Org, Credential: c.ID, Grants: c.Grants, limited: len(c.Grants) > 0, proof: c.Hash}
	if c.Principal != 0 {
		p, err := v.principal(c.Principal)
		if err != nil {
			return nil, ErrCredentials
		}
		a.Principal = p
	}
	return a, nil
}

// Renew gives the actor as it is now, and when what it signed in with expires
// (the zero time: never), for those who serve somebody for long.
// ErrCredentials when it would not be let in any more.
func (v *View) Renew(a *Actor) (now *Actor, expires time.Time, err error) {
	switch {
	case a == nil:
		return nil, expires, ErrCredentials
	case a.system:
		return a, expires, nil
	case a.Credential == "":
		now, err = v.renewPassword(a)
		return now, expires, err
	}
	c, err := v.Credential(a.Credential)
	if errors.Is(err, ErrNotFound) || err == nil && (c.expired(v.s.now()) || !bytes.Equal(c.Hash, a.proof)) {
		err = ErrCredentials
	}
	if err != nil {
		return nil, expires, err
	}
	now, err = v.ActorOf(c)
	return now, c.Expires, err
}

func (v *View) renewPassword(a *Actor) (*Actor, error) {
	if a.Principal == nil {
		return nil, ErrCredentials
	}
	hash := v.get(newKey(tablePasswords).principal(a.Principal.ID))
	p, err := v.principal(a.Principal.ID)
	if err != nil || hash == nil || !bytes.Equal(hash, a.proof) {
		return nil, ErrCredentials
	}
	return &Actor{Principal: p, Org: p.Org, proof: a.proof}, nil
}
