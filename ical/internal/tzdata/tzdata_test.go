package tzdata

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func zoneOf(t *testing.T, s *Set, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocationFromTZData(name, s.Load(name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return loc
}

func TestEveryEmbeddedZoneIsReadable(t *testing.T) {
	s := embedded()
	if len(s.Names) < 590 || s.Version != Version || versionOf([]byte(Version)) != Version {
		t.Fatalf("%d zones of version %s", len(s.Names), s.Version)
	}
	for _, name := range s.Names {
		zoneOf(t, s, name)
	}
}

func TestEveryWindowsZoneIsKnown(t *testing.T) {
	s := embedded()
	for line := range strings.SplitSeq(Windows, "\n") {
		if _, zone, _ := strings.Cut(line, "|"); !slices.Contains(s.Names, zone) {
			t.Errorf("%s has no zone", line)
		}
	}
}

// systemOf is a folder that says that Berlin is where Tokyo is.
func systemOf(version string) fstest.MapFS {
	tokyo := embedded().Load("Asia/Tokyo")
	return fstest.MapFS{
		"tzdata.zi":       {Data: []byte("# version " + version + "\nR a b\nZ Europe/Berlin 1\nZ Mars/Olympus 1\nL Mars/Olympus Phobos\nL Mars/Olympus ../x\nZ etc/passwd 1\n")},
		"Europe/Berlin":   {Data: tokyo},
		"Europe/Paris":    {Data: []byte("damaged")},
		"Mars/Olympus":    {Data: tokyo},
		"etc/passwd":      {Data: tokyo},
		"Asia/Long":       {Data: append(bytes.Clone(tokyo), make([]byte, maxZone)...)},
		"right/Asia/Gaza": {Data: tokyo},
	}
}

func TestNewerZonesOfTheSystemAreUsed(t *testing.T) {
	offset := func(s *Set) int {
		_, sec := time.Unix(0, 0).In(zoneOf(t, s, "Europe/Berlin")).Zone()
		return sec / 3600
	}
	for _, c := range []struct {
		name    string
		chosen  fs.FS
		systems []fs.FS
		version string
		offset  int
	}{
		{"none", nil, nil, Version, 1},
		{"older", nil, []fs.FS{systemOf("2019c")}, Version, 1},
		{"same", nil, []fs.FS{systemOf(Version)}, Version, 1},
		{"newer", nil, []fs.FS{fstest.MapFS{}, systemOf("2099a")}, "2099a", 9},
		{"newest of two", nil, []fs.FS{systemOf("2099b"), systemOf("2099a")}, "2099b", 9},
		{"many letters", nil, []fs.FS{systemOf("2099za")}, "2099za", 9},
		{"a distribution's own name", nil, []fs.FS{systemOf("2099a-rearguard")}, "2099a", 9},
		{"no version", nil, []fs.FS{systemOf("newest")}, Version, 1},
		{"version in +VERSION", nil, []fs.FS{fstest.MapFS{"+VERSION": {Data: []byte("2099c\n")}, "Europe/Berlin": {Data: embedded().Load("Asia/Tokyo")}}}, "2099c", 9},
		{"older, but chosen", systemOf("2019c"), []fs.FS{systemOf("2099a")}, "2019c", 9},
		{"chosen without version", fstest.MapFS{}, nil, Version, 1},
	} {
		if s := newest(c.chosen, c.systems); s.Version != c.version || offset(s) != c.offset {
			t.Errorf("%s: version %s, Berlin at +%d; want %s and +%d", c.name, s.Version, offset(s), c.version, c.offset)
		}
	}
}

func TestOnlyKnownNamesAreOpened(t *testing.T) {
	s := newest(nil, []fs.FS{systemOf("2099a")})
	for _, name := range []string{"Mars/Olympus", "Europe/Paris", "America/New_York"} {
		if s.Load(name) == nil {
			t.Errorf("%s is not there", name)
		}
	}
	for _, name := range []string{"", "Local", "../x", "etc/passwd", "Asia/Long", "right/Asia/Gaza", "tzdata.zi", "/Europe/Berlin", "europe/berlin", "Europe", "Factory"} {
		if s.Load(name) != nil {
			t.Errorf("%q is opened", name)
		}
	}
	if !slices.IsSorted(s.Names) || s.Load("Phobos") != nil {
		t.Error("names are wrong") // Phobos has no file
	}
}

// TestDataIsThatOfItsGoRelease: whoever moves to another Go release runs go
// generate here.
func TestDataIsThatOfItsGoRelease(t *testing.T) {
	if runtime.Version() != release {
		t.Skipf("the data is that of %s", release)
	}
	want, err := os.ReadFile(filepath.Join(runtime.GOROOT(), "lib", "time", "zoneinfo.zip")) //nolint:staticcheck // the tests run where they were built
	if err != nil {
		t.Skip(err)
	}
	if !bytes.Equal(zoneinfo, want) {
		t.Error("zoneinfo.zip is not that of the Go release: run go generate")
	}
}
