package apitest

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

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

// Timings measures the requests of a benchmark.
type Timings struct {
	took  []time.Duration
	bytes int
}

// Ask makes a request, whose answer must have the status.
func (t *Timings) Ask(b *testing.B, api http.Handler, r *http.Request, status int) {
	b.Helper()
	w := &Sink{}
	began := time.Now()
	api.ServeHTTP(w, r)
	t.took = append(t.took, time.Since(began))
	if w.Status != status {
		b.Fatalf("status %d, want %d", w.Status, status)
	}
	t.bytes = w.Bytes
}

// Report prints the median, and the length of the last answer.
func (t *Timings) Report(b *testing.B) {
	slices.Sort(t.took)
	b.ReportMetric(float64(t.took[len(t.took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(t.bytes), "bytes")
}
