package ical

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Show says how much of an object a feed tells.
type Show uint8

// The shows of a feed.
const (
	// ShowFull gives every component as it is stored.
	ShowFull Show = iota
	// ShowTitles gives summary, times, status and location; no description,
	// attendees, alarms, attachments or X- properties. An object of which a
	// component is not CLASS:PUBLIC is shown as in ShowBusy.
	ShowTitles
	// ShowBusy gives the times of events that take time, with the summary
	// "Busy" and stable opaque UIDs; no tasks, journals or availabilities.
	ShowBusy
)

// FeedOptions describes a feed. Empty fields write nothing.
type FeedOptions struct {
	Name, Description string        // NAME, X-WR-CALNAME; DESCRIPTION, X-WR-CALDESC (RFC 7986 §5)
	Color             string        // COLOR for a CSS3 name, X-APPLE-CALENDAR-COLOR for #RRGGBB
	Zone              string        // X-WR-TIMEZONE: an IANA name
	Refresh           time.Duration // REFRESH-INTERVAL, X-PUBLISHED-TTL; whole seconds
	Source            string        // SOURCE: a URL
	Show              Show
	// UIDKey keys the opaque UIDs. ShowBusy needs it; without it ShowTitles
	// leaves out what is not public.
	UIDKey []byte
	// Now is the DTSTAMP of a component that has none, and time zones written
	// for the feed hold for ten years from it.
	Now time.Time
}

var errUIDKey = errors.New("merge: a busy feed needs a UIDKey")

// Merge writes many objects as one VCALENDAR (RFC 5545 §3.4, RFC 7986): each
// VTIMEZONE once, one written for every known TZID, objects that do not parse
// left out and counted. objects yields the stored bytes, which are not kept.
// What it writes depends on nothing but its arguments and the zone data. The
// error is that of w.
func Merge(w io.Writer, objects func(yield func(data []byte) bool), opt FeedOptions) (skipped int, err error) {
	if opt.Show == ShowBusy && len(opt.UIDKey) == 0 {
		return 0, errUIDKey
	}
	m := merger{opt: opt, zones: newFeedZones(opt.Now)}
	objects(func(data []byte) bool {
		var err error
		if opt.Show == ShowFull {
			err = m.full(data)
		} else {
			err = m.filtered(data)
		}
		if err != nil {
			skipped++
		}
		return true
	})
	return skipped, m.write(w)
}

// merger collects the components of a feed; time zones come before them, and
// which ones is known at the end.
type merger struct {
	opt   FeedOptions
	zones feedZones
	body  chunks
	line  []byte // the line that is being written
}

func (m *merger) write(w io.Writer) error {
	out := NewWriter(w)
	out.Raw(m.opt.header())
	m.zones.write(out)
	for _, b := range m.body.full {
		out.Raw(b)
	}
	out.Raw(m.body.last)
	out.End("VCALENDAR")
	if err := out.Err(); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	return nil
}

// header writes what stands before the components.
func (f *FeedOptions) header() []byte {
	var b strings.Builder
	w := NewWriter(&b)
	put := func(name, value string, params ...Param) {
		if value != "" {
			w.Line(name, value, params...)
		}
	}
	w.Begin("VCALENDAR")
	put("VERSION", "2.0")
	put("PRODID", prodID)
	put("CALSCALE", "GREGORIAN")
	put("NAME", EscapeText(f.Name))
	put("X-WR-CALNAME", EscapeText(f.Name))
	put("DESCRIPTION", EscapeText(f.Description))
	put("X-WR-CALDESC", EscapeText(f.Description))
	if strings.HasPrefix(f.Color, "#") {
		put("X-APPLE-CALENDAR-COLOR", f.Color)
	} else {
		put("COLOR", EscapeText(f.Color)) // RFC 7986 §5.9 has CSS3 names only
	}
	put("X-WR-TIMEZONE", EscapeText(f.Zone))
	if f.Refresh >= time.Second {
		put("REFRESH-INTERVAL", feedDuration(f.Refresh), Param{"VALUE", "DURATION"})
		put("X-PUBLISHED-TTL", feedDuration(f.Refresh))
	}
	put("SOURCE", f.Source, Param{"VALUE", "URI"})
	return []byte(b.String())
}

// feedDuration writes an exact DURATION of whole seconds, of a second or
// more (RFC 5545 §3.3.6), without days, which would follow the wall clock.
func feedDuration(d time.Duration) string {
	var b strings.Builder
	b.WriteString("PT")
	for _, u := range []struct {
		length time.Duration
		name   byte
	}{{time.Hour, 'H'}, {time.Minute, 'M'}, {time.Second, 'S'}} {
		if n := d / u.length; n > 0 {
			fmt.Fprintf(&b, "%d%c", n, u.name)
			d -= n * u.length
		}
	}
	return b.String()
}

// full copies the components of one object as they are. The octets are
// scanned, not parsed: they are stored, so they were checked.
func (m *merger) full(data []byte) error {
	parts, clean, err := feedParts(data)
	if err == nil && !clean {
		var o *Object
		if o, err = Parse(data, DefaultLimits); err == nil {
			data = o.Data()
			parts, _, err = feedParts(data)
		}
	}
	if err != nil {
		return err
	}
	var renamed map[string]string
	for i := range parts {
		if p := &parts[i]; p.name == "VTIMEZONE" {
			renamed = m.zones.define(p.tzid, data[p.start:p.end], renamed)
		}
	}
	for i := range parts {
		p := &parts[i]
		if p.name == "VTIMEZONE" {
			continue
		}
		for _, tzid := range p.tzids {
			m.zones.use(tzid, renamed)
		}
		m.zones.reach(p.year)
		b := data[p.start:p.end]
		if renamed != nil {
			b = renameZones(b, renamed)
		}
		m.body.add(b)
	}
	return nil
}

var errManyCalendars = errors.New("more than one VCALENDAR")

// feedParts gives the components of one stored object. clean tells that their
// octets can be written as they are.
func feedParts(data []byte) (parts []part, clean bool, err error) {
	s := newScanner(data, DefaultLimits)
	for {
		p, err := s.next()
		switch {
		case errors.Is(err, io.EOF) && s.calendars == 1:
			return parts, s.clean, nil
		case errors.Is(err, io.EOF):
			return nil, false, errManyCalendars
		case err != nil:
			return nil, false, err
		case p.name != "":
			parts = append(parts, p)
		}
	}
}

// chunks holds much text without moving it as it grows.
type chunks struct {
	full [][]byte
	last []byte
}

const chunkSize = 1 << 20

// add appends a copy of b.
func (c *chunks) add(b []byte) {
	if len(c.last)+len(b) > cap(c.last) {
		if len(c.last) > 0 {
			c.full = append(c.full, c.last)
		}
		c.last = make([]byte, 0, max(chunkSize, len(b)))
	}
	c.last = append(c.last, b...)
}
