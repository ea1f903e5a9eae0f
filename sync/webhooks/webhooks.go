// Package webhooks tells others of changes: a worker follows the journal for
// each webhook and posts what it chooses, in order and at least once. How far
// each has come is in the store, so nothing is lost when the daemon is killed.
//
// A delivery is one POST of up to a hundred events, signed as the Standard
// Webhooks specification says. What fails is tried again, later and later; what
// fails too often becomes a dead letter, and the next delivery has its turn. A
// webhook that has failed for days is disabled.
//
// It knows nothing of how webhooks are made, and nothing of what the events mean.
package webhooks

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"daybook/store"
)

// Doer makes requests. It must not follow redirects, and must refuse addresses
// that only the daemon can reach.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
	// Check tells why an address is refused, as far as that can be known without asking anybody.
	Check(u *url.URL) error
}

// Options are what the worker is made of; a zero field is its default.
type Options struct {
	Store    *store.Store
	Client   Doer
	Log      *slog.Logger          // nil: discarded
	Metrics  prometheus.Registerer // nil: none
	Now      func() time.Time      // nil: time.Now
	Attempts int                   // after which a delivery is a dead letter; 0: 10
	GiveUp   time.Duration         // of failing, after which a webhook is disabled; 0: 5 days
	Timeout  time.Duration         // of one request; 0: 15 s
}

// Bounds of the worker.
const (
	parallel   = 32  // deliveries at the same time
	parallelOf = 4   // of them of one organisation: slow receivers are its own
	batch      = 100 // events of one delivery
	scan       = 5000
	turn       = 20               // deliveries after which another webhook has its turn,
	turnTime   = 10 * time.Second // or the time
	pace       = 100 * time.Millisecond
	sweepEvery = time.Minute     // looks for what nobody told of
	stopWait   = 5 * time.Second // for the deliveries under way at the end
)

// Worker delivers. Make it with New.
type Worker struct {
	opt Options
	met *metrics

	kick   chan struct{}
	slots  chan struct{}   // as many as deliveries may be made
	base   context.Context // of all requests; ends with Stop
	cancel context.CancelFunc
	quit   chan struct{}
	once   sync.Once
	runs   sync.WaitGroup

	mu      sync.Mutex
	busy    map[uuid.UUID]bool
	seen    map[uuid.UUID]passed
	slotsOf map[store.PrincipalID]chan struct{} // as slots, by organisation
}

// passed remembers that the entries from where a webhook is in the store up to
// another hold nothing for it, which is not worth a write.
type passed struct {
	from store.Position
	to   uint64
}

// past gives the entry behind which a webhook goes on.
func (w *Worker) past(id uuid.UUID, at store.Position) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.seen[id]; p.from == at {
		return max(p.to, at.Seq)
	}
	return at.Seq // it was set back
}

// New makes a worker.
func New(o Options) (*Worker, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Attempts <= 0 {
		o.Attempts = 10
	}
	if o.GiveUp <= 0 {
		o.GiveUp = 5 * 24 * time.Hour
	}
	if o.Timeout <= 0 {
		o.Timeout = 15 * time.Second
	}
	w := &Worker{
		opt: o, met: newMetrics(), kick: make(chan struct{}, 1), slots: make(chan struct{}, parallel), quit: make(chan struct{}),
		busy: map[uuid.UUID]bool{}, seen: map[uuid.UUID]passed{}, slotsOf: map[store.PrincipalID]chan struct{}{},
	}
	w.base, w.cancel = context.WithCancel(store.By(context.Background(), store.System(), "webhooks"))
	if o.Metrics != nil {
		for _, c := range w.met.collectors() {
			if err := o.Metrics.Register(c); err != nil {
				return nil, err
			}
		}
	}
	return w, nil
}

// Start begins to deliver. A worker is started once.
func (w *Worker) Start() { w.runs.Go(w.run) }

// Check tells why an address must not be posted to.
func (w *Worker) Check(address *url.URL) error { return w.opt.Client.Check(address) }

// Wake tells that something may be due that the journal does not tell of.
func (w *Worker) Wake() {
	select {
	case w.kick <- struct{}{}:
	default: // it knows
	}
}

// Stop begins no delivery any more, waits a moment for those under way, and
// cuts them off then or when ctx ends. What was cut off is delivered again.
func (w *Worker) Stop(ctx context.Context) {
	w.once.Do(func() { close(w.quit) })
	done := make(chan struct{})
	go func() {
		w.runs.Wait()
		close(done)
	}()
	patience := time.NewTimer(stopWait)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
	case <-ctx.Done():
	}
	w.cancel()
	<-done
}

func (w *Worker) run() {
	for {
		news := w.opt.Store.Journalled(0)
		wait := sweepEvery
		if due, err := w.pass(); errors.Is(err, store.ErrClosed) {
			return
		} else if err != nil {
			w.opt.Log.Warn("webhooks could not be read", "err", err)
		} else if !due.IsZero() {
			wait = min(wait, max(0, due.Sub(w.opt.Now())))
		}
		if !w.sleep(news, wait) {
			return
		}
	}
}

// sleep waits for news; false at the end.
func (w *Worker) sleep(news <-chan struct{}, wait time.Duration) bool {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-w.quit:
		return false
	case <-news:
		// Many changes at once are told at once.
		t.Reset(pace)
		select {
		case <-w.quit:
			return false
		case <-t.C:
		}
	case <-w.kick:
	case <-t.C:
	}
	return true
}

