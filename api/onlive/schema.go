package onlive

import (
	"net/http"
	"reflect"

	"daybook/api/rest"
)

// What the values of requests look like; see [rest.Schemer].

func (instant) Schema() rest.Schema {
	return rest.Schema{Type: "string", Format: "date-time", Doc: "In UTC, ending in Z or +00:00.", Example: "2027-03-01T12:30:00Z"}
}

func (bound) Schema() rest.Schema {
	return rest.Schema{Any: []rest.Schema{{Type: "string", Format: "date"}, {Type: "string", Format: "date-time"}}}
}

func (idList) Schema() rest.Schema {
	return rest.Schema{Type: "array", Items: &rest.Schema{Type: "string", Format: "uuid"}}
}

func (object) Schema() rest.Schema { return rest.Schema{Type: "object"} }

// Shape is that of [rest.Shaper].
func (errorWriter) Shape(status int) (string, reflect.Type) {
	if status == http.StatusBadRequest {
		return "application/json", reflect.TypeFor[invalidBody]()
	}
	return "application/json", reflect.TypeFor[errorBody]()
}
