package onlive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

// Appointment is a block as the first version answers it. What there is not is
// left out; nothing is ever null. A block without end has no end.
type Appointment struct {
	appointment
	Start   string `json:"start" format:"date-time" doc:"UTC, with milliseconds."`
	End     string `json:"end,omitempty" format:"date-time"`
	State   string `json:"state" enum:"confirmed,pending,cancelled" doc:"How sure it is."`
	Blocked bool   `json:"blocked"`
}

// Appointment2 is a block in the newer spelling.
type Appointment2 struct {
	appointment
	StartAt string `json:"startAt" format:"date-time"`
	EndAt   string `json:"endAt,omitempty" format:"date-time"`
	Status  string `json:"status" enum:"confirmed,pending,cancelled"`
}

// appointment is what the spellings share.
type appointment struct {
	ID             string          `json:"id"`
	CreatedAt      string          `json:"createdAt" format:"date-time"`
	UpdatedAt      string          `json:"updatedAt" format:"date-time"`
	DeletedAt      string          `json:"deletedAt,omitempty" format:"date-time"`
	Title          string          `json:"title"`
	Description    string          `json:"description,omitempty"`
	Lang           string          `json:"lang,omitempty"`
	ExtraFields    json.RawMessage `json:"extraFields,omitempty"`
	CalendarIDs    []string        `json:"calendarIds" format:"uuid" doc:"Of resources; none: the organisation's own calendar."`
	ServiceID      string          `json:"serviceId,omitempty" format:"uuid"`
	Origin         string          `json:"origin,omitempty"`
	ExternalID     string          `json:"externalId,omitempty"`
	OrganizationID string          `json:"organizationId" format:"uuid"`
}

// found is a block that the actor may read, in one snapshot.
type found struct {
	org       *store.Principal
	zone      *ical.Zone
	uuid      uuid.UUID
	obj       *store.Object
	calendars []string
}

// block is an instance of a found block.
type block struct {
	found
	parsed *ical.Object
	at     ical.Instance
	says   blocks.Block
	whole  bool // it stands for the object, not for the instance
}

func v1(b *block) Appointment {
	start, end := b.times()
	return Appointment{appointment: b.common(), Start: start, End: end, State: b.state(), Blocked: true}
}

func v2(b *block) Appointment2 {
	start, end := b.times()
	return Appointment2{appointment: b.common(), StartAt: start, EndAt: end, Status: b.state()}
}

func (b *block) common() appointment {
	created, updated := blocks.Ages(b.says.Created, b.says.Modified, b.obj.Created, b.obj.Modified)
	out := appointment{
		ID: b.id(), CreatedAt: show(created), UpdatedAt: show(updated),
		Title: b.title(), Description: b.says.Notes, Lang: b.says.Lang, CalendarIDs: b.calendars, ServiceID: b.says.ServiceID,
		Origin: b.says.Origin, ExternalID: b.says.ExternalID, OrganizationID: b.org.UUID.String(),
	}
	if strings.HasPrefix(b.says.Extra, "{") {
		out.ExtraFields = json.RawMessage(b.says.Extra)
	}
	return out
}

// id is the object's, and for one instance of a series UUID_STAMP.
func (b *block) id() string {
	if b.whole || b.says.RecurrenceID.IsZero() {
		return b.uuid.String()
	}
	return b.uuid.String() + "_" + blocks.Stamp(b.says.RecurrenceID)
}

func (b *block) title() string {
	if b.says.Label == "" {
		return b.says.Type.Title()
	}
	return b.says.Label
}

func (b *block) times() (start, end string) {
	if !b.says.OpenEnded {
		end = show(b.says.End)
	}
	return show(b.says.Start), end
}

func (b *block) state() string {
	switch strings.ToUpper(b.at.Component.Text("STATUS")) {
	case "TENTATIVE":
		return "pending"
	case "CANCELLED":
		return "cancelled"
	}
	return "confirmed"
}

