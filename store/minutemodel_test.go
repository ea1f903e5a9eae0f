package store

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What openings are, said a second time: slowly, and so that it can be seen to
// be right. Time is counted in minutes, sets are slices with one value for each
// minute, clocks are tables, and rules are asked of each day in turn. It shares
// nothing with packages ical and span. A wall clock is the number of minutes
// that it would be after 1970 if it were UTC.

const (
	mHour = 60
	mDay  = 24 * mHour
)

// mClock is the clocks of one place: the wall clock of each quarter of an hour
// in which a test can look, and the instant of each wall clock.
type mClock struct {
	name     string
	from     int64   // the first minute
	offsets  []int64 // of each quarter of an hour
	wallFrom int64
	instants []int64 // of the minutes of the wall clock
	timezone string  // its VTIMEZONE; empty: the name alone says it
}

const mNever = int64(-1) << 62

// newMinuteClock looks at each quarter of an hour. The first instant with a wall
// clock is the one that counts; a wall clock that is skipped is as far behind
// the last one before it as the hand would have moved (RFC 5545 §3.3.5).
func newMinuteClock(name string, from, to int64, offset func(minute int64) int64) *mClock {
	c := &mClock{name: name, from: from, wallFrom: from - 26*mHour}
	c.instants = slices.Repeat([]int64{mNever}, int(to-from+26*mHour+6*mDay)) // the longest ends days after the last start
	for q := from; q < to; q += 15 {
		o := offset(q)
		c.offsets = append(c.offsets, o)
		for m := q; m < q+15; m++ {
			if at := &c.instants[m+o-c.wallFrom]; *at == mNever {
				*at = m
			}
		}
	}
	for i := 1; i < len(c.instants); i++ {
		if c.instants[i] == mNever && c.instants[i-1] != mNever {
			c.instants[i] = c.instants[i-1] + 1
		}
	}
	return c
}

func (c *mClock) instant(wall int64) int64 { return c.instants[wall-c.wallFrom] }
func (c *mClock) wall(minute int64) int64  { return minute + c.offsets[(minute-c.from)/15] }

// mTime is a time as it is written.
type mTime struct {
	form  byte // 'z' with a zone, 'u' UTC, 'f' floating, 'd' a date
	wall  int64
	clock *mClock // of a zone
}

func mText(wall int64, layout string) string { return time.Unix(wall*60, 0).UTC().Format(layout) }

func (t mTime) value() string {
	switch t.form {
	case 'u':
		return mText(t.wall, "20060102T150405Z")
	case 'd':
		return mText(t.wall, "20060102")
	}
	return mText(t.wall, "20060102T150405")
}

func (t mTime) line(name string) string {
	switch t.form {
	case 'z':
		name += ";TZID=" + t.clock.name
	case 'd':
		name += ";VALUE=DATE"
	}
	return name + ":" + t.value() + "\n"
}

// at moves the time along its own wall clock.
func (t mTime) at(wall int64) mTime {
	t.wall = wall
	return t
}

func (t mTime) instant(floating *mClock) int64 {
	switch t.form {
	case 'u':
		return t.wall
	case 'z':
		return t.clock.instant(t.wall)
	}
	return floating.instant(t.wall)
}

// wallOf is the wall clock of a minute where the time is written.
func (t mTime) wallOf(minute int64, floating *mClock) int64 {
	switch t.form {
	case 'u':
		return minute
	case 'z':
		return t.clock.wall(minute)
	}
	return floating.wall(minute)
}

// mLength is a DURATION, or the time at which the first instance ends.
type mLength struct {
	until         *mTime
	days, minutes int64
	hours         bool // of AVAILABLE
}

func (l mLength) line() string {
	if l.until != nil {
		return l.until.line("DTEND")
	}
	return "DURATION:" + mDuration(l.days, l.minutes) + "\n"
}

func mDuration(days, minutes int64) string {
	switch {
	case days == 0:
		return fmt.Sprintf("PT%dM", minutes)
	case minutes == 0:
		return fmt.Sprintf("P%dD", days)
	}
	return fmt.Sprintf("P%dDT%dM", days, minutes)
}

