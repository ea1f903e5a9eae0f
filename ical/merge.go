package ical

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
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
	// attendees, alarms, attachments or X- properties.
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
	URL               string        // URL: of a page for people
	Show              Show
	Private           Private
	// UIDKey keys the opaque UIDs. ShowBusy needs it; without it the other
	// shows leave out what would be shown as busy.
	UIDKey []byte
	// Now is when the feed's text was last changed: the time zones that are
	// written for it hold for ten years from then.
	Now time.Time
}

var errUIDKey = errors.New("merge: a busy feed needs a UIDKey")

// Private says what a feed shows of an object of which a component is not
// CLASS:PUBLIC (RFC 5545 §3.8.1.3).
type Private uint8

// What becomes of private objects.
const (
	PrivateBusy   Private = iota // shown as in ShowBusy
	PrivateShown                 // as all others
	PrivateHidden                // not shown
)

// Merge writes many objects as one VCALENDAR (RFC 5545 §3.4, RFC 7986): each
// VTIMEZONE once, one written for every known TZID, objects that do not parse
// left out and counted. objects yields the stored bytes, which are not kept.
// What it writes depends on nothing but its arguments and the zone data. The
// error is that of w.
func Merge(w io.Writer, objects func(yield func(data []byte) bool), opt FeedOptions) (skipped int, err error) {
	b, err := NewFeedBuilder(opt)
	if err != nil {
		return 0, err
	}
	var body chunks
	objects(func(data []byte) bool {
		if f, err := b.Render(FeedItem{Data: data, Stamp: opt.Now}); err != nil {
			skipped++
		} else {
			body.add(f.Text)
		}
		return true
	})
	out := NewWriter(w)
	out.Raw(b.Head())
	for _, b := range body.full {
		out.Raw(b)
	}
	out.Raw(body.last)
	out.Raw([]byte(FeedTail))
	if err := out.Err(); err != nil {
		return skipped, fmt.Errorf("merge: %w", err)
	}
	return skipped, nil
}

// FeedTail is the end of a feed, behind the last fragment.
const FeedTail = "END:VCALENDAR\r\n"

// FeedBuilder renders the objects of one feed, one after the other. The feed
// is Head, then the fragments' texts, then FeedTail. A fragment that was
// rendered before, with the same options, need not be rendered again: Keep
// tells of it.
type FeedBuilder struct {
	opt    FeedOptions
	zones  feedZones
	shared map[string]*FeedFacts
	last   *FeedFacts // that were shared
	parts  []part

	// Of the object that is being rendered.
	item  FeedItem
	out   []byte
	line  []byte // that is being written
	facts FeedFacts
}

// FeedItem is one object on its way into a feed.
type FeedItem struct {
	Data []byte
	// Stamp is the DTSTAMP of a component that has none.
	Stamp time.Time
	// Twin is added to the UID, so that it differs from that of another object
	// of the feed.
	Twin string
	// Cancelled shows an object that was removed at Stamp: its main facts, with
	// STATUS:CANCELLED and the next SEQUENCE.
	Cancelled bool
}

// Fragment is what a feed shows of an object.
type Fragment struct {
	Text  []byte // whole components; empty for one that is not shown; good until the next
	Facts *FeedFacts
}

// FeedFacts are what the head of a feed must know of a fragment. Fragments
// that are alike share them.
type FeedFacts struct {
	// Custom is set when the text depends on the VTIMEZONEs of other objects:
	// it cannot be kept.
	Custom bool

	zones       []string // TZIDs as written
	first, last int      // years of DTSTARTs
}

// NewFeedBuilder begins a feed. The error tells that ShowBusy lacks its key.
func NewFeedBuilder(opt FeedOptions) (*FeedBuilder, error) {
	if opt.Show == ShowBusy && len(opt.UIDKey) == 0 {
		return nil, errUIDKey
	}
	return &FeedBuilder{opt: opt, zones: newFeedZones(opt.Now), shared: make(map[string]*FeedFacts)}, nil
}

// Render gives what the feed shows of an object, an *InvalidError for one that
// does not parse.
func (m *FeedBuilder) Render(item FeedItem) (Fragment, error) {
	m.item, m.out, m.facts = item, m.out[:0], FeedFacts{zones: m.facts.zones[:0]}
	var err error
	if m.opt.Show == ShowFull && !item.Cancelled {
		err = m.full(item.Data)
	} else {
		err = m.filtered(item.Data)
	}
	if err != nil {
		return Fragment{}, err
	}
	return Fragment{Text: m.out, Facts: m.share()}, nil
}

// share gives the one value for the fragment's facts.
func (m *FeedBuilder) share() *FeedFacts {
	f := &m.facts
	slices.Sort(f.zones)
	f.zones = slices.Compact(f.zones)
	if l := m.last; l != nil && l.Custom == f.Custom && l.first == f.first && l.last == f.last && slices.Equal(l.zones, f.zones) {
		return l
	}
	name := fmt.Sprintf("%t %d %d %q", f.Custom, f.first, f.last, f.zones)
	if m.last = m.shared[name]; m.last == nil {
		out := *f
		out.zones = slices.Clone(f.zones)
		m.last = &out
		m.shared[name] = m.last
	}
	return m.last
}

