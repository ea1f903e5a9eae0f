package trybe

import (
	"net/http"
	"reflect"

	"daybook/api/rest"
)

// What the values of requests look like; see [rest.Schemer].

func (siteID) Schema() rest.Schema {
	return rest.Schema{Type: "string", Format: "uuid", Doc: "The organisation; GET /sites lists it."}
}

func (day) Schema() rest.Schema { return rest.Schema{Type: "string", Format: "date"} }

func (moment) Schema() rest.Schema {
	return rest.Schema{Type: "string", Doc: "ISO 8601; without an offset a wall clock of the site.", Example: "2027-03-01T12:30:00"}
}

func (ids) Schema() rest.Schema {
	return rest.Schema{Type: "array", Items: &rest.Schema{Type: "string", Format: "uuid"}}
}

func (weekdays) Schema() rest.Schema {
	return rest.Schema{
		Type: "array", Doc: "Numbers, 0 and 7 being Sunday, or English names.",
		Items: &rest.Schema{Any: []rest.Schema{
			{Type: "integer", Min: new(0), Max: new(7)}, {Type: "string", Pattern: "^[A-Za-z]{2,9}$"},
		}},
	}
}

// Shape is that of [rest.Shaper].
func (errorWriter) Shape(status int) (string, reflect.Type) {
	if status == http.StatusUnprocessableEntity {
		return "application/json", reflect.TypeFor[invalidBody]()
	}
	return "application/json", reflect.TypeFor[errorBody]()
}
