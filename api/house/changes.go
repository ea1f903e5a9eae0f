package house

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"daybook/api/auth"
	"daybook/api/rest"
	"daybook/store"
)

// Bounds of streams of changes.
const (
	defaultStreams     = 512              // at the same time
	defaultStreamsEach = 16               // of them of one credential
	heartbeat          = 20 * time.Second // what is idle longer is cut by proxies
	eventBatch         = 500              // entries that are looked at in one snapshot
	eventPace          = 100 * time.Millisecond
)

func (s *service) changeRoutes() []rest.Route {
	return []rest.Route{
		{Pattern: "GET /v1/events", Summary: "Changes as they happen, as server-sent events", Doc: eventsDoc + wordsDoc(), Op: rest.Endpoint(http.StatusOK, s.events).Strict()},
	}
}

// eventsDoc says what no schema can say of a stream.
const eventsDoc = "The data of each message is one change, as in the items of /v1/audit and in webhooks; its id is what the client sends as Last-Event-ID " +
	"when it comes back. A message of the type reset says that changes are missing: read everything again. " +
	"A comment comes every 20 seconds when there is nothing to tell. "

// wordsDoc lists the words of what.
func wordsDoc() string {
	names, ops := store.Words()
	return "The words of what are " + strings.Join(names, ", ") + "; or one of these with what happened, as in block.created: " + strings.Join(ops, ", ") + "."
}

type eventsIn struct {
	Header   rest.Opt[string] `header:"Last-Event-ID"`
	Query    rest.Opt[string] `query:"last_event_id" doc:"For the first request, where no header can be set."`
	Resource []string         `query:"resource"`
	What     []string         `query:"what" doc:"Subjects, or subjects with what happened, as in what of a webhook; none: all."`
}

// Validate checks what the tags cannot say.
func (in *eventsIn) Validate(f *rest.Faults) {
	checkWhat(f, in.What)
	checkMost(f, "what", in.What)
	checkMost(f, "resource", in.Resource)
}

// maxFilter bounds the words of a filter.
const maxFilter = 100

func checkMost(f *rest.Faults, field string, words []string) {
	if len(words) > maxFilter {
		f.Add(field, "takes at most "+strconv.Itoa(maxFilter)+" words")
	}
}

// events begins a stream. A reader that names the last event it has gets all
// that came behind it. One whose id is too old, or of another epoch, is told so
// by the event "reset": what it has is to be read again, and it goes on from now.
func (s *service) events(ctx context.Context, in eventsIn) (*eventStream, error) {
	actor := auth.Actor(ctx)
	e := &eventStream{s: s, actor: actor}
	last := in.Header.Or(in.Query.Or(""))
	err := s.view(ctx, func(d *desk) error {
		for _, ref := range in.Resource {
			p, err := d.principal(ref, store.RightRead)
			if err != nil {
				return inBody("resource", err)
			}
			e.filter.Owners = append(e.filter.Owners, p.ID)
		}
		_, now := d.JournalSpan(actor.Org)
		e.after = d.Position(now)
		if last == "" {
			return nil
		}
		p, err := store.ParsePosition(last)
		if err == nil {
			err = d.Resume(actor.Org, p)
		}
		if errors.Is(err, store.ErrToken) {
			e.reset = true
			return nil
		}
		e.after = p
		return err
	})
	if err != nil {
		return nil, err
	}
	e.filter.What = in.What
	e.leave, err = s.streams.enter(actor)
	return e, err
}

// eventStream is one reader of changes.
type eventStream struct {
	s      *service
	actor  *store.Actor
	filter store.JournalFilter
	after  store.Position // what the reader has
	told   store.Position // what the reader was told that it has
	reset  bool
	leave  func()
}

// MediaType is that of server-sent events.
func (e *eventStream) MediaType() string { return "text/event-stream" }

// Stream writes the changes as they come.
func (e *eventStream) Stream(ctx context.Context, to *rest.Sink) {
	defer e.leave()
	reason := e.run(ctx, to)
	e.s.streams.ended.WithLabelValues(reason).Inc()
}

// run gives the reason of the end.
func (e *eventStream) run(ctx context.Context, to *rest.Sink) string {
	var out bytes.Buffer
	out.WriteString("retry: 2000\n")
	if e.reset {
		out.WriteString("event: reset\ndata: {\"detail\":\"changes are missing between the last event and now: read everything again\"}\n")
	}
	e.place(&out)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		more := e.s.store.Journalled(e.actor.Org)
		rest, expires, err := e.read(ctx, &out)
		if out.Len() > 0 {
			if to.Send(out.Bytes()) != nil {
				return "client"
			}
			out.Reset()
		}
		switch {
		case errors.Is(err, store.ErrCredentials):
			return "credential"
		case err != nil:
			return "shutdown" // the store is closed, or the client has gone
		case rest:
			continue
		}
		if reason := e.wait(ctx, more, beat.C, expires, &out); reason != "" {
			return reason
		}
	}
}

