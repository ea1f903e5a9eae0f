package ical

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestWriterWritesLinesThatAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := EscapeText(rapid.String().Draw(t, "value"))
		param := CleanText(rapid.String().Draw(t, "param"))
		var b strings.Builder
		w := NewWriter(&b)
		w.Line("X-NAME", value, Param{"X-P", param}, Param{"CN", "plain"})
		if w.Err() != nil {
			t.Fatal(w.Err())
		}
		for line := range strings.SplitSeq(b.String(), "\r\n") {
			if len(line) > foldAt || !utf8.ValidString(line) {
				t.Errorf("physical line %q", line)
			}
		}
		l, err := parseLine(unfoldLine([]byte(b.String())), 1)
		if err != nil {
			t.Fatalf("%v in %q", err, b.String())
		}
		if l.Value != value || l.Param("X-P") != param || l.Param("CN") != "plain" {
			t.Errorf("wrote %q with %q, read %q with %q", value, param, l.Value, l.Param("X-P"))
		}
	})
}

func TestWriterFoldsAt75Octets(t *testing.T) {
	var b strings.Builder
	w := NewWriter(&b)
	w.Line("X-A", strings.Repeat("a", 71))
	w.Line("X-A", strings.Repeat("a", 72))
	w.Line("X-A", strings.Repeat("a", 70)+"€")
	a := strings.Repeat("a", 70)
	if got, want := b.String(), "X-A:"+a+"a\r\nX-A:"+a+"a\r\n a\r\nX-A:"+a+"\r\n €\r\n"; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

func TestWriterKeepsTheFirstError(t *testing.T) {
	var b strings.Builder
	w := NewWriter(&b)
	w.Begin("VEVENT")
	w.Line("X A", "b")
	w.Line("X-A", "b", Param{"", "c"})
	w.End("VEVENT")
	w.Raw([]byte("X"))
	if !errors.Is(w.Err(), errName) || b.String() != "BEGIN:VEVENT\r\n" {
		t.Errorf("error %v after %q", w.Err(), b.String())
	}
}
