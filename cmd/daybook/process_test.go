package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"daybook/api/admin"
)

var killRounds = flag.Int("kill-rounds", 3, "how often the daemon is killed while it is written to")

// runMain makes the test's own program be the daemon.
const runMain = "TEST_RUN_DAYBOOK"

func TestMain(m *testing.M) {
	if os.Getenv(runMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a daemon of its own.
type process struct {
	welcome
	cmd *exec.Cmd
}

// startProcess starts a daemon in a process of its own, and waits until it
// serves.
func startProcess(t *testing.T, data string, args ...string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.CommandContext(t.Context(), exe, append([]string{"serve", "--json", "--data", data, "--listen", "127.0.0.1:0"}, args...)...)}
	p.cmd.Env = append(os.Environ(), runMain+"=1")
	var errout syncBuffer
	p.cmd.Stderr = &errout
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&p.welcome); err != nil {
		t.Fatalf("the daemon did not start: %v\n%s", err, errout.String())
	}
	return p
}

// end waits for the process and gives its exit code, -1 for a signal's.
func (p *process) end(t *testing.T) int {
	t.Helper()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// writers puts events into a calendar from 16 connections until the daemon goes
// away, and gives the ETag of every one that was acknowledged. enough is called
// once, when so many were.
func (p *process) writers(round int, calendar, user, password string, many int, enough func()) map[string]string {
	var mu sync.Mutex
	var wg sync.WaitGroup
	acknowledged := map[string]string{}
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for w := range 16 {
		wg.Go(func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("r%d-w%d-%d.ics", round, w, i)
				event := strings.Replace(someEvent, "UID:slow", "UID:"+name, 1)
				req, err := http.NewRequest("PUT", p.CalDAV+calendar+name, strings.NewReader(event))
				if err != nil {
					return
				}
				req.SetBasicAuth(user, password)
				req.Header.Set("Content-Type", "text/calendar")
				resp, err := client.Do(req)
				if err != nil {
					return // killed
				}
				_, err = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusCreated || err != nil {
					return
				}
				mu.Lock()
				acknowledged[name] = resp.Header.Get("ETag")
				if len(acknowledged) == many {
					enough()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return acknowledged
}

var memberAndTag = regexp.MustCompile(`(?s)<D:href>[^<]*/([^/<]+\.ics)</D:href>.*?getetag>([^<]*)<`)

// TestKilledDaemonKeepsEveryAcknowledgedWrite kills the daemon while 16
// connections write, starts it again, and looks for what it had acknowledged.
func TestKilledDaemonKeepsEveryAcknowledgedWrite(t *testing.T) {
	data := t.TempDir()
	must[admin.SetUp](t, data, "init")
	password := must[admin.Password](t, data, "user", "password", "admin").Password
	want := map[string]string{}
	for round := range *killRounds {
		p := startProcess(t, data)
		maps.Copy(want, p.writers(round, "calendars/admin/calendar/", "admin", password, 50+37*round%200, func() { p.signal(t, syscall.SIGKILL) }))
		if code := p.end(t); code != -1 {
			t.Fatalf("exit code %d of a killed daemon", code)
		}
		if r := command(t, data, "check"); r.code != 0 {
			t.Fatalf("round %d: %+v", round, r)
		}
	}
	p := startProcess(t, data) // in spite of the socket and the lock file that are left
	status, body := listing(t, p.CalDAV+"calendars/admin/calendar/", password)
	have := map[string]string{}
	for _, m := range memberAndTag.FindAllStringSubmatch(body, -1) {
		have[m[1]] = strings.ReplaceAll(m[2], "&quot;", `"`)
	}
	lost := 0
	for name, tag := range want {
		if have[name] != tag {
			lost++
			t.Logf("%s: %q, acknowledged as %q", name, have[name], tag)
		}
	}
	if lost > 0 || len(want) == 0 {
		t.Errorf("%d of %d acknowledged writes are lost (listing: %d, %d members)", lost, len(want), status, len(have))
	}
	p.signal(t, syscall.SIGTERM)
	if code := p.end(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

// listing is PROPFIND Depth 1 for the ETags of all members.
func listing(t *testing.T, url, password string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "PROPFIND", url, strings.NewReader(`<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", password)
	req.Header.Set("Depth", "1")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestSecondSignalEndsAtOnce keeps a request open, so that the first signal
// alone would be waited out.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	p := startProcess(t, t.TempDir())
	c, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, "PUT /dav/calendars/admin/calendar/x.ics HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n"+
		"Authorization: Basic "+basic("admin", p.Password)+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q %v", line, err)
	}
	p.signal(t, syscall.SIGTERM)
	waitFor(t, "the listener to close", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	p.signal(t, syscall.SIGTERM)
	if code := p.end(t); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
}

func basic(user, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ")
}
