package store

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the store's; they count from the start, registered or not.
type metrics struct {
	commits  prometheus.Histogram
	group    prometheus.Histogram
	waits    prometheus.Histogram
	logins   *prometheus.CounterVec
	fallback *prometheus.CounterVec
	openings *prometheus.CounterVec
}

func newMetrics() *metrics {
	return &metrics{
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "daybook_store_commit_duration_seconds", Help: "Time of one commit, fsync included.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 14),
		}),
		group: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "daybook_store_commit_updates", Help: "Updates that shared one commit.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256},
		}),
		waits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "daybook_store_writer_wait_seconds", Help: "Time from asking for the writer to being run.",
			Buckets: prometheus.ExponentialBuckets(0.00005, 2, 16),
		}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daybook_logins_total", Help: "Sign-ins by outcome.",
		}, []string{"kind", "result"}),
		fallback: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daybook_store_expansions_total", Help: "Objects expanded by a query because the index has no rows for them.",
		}, []string{"reason"}),
		openings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daybook_openings_total", Help: "Days of openings: read as stored, computed for a reader, or computed ahead by the job.",
		}, []string{"source"}),
	}
}

func (m *metrics) commit(group int, took time.Duration) {
	m.commits.Observe(took.Seconds())
	m.group.Observe(float64(group))
}

func (m *metrics) wait(d time.Duration) { m.waits.Observe(d.Seconds()) }

func (m *metrics) register(reg prometheus.Registerer, s *Store) error {
	gauge := func(name, help string, value func(Stats) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(s.Stats()) })
	}
	for _, c := range []prometheus.Collector{
		m.commits, m.group, m.waits, m.logins, m.fallback, m.openings,
		gauge("daybook_store_file_bytes", "Size of the database file.", func(x Stats) float64 { return float64(x.FileBytes) }),
		gauge("daybook_store_free_bytes", "Bytes of the file in free pages.", func(x Stats) float64 {
			return float64((x.FreePages + x.PendingPages) * x.PageSize)
		}),
		gauge("daybook_store_objects", "Calendar object resources.", func(x Stats) float64 { return float64(x.Objects) }),
		gauge("daybook_store_instance_rows", "Rows of the instance index.", func(x Stats) float64 { return float64(x.Rows) }),
		gauge("daybook_feed_cache_bytes", "Memory of rendered feeds.", func(Stats) float64 { return float64(s.streams.held()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "daybook_holds_live", Help: "Holds that take time of a resource now."}, s.countHolds),
		gauge("daybook_store_horizon_timestamp_seconds", "Instant up to which endless series are indexed.", func(x Stats) float64 {
			return float64(x.Horizon.Unix())
		}),
		gauge("daybook_journal_entries", "Entries of the journal.", func(x Stats) float64 { return float64(x.Journal) }),
		gauge("daybook_journal_oldest_timestamp_seconds", "Time of the oldest entry of the journal; 0 without one.", func(x Stats) float64 {
			if x.JournalOldest.IsZero() {
				return 0
			}
			return float64(x.JournalOldest.Unix())
		}),
	} {
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}
