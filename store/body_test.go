package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
)

func TestBodiesComeBackAsTheyWere(t *testing.T) {
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(rand.IntN(256))
	}
	for name, data := range map[string]string{
		"an event":                testEvent("a", ";TZID=Europe/Berlin:20270105T090000", "RRULE:FREQ=WEEKLY"),
		"nothing":                 "",
		"one byte":                "x",
		"what looks packed":       "\x01abc",
		"noise":                   string(noise),
		"noise that looks packed": "\x01" + string(noise),
		"much of the same":        strings.Repeat("x", 1<<20),
		"more than a window":      strings.Repeat(string(noise), 100),
	} {
		stored := packBody([]byte(data))
		if len(stored) > len(data)+1+len(data)/20+8 {
			t.Errorf("%s: %d bytes became %d", name, len(data), len(stored))
		}
		got, err := appendBody([]byte("before "), stored)
		if err != nil || string(got) != "before "+data {
			t.Errorf("%s: %v, %d bytes of %d", name, err, len(got)-len("before "), len(data))
		}
	}
	event := testEvent("a", ";TZID=Europe/Berlin:20270105T090000")
	if n := len(packBody([]byte(event))); n > len(event)/2 {
		t.Errorf("an event of %d bytes is stored as %d", len(event), n)
	}
}

// TestPackedBodiesOfOlderVersionsAreRead: the dictionary and the form are part of
// the file.
func TestPackedBodiesOfOlderVersionsAreRead(t *testing.T) {
	sum := sha256.Sum256(bodyWords)
	const words = "76f596bb089a21ba25826cb2b6f5d6d0003a8b7ab7782bc77c2f65eabf528871"
	if got := hex.EncodeToString(sum[:]); got != words {
		t.Errorf("the dictionary was changed: %s", got)
	}
	stored, err := base64.StdEncoding.DecodeString("AcsBns0GHHRlc3QvL0VOTtUDDGtlcHRu2QOGCAEMNVQwOQ0AGd4EMUh9xBRSb29tIDENvwHLFQAIBA0K")
	if err != nil {
		t.Fatal(err)
	}
	want := testEvent("kept", ";TZID=Europe/Berlin:20270105T090000", "LOCATION:Room 1")
	if got, err := appendBody(nil, stored); err != nil || string(got) != want {
		t.Errorf("%v\n%s\nnow it would be %s", err, got, base64.StdEncoding.EncodeToString(packBody([]byte(want))))
	}
	if got, err := appendBody(nil, []byte(want)); err != nil || string(got) != want { // before bodies were packed
		t.Errorf("%v\n%s", err, got)
	}
}

func FuzzBody(f *testing.F) {
	f.Add([]byte("\x01\x05abc"))
	f.Add(packBody([]byte(testEvent("a", ":20270105T090000Z"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 0 && b[0] == bodyPacked {
			if n, err := s2.DecodedLen(b[1:]); err == nil && n > 1<<20 {
				return // bounded by maxBodyLength, and slow
			}
		}
		if _, err := appendBody(nil, b); err != nil && !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		got, err := appendBody(nil, packBody(b))
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("%v: %q became %q", err, b, got)
		}
	})
}

// TestDamagedBodyIsReported, and spoils no other answer.
func TestDamagedBodyIsReported(t *testing.T) {
	s := newTest(t)
	h := newTestHouse(t, s)
	put(t, s, h.adaCal, "a.ics", testEvent("a", ":20270301T100000Z"))
	update(t, s, func(tx *Tx) error {
		m, err := tx.Member(h.adaCal, "a.ics")
		tx.put(dataKey(m.Object), []byte{bodyPacked, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2})
		return err
	})
	view(t, s, func(v *View) error {
		if _, err := v.ObjectAt(h.adaCal, "a.ics"); !errors.Is(err, ErrNotFound) {
			t.Errorf("%v", err)
		}
		_, err := v.Member(h.adaCal, "a.ics")
		return err
	})
	found := 0
	if _, err := s.Check(t.Context(), true, func(Problem) { found++ }); err != nil || found == 0 {
		t.Errorf("%d, %v", found, err)
	}
	if n := len(listing(t, s, h.adaCal)); n != 1 {
		t.Errorf("%d are listed", n)
	}
}
