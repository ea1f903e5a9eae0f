package ical

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones on machines that have none
)

// zoneEntry is a known zone, loaded when it is first asked for.
type zoneEntry struct {
	name string
	once sync.Once
	zone *Zone
}

func (e *zoneEntry) load() *Zone {
	e.once.Do(func() {
		switch e.name {
		case "UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu":
			e.zone = UTCZone
			return
		}
		// A system's own zone data may lack a name; then the zone is unknown.
		if loc, err := time.LoadLocation(e.name); err == nil {
			e.zone = newZone(e.name, loc)
		}
	})
	return e.zone
}

// zoneTable has an entry for each known name, so that it cannot be made to
// grow by what clients send.
type zoneTable struct {
	exact map[string]*zoneEntry // as written by IANA
	fold  map[string]*zoneEntry // in lower case; IANA and Windows
}

var zones = sync.OnceValue(func() *zoneTable {
	t := &zoneTable{exact: make(map[string]*zoneEntry, 600), fold: make(map[string]*zoneEntry, 1000)}
	for name := range strings.SplitSeq(zoneNames, "\n") {
		e := &zoneEntry{name: name}
		t.exact[name] = e
		t.fold[strings.ToLower(name)] = e
	}
	for line := range strings.SplitSeq(windowsZones, "\n") {
		windows, iana, _ := strings.Cut(line, "|")
		if e := t.exact[iana]; e != nil {
			t.fold[strings.ToLower(windows)] = e
		}
	}
	for line := range strings.SplitSeq(windowsCities, "\n") {
		cities, windows, _ := strings.Cut(line, "|")
		if e := t.fold[strings.ToLower(windows)]; e != nil {
			t.fold[strings.ToLower(cities)] = e
		}
	}
	return t
})

// maxTZID bounds the length of a TZID that is looked up.
const maxTZID = 255

// LookupZone finds a zone by IANA name (case-insensitive), the IANA tail of a
// vendor prefix (/mozilla.org/20070129_1/Europe/Berlin), or a Windows name by
// the CLDR table, also as the sentence that Windows shows for it
// ("(UTC+01:00) Amsterdam, Berlin, …"); nil if it is unknown.
func LookupZone(tzid string) *Zone {
	t := zones()
	if e := t.exact[tzid]; e != nil {
		return e.load()
	}
	if len(tzid) > maxTZID {
		return nil
	}
	name := strings.ToLower(strings.Trim(tzid, "\" \t"))
	if e := t.fold[name]; e != nil {
		return e.load()
	}
	if strings.HasPrefix(name, "(utc") || strings.HasPrefix(name, "(gmt") {
		if _, cities, ok := strings.Cut(name, ")"); ok {
			if e := t.fold[strings.TrimSpace(cities)]; e != nil {
				return e.load()
			}
		}
	}
	return t.vendor(name)
}

// vendor looks for a known name behind a slash, the longest first. A name of
// one word counts only below a prefix that begins with a slash, which RFC 5545
// §3.8.3.1 keeps for registries.
func (t *zoneTable) vendor(name string) *Zone {
	rooted := strings.HasPrefix(name, "/")
	for {
		_, tail, ok := strings.Cut(name, "/")
		if !ok {
			return nil
		}
		name = tail
		if e := t.fold[name]; e != nil && (rooted || strings.Contains(name, "/")) {
			return e.load()
		}
	}
}

// TZDataVersion names the zone data in use, e.g. "2026a": that of the system
// when it has some, as package time prefers it, else the embedded one.
func TZDataVersion() string { return tzdataVersion() }

var tzdataVersion = sync.OnceValue(func() string {
	for _, dir := range []string{
		os.Getenv("ZONEINFO"), "/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo",
	} {
		if dir == "" {
			continue
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		if v := zoneinfoVersion(dir); v != "" {
			return v
		}
		return "system"
	}
	return embeddedTZData
})

// zoneinfoVersion reads the version that a zoneinfo folder tells, "" if it
// tells none.
func zoneinfoVersion(dir string) string {
	for _, file := range []string{"tzdata.zi", "+VERSION"} {
		f, err := os.Open(filepath.Join(dir, file))
		if err != nil {
			continue
		}
		head := make([]byte, 64)
		n, _ := f.Read(head) // a short file has a short head
		f.Close()
		line, _, _ := bytes.Cut(head[:n], []byte("\n"))
		v := strings.TrimSpace(strings.TrimPrefix(string(line), "# version "))
		if len(v) >= 5 && len(v) <= 6 && v[0] == '2' {
			return v
		}
	}
	return ""
}
