package timetap

import (
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"daybook/store"
)

// What stands for what is not there or not to be seen.
const (
	defaultColor = "#3B82F6"
	noTitle      = "(no title)"
	hiddenTitle  = "Busy"
)

// instance is one event before it is written. Times are seconds since 1970.
type instance struct {
	start, end, rid int64
	recurs, date    bool
	alias           uint32
	block           bool
	remote          bool // kept by a remote: to be changed there
	part            *part
	owner           *store.Principal // of the calendar that it was found in
}

// kind gives the type of an event: what it says itself, else by where it is.
func (e *instance) kind() eventType {
	switch {
	case e.part.kind != "":
		return e.part.kind
	case e.owner.Kind == store.KindOrganisation:
		return vacation
	case e.block:
		return timeOff
	}
	return appointment
}

// render writes the event for the actor.
func (d *desk) render(e *instance, show shown) (Event, error) {
	p := e.part
	start, end := writeDate(e.start), writeDate(e.end)
	out := Event{
		AllDay: e.date, Type: e.kind(), Color: colorOf(e),
		Start: start, StartUTC: start, End: end, EndUTC: end, ID: idOf(e.alias, e.recurs, e.rid), ReadOnly: e.remote,
		Paid: show.paid && p.invoice == "CLOSED", Uninvoiced: p.invoice == "NONE",
		Status: p.main, SubStatus: p.sub, begin: e.start, over: e.end,
	}
	if e.recurs {
		series := int64(e.alias)
		out.Series = &series
	}
	if d.hides(e) {
		out.Title = hiddenTitle
		return out, nil
	}
	if out.Type == class {
		out.Attendees = slices.Clone(p.attendees)
		if out.Attendees == nil {
			out.Attendees = []string{}
		}
	}
	if p.titled {
		out.Title = p.title
		return out, nil
	}
	var err error
	out.Title, err = d.defaultTitle(e)
	return out, err
}

// hides reports whether the actor sees only that there is an event: one that is
// private to somebody else, or a closure for one who may not read the
// organisation's calendar but whose own time it takes.
func (d *desk) hides(e *instance) bool {
	if e.owner.ID == d.org.ID && !d.reads(d.org) {
		return true
	}
	return e.part.hidden && (d.actor.Principal == nil || d.actor.Principal.ID != e.owner.ID)
}

func colorOf(e *instance) string {
	switch {
	case e.part.color != "":
		return e.part.color
	case e.owner.Color != "":
		return strings.ToUpper(e.owner.Color)
	}
	return defaultColor
}

// defaultTitle is the title of an event without SUMMARY: an appointment of a
// known service says who comes for what, and to whom.
func (d *desk) defaultTitle(e *instance) (string, error) {
	id, err := uuid.Parse(e.part.service)
	if err != nil || e.kind() != appointment || len(e.part.attendees) == 0 {
		return noTitle, nil //nolint:nilerr // not a service of ours
	}
	svc, err := d.v.Service(d.org.ID, id)
	if errors.Is(err, store.ErrNotFound) {
		return noTitle, nil
	}
	if err != nil {
		return "", err
	}
	title := e.part.attendees[0] + " for " + svc.Name
	if e.owner.Kind == store.KindStaff {
		title += " with " + nameOf(e.owner)
	}
	return title, nil
}

func nameOf(p *store.Principal) string {
	if p.DisplayName != "" {
		return p.DisplayName
	}
	return p.Name
}
