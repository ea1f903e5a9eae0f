package ical

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fuzzLimits keep one input from taking long.
var fuzzLimits = Limits{Bytes: 1 << 16, Line: 1 << 14, Lines: 2000, Components: 200, Depth: 8}

func seedCorpus(f *testing.F) [][]byte {
	var seeds [][]byte
	for _, file := range readCorpus(f) {
		data, err := os.ReadFile(filepath.Join("testdata", "ics", file.File))
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 4096 {
			seeds = append(seeds, data)
		}
	}
	return append(seeds, []byte(plainEvent))
}

// rewrite writes an object anew by the Writer.
func rewrite(o *Object) []byte {
	var b bytes.Buffer
	w := NewWriter(&b)
	var walk func(c *Component)
	walk = func(c *Component) {
		w.Begin(c.Name)
		for _, l := range c.Lines {
			raw := l.Name
			if l.params != "" {
				raw += ";" + l.params
			}
			w.Raw(appendFolded(nil, raw+":"+l.Value))
		}
		for _, k := range c.Children {
			walk(k)
		}
		w.End(c.Name)
	}
	walk(o.root)
	return b.Bytes()
}

func sameTree(a, b *Component) bool {
	if a.Name != b.Name || len(a.Lines) != len(b.Lines) || len(a.Children) != len(b.Children) {
		return false
	}
	for i := range a.Lines {
		x, y := &a.Lines[i], &b.Lines[i]
		if x.Name != y.Name || x.Value != y.Value || x.params != y.params {
			return false
		}
	}
	for i := range a.Children {
		if !sameTree(a.Children[i], b.Children[i]) {
			return false
		}
	}
	return true
}

// FuzzParse: what Parse takes it takes again, as stored and as written anew,
// with the same content; the stored bytes are read without mending; and the
// scanner sees the same components.
func FuzzParse(f *testing.F) {
	for _, seed := range seedCorpus(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := Parse(data, fuzzLimits)
		if err != nil {
			return
		}
		if o.Exact() != bytes.Equal(data, o.Data()) {
			t.Errorf("exact is %t", o.Exact())
		}
		checkOffsets(t, o)
		again, err := Parse(o.Data(), Limits{})
		if err != nil || !again.Exact() || !sameTree(o.root, again.root) {
			t.Fatalf("stored bytes are read differently: %v\n%q", err, o.Data())
		}
		written := rewrite(o)
		if again, err = Parse(written, Limits{}); err != nil || !again.Exact() || !sameTree(o.root, again.root) {
			t.Fatalf("written bytes are read differently: %v\n%q", err, written)
		}
		checkScan(t, o)
		_ = o.CheckResource()
		o.GoICal()
		for _, c := range o.Main() {
			for i := range c.Lines {
				c.Lines[i].Text()
				c.Lines[i].List()
			}
		}
	})
}

// checkScan compares the scanner's view of stored bytes with the parser's.
func checkScan(t *testing.T, o *Object) {
	t.Helper()
	parts, clean, err := feedParts(nil, o.Data())
	if err != nil || !clean || len(parts) != len(o.root.Children) {
		t.Fatalf("scanned %d components of %d, clean %t: %v", len(parts), len(o.root.Children), clean, err)
	}
	for i, c := range o.root.Children {
		if p := parts[i]; p.name != c.Name || p.start != c.start || p.end != c.end {
			t.Errorf("scanned %s at %d–%d, parsed %s at %d–%d", p.name, p.start, p.end, c.Name, c.start, c.end)
		}
	}
}

// FuzzEdit: a change of one line leaves the octets of the others.
func FuzzEdit(f *testing.F) {
	for _, seed := range seedCorpus(f) {
		f.Add(seed, "SUMMARY", "new", uint8(0))
	}
	f.Add([]byte(plainEvent), "X-A", "long \u00fc \x00 \r\n", uint8(1))
	f.Add([]byte(plainEvent), "ATTENDEE", "", uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, name, value string, kind uint8) {
		o, err := ParseResource(data, fuzzLimits)
		if err != nil || !isToken(name) {
			return
		}
		c := o.Main()[int(kind/4)%len(o.Main())]
		e := o.Edit()
		switch kind % 4 {
		case 0:
			e.Set(c, name, value, Param{"X-P", value})
		case 1:
			e.Add(c, name, EscapeText(value))
		case 2:
			e.Remove(c, name)
		case 3:
			e.AddComponent(c, value)
		}
		got, err := e.Apply()
		if err != nil || kind%4 == 3 || len(got.Main()) != len(o.Main()) {
			return
		}
		checkOffsets(t, got)
		for i, before := range o.Main() {
			named := map[string]bool{}
			if before == c {
				named[strings.ToUpper(name)] = true
			}
			x, y := rawLines(o, before, named), rawLines(got, got.Main()[i], named)
			if len(x) != len(y) {
				t.Fatalf("lines %q became %q", x, y)
			}
			for j := range x {
				if x[j] != y[j] {
					t.Errorf("line %q became %q", x[j], y[j])
				}
			}
		}
	})
}

// FuzzSplit: splitting never fails on what Parse takes, and gives objects
// that Parse takes.
func FuzzSplit(f *testing.F) {
	for _, seed := range seedCorpus(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, parseErr := Parse(data, fuzzLimits)
		items, err := Split(data, fuzzLimits)
		if parseErr == nil && err != nil {
			t.Fatalf("parsed, but not split: %v", err)
		}
		for _, item := range items {
			if (item.Object == nil) == (item.Err == nil) {
				t.Errorf("object %v with error %v", item.Object, item.Err)
			}
		}
	})
}
