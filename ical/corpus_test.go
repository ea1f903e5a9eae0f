package ical

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpusFile is one row of testdata/ics/index.json.
type corpusFile struct {
	File         string
	Verdict      string
	Precondition string
	Serve        string
}

// serverVerdicts are those that only a server with a store can give.
var serverVerdicts = map[string]string{
	"state-uid-conflict-b.ics":           "needs a second resource in the collection",
	"state-uid-changed.ics":              "needs the resource that it would replace",
	"state-too-big.ics":                  "needs a server's limit",
	"state-todo-into-event-calendar.ics": "needs a collection's component set",
}

func TestCorpusVerdicts(t *testing.T) {
	for _, f := range readCorpus(t) {
		t.Run(f.File, func(t *testing.T) {
			if why, ok := serverVerdicts[f.File]; ok {
				t.Skip(why)
			}
			data, err := os.ReadFile(filepath.Join("testdata", "ics", f.File))
			if err != nil {
				t.Fatal(err)
			}
			o, err := ParseResource(data, DefaultLimits)
			precondition := Rule(strings.TrimPrefix(f.Precondition, "CALDAV:"))
			switch {
			case f.Verdict == "reject":
				inv := wantInvalid(t, err, precondition)
				t.Log(inv)
			case f.Verdict == "either" && err != nil:
				t.Log(wantInvalid(t, err, precondition))
			case err != nil:
				t.Errorf("refused: %v", err)
			default:
				checkOffsets(t, o)
				checkServed(t, f, o, string(data))
			}
		})
	}
}

func readCorpus(t testing.TB) []corpusFile {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "ics", "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index struct{ Files []corpusFile }
	if err := json.Unmarshal(raw, &index); err != nil {
		t.Fatal(err)
	}
	if len(index.Files) < 100 {
		t.Fatalf("the index has %d files", len(index.Files))
	}
	return index.Files
}

// checkServed compares what would be stored with what was sent.
func checkServed(t *testing.T, f corpusFile, o *Object, sent string) {
	t.Helper()
	want := sent
	switch f.File {
	case "line-bom.ics":
		want = strings.TrimPrefix(sent, "\ufeff")
	case "line-bare-lf.ics", "line-mixed-endings.ics":
		want = strings.ReplaceAll(strings.ReplaceAll(sent, "\r\n", "\n"), "\n", "\r\n")
	case "line-no-final-newline.ics":
		want = sent + "\r\n"
	case "line-blank-lines.ics", "line-trailing-blank.ics":
		for strings.Contains(want, "\r\n\r\n") {
			want = strings.ReplaceAll(want, "\r\n\r\n", "\r\n")
		}
	case "fold-inside-utf8.ics":
		want = strings.Replace(sent, "gr\xc3\r\n \xbc", "gr\xc3\xbc", 1)
	}
	if got := string(o.Data()); got != want {
		t.Errorf("stored is %q, want %q", got, want)
	}
	if o.Exact() != (want == sent) {
		t.Errorf("exact is %t", o.Exact())
	}
	again, err := ParseResource(o.Data(), DefaultLimits)
	if err != nil || !again.Exact() {
		t.Errorf("stored bytes are not read as they are: %v", err)
	}
}
