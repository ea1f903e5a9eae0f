package rest

import (
	"context"
	"net/http"
	"time"
)

// Streamer is an Out that is written bit by bit, for as long as the client
// stays. The API's timeout is for what comes before.
type Streamer interface {
	// MediaType is the Content-Type of the answer.
	MediaType() string
	// Stream writes until there is no more, a Send fails, or ctx ends, as it
	// does with the connection. It is called once in any case, for a request
	// that wants no body with a context that has ended.
	Stream(ctx context.Context, to *Sink)
}

// sendTimeout is how long a client may take for one piece of a stream.
const sendTimeout = 30 * time.Second

// Sink is where a stream is written.
type Sink struct {
	w    http.ResponseWriter
	c    *http.ResponseController
	over bool // nothing is to be written any more
}

// NewSink makes a sink of an answer.
func NewSink(w http.ResponseWriter) *Sink { return &Sink{w: w, c: http.NewResponseController(w)} }

// Send writes a piece and sends it off. An error means that the client has
// gone, or takes nothing any more: the stream is over.
func (s *Sink) Send(p []byte) error {
	if s.over {
		return http.ErrBodyNotAllowed
	}
	// Where there are no deadlines there is no connection that could stall.
	_ = s.c.SetWriteDeadline(time.Now().Add(sendTimeout))
	if _, err := s.w.Write(p); err != nil {
		return err
	}
	return s.c.Flush()
}

// stream answers with a stream. ctx ends with the connection, not with the
// API's timeout; the values are those of the request's context.
func (s *server) stream(ctx context.Context, w http.ResponseWriter, r *http.Request, out Streamer) {
	both, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	sink := NewSink(w)
	// The server's own deadlines are for requests that end. That for reading
	// would end the connection's context.
	_ = sink.c.SetReadDeadline(time.Time{})
	h := w.Header()
	h.Set("Content-Type", out.MediaType())
	h.Set("X-Accel-Buffering", "no") // proxies that collect answers are not to wait for the end of this one
	w.WriteHeader(http.StatusOK)
	if sink.over = r.Method == http.MethodHead; sink.over || sink.Send(nil) != nil {
		cancel()
	}
	out.Stream(both, sink)
}
