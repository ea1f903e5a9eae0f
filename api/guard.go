package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
)

// guarded turns panics of a handler that has no error shape of its own into a
// plain 500. The log names the request by its id, never by its address: that
// of a feed is a secret.
type guarded struct {
	name   string
	log    *slog.Logger
	panics *prometheus.CounterVec
}

func (g *guarded) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause)
			}
			g.panics.WithLabelValues(g.name).Inc()
			g.log.ErrorContext(r.Context(), "panic", "api", g.name, "request", w.Header().Get("X-Request-Id"),
				"err", fmt.Sprint(cause), "stack", string(debug.Stack()))
			http.Error(w, "the server failed", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}
