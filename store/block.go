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
	c := o.Master()
	if c == nil {
		if main := o.Main(); len(main) > 0 {
			c = main[0]
		}
	}
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
