package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"daybook/ical"
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

// maxSpread is how many rows an object may have in all its places together;
// beyond it a block is dense too. Otherwise one daily block in a thousand
// calendars would hold the writer for seconds at every change.
const maxSpread = 20_000

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

func startOf(b []byte) int64 { return int64(uint64(b[0])<<32|uint64(u32(b[1:5]))) - rowBias }

func rowKey(c CollectionID, class byte, start int64, o ObjectID, twin uint16) key {
	k := appendStart(append(newKey(tableRows).collection(c), class), start).object(o)
	if twin > 0 { // another instance of the same object at the same time
		k = append(k, byte(twin))
	}
	if twin > math.MaxUint8 {
		k = append(k, byte(twin>>8))
	}
	return k
}

const rowKeyPrefix = 1 + 4 + 1 // table, collection, class

func packRow(r *Row) []byte {
	p := packer(binary.BigEndian.AppendUint16(make([]byte, 0, 32), uint16(r.Flags))).uint(uint64(r.End - r.Start))
	if r.RecurrenceID != r.Start || r.Flags&rowBooked != 0 {
		p = p.int(r.RecurrenceID - r.Start)
	}
	if r.Flags&rowBooked != 0 {
		p = p.uint(uint64(r.Before)).uint(uint64(r.After)).raw(key(nil).u64(uint64(r.Service)))
	}
	return p
}

