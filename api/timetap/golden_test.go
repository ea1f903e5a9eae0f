package timetap

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("update", false, "rewrite the answers in testdata")

// TestGolden plays the exchanges of each file in testdata against the same
// small week and compares the answers byte for byte. An exchange is a request
// line, maybe a line "as TOKEN"; "---"; the answer. Exchanges are separated by
// "===".
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	p := newPlace(t)
	p.week()
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { p.in(t).golden(t, f) })
	}
}

// week is a class, an appointment in a room, a break, a closure and a series.
func (p *place) week() {
	p.put("ada", "class", at(1, 9, "SUMMARY:Morning yoga", "CATEGORIES:CLASS", "COLOR:cornflowerblue", "X-DAYBOOK-SERVICE-ID:"+yogaUUID,
		"ATTENDEE;CN=Ada Noor:mailto:ada.noor@example.com", "ATTENDEE;CN=Ben Ilić:mailto:ben@example.com")...)
	p.put("bob", "visit", at(1, 12, "SUMMARY:Ida", "STATUS:TENTATIVE", "X-DAYBOOK-INVOICE:CLOSED", "X-DAYBOOK-BUFFER-AFTER:PT10M")...)
	p.put("room-1", "visit", at(1, 12, "SUMMARY:Ida")...)
	p.put("ada", "lunch", at(1, 11, "SUMMARY:Lunch", "CATEGORIES:BLOCK,BREAK")...)
	p.put("demo", "holiday", "SUMMARY:Holiday", "DTSTART;VALUE=DATE:20270303", "DTEND;VALUE=DATE:20270304")
	p.put("bob", "weekly", at(4, 9, "SUMMARY:Team", "RRULE:FREQ=DAILY;COUNT=2")...)
}

func (p *place) golden(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for exchange := range strings.SplitSeq(string(data), "===\n") {
		request, _, _ := strings.Cut(exchange, "---\n")
		line, more, _ := strings.Cut(request, "\n")
		q := p
		if token, ok := strings.CutPrefix(strings.TrimSpace(more), "as "); ok {
			q = p.as(token)
		}
		method, path, ok := strings.Cut(line, " ")
		if !ok {
			t.Fatalf("no request in %q", request)
		}
		out = append(out, request+"---\n"+printed(q.do(method, path)))
	}
	got := strings.Join(out, "===\n")
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != string(data) {
		t.Errorf("got:\n%s\nwant:\n%s", got, data)
	}
}

// printed writes status, headers and body.
func printed(a answer) string {
	var b strings.Builder
	fmt.Fprintln(&b, a.status)
	var names []string
	for name := range a.header {
		if name != "Content-Length" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(a.header[name], ", "))
	}
	var body bytes.Buffer
	if json.Indent(&body, []byte(a.raw), "", "  ") == nil {
		b.WriteString("\n" + body.String())
	}
	return b.String()
}
