package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"daybook/api/admin"
	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

const (
	jobRooms  = 8
	jobSeries = 260 // endless, in all: the job horizon takes them in some transactions
	jobDays   = 700 // that the job openings keeps: some transactions for each room

	jobOrganisation = "daybook" // which init makes
)

// jobHouse is the store of a daemon that jobs run in.
type jobHouse struct {
	t      *testing.T
	data   string
	config string
	owners []store.PrincipalID // with openings, the organisation first
}

// open opens the store while no daemon holds it.
func (h *jobHouse) open() *store.Store {
	h.t.Helper()
	s, err := store.Open(h.t.Context(), store.Options{Path: filepath.Join(h.data, databaseFile)})
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *jobHouse) close(s *store.Store) {
	h.t.Helper()
	if err := s.Close(); err != nil {
		h.t.Fatal(err)
	}
}

// fill makes rooms with series that never end, and hours of the organisation.
func (h *jobHouse) fill() {
	s := h.open()
	defer h.close(s)
	var puts []*store.Prepared
	for n := range jobSeries {
		puts = append(puts, h.prepare(s, fmt.Sprintf("BEGIN:VEVENT\nUID:series%d\nDTSTAMP:20270101T000000Z\nDTSTART;TZID=Europe/Berlin:202601%02dT%02d1500\n"+
			"DURATION:PT45M\nRRULE:FREQ=WEEKLY;INTERVAL=%d\nEND:VEVENT\n", n, 1+n%28, n%24, 1+n%3)))
	}
	hours := h.prepare(s, jobHours("hours", 9))
	err := s.Update(h.t.Context(), func(tx *store.Tx) error {
		org, err := tx.PrincipalByName(jobOrganisation)
		if err != nil {
			return err
		}
		h.owners = append(h.owners[:0], org.ID)
		if err := jobPut(tx, org.ID, hours); err != nil {
			return err
		}
		for n := range jobRooms {
			p := &store.Principal{Org: org.ID, Kind: store.KindRoom, Name: fmt.Sprintf("room%d", n)}
			if err := tx.CreatePrincipal(p); err != nil {
				return err
			}
			h.owners = append(h.owners, p.ID)
		}
		for n, x := range puts {
			if err := jobPut(tx, h.owners[1+n%jobRooms], x); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func jobHours(uid string, from int) string {
	return fmt.Sprintf("BEGIN:VAVAILABILITY\nUID:%s\nDTSTAMP:20270101T000000Z\nBEGIN:AVAILABLE\nUID:%s-1\nDTSTAMP:20270101T000000Z\n"+
		"DTSTART;TZID=Europe/Berlin:20260105T%02d0000\nDURATION:PT8H\nRRULE:FREQ=DAILY\nEND:AVAILABLE\nEND:VAVAILABILITY\n", uid, uid, from)
}

func jobText(components string) string {
	return strings.ReplaceAll("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\n"+components+"END:VCALENDAR\n", "\n", "\r\n")
}

func (h *jobHouse) prepare(s *store.Store, components string) *store.Prepared {
	h.t.Helper()
	o, err := ical.ParseResource([]byte(jobText(components)), ical.Limits{})
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := s.Prepare(o)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func jobPut(tx *store.Tx, owner store.PrincipalID, p *store.Prepared) error {
	c, err := tx.Calendar(owner)
	if err != nil {
		return err
	}
	_, err = tx.PutObject(store.Put{Actor: store.System(), Collection: c.ID, Name: p.Object().UID() + ".ics", Object: p})
	return err
}

// configure writes a configuration whose horizon is so many days ahead. No job
// runs by its schedule.
func (h *jobHouse) configure(horizon int) {
	h.t.Helper()
	text := fmt.Sprintf("horizon: %dd\nopenings_ahead: %dd\njob_horizon: \"@yearly\"\njob_openings: \"@yearly\"\n", horizon, jobDays)
	if err := os.WriteFile(h.config, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// agree compares what is answered with what availability and busy time give,
// which are never stored, and counts the answers that were stored as a whole.
func (h *jobHouse) agree(round int) (stored int) {
	h.t.Helper()
	s := h.open()
	defer h.close(s)
	const step = 28 * 24 * time.Hour
	today := time.Now().UTC().Truncate(24 * time.Hour)
	err := s.View(h.t.Context(), func(v *store.View) error {
		for _, p := range h.owners {
			for w := (span.Span{Start: today, End: today.Add(step)}); w.Start.Before(today.AddDate(0, 0, jobDays-28)); w.Start, w.End = w.End, w.End.Add(step) {
				o, err := v.Openings(p, w)
				if err != nil {
					return err
				}
				want, err := openingsAnew(v, p, w)
				if err != nil {
					return err
				}
				if !slices.Equal(o.Free, want) {
					h.t.Errorf("round %d: openings of %d in %v (stored: %v) are not those of the facts", round, p, w, o.Stored)
				}
				if o.Stored {
					stored++
				}
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return stored
}

func openingsAnew(v *store.View, p store.PrincipalID, w span.Span) (span.Set, error) {
	offered, _, err := v.Offered(p, w)
	if err != nil {
		return nil, err
	}
	busy, err := v.BusyTimes(p, w)
	if err != nil {
		return nil, err
	}
	taken := make([]span.Span, 0, len(busy))
	for _, b := range busy {
		taken = append(taken, span.Span{Start: b.Start.Add(-b.Before), End: b.End.Add(b.After)})
	}
	return offered.Subtract(span.Union(taken...)), nil
}

// jobProgress is what tells how far a job has come: the days that it has stored,
// or the commits of the daemon.
var jobProgress = map[string]*regexp.Regexp{
	"openings": regexp.MustCompile(`(?m)^daybook_openings_total{[^}]*"ahead"} (\d+)`),
	"horizon":  regexp.MustCompile(`(?m)^daybook_store_commit_duration_seconds_count (\d+)`),
}

// progress gives how far a job has come; false when the daemon is gone.
func (p *process) progress(job string) (n int, ok bool) {
	resp, err := http.Get(p.Metrics)
	if err != nil {
		return 0, false
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if m := jobProgress[job].FindSubmatch(b); m != nil && err == nil { // a counter that was never moved is not there
		n, err = strconv.Atoi(string(m[1]))
	}
	return n, err == nil
}

// put makes a PUT as the administrator; false when the daemon is gone.
func (p *process) put(path, password, components string) (status int, ok bool) {
	req, err := http.NewRequest("PUT", p.CalDAV+path, strings.NewReader(jobText(components)))
	if err != nil {
		return 0, false
	}
	req.SetBasicAuth("admin", password)
	req.Header.Set("Content-Type", "text/calendar")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, false
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Body.Close() == nil && err == nil
}

// killInJob starts a job, changes calendars meanwhile, and kills the daemon
// when the job has come so far.
func (h *jobHouse) killInJob(p *process, job, password string, round, after int) {
	h.t.Helper()
	if job == "openings" { // all of them are to be made anew
		if status, ok := p.put("calendars/"+jobOrganisation+"/calendar/hours.ics", password, jobHours("hours", round%12)); !ok || status >= 300 {
			h.t.Fatalf("the hours: %d", status)
		}
	}
	from, _ := p.progress(job)
	if status, _, body := ask(h.t, "POST", p.URL+"/v1/jobs/"+job+"/run", "admin", password, ""); status != http.StatusAccepted && status != http.StatusConflict {
		h.t.Fatalf("%s: %d %s", job, status, body)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			day := time.Now().AddDate(0, 0, n*7%jobDays).Format("20060102")
			uid := fmt.Sprintf("r%d-%d", round, n)
			event := fmt.Sprintf("BEGIN:VEVENT\nUID:%s\nDTSTAMP:20270101T000000Z\nDTSTART:%sT%02d0000Z\nDURATION:PT90M\nEND:VEVENT\n", uid, day, 6+n%12)
			if _, ok := p.put(fmt.Sprintf("calendars/room%d/calendar/%s.ics", n%jobRooms, uid), password, event); !ok {
				return // killed
			}
		}
	})
	for {
		if n, ok := p.progress(job); !ok || n >= from+after {
			break
		}
	}
	p.signal(h.t, syscall.SIGKILL)
	wg.Wait()
	if code := p.end(h.t); code != -1 {
		h.t.Fatalf("exit code %d of a killed daemon", code)
	}
}

// TestKilledJobsLeaveTrueOpenings kills the daemon in the middle of the jobs
// that keep openings and move the horizon, while calendars change: what is
// answered is what the facts give, the check is clean, and the jobs go on from
// there.
func TestKilledJobsLeaveTrueOpenings(t *testing.T) {
	h := &jobHouse{t: t, data: t.TempDir()}
	h.config = filepath.Join(t.TempDir(), "daybook.yaml")
	must[admin.SetUp](t, h.data, "init")
	password := must[admin.Password](t, h.data, "user", "password", "admin").Password
	h.fill()
	horizon, middle := 400, 0
	for round := range *killRounds {
		job, most := "openings", jobRooms*jobDays
		if round%2 == 1 {
			job, most = "horizon", jobSeries/64
			horizon += 60
		}
		h.configure(horizon)
		p := startProcess(t, h.data, "--config", h.config)
		h.killInJob(p, job, password, round, 1+rand.IntN(most))
		if r := command(t, h.data, "check"); r.code != 0 {
			t.Fatalf("round %d, killed in %s: %+v", round, job, r)
		}
		stored := h.agree(round)
		if job == "openings" && stored > 0 {
			middle++
		}
		t.Logf("round %d: killed in %s, %d spans are stored", round, job, stored)
	}
	if middle == 0 {
		t.Error("no run of the jobs was killed in the middle")
	}
	for _, job := range []string{"horizon", "openings"} {
		if r := command(t, h.data, "job", "run", job, "--config", h.config); r.code != 0 {
			t.Fatalf("%s: %+v", job, r)
		}
	}
	if stored, all := h.agree(-1), len(h.owners)*(jobDays/28-1); stored < all {
		t.Errorf("%d of %d spans are stored in the end", stored, all)
	}
	if r := command(t, h.data, "check"); r.code != 0 {
		t.Errorf("%+v", r)
	}
}