// end gives the end of an instance that starts like first, but at another wall
// clock. Days of a DURATION are of the wall clock; an end makes all instances
// as long as the first (RFC 5545 §3.8.5.3), floating ones on the wall clock.
// Hours end at the same wall clock always.
func (l mLength) end(first mTime, wall int64, floating *mClock) int64 {
	start := first.at(wall).instant(floating)
	var end int64
	switch {
	case l.hours && l.until == nil:
		end = first.at(wall + l.days*mDay + l.minutes).instant(floating)
	case l.hours && first.form != 'd':
		closes := l.until.wall
		if l.until.form != first.form || l.until.clock != first.clock {
			closes = first.wallOf(l.until.instant(floating), floating)
		}
		end = first.at(wall + max(0, closes-first.wall)).instant(floating)
	case l.until == nil:
		end = first.at(wall+l.days*mDay).instant(floating) + l.minutes
	case first.form == 'd', first.form == 'f' && l.until.form == 'f':
		end = first.at(wall + max(0, l.until.wall-first.wall)).instant(floating)
	default:
		end = start + l.until.instant(floating) - first.instant(floating)
	}
	return max(start, end)
}

// mRule is an RRULE. Its fields are zero where it does not say them.
type mRule struct {
	freq     string
	interval int64
	count    int
	until    *mTime
	weekdays []time.Weekday
	nth      int // which of its weekdays of the month
	monthday int // -1 is the last
	month    time.Month
}

var mDayNames = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

func (r *mRule) line() string {
	s := "RRULE:FREQ=" + r.freq
	if r.interval > 1 {
		s += fmt.Sprintf(";INTERVAL=%d", r.interval)
	}
	if r.month > 0 {
		s += fmt.Sprintf(";BYMONTH=%d", r.month)
	}
	if r.monthday != 0 {
		s += fmt.Sprintf(";BYMONTHDAY=%d", r.monthday)
	}
	if len(r.weekdays) > 0 {
		var names []string
		for _, d := range r.weekdays {
			name := mDayNames[d]
			if r.nth != 0 {
				name = fmt.Sprintf("%d%s", r.nth, name)
			}
			names = append(names, name)
		}
		s += ";BYDAY=" + strings.Join(names, ",")
	}
	if r.count > 0 {
		s += fmt.Sprintf(";COUNT=%d", r.count)
	}
	if r.until != nil {
		s += ";UNTIL=" + r.until.value()
	}
	return s + "\n"
}

