package jobs

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// results are all values of the label result.
var results = [...]string{"ok", "error", "timeout", "cancelled", "panic", "skipped"}

type metrics struct {
	runs    *prometheus.CounterVec
	took    *prometheus.HistogramVec
	success *prometheus.GaugeVec
	running *prometheus.GaugeVec
}

// newMetrics makes the metrics with a series for each job, so that a job that never ran is seen as 0 and not as absent.
func newMetrics(reg prometheus.Registerer, table []*entry) *metrics {
	m := &metrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daybook_job_runs_total", Help: "Runs of cron jobs by result.",
		}, []string{"job", "result"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "daybook_job_duration_seconds", Help: "Duration of runs of cron jobs.",
			Buckets: []float64{.01, .1, 1, 10, 60, 300, 1800, 7200},
		}, []string{"job"}),
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "daybook_job_last_success_timestamp_seconds", Help: "Start of the last run that succeeded; 0: none.",
		}, []string{"job"}),
		running: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "daybook_job_running", Help: "1 while the job runs.",
		}, []string{"job"}),
	}
	if reg != nil {
		reg.MustRegister(m.runs, m.took, m.success, m.running)
	}
	for _, e := range table {
		for _, result := range results {
			m.runs.WithLabelValues(e.Name, result)
		}
		m.took.WithLabelValues(e.Name)
		m.success.WithLabelValues(e.Name)
		m.running.WithLabelValues(e.Name)
	}
	return m
}

func (m *metrics) observe(job, result string, took time.Duration) {
	m.runs.WithLabelValues(job, result).Inc()
	m.took.WithLabelValues(job).Observe(took.Seconds())
}

func (m *metrics) succeeded(job string, at time.Time) {
	if !at.IsZero() {
		m.success.WithLabelValues(job).Set(float64(at.UnixNano()) / 1e9)
	}
}
