package caldav

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryRowHasAGoldenFile demands of each property and each report a file
// that shows it asked for on every kind of resource.
func TestEveryRowHasAGoldenFile(t *testing.T) {
	s := New(Options{})
	shown := func(file, element string) {
		text, err := os.ReadFile(filepath.Join("testdata", "golden", file+".txt"))
		if err != nil {
			t.Errorf("%s has no golden file: %v", element, err)
			return
		}
		if !strings.Contains(string(text), ":"+element) {
			t.Errorf("%s.txt does not ask for %s", file, element)
		}
	}
	for _, p := range s.props {
		shown("property-"+p.name.Local, p.name.Local)
	}
	for _, r := range s.ordered {
		shown("report-"+r.name.Local, r.name.Local)
	}
	for _, m := range methodTable() {
		if matches, err := filepath.Glob(filepath.Join("testdata", "golden", "*"+strings.ToLower(m.name)+"*.txt")); err != nil || len(matches) == 0 {
			t.Errorf("%s has no golden file (%v)", m.name, err)
		}
	}
}
