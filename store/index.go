package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"daybook/ical"
	"daybook/ical/span"
)

// The instance index.
//
// A row is an instance: collection, class, start, object → flags, length,
// RECURRENCE-ID. The class is how long the instance is, so that a window needs
// to look back only by the longest length of each class; floating instances
// have classes of their own, hold the wall clock as if it were UTC, and are
// looked for in a window widened by a day, then placed by the zone that the
// question names. So no row ever depends on a collection's zone.
//
// Three kinds of objects have more than rows. An endless set has rows up to
// the horizon, and is in the endless table with the instant up to which it has
// them; a window beyond it expands just these. A set with very many instances
// has no rows at all and is in the dense table, expanded for every window. So
// is an object with an undated component, which belongs to every window.

// maxRows is how many rows an object may have; beyond it is dense.
const maxRows = 1000

const (
	classFloating = 8 // added to the class of a floating instance
	day           = 24 * 60 * 60
	// floatPad is more than any zone is away from UTC.
	floatPad = 26 * 60 * 60
)

// classLengths are the longest instances of each class, in seconds; the last
// class is for all that are longer.
var classLengths = [...]int64{day, 8 * day, 64 * day, 512 * day, math.MaxInt64}

func classOf(length int64, floating bool) byte {
	c := byte(0)
	for length > classLengths[c] {
		c++
	}
	if floating {
		c += classFloating
	}
	return c
}

// rowBias makes the seconds of the years 1 to 9999 positive 5-byte numbers.
const rowBias = 1 << 39

