package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"
)

// Secrets that must be read back (an HMAC needs them) are sealed with a key
// that is kept beside the database, not in it: a copy of the database alone
// gives nothing away.

// KeyFile is the name of the daemon's key, in the database's folder.
const KeyFile = "daybook.key"

var keyFileMu sync.Mutex

// sealingKey reads the key, and makes it when it is first needed.
func (s *Store) sealingKey(create bool) ([]byte, error) {
	keyFileMu.Lock()
	defer keyFileMu.Unlock()
	path := filepath.Join(filepath.Dir(s.opt.Path), KeyFile)
	k, err := os.ReadFile(path)
	switch {
	case err == nil && len(k) == chacha20poly1305.KeySize:
		return k, nil
	case err == nil:
		return nil, fmt.Errorf("%w: %s has %d bytes instead of %d", ErrInvalid, KeyFile, len(k), chacha20poly1305.KeySize)
	case !errors.Is(err, fs.ErrNotExist) || !create:
		return nil, err
	}
	k = make([]byte, chacha20poly1305.KeySize)
	_, _ = rand.Read(k)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(k)
	return k, errors.Join(err, f.Sync(), f.Close())
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

// Secret gives the secret of an Onlive credential, for checking a signature.
// ErrNotFound, ErrCredentials when it has expired or cannot be read.
func (v *View) Secret(id string) (*Credential, string, error) {
	c, err := v.Credential(id)
	if err != nil {
		return nil, "", err
	}
	if c.Kind != CredentialOnlive || c.expired(v.s.now()) {
		return nil, "", fmt.Errorf("credential %q: %w", id, ErrCredentials)
	}
	k, err := v.s.sealingKey(false)
	if err != nil {
		return nil, "", fmt.Errorf("credential %q: %w: %w", id, ErrCredentials, err)
	}
	aead, err := chacha20poly1305.NewX(k)
	if err != nil {
		return nil, "", err
	}
	if len(c.Hash) < aead.NonceSize() {
		return nil, "", fmt.Errorf("credential %q: %w", id, ErrCredentials)
	}
	secret, err := aead.Open(nil, c.Hash[:aead.NonceSize()], c.Hash[aead.NonceSize():], []byte(id))
	if err != nil {
		return nil, "", fmt.Errorf("credential %q: %w: sealed with another key", id, ErrCredentials)
	}
	return c, string(secret), nil
}
