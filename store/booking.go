package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
	"daybook/store/engine"
)

// What the index keeps of an event that was booked beside its time, so that
// busy time and the limits of services are counted without reading a body.

const (
	// MaxBuffer is the longest buffer: a longer X-DAYBOOK-BUFFER- counts as this.
	MaxBuffer = 24 * time.Hour

	propBufferPrefix = "X-DAYBOOK-BUFFER-"
	propBufferBefore = propBufferPrefix + "BEFORE"
	propBufferAfter  = propBufferPrefix + "AFTER"

	// ServiceProperty holds the UUID of the service that was booked.
	ServiceProperty = "X-DAYBOOK-SERVICE-ID"
)

// ServiceMark stands for a service in rows of the index; 0 is none.
type ServiceMark uint64

// MarkOf gives the mark of a service's id.
func MarkOf(id uuid.UUID) ServiceMark {
	if id == uuid.Nil {
		return 0
	}
	sum := sha256.Sum256(id[:])
	return ServiceMark(binary.BigEndian.Uint64(sum[:]))
}

// booking is what was booked: whole seconds beside the event's own time, and
// the service.
type booking struct {
	before, after int64
	service       ServiceMark
}

func (b booking) any() bool { return b != booking{} }

// bookingOf reads an object: the longest buffers of its components, and the
// service of the one that speaks for it.
func bookingOf(o *ical.Object) (b booking) {
	for _, c := range o.Main() {
		b.before = max(b.before, BufferLength(c, propBufferBefore))
		b.after = max(b.after, BufferLength(c, propBufferAfter))
	}
	if c := principalComponent(o); c != nil {
		if id, err := uuid.Parse(strings.TrimSpace(c.Text(ServiceProperty))); err == nil {
			b.service = MarkOf(id)
		}
	}
	return b
}

// BufferLength reads a buffer, a duration between nothing and MaxBuffer, in
// seconds.
func BufferLength(c *ical.Component, name string) int64 {
	l := c.Line(name)
	if l == nil {
		return 0
	}
	days, exact, err := ical.ParseDuration(l.Value)
	if err != nil || days < 0 || exact < 0 {
		return 0
	}
	return int64(min(time.Duration(min(days, 1))*24*time.Hour+min(exact, MaxBuffer), MaxBuffer) / time.Second)
}

// describe gives the row what was booked.
func (r *Row) describe(b booking) {
	if b.any() {
		r.Flags |= rowBooked
		r.Before, r.After, r.Service = b.before, b.after, b.service
	}
}

// TakesTime reports whether the instance is busy time (RFC 4791 §7.10) of a
// length.
func (r *Row) TakesTime() bool {
	return r.Flags.Kind() == "VEVENT" && r.Flags.Busy() != ical.BusyFree && r.Start < r.End
}

// Endless reports whether the instance takes time for ever, whatever End says.
func (r *Row) Endless() bool { return r.Flags&rowOpenEnded != 0 }

// --- hours ---

// hoursRow is what the list of a collection's hours says of one VAVAILABILITY
// object, so that those of other service points are passed over without
// reading them.
type hoursRow struct {
	named  bool        // it names service points, be it none
	points []uuid.UUID // that it names
	parent uidHash     // of the calendar that it is an exception of; zero: none
}

func hoursKey(c CollectionID, o ObjectID) key { return newKey(tableHours).collection(c).object(o) }

// hoursOf packs the row of an object; nil for other kinds.
func hoursOf(o *ical.Object) []byte {
	if o.Kind() != "VAVAILABILITY" {
		return nil
	}
	var named byte
	var points []byte
	for _, c := range o.Main() {
		for _, l := range c.All(propServicePoint) {
			named = 1
			if u, err := uuid.Parse(strings.TrimSpace(l.Text())); err == nil {
				points = append(points, u[:]...)
			}
		}
	}
	var parent []byte
	if uid := parentUID(o); uid != "" {
		h := hashUID(uid)
		parent = h[:]
	}
	return packer{packedV1, named}.blob(parent).raw(points)
}

func unpackHours(b []byte) (r hoursRow, err error) {
	u := unpacker{b: b}
	if u.byte() != packedV1 {
		u.bad = true
	}
	r.named = u.byte() == 1
	copy(r.parent[:], u.blob())
	for len(u.b) > 0 {
		var id uuid.UUID
		copy(id[:], u.take(len(id)))
		r.points = append(r.points, id)
	}
	return r, u.err("hours")
}

// holds reports whether hours with this row hold for a service point; parent is
// the row of what they are an exception of, nil if that is not there. Hours that
// name no point hold for all, and as an exception where their calendar does;
// without it they hold nowhere.
func (r *hoursRow) holds(point uuid.UUID, parent *hoursRow) bool {
	switch {
	case r.named:
		return slices.Contains(r.points, point)
	case r.parent == uidHash{}:
		return true
	case parent == nil:
		return false
	}
	return !parent.named || slices.Contains(parent.points, point)
}

// describeBookings brings a file of before the index kept this up to date.
func describeBookings(w engine.Writer) error {
	tx := &Tx{View: View{r: w, writing: true}, w: w}
	tx.dropPrefix(newKey(tableOpenings))
	var ids []ObjectID
	tx.scan(tableFacts, func(k, _ []byte) { ids = append(ids, ObjectID(u64(k[1:]))) })
	for _, id := range ids {
		f, err := unpackFacts(id, tx.get(factsKey(id)))
		if err != nil || f.Kind != "VEVENT" && f.Kind != "VAVAILABILITY" {
			continue // Check's to report
		}
		data, err := tx.Data(id)
		if err != nil || f.Kind == "VEVENT" && !mayBeBooked(data) {
			continue
		}
		o, err := ical.Parse(data, ical.StreamLimits)
		if err != nil {
			continue // as above
		}
		if err := tx.describeObject(f, bookingOf(o), hoursOf(o)); err != nil {
			return err
		}
	}
	return nil
}

// mayBeBooked reports whether a body can have buffers or a service. Names stand
// at the beginning of a line, so they are never folded.
func mayBeBooked(data []byte) bool {
	upper := bytes.ToUpper(data)
	return bytes.Contains(upper, []byte("\n"+propBufferPrefix)) || bytes.Contains(upper, []byte("\n"+ServiceProperty))
}

func (tx *Tx) describeObject(f *facts, b booking, hours []byte) error {
	for _, at := range f.Bindings {
		if hours != nil {
			tx.put(hoursKey(at.Collection, f.ID), hours)
		}
		var keys []key
		err := rowKeys(at.Collection, f.ID, f.rows, func(_ int, _ byte, k key) { keys = append(keys, k) })
		if err != nil || !b.any() {
			continue
		}
		for _, k := range keys {
			if r, err := unpackRow(k, tx.get(k)); err == nil {
				r.describe(b)
				tx.put(k, packRow(&r))
			}
		}
	}
	return nil
}
