package apitest

import "net/http"

// Sink is a ResponseWriter for benchmarks: it counts what it is given and keeps
// nothing.
type Sink struct {
	header http.Header
	Status int
	Bytes  int
}

// Header gives the header fields that are set.
func (w *Sink) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

// WriteHeader notes the status.
func (w *Sink) WriteHeader(status int) { w.Status = status }

// Write counts.
func (w *Sink) Write(b []byte) (int, error) {
	w.Bytes += len(b)
	return len(b), nil
}