// pass starts what is due, and tells when the next is.
func (w *Worker) pass() (due time.Time, err error) {
	var ready []*store.Webhook
	disabled, lag := 0, uint64(0)
	known := map[uuid.UUID]bool{}
	err = w.opt.Store.View(w.base, func(v *store.View) error {
		all, err := v.Webhooks(0)
		if err != nil {
			return err
		}
		for _, h := range all {
			known[h.UUID] = true
			if h.Disabled != "" {
				disabled++
			}
			at, behind, err := w.dueAt(v, h)
			switch {
			case err != nil:
				return err
			case at.IsZero():
				continue
			}
			lag = max(lag, behind)
			switch {
			case !at.After(w.opt.Now()):
				ready = append(ready, h)
			case due.IsZero() || at.Before(due):
				due = at
			}
		}
		return nil
	})
	if err != nil {
		return due, err
	}
	w.met.disabled.Set(float64(disabled))
	w.met.lag.Set(float64(lag))
	w.forget(known)
	for _, h := range ready {
		w.begin(h)
	}
	return due, nil
}

// dueAt tells when a webhook is to be looked at, the zero time if nothing waits
// for it, and how many entries it is behind.
func (w *Worker) dueAt(v *store.View, h *store.Webhook) (at time.Time, behind uint64, err error) {
	if !h.Active() {
		return at, 0, nil
	}
	st, err := v.WebhookState(h)
	if err != nil {
		return at, 0, err
	}
	_, last := v.JournalSpan(h.Org)
	from := w.past(h.UUID, st.After)
	w.mu.Lock()
	busy := w.busy[h.UUID]
	w.mu.Unlock()
	if last > from {
		behind = last - from
	}
	waits := behind > 0 || v.Resume(h.Org, st.After) != nil
	if !waits {
		letters, err := queued(v, h)
		if err != nil {
			return at, 0, err
		}
		waits = len(letters) > 0
	}
	if busy || !waits {
		return time.Time{}, behind, nil
	}
	if st.Next.IsZero() {
		return time.Unix(0, 0), behind, nil // at once
	}
	return st.Next, behind, nil
}

func queued(v *store.View, h *store.Webhook) (out []store.Delivery, err error) {
	all, err := v.DeadLetters(h)
	for _, d := range all {
		if d.Result == store.DeliveryQueued {
			out = append(out, d)
		}
	}
	return out, err
}

// forget drops what is remembered of webhooks that are gone.
func (w *Worker) forget(known map[uuid.UUID]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.seen {
		if !known[id] {
			delete(w.seen, id)
		}
	}
}

// begin delivers for one webhook, in a goroutine of its own.
func (w *Worker) begin(h *store.Webhook) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy[h.UUID] {
		return
	}
	w.busy[h.UUID] = true
	own := w.slotsOf[h.Org]
	if own == nil {
		own = make(chan struct{}, parallelOf)
		w.slotsOf[h.Org] = own
	}
	w.runs.Go(func() {
		defer func() {
			w.mu.Lock()
			delete(w.busy, h.UUID)
			w.mu.Unlock()
			w.Wake() // there may be more by now
		}()
		if err := w.inTurn(own, func() error { return w.deliver(h) }); err != nil {
			w.opt.Log.Error("webhook could not be served", "webhook", h.UUID, "err", err)
			w.later()
		}
	})
}

// inTurn calls fn when both the organisation and the worker may make one more
// delivery; who waited longest is first.
func (w *Worker) inTurn(own chan struct{}, fn func() error) error {
	for _, slots := range []chan struct{}{own, w.slots} {
		select {
		case slots <- struct{}{}:
		case <-w.quit:
			return nil
		}
		defer func() { <-slots }()
	}
	return fn()
}

// deliver makes what is due for one webhook, up to a turn.
func (w *Worker) deliver(h *store.Webhook) error {
	begun := time.Now()
	for range turn {
		select {
		case <-w.quit:
			return nil
		default:
		}
		more, err := w.one(h.Org, h.UUID)
		switch {
		case errors.Is(err, store.ErrNotFound), w.base.Err() != nil:
			return nil //nolint:nilerr // removed meanwhile, or the end
		case err != nil:
			return err
		case !more, time.Since(begun) > turnTime:
			return nil
		}
	}
	return nil
}

// later makes a webhook wait that failed for a reason of our own.
func (w *Worker) later() {
	t := time.NewTimer(sweepEvery)
	defer t.Stop()
	select {
	case <-w.quit:
	case <-t.C:
	}
}

type metrics struct {
	results  *prometheus.CounterVec
	took     prometheus.Histogram
	lag      prometheus.Gauge
	disabled prometheus.Gauge
}

func newMetrics() *metrics {
	m := &metrics{
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daybook_webhook_deliveries_total", Help: "Attempts to deliver to webhooks, by result.",
		}, []string{"result"}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "daybook_webhook_duration_seconds", Help: "Time of one attempt.", Buckets: prometheus.ExponentialBuckets(0.005, 2.5, 10),
		}),
		lag: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "daybook_webhook_lag_entries", Help: "Entries of the journal that the slowest active webhook is behind.",
		}),
		disabled: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "daybook_webhooks_disabled", Help: "Webhooks that were given up.",
		}),
	}
	for _, result := range []store.DeliveryResult{store.Delivered, store.DeliveryFailed, store.DeliveryDead} {
		m.results.WithLabelValues(string(result)) // what never happened is 0, and not absent
	}
	return m
}

func (m *metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.results, m.took, m.lag, m.disabled}
}
