package store

import (
	"container/list"
	"sync"

	"daybook/ical"
)

// parsedCache keeps the parsed form of the few objects that queries expand
// again and again: those that the index has no rows for. Its key is the
// object and its tag, so an old entry just stops matching.
type parsedCache struct {
	mu    sync.Mutex
	size  int
	order list.List // of *parsedEntry, least recently used last
	byKey map[parsedKey]*list.Element
}

type parsedKey struct {
	id   ObjectID
	etag ETag
}

type parsedEntry struct {
	key    parsedKey
	object *ical.Object
	size   int
}

// maxParsedBytes bounds the stored bytes behind the cached objects; their
// parsed form is a few times as large.
const maxParsedBytes = 4 << 20

func (c *parsedCache) get(k parsedKey) *ical.Object {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byKey[k]; e != nil {
		c.order.MoveToFront(e)
		return e.Value.(*parsedEntry).object
	}
	return nil
}

func (c *parsedCache) add(k parsedKey, o *ical.Object, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[parsedKey]*list.Element{}
	}
	if size > maxParsedBytes/4 || c.byKey[k] != nil {
		return
	}
	c.byKey[k] = c.order.PushFront(&parsedEntry{k, o, size})
	for c.size += size; c.size > maxParsedBytes; {
		last := c.order.Remove(c.order.Back()).(*parsedEntry)
		delete(c.byKey, last.key)
		c.size -= last.size
	}
}

// parsed gives the parsed form of a stored object.
func (v *View) parsedObject(id ObjectID) (*ical.Object, error) {
	f, err := v.facts(id)
	if err != nil {
		return nil, err
	}
	k := parsedKey{id, f.ETag}
	if o := v.s.parsed.get(k); o != nil {
		return o, nil
	}
	data, err := v.Data(id)
	if err != nil {
		return nil, err
	}
	o, err := ical.Parse(data, ical.StreamLimits)
	if err != nil {
		return nil, err
	}
	v.s.parsed.add(k, o, len(data))
	return o, nil
}
