package store

import (
	"strings"

	"daybook/ical"
)

// The marks of a block (MAPPING, "Block → VEVENT → block").
const (
	BlockTypeProperty = "X-DAYBOOK-BLOCK-TYPE"
	BlockCategory     = "BLOCK"
)

// blockCategories make an event a block. MEETING is not among them: desktop
// clients offer it for ordinary events.
var blockCategories = []string{BlockCategory, "BREAK", "CLEANING", "TIME_OFF"}

// IsBlock reports whether the object is a block: an event whose master, or
// every override where there is no master, carries the mark.
func IsBlock(o *ical.Object) bool {
	if o.Kind() != "VEVENT" {
		return false
	}
	c := principalComponent(o)
	if c == nil {
		return false
	}
	if c.Line(BlockTypeProperty) != nil {
		return true
	}
	for _, l := range c.All("CATEGORIES") {
		for _, have := range l.List() {
			for _, want := range blockCategories {
				if strings.EqualFold(strings.TrimSpace(have), want) {
					return true
				}
			}
		}
	}
	return false
}

// principalComponent gives the component that speaks for the object: its
// master, or its first override where there is no master.
func principalComponent(o *ical.Object) *ical.Component {
	if c := o.Master(); c != nil {
		return c
	}
	if main := o.Main(); len(main) > 0 {
		return main[0]
	}
	return nil
}

// OpenEndedProperty marks a block without end. Its DTEND is ten years after its
// start; when a client has set another, the mark says nothing any more.
const OpenEndedProperty = "X-DAYBOOK-OPEN-ENDED"

func openEnded(i *ical.Instance) bool {
	return i.Component != nil && strings.EqualFold(i.Component.Text(OpenEndedProperty), "TRUE") && i.End.Equal(i.Start.AddDate(10, 0, 0))
}
