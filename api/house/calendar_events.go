package house

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"daybook/api/rest"
	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// Events and blocks of a calendar. An event is in one calendar; a block is in
// those of all its resources, and is one. Both are edited in their places: what
// a request does not name keeps its bytes.

func (s *service) eventRoutes() []rest.Route {
	const events, blocked, one = base + "/calendars/{calendar}/events", base + "/calendars/{calendar}/blocks", base + "/blocks/{id}"
	return []rest.Route{
		{Pattern: "GET " + events, Summary: "List the events of a calendar in a range, instances of series one by one", Op: rest.Endpoint(http.StatusOK, s.listEvents)},
		{Pattern: "POST " + events, Summary: "Create an event", Op: rest.Endpoint(http.StatusCreated, createEvent[ofEvents](s)).Guard(mayWriteIn[eventCreateIn[ofEvents]](s)), Also: []int{http.StatusOK}},
		{Pattern: "GET " + events + "/{id}", Summary: "Get an event, a series, or an instance of one", Op: rest.Endpoint(http.StatusOK, s.getEvent)},
		{Pattern: "PATCH " + events + "/{id}", Summary: "Change an event, a series, an instance, or an instance and all that follow", Op: rest.Endpoint(http.StatusOK, s.patchEvent).Guard(s.mayPatchEvent), Also: []int{http.StatusCreated}},
		{Pattern: "DELETE " + events + "/{id}", Summary: "Delete an event, a series, an instance, or an instance and all that follow", Op: rest.Endpoint(http.StatusNoContent, s.deleteEvent)},
		{Pattern: "POST " + events + ":batch", Summary: "Create, change and delete events of a calendar, with a result for each", Op: rest.Endpoint(http.StatusOK, batchEvents[ofEvents](s)).Guard(mayWriteIn[eventBatchIn[ofEvents]](s)), Also: []int{http.StatusMultiStatus}},
		{Pattern: "GET " + blocked, Summary: "List the blocks of a calendar in a range, instances of series one by one", Op: rest.Endpoint(http.StatusOK, s.listBlocks)},
		{Pattern: "POST " + blocked, Summary: "Create a block, in this calendar and those of other resources", Op: rest.Endpoint(http.StatusCreated, createEvent[ofBlocks](s)).Guard(mayWriteIn[eventCreateIn[ofBlocks]](s)), Also: []int{http.StatusOK}},
		{Pattern: "POST " + blocked + ":batch", Summary: "Create, change and delete blocks, with a result for each", Op: rest.Endpoint(http.StatusOK, batchEvents[ofBlocks](s)).Guard(mayWriteIn[eventBatchIn[ofBlocks]](s)), Also: []int{http.StatusMultiStatus}},
		{Pattern: "GET " + one, Summary: "Get a block, a series, or an instance of one", Op: rest.Endpoint(http.StatusOK, s.getBlock)},
		{Pattern: "PATCH " + one, Summary: "Change a block, a series, an instance, or an instance and all that follow, in all its calendars", Op: rest.Endpoint(http.StatusOK, s.patchBlock).Guard(s.mayPatchBlock), Also: []int{http.StatusCreated}},
		{Pattern: "DELETE " + one, Summary: "Delete a block, a series, an instance, or an instance and all that follow, from all its calendars", Op: rest.Endpoint(http.StatusNoContent, s.deleteBlock)},
	}
}

// inCalendar is the part of an In that names a calendar: its uuid, its owner's
// uuid or name, or OWNER/NAME with the slash escaped.
type inCalendar struct {
	Calendar string `path:"calendar"`
}

func (in inCalendar) ref() string { return in.Calendar }

// Bounds of a list of events.
const (
	defaultEventDays = 31
	maxEventDays     = 1096
	maxListedEvents  = 50_000 // instances in a range
)

type eventListIn struct {
	inCalendar
	rest.Page
	From rest.Opt[moment] `query:"from" doc:"A time, or a day of the calendar's zone."`
	To   rest.Opt[moment] `query:"to" doc:"A time, or the last day."`
}

// Validate checks the page.
func (in *eventListIn) Validate(f *rest.Faults) { in.Check(f) }

// window gives the span that is asked for: from today on, a month, unless it is
// said otherwise.
func (in *eventListIn) window(zone *ical.Zone, now time.Time) (span.Span, error) {
	y, m, d := zone.Wall(now).Date()
	from := in.From.Or(moment{time.Date(y, m, d, 0, 0, 0, 0, time.UTC), true}).instant(zone)
	w := span.Span{Start: from, End: from.AddDate(0, 0, defaultEventDays)}
	if to, ok := in.To.Get(); ok {
		if to.day {
			to.at = to.at.AddDate(0, 0, 1)
		}
		w.End = to.instant(zone)
	}
	switch {
	case w.Empty():
		return w, rest.Invalid("to", "must be later than from")
	case w.End.Sub(w.Start) > maxEventDays*24*time.Hour:
		return w, rest.Invalid("to", fmt.Sprintf("must be at most %d days after from", maxEventDays))
	}
	return w, nil
}

