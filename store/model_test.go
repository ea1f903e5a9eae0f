package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A plain in-memory model of the one door: what MAPPING says of blocks, and
// nothing of how it is stored.

type modelObject struct {
	uid, body string
	block     bool
	in        map[CollectionID]string // collection → name
}

type model struct {
	cols map[CollectionID]map[string]*modelObject
}

func newModel(cols ...CollectionID) *model {
	m := &model{map[CollectionID]map[string]*modelObject{}}
	for _, c := range cols {
		m.cols[c] = map[string]*modelObject{}
	}
	return m
}

var errModel = errors.New("refused")

func (m *model) byUID(c CollectionID, uid string) (string, *modelObject) {
	for name, o := range m.cols[c] {
		if o.uid == uid {
			return name, o
		}
	}
	return "", nil
}

func (m *model) blockOf(uid string) *modelObject {
	for _, c := range slices.Sorted(maps.Keys(m.cols)) {
		if _, o := m.byUID(c, uid); o != nil && o.block {
			return o
		}
	}
	return nil
}

func (m *model) bind(o *modelObject, c CollectionID, name string) {
	m.cols[c][name] = o
	o.in[c] = name
}

func (m *model) unbind(o *modelObject, c CollectionID) {
	delete(m.cols[c], o.in[c])
	delete(o.in, c)
}

func (m *model) put(c CollectionID, name, uid, body string, block bool) error {
	old := m.cols[c][name]
	if other, _ := m.byUID(c, uid); other != "" && other != name || old != nil && old.uid != uid {
		return errModel
	}
	fresh := &modelObject{uid: uid, body: body, block: block, in: map[CollectionID]string{}}
	join := func() bool {
		b := m.blockOf(uid)
		if !block || b == nil || b == old {
			return false
		}
		b.body = body
		m.bind(b, c, name)
		return true
	}
	switch {
	case old == nil:
		if !join() {
			m.bind(fresh, c, name)
		}
	case old.block && !block && len(old.in) > 1:
		m.unbind(old, c)
		m.bind(fresh, c, name)
	case !old.block && block && m.blockOf(uid) != nil:
		m.unbind(old, c)
		join()
	default:
		old.body, old.block = body, block
	}
	return nil
}

func (m *model) remove(c CollectionID, name string) error {
	o := m.cols[c][name]
	if o == nil {
		return errModel
	}
	m.unbind(o, c)
	return nil
}

func (m *model) move(from CollectionID, fromName string, to CollectionID, toName string, overwrite, isCopy bool) error {
	o := m.cols[from][fromName]
	if o == nil || from == to && (isCopy || fromName == toName) {
		return errModel
	}
	if other, _ := m.byUID(to, o.uid); other != "" && other != toName && (from != to || other != fromName) {
		return errModel
	}
	if held := m.cols[to][toName]; held != nil {
		if !overwrite || held.uid != o.uid {
			return errModel
		}
		if held != o {
			m.unbind(held, to)
		}
	}
	switch {
	case isCopy && !o.block:
		m.bind(&modelObject{uid: o.uid, body: o.body, in: map[CollectionID]string{}}, to, toName)
	case isCopy:
		m.bind(o, to, toName)
	default:
		m.unbind(o, from)
		m.bind(o, to, toName)
	}
	return nil
}

func (m *model) clone() *model {
	c := newModel(slices.Collect(maps.Keys(m.cols))...)
	seen := map[*modelObject]*modelObject{}
	for col, names := range m.cols {
		for name, o := range names {
			if seen[o] == nil {
				d := *o
				d.in = maps.Clone(o.in)
				seen[o] = &d
			}
			c.cols[col][name] = seen[o]
		}
	}
	return c
}

// listing gives the state as a client sees it.
func (m *model) listing(c CollectionID) map[string]ETag {
	out := map[string]ETag{}
	for name, o := range m.cols[c] {
		out[name] = tagOf([]byte(o.body))
	}
	return out
}

// op is one step for both sides.
type op struct {
	kind             int
	from, to         CollectionID
	fromName, toName string
	uid              string
	hour             int
	block, overwrite bool
	targets          []CollectionID
}

const opKinds = 6

func (o op) body() string {
	mark := "X-NOTE:plain"
	if o.block {
		mark = "CATEGORIES:BLOCK"
	}
	return testEvent(o.uid, fmt.Sprintf(":20270301T%02d0000Z", o.hour), mark, "RRULE:FREQ=DAILY;COUNT=3")
}

func (o op) onModel(m *model) error {
	switch o.kind {
	case 0, 1:
		return m.put(o.from, o.fromName, o.uid, o.body(), o.block)
	case 2:
		return m.remove(o.from, o.fromName)
	case 3:
		return m.move(o.from, o.fromName, o.to, o.toName, o.overwrite, false)
	case 4:
		return m.move(o.from, o.fromName, o.to, o.toName, o.overwrite, true)
	}
	return m.putBlock(o.uid, o.body(), o.targets)
}

// putBlock puts a body into exactly the targets: of the block with the UID, of
// the last event that has it, or of a new one.
func (m *model) putBlock(uid, body string, targets []CollectionID) error {
	b := m.blockOf(uid)
	if b == nil {
		b = &modelObject{uid: uid, in: map[CollectionID]string{}}
		for _, c := range slices.Sorted(maps.Keys(m.cols)) {
			if _, o := m.byUID(c, uid); o != nil {
				b = o
			}
		}
	}
	for _, c := range targets {
		if _, o := m.byUID(c, uid); o != nil && o != b {
			return errModel
		}
	}
	b.body, b.block = body, true
	for _, c := range targets {
		if _, there := b.in[c]; !there {
			name := uid + ".ics"
			for n := 1; m.cols[c][name] != nil; n++ {
				name = fmt.Sprintf("%s-%d.ics", uid, n)
			}
			m.bind(b, c, name)
		}
	}
	for c := range maps.Clone(b.in) {
		if !slices.Contains(targets, c) {
			m.unbind(b, c)
		}
	}
	return nil
}