// Keep takes note of a fragment that was rendered before.
func (m *FeedBuilder) Keep(f *FeedFacts) {
	for _, tzid := range f.zones {
		m.zones.use(tzid, nil)
	}
	m.zones.reach(f.first)
	m.zones.reach(f.last)
}

// use notes that the fragment names a time zone.
func (m *FeedBuilder) use(tzid string, renamed map[string]string) {
	m.zones.use(tzid, renamed)
	if m.zones.lookup(tzid) == nil {
		m.facts.Custom = true
		return
	}
	if !slices.Contains(m.facts.zones, tzid) {
		m.facts.zones = append(m.facts.zones, strings.Clone(tzid))
	}
}

// define notes that the object has a VTIMEZONE.
func (m *FeedBuilder) define(tzid string, body []byte, renamed map[string]string) map[string]string {
	if m.zones.lookup(tzid) == nil {
		m.facts.Custom = true
	}
	return m.zones.define(tzid, body, renamed)
}

// reach notes the year of a DTSTART.
func (m *FeedBuilder) reach(year int) {
	m.zones.reach(year)
	if year > 0 && (m.facts.first == 0 || year < m.facts.first) {
		m.facts.first = year
	}
	m.facts.last = max(m.facts.last, year)
}

// Head gives what stands before the fragments: the feed's properties and the
// time zones of all that were rendered and kept.
func (m *FeedBuilder) Head() []byte {
	var b bytes.Buffer
	out := NewWriter(&b)
	out.Raw(m.opt.header())
	m.zones.write(out)
	return b.Bytes()
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
	put("URL", f.URL)
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
func (m *FeedBuilder) full(data []byte) error {
	parts, clean, err := m.split(data)
	if err == nil && m.opt.Private != PrivateShown && slices.ContainsFunc(parts, func(p part) bool { return p.private }) {
		return m.filtered(data)
	}
	if err == nil && m.item.Twin != "" {
		if data, err = retwin(data, m.item.Twin); err != nil {
			return err
		}
		parts, clean, err = m.split(data)
	}
	if err == nil && !clean {
		var o *Object
		if o, err = Parse(data, DefaultLimits); err == nil {
			data = o.Data()
			parts, _, err = m.split(data)
		}
	}
	if err != nil {
		return err
	}
	var renamed map[string]string
	for i := range parts {
		if p := &parts[i]; p.name == "VTIMEZONE" {
			renamed = m.define(p.tzid, data[p.start:p.end], renamed)
		}
	}
	for i := range parts {
		p := &parts[i]
		if p.name == "VTIMEZONE" {
			continue
		}
		for _, tzid := range p.tzids {
			m.use(tzid, renamed)
		}
		m.reach(p.year)
		b := data[p.start:p.end]
		if renamed != nil {
			b = renameZones(b, renamed)
		}
		m.out = append(m.out, b...)
	}
	return nil
}

// retwin gives an object another UID.
func retwin(data []byte, twin string) ([]byte, error) {
	o, err := Parse(data, DefaultLimits)
	if err != nil {
		return nil, err
	}
	e := o.Edit()
	for _, c := range o.main {
		if l := c.Line("UID"); l != nil {
			e.Set(c, "UID", l.Value+twin)
		}
	}
	if o, err = e.Apply(); err != nil {
		return nil, err
	}
	return o.Data(), nil
}

var errManyCalendars = errors.New("more than one VCALENDAR")

func (m *FeedBuilder) split(data []byte) (parts []part, clean bool, err error) {
	parts, clean, err = feedParts(m.parts[:0], data)
	m.parts = parts
	return parts, clean, err
}

// feedParts gives the components of one stored object. clean tells that their
// octets can be written as they are.
func feedParts(parts []part, data []byte) (_ []part, clean bool, err error) {
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

// The words for shows and for what becomes of private objects, in order.
var (
	showNames    = [...]string{ShowFull: "full", ShowTitles: "titles", ShowBusy: "busy"}
	privateNames = [...]string{PrivateBusy: "busy", PrivateShown: "shown", PrivateHidden: "hidden"}
)

func (s Show) String() string { return showNames[min(int(s), len(showNames)-1)] }

func (p Private) String() string { return privateNames[min(int(p), len(privateNames)-1)] }

// ParseShow reads full, titles or busy.
func ParseShow(s string) (Show, bool) {
	i := slices.Index(showNames[:], s)
	return Show(max(i, 0)), i >= 0
}

// ParsePrivate reads busy, shown or hidden.
func ParsePrivate(s string) (Private, bool) {
	i := slices.Index(privateNames[:], s)
	return Private(max(i, 0)), i >= 0
}
