package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"maps"
	"net/http"
	"strconv"
)

// Replays keeps the answers to POST requests that carry an Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header), so that a client that did not
// hear the answer can ask again without the effect happening twice.
type Replays interface {
	// Begin notes that the request is being answered, or gives the answer that
	// it had. A *Problem for a key that another request has, or that is being
	// answered now.
	Begin(ctx context.Context, key string, request [sha256.Size]byte) (*Replay, error)
	// Finish keeps the answer; nil forgets the request, so that it can be made
	// again.
	Finish(ctx context.Context, key string, answer *Replay) error
}

// Replay is an answer that is kept.
type Replay struct {
	Status int
	Header map[string]string // of what says how to read the body
	Body   []byte
}

// MaxKey is the longest Idempotency-Key, in bytes.
const MaxKey = 255

// replayedHeaders are the headers that are kept with an answer.
var replayedHeaders = []string{"Content-Type", "Etag", "Location"}

// replaying answers a POST with an Idempotency-Key: from what is kept, or by
// fn, whose answer is then kept. What the server is to blame for, and what was
// refused before anything was looked at, is not kept.
func (s *server) replaying(w http.ResponseWriter, r *http.Request, fn func(http.ResponseWriter, *http.Request)) error {
	key := r.Header.Get("Idempotency-Key")
	if len(r.Header.Values("Idempotency-Key")) > 1 || len(key) > MaxKey {
		return Errorf(http.StatusBadRequest, "Idempotency-Key is one text of at most "+strconv.Itoa(MaxKey)+" bytes")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return bodyError(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	saved, err := s.Replays.Begin(r.Context(), key, requestSum(r, body))
	if err != nil {
		return err
	}
	if saved != nil {
		for k, v := range saved.Header {
			w.Header().Set(k, v)
		}
		w.Header().Set("Idempotency-Replayed", "true")
		writeBody(w, saved.Status, saved.Body)
		return nil
	}
	rec := &recorder{header: w.Header().Clone()}
	kept := false
	// The effect may have happened: what becomes of the request's context does not count any more.
	ctx := context.WithoutCancel(r.Context())
	defer func() {
		if !kept { // a panic, which goes on
			_ = s.Replays.Finish(ctx, key, nil)
		}
	}()
	fn(rec, r)
	kept = true
	if err := s.Replays.Finish(ctx, key, rec.replay()); err != nil {
		return err
	}
	maps.Copy(w.Header(), rec.header)
	writeBody(w, rec.status, rec.body.Bytes())
	return nil
}

// requestSum stands for all that makes two requests the same.
func requestSum(r *http.Request, body []byte) [sha256.Size]byte {
	h := sha256.New()
	for _, s := range []string{r.Method, r.URL.Path, r.URL.RawQuery} {
		_, _ = io.WriteString(h, s+"\x00") // a hash takes all
	}
	_, _ = h.Write(body)
	return [sha256.Size]byte(h.Sum(nil))
}

// recorder keeps an answer instead of sending it.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	kept   []byte // what is kept in place of the body; nil: the body
}

// keptBody gives what is kept of an answer in place of its body, nil for all of
// it.
func keptBody(out any) ([]byte, error) {
	k, ok := out.(Keeper)
	if !ok {
		return nil, nil
	}
	return encode(k.Kept())
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

// replay gives what is kept of the answer; nil for one that asking again may
// change.
func (r *recorder) replay() *Replay {
	switch r.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return nil
	}
	if r.status == 0 || r.status >= 500 {
		return nil
	}
	out := &Replay{Status: r.status, Header: map[string]string{}, Body: r.body.Bytes()}
	if r.kept != nil {
		out.Body = r.kept
	}
	for _, k := range replayedHeaders {
		if v := r.header.Get(k); v != "" {
			out.Header[k] = v
		}
	}
	return out
}