func unpackRow(k, b []byte) (Row, error) {
	if len(k) < rowKeyPrefix+5+8 || len(b) < 3 {
		return Row{}, fmt.Errorf("%w: instance", errCodec)
	}
	s := k[rowKeyPrefix:]
	u := unpacker{b: b[2:]}
	r := Row{Object: ObjectID(u64(s[5:13])), Flags: RowFlags(binary.BigEndian.Uint16(b)), Start: startOf(s)}
	r.End = r.Start + int64(u.uint())
	r.RecurrenceID = r.Start
	if len(u.b) > 0 {
		r.RecurrenceID += u.int()
	}
	if r.Flags&rowBooked != 0 {
		r.Before, r.After = int64(u.uint()), int64(u.uint())
		if b := u.take(8); b != nil {
			r.Service = ServiceMark(u64(b))
		}
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

	external []byte // hash of the external id; nil: none
	hours    []byte // row of the list of hours; nil: it is none
	origin   Origin
}

// Object gives the iCalendar object.
func (p *Prepared) Object() *ical.Object { return p.object }

// ETag gives the tag that the object has when stored.
func (p *Prepared) ETag() ETag { return p.etag }

// Prepare computes, outside of any transaction, all that the one door writes
// with an object that was parsed and checked: its tag and its rows of the
// instance index. It costs an expansion, bounded by maxRows.
func (s *Store) Prepare(o *ical.Object) (*Prepared, error) { return s.PrepareFrom(o, Origin{}) }

// PrepareFrom is Prepare for an object that a remote keeps. It is never a
// block, which a write in one calendar would change in others.
func (s *Store) PrepareFrom(o *ical.Object, from Origin) (*Prepared, error) {
	if o == nil || o.UID() == "" || kindCode(o.Kind()) == 0 {
		return nil, fmt.Errorf("%w: no calendar object resource", ErrInvalid)
	}
	p := &Prepared{object: o, data: o.Data(), block: from.Remote == 0 && IsBlock(o), origin: from}
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
	p.rows, p.flags, p.until, p.external, p.hours = nil, 0, until, nil, hoursOf(p.object)
	if p.origin.Remote == 0 {
		p.external = externalOf(p.object) // what others call theirs is not ours
	}
	booked := bookingFrom(p.object, p.origin)
	if x.Undated {
		p.flags |= factUndated
	}
	ask := ical.Expand{Max: maxRows + 1}
	if !x.Bounded {
		p.flags |= factEndless
		ask.Window.End = time.Unix(until, 0).UTC()
	}
	err := p.object.EachInstance(ask, func(i *ical.Instance) bool {
		p.rows = append(p.rows, rowOf(p.object, i, p.origin, booked))
		return len(p.rows) <= maxRows
	})
	var limit *ical.LimitError
	if len(p.rows) > maxRows || errors.As(err, &limit) || mixed(p.object) {
		p.rows, p.flags = nil, p.flags&^factEndless|factDense
	}
	if p.flags&factEndless != 0 { // a floating row is complete when its wall clock is before the horizon
		p.rows = slices.DeleteFunc(p.rows, func(r Row) bool { return r.Start >= until })
	}
	p.packed = packRows(p.rows)
}

// spread gives the object as it is indexed when it is in so many places.
func (p *Prepared) spread(places int) *Prepared {
	if len(p.rows)*places <= maxSpread {
		return p
	}
	q := *p
	q.rows, q.packed, q.flags = nil, nil, p.flags&^factEndless|factDense
	return &q
}

func rowOf(o *ical.Object, i *ical.Instance, from Origin, booked booking) Row {
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
	if from.Remote != 0 {
		r.Flags = from.flags(r.Flags, i.Component)
	} else {
		if IsBlock(o) {
			r.Flags |= RowBlock
		}
		if openEnded(i) {
			r.Flags |= rowOpenEnded
		}
	}
	for n, k := range rowKinds {
		if k == o.Kind() {
			r.Flags |= RowFlags(n) << rowKindShift
		}
	}
	r.describe(booked)
	return r
}

// mixed reports whether floating times stand beside times that are fixed in one
// recurrence set, or have a length that is partly fixed (P1DT3H, or in a PERIOD):
// which instances there are and when they end then depends on the asked zone in
// a way that no row can say.
func mixed(o *ical.Object) bool {
	floating, fixed, recurs := false, false, false
	for _, c := range o.Main() {
		for i := range c.Lines {
			l := &c.Lines[i]
			value := l.Value
			switch l.Name {
			case "RRULE", "EXRULE":
				recurs = true
				until := strings.ToUpper(value)
				if at := strings.Index(until, "UNTIL="); at < 0 || !strings.Contains(until[at:], "T") {
					continue
				}
				value, _, _ = strings.Cut(until[strings.Index(until, "UNTIL="):], ";")
			case "DURATION":
				days, exact, _ := ical.ParseDuration(value)
				recurs, fixed = recurs || days != 0 && exact != 0, fixed || days != 0 && exact != 0
				continue
			case "RDATE", "EXDATE", "RECURRENCE-ID":
				recurs, fixed = true, fixed || strings.EqualFold(l.Param("VALUE"), "PERIOD")
			case "DTSTART":
			default:
				continue
			}
			if l.Name != "RRULE" && l.Name != "EXRULE" && o.Zone(l.Param("TZID")) == nil && !strings.HasSuffix(value, "Z") {
				floating = true
			} else if strings.HasSuffix(value, "Z") || l.Param("TZID") != "" {
				fixed = true
			}
		}
	}
	return recurs && floating && fixed
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
	var twins map[place]uint16 // of the present start; most objects never need it
	for i := 0; len(u.b) > 0; i++ {
		before := at
		at.class = u.byte()
		step := u.int()
		at.start += step
		twin := uint16(0)
		switch {
		case i == 0 || step != 0:
			twins = nil
		case twins == nil:
			twins = map[place]uint16{before: 1}
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
// there already, only those that say something else are written. The days
// whose openings that changes are taken away.
func (tx *Tx) indexIn(c CollectionID, o ObjectID, p *Prepared, hasRows bool, classes *uint16) error {
	days := tx.touching(c)
	err := rowKeys(c, o, p.packed, func(i int, class byte, k key) {
		*classes |= 1 << class
		row := packRow(&p.rows[i])
		if hasRows {
			old := tx.get(k)
			if bytes.Equal(old, row) {
				return
			}
			days.packed(k, old)
		}
		days.row(p.rows[i])
		tx.put(k, row)
	})
	if !hasRows {
		tx.count(metaRows, int64(len(p.rows)))
	}
	if p.flags&(factDense|factUndated) != 0 {
		tx.put(newKey(tableDense).collection(c).object(o), p.dense())
	}
	if p.flags&factEndless != 0 {
		days.from(p.until - floatPad)
	}
	tx.putEndless(c, o, p)
	if p.hours != nil {
		tx.put(hoursKey(c, o), p.hours)
	}
	if p.hours != nil || p.flags&factDense != 0 {
		days.all()
	}
	return err
}

// putEndless notes how far the rows of an endless set reach.
func (tx *Tx) putEndless(c CollectionID, o ObjectID, p *Prepared) {
	if p.flags&factEndless != 0 {
		tx.put(newKey(tableEndless).collection(c).object(o), key(nil).u64(uint64(p.until)))
	}
}

// dense is what the dense table says of the object: why it is there, and what
// counting its rules has found, so that no query counts again.
func (p *Prepared) dense() []byte {
	b := []byte{p.flags}
	if p.flags&factDense != 0 {
		b = append(b, p.object.Counted()...)
	}
	return b
}

// indexInView writes them in the view of the organisation's blocks, if the
// object is one.
func (tx *Tx) indexInView(f *facts, p *Prepared, hasRows bool) error {
	if !f.Block {
		return nil
	}
	all := uint16(allClasses)
	return tx.indexIn(blocksOf(f.Org), f.ID, p, hasRows, &all)
}

// unindexFrom removes them from a collection that the object is about to leave,
// and with the last from the view.
func (tx *Tx) unindexFrom(c CollectionID, f *facts) error {
	if err := tx.unindexIn(c, f); err != nil || !f.Block || len(f.Bindings) > 1 {
		return err
	}
	return tx.unindexIn(blocksOf(f.Org), f)
}

// unindexIn removes them.
func (tx *Tx) unindexIn(c CollectionID, f *facts) error {
	n := int64(0)
	days := tx.touching(c)
	err := rowKeys(c, f.ID, f.rows, func(_ int, _ byte, k key) {
		if !days.none() {
			days.packed(k, tx.get(k))
		}
		tx.del(k)
		n--
	})
	tx.count(metaRows, n)
	if f.flags&(factDense|factUndated) != 0 {
		tx.del(newKey(tableDense).collection(c).object(f.ID))
	}
	if f.flags&factEndless != 0 {
		k := newKey(tableEndless).collection(c).object(f.ID)
		if b := tx.get(k); len(b) == 8 {
			days.from(int64(u64(b)) - floatPad)
		}
		tx.del(k)
	}
	if f.Kind == "VAVAILABILITY" {
		tx.del(hoursKey(c, f.ID))
	}
	if f.Kind == "VAVAILABILITY" || f.flags&factDense != 0 {
		days.all()
	}
	return err
}
