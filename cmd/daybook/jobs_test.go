package main

import (
	"strings"
	"testing"
	"time"
)

// An administrator sees the job table over the house API, and runs a job.
func TestJobsOverTheHouseAPI(t *testing.T) {
	d := startDaemon(t, t.TempDir())
	status, _, body := ask(t, "GET", d.URL+"/v1/jobs", d.User, d.Password, "")
	if status != 200 || !strings.Contains(body, `"name":"prune"`) || !strings.Contains(body, `"next_at":"2`) {
		t.Fatalf("%d %s", status, body)
	}
	before := time.Now().Add(-time.Second)
	if status, _, body := ask(t, "POST", d.URL+"/v1/jobs/prune/run", d.User, d.Password, ""); status != 202 {
		t.Fatalf("%d %s", status, body)
	}
	waitFor(t, "the run", func() bool {
		for _, j := range must[[]struct {
			Name    string
			Success time.Time
		}](t, d.data, "job", "list") {
			if j.Name == "prune" && j.Success.After(before) {
				return true
			}
		}
		return false
	})
	if status, _, body := ask(t, "POST", d.URL+"/v1/jobs/none/run", d.User, d.Password, ""); status != 404 {
		t.Errorf("%d %s", status, body)
	}
	if status, _, _ := ask(t, "GET", d.URL+"/v1/jobs", "", "", ""); status != 401 {
		t.Errorf("%d", status)
	}
}
