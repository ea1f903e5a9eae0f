package pull

import (
	"bytes"
	"context"
	"slices"

	"daybook/ical"
	"daybook/store"
)

// kinds gives the components that the remote takes.
func (j *job) kinds() []string {
	if len(j.remote.Components) == 0 {
		return []string{"VEVENT"}
	}
	return j.remote.Components
}

// collection pulls a CalDAV collection in one direction.
func (j *job) collection(ctx context.Context) error {
	p, err := j.peer(ctx)
	if err != nil {
		return err
	}
	n, err := p.ask(ctx)
	if err != nil || n.nothing && j.state.Refused == 0 {
		return err
	}
	if n.nothing { // what was refused may go in now
		if n, err = p.again(ctx); err != nil {
			return err
		}
	}
	bases, err := j.bases(ctx)
	if err != nil {
		return err
	}
	all := string(j.settings()) != string(j.state.Settings)
	var hrefs []string
	for href, etag := range n.changed {
		if b := bases[href]; all || b == nil || etag == "" || b.Remote != etag {
			hrefs = append(hrefs, href)
		}
	}
	slices.Sort(hrefs)
	gone := missing(n, bases)
	if err := j.tooMany(len(bases), len(gone), "there"); err != nil {
		return err
	}
	// In parts, so that a large calendar is never in memory as a whole.
	for part := range slices.Chunk(hrefs, chunk) {
		got, err := p.fetch(ctx, part)
		if err != nil {
			return err
		}
		if err := j.apply(ctx, j.writes(part, got, bases, all)); err != nil {
			return err
		}
	}
	removals := make([]write, len(gone))
	for i, b := range gone {
		removals[i] = write{base: b, remove: true}
	}
	if err := j.apply(ctx, removals); err != nil {
		return err
	}
	j.state.SyncToken, j.state.CTag = n.token, n.ctag
	j.state.Items = len(bases) + j.added - j.removed
	return nil
}

// again asks for everything, whatever is known.
func (p *peer) again(ctx context.Context) (*news, error) {
	p.j.forget()
	return p.ask(ctx)
}

// missing gives what is said to be gone, or is not in a full listing.
func missing(n *news, bases map[string]*store.Base) []*store.Base {
	var gone []*store.Base
	for href, b := range bases {
		_, there := n.changed[href]
		if n.gone[href] || n.full && !there {
			gone = append(gone, b)
		}
	}
	return gone
}

// writes makes changes of what was fetched. What was asked for and not given
// is noted; its last good version stays.
func (j *job) writes(hrefs []string, got map[string]*member, bases map[string]*store.Base, all bool) []write {
	var out []write
	for _, href := range hrefs {
		m, b := got[href], bases[href]
		if m == nil {
			j.refuse(href, errNotGiven)
			continue
		}
		o, err := ical.ParseResource(m.data, ical.DefaultLimits)
		switch {
		case err != nil:
			j.refuse(href, err)
		case !j.wants(o):
			if b != nil {
				out = append(out, write{base: b, remove: true})
			}
		default:
			sum := o.Content()
			same := b != nil && !all && bytes.Equal(b.Sum, sum[:])
			out = append(out, write{href: href, remote: m.etag, object: o, base: b, sum: sum[:], same: same})
		}
	}
	return out
}
