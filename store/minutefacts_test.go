package store

// mFacts is what is known of each minute of some days.
type mFacts struct {
	from    int64
	covered []bool
	offered []bool
	busy    []bool
}

func (f *mFacts) mark(set []bool, start, end int64) {
	for m := max(start, f.from); m < min(end, f.from+int64(len(set))); m++ {
		set[m-f.from] = true
	}
}

// take marks what an event takes.
func (f *mFacts) take(s *mSeries, floating *mClock, buffers bool) {
	end := f.from + int64(len(f.busy))
	for _, i := range s.instances(end+2*mDay, floating) {
		switch {
		case i.free || i.start == i.end:
		case s.endless:
			i.end = max(i.end, end)
			fallthrough
		default:
			if buffers {
				i.start, i.end = i.start-s.before, i.end+s.after
			}
			f.mark(f.busy, i.start, i.end)
		}
	}
}

// offer lets hours speak, those of one rank at once: they are asked with the
// highest rank first, and where one has spoken the lower ones are silent.
func (f *mFacts) offer(rank []*mHours, clocks []*mClock) {
	covered, offered := make([]bool, len(f.covered)), make([]bool, len(f.covered))
	end := f.from + int64(len(f.covered))
	for i, h := range rank {
		start, until := mNever, -mNever
		if h.start != nil {
			start = h.start.instant(clocks[i])
			if h.length != nil {
				until = h.length.end(*h.start, h.start.wall, clocks[i])
			}
		}
		f.mark(covered, start, until)
		for j := range h.available {
			for _, x := range h.available[j].instances(end+2*mDay, clocks[i]) {
				f.mark(offered, max(start, x.start), min(until, x.end))
			}
		}
	}
	for m := range covered {
		if covered[m] && !f.covered[m] {
			f.covered[m], f.offered[m] = true, offered[m]
		}
	}
}

// newMinuteFacts is the definition of openings.
func newMinuteFacts(from, to int64, point string, own, org *mCalendar) *mFacts {
	f := &mFacts{from: from, covered: make([]bool, to-from), offered: make([]bool, to-from), busy: make([]bool, to-from)}
	for rank := 1; rank <= 10; rank++ {
		var all []*mHours
		var clocks []*mClock
		for _, c := range []*mCalendar{own, org} {
			for _, o := range c.objects {
				if o.hours == nil || (o.hours.priority+9)%10+1 != rank || c == org && !o.hours.holds(point, org.objects) {
					continue
				}
				all, clocks = append(all, o.hours), append(clocks, c.clock)
			}
			if own == org {
				break
			}
		}
		f.offer(all, clocks)
	}
	for _, o := range own.objects {
		if o.event != nil {
			f.take(o.event, own.clock, true)
		}
	}
	for _, o := range org.objects {
		if o.event != nil && own != org {
			f.take(o.event, org.clock, false)
		}
	}
	return f
}
