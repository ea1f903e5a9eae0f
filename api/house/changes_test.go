package house

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"daybook/api/auth"
	"daybook/api/rest"
	"daybook/store"
)

// note makes a change that every reader of the organisation is told of.
func (p *place) note(name, value string) {
	p.t.Helper()
	p.update(func(tx *store.Tx) error { return tx.PutNote(p.ids["demo"], "test", name, []byte(value)) })
}

// serve gives the place on a listener: streams need a connection.
func (p *place) serve() *httptest.Server {
	p.t.Helper()
	srv := httptest.NewServer(p.api)
	p.t.Cleanup(srv.Close)
	return srv
}

// block is one block of a stream.
type block struct {
	id, event, data string
	comment         bool
}

func (b block) told(t testing.TB) store.Event {
	t.Helper()
	var e store.Event
	if err := json.Unmarshal([]byte(b.data), &e); err != nil {
		t.Fatalf("%v in %q", err, b.data)
	}
	return e
}

// sse is an open stream.
type sse struct {
	t    testing.TB
	body io.ReadCloser
	in   *bufio.Scanner
}

// listen opens a stream. One that was left a moment ago may still count.
func (p *place) listen(srv *httptest.Server, query, last string) *sse {
	p.t.Helper()
	resp := p.open(srv, query, last)
	for resp.StatusCode == http.StatusTooManyRequests {
		_ = resp.Body.Close()
		resp = p.open(srv, query, last)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		b, _ := io.ReadAll(resp.Body)
		p.t.Fatalf("%d %s: %s", resp.StatusCode, resp.Header, b)
	}
	return &sse{p.t, resp.Body, bufio.NewScanner(resp.Body)}
}

func (p *place) open(srv *httptest.Server, query, last string) *http.Response {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, srv.URL+"/v1/events"+query, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header = p.header.Clone()
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := srv.Client().Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// next reads the next block; ok is false at the end of the stream.
func (s *sse) next() (b block, ok bool) {
	s.t.Helper()
	for s.in.Scan() {
		switch line := s.in.Text(); {
		case line == "":
			return b, true
		case strings.HasPrefix(line, ":"):
			b.comment = true
		default:
			name, value, _ := strings.Cut(line, ": ")
			switch name {
			case "id":
				b.id = value
			case "event":
				b.event = value
			case "data":
				b.data = value
			}
		}
	}
	return b, false
}

// event reads the next block that is an event.
func (s *sse) event() block {
	s.t.Helper()
	for {
		b, ok := s.next()
		if !ok {
			s.t.Fatal("the stream ended")
		}
		if b.data != "" {
			return b
		}
	}
}

// TestFollowerOfEventsSeesEveryWriteOnceInOrder breaks off at random and comes
// back with the last id, while others write.
func TestFollowerOfEventsSeesEveryWriteOnceInOrder(t *testing.T) {
	p := newPlace(t)
	srv := p.serve()
	first := p.listen(srv, "", "")
	begin, _ := first.next()
	_ = first.body.Close()
	const writes = 150
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range writes {
			err := p.store.Update(context.WithoutCancel(t.Context()), func(tx *store.Tx) error {
				return tx.PutNote(p.ids["demo"], "test", fmt.Sprint(i), []byte("x"))
			})
			if err != nil {
				t.Error(err)
			}
		}
	}()
	var got []string
	last := begin.id
	for len(got) < writes {
		s := p.listen(srv, "?what=note", last)
		for range 1 + rand.IntN(20) {
			b := s.event()
			if b.event != "" {
				t.Fatalf("%+v", b)
			}
			got = append(got, b.told(t).Object.Name)
			if last = b.id; len(got) == writes {
				break
			}
		}
		_ = s.body.Close()
	}
	<-done
	for i, name := range got {
		if name != fmt.Sprint("test/", i) {
			t.Fatalf("event %d is of %s", i, name)
		}
	}
}

