package pull

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/ical/span"
	"daybook/store"
)

func sortedStrings(s []string) []string {
	slices.Sort(s)
	return s
}

func TestStreamIsKeptInStep(t *testing.T) {
	w := newWorld(t)
	w.answer(stream("a=A", "b=B", "c=C", "d=D"))
	s := w.pull()
	if got := w.titles(); got != "a=A b=B c=C d=D" || s.Added != 4 || s.Items != 4 || s.Result != "ok" {
		t.Fatalf("%s %+v", got, s)
	}
	w.answer(stream("a=A", "b=B2", "c=C", "e=E"))
	s = w.pull()
	if got := w.titles(); got != "a=A b=B2 c=C e=E" || s.Added != 1 || s.Updated != 1 || s.Removed != 1 || s.Items != 4 {
		t.Fatalf("%s %+v", got, s)
	}
	w.view(func(v *store.View) error {
		taken, err := v.Taken(w.ada.ID, span.Span{Start: monday.Add(time.Hour), End: monday.Add(90 * time.Minute)})
		if !taken {
			t.Error("what is pulled takes no time")
		}
		return err
	})
	w.check()
}

// A source that writes new stamps each time, or new UIDs, says nothing new.
func TestChurningSourceChangesNothing(t *testing.T) {
	w := newWorld(t)
	churn := func(n int) string {
		s := strings.ReplaceAll(stream("a=A", "b=B", "b2=B"), "20270101T000000Z", fmt.Sprintf("202701%02dT000000Z\r\nSEQUENCE:%d\r\nLAST-MODIFIED:20270102T00000%dZ", n, n, n))
		return s
	}
	w.answer(churn(1))
	w.pull()
	before := w.seq()
	for n := 2; n < 5; n++ {
		w.answer(churn(n))
		if s := w.pull(); s.Result != "unchanged" || w.seq() != before {
			t.Fatalf("new stamps: %+v", s)
		}
	}
	for n := range 3 {
		w.answer(strings.ReplaceAll(churn(5), "UID:", fmt.Sprintf("UID:%d-", n)))
		if s := w.pull(); s.Result != "unchanged" || w.seq() != before {
			t.Fatalf("new UIDs: %+v", s)
		}
	}
	// Among new UIDs a real change is still seen, and only that.
	w.answer(strings.Replace(strings.ReplaceAll(churn(5), "UID:", "UID:9-"), "SUMMARY:A", "SUMMARY:A2", 1))
	if s := w.pull(); s.Added != 1 || s.Removed != 1 || s.Updated != 0 || w.titles() != "9-a=A2 b2=B b=B" {
		t.Fatalf("%s %+v", w.titles(), s)
	}
}

func TestRequestsAreConditional(t *testing.T) {
	w := newWorld(t)
	asked := 0
	w.handle(func(rw http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "me" || password != "secret-word" {
			t.Error("no credentials")
		}
		asked++
		rw.Header().Set("ETag", `"1"`)
		rw.Header().Set("Last-Modified", "Mon, 01 Feb 2027 00:00:00 GMT")
		if asked > 1 {
			if r.Header.Get("If-None-Match") != `"1"` || r.Header.Get("If-Modified-Since") == "" {
				t.Errorf("headers %v", r.Header)
			}
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = rw.Write([]byte(stream("a=A")))
	})
	w.pull()
	if s := w.pull(); s.Result != "unchanged" || w.titles() != "a=A" {
		t.Errorf("%+v", s)
	}
	// Another way to count is a reason to look at everything again.
	w.remote.Counts, w.remote.Sealed = store.CountsFree, nil
	w.update(func(tx *store.Tx) error { return tx.PutRemote(w.remote, nil) })
	asked = 0
	if s := w.pull(); s.Updated != 1 {
		t.Errorf("%+v", s)
	}
	w.check()
}

func TestMovedForGoodIsRemembered(t *testing.T) {
	w := newWorld(t)
	w.handle(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/far.ics":
			rw.Header().Set("Location", "/new.ics")
			rw.WriteHeader(http.StatusMovedPermanently)
		case "/new.ics":
			rw.Header().Set("Location", "/today.ics")
			rw.WriteHeader(http.StatusFound)
		default:
			_, _ = rw.Write([]byte(stream("a=A")))
		}
	})
	w.pull()
	w.view(func(v *store.View) error {
		r, err := v.Remote(w.remote.ID)
		if err != nil {
			return err
		}
		a, err := v.RemoteAccess(r)
		if a.URL != w.srv.URL+"/new.ics" || a.Password != "secret-word" || r.Host != w.srv.URL {
			t.Errorf("%+v %s", a, r.Host)
		}
		return err
	})
}

