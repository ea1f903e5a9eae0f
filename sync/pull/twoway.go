package pull

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/google/uuid"

	"daybook/ical"
	"daybook/store"
)

// bothWays makes a calendar of ours and a collection elsewhere equal. Each object
// is compared with what both sides last had in common:
//
//   - changed on one side: the other side takes it over;
//   - removed on one side, and as it was on the other: removed there too;
//   - removed on one side and changed on the other: the change counts;
//   - changed on both: joined by ical.Join; where that cannot be, the remote's
//     rule decides, and the conflict is noted.
//
// Each write has the condition that the other side is as it was seen. What fails
// by that is looked at again by the next pull, which begins with a full
// comparison then.
func (j *job) bothWays(ctx context.Context) error {
	p, err := j.peer(ctx)
	if err != nil {
		return err
	}
	n, err := p.ask(ctx)
	if err == nil && n.nothing && j.state.Refused > 0 { // what was refused may go in now
		n, err = p.again(ctx)
	}
	if err != nil {
		return err
	}
	m := &mirror{job: j, peer: p, news: n}
	if err := m.read(ctx); err != nil {
		return err
	}
	if err := m.believe(); err != nil {
		return err
	}
	for _, do := range []func(context.Context) error{m.takeOver, m.takeRemovals, m.sendChanges, m.sendRemovals, m.sendNew, m.learn} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	j.state.SyncToken, j.state.CTag = n.token, n.ctag
	if m.raced {
		j.state.SyncToken, j.state.CTag = "", ""
	}
	j.state.Items = len(m.bases)
	return nil
}

// maxRefusedSends bounds how many objects a server may refuse in one pull before
// no further ones are offered.
const maxRefusedSends = 20

// mirror is one comparison of both sides.
type mirror struct {
	*job
	*peer
	news    *news
	bases   map[string]*store.Base // by href
	byName  map[string]*store.Base
	local   map[string]store.Member // of the target: ours, of the kinds that are exchanged
	unknown []string                // hrefs that were sent without an ETag in return
	raced   bool                    // something changed under our hands
	sendsNo int                     // how many sends were refused
}

// read takes in what both sides had in common, and what is here now.
func (m *mirror) read(ctx context.Context) error {
	return m.opt.Store.View(ctx, func(v *store.View) error {
		var err error
		if m.bases, err = v.Bases(m.remote.ID); err != nil {
			return err
		}
		m.byName = make(map[string]*store.Base, len(m.bases))
		for _, b := range m.bases {
			m.byName[b.Name] = b
		}
		m.local = map[string]store.Member{}
		return v.EachMember(m.remote.Target, "", func(x store.Member) bool {
			if m.byName[x.Name] != nil || contains(m.kinds(), x.Kind) && v.Origin(x.Object).Remote == 0 {
				m.local[x.Name] = x
			}
			return true
		})
	})
}

// there tells how a common object is on the other side.
func (m *mirror) there(b *store.Base) (changed, gone bool) {
	etag, told := m.news.changed[b.Href]
	switch {
	case m.news.gone[b.Href] || m.news.full && !told:
		return false, true
	case told:
		return etag == "" || etag != b.Remote, false
	}
	return false, false
}

// here tells how a common object is on this side.
func (m *mirror) here(b *store.Base) (changed, gone bool) {
	x, ok := m.local[b.Name]
	return ok && x.ETag != b.Local, !ok
}

// believe checks the deletions of both sides.
func (m *mirror) believe() error {
	here, there := 0, 0
	for _, b := range m.bases {
		changedHere, goneHere := m.here(b)
		changedThere, goneThere := m.there(b)
		if goneThere && !goneHere && !changedHere {
			there++
		}
		if goneHere && !goneThere && !changedThere {
			here++
		}
	}
	if err := m.tooMany(len(m.bases), there, "there"); err != nil {
		return err
	}
	return m.tooMany(len(m.bases), here, "here")
}