// wait waits until there may be something to write, and gives the reason why
// there will be nothing any more.
func (e *eventStream) wait(ctx context.Context, more <-chan struct{}, beat <-chan time.Time, expires time.Time, out *bytes.Buffer) string {
	var expired <-chan time.Time
	if !expires.IsZero() {
		t := time.NewTimer(expires.Sub(e.s.now()))
		defer t.Stop()
		expired = t.C
	}
	select {
	case <-ctx.Done():
		return "client"
	case <-e.s.stopping:
		return "shutdown"
	case <-expired:
	case <-beat:
		// Also who is told of nothing for days can go on from here.
		out.WriteString(": still here\n")
		if e.told != e.after {
			e.place(out)
		} else {
			out.WriteByte('\n')
		}
	case <-more:
		// Of many changes at once a reader gets many at once.
		pace := time.NewTimer(eventPace)
		defer pace.Stop()
		select {
		case <-ctx.Done():
			return "client"
		case <-e.s.stopping:
			return "shutdown"
		case <-pace.C:
		}
	}
	return ""
}

// place ends a block that carries the id alone: it is no event, and the reader
// comes back with it.
func (e *eventStream) place(out *bytes.Buffer) {
	out.WriteString("id: " + e.after.String() + "\n\n")
	e.told = e.after
}

// read writes the next entries; rest is true when there are more. It fails when
// the credential is not accepted any more.
func (e *eventStream) read(ctx context.Context, out *bytes.Buffer) (rest bool, expires time.Time, err error) {
	err = e.s.store.View(ctx, func(v *store.View) error {
		actor, until, err := v.Renew(e.actor)
		if err != nil {
			return err
		}
		expires = until
		n := 0
		v.EachEntry(actor.Org, e.after.Seq, func(x *store.Entry) bool {
			if n == eventBatch {
				rest = true
				return false
			}
			n++
			e.after = v.Position(x.Seq)
			if e.filter.Match(x) && v.MayRead(actor, x) {
				e.write(out, v.Event(actor, x))
			}
			return true
		})
		return nil
	})
	return rest, expires, err
}

func (e *eventStream) write(out *bytes.Buffer, x store.Event) {
	data, err := json.Marshal(x)
	if err != nil {
		return // plain texts and numbers can be written
	}
	out.WriteString("data: ")
	out.Write(data)
	out.WriteByte('\n')
	e.place(out)
	e.s.streams.sent.Inc()
}

// streams counts who reads changes.
type streams struct {
	most, each int

	mu    sync.Mutex
	all   int
	of    map[string]int
	open  prometheus.Gauge
	sent  prometheus.Counter
	ended *prometheus.CounterVec
}

func newStreams(most, each int) *streams {
	if most <= 0 {
		most = defaultStreams
	}
	if each <= 0 {
		each = defaultStreamsEach
	}
	return &streams{
		most: most, each: each, of: map[string]int{},
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "daybook_event_streams", Help: "Open streams of changes."}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{Name: "daybook_events_sent_total", Help: "Changes told to streams."}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daybook_event_streams_ended_total", Help: "Streams of changes that ended, by reason.",
		}, []string{"reason"}),
	}
}

func (s *streams) collectors() []prometheus.Collector {
	return []prometheus.Collector{s.open, s.sent, s.ended}
}

// enter counts a reader in; leave counts it out.
func (s *streams) enter(a *store.Actor) (leave func(), err error) {
	who := "credential " + a.Credential
	if a.Credential == "" && a.Principal != nil {
		who = "principal " + a.Principal.UUID.String()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	again := http.Header{"Retry-After": {"30"}}
	switch {
	case s.of[who] >= s.each:
		return nil, &rest.Problem{Status: http.StatusTooManyRequests, Detail: "this credential has too many open streams", Header: again}
	case s.all >= s.most:
		return nil, &rest.Problem{Status: http.StatusServiceUnavailable, Detail: "the server has too many open streams", Header: again}
	}
	s.all++
	s.of[who]++
	s.open.Inc()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all--
		if s.of[who]--; s.of[who] == 0 {
			delete(s.of, who)
		}
		s.open.Dec()
	}, nil
}