// Whatever a server does, the last good data stays, the reason is told, and the
// next try comes later each time.
func TestFaultsChangeNothing(t *testing.T) {
	w := newWorld(t)
	good := stream("a=A", "b=B", "c=C", "d=D", "e=E")
	w.answer(good)
	w.pull()
	before := w.seq()
	zip := func(b []byte) []byte {
		var buf bytes.Buffer
		z := gzip.NewWriter(&buf)
		_, _ = z.Write(b)
		_ = z.Close()
		return buf.Bytes()
	}
	raw := func(status int, body string, headers ...string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(headers); i += 2 {
				rw.Header().Set(headers[i], headers[i+1])
			}
			rw.WriteHeader(status)
			_, _ = rw.Write([]byte(body))
		}
	}
	last := time.Duration(0)
	for _, c := range []struct {
		name, result string
		h            http.HandlerFunc
	}{
		{"500", "status", raw(500, "oops")},
		{"401 after success", "login", raw(401, "<html>")},
		{"404", "missing", raw(404, "")},
		{"410", "missing", raw(410, "")},
		{"empty 200", "no_calendar", raw(200, "")},
		{"empty 204", "status", raw(204, "")},
		{"HTML", "no_calendar", raw(200, "<!DOCTYPE html><title>Sign in</title>", "Content-Type", "text/html")},
		{"HTML that says it is a calendar", "no_calendar", raw(200, "\n <html>", "Content-Type", "text/calendar")},
		{"cut in the middle", "no_calendar", raw(200, good[:len(good)/2])},
		{"cut before the end", "no_calendar", raw(200, strings.TrimSuffix(good, "END:VCALENDAR\r\n"))},
		{"cut, with a length", "answer", raw(200, good[:100], "Content-Length", "1000")},
		{"no calendar", "no_calendar", raw(200, "hello")},
		{"empty calendar", "stopped", raw(200, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n")},
		{"most are gone", "stopped", raw(200, stream("a=A", "b=B"))},
		{"gzip bomb", "too_large", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Encoding", "gzip")
			_, _ = rw.Write(zip(make([]byte, 4<<20)))
		}},
		{"gzip cut", "answer", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Encoding", "gzip")
			_, _ = rw.Write(zip([]byte(good))[:50])
		}},
		{"too large", "too_large", raw(200, strings.Repeat("x", 2<<20))},
		{"redirect loop", "redirect", raw(302, "", "Location", "/far.ics")},
		{"redirect inside", "refused", raw(302, "", "Location", "http://10.0.0.1/")},
		{"slow loris", "timeout", func(rw http.ResponseWriter, r *http.Request) {
			_, _ = rw.Write([]byte("BEGIN:VCALENDAR\r\n"))
			_ = http.NewResponseController(rw).Flush()
			<-r.Context().Done()
		}},
		{"character set that is not known", "no_calendar", raw(200, "BEGIN:VCALENDAR\r\n\xff", "Content-Type", "text/calendar; charset=klingon")},
		{"closed", "connect", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		w.handle(c.h)
		w.puller = w.patient(time.Minute)
		if c.result == "timeout" {
			w.puller = w.patient(300 * time.Millisecond)
		}
		s := w.fails(c.result)
		if w.seq() != before {
			t.Fatalf("%s: the calendar was changed: %s", c.name, w.titles())
		}
		if s.Error == "" || !s.Success.Equal(monday) {
			t.Errorf("%s: %+v", c.name, s)
		}
		if c.result == "stopped" {
			if s.Stopped == "" {
				t.Errorf("%s: it goes on", c.name)
			}
			if _, err := w.puller.Pull(context.Background(), w.remote.ID); !errors.Is(err, ErrStopped) {
				t.Errorf("%s: %v", c.name, err)
			}
			w.clear()
			continue
		}
		if wait := s.Next.Sub(w.now()); wait < last && wait < maxRetry {
			t.Errorf("%s: the wait got shorter: %s after %s", c.name, wait, last)
		} else {
			last = wait
		}
	}
	w.answer(good + " ")
	if s := w.pull(); s.Failures != 0 || s.Error != "" || s.Next.Sub(w.now()) > 2*time.Hour {
		t.Errorf("after a good answer: %+v", s)
	}
}

