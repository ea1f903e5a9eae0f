package auth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"daybook/api/rest"
	"daybook/store"
)

// The vector of the contract, "Authentication".
const (
	vectorSecret    = "s3cret"
	vectorDate      = "20270101T120000Z"
	vectorPath      = "/api/v1/appointments/block-slot"
	vectorSignature = "4678668bbf26dbbba6f81b7dea7def0b27dd1bec307a808aab09724111be9197"
)

type signers map[string]string

func (s signers) AuthenticateSigned(_ context.Context, id string, verify func(string) error) (*store.Actor, error) {
	secret, ok := s[id]
	if !ok {
		return nil, store.ErrCredentials
	}
	return &store.Actor{Credential: id}, verify(secret)
}

func vectorTime(t testing.TB) time.Time {
	t.Helper()
	at, err := time.Parse(signatureLayout, vectorDate)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func vectorRequest(authorization string) *http.Request {
	r := httptest.NewRequest("POST", vectorPath, strings.NewReader("{}"))
	r.Header.Set("x-onlive-site-date", vectorDate)
	r.Header.Set("Authorization", authorization)
	return r
}

func TestSignatureVector(t *testing.T) {
	got, err := Sign(vectorSecret, "post", vectorPath, "", vectorDate, []byte("{}"))
	if err != nil || got != vectorSignature {
		t.Errorf("%s, %v", got, err)
	}
}

func TestSignatureHeader(t *testing.T) {
	now := vectorTime(t)
	signIn := Signature(signers{"KEY": vectorSecret}, func() time.Time { return now })
	const good = "ONLIVESITE Credential:KEY, Signature=" + vectorSignature
	for header, want := range map[string]bool{
		good: true,
		"onlivesite CREDENTIAL:KEY,signature=" + vectorSignature:                   true,
		"ONLIVESITE  Credential:KEY , Signature=" + vectorSignature + " ":          true,
		"ONLIVESITE Credential=KEY, Signature=" + vectorSignature:                  false,
		"ONLIVESITE Credential:KEY, Signature:" + vectorSignature:                  false,
		"ONLIVESITE Credential:KEY Signature=" + vectorSignature:                   false,
		"ONLIVESITE Credential:key, Signature=" + vectorSignature:                  false,
		"ONLIVESITE Credential:, Signature=" + vectorSignature:                     false,
		"ONLIVESITE Credential:KEY, Signature=" + strings.ToUpper(vectorSignature): false,
		"ONLIVESITE Credential:KEY, Signature=" + vectorSignature[:63]:             false,
		"ONLIVESITE Credential:KEY, Signature=" + vectorSignature + "0":            false,
		"ONLIVESITE Credential:KEY, Signature=" + vectorSignature + ", x=y":        false,
		"ONLIVESITE Credential:KEY":                                                false,
		"Bearer KEY." + vectorSecret:                                               false,
		"ONLIVESITE":                                                               false,
		"":                                                                         false,
	} {
		ctx, err := signIn(vectorRequest(header))
		if (err == nil) != want {
			t.Errorf("%q: %v", header, err)
		}
		if want {
			if Actor(ctx).Credential != "KEY" {
				t.Errorf("%q: no actor", header)
			}
			continue
		}
		if p, ok := errors.AsType[*rest.Problem](err); !ok || p.Status != 401 || p.Header.Get("WWW-Authenticate") != `ONLIVESITE realm="Daybook"` {
			t.Errorf("%q: %+v", header, err)
		}
	}
	twice := vectorRequest(good)
	twice.Header.Add("Authorization", good)
	if _, err := signIn(twice); err == nil {
		t.Error("two headers")
	}
}

func TestSignatureDate(t *testing.T) {
	const good = "ONLIVESITE Credential:KEY, Signature=" + vectorSignature
	for off, want := range map[time.Duration]bool{
		0: true, MaxSkew: true, -MaxSkew: true, MaxSkew + time.Second: false, -MaxSkew - time.Second: false,
	} {
		signIn := Signature(signers{"KEY": vectorSecret}, func() time.Time { return vectorTime(t).Add(off) })
		if _, err := signIn(vectorRequest(good)); (err == nil) != want {
			t.Errorf("%v: %v", off, err)
		}
	}
	signIn := Signature(signers{"KEY": vectorSecret}, func() time.Time { return vectorTime(t) })
	for _, dates := range [][]string{{}, {""}, {"2027-01-01T12:00:00Z"}, {"20270101T120000"}, {"20270101T120000.5Z"}, {"20271301T120000Z"}, {vectorDate, vectorDate}} {
		r := vectorRequest(good)
		r.Header.Del("x-onlive-site-date")
		for _, d := range dates {
			r.Header.Add("x-onlive-site-date", d)
		}
		if _, err := signIn(r); rest.AsProblem(err).Status != 401 {
			t.Errorf("%q: %v", dates, err)
		}
	}
}

func TestSignatureCoversEverything(t *testing.T) {
	signIn := Signature(signers{"KEY": vectorSecret}, func() time.Time { return vectorTime(t) })
	sign := func(method, path, query, date, body string) string {
		s, err := Sign(vectorSecret, method, path, query, date, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return "ONLIVESITE Credential:KEY, Signature=" + s
	}
	try := func(method, target, body, authorization string) error {
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("x-onlive-site-date", vectorDate)
		r.Header.Set("Authorization", authorization)
		_, err := signIn(r)
		if err == nil {
			if again, _ := io.ReadAll(r.Body); string(again) != body {
				t.Errorf("%s %s: the body that is left is %q", method, target, again)
			}
		}
		return err
	}
	good := sign("PUT", "/a%2Fb/c%20d", "b=1&a=x%20y", vectorDate, "body")
	if err := try("PUT", "/a%2Fb/c%20d?b=1&a=x%20y", "body", good); err != nil {
		t.Error(err)
	}
	for _, c := range [][3]string{
		{"POST", "/a%2Fb/c%20d?b=1&a=x%20y", "body"},
		{"PUT", "/a/b/c%20d?b=1&a=x%20y", "body"},
		{"PUT", "/a%2fb/c%20d?b=1&a=x%20y", "body"},
		{"PUT", "/a%2Fb/c%20d?b=2&a=x%20y", "body"},
		{"PUT", "/a%2Fb/c%20d", "body"},
		{"PUT", "/a%2Fb/c%20d?b=1&a=x%20y", "body "},
		{"PUT", "/a%2Fb/c%20d?b=1&a=x%20y", ""},
		{"PUT", "/a%2Fb/c%20d?b=1&a=%zz", "body"},
	} {
		if err := try(c[0], c[1], c[2], good); rest.AsProblem(err).Status != 401 {
			t.Errorf("%v: %v", c, err)
		}
	}
	if err := try("GET", "/x", "", sign("GET", "/x", "", vectorDate, "")); err != nil {
		t.Error("no body:", err)
	}
}

func TestCanonicalQuery(t *testing.T) {
	for raw, want := range map[string]string{
		"":                       "",
		"b=2&a=1":                "a=1&b=2",
		"a=2&a=1&a=10":           "a=1&a=10&a=2",
		"a=x+y&b=~-_.":           "a=x%20y&b=~-_.",
		"q=%c3%bc&a=*!'()":       "a=%2A%21%27%28%29&q=%C3%BC",
		"flag&&empty=":           "empty=&flag=",
		"t=2027-01-01T00:00:00Z": "t=2027-01-01T00%3A00%3A00Z",
	} {
		if got, err := canonicalQuery(raw); err != nil || got != want {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
}

func TestSignedBodyHasALimit(t *testing.T) {
	signIn := Signature(signers{"KEY": vectorSecret}, func() time.Time { return vectorTime(t) })
	r := vectorRequest("ONLIVESITE Credential:KEY, Signature=" + vectorSignature)
	r.Body = http.MaxBytesReader(httptest.NewRecorder(), io.NopCloser(strings.NewReader("0123456789")), 5)
	if _, err := signIn(r); rest.AsProblem(err).Status != 413 {
		t.Error(err)
	}
	r = vectorRequest("ONLIVESITE Credential:NOBODY, Signature=" + vectorSignature)
	r.Body = http.MaxBytesReader(httptest.NewRecorder(), io.NopCloser(strings.NewReader("0123456789")), 5)
	if _, err := signIn(r); rest.AsProblem(err).Status != 401 {
		t.Error("the body of a stranger is not read:", err)
	}
}
