package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// The conversation: POST /NAME with the request as one line of JSON and then
// the input file as it is; the answer is lines of JSON, each an event, and
// the last of them has the result or the error. An answer that ends without
// one was cut off.
const (
	maxRequest = 1 << 20
	chunk      = 48 << 10 // bytes of a file in one event
	pathPrefix = "/v1/"
)

type event struct {
	Progress *Progress       `json:"progress,omitempty"`
	Item     json.RawMessage `json:"item,omitempty"`
	Data     []byte          `json:"data,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
	Error    *Error          `json:"error,omitempty"`
}

// Handler serves the table of operations. It must only be reachable for the
// operator.
func Handler(s *Service, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := strings.CutPrefix(r.URL.Path, pathPrefix)
		if !ok || r.Method != http.MethodPost {
			http.Error(w, "POST /v1/OPERATION", http.StatusNotFound)
			return
		}
		// Items are sent while the file is still being read.
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.Header().Set("Content-Type", "application/x-ndjson")
		out := &eventWriter{w: w, enc: json.NewEncoder(w)}
		in := bufio.NewReaderSize(r.Body, 64<<10)
		start := time.Now()
		result, err := serve(r.Context(), s, name, in, out)
		log.Info("admin operation", "operation", name, "took", time.Since(start), "failed", err != nil)
		if err != nil {
			_ = out.send(event{Error: wireError(err)})
			_, _ = io.Copy(io.Discard, in) // so that the sender comes to read the answer
			return
		}
		_ = out.send(event{Result: result})
	})
}

func serve(ctx context.Context, s *Service, name string, in *bufio.Reader, out *eventWriter) (json.RawMessage, error) {
	request, err := requestLine(in)
	if err != nil {
		return nil, err
	}
	return s.call(ctx, name, request, &Stream{
		In:         in,
		Out:        out,
		OnProgress: func(p Progress) { _ = out.send(event{Progress: &p}) },
		OnItem:     func(item json.RawMessage) error { return out.send(event{Item: item}) },
	})
}

func requestLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil, errors.Is(err, io.EOF):
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > maxRequest:
			return nil, fmt.Errorf("the request is larger than %d bytes", maxRequest)
		}
	}
}

// eventWriter writes events, one at a time, and sees to it that they leave
// soon.
type eventWriter struct {
	mu   sync.Mutex
	w    http.ResponseWriter
	enc  *json.Encoder
	last time.Time
}

func (e *eventWriter) send(ev event) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.enc.Encode(ev); err != nil {
		return err
	}
	if ev.Progress != nil || time.Since(e.last) > 200*time.Millisecond {
		e.last = time.Now()
		return http.NewResponseController(e.w).Flush()
	}
	return nil
}

// Write sends a piece of the output file.
func (e *eventWriter) Write(p []byte) (int, error) {
	n := 0
	for len(p) > 0 {
		piece := p[:min(len(p), chunk)]
		if err := e.send(event{Data: piece}); err != nil {
			return n, err
		}
		n += len(piece)
		p = p[len(piece):]
	}
	return n, nil
}

// ErrSocketInUse tells that another daemon answers on the socket.
var ErrSocketInUse = errors.New("another daemon listens on the admin socket")

// maxSocketPath is the shortest limit that systems have for a socket's path.
const maxSocketPath = 103

// Listen makes the socket with mode 0600. A socket that is left from a daemon
// that was killed is removed, one that somebody listens on is ErrSocketInUse,
// and any other file at the path is left alone with an error.
func Listen(path string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("admin socket %s: the path has %d bytes, a socket's may have %d; set admin_socket to a shorter one", path, len(path), maxSocketPath)
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("admin socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("admin socket %s: there is a file that is not a socket; move it away or set admin_socket", path)
	default:
		if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
			_ = c.Close()
			return nil, fmt.Errorf("%w %s", ErrSocketInUse, path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("remove the admin socket of a dead daemon: %w", err)
		}
	}
	l, err := listenPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	return l, nil
}
