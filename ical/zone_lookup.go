package ical

import (
	"strings"
	"sync"
	"time"

	"daybook/ical/internal/tzdata"
)

// zoneEntry is a known zone, loaded when it is first asked for.
type zoneEntry struct {
	name string
	data *tzdata.Set
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
		// A name of a system's list may have no data; then the zone is unknown.
		if loc, err := time.LoadLocationFromTZData(e.name, e.data.Load(e.name)); err == nil {
			e.zone = newZone(e.name, loc)
		}
	})
	return e.zone
}

// zoneTable has an entry for each known name, so that it cannot be made to
// grow by what clients send.
type zoneTable struct {
	version string
	exact   map[string]*zoneEntry // as written by IANA
	fold    map[string]*zoneEntry // in lower case; IANA and Windows
}

var zones = sync.OnceValue(func() *zoneTable { return newZoneTable(tzdata.Newest()) })

func newZoneTable(data *tzdata.Set) *zoneTable {
	t := &zoneTable{version: data.Version, exact: make(map[string]*zoneEntry, 600), fold: make(map[string]*zoneEntry, 1000)}
	for _, name := range data.Names {
		e := &zoneEntry{name: name, data: data}
		t.exact[name] = e
		t.fold[strings.ToLower(name)] = e
	}
	for line := range strings.SplitSeq(tzdata.Windows, "\n") {
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
}

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
// when it is newer than what the program carries with it. It stays the same
// while the program runs.
func TZDataVersion() string { return zones().version }