// clear lets a remote go on without letting deletions pass.
func (w *world) clear() {
	w.update(func(tx *store.Tx) error {
		s, err := tx.RemoteState(w.remote.ID)
		s.Stopped = ""
		return errors.Join(err, tx.PutRemoteState(w.remote.ID, s))
	})
}

func TestResumeLetsDeletionsPassOnce(t *testing.T) {
	w := newWorld(t)
	w.answer(stream("a=A", "b=B", "c=C", "d=D", "e=E"))
	w.pull()
	w.answer(stream("a=A", "b=B"))
	w.fails("stopped")
	if err := w.puller.Resume(context.Background(), w.remote.ID); err != nil {
		t.Fatal(err)
	}
	if s := w.pull(); s.Removed != 3 || w.titles() != "a=A b=B" || s.Allowed {
		t.Errorf("%s %+v", w.titles(), s)
	}
	w.answer(stream())
	w.fails("stopped")
	// What the operator filters out is no deletion of the source.
	w.clear()
	w.answer(stream("a=A", "b=B", "x=X"))
	w.remote.Categories, w.remote.Sealed = []string{"none"}, nil
	w.update(func(tx *store.Tx) error { return tx.PutRemote(w.remote, nil) })
	if s := w.pull(); s.Removed != 2 || w.titles() != "" {
		t.Errorf("%s %+v", w.titles(), s)
	}
}

func TestOneBadObjectTakesNothingWithIt(t *testing.T) {
	w := newWorld(t)
	bad := strings.Replace(stream("a=A", "b=B", "c=C"), "UID:b\r\n", "UID:b\r\nRRULE:FREQ=NEVER\r\n", 1)
	w.answer(bad)
	s := w.pull()
	if w.titles() != "a=A c=C" || s.Refused != 1 || len(s.Refusals) != 1 || s.Refusals[0].UID != "b" {
		t.Fatalf("%s %+v", w.titles(), s)
	}
	// One that was good before stays as it was.
	w.answer(stream("a=A", "b=B", "c=C"))
	w.pull()
	w.answer(bad)
	if s = w.pull(); w.titles() != "a=A b=B c=C" || s.Refused != 1 || s.Removed != 0 {
		t.Errorf("%s %+v", w.titles(), s)
	}
	// A UID that the calendar has already is somebody else's.
	p, err := w.st.Prepare(parseObject(t, stream("own=Own")))
	if err != nil {
		t.Fatal(err)
	}
	w.update(func(tx *store.Tx) error {
		_, err := tx.PutObject(store.Put{Actor: store.System(), Collection: w.cal, Name: "own.ics", Object: p})
		return err
	})
	w.answer(stream("a=A", "b=B", "c=C", "own=Theirs"))
	if s = w.pull(); w.titles() != "a=A b=B c=C own=Own" || s.Refused != 1 {
		t.Errorf("%s %+v", w.titles(), s)
	}
	w.update(func(tx *store.Tx) error { return tx.DeleteObject(store.System(), w.cal, "own.ics", store.Cond{}) })
	if s = w.pull(); w.titles() != "a=A b=B c=C own=Theirs" || s.Refused != 0 {
		t.Errorf("what was refused does not go in later: %s %+v", w.titles(), s)
	}
	w.check()
}

