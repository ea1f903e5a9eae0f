package feeds

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"daybook/ical"
	"daybook/store"
)

// Bounds of a list of instances: in all, and the steps of one object's
// expansion.
const (
	maxInstances = 10_000
	instanceWork = 200_000
)

// instanceList is a feed as a list of instances, for programs that do not want
// to know of recurrence and time zones.
type instanceList struct {
	Name      string     `json:"name"`
	Zone      string     `json:"zone"` // IANA name; the days and the offsets are its
	From      string     `json:"from"` // first day
	To        string     `json:"to"`   // last day, included
	Updated   string     `json:"updated"`
	Refresh   *int64     `json:"refresh_seconds"`
	Truncated bool       `json:"truncated"` // there are more than are listed
	Items     []instance `json:"items"`
}

// instance is one of them. Times are RFC 3339; of all-day ones they are days,
// and the end is the day after the last.
type instance struct {
	Kind         string  `json:"kind"` // event, task, journal
	UID          string  `json:"uid"`
	RecurrenceID *string `json:"recurrence_id"` // the instance's original start, in UTC; with the uid it is its name
	Start        string  `json:"start"`
	End          string  `json:"end"`
	AllDay       bool    `json:"all_day"`
	Title        string  `json:"title"`
	Location     *string `json:"location"`
	Description  *string `json:"description"`
	Status       *string `json:"status"` // confirmed, tentative, cancelled, …
	Busy         string  `json:"busy"`   // busy, tentative, free

	at time.Time
}

var instanceKinds = map[string]string{"VEVENT": "event", "VTODO": "task", "VJOURNAL": "journal"}

// instances gives the instances of the form's window.
func instances(x *fetch, t *store.StreamText) ([]byte, error) {
	first, last, window := x.days()
	zone := x.stream.Zone
	list := instanceList{
		Name: title(t), Zone: zone.Name(), From: first.Format(time.DateOnly), To: last.Format(time.DateOnly),
		Updated: x.modified().UTC().Format(time.RFC3339), Items: []instance{},
	}
	if r := int64(x.feed.Refresh / time.Second); r > 0 {
		list.Refresh = &r
	}
	err := objects(t, func(o *ical.Object) error {
		kind, ok := instanceKinds[o.Kind()]
		if !ok {
			return nil
		}
		left := maxInstances + 1 - len(list.Items)
		if left <= 0 {
			list.Truncated = true
			return nil
		}
		ask := ical.Expand{Window: window, Zone: zone, Max: left, Work: instanceWork}
		err := o.EachInstance(ask, func(i *ical.Instance) bool {
			list.Items = append(list.Items, shown(kind, o, i, zone))
			return true
		})
		list.Truncated = list.Truncated || err != nil
		return nil // one that cannot be expanded to its end is in as far as it can
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list.Items, func(a, b instance) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.UID, b.UID))
	})
	if len(list.Items) > maxInstances {
		list.Items, list.Truncated = list.Items[:maxInstances], true
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err = e.Encode(list)
	return b.Bytes(), err
}

// title reads the feed's name out of its head.
func title(t *store.StreamText) string {
	o, err := ical.Parse(t.Head(), ical.StreamLimits)
	if err != nil {
		return ""
	}
	return o.Root().Text("NAME")
}

func shown(kind string, o *ical.Object, i *ical.Instance, zone *ical.Zone) instance {
	c := i.Component
	out := instance{
		Kind: kind, UID: o.UID(), Title: c.Text("SUMMARY"), Location: orNull(c.Text("LOCATION")),
		Description: orNull(c.Text("DESCRIPTION")), Status: orNull(strings.ToLower(c.Text("STATUS"))), at: i.Start,
	}
	switch c.BusyType() {
	case ical.BusyFree:
		out.Busy = "free"
	case ical.BusyTentative:
		out.Busy = "tentative"
	case ical.BusyBusy, ical.BusyUnavailable:
		out.Busy = "busy"
	}
	if !i.RecurrenceID.IsZero() {
		s := i.RecurrenceID.UTC().Format(time.RFC3339)
		out.RecurrenceID = &s
	}
	if i.Form == ical.Date {
		out.AllDay = true
		out.Start, out.End = i.Wall.Format(time.DateOnly), i.WallEnd.Format(time.DateOnly)
		return out
	}
	out.Start, out.End = local(i.Start, zone), local(i.End, zone)
	return out
}

// local writes an instant with the zone's offset.
func local(t time.Time, zone *ical.Zone) string {
	offset := int(zone.Offset(t) / time.Second)
	if offset%60 != 0 { // RFC 3339 has no seconds of offset
		offset = 0
	}
	return t.In(time.FixedZone("", offset)).Format(time.RFC3339)
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
