package guard

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Errors of Do and of reading an answer's body. They are wrapped with the
// reason, in words that may be shown.
var (
	ErrScheme   = errors.New("address refused")
	ErrAddress  = errors.New("address not allowed")
	ErrPort     = errors.New("port not allowed")
	ErrOwn      = errors.New("address is the daemon's own")
	ErrRedirect = errors.New("redirect not followed")
	ErrTooLarge = errors.New("answer is too large")
	ErrAnswer   = errors.New("answer cannot be read")
	ErrTimeout  = errors.New("no complete answer in time")
	ErrName     = errors.New("host not found")
	ErrTLS      = errors.New("no trusted TLS connection")
	ErrConnect  = errors.New("no connection")
)

// kinds are the words for errors; the first that fits counts.
var kinds = []struct {
	err  error
	word string
}{
	{ErrScheme, "refused"},
	{ErrAddress, "refused"},
	{ErrPort, "refused"},
	{ErrOwn, "circle"},
	{ErrRedirect, "redirect"},
	{ErrTooLarge, "too_large"},
	{ErrAnswer, "answer"},
	{ErrTimeout, "timeout"},
	{ErrName, "name"},
	{ErrTLS, "tls"},
	{ErrConnect, "connect"},
	{context.Canceled, "cancelled"},
	{context.DeadlineExceeded, "timeout"},
}

// Kind gives a word for an error of this package, for a label: refused, circle,
// redirect, too_large, answer, timeout, name, tls, connect, cancelled; "" for
// another error.
func Kind(err error) string {
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.word
		}
	}
	return ""
}

// ended says why the context is over, in the words of who ended it.
func ended(ctx context.Context) error { return context.Cause(ctx) }

// explain makes an error of a transport one that may be shown. What the
// libraries say can hold resolved addresses, the name server's, and bytes that
// the peer chose.
func explain(ctx context.Context, u *url.URL, err error) error {
	host := u.Host
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var name x509.HostnameError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.Is(err, ErrAddress), errors.Is(err, ErrOwn):
		return fmt.Errorf("%s: %w", host, inner(err))
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", host, ended(ctx))
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return fmt.Errorf("%s: %w", host, ErrName)
		}
		return fmt.Errorf("%s: %w: the name server does not answer", host, ErrName)
	case errors.As(err, &name):
		return fmt.Errorf("%s: %w: the certificate is for another host", host, ErrTLS)
	case errors.As(err, &cert):
		return fmt.Errorf("%s: %w: the certificate cannot be verified", host, ErrTLS)
	case errors.As(err, &record), errors.As(err, &alert), strings.Contains(err.Error(), "tls: "):
		return fmt.Errorf("%s: %w", host, ErrTLS)
	case strings.Contains(err.Error(), "server response headers exceeded"), strings.Contains(err.Error(), "header list"):
		return fmt.Errorf("%s: %w: its header", host, ErrTooLarge)
	case strings.Contains(err.Error(), "malformed"), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return fmt.Errorf("%s: %w: it is not HTTP", host, ErrAnswer)
	}
	return connect(host, err)
}

func connect(host string, err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("%s: %w", host, ErrTimeout)
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("%s: %w", host, ErrConnect)
	}
	return fmt.Errorf("%s: %w: it was closed before the answer", host, ErrConnect)
}

// inner gives the refusal inside a dialer's error, which names the resolved
// address.
func inner(err error) error {
	var op *net.OpError
	for errors.As(err, &op) {
		err = op.Err
	}
	return err
}
