package timetap

import (
	"slices"
	"strings"

	"daybook/api/blocks"
	"daybook/ical"
	"daybook/store"
)

// part is what the API needs of one VEVENT, a master or an override, whatever
// the question.
type part struct {
	kind      eventType // "" where neither property nor category says it
	main, sub string    // status
	title     string
	titled    bool // SUMMARY is there
	hidden    bool // private to the calendar's owner
	attendees []string
	color     string // #RRGGBB or ""
	service   string // in lower case
	invoice   string

	before, after int64 // buffers, in seconds
}

// partOf reads it.
func partOf(c *ical.Component) part {
	p := part{
		kind:      kindOf(c),
		attendees: attendeesOf(c),
		service:   strings.ToLower(strings.TrimSpace(c.Text("X-DAYBOOK-SERVICE-ID"))),
		invoice:   upper(c, "X-DAYBOOK-INVOICE"),
		before:    store.BufferLength(c, "X-DAYBOOK-BUFFER-BEFORE"),
		after:     store.BufferLength(c, "X-DAYBOOK-BUFFER-AFTER"),
	}
	if c.Line("COLOR") != nil { // without it there is no colour
		p.color = strings.ToUpper(blocks.Read(ical.Instance{Component: c}).Color)
	}
	p.title = c.Text("SUMMARY")
	p.titled = strings.TrimSpace(p.title) != ""
	p.main, p.sub = statusOf(upper(c, "STATUS"), strings.TrimSpace(c.Text("X-DAYBOOK-SUBSTATUS")))
	switch upper(c, "CLASS") {
	case "", "PUBLIC":
	default: // RFC 5545 §3.8.1.3: an unknown word is as PRIVATE
		p.hidden = true
	}
	return p
}

func upper(c *ical.Component, name string) string {
	return strings.ToUpper(strings.TrimSpace(c.Text(name)))
}

// kindOf gives the type that our property names, else the first category that
// is a known word.
func kindOf(c *ical.Component) eventType {
	if t, ok := typeWord(c.Text("X-DAYBOOK-EVENT-TYPE")); ok {
		return t
	}
	for _, l := range c.All("CATEGORIES") {
		for _, s := range l.List() {
			if t, ok := typeWord(s); ok {
				return t
			}
		}
	}
	return ""
}

func typeWord(s string) (eventType, bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if s == "TIME-OFF" || s == "TIME OFF" {
		return timeOff, true
	}
	return eventType(s), slices.Contains(eventTypes, eventType(s))
}

// attendeesOf gives the names of those who come, in the order of the text: not
// the organizer, not rooms and things, not who has declined.
func attendeesOf(c *ical.Component) []string {
	organizer := ""
	if l := c.Line("ORGANIZER"); l != nil {
		organizer = address(l.Value)
	}
	var out []string
	for _, l := range c.All("ATTENDEE") {
		switch strings.ToUpper(l.Param("CUTYPE")) {
		case "ROOM", "RESOURCE":
			continue
		}
		a := address(l.Value)
		if strings.EqualFold(l.Param("PARTSTAT"), "DECLINED") || organizer != "" && strings.EqualFold(a, organizer) {
			continue
		}
		if name := strings.TrimSpace(l.Param("CN")); name != "" {
			a = name
		}
		out = append(out, a)
	}
	return out
}

// address gives a calendar user address without its mailto:.
func address(uri string) string {
	uri = strings.TrimSpace(uri)
	if len(uri) > len("mailto:") && strings.EqualFold(uri[:len("mailto:")], "mailto:") {
		return uri[len("mailto:"):]
	}
	return uri
}
