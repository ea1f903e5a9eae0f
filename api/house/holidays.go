package house

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/api/auth"
	"daybook/api/blocks"
	"daybook/api/rest"
	"daybook/ical"
	"daybook/store"
)

func (s *service) holidayRoutes() []rest.Route {
	return []rest.Route{
		{
			Pattern: "POST " + base + "/holidays", Summary: "Import closures of the organisation, from a list of dates or an iCalendar file",
			Op: rest.Endpoint(http.StatusOK, s.importHolidays).Guard(guard[holidaysIn](s, store.RightWrite)),
		},
	}
}

// Bounds of an import.
const (
	maxHolidays    = 2000
	maxHolidayDays = 366 // of one
)

type holidaysIn struct {
	DryRun rest.Opt[bool] `query:"dry_run" doc:"Tell what would happen, and change nothing."`
	Body   holidaysBody   `body:"json"`
	ICS    []byte         `body:"text/calendar"`
}

type holidaysBody struct {
	Dates []holidayBody `json:"dates"`
}

type holidayBody struct {
	Date rest.Opt[day]    `json:"date"`
	To   rest.Opt[day]    `json:"to" doc:"The last day; absent: the first."`
	Name rest.Opt[string] `json:"name"`
	UID  rest.Opt[string] `json:"uid" doc:"Absent: made of date and name."`
}

// Validate checks the list.
func (in *holidaysIn) Validate(f *rest.Faults) {
	if in.ICS != nil {
		return
	}
	if len(in.Body.Dates) == 0 && !f.Has("dates") {
		f.Add("dates", "is required")
	}
	if len(in.Body.Dates) > maxHolidays {
		f.Add("dates", "must have at most "+strconv.Itoa(maxHolidays)+" members")
		return
	}
	for i, d := range in.Body.Dates {
		d.check(f, "dates."+strconv.Itoa(i))
	}
}

func (b *holidayBody) check(f *rest.Faults, at string) {
	required(f, at+".date", b.Date)
	if f.Has(at) {
		return
	}
	from, _ := b.Date.Get()
	if n := int(b.To.Or(from).Date - from.Date); n < 0 || n >= maxHolidayDays {
		f.Add(at+".to", "must be on the date or within a year after it")
	}
	if n, ok := blocks.CleanText(b.Name.Or("")); !ok || len(n) > maxHoursName {
		f.Add(at+".name", "must be a text of at most "+strconv.Itoa(maxHoursName)+" bytes")
	}
	if u, ok := b.UID.Get(); ok && (strings.TrimSpace(u) == "" || len(u) > 255 || ical.CleanText(u) != u) {
		f.Add(at+".uid", "must be a text of 1 to 255 bytes")
	}
}

// HolidayResult tells what became of one item of an import.
type HolidayResult struct {
	UID    string `json:"uid"`
	Line   int    `json:"line,omitempty" doc:"Of its first line in the file."`
	Result string `json:"result" enum:"created,changed,unchanged,refused"`
	Reason string `json:"reason,omitempty" doc:"Of refused."`
}

// Holidays is the report of an import.
type Holidays struct {
	Created   int             `json:"created"`
	Changed   int             `json:"changed"`
	Unchanged int             `json:"unchanged"`
	Refused   int             `json:"refused"`
	DryRun    bool            `json:"dry_run"`
	Items     []HolidayResult `json:"items"`
}

func (h *Holidays) add(r HolidayResult) {
	h.Items = append(h.Items, r)
	switch r.Result {
	case "created":
		h.Created++
	case "changed":
		h.Changed++
	case "unchanged":
		h.Unchanged++
	default:
		h.Refused++
	}
}

// holiday is an item on its way into the store.
type holiday struct {
	result   HolidayResult
	object   *ical.Object // nil: refused
	prepared *store.Prepared
}

