package folio

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
// maybe a line "as TOKEN", maybe a body; "---"; the answer. Exchanges are
// separated by "===". $1 stands for the id that the first exchange answered,
// wherever it appears.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { golden(t, f) })
	}
}

func golden(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	var ids []string
	var out []string
	for exchange := range strings.SplitSeq(string(data), "===\n") {
		request, _, _ := strings.Cut(exchange, "---\n")
		a := p.play(t, mask(request, ids, false))
		var made struct{ ID string }
		if json.Unmarshal([]byte(a.raw), &made) != nil {
			made.ID = ""
		}
		ids = append(ids, made.ID)
		out = append(out, request+"---\n"+mask(printed(a), ids, true))
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

func (p *place) play(t *testing.T, request string) answer {
	line, body, _ := strings.Cut(request, "\n")
	if token, rest, _ := strings.Cut(body, "\n"); strings.HasPrefix(token, "as ") {
		p, body = p.as(strings.TrimSpace(token[3:])), rest
	}
	method, path, ok := strings.Cut(line, " ")
	if !ok {
		t.Fatalf("no request in %q", request)
	}
	return p.do(method, path, strings.TrimSpace(body))
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
	if a.raw != "" {
		var body bytes.Buffer
		if json.Indent(&body, []byte(a.raw), "", "  ") == nil {
			b.WriteString("\n" + body.String())
		}
	}
	return b.String()
}

// mask writes $n for the ids, or the ids for $n.
func mask(s string, ids []string, hide bool) string {
	for i, id := range ids {
		from, to := fmt.Sprintf("$%d", i+1), id
		if hide {
			from, to = to, from
		}
		if id != "" {
			s = strings.ReplaceAll(s, from, to)
		}
	}
	return s
}
