package known

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

type house struct {
	*testing.T
	s     *store.Store
	org   store.PrincipalID
	cols  []store.CollectionID
	known *Objects[string]
	reads int
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t}
	var err error
	h.s, err = store.Open(t.Context(), store.Options{
		Path: filepath.Join(t.TempDir(), "a.db"), Create: true, Now: func() time.Time { return time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.s.Close() })
	h.update(func(tx *store.Tx) error {
		org := &store.Principal{Kind: store.KindOrganisation, Name: "demo"}
		if err := tx.CreatePrincipal(org); err != nil {
			return err
		}
		h.org = org.ID
		for _, name := range []string{"ada", "ben"} {
			p := &store.Principal{Kind: store.KindStaff, Name: name, Org: org.ID}
			if err := tx.CreatePrincipal(p); err != nil {
				return err
			}
			c, err := tx.Calendar(p.ID)
			if err != nil {
				return err
			}
			h.cols = append(h.cols, c.ID)
		}
		return nil
	})
	h.known = New(func(c *ical.Component) string {
		h.reads++
		return c.Text("SUMMARY")
	})
	return h
}

func (h *house) update(fn func(*store.Tx) error) {
	h.Helper()
	if err := h.s.Update(h.Context(), fn); err != nil {
		h.Fatal(err)
	}
}

func (h *house) put(c store.CollectionID, events ...string) {
	h.Helper()
	text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n"
	for _, e := range events {
		text += "BEGIN:VEVENT\nUID:x\nDTSTAMP:20270101T000000Z\nDURATION:PT1H\n" + e + "\nEND:VEVENT\n"
	}
	o, err := ical.ParseResource([]byte(strings.ReplaceAll(text+"END:VCALENDAR\n", "\n", "\r\n")), ical.Limits{})
	if err != nil {
		h.Fatal(err)
	}
	p, err := h.s.Prepare(o)
	if err != nil {
		h.Fatal(err)
	}
	h.update(func(tx *store.Tx) error {
		_, err := tx.PutObject(store.Put{Actor: store.System(), Collection: c, Name: "x.ics", Object: p})
		return err
	})
}

// shown gives what is known of each instance in the first calendar, and of the
// object as a whole.
func (h *house) shown() (texts string, places int) {
	h.Helper()
	err := h.s.View(h.Context(), func(v *store.View) error {
		rows, err := v.Instances(h.cols[0], span.Span{End: time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC)}, nil)
		for _, r := range rows {
			o, err := h.known.Of(v, r.Object)
			if err != nil {
				return err
			}
			if p := o.Part(r, nil); p != nil {
				texts += *p
			}
			if places = len(o.Bindings); o.Identity.UID != "x" || o.Data != nil {
				h.Errorf("%+v", o)
			}
		}
		return err
	})
	if err != nil {
		h.Fatal(err)
	}
	return texts, places
}

func (h *house) want(texts string, places, reads int) {
	h.Helper()
	h.reads = 0
	if got, n := h.shown(); got != texts || n != places || h.reads != reads {
		h.Errorf("%q in %d calendars after %d readings, want %q, %d, %d", got, n, h.reads, texts, places, reads)
	}
}

// What is known follows each change of the object, and is read once for each.
func TestObjectsFollowChanges(t *testing.T) {
	h := newHouse(t)
	h.put(h.cols[0], "DTSTART:20270302T100000Z\nSUMMARY:a\nCATEGORIES:BLOCK")
	h.want("a", 1, 1)
	h.want("a", 1, 0)
	h.put(h.cols[0], "DTSTART:20270302T100000Z\nSUMMARY:b\nCATEGORIES:BLOCK")
	h.want("b", 1, 1)
	h.put(h.cols[1], "DTSTART:20270302T100000Z\nSUMMARY:b\nCATEGORIES:BLOCK") // joins, with the same bytes
	h.want("b", 2, 1)
	h.want("b", 2, 0)
	h.update(func(tx *store.Tx) error {
		return tx.DeleteObject(store.System(), h.cols[1], "x.ics", store.Cond{})
	})
	h.want("b", 1, 1)
}

// Each instance is told by its own component; RANGE=THISANDFUTURE by the last
// that began before it.
func TestPartOfInstance(t *testing.T) {
	h := newHouse(t)
	h.put(h.cols[0],
		"DTSTART:20270301T100000Z\nRRULE:FREQ=DAILY;COUNT=6\nSUMMARY:m",
		"RECURRENCE-ID:20270302T100000Z\nDTSTART:20270302T120000Z\nSUMMARY:o",
		"RECURRENCE-ID;RANGE=THISANDFUTURE:20270304T100000Z\nDTSTART:20270304T110000Z\nSUMMARY:f")
	h.want("momfff", 1, 3)
	h.want("momfff", 1, 0)
}

// The memory is bounded: what is not asked for while it is old is forgotten.
func TestObjectsForget(t *testing.T) {
	k := New(func(*ical.Component) string { return "" })
	mark := []byte("m")
	for id := range store.ObjectID(3 * maxKept) {
		k.keep(id, &Object[string]{mark: mark})
		if k.get(0, mark) == nil {
			t.Fatalf("forgotten after %d, though it was asked for", id)
		}
	}
	if n := len(k.young) + len(k.old); n > 2*maxKept {
		t.Errorf("%d are kept", n)
	}
	if k.get(1, mark) != nil {
		t.Error("is still kept")
	}
	if k.get(store.ObjectID(3*maxKept-1), []byte("other")) != nil || k.get(store.ObjectID(3*maxKept-1), nil) != nil {
		t.Error("counts though the record is another")
	}
}
