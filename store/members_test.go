package store

import (
	"errors"
	"testing"
)

func TestBoundNameReadsPackedFacts(t *testing.T) {
	f := &facts{Object: Object{UID: "uid", Kind: "VEVENT", Bindings: []Binding{{3, "a.ics"}, {300, "b.ics"}}}, size: 1 << 20}
	packed := packFacts(f)
	for c, want := range map[CollectionID]string{3: "a.ics", 300: "b.ics", 4: ""} {
		if got := string(boundName(packed, c)); got != want {
			t.Errorf("in %d it is %q, not %q", c, got, want)
		}
	}
	for n := range packed {
		boundName(packed[:n], 5) // what is cut is not found, and no more
	}
	if boundName(nil, 3) != nil {
		t.Error("nothing has a name")
	}
}

func TestMemberOfWhatIsNotThere(t *testing.T) {
	s, err := Open(t.Context(), Options{Path: t.TempDir() + "/daybook.db", Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.View(t.Context(), func(v *View) error {
		_, err := v.MemberOf(1, 1)
		return err
	})
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("%v", err)
	}
}