func (o op) onStore(tx *Tx, p *Prepared) error {
	m := Move{System(), o.from, o.to, o.fromName, o.toName, o.overwrite, Cond{}}
	var err error
	switch o.kind {
	case 0, 1:
		_, err = tx.PutObject(Put{Actor: System(), Collection: o.from, Name: o.fromName, Object: p})
	case 2:
		err = tx.DeleteObject(System(), o.from, o.fromName, Cond{})
	case 3:
		_, err = tx.MoveObject(m)
	case 4:
		_, err = tx.CopyObject(m)
	default:
		c, _ := tx.Collection(o.targets[0])
		_, err = tx.PutBlock(PutBlock{Actor: System(), Org: c.Org, Object: p, Targets: o.targets})
	}
	return err
}

func genOp(cols []CollectionID) *rapid.Generator[op] {
	name := rapid.SampledFrom([]string{"a.ics", "b.ics", "c", "d%20e", "uid-1.ics"})
	return rapid.Custom(func(t *rapid.T) op {
		o := op{
			kind: rapid.IntRange(0, opKinds-1).Draw(t, "kind"),
			from: rapid.SampledFrom(cols).Draw(t, "from"), to: rapid.SampledFrom(cols).Draw(t, "to"),
			fromName: name.Draw(t, "name"), toName: name.Draw(t, "toName"),
			uid:  rapid.SampledFrom([]string{"uid-1", "uid-2", "uid-3", "uid-4"}).Draw(t, "uid"),
			hour: rapid.IntRange(0, 23).Draw(t, "hour"), block: rapid.Bool().Draw(t, "block"), overwrite: rapid.Bool().Draw(t, "overwrite"),
		}
		if o.kind == 5 {
			o.block = true
			o.targets = rapid.SliceOfNDistinct(rapid.SampledFrom(cols), 1, len(cols), rapid.ID[CollectionID]).Draw(t, "targets")
		}
		return o
	})
}

// follower is a client that follows one collection by tokens alone.
type follower struct {
	c     CollectionID
	token string
	has   map[string]ETag
}

// sync asks until nothing is left, at most limit changes at a time.
func (f *follower) sync(s *Store, limit int) error {
	for more := true; more; {
		var changes []Change
		var next Token
		err := s.View(context.Background(), func(v *View) (err error) {
			changes, next, more, err = v.Changes(f.c, f.token, limit)
			return err
		})
		if errors.Is(err, ErrToken) {
			f.token, f.has, more = "", map[string]ETag{}, true
			continue
		}
		if err != nil {
			return err
		}
		if limit > 0 && len(changes) > limit {
			return fmt.Errorf("%d changes, asked for %d", len(changes), limit)
		}
		for _, ch := range changes {
			if ch.Removed {
				if f.token == "" {
					return fmt.Errorf("removed member %s in a first listing", ch.Name)
				}
				delete(f.has, ch.Name)
			} else {
				f.has[ch.Name] = ch.ETag
			}
		}
		f.token = next.String()
	}
	return nil
}

// TestStoreBehavesLikeTheModel runs random writes against the store and the
// model; clients that follow only tokens must end with the model's state, and
// the check must be clean.
func TestStoreBehavesLikeTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newTest(t)
		h := newTestHouse(t, s)
		cols := []CollectionID{h.adaCal, h.roomCal, h.userCal, h.otherCal}
		m := newModel(cols...)
		followers := make([]*follower, 2*len(cols))
		for i := range followers {
			followers[i] = &follower{c: cols[i%len(cols)], has: map[string]ETag{}}
		}
		gen := genOp(cols)
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			if rapid.IntRange(0, 3).Draw(rt, "sync") == 0 {
				f := followers[rapid.IntRange(0, len(followers)-1).Draw(rt, "who")]
				if err := f.sync(s, rapid.IntRange(0, 3).Draw(rt, "limit")); err != nil {
					rt.Fatal(err)
				}
				if want := m.listing(f.c); !maps.Equal(f.has, want) {
					rt.Fatalf("follower has %v, want %v", f.has, want)
				}
				continue
			}
			o := gen.Draw(rt, "op")
			var p *Prepared
			if o.kind < 2 || o.kind == 5 {
				p = prepare(t, s, o.body())
			}
			want := m.clone()
			wantErr := o.onModel(want)
			err := s.Update(t.Context(), func(tx *Tx) error { return o.onStore(tx, p) })
			if (err != nil) != (wantErr != nil) {
				rt.Fatalf("%+v: store says %v, model %v", o, err, wantErr)
			}
			if err == nil {
				m = want
			}
			for _, c := range cols {
				if got, want := listing(t, s, c), m.listing(c); !maps.Equal(got, want) {
					rt.Fatalf("after %+v collection %d lists %v, want %v", o, c, got, want)
				}
			}
		}
		for _, f := range followers {
			if err := f.sync(s, 0); err != nil {
				rt.Fatal(err)
			}
			if want := m.listing(f.c); !maps.Equal(f.has, want) {
				rt.Fatalf("at the end a follower has %v, want %v", f.has, want)
			}
		}
		checkBlockView(t, s, h.org.ID, cols)
		mustCheck(t, s)
	})
}
