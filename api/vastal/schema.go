package vastal

import (
	"reflect"

	"daybook/api/rest"
)

// What the values of requests look like; see [rest.Schemer].

func (clock) Schema() rest.Schema {
	return rest.Schema{Type: "string", Pattern: "^([01][0-9]|2[0-4]):[0-5][0-9]:[0-5][0-9]$", Doc: "HH:MM:SS of the organisation's zone; 24:00:00 is the end of the day."}
}

func (moment) Schema() rest.Schema {
	return rest.Schema{Type: "string", Doc: "ISO 8601: an instant with its offset, or a wall clock or a day of the organisation's zone.", Example: "2027-03-01T14:00:00Z"}
}

// Shape is that of [rest.Shaper].
func (errorWriter) Shape(int) (string, reflect.Type) {
	return "application/json", reflect.TypeFor[errorBody]()
}
