package caldav

import (
	"bytes"
	"net/http"
	"strconv"
	"sync"

	"github.com/klauspost/compress/gzip"

	"daybook/caldav/dav"
)

// buffers are the pooled answers. Those that grew large are left to the
// collector.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}

// zippers are the pooled compressors.
var zippers = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return z
}}

const (
	flushAt   = 128 << 10 // an answer beyond it leaves in pieces
	largestIn = 1 << 20   // a buffer beyond it is not pooled
	zipFrom   = 4 << 10   // a whole answer below it is not compressed: it fits a few packets
)

// answer is a multistatus under way. It leaves in one write with its length,
// or, a long one, in pieces; compressed if the client takes that.
type answer struct {
	x    *exchange
	pool *[]byte
	b    []byte
	zip  *gzip.Writer // set when the answer is compressed
	out  bytes.Buffer // what zip has written
}

func (x *exchange) newAnswer(start string) *answer {
	p, ok := buffers.Get().(*[]byte)
	if !ok {
		p = new([]byte)
	}
	return &answer{x: x, pool: p, b: append((*p)[:0], start...)}
}

// flush sends what there is, if it is enough to be worth a write.
func (a *answer) flush() error {
	if len(a.b) < flushAt {
		return nil
	}
	a.begin()
	return a.write(false)
}

// begin sets the headers and chooses the encoding, once.
func (a *answer) begin() {
	if a.x.started || a.zip != nil {
		return
	}
	h := a.x.w.Header()
	h.Set("Content-Type", dav.ContentType)
	h.Set("Vary", "Brief, Prefer, Accept-Encoding")
	if a.x.prefer.Minimal {
		h.Add("Preference-Applied", "return=minimal") // beside depth-noroot
	}
	if z, ok := zippers.Get().(*gzip.Writer); ok && len(a.b) >= zipFrom && acceptsGzip(a.x.r.Header) {
		h.Set("Content-Encoding", "gzip")
		z.Reset(&a.out)
		a.zip = z
	} else if ok {
		zippers.Put(z)
	}
}

// write sends the buffer; the last piece has the length if it is the only one.
func (a *answer) write(last bool) error {
	piece := a.b
	if a.zip != nil {
		a.out.Reset()
		// A bytes.Buffer takes everything.
		_, _ = a.zip.Write(a.b)
		if last {
			_ = a.zip.Close()
		}
		piece = a.out.Bytes()
	}
	if last && !a.x.started {
		a.x.w.Header().Set("Content-Length", strconv.Itoa(len(piece)))
	}
	if !a.x.started {
		a.x.status(http.StatusMultiStatus)
	}
	_, err := a.x.w.Write(piece)
	a.b = a.b[:0]
	if err != nil {
		return errGone
	}
	return nil
}

// finish sends the rest.
func (a *answer) finish(end string) error {
	a.b = append(a.b, end...)
	a.begin()
	err := a.write(true)
	a.release()
	return err
}

// release gives the buffers back.
func (a *answer) release() {
	if a.pool == nil {
		return
	}
	if cap(a.b) <= largestIn {
		*a.pool = a.b
		buffers.Put(a.pool)
	}
	if a.zip != nil {
		zippers.Put(a.zip)
	}
	a.pool, a.b, a.zip = nil, nil, nil
}

// statusOnly appends a response without properties (RFC 4918 §14.24).
func (a *answer) statusOnly(href string, code int, e *dav.Error) {
	a.b = append(a.b, dav.ResponseStart...)
	a.b = dav.AppendText(a.b, href)
	a.b = append(a.b, "</D:href>"...)
	a.b = dav.AppendStatus(a.b, code)
	if e != nil {
		a.b = e.AppendElement(a.b)
	}
	a.b = append(a.b, dav.ResponseEnd...)
}