// onDay is whether the rule has the day of a wall clock.
func (r *mRule) onDay(first, wall int64) bool {
	a, b := time.Unix(first*60, 0).UTC(), time.Unix(wall*60, 0).UTC()
	days := wall/mDay - first/mDay
	monday := (int64(a.Weekday()) + 6) % 7
	months := int64(b.Year()-a.Year())*12 + int64(b.Month()) - int64(a.Month())
	lastDay := time.Date(b.Year(), b.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	switch r.freq {
	case "DAILY":
		if days%r.interval != 0 {
			return false
		}
	case "WEEKLY":
		if (days+monday)/7%r.interval != 0 || len(r.weekdays) == 0 && a.Weekday() != b.Weekday() {
			return false
		}
	case "MONTHLY", "YEARLY":
		if months%r.interval != 0 || len(r.weekdays) == 0 && r.monthday == 0 && a.Day() != b.Day() {
			return false
		}
	}
	switch {
	case r.month != 0 && b.Month() != r.month,
		r.monthday > 0 && b.Day() != r.monthday,
		r.monthday < 0 && b.Day() != lastDay+1+r.monthday,
		len(r.weekdays) > 0 && !slices.Contains(r.weekdays, b.Weekday()),
		r.nth > 0 && (b.Day()-1)/7+1 != r.nth,
		r.nth < 0 && (lastDay-b.Day())/7+1 != -r.nth:
		return false
	}
	return true
}

// walls gives the wall clocks of the rule's instances before a wall clock. The
// first is always one of them, and counts.
func (r *mRule) walls(first mTime, before int64, floating *mClock) []int64 {
	out := []int64{first.wall}
	step := int64(mDay)
	switch r.freq {
	case "HOURLY":
		step = r.interval * mHour
	case "MINUTELY":
		step = r.interval
	}
	for w := first.wall + step; w < before && (r.count == 0 || len(out) < r.count); w += step {
		if step == mDay && !r.onDay(first.wall, w) {
			continue
		}
		if r.until != nil && (r.until.form == 'u' && first.at(w).instant(floating) > r.until.wall || r.until.form != 'u' && w > r.until.wall) {
			break
		}
		out = append(out, w)
	}
	return out
}

// mOver is an override.
type mOver struct {
	rid    mTime
	future bool // RANGE=THISANDFUTURE
	start  mTime
	length mLength
	lines  string
	free   bool
}

// mPeriod is one more start, with a length of its own unless that is zero.
type mPeriod struct {
	start  mTime
	length mLength
}

// mSeries is an event, or an AVAILABLE, with its overrides.
type mSeries struct {
	uid           string
	start         mTime
	length        mLength
	rules         []mRule
	rdates        []mPeriod
	exdates       []mTime
	overs         []mOver
	lines         string
	free          bool // transparent or cancelled
	endless       bool
	before, after int64 // buffers
}

// text writes the components.
func (s *mSeries) text(name string) string {
	head := "BEGIN:" + name + "\nUID:" + s.uid + "\nDTSTAMP:20270101T000000Z\n"
	out := head + s.start.line("DTSTART") + s.length.line() + s.lines
	for i := range s.rules {
		out += s.rules[i].line()
	}
	for _, r := range s.rdates {
		line := r.start.line("RDATE")
		if r.length != (mLength{}) {
			line = strings.Replace(r.start.line("RDATE;VALUE=PERIOD"), "\n", fmt.Sprintf("/PT%dM\n", r.length.minutes), 1)
		}
		out += line
	}
	for _, x := range s.exdates {
		out += x.line("EXDATE")
	}
	out += "END:" + name + "\n"
	for _, o := range s.overs {
		rid := "RECURRENCE-ID"
		if o.future {
			rid += ";RANGE=THISANDFUTURE"
		}
		out += head + o.rid.line(rid) + o.start.line("DTSTART") + o.length.line() + o.lines + "END:" + name + "\n"
	}
	return out
}

type mInstance struct {
	start, end int64
	free       bool
}

// instances gives all that begin before a minute.
func (s *mSeries) instances(before int64, floating *mClock) (out []mInstance) {
	type original struct {
		wall   int64
		length mLength
	}
	set := map[int64]original{} // by instant
	for _, r := range append([]mRule{{freq: "DAILY", interval: 1, count: 1}}, s.rules...) {
		for _, w := range r.walls(s.start, before+mDay, floating) {
			if at := s.start.at(w).instant(floating); set[at] == (original{}) || set[at].wall < w { // of two the one that is not skipped
				set[at] = original{wall: w, length: s.length}
			}
		}
	}
	for _, r := range s.rdates {
		x := original{wall: r.start.wall, length: s.length}
		if r.length != (mLength{}) {
			x.length = r.length
		}
		if _, there := set[r.start.instant(floating)]; !there || r.length != (mLength{}) {
			set[r.start.instant(floating)] = x
		}
	}
	for _, x := range s.exdates {
		delete(set, x.instant(floating))
	}
	for _, o := range s.overs {
		delete(set, o.rid.instant(floating))
		out = append(out, mInstance{o.start.instant(floating), o.length.end(o.start, o.start.wall, floating), o.free})
	}
	for at, x := range set {
		var since *mOver // the last override of this and all later ones
		for i := range s.overs {
			o := &s.overs[i]
			if rid := o.rid.instant(floating); o.future && rid < at && (since == nil || rid > since.rid.instant(floating)) {
				since = o
			}
		}
		if since == nil {
			out = append(out, mInstance{at, x.length.end(s.start, x.wall, floating), s.free})
			continue
		}
		wall := x.wall + since.start.wall - since.rid.wall
		out = append(out, mInstance{since.start.at(wall).instant(floating), since.length.end(since.start, wall, floating), since.free})
	}
	return out
}

// mHours is a VAVAILABILITY.
type mHours struct {
	uid       string
	priority  int
	start     *mTime
	length    *mLength // nil: without end
	points    []string // X-DAYBOOK-SERVICE-POINT; nil: for all
	parent    string
	available []mSeries
}

func (h *mHours) text() string {
	out := "BEGIN:VAVAILABILITY\nUID:" + h.uid + "\nDTSTAMP:20270101T000000Z\n"
	if h.priority > 0 {
		out += fmt.Sprintf("PRIORITY:%d\n", h.priority)
	}
	if h.start != nil {
		out += h.start.line("DTSTART")
	}
	if h.length != nil {
		out += h.length.line()
	}
	for _, p := range h.points {
		out += "X-DAYBOOK-SERVICE-POINT:" + p + "\n"
	}
	if h.parent != "" {
		out += "RELATED-TO;RELTYPE=PARENT:" + h.parent + "\n"
	}
	for i := range h.available {
		out += h.available[i].text("AVAILABLE")
	}
	return out + "END:VAVAILABILITY\n"
}

// holds is whether an organisation's hours hold for somebody.
func (h *mHours) holds(point string, others map[string]*mObject) bool {
	switch {
	case h.points != nil:
		return slices.Contains(h.points, point)
	case h.parent == "":
		return true
	}
	parent := others[h.parent]
	return parent != nil && parent.hours != nil && (parent.hours.points == nil || slices.Contains(parent.hours.points, point))
}

// mObject is a calendar object: an event or hours.
type mObject struct {
	event *mSeries
	hours *mHours
}

// mCalendar is a calendar with the clocks of its floating times.
type mCalendar struct {
	clock   *mClock
	objects map[string]*mObject
}
