package store

import (
	"slices"
	"time"
)

// What random calendars hold.

// minute is a minute near the change, now and then some weeks before.
func (w *minuteWorld) minute() int64 {
	m := w.from - mDay + w.r.Int64N(w.to-w.from+2*mDay)
	if w.one(3) {
		m -= w.r.Int64N(40 * mDay)
	}
	return m - m%pick(w.r, int64(1), 5, 15, 30, 60)
}

// written is an instant as it may be written.
func (w *minuteWorld) written(minute int64, dates bool) mTime {
	switch w.r.IntN(8) {
	case 0, 1:
		return mTime{form: 'u', wall: minute}
	case 2:
		return mTime{form: 'f', wall: w.zones[0].wall(minute)}
	case 3:
		if dates {
			return mTime{form: 'd', wall: minute - minute%mDay}
		}
	}
	z := pick(w.r, w.zones...)
	if w.one(6) { // a wall clock of the night of the change, which may not exist
		return mTime{form: 'z', clock: z, wall: w.from + minuteAround*mDay + w.r.Int64N(2*mDay)}
	}
	return mTime{form: 'z', clock: z, wall: z.wall(minute)}
}

// length is one for a component that starts at a time.
func (w *minuteWorld) length(start mTime) mLength {
	if start.form == 'd' {
		days := pick(w.r, int64(1), 1, 2, 4)
		if w.one(2) {
			end := start.at(start.wall + days*mDay)
			return mLength{until: &end}
		}
		return mLength{days: days}
	}
	minutes := pick(w.r, int64(1), 15, 30, 60, 60, 90, 480, 26*mHour)
	switch w.r.IntN(4) {
	case 0:
		return mLength{days: pick(w.r, int64(0), 1, 2), minutes: minutes}
	case 1:
		return mLength{minutes: minutes}
	case 2:
		if start.form != 'f' { // an end in another zone
			end := w.written(start.instant(nil)+minutes, false)
			if end.form != 'f' && end.instant(nil) > start.instant(nil) {
				return mLength{until: &end}
			}
		}
	}
	end := start.at(start.wall + minutes)
	return mLength{until: &end}
}

var minuteWeek = []time.Weekday{0, 1, 2, 3, 4, 5, 6}

func (w *minuteWorld) weekdays(n int) (out []time.Weekday) {
	for _, i := range w.r.Perm(7)[:n] {
		out = append(out, minuteWeek[i])
	}
	return out
}

// rule is one for a component that starts at a time.
func (w *minuteWorld) rule(start mTime) mRule {
	r := mRule{freq: pick(w.r, "DAILY", "DAILY", "WEEKLY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY", "MINUTELY"), interval: pick(w.r, int64(1), 1, 1, 2, 3)}
	switch r.freq {
	case "WEEKLY":
		r.weekdays = w.weekdays(w.r.IntN(5))
	case "MONTHLY", "YEARLY":
		switch w.r.IntN(4) {
		case 0:
			r.monthday = pick(w.r, -1, -2, 1, 15, 28, 29, 30)
		case 1:
			r.weekdays, r.nth = w.weekdays(1), pick(w.r, 1, 2, 4, -1)
		case 2:
			r.weekdays = w.weekdays(2)
		}
		if r.freq == "YEARLY" {
			r.interval, r.month = 1, time.Unix((w.from+minuteAround*mDay)*60, 0).UTC().Month()
		}
	case "HOURLY":
		r.interval = pick(w.r, int64(3), 5, 7)
	case "MINUTELY":
		r.interval = pick(w.r, int64(45), 90, 200)
	}
	if start.form == 'd' && (r.freq == "HOURLY" || r.freq == "MINUTELY") {
		r.freq, r.interval = "DAILY", 1
	}
	switch w.r.IntN(5) {
	case 0:
		r.count = 1 + w.r.IntN(40)
	case 1:
		until := start.at(start.wall + w.r.Int64N(20*mDay))
		if start.form == 'd' {
			until.wall -= until.wall % mDay
		}
		if start.form == 'z' {
			until = mTime{form: 'u', wall: until.wall}
		}
		r.until = &until
	}
	return r
}

// series is an event or an AVAILABLE, recurring or not.
func (w *minuteWorld) series(uid string, dates bool) *mSeries {
	s := &mSeries{uid: uid, start: w.written(w.minute(), dates)}
	s.length = w.length(s.start)
	if w.one(2) {
		return s
	}
	s.rules = append(s.rules, w.rule(s.start))
	if w.one(8) {
		s.rules = append(s.rules, w.rule(s.start))
	}
	return w.irregular(s)
}

