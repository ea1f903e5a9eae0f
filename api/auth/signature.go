package auth

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"daybook/api/rest"
	"daybook/store"
)

// The signature scheme of Onlive.
const (
	signatureScheme = "ONLIVESITE"
	signatureDate   = "X-Onlive-Site-Date"
	signatureLayout = "20060102T150405Z"

	// MaxSkew is how far the date of a signed request may be from the clock. A
	// request is good for as long and as often as that: what makes a repeat
	// harmless is the contract of the endpoint.
	MaxSkew = 15 * time.Minute
)

// Signers verifies the signatures of Onlive credentials. *store.Store does.
type Signers interface {
	AuthenticateSigned(ctx context.Context, id string, verify func(secret string) error) (*store.Actor, error)
}

// Signature signs in by "Authorization: ONLIVESITE Credential:ID, Signature=HEX"
// and the header x-onlive-site-date (YYYYMMDDTHHMMSSZ). The signature is the
// HMAC-SHA256, in lower-case hex, of method, path, query, date and digest of
// the body; see [Sign]. The body is read, within the limit that the request has
// by then, and put back. now is the clock. The error is a *rest.Problem: 401
// whatever is wrong with the signature, 413 or 400 for the body.
func Signature(signers Signers, now func() time.Time) func(*http.Request) (context.Context, error) {
	return func(r *http.Request) (context.Context, error) {
		id, signature, ok := signed(r.Header)
		date, fresh := signedDate(r.Header, now())
		if !ok || !fresh {
			return nil, unsigned(nil)
		}
		actor, err := signers.AuthenticateSigned(r.Context(), id, func(secret string) error {
			body, err := readAgain(r)
			if err != nil {
				return err
			}
			want, err := Sign(secret, r.Method, sentPath(r), r.URL.RawQuery, date, body)
			if err != nil || subtle.ConstantTimeCompare([]byte(want), []byte(signature)) != 1 {
				return store.ErrCredentials
			}
			return nil
		})
		if errors.Is(err, store.ErrCredentials) {
			return nil, unsigned(err)
		}
		if err != nil {
			return nil, err
		}
		return With(r.Context(), actor), nil
	}
}

// Sign gives the signature of a request: path as sent, with its escapes and
// without the query; query as sent; date in the form of the header. An error
// means that the query is not well-formed.
func Sign(secret, method, path, query, date string, body []byte) (string, error) {
	query, err := canonicalQuery(query)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(body)
	text := strings.Join([]string{strings.ToUpper(method), path, query, date, hex.EncodeToString(digest[:])}, "\n")
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil)), nil
}

// canonicalQuery sorts the pairs by key, then value, and writes them with the
// escapes of RFC 3986 alone.
func canonicalQuery(raw string) (string, error) {
	type pair struct{ key, value string }
	var pairs []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		key, err1 := url.QueryUnescape(k)
		value, err2 := url.QueryUnescape(v)
		if err := errors.Join(err1, err2); err != nil {
			return "", err
		}
		pairs = append(pairs, pair{key, value})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.value, b.value)) })
	var out strings.Builder
	for i, p := range pairs {
		if i > 0 {
			out.WriteByte('&')
		}
		out.WriteString(escape(p.key) + "=" + escape(p.value))
	}
	return out.String(), nil
}

// escape writes all but the unreserved characters (RFC 3986 §2.3) as %XX.
// url.QueryEscape does, except for the space.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// signed reads the Authorization header. Scheme and names match in any case,
// spaces around the comma may be missing.
func signed(h http.Header) (id, signature string, ok bool) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return "", "", false
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(values[0]), " ")
	first, second, _ := strings.Cut(rest, ",")
	id, ok1 := cutName(strings.TrimSpace(first), "Credential:")
	signature, ok2 := cutName(strings.TrimSpace(second), "Signature=")
	return id, signature, ok1 && ok2 && strings.EqualFold(scheme, signatureScheme)
}

func cutName(s, name string) (string, bool) {
	if len(s) <= len(name) || !strings.EqualFold(s[:len(name)], name) {
		return "", false
	}
	return s[len(name):], true
}

// signedDate reads the date as it was signed; fresh is false for one that is
// missing, malformed, or too far from the clock.
func signedDate(h http.Header, now time.Time) (date string, fresh bool) {
	values := h.Values(signatureDate)
	if len(values) != 1 {
		return "", false
	}
	t, err := time.Parse(signatureLayout, values[0])
	return values[0], err == nil && t.Format(signatureLayout) == values[0] && now.Sub(t).Abs() <= MaxSkew
}

// sentPath gives the path as the client wrote it.
func sentPath(r *http.Request) string {
	if path, _, _ := strings.Cut(r.RequestURI, "?"); strings.HasPrefix(path, "/") {
		return path
	}
	return r.URL.EscapedPath()
}

// readAgain reads the body and puts it back.
func readAgain(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, &rest.Problem{Status: http.StatusRequestEntityTooLarge, Detail: "the body is too large", Err: err}
	}
	if err != nil {
		return nil, &rest.Problem{Status: http.StatusBadRequest, Detail: "the body could not be read", Err: err}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

// unsigned is the 401 (RFC 9110 §11.6.1).
func unsigned(err error) error {
	return &rest.Problem{
		Status: http.StatusUnauthorized,
		Detail: "the signature is missing or not accepted",
		Header: http.Header{"Www-Authenticate": {signatureScheme + ` realm="` + realm + `"`}},
		Err:    err,
	}
}
