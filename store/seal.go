package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/crypto/chacha20poly1305"

	"daybook/store/engine"
)

// Secrets that must be read back (an HMAC needs them) are sealed with a key
// that is kept beside the database, not in it: a copy of the database alone
// gives nothing away.

// KeyFile is the name of the daemon's key, in the database's folder.
const KeyFile = "daybook.key"

// sealing keeps the key once it was read.
type sealing struct {
	mu  sync.Mutex
	key []byte
}

// sealingKey reads the key, and makes it when it is first needed.
func (s *Store) sealingKey(create bool) ([]byte, error) {
	s.sealing.mu.Lock()
	defer s.sealing.mu.Unlock()
	if s.sealing.key != nil {
		return s.sealing.key, nil
	}
	path := filepath.Join(filepath.Dir(s.opt.Path), KeyFile)
	k, err := os.ReadFile(path)
	switch {
	case err == nil && len(k) != chacha20poly1305.KeySize:
		return nil, fmt.Errorf("%w: %s has %d bytes instead of %d", ErrInvalid, KeyFile, len(k), chacha20poly1305.KeySize)
	case errors.Is(err, fs.ErrNotExist) && create:
		k = make([]byte, chacha20poly1305.KeySize)
		_, _ = rand.Read(k)
		err = writeKey(path, k)
	}
	if err != nil {
		return nil, err
	}
	s.sealing.key = k
	return k, nil
}

// writeKey makes the file appear whole or not at all, and to stay: what is
// sealed with the key is worth nothing without it.
func writeKey(path string, k []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), KeyFile+".*") // mode 0600
	if err != nil {
		return asFull(err)
	}
	defer func() { err = asFull(errors.Join(err, os.Remove(f.Name()))) }()
	_, err = f.Write(k)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return engine.SyncFolder(filepath.Dir(path))
}

func asFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

func (v *View) seal(id, secret string) ([]byte, error) {
	k, err := v.s.sealingKey(true)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(k)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(secret)+aead.Overhead())
	_, _ = rand.Read(nonce)
	return aead.Seal(nonce, nonce, []byte(secret), []byte(id)), nil
}

// CredentialTimeTap is a key with a private key: it is exchanged for a session
// token by a signature, so its secret is sealed, not hashed.
const CredentialTimeTap CredentialKind = "timetap"

// sealed reports whether the secrets of the kind can be read back.
func (k CredentialKind) sealed() bool { return k == CredentialOnlive || k == CredentialTimeTap }

// Secret gives the secret of an Onlive credential, for checking a signature.
// ErrNotFound, ErrCredentials when it has expired or cannot be read.
func (v *View) Secret(id string) (*Credential, string, error) {
	return v.SecretOf(id, CredentialOnlive)
}

// SecretOf is Secret for a credential of the kind, which is one whose secrets
// are sealed. For one of another kind it gives ErrCredentials.
func (v *View) SecretOf(id string, kind CredentialKind) (*Credential, string, error) {
	c, err := v.Credential(id)
	if err != nil {
		return nil, "", err
	}
	if c.Kind != kind || !kind.sealed() || c.expired(v.s.now()) {
		return nil, "", fmt.Errorf("credential %q: %w", id, ErrCredentials)
	}
	secret, err := v.unseal(c)
	return c, secret, err
}

// unseal opens the secret of an Onlive credential.
func (v *View) unseal(c *Credential) (string, error) {
	secret, err := v.open(c.ID, c.Hash)
	if err != nil {
		return "", fmt.Errorf("credential %q: %w", c.ID, err)
	}
	return secret, nil
}

// open gives what was sealed for the id. ErrCredentials.
func (v *View) open(id string, sealed []byte) (string, error) {
	k, err := v.s.sealingKey(false)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrCredentials, err)
	}
	aead, err := chacha20poly1305.NewX(k)
	if err != nil {
		return "", err
	}
	if len(sealed) < aead.NonceSize() {
		return "", ErrCredentials
	}
	secret, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(id))
	if err != nil {
		return "", fmt.Errorf("%w: sealed with another key", ErrCredentials)
	}
	return string(secret), nil
}
