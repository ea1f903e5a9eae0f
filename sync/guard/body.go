package guard

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// body ends the request's context when it is closed, and tells why a read
// failed.
type body struct {
	io.ReadCloser
	ctx    context.Context //nolint:containedctx // it is that of the request that the body belongs to
	cancel context.CancelFunc
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return n, err
	case errors.Is(err, ErrTooLarge):
		return n, err
	case b.ctx.Err() != nil:
		return n, ended(b.ctx)
	}
	// Data that the peer chose is not repeated.
	return n, fmt.Errorf("%w: it was cut off or is damaged", ErrAnswer)
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.cancel()
	return err
}

// limited fails, where io.LimitedReader would end: what was cut must not be
// taken for the whole.
type limited struct {
	io.ReadCloser
	left, max int64
}

func (l *limited) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.ReadCloser.Read(p)
	if int64(n) > l.left {
		return int(l.left), fmt.Errorf("%w: its body has more than %d bytes", ErrTooLarge, l.max)
	}
	l.left -= int64(n)
	return n, err
}

// inflated is the gzip body as it was before. It is opened with the first read,
// because its header is read then.
type inflated struct {
	raw io.ReadCloser
	zip *gzip.Reader
	err error
}

func (i *inflated) Read(p []byte) (int, error) {
	if i.zip == nil && i.err == nil {
		i.zip, i.err = gzip.NewReader(i.raw)
	}
	if i.err != nil {
		return 0, i.err
	}
	return i.zip.Read(p)
}

func (i *inflated) Close() error { return i.raw.Close() }