func TestFilters(t *testing.T) {
	events := stream("a=A", "b=B", "c=C")
	events = strings.Replace(events, "SUMMARY:B", "CATEGORIES:Work,Other\r\nSUMMARY:B", 1)
	events = strings.Replace(events, "DTSTART:20270303", "DTSTART:20280303", 1)
	events = strings.Replace(events, "END:VCALENDAR", "BEGIN:VTODO\r\nUID:t\r\nDTSTAMP:20270101T000000Z\r\nSUMMARY:T\r\nEND:VTODO\r\nEND:VCALENDAR", 1)
	for name, c := range map[string]struct {
		change func(*store.Remote)
		want   string
	}{
		"none":       {func(*store.Remote) {}, "a=A b=B c=C"},
		"components": {func(r *store.Remote) { r.Components = []string{"VTODO"} }, "t=T"},
		"categories": {func(r *store.Remote) { r.Categories = []string{"work"} }, "b=B"},
		"days ahead": {func(r *store.Remote) { r.FutureDays = 30 }, "a=A b=B"},
	} {
		w := newWorld(t, c.change)
		w.answer(events)
		w.pull()
		if got := w.titles(); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	// A window moves with the days, and what leaves it is no accident.
	w := newWorld(t, func(r *store.Remote) { r.PastDays = 5 })
	w.answer(stream("a=A", "b=B", "c=C"))
	w.pull()
	w.clock.Add(30 * 24 * 60 * 60)
	if s := w.pull(); w.titles() != "" || s.Removed != 3 {
		t.Errorf("%s %+v", w.titles(), s)
	}
}

func TestCharacterSets(t *testing.T) {
	for name, c := range map[string]struct{ title, contentType, want string }{
		"UTF-8 that says Latin 1":   {"Müller", "text/calendar; charset=iso-8859-1", "a=Müller"},
		"Latin 1":                   {"M\xfcller", "text/calendar; charset=iso-8859-1", "a=Müller"},
		"Latin 1 that says nothing": {"M\xfcller", "text/calendar", "a=Müller"},
		"Latin 1 that says UTF-8":   {"M\xfcller", "text/calendar; charset=utf-8", ""},
		"a mark in front":           {"Müller", "text/calendar", "a=Müller"},
	} {
		w := newWorld(t)
		body := stream("a=" + c.title)
		if name == "a mark in front" {
			body = "\xef\xbb\xbf" + body
		}
		w.answer(body, "Content-Type", c.contentType)
		if s := w.pull(); w.titles() != c.want || s.Refused != 0 != (c.want == "") {
			t.Errorf("%s: %q %+v", name, w.titles(), s)
		}
	}
}

func TestHintsOfTheSource(t *testing.T) {
	for body, want := range map[string]time.Duration{
		"REFRESH-INTERVAL;VALUE=DURATION:PT2H\r\n":                        2 * time.Hour,
		"X-PUBLISHED-TTL:P1D\r\n":                                         24 * time.Hour,
		"X-PUBLISHED-TTL:P1D\r\nREFRESH-INTERVAL;VALUE=DURATION:PT3H\r\n": 3 * time.Hour,
		"X-PUBLISHED-TTL:soon\r\n":                                        time.Minute,
		"":                                                                time.Minute,
		"BEGIN:VEVENT\r\nREFRESH-INTERVAL:PT9H\r\n":                       time.Minute,
	} {
		h := http.Header{"Cache-Control": {"private, max-age=60"}}
		if got := hintOf([]byte("BEGIN:VCALENDAR\r\n"+body), h); got != want {
			t.Errorf("%q: %s", body, got)
		}
	}
	w := newWorld(t)
	w.answer(strings.Replace(stream("a=A"), "PRODID", "REFRESH-INTERVAL:PT1M\r\nPRODID", 1))
	if s := w.pull(); s.Next.Sub(w.now()) < 5*time.Minute {
		t.Errorf("the floor does not hold: %s", s.Next.Sub(w.now()))
	}
	w.handle(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", "36000")
		rw.WriteHeader(http.StatusTooManyRequests)
	})
	if s := w.fails("status"); s.Next.Sub(w.now()) != 10*time.Hour {
		t.Errorf("Retry-After is not kept: %s", s.Next.Sub(w.now()))
	}
}

func TestRemovedRemoteTakesItsObjectsAlong(t *testing.T) {
	w := newWorld(t)
	many := make([]string, 150)
	for i := range many {
		many[i] = fmt.Sprintf("u%d=X", i)
	}
	w.answer(stream(many...))
	w.pull()
	if err := w.puller.Remove(context.Background(), w.remote.ID); err != nil {
		t.Fatal(err)
	}
	if w.titles() != "" {
		t.Error("something is left")
	}
	w.view(func(v *store.View) error {
		if _, err := v.Remote(w.remote.ID); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		return nil
	})
	w.check()
}