func TestEventsAreFilteredByWhatOneMayRead(t *testing.T) {
	p := newPlace(t)
	srv := p.serve()
	ada, all, room := p.as(forAda).listen(srv, "", ""), p.listen(srv, "?what=resource", ""), p.as(reader).listen(srv, "?resource=room-1", "")
	for _, s := range []*sse{ada, all, room} {
		s.next() // it has begun
	}
	change := func(name string) {
		p.update(func(tx *store.Tx) error {
			x, err := tx.Principal(p.ids[name])
			if err != nil {
				return err
			}
			x.DisplayName += "!"
			return tx.UpdatePrincipal(x)
		})
	}
	for _, name := range []string{"eve", "grace", "bob", "room-1", "ada"} {
		change(name)
	}
	if e := ada.event().told(t); e.Type != "resource.changed" || e.Resource.Name != "ada" || e.Actor.Kind != "unknown" {
		t.Errorf("%+v", e)
	}
	var names []string
	for range 3 {
		names = append(names, all.event().told(t).Resource.Name)
	}
	if !slices.Equal(names, []string{"bob", "room-1", "ada"}) {
		t.Errorf("the administrator is told of %q", names)
	}
	if e := room.event().told(t); e.Resource.Name != "room-1" || e.Resource.ID == nil {
		t.Errorf("%+v", e)
	}
	p.as(forAda).get("/v1/events?resource=bob").want(422)
	p.as(forAda).get("/v1/events?resource=eve").want(422)
	p.get("/v1/events?what=nothing").want(422)
	p.as("").get("/v1/events").want(401)
}

func TestEventsWithAnIDThatIsNoMoreSayReset(t *testing.T) {
	p := newPlace(t)
	srv := p.serve()
	for _, id := range []string{"x", "0000000000000000-1", "0000000000000000-99999999999999999999"} {
		s := p.listen(srv, "?last_event_id="+id, "")
		b := s.event()
		if b.event != "reset" || b.id == "" {
			t.Errorf("%s: %+v", id, b)
		}
		p.note("after", id)
		if e := s.event(); e.event != "" || e.told(t).Object.Name != "test/after" {
			t.Errorf("%s: %+v", id, e)
		}
		_ = s.body.Close()
	}
}

func TestEventsEnd(t *testing.T) {
	t.Run("with the credential", func(t *testing.T) {
		p := newPlace(t)
		s := p.as(reader).listen(p.serve(), "", "")
		s.next()
		p.update(func(tx *store.Tx) error { return tx.DeleteCredential(reader) })
		if b, ok := s.next(); ok {
			t.Errorf("it goes on with %+v", b)
		}
	})
	t.Run("when the credential gets another secret", func(t *testing.T) {
		p := newPlace(t)
		s := p.as(reader).listen(p.serve(), "", "")
		s.next()
		p.update(func(tx *store.Tx) error {
			c, err := tx.Credential(reader)
			if err != nil {
				return err
			}
			return tx.PutCredential(c, "another-secret-0123")
		})
		if b, ok := s.next(); ok {
			t.Errorf("it goes on with %+v", b)
		}
	})
	t.Run("when it expires", func(t *testing.T) {
		p := newPlace(t)
		p.update(func(tx *store.Tx) error {
			c, err := tx.Credential(reader)
			if err != nil {
				return err
			}
			c.Expires = now.Add(50 * time.Millisecond)
			return tx.PutCredential(c, reader+secretPart)
		})
		s := p.as(reader).listen(p.serve(), "", "")
		s.next()
		p.at(now.Add(time.Second))
		if b, ok := s.next(); ok {
			t.Errorf("it goes on with %+v", b)
		}
	})
	t.Run("with the daemon", func(t *testing.T) {
		p := newPlace(t)
		srv := p.serve()
		s := p.listen(srv, "", "")
		s.next()
		close(p.stopping)
		if b, ok := s.next(); ok {
			t.Errorf("it goes on with %+v", b)
		}
	})
	t.Run("at once for HEAD", func(t *testing.T) {
		p := newPlace(t)
		for range 10 {
			if a := p.do(http.MethodHead, "/v1/events", "").want(200); a.Body.Len() != 0 {
				t.Errorf("%q", a.Body)
			}
		}
	})
}

// watched is an answer that can be looked at while it is written.
type watched struct {
	http.ResponseWriter
	mu  sync.Mutex
	all strings.Builder
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all.Write(p)
}

func (w *watched) Flush() {}

func (w *watched) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.all.Reset()
	return w.all.String()
}

