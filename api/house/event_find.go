package house

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

// eventID is what an id of an event or block names: an object, and, of one
// that recurs, maybe an instance.
type eventID struct {
	object uuid.UUID
	rid    time.Time // zero: the object as a whole
}

// parseEventID reads UUID or UUID_STAMP; store.ErrNotFound.
func parseEventID(text string) (eventID, error) {
	head, stamp, instance := strings.Cut(text, "_")
	id, ok := rest.ParseUUID(head)
	if !ok {
		return eventID{}, fmt.Errorf("event %q: %w", text, store.ErrNotFound)
	}
	out := eventID{object: id}
	if instance {
		var err error
		if out.rid, err = blocks.ParseStamp(stamp); err != nil {
			return eventID{}, fmt.Errorf("event %q: %w", text, store.ErrNotFound)
		}
	}
	return out, nil
}

// foundEvent is a stored event or block, read in one snapshot.
type foundEvent struct {
	id         store.Identity
	object     *store.Object
	parsed     *ical.Object
	collection *store.Collection // of an event: where it was asked for; of a block nil
	zone       *ical.Zone
	resources  []uuid.UUID // that the asker may see
	hidden     bool
}

// event finds an event of a calendar; a block is none. The asker has the right
// to read the calendar. store.ErrNotFound.
func (d *desk) event(c *store.Collection, id eventID) (*foundEvent, error) {
	identity, err := d.IdentityByUUID(id.object)
	if err != nil || identity.Org != c.Org {
		return nil, fmt.Errorf("event %s: %w", id.object, store.ErrNotFound)
	}
	m, err := d.MemberByUID(c.ID, identity.UID)
	if err != nil {
		return nil, err
	}
	o, err := d.Object(m.Object)
	if err != nil {
		return nil, err
	}
	if o.Block || o.Kind != "VEVENT" {
		return nil, fmt.Errorf("event %s: %w", id.object, store.ErrNotFound)
	}
	return d.foundIn(identity, o, c)
}

// block finds a block in whatever calendars it is; the asker may read one of
// them. store.ErrNotFound.
func (d *desk) block(id eventID) (*foundEvent, error) {
	identity, err := d.IdentityByUUID(id.object)
	if err != nil || identity.Org != d.actor.Org {
		return nil, fmt.Errorf("block %s: %w", id.object, store.ErrNotFound)
	}
	copies, err := d.Copies(identity.Org, identity.UID)
	if err != nil {
		return nil, err
	}
	for _, o := range copies {
		if !o.Block || o.Kind != "VEVENT" {
			continue
		}
		if o.Data, err = d.Data(o.ID); err != nil {
			return nil, err
		}
		f, err := d.foundIn(identity, o, nil)
		if !errors.Is(err, store.ErrNotFound) {
			return f, err
		}
	}
	return nil, fmt.Errorf("block %s: %w", id.object, store.ErrNotFound)
}

// foundIn reads an object. c is nil for a block, which is found where the asker
// may read it.
func (d *desk) foundIn(identity store.Identity, o *store.Object, c *store.Collection) (*foundEvent, error) {
	f := &foundEvent{id: identity, object: o, collection: c}
	readable := c != nil
	may := c != nil && d.RightsOn(d.actor, c).Has(store.RightWrite)
	for _, b := range o.Bindings {
		at, err := d.Collection(b.Collection)
		if err != nil {
			return nil, err
		}
		have := d.RightsOn(d.actor, at)
		if have == 0 || c != nil && at.ID != c.ID {
			continue
		}
		owner, err := d.Principal(at.Owner)
		if err != nil {
			return nil, err
		}
		f.resources = append(f.resources, owner.UUID)
		readable = readable || have.Has(store.RightRead)
		may = may || have.Has(store.RightWrite)
		if f.zone == nil && (c == nil || at.ID == c.ID) {
			f.zone = d.CollectionZone(at)
		}
	}
	if !readable {
		return nil, fmt.Errorf("block %s: %w", identity.UUID, store.ErrNotFound)
	}
	var err error
	if f.parsed, err = ical.Parse(o.Data, ical.StreamLimits); err != nil {
		return nil, fmt.Errorf("read a stored event: %w: %w", err, store.ErrNotFound)
	}
	f.hidden = !may
	return f, nil
}

// shown gives the event as a whole, or one of its instances.
func (f *foundEvent) shown(rid time.Time) (*shownEvent, error) {
	if rid.IsZero() {
		if e, ok := blocks.ReadSeries(f.parsed, f.zone); ok {
			return f.as(e), nil
		}
		if i, ok := blocks.First(f.parsed, f.zone); ok {
			return f.as(blocks.ReadEvent(i)), nil
		}
		return nil, fmt.Errorf("event %s has no time: %w", f.id.UUID, store.ErrNotFound)
	}
	i, ok := blocks.Find(f.parsed, rid, f.zone)
	if !ok {
		return nil, fmt.Errorf("event %s has no such instance: %w", f.id.UUID, store.ErrNotFound)
	}
	return f.as(blocks.ReadEvent(i)), nil
}

func (f *foundEvent) as(e blocks.Event) *shownEvent {
	return &shownEvent{
		id: f.id.UUID, object: f.object, event: e, resources: f.resources, zone: f.zone,
		hidden: f.hidden && e.Class != "",
	}
}