func appendStart(k key, sec int64) key {
	n := uint64(min(max(sec, -rowBias), rowBias-1) + rowBias)
	return append(k, byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func rowKey(c CollectionID, class byte, start int64, o ObjectID, twin byte) key {
	k := appendStart(append(newKey(tableRows).collection(c), class), start).object(o)
	if twin > 0 { // another instance of the same object at the same time
		k = append(k, twin)
	}
	return k
}

const rowKeyPrefix = 1 + 4 + 1 // table, collection, class

func packRow(r *Row) []byte {
	p := packer(binary.BigEndian.AppendUint16(make([]byte, 0, 12), uint16(r.Flags))).uint(uint64(r.End - r.Start))
	if r.RecurrenceID != r.Start {
		p = p.int(r.RecurrenceID - r.Start)
	}
	return p
}

func unpackRow(k, b []byte) (Row, error) {
	if len(k) < rowKeyPrefix+5+8 || len(b) < 3 {
		return Row{}, fmt.Errorf("%w: instance", errCodec)
	}
	s := k[rowKeyPrefix:]
	n := uint64(s[0])<<32 | uint64(u32(s[1:5]))
	u := unpacker{b: b[2:]}
	r := Row{Object: ObjectID(u64(s[5:13])), Flags: RowFlags(binary.BigEndian.Uint16(b)), Start: int64(n) - rowBias}
	r.End = r.Start + int64(u.uint())
	r.RecurrenceID = r.Start
	if len(u.b) > 0 {
		r.RecurrenceID += u.int()
	}
	return r, u.err("instance")
}

// Prepared is an object ready for the one door: all that can be computed
// without the store's state has been.
type Prepared struct {
	object *ical.Object
	etag   ETag
	data   []byte
	block  bool
	rows   []Row  // without the object's number
	packed []byte // where they are, as kept in the facts
	flags  byte
	until  int64 // rows of an endless set reach up to here
}

// Object gives the iCalendar object.
func (p *Prepared) Object() *ical.Object { return p.object }

// ETag gives the tag that the object has when stored.
func (p *Prepared) ETag() ETag { return p.etag }

// Prepare computes, outside of any transaction, all that the one door writes
// with an object that was parsed and checked: its tag and its rows of the
// instance index. It costs an expansion, bounded by maxRows.
func (s *Store) Prepare(o *ical.Object) (*Prepared, error) {
	if o == nil || o.UID() == "" || kindCode(o.Kind()) == 0 {
		return nil, fmt.Errorf("%w: no calendar object resource", ErrInvalid)
	}
	p := &Prepared{object: o, data: o.Data(), block: IsBlock(o)}
	p.etag = tagOf(p.data)
	p.index(s.indexUntil())
	return p, nil
}

// indexUntil gives how far rows of endless sets are made: never less than what
// the horizon promises.
func (s *Store) indexUntil() int64 {
	ahead := s.now().Add(s.opt.Horizon).Truncate(day * time.Second).Unix()
	return max(ahead, s.horizon.Load())
}

// index makes the rows.
func (p *Prepared) index(until int64) {
	x := p.object.Extent()
	p.rows, p.flags, p.until = nil, 0, until
	if x.Undated {
		p.flags |= factUndated
	}
	ask := ical.Expand{Max: maxRows + 1}
	if !x.Bounded {
		p.flags |= factEndless
		ask.Window.End = time.Unix(until, 0).UTC()
	}
	err := p.object.EachInstance(ask, func(i *ical.Instance) bool {
		p.rows = append(p.rows, rowOf(p.object, i))
		return len(p.rows) <= maxRows
	})
	var limit *ical.LimitError
	if len(p.rows) > maxRows || errors.As(err, &limit) {
		p.rows, p.flags = nil, p.flags&^factEndless|factDense
	}
	if p.flags&factEndless != 0 { // a floating row is complete when its wall clock is before the horizon
		p.rows = slices.DeleteFunc(p.rows, func(r Row) bool { return r.Start >= until })
	}
	p.packed = packRows(p.rows)
}

func rowOf(o *ical.Object, i *ical.Instance) Row {
	r := Row{Start: i.Start.Unix(), End: i.End.Unix()}
	switch i.Form {
	case ical.Floating, ical.Date:
		r.Flags |= RowFloating
		r.Start, r.End = i.Wall.Unix(), i.WallEnd.Unix()
		if i.Form == ical.Date {
			r.Flags |= RowDate
		} else if timed(i.Component) {
			r.Flags |= rowTimed
		}
	case ical.UTC, ical.Zoned:
	}
	r.End = max(r.End, r.Start)
	r.RecurrenceID = r.Start
	if !i.RecurrenceID.IsZero() {
		r.Flags |= RowRecurs
		r.RecurrenceID = i.RecurrenceID.Unix()
	}
	if i.Component != nil {
		r.Flags |= RowFlags(i.Component.BusyType()) << rowBusyShift
		if i.Component.Line("RECURRENCE-ID") != nil {
			r.Flags |= RowOverride
		}
	}
	if IsBlock(o) {
		r.Flags |= RowBlock
	}
	for n, k := range rowKinds {
		if k == o.Kind() {
			r.Flags |= RowFlags(n) << rowKindShift
		}
	}
	return r
}

// timed reports whether the component's length is an exact DURATION (RFC 5545
// §3.3.6: days are nominal, hours are not).
func timed(c *ical.Component) bool {
	if c == nil {
		return false
	}
	l := c.Line("DURATION")
	if l == nil || c.Line("DTEND") != nil || c.Line("DUE") != nil {
		return false
	}
	days, _, err := ical.ParseDuration(l.Value)
	return err == nil && days == 0
}

// packRows keeps where rows are: for each its class, and its start as the
// distance from the one before.
func packRows(rows []Row) []byte {
	p := make(packer, 0, len(rows)*5)
	last := int64(0)
	for i := range rows {
		r := &rows[i]
		p = p.byte(classOf(r.End-r.Start, r.Flags&RowFloating != 0)).int(r.Start - last)
		last = r.Start
	}
	return p
}

// rowKeys gives the keys of packed rows in a collection. Instances that start
// together are told apart by a number at the end of the key.
func rowKeys(c CollectionID, o ObjectID, packed []byte, yield func(i int, class byte, k key)) error {
	type place struct {
		class byte
		start int64
	}
	u := unpacker{b: packed}
	var at place
	var twins map[place]byte // of the present start; most objects never need it
	for i := 0; len(u.b) > 0; i++ {
		before := at
		at.class = u.byte()
		step := u.int()
		at.start += step
		twin := byte(0)
		switch {
		case i == 0 || step != 0:
			twins = nil
		case twins == nil:
			twins = map[place]byte{before: 1}
			fallthrough
		default:
			twin = twins[at]
			twins[at]++
		}
		yield(i, at.class, rowKey(c, at.class, at.start, o, twin))
	}
	return u.err("rows")
}

// indexIn writes the object's rows and lists in one collection; classes gains
// what the collection's state must know. Where rows with the same keys are
// there already, only those that say something else are written.
func (tx *Tx) indexIn(c CollectionID, o ObjectID, p *Prepared, hasRows bool, classes *uint16) error {
	err := rowKeys(c, o, p.packed, func(i int, class byte, k key) {
		*classes |= 1 << class
		row := packRow(&p.rows[i])
		if !hasRows || !bytes.Equal(tx.get(k), row) {
			tx.put(k, row)
		}
	})
	if !hasRows {
		tx.count(metaRows, int64(len(p.rows)))
	}
	if p.flags&(factDense|factUndated) != 0 {
		tx.put(newKey(tableDense).collection(c).object(o), []byte{p.flags})
	}
	if p.flags&factEndless != 0 {
		tx.put(newKey(tableEndless).collection(c).object(o), key(nil).u64(uint64(p.until)))
	}
	return err
}

// unindexIn removes them.
func (tx *Tx) unindexIn(c CollectionID, f *facts) error {
	n := int64(0)
	err := rowKeys(c, f.ID, f.rows, func(_ int, _ byte, k key) {
		tx.del(k)
		n--
	})
	tx.count(metaRows, n)
	if f.flags&(factDense|factUndated) != 0 {
		tx.del(newKey(tableDense).collection(c).object(f.ID))
	}
	if f.flags&factEndless != 0 {
		tx.del(newKey(tableEndless).collection(c).object(f.ID))
	}
	return err
}

// overlaps is the test of RFC 4791 §9.9: an instance without length counts
// when it lies in the window.
func overlaps(start, end, from, to int64) bool {
	if start == end {
		return from <= start && start < to
	}
	return start < to && end > from
}

func windowSeconds(w span.Span) (from, to int64) {
	from, to = -rowBias, int64(rowBias)
	if !w.Start.IsZero() {
		from = w.Start.Unix()
	}
	if !w.End.IsZero() {
		to = w.End.Unix()
		if w.End.Nanosecond() > 0 {
			to++
		}
	}
	return from, to
}

// placed gives the row with instants instead of wall clocks.
func placed(r Row, zone *ical.Zone) Row {
	if r.Flags&RowFloating == 0 {
		return r
	}
	at := func(sec int64) int64 { return zone.Instant(time.Unix(sec, 0).UTC()).Unix() }
	same, length := r.RecurrenceID == r.Start, r.End-r.Start
	if r.Start, r.End = at(r.Start), at(r.End); r.Flags&rowTimed != 0 {
		r.End = r.Start + length
	}
	if r.RecurrenceID = at(r.RecurrenceID); same {
		r.RecurrenceID = r.Start
	}
	return r
}

// eachRow calls fn for the rows of the index in the window, placed, in no
// promised order.
func (v *View) eachRow(c CollectionID, from, to int64, zone *ical.Zone, fn func(Row)) error {
	st, err := v.State(c)
	if err != nil {
		return err
	}
	for class := range byte(16) {
		if st.classes&(1<<class) == 0 {
			continue
		}
		lo, hi := from, to
		floating := class&classFloating != 0
		if floating {
			lo, hi = lo-floatPad, hi+floatPad
		}
		if length := classLengths[class&^classFloating]; lo > -rowBias+length {
			lo -= length
		} else {
			lo = -rowBias
		}
		prefix := append(newKey(tableRows).collection(c), class)
		end := appendStart(prefix[:len(prefix):len(prefix)], hi)
		if hi >= rowBias {
			end = prefix.after()
		}
		v.r.Scan(appendStart(prefix[:len(prefix):len(prefix)], lo), end, func(k, b []byte) bool {
			var r Row
			if r, err = unpackRow(k, b); err != nil {
				return false
			}
			if r = placed(r, zone); overlaps(r.Start, r.End, from, to) {
				fn(r)
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// listed gives the objects of one of the collection's short lists.
func (v *View) listed(table byte, c CollectionID, fn func(o ObjectID, value []byte)) {
	from := newKey(table).collection(c)
	v.r.Scan(from, from.after(), func(k, b []byte) bool {
		fn(ObjectID(u64(k[5:])), b)
		return true
	})
}

// eachExpanded calls fn for the instances that the index has no rows for.
func (v *View) eachExpanded(c CollectionID, from, to int64, zone *ical.Zone, fn func(Row)) error {
	type job struct {
		o     ObjectID
		since int64 // instances before have rows
	}
	var jobs []job
	v.listed(tableDense, c, func(o ObjectID, b []byte) {
		if b[0]&factDense != 0 {
			jobs = append(jobs, job{o, -rowBias})
		}
	})
	dense := len(jobs)
	if to > v.s.horizon.Load()-floatPad {
		v.listed(tableEndless, c, func(o ObjectID, b []byte) {
			if until := int64(u64(b)); to > until-floatPad {
				jobs = append(jobs, job{o, until})
			}
		})
	}
	v.s.metrics.fallback.WithLabelValues("dense").Add(float64(dense))
	v.s.metrics.fallback.WithLabelValues("horizon").Add(float64(len(jobs) - dense))
	for _, j := range jobs {
		if err := v.expand(j.o, j.since, from, to, zone, fn); err != nil {
			return err
		}
	}
	return nil
}

func (v *View) expand(id ObjectID, since, from, to int64, zone *ical.Zone, fn func(Row)) error {
	o, err := v.parsedObject(id)
	if err != nil {
		v.s.log.Warn("stored object cannot be expanded", "object", uint64(id), "err", err)
		return nil // it is served as bytes and reported by check
	}
	ask := ical.Expand{Window: span.Span{Start: unixOrZero(max(from, since-2*floatPad)), End: unixOrZero(to)}, Zone: zone}
	err = o.EachInstance(ask, func(i *ical.Instance) bool {
		r := rowOf(o, i)
		if r.Start < since {
			return true
		}
		r.Object = id
		if r = placed(r, zone); overlaps(r.Start, r.End, from, to) {
			fn(r)
		}
		return true
	})
	var limit *ical.LimitError
	if errors.As(err, &limit) {
		v.s.log.Warn("expansion was cut", "object", uint64(id), "err", err)
		return nil
	}
	return err
}

func unixOrZero(sec int64) time.Time {
	if sec <= -rowBias || sec >= rowBias {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}

// Instances gives the instances in the window, exact and ordered by Start,
// then object and RECURRENCE-ID; floating ones are placed by the zone (nil:
// UTC), so that Start and End are UTC in all. Objects with undated components
// are not in it. A zero Start or End of the window is open.
func (v *View) Instances(c CollectionID, w span.Span, zone *ical.Zone) ([]Row, error) {
	zone = utcOr(zone)
	from, to := windowSeconds(w)
	var out []Row
	add := func(r Row) { out = append(out, r) }
	if err := v.eachRow(c, from, to, zone, add); err != nil {
		return nil, err
	}
	if err := v.eachExpanded(c, from, to, zone, add); err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Object, b.Object), cmp.Compare(a.RecurrenceID, b.RecurrenceID))
	})
	return out, nil
}

// Find gives the objects of a kind ("" any) that have an instance in the
// window, in order of their numbers, and in undated those that must be looked
// at for every window.
func (v *View) Find(c CollectionID, kind string, w span.Span, zone *ical.Zone) (hits, undated []ObjectID, err error) {
	zone = utcOr(zone)
	from, to := windowSeconds(w)
	add := func(r Row) {
		if kind == "" || r.Flags.Kind() == kind {
			hits = append(hits, r.Object)
		}
	}
	if err := v.eachRow(c, from, to, zone, add); err != nil {
		return nil, nil, err
	}
	if err := v.eachExpanded(c, from, to, zone, add); err != nil {
		return nil, nil, err
	}
	slices.Sort(hits)
	hits = slices.Compact(hits)
	v.listed(tableDense, c, func(o ObjectID, b []byte) {
		if _, hit := slices.BinarySearch(hits, o); b[0]&factUndated != 0 && !hit {
			undated = append(undated, o)
		}
	})
	return hits, undated, nil
}
