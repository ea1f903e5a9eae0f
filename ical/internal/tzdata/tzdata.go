// Package tzdata holds the time zones that the daemon carries with it, and
// finds newer ones on the system. It gives compiled zones (RFC 9636) by name
// and knows nothing of what they mean.
//
// Package time cannot serve here: it prefers the system's zones also when they
// are older than the embedded ones, and does not tell which it took.
package tzdata

import (
	"archive/zip"
	"bytes"
	_ "embed" // the zones
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

//go:generate go run generate.go

//go:embed zoneinfo.zip
var zoneinfo []byte

// dirs are the folders where systems keep their zones.
var dirs = [...]string{"/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo"}

// Set is one version of the zones.
type Set struct {
	// Version is IANA's name of it, e.g. "2026a".
	Version string
	// Names are the names of all zones, sorted. Nothing else can be loaded.
	Names []string

	embedded *zip.Reader
	system   fs.FS // nil: the embedded ones
}

// Newest gives the embedded zones, or those of the system if they are newer. A
// folder that the environment's ZONEINFO names is taken first and also when it
// is older. A folder that does not tell its version (in tzdata.zi or +VERSION)
// is never taken: nobody could see when its content changes.
func Newest() *Set {
	all := make([]fs.FS, 0, len(dirs))
	for _, dir := range dirs {
		all = append(all, os.DirFS(dir))
	}
	var chosen fs.FS
	if dir := os.Getenv("ZONEINFO"); dir != "" {
		chosen = os.DirFS(dir)
	}
	return newest(chosen, all)
}

func newest(chosen fs.FS, systems []fs.FS) *Set {
	s := embedded()
	if chosen != nil {
		if v := version(chosen); v != "" {
			s.use(chosen, v)
			return s
		}
	}
	for _, system := range systems {
		if v := version(system); v > s.Version {
			s.use(system, v)
		}
	}
	return s
}

// embedded gives the zones that the program carries with it.
func embedded() *Set {
	s := &Set{Version: Version}
	r, err := zip.NewReader(bytes.NewReader(zoneinfo), int64(len(zoneinfo)))
	if err != nil {
		return s // not of a file that is compiled in; a test holds it
	}
	s.embedded = r
	for _, f := range r.File {
		if isName(f.Name) {
			s.Names = append(s.Names, f.Name)
		}
	}
	slices.Sort(s.Names)
	return s
}

// use takes the zones of a system, and the names that only it has.
func (s *Set) use(system fs.FS, v string) {
	s.system, s.Version = system, v
	s.Names = append(s.Names, systemNames(system)...)
	slices.Sort(s.Names)
	s.Names = slices.Compact(s.Names)
}

// Limits of files of the system.
const (
	maxZone = 1 << 20
	maxZI   = 4 << 20
)

// Load gives a zone by its name as it is in Names; nil for others. What the
// system does not have is the embedded one.
func (s *Set) Load(name string) []byte {
	if _, known := slices.BinarySearch(s.Names, name); !known {
		return nil
	}
	if s.system != nil {
		if data := read(s.system, name, maxZone); bytes.HasPrefix(data, []byte("TZif")) {
			return data
		}
	}
	if s.embedded == nil {
		return nil
	}
	return read(s.embedded, name, maxZone)
}

// read gives a file that is not longer than limit, else nil.
func read(system fs.FS, name string, limit int64) []byte {
	f, err := system.Open(name)
	if err != nil {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if cerr := f.Close(); err != nil || cerr != nil || int64(len(data)) > limit {
		return nil
	}
	return data
}

// version reads the version that a zoneinfo folder tells, "" if it tells none.
func version(system fs.FS) string {
	zi := read(system, "tzdata.zi", maxZI)
	if v := versionOf(zi); v != "" {
		return v
	}
	return versionOf(read(system, "+VERSION", 64))
}

// versionOf reads a year with letters at the begin of a file; distributions
// put words of their own behind it.
func versionOf(text []byte) string {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	v := strings.TrimSpace(strings.TrimPrefix(string(line), "# version "))
	n := 0
	for n < len(v) && (n < 4 && v[n] >= '0' && v[n] <= '9' || n >= 4 && v[n] >= 'a' && v[n] <= 'z') {
		n++
	}
	if n < 5 || n > 6 || v[0] != '2' {
		return ""
	}
	return v[:n]
}

// systemNames lists the zones and links in tzdata.zi.
func systemNames(system fs.FS) []string {
	var all []string
	for line := range strings.SplitSeq(string(read(system, "tzdata.zi", maxZI)), "\n") {
		fields := strings.Fields(line)
		switch {
		case len(fields) >= 2 && fields[0] == "Z" && isName(fields[1]):
			all = append(all, fields[1])
		case len(fields) == 3 && fields[0] == "L" && isName(fields[2]):
			all = append(all, fields[2])
		}
	}
	return all
}

// isName reports whether s can be the name of a zone, and so of a file below
// the folder.
func isName(s string) bool {
	if s == "" || len(s) > 64 || s == "Factory" || !fs.ValidPath(s) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("_-+/", rune(c)) {
			return false
		}
	}
	return s[0] >= 'A' && s[0] <= 'Z'
}
