package caldav_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the answers of the golden files anew")

// The golden files are requests with their answers. A file is one world and
// one behaviour, named for it:
//
//	# what it shows
//	METHOD path user
//	Header: value
//
//	body
//	---
//	answer: status, headers, body with XML indented
//	===
//	the next request
//
// {token} in a request is the last sync-token that was answered, {etag} the
// last ETag header, {host} the server.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("there are no golden files")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			golden(t, file)
		})
	}
}

func golden(t *testing.T, file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g := goldenRun{w: newWorld(t)}
	g.w.furnish()
	var out []string
	for part := range strings.SplitSeq(string(raw), "\n===\n") {
		request, want, answered := strings.Cut(part, "\n---\n")
		if !answered {
			request = strings.TrimSuffix(strings.TrimRight(part, "\n"), "\n---") // a new request
		}
		got := g.ask(t, request)
		out = append(out, strings.TrimRight(request, "\n")+"\n---\n"+got)
		if want = strings.TrimRight(want, "\n"); got != want && !*update {
			t.Errorf("%s\n--- got\n%s\n--- want\n%s", firstLine(request), got, want)
		}
	}
	if !*update {
		return
	}
	if text := strings.Join(out, "\n===\n") + "\n"; text != string(raw) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func firstLine(s string) string {
	for line := range strings.SplitSeq(s, "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			return line
		}
	}
	return s
}

// furnish puts objects into ada's calendar.
func (w *world) furnish() {
	const at = "/dav/calendars/ada/calendar/"
	w.put(at+"single.ics", event("single", "20260105T100000Z", "Single"))
	w.put(at+"series.ics", calendar("BEGIN:VEVENT", "UID:series", "DTSTAMP:20260101T000000Z", "DTSTART;TZID=Europe/Berlin:20260105T090000",
		"DURATION:PT30M", "RRULE:FREQ=DAILY;COUNT=5", "SUMMARY:Series", "END:VEVENT",
		"BEGIN:VEVENT", "UID:series", "DTSTAMP:20260101T000000Z", "RECURRENCE-ID;TZID=Europe/Berlin:20260107T090000",
		"DTSTART;TZID=Europe/Berlin:20260107T140000", "DURATION:PT30M", "SUMMARY:Moved", "END:VEVENT"))
	w.put(at+"todo.ics", calendar("BEGIN:VTODO", "UID:todo", "DTSTAMP:20260101T000000Z", "DUE:20260106T120000Z", "SUMMARY:To do", "END:VTODO"))
}

// goldenRun remembers what later requests of a file refer to.
type goldenRun struct {
	w           *world
	token, etag string
}

func (g *goldenRun) ask(t *testing.T, request string) string {
	t.Helper()
	request = strings.NewReplacer("{token}", g.token, "{etag}", g.etag, "{host}", g.w.http.URL).Replace(request)
	lines := strings.Split(request, "\n")
	for len(lines) > 0 && (lines[0] == "" || strings.HasPrefix(lines[0], "#")) {
		lines = lines[1:]
	}
	if len(lines) == 0 {
		t.Fatal("a request is missing")
	}
	first := strings.Fields(lines[0])
	if len(first) != 3 {
		t.Fatalf("%q is not METHOD path user", lines[0])
	}
	user := first[2]
	if user == "nobody" {
		user = nobody
	}
	end := slices.Index(lines, "")
	if end < 0 {
		end = len(lines)
	}
	body := strings.Join(lines[min(end+1, len(lines)):], "\n")
	if strings.HasPrefix(body, "BEGIN:") {
		body = strings.ReplaceAll(strings.TrimRight(body, "\n"), "\n", "\r\n") + "\r\n"
	}
	a := g.w.do(user, first[0], first[1], body, lines[1:end]...)
	if m := tokenPattern.FindAllString(a.body, -1); len(m) > 0 {
		g.token = m[len(m)-1]
	}
	if e := a.header.Get("ETag"); e != "" {
		g.etag = e
	}
	return g.show(t, a)
}

var (
	tokenPattern = regexp.MustCompile(`urn:daybook:sync:[0-9a-f]{16}-\d+-\d+`)
	epochPattern = regexp.MustCompile(`sync:[0-9a-f]{16}-`)
	uuidPattern  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
)

// show writes an answer as the files have it: without what differs from run
// to run, and with one element on each line.
func (g *goldenRun) show(t *testing.T, a *answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", a.code, http.StatusText(a.code))
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range a.header {
			if name != "Date" && name != "Content-Length" && !yield(name) {
				return
			}
		}
	}) {
		value := strings.Join(a.header[name], ", ")
		if name == "Etag" && strings.HasSuffix(a.request, "/") {
			value = "of the state" // which has the epoch in it
		}
		fmt.Fprintf(&b, "%s: %s\n", name, value)
	}
	if a.body != "" {
		b.WriteString("\n" + pretty(t, a))
	}
	text := strings.ReplaceAll(b.String(), g.w.http.URL, "{host}")
	text = epochPattern.ReplaceAllString(text, "sync:EPOCH-")
	text = uuidPattern.ReplaceAllString(text, "UUID")
	return strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
}

// pretty indents XML. It only moves white space between elements.
func pretty(t *testing.T, a *answer) string {
	if !strings.Contains(a.header.Get("Content-Type"), "xml") {
		return a.body
	}
	var (
		out   bytes.Buffer
		depth int
		leaf  bool // nothing but text since the last start
	)
	d := xml.NewDecoder(strings.NewReader(a.body))
	for at := int64(0); ; {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", a.request, err, a.body)
		}
		end := d.InputOffset()
		text := a.body[at:end]
		at = end
		switch tok.(type) {
		case xml.StartElement:
			if out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
				out.WriteByte('\n')
			}
			out.WriteString(strings.Repeat(" ", depth) + text)
			leaf = true
			depth++
		case xml.EndElement:
			depth--
			switch {
			case text == "": // the end of an empty element
			case leaf:
				out.WriteString(text)
			default:
				out.WriteString(strings.Repeat(" ", depth) + text)
			}
			out.WriteByte('\n')
			leaf = false
		case xml.CharData:
			if leaf || strings.TrimSpace(text) != "" {
				out.WriteString(text)
			}
		default:
			out.WriteString(text)
		}
	}
}