func (s *service) listEvents(ctx context.Context, in eventListIn) (rest.List[CalendarEvent], error) {
	return s.list(ctx, &in, false)
}

func (s *service) listBlocks(ctx context.Context, in eventListIn) (rest.List[CalendarEvent], error) {
	return s.list(ctx, &in, true)
}

// list gives the instances of a calendar in a range, in order of their start.
// Only those of the page are read.
func (s *service) list(ctx context.Context, in *eventListIn, blocked bool) (out rest.List[CalendarEvent], err error) {
	return out, s.view(ctx, func(d *desk) error {
		c, err := d.calendar(in.Calendar, store.RightRead)
		if err != nil {
			return err
		}
		zone := d.CollectionZone(c)
		w, err := in.window(zone, d.now)
		if err != nil {
			return err
		}
		rows, err := d.Instances(c.ID, w, zone)
		if err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(r store.Row) bool {
			return r.Flags.Kind() != "VEVENT" || r.Flags&store.RowRest != 0 || (r.Flags&store.RowBlock != 0) != blocked
		})
		if len(rows) > maxListedEvents {
			return rest.Invalid("to", "asks for more events than a list may have")
		}
		page := rest.Paged(in.Page, rows, func(r store.Row) string {
			return fmt.Sprintf("%020d %020d %020d", r.Start+1<<40, r.Object, r.RecurrenceID+1<<40)
		})
		out = rest.List[CalendarEvent]{Items: make([]CalendarEvent, 0, len(page.Items)), Next: page.Next}
		known := map[store.ObjectID]*foundEvent{}
		for _, r := range page.Items {
			x, err := d.rowEvent(c, r, known)
			if err != nil {
				return err
			}
			if x != nil {
				out.Items = append(out.Items, x.show())
			}
		}
		return nil
	})
}

// rowEvent reads the event of a row of the index; nil for one that cannot be
// read, which is for a check of the store to report.
func (d *desk) rowEvent(c *store.Collection, r store.Row, known map[store.ObjectID]*foundEvent) (*shownEvent, error) {
	f, ok := known[r.Object]
	if !ok {
		o, err := d.Object(r.Object)
		if err != nil {
			return nil, err
		}
		id, err := d.Identity(o.Org, o.UID)
		if err != nil {
			return nil, err
		}
		at := c
		if o.Block {
			at = nil
		}
		f, _ = d.foundIn(id, o, at) // see above
		known[r.Object] = f
	}
	if f == nil {
		return nil, nil //nolint:nilnil // as above
	}
	rid := time.Time{}
	if r.Flags&store.RowRecurs != 0 {
		rid = time.Unix(r.RecurrenceID, 0).UTC()
	}
	x, err := f.shown(rid)
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // as above
	}
	return x, nil
}

type eventIn struct {
	inCalendar
	ID string `path:"id"`
}

func (s *service) getEvent(ctx context.Context, in eventIn) (out rest.Tagged[CalendarEvent], err error) {
	return out, s.view(ctx, func(d *desk) error {
		f, id, err := d.findEvent(in)
		if err != nil {
			return err
		}
		out, err = f.tagged(id.rid)
		return err
	})
}

func (d *desk) findEvent(in eventIn) (*foundEvent, eventID, error) {
	id, err := parseEventID(in.ID)
	if err != nil {
		return nil, id, err
	}
	c, err := d.calendar(in.Calendar, store.RightRead)
	if err != nil {
		return nil, id, err
	}
	f, err := d.event(c, id)
	return f, id, err
}

func (f *foundEvent) tagged(rid time.Time) (rest.Tagged[CalendarEvent], error) {
	x, err := f.shown(rid)
	if err != nil {
		return rest.Tagged[CalendarEvent]{}, err
	}
	return rest.Tag(x.show()), nil
}

type blockIn struct {
	ID string `path:"id"`
}

func (s *service) getBlock(ctx context.Context, in blockIn) (out rest.Tagged[CalendarEvent], err error) {
	return out, s.view(ctx, func(d *desk) error {
		id, err := parseEventID(in.ID)
		if err != nil {
			return err
		}
		f, err := d.block(id)
		if err != nil {
			return err
		}
		out, err = f.tagged(id.rid)
		return err
	})
}

// scope is which instances a change of one of them is for.
type scope string

const (
	scopeThis      scope = "this" // the default
	scopeFollowing scope = "following"
	scopeAll       scope = "all"
)

// scoped are the options of a change.
type scoped struct {
	Scope  rest.Opt[string] `query:"scope" enum:"this,following,all" doc:"Of an instance."`
	DryRun rest.Opt[bool]   `query:"dry_run" doc:"Tell what would be, and change nothing."`
}

func (o *scoped) check(f *rest.Faults) { o.checkAt(f, "scope") }