// show writes an instant as the published answers do.
func show(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// appointmentID is an id of the answers: UUID, or UUID_STAMP.
type appointmentID struct {
	object uuid.UUID
	rid    time.Time
}

func parseID(s string) (appointmentID, error) {
	text, stamp, recurs := strings.Cut(s, "_")
	id, err := parseUUID(text)
	out := appointmentID{object: id}
	if err == nil && recurs {
		out.rid, err = blocks.ParseStamp(stamp)
	}
	if err != nil {
		p := say(http.StatusBadRequest, "Invalid appointment ID format")
		p.Faults = []rest.Fault{{Field: "appointmentId", Message: "Must be a valid UUID"}}
		return appointmentID{}, p
	}
	return out, nil
}

// lookup finds the block of an id, without its data; 404 when there is none that
// the actor may read.
func lookup(v *store.View, a *store.Actor, org *store.Principal, id uuid.UUID) (*found, error) {
	missing := say(http.StatusNotFound, noAppointment)
	identity, err := v.IdentityByUUID(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && identity.Org != org.ID {
		return nil, missing
	}
	if err != nil {
		return nil, err
	}
	copies, err := v.Copies(org.ID, identity.UID)
	if err != nil {
		return nil, err
	}
	for _, obj := range copies {
		f := &found{org: org, zone: v.Zone(org), uuid: identity.UUID, obj: obj}
		shown, err := f.locate(v, a)
		if err != nil {
			return nil, err
		}
		if shown && obj.Block && obj.Kind == "VEVENT" {
			return f, nil
		}
	}
	return nil, missing
}

// locate notes the calendars of a block. shown is false when the actor may read
// none of them; the homes of users do not count.
func (f *found) locate(v *store.View, a *store.Actor) (shown bool, err error) {
	f.calendars = []string{}
	for _, b := range f.obj.Bindings {
		owner, err := ownerOf(v, b)
		if err != nil {
			return false, err
		}
		if owner.Kind == store.KindUser || !v.Rights(a, owner.ID).Has(store.RightRead) {
			continue
		}
		shown = true
		if owner.Kind.Resource() {
			f.calendars = append(f.calendars, owner.UUID.String())
		}
	}
	return shown, nil
}

// read parses the block and picks the instance that the id means; for a series
// as a whole its first.
func (f *found) read(v *store.View, id appointmentID) (*block, error) {
	missing := say(http.StatusNotFound, noAppointment)
	data, err := v.Data(f.obj.ID)
	if err != nil {
		return nil, err
	}
	b := &block{found: *f, whole: id.rid.IsZero()}
	if b.parsed, err = ical.Parse(data, ical.Limits{}); err != nil {
		return nil, missing // Check's to report
	}
	var ok bool
	if b.whole {
		b.at, ok = blocks.First(b.parsed, f.zone)
	} else {
		b.at, ok = blocks.Find(b.parsed, id.rid, f.zone)
	}
	if !ok {
		return nil, missing
	}
	b.says = blocks.Read(b.at)
	return b, nil
}

type getIn struct {
	ID string `path:"id"`
}

// load finds and reads a block in a snapshot of its own.
func (s *service) load(ctx context.Context, text string) (*block, error) {
	id, err := parseID(text)
	if err != nil {
		return nil, err
	}
	var b *block
	err = s.view(ctx, func(v *store.View, a *store.Actor, org *store.Principal) error {
		f, err := lookup(v, a, org, id.object)
		if err != nil {
			return err
		}
		b, err = f.read(v, id)
		return err
	})
	return b, err
}

// got answers one block, in one of the spellings.
func got[T any](s *service, spell func(*block) T) func(context.Context, getIn) (T, error) {
	return func(ctx context.Context, in getIn) (out T, err error) {
		b, err := s.load(ctx, in.ID)
		if err != nil {
			return out, err
		}
		return spell(b), nil
	}
}

// Deleted is the answer to a removal.
type Deleted struct {
	ID        string `json:"id"`
	Status    string `json:"status" enum:"deleted" doc:"What became of it."`
	DeletedAt string `json:"deletedAt" format:"date-time"`
}

// deleteIn removes a block. Blocks have no guests, so that there is nobody to
// be notified.
type deleteIn struct {
	ID     string         `path:"id"`
	Notify rest.Opt[bool] `query:"notify"`
}

// remove takes a block out of all its calendars, or one instance out of a series.
func (s *service) remove(ctx context.Context, in deleteIn) (Deleted, error) {
	b, err := s.removed(ctx, in.ID)
	if err != nil {
		return Deleted{}, err
	}
	return Deleted{b.id(), "deleted", show(s.now())}, nil
}

// remove2 answers the block that is gone.
func (s *service) remove2(ctx context.Context, in deleteIn) (Appointment2, error) {
	b, err := s.removed(ctx, in.ID)
	if err != nil {
		return Appointment2{}, err
	}
	out := v2(b)
	out.DeletedAt = show(s.now())
	return out, nil
}

// maxTries bounds how often a removal begins anew because the block was changed
// while it was read.
const maxTries = 5

func (s *service) removed(ctx context.Context, id string) (*block, error) {
	for range maxTries {
		b, err := s.load(ctx, id)
		if err != nil {
			return nil, err
		}
		err = s.drop(ctx, b)
		switch {
		case err == nil:
			return b, nil
		case errors.Is(err, store.ErrForbidden):
			return nil, say(http.StatusForbidden, mayNotDelete)
		case errors.Is(err, store.ErrNotFound):
			return nil, say(http.StatusNotFound, noAppointment)
		case !errors.Is(err, store.ErrPrecondition):
			return nil, fmt.Errorf("remove a block: %w", err)
		}
	}
	return nil, say(http.StatusConflict, cannotDelete)
}

// drop removes what was read, if it is still what was read.
func (s *service) drop(ctx context.Context, b *block) error {
	actor, cond := auth.Actor(ctx), store.Cond{Match: []store.ETag{b.obj.ETag}}
	all := func(tx *store.Tx) error { return tx.DeleteEverywhere(actor, b.obj.ID, cond) }
	if b.whole {
		return s.store.Update(ctx, all)
	}
	o, err := blocks.Exclude(b.parsed, b.says.RecurrenceID, b.zone, s.now())
	if errors.Is(err, blocks.ErrLast) {
		return s.store.Update(ctx, all)
	}
	if err != nil {
		return err
	}
	p, err := s.store.Prepare(o)
	if err != nil {
		return err
	}
	targets := make([]store.CollectionID, len(b.obj.Bindings))
	for i, x := range b.obj.Bindings {
		targets[i] = x.Collection
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.PutBlock(store.PutBlock{Actor: actor, Org: b.org.ID, Object: p, Targets: targets, Cond: cond})
		return err
	})
}
