package sign

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/hours"
	"daybook/ical"
)

// productID is the PRODID of what we write (RFC 5545 §3.7.3).
const productID = "-//Daybook//Daybook//EN"

const (
	stampLayout = "20060102T150405Z"
	wallLayout  = "20060102T150405"
	dateLayout  = "20060102"
)

// ICS gives the hours as a calendar of events that take no time: "Open" for
// each opening, those of a week as one that recurs, and "Closed" for the days
// that are closed though their weekday is not. The same hours give the same
// bytes.
func (s *Sign) ICS() ([]byte, error) {
	var buf bytes.Buffer
	f := &feed{Sign: s, w: ical.NewWriter(&buf)}
	f.w.Begin("VCALENDAR")
	f.w.Line("VERSION", "2.0")
	f.w.Line("PRODID", productID)
	f.w.Line("CALSCALE", "GREGORIAN")
	for _, name := range []string{"NAME", "X-WR-CALNAME"} { // RFC 7986 §5.1, and what most programs read
		f.w.Line(name, ical.EscapeText(s.Name))
	}
	f.w.Line("REFRESH-INTERVAL", "P1D", ical.Param{Name: "VALUE", Value: "DURATION"}) // RFC 7986 §5.7
	f.w.Line("X-PUBLISHED-TTL", "P1D")
	if !f.utc() {
		f.w.Raw([]byte(s.Zone.VTimezone(Window(s.Zone, s.From, s.To))))
	}
	if s.Known {
		days, eve := s.nights()
		if night(eve) > 0 {
			f.single(f.times(s.From-1, eve[len(eve)-1]))
		}
		for _, x := range seasons(days, s.From) {
			f.season(x)
		}
	}
	f.w.End("VCALENDAR")
	if err := f.w.Err(); err != nil {
		return nil, fmt.Errorf("write opening hours: %w", err)
	}
	return buf.Bytes(), nil
}

// feed writes the events.
type feed struct {
	*Sign
	w *ical.Writer
}

func (f *feed) utc() bool {
	switch strings.ToUpper(f.Zone.Name()) {
	case "", "UTC", "ETC/UTC":
		return true
	}
	return false
}

func (f *feed) season(x season) {
	except := map[hours.Date]bool{}
	for _, e := range x.except {
		for d := e.from; d <= e.to; d++ {
			except[d] = true
		}
	}
	seen := map[Stretch]bool{}
	for _, day := range x.week {
		for _, open := range day {
			if !seen[open] {
				seen[open] = true
				f.weekly(x, open, except)
			}
		}
	}
	for _, e := range x.except {
		if len(e.open) == 0 {
			f.closed(e)
		}
		for d := e.from; d <= e.to; d++ {
			for _, open := range e.open {
				f.single(f.times(d, open))
			}
		}
	}
}

// weekly writes a stretch on the weekdays that have it. An instance is as long
// as the first is (RFC 5545 §3.8.5.3), by the clock on the wall or by a
// stopwatch, as programs differ. So those over a clock change, for which the two
// are not the same, and those at a time that the clock skips or shows twice, are
// events of their own, the first among them too.
func (f *feed) weekly(x season, open Stretch, except map[hours.Date]bool) {
	names := [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}
	var byDay []string
	for i := range 7 { // from Monday on
		if d := (i + 1) % 7; slices.Contains(x.week[d], open) {
			byDay = append(byDay, names[d])
		}
	}
	var days, without []hours.Date // of the rule, and those in between that it has not
	var odd []eventTimes
	for d := x.from; d <= x.to; d++ {
		if !slices.Contains(x.week[d.Weekday()], open) {
			continue
		}
		t := f.times(d, open)
		steady := f.Zone.Steady(t.from, t.to) && f.shown(t) == t
		switch {
		case !except[d] && steady:
			days = append(days, d)
			continue
		case !except[d]:
			odd = append(odd, t)
		}
		if len(days) > 0 { // else the rule begins later
			without = append(without, d)
		}
	}
	if n := len(days); n > 0 {
		until := f.times(days[n-1], open).from
		for len(without) > 0 && without[len(without)-1] > days[n-1] {
			without = without[:len(without)-1]
		}
		f.series(f.times(days[0], open), "FREQ=WEEKLY;BYDAY="+strings.Join(byDay, ",")+";UNTIL="+until.Format(stampLayout), without)
	}
	for _, t := range odd {
		f.single(t)
	}
}

// eventTimes are those of one opening.
type eventTimes struct {
	start, end time.Time // wall clocks
	from, to   time.Time // instants
}

func (t eventTimes) key() string { return t.start.Format(wallLayout) + t.end.Format(wallLayout) }

func (f *feed) times(d hours.Date, open Stretch) eventTimes {
	at := func(sec int32) time.Time { return d.Time().Add(time.Duration(sec) * time.Second) }
	t := eventTimes{start: at(open.Start), end: at(open.End)}
	t.from, t.to = f.Zone.Instant(t.start), f.Zone.Instant(t.end)
	return t
}

// shown gives the times with the clocks that the wall shows then, which never
// shows the hour that is skipped.
func (f *feed) shown(t eventTimes) eventTimes {
	t.start, t.end = f.Zone.Wall(t.from), f.Zone.Wall(t.to)
	return t
}

// single writes an opening that does not recur.
func (f *feed) single(t eventTimes) {
	f.begin("Open", t.key())
	if f.Zone.Twice(t.from) || f.Zone.Twice(t.to) {
		f.w.Line("DTSTART", t.from.Format(stampLayout))
		f.w.Line("DTEND", t.to.Format(stampLayout))
	} else {
		t = f.shown(t)
		f.wall("DTSTART", t.start)
		f.wall("DTEND", t.end)
	}
	f.w.End("VEVENT")
}

// series writes an opening that recurs, but for the days without.
func (f *feed) series(t eventTimes, rule string, without []hours.Date) {
	f.begin("Open", t.key()+rule)
	f.wall("DTSTART", t.start)
	f.wall("DTEND", t.end)
	f.w.Line("RRULE", rule)
	clock := t.start.Sub(hours.DateOf(t.start).Time())
	for _, d := range without {
		f.wall("EXDATE", d.Time().Add(clock))
	}
	f.w.End("VEVENT")
}

func (f *feed) closed(e special) {
	f.begin("Closed", e.from.String()+e.to.String())
	date := ical.Param{Name: "VALUE", Value: "DATE"}
	f.w.Line("DTSTART", e.from.Time().Format(dateLayout), date)
	f.w.Line("DTEND", (e.to + 1).Time().Format(dateLayout), date)
	f.w.End("VEVENT")
}

// begin begins an event whose UID stands for what it says, so that a program
// that has seen it knows it again.
func (f *feed) begin(title, key string) {
	f.w.Begin("VEVENT")
	f.w.Line("UID", uuid.NewSHA1(f.ID, []byte("hours\n"+title+"\n"+key)).String())
	f.w.Line("DTSTAMP", f.From.Time().Format(stampLayout))
	f.w.Line("SUMMARY", title)
	f.w.Line("TRANSP", "TRANSPARENT")
}

func (f *feed) wall(name string, wall time.Time) {
	if f.utc() {
		f.w.Line(name, wall.Format(stampLayout))
		return
	}
	f.w.Line(name, wall.Format(wallLayout), ical.Param{Name: "TZID", Value: f.Zone.Name()})
}