// TestHeartbeatsMoveTheIDOfSilentStreams: who is told of nothing can go on
// from a place that is not too old.
func TestHeartbeatsMoveTheIDOfSilentStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		s := &service{store: p.store, now: time.Now, streams: newStreams(0, 0), stopping: p.stopping}
		var actor *store.Actor
		err := p.store.View(t.Context(), func(v *store.View) (err error) {
			c, err := v.Credential(forAda)
			if err == nil {
				actor, err = v.ActorOf(c)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		stream, err := s.events(auth.With(t.Context(), actor), eventsIn{})
		if err != nil {
			t.Fatal(err)
		}
		out := &watched{ResponseWriter: httptest.NewRecorder()}
		go stream.Stream(t.Context(), rest.NewSink(out))
		synctest.Wait()
		out.take()
		time.Sleep(heartbeat + time.Second)
		synctest.Wait()
		if got := out.take(); got != ": still here\n\n" {
			t.Errorf("%q", got)
		}
		p.note("a", "b") // Ada's reader is told nothing of it
		time.Sleep(heartbeat)
		synctest.Wait()
		if got := out.take(); !strings.HasPrefix(got, ": still here\nid: ") || !strings.HasSuffix(got, "\n\n") {
			t.Errorf("%q", got)
		}
		close(p.stopping)
		synctest.Wait()
		if s.streams.all != 0 {
			t.Error("the stream goes on")
		}
	})
}

func TestStreamsAreBounded(t *testing.T) {
	p := newPlace(t)
	srv := p.serve()
	var open []*sse
	for range 3 {
		s := p.listen(srv, "", "")
		s.next()
		open = append(open, s)
	}
	if resp := p.open(srv, "", ""); resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Errorf("a fourth: %d", resp.StatusCode)
	}
	p.as(reader).listen(srv, "", "")
	_ = open[0].body.Close()
	p.note("a", "b") // whoever has gone is noticed
	for {
		resp := p.open(srv, "", "")
		if resp.StatusCode == http.StatusOK {
			break
		}
		_ = resp.Body.Close()
	}
	all := newStreams(1, 5)
	leave, err := all.enter(&store.Actor{Credential: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := all.enter(&store.Actor{Credential: "b"}); err == nil {
		t.Error("one more than there may be in all")
	}
	leave()
	if len(all.of) != 0 {
		t.Errorf("%v is left", all.of)
	}
}

func TestAudit(t *testing.T) {
	p := newPlace(t)
	p.do("POST", "/v1/resources", `{"kind": "room", "name": "room-9"}`).want(201)
	p.do("DELETE", "/v1/resources/room-9", "").want(204)
	var list struct {
		Items []store.Event `json:"items"`
		Next  string        `json:"next"`
	}
	types := func(query string) (out []string) {
		t.Helper()
		p.get("/v1/audit" + query).want(200).into(&list)
		for _, e := range list.Items {
			out = append(out, e.Type)
		}
		return out
	}
	want := []string{"resource.deleted", "calendar.deleted", "calendar.created", "resource.created"}
	if got := types("?resource=room-9"); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if e := list.Items[0]; e.API != "house" || e.Actor.Credential != admin || e.Actor.Kind != "token" || e.Resource.Name != "room-9" || e.Resource.Kind != "room" {
		t.Errorf("%+v", e)
	}
	slices.Reverse(want)
	if got := types("?resource=room-9&order=oldest&api=house"); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := types("?resource=room-9&what=calendar"); len(got) != 2 {
		t.Errorf("%q", got)
	}
	if got := types("?what=resource.deleted,credential.created"); len(got) != 6 { // room-9 and five credentials
		t.Errorf("%q", got)
	}
	if got := types("?from=2027-03-01T07:00:00Z&to=2027-03-01T07:00:01Z"); len(got) == 0 {
		t.Error("nothing at the time of the test")
	}
	if got := types("?to=2027-03-01T07:00:00Z"); len(got) != 0 {
		t.Errorf("%q", got)
	}
	whole, paged := types(""), []string{}
	for next := "?limit=5"; next != ""; {
		paged = append(paged, types(next)...)
		if next = list.Next; next != "" {
			next = "?limit=5&cursor=" + next
		}
	}
	if !slices.Equal(paged, whole) {
		t.Errorf("page by page %q, at once %q", paged, whole)
	}
	for _, e := range whole {
		if strings.Contains(e, "event") {
			t.Errorf("%q", whole)
		}
	}
	p.as(reader).get("/v1/audit").want(403)
	p.as(forAda).get("/v1/audit").want(403)
	p.get("/v1/audit?resource=nobody").want(422)
	p.get("/v1/audit?resource=eve").want(422)
	p.get("/v1/audit?order=up").want(422)
	p.get("/v1/audit?cursor=eA").want(422)
	p.get("/v1/audit?what=x").want(422)
}
