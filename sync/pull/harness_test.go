package pull

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daybook/ical"
	"daybook/store"
	"daybook/sync/guard"
)

var monday = time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)

// world is a store with a resource, a remote of it, and what serves it.
type world struct {
	*testing.T
	st     *store.Store
	org    *store.Principal
	ada    *store.Principal
	cal    store.CollectionID
	puller *Puller
	remote *store.Remote
	clock  atomic.Int64 // seconds
	serve  atomic.Pointer[http.HandlerFunc]
	srv    *httptest.Server
}

func newWorld(t *testing.T, change ...func(*store.Remote)) *world {
	t.Helper()
	w := &world{T: t}
	w.clock.Store(monday.Unix())
	st, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "x.db"), Create: true, Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	w.st = st
	w.org = &store.Principal{Kind: store.KindOrganisation, Name: "demo", Zone: "UTC"}
	w.ada = &store.Principal{Kind: store.KindStaff, Name: "ada"}
	w.update(func(tx *store.Tx) error {
		for _, p := range []*store.Principal{w.org, w.ada} {
			p.Org = w.org.ID
			if err := tx.CreatePrincipal(p); err != nil {
				return err
			}
		}
		c, err := tx.Calendar(w.ada.ID)
		if err == nil {
			w.cal = c.ID
		}
		return err
	})
	w.srv = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*w.serve.Load())(rw, r) }))
	t.Cleanup(w.srv.Close)
	w.puller = w.patient(time.Minute)
	w.remote = &store.Remote{Org: w.org.ID, Name: "far", Kind: store.RemoteICS, Target: w.cal}
	for _, f := range change {
		f(w.remote)
	}
	w.at(w.srv.URL + "/far.ics")
	return w
}

// patient gives a puller that waits so long for an answer.
func (w *world) patient(wait time.Duration) *Puller {
	fetch := guard.New(guard.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, MaxBody: 1 << 20, Timeout: wait})
	w.Cleanup(fetch.Close)
	return New(Options{Store: w.st, Fetch: fetch, Now: w.now, Rand: func() float64 { return 0.5 }})
}

func (w *world) now() time.Time { return time.Unix(w.clock.Load(), 0).UTC() }

// at gives the remote an address.
func (w *world) at(address string) {
	w.Helper()
	w.update(func(tx *store.Tx) error {
		w.remote.Sealed = nil
		return tx.PutRemote(w.remote, &store.RemoteAccess{URL: address, User: "me", Password: "secret-word"})
	})
}

func (w *world) update(fn func(*store.Tx) error) {
	w.Helper()
	if err := w.st.Update(context.Background(), fn); err != nil {
		w.Fatal(err)
	}
}

func (w *world) view(fn func(*store.View) error) {
	w.Helper()
	if err := w.st.View(context.Background(), fn); err != nil {
		w.Fatal(err)
	}
}

// answer lets the server give a body.
func (w *world) answer(body string, headers ...string) {
	w.handle(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/calendar; charset=utf-8")
		for i := 0; i+1 < len(headers); i += 2 {
			rw.Header().Set(headers[i], headers[i+1])
		}
		_, _ = rw.Write([]byte(body))
	})
}

func (w *world) handle(h http.HandlerFunc) { w.serve.Store(&h) }

// pull pulls and wants it to go well.
func (w *world) pull() store.RemoteState {
	w.Helper()
	s, err := w.puller.Pull(context.Background(), w.remote.ID)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// fails pulls and wants it to go wrong in that way, without a secret in the
// reason.
func (w *world) fails(result string) store.RemoteState {
	w.Helper()
	s, err := w.puller.Pull(context.Background(), w.remote.ID)
	if err == nil || s.Result != result {
		w.Errorf("%v: %q, want %q", err, s.Result, result)
	}
	if strings.Contains(s.Error, "secret") {
		w.Errorf("the reason tells too much: %s", s.Error)
	}
	return s
}

// titles gives name-independent facts of the calendar: UID and summary.
func (w *world) titles() string {
	w.Helper()
	var out []string
	w.view(func(v *store.View) error {
		out = nil
		return v.EachMember(w.cal, "", func(m store.Member) bool {
			data, err := v.Data(m.Object)
			if err != nil {
				w.Error(err)
			}
			o, err := ical.Parse(data, ical.DefaultLimits)
			if err != nil {
				w.Error(err)
				return true
			}
			out = append(out, o.UID()+"="+o.Main()[0].Text("SUMMARY"))
			return true
		})
	})
	return strings.Join(sortedStrings(out), " ")
}

// seq gives how many changes the calendar has seen.
func (w *world) seq() (n uint64) {
	w.Helper()
	w.view(func(v *store.View) error {
		s, err := v.State(w.cal)
		n = s.Seq
		return err
	})
	return n
}

func (w *world) check() {
	w.Helper()
	if _, err := w.st.Check(context.Background(), false, func(p store.Problem) { w.Errorf("check: %s %s: %s", p.Kind, p.Where, p.Message) }); err != nil {
		w.Fatal(err)
	}
}

// stream writes a calendar of events UID=SUMMARY.
func stream(events ...string) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//far//EN\r\n")
	for i, e := range events {
		uid, title, _ := strings.Cut(e, "=")
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:202703%02dT090000Z\r\nDURATION:PT1H\r\nSUMMARY:%s\r\nEND:VEVENT\r\n", uid, 1+i%28, title)
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}

func parseObject(t *testing.T, text string) *ical.Object {
	t.Helper()
	o, err := ical.ParseResource([]byte(text), ical.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
