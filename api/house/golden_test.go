package house

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("update", false, "rewrite the answers in testdata")

// masked are the texts that are not the same in each run: ids, tags, secrets.
var masked = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|"[A-Za-z0-9_-]{16}"(?:\n)|(?:"(?:secret|token)": "|"id": "|credentials/|feeds/)([A-Za-z0-9_.-]{12,})|[0-9a-f]{32}`)

// TestGolden plays the exchanges of each file in testdata against a fresh place
// and compares the answers byte for byte. An exchange is a request line; maybe a
// line "as TOKEN"; maybe headers, each a line; maybe a body; "---"; the answer.
// Exchanges are separated by "===". $1 stands for the first text that was
// masked, wherever it appears.
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
	p, m := newPlace(t), &mask{}
	var out []string
	for exchange := range strings.SplitSeq(string(data), "===\n") {
		request, _, _ := strings.Cut(exchange, "---\n")
		out = append(out, request+"---\n"+m.hide(printed(p.play(m.show(request)))))
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

var headerLine = regexp.MustCompile(`^([A-Za-z-]+): (.*)$`)

func (p *place) play(request string) *answer {
	line, body, _ := strings.Cut(request, "\n")
	if token, rest, _ := strings.Cut(body, "\n"); strings.HasPrefix(token, "as ") {
		p, body = p.as(strings.TrimSpace(token[3:])), rest
	}
	for {
		first, rest, _ := strings.Cut(body, "\n")
		h := headerLine.FindStringSubmatch(first)
		if h == nil {
			break
		}
		p, body = p.with(h[1], h[2]), rest
	}
	method, target, ok := strings.Cut(line, " ")
	if !ok {
		p.t.Fatalf("no request in %q", request)
	}
	return p.do(method, target, strings.TrimSpace(body))
}

// printed writes status, headers and body.
func printed(a *answer) string {
	var b strings.Builder
	fmt.Fprintln(&b, a.Code)
	var names []string
	for name := range a.Header() {
		if !slices.Contains([]string{"Content-Length", "Cache-Control", "X-Content-Type-Options"}, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(a.Header()[name], ", "))
	}
	var body bytes.Buffer
	if a.Code != http.StatusNoContent && json.Indent(&body, a.Body.Bytes(), "", "  ") == nil {
		b.WriteString("\n" + body.String())
	}
	return lastUsed.ReplaceAllString(b.String(), "${1}null")
}

// lastUsed is noted behind the answers.
var lastUsed = regexp.MustCompile(`("last_used_at": )"[^"]*"`)

// mask writes $n for the n-th different text that changes from run to run.
type mask struct{ texts []string }

func (m *mask) hide(s string) string {
	for _, found := range masked.FindAllStringSubmatch(s, -1) {
		text := found[0]
		if found[1] != "" {
			text = found[1]
		}
		if text = strings.Trim(text, "\"\n"); !slices.Contains(m.texts, text) {
			m.texts = append(m.texts, text)
		}
	}
	for i, text := range m.texts {
		s = strings.ReplaceAll(s, text, fmt.Sprintf("$%d", i+1))
	}
	return s
}

func (m *mask) show(s string) string {
	for i, text := range slices.Backward(m.texts) {
		s = strings.ReplaceAll(s, fmt.Sprintf("$%d", i+1), text)
	}
	return s
}
