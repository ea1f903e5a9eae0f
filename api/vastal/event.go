package vastal

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"daybook/ical"
	"daybook/ical/span"
	"daybook/store"
)

// Status is the state of an appointment.
type Status string

// The states of an appointment.
const (
	Pending   Status = "pending"
	Confirmed Status = "confirmed"
	Completed Status = "completed"
	Cancelled Status = "cancelled"
	NoShow    Status = "no_show"
)

var statuses = []Status{Pending, Confirmed, Completed, Cancelled, NoShow}

// The properties of an appointment that are our own. STATUS has three words;
// the finer ones are in propSubStatus.
const (
	propEventType   = "X-DAYBOOK-EVENT-TYPE"
	propService     = "X-DAYBOOK-SERVICE-ID"
	propSubStatus   = "X-DAYBOOK-SUBSTATUS"
	propClientName  = "X-DAYBOOK-CLIENT-NAME"
	propClientEmail = "X-DAYBOOK-CLIENT-EMAIL"
	propClientPhone = "X-DAYBOOK-CLIENT-PHONE"
	propClientLang  = "X-DAYBOOK-CLIENT-LANGUAGE"
	propInternal    = "X-DAYBOOK-INTERNAL-NOTES"
	propConfirmedAt = "X-DAYBOOK-CONFIRMED-AT"
	propCancelledAt = "X-DAYBOOK-CANCELLED-AT"
	propSource      = "X-DAYBOOK-SOURCE"
	propBufBefore   = "X-DAYBOOK-BUFFER-BEFORE"
	propBufAfter    = "X-DAYBOOK-BUFFER-AFTER"
)

const typeAppointment = "APPOINTMENT"

// visit is what an event says of an appointment. Empty texts are absent.
type visit struct {
	start, end  time.Time // UTC
	service     uuid.UUID // uuid.Nil: not said
	client      string
	email       string
	phone       string
	language    string
	notes       string
	internal    string
	status      Status
	confirmedAt time.Time
	cancelledAt time.Time // of one that is cancelled
	source      string
}

// isAppointment reports whether an event is an appointment of this API: it says
// so, or it names a service.
func isAppointment(c *ical.Component) bool {
	return strings.EqualFold(strings.TrimSpace(c.Text(propEventType)), typeAppointment) ||
		c.Line(propEventType) == nil && c.Line(propService) != nil
}

// readVisit reads an instance of an event.
func readVisit(i ical.Instance) visit {
	c := i.Component
	v := visit{
		start: i.Start, end: i.End, client: c.Text(propClientName), email: c.Text(propClientEmail),
		phone: c.Text(propClientPhone), language: c.Text(propClientLang), notes: c.Text("DESCRIPTION"),
		internal: c.Text(propInternal), status: statusOf(c), source: c.Text(propSource),
	}
	if v.client == "" {
		v.client = c.Text("SUMMARY") // made by a calendar client
	}
	if v.source == "" {
		v.source = "manual"
	}
	v.service, _ = uuid.Parse(strings.TrimSpace(c.Text(propService))) // what is none names no service
	v.confirmedAt = stampOf(c, propConfirmedAt)
	if v.status == Cancelled {
		v.cancelledAt = stampOf(c, propCancelledAt)
	}
	return v
}

// stampOf reads a time that a property holds; the zero time when there is none.
func stampOf(c *ical.Component, name string) time.Time {
	t, err := time.Parse(stampLayout, c.Text(name))
	if err != nil {
		return time.Time{}
	}
	return t
}

// statusOf reads STATUS and the finer word beside it. What a calendar client
// says by STATUS:CANCELLED wins.
func statusOf(c *ical.Component) Status {
	status := strings.ToUpper(strings.TrimSpace(c.Text("STATUS")))
	if status == "CANCELLED" {
		return Cancelled
	}
	switch strings.ToUpper(strings.TrimSpace(c.Text(propSubStatus))) {
	case "COMPLETED":
		return Completed
	case "NOSHOW":
		return NoShow
	}
	if status == "TENTATIVE" {
		return Pending
	}
	return Confirmed
}

// words gives STATUS and the finer word beside it, what statusOf reads.
func (s Status) words() (status, finer string) {
	switch s {
	case Pending:
		return "TENTATIVE", ""
	case Cancelled:
		return "CANCELLED", ""
	case Completed:
		return "CONFIRMED", "COMPLETED"
	case NoShow:
		return "CONFIRMED", "NOSHOW"
	case Confirmed:
	}
	return "CONFIRMED", ""
}

// newEvent writes an appointment of a service as a new object.
func newEvent(uid string, v visit, of *store.Service, zone *ical.Zone, now time.Time) (*ical.Object, error) {
	var buf bytes.Buffer
	w := ical.NewWriter(&buf)
	w.Begin("VCALENDAR")
	w.Line("VERSION", "2.0")
	w.Line("PRODID", productID)
	start, end, params := eventTimes(v, zone)
	if params != nil {
		w.Raw([]byte(zone.VTimezone(span.Span{Start: v.start, End: v.end})))
	}
	w.Begin("VEVENT")
	w.Line("UID", uid)
	for _, name := range []string{"DTSTAMP", "CREATED", "LAST-MODIFIED"} {
		w.Line(name, stamp(now))
	}
	w.Line("DTSTART", start, params...)
	w.Line("DTEND", end, params...)
	status, _ := v.status.words() // a new one is pending or confirmed
	w.Line("STATUS", status)
	w.Line("TRANSP", "OPAQUE")
	for _, x := range []struct{ name, text string }{
		{"SUMMARY", of.Name + ": " + v.client},
		{"DESCRIPTION", v.notes},
		{propEventType, typeAppointment},
		{propService, of.UUID.String()},
		{propClientName, v.client},
		{propClientEmail, v.email},
		{propClientPhone, v.phone},
		{propClientLang, v.language},
		{propInternal, v.internal},
		{propSource, v.source},
		{propBufBefore, lengthText(of.BufferBefore)},
		{propBufAfter, lengthText(of.BufferAfter)},
	} {
		if x.text != "" {
			w.Line(x.name, ical.EscapeText(x.text))
		}
	}
	if !v.confirmedAt.IsZero() {
		w.Line(propConfirmedAt, stamp(v.confirmedAt))
	}
	w.End("VEVENT")
	w.End("VCALENDAR")
	if err := w.Err(); err != nil {
		return nil, fmt.Errorf("write an appointment: %w", err)
	}
	o, err := ical.ParseResource(buf.Bytes(), ical.Limits{})
	if err != nil {
		return nil, fmt.Errorf("write an appointment: %w", err)
	}
	return o, nil
}

// eventTimes writes wall clocks of the zone; in UTC where the zone is that, or
// a wall clock would not tell which of two equal ones is meant.
func eventTimes(v visit, zone *ical.Zone) (start, end string, params []ical.Param) {
	a, b := zone.Wall(v.start), zone.Wall(v.end)
	if isUTC(zone) || !zone.Instant(a).Equal(v.start) || !zone.Instant(b).Equal(v.end) {
		return stamp(v.start), stamp(v.end), nil
	}
	return a.Format(wallLayout), b.Format(wallLayout), []ical.Param{{Name: "TZID", Value: zone.Name()}}
}

func lengthText(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return fmt.Sprintf("PT%dM", minutes(d))
}