// irregular gives a series what its rules do not say.
func (w *minuteWorld) irregular(s *mSeries) *mSeries {
	walls := s.rules[0].walls(s.start, w.to, w.zones[0])
	some := func() mTime {
		return s.start.at(walls[len(walls)-1-w.r.IntN(min(len(walls), 12))])
	}
	for w.one(3) {
		x := some()
		if s.start.form == 'z' && w.one(3) {
			x = mTime{form: 'u', wall: x.instant(nil)}
		}
		s.exdates = append(s.exdates, x)
	}
	for w.one(4) {
		r := mPeriod{start: some()}
		r.start.wall += pick(w.r, int64(0), 1, -3, 2) * pick(w.r, int64(mDay), 90)
		if s.start.form == 'd' {
			r.start.wall -= r.start.wall % mDay
		} else if w.one(2) {
			r.length.minutes = pick(w.r, int64(20), 200)
		}
		if !slices.ContainsFunc(s.rdates, func(x mPeriod) bool { return x.start.instant(w.zones[0]) == r.start.instant(w.zones[0]) }) {
			s.rdates = append(s.rdates, r)
		}
	}
	for range w.r.IntN(3) {
		o := mOver{rid: some()}
		if w.twice(s, o.rid) {
			continue
		}
		o.start = o.rid.at(o.rid.wall + pick(w.r, int64(0), 0, 1, -1)*mDay)
		if o.rid.form != 'd' {
			o.start.wall += pick(w.r, int64(0), 45, -90)
		}
		if w.one(5) {
			o.future = true
		} else if w.one(4) && o.rid.form != 'd' {
			o.start = w.written(w.minute(), false)
		}
		o.length = w.length(o.start)
		s.overs = append(s.overs, o)
	}
	return s
}

// twice is whether an instance has an override already.
func (w *minuteWorld) twice(s *mSeries, rid mTime) bool {
	for _, o := range s.overs {
		if o.rid.instant(w.zones[0]) == rid.instant(w.zones[0]) {
			return true
		}
	}
	return false
}

func (w *minuteWorld) event(uid string) *mSeries {
	if w.one(25) {
		return w.endless(uid)
	}
	s := w.series(uid, true)
	s.lines, s.free = w.taking()
	for i := range s.overs {
		s.overs[i].lines, s.overs[i].free = w.taking()
	}
	if w.one(4) {
		s.before = pick(w.r, int64(1), 20, 90, 1440)
		s.lines += "X-DAYBOOK-BUFFER-BEFORE:" + mDuration(0, s.before) + "\n"
	}
	if w.one(4) {
		s.after = pick(w.r, int64(1), 20, 90, 1440)
		s.lines += "X-DAYBOOK-BUFFER-AFTER:" + mDuration(0, s.after) + "\n"
	}
	return s
}

// taking gives lines that say whether an event takes time.
func (w *minuteWorld) taking() (lines string, free bool) {
	switch w.r.IntN(12) {
	case 0:
		return "TRANSP:TRANSPARENT\n", true
	case 1:
		return "STATUS:CANCELLED\n", true
	case 2:
		return "STATUS:TENTATIVE\nTRANSP:OPAQUE\n", false
	case 3:
		return "CATEGORIES:BLOCK\n", false
	}
	return "", false
}

// endless is a block without end.
func (w *minuteWorld) endless(uid string) *mSeries {
	start := mTime{form: 'u', wall: w.minute()}
	end := start.at(time.Unix(start.wall*60, 0).UTC().AddDate(10, 0, 0).Unix() / 60)
	return &mSeries{uid: uid, start: start, length: mLength{until: &end}, endless: true, lines: "CATEGORIES:BLOCK\nX-DAYBOOK-OPEN-ENDED:TRUE\n"}
}

func (w *minuteWorld) hours(uid string, p *minutePrincipal) *mHours {
	h := &mHours{uid: uid, priority: pick(w.r, 0, 0, 1, 2, 5, 9)}
	if w.one(3) {
		at := w.written(w.minute(), false)
		h.start = &at
		if !w.one(4) {
			l := w.length(at)
			l.days += pick(w.r, int64(0), 1, 3)
			if l.until != nil && w.one(2) {
				l = mLength{days: 2}
			}
			if l.until != nil {
				l.days = 0
			}
			h.length = &l
		}
	}
	if p == w.org {
		switch w.r.IntN(6) {
		case 0:
			h.points = []string{""}
		case 1:
			h.points = []string{pick(w.r, w.everybody()...).UUID.String(), pick(w.r, w.rooms...).UUID.String()}
		case 2:
			h.parent = p.Name + "-" + pick(w.r, "0", "1", "2", "3")
			if h.parent == uid {
				h.parent = ""
			}
		}
	}
	for n := range w.r.IntN(4) {
		a := w.series(uid+"-"+string(rune('a'+n)), false)
		if w.one(2) { // a working day, most days of the week
			a.length = mLength{minutes: pick(w.r, int64(300), 480, mDay)}
			a.rules = []mRule{{freq: "WEEKLY", interval: 1, weekdays: w.weekdays(5)}}
			a.start = a.start.at(a.start.wall - 30*mDay)
		}
		h.available = append(h.available, *a.onClock())
	}
	return h
}

// onClock makes the series one of hours.
func (s *mSeries) onClock() *mSeries {
	s.length.hours = true
	for i := range s.rdates {
		if s.rdates[i].length != (mLength{}) {
			s.rdates[i].length.hours = true
		}
	}
	for i := range s.overs {
		s.overs[i].length.hours = true
	}
	return s
}
