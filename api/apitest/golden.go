package apitest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("update", false, "rewrite the answers in testdata")

// Compare compares with the content of a file, or writes it when the test runs
// with -update.
func Compare(t testing.TB, file, got string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil || got != string(want) {
		t.Errorf("%s: %v got:\n%s\nwant:\n%s", file, err, got, want)
	}
}

// Mask hides what is not the same in each run, such as new ids, in what is
// compared, and puts it back into later requests.
type Mask interface {
	Hide(raw, printed string) string // raw is the answer's body, printed what is compared
	Show(request string) string
}

// Golden plays the files in testdata as [Play] does, and wants every route of
// the API to be played.
func Golden(t *testing.T, fresh func(testing.TB) (*Place, Mask)) {
	t.Helper()
	for _, pattern := range Play(t, fresh) {
		t.Errorf("no golden file has %s", pattern)
	}
}

// Play plays the exchanges of each file in testdata and compares the answers
// byte for byte. fresh gives the place and the mask that a file begins with; a
// nil Mask hides nothing. It gives the routes that no file has played.
//
// An exchange is a request line; maybe a line "as TOKEN"; maybe headers, each a
// line "Name: value"; maybe a body; "---"; the answer. Exchanges are separated
// by "===".
func Play(t *testing.T, fresh func(testing.TB) (*Place, Mask)) (left []string) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	played := newPlayed(t, fresh)
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			p, m := fresh(t)
			var out []string
			for exchange := range strings.SplitSeq(string(data), "===\n") {
				request, _, _ := strings.Cut(exchange, "---\n")
				out = append(out, request+"---\n"+p.play(request, m, played))
			}
			Compare(t, f, strings.Join(out, "===\n"))
		})
	}
	return slices.Sorted(maps.Keys(played.left))
}

var headerLine = regexp.MustCompile(`^([A-Za-z-]+): (.*)$`)

// play sends the request of an exchange and prints the answer.
func (p Place) play(request string, m Mask, seen *played) string {
	p.T.Helper()
	text := request
	if m != nil {
		text = m.Show(text)
	}
	line, body, _ := strings.Cut(text, "\n")
	if token, more, _ := strings.Cut(body, "\n"); strings.HasPrefix(token, "as ") {
		p, body = p.As(strings.TrimSpace(token[3:])), more
	}
	header := http.Header{}
	for {
		first, more, _ := strings.Cut(body, "\n")
		h := headerLine.FindStringSubmatch(first)
		if h == nil {
			break
		}
		header.Add(h[1], h[2])
		body = more
	}
	method, target, ok := strings.Cut(line, " ")
	if !ok {
		p.T.Fatalf("no request in %q", request)
	}
	r := p.Request(method, target, strings.TrimSpace(body))
	maps.Copy(r.Header, header)
	seen.add(r)
	sent := keep(r)
	a := p.Send(r)
	p.accepted(r, sent, a)
	if m == nil {
		return a.Printed()
	}
	return m.Hide(a.Raw, a.Printed())
}

// accepted checks that a body that was accepted is one that the description
// allows.
func (p Place) accepted(r *http.Request, body string, a Answer) {
	p.T.Helper()
	if a.Status < 200 || a.Status > 299 {
		return
	}
	d, err := describe(p.of)
	if err == nil {
		err = d.takes(r, body)
	}
	if err != nil {
		p.T.Errorf("%s %s: the body is accepted and not as described: %v\n%s", r.Method, r.URL, err, body)
	}
}

// Printed writes status, headers and body. JSON is indented.
func (a Answer) Printed() string {
	var b strings.Builder
	fmt.Fprintln(&b, a.Status)
	var names []string
	for name := range a.Header {
		if name != "Content-Length" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(a.Header[name], ", "))
	}
	if a.Raw == "" {
		return b.String()
	}
	var body bytes.Buffer
	if json.Indent(&body, []byte(a.Raw), "", "  ") != nil {
		body.Reset()
		body.WriteString(strings.ReplaceAll(a.Raw, "\r\n", "\n"))
	}
	return b.String() + "\n" + body.String()
}

// played are the routes that golden files have asked.
type played struct {
	mux  *http.ServeMux
	left map[string]bool
}

func newPlayed(t testing.TB, fresh func(testing.TB) (*Place, Mask)) *played {
	p, _ := fresh(t)
	s := &played{http.NewServeMux(), map[string]bool{}}
	for _, r := range p.of.Routes {
		s.mux.Handle(r.Pattern, http.NotFoundHandler())
		s.left[r.Pattern] = true
	}
	return s
}

func (s *played) add(r *http.Request) {
	_, pattern := s.mux.Handler(r)
	delete(s.left, pattern)
}

// ByExchange is a Mask that writes $n for the id that the n-th exchange has
// answered. idOf finds it in a body; "" is none.
func ByExchange(idOf func(raw string) string) Mask { return &byExchange{idOf: idOf} }

type byExchange struct {
	idOf func(string) string
	ids  []string
}

func (m *byExchange) Hide(raw, printed string) string {
	m.ids = append(m.ids, m.idOf(raw))
	for i, id := range m.ids {
		if id != "" {
			printed = strings.ReplaceAll(printed, id, fmt.Sprintf("$%d", i+1))
		}
	}
	return printed
}

func (m *byExchange) Show(request string) string { return show(m.ids, request) }

// show puts ids back, the last ones first: $12 is not $1 and a 2.
func show(ids []string, request string) string {
	for i, id := range slices.Backward(ids) {
		if id != "" {
			request = strings.ReplaceAll(request, fmt.Sprintf("$%d", i+1), id)
		}
	}
	return request
}

// ByPattern is a Mask that writes $n for the n-th different text that the last
// group of the pattern has met; what is matched before that group is kept.
func ByPattern(pattern string) Mask { return &byPattern{re: regexp.MustCompile(pattern)} }

type byPattern struct {
	re  *regexp.Regexp
	ids []string
}

func (m *byPattern) Hide(_, printed string) string {
	var b strings.Builder
	last := 0
	for _, at := range m.re.FindAllStringSubmatchIndex(printed, -1) {
		from, to := at[len(at)-2], at[len(at)-1]
		if from < 0 {
			continue
		}
		id := printed[from:to]
		if !slices.Contains(m.ids, id) {
			m.ids = append(m.ids, id)
		}
		fmt.Fprintf(&b, "%s$%d", printed[last:from], slices.Index(m.ids, id)+1)
		last = to
	}
	return b.String() + printed[last:]
}

func (m *byPattern) Show(request string) string { return show(m.ids, request) }