// importHolidays writes each item as an event of the organisation's own
// calendar that takes time: a closure, for every API. An item is known again by
// its UID, so an import can be repeated.
func (s *service) importHolidays(ctx context.Context, in holidaysIn) (out Holidays, err error) {
	var org *store.Principal
	err = s.view(ctx, func(d *desk) (err error) {
		org, err = d.organisation()
		return err
	})
	if err != nil {
		return out, err
	}
	items, err := s.holidays(&in, org)
	if err != nil {
		return out, err
	}
	for i := range items {
		if items[i].object == nil {
			continue
		}
		if items[i].prepared, err = s.store.Prepare(items[i].object); err != nil {
			items[i].refuse(err)
		}
	}
	dry := in.DryRun.Or(false)
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		out = Holidays{DryRun: dry, Items: []HolidayResult{}}
		c, err := tx.Calendar(org.ID)
		if err != nil {
			return err
		}
		for _, h := range items {
			if h.object != nil {
				if err := h.write(tx, auth.Actor(ctx), c.ID); err != nil {
					return err
				}
			}
			out.add(h.result)
		}
		if dry {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return out, err
}

// errDryRun ends a transaction whose effect was only to be told.
var errDryRun = errors.New("nothing was to be changed")

func (h *holiday) refuse(err error) {
	h.object, h.result.Result, h.result.Reason = nil, "refused", reasonOf(err)
}

// reasonOf tells a client why an object was refused.
func reasonOf(err error) string {
	if inv, ok := errors.AsType[*ical.InvalidError](err); ok {
		return inv.Reason
	}
	return rest.AsProblem(err).Detail
}

// write stores the closure where its UID is, or as a new one. What cannot take
// the place of what is there is told of the item, and is no reason to refuse
// the others. It works on a copy: a transaction can run again.
func (h *holiday) write(tx *store.Tx, a *store.Actor, c store.CollectionID) error {
	m, err := tx.MemberByUID(c, h.object.UID())
	put := store.Put{Actor: a, Collection: c, Name: m.Name, Object: h.prepared}
	switch {
	case errors.Is(err, store.ErrNotFound):
		h.result.Result, put.Cond.Missing = "created", true
		if put.Name, err = tx.FreeName(c, h.object.UID()); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		old, err := tx.Data(m.Object)
		if err != nil {
			return err
		}
		switch {
		case sameFacts(old, h.object.Data()):
			h.result.Result = "unchanged"
			return nil
		case !canClose(old):
			h.refuse(rest.Errorf(0, "something else has this UID"))
			return nil
		}
		h.result.Result = "changed"
	}
	_, err = tx.PutObject(put)
	if errors.Is(err, store.ErrComponent) || errors.Is(err, store.ErrInvalid) {
		h.refuse(err)
		return nil
	}
	return err
}

// canClose reports whether a closure may take the place of what is stored: not
// of an appointment.
func canClose(old []byte) bool {
	o, err := ical.Parse(old, ical.Limits{})
	if err != nil || o.Kind() != "VEVENT" {
		return false
	}
	return !slices.ContainsFunc(o.Main(), func(c *ical.Component) bool {
		l := c.Line(propEventType)
		return l != nil && !strings.EqualFold(strings.TrimSpace(l.Value), closure)
	})
}

// sameFacts compares two texts but for the lines that each export of a file
// writes anew.
func sameFacts(a, b []byte) bool {
	facts := func(text []byte) []byte {
		var out []byte
		for l := range bytes.Lines(text) {
			name, _, _ := bytes.Cut(l, []byte(":"))
			if !slices.Contains([]string{"DTSTAMP", "LAST-MODIFIED", "CREATED", "SEQUENCE", "PRODID"}, string(bytes.ToUpper(name))) {
				out = append(out, l...)
			}
		}
		return out
	}
	return bytes.Equal(facts(a), facts(b))
}

// holidays reads the items of an import.
func (s *service) holidays(in *holidaysIn, org *store.Principal) ([]holiday, error) {
	if in.ICS != nil {
		return holidaysOf(in.ICS)
	}
	out := make([]holiday, len(in.Body.Dates))
	seen := map[string]bool{}
	for i, d := range in.Body.Dates {
		from, _ := d.Date.Get()
		name, _ := blocks.CleanText(d.Name.Or(""))
		uid := d.UID.Or(uuid.NewSHA1(org.UUID, []byte("holiday\n"+from.String()+"\n"+name)).String())
		out[i].result.UID = uid
		if seen[uid] {
			out[i].refuse(rest.Errorf(0, "it is in the list twice"))
			continue
		}
		seen[uid] = true
		o, err := newHoliday(uid, name, from, d.To.Or(from), s.now())
		if err != nil {
			out[i].refuse(err)
			continue
		}
		out[i].object = o
	}
	return out, nil
}

// newHoliday writes a closure of whole days.
func newHoliday(uid, name string, from, to day, now time.Time) (*ical.Object, error) {
	const date = "20060102"
	var b strings.Builder
	w := ical.NewWriter(&b)
	w.Begin("VCALENDAR")
	w.Line("VERSION", "2.0")
	w.Line("PRODID", "-//Daybook//Daybook//EN")
	w.Begin("VEVENT")
	w.Line("UID", ical.EscapeText(uid))
	w.Line("DTSTAMP", blocks.Stamp(now))
	w.Line("DTSTART", from.Time().Format(date), ical.Param{Name: "VALUE", Value: "DATE"})
	w.Line("DTEND", (to.Date + 1).Time().Format(date), ical.Param{Name: "VALUE", Value: "DATE"})
	if name == "" {
		name = "Closed"
	}
	w.Line("SUMMARY", ical.EscapeText(name))
	w.Line("TRANSP", "OPAQUE")
	w.Line(propEventType, closure)
	w.End("VEVENT")
	w.End("VCALENDAR")
	if err := w.Err(); err != nil {
		return nil, fmt.Errorf("write a holiday: %w", err)
	}
	return ical.ParseResource([]byte(b.String()), ical.Limits{})
}

const (
	propEventType = "X-DAYBOOK-EVENT-TYPE"
	closure       = "VACATION" // what a closure is to clients who know types of events
)

// holidaysOf reads the events of a file. A file that is none is the client's
// fault; an event that cannot be taken is told in the report.
func holidaysOf(data []byte) ([]holiday, error) {
	lim := ical.StreamLimits
	lim.Bytes, lim.Components = 16<<20, 20*maxHolidays
	var out []holiday
	err := ical.EachSplit(data, lim, func(item ical.SplitItem) bool {
		h := holiday{result: HolidayResult{UID: item.UID, Line: item.Line}}
		if item.Err != nil {
			h.refuse(item.Err)
		} else if o, err := asClosure(item.Object); err != nil {
			h.refuse(err)
		} else {
			h.object = o
		}
		out = append(out, h)
		return len(out) <= maxHolidays
	})
	if err != nil {
		return nil, rest.Errorf(http.StatusBadRequest, "the body is not iCalendar: "+reasonOf(err))
	}
	if len(out) > maxHolidays {
		return nil, rest.Errorf(http.StatusRequestEntityTooLarge, "the file has more than "+strconv.Itoa(maxHolidays)+" events")
	}
	return out, nil
}

// asClosure gives an event of a file so that it takes time and nobody is
// invited or reminded. All its other lines stay, but for the end of a day that
// ends on itself.
func asClosure(o *ical.Object) (*ical.Object, error) {
	if o.Kind() != "VEVENT" {
		return nil, rest.Errorf(0, "it is no event")
	}
	e := o.Edit()
	for _, c := range o.Main() {
		e.Set(c, "TRANSP", "OPAQUE")
		e.Set(c, propEventType, closure)
		if endsAsItStarts(o, c) {
			e.Remove(c, "DTEND")
		}
		for _, name := range []string{"ORGANIZER", "ATTENDEE", "X-MICROSOFT-CDO-BUSYSTATUS"} {
			e.Remove(c, name)
		}
		for _, child := range c.Children {
			if child.Name == "VALARM" {
				e.RemoveComponent(child)
			}
		}
	}
	return e.Apply()
}

// endsAsItStarts reports whether an event of whole days ends on the day on which
// it starts, as programs write that take DTEND for the last day. Without that
// line it is a day long (RFC 5545 §3.6.1), and with it nothing.
func endsAsItStarts(o *ical.Object, c *ical.Component) bool {
	from, to := c.Line("DTSTART"), c.Line("DTEND")
	if from == nil || to == nil {
		return false
	}
	start, err := o.Time(from)
	if err != nil || start.Form != ical.Date {
		return false
	}
	end, err := o.Time(to)
	return err == nil && end.Form == ical.Date && end.Wall.Equal(start.Wall)
}
