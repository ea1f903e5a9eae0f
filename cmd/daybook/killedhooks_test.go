package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"daybook/api/admin"
	"daybook/store"
	"daybook/sync/webhooks"
)

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// hookReceiver is told of changes, and kills who tells it.
type hookReceiver struct {
	t *testing.T

	mu     sync.Mutex
	got    []string // ids of the events, as they came
	posts  int      // in this round
	killAt int      // the post of this round that is the last; 0: none
	before bool     // it is not answered
	victim *process
}

func (r *hookReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	content, err := io.ReadAll(req.Body)
	if err != nil {
		return // it was killed meanwhile
	}
	var body struct {
		Type string
		Data struct{ Events []struct{ ID string } }
	}
	if want := webhooks.Sign(hookSecret, req.Header.Get("Webhook-Id"), req.Header.Get("Webhook-Timestamp"), content); req.Header.Get("Webhook-Signature") != want {
		r.t.Errorf("signature %q, want %q", req.Header.Get("Webhook-Signature"), want)
	}
	if err := json.Unmarshal(content, &body); err != nil || body.Type != "changes" || len(body.Data.Events) == 0 {
		r.t.Errorf("%v: %s", err, content)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range body.Data.Events {
		r.got = append(r.got, e.ID)
	}
	if r.posts++; r.posts != r.killAt {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if !r.before { // it may hear the answer, and may have no time to note it
		w.WriteHeader(http.StatusNoContent)
		_ = http.NewResponseController(w).Flush()
	}
	if err := r.victim.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		r.t.Error(err)
	}
}

// aim says which post of the next round kills the daemon.
func (r *hookReceiver) aim(p *process, killAt int, before bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.victim, r.posts, r.killAt, r.before = p, 0, killAt, before
}

func (r *hookReceiver) last() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.got) == 0 {
		return ""
	}
	return r.got[len(r.got)-1]
}

// webhook makes one.
func (p *process) webhook(t *testing.T, password, url string) {
	t.Helper()
	body := fmt.Sprintf(`{"url":%q,"secret":%q}`, url, hookSecret)
	req, err := http.NewRequestWithContext(t.Context(), "POST", p.URL+"/v1/webhooks", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", password)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusCreated {
		answer, _ := io.ReadAll(resp.Body)
		t.Fatalf("%d %s", resp.StatusCode, answer)
	}
}

// TestKilledDaemonDeliversEveryChange kills the daemon while it posts to a
// webhook and 16 connections write: in the end the receiver was told of each
// entry of the journal, for the first time in their order, and signed.
func TestKilledDaemonDeliversEveryChange(t *testing.T) {
	data := t.TempDir()
	must[admin.SetUp](t, data, "init")
	password := must[admin.Password](t, data, "user", "password", "admin").Password
	must[admin.Resource](t, data, "resource", "create", "room", "room")
	to := &hookReceiver{t: t}
	server := httptest.NewServer(to)
	defer server.Close()
	acknowledged := map[string]string{}
	var p *process
	for round := range *killRounds {
		p = startProcess(t, data, "--fetch-allow", "127.0.0.1")
		to.aim(p, 1+round%3, round%2 == 0)
		if round == 0 {
			p.webhook(t, password, server.URL+"/hook")
		}
		late := time.AfterFunc(time.Minute, func() {
			t.Errorf("round %d: nothing was delivered", round)
			_ = p.cmd.Process.Kill()
		})
		maps.Copy(acknowledged, p.writers(round, "calendars/room/calendar/", "admin", password, -1, nil))
		late.Stop()
		if code := p.end(t); code != -1 {
			t.Fatalf("exit code %d of a killed daemon", code)
		}
	}
	p = startProcess(t, data, "--fetch-allow", "127.0.0.1")
	to.aim(p, 0, false)
	status, _, answer := ask(t, "GET", p.URL+"/v1/audit?limit=1", "admin", password, "")
	var newest struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(answer), &newest); err != nil || len(newest.Items) != 1 {
		t.Fatalf("%d %v %s", status, err, answer)
	}
	waitFor(t, "the last delivery", func() bool { return to.last() == newest.Items[0].ID })
	p.signal(t, syscall.SIGTERM)
	if code := p.end(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	journal := journalOf(t, data, acknowledged)
	next, again := 0, 0
	known := map[string]bool{}
	for _, id := range to.got {
		switch {
		case next < len(journal) && id == journal[next]:
			known[id] = true
			next++
		case known[id]:
			again++
		default:
			t.Fatalf("%s came before %s", id, journal[next])
		}
	}
	if next != len(journal) || len(acknowledged) == 0 {
		t.Errorf("%d of %d entries were delivered", next, len(journal))
	}
	t.Logf("%d entries were delivered, %d of them again", next, again)
}

// journalOf gives the ids of the entries from the making of the webhook on, and
// checks that each acknowledged write has one.
func journalOf(t *testing.T, data string, acknowledged map[string]string) (ids []string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(data, databaseFile)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	missing := len(acknowledged)
	err = s.View(t.Context(), func(v *store.View) error {
		org, err := v.PrincipalByName(jobOrganisation)
		if err != nil {
			return err
		}
		v.EachEntry(org.ID, 0, func(e *store.Entry) bool {
			if ids != nil || strings.HasPrefix(e.What(), "webhook.") {
				ids = append(ids, v.Position(e.Seq).String())
			}
			if acknowledged[e.Name] != "" {
				missing--
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if missing != 0 {
		t.Errorf("%d acknowledged writes are not in the journal", missing)
	}
	return ids
}