func (o *scoped) checkAt(f *rest.Faults, at string) {
	if v, ok := o.Scope.Get(); ok && !slices.Contains([]scope{scopeThis, scopeFollowing, scopeAll}, scope(v)) {
		f.Add(at, "must be this, following or all")
	}
}

func (o *scoped) scope() scope { return scope(o.Scope.Or(string(scopeThis))) }

// eventKind is events or blocks, for what is done to both in the same way.
type eventKind interface{ blocks() bool }

type (
	ofEvents struct{}
	ofBlocks struct{}
)

func (ofEvents) blocks() bool { return false }
func (ofBlocks) blocks() bool { return true }

// areBlocks tells a type which of the two it is for.
func areBlocks[S eventKind]() bool {
	var s S
	return s.blocks()
}

type eventCreateIn[S eventKind] struct {
	inCalendar
	DryRun rest.Opt[bool] `query:"dry_run"`
	Body   eventBody      `body:"json"`
}

// Validate checks the event or block.
func (in *eventCreateIn[S]) Validate(f *rest.Faults) {
	in.Body.check(f, "", areBlocks[S]())
	required(f, "start", in.Body.Start)
}

// written is the answer to what writes: the record, or, of a dry run, what it
// would be.
type written struct {
	rest.Tagged[CalendarEvent]
	status int
}

// StatusCode is 200 where nothing was made.
func (w written) StatusCode() int { return w.status }

// mayWriteIn is the guard of what writes into the calendar that it names.
func mayWriteIn[In interface{ ref() string }](s *service) func(context.Context, In) error {
	return func(ctx context.Context, in In) error {
		return s.view(ctx, func(d *desk) error {
			_, err := d.calendar(in.ref(), store.RightWrite)
			return err
		})
	}
}

func createEvent[S eventKind](s *service) func(context.Context, eventCreateIn[S]) (written, error) {
	return func(ctx context.Context, in eventCreateIn[S]) (written, error) {
		return s.one(ctx, &eventOp{op: opCreate, calendar: in.Calendar, block: areBlocks[S](), body: &in.Body}, in.DryRun.Or(false))
	}
}

type eventPatchIn struct {
	eventIn
	scoped
	rest.IfMatch
	Body eventBody `body:"json"`
}

// Validate checks the change.
func (in *eventPatchIn) Validate(f *rest.Faults) {
	in.Body.check(f, "", false)
	in.check(f)
}

type blockPatchIn struct {
	blockIn
	scoped
	rest.IfMatch
	Body eventBody `body:"json"`
}

// Validate checks the change.
func (in *blockPatchIn) Validate(f *rest.Faults) {
	in.Body.check(f, "", true)
	in.check(f)
}

func (s *service) mayPatchEvent(ctx context.Context, in eventPatchIn) error {
	return s.view(ctx, func(d *desk) error {
		if _, _, err := d.findEvent(in.eventIn); err != nil {
			return err
		}
		_, err := d.calendar(in.Calendar, store.RightWrite)
		return err
	})
}

func (s *service) mayPatchBlock(ctx context.Context, in blockPatchIn) error {
	return s.view(ctx, func(d *desk) error {
		id, err := parseEventID(in.ID)
		if err != nil {
			return err
		}
		f, err := d.block(id)
		if err == nil && f.hidden { // no right to write any of its calendars
			err = store.ErrForbidden
		}
		return err
	})
}

func (s *service) patchEvent(ctx context.Context, in eventPatchIn) (written, error) {
	return s.one(ctx, &eventOp{op: opUpdate, calendar: in.Calendar, id: in.ID, scope: in.scope(), match: in.IfMatch, body: &in.Body}, in.DryRun.Or(false))
}

func (s *service) patchBlock(ctx context.Context, in blockPatchIn) (written, error) {
	return s.one(ctx, &eventOp{op: opUpdate, block: true, id: in.ID, scope: in.scope(), match: in.IfMatch, body: &in.Body}, in.DryRun.Or(false))
}

type eventDeleteIn struct {
	eventIn
	scoped
	rest.IfMatch
}

// Validate checks the options.
func (in *eventDeleteIn) Validate(f *rest.Faults) { in.check(f) }

type blockDeleteIn struct {
	blockIn
	scoped
	rest.IfMatch
}

// Validate checks the options.
func (in *blockDeleteIn) Validate(f *rest.Faults) { in.check(f) }

func (s *service) deleteEvent(ctx context.Context, in eventDeleteIn) (rest.NoContent, error) {
	_, err := s.one(ctx, &eventOp{op: opDelete, calendar: in.Calendar, id: in.ID, scope: in.scope(), match: in.IfMatch}, in.DryRun.Or(false))
	return rest.NoContent{}, err
}

func (s *service) deleteBlock(ctx context.Context, in blockDeleteIn) (rest.NoContent, error) {
	_, err := s.one(ctx, &eventOp{op: opDelete, block: true, id: in.ID, scope: in.scope(), match: in.IfMatch}, in.DryRun.Or(false))
	return rest.NoContent{}, err
}
