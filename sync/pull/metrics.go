package pull

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"daybook/store"
)

type metrics struct {
	pulls   *prometheus.CounterVec
	changes *prometheus.CounterVec
	took    prometheus.Histogram
	running prometheus.Gauge
	remotes *prometheus.GaugeVec
	oldest  prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		pulls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daybook_remote_pulls_total", Help: "Pulls of remotes, by kind of the remote and how they went.",
		}, []string{"kind", "result"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daybook_remote_changes_total", Help: "Objects that pulls added, updated, removed, sent to the other side, or refused.",
		}, []string{"change"}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "daybook_remote_pull_duration_seconds", Help: "Time of a pull.", Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
		}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{Name: "daybook_remote_pulls_running", Help: "Pulls that are going on."}),
		remotes: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "daybook_remotes", Help: "Remotes by condition: ok, new, failing, stopped, paused, ending.",
		}, []string{"condition"}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "daybook_remote_oldest_success_timestamp_seconds", Help: "Last success of the remote that is without one for longest; 0: none.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.pulls, m.changes, m.took, m.running, m.remotes, m.oldest)
	}
	return m
}

func (m *metrics) count(kind store.RemoteKind, result string, j *job) {
	m.pulls.WithLabelValues(string(kind), result).Inc()
	m.took.Observe(j.state.Took.Seconds())
	for what, n := range map[string]int{"added": j.added, "updated": j.updated, "removed": j.removed, "sent": j.sent, "refused": j.refused} {
		m.changes.WithLabelValues(what).Add(float64(n))
	}
}

func (m *metrics) conditions(counts map[string]int, oldest time.Time) {
	for _, c := range []string{"ok", "new", "failing", "stopped", "paused", "ending"} {
		m.remotes.WithLabelValues(c).Set(float64(counts[c]))
	}
	if oldest.IsZero() {
		m.oldest.Set(0)
		return
	}
	m.oldest.Set(float64(oldest.Unix()))
}
