package timetap

import (
	"context"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the signature that TimeTap's clients send
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"daybook/api/auth"
	"daybook/api/rest"
	"daybook/store"
)

const (
	sessionPath = "/sessionToken"
	// sessionPrefix begins a session token: PREFIX KEY:EXPIRY:MAC. The key is
	// that of a credential, the expiry in seconds since 1970, and the MAC is over
	// both, keyed by the private key. So a session needs no record, and ends with
	// its credential or a change of the private key.
	sessionPrefix = "st:api:"
	sessionLife   = 12 * time.Hour
)

// signIn lets in by "Authorization: Bearer ID.SECRET", and by a session token,
// with or without the word Bearer. The sign-in itself is open to all.
func (s *service) signIn(r *http.Request) (context.Context, error) {
	if r.URL.Path == sessionPath {
		return r.Context(), nil
	}
	if token, ok := sessionOf(r.Header); ok {
		a, err := s.resume(r.Context(), token)
		if err != nil {
			return nil, err
		}
		return auth.With(r.Context(), a), nil
	}
	return auth.Bearer(s.store)(r)
}

// sessionOf finds a session token.
func sessionOf(h http.Header) (string, bool) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	v := strings.TrimSpace(values[0])
	if word, token, ok := strings.Cut(v, " "); ok && strings.EqualFold(word, "Bearer") {
		v = strings.TrimLeft(token, " ")
	}
	return strings.CutPrefix(v, sessionPrefix)
}

type sessionIn struct {
	Key       string            `query:"apiKey"`
	Timestamp rest.Opt[float64] `query:"timestamp" doc:"Seconds since 1970; clients send fractions too."`
	Signature string            `query:"signature"`
}

// Validate checks that all three are there.
func (in *sessionIn) Validate(f *rest.Faults) {
	if in.Key == "" {
		f.Add("apiKey", "is required")
	}
	if !in.Timestamp.Present() && !f.Has("timestamp") {
		f.Add("timestamp", "is required")
	}
	if in.Signature == "" {
		f.Add("signature", "is required")
	}
}

type sessionOut struct {
	Token string `json:"sessionToken"`
}

// session exchanges a key and a signature for a session token. The timestamp is
// not part of what is signed, so its value proves nothing and is not judged.
func (s *service) session(ctx context.Context, in sessionIn) (sessionOut, error) {
	var out sessionOut
	err := s.store.View(ctx, func(v *store.View) error {
		_, secret, err := v.SecretOf(in.Key, store.CredentialTimeTap)
		if err != nil {
			return notAccepted(err)
		}
		want := md5.Sum([]byte(in.Key + secret)) //nolint:gosec // see above
		got, err := hex.DecodeString(in.Signature)
		if err != nil || subtle.ConstantTimeCompare(got, want[:]) != 1 {
			return notAccepted(store.ErrCredentials)
		}
		until := strconv.FormatInt(s.now().Add(sessionLife).Unix(), 10)
		out.Token = sessionPrefix + in.Key + ":" + until + ":" + sessionMAC(in.Key, until, secret)
		return nil
	})
	if err == nil {
		s.store.Used(in.Key)
	}
	return out, err
}

// resume gives the actor of a session token, which comes without its prefix.
func (s *service) resume(ctx context.Context, token string) (*store.Actor, error) {
	parts := strings.Split(token, ":")
	if len(parts) != 3 {
		return nil, notAccepted(store.ErrCredentials)
	}
	key, until, mac := parts[0], parts[1], parts[2]
	var a *store.Actor
	err := s.store.View(ctx, func(v *store.View) error {
		c, secret, err := v.SecretOf(key, store.CredentialTimeTap)
		if err != nil {
			return err
		}
		end, err := strconv.ParseInt(until, 10, 64)
		if err != nil || !hmac.Equal([]byte(mac), []byte(sessionMAC(key, until, secret))) || s.now().Unix() >= end {
			return store.ErrCredentials
		}
		a, err = v.ActorOf(c)
		return err
	})
	if err != nil {
		return nil, notAccepted(err)
	}
	return a, nil
}

func sessionMAC(key, until, secret string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("daybook timetap session\x00" + key + "\x00" + until))
	return hex.EncodeToString(m.Sum(nil))
}

// notAccepted is the 401 for whatever is wrong with a key or token; other
// errors stay what they are.
func notAccepted(err error) error {
	if !errors.Is(err, store.ErrCredentials) && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return &rest.Problem{
		Status: http.StatusUnauthorized,
		Detail: "the key, signature or session token is not accepted",
		Header: http.Header{"Www-Authenticate": {`Bearer realm="Daybook", error="invalid_token"`}},
		Err:    err,
	}
}
