package onlive

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

// TestGolden plays the exchanges of each file in testdata against a fresh
// place and compares the answers byte for byte. An exchange is a request line,
// maybe a line "as KEY", maybe a body; "---"; the answer. Exchanges are
// separated by "===". $1 stands for the id that the first exchange answered,
// wherever it appears.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	played := map[string]bool{}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { golden(t, f, played) })
	}
	for _, r := range New(Options{}).Routes {
		if method, path, _ := strings.Cut(r.Pattern, " "); !played[method+" "+strings.TrimSuffix(path, "/{id}")] {
			t.Errorf("no golden file has %s", r.Pattern)
		}
	}
}

func golden(t *testing.T, file string, played map[string]bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	var ids, out []string
	for exchange := range strings.SplitSeq(string(data), "===\n") {
		request, _, _ := strings.Cut(exchange, "---\n")
		a := p.play(t, unmask(request, ids), played)
		ids = append(ids, idOf(a.raw))
		out = append(out, request+"---\n"+mask(printed(a), ids))
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

func (p *place) play(t *testing.T, request string, played map[string]bool) answer {
	line, body, _ := strings.Cut(request, "\n")
	if key, rest, _ := strings.Cut(body, "\n"); strings.HasPrefix(key, "as ") {
		p, body = p.as(strings.TrimSpace(key[3:])), rest
	}
	method, target, ok := strings.Cut(line, " ")
	if !ok {
		t.Fatalf("no request in %q", request)
	}
	path, _, _ := strings.Cut(target, "?")
	played[method+" "+path] = true
	played[method+" "+filepath.Dir(path)] = true
	return p.do(method, target, strings.TrimSpace(body))
}

// printed writes status, the headers that are part of the contract, and the body.
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

func idOf(raw string) string {
	var out struct{ ID string }
	if json.Unmarshal([]byte(raw), &out) != nil || strings.HasPrefix(out.ID, "0197f3c2-0000-") {
		return ""
	}
	return out.ID
}

func mask(s string, ids []string) string {
	for i, id := range ids {
		if id != "" {
			s = strings.ReplaceAll(s, id, fmt.Sprintf("$%d", i+1))
		}
	}
	return s
}

func unmask(s string, ids []string) string {
	for i, id := range ids {
		if id != "" {
			s = strings.ReplaceAll(s, fmt.Sprintf("$%d", i+1), id)
		}
	}
	return s
}