// takeOver reads what is new or changed there.
func (m *mirror) takeOver(ctx context.Context) error {
	var hrefs []string
	for href, etag := range m.news.changed {
		if b := m.bases[href]; b == nil || etag == "" || etag != b.Remote {
			hrefs = append(hrefs, href)
		}
	}
	slices.Sort(hrefs)
	for part := range slices.Chunk(hrefs, chunk) {
		got, err := m.fetch(ctx, part)
		if err != nil {
			return err
		}
		for _, href := range part {
			x := got[href]
			if x == nil {
				m.refuse(href, errNotGiven)
				m.raced = true
				continue
			}
			o, err := ical.ParseResource(x.data, ical.DefaultLimits)
			if err != nil {
				m.refuse(href, err)
				continue
			}
			if err := m.take(ctx, x, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// take makes one object of the other side ours.
func (m *mirror) take(ctx context.Context, x *member, theirs *ical.Object) error {
	b := m.bases[x.href]
	if b == nil {
		if !contains(m.kinds(), theirs.Kind()) {
			return nil
		}
		name, err := m.held(ctx, theirs.UID())
		if err != nil {
			return err
		}
		if name == "" {
			return m.store(ctx, x, theirs, "", store.Cond{Missing: true})
		}
		if m.byName[name] != nil {
			m.refuse(theirs.UID(), errors.New("another object there has the same UID"))
			return nil
		}
		if _, ok := m.local[name]; !ok {
			m.refuse(theirs.UID(), errors.New("the calendar has another object with this UID"))
			return nil
		}
		return m.settle(ctx, &store.Base{Href: x.href, Name: name}, x, theirs)
	}
	if base, err := ical.ParseResource(b.Data, ical.DefaultLimits); err == nil && base.Content() == theirs.Content() && base.UID() == theirs.UID() {
		next := *b // other stamps, or a server without ETags: nothing new is said
		next.Remote = x.etag
		return m.common(ctx, &next)
	}
	switch changed, gone := m.here(b); {
	case gone:
		m.conflict(theirs.UID(), "removed here and changed there: the change counts")
		return m.store(ctx, x, theirs, b.Name, store.Cond{Missing: true})
	case changed:
		return m.settle(ctx, b, x, theirs)
	}
	return m.store(ctx, x, theirs, b.Name, store.Cond{Match: []store.ETag{b.Local}})
}

// held gives the name under which the target has a UID; "" when it has not.
func (m *mirror) held(ctx context.Context, uid string) (name string, err error) {
	err = m.opt.Store.View(ctx, func(v *store.View) error {
		x, err := v.MemberByUID(m.remote.Target, uid)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		name = x.Name
		return err
	})
	return name, err
}

// settle decides on an object that both sides changed since b, or have without
// ever having had it in common.
func (m *mirror) settle(ctx context.Context, b *store.Base, x *member, theirs *ical.Object) error {
	mine := m.local[b.Name]
	ours, err := m.stored(ctx, b.Name)
	if err != nil || ours == nil {
		return err
	}
	if ours.Content() == theirs.Content() && ours.UID() == theirs.UID() {
		return m.common(ctx, &store.Base{Href: x.href, Name: b.Name, Remote: x.etag, Local: mine.ETag, Data: ours.Data()})
	}
	if len(b.Data) > 0 {
		if base, err := ical.ParseResource(b.Data, ical.DefaultLimits); err == nil {
			if joined, err := ical.Join(base, ours, theirs); err == nil {
				return m.both(ctx, b.Name, x, mine.ETag, joined)
			}
		}
	}
	switch m.remote.Conflict {
	case store.ConflictOurs:
		m.conflict(theirs.UID(), "changed on both sides: ours was kept")
		return m.give(ctx, x.href, x.etag, mine, ours)
	case store.ConflictBoth:
		m.conflict(theirs.UID(), "changed on both sides: theirs was kept, and ours beside it")
		return m.keepBoth(ctx, b.Name, x, mine.ETag, ours, theirs)
	case store.ConflictRemote, "":
	}
	m.conflict(theirs.UID(), "changed on both sides: theirs was kept")
	return m.store(ctx, x, theirs, b.Name, store.Cond{Match: []store.ETag{mine.ETag}})
}

// stored reads an object of ours; nil when it is gone.
func (m *mirror) stored(ctx context.Context, name string) (o *ical.Object, err error) {
	err = m.opt.Store.View(ctx, func(v *store.View) error {
		x, err := v.ObjectAt(m.remote.Target, name)
		if err != nil {
			return err
		}
		o, err = ical.ParseResource(x.Data, ical.DefaultLimits)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		m.raced = true
		return nil, nil //nolint:nilnil // it was removed a moment ago; the next pull sees to it
	}
	if refusal(err) {
		m.refuse(name, err)
		return nil, nil //nolint:nilnil // as above
	}
	return o, err
}

func (m *mirror) conflict(uid, outcome string) {
	m.state.Conflicts = append(m.state.Conflicts, store.RemoteConflict{At: m.now, UID: cut(uid), Outcome: outcome})
	m.met.changes.WithLabelValues("conflict").Inc()
}

// store writes an object of the other side here, under its name or, with "", a
// free one.
func (m *mirror) store(ctx context.Context, x *member, o *ical.Object, name string, cond store.Cond) error {
	created := name == ""
	_, err := m.write(ctx, name, o, cond, func(tx *store.Tx, name string, etag store.ETag) error {
		m.keep(tx, &store.Base{Href: x.href, Name: name, Remote: x.etag, Local: etag, Data: o.Data()})
		return nil
	})
	if err == nil && created {
		m.added++
	} else if err == nil {
		m.updated++
	}
	return m.excuse(o.UID(), err)
}

// write puts an object through the door, and does more in the same transaction.
func (m *mirror) write(ctx context.Context, name string, o *ical.Object, cond store.Cond, more func(*store.Tx, string, store.ETag) error) (store.ETag, error) {
	if most := m.opt.MaxObject; most > 0 && len(o.Data()) > most {
		return store.ETag{}, fmt.Errorf("%w: the object has %d bytes, %d are accepted", store.ErrQuota, len(o.Data()), most)
	}
	prepared, err := m.opt.Store.Prepare(o)
	if err != nil {
		return store.ETag{}, err
	}
	var tag store.ETag
	err = m.opt.Store.Update(ctx, func(tx *store.Tx) error {
		at := name
		if at == "" {
			if at, err = tx.FreeName(m.remote.Target, o.UID()); err != nil {
				return err
			}
		}
		res, err := tx.PutObject(store.Put{Actor: m.actor, Collection: m.remote.Target, Name: at, Object: prepared, Cond: cond})
		if err != nil {
			return err
		}
		tag = res.Member.ETag
		m.local[at] = res.Member
		return more(tx, at, tag)
	})
	return tag, err
}

// keep notes what both sides now have in common.
func (m *mirror) keep(tx *store.Tx, b *store.Base) {
	tx.PutBase(m.remote.ID, b)
	m.bases[b.Href], m.byName[b.Name] = b, b
}

func (m *mirror) common(ctx context.Context, b *store.Base) error {
	return m.opt.Store.Update(ctx, func(tx *store.Tx) error {
		m.keep(tx, b)
		return nil
	})
}

// excuse lets a pull go on after an error that is about one object.
func (m *mirror) excuse(uid string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrPrecondition):
		m.raced = true
		return nil
	case refusal(err):
		m.refuse(uid, errors.New(reason(err)))
		return nil
	}
	return err
}

// both writes what was joined on both sides. First there: when that fails, the
// next pull finds both sides as they were.
func (m *mirror) both(ctx context.Context, name string, x *member, mine store.ETag, joined *ical.Object) error {
	etag, err := m.send(ctx, x.href, x.etag, joined.Data())
	if done, err := m.counted(joined.UID(), err); !done {
		return err
	}
	_, err = m.write(ctx, name, joined, store.Cond{Match: []store.ETag{mine}}, func(tx *store.Tx, name string, tag store.ETag) error {
		m.keep(tx, &store.Base{Href: x.href, Name: name, Remote: etag, Local: tag, Data: joined.Data()})
		return nil
	})
	if err == nil {
		m.updated++
		m.unsure(x.href, etag)
	}
	return m.excuse(joined.UID(), err)
}

// counted counts a send. done is false when the object is not there, which ends
// the pull with err, if it is one.
func (m *mirror) counted(uid string, failed error) (done bool, err error) {
	switch f, ok := errors.AsType[*fault](failed); {
	case failed == nil:
		m.sent++
		return true, nil
	case errors.Is(failed, errChanged):
		m.raced = true
		return false, nil
	case ok && refusedSend(f):
		m.sendsNo++
		m.refuse(uid, errors.New("the server does not take it: "+f.text))
		return false, nil
	}
	return false, failed
}

// refusedSend tells a server's refusal of an object from one that is about all.
func refusedSend(f *fault) bool {
	switch f.status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired, http.StatusTooManyRequests:
		return false
	}
	return f.status/100 == 4 || f.status == http.StatusNotImplemented || f.status == http.StatusInsufficientStorage
}

// unsure remembers a member whose ETag is to be asked for.
func (m *mirror) unsure(href, etag string) {
	if etag == "" {
		m.unknown = append(m.unknown, href)
	}
}

// give sends an object of ours.
func (m *mirror) give(ctx context.Context, href, etag string, mine store.Member, ours *ical.Object) error {
	if m.sendsNo >= maxRefusedSends {
		m.refuse(ours.UID(), errors.New("not offered: the server refused others"))
		return nil
	}
	tag, err := m.send(ctx, href, etag, ours.Data())
	if done, err := m.counted(ours.UID(), err); !done {
		return err
	}
	m.unsure(href, tag)
	return m.common(ctx, &store.Base{Href: href, Name: mine.Name, Remote: tag, Local: mine.ETag, Data: ours.Data()})
}

// keepBoth takes theirs and keeps ours as an object of its own, which the next
// pull sends.
func (m *mirror) keepBoth(ctx context.Context, name string, x *member, mine store.ETag, ours, theirs *ical.Object) error {
	e := ours.Edit()
	uid := uuid.NewString()
	for _, c := range ours.Main() {
		e.Set(c, "UID", uid)
	}
	other, err := e.Apply()
	if err != nil {
		return m.excuse(ours.UID(), err)
	}
	prepared, err := m.opt.Store.Prepare(other)
	if err != nil {
		return m.excuse(ours.UID(), err)
	}
	_, err = m.write(ctx, name, theirs, store.Cond{Match: []store.ETag{mine}}, func(tx *store.Tx, name string, tag store.ETag) error {
		free, err := tx.FreeName(m.remote.Target, uid)
		if err != nil {
			return err
		}
		if _, err := tx.PutObject(store.Put{Actor: m.actor, Collection: m.remote.Target, Name: free, Object: prepared}); err != nil {
			return err
		}
		m.keep(tx, &store.Base{Href: x.href, Name: name, Remote: x.etag, Local: tag, Data: theirs.Data()})
		return nil
	})
	if err == nil {
		m.updated++
	}
	return m.excuse(ours.UID(), err)
}

// takeRemovals removes here what is gone there. What was changed here goes there
// again.
func (m *mirror) takeRemovals(ctx context.Context) error {
	for _, b := range sorted(m.bases) {
		_, goneThere := m.there(b)
		if !goneThere {
			continue
		}
		changed, gone := m.here(b)
		err := m.opt.Store.Update(ctx, func(tx *store.Tx) error {
			tx.DeleteBase(m.remote.ID, b.Href)
			if gone || changed {
				return nil
			}
			return tx.DeleteObject(m.actor, m.remote.Target, b.Name, store.Cond{Match: []store.ETag{b.Local}})
		})
		switch {
		case err != nil:
			if err := m.excuse(b.Href, err); err != nil {
				return err
			}
			continue
		case changed:
			m.conflict(b.Href, "removed there and changed here: the change counts")
		case !gone:
			m.removed++
			delete(m.local, b.Name)
		}
		delete(m.bases, b.Href)
		delete(m.byName, b.Name)
	}
	return nil
}

func sorted(bases map[string]*store.Base) []*store.Base {
	out := make([]*store.Base, 0, len(bases))
	for _, b := range bases {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b *store.Base) int { return bytes.Compare([]byte(a.Href), []byte(b.Href)) })
	return out
}

// sendChanges sends what was changed here alone.
func (m *mirror) sendChanges(ctx context.Context) error {
	for _, b := range sorted(m.bases) {
		changedHere, _ := m.here(b)
		if changedThere, goneThere := m.there(b); !changedHere || changedThere || goneThere {
			continue
		}
		mine := m.local[b.Name]
		ours, err := m.stored(ctx, b.Name)
		if err != nil {
			return err
		}
		if ours == nil {
			continue
		}
		if err := m.give(ctx, b.Href, b.Remote, mine, ours); err != nil {
			return err
		}
	}
	return nil
}

// sendRemovals removes there what was removed here alone.
func (m *mirror) sendRemovals(ctx context.Context) error {
	for _, b := range sorted(m.bases) {
		_, goneHere := m.here(b)
		if changedThere, goneThere := m.there(b); !goneHere || changedThere || goneThere {
			continue
		}
		done, err := m.counted(b.Href, m.remove(ctx, b.Href, b.Remote))
		if err != nil {
			return err
		}
		if !done {
			continue
		}
		err = m.opt.Store.Update(ctx, func(tx *store.Tx) error {
			tx.DeleteBase(m.remote.ID, b.Href)
			return nil
		})
		if err != nil {
			return err
		}
		delete(m.bases, b.Href)
		delete(m.byName, b.Name)
	}
	return nil
}

// sendNew sends what is here and was never there.
func (m *mirror) sendNew(ctx context.Context) error {
	names := make([]string, 0, len(m.local))
	for name := range m.local {
		if m.byName[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		ours, err := m.stored(ctx, name)
		if err != nil {
			return err
		}
		if ours == nil {
			continue
		}
		href := cleanHref(m.url.ResolveReference(&url.URL{Path: m.url.Path + name}))
		if err := m.give(ctx, href, "", m.local[name], ours); err != nil {
			return err
		}
	}
	return nil
}

// learn asks for the ETags of what was sent to a server that does not tell them.
func (m *mirror) learn(ctx context.Context) error {
	got, err := m.fetch(ctx, m.unknown)
	if err != nil {
		return err
	}
	for _, href := range m.unknown {
		b, x := m.bases[href], got[href]
		if b == nil || x == nil {
			m.raced = true
			continue
		}
		next := *b
		next.Remote = x.etag
		if err := m.common(ctx, &next); err != nil {
			return err
		}
	}
	return nil
}
