package vastal

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("update", false, "rewrite the answers in testdata")

// TestGolden plays the exchanges of each file in testdata against a fresh
// place and compares the answers byte for byte. An exchange is a request line,
// maybe a line "as TOKEN", maybe a body; "---"; the answer. Exchanges are
// separated by "===". $1 stands for the digits of the first id that appeared in
// an answer, and so on.
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
	m := &masked{}
	var out []string
	for exchange := range strings.SplitSeq(string(data), "===\n") {
		request, _, _ := strings.Cut(exchange, "---\n")
		out = append(out, request+"---\n"+m.mask(printed(p.play(m.unmask(request)))))
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

func (p *place) play(request string) answer {
	p.t.Helper()
	line, body, _ := strings.Cut(request, "\n")
	if token, rest, _ := strings.Cut(body, "\n"); strings.HasPrefix(token, "as ") {
		p, body = p.as(strings.TrimSpace(token[3:])), rest
	}
	method, path, ok := strings.Cut(line, " ")
	if !ok {
		p.t.Fatalf("no request in %q", request)
	}
	return p.do(method, path, strings.TrimSpace(body))
}

// printed writes status, headers and the body.
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

// masked are the digits of ids in order of their first appearance.
type masked struct{ ids []string }

var idPattern = regexp.MustCompile(`(avail|type|apt)_([0-9a-f]{32})`)

func (m *masked) mask(s string) string {
	return idPattern.ReplaceAllStringFunc(s, func(id string) string {
		prefix, digits, _ := strings.Cut(id, "_")
		if !slices.Contains(m.ids, digits) {
			m.ids = append(m.ids, digits)
		}
		return fmt.Sprintf("%s_$%d", prefix, slices.Index(m.ids, digits)+1)
	})
}

func (m *masked) unmask(s string) string {
	for i, id := range slices.Backward(m.ids) {
		s = strings.ReplaceAll(s, fmt.Sprintf("$%d", i+1), id)
	}
	return s
}
